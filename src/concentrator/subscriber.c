/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a subscriber, and what its engine asks of the outside world.
 *
 * It begins with an SCCRQ that is welcome (tunnels.c), gets a user (auth.c) and addresses (grant.c), and is up as soon as one payload family
 * is. It ends in two steps: down() takes everything from it that others may need; its memory goes when the peer has heard the last word.
 */
#include "concentrator/role.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- logging ---- */

bool subscriber_log(struct subscriber *sub, struct log_line *l, enum log_level level, const char *event)
{
	if (!log_begin(sub->role->log, l, level, event))
		return false;

	log_uint(l, "softwire", sub->id);
	if (sub->user)
		log_text(l, "user", sub->user);
	log_endpoint(l, "peer", &sub->row->peer);
	return true;
}

bool subscriber_log_limited(
	struct subscriber *sub, struct log_line *l, enum log_level level, const char *event)
{
	struct concentrator *c = sub->role;
	msec now = loop_now(c->loop);
	uint32_t suppressed = 0;

	if (level > c->log->level)
		return false;
	if (!limit_table_ok(c->log_limit, now, &sub->row->peer.addr, &suppressed) || !concentrator_may_log(c))
		return false;
	if (!subscriber_log(sub, l, level, event))
		return false;
	suppressed += c->log_all.suppressed;
	c->log_all.suppressed = 0;
	if (suppressed)
		log_uint(l, "suppressed", suppressed);
	return true;
}

struct endpoint subscriber_local(const struct subscriber *sub)
{
	struct endpoint local = sub->role->listeners[sub->row->listener].at;

	if (!addr_is_none(&sub->row->local))
		local.addr = sub->row->local;
	return local;
}

/* ---- what the engine asks for ---- */

static void engine_send(struct softwire *s, const uint8_t *payload, size_t len)
{
	struct subscriber *sub = subscriber_of(s);
	uint32_t suppressed;

	/* While an SCCRQ is being looked at only a refusal can be sent: to somebody who may be somebody else. */
	if (sub->accepting && !concentrator_may_answer(sub->role, &sub->row->peer.addr, &suppressed))
		return;
	tun_plane_send(sub->role->plane, sub->row->listener, &sub->row->local, &sub->row->peer, payload, len);
}

/* "2001:db8:8000::/56 2001:db8:9000::/56" */
static void log_prefixes(struct log_line *l, const char *key, const struct prefix *list, unsigned count)
{
	char text[LEASE_PREFIXES * PREFIX_TEXT] = "", one[PREFIX_TEXT];
	size_t n = 0;

	for (unsigned i = 0; i < count; i++)
		n += (size_t)snprintf(
			text + n, sizeof(text) - n, "%s%s", n ? " " : "", prefix_print(&list[i], one));
	if (n)
		log_text(l, key, text);
}

/* What it may use of FAMILY: whoever looks for an address in the log finds the peer beside it (SEC-HS-17). */
static void log_given(const struct subscriber *sub, struct log_line *l, uint8_t family)
{
	const struct softwire_lease *lease = sub->engine.lease;

	if (!lease)
		return;
	if (family == AF_INET6 && !lease->no_ipv6) {
		if (!prefix_is_none(&lease->link6))
			log_prefix(l, "link6", &lease->link6);
		log_prefixes(l, "delegated", lease->delegated, lease->prefix_count);
	} else if (family == AF_INET && !addr_is_none(&lease->address4)) {
		log_addr(l, "address4", &lease->address4);
		log_prefixes(l, "subnets", lease->delegated4, lease->prefix4_count);
	}
}

static void log_up(struct subscriber *sub, uint8_t family)
{
	const struct softwire *s = &sub->engine.softwire;
	struct log_line l;

	if (!subscriber_log(sub, &l, LEVEL_INFO, "up"))
		return;
	log_text(&l, "family", family == AF_INET6 ? "ipv6" : "ipv4");
	log_given(sub, &l, family);
	log_uint(&l, "mtu", s->mtu);
	log_uint(&l, "setup_ms", s->now - s->started_at);
	log_end(&l);
}

static void configure_row(struct subscriber *sub)
{
	const struct concentrator_config *config = &sub->role->config;
	struct dp_row *row = sub->row;

	row->mss_mtu = config->mss_clamp ? row->mtu : 0;
	row->any_source = !config->ingress_filter && !sub->anonymous;
}

void concentrator_change_rows(struct concentrator *c)
{
	for (struct subscriber *sub = c->all; sub; sub = sub->next)
		if (sub->row->up6 || sub->row->up4)
			configure_row(sub);
}

void subscriber_set_up(struct subscriber *sub)
{
	const struct softwire *s = &sub->engine.softwire;
	struct dp_row *row = sub->row;

	row->peer_tunnel = s->tunnel.peer_tunnel;
	row->peer_session = s->tunnel.peer_session;
	row->copy_ecn = s->tunnel.same_vendor;
	row->mtu = s->mtu;
	row->up6 = s->up6;
	row->up4 = s->up4;
	configure_row(sub);
}

