/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EAP on a PPP link, RFC 3748 sections 3.2 and 4: what carries the packets, and knows nothing of methods.
 *
 * As the authenticator we repeat the request that the owner gave until a response with its Identifier comes; one response is with the owner at
 * a time, others are dropped. Success and Failure carry the Identifier of the last response. A response that repeats the last one after Success
 * gets Success again: both may be lost, and nobody repeats them.
 *
 * As the peer we never send anything by ourselves. A request that repeats the last one is answered with the last response, without asking anybody
 * (section 4.1). Success and Failure count only when they answer our last response. An NCP packet of the peer says that Success was lost (sections
 * 3.4 and 7.12): the owner then gets it from us, and decides as always.
 * In the network phase a peer may authenticate us anew, beginning with Identity; what is left of the first exchange by then is dropped.
 */
#include <stdlib.h>
#include <string.h>

#include "ppp/protocol.h"

enum { TYPE_IDENTITY = 1 };

/* The packet kept in *SLOT; false: no memory. */
static bool keep(struct ppp_eap_packet **slot, const uint8_t *packet, size_t len)
{
	if (!*slot)
		*slot = calloc(1, sizeof(**slot));
	if (!*slot)
		return false;
	memcpy((*slot)->bytes, packet, len);
	(*slot)->len = (uint16_t)len;
	return true;
}

static void drop(struct ppp_eap_packet **slot)
{
	if (*slot)
		explicit_bzero(*slot, sizeof(**slot));
	free(*slot);
	*slot = NULL;
}

void ppp_eap_free(struct ppp_auth *auth)
{
	drop(&auth->out.request);
	drop(&auth->in.packet);
}

static void send_kept(struct ppp_link *l, const struct ppp_eap_packet *packet)
{
	uint8_t frame[PPP_FRAME_MAX];
	struct writer w = writer_of(frame, sizeof(frame));

	writer_u16(&w, 0xff03);
	writer_u16(&w, PPP_EAP);
	writer_bytes(&w, packet->bytes, packet->len);
	ppp_link_send(l, frame, writer_len(&w));
}

static void send_result(struct ppp_link *l, uint8_t code, uint8_t id)
{
	uint8_t frame[8];
	struct writer w = writer_of(frame, sizeof(frame));

	ppp_packet_finish(&w, ppp_packet_begin(&w, PPP_EAP, code, id));
	ppp_link_send(l, frame, writer_len(&w));
}

/* What the owner wants sent: a whole packet of this code that fits. */
static bool is_sendable(const struct ppp_link *l, uint8_t code, const uint8_t *packet, size_t len)
{
	struct reader r = reader_of(packet, len);
	struct ppp_packet p;

	ppp_packet_read(&r, &p);
	return reader_ok(&r) && !reader_left(&r) && p.code == code && reader_left(&p.data) &&
	       len <= PPP_EAP_MAX && len <= l->peer_mru;
}

/* ---- we are the authenticator ---- */

/* An answer of the owner may be due from before LCP was negotiated again; then this waits for it. */
void ppp_eap_begin(struct ppp_link *l)
{
	l->auth->out.begin = l->verify_asked;
	if (l->verify_asked)
		return;
	l->verify_asked = true;
	l->config->ops->eap(l, true, NULL, 0);
}

void ppp_eap_request(struct ppp_link *l, msec now)
{
	struct ppp_auth *auth = l->auth;

	auth->out.tries++;
	auth->out.at = now + l->config->restart_ms;
	send_kept(l, auth->out.request);
}

static void take_request(struct ppp_link *l, const uint8_t *packet, size_t len, msec now)
{
	struct ppp_auth *auth = l->auth;

	if (!is_sendable(l, PPP_EAP_REQUEST, packet, len) || !keep(&auth->out.request, packet, len)) {
		ppp_link_fail(
			l, PPP_CAUSE_LOCAL, "EAP: there is no request that could be sent (%zu bytes)", len);
		return;
	}
	auth->out.id = packet[1];
	auth->out.live = true;
	auth->out.tries = 0;
	ppp_eap_request(l, now);
}

