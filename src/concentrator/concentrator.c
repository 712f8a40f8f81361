/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Start, stop and reload of the concentrator.
 *
 * Start is a chain of requests to the keeper, each begun by the answer to the one before: lease database, users, device, addresses
 * and routes, listening sockets. Sockets come last: nobody is answered before everything is there.
 */
#include "concentrator/role.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STOP_MS = 2000, STOP_STEP_MS = 20, BUSY_MS = 200, BUSY_TRIES = 25, LIMIT_PEERS = 16384, STRAY_RATE = 2, STRAY_BURST = 5, LOG_PEER_RATE = 2, LOG_PEER_BURST = 30 };

/* ---- life ---- */

static void apply_timers(struct concentrator *c)
{
	struct softwire_config *s = &c->softwire;
	const struct concentrator_config *config = &c->config;

	s->l2tp.host_name = c->config.host_name;
	s->l2tp.vendor_name = "softwired";
	s->l2tp.hello_ms = config->hello_ms;
	s->l2tp.retransmit_ms = config->retransmit_ms;
	s->l2tp.retransmit_tries = config->retransmit_tries;
	s->l2tp.framing_async = config->framing_async;
	s->l2tp.require_secret = config->require_tunnel_secret;
	s->ppp.name = c->config.host_name;
	s->ppp.demand_auth = config->auth[0] != 0;
	s->ppp.demand_optional = config->anonymous_pool[0] != 0;
	memcpy(s->ppp.demand, config->auth, sizeof(s->ppp.demand));
	s->ppp.give_auth = true; /* mutual CHAP, for users with a server-secret */
	s->ppp.give = 1 << PPP_METHOD_CHAP_MD5;
	s->ppp.ipv6 = true;
	s->ppp.ipv4 = !addr_is_none(&config->local4);
	s->local4 = config->local4;
	s->ppp.echo_ms = config->echo_ms;
	s->nd.dad_transmits = config->dad_transmits;
	s->dhcp6_server.rapid_commit = config->rapid_commit;
	s->dhcp4_server.rapid_commit = config->rapid_commit;
	s->router_lifetime = config->router_lifetime;
	s->router.max_interval_ms = config->router_lifetime * 1000 / 3;
	s->router.min_interval_ms = config->router_lifetime * 1000 / 9 * 2;
	s->iid = 1;
}

/* RFC 8415 section 11.5: a DUID-UUID from the host name would not be stable; the machine's id is (RFC 6355). */
static void make_duid(struct concentrator *c)
{
	struct dhcp6_server_config *d = &c->softwire.dhcp6_server;
	struct writer w = writer_of(d->duid, sizeof(d->duid));
	char id[64] = "";
	FILE *f = fopen("/etc/machine-id", "re");

	if (f) {
		if (!fgets(id, sizeof(id), f))
			id[0] = '\0';
		fclose(f);
	}
	writer_u16(&w, 4);
	for (uint64_t seed = 1; seed <= 4; seed++)
		writer_u32(&w, hash_bytes(id[0] ? id : c->config.host_name, strlen(id[0] ? id : c->config.host_name), seed));
	d->duid_len = writer_len(&w);
}

struct concentrator *concentrator_new(struct loop *loop, struct log *log, struct keeper_client *keeper, struct rng *rng,
	const struct concentrator_config *config)
{
	struct concentrator *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->loop = loop;
	c->log = log;
	c->keeper = keeper;
	c->rng = rng;
	c->config = *config;
	c->seed = rng_u64(rng);
	c->state_fd = -1;
	pool_init(&c->subscribers, sizeof(struct subscriber));
	softwire_config_init(&c->softwire, L2TP_LNS, &concentrator_softwire_ops, &loop->wheel, rng, &c->counters);
	apply_timers(c);
	make_duid(c);
	c->aaa = aaa_new(loop);
	c->plane = tun_plane_new(loop, log, &concentrator_tun_ops, c, rng_u64(rng));
	c->stray_limit = limit_table_new(LIMIT_PEERS, STRAY_RATE, STRAY_BURST);
	c->log_limit = limit_table_new(LIMIT_PEERS, LOG_PEER_RATE, LOG_PEER_BURST);
	c->routes = netlink_open();
	if (!c->aaa || !c->plane || !c->stray_limit || !c->log_limit || !c->routes || concentrator_admission_begin(c)) {
		log_message(log, LEVEL_ERROR, "start-failed", "no memory or no netlink socket");
		concentrator_free(c);
		return NULL;
	}
	tun_plane_set_sources(c->plane, &c->config.local6, &c->config.local4);
	return c;
}

