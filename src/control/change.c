/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two configurations side by side: see change.h.
 *
 * Values are compared as they would be written, which is also how they are told.
 */
#include "control/change.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/keys.h"
#include "control/problem.h"

enum { VALUE_TOLD = 200 }; /* more of a value is not told */

struct change {
	config_change_told *told;
	void *owner;
	bool any;
	unsigned restarts; /* how many of them need one */
};

/* ---- values as they are written ---- */

static uint64_t number_of(const struct config_key *k, const void *value)
{
	uint8_t v8;
	uint16_t v16;
	uint32_t v32;
	uint64_t v64;

	switch (k->size) {
	case 1:
		memcpy(&v8, value, 1);
		return v8;
	case 2:
		memcpy(&v16, value, 2);
		return v16;
	case 4:
		memcpy(&v32, value, 4);
		return v32;
	default:
		memcpy(&v64, value, 8);
		return v64;
	}
}

static void write_addr(FILE *out, const void *value)
{
	char text[ADDR_TEXT];
	struct addr a;

	memcpy(&a, value, sizeof(a));
	fputs(addr_print(&a, text), out);
}

static void write_prefix(FILE *out, const void *value)
{
	char text[PREFIX_TEXT];
	struct prefix p;

	memcpy(&p, value, sizeof(p));
	fputs(prefix_is_none(&p) ? "none" : prefix_print(&p, text), out);
}

static void write_endpoint(FILE *out, const void *value)
{
	char text[ENDPOINT_TEXT];
	struct endpoint e;

	memcpy(&e, value, sizeof(e));
	fputs(e.port == L2TP_PORT ? addr_print(&e.addr, text) : endpoint_print(&e, text), out);
}

static void write_set(FILE *out, const struct config_key *k, uint64_t bits)
{
	bool first = true;

	for (unsigned i = 0; k->words[i]; i++)
		if (bits & (uint64_t)1 << i) {
			fprintf(out, "%s%s", first ? "" : ", ", k->words[i]);
			first = false;
		}
	if (first)
		fputs("none", out);
}

static void write_parsed(FILE *out, const struct config_key *k, const void *value)
{
	char text[CONFIG_VALUE] = "";

	k->syntax->print(value, text);
	fputs(text, out);
}

static void write_value(FILE *out, const struct config_key *k, const void *value)
{
	const char *text = value;

	switch (k->type) {
	case TYPE_BOOL:
		fputs(number_of(k, value) ? "true" : "false", out);
		break;
	case TYPE_UINT:
		fprintf(out, "%llu", (unsigned long long)number_of(k, value));
		break;
	case TYPE_SECONDS:
		fprintf(out, "%.10g", (double)number_of(k, value) / 1000);
		break;
	case TYPE_WORD:
		fputs(k->words[number_of(k, value)], out);
		break;
	case TYPE_SET:
		write_set(out, k, number_of(k, value));
		break;
	case TYPE_PARSED:
		write_parsed(out, k, value);
		break;
	case TYPE_ADDR:
	case TYPE_ADDR4:
	case TYPE_ADDR6:
		write_addr(out, value);
		break;
	case TYPE_ENDPOINT:
		write_endpoint(out, value);
		break;
	case TYPE_PREFIX4:
	case TYPE_PREFIX6:
		write_prefix(out, value);
		break;
	default:
		fputs(*text ? text : "none", out);
	}
}

static unsigned count_of(const struct config_key *k, const char *from)
{
	unsigned n = 1;

	if (k->count_max)
		memcpy(&n, from + k->count_offset, sizeof(n));
	return n;
}

/* Is the value of one group with the one before it? */
static bool is_beside(const struct config_key *k, const char *from, unsigned n)
{
	bool beside = false;

	if (k->beside_offset)
		memcpy(&beside, from + k->beside_offset + n * sizeof(beside), sizeof(beside));
	return beside;
}

