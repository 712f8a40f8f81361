/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Leases from elsewhere: all of them or none, by three rules; and checks that find what is not in order. */
#include "fixture.h"

enum { USERS = 100 };

struct fixture {
	char folder[64], path[100], why[256];
	struct lease_store *s;
};

static struct lease_pool_config default_pool(void)
{
	struct lease_pool_config c = pool_of("default", "2001:db8:100::/48", "2001:db8:8000::/36", 56);

	pool_set4(&c, "198.51.0.0/17", "198.51.128.0/17", 29);
	return c;
}

static void open_store(struct fixture *f)
{
	struct lease_pool_config c[2] = {default_pool(), pool_of("guests", "2001:db8:200::/48", NULL, 0)};

	c[1].temporary = true;
	f->s = lease_store_open(NULL, f->path, NULL, f->why);
	assert_non_null(f->s);
	assert_int_equal(lease_store_set_pools(f->s, c, 2, f->why), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	make_folder(f->folder);
	snprintf(f->path, sizeof(f->path), "%s/leases.db", f->folder);
	open_store(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	lease_store_close(f->s);
	remove_folder(f->folder);
	free(f);
	return 0;
}

struct outcome {
	unsigned count;
	int result;
	struct lease_import_result r;
	char said[4000];
};

static void collect(char *said, size_t size, const char *const *sentences, size_t count)
{
	said[0] = '\0';
	for (size_t i = 0; i < count; i++)
		snprintf(said + strlen(said), size - strlen(said), "%s\n", sentences[i]);
}

static void imported(void *owner, int result, const struct lease_import_result *r,
	const char *const *sentences, size_t count, const char *why)
{
	struct outcome *o = owner;

	o->count++;
	o->result = result;
	o->r = *r;
	assert_int_equal(result != 0, why[0] != '\0');
	collect(o->said, sizeof(o->said), sentences, count);
}

static struct outcome import(
	struct fixture *f, enum lease_import_rule rule, const struct lease *leases, unsigned count)
{
	struct lease_import *im = lease_import_new(f->s);
	struct outcome o = {0};

	for (unsigned i = 0; i < count; i++)
		if (lease_import_add(im, &leases[i], f->why))
			fail_msg("%s", f->why);
	lease_import_run(im, rule, imported, &o);
	assert_int_equal(o.count, 1);
	return o;
}

struct findings {
	char problems[4000], notes[4000];
};

static void found(void *owner, const struct lease_findings *l)
{
	struct findings *f = owner;

	collect(f->problems, sizeof(f->problems), l->problems, l->problem_count);
	collect(f->notes, sizeof(f->notes), l->notes, l->note_count);
}

static void assert_check_notes(struct fixture *f, bool (*knows)(void *owner, const char *user),
	const char *words, const char *notes)
{
	struct findings said = {"no answer", "no answer"};

	lease_check(f->s, knows, found, &said);
	if (words)
		assert_says(said.problems, words);
	else
		assert_string_equal(said.problems, "");
	assert_string_equal(said.notes, notes);
}

static void assert_check(struct fixture *f, bool (*knows)(void *owner, const char *user), const char *words)
{
	assert_check_notes(f, knows, words, "");
}

static struct lease lease_of(const char *user, const char *link, const char *delegated, const char *address)
{
	struct lease l = {.link6 = p(link), .granted_at = 1700000000, .used_at = 1700000001, .used_order = 7};

	snprintf(l.user, sizeof(l.user), "%s", user);
	snprintf(l.pool, sizeof(l.pool), "default");
	if (delegated)
		l.delegated[l.prefix_count++] = p(delegated);
	if (address)
		assert_int_equal(addr_parse(address, &l.address4), 0);
	return l;
}

/* What one store had the other one has: the same prefixes, the same order of use. */
static void what_is_taken_out_can_be_put_into_another_store(void **state)
{
	struct fixture *f = *state;
	struct lease *all = calloc(USERS, sizeof(*all));
	const struct lease *l;
	uint32_t cursor = 0;
	unsigned count = 0;
	uint8_t duid[] = {0, 3, 0, 1, 2, 0, 0, 0, 0, 1};
	char user[16];
	struct answered a = {0};

	for (unsigned i = 0; i < USERS; i++) {
		struct lease_request r;

		snprintf(user, sizeof(user), "u%u", i);
		r = want_all(user, i % 3 ? 0 : 1);
		if (i == 5) {
			r.fixed_count = 1;
			r.fixed[0] = p("2001:db8:7000::/48");
		}
		assert_int_equal(acquire(f->s, &r).result, 0);
		lease_idle(f->s, user, r.slot);
	}
	lease_bind(f->s, "u7", 0, duid, sizeof(duid), 9, remember, &a);
	assert_int_equal(a.result, 0);
	while ((l = lease_next(f->s, &cursor)))
		all[count++] = *l;
	assert_int_equal(count, USERS);
	lease_store_close(f->s);
	remove_database(f->path);
	open_store(f);
	assert_int_equal(lease_count(f->s, NULL), 0);
	assert_int_equal(import(f, LEASE_IMPORT_STRICT, all, USERS).r.added, USERS);
	for (unsigned reopened = 0; reopened < 2; reopened++) {
		for (unsigned i = 0; i < USERS; i++) {
			l = lease_find(f->s, all[i].user, all[i].slot);
			assert_non_null(l);
			assert_memory_equal(l, &all[i], sizeof(*l));
		}
		assert_check(f, NULL, NULL);
		lease_store_close(f->s);
		open_store(f);
	}
	assert_int_equal(
		lease_find(f->s, "u5", 1) ? 1 : lease_find(f->s, "u5", 0)->fixed, LEASE_FIXED_DELEGATED);
	assert_int_equal(import(f, LEASE_IMPORT_STRICT, all, USERS).r.same, USERS);
	free(all);
}

struct before {
	struct lease alice, bob;
};

static struct before two_users(struct fixture *f)
{
	struct lease_request a = want_all("alice", 0), b = want_all("bob", 0);
	struct before ret = {acquire(f->s, &a).lease, acquire(f->s, &b).lease};

	lease_idle(f->s, "alice", 0);
	lease_idle(f->s, "bob", 0);
	return ret;
}

static void assert_unchanged(struct fixture *f, const struct before *b)
{
	assert_true(prefix_equal(&lease_find(f->s, "alice", 0)->link6, &b->alice.link6));
	assert_true(addr_equal(&lease_find(f->s, "alice", 0)->address4, &b->alice.address4));
	assert_true(prefix_equal(&lease_find(f->s, "bob", 0)->delegated[0], &b->bob.delegated[0]));
	assert_null(lease_find(f->s, "carol", 0));
	assert_check(f, NULL, NULL);
}

static void strictly_nothing_changes_when_anything_conflicts(void **state)
{
	struct fixture *f = *state;
	struct before b = two_users(f);
	struct lease come[3] = {lease_of("carol", "2001:db8:100:fff0::/64", NULL, NULL), b.bob, b.alice};
	struct outcome o;

	come[2].address4.bytes[3] ^= 1;
	o = import(f, LEASE_IMPORT_STRICT, come, 3);
	assert_int_equal(o.result, -EEXIST);
	assert_string_equal(o.said, "user alice, slot 0 has another lease\n");
	assert_unchanged(f, &b);
	come[2] = lease_of("dave", NULL, NULL, NULL);
	come[2].link6 = b.alice.link6;
	o = import(f, LEASE_IMPORT_STRICT, come, 3);
	assert_int_equal(o.result, -EEXIST);
	assert_says(o.said, "of user dave overlaps what user alice, slot 0 has\n");
	assert_unchanged(f, &b);
	assert_int_equal(o.r.added + o.r.replaced + o.r.lost, 0);
	assert_int_equal(import(f, LEASE_IMPORT_STRICT, come, 2).r.added, 1);
	assert_non_null(lease_find(f->s, "carol", 0));
}

static void by_merge_what_conflicts_is_left_out(void **state)
{
	struct fixture *f = *state;
	struct before b = two_users(f);
	struct lease come[3] = {lease_of("carol", "2001:db8:100:fff0::/64", NULL, NULL), b.bob, b.alice};
	struct outcome o;

	snprintf(come[2].user, sizeof(come[2].user), "dave");
	o = import(f, LEASE_IMPORT_MERGE, come, 3);
	assert_int_equal(o.result, 0);
	assert_int_equal(o.r.added, 1);
	assert_int_equal(o.r.same, 1);
	assert_int_equal(o.r.left_out, 1);
	assert_says(o.said, "of user dave overlaps what user alice, slot 0 has\n");
	assert_null(lease_find(f->s, "dave", 0));
	assert_non_null(lease_find(f->s, "carol", 0));
	assert_check(f, NULL, NULL);
}

/* Two users change places, and a third one takes a part of what is left; nothing is ever there twice. */
static void by_force_what_comes_wins(void **state)
{
	struct fixture *f = *state;
	struct before b = two_users(f);
	struct lease come[3] = {b.alice, b.bob, lease_of("carol", NULL, NULL, NULL)};
	struct outcome o;

	snprintf(come[0].user, sizeof(come[0].user), "bob");
	snprintf(come[1].user, sizeof(come[1].user), "alice");
	come[1].subnet_count = 0;
	come[2].subnets[come[2].subnet_count++] = b.bob.subnets[0];
	o = import(f, LEASE_IMPORT_FORCE, come, 3);
	assert_int_equal(o.result, 0);
	for (unsigned reopened = 0; reopened < 2; reopened++) {
		assert_true(prefix_equal(&lease_find(f->s, "bob", 0)->link6, &b.alice.link6));
		assert_true(addr_equal(&lease_find(f->s, "alice", 0)->address4, &b.bob.address4));
		assert_int_equal(lease_find(f->s, "alice", 0)->subnet_count, 0);
		assert_true(prefix_equal(&lease_find(f->s, "carol", 0)->subnets[0], &b.bob.subnets[0]));
		assert_check(f, NULL, NULL);
		lease_store_close(f->s);
		open_store(f);
	}
}

static void what_is_in_use_or_fixed_for_another_is_not_taken_by_force(void **state)
{
	struct fixture *f = *state;
	struct before b = two_users(f);
	struct lease_request r = want_all("alice", 0);
	struct lease come[2] = {lease_of("carol", "2001:db8:100:fff0::/64", NULL, NULL), b.alice};
	struct prefix fixed = p("2001:db8:100:fff0::/60");
	struct outcome o;

	assert_int_equal(acquire(f->s, &r).result, 0);
	snprintf(come[1].user, sizeof(come[1].user), "dave");
	o = import(f, LEASE_IMPORT_FORCE, come, 2);
	assert_int_equal(o.result, -EEXIST);
	assert_says(o.said, "slot 0 has, and is using\n");
	assert_unchanged(f, &b);
	lease_idle(f->s, "alice", 0);
	assert_int_equal(lease_store_reserve(f->s, &fixed, "erin"), 0);
	o = import(f, LEASE_IMPORT_FORCE, come, 1);
	assert_int_equal(o.result, -EEXIST);
	assert_says(o.said, "2001:db8:100:fff0::/64 of user carol is fixed for user erin\n");
	assert_int_equal(import(f, LEASE_IMPORT_MERGE, come, 1).r.left_out, 1);
	strcpy(come[0].pool, "guests");
	assert_says(import(f, LEASE_IMPORT_MERGE, come, 1).said, "is of pool guests, which is temporary");
	assert_unchanged(f, &b);
}

static void a_full_disk_undoes_all_of_it(void **state)
{
	struct fixture *f = *state;
	struct before b = two_users(f);
	struct lease come[2] = {b.alice, lease_of("carol", "2001:db8:100:fff0::/64", NULL, NULL)};

	snprintf(come[0].user, sizeof(come[0].user), "bob");
	fill_disk(true);
	assert_int_equal(import(f, LEASE_IMPORT_FORCE, come, 2).result, -EIO);
	assert_int_equal(import(f, LEASE_IMPORT_FORCE, come, 2).result, -EIO);
	fill_disk(false);
	assert_unchanged(f, &b);
	assert_int_equal(import(f, LEASE_IMPORT_FORCE, come, 2).result, 0);
	assert_check(f, NULL, NULL);
}

static void impossible_leases_are_refused_one_by_one(void **state)
{
	static const struct {
		const char *user, *link, *delegated, *address, *why;
	} bad[] = {
		{"", "2001:db8:1::/64", NULL, NULL, "impossible user"},
		{"x", NULL, NULL, NULL, "has no address and no prefix"},
		{"x", "2001:db8:1::/60", NULL, NULL, "is not IPv6 of /64 to /64"},
		{"x", "192.0.2.0/24", NULL, NULL, "is not IPv6"},
		{"x", "::/64", NULL, NULL, "is not IPv6"},
		{"x", NULL, "2001:db8::/47", NULL, "is not IPv6 of /48 to /64"},
		{"x", NULL, "2001:db8::/65", NULL, "is not IPv6 of /48 to /64"},
		{"x", NULL, NULL, "2001:db8::1", "is not IPv4 of /32 to /32"},
		{"x", "2001:db8:9::/64", NULL, NULL, "overlaps another one that comes with it"},
		{"x", NULL, "2001:db8:9::/48", NULL, "overlaps another one that comes with it"},
		{"x", NULL, NULL, "192.0.2.9", "overlaps another one that comes with it"},
		{"good", "2001:db8:a::/64", NULL, NULL, "comes twice"},
	};
	struct fixture *f = *state;
	struct lease_import *im = lease_import_new(f->s);
	struct lease good = lease_of("good", "2001:db8:9::/64", NULL, "192.0.2.9"), l;
	struct outcome o = {0};

	assert_int_equal(lease_import_add(im, &good, f->why), 0);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		l = lease_of(bad[i].user, bad[i].link, bad[i].delegated, bad[i].address);
		assert_int_equal(lease_import_add(im, &l, f->why), -EINVAL);
		assert_says(f->why, bad[i].why);
	}
	l = lease_of("x", "2001:db8:1::/64", NULL, NULL);
	l.used_order = UINT64_MAX;
	assert_int_equal(lease_import_add(im, &l, f->why), -EINVAL);
	l.used_order = 0;
	l.prefix_count = LEASE_PREFIXES + 1;
	assert_int_equal(lease_import_add(im, &l, f->why), -EINVAL);
	lease_import_run(im, LEASE_IMPORT_STRICT, imported, &o);
	assert_int_equal(o.r.added, 1);
	lease_import_free(lease_import_new(f->s)); /* given up */
}

/* ---- check ---- */

static bool knows_alice(void *owner, const char *user)
{
	return !strcmp(user, "alice");
}

#define CAROL_OUTSIDE                                                                                        \
	"2001:db8:ffff:1::/64 of user carol, slot 0 lies outside of pool default since the pool was changed " \
	"or the lease imported; `softwire forget carol` gives another one\n"

/* Users keep what they have: that is as it should be. */
static void the_check_only_notes_what_a_changed_pool_would_not_give(void **state)
{
	static const char since[] = "since the pool was changed or the lease imported; `softwire forget alice` "
				    "gives another one\n";
	struct fixture *f = *state;
	struct lease_request want = want_all("alice", 0);
	struct lease alice = acquire(f->s, &want).lease;
	struct lease_pool_config c = default_pool();
	char link[PREFIX_TEXT], delegated[PREFIX_TEXT], notes[1000];

	prefix_print(&alice.link6, link);
	prefix_print(&alice.delegated[0], delegated);
	assert_check_notes(f, NULL, NULL, "");
	c.delegate_len += 4;
	assert_int_equal(lease_store_set_pools(f->s, &c, 1, f->why), 0);
	snprintf(notes, sizeof(notes),
		"%s of user alice, slot 0 has not the length that pool default gives %s", delegated, since);
	assert_check_notes(f, NULL, NULL, notes);
	c.delegate_len -= 4;
	c.link6 = p("2001:db8:7777::/48");
	assert_int_equal(lease_store_set_pools(f->s, &c, 1, f->why), 0);
	snprintf(notes, sizeof(notes), "%s of user alice, slot 0 lies outside of pool default %s", link, since);
	assert_check_notes(f, NULL, NULL, notes);
}

static void the_check_finds_what_is_not_as_pools_and_users_want_it(void **state)
{
	struct fixture *f = *state;
	struct before b = two_users(f);
	struct lease come = lease_of("carol", "2001:db8:ffff:1::/64", NULL, NULL);
	struct lease_pool_config c = pool_of("other", "2001:db8:100::/48", NULL, 0);

	assert_check(f, NULL, NULL);
	assert_check(f, knows_alice, "user bob, who has a lease in slot 0, is not in the users file\n");
	assert_int_equal(import(f, LEASE_IMPORT_STRICT, &come, 1).r.added, 1);
	assert_check_notes(f, NULL, NULL, CAROL_OUTSIDE);
	assert_int_equal(lease_store_reserve(f->s, &b.bob.link6, "carol"), 0);
	assert_check_notes(f, NULL, "of user bob, slot 0 is fixed for user carol\n", CAROL_OUTSIDE);
	assert_int_equal(lease_store_set_pools(f->s, &c, 1, f->why), 0);
	assert_check(
		f, NULL, "the lease of user bob, slot 0 is of pool \"default\", which is not configured\n");
}

static void the_check_finds_what_the_database_does_not_have(void **state)
{
	struct fixture *f = *state;
	char junk[4096];
	int fd;

	two_users(f);
	lease_store_close(f->s);
	open_store(f);
	assert_check(f, NULL, NULL);
	fd = open(f->path, O_WRONLY | O_CLOEXEC);
	memset(junk, 0x5a, sizeof(junk));
	for (unsigned page = 2; page < 7; page++)
		assert_int_equal(pwrite(fd, junk, sizeof(junk), page * (off_t)sizeof(junk)), sizeof(junk));
	close(fd);
	assert_check(f, NULL, "database");
	two_users(f); /* tries again first, and makes it anew */
	assert_check(f, NULL, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_taken_out_can_be_put_into_another_store),
		TEST(strictly_nothing_changes_when_anything_conflicts),
		TEST(by_merge_what_conflicts_is_left_out),
		TEST(by_force_what_comes_wins),
		TEST(what_is_in_use_or_fixed_for_another_is_not_taken_by_force),
		TEST(a_full_disk_undoes_all_of_it),
		TEST(impossible_leases_are_refused_one_by_one),
		TEST(the_check_only_notes_what_a_changed_pool_would_not_give),
		TEST(the_check_finds_what_is_not_as_pools_and_users_want_it),
		TEST(the_check_finds_what_the_database_does_not_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
