/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See harness.h. */
#include "harness.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/trace.h"
#include "ppp/mschap.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifdef HAS_ASAN
size_t __sanitizer_get_current_allocated_bytes(
	void); /* of the sanitizer's runtime, whose header gcc may lack */
#endif

enum { EAP_REQUEST = 1, EAP_RESPONSE, EAP_SUCCESS };
enum { QUEUE = 32, PACKET = 2048, MTU = 1460, STEPS = 200, MEMORY = 32768, FAR = 400000, DAY = 7200000 };
enum question { TUNNEL_SECRET, VERIFY, PPP_SECRET, LEASE, BIND, EAP_OF_PEER, EAP_OF_US, QUESTIONS };

/* Circumstances: the first byte, and the second one. */
enum {
	FRESH = 1,
	SECRETS = 2,
	MANAGED = 4,
	HOST = 8,
	LATE = 16,
	MUTUAL = 32,
	ANONYMOUS = 64,
	LINK_LOCAL_ONLY = 128
};

enum {
	IPV4 = 1,          /* both ends have it */
	NO_IPV6 = 2,       /* only IPv4 */
	BY_DHCP4 = 4,      /* which gives the address, instead of IPCP */
	SUBNET = 8,        /* the initiator is an IPv4 router */
	METHOD = 16 + 32,  /* of authentication: CHAP, MS-CHAPv2, PAP, EAP */
	HELD_BEFORE = 64,  /* the initiator asks for a subnet that it had */
	IPCP_UNKNOWN = 128 /* to the concentrator */
};

struct end {
	struct softwire *softwire; /* NULL: not there (yet) */
	struct softwire_config config;
	struct softwire_counters counters;
	struct end *peer;
	uint8_t waiting; /* questions to be answered later, one bit each */
	bool began, routed, routed4;
	unsigned ups, downs, released;
	struct harness_record record;
	struct { /* the claim, and the EAP packets, that the owner is asked about */
		struct ppp_claim claim;
		uint8_t bytes[3][256];
		struct {
			uint8_t bytes[PACKET];
			size_t len;
		} eap[2]; /* as the peer, as the authenticator */
	} about;
};

struct path {
	uint8_t circumstances, more;
	msec now;
	struct wheel wheel;
	struct rng rng;
	struct softwire_sc sc_engine;
	struct softwire_si si_engine;
	struct end sc, si, *victim;
	struct softwire_lease lease;
	struct dhcp4_binding hint4;
	struct {
		struct end *to;
		size_t len;
		uint8_t data[PACKET];
	} queue[QUEUE];
	size_t head, tail;
};

static struct path path; /* static for its size */

static void require(bool ok)
{
	if (!ok)
		abort();
}

static size_t memory_used(void)
{
#ifdef HAS_ASAN
	return __sanitizer_get_current_allocated_bytes();
#else
	return mallinfo2().uordblks;
#endif
}

static struct end *end_of(struct softwire *s)
{
	return container_of(s->config, struct end, config);
}

/* ---- what is sent ---- */

static void any_send(struct softwire *s, const uint8_t *payload, size_t len)
{
	struct end *e = end_of(s);
	size_t at = path.tail % QUEUE;

	require(!e->released && len <= PACKET);
	harness_check_sent(payload, len);
	if (path.tail - path.head == QUEUE)
		return; /* lost */
	path.queue[at].to = e->peer;
	path.queue[at].len = len;
	memcpy(path.queue[at].data, payload, len);
	path.tail++;
}

/* ---- questions ---- */

/* MS-CHAPv2 wants proof that the password is known here, too. */
static void answer_claim(struct end *e, bool yes)
{
	const struct ppp_claim *c = &e->about.claim;
	char proof[MSCHAP_SUCCESS + 1] = "E=691 R=0";

	if (yes && c->protocol == PPP_CHAP && c->algorithm == CHAP_MSCHAPV2)
		mschap_v2_success(c->challenge, c->response, c->name, c->name_len, "wonderland", 10,
			c->response + MSCHAP_CHALLENGE + 8, proof);
	else if (c->algorithm != CHAP_MSCHAPV2)
		snprintf(proof, sizeof(proof), "%s", yes ? "welcome" : "no");
	softwire_verified(e->softwire, yes, proof, path.now);
}

