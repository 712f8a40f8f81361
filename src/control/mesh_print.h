/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/mesh_print: what tables and descriptions of BGP neighbours share. */
#ifndef CONTROL_MESH_PRINT_H
#define CONTROL_MESH_PRINT_H

#include <jansson.h>

struct text;
/* Why, in words, of an object like `last_error`; "". */
const char *print_reason(const json_t *error);
/* What a session lacks of what the configuration wants: families that were not agreed on, next hops that it does not take. */
void print_disagreement(const json_t *neighbor, struct text *t);

#endif
