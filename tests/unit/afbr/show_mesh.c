/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Softwires as the operator sees them: over real paths, endpoints, acceptance and transmitters (mesh.h), and an exporter that says what the test wants. */
#include <errno.h>
#include <jansson.h>

#include "afbr/accept.h"
#include "afbr/export.h"
#include "afbr/routes.h"
#include "afbr/show_mesh.h"
#include "mesh.h"

/* ---- what else the role would do ---- */

static struct mesh_counters packets;
static uint32_t kernel_path; /* by which all routes are in the kernel; 0: natively */
static bool kernel_has;

struct mesh_counters *mesh_plane_counters(struct mesh_plane *p)
{
	return &packets;
}

bool export_path(const struct afbr *a, enum bgp_family family, rib_id net, uint32_t *ret_path)
{
	*ret_path = kernel_path;
	return kernel_has;
}

const char *export_state(struct afbr *a, enum bgp_family family, rib_id net, char *buf, size_t size)
{
	snprintf(buf, size, "%s", kernel_has ? "in the kernel" : "not in the kernel: so it is");
	return buf;
}

int refusal_of(const struct exporter *e, const struct prefix *p)
{
	return p->len == 25 ? -ENOSPC : 0;
}

const char *refusal_text(int error)
{
	return strerror(-error);
}

struct bgp_neighbor *neighbor_named(const struct afbr *a, const char *text)
{
	return NULL;
}

const char *bgp_source_name(const struct bgp *b, const struct rib_path *p)
{
	return p->source ? "rr1" : "network";
}

uint16_t bgp_neighbor_source(const struct bgp_neighbor *n)
{
	return 0;
}

bool bgp_export(struct bgp_neighbor *n, enum bgp_family family, rib_id net, const struct rib_path *path,
	struct writer *ret_set, struct bgp_next_hop_value *ret_next_hop, uint32_t *ret_label, char *why,
	size_t why_size)
{
	return false;
}

int bgp_set_tunnels(struct bgp *b, const struct addr *endpoint, const struct bgp_tunnel *tunnels,
	unsigned count, const struct bgp_classes *classes, msec now)
{
	return 0;
}

/* ---- helpers ---- */

static const struct bgp_tunnel l2tpv3 = {.type = BGP_TUNNEL_L2TPV3,
	.has_encapsulation = true,
	.session = 0x1234,
	.cookie_len = 8,
	.cookie = {0xde, 0xad, 0xbe, 0xef, 0xde, 0xad, 0xbe, 0xef}};

static struct rng rng;

static struct stage *begin(void)
{
	struct stage *s = stage_new();

	rng_init_system(&rng);
	s->role.rng = &rng;
	s->role.running = true;
	s->config->roll_overlap = 300000;
	packets = (struct mesh_counters){0};
	kernel_path = 0;
	kernel_has = false;
	stage_begin(s, false);
	stage_way(s, "2001:db8:ff::1", NULL, 1500, NULL);
	stage_way(s, "2001:db8:ff::2", NULL, 0, NULL);
	assert_int_equal(accept_start(s->softwires), 0);
	assert_int_equal(transmitter_start(s->softwires), 0);
	return s;
}

static void end(struct stage *s)
{
	accept_free(s->softwires);
	transmitter_free(s->softwires);
	stage_free(s);
}

/* The text that JSON has; it never has the cookie. */
static const char *text_of(json_t *json)
{
	static char text[65536];
	char *all = json_dumps(json, JSON_COMPACT);

	assert_non_null(all);
	snprintf(text, sizeof(text), "%s", all);
	free(all);
	json_decref(json);
	assert_null(strstr(text, "dead"));
	assert_null(strstr(text, "222, 173"));
	return text;
}

static void has(json_t *json, unsigned count, const char *const *parts)
{
	const char *text = text_of(json);

	for (unsigned i = 0; i < count; i++)
		if (!strstr(text, parts[i]))
			fail_msg("%s is not in %s", parts[i], text);
}
#define HAS(json, ...)                                                                                       \
	do {                                                                                                 \
		static const char *const parts_[] = {__VA_ARGS__};                                           \
		has(json, sizeof(parts_) / sizeof(parts_[0]), parts_);                                       \
	} while (0)

