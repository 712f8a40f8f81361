/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From settings of the parsed file to fields of structs, as the rows of keys.c say. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/keys.h"

enum { KEYS_MAX = 64 };

/* ---- what would be right ---- */

static void expect_words(struct expectation *e, const char *const *words)
{
	size_t n = 0;

	for (unsigned i = 0; words[i] && n < sizeof(e->text); i++)
		n += (size_t)snprintf(e->text + n, sizeof(e->text) - n, "%s\"%s\"",
			!i             ? ""
			: words[i + 1] ? ", "
				       : " or ",
			words[i]);
}

static void expect_seconds(struct expectation *e, const struct config_key *k)
{
	snprintf(e->text, sizeof(e->text), "a number of seconds, %.10g to %.10g", (double)k->min / 1000,
		(double)k->max / 1000);
}

struct expectation config_expectation(const struct config_key *k)
{
	static const char *const fixed[] = {
		[TYPE_BOOL] = "true or false",
		[TYPE_PATH] = "a whole path, beginning with /",
		[TYPE_NAME] = "the name of a network interface",
		[TYPE_SERVER] = "a name or an address, with :PORT or without",
		[TYPE_ADDR] = "an address",
		[TYPE_ADDR4] = "an IPv4 address",
		[TYPE_ADDR6] = "an IPv6 address",
		[TYPE_ENDPOINT] = "an address, with :PORT or without",
		[TYPE_PREFIX4] = "an IPv4 prefix like 198.51.100.0/24",
		[TYPE_PREFIX6] = "an IPv6 prefix like 2001:db8::/48",
		[TYPE_HOST] = "a DNS name",
		[TYPE_GROUP] = "a group { ... }",
		[TYPE_NAMED] = "a group of groups { NAME = { ... }; ... }",
		[TYPE_ROWS] = "a list of groups ( { ... }, ... )",
		[TYPE_TABLES] = "a group of lists { NAME = ( { ... }, ... ); ... }",
		[TYPE_ABSENT] = "left out",
	};
	struct expectation e = {""};

	if (k->words)
		expect_words(&e, k->words);
	else if (k->syntax)
		snprintf(e.text, sizeof(e.text), "%s", k->syntax->expectation);
	else if (k->type == TYPE_UINT)
		snprintf(e.text, sizeof(e.text), "a whole number, %lld to %lld", (long long)k->min,
			(long long)k->max);
	else if (k->type == TYPE_SECONDS)
		expect_seconds(&e, k);
	else if (k->type == TYPE_TEXT)
		snprintf(e.text, sizeof(e.text), "a text of 1 to %u characters", k->size - 1);
	else
		snprintf(e.text, sizeof(e.text), "%s", fixed[k->type]);
	return e;
}

/* ---- one value ---- */

static void store_uint(const struct config_key *k, void *dst, uint64_t v)
{
	uint8_t v8 = (uint8_t)v;
	uint16_t v16 = (uint16_t)v;
	uint32_t v32 = (uint32_t)v;

	switch (k->size) {
	case 1:
		memcpy(dst, &v8, 1);
		break;
	case 2:
		memcpy(dst, &v16, 2);
		break;
	case 4:
		memcpy(dst, &v32, 4);
		break;
	default:
		memcpy(dst, &v, 8);
	}
}

static bool store_text(const struct config_key *k, void *dst, const char *text)
{
	size_t n = strlen(text);

	if (!n || n >= k->size)
		return false;
	memset(dst, 0, k->size);
	memcpy(dst, text, n);
	return true;
}

static int word_index(const char *const *words, const char *text)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(words[i], text))
			return i;
	return -1;
}

/* As dev_valid_name() of the kernel, less what this daemon's own names and paths could trip over. */
static bool interface_ok(const char *text)
{
	if (!*text || !strcmp(text, ".") || !strcmp(text, "..") || strlen(text) > 15)
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("-_.@+", *text))
			return false;
	return true;
}

static bool port_ok(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n && n <= 5 && !text[n] && atoi(text) > 0 && atoi(text) <= 65535;
}

