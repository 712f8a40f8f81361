/*
 * nd/host: the soliciting end of a softwire: Router Solicitations until a router answers, then its advertisements.
 *
 * The initiator's daemon does this itself; the kernel's SLAAC is off on the device. RFC 4861 section 6.3, RFC 4862
 * section 5.5, RFC 7559 (solicitations go on with back-off: they are never given up, so a lost RA is no outage).
 */
#ifndef ND_HOST_H
#define ND_HOST_H

#include "nd/node.h"

struct nd_host;

struct nd_host_ops {
	void (*send)(struct nd_host *h, const uint8_t *packet, size_t len);
	/* A valid advertisement of our router. What a host must ignore has been left out: link-local prefixes, preferred
	 * lifetimes beyond valid ones, an MTU below 1280. */
	void (*advertised)(struct nd_host *h, const struct nd_advert *a, msec now);
	/* Router Lifetime has run out, or was advertised as 0. */
	void (*router_lost)(struct nd_host *h);
};

struct nd_host_config {
	const struct nd_host_ops *ops;
	struct rng *rng;
	struct nd_counters *counters;
	uint32_t solicit_ms;     /* first interval: 4,000, doubling with jitter (RFC 7559) */
	uint32_t solicit_max_ms; /* 3,600,000 */
};

struct nd_host {
	const struct nd_host_config *config;
	struct addr link_local;
	struct addr router; /* link-local address of the router; none while unknown */
	msec solicit_at, router_until;
	uint32_t interval_ms;
};

/* Sends the first RS at once (HS-ND-1: when IPV6CP is done). */
void nd_host_open(struct nd_host *h, const struct nd_host_config *c, const struct addr *link_local, msec now);
/* A decoded, valid RA; ignored unless from a link-local address. */
void nd_host_input(struct nd_host *h, const struct nd_message *m, msec now);
/* The clock has stood still for SLEPT milliseconds, and the router's lifetime has not: it is asked at once. */
void nd_host_slept(struct nd_host *h, msec slept, msec now);
void nd_host_tick(struct nd_host *h, msec now);
msec nd_host_deadline(const struct nd_host *h);
/* The host as bytes, as in nd/node.h. */
void nd_host_save(const struct nd_host *h, struct writer *w);
int nd_host_resume(struct nd_host *h, const struct nd_host_config *c, const struct addr *link_local,
	struct reader *r, msec now);

#endif
