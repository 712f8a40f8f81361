/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An EAP peer fed with packets. First octet: which methods and which server. Then steps: one octet that says what, one argument.
 * A good server stands beside it, whose requests can be given as they are, or with one byte changed.
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
	enum eap_verdict server_verdict;
	unsigned responses;
	bool over, tls_only;
};

static void give(struct run *r, const uint8_t *packet, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);
	struct eap_reply reply;
	char why[EAP_WHY];
	enum eap_verdict v;

	if (len)
		memcpy(exact, packet, len);
	v = eap_peer_input(r->peer, exact, len, &reply, why);
	free(exact);
	check_reply(&reply, EAP_RESPONSE);
	check(v != EAP_WANT_SECRET && memchr(why, 0, sizeof(why)));
	check(v == EAP_CONTINUE || !reply.len);
	check(v != EAP_CONTINUE || reply.len || why[0]);
	check(v == EAP_OK ? !why[0] : v == EAP_CONTINUE || why[0]);
	if (reply.len) {
		check(++r->responses <= 64 && reply.packet[1] == packet[1]);
		r->response = reply;
	}
	/* Only the good server has a certificate that we believe: without its own end nobody is content. */
	if (v == EAP_OK && r->tls_only)
		check(packet[0] == EAP_SUCCESS && eap_server_method(r->server) == EAP_TLS &&
			r->responses >= 3);
	r->over = v != EAP_CONTINUE;
	if (r->over)
		check(eap_peer_input(r->peer, NULL, 0, &reply, why) == EAP_REFUSED && !reply.len);
}

/* What the good server says to our last response, a result included. */
static void serve(struct run *r)
{
	char why[EAP_WHY];
	bool begun = r->request.len;
	enum eap_verdict v;

	v = eap_server_input(
		r->server, begun ? r->response.packet : NULL, begun ? r->response.len : 0, &r->request, why);
	if (v == EAP_WANT_SECRET)
		v = eap_server_secret(r->server, the_secret, strlen(the_secret), &r->request, why);
	r->server_verdict = v;
	if (v == EAP_OK || v == EAP_REFUSED) {
		const uint8_t result[] = {
			v == EAP_OK ? EAP_SUCCESS : EAP_FAILURE, r->response.packet[1], 0, 4};

		memcpy(r->request.packet, result, sizeof(result));
		r->request.len = sizeof(result);
	}
}

static void step(struct run *r, struct reader *in)
{
	uint8_t what = reader_u8(in), arg = reader_u8(in), packet[EAP_PACKET_MAX], at;
	size_t len;

	switch (what % 5) {
	case 0:
		len = packet_raw(in, arg, packet);
		give(r, packet, len);
		break;
	case 1:
		len = packet_framed(in, arg, EAP_REQUEST, (uint8_t)(r->response.packet[1] + 1), packet);
		give(r, packet, len);
		break;
	case 2:
		serve(r);
		if (r->request.len)
			give(r, r->request.packet, r->request.len);
		break;
	case 3:
		at = reader_u8(in);
		serve(r);
		if (!r->request.len)
			break;
		r->request.packet[(4 + at) % r->request.len] ^= arg;
		give(r, r->request.packet, r->request.len);
		break;
	default: /* Success or Failure for our last response */
		memcpy(packet, (uint8_t[]){arg & 1 ? EAP_SUCCESS : EAP_FAILURE, r->response.packet[1], 0, 4},
			4);
		give(r, packet, 4);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader in = reader_of(data, size);
	struct run *r = calloc(1, sizeof(*r));

	check(r);
	ends_init(&r->ends, reader_u8(&in));
	r->tls_only = r->ends.peer.tls && !r->ends.peer.secret_len;
	r->server = eap_server_new(&r->ends.server);
	r->peer = eap_peer_new(&r->ends.peer);
	check(r->server && r->peer);
	while (reader_left(&in) && !r->over)
		step(r, &in);
	eap_server_free(r->server);
	eap_peer_free(r->peer);
	free(r);
	return 0;
}
