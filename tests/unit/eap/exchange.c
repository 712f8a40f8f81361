/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EAP-TLS between the two ends: who is let in, who is believed, and TLS messages in fragments, good and bad. */
#include "certs.h"
#include "pair.h"

enum server_cert {
	S_GOOD,
	S_WILD,
	S_CN_ONLY,
	S_IP,
	S_EXPIRED,
	S_FUTURE,
	S_CLIENT_USE,
	S_STRANGER,
	S_BELOW,
	S_HUGE,
	S_COUNT
};
enum client_cert {
	C_NONE,
	C_CN,
	C_EMAIL,
	C_DNS,
	C_SAN_NOT_CN,
	C_NAMELESS,
	C_CONTROL,
	C_EXPIRED,
	C_FUTURE,
	C_SERVER_USE,
	C_STRANGER,
	C_REVOKED,
	C_BELOW,
	C_HUGE,
	C_COUNT
};
enum trust {
	T_CA,
	T_STRANGER,
	T_BOTH,
	T_CRL,
	T_CRL_EXPIRED,
	T_CRL_CHAIN,
	T_CRL_BELOW,
	T_INTERMEDIATE,
	T_COUNT
};

struct world {
	struct ca ca, below, stranger;
	struct cert server[S_COUNT], client[C_COUNT];
	char *trust[T_COUNT];
	char huge[8000];
};

static struct world w;
static struct pair p;

static const struct cert_request server_requests[S_COUNT] = {
	[S_GOOD] = {"sc", "DNS:sc.example.net,DNS:other.example.net", "serverAuth"},
	[S_WILD] = {"sc", "DNS:*.example.net", NULL},
	[S_CN_ONLY] = {"sc.example.net", NULL, "serverAuth"},
	[S_IP] = {"sc", "IP:192.0.2.1,IP:2001:db8::1", "serverAuth"},
	[S_EXPIRED] = {"sc", "DNS:sc.example.net", "serverAuth", .begins = -10, .ends = -1},
	[S_FUTURE] = {"sc", "DNS:sc.example.net", "serverAuth", .begins = 2, .ends = 10},
	[S_CLIENT_USE] = {"sc", "DNS:sc.example.net", "clientAuth"},
	[S_STRANGER] = {"sc", "DNS:sc.example.net", "serverAuth"},
	[S_BELOW] = {"sc", "DNS:sc.example.net", "serverAuth"},
	[S_HUGE] = {"sc", w.huge, "serverAuth"},
};

static const struct cert_request client_requests[C_COUNT] = {
	[C_CN] = {"alice", NULL, "clientAuth"},
	[C_EMAIL] = {"Alice Example", "email:alice@example.net,DNS:cpe7.example.net", NULL},
	[C_DNS] = {"alice", "DNS:cpe7.example.net", "clientAuth"},
	[C_SAN_NOT_CN] = {"alice", "email:bob@example.net", "clientAuth"},
	[C_NAMELESS] = {NULL, "IP:192.0.2.1", "clientAuth"},
	[C_CONTROL] = {"al\nice", NULL, "clientAuth"},
	[C_EXPIRED] = {"alice", NULL, "clientAuth", .begins = -10, .ends = -1},
	[C_FUTURE] = {"alice", NULL, "clientAuth", .begins = 2, .ends = 10},
	[C_SERVER_USE] = {"alice", NULL, "serverAuth"},
	[C_STRANGER] = {"alice", NULL, "clientAuth"},
	[C_REVOKED] = {"alice", NULL, "clientAuth"},
	[C_BELOW] = {"alice", NULL, "clientAuth"},
	[C_HUGE] = {"alice", w.huge, "clientAuth"},
};

static struct cert make(const struct cert_request *r, bool stranger, bool below)
{
	struct cert c = cert_make(stranger ? &w.stranger : below ? &w.below : &w.ca, r);

	if (below) {
		char *chain = texts_join(c.certificate, w.below.pem);

		free(c.certificate);
		c.certificate = chain;
	}
	return c;
}