/* Request, response, Success; of no method that there is. */
static void answer_eap_of_peer(struct end *e, bool yes)
{
	uint8_t packet[] = {EAP_REQUEST, 7, 0, 6, 253, 1};

	if (yes && !e->about.eap[true].len)
		softwire_eap(e->softwire, true, packet, sizeof(packet), path.now);
	else
		softwire_verified(e->softwire, yes, "no", path.now);
}

static void answer_eap_of_us(struct end *e, bool yes)
{
	const uint8_t *asked = e->about.eap[false].bytes;
	uint8_t packet[] = {EAP_RESPONSE, asked[1], 0, 6, 253, 1};

	if (asked[0] == EAP_REQUEST)
		softwire_eap(e->softwire, false, packet, yes ? sizeof(packet) : 4, path.now);
	else
		softwire_eap_result(e->softwire, yes && asked[0] == EAP_SUCCESS, "refused", path.now);
}

static void answer(struct end *e, enum question q, bool yes)
{
	struct softwire *s = e->softwire;
	const char *secret = path.circumstances & SECRETS ? "rabbit" : "";

	if (!s)
		return;
	if (q == TUNNEL_SECRET)
		softwire_tunnel_secret(s, yes ? secret : "hatter", yes ? strlen(secret) : 6, path.now);
	else if (q == VERIFY)
		answer_claim(e, yes);
	else if (q == EAP_OF_PEER)
		answer_eap_of_peer(e, yes);
	else if (q == EAP_OF_US)
		answer_eap_of_us(e, yes);
	else if (q == PPP_SECRET)
		softwire_ppp_secret(s, "wonderland", yes ? 10 : 0, path.now);
	else if (q == LEASE && e == &path.sc)
		softwire_sc_lease(&path.sc_engine, yes ? &path.lease : NULL, "no address is free", path.now);
	else if (q == BIND && e == &path.sc)
		softwire_sc_bound(&path.sc_engine, yes, "not recorded", path.now);
}

static void ask(struct softwire *s, enum question q)
{
	struct end *e = end_of(s);

	require(!e->downs && !e->released);
	e->softwire = s;
	if (e == path.victim && path.circumstances & LATE)
		e->waiting |= (uint8_t)(1 << q);
	else
		answer(e, q, true);
}

static void any_tunnel_secret(struct softwire *s, const char *host)
{
	require(memchr(host, 0, L2TP_PACKET_MAX) != NULL);
	ask(s, TUNNEL_SECRET);
}

static const uint8_t *keep(struct end *e, unsigned slot, const uint8_t *from, size_t len)
{
	require(len <= sizeof(e->about.bytes[slot]));
	if (len)
		memcpy(e->about.bytes[slot], from, len);
	return e->about.bytes[slot];
}

static void any_authenticate(struct softwire *s, const struct ppp_claim *claim)
{
	struct end *e = end_of(s);

	if (claim->protocol == PPP_CHAP)
		require(claim->response_len == (claim->algorithm == CHAP_MSCHAPV2 ? 49 : 16) &&
			claim->challenge_len >= 16);
	else
		require(claim->protocol == PPP_PAP);
	require(!(e->waiting & 1 << VERIFY)); /* one at a time: ppp/link.h */
	e->about.claim = *claim;
	e->about.claim.name = keep(e, 0, claim->name, claim->name_len);
	e->about.claim.challenge = keep(e, 1, claim->challenge, claim->challenge_len);
	e->about.claim.response = keep(e, 2, claim->response, claim->response_len);
	ask(s, VERIFY);
}

