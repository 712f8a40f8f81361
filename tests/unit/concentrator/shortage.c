/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A pool that is short of one part: who asks gets the others. */
#include "fixture.h"

static struct subscriber *of(struct fixture *f, const char *user)
{
	struct subscriber *sub = concentrator_first_of_user(f->c, user);

	assert_non_null(sub);
	return sub;
}

static struct peer *dual(struct fixture *f, uint8_t host, const char *user, bool subnet)
{
	struct peer *p = peer_new(f, host, user);

	peer_wants(p, true, true, subnet);
	peer_open(p);
	fixture_until(f, p->downs || (p->up4 && !addr_is_none(&p->engine.state.address4) &&
					     p->engine.state.has_binding &&
					     (!subnet || p->engine.state.binding4.subnet_count)));
	assert_int_equal(p->downs, 0);
	return p;
}

struct short_case {
	const char *link6, *delegate, *ipv4, *subnets; /* of the pool: NULL as it is, "" none; room for one */
	const char *bob;                               /* what is fixed for him */
	const char *lacks[2];                          /* what the log says */
	bool link, delegated, address, subnet;         /* what bob has */
};

#define ONE_LINK        "2001:db8:100::/64"
#define ONE_DELEGATED   "2001:db8:8000::/56"
#define ONE_ADDRESS     "198.51.100.4/32"
#define ONE_SUBNET      "203.0.113.8/29"
#define FIXED_SUBNET    "delegate4 = [ \"192.0.2.128/29\" ]; "
#define FIXED_DELEGATED "delegate = [ \"2001:db8:ffff:100::/56\" ]; "

static void take(struct prefix *p, const char *text)
{
	if (text)
		*p = *text ? fixture_prefix(text) : (struct prefix){0};
}

static struct fixture *short_of(const struct short_case *c)
{
	struct fixture *f = fixture_new();
	struct lease_pool_config *pool = &f->config.pools[0].lease;
	char users[256];

	snprintf(users, sizeof(users),
		"users = { alice = { secret = \"wonderland\"; }; bob = { secret = \"wonderland\"; %s}; };\n",
		c->bob);
	fixture_ipv4(f);
	fixture_users(f, users);
	take(&pool->link6, c->link6);
	take(&pool->delegate_from, c->delegate);
	take(&pool->ipv4, c->ipv4);
	take(&pool->delegate4_from, c->subnets);
	fixture_start(f);
	return f;
}

static void check_short(struct fixture *f, const struct short_case *c, const struct peer *p)
{
	const struct softwire_lease *lease = p->downs ? NULL : of(f, "bob")->engine.lease;
	unsigned lines = 0;
	char text[64];

	for (const char *at = f->lines; (at = strstr(at, "event=pool-short")); at++)
		lines++;
	assert_int_equal(lines, (c->lacks[0] != NULL) + (c->lacks[1] != NULL));
	for (unsigned i = 0; i < 2 && c->lacks[i]; i++) {
		snprintf(text, sizeof(text), "part=%s pool=default", c->lacks[i]);
		assert_true(fixture_logged(f, text));
	}
	assert_int_equal(lease && !prefix_is_none(&lease->link6), c->link);
	assert_int_equal(lease && lease->prefix_count, c->delegated);
	assert_int_equal(lease && !addr_is_none(&lease->address4), c->address);
	assert_int_equal(lease && lease->prefix4_count, c->subnet);
	assert_int_equal(p->up6 && !p->downs, c->link);
	assert_int_equal(p->up4 && !p->downs, c->address);
	assert_int_equal(p->downs, !c->link && !c->address);
	if (p->downs)
		assert_non_null(strstr(p->why.text, "no address is free"));
}

