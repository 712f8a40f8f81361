/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command/bgp: what the subcommands about the mesh share with the table of commands and with show. */
#ifndef COMMAND_BGP_H
#define COMMAND_BGP_H

#include "command/command.h"

/* A table that comes in pages, the array NAME of each answer: asks for all of them. PRINT as print_bgp_routes(). Takes over REQUEST's reference. */
struct print_shape;
typedef void command_print_page(FILE *out, const json_t *rows, struct print_shape *shape, bool whole);
int command_ask_pages(const struct call *call, json_t *request, const char *name, command_print_page *print);

struct option_table;
extern const struct option_table bgp_options;
/* softwire bgp: reads its options itself. */
int run_bgp(const struct call *call);
/* softwire show bgp ...: CALL's first word is "bgp". */
int show_bgp(const struct call *call);
int show_route(const struct call *call);

/* mesh.c: softwire mesh; softwire show paths, endpoints, acceptance, fib: CALL's first word is that. False: it is none of these. */
int run_mesh(const struct call *call);
bool show_mesh(const struct call *call, int *ret_status);

#endif
