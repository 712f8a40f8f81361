/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bgp/mrt: golden bytes laid out by hand from RFC 6396. With an argument the program writes a file of records of every kind there instead, for other
 * people's readers to judge (tests/interop/test_mrt.py).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bgp/mrt.h"
#include "bgp/parts.h"

#define MARKER 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff

enum { NOW = 5000000, TIME = 0x6553f100, FIRST = 1, SECOND = 3 }; /* told 1000 s ago: at 0x6553ed18 */

static const uint8_t keepalive[] = {MARKER, 0, 19, 4};
static const uint8_t end_of_rib[] = {MARKER, 0, 23, 2, 0, 0, 0, 0};

/* ---- a speaker with two neighbours and tables, without sessions ---- */

struct speaker {
	struct bgp bgp;
	struct bgp_neighbor neighbors[2];
	uint8_t record[MRT_RECORD];
	struct mrt_dump dump;
};

static struct addr addr_of(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static const struct decision_source *source(const struct decision_ops *ops, uint16_t number)
{
	static const struct decision_source all = {.id = 1};

	return &all;
}

static void nothing_changed(struct rib *r)
{
}

static void neighbor_set(
	struct speaker *s, unsigned number, uint16_t place, const char *address, uint32_t as, uint32_t id)
{
	struct bgp_neighbor *n = &s->neighbors[number];

	n->bgp = &s->bgp;
	n->source = place;
	n->config.as = as;
	n->config.address = addr_of(address);
	n->facts.id = id;
	s->bgp.neighbors[place] = n;
}

static struct speaker *speaker_new(void)
{
	struct speaker *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->bgp.config.as = 65000;
	s->bgp.config.id = 0x0a000001;
	s->bgp.decision.source = source;
	bgp_sets_init(&s->bgp.sets, 1, NULL);
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		rib_init(&s->bgp.ribs[f], (enum bgp_family)f, &s->bgp.sets, &s->bgp.decision, 1,
			nothing_changed);
	neighbor_set(s, 0, FIRST, "192.0.2.1", 65001, 0x01010101);
	neighbor_set(s, 1, SECOND, "2001:db8::3", 4200000003, 0x03030303);
	return s;
}

static void speaker_free(struct speaker *s)
{
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		rib_done(&s->bgp.ribs[f]);
	bgp_sets_done(&s->bgp.sets);
	free(s);
}

/* ORIGIN IGP, AS_PATH 65001 4200000000, and PADDING octets of an attribute that nobody knows. */
static struct reader plain_set(uint8_t *buf, size_t size, size_t padding)
{
	static const uint8_t path[] = {2, 2, 0, 0, 0xfd, 0xe9, 0xfa, 0x56, 0xea, 0x00};
	struct writer w = writer_of(buf, size);
	uint8_t *value = calloc(1, padding + 1);

	assert_non_null(value);
	bgp_attribute_put(&w, BGP_FLAG_TRANSITIVE, BGP_ORIGIN, "", 1);
	bgp_attribute_put(&w, BGP_FLAG_TRANSITIVE, BGP_AS_PATH, path, sizeof(path));
	if (padding)
		bgp_attribute_put(&w, BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE, 99, value, padding);
	free(value);
	assert_true(writer_ok(&w));
	return reader_of(buf, writer_len(&w));
}

/* PLACE tells a route; NEXT_HOP NULL: none. */
static void tell(struct speaker *s, enum bgp_family family, uint16_t place, const char *prefix,
	uint32_t label, const char *next_hop, size_t padding)
{
	static uint8_t buf[BGP_SET_MAX];
	struct bgp_next_hop_value value = {0};
	struct bgp_nlri nlri = {.label = label};
	const struct bgp_set *set;

	if (next_hop)
		value.global = addr_of(next_hop);
	assert_int_equal(prefix_parse(prefix, &nlri.prefix), 0);
	set = bgp_set_get(&s->bgp.sets, plain_set(buf, sizeof(buf), padding), NULL, &value, 0);
	assert_non_null(set);
	assert_true(rib_update(&s->bgp.ribs[family], &nlri, place, set, BGP_BAR_NONE, NOW / 1000 - 1000,
			    NULL) >= 0);
}

static void begin(struct speaker *s)
{
	mrt_dump_begin(&s->dump, &s->bgp, TIME, NOW);
}

static struct reader next(struct speaker *s)
{
	size_t len = mrt_dump_next(&s->dump, s->record, sizeof(s->record));

	return reader_of(s->record, len);
}

static void check_next(struct speaker *s, const uint8_t *expected, size_t len)
{
	struct reader record = next(s);

	assert_int_equal(reader_left(&record), len);
	assert_memory_equal(record.pos, expected, len);
}

#define CHECK_NEXT(s, ...)                                                                                   \
	check_next(s, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))
