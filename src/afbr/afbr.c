/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Life: the engine and what stands around it begin, work, stop, or leave. */
#include <errno.h>
#include <ifaddrs.h>
#include <jansson.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "afbr/softwires.h"

enum { WORK_STEPS = 256, NETWORK_MS = 100, KEY_MS = 2000, KEY_LINES_BURST = 3 };

/* ---- the host's network ---- */

static uint8_t mask_length(const struct sockaddr *mask, uint8_t family)
{
	struct sockaddr_storage sa = {0};
	struct endpoint e;
	uint8_t len = 0;

	if (!mask)
		return (uint8_t)addr_bits(family);
	/* Its family is not always set. */
	memcpy(&sa, mask, family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
	sa.ss_family = family;
	if (endpoint_from_sockaddr((struct sockaddr *)&sa, &e) || e.addr.family != family)
		return (uint8_t)addr_bits(family);
	while (len < addr_bits(family) && e.addr.bytes[len / 8] & (0x80 >> len % 8))
		len++;
	return len;
}

/* NULL: no memory, or the kernel does not say. */
static struct afbr_own *read_addresses(unsigned *ret_count)
{
	struct ifaddrs *list;
	struct afbr_own *own;
	unsigned count = 0;

	if (getifaddrs(&list))
		return NULL;
	for (const struct ifaddrs *i = list; i; i = i->ifa_next)
		count++;
	own = calloc(count + 1, sizeof(*own));
	count = 0;
	for (const struct ifaddrs *i = list; i && own; i = i->ifa_next) {
		struct endpoint e;

		if (!i->ifa_addr ||
			(i->ifa_addr->sa_family != AF_INET && i->ifa_addr->sa_family != AF_INET6) ||
			endpoint_from_sockaddr(i->ifa_addr, &e))
			continue;
		own[count++] = (struct afbr_own){.addr = e.addr,
			.prefix_len = mask_length(i->ifa_netmask, e.addr.family),
			.interface = if_nametoindex(i->ifa_name)};
	}
	freeifaddrs(list);
	*ret_count = count;
	return own;
}

static void tell_addresses(struct afbr *a)
{
	struct addr *list = calloc(a->own_count + 1, sizeof(*list));

	for (unsigned i = 0; list && i < a->own_count; i++)
		list[i] = a->own[i].addr;
	if (!list || bgp_set_own_addresses(a->bgp, list, a->own_count))
		log_message(a->log, LEVEL_ERROR, "bgp", "out of memory for our own addresses");
	free(list);
}

/* An interface may have come, gone, or come back as another one. */
static void tell_interfaces(struct afbr *a)
{
	for (struct bgp_neighbor *n = bgp_neighbor_next(a->bgp, NULL); n; n = bgp_neighbor_next(a->bgp, n)) {
		struct bgp_neighbor_config c;
		struct bgp_neighbor_view view;

		bgp_neighbor_view(n, &view);
		c = *view.config;
		c.interface_index = socket_interface(&c);
		if (c.interface_index != view.config->interface_index)
			(void)bgp_neighbor_change(n, &c);
	}
}

static bool is_equal(const struct afbr_own *a, unsigned a_count, const struct afbr_own *b, unsigned b_count)
{
	if (a_count != b_count)
		return false;
	for (unsigned i = 0; i < a_count; i++)
		if (!addr_equal(&a[i].addr, &b[i].addr) || a[i].prefix_len != b[i].prefix_len ||
			a[i].interface != b[i].interface)
			return false;
	return true;
}

void afbr_look_at_network(struct afbr *a)
{
	unsigned count = 0;
	struct afbr_own *own = read_addresses(&count);

	if (own && !is_equal(own, count, a->own, a->own_count)) {
		free(a->own);
		a->own = own;
		a->own_count = count;
		own = NULL;
		tell_addresses(a);
	}
	free(own);
	connection_look_at_links(a);
	tell_interfaces(a);
	softwire_look_at_network(a);
}

static void look_at_network(struct wheel_timer *t, msec now)
{
	afbr_look_at_network(container_of(t, struct afbr, own_timer));
}

/* Soon, and once for many changes. */
static void network_changed(void *owner, const char *what)
{
	struct afbr *a = owner;

	if (!wheel_armed(&a->own_timer))
		wheel_arm(&a->loop->wheel, &a->own_timer, loop_now(a->loop) + NETWORK_MS);
}

/* ---- TCP-MD5 ---- */

static bool somebody_is_down(const struct afbr *a)
{
	for (struct bgp_neighbor *n = bgp_neighbor_next(a->bgp, NULL); n; n = bgp_neighbor_next(a->bgp, n)) {
		struct bgp_neighbor_view view;

		bgp_neighbor_view(n, &view);
		if (view.state != BGP_ESTABLISHED && !view.config->shutdown)
			return true;
	}
	return false;
}

/* Why a neighbour does not come up may be that its segments are thrown away: of which there is no other sign. */
static void look_at_signatures(struct wheel_timer *t, msec now)
{
	struct afbr *a = container_of(t, struct afbr, key_timer);
	uint64_t wrong = key_wrong();

	if (wrong > a->wrong_before) {
		a->counters.signatures_wrong += wrong - a->wrong_before;
		if (somebody_is_down(a) && limit_ok(&a->key_lines, now, 1, KEY_LINES_BURST))
			event_wrong_signatures(a, wrong - a->wrong_before);
	}
	a->wrong_before = wrong;
	wheel_arm(&a->loop->wheel, t, now + KEY_MS);
}

/* ---- work ---- */

static void work(uv_idle_t *idle)
{
	struct afbr *a = container_of(idle, struct afbr, idle);
	uint64_t begun = uv_hrtime();
	bool more;

	do
		more = bgp_work(a->bgp, WORK_STEPS, loop_clock());
	while (more && (uv_hrtime() - begun) / 1000 < AFBR_SLICE_US);
	if (!more)
		uv_idle_stop(idle);
}

void afbr_work(struct bgp *b)
{
	uv_idle_start(&afbr_of(b)->idle, work);
}

/* ---- routes of our own ---- */

static bool has_network(const struct afbr_config *c, const struct prefix *p)
{
	for (unsigned i = 0; c && i < c->network_count; i++)
		if (prefix_equal(&c->networks[i].prefix, p))
			return true;
	return false;
}

static enum bgp_family family_of(const struct prefix *p)
{
	return p->addr.family == AF_INET ? BGP_IPV4 : BGP_IPV6;
}

static int tell_networks(struct afbr *a, const struct afbr_config *old)
{
	const struct bgp_next_hop_value ourselves = {0};
	int result = 0;

	for (unsigned i = 0; old && i < old->network_count; i++) {
		const struct prefix *p = &old->networks[i].prefix;

		if (has_network(a->config, p))
			continue;
		bgp_unoriginate(a->bgp, family_of(p), p, BGP_NETWORK);
		import_again(a, p);
	}
	for (unsigned i = 0; i < a->config->network_count && !result; i++) {
		const struct bgp_nlri nlri = {.prefix = a->config->networks[i].prefix};

		if (!has_network(old, &nlri.prefix))
			result = bgp_originate(a->bgp, family_of(&nlri.prefix), &nlri, reader_of(NULL, 0),
				&ourselves, BGP_NETWORK, loop_clock());
	}
	return result;
}

static int tell_routes(struct afbr *a, const struct afbr_config *old)
{
	const struct afbr_config *c = a->config;
	int r = tell_networks(a, old);

	if (r || a->softwires) /* accept.c tells what we take */
		return r;
	return bgp_set_tunnels(a->bgp, &c->core, NULL, 0, &c->classes, loop_clock());
}

/* ---- start ---- */

static void finish_start(struct afbr *a, int result)
{
	void (*started)(void *owner, int result) = a->started;

	a->started = NULL;
	if (started)
		started(a->owner, result);
}

static void routes_changed(struct bgp *b, enum bgp_family family)
{
	nexthop_routes(afbr_of(b), family);
	export_routes(b, family);
}

static int begin_engine(struct afbr *a)
{
	static const struct bgp_ops ops = {.connect = connection_connect,
		.wake = connection_wake,
		.close = connection_close,
		.next_hop = nexthop_wanted,
		.event = event_tell,
		.routes = routes_changed,
		.work = afbr_work,
		.message = mrt_message};
	const struct afbr_config *c = a->config;
	const struct bgp_config config = {.as = c->as,
		.id = c->id,
		.cluster_id = c->cluster_id,
		.restarting = a->left,
		.preserved = a->left ? adopt_kept(a) : !c->export.present, /* who forwards nothing has nothing to lose */
		.restart_wait = c->restart_wait,
		.check_next_hops = c->check_next_hops};
	int r;

	a->bgp = bgp_new(&config, &ops, &a->loop->wheel, a->rng, a);
	if (!a->bgp)
		return -ENOMEM;
	r = nexthop_start(a);
	if (!r)
		r = mrt_start(a);
	if (!r)
		r = softwire_with_engine(a);
	if (!r)
		r = export_begin(a);
	afbr_look_at_network(a);
	if (!r)
		r = tell_routes(a, NULL);
	if (!r && a->softwires)
		accept_tell(a->softwires);
	return r ? r : import_start(a);
}

static void fail_start(struct afbr *a, int result)
{
	log_message(a->log, LEVEL_ERROR, "start-failed", "afbr: %s", strerror(-result));
	afbr_discard(a->changing);
	finish_start(a, result);
}

/* What the kernel still has from an earlier process is known. */
static void found(struct afbr *a, int result, bool left)
{
	struct afbr_change *h = a->changing;

	a->left = left;
	if (!result)
		result = begin_engine(a);
	if (result) {
		fail_start(a, result);
		return;
	}
	change_apply(h, NULL);
	a->running = true;
	a->monitor = netlink_monitor_new(a->loop, network_changed, a);
	a->wrong_before = key_wrong();
	wheel_arm(&a->loop->wheel, &a->key_timer, loop_now(a->loop) + KEY_MS);
	finish_start(a, 0);
}

static void log_problem(void *owner, const char *text)
{
	const struct afbr *a = owner;

	log_message(a->log, LEVEL_ERROR, "start-failed", "%s", text);
}

/* Routes lead to the device: it is there before them. */
static void softwires_started(struct afbr *a, int result)
{
	if (result)
		fail_start(a, result);
	else
		export_start(a, found);
}

static void start_prepared(void *owner, struct afbr_change *change)
{
	struct afbr *a = owner;

	if (change)
		softwire_start(a, softwires_started);
	else
		finish_start(a, -EINVAL);
}

struct afbr *afbr_new(struct loop *loop, struct log *log, struct keeper_client *keeper, struct rng *rng,
	const struct afbr_config *config)
{
	struct afbr *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->input = malloc(AFBR_INPUT);
	a->output = malloc(AFBR_OUTPUT);
	if (!a->input || !a->output) {
		free(a->input);
		free(a->output);
		free(a);
		return NULL;
	}
	a->loop = loop;
	a->log = log;
	a->keeper = keeper;
	a->rng = rng;
	a->config = afbr_config_ref(config);
	a->own_timer.fire = look_at_network;
	a->key_timer.fire = look_at_signatures;
	a->flush.run = connection_flush;
	loop_flush_add(loop, &a->flush);
	uv_idle_init(&loop->uv, &a->idle);
	return a;
}

void afbr_start(struct afbr *a, void (*started)(void *owner, int result), void *owner)
{
	a->started = started;
	a->owner = owner;
	change_begin(a, a->config, log_problem, start_prepared, a);
}

/* ---- another configuration ---- */

void afbr_prepare(struct afbr *a, const struct afbr_config *config, afbr_problem *problem,
	afbr_prepared *prepared, void *owner)
{
	change_begin(a, config, problem, prepared, owner);
}

void afbr_apply(struct afbr_change *change, struct json_t *say)
{
	struct afbr *a = change_role(change);
	struct afbr_config *old = afbr_config_ref(a->config);

	change_apply(change, say);
	if (tell_routes(a, old))
		log_message(a->log, LEVEL_ERROR, "bgp", "out of memory for routes of our own");
	import_change(a, old);
	export_change(a, old);
	softwire_change(a, old);
	mrt_change(a, old);
	afbr_config_unref(old);
}

/* ---- the end ---- */

static void softwires_stopped(struct afbr *a)
{
	a->stopped(a->owner);
}

static void exported(struct afbr *a)
{
	softwire_stop(a, softwires_stopped);
}

static void drained(struct afbr *a)
{
	export_stop(a, exported);
}

static void be_quiet(struct afbr *a)
{
	a->running = false;
	a->stopping = true;
	a->started = NULL;
	if (a->changing)
		afbr_discard(a->changing);
	listen_free(a);
	if (a->monitor)
		netlink_monitor_free(a->monitor);
	a->monitor = NULL;
	wheel_disarm(&a->loop->wheel, &a->own_timer);
	wheel_disarm(&a->loop->wheel, &a->key_timer);
}

void afbr_stop(struct afbr *a, void (*stopped)(void *owner), void *owner)
{
	be_quiet(a);
	a->stopped = stopped;
	a->owner = owner;
	if (!a->bgp) {
		softwire_stop(a, softwires_stopped);
		return;
	}
	import_stop(a);
	bgp_shutdown(a->bgp, NULL);
	connection_drain(a, drained);
}

bool afbr_may_leave(const struct afbr *a)
{
	return a->running && !a->changing;
}

void afbr_leave(struct afbr *a)
{
	be_quiet(a);
	if (!a->bgp)
		return;
	import_stop(a);
	softwire_hand_over(a);
	bgp_leave(a->bgp);
}

static void closed(uv_handle_t *h)
{
	struct afbr *a = container_of((uv_idle_t *)h, struct afbr, idle);

	free(a->input);
	free(a->output);
	free(a);
}

void afbr_free(struct afbr *a)
{
	if (!a)
		return;
	be_quiet(a);
	keeper_forget(a->keeper, a);
	loop_flush_remove(a->loop, &a->flush);
	import_free(a);
	export_free(a);
	softwire_free(a);
	connection_free_all(a);
	if (a->bgp)
		bgp_free(a->bgp);
	nexthop_free(a); /* the engine has told it which are not wanted any more */
	mrt_free(a);
	free(a->own);
	afbr_config_unref(a->config);
	uv_close((uv_handle_t *)&a->idle, closed);
}
