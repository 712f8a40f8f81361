/* command/probe: `softwire connect --probe`: the report on a server, and its last sentence. */
#ifndef COMMAND_PROBE_H
#define COMMAND_PROBE_H

#include "command/trial.h"

enum { PROBE_SERVERS = 8 };

/* The exit status: DONE only when every step is ok. */
int run_probe(const struct connect_options *o, const struct target *t);

/* One sentence, or two, about all: where it fails, why, and what to do. True: it does not fail. */
bool probe_verdict(const struct target *t, const struct trial_result *results, unsigned count, char *buf, size_t size);

#endif
