/*
 * keys: every setting of the configuration file as a row of a table.
 *
 * Reading, error texts, what a reload changes, softwired.conf(5) (which a unit test compares with these tables) follow from the rows.
 */
#ifndef CONTROL_KEYS_H
#define CONTROL_KEYS_H

#include <stdint.h>
#include <string.h>

#include "control/problem.h"

enum config_type {
	TYPE_BOOL,
	TYPE_UINT,
	TYPE_SECONDS, /* kept, and bounded here, in milliseconds; may be written 0.5 */
	TYPE_TEXT,
	TYPE_WORD, /* kept as the index of the word */
	TYPE_SET,  /* some words; kept as a bit for each */
	TYPE_PATH,
	TYPE_NAME, /* of a network interface */
	TYPE_SERVER,
	TYPE_ADDR,
	TYPE_ADDR4,
	TYPE_ADDR6,
	TYPE_ENDPOINT,
	TYPE_PREFIX4,
	TYPE_PREFIX6,
	TYPE_HOST,   /* a DNS name */
	TYPE_PARSED, /* a text that the row's `syntax` reads */
	TYPE_GROUP,  /* { ... } */
	TYPE_NAMED,  /* { name = { ... }; ... } */
	TYPE_ROWS,   /* ( { ... }, { ... } ) */
	TYPE_TABLES, /* { name = ( { ... }, { ... } ); ... } */
	TYPE_ABSENT, /* a key that people will expect; HELP says why it is not there */
};

struct config_section;

/* How values look that only one part of the daemon knows. */
enum { CONFIG_VALUE = 128 };
struct config_syntax {
	const char *expectation;                    /* "an AS number, ..." */
	bool (*parse)(const char *text, void *ret); /* *ret is as large as the row's `size`, and zeroed */
	void (*print)(const void *value, char buf[CONFIG_VALUE]);
	bool numbers; /* whole numbers may stand without quotes */
};

/* Of a group's struct that is allocated, and shared by references; immutable once the file has been read. */
struct config_life {
	void *(*make)(void); /* NULL: no memory */
	void *(*ref)(const void *group);
	void (*unref)(void *group);
};

/* When a changed value counts after a reload. */
enum config_effect {
	EFFECT_SECTION, /* of a key: as its section's */
	EFFECT_LIVE,    /* at once, for softwires that are up, too */
	EFFECT_NEW,     /* for those that come up from then on */
	EFFECT_RESET,   /* of a BGP neighbour: at once, and its session is reset */
	EFFECT_SESSION, /* for its next session */
	EFFECT_RESTART,
};

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the order in which people read a row */
struct config_key {
	const char *name;
	enum config_type type;
	uint32_t offset, size; /* in the section's struct; of one element */
	uint32_t count_offset,
		count_max; /* lists and TYPE_NAMED: where the count goes, and its limit; one value may stand without brackets */
	uint32_t name_offset, name_size; /* TYPE_NAMED, TYPE_TABLES: in the element */
	bool heap; /* what stands at `offset` is a pointer: to the elements, allocated by the reader, or to the struct of a group with a `life` */
	const struct config_life *life;
	uint32_t given_offset; /* where a bool tells that the key stands in the file; 0: nowhere */
	uint32_t
		beside_offset; /* lists whose elements may be lists in turn: an array of bool, "of one group with the one before"; 0: no */
	int64_t min, max;         /* numbers; lists: min is the least count */
	const char *const *words; /* TYPE_WORD, TYPE_SET, TYPE_TEXT: what is allowed, NULL at the end */
	const struct config_syntax *syntax;
	const struct config_section *section; /* of a group, of each named one, of each row */
	const struct config_key *rows; /* TYPE_TABLES: the row of each one's rows, in the element's struct */
	bool (*same)(
		const void *a, const void *b); /* TYPE_ROWS, TYPE_TABLES: of elements; NULL: byte by byte */
	const char *preset;                    /* the default as it would be written; NULL: none */
	const char *derived;                   /* a default that depends on others, in words */
	bool required;
	enum config_effect effect;
	bool empty_restarts; /* lists: between none and some lies a restart all the same */
	const char *help;    /* one line */
};

struct config_section {
	const char *title; /* for messages: "`concentrator`", "a pool" */
	const struct config_key *keys;
	unsigned count;
	enum config_effect effect; /* of keys that say nothing else */
};

extern const struct config_section config_file_section; /* the root */
extern const struct config_section config_afbr_section; /* mesh_keys.c */
extern const struct config_life config_afbr_life;

/* The words of `auth`. */
enum auth_word { AUTH_CHAP, AUTH_MSCHAPV2, AUTH_EAP_TLS, AUTH_EAP_MD5, AUTH_PAP };

/* What would be right: "a whole number, 0 to 3600". */
struct expectation {
	char text[280];
};
struct expectation config_expectation(const struct config_key *k);
enum config_effect config_effect_of(const struct config_section *section, const struct config_key *k);

/* Where the elements of K's list or named groups begin, and the struct of a group; NULL: none was allocated. */
static inline char *config_place(const struct config_key *k, const void *in)
{
	char *at = (char *)in + k->offset;

	if (k->heap)
		memcpy((void *)&at, (const void *)at, sizeof(at));
	return at;
}

/* Fills STRUCT with the defaults of the section's keys. */
void config_presets(const struct config_section *section, void *into);
/* Reads GROUP's settings into STRUCT; every error is reported. */
void config_read_section(
	struct problems *r, const struct config_section *section, const config_setting_t *group, void *into);

/* The rules that concern more than one key, and defaults that depend on others. ROOT is the parsed file. */
void config_rules(struct problems *r, const config_setting_t *root, struct config *c);
/* Modes and contents of the files that C names. */
void config_files(struct problems *r, const config_setting_t *root, const struct config *c);

/* Where a value goes: one, or a list with its count; and the same on the heap, with a limit. */
#define CONFIG_COUNT(a)       (sizeof(a) / sizeof((a)[0]))
#define CONFIG_INTO(s, field) .offset = offsetof(struct s, field), .size = sizeof(((struct s *)0)->field)
#define CONFIG_LIST(s, field, count)                                                                         \
	.offset = offsetof(struct s, field), .size = sizeof(((struct s *)0)->field[0]),                      \
	.count_offset = offsetof(struct s, count), .count_max = CONFIG_COUNT(((struct s *)0)->field)
#define CONFIG_HEAP(s, field, count, limit)                                                                  \
	.offset = offsetof(struct s, field), .size = sizeof(((struct s *)0)->field[0]),                      \
	.count_offset = offsetof(struct s, count), .count_max = (limit), .heap = true

#endif
