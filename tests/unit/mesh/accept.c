/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mesh/accept: what is decapsulated, and by which reason the rest is not. */
#include "check.h"

#include <errno.h>

#include "mesh/table.h"

#define COOKIE                                                                                               \
	{                                                                                                    \
		0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef                                               \
	}

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

static struct mesh_acceptance *accept_new(struct mesh_table *t, const struct mesh_encapsulation *how)
{
	struct mesh_acceptance *a = NULL;

	assert_int_equal(mesh_accept_add(t, how, &a), 0);
	assert_true(a->in_use);
	assert_true(mesh_encapsulation_equal(&a->how, how));
	return a;
}

/* Everything at once: MESH-ENC-14's "accepts at once all those it advertises". Key 7 is taken for labeled packets, too, key 8 is not. */
static const struct mesh_encapsulation advertised[] = {
	{.kind = MESH_IPIP},
	{.kind = MESH_IPIP, .mpls = true},
	{.kind = MESH_GRE},
	{.kind = MESH_GRE, .mpls = true},
	{.kind = MESH_GRE, .has_key = true, .key = 7},
	{.kind = MESH_GRE, .has_key = true, .key = 8},
	{.kind = MESH_GRE, .mpls = true, .has_key = true, .key = 7},
	{.kind = MESH_L2TPV3, .session = 0x10},
	{.kind = MESH_L2TPV3, .session = 0x11, .cookie_len = 4, .cookie = COOKIE},
	{.kind = MESH_L2TPV3, .session = 0x12, .cookie_len = 8, .cookie = COOKIE},
	{.kind = MESH_L2TPV3, .mpls = true, .session = 0x13, .cookie_len = 8, .cookie = COOKIE},
};

enum verdict { TAKEN, ENCAPSULATION, KEY, SESSION, WRONG_COOKIE, VERDICTS };

/* A packet behind its outer header. */
struct packet {
	const char *name;
	uint8_t protocol;
	const char *bytes;
	enum verdict verdict;
	unsigned row;  /* TAKEN, WRONG_COOKIE: of advertised[] */
	unsigned left; /* TAKEN */
};

static const struct packet packets[] = {
	{"ipip", 4, "45", TAKEN, 0, 1},
	{"6in4", 41, "60", TAKEN, 0, 1},
	{"mpls-in-ip", 137, "00000140", TAKEN, 1, 4},
	{"gre", 47, "00000800 45", TAKEN, 2, 1},
	{"gre of IPv6", 47, "000086dd 60", TAKEN, 2, 1},
	{"mpls-in-gre", 47, "00008847 00000140", TAKEN, 3, 4},
	{"gre with key 7", 47, "20000800 00000007 45", TAKEN, 4, 1},
	{"gre with key 8", 47, "200086dd 00000008 45", TAKEN, 5, 1},
	{"mpls-in-gre with key 7", 47, "20008847 00000007 45", TAKEN, 6, 1},
	{"mpls-in-gre with key 8", 47, "20008847 00000008 45", KEY, 0, 0},
	{"gre with another key", 47, "20000800 00000009 45", KEY, 0, 0},
	{"gre with key 0", 47, "20000800 00000000 45", KEY, 0, 0},
	{"gre with key 7 in the wrong order", 47, "20000800 07000000 45", KEY, 0, 0},
	{"l2tpv3 without a cookie", 115, "00000010 45", TAKEN, 7, 1},
	{"l2tpv3, cookie of 4", 115, "00000011 01234567 45", TAKEN, 8, 1},
	{"l2tpv3, cookie of 8", 115, "00000012 0123456789abcdef 45", TAKEN, 9, 1},
	{"l2tpv3, cookie of 8, and nothing", 115, "00000012 0123456789abcdef", TAKEN, 9, 0},
	{"mpls-in-l2tpv3", 115, "00000013 0123456789abcdef 00000140", TAKEN, 10, 4},
	{"l2tpv3, another session", 115, "00000014 0123456789abcdef 45", SESSION, 0, 0},
	{"l2tpv3, the largest session", 115, "ffffffff 0123456789abcdef 45", SESSION, 0, 0},
	{"l2tpv3, the session in the wrong order", 115, "12000000 0123456789abcdef 45", SESSION, 0, 0},
	{"l2tpv3, first octet of the cookie", 115, "00000012 0023456789abcdef 45", WRONG_COOKIE, 9, 0},
	{"l2tpv3, last octet of the cookie", 115, "00000012 0123456789abcdee 45", WRONG_COOKIE, 9, 0},
	{"l2tpv3, cookie of the session beside it", 115, "00000011 76543210 45", WRONG_COOKIE, 8, 0},
	{"l2tpv3, cookie 0", 115, "00000012 0000000000000000 45", WRONG_COOKIE, 9, 0},
	{"l2tpv3, no cookie where there has to be one", 115, "00000012 45000014 00000000 40", WRONG_COOKIE, 9,
		0},
	{"l2tpv3, seven octets of the right cookie", 115, "00000012 0123456789abcd", WRONG_COOKIE, 9, 0},
	{"l2tpv3, nothing but the session", 115, "00000012", WRONG_COOKIE, 9, 0},
	{"l2tpv3, half a cookie", 115, "00000011 0123", WRONG_COOKIE, 8, 0},
	{"mpls-in-l2tpv3, a wrong cookie", 115, "00000013 fedcba9876543210 00000140", WRONG_COOKIE, 10, 0},
};

