/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From one concentrator to the next: what is adopted goes on as if nothing had happened, and whoever is not adopted is told at once.
 *
 * A crash is played by keeping a copy of the state, leaving in order, and putting the copy back: what the process wrote down last is lost then.
 */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "concentrator/record.h"

enum { STATE_MAX = 1 << 20 };

/* ---- the state ---- */

static size_t copy_state(const struct fixture *f, uint8_t *copy)
{
	ssize_t n = pread(f->state, copy, STATE_MAX, 0);

	assert_true(n > 0);
	return (size_t)n;
}

/* As it was when the copy was made, which is shorter, if anything. */
static void put_back(const struct fixture *f, const uint8_t *copy, size_t len)
{
	assert_int_equal(pwrite(f->state, copy, len, 0), (ssize_t)len);
}

static struct store *open_state(const struct fixture *f)
{
	struct store_found found;
	struct store *s = NULL;

	assert_int_equal(store_open(f->state, STATE_MAX, &s, &found), 0);
	store_settle(s);
	return s;
}

/* In a copy: a store has one writer. */
static unsigned records(const struct fixture *f)
{
	uint8_t *copy = malloc(STATE_MAX);
	struct fixture other = {.state = memfd_create("copy", MFD_CLOEXEC)};
	struct store *s;
	unsigned n;

	put_back(&other, copy, copy_state(f, copy));
	s = open_state(&other);
	n = store_use(s).records;
	store_close(s);
	close(other.state);
	free(copy);
	return n;
}

/* Bytes of the only record are changed by SPOIL, which returns its new length. */
static void spoil(const struct fixture *f, size_t (*how)(uint8_t *bytes, size_t len))
{
	struct store *s = open_state(f);
	uint8_t bytes[STORE_RECORD_MAX];
	struct store_record r;
	uint32_t cursor = 0;
	size_t len;

	assert_true(store_next(s, &cursor, &r));
	memcpy(bytes, r.data, r.len);
	len = how(bytes, r.len);
	assert_int_equal(store_put(s, &r.at, r.id, bytes, len), 0);
	store_close(s);
}

static void crash(struct fixture *f)
{
	uint8_t *copy = malloc(STATE_MAX);
	size_t len = copy_state(f, copy);

	fixture_leave(f);
	put_back(f, copy, len);
	free(copy);
}

static bool is_forgotten;

static void forgotten(void *owner, int result, const struct lease *lease, const char *why)
{
	assert_int_equal(result, 0);
	is_forgotten = true;
}

static struct subscriber *only(const struct fixture *f)
{
	assert_int_equal(f->c->count, 1);
	return f->c->all;
}

/* A minute in which both ends hear each other: HELLOs, and Router Advertisements. */
static void see_that_it_lives(struct fixture *f, struct peer *p)
{
	fixture_pass(f, 130000);
	assert_int_equal(p->downs, 0);
	assert_int_equal(p->ups, 1);
	assert_int_equal(p->engine.softwire.step, STEP_UP);
}

/* ---- what goes on ---- */

static void hooks(struct fixture *f)
{
	snprintf(f->config.hooks[HOOK_UP], sizeof(f->config.hooks[0]), "/up");
	snprintf(f->config.hooks[HOOK_DOWN], sizeof(f->config.hooks[0]), "/down");
}

