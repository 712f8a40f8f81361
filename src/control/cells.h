/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/cells: tables for people, as print.c and mesh_print.c make them: a column is a heading and a function that makes a cell of a JSON object. */
#ifndef CONTROL_CELLS_H
#define CONTROL_CELLS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "control/print.h"

enum { CELL = 320 };

struct context {
	time_t now;
	struct print_shape *shape; /* of a table that comes in pages; NULL */
};

struct column {
	const char *heading;
	bool right;
	void (*cell)(const json_t *row, const struct context *x, char text[CELL]);
};
#define CELL_FUNCTION(name) static void name(const json_t *row, const struct context *x, char text[CELL])

/*
 * A column without a single cell is left out; a page that needs one which the pages before it did without has a heading of its own. X may be NULL. EMPTY is said
 * when there are no rows.
 */
void print_table(FILE *out, const json_t *rows, const struct context *x, const struct column *columns,
	unsigned count, const char *empty);
#define PRINT(out, rows, x, columns, empty)                                                                  \
	print_table(out, rows, x, columns, sizeof(columns) / sizeof((columns)[0]), empty)

/* A member of ROW; "", 0 where there is none. */
const char *cell_text(const json_t *row, const char *name);
double cell_number(const json_t *row, const char *name);
bool cell_has_number(const json_t *row, const char *name);
/* VALUE may come from peers: no byte of it moves the cursor or changes colours. Cut at a character. */
void cell_put(char text[CELL], const char *value);
void cell_put_integer(const json_t *row, const char *name, char text[CELL]);
/* The first one, and how many more. */
void cell_put_array(const json_t *array, char text[CELL]);

#endif
