/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One user's settings: a draft until all of them are known to be right, then a row of the table. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aaa/reading.h"

enum { SOFTWIRES_MAX = 1024 };

#define DELEGATE_EXAMPLE  "2001:db8:8000:100::/56"
#define DELEGATE4_EXAMPLE "198.51.100.64/29"
#define HOST_EXAMPLE      "ns1.alice.example"

struct draft {
	struct reading *r;
	char label[80]; /* "user alice", for messages */
	unsigned line;
	const char *name, *pool, *secret, *server_secret, *nameservers[AAA_NAMESERVERS];
	unsigned server_line;
	unsigned delegate_count, subnet_count, nameserver_count;
	struct prefix delegate[AAA_PREFIXES], link, subnets[AAA_SUBNETS];
	unsigned delegate_line[AAA_PREFIXES], link_line, subnet_line[AAA_SUBNETS], address4_line;
	struct addr address4;
	uint64_t iid;
	uint16_t softwires;
	enum aaa_at_limit at_limit;
	bool no_ipv6;
};

/* ---- texts ---- */

static const char *text_of(struct draft *d, config_setting_t *setting, unsigned line, size_t max)
{
	char label[96];

	snprintf(label, sizeof(label), "%s: ", d->label);
	return reading_string(d->r, setting, line, label, max);
}

static bool is_unicast6(const struct prefix *p)
{
	return p->addr.bytes[0] != 0 && p->addr.bytes[0] != 0xff && !addr_is_link_local(&p->addr);
}

/* Something that a user can have: neither "this network", loopback, multicast nor reserved (RFC 6890). */
static bool is_unicast4(const struct addr *a)
{
	return a->bytes[0] != 0 && a->bytes[0] != 127 && a->bytes[0] < 224;
}

static bool user_prefix(
	struct draft *d, const char *text, unsigned line, const char *key, unsigned min, struct prefix *ret)
{
	char label[128];
	struct prefix p;

	snprintf(label, sizeof(label), "%s: %s ", d->label, key);
	if (!reading_prefix(
		    d->r, text, line, label, min == 64 ? "2001:db8:100:7::/64" : DELEGATE_EXAMPLE, &p))
		return false;
	if (p.addr.family != AF_INET6)
		reading_tell(d->r, line, "%s\"%.64s\" is not IPv6", label, text);
	else if (p.len < min || p.len > 64)
		reading_tell(d->r, line, "%s\"%.64s\" must be %s", label, text,
			min == 64 ? "a /64" : "of /48 to /64 (RFC 5571 section 6.2.1)");
	else if (!is_unicast6(&p))
		reading_tell(d->r, line, "%s\"%.64s\" is not global unicast or unique local", label, text);
	else {
		*ret = p;
		return true;
	}
	return false;
}

/* ---- lists: an array, or its only member ---- */

struct list {
	const char *key, *members, *example;
	unsigned max;
	void (*take)(struct draft *d, const char *text, unsigned line);
};

static void read_list(struct draft *d, config_setting_t *setting, unsigned line, const struct list *l)
{
	const char *text = config_setting_get_string(setting);
	int count = config_setting_length(setting);

	if (text) {
		l->take(d, text, line);
		return;
	}
	if (!config_setting_is_aggregate(setting) || config_setting_is_group(setting)) {
		reading_tell(d->r, line, "%s: %s must be a string or an array: %s = [ \"%s\" ];", d->label,
			l->key, l->key, l->example);
		return;
	}
	if (count < 1 || (unsigned)count > l->max) {
		reading_tell(d->r, line, "%s: %s has %d %s: 1 to %u are possible", d->label, l->key, count,
			l->members, l->max);
		return;
	}
	for (int i = 0; i < count; i++) {
		config_setting_t *element = config_setting_get_elem(setting, (unsigned)i);
		unsigned at =
			line + (config_setting_source_line(element) - config_setting_source_line(setting));

		text = config_setting_get_string(element);
		if (text)
			l->take(d, text, at);
		else
			reading_tell(d->r, at, "%s: %s must hold strings: %s = [ \"%s\" ];", d->label, l->key,
				l->key, l->example);
	}
}

static void take_delegate(struct draft *d, const char *text, unsigned line)
{
	if (!user_prefix(d, text, line, "delegate", 48, &d->delegate[d->delegate_count]))
		return;
	d->delegate_line[d->delegate_count] = line;
	d->delegate_count++;
}

