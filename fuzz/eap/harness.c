/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#include "../../tests/unit/eap/certs.h"
#include "eap/method.h"

const char the_secret[] = "secret";

static struct {
	struct eap_tls *server[2], *peer[2]; /* TLS 1.2, 1.3; without and with a certificate */
} made;

void check(bool ok)
{
	if (!ok)
		abort();
}

/* Once: the same ones serve all inputs. */
static void make(void)
{
	struct ca ca = ca_make("CA");
	struct cert server = cert_make(
		&ca, &(struct cert_request){.common_name = "sc", .alternative = "DNS:sc.example.net"});
	struct cert peer = cert_make(&ca, &(struct cert_request){.common_name = "alice"});
	char why[EAP_WHY];

	for (int i = 0; i < 2; i++) {
		made.server[i] = eap_tls_new(true, server.certificate, server.key, ca.pem, NULL, why);
		made.peer[i] = eap_tls_new(
			false, i ? peer.certificate : "", i ? peer.key : "", ca.pem, "sc.example.net", why);
		check(made.server[i] && made.peer[i]);
	}
	SSL_CTX_set_max_proto_version(made.server[0]->ctx, TLS1_2_VERSION);
	cert_free(&server);
	cert_free(&peer);
	ca_free(&ca);
}

void ends_init(struct ends *e, uint8_t flags)
{
	static const uint8_t methods[4][4] = {{EAP_MD5, EAP_TLS}, {EAP_TLS, EAP_MD5}, {EAP_TLS}, {EAP_MD5}};

	if (!made.server[0])
		make();
	rng_init_seed(&e->rng, 1);
	e->server =
		(struct eap_server_config){.tls = made.server[flags >> 2 & 1], .rng = &e->rng, .name = "sc"};
	memcpy(e->server.methods, methods[flags & 3], 4);
	e->peer = (struct eap_peer_config){.identity = flags & 8 ? "alice" : "@example.net",
		.secret = the_secret,
		.secret_len = flags & 16 ? 0 : strlen(the_secret),
		.tls = flags & 32 ? NULL : made.peer[flags >> 6 & 1]};
}

size_t packet_raw(struct reader *in, size_t len, uint8_t *packet)
{
	size_t left = reader_left(in);

	len = len < left ? len : left;
	reader_copy(in, packet, len);
	return len;
}

size_t packet_framed(struct reader *in, size_t len, uint8_t code, uint8_t id, uint8_t *packet)
{
	len = 4 + packet_raw(in, len, packet + 4);
	packet[0] = code;
	packet[1] = id;
	packet[2] = (uint8_t)(len >> 8);
	packet[3] = (uint8_t)len;
	return len;
}

void check_reply(const struct eap_reply *r, uint8_t code)
{
	check(r->len <= 6 + 4 + EAP_FRAGMENT);
	if (r->len)
		check(r->len >= 5 && r->packet[0] == code &&
			(size_t)(r->packet[2] << 8 | r->packet[3]) == r->len);
}
