/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One exchange of EAP-TLS: messages in fragments around an SSL object that reads and writes memory.
 *
 * In a packet: Flags, the length of the message where L is set, data. The end that gets a fragment with M set
 * acknowledges it with a packet without data; so of the two ends only one has something to send at any time.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "eap/method.h"

enum { FLAG_LENGTH = 0x80, FLAG_MORE = 0x40, FLAG_START = 0x20 };

/* ---- the peer's certificate, at the server ---- */

/* False: it has none of this kind, or the text is not one that a user can have as a name. */
static bool take_name(const ASN1_STRING *s, char ret[EAP_NAME_MAX + 1])
{
	unsigned char *text = NULL;
	int len = s ? ASN1_STRING_to_UTF8(&text, s) : -1;
	bool ok = len > 0 && len <= EAP_NAME_MAX;

	for (int i = 0; ok && i < len; i++)
		ok = text[i] >= ' ' && text[i] != 0x7f;
	if (ok) {
		memcpy(ret, text, (size_t)len);
		ret[len] = '\0';
	}
	OPENSSL_free(text);
	return ok;
}

static const ASN1_STRING *common_name(const X509 *certificate)
{
	const X509_NAME *subject = X509_get_subject_name(certificate);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	return at < 0 ? NULL : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
}

/* RFC 5216 section 5.2: the names in subjectAltName all count; the subject does only without any. FIRST gets the first; true when WANTED is
 * among them. */
static bool find_name(const X509 *certificate, const char *wanted, char first[EAP_NAME_MAX + 1])
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	char name[EAP_NAME_MAX + 1];
	bool found = false, any = false;

	first[0] = '\0';
	for (int i = 0; !found && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *n = sk_GENERAL_NAME_value(names, i);

		if (n->type != GEN_EMAIL && n->type != GEN_DNS)
			continue;
		any = true;
		if (!take_name(n->d.ia5, name))
			continue;
		if (!first[0])
			memcpy(first, name, sizeof(name));
		found = !strcmp(name, wanted);
	}
	GENERAL_NAMES_free(names);
	if (!any && take_name(common_name(certificate), first))
		found = !strcmp(first, wanted);
	return found;
}

/* RFC 7542 section 2.4, and what is usual without a realm. */
static bool is_anonymous(const char *name)
{
	return !name[0] || name[0] == '@' || !strcmp(name, "anonymous") || !strncmp(name, "anonymous@", 10);
}

static bool is_welcome(struct eap_exchange *x, const X509 *certificate)
{
	char first[EAP_NAME_MAX + 1];
	const char *name = x->claimed;

	if (!find_name(certificate, x->claimed, first)) {
		if (!first[0])
			eap_say(x->why, "the peer's certificate has no name that could be a user's");
		else if (!is_anonymous(x->claimed))
			eap_say(x->why,
				"the peer claims to be \"%.50s\", but its certificate is for \"%.50s\"",
				x->claimed, first);
		name = first[0] && is_anonymous(x->claimed) ? first : NULL;
	}
	if (name && x->admits && !x->admits(x->owner, name)) {
		eap_say(x->why, "\"%.100s\", for whom the peer has a certificate, is an unknown user", name);
		name = NULL;
	}
	if (name)
		memcpy(x->name, name, strlen(name) + 1);
	return name;
}

/* Called for each certificate of the chain, the peer's last; a refusal becomes an alert. */
static int on_verify(int ok, X509_STORE_CTX *store)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct eap_exchange *x = SSL_get_app_data(ssl);

	if (!ok || X509_STORE_CTX_get_error_depth(store) != 0)
		return ok;
	if (is_welcome(x, X509_STORE_CTX_get_current_cert(store)))
		return 1;
	X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}

/* ---- TLS ---- */

struct eap_exchange *eap_exchange_new(const struct eap_tls *t, const char *claimed,
	bool (*admits)(void *owner, const char *name), void *owner)
{
	struct eap_exchange *x = calloc(1, sizeof(*x));
	BIO *in = NULL, *out = NULL;

	if (!x)
		return NULL;
	x->tls = t;
	x->claimed = claimed;
	x->admits = admits;
	x->owner = owner;
	x->ssl = SSL_new(t->ctx);
	in = BIO_new(BIO_s_mem());
	out = BIO_new(BIO_s_mem());
	if (!x->ssl || !in || !out) {
		BIO_free(in);
		BIO_free(out);
		eap_exchange_free(x);
		return NULL;
	}
	BIO_set_mem_eof_return(in, -1); /* more will come */
	SSL_set_bio(x->ssl, in, out);   /* its own now */
	SSL_set_app_data(x->ssl, x);
	if (t->server) {
		SSL_set_verify(x->ssl, SSL_get_verify_mode(x->ssl), on_verify);
		SSL_set_accept_state(x->ssl);
	} else {
		SSL_set_connect_state(x->ssl);
	}
	return x;
}

void eap_exchange_free(struct eap_exchange *x)
{
	if (!x)
		return;
	SSL_free(x->ssl);
	ERR_clear_error();
	free(x);
}

