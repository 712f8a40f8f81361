/* sim/stage: what everybody in a simulation stands on: the clock, the timers, chance, the network, and the first promise that was broken. */
#ifndef SIM_STAGE_H
#define SIM_STAGE_H

#include "hub/softwire.h"
#include "network.h"

struct stage {
	msec now;
	struct wheel wheel;
	struct rng rng;
	struct network network;
	bool tracing;	   /* the environment has SIM_TRACE: every packet is printed */
	char failure[256]; /* first broken promise; empty: none */
};

void stage_init(struct stage *s, uint64_t seed);
void stage_broken(struct stage *s, uint32_t user, const char *what);
void stage_send(struct stage *s, uint8_t direction, uint32_t user, uint32_t port, const uint8_t *data, size_t len);
/* To the next timer or packet; packets that have arrived go to INPUT. */
void stage_step(struct stage *s, void (*input)(void *owner, const struct packet *p), void *owner);
void stage_done(struct stage *s);
/* A folder of files; "": none. */
void stage_remove(const char *directory);

/* Accounts and their secrets. */
size_t stage_name(uint32_t account, char buf[32]);
size_t stage_secret(uint32_t account, char buf[32]);

/* Parts of ops tables that are the same for all. */
void stage_no_tunnel_secret(struct softwire *s, const char *host);
void stage_trace(struct softwire *s, enum softwire_trace what, const void *data, size_t len);
void stage_note(struct softwire *s, const char *text);
void stage_family_down(struct softwire *s, uint8_t family, const char *why);

#endif
