/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Endpoints: an egress and how packets are packed for it. Those with one address have an *egress* in common, which knows what the operator and BGP say of it, and
 * finds them when the core's way to it changes: the rows that packets are sent by are switched before anything else is done, and that costs as much for a million
 * routes as for one.
 *
 * A session that ends is a reason to think that its router is dead (RFC 5565 knows no liveness of softwires); so its endpoints are passed over from that
 * moment. When BGP has taken its routes away, what is left by them was told by others, a reflector say, who still see it: then the core's routing decides again.
 *
 * MTU: what the core takes on the way to the egress (the kernel's view, or less where a router of the core has said so, for ten minutes: RFC 8201), less all
 * that is packed around: MESH-FWD-13, MESH-AS-6. Never less than IPv6 needs: then outer packets are cut, and the log says what the core should have.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "afbr/softwires.h"

enum {
	IPV6_LEAST = 1280,
	IPV4_LEAST = 576, /* RFC 791: what everybody takes */
	CORE_MTU = 1500,  /* where the kernel does not say */
	LEARNED_MS = 600000,
	PEER_MS = 500,
	UNUSED_MS =
		60000, /* for so long an operator can see what an endpoint was that no route leads to any more */
	UNUSED_MOST = 256,
	LINES_PER_SECOND = 5,
	LINES_BURST = 50,
};

struct softwire_egress {
	struct addr address;
	uint32_t hash;
	struct softwire_endpoint *endpoints;
	bool shut, peer_down;
};

const char *endpoint_state_name(enum endpoint_state state)
{
	static const char *const names[] = {[ENDPOINT_UP] = "up",
		[ENDPOINT_UNREACHED] = "unreached",
		[ENDPOINT_SHUT] = "shut",
		[ENDPOINT_PEER_DOWN] = "peer-down",
		[ENDPOINT_UNUSED] = "unused"};

	return names[state];
}

/* ---- egresses ---- */

static bool has_address(const void *item, const void *key)
{
	return addr_equal(&((const struct softwire_egress *)item)->address, key);
}

static uint32_t hash_of(const struct softwires *s, const struct addr *a)
{
	return hash_bytes(a->bytes, addr_size(a->family), s->table->seed);
}

static struct softwire_egress *find_egress(const struct softwires *s, const struct addr *a)
{
	return hash_find(&s->egresses, hash_of(s, a), has_address, a);
}

static struct softwire_egress *get_egress(struct softwires *s, const struct addr *a)
{
	struct softwire_egress *g = find_egress(s, a);

	if (g)
		return g;
	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->address = *a;
	g->hash = hash_of(s, a);
	if (hash_insert(&s->egresses, g->hash, g)) {
		free(g);
		return NULL;
	}
	return g;
}

/* What the operator has said of it is remembered, whether there are softwires to it or not. */
static void let_egress_go(struct softwires *s, struct softwire_egress *g)
{
	if (g->endpoints || g->shut)
		return;
	(void)hash_remove(&s->egresses, g->hash, g);
	free(g);
}

/* ---- log ---- */

static const struct addr *outer_of(const struct softwire_endpoint *e)
{
	return addr_is_none(&e->key.outer) ? &e->key.address : &e->key.outer;
}

static bool begin(struct softwires *s, const struct softwire_endpoint *e, struct log_line *l,
	struct limit *limit, enum log_level level, const char *event)
{
	char text[128];

	if (!s->afbr->log || level > s->afbr->log->level ||
		!limit_ok(limit, loop_clock(), LINES_PER_SECOND, LINES_BURST) ||
		!log_begin(s->afbr->log, l, level, event))
		return false;
	log_addr(l, "endpoint", &e->key.address);
	log_text(l, "encapsulation", mesh_encapsulation_print(&e->key.how, text, sizeof(text)));
	if (!addr_is_none(&e->key.outer)) {
		log_addr(l, "inside-of", &e->key.outer);
		log_text(l, "outer-encapsulation",
			mesh_encapsulation_print(&e->key.outer_how, text, sizeof(text)));
	}
	if (limit->suppressed)
		log_uint(l, "suppressed", limit->suppressed);
	limit->suppressed = 0;
	return true;
}

static void tell_state(struct softwires *s, const struct softwire_endpoint *e)
{
	bool up = e->state == ENDPOINT_UP;
	struct log_line l;

	if (!begin(s, e, &l, &s->endpoint_lines, up ? LEVEL_INFO : LEVEL_WARN,
		    up ? "endpoint-up" : "endpoint-down"))
		return;
	if (up)
		log_uint(&l, "mtu", e->row->mtu);
	else
		log_text(&l, "state", endpoint_state_name(e->state));
	if (e->flaps)
		log_uint(&l, "flaps", e->flaps);
	log_text(&l, up ? "because" : "reason", up ? e->why : e->state_why);
	log_end(&l);
}

static void tell_too_narrow(struct softwires *s, const struct softwire_endpoint *e, uint32_t core)
{
	struct log_line l;

	if (!begin(s, e, &l, &s->mtu_lines, LEVEL_WARN, "core-mtu"))
		return;
	log_uint(&l, "mtu", core);
	log_uint(&l, "wanted", IPV6_LEAST + e->row->template.len);
	log_text(&l, "reason",
		"the core does not take a packet of 1280 octets with its headers around, which IPv6 relies "
		"on: they are sent in "
		"fragments");
	log_end(&l);
}

/* ---- MTU ---- */

static uint32_t core_mtu(const struct softwire_endpoint *e)
{
	uint32_t mtu = e->path_mtu ? e->path_mtu : CORE_MTU;

	return e->learned_mtu && e->learned_mtu < mtu ? e->learned_mtu : mtu;
}

static void set_mtu(struct softwires *s, struct softwire_endpoint *e)
{
	uint32_t core = core_mtu(e), len = e->row->template.len, inner = core > len ? core - len : 0;
	/* IPv4 is told, or cut before it is packed; of IPv6 the plane cuts outer packets: mesh/out.c. */
	bool too_narrow = inner < IPV6_LEAST && s->table->take6;

	e->row->mtu = (uint16_t)(inner < SOFTWIRE_MTU ? inner : SOFTWIRE_MTU);
	if (too_narrow && !e->too_narrow)
		tell_too_narrow(s, e, core);
	e->too_narrow = too_narrow;
}

static void forget_learned(struct wheel_timer *t, msec now)
{
	struct softwires *s = container_of(t, struct softwires, mtu_timer);
	msec next = MSEC_NEVER;

	for (struct softwire_endpoint *e = s->endpoints; e; e = e->next) {
		if (!e->learned_mtu)
			continue;
		if (e->learned_until > now) {
			next = msec_min(next, e->learned_until);
			continue;
		}
		e->learned_mtu = 0;
		set_mtu(s, e);
	}
	wheel_arm(&s->afbr->loop->wheel, t, next);
}

static void learn_mtu(struct softwires *s, struct softwire_endpoint *e, uint32_t mtu)
{
	msec now = loop_now(s->afbr->loop);

	if (mtu > core_mtu(e)) /* nobody can make it greater than it is known to be */
		return;
	e->learned_mtu = mtu;
	e->learned_until = now + LEARNED_MS;
	set_mtu(s, e);
	if (!wheel_armed(&s->mtu_timer))
		wheel_arm(&s->afbr->loop->wheel, &s->mtu_timer, e->learned_until);
}

void endpoint_path_mtu(struct mesh_plane *p, const struct addr *outer, uint32_t mtu)
{
	struct softwires *s = mesh_plane_owner(p);
	struct softwire_egress *g = find_egress(s, outer);
	uint32_t least = outer->family == AF_INET6 ? IPV6_LEAST : IPV4_LEAST;

	mtu = mtu < least ? least : mtu;
	for (struct softwire_endpoint *e = g ? g->endpoints : NULL; e; e = e->next_of_egress)
		if (addr_is_none(&e->key.outer))
			learn_mtu(s, e, mtu);
	for (struct softwire_endpoint *e = s->stacked_count ? s->endpoints : NULL; e; e = e->next)
		if (addr_equal(&e->key.outer, outer))
			learn_mtu(s, e, mtu);
}

/* May be forged, and changes nothing: the core's routing says what is reached. */
void endpoint_unreachable(struct mesh_plane *p, const struct addr *outer, int error)
{
	struct softwires *s = mesh_plane_owner(p);
	struct softwire_egress *g = find_egress(s, outer);

	for (struct softwire_endpoint *e = g ? g->endpoints : NULL; e; e = e->next_of_egress)
		e->hints++;
}

/* ---- state ---- */

static void set_why(struct softwire_endpoint *e, const char *why)
{
	snprintf(e->state_why, sizeof(e->state_why), "%s", why);
}

static enum endpoint_state look_at_way(struct softwires *s, struct softwire_endpoint *e)
{
	struct nexthop_core way = {0};
	char via[ADDR_TEXT];

	nexthop_core(s->afbr, &e->key.address, &way);
	if (!way.reached) {
		set_why(e, way.why);
		return ENDPOINT_UNREACHED;
	}
	if (!addr_equal(&way.via, &e->key.outer)) {
		snprintf(e->state_why, sizeof(e->state_why),
			"the way to it leads %s%s now, and its routes are about to follow",
			addr_is_none(&way.via) ? "through the core itself" : "through ",
			addr_is_none(&way.via) ? "" : addr_print(&way.via, via));
		return ENDPOINT_UNREACHED;
	}
	e->path_mtu = way.mtu;
	set_why(e, "");
	return ENDPOINT_UP;
}

static enum endpoint_state judge(struct softwires *s, struct softwire_endpoint *e)
{
	if (e->egress->shut) {
		set_why(e, "the operator has shut it down");
		return ENDPOINT_SHUT;
	}
	if (e->egress->peer_down) {
		set_why(e, "the BGP session with it has ended");
		return ENDPOINT_PEER_DOWN;
	}
	if (!e->known &&
		e->state == ENDPOINT_UP) /* of the process before, and BGP has not named its next hop yet */
		return ENDPOINT_UP;
	return look_at_way(s, e);
}

/* The row first: packets do not wait for log lines. */
static void look(struct softwires *s, struct softwire_endpoint *e)
{
	enum endpoint_state state;
	bool changed;

	if (e->state == ENDPOINT_UNUSED)
		return;
	state = judge(s, e);
	changed = state != e->state;
	e->row->usable = state == ENDPOINT_UP;
	set_mtu(s, e);
	if (changed && e->told && e->state == ENDPOINT_UP)
		e->flaps++;
	if (changed)
		e->since = loop_now(s->afbr->loop);
	e->state = state;
	if (changed || !e->told)
		tell_state(s, e);
	if (changed)
		adopt_save_endpoint(s, e);
	e->told = true;
}

static void look_at_all(struct softwires *s, struct softwire_egress *g)
{
	for (struct softwire_endpoint *e = g->endpoints; e; e = e->next_of_egress)
		look(s, e);
}

void endpoint_way_changed(struct afbr *a, const struct addr *address)
{
	struct softwires *s = a->softwires;
	struct softwire_egress *g = s ? find_egress(s, address) : NULL;

	if (!g)
		return;
	for (struct softwire_endpoint *e = g->endpoints; e; e = e->next_of_egress) {
		e->known = true;
		look(s, e);
	}
	for (struct softwire_endpoint *e = g->endpoints; e; e = e->next_of_egress)
		if (e->state == ENDPOINT_UNREACHED) {
			choice_moved(s, address); /* perhaps there is another way, on two levels or on one */
			return;
		}
}

/* ---- what the neighbour's session says ---- */

static bool is_flushed(struct softwires *s, const struct softwire_egress *g)
{
	struct bgp_neighbor *n = bgp_neighbor_by_address(s->afbr->bgp, &g->address, 0);
	struct bgp_neighbor_view view;

	if (!n)
		return true;
	bgp_neighbor_view(n, &view);
	return !view.flushing;
}

static void look_at_peers(struct wheel_timer *t, msec now)
{
	struct softwires *s = container_of(t, struct softwires, peer_timer);
	struct softwire_egress *g;
	uint32_t cursor = 0;
	bool more = false;

	while ((g = hash_next(&s->egresses, &cursor))) {
		if (!g->peer_down)
			continue;
		more = true;
		if (!is_flushed(s, g) || !export_is_quiet(s->afbr))
			continue;
		g->peer_down = false;
		look_at_all(s, g);
	}
	if (more)
		wheel_arm(&s->afbr->loop->wheel, t, now + PEER_MS);
}

void endpoint_peer(struct afbr *a, const struct addr *address, bool up)
{
	struct softwires *s = a->softwires;
	struct softwire_egress *g = s ? find_egress(s, address) : NULL;

	if (!g || g->peer_down == !up)
		return;
	g->peer_down = !up;
	look_at_all(s, g);
	if (!up && !wheel_armed(&s->peer_timer))
		wheel_arm(&a->loop->wheel, &s->peer_timer, loop_now(a->loop) + PEER_MS);
}

int endpoint_shut(struct afbr *a, const struct addr *address, bool shut)
{
	struct softwires *s = a->softwires;
	struct softwire_egress *g = s ? find_egress(s, address) : NULL;
	int count = 0;

	if (!g)
		return -ENOENT;
	g->shut = shut;
	look_at_all(s, g);
	for (struct softwire_endpoint *e = g->endpoints; e; e = e->next_of_egress)
		count++;
	let_egress_go(s, g);
	return count;
}

/* ---- life ---- */

static bool has_key(const void *item, const void *key)
{
	/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): copy_key() has made them so */
	return !memcmp(&((const struct softwire_endpoint *)item)->key, key, sizeof(struct endpoint_key));
}

