/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Communities of all kinds: rows of values of one width: RFC 1997 (4 octets), RFC 4360 (8), RFC 8092 (12), RFC 5701 (20). Each is a set, so in the canonical form
 * they are sorted and there once. And CLUSTER_LIST, which is a list.
 */
#include <string.h>

#include "bgp/attributes.h"

enum { VALUE_MAX = 20 };

static void swap(uint8_t *a, uint8_t *b, size_t width)
{
	uint8_t t[VALUE_MAX];

	memcpy(t, a, width);
	memcpy(a, b, width);
	memcpy(b, t, width);
}

static void sift(uint8_t *data, size_t count, size_t at, size_t width)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= count)
			return;
		if (child + 1 < count && memcmp(data + child * width, data + (child + 1) * width, width) < 0)
			child++;
		if (memcmp(data + at * width, data + child * width, width) >= 0)
			return;
		swap(data + at * width, data + child * width, width);
		at = child;
	}
}

/* A heap sort: in place, and no order that a peer chooses makes it slow. */
static void sort(uint8_t *data, size_t count, size_t width)
{
	for (size_t i = count / 2; i-- > 0;)
		sift(data, count, i, width);
	for (size_t n = count; n > 1;) {
		n--;
		swap(data, data + n * width, width);
		sift(data, n, 0, width);
	}
}

static bool is_canonical(const uint8_t *data, size_t len, size_t width)
{
	for (size_t i = width; i < len; i += width)
		if (memcmp(data + i - width, data + i, width) >= 0)
			return false;
	return true;
}

size_t bgp_values_canonical(uint8_t *data, size_t len, size_t width)
{
	size_t out = width;

	if (is_canonical(data, len, width))
		return len;
	sort(data, len / width, width);
	for (size_t i = width; i < len; i += width)
		if (memcmp(data + out - width, data + i, width) != 0) {
			memmove(data + out, data + i, width);
			out += width;
		}
	return out;
}

size_t bgp_values_remove(uint8_t *data, size_t len, const void *value, size_t width)
{
	size_t out = 0;

	for (size_t i = 0; i < len; i += width)
		if (memcmp(data + i, value, width) != 0) {
			if (out != i)
				memcpy(data + out, data + i, width);
			out += width;
		}
	return out;
}

bool bgp_values_has(struct reader values, const void *value, size_t width)
{
	while (reader_left(&values) >= width)
		if (memcmp(reader_bytes(&values, width), value, width) == 0)
			return true;
	return false;
}

static bool set_has(struct reader set, enum bgp_attribute_type type, const struct writer *value)
{
	struct bgp_attribute a;

	return bgp_attribute_find(set, type, &a) && bgp_values_has(a.value, value->start, writer_len(value));
}

bool bgp_cluster_list_has(struct reader set, uint32_t cluster_id)
{
	uint8_t buf[4];
	struct writer w = writer_of(buf, sizeof(buf));

	writer_u32(&w, cluster_id);
	return set_has(set, BGP_CLUSTER_LIST, &w);
}

bool bgp_community_has(struct reader set, uint32_t community)
{
	uint8_t buf[4];
	struct writer w = writer_of(buf, sizeof(buf));

	writer_u32(&w, community);
	return set_has(set, BGP_COMMUNITIES, &w);
}

bool bgp_extended_community_has(struct reader set, uint64_t community)
{
	uint8_t buf[8];
	struct writer w = writer_of(buf, sizeof(buf));

	writer_u64(&w, community);
	return set_has(set, BGP_EXTENDED_COMMUNITIES, &w);
}

bool bgp_large_community_has(struct reader set, uint32_t global, uint32_t local1, uint32_t local2)
{
	uint8_t buf[12];
	struct writer w = writer_of(buf, sizeof(buf));

	writer_u32(&w, global);
	writer_u32(&w, local1);
	writer_u32(&w, local2);
	return set_has(set, BGP_LARGE_COMMUNITIES, &w);
}
