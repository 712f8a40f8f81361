/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report/leases.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/report.h"

enum { COUNT_MAX = 4000000 };

/* ---- out ---- */

static json_t *hex(const void *data, size_t len)
{
	const uint8_t *bytes = data;
	char text[2 * LEASE_USER_MAX + 2] = "";

	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes[i]);
	return json_string(text);
}

static json_t *prefixes(const struct prefix *p, unsigned count)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < count; i++)
		json_array_append_new(array, report_prefix(&p[i]));
	return array;
}

/* What both forms have. */
static json_t *common(const struct lease *l)
{
	json_t *o = json_object();

	json_object_set_new(o, "user", report_text(l->user));
	json_object_set_new(o, "slot", json_integer(l->slot));
	json_object_set_new(o, "pool", json_string(l->pool));
	json_object_set_new(o, "link6", report_prefix(&l->link6));
	json_object_set_new(o, "delegated", prefixes(l->delegated, l->prefix_count));
	json_object_set_new(o, "address4", report_addr(&l->address4));
	json_object_set_new(o, "subnets", prefixes(l->subnets, l->subnet_count));
	json_object_set_new(o, "duid", l->duid_len ? hex(l->duid, l->duid_len) : json_null());
	json_object_set_new(o, "iaid", l->duid_len ? json_integer(l->iaid) : json_null());
	json_object_set_new(o, "granted_at", json_integer(l->granted_at));
	json_object_set_new(o, "used_at", json_integer(l->used_at));
	return o;
}

json_t *leases_show(const struct lease *l)
{
	json_t *o = common(l);

	json_object_set_new(o, "role", json_string("concentrator"));
	json_object_set_new(o, "active", json_boolean(l->active));
	return o;
}

static const struct {
	const char *name;
	uint8_t bit;
} parts[] = {
	{"link6", LEASE_FIXED_LINK},
	{"delegated", LEASE_FIXED_DELEGATED},
	{"address4", LEASE_FIXED_ADDRESS4},
	{"subnets", LEASE_FIXED_SUBNETS},
};

enum { FIXED_PARTS = sizeof(parts) / sizeof(parts[0]) };

json_t *leases_export(const struct lease *l)
{
	json_t *o = common(l), *fixed = json_array();

	for (unsigned i = 0; i < FIXED_PARTS; i++)
		if (l->fixed & parts[i].bit)
			json_array_append_new(fixed, json_string(parts[i].name));
	json_object_set_new(o, "fixed", fixed);
	if (!json_string_value(json_object_get(o, "user")) ||
		strcmp(json_string_value(json_object_get(o, "user")), l->user) != 0) {
		json_object_del(o, "user"); /* it is not UTF-8 */
		json_object_set_new(o, "user_hex", hex(l->user, strlen(l->user)));
	}
	json_object_set_new(o, "used_order", json_integer((json_int_t)l->used_order));
	return o;
}

json_t *leases_head(size_t count, int64_t now)
{
	return json_pack("{s:s, s:i, s:I, s:I}", "format", LEASES_FORMAT, "version", (int)LEASES_VERSION,
		"leases", (json_int_t)count, "exported_at", (json_int_t)now);
}

static json_int_t order_of(const json_t *line)
{
	return json_integer_value(json_object_get(line, "used_order"));
}

static int by_order(const void *a, const void *b)
{
	json_int_t x = order_of(*(json_t *const *)a), y = order_of(*(json_t *const *)b);

	return x < y ? -1 : x > y;
}

static json_t *sorted(json_t **lines, size_t count)
{
	json_t *array = json_array();

	qsort(lines, count, sizeof(json_t *), by_order);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, lines[i]);
	return array;
}

json_t *leases_export_all(const struct lease_store *s)
{
	size_t room = lease_count(s, NULL), count = 0;
	json_t **lines = calloc(room + 1, sizeof(json_t *)), *array;
	const struct lease *l;
	uint32_t cursor = 0;

	if (!lines)
		return NULL;
	while (count < room && (l = lease_next(s, &cursor)))
		lines[count++] = leases_export(l);
	array = sorted(lines, count);
	free(lines);
	return array;
}

/* ---- in ---- */

struct reading {
	const json_t *o;
	struct lease *l;
	const char *member; /* that is wrong */
	const char *want;
};

static bool wrong(struct reading *r, const char *member, const char *want)
{
	r->member = member;
	r->want = want;
	return false;
}

static bool read_text(struct reading *r, const char *member, char *ret, size_t size, const char *want)
{
	const json_t *value = json_object_get(r->o, member);
	const char *text = json_string_value(value);

	if (!text || json_string_length(value) != strlen(text) || strlen(text) >= size)
		return wrong(r, member, want);
	memcpy(ret, text, strlen(text) + 1);
	return true;
}

