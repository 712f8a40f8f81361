/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hooks. Whether the program may be run is looked at when its turn has come (trust.h), because until then it may have been changed.
 *
 * When a hook has ended, what it has left running is left alone, but not heard any more; one that is killed is killed with all its children. What
 * hooks say is limited: RUN_LINES of each run, and LINES_PER_SECOND together; how many lines were lost is told when the hook has ended. So are
 * complaints about hooks that fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper/hook.h"
#include "keeper/trust.h"
#include "lib/loop.h"

enum { RUN_LINES = 100, LINES_PER_SECOND = 20, LINES_BURST = 200 };
enum { FAILURES_PER_SECOND = 5, FAILURES_BURST = 50 };
enum { READ_SIZE = 4096, LAST_READS = 17 /* a pipe holds 64 KiB */ };

struct hook_job {
	struct hook_job *next;
	uint32_t id;
	bool asked; /* somebody waits for the answer */
	int result;
	unsigned count; /* of variables */
	const char *path, *event, *key;
	char text[]; /* path, event, key, variables, each with its zero */
};

void hooks_init(struct hooks *h, struct log *log)
{
	*h = (struct hooks){.log = log, .patience = HOOK_PATIENCE};
	h->end = &h->first;
	h->ended_end = &h->ended;
}

/* ---- log ---- */

static bool begin(const struct hooks *h, const struct hook_job *j, struct log_line *l, enum log_level level)
{
	if (!log_begin(h->log, l, level, "hook"))
		return false;
	log_text(l, "key", j->key);
	log_text(l, "on", j->event);
	log_text(l, "path", j->path);
	return true;
}

static void log_verdict(
	struct hooks *h, const struct hook_job *j, const char *reason, unsigned dropped, msec now)
{
	struct log_line l;

	if ((reason || dropped) && !limit_ok(&h->failures, now, FAILURES_PER_SECOND, FAILURES_BURST))
		return;
	if (!begin(h, j, &l, reason ? LEVEL_WARN : dropped ? LEVEL_INFO : LEVEL_DEBUG))
		return;
	if (h->failures.suppressed)
		log_uint(&l, "suppressed", h->failures.suppressed);
	h->failures.suppressed = 0;
	log_text(&l, "ended", reason ? reason : "well");
	if (dropped)
		log_uint(&l, "lines-not-logged", dropped);
	log_end(&l);
}

/* What the hook has said so far, as a line. */
static void end_line(struct hooks *h, struct hook_run *r, msec now)
{
	size_t len = r->len;
	struct log_line l;

	r->len = 0;
	if (len && r->line[len - 1] == '\r')
		len--;
	if (!len)
		return;
	if (r->lines >= RUN_LINES || !limit_ok(&h->lines, now, LINES_PER_SECOND, LINES_BURST)) {
		r->dropped++;
		return;
	}
	r->lines++;
	if (!begin(h, r->job, &l, LEVEL_INFO))
		return;
	log_textn(&l, "says", r->line, len);
	log_end(&l);
}

/* ---- what they say ---- */

static void hear(struct hooks *h, struct hook_run *r, const char *data, size_t len, msec now)
{
	for (; len; data++, len--) {
		if (*data == '\n' || r->len == sizeof(r->line))
			end_line(h, r, now);
		if (*data != '\n')
			r->line[r->len++] = *data;
	}
}

static void close_output(struct hook_run *r)
{
	if (r->output >= 0)
		close(r->output);
	r->output = -1;
}

/* False: there is nothing more now. */
static bool read_some(struct hooks *h, struct hook_run *r, msec now)
{
	char data[READ_SIZE];
	ssize_t n = r->output < 0 ? 0 : read(r->output, data, sizeof(data));

	if (n > 0)
		hear(h, r, data, (size_t)n, now);
	else if (n == 0 || errno != EAGAIN)
		close_output(r);
	return n > 0;
}

