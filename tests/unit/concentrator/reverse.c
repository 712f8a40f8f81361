/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which zones a prefix is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "concentrator/reverse.h"

struct zone_case {
	const char *prefix;
	unsigned count;
	const char *first, *last;
};

static const struct zone_case cases[] = {
	/* IPv6: at a nibble boundary one, else 2, 4 or 8 */
	{"2001:db8:8000::/48", 1, "0.0.0.8.8.b.d.0.1.0.0.2.ip6.arpa", NULL},
	{"2001:db8:8000:1f00::/56", 1, "f.1.0.0.0.8.8.b.d.0.1.0.0.2.ip6.arpa", NULL},
	{"2001:db8:8000:1f20::/59", 2, "2.f.1.0.0.0.8.8.b.d.0.1.0.0.2.ip6.arpa",
		"3.f.1.0.0.0.8.8.b.d.0.1.0.0.2.ip6.arpa"},
	{"2001:db8:8000:1f40::/58", 4, "4.f.1.0.0.0.8.8.b.d.0.1.0.0.2.ip6.arpa",
		"7.f.1.0.0.0.8.8.b.d.0.1.0.0.2.ip6.arpa"},
	{"2001:db8:8000:1f80::/57", 8, "8.f.1.0.0.0.8.8.b.d.0.1.0.0.2.ip6.arpa",
		"f.f.1.0.0.0.8.8.b.d.0.1.0.0.2.ip6.arpa"},
	{"2001:db8:8000:1f38::/61", 8, "8.3.f.1.0.0.0.8.8.b.d.0.1.0.0.2.ip6.arpa",
		"f.3.f.1.0.0.0.8.8.b.d.0.1.0.0.2.ip6.arpa"},
	{"2001:db8:8000:1f3e::/63", 2, "e.3.f.1.0.0.0.8.8.b.d.0.1.0.0.2.ip6.arpa",
		"f.3.f.1.0.0.0.8.8.b.d.0.1.0.0.2.ip6.arpa"},
	{"2001:db8:8000:1f3e::/64", 1, "e.3.f.1.0.0.0.8.8.b.d.0.1.0.0.2.ip6.arpa", NULL},
	{"2001:db8::1/128", 1, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
		NULL},
	/* IPv4: at an octet boundary one, else 2 to 128; behind /24 one for each address */
	{"10.0.0.0/8", 1, "10.in-addr.arpa", NULL},
	{"10.128.0.0/9", 128, "128.10.in-addr.arpa", "255.10.in-addr.arpa"},
	{"172.16.0.0/12", 16, "16.172.in-addr.arpa", "31.172.in-addr.arpa"},
	{"172.16.0.0/16", 1, "16.172.in-addr.arpa", NULL},
	{"172.16.128.0/17", 128, "128.16.172.in-addr.arpa", "255.16.172.in-addr.arpa"},
	{"198.51.100.0/23", 2, "100.51.198.in-addr.arpa", "101.51.198.in-addr.arpa"},
	{"198.51.100.0/24", 1, "100.51.198.in-addr.arpa", NULL},
	{"198.51.100.128/25", 128, "128.100.51.198.in-addr.arpa", "255.100.51.198.in-addr.arpa"},
	{"198.51.100.64/29", 8, "64.100.51.198.in-addr.arpa", "71.100.51.198.in-addr.arpa"},
	{"198.51.100.8/30", 4, "8.100.51.198.in-addr.arpa", "11.100.51.198.in-addr.arpa"},
	{"198.51.100.7/32", 1, "7.100.51.198.in-addr.arpa", NULL},
	/* nobody has these */
	{"::/0", 0, NULL, NULL},
	{"0.0.0.0/0", 0, NULL, NULL},
};

/* proves: HS-PROV-12 partial */
static void a_prefix_is_as_many_zones_as_it_needs(void **state)
{
	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		const struct zone_case *c = &cases[n];
		char buf[REVERSE_ZONE_TEXT];
		struct prefix p;

		assert_int_equal(prefix_parse(c->prefix, &p), 0);
		if (reverse_zone_count(&p) != c->count)
			fail_msg("%s: %u zones", c->prefix, reverse_zone_count(&p));
		if (c->first)
			assert_string_equal(reverse_zone(&p, 0, buf), c->first);
		if (c->last)
			assert_string_equal(reverse_zone(&p, c->count - 1, buf), c->last);
	}
}

static void none_has_no_zone(void **state)
{
	assert_int_equal(reverse_zone_count(&(struct prefix){0}), 0);
}

/* Every length there is: the zones are of one length, all inside the prefix, and as many as fit. */
static void zones_of_every_length_are_at_most_the_promised_number(void **state)
{
	for (unsigned len = 1; len <= 128; len++) {
		struct addr a = {.family = AF_INET6, .bytes = {0x20, 1, 0xd, 0xb8}};
		struct prefix p = prefix_of(&a, len);

		assert_in_range(reverse_zone_count(&p), 1, 8);
	}
	for (unsigned len = 1; len <= 32; len++) {
		struct addr a = addr4(198, 51, 100, 7);
		struct prefix p = prefix_of(&a, len);

		assert_in_range(reverse_zone_count(&p), 1, REVERSE_ZONES_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_prefix_is_as_many_zones_as_it_needs),
		cmocka_unit_test(none_has_no_zone),
		cmocka_unit_test(zones_of_every_length_are_at_most_the_promised_number),
	};

	return cmocka_run_group_tests_name("reverse", tests, NULL, NULL);
}
