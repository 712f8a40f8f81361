/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Softwires with the kernel itself: routes of BGP lead to the device, packets that follow them leave by lan1 (the core) with the header of their softwire, and all of it goes on, and ends,
 * as it should.
 *
 *   198.51.100.0/24 behind 2001:db8:ff::5        lan1: core, 2001:db8:ff::/48 by fe80::9
 */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>

#include "afbr/export.h"
#include "afbr/softwires.h"
#include "kernel.h"

static const char ipv4[] = "ip -4 route show table all";
static const char neighbours[] = "ip -6 neigh show dev softwire0 nud permanent";

static struct stage *begin(void)
{
	struct stage *s = stage_new();

	administer("ip -6 route add 2001:db8:ff::/48 via fe80::9 dev lan1 && ip -6 neigh add fe80::9 lladdr "
		   "02:09:09:09:09:09 dev lan1");
	stage_export(s);
	stage_core(s, "2001:db8:1::1");
	s->bgp.internal = true;
	stage_begin(s);
	return s;
}

/* Sends one from here to ADDRESS, and waits for a packet on lan1 with PROTOCOL in an IPv6 header to EGRESS. Returns its length. */
static ssize_t send_through(
	struct stage *s, const char *address, uint8_t protocol, const char *egress, uint8_t *buf, size_t size)
{
	struct endpoint to = {.addr = to_addr(address), .port = 9};
	struct addr want = to_addr(egress);
	struct sockaddr_storage sa;
	socklen_t len = endpoint_to_sockaddr(&to, &sa);
	int fd = socket(to.addr.family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ssize_t n = -1;

	assert_int_equal(sendto(fd, "hello", 5, 0, (struct sockaddr *)&sa, len), 5);
	close(fd);
	for (unsigned i = 0; i < 200; i++) {
		stage_wait(s, 5);
		while ((n = read(s->lan1, buf, size)) > 0)
			if (n > 54 && buf[12] == 0x86 && buf[13] == 0xdd && buf[20] == protocol &&
				!memcmp(buf + 38, want.bytes, 16))
				return n;
	}
	return -1;
}

/* proves: MESH-FWD-1, MESH-FWD-3, MESH-SIG-1, MESH-SIG-10, MESH-ENC-3 partial */
static void a_route_of_bgp_becomes_a_softwire(void **state)
{
	struct stage *s = begin();
	uint8_t frame[2048];
	struct addr ours = to_addr("2001:db8:1::1"), inner = to_addr("198.51.100.1");

	learn(s, "198.51.100.0/24", "2001:db8:ff::5", NULL, NULL);
	learn(s, "198.51.101.0/24", "2001:db8:ff::5", NULL, NULL);
	learn(s, "198.51.102.0/24", "2001:db8:ff::6", NULL, NULL);
	stage_shows(s, ipv4, "dev softwire0 proto 172 metric 20", "", 3);
	assert_int_equal(shown(ipv4, "198.51.100.0/24 via inet6 fe80::1 dev softwire0", ""), 1);
	assert_int_equal(shown(ipv4, "198.51.101.0/24 via inet6 fe80::1 dev softwire0", ""), 1);
	assert_int_equal(shown(ipv4, "198.51.102.0/24 via inet6 fe80::2 dev softwire0", ""), 1);
	assert_int_equal(shown(neighbours, "fe80::1 lladdr 02:00:00:00:00:01", ""), 1);
	assert_int_equal(shown(neighbours, "fe80::2 lladdr 02:00:00:00:00:02", ""), 1);
	assert_string_equal(state_of(s, "198.51.100.0/24"),
		"in the kernel's table 254, by the softwire path 1: its next "
		"hop is an address of the core's family");
	assert_true(send_through(s, "198.51.100.1", 4, "2001:db8:ff::5", frame, sizeof(frame)) > 0);
	assert_memory_equal(frame + 14 + 8, ours.bytes, 16);
	assert_memory_equal(frame + 54 + 16, inner.bytes, 4);
	assert_true(send_through(s, "198.51.102.1", 4, "2001:db8:ff::6", frame, sizeof(frame)) > 0);
	/* The family that the core lacks is forwarded here. */
	assert_int_equal(s->forwards & FORWARDS_IPV4, FORWARDS_IPV4);
	stage_free(s);
}

static bool sees_nobody(void *arg)
{
	return ((struct stage *)arg)->role.softwires->endpoint_count == 0;
}

static void what_is_withdrawn_takes_its_row_along(void **state)
{
	struct stage *s = begin();

	learn(s, "198.51.100.0/24", "2001:db8:ff::5", NULL, NULL);
	stage_shows(s, neighbours, "fe80::1", "", 1);
	unlearn(s, "198.51.100.0/24");
	stage_shows(s, ipv4, "proto 172", "", 0);
	stage_shows(s, neighbours, "fe80::1", "", 0);
	assert_true(stage_run(s, sees_nobody, s));
	assert_int_equal(s->role.softwires->paths.count, 0);
	stage_free(s);
}

/* The route may say the same again; then the kernel is not asked to write it once more. */
static void a_route_with_the_same_path_is_not_written_again(void **state)
{
	struct stage *s = begin();
	unsigned written;

	learn(s, "198.51.100.0/24", "2001:db8:ff::5", NULL, NULL);
	stage_shows(s, ipv4, "198.51.100.0/24 via inet6 fe80::1", "", 1);
	written = s->routes;
	export_restart(&s->role);
	stage_wait(s, 50);
	assert_int_equal(s->routes, written);
	learn(s, "198.51.100.0/24", "2001:db8:ff::6", NULL, NULL);
	stage_shows(s, ipv4, "198.51.100.0/24 via inet6 fe80::2", "", 1);
	stage_shows(s, neighbours, "fe80::1", "", 0);
	stage_free(s);
}

static const struct mesh_endpoint *endpoint_of(struct stage *s)
{
	return s->role.softwires->endpoints->row;
}

static bool is_unusable(void *arg)
{
	return !endpoint_of(arg)->usable;
}

static bool is_usable(void *arg)
{
	return endpoint_of(arg)->usable;
}

static void an_endpoint_is_passed_over_as_soon_as_the_core_has_no_way(void **state)
{
	struct stage *s = begin();

	learn(s, "198.51.100.0/24", "2001:db8:ff::5", NULL, NULL);
	stage_shows(s, ipv4, "198.51.100.0/24 via inet6 fe80::1", "", 1);
	assert_true(endpoint_of(s)->usable);
	s->role.exporter->flushing = true; /* whatever becomes of the route */
	administer("ip -6 route del 2001:db8:ff::/48");
	assert_true(stage_run(s, is_unusable, s));
	administer("ip -6 route add 2001:db8:ff::/48 via fe80::9 dev lan1");
	assert_true(stage_run(s, is_usable, s));
	s->role.exporter->flushing = false;
	stage_free(s);
}

/* proves: MESH-BGP-7 partial */
static void no_next_hop_is_reached_through_a_softwire(void **state)
{
	struct stage *s = begin();

	learn(s, "198.51.100.0/24", "2001:db8:ff::5", NULL, NULL);
	stage_shows(s, ipv4, "198.51.100.0/24 via inet6 fe80::1", "", 1);
	s->bgp.internal = false;
	learn(s, "203.0.113.0/24", "198.51.100.9", NULL, NULL);
	stage_wait(s, 100);
	assert_int_equal(shown(ipv4, "203.0.113.0/24", ""), 0);
	assert_string_equal(state_of(s, "203.0.113.0/24"), "not in the kernel: no path can be chosen");
	stage_free(s);
}

/* Deleted, or set down and up: the kernel has forgotten routes and neighbour entries, and nobody waits for the next scan. */
static void a_device_that_somebody_deletes_is_made_again(void **state)
{
	static const char *const ways[] = {
		"ip link del softwire0", "ip link set softwire0 down && ip link set softwire0 up"};
	struct stage *s = begin();
	uint8_t frame[2048];

	learn(s, "198.51.100.0/24", "2001:db8:ff::5", NULL, NULL);
	for (unsigned i = 0; i < 2; i++) {
		stage_shows(s, ipv4, "198.51.100.0/24 via inet6 fe80::1 dev softwire0", "", 1);
		administer(ways[i]);
		stage_wait(s, 10);
		afbr_look(s); /* as the kernel's news make it */
		stage_shows(s, ipv4, "198.51.100.0/24 via inet6 fe80::1 dev softwire0", "", 1);
		stage_shows(s, neighbours, "fe80::1 lladdr 02:00:00:00:00:01", "", 1);
		assert_true(send_through(s, "198.51.100.1", 4, "2001:db8:ff::5", frame, sizeof(frame)) > 0);
	}
	stage_free(s);
}

static void neighbour_entries_that_somebody_deletes_come_back_with_the_next_scan(void **state)
{
	struct stage *s = begin();

	learn(s, "198.51.100.0/24", "2001:db8:ff::5", NULL, NULL);
	stage_shows(s, neighbours, "fe80::1", "", 1);
	administer("ip -6 neigh flush dev softwire0 nud permanent");
	assert_int_equal(shown(neighbours, "fe80::1", ""), 0);
	export_scan(&s->role);
	stage_shows(s, neighbours, "fe80::1 lladdr 02:00:00:00:00:01", "", 1);
	stage_free(s);
}

static void the_keeper_is_asked_for_what_the_core_needs(void **state)
{
	struct stage *s = begin();
	const struct afbr_config *c = s->config;
	struct afbr_config *old;

	assert_true(s->raws >> 4 & 1 && s->raws >> 47 & 1 && s->raws >> 63 & 1);
	assert_false(s->raws >> 41 & 1); /* what the core carries itself does not come in a softwire */
	assert_int_equal(s->borders, 0);
	old = afbr_config_new();
	s->config->filter = s->config->transit = true;
	s->config->client_interface_count = 1;
	strcpy(s->config->client_interfaces[0], "lan0");
	s->config->endpoint_count = 1;
	s->config->endpoints[0] = to_prefix("2001:db8:ff::/48");
	softwire_change(&s->role, old);
	afbr_config_unref(old);
	stage_wait(s, 50);
	assert_int_equal(s->borders, 2);
	assert_true(s->raws >> 41 & 1);
	assert_true(c == s->role.config && s->role.softwires->table->take6);
	stage_free(s);
}

/* Sockets of the one before are still being opened. */
static void two_reloads_in_a_row_lead_to_the_sockets_of_the_last(void **state)
{
	static const char sockets[] = "cat /proc/net/raw6";
	static const char *const once[] = {":0004 ", ":002F ", ":0073 ", ":0089 "};
	struct stage *s = begin();
	struct afbr_config *old = afbr_config_new();

	for (unsigned i = 0; i < 2; i++) {
		old->transit = s->config->transit;
		s->config->transit = !old->transit;
		softwire_change(&s->role, old);
	}
	stage_wait(s, 50);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(shown(sockets, once[i], ""), 1);
	assert_int_equal(shown(sockets, ":0029 ", ""), 0);
	assert_true(s->role.softwires->up);
	afbr_config_unref(old);
	stage_free(s);
}

static void restart(struct stage *s)
{
	export_free(&s->role);
	softwire_free(&s->role);
	unlearn(s, "198.51.100.0/24");
	nexthop_free(&s->role);
	stage_wait(s, 20);
	s->softwires = s->found = false;
	stage_core(s, "2001:db8:1::1");
}

/* As after kill -9: the keeper holds device and memory, the kernel its routes. */
static void another_process_goes_on_with_the_same_rows(void **state)
{
	struct stage *s = begin();
	uint8_t frame[2048];

	learn(s, "198.51.101.0/24", "2001:db8:ff::6", NULL, NULL);
	stage_shows(s, ipv4, "198.51.101.0/24 via inet6 fe80::1", "", 1);
	learn(s, "198.51.100.0/24", "2001:db8:ff::5", NULL, NULL);
	stage_shows(s, ipv4, "198.51.100.0/24 via inet6 fe80::2", "", 1);
	unlearn(s, "198.51.101.0/24");
	restart(s);
	assert_true(adopt_kept(&s->role));
	stage_begin(s);
	assert_true(s->left);
	assert_true(send_through(s, "198.51.100.1", 4, "2001:db8:ff::5", frame, sizeof(frame)) > 0);
	learn(s, "198.51.100.0/24", "2001:db8:ff::5", NULL, NULL);
	stage_restarted(s);
	stage_shows(s, ipv4, "proto 172", "", 1);
	assert_int_equal(shown(ipv4, "198.51.100.0/24 via inet6 fe80::2", ""), 1);
	stage_shows(s, neighbours, "fe80::", "", 1);
	assert_int_equal(s->role.softwires->paths.count, 1);
	stage_free(s);
}

static bool is_refused(void *arg)
{
	return strstr(state_of(arg, "198.51.100.0/24"), "No buffer space") != NULL;
}

static bool is_quiet(void *arg)
{
	return export_is_quiet(&((struct stage *)arg)->role);
}

/* What the kernel has instead is not gone on by: people are told that there is no route, and its row would not stay. */
static void a_route_that_cannot_be_replaced_is_taken_out_and_tried_again(void **state)
{
	struct stage *s = begin();
	const struct softwires *w = s->role.softwires;

	learn(s, "198.51.100.0/24", "2001:db8:ff::5", NULL, NULL);
	stage_shows(s, ipv4, "198.51.100.0/24 via inet6 fe80::1", "", 1);
	s->fails_once = -ENOBUFS;
	learn(s, "198.51.100.0/24", "2001:db8:ff::6", NULL, NULL);
	assert_true(stage_run(s, is_refused, s));
	stage_shows(s, ipv4, "proto 172", "", 0);
	assert_true(stage_run(s, is_quiet, s));
	stage_shows(s, neighbours, "fe80::1 ", "", 0);
	(void)wheel_advance(&s->loop.wheel, s->loop.wheel.now + 10001);
	stage_shows(s, ipv4, "198.51.100.0/24 via inet6 fe80::2", "", 1);
	assert_int_equal(w->paths.count, 1);
	stage_free(s);
}

static bool is_swept(void *arg)
{
	return is_quiet(arg) && ((struct stage *)arg)->role.exporter->sweep == SWEEP_NONE;
}

/* More than are known by name. */
static void many_routes_that_were_refused_are_all_tried_again(void **state)
{
	enum { MANY = EXPORT_FAILURES + 100 };
	struct stage *s = begin();

	s->fails = -ENOBUFS;
	for (unsigned i = 0; i < MANY; i++) {
		char text[PREFIX_TEXT];

		snprintf(text, sizeof(text), "20.%u.%u.0/24", i >> 8, i & 255);
		learn(s, text, "2001:db8:ff::5", NULL, NULL);
	}
	assert_true(stage_run(s, is_swept, s));
	assert_int_equal(shown(ipv4, "proto 172", ""), 0);
	s->fails = 0;
	(void)wheel_advance(&s->loop.wheel, s->loop.wheel.now + 10001);
	stage_shows(s, ipv4, "via inet6 fe80::1 dev softwire0 proto 172", "", MANY);
	stage_free(s);
}

/* The answer that one was refused comes when the next one is under way already, which is not taken out for it. */
static void what_is_refused_does_not_take_out_what_came_after_it(void **state)
{
	struct stage *s = begin();
	const struct softwires *w = s->role.softwires;

	learn(s, "198.51.100.0/24", "2001:db8:ff::5", NULL, NULL);
	stage_shows(s, ipv4, "198.51.100.0/24 via inet6 fe80::1", "", 1);
	s->fails_once = -ENOBUFS;
	learn(s, "198.51.100.0/24", "2001:db8:ff::6", NULL, NULL);
	export_pump(s->role.exporter);
	learn(s, "198.51.100.0/24", "2001:db8:ff::7", NULL, NULL);
	export_pump(s->role.exporter);
	assert_int_equal(s->role.exporter->in_flight, 2);
	assert_true(stage_run(s, is_quiet, s));
	stage_wait(s, 20);
	assert_int_equal(shown(ipv4, "198.51.100.0/24 via inet6 fe80::3", ""), 1);
	assert_int_equal(w->paths.count, 1);
	stage_shows(s, neighbours, "fe80::", "", 1);
	stage_free(s);
}

/* proves: MESH-FWD-6 partial, MESH-FWD-7 partial */
static void other_rules_count_at_once_for_routes_that_are_there(void **state)
{
	struct stage *s = begin();
	struct afbr_config *old = afbr_config_new();
	struct afbr_rule *r = calloc(1, sizeof(*r));
	uint8_t frame[2048];

	learn(s, "198.51.100.0/24", "2001:db8:ff::5", NULL, NULL);
	stage_shows(s, ipv4, "198.51.100.0/24 via inet6 fe80::1", "", 1);
	*r = (struct afbr_rule){.dscp = UINT64_MAX, .use_count = 1, .use = {AFBR_USE_GRE}, .hop_limit = 64};
	s->config->rules = r;
	s->config->rule_count = 1;
	assert_int_equal(choose_slots(s->config), 0);
	softwire_change(&s->role, old);
	stage_shows(s, ipv4, "198.51.100.0/24 via inet6 fe80::2", "", 1);
	assert_true(send_through(s, "198.51.100.1", 47, "2001:db8:ff::5", frame, sizeof(frame)) > 0);
	/* And one that no egress takes: then nothing is sent, in whatever form. */
	r->use[0] = AFBR_USE_NONE;
	softwire_change(&s->role, old);
	stage_shows(s, ipv4, "198.51.100.0/24 via inet6 fe80::3", "", 1); /* rather than by a shorter route */
	assert_int_equal(send_through(s, "198.51.100.1", 47, "2001:db8:ff::5", frame, sizeof(frame)), -1);
	assert_string_equal(state_of(s, "198.51.100.0/24"),
		"in the kernel's table 254, by path 3, which rejects its packets: rule 1 of `encapsulate` "
		"says "
		"\"none\": packets are rejected");
	afbr_config_unref(old);
	stage_free(s);
}

/* proves: MESH-BGP-3 partial */
static void nothing_goes_into_the_core_as_it_is(void **state)
{
	struct stage *s = begin();

	administer("ip route add 10.0.0.0/8 via 198.18.0.9");
	learn(s, "198.51.100.0/24", "10.1.1.1", NULL, NULL);
	stage_shows(s, ipv4, "198.51.100.0/24 via 198.18.0.9 dev lan1", "", 1);
	strcpy(s->config->core_interfaces[0], "lan1");
	s->config->core_interface_count = 1;
	afbr_look(s); /* as when an interface of the core has come */
	stage_shows(s, ipv4, "proto 172", "", 0);
	assert_non_null(strstr(
		state_of(s, "198.51.100.0/24"), "natively it would leave by an interface of the core"));
	s->config->tunnel |=
		AFBR_TUNNEL_CORE_INTERFACE; /* which has no softwire, for its next hop is none of the core's family */
	export_restart(&s->role);
	stage_wait(s, 50);
	assert_int_equal(shown(ipv4, "proto 172", ""), 0);
	assert_non_null(strstr(state_of(s, "198.51.100.0/24"),
		"there is no softwire: its next hop is no address of the core's family"));
	stage_free(s);
}

/* proves: MESH-SIG-6 partial, MESH-ENC-5 partial */
static void what_an_egress_tells_of_itself_changes_the_routes_to_it(void **state)
{
	struct stage *s = begin();
	uint8_t frame[2048];

	learn(s, "198.51.100.0/24", "2001:db8:ff::5", NULL, NULL);
	stage_shows(s, ipv4, "198.51.100.0/24 via inet6 fe80::1", "", 1);
	learn_tunnel(s, "2001:db8:ff::5",
		&(struct bgp_tunnel){.type = BGP_TUNNEL_GRE,
			.has_encapsulation = true,
			.has_key = true,
			.key = 0x1234567});
	stage_shows(s, ipv4, "198.51.100.0/24 via inet6 fe80::2", "", 1);
	assert_true(send_through(s, "198.51.100.1", 47, "2001:db8:ff::5", frame, sizeof(frame)) > 0);
	assert_memory_equal(frame + 54, "\x20\x00\x08\x00\x01\x23\x45\x67", 8);
	stage_shows(s, neighbours, "fe80::1 ", "", 0);
	stage_free(s);
}

static void stopped(struct afbr *a)
{
	container_of(a, struct stage, role)->stopped = true;
}

static bool is_stopped(void *arg)
{
	return ((struct stage *)arg)->stopped;
}

static void the_end_takes_all_away(void **state)
{
	struct stage *s = begin();

	learn(s, "198.51.100.0/24", "2001:db8:ff::5", NULL, NULL);
	stage_shows(s, ipv4, "198.51.100.0/24 via inet6 fe80::1", "", 1);
	s->role.stopping = true;
	export_stop(&s->role, stopped);
	assert_true(stage_run(s, is_stopped, s));
	assert_int_equal(shown(ipv4, "proto 172", ""), 0);
	s->stopped = false;
	softwire_stop(&s->role, stopped);
	assert_true(stage_run(s, is_stopped, s));
	assert_null(s->role.softwires);
	stage_wait(s, 20);
	assert_int_equal(shown("ip link", "softwire0", ""), 0);
	stage_free(s);
}

/* proves: MESH-FWD-12 partial */
static void a_labeled_route_goes_before_the_other_one(void **state)
{
	struct stage *s = begin();
	uint8_t frame[2048];

	learn(s, "198.51.100.0/24", "2001:db8:ff::5", NULL, NULL);
	stage_shows(s, ipv4, "198.51.100.0/24 via inet6 fe80::1", "", 1);
	learn_labeled(s, "198.51.100.0/24", "2001:db8:ff::6", 100, BGP_TUNNEL_GRE);
	stage_shows(s, ipv4, "198.51.100.0/24 via inet6 fe80::2", "", 1);
	stage_shows(s, ipv4, "proto 172", "", 1);
	assert_true(send_through(s, "198.51.100.1", 47, "2001:db8:ff::6", frame, sizeof(frame)) > 0);
	assert_int_equal(frame[54 + 2] << 8 | frame[54 + 3], 0x8847);
	assert_int_equal(frame[58] << 12 | frame[59] << 4 | frame[60] >> 4, 100);
	assert_non_null(strstr(state_of(s, "198.51.100.0/24"), "or its labeled route is there"));
	/* News of the one that stands back change nothing. */
	learn(s, "198.51.100.0/24", "2001:db8:ff::5", NULL, NULL);
	learn(s, "198.51.100.0/24", "2001:db8:ff::7", NULL, NULL);
	stage_wait(s, 50);
	assert_int_equal(shown(ipv4, "198.51.100.0/24 via inet6 fe80::2", ""), 1);
	unlearn_labeled(s, "198.51.100.0/24");
	stage_shows(s, ipv4, "198.51.100.0/24 via inet6 fe80::2", "", 0);
	stage_shows(s, ipv4, "198.51.100.0/24 via inet6 fe80::", "proto 172", 1);
	unlearn(s, "198.51.100.0/24");
	stage_shows(s, ipv4, "proto 172", "", 0);
	stage_shows(s, neighbours, "fe80::", "", 0);
	/* And with no other one it is there alone. */
	learn_labeled(s, "198.51.100.0/24", "2001:db8:ff::6", 100, BGP_TUNNEL_GRE);
	stage_shows(s, ipv4, "198.51.100.0/24 via inet6 fe80::", "", 1);
	unlearn_labeled(s, "198.51.100.0/24");
	stage_shows(s, ipv4, "proto 172", "", 0);
	stage_free(s);
}

/* proves: MESH-FWD-5 partial, MESH-FWD-4 partial */
static void policies_say_what_is_for_softwires(void **state)
{
	struct stage *s = begin();
	struct prefix p4 = to_prefix("198.51.100.0/24"), p6 = to_prefix("2001:db8:100::/40");
	struct keeper_bgp_route core = {.ifindex = if_nametoindex("lan1")},
				client = {.ifindex = if_nametoindex("lan0")};
	const struct rib_path *by6, *by4;
	const char *why = "";

	learn(s, "198.51.100.0/24", "2001:db8:ff::5", NULL, NULL);
	learn(s, "198.51.101.0/24", "192.0.2.9", NULL, NULL);
	by6 = path_to(s, "198.51.100.0/24");
	by4 = path_to(s, "198.51.101.0/24");
	strcpy(s->config->core_interfaces[0], "lan1");
	s->config->core_interface_count = 1;
	afbr_look(s);
	/* c) its next hop is an address of the core's family */
	assert_true(softwire_wants(&s->role, BGP_IPV4, &p4, by6, 0, false, &why));
	assert_false(softwire_wants(&s->role, BGP_IPV4, &p4, by4, client.ifindex, true, &why));
	assert_false(softwire_wants(
		&s->role, BGP_IPV6, &p6, by6, core.ifindex, true, &why)); /* which the core knows itself */
	/* a) it would leave by an interface of the core */
	s->config->tunnel = AFBR_TUNNEL_CORE_INTERFACE;
	assert_true(softwire_wants(&s->role, BGP_IPV4, &p4, by4, core.ifindex, true, &why));
	assert_false(softwire_wants(&s->role, BGP_IPV4, &p4, by4, client.ifindex, true, &why));
	/* even where the kernel could not: the next hop is of the other family, and not near */
	assert_true(softwire_wants(&s->role, BGP_IPV4, &p4, by6, core.ifindex, false, &why));
	assert_false(softwire_wants(&s->role, BGP_IPV4, &p4, by6, client.ifindex, false, &why));
	assert_true(softwire_forbids(&s->role, &p4, &core));
	assert_false(softwire_forbids(&s->role, &p6, &core));
	/* b) by an interface that has no address of its family */
	s->config->tunnel = AFBR_TUNNEL_CORE_ONLY;
	assert_false(softwire_wants(&s->role, BGP_IPV4, &p4, by4, client.ifindex, true, &why));
	administer("ip addr flush dev lan1 && ip addr add 2001:db8:1::1/64 dev lan1 nodad");
	afbr_look(s);
	assert_true(softwire_wants(&s->role, BGP_IPV4, &p4, by4, core.ifindex, true, &why));
	assert_true(softwire_wants(&s->role, BGP_IPV4, &p4, by6, core.ifindex, false, &why));
	/* d) it is a route of BGP, of another AFBR */
	s->config->tunnel = AFBR_TUNNEL_BGP;
	assert_true(softwire_wants(&s->role, BGP_IPV4, &p4, by4, client.ifindex, true, &why));
	s->bgp.internal = false;
	assert_false(softwire_wants(&s->role, BGP_IPV4, &p4, by4, client.ifindex, true, &why));
	s->bgp.internal = true;
	assert_false(softwire_wants(&s->role, BGP_IPV6, &p6, by6, core.ifindex, true, &why));
	s->config->transit = true;
	assert_true(softwire_wants(&s->role, BGP_IPV6, &p6, by6, core.ifindex, true, &why));
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_route_of_bgp_becomes_a_softwire),
		cmocka_unit_test(what_is_withdrawn_takes_its_row_along),
		cmocka_unit_test(a_route_with_the_same_path_is_not_written_again),
		cmocka_unit_test(an_endpoint_is_passed_over_as_soon_as_the_core_has_no_way),
		cmocka_unit_test(no_next_hop_is_reached_through_a_softwire),
		cmocka_unit_test(a_device_that_somebody_deletes_is_made_again),
		cmocka_unit_test(neighbour_entries_that_somebody_deletes_come_back_with_the_next_scan),
		cmocka_unit_test(the_keeper_is_asked_for_what_the_core_needs),
		cmocka_unit_test(two_reloads_in_a_row_lead_to_the_sockets_of_the_last),
		cmocka_unit_test(another_process_goes_on_with_the_same_rows),
		cmocka_unit_test(a_route_that_cannot_be_replaced_is_taken_out_and_tried_again),
		cmocka_unit_test(many_routes_that_were_refused_are_all_tried_again),
		cmocka_unit_test(what_is_refused_does_not_take_out_what_came_after_it),
		cmocka_unit_test(other_rules_count_at_once_for_routes_that_are_there),
		cmocka_unit_test(nothing_goes_into_the_core_as_it_is),
		cmocka_unit_test(what_an_egress_tells_of_itself_changes_the_routes_to_it),
		cmocka_unit_test(the_end_takes_all_away),
		cmocka_unit_test(a_labeled_route_goes_before_the_other_one),
		cmocka_unit_test(policies_say_what_is_for_softwires),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