void concentrator_free(struct concentrator *c)
{
	if (!c)
		return;
	keeper_forget(c->keeper, c); /* hooks that still run */
	concentrator_admission_end(c);
	hash_free(&c->by_request);
	hash_free(&c->by_user);
	hash_free(&c->by_peer);
	aaa_free(c->aaa);
	concentrator_free_certificates(c);
	if (c->leases)
		lease_store_close(c->leases);
	limit_table_free(c->stray_limit);
	limit_table_free(c->log_limit);
	if (c->routes)
		netlink_close(c->routes);
	if (c->plane)
		tun_plane_close(c->plane, NULL);
	pool_done(&c->subscribers);
	concentrator_close_state(c);
	free(c);
}

/* ---- start ---- */

static void finish_start(struct concentrator *c, int result)
{
	void (*started)(void *, int) = c->started;

	c->started = NULL;
	c->running = result == 0;
	if (started)
		started(c->started_owner, result);
}

static void fail_start(struct concentrator *c, int result, const char *what)
{
	log_message(c->log, LEVEL_ERROR, "start-failed", "concentrator: %s: %s", what, strerror(-result));
	finish_start(c, result);
}

/*
 * A daemon that was killed a moment ago may still hold its sockets and its device while the kernel takes it apart: what is busy
 * is asked for again for a while.
 */
static bool try_again(struct concentrator *c, int result, void (*fire)(struct wheel_timer *t, msec now))
{
	if ((result != -EADDRINUSE && result != -EBUSY) || c->retries >= BUSY_TRIES || c->stopping)
		return false;

	c->retries++;
	c->retry_timer.fire = fire;
	wheel_arm(&c->loop->wheel, &c->retry_timer, loop_now(c->loop) + BUSY_MS);
	return true;
}

static const struct endpoint any_endpoints[] = {
	{{.family = AF_INET}, L2TP_PORT},
	{{.family = AF_INET6}, L2TP_PORT},
};

static const struct endpoint *listen_endpoint(const struct concentrator *c, unsigned i)
{
	if (c->config.listen_count)
		return i < c->config.listen_count ? &c->config.listen[i] : NULL;
	return i < 2 ? &any_endpoints[i] : NULL;
}

static void open_next_socket(struct concentrator *c);

static void socket_again(struct wheel_timer *t, msec now)
{
	open_next_socket(container_of(t, struct concentrator, retry_timer));
}

static void socket_opened(void *owner, int result, int fd)
{
	struct concentrator *c = owner;
	const struct endpoint *e = listen_endpoint(c, c->next_listen);
	char text[ENDPOINT_TEXT + 32], buf[ENDPOINT_TEXT];
	uint8_t listener;

	if (try_again(c, result, socket_again))
		return;
	snprintf(text, sizeof(text), "cannot listen on %s", endpoint_print(e, buf));
	if (!result) {
		result = tun_plane_add_socket(c->plane, fd, &listener);
		if (result)
			close(fd);
	}
	if (!result)
		result = dp_table_add_listener(tun_plane_table(c->plane), listener);
	if (result) {
		fail_start(c, result, text);
		return;
	}
	c->listeners[c->next_listen] = listener;
	c->local[listener] = *e;
	c->next_listen++;
	open_next_socket(c);
}

