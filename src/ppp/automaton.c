/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The option negotiation automaton of RFC 1661 section 4, for every control protocol: the table of section
 * 4.1 as data, the actions of section 4.4, and the packets of section 5 with the checks of their
 * Identifiers. What an option means stands in lcp.c, ipv6cp.c and ipcp.c.
 */
#include "ppp/automaton.h"

#include <stdio.h>
#include <string.h>

#include "ppp/protocol.h"

/* clang-format off */
#define C(next, ...) {(uint16_t)(0 __VA_ARGS__), PPP_##next}
#define NO           {0, PPP_ILLEGAL}
#define TLU          | PPP_TLU
#define TLD          | PPP_TLD
#define TLS          | PPP_TLS
#define TLF          | PPP_TLF
#define IRC          | PPP_IRC
#define ZRC          | PPP_ZRC
#define SCR          | PPP_SCR
#define SCA          | PPP_SCA
#define SCN          | PPP_SCN
#define STR          | PPP_STR
#define STA          | PPP_STA
#define SCJ          | PPP_SCJ
#define SER          | PPP_SER
#define R            | PPP_NOTE_R
#define P            | PPP_NOTE_P
#define X            | PPP_NOTE_X

/* Section 4.1, row by row; columns 0 to 9. */
static const struct ppp_cell table[PPP_EVENTS][PPP_STATES] = {
	[PPP_EVENT_UP] = {
		C(CLOSED), C(REQ_SENT, IRC SCR), NO, NO, NO, NO,
		NO, NO, NO, NO },
	[PPP_EVENT_DOWN] = {
		NO, NO, C(INITIAL), C(STARTING, TLS), C(INITIAL), C(STARTING),
		C(STARTING), C(STARTING), C(STARTING), C(STARTING, TLD) },
	[PPP_EVENT_OPEN] = {
		C(STARTING, TLS), C(STARTING), C(REQ_SENT, IRC SCR), C(STOPPED, R), C(STOPPING, R), C(STOPPING, R),
		C(REQ_SENT), C(ACK_RCVD), C(ACK_SENT), C(OPENED, R) },
	[PPP_EVENT_CLOSE] = {
		C(INITIAL), C(INITIAL, TLF), C(CLOSED), C(CLOSED), C(CLOSING), C(CLOSING),
		C(CLOSING, IRC STR), C(CLOSING, IRC STR), C(CLOSING, IRC STR), C(CLOSING, TLD IRC STR) },
	[PPP_EVENT_TO_PLUS] = {
		NO, NO, NO, NO, C(CLOSING, STR), C(STOPPING, STR),
		C(REQ_SENT, SCR), C(REQ_SENT, SCR), C(ACK_SENT, SCR), NO },
	[PPP_EVENT_TO_MINUS] = {
		NO, NO, NO, NO, C(CLOSED, TLF), C(STOPPED, TLF),
		C(STOPPED, TLF P), C(STOPPED, TLF P), C(STOPPED, TLF P), NO },
	[PPP_EVENT_RCR_PLUS] = {
		NO, NO, C(CLOSED, STA), C(ACK_SENT, IRC SCR SCA), C(CLOSING), C(STOPPING),
		C(ACK_SENT, SCA), C(OPENED, SCA TLU), C(ACK_SENT, SCA), C(ACK_SENT, TLD SCR SCA) },
	[PPP_EVENT_RCR_MINUS] = {
		NO, NO, C(CLOSED, STA), C(REQ_SENT, IRC SCR SCN), C(CLOSING), C(STOPPING),
		C(REQ_SENT, SCN), C(ACK_RCVD, SCN), C(REQ_SENT, SCN), C(REQ_SENT, TLD SCR SCN) },
	[PPP_EVENT_RCA] = {
		NO, NO, C(CLOSED, STA), C(STOPPED, STA), C(CLOSING), C(STOPPING),
		C(ACK_RCVD, IRC), C(REQ_SENT, SCR X), C(OPENED, IRC TLU), C(REQ_SENT, TLD SCR X) },
	[PPP_EVENT_RCN] = {
		NO, NO, C(CLOSED, STA), C(STOPPED, STA), C(CLOSING), C(STOPPING),
		C(REQ_SENT, IRC SCR), C(REQ_SENT, SCR X), C(ACK_SENT, IRC SCR), C(REQ_SENT, TLD SCR X) },
	[PPP_EVENT_RTR] = {
		NO, NO, C(CLOSED, STA), C(STOPPED, STA), C(CLOSING, STA), C(STOPPING, STA),
		C(REQ_SENT, STA), C(REQ_SENT, STA), C(REQ_SENT, STA), C(STOPPING, TLD ZRC STA) },
	[PPP_EVENT_RTA] = {
		NO, NO, C(CLOSED), C(STOPPED), C(CLOSED, TLF), C(STOPPED, TLF),
		C(REQ_SENT), C(REQ_SENT), C(ACK_SENT), C(REQ_SENT, TLD SCR) },
	[PPP_EVENT_RUC] = {
		NO, NO, C(CLOSED, SCJ), C(STOPPED, SCJ), C(CLOSING, SCJ), C(STOPPING, SCJ),
		C(REQ_SENT, SCJ), C(ACK_RCVD, SCJ), C(ACK_SENT, SCJ), C(OPENED, SCJ) },
	[PPP_EVENT_RXJ_PLUS] = {
		NO, NO, C(CLOSED), C(STOPPED), C(CLOSING), C(STOPPING),
		C(REQ_SENT), C(REQ_SENT), C(ACK_SENT), C(OPENED) },
	[PPP_EVENT_RXJ_MINUS] = {
		NO, NO, C(CLOSED, TLF), C(STOPPED, TLF), C(CLOSED, TLF), C(STOPPED, TLF),
		C(STOPPED, TLF), C(STOPPED, TLF), C(STOPPED, TLF), C(STOPPING, TLD IRC STR) },
	[PPP_EVENT_RXR] = {
		NO, NO, C(CLOSED), C(STOPPED), C(CLOSING), C(STOPPING),
		C(REQ_SENT), C(ACK_RCVD), C(ACK_SENT), C(OPENED, SER) },
};
/* clang-format on */

