/* keeper/identity: who the engine process is, and how it becomes that. */
#ifndef KEEPER_IDENTITY_H
#define KEEPER_IDENTITY_H

#include <sys/types.h>

#include "lib/log.h"

struct identity {
	bool drop; /* false: we are not root and stay who we are */
	uid_t uid;
	gid_t gid;
	char name[64];
};

/* USER as in struct keeper_policy. 0 or -errno after a logged reason. */
int identity_find(const char *user, struct log *log, struct identity *ret);
/* In the child: becomes it for good, without capabilities, core dumps or ways back. 0 or -errno. */
int identity_assume(const struct identity *id);

#endif
