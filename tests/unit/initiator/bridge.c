/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One bridge of all LAN interfaces where the delegated prefix cannot be shared out. */
#include "fixture.h"

#include <errno.h>

static struct fixture *two_lans(const char *delegated)
{
	struct fixture *f = fixture_new();

	f->config.lan_count = 2;
	snprintf(f->config.lans[1], sizeof(f->config.lans[1]), "lan1");
	snprintf(f->config.lan_bridge, sizeof(f->config.lan_bridge), "br-home");
	assert_int_equal(prefix_parse(delegated, &f->servers[0].lease.delegated[0]), 0);
	return f;
}

/* proves: HS-PROV-10 */
static void a_64_for_two_interfaces_is_bridged(void **state)
{
	struct fixture *f = two_lans("2001:db8:8000:700::/64");

	fixture_up(f);
	fixture_pass(f, 20000);
	assert_string_equal(f->bridge, "br-home");
	assert_string_equal(f->ports, "lan0 lan1");
	assert_non_null(fixture_address(f, "br-home", "2001:db8:8000:700::1"));
	assert_null(fixture_address(f, "lan0", "2001:db8:8000:700::1"));
	assert_string_equal(f->advert_device, "br-home");
	assert_int_equal(f->advert.advert.prefix_count, 1);
	assert_true(prefix_equal(&f->advert.advert.prefixes[0].prefix, &f->servers[0].lease.delegated[0]));
	assert_true(f->advert.advert.router_lifetime > 0);
	assert_false(fixture_logged(f, "prefix-too-long"));
	fixture_stop(f);
	assert_string_equal(f->bridge, "");
	assert_null(fixture_address(f, "br-home", "2001:db8:8000:700::1"));
	fixture_free(f);
}

static void a_prefix_for_all_is_not(void **state)
{
	static const char *const prefixes[] = {"2001:db8:8000:700::/56", "2001:db8:8000:700::/63"};

	for (size_t n = 0; n < sizeof(prefixes) / sizeof(*prefixes); n++) {
		struct fixture *f = two_lans(prefixes[n]);

		fixture_up(f);
		assert_string_equal(f->bridge, "");
		assert_non_null(fixture_address(f, "lan0", "2001:db8:8000:700::1"));
		assert_non_null(fixture_address(f, "lan1", "2001:db8:8000:701::1"));
		fixture_free(f);
	}
}

static void without_a_name_the_first_interface_has_it(void **state)
{
	struct fixture *f = two_lans("2001:db8:8000:700::/64");

	f->config.lan_bridge[0] = '\0';
	fixture_up(f);
	assert_int_equal(f->bridge_requests, 0);
	assert_non_null(fixture_address(f, "lan0", "2001:db8:8000:700::1"));
	assert_true(fixture_logged(f, "prefix-too-long"));
	fixture_free(f);
}

/* Something else has its name: the first interface serves until that changes. */
static void one_that_cannot_be_made_is_tried_again(void **state)
{
	struct fixture *f = two_lans("2001:db8:8000:700::/64");
	unsigned asked;

	f->fail_bridge = -EEXIST;
	fixture_up(f);
	assert_true(fixture_logged(f, "event=bridge-failed"));
	assert_non_null(fixture_address(f, "lan0", "2001:db8:8000:700::1"));
	f->line_len = 0;
	f->lines[0] = '\0';
	asked = f->bridge_requests;
	fixture_pass(f, 20000);
	assert_in_range(f->bridge_requests - asked, 2, 6);
	assert_false(fixture_logged(f, "event=bridge-failed")); /* once */
	f->fail_bridge = 0;
	fixture_pass(f, 6000);
	assert_string_equal(f->ports, "lan0 lan1");
	assert_null(fixture_address(f, "lan0", "2001:db8:8000:700::1"));
	assert_non_null(fixture_address(f, "br-home", "2001:db8:8000:700::1"));
	assert_true(fixture_unreachable(f, "2001:db8:8000:700::/64"));
	fixture_free(f);
}

/* Somebody else's bridge has a port, and keeps it. The others are bridged all the same. */
static void a_port_of_another_bridge_stays_there(void **state)
{
	struct fixture *f = two_lans("2001:db8:8000:700::/64");

	f->fail_bridge = -EBUSY;
	fixture_up(f);
	fixture_pass(f, 20000);
	assert_true(fixture_logged(f, "event=bridge-failed"));
	assert_non_null(fixture_address(f, "br-home", "2001:db8:8000:700::1"));
	assert_null(fixture_address(f, "lan0", "2001:db8:8000:700::1"));
	assert_string_equal(f->advert_device, "br-home");
	assert_true(f->bridge_requests > 3); /* it may be let go there */
	fixture_free(f);
}

static void a_port_that_comes_later_is_added(void **state)
{
	struct fixture *f = two_lans("2001:db8:8000:700::/64");

	snprintf(f->absent, sizeof(f->absent), "lan1");
	fixture_up(f);
	assert_string_equal(f->ports, "lan0");
	f->absent[0] = '\0';
	fixture_pass(f, 6000);
	assert_string_equal(f->ports, "lan0 lan1");
	assert_int_equal(f->bridge_requests, 3); /* the first let go of an earlier one */
	fixture_free(f);
}

/* The host would lose its addresses there, and with them the softwire. */
static void the_way_to_the_server_is_no_port(void **state)
{
	struct fixture *f = two_lans("2001:db8:8000:700::/64");

	snprintf(f->way_out, sizeof(f->way_out), "lan1");
	fixture_up(f);
	assert_string_equal(f->bridge, "");
	assert_true(fixture_logged(f, "leads to the concentrator"));
	assert_non_null(fixture_address(f, "lan0", "2001:db8:8000:700::1"));
	fixture_free(f);
}

static void a_shorter_prefix_undoes_it_with_the_next_start(void **state)
{
	struct fixture *f = two_lans("2001:db8:8000:700::/64");

	fixture_up(f);
	assert_int_equal(prefix_parse("2001:db8:9000:900::/56", &f->servers[0].lease.delegated[0]), 0);
	server_restart(&f->servers[0]);
	initiator_clear(f->i);
	for (int n = 0; n < 200 && !fixture_unreachable(f, "2001:db8:9000:900::/56"); n++)
		fixture_pass(f, 100);
	assert_string_equal(f->ports, "lan0 lan1");
	assert_non_null(fixture_address(f, "br-home", "2001:db8:9000:900::1"));
	assert_int_equal(fixture_address(f, "br-home", "2001:db8:8000:700::1")->preferred, 0);
	fixture_stop(f);
	server_restart(&f->servers[0]);
	fixture_up(f);
	assert_string_equal(f->bridge, "");
	assert_non_null(fixture_address(f, "lan0", "2001:db8:9000:900::1"));
	assert_non_null(fixture_address(f, "lan1", "2001:db8:9000:901::1"));
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_64_for_two_interfaces_is_bridged),
		cmocka_unit_test(a_prefix_for_all_is_not),
		cmocka_unit_test(without_a_name_the_first_interface_has_it),
		cmocka_unit_test(one_that_cannot_be_made_is_tried_again),
		cmocka_unit_test(a_port_of_another_bridge_stays_there),
		cmocka_unit_test(a_port_that_comes_later_is_added),
		cmocka_unit_test(the_way_to_the_server_is_no_port),
		cmocka_unit_test(a_shorter_prefix_undoes_it_with_the_next_start),
	};

	return cmocka_run_group_tests_name("bridge", tests, NULL, NULL);
}
