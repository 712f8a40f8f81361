/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command/bgp: what the subcommands about the mesh share with the table of commands and with show. */
#ifndef COMMAND_BGP_H
#define COMMAND_BGP_H

#include "command/command.h"

struct option_table;
extern const struct option_table bgp_options;
/* softwire bgp: reads its options itself. */
int run_bgp(const struct call *call);
/* softwire show bgp ...: CALL's first word is "bgp". */
int show_bgp(const struct call *call);
int show_route(const struct call *call);

#endif