static void any_eap(struct softwire *s, bool authenticator, const uint8_t *packet, size_t len)
{
	struct end *e = end_of(s);

	require(packet ? len >= 4 && len <= PACKET : authenticator && !len);
	require(!authenticator || !(e->waiting & 1 << EAP_OF_PEER)); /* one at a time: ppp/link.h */
	if (packet)
		memcpy(e->about.eap[authenticator].bytes, packet, len);
	e->about.eap[authenticator].len = len;
	ask(s, authenticator ? EAP_OF_PEER : EAP_OF_US);
}

static void any_ppp_secret(struct softwire *s, const char *peer)
{
	ask(s, PPP_SECRET);
}

static void sc_want_lease(struct softwire *s)
{
	require(!(end_of(s)->waiting & 1 << LEASE) && !path.sc_engine.lease);
	ask(s, LEASE);
}

static void sc_bind(struct softwire *s, const struct dhcp6_duid *duid, uint32_t iaid)
{
	require(duid->len > 0 && duid->len <= DHCP6_DUID_MAX && s->up6);
	ask(s, BIND);
}

static void sc_delegated(struct softwire *s, uint8_t family, bool in_use)
{
	bool *routed = family == AF_INET6 ? &end_of(s)->routed : &end_of(s)->routed4;

	require((family == AF_INET6 ? s->up6 : s->up4) || !in_use);
	require(in_use != *routed);
	*routed = in_use;
}

static void sc_renewed(struct softwire *s, uint8_t family)
{
	require(family == AF_INET6 ? s->up6 : s->up4);
}

static void si_never(struct softwire *s)
{
	abort();
}

static void si_never_bind(struct softwire *s, const struct dhcp6_duid *duid, uint32_t iaid)
{
	abort();
}

static void si_never_delegated(struct softwire *s, uint8_t family, bool in_use)
{
	abort();
}

/* ---- events ---- */

static void any_up(struct softwire *s, uint8_t family)
{
	struct end *e = end_of(s);

	require(family == AF_INET6 ? s->up6 && s->mtu >= IP6_MIN_MTU : s->up4 && s->config->ppp.ipv4);
	require(!e->downs && s->mtu <= MTU && s->step == STEP_UP);
	require(e == &path.si || path.sc_engine.lease);
	e->ups++;
}

static void any_family_down(struct softwire *s, uint8_t family, const char *why)
{
	struct end *e = end_of(s);

	require(e->ups && !e->downs && !(family == AF_INET6 ? s->up6 : s->up4) && *why);
	require(!(family == AF_INET6 ? e->routed : e->routed4));
}

static void any_family_refused(struct softwire *s, uint8_t family, const char *why)
{
	require(!end_of(s)->downs && !(family == AF_INET6 ? s->up6 : s->up4) && *why);
}

static void check_state4(const struct softwire_si_state *state, bool up)
{
	bool any = state->has_binding4 || state->dns4_count || !addr_is_none(&state->address4);

	require(up || !any);
	require(state->dns4_count <= DHCP4_DNS_MAX && state->binding4.subnet_count <= DHCP4_SUBNET_MAX);
	require(addr_is_none(&state->address4) || state->address4.family == AF_INET);
	require(!state->address4_by_dhcp || (state->has_binding4 && state->binding4.has_address));
}

static void si_configured(struct softwire *s)
{
	const struct softwire_si_state *state = &path.si_engine.state;

	require(!end_of(s)->downs && (s->up6 || s->up4));
	require(s->up6 || !(state->router_known || state->has_binding || state->has_address));
	require(state->dns_count <= DHCP6_DNS_MAX && state->binding.prefix_count <= DHCP6_PREFIX_MAX);
	require(!state->has_address ||
		(state->address.family == AF_INET6 && !addr_is_multicast(&state->address)));
	check_state4(state, s->up4);
}

static void any_down(struct softwire *s, const struct softwire_why *why)
{
	struct end *e = end_of(s);

	require(!e->downs++ && !e->released && !s->up6 && !s->up4);
	require(why->cause < CAUSE_MAX && memchr(why->text, 0, sizeof(why->text)));
}

