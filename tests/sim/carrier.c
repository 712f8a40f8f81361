/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See carrier.h. */
#include "carrier.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aaa/aaa.h"

/* ---- who holds what: never two the same ---- */

static uint32_t held_hash(const struct prefix *p)
{
	return hash_bytes(p, sizeof(*p), 1);
}

static bool held_match(const void *item, const void *key)
{
	return prefix_equal(&((const struct held *)item)->prefix, key);
}

static void hold(struct side *side, const struct prefix *p)
{
	struct carrier *c = side->carrier;
	struct held *h = hash_find(&c->held, held_hash(p), held_match, p);
	char text[PREFIX_TEXT], what[128];

	if (h) {
		snprintf(what, sizeof(what), "%s is held by user %u, too", prefix_print(p, text),
			h->side->user);
		stage_broken(c->stage, side->user, what);
		return;
	}
	h = calloc(1, sizeof(*h));
	h->prefix = *p;
	h->side = side;
	hash_insert(&c->held, held_hash(p), h);
	side->held[side->held_count++] = h;
}

static void let_go(struct side *side)
{
	while (side->held_count) {
		struct held *h = side->held[--side->held_count];

		hash_remove(&side->carrier->held, held_hash(&h->prefix), h);
		free(h);
	}
}

/* ---- the concentrator ---- */

struct side *side_of(struct softwire *s)
{
	return container_of(container_of(s, struct softwire_sc, softwire), struct side, engine);
}

static void sc_send(struct softwire *s, const uint8_t *payload, size_t len)
{
	struct side *side = side_of(s);

	stage_send(side->carrier->stage, TO_USER, side->user, side->port, payload, len);
}

static void sc_authenticate(struct softwire *s, const struct ppp_claim *claim)
{
	struct side *side = side_of(s);
	char secret[32];
	/* All initiators share one configuration, and with it a name; the secret is the user's own. */
	bool ok = aaa_chap_md5_ok(claim->id, secret, stage_secret(side->account, secret), claim->challenge,
		claim->challenge_len, claim->response, claim->response_len);

	side->known = ok;
	softwire_verified(s, ok, ok ? "welcome" : "no", s->now);
}

static void sc_no_secret(struct softwire *s, const char *name)
{
	softwire_ppp_secret(s, NULL, 0, s->now);
}

static void side_leave(struct side *side)
{
	struct carrier *c = side->carrier;
	char name[32];

	let_go(side);
	if (c->by_account[side->account] != side)
		return;
	c->by_account[side->account] = NULL;
	stage_name(side->account, name);
	lease_idle(c->leases, name, 0);
}

static void hold_lease(struct side *side, const struct lease *lease)
{
	struct prefix address = prefix_of(&lease->address4, 32);

	if (!prefix_is_none(&lease->link6))
		hold(side, &lease->link6);
	for (unsigned i = 0; i < lease->prefix_count && i < 1; i++)
		hold(side, &lease->delegated[i]);
	if (!addr_is_none(&lease->address4))
		hold(side, &address);
	for (unsigned i = 0; i < lease->subnet_count && i < 1; i++)
		hold(side, &lease->subnets[i]);
}

static void sc_leased(void *owner, int result, const struct lease *lease, const char *why)
{
	struct side *side = owner;
	const struct carrier_config *config = &side->carrier->config;
	uint32_t valid = config->lifetime_s ? config->lifetime_s : 7200;
	struct softwire_lease given;

	if (result) {
		if ((result != -ENOSPC && result != -EIO) || !config->may_refuse)
			stage_broken(side->carrier->stage, side->user, why);
		side->carrier->no_address++;
		side->carrier->by_account[side->account] = NULL;
		softwire_sc_lease(&side->engine, NULL, why, side->carrier->stage->now);
		return;
	}
	given = (struct softwire_lease){.link6 = lease->link6,
		.no_ipv6 = config->no_ipv6,
		.prefix_count = (uint8_t)lease->prefix_count,
		.address4 = lease->address4,
		.prefix4_count = (uint8_t)lease->subnet_count,
		.dhcp4 = config->dhcp4,
		.preferred = valid / 2,
		.valid = valid};
	memcpy(given.delegated, lease->delegated, sizeof(lease->delegated));
	memcpy(given.delegated4, lease->subnets, sizeof(lease->subnets));
	hold_lease(side, lease);
	softwire_sc_lease(&side->engine, &given, NULL, side->carrier->stage->now);
}