enum { REPEATS_MAX = 3, REASON = 120 };

/* What a packet or a caller gives to the actions of its event. */
struct stimulus {
	uint8_t id;               /* of the packet that we answer */
	const char *reason;       /* for tld and tlf */
	struct reader options;    /* sca: the peer's options */
	const struct writer *nak; /* scn: a whole frame */
	struct reader packet;     /* scj: the packet that we do not understand */
	const struct ppp_packet *echo;
};

struct ppp_cell ppp_automaton_cell(enum ppp_event event, enum ppp_state state)
{
	return table[event][state];
}

const char *ppp_state_name(enum ppp_state state)
{
	static const char *const names[PPP_STATES] = {"Initial", "Starting", "Closed", "Stopped", "Closing",
		"Stopping", "Req-Sent", "Ack-Rcvd", "Ack-Sent", "Opened"};

	return (unsigned)state < PPP_STATES ? names[state] : "unknown";
}

void ppp_automaton_init(struct ppp_automaton *a, const struct ppp_protocol_ops *ops)
{
	*a = (struct ppp_automaton){
		.ops = ops, .state = PPP_INITIAL, .answered = 1, .restart_at = MSEC_NEVER};
}

static struct ppp_counters *counters(const struct ppp_automaton *a)
{
	return a->ops->config(a)->counters;
}

/* FNV-1a: tells a retransmission from a new request, guards nothing. */
static uint16_t digest(uint8_t id, struct reader options)
{
	uint32_t h = (2166136261u ^ id) * 16777619u;

	while (reader_left(&options))
		h = (h ^ reader_u8(&options)) * 16777619u;
	return (uint16_t)(h ^ h >> 16);
}

/* ---- options ---- */

static struct reader next_option(struct reader *r, uint8_t *ret_type)
{
	uint8_t type = reader_u8(r), len = reader_u8(r);

	if (reader_ok(r) && len < 2)
		reader_fail(r, "option length below 2");
	*ret_type = type;
	return reader_sub(r, (size_t)len - 2);
}

