/* SPDX-License-Identifier: GPL-2.0-or-later */
/* softwire drain: gives the order, and shows how far it is until nobody is left. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "command/command.h"
#include "command/connect.h"
#include "command/drain.h"
#include "control/client.h"

enum { LOOK_MS = 500, LINE_S = 5 };

#define FIELD(field)               .offset = offsetof(struct drain_options, field)
#define FLAG(field)                .kind = OPTION_FLAG, FIELD(field)
#define NUMBER(field, least, most) .kind = OPTION_NUMBER, FIELD(field), .min = (least), .max = (most)

static const struct option_row rows[] = {
	{"to", "ADDRESS", .kind = OPTION_LIST, FIELD(to),
		.help = "send them there; may be given again, for each family; otherwise `redirect`"},
	{"rate", "NUMBER", NUMBER(rate, 1, DRAIN_RATE_MAX), .help = "softwires that leave in a second, 100"},
	{"grace", "SECONDS", NUMBER(grace, 0, DRAIN_GRACE_MAX),
		.help = "leave all alone for so long; then those with nowhere to go are closed, too"},
	{"stop", NULL, FLAG(stop), .help = "take new softwires again"},
	{"no-wait", NULL, FLAG(no_wait), .help = "only give the order"},
	{"json", NULL, FLAG(json), .help = "one JSON object whenever something has changed"},
	{"help", NULL, FLAG(help), .help = "print this"},
};
const struct option_table drain_options = {rows, sizeof(rows) / sizeof(*rows)};

static int help(void)
{
	printf("usage: softwire drain [OPTION...]\n\n"
	       "Takes no new softwires any more, sends the established ones to another concentrator, and "
	       "waits until\n"
	       "nobody is left. An interrupt (^C) ends the waiting only; --stop ends the drain.\n\n");
	option_help(&drain_options, stdout);
	return DONE;
}

/* ---- words ---- */

static json_int_t number(const json_t *drain, const char *name)
{
	return json_integer_value(json_object_get(drain, name));
}

const char *drain_line(const json_t *drain, char buf[200])
{
	const char *state = json_string_value(json_object_get(drain, "state"));
	size_t n;

	if (!state || !strcmp(state, "off")) {
		snprintf(buf, 200, "Not draining: new softwires are taken.");
		return buf;
	}
	n = (size_t)snprintf(buf, 200, "%lld left", (long long)number(drain, "left"));
	if (number(drain, "staying") == 1)
		n += (size_t)snprintf(buf + n, 200 - n, " (1 stays until it ends by itself)");
	else if (number(drain, "staying"))
		n += (size_t)snprintf(buf + n, 200 - n, " (%lld stay until they end by themselves)",
			(long long)number(drain, "staying"));
	n += (size_t)snprintf(buf + n, 200 - n, ", %lld moved", (long long)number(drain, "moved"));
	if (number(drain, "closed"))
		n += (size_t)snprintf(buf + n, 200 - n, ", %lld closed", (long long)number(drain, "closed"));
	if (number(drain, "refused"))
		n += (size_t)snprintf(
			buf + n, 200 - n, ", %lld new ones refused", (long long)number(drain, "refused"));
	snprintf(buf + n, 200 - n, ".");
	return buf;
}

/* ---- asking ---- */

static json_t *order(const struct drain_options *o)
{
	json_t *request = json_pack("{s:s}", "do", o->stop ? "drain stop" : "drain"), *to = json_array();

	for (unsigned i = 0; i < o->to.count; i++)
		json_array_append_new(to, json_string(o->to.items[i]));
	if (o->to.count)
		json_object_set(request, "to", to);
	json_decref(to);
	if (o->rate.given)
		json_object_set_new(request, "rate", json_integer(o->rate.value));
	if (o->grace.given)
		json_object_set_new(request, "grace", json_integer(o->grace.value));
	return request;
}

/* The drain of the next answer, a new reference; NULL after it was said why there is none. */
static json_t *take_answer(struct control_client *client)
{
	size_t len;
	const char *line = control_client_line(client, &len);
	json_t *answer = line ? json_loadb(line, len, 0, NULL) : NULL;
	json_t *drain = json_incref(json_object_get(answer, "drain"));
	const char *error = json_string_value(json_object_get(answer, "error"));

	if (!drain)
		fprintf(stderr, "softwire: %s\n", error ? error : "the daemon hung up");
	json_decref(answer);
	return drain;
}

