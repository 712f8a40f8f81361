/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fuzz targets around UPDATE hold the engine to. */
#ifndef FUZZ_BGP_PROMISES_H
#define FUZZ_BGP_PROMISES_H

#include <stdlib.h>
#include <string.h>

#include "bgp/update.h"

static inline void check(bool ok)
{
	if (!ok)
		abort();
}

static inline void check_values(struct reader value, size_t width)
{
	const uint8_t *last = NULL;

	check(reader_left(&value) && reader_left(&value) % width == 0);
	while (reader_left(&value)) {
		const uint8_t *p = reader_bytes(&value, width);

		check(!last || memcmp(last, p, width) < 0);
		last = p;
	}
}

/* A set is canonical: bgp/update.h. EXTERNAL: it came from there. */
static inline void check_set(struct reader set, bool external)
{
	unsigned last = 0;
	struct bgp_attribute a;
	struct bgp_facts f;
	char text[64];

	check(reader_left(&set) <= BGP_SET_MAX);
	bgp_facts_of(set, &f);
	check(strlen(bgp_path_print(set, text, sizeof(text))) < sizeof(text));
	while (bgp_attribute_next(&set, &a)) {
		bool known = bgp_attribute_name(a.type);
		uint8_t flags = bgp_attribute_flags((enum bgp_attribute_type)a.type);

		check(a.type > last || (!last && !a.type));
		last = a.type;
		check(known ? (a.flags & ~BGP_FLAG_PARTIAL) == flags : a.flags == (flags | BGP_FLAG_PARTIAL));
		check(flags == (BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE) || a.flags == flags);
		check(a.type != BGP_NEXT_HOP && a.type != BGP_MP_REACH && a.type != BGP_MP_UNREACH);
		check(a.type != BGP_AS4_PATH && a.type != BGP_AS4_AGGREGATOR);
		check(!external || (a.type != BGP_LOCAL_PREFERENCE && a.type != BGP_ORIGINATOR_ID &&
					   a.type != BGP_CLUSTER_LIST));
		if (a.type == BGP_COMMUNITIES)
			check_values(a.value, 4);
		else if (a.type == BGP_EXTENDED_COMMUNITIES)
			check_values(a.value, 8);
		else if (a.type == BGP_LARGE_COMMUNITIES)
			check_values(a.value, 12);
		else if (a.type == BGP_IPV6_COMMUNITIES)
			check_values(a.value, 20);
	}
	check(reader_ok(&set));
}

/* All of it can be read. */
static inline unsigned check_list(struct reader list, enum bgp_family family, bool withdrawn)
{
	struct bgp_nlri n;
	const char *why = NULL;
	unsigned count = 0;
	int r;

	while ((r = bgp_nlri_read(&list, family, withdrawn, &n, &why)) == 1) {
		struct prefix clean = prefix_of(&n.prefix.addr, n.prefix.len);

		check(memcmp(&clean, &n.prefix, sizeof(clean)) == 0);
		check(n.label <= BGP_LABEL_MAX && n.prefix.addr.family == bgp_family_af(family));
		count++;
	}
	check(r == 0 && !why);
	return count;
}

/* What bgp_update_read() gave. */
static inline void check_update(const struct bgp_update *u, const struct bgp_form *form)
{
	check(u->outcome <= BGP_WITHDRAW && memchr(u->reason, 0, sizeof(u->reason)));
	check((u->outcome == BGP_ACCEPT) == !u->reason[0]);
	check_list(u->withdrawn, BGP_IPV4, true);
	check_list(u->announced, BGP_IPV4, false);
	if (u->has_unreach)
		check_list(u->unreach, u->unreach_family, true);
	if (u->has_reach)
		check_list(u->reach, u->reach_family, false);
	if (u->has_reach && u->outcome < BGP_WITHDRAW)
		check(bgp_next_hop_fits(form, u->reach_family, &u->reach_next_hop));
	check(!u->end_of_rib || u->outcome == BGP_ACCEPT);
	check_set(u->set, form->external);
}

#endif
