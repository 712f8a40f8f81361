/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The operator's programs: softwired-hooks(7).
 *
 * A softwire comes up in several steps: NCPs, Router Advertisement, DHCPv6, DHCPv4. Hooks are told of them together: when nothing has changed for a
 * second, at the latest five seconds after the first change. `down` is told at once. What they were told last is kept, to see what changed.
 */
#include "initiator/role.h"

#include <errno.h>
#include <string.h>

enum { QUIET_MS = 1000, PATIENCE_MS = 5000 };

/* ---- what there is to tell ---- */

static void gather_prefixes(const struct initiator *i, struct hook_facts *f)
{
	for (unsigned n = 0; n < HELD_PREFIXES && f->delegated6.count < HOOK_PREFIXES; n++)
		if (i->held[n].current && i->held[n].routed)
			f->delegated6.list[f->delegated6.count++] = i->held[n].prefix;
	for (unsigned n = 0; n < HELD_SUBNETS && f->delegated4.count < HOOK_PREFIXES; n++)
		if (i->subnets[n].confirmed)
			f->delegated4.list[f->delegated4.count++] = i->subnets[n].prefix;
}

static void gather_lans(struct initiator *i, struct hook_facts *f)
{
	unsigned count;
	struct lan *lans = initiator_lans(i, &count);

	for (unsigned n = 0; n < count; n++)
		f->lans[f->lan_count++] = lans[n].device;
	for (unsigned n = 0; n < f->delegated6.count; n++) {
		for (unsigned lan = 0; lan < count && f->lan6_count < HOOK_LANS; lan++) {
			struct prefix p = initiator_lan_prefix(i, &f->delegated6.list[n], lan);

			if (!prefix_is_none(&p))
				f->lan6[f->lan6_count++] =
					(struct hook_lan){lans[lan].device, addr6_with_iid(&p.addr, 1), 64};
		}
	}
	for (unsigned lan = 0; lan < count; lan++) {
		for (unsigned n = 0; n < LAN_ADDRESSES4 && f->lan4_count < HOOK_LANS; n++) {
			const struct lan_address4 *a = &i->lan_addresses4[n];

			if (!addr_is_none(&a->address) && strcmp(a->device, lans[lan].device) == 0)
				f->lan4[f->lan4_count++] =
					(struct hook_lan){lans[lan].device, a->address, a->len};
		}
	}
}

static void gather_dns(const struct initiator *i, struct hook_facts *f)
{
	for (unsigned n = 0; n < i->dns6.count && f->dns_count < HOOK_DNS; n++)
		f->dns[f->dns_count++] = i->dns6.list[n];
	for (unsigned n = 0; n < i->dns4.count && f->dns_count < HOOK_DNS; n++)
		f->dns[f->dns_count++] = i->dns4.list[n];
}

static struct hook_facts gather(struct initiator *i)
{
	const struct softwire_si *s = &i->current->engine;
	struct hook_facts f = {
		.role = "initiator",
		.name = i->config.name,
		.user = i->config.user,
		.device = i->device,
		.id = i->current->id,
		.peer = i->current->server,
		.local = i->current->local,
		.up6 = s->softwire.up6,
		.up4 = s->softwire.up4,
		.mtu = i->device_mtu,
		.address6 = i->address,
		.address4 = i->address4,
		.peer4 = s->state.peer4,
	};

	if (!addr_is_none(&i->address))
		f.link6 = prefix_of(&i->address, 64);
	gather_prefixes(i, &f);
	gather_lans(i, &f);
	gather_dns(i, &f);
	return f;
}

static bool same_prefixes(const struct hook_prefixes *a, const struct hook_prefixes *b)
{
	for (unsigned n = 0; n < a->count && a->count == b->count; n++)
		if (!prefix_equal(&a->list[n], &b->list[n]))
			return false;
	return a->count == b->count;
}

static bool same_lans(const struct hook_lan *a, unsigned a_count, const struct hook_lan *b, unsigned b_count)
{
	for (unsigned n = 0; n < a_count && a_count == b_count; n++)
		if (strcmp(a[n].device, b[n].device) != 0 || !addr_equal(&a[n].address, &b[n].address) ||
			a[n].len != b[n].len)
			return false;
	return a_count == b_count;
}

static bool same_dns(const struct hook_facts *a, const struct hook_facts *b)
{
	for (unsigned n = 0; n < a->dns_count && a->dns_count == b->dns_count; n++)
		if (!addr_equal(&a->dns[n], &b->dns[n]))
			return false;
	return a->dns_count == b->dns_count;
}

