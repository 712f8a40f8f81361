/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two programs one after the other; see upgrade.h. */
#include "keeper/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "keeper/trust.h"

enum { PATIENCE = 10000, ARGUMENTS = 8 };

static void finish(struct upgrade *u, int result)
{
	u->step = UPGRADE_ANSWER;
	u->result = result;
}

static void fail(struct upgrade *u, const char *why)
{
	dprintf(u->output, "%s: %s\n", u->command[0], why);
	finish(u, -EINVAL);
}

/* The command, with OPTION before its own arguments. */
static void run(struct upgrade *u, const char *option, msec now)
{
	static const char *const environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", NULL};
	const char *arguments[ARGUMENTS + 3] = {u->command[0], option};
	int r;

	for (unsigned n = 1; n < ARGUMENTS && u->command[n]; n++)
		arguments[n + 1] = u->command[n];
	r = child_start(&u->child,
		&(struct child_program){
			.arguments = arguments, .environment = environment, .input = -1, .output = u->output},
		now + PATIENCE);
	if (r)
		fail(u, strerror(-r));
}

int upgrade_begin(struct upgrade *u, uint32_t id, const char *const *command, msec now)
{
	const char *why;
	int ignored;

	if (!command)
		return -EOPNOTSUPP;
	if ((u->step != UPGRADE_NONE && u->step != UPGRADE_READY) || u->child.pid)
		return -EBUSY;
	u->output = memfd_create("softwired-upgrade", MFD_CLOEXEC);
	if (u->output < 0)
		return -errno;
	u->id = id;
	u->command = command;
	u->step = UPGRADE_VERSION;
	why = trust_program(command[0], &ignored);
	if (why)
		fail(u, why);
	else
		run(u, "-V", now);
	return 0;
}

void upgrade_reap(struct upgrade *u, msec now)
{
	char text[CHILD_VERDICT];
	const char *why;
	int status;

	if (!u->child.pid || !child_reap(&u->child, &status))
		return;
	why = child_verdict(&u->child, status, text);
	if (u->step != UPGRADE_VERSION && u->step != UPGRADE_TEST)
		return; /* nobody wants to know any more */
	if (why) {
		fail(u, why);
	} else if (u->step == UPGRADE_VERSION) {
		u->step = UPGRADE_TEST;
		run(u, "-t", now);
	} else {
		finish(u, 0);
	}
}

msec upgrade_deadline(const struct upgrade *u)
{
	return child_deadline(&u->child);
}

void upgrade_expire(struct upgrade *u, msec now)
{
	child_expire(&u->child, now);
}

bool upgrade_answer(struct upgrade *u, struct message_answer *ret, int *ret_fd)
{
	if (u->step != UPGRADE_ANSWER)
		return false;
	(void)lseek(u->output, 0, SEEK_SET);
	*ret = (struct message_answer){.id = u->id, .result = u->result};
	*ret_fd = u->output;
	u->step = u->result ? UPGRADE_NONE : UPGRADE_READY;
	return true;
}

void upgrade_forget(struct upgrade *u)
{
	if (u->step != UPGRADE_NONE && u->step != UPGRADE_READY)
		close(u->output);
	child_kill(&u->child);
	u->step = UPGRADE_NONE;
}
