/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a users file: text.c cuts it, libconfig parses the pieces, and what they say is checked here. All problems are
 * collected and told in the order of their lines.
 */
#include <errno.h>
#include <libconfig.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aaa/text.h"
#include "aaa/users.h"

enum { PROBLEMS_MAX = 1000, SOFTWIRES_MAX = 1024 };

struct problem {
	unsigned line;
	size_t order;
	char *text;
};

/* A fixed prefix, for finding overlaps. */
struct claim {
	uint64_t first;
	uint8_t len;
	uint32_t line;
	const struct user_row *row;
};

struct reading {
	struct users *users;
	struct problem *problems;
	size_t problem_count, problem_size;
	bool no_memory; /* for a problem's text */
	struct claim *claims;
	size_t claim_count, claim_size;
	char *buffer; /* a piece, terminated */
	size_t buffer_size;
};

/* What one user's settings say, until it is known to be right. */
struct draft {
	struct reading *r;
	char label[80]; /* "user alice", for messages */
	unsigned line;
	const char *name, *pool, *secret, *server_secret;
	unsigned secret_line, server_line;
	unsigned delegate_count;
	struct prefix delegate[AAA_PREFIXES], link;
	unsigned delegate_line[AAA_PREFIXES], link_line;
	uint64_t iid;
	uint16_t softwires;
	bool bad;
};

static void tell(struct reading *r, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void tell(struct reading *r, unsigned line, const char *format, ...)
{
	struct problem *p;
	va_list args;

	if (r->problem_count == r->problem_size) {
		size_t size = r->problem_size ? r->problem_size * 2 : 16;

		p = reallocarray(r->problems, size, sizeof(*p));
		if (!p) {
			r->no_memory = true;
			return;
		}
		r->problems = p;
		r->problem_size = size;
	}
	p = &r->problems[r->problem_count];
	p->line = line;
	p->order = r->problem_count++;
	va_start(args, format);
	if (vasprintf(&p->text, format, args) < 0)
		p->text = NULL;
	va_end(args);
}

static int by_line(const void *a, const void *b)
{
	const struct problem *p = a, *q = b;

	if (p->line != q->line)
		return p->line < q->line ? -1 : 1;
	return p->order < q->order ? -1 : 1;
}

static void tell_all(struct reading *r, const char *path, aaa_error *error, void *owner)
{
	char more[64];

	if (r->problem_count)
		qsort(r->problems, r->problem_count, sizeof(r->problems[0]), by_line);
	for (size_t i = 0; i < r->problem_count && i < PROBLEMS_MAX; i++)
		error(owner, path, r->problems[i].line,
			r->problems[i].text ? r->problems[i].text : "out of memory");
	if (r->problem_count > PROBLEMS_MAX) {
		snprintf(more, sizeof(more), "and %zu more errors", r->problem_count - PROBLEMS_MAX);
		error(owner, path, r->problems[PROBLEMS_MAX].line, more);
	}
	if (r->no_memory)
		error(owner, path, 0, "out of memory");
	for (size_t i = 0; i < r->problem_count; i++)
		free(r->problems[i].text);
	free(r->problems);
}

/* Keys. */

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* How many letters must be changed, put in or left out (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
	enum { MAX = 32 };
	size_t row[MAX + 1], la = strlen(a), lb = strlen(b);

	if (la > MAX || lb > MAX)
		return MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t above = row[j];

			row[j] = min3(above + 1, row[j - 1] + 1, corner + (a[i - 1] != b[j - 1]));
			corner = above;
		}
	}
	return row[lb];
}

/* KEYS is a list of words with ", " between them, as it is shown. */
static void tell_unknown(struct reading *r, const config_setting_t *setting, unsigned line, const char *label,
	const char *keys)
{
	const char *name = config_setting_name(setting), *best = NULL;
	size_t best_distance = 3, n;
	char key[32], nearest[32];

	for (const char *k = keys; *k; k += n + strspn(k + n, ", ")) {
		n = strcspn(k, ",");
		snprintf(key, sizeof(key), "%.*s", (int)n, k);
		if (distance(name, key) < best_distance && distance(name, key) < n) {
			best_distance = distance(name, key);
			snprintf(nearest, sizeof(nearest), "%s", key);
			best = nearest;
		}
	}
	if (best)
		tell(r, line, "%sunknown key \"%.64s\": did you mean \"%s\"?", label, name, best);
	else
		tell(r, line, "%sunknown key \"%.64s\": known are %s", label, name, keys);
}

