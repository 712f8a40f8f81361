/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state machines of RFC 2661 section 7.2 (control connection) and 7.4 (incoming call) for one tunnel with one session.
 *
 * What RFC 5571 narrows: the initiator (LAC) opens both, the concentrator (LNS) neither; there are no outgoing calls; a
 * second session is refused without harm to the first. A fault in a message of the session ends session and tunnel
 * together, because neither is of use without the other.
 *
 * Order of a message's fate: forged teardowns are dropped as if they had never come (their number is not taken, so the
 * peer's own message with it still counts); then it is acknowledged; then faults and improper sequence end the tunnel.
 */
#include "l2tp/machine.h"

#include <stdio.h>
#include <string.h>

#include "l2tp/avp.h"
#include "l2tp/message.h"

enum { VERSION_1_0 = 0x0100 };

#define SEEN(m, type) ((m)->seen & 1ull << (type))

static bool is_lac(const struct l2tp_tunnel *t)
{
	return t->config->end == L2TP_LAC;
}

/* ---- sending ---- */

static void send_scccn(struct l2tp_tunnel *t, const struct l2tp_text *response, msec now)
{
	uint8_t buf[L2TP_PACKET_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	message_write_scccn(&w, t->peer_tunnel, response);
	tunnel_queue(t, L2TP_SCCCN, &w, now);
}

static void send_icrq(struct l2tp_tunnel *t, msec now)
{
	uint8_t buf[L2TP_PACKET_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	message_write_icrq(&w, t->peer_tunnel, t->local_session, t->setup->call_serial);
	t->session_state = SESSION_WAIT_REPLY;
	tunnel_queue(t, L2TP_ICRQ, &w, now);
}

/* A CDN for a session that we never accepted: its Assigned Session ID names no session of ours. */
static void refuse_session(struct l2tp_tunnel *t, uint16_t peer_session, uint16_t result, uint16_t error,
	const char *text, msec now)
{
	uint8_t buf[L2TP_PACKET_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	uint16_t other = (uint16_t)(t->local_session + 1);

	t->config->counters->unexpected++;
	tunnel_note(t, "session refused: %s", text);
	message_write_cdn(&w, t->peer_tunnel, peer_session, other ? other : 1, result, error, text);
	tunnel_queue(t, L2TP_CDN, &w, now);
}

/* Our own half of SCCRQ and SCCRP. False: no response can be made. */
static bool make_hello(struct l2tp_tunnel *t, enum l2tp_message_type type, uint8_t response[AUTH_DIGEST],
	struct message_hello *ret)
{
	const struct l2tp_config *c = t->config;
	struct l2tp_setup *s = t->setup;
	struct l2tp_text secret = setup_secret(t), theirs = {s->peer_challenge, s->peer_challenge_len};

	*ret = (struct message_hello){
		.host_name = c->host_name,
		.vendor_name = c->vendor_name,
		.firmware = c->firmware,
		.window = c->window ? c->window : 1,
		.assigned_tunnel = t->local_tunnel,
		.framing_async = c->framing_async,
	};
	if (s->secret_len) {
		rng_bytes(c->rng, s->challenge, sizeof(s->challenge));
		s->challenged = true;
		ret->challenge = (struct l2tp_text){s->challenge, sizeof(s->challenge)};
	}
	if (!s->peer_challenge_len)
		return true;
	ret->response = (struct l2tp_text){response, AUTH_DIGEST};
	return auth_response(response, (uint8_t)type, &secret, &theirs);
}

static void refuse_peer(struct l2tp_tunnel *t, const char *text, msec now)
{
	t->config->counters->bad_auth++;
	tunnel_end(t, L2TP_CAUSE_AUTH, L2TP_STOP_UNAUTHORIZED, 0, text, now);
}

void machine_start(struct l2tp_tunnel *t, msec now)
{
	uint8_t buf[L2TP_PACKET_MAX], response[AUTH_DIGEST];
	struct writer w = writer_of(buf, sizeof(buf));
	enum l2tp_message_type type = is_lac(t) ? L2TP_SCCRQ : L2TP_SCCRP;
	struct message_hello m;

	if (!t->setup->secret_len && t->config->require_secret) {
		refuse_peer(t, "no tunnel secret is shared with this peer", now);
		return;
	}
	if (!t->setup->secret_len && t->setup->peer_challenge_len) {
		refuse_peer(t, "peer asks for tunnel authentication, but no secret is shared", now);
		return;
	}
	if (!make_hello(t, type, response, &m)) {
		tunnel_end(t, L2TP_CAUSE_RESOURCES, L2TP_STOP_ERROR, L2TP_ERROR_RESOURCES,
			"MD5 is not available", now);
		return;
	}
	if (type == L2TP_SCCRQ)
		message_write_sccrq(&w, &m);
	else
		message_write_sccrp(&w, t->peer_tunnel, &m);
	t->state = type == L2TP_SCCRQ ? TUNNEL_WAIT_REPLY : TUNNEL_WAIT_CONN;
	tunnel_queue(t, type, &w, now);
}

/* ---- control connection ---- */

bool machine_check_version(const struct l2tp_message *m, struct l2tp_fault *ret)
{
	if (m->protocol_version == VERSION_1_0)
		return true;
	*ret = (struct l2tp_fault){.result = L2TP_STOP_VERSION, .error = VERSION_1_0};
	snprintf(ret->text, sizeof(ret->text), "L2TP protocol version %u.%u is not supported",
		m->protocol_version >> 8, m->protocol_version & 0xff);
	return false;
}

static void improper(struct l2tp_tunnel *t, const struct l2tp_message *m, msec now)
{
	char text[L2TP_MESSAGE_MAX];

	t->config->counters->unexpected++;
	snprintf(text, sizeof(text), "%s in state %s", l2tp_message_name(m->type), l2tp_tunnel_state(t));
	tunnel_end(t, L2TP_CAUSE_PROTOCOL, L2TP_STOP_FSM, 0, text, now);
}

/* Did the peer answer our challenge, if we sent one? */
static bool peer_is_authentic(struct l2tp_tunnel *t, const struct l2tp_message *m, msec now)
{
	struct l2tp_text secret = setup_secret(t), ours = {t->setup->challenge, AUTH_CHALLENGE};
	char text[L2TP_MESSAGE_MAX];

	if (!t->setup->challenged)
		return true;
	if (!SEEN(m, AVP_CHALLENGE_RESPONSE)) {
		snprintf(text, sizeof(text), "tunnel authentication: %s lacks a Challenge Response",
			l2tp_message_name(m->type));
		refuse_peer(t, text, now);
		return false;
	}
	if (!auth_verify(m->challenge_response, (uint8_t)m->type, &secret, &ours)) {
		refuse_peer(t, "tunnel authentication: the Challenge Response is wrong", now);
		return false;
	}
	return true;
}

static void receive_sccrp(struct l2tp_tunnel *t, const struct l2tp_message *m, msec now)
{
	struct l2tp_text secret = setup_secret(t), reply = {0};
	uint8_t response[AUTH_DIGEST];
	struct l2tp_fault bad;

	if (t->state != TUNNEL_WAIT_REPLY) {
		improper(t, m, now);
		return;
	}
	t->peer_tunnel = m->assigned_tunnel;
	channel_set_peer_window(t, m->window);
	tunnel_note_vendor(t, m);
	if (!machine_check_version(m, &bad)) {
		tunnel_end(t, L2TP_CAUSE_PROTOCOL, bad.result, bad.error, bad.text, now);
		return;
	}
	if (!peer_is_authentic(t, m, now))
		return;
	if (SEEN(m, AVP_CHALLENGE) && !secret.len) {
		refuse_peer(t, "peer asks for tunnel authentication, but no secret is shared", now);
		return;
	}
	if (SEEN(m, AVP_CHALLENGE)) {
		if (!auth_response(response, L2TP_SCCCN, &secret, &m->challenge)) {
			tunnel_end(t, L2TP_CAUSE_RESOURCES, L2TP_STOP_ERROR, L2TP_ERROR_RESOURCES,
				"MD5 is not available", now);
			return;
		}
		reply = (struct l2tp_text){response, AUTH_DIGEST};
	}
	t->state = TUNNEL_ESTABLISHED;
	send_scccn(t, &reply, now);
	if (t->state == TUNNEL_ESTABLISHED)
		send_icrq(t, now);
}

static void receive_scccn(struct l2tp_tunnel *t, const struct l2tp_message *m, msec now)
{
	if (t->state != TUNNEL_WAIT_CONN)
		improper(t, m, now);
	else if (peer_is_authentic(t, m, now))
		t->state = TUNNEL_ESTABLISHED;
}

static void append(struct l2tp_why *why, const struct l2tp_text *message)
{
	size_t len = strlen(why->text);

	if (!message->len)
		return;
	l2tp_text_print(message, why->said, sizeof(why->said));
	snprintf(why->text + len, sizeof(why->text) - len, ": %s", why->said);
}

static void receive_stopccn(struct l2tp_tunnel *t, const struct l2tp_message *m, msec now)
{
	struct l2tp_why why = {.cause = L2TP_CAUSE_PEER, .result = m->result, .error = m->error};

	if (!t->peer_tunnel)
		t->peer_tunnel = m->assigned_tunnel; /* for the acknowledgement */
	if (m->result == L2TP_STOP_ERROR)
		snprintf(why.text, sizeof(why.text), "peer: StopCCN result %u (%s), error %u (%s)", m->result,
			l2tp_stop_result_name(m->result), m->error, l2tp_error_name(m->error));
	else
		snprintf(why.text, sizeof(why.text), "peer: StopCCN result %u (%s)", m->result,
			l2tp_stop_result_name(m->result));
	append(&why, &m->error_message);
	tunnel_stopped(t, &why, now);
}

/* ---- session ---- */

static bool session_is_ours(const struct l2tp_tunnel *t, uint16_t session_id)
{
	return t->session_state != SESSION_IDLE && session_id == t->local_session;
}

/* A message for a session that is not there (section 7.4: "clean up"). */
static void no_session(struct l2tp_tunnel *t, const struct l2tp_message *m, uint16_t session_id)
{
	t->config->counters->unexpected++;
	tunnel_note(t, "%s for session %u ignored: there is none", l2tp_message_name(m->type), session_id);
}

static void receive_icrq(struct l2tp_tunnel *t, const struct l2tp_message *m, msec now)
{
	uint8_t buf[L2TP_PACKET_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	if (is_lac(t)) {
		refuse_session(t, m->assigned_session, L2TP_CDN_RESOURCES_PERMANENT, 0,
			"only the initiator opens a session (RFC 5571)", now);
		return;
	}
	if (t->session_state != SESSION_IDLE) {
		refuse_session(t, m->assigned_session, L2TP_CDN_RESOURCES_PERMANENT, 0,
			"one session per tunnel (RFC 5571)", now);
		return;
	}
	t->peer_session = m->assigned_session;
	t->session_state = SESSION_WAIT_CONNECT;
	message_write_icrp(&w, t->peer_tunnel, t->peer_session, t->local_session);
	tunnel_queue(t, L2TP_ICRP, &w, now);
}

/* Both ends: tunnel and session are up. */
static void establish(struct l2tp_tunnel *t, msec now)
{
	t->session_state = SESSION_ESTABLISHED;
	t->limit_at = MSEC_NEVER;
	setup_free(t);
	channel_flush(t, now); /* ICCN or its acknowledgement goes before the first PPP frame */
	t->config->ops->established(t);
}

static void receive_icrp(struct l2tp_tunnel *t, uint16_t session_id, const struct l2tp_message *m, msec now)
{
	uint8_t buf[L2TP_PACKET_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	if (!session_is_ours(t, session_id)) {
		no_session(t, m, session_id);
		return;
	}
	if (t->session_state != SESSION_WAIT_REPLY) {
		improper(t, m, now);
		return;
	}
	t->peer_session = m->assigned_session;
	message_write_iccn(&w, t->peer_tunnel, t->peer_session);
	tunnel_queue(t, L2TP_ICCN, &w, now);
	if (t->state == TUNNEL_ESTABLISHED)
		establish(t, now);
}

static void receive_iccn(struct l2tp_tunnel *t, uint16_t session_id, const struct l2tp_message *m, msec now)
{
	if (!session_is_ours(t, session_id))
		no_session(t, m, session_id);
	else if (t->session_state != SESSION_WAIT_CONNECT)
		improper(t, m, now);
	else
		establish(t, now);
}

/* A peer that has not yet heard our session id names the session by its own alone (section 4.4.4). */
static bool cdn_is_ours(const struct l2tp_tunnel *t, uint16_t session_id, const struct l2tp_message *m)
{
	if (session_is_ours(t, session_id))
		return true;
	return t->session_state != SESSION_IDLE && !session_id && t->peer_session &&
	       m->assigned_session == t->peer_session;
}

/* The owner thinks in StopCCN's codes. */
static uint16_t stop_of_cdn(const struct l2tp_message *m, uint16_t *ret_error)
{
	switch (m->result) {
	case L2TP_CDN_ERROR:
		*ret_error = m->error;
		return L2TP_STOP_ERROR;
	case L2TP_CDN_RESOURCES_TEMPORARY:
	case L2TP_CDN_RESOURCES_PERMANENT:
		*ret_error = L2TP_ERROR_RESOURCES;
		return L2TP_STOP_ERROR;
	default:
		*ret_error = L2TP_ERROR_NONE;
		return L2TP_STOP_CLEAR;
	}
}

static void receive_cdn(struct l2tp_tunnel *t, uint16_t session_id, const struct l2tp_message *m, msec now)
{
	struct l2tp_why why = {.cause = L2TP_CAUSE_PEER};

	if (!cdn_is_ours(t, session_id, m)) {
		no_session(t, m, session_id);
		return;
	}
	why.result = stop_of_cdn(m, &why.error);
	if (m->result == L2TP_CDN_ERROR)
		snprintf(why.text, sizeof(why.text), "peer: CDN result %u (%s), error %u (%s)", m->result,
			l2tp_cdn_result_name(m->result), m->error, l2tp_error_name(m->error));
	else
		snprintf(why.text, sizeof(why.text), "peer: CDN result %u (%s)", m->result,
			l2tp_cdn_result_name(m->result));
	append(&why, &m->error_message);
	tunnel_disconnected(t, &why, now);
}

static void receive_for_session(
	struct l2tp_tunnel *t, uint16_t session_id, const struct l2tp_message *m, msec now)
{
	if (t->state != TUNNEL_ESTABLISHED) {
		improper(t, m, now);
		return;
	}
	switch (m->type) {
	case L2TP_ICRQ:
		receive_icrq(t, m, now);
		break;
	case L2TP_ICRP:
		receive_icrp(t, session_id, m, now);
		break;
	case L2TP_ICCN:
		receive_iccn(t, session_id, m, now);
		break;
	case L2TP_CDN:
		receive_cdn(t, session_id, m, now);
		break;
	case L2TP_OCRQ:
		refuse_session(t, m->assigned_session, L2TP_CDN_RESOURCES_PERMANENT, 0,
			"no outgoing calls (RFC 5571)", now);
		break;
	case L2TP_OCRP:
	case L2TP_OCCN:
		no_session(t, m, session_id);
		break;
	default: /* WEN and SLI are about a physical line */
		break;
	}
}

/* ---- any message ---- */

static void receive(struct l2tp_tunnel *t, uint16_t session_id, const struct l2tp_message *m, msec now)
{
	switch (m->type) {
	case L2TP_SCCRQ:
		improper(t, m, now);
		break;
	case L2TP_SCCRP:
		receive_sccrp(t, m, now);
		break;
	case L2TP_SCCCN:
		receive_scccn(t, m, now);
		break;
	case L2TP_STOPCCN:
		receive_stopccn(t, m, now);
		break;
	case L2TP_HELLO:
		t->config->counters->hello_rx++;
		break;
	default:
		receive_for_session(t, session_id, m, now);
		break;
	}
}

/* Section 4.2: a fault in a session's message ends the session, one in a tunnel's message the tunnel. */
static void receive_faulty(struct l2tp_tunnel *t, uint16_t session_id, const struct l2tp_message *m,
	const struct l2tp_fault *f, msec now)
{
	bool request = m->type == L2TP_ICRQ || m->type == L2TP_OCRQ;

	t->config->counters->bad_avp++;
	if (m->type == L2TP_SCCRP && t->state == TUNNEL_WAIT_REPLY)
		t->peer_tunnel = m->assigned_tunnel; /* so that the StopCCN finds it */
	if (request && t->state == TUNNEL_ESTABLISHED)
		refuse_session(t, m->assigned_session, L2TP_CDN_ERROR, f->error, f->text, now);
	else if (m->type > L2TP_HELLO && t->state == TUNNEL_ESTABLISHED && !session_is_ours(t, session_id))
		no_session(t, m, session_id);
	else
		tunnel_end(t, L2TP_CAUSE_PROTOCOL, f->result, f->error, f->text, now);
}

static void receive_unknown(struct l2tp_tunnel *t, const struct l2tp_message *m, msec now)
{
	char text[L2TP_MESSAGE_MAX];

	t->config->counters->bad_message++;
	snprintf(text, sizeof(text), "unknown message type %u", (unsigned)m->type);
	if (m->type_mandatory)
		tunnel_end(t, L2TP_CAUSE_PROTOCOL, L2TP_STOP_ERROR, L2TP_ERROR_VALUE, text, now);
	else
		tunnel_note(t, "%s ignored", text);
}

/* A teardown must name the peer's own id, which somebody off the path does not know (section 4.4.3). */
static bool is_forged(const struct l2tp_tunnel *t, uint16_t session_id, const struct l2tp_message *m)
{
	if (m->type == L2TP_STOPCCN)
		return t->peer_tunnel && m->assigned_tunnel != t->peer_tunnel;
	if (m->type == L2TP_CDN)
		return session_is_ours(t, session_id) && t->peer_session &&
		       m->assigned_session != t->peer_session;
	return false;
}

bool machine_input(struct l2tp_tunnel *t, uint16_t session_id, struct reader body, msec now)
{
	uint8_t scratch[L2TP_PACKET_MAX];
	struct l2tp_text secret = setup_secret(t);
	struct l2tp_message m;
	struct l2tp_fault f;
	int err = l2tp_message_read(body, &secret, scratch, &m, &f);

	if (is_forged(t, session_id, &m)) {
		t->config->counters->bad_message++;
		tunnel_note(t, "%s dropped: it does not name the peer's id", l2tp_message_name(m.type));
		return false;
	}
	channel_accept(t);
	if (err && m.type != L2TP_STOPCCN && m.type != L2TP_CDN) {
		if (!tunnel_is_closing(t))
			receive_faulty(t, session_id, &m, &f, now);
	} else if (m.type == L2TP_STOPCCN) {
		receive_stopccn(t, &m, now); /* however badly it is put */
	} else if (tunnel_is_closing(t)) {
		t->config->counters->unexpected++;
		if (is_lac(t) && m.type == L2TP_SCCRP && !t->peer_tunnel) /* our StopCCN may not have found its tunnel */
			channel_readdress(t, m.assigned_tunnel);
	} else if (!message_is_known((uint16_t)m.type)) {
		receive_unknown(t, &m, now);
	} else {
		receive(t, session_id, &m, now);
	}
	explicit_bzero(scratch, sizeof(scratch));
	return true;
}
