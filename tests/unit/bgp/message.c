/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bgp/message: golden bytes laid out by hand from RFC 4271 section 4; every refusal with what the peer is to hear. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bgp/message.h"

#define BYTES(...)   (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define MARKER       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
#define NO_DATA      NULL, 0
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct refusal {
	const char *name;
	const uint8_t *bytes;
	size_t len;
	uint8_t code, subcode;
	const uint8_t *data;
	size_t data_len;
	const char *named; /* by the reason */
};

static void check_refusal(const struct refusal *r, const struct bgp_error *e)
{
	if (e->code != r->code || e->subcode != r->subcode)
		fail_msg("%s: code %u/%u", r->name, e->code, e->subcode);
	if (e->data_len != r->data_len || (r->data_len && memcmp(e->data, r->data, r->data_len) != 0))
		fail_msg("%s: other data", r->name);
	if (!strstr(e->reason, r->named))
		fail_msg("%s: reason \"%s\"", r->name, e->reason);
}

/* ---- header ---- */

static void a_header_is_read_when_it_is_there(void **state)
{
	static const uint8_t keepalive[] = {MARKER, 0, 19, 4, 0xff};
	struct bgp_header h = {7, 7};

	for (size_t len = 0; len < BGP_HEADER; len++)
		assert_int_equal(bgp_header_read(keepalive, len, BGP_MESSAGE_MAX, &h, NULL), 0);
	assert_int_equal(h.length, 7);
	assert_int_equal(bgp_header_read(keepalive, sizeof(keepalive), BGP_MESSAGE_MAX, &h, NULL), 1);
	assert_int_equal(h.length, 19);
	assert_int_equal(h.type, BGP_KEEPALIVE);
}

/* clang-format off */
static const struct refusal bad_headers[] = {
	{"marker", BYTES(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 0, 19, 4), 1, 1, NO_DATA, "marker"},
	{"length 0", BYTES(MARKER, 0, 0, 4), 1, 2, BYTES(0, 0), "of 0 octets"},
	{"length 18", BYTES(MARKER, 0, 18, 4), 1, 2, BYTES(0, 18), "of 18 octets"},
	{"length 4097", BYTES(MARKER, 0x10, 1, 2), 1, 2, BYTES(0x10, 1), "of 4097 octets"},
	{"type 0", BYTES(MARKER, 0, 19, 0), 1, 3, BYTES(0), "type 0"},
	{"type 6", BYTES(MARKER, 0, 19, 6), 1, 3, BYTES(6), "type 6"},
	{"type 255", BYTES(MARKER, 0, 19, 255), 1, 3, BYTES(255), "type 255"},
	{"OPEN of 28", BYTES(MARKER, 0, 28, 1), 1, 2, BYTES(0, 28), "OPEN of 28 octets"},
	{"UPDATE of 22", BYTES(MARKER, 0, 22, 2), 1, 2, BYTES(0, 22), "UPDATE of 22 octets"},
	{"NOTIFICATION of 20", BYTES(MARKER, 0, 20, 3), 1, 2, BYTES(0, 20), "NOTIFICATION of 20 octets"},
	{"KEEPALIVE of 20", BYTES(MARKER, 0, 20, 4), 1, 2, BYTES(0, 20), "KEEPALIVE of 20 octets, it has to have 19"},
	{"ROUTE-REFRESH of 22", BYTES(MARKER, 0, 22, 5), 1, 2, BYTES(0, 22), "ROUTE-REFRESH of 22 octets"},
};
/* clang-format on */

static void bad_headers_are_refused(void **state)
{
	for (size_t i = 0; i < COUNT(bad_headers); i++) {
		struct bgp_header h = {7, 7};
		struct bgp_error e = {0};

		assert_int_equal(
			bgp_header_read(bad_headers[i].bytes, bad_headers[i].len, BGP_MESSAGE_MAX, &h, &e),
			-EPROTO);
		check_refusal(&bad_headers[i], &e);
		assert_int_equal(h.length, 7);
	}
}

