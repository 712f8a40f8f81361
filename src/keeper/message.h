/*
 * keeper/message: the requests of the engine process and the keeper's answers, one per SOCK_SEQPACKET message.
 *
 * Both ends are the same binary on the same machine, so the structs are the format; but one end may have been taken over. The
 * keeper therefore believes nothing: message_decode() takes only what has exactly the size of its type and values that make
 * sense by themselves. Whether they may be asked for is policy.h's question.
 */
#ifndef KEEPER_MESSAGE_H
#define KEEPER_MESSAGE_H

#include <linux/limits.h>
#include <net/if.h>
#include <sys/types.h>

#include "keeper/keeper.h"
#include "lib/addr.h"

enum message_type {
	MESSAGE_OPEN_UDP = 1,
	MESSAGE_CLOSE_UDP,
	MESSAGE_OPEN_TUN,
	MESSAGE_OPEN_ICMP6,
	MESSAGE_OPEN_FILE,
	MESSAGE_OPEN_DIRECTORY,
	MESSAGE_OPEN_CONTROL,
	MESSAGE_ROUTE,
	MESSAGE_ADDRESS,
	MESSAGE_LINK_MTU,
	MESSAGE_FORWARDING,
	MESSAGE_RELOAD,
	MESSAGE_DNS,
	MESSAGE_HOOK,
	MESSAGE_BRIDGE,
	MESSAGE_OPEN_STATE,
	MESSAGE_HOLD_UDP,
	MESSAGE_HELD_UDP,
	MESSAGE_READY,
	MESSAGE_UPGRADE,
	MESSAGE_CLOSE_TUN,
	MESSAGE_RELOAD_BACK,
	MESSAGE_OPEN_TCP,
	MESSAGE_CLOSE_TCP,
	MESSAGE_BGP_ROUTES,
	MESSAGE_BGP_FLUSH,
	MESSAGE_OPEN_TAP,
	MESSAGE_NEIGHBOURS,
	MESSAGE_OPEN_RAW,
	MESSAGE_BORDERS,
	MESSAGE_TYPES,
};

struct message_link {
	char name[IFNAMSIZ]; /* zero behind the end */
	uint32_t mtu;
};

struct message_route {
	struct prefix dst;
	struct addr source; /* or none */
	char device[IFNAMSIZ];
	uint32_t metric;
	uint8_t add, kind;
};

struct message_address {
	struct addr address;
	char device[IFNAMSIZ];
	uint32_t valid, preferred;
	uint8_t prefix_len, add;
};

struct message_dns {
	char device[IFNAMSIZ];
	uint32_t count;
	struct addr servers[KEEPER_DNS_MAX]; /* zero behind the last */
};

enum { MESSAGE_HOOK_PATH = 512, MESSAGE_HOOK_EVENT = 32, MESSAGE_HOOK_KEY = 288 };

/* All texts have an end, and zeros behind it. */
struct message_hook {
	char path[MESSAGE_HOOK_PATH];
	char event[MESSAGE_HOOK_EVENT];
	char key[MESSAGE_HOOK_KEY];
	uint32_t count;
	char variables[KEEPER_HOOK_BYTES]; /* COUNT texts one behind the other; zeros behind the last */
};

struct message_bridge {
	char bridge[IFNAMSIZ];
	uint32_t count;
	char ports[KEEPER_BRIDGE_PORTS][IFNAMSIZ]; /* zero behind the last */
};

struct message_bgp_routes {
	struct keeper_table table;
	uint32_t count;
	struct keeper_bgp_route routes[KEEPER_BGP_ROUTES]; /* zero behind the last */
};

struct message_neighbours {
	char device[IFNAMSIZ];
	uint32_t add;
	uint32_t count;
	uint32_t numbers[KEEPER_NEIGHBOURS]; /* zero behind the last */
};

struct message_raw {
	struct addr local;
	uint8_t protocol;
};

struct message_borders {
	uint32_t interface_count, set_count;
	char interfaces[KEEPER_BORDERS][IFNAMSIZ]; /* zero behind the last */
	struct prefix sets[KEEPER_BORDERS];	   /* zero behind the last */
};

union message_body {
	struct endpoint endpoint;       /* OPEN_UDP, CLOSE_UDP, OPEN_TCP, CLOSE_TCP */
	struct message_link link;       /* OPEN_TUN, OPEN_TAP, LINK_MTU */
	char name[IFNAMSIZ];            /* OPEN_ICMP6, OPEN_STATE, HOLD_UDP, HELD_UDP, CLOSE_TUN */
	char path[PATH_MAX];            /* OPEN_FILE, OPEN_DIRECTORY */
	struct message_route route;     /* ROUTE */
	struct message_address address; /* ADDRESS */
	uint8_t family;                 /* FORWARDING */
	struct message_dns dns;         /* DNS */
	struct message_hook hook;       /* HOOK */
	struct message_bridge bridge;   /* BRIDGE */
	struct message_bgp_routes bgp_routes; /* BGP_ROUTES */
	struct keeper_table table;      /* BGP_FLUSH */
	struct message_neighbours neighbours; /* NEIGHBOURS */
	struct message_raw raw;         /* OPEN_RAW */
	struct message_borders borders; /* BORDERS */
};

struct message_request {
	uint32_t id;
	uint32_t type;
	union message_body body;
};

struct message_answer {
	uint32_t id;
	int32_t result;
	uint64_t failed[2]; /* BGP_ROUTES: a bit for each route that did; else 0 */
};

enum { MESSAGE_MAX = sizeof(struct message_request), MESSAGE_HEADER = 2 * sizeof(uint32_t) };

/* A word for logs, also for types that do not exist. */
const char *message_name(uint32_t type);
/* Size of the whole message; 0 for types that do not exist. */
size_t message_size(uint32_t type);
/* NULL and *ret, or a static text that says what is wrong (*ret is untouched then). */
const char *message_decode(const void *data, size_t len, struct message_request *ret);
/* The id of a message that cannot be decoded, so that it can be refused; false when it is too short for one. */
bool message_peek(const void *data, size_t len, uint32_t *ret_id, uint32_t *ret_type);
/* The check of message_decode() alone, for the sender's own use. */
const char *message_check(const struct message_request *r);

/* Sends one message, maybe with a descriptor (FD >= 0): 0 or -errno. */
int message_send(int channel, const void *data, size_t len, int fd);
/* Receives one: its true length (longer than SIZE: it was cut), 0 at the end, -errno. *ret_fd (NULL: none is taken) is -1 or owned. */
ssize_t message_receive(int channel, void *data, size_t size, int *ret_fd);

#endif
