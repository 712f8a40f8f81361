/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What we take out of softwires, and tell others of it (MESH-SIG-7): by the configuration's `accept`, with keys, sessions and cookies made at random, or by its
 * `tunnels`. All of it is taken at once (MESH-ENC-14).
 *
 * Others learn of a change some time after it was made, and send as before until then: what was replaced, or is not wanted any more, is taken for roll_overlap
 * longer. It is the same over a restart: first the record is written, then the rows change, then others are told.
 *
 * Payload types. Where only the family comes out that the core lacks, tunnels say so: a labeled route is then sent by a tunnel for MPLS, or not at all. With
 * `transit` both families come out, and tunnels that say nothing are for both; but GRE that says nothing would be for MPLS, too.
 *
 * Cookies are told to BGP and to the data plane; nowhere else.
 */
#include "afbr/accept.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/record.h"

enum { DRAWS = 16 };

/* ---- words ---- */

static const struct {
	const char *name;
	struct mesh_encapsulation how; /* without what is made at random */
	uint16_t type;                 /* enum bgp_tunnel_type */
} words[] = {
	[AFBR_ACCEPT_IPIP] = {"ipip", {.kind = MESH_IPIP}, BGP_TUNNEL_IPIP},
	[AFBR_ACCEPT_GRE] = {"gre", {.kind = MESH_GRE}, BGP_TUNNEL_GRE},
	[AFBR_ACCEPT_GRE_KEY] = {"gre-key", {.kind = MESH_GRE, .has_key = true}, BGP_TUNNEL_GRE},
	[AFBR_ACCEPT_L2TPV3] = {"l2tpv3", {.kind = MESH_L2TPV3, .cookie_len = MESH_COOKIE},
		BGP_TUNNEL_L2TPV3},
	[AFBR_ACCEPT_MPLS_IN_IP] = {"mpls-in-ip", {.kind = MESH_IPIP, .mpls = true}, BGP_TUNNEL_IPIP},
	[AFBR_ACCEPT_MPLS_IN_GRE] = {"mpls-in-gre", {.kind = MESH_GRE, .mpls = true}, BGP_TUNNEL_MPLS_GRE},
	[AFBR_ACCEPT_MPLS_IN_L2TPV3] = {"mpls-in-l2tpv3",
		{.kind = MESH_L2TPV3, .mpls = true, .cookie_len = MESH_COOKIE}, BGP_TUNNEL_L2TPV3},
};

enum { WORDS = sizeof(words) / sizeof(words[0]) };

const char *accept_word_name(uint8_t word)
{
	return word < WORDS ? words[word].name : "by hand";
}

bool accept_word_rolls(uint8_t word)
{
	return word < WORDS && (words[word].how.has_key || words[word].how.kind == MESH_L2TPV3);
}

/* ---- by hand ---- */

/* False: a type that we cannot take, or a tunnel that ends elsewhere. */
static bool how_of_tunnel(const struct bgp_tunnel *t, const struct addr *core, struct mesh_encapsulation *ret)
{
	*ret = (struct mesh_encapsulation){.mpls = t->protocol == MESH_MPLS};
	if (t->has_endpoint && !addr_is_none(&t->endpoint) && !addr_equal(&t->endpoint, core))
		return false;
	switch (t->type) {
	case BGP_TUNNEL_IPIP:
		ret->kind = MESH_IPIP;
		return true;
	case BGP_TUNNEL_MPLS_GRE:
	case BGP_TUNNEL_GRE:
		ret->kind = MESH_GRE;
		ret->mpls = ret->mpls || t->type == BGP_TUNNEL_MPLS_GRE;
		ret->has_key = t->has_key;
		ret->key = t->has_key ? t->key : 0;
		return true;
	case BGP_TUNNEL_L2TPV3:
		ret->kind = MESH_L2TPV3;
		ret->session = t->session;
		ret->cookie_len = t->cookie_len;
		memcpy(ret->cookie, t->cookie, t->cookie_len);
		return t->session != 0;
	default:
		return false;
	}
}