#define STAMP   0x65, 0x53, 0xf1, 0x00
#define TOLD    0x65, 0x53, 0xed, 0x18
#define ORIGIN  0x40, 1, 1, 0
#define AS_PATH 0x40, 2, 10, 2, 2, 0, 0, 0xfd, 0xe9, 0xfa, 0x56, 0xea, 0x00

/* How many paths are in a record of RIB_IPV4_UNICAST with a prefix of 24 bits; 0: no record. */
static unsigned paths_of(struct reader record)
{
	unsigned count, n = 0;
	uint32_t len;

	if (!reader_left(&record))
		return 0;
	reader_skip(&record, 8);
	len = reader_u32(&record);
	assert_int_equal(len, reader_left(&record));
	reader_skip(&record, 4 + 4);
	count = reader_u16(&record);
	for (; n < count; n++) {
		reader_skip(&record, 6);
		reader_skip(&record, reader_u16(&record));
	}
	assert_true(reader_ok(&record));
	assert_int_equal(reader_left(&record), 0);
	return count;
}

/* ---- messages and states ---- */

static void messages_have_records_of_four_kinds(void **state)
{
	static const uint8_t head4[] = {STAMP, 0, 16, 0, 4, 0, 0, 0, 20 + 19, 0, 0, 0xfd, 0xe9, 0, 0, 0xfd,
		0xe8, 0, 7, 0, 1, 192, 0, 2, 1, 192, 0, 2, 9};
	static const uint8_t head6[] = {STAMP, 0, 16, 0, 7, 0, 0, 0, 44 + 23, 0xfa, 0x56, 0xea, 0x00, 0, 0,
		0xfd, 0xe8, 0, 0, 0, 2, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x20, 1, 0xd,
		0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
	static const uint8_t narrow[] = {STAMP, 0, 16, 0, 1, 0, 0, 0, 16 + 23, 0x5b, 0xa0, 0xfd, 0xe8, 0, 7,
		0, 1, 192, 0, 2, 1, 192, 0, 2, 9};
	struct mrt_session s4 = {65001, 65000, 7, addr4(192, 0, 2, 1), addr4(192, 0, 2, 9), false};
	const struct mrt_session s6 = {
		4200000000, 65000, 70000, addr_of("2001:db8::1"), addr_of("2001:db8::2"), true};
	uint8_t buf[256];
	struct writer w = writer_of(buf, sizeof(buf));

	mrt_message_write(
		&w, TIME, &s4, false, keepalive, sizeof(keepalive)); /* no path in it: four octets */
	assert_int_equal(writer_len(&w), sizeof(head4) + sizeof(keepalive));
	assert_memory_equal(buf, head4, sizeof(head4));
	assert_memory_equal(buf + sizeof(head4), keepalive, sizeof(keepalive));

	w = writer_of(buf, sizeof(buf));
	mrt_message_write(&w, TIME, &s6, true, end_of_rib, sizeof(end_of_rib));
	assert_int_equal(writer_len(&w), sizeof(head6) + sizeof(end_of_rib));
	assert_memory_equal(buf, head6, sizeof(head6));

	w = writer_of(buf, sizeof(buf));
	s4.peer_as = 4200000000; /* AS_TRANS */
	mrt_message_write(&w, TIME, &s4, false, end_of_rib, sizeof(end_of_rib));
	assert_int_equal(writer_len(&w), sizeof(narrow) + sizeof(end_of_rib));
	assert_memory_equal(buf, narrow, sizeof(narrow));
	mrt_message_write(&w, TIME, &s4, true, end_of_rib, sizeof(end_of_rib));
	assert_int_equal(buf[sizeof(narrow) + sizeof(end_of_rib) + 7], 6); /* BGP4MP_MESSAGE_LOCAL */
}

static void the_longest_message_has_room(void **state)
{
	const struct mrt_session s = {1, 2, 0, addr_of("2001:db8::1"), addr_of("2001:db8::2"), true};
	uint8_t *message = calloc(1, BGP_EXTENDED_MAX), *buf = malloc(MRT_MESSAGE);
	struct writer w = writer_of(buf, MRT_MESSAGE);

	assert_non_null(message);
	assert_non_null(buf);
	mrt_message_write(&w, TIME, &s, false, message, BGP_EXTENDED_MAX);
	assert_true(writer_ok(&w));
	assert_int_equal(writer_len(&w), MRT_MESSAGE);
	assert_int_equal((uint32_t)buf[8] << 24 | buf[9] << 16 | buf[10] << 8 | buf[11], MRT_MESSAGE - 12);
	free(message);
	free(buf);
}

static void states_are_counted_from_one(void **state)
{
	static const uint8_t expected[] = {STAMP, 0, 16, 0, 5, 0, 0, 0, 24, 0, 0, 0xfd, 0xe9, 0, 0, 0xfd,
		0xe8, 0, 0, 0, 1, 192, 0, 2, 1, 0, 0, 0, 0, 0, 6, 0, 1};
	struct speaker *s = speaker_new();
	struct mrt_session session;
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof(buf));

	mrt_session_of_neighbor(&s->neighbors[0], &session);
	mrt_state_write(&w, TIME, &session, BGP_ESTABLISHED, BGP_IDLE);
	assert_int_equal(writer_len(&w), sizeof(expected));
	assert_memory_equal(buf, expected, sizeof(expected));
	speaker_free(s);
}

