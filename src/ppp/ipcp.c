/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IP Control Protocol: the IP-Address of RFC 1332 and the DNS servers of RFC 1877. IP-Addresses, IP-Compression-Protocol and the NBNS
 * servers are rejected like anything unknown.
 *
 * The side with addresses (a concentrator) says its own and lets the peer have exactly the one that it assigns, by Configure-Nak, until
 * Max-Failure; then the option is rejected: the peer's packets would be dropped under another address. With none to assign it acknowledges
 * 0.0.0.0 only: the address comes by other means, or not at all (HS-PPP-20).
 *
 * The side that asks takes what the peer suggests. A suggestion of 0.0.0.0 and a Configure-Reject say that there is none: IPCP opens without.
 */
#include <string.h>

#include "ppp/protocol.h"

enum { ADDRESS = 4 };
enum { OPTION_ADDRESS, OPTION_DNS1, OPTION_DNS2 };

static bool is_none(const uint8_t a[ADDRESS])
{
	return !(a[0] | a[1] | a[2] | a[3]);
}

static bool is_same(const uint8_t a[ADDRESS], const uint8_t b[ADDRESS])
{
	return !memcmp(a, b, ADDRESS);
}

/* One that a host or a server can have: not 0/8, loopback, multicast, reserved or broadcast (RFC 1122 section 3.2.1.3). */
static bool is_host(const uint8_t a[ADDRESS])
{
	return a[0] && a[0] != 127 && a[0] < 224;
}

/* The address that is all of DATA. */
static bool read_address(struct reader data, uint8_t ret[ADDRESS])
{
	return reader_left(&data) == ADDRESS && reader_copy(&data, ret, ADDRESS);
}

static void go_without(struct ppp_automaton *a, int option)
{
	a->rejected |= 1u << option;
}

/* ---- IP-Address, RFC 1332 section 3.3 ---- */

static bool address_wanted(const struct ppp_automaton *a)
{
	return true;
}

static void address_write(const struct ppp_automaton *a, struct writer *w)
{
	writer_bytes(w, ppp_ncp_link(a)->local4, ADDRESS);
}

/* A suggestion that is of no use is answered by asking again. */
static void address_nak(struct ppp_automaton *a, struct reader data, msec now)
{
	static const uint8_t none[ADDRESS];
	struct ppp_link *l = ppp_ncp_link(a);
	uint8_t suggested[ADDRESS];

	if (l->own4)
		return;
	if (!read_address(data, suggested) || (!is_none(suggested) && !is_host(suggested)) ||
		(!is_none(suggested) && is_same(suggested, l->peer4)))
		memcpy(suggested, none, ADDRESS);
	else if (is_none(suggested) && is_none(l->local4))
		go_without(a, OPTION_ADDRESS);
	memcpy(l->local4, suggested, ADDRESS);
}

static void address_reject(struct ppp_automaton *a, msec now)
{
	struct ppp_link *l = ppp_ncp_link(a);

	if (!l->own4)
		memset(l->local4, 0, ADDRESS);
}

static bool address_is_right(const struct ppp_link *l, const uint8_t address[ADDRESS])
{
	if (!is_none(l->assign4))
		return is_same(address, l->assign4);
	if (l->own4)
		return is_none(address);
	return is_none(address) || (is_host(address) && !is_same(address, l->local4));
}

static enum ppp_verdict address_judge(struct ppp_automaton *a, struct reader data, struct writer *hint)
{
	struct ppp_link *l = ppp_ncp_link(a);
	uint8_t address[ADDRESS];

	if (read_address(data, address) && address_is_right(l, address))
		return PPP_VERDICT_ACK;
	writer_bytes(hint, l->assign4, ADDRESS);
	return PPP_VERDICT_NAK;
}

static void address_apply(struct ppp_automaton *a, struct reader data)
{
	reader_copy(&data, ppp_ncp_link(a)->peer4, ADDRESS);
}

/* ---- Primary and Secondary DNS Server Address, RFC 1877 sections 1.1 and 1.3 ---- */

static bool dns_wanted(const struct ppp_automaton *a)
{
	return ppp_ncp_link(a)->ask_dns4;
}

static void dns_nak(struct ppp_automaton *a, int i, struct reader data)
{
	uint8_t server[ADDRESS];

	if (read_address(data, server) && is_host(server))
		memcpy(ppp_ncp_link(a)->dns4[i], server, ADDRESS);
	else
		go_without(a, OPTION_DNS1 + i);
}

static enum ppp_verdict dns_judge(
	const struct ppp_automaton *a, int i, struct reader data, struct writer *hint)
{
	const uint8_t *server = ppp_ncp_link(a)->dns4[i];
	uint8_t asked[ADDRESS];

	if (is_none(server) || ppp_ncp_link(a)->ask_dns4)
		return PPP_VERDICT_REJECT;
	if (read_address(data, asked) && is_same(asked, server))
		return PPP_VERDICT_ACK;
	writer_bytes(hint, server, ADDRESS);
	return PPP_VERDICT_NAK;
}

