/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole PPP link fed with frames, time and answers of its owner.
 *
 * First octet: the configuration. Then steps: one octet that says what, and its arguments. Some steps build
 * a good answer (an Ack of what was asked, a right CHAP response), because the states behind them are not
 * found by guessing.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/container.h"
#include "ppp/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SECRET_LEN = 6 };
static const char secret[] = "secret";

struct run {
	struct ppp_link link;
	struct ppp_config config;
	struct ppp_counters counters;
	struct rng rng;
	msec now;
	bool now_answers, network_at_once, ncp_is_up, ncp_asked, verified, success_got, down;
	unsigned verify_due;
	struct {
		uint8_t bytes[PPP_FRAME_MAX];
		size_t len;
	} request[2], challenge; /* last of LCP, IPV6CP and CHAP */
	uint8_t response_id;
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

static void on_send(struct ppp_link *l, const uint8_t *frame, size_t len)
{
	struct run *r = run_of(l);
	unsigned protocol = frame[2] << 8 | frame[3];

	check(!r->down && len >= 8 && len <= PPP_FRAME_MAX && frame[0] == 0xff && frame[1] == 3);
	check((size_t)(frame[6] << 8 | frame[7]) == len - 4);
	check(frame[4]);
	if (protocol == PPP_IPV6CP)
		check(l->lcp.state == PPP_OPENED && (!r->config.demand_auth || r->verified));
	if (protocol == PPP_CHAP && frame[4] == CHAP_RESPONSE) {
		check(l->self_method && r->config.give_auth);
		r->response_id = frame[5];
	}
	if (protocol == PPP_CHAP && frame[4] == CHAP_CHALLENGE) {
		memcpy(r->challenge.bytes, frame, len);
		r->challenge.len = len;
	}
	if (protocol != PPP_CHAP && frame[4] == PPP_CONFIGURE_REQUEST) {
		int i = protocol == PPP_IPV6CP;

		memcpy(r->request[i].bytes, frame, len);
		r->request[i].len = len;
	}
}

static void on_verify(struct ppp_link *l, const struct ppp_claim *claim)
{
	struct run *r = run_of(l);
	uint8_t md5[CHAP_MD5_LEN];
	bool ok = ppp_chap_md5(claim->id, secret, SECRET_LEN, claim->challenge, claim->challenge_len, md5) &&
		  !memcmp(md5, claim->response, CHAP_MD5_LEN);

	check(r->config.demand_auth && !r->verify_due);
	check(claim->challenge_len >= 16 && claim->response_len == CHAP_MD5_LEN);
	r->verify_due = 1;
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

static void network(struct run *r, uint64_t iid, uint64_t assign)
{
	if (r->link.phase == PPP_PHASE_NETWORK && !r->link.failing)
		r->ncp_asked = true;
	ppp_link_network(&r->link, &(struct ppp_network){.ipv6 = true, .iid = iid, .assign_iid = assign}, r->now);
}

static void on_authenticated(struct ppp_link *l)
{
	struct run *r = run_of(l);

	check(!r->ncp_is_up && (!r->config.demand_auth || r->verified) &&
		(!l->self_method || r->success_got));
	if (r->network_at_once)
		network(r, 1, 2);
}

static void on_ncp_up(struct ppp_link *l, uint16_t protocol)
{
	struct run *r = run_of(l);

	check(protocol == PPP_IPV6CP && !r->ncp_is_up && l->iid && l->iid != l->peer_iid);
	r->ncp_is_up = true;
	r->ncp_asked = false;
}

static void on_ncp_down(struct ppp_link *l, uint16_t protocol, const char *why)
{
	struct run *r = run_of(l);

	check((r->ncp_is_up || r->ncp_asked) && why && *why);
	r->ncp_is_up = r->ncp_asked = false;
}

static void on_down(struct ppp_link *l, const struct ppp_why *why)
{
	struct run *r = run_of(l);

	check(!r->down && !r->ncp_is_up && *why->text && memchr(why->text, 0, sizeof(why->text)));
	r->down = true;
}

static const struct ppp_ops ops = {
	.send = on_send,
	.verify = on_verify,
	.want_secret = on_want_secret,
	.authenticated = on_authenticated,
	.ncp_up = on_ncp_up,
	.ncp_down = on_ncp_down,
	.down = on_down,
};

static void input(struct run *r, const uint8_t *frame, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);
	struct reader f = reader_of(frame, len);

	check(exact != NULL);
	if (ppp_frame_read(&f) == PPP_CHAP && reader_u8(&f) == CHAP_SUCCESS)
		r->success_got = true;
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
	int i = what & 1;
	uint8_t code = (uint8_t)(PPP_CONFIGURE_ACK + (what >> 1) % 3);
	uint16_t protocol = i ? PPP_IPV6CP : PPP_LCP;
	size_t len = reader_left(&options);

	if (!r->request[i].len)
		return;
	if (len)
		input_packet(r, protocol, code, r->request[i].bytes[5], options.pos, len);
	else
		input_packet(r, protocol, code, r->request[i].bytes[5], r->request[i].bytes + 8,
			r->request[i].len - 8);
}

static void answer_challenge(struct run *r, bool right)
{
	uint8_t data[1 + CHAP_MD5_LEN + 1] = {CHAP_MD5_LEN};

	if (!r->challenge.len)
		return;
	check(ppp_chap_md5(r->challenge.bytes[5], secret, SECRET_LEN - !right, r->challenge.bytes + 9,
		r->challenge.bytes[8], data + 1));
	data[sizeof(data) - 1] = 'a';
	input_packet(r, PPP_CHAP, CHAP_RESPONSE, r->challenge.bytes[5], data, sizeof(data));
}

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

static void step(struct run *r, struct reader *in)
{
	uint8_t what = reader_u8(in), arg = reader_u8(in);
	struct reader bytes;

	switch (what % 11) {
	case 0: /* a frame */
		bytes = reader_sub(in, arg);
		if (reader_ok(in))
			input(r, bytes.pos, reader_left(&bytes));
		break;
	case 1:
		tick(r, (msec)arg * 100);
		break;
	case 2:
		if (r->verify_due) {
			r->verify_due = 0;
			r->verified = arg & 1;
			ppp_link_verified(&r->link, arg & 1, arg & 2 ? "message" : NULL, r->now);
		}
		break;
	case 3:
		ppp_link_secret(&r->link, secret, arg & 1 ? SECRET_LEN : 0, r->now);
		break;
	case 4:
		network(r, 1 + arg % 4, arg / 4 % 4);
		break;
	case 5:
		ppp_link_close_ncp(&r->link, PPP_IPV6CP, "test", r->now);
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
		input_packet(r, PPP_CHAP, arg & 1 ? CHAP_SUCCESS : CHAP_FAILURE, r->response_id, "m", 1);
		break;
	default: /* a request of LCP or IPV6CP */
		bytes = reader_sub(in, arg & 31);
		if (reader_ok(in))
			input_packet(r, arg & 32 ? PPP_IPV6CP : PPP_LCP, PPP_CONFIGURE_REQUEST, arg >> 6,
				bytes.pos, reader_left(&bytes));
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader in = reader_of(data, size);
	uint8_t flags = reader_u8(&in);
	struct run *r = calloc(1, sizeof(*r));

	check(r != NULL);
	rng_init_seed(&r->rng, 1);
	r->now = 1000;
	r->now_answers = flags & 16;
	r->network_at_once = flags & 32;
	r->config = (struct ppp_config){.ops = &ops,
		.rng = &r->rng,
		.counters = &r->counters,
		.name = "fuzz",
		.demand_auth = flags & 1,
		.give_auth = flags & 2,
		.insist_auth = flags & 4,
		.prove_last = !(flags & 4), /* as concentrators do */
		.ipv6 = !(flags & 8),
		.restart_ms = 3000,
		.max_configure = 10,
		.max_terminate = 2,
		.max_failure = 5,
		.echo_ms = flags & 64 ? 10000 : 0,
		.echo_failures = 3,
		.auth_ms = 30000};
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