static void a_session_is_that_of_its_connection(void **state)
{
	struct speaker *s = speaker_new();
	struct bgp_connection c = {.neighbor = &s->neighbors[1],
		.interface = 4,
		.local = {addr_of("2001:db8::9"), 179},
		.remote = {addr_of("2001:db8::3"), 4000},
		.form = {.as4 = true}};
	struct mrt_session session;

	s->neighbors[1].config.local_as = 64999;
	s->neighbors[1].up = &c;
	mrt_session_of_neighbor(&s->neighbors[1], &session);
	assert_int_equal(session.peer_as, 4200000003);
	assert_int_equal(session.local_as, 64999);
	assert_int_equal(session.interface, 4);
	assert_true(session.as4);
	assert_true(addr_equal(&session.local, &c.local.addr));
	assert_true(addr_equal(&session.peer, &c.remote.addr));
	speaker_free(s);
}

/* ---- tables ---- */

static void check_index(struct speaker *s)
{
	CHECK_NEXT(s, STAMP, 0, 13, 0, 1, 0, 0, 0, 8 + 13 + 13 + 25, 10, 0, 0, 1, 0, 0, 0,
		3,                                             /* ourselves and two others */
		2, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xfd, 0xe8,  /* */
		2, 1, 1, 1, 1, 192, 0, 2, 1, 0, 0, 0xfd, 0xe9, /* */
		3, 3, 3, 3, 3, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0xfa, 0x56, 0xea, 3);
}

