/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A link whose network phase has come, as bytes, and back.
 *
 * LCP is Opened, and both ends are who they say. The NCPs are saved in any state: what is being negotiated, or said goodbye to, goes on with the next
 * retransmission. What only helps a negotiation (what we suggested, a request that came early) is found out again. What authentication needs
 * (challenges, responses, messages) is not saved at all: a peer that challenges us anew repeats its challenge.
 */
#include <errno.h>

#include "lib/record.h"
#include "ppp/protocol.h"

enum { ADDRESS4 = 4 };

/* Beside the state of an automaton. */
enum { STATE = 0x0f, FLAG_ANSWERED = 0x10, FLAG_OBJECTED = 0x20 };

/* Of the link. */
enum {
	FLAG_NO_PROTOCOL_REJECT = 1 << 0,
	FLAG_OWN4 = 1 << 1,
	FLAG_ASK_DNS4 = 1 << 2,
	FLAG_PEER_ANONYMOUS = 1 << 3,
	FLAG_IPCP_UNKNOWN = 1 << 4,
	FLAGS = (1 << 5) - 1,
};

static uint8_t flag(bool set, uint8_t bit)
{
	return set ? bit : 0;
}

/* ---- saving ---- */

static bool timer_runs(const struct ppp_automaton *a)
{
	return a->state >= PPP_CLOSING && a->state <= PPP_ACK_SENT;
}

static void put_automaton(const struct ppp_automaton *a, struct writer *w)
{
	writer_u8(
		w, (uint8_t)(a->state | flag(a->answered, FLAG_ANSWERED) | flag(a->objected, FLAG_OBJECTED)));
	writer_u8(w, (uint8_t)(a->rejected << 4 | a->repeats));
	writer_u8(w, a->request_id);
	writer_u8(w, a->next_id);
	writer_u16(w, a->acked);
	if (!timer_runs(a))
		return;
	writer_u8(w, a->restarts);
	writer_u8(w, a->failures);
	writer_u8(w, a->refusals);
	writer_u64(w, a->restart_at);
}

/* An exchange in the network phase by which we authenticate again. With CHAP the peer repeats itself; with EAP it gives up. */
static bool authenticates_again(const struct ppp_link *l)
{
	return l->auth && ppp_auth_self_by(l, PPP_EAP) && l->auth->in.at != MSEC_NEVER;
}

static bool is_savable(const struct ppp_link *l)
{
	return l->phase == PPP_PHASE_NETWORK && l->lcp.state == PPP_OPENED && l->ncp_told && l->peer_ok &&
	       l->self_ok && !l->failing && !l->finished && !l->down_told && !authenticates_again(l);
}

int ppp_link_save(const struct ppp_link *l, struct writer *w)
{
	if (!is_savable(l))
		return -EAGAIN;

	put_automaton(&l->lcp, w);
	put_automaton(&l->ipv6cp, w);
	put_automaton(&l->ipcp, w);
	writer_u8(
		w, (uint8_t)(flag(l->no_protocol_reject, FLAG_NO_PROTOCOL_REJECT) | flag(l->own4, FLAG_OWN4) |
			     flag(l->ask_dns4, FLAG_ASK_DNS4) | flag(l->peer_anonymous, FLAG_PEER_ANONYMOUS) |
			     flag(l->ipcp_unknown, FLAG_IPCP_UNKNOWN)));
	writer_u8(w, (uint8_t)(l->ncp_on << 4 | l->ncp_waiting << 2 | l->ncp_dormant));
	writer_u8(w, (uint8_t)(l->self_method << 4 | l->peer_method));
	writer_u8(w, l->echo_id);
	writer_u8(w, l->echo_missed);
	writer_u8(w, l->reopenings);
	writer_u8(w, l->proven_id);
	writer_u16(w, l->mru);
	writer_u16(w, l->peer_mru);
	writer_u32(w, l->magic);
	writer_u32(w, l->opened_at);
	writer_u64(w, l->iid);
	writer_u64(w, l->peer_iid);
	writer_u64(w, l->assign_iid);
	writer_bytes(w, l->local4, ADDRESS4);
	writer_bytes(w, l->peer4, ADDRESS4);
	writer_bytes(w, l->assign4, ADDRESS4);
	writer_bytes(w, l->dns4, sizeof(l->dns4));
	writer_u64(w, l->echo_at);
	return 0;
}

/* ---- resuming ---- */

/* A negotiation, or a farewell. */
static void take_exchange(struct ppp_automaton *a, const struct ppp_config *c, struct reader *r, msec now)
{
	a->restarts = record_u8(r, 0, PPP_MAX_COUNT) & PPP_MAX_COUNT;
	a->failures = record_u8(r, 0, PPP_MAX_COUNT) & PPP_MAX_COUNT;
	a->refusals = record_u8(r, 0, PPP_MAX_REFUSALS) & 31;
	a->restart_at = msec_min(reader_u64(r), now + c->restart_ms);
}

static void take_automaton(
	struct ppp_automaton *a, const struct ppp_protocol_ops *ops, struct reader *r, msec now)
{
	const struct ppp_config *c;
	uint8_t state, bits;