static void engine_up(struct softwire *s, uint8_t family)
{
	struct subscriber *sub = subscriber_of(s);

	if (subscriber_is_impostor(sub)) {
		sub->role->role_counters.auth_failed++;
		subscriber_close(sub, CAUSE_USER_AUTH, L2TP_STOP_UNAUTHORIZED, 0,
			"the peer refuses to authenticate again");
		return;
	}
	subscriber_set_up(sub);
	subscriber_no_longer_half_open(sub);
	subscriber_setup_end(sub);
	log_up(sub, family);
	if (sub->hooked)
		subscriber_hook_change(sub);
	else
		subscriber_hook_up(sub);
}

static void engine_family_down(struct softwire *s, uint8_t family, const char *why)
{
	struct subscriber *sub = subscriber_of(s);
	struct log_line l;

	if (family == AF_INET6)
		sub->row->up6 = false;
	else
		sub->row->up4 = false;
	if (subscriber_log_limited(sub, &l, LEVEL_INFO, "family-down")) {
		log_text(&l, "family", family == AF_INET6 ? "ipv6" : "ipv4");
		log_text(&l, "reason", why);
		log_end(&l);
	}
	subscriber_hook_change(sub);
}

/* "moved to 192.0.2.2": what was said to the peer is nothing but the address. */
static const char *why_down(const struct softwire_why *why, char buf[sizeof(why->text) + 16])
{
	if (why->cause != CAUSE_MOVED)
		return why->text;
	snprintf(buf, sizeof(why->text) + 16, "moved to %s", why->text);
	return buf;
}

/* Of those that have never answered, who may not be there at all, few: a flood must not fill the log. */
static bool log_begin_failed(struct subscriber *sub, struct log_line *l, enum log_level level)
{
	uint32_t suppressed;

	if (subscriber_is_proven(sub))
		return subscriber_log_limited(sub, l, level, "setup-failed");
	if (level > sub->role->log->level || !concentrator_may_log_stranger(sub->role, &suppressed) ||
		!subscriber_log(sub, l, level, "setup-failed"))
		return false;
	if (suppressed)
		log_uint(l, "suppressed", suppressed);
	return true;
}

static void log_down(struct subscriber *sub, const struct softwire_why *why, const char *reason)
{
	enum log_level level =
		why->cause == CAUSE_USER_AUTH || why->cause == CAUSE_TUNNEL_AUTH ? LEVEL_WARN : LEVEL_INFO;
	const struct softwire *s = &sub->engine.softwire;
	struct log_line l;

	if (s->up_at ? !subscriber_log(sub, &l, level, "down") : !log_begin_failed(sub, &l, level))
		return;
	log_text(&l, "step", softwire_step_name(why->step));
	log_text(&l, "cause", softwire_cause_name(why->cause));
	log_text(&l, "reason", reason);
	if (s->up_at) {
		log_uint(&l, "up_seconds", (s->now - s->up_at) / 1000);
		log_given(sub, &l, AF_INET6);
		log_given(sub, &l, AF_INET);
	}
	log_end(&l);
}

static void engine_down(struct softwire *s, const struct softwire_why *why)
{
	struct subscriber *sub = subscriber_of(s);
	char buf[sizeof(why->text) + 16];
	const char *reason = why_down(why, buf);

	/* A tunnel that failed stays half-open until its memory goes: otherwise strangers could fill the table with them. */
	sub->row->up6 = sub->row->up4 = false;
	subscriber_forget_request(sub);
	log_down(sub, why, reason);
	subscriber_hook_down(sub, reason);
	aaa_cancel(sub->role->aaa, sub);
	subscriber_eap_end(sub);
	subscriber_leave(sub);
	subscriber_setup_end(sub);
}

static void engine_activity(struct softwire *s, msec *ret_heard, msec *ret_sent)
{
	const struct dp_row *row = subscriber_of(s)->row;

	concentrator_work(subscriber_of(s)->role, subscriber_of(s)); /* its timer has fired */
	*ret_heard = row->last_rx;
	*ret_sent = row->last_tx;
}

static void engine_released(struct softwire *s)
{
	struct subscriber *sub = subscriber_of(s);
	struct concentrator *c = sub->role;

	subscriber_free(sub);
	if (c->stopping && !c->count)
		wheel_arm(&c->loop->wheel, &c->stop_timer, loop_now(c->loop));
}

static void engine_note(struct softwire *s, const char *text)
{
	struct subscriber *sub = subscriber_of(s);
	struct log_line l;

	if (subscriber_log_limited(sub, &l, LEVEL_DEBUG, "note")) {
		log_text(&l, "text", text);
		log_end(&l);
	}
}