static int make_world(void **state)
{
	size_t used = 0;
	char *crl, *crl_below;

	for (unsigned i = 0; i < 150; i++)
		used += (size_t)sprintf(
			w.huge + used, "%sDNS:a-rather-long-name-%u.example.net", i ? "," : "", i);
	w.ca = ca_make("CA");
	w.below = ca_below(&w.ca, "CA below");
	w.stranger = ca_make("Stranger");
	for (int i = 0; i < S_COUNT; i++)
		w.server[i] = make(&server_requests[i], i == S_STRANGER, i == S_BELOW);
	for (int i = C_NONE + 1; i < C_COUNT; i++)
		w.client[i] = make(&client_requests[i], i == C_STRANGER, i == C_BELOW);
	w.trust[T_CA] = strdup(w.ca.pem);
	w.trust[T_STRANGER] = strdup(w.stranger.pem);
	w.trust[T_BOTH] = texts_join(w.stranger.pem, w.ca.pem);
	crl = crl_make(&w.ca, w.client[C_REVOKED].serial, false);
	w.trust[T_CRL] = texts_join(w.ca.pem, crl);
	crl_below = crl_make(&w.below, 0, false);
	w.trust[T_CRL_CHAIN] = texts_join(w.trust[T_CRL], crl_below);
	free(crl);
	crl = crl_make(&w.ca, w.below.serial, false);
	w.trust[T_CRL_BELOW] = malloc(strlen(w.ca.pem) + strlen(crl) + strlen(crl_below) + 1);
	sprintf(w.trust[T_CRL_BELOW], "%s%s%s", w.ca.pem, crl, crl_below);
	free(crl);
	free(crl_below);
	crl = crl_make(&w.ca, 0, true);
	w.trust[T_CRL_EXPIRED] = texts_join(w.ca.pem, crl);
	free(crl);
	w.trust[T_INTERMEDIATE] = strdup(w.below.pem);
	return 0;
}

static int end_world(void **state)
{
	for (int i = 0; i < S_COUNT; i++)
		cert_free(&w.server[i]);
	for (int i = 0; i < C_COUNT; i++)
		cert_free(&w.client[i]);
	for (int i = 0; i < T_COUNT; i++)
		free(w.trust[i]);
	ca_free(&w.ca);
	ca_free(&w.below);
	ca_free(&w.stranger);
	return 0;
}

static bool admits_alice(void *owner, const char *name)
{
	++*(unsigned *)owner;
	return !strcmp(name, "alice") || !strcmp(name, "alice@example.net") ||
	       !strcmp(name, "cpe7.example.net");
}

/* ---- who is let in, and who is believed ---- */

struct scene {
	const char *name;
	enum server_cert server;
	enum client_cert client;
	enum trust server_trusts, peer_trusts;
	const char *server_name; /* as the peer wants it */
	const char *identity;    /* NULL: alice */
	bool nobody_admitted;
	/* NULL: all is well. As far as given. */
	const char *server_why, *peer_why;
	const char *proven; /* NULL: the identity */
};

static bool admits_nobody(void *owner, const char *name)
{
	++*(unsigned *)owner;
	return false;
}

static void begin_scene(const struct scene *s, int version, unsigned *asked)
{
	const struct cert *server = &w.server[s->server], *client = &w.client[s->client];
	char why[EAP_WHY] = "";

	pair_init(&p);
	p.server_config.methods[0] = EAP_TLS;
	p.server_config.tls =
		eap_tls_new(true, server->certificate, server->key, w.trust[s->server_trusts], NULL, why);
	p.server_config.admits = s->nobody_admitted ? admits_nobody : admits_alice;
	p.server_config.owner = asked;
	p.peer_config.identity = s->identity ? s->identity : "alice";
	p.peer_config.tls = eap_tls_new(
		false, client->certificate, client->key, w.trust[s->peer_trusts], s->server_name, why);
	if (!p.server_config.tls || !p.peer_config.tls) {
		fail_msg("%s: %s", s->name, why);
		return;
	}
	SSL_CTX_set_max_proto_version(p.server_config.tls->ctx, version);
}

static void end_scene(void)
{
	pair_done(&p);
	eap_tls_free(p.server_config.tls);
	eap_tls_free(p.peer_config.tls);
}

static void play(const struct scene *s, int version)
{
	unsigned asked = 0;
	bool ok;

	begin_scene(s, version, &asked);
	pair_run(&p);
	ok = p.server_verdict == (s->server_why ? EAP_REFUSED : EAP_OK) &&
	     p.peer_verdict == (s->peer_why ? EAP_REFUSED : EAP_OK) &&
	     !strncmp(p.server_why, s->server_why ? s->server_why : "",
		     s->server_why ? strlen(s->server_why) : 1) &&
	     !strncmp(p.peer_why, s->peer_why ? s->peer_why : "", s->peer_why ? strlen(s->peer_why) : 1);
	if (!ok)
		fail_msg("%s, TLS %x:\nserver %d \"%s\"\npeer %d \"%s\"", s->name, version, p.server_verdict,
			p.server_why, p.peer_verdict, p.peer_why);
	if (!s->server_why) {
		assert_string_equal(
			eap_server_name(p.server), s->proven ? s->proven : p.peer_config.identity);
		assert_int_equal(asked, 1);
	}
	assert_in_range(p.longest, 1, 6 + 4 + EAP_FRAGMENT);
	end_scene();
}

