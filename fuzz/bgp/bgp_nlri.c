/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A list of prefixes of every family: what bgp_nlri_fault() finds no fault with can be read, and is the same when it is written; the rest cannot. */
#include <errno.h>
#include <stdint.h>

#include "bgp/attributes.h"
#include "promises.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_one(const struct bgp_nlri *n, enum bgp_family family, bool withdrawn)
{
	uint8_t buf[32];
	struct writer w = writer_of(buf, sizeof(buf));
	struct bgp_nlri m;
	struct reader r;
	const char *why;

	bgp_nlri_write(&w, family, withdrawn, n);
	check(writer_ok(&w) && writer_len(&w) == bgp_nlri_size(family, n) &&
		writer_len(&w) <= bgp_nlri_max(family));
	r = reader_of(buf, writer_len(&w));
	check(bgp_nlri_read(&r, family, withdrawn, &m, &why) == 1 && !reader_left(&r));
	check(memcmp(&m.prefix, &n->prefix, sizeof(m.prefix)) == 0 && m.label == n->label);
}

static void try(const uint8_t *data, size_t size, enum bgp_family family, bool withdrawn)
{
	struct reader list = reader_of(data, size);
	const char *fault = bgp_nlri_fault(list, family), *why = NULL;
	struct bgp_nlri n;
	int r;

	while ((r = bgp_nlri_read(&list, family, withdrawn, &n, &why)) == 1)
		try_one(&n, family, withdrawn);
	check(fault ? r == -EPROTO && strcmp(fault, why) == 0 : r == 0 && !why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (unsigned f = 0; f < BGP_FAMILIES; f++) {
		try(data, size, (enum bgp_family)f, false);
		try(data, size, (enum bgp_family)f, true);
	}
	return 0;
}