/* ---- lists ---- */

static struct accept_item *find_place(struct accept_list *l, const struct mesh_encapsulation *how)
{
	for (unsigned i = 0; i < l->count; i++)
		if (accept_is_same_place(&l->items[i].how, how))
			return &l->items[i];
	return NULL;
}

static struct accept_item *find_word(struct accept_list *l, uint8_t word)
{
	for (unsigned i = 0; i < l->count; i++)
		if (!l->items[i].old && l->items[i].word == word)
			return &l->items[i];
	return NULL;
}

/* From the list as it is to the one that is wanted. */
struct plan {
	struct acceptor *acceptor;
	const struct afbr_config *config;
	struct accept_list *now, next;
	bool roll;
	unsigned made; /* parameters that are new */
	msec at;
};

static int add_current(struct plan *p, uint8_t word, const struct mesh_encapsulation *how)
{
	struct accept_item *known = find_place(p->now, how);

	if (find_place(&p->next, how))
		return 0; /* twice by hand */
	if (p->next.count == MESH_ACCEPTS)
		return -ENOSPC;
	p->next.items[p->next.count++] = (struct accept_item){.word = word,
		.how = *how,
		.row = known && mesh_encapsulation_equal(&known->how, how) ? known->row : NULL};
	return 0;
}

/* Parameters that nothing else of ours has: no old one either. */
static int draw(struct plan *p, struct mesh_encapsulation *how)
{
	struct rng *rng = p->acceptor->softwires->afbr->rng;

	for (unsigned i = 0; i < DRAWS; i++) {
		uint32_t number = rng_u32(rng);

		if (how->kind == MESH_L2TPV3)
			how->session = number;
		else
			how->key = number;
		rng_bytes(rng, how->cookie, how->cookie_len);
		if (number && !find_place(p->now, how) && !find_place(&p->next, how))
			return 0;
	}
	return -EAGAIN;
}

static int plan_word(struct plan *p, uint8_t word)
{
	struct mesh_encapsulation how = words[word].how;
	const struct accept_item *known = find_word(p->now, word);
	int r = 0;

	if (accept_word_rolls(word) && known && !p->roll)
		how = known->how;
	else if (accept_word_rolls(word)) {
		r = draw(p, &how);
		p->made++;
	}
	return r ? r : add_current(p, word, &how);
}

static int plan_current(struct plan *p)
{
	const struct afbr_config *c = p->config;
	struct mesh_encapsulation how;
	int r = 0;

	for (unsigned i = 0; i < c->tunnel_count && !r; i++)
		if (how_of_tunnel(&c->tunnels[i], &c->core, &how))
			r = add_current(p, ACCEPT_BY_HAND, &how);
	for (unsigned i = 0; i < c->accept_count && !c->tunnel_count && !r; i++)
		r = plan_word(p, c->accept[i]);
	return r;
}

static bool lasts_longer(const struct accept_item *a, const struct accept_item *b)
{
	return a->until > b->until;
}

/* Where there is no room for all, those go that would have gone next; but for a roll nothing is given up. */
static int add_old(struct plan *p, unsigned current, struct accept_item item)
{
	unsigned at = p->next.count;

	while (at > current && lasts_longer(&item, &p->next.items[at - 1]))
		at--;
	if (p->next.count == MESH_ACCEPTS && p->roll)
		return -ENOSPC;
	if (at == MESH_ACCEPTS)
		return 0;
	if (p->next.count < MESH_ACCEPTS)
		p->next.count++;
	memmove(&p->next.items[at + 1], &p->next.items[at],
		(p->next.count - 1 - at) * sizeof(struct accept_item));
	p->next.items[at] = item;
	return 0;
}