static void take_subnet(struct draft *d, const char *text, unsigned line)
{
	char label[128];
	struct prefix p;

	snprintf(label, sizeof(label), "%s: delegate4 ", d->label);
	if (!reading_prefix(d->r, text, line, label, DELEGATE4_EXAMPLE, &p))
		return;
	if (p.addr.family != AF_INET)
		reading_tell(
			d->r, line, "%s\"%.64s\" is not IPv4: IPv6 prefixes are `delegate`", label, text);
	else if (p.len < 8 || p.len > 30)
		reading_tell(d->r, line, "%s\"%.64s\" must be of /8 to /30%s", label, text,
			p.len > 30 ? ": a single address is `ipv4`" : "");
	else if (!is_unicast4(&p.addr))
		reading_tell(d->r, line, "%s\"%.64s\" is not unicast", label, text);
	else {
		d->subnet_line[d->subnet_count] = line;
		d->subnets[d->subnet_count++] = p;
	}
}

/* A name as in RFC 1123 section 2.1: letters, digits and hyphens between dots. */
static bool is_host_name(const char *text)
{
	static const char inside[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
	struct addr a;

	if (strlen(text) > AAA_HOST_MAX || !addr_parse(text, &a))
		return false;
	for (;;) {
		size_t n = strspn(text, inside);

		if (n < 1 || n > 63 || text[0] == '-' || text[n - 1] == '-')
			return false;
		if (!text[n])
			return true;
		if (text[n] != '.')
			return false;
		text += n + 1;
	}
}

static void take_nameserver(struct draft *d, const char *text, unsigned line)
{
	if (is_host_name(text))
		d->nameservers[d->nameserver_count++] = text;
	else
		reading_tell(d->r, line, "%s: nameservers \"%.64s\" is not a host name: write it like \"%s\"",
			d->label, text, HOST_EXAMPLE);
}

/* ---- keys ---- */

static void read_secret(struct draft *d, config_setting_t *setting, unsigned line)
{
	d->secret = text_of(d, setting, line, AAA_SECRET_MAX);
}

static void read_server_secret(struct draft *d, config_setting_t *setting, unsigned line)
{
	d->server_secret = text_of(d, setting, line, AAA_SECRET_MAX);
	d->server_line = line;
}

static void read_delegate(struct draft *d, config_setting_t *setting, unsigned line)
{
	static const struct list list = {
		"delegate", "prefixes", DELEGATE_EXAMPLE, AAA_PREFIXES, take_delegate};

	read_list(d, setting, line, &list);
}

static void read_delegate4(struct draft *d, config_setting_t *setting, unsigned line)
{
	static const struct list list = {"delegate4", "subnets", DELEGATE4_EXAMPLE, AAA_SUBNETS, take_subnet};

	read_list(d, setting, line, &list);
}

static void read_nameservers(struct draft *d, config_setting_t *setting, unsigned line)
{
	static const struct list list = {
		"nameservers", "names", HOST_EXAMPLE, AAA_NAMESERVERS, take_nameserver};

	read_list(d, setting, line, &list);
}

static void read_link(struct draft *d, config_setting_t *setting, unsigned line)
{
	const char *text = text_of(d, setting, line, 255);

	d->link_line = line;
	if (text)
		user_prefix(d, text, line, "link", 64, &d->link);
}

static void read_ipv4(struct draft *d, config_setting_t *setting, unsigned line)
{
	const char *text = text_of(d, setting, line, 255);
	struct addr a;

	if (!text)
		return;
	if (addr_parse(text, &a) || a.family != AF_INET)
		reading_tell(d->r, line,
			"%s: ipv4 \"%.64s\" is not an IPv4 address: write it like \"198.51.100.7\"", d->label,
			text);
	else if (!is_unicast4(&a))
		reading_tell(d->r, line, "%s: ipv4 \"%.64s\" is not a unicast address", d->label, text);
	else
		d->address4 = a;
	d->address4_line = line;
}

static void read_ipv6(struct draft *d, config_setting_t *setting, unsigned line)
{
	if (config_setting_type(setting) == CONFIG_TYPE_BOOL)
		d->no_ipv6 = !config_setting_get_bool(setting);
	else
		reading_tell(d->r, line, "%s: ipv6 must be true or false: ipv6 = false;", d->label);
}

static void read_pool(struct draft *d, config_setting_t *setting, unsigned line)
{
	d->pool = text_of(d, setting, line, sizeof(((struct aaa_user *)0)->pool) - 1);
}

static void read_softwires(struct draft *d, config_setting_t *setting, unsigned line)
{
	int type = config_setting_type(setting);
	long long n = config_setting_get_int64(setting);

	if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64)
		reading_tell(d->r, line, "%s: softwires must be a number: softwires = 1;", d->label);
	else if (n < 1 || n > SOFTWIRES_MAX)
		reading_tell(d->r, line, "%s: softwires = %lld is impossible: 1 to %d", d->label, n,
			SOFTWIRES_MAX);
	else
		d->softwires = (uint16_t)n;
}

