/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The automaton against RFC 1661 section 4.1: the table is written down here once more, as the RFC prints
 * it, and compared with the one in the code; then every cell that a packet or a call can reach is driven
 * for real, and what comes out is compared with the text.
 */
#include "ppp/automaton.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/container.h"
#include "ppp/protocol.h"

static const char *const rfc[16][10] = {
	/*         0        1            2            3                4           5 */
	/*         6        7            8            9 */
	[PPP_EVENT_UP] = {"2", "irc,scr/6", "-", "-", "-", "-", "-", "-", "-", "-"},
	[PPP_EVENT_DOWN] = {"-", "-", "0", "tls/1", "0", "1", "1", "1", "1", "tld/1"},
	[PPP_EVENT_OPEN] = {"tls/1", "1", "irc,scr/6", "3r", "5r", "5r", "6", "7", "8", "9r"},
	[PPP_EVENT_CLOSE] = {"0", "tlf/0", "2", "2", "4", "4", "irc,str/4", "irc,str/4", "irc,str/4",
		"tld,irc,str/4"},
	[PPP_EVENT_TO_PLUS] = {"-", "-", "-", "-", "str/4", "str/5", "scr/6", "scr/6", "scr/8", "-"},
	[PPP_EVENT_TO_MINUS] = {"-", "-", "-", "-", "tlf/2", "tlf/3", "tlf/3p", "tlf/3p", "tlf/3p", "-"},
	[PPP_EVENT_RCR_PLUS] = {"-", "-", "sta/2", "irc,scr,sca/8", "4", "5", "sca/8", "sca,tlu/9", "sca/8",
		"tld,scr,sca/8"},
	[PPP_EVENT_RCR_MINUS] = {"-", "-", "sta/2", "irc,scr,scn/6", "4", "5", "scn/6", "scn/7", "scn/6",
		"tld,scr,scn/6"},
	[PPP_EVENT_RCA] = {"-", "-", "sta/2", "sta/3", "4", "5", "irc/7", "scr/6x", "irc,tlu/9",
		"tld,scr/6x"},
	[PPP_EVENT_RCN] = {"-", "-", "sta/2", "sta/3", "4", "5", "irc,scr/6", "scr/6x", "irc,scr/8",
		"tld,scr/6x"},
	[PPP_EVENT_RTR] = {"-", "-", "sta/2", "sta/3", "sta/4", "sta/5", "sta/6", "sta/6", "sta/6",
		"tld,zrc,sta/5"},
	[PPP_EVENT_RTA] = {"-", "-", "2", "3", "tlf/2", "tlf/3", "6", "6", "8", "tld,scr/6"},
	[PPP_EVENT_RUC] = {"-", "-", "scj/2", "scj/3", "scj/4", "scj/5", "scj/6", "scj/7", "scj/8", "scj/9"},
	[PPP_EVENT_RXJ_PLUS] = {"-", "-", "2", "3", "4", "5", "6", "6", "8", "9"},
	[PPP_EVENT_RXJ_MINUS] = {"-", "-", "tlf/2", "tlf/3", "tlf/2", "tlf/3", "tlf/3", "tlf/3", "tlf/3",
		"tld,irc,str/5"},
	[PPP_EVENT_RXR] = {"-", "-", "2", "3", "4", "5", "6", "7", "8", "ser/9"},
};

static struct ppp_cell parse(const char *text)
{
	static const struct {
		const char *word;
		enum ppp_action action;
	} words[] = {{"tlu", PPP_TLU}, {"tld", PPP_TLD}, {"tls", PPP_TLS}, {"tlf", PPP_TLF}, {"irc", PPP_IRC},
		{"zrc", PPP_ZRC}, {"scr", PPP_SCR}, {"sca", PPP_SCA}, {"scn", PPP_SCN}, {"str", PPP_STR},
		{"sta", PPP_STA}, {"scj", PPP_SCJ}, {"ser", PPP_SER}};
	struct ppp_cell cell = {0, PPP_ILLEGAL};

	if (!strcmp(text, "-"))
		return cell;
	while (*text > '9') {
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			cell.actions |= !strncmp(text, words[i].word, 3) ? words[i].action : 0;
		text += 4;
	}
	cell.next = (uint8_t)(*text - '0');
	cell.actions |= text[1] == 'r'   ? PPP_NOTE_R
			: text[1] == 'p' ? PPP_NOTE_P
			: text[1] == 'x' ? PPP_NOTE_X
					 : 0;
	return cell;
}

