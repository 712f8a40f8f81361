/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keeper process: forks the engine, serves its requests, passes signals on, and starts it again when it dies.
 *
 * One poll() over a signalfd, the channel to the engine, and what hooks say. Deadlines, all MSEC_NEVER mostly:
 *   start_at  when the next engine process begins (back-off after an unexpected death)
 *   kill_at   when an engine that was told to end, or has closed its channel, is killed
 *   end_at    when the keeper, which has nothing else to do any more, waits no longer for hooks
 *   exec_at   when another program takes our place, whether hooks still run or not
 *   resolver_deadline(), hooks_deadline(), upgrade_deadline()  when a program that does not end is killed
 * A request that was done and whose answer does not fit into the channel blocks only the requests behind it: an engine that
 * asks and does not listen harms itself. Answers of hooks wait in hook.c, that of an upgrade in upgrade.c.
 *
 * Upgrade: the engine asks whether the program may take our place, and ends with KEEPER_LEAVE when it may. Then we become that program, with the same
 * number, descriptors and ledger. If that fails we go on as we are.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper/grant.h"
#include "keeper/handover.h"
#include "keeper/notify.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAS_LEAK_CHECK 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_LEAK_CHECK 1
#endif
#endif
#ifdef HAS_LEAK_CHECK
#include <sanitizer/lsan_interface.h>
#endif

enum {
	BACKOFF_FIRST = 200,
	BACKOFF_MAX = 10000,
	STEADY = 30000
}; /* an engine that ran that long starts afresh */
enum { STOP_PATIENCE = 5000, SILENT_PATIENCE = 1000, HOOKS_PATIENCE = 5000, EXEC_PATIENCE = 1000, REQUESTS_AT_ONCE = 64 };

struct keeper {
	struct grant grant;
	struct log *log;
	int (*engine)(void *arg, int fd);
	void *arg;
	sigset_t mask_before;
	int signals; /* signalfd */
	int channel; /* -1: none */
	pid_t pid;   /* 0: none */
	bool stopping, done;
	int status; /* of keeper_run() */
	msec started_at, start_at, kill_at, end_at, exec_at, backoff;
	bool answer_waits;
	struct message_answer answer;
	int answer_fd;
};

/* ---- the engine process ---- */

/* Everything but 0 to 2 and two more. */
static void close_others(int a, int b)
{
	unsigned low = (unsigned)(a < b ? a : b), high = (unsigned)(a < b ? b : a), from = 3;

	if (low >= from) {
		if (low > from)
			(void)close_range(from, low - 1, 0);
		from = low + 1;
	}
	if (high >= from) {
		if (high > from)
			(void)close_range(from, high - 1, 0);
		from = high + 1;
	}
	(void)close_range(from, ~0U, 0);
}

/*
 * _exit() passes the leak check of builds with AddressSanitizer by. It has a helper look into the engine with ptrace(), which an engine that may
 * not be dumped does not let in; what it finds ends the process with a status of its own.
 */
static void check_leaks(void)
{
#ifdef HAS_LEAK_CHECK
	(void)prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	__lsan_do_leak_check();
#endif
}