const struct softwire_ops concentrator_softwire_ops = {
	.send = engine_send,
	.want_tunnel_secret = subscriber_want_tunnel_secret,
	.authenticate = subscriber_authenticate,
	.eap = subscriber_eap,
	.want_ppp_secret = subscriber_want_ppp_secret,
	.want_lease = subscriber_want_lease,
	.bind_duid = subscriber_bind_duid,
	.delegated = subscriber_delegated,
	.renewed = subscriber_hook_renewed,
	.up = engine_up,
	.family_down = engine_family_down,
	.down = engine_down,
	.released = engine_released,
	.changed = subscriber_changed,
	.activity = engine_activity,
	.trace = subscriber_trace,
	.note = engine_note,
};

/* ---- life ---- */

void subscriber_close(
	struct subscriber *sub, enum softwire_cause cause, uint16_t result, uint16_t error, const char *text)
{
	softwire_close(&sub->engine.softwire, cause, result, error, text, loop_now(sub->role->loop));
}

struct setup *subscriber_setup(struct subscriber *sub)
{
	if (!sub->setup)
		sub->setup = calloc(1, sizeof(*sub->setup));
	return sub->setup;
}

void subscriber_setup_end(struct subscriber *sub)
{
	struct setup *setup = sub->setup;

	if (!setup || setup->early) /* what is held back for a trace stays until it is known whose it is */
		return;
	subscriber_eap_end(sub);
	free(setup->claimed);
	free(setup->request);
	free(setup);
	sub->setup = NULL;
}

static void unlink_all(struct subscriber *sub)
{
	concentrator_drain_forget(sub->role, sub);
	*sub->link = sub->next;
	if (sub->next)
		sub->next->link = sub->link;
}

static void link_all(struct subscriber *sub)
{
	struct concentrator *c = sub->role;

	sub->next = c->all;
	sub->link = &c->all;
	if (c->all)
		c->all->link = &sub->next;
	c->all = sub;
}

/* What a subscriber without an engine has. */
static void release(struct subscriber *sub)
{
	struct concentrator *c = sub->role;

	subscriber_no_longer_half_open(sub);
	subscriber_forget_request(sub);
	subscriber_path_end(sub);
	c->listeners[sub->row->listener].count--;
	dp_row_remove(tun_plane_table(c->plane), sub->row);
	c->count--;
	pool_free(&c->subscribers, sub);
}

/* Nobody else has anything of it any more. */
static void dispose(struct subscriber *sub)
{
	softwire_done(&sub->engine.softwire);
	unlink_all(sub);
	subscriber_trace_end(sub);
	subscriber_setup_end(sub);
	free(sub->user);
	release(sub);
}

void subscriber_free(struct subscriber *sub)
{
	aaa_cancel(sub->role->aaa, sub);
	subscriber_leave(sub);
	subscriber_record_end(sub);
	dispose(sub);
}

void subscriber_discard(struct subscriber *sub)
{
	struct concentrator *c = sub->role;

	aaa_cancel(c->aaa, sub);
	if (c->leases)
		lease_cancel(c->leases, sub);
	subscriber_forget_user(sub);
	dispose(sub);
}

void subscriber_undo(struct subscriber *sub)
{
	unlink_all(sub);
	subscriber_trace_end(sub);
	subscriber_setup_end(sub);
	release(sub);
}

static uint16_t free_tunnel_id(struct concentrator *c, uint8_t listener)
{
	for (int tries = 0; tries < 1000; tries++) {
		uint16_t id = (uint16_t)(1 + rng_below(c->rng, 65535));

		if (!dp_find_session(tun_plane_table(c->plane), listener, id))
			return id;
	}
	return 0;
}

struct subscriber *subscriber_make(struct concentrator *c, uint8_t listener, const struct endpoint *peer,
	const struct addr *local, const struct subscriber_ids *ids)
{
	struct subscriber *sub = pool_alloc(&c->subscribers);

	if (!sub)
		return NULL;
	if (dp_row_add(tun_plane_table(c->plane), listener, ids->tunnel, ids->session, peer, &sub->row)) {
		pool_free(&c->subscribers, sub);
		return NULL;
	}

	sub->row->owner = sub;
	if (local)
		sub->row->local = *local;
	sub->role = c;
	sub->id = ids->id;
	if (c->next_id < ids->id)
		c->next_id = ids->id;
	sub->peer_tunnel = ids->peer_tunnel;
	c->listeners[listener].count++;
	c->count++;
	if (subscriber_enter(sub) || subscriber_path_begin(sub)) {
		release(sub);
		return NULL;
	}
	link_all(sub);
	return sub;
}

struct subscriber *subscriber_new(struct concentrator *c, uint8_t listener, const struct endpoint *peer,
	const struct addr *local, uint16_t peer_tunnel)
{
	const struct subscriber_ids ids = {
		c->next_id + 1, peer_tunnel, free_tunnel_id(c, listener), (uint16_t)(1 + rng_below(c->rng, 65535))};
	struct subscriber *sub = ids.tunnel ? subscriber_make(c, listener, peer, local, &ids) : NULL;

	if (sub)
		subscriber_trace_begin(sub);
	return sub;
}
