/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the log says of the mesh: one line per event, which names the neighbour, what happened, and why. A peer can provoke any number of most of them, so
 * they are limited, for each neighbour by itself: one that flaps does not silence the others; and the beginning and end of its session apart from the rest, so that
 * a thousand wrong UPDATEs do not hide what became of it.
 */
#include <stdio.h>
#include <string.h>

#include "afbr/softwires.h"
#include "lib/text.h"

enum { LINES_PER_SECOND = 1, LINES_BURST = 30, STRANGERS_PER_SECOND = 1, STRANGERS_BURST = 5, NAMED = 8 };

static bool begin_limited(struct afbr *a, const struct bgp_neighbor *n, struct log_line *l,
	enum log_level level, const char *event, struct limit *limit)
{
	struct bgp_neighbor_view view;

	if (!a->log || level > a->log->level ||
		!limit_ok(limit, loop_clock(), LINES_PER_SECOND, LINES_BURST) ||
		!log_begin(a->log, l, level, event))
		return false;
	bgp_neighbor_view(n, &view);
	log_text(l, "neighbor", view.config->name);
	log_addr(l, "address", &view.config->address);
	if (*view.config->interface)
		log_text(l, "interface", view.config->interface);
	if (limit->suppressed)
		log_uint(l, "suppressed", limit->suppressed);
	limit->suppressed = 0;
	return true;
}

/* A line about N that its peer can provoke. False: not now. */
static bool begin(struct afbr *a, const struct bgp_neighbor *n, struct log_line *l, enum log_level level,
	const char *event)
{
	return begin_limited(a, n, l, level, event, &a->peers[bgp_neighbor_source(n)].lines);
}

/* The same about its session. */
static bool begin_session(struct afbr *a, const struct bgp_neighbor *n, struct log_line *l,
	enum log_level level, const char *event)
{
	return begin_limited(a, n, l, level, event, &a->peers[bgp_neighbor_source(n)].session_lines);
}

static void log_error(struct log_line *l, const struct bgp_event *e)
{
	const char *code = "";
	char name[64];

	if (!e->error)
		return;
	if (e->error->code) {
		code = bgp_error_name(e->error->code, e->error->subcode, name);
		log_text(l, "code", code);
		log_text(l, "notification", e->sent ? "sent" : "received");
	}
	if (*e->error->reason && strcmp(e->error->reason, code) != 0)
		log_text(l, "reason", e->error->reason);
}

static void log_prefix_of(struct log_line *l, const struct bgp_event *e)
{
	log_text(l, "family", bgp_family_name(e->family));
	if (e->nlri)
		log_prefix(l, "prefix", &e->nlri->prefix);
}

/* ---- by kind ---- */

static void log_session(struct log_line *l, const struct bgp_neighbor *n)
{
	struct bgp_neighbor_view view;
	char families[128] = "", id[ADDR_TEXT];
	struct text t = {families, sizeof(families), 0};
	struct addr router;

	bgp_neighbor_view(n, &view);
	router = addr4((uint8_t)(view.remote_id >> 24), (uint8_t)(view.remote_id >> 16),
		(uint8_t)(view.remote_id >> 8), (uint8_t)view.remote_id);
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		if (view.family[f].on)
			text_add(&t, "%s%s", t.len ? "," : "", bgp_family_name((enum bgp_family)f));
	log_uint(l, "as", view.config->as);
	log_text(l, "router-id", addr_print(&router, id));
	log_addr(l, "local", &view.local.addr);
	log_uint(l, "hold-s", view.hold_time);
	log_text(l, "families", families);
}

static void tell_state(struct afbr *a, const struct bgp_event *e)
{
	bool up = e->to == BGP_ESTABLISHED, down = e->from == BGP_ESTABLISHED;
	struct log_line l;

	if (!(up || down ? begin_session : begin)(a, e->neighbor, &l,
		    up     ? LEVEL_INFO
		    : down ? LEVEL_WARN
			   : LEVEL_DEBUG,
		    up     ? "bgp-up"
		    : down ? "bgp-down"
			   : "bgp-state"))
		return;
	log_text(&l, "from", bgp_state_name(e->from));
	log_text(&l, "to", bgp_state_name(e->to));
	if (up)
		log_session(&l, e->neighbor);
	else
		log_error(&l, e);
	log_end(&l);
}

