/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proving who we are: the configured secrets and certificates, and what PPP asks of us.
 *
 * We give what `auth` names and what there are credentials for: CHAP, MS-CHAPv2 and PAP need the password, EAP the password or a certificate. An
 * initiator without a user proves nothing (HS-PPP-14): it refuses to authenticate, and whether that will do is the concentrator's to say.
 * Files are read once, at the start. EAP exchanges belong to the attempt; a new Identity request begins a new one (RFC 3748 section 2.1).
 */
#include "initiator/role.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aaa/secret.h"
#include "lib/reader.h"

enum auth_file {
	FILE_PASSWORD,
	FILE_SERVER_PASSWORD,
	FILE_TUNNEL_SECRET,
	FILE_CERTIFICATE,
	FILE_KEY,
	FILE_CA,
	FILES
};
enum { PEM_MAX = 256 * 1024, EAP_HEADER = 4 };

static struct attempt *attempt_of(struct softwire *s)
{
	return container_of(container_of(s, struct softwire_si, softwire), struct attempt, engine);
}

/* ---- what we are willing to do ---- */

void initiator_auth_config(struct initiator *i)
{
	struct ppp_config *ppp = &i->softwire.ppp;
	const struct initiator_config *config = &i->config;
	uint8_t needs_password = 1 << PPP_METHOD_CHAP_MD5 | 1 << PPP_METHOD_MSCHAPV2 | 1 << PPP_METHOD_PAP;

	ppp->name = config->user;
	ppp->demand_auth = *config->server_password_path != '\0';
	ppp->insist_auth = config->insist_auth;
	ppp->give = config->auth;
	if (!*config->password_path)
		ppp->give &= (uint8_t)~needs_password;
	if (!*config->eap_certificate_path && !(config->eap_md5 && *config->password_path))
		ppp->give &= (uint8_t) ~(1 << PPP_METHOD_EAP);
	ppp->give_auth = *config->user && ppp->give;
}

/* ---- files ---- */

static const char *path_of(const struct initiator *i, unsigned file)
{
	const char *const paths[FILES] = {i->config.password_path, i->config.server_password_path,
		i->config.tunnel_secret_path, i->config.eap_certificate_path, i->config.eap_key_path,
		i->config.eap_ca_path};

	return file < FILES ? paths[file] : "";
}

/* Anybody may read certificates. */
static int read_public(int fd, char **ret, char why[128])
{
	struct stat st;
	char *text;
	ssize_t n;

	if (fstat(fd, &st) || st.st_size < 0 || st.st_size > PEM_MAX) {
		snprintf(why, 128, "has more than %d bytes, or cannot be read", PEM_MAX);
		return -EINVAL;
	}
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	n = pread(fd, text, (size_t)st.st_size, 0);
	if (n < 0) {
		free(text);
		return -errno;
	}
	text[n] = '\0';
	*ret = text;
	return 0;
}

static int take_file(struct initiator *i, unsigned file, int fd, char why[128])
{
	size_t len;

	switch ((enum auth_file)file) {
	case FILE_PASSWORD:
		return aaa_read_secret(fd, (char *)i->password, &i->password_len, why);
	case FILE_SERVER_PASSWORD:
		return aaa_read_secret(fd, (char *)i->server_password, &i->server_password_len, why);
	case FILE_TUNNEL_SECRET:
		return aaa_read_secret(fd, (char *)i->tunnel_secret, &i->tunnel_secret_len, why);
	case FILE_KEY:
		return secret_file_read(fd, PEM_MAX, &i->pem[FILE_KEY - FILE_CERTIFICATE], &len, why);
	case FILE_CERTIFICATE:
	case FILE_CA:
		return read_public(fd, &i->pem[file - FILE_CERTIFICATE], why);
	case FILES:
		break;
	}
	return -EINVAL;
}

static void free_pem(struct initiator *i)
{
	for (unsigned n = 0; n < sizeof(i->pem) / sizeof(*i->pem); n++) {
		if (i->pem[n])
			explicit_bzero(i->pem[n], strlen(i->pem[n]));
		free(i->pem[n]);
		i->pem[n] = NULL;
	}
}

static void finish(struct initiator *i, int result, const char *path, const char *why)
{
	if (result)
		log_message(i->log, LEVEL_ERROR, "start-failed", "initiator %s: %s: %s", i->config.name, path,
			*why ? why : strerror(-result));
	free_pem(i);
	i->files_read(i, result);
}

static void use_files(struct initiator *i)
{
	char why[EAP_WHY] = "";

	i->eap = (struct eap_peer_config){.identity = i->config.user};
	if (i->config.eap_md5) {
		i->eap.secret = i->password;
		i->eap.secret_len = i->password_len;
	}
	if (*i->config.eap_certificate_path) {
		i->tls = eap_tls_new(false, i->pem[0], i->pem[1], i->pem[2], i->config.eap_server_name, why);
		i->eap.tls = i->tls;
	}
	if (*i->config.eap_certificate_path && !i->tls)
		finish(i, -EINVAL, i->config.eap_certificate_path, *why ? why : "cannot be used");
	else
		finish(i, 0, "", "");
}

