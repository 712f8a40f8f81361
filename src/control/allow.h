/* control/allow: what the keeper may do for a configuration. */
#ifndef CONTROL_ALLOW_H
#define CONTROL_ALLOW_H

#include "control/config.h"
#include "keeper/keeper.h"

enum {
	ALLOW_FILES = 6 * CONFIG_INITIATORS + 5 + BGP_NEIGHBORS,
	ALLOW_DIRECTORIES = 3 + CONFIG_INITIATORS,
	ALLOW_HOOKS = HOOK_EVENTS + INITIATOR_HOOKS * CONFIG_INITIATORS,
};

/* The lists that a policy points to. They point into the configuration, which must stay. */
struct allow_lists {
	const char *files[ALLOW_FILES];
	const char *directories[ALLOW_DIRECTORIES];
	char directory_names[1 + CONFIG_INITIATORS][4096];
	const char *tuns[1 + CONFIG_INITIATORS];
	char tun_names[CONFIG_INITIATORS][16];
	const char *lans[CONFIG_INITIATORS * INITIATOR_LANS];
	const char *bridges[CONFIG_INITIATORS];
	const char *hooks[ALLOW_HOOKS];
	struct endpoint udp[CONCENTRATOR_LISTEN_MAX + 2];
	struct endpoint tcp[AFBR_LISTEN + 2];
	const char *taps[1];
	const char *borders[AFBR_INTERFACES];
	struct prefix border_sets[AFBR_SETS + 1];
	struct keeper_export export;
};

/* Everything of *ret but reload(), which is the caller's. */
void allow_policy(const struct config *config, struct allow_lists *lists, struct keeper_policy *ret);

#endif
