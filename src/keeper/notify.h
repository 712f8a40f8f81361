/*
 * keeper/notify: what the service manager is told (sd_notify(3)): one datagram of lines to $NOTIFY_SOCKET. Nothing happens where that is not set.
 */
#ifndef KEEPER_NOTIFY_H
#define KEEPER_NOTIFY_H

#include <stdbool.h>

/* Is there somebody to tell, who may also keep descriptors? ($FDSTORE, where it is told, says that it may not.) */
bool notify_is_heard(void);
void notify_tell(const char *lines);
/* FD is kept for the next one, as NAME (no colons). */
void notify_store(const char *name, int fd);
void notify_discard(const char *name);

#endif