static uint32_t hash_key(const struct softwires *s, const struct endpoint_key *key)
{
	return hash_bytes(key, sizeof(*key), s->table->seed);
}

static void copy_addr(struct addr *to, const struct addr *from)
{
	to->family = from->family;
	memcpy(to->bytes, from->bytes, addr_size(from->family));
}

static void copy_encapsulation(struct mesh_encapsulation *to, const struct mesh_encapsulation *from)
{
	to->kind = from->kind;
	to->mpls = from->mpls;
	to->has_key = from->has_key;
	to->key = from->key;
	to->session = from->session;
	to->cookie_len = from->cookie_len;
	memcpy(to->cookie, from->cookie, from->cookie_len <= MESH_COOKIE ? from->cookie_len : 0);
}

/* Keys are compared as bytes: what is between their members, and behind their cookies, is zero. */
static void copy_key(struct endpoint_key *to, const struct endpoint_key *from)
{
	memset(to, 0, sizeof(*to));
	copy_addr(&to->address, &from->address);
	copy_addr(&to->outer, &from->outer);
	copy_encapsulation(&to->how, &from->how);
	copy_encapsulation(&to->outer_how, &from->outer_how);
	to->hop_limit = from->hop_limit;
	to->set_dscp = from->set_dscp;
	to->outer_dscp = from->set_dscp ? from->outer_dscp : 0;
	to->copy_ecn = from->copy_ecn;
}