/* A non-empty string of at most MAX bytes, or NULL after having told why not. */
static const char *get_string(
	struct reading *r, config_setting_t *setting, unsigned line, const char *label, size_t max)
{
	const char *text = config_setting_get_string(setting), *name = config_setting_name(setting);

	if (!text)
		tell(r, line, "%s%s must be a string: %s = \"...\";", label, name, name);
	else if (!text[0])
		tell(r, line, "%s%s is empty", label, name);
	else if (strlen(text) > max)
		tell(r, line, "%s%s has %zu bytes: at most %zu are possible", label, name, strlen(text), max);
	else
		return text;
	return NULL;
}

/* ADDRESS/LENGTH with all host bits zero. */
static bool get_prefix(struct reading *r, const char *text, unsigned line, const char *label,
	const char *example, struct prefix *ret)
{
	const char *slash = strchr(text, '/');
	char address[ADDR_TEXT], *end, right[PREFIX_TEXT];
	struct prefix p;
	struct addr a;
	unsigned long len;

	snprintf(address, sizeof(address), "%.*s", slash ? (int)(slash - text) : (int)sizeof(address) - 1,
		text);
	if (!slash || slash - text >= (int)sizeof(address) || addr_parse(address, &a)) {
		tell(r, line, "%s\"%.64s\" is not a prefix: write it like \"%s\"", label, text, example);
		return false;
	}
	len = strtoul(slash + 1, &end, 10);
	if (slash[1] < '0' || slash[1] > '9' || *end || len > addr_bits(a.family)) {
		tell(r, line, "%s\"%.64s\" has an impossible length: 0 to %u", label, text,
			addr_bits(a.family));
		return false;
	}
	p = prefix_of(&a, (unsigned)len);
	if (!addr_equal(&p.addr, &a)) {
		tell(r, line, "%s\"%.64s\" has host bits set: did you mean \"%s\"?", label, text,
			prefix_print(&p, right));
		return false;
	}
	*ret = p;
	return true;
}

static void note_claim(struct reading *r, const struct prefix *p, unsigned line, const struct user_row *row)
{
	struct claim *c;
	uint64_t first = 0;

	if (r->claim_count == r->claim_size) {
		size_t size = r->claim_size ? r->claim_size * 2 : 64;

		c = reallocarray(r->claims, size, sizeof(*c));
		if (!c) {
			tell(r, line, "out of memory");
			return;
		}
		r->claims = c;
		r->claim_size = size;
	}
	for (unsigned i = 0; i < 8; i++)
		first = first << 8 | p->addr.bytes[i];
	r->claims[r->claim_count++] = (struct claim){.first = first, .len = p->len, .line = line, .row = row};
}

/* A user's settings. */

static bool is_unicast6(const struct prefix *p)
{
	return p->addr.bytes[0] != 0 && p->addr.bytes[0] != 0xff && !addr_is_link_local(&p->addr);
}

static bool user_prefix(
	struct draft *d, const char *text, unsigned line, const char *key, unsigned min, struct prefix *ret)
{
	char label[128];
	struct prefix p;

	snprintf(label, sizeof(label), "%s: %s ", d->label, key);
	if (!get_prefix(d->r, text, line, label, min == 64 ? "2001:db8:100:7::/64" : "2001:db8:8000:100::/56",
		    &p))
		return false;
	if (p.addr.family != AF_INET6)
		tell(d->r, line, "%s\"%.64s\" is not IPv6", label, text);
	else if (p.len < min || p.len > 64)
		tell(d->r, line, "%s\"%.64s\" must be %s", label, text,
			min == 64 ? "a /64" : "of /48 to /64 (RFC 5571 section 6.2.1)");
	else if (!is_unicast6(&p))
		tell(d->r, line, "%s\"%.64s\" is not global unicast or unique local", label, text);
	else {
		*ret = p;
		return true;
	}
	return false;
}

static void read_delegate(struct draft *d, config_setting_t *setting, unsigned line)
{
	int count = config_setting_length(setting);

	if (!config_setting_is_aggregate(setting) || config_setting_is_group(setting)) {
		tell(d->r, line, "%s: delegate must be an array: delegate = [ \"2001:db8:8000:100::/56\" ];",
			d->label);
		return;
	}
	if (count < 1 || count > AAA_PREFIXES) {
		tell(d->r, line, "%s: delegate has %d prefixes: 1 to %d are possible", d->label, count,
			AAA_PREFIXES);
		return;
	}
	for (int i = 0; i < count; i++) {
		config_setting_t *element = config_setting_get_elem(setting, (unsigned)i);
		unsigned at =
			line + (config_setting_source_line(element) - config_setting_source_line(setting));
		const char *text = config_setting_get_string(element);

		if (!text) {
			tell(d->r, at,
				"%s: delegate must hold strings: delegate = [ \"2001:db8:8000:100::/56\" ];",
				d->label);
			continue;
		}
		if (user_prefix(d, text, at, "delegate", 48, &d->delegate[d->delegate_count])) {
			d->delegate_line[d->delegate_count] = at;
			d->delegate_count++;
		}
	}
}