static bool options_ok(struct reader r)
{
	uint8_t type;

	while (reader_left(&r))
		next_option(&r, &type);
	return reader_ok(&r);
}

static int option_index(const struct ppp_automaton *a, uint8_t type)
{
	for (size_t i = 0; i < a->ops->option_count; i++) {
		if (a->ops->options[i].type == type)
			return (int)i;
	}
	return -1;
}

static void write_option(struct writer *w, uint8_t type, const void *data, size_t len)
{
	writer_u8(w, type);
	writer_u8(w, (uint8_t)(len + 2));
	writer_bytes(w, data, len);
}

static void write_request(const struct ppp_automaton *a, struct writer *w)
{
	for (size_t i = 0; i < a->ops->option_count; i++) {
		const struct ppp_option *o = &a->ops->options[i];
		uint8_t data[16];
		struct writer d = writer_of(data, sizeof(data));

		if (!o->wanted || (a->rejected & 1u << i) || !o->wanted(a))
			continue;
		o->write(a, &d);
		write_option(w, o->type, data, writer_len(&d));
	}
}

/* ---- actions ---- */

struct frame {
	uint8_t bytes[PPP_FRAME_MAX];
	struct writer w;
	size_t at;
};

static void frame_begin(struct frame *f, const struct ppp_automaton *a, uint8_t code, uint8_t id)
{
	f->w = writer_of(f->bytes, sizeof(f->bytes));
	f->at = ppp_packet_begin(&f->w, a->ops->protocol, code, id);
}

static void frame_send(struct frame *f, struct ppp_automaton *a)
{
	ppp_packet_finish(&f->w, f->at);
	if (writer_ok(&f->w))
		a->ops->send(a, f->bytes, writer_len(&f->w));
}

static void start_timer(struct ppp_automaton *a, msec wait, msec now)
{
	a->restart_at = now + wait;
}

/* Starts or repeats what the restart counter counts. A repetition keeps its Identifier (section 5.1),
 * so a late answer still counts. */
static void count_request(struct ppp_automaton *a, bool repeat, msec now)
{
	if (!repeat)
		a->request_id = a->next_id++;
	if (a->restarts)
		a->restarts--;
	start_timer(a, a->ops->config(a)->restart_ms, now);
}

static void send_configure_request(struct ppp_automaton *a, bool repeat, msec now)
{
	struct frame f;

	count_request(a, repeat && !a->answered, now);
	a->answered = 0;
	a->objected = 0;
	frame_begin(&f, a, PPP_CONFIGURE_REQUEST, a->request_id);
	write_request(a, &f.w);
	frame_send(&f, a);
}

static void send_terminate_request(struct ppp_automaton *a, bool repeat, msec now)
{
	const char *text = a->ops->farewell ? a->ops->farewell(a) : "";
	struct frame f;

	count_request(a, repeat, now);
	a->answered = 1;
	frame_begin(&f, a, PPP_TERMINATE_REQUEST, a->request_id);
	writer_bytes(&f.w, text, strlen(text));
	frame_send(&f, a);
}

static void send_configure_ack(struct ppp_automaton *a, const struct stimulus *s)
{
	struct frame f;

	frame_begin(&f, a, PPP_CONFIGURE_ACK, s->id);
	writer_bytes(&f.w, s->options.pos, reader_left(&s->options));
	frame_send(&f, a);
}

/* From here on the peer's options are in force. */
static void acknowledge(struct ppp_automaton *a, const struct stimulus *s)
{
	struct reader options = s->options;

	a->failures = 0;
	a->acked = digest(s->id, options);
	send_configure_ack(a, s);
	a->ops->reset(a);
	while (reader_left(&options)) {
		uint8_t type;
		struct reader data = next_option(&options, &type);
		int i = option_index(a, type);

		if (i >= 0 && a->ops->options[i].apply)
			a->ops->options[i].apply(a, data);
	}
}

static void send_terminate_ack(struct ppp_automaton *a, uint8_t id)
{
	struct frame f;

	frame_begin(&f, a, PPP_TERMINATE_ACK, id);
	frame_send(&f, a);
}