unsigned hooks_poll(const struct hooks *h, struct pollfd p[HOOKS_RUNNING])
{
	unsigned count = 0;

	for (unsigned i = 0; i < HOOKS_RUNNING; i++)
		if (h->runs[i].job && h->runs[i].output >= 0)
			p[count++] = (struct pollfd){.fd = h->runs[i].output, .events = POLLIN};
	return count;
}

void hooks_read(struct hooks *h, msec now)
{
	for (unsigned i = 0; i < HOOKS_RUNNING; i++)
		if (h->runs[i].job)
			(void)read_some(h, &h->runs[i], now);
}

/* ---- one hook ---- */

static void finish(struct hooks *h, struct hook_job *j, int result)
{
	if (!j->asked) {
		free(j);
		return;
	}
	j->result = result;
	j->next = NULL;
	*h->ended_end = j;
	h->ended_end = &j->next;
}

/* 0 or -errno. */
static int run_program(struct hook_run *r, const struct hook_job *j, msec until)
{
	const char *arguments[] = {j->path, j->event, NULL};
	const char *environment[KEEPER_HOOK_VARIABLES + 2] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
	const char *variable = j->key + strlen(j->key) + 1;
	int pair[2], result;

	for (unsigned i = 0; i < j->count; i++) {
		environment[1 + i] = variable;
		variable += strlen(variable) + 1;
	}
	if (pipe2(pair, O_CLOEXEC))
		return -errno;
	(void)fcntl(pair[0], F_SETFL, O_NONBLOCK);
	result = child_start(&r->child,
		&(struct child_program){
			.arguments = arguments, .environment = environment, .input = -1, .output = pair[1]},
		until);
	close(pair[1]);
	r->output = pair[0];
	if (result)
		close_output(r);
	return result;
}

/* Runs J in R. What cannot be run has ended at once. */
static void start(struct hooks *h, struct hook_run *r, struct hook_job *j, msec now)
{
	int result = 0;
	const char *why = trust_program(j->path, &result);

	*r = (struct hook_run){.output = -1};
	if (!why) {
		result = run_program(r, j, now + h->patience);
		why = result ? strerror(-result) : NULL;
	}
	if (!why) {
		r->job = j;
		return;
	}
	log_verdict(h, j, why, 0, now);
	finish(h, j, result == -EACCES ? -EACCES : -EIO);
}

static void end_run(struct hooks *h, struct hook_run *r, int status, msec now)
{
	struct hook_job *j = r->job;
	char text[CHILD_VERDICT];
	const char *reason = child_verdict(&r->child, status, text);

	for (int i = 0; i < LAST_READS && read_some(h, r, now); i++)
		continue;
	close_output(r);
	end_line(h, r, now);
	log_verdict(h, j, reason, r->dropped, now);
	r->job = NULL;
	finish(h, j, reason ? -EIO : 0);
}

/* ---- the queue ---- */

static bool runs_key(const struct hooks *h, const char *key)
{
	for (unsigned i = 0; i < HOOKS_RUNNING; i++)
		if (h->runs[i].job && !strcmp(h->runs[i].job->key, key))
			return true;
	return false;
}

static struct hook_run *free_run(struct hooks *h)
{
	for (unsigned i = 0; i < HOOKS_RUNNING; i++)
		if (!h->runs[i].job)
			return &h->runs[i];
	return NULL;
}

/* Starts what can be started, the oldest first. */
static void advance(struct hooks *h, msec now)
{
	struct hook_job **link = &h->first;
	struct hook_run *r = free_run(h);

	while (r && *link && !h->paused) {
		struct hook_job *j = *link;

		if (runs_key(h, j->key)) {
			link = &j->next;
			continue;
		}
		*link = j->next;
		if (h->end == &j->next)
			h->end = link;
		h->waiting--;
		start(h, r, j, now);
		r = free_run(h);
	}
}

/* ASKED: somebody waits for its answer. */
static struct hook_job *new_job(uint32_t id, bool asked, const struct message_hook *m)
{
	size_t path = strlen(m->path) + 1, event = strlen(m->event) + 1, key = strlen(m->key) + 1,
	       variables = 0;
	struct hook_job *j;

