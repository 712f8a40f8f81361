/*
 * l2tp/tunnel: one L2TPv2 control connection with exactly one session, as RFC 5571 wants it, for either end.
 *
 * Sans-I/O. The owner embeds a struct l2tp_tunnel, feeds it packets and the time, and gets packets, requests and
 * events through struct l2tp_ops (typed: every function gets the tunnel; container_of leads to its owner). A function of
 * ops may be called from inside any function below, never after ops->released().
 *
 * Life: l2tp_tunnel_open() (SI) or l2tp_tunnel_accept() (SC, with the SCCRQ)
 *   -> ops->want_secret() -> l2tp_tunnel_secret()   [immediately or later]
 *   -> ops->established(): tunnel and session are up, PPP may run
 *   -> ops->closed(why): once, whoever ended it; PPP is gone. StopCCN may still be on its way.
 *   -> ops->released(): the engine wants nothing more; the owner may free it after l2tp_tunnel_done().
 *
 * Memory: what only set-up needs (challenges, unacknowledged and early packets) is allocated apart and freed.
 * RFC 2661 sections 3, 5, 7, appendix A; RFC 5571 section 5.1.
 */
#ifndef L2TP_TUNNEL_H
#define L2TP_TUNNEL_H

#include "l2tp/packet.h"
#include "lib/rng.h"
#include "lib/wheel.h"

enum { L2TP_SECRET_MAX = 255 };

enum l2tp_end { L2TP_LAC, L2TP_LNS }; /* LAC: the initiator, LNS: the concentrator */

struct l2tp_tunnel;
struct l2tp_setup;  /* private: what set-up needs */
struct l2tp_queued; /* private: an outgoing or early packet */

/* Why a tunnel ended, for people and for policy. */
enum l2tp_cause {
	L2TP_CAUSE_LOCAL,    /* l2tp_tunnel_close() */
	L2TP_CAUSE_PEER,     /* StopCCN or CDN from the peer */
	L2TP_CAUSE_TIMEOUT,  /* a message was not acknowledged */
	L2TP_CAUSE_AUTH,     /* tunnel authentication failed, at our end */
	L2TP_CAUSE_PROTOCOL, /* the peer's message was unacceptable */
	L2TP_CAUSE_RESOURCES,
};

struct l2tp_why {
	enum l2tp_cause cause;
	uint16_t result,
		error; /* as sent or received; a peer's CDN result is translated to StopCCN's codes */
	char text[L2TP_MESSAGE_MAX]; /* printable, one clause: "peer: user limit reached" */
	char said[L2TP_MESSAGE_MAX]; /* the peer's own words, printable; "": none */
};

struct l2tp_counters {
	uint64_t control_rx, control_tx, retransmits, duplicates, out_of_order, zlb_rx, hello_rx, hello_tx;
	uint64_t bad_header, bad_avp, bad_message, bad_sequence, bad_auth,
		unexpected; /* dropped or refused, by reason */
};

struct l2tp_ops {
	/* A control packet for the peer (a UDP payload). */
	void (*send)(struct l2tp_tunnel *t, const uint8_t *packet, size_t len);
	/* Which tunnel secret is shared with this peer? Answer with l2tp_tunnel_secret(). HOST_NAME is the peer's, "" at the SI. */
	void (*want_secret)(struct l2tp_tunnel *t, const char *host_name);
	void (*established)(struct l2tp_tunnel *t);
	void (*closed)(struct l2tp_tunnel *t, const struct l2tp_why *why);
	void (*released)(struct l2tp_tunnel *t);
	/* Something was refused or dropped without ending the tunnel; TEXT is for log and trace. May be NULL. */
	void (*note)(struct l2tp_tunnel *t, const char *text);
};

/* Shared by all tunnels of a role, constant while any of them lives. */
struct l2tp_config {
	enum l2tp_end end;
	const struct l2tp_ops *ops;
	struct rng *rng;
	struct l2tp_counters *counters;
	const char *host_name, *vendor_name; /* vendor_name may be NULL */
	uint16_t firmware;
	uint16_t window;        /* our Receive Window Size; 4 is RFC 2661's default */
	bool framing_async;     /* the A bit of Framing Capabilities (HS-L2TP-20) */
	bool require_secret;    /* refuse peers that share no tunnel secret */
	uint32_t hello_ms;      /* silence before a HELLO; 0: never. Default 60,000 */
	uint32_t retransmit_ms; /* first retransmission; 1,000; doubles up to retransmit_max_ms (8,000) */
	uint32_t retransmit_max_ms;
	uint8_t retransmit_tries; /* retransmissions; 5 (after 1, 2, 4, 8, 8 s), and 1 s later the peer is dead */
	uint8_t probe_tries;      /* the same for a HELLO sent on a hint: 3 (after 1, 2, 4 s) */
	uint32_t setup_ms;        /* a tunnel not established by then is closed; 60,000 */
	uint32_t linger_ms;       /* how long a closed tunnel still answers retransmissions; 31,000 */
};