/* ---- waiting ---- */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	interrupted = 1;
}

static bool is_state(const json_t *drain, const char *state)
{
	const char *is = json_string_value(json_object_get(drain, "state"));

	return is && !strcmp(is, state);
}

/* What people do not need to hear again. */
static bool is_news(const json_t *drain, const json_t *told)
{
	static const char *const names[] = {"state", "left", "staying", "moved", "closed", "refused"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!json_equal(json_object_get(drain, names[i]), json_object_get(told, names[i])))
			return true;
	return false;
}

static void show(struct screen *s, const json_t *drain, json_t **told, time_t *told_at)
{
	time_t now = time(NULL);
	char text[200];

	screen_live(s, drain_line(drain, text));
	if (!is_news(drain, *told) || (*told && !s->json && now - *told_at < LINE_S))
		return;
	if (s->json)
		screen_event(s, json_deep_copy(drain), NULL);
	else if (!s->terminal && !is_state(drain, "drained")) /* which follow() says */
		screen_event(s, NULL, "%s", text);
	json_decref(*told);
	*told = json_deep_copy(drain);
	*told_at = now;
}

/* DRAIN's reference is taken over; the last one that came, or NULL. */
static json_t *wait_for_end(struct control_client *client, struct screen *s, json_t *drain)
{
	const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
	json_t *told = NULL;
	time_t told_at = 0;

	while (drain && !interrupted && !s->broken) {
		show(s, drain, &told, &told_at);
		if (!is_state(drain, "draining"))
			break;
		(void)nanosleep(&pause, NULL);
		if (interrupted)
			break;
		json_decref(drain);
		drain = control_client_send(client, json_pack("{s:s}", "do", "show drain"))
				? NULL
				: take_answer(client);
	}
	screen_live(s, "");
	json_decref(told);
	return drain;
}

static int follow(struct control_client *client, const struct drain_options *o, json_t *drain)
{
	struct sigaction action = {.sa_handler = on_interrupt};
	struct screen s;
	char text[200];
	int status;

	screen_init(&s, stdout, o->json);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	drain = wait_for_end(client, &s, drain);
	status = drain && is_state(drain, "drained") ? DONE : FAILED;
	if (drain && status == DONE)
		screen_event(&s, NULL, "Drained: %s", drain_line(drain, text));
	else if (drain && is_state(drain, "off"))
		fprintf(stderr, "softwire: somebody has ended the drain\n");
	else if (drain)
		fprintf(stderr, "softwire: the drain goes on: softwire show drain tells how far it is, "
				"softwire drain --stop ends it\n");
	json_decref(drain);
	return status;
}

static int say(const struct drain_options *o, json_t *drain)
{
	struct screen s;
	char text[200];

	screen_init(&s, stdout, o->json);
	screen_event(&s, json_incref(drain), "%s", drain_line(drain, text));
	json_decref(drain);
	return DONE;
}

int run_drain(const struct call *call)
{
	struct control_client client = {.fd = -1};
	struct drain_options o = {.json = false};
	char why[256] = "";
	json_t *drain = NULL;
	unsigned words = 0;
	int status;

	if (!option_parse(&drain_options, call->argc, call->argv, &o, NULL, 0, &words, why) ||
		(o.stop && (o.to.count || o.rate.given || o.grace.given))) {
		fprintf(stderr, "softwire: %s\nsoftwire drain --help tells what there is.\n",
			*why ? why : "--stop stands alone");
		return USAGE;
	}
	if (o.help)
		return help();
	o.json |= call->json;
	if (control_client_open(&client, call->socket, why))
		fprintf(stderr, "softwire: %s\n", why);
	else if (control_client_send(&client, order(&o)))
		fprintf(stderr, "softwire: the daemon hung up\n");
	else
		drain = take_answer(&client);
	if (!drain)
		status = FAILED;
	else if (o.stop || o.no_wait)
		status = say(&o, drain);
	else
		status = follow(&client, &o, drain);
	control_client_close(&client);
	return status;
}
