/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The protocol of sd_notify(3), as far as it is needed here. */
#include "keeper/notify.h"

#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "keeper/message.h"

enum { PATIENCE_MS = 1000 };

/* Length of the address, or 0. "@name" is a name without a file. */
static socklen_t find_address(struct sockaddr_un *ret)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;

	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (len < 2 || len >= sizeof(ret->sun_path) || (path[0] != '/' && path[0] != '@'))
		return 0;
	memcpy(ret->sun_path, path, len);
	if (path[0] == '@')
		ret->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
}

bool notify_is_heard(void)
{
	const char *room = getenv("FDSTORE");
	struct sockaddr_un sa;

	return find_address(&sa) && (!room || strcmp(room, "0") != 0);
}

static void send_lines(const char *lines, int fd)
{
	struct sockaddr_un sa;
	socklen_t len = find_address(&sa);
	int s = len ? socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
	struct pollfd p = {.fd = s, .events = POLLOUT};

	if (s < 0)
		return;
	/* It mostly takes it at once; one that hangs must not hold up the network for long. */
	if (!connect(s, (const struct sockaddr *)&sa, len) && poll(&p, 1, PATIENCE_MS) > 0)
		(void)message_send(s, lines, strlen(lines), fd);
	close(s);
}

void notify_tell(const char *lines)
{
	send_lines(lines, -1);
}

/* Without FDPOLL=0 a socket with an ICMP error in its queue would be thrown away. */
void notify_store(const char *name, int fd)
{
	char lines[128];

	snprintf(lines, sizeof(lines), "FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
	send_lines(lines, fd);
}

void notify_discard(const char *name)
{
	char lines[128];

	snprintf(lines, sizeof(lines), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	send_lines(lines, -1);
}
