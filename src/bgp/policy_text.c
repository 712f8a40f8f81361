/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prefixes with lengths, and patterns of AS paths, as people write them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bgp/policy.h"

/* A decimal number at *TEXT, up to MAX; *text is behind it then. */
static bool parse_number(const char **text, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;
	const char *p = *text;

	for (; *p >= '0' && *p <= '9'; p++) {
		v = v * 10 + (uint64_t)(*p - '0');
		if (v > max)
			return false;
	}
	if (p == *text)
		return false;
	*text = p;
	*ret = v;
	return true;
}

/* "+", "{24}", "{23,24}" or nothing. */
static bool parse_lengths(const char *text, struct policy_prefix *p)
{
	unsigned bits = addr_bits(p->prefix.addr.family);
	uint64_t min, max;

	p->min = p->max = p->prefix.len;
	if (!*text)
		return true;
	if (!strcmp(text, "+")) {
		p->max = (uint8_t)bits;
		return true;
	}
	if (*text++ != '{' || !parse_number(&text, bits, &min))
		return false;
	max = min;
	if (*text == ',') {
		text++;
		if (!parse_number(&text, bits, &max))
			return false;
	}
	if (strcmp(text, "}") != 0 || min < p->prefix.len || max < min)
		return false;
	p->min = (uint8_t)min;
	p->max = (uint8_t)max;
	return true;
}

int policy_prefix_parse(const char *text, struct policy_prefix *ret)
{
	size_t n = strcspn(text, "+{");
	struct policy_prefix p = {.min = 0};
	char head[PREFIX_TEXT];

	if (n >= sizeof(head))
		return -EINVAL;
	memcpy(head, text, n);
	head[n] = 0;
	if (prefix_parse(head, &p.prefix) || !parse_lengths(text + n, &p))
		return -EINVAL;
	*ret = p;
	return 0;
}

const char *policy_prefix_print(const struct policy_prefix *p, char buf[PREFIX_TEXT + 10])
{
	char head[PREFIX_TEXT];
	unsigned len = p->prefix.len, bits = addr_bits(p->prefix.addr.family);

	prefix_print(&p->prefix, head);
	if (p->min == len && p->max == len)
		snprintf(buf, PREFIX_TEXT + 10, "%s", head);
	else if (p->min == len && p->max == bits)
		snprintf(buf, PREFIX_TEXT + 10, "%s+", head);
	else
		snprintf(buf, PREFIX_TEXT + 10, "%s{%u,%u}", head, p->min, p->max);
	return buf;
}

int policy_as_parse(const char *text, struct policy_as *ret)
{
	struct policy_as a = {0};
	uint64_t as = 0;
	bool empty;

	if (*text == '^') {
		a.first = true;
		text++;
	}
	empty = a.first && !strcmp(text, "$");
	if (!empty && (!parse_number(&text, UINT32_MAX, &as) || !as))
		return -EINVAL;
	a.as = (uint32_t)as;
	if (*text == '$') {
		a.last = true;
		text++;
	}
	if (*text)
		return -EINVAL;
	*ret = a;
	return 0;
}

const char *policy_as_print(const struct policy_as *a, char buf[16])
{
	char number[12] = "";

	if (a->as)
		snprintf(number, sizeof(number), "%u", a->as);
	snprintf(buf, 16, "%s%s%s", a->first ? "^" : "", number, a->last ? "$" : "");
	return buf;
}