void carrier_acquire(struct side *side, lease_answer *answer)
{
	const struct carrier_config *config = &side->carrier->config;
	struct lease_request r = {.pool = "default",
		.want_link = !config->no_ipv6,
		.want_delegated = !config->no_ipv6,
		.want_ipv4 = config->ipv4,
		.want_subnet = config->ipv4};

	stage_name(side->account, r.user);
	lease_acquire(side->carrier->leases, &r, answer, side);
}

static void sc_want_lease(struct softwire *s)
{
	struct side *side = side_of(s), *old = side->carrier->by_account[side->account];

	if (!side->known)
		stage_broken(side->carrier->stage, side->user, "a lease for somebody who is not authenticated");
	if (old) {
		side->carrier->replaced++;
		softwire_close(
			&old->engine.softwire, CAUSE_REPLACED, L2TP_STOP_EXISTS, 0, "replaced", s->now);
	}
	side->carrier->by_account[side->account] = side;
	carrier_acquire(side, sc_leased);
}

static void sc_bound(void *owner, int result, const struct lease *lease, const char *why)
{
	struct side *side = owner;

	softwire_sc_bound(&side->engine, result == 0, why, side->carrier->stage->now);
}

static void sc_bind_duid(struct softwire *s, const struct dhcp6_duid *duid, uint32_t iaid)
{
	struct side *side = side_of(s);
	char name[32];

	stage_name(side->account, name);
	lease_bind(side->carrier->leases, name, 0, duid->data, duid->len, iaid, sc_bound, side);
}

static void sc_delegated(struct softwire *s, uint8_t family, bool in_use)
{
	if (in_use && !side_of(s)->held_count)
		stage_broken(side_of(s)->carrier->stage, side_of(s)->user, "a prefix is used that is not held");
}

static void sc_up(struct softwire *s, uint8_t family)
{
}

static void sc_down(struct softwire *s, const struct softwire_why *why)
{
	side_leave(side_of(s));
}

void carrier_forget(struct softwire *s)
{
	struct side *side = side_of(s);
	struct carrier *c = side->carrier;

	side_leave(side);
	lease_cancel(c->leases, side);
	softwire_done(s);
	c->by_tunnel[side->local_tunnel] = NULL;
	*side->link = side->next;
	if (side->next)
		side->next->link = side->link;
	c->count--;
	pool_free(&c->sides, side);
}

static const struct softwire_ops sc_ops = {
	.send = sc_send,
	.want_tunnel_secret = stage_no_tunnel_secret,
	.authenticate = sc_authenticate,
	.want_ppp_secret = sc_no_secret,
	.want_lease = sc_want_lease,
	.bind_duid = sc_bind_duid,
	.delegated = sc_delegated,
	.up = sc_up,
	.family_down = stage_family_down,
	.down = sc_down,
	.changed = carrier_save,
	.released = carrier_forget,
	.trace = stage_trace,
	.note = stage_note,
};

static void stray(struct carrier *c, const struct packet *p, const struct l2tp_header *h, struct reader body)
{
	uint8_t buf[L2TP_PACKET_MAX];
	struct writer out = writer_of(buf, sizeof(buf));

	if (h->control && !reader_left(&body))
		return;
	l2tp_stray_reply(&out, h->tunnel_id, 0, L2TP_STOP_CLEAR, "no such tunnel");
	stage_send(c->stage, TO_USER, p->user, p->port, buf, writer_len(&out));
}

static void accept_request(
	struct carrier *c, const struct packet *p, struct reader body, const struct l2tp_header *h)
{
	uint8_t scratch[L2TP_PACKET_MAX];
	struct l2tp_message m;
	struct l2tp_fault fault;
	struct side *side;
	uint16_t id;

