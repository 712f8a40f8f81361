/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Password Authentication Protocol, RFC 1334 section 2, in either direction. The password goes over the link as it is: only
 * for peers that know nothing better, and networks that are protected otherwise.
 *
 * The peer repeats its request, each time with another Identifier, until Ack or Nak comes. The authenticator gives the first one to ops->verify();
 * what comes while that runs is the same one again, and the answer goes to the newest Identifier. After an Ack each further request gets the Ack
 * again, whatever it says (section 2.2.1: "the same reply Code").
 */
#include <string.h>

#include "ppp/protocol.h"

/* An Authenticate-Ack or -Nak; peers expect the length of the message even where there is none. */
static void send_reply(struct ppp_link *l, uint8_t code, uint8_t id, const char *message)
{
	uint8_t frame[PPP_FRAME_MAX];
	struct writer w = writer_of(frame, sizeof(frame));
	size_t at = ppp_packet_begin(&w, PPP_PAP, code, id), len = strnlen(message, CHAP_NAME_MAX);

	writer_u8(&w, (uint8_t)len);
	writer_bytes(&w, message, len);
	ppp_packet_finish(&w, at);
	ppp_link_send(l, frame, writer_len(&w));
}

/* ---- we are the authenticator ---- */

static void input_request(struct ppp_link *l, struct ppp_packet *p)
{
	struct reader name = reader_sub(&p->data, reader_u8(&p->data));
	struct reader password = reader_sub(&p->data, reader_u8(&p->data));

	if (!reader_ok(&p->data)) {
		l->config->counters->bad_auth++;
		return;
	}
	if (!ppp_auth_peer_by(l, PPP_PAP) || l->phase < PPP_PHASE_AUTHENTICATE ||
		l->phase > PPP_PHASE_NETWORK) {
		l->config->counters->bad_phase++;
		return;
	}
	if (l->peer_ok) {
		send_reply(l, PAP_ACK, p->id, "");
		return;
	}
	if (!l->auth)
		return;
	l->auth->out.id = p->id;
	if (l->verify_asked)
		return;
	ppp_auth_verify(l, &(struct ppp_claim){.protocol = PPP_PAP,
				   .id = p->id,
				   .name = name.pos,
				   .name_len = reader_left(&name),
				   .response = password.pos,
				   .response_len = reader_left(&password)});
}

void ppp_pap_verdict(struct ppp_link *l, bool ok, const char *message)
{
	send_reply(l, ok ? PAP_ACK : PAP_NAK, l->auth->out.id, message);
}

/* ---- we are the peer ---- */

void ppp_pap_request(struct ppp_link *l, msec now)
{
	struct ppp_auth *auth = l->auth;
	size_t name_len = strnlen(l->config->name, CHAP_NAME_MAX), at;
	uint8_t frame[PPP_FRAME_MAX];
	struct writer w = writer_of(frame, sizeof(frame));

	auth->in.id++;
	auth->in.tries++;
	auth->in.at = now + l->config->restart_ms;
	auth->in.answered = true;
	at = ppp_packet_begin(&w, PPP_PAP, PAP_REQUEST, auth->in.id);
	writer_u8(&w, (uint8_t)name_len);
	writer_bytes(&w, l->config->name, name_len);
	writer_u8(&w, auth->in.value_len);
	writer_bytes(&w, auth->in.value, auth->in.value_len);
	ppp_packet_finish(&w, at);
	ppp_link_send(l, frame, writer_len(&w));
	explicit_bzero(frame, sizeof(frame));
}

void ppp_pap_secret(struct ppp_link *l, const void *secret, size_t len, msec now)
{
	struct ppp_auth *auth = l->auth;

	if (len > sizeof(auth->in.value)) {
		ppp_link_fail(l, PPP_CAUSE_AUTH_SELF, "PAP: our password is too long");
		return;
	}
	memcpy(auth->in.value, secret, len);
	auth->in.value_len = (uint8_t)len;
	auth->in.id = l->lcp.next_id++;
	auth->in.tries = 0;
	ppp_pap_request(l, now);
}

/* The reply to any of our requests will do: they are all the same. The message must not matter (section 2.2.2), so neither does its length. */
static void input_reply(struct ppp_link *l, struct ppp_packet *p, msec now)
{
	struct ppp_auth *auth = l->auth;
	struct reader message;
	char text[80];

	if (!auth || !auth->in.answered || !ppp_auth_self_by(l, PPP_PAP)) {
		l->config->counters->bad_phase++;
		return;
	}
	if ((uint8_t)(auth->in.id - p->id) >= auth->in.tries) {
		l->config->counters->bad_id++;
		return;
	}
	auth->in.answered = false;
	explicit_bzero(auth->in.value, sizeof(auth->in.value));
	if (p->code == PAP_ACK) {
		ppp_auth_accepted(l, now);
		return;
	}
	if (reader_left(&p->data))
		reader_skip(&p->data, 1);
	message = reader_rest(&p->data);
	ppp_printable(message, text, sizeof(text));
	ppp_link_fail(l, PPP_CAUSE_AUTH_SELF, "PAP: peer says: %s", *text ? text : "(nothing)");
}

void ppp_pap_input(struct ppp_link *l, struct reader packet, msec now)
{
	struct ppp_packet p;

	ppp_packet_read(&packet, &p);
	if (!reader_ok(&packet))
		l->config->counters->bad_frame++;
	else if (p.code == PAP_REQUEST)
		input_request(l, &p);
	else if (p.code == PAP_ACK || p.code == PAP_NAK)
		input_reply(l, &p, now);
	else
		l->config->counters->bad_code++;
}
