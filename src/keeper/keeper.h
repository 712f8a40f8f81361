/*
 * keeper: the small privileged process, and how the engine process talks to it.
 *
 * softwired starts as the keeper (root), checks the configuration, opens a socket pair and forks the engine process, which drops
 * to an unprivileged user and reads everything hostile. The keeper parses nothing from the network. It does, on request:
 *   open UDP sockets, TUN devices, ICMPv6 sockets on LAN interfaces, files, the control socket; change addresses, routes and links.
 * It holds the descriptors that it has opened, so that an engine that crashed or was replaced gets the same ones again.
 * What may be asked for is limited by struct keeper_policy, made from the configuration before the fork (a compromised
 * engine cannot open /etc/shadow or change routes on another interface).
 * When the engine process dies without being told to, the keeper starts it again (with back-off); when the keeper dies, the engine
 * process ends.
 *
 * Messages are typed structs over SOCK_SEQPACKET (message.h), one request one answer, descriptors by SCM_RIGHTS. Requests are
 * asynchronous for the engine process: an answer calls back.
 */
#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H

#include "lib/addr.h"
#include "lib/log.h"
#include "lib/loop.h"

/* ---- the keeper process ---- */

struct keeper_policy {
	const char *const *files; size_t file_count;	     /* absolute paths that may be opened for reading */
	const char *const *directories; size_t directory_count; /* e.g. /var/lib/softwired: made if missing, owned by the engine's user */
	const char *const *tuns; size_t tun_count;	     /* names of TUN devices: sc0, si-home */
	const char *const *lans; size_t lan_count;	     /* interfaces whose addresses may be changed */
	const struct endpoint *udp; size_t udp_count;	     /* local ends; family with address zero and port 0 for initiators */
	const char *control_socket;			     /* path */
	const char *control_group;			     /* NULL: root only */
	const char *user;				     /* the engine's user; NULL: "softwire", and "nobody" if that does not exist */
	const char *runtime_directory;			     /* /run/softwired */
};

/*
 * Runs the keeper in this process and ENGINE(arg, fd) in a child, until the engine ends with 0 or the keeper gets SIGTERM/SIGINT
 * (which it passes on; a second one, or 5 s, kills). SIGHUP is passed on. Devices and descriptors go with the keeper.
 * RELOAD (may be NULL) is called in the keeper after SIGHUP-like requests of the engine to rebuild the policy; returns NULL to keep the old.
 * Returns the exit status.
 */
int keeper_run(const struct keeper_policy *policy, struct log *log, int (*engine)(void *arg, int fd), void *arg);

/* ---- the engine process's side ---- */

struct keeper_client;

/* RESULT is 0 or -errno; FD is the descriptor or -1 (the callee owns it). OWNER is what the request was made with. */
typedef void keeper_answer(void *owner, int result, int fd);

/* FD is the socket from keeper_run(). LOST is called when the keeper is gone. */
struct keeper_client *keeper_client_new(struct loop *loop, int fd, void (*lost)(void *owner), void *owner);
void keeper_client_free(struct keeper_client *c);

void keeper_open_udp(struct keeper_client *c, const struct endpoint *local, keeper_answer *answer, void *owner);
void keeper_open_tun(struct keeper_client *c, const char *name, uint16_t mtu, keeper_answer *answer, void *owner); /* made, up, multi-use */
void keeper_open_icmp6(struct keeper_client *c, const char *interface, keeper_answer *answer, void *owner); /* raw, for RS/RA on a LAN */
void keeper_open_file(struct keeper_client *c, const char *path, keeper_answer *answer, void *owner);
void keeper_open_directory(struct keeper_client *c, const char *path, keeper_answer *answer, void *owner);
void keeper_open_control(struct keeper_client *c, keeper_answer *answer, void *owner); /* a listening SOCK_STREAM socket */

enum keeper_route_kind { KEEPER_ROUTE_DEVICE, KEEPER_ROUTE_UNREACHABLE };
/* ANSWER may be NULL. Lifetimes in seconds, 0xffffffff forever. Adding what is there replaces it; deleting what is not there succeeds. */
void keeper_route(struct keeper_client *c, bool add, const struct prefix *dst, enum keeper_route_kind kind, const char *device,
	const struct addr *source, uint32_t metric, keeper_answer *answer, void *owner);
void keeper_address(struct keeper_client *c, bool add, const char *device, const struct addr *address, uint8_t prefix_len,
	uint32_t valid, uint32_t preferred, keeper_answer *answer, void *owner);
void keeper_link_mtu(struct keeper_client *c, const char *device, uint32_t mtu, keeper_answer *answer, void *owner);

#endif
