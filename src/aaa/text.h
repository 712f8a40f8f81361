/*
 * text: cuts the text of a users file into one piece per user, so that each goes through libconfig alone.
 *
 * libconfig looks for duplicates in a group by walking over it, so that 50,000 users in one group take half a minute; and it
 * stops at the first error. One piece at a time costs the same for every user, and each piece can have an error of its own.
 * This knows as much of the syntax as finding the pieces takes: strings, comments, brackets.
 */
#ifndef AAA_TEXT_H
#define AAA_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text_piece {
	char *start;
	size_t len;
	unsigned line; /* of its first byte */
};

struct text {
	struct text_piece *pieces; /* the members of `users` */
	size_t count, size;
	bool list; /* users = ( ... ), not { ... } */
};

/* Something is wrong with the text itself: what comes after LINE cannot be understood. */
typedef void text_problem(void *owner, unsigned line, const char *what);

/* Finds the pieces of DATA, which stay inside it. False after a problem; the pieces before it are there all the same. */
bool text_split(struct text *t, char *data, size_t len, text_problem *problem, void *owner);
/* Overwrites the pieces with spaces, but for newlines: what is left is the file without its users, every line in its place. */
void text_blank_pieces(struct text *t);
void text_free(struct text *t);

#endif
