/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See harness.h. */
#include "harness.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "hub/trace.h"
#include "l2tp/avp.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifdef HAS_ASAN
size_t __sanitizer_get_current_allocated_bytes(void); /* of the sanitizer's runtime, whose header gcc may lack */
#endif

enum { QUEUE = 32, PACKET = 2048, MTU = 1460, STEPS = 200, MEMORY = 32768, FAR = 400000, DAY = 7200000 };
enum question { TUNNEL_SECRET, VERIFY, PPP_SECRET, LEASE, BIND, QUESTIONS };

/* Circumstances: the first byte. */
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

struct end {
	struct softwire *softwire; /* NULL: not there (yet) */
	struct softwire_config config;
	struct softwire_counters counters;
	struct end *peer;
	uint8_t waiting; /* questions to be answered later, one bit each */
	bool began, routed;
	unsigned ups, downs, released;
};

struct path {
	uint8_t circumstances;
	msec now;
	struct wheel wheel;
	struct rng rng;
	struct softwire_sc sc_engine;
	struct softwire_si si_engine;
	struct end sc, si, *victim;
	struct softwire_lease lease;
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

/* ---- what is sent must be good ---- */

static void check_ip6(struct reader r)
{
	const uint8_t *packet = r.pos;
	size_t len = reader_left(&r);
	uint16_t src_port, dst_port;
	struct dhcp6_message d;
	struct nd_message m;
	struct reader data;
	const char *why;
	struct ip6 h;

	require(nd_packet_read(packet, len, &m, &why) != -EBADMSG);
	ip6_read(&r, &h);
	require(reader_ok(&r));
	if (h.next_header == PROTO_ICMP6)
		require(ip6_checksum(&h.src, &h.dst, PROTO_ICMP6, r.pos, reader_left(&r)) == 0);
	if (h.next_header != PROTO_UDP)
		return;
	require(ip6_udp_read(&h, r, &src_port, &dst_port, &data, &why));
	require(dhcp6_message_read(data.pos, reader_left(&data), &d, &why) == 0);
}

static void check_control(struct reader body)
{
	uint8_t scratch[L2TP_PACKET_MAX];
	struct l2tp_message m;
	struct l2tp_fault f;

	if (reader_left(&body))
		require(l2tp_message_read(body, NULL, scratch, &m, &f) == 0);
}

static void check_sent(const uint8_t *payload, size_t len)
{
	struct reader r = reader_of(payload, len);
	struct ppp_packet packet;
	struct l2tp_header h;
	uint16_t protocol;

	l2tp_header_read(&r, &h);
	require(reader_ok(&r));
	if (h.control) {
		check_control(reader_rest(&r));
		return;
	}
	r = reader_rest(&r);
	protocol = ppp_frame_read(&r);
	require(reader_ok(&r));
	if (protocol == PPP_IPV6) {
		check_ip6(reader_rest(&r));
		return;
	}
	ppp_packet_read(&r, &packet);
	require(reader_ok(&r));
}

static void any_send(struct softwire *s, const uint8_t *payload, size_t len)
{
	struct end *e = end_of(s);
	size_t at = path.tail % QUEUE;

	require(!e->released && len <= PACKET);
	check_sent(payload, len);
	if (path.tail - path.head == QUEUE)
		return; /* lost */
	path.queue[at].to = e->peer;
	path.queue[at].len = len;
	memcpy(path.queue[at].data, payload, len);
	path.tail++;
}

/* ---- questions ---- */

static void answer(struct end *e, enum question q, bool yes)
{
	struct softwire *s = e->softwire;
	const char *secret = path.circumstances & SECRETS ? "rabbit" : "";

	if (!s)
		return;
	if (q == TUNNEL_SECRET)
		softwire_tunnel_secret(s, yes ? secret : "hatter", yes ? strlen(secret) : 6, path.now);
	else if (q == VERIFY)
		softwire_verified(s, yes, yes ? "welcome" : "no", path.now);
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

static void any_authenticate(struct softwire *s, const struct ppp_claim *claim)
{
	require(claim->response_len == 16 && claim->challenge_len > 0);
	require(!(end_of(s)->waiting & 1 << VERIFY)); /* one at a time: ppp/link.h */
	ask(s, VERIFY);
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
	require(s->up6 || !in_use);
	end_of(s)->routed = in_use;
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

	require(family == AF_INET6 && !e->downs && s->up6 && s->mtu >= IP6_MIN_MTU && s->mtu <= MTU);
	require(e == &path.si || path.sc_engine.lease);
	e->ups++;
}

static void any_family_down(struct softwire *s, uint8_t family, const char *why)
{
	require(end_of(s)->ups && !end_of(s)->downs && !s->up6 && *why);
}

static void si_configured(struct softwire *s)
{
	const struct softwire_si_state *state = &path.si_engine.state;

	require(!end_of(s)->downs && s->up6);
	require(state->dns_count <= DHCP6_DNS_MAX && state->binding.prefix_count <= DHCP6_PREFIX_MAX);
	require(!state->has_address ||
		(state->address.family == AF_INET6 && !addr_is_multicast(&state->address)));
}

static void any_down(struct softwire *s, const struct softwire_why *why)
{
	struct end *e = end_of(s);

	require(!e->downs++ && !e->released && !s->up6);
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
	.want_lease = sc_want_lease,
	.bind_duid = sc_bind,
	.delegated = sc_delegated,
	.up = any_up,
	.family_down = any_family_down,
	.down = any_down,
	.released = any_released,
	.trace = any_trace,
	.note = any_note,
};

static const struct softwire_ops si_ops = {
	.send = any_send,
	.want_tunnel_secret = any_tunnel_secret,
	.authenticate = any_authenticate,
	.want_ppp_secret = any_ppp_secret,
	.want_lease = si_never,
	.bind_duid = si_never_bind,
	.delegated = si_never_delegated,
	.up = any_up,
	.family_down = any_family_down,
	.configured = si_configured,
	.down = any_down,
	.released = any_released,
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

static void open_path(enum l2tp_end victim, uint8_t circumstances)
{
	memset(&path, 0, sizeof(path));
	path.circumstances = circumstances;
	path.now = 1000;
	wheel_init(&path.wheel, path.now);
	rng_init_seed(&path.rng, 5571);
	softwire_config_init(&path.sc.config, L2TP_LNS, &sc_ops, &path.wheel, &path.rng, &path.sc.counters);
	softwire_config_init(&path.si.config, L2TP_LAC, &si_ops, &path.wheel, &path.rng, &path.si.counters);
	path.sc.peer = &path.si;
	path.si.peer = &path.sc;
	path.victim = victim == L2TP_LNS ? &path.sc : &path.si;
	path.sc.config.ppp.demand_auth = !(circumstances & ANONYMOUS);
	path.sc.config.ppp.give_auth = path.si.config.ppp.demand_auth = circumstances & MUTUAL;
	path.si.config.dhcp6_client.want_prefix = !(circumstances & HOST);
	path.sc.config.dhcp6_server.duid_len = path.si.config.dhcp6_client.duid_len = 10;
	memset(path.sc.config.dhcp6_server.duid, 0xcc, 10);
	memset(path.si.config.dhcp6_client.duid, 0x11, 10);
	path.lease =
		(struct softwire_lease){.prefix_count = 1, .preferred = 3600, .valid = 7200, .dns_count = 1};
	path.lease.managed = circumstances & MANAGED;
	require(!prefix_parse("2001:db8:8000:700::/56", &path.lease.delegated[0]));
	require(!addr_parse("2001:db8::53", &path.lease.dns[0]));
	if (!(circumstances & LINK_LOCAL_ONLY))
		require(!prefix_parse("2001:db8:100:7::/64", &path.lease.link6));
	path.si_engine.softwire.tracing = true;
	if (softwire_si_open(&path.si_engine, &path.si.config, 0x5101, 0x5102, 1, MTU, NULL, NULL, path.now) == 0)
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
		PPP_LCP, PPP_CHAP, PPP_IPV6CP, PPP_IPV6, PPP_IPCP, PPP_IP, PPP_PAP, 0x80fd};
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

/* IPv6 whose header and checksum are right: what is wrong is in the message. */
static void forge_ip6(uint8_t detail, const uint8_t *body, size_t len)
{
	struct softwire *s = path.victim->softwire;
	uint8_t packet[PACKET];
	struct writer w = writer_of(packet, sizeof(packet));
	struct ip6 h = {.next_header = PROTO_ICMP6, .hop_limit = 255};

	if (!s || !s->ppp_open)
		return;
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

static void act(uint8_t detail)
{
	struct softwire *s = path.victim->softwire;

	if (!s)
		return;
	if (detail % 4 == 0)
		softwire_close(s, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "by the owner", path.now);
	else if (detail % 4 == 1)
		softwire_probe(s, path.now);
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
	size_t before;

	if (!warm) { /* what libraries allocate once and for ever */
		open_path(victim, 0);
		pass(5000);
		close_path();
		warm = true;
	}
	before = memory_used();
	open_path(victim, reader_u8(&r));
	if (!(path.circumstances & FRESH))
		pass(3000);
	for (int n = 0; n < STEPS && reader_left(&r) >= 2; n++) {
		step(&r);
		require(memory_used() < before + MEMORY);
	}
	close_path();
}
