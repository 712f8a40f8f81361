/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The JSON of doc/control.md: every field is there and has its type; values that are not text become text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/report.h"

struct field {
	const char *name;
	char type; /* i: integer, s: string, n: string or null, u: integer or null, a: array, o: object */
};

static bool has_type(const json_t *value, char type)
{
	switch (type) {
	case 'i':
		return json_is_integer(value);
	case 's':
		return json_is_string(value);
	case 'n':
		return json_is_string(value) || json_is_null(value);
	case 'u':
		return json_is_integer(value) || json_is_null(value);
	case 'a':
		return json_is_array(value);
	default:
		return json_is_object(value);
	}
}

static void check_fields(const json_t *object, const struct field *fields, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const json_t *value = json_object_get(object, fields[i].name);

		if (!value)
			fail_msg("field %s is missing", fields[i].name);
		if (!has_type(value, fields[i].type))
			fail_msg("field %s has another type than %c", fields[i].name, fields[i].type);
	}
	assert_int_equal(json_object_size(object), count);
}

#define CHECK_FIELDS(object, fields) check_fields(object, fields, sizeof(fields) / sizeof(*(fields)))

static json_int_t integer(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	assert_true(json_is_integer(value));
	return json_integer_value(value);
}

static const char *string(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	assert_non_null(text);
	return text;
}

/* ---- rows ---- */

static const struct field row_fields[] = {
	{"rx6_packets", 'i'},
	{"rx6_bytes", 'i'},
	{"tx6_packets", 'i'},
	{"tx6_bytes", 'i'},
	{"rx4_packets", 'i'},
	{"rx4_bytes", 'i'},
	{"tx4_packets", 'i'},
	{"tx4_bytes", 'i'},
	{"drop_spoofed", 'i'},
	{"drop_too_big", 'i'},
	{"drop_other", 'i'},
};

/* proves: HS-AAA-12 partial, PS-10 partial */
static void a_row_tells_the_families_apart(void **state)
{
	struct dp_row row = {
		.v6 = {.rx_packets = 1, .rx_bytes = 2, .tx_packets = 3, .tx_bytes = 4},
		.v4 = {.rx_packets = 5, .rx_bytes = 6, .tx_packets = 7, .tx_bytes = 8},
		.drop_spoofed = 9,
		.drop_too_big = 10,
		.drop_other = 11,
	};
	json_t *object = json_object();

	report_row(object, &row);
	CHECK_FIELDS(object, row_fields);
	for (size_t i = 0; i < sizeof(row_fields) / sizeof(*row_fields); i++)
		assert_int_equal(integer(object, row_fields[i].name), i + 1);
	json_decref(object);
}

static void no_row_is_zeros(void **state)
{
	json_t *object = json_object();

	report_row(object, NULL);
	CHECK_FIELDS(object, row_fields);
	for (size_t i = 0; i < sizeof(row_fields) / sizeof(*row_fields); i++)
		assert_int_equal(integer(object, row_fields[i].name), 0);
	json_decref(object);
}

/* ---- states ---- */

static const struct field state_fields[] = {
	{"state", 's'},
	{"families", 'a'},
	{"mtu", 'i'},
	{"up_seconds", 'u'},
	{"setup_ms", 'u'},
};

static void the_state_has_the_words_of_the_page(void **state)
{
	static const char *const words[] = {
		[STEP_TUNNEL] = "tunnel",
		[STEP_LCP] = "lcp",
		[STEP_AUTH] = "auth",
		[STEP_LEASE] = "lease",
		[STEP_NCP] = "ncp",
		[STEP_UP] = "up",
		[STEP_CLOSING] = "closing",
		[STEP_CLOSED] = "closing",
	};

	for (int step = STEP_TUNNEL; step <= STEP_CLOSED; step++) {
		struct softwire s = {.step = (uint8_t)step,
			.mtu = 1460,
			.started_at = 1000,
			.up_at = step == STEP_UP ? 1250 : 0};
		json_t *object = json_object();

		report_state(object, &s, 61250);
		CHECK_FIELDS(object, state_fields);
		assert_string_equal(string(object, "state"), words[step]);
		assert_int_equal(integer(object, "mtu"), 1460);
		if (step == STEP_UP) {
			assert_int_equal(integer(object, "up_seconds"), 60);
			assert_int_equal(integer(object, "setup_ms"), 250);
		} else {
			assert_true(json_is_null(json_object_get(object, "up_seconds")));
			assert_true(json_is_null(json_object_get(object, "setup_ms")));
		}
		json_decref(object);
	}
}

