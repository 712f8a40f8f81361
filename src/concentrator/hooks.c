/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs of the operator that are told what happens to softwires: softwired-hooks(7). */
#include "concentrator/role.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report/hook.h"

_Static_assert((int)HOOK_PREFIXES >= (int)LEASE_PREFIXES && (int)HOOK_DNS >= (int)DHCP6_DNS_MAX,
	"hooks are told all of it");

static void answer(void *owner, int result, int fd)
{
	struct concentrator *c = owner;

	if (!result)
		return;
	c->role_counters.hooks_failed++;
	if (result != -EIO && concentrator_may_log(c)) /* the keeper has told the reason of those */
		log_message(
			c->log, LEVEL_ERROR, "hook-failed", "a hook could not be run: %s", strerror(-result));
}

static struct hook_prefixes prefixes_of(const struct prefix *list, unsigned count, bool in_use)
{
	struct hook_prefixes p = {.count = in_use ? count : 0};

	for (unsigned i = 0; i < p.count; i++)
		p.list[i] = list[i];
	return p;
}

static struct hook_facts facts_of(const struct subscriber *sub)
{
	const struct softwire_lease *lease = sub->engine.lease;
	const struct concentrator *c = sub->role;
	struct hook_facts f = {
		.role = "concentrator",
		.user = sub->user,
		.id = sub->id,
		.device = c->config.device,
		.peer = sub->row->peer,
		.local = subscriber_local(sub),
		.up6 = sub->row->up6,
		.up4 = sub->row->up4,
		.mtu = sub->engine.softwire.mtu,
		.link6 = lease->link6,
		.address6 = subscriber_address6(sub),
		.address4 = lease->address4,
		.delegated6 = prefixes_of(lease->delegated, lease->prefix_count, sub->routed6),
		.delegated4 = prefixes_of(lease->delegated4, lease->prefix4_count, sub->routed4),
		.dns_count = lease->dns_count,
	};

	if (!addr_is_none(&f.address4))
		f.peer4 = c->config.local4;
	memcpy(f.dns, lease->dns, lease->dns_count * sizeof(f.dns[0]));
	return f;
}

static void run(struct subscriber *sub, enum hook_event event, struct hook_facts *f)
{
	static const char *const names[HOOK_EVENTS] = {
		[HOOK_UP] = "up", [HOOK_DOWN] = "down", [HOOK_CHANGE] = "change", [HOOK_RENEW] = "renew"};
	struct concentrator *c = sub->role;
	struct hook_environment e;
	char key[LEASE_USER_MAX + 16];

	f->event = names[event];
	snprintf(key, sizeof(key), "%s/%u", sub->user, sub->slot);
	if (hook_environment_build(&e, f))
		return;
	c->role_counters.hooks++;
	keeper_hook(c->keeper, c->config.hooks[event], f->event, key, e.variables, e.count, answer, c);
}

static bool is_wanted(const struct subscriber *sub, enum hook_event event)
{
	return sub->role->config.hooks[event][0];
}

void subscriber_hook_up(struct subscriber *sub)
{
	struct hook_facts f;

	sub->hooked = true;
	if (!is_wanted(sub, HOOK_UP))
		return;
	f = facts_of(sub);
	run(sub, HOOK_UP, &f);
}

void subscriber_hook_change(struct subscriber *sub)
{
	struct hook_facts f;

	if (!sub->hooked || !is_wanted(sub, HOOK_CHANGE))
		return;
	f = facts_of(sub);
	f.old_delegated6 = f.delegated6;
	f.old_delegated4 = f.delegated4;
	run(sub, HOOK_CHANGE, &f);
}

void subscriber_hook_delegated(struct subscriber *sub, uint8_t family, bool in_use)
{
	const struct softwire_lease *lease = sub->engine.lease;
	struct hook_facts f;

	if (!sub->hooked || !is_wanted(sub, HOOK_CHANGE))
		return;
	f = facts_of(sub);
	f.old_delegated6 = f.delegated6;
	f.old_delegated4 = f.delegated4;
	if (family == AF_INET6)
		f.old_delegated6 = prefixes_of(lease->delegated, lease->prefix_count, !in_use);
	else
		f.old_delegated4 = prefixes_of(lease->delegated4, lease->prefix4_count, !in_use);
	run(sub, HOOK_CHANGE, &f);
}

void subscriber_hook_renewed(struct softwire *s, uint8_t family)
{
	struct subscriber *sub = subscriber_of(s);
	struct hook_facts f;

	if (!sub->hooked || !is_wanted(sub, HOOK_RENEW))
		return;
	f = facts_of(sub);
	run(sub, HOOK_RENEW, &f);
}

void subscriber_hook_down(struct subscriber *sub, const char *reason)
{
	struct hook_facts f;

	if (!sub->hooked)
		return;
	sub->hooked = false;
	if (!is_wanted(sub, HOOK_DOWN))
		return;
	f = facts_of(sub);
	f.up6 = f.up4 = false;
	f.reason = reason;
	run(sub, HOOK_DOWN, &f);
}
