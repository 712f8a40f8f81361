/* A mesh made of paper: it answers what is always the same, and notes down what it was asked. For tests of the control socket. */
#ifndef TESTS_CONTROL_PAPER_H
#define TESTS_CONTROL_PAPER_H

#include "afbr/afbr.h"

struct afbr {
	unsigned changes;
	char name[64], words[64];
	bool all, in, out;
	struct afbr_route_query query;
	struct prefix within;
	uint64_t next; /* that routes are answered with */
	struct prefix route;
	bool exact;
	bool no_core; /* and nothing of softwires is there */
	struct addr address; /* of an endpoint */
	bool shut;
	void (*dumped)(void *owner, const char *path, const char *why);
	void *owner;
};

#endif
