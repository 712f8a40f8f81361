/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole PPP link fed with frames, time and answers of its owner.
 *
 * First two octets: the configuration. Then steps: one octet that says what, and its arguments. Some steps build
 * a good answer (an Ack of what was asked, a right CHAP response), because the states behind them are not
 * found by guessing.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/container.h"
#include "ppp/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SECRET_LEN = 6 };
enum { REQUEST_LCP, REQUEST_IPV6CP, REQUEST_IPCP, REQUESTS };
enum { LOCAL4 = 1, ASSIGN4 = 7, HINT4 = 9 }; /* last octets of 192.0.2.0/24 */
static const char secret[] = "secret";
static const uint16_t request_protocols[REQUESTS] = {PPP_LCP, PPP_IPV6CP, PPP_IPCP};

struct kept {
	uint8_t bytes[PPP_FRAME_MAX];
	size_t len;
};

struct ncp {
	bool up, asked;
};

struct run {
	struct ppp_link link;
	struct ppp_config config;
	struct ppp_counters counters;
	struct rng rng;
	msec now;
	bool now_answers, network_at_once, asks4;
	bool verified, accepted, proof_sent, down;
	bool eap_due; /* the verify_due answer is one to EAP */
	unsigned verify_due;
	uint8_t eap_id;      /* of the last request of our own method */
	uint8_t eap_peer_id; /* of the last request that came up */
	struct ncp ncp6, ncp4;
	struct kept request[REQUESTS], challenge, response, pap, eap_request; /* last sent of each */
	uint8_t peer_challenge[MSCHAP_CHALLENGE]; /* in the last CHAP Challenge that came */
};

static void check(bool ok)
{
	if (!ok)
		abort();
}

static struct run *run_of(struct ppp_link *l)
{
	return container_of(l, struct run, link);
}

/* ---- what the link says ---- */

static void keep(struct kept *k, const uint8_t *frame, size_t len)
{
	memcpy(k->bytes, frame, len);
	k->len = len;
}

static bool peer_is_known(const struct run *r)
{
	return !r->config.demand_auth || r->verified || (r->config.demand_optional && r->link.peer_anonymous);
}

static void sent_auth(struct run *r, unsigned protocol, const uint8_t *frame, size_t len)
{
	enum ppp_method self = r->link.self_method;
	uint8_t code = frame[4];

	if (protocol == PPP_CHAP && code == CHAP_CHALLENGE)
		keep(&r->challenge, frame, len);
	if (protocol == PPP_CHAP && code == CHAP_RESPONSE) {
		check((self == PPP_METHOD_CHAP_MD5 || self == PPP_METHOD_MSCHAPV2) && r->config.give_auth);
		check(frame[8] == (self == PPP_METHOD_CHAP_MD5 ? CHAP_MD5_LEN : CHAP_MSCHAPV2_LEN));
		keep(&r->response, frame, len);
	}
	if (protocol == PPP_PAP && code == PAP_REQUEST) {
		check(self == PPP_METHOD_PAP && r->config.give_auth);
		check(!r->config.prove_last || peer_is_known(r));
		keep(&r->pap, frame, len);
	}
	if (protocol == PPP_EAP && code == PPP_EAP_REQUEST) {
		check(r->config.demand_auth && r->link.peer_method == PPP_METHOD_EAP);
		keep(&r->eap_request, frame, len);
	}
	if (protocol == PPP_EAP && code == PPP_EAP_RESPONSE)
		check(self == PPP_METHOD_EAP && r->config.give_auth);
}

static void on_send(struct ppp_link *l, const uint8_t *frame, size_t len)
{
	struct run *r = run_of(l);
	unsigned protocol = frame[2] << 8 | frame[3];

	check(!r->down && len >= 8 && len <= PPP_FRAME_MAX && frame[0] == 0xff && frame[1] == 3);
	check((size_t)(frame[6] << 8 | frame[7]) == len - 4);
	check(frame[4]);
	if (protocol == PPP_IPV6CP || protocol == PPP_IPCP) {
		check(l->lcp.state == PPP_OPENED && peer_is_known(r));
		check(protocol == PPP_IPV6CP ? r->config.ipv6 : r->config.ipv4);
	}
	sent_auth(r, protocol, frame, len);
	for (int i = 0; i < REQUESTS; i++) {
		if (protocol == request_protocols[i] && frame[4] == PPP_CONFIGURE_REQUEST)
			keep(&r->request[i], frame, len);
	}
}

