/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whom to connect to, as people write it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/connect.h"
#include "l2tp/packet.h"

enum { WHY = 160, NAME_MAX_LEN = 253, LABEL_MAX = 63 };

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 127)
			return false;
	return true;
}

/* Letters, digits, hyphens, underscores; labels between dots, and maybe one at the end. */
static bool is_name(const char *text)
{
	size_t label = 0, len = strlen(text);

	if (!len || len > NAME_MAX_LEN)
		return false;
	for (const char *p = text; *p; p++) {
		bool letter = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z');

		if (*p == '.' && !label)
			return false;
		if (*p != '.' && !letter && !(*p >= '0' && *p <= '9') && *p != '-' && *p != '_')
			return false;
		label = *p == '.' ? 0 : label + 1;
		if (label > LABEL_MAX)
			return false;
	}
	return true;
}

static bool parse_port(const char *text, uint16_t *ret)
{
	char *end = NULL;
	unsigned long port = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || !port || port > UINT16_MAX)
		return false;
	*ret = (uint16_t)port;
	return true;
}

/* "sc.example.net", "sc.example.net:1701"; *ret_port stays 0 without one. */
static bool parse_name(const char *text, struct target *t, uint16_t *ret_port, char why[WHY])
{
	const char *colon = strchr(text, ':');

	snprintf(t->host, sizeof(t->host), "%.*s", colon ? (int)(colon - text) : (int)strlen(text), text);
	if (colon && !parse_port(colon + 1, ret_port)) {
		snprintf(why, WHY,
			"\"%.60s\" is no port: 1 to 65535; an IPv6 address with a port is written "
			"[ADDRESS]:PORT",
			colon + 1);
		return false;
	}
	if (!is_name(t->host)) {
		snprintf(why, WHY, "\"%.80s\" is neither a name nor an address", t->host);
		return false;
	}
	return true;
}

static bool parse_server(const char *text, struct target *t, uint16_t *ret_port, char why[WHY])
{
	struct endpoint e;

	if (endpoint_parse(text, 0, &e))
		return parse_name(text, t, ret_port, why);
	t->literal = true;
	t->address = e.addr;
	*ret_port = e.port;
	addr_print(&e.addr, t->host);
	return true;
}

static bool parse_user(const char *text, size_t len, struct target *t, char why[WHY])
{
	if (!len || len >= sizeof(t->user)) {
		snprintf(why, WHY,
			len ? "the user name is too long: 255 bytes at most"
			    : "there is no user name before the @");
		return false;
	}
	memcpy(t->user, text, len);
	t->user[len] = '\0';
	if (!is_plain(t->user)) {
		snprintf(why, WHY, "the user name has control characters in it");
		return false;
	}
	return true;
}

bool target_parse(const char *text, const struct option_number *port, struct target *ret, char why[WHY])
{
	const char *at = strrchr(text, '@'), *server = at ? at + 1 : text;
	struct target t = {.port = L2TP_PORT};
	uint16_t own = 0;

	if (at && !parse_user(text, (size_t)(at - text), &t, why))
		return false;
	if (strlen(server) >= sizeof(t.host)) {
		snprintf(why, WHY, "the name of the server is too long");
		return false;
	}
	if (!parse_server(server, &t, &own, why))
		return false;
	if (own && port->given && own != port->value) {
		snprintf(why, WHY, "there are two ports: %u and --port %u", own, port->value);
		return false;
	}
	if (own || port->given)
		t.port = own ? own : (uint16_t)port->value;
	*ret = t;
	return true;
}

const char *target_server(const struct target *t, char buf[300])
{
	snprintf(buf, 300, t->literal && t->address.family == AF_INET6 ? "[%s]:%u" : "%s:%u", t->host,
		t->port);
	return buf;
}
