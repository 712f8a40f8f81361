/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Endpoints and paths of the process before, as records in the state: they are refused, or all of it could have been so, and is written as it was read. */
#include <stdlib.h>
#include <string.h>

#include "afbr/adopt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                     \
	do {                                                                                                 \
		if (!(condition))                                                                            \
			abort();                                                                             \
	} while (0)

static void read_endpoint(const uint8_t *data, size_t size)
{
	struct adopt_endpoint e, again;
	uint8_t bytes[ADOPT_RECORD];
	struct writer w = writer_of(bytes, sizeof(bytes));
	const struct endpoint_key *k = &e.key;
	const struct addr us = {.family = AF_INET6};

	if (adopt_endpoint_read(reader_of(data, size), &e))
		return;
	CHECK(mesh_encapsulation_valid(&k->how) && k->hop_limit && k->address.family);
	CHECK(strlen(e.why) < sizeof(e.why) && k->outer_dscp < MESH_DSCPS && e.state != ENDPOINT_PEER_DOWN);
	adopt_endpoint_write(&w, &e);
	CHECK(writer_ok(&w) && !adopt_endpoint_read(reader_of(bytes, writer_len(&w)), &again));
	CHECK(addr_equal(&again.key.address, &k->address) && addr_equal(&again.key.outer, &k->outer));
	CHECK(mesh_encapsulation_equal(&again.key.how, &k->how) && !strcmp(again.why, e.why));
	CHECK(again.state == e.state && again.path_mtu == e.path_mtu);
	/* And packets can be packed like that, or are told apart as those that cannot. */
	if (k->address.family == AF_INET6) {
		const struct mesh_level levels[] = {
			{us, k->address, k->how, k->hop_limit}, {us, k->outer, k->outer_how, k->hop_limit}};
		struct mesh_template t;

		(void)mesh_template_make(&t, levels, addr_is_none(&k->outer) ? 1 : 2);
	}
}

static void read_path(const uint8_t *data, size_t size)
{
	struct adopt_path p, again;
	uint8_t bytes[ADOPT_RECORD];
	struct writer w = writer_of(bytes, sizeof(bytes));

	if (adopt_path_read(reader_of(data, size), &p))
		return;
	adopt_path_write(&w, &p);
	CHECK(writer_ok(&w) && !adopt_path_read(reader_of(bytes, writer_len(&w)), &again));
	CHECK(!memcmp(&p, &again, sizeof(p)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_endpoint(data, size);
	read_path(data, size);
	return 0;
}
