/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the engine process may ask for: comparisons with lists, nothing clever. Names are compared whole, paths as they were written
 * in the configuration.
 */
#include <string.h>

#include "keeper/policy.h"

static bool has_text(const char *const *list, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(list[i], text))
			return true;
	return false;
}

bool policy_has_tun(const struct keeper_policy *p, const char *name)
{
	return has_text(p->tuns, p->tun_count, name);
}

bool policy_has_lan(const struct keeper_policy *p, const char *name)
{
	return has_text(p->lans, p->lan_count, name);
}

bool policy_has_udp(const struct keeper_policy *p, const struct endpoint *e)
{
	for (size_t i = 0; i < p->udp_count; i++)
		if (endpoint_equal(&p->udp[i], e))
			return true;
	return false;
}

bool policy_in_directory(const struct keeper_policy *p, const char *path)
{
	for (size_t i = 0; i < p->directory_count; i++) {
		size_t len = strlen(p->directories[i]);

		while (len > 1 && p->directories[i][len - 1] == '/')
			len--;
		if (!strncmp(path, p->directories[i], len) && (!path[len] || path[len] == '/'))
			return true;
	}
	return false;
}

static const char *check_route(const struct keeper_policy *p, const struct message_route *r)
{
	if (r->kind == KEEPER_ROUTE_UNREACHABLE)
		return NULL;
	return policy_has_tun(p, r->device) ? NULL : "route over a device that is not ours";
}

const char *policy_check(const struct keeper_policy *p, const struct message_request *r)
{
	const union message_body *b = &r->body;

	switch ((enum message_type)r->type) {
	case MESSAGE_OPEN_UDP:
		return policy_has_udp(p, &b->endpoint) ? NULL : "address or port that is not configured";
	case MESSAGE_OPEN_TUN:
	case MESSAGE_LINK_MTU:
		return policy_has_tun(p, b->link.name) ? NULL : "device that is not ours";
	case MESSAGE_OPEN_ICMP6:
		return policy_has_lan(p, b->name) ? NULL : "interface that is not a configured LAN";
	case MESSAGE_OPEN_FILE:
		return has_text(p->files, p->file_count, b->path) ? NULL : "file that is not configured";
	case MESSAGE_OPEN_DIRECTORY:
		return has_text(p->directories, p->directory_count, b->path)
			       ? NULL
			       : "directory that is not configured";
	case MESSAGE_OPEN_CONTROL:
		return p->control_socket ? NULL : "no control socket is configured";
	case MESSAGE_ROUTE:
		return check_route(p, &b->route);
	case MESSAGE_ADDRESS:
		return policy_has_tun(p, b->address.device) || policy_has_lan(p, b->address.device)
			       ? NULL
			       : "address on a device that is not ours";
	case MESSAGE_FORWARDING:
		return p->may_forward ? NULL : "this host is not configured as a router";
	case MESSAGE_DNS:
		return policy_has_tun(p, b->dns.device) ? NULL : "DNS servers for a device that is not ours";
	case MESSAGE_CLOSE_UDP: /* finds only what is held */
	case MESSAGE_RELOAD:    /* reads root's own file */
		return NULL;
	case MESSAGE_TYPES:
		break;
	}
	return "unknown type of request";
}
