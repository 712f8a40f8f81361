/*
 * hub/save: a softwire as bytes, and back: another process (a newer program, or the same after a crash) goes on where this one was.
 *
 * A record is what softwire_sc_save() or softwire_si_save() writes: a head of fixed form, which every version of this program can read, and
 * sections (lib/record.h), one for each engine below, written and read by its own folder (l2tp/save.c, ppp/save.c, nd/save.c, dhcp6/save.c,
 * dhcp4/save.c); hub/save.c has the head and what both ends share, hub/sc_save.c and hub/si_save.c the rest.
 *   head: magic (4 bytes), format version (2), length of the whole record (2), flags (1), l2tp_position (13)
 * A section may grow at its end, and new ones may come, without another version: programs read what they know. Another version is for what an
 * older program must not take up.
 *
 * What can be resumed: a softwire that was up and is neither ending nor negotiating LCP or authentication. Of two families, one that is refused stays
 * refused, one that is being negotiated goes on being negotiated. Everything else gives a record that is a head alone, with which the peer can be told at
 * once (softwire_peek(), l2tp_farewell()): it then need not find out by HELLO. Nothing at all is written when nobody would have to be told: the peer is
 * unknown or has proven nothing yet, or both ends know of the end. No record has a password, a secret, a challenge or a response in it.
 * What is not known any more after resume: requests to the owner that were not answered (bind_duid: the client asks again), and why.
 *
 * When to save: ops->changed() says so, at the end of a call into the engine, when a record written now would differ from the one of the last time, but
 * for the times of the last packet heard and sent, which change all the time. It is told after everything that the call wanted to send was given
 * to ops->send(). So an owner that queues packets, writes its record in changed(), and lets the packets out after that, never sends a sequence number
 * that its records do not know. What was queued and never left is repeated by the engine that resumes: control messages, their acknowledgements, and
 * DHCP are all repeated by whoever misses an answer. In changed() only softwire_..._save() may be called. With released()
 * the record goes; changed() is not told then. Owners that do not save leave
 * it NULL: then it costs nothing.
 *
 * Times in a record are the monotonic clock's: of this machine until it boots. Whoever keeps records has to know that (boot id), and with
 * which address and port each peer talks. A record that has lain too long does no harm: what is overdue is done at once, HELLOs within a
 * quarter of their period, and a peer that has given up does not answer.
 */
#ifndef HUB_SAVE_H
#define HUB_SAVE_H

#include "hub/softwire.h"

/* No record is longer; one of a dual-stack softwire at the concentrator has about 300 bytes, of an initiator about 900. */
enum { SOFTWIRE_RECORD_MAX = 4096, SOFTWIRE_RECORD_VERSION = 1, SOFTWIRE_RECORD_HEAD = 22 };

/* The head of a record. */
struct softwire_peek {
	uint16_t version, len; /* of the whole record */
	bool initiator;	       /* else a concentrator's */
	bool resumable;	       /* there is more than a head */
	struct l2tp_position at;
};

/* 0: the record is behind what W had. -EAGAIN: no state that can be resumed; what was written, if anything, is a head alone. -ENOBUFS: it does not
 * fit, and W has overflowed. In a planned hand-over the owner tells first what the data plane has heard
 * (softwire_heard()); otherwise a HELLO more is said. */
int softwire_sc_save(const struct softwire_sc *s, struct writer *w);
int softwire_si_save(const struct softwire_si *s, struct writer *w);

/* Reads the head at the beginning of R, which has one record or several in a row: the next one is behind ret->len bytes, which are there. 0 or -EBADMSG. */
int softwire_peek(struct reader r, struct softwire_peek *ret);

enum { SOFTWIRE_RESUME_WHY = 96 };

/*
 * Takes up what the next record in R says; R then stands behind it. *S is zeroed by the caller, as for softwire_sc_accept(). No op is called, not
 * even up(): the owner looks at up6, up4, lease, dhcp6.using_prefixes and delegated4 (SC) or at state (SI), and at tunnel.local_tunnel ... for the
 * ids, which are as they were. The timer is armed; what is due at once is done in the next wheel_advance().
 * 0; -EBADMSG: not a record of this end and version, or damaged, or not possible with this configuration (a family that is not offered any more);
 * -ENOMEM. Then WHY says why, *S holds nothing, and R stands behind the record if that had a head.
 */
int softwire_sc_resume(struct softwire_sc *s, const struct softwire_config *c, struct reader *r, msec now,
	char why[SOFTWIRE_RESUME_WHY]);
/* HINT and HINT4 as for softwire_si_open(). */
int softwire_si_resume(struct softwire_si *s, const struct softwire_config *c, struct reader *r,
	const struct dhcp6_binding *hint, const struct dhcp4_binding *hint4, msec now,
	char why[SOFTWIRE_RESUME_WHY]);

#endif
