/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Authentication as a whole: the methods by name, which one is asked for and given in LCP, and the way from there to CHAP, PAP and EAP, each
 * direction for itself.
 *
 * Who may learn what, and when: with prove_last we say nothing that depends on our secret before the peer has proven itself. Whatever asks
 * for it is held until then.
 */
#include <stdio.h>
#include <string.h>

#include "ppp/protocol.h"

static const struct {
	const char *name;
	uint16_t protocol;
	uint8_t algorithm; /* CHAP */
} methods[PPP_METHODS] = {
	[0] = {"none", 0, 0},
	[PPP_METHOD_CHAP_MD5] = {"CHAP", PPP_CHAP, CHAP_MD5},
	[PPP_METHOD_MSCHAPV2] = {"MS-CHAPv2", PPP_CHAP, CHAP_MSCHAPV2},
	[PPP_METHOD_EAP] = {"EAP", PPP_EAP, 0},
	[PPP_METHOD_PAP] = {"PAP", PPP_PAP, 0},
};

bool ppp_auth_demands(const struct ppp_link *l)
{
	return l->config->demand_auth && !l->peer_anonymous;
}

bool ppp_auth_peer_by(const struct ppp_link *l, uint16_t protocol)
{
	return ppp_auth_demands(l) && methods[l->peer_method].protocol == protocol;
}

bool ppp_auth_self_by(const struct ppp_link *l, uint16_t protocol)
{
	return l->self_method && methods[l->self_method].protocol == protocol;
}

const char *ppp_auth_name(enum ppp_method method)
{
	return methods[method].name;
}

/* ---- LCP's option, RFC 1661 section 6.2 ---- */

void ppp_auth_option_write(enum ppp_method method, struct writer *w)
{
	writer_u16(w, methods[method].protocol);
	if (methods[method].protocol == PPP_CHAP)
		writer_u8(w, methods[method].algorithm);
}

enum ppp_method ppp_auth_option_read(struct reader data)
{
	size_t len = reader_left(&data);
	uint16_t protocol = reader_u16(&data);
	uint8_t algorithm = len == 3 ? reader_u8(&data) : 0;

	for (unsigned i = 1; i < PPP_METHODS && reader_ok(&data); i++) {
		if (methods[i].protocol == protocol && methods[i].algorithm == algorithm &&
			len == (protocol == PPP_CHAP ? 3 : 2))
			return i;
	}
	return 0;
}

const char *ppp_auth_option_print(struct reader data, char *buf, size_t size)
{
	enum ppp_method method = ppp_auth_option_read(data);
	uint16_t protocol = reader_u16(&data);

	if (method && protocol == PPP_CHAP)
		snprintf(buf, size, "%s", methods[method].name);
	else if (protocol == PPP_CHAP)
		snprintf(buf, size, "CHAP algorithm %u", reader_u8(&data));
	else
		snprintf(buf, size, "%s (0x%04x)", ppp_protocol_name(protocol), protocol);
	return buf;
}

enum ppp_method ppp_auth_first(const struct ppp_config *c)
{
	return c->demand[0] ? c->demand[0] : PPP_METHOD_CHAP_MD5;
}

enum ppp_method ppp_auth_instead(const struct ppp_config *c, enum ppp_method asked, struct reader nak)
{
	enum ppp_method named = ppp_auth_option_read(nak), next = 0;

	if (named && named == ppp_auth_first(c))
		return named;
	for (unsigned i = 0; i < PPP_METHODS && c->demand[i]; i++) {
		if (c->demand[i] == named)
			return named;
		if (c->demand[i] == asked && i + 1 < PPP_METHODS)
			next = c->demand[i + 1];
	}
	return next;
}

bool ppp_auth_gives(const struct ppp_config *c, enum ppp_method method)
{
	unsigned give = c->give ? c->give : 1u << PPP_METHOD_CHAP_MD5;

	return method && (give & 1u << method);
}

enum ppp_method ppp_auth_best(const struct ppp_config *c)
{
	static const enum ppp_method order[] = {
		PPP_METHOD_EAP, PPP_METHOD_MSCHAPV2, PPP_METHOD_CHAP_MD5, PPP_METHOD_PAP};

	for (unsigned i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		if (ppp_auth_gives(c, order[i]))
			return order[i];
	}
	return PPP_METHOD_CHAP_MD5;
}