static void long_messages_come_where_they_were_agreed_on(void **state)
{
	static const struct {
		uint8_t length[2], type;
		uint16_t max;
		int result;
	} rows[] = {
		{{0x10, 0x00}, BGP_UPDATE, BGP_MESSAGE_MAX, 1},
		{{0x10, 0x01}, BGP_UPDATE, BGP_MESSAGE_MAX, -EPROTO},
		{{0x10, 0x01}, BGP_UPDATE, BGP_EXTENDED_MAX, 1},
		{{0xff, 0xff}, BGP_UPDATE, BGP_EXTENDED_MAX, 1},
		{{0xff, 0xff}, BGP_NOTIFICATION, BGP_EXTENDED_MAX, 1},
		{{0xff, 0xff}, BGP_REFRESH, BGP_EXTENDED_MAX, 1},
		{{0x10, 0x00}, BGP_OPEN, BGP_EXTENDED_MAX, 1},
		{{0x10, 0x01}, BGP_OPEN, BGP_EXTENDED_MAX, -EPROTO}, /* RFC 8654 section 4 */
		{{0x00, 0x14}, BGP_KEEPALIVE, BGP_EXTENDED_MAX, -EPROTO},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		const uint8_t message[] = {MARKER, rows[i].length[0], rows[i].length[1], rows[i].type};
		struct bgp_header h;

		assert_int_equal(
			bgp_header_read(message, sizeof(message), rows[i].max, &h, NULL), rows[i].result);
	}
}

/* ---- OPEN ---- */

static void check_same(const struct bgp_open *a, const struct bgp_open *b)
{
	const struct bgp_capabilities *c = &a->capabilities, *d = &b->capabilities;

	assert_int_equal(a->as, b->as);
	assert_int_equal(a->hold_time, b->hold_time);
	assert_int_equal(a->id, b->id);
	assert_int_equal(c->families, d->families);
	assert_int_equal(c->extended_next_hop, d->extended_next_hop);
	assert_int_equal(c->as4, d->as4);
	assert_int_equal(c->refresh, d->refresh);
	assert_int_equal(c->enhanced_refresh, d->enhanced_refresh);
	assert_int_equal(c->extended_message, d->extended_message);
	assert_int_equal(c->graceful, d->graceful);
	assert_int_equal(c->restarted, d->restarted);
	assert_int_equal(c->notification, d->notification);
	assert_int_equal(c->restart_time, d->restart_time);
	assert_int_equal(c->graceful_families, d->graceful_families);
	assert_int_equal(c->preserved, d->preserved);
	assert_int_equal(c->unknown, d->unknown);
}

static const uint8_t plain_open[] = {MARKER, 0, 29, 1, 4, 0xfd, 0xe8, 0, 90, 192, 0, 2, 1, 0};

static void an_open_without_parameters_is_about_ipv4_unicast(void **state)
{
	struct bgp_open open;

	assert_int_equal(bgp_open_read(reader_of(plain_open + BGP_HEADER, sizeof(plain_open) - BGP_HEADER),
				 &open, NULL),
		0);
	assert_int_equal(open.as, 65000);
	assert_int_equal(open.hold_time, 90);
	assert_int_equal(open.id, 0xc0000201);
	assert_int_equal(open.capabilities.families, BGP_FAMILY_BIT(BGP_IPV4));
	assert_false(open.capabilities.as4);
}

