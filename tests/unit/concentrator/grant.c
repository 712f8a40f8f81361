/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What users get: addresses, prefixes and subnets of both families, and how many softwires. */
#include "fixture.h"

#include <jansson.h>

static struct subscriber *of(struct fixture *f, const char *user)
{
	struct subscriber *sub = concentrator_first_of_user(f->c, user);

	assert_non_null(sub);
	return sub;
}

static struct dp_row *inner(struct fixture *f, const struct addr *a)
{
	return dp_find_inner(tun_plane_table(f->c->plane), a);
}

/* ---- how many ---- */

struct limit_case {
	bool replace;     /* of the operator */
	const char *rule; /* of the user */
	bool replaced;
};

static void the_users_own_rule_goes_before_the_operators(void **state)
{
	static const struct limit_case cases[] = {
		{true, "", true},
		{false, "", false},
		{true, "at-limit = \"refuse\";", false},
		{false, "at-limit = \"refuse\";", false},
		{true, "at-limit = \"replace\";", true},
		{false, "at-limit = \"replace\";", true},
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct fixture *f = fixture_new();
		struct peer *old, *new;
		char users[256];

		snprintf(users, sizeof(users), "users = { alice = { secret = \"wonderland\"; %s }; };\n",
			cases[n].rule);
		fixture_users(f, users);
		f->config.replace_softwires = cases[n].replace;
		fixture_start(f);
		old = peer_up(f, 2, "alice");
		new = peer_new(f, 3, "alice");
		peer_open(new);
		fixture_until(f, new->downs || new->engine.state.has_binding);
		assert_int_equal(new->downs, !cases[n].replaced);
		fixture_until(f, old->downs == cases[n].replaced);
		assert_int_equal(f->c->role_counters.replaced, cases[n].replaced);
		assert_int_equal(f->c->role_counters.refused_user, !cases[n].replaced);
		if (!cases[n].replaced)
			assert_non_null(strstr(new->why.text, "as many softwires as it may"));
		fixture_free(f);
	}
}

/* proves: HS-PROV-5 */
static void every_softwire_has_a_64_of_its_own(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *p[3];

	fixture_start(f);
	p[0] = peer_up(f, 2, "bob");
	p[1] = peer_up(f, 3, "bob");
	p[2] = peer_up(f, 4, "alice");
	for (int i = 0; i < 3; i++) {
		struct prefix link = prefix_of(&p[i]->engine.state.address, 64);

		assert_non_null(inner(f, &p[i]->engine.state.address));
		for (int j = 0; j < i; j++)
			assert_false(prefix_contains_addr(&link, &p[j]->engine.state.address));
	}
	fixture_free(f);
}

/* ---- routes of one's own ---- */