static void an_empty_speaker_is_an_index(void **state)
{
	struct speaker *s = speaker_new();
	struct reader end;

	begin(s);
	check_index(s);
	for (unsigned i = 0; i < 3; i++) {
		end = next(s);
		assert_int_equal(reader_left(&end), 0);
	}
	speaker_free(s);
}

static void unicast_has_records_of_its_own(void **state)
{
	struct speaker *s = speaker_new();
	struct reader end;

	tell(s, BGP_IPV4, FIRST, "198.51.100.0/22", 0, "192.0.2.1", 0);
	tell(s, BGP_IPV6, SECOND, "2001:db8:100::/40", 0, "2001:db8::3", 0);
	begin(s);
	check_index(s);
	CHECK_NEXT(s, STAMP, 0, 13, 0, 2, 0, 0, 0, 42, 0, 0, 0, 0, 22, 198, 51, 100, 0,
		1, /* one path, of peer 1 */
		0, 1, TOLD, 0, 24, ORIGIN, AS_PATH, 0x40, 3, 4, 192, 0, 2, 1);
	CHECK_NEXT(s, STAMP, 0, 13, 0, 4, 0, 0, 0, 57, 0, 0, 0, 1, 40, 0x20, 1, 0xd, 0xb8, 1, 0,
		1, /* of peer 2; MP_REACH abbreviated */
		0, 2, TOLD, 0, 37, ORIGIN, AS_PATH, 0x80, 14, 17, 16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 3);
	end = next(s);
	assert_int_equal(reader_left(&end), 0);
	speaker_free(s);
}

static void ipv4_with_an_ipv6_next_hop_has_it_in_mp_reach(void **state)
{
	struct speaker *s = speaker_new();

	tell(s, BGP_IPV4, SECOND, "198.51.100.0/24", 0, "2001:db8::3", 0);
	begin(s);
	check_index(s);
	CHECK_NEXT(s, STAMP, 0, 13, 0, 2, 0, 0, 0, 55, 0, 0, 0, 0, 24, 198, 51, 100, 0, 1, /* */
		0, 2, TOLD, 0, 37, ORIGIN, AS_PATH, 0x80, 14, 17, 16, 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 3);
	speaker_free(s);
}

static void a_route_of_our_own_has_nobodys_next_hop(void **state)
{
	struct speaker *s = speaker_new();

	tell(s, BGP_IPV4, 0, "198.51.100.0/24", 0, NULL, 0);
	begin(s);
	check_index(s);
	CHECK_NEXT(s, STAMP, 0, 13, 0, 2, 0, 0, 0, 42, 0, 0, 0, 0, 24, 198, 51, 100, 0, 1, /* of peer 0 */
		0, 0, TOLD, 0, 24, ORIGIN, AS_PATH, 0x40, 3, 4, 0, 0, 0, 0);
	speaker_free(s);
}

static void labeled_paths_have_a_record_each(void **state)
{
	struct speaker *s = speaker_new();
	struct reader end;

	tell(s, BGP_IPV4_LABELED, FIRST, "198.51.100.0/24", 100, "192.0.2.1", 0);
	tell(s, BGP_IPV4_LABELED, SECOND, "198.51.100.0/24", 200, "192.0.2.3", 0);
	begin(s);
	check_index(s);
	for (unsigned i = 0; i < 2; i++) {
		struct reader record = next(s);
		struct bgp_nlri nlri;
		const char *why;
		uint16_t peer;

		reader_skip(&record, 6);
		assert_int_equal(reader_u16(&record), 6); /* RIB_GENERIC */
		reader_u32(&record);
		assert_int_equal(reader_u32(&record), i); /* sequence */
		assert_int_equal(reader_u16(&record), BGP_AFI_IPV4);
		assert_int_equal(reader_u8(&record), BGP_SAFI_LABELED);
		assert_int_equal(bgp_nlri_read(&record, BGP_IPV4_LABELED, false, &nlri, &why), 1);
		assert_int_equal(reader_u16(&record), 1);
		peer = reader_u16(&record);
		assert_int_equal(nlri.label, peer == 1 ? 100 : 200);
	}
	end = next(s);
	assert_int_equal(reader_left(&end), 0);
	speaker_free(s);
}

