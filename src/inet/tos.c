/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inet: DSCP and ECN. */
#include "inet/tos.h"

#include "inet/packet.h"

enum { DROP = 4 };

/* RFC 6040 section 4.2, figure 4, by inner and outer ECN field; columns in the order of the codepoints. */
static const uint8_t decapsulated[4][4] = {
	[ECN_NOT_ECT] = {ECN_NOT_ECT, ECN_NOT_ECT, ECN_NOT_ECT, DROP},
	[ECN_ECT1] = {ECN_ECT1, ECN_ECT1, ECN_ECT1, ECN_CE},
	[ECN_ECT0] = {ECN_ECT0, ECN_ECT1, ECN_ECT0, ECN_CE},
	[ECN_CE] = {ECN_CE, ECN_CE, ECN_CE, ECN_CE},
};

/* The same for what nobody makes of anything: (!!!) and (!) in the figure. */
static const bool unexpected[4][4] = {
	[ECN_NOT_ECT] = {[ECN_ECT0] = true, [ECN_ECT1] = true, [ECN_CE] = true},
	[ECN_ECT1] = {[ECN_ECT0] = true},
	[ECN_CE] = {[ECN_ECT1] = true},
};

uint8_t tos_read(const uint8_t *packet)
{
	return packet[0] >> 4 == 6 ? (uint8_t)(packet[0] << 4 | packet[1] >> 4) : packet[1];
}

static void ecn_set4(uint8_t *packet, uint8_t ecn)
{
	uint16_t first = (uint16_t)(packet[0] << 8 | packet[1]);
	uint16_t changed = (uint16_t)((first & ~TOS_ECN) | ecn);
	uint16_t checksum = inet_checksum_update((uint16_t)(packet[10] << 8 | packet[11]), first, changed);

	packet[1] = (uint8_t)changed;
	packet[10] = (uint8_t)(checksum >> 8);
	packet[11] = (uint8_t)checksum;
}

static void ecn_set(uint8_t *packet, uint8_t ecn)
{
	if (packet[0] >> 4 == 6)
		packet[1] = (uint8_t)((packet[1] & ~(TOS_ECN << 4)) | ecn << 4);
	else
		ecn_set4(packet, ecn);
}

enum ecn_result ecn_decapsulate(uint8_t *packet, uint8_t outer, bool *ret_unexpected)
{
	uint8_t inner = tos_read(packet) & TOS_ECN, ecn = decapsulated[inner][outer & TOS_ECN];

	*ret_unexpected = unexpected[inner][outer & TOS_ECN];
	if (ecn == DROP)
		return ECN_DROP;
	if (ecn == inner)
		return ECN_KEPT;
	ecn_set(packet, ecn);
	return ecn == ECN_CE ? ECN_MARKED : ECN_KEPT;
}

const char *ecn_name(uint8_t tos)
{
	static const char *const names[] = {"Not-ECT", "ECT(1)", "ECT(0)", "CE"};

	return names[tos & TOS_ECN];
}