/* Section 5.6, cut to what the peer takes and to our buffer. */
static void send_code_reject(struct ppp_automaton *a, struct reader packet)
{
	size_t n = reader_left(&packet), room = PPP_FRAME_MAX - 2 * PPP_HEADER,
	       mru = a->ops->peer_mru(a) - PPP_HEADER;
	struct frame f;

	if (n > room)
		n = room;
	if (n > mru)
		n = mru;
	frame_begin(&f, a, PPP_CODE_REJECT, a->next_id++);
	writer_bytes(&f.w, packet.pos, n);
	frame_send(&f, a);
}

static bool timer_runs(uint8_t state)
{
	return state >= PPP_CLOSING && state <= PPP_ACK_SENT;
}

static uint8_t count_of(uint8_t configured)
{
	return configured < PPP_MAX_COUNT ? configured : PPP_MAX_COUNT;
}

static void perform(
	struct ppp_automaton *a, enum ppp_event event, uint16_t actions, const struct stimulus *s, msec now)
{
	const struct ppp_config *c = a->ops->config(a);
	bool repeat = event == PPP_EVENT_TO_PLUS;

	if (actions & PPP_TLD)
		a->ops->down(a, s->reason, now);
	if (actions & PPP_IRC)
		a->restarts =
			count_of(a->state == PPP_CLOSING || a->state == PPP_STOPPING ? c->max_terminate
										     : c->max_configure);
	if (actions & PPP_ZRC) {
		a->restarts = 0;
		start_timer(a, c->restart_ms / 3, now);
	}
	if (actions & PPP_SCR)
		send_configure_request(a, repeat, now);
	if (actions & PPP_STR)
		send_terminate_request(a, repeat, now);
	if (actions & PPP_SCA)
		acknowledge(a, s);
	if (actions & PPP_SCN && s->nak && writer_ok(s->nak)) {
		a->objected = 1;
		a->ops->send(a, s->nak->start, writer_len(s->nak));
	}
	if (actions & PPP_STA)
		send_terminate_ack(a, s->id);
	if (actions & PPP_SCJ)
		send_code_reject(a, s->packet);
	if (actions & PPP_SER)
		a->ops->echo_reply(a, s->echo);
	if (actions & PPP_TLU) {
		a->repeats = 0;
		a->refusals = 0;
		a->ops->up(a, now);
	}
	if (actions & PPP_TLF)
		a->ops->finished(a, s->reason, now);
}

/* The state changes first, so whoever is called by an action sees the new one. */
static void run(struct ppp_automaton *a, enum ppp_event event, const struct stimulus *s, msec now)
{
	struct ppp_cell cell = table[event][a->state];

	if (cell.next == PPP_ILLEGAL)
		return;
	a->state = cell.next;
	if (!timer_runs(a->state))
		a->restart_at = MSEC_NEVER;
	perform(a, event, cell.actions, s, now);
}

/* ---- events from above and below ---- */

void ppp_automaton_up(struct ppp_automaton *a, msec now)
{
	a->failures = a->rejected = a->refusals = 0;
	run(a, PPP_EVENT_UP, &(struct stimulus){.reason = ""}, now);
}

void ppp_automaton_down(struct ppp_automaton *a, const char *reason, msec now)
{
	run(a, PPP_EVENT_DOWN, &(struct stimulus){.reason = reason}, now);
}

void ppp_automaton_open(struct ppp_automaton *a, msec now)
{
	run(a, PPP_EVENT_OPEN, &(struct stimulus){.reason = ""}, now);
}

void ppp_automaton_close(struct ppp_automaton *a, const char *reason, msec now)
{
	run(a, PPP_EVENT_CLOSE, &(struct stimulus){.reason = reason}, now);
}

void ppp_automaton_restart(struct ppp_automaton *a, const char *reason, msec now)
{
	ppp_automaton_open(a, now);
	if (table[PPP_EVENT_OPEN][a->state].actions & PPP_NOTE_R) {
		ppp_automaton_down(a, reason, now);
		ppp_automaton_up(a, now);
	}
}

