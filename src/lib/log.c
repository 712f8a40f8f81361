/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log: builds a line in the caller's struct log_line and writes it at once. Values that could be taken for something
 * else (spaces, quotes, '=', bytes outside printable ASCII, nothing at all) are quoted; inside quotes only printable
 * ASCII is left as it is.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/log.h"

enum {
	TEXT_MAX = 256,               /* bytes of a value from a peer */
	FORMAT_MAX = 768,             /* bytes of a sentence of our own */
	LINE_MAX_TEXT = LOG_LINE - 4, /* what is left beside "..." and the newline */
	PRIORITY_LEN = 3,             /* "<6>" */
};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

/* JOURNAL_STREAM is "DEVICE:INODE" of the descriptor that leads to the journal (sd-daemon(3)). */
static bool is_journal(int fd)
{
	const char *text = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;
	char *end;

	if (!text || fstat(fd, &st))
		return false;
	device = strtoull(text, &end, 10);
	if (end == text || *end != ':')
		return false;
	inode = strtoull(end + 1, &end, 10);
	return !*end && device == st.st_dev && inode == st.st_ino;
}

void log_init(struct log *log, int fd, enum log_level level)
{
	bool journal = fd >= 0 && is_journal(fd);

	*log = (struct log){.fd = fd, .level = level, .priority = journal, .timestamps = !journal};
}

static void put(struct log_line *l, const char *data, size_t n)
{
	size_t room = LINE_MAX_TEXT - l->len;

	if (l->cut)
		return;
	if (n > room) {
		n = room;
		l->cut = true;
	}
	memcpy(l->text + l->len, data, n);
	l->len += n;
}

static void put_string(struct log_line *l, const char *s)
{
	put(l, s, strlen(s));
}

static void put_key(struct log_line *l, const char *key)
{
	if (l->len && l->text[l->len - 1] != '>')
		put(l, " ", 1);
	put_string(l, key);
	put(l, "=", 1);
}

static void put_time(struct log_line *l)
{
	struct timespec ts;
	struct tm tm;
	char text[48];

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	snprintf(text, sizeof(text), "time=%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
		tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(ts.tv_nsec / 1000000));
	put_string(l, text);
}

bool log_begin(struct log *log, struct log_line *l, enum log_level level, const char *event)
{
	static const char priorities[][PRIORITY_LEN + 1] = {"<3>", "<4>", "<6>", "<7>"};

	if (!log || level > log->level)
		return false;
	l->log = log;
	l->len = 0;
	l->level = level;
	l->cut = false;
	if (log->priority)
		put_string(l, priorities[level]);
	if (log->timestamps)
		put_time(l);
	put_key(l, "level");
	put_string(l, log_level_name(level));
	put_key(l, "event");
	put_string(l, event);
	return true;
}

static bool is_plain(const uint8_t *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] > '~' || s[i] == '"' || s[i] == '\\' || s[i] == '=')
			return false;
	return len > 0;
}

static void put_escaped(struct log_line *l, uint8_t c)
{
	char text[5] = {'\\', (char)c};

	if (c == '\n')
		text[1] = 'n';
	else if (c == '\t')
		text[1] = 't';
	else if (c == '\r')
		text[1] = 'r';
	else if (c < ' ' || c > '~')
		snprintf(text, sizeof(text), "\\x%02x", c);
	else if (c != '"' && c != '\\')
		return put(l, (const char *)&c, 1);
	put_string(l, text);
}

static void put_value(struct log_line *l, const char *key, const uint8_t *value, size_t len, size_t max)
{
	bool cut = len > max;

	if (cut)
		len = max;
	put_key(l, key);
	if (!cut && is_plain(value, len))
		return put(l, (const char *)value, len);
	put(l, "\"", 1);
	for (size_t i = 0; i < len; i++)
		put_escaped(l, value[i]);
	put_string(l, cut ? "...\"" : "\"");
}

void log_text(struct log_line *l, const char *key, const char *value)
{
	log_textn(l, key, value, value ? strlen(value) : 0);
}

void log_textn(struct log_line *l, const char *key, const void *value, size_t len)
{
	put_value(l, key, value, len, TEXT_MAX);
}

void log_uint(struct log_line *l, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	put_key(l, key);
	put_string(l, text);
}

void log_int(struct log_line *l, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	put_key(l, key);
	put_string(l, text);
}

void log_addr(struct log_line *l, const char *key, const struct addr *value)
{
	char text[ADDR_TEXT];

	put_key(l, key);
	put_string(l, addr_print(value, text));
}

void log_prefix(struct log_line *l, const char *key, const struct prefix *value)
{
	char text[PREFIX_TEXT];

	put_key(l, key);
	put_string(l, prefix_print(value, text));
}

void log_endpoint(struct log_line *l, const char *key, const struct endpoint *value)
{
	char text[ENDPOINT_TEXT];

	put_key(l, key);
	put_string(l, endpoint_print(value, text));
}

static void put_format(struct log_line *l, const char *key, const char *format, va_list args)
{
	char text[FORMAT_MAX + 2]; /* one more than is kept, so that put_value() sees that it was cut */

	/* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): every caller has started it */
	if (vsnprintf(text, sizeof(text), format, args) < 0)
		text[0] = '\0';
	put_value(l, key, (const uint8_t *)text, strlen(text), FORMAT_MAX);
}

void log_format(struct log_line *l, const char *key, const char *format, ...)
{
	int saved = errno;
	va_list args;

	va_start(args, format);
	put_format(l, key, format, args);
	va_end(args);
	errno = saved;
}

void log_end(struct log_line *l)
{
	struct log *log = l->log;
	size_t skip = log->priority ? PRIORITY_LEN : 0;
	int saved = errno;

	if (l->cut) {
		memcpy(l->text + l->len, "...", 3);
		l->len += 3;
	}
	l->text[l->len] = '\n';
	if (log->fd >= 0)
		while (write(log->fd, l->text, l->len + 1) < 0 && errno == EINTR)
			;
	if (log->tap)
		log->tap(log, l->text + skip, l->len - skip);
	errno = saved;
}

void log_message(struct log *log, enum log_level level, const char *event, const char *format, ...)
{
	struct log_line l;
	int saved = errno;
	va_list args;

	if (!log_begin(log, &l, level, event))
		return;
	errno = saved; /* for %m */
	va_start(args, format);
	put_format(&l, "message", format, args);
	va_end(args);
	log_end(&l);
	errno = saved;
}

const char *log_level_name(enum log_level level)
{
	return level_names[level];
}

int log_level_parse(const char *text, enum log_level *ret)
{
	for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++)
		if (!strcmp(text, level_names[i])) {
			*ret = (enum log_level)i;
			return 0;
		}
	return -EINVAL;
}