static void open_next_socket(struct concentrator *c)
{
	const struct endpoint *e = listen_endpoint(c, c->next_listen);
	struct log_line l;

	if (e) {
		keeper_open_udp(c->keeper, e, socket_opened, c);
		return;
	}
	concentrator_adopt(c); /* before the loop can read anything for them */
	if (log_begin(c->log, &l, LEVEL_INFO, "concentrator-ready")) {
		log_uint(&l, "listeners", c->next_listen);
		log_uint(&l, "users", aaa_user_count(c->aaa));
		log_uint(&l, "leases", lease_count(c->leases, NULL));
		log_end(&l);
	}
	finish_start(c, 0);
}

static void open_device(struct concentrator *c);

static void device_again(struct wheel_timer *t, msec now)
{
	open_device(container_of(t, struct concentrator, retry_timer));
}

static void state_opened(void *owner, int result, int fd)
{
	struct concentrator *c = owner;

	if (!result)
		result = concentrator_open_state(c, fd);
	if (result)
		log_message(c->log, LEVEL_WARN, "state", "softwires will not survive a crash or an upgrade: %s", strerror(-result));
	open_next_socket(c);
}

static void device_opened(void *owner, int result, int fd)
{
	struct concentrator *c = owner;

	if (try_again(c, result, device_again))
		return;
	if (!result) {
		result = tun_plane_set_device(c->plane, fd);
		if (result)
			close(fd);
	}
	if (result) {
		fail_start(c, result, "cannot open the TUN device");
		return;
	}
	concentrator_install_network(c);
	keeper_open_state(c->keeper, c->config.device, state_opened, c);
}

static void open_device(struct concentrator *c)
{
	keeper_open_tun(c->keeper, c->config.device, 9000, device_opened, c);
}

static void log_user_error(void *owner, const char *file, unsigned line, const char *text)
{
	struct concentrator *c = owner;

	log_message(c->log, LEVEL_ERROR, "users-error", "%s:%u: %s", file, line, text);
}

static void reserve_user(struct concentrator *c, const struct aaa_user *user)
{
	struct prefix host = prefix_of(&user->address4, 32);

	for (unsigned i = 0; i < user->delegate_count; i++)
		lease_store_reserve(c->leases, &user->delegate[i], user->name);
	if (!prefix_is_none(&user->link))
		lease_store_reserve(c->leases, &user->link, user->name);
	if (!addr_is_none(&user->address4)) {
		c->fixed4 = true;
		lease_store_reserve(c->leases, &host, user->name);
	}
	for (unsigned i = 0; i < user->subnet_count; i++)
		lease_store_reserve(c->leases, &user->subnets[i], user->name);
}

/* Pools never hand out what is fixed for somebody, nor what is ours. */
static void reserve_fixed(struct concentrator *c)
{
	struct prefix ours = prefix_of(&c->config.local4, 32);
	const struct aaa_user *user;
	uint32_t cursor = 0;

	c->fixed4 = false;
	lease_store_clear_reserved(c->leases);
	if (!addr_is_none(&c->config.local4))
		lease_store_reserve(c->leases, &ours, "");
	while ((user = aaa_next_user(c->aaa, &cursor)))
		reserve_user(c, user);
}

static void certificates_loaded(struct concentrator *c, int result)
{
	if (result)
		fail_start(c, result, "EAP");
	else
		open_device(c);
}

static void users_ready(struct concentrator *c)
{
	reserve_fixed(c);
	concentrator_load_certificates(c, certificates_loaded);
}

static void users_opened(void *owner, int result, int fd)
{
	struct concentrator *c = owner;

	if (!result) {
		result = aaa_load_users(c->aaa, fd, c->config.users_path, log_user_error, c);
		close(fd);
	}
	if (result)
		fail_start(c, result, c->config.users_path);
	else
		users_ready(c);
}

static int set_pools(struct concentrator *c, char why[256])
{
	struct lease_pool_config pools[CONCENTRATOR_POOLS_MAX];

	for (unsigned i = 0; i < c->config.pool_count; i++)
		pools[i] = c->config.pools[i].lease;
	return lease_store_set_pools(c->leases, pools, c->config.pool_count, why);
}

