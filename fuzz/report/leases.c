/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file of an import, line by line, into a store: what is taken is written again the same, and the store is in order afterwards. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "report/leases.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void imported(void *owner, int result, const struct lease_import_result *r,
	const char *const *sentences, size_t count, const char *why)
{
	if ((result != 0) != (why[0] != '\0'))
		abort();
	++*(unsigned *)owner;
}

static void checked(void *owner, const struct lease_findings *found)
{
	if (found->problem_count)
		abort();
	++*(unsigned *)owner;
}

static void take(struct lease_import *im, const uint8_t *line, size_t len)
{
	json_t *o = json_loadb((const char *)line, len, JSON_REJECT_DUPLICATES, NULL), *again;
	struct lease l, m;
	char why[256];
	size_t count;

	(void)leases_read_head(o, &count, why);
	if (o && !leases_read(o, &l, why)) {
		again = leases_export(&l);
		if (leases_read(again, &m, why) || memcmp(&l, &m, sizeof(l)) != 0)
			abort();
		json_decref(again);
		(void)lease_import_add(im, &l, why);
	}
	json_decref(o);
}

static void import(struct lease_store *s, const uint8_t *data, size_t size, enum lease_import_rule rule)
{
	struct lease_import *im = lease_import_new(s);
	const uint8_t *end = data + size, *newline;
	unsigned answers = 0;

	if (!im)
		abort();
	while (data < end) {
		newline = memchr(data, '\n', (size_t)(end - data));
		if (!newline)
			newline = end;
		take(im, data, (size_t)(newline - data));
		data = newline < end ? newline + 1 : end;
	}
	lease_import_run(im, rule, imported, &answers);
	lease_check(s, NULL, checked, &answers);
	if (answers != 2)
		abort();
}

/* The two halves one after the other, by the rule that the first byte says: so there is something to conflict with. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[256];
	struct lease_store *s = lease_store_open(NULL, ":memory:", NULL, why);

	if (!s)
		abort();
	if (size) {
		import(s, data + 1, (size - 1) / 2, LEASE_IMPORT_STRICT);
		import(s, data + 1 + (size - 1) / 2, size - 1 - (size - 1) / 2, data[0] % 3);
	}
	lease_store_close(s);
	return 0;
}