static int make_template(const struct softwires *s, const struct endpoint_key *key, struct mesh_template *ret)
{
	const struct addr *core = &s->afbr->config->core;
	const struct mesh_level levels[] = {
		{.src = *core, .dst = key->address, .how = key->how, .hop_limit = key->hop_limit},
		{.src = *core, .dst = key->outer, .how = key->outer_how, .hop_limit = key->hop_limit}};

	return mesh_template_make(ret, levels, addr_is_none(&key->outer) ? 1 : 2);
}

static int make_row(struct softwires *s, struct softwire_endpoint *e)
{
	struct mesh_template template;
	int r = make_template(s, &e->key, &template);

	if (r)
		return r;
	e->row = mesh_endpoint_new(s->table, &e->key.address, outer_of(e), &template);
	if (!e->row)
		return -ENOMEM;
	e->row->owner = e;
	e->row->set_dscp = e->key.set_dscp;
	e->row->dscp = e->key.outer_dscp;
	e->row->copy_ecn = e->key.copy_ecn;
	e->row->clamp_mss = s->afbr->config->mss_clamp;
	return 0;
}

static void link_in(struct softwires *s, struct softwire_endpoint *e)
{
	e->next = s->endpoints;
	e->link = &s->endpoints;
	if (e->next)
		e->next->link = &e->next;
	s->endpoints = e;
	e->next_of_egress = e->egress->endpoints;
	e->egress_link = &e->egress->endpoints;
	if (e->next_of_egress)
		e->next_of_egress->egress_link = &e->next_of_egress;
	e->egress->endpoints = e;
	s->endpoint_count++;
	s->stacked_count += !addr_is_none(&e->key.outer);
}

