/*
 * Softwires without a kernel: the engine's tables, in which the neighbours at 2001:db8:ff::1, 2, 3 ... (sources 1, 2, 3 ...) tell routes, a core whose ways the test makes, the
 * real tables of the data plane, and a keeper that notes down which neighbour entries it is asked for, and answers when it is told to.
 */
#ifndef TESTS_AFBR_MESH_H
#define TESTS_AFBR_MESH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "afbr/softwires.h"

enum { MESH_NEIGHBORS = 8, MESH_WAYS = 16, MESH_ASKED = 64, LOGGED = 65536 };

struct mesh_way {
	struct addr to;
	struct nexthop_core way;
};

struct mesh_request {
	bool add, answered;
	unsigned count;
	uint32_t numbers[SOFTWIRE_NEIGHBOURS];
	keeper_answer *answer;
	void *owner;
};

struct bgp_neighbor {
	struct addr address;
	bool flushing;
};

struct bgp {
	struct afbr *role;
	struct bgp_sets sets;
	struct rib ribs[BGP_FAMILIES];
	struct decision_ops decision;
	struct decision_source sources[MESH_NEIGHBORS + 1];
	struct bgp_neighbor neighbors[MESH_NEIGHBORS + 1];
};

struct stage {
	struct loop loop;
	struct log log;
	int log_fd, store_fd;
	struct bgp bgp;
	struct afbr role;
	struct afbr_config *config;
	struct softwires *softwires;
	struct mesh_table table;
	struct mesh_way ways[MESH_WAYS];
	unsigned way_count, core_questions;
	struct mesh_request asked[MESH_ASKED];
	unsigned asked_count;
	unsigned again; /* export_again() */
	unsigned drained_paths; /* that were there when the device was drained last */
	bool busy;      /* !export_is_quiet() */
};

/* An IPv6 core, our address 2001:db8:ff::ff, IPv4 routes whose next hops are in it go through softwires, without rules. */
struct stage *stage_new(void);
/* softwires as after softwire_start() and softwire_with_engine(); WITH_STORE: the stage's memory is its store. */
void stage_begin(struct stage *s, bool with_store);
/* As a process that dies: the store stays. */
void stage_end(struct stage *s);
void stage_free(struct stage *s);
/* Timers that are due within MS fire. */
void stage_pass(struct stage *s, msec ms);
const char *stage_log(struct stage *s, char text[LOGGED]);

/* The core has a way to TEXT; VIA may be NULL. MTU 0: none. WHY NULL: it is reached. */
void stage_way(struct stage *s, const char *text, const char *via, uint32_t mtu, const char *why);
struct addr to_addr(const char *text);
struct prefix to_prefix(const char *text);
/* Neighbour SOURCE tells PREFIX; TUNNELS in the attribute, if COUNT is not 0. Returns the net. */
rib_id learn(struct stage *s, enum bgp_family family, uint16_t source, const char *prefix,
	const char *next_hop, uint32_t label, const struct bgp_tunnel *tunnels, unsigned count);
void unlearn(struct stage *s, enum bgp_family family, uint16_t source, const char *prefix);
/* path_for(), of which there has to be one. */
const struct mesh_path *path_of(struct stage *s, enum bgp_family family, rib_id net);
/* Why there is none. */
const char *no_path(struct stage *s, enum bgp_family family, rib_id net);
/* What the keeper was asked for and has not answered is answered with RESULT. */
void stage_answer(struct stage *s, int result);
/* Of NUMBER: is its neighbour entry there, by what the keeper was asked? */
bool has_neighbour(const struct stage *s, uint32_t number);

#endif
