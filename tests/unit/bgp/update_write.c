/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is written is read back the same, whatever the form; what does not fit is refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bgp/update.h"

enum {
	EVERY = (1 << BGP_FAMILIES) - 1,
	OT = BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE,
};

static uint8_t scratch[BGP_SET_MAX], message[BGP_EXTENDED_MAX * 2], set_bytes[BGP_SET_MAX];

static struct bgp_form form(void)
{
	return (struct bgp_form){.as4 = true, .families = EVERY, .max_message = BGP_MESSAGE_MAX};
}

static struct addr address(const char *text)
{
	struct addr a = {0};

	if (text)
		assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static struct bgp_next_hop_value next_hop(const char *global, const char *link_local)
{
	return (struct bgp_next_hop_value){.global = address(global), .link_local = address(link_local)};
}

static struct bgp_nlri nlri(const char *text, uint32_t label)
{
	struct bgp_nlri n = {.label = label};

	assert_int_equal(prefix_parse(text, &n.prefix), 0);
	return n;
}

/* ORIGIN, AS_PATH 4200000000 65001 {65002 4200000001}, MED, LOCAL_PREF, AGGREGATOR, communities of all kinds, a tunnel, an unknown one. */
static struct reader rich_set(void)
{
	static const uint8_t origin[] = {1}, number[] = {0, 0, 1, 0};
	static const uint8_t path[] = {
		2, 2, 0xfa, 0x56, 0xea, 0, 0, 0, 0xfd, 0xe9, 1, 2, 0, 0, 0xfd, 0xea, 0xfa, 0x56, 0xea, 1};
	static const uint8_t aggregator[] = {0xfa, 0x56, 0xea, 0, 192, 0, 2, 9};
	static const uint8_t communities[] = {0xfd, 0xe8, 0, 1, 0xff, 0xff, 0xff, 1};
	static const uint8_t extended[] = {3, 0x0c, 0, 0, 0, 0, 0, 2};
	static const uint8_t tunnel[] = {0, 2, 0, 6, 1, 4, 0, 0, 0, 7}, unknown[300] = {1, 2, 3};
	static const uint8_t large[] = {0, 0, 0xfd, 0xe8, 0, 0, 0, 1, 0, 0, 0, 2};
	struct writer w = writer_of(set_bytes, sizeof(set_bytes));

	bgp_attribute_put(&w, BGP_FLAG_TRANSITIVE, BGP_ORIGIN, origin, sizeof(origin));
	bgp_attribute_put(&w, BGP_FLAG_TRANSITIVE, BGP_AS_PATH, path, sizeof(path));
	bgp_attribute_put(&w, BGP_FLAG_OPTIONAL, BGP_MED, number, sizeof(number));
	bgp_attribute_put(&w, BGP_FLAG_TRANSITIVE, BGP_LOCAL_PREFERENCE, number, sizeof(number));
	bgp_attribute_put(&w, BGP_FLAG_TRANSITIVE, BGP_ATOMIC_AGGREGATE, NULL, 0);
	bgp_attribute_put(&w, OT, BGP_AGGREGATOR, aggregator, sizeof(aggregator));
	bgp_attribute_put(&w, OT, BGP_COMMUNITIES, communities, sizeof(communities));
	bgp_attribute_put(&w, BGP_FLAG_OPTIONAL, BGP_ORIGINATOR_ID, number, sizeof(number));
	bgp_attribute_put(&w, BGP_FLAG_OPTIONAL, BGP_CLUSTER_LIST, number, sizeof(number));
	bgp_attribute_put(&w, OT, BGP_EXTENDED_COMMUNITIES, extended, sizeof(extended));
	bgp_attribute_put(&w, OT, BGP_TUNNEL_ENCAP, tunnel, sizeof(tunnel));
	bgp_attribute_put(&w, OT, BGP_LARGE_COMMUNITIES, large, sizeof(large));
	bgp_attribute_put(&w, OT | BGP_FLAG_PARTIAL, 99, unknown, sizeof(unknown));
	assert_true(writer_ok(&w));
	return reader_of(set_bytes, writer_len(&w));
}

/* The whole message in W is read. */
static struct bgp_update read_back(const struct writer *w, const struct bgp_form *f)
{
	struct bgp_error e = {0};
	struct bgp_header h;
	struct bgp_update u;