/* Not linked yet, and in no table. */
static void discard(struct softwires *s, struct softwire_endpoint *e)
{
	if (e->egress)
		let_egress_go(s, e->egress);
	if (e->row)
		mesh_endpoint_unref(s->table, e->row);
	free(e);
}

static struct softwire_endpoint *make(
	struct softwires *s, const struct endpoint_key *key, uint32_t hash, const char *why)
{
	struct softwire_endpoint *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->key = *key;
	e->hash = hash;
	e->number = ++s->next_endpoint;
	e->state = ENDPOINT_UNREACHED;
	e->since = loop_now(s->afbr->loop);
	snprintf(e->why, sizeof(e->why), "%s", why);
	e->egress = get_egress(s, &key->address);
	if (!e->egress || make_row(s, e) || hash_insert(&s->by_key, hash, e)) {
		discard(s, e);
		return NULL;
	}
	link_in(s, e);
	return e;
}

static void tidy_soon(struct softwires *s)
{
	wheel_arm(&s->afbr->loop->wheel, &s->tidy, loop_now(s->afbr->loop));
}

static void use_again(struct softwires *s, struct softwire_endpoint *e)
{
	e->state = ENDPOINT_UNREACHED; /* until it has been looked at */
	e->told = false;
	s->unused_count--;
	s->endpoint_count++;
}