/* proves: PS-2 partial */
static void test_who_leaves_is_followed_without_anybody_noticing(void **state)
{
	for (int crashes = 0; crashes < 2; crashes++) {
		struct fixture *f = fixture_new();
		struct subscriber before, *after;
		struct softwire_lease lease;
		struct endpoint server;
		struct peer *p;

		hooks(f);
		fixture_ipv4(f);
		fixture_start(f);
		p = peer_up(f, 2, "alice");
		only(f)->row->v6.rx_packets = 7;
		fixture_pass(f, 61000); /* a HELLO: the counter is written down */
		assert_int_equal(f->hook_count, 1);
		before = *only(f);
		memcpy(&lease, before.engine.lease,
			offsetof(struct softwire_lease, delegated) + sizeof(struct prefix));
		server = f->server;
		if (crashes)
			crash(f);
		else
			fixture_leave(f);
		fixture_start(f);
		assert_true(server.port !=
			    f->server.port); /* the lab has the same socket; here it is another one */

		after = only(f);
		assert_int_equal(after->id, before.id);
		assert_string_equal(after->user, "alice");
		assert_int_equal(after->slot, before.slot);
		assert_int_equal(after->method, AUTH_CHAP);
		assert_int_equal(after->peer_tunnel, before.peer_tunnel);
		assert_true(after->hooked && !after->anonymous && !after->half_open);
		assert_true(prefix_equal(&after->engine.lease->link6, &lease.link6));
		assert_int_equal(after->engine.lease->prefix_count, 1);
		assert_true(prefix_equal(&after->engine.lease->delegated[0], &lease.delegated[0]));
		assert_true(after->row->up6 && !after->row->up4 && after->routed6);
		assert_int_equal(after->row->mtu, after->engine.softwire.mtu);
		assert_int_equal(after->row->v6.rx_packets, 7);
		assert_ptr_equal(
			dp_find_inner(tun_plane_table(f->c->plane), &lease.delegated[0].addr), after->row);
		fixture_until(f, lease_find(f->c->leases, "alice", 0)->active);
		fixture_until(f, !after->setup);
		assert_int_equal(f->c->role_counters.adopted, 1);
		see_that_it_lives(f, p);
		assert_int_equal(f->hook_count, 1); /* nobody was told anything */

		/* And it ends as any other. */
		softwire_close(p->softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "enough", loop_now(&f->loop));
		fixture_until(f, !lease_find(f->c->leases, "alice", 0)->active);
		fixture_pass(f, 40000);
		assert_int_equal(f->c->count, 0);
		assert_int_equal(f->hook_count, 2);
		assert_int_equal(records(f), 0);
		fixture_free(f);
	}
}

/* proves: PS-2 partial */
static void test_several_softwires_of_several_users_go_on_and_new_ones_come(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *p[4];

	fixture_start(f);
	p[0] = peer_up(f, 2, "alice");
	p[1] = peer_up(f, 3, "bob");
	p[2] = peer_up(f, 4, "bob");
	p[3] = peer_up(f, 5, "carol");
	for (int round = 0; round < 3; round++) {
		crash(f);
		fixture_start(f);
		assert_int_equal(f->c->count, 4);
		assert_int_equal(f->c->role_counters.adopted, 4);
	}
	for (int i = 0; i < 4; i++)
		see_that_it_lives(f, p[i]);
	/* The slots are taken as before: alice's next softwire replaces her old one, and its number is new. */
	(void)peer_up(f, 6, "alice");
	fixture_until(f, p[0]->downs == 1);
	assert_int_equal(f->c->all->id, 5);
	assert_int_equal(p[1]->downs + p[2]->downs + p[3]->downs, 0);
	fixture_free(f);
}

static void test_an_end_in_order_leaves_nothing_to_adopt(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *p;

	fixture_start(f);
	p = peer_up(f, 2, "alice");
	assert_int_equal(records(f), 1);
	fixture_stop(f);
	assert_int_equal(records(f), 0);
	assert_int_equal(p->downs, 1);
	fixture_free(f);
}

static void test_a_guest_keeps_what_a_temporary_pool_gave(void **state)
{
	struct fixture *f = fixture_new();
	struct prefix link;
	struct peer *p;

	snprintf(f->config.anonymous_pool, sizeof(f->config.anonymous_pool), "default");
	f->config.pools[0].lease.temporary = true;
	f->config.auth[0] = 0;
	fixture_start(f);
	p = peer_up(f, 2, "nobody");
	link = only(f)->engine.lease->link6;
	crash(f);
	fixture_start(f);
	assert_true(only(f)->anonymous);
	assert_int_equal(f->c->anonymous_count, 1);
	fixture_until(f, lease_find(f->c->leases, only(f)->user, 0) &&
				 lease_find(f->c->leases, only(f)->user, 0)->active);
	see_that_it_lives(f, p);
	assert_true(prefix_equal(&only(f)->engine.lease->link6, &link));
	fixture_free(f);
}

/* ---- what does not ---- */

/* The peer is told, and by whom: it need not find out by silence. */
static void see_farewell(struct fixture *f, struct peer *p, const char *why)
{
	assert_int_equal(f->c->role_counters.adopted, 0);
	fixture_until(f, p->downs == 1);
	assert_int_equal(p->why.cause, CAUSE_PEER);
	assert_non_null(strstr(p->why.text, "started again without this softwire"));
	assert_true(fixture_logged(f, why));
	assert_int_equal(f->c->role_counters.not_adopted, 1);
	assert_int_equal(records(f), 0);
	fixture_pass(f, 4000); /* it is repeated, and then that is over */
	assert_null(f->c->farewells);
}