static int plan_old(struct plan *p)
{
	unsigned current = p->next.count;
	int r = 0;

	for (unsigned i = 0; i < p->now->count && !r; i++) {
		struct accept_item item = p->now->items[i];

		if (find_place(&p->next, &item.how))
			continue;
		if (!item.old)
			item.until = p->at + p->config->roll_overlap;
		item.old = true;
		if (item.until > p->at)
			r = add_old(p, current, item);
	}
	return r;
}

/* ---- the table of the data plane ---- */

static bool has_row(const struct accept_list *l, const struct mesh_acceptance *row)
{
	for (unsigned i = 0; i < l->count; i++)
		if (l->items[i].row == row)
			return true;
	return false;
}

/* Rows that NOW has and NEXT has not go, the missing ones come. */
static int settle_rows(struct mesh_table *table, struct plan *p)
{
	int result = 0;

	for (unsigned i = 0; i < p->now->count; i++) {
		struct accept_item *item = &p->now->items[i];

		if (item->row && !has_row(&p->next, item->row))
			mesh_accept_remove(table, item->row);
	}
	for (unsigned i = 0; i < p->next.count; i++) {
		struct accept_item *item = &p->next.items[i];
		int r = item->row ? 0 : mesh_accept_add(table, &item->how, &item->row);

		if (r)
			result = result ? result : r;
		else if (item->row)
			item->row->old = item->old;
	}
	return result;
}

static void take_families(struct softwires *s)
{
	bool transit = s->afbr->config->transit;

	s->table->take4 = transit || s->core_family == AF_INET6;
	s->table->take6 = transit || s->core_family == AF_INET;
}

/* ---- the record ---- */

static void save(struct acceptor *t, const struct accept_list *l)
{
	struct softwires *s = t->softwires;
	uint8_t bytes[ACCEPT_RECORD];
	struct writer w = writer_of(bytes, sizeof(bytes));
	int r;

	if (!s->store)
		return;
	accept_record_write(&w, l);
	r = writer_ok(&w) ? store_put(s->store, &t->at, SOFTWIRE_RECORD_ACCEPT, bytes, writer_len(&w))
			  : -EMSGSIZE;
	if (r)
		log_message(s->afbr->log, LEVEL_WARN, "mesh-accept",
			"keys and cookies would not survive a restart: %s", strerror(-r));
}

static void read_record(struct acceptor *t, const struct store_record *found)
{
	struct softwires *s = t->softwires;
	const char *why = "two processes have ended at it";
	int r = -EBADMSG;

	t->at = found->at;
	if (!store_is_poison(s->store, SOFTWIRE_RECORD_ACCEPT))
		r = accept_record_read(reader_of(found->data, found->len), loop_clock(), &t->list, &why);
	if (!r)
		return;
	store_remove(s->store, &t->at);
	log_message(s->afbr->log, LEVEL_WARN, "mesh-accept",
		"the keys and cookies that others were told cannot be read (%s): there are new ones", why);
}

static void load(struct acceptor *t)
{
	struct softwires *s = t->softwires;
	struct store_record found;
	uint32_t cursor = 0;

	t->list.made = loop_clock();
	if (!s->store)
		return;
	store_work(s->store, SOFTWIRE_RECORD_ACCEPT);
	while (store_next(s->store, &cursor, &found))
		if (found.id == SOFTWIRE_RECORD_ACCEPT) {
			read_record(t, &found);
			break;
		}
	store_work(s->store, 0);
}

/* ---- from one list to the next ---- */

static void arm(struct acceptor *t)
{
	struct afbr *a = t->softwires->afbr;
	uint32_t interval = a->config->roll_interval;
	msec next = MSEC_NEVER;

	for (unsigned i = 0; i < t->list.count; i++)
		if (t->list.items[i].old)
			next = msec_min(next, t->list.items[i].until);
	wheel_arm(&a->loop->wheel, &t->expiry, next);
	wheel_arm(&a->loop->wheel, &t->roll,
		interval && !a->config->tunnel_count ? t->list.made + interval : MSEC_NEVER);
}