static void play_all(const struct scene *scenes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		play(&scenes[i], TLS1_2_VERSION);
		play(&scenes[i], TLS1_3_VERSION);
	}
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* proves: HS-PPP-11 partial, HS-PPP-12 partial, SEC-HS-14 partial, SEC-HS-16 partial */
static void both_ends_prove_who_they_are(void **state)
{
	static const struct scene scenes[] = {
		{"Common Name", S_GOOD, C_CN, T_CA, T_CA, "sc.example.net"},
		{"another name of the server", S_GOOD, C_CN, T_CA, T_CA, "OTHER.example.NET"},
		{"wildcard", S_WILD, C_CN, T_CA, T_CA, "sc.example.net"},
		{"IPv4 address", S_IP, C_CN, T_CA, T_CA, "192.0.2.1"},
		{"IPv6 address", S_IP, C_CN, T_CA, T_CA, "2001:DB8:0::1"},
		{"any server of the CA", S_CN_ONLY, C_CN, T_CA, T_CA, ""},
		{"any server of the CA, NULL", S_CN_ONLY, C_CN, T_CA, T_CA, NULL},
		{"mail address", S_GOOD, C_EMAIL, T_CA, T_CA, "sc.example.net", "alice@example.net"},
		{"the second of two names", S_GOOD, C_EMAIL, T_CA, T_CA, "sc.example.net",
			"cpe7.example.net"},
		{"host name", S_GOOD, C_DNS, T_CA, T_CA, "sc.example.net", "cpe7.example.net"},
		{"two CAs", S_STRANGER, C_STRANGER, T_BOTH, T_BOTH, "sc.example.net"},
		{"different CAs", S_STRANGER, C_CN, T_CA, T_STRANGER, "sc.example.net"},
		{"a CA below", S_BELOW, C_BELOW, T_CA, T_CA, "sc.example.net"},
		{"only the CA below", S_BELOW, C_BELOW, T_INTERMEDIATE, T_INTERMEDIATE, "sc.example.net"},
		{"not revoked", S_GOOD, C_CN, T_CRL, T_CRL, "sc.example.net"},
		{"not revoked, below", S_BELOW, C_BELOW, T_CRL_CHAIN, T_CRL_CHAIN, "sc.example.net"},
		{"revoked, but nobody knows", S_GOOD, C_REVOKED, T_CA, T_CA, "sc.example.net"},
	};

	play_all(scenes, COUNT(scenes));
}

/* RFC 9190 section 2.1.8: only the certificate, which TLS 1.3 encrypts, says who it is. */
static void an_anonymous_identity_is_replaced_by_the_certificates(void **state)
{
	static const struct scene scenes[] = {
		{"realm", S_GOOD, C_EMAIL, T_CA, T_CA, "sc.example.net", "@example.net",
			.proven = "alice@example.net"},
		{"anonymous@", S_GOOD, C_CN, T_CA, T_CA, "sc.example.net", "anonymous@example.net",
			.proven = "alice"},
		{"anonymous", S_GOOD, C_DNS, T_CA, T_CA, "sc.example.net", "anonymous",
			.proven = "cpe7.example.net"},
		{"nothing", S_GOOD, C_CN, T_CA, T_CA, "sc.example.net", "", .proven = "alice"},
		{"without a name", S_GOOD, C_NAMELESS, T_CA, T_CA, "sc.example.net", "@example.net",
			.server_why = "the peer's certificate has no name that could be a user's",
			.peer_why = "TLS: the server says: handshake failure"},
		{"unknown", S_GOOD, C_SAN_NOT_CN, T_CA, T_CA, "sc.example.net", "anonymous",
			.server_why = "\"bob@example.net\", for whom the peer has a certificate, is an "
				      "unknown user",
			.peer_why = "TLS: the server says: handshake failure"},
	};

	play_all(scenes, COUNT(scenes));
}

/* proves: SEC-HS-16 partial */
static void the_peer_goes_on_with_no_other_server(void **state)
{
	static const struct scene scenes[] = {
		{"another CA", S_STRANGER, C_CN, T_CA, T_CA, "sc.example.net",
			.server_why = "TLS: the peer says: unknown CA",
			.peer_why = "TLS: the server's certificate: unable to get local issuer certificate"},
		{"another CA, any name", S_STRANGER, C_CN, T_CA, T_CA, "",
			.server_why = "TLS: the peer says: unknown CA",
			.peer_why = "TLS: the server's certificate: unable to get local issuer certificate"},
		{"another name", S_GOOD, C_CN, T_CA, T_CA, "sc.example.org",
			.server_why = "TLS: the peer says: bad certificate",
			.peer_why = "TLS: the server's certificate is not for \"sc.example.org\""},
		{"too much for a wildcard", S_WILD, C_CN, T_CA, T_CA, "a.sc.example.net",
			.server_why = "TLS: the peer says: bad certificate",
			.peer_why = "TLS: the server's certificate is not for \"a.sc.example.net\""},
		{"only in the subject", S_CN_ONLY, C_CN, T_CA, T_CA, "sc.example.net",
			.server_why = "TLS: the peer says: bad certificate",
			.peer_why = "TLS: the server's certificate is not for \"sc.example.net\""},
		{"another address", S_IP, C_CN, T_CA, T_CA, "192.0.2.2",
			.server_why = "TLS: the peer says: bad certificate",
			.peer_why = "TLS: the server's certificate is not for \"192.0.2.2\""},
		{"a client's certificate", S_CLIENT_USE, C_CN, T_CA, T_CA, "sc.example.net",
			.server_why = "TLS: the peer says: unsupported certificate",
			.peer_why = "TLS: the server's certificate: unsu"},
		{"expired", S_EXPIRED, C_CN, T_CA, T_CA, "sc.example.net",
			.server_why = "TLS: the peer says: certificate expired",
			.peer_why = "TLS: the server's certificate: certificate has expired"},
		{"not valid yet", S_FUTURE, C_CN, T_CA, T_CA, "sc.example.net",
			.server_why = "TLS: the peer says: bad certificate",
			.peer_why = "TLS: the server's certificate: certificate is not yet valid"},
		{"an old CRL", S_GOOD, C_CN, T_CA, T_CRL_EXPIRED, "sc.example.net",
			.server_why = "TLS: the peer says: ",
			.peer_why = "TLS: the server's certificate: CRL has expired"},
		{"a CA below that is revoked", S_BELOW, C_CN, T_CA, T_CRL_BELOW, "sc.example.net",
			.server_why = "TLS: the peer says: certificate revoked",
			.peer_why = "TLS: the server's certificate: certificate revoked"},
		{"a CA below without a CRL", S_BELOW, C_CN, T_CA, T_CRL, "sc.example.net",
			.server_why = "TLS: the peer says: ",
			.peer_why = "TLS: the server's certificate: unable to get certificate CRL"},
	};

	play_all(scenes, COUNT(scenes));
}

