/*
 * report/hook: what a hook of either role gets to know: the variables of softwired-hooks(7).
 *
 * The role fills in what it knows; the rest stays zero and becomes an empty variable: every variable is always set, so
 * that a script need not ask. Addresses and prefixes named after the initiator are its at both ends; `peer` and `local` are
 * the ends of the transport as the role sees them. Values are printable ASCII of at most HOOK_VALUE bytes: other bytes become
 * \xNN, and what does not fit is left out, of lists only whole members.
 */
#ifndef REPORT_HOOK_H
#define REPORT_HOOK_H

#include "keeper/keeper.h"
#include "lib/addr.h"

enum { HOOK_PREFIXES = 4, HOOK_DNS = 8, HOOK_LANS = 8, HOOK_VALUE = 255, HOOK_VARIABLES = 24 };

struct hook_prefixes {
	unsigned count;
	struct prefix list[HOOK_PREFIXES];
};

/* Our address on a LAN interface. */
struct hook_lan {
	const char *device;
	struct addr address;
	uint8_t len;
};

struct hook_facts {
	const char *event;  /* "up", "down", "change", "renew"; also the program's argument */
	const char *role;   /* "concentrator", "initiator" */
	const char *name;   /* of the initiator in its configuration */
	const char *user;
	const char *device;
	const char *reason; /* down: why */
	uint32_t id;
	struct endpoint peer, local;
	bool up6, up4;
	uint16_t mtu;
	struct prefix link6;
	struct addr address6, address4; /* the initiator's */
	struct addr peer4;		/* the concentrator's */
	struct hook_prefixes delegated6, delegated4;
	struct hook_prefixes old_delegated6, old_delegated4; /* change: before it */
	unsigned dns_count, lan_count;
	struct addr dns[HOOK_DNS];
	const char *lans[HOOK_LANS];
	unsigned lan6_count, lan4_count; /* what of the delegated prefixes and subnets is on the LANs */
	struct hook_lan lan6[HOOK_LANS], lan4[HOOK_LANS];
};

/* For keeper_hook(): valid as long as it is not moved. */
struct hook_environment {
	unsigned count;
	const char *variables[HOOK_VARIABLES];
	char text[KEEPER_HOOK_BYTES];
};

/* 0, or -ENOSPC: more than the keeper takes. */
int hook_environment_build(struct hook_environment *e, const struct hook_facts *f);

#endif
