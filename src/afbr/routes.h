/* SPDX-License-Identifier: GPL-2.0-or-later */
/* afbr/routes: rows of JSON for routes, as routes.c and route.c make them. */
#ifndef AFBR_ROUTES_H
#define AFBR_ROUTES_H

#include "afbr/parts.h"

struct json_t;
struct bgp_neighbor;
/* By its name, or by its address; NULL. */
struct bgp_neighbor *neighbor_named(const struct afbr *a, const char *text);
/* Family and prefix of NET. A new reference. */
struct json_t *routes_row(const struct rib *r, rib_id net);
/* A path as it stands in the table: doc/control.md. */
void routes_add_path(
	struct json_t *row, const struct afbr *a, const struct rib *r, rib_id net, const struct rib_path *p);
/*
 * A page of Q's nets, as afbr_show_routes() says: ROW_OF makes a row of a net, or NULL for those that are none. NULL and *why: not enough memory.
 */
typedef struct json_t *routes_row_of(void *owner, struct rib *r, rib_id net);
struct json_t *routes_page(struct afbr *a, const struct afbr_route_query *q, routes_row_of *row_of, void *owner,
	uint64_t *ret_next, const char **why);

#endif
