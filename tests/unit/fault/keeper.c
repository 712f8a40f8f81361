/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What both roles ask the keeper for; what one of them alone asks is with its scenes. */
#include "role.h"

KEEPER(keeper_open_tun, (struct keeper_client *c, const char *name, uint16_t mtu, keeper_answer *answer, void *owner), c, name, mtu)
KEEPER(keeper_open_file, (struct keeper_client *c, const char *path, keeper_answer *answer, void *owner), c, path)
KEEPER(keeper_open_directory, (struct keeper_client *c, const char *path, keeper_answer *answer, void *owner), c, path)
KEEPER(keeper_route,
	(struct keeper_client *c, bool add, const struct prefix *dst, enum keeper_route_kind kind, const char *device,
		const struct addr *source, uint32_t metric, keeper_answer *answer, void *owner),
	c, add, dst, kind, device, source, metric)
KEEPER(keeper_address,
	(struct keeper_client *c, bool add, const char *device, const struct addr *address, uint8_t prefix_len, uint32_t valid,
		uint32_t preferred, keeper_answer *answer, void *owner),
	c, add, device, address, prefix_len, valid, preferred)
KEEPER(keeper_forwarding, (struct keeper_client *c, uint8_t family, keeper_answer *answer, void *owner), c, family)
KEEPER(keeper_hook,
	(struct keeper_client *c, const char *path, const char *event, const char *key, const char *const *variables, unsigned count,
		keeper_answer *answer, void *owner),
	c, path, event, key, variables, count)
