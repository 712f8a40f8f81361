/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network control protocols of a link, side by side: which may open, when they begin and end, and what comes before that.
 *
 * Each has its own automaton and knows nothing of the other one (RFC 1661 section 3.5). Until ppp_link_network() says which ones may open, a
 * Configure-Request is kept; from then on the others are Protocol-Rejected. Beginning and closing are noted, and done when the engine is left,
 * because both may be asked for from inside an automaton.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/container.h"
#include "ppp/protocol.h"

static enum ppp_ncp ncp_of(uint16_t protocol)
{
	return protocol == PPP_IPV6CP || protocol == PPP_IPV6 ? PPP_NCP_IPV6
	       : protocol == PPP_IPCP || protocol == PPP_IP   ? PPP_NCP_IPV4
							      : PPP_NCP_NONE;
}

static struct ppp_automaton *automaton_of(struct ppp_link *l, enum ppp_ncp ncp)
{
	return ncp == PPP_NCP_IPV6 ? &l->ipv6cp : &l->ipcp;
}

static uint16_t protocol_of(enum ppp_ncp ncp)
{
	return ncp == PPP_NCP_IPV6 ? PPP_IPV6CP : PPP_IPCP;
}

static const char *name_of(enum ppp_ncp ncp)
{
	return ppp_protocol_name(protocol_of(ncp));
}

static uint8_t offered(const struct ppp_config *c)
{
	return (uint8_t)((c->ipv6 ? PPP_NCP_IPV6 : 0) | (c->ipv4 ? PPP_NCP_IPV4 : 0));
}

/* ---- what the tables of IPV6CP and IPCP share ---- */

struct ppp_link *ppp_ncp_link(const struct ppp_automaton *a)
{
	return a->ops->protocol == PPP_IPCP ? container_of(a, struct ppp_link, ipcp)
					    : container_of(a, struct ppp_link, ipv6cp);
}

const struct ppp_config *ppp_ncp_config(const struct ppp_automaton *a)
{
	return ppp_ncp_link(a)->config;
}

void ppp_ncp_send(struct ppp_automaton *a, const uint8_t *frame, size_t len)
{
	ppp_link_send(ppp_ncp_link(a), frame, len);
}

size_t ppp_ncp_peer_mru(const struct ppp_automaton *a)
{
	return ppp_ncp_link(a)->peer_mru;
}

/* No longer waiting for NCP. */
static void settle(struct ppp_link *l, enum ppp_ncp ncp)
{
	l->ncp_waiting &= (uint8_t)~ncp & PPP_NCP_BOTH;
	if (l->phase == PPP_PHASE_NETWORK && !l->ncp_waiting)
		ppp_link_limit(l, 0, 0);
}

static void tell_down(struct ppp_link *l, enum ppp_ncp ncp, const char *reason)
{
	settle(l, ncp);
	l->config->ops->ncp_down(l, protocol_of(ncp), reason);
}

void ppp_ncp_up(struct ppp_automaton *a, msec now)
{
	struct ppp_link *l = ppp_ncp_link(a);

	settle(l, ncp_of(a->ops->protocol));
	l->config->ops->ncp_up(l, a->ops->protocol);
}

void ppp_ncp_down(struct ppp_automaton *a, const char *reason, msec now)
{
	tell_down(ppp_ncp_link(a), ncp_of(a->ops->protocol), reason);
}

/* Told once: leaving Opened has been told already, so this matters when the protocol never came up. */
void ppp_ncp_finished(struct ppp_automaton *a, const char *reason, msec now)
{
	struct ppp_link *l = ppp_ncp_link(a);
	enum ppp_ncp ncp = ncp_of(a->ops->protocol);

	if (l->ncp_waiting & ncp)
		tell_down(l, ncp, reason);
}

static void close_later(struct ppp_link *l, enum ppp_ncp ncp, const char *text)
{
	struct ppp_auth *auth = ppp_link_auth(l);

	l->ncp_close |= ncp;
	l->ncp_begin &= (uint8_t)~ncp & PPP_NCP_BOTH;
	if (auth && !auth->ncp_why)
		auth->ncp_why = calloc(1, sizeof(*auth->ncp_why));
	if (auth && auth->ncp_why) /* otherwise a shorter text will do */
		snprintf(
			auth->ncp_why->text[ncp == PPP_NCP_IPV4], sizeof(auth->ncp_why->text[0]), "%s", text);
}

static void close_by_name(struct ppp_link *l, enum ppp_ncp ncp, const char *why)
{
	char text[64];

	snprintf(text, sizeof(text), "%s: %s", name_of(ncp), why);
	close_later(l, ncp, text);
}

void ppp_ncp_stuck(struct ppp_automaton *a, msec now)
{
	close_by_name(ppp_ncp_link(a), ncp_of(a->ops->protocol), "peer refuses every Configure-Request");
}

/* ---- what was put off ---- */

