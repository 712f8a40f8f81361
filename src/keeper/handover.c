/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names and numbers of descriptors in the environment. */
#include "keeper/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char own_variable[] = "SOFTWIRED_DESCRIPTORS";
enum { LISTEN_FIRST = 3, ENTRY_MAX = HANDOVER_NAME + 16 };

/* ---- a list ---- */

int handover_add(struct handover *h, const char *name, int fd)
{
	struct handover_descriptor *more;

	if (h->count >= HANDOVER_MAX || strlen(name) >= HANDOVER_NAME)
		return -ENOBUFS;
	more = realloc(h->list, (h->count + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	h->list = more;
	more[h->count] = (struct handover_descriptor){.fd = fd};
	memcpy(more[h->count].name, name, strlen(name) + 1);
	h->count++;
	return 0;
}

int handover_find(struct handover *h, const char *name)
{
	for (size_t i = 0; i < h->count; i++)
		if (h->list[i].fd >= 0 && !strcmp(h->list[i].name, name)) {
			int fd = h->list[i].fd;

			h->list[i].fd = -1;
			return fd;
		}
	return -1;
}

void handover_close(struct handover *h, void (*told)(const char *name))
{
	for (size_t i = 0; i < h->count; i++) {
		if (h->list[i].fd < 0)
			continue;
		told(h->list[i].name);
		close(h->list[i].fd);
	}
	handover_free(h);
}

void handover_free(struct handover *h)
{
	free(h->list);
	*h = (struct handover){0};
}

/* ---- taking ---- */

/* A number from FROM to TO at *TEXT, which moves behind it; -1. */
static long take_number(const char **text, long from, long to)
{
	char *end;
	long n;

	errno = 0;
	n = **text >= '0' && **text <= '9' ? strtol(*text, &end, 10) : -1;
	if (n < from || n > to || errno)
		return -1;
	*text = end;
	return n;
}

static bool is_ours(const char *pid)
{
	return pid && take_number(&pid, 1, 1 << 30) == (long)getpid() && (!*pid || *pid == ' ');
}

/* Standard descriptors are none that could have been handed over. */
static void receive(struct handover *h, const char *name, size_t len, long fd)
{
	char text[HANDOVER_NAME] = "";

	if (fd < LISTEN_FIRST || fcntl((int)fd, F_SETFD, FD_CLOEXEC))
		return;
	if (len < sizeof(text))
		memcpy(text, name, len);
	if (handover_add(h, text, (int)fd))
		close((int)fd);
}

/* "PID NAME=FD NAME=FD" */
static void take_own(struct handover *h, const char *text)
{
	text += strcspn(text, " ");
	while (*text == ' ') {
		const char *name = ++text;
		size_t len = strcspn(text, "= ");
		long fd;

		text += len;
		if (*text++ != '=')
			return;
		fd = take_number(&text, 0, 1 << 20);
		receive(h, name, len, fd);
	}
}

static void take_listen(struct handover *h, const char *number, const char *names)
{
	long count = number ? take_number(&number, 0, HANDOVER_MAX) : 0;

	for (long i = 0; i < count; i++) {
		size_t len = names ? strcspn(names, ":") : 0;

		receive(h, names ? names : "", len, LISTEN_FIRST + i);
		if (names)
			names = names[len] ? names + len + 1 : NULL;
	}
}

void handover_take(struct handover *h)
{
	static const char *const told[] = {own_variable, "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"};

	const char *own = getenv(own_variable);

	*h = (struct handover){0};
	if (own && is_ours(own)) {
		take_own(h, own);
		h->upgraded = true;
	} else if (is_ours(getenv("LISTEN_PID"))) {
		take_listen(h, getenv("LISTEN_FDS"), getenv("LISTEN_FDNAMES"));
	}
	for (size_t i = 0; i < sizeof(told) / sizeof(*told); i++)
		unsetenv(told[i]);
}

/* ---- giving ---- */

static void keep_over_exec(const struct handover *h, bool on)
{
	for (size_t i = 0; i < h->count; i++)
		(void)fcntl(h->list[i].fd, F_SETFD, on ? 0 : FD_CLOEXEC);
}

int handover_exec(const struct handover *h, const char *const *command)
{
	size_t size = 32 + h->count * ENTRY_MAX, len;
	char *text = malloc(size);
	int r;

	if (!text)
		return -ENOMEM;
	len = (size_t)snprintf(text, size, "%ld", (long)getpid());
	for (size_t i = 0; i < h->count; i++)
		len += (size_t)snprintf(text + len, size - len, " %s=%d", h->list[i].name, h->list[i].fd);
	r = setenv(own_variable, text, 1) ? -errno : 0;
	free(text);
	if (r)
		return r;
	keep_over_exec(h, true);
	(void)execv(command[0], (char *const *)command);
	r = -errno;
	keep_over_exec(h, false);
	unsetenv(own_variable);
	return r;
}