static void read_iid(struct draft *d, const char *text, unsigned line)
{
	struct addr a;
	bool ok = !addr_parse(text, &a) && a.family == AF_INET6;

	for (unsigned i = 0; ok && i < 8; i++)
		ok = !a.bytes[i];
	if (!ok || !addr6_iid(&a))
		tell(d->r, line,
			"%s: iid \"%.64s\" is not an interface identifier: write its lower half like \"::1\"",
			d->label, text);
	else
		d->iid = addr6_iid(&a);
}

static void read_softwires(struct draft *d, config_setting_t *setting, unsigned line)
{
	int type = config_setting_type(setting);
	long long n = config_setting_get_int64(setting);

	if (type != CONFIG_TYPE_INT && type != CONFIG_TYPE_INT64)
		tell(d->r, line, "%s: softwires must be a number: softwires = 1;", d->label);
	else if (n < 1 || n > SOFTWIRES_MAX)
		tell(d->r, line, "%s: softwires = %lld is impossible: 1 to %d", d->label, n, SOFTWIRES_MAX);
	else
		d->softwires = (uint16_t)n;
}

static const char user_keys[] = "secret, server-secret, delegate, link, pool, softwires, iid";
static const char listed_user_keys[] = "name, secret, server-secret, delegate, link, pool, softwires, iid";

static void read_user_key(struct draft *d, config_setting_t *setting, unsigned line, bool listed)
{
	const char *key = config_setting_name(setting), *text;
	char label[96];

	snprintf(label, sizeof(label), "%s: ", d->label);
	if (!strcmp(key, "secret")) {
		d->secret = get_string(d->r, setting, line, label, AAA_SECRET_MAX);
		d->secret_line = line;
	} else if (!strcmp(key, "server-secret")) {
		d->server_secret = get_string(d->r, setting, line, label, AAA_SECRET_MAX);
		d->server_line = line;
	} else if (!strcmp(key, "delegate")) {
		read_delegate(d, setting, line);
	} else if (!strcmp(key, "link")) {
		text = get_string(d->r, setting, line, label, 255);
		d->link_line = line;
		if (text)
			user_prefix(d, text, line, "link", 64, &d->link);
	} else if (!strcmp(key, "pool")) {
		d->pool = get_string(d->r, setting, line, label, sizeof(((struct aaa_user *)0)->pool) - 1);
	} else if (!strcmp(key, "softwires")) {
		read_softwires(d, setting, line);
	} else if (!strcmp(key, "iid")) {
		text = get_string(d->r, setting, line, label, 255);
		if (text)
			read_iid(d, text, line);
	} else if (config_setting_is_group(setting)) { /* users have no groups: it is the next user */
		tell(d->r, line, "%s: \"%.64s\" lies inside of it: '}' is missing before", d->label, key);
	} else if (!listed || strcmp(key, "name") != 0) {
		tell_unknown(d->r, setting, line, label, listed ? listed_user_keys : user_keys);
	}
}

static bool name_is_printable(const char *name)
{
	for (const unsigned char *c = (const unsigned char *)name; *c; c++)
		if (*c < 0x20 || *c == 0x7f)
			return false;
	return true;
}

static void check_draft(struct draft *d)
{
	if (!d->secret && !d->secret_line)
		tell(d->r, d->line, "%s: has no secret: secret = \"...\";", d->label);
	if (d->secret && d->server_secret && !strcmp(d->secret, d->server_secret))
		tell(d->r, d->server_line,
			"%s: server-secret must differ from secret: with one secret a response can be "
			"reflected",
			d->label);
	if (strlen(d->name) > AAA_NAME_MAX)
		tell(d->r, d->line, "%s: the name has %zu bytes: at most %d are possible", d->label,
			strlen(d->name), AAA_NAME_MAX);
	if (!name_is_printable(d->name))
		tell(d->r, d->line, "a user's name has control characters");
}