/* NAME, ADDRESS, NAME:PORT, [ADDRESS]:PORT */
static bool server_ok(const char *text)
{
	struct endpoint e;
	size_t n = 0;

	if (!endpoint_parse(text, L2TP_PORT, &e))
		return e.port && !addr_is_unspecified(&e.addr) && !addr_is_multicast(&e.addr);
	while (isalnum((unsigned char)text[n]) || (text[n] && strchr("-_.", text[n])))
		n++;
	/* Four numbers and dots were meant as an address, not as a name. */
	return n && n < 254 && text[0] != '-' && text[0] != '.' && strspn(text, "0123456789.") != n &&
	       (!text[n] || (text[n] == ':' && port_ok(text + n + 1)));
}

static bool unicast(const struct addr *a)
{
	return !addr_is_unspecified(a) && !addr_is_multicast(a) &&
	       !(a->family == AF_INET && a->bytes[0] >= 224);
}

static bool store_addr(const struct config_key *k, void *dst, const char *text)
{
	struct addr a;

	if (addr_parse(text, &a) || (k->type == TYPE_ADDR4 && a.family != AF_INET) ||
		(k->type == TYPE_ADDR6 && a.family != AF_INET6))
		return false;
	if (!unicast(&a) || addr_is_loopback(&a) || addr_is_link_local(&a))
		return false;
	memcpy(dst, &a, sizeof(a));
	return true;
}

static bool store_endpoint(void *dst, const char *text)
{
	struct endpoint e;

	if (endpoint_parse(text, L2TP_PORT, &e) || !e.port || !unicast(&e.addr))
		return false;
	memcpy(dst, &e, sizeof(e));
	return true;
}

static bool host_ok(const char *text)
{
	size_t n = 0;

	while (isalnum((unsigned char)text[n]) || (text[n] && strchr("-_.", text[n])))
		n++;
	return n && n < 254 && !text[n] && text[0] != '-' && text[0] != '.';
}

/* False and *hint where a slip is easy to see. */
static bool store_prefix(uint8_t family, void *dst, const char *text, char hint[PREFIX_TEXT])
{
	const char *slash = strchr(text, '/');
	char head[ADDR_TEXT];
	struct prefix p;
	struct addr a;

	if (!prefix_parse(text, &p)) {
		if (p.addr.family != family)
			return false;
		memcpy(dst, &p, sizeof(p));
		return true;
	}
	if (!slash || (size_t)(slash - text) >= sizeof(head) || !isdigit((unsigned char)slash[1]) ||
		strlen(slash + 1) > 3)
		return false;
	snprintf(head, sizeof(head), "%.*s", (int)(slash - text), text);
	if (addr_parse(head, &a) || a.family != family || (unsigned)atoi(slash + 1) > addr_bits(family))
		return false;
	p = prefix_of(&a, (unsigned)atoi(slash + 1));
	prefix_print(&p, hint);
	return false;
}

static bool wrong(struct problems *r, const struct config_key *k, const config_setting_t *s, const char *is)
{
	problem_at(r, true, s, "`%s` is %s: it must be %s", k->name, is, config_expectation(k).text);
	return false;
}

static bool read_number(struct problems *r, const struct config_key *k, const config_setting_t *s, void *dst)
{
	int type = config_setting_type(s);
	double scale = k->type == TYPE_SECONDS ? 1000 : 1, v;
	char text[64];

	if (type == CONFIG_TYPE_FLOAT)
		v = config_setting_get_float(s);
	else
		v = (double)config_setting_get_int64(s);
	snprintf(text, sizeof(text), "%.15g", v);
	if ((type == CONFIG_TYPE_FLOAT && k->type == TYPE_UINT) ||
		!(v * scale >= (double)k->min && v * scale <= (double)k->max))
		return wrong(r, k, s, text);
	store_uint(k, dst, (uint64_t)(v * scale + 0.5));
	return true;
}

