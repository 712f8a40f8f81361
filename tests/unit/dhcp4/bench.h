/* bench: a client whose messages and events are caught, and answers to them. */
#ifndef UNIT_DHCP4_BENCH_H
#define UNIT_DHCP4_BENCH_H

#include "dhcp4/client.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { START = 5000000 };

struct bench {
	struct dhcp4_client client;
	struct dhcp4_client_config config;
	struct dhcp4_counters counters;
	struct rng rng;
	msec now;
	unsigned sends, bounds, losses, notes;
	uint8_t raw[DHCP4_MESSAGE_MAX];
	size_t raw_len;
	struct dhcp4_message sent; /* the last message */
	struct addr src, dst;
	struct dhcp4_binding binding;
	char why[120], note[200];
	void (*from_bound)(struct bench *b);
	void (*from_lost)(struct bench *b);
};

extern const struct addr none, server, address; /* 198.51.100.1 and 198.51.100.7 */

void setup(struct bench *b);
void open_client(struct bench *b);
/* With an address of IPCP; a router. */
void open_router(struct bench *b);
void give(struct bench *b, const struct dhcp4_message *m);
/* An answer to the last message. */
struct dhcp4_message answer(const struct bench *b, uint8_t type);
void add_subnet(struct dhcp4_message *m, uint8_t third, uint8_t len);
void reply(struct bench *b, uint8_t type);
void reply_subnet(struct bench *b, uint8_t type, uint8_t third, uint8_t len);
void bind_address(struct bench *b);
void bind_subnet(struct bench *b);
/* To the next deadline. */
void step(struct bench *b);
void step_until_sent(struct bench *b);
void assert_addr(const struct addr *a, const struct addr *expected);

#endif