static void tunnel_endpoints_are_generic_too(void **state)
{
	struct speaker *s = speaker_new();

	tell(s, BGP_IPV4_ENCAP, FIRST, "192.0.2.7/32", 0, "192.0.2.1", 0);
	begin(s);
	check_index(s);
	CHECK_NEXT(s, STAMP, 0, 13, 0, 6, 0, 0, 0, 47, 0, 0, 0, 0, 0, 1, 7, 32, 192, 0, 2, 7, 0, 1, /* */
		0, 1, TOLD, 0, 25, ORIGIN, AS_PATH, 0x80, 14, 5, 4, 192, 0, 2, 1);
	speaker_free(s);
}

static void paths_that_do_not_fit_into_one_record_go_into_more(void **state)
{
	struct speaker *s = speaker_new();
	unsigned total = 0, records = 0, n;

	tell(s, BGP_IPV4, 0, "198.51.100.0/24", 0, "192.0.2.1", 60000);
	tell(s, BGP_IPV4, FIRST, "198.51.100.0/24", 0, "192.0.2.2", 60000);
	tell(s, BGP_IPV4, SECOND, "198.51.100.0/24", 0, "192.0.2.3", 60000);
	begin(s);
	check_index(s);
	for (; (n = paths_of(next(s))); records++)
		total += n;
	assert_int_equal(total, 3);
	assert_int_equal(records, 2);
	assert_int_equal(s->dump.sequence, 2);
	assert_int_equal(s->dump.left_out, 0);
	speaker_free(s);
}

static void the_rest_of_a_net_that_went_is_not_told(void **state)
{
	struct speaker *s = speaker_new();
	struct prefix prefix;

	tell(s, BGP_IPV4, 0, "198.51.100.0/24", 0, "192.0.2.1", 60000);
	tell(s, BGP_IPV4, FIRST, "198.51.100.0/24", 0, "192.0.2.2", 60000);
	tell(s, BGP_IPV4, SECOND, "198.51.100.0/24", 0, "192.0.2.3", 60000);
	begin(s);
	check_index(s);
	assert_int_equal(paths_of(next(s)), 2);
	assert_int_equal(prefix_parse("198.51.100.0/24", &prefix), 0);
	assert_true(rib_withdraw(&s->bgp.ribs[BGP_IPV4], &prefix, 0, NULL) >= 0);
	assert_true(rib_withdraw(&s->bgp.ribs[BGP_IPV4], &prefix, FIRST, NULL) >= 0);
	assert_true(rib_withdraw(&s->bgp.ribs[BGP_IPV4], &prefix, SECOND, NULL) >= 0);
	assert_int_equal(paths_of(next(s)), 0);
	speaker_free(s);
}

static void attributes_that_no_record_can_hold_are_left_out(void **state)
{
	struct speaker *s = speaker_new();

	/* With a next hop in MP_REACH more than 65535 octets. */
	tell(s, BGP_IPV4, FIRST, "198.51.100.0/24", 0, "2001:db8::1", 65535 - 5 - 14 - 4);
	tell(s, BGP_IPV4, SECOND, "198.51.100.0/24", 0, "192.0.2.3", 0);
	begin(s);
	check_index(s);
	assert_int_equal(paths_of(next(s)), 1);
	assert_int_equal(paths_of(next(s)), 0);
	assert_int_equal(s->dump.left_out, 1);
	speaker_free(s);
}