static bool read_text(struct problems *r, const struct config_key *k, const config_setting_t *s, void *dst)
{
	const char *text = config_setting_get_string(s);
	char hint[PREFIX_TEXT] = "", is[160];
	bool ok = false;
	int word;

	switch (k->type) {
	case TYPE_WORD:
		word = word_index(k->words, text);
		if (word >= 0)
			store_uint(k, dst, (uint64_t)word);
		ok = word >= 0;
		break;
	case TYPE_PARSED:
		memset(dst, 0, k->size);
		ok = k->syntax->parse(text, dst);
		break;
	case TYPE_TEXT:
		ok = (!k->words || word_index(k->words, text) >= 0) && store_text(k, dst, text);
		break;
	case TYPE_PATH:
		ok = text[0] == '/' && store_text(k, dst, text);
		break;
	case TYPE_NAME:
		ok = interface_ok(text) && store_text(k, dst, text);
		break;
	case TYPE_SERVER:
		ok = server_ok(text) && store_text(k, dst, text);
		break;
	case TYPE_ENDPOINT:
		ok = store_endpoint(dst, text);
		break;
	case TYPE_HOST:
		ok = host_ok(text) && store_text(k, dst, text);
		break;
	case TYPE_PREFIX4:
	case TYPE_PREFIX6:
		ok = store_prefix(k->type == TYPE_PREFIX4 ? AF_INET : AF_INET6, dst, text, hint);
		break;
	default:
		ok = store_addr(k, dst, text);
	}
	if (ok)
		return true;
	if (*hint) {
		problem_at(r, true, s,
			"`%s` is \"%s\", which has bits set behind its length: it must be \"%s\", or longer",
			k->name, quoted(text).text, hint);
		return false;
	}
	if (k->type == TYPE_PATH && text[0] == '/')
		snprintf(is, sizeof(is), "longer than %u characters", k->size - 1);
	else
		snprintf(is, sizeof(is), "\"%s\"", quoted(text).text);
	return wrong(r, k, s, is);
}

/* A number without quotes where names and numbers mix. */
static bool read_parsed_number(
	struct problems *r, const struct config_key *k, const config_setting_t *s, void *dst)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)config_setting_get_int64(s));
	memset(dst, 0, k->size);
	return k->syntax->parse(text, dst) || wrong(r, k, s, text);
}

/* TYPE_UINT and TYPE_SECONDS take numbers, TYPE_BOOL booleans, all others text. */
static bool read_value(struct problems *r, const struct config_key *k, const config_setting_t *s, void *dst)
{
	int type = config_setting_type(s);
	bool number = type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64 || type == CONFIG_TYPE_FLOAT;
	uint8_t flag;

	switch (k->type) {
	case TYPE_UINT:
	case TYPE_SECONDS:
		if (number)
			return read_number(r, k, s, dst);
		break;
	case TYPE_BOOL:
		if (type == CONFIG_TYPE_BOOL) {
			flag = config_setting_get_bool(s) != 0;
			memcpy(dst, &flag, 1);
			return true;
		}
		break;
	default:
		if (type == CONFIG_TYPE_STRING)
			return read_text(r, k, s, dst);
		if (number && type != CONFIG_TYPE_FLOAT && k->syntax && k->syntax->numbers)
			return read_parsed_number(r, k, s, dst);
	}
	return wrong(r, k, s,
		type == CONFIG_TYPE_STRING  ? "a text in quotes"
		: type == CONFIG_TYPE_BOOL  ? "true or false"
		: number                    ? "a number"
		: type == CONFIG_TYPE_GROUP ? "a group"
					    : "a list");
}

/* ---- lists, groups, sections ---- */

static bool stands_before(const char *list, unsigned count, uint32_t size, const char *value)
{
	for (unsigned i = 0; i < count; i++)
		if (!memcmp(list + (size_t)i * size, value, size))
			return true;
	return false;
}

/* S as it stands in the file. */
static struct quoted written(const config_setting_t *s)
{
	const char *text = config_setting_get_string(s);
	char number[32];

	snprintf(number, sizeof(number), "%lld", (long long)config_setting_get_int64(s));
	return quoted(text ? text : number);
}

static bool is_list(const config_setting_t *s)
{
	int type = config_setting_type(s);

	return type == CONFIG_TYPE_ARRAY || type == CONFIG_TYPE_LIST;
}