static bool claim_is_right(const struct ppp_claim *c)
{
	uint8_t want[CHAP_MSCHAPV2_LEN];

	if (c->protocol == PPP_PAP)
		return c->response_len == SECRET_LEN && !memcmp(c->response, secret, SECRET_LEN);
	if (c->algorithm == CHAP_MSCHAPV2) {
		check(c->challenge_len == MSCHAP_CHALLENGE && c->response_len == CHAP_MSCHAPV2_LEN);
		return mschap_v2_response(
			       c->challenge, c->response, c->name, c->name_len, secret, SECRET_LEN, want) &&
		       !memcmp(want, c->response + 24, MSCHAP_NT_RESPONSE);
	}
	check(c->challenge_len >= 16 && c->response_len == CHAP_MD5_LEN);
	return ppp_chap_md5(c->id, secret, SECRET_LEN, c->challenge, c->challenge_len, want) &&
	       !memcmp(want, c->response, CHAP_MD5_LEN);
}

static void on_verify(struct ppp_link *l, const struct ppp_claim *claim)
{
	struct run *r = run_of(l);
	bool ok = claim_is_right(claim);

	check(r->config.demand_auth && !r->verify_due);
	r->verify_due = 1;
	r->eap_due = false;
	if (r->now_answers) {
		r->verify_due = 0;
		r->verified = ok;
		ppp_link_verified(l, ok, ok ? "ok" : "no", r->now);
	}
}

static void on_want_secret(struct ppp_link *l, const char *peer_name)
{
	struct run *r = run_of(l);

	check(r->config.give_auth && strlen(peer_name) <= CHAP_NAME_MAX);
	check(!r->config.prove_last || !r->config.demand_auth || r->verified);
	if (r->now_answers)
		ppp_link_secret(l, secret, SECRET_LEN, r->now);
}

/* As the authenticator: the next request, of ARG octets. */
static void eap_ask(struct run *r, uint8_t arg)
{
	uint8_t packet[PPP_EAP_MAX] = {PPP_EAP_REQUEST};
	size_t len = 5 + arg * 5u;

	r->verify_due = 0;
	packet[1] = ++r->eap_id;
	packet[2] = (uint8_t)(len >> 8);
	packet[3] = (uint8_t)len;
	packet[4] = arg & 7;
	ppp_link_eap(&r->link, true, packet, len, r->now);
}

/* As the peer. */
static void eap_answer(struct run *r, uint8_t id, uint8_t arg)
{
	uint8_t packet[] = {PPP_EAP_RESPONSE, id, 0, 6, arg, 'x'};

	ppp_link_eap(&r->link, false, packet, sizeof(packet), r->now);
}

static void eap_accept(struct run *r, bool ok)
{
	r->accepted |= ok;
	ppp_link_eap_result(&r->link, ok, "method says no", r->now);
}

static void on_eap(struct ppp_link *l, bool authenticator, const uint8_t *packet, size_t len)
{
	struct run *r = run_of(l);

	if (packet) {
		check(len >= 4 && len <= PPP_FRAME_MAX && (size_t)(packet[2] << 8 | packet[3]) == len);
		check(len >= 5 || packet[0] >= PPP_EAP_SUCCESS);
	}
	if (authenticator) {
		check(r->config.demand_auth && !r->verify_due && (!packet || packet[0] == PPP_EAP_RESPONSE));
		check(!packet || packet[1] == r->eap_id);
		r->verify_due = 1;
		r->eap_due = true;
		if (r->now_answers && !packet)
			eap_ask(r, 1);
		return;
	}
	check(packet && packet[0] != PPP_EAP_RESPONSE && r->config.give_auth &&
		l->self_method == PPP_METHOD_EAP);
	check(!r->config.prove_last || !r->config.demand_auth || r->verified);
	check(packet[0] == PPP_EAP_REQUEST || packet[1] == r->eap_peer_id);
	r->eap_peer_id = packet[1];
	if (r->now_answers && packet[0] == PPP_EAP_REQUEST)
		eap_answer(r, packet[1], packet[4]);
	else if (r->now_answers)
		eap_accept(r, packet[0] == PPP_EAP_SUCCESS);
}

/* ARG: bits 0-1 and 2-3 the identifiers, 4 no IPv4, 5 nothing to assign, 6 DNS, 7 no IPv6. */
static void network(struct run *r, uint8_t arg)
{
	struct ppp_network n = {.ipv6 = !(arg & 128),
		.ipv4 = !(arg & 16),
		.iid = 1 + arg % 4,
		.assign_iid = arg / 4 % 4,
		.ask_dns4 = r->asks4,
		.dns4_count = arg & 64 ? 2 : 0,
		.dns4 = {addr4(192, 0, 2, 53), addr4(192, 0, 2, 54)}};

	if (r->asks4) {
		n.hint4 = arg & 32 ? addr4(192, 0, 2, HINT4) : (struct addr){0};
	} else {
		n.local4 = addr4(192, 0, 2, LOCAL4);
		n.assign4 = arg & 32 ? (struct addr){0} : addr4(192, 0, 2, ASSIGN4);
	}
	if (r->link.phase == PPP_PHASE_NETWORK && !r->link.failing) {
		r->ncp6.asked |= n.ipv6;
		r->ncp4.asked |= n.ipv4;
	}
	ppp_link_network(&r->link, &n, r->now);
}

