/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One attempt: resolve a server, open a socket with a port of its own, run the engine.
 *
 * Each attempt has a new source port, so that a NAT whose old mapping went wrong makes a new one. Servers are tried in the order of the
 * configuration, and each one's addresses in the resolver's order, but those of the family that the softwire does not bring come
 * first: IPv4 for an IPv6 softwire and the other way round (PS-12: nothing that is native should be tunnelled through itself).
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

static struct attempt *attempt_of(struct softwire *s)
{
	return container_of(container_of(s, struct softwire_si, softwire), struct attempt, engine);
}

/* ---- what the engine asks for ---- */

static void engine_send(struct softwire *s, const uint8_t *payload, size_t len)
{
	struct attempt *a = attempt_of(s);

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

static void set_family(struct attempt *a, uint8_t family, bool up)
{
	if (family == AF_INET6)
		a->row->up6 = up;
	else
		a->row->up4 = up;
}

static void engine_up(struct softwire *s, uint8_t family)
{
	struct attempt *a = attempt_of(s);
	struct initiator *i = a->role;
	struct log_line l;

	a->row->peer_tunnel = s->tunnel.peer_tunnel;
	a->row->peer_session = s->tunnel.peer_session;
	a->row->mtu = s->mtu;
	a->row->copy_ecn = s->tunnel.same_vendor;
	a->row->mss_mtu = i->config.mss_clamp ? s->mtu : 0;
	if (s->ppp.peer_mru < a->up_mtu)
		a->up_mtu = s->ppp.peer_mru;
	set_family(a, family, true);
	if (a != i->current)
		return;
	i->state = INITIATOR_UP;
	i->unanswered_since = 0;
	i->down_since = 0;
	i->last_error[0] = '\0';
	if (initiator_log(i, &l, LEVEL_INFO, "up")) {
		log_text(&l, "family", family_name(family));
		log_uint(&l, "mtu", s->mtu);
		log_uint(&l, "setup_ms", s->now - s->started_at);
		log_end(&l);
	}
	initiator_network_apply(i, &a->engine);
}

static void log_family(struct attempt *a, const char *event, uint8_t family, const char *why)
{
	struct log_line l;

	if (initiator_log(a->role, &l, LEVEL_WARN, event)) {
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

	if (a == a->role->current)
		initiator_network_apply(a->role, &a->engine);
}

static void engine_down(struct softwire *s, const struct softwire_why *why)
{
	struct attempt *a = attempt_of(s);
	struct initiator *i = a->role;
	struct log_line l;
	char text[256];

	a->row->up6 = a->row->up4 = false;
	if (a != i->current)
		return;
	if (initiator_log(i, &l, LEVEL_WARN, s->up_at ? "down" : "setup-failed")) {
		log_text(&l, "step", softwire_step_name(why->step));
		log_text(&l, "cause", softwire_cause_name(why->cause));
		log_text(&l, "reason", why->text);
		log_end(&l);
	}
	snprintf(text, sizeof(text), "%s: %s", softwire_step_name(why->step), why->text);
	dp_table_set_default(tun_plane_table(i->plane), NULL);
	i->current = NULL;
	a->next = i->lingering;
	i->lingering = a;
	i->down6_since = i->down4_since = 0;
	if (!i->down_since)
		i->down_since = s->now;
	initiator_hooks_down(i, why->text);
	if (!s->up_at)
		i->server_index++; /* the next server, if there are several */
	initiator_fail(i, text);
	i->last_cause = softwire_cause_name(why->cause);
}

static void close_path(struct attempt *a)
{
	dp_row_remove(tun_plane_table(a->role->plane), a->row);
	tun_plane_remove_socket(a->role->plane, a->listener);
}

void attempt_free(struct attempt *a)
{
	struct initiator *i = a->role;

	if (i->current == a)
		i->current = NULL;
	for (struct attempt **p = &i->lingering; *p; p = &(*p)->next)
		if (*p == a) {
			*p = a->next;
			break;
		}
	softwire_done(&a->engine.softwire);
	eap_peer_free(a->eap);
	close_path(a);
	free(a);
}

static void engine_activity(struct softwire *s, msec *ret_heard, msec *ret_sent)
{
	const struct dp_row *row = attempt_of(s)->row;

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
			report_trace(s, i->next_id, i->config.name, i->config.user, what, data, len, s->now));
}

static void engine_note(struct softwire *s, const char *text)
{
	struct initiator *i = attempt_of(s)->role;
	struct log_line l;

	if (initiator_log(i, &l, LEVEL_DEBUG, "note")) {
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
	.activity = engine_activity,
	.trace = engine_trace,
	.note = engine_note,
};

/* ---- packets ---- */

static void plane_input(struct tun_plane *plane, struct dp_row *row, const uint8_t *payload, size_t len)
{
	struct attempt *a = row->owner;

	softwire_input(&a->engine.softwire, payload, len, loop_now(a->role->loop));
}

/* "No such tunnel": a hint from the server, if it is about ours. */
static void plane_stray(struct tun_plane *plane, uint8_t listener, struct dp_row *row,
	const struct endpoint *from, const struct addr *local, const uint8_t *payload, size_t len)
{
	struct initiator *i = tun_plane_owner(plane);
	struct attempt *a = i->current;

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

/* Socket and row. */
static bool open_path(struct attempt *a, const struct way *way, uint16_t tunnel, uint16_t session)
{
	struct dp_table *table = tun_plane_table(a->role->plane);

	if (open_socket(a, way))
		return false;
	if (dp_table_add_listener(table, a->listener) ||
		dp_row_add(table, a->listener, tunnel, session, &a->server, &a->row)) {
		tun_plane_remove_socket(a->role->plane, a->listener);
		return false;
	}
	a->row->owner = a;
	a->row->any_source = true;
	return true;
}

static bool open_engine(struct attempt *a, const struct way *way, uint16_t tunnel, uint16_t session)
{
	struct initiator *i = a->role;

	choose_iid(i, way->ifindex);
	if (i->next_id)
		i->reconnects++;
	i->next_id++;
	i->current = a;
	i->state = INITIATOR_CONNECTING;
	dp_table_set_default(tun_plane_table(i->plane), a->row);
	a->engine.softwire.tracing = i->trace_emit != NULL;
	a->up_mtu = i->config.mtu ? i->config.mtu : softwire_inner_mtu(a->server.addr.family, way->mtu);
	if (softwire_si_open(&a->engine, &i->softwire, tunnel, session, i->next_id, a->up_mtu, &i->hint,
		    &i->hint4, loop_now(i->loop))) {
		i->current = NULL;
		return false;
	}
	return true;
}

/* Engine, row and socket for one address. False: try the next one. */
static bool attempt_begin(struct initiator *i, const struct endpoint *server)
{
	uint16_t tunnel = (uint16_t)(1 + rng_below(i->rng, 65535)),
		 session = (uint16_t)(1 + rng_below(i->rng, 65535));
	struct attempt *a;
	struct way way;

	if (!initiator_path_find(i, &server->addr, &way))
		return false;
	warn_of_shared_lan(i, i->uplink);
	a = calloc(1, sizeof(*a));
	if (!a)
		return false;
	a->role = i;
	a->server = *server;
	if (!open_path(a, &way, tunnel, session)) {
		free(a);
		return false;
	}
	if (!open_engine(a, &way, tunnel, session)) {
		close_path(a);
		free(a);
		return false;
	}
	return true;
}

/* FAMILY 0: any. */
static bool try_addresses(struct initiator *i, const struct addrinfo *list, int family, uint16_t port)
{
	for (const struct addrinfo *ai = list; ai; ai = ai->ai_next) {
		struct endpoint server;

		if ((family && ai->ai_family != family) || endpoint_from_sockaddr(ai->ai_addr, &server))
			continue;
		server.port = port;
		if (attempt_begin(i, &server))
			return true;
	}
	return false;
}

static bool try_server(struct initiator *i, const struct addrinfo *list, uint16_t port)
{
	if (i->config.ipv6 && i->config.ipv4)
		return try_addresses(i, list, 0, port);
	return try_addresses(i, list, i->config.ipv6 ? AF_INET : AF_INET6, port) ||
	       try_addresses(i, list, i->config.ipv6 ? AF_INET6 : AF_INET, port);
}

/* "name", "name:port", "address", "[address]:port" into what the resolver wants. */
static void split_server(const char *text, char host[256], uint16_t *ret_port)
{
	struct endpoint e;
	char buf[ADDR_TEXT];
	const char *colon = strrchr(text, ':');

	*ret_port = L2TP_PORT;
	if (endpoint_parse(text, L2TP_PORT, &e) == 0) {
		snprintf(host, 256, "%s", addr_print(&e.addr, buf));
		*ret_port = e.port;
		return;
	}
	snprintf(host, 256, "%s", text);
	if (colon && strchr(text, ':') == colon && atoi(colon + 1) > 0 && atoi(colon + 1) < 65536) {
		host[colon - text] = '\0';
		*ret_port = (uint16_t)atoi(colon + 1);
	}
}

static const char *server_text(const struct initiator *i)
{
	return i->config.servers[i->server_index % i->config.server_count];
}

static void resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
	struct initiator *i = container_of(req, struct initiator, resolver);
	char host[256], text[400];
	uint16_t port;

	i->resolver_busy = false;
	if (i->stopping || i->state != INITIATOR_RESOLVING) {
		uv_freeaddrinfo(list);
		return;
	}
	split_server(server_text(i), host, &port);
	if (status) {
		snprintf(text, sizeof(text), "resolve: %s: %s", host, uv_strerror(status));
		i->server_index++;
		initiator_fail(i, text);
		return;
	}
	if (!try_server(i, list, port)) {
		snprintf(text, sizeof(text), "no route to %s", host);
		initiator_path_bad(i, text);
		i->server_index++;
		initiator_fail(i, text);
	}
	uv_freeaddrinfo(list);
}

void initiator_connect(struct initiator *i)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
	char host[256], text[400];
	uint16_t port;
	int err;

	if (i->resolver_busy)
		return;
	for (struct attempt *a = i->lingering ? i->lingering->next : NULL, *next; a;
		a = next) { /* at most one lingers */
		next = a->next;
		attempt_free(a);
	}
	split_server(server_text(i), host, &port);
	i->state = INITIATOR_RESOLVING;
	err = uv_getaddrinfo(&i->loop->uv, &i->resolver, resolved, host, NULL, &hints);
	if (err) {
		snprintf(text, sizeof(text), "resolve: %s: %s", host, uv_strerror(err));
		initiator_fail(i, text);
		return;
	}
	i->resolver_busy = true;
}

void initiator_resolver_cancel(struct initiator *i)
{
	if (i->resolver_busy)
		uv_cancel((uv_req_t *)&i->resolver);
}