/* proves: PS-10 partial */
static void families_have_the_numbers_of_iana(void **state)
{
	struct softwire s = {.step = STEP_UP, .up_at = 1, .up6 = true};
	json_t *object = json_object(), *family;

	report_state(object, &s, 1);
	assert_int_equal(json_array_size(json_object_get(object, "families")), 1);
	family = json_array_get(json_object_get(object, "families"), 0);
	assert_int_equal(integer(family, "afi"), 2);
	assert_int_equal(integer(family, "safi"), 1);
	assert_string_equal(string(family, "name"), "ipv6");
	json_decref(object);

	s.up4 = true;
	object = json_object();
	report_state(object, &s, 1);
	assert_int_equal(json_array_size(json_object_get(object, "families")), 2);
	family = json_array_get(json_object_get(object, "families"), 1);
	assert_int_equal(integer(family, "afi"), 1);
	assert_int_equal(integer(family, "safi"), 1);
	assert_string_equal(string(family, "name"), "ipv4");
	json_decref(object);

	s.up6 = s.up4 = false;
	object = json_object();
	report_state(object, &s, 1);
	assert_int_equal(json_array_size(json_object_get(object, "families")), 0);
	json_decref(object);
}

/* ---- tunnels ---- */

static const struct field tunnel_fields[] = {
	{"state", 's'},
	{"local_tunnel", 'i'},
	{"peer_tunnel", 'i'},
	{"local_session", 'i'},
	{"peer_session", 'i'},
	{"ns", 'i'},
	{"nr", 'i'},
	{"window", 'i'},
	{"in_flight", 'i'},
	{"last_heard_seconds", 'u'},
};

static void a_tunnel_has_every_field(void **state)
{
	struct softwire s = {.tunnel = {.local_tunnel = 1,
				     .peer_tunnel = 2,
				     .local_session = 3,
				     .peer_session = 4,
				     .ns = 5,
				     .nr = 6,
				     .peer_window = 7,
				     .in_flight = 8,
				     .last_heard = 10000}};
	json_t *object = json_object();

	report_tunnel(object, &s, 0, 15500);
	CHECK_FIELDS(object, tunnel_fields);
	for (json_int_t i = 1; i <= 8; i++)
		assert_int_equal(integer(object, tunnel_fields[i].name), i);
	assert_int_equal(integer(object, "last_heard_seconds"), 5);
	json_decref(object);
}

static void a_tunnels_state_is_one_of_four_words(void **state)
{
	static const char *const words[] = {"idle", "wait", "established", "closing"};
	unsigned seen = 0;

	for (uint8_t tunnel = 0; tunnel <= 8; tunnel++) /* enum tunnel_state, private to l2tp/ */
		for (uint8_t session = 0; session <= 3; session++) {
			struct softwire s = {.tunnel = {.state = tunnel, .session_state = session}};
			json_t *object = json_object();
			unsigned i = 0;

			report_tunnel(object, &s, 0, 0);
			while (i < 4 && strcmp(words[i], string(object, "state")) != 0)
				i++;
			assert_in_range(i, 0, 3);
			seen |= 1 << i;
			json_decref(object);
		}
	assert_int_equal(seen, 15);
}

/* The data plane hears more than the control channel does. */
static void heard_is_the_later_of_control_and_data(void **state)
{
	struct softwire s = {.tunnel = {.last_heard = 10000}};
	json_t *object = json_object();

	report_tunnel(object, &s, 14000, 15500);
	assert_int_equal(integer(object, "last_heard_seconds"), 1);
	json_decref(object);

	s.tunnel.last_heard = 0;
	object = json_object();
	report_tunnel(object, &s, 0, 15500);
	assert_true(json_is_null(json_object_get(object, "last_heard_seconds")));
	json_decref(object);
}