static uint8_t append(char **at, const char *text)
{
	size_t n = text ? strlen(text) : 0;

	memcpy(*at, text ? text : "", n);
	*at += n;
	return (uint8_t)n;
}

static struct user_row *pack(const struct draft *d)
{
	size_t strings = strlen(d->name) + strlen(d->pool ? d->pool : "") + strlen(d->secret) +
			 strlen(d->server_secret ? d->server_secret : "");
	struct user_row *row =
		calloc(1, sizeof(*row) + d->delegate_count * sizeof(row->delegate[0]) + strings);
	char *at;

	if (!row)
		return NULL;
	row->iid = d->iid;
	row->line = d->line;
	row->softwires = d->softwires;
	row->has_link = !prefix_is_none(&d->link);
	for (unsigned i = 0; row->has_link && i < 8; i++)
		row->link = row->link << 8 | d->link.addr.bytes[i];
	row->delegate_count = (uint8_t)d->delegate_count;
	for (unsigned i = 0; i < d->delegate_count; i++) {
		row->delegate_len[i] = d->delegate[i].len;
		for (unsigned j = 0; j < 8; j++)
			row->delegate[i] = row->delegate[i] << 8 | d->delegate[i].addr.bytes[j];
	}
	at = (char *)(row->delegate + row->delegate_count);
	row->name_len = append(&at, d->name);
	row->pool_len = append(&at, d->pool);
	row->secret_len = append(&at, d->secret);
	row->server_len = append(&at, d->server_secret);
	return row;
}

static void keep_user(struct draft *d)
{
	const struct user_row *other = NULL;
	struct user_row *row = pack(d);
	int rc = row ? users_add(d->r->users, row, &other) : -ENOMEM;

	if (rc == -EEXIST)
		tell(d->r, d->line, "%s is there already, in line %u", d->label, other->line);
	else if (rc)
		tell(d->r, d->line, "out of memory");
	if (rc) {
		if (row)
			user_row_free(row);
		return;
	}
	for (unsigned i = 0; i < d->delegate_count; i++)
		note_claim(d->r, &d->delegate[i], d->delegate_line[i], row);
	if (row->has_link)
		note_claim(d->r, &d->link, d->link_line, row);
}

/* BASE is what a line of the piece is to be added to. */
static void read_user(struct reading *r, config_setting_t *group, unsigned base, bool listed)
{
	struct draft d = {.r = r, .line = base + config_setting_source_line(group), .softwires = 1};
	size_t before = r->problem_count;

	d.name = config_setting_name(group);
	if (!config_setting_is_group(group)) {
		tell(r, d.line,
			listed ? "users: every member of the list must be a group: { name = \"...\"; secret "
				 "= \"...\"; }"
			       : "users: every user must be a group: NAME = { secret = \"...\"; };");
		return;
	}
	if (listed && !config_setting_lookup_string(group, "name", &d.name)) {
		tell(r, d.line, "a user in a list needs a name: name = \"...\";");
		return;
	}
	if (!d.name[0]) {
		tell(r, d.line, "a user's name is empty");
		return;
	}
	snprintf(d.label, sizeof(d.label), "user %.64s", d.name);
	for (int i = 0; i < config_setting_length(group); i++) {
		config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);

		read_user_key(&d, setting, base + config_setting_source_line(setting), listed);
	}
	check_draft(&d);
	if (r->problem_count == before && d.secret)
		keep_user(&d);
}

/* libconfig keeps a copy of every string. Depth is bounded by text.c. */
static void wipe_strings(config_setting_t *setting)
{
	const char *text = config_setting_get_string(setting);

	if (text)
		explicit_bzero((char *)text, strlen(text));
	for (int i = 0; config_setting_is_aggregate(setting) && i < config_setting_length(setting); i++)
		wipe_strings(config_setting_get_elem(setting, (unsigned)i));
}

static void done_config(config_t *config)
{
	wipe_strings(config_root_setting(config));
	config_destroy(config);
}

static bool parse(struct reading *r, config_t *config, const char *text, unsigned base)
{
	const char *what;

	config_init(config);
	if (config_read_string(config, text))
		return true;
	what = config_error_text(config);
	if (!what || !strcmp(what, "syntax error"))
		what = "syntax error: expected NAME = VALUE; with strings in double quotes";
	else if (!strcmp(what, "duplicate setting name"))
		what = "a key is there twice";
	else if (!strcmp(what, "mismatched element type in array"))
		what = "the members of an array [ ] must be of one type";
	tell(r, base + (unsigned)config_error_line(config), "%s", what);
	done_config(config);
	return false;
}