void ppp_automaton_refused(struct ppp_automaton *a, const char *reason, msec now)
{
	if (a->ops->broken)
		a->ops->broken(a, reason);
	run(a, PPP_EVENT_RXJ_MINUS, &(struct stimulus){.reason = reason}, now);
}

void ppp_automaton_tick(struct ppp_automaton *a, msec now)
{
	char reason[REASON] = "";

	if (a->restart_at > now)
		return;
	if (a->restarts) {
		run(a, PPP_EVENT_TO_PLUS, &(struct stimulus){.reason = ""}, now);
		return;
	}
	if (a->state >= PPP_REQ_SENT)
		snprintf(reason, sizeof(reason), "%s: no answer after %u Configure-Requests", a->ops->name,
			a->ops->config(a)->max_configure);
	else
		snprintf(reason, sizeof(reason), "%s: closed", a->ops->name);
	run(a, PPP_EVENT_TO_MINUS, &(struct stimulus){.reason = reason}, now);
}

/* ---- Configure-Request ---- */

/* Sorts the peer's options into what we refuse and what we would rather have. */
struct review {
	uint8_t nak_bytes[PPP_FRAME_MAX], reject_bytes[PPP_FRAME_MAX];
	struct writer nak, reject;
	size_t nak_at, reject_at;
	bool naks, rejects, nak_only;
	uint8_t seen;
};

static void review_begin(struct review *v, struct ppp_automaton *a, uint8_t id)
{
	v->nak = writer_of(v->nak_bytes, sizeof(v->nak_bytes));
	v->reject = writer_of(v->reject_bytes, sizeof(v->reject_bytes));
	v->nak_at = ppp_packet_begin(&v->nak, a->ops->protocol, PPP_CONFIGURE_NAK, id);
	v->reject_at = ppp_packet_begin(&v->reject, a->ops->protocol, PPP_CONFIGURE_REJECT, id);
	v->naks = v->rejects = v->nak_only = false;
	v->seen = 0;
}

static void review_option(struct review *v, struct ppp_automaton *a, uint8_t type, struct reader data)
{
	int i = option_index(a, type);
	uint8_t hint[16];
	struct writer h = writer_of(hint, sizeof(hint));
	enum ppp_verdict verdict = PPP_VERDICT_REJECT;

	/* No option of ours may be there twice (section 6), and neither may one of IPV6CP. */
	if (i >= 0 && !(v->seen & 1u << i))
		verdict = a->ops->options[i].judge(a, data, &h);
	if (i >= 0)
		v->seen |= (uint8_t)(1u << i);
	if (verdict == PPP_VERDICT_NAK && a->failures >= count_of(a->ops->config(a)->max_failure))
		verdict = PPP_VERDICT_REJECT;

	if (verdict == PPP_VERDICT_REJECT) {
		write_option(&v->reject, type, data.pos, reader_left(&data));
		v->rejects = true;
	} else if (verdict == PPP_VERDICT_NAK_ONLY) {
		v->nak = writer_of(v->nak_bytes, sizeof(v->nak_bytes));
		v->nak_at = ppp_packet_begin(&v->nak, a->ops->protocol, PPP_CONFIGURE_NAK, v->nak_bytes[5]);
		write_option(&v->nak, type, hint, writer_len(&h));
		v->naks = v->nak_only = true;
	} else if (verdict == PPP_VERDICT_NAK && !v->nak_only) {
		write_option(&v->nak, type, hint, writer_len(&h));
		v->naks = true;
	}
}

/* The frame that refuses, or NULL when all is acceptable. */
static const struct writer *review_end(struct review *v, struct ppp_automaton *a)
{
	size_t before = writer_len(&v->nak);

	if (a->ops->missing && !v->nak_only && a->failures < count_of(a->ops->config(a)->max_failure))
		a->ops->missing(a, v->seen, &v->nak);
	v->naks |= writer_len(&v->nak) > before;
	ppp_packet_finish(&v->nak, v->nak_at);
	ppp_packet_finish(&v->reject, v->reject_at);
	if (v->rejects && !v->nak_only)
		return &v->reject;
	if (!v->naks)
		return NULL;
	if (a->failures < PPP_MAX_COUNT)
		a->failures++;
	return &v->nak;
}

