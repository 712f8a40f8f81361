/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IPv6 Control Protocol, RFC 5072: one option, the Interface-Identifier. IPv6-Compression-Protocol is
 * rejected like anything unknown.
 *
 * The peer's identifier has to be there, not zero and not ours. Where the link has one to assign
 * (HS-SCEN-11), another one is Nak'ed with it until Max-Failure; after that any that is unique is taken, as
 * section 4.1 wants it.
 */
#include "ppp/protocol.h"

/* "u" bit: zero unless derived from an EUI-64 (section 4.1, numbered 6 from the left). */
#define UNIVERSAL (1ULL << 57)

static uint64_t random_iid(struct ppp_link *l, uint64_t not1, uint64_t not2)
{
	uint64_t iid;

	do
		iid = rng_u64(l->config->rng) & ~UNIVERSAL;
	while (!iid || iid == not1 || iid == not2);
	return iid;
}

static bool iid_wanted(const struct ppp_automaton *a)
{
	return true;
}

static void iid_write(const struct ppp_automaton *a, struct writer *w)
{
	writer_u64(w, ppp_ncp_link(a)->iid);
}

/* Ours is refused: take the suggestion, unless it is useless or the one that we have just suggested to
 * the peer (section 4.1). */
static void iid_nak(struct ppp_automaton *a, struct reader data, msec now)
{
	struct ppp_link *l = ppp_ncp_link(a);
	uint64_t iid = reader_u64(&data), suggested = l->auth ? l->auth->nak_iid : 0;

	if (!reader_ok(&data) || !iid || iid == l->peer_iid || iid == suggested || iid == l->assign_iid)
		iid = random_iid(l, l->peer_iid, l->assign_iid);
	l->iid = iid;
}

/* What the peer should use instead. */
static uint64_t suggest(struct ppp_link *l)
{
	struct ppp_auth *auth = ppp_link_auth(l);
	uint64_t iid = l->assign_iid && l->assign_iid != l->iid ? l->assign_iid : random_iid(l, l->iid, 0);

	if (auth)
		auth->nak_iid = iid;
	return iid;
}

static enum ppp_verdict iid_judge(struct ppp_automaton *a, struct reader data, struct writer *hint)
{
	struct ppp_link *l = ppp_ncp_link(a);
	bool assigns = l->assign_iid && l->assign_iid != l->iid && a->failures < l->config->max_failure;
	uint64_t iid = reader_u64(&data);

	if (reader_ok(&data) && !reader_left(&data) && iid && iid != l->iid &&
		(!assigns || iid == l->assign_iid))
		return PPP_VERDICT_ACK;
	writer_u64(hint, suggest(l));
	return PPP_VERDICT_NAK;
}

static void iid_apply(struct ppp_automaton *a, struct reader data)
{
	ppp_ncp_link(a)->peer_iid = reader_u64(&data);
}

static const struct ppp_option options[] = {
	{IPV6CP_IID, iid_wanted, iid_write, iid_nak, NULL, iid_judge, iid_apply},
};

/* Section 4.1: ask once for an identifier that was left out; a peer that does not know the option goes
 * without. */
static void ipv6cp_missing(struct ppp_automaton *a, uint8_t seen, struct writer *nak)
{
	struct ppp_auth *auth = ppp_link_auth(ppp_ncp_link(a));

	if ((seen & 1) || !auth || auth->asked_iid)
		return;
	auth->asked_iid = true;
	writer_u8(nak, IPV6CP_IID);
	writer_u8(nak, 10);
	writer_u64(nak, suggest(ppp_ncp_link(a)));
}

static void ipv6cp_reset(struct ppp_automaton *a)
{
	ppp_ncp_link(a)->peer_iid = 0;
}

bool ppp_ipv6cp_set(struct ppp_link *l, const struct ppp_network *n)
{
	bool changed = n->iid != l->iid || n->assign_iid != l->assign_iid;

	l->iid = n->iid;
	l->assign_iid = n->assign_iid;
	return changed;
}

const struct ppp_protocol_ops ppp_ipv6cp_ops = {
	.protocol = PPP_IPV6CP,
	.name = "IPV6CP",
	.codes = (2u << PPP_CODE_REJECT) - 2u, /* section 3: only codes 1 to 7 */
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.config = ppp_ncp_config,
	.send = ppp_ncp_send,
	.peer_mru = ppp_ncp_peer_mru,
	.reset = ipv6cp_reset,
	.missing = ipv6cp_missing,
	.up = ppp_ncp_up,
	.down = ppp_ncp_down,
	.finished = ppp_ncp_finished,
	.stuck = ppp_ncp_stuck,
};
