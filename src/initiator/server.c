/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configured servers: in which order they are asked, and where they are.
 *
 * Their ranks follow from the configuration; those of one rank come in random order, so that many initiators share the load out. One that has
 * failed comes behind all others until its own back-off is over, which doubles with every failure.
 *
 * A name is resolved for every race. What the resolver has said last is kept: after the host's address has changed, the resolver may well be
 * behind the softwire that is to be set up again.
 */
#include "initiator/role.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "name", "name:port", "address", "[address]:port". True: an address. */
static bool split(const char *text, struct endpoint *ret, char host[256])
{
	const char *colon = strrchr(text, ':');

	if (endpoint_parse(text, L2TP_PORT, ret) == 0)
		return true;
	ret->port = L2TP_PORT;
	snprintf(host, 256, "%s", text);
	if (colon && strchr(text, ':') == colon && atoi(colon + 1) > 0 && atoi(colon + 1) < 65536) {
		host[colon - text] = '\0';
		ret->port = (uint16_t)atoi(colon + 1);
	}
	return false;
}

/* An address is known from the start. */
static void init(struct known_server *s, const char *text)
{
	struct endpoint at = {0};
	char host[256];

	if (split(text, &at, host))
		s->addresses[s->address_count++] = at.addr;
	s->port = at.port;
}

void initiator_servers_init(struct initiator *i)
{
	uint8_t rank = 0;

	for (unsigned n = 0; n < i->config.server_count; n++) {
		if (n && !i->config.server_beside[n])
			rank++;
		i->servers[n] = (struct known_server){.role = i, .rank = rank};
		init(&i->servers[n], i->config.servers[n]);
	}
}

/* ---- order ---- */

static void swap(uint8_t *a, uint8_t *b)
{
	uint8_t c = *a;

	*a = *b;
	*b = c;
}

/* Does A come before B, all else being equal? */
static bool comes_before(const struct initiator *i, uint8_t a, uint8_t b)
{
	msec now = loop_now(i->loop);
	bool late_a = i->servers[a].again_at > now, late_b = i->servers[b].again_at > now;

	if (late_a != late_b)
		return late_b;
	return i->servers[a].rank < i->servers[b].rank;
}

unsigned initiator_servers_order(struct initiator *i, unsigned below, uint8_t order[INITIATOR_SERVERS])
{
	unsigned count = 0;

	for (unsigned n = 0; n < i->config.server_count; n++)
		if (i->servers[n].rank < below)
			order[count++] = (uint8_t)n;
	for (unsigned n = count; n > 1; n--)
		swap(&order[n - 1], &order[rng_below(i->rng, n)]);
	for (unsigned n = 1; n < count; n++) /* stable: those that are equal stay as they were drawn */
		for (unsigned k = n; k > 0 && comes_before(i, order[k], order[k - 1]); k--)
			swap(&order[k], &order[k - 1]);
	return count;
}

/* ---- how they fare ---- */

void initiator_server_failed(struct initiator *i, unsigned n)
{
	struct known_server *s = &i->servers[n];

	s->failures++;
	s->again_at = loop_now(i->loop) + initiator_backoff(i, s->failures, i->config.backoff_max_ms);
}

void initiator_server_works(struct initiator *i, unsigned n)
{
	i->servers[n].failures = 0;
	i->servers[n].again_at = 0;
}

void initiator_servers_forget(struct initiator *i)
{
	for (unsigned n = 0; n < i->config.server_count; n++)
		initiator_server_works(i, n);
}

/* ---- where they are ---- */

static bool has_address(const struct known_server *s, const struct addr *a)
{
	for (unsigned n = 0; n < s->address_count; n++)
		if (addr_equal(&s->addresses[n], a))
			return true;
	return false;
}

int initiator_server_find(const struct initiator *i, const struct endpoint *at)
{
	for (unsigned n = 0; n < i->config.server_count; n++)
		if (i->servers[n].port == at->port && has_address(&i->servers[n], &at->addr))
			return (int)n;
	return -1;
}

static void take_addresses(struct known_server *s, const struct addrinfo *list)
{
	s->address_count = 0;
	for (const struct addrinfo *ai = list; ai && s->address_count < SERVER_ADDRESSES; ai = ai->ai_next) {
		struct endpoint e;

		if (endpoint_from_sockaddr(ai->ai_addr, &e) == 0 && !has_address(s, &e.addr))
			s->addresses[s->address_count++] = e.addr;
	}
}

static void log_resolver(struct initiator *i, unsigned n, const char *why)
{
	struct log_line l;

	if (initiator_log(i, &l, LEVEL_WARN, "resolver")) {
		log_text(&l, "server", i->config.servers[n]);
		log_text(&l, "reason", why);
		log_text(&l, "advice",
			i->servers[n].address_count ? "the addresses that it gave last are used"
						    : "none is known");
		log_end(&l);
	}
}

static void resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
	struct known_server *s = container_of(req, struct known_server, resolver);
	struct initiator *i = s->role;
	unsigned n = (unsigned)(s - i->servers);

	s->resolving = false;
	if (!status)
		take_addresses(s, list);
	uv_freeaddrinfo(list);
	if (i->stopping)
		return;
	if (status)
		log_resolver(i, n, uv_strerror(status));
	initiator_race_resolved(i, n, s->address_count ? NULL : uv_strerror(status));
}

bool initiator_server_resolve(struct initiator *i, unsigned n)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
	struct known_server *s = &i->servers[n];
	struct endpoint at = {0};
	char host[256];

	if (split(i->config.servers[n], &at, host))
		return true;
	if (!s->resolving) /* else its answer is still to come, from an earlier race */
		s->resolving = uv_getaddrinfo(&i->loop->uv, &s->resolver, resolved, host, NULL, &hints) == 0;
	return !s->resolving;
}

bool initiator_server_resolving(const struct initiator *i)
{
	for (unsigned n = 0; n < i->config.server_count; n++)
		if (i->servers[n].resolving)
			return true;
	return false;
}

void initiator_servers_cancel(struct initiator *i)
{
	for (unsigned n = 0; n < i->config.server_count; n++)
		if (i->servers[n].resolving)
			uv_cancel((uv_req_t *)&i->servers[n].resolver);
}