	assert_true(writer_ok(w));
	assert_int_equal(bgp_header_read(w->start, writer_len(w), f->max_message, &h, &e), 1);
	assert_int_equal(h.type, BGP_UPDATE);
	assert_int_equal(h.length, writer_len(w));
	if (bgp_update_read(reader_of(w->start + BGP_HEADER, writer_len(w) - BGP_HEADER), f, scratch,
		    sizeof(scratch), &u, &e))
		fail_msg("%s", e.reason);
	if (u.outcome != BGP_ACCEPT)
		fail_msg("%s", u.reason);
	return u;
}

static void assert_list(struct reader list, enum bgp_family family, const struct bgp_nlri *n, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct bgp_nlri got;
		const char *why;

		assert_int_equal(bgp_nlri_read(&list, family, false, &got, &why), 1);
		assert_memory_equal(&got.prefix, &n[i].prefix, sizeof(got.prefix));
		assert_int_equal(got.label, n[i].label);
	}
	assert_int_equal(reader_left(&list), 0);
}

static void write_all(struct writer *w, const struct bgp_form *f, enum bgp_family family, struct reader set,
	const struct bgp_next_hop_value *hop, const struct bgp_nlri *n, unsigned count)
{
	struct bgp_update_writer u;

	*w = writer_of(message, sizeof(message));
	assert_int_equal(bgp_update_begin(&u, w, f, family, set, hop), 0);
	for (unsigned i = 0; i < count; i++)
		assert_true(bgp_update_add(&u, &n[i]));
	assert_int_equal(u.count, count);
	bgp_update_end(&u);
}

static const struct way {
	enum bgp_family family;
	const char *global, *link_local, *prefixes[2];
	uint32_t label;
	bool extended; /* the capability is needed */
	unsigned next_hop_octets;
} ways[] = {
	{BGP_IPV4, "192.0.2.1", NULL, {"198.51.100.0/24", "203.0.113.128/25"}, 0, false, 4},
	{BGP_IPV4, "2001:db8::1", NULL, {"198.51.100.0/24", "0.0.0.0/0"}, 0, true, 16},
	{BGP_IPV4, "2001:db8::1", "fe80::1", {"198.51.100.0/24", "203.0.113.0/24"}, 0, true, 32},
	{BGP_IPV4, NULL, "fe80::1", {"198.51.100.0/24", "203.0.113.0/24"}, 0, true, 16},
	{BGP_IPV6, "2001:db8::1", NULL, {"2001:db8:1::/48", "::/0"}, 0, false, 16},
	{BGP_IPV6, "2001:db8::1", "fe80::1", {"2001:db8:1::/48", "2001:db8:2::1/128"}, 0, false, 32},
	{BGP_IPV6, "192.0.2.1", NULL, {"2001:db8:1::/48", "2001:db8:2::/48"}, 0, false, 16},
	{BGP_IPV4_LABELED, "192.0.2.1", NULL, {"198.51.100.0/24", "203.0.113.0/24"}, 1000, false, 4},
	{BGP_IPV4_LABELED, "2001:db8::1", NULL, {"198.51.100.0/24", "203.0.113.0/24"}, 16, true, 16},
	{BGP_IPV6_LABELED, "192.0.2.1", NULL, {"2001:db8:1::/48", "2001:db8:2::/48"}, BGP_LABEL_MAX, false,
		16},
	{BGP_IPV6_LABELED, "2001:db8::1", NULL, {"2001:db8:1::/48", "2001:db8:2::/48"}, 3, false, 16},
	{BGP_IPV4_ENCAP, "192.0.2.1", NULL, {"192.0.2.1/32", "192.0.2.2/32"}, 0, false, 4},
	{BGP_IPV6_ENCAP, "2001:db8::1", NULL, {"2001:db8::1/128", "2001:db8::2/128"}, 0, false, 16},
};