static void without_capabilities_no_parameter_is_written(void **state)
{
	const struct bgp_open open = {.as = 65000, .hold_time = 90, .id = 0xc0000201};
	uint8_t buf[BGP_MESSAGE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	bgp_open_write(&w, &open);
	assert_int_equal(writer_len(&w), sizeof(plain_open));
	assert_memory_equal(buf, plain_open, sizeof(plain_open));
}

/* AS 4200000000, 180 s, 198.51.100.7: IPv4 with IPv6 next hops, route refresh. */
static const uint8_t full_open[] = {MARKER, 0, 53, 1, 4, 0x5b, 0xa0, 0, 180, 198, 51, 100, 7, 24, 2,
	22, /* parameter */
	1, 4, 0, 1, 0, 1, 2, 0, 5, 6, 0, 1, 0, 1, 0, 2, 65, 4, 0xfa, 0x56, 0xea, 0x00};

/* proves: MESH-BGP-13 partial */
static void an_open_is_written_and_read_again(void **state)
{
	const struct bgp_open open = {.as = 4200000000,
		.hold_time = 180,
		.id = 0xc6336407,
		.capabilities = {.families = BGP_FAMILY_BIT(BGP_IPV4),
			.extended_next_hop = BGP_FAMILY_BIT(BGP_IPV4),
			.as4 = true,
			.refresh = true}};
	uint8_t buf[BGP_MESSAGE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	struct bgp_open again;

	bgp_open_write(&w, &open);
	assert_int_equal(writer_len(&w), sizeof(full_open));
	assert_memory_equal(buf, full_open, sizeof(full_open));
	assert_int_equal(bgp_open_read(reader_of(full_open + BGP_HEADER, sizeof(full_open) - BGP_HEADER),
				 &again, NULL),
		0);
	check_same(&again, &open);
}

static void the_longest_open_of_ours_has_the_short_form(void **state)
{
	const bgp_families all = (1u << BGP_FAMILIES) - 1;
	struct bgp_open again, open = {.as = 65000, .id = 1};
	struct bgp_capabilities *c = &open.capabilities;
	uint8_t buf[BGP_MESSAGE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	*c = (struct bgp_capabilities){all, BGP_FAMILY_BIT(BGP_IPV4) | BGP_FAMILY_BIT(BGP_IPV4_LABELED), true,
		true, true, true, true, true, true, 4095, all, all, 0};
	bgp_open_write(&w, &open);
	assert_int_equal(buf[BGP_HEADER + 9], writer_len(&w) - BGP_HEADER - 10);
	assert_int_equal(
		bgp_open_read(reader_of(buf + BGP_HEADER, writer_len(&w) - BGP_HEADER), &again, NULL), 0);
	check_same(&again, &open);
}

#define OPEN_HEAD 4, 0xfd, 0xe8, 0, 90, 192, 0, 2, 1

static void both_forms_of_optional_parameters_are_read(void **state)
{
	const struct {
		const uint8_t *body;
		size_t len;
		bgp_families families;
	} rows[] = {
		{BYTES(OPEN_HEAD, 8, 2, 6, 1, 4, 0, 2, 0, 1), BGP_FAMILY_BIT(BGP_IPV6)},
		/* two parameters, one capability in each */
		{BYTES(OPEN_HEAD, 16, 2, 6, 1, 4, 0, 2, 0, 1, 2, 6, 1, 4, 0, 2, 0, 4),
			BGP_FAMILY_BIT(BGP_IPV6) | BGP_FAMILY_BIT(BGP_IPV6_LABELED)},
		/* a parameter without capabilities */
		{BYTES(OPEN_HEAD, 2, 2, 0), BGP_FAMILY_BIT(BGP_IPV4)},
		/* only families that nobody here knows: not even IPv4 */
		{BYTES(OPEN_HEAD, 8, 2, 6, 1, 4, 0, 25, 0, 70), 0},
		/* RFC 9072: extended; the first length is ignored, be it right or not */
		{BYTES(OPEN_HEAD, 255, 255, 0, 9, 2, 0, 6, 1, 4, 0, 2, 0, 1), BGP_FAMILY_BIT(BGP_IPV6)},
		{BYTES(OPEN_HEAD, 1, 255, 0, 9, 2, 0, 6, 1, 4, 0, 2, 0, 1), BGP_FAMILY_BIT(BGP_IPV6)},
		{BYTES(OPEN_HEAD, 255, 255, 0, 0), BGP_FAMILY_BIT(BGP_IPV4)},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bgp_error e = {0};
		struct bgp_open open;

		if (bgp_open_read(reader_of(rows[i].body, rows[i].len), &open, &e))
			fail_msg("row %zu: %s", i, e.reason);
		assert_int_equal(open.capabilities.families, rows[i].families);
	}
}

static void more_than_255_octets_of_parameters_are_read(void **state)
{
	uint8_t body[1024] = {OPEN_HEAD, 255, 255};
	struct writer w = writer_of(body, sizeof(body));
	struct bgp_open open;

	writer_reserve(&w, 11);
	writer_u16(&w, 3 + 300 + 6);
	writer_u8(&w, 2);
	writer_u16(&w, 300 + 6);
	for (unsigned i = 0; i < 10; i++) {
		writer_u8(&w, (uint8_t)(200 + i));
		writer_u8(&w, 28);
		writer_zeros(&w, 28);
	}
	writer_bytes(&w, "\1\4\0\2\0\7", 6);
	assert_int_equal(bgp_open_read(reader_of(body, writer_len(&w)), &open, NULL), 0);
	assert_int_equal(open.capabilities.unknown, 10);
	assert_int_equal(open.capabilities.families, BGP_FAMILY_BIT(BGP_IPV6_ENCAP));
}

/* clang-format off */
static const struct refusal bad_opens[] = {
	{"9 octets", BYTES(OPEN_HEAD), 1, 2, BYTES(0, 28), "of 28 octets"},
	{"version 3", BYTES(3, 0xfd, 0xe8, 0, 90, 192, 0, 2, 1, 0), 2, 1, BYTES(0, 4), "version 3"},
	{"version 5", BYTES(5, 0xfd, 0xe8, 0, 90, 192, 0, 2, 1, 0), 2, 1, BYTES(0, 4), "version 5"},
	{"AS 0", BYTES(4, 0, 0, 0, 90, 192, 0, 2, 1, 0), 2, 2, NO_DATA, "AS 0"},
	{"AS 0 of four octets", BYTES(4, 0x5b, 0xa0, 0, 90, 192, 0, 2, 1, 8, 2, 6, 65, 4, 0, 0, 0, 0), 2, 2, NO_DATA, "AS 0"},
	{"AS 0 of two octets beside another", BYTES(4, 0, 0, 0, 90, 192, 0, 2, 1, 8, 2, 6, 65, 4, 0, 0, 0, 9), 2, 2, NO_DATA, "AS 0"},
	{"two AS numbers", BYTES(OPEN_HEAD, 8, 2, 6, 65, 4, 0, 0, 0xfd, 0xe9), 2, 2, NO_DATA, "AS 65000, but its four-octet AS number is 65001"},
	{"a long AS number without AS_TRANS", BYTES(OPEN_HEAD, 8, 2, 6, 65, 4, 0, 1, 0xfd, 0xe8), 2, 2, NO_DATA, "is 130536"},
	{"hold time 1", BYTES(4, 0xfd, 0xe8, 0, 1, 192, 0, 2, 1, 0), 2, 6, NO_DATA, "hold time 1 s"},
	{"hold time 2", BYTES(4, 0xfd, 0xe8, 0, 2, 192, 0, 2, 1, 0), 2, 6, NO_DATA, "hold time 2 s"},
	{"identifier 0", BYTES(4, 0xfd, 0xe8, 0, 90, 0, 0, 0, 0, 0), 2, 3, NO_DATA, "0.0.0.0"},
	{"parameters are missing", BYTES(OPEN_HEAD, 2), 2, 0, NO_DATA, "optional parameters of 2 octets, where 0 are"},
	{"more than the parameters", BYTES(OPEN_HEAD, 2, 2, 0, 0), 2, 0, NO_DATA, "of 2 octets, where 3 are"},
	{"octets behind no parameters", BYTES(OPEN_HEAD, 0, 2, 0), 2, 0, NO_DATA, "of 0 octets, where 2 are"},
	{"half a parameter", BYTES(OPEN_HEAD, 1, 2), 2, 0, NO_DATA, "an optional parameter"},
	{"a parameter that does not fit", BYTES(OPEN_HEAD, 3, 2, 2, 0), 2, 0, NO_DATA, "an optional parameter of 2 octets, where 1 are"},
	{"authentication", BYTES(OPEN_HEAD, 3, 1, 1, 0), 2, 4, NO_DATA, "optional parameter 1"},
	{"unknown parameter behind a known one", BYTES(OPEN_HEAD, 4, 2, 0, 3, 0), 2, 4, NO_DATA, "optional parameter 3"},
	{"255, but not first", BYTES(OPEN_HEAD, 4, 2, 0, 255, 0), 2, 4, NO_DATA, "optional parameter 255"},
	{"a capability that does not fit", BYTES(OPEN_HEAD, 4, 2, 2, 65, 4), 2, 0, NO_DATA, "capability 65"},
	{"extended: nothing behind 255", BYTES(OPEN_HEAD, 1, 255), 2, 0, NO_DATA, "optional parameters"},
	{"extended: half a length", BYTES(OPEN_HEAD, 2, 255, 0), 2, 0, NO_DATA, "optional parameters"},
	{"extended: too long", BYTES(OPEN_HEAD, 255, 255, 0, 4, 2, 0, 0), 2, 0, NO_DATA, "of 4 octets, where 3 are"},
	{"extended: too short", BYTES(OPEN_HEAD, 255, 255, 0, 2, 2, 0, 0), 2, 0, NO_DATA, "of 2 octets, where 3 are"},
	{"extended: a parameter that does not fit", BYTES(OPEN_HEAD, 255, 255, 0, 3, 2, 1, 0), 2, 0, NO_DATA, "of 256 octets, where 0 are"},
	{"extended: 255 within", BYTES(OPEN_HEAD, 255, 255, 0, 3, 255, 0, 0), 2, 4, NO_DATA, "optional parameter 255"},
};
/* clang-format on */

static void bad_opens_are_refused(void **state)
{
	for (size_t i = 0; i < COUNT(bad_opens); i++) {
		struct bgp_open open = {.as = 7};
		struct bgp_error e = {0};

		if (bgp_open_read(reader_of(bad_opens[i].bytes, bad_opens[i].len), &open, &e) != -EPROTO)
			fail_msg("%s: accepted", bad_opens[i].name);
		check_refusal(&bad_opens[i], &e);
		assert_int_equal(open.as, 7);
	}
}

static void hold_time_0_and_as_trans_beside_a_small_number_are_accepted(void **state)
{
	static const uint8_t body[] = {4, 0x5b, 0xa0, 0, 0, 192, 0, 2, 1, 8, 2, 6, 65, 4, 0, 0, 0xfd, 0xe8};
	struct bgp_open open;

	assert_int_equal(bgp_open_read(reader_of(body, sizeof(body)), &open, NULL), 0);
	assert_int_equal(open.as, 65000);
	assert_int_equal(open.hold_time, 0);
}

/* ---- NOTIFICATION ---- */

/* clang-format off */
static const struct refusal notifications[] = {
	{"hold timer", BYTES(4, 0), 4, 0, NO_DATA, "Hold Timer Expired"},
	{"bad length", BYTES(1, 2, 0, 18), 1, 2, BYTES(0, 18), "Message Header Error/Bad Message Length"},
	{"unknown", BYTES(99, 3, 1), 99, 3, BYTES(1), "code 99/3"},
	{"shutdown without words", BYTES(6, 2), 6, 2, NO_DATA, "Cease/Administrative Shutdown"},
	{"shutdown with no words", BYTES(6, 2, 0), 6, 2, BYTES(0), "Cease/Administrative Shutdown"},
	{"shutdown with words", BYTES(6, 2, 4, 'b', 'y', 'e', '!'), 6, 2, BYTES(4, 'b', 'y', 'e', '!'), "Cease/Administrative Shutdown: bye!"},
	{"reset with words that are no text", BYTES(6, 4, 3, 'a', '\n', 0xff), 6, 4, BYTES(3, 'a', '\n', 0xff), "Cease/Administrative Reset: a\\x0a\\xff"},
	{"shutdown with a wrong length", BYTES(6, 2, 9, 'b', 'y', 'e'), 6, 2, BYTES(9, 'b', 'y', 'e'), "words that do not fit their length"},
	{"words only where they belong", BYTES(6, 8, 1, 'x'), 6, 8, BYTES(1, 'x'), "Cease/Out of Resources"},
	{"max-prefix", BYTES(6, 1, 0, 2, 1, 0, 0, 0x27, 0x10), 6, 1, BYTES(0, 2, 1, 0, 0, 0x27, 0x10), "Reached: ipv6, at most 10000"},
	{"max-prefix of an unknown family", BYTES(6, 1, 0, 25, 70, 0, 0, 0, 1), 6, 1, BYTES(0, 25, 70, 0, 0, 0, 1), "Reached: family 25/70, at most 1"},
	{"max-prefix without a family", BYTES(6, 1, 0, 2, 1), 6, 1, BYTES(0, 2, 1), "Cease/Maximum Number of Prefixes Reached"},
	{"hard reset", BYTES(6, 9, 6, 2, 2, 'h', 'i'), 6, 9, BYTES(6, 2, 2, 'h', 'i'), "Cease/Hard Reset: Cease/Administrative Shutdown: hi"},
	{"hard reset in a hard reset", BYTES(6, 9, 6, 9, 6, 9, 6, 9), 6, 9, BYTES(6, 9, 6, 9, 6, 9), "Cease/Hard Reset: Cease/Hard Reset"},
	{"hard reset without why", BYTES(6, 9, 6), 6, 9, BYTES(6), "Cease/Hard Reset"},
	{"nothing", NULL, 0, 0, 0, NO_DATA, "too short"},
	{"a code alone", BYTES(6), 0, 0, NO_DATA, "too short"},
};
/* clang-format on */

static void notifications_tell_what_the_peer_said(void **state)
{
	for (size_t i = 0; i < COUNT(notifications); i++) {
		struct bgp_error e = {0};
		const char *end;

		bgp_notification_read(reader_of(notifications[i].bytes, notifications[i].len), &e);
		check_refusal(&notifications[i], &e);
		end = strstr(e.reason, notifications[i].named) + strlen(notifications[i].named);
		assert_true(*end == '\0' || *end == ' '); /* and not more than that */
	}
}

static void the_longest_words_are_told_whole(void **state)
{
	uint8_t body[3 + 255] = {6, 2, 255};
	struct bgp_error e;

	memset(body + 3, 'w', 255);
	bgp_notification_read(reader_of(body, sizeof(body)), &e);
	assert_int_equal(e.data_len, 256);
	assert_int_equal(strlen(e.reason), strlen("Cease/Administrative Shutdown: ") + 255);
}

static void a_cease_carries_the_operators_words(void **state)
{
	static const uint8_t expected[] = {MARKER, 0, 25, 3, 6, 2, 3, 'b', 'y', 'e'};
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof(buf));
	struct bgp_error e;

	bgp_cease(&e, BGP_CEASE_SHUTDOWN, "bye");
	assert_string_equal(e.reason, "Cease/Administrative Shutdown: bye");
	bgp_notification_write(&w, &e);
	assert_int_equal(writer_len(&w), sizeof(expected));
	assert_memory_equal(buf, expected, sizeof(expected));

	bgp_cease(&e, BGP_CEASE_RESET, NULL);
	assert_int_equal(e.data_len, 0);
	assert_string_equal(e.reason, "Cease/Administrative Reset");
	bgp_cease(&e, BGP_CEASE_UNCONFIGURED, "");
	assert_int_equal(e.subcode, BGP_CEASE_UNCONFIGURED);
	assert_int_equal(e.data_len, 0);
}

/* RFC 9003 section 2: a length of one octet, and so much UTF-8. */
static void long_words_are_cut_at_a_character(void **state)
{
	static const char euro[] = "\xe2\x82\xac";
	char words[302] = "x";
	struct bgp_error e;

	(void)state;
	memset(words, 'w', 255);
	bgp_cease(&e, BGP_CEASE_SHUTDOWN, words);
	assert_int_equal(e.data[0], 255);
	assert_int_equal(e.data_len, 256);
	assert_memory_equal(e.data + 1, words, 255);
	words[0] = 'x';
	for (unsigned i = 0; i < 300; i++)
		words[i + 1] = euro[i % 3];
	bgp_cease(&e, BGP_CEASE_SHUTDOWN, words);
	assert_int_equal(e.data[0], 253);
	assert_int_equal(e.data_len, 254);
	assert_int_equal(e.data[253], 0xac);
}

/* ---- KEEPALIVE, ROUTE-REFRESH ---- */

static void a_keepalive_is_a_header(void **state)
{
	static const uint8_t expected[] = {MARKER, 0, 19, 4};
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof(buf));

	bgp_keepalive_write(&w);
	bgp_keepalive_write(&w); /* lengths are of their own message */
	assert_int_equal(writer_len(&w), 2 * sizeof(expected));
	assert_memory_equal(buf, expected, sizeof(expected));
	assert_memory_equal(buf + sizeof(expected), expected, sizeof(expected));
}

static void refreshes_of_all_kinds_and_families_are_written_and_read(void **state)
{
	static const uint8_t end[] = {MARKER, 0, 23, 5, 0, 2, 2, 7};
	uint8_t buf[64];

	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		for (unsigned kind = BGP_REFRESH_REQUEST; kind <= BGP_REFRESH_END; kind++) {
			struct writer w = writer_of(buf, sizeof(buf));
			enum bgp_refresh_kind k;
			enum bgp_family g;

			bgp_refresh_write(&w, (enum bgp_family)f, (enum bgp_refresh_kind)kind);
			assert_int_equal(
				bgp_refresh_read(reader_of(buf + BGP_HEADER, writer_len(&w) - BGP_HEADER), &g,
					&k, NULL),
				0);
			assert_int_equal(g, f);
			assert_int_equal(k, kind);
		}
	assert_memory_equal(buf, end, sizeof(end)); /* the last one */
}

static void unknown_refreshes_are_ignored(void **state)
{
	static const uint8_t family[] = {0, 25, 0, 70}, kind[] = {0, 1, 3, 1},
			     filters[] = {0, 1, 0, 1, 1, 64, 0, 0};
	enum bgp_family f = BGP_IPV6;
	enum bgp_refresh_kind k;

	assert_int_equal(bgp_refresh_read(reader_of(family, 4), &f, &k, NULL), -EAFNOSUPPORT);
	assert_int_equal(bgp_refresh_read(reader_of(kind, 4), &f, &k, NULL), -EAFNOSUPPORT);
	assert_int_equal(f, BGP_IPV6);
	assert_int_equal(bgp_refresh_read(reader_of(filters, sizeof(filters)), &f, &k, NULL), 0);
	assert_int_equal(f, BGP_IPV4);
}

/* clang-format off */
static const struct refusal bad_refreshes[] = {
	{"3 octets", BYTES(0, 1, 0), 7, 1, BYTES(MARKER, 0, 22, 5, 0, 1, 0), "of 22 octets"},
	{"nothing", NULL, 0, 7, 1, BYTES(MARKER, 0, 19, 5), "of 19 octets"},
	{"Begin-of-RR of 5", BYTES(0, 1, 1, 1, 0), 7, 1, BYTES(MARKER, 0, 24, 5, 0, 1, 1, 1, 0), "Begin-of-RR of 24 octets"},
	{"End-of-RR of 6", BYTES(0, 1, 2, 1, 0, 0), 7, 1, BYTES(MARKER, 0, 25, 5, 0, 1, 2, 1, 0, 0), "End-of-RR of 25 octets"},
};
/* clang-format on */

static void bad_refreshes_are_refused(void **state)
{
	for (size_t i = 0; i < COUNT(bad_refreshes); i++) {
		enum bgp_refresh_kind k = BGP_REFRESH_END;
		enum bgp_family f = BGP_IPV6;
		struct bgp_error e = {0};

		assert_int_equal(
			bgp_refresh_read(reader_of(bad_refreshes[i].bytes, bad_refreshes[i].len), &f, &k, &e),
			-EPROTO);
		check_refusal(&bad_refreshes[i], &e);
		assert_int_equal(f, BGP_IPV6);
	}
}

static void a_long_bad_refresh_goes_back_as_far_as_it_fits(void **state)
{
	uint8_t body[500] = {0, 1, 1, 1};
	enum bgp_refresh_kind k;
	struct bgp_error e;
	enum bgp_family f;

	assert_int_equal(bgp_refresh_read(reader_of(body, sizeof(body)), &f, &k, &e), -EPROTO);
	assert_int_equal(e.data_len, BGP_ERROR_DATA);
	assert_int_equal(e.data[16] << 8 | e.data[17], BGP_HEADER + 500); /* its own length */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_header_is_read_when_it_is_there),
		cmocka_unit_test(bad_headers_are_refused),
		cmocka_unit_test(long_messages_come_where_they_were_agreed_on),
		cmocka_unit_test(an_open_without_parameters_is_about_ipv4_unicast),
		cmocka_unit_test(without_capabilities_no_parameter_is_written),
		cmocka_unit_test(an_open_is_written_and_read_again),
		cmocka_unit_test(the_longest_open_of_ours_has_the_short_form),
		cmocka_unit_test(both_forms_of_optional_parameters_are_read),
		cmocka_unit_test(more_than_255_octets_of_parameters_are_read),
		cmocka_unit_test(bad_opens_are_refused),
		cmocka_unit_test(hold_time_0_and_as_trans_beside_a_small_number_are_accepted),
		cmocka_unit_test(notifications_tell_what_the_peer_said),
		cmocka_unit_test(the_longest_words_are_told_whole),
		cmocka_unit_test(a_cease_carries_the_operators_words),
		cmocka_unit_test(long_words_are_cut_at_a_character),
		cmocka_unit_test(a_keepalive_is_a_header),
		cmocka_unit_test(refreshes_of_all_kinds_and_families_are_written_and_read),
		cmocka_unit_test(unknown_refreshes_are_ignored),
		cmocka_unit_test(bad_refreshes_are_refused),
		cmocka_unit_test(a_long_bad_refresh_goes_back_as_far_as_it_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