/* An alert of the other end, what is wrong with its certificate, or what the library says. */
static void fail(struct eap_exchange *x)
{
	const char *they = x->tls->server ? "peer" : "server";
	unsigned long error = ERR_peek_last_error();
	int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
	long verdict = SSL_get_verify_result(x->ssl);
	const char *text = ERR_reason_error_string(error);

	x->state = EXCHANGE_FAILED;
	if (x->why[0]) /* said where it was found */
		return;
	if (reason >= SSL_AD_REASON_OFFSET) {
		const char *alert = SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET);

		/* Some alerts are known as errors only: "tlsv13 alert certificate required". */
		eap_say(x->why, "TLS: the %s says: %s", they,
			text && !strcmp(alert, "unknown") ? text : alert);
	} else if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH) {
		eap_say(x->why, "TLS: the %s's certificate is not for \"%.100s\"", they, x->tls->name);
	} else if (verdict != X509_V_OK) {
		eap_say(x->why, "TLS: the %s's certificate: %s", they,
			X509_verify_cert_error_string(verdict));
	} else {
		eap_say(x->why, "TLS: %s", text ? text : "the connection is broken");
	}
}

/* Application data: there is none but the server's success indication, one octet 0 (RFC 9190 section 2.5). */
static void run_data(struct eap_exchange *x)
{
	uint8_t data[2];
	int n = SSL_read(x->ssl, data, sizeof(data)), error = SSL_get_error(x->ssl, n);

	if (n > 0 && !x->tls->server && SSL_version(x->ssl) >= TLS1_3_VERSION && n == 1 && !data[0] &&
		x->state == EXCHANGE_RUNNING) {
		x->state = EXCHANGE_DONE;
	} else if (n > 0) {
		eap_say(x->why, "TLS: application data that EAP-TLS does not have");
		x->state = EXCHANGE_FAILED;
	} else if (error == SSL_ERROR_ZERO_RETURN && x->state == EXCHANGE_RUNNING) {
		eap_say(x->why, "TLS: the connection was closed too early");
		x->state = EXCHANGE_FAILED;
	} else if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_ZERO_RETURN) {
		fail(x);
	}
}

static void run(struct eap_exchange *x)
{
	static const uint8_t success;
	int rc;

	if (x->state == EXCHANGE_FAILED)
		return;
	ERR_clear_error();
	if (SSL_is_init_finished(x->ssl)) {
		run_data(x);
	} else if ((rc = SSL_do_handshake(x->ssl)) <= 0) {
		if (SSL_get_error(x->ssl, rc) != SSL_ERROR_WANT_READ)
			fail(x);
	} else if (SSL_version(x->ssl) < TLS1_3_VERSION) {
		x->state = EXCHANGE_DONE;
	} else if (x->tls->server) {
		if (SSL_write(x->ssl, &success, 1) == 1)
			x->state = EXCHANGE_DONE;
		else
			fail(x);
	}
	ERR_clear_error();
}

void eap_exchange_start(struct eap_exchange *x)
{
	run(x);
}

/* ---- fragments ---- */

static enum eap_exchange_step bad(struct eap_exchange *x, const char *why)
{
	x->state = EXCHANGE_FAILED;
	eap_say(x->why, "EAP-TLS: %s", why);
	return STEP_BAD;
}

bool eap_exchange_due(const struct eap_exchange *x)
{
	return BIO_pending(SSL_get_wbio(x->ssl)) > 0;
}

static enum eap_exchange_step take_fragment(struct eap_exchange *x, struct reader data, bool more)
{
	size_t len = reader_left(&data);

	x->message_got += (uint32_t)len;
	x->received += len;
	if (x->received > EAP_TLS_MAX || x->message_len > EAP_TLS_MAX)
		return bad(x, "more than 64 KiB");
	if (x->message_len && x->message_got > x->message_len)
		return bad(x, "more data than the length says");
	if (!more && x->message_len && x->message_got < x->message_len)
		return bad(x, "less data than the length says");
	if (BIO_write(SSL_get_rbio(x->ssl), data.pos, (int)len) != (int)len)
		return bad(x, "out of memory");
	x->gathering = more;
	if (more)
		return STEP_SEND;

	x->message_len = x->message_got = 0;
	run(x);
	return STEP_RAN;
}

enum eap_exchange_step eap_exchange_input(struct eap_exchange *x, struct reader data)
{
	uint8_t flags = reader_u8(&data);
	uint32_t length = flags & FLAG_LENGTH ? reader_u32(&data) : 0;
	bool more = flags & FLAG_MORE;

	if (!reader_ok(&data))
		return bad(x, "truncated");
	if (flags & FLAG_START)
		return bad(x, "Start where it cannot be");
	if (eap_exchange_due(x))
		return reader_left(&data) || more ? bad(x, "data instead of an acknowledgement") : STEP_SEND;
	if (!reader_left(&data))
		return more || x->gathering ? bad(x, "a fragment without data") : STEP_EMPTY;
	if (x->gathering && length && length != x->message_len)
		return bad(x, "another length than in the first fragment");
	if (!x->gathering)
		x->message_len = length;
	return take_fragment(x, data, more);
}

/* L is for the first of several fragments, and for nothing else (RFC 9190 section 2.1.9). */
void eap_exchange_write(struct eap_exchange *x, struct writer *w)
{
	BIO *out = SSL_get_wbio(x->ssl);
	size_t due = (size_t)BIO_pending(out), n = due < EAP_FRAGMENT ? due : EAP_FRAGMENT;
	bool more = n < due, first = more && !x->fragmenting;
	uint8_t *room;

	writer_u8(w, (uint8_t)((more ? FLAG_MORE : 0) | (first ? FLAG_LENGTH : 0)));
	if (first)
		writer_u32(w, (uint32_t)due);
	room = writer_reserve(w, n);
	if (room && n)
		BIO_read(out, room, (int)n);
	x->fragmenting = more;
}