/* In what hooks are for. The MTU alone is not. */
static bool same_facts(const struct hook_facts *a, const struct hook_facts *b)
{
	return a->up6 == b->up6 && a->up4 == b->up4 && addr_equal(&a->address6, &b->address6) &&
	       addr_equal(&a->address4, &b->address4) && addr_equal(&a->peer4, &b->peer4) &&
	       same_prefixes(&a->delegated6, &b->delegated6) &&
	       same_prefixes(&a->delegated4, &b->delegated4) && same_dns(a, b) &&
	       same_lans(a->lan6, a->lan6_count, b->lan6, b->lan6_count) &&
	       same_lans(a->lan4, a->lan4_count, b->lan4, b->lan4_count);
}

/* ---- telling it ---- */

static void hook_done(void *owner, int result, int fd)
{
	struct initiator *i = owner;

	if (result && result != -EIO && result != -EPIPE) /* those are logged by others */
		log_message(i->log, LEVEL_ERROR, "hook", "initiator %s: a hook could not be run: %s",
			i->config.name, strerror(-result));
}

static void run(struct initiator *i, enum initiator_hook hook, struct hook_facts *f)
{
	static const char *const events[INITIATOR_HOOKS] = {
		[INITIATOR_HOOK_UP] = "up",
		[INITIATOR_HOOK_DOWN] = "down",
		[INITIATOR_HOOK_CHANGE] = "change",
		[INITIATOR_HOOK_RENEW] = "renew",
	};
	struct hook_environment e;

	if (!*i->config.hooks[hook])
		return;
	f->event = events[hook];
	if (hook_environment_build(&e, f))
		hook_done(i, -ENOSPC, -1);
	else
		keeper_hook(i->keeper, i->config.hooks[hook], f->event, i->config.name, e.variables, e.count,
			hook_done, i);
}

static bool is_up(const struct initiator *i)
{
	return i->current && (i->current->engine.softwire.up6 || i->current->engine.softwire.up4);
}

/* A lease that was bound anew, and says what it said before. */
static void look_at_renewal(struct initiator *i, const struct hook_facts *now)
{
	const struct softwire_si_state *s = &i->current->engine.state;
	bool renewed = (s->has_binding && s->bound_at != i->bound_at) ||
		       (s->has_binding4 && s->bound4_at != i->bound4_at);
	struct hook_facts f = *now;

	if (renewed)
		run(i, INITIATOR_HOOK_RENEW, &f);
}

static void note_leases(struct initiator *i)
{
	i->bound_at = i->current->engine.state.bound_at;
	i->bound4_at = i->current->engine.state.bound4_at;
}

void initiator_hooks_changed(struct initiator *i)
{
	msec now = loop_now(i->loop);
	struct hook_facts facts;

	if (!is_up(i) || i->stopping)
		return;
	facts = gather(i);
	if (i->hooks_up && same_facts(&facts, &i->told)) {
		i->hook_due = false;
		look_at_renewal(i, &facts);
	} else {
		if (!i->hook_due)
			i->hook_by = now + PATIENCE_MS;
		i->hook_due = true;
		i->hook_at = now + QUIET_MS;
	}
	note_leases(i);
}

/* What they know is what there is; where that is not so, the next `change` tells all of it as new. */
void initiator_hooks_resume(struct initiator *i, bool up, bool due)
{
	i->hooks_up = up;
	i->hook_due = false;
	i->told = up && !due ? gather(i) : (struct hook_facts){0};
	note_leases(i);
	initiator_hooks_changed(i);
}

void initiator_hooks_tick(struct initiator *i, msec now)
{
	struct hook_facts f;
	bool addressed;

	if (!i->hook_due || !is_up(i))
		return;
	addressed = i->hooks_up || !addr_is_none(&i->address) || !addr_is_none(&i->address4);
	if (now < i->hook_by && (now < i->hook_at || !addressed))
		return;
	i->hook_due = false;
	f = gather(i);
	if (i->hooks_up) {
		f.old_delegated6 = i->told.delegated6;
		f.old_delegated4 = i->told.delegated4;
	}
	run(i, i->hooks_up ? INITIATOR_HOOK_CHANGE : INITIATOR_HOOK_UP, &f);
	i->hooks_up = true;
	i->told = f;
}

/* What is on the LANs stays there while we connect again; nothing does when we end. */
void initiator_hooks_down(struct initiator *i, const char *why)
{
	struct hook_facts f = i->told;

	i->hook_due = false;
	/* At the end once more, if it was told that the LANs keep what they have. */
	if (!i->hooks_up && !(i->stopping && (i->told.lan6_count || i->told.lan4_count)))
		return;
	i->hooks_up = false;
	f.up6 = f.up4 = false;
	f.reason = why;
	f.old_delegated6 = f.old_delegated4 = (struct hook_prefixes){0};
	if (i->stopping)
		f.lan6_count = f.lan4_count = i->told.lan6_count = i->told.lan4_count = 0;
	run(i, INITIATOR_HOOK_DOWN, &f);
}
