/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mesh/path, mesh/endpoint, mesh/table: numbers and what they are written as, references, which leg a packet takes, and failover. */
#include "check.h"

#include <errno.h>

#include "inet/packet.h"
#include "mesh/table.h"

#include "../lib/scarce.h"

static const struct mesh_slot nowhere[MESH_SLOTS];

static struct mesh_table *table_new(void)
{
	struct mesh_table *t = malloc(sizeof(*t));

	assert_non_null(t);
	assert_int_equal(mesh_table_init(t, 1), 0);
	return t;
}

static void table_free(struct mesh_table *t)
{
	mesh_table_done(t);
	free(t);
}

static struct mesh_endpoint *endpoint_new(struct mesh_table *t, const char *text)
{
	struct addr a = address(text), outer = address("2001:db8::ffff");
	struct mesh_template template = {.len = 40};
	struct mesh_endpoint *e = mesh_endpoint_new(t, &a, &outer, &template);

	assert_non_null(e);
	assert_int_equal(e->refs, 1);
	assert_true(addr_equal(&e->address, &a));
	assert_true(addr_equal(&e->outer, &outer));
	assert_int_equal(e->template.len, 40);
	assert_int_equal(e->mtu, IP6_MIN_MTU);
	assert_false(e->usable);
	return e;
}

/* The same leg for all traffic. */
static void slots_of(struct mesh_slot *slots, struct mesh_endpoint *primary, struct mesh_endpoint *backup)
{
	for (unsigned i = 0; i < MESH_SLOTS; i++)
		slots[i] = (struct mesh_slot){.primary.endpoint = primary, .backup.endpoint = backup};
}

static struct mesh_path *path_new(struct mesh_table *t, uint32_t number, const struct mesh_slot *slots)
{
	struct mesh_path *p = NULL;

	assert_int_equal(mesh_path_new(t, number, slots, &p), 0);
	assert_int_equal(p->refs, 1);
	if (number)
		assert_int_equal(p->number, number);
	assert_ptr_equal(mesh_path_find(t, p->number), p);
	return p;
}

static void numbers_come_back_late(void **state)
{
	struct mesh_table *t = table_new();
	struct mesh_path *held = path_new(t, 0, nowhere);

	assert_int_equal(held->number, 1);
	for (uint32_t i = 2; i < 3 * MESH_PATH_PAGE; i++) {
		struct mesh_path *p = path_new(t, 0, nowhere);

		assert_int_equal(p->number, i);
		mesh_path_unref(t, p);
		assert_null(mesh_path_find(t, i));
	}
	/* All others have been there: around, and by the one that is still held. */
	t->next_number = MESH_PATH_MAX;
	mesh_path_unref(t, path_new(t, 0, nowhere));
	assert_int_equal(t->next_number, 1);
	assert_int_equal(path_new(t, 0, nowhere)->number, 2);
	table_free(t);
	(void)state;
}

/* Paths of an earlier process have the numbers that they had; new ones begin behind them. */
static void numbers_can_be_asked_for(void **state)
{
	struct mesh_path *p = NULL;
	struct mesh_table *t = table_new();

	path_new(t, 700000, nowhere);
	path_new(t, 5, nowhere);
	path_new(t, MESH_PATH_MAX - 1, nowhere);
	assert_int_equal(mesh_path_new(t, 5, nowhere, &p), -EEXIST);
	assert_int_equal(mesh_path_new(t, MESH_PATH_MAX + 1, nowhere, &p), -EINVAL);
	assert_null(p);
	assert_int_equal(path_new(t, 0, nowhere)->number, MESH_PATH_MAX);
	assert_int_equal(path_new(t, 0, nowhere)->number, 1);
	for (uint32_t i = 2; i < 5; i++)
		assert_int_equal(path_new(t, 0, nowhere)->number, i);
	assert_int_equal(path_new(t, 0, nowhere)->number, 6);
	assert_null(mesh_path_find(t, 0));
	assert_null(mesh_path_find(t, 7));
	assert_null(mesh_path_find(t, MESH_PATH_MAX + 1));
	assert_null(mesh_path_find(t, UINT32_MAX));
	table_free(t);
	(void)state;
}

