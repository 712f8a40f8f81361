/*
 * log: one line per event, key=value, to a file descriptor.
 *
 *   struct log_line l;
 *   if (log_begin(log, &l, LEVEL_INFO, "up")) {          // false, and nothing is formatted, when the level is off
 *           log_uint(&l, "softwire", 17);
 *           log_text(&l, "user", name);                  // quoted and escaped when it needs to be
 *           log_end(&l);
 *   }
 *
 * gives   level=info event=up softwire=17 user=alice
 *
 * Text from peers is escaped (no control bytes, no forged keys) and cut at 256 bytes. Secrets are never given to the log.
 * A line longer than LOG_LINE is cut and ends in "...". Under systemd (JOURNAL_STREAM) a "<N>" priority precedes.
 * Lines that a peer can provoke go through a limit: limit_ok() first; what was suppressed is told
 * with the next line that passes (suppressed=N).
 * A line leaves in one write(2), so lines of several processes do not mix; errno is preserved; a line that cannot be written is lost.
 * Sinks: besides its descriptor (-1: none) a log has an optional tap that gets every finished line, without priority
 * and newline (softwire trace uses it).
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/wheel.h"

enum log_level { LEVEL_ERROR, LEVEL_WARN, LEVEL_INFO, LEVEL_DEBUG };

enum { LOG_LINE = 1024 };

struct log {
	int fd;
	enum log_level level;
	bool priority;
	bool timestamps;                                            /* time=... first; off under journald */
	void (*tap)(struct log *log, const char *line, size_t len); /* may be NULL */
	void *tap_owner;
};

struct log_line {
	struct log *log;
	size_t len;
	enum log_level level;
	bool cut; /* the line is full: what follows is dropped */
	char text[LOG_LINE];
};

void log_init(struct log *log, int fd, enum log_level level);
/* false when LEVEL is off or LOG is NULL. EVENT is a static word. */
bool log_begin(struct log *log, struct log_line *l, enum log_level level, const char *event);
void log_text(struct log_line *l, const char *key, const char *value);
void log_textn(struct log_line *l, const char *key, const void *value,
	size_t len); /* not terminated, maybe binary */
void log_uint(struct log_line *l, const char *key, uint64_t value);
void log_int(struct log_line *l, const char *key, int64_t value);
void log_addr(struct log_line *l, const char *key, const struct addr *value);
void log_prefix(struct log_line *l, const char *key, const struct prefix *value);
void log_endpoint(struct log_line *l, const char *key, const struct endpoint *value);
/* A sentence for people; same escaping as log_text, cut at 768 bytes. */
void log_format(struct log_line *l, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void log_end(struct log_line *l);

/* The whole of a simple line: log_message(log, LEVEL_WARN, "config", "text %s", ...) -> message="..." */
void log_message(struct log *log, enum log_level level, const char *event, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

const char *log_level_name(enum log_level level);
/* 0 or -EINVAL. */
int log_level_parse(const char *text, enum log_level *ret);

/* A token bucket, for log lines and replies that a peer can provoke. 8 bytes of state plus a time. */
struct limit {
	msec last;
	uint32_t spent;      /* tokens taken and not yet refilled, in thousandths: 0 is a full bucket */
	uint32_t suppressed; /* refusals; whoever tells them sets it to 0 */
};
/* May one more pass now, at RATE per second with bursts of BURST? A zeroed limit starts full. */
bool limit_ok(struct limit *l, msec now, uint32_t rate, uint32_t burst);
/*
 * A table of limits by peer address (IPv6 by /64), bounded: the least recently used peer is forgotten.
 * limit_table_ok: may PEER have one more now? If so, *ret_suppressed (may be NULL) is how many were refused since the last one.
 */
struct limit_table;
struct limit_table *limit_table_new(size_t max_peers, uint32_t rate, uint32_t burst); /* NULL: no memory */
void limit_table_free(struct limit_table *t);
bool limit_table_ok(struct limit_table *t, msec now, const struct addr *peer, uint32_t *ret_suppressed);

#endif
