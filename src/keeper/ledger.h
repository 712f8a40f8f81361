/*
 * keeper/ledger: what the keeper holds and has changed, in memory that outlives it (state/store.h): the next keeper, of this or another version,
 * holds and undoes it. Whoever has something to hold or to undo keeps its entry here current: grant.c, forwarding.c, table.c, bridge.c, border.c, hush.c, resolver.c.
 *
 * The memory comes from the keeper before, over an upgrade, or from the service manager after a death; it was written by root. It is decoded with
 * care all the same, for another version may have written it: what is not understood is left out.
 */
#ifndef KEEPER_LEDGER_H
#define KEEPER_LEDGER_H

#include "lib/addr.h"
#include "lib/reader.h"
#include "lib/writer.h"
#include "state/store.h"

/* On the wire, so to speak: never renumbered. */
enum ledger_kind {
	LEDGER_HELD = 1,
	LEDGER_ROUTE = 2,
	LEDGER_ADDRESS = 3,
	LEDGER_FORWARDING = 4,
	LEDGER_BRIDGE = 5,
	LEDGER_DNS = 6,
	LEDGER_HOOK = 7,
	LEDGER_HOOK_RUN = 8,
	LEDGER_TABLE = 9,
	LEDGER_BORDERS = 10,
	LEDGER_HUSH = 11,
};

struct ledger {
	struct store *store; /* NULL: nothing outlives us */
	int fd;
	uint32_t last_id;
};

/* Zeroed: not written yet. */
struct ledger_entry {
	uint32_t at, id;
};

/* What an earlier keeper has written. */
struct ledger_item {
	struct ledger_entry entry;
	enum ledger_kind kind;
	struct reader fields; /* valid until the entry is written again or dropped */
};

/* FD is the memory of an earlier one, and ours from now on; -1: a new one. 0 or -errno; then the ledger is closed. */
int ledger_open(struct ledger *l, int fd);
void ledger_close(struct ledger *l);
/* Writes what FIELDS has, in place of what was there. L may be NULL, or closed. 0 or -errno: then there is no entry. */
int ledger_write(
	struct ledger *l, struct ledger_entry *e, enum ledger_kind kind, const struct writer *fields);
void ledger_drop(struct ledger *l, struct ledger_entry *e);
/* All, the oldest first, to be freed; NULL: none (or no memory). */
struct ledger_item *ledger_items(struct ledger *l, size_t *ret_count);

/* Fields. */
void ledger_put_addr(struct writer *w, const struct addr *a);
void ledger_put_text(struct writer *w, const char *text);
struct addr ledger_take_addr(struct reader *r);
/* At most SIZE - 1 bytes, and zeros behind them; a text that does not fit is an error of R. */
void ledger_take_text(struct reader *r, char *text, size_t size);

#endif
