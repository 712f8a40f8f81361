/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of an initiator: connect, stay connected, connect again.
 *
 * Once a second one timer looks at three things:
 *   - waiting: is it time for the next attempt?
 *   - up: data was sent for 5 s and nothing was heard: a hint, like ICMP errors, a stray StopCCN and a changed address. A hint makes the
 *     engine send HELLO at once and at 1, 2, 4 s; only silence after that ends the softwire. Forging a hint ends nothing.
 *   - down for 30 s: default routes are withdrawn, and LAN hosts are told. The same for one family while the other one stays.
 * Back-off: 1 s doubling with jitter, at most 8 s during the first five minutes of an outage, so that a server that comes back is
 * found within seconds; later up to backoff_max. A hint while waiting means an attempt now.
 */
#include "initiator/role.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	TICK_MS = 1000,
	UNANSWERED_MS = 5000,
	WITHDRAW_MS = 30000,
	EARLY_OUTAGE_MS = 300000,
	EARLY_BACKOFF_MS = 8000,
	STOP_MS = 2000,
	STOP_STEP_MS = 20,
	FAMILY_MS = 10000,
	REFRESH_MS = 5000,
	STEADY_MS = 30000,
	BUSY_MS = 200,
	BUSY_TRIES = 25
};

bool initiator_log(struct initiator *i, struct log_line *l, enum log_level level, const char *event)
{
	if (!log_begin(i->log, l, level, event))
		return false;

	log_text(l, "initiator", i->config.name);
	if (i->current) {
		log_uint(l, "softwire", i->current->id);
		log_endpoint(l, "peer", &i->current->server);
	}
	return true;
}

/* ---- waiting and trying ---- */

void initiator_note_error(struct initiator *i, const char *why, const char *cause)
{
	snprintf(i->last_error, sizeof(i->last_error), "%s", why);
	i->last_cause = cause;
}

void initiator_wait(struct initiator *i, msec delay)
{
	i->state = INITIATOR_WAITING;
	i->attempt_at = loop_now(i->loop) + delay;
}

msec initiator_backoff(struct initiator *i, uint32_t failures, msec max)
{
	msec delay = i->config.backoff_first_ms;

	for (uint32_t n = 1; n < failures && delay < max; n++)
		delay *= 2;
	if (delay > max)
		delay = max;
	return delay / 2 + rng_below(i->rng, (uint32_t)delay / 2 + 1); /* jitter: half to whole */
}

static msec backoff(struct initiator *i)
{
	msec max = i->config.backoff_max_ms;

	if (loop_now(i->loop) - i->down_since < EARLY_OUTAGE_MS && max > EARLY_BACKOFF_MS)
		max = EARLY_BACKOFF_MS;
	return initiator_backoff(i, i->failures, max);
}

void initiator_fail(struct initiator *i, const char *why)
{
	struct log_line l;
	msec delay;

	if (why != i->last_error)
		initiator_note_error(i, why, NULL);
	if (i->stopping)
		return;
	i->failures++;
	delay = i->failures == 1 && i->reconnects ? rng_below(i->rng, 250) : backoff(i);
	if (initiator_log(i, &l, LEVEL_INFO, "waiting")) {
		log_uint(&l, "failures", i->failures);
		log_uint(&l, "next_attempt_ms", delay);
		log_text(&l, "reason", why);
		log_end(&l);
	}
	initiator_wait(i, delay);
}

static bool look_at_family(struct initiator *i, uint8_t family, bool wanted, bool up, msec *since, msec now)
{
	if (up || !wanted) {
		*since = 0;
		return false;
	}
	if (!*since)
		*since = now;
	if (now - *since >= WITHDRAW_MS && initiator_network_holds(i, family))
		initiator_network_withdraw_family(i, family);
	return now - *since >= FAMILY_MS;
}

/*
 * Closing a network protocol does not close the link, and the concentrator may open it again at once. If it does not, what it brought is
 * withdrawn; and a link without any payload is of no use to anybody at home: connect again.
 */