/* By endpoint 1 with L2TPv3, and endpoint 2 as backup. */
static rib_id two_ways(struct stage *s)
{
	learn(s, BGP_IPV4, 1, "198.51.100.0/24", "2001:db8:ff::1", 0, &l2tpv3, 1);
	return learn(s, BGP_IPV4, 2, "198.51.100.0/24", "2001:db8:ff::2", 0, NULL, 0);
}

/* ---- paths and endpoints ---- */

/* proves: MGMT-7 partial */
static void a_path_is_shown_with_both_its_endpoints(void **state)
{
	struct stage *s = begin();
	struct mesh_path *p = (struct mesh_path *)path_of(s, BGP_IPV4, two_ways(s));
	const char *why = NULL;
	uint64_t next = 1;

	p->tx4 = (struct mesh_family_counters){5, 700};
	p->rejected = 3;
	HAS(afbr_show_paths(&s->role, 100, 0, &next, &why), "\"path\":1,\"gateway\":\"fe80::1\",\"routes\":1",
		"\"dscp\":null,\"primary\":{\"endpoint\":1,\"address\":\"2001:db8:ff::1\",\"encapsulation\":",
		"\"l2tpv3 session 0x1234 cookie of 8 octets\",\"state\":\"up\",\"usable\":true,\"label\":null}",
		"\"backup\":{\"endpoint\":2,\"address\":\"2001:db8:ff::2\",\"encapsulation\":\"ipip\"",
		"\"goes_by\":\"primary\"", "\"tx4_packets\":5,\"tx4_bytes\":700", "\"rejected\":3");
	assert_int_equal(next, 0);
	stage_way(s, "2001:db8:ff::1", NULL, 0, "there is no route to it");
	endpoint_way_changed(&s->role,
		&(struct addr){.family = AF_INET6, .bytes = {0x20, 1, 0xd, 0xb8, 0, 0xff, [15] = 1}});
	HAS(afbr_show_paths(&s->role, 100, 0, &next, &why), "\"state\":\"unreached\",\"usable\":false",
		"\"goes_by\":\"backup\"");
	end(s);
}

static void paths_come_in_pages(void **state)
{
	struct stage *s = begin();
	const char *why = NULL;
	uint64_t next = 0;
	unsigned pages = 0, rows = 0;
	char text[32];

	for (unsigned i = 0; i < 7; i++) { /* labels of their own: paths of their own */
		struct bgp_tunnel t = l2tpv3;

		t.session += i;
		snprintf(text, sizeof(text), "198.51.%u.0/24", i);
		(void)path_of(s, BGP_IPV4, learn(s, BGP_IPV4, 1, text, "2001:db8:ff::1", 0, &t, 1));
	}
	do {
		json_t *page = afbr_show_paths(&s->role, 3, next, &next, &why);

		assert_in_range(json_array_size(page), 1, 3);
		rows += (unsigned)json_array_size(page);
		pages++;
		json_decref(page);
	} while (next);
	assert_int_equal(rows, 7);
	assert_int_equal(pages, 3);
	end(s);
}

/* proves: MGMT-7 partial */
static void an_endpoint_is_shown_with_its_reasons(void **state)
{
	struct stage *s = begin();
	struct addr second = to_addr("2001:db8:ff::2"), third = to_addr("2001:db8:ff::3");
	const char *why = NULL;
	json_t *rows;

	(void)path_of(s, BGP_IPV4, two_ways(s));
	rows = afbr_show_endpoints(&s->role, NULL, &why);
	assert_int_equal(json_array_size(rows), 2);
	HAS(rows,
		"\"endpoint\":1,\"address\":\"2001:db8:ff::1\",\"encapsulation\":\"l2tpv3 session 0x1234",
		"\"through\":null", "\"state\":\"up\",\"state_because\":null",
		"\"mtu\":1448,\"overhead\":52,\"path_mtu\":1500", "\"hop_limit\":64");
	assert_int_equal(afbr_mesh_shutdown(&s->role, &second, true, &why), 1);
	rows = afbr_show_endpoints(&s->role, &second, &why);
	assert_int_equal(json_array_size(rows), 1);
	HAS(rows, "\"state\":\"shut\",\"state_because\":\"the operator has shut it down\"");
	assert_int_equal(afbr_mesh_shutdown(&s->role, &second, false, &why), 1);
	HAS(afbr_show_endpoints(&s->role, &second, &why), "\"state\":\"up\"");
	assert_null(afbr_show_endpoints(&s->role, &third, &why));
	assert_non_null(strstr(why, "no such endpoint"));
	assert_int_equal(afbr_mesh_shutdown(&s->role, &third, true, &why), -ENOENT);
	end(s);
}

