/* SPDX-License-Identifier: GPL-2.0-or-later */
/* softwire upgrade: the keeper judges the program that would take our place; if it is fit, we leave, and the keeper becomes it. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/parts.h"

enum { OUTPUT_MAX = 4096 };

/* Each line a sentence. */
static json_t *sentences(char *text)
{
	json_t *list = json_array();
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		json_array_append_new(list, json_stringn_nocheck(line, strlen(line)));
	return list;
}

/* "softwired 0.2.0": what is behind the first word of the first line. */
static void find_version(const char *text, char *version, size_t size)
{
	size_t line = strcspn(text, "\n"), word = strcspn(text, " \n");

	if (word < line)
		word++;
	snprintf(version, size, "%.*s", (int)(line - word), text + word);
}

/* What a program has written. It may be anything: bytes that are no text become one. */
static void read_output(int fd, char text[OUTPUT_MAX])
{
	ssize_t n = fd < 0 ? 0 : read(fd, text, OUTPUT_MAX - 1);

	text[n < 0 ? 0 : n] = '\0';
	for (char *c = text; *c; c++)
		if (*c != '\n' && (*c < ' ' || *c > '~'))
			*c = '?';
	if (fd >= 0)
		close(fd);
}

static void judged(void *owner, int result, int fd)
{
	struct worker *w = owner;
	char text[OUTPUT_MAX], version[128];

	read_output(fd, text);
	find_version(text, version, sizeof(version));
	if (!result && !worker_may_leave(w))
		result = -EBUSY;
	if (!result)
		log_message(w->log, LEVEL_INFO, "upgrade", "from %s to %s", SOFTWIRE_VERSION, version);
	else
		log_message(w->log, LEVEL_ERROR, "upgrade-refused", "%s", *text ? text : strerror(-result));
	if (w->control)
		control_upgrade_done(w->control, result, version, sentences(text));
	if (!result)
		worker_leave(w, KEEPER_LEAVE);
}

void worker_upgrade(void *owner)
{
	struct worker *w = owner;

	if (worker_may_leave(w))
		keeper_upgrade(w->keeper, judged, w);
	else
		judged(w, -EBUSY, -1);
}
