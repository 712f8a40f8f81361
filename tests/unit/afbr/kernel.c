/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See kernel.h. */
#include "kernel.h"

#include <errno.h>
#include <ifaddrs.h>
#include <sys/mman.h>

#include "afbr/softwires.h"
#include "netlink/fib.h"

/* ---- the keeper ---- */

/* The role's keeper is the stage. */
struct request {
	uv_timer_t timer;
	struct stage *stage;
	keeper_answer *answer;
	keeper_bgp_answer *bgp_answer;
	void *owner;
	int result, fd;
	uint64_t failed[2];
};

static void closed(uv_handle_t *h)
{
	free(container_of((uv_timer_t *)h, struct request, timer));
}

static void reply(uv_timer_t *t)
{
	struct request *r = container_of(t, struct request, timer);

	r->stage->in_flight--;
	if (r->bgp_answer)
		r->bgp_answer(r->owner, r->result, r->failed);
	if (r->answer)
		r->answer(r->owner, r->result, r->fd);
	uv_close((uv_handle_t *)t, closed);
}

static struct request *request(struct keeper_client *c, void *owner)
{
	struct stage *s = (struct stage *)c;
	struct request *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->stage = s;
	r->owner = owner;
	r->fd = -1;
	uv_timer_init(&s->loop.uv, &r->timer);
	uv_timer_start(&r->timer, reply, 0, 0);
	s->requests++;
	if (++s->in_flight > s->most_in_flight)
		s->most_in_flight = s->in_flight;
	return r;
}

void keeper_bgp_routes(struct keeper_client *c, uint32_t table, uint32_t metric,
	const struct keeper_bgp_route *routes, unsigned count, keeper_bgp_answer *answer, void *owner)
{
	struct request *r = request(c, owner);
	struct netlink_bgp_route rows[KEEPER_BGP_ROUTES];

	r->bgp_answer = answer;
	assert_in_range(count, 1, KEEPER_BGP_ROUTES);
	for (unsigned i = 0; i < count; i++) {
		uint32_t path = routes[i].add ? mesh_gateway_path(&routes[i].gateway) : 0;

		assert_null(keeper_bgp_route_check(&routes[i]));
		/* What it leads to is there before it. */
		if (path && path < 64 && r->stage->role.softwires &&
			routes[i].ifindex == r->stage->role.softwires->ifindex)
			assert_true(r->stage->neighbours >> path & 1 &&
				    mesh_path_find(r->stage->role.softwires->table, path));
		rows[i] = (struct netlink_bgp_route){.add = routes[i].add,
			.on_link = routes[i].on_link,
			.dst = routes[i].dst,
			.gateway = routes[i].gateway,
			.ifindex = routes[i].ifindex};
		for (unsigned k = 0; k < i; k++)
			assert_false(prefix_equal(&routes[i].dst, &routes[k].dst));
	}
	r->stage->routes += count;
	r->result = r->stage->fails ? r->stage->fails : r->stage->fails_once;
	r->stage->fails_once = 0;
	if (r->result)
		return;
	assert_int_equal(netlink_bgp_routes(r->stage->netlink, table, metric, rows, count), 0);
	for (unsigned i = 0; i < count; i++)
		if (rows[i].error) {
			r->result = r->result ? r->result : rows[i].error;
			r->failed[i / 64] |= UINT64_C(1) << i % 64;
		}
}

void keeper_bgp_flush(
	struct keeper_client *c, uint32_t table, uint32_t metric, keeper_answer *answer, void *owner)
{
	struct request *r = request(c, owner);
	unsigned count;

	r->answer = answer;
	assert_int_equal(netlink_bgp_flush(r->stage->netlink, table, metric, 100, &count), 0);
	r->result = count ? -EAGAIN : 0;
}

void keeper_forwarding(struct keeper_client *c, uint8_t family, keeper_answer *answer, void *owner)
{
	((struct stage *)c)->forwards |= family == AF_INET ? FORWARDS_IPV4 : FORWARDS_IPV6;
}