static void input_response(struct ppp_link *l, const struct ppp_packet *p, struct reader whole)
{
	struct ppp_auth *auth = l->auth;

	if (ppp_auth_peer_by(l, PPP_EAP) && l->peer_ok) {
		if (p->id == l->proven_id)
			send_result(l, PPP_EAP_SUCCESS, p->id);
		else
			l->config->counters->bad_id++;
		return;
	}
	if (!auth || !auth->out.request || !ppp_auth_peer_by(l, PPP_EAP) ||
		l->phase != PPP_PHASE_AUTHENTICATE) {
		l->config->counters->bad_phase++;
		return;
	}
	if (p->id != auth->out.id) {
		l->config->counters->bad_id++;
		return;
	}
	if (!auth->out.live) /* the owner has one */
		return;
	auth->out.live = false;
	auth->out.responded = true;
	auth->out.at = MSEC_NEVER;
	l->verify_asked = true;
	l->config->ops->eap(l, true, whole.pos, reader_left(&whole));
}

void ppp_eap_verdict(struct ppp_link *l, bool ok)
{
	if (l->auth->out.responded)
		send_result(l, ok ? PPP_EAP_SUCCESS : PPP_EAP_FAILURE, l->auth->out.id);
}

/* ---- we are the peer ---- */

static void give_to_owner(struct ppp_link *l, const uint8_t *packet, size_t len, msec now)
{
	l->auth->in.waiting = true;
	if (l->phase == PPP_PHASE_NETWORK)
		l->auth->in.at = now + l->config->auth_ms;
	l->config->ops->eap(l, false, packet, len);
}

/* Whether a request can be meant: until we are accepted any, then only what begins anew or goes on from there. */
static bool is_expected(const struct ppp_link *l, uint8_t type)
{
	return !l->self_ok || type == TYPE_IDENTITY || l->auth->in.at != MSEC_NEVER;
}

static void input_request(struct ppp_link *l, const struct ppp_packet *p, struct reader whole, msec now)
{
	struct ppp_auth *auth = ppp_link_auth(l);

	if (!auth)
		return;
	if (auth->in.packet && p->id == auth->in.id) {
		if (auth->in.answered)
			send_kept(l, auth->in.packet);
		return; /* otherwise it is held */
	}
	if (auth->in.waiting && p->id == auth->in.id)
		return;
	if (!is_expected(l, *p->data.pos)) {
		l->config->counters->bad_phase++;
		return;
	}
	if (reader_left(&whole) > PPP_EAP_MAX) {
		l->config->counters->bad_auth++;
		return;
	}
	drop(&auth->in.packet);
	auth->in.id = p->id;
	auth->in.answered = false;
	auth->in.held = l->config->prove_last && !l->peer_ok;
	if (auth->in.held)
		auth->in.held = keep(&auth->in.packet, whole.pos, reader_left(&whole));
	else
		give_to_owner(l, whole.pos, reader_left(&whole), now);
}

void ppp_eap_unhold(struct ppp_link *l, msec now)
{
	struct ppp_auth *auth = l->auth;
	struct ppp_eap_packet request = *auth->in.packet;

	auth->in.held = false;
	drop(&auth->in.packet);
	give_to_owner(l, request.bytes, request.len, now);
}

static void take_response(struct ppp_link *l, const uint8_t *packet, size_t len)
{
	struct ppp_auth *auth = l->auth;

	if (len >= PPP_HEADER && packet[1] != auth->in.id) /* the peer has gone on */
		return;
	if (!is_sendable(l, PPP_EAP_RESPONSE, packet, len) || !keep(&auth->in.packet, packet, len)) {
		ppp_link_fail(
			l, PPP_CAUSE_LOCAL, "EAP: there is no response that could be sent (%zu bytes)", len);
		return;
	}
	auth->in.waiting = false;
	auth->in.answered = true;
	send_kept(l, auth->in.packet);
}