/* proves: SEC-HS-14 partial */
static void the_server_lets_nobody_else_in(void **state)
{
	static const struct scene scenes[] = {
		{"no certificate", S_GOOD, C_NONE, T_CA, T_CA, "sc.example.net",
			.server_why = "TLS: peer did not return a certificate",
			.peer_why = "TLS: the server says: "},
		{"another CA", S_GOOD, C_STRANGER, T_CA, T_BOTH, "sc.example.net",
			.server_why = "TLS: the peer's certificate: unable to get local issuer certificate",
			.peer_why = "TLS: the server says: unknown CA"},
		{"expired", S_GOOD, C_EXPIRED, T_CA, T_CA, "sc.example.net",
			.server_why = "TLS: the peer's certificate: certificate has expired",
			.peer_why = "TLS: the server says: certificate expired"},
		{"not valid yet", S_GOOD, C_FUTURE, T_CA, T_CA, "sc.example.net",
			.server_why = "TLS: the peer's certificate: certificate is not yet valid",
			.peer_why = "TLS: the server says: bad certificate"},
		{"revoked", S_GOOD, C_REVOKED, T_CRL, T_CA, "sc.example.net",
			.server_why = "TLS: the peer's certificate: certificate revoked",
			.peer_why = "TLS: the server says: certificate revoked"},
		{"a server's certificate", S_GOOD, C_SERVER_USE, T_CA, T_CA, "sc.example.net",
			.server_why = "TLS: the peer's certificate: unsu",
			.peer_why = "TLS: the server says: unsupported certificate"},
		{"somebody else's name", S_GOOD, C_CN, T_CA, T_CA, "sc.example.net", "bob",
			.server_why = "the peer claims to be \"bob\", but its certificate is for \"alice\"",
			.peer_why = "TLS: the server says: handshake failure"},
		{"another case", S_GOOD, C_CN, T_CA, T_CA, "sc.example.net", "Alice",
			.server_why = "the peer claims to be \"Alice\", but its certificate is for \"alice\"",
			.peer_why = "TLS: the server says: handshake failure"},
		{"the subject, where there are names", S_GOOD, C_SAN_NOT_CN, T_CA, T_CA, "sc.example.net",
			"alice",
			.server_why = "the peer claims to be \"alice\", but its certificate is for "
				      "\"bob@example.net\"",
			.peer_why = "TLS: the server says: handshake failure"},
		{"no name", S_GOOD, C_NAMELESS, T_CA, T_CA, "sc.example.net",
			.server_why = "the peer's certificate has no name that could be a user's",
			.peer_why = "TLS: the server says: handshake failure"},
		{"a control character", S_GOOD, C_CONTROL, T_CA, T_CA, "sc.example.net",
			.server_why = "the peer's certificate has no name that could be a user's",
			.peer_why = "TLS: the server says: handshake failure"},
		{"an unknown user", S_GOOD, C_CN, T_CA, T_CA, "sc.example.net", .nobody_admitted = true,
			.server_why = "\"alice\", for whom the peer has a certificate, is an unknown user",
			.peer_why = "TLS: the server says: handshake failure"},
	};

	play_all(scenes, COUNT(scenes));
}

/* ---- messages ---- */

static const struct scene good = {"good", S_GOOD, C_CN, T_CA, T_CA, "sc.example.net"};

