/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One PPP link: phases (RFC 1661 section 3), the way of a frame to its protocol, and the end.
 *
 * Every public function enters the engine and leaves it again. Callbacks run inside, and may call back;
 * whatever ends something (the link, an NCP) is only noted then, and done when the outermost call leaves.
 * So an automaton is never disturbed between two of its actions, and ops->down() is the last thing that
 * happens: its owner may free the link in it.
 */
#include "ppp/link.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ppp/protocol.h"

/* ---- the set-up part ---- */

struct ppp_auth *ppp_link_auth(struct ppp_link *l)
{
	if (!l->auth) {
		l->auth = calloc(1, sizeof(*l->auth));
		if (l->auth)
			l->auth->out.at = l->auth->in.at = l->auth->phase_at = MSEC_NEVER;
	}
	return l->auth;
}

static void auth_free(struct ppp_link *l)
{
	if (l->auth) {
		ppp_eap_free(l->auth);
		free(l->auth->ncp_why);
		explicit_bzero(l->auth, sizeof(*l->auth));
	}
	free(l->auth);
	l->auth = NULL;
}

void ppp_link_limit(struct ppp_link *l, msec ms, msec now)
{
	struct ppp_auth *auth = ms ? ppp_link_auth(l) : l->auth;

	if (auth)
		auth->phase_at = ms ? now + ms : MSEC_NEVER;
}

static bool auth_needed(const struct ppp_link *l)
{
	return l->phase != PPP_PHASE_NETWORK || ppp_ncp_negotiates(l) || l->auth->in.waiting ||
	       l->auth->in.at != MSEC_NEVER;
}

/* ---- the end ---- */

static void fail(struct ppp_link *l, bool hurry, enum ppp_cause cause, const char *format, va_list args)
{
	if (l->failing)
		return;
	l->failing = true;
	l->hurry = hurry;
	l->why = calloc(1, sizeof(*l->why));
	if (!l->why)
		return;
	l->why->cause = cause;
	vsnprintf(l->why->text, sizeof(l->why->text), format, args);
}

void ppp_link_fail(struct ppp_link *l, enum ppp_cause cause, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fail(l, false, cause, format, args);
	va_end(args);
}

void ppp_link_fail_now(struct ppp_link *l, enum ppp_cause cause, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fail(l, true, cause, format, args);
	va_end(args);
}

void ppp_link_enter(struct ppp_link *l)
{
	l->depth++;
}

static void close_lcp(struct ppp_link *l, msec now)
{
	l->closing = true;
	l->echo_at = MSEC_NEVER;
	ppp_link_limit(l, 0, now);
	if (l->phase == PPP_PHASE_ESTABLISH)
		l->phase = PPP_PHASE_TERMINATE;
	ppp_automaton_close(&l->lcp, l->why ? l->why->text : "out of memory", now);
	l->phase = PPP_PHASE_TERMINATE;
	if (l->hurry || l->lcp.state <= PPP_STOPPED)
		l->finished = true;
}

static void tell_down(struct ppp_link *l)
{
	struct ppp_why why = {.cause = PPP_CAUSE_LOCAL, .text = "out of memory"};

	if (l->why)
		why = *l->why;
	free(l->why);
	l->why = NULL;
	auth_free(l);
	l->phase = PPP_PHASE_DEAD;
	l->down_told = true;
	l->config->ops->down(l, &why);
}

void ppp_link_leave(struct ppp_link *l, msec now)
{
	if (l->depth > 1) {
		l->depth--;
		return;
	}
	ppp_ncp_settle(l, now);
	if (l->failing && !l->closing)
		close_lcp(l, now);
	if (l->auth && !auth_needed(l))
		auth_free(l);
	l->depth--;
	if (l->finished && !l->down_told)
		tell_down(l);
}

/* ---- small services ---- */

void ppp_link_send(struct ppp_link *l, const uint8_t *frame, size_t len)
{
	l->config->counters->tx++;
	l->config->ops->send(l, frame, len);
}

void ppp_link_note(struct ppp_link *l, const char *format, ...)
{
	char text[128];
	va_list args;

	if (!l->config->ops->note)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	l->config->ops->note(l, text);
}

