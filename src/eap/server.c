/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end that asks: Identity, then one method. Responses to anything but the outstanding request are ignored (RFC 3748
 * section 4.1); a response to it that makes no sense ends the exchange.
 */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "eap/method.h"

enum { METHODS = 4 };

enum state {
	BEGIN,
	ASKED_IDENTITY,
	PROPOSED, /* a method: the peer may still Nak it (section 2.1) */
	RUNNING,
	WANT_SECRET,
	OVER,
};

struct eap_server {
	const struct eap_server_config *config;
	struct eap_exchange *tls;
	uint8_t state; /* enum state */
	uint8_t id, method, trips;
	uint8_t proposed; /* methods, each once: bits by place in the configuration */
	char name[EAP_NAME_MAX + 1];
	uint8_t challenge[EAP_MD5_LEN], response[EAP_MD5_LEN];
};

struct eap_server *eap_server_new(const struct eap_server_config *c)
{
	struct eap_server *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->config = c;
	s->id = (uint8_t)rng_u32(c->rng);
	return s;
}

void eap_server_free(struct eap_server *s)
{
	if (!s)
		return;
	eap_exchange_free(s->tls);
	explicit_bzero(s, sizeof(*s));
	free(s);
}

const char *eap_server_name(const struct eap_server *s)
{
	return s->name;
}

uint8_t eap_server_method(const struct eap_server *s)
{
	return s->method;
}

/* ---- verdicts ---- */

static enum eap_verdict ignore(char why[EAP_WHY], const char *text)
{
	eap_say(why, "%s", text);
	return EAP_CONTINUE;
}

static enum eap_verdict refuse(struct eap_server *s, char why[EAP_WHY], const char *text)
{
	s->state = OVER;
	eap_say(why, "%s", text);
	return EAP_REFUSED;
}

static struct writer begin(struct eap_server *s, struct eap_reply *ret, uint8_t type)
{
	s->trips++;
	return eap_reply_begin(ret, EAP_REQUEST, ++s->id, type);
}

static enum eap_verdict send_request(
	struct eap_server *s, struct eap_reply *ret, struct writer *w, char why[EAP_WHY])
{
	if (s->trips > EAP_TRIPS_MAX)
		return refuse(s, why, "more than 64 round trips");
	eap_reply_finish(ret, w);
	return EAP_CONTINUE;
}

/* ---- methods ---- */

static bool can_do(const struct eap_server *s, unsigned place)
{
	uint8_t method = s->config->methods[place];

	return !(s->proposed & 1u << place) && (method == EAP_MD5 || (method == EAP_TLS && s->config->tls));
}

/* Each Challenge is another one. */
static enum eap_verdict ask_md5(struct eap_server *s, struct eap_reply *ret, char why[EAP_WHY])
{
	struct writer w = begin(s, ret, EAP_MD5);

	rng_bytes(s->config->rng, s->challenge, sizeof(s->challenge));
	eap_md5_write(&w, s->challenge, s->config->name);
	return send_request(s, ret, &w, why);
}

static enum eap_verdict ask_tls(struct eap_server *s, struct eap_reply *ret, char why[EAP_WHY])
{
	struct writer w = begin(s, ret, EAP_TLS);

	s->tls = eap_exchange_new(s->config->tls, s->name, s->config->admits, s->config->owner);
	if (!s->tls)
		return refuse(s, why, "out of memory");
	writer_u8(&w, 0x20); /* Start */
	return send_request(s, ret, &w, why);
}

static enum eap_verdict propose(
	struct eap_server *s, unsigned place, struct eap_reply *ret, char why[EAP_WHY])
{
	s->state = PROPOSED;
	s->method = s->config->methods[place];
	s->proposed |= (uint8_t)(1u << place);
	return s->method == EAP_MD5 ? ask_md5(s, ret, why) : ask_tls(s, ret, why);
}

/* Section 5.1: up to a NUL, but a name with one is none of ours. */
static enum eap_verdict got_identity(
	struct eap_server *s, struct reader data, struct eap_reply *ret, char why[EAP_WHY])
{
	size_t len = reader_left(&data);
	const uint8_t *name = reader_bytes(&data, len);

	if (len > EAP_NAME_MAX)
		return refuse(s, why, "the identity has more than 255 bytes");
	for (size_t i = 0; i < len; i++)
		if (name[i] < ' ' || name[i] == 0x7f)
			return refuse(s, why, "the identity has control characters");
	if (len)
		memcpy(s->name, name, len);
	for (unsigned i = 0; i < METHODS; i++)
		if (can_do(s, i))
			return propose(s, i, ret, why);
	return refuse(s, why, "no EAP method is configured");
}

/* Section 5.3.1: the first of those that the peer would rather do that we have not proposed. */
/* Another method instead of the one that was Nak'ed. */
static enum eap_verdict propose_instead(
	struct eap_server *s, unsigned place, struct eap_reply *ret, char why[EAP_WHY])
{
	eap_exchange_free(s->tls);
	s->tls = NULL;
	return propose(s, place, ret, why);
}

/* Section 5.3.1. A peer that names only what we do not have may still do what it did not name (pppd names one, and the best of its
 * own): what we have left is tried. One that names nothing is taken at its word. */
static enum eap_verdict got_nak(
	struct eap_server *s, struct reader data, struct eap_reply *ret, char why[EAP_WHY])
{
	uint8_t first = 0;