/* ---- counters ---- */

static void counters_have_their_groups(void **state)
{
	static const char *const groups[] = {"dataplane", "l2tp", "ppp", "nd", "dhcp6", "dhcp4", "softwire"};
	struct softwire_counters c = {.up = 3};
	struct dp_counters dp = {.rx_packets = 42};
	json_t *object = json_object();

	c.l2tp.hello_tx = 7;
	c.ppp.bad_auth = 8;
	c.nd.duplicates = 9;
	c.dhcp6.bad_duid = 10;
	c.dhcp4.bad_client = 12;
	c.down[CAUSE_DEAD_PEER] = 11;
	report_counters(object, &c, &dp);
	assert_int_equal(json_object_size(object), sizeof(groups) / sizeof(*groups));
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		json_t *group = json_object_get(object, groups[i]), *value;
		const char *name;

		assert_true(json_is_object(group));
		assert_true(json_object_size(group) > 5);
		json_object_foreach(group, name, value) assert_true(json_is_integer(value));
	}
	assert_int_equal(integer(json_object_get(object, "dataplane"), "rx_packets"), 42);
	assert_int_equal(integer(json_object_get(object, "l2tp"), "hello_tx"), 7);
	assert_int_equal(integer(json_object_get(object, "ppp"), "bad_auth"), 8);
	assert_int_equal(integer(json_object_get(object, "nd"), "duplicates"), 9);
	assert_int_equal(integer(json_object_get(object, "dhcp6"), "bad_duid"), 10);
	assert_int_equal(integer(json_object_get(object, "dhcp4"), "bad_client"), 12);
	assert_int_equal(integer(json_object_get(object, "softwire"), "up"), 3);
	assert_int_equal(integer(json_object_get(object, "softwire"), "down_dead_peer"), 11);
	json_decref(object);
}

/* Every member of the structures is in the list: a counter that is added is not forgotten. */
static void no_counter_is_left_out(void **state)
{
	struct softwire_counters c;
	struct dp_counters dp;
	json_t *object = json_object();
	static const struct {
		const char *group;
		size_t size;
	} sizes[] = {
		{"l2tp", sizeof(struct l2tp_counters)},
		{"ppp", sizeof(struct ppp_counters)},
		{"nd", sizeof(struct nd_counters)},
		{"dhcp6", sizeof(struct dhcp6_counters) - sizeof(((struct dhcp6_counters *)0)->by_type)},
		{"dhcp4", sizeof(struct dhcp4_counters) - sizeof(((struct dhcp4_counters *)0)->by_type)},
		{"dataplane", sizeof(struct dp_counters)},
		{"softwire",
			sizeof(struct softwire_counters) - offsetof(struct softwire_counters, bad_header)},
	};

	memset(&c, 0, sizeof(c));
	memset(&dp, 0, sizeof(dp));
	report_counters(object, &c, &dp);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		if (json_object_size(json_object_get(object, sizes[i].group)) !=
			sizes[i].size / sizeof(uint64_t))
			fail_msg("group %s has %zu of %zu counters", sizes[i].group,
				json_object_size(json_object_get(object, sizes[i].group)),
				sizes[i].size / sizeof(uint64_t));
	json_decref(object);
}

/* ---- traces ---- */

static const struct field trace_fields[] = {
	{"event", 's'},
	{"softwire", 'i'},
	{"name", 'n'},
	{"user", 'n'},
	{"t_ms", 'i'},
	{"dir", 's'},
	{"layer", 's'},
	{"text", 'n'},
};