/* One that never became a session: a session's end is told as its state. */
static void tell_connection(struct afbr *a, const struct bgp_event *e)
{
	struct log_line l;

	if (!begin(a, e->neighbor, &l, LEVEL_INFO, "bgp-connection"))
		return;
	log_error(&l, e);
	log_end(&l);
}

static void tell_update(struct afbr *a, const struct bgp_event *e)
{
	static const char *const outcomes[] = {[BGP_ACCEPT] = "accepted",
		[BGP_DISCARD] = "attribute left out",
		[BGP_WITHDRAW] = "treated as withdrawn",
		[BGP_FATAL] = "session reset"};
	struct log_line l;

	if (!begin(a, e->neighbor, &l, LEVEL_WARN, "bgp-update"))
		return;
	log_prefix_of(&l, e);
	log_text(&l, "outcome", outcomes[e->outcome]);
	log_error(&l, e);
	log_end(&l);
}

static void tell_max_prefix(struct afbr *a, const struct bgp_event *e)
{
	struct bgp_neighbor_view view;
	struct log_line l;

	if (!begin_session(a, e->neighbor, &l, e->final ? LEVEL_ERROR : LEVEL_WARN, "bgp-max-prefix"))
		return;
	bgp_neighbor_view(e->neighbor, &view);
	log_text(&l, "family", bgp_family_name(e->family));
	log_uint(&l, "routes", e->count);
	log_uint(&l, "max-prefix", view.config->limits[e->family].max_prefix);
	log_text(
		&l, "reason", e->final ? "more routes than it may tell: the session ends" : "near its limit");
	log_end(&l);
}

static void tell_count(
	struct afbr *a, const struct bgp_event *e, enum log_level level, const char *event, const char *step)
{
	struct log_line l;

	if (!begin(a, e->neighbor, &l, level, event))
		return;
	log_text(&l, "family", bgp_family_name(e->family));
	if (e->kind == BGP_EVENT_ROUTES || e->kind == BGP_EVENT_STALE)
		log_uint(&l, "routes", e->count);
	log_text(&l, "step", step);
	log_end(&l);
}

static void tell_untold(struct afbr *a, const struct bgp_event *e)
{
	struct log_line l;

	if (!begin(a, e->neighbor, &l, LEVEL_WARN, "bgp-untold"))
		return;
	log_prefix_of(&l, e);
	log_error(&l, e);
	log_end(&l);
}

/*
 * A neighbour that is an endpoint of softwires, and whose session is over, is taken for dead until its routes are gone. Not while they are kept, as of one that
 * restarts and goes on forwarding meanwhile (RFC 4724).
 */
static void tell_softwires(struct afbr *a, const struct bgp_event *e)
{
	bool up = e->kind == BGP_EVENT_STATE && e->to == BGP_ESTABLISHED;
	bool over = e->kind == BGP_EVENT_STATE ? e->from == BGP_ESTABLISHED : e->kind == BGP_EVENT_STALE && e->final;
	struct bgp_neighbor_view view;

	if (!a->softwires || a->stopping || (!up && !over))
		return;
	bgp_neighbor_view(e->neighbor, &view);
	if (up || view.flushing || (e->kind == BGP_EVENT_STALE && view.state != BGP_ESTABLISHED))
		endpoint_peer(a, &view.config->address, up);
}

