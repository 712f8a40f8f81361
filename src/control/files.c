/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files that the configuration names: are they there, safe, and good? */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/tcp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aaa/aaa.h"
#include "control/rules.h"
#include "eap/eap.h"

enum { PEM_MAX = 1 << 20 };

static int open_named(struct problems *r, const config_setting_t *group, const char *key, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode))
		return fd;
	problem_at(r, true, rule_at(group, key), "`%s` names %s, which cannot be read: %s", key,
		quoted(path).text, fd < 0 ? strerror(errno) : "it is not a regular file");
	if (fd >= 0)
		close(fd);
	return -1;
}

static void users_error(void *owner, const char *file, unsigned line, const char *text)
{
	problem_line(owner, true, file, line, "%s", text);
}

static bool has_pool(const struct concentrator_config *con, const char *name)
{
	for (unsigned i = 0; i < con->pool_count; i++)
		if (!strcmp(con->pools[i].lease.name, name))
			return true;
	return false;
}

static bool takes_ours(const struct concentrator_config *con, const struct aaa_user *user)
{
	bool ours = con->local4.family && addr_equal(&user->address4, &con->local4);

	for (unsigned i = 0; i < user->subnet_count; i++)
		ours |= con->local4.family && prefix_contains_addr(&user->subnets[i], &con->local4);
	return ours;
}

/* Pools stand in another file than users. */
static void check_user_pools(struct problems *r, struct aaa *a, const struct concentrator_config *con)
{
	const struct aaa_user *user;
	uint32_t cursor = 0;

	while ((user = aaa_next_user(a, &cursor)))
		if (takes_ours(con, user))
			problem_line(r, true, con->users_path, 0,
				"the user `%s` has a fixed address or subnet with `local4` in it, which is "
				"our own",
				quoted(user->name).text);
		else if (user->pool[0] && !has_pool(con, user->pool))
			problem_line(r, true, con->users_path, 0,
				"the user `%s` has the pool `%s`, and the configuration has none of that "
				"name",
				quoted(user->name).text, quoted(user->pool).text);
}

static void check_users(
	struct problems *r, const config_setting_t *group, const struct concentrator_config *con)
{
	int fd = con->users_path[0] ? open_named(r, group, "users", con->users_path) : -1;
	unsigned before = r->errors;
	struct aaa *a;

	if (fd < 0)
		return;
	a = aaa_new(NULL);
	if (!a)
		problem_at(r, true, rule_at(group, "users"), "not enough memory");
	else if (aaa_load_users(a, fd, con->users_path, users_error, r) && r->errors == before)
		problem_at(r, true, rule_at(group, "users"),
			"`users` names %s, which is not a good users file", quoted(con->users_path).text);
	else if (r->errors == before && !aaa_user_count(a))
		problem_line(r, false, con->users_path, 0, "it has no users: nobody can connect");
	else if (r->errors == before)
		check_user_pools(r, a, con);
	if (a)
		aaa_free(a);
	close(fd);
}

/* At most MOST bytes: what it is used for takes no more. */
static void check_secret(
	struct problems *r, const config_setting_t *group, const char *key, const char *path, size_t most)
{
	int fd = path[0] ? open_named(r, group, key, path) : -1;
	char secret[AAA_SECRET_MAX + 1], why[128] = "";
	size_t len = 0;

	if (fd < 0)
		return;
	if (aaa_read_secret(fd, secret, &len, why))
		problem_at(r, true, rule_at(group, key), "`%s` names %s: %s", key, quoted(path).text, why);
	else if (len > most)
		problem_at(r, true, rule_at(group, key),
			"`%s` names %s: has a secret of %zu bytes, and this one can have %zu at most", key,
			quoted(path).text, len, most);
	explicit_bzero(secret, sizeof(secret));
	close(fd);
}

/* A program of the operator: what the keeper would refuse to run is told now. */
static void check_hook(struct problems *r, const config_setting_t *group, const char *key, const char *path)
{
	struct stat st;

	if (!path[0])
		return;
	if (stat(path, &st))
		problem_at(r, true, rule_at(group, key), "`%s` names %s, which is not there: %s", key,
			quoted(path).text, strerror(errno));
	else if (!S_ISREG(st.st_mode) || !(st.st_mode & 0100))
		problem_at(r, true, rule_at(group, key), "`%s` names %s, which is no program: chmod +x FILE",
			key, quoted(path).text);
	else if (st.st_uid != 0 || (st.st_mode & 0022))
		problem_at(r, true, rule_at(group, key),
			"`%s` names %s, which others than root can change, and it would run as root: chown "
			"root "
			"FILE, chmod go-w FILE",
			key, quoted(path).text);
}

static void check_hooks(
	struct problems *r, const config_setting_t *group, const char (*hooks)[4096], unsigned count)
{
	static const char *const names[] = {"up", "down", "change", "renew"};

	for (unsigned i = 0; group && i < count; i++)
		check_hook(r, group, names[i], hooks[i]);
}

/* SECRET: nobody else may read it. */
static void check_pem(
	struct problems *r, const config_setting_t *group, const char *key, const char *path, bool secret)
{
	int fd = path[0] && group ? open_named(r, group, key, path) : -1;
	struct stat st;

