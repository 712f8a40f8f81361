/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Asking the daemon: connect, one line out, lines in. */
#include "control/client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int refused(const char *path, int err, char why[256])
{
	if (err == ENOENT || err == ECONNREFUSED)
		snprintf(why, 256, "softwired does not run here: nothing listens on %.150s", path);
	else if (err == EACCES || err == EPERM)
		snprintf(why, 256,
			"you may not use %.150s: be root, or a member of its group (see control-group in "
			"softwired.conf(5))",
			path);
	else
		snprintf(why, 256, "cannot connect to %.150s: %s", path, strerror(err));
	return -err;
}

int control_client_open(struct control_client *c, const char *path, char why[256])
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int err;

	*c = (struct control_client){.fd = -1};
	if ((size_t)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path) >= sizeof(sun.sun_path))
		return refused(path, ENAMETOOLONG, why);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd >= 0 && !connect(c->fd, (struct sockaddr *)&sun, sizeof(sun)))
		return 0;
	err = errno;
	control_client_close(c);
	return refused(path, err, why);
}

void control_client_close(struct control_client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->buf);
	*c = (struct control_client){.fd = -1};
}

int control_client_send_raw(struct control_client *c, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);

		if (n > 0) {
			data += n;
			len -= (size_t)n;
		} else if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

int control_client_send(struct control_client *c, json_t *request)
{
	size_t len;
	char *text;
	int result;

	json_object_set_new(request, "v", json_integer(1));
	text = json_dumps(request, JSON_COMPACT);
	json_decref(request);
	if (!text)
		return -ENOMEM;
	len = strlen(text);
	text[len] = '\n'; /* in the place of its zero; the length goes with it */
	result = control_client_send_raw(c, text, len + 1);
	free(text);
	return result;
}

static bool receive(struct control_client *c)
{
	ssize_t n;

	if (c->size - c->len < 65536) {
		size_t size = c->size ? c->size * 2 : 131072;
		char *grown = realloc(c->buf, size);

		if (!grown)
			return false;
		c->buf = grown;
		c->size = size;
	}
	do
		n = recv(c->fd, c->buf + c->len, c->size - c->len, 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	c->len += (size_t)n;
	return true;
}

const char *control_client_line(struct control_client *c, size_t *ret_len)
{
	size_t seen = 0;
	char *end = NULL;

	if (c->used) {
		c->len -= c->used;
		memmove(c->buf, c->buf + c->used, c->len);
		c->used = 0;
	}
	for (;;) {
		if (c->len > seen)
			end = memchr(c->buf + seen, '\n', c->len - seen);
		if (end)
			break;
		seen = c->len;
		if (!receive(c))
			return NULL;
	}
	*end = 0;
	*ret_len = (size_t)(end - c->buf);
	c->used = *ret_len + 1;
	return c->buf;
}