/* Public fields are read-only for the owner; the rest belongs to the engine. */
struct l2tp_tunnel {
	const struct l2tp_config *config;
	uint16_t local_tunnel, peer_tunnel, local_session, peer_session;
	uint8_t state, session_state; /* enum in tunnel.c; l2tp_tunnel_state() prints them */
	uint8_t tries;                /* retransmissions since something was acknowledged */
	uint8_t probing : 1, released_told : 1, closed_told : 1, ack_due : 1;
	uint8_t same_vendor : 1; /* the peer's Vendor Name is ours: it is the same program */
	uint16_t ns, nr; /* next to send; next expected */
	uint16_t peer_window, cwnd, ssthresh, cwnd_acks, in_flight;
	msec last_sent, last_heard; /* of control or data: l2tp_tunnel_heard() tells about data */
	msec retransmit_at;         /* MSEC_NEVER: nothing is in flight */
	msec limit_at; /* end of set-up, of waiting for a StopCCN, or of lingering; established: when a HELLO that found no memory is tried again */
	struct l2tp_queued *outgoing, *early;
	struct l2tp_setup *setup; /* NULL once established */
};

/* The SI's end: sends SCCRQ. IDs are chosen by the owner, non-zero. 0 or -ENOMEM. */
int l2tp_tunnel_open(struct l2tp_tunnel *t, const struct l2tp_config *c, uint16_t tunnel_id,
	uint16_t session_id, uint32_t call_serial, msec now);
/* The SC's end, for a decoded SCCRQ (header and message). 0; -EBADMSG when it is refused at once: the StopCCN has then
 * been sent, nothing is kept and neither closed() nor released() will be called. -ENOMEM: the same, but nothing was sent. */
int l2tp_tunnel_accept(struct l2tp_tunnel *t, const struct l2tp_config *c, uint16_t tunnel_id,
	uint16_t session_id, const struct l2tp_header *h, const struct l2tp_message *m, msec now);
/* Answers want_secret(). LEN 0: no secret is shared. Either end with require_secret then refuses. At most L2TP_SECRET_MAX bytes;
 * copied, and wiped when set-up is over. */
void l2tp_tunnel_secret(struct l2tp_tunnel *t, const void *secret, size_t len, msec now);

/* A control packet whose header's tunnel id is ours and whose source is the peer's. The SC also gives a packet with
 * header tunnel id 0 from a peer that may not know our id yet: a retransmitted SCCRQ, or a StopCCN that names that peer's id. */
void l2tp_tunnel_input(struct l2tp_tunnel *t, const uint8_t *packet, size_t len, msec now);
/* Something authentic-looking arrived from the peer, or was sent to it, outside the control channel (data packets). Cheap. */
static inline void l2tp_tunnel_heard(struct l2tp_tunnel *t, msec when)
{
	if (when > t->last_heard)
		t->last_heard = when;
}
static inline void l2tp_tunnel_sent(struct l2tp_tunnel *t, msec when)
{
	if (when > t->last_sent)
		t->last_sent = when;
}
/* Do what is due at NOW. */
void l2tp_tunnel_tick(struct l2tp_tunnel *t, msec now);
/* When l2tp_tunnel_tick() is due next; MSEC_NEVER. Changes with every call above. */
msec l2tp_tunnel_deadline(const struct l2tp_tunnel *t);

/* The owner has a hint that the peer may be gone: send HELLO now (or hasten what is unanswered already), retransmit after
 * 1, 2, 4 s, give up 1 s after the last. Any acknowledgement ends the probe. Established only. */