static size_t another_engine_version(uint8_t *bytes, size_t len)
{
	uint8_t *engine = memmem(bytes, len, "SW5S", 4);

	assert_non_null(engine);
	engine[5]++;
	return len;
}

static size_t damaged_engine(uint8_t *bytes, size_t len)
{
	uint8_t *engine = memmem(bytes, len, "SW5S", 4);

	engine[SOFTWIRE_RECORD_HEAD + 1] ^= 0x40; /* the length of its first section */
	return len;
}

static size_t without_sections(uint8_t *bytes, size_t len)
{
	uint8_t *engine = memmem(bytes, len, "SW5S", 4);

	return (size_t)(engine - bytes) + (size_t)(engine[6] << 8 | engine[7]);
}

static size_t one_byte_less(uint8_t *bytes, size_t len)
{
	return len - 1;
}

static uint8_t *owner_of(uint8_t *bytes, size_t len)
{
	uint8_t *user = memmem(bytes, len, "\5alice", 6);

	assert_non_null(user);
	return user;
}

static size_t user_with_a_zero(uint8_t *bytes, size_t len)
{
	owner_of(bytes, len)[2] = 0;
	return len;
}

static size_t user_of_another_name(uint8_t *bytes, size_t len)
{
	owner_of(bytes, len)[1] = 'A';
	return len;
}

static size_t longer_user(uint8_t *bytes, size_t len)
{
	owner_of(bytes, len)[0] = 200;
	return len;
}

static size_t unknown_method(uint8_t *bytes, size_t len)
{
	owner_of(bytes, len)[-2] = AUTH_METHODS;
	return len;
}

static size_t unknown_flags(uint8_t *bytes, size_t len)
{
	owner_of(bytes, len)[-1] |= 0x80;
	return len;
}

static size_t nothing_leased(uint8_t *bytes, size_t len)
{
	owner_of(bytes, len)[-1] &= (uint8_t)~4;
	return len;
}

static size_t guest(uint8_t *bytes, size_t len)
{
	owner_of(bytes, len)[-1] |= 1;
	return len;
}

static void test_a_record_that_is_not_good_is_answered_with_a_farewell(void **state)
{
	static const struct {
		size_t (*how)(uint8_t *bytes, size_t len);
		const char *why;
	} cases[] = {
		{another_engine_version, "the record has format 2"},
		{damaged_engine, "not-adopted"},
		{without_sections, "missing"},
		{one_byte_less, "not-adopted"},
		{user_with_a_zero, "zero in a user's name"},
		{user_of_another_name, "the user is not allowed any more"},
		{longer_user, "truncated"},
		{unknown_method, "not-adopted"},
		{unknown_flags, "not-adopted"},
		{nothing_leased, "its user was not known yet"},
		{guest, "the service without a user has ended"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fixture *f = fixture_new();
		struct peer *p;

		fixture_start(f);
		p = peer_up(f, 2, "alice");
		crash(f);
		spoil(f, cases[i].how);
		fixture_start(f);
		assert_int_equal(f->c->count, 0);
		see_farewell(f, p, cases[i].why);
		/* It comes back, and gets what it had. */
		(void)peer_up(f, 3, "alice");
		fixture_free(f);
	}
}

static size_t another_role_version(uint8_t *bytes, size_t len)
{
	bytes[0] = RECORD_VERSION + 1;
	return len;
}

static size_t nothing(uint8_t *bytes, size_t len)
{
	return 0;
}

static size_t no_peer(uint8_t *bytes, size_t len)
{
	bytes[8] = 0; /* the family of the peer's address, behind version, ours and its port */
	return len;
}

static size_t bad_family(uint8_t *bytes, size_t len)
{
	bytes[1] = 5;
	return len;
}

static void test_a_record_without_a_peer_is_counted(void **state)
{
	static size_t (*const cases[])(uint8_t * bytes, size_t len) = {
		another_role_version, nothing, no_peer, bad_family};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fixture *f = fixture_new();

		fixture_start(f);
		(void)peer_up(f, 2, "alice");
		crash(f);
		spoil(f, cases[i]);
		fixture_start(f);
		assert_int_equal(f->c->count, 0);
		assert_int_equal(f->c->role_counters.not_adopted, 1);
		assert_true(fixture_logged(f, "damaged=1"));
		assert_int_equal(records(f), 0);
		fixture_free(f);
	}
}

