/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See mesh.h. */
#include "mesh.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- the keeper ---- */

void keeper_neighbours(struct keeper_client *c, bool add, const char *device, const uint32_t *numbers,
	unsigned count, keeper_answer *answer, void *owner)
{
	struct stage *s = (struct stage *)c;
	struct mesh_request *r = &s->asked[s->asked_count++];

	assert_in_range(s->asked_count, 1, MESH_ASKED);
	assert_string_equal(device, AFBR_DEVICE);
	assert_in_range(count, 1, KEEPER_NEIGHBOURS);
	*r = (struct mesh_request){
		.add = add, .count = count, .answer = answer, .owner = owner, .answered = !answer};
	memcpy(r->numbers, numbers, count * sizeof(*numbers));
	for (unsigned i = 0; i < count; i++)
		assert_in_range(numbers[i], 1, MESH_PATH_MAX);
}

void keeper_forget(struct keeper_client *c, const void *owner)
{
	struct stage *s = (struct stage *)c;

	for (unsigned i = 0; i < s->asked_count; i++)
		if (s->asked[i].owner == owner)
			s->asked[i].answered = true;
}

void stage_answer(struct stage *s, int result)
{
	unsigned count = s->asked_count;

	for (unsigned i = 0; i < count; i++) {
		struct mesh_request *r = &s->asked[i];

		if (r->answered)
			continue;
		r->answered = true;
		if (result)
			r->count = 0; /* it is not there */
		r->answer(r->owner, result, -1);
	}
}

bool has_neighbour(const struct stage *s, uint32_t number)
{
	bool there = false;

	for (unsigned i = 0; i < s->asked_count; i++)
		for (unsigned k = 0; k < s->asked[i].count; k++)
			if (s->asked[i].numbers[k] == number)
				there = s->asked[i].add;
	return there;
}

/* ---- the rest of the role ---- */

void *mesh_plane_owner(const struct mesh_plane *p)
{
	return (void *)p;
}

/* Whoever drains does so while the path is still there. */
void mesh_plane_drain(struct mesh_plane *p)
{
	const struct softwires *w = mesh_plane_owner(p);
	struct stage *s = container_of(w->afbr, struct stage, role);

	s->drained_paths = 0;
	for (const struct mesh_path *path = NULL; (path = mesh_path_next(&s->table, path ? path->number : 0));)
		s->drained_paths++;
}

void nexthop_core(struct afbr *a, const struct addr *address, struct nexthop_core *ret)
{
	struct stage *s = container_of(a, struct stage, role);

	s->core_questions++;
	for (unsigned i = 0; i < s->way_count; i++)
		if (addr_equal(&s->ways[i].to, address)) {
			*ret = s->ways[i].way;
			return;
		}
	*ret = (struct nexthop_core){.why = "there is no route to it"};
}

enum nexthop_state nexthop_route(
	struct afbr *a, const struct bgp_next_hop *n, uint8_t family, struct keeper_bgp_route *ret)
{
	return NEXTHOP_SOFTWIRE;
}

void export_again(struct afbr *a)
{
	container_of(a, struct stage, role)->again++;
}

bool export_is_quiet(const struct afbr *a)
{
	return !container_of(a, struct stage, role)->busy;
}

/* Unless the test brings the real ones. */
__attribute__((weak)) void transmitter_settle(struct softwires *s)
{
}

/* ---- the engine ---- */

struct rib *bgp_rib(struct bgp *b, enum bgp_family family)
{
	return &b->ribs[family];
}

struct bgp_neighbor *bgp_neighbor_by_address(const struct bgp *b, const struct addr *a, unsigned interface)
{
	for (unsigned i = 1; i <= MESH_NEIGHBORS; i++)
		if (addr_equal(&b->neighbors[i].address, a))
			return (struct bgp_neighbor *)&b->neighbors[i];
	return NULL;
}

void bgp_neighbor_view(const struct bgp_neighbor *n, struct bgp_neighbor_view *ret)
{
	*ret = (struct bgp_neighbor_view){.flushing = n->flushing};
}

static const struct decision_source *source(const struct decision_ops *ops, uint16_t number)
{
	return &container_of(ops, struct bgp, decision)->sources[number];
}

static void wanted(struct bgp_sets *sets, struct bgp_next_hop *n, bool is_wanted)
{
	n->answered = n->reached = true;
}

static void rib_changed(struct rib *r)
{
	struct bgp *b = container_of(r - r->family, struct bgp, ribs[0]);

	choice_routes(b->role, r->family);
}

static void begin_engine(struct bgp *b, struct afbr *role)
{
	b->role = role;
	b->decision.source = source;
	bgp_sets_init(&b->sets, 1, wanted);
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		rib_init(&b->ribs[f], (enum bgp_family)f, &b->sets, &b->decision, 2 + f, rib_changed);
	for (unsigned i = 1; i <= MESH_NEIGHBORS; i++) {
		struct addr a = to_addr("2001:db8:ff::");

		a.bytes[15] = (uint8_t)i;
		b->sources[i] = (struct decision_source){.id = i, .address = a};
		b->neighbors[i].address = a;
	}
}

