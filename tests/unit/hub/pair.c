/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See pair.h. */
#include "pair.h"

#include <errno.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "hub/trace.h"

/* ---- the wire ---- */

static struct side *side_of(struct softwire *s)
{
	return container_of(s->config, struct side, config);
}

static void deliver(struct side *to, const uint8_t *data, size_t len)
{
	if (to->softwire && !to->dead)
		softwire_input(to->softwire, data, len, to->pair->now);
}

static void first_packet(struct side *sc, const uint8_t *data, size_t len)
{
	struct pair *p = sc->pair;

	if (softwire_sc_accept(&p->sc_engine, &sc->config, 0x5c01, 0x5c02, data, len, PAIR_MTU, p->now) == 0)
		sc->softwire = &p->sc_engine.softwire;
}

static void arrive(struct pair *p)
{
	struct side *to = p->queue[p->head % PAIR_QUEUE].to;
	size_t len = p->queue[p->head % PAIR_QUEUE].len;
	uint8_t data[PAIR_PACKET];

	memcpy(data, p->queue[p->head % PAIR_QUEUE].data, len);
	p->head++;
	if (to == &p->sc && !to->softwire && !to->released && !to->dead)
		first_packet(to, data, len);
	else
		deliver(to, data, len);
}

/* Whatever an engine sends must be acceptable to the decoders of the other end. */
static void check_packet(const uint8_t *data, size_t len)
{
	struct reader r = reader_of(data, len);
	struct l2tp_header h;

	l2tp_header_read(&r, &h);
	assert_true(reader_ok(&r));
	assert_true(len <= PAIR_PACKET);
}

static void any_send(struct softwire *s, const uint8_t *payload, size_t len)
{
	struct side *side = side_of(s);
	struct pair *p = side->pair;
	size_t at = p->tail % PAIR_QUEUE;

	check_packet(payload, len);
	if (side->dead)
		return;
	assert_true(p->tail - p->head < PAIR_QUEUE);
	memcpy(p->queue[at].data, payload, len);
	if (p->hook && !p->hook(p, side, p->queue[at].data, &len))
		return;
	p->queue[at].to = side->peer;
	p->queue[at].at = p->now + PAIR_DELAY;
	p->queue[at].len = len;
	p->tail++;
}

void pair_payload(struct side *to, const void *payload, size_t len)
{
	deliver(to, payload, len);
}

void pair_frame(struct side *to, uint16_t protocol, const void *packet, size_t len)
{
	uint8_t buf[PAIR_PACKET];
	size_t head = softwire_data_header(
		buf, to->softwire->tunnel.local_tunnel, to->softwire->tunnel.local_session, protocol);

	memcpy(buf + head, packet, len);
	deliver(to, buf, head + len);
}

void pair_udp4(struct side *to, const char *src, uint16_t src_port, const char *dst, uint16_t dst_port,
	const void *data, size_t len)
{
	struct addr from = {0}, at = {0};
	uint8_t buf[PAIR_PACKET];
	struct writer w = writer_of(buf, sizeof(buf));

	if (src)
		assert_int_equal(addr_parse(src, &from), 0);
	if (dst)
		assert_int_equal(addr_parse(dst, &at), 0);
	ip4_udp_write(&w, &from, &at, src_port, dst_port, data, len);
	assert_true(writer_ok(&w));
	pair_frame(to, PPP_IP, buf, writer_len(&w));
}

bool pair_is_data(const uint8_t *packet, size_t len, uint16_t protocol)
{
	/* L2TP data header without optional fields 6, FF 03, protocol. */
	return len >= SOFTWIRE_DATA_HEADER && packet[0] == 0 && packet[1] == 2 &&
	       packet[8] == protocol >> 8 && packet[9] == (protocol & 0xff);
}

void pair_control(struct side *to, uint16_t session, const void *avps, size_t len)
{
	uint8_t buf[PAIR_PACKET];
	struct writer w = writer_of(buf, sizeof(buf));
	const struct l2tp_tunnel *t = &to->softwire->tunnel;

	writer_u16(&w, 0xc802);
	writer_u16(&w, (uint16_t)(12 + len));
	writer_u16(&w, t->local_tunnel);
	writer_u16(&w, session);
	writer_u16(&w, t->nr);
	writer_u16(&w, t->ns);
	writer_bytes(&w, avps, len);
	deliver(to, buf, writer_len(&w));
}