/* Pages that are full are passed; and where all are, none is left. */
static void numbers_are_limited(void **state)
{
	struct mesh_table *t = table_new();
	struct mesh_path_page *full = calloc(1, sizeof(*full)), *first = calloc(1, sizeof(*first));
	struct mesh_path *p = NULL, somebody = {0};

	assert_non_null(full);
	assert_non_null(first);
	full->used = MESH_PATH_PAGE;
	first->used = MESH_PATH_PAGE - 1; /* there is no number 0 */
	for (unsigned i = 0; i < MESH_PATH_PAGE; i++)
		full->paths[i] = first->paths[i] = &somebody;
	t->pages[0] = first;
	for (unsigned i = 1; i < MESH_PATH_PAGES; i++)
		t->pages[i] = full;
	t->next_number = 12345;
	assert_int_equal(mesh_path_new(t, 0, nowhere, &p), -ENOSPC);
	assert_null(p);
	/* One is free, just before the next: all the way around to it. */
	first->used--;
	first->paths[77] = NULL;
	t->next_number = 78;
	assert_int_equal(mesh_path_new(t, 0, nowhere, &p), 0);
	assert_int_equal(p->number, 77);
	mesh_path_unref(t, p);
	free(full);
	free(first);
	memset(t->pages, 0, MESH_PATH_PAGES * sizeof(struct mesh_path_page *));
	table_free(t);
	(void)state;
}

static void paths_are_walked_by_number(void **state)
{
	static const uint32_t numbers[] = {1, 2, 4095, 4096, 4097, 1000000, MESH_PATH_MAX};
	struct mesh_table *t = table_new();
	const struct mesh_path *p;
	unsigned n = 0;

	assert_null(mesh_path_next(t, 0));
	for (size_t i = ARRAY_SIZE(numbers); i-- > 0;)
		path_new(t, numbers[i], nowhere);
	for (p = mesh_path_next(t, 0); p; p = mesh_path_next(t, p->number))
		assert_int_equal(p->number, numbers[n++]);
	assert_int_equal(n, ARRAY_SIZE(numbers));
	assert_int_equal(mesh_path_next(t, 5000)->number, 1000000);
	assert_null(mesh_path_next(t, MESH_PATH_MAX));
	assert_null(mesh_path_next(t, UINT32_MAX));
	table_free(t);
	(void)state;
}

/* A path holds its endpoints, whoever else lets go of them. */
static void references_keep_rows(void **state)
{
	struct mesh_table *t = table_new();
	struct mesh_endpoint *a = endpoint_new(t, "2001:db8::a"), *b = endpoint_new(t, "2001:db8::b");
	struct mesh_slot slots[MESH_SLOTS];
	struct mesh_path *p;

	slots_of(slots, a, b);
	slots[3] = (struct mesh_slot){.primary.endpoint = b};
	p = path_new(t, 0, slots);
	assert_int_equal(a->refs, 1 + 3);
	assert_int_equal(b->refs, 1 + 4);
	mesh_endpoint_unref(t, a);
	mesh_endpoint_unref(t, b);
	assert_int_equal(t->endpoints.used, 2);
	assert_ptr_equal(mesh_path_ref(p), p);
	mesh_path_unref(t, p);
	assert_ptr_equal(mesh_path_find(t, p->number), p);
	assert_ptr_equal(mesh_endpoint_ref(b), b);
	mesh_path_unref(t, p);
	assert_int_equal(t->paths.used, 0);
	assert_int_equal(t->endpoints.used, 1);
	assert_ptr_equal(t->first_endpoint, b);
	mesh_endpoint_unref(t, b);
	assert_int_equal(t->endpoints.used, 0);
	assert_null(mesh_endpoint_ref(NULL));
	assert_null(mesh_path_ref(NULL));
	mesh_endpoint_unref(t, NULL);
	mesh_path_unref(t, NULL);
	table_free(t);
	(void)state;
}

/* What is still there goes with the table, whoever holds it (a sanitizer looks for what is left). */
static void all_goes_with_the_table(void **state)
{
	struct mesh_table *t = table_new();
	struct mesh_endpoint *a = endpoint_new(t, "2001:db8::a"), *b = endpoint_new(t, "2001:db8::b");
	struct mesh_slot slots[MESH_SLOTS];

	slots_of(slots, a, b);
	mesh_path_ref(path_new(t, 0, slots));
	path_new(t, 99999, slots);
	endpoint_new(t, "2001:db8::c");
	table_free(t);
	(void)state;
}

struct way {
	const char *name;
	bool has_primary, primary_usable, has_backup, backup_usable;
	char leg; /* 'p', 'b', or '-' */
};

