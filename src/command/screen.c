/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes to the user: a line, or a JSON object, for each event; and on a terminal one line at the bottom that changes every second. */
#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "command/connect.h"
#include "control/problem.h"

enum { NARROW = 20, USUAL = 80, WIDE = 150 };

void screen_init(struct screen *s, FILE *out, bool json)
{
	*s = (struct screen){.out = out, .json = json, .terminal = !json && isatty(fileno(out))};
}

static void flush(struct screen *s)
{
	if (fflush(s->out) || ferror(s->out))
		s->broken = true;
}

static void erase(struct screen *s)
{
	if (*s->live)
		fputs("\r\033[K", s->out);
	s->live[0] = '\0';
}

void screen_event(struct screen *s, struct json_t *event, const char *format, ...)
{
	char text[1024], live[sizeof(s->live)];
	va_list args;

	snprintf(live, sizeof(live), "%s", s->live);
	if (s->json && event) {
		json_dumpf(event, s->out, JSON_COMPACT);
		fputc('\n', s->out);
		flush(s);
	} else if (!s->json && format) {
		va_start(args, format);
		vsnprintf(text, sizeof(text), format, args);
		va_end(args);
		plain_text(text); /* a server may have had a hand in it */
		erase(s);
		fprintf(s->out, "%s\n", text);
		screen_live(s, live);
		flush(s);
	}
	json_decref(event);
}

/* A line that is longer than the terminal is wide could not be taken back. */
static unsigned columns(const struct screen *s)
{
	struct winsize size;

	if (ioctl(fileno(s->out), TIOCGWINSZ, &size) || size.ws_col < NARROW)
		return USUAL;
	return size.ws_col < WIDE ? size.ws_col : WIDE;
}

void screen_live(struct screen *s, const char *text)
{
	char line[sizeof(s->live)];

	if (!s->terminal)
		return;
	snprintf(line, sizeof(line), "%.*s", (int)columns(s) - 1, text);
	plain_text(line);
	erase(s);
	fputs(line, s->out);
	memcpy(s->live, line, sizeof(s->live));
	flush(s);
}

const char *screen_rate(double bytes_per_second, char buf[24])
{
	static const char *const units[] = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"};
	double bits = bytes_per_second > 0 ? bytes_per_second * 8 : 0;
	unsigned unit = 0;

	while (bits >= 999.5 && unit + 1 < sizeof(units) / sizeof(*units)) {
		bits /= 1000;
		unit++;
	}
	snprintf(buf, 24, unit && bits < 9.95 ? "%.1f %s" : "%.0f %s", bits, units[unit]);
	return buf;
}

const char *screen_clock(uint64_t seconds, char buf[24])
{
	unsigned days = (unsigned)(seconds / 86400 % 100000), hours = (unsigned)(seconds / 3600 % 24),
		 minutes = (unsigned)(seconds / 60 % 60), rest = (unsigned)(seconds % 60);

	if (days)
		snprintf(buf, 24, "%ud %02u:%02u:%02u", days, hours, minutes, rest);
	else
		snprintf(buf, 24, "%02u:%02u:%02u", hours, minutes, rest);
	return buf;
}