struct softwire_endpoint *endpoint_get(
	struct softwires *s, const struct endpoint_key *wanted, const char *why)
{
	struct endpoint_key key;
	struct softwire_endpoint *e;
	uint32_t hash;

	copy_key(&key, wanted);
	hash = hash_key(s, &key);
	e = hash_find(&s->by_key, hash, has_key, &key);
	if (e && !e->adopted && e->state != ENDPOINT_UNUSED) {
		snprintf(e->why, sizeof(e->why), "%s", why); /* other rules may come to the same */
		return e;
	}
	if (e && e->state == ENDPOINT_UNUSED)
		use_again(s, e);
	if (!e)
		e = make(s, &key, hash, why);
	if (!e)
		return NULL;
	e->adopted = false;
	e->known = true;
	snprintf(e->why, sizeof(e->why), "%s", why);
	look(s, e);
	adopt_save_endpoint(s, e);
	tidy_soon(s);
	return e;
}

struct softwire_endpoint *endpoint_adopt(struct softwires *s, const struct endpoint_key *wanted,
	const char *why, enum endpoint_state state, uint32_t path_mtu)
{
	struct endpoint_key key;
	struct softwire_endpoint *e;
	uint32_t hash;

	copy_key(&key, wanted);
	hash = hash_key(s, &key);
	if (hash_find(&s->by_key, hash, has_key, &key))
		return NULL;
	e = make(s, &key, hash, why);
	if (!e)
		return NULL;
	e->adopted = e->told = true;
	e->path_mtu = path_mtu;
	e->state = state;
	e->egress->shut = e->egress->shut || state == ENDPOINT_SHUT;
	if (state != ENDPOINT_UP)
		set_why(e, state == ENDPOINT_SHUT ? "the operator has shut it down"
						  : "it was not reached when the process before ended");
	e->row->usable = state == ENDPOINT_UP;
	set_mtu(s, e);
	tidy_soon(s);
	return e;
}

