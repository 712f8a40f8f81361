/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ECN out of a softwire (RFC 6040): what is counted and logged of the merge. */
#include "dataplane/plane.h"

/* RFC 6040 section 4.2: SHOULD be logged, and limited. */
static void log_unexpected(struct tun_plane *p, const struct dp_row *row, uint8_t inner, uint8_t outer)
{
	struct log_line l;

	if (!limit_ok(&p->ecn_log, loop_now(p->loop), 1, 1) ||
		!log_begin(p->log, &l, LEVEL_DEBUG, "ecn-unexpected"))
		return;
	log_endpoint(&l, "peer", &row->peer);
	log_text(&l, "inner", ecn_name(inner));
	log_text(&l, "outer", ecn_name(outer));
	log_uint(&l, "suppressed", p->ecn_log.suppressed);
	log_end(&l);
	p->ecn_log.suppressed = 0;
}

bool dp_ecn_decapsulate(struct tun_plane *p, struct dp_row *row, uint8_t *packet, uint8_t outer)
{
	uint8_t inner = tos_read(packet);
	bool unexpected = false;
	enum ecn_result result = ecn_decapsulate(packet, outer, &unexpected);

	if (unexpected)
		log_unexpected(p, row, inner, outer);
	if (result == ECN_MARKED)
		p->counters.ecn_ce++;
	if (result != ECN_DROP)
		return true;
	p->counters.drop_ecn++;
	row->drop_other++;
	return false;
}