/* ---- answers ---- */

enum { EAP_REQUEST = 1, EAP_RESPONSE, EAP_SUCCESS, EAP_FAILURE, EAP_FAKE = 253, EAP_ROUNDS = 2 };

static void send_eap(struct side *side, uint8_t code, uint8_t id, const char *text)
{
	uint8_t packet[64];
	struct writer w = writer_of(packet, sizeof(packet));

	writer_u8(&w, code);
	writer_u8(&w, id);
	writer_u16(&w, (uint16_t)(5 + strlen(text)));
	writer_u8(&w, EAP_FAKE);
	writer_bytes(&w, text, strlen(text));
	assert_true(writer_ok(&w));
	softwire_eap(side->softwire, side->eap_authenticator, packet, writer_len(&w), side->pair->now);
}

static void answer_eap(struct side *side)
{
	size_t secret = strlen(side->ppp_secret);
	msec now = side->pair->now;

	if (side->eap_authenticator && side->eap_len &&
		(side->eap_len != 5 + secret || memcmp(side->eap + 5, side->ppp_secret, secret) != 0))
		softwire_verified(side->softwire, false, "wrong password", now);
	else if (side->eap_authenticator && side->eap_requests == EAP_ROUNDS)
		softwire_verified(side->softwire, true, NULL, now);
	else if (side->eap_authenticator)
		send_eap(side, EAP_REQUEST, (uint8_t)++side->eap_requests, "who are you?");
	else if (side->eap[0] == EAP_REQUEST)
		send_eap(side, EAP_RESPONSE, side->eap[1], side->ppp_secret);
	else
		softwire_eap_result(side->softwire, side->eap[0] == EAP_SUCCESS, "EAP: refused", now);
}

static void answer(struct side *side, enum question q)
{
	struct pair *p = side->pair;
	struct softwire *s = side->softwire;

	if (!s)
		return;
	switch (q) {
	case ASK_TUNNEL_SECRET:
		softwire_tunnel_secret(s, side->tunnel_secret, strlen(side->tunnel_secret), p->now);
		break;
	case ASK_VERIFY:
		softwire_verified(s, side->claim_ok,
			side->claim_ok ? "welcome" : "wrong user name or password", p->now);
		break;
	case ASK_PPP_SECRET:
		softwire_ppp_secret(s, side->ppp_secret, strlen(side->ppp_secret), p->now);
		break;
	case ASK_LEASE:
		softwire_sc_lease(&p->sc_engine, p->no_lease ? NULL : &p->lease, p->no_lease, p->now);
		break;
	case ASK_EAP:
		answer_eap(side);
		break;
	default:
		softwire_sc_bound(&p->sc_engine, !p->no_bind, p->no_bind ? "not recorded" : NULL, p->now);
		break;
	}
}

static void answer_fire(struct wheel_timer *t, msec now)
{
	struct answer *a = container_of(t, struct answer, timer);

	answer(a->side, a->question);
}

static void ask(struct softwire *s, enum question q)
{
	struct side *side = side_of(s);

	side->softwire = s; /* the first question comes from inside open or accept */
	side->asked[q]++;
	if (side->never[q])
		return;
	if (side->answer_ms)
		wheel_arm(&side->pair->wheel, &side->answers[q].timer, side->pair->now + side->answer_ms);
	else
		answer(side, q);
}

static void any_want_tunnel_secret(struct softwire *s, const char *host)
{
	ask(s, ASK_TUNNEL_SECRET);
}

static void any_want_ppp_secret(struct softwire *s, const char *peer)
{
	ask(s, ASK_PPP_SECRET);
}

static bool chap_ok(const struct ppp_claim *claim, const char *secret)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	EVP_DigestInit_ex(md, EVP_md5(), NULL);
	EVP_DigestUpdate(md, &claim->id, 1);
	EVP_DigestUpdate(md, secret, strlen(secret));
	EVP_DigestUpdate(md, claim->challenge, claim->challenge_len);
	EVP_DigestFinal_ex(md, digest, &len);
	EVP_MD_CTX_free(md);
	return claim->response_len == len && memcmp(digest, claim->response, len) == 0;
}

