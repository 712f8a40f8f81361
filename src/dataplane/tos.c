/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DSCP and ECN between the inner and the outer header (RFC 2983, RFC 6040). Both headers have them in one byte,
 * IPv4's TOS or IPv6's Traffic Class: six bits of DSCP, two of ECN.
 */
#include "dataplane/plane.h"

#include "inet/packet.h"

enum { NOT_ECT, ECT1, ECT0, CE, DROP };

/* RFC 6040 section 4.2, figure 4, by inner and outer ECN field; columns in the order of the codepoints. */
static const uint8_t decapsulated[4][4] = {
	[NOT_ECT] = {NOT_ECT, NOT_ECT, NOT_ECT, DROP},
	[ECT1] = {ECT1, ECT1, ECT1, CE},
	[ECT0] = {ECT0, ECT1, ECT0, CE},
	[CE] = {CE, CE, CE, CE},
};

/* The same for what no encapsulator and no router makes of anything: (!!!) and (!) in the figure. */
static const bool unexpected[4][4] = {
	[NOT_ECT] = {[ECT0] = true, [ECT1] = true, [CE] = true},
	[ECT1] = {[ECT0] = true},
	[CE] = {[ECT1] = true},
};

uint8_t dp_tos_read(const uint8_t *packet)
{
	return packet[0] >> 4 == 6 ? (uint8_t)(packet[0] << 4 | packet[1] >> 4) : packet[1];
}

static void ecn_set4(uint8_t *packet, uint8_t ecn)
{
	uint16_t first = (uint16_t)(packet[0] << 8 | packet[1]);
	uint16_t changed = (uint16_t)((first & ~DP_ECN) | ecn);
	uint16_t checksum = inet_checksum_update((uint16_t)(packet[10] << 8 | packet[11]), first, changed);

	packet[1] = (uint8_t)changed;
	packet[10] = (uint8_t)(checksum >> 8);
	packet[11] = (uint8_t)checksum;
}

static void ecn_set(uint8_t *packet, uint8_t ecn)
{
	if (packet[0] >> 4 == 6)
		packet[1] = (uint8_t)((packet[1] & ~(DP_ECN << 4)) | ecn << 4);
	else
		ecn_set4(packet, ecn);
}

/* RFC 6040 section 4.2: SHOULD be logged, and limited. */
static void log_unexpected(struct tun_plane *p, const struct dp_row *row, uint8_t inner, uint8_t outer)
{
	static const char *const names[] = {"Not-ECT", "ECT(1)", "ECT(0)", "CE"};
	struct log_line l;

	if (!limit_ok(&p->ecn_log, loop_now(p->loop), 1, 1) ||
		!log_begin(p->log, &l, LEVEL_DEBUG, "ecn-unexpected"))
		return;
	log_endpoint(&l, "peer", &row->peer);
	log_text(&l, "inner", names[inner]);
	log_text(&l, "outer", names[outer]);
	log_uint(&l, "suppressed", p->ecn_log.suppressed);
	log_end(&l);
	p->ecn_log.suppressed = 0;
}

bool dp_ecn_decapsulate(struct tun_plane *p, struct dp_row *row, uint8_t *packet, uint8_t outer)
{
	uint8_t inner = dp_tos_read(packet) & DP_ECN, ecn = decapsulated[inner][outer];

	if (unexpected[inner][outer])
		log_unexpected(p, row, inner, outer);
	if (ecn == DROP) {
		p->counters.drop_ecn++;
		row->drop_other++;
		return false;
	}
	if (ecn == inner)
		return true;
	ecn_set(packet, ecn);
	if (ecn == CE)
		p->counters.ecn_ce++;
	return true;
}