/* "192.0.2.1, 192.0.2.2", "a + b, c" with a group; to be freed; NULL: no memory. */
static char *text_of(const struct config_key *k, const char *from)
{
	unsigned count = count_of(k, from);
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	for (unsigned i = 0; i < count; i++) {
		fputs(!i ? "" : is_beside(k, from, i) ? " + " : ", ", out);
		write_value(out, k, config_place(k, from) + (size_t)i * k->size);
	}
	if (!count)
		fputs("none", out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

/* ---- telling ---- */

/* Where a key stands: "concentrator: pool default: ". */
struct place {
	char text[160];
};

static struct place place_in(const struct place *in, const char *what, const char *name)
{
	struct place p;

	/* What does not fit is left out. */
	snprintf(p.text, sizeof(p.text), "%.60s%.40s%s%.40s: ", in->text, what, name ? " " : "",
		name ? name : "");
	return p;
}

static const char *effect_text(enum config_effect effect)
{
	switch (effect) {
	case EFFECT_NEW:
		return " (for new softwires)";
	case EFFECT_RESET:
		return " (the session is reset)";
	case EFFECT_SESSION:
		return " (for the next session)";
	case EFFECT_RESTART:
		return ": this needs a restart";
	default:
		return "";
	}
}

static void tell(struct change *c, const struct place *in, const char *what, const char *value,
	const char *other, enum config_effect effect)
{
	char sentence[2 * VALUE_TOLD + 400];

	snprintf(sentence, sizeof(sentence), "%s%s %.*s%s -> %.*s%s%s", in->text, what, VALUE_TOLD, value,
		strlen(value) > VALUE_TOLD ? "..." : "", VALUE_TOLD, other,
		strlen(other) > VALUE_TOLD ? "..." : "", effect_text(effect));
	plain_text(sentence);
	c->any = true;
	c->restarts += effect == EFFECT_RESTART;
	c->told(c->owner, sentence);
}

static void tell_that(
	struct change *c, const struct place *in, const char *what, const char *is, enum config_effect effect)
{
	char sentence[400];

	snprintf(sentence, sizeof(sentence), "%s%s %s%s", in->text, what, is,
		effect == EFFECT_RESTART ? effect_text(effect) : "");
	plain_text(sentence);
	c->any = true;
	c->restarts += effect == EFFECT_RESTART;
	c->told(c->owner, sentence);
}

static void tell_presence(
	struct change *c, const struct place *in, const char *what, bool is_new, enum config_effect effect)
{
	tell_that(c, in, what, is_new ? "is new" : "is gone", effect);
}

/* ---- comparing ---- */

/* "pool" of "a pool". */
static const char *member_word(const struct config_key *k)
{
	if (k->rows)
		return k->rows->name;
	const char *space = strchr(k->section->title, ' ');

	return space ? space + 1 : k->name;
}

enum config_effect config_effect_of(const struct config_section *section, const struct config_key *k)
{
	return k->effect ? k->effect : section->effect;
}

static void copy_value(const struct config_key *k, const char *from, char *to)
{
	size_t elements = k->count_max && !k->heap ? k->count_max : 1;

	if (k->heap)
		return; /* of a group that as a whole stays as it was */
	memcpy(to + k->offset, from + k->offset, elements * k->size);
	if (k->count_max)
		memcpy(to + k->count_offset, from + k->count_offset, sizeof(unsigned));
	if (k->beside_offset)
		memcpy(to + k->beside_offset, from + k->beside_offset, elements * sizeof(bool));
}

static void change_value(struct change *c, const struct place *in, const struct config_section *section,
	const struct config_key *k, const char *old, char *new)
{
	enum config_effect effect = config_effect_of(section, k);
	char *before = text_of(k, old), *after = text_of(k, new);

	if (k->empty_restarts && !count_of(k, old) != !count_of(k, new))
		effect = EFFECT_RESTART;
	if (before && after && strcmp(before, after) != 0)
		tell(c, in, k->name, before, after, effect);
	if (effect == EFFECT_RESTART || !before || !after)
		copy_value(k, old, new);
	free(before);
	free(after);
}

static void change_section(struct change *c, const struct place *in, const struct config_section *section,
	const char *old, char *new);

static const char *member_name(const struct config_key *k, const char *in, unsigned n)
{
	return config_place(k, in) + (size_t)n * k->size + k->name_offset;
}

/* The member of IN with the name that is looked for, or NULL. */
static char *find_member(const struct config_key *k, const char *in, const char *name)
{
	for (unsigned n = 0; n < count_of(k, in); n++)
		if (!strcmp(member_name(k, in, n), name))
			return config_place(k, in) + (size_t)n * k->size;
	return NULL;
}

static void tell_member(struct change *c, const struct place *in, const struct config_key *k,
	const char *name, bool is_new, enum config_effect effect)
{
	char what[300];

	snprintf(what, sizeof(what), "%s %s", member_word(k), name);
	tell_presence(c, in, what, is_new, effect);
}

static bool rows_same(const struct config_key *k, const char *old, const char *new)
{
	const char *x = config_place(k, old), *y = config_place(k, new);

	if (count_of(k, old) != count_of(k, new))
		return false;
	for (unsigned n = 0; n < count_of(k, old); n++, x += k->size, y += k->size)
		if (k->same ? !k->same(x, y) : memcmp(x, y, k->size) != 0)
			return false;
	return true;
}

/* Rows have no names to tell differences by. */
static void change_rows(struct change *c, const struct place *in, const struct config_section *section,
	const struct config_key *k, const char *old, const char *new)
{
	if (!rows_same(k, old, new))
		tell_that(c, in, k->name, "has changed", config_effect_of(section, k));
}

/* A member that was there before, too. */
static void change_member(struct change *c, const struct place *in, const struct config_key *k,
	enum config_effect effect, const char *old, char *new)
{
	const char *name = new + k->name_offset;
	struct place place = place_in(in, member_word(k), name);
	char what[300];

	if (k->type == TYPE_NAMED) {
		change_section(c, &place, k->section, old, new);
	} else if (!k->same(old, new)) {
		snprintf(what, sizeof(what), "%s %s", member_word(k), name);
		tell_that(c, in, what, "has changed", effect);
	}
}

static void change_named(struct change *c, const struct place *in, const struct config_section *section,
	const struct config_key *k, const char *old, char *new)
{
	enum config_effect effect = config_effect_of(section, k);

	for (unsigned n = 0; n < count_of(k, new); n++) {
		const char *name = member_name(k, new, n), *before = find_member(k, old, name);

		if (before)
			change_member(c, in, k, effect, before, config_place(k, new) + (size_t)n * k->size);
		else
			tell_member(c, in, k, name, true, effect);
	}
	for (unsigned n = 0; n < count_of(k, old); n++)
		if (!find_member(k, new, member_name(k, old, n)))
			tell_member(c, in, k, member_name(k, old, n), false, effect);
}

/* A group that has a place of its own in the struct came or went: what is in it is not told. */
static bool change_presence(struct change *c, const struct place *in, const struct config_section *section,
	const struct config_key *k, const char *old, char *new)
{
	bool before, after;

	memcpy(&before, old + k->count_offset, sizeof(before));
	memcpy(&after, new + k->count_offset, sizeof(after));
	if (before == after)
		return !after;
	tell_presence(c, in, k->name, after, config_effect_of(section, k));
	if (config_effect_of(section, k) == EFFECT_RESTART)
		memcpy(new + k->offset, old + k->offset, k->size);
	return true;
}

/* The group of OLD once more instead of NEW's own. */
static void keep_shared(const struct config_key *k, const char *old, char *new)
{
	const char *before = config_place(k, old);
	void *kept = before ? k->life->ref(before) : NULL;

	k->life->unref(config_place(k, new));
	memcpy(new + k->offset, (const void *)&kept, sizeof(kept));
}

/*
 * A group in a struct of its own. What needs a restart may be what other values depend on (who is internal follows from our AS), so it keeps all of
 * them as they were.
 */
static void change_shared(struct change *c, const struct place *in, const struct config_section *section,
	const struct config_key *k, const char *old, char *new)
{
	const char *before = config_place(k, old);
	char *after = config_place(k, new);
	struct place place = place_in(in, k->name, NULL);
	unsigned restarts = c->restarts;

	if (!before != !after)
		tell_presence(c, in, k->name, !before, config_effect_of(section, k));
	else if (before)
		change_section(c, &place, k->section, before, after);
	if (c->restarts == restarts)
		return;
	if (before && after)
		tell_that(c, in, k->name, "stays as it was, all of it, until that restart", EFFECT_LIVE);
	keep_shared(k, old, new);
}

static void change_group(struct change *c, const struct place *in, const struct config_section *section,
	const struct config_key *k, const char *old, char *new)
{
	struct place place = place_in(in, k->name, NULL);

	if (k->heap)
		change_shared(c, in, section, k, old, new);
	else if (!k->count_max || !change_presence(c, in, section, k, old, new))
		change_section(c, &place, k->section, old + k->offset, new + k->offset);
}

static void change_section(struct change *c, const struct place *in, const struct config_section *section,
	const char *old, char *new)
{
	for (unsigned i = 0; i < section->count; i++) {
		const struct config_key *k = &section->keys[i];

		switch (k->type) {
		case TYPE_ABSENT:
			break;
		case TYPE_NAMED:
		case TYPE_TABLES:
			change_named(c, in, section, k, old, new);
			break;
		case TYPE_ROWS:
			change_rows(c, in, section, k, old, new);
			break;
		case TYPE_GROUP:
			change_group(c, in, section, k, old, new);
			break;
		default:
			change_value(c, in, section, k, old, new);
		}
	}
}

/* What follows from `auth` of an initiator is no key of its own. */
static void keep_derived(const struct config *old, struct config *new)
{
	for (unsigned n = 0; n < new->initiator_count; n++)
		for (unsigned i = 0; i < old->initiator_count; i++)
			if (!strcmp(old->initiators[i].name, new->initiators[n].name)) {
				new->initiators[n].auth = old->initiators[i].auth;
				new->initiators[n].eap_md5 = old->initiators[i].eap_md5;
			}
}

bool config_change(const struct config *old, struct config *new, config_change_told *told, void *owner)
{
	struct change c = {.told = told, .owner = owner};
	struct place root = {""};

	change_section(&c, &root, &config_file_section, (const char *)old, (char *)new);
	keep_derived(old, new);
	return c.any;
}
