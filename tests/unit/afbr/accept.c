/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What we take out of softwires, and what others are told of it: over changes, rolls and restarts; the tables of the data plane are the real ones. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "afbr/accept.h"

enum { STATE_MAX = 1 << 20, LOGGED = 65536 };

/* ---- a stand-in for the engine: what it was told last ---- */

struct bgp {
	unsigned times, count;
	struct addr endpoint;
	struct bgp_tunnel tunnels[BGP_TUNNELS];
	struct bgp_classes classes;
};

int bgp_set_tunnels(struct bgp *b, const struct addr *endpoint, const struct bgp_tunnel *tunnels,
	unsigned count, const struct bgp_classes *classes, msec now)
{
	assert_in_range(count, 0, BGP_TUNNELS);
	b->times++;
	b->count = count;
	b->endpoint = *endpoint;
	memcpy(b->tunnels, tunnels, count * sizeof(*tunnels));
	b->classes = *classes;
	return 0;
}

/* ---- a role with nothing but its core ---- */

struct scene {
	struct loop loop;
	struct log log;
	struct rng rng;
	struct afbr role;
	struct bgp bgp;
	struct softwires softwires;
	struct mesh_table table;
	int state, log_fd;
};

static void begin(struct scene *x)
{
	struct store_found found;

	assert_int_equal(mesh_table_init(&x->table, 1), 0);
	assert_int_equal(store_open(x->state, STATE_MAX, &x->softwires.store, &found), 0);
	assert_int_equal(found.damaged, 0);
	x->bgp = (struct bgp){0};
	x->softwires.afbr = &x->role;
	x->softwires.table = &x->table;
	x->softwires.core_family = x->role.config->core.family;
	x->role.softwires = &x->softwires;
}

static void end(struct scene *x)
{
	accept_free(&x->softwires);
	mesh_table_done(&x->table);
	store_close(x->softwires.store);
}

static struct scene *scene_new(const char *core)
{
	struct scene *x = calloc(1, sizeof(*x));