static bool pap_ok(const struct ppp_claim *claim, const char *secret)
{
	return claim->response_len == strlen(secret) &&
	       memcmp(claim->response, secret, claim->response_len) == 0;
}

static void any_authenticate(struct softwire *s, const struct ppp_claim *claim)
{
	struct side *side = side_of(s);

	side->claim_ok = claim->name_len == strlen(side->peer->config.ppp.name) &&
			 memcmp(claim->name, side->peer->config.ppp.name, claim->name_len) == 0 &&
			 (claim->protocol == PPP_PAP ? pap_ok(claim, side->ppp_secret)
						     : chap_ok(claim, side->ppp_secret));
	ask(s, ASK_VERIFY);
}

static void any_eap(struct softwire *s, bool authenticator, const uint8_t *packet, size_t len)
{
	struct side *side = side_of(s);

	assert_true(len <= sizeof(side->eap));
	side->eap_authenticator = authenticator;
	if (packet)
		memcpy(side->eap, packet, len);
	else /* from the beginning */
		side->eap_requests = 0;
	side->eap_len = len;
	ask(s, ASK_EAP);
}

static void sc_want_lease(struct softwire *s)
{
	ask(s, ASK_LEASE);
}

static void sc_bind(struct softwire *s, const struct dhcp6_duid *duid, uint32_t iaid)
{
	assert_true(duid->len > 0);
	ask(s, ASK_BIND);
}

static void si_never(struct softwire *s)
{
	fail_msg("a concentrator's request at the initiator");
}

static void si_never_bind(struct softwire *s, const struct dhcp6_duid *duid, uint32_t iaid)
{
	si_never(s);
}

static void si_never_delegated(struct softwire *s, uint8_t family, bool in_use)
{
	si_never(s);
}

/* ---- events ---- */

static void sc_delegated(struct softwire *s, uint8_t family, bool in_use)
{
	struct side *side = side_of(s);

	if (family == AF_INET6)
		*(in_use ? &side->delegated : &side->released_prefixes) += 1;
	else
		*(in_use ? &side->delegated4 : &side->released_subnets) += 1;
}

static void sc_renewed(struct softwire *s, uint8_t family)
{
	struct side *side = side_of(s);

	*(family == AF_INET6 ? &side->renewed : &side->renewed4) += 1;
}

static void any_up(struct softwire *s, uint8_t family)
{
	struct side *side = side_of(s);

	assert_true(family == AF_INET6 ? s->up6 : s->up4);
	assert_int_equal(side->downs, 0);
	assert_int_equal(s->step, STEP_UP);
	*(family == AF_INET6 ? &side->ups : &side->ups4) += 1;
	assert_int_equal(side->ups - side->family_downs, s->up6);
	assert_int_equal(side->ups4 - side->family_downs4, s->up4);
	if (side->close_on_up)
		softwire_close(s, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "not wanted", side->pair->now);
}

static void any_family_down(struct softwire *s, uint8_t family, const char *why)
{
	struct side *side = side_of(s);

	assert_false(family == AF_INET6 ? s->up6 : s->up4);
	assert_int_equal(side->downs, 0);
	*(family == AF_INET6 ? &side->family_downs : &side->family_downs4) += 1;
	snprintf(side->family_why, sizeof(side->family_why), "%s", why);
}

static void any_family_refused(struct softwire *s, uint8_t family, const char *why)
{
	struct side *side = side_of(s);

	assert_false(family == AF_INET6 ? s->up6 : s->up4);
	assert_int_equal(side->downs, 0);
	side->refusals++;
	snprintf(side->family_why, sizeof(side->family_why), "%s", why);
}

static void si_configured(struct softwire *s)
{
	struct side *side = side_of(s);

	assert_int_equal(side->downs, 0);
	side->configured++;
	side->state = side->pair->si_engine.state;
}

static void any_down(struct softwire *s, const struct softwire_why *why)
{
	struct side *side = side_of(s);

	side->downs++;
	side->why = *why;
	assert_int_equal(side->released, 0);
}

static void any_released(struct softwire *s)
{
	struct side *side = side_of(s);

	side->released++;
	assert_int_equal(side->downs, 1);
	softwire_done(s);
	side->softwire = NULL;
	side->record_len = 0;
}

static void any_activity(struct softwire *s, msec *ret_heard, msec *ret_sent)
{
	*ret_heard = side_of(s)->data_heard;
	*ret_sent = side_of(s)->data_sent;
}