	for (uint32_t i = 0; i < m->count; i++)
		variables += strlen(m->variables + variables) + 1;
	j = malloc(sizeof(*j) + path + event + key + variables);
	if (!j)
		return NULL;
	*j = (struct hook_job){.id = id, .asked = asked, .count = m->count};
	j->path = memcpy(j->text, m->path, path);
	j->event = memcpy(j->text + path, m->event, event);
	j->key = memcpy(j->text + path + event, m->key, key);
	memcpy(j->text + path + event + key, m->variables, variables);
	return j;
}

static int add(struct hooks *h, uint32_t id, bool asked, const struct message_hook *m, msec now)
{
	struct hook_run *r = free_run(h);
	struct hook_job *j;

	if (h->waiting >= HOOKS_WAITING)
		return -ENOBUFS;
	j = new_job(id, asked, m);
	if (!j)
		return -ENOMEM;
	if (r && !h->paused && !runs_key(h, j->key)) { /* else one of this key would run */
		start(h, r, j, now);
		return 0;
	}
	*h->end = j;
	h->end = &j->next;
	h->waiting++;
	return 0;
}

int hooks_add(struct hooks *h, uint32_t id, const struct message_hook *m, msec now)
{
	return add(h, id, true, m, now);
}

void hooks_reap(struct hooks *h, msec now)
{
	int status;

	for (unsigned i = 0; i < HOOKS_RUNNING; i++)
		if (h->runs[i].job && child_reap(&h->runs[i].child, &status))
			end_run(h, &h->runs[i], status, now);
	advance(h, now);
}

msec hooks_deadline(const struct hooks *h)
{
	msec next = MSEC_NEVER;

	for (unsigned i = 0; i < HOOKS_RUNNING; i++)
		next = msec_min(next, child_deadline(&h->runs[i].child));
	return next;
}

void hooks_expire(struct hooks *h, msec now)
{
	for (unsigned i = 0; i < HOOKS_RUNNING; i++)
		child_expire(&h->runs[i].child, now);
}

bool hooks_run(const struct hooks *h)
{
	for (unsigned i = 0; i < HOOKS_RUNNING; i++)
		if (h->runs[i].job)
			return true;
	return false;
}

bool hooks_busy(const struct hooks *h)
{
	return hooks_run(h) || h->first;
}

/* ---- another program ---- */

static const char *output_name(pid_t pid, char name[HANDOVER_NAME])
{
	snprintf(name, HANDOVER_NAME, "hook-%ld", (long)pid);
	return name;
}

static void put_names(struct writer *w, const struct hook_job *j)
{
	ledger_put_text(w, j->path);
	ledger_put_text(w, j->event);
	ledger_put_text(w, j->key);
}

static void write_down(struct ledger *l, const struct hook_job *j)
{
	const char *variable = j->key + strlen(j->key) + 1;
	struct ledger_entry entry = {0};
	uint8_t bytes[STORE_RECORD_MAX];
	struct writer w = writer_of(bytes, sizeof(bytes));

	put_names(&w, j);
	writer_u8(&w, (uint8_t)j->count);
	for (unsigned i = 0; i < j->count; i++, variable += strlen(variable) + 1)
		ledger_put_text(&w, variable);
	(void)ledger_write(l, &entry, LEDGER_HOOK, &w);
}

static void hand_over_run(const struct hook_run *r, struct ledger *l, struct handover *to)
{
	struct ledger_entry entry = {0};
	uint8_t bytes[STORE_RECORD_MAX];
	struct writer w = writer_of(bytes, sizeof(bytes));
	char name[HANDOVER_NAME];

	put_names(&w, r->job);
	writer_u32(&w, (uint32_t)r->child.pid);
	(void)ledger_write(l, &entry, LEDGER_HOOK_RUN, &w);
	if (r->output >= 0) /* or its next word would kill it */
		(void)handover_add(to, output_name(r->child.pid, name), r->output);
}

