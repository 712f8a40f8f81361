/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The operator's policy of encapsulations: see choose.h. */
#include "afbr/choose.h"

#include <errno.h>
#include <string.h>

/* ---- classes of traffic ---- */

/* The rules that look at packets of DSCP: a bit for each. What has the same is treated alike. */
static uint64_t rules_for(const struct afbr_config *c, unsigned dscp)
{
	uint64_t rules = 0;

	_Static_assert((int)AFBR_RULES <= 64, "a bit for each rule");
	for (unsigned i = 0; i < c->rule_count; i++)
		rules |= (c->rules[i].dscp >> dscp & 1) << i;
	return rules;
}

int choose_slots(struct afbr_config *c)
{
	uint64_t rules[AFBR_SLOTS], members[AFBR_SLOTS] = {0};
	uint8_t slot_of[AFBR_DSCPS];
	unsigned count = 0;

	for (unsigned dscp = 0; dscp < AFBR_DSCPS; dscp++) {
		uint64_t mine = rules_for(c, dscp);
		unsigned slot = 0;

		while (slot < count && rules[slot] != mine)
			slot++;
		if (slot == AFBR_SLOTS)
			return -ENOSPC;
		if (slot == count)
			rules[count++] = mine;
		members[slot] |= (uint64_t)1 << dscp;
		slot_of[dscp] = (uint8_t)slot;
	}
	c->slot_count = (uint8_t)count;
	memcpy(c->slot_of, slot_of, sizeof(slot_of));
	memcpy(c->slot_dscp, members, sizeof(members));
	return 0;
}
