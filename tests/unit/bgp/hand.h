/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A speaker, number 2 in AS 65000, and a hand, number 1 in AS 65000 unless it says otherwise, that brings their session where a test wants it. */
#ifndef TESTS_BGP_HAND_H
#define TESTS_BGP_HAND_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire.h"

struct hand {
	struct wire w;
	struct wire_node *s, *h;
	struct bgp_neighbor_config config; /* of the speaker's neighbour: the hand */
	struct bgp_neighbor *n;
	struct wire_end *e;   /* the hand's */
	struct bgp_open open; /* what it says */
	struct bgp_open said; /* what the speaker said */
	uint8_t message[BGP_EXTENDED_MAX];
	size_t len;
	uint8_t type;
};

static inline void hand_init(struct hand *t)
{
	memset(t, 0, sizeof(*t));
	wire_init(&t->w, 1);
	t->s = wire_speaker(&t->w, 65000, 2);
	t->h = wire_hand(&t->w, 1);
	t->config = wire_config(t->s, t->h, 65000);
	t->open = (struct bgp_open){.as = 65000, .hold_time = 90, .id = 0x0a000001};
	t->open.capabilities =
		(struct bgp_capabilities){.families = BGP_FAMILY_BIT(BGP_IPV4) | BGP_FAMILY_BIT(BGP_IPV6),
			.as4 = true,
			.refresh = true,
			.enhanced_refresh = true};
}

static inline void hand_done(struct hand *t)
{
	wire_free(&t->w);
}

static inline void hand_start(struct hand *t)
{
	assert_int_equal(bgp_neighbor_add(t->s->bgp, &t->config, &t->n), 0);
	bgp_neighbor_start(t->n);
}

/* The next message that has come is of this type. */
static inline void hand_expect(struct hand *t, enum bgp_type type)
{
	struct bgp_error e;

	t->len = wire_take(t->e, &t->type, t->message);
	assert_true(t->len != 0);
	assert_int_equal(t->type, type);
	if (type == BGP_OPEN)
		assert_int_equal(
			bgp_open_read(reader_of(t->message + BGP_HEADER, t->len - BGP_HEADER), &t->said, &e),
			0);
}

static inline void hand_expect_nothing(struct hand *t)
{
	assert_int_equal(wire_take(t->e, &t->type, t->message), 0);
}

/* The next message but KEEPALIVE and UPDATE is a NOTIFICATION with these codes and data, and then the connection is closed. */
static inline void hand_expect_end(
	struct hand *t, uint8_t code, uint8_t subcode, const void *data, size_t len)
{
	do
		t->len = wire_take(t->e, &t->type, t->message);
	while (t->len && (t->type == BGP_KEEPALIVE || t->type == BGP_UPDATE));
	assert_true(t->len != 0);
	assert_int_equal(t->type, BGP_NOTIFICATION);
	assert_int_equal(t->message[BGP_HEADER], code);
	assert_int_equal(t->message[BGP_HEADER + 1], subcode);
	if (data) {
		assert_int_equal(t->len, BGP_HEADER + 2 + len);
		assert_memory_equal(t->message + BGP_HEADER + 2, data, len);
	}
	hand_expect_nothing(t);
	assert_false(t->e->open);
}

static inline void hand_send_open(struct hand *t)
{
	uint8_t buf[BGP_MESSAGE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	bgp_open_write(&w, &t->open);
	wire_send(t->e, buf, writer_len(&w));
}

static inline void hand_send(struct hand *t, enum bgp_type type, const void *body, size_t len)
{
	uint8_t buf[BGP_MESSAGE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));
	size_t at = bgp_message_begin(&w, type);

	writer_bytes(&w, body, len);
	bgp_message_end(&w, at);
	wire_send(t->e, buf, writer_len(&w));
}

static inline void hand_send_keepalive(struct hand *t)
{
	hand_send(t, BGP_KEEPALIVE, NULL, 0);
}

/* From Idle to STATE; the speaker's OPEN and KEEPALIVE have been read. */
static inline void hand_reach(struct hand *t, enum bgp_state state)
{
	if (state == BGP_CONNECT)
		t->h->silent = true;
	if (state == BGP_ACTIVE)
		t->config.passive = true;
	if (state == BGP_IDLE)
		t->config.shutdown = true;
	hand_start(t);
	wire_run(&t->w, 10);
	if (state >= BGP_OPEN_SENT) {
		t->e = wire_end_of(t->h, t->s);
		assert_non_null(t->e);
		hand_expect(t, BGP_OPEN);
	}
	if (state >= BGP_OPEN_CONFIRM) {
		hand_send_open(t);
		wire_run(&t->w, 10);
		hand_expect(t, BGP_KEEPALIVE);
	}
	if (state >= BGP_ESTABLISHED) {
		hand_send_keepalive(t);
		wire_run(&t->w, 10);
	}
	assert_int_equal(t->n->state, state);
}

#endif
