/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A body of an UPDATE, read in every form that a session may have. What is accepted keeps its promises; written again, in as many messages as it takes, and read
 * again it is the same.
 */
#include <errno.h>
#include <stdint.h>

#include "promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EVERY = (1 << BGP_FAMILIES) - 1 };

static uint8_t first[BGP_SET_MAX], second[BGP_SET_MAX], message[BGP_EXTENDED_MAX];

static bool same(struct reader a, struct reader b)
{
	return reader_left(&a) == reader_left(&b) &&
	       (!reader_left(&a) || memcmp(a.pos, b.pos, reader_left(&a)) == 0);
}

/* Between two that know four octets everything passes; AS4_PATH has no place for confederations, but in front (RFC 6793). */
static bool is_lossless(struct reader set, const struct bgp_form *form)
{
	struct bgp_attribute a;

	if (form->as4 || !bgp_attribute_find(set, BGP_AS_PATH, &a))
		return true;
	while (reader_left(&a.value)) {
		if (reader_u8(&a.value) >= BGP_AS_CONFED_SEQUENCE)
			return false;
		reader_skip(&a.value, 4 * (size_t)reader_u8(&a.value));
	}
	return true;
}

/* One message of what LIST begins with; how many prefixes that were. */
static unsigned again(const struct bgp_form *form, enum bgp_family family, struct reader set,
	const struct bgp_next_hop_value *next_hop, struct reader *list)
{
	struct writer w = writer_of(message, sizeof(message));
	struct reader rest = *list, got;
	struct bgp_update_writer u;
	struct bgp_update v;
	struct bgp_error e;
	struct bgp_nlri n, m;
	const char *why;

	if (bgp_update_begin(&u, &w, form, family, set, next_hop))
		return 0;
	while (bgp_nlri_read(&rest, family, false, &n, &why) == 1 && bgp_update_add(&u, &n))
		*list = rest;
	bgp_update_end(&u);
	check(u.count && writer_ok(&w) && writer_len(&w) <= form->max_message);
	check(bgp_update_read(reader_of(message + BGP_HEADER, writer_len(&w) - BGP_HEADER), form, second,
		      sizeof(second), &v, &e) == 0);
	check(v.outcome == BGP_ACCEPT);
	check(v.has_reach != (reader_left(&v.announced) != 0));
	check(memcmp(v.has_reach ? &v.reach_next_hop : &v.next_hop, next_hop, sizeof(*next_hop)) == 0);
	check(!is_lossless(set, form) || same(v.set, set));
	got = v.has_reach ? v.reach : v.announced;
	check(check_list(got, family, false) == u.count);
	check(bgp_nlri_read(&got, family, false, &m, &why) == 1);
	return u.count;
}

static void all_again(const struct bgp_form *form, enum bgp_family family, struct reader set,
	const struct bgp_next_hop_value *next_hop, struct reader list)
{
	while (reader_left(&list))
		if (!again(form, family, set, next_hop, &list))
			return;
}

static void try(const uint8_t *data, size_t size, const struct bgp_form *form)
{
	struct bgp_update u = {.discarded = 77};
	struct bgp_error e = {0};
	int r = bgp_update_read(reader_of(data, size), form, first, sizeof(first), &u, &e);

	if (r) {
		check(r == -EPROTO && e.code == BGP_ERROR_UPDATE && e.subcode && e.reason[0] &&
			u.discarded == 77);
		return;
	}
	check_update(&u, form);
	if (u.outcome >= BGP_WITHDRAW)
		return;
	all_again(form, BGP_IPV4, u.set, &u.next_hop, u.announced);
	if (u.has_reach)
		all_again(form, u.reach_family, u.set, &u.reach_next_hop, u.reach);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > BGP_EXTENDED_MAX - BGP_HEADER)
		return 0;
	for (unsigned i = 0; i < 16; i++) {
		struct bgp_form form = {.as4 = i & 1,
			.external = i & 2,
			.extended_next_hop = i & 4 ? EVERY : 0,
			.families = i & 8 ? BGP_FAMILY_BIT(BGP_IPV6) : EVERY,
			.max_message = i & 8 ? BGP_MESSAGE_MAX : BGP_EXTENDED_MAX};

		try(data, size, &form);
	}
	return 0;
}
