/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors that the keeper holds, so that the next engine process gets the same ones again, and the next keeper, too. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keeper/grant.h"
#include "keeper/notify.h"

int held_copy(struct grant_held *h, int *ret_fd)
{
	int fd = fcntl(h->fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	h->handed = true;
	*ret_fd = fd;
	return 0;
}

struct grant_held *held_find(const struct grant *g, uint32_t type, const char *name)
{
	for (struct grant_held *h = g->held; h; h = h->next)
		if (h->type == type && !strcmp(h->name, name))
			return h;
	return NULL;
}

struct grant_held *held_find_device(const struct grant *g, const char *name)
{
	struct grant_held *h = held_find(g, MESSAGE_OPEN_TUN, name);

	return h ? h : held_find(g, MESSAGE_OPEN_TAP, name);
}

struct grant_held *held_add(struct grant *g, uint32_t type, int fd, int *ret_error)
{
	struct grant_held *h;

	if (fd < 0) {
		*ret_error = fd;
		return NULL;
	}
	h = g->held_count < GRANT_HELD_MAX ? calloc(1, sizeof(*h)) : NULL;
	if (!h) {
		close(fd);
		*ret_error = -ENOBUFS;
		return NULL;
	}
	h->type = type;
	h->fd = fd;
	h->next = g->held;
	g->held = h;
	g->held_count++;
	return h;
}

int held_enter(struct grant *g, struct grant_held *h, int *ret_fd)
{
	char name[GRANT_NAME];

	grant_enter_held(g, h);
	if (h->entry.id)
		notify_store(grant_held_name(h, name), h->fd);
	return held_copy(h, ret_fd);
}

void held_drop(struct grant *g, struct grant_held **link)
{
	struct grant_held *h = *link;
	char name[GRANT_NAME];

	if (h->entry.id)
		notify_discard(grant_held_name(h, name));
	ledger_drop(&g->ledger, &h->entry);

	if (h->type == MESSAGE_OPEN_TUN)
		(void)resolver_set(&g->resolver, h->name, NULL, 0, loop_clock());
	if (h->type == MESSAGE_OPEN_CONTROL)
		(void)unlink(h->path);
	*link = h->next;
	g->held_count--;
	close(h->fd);
	free(h);
}