static const struct way ways[] = {
	{"nothing", false, false, false, false, '-'},
	{"the primary only", true, true, false, false, 'p'},
	{"both", true, true, true, true, 'p'},
	{"the primary is gone", true, false, true, true, 'b'},
	{"both are gone", true, false, true, false, '-'},
	{"the backup is gone", true, true, true, false, 'p'},
	{"the primary is gone, no backup", true, false, false, false, '-'},
	{"a backup only", false, false, true, true, 'b'},
	{"a backup only, which is gone", false, false, true, false, '-'},
};

static void a_packet_takes_the_leg_that_can_be_used(void **state)
{
	struct mesh_table *t = table_new();
	struct mesh_endpoint *a = endpoint_new(t, "2001:db8::a"), *b = endpoint_new(t, "2001:db8::b");

	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		const struct way *w = &ways[i];
		struct mesh_slot slots[MESH_SLOTS];
		const struct mesh_leg *leg;
		struct mesh_path *p;
		bool backup = w->leg != 'b';

		print_message("%s\n", w->name);
		slots_of(slots, w->has_primary ? a : NULL, w->has_backup ? b : NULL);
		p = path_new(t, 0, slots);
		a->usable = w->primary_usable;
		b->usable = w->backup_usable;
		leg = mesh_path_leg(t, p, 0, &backup);
		assert_ptr_equal(leg, w->leg == 'p'   ? &p->slots[0].primary
				      : w->leg == 'b' ? &p->slots[0].backup
						      : NULL);
		if (leg)
			assert_int_equal(backup, w->leg == 'b');
		mesh_path_unref(t, p);
	}
	table_free(t);
	(void)state;
}

/* proves: MESH-FWD-9 partial */
static void traffic_classes_have_their_own_legs(void **state)
{
	struct mesh_table *t = table_new();
	struct mesh_endpoint *e[MESH_SLOTS];
	struct mesh_slot slots[MESH_SLOTS] = {0};
	struct mesh_path *p;
	bool backup;

	for (unsigned i = 0; i < MESH_SLOTS; i++) {
		e[i] = endpoint_new(t, "2001:db8::a");
		e[i]->usable = true;
		slots[i].primary = (struct mesh_leg){.endpoint = e[i], .label = 100 + i};
	}
	t->slot_of[46] = 3; /* expedited forwarding */
	t->slot_of[63] = 2;
	p = path_new(t, 0, slots);
	for (unsigned dscp = 0; dscp < MESH_DSCPS; dscp++) {
		unsigned slot = dscp == 46 ? 3 : dscp == 63 ? 2 : 0;

		assert_ptr_equal(mesh_path_leg(t, p, (uint8_t)dscp, &backup)->endpoint, e[slot]);
		assert_int_equal(mesh_path_leg(t, p, (uint8_t)dscp, &backup)->label, 100 + slot);
		assert_false(backup);
	}
	/* One class without a way does not take another one's. */
	e[3]->usable = false;
	assert_null(mesh_path_leg(t, p, 46, &backup));
	assert_non_null(mesh_path_leg(t, p, 0, &backup));
	table_free(t);
	(void)state;
}

/* One word is written, and ten thousand paths have gone to their backups; another one, and they are back. */
static void failover_is_one_write(void **state)
{
	enum { PATHS = 10000 };
	struct mesh_table *t = table_new();
	struct mesh_endpoint *a = endpoint_new(t, "2001:db8::a"), *b = endpoint_new(t, "2001:db8::b");
	struct mesh_slot slots[MESH_SLOTS];

	slots_of(slots, a, b);
	a->usable = b->usable = true;
	for (unsigned i = 0; i < PATHS; i++)
		path_new(t, 0, slots);
	for (unsigned turn = 0; turn < 3; turn++) {
		unsigned n = 0;

		a->usable = turn != 1;
		for (const struct mesh_path *p = mesh_path_next(t, 0); p;
			p = mesh_path_next(t, p->number), n++) {
			bool backup = false;

			assert_ptr_equal(mesh_path_leg(t, p, 0, &backup)->endpoint, turn == 1 ? b : a);
			assert_int_equal(backup, turn == 1);
		}
		assert_int_equal(n, PATHS);
	}
	table_free(t);
	(void)state;
}