void keeper_neighbours(struct keeper_client *c, bool add, const char *device, const uint32_t *numbers,
	unsigned count, keeper_answer *answer, void *owner)
{
	struct request *r = request(c, owner);
	struct netlink_neighbour list[KEEPER_NEIGHBOURS];

	r->answer = answer;
	for (unsigned i = 0; i < count; i++) {
		list[i].address = mesh_path_gateway(numbers[i]);
		mesh_path_lladdr(numbers[i], list[i].lladdr);
		if (numbers[i] < 64 && add)
			r->stage->neighbours |= UINT64_C(1) << numbers[i];
		else if (numbers[i] < 64)
			r->stage->neighbours &= ~(UINT64_C(1) << numbers[i]);
	}
	r->result = netlink_neighbours(r->stage->netlink, add, device, list, count);
}

/* What hands out a descriptor is answered with it, or with its error. */
static void hand_out(struct keeper_client *c, int fd, keeper_answer *answer, void *owner)
{
	struct request *r = request(c, owner);

	r->answer = answer;
	r->fd = fd;
	r->result = fd < 0 ? -errno : 0;
}

void keeper_open_tap(
	struct keeper_client *c, const char *name, uint16_t mtu, keeper_answer *answer, void *owner)
{
	struct stage *s = (struct stage *)c;
	char command[128];
	int fd;

	if (s->device >= 0 && !if_nametoindex(name)) { /* deleted */
		close(s->device);
		s->device = -1;
	}
	fd = s->device >= 0 ? dup(s->device) : namespace_device(name, IFF_TAP);
	assert_true(fd >= 0);
	if (s->device < 0)
		s->device = dup(fd);
	snprintf(command, sizeof(command), "ip link set %s address 02:00:00:00:00:00 mtu %u up", name, mtu);
	administer(command);
	hand_out(c, fd, answer, owner);
}

