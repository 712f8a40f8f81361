/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Challenge-Handshake Authentication Protocol, RFC 1994, with MD5 or as MS-CHAPv2 (RFC 2759), in either direction or both.
 *
 * As the authenticator we send challenges, each with an Identifier and a value of its own, until one is
 * answered; the first well-formed response to the current one is given to ops->verify(), and while that
 * runs nothing else is asked. A repeated response to a challenge that was answered well gets Success again,
 * from the Identifier alone (section 4.1: "the same reply Code").
 *
 * As the peer we ask for the secret, answer, and repeat the answer until Success or Failure comes, because
 * either may be lost. We never answer a challenge that equals our own: whoever sends it wants us to compute
 * the response that it owes us. A Success of MS-CHAPv2 has to prove that the peer knows the password, too (RFC 2759 section 5).
 *
 * A response is a sample for guessing the secret offline, and whether one comes at all tells who has a secret.
 * With prove_last nobody gets one from us before having proven its own identity: until then the newest
 * challenge is held, and nothing is asked or sent.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ppp/protocol.h"

bool ppp_chap_md5(uint8_t id, const void *secret, size_t secret_len, const uint8_t *challenge,
	size_t challenge_len, uint8_t ret[CHAP_MD5_LEN])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_md5(), NULL) && EVP_DigestUpdate(ctx, &id, 1) &&
		  EVP_DigestUpdate(ctx, secret, secret_len) &&
		  EVP_DigestUpdate(ctx, challenge, challenge_len) && EVP_DigestFinal_ex(ctx, digest, &len) &&
		  len == CHAP_MD5_LEN;

	EVP_MD_CTX_free(ctx); /* wipes its state */
	if (ok)
		memcpy(ret, digest, CHAP_MD5_LEN);
	explicit_bzero(digest, sizeof(digest));
	return ok;
}

static void send_packet(struct ppp_link *l, uint8_t code, uint8_t id, const uint8_t *value, size_t value_len,
	const char *text)
{
	uint8_t frame[PPP_FRAME_MAX];
	struct writer w = writer_of(frame, sizeof(frame));
	size_t at = ppp_packet_begin(&w, PPP_CHAP, code, id);

	if (value) {
		writer_u8(&w, (uint8_t)value_len);
		writer_bytes(&w, value, value_len);
	}
	writer_bytes(&w, text, strnlen(text, CHAP_NAME_MAX));
	ppp_packet_finish(&w, at);
	if (writer_ok(&w))
		ppp_link_send(l, frame, writer_len(&w));
}

/* ---- we are the authenticator ---- */

void ppp_chap_challenge(struct ppp_link *l, msec now)
{
	struct ppp_auth *auth = l->auth;

	auth->out.id = l->lcp.next_id++;
	auth->out.tries++;
	auth->out.at = now + l->config->restart_ms;
	auth->out.live = true;
	auth->out.challenge_len =
		l->peer_method == PPP_METHOD_MSCHAPV2 ? MSCHAP_CHALLENGE : CHAP_CHALLENGE_LEN;
	rng_bytes(l->config->rng, auth->out.challenge, auth->out.challenge_len);
	send_packet(l, CHAP_CHALLENGE, auth->out.id, auth->out.challenge, auth->out.challenge_len,
		l->config->name);
}

/* The message matters with MS-CHAPv2: without it the same reply would be none. */
static void repeat_success(struct ppp_link *l, uint8_t id)
{
	bool ms = l->peer_method == PPP_METHOD_MSCHAPV2;

	if (id != l->proven_id)
		l->config->counters->bad_id++;
	else if (ms && !l->auth)
		l->config->counters->bad_phase++;
	else
		send_packet(l, CHAP_SUCCESS, id, NULL, 0, ms ? l->auth->out.message : "");
}

static void input_response(struct ppp_link *l, uint8_t id, struct reader value, struct reader name)
{
	struct ppp_auth *auth = l->auth;
	bool ms = l->peer_method == PPP_METHOD_MSCHAPV2;

	if (ppp_auth_peer_by(l, PPP_CHAP) && l->peer_ok) {
		repeat_success(l, id);
		return;
	}
	if (!auth || !ppp_auth_peer_by(l, PPP_CHAP) || l->phase != PPP_PHASE_AUTHENTICATE) {
		l->config->counters->bad_phase++;
		return;
	}
	if (id != auth->out.id) {
		l->config->counters->bad_id++;
		return;
	}
	if (reader_left(&value) != (ms ? CHAP_MSCHAPV2_LEN : CHAP_MD5_LEN)) {
		l->config->counters->bad_auth++;
		return;
	}
	if (!auth->out.live ||
		l->verify_asked) /* being verified, or the verifier still owes an earlier answer */
		return;

	ppp_auth_verify(l, &(struct ppp_claim){.protocol = PPP_CHAP,
				   .algorithm = ms ? CHAP_MSCHAPV2 : CHAP_MD5,
				   .id = id,
				   .name = name.pos,
				   .name_len = reader_left(&name),
				   .challenge = auth->out.challenge,
				   .challenge_len = auth->out.challenge_len,
				   .response = value.pos,
				   .response_len = reader_left(&value)});
}

