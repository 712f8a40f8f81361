/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may send to us: by next hops, by routes of the Encapsulation SAFI, by the operator's word, and over a restart. The table of the data plane is the real one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "afbr/accept.h"

enum { STATE_MAX = 1 << 20, LOGGED = 65536 };

/* ---- a stand-in for the engine: its tables ---- */

struct bgp {
	struct bgp_sets sets;
	struct rib ribs[BGP_FAMILIES];
	struct decision_ops decision;
	struct afbr *role;
};

static const struct decision_source *source(const struct decision_ops *ops, uint16_t number)
{
	static const struct decision_source sources[] = {{.ours = true, .id = 1}, {.id = 2}};

	return &sources[number];
}

static void wanted(struct bgp_sets *s, struct bgp_next_hop *n, bool wanted)
{
	n->answered = n->reached = wanted;
}

static void changed(struct rib *r)
{
	struct bgp *b = container_of(r->sets, struct bgp, sets);

	transmitter_routes(b->role, r->family);
}

struct rib *bgp_rib(struct bgp *b, enum bgp_family family)
{
	return &b->ribs[family];
}

/* ---- a role with nothing but its core ---- */

struct scene {
	struct loop loop;
	struct log log;
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
	x->bgp.role = &x->role;
	x->bgp.decision.source = source;
	bgp_sets_init(&x->bgp.sets, 1, wanted);
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		rib_init(&x->bgp.ribs[f], (enum bgp_family)f, &x->bgp.sets, &x->bgp.decision, 2 + f, changed);
	x->softwires.afbr = &x->role;
	x->softwires.table = &x->table;
	x->softwires.core_family = x->role.config->core.family;
	x->role.softwires = &x->softwires;
	assert_int_equal(transmitter_start(&x->softwires), 0);
	assert_int_equal(transmitter_begin(&x->softwires), 0);
}