static bool look_at_families(struct initiator *i, msec now)
{
	struct softwire *s = &i->current->engine.softwire;
	bool gone6 = look_at_family(i, AF_INET6, i->config.ipv6, s->up6, &i->down6_since, now);
	bool has4 = s->up4 && !addr_is_none(&i->current->engine.state.address4);
	bool gone4 = look_at_family(i, AF_INET, i->config.ipv4, has4, &i->down4_since, now);

	if (s->up6 || s->up4 || (i->config.ipv6 && !gone6) || (i->config.ipv4 && !gone4))
		return false;
	i->down6_since = i->down4_since = 0;
	softwire_close(s, CAUSE_PEER, L2TP_STOP_CLEAR, 0,
		"the concentrator closed all network protocols on this link", now);
	return true;
}

/* Only a softwire that stays up ends the back-off: two homes with one account would replace each other for ever. */
static void look_at_age(struct initiator *i, msec now)
{
	if (now - i->current->engine.softwire.up_at < STEADY_MS)
		return;
	i->failures = 0;
	initiator_server_works(i, i->current->server_index);
}

/* A better server may be back. Each looks at a time of its own, so that a thousand initiators do not come home at once. */
static void look_at_home(struct initiator *i, msec now)
{
	uint32_t interval = i->config.come_home_ms;

	if (!i->config.come_home || !i->current->below) {
		i->home_at = 0;
	} else if (!i->home_at) {
		i->home_at = now + interval / 2 + rng_below(i->rng, interval + 1);
	} else if (now >= i->home_at) {
		i->home_at = 0;
		initiator_race_start(i, RACE_HOME);
	}
}

/* The one that sets itself up beside the current one has had its time. */
static void look_at_follower(struct initiator *i, msec now)
{
	if (i->follower && attempt_is_complete(i->follower, now))
		attempt_lead(i->follower, "it has all that it will get");
}

static void look_at_traffic(struct initiator *i, msec now)
{
	const struct dp_row *row = i->current->row;
	msec heard = row->last_rx;

	if (i->current->engine.softwire.tunnel.last_heard > heard)
		heard = i->current->engine.softwire.tunnel.last_heard;
	if (row->last_tx <= heard) {
		i->unanswered_since = 0;
	} else if (!i->unanswered_since) {
		i->unanswered_since = now;
	} else if (now - i->unanswered_since >= UNANSWERED_MS) {
		i->unanswered_since = 0;
		initiator_hint(i, "sent for 5 s and heard nothing");
	}
}

static void stop_step(struct initiator *i, msec now);

static void tick(struct wheel_timer *t, msec now)
{
	struct initiator *i = container_of(t, struct initiator, timer);

	wheel_arm(&i->loop->wheel, &i->timer, now + TICK_MS);
	if (i->stopping) {
		stop_step(i, now);
		return;
	}
	initiator_roam_tick(i, now);
	initiator_record(i); /* with what was counted, and is held, since */
	if (i->state == INITIATOR_UP && i->current && !look_at_families(i, now)) {
		look_at_age(i, now);
		look_at_traffic(i, now);
		look_at_home(i, now);
		look_at_follower(i, now);
	}
	if (i->state == INITIATOR_WAITING && now >= i->attempt_at)
		initiator_connect(i);
	if (i->state != INITIATOR_UP && now - i->down_since >= WITHDRAW_MS &&
		(initiator_network_has(i, AF_INET6) || initiator_network_has(i, AF_INET)))
		initiator_network_withdraw(i);
	if (i->state == INITIATOR_WAITING && i->attempt_at < now + TICK_MS)
		wheel_arm(&i->loop->wheel, &i->timer, i->attempt_at > now ? i->attempt_at : now + 1);
	initiator_path_tick(i, now);
	initiator_network_tick(i, now);
	initiator_hooks_tick(i, now);
	if (i->kernel_changed ||
		now >= i->refresh_at) { /* the kernel does not tell of everything: look now and then */
		i->kernel_changed = false;
		i->refresh_at = now + REFRESH_MS;
		initiator_lan_refresh(i);
		initiator_network_again(i);
	}
}