static void test_a_user_who_is_gone_is_told(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *p;

	fixture_start(f);
	p = peer_up(f, 2, "alice");
	crash(f);
	fixture_users(f, "users = { bob = { secret = \"wonderland\"; }; };\n");
	fixture_start(f);
	see_farewell(f, p, "the user is not allowed any more");
	fixture_free(f);
}

static void test_a_lease_that_is_another_one_now_ends_the_softwire(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *p;

	fixture_start(f);
	p = peer_up(f, 2, "alice");
	crash(f);
	fixture_users(f, "users = { alice = { secret = \"wonderland\"; delegate = [ "
			 "\"2001:db8:ffff:200::/56\" ]; }; };\n");
	fixture_start(f);
	fixture_until(f, p->downs == 1);
	assert_non_null(strstr(p->why.text, "its lease is another one now"));
	assert_int_equal(f->c->role_counters.not_adopted, 1);
	fixture_pass(f, 40000);
	assert_int_equal(f->c->count, 0);
	assert_int_equal(records(f), 0);
	fixture_free(f);
}

/* Something damaged, in the page that would be the next one to be used: what is written comes behind all that is read then. */
static void fill_first_page(const struct fixture *f)
{
	struct store *s = open_state(f);
	const uint8_t nonsense[1000] = {0};
	uint32_t at = 0;

	assert_int_equal(store_put(s, &at, 77, nonsense, sizeof(nonsense)), 0);
	store_close(s);
}

static void test_a_pool_that_is_gone_ends_the_softwire(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *p;

	fixture_start(f);
	p = peer_up(f, 2, "alice");
	crash(f);
	fill_first_page(f);
	snprintf(f->config.pools[0].lease.name, sizeof(f->config.pools[0].lease.name), "other");
	fixture_start(f);
	fixture_until(f, p->downs == 1);
	assert_true(fixture_logged(f, "its pool is not configured any more"));
	/* It ends as any other, once: its record goes with it, and is not taken for somebody's who has to be told. */
	assert_int_equal(f->c->role_counters.not_adopted, 2);
	assert_null(f->c->farewells);
	fixture_pass(f, 40000);
	assert_int_equal(f->c->count, 0);
	assert_int_equal(records(f), 0);
	fixture_free(f);
}

/* Or it would be free for others, who would be given what the softwire has. */
static void test_a_lease_that_cannot_be_held_is_held_when_the_database_is_well_again(void **state)
{
	struct fixture *f = fixture_new();
	struct prefix delegated;
	char away[sizeof(f->config.lease_path) + 8];
	struct peer *p;

	fixture_start(f);
	p = peer_up(f, 2, "alice");
	delegated = only(f)->engine.lease->delegated[0];
	/* The database has lost it, and takes no other: as a backup from before, on a disk that is full. */
	lease_idle(f->c->leases, "alice", 0);
	lease_forget(f->c->leases, "alice", 0, forgotten, NULL);
	fixture_until(f, is_forgotten);
	snprintf(away, sizeof(away), "%s.away", f->config.lease_path);
	assert_int_equal(rename(f->config.lease_path, away), 0);
	subscriber_hold_again(only(f));
	fixture_until(f, fixture_logged(f, "goes on, but its lease is not held yet"));
	assert_int_equal(p->downs, 0);
	fixture_pass(f, 5000);
	fixture_until(f, lease_find(f->c->leases, "alice", 0) && lease_find(f->c->leases, "alice", 0)->active);
	assert_true(prefix_equal(&lease_find(f->c->leases, "alice", 0)->delegated[0], &delegated));
	fixture_until(f, !only(f)->unheld);
	see_that_it_lives(f, p);
	unlink(away);
	fixture_free(f);
}

static void test_an_address_that_is_not_listened_on_any_more_is_left(void **state)
{
	struct fixture *f = fixture_new();

	fixture_start(f);
	(void)peer_up(f, 2, "alice");
	crash(f);
	f->config.listen[0].addr.bytes[3] = 9;
	fixture_start(f);
	assert_int_equal(f->c->count, 0);
	assert_true(fixture_logged(f, "its listening address is not configured any more"));
	assert_null(f->c->farewells);
	fixture_free(f);
}