static void any_released(struct softwire *s)
{
	struct end *e = end_of(s);

	require(e->downs == 1 && !e->released++);
	softwire_done(s);
	require(!wheel_armed(&s->timer));
	e->softwire = NULL;
}

static void any_changed(struct softwire *s)
{
	harness_save(&end_of(s)->record, s);
}

static void any_trace(struct softwire *s, enum softwire_trace what, const void *data, size_t len)
{
	struct softwire_trace_words words;

	softwire_trace_describe(what, data, len, &words);
	require(memchr(words.text, 0, sizeof(words.text)) != NULL);
}

static void any_note(struct softwire *s, const char *text)
{
	require(*text);
}

static const struct softwire_ops sc_ops = {
	.send = any_send,
	.want_tunnel_secret = any_tunnel_secret,
	.authenticate = any_authenticate,
	.want_ppp_secret = any_ppp_secret,
	.eap = any_eap,
	.want_lease = sc_want_lease,
	.bind_duid = sc_bind,
	.delegated = sc_delegated,
	.renewed = sc_renewed,
	.up = any_up,
	.family_down = any_family_down,
	.family_refused = any_family_refused,
	.down = any_down,
	.released = any_released,
	.changed = any_changed,
	.trace = any_trace,
	.note = any_note,
};

static const struct softwire_ops si_ops = {
	.send = any_send,
	.want_tunnel_secret = any_tunnel_secret,
	.authenticate = any_authenticate,
	.want_ppp_secret = any_ppp_secret,
	.eap = any_eap,
	.want_lease = si_never,
	.bind_duid = si_never_bind,
	.delegated = si_never_delegated,
	.up = any_up,
	.family_down = any_family_down,
	.family_refused = any_family_refused,
	.configured = si_configured,
	.down = any_down,
	.released = any_released,
	.changed = any_changed,
	.trace = any_trace,
	.note = any_note,
};

/* ---- the path ---- */

static void give(struct end *to, const uint8_t *data, size_t len)
{
	if (to->softwire) {
		softwire_input(to->softwire, data, len, path.now);
	} else if (to == &path.sc && !to->began) {
		to->began = true;
		path.sc_engine.softwire.tracing = true;
		if (softwire_sc_accept(
			    &path.sc_engine, &to->config, 0x5c01, 0x5c02, data, len, MTU, path.now)) {
			require(!to->downs && !to->released && !wheel_armed(&path.sc_engine.softwire.timer));
			to->softwire = NULL;
			to->began = false;
		}
	}
}

static void deliver_one(void)
{
	size_t at = path.head % QUEUE;
	uint8_t data[PACKET];
	size_t len = path.queue[at].len;

	if (path.head == path.tail)
		return;
	memcpy(data, path.queue[at].data, len);
	path.head++;
	give(path.queue[at].to, data, len);
}

static void deliver_all(void)
{
	for (int n = 0; n < STEPS && path.head != path.tail; n++)
		deliver_one();
}

static void pass(msec duration)
{
	msec end = path.now + duration;

	for (int n = 0; n < 1000 && wheel_next(&path.wheel) <= end; n++) {
		path.now = wheel_next(&path.wheel);
		wheel_advance(&path.wheel, path.now);
		deliver_all();
	}
	path.now = end;
	wheel_advance(&path.wheel, end);
}

static void set_authentication(void)
{
	static const uint8_t methods[] = {
		PPP_METHOD_CHAP_MD5, PPP_METHOD_MSCHAPV2, PPP_METHOD_PAP, PPP_METHOD_EAP};
	uint8_t method = methods[(path.more & METHOD) / 16];

	path.sc.config.ppp.demand_auth = !(path.circumstances & ANONYMOUS);
	path.sc.config.ppp.give_auth = path.si.config.ppp.demand_auth = path.circumstances & MUTUAL;
	for (int n = 0; n < 2; n++) {
		struct ppp_config *c = n ? &path.si.config.ppp : &path.sc.config.ppp;

		c->demand[0] = method;
		c->demand[1] = method == PPP_METHOD_CHAP_MD5 ? 0 : PPP_METHOD_CHAP_MD5;
		c->give = (uint8_t)(1 << method | 1 << PPP_METHOD_CHAP_MD5);
		c->name = n ? "alice" : "sc.example";
	}
}