void ppp_chap_verdict(struct ppp_link *l, bool ok, const char *message)
{
	if (ok)
		snprintf(l->auth->out.message, sizeof(l->auth->out.message), "%s", message);
	send_packet(l, ok ? CHAP_SUCCESS : CHAP_FAILURE, l->auth->out.id, NULL, 0, message);
}

/* ---- we are the peer ---- */

static bool is_reflected(const struct ppp_link *l, struct reader value)
{
	size_t len = l->auth->out.challenge_len;

	return ppp_auth_peer_by(l, PPP_CHAP) && reader_left(&value) == len &&
	       !CRYPTO_memcmp(value.pos, l->auth->out.challenge, len);
}

static bool is_same_challenge(const struct ppp_auth *auth, uint8_t id, struct reader value)
{
	return auth->in.id == id && auth->in.value_len == reader_left(&value) &&
	       !memcmp(auth->in.value, value.pos, auth->in.value_len);
}

static bool is_well_formed(const struct ppp_link *l, struct reader value, struct reader name)
{
	size_t len = reader_left(&value), name_len = reader_left(&name);

	return len && (l->self_method != PPP_METHOD_MSCHAPV2 || len == MSCHAP_CHALLENGE) &&
	       name_len <= CHAP_NAME_MAX && !memchr(name.pos, 0, name_len);
}

/* Before authentication is over, and at any time later (section 4.1). */
static void input_challenge(struct ppp_link *l, uint8_t id, struct reader value, struct reader name, msec now)
{
	struct ppp_auth *auth;
	size_t name_len = reader_left(&name);

	if (!ppp_auth_self_by(l, PPP_CHAP) || l->phase < PPP_PHASE_AUTHENTICATE ||
		l->phase > PPP_PHASE_NETWORK) {
		l->config->counters->bad_phase++;
		return;
	}
	auth = ppp_link_auth(l);
	if (!auth)
		return;
	if (!is_well_formed(l, value, name) || is_reflected(l, value)) {
		l->config->counters->bad_auth++;
		return;
	}
	if (is_same_challenge(
		    auth, id, value)) { /* the response was lost, or held, or we still wait for the secret */
		if (auth->in.answered)
			ppp_chap_response(l, now);
		return;
	}

	auth->in.id = id;
	auth->in.value_len = (uint8_t)reader_left(&value);
	memcpy(auth->in.value, value.pos, auth->in.value_len);
	memcpy(auth->in.name, name.pos, name_len);
	auth->in.name[name_len] = '\0';
	auth->in.answered = false;
	auth->in.tries = 0;
	auth->in.at = MSEC_NEVER;
	auth->in.held = l->config->prove_last && !l->peer_ok;
	if (!auth->in.held)
		ppp_auth_ask_secret(l);
}

void ppp_chap_response(struct ppp_link *l, msec now)
{
	struct ppp_auth *auth = l->auth;

	auth->in.tries++;
	auth->in.at = now + l->config->restart_ms;
	send_packet(l, CHAP_RESPONSE, auth->in.id, auth->in.response, auth->in.response_len, l->config->name);
}

static bool compute_md5(struct ppp_link *l, const void *secret, size_t len)
{
	struct ppp_auth *auth = l->auth;

	auth->in.response_len = CHAP_MD5_LEN;
	return ppp_chap_md5(auth->in.id, secret, len, auth->in.value, auth->in.value_len, auth->in.response);
}

/* RFC 2759 section 4: our challenge, 8 zeros, NT-Response, flags of zero. */
static bool compute_mschapv2(struct ppp_link *l, const void *secret, size_t len)
{
	struct ppp_auth *auth = l->auth;
	uint8_t challenge[MSCHAP_CHALLENGE], response[MSCHAP_NT_RESPONSE];
	struct writer w = writer_of(auth->in.response, sizeof(auth->in.response));
	const char *name = l->config->name;
	size_t name_len = strnlen(name, CHAP_NAME_MAX);

	rng_bytes(l->config->rng, challenge, sizeof(challenge));
	if (!mschap_v2_response(auth->in.value, challenge, name, name_len, secret, len, response) ||
		!mschap_v2_success(
			auth->in.value, challenge, name, name_len, secret, len, response, auth->in.success))
		return false;
	writer_bytes(&w, challenge, sizeof(challenge));
	writer_zeros(&w, 8);
	writer_bytes(&w, response, sizeof(response));
	writer_u8(&w, 0);
	auth->in.response_len = (uint8_t)writer_len(&w);
	return true;
}