static void numbers_are_addresses(void **state)
{
	static const struct {
		uint32_t number;
		const char *gateway;
		uint8_t lladdr[6];
	} forms[] = {
		{1, "fe80::1", {2, 0, 0, 0, 0, 1}},
		{7, "fe80::7", {2, 0, 0, 0, 0, 7}},
		{0x1234, "fe80::1234", {2, 0, 0, 0, 0x12, 0x34}},
		{0x10000, "fe80::1:0", {2, 0, 0, 1, 0, 0}},
		{0xabcdef, "fe80::ab:cdef", {2, 0, 0, 0xab, 0xcd, 0xef}},
		{MESH_PATH_MAX, "fe80::ff:ffff", {2, 0, 0, 0xff, 0xff, 0xff}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct addr gateway = address(forms[i].gateway), made = mesh_path_gateway(forms[i].number);
		uint8_t lladdr[6];

		assert_true(addr_equal(&made, &gateway));
		assert_int_equal(mesh_gateway_path(&gateway), forms[i].number);
		mesh_path_lladdr(forms[i].number, lladdr);
		assert_memory_equal(lladdr, forms[i].lladdr, 6);
		assert_int_equal(mesh_lladdr_path(lladdr), forms[i].number);
	}
	(void)state;
}

static void other_addresses_are_no_numbers(void **state)
{
	static const char *const gateways[] = {"fe80::", "fe80::100:1", "fe80::1:0:1", "fe80:0:0:1::1",
		"fe81::1", "ff80::1", "fe80::ff:fe00:1", "2001:db8::1", "::1", "::", "192.0.2.1", "0.0.0.1"};
	static const uint8_t lladdrs[][6] = {
		{2, 0, 0, 0, 0, 0}, /* the device's own */
		{0, 0, 0, 0, 0, 1},
		{3, 0, 0, 0, 0, 1},
		{2, 1, 0, 0, 0, 1},
		{2, 0, 1, 0, 0, 1},
		{0x33, 0x33, 0, 0, 0, 1},
		{0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	};

	for (size_t i = 0; i < ARRAY_SIZE(gateways); i++) {
		struct addr a = address(gateways[i]);

		print_message("%s\n", gateways[i]);
		assert_int_equal(mesh_gateway_path(&a), 0);
	}
	assert_int_equal(mesh_gateway_path(&(struct addr){0}), 0);
	for (size_t i = 0; i < ARRAY_SIZE(lladdrs); i++)
		assert_int_equal(mesh_lladdr_path(lladdrs[i]), 0);
	(void)state;
}

/* Every request for memory fails once: an error, and nothing has changed. */
static void short_memory_changes_nothing(void **state)
{
	struct mesh_table t;
	struct addr a = address("2001:db8::a");
	struct mesh_template template = {0};
	struct mesh_endpoint *e = NULL;
	struct mesh_path *p = NULL;
	struct mesh_slot slots[MESH_SLOTS];
	unsigned n = 0;

	scarce_at(1);
	assert_int_equal(mesh_table_init(&t, 1), -ENOMEM);
	assert_true(scarce_happened());
	assert_int_equal(mesh_table_init(&t, 1), 0);
	for (scarce_at(++n); !(e = mesh_endpoint_new(&t, &a, &a, &template)); scarce_at(++n)) {
		assert_true(scarce_happened());
		assert_null(t.first_endpoint);
	}
	assert_false(scarce_happened());
	assert_true(n > 1);
	slots_of(slots, e, NULL);
	n = 0;
	for (scarce_at(++n); mesh_path_new(&t, 0, slots, &p) == -ENOMEM; scarce_at(++n)) {
		assert_true(scarce_happened());
		assert_null(p);
		assert_int_equal(e->refs, 1);
		assert_null(mesh_path_next(&t, 0));
		assert_int_equal(t.paths.used, 0);
		assert_int_equal(t.next_number, 1);
	}
	assert_false(scarce_happened());
	assert_true(n > 2);
	assert_int_equal(p->number, 1);
	mesh_table_done(&t);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_come_back_late),
		cmocka_unit_test(numbers_can_be_asked_for),
		cmocka_unit_test(numbers_are_limited),
		cmocka_unit_test(paths_are_walked_by_number),
		cmocka_unit_test(references_keep_rows),
		cmocka_unit_test(all_goes_with_the_table),
		cmocka_unit_test(a_packet_takes_the_leg_that_can_be_used),
		cmocka_unit_test(traffic_classes_have_their_own_legs),
		cmocka_unit_test(failover_is_one_write),
		cmocka_unit_test(numbers_are_addresses),
		cmocka_unit_test(other_addresses_are_no_numbers),
		cmocka_unit_test(short_memory_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
