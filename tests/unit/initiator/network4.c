/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IPv4 in the kernel: address, default route, subnets on the LANs. */
#include "fixture.h"

#include <jansson.h>
#include <stdlib.h>

static struct addr addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct prefix prefix(const char *text)
{
	struct prefix p = {0};

	if (text)
		assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static struct fixture *ipv4_only(const char *subnet)
{
	struct fixture *f = fixture_new();

	f->config.ipv6 = f->config.want_prefix = false;
	fixture_ipv4(f, subnet);
	return f;
}

/* ---- what a softwire brings ---- */

/* proves: HS-SCEN-6 partial, HS-SCEN-9 partial, HS-PROV-8 partial, HS-PPP-21 partial, PS-12 partial */
static void ipv4_alone_brings_address_route_and_subnet(void **state)
{
	struct fixture *f = ipv4_only("198.51.100.64/29");
	const struct installed *a;

	fixture_up(f);
	fixture_pass(f, 20000);
	a = fixture_address(f, "si-home", "198.51.100.7");
	assert_non_null(a);
	assert_int_equal(a->len, 32);
	a = fixture_address(f, "lan0", "198.51.100.65");
	assert_non_null(a);
	assert_int_equal(a->len, 29);
	assert_true(fixture_unreachable(f, "198.51.100.64/29"));
	assert_int_equal(f->default4_metric, 1024);
	assert_int_equal(f->dns_count, 1);
	assert_true(addr_equal(&f->dns[0], &f->servers[0].lease.dns[1]));
	assert_true(f->forwarding4);

	/* The family that carries the softwire, or is none of its business, is left alone. */
	assert_int_equal(f->default_metric, 0);
	assert_false(f->forwarding6);
	assert_int_equal(f->adverts, 0);
	assert_int_equal(f->i->counters.nd.rs_tx, 0);
	assert_int_equal(f->i->counters.dhcp6.tx, 0);
	fixture_free(f);
}

/* proves: HS-SCEN-5 partial */
static void a_host_gets_an_address_and_no_more(void **state)
{
	struct fixture *f = fixture_new();

	f->config.lan_count = 0;
	f->config.ipv6 = f->config.want_prefix = false;
	fixture_ipv4(f, "198.51.100.64/29");
	fixture_up(f);
	fixture_pass(f, 20000);
	assert_non_null(fixture_address(f, "si-home", "198.51.100.7"));
	assert_int_equal(f->default4_metric, 1024);
	assert_false(fixture_unreachable(f, "198.51.100.64/29"));
	assert_false(f->forwarding4);
	fixture_free(f);
}

/* proves: HS-SCEN-10 partial, PS-24 partial */
static void both_families_share_one_softwire(void **state)
{
	struct fixture *f = fixture_new();

	fixture_ipv4(f, "198.51.100.64/29");
	fixture_up(f);
	assert_int_equal(f->default_metric, 1024);
	assert_int_equal(f->default4_metric, 1024);
	assert_true(f->i->current->row->up6 && f->i->current->row->up4);
	assert_non_null(fixture_address(f, "lan0", "2001:db8:8000:700::1"));
	assert_non_null(fixture_address(f, "lan0", "198.51.100.65"));
	assert_int_equal(f->dns_count, 2); /* IPv6's first */
	assert_int_equal(f->dns[0].family, AF_INET6);
	assert_int_equal(f->dns[1].family, AF_INET);
	assert_true(f->forwarding4 && f->forwarding6);
	fixture_free(f);
}

/* proves: HS-PPP-19 partial, HS-DHCP-7 partial */
static void an_address_by_dhcp_has_a_lease(void **state)
{
	struct fixture *f = ipv4_only(NULL);
	const struct installed *a;

	f->config.want_subnet = false;
	f->servers[0].lease.dhcp4 = true;
	fixture_up(f);
	a = fixture_address(f, "si-home", "198.51.100.7");
	assert_non_null(a);
	assert_in_range(a->valid, 10700, 10800);
	assert_int_equal(f->default4_metric, 1024);
	assert_true(fixture_logged(f, "by=dhcp"));
	fixture_free(f);
}

static void a_metric_that_is_taken_is_stepped_over(void **state)
{
	struct fixture *f = ipv4_only(NULL);

	f->config.want_subnet = false;
	f->taken_metrics = 3;
	fixture_up(f);
	assert_int_equal(f->default4_metric, 1027);
	fixture_stop(f);
	assert_int_equal(f->default4_metric, 0);
	fixture_free(f);
}

/* ---- subnets and LANs ---- */

static void a_subnet_is_shared_out_in_equal_parts(void **state)
{
	static const struct {
		const char *subnet, *second;
		unsigned lans, lan;
		const char *part, *part_of_second; /* NULL: none */
	} cases[] = {
		{"198.51.100.64/29", NULL, 1, 0, "198.51.100.64/29", NULL},
		{"198.51.100.0/24", NULL, 2, 0, "198.51.100.0/25", NULL},
		{"198.51.100.0/24", NULL, 2, 1, "198.51.100.128/25", NULL},
		{"198.51.100.0/24", NULL, 3, 2, "198.51.100.128/26", NULL},
		{"198.51.100.0/24", NULL, 8, 7, "198.51.100.224/27", NULL},
		{"198.51.100.64/28", NULL, 4, 3, "198.51.100.76/30", NULL},
		/* Parts would be smaller than /30. */
		{"198.51.100.64/28", NULL, 5, 0, "198.51.100.64/28", NULL},
		{"198.51.100.64/28", NULL, 5, 4, NULL, NULL},
		{"198.51.100.64/30", NULL, 2, 0, "198.51.100.64/30", NULL},
		{"198.51.100.64/30", NULL, 2, 1, NULL, NULL},
		{"10.0.0.0/8", NULL, 2, 1, "10.128.0.0/9", NULL},
		/* Several go to the interfaces in order. */
		{"198.51.100.0/28", "203.0.113.0/28", 2, 0, "198.51.100.0/28", NULL},
		{"198.51.100.0/28", "203.0.113.0/28", 2, 1, NULL, "203.0.113.0/28"},
		{"198.51.100.0/28", "203.0.113.0/28", 3, 2, NULL, NULL},
		{"198.51.100.0/28", "203.0.113.0/28", 1, 0, "198.51.100.0/28", "203.0.113.0/28"},
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct initiator *i = calloc(1, sizeof(*i));
		struct prefix expected[2] = {prefix(cases[n].part), prefix(cases[n].part_of_second)};

		assert_non_null(i);
		i->config.lan_count = cases[n].lans;
		i->subnets[0].prefix = prefix(cases[n].subnet);
		i->subnets[1].prefix = prefix(cases[n].second);
		for (unsigned s = 0; s < HELD_SUBNETS; s++) {
			struct prefix got = initiator_lan_subnet(i, s, cases[n].lan);

			if (!prefix_equal(&got, &expected[s]))
				fail_msg("LAN %u of %u: subnet %u of %s", cases[n].lan, cases[n].lans, s,
					cases[n].subnet);
		}
		free(i);
	}
}

static void each_lan_has_its_part(void **state)
{
	struct fixture *f = ipv4_only("198.51.100.64/29");

	f->config.lan_count = 2;
	snprintf(f->config.lans[1], sizeof(f->config.lans[1]), "lan1");
	fixture_up(f);
	assert_int_equal(fixture_address(f, "lan0", "198.51.100.65")->len, 30);
	assert_int_equal(fixture_address(f, "lan1", "198.51.100.69")->len, 30);
	assert_false(fixture_logged(f, "subnet-too-small"));
	fixture_free(f);
}

static void a_subnet_too_small_for_all_is_told(void **state)
{
	struct fixture *f = ipv4_only("198.51.100.64/30");

	f->config.lan_count = 2;
	snprintf(f->config.lans[1], sizeof(f->config.lans[1]), "lan1");
	fixture_up(f);
	assert_int_equal(fixture_address(f, "lan0", "198.51.100.65")->len, 30);
	assert_true(fixture_logged(f, "subnet-too-small"));
	fixture_free(f);
}

/* The bridge is the one LAN for both families (HS-PROV-10). */
static void the_bridge_has_the_subnet(void **state)
{
	struct fixture *f = fixture_new();

	fixture_ipv4(f, "198.51.100.64/29");
	f->config.lan_count = 2;
	snprintf(f->config.lans[1], sizeof(f->config.lans[1]), "lan1");
	snprintf(f->config.lan_bridge, sizeof(f->config.lan_bridge), "br-home");
	f->servers[0].lease.delegated[0].len = 64;
	fixture_up(f);
	fixture_pass(f, 2000);
	assert_int_equal(fixture_address(f, "br-home", "198.51.100.65")->len, 29);
	assert_null(fixture_address(f, "lan0", "198.51.100.65"));
	assert_null(fixture_address(f, "lan1", "198.51.100.69"));
	fixture_free(f);
}

/* IPv4 has no deprecation. */
static void a_subnet_that_does_not_come_back_leaves_the_lan_at_once(void **state)
{
	struct fixture *f = ipv4_only("198.51.100.64/29");

	fixture_up(f);
	f->servers[0].lease.delegated4[0] = prefix("203.0.113.16/28");
	fixture_again(f);
	assert_null(fixture_address(f, "lan0", "198.51.100.65"));
	assert_false(fixture_unreachable(f, "198.51.100.64/29"));
	assert_int_equal(fixture_address(f, "lan0", "203.0.113.17")->len, 28);
	assert_true(fixture_unreachable(f, "203.0.113.16/28"));
	assert_true(fixture_logged(f, "event=subnet-withdrawn"));
	fixture_free(f);
}

static void a_subnet_that_comes_back_never_leaves(void **state)
{
	struct fixture *f = ipv4_only("198.51.100.64/29");

	fixture_up(f);
	fixture_again(f);
	assert_non_null(fixture_address(f, "lan0", "198.51.100.65"));
	assert_false(fixture_logged(f, "event=subnet-withdrawn"));
	fixture_free(f);
}

/* Somebody flushed the interface, or made it anew. */
static void addresses_that_a_lan_lost_are_put_back(void **state)
{
	struct fixture *f = fixture_new();
	static const char *const ours[] = {"198.51.100.65", "2001:db8:8000:700::1"};

	fixture_ipv4(f, "198.51.100.64/29");
	fixture_up(f);
	for (size_t n = 0; n < sizeof(ours) / sizeof(*ours); n++) {
		struct installed *a = (struct installed *)fixture_address(f, "lan0", ours[n]);

		assert_non_null(a);
		a->there = false;
		fixture_pass(f, 6000);
		assert_non_null(fixture_address(f, "lan0", ours[n]));
	}
	assert_true(fixture_logged(f, "event=lan-restored"));
	fixture_free(f);
}

/* ---- what goes ---- */

static void another_address_takes_the_place_of_the_old_one(void **state)
{
	struct fixture *f = ipv4_only(NULL);

	f->config.want_subnet = false;
	fixture_up(f);
	f->servers[0].lease.address4 = addr("198.51.100.8");
	fixture_again(f);
	assert_null(fixture_address(f, "si-home", "198.51.100.7"));
	assert_non_null(fixture_address(f, "si-home", "198.51.100.8"));
	assert_int_equal(f->default4_metric, 1024);
	fixture_free(f);
}

static void a_long_outage_withdraws_the_default_route(void **state)
{
	struct fixture *f = ipv4_only("198.51.100.64/29");

	fixture_up(f);
	f->servers[0].mute = true;
	initiator_hint(f->i, "route");
	fixture_pass(f, 20000);
	assert_true(f->i->state != INITIATOR_UP);
	assert_int_equal(f->default4_metric, 1024);
	fixture_pass(f, 40000);
	assert_int_equal(f->default4_metric, 0);
	assert_int_equal(f->dns_count, 0);
	assert_non_null(fixture_address(f, "lan0", "198.51.100.65")); /* its lease is not over */
	fixture_free(f);
}

/* The concentrator closes IPv4; IPv6 goes on. */
static void a_family_that_goes_takes_what_it_brought(void **state)
{
	struct fixture *f = fixture_new();
	struct softwire_sc *sc = &f->servers[0].engine;

	fixture_ipv4(f, NULL);
	f->config.want_subnet = false;
	fixture_up(f);
	ppp_link_close_ncp(&sc->softwire.ppp, PPP_IPCP, "no more IPv4", loop_now(&f->loop));
	fixture_pass(f, 15000);
	assert_false(f->i->current->row->up4);
	assert_int_equal(f->default4_metric, 1024); /* it may come again */
	fixture_pass(f, 30000);
	assert_int_equal(f->i->state, INITIATOR_UP);
	assert_int_equal(f->i->reconnects, 0);
	assert_int_equal(f->default4_metric, 0);
	assert_null(fixture_address(f, "si-home", "198.51.100.7"));
	assert_int_equal(f->dns_count, 1);
	assert_int_equal(f->default_metric, 1024);
	fixture_free(f);
}

/* A user who had IPv4 and has it no more. */
static void a_family_that_does_not_come_back_takes_what_it_brought(void **state)
{
	struct fixture *f = fixture_new();

	fixture_ipv4(f, NULL);
	f->config.want_subnet = false;
	fixture_up(f);
	f->servers[0].lease.address4 = (struct addr){0};
	fixture_again(f);
	assert_int_equal(f->i->state, INITIATOR_UP);
	fixture_pass(f, 40000);
	assert_int_equal(f->i->state, INITIATOR_UP);
	assert_int_equal(f->default4_metric, 0);
	assert_null(fixture_address(f, "si-home", "198.51.100.7"));
	fixture_free(f);
}

/* IPv4's subnets as well, and hooks hear of it; also after an outage that has withdrawn the default route already. */
static void a_family_that_is_refused_takes_its_subnets(void **state)
{
	static const msec outages[] = {0, 60000};

	for (size_t n = 0; n < sizeof(outages) / sizeof(*outages); n++) {
		struct fixture *f = fixture_new();

		snprintf(f->config.hooks[INITIATOR_HOOK_CHANGE], sizeof(f->config.hooks[0]), "/hooks/change");
		fixture_ipv4(f, "198.51.100.64/29");
		fixture_up(f);
		f->servers[0].lease.address4 = (struct addr){0};
		f->servers[0].lease.prefix4_count = 0;
		f->servers[0].mute = true;
		initiator_clear(f->i);
		fixture_pass(f, outages[n]);
		f->servers[0].mute = false;
		fixture_again(f);
		assert_non_null(fixture_address(f, "lan0", "198.51.100.65")); /* it may come again */
		fixture_pass(f, 40000);
		assert_int_equal(f->i->state, INITIATOR_UP);
		assert_null(fixture_address(f, "lan0", "198.51.100.65"));
		assert_null(fixture_address(f, "si-home", "198.51.100.7"));
		assert_false(fixture_unreachable(f, "198.51.100.64/29"));
		assert_true(fixture_logged(f, "event=subnet-withdrawn"));
		assert_string_equal(fixture_hook(f, "change", "SOFTWIRE_FAMILIES"), "ipv6");
		assert_string_equal(fixture_hook(f, "change", "SOFTWIRE_DELEGATED4"), "");
		assert_string_equal(fixture_hook(f, "change", "SOFTWIRE_LAN4"), "");
		assert_true(fixture_unreachable(f, "2001:db8:8000:700::/56"));
		fixture_free(f);
	}
}

/* The same the other way round. */
static void without_ipv6_its_prefixes_are_deprecated(void **state)
{
	struct fixture *f = fixture_new();

	fixture_ipv4(f, "198.51.100.64/29");
	fixture_up(f);
	ppp_link_close_ncp(
		&f->servers[0].engine.softwire.ppp, PPP_IPV6CP, "no more IPv6", loop_now(&f->loop));
	fixture_pass(f, 45000);
	assert_int_equal(f->i->state, INITIATOR_UP);
	assert_int_equal(fixture_address(f, "lan0", "2001:db8:8000:700::1")->preferred, 0);
	assert_false(fixture_unreachable(f, "2001:db8:8000:700::/56"));
	assert_non_null(fixture_address(f, "lan0", "198.51.100.65"));
	fixture_free(f);
}

static unsigned installed(const struct installed *list)
{
	unsigned n = 0;

	for (int i = 0; i < ADDRESSES; i++)
		n += list[i].there;
	return n;
}

static void stop_leaves_nothing_in_the_kernel(void **state)
{
	struct fixture *f = fixture_new();

	fixture_ipv4(f, "198.51.100.64/29");
	fixture_up(f);
	fixture_stop(f);
	assert_int_equal(installed(f->addresses), 0);
	assert_int_equal(installed(f->unreachable), 0);
	assert_int_equal(f->default4_metric, 0);
	assert_int_equal(f->dns_count, 0);
	fixture_free(f);
}

/* ---- the state file ---- */

static void address_and_subnet_are_asked_for_again(void **state)
{
	struct fixture *f = ipv4_only("198.51.100.64/29");

	fixture_up(f);
	fixture_stop(f);
	server_restart(&f->servers[0]);
	fixture_start(f);
	assert_true(f->i->hint4.has_address);
	assert_true(addr_equal(&f->i->hint4.address, &f->servers[0].lease.address4));
	assert_int_equal(f->i->hint4.subnet_count, 1);
	assert_true(prefix_equal(&f->i->hint4.subnets[0].prefix, &f->servers[0].lease.delegated4[0]));
	assert_null(fixture_address(f, "lan0", "198.51.100.65")); /* only asked for */
	fixture_free(f);
}

/* The process was replaced, and the keeper still has what it put on the LAN. */
static void a_subnet_of_the_last_run_is_taken_off(void **state)
{
	struct fixture *f = ipv4_only("198.51.100.64/29");

	fixture_state_file(f,
		"{\"duid\":\"00040102030405060708090a0b0c0d0e0f10\",\"address4\":\"198.51.100.9\","
		"\"subnets\":[\"203.0.113.16/28\"]}");
	f->addresses[0] =
		(struct installed){.there = true, .device = "lan0", .addr = addr("203.0.113.17"), .len = 28};
	f->unreachable[0] = (struct installed){.there = true, .addr = addr("203.0.113.16"), .len = 28};
	fixture_up(f);
	assert_null(fixture_address(f, "lan0", "203.0.113.17"));
	assert_false(fixture_unreachable(f, "203.0.113.16/28"));
	assert_non_null(fixture_address(f, "lan0", "198.51.100.65"));
	fixture_free(f);
}

static void garbage_in_the_state_file_is_survived(void **state)
{
	static const struct {
		const char *text;
		bool address;
		unsigned subnets;
	} cases[] = {
		{"\"address4\":\"198.51.100.7\"", true, 0},
		{"\"address4\":7", false, 0},
		{"\"address4\":\"\"", false, 0},
		{"\"address4\":\"2001:db8::1\"", false, 0},
		{"\"address4\":\"0.0.0.0\"", false, 0},
		{"\"address4\":\"127.0.0.1\"", false, 0},
		{"\"address4\":\"224.0.0.1\"", false, 0},
		{"\"address4\":\"255.255.255.255\"", false, 0},
		{"\"address4\":\"169.254.1.1\"", false, 0},
		{"\"subnets\":7", false, 0},
		{"\"subnets\":[7,null,\"nonsense\",\"2001:db8::/56\"]", false, 0},
		{"\"subnets\":[\"0.0.0.0/0\",\"198.51.100.7/32\",\"198.51.100.6/31\",\"198.51.100.1/"
		 "24\",\"224.0.0.0/8\",\"127.0.0.0/8\"]",
			false, 0},
		{"\"subnets\":[\"198.51.100.64/29\",\"198.51.100.64/29\"]", false, 1},
		{"\"subnets\":[\"10.0.0.0/24\",\"10.0.1.0/24\",\"10.0.2.0/24\"]", false, 2},
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct fixture *f = ipv4_only(NULL);
		char text[512];

		snprintf(text, sizeof(text), "{\"duid\":\"00041111111111111111\",%s}", cases[n].text);
		fixture_state_file(f, text);
		f->servers[0].mute = true;
		fixture_start(f);
		if (f->i->hint4.has_address != cases[n].address ||
			f->i->hint4.subnet_count != cases[n].subnets)
			fail_msg("%s", cases[n].text);
		fixture_free(f);
	}
}

/* RFC 4361 section 6.1 */
static void dhcp_knows_us_by_the_same_duid(void **state)
{
	static const uint8_t expected[] = {255, 0, 0, 0, 1, 0, 4, 0x11, 0x11};
	struct fixture *f = ipv4_only(NULL);
	const struct dhcp4_client_config *c;

	fixture_state_file(f, "{\"duid\":\"00041111111111111111\"}");
	f->servers[0].mute = true;
	fixture_start(f);
	c = &f->i->softwire.dhcp4_client;
	assert_int_equal(c->client_id_len, 5 + 10);
	assert_memory_equal(c->client_id, expected, sizeof(expected));
	fixture_free(f);
}

/* ---- shown ---- */

static void ipv4_is_shown(void **state)
{
	struct fixture *f = ipv4_only("198.51.100.64/29");
	json_t *o, *leases;

	fixture_up(f);
	o = initiator_show(f->i);
	assert_string_equal(json_string_value(json_object_get(o, "address4")), "198.51.100.7");
	assert_string_equal(json_string_value(json_object_get(o, "peer4")), "198.51.100.1");
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(o, "subnets"), 0)), "198.51.100.64/29");
	assert_string_equal(json_string_value(json_array_get(json_object_get(o, "dns"), 0)), "198.51.100.53");
	assert_true(json_is_null(json_object_get(o, "address6")));
	json_decref(o);
	leases = initiator_show_leases(f->i);
	assert_int_equal(json_array_size(leases), 2);
	o = json_array_get(leases, 0);
	assert_string_equal(json_string_value(json_object_get(o, "kind")), "subnet");
	assert_string_equal(json_string_value(json_object_get(o, "prefix")), "198.51.100.64/29");
	assert_in_range(json_integer_value(json_object_get(o, "valid")), 10700, 10800);
	o = json_array_get(leases, 1);
	assert_string_equal(json_string_value(json_object_get(o, "kind")), "address");
	assert_string_equal(json_string_value(json_object_get(o, "prefix")), "198.51.100.7/32");
	assert_int_equal(json_integer_value(json_object_get(o, "valid")), UINT32_MAX);
	json_decref(leases);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_alone_brings_address_route_and_subnet),
		cmocka_unit_test(a_host_gets_an_address_and_no_more),
		cmocka_unit_test(both_families_share_one_softwire),
		cmocka_unit_test(an_address_by_dhcp_has_a_lease),
		cmocka_unit_test(a_metric_that_is_taken_is_stepped_over),
		cmocka_unit_test(a_subnet_is_shared_out_in_equal_parts),
		cmocka_unit_test(each_lan_has_its_part),
		cmocka_unit_test(a_subnet_too_small_for_all_is_told),
		cmocka_unit_test(the_bridge_has_the_subnet),
		cmocka_unit_test(a_subnet_that_does_not_come_back_leaves_the_lan_at_once),
		cmocka_unit_test(a_subnet_that_comes_back_never_leaves),
		cmocka_unit_test(addresses_that_a_lan_lost_are_put_back),
		cmocka_unit_test(another_address_takes_the_place_of_the_old_one),
		cmocka_unit_test(a_long_outage_withdraws_the_default_route),
		cmocka_unit_test(a_family_that_goes_takes_what_it_brought),
		cmocka_unit_test(a_family_that_does_not_come_back_takes_what_it_brought),
		cmocka_unit_test(a_family_that_is_refused_takes_its_subnets),
		cmocka_unit_test(without_ipv6_its_prefixes_are_deprecated),
		cmocka_unit_test(stop_leaves_nothing_in_the_kernel),
		cmocka_unit_test(address_and_subnet_are_asked_for_again),
		cmocka_unit_test(a_subnet_of_the_last_run_is_taken_off),
		cmocka_unit_test(garbage_in_the_state_file_is_survived),
		cmocka_unit_test(dhcp_knows_us_by_the_same_duid),
		cmocka_unit_test(ipv4_is_shown),
	};

	return cmocka_run_group_tests_name("network4", tests, NULL, NULL);
}