rib_id learn(struct stage *s, enum bgp_family family, uint16_t number, const char *prefix,
	const char *next_hop, uint32_t label, const struct bgp_tunnel *tunnels, unsigned count)
{
	static const uint8_t none[1];
	uint8_t bytes[1024], value[512];
	struct writer w = writer_of(bytes, sizeof(bytes)), v = writer_of(value, sizeof(value));
	const struct bgp_next_hop_value hop = {.global = to_addr(next_hop)};
	const struct bgp_nlri nlri = {.prefix = to_prefix(prefix), .label = label};
	const struct bgp_set *set;

	bgp_attribute_put(&w, bgp_attribute_flags(BGP_ORIGIN), BGP_ORIGIN, none, 1);
	bgp_attribute_put(&w, bgp_attribute_flags(BGP_AS_PATH), BGP_AS_PATH, NULL, 0);
	if (count) {
		bgp_tunnels_write(&v, tunnels, count, false);
		bgp_attribute_put(
			&w, bgp_attribute_flags(BGP_TUNNEL_ENCAP), BGP_TUNNEL_ENCAP, value, writer_len(&v));
	}
	set = bgp_set_get(&s->bgp.sets, reader_of(bytes, writer_len(&w)), NULL, &hop, 0);
	assert_non_null(set);
	choice_forget(s->softwires);
	assert_true(rib_update(&s->bgp.ribs[family], &nlri, number, set, BGP_BAR_NONE, 0, NULL) >= 0);
	return rib_find(&s->bgp.ribs[family], &nlri.prefix);
}

void unlearn(struct stage *s, enum bgp_family family, uint16_t number, const char *prefix)
{
	struct prefix p = to_prefix(prefix);

	choice_forget(s->softwires);
	assert_true(rib_withdraw(&s->bgp.ribs[family], &p, number, NULL) >= 0);
}

/* ---- the stage ---- */

struct addr to_addr(const char *text)
{
	struct addr a = {0};

	if (text)
		assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

struct prefix to_prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

void stage_way(struct stage *s, const char *text, const char *via, uint32_t mtu, const char *why)
{
	struct addr to = to_addr(text);
	struct mesh_way *w = NULL;

	for (unsigned i = 0; i < s->way_count; i++)
		if (addr_equal(&s->ways[i].to, &to))
			w = &s->ways[i];
	if (!w) {
		assert_true(s->way_count < MESH_WAYS);
		w = &s->ways[s->way_count++];
	}
	*w = (struct mesh_way){to, {.reached = !why, .via = to_addr(via), .ifindex = 7, .mtu = mtu}};
	if (why)
		snprintf(w->way.why, sizeof(w->way.why), "%s", why);
}

struct stage *stage_new(void)
{
	struct stage *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	assert_int_equal(loop_init(&s->loop), 0);
	s->log_fd = memfd_create("log", MFD_CLOEXEC);
	s->store_fd = memfd_create("store", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	log_init(&s->log, s->log_fd, LEVEL_INFO);
	s->config = afbr_config_new();
	assert_non_null(s->config);
	s->config->core = to_addr("2001:db8:ff::ff");
	s->config->tunnel = AFBR_TUNNEL_NEXT_HOP;
	assert_int_equal(choose_slots(s->config), 0);
	s->role = (struct afbr){.loop = &s->loop,
		.log = &s->log,
		.keeper = (struct keeper_client *)s,
		.config = s->config,
		.bgp = &s->bgp};
	begin_engine(&s->bgp, &s->role);
	return s;
}

void stage_begin(struct stage *s, bool with_store)
{
	struct softwires *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	s->role.softwires = s->softwires = w;
	w->afbr = &s->role;
	w->plane = (struct mesh_plane *)w;
	w->table = &s->table;
	w->core_family = s->config->core.family;
	w->ifindex = 3;
	w->up = true;
	assert_int_equal(mesh_table_init(&s->table, 4), 0);
	memcpy(s->table.slot_of, s->config->slot_of, sizeof(s->table.slot_of));
	endpoint_start(w);
	path_start(w);
	if (with_store)
		adopt_open(w, dup(s->store_fd));
	assert_int_equal(adopt_rows(w), 0);
	assert_int_equal(choice_begin(w), 0);
}

void stage_end(struct stage *s)
{
	struct softwires *w = s->softwires;

	adopt_close(w);
	choice_free(w);
	path_free_all(w);
	endpoint_free_all(w);
	assert_int_equal(s->table.endpoints.used, 0);
	assert_int_equal(s->table.paths.used, 0);
	mesh_table_done(&s->table);
	free(w);
	s->role.softwires = s->softwires = NULL;
	s->asked_count = 0;
	s->again = 0;
}

void stage_free(struct stage *s)
{
	if (s->softwires)
		stage_end(s);
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		rib_done(&s->bgp.ribs[f]);
	bgp_sets_done(&s->bgp.sets);
	loop_done(&s->loop);
	close(s->log_fd);
	close(s->store_fd);
	afbr_config_unref(s->config);
	free(s);
}

void stage_pass(struct stage *s, msec ms)
{
	struct wheel *w = &s->loop.wheel;

	(void)wheel_advance(w, w->now + ms);
	(void)wheel_advance(w, w->now + 1);
}

const char *stage_log(struct stage *s, char text[LOGGED])
{
	ssize_t len = pread(s->log_fd, text, LOGGED - 1, 0);

	text[len > 0 ? len : 0] = 0;
	return text;
}

/* ---- asking ---- */

const struct mesh_path *path_of(struct stage *s, enum bgp_family family, rib_id net)
{
	char why[192] = "";
	uint32_t number = path_for(&s->role, family, net, why, sizeof(why));

	if (!number)
		fail_msg("no path: %s", why);
	return mesh_path_find(&s->table, number);
}

const char *no_path(struct stage *s, enum bgp_family family, rib_id net)
{
	static char why[192];

	assert_int_equal(path_for(&s->role, family, net, why, sizeof(why)), 0);
	return why;
}