/* The piece as a configuration of its own: terminated, without the separator of the one before, a list as a list. */
static bool terminate(struct reading *r, const struct text_piece *p, bool list)
{
	size_t need = p->len + 8;
	char *start;

	if (need > r->buffer_size) {
		char *buffer = malloc(2 * need);

		if (!buffer) {
			tell(r, p->line, "out of memory");
			return false;
		}
		if (r->buffer) {
			explicit_bzero(r->buffer, r->buffer_size);
			free(r->buffer);
		}
		r->buffer = buffer;
		r->buffer_size = 2 * need;
	}
	snprintf(r->buffer, r->buffer_size, "%s", list ? "u=(" : "");
	start = r->buffer + strlen(r->buffer);
	memcpy(start, p->start, p->len);
	start[p->len] = '\0';
	start += strspn(start, " \t\r\n");
	if (*start == ',' || (*start == ';' && !list))
		*start = ' ';
	if (list)
		memcpy(start + strlen(start), "\n)",
			3); /* on a line of its own: the piece may end in a comment */
	return true;
}

static void read_piece(struct reading *r, const struct text_piece *p, bool list)
{
	config_setting_t *members;
	config_t config;

	if (!terminate(r, p, list) || !parse(r, &config, r->buffer, p->line - 1))
		return;
	members = config_root_setting(&config);
	if (list)
		members = config_setting_get_elem(members, 0);
	for (int i = 0; i < config_setting_length(members); i++)
		read_user(r, config_setting_get_elem(members, (unsigned)i), p->line - 1, list);
	done_config(&config);
}

static bool before(const struct claim *a, const struct claim *b)
{
	return a->first != b->first ? a->first < b->first
	       : a->len != b->len   ? a->len < b->len
				    : a->line < b->line;
}

static int by_prefix(const void *a, const void *b)
{
	return before(a, b) ? -1 : before(b, a);
}

static void tell_overlap(struct reading *r, const struct claim *a, const struct claim *b)
{
	const struct claim *first = a->line <= b->line ? a : b, *second = first == a ? b : a;
	char one[PREFIX_TEXT], two[PREFIX_TEXT], user1[AAA_NAME_MAX + 1], user2[AAA_NAME_MAX + 1];
	struct prefix p = {.addr.family = AF_INET6, .len = first->len},
		      q = {.addr.family = AF_INET6, .len = second->len};

	for (unsigned i = 0; i < 8; i++) {
		p.addr.bytes[i] = (uint8_t)(first->first >> (56 - 8 * i));
		q.addr.bytes[i] = (uint8_t)(second->first >> (56 - 8 * i));
	}
	snprintf(user1, sizeof(user1), "%.*s", first->row->name_len, user_name(first->row));
	snprintf(user2, sizeof(user2), "%.*s", second->row->name_len, user_name(second->row));
	tell(r, second->line, "user %.64s: %s overlaps %s of user %.64s in line %u", user2,
		prefix_print(&q, two), prefix_print(&p, one), user1, first->line);
}

/* Prefixes nest or are disjoint: in order, one that overlaps any before it lies in the last that was not itself inside another. */
static void find_overlaps(struct reading *r)
{
	const struct claim *outer = NULL;

	if (r->claim_count)
		qsort(r->claims, r->claim_count, sizeof(r->claims[0]), by_prefix);
	for (size_t i = 0; i < r->claim_count; i++) {
		const struct claim *c = &r->claims[i];

		if (outer && (outer->first ^ c->first) >> (64 - outer->len) == 0)
			tell_overlap(r, outer, c);
		else
			outer = c;
	}
}

/* Peers. */

static bool read_peer_address(struct reading *r, const char *text, unsigned line, struct prefix *ret)
{
	struct addr a;

	if (strchr(text, '/'))
		return get_prefix(r, text, line, "peer: address ", "203.0.113.0/24", ret);
	if (addr_parse(text, &a)) {
		tell(r, line,
			"peer: address \"%.64s\" is not an address or prefix: write it like "
			"\"203.0.113.0/24\"",
			text);
		return false;
	}
	*ret = prefix_of(&a, addr_bits(a.family));
	return true;
}

static void keep_peer(
	struct reading *r, const struct prefix *p, const char *host, const char *secret, unsigned line)
{
	size_t host_len = host ? strlen(host) : 0, secret_len = strlen(secret);
	struct peer_row *row = calloc(1, sizeof(*row) + host_len + secret_len);
	const struct peer_row *other = NULL;
	char text[PREFIX_TEXT], *at;
	int rc = -ENOMEM;

