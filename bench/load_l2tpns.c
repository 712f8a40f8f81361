/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * load_l2tpns: sessions for l2tpns, the peer of the hub benchmarks: a LAC that is as quick as load.c, and the RADIUS server that l2tpns
 * needs for every user.
 *
 * l2tpns has at most 498 tunnels, so sessions share --tunnels of them, one set-up at a time in each (stop and wait: at most one
 * control message is unacknowledged). The tunnels are opened before the clock runs; a set-up lasts from ICRQ until IPCP is open in both directions, all that l2tpns
 * does: LCP, CHAP-MD5, IPCP. Everything is retransmitted after a second. The RADIUS server accepts every
 * request at once; l2tpns gives the address from its own pool.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "l2tp/auth.h"
#include "l2tp/message.h"
#include "port.h"
#include "ppp/packet.h"
#include "tally.h"

enum { RADIUS_PORT = 1812, RETRANSMIT_MS = 1000, TRIES = 20 };
enum { RADIUS_REQUEST = 1, RADIUS_ACCEPT = 2, RADIUS_HEADER = 20 };

static const struct l2tp_text secret = {(const uint8_t *)"secret", 6}, none;

enum phase { PHASE_LOST, PHASE_NONE, PHASE_TUNNEL, PHASE_CALL, PHASE_LCP, PHASE_AUTH, PHASE_IPCP };

struct lac;

/* A control connection and the session that is being set up in it; the established ones need no memory here. */
struct tunnel {
	struct lac *lac;
	struct port *port;
	struct tunnel *next;                         /* in the list of those that wait for their turn */
	struct wheel_timer control_timer, ppp_timer; /* armed while an answer is due */
	uint16_t peer, ns, nr;                       /* ns: next to send */
	unsigned index, sessions;
	/* the unacknowledged control message */
	uint16_t message_len;
	uint8_t message[L2TP_PACKET_MAX];
	/* the session under way */
	enum phase phase;
	uint64_t began;
	uint16_t session, peer_session;
	uint8_t address[4];
	uint8_t tries;
	bool ipcp_ours, ipcp_theirs;
	bool up; /* the tunnel */
};

struct lac {
	struct options options;
	struct tally tally;
	struct loop loop;
	struct loop_flush start;
	struct port *ports, radius;
	struct tunnel *tunnels, *idle, **idle_end;
	uint16_t *peer_session; /* of each session: [tunnel * room + session - 1] */
	unsigned room;          /* sessions per tunnel */
	unsigned tunnels_up;    /* sessions begin when all are */
	uint64_t requests, retransmits;
};

/* ---- control channel ---- */

static void transmit(struct tunnel *t, const void *data, size_t len)
{
	port_send(t->port, &t->lac->options.server, data, len);
}

static void arm(struct tunnel *t, struct wheel_timer *timer)
{
	wheel_arm(&t->lac->loop.wheel, timer, loop_now(&t->lac->loop) + RETRANSMIT_MS);
}

static void disarm(struct tunnel *t, struct wheel_timer *timer)
{
	wheel_disarm(&t->lac->loop.wheel, timer);
	t->tries = 0;
}

static void send_message(struct tunnel *t)
{
	struct writer w = writer_of(t->message, sizeof(t->message));

	w.pos += t->message_len;
	writer_patch16(&w, MESSAGE_NR_AT, t->nr);
	transmit(t, t->message, t->message_len);
	arm(t, &t->control_timer);
}

/* W holds a message that message_write_...() has made in t->message. */
static void queue_message(struct tunnel *t, struct writer *w)
{
	writer_patch16(w, MESSAGE_NS_AT, t->ns++);
	t->message_len = (uint16_t)writer_len(w);
	t->tries = 0;
	send_message(t);
}

static void send_ack(struct tunnel *t)
{
	uint8_t buf[32];
	struct writer w = writer_of(buf, sizeof(buf));

	message_write_zlb(&w, t->peer, t->ns, t->nr);
	transmit(t, buf, writer_len(&w));
}

static void open_tunnel(struct tunnel *t)
{
	struct writer w = writer_of(t->message, sizeof(t->message));
	struct message_hello hello = {.host_name = "lac",
		.window = 8,
		.assigned_tunnel = (uint16_t)(t->index + 1),
		.framing_async = true};

	t->phase = PHASE_TUNNEL;
	message_write_sccrq(&w, &hello);
	queue_message(t, &w);
}

static void open_session(struct tunnel *t)
{
	struct writer w = writer_of(t->message, sizeof(t->message));

	t->phase = PHASE_CALL;
	message_write_icrq(&w, t->peer, t->session, t->lac->tally.begun);
	queue_message(t, &w);
}

/* ---- PPP ---- */

