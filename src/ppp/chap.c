/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Challenge-Handshake Authentication Protocol with MD5, RFC 1994, in either direction or both.
 *
 * As the authenticator we send challenges, each with an Identifier and a value of its own, until one is
 * answered; the first well-formed response to the current one is given to ops->verify(), and while that
 * runs nothing else is asked. A repeated response to a challenge that was answered well gets Success again,
 * from the Identifier alone (section 4.1: "the same reply Code").
 *
 * As the peer we ask for the secret, answer, and repeat the answer until Success or Failure comes, because
 * either may be lost. We never answer a challenge that equals our own: whoever sends it wants us to compute
 * the response that it owes us.
 *
 * A response is a sample for guessing the secret offline, and whether one comes at all tells who has a secret.
 * With prove_last nobody gets one from us before having proven its own identity: until then the newest
 * challenge is held, and nothing is asked or sent.
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
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

static void send_challenge(struct ppp_link *l, msec now)
{
	struct ppp_auth *auth = l->auth;

	auth->out.id = l->lcp.next_id++;
	auth->out.tries++;
	auth->out.at = now + l->config->restart_ms;
	auth->out.live = true;
	rng_bytes(l->config->rng, auth->out.challenge, sizeof(auth->out.challenge));
	send_packet(l, CHAP_CHALLENGE, auth->out.id, auth->out.challenge, sizeof(auth->out.challenge),
		l->config->name);
}

static void send_response(struct ppp_link *l, msec now)
{
	struct ppp_auth *auth = l->auth;

	auth->in.tries++;
	auth->in.at = now + l->config->restart_ms;
	send_packet(l, CHAP_RESPONSE, auth->in.id, auth->in.response, CHAP_MD5_LEN, l->config->name);
}

void ppp_chap_start(struct ppp_link *l, msec now)
{
	l->auth->out.at = l->auth->in.at = MSEC_NEVER;
	if (l->config->demand_auth)
		send_challenge(l, now);
}

/* ---- we are the authenticator ---- */

static void input_response(struct ppp_link *l, uint8_t id, struct reader value, struct reader name)
{
	struct ppp_auth *auth = l->auth;

	if (l->config->demand_auth && l->peer_ok) {
		if (id == l->chap_id)
			send_packet(l, CHAP_SUCCESS, id, NULL, 0, "");
		else
			l->config->counters->bad_id++;
		return;
	}
	if (!auth || !l->config->demand_auth || l->phase != PPP_PHASE_AUTHENTICATE) {
		l->config->counters->bad_phase++;
		return;
	}
	if (id != auth->out.id) {
		l->config->counters->bad_id++;
		return;
	}
	if (reader_left(&value) != CHAP_MD5_LEN) {
		l->config->counters->bad_auth++;
		return;
	}
	if (!auth->out.live ||
		l->verify_asked) /* being verified, or the verifier still owes an earlier answer */
		return;

	auth->out.live = false;
	auth->out.at = MSEC_NEVER;
	l->verify_asked = true;
	l->config->ops->verify(l, &(struct ppp_claim){.protocol = PPP_CHAP,
					  .algorithm = CHAP_MD5,
					  .id = id,
					  .name = name.pos,
					  .name_len = reader_left(&name),
					  .challenge = auth->out.challenge,
					  .challenge_len = sizeof(auth->out.challenge),
					  .response = value.pos,
					  .response_len = CHAP_MD5_LEN});
}

static void ask_secret(struct ppp_link *l)
{
	struct ppp_auth *auth = l->auth;

	auth->in.held = false;
	auth->in.waiting = true;
	if (l->secret_asked)
		return;
	l->secret_asked = true;
	l->config->ops->want_secret(l, auth->in.name);
}

void ppp_chap_verified(struct ppp_link *l, bool ok, const char *message, msec now)
{
	struct ppp_auth *auth = l->auth;
	bool stale = l->verify_stale;

	if (!l->verify_asked)
		return;
	l->verify_asked = l->verify_stale = false;
	if (stale || !auth || l->phase != PPP_PHASE_AUTHENTICATE || l->failing)
		return;

	if (!message)
		message = "";
	if (ok) {
		l->peer_ok = true;
		l->chap_id = auth->out.id;
		send_packet(l, CHAP_SUCCESS, auth->out.id, NULL, 0, message);
		if (auth->in.held)
			ask_secret(l);
		ppp_link_auth_progress(l, now);
		return;
	}
	l->config->counters->bad_auth++;
	send_packet(l, CHAP_FAILURE, auth->out.id, NULL, 0, message);
	ppp_link_fail(l, PPP_CAUSE_AUTH_PEER, "CHAP: we refused the peer: %s",
		*message ? message : "wrong name or secret");
}

