/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of inet/tos: the merge of RFC 6040 section 4.2, figure 4, in both families, with every DSCP on either side. */
#include <string.h>

#include "check.h"
#include "inet/tos.h"

enum { NOT_ECT = 0, ECT1 = 1, ECT0 = 2, CE = 3, DROP = 4 };

/* Rows and columns as they stand in the figure. */
static const uint8_t order[4] = {NOT_ECT, ECT0, ECT1, CE};
static const uint8_t figure4[4][4] = {
	{NOT_ECT, NOT_ECT, NOT_ECT, DROP},
	{ECT0, ECT0, ECT1, CE},
	{ECT1, ECT1, ECT1, CE},
	{CE, CE, CE, CE},
};

static void make(uint8_t packet[40], bool six, uint8_t tos)
{
	uint32_t sum;

	for (size_t i = 0; i < 40; i++)
		packet[i] = (uint8_t)(i * 11);
	if (six) {
		packet[0] = (uint8_t)(0x60 | tos >> 4);
		packet[1] = (uint8_t)(0x0c | tos << 4); /* a flow label beside it */
		return;
	}
	packet[0] = 0x45;
	packet[1] = tos;
	packet[10] = packet[11] = 0;
	sum = ~plain_sum(packet, 20, 0);
	packet[10] = (uint8_t)(sum >> 8);
	packet[11] = (uint8_t)sum;
}

static void reads_tos_and_traffic_class(void **state)
{
	uint8_t packet[40];

	for (unsigned tos = 0; tos < 256; tos++)
		for (unsigned six = 0; six < 2; six++) {
			make(packet, six, (uint8_t)tos);
			assert_int_equal(tos_read(packet), tos);
		}
}

static bool is_unexpected(uint8_t inner, uint8_t outer)
{
	return (inner == NOT_ECT && outer != NOT_ECT) || (inner == ECT1 && outer == ECT0) ||
	       (inner == CE && outer == ECT1);
}

static void expect(bool six, uint8_t inner, uint8_t outer, uint8_t result)
{
	uint8_t packet[40], expected[40];
	uint8_t merged = result == DROP ? inner : (uint8_t)((inner & 0xfc) | result);
	bool unexpected = false;
	enum ecn_result r;

	make(packet, six, inner);
	make(expected, six, merged);
	r = ecn_decapsulate(packet, outer, &unexpected);
	assert_int_equal(r, result == DROP                    ? ECN_DROP
			    : merged != inner && result == CE ? ECN_MARKED
							      : ECN_KEPT);
	assert_int_equal(unexpected, is_unexpected(inner & 3, outer & 3));
	assert_memory_equal(packet, expected, six ? 40 : 10);
	if (!six)
		assert_int_equal(plain_sum(packet, 20, 0), 0xffff);
	assert_memory_equal(packet + 12, expected + 12, 28);
}

static void merges_as_figure_4_says(void **state)
{
	for (unsigned row = 0; row < 4; row++)
		for (unsigned column = 0; column < 4; column++)
			for (unsigned dscp = 0; dscp < 64; dscp++)
				for (unsigned six = 0; six < 2; six++)
					expect(six, (uint8_t)(dscp << 2 | order[row]),
						(uint8_t)((63 - dscp) << 2 | order[column]),
						figure4[row][column]);
}

static void names_them(void **state)
{
	assert_string_equal(ecn_name(0xfc), "Not-ECT");
	assert_string_equal(ecn_name(1), "ECT(1)");
	assert_string_equal(ecn_name(2), "ECT(0)");
	assert_string_equal(ecn_name(3), "CE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_tos_and_traffic_class),
		cmocka_unit_test(merges_as_figure_4_says),
		cmocka_unit_test(names_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
