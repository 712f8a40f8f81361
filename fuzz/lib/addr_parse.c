/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * addr_parse: any text as address, prefix and endpoint. What is accepted prints to a text that parses to the same value; what
 * is refused leaves the output alone.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void try_addr(const char *text)
{
	struct addr a = {.family = 99}, back;
	char printed[ADDR_TEXT];

	if (addr_parse(text, &a)) {
		require(a.family == 99);
		return;
	}
	require(addr_bits(a.family) == 32 || addr_bits(a.family) == 128);
	require(!addr_parse(addr_print(&a, printed), &back) && addr_equal(&a, &back));
	require(!memcmp(&a, &back, sizeof(a))); /* unused bytes too */
	require(addr_compare(&a, &back) == 0 && addr_common_bits(&a, &back) == addr_bits(a.family));
}

static void try_prefix(const char *text)
{
	struct prefix p = {.len = 222}, back, first;
	char printed[PREFIX_TEXT];
	uint64_t index, count;

	if (prefix_parse(text, &p)) {
		require(p.len == 222);
		return;
	}
	require(p.len <= addr_bits(p.addr.family) && prefix_contains_addr(&p, &p.addr));
	require(!prefix_parse(prefix_print(&p, printed), &back) && prefix_equal(&p, &back));
	back = prefix_of(&p.addr, p.len);
	require(prefix_equal(&p, &back));
	for (unsigned len = p.len; len <= addr_bits(p.addr.family); len++) {
		count = prefix_count(&p, len);
		require(count && !prefix_nth(&p, len, count - 1, &first) && prefix_contains(&p, &first));
		require(!prefix_index(&p, &first, &index) && index == count - 1);
	}
}

static void try_endpoint(const char *text)
{
	struct endpoint e = {.port = 12345}, back;
	struct sockaddr_storage ss;
	char printed[ENDPOINT_TEXT];

	if (endpoint_parse(text, 1701, &e)) {
		require(e.port == 12345 && addr_is_none(&e.addr));
		return;
	}
	require(!endpoint_parse(endpoint_print(&e, printed), 1, &back) && endpoint_equal(&e, &back));
	require(endpoint_to_sockaddr(&e, &ss) > 0);
	require(!endpoint_from_sockaddr((struct sockaddr *)&ss, &back) && back.port == e.port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	try_addr(text);
	try_prefix(text);
	try_endpoint(text);
	free(text);
	return 0;
}