void l2tp_tunnel_probe(struct l2tp_tunnel *t, msec now);
/* The path has just been seen to work: what is unacknowledged is said once more now. That is no retransmission that counts. */
void l2tp_tunnel_repeat(struct l2tp_tunnel *t, msec now);
/* Ends tunnel and session: CDN where a session was up, then StopCCN, with RESULT (enum l2tp_stop_result), ERROR and TEXT. */
void l2tp_tunnel_close(struct l2tp_tunnel *t, uint16_t result, uint16_t error, const char *text, msec now);
/* Frees what the engine holds and wipes secrets; sends nothing. */
void l2tp_tunnel_done(struct l2tp_tunnel *t);

/* "wait-ctl-reply", "established", "stopping", ... */
const char *l2tp_tunnel_state(const struct l2tp_tunnel *t);
bool l2tp_tunnel_is_established(const struct l2tp_tunnel *t); /* tunnel and session */
/* The SI's end: an acceptable SCCRP has come; where a tunnel secret is shared, from a peer that knows it. */
bool l2tp_tunnel_is_answered(const struct l2tp_tunnel *t);
/* Closed, and nothing of ours waits for an acknowledgement any more: only the peer's retransmissions would still be answered.
 * A program that wants to exit need not wait for released(). */
bool l2tp_tunnel_is_quiet(const struct l2tp_tunnel *t);

/*
 * A tunnel that is up can be saved and taken up again, by another process and another version of this program. Where it stands is kept apart
 * from the rest: it is all that l2tp_farewell() needs.
 */
struct l2tp_position {
	uint16_t local_tunnel, peer_tunnel, local_session, peer_session;
	uint16_t ns, nr;	/* of what is sent next; expected next */
	uint8_t unacknowledged; /* messages before ns that the peer may, or may not, have: 255 stands for more */
};

/* False: there is no peer who would have to hear of the end: it is unknown, has not proven that it is there, or knows of the end. */
bool l2tp_tunnel_position(const struct l2tp_tunnel *t, struct l2tp_position *ret);
/* 0; -EAGAIN: nothing was written, the tunnel is being set up or ends, or too much waits for an acknowledgement. */
int l2tp_tunnel_save(const struct l2tp_tunnel *t, struct writer *w);
/* An established tunnel that goes on where the other one was: no op is called, and l2tp_tunnel_deadline() tells the rest. 0, -EBADMSG (R has the
 * reason), -ENOMEM; nothing is held after an error. */
int l2tp_tunnel_resume(struct l2tp_tunnel *t, const struct l2tp_config *c, const struct l2tp_position *p,
	struct reader *r, msec now);
/* When something was heard and sent last: apart, because it changes with every packet. A HELLO that is overdue is put off by up to a quarter of its
 * period, at random. 0 or -EBADMSG. */
void l2tp_tunnel_save_activity(const struct l2tp_tunnel *t, struct writer *w);
int l2tp_tunnel_resume_activity(struct l2tp_tunnel *t, struct reader *r, msec now);
/*
 * A StopCCN with ids and numbers that its peer expects, for a tunnel that is not taken up again: a real one, no hint. The peer takes the message
 * that is next for it, and it is not known which of the unacknowledged ones it has: so there is one packet for each that may be the next.
 * Send them all, N from 0 to p->unacknowledged. Nobody repeats them: whoever wants to be sure sends all of them again a little later.
 */
void l2tp_farewell(struct writer *w, const struct l2tp_position *p, unsigned n, uint16_t result,
	uint16_t error, const char *text);

/*
 * A StopCCN for a packet that belongs to no tunnel of ours, or comes from the wrong peer: a hint for an honest peer.
 * Its header has tunnel id PEER_TUNNEL (0 when unknown), and its Assigned Tunnel ID is the id that the stray
 * packet named, so the peer recognises its connection. With PEER_TUNNEL it refuses an SCCRQ, and L2TP_STOP_ERROR
 * then means a lack of resources (error 4), else that no control connection exists (error 1). Sent without state; the caller limits the rate, and never
 * answers a StopCCN or a packet with header tunnel id 0 with it (two such ends would talk for ever).
 */
void l2tp_stray_reply(
	struct writer *w, uint16_t stray_tunnel_id, uint16_t peer_tunnel, uint16_t result, const char *text);
/* The same for an SCCRQ that was refused before anything was kept, with a general error code (enum l2tp_error). PEER_TUNNEL 0: unknown. */
void l2tp_refusal(struct writer *w, uint16_t peer_tunnel, uint16_t result, uint16_t error, const char *text);
/* At the SI: is this packet (header tunnel id 0) such a hint about tunnel T? */
bool l2tp_stray_matches(const struct l2tp_tunnel *t, const uint8_t *packet, size_t len);

#endif