static bool has_type(const struct eap_reply *r, uint8_t code, uint8_t flags, size_t data)
{
	return r->packet[0] == code && r->packet[4] == EAP_TLS && r->packet[5] == flags && r->len == 6 + data;
}

/* RFC 5216 section 2.1.1 and RFC 9190 section 2.1.1: Start, ClientHello, ..., an acknowledgement, Success. */
static void the_exchange_goes_as_the_rfcs_say(void **state)
{
	unsigned asked;

	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		begin_scene(&good, version, &asked);
		pair_run(&p);
		assert_int_equal(p.server_verdict, EAP_OK);
		assert_int_equal(eap_server_method(p.server), EAP_TLS);
		assert_true(has_type(&p.packets[2], EAP_REQUEST, 0x20, 0)); /* Start */
		assert_int_equal(p.packets[3].packet[5], 0);                /* ClientHello: whole, so no L */
		assert_int_equal(p.packets[3].packet[6], 22);
		assert_true(has_type(&p.packets[p.count - 2], EAP_RESPONSE, 0, 0));
		assert_int_equal(p.packets[p.count - 1].packet[0], EAP_SUCCESS);
		/* The last request is the Finished with its ChangeCipherSpec, or one protected octet. */
		assert_int_equal(p.packets[p.count - 3].packet[6], version == TLS1_2_VERSION ? 20 : 23);
		if (version == TLS1_3_VERSION)
			assert_int_equal(p.packets[p.count - 3].len, 6 + 5 + 1 + 1 + 16);
		end_scene();
	}
}

/* RFC 5216 section 2.1.5. */
static void long_messages_go_in_fragments(void **state)
{
	static const struct scene scene = {"huge", S_HUGE, C_HUGE, T_CA, T_CA,
		"a-rather-long-name-149.example.net", "a-rather-long-name-148.example.net"};
	unsigned asked, first = 0, more[3] = {0};
	uint8_t ids[2] = {0};

	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION; version++) {
		begin_scene(&scene, version, &asked);
		p.server_config.admits = NULL;
		pair_run(&p);
		assert_int_equal(p.server_verdict, EAP_OK);
		assert_int_equal(p.peer_verdict, EAP_OK);
		assert_int_equal(p.longest, 6 + 4 + EAP_FRAGMENT);
		memset(more, 0, sizeof(more));
		first = 0;
		ids[0] = p.packets[1].packet[1];
		for (unsigned i = 2; i < p.count - 1; i++) {
			const uint8_t *packet = p.packets[i].packet, *next = p.packets[i + 1].packet;

			ids[packet[0] == EAP_REQUEST] = packet[1];
			assert_true(packet[0] != EAP_REQUEST || packet[1] == (uint8_t)(ids[0] + 1));
			assert_true(packet[0] != EAP_RESPONSE || packet[1] == ids[1]);
			if (!(packet[5] & 0x40))
				continue;
			more[packet[0]]++;
			first += packet[5] >> 7;
			assert_int_equal(packet[5] & 0x3f, 0);
			assert_int_equal(p.packets[i].len, 6 + (packet[5] & 0x80 ? 4 : 0) + EAP_FRAGMENT);
			assert_true(has_type(&p.packets[i + 1], next[0], 0, 0)); /* acknowledged */
		}
		assert_int_equal(first, 2); /* the length once for each message that is cut */
		assert_true(more[EAP_REQUEST] >= 5 && more[EAP_RESPONSE] >= 5);
		end_scene();
	}
}

/* Plays up to the peer's first request that is not Start, or the server's first response; then the test goes on by hand. */
static struct eap_reply up_to(struct pair *pair, unsigned packets)
{
	struct eap_reply reply = {0};

	pair_done(pair);
	pair->count = 0;
	pair->server = eap_server_new(&pair->server_config);
	pair->peer = eap_peer_new(&pair->peer_config);
	for (unsigned i = 0; i < packets; i++) {
		const struct eap_reply *last = i ? &pair->packets[i - 1] : NULL;

		if (last && i % 2)
			eap_peer_input(pair->peer, last->packet, last->len, &reply, pair->peer_why);
		else
			pair_serve(pair, last, &reply);
		assert_true(reply.len);
		pair_note(pair, &reply);
	}
	return reply;
}

static enum eap_verdict give(
	bool to_server, uint8_t id, const uint8_t *data, size_t len, struct eap_reply *ret, char why[EAP_WHY])
{
	uint8_t *packet = malloc(5 + len);
	enum eap_verdict v;

	packet[0] = to_server ? EAP_RESPONSE : EAP_REQUEST;
	packet[1] = id;
	packet[2] = (uint8_t)((5 + len) >> 8);
	packet[3] = (uint8_t)(5 + len);
	packet[4] = EAP_TLS;
	if (len)
		memcpy(packet + 5, data, len);
	v = to_server ? eap_server_input(p.server, packet, 5 + len, ret, why)
		      : eap_peer_input(p.peer, packet, 5 + len, ret, why);
	free(packet);
	return v;
}