/* One of at most count_max values, of LENGTH that were written. False: there is no room. */
static bool read_element(struct problems *r, const struct config_key *k, const config_setting_t *s,
	int length, char *list, unsigned *n)
{
	if (*n == k->count_max) {
		problem_at(r, true, s, "`%s` has %d values: it must have at most %u", k->name, length,
			k->count_max);
		return false;
	}
	if (!read_value(r, k, s, list + (size_t)*n * k->size))
		return true;
	if (stands_before(list, *n, k->size, list + (size_t)*n * k->size))
		problem_at(
			r, true, s, "\"%s\" stands in `%s` twice: once is enough", written(s).text, k->name);
	else
		++*n;
	return true;
}

/* How many values there are, those of groups included. */
static int count_values(const struct config_key *k, const config_setting_t *s)
{
	int count = 0;

	for (int i = 0; i < config_setting_length(s); i++) {
		const config_setting_t *element = config_setting_get_elem(s, (unsigned)i);

		count += k->beside_offset && is_list(element) ? config_setting_length(element) : 1;
	}
	return count;
}

/* Values that are of one rank: all but the first stand beside the one before. */
static bool read_group(struct problems *r, const struct config_key *k, const config_setting_t *s, int length,
	char *into, unsigned *n)
{
	unsigned first = *n;

	if (!config_setting_length(s))
		problem_at(r, true, s, "a group in `%s` is empty: it must have at least 1", k->name);
	for (int i = 0; i < config_setting_length(s); i++) {
		unsigned at = *n;
		bool beside = at > first;

		if (!read_element(r, k, config_setting_get_elem(s, (unsigned)i), length, into + k->offset, n))
			return false;
		if (*n > at)
			memcpy(into + k->beside_offset + at * sizeof(beside), &beside, sizeof(beside));
	}
	return true;
}

/* For LENGTH elements on the heap, but not for more than there may be. Who else had put something there is done. */
static bool make_room(
	struct problems *r, const struct config_key *k, const config_setting_t *s, int length, char *into)
{
	size_t room = (unsigned)length < k->count_max ? (size_t)length : k->count_max;
	char *elements;

	if (!k->heap)
		return true;
	elements = calloc(room ? room : 1, k->size);
	if (!elements) {
		problem_at(r, true, s, "not enough memory");
		return false;
	}
	free(config_place(k, into));
	memcpy(into + k->offset, (const void *)&elements, sizeof(elements));
	return true;
}

static void read_list(struct problems *r, const struct config_key *k, const config_setting_t *s, char *into)
{
	int length = is_list(s) ? count_values(k, s) : 1;
	unsigned n = 0;
	bool room = true;

	if (!make_room(r, k, s, length, into))
		return;
	if (length < k->min)
		problem_at(
			r, true, s, "`%s` is empty: it must have at least %lld", k->name, (long long)k->min);
	if (!is_list(s))
		read_element(r, k, s, 1, config_place(k, into), &n);
	for (int i = 0; is_list(s) && room && i < config_setting_length(s); i++) {
		const config_setting_t *element = config_setting_get_elem(s, (unsigned)i);

		if (k->beside_offset && is_list(element))
			room = read_group(r, k, element, length, into, &n);
		else
			room = read_element(r, k, element, length, config_place(k, into), &n);
	}
	memcpy(into + k->count_offset, &n, sizeof(n));
}

static bool member_name_ok(const struct config_key *k, const char *name)
{
	return strlen(name) < k->name_size && !strchr(name, '*');
}

static void read_row_list(
	struct problems *r, const struct config_key *k, const config_setting_t *s, char *into);

/* One of TYPE_NAMED or TYPE_TABLES. */
static void read_member(
	struct problems *r, const struct config_key *k, const config_setting_t *element, char *dst)
{
	const char *name = config_setting_name(element);

	if (!member_name_ok(k, name))
		problem_at(r, true, element,
			"the name `%s` in `%s` must have at most %u characters, letters, digits, - "
			"and _",
			quoted(name).text, k->name, k->name_size - 1);
	else
		memcpy(dst + k->name_offset, name, strlen(name) + 1);
	if (k->type == TYPE_TABLES) {
		read_row_list(r, k->rows, element, dst);
		return;
	}
	config_presets(k->section, dst);
	config_read_section(r, k->section, element, dst);
}

