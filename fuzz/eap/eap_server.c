/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An EAP server fed with packets. First octet: which methods and which peer. Then steps: one octet that says what, one argument.
 * A good peer stands beside it, whose answers can be given as they are, or with one byte changed: so the states behind TLS are found.
 */
#include <stdlib.h>
#include <string.h>

#include "harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct ends ends;
	struct eap_server *server;
	struct eap_peer *peer;
	struct eap_reply request, response; /* the last ones */
	unsigned requests;
	bool over, known; /* the server was told the right secret, or a certificate is behind it */
};

static void conclude(struct run *r, enum eap_verdict v, const char *why)
{
	struct eap_reply reply;
	char again[EAP_WHY];

	check(memchr(why, 0, EAP_WHY));
	if (v == EAP_CONTINUE || v == EAP_WANT_SECRET)
		return;
	r->over = true;
	check(v == EAP_OK ? !why[0] : why[0]);
	if (v == EAP_OK) /* nobody else has a certificate, or a secret */
		check(!strcmp(eap_server_name(r->server), "alice") ||
			(r->known && eap_server_method(r->server) == EAP_MD5));
	check(eap_server_input(r->server, NULL, 0, &reply, again) == EAP_REFUSED && !reply.len);
}

static void give(struct run *r, const uint8_t *packet, size_t len)
{
	uint8_t *exact = packet ? malloc(len ? len : 1) : NULL;
	struct eap_reply reply;
	char why[EAP_WHY];
	enum eap_verdict v;

	if (exact && len)
		memcpy(exact, packet, len);
	v = eap_server_input(r->server, exact, len, &reply, why);
	free(exact);
	check_reply(&reply, EAP_REQUEST);
	check(v == EAP_CONTINUE || !reply.len);
	check(v != EAP_CONTINUE || reply.len || why[0]);
	if (reply.len) {
		check(++r->requests <= 64);
		r->request = reply;
	}
	conclude(r, v, why);
}

static void give_secret(struct run *r, const char *secret)
{
	struct eap_reply reply;
	char why[EAP_WHY];
	enum eap_verdict v;

	r->known = !strcmp(secret, the_secret);
	v = eap_server_secret(r->server, secret, strlen(secret), &reply, why);
	check(v != EAP_CONTINUE && !reply.len);
	conclude(r, v, why);
}

static void step(struct run *r, struct reader *in)
{
	uint8_t what = reader_u8(in), arg = reader_u8(in), packet[EAP_PACKET_MAX], at;
	char why[EAP_WHY];
	size_t len;

	switch (what % 6) {
	case 0:
		len = packet_raw(in, arg, packet);
		give(r, packet, len);
		break;
	case 1:
		len = packet_framed(in, arg, EAP_RESPONSE, r->request.packet[1], packet);
		give(r, packet, len);
		break;
	case 2: /* what the good peer says */
		eap_peer_input(r->peer, r->request.packet, r->request.len, &r->response, why);
		check_reply(&r->response, EAP_RESPONSE);
		if (r->response.len)
			give(r, r->response.packet, r->response.len);
		break;
	case 3: /* the same, but for one byte */
		at = reader_u8(in);
		eap_peer_input(r->peer, r->request.packet, r->request.len, &r->response, why);
		if (!r->response.len)
			break;
		r->response.packet[(4 + at) % r->response.len] ^= arg;
		give(r, r->response.packet, r->response.len);
		break;
	case 4:
		give_secret(r, arg & 1 ? the_secret : arg & 2 ? "other" : "");
		break;
	default:
		give(r, NULL, 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader in = reader_of(data, size);
	struct run *r = calloc(1, sizeof(*r));

	check(r);
	ends_init(&r->ends, reader_u8(&in));
	r->server = eap_server_new(&r->ends.server);
	r->peer = eap_peer_new(&r->ends.peer);
	check(r->server && r->peer);
	give(r, NULL, 0);
	while (reader_left(&in) && !r->over)
		step(r, &in);
	eap_server_free(r->server);
	eap_peer_free(r->peer);
	free(r);
	return 0;
}