static void who_comes_or_goes_meanwhile_is_left_out(void **state)
{
	struct speaker *s = speaker_new();

	tell(s, BGP_IPV4, FIRST, "198.51.100.0/24", 0, "192.0.2.1", 0);
	tell(s, BGP_IPV4, SECOND, "198.51.100.0/24", 0, "192.0.2.3", 0);
	tell(s, BGP_IPV4, 7, "198.51.100.0/24", 0, "192.0.2.7", 0);
	begin(s);
	check_index(s);
	s->neighbors[1].config.address = addr_of("2001:db8::4"); /* another one in its place */
	assert_int_equal(paths_of(next(s)), 1);
	assert_int_equal(paths_of(next(s)), 0);
	speaker_free(s);
}

static const char *numbered(unsigned i)
{
	static char text[32];

	snprintf(text, sizeof(text), "10.%u.%u.0/24", i / 256, i % 256);
	return text;
}

/* The owner has other things to do, too. */
static void many_nets_without_a_record_take_more_than_one_call(void **state)
{
	struct speaker *s = speaker_new();

	for (unsigned i = 0; i < 2 * MRT_LOOKED_AT; i++)
		tell(s, BGP_IPV4, 7, numbered(i), 0, "192.0.2.7", 0); /* who is not in the index */
	tell(s, BGP_IPV4, FIRST, "198.51.100.0/24", 0, "192.0.2.1", 0);
	begin(s);
	check_index(s);
	for (unsigned i = 0; i < 2; i++) {
		struct reader none = next(s);

		assert_int_equal(reader_left(&none), 0);
		assert_false(s->dump.done);
	}
	assert_int_equal(paths_of(next(s)), 1);
	assert_int_equal(paths_of(next(s)), 0);
	assert_true(s->dump.done);
	speaker_free(s);
}

/* Withdrawn, but there is somebody who has not heard it yet. */
static void many_nets_without_a_path_take_more_than_one_call(void **state)
{
	struct speaker *s = speaker_new();
	struct rib *rib = &s->bgp.ribs[BGP_IPV4];
	struct rib_feed slow = {0};
	unsigned empty = 0;

	assert_int_equal(rib_feed_add(rib, &slow), 0);
	for (unsigned i = 0; i < 3 * MRT_LOOKED_AT; i++)
		tell(s, BGP_IPV4, FIRST, numbered(i), 0, "192.0.2.1", 0);
	tell(s, BGP_IPV6, SECOND, "2001:db8:100::/40", 0, "2001:db8::3", 0);
	for (rib_id net = rib_walk(rib, 0); net; net = rib_walk(rib, net))
		assert_int_equal(rib_feed_set(&slow, net, true), 0);
	for (unsigned i = 0; i < 3 * MRT_LOOKED_AT; i++) {
		struct prefix prefix;

		assert_int_equal(prefix_parse(numbered(i), &prefix), 0);
		assert_true(rib_withdraw(rib, &prefix, FIRST, NULL) >= 0);
	}
	begin(s);
	check_index(s);
	while (!mrt_dump_next(&s->dump, s->record, sizeof(s->record)) && !s->dump.done)
		empty++;
	assert_false(s->dump.done);
	assert_int_equal(s->dump.family, BGP_IPV6);
	assert_int_equal(empty, 3);
	assert_int_equal(paths_of(next(s)), 0);
	assert_true(s->dump.done);
	rib_feed_remove(&slow);
	speaker_free(s);
}

/* ---- for others to judge ---- */

static void put(FILE *f, const struct writer *w)
{
	assert_true(writer_ok(w));
	assert_int_equal(fwrite(w->start, 1, writer_len(w), f), writer_len(w));
}