	if (row) {
		at = row->tail;
		row->prefix = *p;
		row->line = line;
		row->host_len = append(&at, host);
		row->secret_len = append(&at, secret);
		rc = users_add_peer(r->users, row, &other);
		if (rc)
			peer_row_free(row);
	}
	if (rc == -EEXIST)
		tell(r, line, "peer %s%s%.64s is there already, in line %u", prefix_print(p, text),
			host ? " with host-name " : "", host ? host : "", other->line);
	else if (rc)
		tell(r, line, "out of memory");
}

static void read_peer(struct reading *r, config_setting_t *group)
{
	unsigned line = config_setting_source_line(group);
	const char *secret = NULL, *host = NULL, *address = NULL;
	struct prefix p = {0};
	size_t problems = r->problem_count;

	if (!config_setting_is_group(group)) {
		tell(r, line,
			"peers: every member must be a group: { address = \"203.0.113.0/24\"; tunnel-secret "
			"= \"...\"; }");
		return;
	}
	for (int i = 0; i < config_setting_length(group); i++) {
		config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
		const char *key = config_setting_name(setting);
		unsigned at = config_setting_source_line(setting);

		if (!strcmp(key, "address")) {
			address = get_string(r, setting, at, "peer: ", 255);
			if (address)
				read_peer_address(r, address, at, &p);
		} else if (!strcmp(key, "tunnel-secret")) {
			secret = get_string(r, setting, at, "peer: ", AAA_SECRET_MAX);
		} else if (!strcmp(key, "host-name")) {
			host = get_string(r, setting, at, "peer: ", 255);
		} else {
			tell_unknown(r, setting, at, "peer: ", "address, tunnel-secret, host-name");
		}
	}
	if (r->problem_count == problems && !address)
		tell(r, line, "peer: has no address: address = \"203.0.113.0/24\";");
	if (r->problem_count == problems && !secret)
		tell(r, line, "peer: has no tunnel-secret: tunnel-secret = \"...\";");
	if (r->problem_count == problems && address && secret)
		keep_peer(r, &p, host, secret, line);
}

static void read_rest(struct reading *r, config_setting_t *root)
{
	if (!config_setting_length(root))
		tell(r, 0, "neither users nor peers: users = { NAME = { secret = \"...\"; }; };");
	for (int i = 0; i < config_setting_length(root); i++) {
		config_setting_t *setting = config_setting_get_elem(root, (unsigned)i);
		const char *name = config_setting_name(setting);
		unsigned line = config_setting_source_line(setting);

		if (!strcmp(name, "users")) {
			if (!config_setting_is_group(setting) && !config_setting_is_list(setting))
				tell(r, line,
					"users must be a group or a list: users = { NAME = { secret = "
					"\"...\"; }; };");
		} else if (strcmp(name, "peers") != 0) {
			tell_unknown(r, setting, line, "", "users, peers");
		} else if (!config_setting_is_list(setting)) {
			tell(r, line,
				"peers must be a list: peers = ( { address = \"203.0.113.0/24\"; "
				"tunnel-secret = \"...\"; } );");
		} else {
			for (int j = 0; j < config_setting_length(setting); j++)
				read_peer(r, config_setting_get_elem(setting, (unsigned)j));
		}
	}
}

static void on_text_problem(void *owner, unsigned line, const char *what)
{
	tell(owner, line, "%s", what);
}

int users_read(struct users *u, char *text, size_t len, const char *path, aaa_error *error, void *owner)
{
	struct reading r = {.users = u};
	struct text pieces = {0};
	bool whole = text_split(&pieces, text, len, on_text_problem, &r);
	config_t config;
	int rc;

	for (size_t i = 0; i < pieces.count; i++)
		read_piece(&r, &pieces.pieces[i], pieces.list);
	if (whole) {
		text_blank_pieces(&pieces);
		if (parse(&r, &config, text, 0)) {
			read_rest(&r, config_root_setting(&config));
			done_config(&config);
		}
	}
	find_overlaps(&r);
	rc = r.problem_count || r.no_memory ? -EINVAL : 0;
	tell_all(&r, path, error, owner);
	if (r.buffer)
		explicit_bzero(r.buffer, r.buffer_size);
	free(r.buffer);
	free(r.claims);
	text_free(&pieces);
	explicit_bzero(text, len);
	return rc;
}