static void dns1_write(const struct ppp_automaton *a, struct writer *w)
{
	writer_bytes(w, ppp_ncp_link(a)->dns4[0], ADDRESS);
}

static void dns2_write(const struct ppp_automaton *a, struct writer *w)
{
	writer_bytes(w, ppp_ncp_link(a)->dns4[1], ADDRESS);
}

static void dns1_nak(struct ppp_automaton *a, struct reader data, msec now)
{
	dns_nak(a, 0, data);
}

static void dns2_nak(struct ppp_automaton *a, struct reader data, msec now)
{
	dns_nak(a, 1, data);
}

static enum ppp_verdict dns1_judge(struct ppp_automaton *a, struct reader data, struct writer *hint)
{
	return dns_judge(a, 0, data, hint);
}

static enum ppp_verdict dns2_judge(struct ppp_automaton *a, struct reader data, struct writer *hint)
{
	return dns_judge(a, 1, data, hint);
}

/* ---- the protocol ---- */

static const struct ppp_option options[] = {
	[OPTION_ADDRESS] = {IPCP_ADDRESS, address_wanted, address_write, address_nak, address_reject,
		address_judge, address_apply},
	[OPTION_DNS1] = {IPCP_DNS1, dns_wanted, dns1_write, dns1_nak, NULL, dns1_judge, NULL},
	[OPTION_DNS2] = {IPCP_DNS2, dns_wanted, dns2_write, dns2_nak, NULL, dns2_judge, NULL},
};

/* Ask once for an address that was left out; a peer that does not know the option goes without. */
static void ipcp_missing(struct ppp_automaton *a, uint8_t seen, struct writer *nak)
{
	struct ppp_link *l = ppp_ncp_link(a);
	struct ppp_auth *auth;

	if ((seen & 1u << OPTION_ADDRESS) || is_none(l->assign4))
		return;
	auth = ppp_link_auth(l);
	if (!auth || auth->asked_address)
		return;
	auth->asked_address = true;
	writer_u8(nak, IPCP_ADDRESS);
	writer_u8(nak, 2 + ADDRESS);
	writer_bytes(nak, l->assign4, ADDRESS);
}

static void ipcp_reset(struct ppp_automaton *a)
{
	memset(ppp_ncp_link(a)->peer4, 0, ADDRESS);
}

/* What did not come to an agreement is not known. */
static void ipcp_up(struct ppp_automaton *a, msec now)
{
	struct ppp_link *l = ppp_ncp_link(a);

	for (int i = 0; i < 2; i++) {
		if (l->ask_dns4 && (a->rejected & 1u << (OPTION_DNS1 + i)))
			memset(l->dns4[i], 0, ADDRESS);
	}
	ppp_ncp_up(a, now);
}

static void set_address(uint8_t to[ADDRESS], const struct addr *from)
{
	memset(to, 0, ADDRESS);
	if (from->family == AF_INET)
		memcpy(to, from->bytes, ADDRESS);
}

bool ppp_ipcp_set(struct ppp_link *l, const struct ppp_network *n)
{
	uint8_t local[ADDRESS], assign[ADDRESS], dns[2][ADDRESS] = {0};
	bool own = n->local4.family == AF_INET && !addr_is_unspecified(&n->local4), changed;

	set_address(local, own ? &n->local4 : &n->hint4);
	set_address(assign, &n->assign4);
	for (unsigned i = 0; i < 2 && i < n->dns4_count && !n->ask_dns4; i++)
		set_address(dns[i], &n->dns4[i]);
	changed = own != l->own4 || (own && !is_same(local, l->local4)) || !is_same(assign, l->assign4) ||
		  n->ask_dns4 != l->ask_dns4 || (!n->ask_dns4 && memcmp(dns, l->dns4, sizeof(dns)) != 0);

	if (changed || l->ipcp.state < PPP_REQ_SENT) {
		memcpy(l->local4, local, ADDRESS);
		memcpy(l->dns4, dns, sizeof(dns));
	}
	l->own4 = own;
	l->ask_dns4 = n->ask_dns4;
	memcpy(l->assign4, assign, ADDRESS);
	return changed;
}

const struct ppp_protocol_ops ppp_ipcp_ops = {
	.protocol = PPP_IPCP,
	.name = "IPCP",
	.codes = (2u << PPP_CODE_REJECT) - 2u, /* section 2: only codes 1 to 7 */
	.options = options,
	.option_count = sizeof(options) / sizeof(options[0]),
	.config = ppp_ncp_config,
	.send = ppp_ncp_send,
	.peer_mru = ppp_ncp_peer_mru,
	.reset = ipcp_reset,
	.missing = ipcp_missing,
	.up = ipcp_up,
	.down = ppp_ncp_down,
	.finished = ppp_ncp_finished,
	.stuck = ppp_ncp_stuck,
};
