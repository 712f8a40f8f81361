/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Link Control Protocol: its options (RFC 1661 section 6) and the codes that only it has (section 5.7
 * to 5.9).
 *
 * We ask for MRU, Magic-Number and, where the peer has to authenticate, a method for that (HS-PPP-4). Protocol-
 * and Address-and-Control-Field-Compression and Quality-Protocol are rejected like anything unknown
 * (HS-PPP-6, HS-PPP-7): they are not in the table.
 */
#include "lib/container.h"
#include "ppp/protocol.h"

static struct ppp_link *link_of(const struct ppp_automaton *a)
{
	return container_of(a, struct ppp_link, lcp);
}

/* ---- Maximum-Receive-Unit, section 6.1 ---- */

static bool mru_wanted(const struct ppp_automaton *a)
{
	return true;
}

static void mru_write(const struct ppp_automaton *a, struct writer *w)
{
	writer_u16(w, link_of(a)->mru);
}

/* The least that a peer must take; IPv6 needs 1280 (RFC 5072 section 2). */
static uint16_t least_mru(const struct ppp_link *l)
{
	return l->config->ipv6 ? PPP_MIN_MRU6 : PPP_MIN_MRU;
}

/* A smaller one costs us nothing, a larger one we cannot take. */
static void mru_nak(struct ppp_automaton *a, struct reader data, msec now)
{
	struct ppp_link *l = link_of(a);
	uint16_t mru = reader_u16(&data);

	if (reader_ok(&data) && mru >= least_mru(l) && mru < l->mru)
		l->mru = mru;
}

static enum ppp_verdict mru_judge(struct ppp_automaton *a, struct reader data, struct writer *hint)
{
	uint16_t least = least_mru(link_of(a)), mru = reader_u16(&data);

	if (reader_ok(&data) && !reader_left(&data) && mru >= least)
		return PPP_VERDICT_ACK;
	writer_u16(hint, reader_ok(&data) && !reader_left(&data) ? least : PPP_DEFAULT_MRU);
	return PPP_VERDICT_NAK;
}

static void mru_apply(struct ppp_automaton *a, struct reader data)
{
	link_of(a)->peer_mru = reader_u16(&data);
}

/* ---- Authentication-Protocol, section 6.2; its data: auth.c ---- */

static bool auth_wanted(const struct ppp_automaton *a)
{
	return link_of(a)->config->demand_auth;
}

static void auth_write(const struct ppp_automaton *a, struct writer *w)
{
	ppp_auth_option_write(link_of(a)->peer_method, w);
}

/* Another one of ours, if the peer names it; otherwise the next of ours, until there is none. */
static void auth_nak(struct ppp_automaton *a, struct reader data, msec now)
{
	struct ppp_link *l = link_of(a);
	enum ppp_method method = ppp_auth_instead(l->config, l->peer_method, data);
	char theirs[32], ours[48];

	if (method) {
		l->peer_method = method;
		return;
	}
	ppp_link_fail(l, PPP_CAUSE_NEGOTIATION, "LCP: peer would authenticate by %s, not by %s",
		ppp_auth_option_print(data, theirs, sizeof(theirs)),
		ppp_auth_demand_print(l->config, ours, sizeof(ours)));
}

static void auth_reject(struct ppp_automaton *a, msec now)
{
	if (!link_of(a)->config->demand_optional) /* otherwise it is anonymous once LCP is open */
		ppp_link_fail(link_of(a), PPP_CAUSE_NEGOTIATION, "LCP: peer refuses to authenticate");
}

static enum ppp_verdict auth_judge(struct ppp_automaton *a, struct reader data, struct writer *hint)
{
	const struct ppp_config *c = link_of(a)->config;

	if (!c->give_auth)
		return PPP_VERDICT_REJECT;
	if (ppp_auth_gives(c, ppp_auth_option_read(data)))
		return PPP_VERDICT_ACK;
	ppp_auth_option_write(ppp_auth_best(c), hint);
	return PPP_VERDICT_NAK;
}

static void auth_apply(struct ppp_automaton *a, struct reader data)
{
	link_of(a)->self_method = ppp_auth_option_read(data);
}

/* ---- Magic-Number, section 6.4 ---- */

static uint32_t new_magic(struct ppp_link *l, uint32_t other)
{
	uint32_t magic;

	do
		magic = rng_u32(l->config->rng);
	while (!magic || magic == other || magic == l->magic);
	return magic;
}

static bool magic_wanted(const struct ppp_automaton *a)
{
	return true;
}

static void magic_write(const struct ppp_automaton *a, struct writer *w)
{
	writer_u32(w, link_of(a)->magic);
}

/* Whether the suggestion is our own come back or not: a fresh number is right. The loop itself is seen
 * in magic_judge(). */