static void on_authenticated(struct ppp_link *l)
{
	struct run *r = run_of(l);

	check(!r->ncp6.up && !r->ncp4.up && peer_is_known(r));
	check(!l->self_method || r->accepted);
	check(l->self_method != PPP_METHOD_MSCHAPV2 || r->proof_sent);
	if (r->network_at_once)
		network(r, 4);
}

static bool is_none(const uint8_t a[4])
{
	return !(a[0] | a[1] | a[2] | a[3]);
}

static bool is_host(const uint8_t a[4])
{
	return a[0] && a[0] != 127 && a[0] < 224;
}

static void check_addresses(const struct run *r)
{
	const struct ppp_link *l = &r->link;

	if (r->asks4) {
		check(is_none(l->local4) || is_host(l->local4));
		check(is_none(l->peer4) || (is_host(l->peer4) && memcmp(l->peer4, l->local4, 4) != 0));
		check(is_none(l->dns4[0]) || is_host(l->dns4[0]));
		check(is_none(l->dns4[1]) || is_host(l->dns4[1]));
	} else {
		check(l->local4[3] == LOCAL4);
		check(is_none(l->peer4) || (l->peer4[0] == 192 && l->peer4[3] == ASSIGN4));
	}
}

static void on_ncp_up(struct ppp_link *l, uint16_t protocol)
{
	struct run *r = run_of(l);
	struct ncp *ncp = protocol == PPP_IPCP ? &r->ncp4 : &r->ncp6;

	check(!ncp->up && ppp_link_ncp_open(l, protocol));
	ncp->up = true;
	ncp->asked = false;
	if (protocol == PPP_IPCP)
		check_addresses(r);
	else
		check(protocol == PPP_IPV6CP && l->iid && l->iid != l->peer_iid);
}

static void on_ncp_down(struct ppp_link *l, uint16_t protocol, const char *why)
{
	struct run *r = run_of(l);
	struct ncp *ncp = protocol == PPP_IPCP ? &r->ncp4 : &r->ncp6;

	/* also what was up when it was asked for anew may come to nothing after it went down */
	check((ncp->up || ncp->asked) && why && *why);
	ncp->asked = ncp->up && ncp->asked;
	ncp->up = false;
}

static void on_down(struct ppp_link *l, const struct ppp_why *why)
{
	struct run *r = run_of(l);

	check(!r->down && !r->ncp6.up && !r->ncp4.up && *why->text);
	check(memchr(why->text, 0, sizeof(why->text)) != NULL);
	r->down = true;
}

static const struct ppp_ops ops = {
	.send = on_send,
	.verify = on_verify,
	.want_secret = on_want_secret,
	.eap = on_eap,
	.authenticated = on_authenticated,
	.ncp_up = on_ncp_up,
	.ncp_down = on_ncp_down,
	.down = on_down,
};

/* ---- what the peer says ---- */

static void note_input(struct run *r, const uint8_t *frame, size_t len)
{
	struct reader f = reader_of(frame, len);
	uint16_t protocol = ppp_frame_read(&f);
	uint8_t code = reader_u8(&f);

	if ((protocol == PPP_CHAP && code == CHAP_SUCCESS) || (protocol == PPP_PAP && code == PAP_ACK))
		r->accepted = true;
	if (protocol != PPP_CHAP || code != CHAP_CHALLENGE)
		return;
	reader_skip(&f, 3);
	if (reader_u8(&f) == MSCHAP_CHALLENGE)
		reader_copy(&f, r->peer_challenge, MSCHAP_CHALLENGE);
}

static void input(struct run *r, const uint8_t *frame, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);

	check(exact != NULL);
	note_input(r, frame, len);
	if (len)
		memcpy(exact, frame, len);
	ppp_link_input(&r->link, exact, len, r->now);
	free(exact);
}

static void input_packet(
	struct run *r, uint16_t protocol, uint8_t code, uint8_t id, const void *data, size_t len)
{
	uint8_t frame[PPP_FRAME_MAX];
	struct writer w = writer_of(frame, sizeof(frame));
	size_t at = ppp_packet_begin(&w, protocol, code, id);

