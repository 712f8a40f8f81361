/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One attempt: a socket of its own, a row in the data plane, an engine; and what the engine asks for and tells.
 *
 * Each attempt has a new source port, so that a NAT whose old mapping went wrong makes a new one. Several may be under way (race.c), one leads:
 * its row is where the device's packets go, and what it learns goes into the kernel. One that is over lingers until its peer has acknowledged
 * the end, or a while.
 */
#include "initiator/role.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report/report.h"

enum { LINGERING_MAX = 16, COMPLETE_MS = 5000 };

static struct attempt *attempt_of(struct softwire *s)
{
	return container_of(container_of(s, struct softwire_si, softwire), struct attempt, engine);
}

/* ---- what the engine asks for ---- */

static void engine_send(struct softwire *s, const uint8_t *payload, size_t len)
{
	struct attempt *a = attempt_of(s);

	if (!a->mute)
		tun_plane_send(a->role->plane, a->listener, NULL, &a->server, payload, len);
}

static void engine_want_tunnel_secret(struct softwire *s, const char *host_name)
{
	struct initiator *i = attempt_of(s)->role;

	softwire_tunnel_secret(s, i->tunnel_secret, i->tunnel_secret_len, s->now);
}

static const char *family_name(uint8_t family)
{
	return family == AF_INET6 ? "ipv6" : "ipv4";
}

void attempt_set_up(struct attempt *a)
{
	const struct softwire *s = &a->engine.softwire;

	a->row->peer_tunnel = s->tunnel.peer_tunnel;
	a->row->peer_session = s->tunnel.peer_session;
	a->row->mtu = s->mtu;
	a->row->copy_ecn = s->tunnel.same_vendor;
	a->row->mss_mtu = a->role->config.mss_clamp ? s->mtu : 0;
	a->row->up6 = s->up6;
	a->row->up4 = s->up4;
	if (s->ppp.peer_mru < a->up_mtu)
		a->up_mtu = s->ppp.peer_mru;
}

static void set_family(struct attempt *a, uint8_t family, bool up)
{
	if (family == AF_INET6)
		a->row->up6 = up;
	else
		a->row->up4 = up;
}

bool attempt_log(const struct attempt *a, struct log_line *l, enum log_level level, const char *event)
{
	if (!log_begin(a->role->log, l, level, event))
		return false;
	log_text(l, "initiator", a->role->config.name);
	log_uint(l, "softwire", a->id);
	log_endpoint(l, "peer", &a->server);
	return true;
}

/* ---- one that follows, and leads ---- */

bool attempt_is_complete(const struct attempt *a, msec now)
{
	const struct softwire *s = &a->engine.softwire;
	const struct softwire_si_state *state = &a->engine.state;
	const struct initiator_config *c = &a->role->config;

	if (!s->up_at || s->step != STEP_UP)
		return false;
	if (now - s->up_at >= COMPLETE_MS || a->purpose == RACE_SUSPECT)
		return true;
	if (c->ipv6 && (!s->up6 || !state->router_known || (c->want_prefix && !state->has_binding)))
		return false;
	return !c->ipv4 || (s->up4 && !addr_is_none(&state->address4) && (!c->want_subnet || state->has_binding4));
}

static void look_at_follower(struct attempt *a)
{
	if (attempt_is_complete(a, a->engine.softwire.now))
		attempt_lead(a, a->purpose == RACE_HOME ? "a better server is back" : "the old one does not answer");
}

static void linger(struct attempt *a)
{
	struct initiator *i = a->role;
	struct attempt **p = &i->lingering;

	a->stage = ATTEMPT_LINGERS;
	a->next = i->lingering;
	i->lingering = a;
	for (unsigned n = 0; *p && n < LINGERING_MAX; n++)
		p = &(*p)->next;
	if (*p) /* the oldest */
		attempt_free(*p);
}

static void unlink_attempt(struct attempt *a)
{
	struct initiator *i = a->role;
	struct attempt **lists[] = {&i->racing, &i->lingering};

	if (i->current == a)
		i->current = NULL;
	if (i->follower == a)
		i->follower = NULL;
	for (unsigned n = 0; n < 2; n++)
		for (struct attempt **p = lists[n]; *p; p = &(*p)->next)
			if (*p == a) {
				*p = a->next;
				break;
			}
}