__attribute__((noreturn)) static void become_engine(struct keeper *k, int channel, pid_t keeper)
{
	int status, r;

	(void)setpgid(0, 0); /* a terminal's ^C goes to the keeper, which passes it on once */
	close_others(channel, k->log && k->log->fd >= 0 ? k->log->fd : channel);
	r = identity_assume(&k->grant.engine);
	if (r) {
		log_message(k->log, LEVEL_ERROR, "engine", "cannot become %s: %s", k->grant.engine.name,
			strerror(-r));
		_exit(KEEPER_GIVE_UP);
	}
	/* After the change of user, which clears it. The keeper may have died before. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	if (getppid() != keeper && getppid() != 0)
		_exit(EXIT_FAILURE);
	(void)sigprocmask(SIG_SETMASK, &k->mask_before, NULL);
	status = k->engine(k->arg, channel);
	(void)fflush(NULL);
	check_leaks();
	_exit(status);
}

static void log_started(const struct keeper *k)
{
	struct log_line l;

	if (!log_begin(k->log, &l, LEVEL_INFO, "engine-started"))
		return;
	log_int(&l, "pid", k->pid);
	log_text(&l, "user", k->grant.engine.name);
	log_end(&l);
}

static void schedule_start(struct keeper *k, msec now)
{
	struct log_line l;

	k->start_at = now + k->backoff;
	if (log_begin(k->log, &l, LEVEL_WARN, "engine-restart")) {
		log_uint(&l, "in-ms", k->backoff);
		log_end(&l);
	}
	k->backoff = k->backoff * 2 < BACKOFF_MAX ? k->backoff * 2 : BACKOFF_MAX;
}

static void start_engine(struct keeper *k, msec now)
{
	pid_t keeper = getpid();
	int pair[2];

	k->start_at = MSEC_NEVER;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair)) {
		schedule_start(k, now);
		return;
	}
	grant_engine_started(&k->grant); /* before it is there: it finds nothing that it is not allowed */
	(void)fflush(NULL); /* or the child would write it, too */
	k->pid = fork();
	if (k->pid == 0) {
		close(pair[0]);
		become_engine(k, pair[1], keeper);
	}
	close(pair[1]);
	if (k->pid < 0) {
		log_message(k->log, LEVEL_ERROR, "engine", "fork: %s", strerror(errno));
		k->pid = 0;
		close(pair[0]);
		schedule_start(k, now);
		return;
	}
	k->channel = pair[0];
	k->started_at = now;
	log_started(k);
}

/* ---- requests ---- */

static void drop_answer(struct keeper *k)
{
	if (k->answer_fd >= 0)
		close(k->answer_fd);
	k->answer_fd = -1;
	k->answer_waits = false;
}

/* Sends the answer, or leaves it waiting for the channel. */
static void send_answer(struct keeper *k)
{
	int r = message_send(k->channel, &k->answer, sizeof(k->answer), k->answer_fd);

	k->answer_waits = r == -EAGAIN || r == -ENOBUFS;
	if (!k->answer_waits)
		drop_answer(k); /* sent, or nobody is there any more */
}