	writer_bytes(&w, data, len);
	ppp_packet_finish(&w, at);
	if (writer_ok(&w))
		input(r, frame, writer_len(&w));
}

/* Ack, Nak or Reject of what it has asked for last, with options of its own or, when LEN is 0, with
 * exactly what was asked. */
static void answer_request(struct run *r, uint8_t what, struct reader options)
{
	int i = what & 8 ? REQUEST_IPCP : what & 1;
	uint8_t code = (uint8_t)(PPP_CONFIGURE_ACK + (what >> 1 & 3) % 3);
	size_t len = reader_left(&options);
	const struct kept *k = &r->request[i];

	if (!k->len)
		return;
	if (len)
		input_packet(r, request_protocols[i], code, k->bytes[5], options.pos, len);
	else
		input_packet(r, request_protocols[i], code, k->bytes[5], k->bytes + 8, k->len - 8);
}

static void answer_challenge(struct run *r, bool right)
{
	uint8_t data[1 + CHAP_MSCHAPV2_LEN + 1] = {CHAP_MD5_LEN};
	const struct kept *c = &r->challenge;
	size_t len = 1 + CHAP_MD5_LEN;

	if (!c->len)
		return;
	if (c->bytes[8] == MSCHAP_CHALLENGE) {
		data[0] = CHAP_MSCHAPV2_LEN;
		len = 1 + CHAP_MSCHAPV2_LEN;
		check(mschap_v2_response(
			c->bytes + 9, data + 1, "a", 1, secret, SECRET_LEN - !right, data + 25));
	} else {
		check(ppp_chap_md5(
			c->bytes[5], secret, SECRET_LEN - !right, c->bytes + 9, c->bytes[8], data + 1));
	}
	data[len++] = 'a';
	input_packet(r, PPP_CHAP, CHAP_RESPONSE, c->bytes[5], data, len);
}

/* Bit 0: Success or Failure; bit 1: with the proof that MS-CHAPv2 wants. */
static void answer_response(struct run *r, uint8_t arg)
{
	const uint8_t *s = r->response.bytes;
	char text[MSCHAP_SUCCESS + 1] = "E=691 R=0 C=00 V=3 M=m";

	if (arg & 2 && r->response.len > 8 + CHAP_MSCHAPV2_LEN && s[8] == CHAP_MSCHAPV2_LEN) {
		r->proof_sent = true;
		check(mschap_v2_success(
			r->peer_challenge, s + 9, "fuzz", 4, secret, SECRET_LEN, s + 33, text));
	}
	input_packet(r, PPP_CHAP, arg & 1 ? CHAP_SUCCESS : CHAP_FAILURE, s[5], text, strlen(text));
}

/* A request, right or wrong, or the answer to ours. */
static void pap(struct run *r, uint8_t arg)
{
	uint8_t data[] = {1, 'a', SECRET_LEN, 's', 'e', 'c', 'r', 'e', arg & 1 ? 't' : 'x'};

	if (arg & 2)
		input_packet(r, PPP_PAP, PAP_REQUEST, arg >> 2, data, sizeof(data));
	else
		input_packet(r, PPP_PAP, arg & 1 ? PAP_ACK : PAP_NAK, r->pap.bytes[5], "\1m", 2);
}

/* A response to its last request; a request, Success or Failure. */
static void eap(struct run *r, uint8_t arg)
{
	static const uint8_t codes[] = {PPP_EAP_RESPONSE, PPP_EAP_REQUEST, PPP_EAP_SUCCESS, PPP_EAP_FAILURE};
	uint8_t code = codes[arg & 3], data[] = {arg >> 2 & 7, 'x'};
	uint8_t id = code == PPP_EAP_RESPONSE  ? r->eap_request.bytes[5]
		     : code == PPP_EAP_REQUEST ? arg >> 5
					       : r->eap_peer_id;

	input_packet(r, PPP_EAP, code, id, data, code <= PPP_EAP_RESPONSE ? sizeof(data) : 0);
}

/* ---- time, and what the owner says ---- */

static void tick(struct run *r, msec ms)
{
	msec end = r->now + ms;

	for (int i = 0; i < 1000; i++) {
		msec at = ppp_link_deadline(&r->link);

		if (at > end)
			break;
		if (at > r->now)
			r->now = at;
		ppp_link_tick(&r->link, r->now);
		check(ppp_link_deadline(&r->link) > r->now);
	}
	r->now = end;
}

