/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nothing is received and nothing is sent, for tests that are about sessions only. */
#include "bgp/parts.h"

bool receive_update(struct bgp_connection *c, struct reader body, msec now)
{
	(void)c;
	(void)body;
	(void)now;
	return true;
}

bool receive_flush(
	struct bgp_neighbor *n, enum bgp_family f, bool stale_only, rib_id *at, unsigned *budget, msec now)
{
	(void)n;
	(void)f;
	(void)stale_only;
	(void)at;
	(void)budget;
	(void)now;
	return false;
}

int send_begin(struct bgp_neighbor *n, msec now)
{
	(void)n;
	(void)now;
	return 0;
}

void send_end(struct bgp_neighbor *n)
{
	(void)n;
}

void send_again(struct bgp_neighbor *n, enum bgp_family f, msec now)
{
	(void)n;
	(void)f;
	(void)now;
}

void send_policy(struct bgp_neighbor *n, struct policy *old, msec now)
{
	(void)n;
	(void)now;
	policy_free(old);
}

void send_updates(struct bgp_neighbor *n, struct writer *w, msec now)
{
	(void)n;
	(void)w;
	(void)now;
}

bool send_has_something(const struct bgp_neighbor *n, msec now)
{
	(void)n;
	(void)now;
	return false;
}

msec send_deadline(const struct bgp_neighbor *n)
{
	(void)n;
	return MSEC_NEVER;
}