/* Nothing but the one counter of a refusal has moved. */
static void assert_verdict(const struct mesh_counters *c, enum verdict verdict)
{
	struct mesh_counters expected = {0};
	uint64_t *reasons[VERDICTS] = {[ENCAPSULATION] = &expected.drop_encapsulation,
		[KEY] = &expected.drop_key,
		[SESSION] = &expected.drop_session,
		[WRONG_COOKIE] = &expected.drop_cookie};

	if (verdict != TAKEN)
		++*reasons[verdict];
	assert_memory_equal(c, &expected, sizeof(expected));
}

/* The row that takes the packet, or NULL. */
static struct mesh_acceptance *offer(
	struct mesh_table *t, uint8_t protocol, const char *text, struct mesh_counters *c, size_t *ret_left)
{
	struct mesh_heading h = {0};
	struct mesh_acceptance *a;
	size_t len;
	uint8_t *bytes = bytes_of(text, &len);
	struct reader r = reader_of(bytes, len);

	assert_null(mesh_heading_read(&r, protocol, &h));
	a = mesh_accept_find(t, &h, &r, c);
	if (a)
		assert_true(reader_ok(&r));
	*ret_left = reader_left(&r);
	free(bytes);
	return a;
}

static enum verdict judge(struct mesh_table *t, uint8_t protocol, const char *text)
{
	struct mesh_counters c = {0};
	size_t left;

	if (offer(t, protocol, text, &c, &left))
		return TAKEN;
	return c.drop_encapsulation ? ENCAPSULATION
	       : c.drop_key         ? KEY
	       : c.drop_session     ? SESSION
				    : WRONG_COOKIE;
}

/* proves: MESH-ENC-5 partial, MESH-ENC-6 partial, MESH-ENC-7 partial, MESH-ENC-14 partial, SEC-MESH-9 partial */
static void takes_what_was_advertised_and_no_more(void **state)
{
	struct mesh_acceptance *rows[ARRAY_SIZE(advertised)];
	struct mesh_table *t = table_new();

	for (size_t i = 0; i < ARRAY_SIZE(advertised); i++)
		rows[i] = accept_new(t, &advertised[i]);
	for (size_t i = 0; i < ARRAY_SIZE(packets); i++) {
		const struct packet *p = &packets[i];
		uint64_t before = rows[p->row]->drop_cookie;
		struct mesh_counters c = {0};
		size_t left = 0;

		print_message("%s\n", p->name);
		assert_ptr_equal(offer(t, p->protocol, p->bytes, &c, &left),
			p->verdict == TAKEN ? rows[p->row] : NULL);
		assert_verdict(&c, p->verdict);
		assert_int_equal(rows[p->row]->drop_cookie - before, p->verdict == WRONG_COOKIE);
		if (p->verdict == TAKEN)
			assert_int_equal(left, p->left);
	}
	table_free(t);
	(void)state;
}