/* How many parameters are new; or -errno, and nothing has changed (but for -ENOMEM and the like, of single rows). */
static int arrange(struct acceptor *t, bool roll)
{
	struct softwires *s = t->softwires;
	struct plan p = {
		.acceptor = t, .config = s->afbr->config, .now = &t->list, .roll = roll, .at = loop_clock()};
	int r;

	p.next.made = roll ? p.at : t->list.made;
	r = plan_current(&p);
	if (!r)
		r = plan_old(&p);
	if (r)
		return r;
	save(t, &p.next);
	r = settle_rows(s->table, &p);
	t->list = p.next;
	arm(t);
	return r ? r : (int)p.made;
}

/* ---- what others are told ---- */

static struct bgp_tunnel tunnel_of(const struct accept_item *i, uint16_t protocol)
{
	const struct mesh_encapsulation *e = &i->how;
	struct bgp_tunnel t = {.type = words[i->word].type,
		.has_encapsulation = e->has_key || e->kind == MESH_L2TPV3,
		.session = e->session,
		.cookie_len = e->cookie_len,
		.has_key = e->has_key,
		.key = e->key,
		.protocol = bgp_tunnel_is_for_mpls(words[i->word].type) ? 0 : protocol};

	memcpy(t.cookie, e->cookie, sizeof(t.cookie));
	return t;
}

static bool has_word(const struct afbr_config *c, enum afbr_accept word)
{
	for (unsigned i = 0; i < c->accept_count; i++)
		if (c->accept[i] == word)
			return true;
	return false;
}

/* Would a tunnel that names no payload be taken for one of MPLS, too? GRE's header can name that; the others need a protocol or a session of their own. */
static bool is_ambiguous(const struct afbr_config *c, const struct accept_item *i)
{
	return i->how.kind == MESH_GRE && (i->how.has_key || !has_word(c, AFBR_ACCEPT_MPLS_IN_GRE));
}

/* The payloads that I is told with, a tunnel each; 0: all. How many. */
static unsigned payloads_of(const struct afbr_config *c, const struct accept_item *i, uint16_t ret[2])
{
	unsigned count = 0;

	if (i->how.mpls)
		ret[count++] = MESH_MPLS;
	else if (!c->transit)
		ret[count++] = c->core.family == AF_INET ? MESH_IP6 : MESH_IP4;
	else if (!is_ambiguous(c, i))
		ret[count++] = 0;
	else {
		ret[count++] = MESH_IP4;
		ret[count++] = MESH_IP6;
	}
	return count;
}

static unsigned tunnels_of(const struct acceptor *t, const struct afbr_config *c, struct bgp_tunnel *ret)
{
	unsigned count = 0;

	for (; count < c->tunnel_count && count < BGP_TUNNELS; count++)
		ret[count] = c->tunnels[count];
	for (unsigned i = 0; i < t->list.count && !c->tunnel_count; i++) {
		const struct accept_item *item = &t->list.items[i];
		uint16_t payloads[2];
		unsigned n = item->old || !item->row ? 0 : payloads_of(c, item, payloads);

		for (unsigned k = 0; k < n && count < BGP_TUNNELS; k++)
			ret[count++] = tunnel_of(item, payloads[k]);
	}
	return count;
}

/* All of it as bytes, to compare. */
static void describe(
	struct writer *w, const struct afbr_config *c, const struct bgp_tunnel *tunnels, unsigned count)
{
	record_put_addr(w, &c->core);
	bgp_tunnels_write(w, tunnels, count, false);
	for (unsigned i = 0; i < c->classes.color_count; i++)
		writer_u64(w, c->classes.colors[i]);
	writer_u8(w, (uint8_t)c->classes.color_count);
	for (unsigned i = 0; i < c->classes.community_count; i++)
		writer_u32(w, c->classes.communities[i]);
}