/* proves: MESH-BGP-11, MESH-BGP-12, MESH-BGP-16 partial */
static void what_is_written_is_read_back_with_every_next_hop_and_either_width_of_as_numbers(void **state)
{
	for (size_t i = 0; i < 2 * sizeof(ways) / sizeof(ways[0]); i++) {
		const struct way *y = &ways[i / 2];
		struct bgp_next_hop_value hop = next_hop(y->global, y->link_local), got;
		struct bgp_nlri n[] = {nlri(y->prefixes[0], y->label), nlri(y->prefixes[1], y->label)};
		struct reader set = rich_set();
		struct bgp_form f = form();
		struct bgp_update u;
		struct writer w;
		bool classic = y->family == BGP_IPV4 && hop.global.family == AF_INET;

		f.as4 = i % 2;
		f.extended_next_hop = y->extended ? BGP_FAMILY_BIT(y->family) : 0;
		write_all(&w, &f, y->family, set, &hop, n, 2);
		u = read_back(&w, &f);
		assert_int_equal(u.has_reach, !classic);
		assert_int_equal(classic, reader_left(&u.announced) != 0);
		if (classic) {
			assert_list(u.announced, BGP_IPV4, n, 2);
		} else {
			/* first of the attributes: RFC 7606 section 5.1 */
			assert_int_equal(message[BGP_HEADER + 5], BGP_MP_REACH);
			assert_int_equal(message[BGP_HEADER + 11], y->next_hop_octets);
			assert_int_equal(u.reach_family, y->family);
			assert_list(u.reach, y->family, n, 2);
		}
		got = classic ? u.next_hop : u.reach_next_hop;
		assert_memory_equal(&got, &hop, sizeof(hop));
		assert_int_equal(reader_left(&u.set), reader_left(&set));
		assert_memory_equal(u.set.pos, set.pos, reader_left(&set));
		assert_int_equal(u.facts.path_length, 3);
		assert_int_equal(u.facts.neighbor_as, 4200000000u);
	}
}

static void withdrawals_are_read_back(void **state)
{
	for (unsigned i = 0; i < 2 * BGP_FAMILIES; i++) {
		enum bgp_family family = (enum bgp_family)(i / 2);
		bool v4 = bgp_family_af(family) == AF_INET, classic = family == BGP_IPV4 && i % 2 == 0;
		struct bgp_nlri n[] = {nlri(v4 ? "192.0.2.1/32" : "2001:db8::1/128", 0),
			nlri(v4 ? "192.0.2.2/32" : "2001:db8::2/128", 0)};
		struct bgp_form f = form();
		struct writer w = writer_of(message, sizeof(message));
		struct bgp_update_writer u;
		struct bgp_update got;
		struct reader list;

		f.extended_next_hop = i % 2 ? EVERY : 0;
		assert_int_equal(bgp_update_begin_withdraw(&u, &w, &f, family), 0);
		assert_true(bgp_update_add(&u, &n[0]));
		assert_true(bgp_update_add(&u, &n[1]));
		bgp_update_end(&u);
		got = read_back(&w, &f);
		assert_int_equal(got.has_unreach, !classic);
		assert_false(got.end_of_rib);
		list = classic ? got.withdrawn : got.unreach;
		if (bgp_family_labeled(family))
			assert_int_equal(list.pos[1], 0x80);
		for (unsigned k = 0; k < 2; k++) {
			struct bgp_nlri one;
			const char *why;

			assert_int_equal(bgp_nlri_read(&list, family, true, &one, &why), 1);
			assert_memory_equal(&one.prefix, &n[k].prefix, sizeof(one.prefix));
		}
		assert_int_equal(reader_left(&list), 0);
	}
}

static void an_end_of_rib_is_read_back_for_every_family(void **state)
{
	struct bgp_form f = form();

	for (unsigned i = 0; i < BGP_FAMILIES; i++) {
		struct writer w = writer_of(message, sizeof(message));
		struct bgp_update u;

		bgp_end_of_rib_write(&w, (enum bgp_family)i);
		u = read_back(&w, &f);
		assert_true(u.end_of_rib);
		assert_int_equal(u.end_family, i);
	}
}

/* proves: MESH-BGP-14 partial */
static void a_next_hop_of_the_other_family_is_told_only_to_who_can_read_it(void **state)
{
	struct bgp_next_hop_value six = next_hop("2001:db8::1", NULL), four = next_hop("192.0.2.1", NULL),
				  none = {0};
	static const enum bgp_family v4[] = {BGP_IPV4, BGP_IPV4_LABELED, BGP_IPV4_ENCAP};
	struct bgp_form f = form();
	struct bgp_update_writer u;
	struct writer w = writer_of(message, sizeof(message));

	for (unsigned i = 0; i < 3; i++) {
		f.extended_next_hop = (bgp_families)~BGP_FAMILY_BIT(v4[i]);
		assert_false(bgp_next_hop_fits(&f, v4[i], &six));
		assert_true(bgp_next_hop_fits(&f, v4[i], &four));
		assert_int_equal(bgp_update_begin(&u, &w, &f, v4[i], rich_set(), &six), -EAFNOSUPPORT);
		f.extended_next_hop = BGP_FAMILY_BIT(v4[i]);
		assert_true(bgp_next_hop_fits(&f, v4[i], &six));
	}
	f.extended_next_hop = 0;
	assert_true(bgp_next_hop_fits(&f, BGP_IPV6, &four));
	assert_true(bgp_next_hop_fits(&f, BGP_IPV6_LABELED, &four));
	assert_false(bgp_next_hop_fits(&f, BGP_IPV6, &none));
	assert_int_equal(writer_len(&w), 0);
}

