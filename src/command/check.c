/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What needs no daemon. */
#include <errno.h>
#include <stdlib.h>

#include "command/command.h"
#include "control/config.h"

struct checking {
	unsigned errors, warnings;
	json_t *problems; /* NULL: print */
};

static void told(void *owner, bool fatal, const char *file, unsigned line, const char *text)
{
	struct checking *k = owner;
	char where[32] = "";

	if (fatal)
		k->errors++;
	else
		k->warnings++;
	if (line)
		snprintf(where, sizeof(where), "%u:", line);
	if (k->problems)
		json_array_append_new(
			k->problems, json_pack("{s:b, s:s+, s:I, s:s+}", "fatal", (int)fatal, "file", file,
					     "", "line", (json_int_t)line, "text", text, ""));
	else
		printf("%s:%s %s%s\n", file, where, fatal ? "" : "warning: ", text);
}

static const char *plural(unsigned n)
{
	return n == 1 ? "" : "s";
}

int run_check(const struct call *call)
{
	struct checking k = {.problems = call->json ? json_array() : NULL};
	struct config *config = calloc(1, sizeof(*config));
	int result = -ENOMEM;

	if (config)
		result = config_file_read(call->argv[0], -1, true, told, &k, config);
	config_free(config);
	if (call->json) {
		json_t *all = json_pack("{s:b, s:o}", "ok", result == 0, "problems", k.problems);

		json_dumpf(all, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(all);
	} else if (k.errors || k.warnings) {
		printf("%s: %u error%s, %u warning%s\n", call->argv[0], k.errors, plural(k.errors),
			k.warnings, plural(k.warnings));
	} else {
		printf("%s: ok\n", call->argv[0]);
	}
	return result ? FAILED : DONE;
}

int run_version(const struct call *call)
{
	printf(call->json ? "{\"version\":\"%s\"}\n" : "softwire %s\n", SOFTWIRE_VERSION);
	return DONE;
}
