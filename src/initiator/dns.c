/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DNS servers for the host's resolver: those of IPv6 first, then those of IPv4, as many as the keeper takes. What one family said stays while
 * the softwire reconnects, like its addresses.
 */
#include "initiator/role.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *print_servers(const struct initiator *i, char text[KEEPER_DNS_MAX * (ADDR_TEXT + 1)])
{
	char server[ADDR_TEXT];
	size_t len = 0;

	text[0] = '\0';
	for (unsigned n = 0; n < i->dns_told.count; n++)
		len += (size_t)sprintf(
			text + len, "%s%s", n ? " " : "", addr_print(&i->dns_told.list[n], server));
	return text;
}

static void log_dns(struct initiator *i, const char *event, const char *message)
{
	char text[KEEPER_DNS_MAX * (ADDR_TEXT + 1)];
	struct log_line l;

	if (!initiator_log(i, &l, LEVEL_INFO, event))
		return;
	log_text(&l, "servers", print_servers(i, text));
	if (message)
		log_text(&l, "message", message);
	log_end(&l);
}

static void dns_answer(void *owner, int result, int fd)
{
	struct initiator *i = owner;

	if (result != -ENOENT) {
		initiator_network_done(owner, result, fd);
	} else if (!i->dns_unmanaged) {
		i->dns_unmanaged = true;
		log_dns(i, "dns-unmanaged",
			"neither systemd-resolved nor resolvconf manages resolv.conf here: these servers are "
			"not used by themselves");
	}
}

static bool same_servers(const struct dns_servers *a, const struct dns_servers *b)
{
	for (unsigned n = 0; n < a->count && a->count == b->count; n++)
		if (!addr_equal(&a->list[n], &b->list[n]))
			return false;
	return a->count == b->count;
}

/* Anybody's servers may have been told to us; the keeper would refuse them all for one that is none. */
static void add_servers(struct dns_servers *to, const struct addr *list, unsigned count)
{
	for (unsigned n = 0; n < count && to->count < KEEPER_DNS_MAX; n++)
		if (!addr_is_none(&list[n]) && !addr_is_unspecified(&list[n]) &&
			!addr_is_multicast(&list[n]) && !addr_is_loopback(&list[n]))
			to->list[to->count++] = list[n];
}

void initiator_dns_tell(struct initiator *i)
{
	struct dns_servers all = {0};

	if (strcmp(i->config.dns, "none") != 0) {
		add_servers(&all, i->dns6.list, i->dns6.count);
		add_servers(&all, i->dns4.list, i->dns4.count);
	}
	if (same_servers(&all, &i->dns_told))
		return;
	if (!all.count)
		log_dns(i, "dns-withdrawn", NULL);
	i->dns_told = all;
	if (all.count)
		log_dns(i, "dns", NULL);
	keeper_dns(i->keeper, i->device, all.list, all.count, dns_answer, i);
}

void initiator_dns_set(struct initiator *i, uint8_t family, const struct addr *servers, unsigned count)
{
	struct dns_servers *dns = family == AF_INET6 ? &i->dns6 : &i->dns4;

	*dns = (struct dns_servers){0};
	add_servers(dns, servers, count);
	if (family == AF_INET6 && count)
		i->lan_dns = *dns;
	initiator_dns_tell(i);
}

void initiator_dns_apply(struct initiator *i, const struct softwire_si *s)
{
	const struct softwire_si_state *state = &s->state;

	if (state->router_known && !state->default_router)
		initiator_dns_set(i, AF_INET6, NULL, 0);
	else if (state->router_known &&
		 (state->dns_told || state->has_binding)) /* not told yet: what we had stays */
		initiator_dns_set(i, AF_INET6, state->dns, state->dns_count);
	if (s->softwire.up4 && (state->dns4_count || state->has_binding4))
		initiator_dns_set(i, AF_INET, state->dns4, state->dns4_count);
}