void ppp_chap_secret(struct ppp_link *l, const void *secret, size_t len, msec now)
{
	bool ms = l->self_method == PPP_METHOD_MSCHAPV2;

	if (ms ? !compute_mschapv2(l, secret, len) : !compute_md5(l, secret, len)) {
		ppp_link_fail(l, PPP_CAUSE_AUTH_SELF, "%s: %s", ppp_auth_name(l->self_method),
			!ms                  ? "no MD5 in this system's libcrypto"
			: mschap_available() ? "our password is too long"
					     : "no MD4 and DES in this system's libcrypto");
		return;
	}
	l->auth->in.answered = true;
	ppp_chap_response(l, now);
}

/* ---- Success and Failure ---- */

/* RFC 2759 section 6. */
const char *ppp_chap_failure_print(struct reader text, char *buf, size_t size)
{
	static const struct {
		unsigned long code;
		const char *words;
	} codes[] = {
		{646, "not at this time of the day"},
		{647, "the account is disabled"},
		{648, "the password has expired"},
		{649, "no permission to dial in"},
		{691, "wrong user name or password"},
		{709, "the password could not be changed"},
	};
	char copy[CHAP_NAME_MAX + 1], *end;
	const char *words = "refused", *message;
	unsigned long code;

	ppp_printable(text, copy, sizeof(copy));
	if (strncmp(copy, "E=", 2) != 0 || copy[2] < '0' || copy[2] > '9') {
		snprintf(buf, size, "%s", *copy ? copy : "(nothing)");
		return buf;
	}
	code = strtoul(copy + 2, &end, 10);
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].code == code)
			words = codes[i].words;
	}
	message = strstr(end, " M=");
	snprintf(buf, size, "%s (error %lu)%s%s", words, code, message ? ": " : "",
		message ? message + 3 : "");
	return buf;
}

static bool is_proof(const struct ppp_auth *auth, struct reader text)
{
	return reader_left(&text) >= MSCHAP_SUCCESS &&
	       !CRYPTO_memcmp(text.pos, auth->in.success, MSCHAP_SUCCESS);
}

static void input_result(struct ppp_link *l, const struct ppp_packet *p, msec now)
{
	struct ppp_auth *auth = l->auth;
	char text[100];

	if (!auth || !auth->in.answered ||
		!ppp_auth_self_by(l, PPP_CHAP)) { /* also what comes again after Success */
		l->config->counters->bad_phase++;
		return;
	}
	if (p->id != auth->in.id) {
		l->config->counters->bad_id++;
		return;
	}
	if (p->code == CHAP_FAILURE) {
		ppp_link_fail(l, PPP_CAUSE_AUTH_SELF, "%s: peer says: %s", ppp_auth_name(l->self_method),
			ppp_chap_failure_print(p->data, text, sizeof(text)));
		return;
	}
	if (l->self_method == PPP_METHOD_MSCHAPV2 && !is_proof(auth, p->data)) {
		l->config->counters->bad_auth++;
		ppp_link_fail(l, PPP_CAUSE_AUTH_PEER,
			"MS-CHAPv2: the peer did not prove that it knows the password");
		return;
	}
	auth->in.answered = false;
	ppp_auth_accepted(l, now);
}

void ppp_chap_input(struct ppp_link *l, struct reader packet, msec now)
{
	struct ppp_packet p;
	struct reader value;
	uint8_t value_len;

	ppp_packet_read(&packet, &p);
	if (!reader_ok(&packet)) {
		l->config->counters->bad_frame++;
		return;
	}
	if (p.code == CHAP_SUCCESS || p.code == CHAP_FAILURE) {
		input_result(l, &p, now);
		return;
	}
	if (p.code != CHAP_CHALLENGE && p.code != CHAP_RESPONSE) {
		l->config->counters->bad_code++;
		return;
	}
	value_len = reader_u8(&p.data);
	value = reader_sub(&p.data, value_len);
	if (!reader_ok(&p.data)) {
		l->config->counters->bad_auth++;
		return;
	}
	if (p.code == CHAP_CHALLENGE)
		input_challenge(l, p.id, value, p.data, now);
	else
		input_response(l, p.id, value, p.data);
}