static void input_early(struct ppp_link *l, enum ppp_ncp ncp, msec now)
{
	struct ppp_early early;

	if (!l->auth)
		return;
	early = l->auth->early[ncp == PPP_NCP_IPV4];
	l->auth->early[ncp == PPP_NCP_IPV4].len = 0;
	if (early.len)
		ppp_ncp_input(l, protocol_of(ncp), reader_of(early.bytes, early.len), now);
}

static void begin(struct ppp_link *l, enum ppp_ncp ncp, msec now)
{
	struct ppp_automaton *a = automaton_of(l, ncp);
	char reason[32];

	l->ncp_begin &= (uint8_t)~ncp & PPP_NCP_BOTH;
	if (ncp == PPP_NCP_IPV4)
		l->ipcp_unknown = false;
	snprintf(reason, sizeof(reason), "%s: new addresses", name_of(ncp));
	if (a->state <= PPP_STARTING) {
		ppp_automaton_open(a, now);
		ppp_automaton_up(a, now);
	} else {
		ppp_automaton_restart(a, reason, now);
	}
	l->ncp_waiting |= ncp; /* not before: a restart is told as going down first */
	ppp_link_limit(l, ppp_link_negotiation_ms(l), now);
	input_early(l, ncp, now);
}

static void close_now(struct ppp_link *l, enum ppp_ncp ncp, msec now)
{
	char text[128] = "";

	l->ncp_close &= (uint8_t)~ncp & PPP_NCP_BOTH;
	if (l->auth && l->auth->ncp_why)
		memcpy(text, l->auth->ncp_why->text[ncp == PPP_NCP_IPV4], sizeof(text));
	if (!*text)
		snprintf(text, sizeof(text), "%s closed", name_of(ncp));
	ppp_automaton_close(automaton_of(l, ncp), text, now);
	if (l->ncp_waiting & ncp)
		tell_down(l, ncp, text);
}

/* Owners that are told may ask for more, which is then due as well. */
void ppp_ncp_settle(struct ppp_link *l, msec now)
{
	while (l->ncp_close | l->ncp_begin) {
		for (enum ppp_ncp ncp = PPP_NCP_IPV6; ncp <= PPP_NCP_IPV4; ncp <<= 1) {
			if (l->ncp_close & ncp)
				close_now(l, ncp, now);
			if (l->ncp_begin & ncp && l->phase == PPP_PHASE_NETWORK && !l->failing)
				begin(l, ncp, now);
			l->ncp_begin &= (uint8_t)~ncp & PPP_NCP_BOTH;
		}
	}
	if (l->auth) {
		free(l->auth->ncp_why);
		l->auth->ncp_why = NULL;
	}
}

/* ---- the link tells ---- */

void ppp_ncp_lcp_down(struct ppp_link *l, const char *reason, msec now)
{
	l->ncp_on = l->ncp_waiting = l->ncp_begin = l->ncp_dormant = 0;
	l->ncp_told = false;
	ppp_automaton_down(&l->ipv6cp, reason, now);
	ppp_automaton_down(&l->ipcp, reason, now);
}

/* Given up by us; the peer may still come to its senses. */
void ppp_ncp_phase_over(struct ppp_link *l, msec now)
{
	char reason[32];

	for (enum ppp_ncp ncp = PPP_NCP_IPV6; ncp <= PPP_NCP_IPV4; ncp <<= 1) {
		if (!(l->ncp_waiting & ncp))
			continue;
		snprintf(reason, sizeof(reason), "%s: no agreement in time", name_of(ncp));
		ppp_automaton_refused(automaton_of(l, ncp), reason, now);
	}
}

bool ppp_ncp_negotiates(const struct ppp_link *l)
{
	return !l->ncp_told || l->ncp_waiting ||
	       (l->ipv6cp.state >= PPP_REQ_SENT && l->ipv6cp.state < PPP_OPENED) ||
	       (l->ipcp.state >= PPP_REQ_SENT && l->ipcp.state < PPP_OPENED);
}

/* What the peer says that it does not know. False: we have never sent it. */
bool ppp_ncp_rejected(struct ppp_link *l, uint16_t protocol, msec now)
{
	enum ppp_ncp ncp = protocol == PPP_IPV6CP || protocol == PPP_IPCP ? ncp_of(protocol) : PPP_NCP_NONE;
	struct ppp_automaton *a = automaton_of(l, ncp);
	char reason[64];

	if (!ncp || a->state <= PPP_STOPPED)
		return false;
	if (ncp == PPP_NCP_IPV4)
		l->ipcp_unknown = true;
	snprintf(reason, sizeof(reason), "%s: peer does not know it (Protocol-Reject)", name_of(ncp));
	ppp_automaton_refused(a, reason, now);
	return true;
}

/* Whether the peer's packets of this NCP, or of its network protocol, mean something now. */
bool ppp_ncp_known(const struct ppp_link *l, uint16_t protocol)
{
	enum ppp_ncp ncp = ncp_of(protocol);
	const struct ppp_automaton *a = ncp == PPP_NCP_IPV6 ? &l->ipv6cp : &l->ipcp;

	return (ncp & offered(l->config)) && (!l->ncp_told || (l->ncp_on & ncp) || a->state > PPP_STOPPED);
}