static void read_at_limit(struct draft *d, config_setting_t *setting, unsigned line)
{
	const char *text = text_of(d, setting, line, 255);

	if (text && !strcmp(text, "replace"))
		d->at_limit = AAA_AT_LIMIT_REPLACE;
	else if (text && !strcmp(text, "refuse"))
		d->at_limit = AAA_AT_LIMIT_REFUSE;
	else if (text)
		reading_tell(d->r, line, "%s: at-limit \"%.64s\" is unknown: \"replace\" or \"refuse\"",
			d->label, text);
}

static void read_iid(struct draft *d, config_setting_t *setting, unsigned line)
{
	const char *text = text_of(d, setting, line, 255);
	struct addr a;
	bool ok = text && !addr_parse(text, &a) && a.family == AF_INET6;

	if (!text)
		return;
	for (unsigned i = 0; ok && i < 8; i++)
		ok = !a.bytes[i];
	if (ok && addr6_iid(&a))
		d->iid = addr6_iid(&a);
	else
		reading_tell(d->r, line,
			"%s: iid \"%.64s\" is not an interface identifier: write its lower half like \"::1\"",
			d->label, text);
}

static const struct user_key {
	const char *name;
	void (*read)(struct draft *d, config_setting_t *setting, unsigned line);
} user_keys[] = {
	{"secret", read_secret},
	{"server-secret", read_server_secret},
	{"delegate", read_delegate},
	{"link", read_link},
	{"ipv4", read_ipv4},
	{"delegate4", read_delegate4},
	{"pool", read_pool},
	{"softwires", read_softwires},
	{"at-limit", read_at_limit},
	{"iid", read_iid},
	{"ipv6", read_ipv6},
	{"nameservers", read_nameservers},
};
enum { USER_KEYS = sizeof(user_keys) / sizeof(user_keys[0]) };

static void unknown_key(struct draft *d, config_setting_t *setting, unsigned line, bool listed)
{
	char label[96], keys[256] = "name";
	size_t used = listed ? strlen(keys) : 0;

	for (size_t i = 0; i < USER_KEYS; i++)
		used += (size_t)snprintf(
			keys + used, sizeof(keys) - used, "%s%s", used ? ", " : "", user_keys[i].name);
	snprintf(label, sizeof(label), "%s: ", d->label);
	reading_unknown(d->r, setting, line, label, keys);
}

static void read_user_key(struct draft *d, config_setting_t *setting, unsigned line, bool listed)
{
	const char *key = config_setting_name(setting);

	for (size_t i = 0; i < USER_KEYS; i++) {
		if (!strcmp(key, user_keys[i].name)) {
			user_keys[i].read(d, setting, line);
			return;
		}
	}
	if (config_setting_is_group(setting)) /* users have no groups: it is the next user */
		reading_tell(
			d->r, line, "%s: \"%.64s\" lies inside of it: '}' is missing before", d->label, key);
	else if (!listed || strcmp(key, "name") != 0)
		unknown_key(d, setting, line, listed);
}

/* ---- the whole ---- */

static bool name_is_printable(const char *name)
{
	for (const unsigned char *c = (const unsigned char *)name; *c; c++)
		if (*c < 0x20 || *c == 0x7f)
			return false;
	return true;
}

static void check_draft(struct draft *d)
{
	if (d->secret && d->server_secret && !strcmp(d->secret, d->server_secret))
		reading_tell(d->r, d->server_line,
			"%s: server-secret must differ from secret: with one secret a response can be "
			"reflected",
			d->label);
	if (strlen(d->name) > AAA_NAME_MAX)
		reading_tell(d->r, d->line, "%s: the name has %zu bytes: at most %d are possible", d->label,
			strlen(d->name), AAA_NAME_MAX);
	if (aaa_is_anonymous(d->name))
		reading_tell(d->r, d->line,
			"%s: names that begin with \"anonymous/\" are for users without a name", d->label);
	if (!name_is_printable(d->name))
		reading_tell(d->r, d->line, "a user's name has control characters");
}