static void set_ipv6(void)
{
	path.si.config.dhcp6_client.want_prefix = !(path.circumstances & HOST);
	path.sc.config.dhcp6_server.duid_len = path.si.config.dhcp6_client.duid_len = 10;
	memset(path.sc.config.dhcp6_server.duid, 0xcc, 10);
	memset(path.si.config.dhcp6_client.duid, 0x11, 10);
	path.lease =
		(struct softwire_lease){.prefix_count = 1, .preferred = 3600, .valid = 7200, .dns_count = 1};
	path.lease.managed = path.circumstances & MANAGED;
	require(!prefix_parse("2001:db8:8000:700::/56", &path.lease.delegated[0]));
	require(!addr_parse("2001:db8::53", &path.lease.dns[0]));
	if (!(path.circumstances & LINK_LOCAL_ONLY))
		require(!prefix_parse("2001:db8:100:7::/64", &path.lease.link6));
}

static void set_ipv4(void)
{
	if (!(path.more & IPV4))
		return;
	path.si.config.ppp.ipv4 = true;
	path.sc.config.ppp.ipv4 = !(path.more & IPCP_UNKNOWN);
	path.si.config.ppp.ipv6 = !(path.more & NO_IPV6);
	path.sc.config.ppp.ipv6 = !(path.more & NO_IPV6) || path.more & IPCP_UNKNOWN;
	path.sc.config.local4 = addr4(192, 0, 2, 1);
	path.lease.address4 = addr4(198, 51, 100, 7);
	path.lease.dns[path.lease.dns_count++] = addr4(192, 0, 2, 53);
	path.lease.dhcp4 = path.more & BY_DHCP4;
	path.si.config.dhcp4_client.client_id_len = 8;
	path.si.config.dhcp4_client.want_subnet = path.more & SUBNET;
	path.lease.prefix4_count = 1;
	require(!prefix_parse("203.0.113.0/28", &path.lease.delegated4[0]));
	path.hint4.subnet_count = 1;
	path.hint4.subnets[0].prefix = path.lease.delegated4[0];
}

static void open_path(enum l2tp_end victim, uint8_t circumstances, uint8_t more)
{
	memset(&path, 0, sizeof(path));
	path.circumstances = circumstances;
	path.more = more;
	path.now = 1000;
	wheel_init(&path.wheel, path.now);
	rng_init_seed(&path.rng, 5571);
	softwire_config_init(&path.sc.config, L2TP_LNS, &sc_ops, &path.wheel, &path.rng, &path.sc.counters);
	softwire_config_init(&path.si.config, L2TP_LAC, &si_ops, &path.wheel, &path.rng, &path.si.counters);
	path.sc.peer = &path.si;
	path.si.peer = &path.sc;
	path.victim = victim == L2TP_LNS ? &path.sc : &path.si;
	set_authentication();
	set_ipv6();
	set_ipv4();
	path.si_engine.softwire.tracing = true;
	if (softwire_si_open(&path.si_engine, &path.si.config, 0x5101, 0x5102, 1, MTU, NULL,
		    more & HELD_BEFORE ? &path.hint4 : NULL, path.now) == 0)
		path.si.softwire = &path.si_engine.softwire;
	path.si.began = true;
}

/* Ends both: the victim must be gone in time, whatever was done to it. */
static void close_path(void)
{
	struct end *v = path.victim;

	if (path.victim->peer->softwire)
		softwire_done(path.victim->peer->softwire);
	path.victim->peer->softwire = NULL;
	path.head = path.tail;
	if (v->softwire)
		softwire_close(v->softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "over", path.now);
	require(!v->softwire || v->downs == 1);
	pass(FAR);
	require(!v->softwire && path.wheel.armed == 0);
	require(!v->began || v->released == 1);
}

/* ---- forged packets ---- */

