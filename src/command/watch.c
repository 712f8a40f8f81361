/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine process's side of `softwire connect`: looks at the initiator as `softwire show` would, with every control packet and every tick,
 * tells what has changed since, and ends it when there is nothing more to hope for.
 *
 * Facts about addresses come one by one (Router Advertisement, DHCPv6, IPCP): they are told when it has been quiet for a moment.
 */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/connect.h"
#include "control/print.h"

enum { LOOK_MS = 100, TICK_MS = 1000, QUIET_MS = 400, REPORT_MS = 10000 };

/* Of initiator_show(): how far it has come. */
enum rank { RANK_WAITING, RANK_CLOSING, RANK_TUNNEL, RANK_LINK, RANK_SIGNED_IN, RANK_UP };

static enum rank rank_of(const json_t *shown)
{
	static const struct {
		const char *word;
		enum rank rank;
	} states[] = {{"tunnel", RANK_TUNNEL}, {"lcp", RANK_LINK}, {"auth", RANK_LINK},
		{"lease", RANK_SIGNED_IN}, {"ncp", RANK_SIGNED_IN}, {"up", RANK_UP},
		{"closing", RANK_CLOSING}, {"closed", RANK_CLOSING}};
	const char *state = json_string_value(json_object_get(shown, "state"));

	for (unsigned n = 0; state && n < sizeof(states) / sizeof(*states); n++)
		if (!strcmp(states[n].word, state))
			return states[n].rank;
	return RANK_WAITING;
}

static const char *text_of(const json_t *shown, const char *key)
{
	return json_string_value(json_object_get(shown, key));
}

static json_int_t number_of(const json_t *shown, const char *key)
{
	return json_integer_value(json_object_get(shown, key));
}

static msec now_of(const struct watch *w)
{
	return loop_now(w->loop);
}

/* An event with the time since the start; what FORMAT says goes with it. */
static json_t *event(const struct watch *w, const char *name)
{
	return json_pack("{s:s, s:I}", "event", name, "t_ms", (json_int_t)(now_of(w) - w->started_at));
}

/* ---- the steps of set-up ---- */

/* Where it leads to; "192.0.2.1:1701" without the port that everybody has. */
static void tell_attempt(struct watch *w, const json_t *shown)
{
	const char *peer = text_of(shown, "peer");
	struct endpoint e;
	char address[ADDR_TEXT];
	json_t *o;

	if (!peer || endpoint_parse(peer, 0, &e) || w->target->literal)
		return;
	addr_print(&e.addr, address);
	o = event(w, "lookup");
	json_object_set_new(o, "name", json_string(w->target->host));
	json_object_set_new(o, "address", json_string(address));
	screen_event(&w->screen, o, "looking up %s ... %s", w->target->host, address);
}

static void tell_tunnel(struct watch *w, const json_t *shown, msec now)
{
	const char *peer = text_of(shown, "peer");
	json_t *o = event(w, "tunnel");

	w->tunnel_told = true;
	w->tunnel_at = now;
	json_object_set_new(o, "peer", json_string(peer ? peer : "?"));
	json_object_set_new(o, "ms", json_integer((json_int_t)(now - w->attempt_at)));
	screen_event(&w->screen, o, "tunnel to %s ... %llu ms", peer ? peer : "?",
		(unsigned long long)(now - w->attempt_at));
}

static void tell_auth(struct watch *w, const json_t *shown, msec now)
{
	const char *method = text_of(shown, "auth");
	json_t *o;

	w->auth_told = true;
	if (!method)
		return;
	o = event(w, "auth");
	json_object_set_new(o, "user", json_string(w->target->user));
	json_object_set_new(o, "method", json_string(method));
	json_object_set_new(o, "ms", json_integer((json_int_t)(now - w->tunnel_at)));
	screen_event(&w->screen, o, "signed in as %s (%s) ... %llu ms", w->target->user, method,
		(unsigned long long)(now - w->tunnel_at));
}

static void tell_up(struct watch *w, const json_t *shown, msec now)
{
	json_t *o = event(w, "up");
	char device[20];

	w->up_told = true;
	w->sentence[0] = '\0';
	w->rate_at = now;
	w->report_at = now + REPORT_MS;
	if (!w->first_up_at)
		w->first_up_at = now;
	snprintf(device, sizeof(device), "si-%s", w->plan->name);
	json_object_set_new(o, "device", json_string(device));
	json_object_set_new(o, "peer", json_incref(json_object_get(shown, "peer")));
	json_object_set_new(o, "setup_ms", json_incref(json_object_get(shown, "setup_ms")));
	screen_event(&w->screen, o, "connected in %lld ms, device %s",
		(long long)number_of(shown, "setup_ms"), device);
}

/* ---- what the softwire gave ---- */

