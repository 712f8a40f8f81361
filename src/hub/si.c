/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The initiator's end: opens a tunnel, forms its IPv6 address from the Router Advertisement, asks DHCPv6 for prefixes and DNS.
 *
 * What was learned is collected in struct softwire_si_state; ops->configured() says that it changed. The kernel's own
 * SLAAC and DHCP stay out of it.
 */
#include "hub/engine.h"

#include <stddef.h>
#include <string.h>

enum { AGAIN_MS = 60000, AGAIN_DOUBLINGS = 6 };

static void configured(struct softwire_si *si)
{
	si->softwire.config->ops->configured(&si->softwire);
}

/* ---- Router Advertisements ---- */

static void host_send(struct nd_host *h, const uint8_t *packet, size_t len)
{
	softwire_send_packet(&container_of(h, struct softwire_si, host)->softwire, PPP_IPV6, packet, len);
}

/* RFC 4862 section 5.5.3: an autonomous /64; of several (one is being phased out) that which is preferred longest. */
static const struct nd_prefix *usable_prefix(const struct nd_advert *a)
{
	const struct nd_prefix *best = NULL;

	for (unsigned i = 0; i < a->prefix_count; i++) {
		const struct nd_prefix *p = &a->prefixes[i];

		if (!p->autonomous || p->prefix.len != 64)
			continue;
		if (!best || p->preferred > best->preferred ||
			(p->preferred == best->preferred && p->valid > best->valid))
			best = p;
	}
	return best;
}

static void set_address(
	struct softwire_si *si, const struct addr *a, uint32_t valid, uint32_t preferred, msec now)
{
	struct softwire_si_state *state = &si->state;

	if (!valid && !addr_equal(a, &state->address)) /* another one is withdrawn */
		return;
	if (state->has_address && (!valid || !addr_equal(a, &state->address))) {
		nd_node_remove(&si->softwire.node, &state->address);
		state->has_address = false;
	}
	if (!valid)
		return;

	state->has_address = true;
	state->address = *a;
	state->address_valid = valid;
	state->address_preferred = preferred;
	state->learned_at = now;
	nd_node_add(&si->softwire.node, a, now);
}

/* DHCPv6's servers come before the RA's (RFC 8106 section 5.3.1 leaves the choice). */
static void set_dns(struct softwire_si *si, const struct addr *dns, unsigned count)
{
	if (count > DHCP6_DNS_MAX)
		count = DHCP6_DNS_MAX;
	memcpy(si->state.dns, dns, count * sizeof(*dns));
	si->state.dns_count = count;
	si->state.dns_told = true;
}

static bool in_list(const struct addr *a, const struct addr *list, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (addr_equal(a, &list[i]))
			return true;
	return false;
}

/* Those that an advertisement names, less those that it withdraws (RFC 8106 section 5.1: with a lifetime of 0). */
static void follow_dns(struct softwire_si *si, const struct nd_advert *a)
{
	struct addr kept[DHCP6_DNS_MAX];
	unsigned count = 0;

	if (si->state.has_binding && si->state.binding.dns_count)
		return;
	if (a->dns_count)
		set_dns(si, a->dns, a->dns_count);
	for (unsigned i = 0; i < si->state.dns_count; i++)
		if (!in_list(&si->state.dns[i], a->dns_withdrawn, a->dns_withdrawn_count))
			kept[count++] = si->state.dns[i];
	if (count < si->state.dns_count)
		set_dns(si, kept, count);
}

/*
 * RFC 5571 section 5.4.1 wants to know whether more information is to be had, so DHCPv6 runs whatever the M and O flags say: a
 * router solicits a prefix, M makes anybody solicit an address, and who needs neither asks for information only.
 */
static void start_dhcp6(struct softwire_si *si, bool managed, const struct dhcp6_binding *hint, msec now)
{
	const struct softwire_config *c = si->softwire.config;

	si->dhcp6_at = MSEC_NEVER;
	si->dhcp6_stateful = managed || c->dhcp6_client.want_prefix;
	si->dhcp6_open = true;
	dhcp6_client_open(&si->dhcp6, &c->dhcp6_client, si->dhcp6_stateful, managed, hint, now);
}

