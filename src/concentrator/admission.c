/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which SCCRQs are welcome: limits on half-open tunnels, in all and per source (generous: a carrier's NAT is one source with
 * many honest users), and on softwires.
 *
 * concentrator_refuse_request() is the one place where a request is refused: it decides, and it answers.
 */
#include "concentrator/redirect.h"
#include "concentrator/role.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- sources ---- */

static struct addr source_of(const struct addr *a)
{
	return prefix_of(a, a->family == AF_INET6 ? 64 : 32).addr;
}

static uint32_t source_hash(const struct concentrator *c, const struct addr *a)
{
	return hash_bytes(a->bytes, sizeof(a->bytes), c->seed);
}

static bool source_match(const void *item, const void *key)
{
	return addr_equal(&((const struct source *)item)->addr, key);
}

static struct source *source_find(const struct concentrator *c, const struct addr *peer)
{
	struct addr a = source_of(peer);

	return hash_find(&c->sources, source_hash(c, &a), source_match, &a);
}

/* One more half-open tunnel of this source; false when memory is short. */
static bool source_add(struct concentrator *c, const struct addr *peer)
{
	struct source *src = source_find(c, peer);

	if (!src) {
		src = calloc(1, sizeof(*src));
		if (!src)
			return false;
		src->addr = source_of(peer);
		if (hash_insert(&c->sources, source_hash(c, &src->addr), src)) {
			free(src);
			return false;
		}
	}
	src->count++;
	c->half_open++;
	return true;
}

static void source_sub(struct concentrator *c, const struct addr *peer)
{
	struct source *src = source_find(c, peer);

	c->half_open--;
	if (src && --src->count == 0) {
		hash_remove(&c->sources, source_hash(c, &src->addr), src);
		free(src);
	}
}

int subscriber_half_open(struct subscriber *sub)
{
	if (!source_add(sub->role, &sub->row->peer.addr))
		return -ENOMEM;
	sub->half_open = true;
	return 0;
}

void subscriber_no_longer_half_open(struct subscriber *sub)
{
	if (sub->half_open)
		source_sub(sub->role, &sub->row->peer.addr);
	sub->half_open = false;
}

/* ---- refusals ---- */

/* What the peer hears. */
struct refusal {
	uint16_t result, error; /* of the StopCCN */
	char text[L2TP_MESSAGE_MAX];
	const char *why; /* for the log */
};

static bool refuse(struct refusal *ret, uint16_t error, const char *text)
{
	ret->result = L2TP_STOP_ERROR;
	ret->error = error;
	ret->why = text;
	snprintf(ret->text, sizeof(ret->text), "%s", text);
	return true;
}

/* Others may have room: where one of them can be reached as we were, that is the answer. Never about one source that asks too often: what it sends
 * is not passed on. */
static bool send_away(struct concentrator *c, const struct endpoint *from, const char *why, struct refusal *ret)
{
	const struct endpoint *target = concentrator_redirect(c, from->addr.family);
	char text[ENDPOINT_TEXT];

	if (!target)
		return refuse(ret, L2TP_ERROR_RESOURCES, why);
	c->role_counters.redirected++;
	refuse(ret, L2TP_ERROR_TRY_ANOTHER, redirect_print(target, text));
	ret->why = why;
	return true;
}

/* Is one more softwire not welcome now? */
static bool is_unwelcome(struct concentrator *c, const struct endpoint *from, struct refusal *ret)
{
	const struct source *src = source_find(c, &from->addr);

	if (c->stopping)
		return refuse(ret, L2TP_ERROR_RESOURCES, "shutting down");
	if (src && src->count >= c->config.half_open_per_source) {
		c->role_counters.refused_source++;
		return refuse(ret, L2TP_ERROR_RESOURCES, "too many tunnels are being set up from this address");
	}
	if (c->drain.on) {
		c->drain_refused++;
		return send_away(c, from, "no new softwires: this concentrator is being drained", ret);
	}
	if (c->count >= c->config.max_softwires)
		return send_away(c, from, "too many softwires", ret);
	if (c->half_open >= c->config.max_half_open)
		return send_away(c, from, "too many tunnels are being set up", ret);
	return false;
}

bool concentrator_refuse_request(struct concentrator *c, const struct stray *p)
{
	struct refusal refusal;
	struct stray answer = *p;

	if (!is_unwelcome(c, p->from, &refusal))
		return false;
	c->role_counters.refused_limit++;
	answer.fault = (struct l2tp_fault){.result = refusal.result, .error = refusal.error};
	answer.why = refusal.why;
	concentrator_stray_reply(c, &answer, refusal.result, refusal.text);
	return true;
}