/* How long a negotiation may take when every packet has to be sent until the last attempt, twice. */
msec ppp_link_negotiation_ms(const struct ppp_link *l)
{
	return 2 * (msec)l->config->restart_ms * (l->config->max_configure + 1u);
}

/* ---- LCP tells ---- */

void ppp_link_lcp_up(struct ppp_link *l, msec now)
{
	const struct ppp_config *c = l->config;

	if (l->failing)
		return;
	if (!ppp_link_auth(l)) {
		ppp_link_fail(l, PPP_CAUSE_LOCAL, "out of memory");
		return;
	}
	if (c->insist_auth && !l->self_method) {
		ppp_link_fail(l, PPP_CAUSE_NEGOTIATION, "LCP: peer does not ask for authentication");
		return;
	}
	l->opened_at = (uint32_t)now;
	l->phase = PPP_PHASE_AUTHENTICATE;
	ppp_link_limit(l, c->auth_ms, now);
	l->echo_missed = 0;
	l->echo_at = c->echo_ms ? now + c->echo_ms : MSEC_NEVER;
	ppp_auth_start(l, now);
}

/* Each time costs a verification, so a peer may not do it on and on. */
static void count_reopening(struct ppp_link *l, msec now)
{
	l->reopenings = (uint32_t)now - l->opened_at < PPP_REOPEN_MS ? l->reopenings + 1 : 1;
	if (l->reopenings > PPP_REOPEN_MAX)
		ppp_link_fail(
			l, PPP_CAUSE_NEGOTIATION, "LCP: peer has negotiated again %u times", PPP_REOPEN_MAX);
}

/* Everything above starts again (RFC 1661 section 3.3 and 4.3: RCR in Opened). */
void ppp_link_lcp_down(struct ppp_link *l, const char *reason, msec now)
{
	l->phase = l->failing ? PPP_PHASE_TERMINATE : PPP_PHASE_ESTABLISH;
	l->echo_at = MSEC_NEVER;
	l->peer_ok = l->self_ok = false;
	l->verify_stale = l->verify_asked;
	auth_free(l);
	count_reopening(l, now);
	if (!l->failing) {
		ppp_link_limit(l, ppp_link_negotiation_ms(l), now);
		ppp_link_note(l, "%s", reason);
	}
	ppp_ncp_lcp_down(l, reason, now);
}

void ppp_link_lcp_finished(struct ppp_link *l, const char *reason)
{
	ppp_link_fail(l, PPP_CAUSE_TIMEOUT, "%s", reason);
	l->finished = true;
}

/* ---- frames ---- */

/* During authentication only its own kind is answered at all (RFC 1661 section 3.5). */
static void input_unknown(struct ppp_link *l, uint16_t protocol, struct reader information)
{
	if (l->phase == PPP_PHASE_NETWORK || (l->phase == PPP_PHASE_AUTHENTICATE && protocol >= 0xc000))
		ppp_lcp_reject(l, protocol, information);
	else
		l->config->counters->bad_phase++;
}

static void input_ncp(struct ppp_link *l, uint16_t protocol, struct reader r, msec now)
{
	ppp_eap_implied_success(l);
	if (l->phase == PPP_PHASE_NETWORK)
		ppp_ncp_input(l, protocol, r, now);
	else
		l->config->counters->bad_phase++;
}

static void input_frame(struct ppp_link *l, uint16_t protocol, struct reader r, msec now)
{
	if (protocol == PPP_LCP)
		ppp_automaton_input(&l->lcp, r, now);
	else if (l->lcp.state != PPP_OPENED || l->failing) /* RFC 1661 section 3.4 */
		l->config->counters->bad_phase++;
	else if (ppp_auth_input(l, protocol, r, now))
		return;
	else if (!ppp_ncp_known(l, protocol))
		input_unknown(l, protocol, r);
	else if (protocol < 0x8000) /* a network packet: given to us only while its NCP is not open */
		l->config->counters->bad_phase++;
	else
		input_ncp(l, protocol, r, now);
}

void ppp_link_input(struct ppp_link *l, const uint8_t *frame, size_t len, msec now)
{
	struct reader r = reader_of(frame, len);
	uint16_t protocol;

	if (l->down_told)
		return;
	ppp_link_enter(l);
	l->config->counters->rx++;
	protocol = ppp_frame_read(&r);
	if (reader_ok(&r))
		input_frame(l, protocol, r, now);
	else
		l->config->counters->bad_frame++;
	ppp_link_leave(l, now);
}

