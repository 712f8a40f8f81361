/*
 * reading: a users file while it is read: what its parts share. All problems are collected and told in the order of their lines.
 *
 * Parts: file.c (the file, peers), user.c (one user), reading.c (problems, texts, prefixes, overlaps).
 */
#ifndef AAA_READING_H
#define AAA_READING_H

#include <libconfig.h>

#include "aaa/users.h"

struct reading {
	struct users *users;
	struct reading_problem *problems;
	size_t problem_count, problem_size;
	bool no_memory; /* for a problem's text */
	struct reading_claim *claims;
	size_t claim_count, claim_size;
	char *buffer; /* a piece, terminated */
	size_t buffer_size;
};

void reading_tell(struct reading *r, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Tells and frees the problems. */
void reading_tell_all(struct reading *r, const char *path, aaa_error *error, void *owner);

/* LABEL is what messages begin with: "user alice: ". */

/* KEYS is a list of words with ", " between them, as it is shown. */
void reading_unknown(struct reading *r, const config_setting_t *setting, unsigned line, const char *label,
	const char *keys);
/* A non-empty string of at most MAX bytes, or NULL after having told why not. */
const char *reading_string(
	struct reading *r, config_setting_t *setting, unsigned line, const char *label, size_t max);
/* ADDRESS/LENGTH with all host bits zero. */
bool reading_prefix(struct reading *r, const char *text, unsigned line, const char *label,
	const char *example, struct prefix *ret);
/* Copies TEXT, which may be NULL, without its NUL, and moves *at behind it. At most 255 bytes. */
uint8_t reading_append(char **at, const char *text);

/* P is fixed for ROW, whose file says so in LINE. */
void reading_note_prefix(
	struct reading *r, const struct prefix *p, unsigned line, const struct user_row *row);
/* Tells which of them overlap, and frees them. */
void reading_overlaps(struct reading *r);

/* One member of `users`: a group. BASE is what a line of the piece is to be added to. */
void user_read(struct reading *r, config_setting_t *group, unsigned base, bool listed);

#endif
