/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"

static struct stage *stage_of(const struct bgp *b)
{
	return bgp_owner(b);
}

static struct peer *peer_of(const struct bgp_connection *c)
{
	return bgp_connection_owner(c);
}

/* ---- what the engine asks of its owner ---- */

static void on_connect(struct bgp *b, struct bgp_connection *c)
{
	fail_msg("the engine was not to connect");
}

static void on_wake(struct bgp *b, struct bgp_connection *c)
{
	struct peer *p = peer_of(c);

	assert_false(p->awake);
	p->awake = true;
}

static void peer_hears(struct peer *p, const uint8_t *bytes, size_t len);

static void on_close(struct bgp *b, struct bgp_connection *c, const uint8_t *last, size_t len)
{
	struct peer *p = peer_of(c);

	if (len)
		peer_hears(p, last, len);
	p->connection = NULL;
	p->awake = false;
}

static void on_next_hop(struct bgp *b, struct bgp_next_hop *n, bool wanted)
{
	if (wanted)
		bgp_next_hop_answer(b, n, true, 0, NULL);
}

static void on_event(struct bgp *b, const struct bgp_event *e)
{
	struct stage *s = stage_of(b);
	struct stage_event *to;

	if (s->event_count == STAGE_EVENTS)
		return;
	to = &s->events[s->event_count++];
	*to = (struct stage_event){.kind = e->kind,
		.neighbor = e->neighbor,
		.family = e->family,
		.outcome = e->outcome,
		.count = e->count,
		.final = e->final};
	if (e->error)
		to->error = *e->error;
	if (e->nlri)
		to->prefix = e->nlri->prefix;
}

static void on_routes(struct bgp *b, enum bgp_family f)
{
}

static void on_work(struct bgp *b)
{
	stage_of(b)->work = true;
}

/* ---- the stage ---- */

void stage_open(struct stage *s)
{
	struct bgp_config config = {.as = 65000, .id = 0x0a000001, .restart_wait = 120000};

	*s = (struct stage){.now = 1000000};
	s->ops = (struct bgp_ops){.connect = on_connect,
		.wake = on_wake,
		.close = on_close,
		.next_hop = on_next_hop,
		.event = on_event,
		.routes = on_routes,
		.work = on_work};
	rng_init_seed(&s->rng, 1);
	wheel_init(&s->wheel, s->now);
	s->b = bgp_new(&config, &s->ops, &s->wheel, &s->rng, s);
	assert_non_null(s->b);
}

void stage_close(struct stage *s)
{
	for (unsigned i = 0; i < s->peer_count; i++)
		bgp_neighbor_remove(s->peers[i]->neighbor);
	while (bgp_work(s->b, 100000, s->now))
		;
	for (unsigned f = 0; f < BGP_FAMILIES; f++) {
		struct rib *r = bgp_rib(s->b, (enum bgp_family)f);

		for (rib_id net = rib_walk(r, 0); net; net = rib_walk(r, net))
			for (const struct rib_path *p = rib_first_path(r, net); p; p = rib_next_path(r, p))
				assert_int_equal(p->source, 0);
	}
	bgp_free(s->b);
	for (unsigned i = 0; i < s->peer_count; i++) {
		free(s->peers[i]->told);
		free(s->peers[i]);
	}
}

static bool peer_reads(struct peer *p)
{
	static uint8_t buf[BGP_OUTPUT];
	size_t n;

	if (!p->connection || !p->awake || p->deaf)
		return false;
	n = bgp_output(p->connection, buf, sizeof buf, p->stage->now);
	if (n)
		peer_hears(p, buf, n);
	else
		p->awake = false;
	return true;
}

void stage_run(struct stage *s)
{
	bool more = true;

	while (more) {
		more = false;
		if (s->work) {
			s->work = bgp_work(s->b, 1000, s->now);
			more = true;
		}
		for (unsigned i = 0; i < s->peer_count; i++)
			more |= peer_reads(s->peers[i]);
	}
}

void stage_pass(struct stage *s, msec ms)
{
	msec end = s->now + ms;

	stage_run(s);
	while (s->now < end) {
		s->now = msec_min(end, wheel_next(&s->wheel));
		wheel_advance(&s->wheel, s->now);
		stage_run(s);
	}
}

const struct stage_event *stage_find(const struct stage *s, enum bgp_event_kind kind)
{
	for (unsigned i = s->event_count; i > 0; i--)
		if (s->events[i - 1].kind == kind)
			return &s->events[i - 1];
	return NULL;
}

void stage_forget_events(struct stage *s)
{
	s->event_count = 0;
}

/* ---- what a peer hears ---- */

static void peer_logs(struct peer *p, char what, enum bgp_family f)
{
	if (p->log_count < PEER_LOG)
		p->log[p->log_count++] = (struct peer_log){what, f};
}

