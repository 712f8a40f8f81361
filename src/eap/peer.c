/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The end that answers. What decides is how far the method has come: Success before its end is ignored, and so is Failure
 * after it where the end was protected (RFC 3748 section 4.2; RFC 9190 section 2.5).
 */
#include <stdlib.h>
#include <string.h>

#include "eap/method.h"

enum { FLAG_START = 0x20 };

enum progress {
	NOTHING, /* no method yet */
	RUNNING,
	ANSWERED, /* Success or Failure may come */
	PROVEN,   /* TLS 1.3: the server has said itself that it is content: only Success may come */
	FAILED,   /* by our own judgement, and the server has been told; WHY says why */
	OVER,
};

struct eap_peer {
	const struct eap_peer_config *config;
	struct eap_exchange *tls;
	uint8_t progress;  /* enum progress */
	uint8_t method;    /* 0 until we have answered one */
	uint8_t id, trips; /* of the last request that was answered */
	char why[EAP_WHY];
};

struct eap_peer *eap_peer_new(const struct eap_peer_config *c)
{
	struct eap_peer *p = calloc(1, sizeof(*p));

	if (p)
		p->config = c;
	return p;
}

void eap_peer_free(struct eap_peer *p)
{
	if (!p)
		return;
	eap_exchange_free(p->tls);
	explicit_bzero(p, sizeof(*p));
	free(p);
}

static enum eap_verdict ignore(char why[EAP_WHY], const char *text)
{
	eap_say(why, "%s", text);
	return EAP_CONTINUE;
}

static enum eap_verdict refuse(struct eap_peer *p, char why[EAP_WHY], const char *text)
{
	p->progress = OVER;
	eap_say(why, "%s", text);
	return EAP_REFUSED;
}

static enum eap_verdict respond(struct eap_reply *ret, struct writer *w)
{
	eap_reply_finish(ret, w);
	return EAP_CONTINUE;
}

/* ---- methods ---- */

static bool can_do(const struct eap_peer *p, uint8_t method)
{
	return (method == EAP_TLS && p->config->tls) || (method == EAP_MD5 && p->config->secret_len);
}

/* RFC 3748 section 5.3.1. We know no expanded types, so the answer to one is this Nak, too. */
static enum eap_verdict nak(const struct eap_peer *p, struct eap_reply *ret)
{
	struct writer w = eap_reply_begin(ret, EAP_RESPONSE, p->id, EAP_NAK);

	if (can_do(p, EAP_TLS))
		writer_u8(&w, EAP_TLS);
	if (can_do(p, EAP_MD5))
		writer_u8(&w, EAP_MD5);
	if (!can_do(p, EAP_TLS) && !can_do(p, EAP_MD5))
		writer_u8(&w, 0);
	return respond(ret, &w);
}

static enum eap_verdict answer_identity(const struct eap_peer *p, struct eap_reply *ret)
{
	struct writer w = eap_reply_begin(ret, EAP_RESPONSE, p->id, EAP_IDENTITY);

	writer_bytes(&w, p->config->identity, strnlen(p->config->identity, EAP_NAME_MAX));
	return respond(ret, &w);
}

/* Section 5.2: acknowledged, and shown. */
static enum eap_verdict answer_notification(
	const struct eap_peer *p, struct reader text, struct eap_reply *ret, char why[EAP_WHY])
{
	struct writer w = eap_reply_begin(ret, EAP_RESPONSE, p->id, EAP_NOTIFICATION);

	eap_printable(text, why, EAP_WHY);
	return respond(ret, &w);
}

static enum eap_verdict answer_md5(
	struct eap_peer *p, struct reader data, struct eap_reply *ret, char why[EAP_WHY])
{
	struct writer w = eap_reply_begin(ret, EAP_RESPONSE, p->id, EAP_MD5);
	uint8_t value[EAP_MD5_LEN];
	size_t len = 0;
	const uint8_t *challenge = eap_md5_value(&data, &len);

	if (!challenge)
		return refuse(p, why, "the server's MD5 challenge is malformed");
	if (!eap_md5(p->id, p->config->secret, p->config->secret_len, challenge, len, value))
		return refuse(p, why, "MD5 is not possible here");
	eap_md5_write(&w, value, p->config->identity);
	explicit_bzero(value, sizeof(value));
	p->progress = ANSWERED;
	return respond(ret, &w);
}

static enum eap_verdict send_tls(struct eap_peer *p, struct eap_reply *ret)
{
	struct writer w = eap_reply_begin(ret, EAP_RESPONSE, p->id, EAP_TLS);