void accept_tell(struct softwires *s)
{
	struct acceptor *t = s->acceptor;
	const struct afbr_config *c = s->afbr->config;
	struct bgp_tunnel tunnels[BGP_TUNNELS];
	unsigned count = tunnels_of(t, c, tunnels);
	uint8_t bytes[ACCEPT_TOLD];
	struct writer w = writer_of(bytes, sizeof(bytes));

	if (!s->afbr->bgp)
		return;
	describe(&w, c, tunnels, count);
	if (writer_ok(&w) && t->told_len == writer_len(&w) && !memcmp(t->told, bytes, t->told_len))
		return;
	t->told_len = 0;
	if (bgp_set_tunnels(s->afbr->bgp, &c->core, tunnels, count, &c->classes, loop_clock())) {
		log_message(s->afbr->log, LEVEL_ERROR, "mesh-accept",
			"not enough memory to tell others what softwires they may send");
		return;
	}
	t->told_len = writer_ok(&w) ? writer_len(&w) : 0;
	memcpy(t->told, bytes, t->told_len);
}

/* ---- rolls ---- */

static bool has_parameters(const struct afbr_config *c)
{
	for (unsigned i = 0; i < c->accept_count && !c->tunnel_count; i++)
		if (accept_word_rolls(c->accept[i]))
			return true;
	return false;
}

static int roll(struct acceptor *t, const char *reason)
{
	struct afbr *a = t->softwires->afbr;
	int count = has_parameters(a->config) ? arrange(t, true) : 0;
	struct log_line l;

	if (!count)
		return 0;
	if (count < 0) {
		log_message(a->log, LEVEL_WARN, "mesh-roll", "keys and cookies stay as they are: %s",
			count == -ENOSPC ? "those of earlier rolls are still taken" : strerror(-count));
		arm(t);
		return count;
	}
	t->rolls++;
	if (log_begin(a->log, &l, LEVEL_INFO, "mesh-roll")) {
		log_text(&l, "reason", reason);
		log_uint(&l, "new", (unsigned)count);
		log_uint(&l, "old_taken_seconds", a->config->roll_overlap / 1000);
		log_end(&l);
	}
	accept_tell(t->softwires);
	return count;
}

int accept_roll(struct softwires *s)
{
	return roll(s->acceptor, "operator");
}

static void roll_due(struct wheel_timer *timer, msec now)
{
	struct acceptor *t = container_of(timer, struct acceptor, roll);

	/* One that could not be done is tried again after another interval. */
	if (roll(t, "interval") < 0)
		wheel_arm(&t->softwires->afbr->loop->wheel, timer,
			now + t->softwires->afbr->config->roll_interval);
}

static void expired(struct wheel_timer *timer, msec now)
{
	struct acceptor *t = container_of(timer, struct acceptor, expiry);
	unsigned before = t->list.count;

	(void)arrange(t, false);
	log_message(t->softwires->afbr->log, LEVEL_INFO, "mesh-accept",
		"%u old ways to send to us are not taken any more", before - t->list.count);
}

/* ---- life ---- */

static int renew(struct softwires *s)
{
	int r;

	take_families(s);
	r = arrange(s->acceptor, false);
	accept_tell(s);
	return r < 0 ? r : 0;
}

int accept_start(struct softwires *s)
{
	struct acceptor *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->softwires = s;
	t->roll.fire = roll_due;
	t->expiry.fire = expired;
	s->acceptor = t;
	load(t);
	return renew(s);
}

void accept_change(struct softwires *s, const struct afbr_config *old)
{
	int r = renew(s);

	if (r)
		log_message(s->afbr->log, LEVEL_ERROR, "mesh-accept",
			"not all that `accept` names is taken: %s", strerror(-r));
}

void accept_free(struct softwires *s)
{
	struct acceptor *t = s->acceptor;

	if (!t)
		return;
	wheel_disarm(&s->afbr->loop->wheel, &t->roll);
	wheel_disarm(&s->afbr->loop->wheel, &t->expiry);
	free(t);
	s->acceptor = NULL;
}
