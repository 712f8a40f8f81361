/* check: whether what is in the database is what is in memory, and whether it is as the pools and users want it. */
#ifndef LEASE_CHECK_H
#define LEASE_CHECK_H

#include "lease/sentences.h"
#include "lease/store.h"

struct check {
	lease_checked *done;
	void *owner;
	/* Of all leases and prefixes in memory when it was asked: how many, and a sum over their contents, whatever their order. */
	uint64_t leases, prefixes, sum;
	struct sentences found, notes;
};

/* What memory, the pools and KNOWS say; notes what the database is to be compared with. NULL: no memory. */
struct check *check_begin(struct lease_store *s, bool (*knows)(void *owner, const char *user),
	lease_checked *done, void *owner);
/* The committing thread's part: 0, or -EIO and WHY when it is damaged or has something else than memory. */
int check_database(struct db *db, const struct check *k, char why[256]);
/* Answers. RESULT is of the operation: negative when the database is not in order, or could not be asked, because of WHY. */
void check_end(struct check *k, int result, const char *why);
void check_free(struct check *k); /* NULL is fine */

#endif
