/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of several daemons on one machine. */
#include "control/instance.h"

#include <stdio.h>
#include <string.h>

bool instance_is_name(const char *name)
{
	static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	size_t len = strlen(name);

	return len > 0 && len < INSTANCE_NAME && *name != '-' && strspn(name, good) == len;
}

bool instance_path(const char *base, const char *name, const char *tail, char *path, size_t size)
{
	return (size_t)snprintf(path, size, "%s%s%s%s", base, *name ? "-" : "", name, tail) < size;
}

void instance_config(const char *name, char path[64])
{
	snprintf(path, 64, "/etc/softwire/%s.conf", *name ? name : "softwired");
}