static bool read_integer(
	struct reading *r, const char *member, int64_t min, int64_t max, int64_t *ret, const char *want)
{
	const json_t *value = json_object_get(r->o, member);

	*ret = json_integer_value(value);
	return (json_is_integer(value) && *ret >= min && *ret <= max) || wrong(r, member, want);
}

/* Null is none. */
static bool read_prefix(
	struct reading *r, const char *member, const json_t *value, struct prefix *ret, const char *want)
{
	if (json_is_null(value))
		return true;
	return (json_is_string(value) && !prefix_parse(json_string_value(value), ret)) ||
	       wrong(r, member, want);
}

static bool read_prefixes(struct reading *r, const char *member, struct prefix *ret, unsigned max,
	unsigned *ret_count, const char *want)
{
	const json_t *array = json_object_get(r->o, member), *value;
	size_t i;

	if (!json_is_array(array) || json_array_size(array) > max)
		return wrong(r, member, want);
	json_array_foreach(array, i, value) if (json_is_null(value) ||
						!read_prefix(r, member, value, &ret[i], want)) return wrong(r,
		member, want);
	*ret_count = (unsigned)json_array_size(array);
	return true;
}

static int nibble(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static bool read_hex(
	struct reading *r, const char *member, void *ret, size_t max, size_t *ret_len, const char *want)
{
	const char *text = json_string_value(json_object_get(r->o, member));
	size_t len = text ? strlen(text) : 0;
	uint8_t *bytes = ret;

	if (!len || len % 2 || len / 2 > max)
		return wrong(r, member, want);
	for (size_t i = 0; i < len; i++) {
		int digit = nibble(text[i]);

		if (digit < 0)
			return wrong(r, member, want);
		bytes[i / 2] = (uint8_t)(bytes[i / 2] << 4 | digit);
	}
	*ret_len = len / 2;
	return true;
}

static bool read_user(struct reading *r)
{
	size_t len = 0;

	if (!json_object_get(r->o, "user_hex"))
		return read_text(r, "user", r->l->user, sizeof(r->l->user), "a text of 1 to 255 bytes");
	if (json_object_get(r->o, "user"))
		return wrong(r, "user_hex", "left out where there is a \"user\"");
	if (!read_hex(r, "user_hex", r->l->user, LEASE_USER_MAX, &len,
		    "up to 510 hexadecimal digits in lower case, an even number"))
		return false;
	return !memchr(r->l->user, 0, len) || wrong(r, "user_hex", "without zeros");
}

static bool read_duid(struct reading *r)
{
	int64_t iaid = 0;

	if (json_is_null(json_object_get(r->o, "duid")))
		return true;
	if (!read_hex(r, "duid", r->l->duid, LEASE_DUID_MAX, &r->l->duid_len,
		    "null, or up to 260 hexadecimal digits in lower case, an even number"))
		return false;
	if (!read_integer(r, "iaid", 0, UINT32_MAX, &iaid, "a number of 32 bits"))
		return false;
	r->l->iaid = (uint32_t)iaid;
	return true;
}

static bool read_fixed(struct reading *r)
{
	const char *want = "an array of \"link6\", \"delegated\", \"address4\" and \"subnets\"";
	const json_t *array = json_object_get(r->o, "fixed"), *value;
	size_t i;

	if (!json_is_array(array))
		return wrong(r, "fixed", want);
	json_array_foreach(array, i, value)
	{
		unsigned n = 0;

		while (n < FIXED_PARTS &&
			(!json_is_string(value) || strcmp(json_string_value(value), parts[n].name) != 0))
			n++;
		if (n == FIXED_PARTS)
			return wrong(r, "fixed", want);
		r->l->fixed |= parts[n].bit;
	}
	return true;
}

static bool read_address4(struct reading *r)
{
	const json_t *value = json_object_get(r->o, "address4");

	if (json_is_null(value))
		return true;
	return (json_is_string(value) && !addr_parse(json_string_value(value), &r->l->address4) &&
		       r->l->address4.family == AF_INET) ||
	       wrong(r, "address4", "null, or an IPv4 address");
}

static bool read_times(struct reading *r)
{
	const char *want = "seconds since 1970";
	int64_t order = 0;

	if (!read_integer(r, "granted_at", INT64_MIN, INT64_MAX, &r->l->granted_at, want) ||
		!read_integer(r, "used_at", INT64_MIN, INT64_MAX, &r->l->used_at, want) ||
		!read_integer(r, "used_order", 0, INT64_MAX / 2, &order, "a number that is not negative"))
		return false;
	r->l->used_order = (uint64_t)order;
	return true;
}

static bool knows_members(struct reading *r)
{
	static const char *const known[] = {"user", "user_hex", "slot", "pool", "link6", "delegated",
		"address4", "subnets", "fixed", "duid", "iaid", "granted_at", "used_at", "used_order"};
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)r->o, name, value)
	{
		unsigned n = 0;

		while (n < sizeof(known) / sizeof(known[0]) && strcmp(known[n], name) != 0)
			n++;
		if (n == sizeof(known) / sizeof(known[0]))
			return wrong(r, name, "left out: it means nothing");
	}
	return true;
}