void attempt_drop(struct attempt *a, enum softwire_cause cause, const char *why)
{
	unlink_attempt(a);
	linger(a);
	softwire_close(&a->engine.softwire, cause, L2TP_STOP_CLEAR, 0, why, loop_now(a->role->loop));
}

void attempt_lead(struct attempt *a, const char *why)
{
	struct initiator *i = a->role;
	struct attempt *old = i->current;
	struct log_line l;

	unlink_attempt(a);
	a->stage = ATTEMPT_LEADS;
	i->current = a;
	dp_table_set_default(tun_plane_table(i->plane), a->row);
	i->down6_since = i->down4_since = i->unanswered_since = 0;
	i->state = a->engine.softwire.up6 || a->engine.softwire.up4 ? INITIATOR_UP : INITIATOR_CONNECTING;
	if (why && attempt_log(a, &l, LEVEL_INFO, "moved")) {
		if (old)
			log_endpoint(&l, "from", &old->server);
		log_text(&l, "reason", why);
		log_end(&l);
	}
	if (why)
		i->reconnects++;
	initiator_record_leads(i);
	if (old)
		attempt_drop(old, CAUSE_LOCAL, why ? why : "another softwire has taken its place");
	if (i->state != INITIATOR_UP)
		return;
	i->down_since = 0;
	i->last_error[0] = '\0';
	initiator_network_apply(i, &a->engine);
}

const struct attempt *attempt_shown(const struct initiator *i)
{
	const struct attempt *first = i->racing;

	while (first && first->next) /* the last one began first */
		first = first->next;
	return i->current ? i->current : first;
}

static void engine_up(struct softwire *s, uint8_t family)
{
	struct attempt *a = attempt_of(s);
	struct initiator *i = a->role;
	struct log_line l;

	if (attempt_log(a, &l, LEVEL_INFO, "up")) {
		log_text(&l, "family", family_name(family));
		log_uint(&l, "mtu", s->mtu);
		log_uint(&l, "setup_ms", s->now - s->started_at);
		log_end(&l);
	}
	attempt_set_up(a);
	set_family(a, family, true);
	if (a == i->follower)
		look_at_follower(a);
	if (a != i->current)
		return;
	i->state = INITIATOR_UP;
	i->unanswered_since = 0;
	i->down_since = 0;
	i->last_error[0] = '\0';
	initiator_network_apply(i, &a->engine);
}

static void log_family(struct attempt *a, const char *event, uint8_t family, const char *why)
{
	struct log_line l;

	if (attempt_log(a, &l, LEVEL_WARN, event)) {
		log_text(&l, "family", family_name(family));
		log_text(&l, "reason", why);
		log_end(&l);
	}
}

/* The other one stays; the engine tries again from time to time. */
static void engine_family_refused(struct softwire *s, uint8_t family, const char *why)
{
	log_family(attempt_of(s), "family-refused", family, why);
}

static void engine_family_down(struct softwire *s, uint8_t family, const char *why)
{
	struct attempt *a = attempt_of(s);

	set_family(a, family, false);
	log_family(a, "family-down", family, why);
	if (a == a->role->current)
		initiator_hooks_changed(a->role);
}

static void engine_configured(struct softwire *s)
{
	struct attempt *a = attempt_of(s);

	if (a == a->role->follower)
		look_at_follower(a);
	else if (a == a->role->current)
		initiator_network_apply(a->role, &a->engine);
}

/* ---- the end ---- */

static void log_down(const struct attempt *a, const struct softwire_why *why)
{
	struct log_line l;

	if (attempt_log(a, &l, LEVEL_WARN, a->engine.softwire.up_at ? "down" : "setup-failed")) {
		log_text(&l, "step", softwire_step_name(why->step));
		log_text(&l, "cause", softwire_cause_name(why->cause));
		log_text(&l, "reason", why->text);
		log_end(&l);
	}
}

static void racer_down(struct attempt *a, const struct softwire_why *why, const char *text)
{
	if (!initiator_redirect_follow(a, ATTEMPT_RACES, why))
		initiator_race_lost(a, text, softwire_cause_name(why->cause));
}

/* The one that was to take over has failed; the current one is still there. */
static void follower_down(struct attempt *a, const struct softwire_why *why)
{
	struct initiator *i = a->role;

	if (initiator_redirect_follow(a, ATTEMPT_FOLLOWS, why))
		return;
	initiator_server_failed(i, a->server_index);
	initiator_race_go_on(i, a->purpose);
}