	if (fd < 0)
		return;
	if (secret && !fstat(fd, &st) && ((st.st_mode & 077) || (st.st_uid != 0 && st.st_uid != geteuid())))
		problem_at(r, true, rule_at(group, key),
			"`%s` names %s, which others can read or change: chown root FILE, chmod 600 FILE",
			key, quoted(path).text);
	close(fd);
}

/* The text of a file that has been looked at; NULL: it is too large, or cannot be read. To be wiped and freed. */
static char *read_pem(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = calloc(1, PEM_MAX + 1);
	ssize_t n = fd >= 0 && text ? read(fd, text, PEM_MAX) : -1;

	if (fd >= 0)
		close(fd);
	if (n > 0 && n < PEM_MAX)
		return text;
	free(text);
	return NULL;
}

/* Do certificate, key and authorities fit together? SERVER: at the concentrator. */
static void check_certificates(struct problems *r, const config_setting_t *group, bool server,
	const char *const paths[3], const char *name)
{
	char *texts[3] = {NULL}, why[EAP_WHY] = "a file cannot be read";
	struct eap_tls *tls = NULL;

	for (unsigned i = 0; i < 3; i++)
		texts[i] = read_pem(paths[i]);
	if (texts[0] && texts[1] && texts[2])
		tls = eap_tls_new(server, texts[0], texts[1], texts[2], name, why);
	if (!tls)
		problem_at(r, true, group, "`eap`: %s", why);
	eap_tls_free(tls);
	for (unsigned i = 0; i < 3; i++) {
		if (texts[i])
			explicit_bzero(texts[i], PEM_MAX);
		free(texts[i]);
	}
}

static void check_concentrator_files(
	struct problems *r, const config_setting_t *group, const struct concentrator_config *con)
{
	const config_setting_t *eap = rule_group(group, "eap");
	unsigned before = r->errors;

	if (con->users_path[0])
		check_users(r, group, con);
	check_pem(r, eap, "certificate", con->eap_certificate_path, false);
	check_pem(r, eap, "key", con->eap_key_path, true);
	check_pem(r, eap, "ca", con->eap_ca_path, false);
	if (eap && r->errors == before)
		check_certificates(r, eap, true,
			(const char *const[]){con->eap_certificate_path, con->eap_key_path, con->eap_ca_path},
			"");
	check_hooks(r, rule_group(group, "hooks"), con->hooks, HOOK_EVENTS);
}

static void check_initiator_files(
	struct problems *r, const config_setting_t *group, const struct initiator_config *in)
{
	const config_setting_t *eap = rule_group(group, "eap");
	unsigned before = r->errors;

	check_secret(r, group, "password-file", in->password_path, AAA_SECRET_MAX);
	check_secret(r, group, "server-password-file", in->server_password_path, AAA_SECRET_MAX);
	check_secret(r, group, "tunnel-secret-file", in->tunnel_secret_path, AAA_SECRET_MAX);
	check_pem(r, eap, "certificate", in->eap_certificate_path, false);
	check_pem(r, eap, "key", in->eap_key_path, true);
	check_pem(r, eap, "ca", in->eap_ca_path, false);
	if (eap && r->errors == before)
		check_certificates(r, eap, false,
			(const char *const[]){in->eap_certificate_path, in->eap_key_path, in->eap_ca_path},
			in->eap_server_name);
	check_hooks(r, rule_group(group, "hooks"), in->hooks, INITIATOR_HOOKS);
}

/* RFC 2385: the key is as long as the TCP of this system takes. */
static void check_afbr_files(struct problems *r, const config_setting_t *group, const struct afbr_config *a)
{
	const config_setting_t *neighbors = rule_group(rule_group(group, "bgp"), "neighbors");

	for (unsigned i = 0; i < a->neighbor_count; i++)
		if (rule_group(neighbors, a->neighbors[i].name))
			check_secret(r, rule_group(neighbors, a->neighbors[i].name), "password-file",
				a->neighbors[i].password_file, TCP_MD5SIG_MAXKEYLEN);
}

/* Who the daemon is to become, and who may look at it. */
static void check_names(struct problems *r, const config_setting_t *root, const struct config *c)
{
	if (c->user[0] && !getpwnam(c->user))
		problem_at(r, true, rule_at(root, "user"), "`user` is \"%s\", and there is no such user",
			quoted(c->user).text);
	if (rule_is_set(root, "control-group") && !getgrnam(c->control_group))
		problem_at(r, true, rule_at(root, "control-group"),
			"`control-group` is \"%s\", and there is no such group",
			quoted(c->control_group).text);
}

void config_files(struct problems *r, const config_setting_t *root, const struct config *c)
{
	const config_setting_t *initiators = rule_group(root, "initiator");

	check_names(r, root, c);
	if (c->concentrator.present)
		check_concentrator_files(r, rule_group(root, "concentrator"), &c->concentrator);
	if (c->afbr)
		check_afbr_files(r, rule_group(root, "afbr"), c->afbr);
	for (unsigned i = 0; i < c->initiator_count; i++) {
		const struct initiator_config *in = &c->initiators[i];
		const config_setting_t *group = rule_group(initiators, in->name);

		if (group)
			check_initiator_files(r, group, in);
	}
}