#define BYTES(...) {__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__})

/* Instead of the ClientHello to the server, and instead of the ServerHello to the peer: flags and data, one or two packets. */
static const struct bad {
	const char *name;
	struct {
		uint8_t bytes[32];
		size_t len;
	} packets[2];
	const char *why; /* what begins so */
} bad[] = {
	{"no flags", {{BYTES()}}, "EAP-TLS: truncated"},
	{"half a length", {{BYTES(0x80, 0, 0, 0)}}, "EAP-TLS: truncated"},
	{"nothing", {{BYTES(0)}}, "EAP-TLS: the "},
	{"length 0 of nothing", {{BYTES(0x80, 0, 0, 0, 0)}}, "EAP-TLS: the "},
	{"Start", {{BYTES(0x20)}}, "EAP-TLS: Start where it cannot be"},
	{"a fragment of nothing", {{BYTES(0xc0, 0, 0, 1, 0)}}, "EAP-TLS: a fragment without data"},
	{"an empty second fragment", {{BYTES(0xc0, 0, 0, 0, 9, 22, 3, 1)}, {BYTES(0)}},
		"EAP-TLS: a fragment without data"},
	{"4 GiB", {{BYTES(0xc0, 0xff, 0xff, 0xff, 0xff, 22)}}, "EAP-TLS: more than 64 KiB"},
	{"one byte too much", {{BYTES(0xc0, 0, 1, 0, 1, 22)}}, "EAP-TLS: more than 64 KiB"},
	{"more than the length", {{BYTES(0x80, 0, 0, 0, 2, 22, 3, 1)}},
		"EAP-TLS: more data than the length says"},
	{"more than the length, later", {{BYTES(0xc0, 0, 0, 0, 4, 22, 3, 1)}, {BYTES(0, 1, 2)}},
		"EAP-TLS: more data than the length says"},
	{"less than the length", {{BYTES(0x80, 0, 0, 0, 4, 22, 3, 1)}},
		"EAP-TLS: less data than the length says"},
	{"less than the length, later", {{BYTES(0xc0, 0, 0, 0, 9, 22, 3, 1)}, {BYTES(0, 1, 2)}},
		"EAP-TLS: less data than the length says"},
	{"two lengths", {{BYTES(0xc0, 0, 0, 0, 9, 22, 3, 1)}, {BYTES(0x80, 0, 0, 0, 8, 1, 2)}},
		"EAP-TLS: another length than in the first fragment"},
};

/* What is not EAP-TLS ends it at once; a reason is there, and nothing is sent. */
static void refuses_bad_fragments_with_a_reason(void **state)
{
	unsigned asked;

	begin_scene(&good, TLS1_3_VERSION, &asked);
	for (size_t i = 0; i < 2 * COUNT(bad); i++) {
		const struct bad *b = &bad[i / 2];
		bool to_server = i % 2;
		struct eap_reply reply = up_to(&p, to_server ? 3 : 4);
		uint8_t id = (uint8_t)(reply.packet[1] + !to_server);
		char why[EAP_WHY];
		enum eap_verdict v = give(to_server, id, b->packets[0].bytes, b->packets[0].len, &reply, why);

		if (b->packets[1].len) {
			if (v != EAP_CONTINUE || reply.len != 6)
				fail_msg("%s: the first fragment: %d \"%s\"", b->name, v, why);
			v = give(to_server, (uint8_t)(id + 1), b->packets[1].bytes, b->packets[1].len, &reply,
				why);
		}
		if (v != EAP_REFUSED || strncmp(why, b->why, strlen(b->why)) != 0 || reply.len)
			fail_msg("%s to the %s: %d \"%s\"", b->name, to_server ? "server" : "peer", v, why);
	}
	end_scene();
}

/* Without a length, too, and in few large fragments. */
static void refuses_more_than_64_kib(void **state)
{
	static uint8_t fragment[4097] = {0x40};
	unsigned asked;
	struct eap_reply reply;
	char why[EAP_WHY];
	uint8_t id;

	begin_scene(&good, TLS1_3_VERSION, &asked);
	reply = up_to(&p, 3);
	id = reply.packet[1];
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(give(true, id++, fragment, sizeof(fragment), &reply, why), EAP_CONTINUE);
	assert_int_equal(give(true, id, fragment, 2, &reply, why), EAP_REFUSED);
	assert_string_equal(why, "EAP-TLS: more than 64 KiB");
	end_scene();
}