static void forge_frame(uint8_t detail, const uint8_t *body, size_t len)
{
	static const uint16_t protocols[] = {
		PPP_LCP, PPP_CHAP, PPP_IPV6CP, PPP_IPV6, PPP_IPCP, PPP_IP, PPP_PAP, PPP_EAP};
	struct softwire *s = path.victim->softwire;
	uint8_t buf[PACKET];
	size_t head;

	if (!s)
		return;
	head = softwire_data_header(
		buf, s->tunnel.local_tunnel, s->tunnel.local_session, protocols[detail % 8]);
	memcpy(buf + head, body, len);
	give(path.victim, buf, head + len);
}

/* DHCPv4 whose headers and checksums are right. */
static void forge_ip4(uint8_t detail, const uint8_t *body, size_t len)
{
	const struct addr client = path.lease.address4, server = path.sc.config.local4, none = {0};
	bool to_client = path.victim == &path.si;
	uint8_t packet[PACKET];
	struct writer w = writer_of(packet, sizeof(packet));

	ip4_udp_write(&w,
		to_client    ? &server
		: detail & 1 ? &client
			     : &none,
		detail & 2  ? &none
		: to_client ? &client
			    : &server,
		to_client ? DHCP4_SERVER_PORT : DHCP4_CLIENT_PORT,
		to_client ? DHCP4_CLIENT_PORT : DHCP4_SERVER_PORT, body, len);
	if (writer_ok(&w))
		forge_frame(5, packet, writer_len(&w));
}

/* IPv6 whose header and checksum are right: what is wrong is in the message. */
static void forge_ip6(uint8_t detail, const uint8_t *body, size_t len)
{
	struct softwire *s = path.victim->softwire;
	uint8_t packet[PACKET];
	struct writer w = writer_of(packet, sizeof(packet));
	struct ip6 h = {.next_header = PROTO_ICMP6, .hop_limit = 255};

	if (!s || !s->ppp_open)
		return;
	if (detail & 8) {
		forge_ip4(detail, body, len);
		return;
	}
	h.src = nd_link_local(detail & 1 ? s->ppp.iid : s->ppp.peer_iid);
	h.dst = detail & 2 ? nd_all_nodes() : nd_link_local(s->ppp.iid);
	if (detail & 4) {
		uint16_t port = path.victim == &path.sc ? DHCP6_SERVER_PORT : DHCP6_CLIENT_PORT;

		ip6_udp_write(&w, &h.src, &h.dst, 546, port, body, len);
	} else {
		size_t at = ip6_begin(&w, &h);

		writer_bytes(&w, body, len);
		ip6_finish(&w, at);
	}
	if (writer_ok(&w))
		forge_frame(3, packet, writer_len(&w));
}

static void forge_control(uint8_t detail, const uint8_t *body, size_t len)
{
	struct softwire *s = path.victim->softwire;
	uint8_t buf[PACKET];
	struct writer w = writer_of(buf, sizeof(buf));

	if (!s)
		return;
	writer_u16(&w, 0xc802);
	writer_u16(&w, (uint16_t)(12 + len));
	writer_u16(&w, s->tunnel.local_tunnel);
	writer_u16(&w, detail & 1 ? s->tunnel.local_session : 0);
	writer_u16(&w, (uint16_t)(s->tunnel.nr + (detail >> 4)));
	writer_u16(&w, (uint16_t)(s->tunnel.ns - (detail >> 1 & 7)));
	writer_bytes(&w, body, len);
	give(path.victim, buf, writer_len(&w));
}

/* ---- steps ---- */

static void change_packet(uint8_t detail, uint8_t value)
{
	size_t at = path.head % QUEUE;

	if (path.head != path.tail && path.queue[at].to == path.victim && path.queue[at].len)
		path.queue[at].data[detail % path.queue[at].len] ^= value;
}

static void repeat_packet(void)
{
	size_t at = path.head % QUEUE;
	uint8_t data[PACKET];
	size_t len = path.queue[at].len;

	if (path.head == path.tail)
		return;
	memcpy(data, path.queue[at].data, len);
	give(path.queue[at].to, data, len);
}

