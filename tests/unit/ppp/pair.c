/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ppp/protocol.h"

static struct end *end_of(struct ppp_link *l)
{
	return container_of(l, struct end, link);
}

static void enqueue(struct pair *p, struct end *to, const uint8_t *frame, size_t len)
{
	size_t i = p->tail % PAIR_QUEUE;

	assert_true(p->tail - p->head < PAIR_QUEUE);
	p->queue[i].to = to;
	p->queue[i].at = p->now + 10;
	p->queue[i].len = len;
	memcpy(p->queue[i].bytes, frame, len);
	p->tail++;
}

static void send_frame(struct ppp_link *l, const uint8_t *frame, size_t len)
{
	struct end *e = end_of(l);
	struct pair *p = e->pair;
	struct end *to = p->loopback == (e == &p->sc) ? &p->sc : &p->si;
	struct sent *s = &e->sent[e->sent_count++ % PAIR_SENT];

	assert_true(len >= 8 && len <= PPP_FRAME_MAX);
	assert_int_equal(frame[0], 0xff);
	assert_int_equal(frame[1], 0x03);
	assert_int_equal(frame[6] << 8 | frame[7], len - 4);
	memcpy(s->bytes, frame, len);
	s->len = len;
	if (p->alone || rng_below(&p->rng, 100) < p->loss || (p->eat && p->eat(p, e, frame, len)))
		return;
	enqueue(p, to, frame, len);
	if (rng_below(&p->rng, 100) < p->twice)
		enqueue(p, to, frame, len);
}

static bool response_is_right(const struct ppp_claim *c, const char *secret, char message[128])
{
	uint8_t want[CHAP_MSCHAPV2_LEN];
	char success[MSCHAP_SUCCESS + 1];
	size_t len = strlen(secret);

	if (c->protocol == PPP_PAP)
		return c->response_len == len && !memcmp(c->response, secret, len);
	if (c->algorithm == CHAP_MD5)
		return ppp_chap_md5(c->id, secret, len, c->challenge, c->challenge_len, want) &&
		       !memcmp(want, c->response, CHAP_MD5_LEN);
	assert_true(mschap_v2_response(c->challenge, c->response, c->name, c->name_len, secret, len, want));
	assert_true(mschap_v2_success(
		c->challenge, c->response, c->name, c->name_len, secret, len, want, success));
	snprintf(message, 128, "%s M=welcome", success);
	return !memcmp(want, c->response + 24, MSCHAP_NT_RESPONSE);
}

static void check_claim(const struct ppp_claim *c)
{
	if (c->protocol == PPP_PAP) {
		assert_int_equal(c->challenge_len, 0);
		assert_int_equal(c->algorithm, 0);
		return;
	}
	assert_int_equal(c->protocol, PPP_CHAP);
	assert_true(c->challenge_len >= 16);
	if (c->algorithm == CHAP_MSCHAPV2) {
		assert_int_equal(c->challenge_len, 16);
		assert_int_equal(c->response_len, CHAP_MSCHAPV2_LEN);
	} else {
		assert_int_equal(c->algorithm, CHAP_MD5);
		assert_int_equal(c->response_len, CHAP_MD5_LEN);
	}
}

static void verify(struct ppp_link *l, const struct ppp_claim *claim)
{
	struct end *e = end_of(l);
	char message[128] = "welcome";

	e->verifies++;
	e->claim = *claim;
	check_claim(claim);
	e->claim_ok = e->accept_secret && claim->name_len == strlen(e->accept_name) &&
		      !memcmp(claim->name, e->accept_name, claim->name_len) &&
		      response_is_right(claim, e->accept_secret, message);
	if (!e->claim_ok)
		snprintf(message, sizeof(message), "%s",
			claim->algorithm == CHAP_MSCHAPV2
				? "E=691 R=0 C=000102030405060708090A0B0C0D0E0F V=3 M=wrong password"
				: "wrong password");
	if (!e->later)
		ppp_link_verified(l, e->claim_ok, message, e->pair->now);
}

/* ---- EAP ---- */

