/* l2tp/machine: the two state machines of RFC 2661 section 7, and how tunnel.c ends and answers for them. Private to l2tp/. */
#ifndef L2TP_MACHINE_H
#define L2TP_MACHINE_H

#include "l2tp/auth.h"
#include "l2tp/channel.h"

/* Of the control connection, section 7.2.1; what comes before and after it as well. */
enum tunnel_state {
	TUNNEL_IDLE,
	TUNNEL_WAIT_SECRET,
	TUNNEL_WAIT_REPLY,
	TUNNEL_WAIT_CONN,
	TUNNEL_ESTABLISHED,
	TUNNEL_WAIT_STOP, /* the peer has sent CDN and will send StopCCN; if not, we do */
	TUNNEL_STOPPING,  /* our StopCCN is under way */
	TUNNEL_LINGERING, /* all is acknowledged; retransmissions are still answered */
	TUNNEL_CLOSED,
};

/* Of the one incoming call, sections 7.4.1 and 7.4.2. */
enum session_state { SESSION_IDLE, SESSION_WAIT_REPLY, SESSION_WAIT_CONNECT, SESSION_ESTABLISHED };

/* What only set-up needs; wiped and freed after it. */
struct l2tp_setup {
	uint8_t secret[AUTH_SECRET_MAX];
	uint8_t secret_len;
	bool challenged;                   /* we have sent challenge */
	uint8_t challenge[AUTH_CHALLENGE]; /* ours */
	uint8_t peer_challenge[L2TP_CHALLENGE_MAX];
	uint8_t peer_challenge_len;
	uint32_t call_serial;
};

/* The secret is known: open or answer. */
void machine_start(struct l2tp_tunnel *t, msec now);
/* The next message in order. False: it is forged or fit for nothing, and must be treated as if it had never arrived. */
bool machine_input(struct l2tp_tunnel *t, uint16_t session_id, struct reader body, msec now);
/* What makes an SCCRQ or SCCRP unacceptable beyond its AVPs: another version. False: *ret says why. */
bool machine_check_version(const struct l2tp_message *m, struct l2tp_fault *ret);

bool tunnel_is_closing(const struct l2tp_tunnel *t);
struct l2tp_text setup_secret(const struct l2tp_tunnel *t); /* empty when there is none (any more) */
void setup_free(struct l2tp_tunnel *t);
/* Is it the same program? From its SCCRQ or SCCRP. */
void tunnel_note_vendor(struct l2tp_tunnel *t, const struct l2tp_message *m);
/* Queues what W holds; without memory the tunnel is lost. */
void tunnel_queue(struct l2tp_tunnel *t, enum l2tp_message_type type, const struct writer *w, msec now);
/* Ends the tunnel from our side: CDN if a session was under way, StopCCN, closed(). */
void tunnel_end(struct l2tp_tunnel *t, enum l2tp_cause cause, uint16_t result, uint16_t error,
	const char *text, msec now);
/* The peer has ended it with a StopCCN. */
void tunnel_stopped(struct l2tp_tunnel *t, const struct l2tp_why *why, msec now);
/* The peer has ended the session with a CDN. */
void tunnel_disconnected(struct l2tp_tunnel *t, const struct l2tp_why *why, msec now);
/* Nothing can be said to the peer any more. */
void tunnel_lost(struct l2tp_tunnel *t, enum l2tp_cause cause, const char *text, msec now);

#endif
