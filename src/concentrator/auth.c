/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose softwire it is.
 *
 * Order: tunnel secret (by the peer's address), then CHAP, MS-CHAPv2, PAP or EAP against the users; or nothing, where the operator
 * serves those, too, who refuse to say who they are, or asks nobody. Such a softwire gets a name of its own, which no user can have.
 * What is authenticated stays so: LCP may be negotiated again, but another user, or none, is refused (SEC-HS-21).
 * Answers of aaa/ come later; a softwire that is gone meanwhile has cancelled them.
 */
#include "concentrator/role.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eap/eap.h"

static const char refusal_text[] = "wrong user name or password";

/* ---- tunnel authentication ---- */

static void tunnel_secret_answer(void *owner, const void *secret, size_t len)
{
	struct subscriber *sub = owner;

	softwire_tunnel_secret(&sub->engine.softwire, secret, len, subscriber_now(sub));
}

void subscriber_want_tunnel_secret(struct softwire *s, const char *host_name)
{
	struct subscriber *sub = subscriber_of(s);

	aaa_tunnel_secret(sub->role->aaa, &sub->row->peer.addr, host_name, tunnel_secret_answer, sub);
}

/* ---- verdicts ---- */

const char *auth_method_name(enum auth_method method)
{
	static const char *const names[] = {
		[AUTH_NONE] = NULL,
		[AUTH_CHAP] = "chap",
		[AUTH_MSCHAPV2] = "ms-chap-v2",
		[AUTH_PAP] = "pap",
		[AUTH_EAP] = "eap",
		[AUTH_EAP_TLS] = "eap-tls",
		[AUTH_EAP_MD5] = "eap-md5",
	};

	return method < sizeof(names) / sizeof(*names) ? names[method] : NULL;
}

/* NAME is what somebody claims to be called. */
static void note_claim(struct subscriber *sub, const void *name, size_t len)
{
	struct setup *setup = subscriber_setup(sub);
	struct log_line l;

	if (setup) {
		free(setup->claimed);
		setup->claimed = strndup(name, len);
	}
	subscriber_trace_claimed(sub, name, len);
	if (subscriber_log_limited(sub, &l, LEVEL_DEBUG, "auth-claim")) {
		log_textn(&l, "claims", name, len);
		log_text(&l, "method", auth_method_name(sub->method));
		log_end(&l);
	}
}

static void forget_claim(struct subscriber *sub)
{
	if (!sub->setup)
		return;
	free(sub->setup->claimed);
	sub->setup->claimed = NULL;
}

static void log_auth(struct subscriber *sub, bool ok, const char *why)
{
	struct log_line l;

	if (ok ? !subscriber_log(sub, &l, LEVEL_INFO, "auth-ok")
	       : !subscriber_log_limited(sub, &l, LEVEL_WARN, "auth-failed"))
		return;
	if (!sub->user && sub->setup && sub->setup->claimed)
		log_text(&l, "user", sub->setup->claimed);
	log_text(&l, "method", auth_method_name(sub->method));
	if (!ok)
		log_text(&l, "reason", why);
	log_end(&l);
}

/* NAME and REQUEST are the softwire's now. False: no memory. */
static bool take_name(struct subscriber *sub, const char *name, const char *pool)
{
	struct lease_request *r = calloc(1, sizeof(*r));
	struct setup *setup = subscriber_setup(sub);
	char *copy = sub->user ? sub->user : strdup(name);

	if (!r || !copy || !setup) {
		free(r);
		if (copy != sub->user)
			free(copy);
		return false;
	}
	snprintf(r->user, sizeof(r->user), "%s", name);
	snprintf(r->pool, sizeof(r->pool), "%s", *pool ? pool : "default");
	setup->request = r;
	sub->user = copy;
	return true;
}

/* Takes over what the user is entitled to. False: no memory. */
static bool take_user(struct subscriber *sub, const struct aaa_user *user)
{
	struct lease_request *r;

	if (!take_name(sub, user->name, user->pool))
		return false;
	r = sub->setup->request;
	r->fixed_count = user->delegate_count;
	memcpy(r->fixed, user->delegate, sizeof(user->delegate));
	r->fixed_link = user->link;
	r->fixed4 = user->address4;
	r->fixed_subnet_count = user->subnet_count;
	memcpy(r->fixed_subnets, user->subnets, sizeof(user->subnets));
	sub->engine.softwire.ppp.assign_iid = user->iid;
	sub->setup->softwires = user->softwires;
	sub->setup->at_limit = (uint8_t)user->at_limit;
	sub->setup->no_ipv6 = user->no_ipv6;
	return true;
}

/* Why a user that aaa/ believes is refused all the same, or NULL. */
static const char *objection(struct subscriber *sub, const struct aaa_user *user)
{
	if (sub->user)
		return strcmp(sub->user, user->name) == 0 ? NULL
							  : "another user than before on the same softwire";
	return take_user(sub, user) ? NULL : "out of memory";
}

static void verdict(struct subscriber *sub, const char *why, const char *message)
{
	if (why)
		sub->role->role_counters.auth_failed++;
	else
		sub->role->role_counters.auth_ok++;
	log_auth(sub, !why, why);
	forget_claim(sub);
	/* The peer is not told which of name and password was wrong. */
	softwire_verified(&sub->engine.softwire, !why, message, subscriber_now(sub));
}

/* Our own refusal, as the method wants it: RFC 2759 section 6 for MS-CHAPv2, without another try. */
static const char *refusal(struct subscriber *sub, char buf[128])
{
	char hex[33];

	if (sub->method != AUTH_MSCHAPV2)
		return refusal_text;
	for (unsigned i = 0; i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02X", rng_below(sub->role->rng, 256));
	snprintf(buf, 128, "E=691 R=0 C=%s V=3 M=%s", hex, refusal_text);
	return buf;
}

/* ---- CHAP, MS-CHAPv2, PAP ---- */

static void verified(void *owner, bool ok, const struct aaa_user *user, const char *why, const char *message)
{
	struct subscriber *sub = owner;
	const char *no = ok ? objection(sub, user) : why;
	char buf[128];

	verdict(sub, no, ok && no ? refusal(sub, buf) : message);
}

static enum auth_method claim_method(const struct ppp_claim *claim)
{
	if (claim->protocol == PPP_PAP)
		return AUTH_PAP;
	return claim->algorithm == CHAP_MSCHAPV2 ? AUTH_MSCHAPV2 : AUTH_CHAP;
}

void subscriber_authenticate(struct softwire *s, const struct ppp_claim *claim)
{
	struct subscriber *sub = subscriber_of(s);
	struct aaa_claim c = {
		.protocol = claim->protocol,
		.name = claim->name,
		.name_len = claim->name_len,
		.id = claim->id,
		.algorithm = claim->algorithm,
		.challenge = claim->challenge,
		.challenge_len = claim->challenge_len,
		.response = claim->response,
		.response_len = claim->response_len,
	};

	sub->method = claim_method(claim);
	note_claim(sub, claim->name, claim->name_len);
	aaa_verify(sub->role->aaa, &c, verified, sub);
}

/* ---- EAP ---- */

static enum auth_method eap_method(const struct aaa_eap *e)
{
	uint8_t type = aaa_eap_method(e);

	return type == EAP_TLS ? AUTH_EAP_TLS : type == EAP_MD5 ? AUTH_EAP_MD5 : AUTH_EAP;
}

static void eap_answer(
	void *owner, const uint8_t *packet, size_t len, bool ok, const struct aaa_user *user, const char *why)
{
	struct subscriber *sub = owner;
	struct aaa_eap *e = sub->setup->eap;
	const char *name = aaa_eap_name(e);

	sub->method = eap_method(e);
	if (*name && !sub->setup->claimed)
		note_claim(sub, name, strlen(name));
	if (packet) {
		softwire_eap(&sub->engine.softwire, true, packet, len, subscriber_now(sub));
		return;
	}
	sub->setup->eap = NULL;
	if (ok) /* a certificate may name another than was claimed */
		subscriber_trace_claimed(sub, user->name, strlen(user->name));
	verdict(sub, ok ? objection(sub, user) : why, ok ? "welcome" : refusal_text);
	aaa_eap_free(e);
}

/* A new exchange; NULL when that is not possible. */
static struct aaa_eap *eap_begin(struct subscriber *sub)
{
	struct setup *setup = subscriber_setup(sub);

	forget_claim(sub);
	subscriber_eap_end(sub);
	sub->method = AUTH_EAP;
	if (setup)
		setup->eap = aaa_eap_new(sub->role->aaa);
	return setup ? setup->eap : NULL;
}

void subscriber_eap(struct softwire *s, bool authenticator, const uint8_t *packet, size_t len)
{
	struct subscriber *sub = subscriber_of(s);
	struct aaa_eap *e;

	if (!authenticator) /* we never agree to prove ourselves by EAP */
		return;
	e = !packet ? eap_begin(sub) : sub->setup ? sub->setup->eap : NULL;
	if (e)
		aaa_eap_input(e, packet, len, eap_answer, sub);
	else
		verdict(sub, "EAP is not possible now", refusal_text);
}

void subscriber_eap_end(struct subscriber *sub)
{
	if (!sub->setup)
		return;
	aaa_eap_free(sub->setup->eap);
	sub->setup->eap = NULL;
}

/* ---- nobody ---- */

bool subscriber_take_anonymous(struct subscriber *sub, const char **ret_why)
{
	struct concentrator *c = sub->role;
	char name[32];
	struct log_line l;

	if (!c->config.anonymous_pool[0]) {
		*ret_why = "the user is not known";
		return false;
	}
	if (c->anonymous_count >= c->config.anonymous_max) {
		c->role_counters.refused_anonymous++;
		*ret_why = "too many softwires without a user";
		return false;
	}
	snprintf(name, sizeof(name), "anonymous/%u", sub->id);
	if (!take_name(sub, name, c->config.anonymous_pool)) {
		*ret_why = "out of memory";
		return false;
	}
	sub->anonymous = true;
	sub->method = AUTH_NONE;
	c->anonymous_count++;
	c->role_counters.anonymous++;
	subscriber_trace_claimed(sub, name, strlen(name));
	if (subscriber_log(sub, &l, LEVEL_INFO, "anonymous")) {
		log_text(&l, "reason",
			sub->engine.softwire.ppp.peer_anonymous ? "the peer refuses to authenticate"
								: "nobody is asked");
		log_end(&l);
	}
	return true;
}

bool subscriber_is_impostor(const struct subscriber *sub)
{
	return sub->engine.softwire.ppp.peer_anonymous && !sub->anonymous;
}

bool subscriber_entitle(struct subscriber *sub)
{
	const struct concentrator *c = sub->role;
	const struct aaa_user *user = sub->anonymous ? NULL : aaa_find_user(c->aaa, sub->user);
	uint64_t iid = sub->engine.softwire.ppp.assign_iid;

	if (sub->anonymous)
		return take_name(sub, sub->user, c->config.anonymous_pool);
	if (!user || !take_user(sub, user))
		return false;
	sub->engine.softwire.ppp.assign_iid = iid; /* what it was told counts, until it comes anew */
	return true;
}

/* ---- our own proof ---- */

static void own_secret_answer(void *owner, const void *secret, size_t len)
{
	struct subscriber *sub = owner;

	softwire_ppp_secret(&sub->engine.softwire, secret, len, subscriber_now(sub));
}

void subscriber_want_ppp_secret(struct softwire *s, const char *peer_name)
{
	struct subscriber *sub = subscriber_of(s);

	aaa_server_secret(sub->role->aaa, sub->user ? sub->user : peer_name, own_secret_answer, sub);
}