const char *ppp_auth_demand_print(const struct ppp_config *c, char *buf, size_t size)
{
	size_t at = (size_t)snprintf(buf, size, "%s", methods[ppp_auth_first(c)].name);

	for (unsigned i = 1; i < PPP_METHODS && c->demand[0] && c->demand[i] && at < size; i++)
		at += (size_t)snprintf(buf + at, size - at, " or %s", methods[c->demand[i]].name);
	return buf;
}

/* ---- from LCP to the network layer ---- */

static void hold_or_ask_secret(struct ppp_link *l)
{
	l->auth->in.held = l->config->prove_last && !l->peer_ok;
	if (!l->auth->in.held)
		ppp_auth_ask_secret(l);
}

void ppp_auth_start(struct ppp_link *l, msec now)
{
	l->auth->out.at = l->auth->in.at = MSEC_NEVER;
	l->peer_ok = !ppp_auth_demands(l);
	l->self_ok = !l->self_method;
	if (l->config->prove_last && l->peer_anonymous && !l->self_ok) {
		ppp_link_fail(l, PPP_CAUSE_NEGOTIATION,
			"LCP: peer wants us to authenticate, and refuses to authenticate itself");
		return;
	}
	if (ppp_auth_peer_by(l, PPP_CHAP))
		ppp_chap_challenge(l, now);
	else if (ppp_auth_peer_by(l, PPP_EAP))
		ppp_eap_begin(l);
	if (ppp_auth_self_by(l, PPP_PAP))
		hold_or_ask_secret(l);
	ppp_link_auth_progress(l, now);
}

bool ppp_auth_input(struct ppp_link *l, uint16_t protocol, struct reader packet, msec now)
{
	bool agreed = ppp_auth_peer_by(l, protocol) || ppp_auth_self_by(l, protocol);

	if (protocol == PPP_CHAP)
		ppp_chap_input(l, packet, now);
	else if (protocol == PPP_PAP && agreed)
		ppp_pap_input(l, packet, now);
	else if (protocol == PPP_EAP && agreed)
		ppp_eap_input(l, packet, now);
	else
		return false;
	return true;
}

bool ppp_auth_rejected(struct ppp_link *l, uint16_t protocol)
{
	bool peer = ppp_auth_peer_by(l, protocol) && !l->peer_ok;

	if (l->phase != PPP_PHASE_AUTHENTICATE || (!peer && (!ppp_auth_self_by(l, protocol) || l->self_ok)))
		return false;
	ppp_link_fail(l, peer ? PPP_CAUSE_AUTH_PEER : PPP_CAUSE_AUTH_SELF,
		"%s: peer does not know it (Protocol-Reject)",
		methods[peer ? l->peer_method : l->self_method].name);
	return true;
}

void ppp_auth_phase_over(struct ppp_link *l)
{
	ppp_link_fail(l, PPP_CAUSE_TIMEOUT, "%s: not done within %u s",
		methods[l->peer_ok ? l->self_method : l->peer_method].name, l->config->auth_ms / 1000);
}

void ppp_link_auth_progress(struct ppp_link *l, msec now)
{
	if (l->phase != PPP_PHASE_AUTHENTICATE || !l->peer_ok || !l->self_ok || l->failing)
		return;
	l->phase = PPP_PHASE_NETWORK;
	ppp_link_limit(l, 0, now);
	l->config->ops->authenticated(l);
}

/* ---- we are the authenticator ---- */

void ppp_auth_verify(struct ppp_link *l, const struct ppp_claim *claim)
{
	l->auth->out.live = false;
	l->auth->out.at = MSEC_NEVER;
	l->verify_asked = true;
	l->config->ops->verify(l, claim);
}

static void tell_verdict(struct ppp_link *l, bool ok, const char *message)
{
	if (ppp_auth_peer_by(l, PPP_PAP))
		ppp_pap_verdict(l, ok, message);
	else if (ppp_auth_peer_by(l, PPP_EAP))
		ppp_eap_verdict(l, ok);
	else
		ppp_chap_verdict(l, ok, message);
}