/* Who was being set up has nothing that could go on, but waits for us. */
static void test_who_was_being_set_up_is_told(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *p;

	fixture_start(f);
	p = peer_new(f, 2, "alice");
	peer_open(p);
	fixture_until(f, f->c->count == 1 && records(f) == 1);
	crash(f);
	fixture_start(f);
	assert_int_equal(f->c->count, 0);
	see_farewell(f, p, "not-adopted");
	fixture_free(f);
}

/* ---- crash loops ---- */

static void die_at(const struct fixture *f, uint32_t id)
{
	struct store *s = open_state(f);

	store_work(s, id);
	store_close(s);
}

static void test_a_softwire_at_which_two_have_died_is_not_adopted(void **state)
{
	struct fixture *f = fixture_new();
	struct peer *p, *q;

	fixture_start(f);
	p = peer_up(f, 2, "alice");
	q = peer_up(f, 3, "bob");
	crash(f);
	die_at(f, 1);
	die_at(f, 1);
	fixture_start(f);
	assert_int_equal(f->c->role_counters.adopted, 1);
	assert_int_equal(f->c->role_counters.not_adopted, 1);
	assert_true(fixture_logged(f, "the process has died twice while it worked on this softwire"));
	fixture_until(f, p->downs == 1);
	see_that_it_lives(f, q);
	fixture_free(f);
}

static void test_after_too_many_starts_none_is_adopted(void **state)
{
	struct fixture *f = fixture_new();
	uint8_t *copy = malloc(STATE_MAX);
	struct store_found found;
	struct peer *p;
	struct store *s;
	size_t len;

	fixture_start(f);
	p = peer_up(f, 2, "alice");
	len = copy_state(f, copy);
	fixture_leave(f);
	put_back(f, copy, len);
	free(copy);
	for (int n = 0; n < 5; n++) {
		assert_int_equal(store_open(f->state, STATE_MAX, &s, &found), 0);
		store_close(s);
	}
	fixture_start(f);
	see_farewell(f, p, "the process has died too often");
	/* One that lasts makes it good. */
	p = peer_up(f, 3, "alice");
	fixture_pass(f, 31000);
	crash(f);
	fixture_start(f);
	assert_int_equal(f->c->role_counters.adopted, 1);
	see_that_it_lives(f, p);
	fixture_free(f);
}

/* ---- a drain ---- */

static void drain_to(struct fixture *f, const char *text)
{
	struct drain_order order = {.rate = 7, .target_count = 1};

	assert_int_equal(endpoint_parse(text, L2TP_PORT, &order.targets[0]), 0);
	concentrator_drain(f->c, &order);
}

/* For an initiator that has come over the other family: it stays. */
static void test_a_drain_goes_on(void **state)
{
	for (int crashes = 0; crashes < 2; crashes++) {
		struct fixture *f = fixture_new();
		struct peer *p, *late;

		fixture_start(f);
		p = peer_up(f, 2, "alice");
		drain_to(f, "2001:db8::2");
		fixture_pass(f, 300);
		assert_int_equal(records(f), 2);
		if (crashes)
			crash(f);
		else
			fixture_leave(f);
		fixture_start(f);
		assert_true(fixture_logged(
			f, "event=drain-resumed left=1 moved=0 closed=0 refused=0 to=2001:db8::2 rate=7"));
		assert_true(concentrator_is_draining(f->c));
		assert_int_equal(f->c->role_counters.adopted, 1);
		assert_int_equal(f->c->role_counters.not_adopted, 0);
		late = peer_new(f, 3, "bob");
		peer_open(late);
		fixture_until(f, f->c->drain.refused == 1);
		fixture_pass(f, 300);
		crash(f); /* again, with what was counted since */
		fixture_start(f);
		assert_int_equal(f->c->drain.refused, 1);
		drain_to(f, "192.0.2.9");
		fixture_until(f, p->downs);
		fixture_pass(f, 300);
		crash(f);
		fixture_start(f);
		assert_int_equal(f->c->drain.moved, 1);
		concentrator_drain(f->c, NULL);
		assert_int_equal(records(f), 0);
		fixture_leave(f);
		fixture_start(f);
		assert_false(concentrator_is_draining(f->c));
		fixture_free(f);
	}
}