static void no_message_is_longer_than_agreed_and_none_is_lost_at_its_end(void **state)
{
	static const uint16_t sizes[] = {BGP_MESSAGE_MAX, BGP_EXTENDED_MAX};
	struct bgp_next_hop_value four = next_hop("192.0.2.1", NULL), six = next_hop("2001:db8::1", NULL);

	for (unsigned i = 0; i < 12; i++) {
		struct bgp_form f = form();
		struct writer w = writer_of(message, sizeof(message));
		struct bgp_nlri n = nlri(i & 2 ? "2001:db8::/64" : "198.51.100.0/24", 5);
		enum bgp_family family = i & 2 ? BGP_IPV6 : i & 8 ? BGP_IPV4_LABELED : BGP_IPV4;
		struct bgp_update_writer u;
		struct bgp_update got;
		struct reader list;

		f.max_message = sizes[i & 1];
		if (i & 4)
			assert_int_equal(bgp_update_begin_withdraw(&u, &w, &f, family), 0);
		else
			assert_int_equal(
				bgp_update_begin(&u, &w, &f, family, rich_set(), i & 2 ? &six : &four), 0);
		while (bgp_update_add(&u, &n))
			;
		bgp_update_end(&u);
		assert_true(writer_len(&w) <= f.max_message);
		assert_true(writer_len(&w) + bgp_nlri_size(family, &n) > f.max_message);
		got = read_back(&w, &f);
		list = i & 4           ? got.has_unreach ? got.unreach : got.withdrawn
		       : got.has_reach ? got.reach
				       : got.announced;
		assert_int_equal(reader_left(&list), u.count * bgp_nlri_size(family, &n));
	}
}

static void a_set_that_leaves_no_room_is_refused_and_so_is_a_buffer(void **state)
{
	static const uint8_t much[BGP_MESSAGE_MAX];
	struct bgp_next_hop_value hop = next_hop("192.0.2.1", NULL);
	struct bgp_form f = form();
	struct bgp_update_writer u;
	struct writer w = writer_of(message, sizeof(message)), set = writer_of(set_bytes, sizeof(set_bytes));

	bgp_attribute_put(&set, OT, 99, much, sizeof(much));
	assert_int_equal(bgp_update_begin(&u, &w, &f, BGP_IPV4, reader_of(set_bytes, writer_len(&set)), &hop),
		-EMSGSIZE);
	assert_int_equal(bgp_update_begin(&u, &w, &f, BGP_IPV6, reader_of(set_bytes, writer_len(&set)), &hop),
		-EMSGSIZE);
	f.max_message = BGP_EXTENDED_MAX;
	assert_int_equal(
		bgp_update_begin(&u, &w, &f, BGP_IPV6, reader_of(set_bytes, writer_len(&set)), &hop), 0);
	w = writer_of(message, 100);
	assert_int_equal(bgp_update_begin(&u, &w, &f, BGP_IPV4, rich_set(), &hop), -ENOBUFS);
	assert_int_equal(writer_len(&w), 0);
	assert_true(writer_ok(&w));
	w = writer_of(message, BGP_HEADER + 4);
	assert_int_equal(bgp_update_begin_withdraw(&u, &w, &f, BGP_IPV4), -ENOBUFS);
}

/* Else an empty MP_UNREACH would be an End-of-RIB. */
static void without_a_prefix_nothing_is_written(void **state)
{
	struct bgp_next_hop_value hop = next_hop("2001:db8::1", NULL);
	struct bgp_form f = form();
	struct bgp_update_writer u;
	struct writer w = writer_of(message, sizeof(message));

	assert_int_equal(bgp_update_begin_withdraw(&u, &w, &f, BGP_IPV6), 0);
	bgp_update_end(&u);
	assert_int_equal(bgp_update_begin(&u, &w, &f, BGP_IPV6, rich_set(), &hop), 0);
	bgp_update_end(&u);
	assert_int_equal(writer_len(&w), 0);
}

static bool has_raw(const struct writer *w, uint8_t type, struct reader *ret)
{
	struct reader r = reader_of(w->start + BGP_HEADER, writer_len(w) - BGP_HEADER), attributes;

	reader_skip(&r, reader_u16(&r));
	attributes = reader_sub(&r, reader_u16(&r));
	while (reader_left(&attributes)) {
		uint8_t flags = reader_u8(&attributes), got = reader_u8(&attributes);

		*ret = reader_sub(&attributes,
			flags & BGP_FLAG_EXTENDED ? reader_u16(&attributes) : reader_u8(&attributes));
		if (got == type)
			return true;
	}
	assert_true(reader_ok(&attributes));
	return false;
}

