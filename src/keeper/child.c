/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program is started by fork() and execve(), reaped by waitpid() for its own number (others have children, too), and killed by its process group.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keeper/child.h"

enum { EXIT_NOT_RUN = 127 };

/*
 * An ignored signal would stay ignored, a blocked one blocked. Not by signal(): that leaves out two which the C library has for itself, and which
 * make(1), for one, leaves ignored.
 */
static void reset_signals(void)
{
	static const unsigned char by_default[64]; /* zeros are the kernel's struct sigaction for SIG_DFL */
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		(void)syscall(SYS_rt_sigaction, i, by_default, NULL, (NSIG - 1) / 8);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

__attribute__((noreturn)) static void become_program(const struct child_program *p)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int input = p->input < 0 ? null : p->input, output = p->output < 0 ? null : p->output;

	(void)setsid();
	if (null < 0 || dup2(input, 0) != 0 || dup2(output, 1) != 1 || dup2(output, 2) != 2 || chdir("/"))
		_exit(EXIT_NOT_RUN);
	(void)close_range(3, ~0U, 0);
	(void)umask(022);
	reset_signals();
	execve(p->arguments[0], (char *const *)p->arguments, (char *const *)p->environment);
	dprintf(2, "cannot be run: %s\n", strerror(errno));
	_exit(EXIT_NOT_RUN);
}

int child_start(struct child *c, const struct child_program *p, msec until)
{
	pid_t pid = fork();

	if (pid == 0)
		become_program(p);
	if (pid < 0)
		return -errno;
	*c = (struct child){.pid = pid, .kill_at = until};
	return 0;
}

bool child_reap(struct child *c, int *ret_status)
{
	if (!c->pid || waitpid(c->pid, ret_status, WNOHANG) != c->pid)
		return false;
	c->pid = 0;
	return true;
}

msec child_deadline(const struct child *c)
{
	return c->pid && !c->killed ? c->kill_at : MSEC_NEVER;
}

void child_kill(struct child *c)
{
	if (!c->pid)
		return;
	/* It may not have come to its setsid() yet. */
	if (kill(-c->pid, SIGKILL))
		(void)kill(c->pid, SIGKILL);
	c->killed = true;
}

void child_expire(struct child *c, msec now)
{
	if (child_deadline(c) <= now)
		child_kill(c);
}

const char *child_verdict(const struct child *c, int status, char text[CHILD_VERDICT])
{
	if (c->killed)
		snprintf(text, CHILD_VERDICT, "does not end: killed");
	else if (WIFSIGNALED(status))
		snprintf(text, CHILD_VERDICT, "ended by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status))
		snprintf(text, CHILD_VERDICT, "exit status %d", WEXITSTATUS(status));
	else
		return NULL;
	return text;
}
