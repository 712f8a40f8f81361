/* keeper/descriptor: opening things. Each returns a close-on-exec descriptor or -errno; none asks whether it may. */
#ifndef KEEPER_DESCRIPTOR_H
#define KEEPER_DESCRIPTOR_H

#include "keeper/identity.h"
#include "lib/addr.h"
#include "netlink/route.h"

int descriptor_udp(const struct endpoint *local);
/* Listens. */
int descriptor_tcp(const struct endpoint *local);
/* Of whatever origin. */
bool descriptor_is_udp(int fd);
int descriptor_tun(struct netlink *n, const char *name, uint32_t mtu);
/* LOG is told where the host's settings would drop packets that come out of it. */
int descriptor_tap(struct netlink *n, const char *name, uint32_t mtu, struct log *log);
/* Bound to LOCAL; PROTOCOL 255: not bound, for sending, of LOCAL's family. */
int descriptor_raw(const struct addr *local, uint8_t protocol);
int descriptor_icmp6(const char *interface);
/* STRICT: no symbolic link anywhere in the path. */
int descriptor_file(const char *path, bool strict);
int descriptor_directory(const char *path, const struct identity *owner);
/* Memory that may grow, and never shrink: whoever has mapped it would be killed (state/store.h). */
int descriptor_memory(const char *name);
/* Replaces a socket on which nobody listens any more. GROUP may be NULL; one that does not exist is warned about. */
int descriptor_control(const char *path, const char *group, struct log *log);

/* Writes TEXT to a file below /proc/sys/net: 0 or -errno. */
int sysctl_write(const char *path, const char *text);
/* One digit; -errno. */
int sysctl_read(const char *path);

#endif