static void magic_nak(struct ppp_automaton *a, struct reader data, msec now)
{
	struct ppp_link *l = link_of(a);

	l->magic = new_magic(l, reader_u32(&data));
}

static enum ppp_verdict magic_judge(struct ppp_automaton *a, struct reader data, struct writer *hint)
{
	struct ppp_link *l = link_of(a);
	uint32_t magic = reader_u32(&data);
	bool ours = reader_ok(&data) && magic == l->magic;

	if (reader_ok(&data) && !reader_left(&data) && magic && !ours) {
		l->loops = 0;
		return PPP_VERDICT_ACK;
	}
	writer_u32(hint, new_magic(l, magic));
	if (!ours)
		return PPP_VERDICT_NAK;
	l->config->counters->loops++;
	if (++l->loops >= PPP_LOOP_LIMIT)
		ppp_link_fail_now(l, PPP_CAUSE_LOOP,
			"LCP: the link is looped back: our own Magic-Number came back %u times", l->loops);
	return PPP_VERDICT_NAK_ONLY;
}

enum { OPTION_MRU, OPTION_AUTH, OPTION_MAGIC };

static const struct ppp_option options[] = {
	[OPTION_MRU] = {LCP_MRU, mru_wanted, mru_write, mru_nak, NULL, mru_judge, mru_apply},
	[OPTION_AUTH] = {LCP_AUTH, auth_wanted, auth_write, auth_nak, auth_reject, auth_judge, auth_apply},
	[OPTION_MAGIC] = {LCP_MAGIC, magic_wanted, magic_write, magic_nak, NULL, magic_judge, NULL},
};

/* ---- Echo, Discard, Protocol-Reject ---- */

enum { ECHO_WINDOW = 8 }; /* the reply to an earlier Echo-Request is a sign of life, too */

/* Zero until negotiated; a peer that rejected the option will not know our number (section 6.4). */
static uint32_t our_magic(const struct ppp_link *l)
{
	return l->lcp.rejected & 1u << OPTION_MAGIC ? 0 : l->magic;
}

static void send_control(struct ppp_link *l, uint8_t code, uint8_t id, const uint8_t head[4], size_t head_len,
	struct reader data)
{
	uint8_t frame[PPP_FRAME_MAX];
	struct writer w = writer_of(frame, sizeof(frame));
	size_t at = ppp_packet_begin(&w, PPP_LCP, code, id);
	size_t n = reader_left(&data), room = (size_t)(w.end - w.pos) - head_len, mru = l->peer_mru;

	writer_bytes(&w, head, head_len);
	if (room > mru - PPP_HEADER - head_len) /* MRU is at least 68 */
		room = mru - PPP_HEADER - head_len;
	writer_bytes(&w, data.pos, n < room ? n : room);
	ppp_packet_finish(&w, at);
	ppp_link_send(l, frame, writer_len(&w));
}

static void put_magic(uint8_t head[4], uint32_t magic)
{
	struct writer w = writer_of(head, 4);

	writer_u32(&w, magic);
}

void ppp_lcp_echo(struct ppp_link *l, msec now)
{
	uint8_t head[4];

	if (l->echo_missed && l->echo_missed >= l->config->echo_failures) {
		ppp_link_fail_now(l, PPP_CAUSE_TIMEOUT, "LCP: %u Echo-Requests unanswered", l->echo_missed);
		return;
	}
	l->echo_missed++;
	l->echo_id = l->lcp.next_id++;
	l->echo_at = l->config->echo_ms ? now + l->config->echo_ms : MSEC_NEVER; /* a reload may have ended it */
	l->config->counters->echo_tx++;
	put_magic(head, our_magic(l));
	send_control(l, PPP_ECHO_REQUEST, l->echo_id, head, 4, reader_of(head, 0));
}

void ppp_lcp_reject(struct ppp_link *l, uint16_t protocol, struct reader information)
{
	uint8_t head[4] = {(uint8_t)(protocol >> 8), (uint8_t)protocol};

	if (l->no_protocol_reject)
		return;
	l->config->counters->protocol_rejects_tx++;
	send_control(l, PPP_PROTOCOL_REJECT, l->lcp.next_id++, head, 2, information);
}

static void lcp_echo_reply(struct ppp_automaton *a, const struct ppp_packet *p)
{
	struct ppp_link *l = link_of(a);
	struct reader data = p->data;
	uint8_t head[4];

	if (p->code != PPP_ECHO_REQUEST)
		return;
	reader_skip(&data, 4);
	put_magic(head, our_magic(l));
	send_control(l, PPP_ECHO_REPLY, p->id, head, 4, data);
}

/* A Magic-Number other than ours or zero is not compared with the peer's: there are peers that never learnt
 * theirs. */