/* Success or Failure, without the data that must not be there (section 4.2). */
static void input_result(struct ppp_link *l, const struct ppp_packet *p, msec now)
{
	struct ppp_auth *auth = l->auth;
	uint8_t packet[PPP_HEADER] = {p->code, p->id, 0, PPP_HEADER};

	if (!auth || !auth->in.answered || (l->self_ok && auth->in.at == MSEC_NEVER)) {
		l->config->counters->bad_phase++;
		return;
	}
	if (p->id != auth->in.id) {
		l->config->counters->bad_id++;
		return;
	}
	l->config->ops->eap(l, false, packet, sizeof(packet));
}

void ppp_eap_implied_success(struct ppp_link *l)
{
	struct ppp_auth *auth = l->auth;

	if (l->phase != PPP_PHASE_AUTHENTICATE || !ppp_auth_self_by(l, PPP_EAP) || l->self_ok || !auth ||
		!auth->in.answered)
		return;
	l->config->ops->eap(
		l, false, (const uint8_t[]){PPP_EAP_SUCCESS, auth->in.id, 0, PPP_HEADER}, PPP_HEADER);
}

/* The exchange in the network phase is over. */
void ppp_eap_forget(struct ppp_link *l)
{
	struct ppp_auth *auth = l->auth;

	auth->in.at = MSEC_NEVER;
	auth->in.waiting = auth->in.answered = false;
	drop(&auth->in.packet);
}

void ppp_link_eap_result(struct ppp_link *l, bool ok, const char *why, msec now)
{
	struct ppp_auth *auth = l->auth;

	if (l->down_told || !auth || !ppp_auth_self_by(l, PPP_EAP) ||
		!(auth->in.waiting || auth->in.answered) || (l->self_ok && auth->in.at == MSEC_NEVER))
		return;
	ppp_link_enter(l);
	if (!ok)
		ppp_link_fail(l, PPP_CAUSE_AUTH_SELF, "EAP: %s", why);
	else if (l->self_ok)
		ppp_eap_forget(l);
	else
		ppp_auth_accepted(l, now);
	ppp_link_leave(l, now);
}

/* ---- both ---- */

void ppp_link_eap(struct ppp_link *l, bool authenticator, const uint8_t *packet, size_t len, msec now)
{
	bool stale = l->verify_stale, live;

	if (l->down_told || (authenticator && !l->verify_asked))
		return;
	ppp_link_enter(l);
	live = l->auth && !l->failing;
	if (!authenticator) {
		if (live && ppp_auth_self_by(l, PPP_EAP) && l->auth->in.waiting)
			take_response(l, packet, len);
	} else {
		l->verify_asked = l->verify_stale = false;
		live = live && l->phase == PPP_PHASE_AUTHENTICATE && ppp_auth_peer_by(l, PPP_EAP);
		if (live && !stale)
			take_request(l, packet, len, now);
		else if (live && l->auth->out.begin)
			ppp_eap_begin(l);
	}
	ppp_link_leave(l, now);
}

void ppp_eap_input(struct ppp_link *l, struct reader packet, msec now)
{
	struct reader whole = packet;
	struct ppp_packet p;

	ppp_packet_read(&packet, &p);
	if (!reader_ok(&packet)) {
		l->config->counters->bad_frame++;
		return;
	}
	whole.end = packet.pos; /* without padding */
	if ((p.code == PPP_EAP_REQUEST || p.code == PPP_EAP_RESPONSE) && !reader_left(&p.data)) {
		l->config->counters->bad_auth++;
		return;
	}
	if (p.code == PPP_EAP_RESPONSE)
		input_response(l, &p, whole);
	else if (p.code < PPP_EAP_REQUEST || p.code > PPP_EAP_FAILURE)
		l->config->counters->bad_code++;
	else if (!ppp_auth_self_by(l, PPP_EAP) || l->phase > PPP_PHASE_NETWORK)
		l->config->counters->bad_phase++;
	else if (p.code == PPP_EAP_REQUEST)
		input_request(l, &p, whole, now);
	else
		input_result(l, &p, now);
}