/* What is EAP-TLS but no TLS is answered by an alert; then the other end's answer ends it. */
static void what_is_no_tls_gets_an_alert(void **state)
{
	static const uint8_t garbage[] = {0, 22, 3, 3, 0, 4, 99, 0, 0, 0};
	unsigned asked;
	struct eap_reply reply;
	char why[EAP_WHY];
	uint8_t id;

	begin_scene(&good, TLS1_3_VERSION, &asked);
	reply = up_to(&p, 3);
	id = reply.packet[1];
	assert_int_equal(give(true, id, garbage, sizeof(garbage), &reply, why), EAP_CONTINUE);
	assert_int_equal(reply.packet[6], 21); /* alert */
	assert_int_equal(give(true, (uint8_t)(id + 1), garbage, 1, &reply, why), EAP_REFUSED);
	assert_memory_equal(why, "TLS: ", 5);

	reply = up_to(&p, 4);
	id = reply.packet[1];
	assert_int_equal(give(false, (uint8_t)(id + 1), garbage, sizeof(garbage), &reply, why), EAP_CONTINUE);
	assert_int_equal(reply.packet[6], 21);
	/* Neither Success nor another request helps it now. */
	assert_int_equal(
		eap_peer_input(p.peer, (uint8_t[]){EAP_SUCCESS, (uint8_t)(id + 1), 0, 4}, 4, &reply, why),
		EAP_REFUSED);
	assert_memory_equal(why, "TLS: ", 5);

	reply = up_to(&p, 4);
	give(false, (uint8_t)(id + 1), garbage, sizeof(garbage), &reply, why);
	assert_int_equal(give(false, (uint8_t)(id + 2), garbage, 1, &reply, why), EAP_REFUSED);
	end_scene();
}

/* A TLS message that ends in the middle: the server has nothing to say, so it is over. */
static void half_a_message_is_the_end_of_it(void **state)
{
	static const uint8_t half[] = {0, 22, 3, 1, 0, 100, 1, 0, 0};
	unsigned asked;
	struct eap_reply reply;
	char why[EAP_WHY];

	begin_scene(&good, TLS1_2_VERSION, &asked);
	reply = up_to(&p, 3);
	assert_int_equal(give(true, reply.packet[1], half, sizeof(half), &reply, why), EAP_REFUSED);
	assert_string_equal(why, "EAP-TLS: the peer sends nothing where a message is due");
	end_scene();
}

static void data_between_our_fragments_is_refused(void **state)
{
	static const struct scene scene = {"huge", S_HUGE, C_HUGE, T_CA, T_CA, "", "x"};
	unsigned asked;
	struct eap_reply reply;
	char why[EAP_WHY];

	begin_scene(&scene, TLS1_3_VERSION, &asked);
	reply = up_to(&p, 5); /* the first fragment of the ServerHello and what follows it */
	assert_int_equal(reply.packet[5], 0xc0);
	assert_int_equal(give(true, reply.packet[1], (uint8_t[]){0, 22}, 2, &reply, why), EAP_REFUSED);
	assert_string_equal(why, "EAP-TLS: data instead of an acknowledgement");
	end_scene();
}

/* RFC 9190 section 2.5: without the protected octet TLS 1.3 is not over, whatever Success says; with it Failure is too late. */
static void tls_1_3_ends_with_the_servers_commitment(void **state)
{
	unsigned asked, last;
	struct eap_reply reply;
	char why[EAP_WHY];
	uint8_t id;

	begin_scene(&good, TLS1_3_VERSION, &asked);
	pair_run(&p);
	last = p.count; /* ..., Finished of the peer, 00, acknowledgement, Success */
	reply = up_to(&p, last - 3);
	id = reply.packet[1];
	assert_int_equal(
		eap_peer_input(p.peer, (uint8_t[]){EAP_SUCCESS, id, 0, 4}, 4, &reply, why), EAP_CONTINUE);
	assert_int_equal(reply.len, 0);
	assert_string_equal(why, "Success before the end of a method");

	reply = up_to(&p, last - 1);
	id = reply.packet[1];
	assert_int_equal(
		eap_peer_input(p.peer, (uint8_t[]){EAP_FAILURE, id, 0, 4}, 4, &reply, why), EAP_CONTINUE);
	assert_string_equal(why, "Failure after the server has said itself that it is content");
	assert_int_equal(eap_peer_input(p.peer, (uint8_t[]){EAP_SUCCESS, id, 0, 4}, 4, &reply, why), EAP_OK);
	end_scene();
}

