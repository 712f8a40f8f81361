/* command/drain: softwire drain: its options and its words, for the table of commands, show.c and tests. */
#ifndef COMMAND_DRAIN_H
#define COMMAND_DRAIN_H

#include <jansson.h>

#include "command/option.h"

struct drain_options {
	bool stop, no_wait, json, help;
	struct option_number rate, grace;
	struct option_list to;
};

extern const struct option_table drain_options;

/* "12 left, 40 moved.": the object `drain` of doc/control.md. */
const char *drain_line(const json_t *drain, char buf[200]);

#endif