/* The first advertisement starts DHCPv6; one that sets M later makes it ask for an address, too, and for what it holds again. */
static void follow_flags(struct softwire_si *si, const struct nd_advert *a, msec now)
{
	struct dhcp6_binding held = si->state.binding;

	if (!si->dhcp6_open)
		start_dhcp6(si, a->managed, si->hint, now);
	else if (a->managed && !si->dhcp6.want_address)
		start_dhcp6(si, true, si->state.has_binding ? &held : si->hint, now);
}

static bool dhcp6_gives_address(const struct softwire_si_state *state)
{
	return state->has_binding && state->binding.has_address;
}

static void host_advertised(struct nd_host *h, const struct nd_advert *a, msec now)
{
	struct softwire_si *si = container_of(h, struct softwire_si, host);
	const struct nd_prefix *p = usable_prefix(a);
	struct softwire_si_state *state = &si->state;

	state->router_known = true;
	state->default_router = a->router_lifetime > 0;
	state->peer_link_local = h->router;
	if (a->mtu >= IP6_MIN_MTU && a->mtu <= UINT16_MAX)
		state->mtu = a->mtu;
	if (p && !dhcp6_gives_address(state)) {
		struct addr address = addr6_with_iid(&p->prefix.addr, si->softwire.ppp.iid);

		set_address(si, &address, p->valid, p->preferred, now);
	}
	follow_dns(si, a);
	follow_flags(si, a, now);
	configured(si);
}

static void host_router_lost(struct nd_host *h)
{
	struct softwire_si *si = container_of(h, struct softwire_si, host);

	si->state.default_router = false;
	softwire_note(&si->softwire, "the concentrator is no default router any more");
	configured(si);
}

static const struct nd_host_ops host_ops = {
	.send = host_send, .advertised = host_advertised, .router_lost = host_router_lost};

/* ---- DHCPv6 client ---- */

static void client_send(struct dhcp6_client *d, const uint8_t *message, size_t len)
{
	static const uint8_t all_servers[16] = {0xff, 0x02, [13] = 1, [15] = 2}; /* ff02::1:2 */
	struct softwire_si *si = container_of(d, struct softwire_si, dhcp6);
	struct addr dst = addr6_of(all_servers);

	softwire_send_dhcp6(&si->softwire, &dst, DHCP6_CLIENT_PORT, DHCP6_SERVER_PORT, message, len);
}

static void client_bound(struct dhcp6_client *d, const struct dhcp6_binding *binding, msec now)
{
	struct softwire_si *si = container_of(d, struct softwire_si, dhcp6);

	if (dhcp6_gives_address(&si->state) && !binding->has_address)
		set_address(si, &si->state.binding.address.prefix.addr, 0, 0, now);
	si->state.has_binding = true;
	si->state.binding = *binding;
	si->state.bound_at = now;
	if (binding->dns_count)
		set_dns(si, binding->dns, binding->dns_count);
	if (binding->has_address)
		set_address(si, &binding->address.prefix.addr, binding->address.valid,
			binding->address.preferred, now);
	configured(si);
}

static void client_lost(struct dhcp6_client *d, const char *why)
{
	struct softwire_si *si = container_of(d, struct softwire_si, dhcp6);

	softwire_note(&si->softwire, why);
	if (dhcp6_gives_address(&si->state))
		set_address(si, &si->state.binding.address.prefix.addr, 0, 0, si->softwire.now);
	si->state.has_binding = false;
	configured(si);
}

static void client_note(struct dhcp6_client *d, const char *text)
{
	softwire_note(&container_of(d, struct softwire_si, dhcp6)->softwire, text);
}

static const struct dhcp6_client_ops client_ops = {
	.send = client_send,
	.bound = client_bound,
	.lost = client_lost,
	.note = client_note,
};

/* ---- wiring ---- */

void softwire_si_config(struct softwire_config *c)
{
	c->host = (struct nd_host_config){
		.ops = &host_ops,
		.rng = c->rng,
		.counters = &c->counters->nd,
		.solicit_ms = 4000,
		.solicit_max_ms = 3600000,
	};
	c->dhcp6_client = (struct dhcp6_client_config){
		.ops = &client_ops,
		.rng = c->rng,
		.counters = &c->counters->dhcp6,
		.iaid = 1,
		.rapid_commit = true,
	};
	softwire_si4_config(c);
}

static void forget(struct softwire_si *si)
{
	memset(&si->state, 0, offsetof(struct softwire_si_state, address4)); /* IPv4 is the last part */
}