static void write_sessions(FILE *f)
{
	static const uint8_t update[] = {
		MARKER, 0, 51, 2, 0, 0, 0, 24, ORIGIN, AS_PATH, 0x40, 3, 4, 192, 0, 2, 1, 24, 198, 51, 100};
	static const uint8_t narrow[] = {MARKER, 0, 45, 2, 0, 0, 0, 18, ORIGIN, 0x40, 2, 4, 2, 1, 0xfd, 0xe9,
		0x40, 3, 4, 192, 0, 2, 1, 24, 198, 51, 100};
	struct mrt_session s = {65001, 65000, 7, addr4(192, 0, 2, 1), addr4(192, 0, 2, 9), true};
	const struct mrt_session s6 = {
		4200000003, 65000, 0, addr_of("2001:db8::3"), addr_of("2001:db8::9"), true};
	uint8_t buf[1024];
	struct writer w = writer_of(buf, sizeof(buf));

	mrt_state_write(&w, TIME, &s, BGP_OPEN_CONFIRM, BGP_ESTABLISHED);
	mrt_message_write(&w, TIME, &s, false, keepalive, sizeof(keepalive));
	mrt_message_write(&w, TIME, &s, false, update, sizeof(update));
	mrt_message_write(&w, TIME, &s6, true, update, sizeof(update));
	s.as4 = false;
	mrt_message_write(&w, TIME, &s, false, narrow, sizeof(narrow));
	put(f, &w);
}

static int write_sample(const char *path)
{
	struct speaker *s = speaker_new();
	FILE *f = fopen(path, "we");
	struct reader record;

	if (!f)
		return 1;
	write_sessions(f);
	tell(s, BGP_IPV4, FIRST, "198.51.100.0/22", 0, "192.0.2.1", 0);
	tell(s, BGP_IPV4, SECOND, "198.51.100.0/22", 0, "192.0.2.3", 0);
	tell(s, BGP_IPV4, SECOND, "203.0.113.0/24", 0, "2001:db8::3", 0);
	tell(s, BGP_IPV4, 0, "0.0.0.0/0", 0, NULL, 0);
	tell(s, BGP_IPV6, SECOND, "2001:db8:100::/40", 0, "2001:db8::3", 0);
	tell(s, BGP_IPV6, FIRST, "2001:db8:200::/40", 0, "192.0.2.1", 0); /* mapped: RFC 4798 */
	tell(s, BGP_IPV6_LABELED, FIRST, "2001:db8:300::/40", 1000, "192.0.2.1", 0);
	tell(s, BGP_IPV4_ENCAP, FIRST, "192.0.2.7/32", 0, "192.0.2.1", 0);
	begin(s);
	while (record = next(s), reader_left(&record))
		assert_int_equal(fwrite(record.pos, 1, reader_left(&record), f), reader_left(&record));
	speaker_free(s);
	return fclose(f) ? 1 : 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_have_records_of_four_kinds),
		cmocka_unit_test(the_longest_message_has_room),
		cmocka_unit_test(states_are_counted_from_one),
		cmocka_unit_test(a_session_is_that_of_its_connection),
		cmocka_unit_test(an_empty_speaker_is_an_index),
		cmocka_unit_test(unicast_has_records_of_its_own),
		cmocka_unit_test(ipv4_with_an_ipv6_next_hop_has_it_in_mp_reach),
		cmocka_unit_test(a_route_of_our_own_has_nobodys_next_hop),
		cmocka_unit_test(labeled_paths_have_a_record_each),
		cmocka_unit_test(tunnel_endpoints_are_generic_too),
		cmocka_unit_test(paths_that_do_not_fit_into_one_record_go_into_more),
		cmocka_unit_test(the_rest_of_a_net_that_went_is_not_told),
		cmocka_unit_test(attributes_that_no_record_can_hold_are_left_out),
		cmocka_unit_test(who_comes_or_goes_meanwhile_is_left_out),
		cmocka_unit_test(many_nets_without_a_record_take_more_than_one_call),
		cmocka_unit_test(many_nets_without_a_path_take_more_than_one_call),
	};

	if (argc == 2)
		return write_sample(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