static void a_trace_event_has_every_field(void **state)
{
	static const uint8_t hello[] = {0xc8, 2, 0, 20, 0, 7, 0, 0, 0, 1, 0, 1, 0x80, 8, 0, 0, 0, 0, 0, 6};
	struct softwire s = {.started_at = 500};
	json_t *event = report_trace(&s, 17, NULL, "alice", TRACE_TX_CONTROL, hello, sizeof(hello), 750);

	assert_non_null(event);
	CHECK_FIELDS(event, trace_fields);
	assert_string_equal(string(event, "event"), "trace");
	assert_int_equal(integer(event, "softwire"), 17);
	assert_int_equal(integer(event, "t_ms"), 250);
	assert_string_equal(string(event, "dir"), "tx");
	assert_string_equal(string(event, "layer"), "l2tp");
	assert_string_equal(string(event, "user"), "alice");
	assert_true(json_is_null(json_object_get(event, "name")));
	assert_non_null(strstr(string(event, "text"), "HELLO"));
	json_decref(event);
}

/* Whatever a peer sends: an event is an object of these fields, in UTF-8. */
static void hostile_packets_can_be_traced(void **state)
{
	static const enum softwire_trace kinds[] = {TRACE_RX_CONTROL, TRACE_RX_PPP, TRACE_RX_IP6, TRACE_NOTE};
	struct softwire s = {0};
	uint8_t packet[96];

	for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++)
		for (size_t len = 0; len <= sizeof(packet); len += 8) {
			json_t *event;
			char *text;

			memset(packet, 0xff, sizeof(packet));
			event = report_trace(&s, 1, "home", "\xff\xfe", kinds[k], packet, len, 0);
			assert_non_null(event);
			CHECK_FIELDS(event, trace_fields);
			text = json_dumps(event, JSON_COMPACT);
			assert_non_null(text);
			free(text);
			json_decref(event);
		}
}

/* ---- values ---- */

static void text_that_is_not_utf8_is_escaped(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"alice", "alice"},
		{"J\xc3\xbcrgen", "J\xc3\xbcrgen"},
		{"\xff\xfe", "\\xff\\xfe"},
		{"a\xc3", "a\\xc3"},
		{"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* a surrogate */
		{"\xff\n", "\\xff\\x0a"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		json_t *value = report_text(cases[i].in);

		assert_string_equal(json_string_value(value), cases[i].out);
		json_decref(value);
	}
	assert_true(json_is_null(report_text(NULL)));
	assert_true(json_is_null(report_text("")));
}

static void text_of_any_length_fits(void **state)
{
	char long_text[4096];
	json_t *value;

	memset(long_text, 0xfe, sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	value = report_text(long_text);
	assert_true(json_string_length(value) < 1024);
	json_decref(value);
}

static void what_is_not_known_is_null(void **state)
{
	struct addr a;
	json_t *value;

	assert_true(json_is_null(report_addr(&(struct addr){0})));
	assert_true(json_is_null(report_prefix(&(struct prefix){0})));
	assert_true(json_is_null(report_endpoint(&(struct endpoint){0})));
	assert_int_equal(addr_parse("2001:db8::7", &a), 0);
	value = report_endpoint(&(struct endpoint){a, 1701});
	assert_string_equal(json_string_value(value), "[2001:db8::7]:1701");
	json_decref(value);
	value = report_addrs(&a, 1);
	assert_string_equal(json_string_value(json_array_get(value, 0)), "2001:db8::7");
	json_decref(value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_tells_the_families_apart),
		cmocka_unit_test(no_row_is_zeros),
		cmocka_unit_test(the_state_has_the_words_of_the_page),
		cmocka_unit_test(families_have_the_numbers_of_iana),
		cmocka_unit_test(a_tunnel_has_every_field),
		cmocka_unit_test(a_tunnels_state_is_one_of_four_words),
		cmocka_unit_test(heard_is_the_later_of_control_and_data),
		cmocka_unit_test(counters_have_their_groups),
		cmocka_unit_test(no_counter_is_left_out),
		cmocka_unit_test(a_trace_event_has_every_field),
		cmocka_unit_test(hostile_packets_can_be_traced),
		cmocka_unit_test(text_that_is_not_utf8_is_escaped),
		cmocka_unit_test(text_of_any_length_fits),
		cmocka_unit_test(what_is_not_known_is_null),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