static void every_cell_is_the_rfcs(void **state)
{
	for (int e = 0; e < PPP_EVENTS; e++) {
		for (int s = 0; s < PPP_STATES; s++) {
			struct ppp_cell want = parse(rfc[e][s]), got = ppp_automaton_cell(e, s);

			if (want.actions != got.actions || want.next != got.next)
				fail_msg("event %d in %s: want %s, got actions 0x%x next %u", e,
					ppp_state_name(s), rfc[e][s], got.actions, got.next);
		}
	}
}

/* ---- the same with a real automaton: a protocol of one option, whose value must be 7 ---- */

struct probe {
	struct ppp_automaton a;
	struct ppp_config config;
	struct ppp_counters counters;
	uint16_t did;
	uint8_t last[PPP_FRAME_MAX];
	unsigned sent;
};

static struct probe *probe_of(const struct ppp_automaton *a)
{
	return container_of(a, struct probe, a);
}

static bool wanted(const struct ppp_automaton *a)
{
	return true;
}

static void write_value(const struct ppp_automaton *a, struct writer *w)
{
	writer_u8(w, 9);
}

static void nak(struct ppp_automaton *a, struct reader data, msec now)
{
}

static enum ppp_verdict judge(struct ppp_automaton *a, struct reader data, struct writer *hint)
{
	writer_u8(hint, 7);
	return reader_u8(&data) == 7 ? PPP_VERDICT_ACK : PPP_VERDICT_NAK;
}

static const struct ppp_option options[] = {
	{.type = 1, .wanted = wanted, .write = write_value, .nak = nak, .judge = judge}};

static const struct ppp_config *config(const struct ppp_automaton *a)
{
	return &probe_of(a)->config;
}

static size_t peer_mru(const struct ppp_automaton *a)
{
	return 1500;
}

static void nothing(struct ppp_automaton *a)
{
}

static void send_frame(struct ppp_automaton *a, const uint8_t *frame, size_t len)
{
	static const uint16_t actions[] = {[PPP_CONFIGURE_REQUEST] = PPP_SCR,
		[PPP_CONFIGURE_ACK] = PPP_SCA,
		[PPP_CONFIGURE_NAK] = PPP_SCN,
		[PPP_CONFIGURE_REJECT] = PPP_SCN,
		[PPP_TERMINATE_REQUEST] = PPP_STR,
		[PPP_TERMINATE_ACK] = PPP_STA,
		[PPP_CODE_REJECT] = PPP_SCJ};
	struct probe *p = probe_of(a);

	assert_true(frame[4] <= PPP_CODE_REJECT);
	assert_false(p->did & actions[frame[4]]); /* no action twice */
	p->did |= actions[frame[4]];
	p->sent++;
	memcpy(p->last, frame, len);
}

static void up(struct ppp_automaton *a, msec now)
{
	probe_of(a)->did |= PPP_TLU;
}

static void down(struct ppp_automaton *a, const char *reason, msec now)
{
	assert_non_null(reason);
	probe_of(a)->did |= PPP_TLD;
}

static void finished(struct ppp_automaton *a, const char *reason, msec now)
{
	assert_non_null(reason);
	probe_of(a)->did |= PPP_TLF;
}

static void stuck(struct ppp_automaton *a, msec now)
{
	fail();
}

static bool extra(struct ppp_automaton *a, const struct ppp_packet *p, msec now)
{
	return true;
}

static void echo_reply(struct ppp_automaton *a, const struct ppp_packet *p)
{
	probe_of(a)->did |= PPP_SER;
}

static const struct ppp_protocol_ops ops = {
	.protocol = 0x8fff,
	.name = "TEST",
	.codes = (2u << PPP_DISCARD_REQUEST) - 2u,
	.options = options,
	.option_count = 1,
	.config = config,
	.send = send_frame,
	.peer_mru = peer_mru,
	.reset = nothing,
	.up = up,
	.down = down,
	.finished = finished,
	.stuck = stuck,
	.extra = extra,
	.echo_reply = echo_reply,
};

static void probe_init(struct probe *p)
{
	memset(p, 0, sizeof(*p));
	p->config = (struct ppp_config){.counters = &p->counters,
		.restart_ms = 3000,
		.max_configure = 10,
		.max_terminate = 2,
		.max_failure = 5};
	ppp_automaton_init(&p->a, &ops);
}

/* In this state, with a request outstanding whose Identifier is 5, and the restart timer running where
 * it does. */