static void eap_send(struct end *e, bool authenticator, uint8_t id, uint8_t type, const char *text)
{
	uint8_t packet[64];
	struct writer w = writer_of(packet, sizeof(packet));

	writer_u8(&w, authenticator ? PPP_EAP_REQUEST : PPP_EAP_RESPONSE);
	writer_u8(&w, id);
	writer_u16(&w, (uint16_t)(5 + strlen(text)));
	writer_u8(&w, type);
	writer_bytes(&w, text, strlen(text));
	ppp_link_eap(&e->link, authenticator, packet, writer_len(&w), e->pair->now);
}

static bool eap_text_is(const uint8_t *packet, size_t len, const char *text)
{
	return text && len == 5 + strlen(text) && !memcmp(packet + 5, text, len - 5);
}

void end_eap_server(struct end *e, const uint8_t *packet, size_t len)
{
	if (!packet) {
		eap_send(e, true, e->eap_id, 1, "");
		return;
	}
	assert_int_equal(packet[1], e->eap_id); /* nothing else than what was asked for comes up */
	if (packet[4] == 1 && eap_text_is(packet, len, e->accept_name)) {
		eap_send(e, true, ++e->eap_id, 4, "prove it");
	} else {
		e->claim_ok = packet[4] == 4 && eap_text_is(packet, len, e->accept_secret);
		ppp_link_verified(&e->link, e->claim_ok, e->claim_ok ? "" : "wrong password", e->pair->now);
	}
}

static void eap_peer(struct end *e, const uint8_t *packet, size_t len)
{
	if (packet[0] >= PPP_EAP_SUCCESS) {
		e->eap_results++;
		assert_int_equal(len, 4);
		if (packet[0] == PPP_EAP_FAILURE)
			ppp_link_eap_result(&e->link, false, "peer says no", e->pair->now);
		else if (e->eap_answered)
			ppp_link_eap_result(&e->link, true, NULL, e->pair->now);
		return;
	}
	e->eap_requests++;
	assert_int_equal(packet[0], PPP_EAP_REQUEST);
	e->eap_answered = packet[4] == 4;
	if (e->eap_wrong)
		ppp_link_eap_result(&e->link, false, "no method fits", e->pair->now);
	else if (packet[4] == 1 || (packet[4] == 4 && e->own_secret))
		eap_send(e, false, packet[1], packet[4], packet[4] == 1 ? e->config.name : e->own_secret);
}

static void eap(struct ppp_link *l, bool authenticator, const uint8_t *packet, size_t len)
{
	struct end *e = end_of(l);

	if (!packet) {
		assert_true(authenticator);
		e->eap_begun++;
		e->eap_id = (uint8_t)(10 * e->eap_begun);
	} else {
		memcpy(e->eap_last, packet, len < sizeof(e->eap_last) ? len : sizeof(e->eap_last));
		assert_int_equal(packet[2] << 8 | packet[3], len);
		if (!authenticator) {
			eap_peer(e, packet, len);
			return;
		}
		e->eap_responses++;
		assert_int_equal(packet[0], PPP_EAP_RESPONSE);
	}
	if (!e->later)
		end_eap_server(e, packet, len);
}

static void want_secret(struct ppp_link *l, const char *peer_name)
{
	struct end *e = end_of(l);

	e->secrets++;
	snprintf(e->peer_name, sizeof(e->peer_name), "%s", peer_name);
	if (!e->later)
		ppp_link_secret(l, e->own_secret, e->own_secret ? strlen(e->own_secret) : 0, e->pair->now);
}

void end_network(struct end *e)
{
	struct ppp_network n = e->network;

	n.iid = e->iid;
	n.assign_iid = e->assign;
	ppp_link_network(&e->link, &n, e->pair->now);
}

static void authenticated(struct ppp_link *l)
{
	struct end *e = end_of(l);

	e->authenticated++;
	if (!e->no_network)
		end_network(e);
}

static void ncp_up(struct ppp_link *l, uint16_t protocol)
{
	struct end *e = end_of(l);

	assert_true(ppp_link_ncp_open(l, protocol));
	if (protocol == PPP_IPCP)
		e->ups4++;
	else
		e->ups++;
	assert_true(protocol == PPP_IPCP || protocol == PPP_IPV6CP);
}