void endpoint_hold(struct softwire_endpoint *e)
{
	e->refs++;
}

void endpoint_put(struct softwires *s, struct softwire_endpoint *e)
{
	if (e && !--e->refs)
		tidy_soon(s);
}

static void tell_gone(struct softwires *s, const struct softwire_endpoint *e)
{
	struct log_line l;

	if (!begin(s, e, &l, &s->endpoint_lines, LEVEL_INFO, "endpoint-gone"))
		return;
	log_text(&l, "reason", "no route leads to it any more");
	log_end(&l);
}

static void let_go(struct softwires *s, struct softwire_endpoint *e)
{
	*e->link = e->next;
	if (e->next)
		e->next->link = e->link;
	*e->egress_link = e->next_of_egress;
	if (e->next_of_egress)
		e->next_of_egress->egress_link = e->egress_link;
	if (e->state == ENDPOINT_UNUSED)
		s->unused_count--;
	else
		s->endpoint_count--;
	s->stacked_count -= !addr_is_none(&e->key.outer);
	(void)hash_remove(&s->by_key, e->hash, e);
	e->row->owner = NULL;
	discard(s, e);
}

/* Its record goes at once, so that the next process does not begin with it; it can be seen for a while. */
static void become_unused(struct softwires *s, struct softwire_endpoint *e, msec now)
{
	tell_gone(s, e);
	adopt_drop(s, &e->record);
	if (e->adopted || !e->told || s->unused_count == UNUSED_MOST) {
		let_go(s, e);
		return;
	}
	e->flaps += e->state == ENDPOINT_UP;
	e->state = ENDPOINT_UNUSED;
	e->since = now;
	e->row->usable = false;
	set_why(e, "no route leads to it any more");
	s->endpoint_count--;
	s->unused_count++;
}

static void tidy_at(struct softwires *s, msec now)
{
	struct softwire_endpoint *next;
	msec due = MSEC_NEVER;

	choice_forget(s);
	for (struct softwire_endpoint *e = s->endpoints; e; e = next) {
		next = e->next;
		if (e->refs)
			continue;
		if (e->state != ENDPOINT_UNUSED)
			become_unused(s, e, now);
		else if (now - e->since >= UNUSED_MS)
			let_go(s, e);
		else
			due = msec_min(due, e->since + UNUSED_MS);
	}
	if (due == MSEC_NEVER && s->unused_count)
		due = now + UNUSED_MS;
	if (due != MSEC_NEVER && !wheel_armed(&s->tidy))
		wheel_arm(&s->afbr->loop->wheel, &s->tidy, due);
}

void endpoint_tidy(struct softwires *s)
{
	tidy_at(s, loop_now(s->afbr->loop));
}

static void tidy(struct wheel_timer *t, msec now)
{
	struct softwires *s = container_of(t, struct softwires, tidy);

	path_flush(s->afbr);
	tidy_at(s, now);
}

void endpoint_start(struct softwires *s)
{
	s->tidy.fire = tidy;
	s->mtu_timer.fire = forget_learned;
	s->peer_timer.fire = look_at_peers;
}

void endpoint_change(struct softwires *s)
{
	for (struct softwire_endpoint *e = s->endpoints; e; e = e->next) {
		struct mesh_template template;

		e->row->clamp_mss = s->afbr->config->mss_clamp;
		if (!make_template(s, &e->key, &template))
			e->row->template = template;
	}
}

void endpoint_free_all(struct softwires *s)
{
	struct softwire_egress *g;
	uint32_t cursor = 0;

	wheel_disarm(&s->afbr->loop->wheel, &s->tidy);
	wheel_disarm(&s->afbr->loop->wheel, &s->mtu_timer);
	wheel_disarm(&s->afbr->loop->wheel, &s->peer_timer);
	while (s->endpoints)
		let_go(s, s->endpoints);
	while ((g = hash_next(&s->egresses, &cursor)))
		free(g);
	hash_free(&s->egresses);
	hash_free(&s->by_key);
}