static bool is_member(struct problems *r, const struct config_key *k, const config_setting_t *element)
{
	bool group = config_setting_type(element) == CONFIG_TYPE_GROUP;
	const char *name = config_setting_name(element);

	if (k->type == TYPE_TABLES ? group || is_list(element) : group)
		return true;
	if (k->type == TYPE_TABLES)
		problem_at(r, true, element, "`%s` in `%s` must be a list ( { ... }, ... ) of groups", name,
			k->name);
	else
		problem_at(r, true, element,
			"`%s` in `%s` must be a group { ... }: each has a name and its settings", name,
			k->name);
	return false;
}

static void read_named(struct problems *r, const struct config_key *k, const config_setting_t *s, char *into)
{
	unsigned n = 0;

	if (!make_room(r, k, s, config_setting_length(s), into))
		return;
	for (int i = 0; i < config_setting_length(s); i++) {
		const config_setting_t *element = config_setting_get_elem(s, (unsigned)i);

		if (!is_member(r, k, element))
			continue;
		if (n == k->count_max) {
			problem_at(r, true, element, "`%s` has more than %u groups", k->name, k->count_max);
			break;
		}
		read_member(r, k, element, config_place(k, into) + (size_t)n * k->size);
		n++;
		memcpy(into + k->count_offset, &n, sizeof(n));
	}
	memcpy(into + k->count_offset, &n, sizeof(n));
}

/* One group may stand without the brackets of the list. */
static void read_row_list(
	struct problems *r, const struct config_key *k, const config_setting_t *s, char *into)
{
	int length = is_list(s) ? config_setting_length(s) : 1;
	unsigned n = 0;

	if (!make_room(r, k, s, length, into))
		return;
	for (int i = 0; i < length; i++) {
		const config_setting_t *row = is_list(s) ? config_setting_get_elem(s, (unsigned)i) : s;
		char *dst;

		if (config_setting_type(row) != CONFIG_TYPE_GROUP) {
			problem_at(r, true, row, "`%s` must be %s", k->name, config_expectation(k).text);
			continue;
		}
		if (n == k->count_max) {
			problem_at(r, true, row, "`%s` has more than %u groups", k->name, k->count_max);
			break;
		}
		dst = config_place(k, into) + (size_t)n * k->size;
		n++;
		memcpy(into + k->count_offset, &n, sizeof(n));
		config_presets(k->section, dst);
		config_read_section(r, k->section, row, dst);
	}
	memcpy(into + k->count_offset, &n, sizeof(n));
}

/* Some words, or one without brackets. */
static void read_set(struct problems *r, const struct config_key *k, const config_setting_t *s, char *into)
{
	int length = is_list(s) ? config_setting_length(s) : 1;
	uint64_t bits = 0;

	if (length < k->min)
		problem_at(
			r, true, s, "`%s` is empty: it must have at least %lld", k->name, (long long)k->min);
	for (int i = 0; i < length; i++) {
		const config_setting_t *word = is_list(s) ? config_setting_get_elem(s, (unsigned)i) : s;
		const char *text = config_setting_get_string(word);
		int at = text ? word_index(k->words, text) : -1;

		if (at >= 0)
			bits |= (uint64_t)1 << at;
		else if (text)
			problem_at(r, true, word, "`%s` has \"%s\": it must be %s", k->name,
				quoted(text).text, config_expectation(k).text);
		else
			problem_at(r, true, word, "`%s` must be a list of texts in quotes: %s", k->name,
				config_expectation(k).text);
	}
	store_uint(k, into + k->offset, bits);
}

/* A group in a struct of its own. */
static void read_shared(struct problems *r, const struct config_key *k, const config_setting_t *s, char *into)
{
	void *group = k->life->make();

	if (!group) {
		problem_at(r, true, s, "not enough memory");
		return;
	}
	memcpy(into + k->offset, (const void *)&group, sizeof(group));
	config_presets(k->section, group);
	config_read_section(r, k->section, s, group);
}

static void read_group_of_keys(
	struct problems *r, const struct config_key *k, const config_setting_t *s, char *into)
{
	bool present = true;

	if (config_setting_type(s) != CONFIG_TYPE_GROUP) {
		problem_at(r, true, s, "`%s` must be %s", k->name, config_expectation(k).text);
	} else if (k->type != TYPE_GROUP) {
		read_named(r, k, s, into);
	} else if (k->life) {
		read_shared(r, k, s, into);
	} else {
		config_presets(k->section, into + k->offset);
		config_read_section(r, k->section, s, into + k->offset);
		if (k->count_max)
			memcpy(into + k->count_offset, &present, sizeof(present));
	}
}