/* What there is instead, or what there will be. */
static void leader_down(struct attempt *a, const struct softwire_why *why, const char *text)
{
	struct initiator *i = a->role;
	msec up_at = a->engine.softwire.up_at;

	dp_table_set_default(tun_plane_table(i->plane), NULL);
	initiator_record_leads(i);
	i->down6_since = i->down4_since = 0;
	if (!i->down_since)
		i->down_since = a->engine.softwire.now;
	if (!i->follower || !i->follower->engine.softwire.up_at)
		initiator_hooks_down(i, why->text);
	initiator_note_error(i, text, softwire_cause_name(why->cause));
	if (i->stopping)
		return;
	if (!i->follower && initiator_redirect_follow(a, ATTEMPT_LEADS, why))
		return;
	if ((!up_at || why->cause == CAUSE_SHUTDOWN) && !a->mute) /* the next server, if there are several */
		initiator_server_failed(i, a->server_index);
	if (a->mute)
		i->failures = 0;
	if (i->follower) {
		attempt_lead(i->follower, why->text);
		return;
	}
	if (i->race.purpose == RACE_SUSPECT) {
		i->race.purpose = RACE_CONNECT;
		i->reconnects++;
		i->state = INITIATOR_CONNECTING;
		initiator_race_hurry(i);
		return;
	}
	initiator_race_stop(i, "the current softwire has ended");
	if (a->mute) /* we have moved, and the server is as good as before */
		initiator_connect(i);
	else if (up_at || !initiator_race_go_on(i, RACE_CONNECT))
		initiator_fail(i, i->last_error);
}

static void engine_down(struct softwire *s, const struct softwire_why *why)
{
	struct attempt *a = attempt_of(s);
	enum attempt_stage stage = a->stage;
	char text[256];

	a->row->up6 = a->row->up4 = false;
	if (stage == ATTEMPT_LINGERS)
		return;
	log_down(a, why);
	snprintf(text, sizeof(text), "%s: %s", softwire_step_name(why->step), why->text);
	unlink_attempt(a);
	linger(a);
	if (stage == ATTEMPT_RACES)
		racer_down(a, why, text);
	else if (stage == ATTEMPT_FOLLOWS)
		follower_down(a, why);
	else
		leader_down(a, why, text);
}

static void close_path(struct attempt *a)
{
	dp_row_remove(tun_plane_table(a->role->plane), a->row);
	tun_plane_remove_socket(a->role->plane, a->listener);
}

void attempt_free(struct attempt *a)
{
	unlink_attempt(a);
	softwire_done(&a->engine.softwire);
	eap_peer_free(a->eap);
	close_path(a);
	free(a);
}

static void engine_changed(struct softwire *s)
{
	struct attempt *a = attempt_of(s);

	if (a == a->role->current)
		initiator_record(a->role);
}

static void engine_activity(struct softwire *s, msec *ret_heard, msec *ret_sent)
{
	const struct dp_row *row = attempt_of(s)->row;

	if (attempt_of(s) == attempt_of(s)->role->current) /* its timer has fired */
		initiator_work(attempt_of(s)->role, attempt_of(s)->id);
	*ret_heard = row->last_rx;
	*ret_sent = row->last_tx;
}

static void engine_released(struct softwire *s)
{
	attempt_free(attempt_of(s));
}

static void engine_trace(struct softwire *s, enum softwire_trace what, const void *data, size_t len)
{
	struct initiator *i = attempt_of(s)->role;

	if (i->trace_emit)
		i->trace_emit(i->trace_owner,
			report_trace(s, attempt_of(s)->id, i->config.name, i->config.user, what, data, len, s->now));
}

static void engine_note(struct softwire *s, const char *text)
{
	struct log_line l;

	if (attempt_log(attempt_of(s), &l, LEVEL_DEBUG, "note")) {
		log_text(&l, "text", text);
		log_end(&l);
	}
}

/* Only a concentrator is asked for these. */
static void engine_never(struct softwire *s)
{
	engine_note(s, "a concentrator's request at an initiator");
}

static void engine_bind_duid(struct softwire *s, const struct dhcp6_duid *duid, uint32_t iaid)
{
	engine_never(s);
}