void keeper_open_raw(struct keeper_client *c, const struct addr *local, uint8_t protocol,
	keeper_answer *answer, void *owner)
{
	int fd = socket(local->family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	struct endpoint e = {.addr = *local};
	struct sockaddr_storage sa;
	socklen_t len = endpoint_to_sockaddr(&e, &sa);

	((struct stage *)c)->raws |= UINT64_C(1) << protocol % 64;
	if (fd >= 0 && protocol != 255)
		assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
	hand_out(c, fd, answer, owner);
}

void keeper_open_state(struct keeper_client *c, const char *device, keeper_answer *answer, void *owner)
{
	hand_out(c, dup(((struct stage *)c)->store), answer, owner);
}

void keeper_borders(struct keeper_client *c, const char *const *interfaces, unsigned interface_count,
	const struct prefix *sets, unsigned set_count, keeper_answer *answer, void *owner)
{
	struct request *r = request(c, owner);

	r->answer = answer;
	r->stage->borders = interface_count * set_count;
}

void keeper_close_tun(struct keeper_client *c, const char *name, keeper_answer *answer, void *owner)
{
	struct request *r = request(c, owner);

	r->answer = answer;
	close(r->stage->device);
	r->stage->device = -1;
}

static void drop(uv_handle_t *h, void *owner)
{
	struct request *r;

	if (h->type != UV_TIMER || ((uv_timer_t *)h)->timer_cb != reply)
		return;
	r = container_of((uv_timer_t *)h, struct request, timer);
	if (r->owner == owner) {
		r->answer = NULL;
		r->bgp_answer = NULL;
	}
}

void keeper_forget(struct keeper_client *c, const void *owner)
{
	uv_walk(&((struct stage *)c)->loop.uv, drop, (void *)owner);
}

/* The stage goes before its keeper has answered. */
static void end_request(uv_handle_t *h, void *arg)
{
	if (h->type == UV_TIMER && ((uv_timer_t *)h)->timer_cb == reply && !uv_is_closing(h))
		uv_close(h, closed);
}

/* ---- the engine, but for its tables ---- */

void *bgp_owner(const struct bgp *b)
{
	return b->role;
}

struct rib *bgp_rib(struct bgp *b, enum bgp_family family)
{
	return &b->ribs[family];
}

bool bgp_is_deferring(const struct bgp *b)
{
	return b->deferring;
}

const char *bgp_source_name(const struct bgp *b, const struct rib_path *p)
{
	return p->source ? "peer" : "kernel";
}

void bgp_next_hop_answer(
	struct bgp *b, struct bgp_next_hop *n, bool reached, uint32_t metric, const char *why)
{
	b->answers++;
	n->answered = true;
	n->reached = reached;
	n->metric = metric;
	snprintf(n->why, sizeof(n->why), "%s", reached ? "" : why);
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		for (rib_id net = 0; (net = rib_walk(&b->ribs[f], net));)
			(void)rib_decide(&b->ribs[f], net);
}

struct bgp_neighbor *bgp_neighbor_by_address(const struct bgp *b, const struct addr *a, unsigned interface)
{
	return NULL;
}

void bgp_neighbor_view(const struct bgp_neighbor *n, struct bgp_neighbor_view *ret)
{
	*ret = (struct bgp_neighbor_view){0};
}

int bgp_set_tunnels(struct bgp *b, const struct addr *endpoint, const struct bgp_tunnel *tunnels,
	unsigned count, const struct bgp_classes *classes, msec now)
{
	b->tunnels = count;
	return 0;
}

static struct originated *find(struct bgp *b, const struct prefix *p)
{
	for (unsigned i = 0; i < b->originated_count; i++)
		if (prefix_equal(&b->originated[i].prefix, p))
			return &b->originated[i];
	return NULL;
}

int bgp_originate(struct bgp *b, enum bgp_family family, const struct bgp_nlri *nlri, struct reader set,
	const struct bgp_next_hop_value *next_hop, enum bgp_origin_kind kind, msec now)
{
	struct originated *o = find(b, &nlri->prefix);

	assert_int_equal(kind, BGP_KERNEL);
	assert_true(addr_is_none(&next_hop->global));
	if (!o) {
		assert_true(b->originated_count < 64);
		o = &b->originated[b->originated_count++];
	}
	o->prefix = nlri->prefix;
	o->family = family;
	o->len = reader_left(&set);
	assert_true(o->len <= sizeof(o->set));
	memcpy(o->set, set.pos, o->len);
	o->there = true;
	o->times++;
	return 0;
}

void bgp_unoriginate(
	struct bgp *b, enum bgp_family family, const struct prefix *prefix, enum bgp_origin_kind kind)
{
	struct originated *o = find(b, prefix);

	assert_true(o && o->there);
	o->there = false;
	o->withdrawn++;
}

static const struct decision_source *source(const struct decision_ops *ops, uint16_t number)
{
	static const struct decision_source peers[] = {
		{.external = true, .id = 1, .address = {.family = AF_INET}},
		{.id = 1, .address = {.family = AF_INET}}};

	return &peers[container_of(ops, struct bgp, decision)->internal];
}

static void wanted(struct bgp_sets *sets, struct bgp_next_hop *n, bool is_wanted)
{
	struct bgp *b = container_of(sets, struct bgp, sets);

	nexthop_wanted(b, n, is_wanted);
}

static void rib_changed(struct rib *r)
{
	struct bgp *b = container_of(r - r->family, struct bgp, ribs[0]);

	if (b->deferring)
		return;
	nexthop_routes(b->role, r->family);
	export_routes(b, r->family);
}

static void begin_engine(struct bgp *b, struct afbr *role)
{
	b->role = role;
	b->decision.source = source;
	bgp_sets_init(&b->sets, 1, wanted);
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		rib_init(&b->ribs[f], (enum bgp_family)f, &b->sets, &b->decision, 2 + f, rib_changed);
}

static void end_engine(struct bgp *b)
{
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		rib_done(&b->ribs[f]);
	bgp_sets_done(&b->sets);
}

/* ---- what the softwires are told, on its way to them (meson.build: --wrap) ---- */

void __wrap_endpoint_way_changed(struct afbr *a, const struct addr *address);
void __real_endpoint_way_changed(struct afbr *a, const struct addr *address);
void __wrap_transmitter_next_hop(struct afbr *a, const struct addr *address, bool wanted);
void __real_transmitter_next_hop(struct afbr *a, const struct addr *address, bool wanted);

void __wrap_endpoint_way_changed(struct afbr *a, const struct addr *address)
{
	struct stage *s = container_of(a, struct stage, role);

	s->ways_told++;
	s->way_told = *address;
	nexthop_core(a, address, &s->core_told);
	s->answers_then = s->bgp.answers;
	__real_endpoint_way_changed(a, address);
}

void __wrap_transmitter_next_hop(struct afbr *a, const struct addr *address, bool wanted)
{
	struct stage *s = container_of(a, struct stage, role);

	*(wanted ? &s->transmitters_come : &s->transmitters_gone) += 1;
	s->transmitter = *address;
	__real_transmitter_next_hop(a, address, wanted);
}

/* ---- the stage ---- */

struct stage *stage_new(void)
{
	const char *why = namespace_enter();
	struct stage *s;

	if (why) {
		print_message("skipped: %s\n", why);
		skip();
	}
	s = calloc(1, sizeof(*s));
	assert_non_null(s);
	assert_int_equal(loop_init(&s->loop), 0);
	s->log_fd = memfd_create("log", MFD_CLOEXEC);
	log_init(&s->log, s->log_fd, LEVEL_INFO);
	assert_true(namespace_up("lo"));
	s->lan = namespace_device("lan0", IFF_TAP);
	s->lan1 = namespace_device("lan1", IFF_TAP);
	assert_true(s->lan >= 0 && s->lan1 >= 0);
	administer("ip link set lan0 up && ip link set lan1 up && ip addr add 192.0.2.1/24 dev lan0 && "
		   "ip addr add 2001:db8::1/64 dev lan0 nodad && ip addr add 198.18.0.1/24 dev lan1 && "
		   "ip addr add 2001:db8:1::1/64 dev lan1 nodad");
	s->netlink = netlink_open();
	assert_non_null(s->netlink);
	s->config = afbr_config_new();
	assert_non_null(s->config);
	s->config->check_next_hops = true;
	s->device = -1;
	s->store = memfd_create("store", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	rng_init_seed(&s->rng, 7);
	s->role.rng = &s->rng;
	s->role.loop = &s->loop;
	s->role.log = &s->log;
	s->role.keeper = (struct keeper_client *)s;
	s->role.config = s->config;
	s->role.bgp = &s->bgp;
	begin_engine(&s->bgp, &s->role);
	return s;
}

void stage_free(struct stage *s)
{
	import_free(&s->role);
	export_free(&s->role);
	softwire_free(&s->role);
	end_engine(&s->bgp);
	nexthop_free(&s->role);
	uv_walk(&s->loop.uv, end_request, NULL);
	loop_done(&s->loop);
	netlink_close(s->netlink);
	close(s->lan);
	close(s->lan1);
	close(s->log_fd);
	close(s->store);
	if (s->device >= 0)
		close(s->device);
	free(s->role.own);
	afbr_config_unref(s->config);
	free(s);
}

void stage_export(struct stage *s)
{
	s->config->export = (struct afbr_export){.present = true,
		.table = 254,
		.metric = 20,
		.families = BGP_FAMILY_BIT(BGP_IPV4) | BGP_FAMILY_BIT(BGP_IPV6)};
}

void stage_import(struct stage *s, uint8_t protocol)
{
	s->config->import = (struct afbr_import){.present = true,
		.table_count = 1,
		.tables = {254},
		.protocol_count = 1,
		.protocols = {protocol}};
}

static void found(struct afbr *a, int result, bool left)
{
	struct stage *s = container_of(a, struct stage, role);

	s->found = true;
	s->found_result = result;
	s->left = left;
}

static bool is_found(void *arg)
{
	return ((struct stage *)arg)->found;
}

static void softwires_started(struct afbr *a, int result)
{
	struct stage *s = container_of(a, struct stage, role);

	s->softwires = true;
	assert_int_equal(result, 0);
}

static bool has_softwires(void *arg)
{
	return ((struct stage *)arg)->softwires;
}

void stage_core(struct stage *s, const char *address)
{
	s->config->core = to_addr(address);
	s->config->tunnel = AFBR_TUNNEL_NEXT_HOP;
	s->config->accept_count = 1;
	s->config->accept[0] = AFBR_ACCEPT_IPIP;
	assert_int_equal(choose_slots(s->config), 0);
	softwire_start(&s->role, softwires_started);
	assert_true(stage_run(s, has_softwires, s));
}

void stage_begin(struct stage *s)
{
	assert_int_equal(nexthop_start(&s->role), 0);
	assert_int_equal(softwire_with_engine(&s->role), 0);
	export_start(&s->role, found);
	assert_true(stage_run(s, is_found, s));
	assert_int_equal(s->found_result, 0);
	s->bgp.deferring = s->left;
	assert_int_equal(export_begin(&s->role), 0);
}

void stage_restarted(struct stage *s)
{
	s->bgp.deferring = false;
	for (unsigned f = 0; f < BGP_FAMILIES; f++) {
		nexthop_routes(&s->role, (enum bgp_family)f);
		export_routes(&s->bgp, (enum bgp_family)f);
	}
}

static void on_time(uv_timer_t *t)
{
	*(bool *)t->data = true;
}

static void on_closed(uv_handle_t *h)
{
	*(bool *)h->data = false;
}

static bool run_for(struct stage *s, bool (*done)(void *arg), void *arg, unsigned ms)
{
	uv_timer_t timer;
	bool over = false, result;

	timer.data = &over;
	uv_update_time(&s->loop.uv);
	uv_timer_init(&s->loop.uv, &timer);
	uv_timer_start(&timer, on_time, ms, 0);
	while (!over && !(done && done(arg)))
		uv_run(&s->loop.uv, UV_RUN_ONCE);
	result = !done || done(arg);
	over = true;
	uv_close((uv_handle_t *)&timer, on_closed);
	while (over)
		uv_run(&s->loop.uv, UV_RUN_NOWAIT);
	return result;
}

bool stage_run(struct stage *s, bool (*done)(void *arg), void *arg)
{
	return run_for(s, done, arg, 30000);
}

void stage_wait(struct stage *s, unsigned ms)
{
	(void)run_for(s, NULL, NULL, ms);
}

void stage_shows(struct stage *s, const char *command, const char *a, const char *b, int n)
{
	int count = -1;

	for (int i = 0; i < 100; i++) {
		count = shown(command, a, b);
		if (count == n)
			return;
		stage_wait(s, 20);
	}
	fail_msg("%s: %d lines with '%s' and '%s', not %d", command, count, a, b, n);
}

/* ---- routes ---- */

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

struct bgp_next_hop_value to_next_hop(const char *global, const char *link_local)
{
	return (struct bgp_next_hop_value){to_addr(global), to_addr(link_local)};
}

static enum bgp_family family_of(const struct prefix *p)
{
	return p->addr.family == AF_INET ? BGP_IPV4 : BGP_IPV6;
}

void learn_prefix(struct stage *s, const struct prefix *prefix, const struct bgp_next_hop_value *next_hop,
	unsigned interface)
{
	static const uint8_t origin_and_path[] = {0x40, 1, 0, 1, 0, 0x40, 2, 0, 0};
	const struct bgp_nlri nlri = {.prefix = *prefix};
	const struct bgp_set *set = bgp_set_get(
		&s->bgp.sets, reader_of(origin_and_path, sizeof(origin_and_path)), NULL, next_hop, interface);

	assert_non_null(set);
	assert_true(
		rib_update(bgp_rib(&s->bgp, family_of(prefix)), &nlri, 1, set, BGP_BAR_NONE, 0, NULL) >= 0);
}

void learn(struct stage *s, const char *prefix, const char *global, const char *link_local,
	const char *interface)
{
	struct bgp_next_hop_value value = to_next_hop(global, link_local);
	struct prefix p = to_prefix(prefix);

	learn_prefix(s, &p, &value, interface ? if_nametoindex(interface) : 0);
}

void unlearn(struct stage *s, const char *prefix)
{
	struct prefix p = to_prefix(prefix);

	assert_true(rib_withdraw(bgp_rib(&s->bgp, family_of(&p)), &p, 1, NULL) >= 0);
}

static enum bgp_family labeled_of(const struct prefix *p)
{
	return p->addr.family == AF_INET ? BGP_IPV4_LABELED : BGP_IPV6_LABELED;
}

static void learn_with(struct stage *s, enum bgp_family family, const struct bgp_nlri *nlri,
	const char *next_hop, const struct bgp_tunnel *tunnel)
{
	struct bgp_next_hop_value hop = to_next_hop(next_hop, NULL);
	uint8_t bytes[256], value[128];
	struct writer w = writer_of(bytes, sizeof(bytes)), v = writer_of(value, sizeof(value));
	const struct bgp_set *set;

	bgp_attribute_put(&w, bgp_attribute_flags(BGP_ORIGIN), BGP_ORIGIN, "", 1);
	bgp_attribute_put(&w, bgp_attribute_flags(BGP_AS_PATH), BGP_AS_PATH, NULL, 0);
	bgp_tunnels_write(&v, tunnel, 1, false);
	bgp_attribute_put(&w, bgp_attribute_flags(BGP_TUNNEL_ENCAP), BGP_TUNNEL_ENCAP, value, writer_len(&v));
	set = bgp_set_get(&s->bgp.sets, reader_of(bytes, writer_len(&w)), NULL, &hop, 0);
	assert_non_null(set);
	assert_true(rib_update(bgp_rib(&s->bgp, family), nlri, 1, set, BGP_BAR_NONE, 0, NULL) >= 0);
}

void learn_labeled(struct stage *s, const char *prefix, const char *next_hop, uint32_t label, uint16_t type)
{
	const struct bgp_tunnel tunnel = {.type = type, .protocol = MESH_MPLS};
	const struct bgp_nlri nlri = {.prefix = to_prefix(prefix), .label = label};

	learn_with(s, labeled_of(&nlri.prefix), &nlri, next_hop, &tunnel);
}

void learn_tunnel(struct stage *s, const char *address, const struct bgp_tunnel *tunnel)
{
	struct addr a = to_addr(address);
	const struct bgp_nlri nlri = {.prefix = prefix_of(&a, addr_bits(a.family))};

	learn_with(s, a.family == AF_INET ? BGP_IPV4_ENCAP : BGP_IPV6_ENCAP, &nlri, address, tunnel);
}

void unlearn_labeled(struct stage *s, const char *prefix)
{
	struct prefix p = to_prefix(prefix);

	assert_true(rib_withdraw(bgp_rib(&s->bgp, labeled_of(&p)), &p, 1, NULL) >= 0);
}

static rib_id net_of(struct stage *s, const struct prefix *p)
{
	rib_id net = rib_find(bgp_rib(&s->bgp, family_of(p)), p);

	assert_int_not_equal(net, 0);
	return net;
}

const struct rib_path *path_to(struct stage *s, const char *prefix)
{
	struct prefix p = to_prefix(prefix);

	return rib_first_path(bgp_rib(&s->bgp, family_of(&p)), net_of(s, &p));
}

const struct bgp_next_hop *next_hop_of(struct stage *s, const char *prefix)
{
	return path_to(s, prefix)->set->next_hop;
}

void afbr_look(struct stage *s)
{
	struct ifaddrs *list;
	unsigned count = 0;

	free(s->role.own);
	s->role.own = calloc(64, sizeof(*s->role.own));
	assert_int_equal(getifaddrs(&list), 0);
	for (const struct ifaddrs *i = list; i && count < 64; i = i->ifa_next) {
		struct endpoint e;

		if (i->ifa_addr && !endpoint_from_sockaddr(i->ifa_addr, &e))
			s->role.own[count++] = (struct afbr_own){
				.addr = e.addr, .prefix_len = 128, .interface = if_nametoindex(i->ifa_name)};
	}
	freeifaddrs(list);
	s->role.own_count = count;
	softwire_look_at_network(&s->role);
}

const char *state_of(struct stage *s, const char *prefix)
{
	static char text[256];
	struct prefix p = to_prefix(prefix);

	return export_state(&s->role, family_of(&p), net_of(s, &p), text, sizeof(text));
}

const struct originated *originated(const struct stage *s, const char *prefix)
{
	struct prefix p = to_prefix(prefix);

	return find((struct bgp *)&s->bgp, &p);
}

const char *stage_log(struct stage *s, char text[LOGGED])
{
	ssize_t len = pread(s->log_fd, text, LOGGED - 1, 0);

	text[len > 0 ? len : 0] = 0;
	return text;
}
