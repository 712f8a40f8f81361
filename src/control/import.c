/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "control/import.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/request.h"

enum { ERRORS_MAX = 100 };

struct control_import {
	struct concentrator_import *leases;
	size_t announced, taken, wrong;
	json_t *errors;
	char rule[16];
};

struct control_import *control_import_new(struct concentrator *c, size_t leases, const char *rule)
{
	struct control_import *i = calloc(1, sizeof(*i));

	if (!i)
		return NULL;
	i->leases = concentrator_import_new(c);
	i->errors = json_array();
	i->announced = leases;
	snprintf(i->rule, sizeof(i->rule), "%s", rule);
	if (i->leases && i->errors)
		return i;
	control_import_free(i);
	return NULL;
}

void control_import_free(struct control_import *i)
{
	if (!i)
		return;
	concentrator_import_free(i->leases);
	json_decref(i->errors);
	free(i);
}

bool control_import_is_complete(const struct control_import *i)
{
	return i->taken == i->announced;
}

static void complain(struct control_import *i, const char *why)
{
	if (i->wrong++ < ERRORS_MAX)
		json_array_append_new(
			i->errors, json_sprintf("line %zu: %s", i->taken + 1, why)); /* the head is line 1 */
}

void control_import_line(struct control_import *i, const char *line, size_t len)
{
	char why[256] = "";
	json_error_t error;
	json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);

	i->taken++;
	if (!object)
		complain(i, error.text);
	else if (concentrator_import_add(i->leases, object, why))
		complain(i, why);
	json_decref(object);
}

void control_import_run(struct control_import *i, concentrator_answered *done, void *owner)
{
	struct concentrator_import *leases = i->leases;
	json_t *answer;

	if (!i->wrong && !concentrator_import_run(leases, i->rule, done, owner)) {
		i->leases = NULL;
		control_import_free(i);
		return;
	}
	if (i->wrong) {
		answer = request_refusal("%zu line%s wrong, and nothing was changed", i->wrong,
			i->wrong == 1 ? " is" : "s are");
		json_object_set(answer, "errors", i->errors);
	} else {
		answer = request_refusal("\"rule\" must be \"strict\", \"merge\" or \"force\"");
	}
	control_import_free(i);
	done(owner, answer);
}