static void probe_force(struct probe *p, int s)
{
	probe_init(p);
	p->a.state = (uint8_t)s;
	p->a.request_id = 5;
	p->a.next_id = 6;
	p->a.answered = 0;
	p->a.restarts = 1;
	p->a.restart_at = s >= PPP_CLOSING && s <= PPP_ACK_SENT ? 1000 : MSEC_NEVER;
}

static void probe_packet(struct probe *p, uint8_t code, uint8_t id, const uint8_t *data, size_t len)
{
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof(bytes));

	writer_u8(&w, code);
	writer_u8(&w, id);
	writer_u16(&w, (uint16_t)(len + 4));
	writer_bytes(&w, data, len);
	ppp_automaton_input(&p->a, reader_of(bytes, writer_len(&w)), 500);
}

#define PACKET(p, code, id, ...)                                                                             \
	probe_packet(p, code, id, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void drive(struct probe *p, int event)
{
	switch (event) {
	case PPP_EVENT_UP:
		ppp_automaton_up(&p->a, 500);
		break;
	case PPP_EVENT_DOWN:
		ppp_automaton_down(&p->a, "test", 500);
		break;
	case PPP_EVENT_OPEN:
		ppp_automaton_open(&p->a, 500);
		break;
	case PPP_EVENT_CLOSE:
		ppp_automaton_close(&p->a, "test", 500);
		break;
	case PPP_EVENT_TO_MINUS:
		p->a.restarts = 0;
		ppp_automaton_tick(&p->a, 1000);
		break;
	case PPP_EVENT_TO_PLUS:
		ppp_automaton_tick(&p->a, 1000);
		break;
	case PPP_EVENT_RCR_PLUS:
		PACKET(p, PPP_CONFIGURE_REQUEST, 9, 1, 3, 7);
		break;
	case PPP_EVENT_RCR_MINUS:
		PACKET(p, PPP_CONFIGURE_REQUEST, 9, 1, 3, 8);
		break;
	case PPP_EVENT_RCA:
		PACKET(p, PPP_CONFIGURE_ACK, 5, 1, 3, 9);
		break;
	case PPP_EVENT_RCN:
		PACKET(p, PPP_CONFIGURE_NAK, 5, 1, 3, 1);
		break;
	case PPP_EVENT_RTR:
		PACKET(p, PPP_TERMINATE_REQUEST, 9, 'x');
		break;
	case PPP_EVENT_RTA:
		PACKET(p, PPP_TERMINATE_ACK, 9, 'x');
		break;
	case PPP_EVENT_RUC:
		PACKET(p, 14, 9, 'x');
		break;
	case PPP_EVENT_RXJ_PLUS:
		PACKET(p, PPP_CODE_REJECT, 9, PPP_ECHO_REQUEST, 1, 0, 4);
		break;
	case PPP_EVENT_RXJ_MINUS:
		PACKET(p, PPP_CODE_REJECT, 9, PPP_CONFIGURE_REQUEST, 1, 0, 4);
		break;
	case PPP_EVENT_RXR:
		PACKET(p, PPP_ECHO_REQUEST, 9, 0, 0, 0, 0);
		break;
	}
}

static void check_timer(const struct probe *p, struct ppp_cell want, int event, int s)
{
	bool runs = want.next >= PPP_CLOSING && want.next <= PPP_ACK_SENT;
	msec now = event == PPP_EVENT_TO_PLUS || event == PPP_EVENT_TO_MINUS ? 1000 : 500;

	if (!runs)
		assert_int_equal(p->a.restart_at, MSEC_NEVER);
	else if (want.actions & (PPP_SCR | PPP_STR))
		assert_int_equal(p->a.restart_at, now + 3000);
	else if (want.actions & PPP_ZRC)
		assert_int_equal(p->a.restart_at, now + 1000);
	else if (s != PPP_OPENED && s != PPP_STOPPED)
		assert_int_equal(p->a.restart_at, 1000);
}

static void check_counter(const struct probe *p, struct ppp_cell want)
{
	unsigned max = want.next == PPP_CLOSING || want.next == PPP_STOPPING ? 2 : 10;

	if (want.actions & PPP_ZRC)
		assert_int_equal(p->a.restarts, 0);
	if (want.actions & PPP_IRC)
		assert_int_equal(p->a.restarts, max - !!(want.actions & (PPP_SCR | PPP_STR)));
}

/* Calls in states where the RFC has "-" do nothing; packets do not reach the automaton in Initial and
 * Starting. */
static void every_cell_does_what_the_rfc_says(void **state)
{
	const uint16_t seen = PPP_TLD | PPP_SCR | PPP_STR | PPP_SCA | PPP_SCN | PPP_STA | PPP_SCJ | PPP_SER |
			      PPP_TLU | PPP_TLF;

	for (int e = 0; e < PPP_EVENTS; e++) {
		for (int s = 0; s < PPP_STATES; s++) {
			struct ppp_cell want = parse(rfc[e][s]);
			struct probe p;

			probe_force(&p, s);
			drive(&p, e);
			if (want.next == PPP_ILLEGAL) {
				assert_int_equal(p.a.state, s);
				assert_int_equal(p.did, 0);
				continue;
			}
			if (p.a.state != want.next || p.did != (want.actions & seen))
				fail_msg("event %d in %s: want %s, did 0x%x and is %s", e, ppp_state_name(s),
					rfc[e][s], p.did, ppp_state_name(p.a.state));
			check_timer(&p, want, e, s);
			check_counter(&p, want);
		}
	}
}

static void refuses_answers_with_another_identifier(void **state)
{
	static const uint8_t codes[] = {PPP_CONFIGURE_ACK, PPP_CONFIGURE_NAK, PPP_CONFIGURE_REJECT};

	for (size_t i = 0; i < sizeof(codes); i++) {
		struct probe p;

		probe_force(&p, PPP_REQ_SENT);
		PACKET(&p, codes[i], 4, 1, 3, 9);
		assert_int_equal(p.counters.bad_id, 1);
		assert_int_equal(p.a.state, PPP_REQ_SENT);
		assert_int_equal(p.did, 0);
	}
}

static void refuses_the_same_answer_twice(void **state)
{
	struct probe p;

	probe_force(&p, PPP_ACK_SENT);
	PACKET(&p, PPP_CONFIGURE_ACK, 5, 1, 3, 9);
	assert_int_equal(p.a.state, PPP_OPENED);
	PACKET(&p, PPP_CONFIGURE_ACK, 5, 1, 3, 9);
	PACKET(&p, PPP_CONFIGURE_NAK, 5, 1, 3, 9);
	assert_int_equal(p.a.state, PPP_OPENED);
	assert_int_equal(p.counters.bad_id, 2);
}

static void refuses_an_ack_of_something_else(void **state)
{
	struct probe p;

	probe_force(&p, PPP_REQ_SENT);
	PACKET(&p, PPP_CONFIGURE_ACK, 5, 1, 3, 8);
	PACKET(&p, PPP_CONFIGURE_ACK, 5, 1, 3, 9, 1, 3, 9);
	PACKET(&p, PPP_CONFIGURE_ACK, 5, 1, 3);
	assert_int_equal(p.counters.bad_option, 3);
	assert_int_equal(p.a.state, PPP_REQ_SENT);
	PACKET(&p, PPP_CONFIGURE_ACK, 5, 1, 3, 9);
	assert_int_equal(p.a.state, PPP_ACK_RCVD);
}

static void refuses_a_reject_of_what_was_not_asked(void **state)
{
	struct probe p;

	probe_force(&p, PPP_REQ_SENT);
	PACKET(&p, PPP_CONFIGURE_REJECT, 5, 2, 2);
	PACKET(&p, PPP_CONFIGURE_REJECT, 5, 1, 3, 8);
	PACKET(&p, PPP_CONFIGURE_REJECT, 5, 1, 3, 9, 1, 3, 9);
	assert_int_equal(p.counters.bad_option, 3);
	assert_int_equal(p.did, 0);
	PACKET(&p, PPP_CONFIGURE_REJECT, 5, 1, 3, 9);
	assert_int_equal(p.did, PPP_SCR);
	assert_int_equal(p.last[7], 4); /* the option is gone */
}

static void retransmission_keeps_its_identifier_and_a_new_request_changes_it(void **state)
{
	struct probe p;

	probe_init(&p);
	ppp_automaton_open(&p.a, 0);
	ppp_automaton_up(&p.a, 0);
	assert_int_equal(p.a.request_id, 0);
	p.did = 0;
	ppp_automaton_tick(&p.a, 2999);
	assert_int_equal(p.sent, 1);
	ppp_automaton_tick(&p.a, 3000);
	assert_int_equal(p.sent, 2);
	assert_int_equal(p.last[5], 0);
	p.did = 0;
	PACKET(&p, PPP_CONFIGURE_NAK, 0, 1, 3, 1);
	assert_int_equal(p.last[5], 1);
	PACKET(&p, PPP_CONFIGURE_ACK, 1, 1, 3, 9);
	assert_int_equal(p.a.state, PPP_ACK_RCVD);
	p.did = 0;
	ppp_automaton_tick(&p.a, p.a.restart_at); /* a valid reply has come: the next one is new */
	assert_int_equal(p.last[5], 2);
	assert_int_equal(p.a.state, PPP_REQ_SENT);
}

/* pppd that starts a moment after its L2TP session does not hear our first request. */
static void peer_that_heeds_our_nak_and_not_our_request_has_missed_it(void **state)
{
	struct probe p;

	probe_init(&p);
	ppp_automaton_open(&p.a, 0);
	ppp_automaton_up(&p.a, 0);
	PACKET(&p, PPP_CONFIGURE_REQUEST, 1, 1, 3, 8);
	assert_int_equal(p.last[4], PPP_CONFIGURE_NAK);
	assert_int_equal(p.a.restart_at, 3000); /* it may have crossed ours */
	PACKET(&p, PPP_CONFIGURE_REQUEST, 2, 1, 3, 7);
	assert_int_equal(p.last[4], PPP_CONFIGURE_ACK);
	assert_int_equal(p.a.restart_at, 500);
	p.sent = p.did = 0;
	ppp_automaton_tick(&p.a, 500);
	assert_int_equal(p.sent, 1);
	assert_int_equal(p.last[4], PPP_CONFIGURE_REQUEST);
	assert_int_equal(p.last[5], 0); /* a retransmission */
	assert_int_equal(p.a.restart_at, 3500);
	p.did = 0;
	PACKET(&p, PPP_CONFIGURE_REQUEST, 3, 1, 3, 7);
	assert_int_equal(p.a.restart_at, 3500); /* once */
}

static void request_that_is_taken_at_once_says_nothing_about_ours(void **state)
{
	struct probe p;

	probe_init(&p);
	ppp_automaton_open(&p.a, 0);
	ppp_automaton_up(&p.a, 0);
	PACKET(&p, PPP_CONFIGURE_REQUEST, 1, 1, 3, 7);
	assert_int_equal(p.last[4], PPP_CONFIGURE_ACK);
	assert_int_equal(p.a.restart_at, 3000);
}

static void gives_up_after_max_configure(void **state)
{
	struct probe p;

	probe_init(&p);
	ppp_automaton_open(&p.a, 0);
	ppp_automaton_up(&p.a, 0);
	for (int i = 0; i < 9; i++) {
		p.did = 0;
		ppp_automaton_tick(&p.a, p.a.restart_at);
		assert_int_equal(p.did, PPP_SCR);
	}
	p.did = 0;
	ppp_automaton_tick(&p.a, p.a.restart_at);
	assert_int_equal(p.did, PPP_TLF);
	assert_int_equal(p.sent, 10);
	assert_int_equal(p.a.state, PPP_STOPPED);
}

static void gives_up_after_max_terminate(void **state)
{
	struct probe p;

	probe_force(&p, PPP_OPENED);
	ppp_automaton_close(&p.a, "test", 0);
	p.did = 0;
	ppp_automaton_tick(&p.a, p.a.restart_at);
	assert_int_equal(p.did, PPP_STR);
	p.did = 0;
	ppp_automaton_tick(&p.a, p.a.restart_at);
	assert_int_equal(p.did, PPP_TLF);
	assert_int_equal(p.sent, 2);
}

static void naks_become_rejects_after_max_failure(void **state)
{
	struct probe p;

	probe_force(&p, PPP_REQ_SENT);
	for (uint8_t i = 0; i < 5; i++) {
		p.did = 0;
		PACKET(&p, PPP_CONFIGURE_REQUEST, i, 1, 3, 8);
		assert_int_equal(p.last[4], PPP_CONFIGURE_NAK);
		assert_int_equal(p.last[10], 7);
	}
	p.did = 0;
	PACKET(&p, PPP_CONFIGURE_REQUEST, 9, 1, 3, 8);
	assert_int_equal(p.last[4], PPP_CONFIGURE_REJECT);
	assert_int_equal(p.last[10], 8); /* as it came */
	p.did = 0;
	PACKET(&p, PPP_CONFIGURE_REQUEST, 10);
	assert_int_equal(p.last[4], PPP_CONFIGURE_ACK);
	p.did = 0;
	PACKET(&p, PPP_CONFIGURE_REQUEST, 11, 1, 3, 8);
	assert_int_equal(p.last[4], PPP_CONFIGURE_NAK); /* the Ack has reset the counter */
}

static void reject_goes_before_nak_and_keeps_the_order(void **state)
{
	static const uint8_t want[] = {0xff, 0x03, 0x8f, 0xff, 4, 9, 0, 11, 200, 4, 1, 2, 3, 3, 5};
	struct probe p;

	probe_force(&p, PPP_REQ_SENT);
	PACKET(&p, PPP_CONFIGURE_REQUEST, 9, 200, 4, 1, 2, 1, 3, 8, 3, 3, 5);
	assert_memory_equal(p.last, want, sizeof(want));
}

static void rejects_an_option_that_comes_twice(void **state)
{
	static const uint8_t want[] = {0xff, 0x03, 0x8f, 0xff, 4, 9, 0, 7, 1, 3, 7};
	struct probe p;

	probe_force(&p, PPP_REQ_SENT);
	PACKET(&p, PPP_CONFIGURE_REQUEST, 9, 1, 3, 7, 1, 3, 7);
	assert_memory_equal(p.last, want, sizeof(want));
}

static void restart_option_negotiates_anew(void **state)
{
	struct probe p;

	probe_force(&p, PPP_OPENED);
	ppp_automaton_restart(&p.a, "again", 0);
	assert_int_equal(p.did, PPP_TLD | PPP_SCR);
	assert_int_equal(p.a.state, PPP_REQ_SENT);
	probe_force(&p, PPP_STOPPED);
	ppp_automaton_restart(&p.a, "again", 0);
	assert_int_equal(p.did, PPP_SCR);
	assert_int_equal(p.a.state, PPP_REQ_SENT);
}

static void repeated_request_in_opened_is_acknowledged_three_times(void **state)
{
	struct probe p;

	probe_force(&p, PPP_ACK_RCVD);
	PACKET(&p, PPP_CONFIGURE_REQUEST, 9, 1, 3, 7);
	assert_int_equal(p.a.state, PPP_OPENED);
	for (int i = 0; i < 3; i++) {
		p.did = 0;
		PACKET(&p, PPP_CONFIGURE_REQUEST, 9, 1, 3, 7);
		assert_int_equal(p.did, PPP_SCA);
		assert_int_equal(p.a.state, PPP_OPENED);
	}
	p.did = 0;
	PACKET(&p, PPP_CONFIGURE_REQUEST, 9, 1, 3, 7);
	assert_int_equal(p.did, PPP_TLD | PPP_SCR | PPP_SCA);
	assert_int_equal(p.a.state, PPP_ACK_SENT);
}

static void code_reject_of_a_code_that_was_never_sent_is_ignored(void **state)
{
	struct probe p;

	probe_force(&p, PPP_OPENED);
	PACKET(&p, PPP_CODE_REJECT, 1, 0, 1, 0, 4);
	PACKET(&p, PPP_CODE_REJECT, 1, 200, 1, 0, 4);
	PACKET(&p, PPP_CODE_REJECT, 1);
	assert_int_equal(p.a.state, PPP_OPENED);
	assert_int_equal(p.did, 0);
	assert_int_equal(p.counters.bad_code, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_cell_is_the_rfcs),
		cmocka_unit_test(every_cell_does_what_the_rfc_says),
		cmocka_unit_test(refuses_answers_with_another_identifier),
		cmocka_unit_test(refuses_the_same_answer_twice),
		cmocka_unit_test(refuses_an_ack_of_something_else),
		cmocka_unit_test(refuses_a_reject_of_what_was_not_asked),
		cmocka_unit_test(retransmission_keeps_its_identifier_and_a_new_request_changes_it),
		cmocka_unit_test(peer_that_heeds_our_nak_and_not_our_request_has_missed_it),
		cmocka_unit_test(request_that_is_taken_at_once_says_nothing_about_ours),
		cmocka_unit_test(gives_up_after_max_configure),
		cmocka_unit_test(gives_up_after_max_terminate),
		cmocka_unit_test(naks_become_rejects_after_max_failure),
		cmocka_unit_test(reject_goes_before_nak_and_keeps_the_order),
		cmocka_unit_test(rejects_an_option_that_comes_twice),
		cmocka_unit_test(restart_option_negotiates_anew),
		cmocka_unit_test(repeated_request_in_opened_is_acknowledged_three_times),
		cmocka_unit_test(code_reject_of_a_code_that_was_never_sent_is_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