/* RFC 6793 section 4.2.2: only where something would be lost, and without what belongs to a confederation. */
static void as4_path_goes_along_only_where_two_octets_are_not_enough(void **state)
{
	static const uint8_t origin[] = {0}, small[] = {2, 1, 0, 0, 0xfd, 0xe9};
	static const uint8_t confederation[] = {3, 1, 0xfa, 0x56, 0xea, 0, 2, 1, 0, 0, 0xfd, 0xe9};
	static const uint8_t both[] = {3, 1, 0, 0, 0xfd, 0xe8, 2, 1, 0xfa, 0x56, 0xea, 0};
	static const struct {
		const uint8_t *path;
		size_t len;
		bool wide;
	} cases[] = {{small, sizeof(small), false}, {confederation, sizeof(confederation), false},
		{both, sizeof(both), true}};
	struct bgp_next_hop_value hop = next_hop("192.0.2.1", NULL);
	struct bgp_nlri n = nlri("198.51.100.0/24", 0);
	struct bgp_form f = form();

	f.as4 = false;
	for (unsigned i = 0; i < 3; i++) {
		struct writer w, set = writer_of(set_bytes, sizeof(set_bytes));
		struct reader raw;

		bgp_attribute_put(&set, BGP_FLAG_TRANSITIVE, BGP_ORIGIN, origin, sizeof(origin));
		bgp_attribute_put(&set, BGP_FLAG_TRANSITIVE, BGP_AS_PATH, cases[i].path, cases[i].len);
		write_all(&w, &f, BGP_IPV4, reader_of(set_bytes, writer_len(&set)), &hop, &n, 1);
		assert_int_equal(has_raw(&w, BGP_AS4_PATH, &raw), cases[i].wide);
		if (cases[i].wide) {
			static const uint8_t wanted[] = {2, 1, 0xfa, 0x56, 0xea, 0};

			assert_int_equal(reader_left(&raw), sizeof(wanted));
			assert_memory_equal(raw.pos, wanted, sizeof(wanted));
		}
	}
}

/* RFC 5065 section 5 */
static void segments_of_a_confederation_stay_inside(void **state)
{
	static const uint8_t origin[] = {0}, path[] = {2, 1, 0, 0, 0xfd, 0xe8, 3, 1, 0, 0, 0xfd, 0xe9, 2, 1,
						     0, 0, 0xfd, 0xea};
	struct bgp_next_hop_value hop = next_hop("192.0.2.1", NULL);
	struct bgp_nlri n = nlri("198.51.100.0/24", 0);

	for (unsigned i = 0; i < 4; i++) {
		struct bgp_form f = form();
		struct writer w, set = writer_of(set_bytes, sizeof(set_bytes));
		struct reader raw;
		char text[64];

		f.as4 = i & 1;
		f.external = i & 2;
		bgp_attribute_put(&set, BGP_FLAG_TRANSITIVE, BGP_ORIGIN, origin, sizeof(origin));
		bgp_attribute_put(&set, BGP_FLAG_TRANSITIVE, BGP_AS_PATH, path, sizeof(path));
		write_all(&w, &f, BGP_IPV4, reader_of(set_bytes, writer_len(&set)), &hop, &n, 1);
		assert_string_equal(bgp_path_print(read_back(&w, &f).set, text, sizeof(text)),
			f.external ? "65000 65002" : "65000 (65001) 65002");
		assert_false(has_raw(&w, BGP_AS4_PATH, &raw));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_is_written_is_read_back_with_every_next_hop_and_either_width_of_as_numbers),
		cmocka_unit_test(withdrawals_are_read_back),
		cmocka_unit_test(an_end_of_rib_is_read_back_for_every_family),
		cmocka_unit_test(a_next_hop_of_the_other_family_is_told_only_to_who_can_read_it),
		cmocka_unit_test(no_message_is_longer_than_agreed_and_none_is_lost_at_its_end),
		cmocka_unit_test(a_set_that_leaves_no_room_is_refused_and_so_is_a_buffer),
		cmocka_unit_test(without_a_prefix_nothing_is_written),
		cmocka_unit_test(as4_path_goes_along_only_where_two_octets_are_not_enough),
		cmocka_unit_test(segments_of_a_confederation_stay_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