/* ---- what is taken ---- */

/* proves: SEC-MESH-4 partial, MGMT-8 partial */
static void what_is_taken_is_shown_with_who_may_send_and_what_was_dropped(void **state)
{
	struct stage *s = begin();
	struct addr sender = to_addr("2001:db8:ff::2");
	const char *why = NULL;

	assert_int_equal(afbr_mesh_roll(&s->role, &why), -EOPNOTSUPP);
	assert_non_null(strstr(why, "`accept`"));
	s->config->accept_count = 2;
	s->config->accept[0] = AFBR_ACCEPT_L2TPV3;
	s->config->accept[1] = AFBR_ACCEPT_IPIP;
	s->config->transmitter_count = 1;
	s->config->transmitters[0] = to_prefix("2001:db8:77::/48");
	accept_change(s->softwires, s->config);
	assert_int_equal(afbr_mesh_roll(&s->role, &why), 1);
	transmitter_next_hop(&s->role, &sender, true);
	packets.drop_transmitter = 12;
	packets.drop_cookie = 3;
	HAS(afbr_show_acceptance(&s->role, &why), "\"address\":\"2001:db8:ff::ff\"",
		"\"families\":[\"ipv4\"]", "\"accept\":\"l2tpv3\",\"encapsulation\":\"l2tpv3 session 0x",
		"cookie of 8 octets\",\"payload\":\"ipv4\",\"old\":false", "\"accept\":\"ipip\"",
		"\"old\":true,\"seconds_left\":", "\"rolls\":1", "\"overlap_seconds\":300",
		"\"address\":\"2001:db8:ff::2\",\"because\":[\"next-hop\"]",
		"\"configured\":[\"2001:db8:77::/48\"]", "\"transmitter\":12", "\"cookie\":3");
	HAS(show_mesh_counters(&s->role), "\"drop_transmitter\":12", "\"drop_cookie\":3", "\"tx_packets\":0");
	s->config->tunnel_count = 1;
	assert_int_equal(afbr_mesh_roll(&s->role, &why), -EOPNOTSUPP);
	assert_non_null(strstr(why, "`tunnels`"));
	end(s);
}

/* ---- routes ---- */

/* proves: MGMT-7 partial */
static void a_route_leads_in_words_to_the_headers_of_its_packets(void **state)
{
	struct stage *s = begin();
	rib_id net = two_ways(s);
	const char *text;

	HAS(show_mesh_forwarding(&s->role, BGP_IPV4, net), "[]");
	kernel_path = path_of(s, BGP_IPV4, net)->number;
	kernel_has = true;
	text = text_of(show_mesh_forwarding(&s->role, BGP_IPV4, net));
	assert_non_null(strstr(text, "[\"198.51.100.0/24 -> path 1 -> endpoint 2001:db8:ff::1 by l2tpv3 ("));
	assert_non_null(strstr(text, ") -> IPv6 header 2001:db8:ff::ff -> 2001:db8:ff::1, protocol 115, "
				     "session 0x1234, cookie of 8 octets, hop limit 64, "
				     "DSCP of the packet; inner packets up to 1448 octets; backup endpoint "
				     "2001:db8:ff::2 by ipip ("));
	assert_null(strstr(text, "(DSCP"));
	stage_way(s, "2001:db8:ff::1", NULL, 0, "there is no route to it");
	endpoint_way_changed(&s->role,
		&(struct addr){.family = AF_INET6, .bytes = {0x20, 1, 0xd, 0xb8, 0, 0xff, [15] = 1}});
	HAS(show_mesh_forwarding(&s->role, BGP_IPV4, net),
		", which is unreached: there is no route to it -> IPv6 header",
		"IPv6 header 2001:db8:ff::ff -> 2001:db8:ff::2, protocol 4, hop limit");
	end(s);
}

