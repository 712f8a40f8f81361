/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A record of a softwire from a file that somebody has written, and what comes of it.
 *
 * Input: the record, then steps: one byte of what, one of detail, and for some a length and bytes. The clock is at NOW_MS.
 * Whatever is in the record: it is refused with a reason, and nothing is held; or an engine goes on that would write the same record
 * again, sends only what the decoders of this house accept, does not send without end, and is released in time after a close.
 */
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "hub/save.h"

enum { NOW_MS = 20000, MTU = 1460, PACKET = 2048, STEPS = 64, SENT_MAX = 4000, FAR = 400000 };

static struct {
	msec now;
	struct wheel wheel;
	struct rng rng;
	struct softwire_config config;
	struct softwire_counters counters;
	union {
		struct softwire_sc sc;
		struct softwire_si si;
	} engine;
	struct softwire *softwire; /* NULL: released */
	unsigned sent, downs;
} world;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

/* ---- owner: answers nothing ---- */

static void any_send(struct softwire *s, const uint8_t *payload, size_t len)
{
	harness_check_sent(payload, len);
	require(++world.sent < SENT_MAX);
}

static void no_secret(struct softwire *s, const char *name)
{
}

static void no_claim(struct softwire *s, const struct ppp_claim *claim)
{
}

static void no_eap(struct softwire *s, bool authenticator, const uint8_t *packet, size_t len)
{
}

static void no_lease(struct softwire *s)
{
	abort(); /* it has one */
}

static void no_bind(struct softwire *s, const struct dhcp6_duid *duid, uint32_t iaid)
{
	require(duid->len > 0 && duid->len <= DHCP6_DUID_MAX && s->up6);
}

static void any_delegated(struct softwire *s, uint8_t family, bool in_use)
{
	require((family == AF_INET6 ? s->up6 : s->up4) || !in_use);
}

static void any_up(struct softwire *s, uint8_t family)
{
	require(family == AF_INET6 ? s->up6 && s->mtu >= IP6_MIN_MTU : s->up4);
}

static void any_family_down(struct softwire *s, uint8_t family, const char *why)
{
	require(!world.downs && !(family == AF_INET6 ? s->up6 : s->up4) && *why);
}

static void any_configured(struct softwire *s)
{
	require(!world.downs && (s->up6 || s->up4));
}

static void any_down(struct softwire *s, const struct softwire_why *why)
{
	require(!world.downs++);
}

static void any_released(struct softwire *s)
{
	require(world.downs == 1);
	softwire_done(s);
	world.softwire = NULL;
}

static void any_note(struct softwire *s, const char *text)
{
}

static int save(struct writer *w)
{
	return softwire_is_initiator(world.softwire) ? softwire_si_save(&world.engine.si, w)
						     : softwire_sc_save(&world.engine.sc, w);
}

