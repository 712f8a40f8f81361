/*
 * nd/router: the advertising end of a link: answers Router Solicitations, advertises unsolicited before lifetimes run out.
 *
 * Used on the concentrator's end of a softwire and on an initiator's LAN. What is advertised is asked for at the
 * moment of sending (ops->describe), so nothing is stored twice. Whatever the configured intervals, the next unsolicited
 * advertisement comes within a third of the shortest lifetime that was advertised (but not more often than every 3 s), unless
 * unsolicited ones are off. RFC 4861 section 6.2, RFC 8106, RFC 7772 (few multicasts).
 */
#ifndef ND_ROUTER_H
#define ND_ROUTER_H

#include "nd/node.h"

struct nd_router;

struct nd_router_ops {
	void (*send)(struct nd_router *r, const uint8_t *packet, size_t len);
	/* Fills in what to advertise now; *ret comes zeroed. False: nothing at the moment. */
	bool (*describe)(struct nd_router *r, msec now, struct nd_advert *ret);
};

struct nd_router_config {
	const struct nd_router_ops *ops;
	struct rng *rng;
	struct nd_counters *counters;
	/* Between unsolicited advertisements, at random; 0: none. On a softwire the lifetimes are long, so hours (but below
	 * a third of Router Lifetime); on a LAN 200 s and 600 s. */
	uint32_t min_interval_ms, max_interval_ms;
	/* Unsolicited ones in short succession after open and after nd_router_changed(): 3 on a LAN, 0 on a softwire. */
	uint8_t initial;
	uint32_t initial_interval_ms; /* 16,000 */
	/* Between two multicast advertisements, 3,000 (section 10: MIN_DELAY_BETWEEN_RAS); 0: none. */
	uint32_t min_delay_ms;
	/* Random delay of multicast answers: 500 on a LAN; 0 on a softwire (a point-to-point link). */
	uint32_t answer_delay_ms;
	/* Answer to the solicitor's address instead of all nodes: softwire 1, LAN 0. */
	uint8_t reply_unicast;
};

struct nd_router {
	const struct nd_router_config *config;
	struct addr link_local; /* our source address */
	uint8_t initial_left;
	bool answer_pending;
	msec next_at;    /* next multicast advertisement */
	msec last_at;    /* last one; MSEC_NEVER: none yet */
	msec answer_tat; /* bucket that bounds answers */
};

void nd_router_open(
	struct nd_router *r, const struct nd_router_config *c, const struct addr *link_local, msec now);
/* A decoded, valid RS. On a softwire (reply_unicast) the answer is sent from here; one from the unspecified address
 * gets a multicast answer. More than five in a burst, or five a second, are ignored. */
void nd_router_input(struct nd_router *r, const struct nd_message *m, msec now);
/* What describe() says has changed (a prefix was deprecated, DNS servers changed): advertise soon. */
void nd_router_changed(struct nd_router *r, msec now);
/* Sends a last advertisement with router lifetime 0 (RFC 4861 section 6.2.5). */
void nd_router_close(struct nd_router *r, msec now);
void nd_router_tick(struct nd_router *r, msec now);
msec nd_router_deadline(const struct nd_router *r);
/* The router as bytes, as in nd/node.h. */
void nd_router_save(const struct nd_router *t, struct writer *w);
int nd_router_resume(struct nd_router *t, const struct nd_router_config *c, const struct addr *link_local,
	struct reader *r, msec now);

#endif