static struct told *find_told(const struct peer *p, enum bgp_family f, const struct prefix *prefix)
{
	for (unsigned i = 0; i < p->told_count; i++)
		if (p->told[i].family == f && prefix_equal(&p->told[i].nlri.prefix, prefix))
			return &p->told[i];
	return NULL;
}

static void hears_route(struct peer *p, enum bgp_family f, const struct bgp_nlri *nlri,
	const struct bgp_update *u, const struct bgp_next_hop_value *next_hop)
{
	struct told *t;

	p->prefixes++;
	if (p->counts)
		return;
	t = find_told(p, f, &nlri->prefix);
	if (!t) {
		if (p->told_count == p->told_room) {
			p->told_room = p->told_room ? 2 * p->told_room : 16;
			p->told = realloc(p->told, p->told_room * sizeof *p->told);
			assert_non_null(p->told);
		}
		t = &p->told[p->told_count++];
		t->times = 0;
	}
	t->family = f;
	t->nlri = *nlri;
	t->next_hop = *next_hop;
	t->facts = u->facts;
	t->set_len = reader_left(&u->set) < PEER_SET ? reader_left(&u->set) : PEER_SET;
	memcpy(t->set, u->set.pos, t->set_len);
	t->at = p->stage->now;
	t->times++;
}

static void hears_withdrawn(struct peer *p, enum bgp_family f, struct reader list)
{
	struct bgp_nlri nlri;
	const char *why;

	while (bgp_nlri_read(&list, f, true, &nlri, &why) == 1) {
		struct told *t = find_told(p, f, &nlri.prefix);

		p->withdrawn++;
		if (t)
			*t = p->told[--p->told_count];
		else if (!p->counts)
			fail_msg("a route was withdrawn that the peer did not have");
	}
}

static void hears_announced(struct peer *p, enum bgp_family f, struct reader list, const struct bgp_update *u,
	const struct bgp_next_hop_value *next_hop)
{
	struct bgp_nlri nlri;
	const char *why;

	while (bgp_nlri_read(&list, f, false, &nlri, &why) == 1)
		hears_route(p, f, &nlri, u, next_hop);
}

static void hears_update(struct peer *p, struct reader body)
{
	static uint8_t scratch[BGP_SET_MAX];
	struct bgp_update u;
	struct bgp_error error;

	p->updates++;
	assert_int_equal(bgp_update_read(body, &p->form, scratch, sizeof scratch, &u, &error), 0);
	if (u.outcome != BGP_ACCEPT)
		fail_msg("the engine's UPDATE: %s", u.reason);
	if (u.end_of_rib) {
		peer_logs(p, 'e', u.end_family);
		return;
	}
	if (reader_left(&u.withdrawn) || u.has_unreach)
		peer_logs(p, 'w', u.has_unreach ? u.unreach_family : BGP_IPV4);
	if (reader_left(&u.announced) || u.has_reach)
		peer_logs(p, 'u', u.has_reach ? u.reach_family : BGP_IPV4);
	hears_withdrawn(p, BGP_IPV4, u.withdrawn);
	if (u.has_unreach)
		hears_withdrawn(p, u.unreach_family, u.unreach);
	hears_announced(p, BGP_IPV4, u.announced, &u, &u.next_hop);
	if (u.has_reach)
		hears_announced(p, u.reach_family, u.reach, &u, &u.reach_next_hop);
}

static void hears_refresh(struct peer *p, struct reader body)
{
	static const char what[] = {'r', 'b', 'R'};
	enum bgp_family f;
	enum bgp_refresh_kind kind;
	struct bgp_error error;

	assert_int_equal(bgp_refresh_read(body, &f, &kind, &error), 0);
	peer_logs(p, what[kind], f);
}

static void peer_hears_one(struct peer *p, const struct bgp_header *h, struct reader body)
{
	p->messages++;
	if (h->length > p->longest)
		p->longest = h->length;
	switch (h->type) {
	case BGP_UPDATE:
		hears_update(p, body);
		break;
	case BGP_REFRESH:
		hears_refresh(p, body);
		break;
	case BGP_NOTIFICATION:
		bgp_notification_read(body, &p->notification);
		peer_logs(p, 'n', BGP_IPV4);
		break;
	case BGP_KEEPALIVE:
		peer_logs(p, 'k', BGP_IPV4);
		break;
	default:
		break;
	}
}

static void peer_hears(struct peer *p, const uint8_t *bytes, size_t len)
{
	struct bgp_header h;
	struct bgp_error error;
	size_t used = 0;

	memcpy(p->bytes + p->kept, bytes, len);
	len += p->kept;
	while (bgp_header_read(p->bytes + used, len - used, BGP_EXTENDED_MAX, &h, &error) == 1 &&
		len - used >= h.length) {
		peer_hears_one(p, &h, reader_of(p->bytes + used + BGP_HEADER, h.length - BGP_HEADER));
		used += h.length;
	}
	p->kept = len - used;
	memmove(p->bytes, p->bytes + used, p->kept);
}