static void what_is_packed_twice_is_told_from_the_outside(void **state)
{
	struct stage *s = begin();
	rib_id net;

	stage_way(s, "2001:db8:ff::3", "2001:db8:ff::2", 1500, NULL);
	learn(s, BGP_IPV6, 2, "2001:db8:ff::3/128", "2001:db8:ff::2", 0, NULL, 0);
	net = learn(s, BGP_IPV4, 1, "198.51.100.0/24", "2001:db8:ff::3", 0, &l2tpv3, 1);
	kernel_path = path_of(s, BGP_IPV4, net)->number;
	kernel_has = true;
	HAS(show_mesh_forwarding(&s->role, BGP_IPV4, net),
		"-> IPv6 header 2001:db8:ff::ff -> 2001:db8:ff::2, protocol 41 -> IPv6 header "
		"2001:db8:ff::ff -> 2001:db8:ff::3, "
		"protocol 115, session 0x1234",
		"no backup");
	end(s);
}

static void the_fib_has_ways_and_reasons(void **state)
{
	struct stage *s = begin();
	struct exporter exporter = {.fed = true};
	struct afbr_route_query q = {.family = BGP_FAMILIES, .limit = 100};
	struct prefix within = to_prefix("198.51.100.0/24");
	const char *why = NULL;
	uint64_t next = 1;
	json_t *rows;

	assert_null(afbr_show_fib(&s->role, &q, &next, &why));
	assert_non_null(strstr(why, "`export`"));
	s->role.exporter = &exporter;
	kernel_path = path_of(s, BGP_IPV4, two_ways(s))->number;
	learn(s, BGP_IPV4, 1, "198.51.101.0/25", "2001:db8:ff::1", 0, NULL, 0);
	learn(s, BGP_IPV4, 0, "203.0.113.0/24", "2001:db8:ff::1", 0, NULL, 0); /* our own */
	learn(s, BGP_IPV6_ENCAP, 1, "2001:db8:ff::1/128", "2001:db8:ff::1", 0, NULL,
		0); /* no route of packets */
	kernel_has = true;
	rows = afbr_show_fib(&s->role, &q, &next, &why);
	assert_int_equal(json_array_size(rows), 2);
	assert_int_equal(next, 0);
	HAS(rows,
		"\"prefix\":\"198.51.100.0/"
		"24\",\"from\":\"rr1\",\"next_hop\":\"2001:db8:ff::1\",\"told\":true,\"refused\":null,"
		"\"gateway\":\"fe80::1\",\"device\":\"softwire0\",\"path\":1,\"kernel\":\"in the kernel\"",
		"\"prefix\":\"198.51.101.0/25\",\"from\":\"rr1\"", "\"refused\":\"No space left on device\"");
	kernel_has = false;
	kernel_path = 0;
	q.within = &within;
	HAS(afbr_show_fib(&s->role, &q, &next, &why), "[{\"family\":\"ipv4\",\"prefix\":\"198.51.100.0/24\"",
		"\"told\":false", "\"gateway\":null,\"device\":null,\"path\":null",
		"not in the kernel: so it is");
	s->role.exporter = NULL;
	end(s);
}

static void where_there_are_none_it_says_why(void **state)
{
	struct afbr role = {0};
	struct addr a = to_addr("2001:db8:ff::2");
	struct afbr_route_query q = {0};
	const char *why = NULL;
	uint64_t next;

	for (unsigned i = 0; i < 2; i++) {
		const char *expected = i ? AFBR_NO_CORE : AFBR_NOT_UP;

		role.running = i;
		assert_null(afbr_show_paths(&role, 1, 0, &next, &why));
		assert_string_equal(why, expected);
		assert_null(afbr_show_endpoints(&role, NULL, &why));
		assert_null(afbr_show_acceptance(&role, &why));
		assert_true(afbr_mesh_roll(&role, &why) < 0);
		assert_true(afbr_mesh_shutdown(&role, &a, true, &why) < 0);
		assert_string_equal(why, expected);
		assert_null(afbr_show_fib(&role, &q, &next, &why));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_is_shown_with_both_its_endpoints),
		cmocka_unit_test(paths_come_in_pages),
		cmocka_unit_test(an_endpoint_is_shown_with_its_reasons),
		cmocka_unit_test(what_is_taken_is_shown_with_who_may_send_and_what_was_dropped),
		cmocka_unit_test(a_route_leads_in_words_to_the_headers_of_its_packets),
		cmocka_unit_test(what_is_packed_twice_is_told_from_the_outside),
		cmocka_unit_test(the_fib_has_ways_and_reasons),
		cmocka_unit_test(where_there_are_none_it_says_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