static void ncp_down(struct ppp_link *l, uint16_t protocol, const char *why)
{
	struct end *e = end_of(l);

	assert_true(protocol == PPP_IPCP || protocol == PPP_IPV6CP);
	e->ipcp_unknown = l->ipcp_unknown;
	if (protocol == PPP_IPCP) {
		e->ncp_downs4++;
		snprintf(e->ncp_why4, sizeof(e->ncp_why4), "%s", why);
	} else {
		e->ncp_downs++;
		snprintf(e->ncp_why, sizeof(e->ncp_why), "%s", why);
	}
	if (e->close_on_down)
		ppp_link_close(l, "owner has seen enough", e->pair->now);
}

static void down(struct ppp_link *l, const struct ppp_why *why)
{
	struct end *e = end_of(l);

	e->downs++;
	e->why = *why;
	if (e->done_on_down) {
		ppp_link_done(l);
		memset(l, 0xa5, sizeof(*l));
		l->down_told = true;
	}
}

static void note(struct ppp_link *l, const char *text)
{
	struct end *e = end_of(l);

	e->notes++;
	snprintf(e->note, sizeof(e->note), "%s", text);
}

static const struct ppp_ops ops = {
	.send = send_frame,
	.verify = verify,
	.want_secret = want_secret,
	.eap = eap,
	.authenticated = authenticated,
	.ncp_up = ncp_up,
	.ncp_down = ncp_down,
	.down = down,
	.note = note,
};

static void end_init(struct pair *p, struct end *e, const char *name)
{
	e->pair = p;
	e->network.ipv6 = true;
	e->sent = calloc(PAIR_SENT, sizeof(*e->sent));
	assert_non_null(e->sent);
	e->config = (struct ppp_config){.ops = &ops,
		.rng = &p->rng,
		.counters = &e->counters,
		.name = name,
		.ipv6 = true,
		.restart_ms = 3000,
		.max_configure = 10,
		.max_terminate = 2,
		.max_failure = 5,
		.echo_failures = 3,
		.auth_ms = 30000};
}

void pair_init(struct pair *p, uint64_t seed)
{
	memset(p, 0, sizeof(*p));
	rng_init_seed(&p->rng, seed);
	p->now = 1000;
	end_init(p, &p->sc, "concentrator");
	end_init(p, &p->si, "alice");
	p->sc.config.demand_auth = true;
	p->sc.accept_name = "alice";
	p->sc.accept_secret = "secret";
	p->sc.iid = 1;
	p->si.config.give_auth = true;
	p->si.own_secret = "secret";
	p->si.iid = 0x0211223344556677;
}

void pair_ipv4(struct pair *p, bool only)
{
	p->sc.config.ipv4 = p->si.config.ipv4 = true;
	p->sc.config.ipv6 = p->si.config.ipv6 = !only;
	p->sc.network = (struct ppp_network){.ipv6 = !only,
		.ipv4 = true,
		.local4 = addr4(192, 0, 2, 1),
		.assign4 = addr4(198, 51, 100, 7),
		.dns4_count = 2,
		.dns4 = {addr4(192, 0, 2, 53), addr4(192, 0, 2, 54)}};
	p->si.network = (struct ppp_network){.ipv6 = !only, .ipv4 = true, .ask_dns4 = true};
}

void pair_open(struct pair *p)
{
	assert_int_equal(ppp_link_open(&p->sc.link, &p->sc.config, 1460, p->now), 0);
	if (!p->alone)
		assert_int_equal(ppp_link_open(&p->si.link, &p->si.config, 1460, p->now), 0);
}

static msec end_deadline(const struct end *e)
{
	return e->link.config ? ppp_link_deadline(&e->link) : MSEC_NEVER;
}

static void end_tick(struct end *e, msec now)
{
	if (end_deadline(e) > now)
		return;
	ppp_link_tick(&e->link, now);
	assert_true(end_deadline(e) > now); /* a deadline that stays due would spin */
}