	while (reader_left(&data)) {
		uint8_t wanted = reader_u8(&data);

		first = first ? first : wanted;
		for (unsigned i = 0; wanted && i < METHODS; i++) {
			if (s->config->methods[i] == wanted && can_do(s, i))
				return propose_instead(s, i, ret, why);
		}
	}
	for (unsigned i = 0; first && i < METHODS; i++)
		if (can_do(s, i))
			return propose_instead(s, i, ret, why);
	s->state = OVER;
	if (first)
		eap_say(why, "the peer does not do EAP method %s, but wants %s (%u), which we do not",
			eap_method_name(s->method), eap_method_name(first), first);
	else
		eap_say(why, "the peer does not do EAP method %s, and wants no other one",
			eap_method_name(s->method));
	return EAP_REFUSED;
}

static enum eap_verdict got_md5(struct eap_server *s, struct reader data, char why[EAP_WHY])
{
	size_t len = 0;
	const uint8_t *value = eap_md5_value(&data, &len);

	if (!value || len != EAP_MD5_LEN)
		return refuse(s, why, "the MD5 response is malformed");
	memcpy(s->response, value, len);
	s->state = WANT_SECRET;
	return EAP_WANT_SECRET;
}

enum eap_verdict eap_server_secret(
	struct eap_server *s, const void *secret, size_t len, struct eap_reply *ret, char why[EAP_WHY])
{
	static const uint8_t nobodys[16];
	uint8_t expected[EAP_MD5_LEN] = {0};
	bool ok;

	ret->len = 0;
	why[0] = '\0';
	if (s->state != WANT_SECRET)
		return refuse(s, why, "no secret was asked for");
	ok = eap_md5(s->id, len ? secret : nobodys, len ? len : sizeof(nobodys), s->challenge,
		sizeof(s->challenge), expected);
	ok = ok && !CRYPTO_memcmp(expected, s->response, sizeof(expected)) && len;
	explicit_bzero(expected, sizeof(expected));
	if (!ok)
		return refuse(s, why, len ? "wrong password" : "unknown user");
	s->state = OVER;
	return EAP_OK;
}

static enum eap_verdict tls_over(struct eap_server *s, char why[EAP_WHY])
{
	switch (s->tls->state) {
	case EXCHANGE_DONE:
		memcpy(s->name, s->tls->name, sizeof(s->name));
		s->state = OVER;
		return EAP_OK;
	case EXCHANGE_FAILED:
		return refuse(s, why, s->tls->why);
	default:
		return refuse(s, why, "EAP-TLS: the peer sends nothing where a message is due");
	}
}

static enum eap_verdict got_tls(
	struct eap_server *s, struct reader data, struct eap_reply *ret, char why[EAP_WHY])
{
	struct eap_exchange *x = s->tls;
	struct writer w;

	/* Our alert has been heard; a peer that begins anew may do so in another exchange (RFC 5216 section 2.1.3). */
	if (x->state == EXCHANGE_FAILED && !eap_exchange_due(x))
		return tls_over(s, why);
	switch (eap_exchange_input(x, data)) {
	case STEP_BAD:
	case STEP_EMPTY:
		return tls_over(s, why);
	case STEP_RAN:
		if (!eap_exchange_due(x))
			return tls_over(s, why);
		break;
	case STEP_SEND:
		break;
	}
	w = begin(s, ret, EAP_TLS);
	eap_exchange_write(x, &w);
	return send_request(s, ret, &w, why);
}

/* ---- packets ---- */

static enum eap_verdict got_response(
	struct eap_server *s, const struct eap_packet *p, struct eap_reply *ret, char why[EAP_WHY])
{
	if (s->state == ASKED_IDENTITY)
		return p->type == EAP_IDENTITY ? got_identity(s, p->data, ret, why)
					       : ignore(why, "a response that is not an Identity");
	if (s->state == PROPOSED && p->type == EAP_NAK)
		return got_nak(s, p->data, ret, why);
	if (p->type != s->method)
		return ignore(
			why, p->type == EAP_NAK ? "a Nak where it cannot be" : "a response of another type");
	s->state = RUNNING;
	return p->type == EAP_MD5 ? got_md5(s, p->data, why) : got_tls(s, p->data, ret, why);
}

static enum eap_verdict ask_identity(struct eap_server *s, struct eap_reply *ret, char why[EAP_WHY])
{
	struct writer w = begin(s, ret, EAP_IDENTITY);

	s->state = ASKED_IDENTITY;
	return send_request(s, ret, &w, why);
}

enum eap_verdict eap_server_input(
	struct eap_server *s, const uint8_t *packet, size_t len, struct eap_reply *ret, char why[EAP_WHY])
{
	struct eap_packet p;
	const char *problem;

	ret->len = 0;
	why[0] = '\0';
	if (s->state == OVER)
		return refuse(s, why, "the exchange is over");
	if (!packet)
		return s->state == BEGIN ? ask_identity(s, ret, why) : ignore(why, "it has begun already");
	problem = eap_packet_read(packet, len, &p);
	if (problem)
		return ignore(why, problem);
	if (p.code != EAP_RESPONSE)
		return ignore(why, "not a response");
	if (s->state == BEGIN || s->state == WANT_SECRET || p.id != s->id)
		return ignore(why, "a response to nothing that is asked");
	return got_response(s, &p, ret, why);
}