static struct writer ppp_begin(const struct tunnel *t, uint8_t buf[PPP_FRAME_MAX], uint16_t peer_session)
{
	const struct l2tp_header h = {.tunnel_id = t->peer, .session_id = peer_session};
	struct writer w = writer_of(buf, PPP_FRAME_MAX);

	l2tp_header_begin(&w, &h);
	return w;
}

static void ppp_send(struct tunnel *t, uint16_t peer_session, uint16_t protocol, uint8_t code, uint8_t id,
	const void *data, size_t len)
{
	uint8_t buf[PPP_FRAME_MAX];
	struct writer w = ppp_begin(t, buf, peer_session);
	size_t at = ppp_packet_begin(&w, protocol, code, id);

	writer_bytes(&w, data, len);
	ppp_packet_finish(&w, at);
	transmit(t, buf, writer_len(&w));
}

static void send_lcp_request(struct tunnel *t)
{
	uint8_t magic[6] = {LCP_MAGIC, 6, 1, 2, (uint8_t)t->session, (uint8_t)t->index};

	ppp_send(t, t->peer_session, PPP_LCP, PPP_CONFIGURE_REQUEST, 1, magic, sizeof(magic));
	arm(t, &t->ppp_timer);
}

static void send_ipcp_request(struct tunnel *t)
{
	uint8_t address[6] = {IPCP_ADDRESS, 6, t->address[0], t->address[1], t->address[2], t->address[3]};

	ppp_send(t, t->peer_session, PPP_IPCP, PPP_CONFIGURE_REQUEST, t->address[0] ? 2 : 1, address,
		sizeof(address));
	arm(t, &t->ppp_timer);
}

/* An answer is a second late. False: it was asked for often enough, and the tunnel is not used any more. */
static bool try_again(struct tunnel *t)
{
	t->lac->retransmits++;
	if (++t->tries <= TRIES)
		return true;
	wheel_disarm(&t->lac->loop.wheel, &t->control_timer);
	wheel_disarm(&t->lac->loop.wheel, &t->ppp_timer);
	if (t->phase > PHASE_TUNNEL)
		tally_failed(&t->lac->tally);
	t->phase = PHASE_LOST;
	return false;
}

static void control_late(struct wheel_timer *timer, msec now)
{
	struct tunnel *t = container_of(timer, struct tunnel, control_timer);

	if (try_again(t))
		send_message(t);
}

static void ppp_late(struct wheel_timer *timer, msec now)
{
	struct tunnel *t = container_of(timer, struct tunnel, ppp_timer);

	if (!try_again(t))
		return;
	if (t->phase == PHASE_LCP)
		send_lcp_request(t);
	else if (t->phase == PHASE_IPCP)
		send_ipcp_request(t);
}

/* The tunnel takes its next session when the one before is done and nothing waits for an acknowledgement. */
static void wait_turn(struct tunnel *t)
{
	struct lac *lac = t->lac;

	if (t->phase != PHASE_NONE || t->message_len || t->sessions == lac->room)
		return;
	t->next = NULL;
	*lac->idle_end = t;
	lac->idle_end = &t->next;
}

static void ipcp_step(struct tunnel *t)
{
	if (!t->ipcp_ours || !t->ipcp_theirs || t->phase != PHASE_IPCP)
		return;
	disarm(t, &t->ppp_timer);
	tally_done(&t->lac->tally, t->began);
	t->phase = PHASE_NONE;
	wait_turn(t);
}

static void ipcp_input(struct tunnel *t, const struct ppp_packet *p)
{
	struct reader r = p->data;

	switch (p->code) {
	case PPP_CONFIGURE_REQUEST:
		ppp_send(t, t->peer_session, PPP_IPCP, PPP_CONFIGURE_ACK, p->id, r.pos, reader_left(&r));
		t->ipcp_theirs = true;
		break;
	case PPP_CONFIGURE_NAK:
		reader_skip(&r, 2);
		if (reader_copy(&r, t->address, sizeof(t->address)) && t->phase == PHASE_IPCP)
			send_ipcp_request(t);
		break;
	case PPP_CONFIGURE_ACK:
		t->ipcp_ours = true;
		break;
	}
	ipcp_step(t);
}

static void answer_challenge(struct tunnel *t, const struct ppp_packet *p)
{
	struct reader r = p->data;
	struct l2tp_text id = {&p->id, 1}, challenge;
	uint8_t digest[AUTH_DIGEST], response[64];
	struct writer w = writer_of(response, sizeof(response));
	char name[16];
	int len = snprintf(name, sizeof(name), "user%05u", t->index * t->lac->room + t->session - 1);

	challenge.len = reader_u8(&r);
	challenge.data = reader_bytes(&r, challenge.len);
	if (!challenge.data || !auth_digest(digest, &id, &secret, &challenge))
		return;
	writer_u8(&w, sizeof(digest));
	writer_bytes(&w, digest, sizeof(digest));
	writer_bytes(&w, name, (size_t)len);
	t->phase = PHASE_AUTH;
	ppp_send(t, t->peer_session, PPP_CHAP, CHAP_RESPONSE, p->id, response, writer_len(&w));
	disarm(t, &t->ppp_timer);
}