static bool hung_up(int channel)
{
	struct pollfd p = {.fd = channel, .events = POLLRDHUP};

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

static void close_channel(struct keeper *k)
{
	drop_answer(k);
	if (k->channel >= 0)
		close(k->channel);
	k->channel = -1;
}

/* One request. False when there is none, or the channel has ended. */
static bool serve_one(struct keeper *k, msec now)
{
	uint8_t buffer[MESSAGE_MAX];
	ssize_t n = message_receive(k->channel, buffer, sizeof(buffer), &k->grant.offered);

	if (n == -EAGAIN)
		return false;
	if (n < 0 || (n == 0 && hung_up(k->channel))) {
		close_channel(k);
		if (k->kill_at == MSEC_NEVER)
			k->kill_at = now + SILENT_PATIENCE;
		return false;
	}
	/* A length beyond the buffer means a message that was cut: no type has it, so it is refused by its size. */
	if (grant_handle(&k->grant, buffer, (size_t)n < sizeof(buffer) ? (size_t)n : sizeof(buffer),
		    &k->answer, &k->answer_fd))
		send_answer(k);
	if (k->grant.offered >= 0)
		close(k->grant.offered);
	k->grant.offered = -1;
	return true;
}

static void serve(struct keeper *k, msec now, int most)
{
	if (k->answer_waits)
		send_answer(k);
	while (most-- && k->channel >= 0 && !k->answer_waits && serve_one(k, now))
		continue;
}

/* Answers that were not due at once. */
static void answer_late(struct keeper *k)
{
	while (k->channel >= 0 && !k->answer_waits && hooks_answer(&k->grant.hooks, &k->answer))
		send_answer(k);
	if (k->channel >= 0 && !k->answer_waits && upgrade_answer(&k->grant.upgrade, &k->answer, &k->answer_fd))
		send_answer(k);
}

/* ---- the engine's end ---- */

/* No engine comes any more. What it has asked for last may take a little longer. */
static void finish(struct keeper *k, int status, msec now)
{
	k->status = status;
	k->done = true;
	k->start_at = k->kill_at = k->exec_at = MSEC_NEVER;
	notify_tell("STOPPING=1");
	k->end_at = now + HOOKS_PATIENCE;
}

static void log_ended(const struct keeper *k, pid_t pid, int wstatus)
{
	bool expected = WIFEXITED(wstatus) &&
			(WEXITSTATUS(wstatus) == 0 || WEXITSTATUS(wstatus) == KEEPER_LEAVE || k->stopping);
	bool reasoned = WIFEXITED(wstatus) && WEXITSTATUS(wstatus) == KEEPER_GIVE_UP; /* and has said why */
	enum log_level level = expected ? LEVEL_INFO : reasoned ? LEVEL_WARN : LEVEL_ERROR;
	struct log_line l;

	if (!log_begin(k->log, &l, level, "engine-ended"))
		return;
	log_int(&l, "pid", pid);
	if (WIFSIGNALED(wstatus))
		log_text(&l, "signal", strsignal(WTERMSIG(wstatus)));
	else
		log_int(&l, "status", WEXITSTATUS(wstatus));
	log_end(&l);
}

/* Its user is told why it ended, and decides: nobody waits for another try. */
static bool is_in_foreground(const struct keeper *k)
{
	return k->grant.policy->hangup != KEEPER_HANGUP_RELOADS;
}

/*
 * It is when the engine wanted to end; or could not begin, unless one was there before it: its softwires wait to be taken up, and what is wrong now,
 * a file that somebody is just writing, may be right in a while.
 */
static bool is_the_end(const struct keeper *k, int wstatus)
{
	if (k->stopping)
		return true;
	if (!WIFEXITED(wstatus))
		return false;
	return WEXITSTATUS(wstatus) == 0 ||
	       (WEXITSTATUS(wstatus) == KEEPER_GIVE_UP && (!k->grant.ready || is_in_foreground(k)));
}

static void engine_ended(struct keeper *k, int wstatus, msec now)
{
	int status = WIFEXITED(wstatus) ? WEXITSTATUS(wstatus) : EXIT_FAILURE;

	log_ended(k, k->pid, wstatus);
	k->pid = 0;
	k->kill_at = MSEC_NEVER;
	/* What it asked for before it ended is done, for instance to delete its routes. */
	drop_answer(k);
	while (k->channel >= 0 && serve_one(k, now))
		drop_answer(k);
	close_channel(k);
	k->kill_at = MSEC_NEVER;
	if (is_the_end(k, wstatus)) {
		finish(k, status, now);
		return;
	}
	if (now - k->started_at >= STEADY)
		k->backoff = BACKOFF_FIRST;
	if (WIFEXITED(wstatus) && status == KEEPER_LEAVE && k->grant.upgrade.step == UPGRADE_READY) {
		k->grant.hooks.paused = true;
		k->exec_at = now + EXEC_PATIENCE;
		return;
	}
	schedule_start(k, now);
}

/* ---- another program ---- */

static void run_waiting_hooks(struct keeper *k, msec now)
{
	k->grant.hooks.paused = false;
	hooks_reap(&k->grant.hooks, now);
}

/*
 * The signals that we take stay blocked: one that comes meanwhile waits for the other program. What is not handed over is close-on-exec. Returns only
 * when nothing came of it.
 */
static void become_another(struct keeper *k, msec now)
{
	struct handover h = {0};
	int r = grant_hand_over(&k->grant, &h);

	k->exec_at = MSEC_NEVER;
	log_message(k->log, LEVEL_INFO, "upgrade", "%s takes over", k->grant.upgrade.command[0]);
	(void)fflush(NULL);
	if (!r)
		r = handover_exec(&h, k->grant.upgrade.command);
	handover_free(&h);
	grant_hand_back(&k->grant);
	log_message(k->log, LEVEL_ERROR, "upgrade-failed", "%s: %s: the old program goes on", k->grant.upgrade.command[0],
		strerror(-r));
	run_waiting_hooks(k, now);
	k->start_at = now;
}

/* What was handed to us; the rest of it belongs to nobody any more. */
static void inherit(struct keeper *k)
{
	static const int taken[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
	struct handover h;
	int ledger;

	handover_take(&h);
	if (h.upgraded) /* they were blocked by our predecessor, not by whoever has started it */
		for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
			sigdelset(&k->mask_before, taken[i]);
	ledger = handover_find(&h, "ledger");
	k->grant.ready = ledger >= 0;
	grant_inherit(&k->grant, &h, ledger);
	handover_close(&h, notify_discard);
}

static void reap(struct keeper *k, msec now)
{
	int wstatus;

	if (k->pid && waitpid(k->pid, &wstatus, WNOHANG) == k->pid)
		engine_ended(k, wstatus, now);
}

/* ---- signals ---- */

static void stop(struct keeper *k, msec now)
{
	if (k->done) {
		k->end_at = now;
		return;
	}
	if (!k->pid) {
		finish(k, k->status, now);
		run_waiting_hooks(k, now); /* an upgrade that does not come about any more has held them back */
		return;
	}
	if (k->stopping) {
		kill(k->pid, SIGKILL);
		return;
	}
	k->stopping = true;
	k->kill_at = now + STOP_PATIENCE;
	kill(k->pid, SIGTERM);
}

static void hang_up(struct keeper *k)
{
	char lines[64];

	snprintf(lines, sizeof(lines), "RELOADING=1\nMONOTONIC_USEC=%llu", (unsigned long long)loop_clock() * 1000);
	notify_tell(lines);
	if (k->pid)
		kill(k->pid, SIGHUP); /* the engine asks for the reload, and learns what came of it */
	else
		(void)grant_reload(&k->grant);
	notify_tell("READY=1");
}

/* The kernel and the shell may both tell that the terminal is closed: a second time is no reason to hurry. */
static void lose_terminal(struct keeper *k, msec now)
{
	if (k->grant.policy->hangup == KEEPER_HANGUP_ENDS && !k->stopping && !k->done)
		stop(k, now);
}

static void take_signals(struct keeper *k, msec now)
{
	struct signalfd_siginfo s;

	while (read(k->signals, &s, sizeof(s)) == sizeof(s)) {
		if (s.ssi_signo == SIGCHLD) {
			resolver_reap(&k->grant.resolver, now);
			hooks_reap(&k->grant.hooks, now);
			upgrade_reap(&k->grant.upgrade, now);
			reap(k, now);
		} else if (s.ssi_signo == SIGHUP && k->grant.policy->hangup == KEEPER_HANGUP_RELOADS) {
			hang_up(k);
		} else if (s.ssi_signo == SIGHUP) {
			lose_terminal(k, now);
		} else {
			stop(k, now);
		}
	}
}

static int open_signals(struct keeper *k)
{
	static const int taken[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		sigaddset(&set, taken[i]);
	if (sigprocmask(SIG_BLOCK, &set, &k->mask_before))
		return -errno;
	k->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return k->signals < 0 ? -errno : 0;
}

/* ---- life ---- */

/* Is there anything left to do? */
static bool goes_on(const struct keeper *k)
{
	return !k->done || (hooks_busy(&k->grant.hooks) && loop_clock() < k->end_at);
}

static int poll_timeout(const struct keeper *k, msec now)
{
	const msec deadlines[] = {k->start_at, k->kill_at, k->end_at, k->exec_at, resolver_deadline(&k->grant.resolver),
		hooks_deadline(&k->grant.hooks), upgrade_deadline(&k->grant.upgrade)};
	msec next = MSEC_NEVER;

	for (size_t i = 0; i < sizeof(deadlines) / sizeof(deadlines[0]); i++)
		next = msec_min(next, deadlines[i]);
	if (next == MSEC_NEVER)
		return -1;
	return next <= now ? 0 : (int)(next - now);
}

static void expire(struct keeper *k, msec now)
{
	if (k->kill_at <= now && k->pid) {
		log_message(k->log, LEVEL_WARN, "engine", "does not end: killed");
		kill(k->pid, SIGKILL);
		k->kill_at = MSEC_NEVER;
	}
	resolver_expire(&k->grant.resolver, now);
	hooks_expire(&k->grant.hooks, now);
	upgrade_expire(&k->grant.upgrade, now);
	if (k->exec_at != MSEC_NEVER && (k->exec_at <= now || !hooks_run(&k->grant.hooks)))
		become_another(k, now);
	if (k->start_at <= now && !k->done)
		start_engine(k, now);
}

static void run_once(struct keeper *k)
{
	struct pollfd p[2 + HOOKS_RUNNING] = {{.fd = k->signals, .events = POLLIN},
		{.fd = k->channel, .events = k->answer_waits ? POLLOUT : POLLIN}}; /* -1: not looked at */
	int n = poll(p, 2 + hooks_poll(&k->grant.hooks, p + 2), poll_timeout(k, loop_clock()));
	msec now = loop_clock();

	if (n < 0 && errno != EINTR) {
		log_message(k->log, LEVEL_ERROR, "keeper", "poll: %s", strerror(errno));
		stop(k, now);
	}
	if (n > 0)
		hooks_read(&k->grant.hooks, now);
	if (n > 0 && p[1].revents && k->channel >= 0)
		serve(k, now, REQUESTS_AT_ONCE);
	if (n > 0 && p[0].revents)
		take_signals(k, now);
	expire(k, now);
	answer_late(k);
}

static int make_runtime_directory(const char *path, struct log *log)
{
	if (!path)
		return 0;
	if (mkdir(path, 0755) == 0) {
		(void)chmod(path, 0755); /* whatever the umask */
		return 0;
	}
	if (errno == EEXIST)
		return 0;
	log_message(log, LEVEL_ERROR, "keeper", "%s: %s", path, strerror(errno));
	return -errno;
}

/* 0, or -errno after a logged reason. */
static int prepare(struct keeper *k)
{
	int r = open_signals(k);

	if (r)
		log_message(k->log, LEVEL_ERROR, "keeper", "signalfd: %s", strerror(-r));
	if (!r)
		r = identity_find(k->grant.policy->user, k->log, &k->grant.engine);
	if (!r)
		r = make_runtime_directory(k->grant.policy->runtime_directory, k->log);
	if (r)
		return r;
	k->grant.netlink = netlink_open();
	if (!k->grant.netlink) {
		r = -errno;
		log_message(k->log, LEVEL_ERROR, "keeper", "netlink: %s", strerror(-r));
		return r;
	}
	inherit(k);
	return 0;
}

int keeper_run(
	const struct keeper_policy *policy, struct log *log, int (*engine)(void *arg, int fd), void *arg)
{
	struct keeper k = {.log = log,
		.engine = engine,
		.arg = arg,
		.signals = -1,
		.channel = -1,
		.answer_fd = -1,
		.start_at = MSEC_NEVER,
		.kill_at = MSEC_NEVER,
		.end_at = MSEC_NEVER,
		.exec_at = MSEC_NEVER,
		.backoff = BACKOFF_FIRST};

	grant_init(&k.grant, policy, log, arg);
	sigemptyset(&k.mask_before);
	if (prepare(&k))
		finish(&k, EXIT_FAILURE, loop_clock());
	else
		start_engine(&k, loop_clock());
	while (goes_on(&k))
		run_once(&k);
	close_channel(&k);
	if (k.grant.netlink)
		grant_done(&k.grant);
	netlink_close(k.grant.netlink);
	if (k.signals >= 0) {
		close(k.signals);
		(void)sigprocmask(SIG_SETMASK, &k.mask_before, NULL);
	}
	return k.status;
}

bool keeper_is_kept(void)
{
	return notify_is_heard();
}