static void any_changed(struct softwire *s)
{
	struct side *side = side_of(s);
	struct writer w = writer_of(side->record, sizeof(side->record));
	int err = softwire_is_initiator(s) ? softwire_si_save(&side->pair->si_engine, &w)
					   : softwire_sc_save(&side->pair->sc_engine, &w);

	assert_true(err == 0 || err == -EAGAIN);
	side->record_len = writer_len(&w);
	side->changes++;
}

static void any_trace(struct softwire *s, enum softwire_trace what, const void *data, size_t len)
{
	struct side *side = side_of(s);
	struct pair *p = side->pair;
	struct softwire_trace_words words;

	softwire_trace_describe(what, data, len, &words);
	if (getenv("HUB_TRACE"))
		printf("%8llu %s %-4s %-8s %s\n", (unsigned long long)p->now, side->name, words.dir,
			words.layer, words.text);
	if (strcmp(words.dir, "tx") != 0 || p->line_count == PAIR_LINES)
		return;
	snprintf(p->lines[p->line_count++], sizeof(p->lines[0]), "%s %s %.140s", side->name, words.layer,
		words.text);
}

static void any_note(struct softwire *s, const char *text)
{
	struct side *side = side_of(s);

	side->notes++;
	snprintf(side->note, sizeof(side->note), "%s", text);
}

static const struct softwire_ops sc_ops = {
	.send = any_send,
	.want_tunnel_secret = any_want_tunnel_secret,
	.authenticate = any_authenticate,
	.want_ppp_secret = any_want_ppp_secret,
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
	.activity = any_activity,
	.trace = any_trace,
	.note = any_note,
};

static const struct softwire_ops si_ops = {
	.send = any_send,
	.want_tunnel_secret = any_want_tunnel_secret,
	.authenticate = any_authenticate,
	.want_ppp_secret = any_want_ppp_secret,
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
	.activity = any_activity,
	.trace = any_trace,
	.note = any_note,
};

/* ---- life ---- */

static void side_init(
	struct pair *p, struct side *side, struct side *peer, const char *name, enum l2tp_end end)
{
	side->pair = p;
	side->peer = peer;
	side->name = name;
	side->tunnel_secret = "";
	side->ppp_secret = "wonderland";
	for (int q = 0; q < ASK_MAX; q++) {
		side->answers[q].side = side;
		side->answers[q].question = (enum question)q;
		side->answers[q].timer.fire = answer_fire;
	}
	softwire_config_init(
		&side->config, end, end == L2TP_LNS ? &sc_ops : &si_ops, &p->wheel, &p->rng, &side->counters);
}

struct pair *pair_new(void)
{
	struct pair *p = test_calloc(1, sizeof(*p));

	p->now = 1000;
	wheel_init(&p->wheel, p->now);
	rng_init_seed(&p->rng, 5571);
	side_init(p, &p->sc, &p->si, "SC", L2TP_LNS);
	side_init(p, &p->si, &p->sc, "SI", L2TP_LAC);
	p->sc.config.ppp.name = "sc.example";
	p->si.config.ppp.name = "alice";
	p->sc.config.dhcp6_server.duid_len = p->si.config.dhcp6_client.duid_len = 18;
	memset(p->sc.config.dhcp6_server.duid, 0xcc, 18);
	memset(p->si.config.dhcp6_client.duid, 0x11, 18);
	p->si.config.dhcp6_client.want_prefix = true;
	p->lease =
		(struct softwire_lease){.prefix_count = 1, .preferred = 3600, .valid = 7200, .dns_count = 1};
	assert_int_equal(prefix_parse("2001:db8:100:7::/64", &p->lease.link6), 0);
	assert_int_equal(prefix_parse("2001:db8:8000:700::/56", &p->lease.delegated[0]), 0);
	assert_int_equal(addr_parse("2001:db8::53", &p->lease.dns[0]), 0);
	return p;
}

void pair_ipv4(struct pair *p)
{
	p->sc.config.ppp.ipv4 = p->si.config.ppp.ipv4 = true;
	p->sc.config.local4 = addr4(192, 0, 2, 1);
	p->si.config.dhcp4_client.client_id_len = 19;
	memset(p->si.config.dhcp4_client.client_id, 0x11, 19);
	p->si.config.dhcp4_client.client_id[0] = 0xff;
	p->lease.address4 = addr4(198, 51, 100, 7);
	p->lease.dns[p->lease.dns_count++] = addr4(192, 0, 2, 53);
}

