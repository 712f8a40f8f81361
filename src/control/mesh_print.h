/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/mesh_print: what tables and descriptions of the mesh share. */
#ifndef CONTROL_MESH_PRINT_H
#define CONTROL_MESH_PRINT_H

#include <jansson.h>
#include <stdio.h>

struct text;
/* Why, in words, of an object like `last_error`; "". */
const char *print_reason(const json_t *error);
/* What a session lacks of what the configuration wants: families that were not agreed on, next hops that it does not take. */
void print_disagreement(const json_t *neighbor, struct text *t);
/* A new reference: ROWS in order of family and prefix; as they are, where there is no memory. */
json_t *print_in_order(const json_t *rows);
/* All of VALUE, of which peers may have written parts, however long it is. */
void print_whole(FILE *out, const char *value);

#endif