static void directory_opened(void *owner, int result, int fd)
{
	struct concentrator *c = owner;
	char why[256] = "";

	if (fd >= 0)
		close(fd);
	if (result) {
		fail_start(c, result, "the directory of the lease database");
		return;
	}
	c->leases = lease_store_open(c->loop, c->config.lease_path, c->log, why);
	if (!c->leases || set_pools(c, why)) {
		log_message(c->log, LEVEL_ERROR, "leases-error", "%s: %s", c->config.lease_path, why);
		fail_start(c, -EIO, "the lease database");
		return;
	}
	if (c->config.users_path[0])
		keeper_open_file(c->keeper, c->config.users_path, users_opened, c);
	else
		users_ready(c); /* a service that asks nobody */
}

/* What the operator has chosen, and may not have meant. */
static void warn(struct concentrator *c)
{
	if (!c->config.trusted_network)
		log_message(c->log, LEVEL_WARN, "unprotected",
			"CHAP without IPsec on a public network: passwords can be guessed offline and softwires hijacked (RFC 5619)");
	if (!c->config.auth[0])
		log_message(c->log, LEVEL_WARN, "anonymous", "nobody is asked who it is: whoever can reach us gets addresses");
	else if (c->config.anonymous_pool[0])
		log_message(c->log, LEVEL_WARN, "anonymous", "who refuses to authenticate gets addresses from the pool %s",
			c->config.anonymous_pool);
}

void concentrator_start(struct concentrator *c, void (*started)(void *owner, int result), void *owner)
{
	char directory[sizeof(c->config.lease_path)];
	char *slash;

	c->started = started;
	c->started_owner = owner;
	snprintf(directory, sizeof(directory), "%s", c->config.lease_path);
	slash = strrchr(directory, '/');
	if (slash)
		*slash = '\0';
	if (!c->config.listen_count)
		log_message(c->log, LEVEL_WARN, "config", "no listen address is configured: listening on all of them");
	warn(c);
	keeper_open_directory(c->keeper, directory, directory_opened, c);
}

/* ---- stop ---- */

static void plane_freed(void *owner)
{
	struct concentrator *c = owner;
	void (*stopped)(void *) = c->stopped;

	c->plane = NULL;
	if (stopped)
		stopped(c->stopped_owner);
}

/* Every peer has acknowledged its StopCCN. */
static bool all_quiet(const struct concentrator *c)
{
	for (const struct subscriber *sub = c->all; sub; sub = sub->next)
		if (!softwire_is_quiet(&sub->engine.softwire))
			return false;
	return true;
}

static void stop_step(struct wheel_timer *t, msec now)
{
	struct concentrator *c = container_of(t, struct concentrator, stop_timer);

	if (now < c->stop_at && !all_quiet(c)) {
		wheel_arm(&c->loop->wheel, t, now + STOP_STEP_MS);
		return;
	}
	while (c->all)
		subscriber_free(c->all);
	concentrator_admission_end(c);
	tun_plane_flush(c->plane);
	tun_plane_close(c->plane, plane_freed);
}

void concentrator_stop(struct concentrator *c, void (*stopped)(void *owner), void *owner)
{
	struct subscriber *next;

	c->stopped = stopped;
	c->stopped_owner = owner;
	c->stopping = true;
	wheel_disarm(&c->loop->wheel, &c->retry_timer);
	wheel_disarm(&c->loop->wheel, &c->drain_timer);
	wheel_disarm(&c->loop->wheel, &c->settle_timer);
	concentrator_adopt_end(c);
	c->stop_timer.fire = stop_step;
	c->stop_at = loop_now(c->loop) + STOP_MS;
	for (struct subscriber *sub = c->all; sub; sub = next) {
		next = sub->next;
		subscriber_close(sub, CAUSE_SHUTDOWN, L2TP_STOP_SHUTDOWN, 0, "the concentrator shuts down");
	}
	wheel_arm(&c->loop->wheel, &c->stop_timer, loop_now(c->loop) + (c->count ? STOP_STEP_MS : 0));
}

