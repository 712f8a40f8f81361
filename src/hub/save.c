/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The head of a record, the part that both ends share, and the news that a record has changed.
 *
 * Whether it has changed is not noted wherever something changes: at the end of each call the record is written once more, and a digest of 64 bits is
 * compared. That costs less than a microsecond beside a control packet, and nothing can be forgotten.
 */
#include "hub/save.h"

#include <errno.h>
#include <stdio.h>

#include "hub/engine.h"
#include "lib/hash.h"

enum { MAGIC = 0x53573553 }; /* "SW5S" */
enum { HEAD_INITIATOR = 1, HEAD_RESUMABLE = 2 };
enum { LENGTH_AT = 6 };
enum { FLAG_UP6 = 1, FLAG_UP4 = 2, FLAG_DELEGATED4 = 4, FLAGS = 7 };
enum { IPV6_BIT = 1, IPV4_BIT = 2, FAMILIES = 3, LEAST_MTU = 68 };

/* ---- head ---- */

static size_t put_head(
	const struct softwire *s, const struct l2tp_position *p, bool resumable, struct writer *w)
{
	size_t at = writer_len(w);

	writer_u32(w, MAGIC);
	writer_u16(w, SOFTWIRE_RECORD_VERSION);
	writer_u16(w, SOFTWIRE_RECORD_HEAD);
	writer_u8(w, (uint8_t)((softwire_is_initiator(s) ? HEAD_INITIATOR : 0) |
			       (resumable ? HEAD_RESUMABLE : 0)));
	writer_u16(w, p->local_tunnel);
	writer_u16(w, p->peer_tunnel);
	writer_u16(w, p->local_session);
	writer_u16(w, p->peer_session);
	writer_u16(w, p->ns);
	writer_u16(w, p->nr);
	writer_u8(w, p->unacknowledged);
	return at;
}

int softwire_peek(struct reader r, struct softwire_peek *ret)
{
	size_t all = reader_left(&r);
	struct softwire_peek p;
	uint8_t flags;

	if (reader_u32(&r) != MAGIC)
		return -EBADMSG;
	p.version = reader_u16(&r);
	p.len = reader_u16(&r);
	flags = reader_u8(&r);
	p.initiator = flags & HEAD_INITIATOR;
	p.resumable = flags & HEAD_RESUMABLE;
	p.at.local_tunnel = reader_u16(&r);
	p.at.peer_tunnel = reader_u16(&r);
	p.at.local_session = reader_u16(&r);
	p.at.peer_session = reader_u16(&r);
	p.at.ns = reader_u16(&r);
	p.at.nr = reader_u16(&r);
	p.at.unacknowledged = reader_u8(&r);
	if (!reader_ok(&r) || p.len < SOFTWIRE_RECORD_HEAD || p.len > all || !p.at.local_tunnel ||
		!p.at.peer_tunnel)
		return -EBADMSG;
	*ret = p;
	return 0;
}

/* ---- saving ---- */

static bool is_savable(const struct softwire *s)
{
	return s->step == STEP_UP && s->up_at && s->ppp_open && !s->why && !s->down_told && !s->finished;
}

static int put_tunnel(const struct softwire *s, struct writer *w)
{
	size_t at = record_begin(w, SECTION_L2TP);
	int err = l2tp_tunnel_save(&s->tunnel, w);

	record_end(w, at);
	return err;
}

static int put_ppp(const struct softwire *s, struct writer *w)
{
	size_t at = record_begin(w, SECTION_PPP);
	int err = ppp_link_save(&s->ppp, w);

	record_end(w, at);
	return err;
}

static void put_hub(const struct softwire *s, struct writer *w)
{
	size_t at = record_begin(w, SECTION_HUB);

	writer_u8(w, (uint8_t)((s->up6 ? FLAG_UP6 : 0) | (s->up4 ? FLAG_UP4 : 0) |
			       (s->delegated4 ? FLAG_DELEGATED4 : 0)));
	writer_u8(w, s->asked);
	writer_u8(w, s->refused);
	writer_u16(w, s->mtu);
	writer_u64(w, s->started_at);
	writer_u64(w, s->up_at);
	record_end(w, at);
	if (!s->up6)
		return;
	at = record_begin(w, SECTION_NODE);
	nd_node_save(&s->node, w);
	record_end(w, at);
}

static void put_activity(const struct softwire *s, struct writer *w)
{
	size_t at = record_begin(w, SECTION_ACTIVITY);

	l2tp_tunnel_save_activity(&s->tunnel, w);
	record_end(w, at);
}