/* Alice has the only one. When all is over both have given back what they held, once. */
static void what_is_short_is_left_out_and_the_rest_is_given(void **state)
{
	static const struct short_case cases[] = {
		{NULL, NULL, NULL, NULL, "", {NULL, NULL}, true, true, true, true},
		{NULL, NULL, NULL, ONE_SUBNET, "", {"subnet", NULL}, true, true, true, false},
		{NULL, NULL, ONE_ADDRESS, NULL, "", {"ipv4", NULL}, true, true, false, false},
		{NULL, NULL, ONE_ADDRESS, ONE_SUBNET, "", {"ipv4", NULL}, true, true, false, false},
		{NULL, ONE_DELEGATED, NULL, NULL, "", {"delegated", NULL}, true, false, true, true},
		{NULL, ONE_DELEGATED, NULL, ONE_SUBNET, "", {"subnet", "delegated"}, true, false, true,
			false},
		{NULL, ONE_DELEGATED, ONE_ADDRESS, NULL, "", {NULL, NULL}, false, false, false, false},
		{NULL, ONE_DELEGATED, "", "", "", {NULL, NULL}, false, false, false, false},
		{ONE_LINK, NULL, NULL, NULL, "", {"link", NULL}, false, false, true, true},
		{ONE_LINK, NULL, NULL, ONE_SUBNET, "", {"link", "subnet"}, false, false, true, false},
		{ONE_LINK, NULL, ONE_ADDRESS, NULL, "", {NULL, NULL}, false, false, false, false},
		{ONE_LINK, NULL, "", "", "", {NULL, NULL}, false, false, false, false},
		{"", "", ONE_ADDRESS, NULL, "", {NULL, NULL}, false, false, false, false},
		/* what is fixed is had, or nothing is */
		{NULL, NULL, NULL, ONE_SUBNET, FIXED_SUBNET, {NULL, NULL}, true, true, true, true},
		{NULL, NULL, ONE_ADDRESS, NULL, FIXED_SUBNET, {NULL, NULL}, false, false, false, false},
		{ONE_LINK, NULL, NULL, NULL, FIXED_DELEGATED, {NULL, NULL}, false, false, false, false},
		{NULL, NULL, ONE_ADDRESS, NULL, FIXED_DELEGATED, {"ipv4", NULL}, true, true, false, false},
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct fixture *f = short_of(&cases[n]);
		struct peer *alice = peer_new(f, 2, "alice"), *bob = peer_new(f, 3, "bob");
		size_t active = 1;

		peer_wants(alice, true, true, true);
		peer_open(alice);
		fixture_until(f, alice->up6 || alice->up4);
		fixture_pass(f, 1000);
		peer_wants(bob, true, true, true);
		peer_open(bob);
		fixture_until(f, bob->downs || bob->up6 || bob->up4);
		fixture_pass(f, 5000);
		check_short(f, &cases[n], bob);
		assert_int_equal(alice->downs, 0);
		concentrator_clear(f->c, NULL, 0);
		fixture_until(f, alice->downs && bob->downs);
		fixture_pass(f, 1000);
		lease_count(f->c->leases, &active);
		assert_int_equal(active, 0);
		fixture_free(f);
	}
}

/* The user is gone between two questions: no answer comes to what is no more. */
static void who_goes_while_less_is_asked_for_holds_nothing(void **state)
{
	static const struct short_case c = {.ipv4 = ONE_ADDRESS, .subnets = ONE_SUBNET, .bob = ""};
	struct fixture *f = short_of(&c);
	struct peer *alice = dual(f, 2, "alice", true), *bob = peer_new(f, 3, "bob");
	size_t active;

	peer_open(bob);
	fixture_until(f, concentrator_first_of_user(f->c, "bob") && of(f, "bob")->setup &&
				 of(f, "bob")->setup->tries > 0);
	assert_int_equal(concentrator_clear(f->c, "bob", 0), 1);
	fixture_until(f, bob->downs);
	fixture_pass(f, 5000);
	lease_count(f->c->leases, &active);
	assert_int_equal(active, 1);
	assert_int_equal(alice->downs, 0);
	fixture_free(f);
}

/* A fixed address that somebody else has is no shortage. */
static void a_fixed_address_that_is_taken_is_never_left_out(void **state)
{
	struct fixture *f = fixture_new();
	struct concentrator_config config;
	char users[256], address[ADDR_TEXT];
	struct peer *p, *q;

	fixture_ipv4(f);
	fixture_start(f);
	p = dual(f, 2, "alice", false);
	snprintf(users, sizeof(users),
		"users = { alice = { secret = \"wonderland\"; }; bob = { secret = \"wonderland\"; ipv4 = "
		"\"%s\"; }; };\n",
		addr_print(&p->engine.state.address4, address));
	fixture_users(f, users);
	config = f->config;
	fixture_reload(f, &config);
	q = peer_new(f, 3, "bob");
	peer_wants(q, true, true, false);
	peer_open(q);
	fixture_until(f, q->downs);
	assert_non_null(strstr(q->why.text, "no address is free"));
	assert_false(fixture_logged(f, "event=pool-short"));
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_short_is_left_out_and_the_rest_is_given),
		cmocka_unit_test(who_goes_while_less_is_asked_for_holds_nothing),
		cmocka_unit_test(a_fixed_address_that_is_taken_is_never_left_out),
	};

	return cmocka_run_group_tests_name("shortage", tests, NULL, NULL);
}