static bool read_all(struct reading *r)
{
	struct lease *l = r->l;
	int64_t slot = 0;

	if (!knows_members(r) || !read_user(r) ||
		!read_integer(r, "slot", 0, UINT16_MAX, &slot, "a number from 0 to 65535") ||
		!read_text(r, "pool", l->pool, sizeof(l->pool), "a text of at most 63 bytes") ||
		!read_prefix(
			r, "link6", json_object_get(r->o, "link6"), &l->link6, "null, or an IPv6 prefix") ||
		!read_prefixes(r, "delegated", l->delegated, LEASE_PREFIXES, &l->prefix_count,
			"an array of at most 4 IPv6 prefixes") ||
		!read_prefixes(r, "subnets", l->subnets, LEASE_SUBNETS, &l->subnet_count,
			"an array of at most 2 IPv4 prefixes"))
		return false;
	l->slot = (uint16_t)slot;
	return read_address4(r) && read_fixed(r) && read_duid(r) && read_times(r);
}

int leases_read(const json_t *line, struct lease *ret, char why[256])
{
	struct lease l = {0};
	struct reading r = {.o = line, .l = &l};

	if (!json_is_object(line)) {
		snprintf(why, 256, "it is not a JSON object");
		return -EINVAL;
	}
	if (!read_all(&r)) {
		snprintf(why, 256, "\"%.60s\" must be %.120s", r.member, r.want);
		return -EINVAL;
	}
	*ret = l;
	return 0;
}

int leases_read_head(const json_t *head, size_t *ret_count, char why[256])
{
	const char *format = json_string_value(json_object_get(head, "format"));
	const json_t *version = json_object_get(head, "version"), *count = json_object_get(head, "leases");

	if (!format || strcmp(format, LEASES_FORMAT) != 0)
		snprintf(why, 256,
			"it is no export of leases: its first line must have \"format\":\"" LEASES_FORMAT
			"\"");
	else if (!json_is_integer(version) || json_integer_value(version) != LEASES_VERSION)
		snprintf(why, 256, "its format has version %lld, and this program knows version %d",
			(long long)json_integer_value(version), LEASES_VERSION);
	else if (!json_is_integer(count) || json_integer_value(count) < 0 ||
		 json_integer_value(count) > COUNT_MAX)
		snprintf(why, 256, "\"leases\" must be how many lines follow, 0 to %d", COUNT_MAX);
	else {
		*ret_count = (size_t)json_integer_value(count);
		return 0;
	}
	return -EINVAL;
}

/* ---- answers ---- */

static json_t *texts(const char *const *sentences, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(array, report_text(sentences[i]));
	return array;
}

json_t *leases_imported(int result, const struct lease_import_result *r, const char *const *sentences,
	size_t count, const char *why)
{
	json_t *say = texts(sentences, count);

	if (result)
		return json_pack("{s:b, s:s, s:o}", "ok", 0, "error", why, "errors", say);
	return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:o}", "ok", 1, "added", (json_int_t)r->added,
		"replaced", (json_int_t)r->replaced, "same", (json_int_t)r->same, "left_out",
		(json_int_t)r->left_out, "lost", (json_int_t)r->lost, "say", say);
}

json_t *leases_checked(const struct lease_findings *found)
{
	return json_pack("{s:b, s:o, s:o}", "ok", 1, "problems", texts(found->problems, found->problem_count),
		"notes", texts(found->notes, found->note_count));
}

int leases_read_rule(const char *word, enum lease_import_rule *ret)
{
	static const char *const words[] = {[LEASE_IMPORT_STRICT] = "strict",
		[LEASE_IMPORT_MERGE] = "merge",
		[LEASE_IMPORT_FORCE] = "force"};

	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i], word)) {
			*ret = (enum lease_import_rule)i;
			return 0;
		}
	return -EINVAL;
}