void initiator_hint(struct initiator *i, const char *what)
{
	struct log_line l;

	if (i->stopping || i->state == INITIATOR_IDLE)
		return;
	i->kernel_changed = true;
	initiator_path_look(i);
	if (i->state == INITIATOR_WAITING && i->failures > 1) {
		i->attempt_at = loop_now(i->loop);
		wheel_arm(&i->loop->wheel, &i->timer, i->attempt_at);
		return;
	}
	if (initiator_roam_changed(i))
		return;
	if (i->state != INITIATOR_UP || !i->current || i->current->engine.softwire.tunnel.probing)
		return;
	if (initiator_log(i, &l, LEVEL_DEBUG, "hint")) {
		log_text(&l, "what", what);
		log_end(&l);
	}
	softwire_probe(&i->current->engine.softwire, loop_now(i->loop));
	initiator_roam_probing(i);
}

/* ---- life ---- */

static void apply_config(struct initiator *i)
{
	struct softwire_config *s = &i->softwire;
	const struct initiator_config *config = &i->config;

	s->l2tp.host_name = i->config.host_name;
	s->l2tp.vendor_name = "softwired";
	s->l2tp.hello_ms = config->hello_ms;
	s->l2tp.retransmit_ms = config->retransmit_ms;
	s->l2tp.retransmit_tries = config->retransmit_tries;
	s->l2tp.framing_async = config->framing_async;
	s->l2tp.require_secret = *config->tunnel_secret_path != '\0';
	s->ppp.ipv6 = config->ipv6;
	s->ppp.ipv4 = config->ipv4;
	s->ppp.echo_ms = config->echo_ms;
	s->nd.dad_transmits = config->dad_transmits;
	s->dhcp6_client.want_prefix = config->want_prefix;
	s->dhcp6_client.prefix_hint = config->prefix_length;
	s->dhcp6_client.rapid_commit = config->rapid_commit;
	s->dhcp4_client.want_subnet = config->want_subnet;
	s->dhcp4_client.subnet_len = config->subnet_length;
	s->dhcp4_client.rapid_commit = config->rapid_commit;
	initiator_auth_config(i);
}

struct initiator *initiator_new(struct loop *loop, struct log *log, struct keeper_client *keeper,
	struct rng *rng, const struct initiator_config *config)
{
	struct initiator *i = calloc(1, sizeof(*i));

	if (!i)
		return NULL;
	i->loop = loop;
	i->log = log;
	i->keeper = keeper;
	i->rng = rng;
	i->config = *config;
	i->timer.fire = tick;
	i->state_fd = -1;
	snprintf(i->device, sizeof(i->device), "si-%s", config->name);
	i->route6 = (struct default_route){.role = i, .dst = {.addr = {.family = AF_INET6}}};
	i->route4 = (struct default_route){.role = i, .dst = {.addr = {.family = AF_INET}}};
	initiator_lan_init(i);
	initiator_servers_init(i);
	initiator_roam_init(i);
	softwire_config_init(
		&i->softwire, L2TP_LAC, &initiator_softwire_ops, &loop->wheel, rng, &i->counters);
	apply_config(i);
	i->plane = tun_plane_new(loop, log, &initiator_tun_ops, i, rng_u64(rng));
	i->routes = netlink_open();
	if (!i->plane || !i->routes) {
		log_message(log, LEVEL_ERROR, "start-failed", "no memory or no netlink socket");
		initiator_free(i);
		return NULL;
	}
	return i;
}

void initiator_free(struct initiator *i)
{
	if (!i)
		return;
	initiator_auth_free(i);
	initiator_adopt_end(i);
	if (i->routes)
		netlink_close(i->routes);
	if (i->plane)
		tun_plane_close(i->plane, NULL);
	free(i);
}

const char *initiator_name(const struct initiator *i)
{
	return i->config.name;
}

/* ---- start ---- */

static void finish_start(struct initiator *i, int result)
{
	void (*started)(void *, int) = i->started;

	i->started = NULL;
	if (started)
		started(i->started_owner, result);
}

static void fail_start(struct initiator *i, int result, const char *what, const char *why)
{
	log_message(i->log, LEVEL_ERROR, "start-failed", "initiator %s: %s: %s", i->config.name, what, why);
	finish_start(i, result);
}