static void end(struct scene *x)
{
	transmitter_free(&x->softwires);
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		rib_done(&x->bgp.ribs[f]);
	bgp_sets_done(&x->bgp.sets);
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
	x->role = (struct afbr){.loop = &x->loop, .log = &x->log, .bgp = &x->bgp};
	x->role.config = afbr_config_new();
	assert_int_equal(addr_parse(core, &x->role.config->core), 0);
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

static struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct prefix prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static void next_hop(struct scene *x, const char *text, bool is)
{
	struct addr a = address(text);

	transmitter_next_hop(&x->role, &a, is);
}

static bool may_send(struct scene *x, const char *text)
{
	struct addr a = address(text);
	struct mesh_transmitter *row = NULL;

	return mesh_transmitter_find(&x->table, &a, &row);
}

/* SOURCE tells what TEXT, an address and its length, takes. */
static void tell(struct scene *x, enum bgp_family family, const char *text, uint16_t source)
{
	static const uint8_t origin_and_path[] = {0x40, 1, 0, 1, 0, 0x40, 2, 0, 0};
	const struct bgp_nlri nlri = {.prefix = prefix(text)};
	struct bgp_next_hop_value hop = {.global = nlri.prefix.addr};
	const struct bgp_set *set =
		bgp_set_get(&x->bgp.sets, reader_of(origin_and_path, sizeof(origin_and_path)), NULL, &hop, 0);

	assert_non_null(set);
	assert_true(rib_update(bgp_rib(&x->bgp, family), &nlri, source, set, BGP_BAR_NONE, 0, NULL) >= 0);
}

static void withdraw(struct scene *x, enum bgp_family family, const char *text)
{
	struct prefix p = prefix(text);

	assert_true(rib_withdraw(bgp_rib(&x->bgp, family), &p, 1, NULL) >= 0);
}

/* All that is due now, and what is so within MS. */
static void wait(struct scene *x, unsigned ms)
{
	msec end = loop_clock() + ms;

	for (unsigned i = 0; i < 3 || loop_clock() <= end; i++) {
		uv_run(&x->loop.uv, UV_RUN_NOWAIT);
		usleep(1000);
	}
}

static bool run_until_saved(struct scene *x)
{
	for (unsigned i = 0; i < 5000 && wheel_armed(&x->softwires.transmitters->saving); i++)
		wait(x, 1);
	return !wheel_armed(&x->softwires.transmitters->saving);
}

static unsigned lines(struct scene *x, const char *what)
{
	static char text[LOGGED];
	ssize_t n = pread(x->log_fd, text, sizeof(text) - 1, 0);
	unsigned count = 0;

	text[n < 0 ? 0 : n] = '\0';
	for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
		count++;
	return count;
}

/* ---- by routes ---- */

/* proves: SEC-MESH-4, SEC-MESH-7 partial */
static void next_hops_may_send_as_long_as_they_are(void **state)
{
	struct scene *x = scene_new("2001:db8::1");

	assert_false(may_send(x, "2001:db8::2"));
	next_hop(x, "2001:db8::2", true);
	next_hop(x, "2001:db8::2", true); /* the same address with another link-local one */
	next_hop(x, "2001:db8::3", true);
	assert_true(may_send(x, "2001:db8::2") && may_send(x, "2001:db8::3"));
	assert_false(may_send(x, "2001:db8::4"));
	next_hop(x, "2001:db8::2", false);
	assert_true(may_send(x, "2001:db8::2"));
	next_hop(x, "2001:db8::2", false);
	assert_false(may_send(x, "2001:db8::2"));
	next_hop(x, "2001:db8::2", false);
	assert_true(may_send(x, "2001:db8::3"));
	scene_free(x);
}

static void who_cannot_be_in_the_core_may_not(void **state)
{
	struct scene *x = scene_new("2001:db8::1");

	next_hop(x, "192.0.2.2", true);
	next_hop(x, "fe80::1", true);
	next_hop(x, "2001:db8::1", true); /* ourselves */
	assert_false(may_send(x, "192.0.2.2") || may_send(x, "fe80::1") || may_send(x, "2001:db8::1"));
	scene_free(x);
	x = scene_new("192.0.2.1");
	next_hop(x, "192.0.2.2", true);
	next_hop(x, "2001:db8::2", true);
	assert_true(may_send(x, "192.0.2.2"));
	assert_false(may_send(x, "2001:db8::2"));
	scene_free(x);
}

/* proves: SEC-MESH-4 partial */
static void an_endpoint_may_send_without_having_routes(void **state)
{
	struct scene *x = scene_new("2001:db8::1");

	tell(x, BGP_IPV6_ENCAP, "2001:db8::2/128", 1);
	tell(x, BGP_IPV6_ENCAP, "2001:db8:9::/48", 1); /* no address */
	tell(x, BGP_IPV6_ENCAP, "2001:db8::9/128", 0); /* our own */
	tell(x, BGP_IPV4_ENCAP, "192.0.2.2/32", 1);
	wait(x, 0);
	assert_true(may_send(x, "2001:db8::2"));
	assert_false(may_send(x, "2001:db8:9::") || may_send(x, "2001:db8::9") || may_send(x, "192.0.2.2"));
	next_hop(x, "2001:db8::2", true);
	withdraw(x, BGP_IPV6_ENCAP, "2001:db8::2/128");
	wait(x, 0);
	assert_true(may_send(x, "2001:db8::2"));
	next_hop(x, "2001:db8::2", false);
	assert_false(may_send(x, "2001:db8::2"));
	tell(x, BGP_IPV6_ENCAP, "2001:db8::2/128", 1);
	wait(x, 0);
	assert_true(may_send(x, "2001:db8::2"));
	scene_free(x);
}

static void many_endpoints_are_read_in_slices(void **state)
{
	struct scene *x = scene_new("192.0.2.1");
	char text[32];

	for (unsigned i = 0; i < 2000; i++) {
		snprintf(text, sizeof(text), "198.18.%u.%u/32", i / 250, i % 250 + 1);
		tell(x, BGP_IPV4_ENCAP, text, 1);
	}
	for (unsigned i = 0; i < 20; i++)
		wait(x, 0);
	assert_int_equal(x->softwires.transmitters->senders.count, 2000);
	assert_true(may_send(x, "198.18.7.250"));
	scene_free(x);
}

/* ---- by the operator ---- */

/* proves: SEC-MESH-4 partial */
static void the_operator_names_others(void **state)
{
	struct scene *x = scene_new("2001:db8::1");
	struct afbr_config *c = x->role.config;

	c->transmitter_count = 1;
	c->transmitters[0] = prefix("2001:db8:7::/48");
	transmitter_change(&x->softwires, c);
	assert_true(may_send(x, "2001:db8:7::1"));
	assert_false(may_send(x, "2001:db8:8::1"));
	c->transmitters[0] = prefix("2001:db8:8::/48");
	transmitter_change(&x->softwires, c);
	assert_false(may_send(x, "2001:db8:7::1"));
	assert_true(may_send(x, "2001:db8:8::1"));
	scene_free(x);
}

/* A route can name anybody. */
static void next_hops_outside_of_the_endpoints_may_not(void **state)
{
	struct scene *x = scene_new("2001:db8::1");
	struct afbr_config *c = x->role.config;

	next_hop(x, "2001:db8::2", true);
	next_hop(x, "2001:db8:1::2", true);
	c->endpoint_count = 1;
	c->endpoints[0] = prefix("2001:db8::/64");
	transmitter_change(&x->softwires, c);
	assert_true(may_send(x, "2001:db8::2"));
	assert_false(may_send(x, "2001:db8:1::2"));
	c->endpoint_count = 0;
	transmitter_change(&x->softwires, c);
	assert_true(may_send(x, "2001:db8:1::2"));
	scene_free(x);
}

/* ---- over a restart ---- */

static void those_of_the_process_before_may_send_until_bgp_has_told_all(void **state)
{
	struct scene *x = scene_new("2001:db8::1");
	char text[ADDR_TEXT];

	next_hop(x, "2001:db8::2", true);
	for (unsigned i = 0; i < 300; i++) { /* more than a record has */
		snprintf(text, sizeof(text), "2001:db8:1::%x", i);
		next_hop(x, text, true);
	}
	assert_true(run_until_saved(x));
	end(x);
	begin(x);
	assert_true(
		may_send(x, "2001:db8::2") && may_send(x, "2001:db8:1::0") && may_send(x, "2001:db8:1::12b"));
	next_hop(x, "2001:db8::2", true);
	transmitter_settle(&x->softwires);
	assert_true(may_send(x, "2001:db8::2"));
	assert_false(may_send(x, "2001:db8:1::0") || may_send(x, "2001:db8:1::12b"));
	assert_int_equal(x->softwires.transmitters->senders.count, 1);
	/* The records follow. */
	assert_true(run_until_saved(x));
	end(x);
	begin(x);
	assert_int_equal(x->softwires.transmitters->senders.count, 1);
	scene_free(x);
}

/* A process that dies young has not written down who may send, but where it sends to. */
static void endpoints_of_the_process_before_may_send_until_bgp_has_told_all(void **state)
{
	struct scene *x = scene_new("2001:db8::1");
	struct softwire_endpoint e = {.adopted = true};

	assert_int_equal(addr_parse("2001:db8::2", &e.key.address), 0);
	end(x);
	x->softwires.endpoints = &e;
	begin(x);
	assert_true(may_send(x, "2001:db8::2"));
	transmitter_settle(&x->softwires);
	assert_false(may_send(x, "2001:db8::2"));
	x->softwires.endpoints = NULL;
	scene_free(x);
}

static void bad_records_are_told_and_do_no_harm(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {{"", 0}, {"\1", 1}, {"\2\0", 2}, {"\1\1", 2}, {"\1\1\4\1\2\3", 6}, {"\1\1\5\1\2\3\4", 7},
		{"\1\1\0", 3}, {"\1\201", 2}, {"\1\2\4\1\2\3\4", 7}, {"\1\1\6\1\2\3\4", 7}, {"\0\0", 2}};
	struct transmitter_record record = {.count = 7};
	struct scene *x = scene_new("2001:db8::1");
	uint32_t at = 0;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
			transmitter_record_read(reader_of(bad[i].bytes, bad[i].len), &record), -EBADMSG);
	assert_int_equal(record.count, 7);
	assert_int_equal(store_put(x->softwires.store, &at, SOFTWIRE_RECORD_TRANSMITTERS, "\2\0", 2), 0);
	end(x);
	begin(x);
	assert_int_equal(x->softwires.transmitters->senders.count, 0);
	assert_int_equal(lines(x, "who may send cannot be read"), 1);
	scene_free(x);
}