static void verified(struct ppp_link *l, bool ok, const char *message, msec now)
{
	char words[100];

	tell_verdict(l, ok, message);
	if (!ok) {
		l->config->counters->bad_auth++;
		ppp_link_fail(l, PPP_CAUSE_AUTH_PEER, "%s: we refused the peer: %s",
			methods[l->peer_method].name,
			*message ? ppp_chap_failure_print(
					   reader_of(message, strlen(message)), words, sizeof(words))
				 : "wrong name or secret");
		return;
	}
	l->peer_ok = true;
	l->proven_id = l->auth->out.id;
	if (l->auth->in.held && ppp_auth_self_by(l, PPP_EAP))
		ppp_eap_unhold(l, now);
	else if (l->auth->in.held)
		ppp_auth_ask_secret(l);
	ppp_link_auth_progress(l, now);
}

void ppp_link_verified(struct ppp_link *l, bool ok, const char *message, msec now)
{
	bool stale = l->verify_stale;

	if (l->down_told || !l->verify_asked)
		return;
	ppp_link_enter(l);
	l->verify_asked = l->verify_stale = false;
	if (l->auth && l->phase == PPP_PHASE_AUTHENTICATE && !l->failing) {
		if (!stale)
			verified(l, ok, message ? message : "", now);
		else if (l->auth->out.begin)
			ppp_eap_begin(l);
	}
	ppp_link_leave(l, now);
}

/* ---- we are the peer ---- */

void ppp_auth_ask_secret(struct ppp_link *l)
{
	struct ppp_auth *auth = l->auth;

	auth->in.held = false;
	auth->in.waiting = true;
	if (l->secret_asked)
		return;
	l->secret_asked = true;
	l->config->ops->want_secret(l, auth->in.name);
}

static void take_secret(struct ppp_link *l, const void *secret, size_t len, msec now)
{
	const char *name = methods[l->self_method].name;

	l->auth->in.waiting = false;
	if (!len)
		ppp_link_fail(l, PPP_CAUSE_AUTH_SELF, "%s: we have no secret for this peer", name);
	else if (ppp_auth_self_by(l, PPP_PAP))
		ppp_pap_secret(l, secret, len, now);
	else
		ppp_chap_secret(l, secret, len, now);
}

void ppp_link_secret(struct ppp_link *l, const void *secret, size_t len, msec now)
{
	if (l->down_told || !l->secret_asked)
		return;
	ppp_link_enter(l);
	l->secret_asked = false;
	if (l->auth && l->auth->in.waiting && !l->failing && !ppp_auth_self_by(l, PPP_EAP))
		take_secret(l, secret, len, now);
	ppp_link_leave(l, now);
}

void ppp_auth_accepted(struct ppp_link *l, msec now)
{
	struct ppp_auth *auth = l->auth;

	auth->in.at = MSEC_NEVER;
	auth->in.waiting = false;
	explicit_bzero(auth->in.response, sizeof(auth->in.response));
	l->self_ok = true;
	ppp_link_auth_progress(l, now);
}

/* ---- time ---- */

static void repeat_to_peer(struct ppp_link *l, msec now)
{
	bool eap = ppp_auth_peer_by(l, PPP_EAP);

	if (l->auth->out.tries >= l->config->max_configure)
		ppp_link_fail(l, PPP_CAUSE_TIMEOUT, "%s: no answer to %u %s", methods[l->peer_method].name,
			l->auth->out.tries, eap ? "requests" : "challenges");
	else if (eap)
		ppp_eap_request(l, now);
	else
		ppp_chap_challenge(l, now);
}

static void repeat_ours(struct ppp_link *l, msec now)
{
	bool pap = ppp_auth_self_by(l, PPP_PAP);

	if (ppp_auth_self_by(l, PPP_EAP))
		ppp_eap_forget(l);
	else if (l->auth->in.tries >= l->config->max_configure)
		ppp_link_fail(l, PPP_CAUSE_TIMEOUT, "%s: no verdict after %u %s",
			methods[l->self_method].name, l->auth->in.tries, pap ? "requests" : "responses");
	else if (pap)
		ppp_pap_request(l, now);
	else
		ppp_chap_response(l, now);
}

void ppp_auth_tick(struct ppp_link *l, msec now)
{
	if (!l->auth || l->failing)
		return;
	if (l->auth->out.at <= now)
		repeat_to_peer(l, now);
	if (l->auth->in.at <= now)
		repeat_ours(l, now);
}

msec ppp_auth_deadline(const struct ppp_link *l)
{
	return l->auth ? msec_min(l->auth->out.at, l->auth->in.at) : MSEC_NEVER;
}