static json_t *network_of(const json_t *shown)
{
	static const char *const keys[] = {
		"families", "address6", "link6", "delegated", "address4", "peer4", "subnets", "dns", "mtu"};
	json_t *o = json_object();

	for (unsigned n = 0; n < sizeof(keys) / sizeof(*keys); n++)
		json_object_set(o, keys[n], json_object_get(shown, keys[n]));
	return o;
}

static void add_list(struct text *t, const char *word, const json_t *array)
{
	const json_t *item;
	size_t n;

	json_array_foreach(array, n, item) text_add(t, "%s%s%s",
		n        ? " "
		: t->len ? ", "
			 : "",
		n ? "" : word, json_string_value(item));
}

static void print_network(const json_t *network, char *buf, size_t size)
{
	struct text t = {.buf = buf, .size = size};
	const char *six = text_of(network, "address6"), *four = text_of(network, "address4");

	buf[0] = '\0';
	if (six)
		text_add(&t, "IPv6 %s/64", six);
	add_list(&t, "prefix ", json_object_get(network, "delegated"));
	if (four)
		text_add(&t, "%sIPv4 %s", t.len ? ", " : "", four);
	add_list(&t, "subnet ", json_object_get(network, "subnets"));
	add_list(&t, "DNS ", json_object_get(network, "dns"));
	if (!t.len)
		text_add(&t, "no address yet");
	text_add(&t, ", MTU %lld", (long long)number_of(network, "mtu"));
}

static bool has_address(const json_t *network)
{
	return text_of(network, "address6") || text_of(network, "address4");
}

static void tell_network(struct watch *w)
{
	json_t *o = event(w, "network");
	char text[800];

	json_decref(w->network);
	w->network = json_incref(w->seen);
	json_object_update(o, w->network);
	print_network(w->network, text, sizeof(text));
	screen_event(&w->screen, o, "%s", text);
}

/* True: there is something that waits for quiet. */
static bool look_at_network(struct watch *w, const json_t *shown, msec now)
{
	json_t *network = network_of(shown);

	if (!w->seen || !json_equal(network, w->seen)) {
		json_decref(w->seen);
		w->seen = json_incref(network);
		w->seen_at = now;
	}
	json_decref(network);
	if (!has_address(w->seen) || (w->network && json_equal(w->seen, w->network)))
		return !w->network;
	if (now - w->seen_at < QUIET_MS)
		return true;
	tell_network(w);
	return false;
}

/* ---- bytes ---- */

static void count(struct watch *w, const json_t *shown)
{
	w->down_now = (uint64_t)(number_of(shown, "rx6_bytes") + number_of(shown, "rx4_bytes"));
	w->up_now = (uint64_t)(number_of(shown, "tx6_bytes") + number_of(shown, "tx4_bytes"));
}

static uint64_t down_bytes(const struct watch *w)
{
	return w->down_before + w->down_now;
}

static uint64_t up_bytes(const struct watch *w)
{
	return w->up_before + w->up_now;
}

static void set_bytes(const struct watch *w, json_t *o)
{
	json_object_set_new(o, "rx_bytes", json_integer((json_int_t)down_bytes(w)));
	json_object_set_new(o, "tx_bytes", json_integer((json_int_t)up_bytes(w)));
}

static void print_heard(struct watch *w, char *buf, size_t size)
{
	json_t *tunnel = initiator_show_tunnel(w->initiator);
	const json_t *heard = json_object_get(tunnel, "last_heard_seconds");

	if (json_is_integer(heard))
		snprintf(buf, size, "heard %lld s ago", (long long)json_integer_value(heard));
	else
		snprintf(buf, size, "never heard");
	json_decref(tunnel);
}

static void show_traffic(struct watch *w, msec now)
{
	double seconds = now > w->rate_at ? (double)(now - w->rate_at) / 1000 : 1;
	char clock[24], down[24], up[24], down_total[16], up_total[16], heard[40], line[160];

	print_heard(w, heard, sizeof(heard));
	snprintf(line, sizeof(line), "up %s | down %s (%sB) | up %s (%sB) | %s",
		screen_clock((now - w->first_up_at) / 1000, clock),
		screen_rate((double)(down_bytes(w) - w->down_last) / seconds, down),
		print_bytes((double)down_bytes(w), down_total),
		screen_rate((double)(up_bytes(w) - w->up_last) / seconds, up),
		print_bytes((double)up_bytes(w), up_total), heard);
	w->down_last = down_bytes(w);
	w->up_last = up_bytes(w);
	w->rate_at = now;
	screen_live(&w->screen, line);
}

static void report_traffic(struct watch *w, msec now)
{
	json_t *o;

	if (now < w->report_at)
		return;
	w->report_at = now + REPORT_MS;
	o = event(w, "traffic");
	set_bytes(w, o);
	screen_event(&w->screen, o, NULL);
}