/* RFC 5072 section 3 would have it dropped; then the peer asks again after 3 s, and setting up a
 * softwire takes that long. */
static void keep_early(struct ppp_link *l, enum ppp_ncp ncp, struct reader packet)
{
	struct reader r = packet;
	size_t len = reader_left(&packet);
	struct ppp_early *early;

	if (reader_u8(&r) != PPP_CONFIGURE_REQUEST || len > PPP_EARLY_MAX || !ppp_link_auth(l)) {
		l->config->counters->bad_phase++;
		return;
	}
	early = &l->auth->early[ncp == PPP_NCP_IPV4];
	memcpy(early->bytes, packet.pos, len);
	early->len = (uint8_t)len;
}

/* CHANGED: other values than before. */
static void let_open(struct ppp_link *l, enum ppp_ncp ncp, bool changed, msec now)
{
	uint8_t state = automaton_of(l, ncp)->state;

	l->ncp_dormant &= (uint8_t)~ncp & PPP_NCP_BOTH;
	if (!changed && state == PPP_OPENED && !(l->ncp_close & ncp))
		return;
	l->ncp_waiting |= ncp;
	ppp_link_limit(l, ppp_link_negotiation_ms(l), now);
	if (!changed && state >= PPP_REQ_SENT && !(l->ncp_close & ncp))
		return;
	l->ncp_close &= (uint8_t)~ncp & PPP_NCP_BOTH;
	l->ncp_begin |= ncp;
}

/* What came to nothing for want of time, on a machine that slept or a path that was broken, may come yet. */
static bool wakes(const struct ppp_link *l, enum ppp_ncp ncp, struct reader packet)
{
	const struct ppp_automaton *a = ncp == PPP_NCP_IPV6 ? &l->ipv6cp : &l->ipcp;

	return (l->ncp_dormant & ncp) && a->state == PPP_CLOSED &&
	       reader_u8(&packet) == PPP_CONFIGURE_REQUEST;
}

void ppp_ncp_input(struct ppp_link *l, uint16_t protocol, struct reader packet, msec now)
{
	enum ppp_ncp ncp = ncp_of(protocol);

	if (!ppp_ncp_known(l, protocol)) {
		ppp_lcp_reject(l, protocol, packet);
		return;
	}
	if (l->ncp_told && wakes(l, ncp, packet))
		let_open(l, ncp, false, now);
	if (!l->ncp_told || (l->ncp_begin & ncp))
		keep_early(l, ncp, packet);
	else
		ppp_automaton_input(automaton_of(l, ncp), packet, now);
}

/* ---- the owner tells ---- */

static void keep_closed(struct ppp_link *l, enum ppp_ncp ncp, msec now)
{
	l->ncp_dormant &= (uint8_t)~ncp & PPP_NCP_BOTH;
	l->ncp_begin &= (uint8_t)~ncp & PPP_NCP_BOTH;
	if (automaton_of(l, ncp)->state > PPP_STOPPED || (l->ncp_waiting & ncp))
		close_by_name(l, ncp, "not offered any more");
	input_early(l, ncp, now);
}

void ppp_link_network(struct ppp_link *l, const struct ppp_network *n, msec now)
{
	uint8_t on = (uint8_t)((n->ipv6 ? PPP_NCP_IPV6 : 0) | (n->ipv4 ? PPP_NCP_IPV4 : 0));

	if (l->phase != PPP_PHASE_NETWORK || l->failing)
		return;
	ppp_link_enter(l);
	l->ncp_told = true;
	l->ncp_on = on & offered(l->config);
	if (l->ncp_on & PPP_NCP_IPV6)
		let_open(l, PPP_NCP_IPV6, ppp_ipv6cp_set(l, n), now);
	else
		keep_closed(l, PPP_NCP_IPV6, now);
	if (l->ncp_on & PPP_NCP_IPV4)
		let_open(l, PPP_NCP_IPV4, ppp_ipcp_set(l, n), now);
	else
		keep_closed(l, PPP_NCP_IPV4, now);
	ppp_link_leave(l, now);
}

void ppp_link_close_ncp(struct ppp_link *l, uint16_t protocol, const char *why, msec now)
{
	enum ppp_ncp ncp = protocol == PPP_IPV6CP || protocol == PPP_IPCP ? ncp_of(protocol) : PPP_NCP_NONE;

	if (!ncp || l->down_told || (l->ncp_close & ncp))
		return;
	ppp_link_enter(l);
	close_later(l, ncp, why);
	ppp_link_leave(l, now);
}

bool ppp_link_ncp_open(const struct ppp_link *l, uint16_t protocol)
{
	return (protocol == PPP_IPV6CP && l->ipv6cp.state == PPP_OPENED) ||
	       (protocol == PPP_IPCP && l->ipcp.state == PPP_OPENED);
}
