/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lease database as the operator handles it: export, import, check. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "concentrator/role.h"
#include "report/leases.h"

struct json_t *concentrator_export_leases(struct concentrator *c)
{
	return c->leases ? leases_export_all(c->leases) : json_array();
}

/* ---- check ---- */

struct checking {
	struct concentrator *c;
	concentrator_answered *done;
	void *owner;
};

static bool knows(void *owner, const char *user)
{
	const struct checking *k = owner;

	return aaa_is_anonymous(user) || aaa_find_user(k->c->aaa, user);
}

static void checked(void *owner, const struct lease_findings *found)
{
	struct checking *k = owner;

	k->done(k->owner, leases_checked(found));
	free(k);
}

void concentrator_check_leases(struct concentrator *c, concentrator_answered *done, void *owner)
{
	struct checking *k = calloc(1, sizeof(*k));

	if (!k || !c->leases) {
		free(k);
		done(owner, NULL);
		return;
	}
	*k = (struct checking){c, done, owner};
	lease_check(c->leases, c->config.users_path[0] ? knows : NULL, checked, k);
}

/* ---- import ---- */

struct concentrator_import {
	struct lease_import *leases;
	concentrator_answered *done;
	void *owner;
};

struct concentrator_import *concentrator_import_new(struct concentrator *c)
{
	struct concentrator_import *i = calloc(1, sizeof(*i));

	if (i && c->leases)
		i->leases = lease_import_new(c->leases);
	if (i && i->leases)
		return i;
	free(i);
	return NULL;
}

void concentrator_import_free(struct concentrator_import *i)
{
	if (i)
		lease_import_free(i->leases);
	free(i);
}

int concentrator_import_add(struct concentrator_import *i, const struct json_t *line, char why[256])
{
	struct lease lease;
	int rc = leases_read(line, &lease, why);

	return rc ? rc : lease_import_add(i->leases, &lease, why);
}

static void imported(void *owner, int result, const struct lease_import_result *r,
	const char *const *sentences, size_t count, const char *why)
{
	struct concentrator_import *i = owner;

	i->done(i->owner, leases_imported(result, r, sentences, count, why));
	free(i);
}

int concentrator_import_run(
	struct concentrator_import *i, const char *rule, concentrator_answered *done, void *owner)
{
	enum lease_import_rule which;
	int rc = leases_read_rule(rule, &which);

	if (rc)
		return rc;
	i->done = done;
	i->owner = owner;
	lease_import_run(i->leases, which, imported, i);
	return 0;
}