void pair_ipv4_only(struct pair *p)
{
	pair_ipv4(p);
	p->sc.config.ppp.ipv6 = p->si.config.ppp.ipv6 = false;
	p->lease.link6 = (struct prefix){0};
	p->lease.prefix_count = 0;
}

void pair_subnet(struct pair *p, const char *subnet)
{
	assert_int_equal(prefix_parse(subnet, &p->lease.delegated4[p->lease.prefix4_count++]), 0);
	p->si.config.dhcp4_client.want_subnet = true;
}

void pair_eap(struct pair *p)
{
	p->sc.config.ppp.demand[0] = PPP_METHOD_EAP;
	p->si.config.ppp.give = 1 << PPP_METHOD_EAP;
}

void pair_open(struct pair *p)
{
	p->sc_engine.softwire.tracing = p->si_engine.softwire.tracing = true;
	assert_int_equal(softwire_si_open(&p->si_engine, &p->si.config, 0x5101, 0x5102, 1, PAIR_MTU, p->hint,
				 p->hint4, p->now),
		0);
	p->si.softwire = &p->si_engine.softwire;
}

/* The next packet or timer, not later than LIMIT. False: nothing is left until then. */
static bool step(struct pair *p, msec limit)
{
	msec next = wheel_next(&p->wheel);
	bool packet = p->head != p->tail && p->queue[p->head % PAIR_QUEUE].at <= next;

	if (packet)
		next = p->queue[p->head % PAIR_QUEUE].at;
	if (next > limit)
		return false;
	if (next > p->now)
		p->now = next;
	if (packet)
		arrive(p);
	else
		wheel_advance(&p->wheel, p->now);
	if (p->each)
		p->each(p);
	return true;
}

void pair_run(struct pair *p, msec duration)
{
	msec end = p->now + duration;

	while (step(p, end))
		;
	p->now = end;
	wheel_advance(&p->wheel, p->now);
}

void pair_until(struct pair *p, const struct side *side, enum softwire_step wanted)
{
	msec end = p->now + 60000;

	while (!side->softwire || side->softwire->step != wanted)
		if (!step(p, end))
			fail_msg("%s does not come to step %s", side->name, softwire_step_name(wanted));
}

void pair_up(struct pair *p)
{
	pair_open(p);
	pair_run(p, 5000);
	assert_int_equal(p->sc.ups, 1);
	assert_int_equal(p->si.ups, 1);
	assert_true(p->si.state.has_address);
}

bool pair_resume(struct side *side)
{
	struct reader r = reader_of(side->record, side->record_len);
	struct pair *p = side->pair;
	char why[SOFTWIRE_RESUME_WHY];
	struct softwire_peek peek;
	int err;

	if (!side->softwire || softwire_peek(r, &peek) || !peek.resumable)
		return false;
	softwire_done(side->softwire);
	if (side == &p->sc) {
		memset(&p->sc_engine, 0, sizeof(p->sc_engine));
		err = softwire_sc_resume(&p->sc_engine, &side->config, &r, p->now, why);
	} else {
		memset(&p->si_engine, 0, sizeof(p->si_engine));
		err = softwire_si_resume(
			&p->si_engine, &side->config, &r, p->hint, p->hint4, p->now, why);
	}
	if (err)
		fail_msg("%s at %llu: %s", side->name, (unsigned long long)p->now, why);
	side->softwire->tracing = true;
	side->resumed++;
	return true;
}

void pair_free(struct pair *p)
{
	for (int n = 0; n < 2; n++) {
		struct side *side = n ? &p->si : &p->sc;

		if (side->softwire)
			softwire_done(side->softwire);
		for (int q = 0; q < ASK_MAX; q++)
			wheel_disarm(&p->wheel, &side->answers[q].timer);
	}
	assert_int_equal(p->wheel.armed, 0);
	test_free(p);
}

unsigned pair_sent(const struct pair *p, size_t start, const char *text)
{
	unsigned n = 0;

	for (size_t i = start; i < p->line_count; i++)
		n += strstr(p->lines[i], text) != NULL;
	return n;
}