static void a_fixed_link_outside_the_pools_is_routed_too(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *p;

	fixture_users(
		f, "users = { dave = { secret = \"wonderland\"; link = \"2001:db8:eeee:7::/64\"; }; };\n");
	fixture_start(f);
	assert_false(fixture_routed(f, "2001:db8:eeee:7::/64"));
	p = peer_up(f, 2, "dave");
	assert_true(fixture_routed(f, "2001:db8:eeee:7::/64"));
	assert_ptr_equal(inner(f, &p->engine.state.address), of(f, "dave")->row);
	softwire_close(p->softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", loop_now(&f->loop));
	fixture_until(f, !fixture_routed(f, "2001:db8:eeee:7::/64"));
	assert_true(fixture_routed(f, "2001:db8:100::/48")); /* the pools' stay */
	assert_true(fixture_routed(f, "2001:db8:8000::/40"));
	fixture_free(f);
}

/* proves: HS-DHCP-5 partial */
static void who_is_up_keeps_routes_when_pools_change(void **state)
{
	struct fixture *f = fixture_new();
	struct concentrator_config config;
	char link[PREFIX_TEXT], delegated[PREFIX_TEXT];
	struct peer *p;

	fixture_start(f);
	p = peer_up(f, 2, "alice");
	prefix_print(&of(f, "alice")->engine.lease->link6, link);
	prefix_print(&of(f, "alice")->engine.lease->delegated[0], delegated);
	config = f->config;
	config.pools[0].lease.link6 = fixture_prefix("2001:db8:200::/48");
	config.pools[0].lease.delegate_from = fixture_prefix("2001:db8:9000::/40");
	assert_int_equal(fixture_reload(f, &config), 0);
	assert_false(fixture_routed(f, "2001:db8:100::/48"));
	assert_true(fixture_routed(f, "2001:db8:200::/48"));
	assert_true(fixture_routed(f, link));
	assert_true(fixture_routed(f, delegated));
	assert_int_equal(fixture_reload(f, &f->config), 0); /* and back */
	assert_true(fixture_routed(f, "2001:db8:100::/48"));
	assert_false(fixture_routed(f, "2001:db8:200::/48"));
	assert_false(fixture_routed(f, link));
	assert_false(fixture_routed(f, delegated));
	assert_int_equal(fixture_reload(f, &config), 0);
	concentrator_clear(f->c, NULL, 0);
	fixture_until(f, p->downs && !fixture_routed(f, link) && !fixture_routed(f, delegated));
	fixture_free(f);
}

/* A pool that is exactly what somebody has: its route is the pool's. */
static void a_pool_of_one_prefix_keeps_its_route(void **state)
{
	struct fixture *f = fixture_new();
	struct concentrator_config config;
	struct peer *p;

	f->config.pools[0].lease.delegate_from = fixture_prefix("2001:db8:8000:100::/56");
	fixture_start(f);
	p = peer_up(f, 2, "alice");
	config = f->config;
	config.pools[0].lease.delegate_from = fixture_prefix("2001:db8:9000::/40");
	fixture_reload(f, &config);
	assert_true(fixture_routed(f, "2001:db8:8000:100::/56"));
	fixture_reload(f, &f->config);
	assert_true(fixture_routed(f, "2001:db8:8000:100::/56"));
	concentrator_clear(f->c, NULL, 0);
	fixture_until(f, p->downs);
	fixture_pass(f, 1000);
	assert_true(fixture_routed(f, "2001:db8:8000:100::/56"));
	fixture_free(f);
}

/* ---- IPv4 ---- */

static const char ipv4_users[] =
	"users = {\n"
	"  alice = { secret = \"wonderland\"; };\n"
	"  bob = { secret = \"wonderland\"; softwires = 2; };\n"
	"  four = { secret = \"wonderland\"; ipv6 = false; };\n"
	"  dave = { secret = \"wonderland\"; softwires = 2; ipv4 = \"192.0.2.77\"; "
	"delegate4 = [ \"192.0.2.128/29\" ]; delegate = [ \"2001:db8:ffff:100::/56\" ]; };\n"
	"};\n";

static struct fixture *with_ipv4(void)
{
	struct fixture *f = fixture_new();

	fixture_ipv4(f);
	fixture_users(f, ipv4_users);
	return f;
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

static bool has_address(const struct fixture *f, const char *text)
{
	struct addr a = fixture_addr(text);

	for (unsigned i = 0; i < f->address_count; i++)
		if (addr_equal(&f->addresses[i], &a))
			return true;
	return false;
}

/* proves: HS-PROV-8, HS-PROV-6 partial, PS-24 partial */
static void ipcp_gives_a_host_address_that_leads_to_the_softwire(void **state)
{
	struct fixture *f = with_ipv4();
	struct prefix pool = fixture_prefix("198.51.100.0/24");
	struct addr ours = fixture_addr("192.0.2.1"), neighbour;
	struct peer *p;
	struct subscriber *sub;

	fixture_start(f);
	assert_true(has_address(f, "192.0.2.1"));
	assert_true(fixture_routed(f, "198.51.100.0/24"));
	assert_true(fixture_routed(f, "203.0.113.0/24"));
	assert_true(f->forwards4 && f->forwards6);
	p = dual(f, 2, "alice", false);
	sub = of(f, "alice");
	assert_true(sub->row->up6 && sub->row->up4);
	assert_true(prefix_contains_addr(&pool, &p->engine.state.address4));
	assert_true(addr_equal(&p->engine.state.peer4, &ours));
	assert_false(p->engine.state.address4_by_dhcp);
	assert_ptr_equal(inner(f, &p->engine.state.address4), sub->row);
	neighbour = p->engine.state.address4;
	neighbour.bytes[3] ^= 1;
	assert_null(inner(f, &neighbour));
	assert_true(fixture_logged(f, "family=ipv4 address4=198.51.100."));
	softwire_close(p->softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", loop_now(&f->loop));
	fixture_until(f, fixture_logged(f, "event=down"));
	neighbour.bytes[3] ^= 1;
	assert_null(inner(f, &neighbour));
	fixture_free(f);
}

/* Without an address of our own there is nothing that IPCP could agree on. */
static void without_local4_no_ipv4_is_served(void **state)
{
	struct fixture *f = with_ipv4();
	struct peer *p;

	f->config.local4 = (struct addr){0};
	fixture_start(f);
	assert_false(f->forwards4);
	assert_false(fixture_routed(f, "198.51.100.0/24"));
	p = peer_new(f, 2, "alice");
	peer_wants(p, true, true, false);
	peer_open(p);
	fixture_until(f, p->engine.state.has_binding);
	fixture_pass(f, 30000);
	assert_true(p->up6);
	assert_false(p->up4);
	assert_true(addr_is_none(&of(f, "alice")->engine.lease->address4));
	fixture_free(f);
}

struct family_case {
	const char *user;
	bool pool6, pool4; /* what the pool has */
	bool want6, want4; /* what the initiator wants */
	bool up6, up4;
	const char *why; /* NULL: it comes up */
};

/* Each softwire has the families that its user, its pool and its initiator have; without any it is told why. */
static void a_softwire_has_the_families_that_all_have(void **state)
{
	static const struct family_case cases[] = {
		{"alice", true, true, true, true, true, true, NULL},
		{"alice", true, true, true, false, true, false, NULL},
		{"alice", true, true, false, true, false, true, NULL},
		{"alice", true, false, true, true, true, false, NULL},
		{"alice", false, true, true, true, false, true, NULL},
		{"four", true, true, true, true, false, true, NULL},
		{"alice", true, false, false, true, false, false, "was refused"},
		{"alice", false, true, true, false, false, false, "was refused"},
		{"four", true, true, true, false, false, false, "was refused"},
		{"four", true, false, true, true, false, false, "neither IPv6 nor IPv4 is configured"},
	};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		const struct family_case *c = &cases[n];
		struct fixture *f = with_ipv4();
		struct lease_pool_config *pool = &f->config.pools[0].lease;
		struct peer *p;

		if (!c->pool6)
			pool->link6 = pool->delegate_from = (struct prefix){0};
		if (!c->pool4)
			pool->ipv4 = pool->delegate4_from = (struct prefix){0};
		fixture_start(f);
		p = peer_new(f, 2, c->user);
		peer_wants(p, c->want6, c->want4, false);
		peer_open(p);
		fixture_until(f, p->downs || (p->up6 == c->up6 && p->up4 == c->up4 && (c->up6 || c->up4)));
		fixture_pass(f, 100);
		assert_int_equal(p->up6 && !p->downs, c->up6);
		assert_int_equal(p->up4 && !p->downs, c->up4);
		assert_int_equal(p->downs, c->why != NULL);
		if (c->why && !strstr(p->why.text, c->why))
			fail_msg("case %zu: %s", n, p->why.text);
		fixture_free(f);
	}
}

/* proves: HS-DHCP-8, HS-DHCP-5 partial, HS-PROV-13 partial */
static void a_router_gets_a_subnet_that_leads_to_it_while_it_is_in_use(void **state)
{
	struct fixture *f = with_ipv4();
	struct prefix pool = fixture_prefix("203.0.113.0/24"), subnet;
	struct peer *p;

	fixture_start(f);
	p = dual(f, 2, "alice", true);
	subnet = p->engine.state.binding4.subnets[0].prefix;
	assert_int_equal(subnet.len, 29);
	assert_true(prefix_contains(&pool, &subnet));
	assert_true(of(f, "alice")->routed4);
	assert_ptr_equal(inner(f, &subnet.addr), of(f, "alice")->row);
	assert_false(prefix_contains_addr(&subnet, &p->engine.state.address4));
	softwire_close(p->softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", loop_now(&f->loop));
	fixture_until(f, fixture_logged(f, "event=down"));
	assert_null(inner(f, &subnet.addr));
	fixture_free(f);
}

/* proves: HS-DHCP-5, HS-PROV-13 partial */
static void fixed_addresses_outside_the_pools_get_routes_of_their_own(void **state)
{
	struct fixture *f = with_ipv4();
	struct addr fixed = fixture_addr("192.0.2.77");
	struct peer *p, *q;

	fixture_start(f);
	p = dual(f, 2, "dave", true);
	assert_true(addr_equal(&p->engine.state.address4, &fixed));
	assert_true(fixture_routed(f, "192.0.2.77/32"));
	assert_true(fixture_routed(f, "192.0.2.128/29"));
	assert_true(fixture_routed(f, "2001:db8:ffff:100::/56"));
	q = dual(f, 3, "dave", true); /* what is fixed is the first softwire's */
	assert_false(addr_equal(&q->engine.state.address4, &fixed));
	softwire_close(p->softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", loop_now(&f->loop));
	fixture_until(f, !fixture_routed(f, "192.0.2.77/32") && !fixture_routed(f, "192.0.2.128/29") &&
				 !fixture_routed(f, "2001:db8:ffff:100::/56"));
	assert_true(fixture_routed(f, "198.51.100.0/24"));
	assert_int_equal(q->downs, 0);
	fixture_free(f);
}

/* Fixed addresses only: IPv4 is served without any pool. */
static void fixed_addresses_need_no_pool(void **state)
{
	struct fixture *f = with_ipv4();
	struct peer *p;

	f->config.pools[0].lease.ipv4 = f->config.pools[0].lease.delegate4_from = (struct prefix){0};
	fixture_start(f);
	assert_true(f->forwards4);
	p = dual(f, 2, "dave", true);
	assert_int_equal(p->engine.state.binding4.subnet_count, 1);
	fixture_free(f);
}

/* proves: HS-PPP-20 partial, HS-DHCP-7 partial */
static void where_dhcp_gives_addresses_ipcp_gives_none(void **state)
{
	struct fixture *f = with_ipv4();
	struct peer *p;

	f->config.dhcp4 = true;
	fixture_start(f);
	p = dual(f, 2, "alice", false);
	assert_true(p->engine.state.address4_by_dhcp);
	assert_true(addr_equal(&p->engine.state.address4, &of(f, "alice")->engine.lease->address4));
	assert_ptr_equal(inner(f, &p->engine.state.address4), of(f, "alice")->row);
	fixture_free(f);
}

static void each_family_is_told_its_own_dns_servers(void **state)
{
	struct fixture *f = with_ipv4();
	struct addr six = fixture_addr("2001:db8::53"), four = fixture_addr("192.0.2.53");
	struct peer *p;

	f->config.pools[0].dns_count = 2;
	f->config.pools[0].dns[0] = six;
	f->config.pools[0].dns[1] = four;
	fixture_start(f);
	p = dual(f, 2, "alice", true);
	assert_int_equal(p->engine.state.dns_count, 1);
	assert_true(addr_equal(&p->engine.state.dns[0], &six));
	assert_int_equal(p->engine.state.dns4_count, 1);
	assert_true(addr_equal(&p->engine.state.dns4[0], &four));
	fixture_free(f);
}

/* proves: HS-PROV-1, HS-PROV-2 */
static void addresses_are_the_users_unless_the_pool_is_temporary(void **state)
{
	for (int temporary = 0; temporary < 2; temporary++) {
		struct fixture *f = with_ipv4();
		struct prefix subnet, delegated, link;
		struct addr address;
		struct peer *p;
		bool same6;

		f->config.pools[0].lease.temporary = temporary;
		fixture_start(f);
		p = dual(f, 2, "alice", true);
		address = p->engine.state.address4;
		subnet = p->engine.state.binding4.subnets[0].prefix;
		delegated = p->engine.state.binding.prefixes[0].prefix;
		link = of(f, "alice")->engine.lease->link6;
		softwire_close(p->softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", loop_now(&f->loop));
		fixture_until(f, fixture_logged(f, "event=down"));
		dual(f, 7, "bob", true);       /* somebody else comes between */
		p = dual(f, 3, "alice", true); /* from elsewhere */
		same6 = prefix_equal(&delegated, &p->engine.state.binding.prefixes[0].prefix) &&
			prefix_equal(&link, &of(f, "alice")->engine.lease->link6);
		assert_int_equal(same6, !temporary); /* by chance the same: once in 2^32 */
		if (!temporary) {
			assert_true(addr_equal(&address, &p->engine.state.address4));
			assert_true(prefix_equal(&subnet, &p->engine.state.binding4.subnets[0].prefix));
		}
		fixture_free(f);
	}
}

/* A pool of four addresses: two of them are not handed out, and one is ours. */
static void our_own_address_is_given_to_nobody(void **state)
{
	struct fixture *f = with_ipv4();
	struct peer *p;

	f->config.local4 = fixture_addr("198.51.100.1");
	f->config.pools[0].lease.ipv4 = fixture_prefix("198.51.100.0/30");
	fixture_start(f);
	p = dual(f, 2, "alice", false);
	assert_int_equal(p->engine.state.address4.bytes[3], 2);
	p = peer_new(f, 3, "bob");
	peer_wants(p, false, true, false);
	peer_open(p);
	fixture_until(f, p->downs);
	assert_true(addr_is_none(&p->engine.state.address4));
	fixture_free(f);
}

static void ipv4_may_change_with_a_reload(void **state)
{
	struct fixture *f = with_ipv4();
	struct concentrator_config config;
	struct peer *p;

	fixture_start(f);
	p = dual(f, 2, "alice", false);
	config = f->config;
	config.pools[0].lease.ipv4 = fixture_prefix("198.51.101.0/24");
	assert_int_equal(fixture_reload(f, &config), 0);
	assert_true(fixture_routed(f, "198.51.101.0/24"));
	assert_false(fixture_routed(f, "198.51.100.0/24"));
	assert_ptr_equal(inner(f, &p->engine.state.address4), of(f, "alice")->row);
	fixture_pass(f, 1000);
	assert_int_equal(p->downs, 0);
	fixture_free(f);
}

/* The lease remembers what the user had; only what he may have now is given. */
static void a_family_that_a_user_loses_is_not_given_again(void **state)
{
	struct fixture *f = with_ipv4();
	struct prefix link, delegated;
	struct addr address;
	struct peer *p;

	fixture_start(f);
	p = dual(f, 2, "alice", true);
	link = of(f, "alice")->engine.lease->link6;
	delegated = of(f, "alice")->engine.lease->delegated[0];
	address = p->engine.state.address4;
	fixture_users(f, "users = { alice = { secret = \"wonderland\"; ipv6 = false; }; };\n");
	fixture_reload(f, &f->config);
	concentrator_clear(f->c, "alice", 0);
	fixture_until(f, p->downs);
	p = peer_new(f, 3, "alice");
	peer_wants(p, true, true, false);
	peer_open(p);
	fixture_until(f, p->up4);
	fixture_pass(f, 1000);
	assert_false(p->up6);
	assert_true(addr_equal(&address, &p->engine.state.address4));
	assert_null(inner(f, &link.addr));
	assert_true(prefix_is_none(&of(f, "alice")->engine.lease->link6));
	assert_int_equal(of(f, "alice")->engine.lease->prefix_count, 0);
	/* And the other way round: an address from a pool that gives none any more. */
	fixture_users(f, "users = { alice = { secret = \"wonderland\"; }; };\n");
	f->config.pools[0].lease.ipv4 = f->config.pools[0].lease.delegate4_from = (struct prefix){0};
	fixture_reload(f, &f->config);
	concentrator_clear(f->c, "alice", 0);
	fixture_until(f, p->downs);
	p = peer_up(f, 4, "alice");
	assert_true(prefix_equal(&delegated, &p->engine.state.binding.prefixes[0].prefix));
	assert_null(inner(f, &address));
	assert_true(addr_is_none(&of(f, "alice")->engine.lease->address4));
	fixture_free(f);
}

/* ---- filters ---- */

static void send_inner4(struct peer *p, const struct addr *source)
{
	uint8_t packet[SOFTWIRE_DATA_HEADER + 28] = {0};
	uint8_t *ip = packet + SOFTWIRE_DATA_HEADER;
	const uint8_t header[12] = {0x45, 0, 0, 28, 0, 0, 0, 0, 64, 253, 0, 0};
	uint32_t sum = 0;

	softwire_data_header(
		packet, p->softwire->tunnel.peer_tunnel, p->softwire->tunnel.peer_session, PPP_IP);
	memcpy(ip, header, sizeof(header));
	memcpy(ip + 12, source->bytes, 4);
	memcpy(ip + 16, (uint8_t[4]){192, 0, 2, 200}, 4);
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)(ip[i] << 8 | ip[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~(sum + (sum >> 16));
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
	peer_send(p, packet, sizeof(packet));
}

static void send_inner6(struct peer *p, const struct addr *source)
{
	uint8_t packet[SOFTWIRE_DATA_HEADER + 48] = {0};
	uint8_t *ip = packet + SOFTWIRE_DATA_HEADER;
	struct addr to = fixture_addr("2001:db8:7777::1");

	softwire_data_header(
		packet, p->softwire->tunnel.peer_tunnel, p->softwire->tunnel.peer_session, PPP_IPV6);
	ip[0] = 0x60;
	ip[5] = 8;
	ip[6] = 59; /* no next header */
	ip[7] = 64;
	memcpy(ip + 8, source->bytes, 16);
	memcpy(ip + 24, to.bytes, 16);
	peer_send(p, packet, sizeof(packet));
}

enum { SOURCES = 4 };

/* What a peer may have as sources. */
static void own_sources(const struct peer *p, struct addr ret[SOURCES])
{
	ret[0] = p->engine.state.address4;
	ret[1] = p->engine.state.binding4.subnets[0].prefix.addr;
	ret[1].bytes[3] |= 2;
	ret[2] = p->engine.state.address;
	ret[3] = p->engine.state.binding.prefixes[0].prefix.addr;
	ret[3].bytes[15] = 7;
}

static void send_from_all(struct peer *p, const struct addr sources[SOURCES])
{
	for (unsigned i = 0; i < SOURCES; i++)
		if (sources[i].family == AF_INET)
			send_inner4(p, &sources[i]);
		else
			send_inner6(p, &sources[i]);
}

/* proves: SEC-HS-20 */
static void only_what_was_given_is_a_source(void **state)
{
	struct fixture *f = with_ipv4();
	struct dp_counters *counters;
	struct peer *alice, *bob;
	struct addr sources[SOURCES];

	fixture_start(f);
	alice = dual(f, 2, "alice", true);
	bob = dual(f, 3, "bob", true);
	counters = tun_plane_counters(f->c->plane);
	own_sources(alice, sources);
	send_from_all(alice, sources);
	fixture_pass(f, 10);
	assert_int_equal(counters->drop_spoofed, 0);
	send_from_all(bob, sources);
	fixture_until(f, counters->drop_spoofed == SOURCES);
	assert_int_equal(of(f, "bob")->row->drop_spoofed, SOURCES);
	fixture_free(f);
}

/* Also those that are up: both ways. */
static void filters_and_clamping_change_with_a_reload(void **state)
{
	struct fixture *f = with_ipv4();
	struct concentrator_config config;
	struct peer *alice, *bob;
	struct addr sources[SOURCES];
	struct dp_row *row;

	f->config.ingress_filter = f->config.mss_clamp = false;
	fixture_start(f);
	alice = dual(f, 2, "alice", true);
	bob = dual(f, 3, "bob", true);
	row = of(f, "bob")->row;
	own_sources(alice, sources);
	send_from_all(bob, sources);
	fixture_pass(f, 100);
	assert_int_equal(row->drop_spoofed, 0);
	assert_int_equal(row->mss_mtu, 0);
	config = f->config;
	config.ingress_filter = config.mss_clamp = true;
	assert_int_equal(fixture_reload(f, &config), 0);
	assert_int_equal(row->mss_mtu, row->mtu);
	send_from_all(bob, sources);
	fixture_until(f, row->drop_spoofed == SOURCES);
	assert_int_equal(fixture_reload(f, &f->config), 0);
	assert_int_equal(row->mss_mtu, 0);
	assert_true(row->any_source);
	fixture_free(f);
}

/* Neither from another softwire, nor on the same one under another name. */
/* proves: SEC-HS-21 */
static void addresses_are_bound_to_who_has_proven_to_be_their_user(void **state)
{
	static const uint8_t lcp[] = {1, 99, 0, 14, 1, 4, 5, 0xb4, 5, 6, 1, 2, 3, 4};
	uint8_t frame[SOFTWIRE_DATA_HEADER + sizeof(lcp)];
	struct fixture *f = with_ipv4();
	struct peer *alice, *bob;
	struct addr sources[SOURCES];

	fixture_start(f);
	alice = dual(f, 2, "alice", true);
	bob = dual(f, 3, "bob", true);
	own_sources(alice, sources);
	send_from_all(bob, sources);
	fixture_until(f, of(f, "bob")->row->drop_spoofed == SOURCES);
	alice->config.ppp.name = "bob";
	softwire_data_header(
		frame, alice->softwire->tunnel.peer_tunnel, alice->softwire->tunnel.peer_session, PPP_LCP);
	memcpy(frame + SOFTWIRE_DATA_HEADER, lcp, sizeof(lcp));
	peer_send(alice, frame, sizeof(frame));
	for (int n = 0; n < 100 && !alice->downs; n++)
		fixture_pass(f, 250);
	assert_int_equal(alice->downs, 1);
	for (unsigned i = 0; i < SOURCES; i++)
		assert_null(inner(f, &sources[i]));
	assert_int_equal(bob->downs, 0);
	fixture_free(f);
}

/* ---- what is shown ---- */

static const char *shown(json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (json_is_array(value))
		value = json_array_get(value, 0);
	return json_string_value(value) ? json_string_value(value) : "";
}

static void ipv4_is_shown(void **state)
{
	struct fixture *f = with_ipv4();
	json_t *softwires, *leases, *s, *l;

	fixture_start(f);
	dual(f, 2, "dave", true);
	softwires = concentrator_show_softwires(f->c, "dave");
	leases = concentrator_show_leases(f->c, "dave");
	s = json_array_get(softwires, 0);
	l = json_array_get(leases, 0);
	assert_string_equal(shown(s, "address4"), "192.0.2.77");
	assert_string_equal(shown(s, "subnets"), "192.0.2.128/29");
	assert_string_equal(shown(s, "auth"), "chap");
	assert_string_equal(shown(s, "path"), "ok");
	assert_true(json_is_false(json_object_get(s, "anonymous")));
	assert_int_equal(json_array_size(json_object_get(s, "families")), 2);
	assert_string_equal(shown(l, "address4"), "192.0.2.77");
	assert_string_equal(shown(l, "subnets"), "192.0.2.128/29");
	json_decref(softwires);
	json_decref(leases);
	fixture_free(f);
}

/* ---- reverse zones ---- */

static json_t *zones_of(json_t *all, const char *user, const char *prefix)
{
	json_t *o;
	size_t i;

	json_array_foreach(all, i, o) if (strcmp(shown(o, "user"), user) == 0 &&
					  (!*prefix || strcmp(shown(o, "prefix"), prefix) == 0)) return o;
	fail_msg("no zones for %s %s", user, prefix);
	return NULL;
}

static void check_zones(json_t *all, const char *prefix, size_t count, const char *first)
{
	json_t *one = zones_of(all, "carol", prefix);

	assert_int_equal(json_array_size(json_object_get(one, "zones")), count);
	assert_string_equal(shown(one, "zones"), first);
	assert_int_equal(json_array_size(json_object_get(one, "nameservers")), 2);
	assert_string_equal(shown(one, "nameservers"), "ns1.carol.example");
}

/* proves: HS-PROV-12 */
static void reverse_zones_have_the_users_name_servers_or_the_pools(void **state)
{
	struct fixture *f = with_ipv4();
	json_t *all, *one;

	fixture_users(f, "users = {\n"
			 "  alice = { secret = \"wonderland\"; };\n"
			 "  carol = { secret = \"wonderland\"; ipv4 = \"192.0.2.77\";\n"
			 "    delegate = [ \"2001:db8:ffff:200::/56\", \"2001:db8:ffff:120::/59\",\n"
			 "      \"2001:db8:ffff:140::/58\", \"2001:db8:ffff:108::/61\" ];\n"
			 "    delegate4 = [ \"192.0.2.128/25\", \"198.18.0.0/23\" ];\n"
			 "    nameservers = [ \"ns1.carol.example\", \"ns2.carol.example\" ]; };\n"
			 "};\n");
	f->config.pools[0].nameserver_count = 1;
	snprintf(f->config.pools[0].nameservers[0], sizeof(f->config.pools[0].nameservers[0]),
		"ns.isp.example");
	fixture_start(f);
	assert_int_equal(f->result, 0);
	for (int connected = 0; connected < 2; connected++) {
		all = concentrator_show_reverse_zones(f->c, "carol");
		assert_int_equal(json_array_size(all), 6);
		check_zones(all, "2001:db8:ffff:200::/56", 1, "2.0.f.f.f.f.8.b.d.0.1.0.0.2.ip6.arpa");
		check_zones(all, "2001:db8:ffff:120::/59", 2, "2.1.0.f.f.f.f.8.b.d.0.1.0.0.2.ip6.arpa");
		check_zones(all, "2001:db8:ffff:140::/58", 4, "4.1.0.f.f.f.f.8.b.d.0.1.0.0.2.ip6.arpa");
		check_zones(all, "2001:db8:ffff:108::/61", 8, "8.0.1.0.f.f.f.f.8.b.d.0.1.0.0.2.ip6.arpa");
		check_zones(all, "192.0.2.128/25", 128, "128.2.0.192.in-addr.arpa");
		check_zones(all, "198.18.0.0/23", 2, "0.18.198.in-addr.arpa");
		json_decref(all);
		if (!connected)
			dual(f, 2, "carol", true);
	}
	dual(f, 3, "alice", true);
	all = concentrator_show_reverse_zones(f->c, NULL);
	assert_int_equal(json_array_size(all), 8);
	one = zones_of(all, "alice", "");
	assert_int_equal(json_array_size(json_object_get(one, "zones")), 1);
	assert_string_equal(shown(one, "nameservers"), "ns.isp.example");
	json_decref(all);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_users_own_rule_goes_before_the_operators),
		cmocka_unit_test(every_softwire_has_a_64_of_its_own),
		cmocka_unit_test(a_fixed_link_outside_the_pools_is_routed_too),
		cmocka_unit_test(who_is_up_keeps_routes_when_pools_change),
		cmocka_unit_test(a_pool_of_one_prefix_keeps_its_route),
		cmocka_unit_test(ipcp_gives_a_host_address_that_leads_to_the_softwire),
		cmocka_unit_test(without_local4_no_ipv4_is_served),
		cmocka_unit_test(a_softwire_has_the_families_that_all_have),
		cmocka_unit_test(a_router_gets_a_subnet_that_leads_to_it_while_it_is_in_use),
		cmocka_unit_test(fixed_addresses_outside_the_pools_get_routes_of_their_own),
		cmocka_unit_test(fixed_addresses_need_no_pool),
		cmocka_unit_test(where_dhcp_gives_addresses_ipcp_gives_none),
		cmocka_unit_test(each_family_is_told_its_own_dns_servers),
		cmocka_unit_test(addresses_are_the_users_unless_the_pool_is_temporary),
		cmocka_unit_test(our_own_address_is_given_to_nobody),
		cmocka_unit_test(ipv4_may_change_with_a_reload),
		cmocka_unit_test(a_family_that_a_user_loses_is_not_given_again),
		cmocka_unit_test(only_what_was_given_is_a_source),
		cmocka_unit_test(filters_and_clamping_change_with_a_reload),
		cmocka_unit_test(addresses_are_bound_to_who_has_proven_to_be_their_user),
		cmocka_unit_test(ipv4_is_shown),
		cmocka_unit_test(reverse_zones_have_the_users_name_servers_or_the_pools),
	};

	return cmocka_run_group_tests_name("grant", tests, NULL, NULL);
}
