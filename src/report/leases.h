/*
 * report/leases: a concentrator's leases as JSON: rows of `show leases`, and lines of an export.
 *
 * An export is text of JSON objects, one on each line. The first one says what it is and how many leases follow, so that half a file is
 * never taken for a whole one; then one line for each lease, who was away for longest first. doc/control.md lists the fields.
 */
#ifndef REPORT_LEASES_H
#define REPORT_LEASES_H

#include <jansson.h>

#include "lease/lease.h"

#define LEASES_FORMAT "softwire-leases"
enum { LEASES_VERSION = 1 };

/* A row of `show leases`. */
json_t *leases_show(const struct lease *l);
/* A line of an export. */
json_t *leases_export(const struct lease *l);
/* All lines of an export but the first. NULL: no memory. */
json_t *leases_export_all(const struct lease_store *s);
/* The first line. */
json_t *leases_head(size_t count, int64_t now);
/* 0, or -EINVAL and WHY: it is no head of an export that we understand. */
int leases_read_head(const json_t *head, size_t *ret_count, char why[256]);
/* A line of an export. Nothing is left out or guessed: a member that is unknown, missing or impossible is refused. 0, or -EINVAL and WHY. */
int leases_read(const json_t *line, struct lease *ret, char why[256]);

/* What an import came to, and what a check found, as answers: ok, what happened, and sentences. */
json_t *leases_imported(int result, const struct lease_import_result *r, const char *const *sentences,
	size_t count, const char *why);
json_t *leases_checked(const struct lease_findings *found);
/* "strict", "merge", "force"; -EINVAL. */
int leases_read_rule(const char *word, enum lease_import_rule *ret);

#endif