static void lower_mtu(struct softwire *s, uint16_t mtu)
{
	uint16_t before = s->mtu;
	bool lower = softwire_lower_mtu(s, mtu, path.now);

	require(lower ? s->mtu < before : s->mtu == before);
	require(!s->up6 || s->mtu >= IP6_MIN_MTU);
}

static void act(uint8_t detail)
{
	struct softwire *s = path.victim->softwire;

	if (!s)
		return;
	if (detail % 4 == 0)
		softwire_close(s, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "by the owner", path.now);
	else if (detail % 8 == 5 && harness_crash(&path.victim->record, s, path.now))
		path.victim->waiting = 0; /* its owner has crashed, too */
	else if (detail % 4 == 1)
		softwire_probe(s, path.now);
	else if (detail & 4)
		lower_mtu(s, (uint16_t)(MTU - 8 * (detail >> 3)));
	else if (path.victim->peer->softwire && detail % 4 == 2)
		softwire_close(path.victim->peer->softwire, CAUSE_SHUTDOWN, L2TP_STOP_SHUTDOWN, 0,
			"by the peer", path.now);
	else if (path.victim->peer->softwire)
		softwire_probe(path.victim->peer->softwire, path.now);
}

static void answer_waiting(uint8_t detail)
{
	enum question q = (enum question)(detail % QUESTIONS);

	if (!(path.victim->waiting & 1 << q))
		return;
	path.victim->waiting &= (uint8_t) ~(1 << q);
	answer(path.victim, q, detail < 200);
}

static void step(struct reader *r)
{
	uint8_t what = reader_u8(r), detail = reader_u8(r);
	const uint8_t *body = NULL;
	size_t len = 0;

	if (what % 16 < 4) {
		len = reader_u8(r);
		if (len > reader_left(r))
			len = reader_left(r);
		body = reader_bytes(r, len);
	}
	switch (what % 16) {
	case 0:
		give(path.victim, body ? body : &detail, len);
		break;
	case 1:
		forge_frame(detail, body ? body : &detail, len);
		break;
	case 2:
		forge_ip6(detail, body ? body : &detail, len);
		break;
	case 3:
		forge_control(detail, body ? body : &detail, len);
		break;
	case 4:
	case 5:
		deliver_one();
		break;
	case 6:
		deliver_all();
		break;
	case 7:
		path.head += path.head != path.tail; /* lost */
		break;
	case 8:
		repeat_packet();
		break;
	case 9:
		change_packet(detail, (uint8_t)(1 << (what >> 5)));
		break;
	case 10:
		act(detail);
		break;
	case 11:
	case 12:
		answer_waiting(detail);
		break;
	case 13:
		pass(detail * 10u);
		break;
	case 14:
		pass(path.now < DAY ? detail * 1000u : detail);
		break;
	default:
		pass(path.now < DAY ? detail * 10000u : detail);
		break;
	}
}

void harness_run(enum l2tp_end victim, const uint8_t *data, size_t size)
{
	static bool warm;
	struct reader r = reader_of(data, size);
	uint8_t circumstances = reader_u8(&r), more = reader_u8(&r);
	size_t before;

	/* What libraries allocate once and for ever, some of it only when one method comes after another. */
	for (unsigned n = 0; !warm && n < 8; n++) {
		if (n % 4 == 1 && !mschap_available())
			continue;
		open_path(victim, 0, (uint8_t)(IPV4 | n % 4 * 16));
		pass(5000);
		require(path.sc.ups == 2 &&
			path.si.ups == 2); /* what is honest works, or there is nothing to attack */
		close_path();
	}
	warm = true;
	before = memory_used();
	open_path(victim, circumstances, more);
	if (!(path.circumstances & FRESH))
		pass(3000);
	for (int n = 0; n < STEPS && reader_left(&r) >= 2; n++) {
		step(&r);
		require(memory_used() < before + MEMORY);
	}
	close_path();
}