static void file_opened(void *owner, int result, int fd);

static void read_next(struct initiator *i)
{
	while (i->file_step < FILES && !*path_of(i, i->file_step))
		i->file_step++;
	if (i->file_step < FILES)
		keeper_open_file(i->keeper, path_of(i, i->file_step), file_opened, i);
	else
		use_files(i);
}

static void file_opened(void *owner, int result, int fd)
{
	struct initiator *i = owner;
	char why[128] = "";

	if (!result)
		result = take_file(i, i->file_step, fd, why);
	if (fd >= 0)
		close(fd);
	if (result) {
		finish(i, result, path_of(i, i->file_step), why);
		return;
	}
	i->file_step++;
	read_next(i);
}

void initiator_auth_read(struct initiator *i, void (*done)(struct initiator *i, int result))
{
	i->files_read = done;
	i->file_step = 0;
	read_next(i);
}

void initiator_auth_free(struct initiator *i)
{
	explicit_bzero(i->password, sizeof(i->password));
	explicit_bzero(i->server_password, sizeof(i->server_password));
	explicit_bzero(i->tunnel_secret, sizeof(i->tunnel_secret));
	free_pem(i);
	eap_tls_free(i->tls);
	i->tls = NULL;
}

/* ---- CHAP, MS-CHAPv2, PAP ---- */

void initiator_auth_want_ppp_secret(struct softwire *s, const char *peer_name)
{
	struct initiator *i = attempt_of(s)->role;

	softwire_ppp_secret(s, i->password, i->password_len, s->now);
}

/* Mutual authentication: the concentrator proves that it knows the server password (SEC-HS-16). */
void initiator_auth_authenticate(struct softwire *s, const struct ppp_claim *claim)
{
	struct initiator *i = attempt_of(s)->role;
	bool ok = i->server_password_len && claim->protocol == PPP_CHAP && claim->algorithm == CHAP_MD5 &&
		  aaa_chap_md5_ok(claim->id, i->server_password, i->server_password_len, claim->challenge,
			  claim->challenge_len, claim->response, claim->response_len);

	softwire_verified(s, ok, ok ? "welcome" : "the concentrator did not prove its identity", s->now);
}

/* ---- EAP ---- */

/* A request's type, after code, identifier and length; 0 for what is none. */
static uint8_t request_type(const uint8_t *packet, size_t len)
{
	struct reader r = reader_of(packet, len);
	uint8_t code = reader_u8(&r), type;

	reader_skip(&r, EAP_HEADER - 1);
	type = reader_u8(&r);
	return reader_ok(&r) && code == EAP_REQUEST ? type : 0;
}

/* The exchange that PACKET belongs to. NULL: it belongs to none, or there is no memory. */
static struct eap_peer *exchange(struct attempt *a, uint8_t type)
{
	if (a->eap && (type == EAP_IDENTITY || (type && a->eap_over))) {
		eap_peer_free(a->eap);
		a->eap = NULL;
	}
	if (!a->eap) {
		a->eap = eap_peer_new(&a->role->eap);
		a->eap_over = false;
	}
	return a->eap_over ? NULL : a->eap; /* a Success or Failure that comes twice says nothing new */
}

void initiator_auth_eap(struct softwire *s, bool authenticator, const uint8_t *packet, size_t len)
{
	struct attempt *a = attempt_of(s);
	uint8_t type = request_type(packet, len);
	struct eap_peer *peer = authenticator ? NULL : exchange(a, type);
	struct eap_reply reply = {0};
	char why[EAP_WHY] = "";
	enum eap_verdict verdict;

	if (!peer)
		return;
	if (type == EAP_MD5 || type == EAP_TLS)
		a->eap_method = type;
	verdict = eap_peer_input(peer, packet, len, &reply, why);
	if (reply.len)
		softwire_eap(s, false, reply.packet, reply.len, s->now);
	if (verdict == EAP_CONTINUE) {
		if (*why) /* a packet that was ignored, or a Notification */
			log_message(a->role->log, LEVEL_DEBUG, "note", "initiator %s: EAP: %s",
				a->role->config.name, why);
		return;
	}
	a->eap_over = true;
	softwire_eap_result(s, verdict == EAP_OK, why, s->now);
}

const char *initiator_auth_name(const struct initiator *i)
{
	static const char *const names[PPP_METHODS] = {[PPP_METHOD_CHAP_MD5] = "chap",
		[PPP_METHOD_MSCHAPV2] = "ms-chap-v2",
		[PPP_METHOD_PAP] = "pap"};
	const struct attempt *a = i->current;
	uint8_t method = a && a->engine.softwire.ppp.self_ok ? a->engine.softwire.ppp.self_method : 0;

	if (method == PPP_METHOD_EAP)
		return a->eap_method == EAP_TLS ? "eap-tls" : "eap-md5";
	return method < PPP_METHODS ? names[method] : NULL;
}