static void read_key(struct problems *r, const struct config_key *k, const config_setting_t *s, char *into)
{
	bool given = true;

	switch (k->type) {
	case TYPE_ABSENT:
		problem_at(r, true, s, "`%s`: %s", k->name, k->help);
		break;
	case TYPE_GROUP:
	case TYPE_NAMED:
	case TYPE_TABLES:
		read_group_of_keys(r, k, s, into);
		break;
	case TYPE_ROWS:
		read_row_list(r, k, s, into);
		break;
	case TYPE_SET:
		read_set(r, k, s, into);
		break;
	default:
		if (k->count_max)
			read_list(r, k, s, into);
		else
			(void)read_value(r, k, s, into + k->offset);
	}
	if (k->given_offset)
		memcpy(into + k->given_offset, &given, sizeof(given));
}

static const struct config_key *find_key(const struct config_section *section, const char *name)
{
	for (unsigned i = 0; i < section->count; i++)
		if (!strcmp(section->keys[i].name, name))
			return &section->keys[i];
	return NULL;
}

/* Another section that knows NAME: somebody put it into the wrong place. Sections are nested five deep at most. */
static const struct config_section *elsewhere(const struct config_section *at, const char *name)
{
	const struct config_key *k = find_key(at, name);

	if (k && k->type != TYPE_ABSENT)
		return at;
	for (unsigned i = 0; i < at->count; i++) {
		const struct config_section *found =
			at->keys[i].section ? elsewhere(at->keys[i].section, name) : NULL;

		if (found)
			return found;
	}
	return NULL;
}

static void unknown_key(struct problems *r, const struct config_section *section, const config_setting_t *s)
{
	const char *name = config_setting_name(s), *words[KEYS_MAX] = {NULL}, *near;
	const struct config_section *other = elsewhere(&config_file_section, name);
	unsigned n = 0;

	for (unsigned i = 0; i < section->count && n < KEYS_MAX - 1; i++)
		if (section->keys[i].type != TYPE_ABSENT)
			words[n++] = section->keys[i].name;
	near = nearest_word(name, words);
	if (other)
		problem_at(r, true, s, "`%s` does not belong into %s but into %s", name, section->title,
			other->title);
	else if (near)
		problem_at(r, true, s, "there is no key `%s` in %s: did you mean `%s`?", quoted(name).text,
			section->title, near);
	else
		problem_at(r, true, s, "there is no key `%s` in %s: softwired.conf(5) lists them all",
			quoted(name).text, section->title);
}

void config_read_section(
	struct problems *r, const struct config_section *section, const config_setting_t *group, void *into)
{
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *s = config_setting_get_elem(group, (unsigned)i);
		const struct config_key *k = find_key(section, config_setting_name(s));

		if (k)
			read_key(r, k, s, into);
		else
			unknown_key(r, section, s);
	}
	for (unsigned i = 0; i < section->count; i++)
		if (section->keys[i].required && !config_setting_get_member(group, section->keys[i].name))
			problem_at(r, true, group, "%s lacks `%s`: %s", section->title, section->keys[i].name,
				section->keys[i].help);
}

static void preset(const struct config_key *k, char *dst)
{
	uint8_t flag = !strcmp(k->preset, "true");

	switch (k->type) {
	case TYPE_BOOL:
		memcpy(dst, &flag, 1);
		break;
	case TYPE_UINT:
		store_uint(k, dst, strtoull(k->preset, NULL, 10));
		break;
	case TYPE_SECONDS:
		store_uint(k, dst, strtoull(k->preset, NULL, 10) * 1000);
		break;
	case TYPE_WORD:
		store_uint(k, dst, (uint64_t)word_index(k->words, k->preset));
		break;
	default:
		(void)store_text(k, dst, k->preset);
	}
}

void config_presets(const struct config_section *section, void *into)
{
	for (unsigned i = 0; i < section->count; i++)
		if (section->keys[i].preset)
			preset(&section->keys[i], (char *)into + section->keys[i].offset);
}