static void engine_delegated(struct softwire *s, uint8_t family, bool in_use)
{
	engine_never(s);
}

const struct softwire_ops initiator_softwire_ops = {
	.send = engine_send,
	.want_tunnel_secret = engine_want_tunnel_secret,
	.authenticate = initiator_auth_authenticate,
	.want_ppp_secret = initiator_auth_want_ppp_secret,
	.eap = initiator_auth_eap,
	.want_lease = engine_never,
	.bind_duid = engine_bind_duid,
	.delegated = engine_delegated,
	.up = engine_up,
	.family_down = engine_family_down,
	.family_refused = engine_family_refused,
	.configured = engine_configured,
	.down = engine_down,
	.released = engine_released,
	.changed = engine_changed,
	.activity = engine_activity,
	.trace = engine_trace,
	.note = engine_note,
};

/* ---- packets ---- */

static void plane_input(struct tun_plane *plane, struct dp_row *row, const uint8_t *payload, size_t len)
{
	struct attempt *a = row->owner;
	struct initiator *i = a->role;

	if (i->leaving) /* our record of it is written: the peer says it again */
		return;
	if (a == i->current)
		initiator_work(i, a->id);
	softwire_input(&a->engine.softwire, payload, len, loop_now(i->loop));
	initiator_work(i, 0);
	if (a->stage == ATTEMPT_RACES && l2tp_tunnel_is_answered(&a->engine.softwire.tunnel))
		initiator_race_answered(a);
	else if (a->stage == ATTEMPT_LEADS)
		initiator_roam_heard(a->role);
}

/* "No such tunnel": a hint from the server, if it is about ours. */
static void plane_stray(struct tun_plane *plane, uint8_t listener, struct dp_row *row,
	const struct endpoint *from, const struct addr *local, const uint8_t *payload, size_t len)
{
	struct initiator *i = tun_plane_owner(plane);
	const struct attempt *a = i->current;

	if (!a || !endpoint_equal(from, &a->server) ||
		!l2tp_stray_matches(&a->engine.softwire.tunnel, payload, len))
		return;
	initiator_hint(i, "the server does not know this tunnel");
}

const struct tun_ops initiator_tun_ops = {
	.input = plane_input, .stray = plane_stray, .outer_error = initiator_path_error};

/* ---- connecting ---- */

static uint64_t eui64(const uint8_t mac[6])
{
	uint64_t iid = (uint64_t)(mac[0] ^ 2) << 56 | (uint64_t)mac[1] << 48 | (uint64_t)mac[2] << 40 |
		       0xfffe000000ULL | (uint64_t)mac[3] << 16 | (uint64_t)mac[4] << 8 | mac[5];

	return iid;
}

/* HS-PPP-16: the interface identifier is an EUI-64, from the interface that leads to the server. */
static void choose_iid(struct initiator *i, unsigned ifindex)
{
	char device[IF_NAMESIZE];
	uint8_t mac[6];
	unsigned unused;

	i->softwire.iid = 0;
	if (if_indextoname(ifindex, device) &&
		netlink_interface_lladdr(i->routes, device, mac, &unused) == 0 &&
		memcmp(mac, (uint8_t[6]){0}, 6) != 0)
		i->softwire.iid = eui64(mac);
}

/*
 * WAY leads to the server now. Where the softwire brings the family that it runs over, packets stay there: the default route that it brings may
 * be better than the one that it runs over, and would lead it into itself. Another way to the server is found by the next attempt. (Over IPv6
 * they stay in any case.)
 */
static void pin(struct attempt *a, int fd, const struct way *way)
{
	uint32_t out = htonl(way->ifindex);

	if (a->server.addr.family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_IF, &out, sizeof(out));
	else if (a->role->config.ipv4)
		setsockopt(fd, IPPROTO_IP, IP_UNICAST_IF, &out, sizeof(out));
	else
		return;
	a->pinned = way->ifindex;
}

