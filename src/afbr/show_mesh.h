/* SPDX-License-Identifier: GPL-2.0-or-later */
/* afbr/show_mesh: softwires as JSON and in words, as show_mesh.c, show_fib.c, show.c and route.c make them. */
#ifndef AFBR_SHOW_MESH_H
#define AFBR_SHOW_MESH_H

#include "afbr/softwires.h"
#include "lib/text.h"

struct json_t;
/* `mesh`: what was counted of packets. A new reference. */
struct json_t *show_mesh_counters(const struct afbr *a);
/*
 * From a route to what packets to it look like in the core, a sentence for each class of traffic that has its own way. A new reference: an array of texts, empty
 * for a route that does not go by a softwire. Never a cookie.
 */
struct json_t *show_mesh_forwarding(struct afbr *a, enum bgp_family family, rib_id net);

#endif
