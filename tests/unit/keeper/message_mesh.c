/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The form of what the mesh asks for: taken once, and refused many times. */
#include "good.h"

/* ---- neighbours ---- */

static void neither_way(struct message_request *r)
{
	r->body.neighbours.add = 2;
}

static void on_no_device(struct message_request *r)
{
	memset(r->body.neighbours.device, 0, IFNAMSIZ);
}

static void no_neighbours(struct message_request *r)
{
	r->body.neighbours.count = 0;
}

static void too_many_neighbours(struct message_request *r)
{
	r->body.neighbours.count = KEEPER_NEIGHBOURS + 1;
}

static void billions_of_neighbours(struct message_request *r)
{
	r->body.neighbours.count = 0xffffffff;
}

static void neighbours_that_are_missing(struct message_request *r)
{
	r->body.neighbours.count = 3;
}

static void neighbours_that_are_not_counted(struct message_request *r)
{
	r->body.neighbours.count = 1;
}

static void number_nought(struct message_request *r)
{
	r->body.neighbours.numbers[0] = 0;
}

static void number_of_25_bits(struct message_request *r)
{
	r->body.neighbours.numbers[1] = 0x1000000;
}

/* ---- raw sockets ---- */

static void of_no_family(struct message_request *r)
{
	r->body.raw.local.family = 0;
}

static void with_hidden_tail(struct message_request *r)
{
	r->body.raw.local = addr4(192, 0, 2, 1);
	r->body.raw.local.bytes[15] = 1;
}

static void on_all_addresses(struct message_request *r)
{
	memset(r->body.raw.local.bytes, 0, 16);
}

static void on_multicast(struct message_request *r)
{
	r->body.raw.local.bytes[0] = 0xff;
}

static void on_loopback(struct message_request *r)
{
	r->body.raw.local = addr4(127, 0, 0, 1);
}

static void on_broadcast(struct message_request *r)
{
	r->body.raw.local = addr4(255, 255, 255, 255);
}

static void of_icmp(struct message_request *r)
{
	r->body.raw.protocol = 1;
}

static void of_tcp(struct message_request *r)
{
	r->body.raw.protocol = 6;
}

static void of_nothing(struct message_request *r)
{
	r->body.raw.protocol = 0;
}

/* ---- borders ---- */

static void too_many_interfaces(struct message_request *r)
{
	r->body.borders.interface_count = KEEPER_BORDERS + 1;
}

static void interfaces_that_are_missing(struct message_request *r)
{
	r->body.borders.interface_count = 3;
}

static void interfaces_that_are_not_counted(struct message_request *r)
{
	r->body.borders.interface_count = 1;
}

static void interface_that_is_a_path(struct message_request *r)
{
	strcpy(r->body.borders.interfaces[1], "../eth1");
}

static void interface_with_hidden_tail(struct message_request *r)
{
	r->body.borders.interfaces[0][IFNAMSIZ - 1] = 'x';
}

static void too_many_sets(struct message_request *r)
{
	r->body.borders.set_count = 0x80000000;
}

static void sets_that_are_missing(struct message_request *r)
{
	r->body.borders.set_count = 2;
}

static void sets_that_are_not_counted(struct message_request *r)
{
	r->body.borders.set_count = 0;
}

static void set_with_host_bits(struct message_request *r)
{
	r->body.borders.sets[0].addr.bytes[15] = 1;
}

static void set_beyond_family(struct message_request *r)
{
	r->body.borders.sets[0].len = 129;
}

static void set_of_everything(struct message_request *r)
{
	r->body.borders.sets[0] = (struct prefix){.addr = {.family = AF_INET6}};
}

static void refuses_values_that_make_no_sense(void **state)
{
	static const struct spoilt cases[] = {
		SPOILT(MESSAGE_NEIGHBOURS, neither_way),
		SPOILT(MESSAGE_NEIGHBOURS, on_no_device),
		SPOILT(MESSAGE_NEIGHBOURS, no_neighbours),
		SPOILT(MESSAGE_NEIGHBOURS, too_many_neighbours),
		SPOILT(MESSAGE_NEIGHBOURS, billions_of_neighbours),
		SPOILT(MESSAGE_NEIGHBOURS, neighbours_that_are_missing),
		SPOILT(MESSAGE_NEIGHBOURS, neighbours_that_are_not_counted),
		SPOILT(MESSAGE_NEIGHBOURS, number_nought),
		SPOILT(MESSAGE_NEIGHBOURS, number_of_25_bits),
		SPOILT(MESSAGE_OPEN_RAW, of_no_family),
		SPOILT(MESSAGE_OPEN_RAW, with_hidden_tail),
		SPOILT(MESSAGE_OPEN_RAW, on_all_addresses),
		SPOILT(MESSAGE_OPEN_RAW, on_multicast),
		SPOILT(MESSAGE_OPEN_RAW, on_loopback),
		SPOILT(MESSAGE_OPEN_RAW, on_broadcast),
		SPOILT(MESSAGE_OPEN_RAW, of_icmp),
		SPOILT(MESSAGE_OPEN_RAW, of_tcp),
		SPOILT(MESSAGE_OPEN_RAW, of_nothing),
		SPOILT(MESSAGE_BORDERS, too_many_interfaces),
		SPOILT(MESSAGE_BORDERS, interfaces_that_are_missing),
		SPOILT(MESSAGE_BORDERS, interfaces_that_are_not_counted),
		SPOILT(MESSAGE_BORDERS, interface_that_is_a_path),
		SPOILT(MESSAGE_BORDERS, interface_with_hidden_tail),
		SPOILT(MESSAGE_BORDERS, too_many_sets),
		SPOILT(MESSAGE_BORDERS, sets_that_are_missing),
		SPOILT(MESSAGE_BORDERS, sets_that_are_not_counted),
		SPOILT(MESSAGE_BORDERS, set_with_host_bits),
		SPOILT(MESSAGE_BORDERS, set_beyond_family),
		SPOILT(MESSAGE_BORDERS, set_of_everything),
	};

	refuse_all(cases, sizeof(cases) / sizeof(cases[0]));
}

static void takes_the_protocols_of_encapsulations(void **state)
{
	static const uint8_t protocols[] = {4, 41, 47, 115, 137, 255};
	unsigned taken = 0;

	for (unsigned p = 0; p < 256; p++) {
		struct message_request r = good(MESSAGE_OPEN_RAW), ret;

		r.body.raw.protocol = (uint8_t)p;
		if (!message_decode(&r, message_size(r.type), &ret)) {
			assert_non_null(memchr(protocols, (int)p, sizeof(protocols)));
			taken++;
		}
	}
	assert_int_equal(taken, sizeof(protocols));
}

static void no_borders_at_all_is_a_request(void **state)
{
	struct message_request r = {.id = 1, .type = MESSAGE_BORDERS}, ret;

	assert_null(message_decode(&r, message_size(r.type), &ret));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_values_that_make_no_sense),
		cmocka_unit_test(takes_the_protocols_of_encapsulations),
		cmocka_unit_test(no_borders_at_all_is_a_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