/* All but what changes with every packet. */
static int put_lasting(const struct softwire *s, struct writer *w)
{
	int err = is_savable(s) ? put_tunnel(s, w) : -EAGAIN;

	if (!err)
		err = put_ppp(s, w);
	if (err)
		return err;
	put_hub(s, w);
	if (softwire_is_initiator(s))
		softwire_si_put((const struct softwire_si *)s, w);
	else
		softwire_sc_put((const struct softwire_sc *)s, w);
	return 0;
}

/* RET_LASTING: how much of it is not mere activity. */
static int put_record(const struct softwire *s, struct writer *w, size_t *ret_lasting)
{
	struct writer head = *w;
	struct l2tp_position p;
	size_t at;
	int err;

	*ret_lasting = 0;
	if (!l2tp_tunnel_position(&s->tunnel, &p))
		return -EAGAIN;
	at = put_head(s, &p, true, w);
	err = put_lasting(s, w);
	if (err) { /* a head alone */
		*w = head;
		put_head(s, &p, false, w);
	}
	*ret_lasting = writer_len(w) - at;
	if (!err)
		put_activity(s, w);
	if (!writer_ok(w))
		return -ENOBUFS;
	writer_patch16(w, at + LENGTH_AT, (uint16_t)(writer_len(w) - at));
	return err;
}

int softwire_sc_save(const struct softwire_sc *sc, struct writer *w)
{
	size_t lasting;

	return put_record(&sc->softwire, w, &lasting);
}

int softwire_si_save(const struct softwire_si *si, struct writer *w)
{
	size_t lasting;

	return put_record(&si->softwire, w, &lasting);
}

/* ---- what has changed ---- */