static bool input_echo(struct ppp_link *l, const struct ppp_packet *p)
{
	struct reader data = p->data;
	uint32_t magic = reader_u32(&data);

	if (!reader_ok(&data)) {
		l->config->counters->bad_frame++;
		return false;
	}
	if (l->lcp.state != PPP_OPENED) { /* sections 5.8 and 5.9 */
		l->config->counters->bad_phase++;
		return false;
	}
	if (magic && magic == our_magic(l)) {
		l->config->counters->loops++;
		if (p->code == PPP_ECHO_REQUEST)
			ppp_link_fail_now(l, PPP_CAUSE_LOOP,
				"LCP: the link is looped back: our own Echo-Request came back");
		return false;
	}
	if (p->code == PPP_ECHO_REQUEST) {
		l->config->counters->echo_rx++;
	} else if (p->code == PPP_ECHO_REPLY) {
		if (l->echo_missed && (uint8_t)(l->echo_id - p->id) <= ECHO_WINDOW)
			l->echo_missed = 0;
		else
			l->config->counters->bad_id++;
	}
	return true;
}

static void input_protocol_reject(struct ppp_link *l, struct reader data, msec now)
{
	uint16_t protocol = reader_u16(&data);

	if (!reader_ok(&data)) {
		l->config->counters->bad_frame++;
		return;
	}
	if (l->lcp.state != PPP_OPENED) { /* section 5.7 */
		l->config->counters->bad_phase++;
		return;
	}
	l->config->counters->protocol_rejects_rx++;
	ppp_link_protocol_rejected(l, protocol, now);
}

static bool lcp_extra(struct ppp_automaton *a, const struct ppp_packet *p, msec now)
{
	if (p->code != PPP_PROTOCOL_REJECT)
		return input_echo(link_of(a), p);
	input_protocol_reject(link_of(a), p->data, now);
	return false;
}

static void lcp_code_rejected(struct ppp_automaton *a, uint8_t code)
{
	struct ppp_link *l = link_of(a);

	ppp_link_note(l, "LCP: peer does not know %s: no more of them", ppp_code_name(PPP_LCP, code));
	if (code == PPP_PROTOCOL_REJECT)
		l->no_protocol_reject = true;
	else if (code == PPP_ECHO_REQUEST)
		l->echo_at = MSEC_NEVER;
}

/* ---- the rest of the protocol ---- */

static const struct ppp_config *lcp_config(const struct ppp_automaton *a)
{
	return link_of(a)->config;
}

static void lcp_send(struct ppp_automaton *a, const uint8_t *frame, size_t len)
{
	ppp_link_send(link_of(a), frame, len);
}

static size_t lcp_peer_mru(const struct ppp_automaton *a)
{
	return link_of(a)->peer_mru;
}

static void lcp_reset(struct ppp_automaton *a)
{
	struct ppp_link *l = link_of(a);

	l->peer_mru = PPP_DEFAULT_MRU;
	l->self_method = 0;
}

static void lcp_up(struct ppp_automaton *a, msec now)
{
	struct ppp_link *l = link_of(a);

	l->peer_anonymous =
		l->config->demand_auth && l->config->demand_optional && (a->rejected & 1u << OPTION_AUTH);
	ppp_link_lcp_up(l, now);
}

static void lcp_down(struct ppp_automaton *a, const char *reason, msec now)
{
	ppp_link_lcp_down(link_of(a), reason, now);
}

static void lcp_finished(struct ppp_automaton *a, const char *reason, msec now)
{
	ppp_link_lcp_finished(link_of(a), reason);
}

static void lcp_stuck(struct ppp_automaton *a, msec now)
{
	ppp_link_fail(link_of(a), PPP_CAUSE_NEGOTIATION, "LCP: peer has refused %u Configure-Requests",
		PPP_MAX_REFUSALS);
}

static const char *lcp_farewell(const struct ppp_automaton *a)
{
	const struct ppp_link *l = link_of(a);

	return l->why ? l->why->text : "";
}

static void lcp_terminated(struct ppp_automaton *a, const char *text)
{
	ppp_link_fail(link_of(a), PPP_CAUSE_PEER, "%s", text);
}

static void lcp_broken(struct ppp_automaton *a, const char *reason)
{
	ppp_link_fail(link_of(a), PPP_CAUSE_NEGOTIATION, "%s", reason);
}

const struct ppp_protocol_ops ppp_lcp_ops = {
	.protocol = PPP_LCP,
	.name = "LCP",
	.codes = (2u << PPP_DISCARD_REQUEST) - 2u,
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.config = lcp_config,
	.send = lcp_send,
	.peer_mru = lcp_peer_mru,
	.reset = lcp_reset,
	.up = lcp_up,
	.down = lcp_down,
	.finished = lcp_finished,
	.stuck = lcp_stuck,
	.farewell = lcp_farewell,
	.terminated = lcp_terminated,
	.broken = lcp_broken,
	.extra = lcp_extra,
	.echo_reply = lcp_echo_reply,
	.code_rejected = lcp_code_rejected,
};