	assert_non_null(x);
	x->state = memfd_create("state", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	x->log_fd = memfd_create("log", MFD_CLOEXEC);
	assert_true(x->state >= 0 && x->log_fd >= 0);
	assert_int_equal(loop_init(&x->loop), 0);
	log_init(&x->log, x->log_fd, LEVEL_DEBUG);
	rng_init_system(&x->rng);
	x->role = (struct afbr){.loop = &x->loop, .log = &x->log, .rng = &x->rng, .bgp = &x->bgp};
	x->role.config = afbr_config_new();
	assert_int_equal(addr_parse(core, &x->role.config->core), 0);
	x->role.config->roll_overlap = 300000;
	begin(x);
	return x;
}

static void scene_free(struct scene *x)
{
	end(x);
	afbr_config_unref(x->role.config);
	loop_done(&x->loop);
	close(x->state);
	close(x->log_fd);
	free(x);
}

/* The process ends, and the next one begins with the same memory. */
static void restart(struct scene *x)
{
	end(x);
	begin(x);
	assert_int_equal(accept_start(&x->softwires), 0);
}

static const char *logged(struct scene *x)
{
	static char text[LOGGED];
	ssize_t n = pread(x->log_fd, text, sizeof(text) - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

static void set_accept(struct scene *x, unsigned count, ...)
{
	struct afbr_config *c = x->role.config;
	va_list words;

	va_start(words, count);
	for (unsigned i = 0; i < count; i++)
		c->accept[i] = (uint8_t)va_arg(words, int);
	va_end(words);
	c->accept_count = count;
}

static void change(struct scene *x)
{
	accept_change(&x->softwires, x->role.config);
}

/* Rows of the data plane that are (not) old. */
static unsigned rows(const struct scene *x, bool old)
{
	unsigned n = 0;

	for (unsigned i = 0; i < MESH_ACCEPTS; i++)
		n += x->table.accept[i].in_use && x->table.accept[i].old == old;
	return n;
}

/* Would the data plane take a packet that was packed like T says? NULL: no. */
static const struct mesh_acceptance *takes(struct scene *x, const struct bgp_tunnel *t, uint16_t payload)
{
	uint8_t cookie[BGP_COOKIE];
	struct reader r = reader_of(cookie, t->cookie_len);
	struct mesh_counters counters = {0};
	struct mesh_heading h = {
		.payload = payload, .has_key = t->has_key, .key = t->key, .session = t->session};

	memcpy(cookie, t->cookie, sizeof(cookie));
	h.kind = t->type == BGP_TUNNEL_L2TPV3 ? MESH_L2TPV3
		 : t->type == BGP_TUNNEL_IPIP ? MESH_IPIP
					      : MESH_GRE;
	return mesh_accept_find(&x->table, &h, &r, &counters);
}

static bool run_until(struct scene *x, bool (*done)(struct scene *x))
{
	for (unsigned i = 0; i < 5000; i++) {
		uv_run(&x->loop.uv, UV_RUN_NOWAIT);
		if (done(x))
			return true;
		usleep(1000);
	}
	return false;
}

/* ---- what is told ---- */

/* proves: MESH-SIG-7 */
static void others_are_told_what_we_take_in_the_order_of_our_liking(void **state)
{
	static const uint16_t types[] = {BGP_TUNNEL_L2TPV3, BGP_TUNNEL_GRE, BGP_TUNNEL_IPIP, BGP_TUNNEL_GRE,
		BGP_TUNNEL_L2TPV3, BGP_TUNNEL_MPLS_GRE, BGP_TUNNEL_IPIP};
	static const uint16_t payloads[] = {MESH_IP4, MESH_IP4, MESH_IP4, MESH_IP4, MESH_MPLS, 0, MESH_MPLS};
	struct scene *x = scene_new("2001:db8::1");
	const struct bgp_tunnel *t = x->bgp.tunnels;

	set_accept(x, 7, AFBR_ACCEPT_L2TPV3, AFBR_ACCEPT_GRE_KEY, AFBR_ACCEPT_IPIP, AFBR_ACCEPT_GRE,
		AFBR_ACCEPT_MPLS_IN_L2TPV3, AFBR_ACCEPT_MPLS_IN_GRE, AFBR_ACCEPT_MPLS_IN_IP);
	assert_int_equal(accept_start(&x->softwires), 0);
	assert_int_equal(x->bgp.times, 1);
	assert_int_equal(x->bgp.count, 7);
	assert_true(addr_equal(&x->bgp.endpoint, &x->role.config->core));
	for (unsigned i = 0; i < 7; i++) {
		assert_int_equal(t[i].type, types[i]);
		assert_int_equal(t[i].protocol, payloads[i]);
	}
	assert_true(t[0].session && t[0].has_encapsulation && t[0].cookie_len == 8);
	assert_true(t[4].session && t[4].session != t[0].session && t[4].cookie_len == 8);
	assert_memory_not_equal(t[0].cookie, t[4].cookie, 8);
	assert_true(t[1].has_key && t[1].has_encapsulation && t[1].key);
	assert_false(t[2].has_encapsulation || t[3].has_encapsulation || t[3].has_key);
	/* The same again is not told again: each time costs all neighbours an UPDATE. */
	change(x);
	assert_int_equal(x->bgp.times, 1);
	set_accept(x, 2, AFBR_ACCEPT_IPIP, AFBR_ACCEPT_GRE);
	change(x);
	assert_int_equal(x->bgp.times, 2);
	assert_int_equal(x->bgp.count, 2);
	scene_free(x);
}

/* proves: MESH-SIG-9 partial */
static void classes_are_told_with_it(void **state)
{
	struct scene *x = scene_new("192.0.2.1");

	x->role.config->classes.community_count = 1;
	x->role.config->classes.communities[0] = 65000u << 16 | 100;
	set_accept(x, 1, AFBR_ACCEPT_IPIP);
	assert_int_equal(accept_start(&x->softwires), 0);
	assert_int_equal(x->bgp.classes.communities[0], 65000u << 16 | 100);
	x->role.config->classes.communities[0]++;
	change(x);
	assert_int_equal(x->bgp.times, 2);
	assert_int_equal(x->bgp.classes.communities[0], 65000u << 16 | 101);
	scene_free(x);
}

static void the_family_that_the_core_lacks_comes_out_and_with_transit_both(void **state)
{
	struct scene *x = scene_new("192.0.2.1");

	set_accept(x, 1, AFBR_ACCEPT_GRE);
	assert_int_equal(accept_start(&x->softwires), 0);
	assert_true(x->table.take6 && !x->table.take4);
	assert_int_equal(x->bgp.tunnels[0].protocol, MESH_IP6);
	x->role.config->transit = true;
	change(x);
	assert_true(x->table.take6 && x->table.take4);
	/* GRE without a payload would be for MPLS, too. */
	assert_int_equal(x->bgp.count, 2);
	assert_int_equal(x->bgp.tunnels[0].protocol, MESH_IP4);
	assert_int_equal(x->bgp.tunnels[1].protocol, MESH_IP6);
	set_accept(x, 7, AFBR_ACCEPT_GRE, AFBR_ACCEPT_GRE_KEY, AFBR_ACCEPT_L2TPV3, AFBR_ACCEPT_IPIP,
		AFBR_ACCEPT_MPLS_IN_L2TPV3, AFBR_ACCEPT_MPLS_IN_IP, AFBR_ACCEPT_MPLS_IN_GRE);
	change(x);
	assert_int_equal(x->bgp.count, 8);
	assert_int_equal(x->bgp.tunnels[0].protocol, 0);
	assert_int_equal(x->bgp.tunnels[1].protocol, MESH_IP4);
	assert_int_equal(x->bgp.tunnels[2].protocol, MESH_IP6);
	assert_int_equal(x->bgp.tunnels[1].key, x->bgp.tunnels[2].key);
	assert_int_equal(x->bgp.tunnels[3].protocol, 0);
	assert_int_equal(x->bgp.tunnels[4].protocol, 0);
	assert_int_equal(x->bgp.tunnels[5].protocol, MESH_MPLS);
	assert_int_equal(x->bgp.tunnels[7].type, BGP_TUNNEL_MPLS_GRE);
	scene_free(x);
}

/* proves: MESH-ENC-6 partial, MESH-ENC-7 partial, MESH-ENC-14 partial, SEC-MESH-9 partial */
static void all_that_is_told_is_taken_at_once_and_nothing_else(void **state)
{
	struct scene *x = scene_new("2001:db8::1");
	struct bgp_tunnel other;

	set_accept(
		x, 4, AFBR_ACCEPT_L2TPV3, AFBR_ACCEPT_GRE_KEY, AFBR_ACCEPT_IPIP, AFBR_ACCEPT_MPLS_IN_L2TPV3);
	assert_int_equal(accept_start(&x->softwires), 0);
	assert_int_equal(rows(x, false), 4);
	for (unsigned i = 0; i < x->bgp.count; i++)
		assert_non_null(takes(x, &x->bgp.tunnels[i], MESH_IP4));
	assert_true(takes(x, &x->bgp.tunnels[3], 0)->how.mpls);
	other = x->bgp.tunnels[0];
	other.cookie[7] ^= 1;
	assert_null(takes(x, &other, 0));
	other = x->bgp.tunnels[1];
	other.key++;
	assert_null(takes(x, &other, MESH_IP4));
	other.has_key = false;
	assert_null(takes(x, &other, MESH_IP4));
	assert_null(takes(x, &x->bgp.tunnels[2], MESH_MPLS));
	scene_free(x);
}

static void by_hand_it_is_as_it_is_written(void **state)
{
	struct scene *x = scene_new("2001:db8::1");
	struct afbr_config *c = x->role.config;
	struct bgp_tunnel before;

	c->tunnel_count = 3;
	c->tunnels[0] = (struct bgp_tunnel){.type = BGP_TUNNEL_L2TPV3,
		.has_encapsulation = true,
		.session = 7,
		.cookie_len = 4,
		.cookie = {1, 2, 3, 4}};
	c->tunnels[1] = (struct bgp_tunnel){
		.type = BGP_TUNNEL_GRE, .has_encapsulation = true, .has_key = true, .key = 0};
	c->tunnels[2] = (struct bgp_tunnel){.type = BGP_TUNNEL_GRE, .protocol = MESH_MPLS};
	set_accept(x, 1, AFBR_ACCEPT_IPIP); /* has no effect */
	assert_int_equal(accept_start(&x->softwires), 0);
	assert_int_equal(x->bgp.count, 3);
	assert_int_equal(rows(x, false), 3);
	assert_memory_equal(x->bgp.tunnels, c->tunnels, sizeof(c->tunnels[0]) * 3);
	assert_non_null(takes(x, &c->tunnels[0], 0));
	assert_non_null(takes(x, &c->tunnels[1], MESH_IP4));
	assert_non_null(takes(x, &c->tunnels[2], MESH_MPLS));
	assert_null(takes(x, &c->tunnels[2], MESH_IP4));
	assert_int_equal(accept_roll(&x->softwires), 0);
	/* Of two cookies for one session only one can be right, the new one. */
	before = c->tunnels[0];
	c->tunnels[0].cookie[0] = 9;
	c->tunnel_count = 1;
	change(x);
	assert_null(takes(x, &before, 0));
	assert_non_null(takes(x, &c->tunnels[0], 0));
	assert_int_equal(rows(x, true), 2);
	scene_free(x);
}

/* ---- rolls and changes ---- */

static bool nothing_old(struct scene *x)
{
	return !rows(x, true);
}

static void a_roll_takes_the_old_ones_for_a_while(void **state)
{
	struct scene *x = scene_new("2001:db8::1");
	struct bgp_tunnel old[3];
	char number[16];

	x->role.config->roll_overlap = 50;
	set_accept(x, 3, AFBR_ACCEPT_L2TPV3, AFBR_ACCEPT_IPIP, AFBR_ACCEPT_GRE_KEY);
	assert_int_equal(accept_start(&x->softwires), 0);
	memcpy(old, x->bgp.tunnels, sizeof(old));
	assert_int_equal(accept_roll(&x->softwires), 2);
	assert_int_equal(x->bgp.times, 2);
	assert_int_not_equal(x->bgp.tunnels[0].session, old[0].session);
	assert_memory_not_equal(x->bgp.tunnels[0].cookie, old[0].cookie, 8);
	assert_int_not_equal(x->bgp.tunnels[2].key, old[2].key);
	assert_int_equal(rows(x, true), 2);
	assert_int_equal(rows(x, false), 3);
	assert_true(takes(x, &old[0], 0)->old && takes(x, &old[2], MESH_IP4)->old);
	assert_false(takes(x, &old[1], MESH_IP4)->old);
	assert_true(run_until(x, nothing_old));
	assert_null(takes(x, &old[0], 0));
	assert_null(takes(x, &old[2], MESH_IP4));
	assert_int_equal(rows(x, false), 3);
	assert_int_equal(x->bgp.times, 2);
	assert_non_null(strstr(logged(x), "event=mesh-roll reason=operator new=2"));
	for (unsigned i = 0; i < 8; i++) { /* no four octets of a cookie in a row */
		snprintf(number, sizeof(number), "%02x%02x%02x%02x", old[0].cookie[i % 5],
			old[0].cookie[i % 5 + 1], old[0].cookie[i % 5 + 2], old[0].cookie[i % 5 + 3]);
		assert_null(strstr(logged(x), number));
	}
	scene_free(x);
}

static bool rolled_twice(struct scene *x)
{
	return x->softwires.acceptor->rolls == 2;
}

static void rolls_come_by_themselves(void **state)
{
	struct scene *x = scene_new("2001:db8::1");
	struct bgp_tunnel first;

	set_accept(x, 1, AFBR_ACCEPT_L2TPV3);
	x->role.config->roll_interval = 30;
	assert_int_equal(accept_start(&x->softwires), 0);
	first = x->bgp.tunnels[0];
	assert_true(run_until(x, rolled_twice));
	assert_int_equal(x->bgp.times, 3);
	assert_int_equal(rows(x, true), 2);
	assert_true(takes(x, &first, 0)->old);
	assert_non_null(strstr(logged(x), "event=mesh-roll reason=interval new=1"));
	scene_free(x);
}

/* Who was promised some time for the old ones has it. */
static void more_rolls_than_there_is_room_for_are_refused(void **state)
{
	struct scene *x = scene_new("2001:db8::1");
	struct bgp_tunnel first;
	int r = 1;
	unsigned rolls = 0;

	set_accept(x, 1, AFBR_ACCEPT_L2TPV3);
	assert_int_equal(accept_start(&x->softwires), 0);
	first = x->bgp.tunnels[0];
	while (rolls < 100 && (r = accept_roll(&x->softwires)) > 0)
		rolls++;
	assert_int_equal(r, -ENOSPC);
	assert_int_equal(rolls, MESH_ACCEPTS - 1);
	assert_true(takes(x, &first, 0)->old);
	assert_int_equal(x->bgp.times, MESH_ACCEPTS);
	/* What the operator writes counts all the same. */
	set_accept(x, 2, AFBR_ACCEPT_IPIP, AFBR_ACCEPT_L2TPV3);
	change(x);
	assert_non_null(takes(x, &x->bgp.tunnels[0], MESH_IP4));
	assert_null(takes(x, &first, 0));
	scene_free(x);
}

static void a_reload_changes_only_what_it_names(void **state)
{
	struct scene *x = scene_new("2001:db8::1");
	struct bgp_tunnel old[2];

	set_accept(x, 2, AFBR_ACCEPT_L2TPV3, AFBR_ACCEPT_GRE_KEY);
	assert_int_equal(accept_start(&x->softwires), 0);
	memcpy(old, x->bgp.tunnels, sizeof(old));
	set_accept(x, 2, AFBR_ACCEPT_IPIP, AFBR_ACCEPT_GRE_KEY);
	change(x);
	assert_int_equal(x->bgp.count, 2);
	assert_int_equal(x->bgp.tunnels[0].type, BGP_TUNNEL_IPIP);
	assert_memory_equal(&x->bgp.tunnels[1], &old[1], sizeof(old[1]));
	assert_true(takes(x, &old[0], 0)->old);
	assert_false(takes(x, &old[1], MESH_IP4)->old);
	/* An old one without parameters is there again. */
	set_accept(x, 1, AFBR_ACCEPT_GRE_KEY);
	change(x);
	assert_int_equal(rows(x, true), 2);
	set_accept(x, 2, AFBR_ACCEPT_GRE_KEY, AFBR_ACCEPT_IPIP);
	change(x);
	assert_int_equal(rows(x, true), 1);
	assert_int_equal(rows(x, false), 2);
	/* Without any, nothing is told. */
	set_accept(x, 0);
	change(x);
	assert_int_equal(x->bgp.count, 0);
	assert_int_equal(rows(x, true), 3);
	scene_free(x);
}

/* ---- restarts ---- */

static void parameters_outlive_the_process(void **state)
{
	struct scene *x = scene_new("2001:db8::1");
	struct bgp_tunnel old, now[2];

	set_accept(x, 2, AFBR_ACCEPT_L2TPV3, AFBR_ACCEPT_GRE_KEY);
	assert_int_equal(accept_start(&x->softwires), 0);
	old = x->bgp.tunnels[0];
	accept_roll(&x->softwires);
	memcpy(now, x->bgp.tunnels, sizeof(now));
	restart(x);
	assert_int_equal(x->bgp.times, 1);
	assert_memory_equal(x->bgp.tunnels, now, sizeof(now));
	assert_int_equal(rows(x, false), 2);
	assert_true(takes(x, &old, 0)->old);
	/* The next one has another configuration. */
	set_accept(x, 1, AFBR_ACCEPT_GRE_KEY);
	x->role.config->roll_overlap = 50;
	restart(x);
	assert_true(takes(x, &now[0], 0)->old);
	assert_memory_equal(x->bgp.tunnels, &now[1], sizeof(now[1]));
	assert_null(strstr(logged(x), "cannot be read"));
	scene_free(x);
}

static void old_ones_have_what_is_left_of_their_time(void **state)
{
	struct scene *x = scene_new("2001:db8::1");

	set_accept(x, 1, AFBR_ACCEPT_L2TPV3);
	x->role.config->roll_overlap = 80;
	assert_int_equal(accept_start(&x->softwires), 0);
	accept_roll(&x->softwires);
	x->role.config->roll_overlap = 300000;
	restart(x);
	assert_int_equal(rows(x, true), 1);
	assert_true(run_until(x, nothing_old));
	/* And those whose time has passed meanwhile have none. */
	x->role.config->roll_overlap = 1;
	accept_roll(&x->softwires);
	usleep(2000);
	restart(x);
	assert_int_equal(rows(x, true), 0);
	scene_free(x);
}

static void a_roll_that_is_due_is_not_put_off_by_restarts(void **state)
{
	struct scene *x = scene_new("2001:db8::1");
	msec made;

	set_accept(x, 1, AFBR_ACCEPT_L2TPV3);
	x->role.config->roll_interval = 3600000;
	assert_int_equal(accept_start(&x->softwires), 0);
	made = x->softwires.acceptor->list.made;
	usleep(3000);
	restart(x);
	assert_int_equal(x->softwires.acceptor->list.made, made);
	assert_int_equal(x->softwires.acceptor->roll.deadline, made + 3600000);
	scene_free(x);
}

/* ---- the record as input ---- */

static struct accept_list sample(void)
{
	struct accept_list l = {.made = 500, .count = 3};

	l.items[0] = (struct accept_item){.word = AFBR_ACCEPT_L2TPV3,
		.how = {.kind = MESH_L2TPV3,
			.session = 0x1234,
			.cookie_len = 8,
			.cookie = {1, 2, 3, 4, 5, 6, 7, 8}}};
	l.items[1] = (struct accept_item){
		.word = AFBR_ACCEPT_GRE_KEY, .how = {.kind = MESH_GRE, .has_key = true, .key = 7}};
	l.items[2] = (struct accept_item){.word = AFBR_ACCEPT_GRE_KEY,
		.old = true,
		.until = 2000,
		.how = {.kind = MESH_GRE, .has_key = true, .key = 8}};
	return l;
}

static size_t written(const struct accept_list *l, uint8_t *bytes)
{
	struct writer w = writer_of(bytes, ACCEPT_RECORD);

	accept_record_write(&w, l);
	assert_true(writer_ok(&w));
	return writer_len(&w);
}

static void the_largest_record_fits(void **state)
{
	struct accept_list l = {.count = MESH_ACCEPTS}, read;
	uint8_t bytes[ACCEPT_RECORD];
	const char *why;

	for (unsigned i = 0; i < MESH_ACCEPTS; i++)
		l.items[i] = (struct accept_item){.word = ACCEPT_BY_HAND,
			.how = {.kind = MESH_L2TPV3, .session = i + 1, .cookie_len = 8}};
	assert_int_equal(accept_record_read(reader_of(bytes, written(&l, bytes)), 1000, &read, &why), 0);
	assert_int_equal(read.count, MESH_ACCEPTS);
}

static void no_word(struct accept_list *l)
{
	l->items[0].word = 7;
}

static void other_word(struct accept_list *l)
{
	l->items[0].word = AFBR_ACCEPT_GRE;
}

static void mpls_where_the_word_has_none(struct accept_list *l)
{
	l->items[0].how.mpls = true;
}

static void short_cookie(struct accept_list *l)
{
	l->items[0].how.cookie_len = 4;
}

static void odd_cookie(struct accept_list *l)
{
	l->items[0].word = ACCEPT_BY_HAND;
	l->items[0].how.cookie_len = 5;
}

static void session_0(struct accept_list *l)
{
	l->items[0].how.session = 0;
}

static void no_kind(struct accept_list *l)
{
	l->items[0].how.kind = MESH_KINDS;
}

static void key_of_none(struct accept_list *l)
{
	l->items[1].word = AFBR_ACCEPT_GRE;
	l->items[1].how.has_key = false;
}

static void cookie_of_gre(struct accept_list *l)
{
	l->items[1].how.cookie_len = 8;
}

static void word_twice(struct accept_list *l)
{
	l->items[2].old = false;
	l->items[2].until = 0;
}

static void key_twice(struct accept_list *l)
{
	l->items[2].how.key = 7;
}

static void old_first(struct accept_list *l)
{
	l->items[0].old = true;
	l->items[0].until = 2000;
}

static void old_for_ever(struct accept_list *l)
{
	l->items[2].until = MSEC_NEVER;
}

static void old_too_long(struct accept_list *l)
{
	l->items[2].until = 1001 + (msec)UINT32_MAX;
}

static void current_for_a_while(struct accept_list *l)
{
	l->items[0].until = 2000;
}

static void made_tomorrow(struct accept_list *l)
{
	l->made = 1001;
}

static void a_record_that_nobody_can_have_written_is_refused(void **state)
{
	static void (*const spoil[])(struct accept_list * l) = {no_word, other_word,
		mpls_where_the_word_has_none, short_cookie, odd_cookie, session_0, no_kind, key_of_none,
		cookie_of_gre, word_twice, key_twice, old_first, old_for_ever, old_too_long,
		current_for_a_while, made_tomorrow};
	struct accept_list l = sample(), read;
	uint8_t bytes[ACCEPT_RECORD];
	size_t len = written(&l, bytes);
	const char *why = NULL;

	assert_int_equal(accept_record_read(reader_of(bytes, len), 1000, &read, &why), 0);
	assert_int_equal(read.count, 3);
	assert_true(mesh_encapsulation_equal(&read.items[0].how, &l.items[0].how));
	assert_true(read.items[2].old && read.items[2].until == 2000);
	for (size_t i = 0; i < sizeof(spoil) / sizeof(spoil[0]); i++) {
		l = sample();
		spoil[i](&l);
		why = NULL;
		if (accept_record_read(reader_of(bytes, written(&l, bytes)), 1000, &read, &why) != -EBADMSG ||
			!why)
			fail_msg("%zu was taken", i);
	}
	l = sample();
	len = written(&l, bytes);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(accept_record_read(reader_of(bytes, i), 1000, &read, &why), -EBADMSG);
	bytes[0] = 2;
	assert_int_equal(accept_record_read(reader_of(bytes, len), 1000, &read, &why), -EBADMSG);
	assert_string_equal(why, "it is of another version");
}

static void after_a_bad_record_there_are_new_parameters(void **state)
{
	struct scene *x = scene_new("2001:db8::1");
	struct bgp_tunnel old;
	uint32_t at = 0;

	set_accept(x, 1, AFBR_ACCEPT_L2TPV3);
	assert_int_equal(accept_start(&x->softwires), 0);
	old = x->bgp.tunnels[0];
	end(x);
	begin(x);
	store_clear(x->softwires.store);
	assert_int_equal(store_put(x->softwires.store, &at, SOFTWIRE_RECORD_ACCEPT, "\1\2", 2), 0);
	assert_int_equal(accept_start(&x->softwires), 0);
	assert_int_not_equal(x->bgp.tunnels[0].session, old.session);
	assert_non_null(strstr(logged(x), "event=mesh-accept"));
	old = x->bgp.tunnels[0];
	restart(x);
	assert_memory_equal(&x->bgp.tunnels[0], &old, sizeof(old));
	scene_free(x);
}

static void without_a_store_all_works_but_over_restarts(void **state)
{
	struct scene *x = scene_new("2001:db8::1");
	struct store *store = x->softwires.store;

	x->softwires.store = NULL;
	set_accept(x, 1, AFBR_ACCEPT_GRE_KEY);
	assert_int_equal(accept_start(&x->softwires), 0);
	assert_int_equal(accept_roll(&x->softwires), 1);
	x->softwires.store = store;
	scene_free(x);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(others_are_told_what_we_take_in_the_order_of_our_liking),
		cmocka_unit_test(classes_are_told_with_it),
		cmocka_unit_test(the_family_that_the_core_lacks_comes_out_and_with_transit_both),
		cmocka_unit_test(all_that_is_told_is_taken_at_once_and_nothing_else),
		cmocka_unit_test(by_hand_it_is_as_it_is_written),
		cmocka_unit_test(a_roll_takes_the_old_ones_for_a_while),
		cmocka_unit_test(rolls_come_by_themselves),
		cmocka_unit_test(more_rolls_than_there_is_room_for_are_refused),
		cmocka_unit_test(a_reload_changes_only_what_it_names),
		cmocka_unit_test(parameters_outlive_the_process),
		cmocka_unit_test(old_ones_have_what_is_left_of_their_time),
		cmocka_unit_test(a_roll_that_is_due_is_not_put_off_by_restarts),
		cmocka_unit_test(the_largest_record_fits),
		cmocka_unit_test(a_record_that_nobody_can_have_written_is_refused),
		cmocka_unit_test(after_a_bad_record_there_are_new_parameters),
		cmocka_unit_test(without_a_store_all_works_but_over_restarts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