static uint64_t digest(const struct softwire *s)
{
	uint8_t buf[SOFTWIRE_RECORD_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	size_t lasting;

	put_record(s, &w, &lasting);
	return lasting ? (uint64_t)hash_bytes(buf, lasting, 1) << 32 | hash_bytes(buf, lasting, 2) : 0;
}

void softwire_tell_changed(struct softwire *s)
{
	uint64_t now;

	if (!s->config->ops->changed)
		return;
	now = digest(s);
	if (now == s->saved)
		return;
	s->saved = now;
	s->config->ops->changed(s);
}

/* ---- resuming ---- */

int softwire_refuse_section(const char *name, const struct reader *r, char why[SOFTWIRE_RESUME_WHY])
{
	snprintf(why, SOFTWIRE_RESUME_WHY, "%s: %s", name, r->error ? r->error : "out of memory");
	return r->error ? -EBADMSG : -ENOMEM;
}

static void check_families(const struct softwire *s, uint8_t up, struct reader *r)
{
	const struct ppp_config *c = &s->config->ppp;
	uint8_t offered = (uint8_t)((c->ipv6 ? IPV6_BIT : 0) | (c->ipv4 ? IPV4_BIT : 0));

	if (s->asked & ~FAMILIES || s->refused & ~s->asked || !(s->asked & ~s->refused) ||
		up & ~(s->asked & ~s->refused))
		reader_fail(r, "impossible families");
	if (s->asked & ~offered)
		reader_fail(r, "a family that the configuration does not offer");
	if (s->up6 && s->mtu < IP6_MIN_MTU)
		reader_fail(r, "IPv6 on an MTU below 1280");
}

static int take_hub(struct softwire *s, struct reader record, msec now, char why[SOFTWIRE_RESUME_WHY])
{
	struct reader r = record_section(record, SECTION_HUB);
	uint8_t flags = record_flags(&r, FLAGS);

	s->up6 = flags & FLAG_UP6;
	s->up4 = flags & FLAG_UP4;
	s->delegated4 = flags & FLAG_DELEGATED4;
	s->asked = reader_u8(&r);
	s->refused = reader_u8(&r);
	s->mtu = record_u16(&r, LEAST_MTU, UINT16_MAX);
	s->started_at = record_past(&r, now);
	s->up_at = record_past(&r, now);
	if (reader_ok(&r) && (!s->up_at || s->up_at < s->started_at))
		reader_fail(&r, "up before it began");
	if (reader_ok(&r))
		check_families(s, flags & FAMILIES, &r);
	return reader_ok(&r) ? 0 : softwire_refuse_section("hub", &r, why);
}

static int take_tunnel(struct softwire *s, const struct l2tp_position *p, struct reader record, msec now,
	char why[SOFTWIRE_RESUME_WHY])
{
	struct reader r = record_section(record, SECTION_L2TP);
	struct reader activity = record_section(record, SECTION_ACTIVITY);

	if (l2tp_tunnel_resume(&s->tunnel, &s->config->l2tp, p, &r, now))
		return softwire_refuse_section("l2tp", &r, why);
	if (l2tp_tunnel_resume_activity(&s->tunnel, &activity, now))
		return softwire_refuse_section("activity", &activity, why);
	return 0;
}

/* IPv4 may be up without IPCP at an initiator: si_save.c looks at that. */
static int take_ppp(struct softwire *s, struct reader record, msec now, char why[SOFTWIRE_RESUME_WHY])
{
	struct reader r = record_section(record, SECTION_PPP);

	if (ppp_link_resume(&s->ppp, &s->config->ppp, &r, now))
		return softwire_refuse_section("ppp", &r, why);
	s->ppp_open = true;
	if (s->up6 != (s->ppp.ipv6cp.state == PPP_OPENED) || (s->ppp.ipcp.state == PPP_OPENED && !s->up4)) {
		reader_fail(&r, "another family is open than is up");
		return softwire_refuse_section("ppp", &r, why);
	}
	return 0;
}

static int take_node(struct softwire *s, struct reader record, msec now, char why[SOFTWIRE_RESUME_WHY])
{
	struct reader r;

	if (!s->up6)
		return 0;
	r = record_section(record, SECTION_NODE);
	return nd_node_resume(&s->node, &s->config->nd, &r, now) ? softwire_refuse_section("nd", &r, why) : 0;
}

static int take_record(struct softwire *s, const struct l2tp_position *p, struct reader record, msec now,
	char why[SOFTWIRE_RESUME_WHY])
{
	int err = take_hub(s, record, now, why);

	if (!err)
		err = take_tunnel(s, p, record, now, why);
	if (!err)
		err = take_ppp(s, record, now, why);
	if (!err)
		err = take_node(s, record, now, why);
	if (err)
		return err;
	if (softwire_is_initiator(s))
		return softwire_si_take(softwire_as_si(s), record, now, why);
	return softwire_sc_take(softwire_as_sc(s), record, now, why);
}

static void forget(struct softwire *s)
{
	ppp_link_done(&s->ppp);
	l2tp_tunnel_done(&s->tunnel);
	if (!softwire_is_initiator(s))
		softwire_sc_done(softwire_as_sc(s));
	s->ppp_open = s->up6 = s->up4 = false;
}

static int refuse(char why[SOFTWIRE_RESUME_WHY], const char *text)
{
	snprintf(why, SOFTWIRE_RESUME_WHY, "%s", text);
	return -EBADMSG;
}

/* The next record of R, without its head. */
static int next_record(const struct softwire_config *c, struct reader *r, struct softwire_peek *ret_peek,
	struct reader *ret, char why[SOFTWIRE_RESUME_WHY])
{
	if (softwire_peek(*r, ret_peek))
		return refuse(why, "not the record of a softwire");
	*ret = reader_sub(r, ret_peek->len);
	reader_skip(ret, SOFTWIRE_RECORD_HEAD);
	if (ret_peek->version != SOFTWIRE_RECORD_VERSION) {
		snprintf(why, SOFTWIRE_RESUME_WHY, "the record has format %u, and this program knows %u",
			ret_peek->version, SOFTWIRE_RECORD_VERSION);
		return -EBADMSG;
	}
	if (ret_peek->initiator != (c->l2tp.end == L2TP_LAC))
		return refuse(why, "the record is of the other end");
	if (!ret_peek->resumable)
		return refuse(why, "the softwire was being set up or ended");
	return 0;
}

int softwire_resume(struct softwire *s, const struct softwire_config *c, struct reader *r, msec now,
	char why[SOFTWIRE_RESUME_WHY])
{
	struct softwire_peek peek;
	struct reader record;
	int err = next_record(c, r, &peek, &record, why);

	if (err)
		return err;
	softwire_begin(s, c, 0, now);
	err = take_record(s, &peek.at, record, now, why);
	if (err) {
		forget(s);
		return err;
	}
	s->step = STEP_UP;
	s->now = now;
	s->saved = c->ops->changed ? digest(s) : 0;
	softwire_rearm(s);
	return 0;
}

int softwire_sc_resume(struct softwire_sc *sc, const struct softwire_config *c, struct reader *r, msec now,
	char why[SOFTWIRE_RESUME_WHY])
{
	return softwire_resume(&sc->softwire, c, r, now, why);
}