static void go_on(struct initiator *i)
{
	initiator_lan_start(i);
	if (i->config.lan_count && i->config.ipv6)
		keeper_forwarding(i->keeper, AF_INET6, NULL, NULL);
	if (i->config.lan_count && i->config.ipv4)
		keeper_forwarding(i->keeper, AF_INET, NULL, NULL);
	initiator_roam_tick(i, loop_now(i->loop)); /* from now on a late tick is noticed */
	wheel_arm(&i->loop->wheel, &i->timer, loop_now(i->loop) + TICK_MS);
	i->running = true;
	finish_start(i, 0);
	if (i->current)
		return;
	i->down_since = loop_now(i->loop);
	initiator_connect(i);
}

static void begin(struct initiator *i)
{
	initiator_state_load(i);
	initiator_adopt(i, go_on); /* before anybody on the LAN is told anything */
}

static void device_again(struct wheel_timer *t, msec now);

static void device_opened(void *owner, int result, int fd)
{
	struct initiator *i = owner;

	if (result == -EBUSY && i->device_tries < BUSY_TRIES &&
		!i->stopping) { /* of a daemon that was just killed */
		i->device_tries++;
		i->timer.fire = device_again;
		wheel_arm(&i->loop->wheel, &i->timer, loop_now(i->loop) + BUSY_MS);
		return;
	}
	if (i->stopping) { /* the plane may be gone */
		if (fd >= 0)
			close(fd);
		return;
	}
	if (!result) {
		result = tun_plane_set_device(i->plane, fd);
		if (result)
			close(fd);
	}
	if (result)
		fail_start(i, result, i->device, strerror(-result));
	else
		begin(i);
}

static void device_again(struct wheel_timer *t, msec now)
{
	struct initiator *i = container_of(t, struct initiator, timer);

	t->fire = tick;
	keeper_open_tun(i->keeper, i->device, 1500, device_opened, i);
}

static void directory_opened(void *owner, int result, int fd)
{
	struct initiator *i = owner;

	if (fd >= 0)
		close(fd);
	if (result) /* not fatal: without it the DUID is new at every start */
		log_message(i->log, LEVEL_WARN, "state", "%s: %s: the DUID will not survive a restart",
			i->config.state_path, strerror(-result));
	keeper_open_tun(i->keeper, i->device, 1500, device_opened, i);
}

static void open_directory(struct initiator *i)
{
	char directory[sizeof(i->config.state_path)];
	char *slash;

	if (!*i->config.state_path) {
		keeper_open_tun(i->keeper, i->device, 1500, device_opened, i);
		return;
	}
	snprintf(directory, sizeof(directory), "%s", i->config.state_path);
	slash = strrchr(directory, '/');
	if (slash)
		*slash = '\0';
	keeper_open_directory(i->keeper, directory, directory_opened, i);
}

static void files_read(struct initiator *i, int result)
{
	if (result)
		finish_start(i, result);
	else
		open_directory(i);
}

void initiator_start(struct initiator *i, void (*started)(void *owner, int result), void *owner)
{
	i->started = started;
	i->started_owner = owner;
	if (!i->config.trusted_network && *i->config.password_path)
		log_message(i->log, LEVEL_WARN, "unprotected",
			"initiator %s: without IPsec a password can be guessed offline by whoever listens on "
			"a "
			"public network (RFC 5619)",
			i->config.name);
	initiator_auth_read(i, files_read);
}

/* ---- stop ---- */

static void plane_freed(void *owner)
{
	struct initiator *i = owner;

	i->plane = NULL;
	if (i->stopped)
		i->stopped(i->stopped_owner);
}

/* The server has acknowledged our StopCCN. */
static bool all_quiet(const struct initiator *i)
{
	for (const struct attempt *a = i->lingering; a; a = a->next)
		if (!softwire_is_quiet(&a->engine.softwire))
			return false;
	return !i->current && !i->follower && !i->racing;
}

static void stop_step(struct initiator *i, msec now)
{
	struct attempt *a;

	if (!all_quiet(i) && now < i->stop_at) {
		wheel_arm(&i->loop->wheel, &i->timer, now + STOP_STEP_MS);
		return;
	}
	if (initiator_server_resolving(i)) { /* libuv calls back soon, cancelled or not */
		wheel_arm(&i->loop->wheel, &i->timer, now + STOP_STEP_MS);
		return;
	}
	wheel_disarm(&i->loop->wheel, &i->timer);
	while ((a = i->current ? i->current : i->follower ? i->follower : i->racing ? i->racing : i->lingering))
		attempt_free(a);
	i->state = INITIATOR_STOPPED;
	tun_plane_flush(i->plane);
	tun_plane_close(i->plane, plane_freed);
}