static void chap_input(struct tunnel *t, const struct ppp_packet *p)
{
	if (p->code == CHAP_CHALLENGE) {
		answer_challenge(t, p);
	} else if (p->code == CHAP_SUCCESS && t->phase == PHASE_AUTH) {
		t->phase = PHASE_IPCP;
		send_ipcp_request(t);
	}
}

static void lcp_input(struct tunnel *t, uint16_t peer_session, const struct ppp_packet *p)
{
	static const uint8_t magic[4] = {1, 2, 3, 4};
	struct reader r = p->data;

	switch (p->code) {
	case PPP_CONFIGURE_REQUEST:
		ppp_send(t, peer_session, PPP_LCP, PPP_CONFIGURE_ACK, p->id, r.pos, reader_left(&r));
		break;
	case PPP_ECHO_REQUEST:
		ppp_send(t, peer_session, PPP_LCP, PPP_ECHO_REPLY, p->id, magic, sizeof(magic));
		break;
	}
}

static void ppp_input(struct tunnel *t, uint16_t session, struct reader *r)
{
	uint16_t protocol = ppp_frame_read(r), peer_session;
	struct ppp_packet p;

	ppp_packet_read(r, &p);
	if (!reader_ok(r) || !session || session > t->lac->room)
		return;
	peer_session = t->lac->peer_session[t->index * t->lac->room + session - 1];
	if (protocol == PPP_LCP)
		lcp_input(t, peer_session, &p);
	else if (session != t->session || t->phase < PHASE_LCP)
		return;
	else if (protocol == PPP_CHAP)
		chap_input(t, &p);
	else if (protocol == PPP_IPCP)
		ipcp_input(t, &p);
}

/* ---- control messages ---- */

static void tunnel_opened(struct tunnel *t, uint16_t peer)
{
	struct writer w = writer_of(t->message, sizeof(t->message));

	t->peer = peer;
	t->up = true;
	message_write_scccn(&w, t->peer, &none);
	queue_message(t, &w);
}

static void call_answered(struct tunnel *t, uint16_t peer_session)
{
	struct writer w = writer_of(t->message, sizeof(t->message));

	t->peer_session = peer_session;
	t->lac->peer_session[t->index * t->lac->room + t->session - 1] = peer_session;
	t->phase = PHASE_LCP;
	message_write_iccn(&w, t->peer, peer_session);
	queue_message(t, &w);
	send_lcp_request(t);
}

static void control_next(struct tunnel *t, struct reader body)
{
	uint8_t scratch[L2TP_PACKET_MAX];
	struct l2tp_message m;
	struct l2tp_fault fault;

	if (l2tp_message_read(body, NULL, scratch, &m, &fault)) {
		fprintf(stderr, "not understood: %s\n", fault.text);
		return;
	}
	if (m.type == L2TP_SCCRP && t->phase == PHASE_TUNNEL && !t->up)
		tunnel_opened(t, m.assigned_tunnel);
	else if (m.type == L2TP_ICRP && t->phase == PHASE_CALL)
		call_answered(t, m.assigned_session);
	else if (m.type == L2TP_STOPCCN || m.type == L2TP_CDN)
		fprintf(stderr, "tunnel %u: %s, result %u error %u\n", t->index, l2tp_message_name(m.type),
			m.result, m.error);
	else
		send_ack(t);
}

/* l2tpns takes one SCCRQ from the same address and port for another's repetition: one after the other on each socket. */
static void tunnel_ready(struct tunnel *t)
{
	struct lac *lac = t->lac;

	lac->tunnels_up++;
	if (t->index + lac->options.sockets < lac->options.tunnels)
		open_tunnel(t + lac->options.sockets);
	t->phase = PHASE_NONE;
	wait_turn(t);
}

static void control_input(struct tunnel *t, const struct l2tp_header *h, struct reader body)
{
	bool empty = !reader_left(&body);

	if (t->message_len && h->nr == t->ns) { /* the one message that was under way has arrived */
		t->message_len = 0;
		disarm(t, &t->control_timer);
		if (t->phase == PHASE_TUNNEL && t->up)
			tunnel_ready(t);
		else
			wait_turn(t);
	}
	if (empty)
		return;
	if (h->ns == t->nr) {
		t->nr++;
		control_next(t, body);
	} else if ((int16_t)(h->ns - t->nr) < 0) {
		send_ack(t);
	}
}