void softwire_si_network(struct softwire_si *si)
{
	struct softwire *s = &si->softwire;

	forget(si);
	si->state.link_local = nd_link_local(s->ppp.iid);
	si->state.peer_link_local = nd_link_local(s->ppp.peer_iid);
	si->dhcp6_open = false;
	si->dhcp6_at = s->now + s->config->dhcp6_wait_ms;
	nd_host_open(&si->host, &s->config->host, &si->state.link_local, s->now);
	configured(si);
}

void softwire_si_network_down(struct softwire_si *si)
{
	si->dhcp6_open = false;
	si->dhcp6_at = MSEC_NEVER;
	forget(si);
}

static void tick6(struct softwire_si *si, msec now)
{
	if (nd_host_deadline(&si->host) <= now)
		nd_host_tick(&si->host, now);
	if (!si->dhcp6_open && si->dhcp6_at <= now)
		start_dhcp6(si, false, si->hint, now);
	if (si->dhcp6_open && dhcp6_client_deadline(&si->dhcp6) <= now)
		dhcp6_client_tick(&si->dhcp6, now);
}

/* Only beside a family that is up: without any, set-up's own limits and the role decide. */
static msec again_at(const struct softwire_si *si)
{
	const struct softwire *s = &si->softwire;

	return s->up6 != s->up4 && s->step == STEP_UP ? si->again_at : MSEC_NEVER;
}

void softwire_si_again(struct softwire_si *si)
{
	msec delay =
		(msec)AGAIN_MS << (si->again_tries < AGAIN_DOUBLINGS ? si->again_tries : AGAIN_DOUBLINGS);

	if (si->softwire.up6 &&
		si->softwire.ppp.ipcp_unknown) /* it has no IPv4 and says so: that is for another softwire */
		return;
	si->again_at = si->softwire.now + (delay < SOFTWIRE_AGAIN_MAX_MS ? delay : SOFTWIRE_AGAIN_MAX_MS);
}

static void try_again(struct softwire_si *si, msec now)
{
	si->again_at = MSEC_NEVER;
	if (si->again_tries < UINT8_MAX)
		si->again_tries++;
	softwire_try_network(&si->softwire);
}

void softwire_si_tick(struct softwire_si *si, msec now)
{
	if (again_at(si) <= now)
		try_again(si, now);
	if (si->softwire.up6)
		tick6(si, now);
	softwire_si4_tick(si, now);
}

msec softwire_si_deadline(const struct softwire_si *si)
{
	msec at = msec_min(softwire_si4_deadline(si), again_at(si));

	if (!si->softwire.up6)
		return at;
	at = msec_min(at, nd_host_deadline(&si->host));
	return msec_min(at, si->dhcp6_open ? dhcp6_client_deadline(&si->dhcp6) : si->dhcp6_at);
}

void softwire_si_slept(struct softwire_si *si, msec slept, msec now)
{
	struct softwire *s = &si->softwire;

	softwire_enter(s, now);
	if (s->up6 && s->step < STEP_CLOSING)
		nd_host_slept(&si->host, slept, now);
	if (si->dhcp6_open)
		dhcp6_client_slept(&si->dhcp6, slept, now);
	if (si->dhcp4_open)
		dhcp4_client_slept(&si->dhcp4, slept, now);
	softwire_leave(s);
}

void softwire_si_release(struct softwire_si *si, msec now)
{
	if (si->dhcp6_open)
		dhcp6_client_release(&si->dhcp6, now);
	if (si->dhcp4_open)
		dhcp4_client_release(&si->dhcp4, now);
}

void softwire_si_dhcp6(struct softwire_si *si, const uint8_t *message, size_t len)
{
	if (si->dhcp6_open)
		dhcp6_client_input(&si->dhcp6, message, len, si->softwire.now);
}

int softwire_si_open(struct softwire_si *si, const struct softwire_config *c, uint16_t tunnel_id,
	uint16_t session_id, uint32_t call_serial, uint16_t mtu, const struct dhcp6_binding *hint,
	const struct dhcp4_binding *hint4, msec now)
{
	struct softwire *s = &si->softwire;
	int err;

	softwire_begin(s, c, mtu, now);
	si->hint = hint;
	si->hint4 = hint4;
	si->dhcp6_at = si->again_at = MSEC_NEVER;
	softwire_enter(s, now);
	err = l2tp_tunnel_open(&s->tunnel, &c->l2tp, tunnel_id, session_id, call_serial, now);
	if (err) {
		s->depth = 0;
		return err;
	}
	softwire_leave(s);
	return 0;
}