/* ---- failures ---- */

static void end(struct watch *w, bool failed, const char *reason)
{
	if (w->ending)
		return;
	w->ending = true;
	w->failed = failed;
	snprintf(w->reason, sizeof(w->reason), "%s", reason);
}

static void tell_down(struct watch *w, const json_t *shown, const char *error)
{
	const json_t *next = json_object_get(shown, "next_attempt_seconds");
	const char *peer = text_of(shown, "peer"), *cause = text_of(shown, "last_cause");
	char copy[256], sentence[400], again[64] = "";
	struct failure f = {0};
	json_t *o = event(w, w->up_told ? "down" : "failed");
	bool last;

	snprintf(copy, sizeof(copy), "%s", error);
	failure_of(copy, cause, &f);
	f.target = w->target;
	f.address = w->peer[0] ? w->peer : peer;
	failure_print(&f, sentence, sizeof(sentence));
	last = w->options->once || failure_is_final(&f, w->first_up_at);
	json_object_set_new(o, "reason", json_string(sentence));
	json_object_set_new(o, "detail", json_string(error));
	json_object_set_new(o, "cause", json_incref(json_object_get(shown, "last_cause")));
	if (!last && json_is_integer(next)) {
		json_object_set_new(o, "again_seconds", json_integer(json_integer_value(next)));
		snprintf(again, sizeof(again), "; next attempt in %lld s",
			(long long)json_integer_value(next));
	}
	/* People need not read it again and again, nor before it is what the last line says. */
	if (w->screen.json || (!last && strcmp(sentence, w->sentence) != 0))
		screen_event(&w->screen, o, "%s%s%s", w->up_told ? "connection lost: " : "", sentence, again);
	else
		json_decref(o);
	w->down_told = true;
	snprintf(w->sentence, sizeof(w->sentence), "%s", sentence);
	snprintf(w->down_text, sizeof(w->down_text), "%s", error);
	if (last)
		end(w, true, sentence);
}

static void look_at_failure(struct watch *w, const json_t *shown)
{
	const char *error = text_of(shown, "last_error");

	if (error && (!w->down_told || strcmp(error, w->down_text) != 0))
		tell_down(w, shown, error);
}

/* ---- looking ---- */

static void begin_attempt(struct watch *w, const json_t *shown, msec now)
{
	if (w->attempt)
		look_at_failure(w, shown); /* it was too short for the timer to see it */
	w->attempt = (uint32_t)number_of(shown, "id");
	/* Of several that race only one is shown: it may have begun earlier, as its packets tell. */
	w->attempt_at = w->tunnel_at =
		w->traced == w->attempt && w->traced_ms < now ? now - w->traced_ms : now;
	w->tunnel_told = w->auth_told = w->up_told = w->down_told = false;
	w->down_before += w->down_now;
	w->up_before += w->up_now;
	w->down_now = w->up_now = 0;
	json_decref(w->seen);
	w->seen = NULL;
	snprintf(w->peer, sizeof(w->peer), "%s", text_of(shown, "peer") ? text_of(shown, "peer") : "");
	tell_attempt(w, shown);
}

/* Pure looking: also from inside the engine. True: more is to be expected soon. */
static bool look(struct watch *w)
{
	json_t *shown = initiator_show(w->initiator);
	enum rank rank = rank_of(shown);
	msec now = now_of(w);
	bool soon = true;

	if (rank > RANK_CLOSING && number_of(shown, "id") != w->attempt)
		begin_attempt(w, shown, now);
	if (rank > RANK_TUNNEL && !w->tunnel_told)
		tell_tunnel(w, shown, now);
	if (rank > RANK_LINK && !w->auth_told)
		tell_auth(w, shown, now);
	if (rank == RANK_UP && !w->up_told)
		tell_up(w, shown, now);
	if (rank == RANK_UP) {
		count(w, shown);
		soon = look_at_network(w, shown, now);
	} else if (rank == RANK_WAITING) {
		look_at_failure(w, shown);
	}
	json_decref(shown);
	return soon;
}

static void traced(void *owner, struct json_t *packet)
{
	struct watch *w = owner;

	w->traced = (uint32_t)number_of(packet, "softwire");
	w->traced_ms = (msec)number_of(packet, "t_ms");
	json_decref(packet);
	if (!w->ending)
		(void)look(w);
}

/* ---- time ---- */

static void show_activity(struct watch *w)
{
	char text[128];

	if (w->down_told)
		snprintf(text, sizeof(text), "waiting for the next attempt ...");
	else if (!w->attempt)
		snprintf(text, sizeof(text), "looking up %.100s ...", w->target->host);
	else if (!w->tunnel_told)
		snprintf(text, sizeof(text), "tunnel to %s ...", w->peer);
	else
		snprintf(text, sizeof(text), "signing in ...");
	screen_live(&w->screen, text);
}

