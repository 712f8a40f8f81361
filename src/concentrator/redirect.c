/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Choosing another concentrator: see redirect.h. */
#include "concentrator/redirect.h"

#include "l2tp/packet.h"

const struct endpoint *redirect_choose(
	const struct endpoint *targets, unsigned count, uint8_t family, struct rng *rng)
{
	unsigned fitting = 0, n;

	for (unsigned i = 0; i < count; i++)
		fitting += targets[i].addr.family == family;
	if (!fitting)
		return NULL;
	n = rng_below(rng, fitting);
	for (unsigned i = 0;; i++)
		if (targets[i].addr.family == family && !n--)
			return &targets[i];
}

const char *redirect_print(const struct endpoint *target, char buf[ENDPOINT_TEXT])
{
	return target->port == L2TP_PORT ? addr_print(&target->addr, buf) : endpoint_print(target, buf);
}