void event_tell(struct bgp *b, const struct bgp_event *e)
{
	struct afbr *a = afbr_of(b);

	tell_softwires(a, e);
	switch (e->kind) {
	case BGP_EVENT_STATE:
		mrt_state(a, e);
		tell_state(a, e);
		break;
	case BGP_EVENT_CONNECTION:
		tell_connection(a, e);
		break;
	case BGP_EVENT_UPDATE:
		tell_update(a, e);
		break;
	case BGP_EVENT_MAX_PREFIX:
		tell_max_prefix(a, e);
		break;
	case BGP_EVENT_END_OF_RIB:
		tell_count(a, e, LEVEL_DEBUG, "bgp-end-of-rib", "it has told all its routes");
		break;
	case BGP_EVENT_REFRESH:
		tell_count(a, e, LEVEL_INFO, "bgp-refresh", "it wants all routes again");
		break;
	case BGP_EVENT_STALE:
		tell_count(a, e, LEVEL_INFO, "bgp-stale",
			e->final ? "old routes that it did not tell again are gone"
				 : "it may be restarting: its routes are kept for a while");
		break;
	case BGP_EVENT_ROUTES:
		tell_count(a, e, LEVEL_INFO, "bgp-routes", "its first routes are in");
		break;
	case BGP_EVENT_UNTOLD:
		tell_untold(a, e);
		break;
	}
}

/* ---- who comes ---- */

/* Those of FAMILY: what would have been right. */
static void log_neighbors(struct log_line *l, const struct afbr *a, uint8_t family)
{
	char names[512] = "", address[ADDR_TEXT];
	struct text t = {names, sizeof(names), 0};
	unsigned count = 0;

	for (struct bgp_neighbor *n = bgp_neighbor_next(a->bgp, NULL); n; n = bgp_neighbor_next(a->bgp, n)) {
		struct bgp_neighbor_view view;

		bgp_neighbor_view(n, &view);
		if (view.config->address.family != family)
			continue;
		if (count++ < NAMED)
			text_add(&t, "%s%s (%s)", t.len ? ", " : "",
				addr_print(&view.config->address, address), view.config->name);
	}
	if (count > NAMED)
		text_add(&t, " and %u others", count - NAMED);
	log_text(l, "neighbors", count ? names : "none of this family");
}

void event_stranger(
	struct afbr *a, const struct endpoint *remote, const struct endpoint *local, unsigned interface)
{
	struct log_line l;

	if (!limit_ok(&a->stranger_lines, loop_clock(), STRANGERS_PER_SECOND, STRANGERS_BURST) ||
		!log_begin(a->log, &l, LEVEL_WARN, "bgp-stranger"))
		return;
	log_addr(&l, "address", &remote->addr);
	if (interface)
		log_uint(&l, "interface", interface);
	log_addr(&l, "local", &local->addr);
	log_text(&l, "reason", "no neighbor has this address; the connection was closed");
	log_neighbors(&l, a, remote->addr.family);
	if (a->stranger_lines.suppressed)
		log_uint(&l, "suppressed", a->stranger_lines.suppressed);
	a->stranger_lines.suppressed = 0;
	log_end(&l);
}

void event_refused(
	struct afbr *a, const struct bgp_neighbor *n, const struct endpoint *remote, const char *reason)
{
	struct log_line l;

	if (!begin(a, n, &l, LEVEL_WARN, "bgp-refused"))
		return;
	log_endpoint(&l, "from", remote);
	log_text(&l, "reason", reason);
	log_end(&l);
}

/* ---- TCP-MD5 ---- */

void event_wrong_signatures(struct afbr *a, uint64_t segments)
{
	char names[512] = "";
	struct text t = {names, sizeof(names), 0};
	struct log_line l;

	if (!log_begin(a->log, &l, LEVEL_WARN, "bgp-md5"))
		return;
	for (struct bgp_neighbor *n = bgp_neighbor_next(a->bgp, NULL); n; n = bgp_neighbor_next(a->bgp, n)) {
		struct bgp_neighbor_view view;

		bgp_neighbor_view(n, &view);
		if (view.state != BGP_ESTABLISHED && !view.config->shutdown)
			text_add(&t, "%s%s%s", t.len ? ", " : "", view.config->name,
				*view.config->password_file ? "" : " (without a password)");
	}
	log_uint(&l, "segments", segments);
	log_text(&l, "neighbors", names);
	log_text(&l, "reason",
		"the kernel throws away what is signed with another password, or is not signed, or is and "
		"should not be: "
		"one of these neighbors, which are not up, may have another password than we");
	log_end(&l);
}