static int open_socket(struct attempt *a, const struct way *way)
{
	struct endpoint any = {.addr = {.family = a->server.addr.family}};
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&any, &ss);
	int one = 1, err, fd = socket(any.addr.family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (any.addr.family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	pin(a, fd, way);
	if (bind(fd, (struct sockaddr *)&ss, len) || getsockname(fd, (struct sockaddr *)&ss, &len)) {
		err = -errno;
		close(fd);
		return err;
	}
	a->local.addr = way->source;
	if (endpoint_from_sockaddr((struct sockaddr *)&ss, &any) == 0)
		a->local.port = any.port;
	err = tun_plane_add_socket(a->role->plane, fd, &a->listener);
	if (err)
		close(fd);
	a->fd = fd;
	return err;
}

/* One interface for both sides (PS-17) is right in a home's own network, and wrong in a provider's: say that it is so. */
static void warn_of_shared_lan(struct initiator *i, const char *device)
{
	struct log_line l;

	for (unsigned n = 0; n < i->config.lan_count && !i->shared_told; n++) {
		if (strcmp(i->config.lans[n], device) != 0 ||
			!initiator_log(i, &l, LEVEL_WARN, "lan-is-uplink"))
			continue;
		i->shared_told = true;
		log_text(&l, "device", device);
		log_text(&l, "advice",
			"it also leads to the server: advertisements and our addresses go there, right only "
			"if that network is your own");
		log_end(&l);
	}
}

/* Its row; the socket goes with what fails. */
static int open_row(struct attempt *a, uint16_t tunnel, uint16_t session)
{
	struct dp_table *table = tun_plane_table(a->role->plane);
	struct dp_row *row;
	int err = dp_table_add_listener(table, a->listener);

	if (!err)
		err = dp_row_add(table, a->listener, tunnel, session, &a->server, &row);
	if (err) {
		tun_plane_remove_socket(a->role->plane, a->listener);
		return err;
	}
	row->owner = a;
	row->any_source = true;
	a->row = row;
	return 0;
}

/* Socket and row. */
static bool open_path(struct attempt *a, const struct way *way, uint16_t tunnel, uint16_t session)
{
	return !open_socket(a, way) && !open_row(a, tunnel, session);
}

int attempt_resume(struct attempt *a, int fd, uint16_t tunnel, uint16_t session)
{
	int err = tun_plane_add_socket(a->role->plane, fd, &a->listener);

	if (err) {
		close(fd);
		return err;
	}
	a->fd = fd;
	return open_row(a, tunnel, session);
}

static bool open_engine(struct attempt *a, const struct way *way, uint16_t tunnel, uint16_t session)
{
	struct initiator *i = a->role;

	choose_iid(i, way->ifindex);
	a->id = ++i->next_id;
	a->engine.softwire.tracing = i->trace_emit != NULL;
	a->up_mtu = i->config.mtu ? i->config.mtu : softwire_inner_mtu(a->server.addr.family, way->mtu);
	return softwire_si_open(&a->engine, &i->softwire, tunnel, session, a->id, a->up_mtu, &i->hint,
		       &i->hint4, loop_now(i->loop)) == 0;
}

static bool no_route(struct initiator *i, const struct addr *server)
{
	char text[128], address[ADDR_TEXT];

	snprintf(text, sizeof(text), "no route to %s", addr_print(server, address));
	initiator_path_bad(i, text);
	initiator_note_error(i, text, NULL);
	return false;
}

static bool out_of_resources(struct initiator *i, struct attempt *a)
{
	initiator_note_error(i, "no memory or no socket for a softwire", NULL);
	free(a);
	return false;
}

bool attempt_begin(struct initiator *i, const struct candidate *c)
{
	uint16_t tunnel = (uint16_t)(1 + rng_below(i->rng, 65535)),
		 session = (uint16_t)(1 + rng_below(i->rng, 65535));
	struct attempt *a;
	struct way way;

	if (!initiator_path_find(i, &c->at.addr, &way))
		return no_route(i, &c->at.addr);
	warn_of_shared_lan(i, i->uplink);
	a = calloc(1, sizeof(*a));
	if (!a)
		return out_of_resources(i, NULL);
	a->role = i;
	a->server = c->at;
	a->server_index = c->server;
	a->below = c->below;
	a->purpose = i->race.purpose;
	if (c->redirected)
		a->redirect = i->race.redirect;
	if (!open_path(a, &way, tunnel, session))
		return out_of_resources(i, a);
	a->next = i->racing; /* from inside the engine's first call on */
	i->racing = a;
	if (!open_engine(a, &way, tunnel, session)) {
		unlink_attempt(a);
		close_path(a);
		return out_of_resources(i, a);
	}
	return true;
}