/* ---- reload ---- */

static void say(json_t *list, const char *text)
{
	if (list)
		json_array_append_new(list, json_string(text));
}

/* Why the softwire may not go on, or NULL. */
static const char *has_lost(struct concentrator *c, const struct subscriber *sub)
{
	if (!sub->user || sub->engine.softwire.step >= STEP_CLOSING)
		return NULL;
	if (sub->anonymous)
		return c->config.anonymous_pool[0] ? NULL : "the service without a user has ended";
	return aaa_find_user(c->aaa, sub->user) ? NULL : "the user is not allowed any more";
}

static void apply_users(struct concentrator *c)
{
	struct subscriber *next;

	reserve_fixed(c);
	concentrator_forward(c);
	for (struct subscriber *sub = c->all; sub; sub = next) {
		const char *why = has_lost(c, sub);

		next = sub->next;
		if (why)
			subscriber_close(sub, CAUSE_LOCAL, L2TP_STOP_UNAUTHORIZED, 0, why);
	}
	log_message(c->log, LEVEL_INFO, "reloaded", "%zu users", aaa_user_count(c->aaa));
}

static void users_reloaded(void *owner, int result, int fd)
{
	struct concentrator *c = owner;

	if (!result) {
		result = aaa_load_users(c->aaa, fd, c->config.users_path, log_user_error, c);
		close(fd);
	}
	if (result)
		log_message(c->log, LEVEL_ERROR, "reload-failed", "%s: the users stay as they were", c->config.users_path);
	else
		apply_users(c);
}

static void certificates_reloaded(struct concentrator *c, int result)
{
	if (result)
		log_message(c->log, LEVEL_ERROR, "reload-failed", "EAP stays as it was");
}

static bool same_listen(const struct concentrator_config *a, const struct concentrator_config *b)
{
	for (unsigned n = 0; n < a->listen_count && a->listen_count == b->listen_count; n++)
		if (!endpoint_equal(&a->listen[n], &b->listen[n]))
			return false;
	return a->listen_count == b->listen_count;
}

int concentrator_reload(struct concentrator *c, const struct concentrator_config *config, struct json_t *list)
{
	struct concentrator_config old = c->config;
	char why[256] = "";

	c->config = *config;
	if (set_pools(c, why)) {
		c->config = old;
		log_message(c->log, LEVEL_ERROR, "reload-failed", "%s", why);
		say(list, why);
		return -EINVAL;
	}
	if (!same_listen(&old, config))
		say(list, "concentrator: listening addresses change with a restart");
	if (strcmp(old.device, config->device) != 0)
		say(list, "concentrator: the device's name changes with a restart");
	if (!addr_equal(&old.local6, &config->local6) || !addr_equal(&old.local4, &config->local4))
		say(list, "concentrator: local4 and local6 change with a restart");
	memcpy(c->config.listen, old.listen, sizeof(old.listen));
	c->config.listen_count = old.listen_count;
	memcpy(c->config.device, old.device, sizeof(old.device));
	c->config.local6 = old.local6;
	c->config.local4 = old.local4;
	if (strcmp(old.lease_path, config->lease_path) != 0)
		say(list, "concentrator: the lease database changes with a restart");
	memcpy(c->config.lease_path, old.lease_path, sizeof(old.lease_path));
	apply_timers(c);
	concentrator_admission_change(c);
	concentrator_change_network(c, &old);
	concentrator_change_rows(c);
	concentrator_load_certificates(c, certificates_reloaded);
	if (c->config.users_path[0])
		keeper_open_file(c->keeper, c->config.users_path, users_reloaded, c);
	else
		apply_users(c);
	say(list, "concentrator: users, pools, limits and timers are applied; softwires that are up stay up");
	return 0;
}