static void verdict(struct run *r, uint8_t arg)
{
	if (!r->verify_due)
		return;
	if (r->eap_due && arg & 4) {
		eap_ask(r, arg >> 3);
		return;
	}
	r->verify_due = 0;
	r->verified = arg & 1;
	ppp_link_verified(&r->link, arg & 1, arg & 2 ? "message" : NULL, r->now);
}

static void eap_method(struct run *r, uint8_t arg)
{
	if (r->link.self_method != PPP_METHOD_EAP)
		return;
	if (arg & 1)
		eap_answer(r, r->eap_peer_id, arg >> 2);
	else
		eap_accept(r, arg & 2);
}

static void step(struct run *r, struct reader *in)
{
	uint8_t what = reader_u8(in), arg = reader_u8(in);
	struct reader bytes;

	switch (what & 15) {
	case 0: /* a frame */
		bytes = reader_sub(in, arg);
		if (reader_ok(in))
			input(r, bytes.pos, reader_left(&bytes));
		break;
	case 1:
		tick(r, (msec)arg * 100);
		break;
	case 2:
		verdict(r, arg);
		break;
	case 3:
		ppp_link_secret(&r->link, secret, arg & 1 ? SECRET_LEN : 0, r->now);
		break;
	case 4:
		network(r, arg);
		break;
	case 5:
		ppp_link_close_ncp(&r->link, arg & 1 ? PPP_IPCP : PPP_IPV6CP, "test", r->now);
		break;
	case 6:
		if (arg == 6)
			ppp_link_close(&r->link, "test", r->now);
		break;
	case 7:
		bytes = reader_sub(in, arg & 15);
		if (reader_ok(in))
			answer_request(r, arg >> 4, bytes);
		break;
	case 8:
		answer_challenge(r, arg & 1);
		break;
	case 9:
		answer_response(r, arg);
		break;
	case 10: /* a request of LCP or IPV6CP */
		bytes = reader_sub(in, arg & 31);
		if (reader_ok(in))
			input_packet(r, arg & 32 ? PPP_IPV6CP : PPP_LCP, PPP_CONFIGURE_REQUEST, arg >> 6,
				bytes.pos, reader_left(&bytes));
		break;
	case 11: /* or of IPCP */
		bytes = reader_sub(in, arg & 31);
		if (reader_ok(in))
			input_packet(
				r, PPP_IPCP, PPP_CONFIGURE_REQUEST, arg >> 5, bytes.pos, reader_left(&bytes));
		break;
	case 12:
		pap(r, arg);
		break;
	case 13:
		eap(r, arg);
		break;
	default:
		eap_method(r, arg);
		break;
	}
}

/* METHODS: bits 0-1 the method that is demanded first, bit 2 all the others behind it; bit 3 which are given: all, or only the first; bit 4 IPv4, bit 5
 * as the side that asks, bit 6 demand_optional. */
static void configure(struct run *r, uint8_t flags, uint8_t methods)
{
	uint8_t first = 1 + (methods & 3);

	r->now_answers = flags & 16;
	r->network_at_once = flags & 32;
	r->asks4 = methods & 32;
	r->config = (struct ppp_config){.ops = &ops,
		.rng = &r->rng,
		.counters = &r->counters,
		.name = "fuzz",
		.demand_auth = flags & 1,
		.demand_optional = methods & 64,
		.demand = {first},
		.give = methods & 8 ? 0x1e : (uint8_t)(1 << first),
		.give_auth = flags & 2,
		.insist_auth = flags & 4,
		.prove_last = !(flags & 4), /* as concentrators do */
		.ipv6 = !(flags & 8),
		.ipv4 = methods & 16,
		.restart_ms = 3000,
		.max_configure = 10,
		.max_terminate = 2,
		.max_failure = 5,
		.echo_ms = flags & 64 ? 10000 : 0,
		.echo_failures = 3,
		.auth_ms = 30000};
	for (uint8_t i = 1; methods & 4 && i < PPP_METHODS - 1; i++)
		r->config.demand[i] = 1 + (first - 1 + i) % 4;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader in = reader_of(data, size);
	uint8_t flags = reader_u8(&in), methods = reader_u8(&in);
	struct run *r = calloc(1, sizeof(*r));

	check(r != NULL);
	rng_init_seed(&r->rng, 1);
	r->now = 1000;
	configure(r, flags, methods);
	check(ppp_link_open(&r->link, &r->config, flags & 128 ? 1500 : 1460, r->now) == 0);
	while (reader_left(&in))
		step(r, &in);
	if (!r->down) { /* it always ends, and soon */
		ppp_link_close(&r->link, "end", r->now);
		tick(r, 60000);
		check(r->down);
	}
	ppp_link_done(&r->link);
	free(r);
	return 0;
}