/* ---- the log ---- */

static void a_flood_of_strangers_does_not_fill_the_log(void **state)
{
	struct scene *x = scene_new("2001:db8::1");
	struct addr from = address("2001:db8:bad::1");

	for (unsigned i = 0; i < 10000; i++)
		transmitter_refused(&x->softwires, &from, "it is no transmitter that we know");
	assert_int_equal(lines(x, "event=mesh-refused from=2001:db8:bad::1 reason=\"it is no transmitter "
				  "that we know\""),
		5);
	scene_free(x);
}

static void without_a_core_nothing_is_noted(void **state)
{
	struct afbr role = {0};
	struct addr a = address("2001:db8::2");

	transmitter_next_hop(&role, &a, true);
	transmitter_routes(&role, BGP_IPV6_ENCAP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(next_hops_may_send_as_long_as_they_are),
		cmocka_unit_test(who_cannot_be_in_the_core_may_not),
		cmocka_unit_test(an_endpoint_may_send_without_having_routes),
		cmocka_unit_test(many_endpoints_are_read_in_slices),
		cmocka_unit_test(the_operator_names_others),
		cmocka_unit_test(next_hops_outside_of_the_endpoints_may_not),
		cmocka_unit_test(those_of_the_process_before_may_send_until_bgp_has_told_all),
		cmocka_unit_test(endpoints_of_the_process_before_may_send_until_bgp_has_told_all),
		cmocka_unit_test(bad_records_are_told_and_do_no_harm),
		cmocka_unit_test(a_flood_of_strangers_does_not_fill_the_log),
		cmocka_unit_test(without_a_core_nothing_is_noted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
