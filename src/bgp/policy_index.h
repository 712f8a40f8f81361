/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bgp/policy_index: long lists of prefixes, looked up in logarithmic time. Part of policy. */
#ifndef BGP_POLICY_INDEX_H
#define BGP_POLICY_INDEX_H

#include "bgp/policy.h"

/* A copy of the list; NULL: no memory. COUNT is at most POLICY_PREFIXES. */
struct policy_index *policy_index_new(const struct policy_prefix *prefixes, unsigned count);
void policy_index_free(struct policy_index *i);
/* Does one of them match P? */
bool policy_index_has(const struct policy_index *i, const struct prefix *p);

#endif
