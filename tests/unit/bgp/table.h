/* table: a rib with sources, sets and prefixes by small numbers, for the tests of bgp/rib and bgp/feed. */
#ifndef UNIT_BGP_TABLE_H
#define UNIT_BGP_TABLE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bgp/rib.h"

enum { TABLE_SETS = 12, TABLE_SOURCES = 300 };

struct table {
	struct rib rib;
	struct bgp_sets sets;
	/* Set I has local preference 100 + I / 2, next hop I % 4, which is reached; the table's own references. */
	const struct bgp_set *set[TABLE_SETS];
	unsigned changed; /* how often the rib said so */
};

void table_open(struct table *t, enum bgp_family family);
/* Everything is freed; all references to sets but those of T->set have to be gone with the rib. */
void table_close(struct table *t);
/* The I-th prefix of its family, all of them different. */
struct prefix table_prefix(const struct table *t, uint32_t i);
/* SOURCE says that prefix I has this set; rib_update()'s result. */
int table_tell(struct table *t, uint32_t i, uint16_t source, unsigned set, enum bgp_bar bar);
int table_withdraw(struct table *t, uint32_t i, uint16_t source);
/* The net of prefix I, with or without paths. */
rib_id table_net(const struct table *t, uint32_t i);
const struct decision_source *table_source(const struct decision_ops *ops, uint16_t source);

#endif
