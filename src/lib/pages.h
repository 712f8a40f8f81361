/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pages: memory straight from the system, which goes back to it at once. For large tables; small things are for malloc().
 *
 * Zeroed. Up to PAGES_FEW bytes are there at once, more of them as they are written to. From PAGES_HUGE bytes on, the system is asked for huge pages: a table that is looked into at random is found by the processor without a walk
 * through page tables then.
 */
#ifndef LIB_PAGES_H
#define LIB_PAGES_H

#include <stddef.h>

enum { PAGES_FEW = 1 << 16, PAGES_HUGE = 1 << 21 };

void *pages_map(size_t size);           /* NULL: no memory */
void pages_unmap(void *p, size_t size); /* NULL: nothing */

#endif
