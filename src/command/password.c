/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The password: from the terminal without echo, a file, or a descriptor; never from the command line or the environment, where others
 * could read it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "aaa/aaa.h"
#include "command/connect.h"

enum { WHY = 160 };

/* ---- one line ---- */

/* Up to a newline or the end. The rest of a terminal's line is thrown away. */
static bool read_line(int fd, char secret[PASSWORD_MAX + 1], size_t *ret_len, char why[WHY])
{
	size_t len = 0;
	bool full = false;
	char c = 0;
	ssize_t n;

	errno = 0;
	while ((n = read(fd, &c, 1)) == 1 && c != '\n') {
		full |= len == PASSWORD_MAX;
		if (!full)
			secret[len++] = c;
	}
	if (len && secret[len - 1] == '\r')
		len--;
	secret[len] = '\0';
	*ret_len = len;
	if (n < 0 && errno == EINTR)
		snprintf(why, WHY, "interrupted");
	else if (n < 0)
		snprintf(why, WHY, "the password cannot be read: %s", strerror(errno));
	else if (full)
		snprintf(why, WHY, "the password has more than %d bytes", PASSWORD_MAX);
	else if (!len)
		snprintf(why, WHY, "there is no password");
	return n >= 0 && !full && len;
}

/* ---- the terminal ---- */

static void interrupted(int number)
{
}

/* Whatever ends us while the echo is off: first it comes back. */
static bool read_quietly(
	int fd, const struct target *t, char secret[PASSWORD_MAX + 1], size_t *ret_len, char why[WHY])
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction catch = {.sa_handler = interrupted}, before[4];
	struct termios old, quiet;
	bool ok;

	if (tcgetattr(fd, &old)) {
		snprintf(why, WHY, "the terminal cannot be made quiet: %s", strerror(errno));
		return false;
	}
	for (unsigned n = 0; n < 4; n++)
		(void)sigaction(numbers[n], &catch, &before[n]);
	quiet = old;
	quiet.c_lflag &= (tcflag_t) ~(ECHO | ECHOE | ECHOK);
	quiet.c_lflag |= ECHONL;
	quiet.c_cc[VSUSP] = _POSIX_VDISABLE;    /* or the shell would have no echo either */
	(void)tcsetattr(fd, TCSAFLUSH, &quiet); /* what was typed before the question is no answer to it */
	dprintf(fd, "Password of %s at %s: ", t->user, t->host);
	ok = read_line(fd, secret, ret_len, why);
	if (!ok && errno == EINTR)
		dprintf(fd, "\n"); /* there was no end of the line to be shown */
	(void)tcsetattr(fd, TCSAFLUSH, &old);
	for (unsigned n = 0; n < 4; n++)
		(void)sigaction(numbers[n], &before[n], NULL);
	return ok;
}

static bool ask(const struct target *t, char secret[PASSWORD_MAX + 1], size_t *ret_len, char why[WHY])
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	bool ok;

	if (fd < 0) {
		snprintf(why, WHY,
			"there is no terminal to ask for the password on: --password-file or --password-fd");
		return false;
	}
	ok = read_quietly(fd, t, secret, ret_len, why);
	close(fd);
	return ok;
}

/* ---- files and descriptors ---- */

static bool read_file(const char *path, char secret[PASSWORD_MAX + 1], size_t *ret_len, char why[WHY])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char reason[128] = "";
	int result;

	if (fd < 0) {
		snprintf(why, WHY, "%.60s: %s", path, strerror(errno));
		return false;
	}
	result = aaa_read_secret(fd, secret, ret_len, reason);
	close(fd);
	if (result)
		snprintf(why, WHY, "%.40s: %.110s", path, *reason ? reason : strerror(-result));
	return !result;
}

bool password_get(const struct connect_options *o, const struct target *t, char secret[PASSWORD_MAX + 1],
	size_t *ret_len, char why[WHY])
{
	if (o->password_file)
		return read_file(o->password_file, secret, ret_len, why);
	if (o->password_fd.given)
		return read_line((int)o->password_fd.value, secret, ret_len, why);
	return ask(t, secret, ret_len, why);
}

int password_keep(const char *secret, size_t len)
{
	int fd = memfd_create("softwire-password", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fchmod(fd, 0600) == 0 && write(fd, secret, len) == (ssize_t)len)
		return fd;
	close(fd);
	return -EIO;
}