	if (l2tp_message_read(body, NULL, scratch, &m, &fault) || m.type != L2TP_SCCRQ) {
		stray(c, p, h, body);
		return;
	}
	for (side = c->of_user[p->user]; side; side = side->next)
		if (side->port == p->port && side->peer_tunnel == m.assigned_tunnel)
			break;
	if (side) {
		softwire_input(&side->engine.softwire, p->data, p->len, c->stage->now);
		return;
	}
	do {
		id = (uint16_t)(1 + rng_below(&c->stage->rng, 65535));
	} while (c->by_tunnel[id]);
	side = pool_alloc(&c->sides);
	side->carrier = c;
	side->user = p->user;
	side->account = p->user / (c->config.per_account ? c->config.per_account : 1);
	side->port = p->port;
	side->peer_tunnel = m.assigned_tunnel;
	side->local_tunnel = id;
	side->next = c->of_user[p->user];
	side->link = &c->of_user[p->user];
	if (side->next)
		side->next->link = &side->next;
	c->of_user[p->user] = side;
	c->count++;
	c->by_tunnel[id] = side;
	side->engine.softwire.tracing = c->stage->tracing;
	if (softwire_sc_accept(&side->engine, &c->softwire, id, (uint16_t)(1 + rng_below(&c->stage->rng, 65535)),
		    p->data, p->len, 1460, c->stage->now))
		stage_broken(c->stage, p->user, "an honest SCCRQ was refused");
}

void carrier_input(struct carrier *c, const struct packet *p)
{
	struct reader r = reader_of(p->data, p->len);
	struct side *side;
	struct l2tp_header h;

	l2tp_header_read(&r, &h);
	if (!reader_ok(&r)) {
		stage_broken(c->stage, p->user, "the initiator sent a malformed header");
		return;
	}
	side = c->by_tunnel[h.tunnel_id];
	if (!h.tunnel_id)
		accept_request(c, p, reader_rest(&r), &h);
	else if (!side || side->port != p->port)
		stray(c, p, &h, reader_rest(&r));
	else
		softwire_input(&side->engine.softwire, p->data, p->len, c->stage->now);
}

/* ---- life ---- */

bool carrier_open_leases(struct carrier *c)
{
	char why[256] = "";

	c->leases = lease_store_open(NULL, c->config.path ? c->config.path : ":memory:", NULL, why);
	return c->leases && lease_store_set_pools(c->leases, &c->config.pool, 1, why) == 0;
}

bool carrier_open(struct carrier *c, struct stage *stage, const struct carrier_config *config)
{
	memset(c, 0, sizeof(*c));
	c->stage = stage;
	c->config = *config;
	softwire_config_init(&c->softwire, L2TP_LNS, &sc_ops, &stage->wheel, &stage->rng, &c->counters);
	c->softwire.dhcp6_server.duid_len = 18;
	rng_bytes(&stage->rng, c->softwire.dhcp6_server.duid, 18);
	c->softwire.ppp.ipv4 = config->ipv4;
	c->softwire.ppp.ipv6 = !config->no_ipv6;
	c->softwire.local4 = config->ipv4 ? addr4(198, 51, 100, 1) : (struct addr){0};
	pool_init(&c->sides, sizeof(struct side));
	c->of_user = calloc(config->users, sizeof(*c->of_user));
	c->by_account = calloc(config->users, sizeof(*c->by_account));
	return carrier_open_leases(c);
}

void carrier_shut_down(struct carrier *c)
{
	for (uint32_t i = 0; i < c->config.users; i++)
		for (struct side *side = c->of_user[i], *next; side; side = next) {
			next = side->next;
			softwire_close(&side->engine.softwire, CAUSE_SHUTDOWN, L2TP_STOP_SHUTDOWN, 0, "maintenance",
				c->stage->now);
		}
}

void carrier_done(struct carrier *c)
{
	for (uint32_t i = 0; i < c->config.users; i++)
		while (c->of_user[i])
			carrier_forget(&c->of_user[i]->engine.softwire);
	hash_free(&c->held);
	free(c->of_user);
	free(c->by_account);
	if (c->leases)
		lease_store_close(c->leases);
	if (pool_done(&c->sides))
		stage_broken(c->stage, 0, "memory was leaked");
}