void pair_run(struct pair *p, msec duration)
{
	msec end = p->now + duration;

	for (;;) {
		msec next = msec_min(end_deadline(&p->sc), end_deadline(&p->si));

		if (p->head != p->tail)
			next = msec_min(next, p->queue[p->head % PAIR_QUEUE].at);
		if (next > end)
			break;
		if (next > p->now)
			p->now = next;
		if (p->head != p->tail && p->queue[p->head % PAIR_QUEUE].at <= p->now) {
			size_t i = p->head++ % PAIR_QUEUE;

			if (p->queue[i].to->link.config)
				ppp_link_input(
					&p->queue[i].to->link, p->queue[i].bytes, p->queue[i].len, p->now);
			continue;
		}
		end_tick(&p->sc, p->now);
		end_tick(&p->si, p->now);
	}
	p->now = end;
}

void pair_done(struct pair *p)
{
	if (!p->sc.done_on_down || !p->sc.downs)
		ppp_link_done(&p->sc.link);
	if (!p->si.done_on_down || !p->si.downs)
		ppp_link_done(&p->si.link);
	free(p->sc.sent);
	free(p->si.sent);
}

static bool matches(const struct sent *s, uint16_t protocol, uint8_t code)
{
	return (!protocol || (s->bytes[2] << 8 | s->bytes[3]) == protocol) && (!code || s->bytes[4] == code);
}

const struct sent *end_last(const struct end *e, uint16_t protocol, uint8_t code)
{
	for (size_t i = e->sent_count; i-- > 0 && e->sent_count - i <= PAIR_SENT;) {
		if (matches(&e->sent[i % PAIR_SENT], protocol, code))
			return &e->sent[i % PAIR_SENT];
	}
	return NULL;
}

size_t end_count(const struct end *e, uint16_t protocol, uint8_t code)
{
	size_t n = 0;

	assert_true(e->sent_count <= PAIR_SENT);
	for (size_t i = 0; i < e->sent_count; i++)
		n += matches(&e->sent[i], protocol, code);
	return n;
}

void end_packet(struct end *e, uint16_t protocol, uint8_t code, uint8_t id, const void *data, size_t len)
{
	uint8_t frame[PPP_FRAME_MAX];
	struct writer w = writer_of(frame, sizeof(frame));
	size_t at = ppp_packet_begin(&w, protocol, code, id);

	writer_bytes(&w, data, len);
	ppp_packet_finish(&w, at);
	assert_true(writer_ok(&w));
	end_frame(e, frame, writer_len(&w));
}

/* From memory of exactly this size, so that a sanitizer sees the first byte too far. */
void end_frame(struct end *e, const void *frame, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	assert_non_null(copy);
	if (len)
		memcpy(copy, frame, len);
	ppp_link_input(&e->link, copy, len, e->pair->now);
	free(copy);
}

void end_ack(struct end *e, uint16_t protocol)
{
	const struct sent *s = end_last(e, protocol, PPP_CONFIGURE_REQUEST);

	assert_non_null(s);
	end_packet(e, protocol, PPP_CONFIGURE_ACK, s->bytes[5], s->bytes + 8, s->len - 8);
}

void end_lcp_open_by(struct end *e, enum ppp_method method)
{
	uint8_t options[32] = {1, 4, 0x05, 0xb4, 5, 6, 1, 2, 3, 4, 3};
	struct writer w = writer_of(options + 12, 3);

	if (method)
		ppp_auth_option_write(method, &w);
	options[11] = (uint8_t)(2 + writer_len(&w));
	end_packet(e, PPP_LCP, PPP_CONFIGURE_REQUEST, 77, options, method ? 12 + writer_len(&w) : 10);
	end_ack(e, PPP_LCP);
	assert_int_equal(e->link.lcp.state, PPP_OPENED);
}

void end_lcp_open(struct end *e, bool auth)
{
	end_lcp_open_by(e, auth ? PPP_METHOD_CHAP_MD5 : 0);
}

void assert_frame(const struct sent *s, const void *want, size_t len)
{
	assert_non_null(s);
	assert_int_equal(s->len, len);
	assert_memory_equal(s->bytes, want, len);
}
