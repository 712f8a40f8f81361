/* sim/inside: what the files of the simulation share. */
#ifndef SIM_INSIDE_H
#define SIM_INSIDE_H

#include "world.h"

/* world.c */
void world_broken(struct world *w, uint32_t user, const char *what);
void world_send(
	struct world *w, uint8_t direction, uint32_t user, uint32_t port, const uint8_t *data, size_t len);
size_t world_name_of(uint32_t account, char buf[32]);
/* Asks for the lease of this side's account. */
void world_acquire(struct server_side *side, lease_answer *answer);
/* The concentrator keeps nothing more of this softwire; nobody is told. */
void world_forget(struct softwire *s);

/* restart.c */
void restart_init(struct world *w);
bool restart_open_leases(struct world *w);
/* ops->changed() of the concentrator. */
void restart_save(struct softwire *s);

#endif
