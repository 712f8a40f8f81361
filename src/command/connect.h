/*
 * command/connect: what the files of the quick client share: `softwire connect`, with and without --probe. Not for other folders.
 *
 *   option.c    options as rows of a table (option.h)
 *   target.c    alice@sc.example.net:1701
 *   password.c  from the terminal, a file, or a descriptor
 *   native.c    which default routes this host has
 *   plan.c      from all that, a configuration with one initiator
 *   failure.c   why it failed, in words that a person can act on
 *   screen.c    what goes to the terminal: lines, JSON, and one line that lives
 *   watch.c     the engine process's side: looks at the initiator, tells what happens, ends it
 *   connect.c   the command
 *   probe.c     `softwire connect --probe`: tests a server instead; trial.c (one address), wire.c (its UDP socket), sounding.c (what size gets
 *               through)
 */
#ifndef COMMAND_CONNECT_H
#define COMMAND_CONNECT_H

#include "command/option.h"
#include "daemon/daemon.h"
#include "lib/text.h"

struct json_t;

/* ---- option table: connect.c ---- */

struct connect_options {
	bool probe, ipv6, ipv4, route, no_route, no_dns, once, stateless, trusted, verbose, json, help;
	const char *password_file;
	struct option_number password_fd, mtu, port, seconds, wait;
	struct option_list lan;
};

extern const struct option_table connect_options;

/* ---- target.c ---- */

struct target {
	char user[256]; /* "": none */
	char host[256]; /* a name, or an address */
	bool literal;	/* it is the address ... */
	struct addr address;
	uint16_t port;
};

/* USER@HOST, USER@HOST:PORT, HOST: the last @ counts. PORT: as --port says. False, with WHY. */
bool target_parse(const char *text, const struct option_number *port, struct target *ret, char why[160]);
/* As `server` wants it: "sc.example.net:1701", "[2001:db8::1]:1701". */
const char *target_server(const struct target *t, char buf[300]);

/* ---- password.c ---- */

enum { PASSWORD_MAX = 255 };

/* False, with WHY. The caller wipes it. */
bool password_get(const struct connect_options *o, const struct target *t, char secret[PASSWORD_MAX + 1],
	size_t *ret_len, char why[160]);
/*
 * An unnamed file in memory that holds it, readable by us alone: the keeper opens it by /proc/self/fd/N for the engine process, again after a
 * crash of that one, as it does password files. A descriptor or -errno.
 */
int password_keep(const char *secret, size_t len);

/* ---- native.c ---- */

struct native_route {
	bool present;
	char device[16];
	uint32_t metric; /* the best one's */
};

struct native {
	struct native_route ipv6, ipv4;
};

/* From the texts of /proc/net/route and /proc/net/ipv6_route; NULL: there is no such family. */
void native_read(FILE *route4, FILE *route6, struct native *ret);
void native_find(struct native *ret);

/* ---- plan.c ---- */

struct plan {
	char name[12];	   /* of the initiator; si-NAME is the device */
	char password[32]; /* a path; "": none */
	bool ipv6, ipv4;   /* are carried ... */
	bool route6, route4; /* ... and their default routes lead through the softwire */
	char note[256];	   /* about that, for the user; "": nothing to say */
};

/* Whether the options go together, on whatever host. False, with WHY. */
bool plan_options(const struct connect_options *o, char why[256]);
/* Which families, and whose default routes. False, with WHY. */
bool plan_families(const struct connect_options *o, const struct native *n, struct plan *p, char why[256]);
/* A device name that nobody has. */
void plan_name(struct plan *p);
/* False, with WHY. */
bool plan_config(const struct connect_options *o, const struct target *t, const struct plan *p,
	struct config *ret, char why[256]);

/* ---- failure.c ---- */

struct failure {
	const struct target *target;
	const char *address; /* "192.0.2.1:1701"; NULL: it has not come to that */
	const char *step;    /* enum softwire_step in words; "resolve", "route" before */
	const char *cause;   /* enum softwire_cause in words; NULL */
	const char *text;
};

/* From last_error ("STEP: TEXT") and last_cause of an initiator: points into ERROR, which is cut in two. */
void failure_of(char *error, const char *cause, struct failure *ret);
/* One sentence, without a full stop. */
void failure_print(const struct failure *f, char *buf, size_t size);
/* Trying again would not help: names and passwords do not get better by themselves. WAS_UP: it has worked before. */
bool failure_is_final(const struct failure *f, bool was_up);

/* ---- screen.c ---- */

struct screen {
	FILE *out;
	bool json, terminal;
	bool broken; /* nobody reads any more */
	char live[160]; /* what stands in the last line; "": nothing */
};

void screen_init(struct screen *s, FILE *out, bool json);
/* EVENT (its reference is taken over) as JSON, or a line for people; FORMAT NULL: people are not told. */
void screen_event(struct screen *s, struct json_t *event, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Only on a terminal; "" takes it away. */
void screen_live(struct screen *s, const char *text);
/* "1.2 Mbit/s" */
const char *screen_rate(double bytes_per_second, char buf[24]);
/* "00:12:05", "3d 04:10:00" */
const char *screen_clock(uint64_t seconds, char buf[24]);

/* ---- watch.c ---- */

struct watch {
	struct worker_observer observer;
	struct screen screen;
	const struct connect_options *options;
	const struct target *target;
	const struct plan *plan;

	struct worker *worker;
	struct loop *loop;
	struct initiator *initiator;
	struct wheel_timer timer;
	msec started_at;

	/* The last packet that was traced: whose, and when in its life. */
	uint32_t traced;
	msec traced_ms;

	/* Of the attempt that is on, or was last. */
	uint32_t attempt;
	msec attempt_at, tunnel_at; /* when it began, and was through to PPP */
	bool tunnel_told, auth_told, up_told, down_told;
	char down_text[256]; /* what was told last */
	char sentence[400];  /* for people */
	char peer[64];	     /* "192.0.2.1:1701" */

	struct json_t *network; /* what was told; NULL: nothing */
	struct json_t *seen;	/* what was seen last, and since when */
	msec seen_at;

	/* Bytes of earlier softwires, of this one, and at the last look. */
	uint64_t down_before, up_before, down_now, up_now, down_last, up_last;
	msec rate_at;
	msec first_up_at; /* 0: never */
	msec ended_at;
	msec report_at;

	char error[400]; /* what the log said last */
	bool ending, failed;
	char reason[400];
};

void watch_init(struct watch *w, const struct connect_options *o, const struct target *t, const struct plan *p);

#endif