/* Those that run first: a waiting one that is read before could be started beside one of its key. */
void hooks_hand_over(struct hooks *h, struct ledger *l, struct handover *to)
{
	for (unsigned i = 0; i < HOOKS_RUNNING; i++)
		if (h->runs[i].job)
			hand_over_run(&h->runs[i], l, to);
	for (const struct hook_job *j = h->first; j; j = j->next)
		write_down(l, j);
}

static void read_names(struct message_hook *m, struct reader *r)
{
	ledger_take_text(r, m->path, sizeof(m->path));
	ledger_take_text(r, m->event, sizeof(m->event));
	ledger_take_text(r, m->key, sizeof(m->key));
}

static bool read_down(struct message_hook *m, struct reader r)
{
	size_t used = 0;

	read_names(m, &r);
	m->count = reader_u8(&r);
	for (uint32_t i = 0; i < m->count && used < sizeof(m->variables); i++) {
		ledger_take_text(&r, m->variables + used, sizeof(m->variables) - used);
		used += strlen(m->variables + used) + 1;
	}
	return reader_ok(&r);
}

bool hooks_inherit(struct hooks *h, struct reader fields, msec now)
{
	struct message_request r = {.type = MESSAGE_HOOK};

	return read_down(&r.body.hook, fields) && !message_check(&r) &&
	       !add(h, 0, false, &r.body.hook, now);
}

/* Dead or alive. Of a keeper that was killed nobody's children are ours, and their numbers may be others' by now. */
static bool is_child(pid_t pid)
{
	siginfo_t ignored;

	return pid > 0 && !waitid(P_PID, (id_t)pid, &ignored, WEXITED | WNOHANG | WNOWAIT);
}

bool hooks_inherit_run(struct hooks *h, struct reader fields, struct handover *from, msec now)
{
	struct message_request m = {.type = MESSAGE_HOOK};
	struct hook_run *r = free_run(h);
	char name[HANDOVER_NAME];
	struct hook_job *j;
	pid_t pid;

	read_names(&m.body.hook, &fields);
	pid = (pid_t)reader_u32(&fields);
	if (!reader_ok(&fields) || message_check(&m) || !r || !is_child(pid))
		return false;
	j = new_job(0, false, &m.body.hook);
	if (!j)
		return false;
	*r = (struct hook_run){.job = j,
		.child = {.pid = pid, .kill_at = now + h->patience},
		.output = handover_find(from, output_name(pid, name))};
	return true;
}

/* ---- answers ---- */

bool hooks_answer(struct hooks *h, struct message_answer *ret)
{
	struct hook_job *j = h->ended;

	if (!j)
		return false;
	h->ended = j->next;
	if (!h->ended)
		h->ended_end = &h->ended;
	*ret = (struct message_answer){.id = j->id, .result = j->result};
	free(j);
	return true;
}

void hooks_forget(struct hooks *h)
{
	struct message_answer nobodys;

	while (hooks_answer(h, &nobodys))
		continue;
	for (struct hook_job *j = h->first; j; j = j->next)
		j->asked = false;
	for (unsigned i = 0; i < HOOKS_RUNNING; i++)
		if (h->runs[i].job)
			h->runs[i].job->asked = false;
}

void hooks_done(struct hooks *h)
{
	hooks_forget(h);
	if (h->first)
		log_message(h->log, LEVEL_WARN, "hook", "%zu hooks are not run any more", h->waiting);
	while (h->first) {
		struct hook_job *j = h->first;

		h->first = j->next;
		free(j);
	}
	h->end = &h->first;
	h->waiting = 0;
	for (unsigned i = 0; i < HOOKS_RUNNING; i++) {
		struct hook_run *r = &h->runs[i];

		if (!r->job)
			continue;
		child_kill(&r->child);
		close_output(r);
		log_verdict(h, r->job, "killed: the keeper ends", r->dropped, loop_clock());
		free(r->job);
		r->job = NULL;
	}
}
