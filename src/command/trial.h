/*
 * command/trial: one server address tested, step by step, by an initiator's engine on a plain UDP socket: no root, no device, and nothing of
 * this host is changed.
 *
 *   reach    does anything answer there, or say that nothing can?
 *   tunnel   L2TP: who is it, and does it want tunnel authentication? (Without a user name this is the last step.)
 *   auth     PPP: how, and is the user let in?
 *   address  which, of both families
 *   prefix   which is delegated
 *   mtu      pings of several sizes to the server's end of the softwire, whose answers come back in full: what does get through?
 */
#ifndef COMMAND_TRIAL_H
#define COMMAND_TRIAL_H

#include "command/connect.h"

/* A line of the report. */
enum trial_status { TRIAL_OK, TRIAL_FAILED, TRIAL_NONE }; /* NONE: nothing to be tested, or nothing that counts */

struct trial_line {
	const char *step; /* a static word */
	enum trial_status status;
	uint32_t ms;
	char detail[320];
};

struct trial_plan {
	const struct target *target;
	const char *secret;
	size_t secret_len;
	bool ipv6, ipv4;   /* which to ask for ... */
	bool need6, need4; /* ... and to insist on */
	bool fallback;	   /* there are other addresses: that this host cannot send to this one does not count */
	uint32_t wait_ms;
	uint16_t mtu;	/* 0: from the path */
	int interrupts; /* a descriptor that can be read when the user wants an end; -1 */
	void (*told)(void *owner, const struct trial_line *line);
	void *owner;
};

struct trial_result {
	struct endpoint server;
	bool failed, tested; /* not TESTED: this host cannot send there, and need not */
	bool interrupted;
	const char *step;    /* where it failed */
	char sentence[400];  /* and why, and what to do */
};

/* Returns when it is over, or the user has interrupted it. */
void trial_run(const struct trial_plan *p, const struct endpoint *server, struct trial_result *ret);

#endif
