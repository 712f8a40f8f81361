/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See tally.h. */
#include "tally.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "l2tp/packet.h"

/* ---- command line ---- */

static void usage(const char *program)
{
	fprintf(stderr,
		"usage: %s --server ADDRESS --local ADDRESS [--count N] [--window N] [--sockets N] "
		"[--tunnels N]\n"
		"          [--limit SECONDS] [--hold] [--storm MS] [--sources N --nat N] [--rate N]\n",
		program);
	exit(2);
}

static unsigned number(const char *text, const char *program)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || !n || n > 65000)
		usage(program);
	return (unsigned)n;
}

void options_read(struct options *o, int argc, char **argv)
{
	static const struct option names[] = {
		{"server", required_argument, NULL, 's'},
		{"local", required_argument, NULL, 'l'},
		{"count", required_argument, NULL, 'n'},
		{"window", required_argument, NULL, 'w'},
		{"sockets", required_argument, NULL, 'p'},
		{"tunnels", required_argument, NULL, 't'},
		{"limit", required_argument, NULL, 'm'},
		{"hold", no_argument, NULL, 'h'},
		{"storm", required_argument, NULL, 'r'},
		{"sources", required_argument, NULL, 'c'},
		{"nat", required_argument, NULL, 'a'},
		{"rate", required_argument, NULL, 'e'},
		{0},
	};
	int c;

	*o = (struct options){
		.count = 10000, .window = 200, .sockets = 16, .tunnels = 400, .limit_seconds = 120, .rate = 5000};
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {
		case 's':
			if (endpoint_parse(optarg, L2TP_PORT, &o->server))
				usage(argv[0]);
			break;
		case 'l':
			if (endpoint_parse(optarg, 0, &o->local))
				usage(argv[0]);
			break;
		case 'n':
			o->count = number(optarg, argv[0]);
			break;
		case 'w':
			o->window = number(optarg, argv[0]);
			break;
		case 'p':
			o->sockets = number(optarg, argv[0]);
			break;
		case 't':
			o->tunnels = number(optarg, argv[0]);
			break;
		case 'm':
			o->limit_seconds = number(optarg, argv[0]);
			break;
		case 'h':
			o->hold = true;
			break;
		case 'r':
			o->storm_ms = number(optarg, argv[0]);
			break;
		case 'c':
			o->sources = number(optarg, argv[0]);
			break;
		case 'e':
			o->rate = number(optarg, argv[0]);
			break;
		case 'a':
			o->nat = number(optarg, argv[0]);
			break;
		default:
			usage(argv[0]);
		}
	}
	if (optind != argc || !o->server.addr.family || !o->local.addr.family)
		usage(argv[0]);
}

/* ---- counting ---- */

uint64_t nanoseconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void tally_init(struct tally *t, const struct options *o)
{
	*t = (struct tally){.options = o, .times = calloc(o->count, sizeof(*t->times))};
	if (!t->times)
		abort();
}

bool tally_room(const struct tally *t)
{
	return t->begun < t->options->count && t->under_way < t->options->window;
}

uint64_t tally_begin(struct tally *t)
{
	uint64_t now = nanoseconds();

	if (!t->begun)
		t->first = now;
	t->begun++;
	t->under_way++;
	return now;
}

void tally_done(struct tally *t, uint64_t began)
{
	t->last = nanoseconds();
	t->times[t->done++] = t->last - began;
	t->under_way--;
}

void tally_failed(struct tally *t)
{
	t->failed++;
	t->under_way--;
}

bool tally_complete(const struct tally *t)
{
	return t->begun == t->options->count && !t->under_way;
}

static int by_time(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static double percentile(const struct tally *t, unsigned percent)
{
	uint64_t i = t->done ? (uint64_t)(t->done - 1) * percent / 100 : 0;

	return (double)t->times[i] / 1e6;
}

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

int tally_print(struct tally *t)
{
	double seconds = t->done ? (double)(t->last - t->first) / 1e9 : 0;
	unsigned missing = t->options->count - t->done;

	qsort(t->times, t->done, sizeof(*t->times), by_time);
	printf("{\"done\": %u, \"failed\": %u, \"seconds\": %.4f, \"rate\": %.1f, ", t->done, missing,
		seconds, seconds > 0 ? t->done / seconds : 0);
	printf("\"p50_ms\": %.2f, \"p99_ms\": %.2f, \"max_ms\": %.2f, \"cpu_seconds\": %.3f}\n",
		percentile(t, 50), percentile(t, 99), percentile(t, 100), cpu_seconds());
	fflush(stdout);
	return missing ? 1 : 0;
}

/* ---- the run ---- */

struct run {
	struct loop *loop;
	struct loop_watch input;
	struct loop_flush flush;
	struct wheel_timer limit;
	struct tally *tally;
	bool printed;
	int status;
};

static void run_over(struct run *r)
{
	r->printed = true;
	wheel_disarm(&r->loop->wheel, &r->limit);
	loop_flush_remove(r->loop, &r->flush);
	r->status = tally_print(r->tally);
	if (!r->tally->options->hold)
		loop_stop(r->loop);
}

static void run_flush(struct loop_flush *f)
{
	struct run *r = container_of(f, struct run, flush);

	if (tally_complete(r->tally))
		run_over(r);
}

static void run_limit(struct wheel_timer *timer, msec now)
{
	run_over(container_of(timer, struct run, limit));
}

static void run_input(struct loop_watch *w, int events)
{
	char c;

	if (read(STDIN_FILENO, &c, 1) <= 0)
		loop_stop(container_of(w, struct run, input)->loop);
}

int tally_run(struct tally *t, struct loop *loop)
{
	struct run r = {.loop = loop, .tally = t};

	r.flush.run = run_flush;
	r.limit.fire = run_limit;
	r.input.ready = run_input;
	loop_flush_add(loop, &r.flush);
	wheel_arm(&loop->wheel, &r.limit, loop_now(loop) + t->options->limit_seconds * 1000);
	if (t->options->hold && loop_watch_start(loop, &r.input, STDIN_FILENO, UV_READABLE))
		return 2;
	loop_run(loop);
	return r.printed ? r.status : 2;
}
