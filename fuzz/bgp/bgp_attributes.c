/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One attribute (flags, type, value) among sound ones of the other types, with a route, in every form of a session. It is kept, left out, withdraws the route, or
 * ends the session: that only where it may have been what routes stand in, or is said to be well-known and is not. Without the route, what
 * would withdraw it ends the session.
 */
#include <errno.h>
#include <stdint.h>

#include "promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EVERY = (1 << BGP_FAMILIES) - 1, VALUE_MAX = 4096 };

static uint8_t scratch[BGP_SET_MAX], body[VALUE_MAX + 64];

static struct reader compose(uint8_t flags, uint8_t type, struct reader value, bool as4, bool route)
{
	static const uint8_t origin[] = {0x40, 1, 1, 0}, path4[] = {0x40, 2, 6, 2, 1, 0, 0, 0xfd, 0xe8},
			     path2[] = {0x40, 2, 4, 2, 1, 0xfd, 0xe8}, hop[] = {0x40, 3, 4, 192, 0, 2, 1},
			     prefix[] = {8, 10};
	struct writer w = writer_of(body, sizeof(body));
	size_t at;

	writer_u16(&w, 0);
	at = writer_begin16(&w);
	if (type != BGP_ORIGIN)
		writer_bytes(&w, origin, sizeof(origin));
	if (type != BGP_AS_PATH)
		writer_bytes(&w, as4 ? path4 : path2, as4 ? sizeof(path4) : sizeof(path2));
	if (type != BGP_NEXT_HOP)
		writer_bytes(&w, hop, sizeof(hop));
	writer_u8(&w, flags | BGP_FLAG_EXTENDED);
	writer_u8(&w, type);
	writer_u16(&w, (uint16_t)reader_left(&value));
	writer_bytes(&w, value.pos, reader_left(&value));
	writer_end16(&w, at, 0);
	if (route)
		writer_bytes(&w, prefix, sizeof(prefix));
	check(writer_ok(&w));
	return reader_of(body, writer_len(&w));
}

static void try(uint8_t flags, uint8_t type, struct reader value, const struct bgp_form *form)
{
	bool known = bgp_attribute_name(type), routes = type == BGP_MP_REACH || type == BGP_MP_UNREACH;
	struct bgp_update u, v;
	struct bgp_error e;
	int r = bgp_update_read(
		compose(flags, type, value, form->as4, true), form, scratch, sizeof(scratch), &u, &e);

	if (r) {
		check(routes || (!known && !(flags & BGP_FLAG_OPTIONAL)));
		check(e.code == BGP_ERROR_UPDATE && e.reason[0]);
		return;
	}
	check_update(&u, form);
	check(u.outcome == BGP_ACCEPT || u.bad_attribute == type);
	if (!routes && type != BGP_NEXT_HOP) {
		r = bgp_update_read(compose(flags, type, value, form->as4, false), form, scratch,
			sizeof(scratch), &v, &e);
		check((r != 0) == (u.outcome == BGP_WITHDRAW));
		check(!r == !strcmp(r ? "" : u.reason, r ? "x" : v.reason));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader value = reader_of(data, size);
	uint8_t flags = reader_u8(&value), type = reader_u8(&value);

	if (!reader_ok(&value) || size > VALUE_MAX)
		return 0;
	for (unsigned i = 0; i < 8; i++) {
		struct bgp_form form = {.as4 = i & 1,
			.external = i & 2,
			.extended_next_hop = i & 4 ? EVERY : 0,
			.families = EVERY,
			.max_message = BGP_EXTENDED_MAX};

		try(flags, type, value, &form);
	}
	return 0;
}