static size_t length(const char *text)
{
	return text ? strlen(text) : 0;
}

static struct user_row *pack(const struct draft *d)
{
	size_t prefixes = d->delegate_count + d->subnet_count;
	size_t strings = strlen(d->name) + length(d->pool) + length(d->secret) + length(d->server_secret);
	struct user_row *row;
	char *at;

	for (unsigned i = 0; i < d->nameserver_count; i++)
		strings += strlen(d->nameservers[i]) + 1;
	row = calloc(1, sizeof(*row) + prefixes * sizeof(row->prefix[0]) + strings);
	if (!row)
		return NULL;
	row->iid = d->iid;
	row->line = d->line;
	row->softwires = d->softwires;
	row->at_limit = d->at_limit;
	row->no_ipv6 = d->no_ipv6;
	row->has_link = !prefix_is_none(&d->link);
	if (row->has_link)
		row->link = user_upper_half(&d->link.addr);
	memcpy(row->address4, d->address4.bytes, sizeof(row->address4));
	row->delegate_count = (uint8_t)d->delegate_count;
	for (unsigned i = 0; i < d->delegate_count; i++) {
		row->prefix_len[i] = d->delegate[i].len;
		row->prefix[i] = user_upper_half(&d->delegate[i].addr);
	}
	row->subnet_count = (uint8_t)d->subnet_count;
	for (unsigned i = 0; i < d->subnet_count; i++) {
		row->prefix_len[d->delegate_count + i] = d->subnets[i].len;
		row->prefix[d->delegate_count + i] = user_upper_half(&d->subnets[i].addr);
	}
	at = (char *)(row->prefix + prefixes);
	row->name_len = reading_append(&at, d->name);
	row->pool_len = reading_append(&at, d->pool);
	row->secret_len = reading_append(&at, d->secret);
	row->server_len = reading_append(&at, d->server_secret);
	row->nameserver_count = (uint8_t)d->nameserver_count;
	for (unsigned i = 0; i < d->nameserver_count; i++) {
		reading_append(&at, d->nameservers[i]);
		*at++ = '\0';
	}
	return row;
}

static void keep(struct draft *d)
{
	const struct user_row *other = NULL;
	struct user_row *row = pack(d);
	int rc = row ? users_add(d->r->users, row, &other) : -ENOMEM;
	struct prefix address;

	if (rc == -EEXIST)
		reading_tell(d->r, d->line, "%s is there already, in line %u", d->label, other->line);
	else if (rc)
		reading_tell(d->r, d->line, "out of memory");
	if (rc) {
		if (row)
			user_row_free(row);
		return;
	}
	for (unsigned i = 0; i < d->delegate_count; i++)
		reading_note_prefix(d->r, &d->delegate[i], d->delegate_line[i], row);
	if (row->has_link)
		reading_note_prefix(d->r, &d->link, d->link_line, row);
	for (unsigned i = 0; i < d->subnet_count; i++)
		reading_note_prefix(d->r, &d->subnets[i], d->subnet_line[i], row);
	if (!addr_is_none(&d->address4)) {
		address = prefix_of(&d->address4, 32);
		reading_note_prefix(d->r, &address, d->address4_line, row);
	}
}

void user_read(struct reading *r, config_setting_t *group, unsigned base, bool listed)
{
	struct draft d = {.r = r, .line = base + config_setting_source_line(group), .softwires = 1};
	size_t before = r->problem_count;

	d.name = config_setting_name(group);
	if (!config_setting_is_group(group)) {
		reading_tell(r, d.line,
			listed ? "users: every member of the list must be a group: { name = \"...\"; secret "
				 "= \"...\"; }"
			       : "users: every user must be a group: NAME = { secret = \"...\"; };");
		return;
	}
	if (listed && !config_setting_lookup_string(group, "name", &d.name)) {
		reading_tell(r, d.line, "a user in a list needs a name: name = \"...\";");
		return;
	}
	if (!d.name[0]) {
		reading_tell(r, d.line, "a user's name is empty");
		return;
	}
	snprintf(d.label, sizeof(d.label), "user %.64s", d.name);
	for (int i = 0; i < config_setting_length(group); i++) {
		config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);

		read_user_key(&d, setting, base + config_setting_source_line(setting), listed);
	}
	check_draft(&d);
	if (r->problem_count == before)
		keep(&d);
}