static void any_changed(struct softwire *s)
{
	uint8_t buf[SOFTWIRE_RECORD_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	save(&w);
	require(writer_ok(&w));
}

static const struct softwire_ops ops = {
	.send = any_send,
	.want_tunnel_secret = no_secret,
	.authenticate = no_claim,
	.want_ppp_secret = no_secret,
	.eap = no_eap,
	.want_lease = no_lease,
	.bind_duid = no_bind,
	.delegated = any_delegated,
	.up = any_up,
	.family_down = any_family_down,
	.configured = any_configured,
	.down = any_down,
	.released = any_released,
	.changed = any_changed,
	.note = any_note,
};

/* ---- resuming ---- */

static void configure(enum l2tp_end end)
{
	memset(&world, 0, sizeof(world));
	world.now = NOW_MS;
	wheel_init(&world.wheel, world.now);
	rng_init_seed(&world.rng, 5571);
	softwire_config_init(&world.config, end, &ops, &world.wheel, &world.rng, &world.counters);
	world.config.ppp.ipv4 = true;
	world.config.ppp.echo_ms = 30000;
	world.config.local4 = addr4(192, 0, 2, 1);
	world.config.dhcp6_server.duid_len = world.config.dhcp6_client.duid_len = 18;
	memset(world.config.dhcp6_server.duid, 0xcc, 18);
	memset(world.config.dhcp6_client.duid, 0x11, 18);
	world.config.dhcp6_client.want_prefix = world.config.dhcp4_client.want_subnet = true;
	world.config.dhcp4_client.client_id_len = 8;
}

static int resume(struct reader *r)
{
	char why[SOFTWIRE_RESUME_WHY] = "";
	int err;

	memset(&world.engine, 0, sizeof(world.engine));
	if (world.config.l2tp.end == L2TP_LAC)
		err = softwire_si_resume(&world.engine.si, &world.config, r, NULL, NULL, world.now, why);
	else
		err = softwire_sc_resume(&world.engine.sc, &world.config, r, world.now, why);
	require(!err || *why);
	world.softwire = err ? NULL : &world.engine.sc.softwire;
	return err;
}

/* What was taken up is written, taken up and written again. */
static void check_fixed_point(void)
{
	static uint8_t first[SOFTWIRE_RECORD_MAX], second[SOFTWIRE_RECORD_MAX];
	struct writer w = writer_of(first, sizeof(first));
	struct reader r;
	size_t len;

	require(save(&w) == 0);
	len = writer_len(&w);
	softwire_done(world.softwire);
	r = reader_of(first, len);
	require(resume(&r) == 0);
	w = writer_of(second, sizeof(second));
	require(save(&w) == 0 && writer_len(&w) == len && memcmp(first, second, len) == 0);
}

/* ---- going on ---- */

static void give(const uint8_t *payload, size_t len)
{
	if (world.softwire)
		softwire_input(world.softwire, payload, len, world.now);
}

static void forge_frame(uint8_t detail, const uint8_t *body, size_t len)
{
	static const uint16_t protocols[] = {
		PPP_LCP, PPP_CHAP, PPP_IPV6CP, PPP_IPV6, PPP_IPCP, PPP_IP, PPP_PAP, PPP_EAP};
	const struct l2tp_tunnel *t = &world.softwire->tunnel;
	uint8_t buf[PACKET];
	size_t head = softwire_data_header(buf, t->local_tunnel, t->local_session, protocols[detail % 8]);

	memcpy(buf + head, body, len);
	give(buf, head + len);
}

static void forge_control(uint8_t detail, const uint8_t *body, size_t len)
{
	const struct l2tp_tunnel *t = &world.softwire->tunnel;
	uint8_t buf[PACKET];
	struct writer w = writer_of(buf, sizeof(buf));

	writer_u16(&w, 0xc802);
	writer_u16(&w, (uint16_t)(12 + len));
	writer_u16(&w, t->local_tunnel);
	writer_u16(&w, detail & 1 ? t->local_session : 0);
	writer_u16(&w, (uint16_t)(t->nr + (detail >> 4)));
	writer_u16(&w, (uint16_t)(t->ns - (detail >> 1 & 7)));
	writer_bytes(&w, body, len);
	give(buf, writer_len(&w));
}

static void pass(msec duration)
{
	msec end = world.now + duration;

	for (int n = 0; n < 1000 && wheel_next(&world.wheel) <= end; n++) {
		world.now = wheel_next(&world.wheel);
		wheel_advance(&world.wheel, world.now);
	}
	world.now = end;
	wheel_advance(&world.wheel, end);
}

static void step(struct reader *r)
{
	uint8_t what = reader_u8(r), detail = reader_u8(r);
	const uint8_t *body = &detail;
	size_t len = 0;

	if (what % 8 < 3) {
		len = reader_u8(r);
		len = len < reader_left(r) ? len : reader_left(r);
		if (len)
			body = reader_bytes(r, len);
	}
	switch (what % 8) {
	case 0:
		give(body, len);
		break;
	case 1:
		forge_frame(detail, body, len);
		break;
	case 2:
		forge_control(detail, body, len);
		break;
	case 3:
		softwire_probe(world.softwire, world.now);
		break;
	case 4:
		softwire_lower_mtu(world.softwire, (uint16_t)(MTU - 8 * detail), world.now);
		break;
	case 5:
		pass(detail);
		break;
	case 6:
		pass(detail * 100u);
		break;
	default:
		pass(detail * 5000u);
		break;
	}
}

static void go_on(struct reader *r)
{
	for (int n = 0; n < STEPS && world.softwire && reader_left(r) >= 2; n++)
		step(r);
	pass(FAR);
	if (world.softwire)
		softwire_close(world.softwire, CAUSE_LOCAL, L2TP_STOP_CLEAR, 0, "over", world.now);
	pass(FAR);
	require(!world.softwire && !world.wheel.armed);
}

static void run(enum l2tp_end end, const uint8_t *data, size_t size)
{
	struct reader r = reader_of(data, size);

	configure(end);
	if (resume(&r) == 0) {
		check_fixed_point();
		go_on(&r);
	}
	require(!world.wheel.armed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct softwire_peek peek;
	uint8_t buf[L2TP_PACKET_MAX];

	if (!softwire_peek(reader_of(data, size), &peek)) {
		for (unsigned n = 0; n <= peek.at.unacknowledged; n++) {
			struct writer w = writer_of(buf, sizeof(buf));

			l2tp_farewell(&w, &peek.at, n, L2TP_STOP_SHUTDOWN, 0, "gone");
			harness_check_sent(buf, writer_len(&w));
		}
	}
	run(L2TP_LNS, data, size);
	run(L2TP_LAC, data, size);
	return 0;
}