static void lac_input(struct port *p, const struct endpoint *from, const uint8_t *data, size_t len)
{
	struct lac *lac = p->owner;
	struct reader r = reader_of(data, len);
	struct l2tp_header h = {0};
	struct tunnel *t;

	l2tp_header_read(&r, &h);
	if (!reader_ok(&r) || !h.tunnel_id || h.tunnel_id > lac->options.tunnels)
		return;
	t = &lac->tunnels[h.tunnel_id - 1];
	if (h.control)
		control_input(t, &h, reader_rest(&r));
	else
		ppp_input(t, h.session_id, &r);
}

/* ---- RADIUS: RFC 2865 section 4.2, always Access-Accept ---- */

static void radius_input(struct port *p, const struct endpoint *from, const uint8_t *data, size_t len)
{
	static const uint8_t attributes[] = {6, 6, 0, 0, 0, 2 /* Framed */, 7, 6, 0, 0, 0, 1 /* PPP */};
	struct lac *lac = p->owner;
	uint8_t answer[RADIUS_HEADER + sizeof(attributes)];
	struct writer w = writer_of(answer, sizeof(answer));
	struct l2tp_text whole = {answer, sizeof(answer)};
	uint8_t digest[AUTH_DIGEST];

	if (len < RADIUS_HEADER || data[0] != RADIUS_REQUEST)
		return;
	lac->requests++;
	writer_u8(&w, RADIUS_ACCEPT);
	writer_u8(&w, data[1]);
	writer_u16(&w, sizeof(answer));
	writer_bytes(&w, data + 4, AUTH_DIGEST);
	writer_bytes(&w, attributes, sizeof(attributes));
	if (!auth_digest(digest, &whole, &secret, &none))
		return;
	memcpy(answer + 4, digest, sizeof(digest));
	port_send(p, from, answer, sizeof(answer));
}

/* ---- the run ---- */

static void start_session(struct tunnel *t)
{
	t->began = tally_begin(&t->lac->tally);
	t->session = (uint16_t)++t->sessions;
	t->peer_session = 0;
	memset(t->address, 0, sizeof(t->address));
	t->ipcp_ours = t->ipcp_theirs = false;
	open_session(t);
}

static void start_more(struct loop_flush *f)
{
	struct lac *lac = container_of(f, struct lac, start);

	if (lac->tunnels_up < lac->options.tunnels)
		return;
	while (tally_room(&lac->tally) && lac->idle) {
		struct tunnel *t = lac->idle;

		lac->idle = t->next;
		if (!lac->idle)
			lac->idle_end = &lac->idle;
		start_session(t);
	}
}

static bool lac_ports(struct lac *lac)
{
	struct endpoint radius = {lac->options.local.addr, RADIUS_PORT};

	lac->radius.input = radius_input;
	lac->radius.owner = lac;
	for (unsigned i = 0; i < lac->options.sockets; i++) {
		lac->ports[i].input = lac_input;
		lac->ports[i].owner = lac;
		if (!port_open(&lac->ports[i], &lac->loop, &lac->options.local))
			return false;
	}
	return port_open(&lac->radius, &lac->loop, &radius);
}

static void lac_tunnels(struct lac *lac)
{
	for (unsigned i = 0; i < lac->options.tunnels; i++) {
		struct tunnel *t = &lac->tunnels[i];

		t->lac = lac;
		t->index = i;
		t->port = &lac->ports[i % lac->options.sockets];
		t->control_timer.fire = control_late;
		t->ppp_timer.fire = ppp_late;
		if (i < lac->options.sockets)
			open_tunnel(t);
	}
}

int main(int argc, char **argv)
{
	struct lac *lac = calloc(1, sizeof(*lac));
	int status;

	if (!lac)
		return 2;
	options_read(&lac->options, argc, argv);
	tally_init(&lac->tally, &lac->options);
	lac->room = (lac->options.count + lac->options.tunnels - 1) / lac->options.tunnels;
	lac->ports = calloc(lac->options.sockets, sizeof(*lac->ports));
	lac->tunnels = calloc(lac->options.tunnels, sizeof(*lac->tunnels));
	lac->peer_session = calloc((size_t)lac->room * lac->options.tunnels, sizeof(*lac->peer_session));
	if (!lac->ports || !lac->tunnels || !lac->peer_session || loop_init(&lac->loop) || !lac_ports(lac))
		return 2;
	lac->idle_end = &lac->idle;
	lac_tunnels(lac);
	lac->start.run = start_more;
	loop_flush_add(&lac->loop, &lac->start);
	status = tally_run(&lac->tally, &lac->loop);
	fprintf(stderr, "RADIUS: %llu requests; %llu retransmissions\n", (unsigned long long)lac->requests,
		(unsigned long long)lac->retransmits);
	return status;
}
