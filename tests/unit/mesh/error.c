/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mesh/error: ICMP errors: their form, from whom, about what never, and how many. */
#include "fixture.h"

#define HERE4  "198.51.100.7"
#define THERE4 "203.0.113.9"
#define HERE6  "2001:db8:1::7"
#define THERE6 "2001:db8:2::9"

static const struct mesh_encapsulation ipip = {.kind = MESH_IPIP};

static struct mesh_path *dead_path(struct fixture *f)
{
	struct mesh_endpoint *e = fixture_endpoint(f, INGRESS6, EGRESS6, &ipip);

	e->usable = false;
	return fixture_path(f, e, NULL, 0);
}

static void comes_from_the_source_that_was_set_and_quotes_the_packet(void **state)
{
	struct addr source6 = address("2001:db8:e::1"), source4 = address("198.51.100.1");
	struct fixture *f = *state;
	struct mesh_path *path = dead_path(f);
	uint8_t packet[200], out[1500];

	for (unsigned six = 0; six < 2; six++) {
		size_t len = packet_build(
			       packet, six ? HERE6 : HERE4, six ? THERE6 : THERE4, 17, "12345678", 8),
		       header = six ? 40 : 20;

		device_sends(f, path->number, packet, len);
		assert_int_equal(device_gets(f, out, sizeof(out)), header + 8 + len);
		assert_memory_equal(out + (six ? 8 : 12), six ? source6.bytes : source4.bytes, six ? 16 : 4);
		assert_memory_equal(out + (six ? 24 : 16), packet + (six ? 8 : 12), six ? 16 : 4);
		assert_true(packet_checksum_ok(out, header + 8 + len));
		assert_memory_equal(out + header + 8, packet, len);
	}
	assert_int_equal(f->counters->icmp_sent, 2);
}

static void without_a_source_there_is_none(void **state)
{
	struct fixture *f = *state;
	struct mesh_path *path = dead_path(f);
	struct addr source4 = address("198.51.100.1");
	uint8_t packet[200], out[1500];

	mesh_plane_set_sources(f->plane, NULL, &source4);
	device_sends(f, path->number, packet, packet_build(packet, HERE6, THERE6, 17, "12345678", 8));
	assert_int_equal(device_gets(f, out, sizeof(out)), 0);
	device_sends(f, path->number, packet, packet_build(packet, HERE4, THERE4, 17, "12345678", 8));
	assert_true(device_gets(f, out, sizeof(out)) > 0);
	mesh_plane_set_sources(f->plane, NULL, NULL);
	device_sends(f, path->number, packet, packet_build(packet, HERE4, THERE4, 17, "12345678", 8));
	assert_int_equal(device_gets(f, out, sizeof(out)), 0);
	assert_int_equal(path->rejected, 3);
}

static void is_never_about_an_error(void **state)
{
	struct fixture *f = *state;
	struct mesh_path *path = dead_path(f);
	uint8_t packet[200], out[1500];

	device_sends(f, path->number, packet, packet_build(packet, HERE6, THERE6, 58, "\1\0\0\0\0\0\0\0", 8));
	device_sends(f, path->number, packet, packet_build(packet, HERE4, THERE4, 1, "\3\1\0\0\0\0\0\0", 8));
	assert_int_equal(device_gets(f, out, sizeof(out)), 0);
	device_sends(f, path->number, packet,
		packet_build(packet, HERE4, THERE4, 1, "\x8\0\0\0\0\0\0\0", 8)); /* an echo request is none */
	assert_true(device_gets(f, out, sizeof(out)) > 0);
	assert_int_equal(f->counters->icmp_sent, 1);
}

static unsigned flood(struct fixture *f, struct mesh_path *path, unsigned count, size_t data)
{
	static uint8_t body[1500];
	uint8_t packet[1600], out[1600];
	size_t len = packet_build(packet, HERE4, THERE4, 17, body, data);
	unsigned answers = 0;

	for (unsigned i = 0; i < count; i++) {
		device_sends(f, path->number, packet, len);
		answers += device_gets(f, out, sizeof(out)) > 0;
	}
	return answers;
}

/* RFC 4443 section 2.4 (f). The loop's time does not pass here. */
static void one_path_does_not_silence_the_others(void **state)
{
	struct fixture *f = *state;
	struct mesh_path *noisy = dead_path(f), *quiet = dead_path(f);
	struct mesh_endpoint *e = fixture_endpoint(f, INGRESS6, BACKUP6, &ipip);
	struct mesh_path *narrow = fixture_path(f, e, NULL, 0);
	unsigned answers = flood(f, noisy, 2000, 8);

	assert_in_range(answers, 100, 900);
	assert_int_equal(f->counters->icmp_suppressed, 2000 - answers);
	assert_int_equal(flood(f, quiet, 10, 8), 10);
	/* That nobody is there does not silence what a sender must hear to get through. */
	for (unsigned i = 0; i < 20; i++)
		flood(f, dead_path(f), 200, 8);
	assert_int_equal(flood(f, dead_path(f), 1, 8), 0);
	assert_int_equal(flood(f, narrow, 10, 1450), 10);
}

/* Paths by one endpoint share its limit; the plane has one over all. */
static void endpoint_and_plane_have_limits(void **state)
{
	enum { PATHS = 20 };
	struct fixture *f = *state;
	struct mesh_endpoint *e = fixture_endpoint(f, INGRESS6, EGRESS6, &ipip);
	unsigned answers = 0;

	for (unsigned i = 0; i < PATHS; i++)
		answers += flood(f, fixture_path(f, mesh_endpoint_ref(e), NULL, 0), 100, 1450);
	assert_in_range(answers, 300, 1500);
	assert_int_equal(e->drop_too_big, PATHS * 100);
	mesh_endpoint_unref(f->table, e);

	answers = 0;
	for (unsigned i = 0; i < PATHS; i++)
		answers += flood(f, dead_path(f), 150, 8);
	assert_in_range(answers, 500, 2000);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(comes_from_the_source_that_was_set_and_quotes_the_packet),
		TEST(without_a_source_there_is_none),
		TEST(is_never_about_an_error),
		TEST(one_path_does_not_silence_the_others),
		TEST(endpoint_and_plane_have_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