	ppp_automaton_init(a, ops);
	c = ops->config(a);
	state = record_flags(r, STATE | FLAG_ANSWERED | FLAG_OBJECTED);
	if ((state & STATE) > PPP_OPENED)
		reader_fail(r, "unknown state of a control protocol");
	a->state = state & STATE;
	a->answered = (state & FLAG_ANSWERED) != 0;
	a->objected = (state & FLAG_OBJECTED) != 0;
	bits = record_flags(r, 0xf3);
	if (bits >> 4 >= 1 << ops->option_count)
		reader_fail(r, "options rejected that a control protocol does not have");
	a->rejected = bits >> 4;
	a->repeats = bits & 3;
	a->request_id = reader_u8(r);
	a->next_id = reader_u8(r);
	a->acked = reader_u16(r);
	a->restarts = c->max_configure < PPP_MAX_COUNT ? c->max_configure : PPP_MAX_COUNT;
	if (timer_runs(a))
		take_exchange(a, c, r, now);
}

static void take_flags(struct ppp_link *l, struct reader *r)
{
	uint8_t flags = record_flags(r, FLAGS), ncps = record_flags(r, 0x3f), methods = reader_u8(r);

	l->no_protocol_reject = (flags & FLAG_NO_PROTOCOL_REJECT) != 0;
	l->own4 = (flags & FLAG_OWN4) != 0;
	l->ask_dns4 = (flags & FLAG_ASK_DNS4) != 0;
	l->peer_anonymous = (flags & FLAG_PEER_ANONYMOUS) != 0;
	l->ipcp_unknown = (flags & FLAG_IPCP_UNKNOWN) != 0;
	l->ncp_on = ncps >> 4;
	l->ncp_waiting = ncps >> 2 & PPP_NCP_BOTH;
	l->ncp_dormant = ncps & PPP_NCP_BOTH;
	if (methods >> 4 >= PPP_METHODS || (methods & 0x0f) >= PPP_METHODS || !(methods & 0x0f))
		reader_fail(r, "unknown way to authenticate");
	l->self_method = methods >> 4 & 7;
	l->peer_method = methods & 7;
}

static bool is_awaited_in_vain(const struct ppp_link *l, const struct ppp_automaton *a, enum ppp_ncp ncp)
{
	return (l->ncp_waiting & ncp) && !timer_runs(a);
}

static bool is_open_or_negotiates(const struct ppp_automaton *a)
{
	return a->state >= PPP_REQ_SENT;
}

/* What two fields say together. */
static void check(const struct ppp_link *l, struct reader *r)
{
	uint8_t offered =
		(uint8_t)((l->config->ipv6 ? PPP_NCP_IPV6 : 0) | (l->config->ipv4 ? PPP_NCP_IPV4 : 0));

	if (l->lcp.state != PPP_OPENED)
		reader_fail(r, "LCP is not open");
	if (l->ncp_on & ~offered)
		reader_fail(r, "a network protocol that the configuration does not offer");
	if (is_awaited_in_vain(l, &l->ipv6cp, PPP_NCP_IPV6) || is_awaited_in_vain(l, &l->ipcp, PPP_NCP_IPV4))
		reader_fail(r, "an NCP is awaited that does not negotiate");
	if ((is_open_or_negotiates(&l->ipv6cp) && !(l->ncp_on & PPP_NCP_IPV6)) ||
		(is_open_or_negotiates(&l->ipcp) && !(l->ncp_on & PPP_NCP_IPV4)))
		reader_fail(r, "an NCP is open that must not be");
	if (!l->magic)
		reader_fail(r, "Magic-Number of zero");
	if (l->ipv6cp.state == PPP_OPENED && (!l->iid || l->iid == l->peer_iid))
		reader_fail(r, "impossible interface identifier");
}

static void take(struct ppp_link *l, struct reader *r, msec now)
{
	const struct ppp_config *c = l->config;

	take_automaton(&l->lcp, &ppp_lcp_ops, r, now);
	take_automaton(&l->ipv6cp, &ppp_ipv6cp_ops, r, now);
	take_automaton(&l->ipcp, &ppp_ipcp_ops, r, now);
	take_flags(l, r);
	l->echo_id = reader_u8(r);
	l->echo_missed = reader_u8(r);
	l->reopenings = record_u8(r, 0, PPP_REOPEN_MAX);
	l->proven_id = reader_u8(r);
	l->mru = record_u16(r, PPP_MIN_MRU, UINT16_MAX);
	l->peer_mru = record_u16(r, PPP_MIN_MRU, UINT16_MAX);
	l->magic = reader_u32(r);
	l->opened_at = reader_u32(r);
	l->iid = reader_u64(r);
	l->peer_iid = reader_u64(r);
	l->assign_iid = reader_u64(r);
	reader_copy(r, l->local4, ADDRESS4);
	reader_copy(r, l->peer4, ADDRESS4);
	reader_copy(r, l->assign4, ADDRESS4);
	reader_copy(r, l->dns4, sizeof(l->dns4));
	l->echo_at = reader_u64(r);
	/* Echo may have been switched off since, or come more often. */
	if (l->echo_at != MSEC_NEVER)
		l->echo_at = c->echo_ms ? msec_min(l->echo_at, now + c->echo_ms) : MSEC_NEVER;
	if (reader_ok(r))
		check(l, r);
}

int ppp_link_resume(struct ppp_link *l, const struct ppp_config *c, struct reader *r, msec now)
{
	*l = (struct ppp_link){
		.config = c, .phase = PPP_PHASE_NETWORK, .ncp_told = true, .peer_ok = true, .self_ok = true};
	take(l, r, now);
	if (!reader_ok(r)) {
		ppp_link_done(l);
		return -EBADMSG;
	}
	if (!l->ncp_waiting)
		return 0;
	if (!ppp_link_auth(l)) {
		ppp_link_done(l);
		return -ENOMEM;
	}
	ppp_link_limit(l, ppp_link_negotiation_ms(l), now);
	return 0;
}
