/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Start and stop of the concentrator.
 *
 * Start is a chain of requests to the keeper, each begun by the answer to the one before: lease database, users, device, addresses
 * and routes, listening sockets. Sockets come last: nobody is answered before everything is there.
 */
#include "concentrator/role.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { STOP_MS = 2000, STOP_STEP_MS = 20, LIMIT_PEERS = 16384, STRAY_RATE = 2, STRAY_BURST = 5, LOG_PEER_RATE = 2, LOG_PEER_BURST = 30 };

/* ---- life ---- */

void concentrator_apply_timers(struct concentrator *c)
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
	concentrator_apply_timers(c);
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
	if (c->changing)
		concentrator_discard(c->changing);
	hash_free(&c->by_request);
	hash_free(&c->by_user);
	hash_free(&c->by_peer);
	aaa_free(c->aaa);
	certificates_free(c->loading);
	certificates_free(c->certificates);
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

static void listening(struct concentrator *c, int result, const char *what)
{
	struct log_line l;

	if (result) {
		fail_start(c, result, what);
		return;
	}
	c->config.redirect_count = concentrator_others(c, c->config.redirect, c->config.redirect_count);
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

static void device_opened(void *owner, int result, int fd)
{
	struct concentrator *c = owner;

	if (concentrator_try_again(c, result, device_again))
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
	concentrator_open_listeners(c, listening);
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

static void reserve_user(struct lease_store *s, const struct aaa_user *user)
{
	struct prefix host = prefix_of(&user->address4, 32);

	for (unsigned i = 0; i < user->delegate_count; i++)
		lease_store_reserve(s, &user->delegate[i], user->name);
	if (!prefix_is_none(&user->link))
		lease_store_reserve(s, &user->link, user->name);
	if (!addr_is_none(&user->address4))
		lease_store_reserve(s, &host, user->name);
	for (unsigned i = 0; i < user->subnet_count; i++)
		lease_store_reserve(s, &user->subnets[i], user->name);
}

bool concentrator_reserve(struct lease_store *s, const struct addr *local4, const struct aaa *users)
{
	struct prefix ours = prefix_of(local4, 32);
	const struct aaa_user *user;
	uint32_t cursor = 0;
	bool fixed4 = false;

	lease_store_clear_reserved(s);
	if (!addr_is_none(local4))
		lease_store_reserve(s, &ours, "");
	while (users && (user = aaa_next_user(users, &cursor))) {
		reserve_user(s, user);
		fixed4 = fixed4 || !addr_is_none(&user->address4);
	}
	return fixed4;
}

void concentrator_reserve_fixed(struct concentrator *c)
{
	c->fixed4 = concentrator_reserve(c->leases, &c->config.local4, c->aaa);
}

static void log_problem(void *owner, const char *text)
{
	struct concentrator *c = owner;

	log_message(c->log, LEVEL_ERROR, "eap-error", "%s", text);
}

static void certificates_read_in(void *owner, int result)
{
	struct concentrator *c = owner;

	if (!result)
		concentrator_take_certificates(c, c->loading);
	else
		certificates_free(c->loading);
	c->loading = NULL;
	if (result)
		fail_start(c, result, "EAP");
	else
		open_device(c);
}

static void users_ready(struct concentrator *c)
{
	concentrator_reserve_fixed(c);
	c->loading = certificates_new(c, &c->config, log_problem, c);
	if (c->loading)
		certificates_read(c->loading, certificates_read_in);
	else
		fail_start(c, -ENOMEM, "EAP");
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

int concentrator_set_pools(struct concentrator *c, const struct concentrator_config *config, char why[256])
{
	struct lease_pool_config pools[CONCENTRATOR_POOLS_MAX];

	for (unsigned i = 0; i < config->pool_count; i++)
		pools[i] = config->pools[i].lease;
	return lease_store_set_pools(c->leases, pools, config->pool_count, why);
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
	if (!c->leases || concentrator_set_pools(c, &c->config, why)) {
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

static void open_directory(struct concentrator *c)
{
	char directory[sizeof(c->config.lease_path)];
	char *slash;

	snprintf(directory, sizeof(directory), "%s", c->config.lease_path);
	slash = strrchr(directory, '/');
	if (slash)
		*slash = '\0';
	keeper_open_directory(c->keeper, directory, directory_opened, c);
}

static void open_state(struct concentrator *c);

static void state_again(struct wheel_timer *t, msec now)
{
	open_state(container_of(t, struct concentrator, retry_timer));
}

/* First, because it is locked: a process before us that is just leaving has let go of everything when it lets go of this. */
static void state_opened(void *owner, int result, int fd)
{
	struct concentrator *c = owner;

	if (!result)
		result = concentrator_open_state(c, fd);
	if (concentrator_try_again(c, result, state_again))
		return;
	if (result)
		log_message(c->log, LEVEL_WARN, "state", "softwires will not survive a crash or an upgrade: %s",
			strerror(-result));
	open_directory(c);
}

static void open_state(struct concentrator *c)
{
	keeper_open_state(c->keeper, c->config.device, state_opened, c);
}

void concentrator_start(struct concentrator *c, void (*started)(void *owner, int result), void *owner)
{
	c->started = started;
	c->started_owner = owner;
	if (!c->config.listen_count)
		log_message(c->log, LEVEL_WARN, "config", "no listen address is configured: listening on all of them");
	warn(c);
	open_state(c);
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
	tun_plane_flush(c->plane); /* what comes meanwhile, requests too, is still looked at */
	concentrator_admission_end(c);
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
	concentrator_drain_record_end(c);
	wheel_disarm(&c->loop->wheel, &c->settle_timer);
	wheel_disarm(&c->loop->wheel, &c->hold_timer);
	concentrator_adopt_end(c);
	wheel_disarm(&c->loop->wheel, &c->listen_timer);
	c->stop_timer.fire = stop_step;
	c->stop_at = loop_now(c->loop) + STOP_MS;
	for (struct subscriber *sub = c->all; sub; sub = next) {
		next = sub->next;
		subscriber_close(sub, CAUSE_SHUTDOWN, L2TP_STOP_SHUTDOWN, 0, "the concentrator shuts down");
	}
	wheel_arm(&c->loop->wheel, &c->stop_timer, loop_now(c->loop) + (c->count ? STOP_STEP_MS : 0));
}