static void look_at_time(struct watch *w, msec now)
{
	if (w->options->seconds.given && now - w->started_at >= (msec)w->options->seconds.value * 1000)
		end(w, !w->first_up_at,
			w->first_up_at ? "its time is over" : "its time is over, and it was never up");
	if (w->screen.broken)
		end(w, true, "nobody reads what it says");
}

static void tick(struct wheel_timer *t, msec now)
{
	struct watch *w = container_of(t, struct watch, timer);
	bool soon = true;

	if (!w->ending) {
		soon = look(w);
		look_at_time(w, now);
	}
	if (w->ending) { /* maybe seen from inside an engine, where nothing may be ended */
		worker_stop(w->worker, KEEPER_GIVE_UP);
		return;
	}
	if (!w->up_told) {
		show_activity(w);
	} else if (now - w->rate_at >= TICK_MS) {
		show_traffic(w, now);
		report_traffic(w, now);
	}
	wheel_arm(&w->loop->wheel, &w->timer, now + (soon ? LOOK_MS : TICK_MS));
}

/* ---- the observer ---- */

static struct watch *watch_of(struct worker_observer *o)
{
	return container_of(o, struct watch, observer);
}

/* What the daemon would log as an error: "message" is a sentence, the rest is keys. */
static void logged(struct log *log, const char *line, size_t len)
{
	struct watch *w = log->tap_owner;
	json_t *o = event(w, "log");
	char text[LOG_LINE];

	snprintf(text, sizeof(text), "%.*s", (int)len, line);
	snprintf(w->error, sizeof(w->error), "it could not begin: %.300s", text);
	json_object_set_new(o, "line", json_string(text));
	screen_event(&w->screen, o, "%s", text);
}

static void begun(struct worker_observer *o, struct worker *worker, struct loop *loop, struct log *log,
	struct initiator *const *initiators, unsigned count)
{
	struct watch *w = watch_of(o);

	(void)signal(
		SIGTTOU, SIG_IGN); /* we are no foreground process of the terminal, and write all the same */
	w->worker = worker;
	w->loop = loop;
	w->initiator = initiators[0];
	w->started_at = loop_now(loop);
	if (!w->options->verbose) {
		log->fd = -1;
		log->tap = logged;
		log->tap_owner = w;
	}
	initiator_trace(w->initiator, traced, w);
	w->timer.fire = tick;
	wheel_arm(&loop->wheel, &w->timer, loop_now(loop) + LOOK_MS);
}

static void stopping(struct worker_observer *o)
{
	struct watch *w = watch_of(o);

	if (!w->loop)
		return;
	wheel_disarm(&w->loop->wheel, &w->timer);
	w->ended_at = now_of(w);
	if (!w->ending)
		(void)look(w);
	if (w->first_up_at)
		end(w, false, "ended by the user");
	else
		end(w, true, *w->error ? w->error : "ended before it was up");
	screen_live(&w->screen, "saying goodbye ...");
}

static void tell_end(struct watch *w)
{
	json_t *o = event(w, "end");
	char clock[24], down[16], up[16];
	uint64_t seconds = w->first_up_at ? (w->ended_at - w->first_up_at) / 1000 : 0;

	json_object_set_new(o, "ok", json_boolean(!w->failed));
	json_object_set_new(o, "reason", json_string(w->reason));
	json_object_set_new(o, "seconds", json_integer((json_int_t)seconds));
	set_bytes(w, o);
	screen_live(&w->screen, "");
	if (w->first_up_at)
		screen_event(&w->screen, o, "ended after %s: %sB down, %sB up", screen_clock(seconds, clock),
			print_bytes((double)down_bytes(w), down), print_bytes((double)up_bytes(w), up));
	else
		screen_event(&w->screen, o, NULL);
}

static int ended(struct worker_observer *o, int status)
{
	struct watch *w = watch_of(o);

	if (w->loop)
		tell_end(w);
	json_decref(w->network);
	json_decref(w->seen);
	if (!w->ending)
		return KEEPER_GIVE_UP;
	if (w->failed && !w->screen.json)
		fprintf(stderr, "softwire: %s\n", w->reason);
	return w->failed ? KEEPER_GIVE_UP : 0;
}

void watch_init(
	struct watch *w, const struct connect_options *o, const struct target *t, const struct plan *p)
{
	*w = (struct watch){.observer = {.begun = begun, .stopping = stopping, .ended = ended},
		.options = o,
		.target = t,
		.plan = p};
	screen_init(&w->screen, stdout, o->json);
}