/* What the peer says that it does not know. What we have never sent it cannot have got from us. */
void ppp_link_protocol_rejected(struct ppp_link *l, uint16_t protocol, msec now)
{
	if (protocol == PPP_LCP)
		ppp_automaton_refused(&l->lcp, "LCP: peer says that it does not know LCP", now);
	else if (!ppp_auth_rejected(l, protocol) && !ppp_ncp_rejected(l, protocol, now))
		ppp_link_note(l, "LCP: Protocol-Reject of %s (0x%04x) ignored", ppp_protocol_name(protocol),
			protocol);
}

/* ---- time ---- */

static void phase_over(struct ppp_link *l, msec now)
{
	ppp_link_limit(l, 0, 0);
	if (l->phase == PPP_PHASE_ESTABLISH)
		ppp_link_fail(l, PPP_CAUSE_NEGOTIATION, "LCP: no agreement within %u s",
			(unsigned)(ppp_link_negotiation_ms(l) / 1000));
	else if (l->phase == PPP_PHASE_AUTHENTICATE)
		ppp_auth_phase_over(l);
	else if (l->phase == PPP_PHASE_NETWORK)
		ppp_ncp_phase_over(l, now);
}

void ppp_link_tick(struct ppp_link *l, msec now)
{
	if (l->down_told)
		return;
	ppp_link_enter(l);
	ppp_automaton_tick(&l->lcp, now);
	ppp_automaton_tick(&l->ipv6cp, now);
	ppp_automaton_tick(&l->ipcp, now);
	if (l->lcp.state == PPP_OPENED && !l->failing) {
		ppp_auth_tick(l, now);
		if (l->echo_at <= now)
			ppp_lcp_echo(l, now);
	}
	if (l->auth && l->auth->phase_at <= now)
		phase_over(l, now);
	ppp_link_leave(l, now);
}

msec ppp_link_deadline(const struct ppp_link *l)
{
	msec at;

	if (l->down_told)
		return MSEC_NEVER;
	at = msec_min(l->lcp.restart_at, l->auth ? l->auth->phase_at : MSEC_NEVER);
	at = msec_min(at, msec_min(l->ipv6cp.restart_at, l->ipcp.restart_at));
	if (l->lcp.state == PPP_OPENED && !l->failing)
		at = msec_min(at, msec_min(ppp_auth_deadline(l), l->echo_at));
	return at;
}

/* ---- life ---- */

int ppp_link_open(struct ppp_link *l, const struct ppp_config *c, uint16_t mru, msec now)
{
	*l = (struct ppp_link){
		.config = c, .phase = PPP_PHASE_ESTABLISH, .mru = mru, .peer_mru = PPP_DEFAULT_MRU};
	l->peer_method = ppp_auth_first(c);
	l->echo_at = MSEC_NEVER;
	if (!ppp_link_auth(l))
		return -ENOMEM;
	ppp_link_limit(l, ppp_link_negotiation_ms(l), now);
	while (!l->magic)
		l->magic = rng_u32(c->rng);
	ppp_automaton_init(&l->lcp, &ppp_lcp_ops);
	ppp_automaton_init(&l->ipv6cp, &ppp_ipv6cp_ops);
	ppp_automaton_init(&l->ipcp, &ppp_ipcp_ops);
	ppp_link_enter(l);
	ppp_automaton_open(&l->lcp, now);
	ppp_automaton_up(&l->lcp, now);
	ppp_link_leave(l, now);
	return 0;
}

void ppp_link_close(struct ppp_link *l, const char *why, msec now)
{
	if (l->down_told)
		return;
	ppp_link_enter(l);
	ppp_link_fail(l, PPP_CAUSE_LOCAL, "%s", why);
	ppp_link_leave(l, now);
}

void ppp_link_done(struct ppp_link *l)
{
	auth_free(l);
	free(l->why);
	l->why = NULL;
	l->down_told = true;
}

const char *ppp_link_phase(const struct ppp_link *l)
{
	static const char *const names[] = {"dead", "establish", "authenticate", "network", "terminate"};

	return names[l->phase];
}
