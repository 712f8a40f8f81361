/* print: what the daemon answers, for people: aligned tables, human units. Everything comes from the JSON of doc/control.md. */
#ifndef CONTROL_PRINT_H
#define CONTROL_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

enum { PRINT_COLUMNS = 16 };

/* What the pages of one table have in common: columns stay where they are. All 0 before the first. */
struct print_shape {
	size_t widths[PRINT_COLUMNS];
	bool begun;
};

/* ROWS: the array of the same name in the answer. NOW: wall clock, for ages. */
void print_softwires(FILE *out, const json_t *rows);
void print_tunnels(FILE *out, const json_t *rows);
void print_leases(FILE *out, const json_t *rows, time_t now);
/* Records for the zone files of the parents, HS-PROV-12. */
void print_reverse_zones(FILE *out, const json_t *rows);
/* mesh_print.c. Routes come in pages; those of a table that is one page, WHOLE, stand in order. */
void print_bgp_neighbors(FILE *out, const json_t *rows);
void print_bgp_routes(FILE *out, const json_t *rows, struct print_shape *shape, bool whole);
void print_bgp_attributes(FILE *out, const json_t *rows);
/* mesh_neighbor.c: ourselves, in a line or two; all that is known of one neighbour. */
void print_bgp_speaker(FILE *out, const json_t *speaker);
void print_bgp_neighbor(FILE *out, const json_t *neighbor);
/* All paths for one prefix, and why. */
void print_bgp_route(FILE *out, const json_t *route);
/* mesh_path_print.c: pages of paths, and of routes as the kernel was told them; WHOLE as above. */
void print_mesh_paths(FILE *out, const json_t *rows, struct print_shape *shape, bool whole);
void print_mesh_fib(FILE *out, const json_t *rows, struct print_shape *shape, bool whole);
void print_mesh_endpoints(FILE *out, const json_t *rows);
/* All that is known of one. */
void print_mesh_endpoint(FILE *out, const json_t *row);
/* What is taken, from whom, and what is dropped. */
void print_mesh_acceptance(FILE *out, const json_t *acceptance);
/* Counters that are not 0; FILTER (may be NULL) is a role, an initiator, a group or a part of a name. */
void print_counters(FILE *out, const json_t *counters, const char *filter);
/* One line per trace event. */
void print_trace(FILE *out, const json_t *event);

/* BUF gets "1.4M", "3d 4h", of at most 15 characters. */
const char *print_bytes(double bytes, char buf[16]);
const char *print_seconds(double seconds, char buf[16]);

#endif