static void input_request(struct ppp_automaton *a, const struct ppp_packet *p, msec now)
{
	char reason[REASON];
	struct stimulus s = {.id = p->id, .reason = reason, .options = p->data};
	struct reader options = p->data;
	struct review v;

	if (!options_ok(options) || reader_left(&options) > PPP_FRAME_MAX - 2 * PPP_HEADER) {
		counters(a)->bad_option++;
		return;
	}
	if (a->state == PPP_CLOSED || a->state == PPP_CLOSING || a->state == PPP_STOPPING) {
		run(a, PPP_EVENT_RCR_PLUS, &s, now); /* the options do not matter in these states */
		return;
	}
	if (a->state == PPP_OPENED && a->repeats < REPEATS_MAX && digest(p->id, options) == a->acked) {
		a->repeats++;
		send_configure_ack(a, &s);
		return;
	}

	snprintf(reason, sizeof(reason), "%s: the peer negotiates again", a->ops->name);
	review_begin(&v, a, p->id);
	while (reader_left(&options)) {
		uint8_t type;
		struct reader data = next_option(&options, &type);

		review_option(&v, a, type, data);
	}
	s.nak = review_end(&v, a);
	run(a, s.nak ? PPP_EVENT_RCR_MINUS : PPP_EVENT_RCR_PLUS, &s, now);
	if (a->state == PPP_ACK_SENT && a->objected && !a->answered)
		a->restart_at = now;
}

/* ---- answers to our Configure-Request ---- */

static bool same_bytes(struct reader a, struct reader b)
{
	if (reader_left(&a) != reader_left(&b))
		return false;
	while (reader_left(&a)) {
		if (reader_u8(&a) != reader_u8(&b))
			return false;
	}
	return true;
}

static bool is_our_request(const struct ppp_automaton *a, struct reader options)
{
	uint8_t bytes[256];
	struct writer w = writer_of(bytes, sizeof(bytes));

	write_request(a, &w);
	return same_bytes(options, reader_of(bytes, writer_len(&w)));
}

/* Section 5.4: what is rejected stands in our request, unchanged and in its order. */
static bool is_part_of_our_request(const struct ppp_automaton *a, struct reader rejected)
{
	uint8_t bytes[256];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct reader ours;

	write_request(a, &w);
	ours = reader_of(bytes, writer_len(&w));
	while (reader_left(&rejected)) {
		uint8_t type, our_type;
		struct reader data = next_option(&rejected, &type);
		struct reader our_data;

		do {
			if (!reader_left(&ours))
				return false;
			our_data = next_option(&ours, &our_type);
		} while (our_type != type);
		if (!same_bytes(our_data, data))
			return false;
	}
	return true;
}

static void take_refusal(struct ppp_automaton *a, const struct ppp_packet *p, msec now)
{
	struct reader options = p->data;

	while (reader_left(&options)) {
		uint8_t type;
		struct reader data = next_option(&options, &type);
		int i = option_index(a, type);
		const struct ppp_option *o = i < 0 ? NULL : &a->ops->options[i];

		if (!o || !o->wanted || (a->rejected & 1u << i) || !o->wanted(a))
			continue; /* a Nak may ask for options that we have not asked for: we go without */
		if (p->code == PPP_CONFIGURE_NAK) {
			o->nak(a, data, now);
			continue;
		}
		a->rejected |= 1u << i;
		if (o->reject)
			o->reject(a, now);
	}
}

