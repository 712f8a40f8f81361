/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the process before has told others, and who may send, as records in the state: they are refused, or all of it could have been so, and is written as it was read. */
#include <stdlib.h>
#include <string.h>

#include "afbr/accept.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)                                                                                     \
	do {                                                                                                 \
		if (!(condition))                                                                            \
			abort();                                                                             \
	} while (0)

enum { NOW = 1000000 };

static void check_list(const struct accept_list *l)
{
	bool old = false;

	CHECK(l->count <= MESH_ACCEPTS && l->made <= NOW);
	for (unsigned i = 0; i < l->count; i++) {
		const struct accept_item *x = &l->items[i];

		CHECK(mesh_encapsulation_valid(&x->how) && !x->row);
		CHECK(x->old ? x->until <= NOW + (msec)UINT32_MAX : !x->until && !old);
		old = x->old;
		for (unsigned j = 0; j < i; j++)
			CHECK(!accept_is_same_place(&x->how, &l->items[j].how));
	}
}

static void read_list(const uint8_t *data, size_t size)
{
	static struct accept_list list, again;
	uint8_t bytes[ACCEPT_RECORD];
	struct writer w = writer_of(bytes, sizeof(bytes));
	const char *why = NULL;

	memset(&list, 0xa5, sizeof(list));
	if (accept_record_read(reader_of(data, size), NOW, &list, &why)) {
		CHECK(why && list.count == 0xa5a5a5a5);
		return;
	}
	check_list(&list);
	accept_record_write(&w, &list);
	CHECK(writer_ok(&w) && !accept_record_read(reader_of(bytes, writer_len(&w)), NOW, &again, &why));
	CHECK(again.count == list.count && again.made == list.made);
	for (unsigned i = 0; i < list.count; i++)
		CHECK(mesh_encapsulation_equal(&again.items[i].how, &list.items[i].how));
}

static void read_transmitters(const uint8_t *data, size_t size)
{
	static struct transmitter_record record, again;
	uint8_t bytes[TRANSMITTER_RECORD];
	struct writer w = writer_of(bytes, sizeof(bytes));

	if (transmitter_record_read(reader_of(data, size), &record))
		return;
	CHECK(record.count <= TRANSMITTERS_IN_RECORD);
	transmitter_record_write(&w, &record);
	CHECK(writer_ok(&w) && !transmitter_record_read(reader_of(bytes, writer_len(&w)), &again));
	CHECK(again.count == record.count);
	for (unsigned i = 0; i < record.count; i++)
		CHECK(addr_size(record.addresses[i].family) &&
			addr_equal(&again.addresses[i], &record.addresses[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_list(data, size);
	read_transmitters(data, size);
	return 0;
}