/* ---- sessions ---- */

struct addr addr_from(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

struct prefix prefix_from(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

struct bgp_neighbor_config peer_config(const char *name, uint32_t as, const char *address)
{
	struct bgp_neighbor_config c = {
		.address = addr_from(address),
		.port = BGP_PORT,
		.as = as,
		.families = (1 << BGP_FAMILIES) - 1,
		.passive = true,
		.hold_time = 180000,
		.connect_retry = 30000,
		.idle_hold = 1000,
		.extended_next_hop = true,
		.refresh = true,
		.as4 = true,
	};

	strncat(c.name, name, sizeof c.name - 1);
	return c;
}

const struct policy *policy_all(void)
{
	static struct policy_rule rule = {.then = POLICY_ACCEPT};
	static const struct policy p = {.name = "all", .rule_count = 1, .rules = &rule};

	return &p;
}

struct bgp_neighbor_config peer_external_config(const char *name, const char *address)
{
	struct bgp_neighbor_config c = peer_config(name, 64512, address);

	c.import_policy = c.export_policy = policy_all();
	c.has_import = c.has_export = true;
	return c;
}

struct peer *peer_internal(struct stage *s, const char *name, const char *address)
{
	struct bgp_neighbor_config c = peer_config(name, 65000, address);

	c.client = true;
	return peer_up(s, &c, NULL);
}

struct peer *peer_external(struct stage *s, const char *name, const char *address)
{
	struct bgp_neighbor_config c = peer_external_config(name, address);

	return peer_up(s, &c, NULL);
}

static void agree(struct peer *p)
{
	const struct bgp_capabilities *ours = &p->connection->sent.capabilities,
				      *theirs = &p->open.capabilities;

	p->form = (struct bgp_form){
		.as4 = ours->as4 && theirs->as4,
		.external = neighbor_is_external(p->neighbor),
		.families = ours->families & theirs->families,
		.extended_next_hop = ours->extended_next_hop & theirs->extended_next_hop,
		.max_message = ours->extended_message && theirs->extended_message ? BGP_EXTENDED_MAX
										  : BGP_MESSAGE_MAX,
	};
}

void peer_says(struct peer *p, const void *bytes, size_t len)
{
	size_t used;

	if (!p->connection)
		return;
	used = bgp_input(p->connection, bytes, len, p->stage->now);
	if (p->connection)
		assert_int_equal(used, len);
}

void peer_again(struct peer *p)
{
	uint8_t buf[1024];
	struct writer w = writer_of(buf, sizeof buf);

	p->told_count = 0;
	p->kept = 0;
	p->notification.code = 0;
	p->connection = bgp_accept(p->neighbor, p->stage->now);
	assert_non_null(p->connection);
	bgp_connection_set_owner(p->connection, p);
	bgp_connected(p->connection, &p->local, &p->remote, addr_is_link_local(&p->remote.addr) ? 3 : 0,
		p->stage->now);
	stage_run(p->stage);
	bgp_open_write(&w, &p->open);
	bgp_keepalive_write(&w);
	agree(p);
	peer_says(p, buf, writer_len(&w));
	assert_non_null(p->connection);
	stage_run(p->stage);
	assert_ptr_equal(p->neighbor->up, p->connection);
}

struct peer *peer_up(
	struct stage *s, const struct bgp_neighbor_config *config, const struct bgp_capabilities *offers)
{
	struct peer *p = calloc(1, sizeof *p);

	assert_non_null(p);
	p->stage = s;
	s->peers[s->peer_count++] = p;
	assert_int_equal(bgp_neighbor_add(s->b, config, &p->neighbor), 0);
	bgp_neighbor_start(p->neighbor);
	p->local = (struct endpoint){config->local_address, BGP_PORT};
	if (addr_is_none(&p->local.addr))
		p->local.addr = addr_from(config->address.family == AF_INET ? "192.0.2.1" : "2001:db8::1");
	p->remote = (struct endpoint){config->address, 40000};
	p->open = (struct bgp_open){.as = config->as, .hold_time = 180, .id = 0x0a000001 + s->peer_count};
	p->open.capabilities = offers ? *offers
				      : (struct bgp_capabilities){.families = config->families,
						.extended_next_hop = BGP_FAMILY_BIT(BGP_IPV4) |
								     BGP_FAMILY_BIT(BGP_IPV4_LABELED),
						.as4 = true,
						.refresh = true,
						.enhanced_refresh = true,
						.extended_message = true};
	peer_again(p);
	return p;
}

/* ---- what a peer says ---- */

struct reader attributes_of(struct attributes *a, const uint32_t *path, unsigned count, bool local_pref)
{
	uint8_t value[2 + 4 * 255], zero = 0;
	struct writer v = writer_of(value, sizeof value);

	a->w = writer_of(a->bytes, sizeof a->bytes);
	bgp_attribute_put(&a->w, BGP_FLAG_TRANSITIVE, BGP_ORIGIN, &zero, 1);
	if (count) {
		writer_u8(&v, BGP_AS_SEQUENCE);
		writer_u8(&v, (uint8_t)count);
	}
	for (unsigned i = 0; i < count; i++)
		writer_u32(&v, path[i]);
	bgp_attribute_put(&a->w, BGP_FLAG_TRANSITIVE, BGP_AS_PATH, value, writer_len(&v));
	if (local_pref)
		bgp_attribute_put(&a->w, BGP_FLAG_TRANSITIVE, BGP_LOCAL_PREFERENCE, "\0\0\0\x64", 4);
	assert_true(writer_ok(&a->w));
	return reader_of(a->bytes, writer_len(&a->w));
}

struct reader peer_set(
	const struct peer *p, const uint32_t *path, unsigned count, const struct bgp_edit *more)
{
	static struct attributes a;
	static uint8_t edited[BGP_SET_MAX];
	struct writer w = writer_of(edited, sizeof edited);
	struct reader set = attributes_of(&a, path, count, !p->form.external);

	if (!more)
		return set;
	assert_int_equal(bgp_set_edit(set, more, &w), 0);
	return reader_of(edited, writer_len(&w));
}

void peer_tells(struct peer *p, enum bgp_family f, struct reader set, const char *next_hop,
	const char *const *prefixes)
{
	static uint8_t buf[BGP_OUTPUT];
	struct addr a = addr_from(next_hop), none = {0};
	struct bgp_next_hop_value value = {
		addr_is_link_local(&a) ? none : a, addr_is_link_local(&a) ? a : none};
	struct bgp_update_writer u;
	struct writer w = writer_of(buf, sizeof buf);

	assert_int_equal(bgp_update_begin(&u, &w, &p->form, f, set, &value), 0);
	for (; *prefixes; prefixes++) {
		struct bgp_nlri nlri = {
			.prefix = prefix_from(*prefixes), .label = bgp_family_labeled(f) ? 77 : 0};

		assert_true(bgp_update_add(&u, &nlri));
	}
	bgp_update_end(&u);
	peer_says(p, buf, writer_len(&w));
}

void peer_tells_one(
	struct peer *p, enum bgp_family f, struct reader set, const char *next_hop, const char *prefix)
{
	const char *const prefixes[] = {prefix, NULL};

	peer_tells(p, f, set, next_hop, prefixes);
}

void peer_withdraws(struct peer *p, enum bgp_family f, const char *prefix)
{
	uint8_t buf[BGP_MESSAGE_MAX];
	struct bgp_nlri nlri = {.prefix = prefix_from(prefix)};
	struct bgp_update_writer u;
	struct writer w = writer_of(buf, sizeof buf);

	assert_int_equal(bgp_update_begin_withdraw(&u, &w, &p->form, f), 0);
	assert_true(bgp_update_add(&u, &nlri));
	bgp_update_end(&u);
	peer_says(p, buf, writer_len(&w));
}

void peer_ends_rib(struct peer *p, enum bgp_family f)
{
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof buf);

	bgp_end_of_rib_write(&w, f);
	peer_says(p, buf, writer_len(&w));
}

void peer_refreshes(struct peer *p, enum bgp_family f, enum bgp_refresh_kind kind)
{
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof buf);

	bgp_refresh_write(&w, f, kind);
	peer_says(p, buf, writer_len(&w));
}

/* ---- what is where ---- */

const struct told *peer_has(const struct peer *p, enum bgp_family f, const char *prefix)
{
	struct prefix x = prefix_from(prefix);

	return find_told(p, f, &x);
}

void peer_forget(struct peer *p)
{
	p->messages = p->updates = p->prefixes = p->withdrawn = 0;
	p->log_count = 0;
	p->longest = 0;
}

struct reader told_set(const struct told *t)
{
	return reader_of(t->set, t->set_len);
}

const struct rib_path *peer_path(const struct peer *p, enum bgp_family f, const char *prefix)
{
	struct rib *r = bgp_rib(p->stage->b, f);
	struct prefix x = prefix_from(prefix);

	rib_id net = rib_find(r, &x);

	for (const struct rib_path *path = net ? rib_first_path(r, net) : NULL; path;
		path = rib_next_path(r, path))
		if (path->source == bgp_neighbor_source(p->neighbor))
			return path;
	return NULL;
}