static void test_a_drain_ends_with_a_concentrator_that_is_stopped(void **state)
{
	struct fixture *f = fixture_new();

	fixture_start(f);
	drain_to(f, "192.0.2.9");
	assert_int_equal(records(f), 1);
	fixture_stop(f);
	assert_int_equal(records(f), 0);
	fixture_free(f);
}

static size_t without_rate(uint8_t *bytes, size_t len)
{
	memset(bytes + 6, 0, 4);
	return len;
}

static void test_a_drain_that_cannot_go_on_is_told(void **state)
{
	struct fixture *f = fixture_new();

	fixture_start(f);
	drain_to(f, "192.0.2.9");
	crash(f);
	spoil(f, without_rate);
	fixture_start(f);
	assert_false(concentrator_is_draining(f->c));
	assert_true(fixture_logged(f, "event=drain-lost"));
	assert_int_equal(records(f), 0);
	peer_up(f, 2, "alice");
	assert_int_equal(only(f)->id, 2); /* the number of the drain is not given again */
	drain_to(f, "2001:db8::2");
	fixture_pass(f, 300);
	crash(f);
	die_at(f, 3);
	die_at(f, 3);
	fixture_start(f);
	assert_false(concentrator_is_draining(f->c));
	assert_true(fixture_logged(f, "died twice while it read this order"));
	fixture_free(f);
}

static void test_a_drain_does_not_go_on_to_an_address_that_is_ours_now(void **state)
{
	struct fixture *f = fixture_new();
	char text[ENDPOINT_TEXT];

	snprintf(text, sizeof(text), "127.0.0.9:%d", 20000 + getpid() % 10000);
	fixture_start(f);
	drain_to(f, text);
	crash(f);
	assert_int_equal(endpoint_parse(text, L2TP_PORT, &f->config.listen[1]), 0);
	f->config.listen_count = 2;
	fixture_start(f);
	assert_true(concentrator_is_draining(f->c));
	assert_int_equal(f->c->drain.order.target_count, 0);
	fixture_free(f);
}

/* design.md section 4: 1 KiB in all; what is written down is to be half of that at most. */
static void test_a_record_is_small(void **state)
{
	struct fixture *f = fixture_new();
	uint8_t bytes[STORE_RECORD_MAX];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct peer *p = peer_new(f, 2, "alice");

	fixture_ipv4(f);
	fixture_start(f);
	peer_wants(p, true, true, true);
	peer_open(p);
	fixture_until(f,
		p->engine.state.has_binding && p->engine.state.has_binding4 && p->engine.state.has_address);
	subscriber_put_record(only(f), &w);
	assert_true(writer_ok(&w));
	print_message("a record of both families with delegated prefixes: %zu bytes\n", writer_len(&w));
	assert_true(writer_len(&w) + STORE_HEAD <= 512 + 128);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_leaves_is_followed_without_anybody_noticing),
		cmocka_unit_test(test_several_softwires_of_several_users_go_on_and_new_ones_come),
		cmocka_unit_test(test_an_end_in_order_leaves_nothing_to_adopt),
		cmocka_unit_test(test_a_guest_keeps_what_a_temporary_pool_gave),
		cmocka_unit_test(test_a_record_that_is_not_good_is_answered_with_a_farewell),
		cmocka_unit_test(test_a_record_without_a_peer_is_counted),
		cmocka_unit_test(test_a_user_who_is_gone_is_told),
		cmocka_unit_test(test_a_lease_that_is_another_one_now_ends_the_softwire),
		cmocka_unit_test(test_a_pool_that_is_gone_ends_the_softwire),
		cmocka_unit_test(test_a_lease_that_cannot_be_held_is_held_when_the_database_is_well_again),
		cmocka_unit_test(test_an_address_that_is_not_listened_on_any_more_is_left),
		cmocka_unit_test(test_who_was_being_set_up_is_told),
		cmocka_unit_test(test_a_softwire_at_which_two_have_died_is_not_adopted),
		cmocka_unit_test(test_after_too_many_starts_none_is_adopted),
		cmocka_unit_test(test_a_drain_goes_on),
		cmocka_unit_test(test_a_drain_ends_with_a_concentrator_that_is_stopped),
		cmocka_unit_test(test_a_drain_that_cannot_go_on_is_told),
		cmocka_unit_test(test_a_drain_does_not_go_on_to_an_address_that_is_ours_now),
		cmocka_unit_test(test_a_record_is_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
