/*
 * keeper/handover: descriptors that come from, or go to, another keeper, each with a name.
 *
 * Two ways: over exec() in an upgrade (the environment names descriptor and number: SOFTWIRED_DESCRIPTORS), and from the service manager's store
 * (LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES of sd_listen_fds(3)).
 */
#ifndef KEEPER_HANDOVER_H
#define KEEPER_HANDOVER_H

#include <stdbool.h>
#include <stddef.h>

enum { HANDOVER_NAME = 32, HANDOVER_MAX = 1200 };

struct handover_descriptor {
	char name[HANDOVER_NAME];
	int fd;
};

/* Zeroed: empty. */
struct handover {
	struct handover_descriptor *list;
	size_t count;
	bool upgraded; /* from ourselves, over exec() */
};

/* What was handed to this process, close-on-exec from now on; the environment does not tell of it any more. */
void handover_take(struct handover *h);
/* The descriptor NAME, which is the caller's then; -1. */
int handover_find(struct handover *h, const char *name);
/* Closes those that nobody has asked for; TOLD is called for each before. */
void handover_close(struct handover *h, void (*told)(const char *name));

/* To be handed over; the descriptor stays the caller's. 0, -ENOMEM, -ENOBUFS. */
int handover_add(struct handover *h, const char *name, int fd);
/* Becomes COMMAND, an absolute path and its arguments. Returns only when that is not possible: -errno, and all is as it was. */
int handover_exec(const struct handover *h, const char *const *command);
void handover_free(struct handover *h);

#endif