void initiator_stop(struct initiator *i, void (*stopped)(void *owner), void *owner)
{
	msec now = loop_now(i->loop);

	i->stopped = stopped;
	i->stopped_owner = owner;
	i->stopping = true;
	i->timer.fire = tick;
	i->stop_at = now + STOP_MS;
	initiator_servers_cancel(i);
	initiator_hooks_down(i, "the initiator shuts down");
	initiator_network_clear(i);
	initiator_lan_stop(i);
	initiator_roam_stop(i);
	wheel_disarm(&i->loop->wheel, &i->settle_timer);
	initiator_race_stop(i, "the initiator shuts down");
	if (i->follower)
		attempt_drop(i->follower, CAUSE_SHUTDOWN, "the initiator shuts down");
	if (i->current)
		softwire_close(&i->current->engine.softwire, CAUSE_SHUTDOWN, L2TP_STOP_SHUTDOWN, 0,
			"the initiator shuts down", now);
	wheel_arm(&i->loop->wheel, &i->timer, now + 1);
}

void initiator_clear(struct initiator *i)
{
	i->failures = 0; /* it is none that somebody wanted this */
	initiator_servers_forget(i);
	if (i->current)
		softwire_close(&i->current->engine.softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0,
			"cleared by the operator", loop_now(i->loop));
	else if (i->state == INITIATOR_WAITING)
		i->attempt_at = loop_now(i->loop);
}

/* Timers apply at once; everything else is negotiated or in the kernel, and needs a new softwire. */
static bool same_but_timers(const struct initiator_config *a, const struct initiator_config *b)
{
	const char *const texts[][2] = {
		{a->user, b->user},
		{a->password_path, b->password_path},
		{a->server_password_path, b->server_password_path},
		{a->tunnel_secret_path, b->tunnel_secret_path},
		{a->state_path, b->state_path},
		{a->host_name, b->host_name},
		{a->eap_certificate_path, b->eap_certificate_path},
		{a->eap_key_path, b->eap_key_path},
		{a->eap_ca_path, b->eap_ca_path},
		{a->eap_server_name, b->eap_server_name},
		{a->lan_bridge, b->lan_bridge},
	};
	bool same = a->server_count == b->server_count && a->lan_count == b->lan_count &&
		    a->ipv6 == b->ipv6 && a->ipv4 == b->ipv4 && a->want_subnet == b->want_subnet &&
		    a->subnet_length == b->subnet_length && a->auth == b->auth && a->eap_md5 == b->eap_md5 &&
		    a->want_prefix == b->want_prefix && a->prefix_length == b->prefix_length &&
		    a->default_route == b->default_route && a->metric == b->metric &&
		    a->mss_clamp == b->mss_clamp && a->mtu == b->mtu && a->insist_auth == b->insist_auth &&
		    a->framing_async == b->framing_async && a->dad_transmits == b->dad_transmits &&
		    a->rapid_commit == b->rapid_commit;

	for (size_t n = 0; same && n < sizeof(texts) / sizeof(*texts); n++)
		same = strcmp(texts[n][0], texts[n][1]) == 0;
	for (unsigned n = 0; same && n < a->server_count; n++)
		same = strcmp(a->servers[n], b->servers[n]) == 0 && a->server_beside[n] == b->server_beside[n];
	for (unsigned n = 0; same && n < a->lan_count; n++)
		same = strcmp(a->lans[n], b->lans[n]) == 0;
	return same;
}

bool initiator_reload(struct initiator *i, const struct initiator_config *config)
{
	msec now = loop_now(i->loop);

	if (!same_but_timers(&i->config, config))
		return false;

	if (i->config.come_home_ms != config->come_home_ms)
		i->home_at = 0; /* planned anew */
	i->config = *config;
	if (i->state == INITIATOR_WAITING && i->attempt_at > now + config->backoff_max_ms)
		i->attempt_at = now + config->backoff_max_ms;
	apply_config(i);
	initiator_dns_tell(i);
	return true;
}