/* ---- we are the peer ---- */

static bool is_reflected(const struct ppp_link *l, struct reader value)
{
	return l->config->demand_auth && reader_left(&value) == CHAP_CHALLENGE_LEN &&
	       !CRYPTO_memcmp(value.pos, l->auth->out.challenge, CHAP_CHALLENGE_LEN);
}

static bool is_same_challenge(const struct ppp_auth *auth, uint8_t id, struct reader value)
{
	return auth->in.id == id && auth->in.challenge_len == reader_left(&value) &&
	       !memcmp(auth->in.challenge, value.pos, auth->in.challenge_len);
}

/* Before authentication is over, and at any time later (section 4.1). */
static void input_challenge(struct ppp_link *l, uint8_t id, struct reader value, struct reader name, msec now)
{
	struct ppp_auth *auth;
	size_t name_len = reader_left(&name);

	if (!l->peer_wants_auth || l->phase < PPP_PHASE_AUTHENTICATE || l->phase > PPP_PHASE_NETWORK) {
		l->config->counters->bad_phase++;
		return;
	}
	auth = ppp_link_auth(l);
	if (!auth)
		return;
	if (!reader_left(&value) || name_len > CHAP_NAME_MAX || memchr(name.pos, 0, name_len) ||
		is_reflected(l, value)) {
		l->config->counters->bad_auth++;
		return;
	}
	if (is_same_challenge(
		    auth, id, value)) { /* the response was lost, or held, or we still wait for the secret */
		if (auth->in.answered)
			send_response(l, now);
		return;
	}

	auth->in.id = id;
	auth->in.challenge_len = (uint8_t)reader_left(&value);
	memcpy(auth->in.challenge, value.pos, auth->in.challenge_len);
	memcpy(auth->in.name, name.pos, name_len);
	auth->in.name[name_len] = '\0';
	auth->in.answered = false;
	auth->in.tries = 0;
	auth->in.at = MSEC_NEVER;
	auth->in.held = l->config->prove_last && !l->peer_ok;
	if (!auth->in.held)
		ask_secret(l);
}

void ppp_chap_secret(struct ppp_link *l, const void *secret, size_t len, msec now)
{
	struct ppp_auth *auth = l->auth;

	if (!l->secret_asked)
		return;
	l->secret_asked = false;
	if (!auth || !auth->in.waiting || l->failing)
		return;
	auth->in.waiting = false;
	if (!len) {
		ppp_link_fail(l, PPP_CAUSE_AUTH_SELF, "CHAP: we have no secret for this peer");
		return;
	}
	if (!ppp_chap_md5(auth->in.id, secret, len, auth->in.challenge, auth->in.challenge_len,
		    auth->in.response)) {
		ppp_link_fail(l, PPP_CAUSE_AUTH_SELF, "CHAP: no MD5 in this system's libcrypto");
		return;
	}
	auth->in.answered = true;
	send_response(l, now);
}

static void input_result(struct ppp_link *l, const struct ppp_packet *p, msec now)
{
	struct ppp_auth *auth = l->auth;
	char text[80];

	if (!auth || !auth->in.answered) { /* also what comes again after Success */
		l->config->counters->bad_phase++;
		return;
	}
	if (p->id != auth->in.id) {
		l->config->counters->bad_id++;
		return;
	}
	if (p->code == CHAP_FAILURE) {
		ppp_printable(p->data, text, sizeof(text));
		ppp_link_fail(l, PPP_CAUSE_AUTH_SELF, "CHAP: peer says: %s", *text ? text : "(nothing)");
		return;
	}
	auth->in.at = MSEC_NEVER;
	explicit_bzero(auth->in.response, sizeof(auth->in.response));
	auth->in.answered = false;
	l->self_ok = true;
	ppp_link_auth_progress(l, now);
}

/* ---- both ---- */

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

void ppp_chap_tick(struct ppp_link *l, msec now)
{
	struct ppp_auth *auth = l->auth;

	if (!auth || l->failing)
		return;
	if (auth->out.at <= now) {
		if (auth->out.tries >= l->config->max_configure)
			ppp_link_fail(
				l, PPP_CAUSE_TIMEOUT, "CHAP: no answer to %u challenges", auth->out.tries);
		else
			send_challenge(l, now);
	}
	if (auth->in.at <= now) {
		if (auth->in.tries >= l->config->max_configure)
			ppp_link_fail(
				l, PPP_CAUSE_TIMEOUT, "CHAP: no verdict after %u responses", auth->in.tries);
		else
			send_response(l, now);
	}
}

msec ppp_chap_deadline(const struct ppp_link *l)
{
	return l->auth ? msec_min(l->auth->out.at, l->auth->in.at) : MSEC_NEVER;
}