static void input_answer(struct ppp_automaton *a, const struct ppp_packet *p, msec now)
{
	char reason[REASON];
	struct stimulus s = {.id = p->id, .reason = reason};

	if (p->id != a->request_id || a->answered) {
		counters(a)->bad_id++;
		return;
	}
	snprintf(reason, sizeof(reason), "%s: the peer negotiates again", a->ops->name);
	if (p->code == PPP_CONFIGURE_ACK) {
		if (!is_our_request(a, p->data)) {
			counters(a)->bad_option++;
			return;
		}
		a->answered = 1;
		a->refusals = 0;
		run(a, PPP_EVENT_RCA, &s, now);
		return;
	}

	if (!reader_left(&p->data) || !options_ok(p->data) ||
		(p->code == PPP_CONFIGURE_REJECT && !is_part_of_our_request(a, p->data))) {
		counters(a)->bad_option++;
		return;
	}
	a->answered = 1;
	take_refusal(a, p, now);
	if (++a->refusals > PPP_MAX_REFUSALS) {
		a->refusals = 0;
		a->ops->stuck(a, now);
	}
	run(a, PPP_EVENT_RCN, &s, now);
}

/* ---- the other codes ---- */

static void input_terminate_request(struct ppp_automaton *a, const struct ppp_packet *p, msec now)
{
	char text[64], reason[REASON];
	struct stimulus s = {.id = p->id, .reason = reason};

	ppp_printable(p->data, text, sizeof(text));
	if (*text)
		snprintf(reason, sizeof(reason), "%s terminated by peer: %s", a->ops->name, text);
	else
		snprintf(reason, sizeof(reason), "%s terminated by peer", a->ops->name);
	if (a->ops->terminated)
		a->ops->terminated(a, reason);
	run(a, PPP_EVENT_RTR, &s, now);
}

static void input_code_reject(struct ppp_automaton *a, const struct ppp_packet *p, msec now)
{
	char reason[REASON];
	struct stimulus s = {.id = p->id, .reason = reason};
	struct reader rejected = p->data;
	uint8_t code = reader_u8(&rejected);

	if (!reader_ok(&rejected) || code > 15 || !(a->ops->codes & 1u << code)) {
		counters(a)->bad_code++; /* we have never sent such a code */
		return;
	}
	snprintf(reason, sizeof(reason), "%s: the peer does not know %s", a->ops->name,
		ppp_code_name(a->ops->protocol, code));
	if (code <= PPP_CODE_REJECT) {
		ppp_automaton_refused(a, reason, now);
		return;
	}
	if (a->ops->code_rejected)
		a->ops->code_rejected(a, code);
	run(a, PPP_EVENT_RXJ_PLUS, &s, now);
}

static void input_other(struct ppp_automaton *a, const struct ppp_packet *p, struct reader whole, msec now)
{
	struct stimulus s = {.id = p->id, .reason = "", .packet = whole, .echo = p};

	if (p->code > 15 || !(a->ops->codes & 1u << p->code)) {
		counters(a)->bad_code++;
		run(a, PPP_EVENT_RUC, &s, now);
	} else if (a->ops->extra(a, p, now)) {
		run(a, PPP_EVENT_RXR, &s, now);
	}
}

void ppp_automaton_input(struct ppp_automaton *a, struct reader packet, msec now)
{
	struct reader r = packet, whole = packet;
	char reason[REASON];
	struct ppp_packet p;

	ppp_packet_read(&r, &p);
	if (!reader_ok(&r)) {
		counters(a)->bad_frame++;
		return;
	}
	if (a->state <= PPP_STARTING) {
		counters(a)->bad_phase++;
		return;
	}
	whole.end = r.pos; /* without padding */

	switch (p.code) {
	case PPP_CONFIGURE_REQUEST:
		input_request(a, &p, now);
		break;
	case PPP_CONFIGURE_ACK:
	case PPP_CONFIGURE_NAK:
	case PPP_CONFIGURE_REJECT:
		input_answer(a, &p, now);
		break;
	case PPP_TERMINATE_REQUEST:
		input_terminate_request(a, &p, now);
		break;
	case PPP_TERMINATE_ACK:
		snprintf(reason, sizeof(reason), "%s: the peer has closed it", a->ops->name);
		run(a, PPP_EVENT_RTA, &(struct stimulus){.reason = reason}, now);
		break;
	case PPP_CODE_REJECT:
		input_code_reject(a, &p, now);
		break;
	default:
		input_other(a, &p, whole, now);
		break;
	}
}