/* proves: MESH-ENC-7 partial, SEC-MESH-9 partial */
static void each_bit_of_a_cookie_counts(void **state)
{
	const struct mesh_encapsulation how = {
		.kind = MESH_L2TPV3, .session = 1, .cookie_len = 8, .cookie = COOKIE};
	const struct mesh_heading h = {.kind = MESH_L2TPV3, .session = 1};
	struct mesh_table *t = table_new();
	struct mesh_acceptance *a = accept_new(t, &how);
	struct mesh_counters c = {0};

	for (unsigned bit = 0; bit < 64; bit++) {
		uint8_t bytes[] = COOKIE;
		struct reader r = reader_of(bytes, sizeof(bytes));

		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_null(mesh_accept_find(t, &h, &r, &c));
		assert_int_equal(c.drop_cookie, bit + 1);
		assert_int_equal(a->drop_cookie, bit + 1);
	}
	table_free(t);
	(void)state;
}

/* A kind that we accept in another form has the wrong key or session; one that we accept in no form is none of ours. */
static void says_why_not(void **state)
{
	static const struct {
		const char *name;
		struct mesh_encapsulation only;
		uint8_t protocol;
		const char *bytes;
		enum verdict verdict;
	} cases[] = {
		{"a key where there is none", {.kind = MESH_GRE}, 47, "20000800 00000000 45", KEY},
		{"no key where there is one", {.kind = MESH_GRE, .has_key = true}, 47, "00000800 45", KEY},
		{"another key", {.kind = MESH_GRE, .has_key = true}, 47, "20000800 00000001 45", KEY},
		{"gre, only ipip", {.kind = MESH_IPIP}, 47, "00000800 45", ENCAPSULATION},
		{"gre with a key, only ipip", {.kind = MESH_IPIP}, 47, "20000800 00000001 45", ENCAPSULATION},
		{"l2tpv3, only gre", {.kind = MESH_GRE}, 115, "00000001 45", ENCAPSULATION},
		{"ipip, only gre", {.kind = MESH_GRE}, 4, "45", ENCAPSULATION},
		{"6in4, only l2tpv3", {.kind = MESH_L2TPV3, .session = 1}, 41, "60", ENCAPSULATION},
		{"labels, only packets by ipip", {.kind = MESH_IPIP}, 137, "00000140", ENCAPSULATION},
		{"packets, only labels by ipip", {.kind = MESH_IPIP, .mpls = true}, 4, "45", ENCAPSULATION},
		{"labels, only packets by gre", {.kind = MESH_GRE}, 47, "00008847 00000140", ENCAPSULATION},
		{"packets, only labels by gre", {.kind = MESH_GRE, .mpls = true}, 47, "00000800 45",
			ENCAPSULATION},
		{"another session", {.kind = MESH_L2TPV3, .session = 1}, 115, "00000002 45", SESSION},
		{"another cookie", {.kind = MESH_L2TPV3, .session = 1, .cookie_len = 4}, 115,
			"00000001 00000001", WRONG_COOKIE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct mesh_table *t = table_new();

		print_message("%s\n", cases[i].name);
		assert_int_equal(
			judge(t, cases[i].protocol, cases[i].bytes), ENCAPSULATION); /* nothing is accepted */
		accept_new(t, &cases[i].only);
		assert_int_equal(judge(t, cases[i].protocol, cases[i].bytes), cases[i].verdict);
		table_free(t);
	}
	(void)state;
}

/* While parameters are rolled, those of before are taken as well; and then they are not any more. */
/* proves: MESH-ENC-7 partial */
static void old_and_new_are_taken_during_a_roll(void **state)
{
	static const struct mesh_encapsulation before = {
		.kind = MESH_L2TPV3, .session = 1, .cookie_len = 4, .cookie = {1, 1, 1, 1}};
	static const struct mesh_encapsulation after = {
		.kind = MESH_L2TPV3, .session = 2, .cookie_len = 4, .cookie = {2, 2, 2, 2}};
	struct mesh_table *t = table_new();
	struct mesh_acceptance *old = accept_new(t, &before), *new;
	struct mesh_counters c = {0};
	size_t left;

	old->old = true;
	new = accept_new(t, &after);
	assert_ptr_equal(offer(t, 115, "00000001 01010101", &c, &left), old);
	assert_ptr_equal(offer(t, 115, "00000002 02020202", &c, &left), new);
	assert_int_equal(judge(t, 115, "00000001 02020202"), WRONG_COOKIE); /* not crosswise */
	assert_int_equal(judge(t, 115, "00000002 01010101"), WRONG_COOKIE);
	mesh_accept_remove(t, old);
	assert_int_equal(judge(t, 115, "00000001 01010101"), SESSION);
	assert_ptr_equal(offer(t, 115, "00000002 02020202", &c, &left), new);
	mesh_accept_remove(t, new);
	assert_int_equal(judge(t, 115, "00000002 02020202"), ENCAPSULATION);
	table_free(t);
	(void)state;
}

static void no_two_rows_for_one_packet(void **state)
{
	static const struct mesh_encapsulation another_cookie = {
		.kind = MESH_L2TPV3, .session = 0x11, .cookie_len = 4, .cookie = {9}};
	static const struct mesh_encapsulation with_labels = {
		.kind = MESH_L2TPV3, .session = 0x10, .mpls = true};
	static const struct mesh_encapsulation invalid[] = {
		{.kind = MESH_L2TPV3},
		{.kind = MESH_L2TPV3, .session = 99, .cookie_len = 3},
		{.kind = MESH_KINDS},
	};
	struct mesh_table *t = table_new();
	struct mesh_acceptance *none = (struct mesh_acceptance *)t, *a = none;

	for (size_t i = 0; i < ARRAY_SIZE(advertised); i++)
		accept_new(t, &advertised[i]);
	for (size_t i = 0; i < ARRAY_SIZE(advertised); i++)
		assert_int_equal(mesh_accept_add(t, &advertised[i], &a), -EEXIST);
	assert_int_equal(mesh_accept_add(t, &another_cookie, &a), -EEXIST);
	assert_int_equal(mesh_accept_add(t, &with_labels, &a), -EEXIST);
	for (size_t i = 0; i < ARRAY_SIZE(invalid); i++)
		assert_int_equal(mesh_accept_add(t, &invalid[i], &a), -EINVAL);
	assert_ptr_equal(a, none);
	table_free(t);
	(void)state;
}

/* Rows stay where they are; a place that is left is taken again, with counters at zero. */
static void places_are_limited(void **state)
{
	struct mesh_encapsulation how = {.kind = MESH_GRE, .has_key = true};
	struct mesh_acceptance *rows[MESH_ACCEPTS], *more = NULL;
	struct mesh_table *t = table_new();

	for (how.key = 0; how.key < MESH_ACCEPTS; how.key++)
		rows[how.key] = accept_new(t, &how);
	assert_int_equal(mesh_accept_add(t, &how, &more), -ENOSPC);
	assert_null(more);
	rows[5]->rx4.packets = 7;
	mesh_accept_remove(t, rows[5]);
	assert_int_equal(judge(t, 47, "20000800 00000005 45"), KEY);
	assert_int_equal(mesh_accept_add(t, &how, &more), 0);
	assert_ptr_equal(more, rows[5]);
	assert_int_equal(more->rx4.packets, 0);
	assert_int_equal(rows[31]->how.key, 31);
	assert_int_equal(judge(t, 47, "20000800 0000001f 45"), TAKEN);
	table_free(t);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_was_advertised_and_no_more),
		cmocka_unit_test(each_bit_of_a_cookie_counts),
		cmocka_unit_test(says_why_not),
		cmocka_unit_test(old_and_new_are_taken_during_a_roll),
		cmocka_unit_test(no_two_rows_for_one_packet),
		cmocka_unit_test(places_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
