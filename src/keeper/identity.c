/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who the engine process is, and how it becomes that: groups, group, user, capabilities, and no way back.
 */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "keeper/identity.h"

static bool look_up(const char *name, struct identity *ret)
{
	const struct passwd *p = getpwnam(name);
	size_t len = strlen(name);

	if (!p || len >= sizeof(ret->name))
		return false;
	*ret = (struct identity){.drop = true, .uid = p->pw_uid, .gid = p->pw_gid};
	memcpy(ret->name, name, len);
	return true;
}

int identity_find(const char *user, struct log *log, struct identity *ret)
{
	const char *wanted = user ? user : "softwire";

	if (geteuid() != 0) {
		*ret = (struct identity){.uid = geteuid(), .gid = getegid(), .name = "-"};
		log_message(log, LEVEL_WARN, "keeper",
			"not root: the engine keeps user %u, and most requests will fail",
			(unsigned)geteuid());
		return 0;
	}
	if (look_up(wanted, ret)) {
		if (ret->uid == 0)
			log_message(log, LEVEL_WARN, "keeper", "the engine's user %s is root", wanted);
		return 0;
	}
	if (look_up("nobody", ret)) {
		log_message(log, LEVEL_WARN, "keeper",
			"there is no user %s: the engine runs as nobody, who may have other business; make "
			"one: "
			"useradd --system --no-create-home --shell /usr/sbin/nologin %s",
			wanted, wanted);
		return 0;
	}
	log_message(
		log, LEVEL_ERROR, "keeper", "there is neither a user %s nor nobody for the engine", wanted);
	return -ENOENT;
}

/* The bounding set goes first: dropping from it takes a capability itself. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &header, none) ? -errno : 0;
}

static int change_user(const struct identity *id)
{
	if (setgroups(0, NULL) || setresgid(id->gid, id->gid, id->gid))
		return -errno;
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	if (setresuid(id->uid, id->uid, id->uid))
		return -errno;
	/* The whole design rests on this, so it is looked at and not only believed. */
	if (id->uid && (setuid(0) == 0 || geteuid() != id->uid || getegid() != id->gid))
		return -EPERM;
	return 0;
}

int identity_assume(const struct identity *id)
{
	struct rlimit none = {0, 0};
	int r = id->drop ? change_user(id) : 0;

	if (!r)
		r = drop_capabilities();
	if (r)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || setrlimit(RLIMIT_CORE, &none) ||
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return -errno;
	return 0;
}
