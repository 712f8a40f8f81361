/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/verb: what the files with verbs of the control socket share: request.c (the table, and most of them), mesh_verb.c (BGP), mesh_path_verb.c (softwires of the mesh). */
#ifndef CONTROL_VERB_H
#define CONTROL_VERB_H

#include "control/request.h"

enum { VERB_ROUTES = 10000 }; /* in a page */

/* One that its table says is fine. */
struct request {
	const struct control_targets *targets;
	const json_t *object;
	struct answer *answer; /* what the verb fills in */
};

/* NULL: it is not there. */
const char *verb_text(const struct request *q, const char *member);
/* OTHERWISE where it is not there. */
json_int_t verb_number(const struct request *q, const char *member, json_int_t otherwise);
bool verb_true(const struct request *q, const char *member);

/* mesh_verb.c. False, and a refusal: what Q says of routes makes no sense. WITHIN has to live as long as *RET. */
struct afbr_route_query;
struct prefix;
bool verb_route_query(struct request *q, struct afbr_route_query *ret, struct prefix *within);
/* Where the next page of routes begins; 0: this was the last. */
void verb_answer_next(struct request *q, uint64_t next);
void verb_show_bgp_neighbors(struct request *q);
void verb_show_bgp_routes(struct request *q);
void verb_show_bgp_attributes(struct request *q);
void verb_show_route(struct request *q);
void verb_bgp_clear(struct request *q);
void verb_bgp_refresh(struct request *q);
void verb_bgp_dump(struct request *q);

/* mesh_path_verb.c */
void verb_show_paths(struct request *q);
void verb_show_endpoints(struct request *q);
void verb_show_acceptance(struct request *q);
void verb_show_fib(struct request *q);
void verb_mesh_roll(struct request *q);
void verb_mesh_shutdown(struct request *q);
void verb_mesh_start(struct request *q);

#endif