/* The server plays by hand: something else than one octet 0 in the protected application data. */
static void other_application_data_is_no_commitment(void **state)
{
	static const char *const other[] = {"\1", "00"};
	unsigned asked, last;
	struct eap_reply reply;
	char why[EAP_WHY];

	begin_scene(&good, TLS1_3_VERSION, &asked);
	pair_run(&p);
	last = p.count;
	for (size_t i = 0; i < COUNT(other); i++) {
		struct eap_exchange *x = eap_exchange_new(p.server_config.tls, "alice", NULL, NULL);
		struct eap_reply packet = {0};
		uint8_t record[64] = {0};
		const struct eap_reply *hello;
		struct reader data;
		uint8_t flight[EAP_PACKET_MAX];
		int n;

		/* The handshake with an SSL object of our own behind the server's Start. */
		reply = up_to(&p, 4);
		hello = &p.packets[3];
		BIO_write(SSL_get_rbio(x->ssl), hello->packet + 6, (int)hello->len - 6);
		assert_int_equal(SSL_do_handshake(x->ssl), -1);
		n = BIO_read(SSL_get_wbio(x->ssl), flight + 1, sizeof(flight) - 1);
		flight[0] = 0;
		assert_true(n > 0);
		assert_int_equal(
			give(false, (uint8_t)(reply.packet[1] + 1), flight, (size_t)n + 1, &packet, why),
			EAP_CONTINUE);
		data = reader_of(packet.packet + 6, packet.len - 6);
		BIO_write(SSL_get_rbio(x->ssl), data.pos, (int)reader_left(&data));
		assert_int_equal(SSL_do_handshake(x->ssl), 1);
		assert_int_equal(SSL_write(x->ssl, other[i], (int)strlen(other[i])), strlen(other[i]));
		n = BIO_read(SSL_get_wbio(x->ssl), record + 1, sizeof(record) - 1);
		assert_int_equal(
			give(false, (uint8_t)(reply.packet[1] + 2), record, (size_t)n + 1, &packet, why),
			EAP_CONTINUE);
		assert_int_equal(
			give(false, (uint8_t)(reply.packet[1] + 3), record, 1, &packet, why), EAP_REFUSED);
		assert_string_equal(why, "TLS: application data that EAP-TLS does not have");
		eap_exchange_free(x);
	}
	assert_true(last > 6);
	end_scene();
}

/* TLS 1.1 and older are not spoken. */
static void old_versions_are_refused(void **state)
{
	unsigned asked;

	begin_scene(&good, TLS1_3_VERSION, &asked);
	SSL_CTX_set_min_proto_version(p.peer_config.tls->ctx, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(p.peer_config.tls->ctx, TLS1_1_VERSION);
	SSL_CTX_set_security_level(p.peer_config.tls->ctx, 0);
	SSL_CTX_set_cipher_list(p.peer_config.tls->ctx, "ALL:@SECLEVEL=0");
	pair_run(&p);
	assert_int_equal(p.server_verdict, EAP_REFUSED);
	assert_string_equal(p.server_why, "TLS: unsupported protocol");
	assert_string_equal(p.peer_why, "TLS: the server says: protocol version");
	end_scene();
}

/* A server that only knows MD5 does not get a response from who has only certificates, and the other way round. */
static void the_ends_agree_on_a_method_or_do_not(void **state)
{
	unsigned asked;

	begin_scene(&good, TLS1_3_VERSION, &asked);
	memcpy(p.server_config.methods, (uint8_t[]){EAP_MD5, EAP_TLS, 0, 0}, 4);
	pair_run(&p);
	assert_int_equal(p.server_verdict, EAP_OK);
	assert_int_equal(eap_server_method(p.server), EAP_TLS);
	assert_int_equal(p.secrets, 0);

	memcpy(p.server_config.methods, (uint8_t[]){EAP_MD5, 0, 0, 0}, 4);
	pair_run(&p);
	assert_int_equal(p.server_verdict, EAP_REFUSED);
	assert_string_equal(p.server_why,
		"the peer does not do EAP method MD5-Challenge, but wants TLS (13), which we do not");
	assert_string_equal(p.peer_why, "the server refuses us before a method was agreed on");

	memcpy(p.server_config.methods, (uint8_t[]){EAP_TLS, EAP_MD5, 0, 0}, 4);
	p.peer_config.secret = p.secret = "secret-of-alice";
	p.peer_config.secret_len = strlen(p.secret);
	eap_tls_free(p.peer_config.tls);
	p.peer_config.tls = NULL;
	pair_run(&p);
	assert_int_equal(p.server_verdict, EAP_OK);
	assert_int_equal(p.peer_verdict, EAP_OK);
	assert_int_equal(eap_server_method(p.server), EAP_MD5);
	end_scene();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ends_prove_who_they_are),
		cmocka_unit_test(an_anonymous_identity_is_replaced_by_the_certificates),
		cmocka_unit_test(the_peer_goes_on_with_no_other_server),
		cmocka_unit_test(the_server_lets_nobody_else_in),
		cmocka_unit_test(the_exchange_goes_as_the_rfcs_say),
		cmocka_unit_test(long_messages_go_in_fragments),
		cmocka_unit_test(refuses_bad_fragments_with_a_reason),
		cmocka_unit_test(refuses_more_than_64_kib),
		cmocka_unit_test(what_is_no_tls_gets_an_alert),
		cmocka_unit_test(half_a_message_is_the_end_of_it),
		cmocka_unit_test(data_between_our_fragments_is_refused),
		cmocka_unit_test(tls_1_3_ends_with_the_servers_commitment),
		cmocka_unit_test(other_application_data_is_no_commitment),
		cmocka_unit_test(old_versions_are_refused),
		cmocka_unit_test(the_ends_agree_on_a_method_or_do_not),
	};

	return cmocka_run_group_tests(tests, make_world, end_world);
}