	eap_exchange_write(p->tls, &w);
	if (p->tls->state == EXCHANGE_FAILED) {
		p->progress = FAILED;
		memcpy(p->why, p->tls->why, sizeof(p->why));
	} else if (p->tls->state == EXCHANGE_DONE) {
		p->progress = SSL_version(p->tls->ssl) >= TLS1_3_VERSION ? PROVEN : ANSWERED;
	}
	return respond(ret, &w);
}

static enum eap_verdict start_tls(
	struct eap_peer *p, struct reader data, struct eap_reply *ret, char why[EAP_WHY])
{
	if (!(reader_u8(&data) & FLAG_START) || reader_left(&data))
		return refuse(p, why, "EAP-TLS: the server does not begin with Start");
	p->tls = eap_exchange_new(p->config->tls, NULL, NULL, NULL);
	if (!p->tls)
		return refuse(p, why, "out of memory");
	eap_exchange_start(p->tls);
	p->progress = RUNNING;
	return send_tls(p, ret);
}

static enum eap_verdict answer_tls(
	struct eap_peer *p, struct reader data, struct eap_reply *ret, char why[EAP_WHY])
{
	if (!p->tls)
		return start_tls(p, data, ret, why);
	switch (eap_exchange_input(p->tls, data)) {
	case STEP_BAD:
		return refuse(p, why, p->tls->why);
	case STEP_EMPTY:
		return refuse(p, why, "EAP-TLS: the server sends nothing where a message is due");
	default:
		return send_tls(p, ret);
	}
}

/* ---- packets ---- */

static enum eap_verdict got_request(
	struct eap_peer *p, const struct eap_packet *r, struct eap_reply *ret, char why[EAP_WHY])
{
	if (p->trips && r->id == p->id)
		return ignore(why, "a request that was answered before");
	if (p->progress == FAILED && !eap_exchange_due(p->tls))
		return refuse(p, why, p->why);
	if (r->type == EAP_NAK || (p->method && r->type != EAP_NOTIFICATION && r->type != p->method))
		return ignore(why, "a request of a type that cannot be here");
	if (++p->trips > EAP_TRIPS_MAX)
		return refuse(p, why, "more than 64 round trips");

	p->id = r->id;
	if (r->type == EAP_IDENTITY)
		return answer_identity(p, ret);
	if (r->type == EAP_NOTIFICATION)
		return answer_notification(p, r->data, ret, why);
	if (!can_do(p, r->type))
		return nak(p, ret);
	p->method = r->type;
	return r->type == EAP_MD5 ? answer_md5(p, r->data, ret, why) : answer_tls(p, r->data, ret, why);
}

static enum eap_verdict got_success(struct eap_peer *p, char why[EAP_WHY])
{
	if (p->progress == FAILED)
		return refuse(p, why, p->why);
	if (p->progress != ANSWERED && p->progress != PROVEN)
		return ignore(why, "Success before the end of a method");
	p->progress = OVER;
	return EAP_OK;
}

static enum eap_verdict got_failure(struct eap_peer *p, char why[EAP_WHY])
{
	if (p->progress == FAILED)
		return refuse(p, why, p->why);
	if (p->progress == PROVEN)
		return ignore(why, "Failure after the server has said itself that it is content");
	if (!p->method)
		return refuse(p, why, "the server refuses us before a method was agreed on");
	return refuse(p, why,
		p->tls ? "the server refuses us" : "the server refuses us: wrong user name or password");
}

enum eap_verdict eap_peer_input(
	struct eap_peer *p, const uint8_t *packet, size_t len, struct eap_reply *ret, char why[EAP_WHY])
{
	struct eap_packet r;
	const char *problem = eap_packet_read(packet, len, &r);

	ret->len = 0;
	why[0] = '\0';
	if (p->progress == OVER)
		return refuse(p, why, "the exchange is over");
	if (problem)
		return ignore(why, problem);
	if (r.code == EAP_REQUEST)
		return got_request(p, &r, ret, why);
	if (r.code == EAP_RESPONSE)
		return ignore(why, "not a request");
	/* The id is that of our last response (RFC 3748 section 4.2); some servers count one more. */
	if (!p->trips || (r.id != p->id && r.id != (uint8_t)(p->id + 1)))
		return ignore(why, "a result that is not for our last response");
	return r.code == EAP_SUCCESS ? got_success(p, why) : got_failure(p, why);
}
