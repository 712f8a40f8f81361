/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one setting alone cannot tell: defaults that depend on others, CHAP on a public network, keepalives, families. (Pools: pools.c; files: files.c.) */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control/mesh.h"
#include "eap/eap.h"

/* ---- defaults that depend on others ---- */

static void machine_name(char *name, size_t size)
{
	name[0] = 0;
	if (gethostname(name, size))
		name[0] = 0;
	name[size - 1] = 0;
	if (!name[0])
		snprintf(name, size, "softwire");
}

static void derive(struct problems *r, const config_setting_t *where, const char *what, char *dst,
	size_t size, const char *directory, const char *head, const char *tail)
{
	if (!dst[0] && (size_t)snprintf(dst, size, "%s/%s%s", directory, head, tail) >= size)
		problem_at(r, true, where,
			"`%s` would be longer than %zu characters: choose a shorter directory", what,
			size - 1);
}

static void add_method(uint8_t *methods, uint8_t method)
{
	while (*methods && *methods != method)
		methods++;
	*methods = method;
}

static uint8_t method_of(enum auth_word word)
{
	switch (word) {
	case AUTH_CHAP:
		return PPP_METHOD_CHAP_MD5;
	case AUTH_MSCHAPV2:
		return PPP_METHOD_MSCHAPV2;
	case AUTH_PAP:
		return PPP_METHOD_PAP;
	default:
		return PPP_METHOD_EAP;
	}
}

/* What `auth` says, as the engines want it: PPP's methods, and EAP's among themselves. */
static void derive_auth(struct concentrator_config *con)
{
	for (unsigned i = 0; i < con->auth_word_count; i++) {
		add_method(con->auth, method_of(con->auth_words[i]));
		if (con->auth_words[i] == AUTH_EAP_TLS)
			add_method(con->eap_methods, EAP_TLS);
		else if (con->auth_words[i] == AUTH_EAP_MD5)
			add_method(con->eap_methods, EAP_MD5);
	}
}

static void derive_initiator_auth(const config_setting_t *group, struct initiator_config *i)
{
	if (!rule_is_set(group, "auth")) {
		if (i->password_path[0]) {
			i->auth_words[i->auth_word_count++] = AUTH_CHAP;
			i->auth_words[i->auth_word_count++] = AUTH_MSCHAPV2;
		}
		if (i->eap_ca_path[0])
			i->auth_words[i->auth_word_count++] = AUTH_EAP_TLS;
	}
	for (unsigned n = 0; n < i->auth_word_count && i->user[0]; n++) {
		i->auth |= (uint8_t)(1 << method_of(i->auth_words[n]));
		i->eap_md5 |= i->auth_words[n] == AUTH_EAP_MD5;
	}
}

static void derive_concentrator(struct problems *r, const config_setting_t *group, struct config *c)
{
	struct concentrator_config *con = &c->concentrator;

	if (!rule_is_set(group, "auth"))
		con->auth_words[con->auth_word_count++] = AUTH_CHAP;
	derive(r, group, "leases", con->lease_path, sizeof(con->lease_path), c->state_directory, "leases",
		".db");
	if (!con->host_name[0])
		machine_name(con->host_name, sizeof(con->host_name));
	derive_auth(con);
	if (!con->max_softwires)
		con->max_softwires = 60000 * (con->listen_count ? con->listen_count : 1);
}

static void derive_initiator(
	struct problems *r, const config_setting_t *group, const struct config *c, struct initiator_config *i)
{
	char host[sizeof(i->host_name)], head[32];

	snprintf(head, sizeof(head), "initiator-%s", i->name);
	derive(r, group, "state-file", i->state_path, sizeof(i->state_path), c->state_directory, head,
		".json");
	if (!i->host_name[0]) { /* HS-L2TP-19: user-id@name.fqdn */
		machine_name(host, sizeof(host));
		snprintf(i->host_name, sizeof(i->host_name), "%.60s@%.60s",
			i->user[0] ? i->user : "Softwires", host);
	}
	if (!rule_is_set(group, "prefix"))
		i->want_prefix = i->lan_count > 0 && i->ipv6;
	if (!rule_is_set(group, "subnet"))
		i->want_subnet = i->lan_count > 0 && i->ipv4;
	derive_initiator_auth(group, i);
}

/* ---- networks and timers ---- */

/* SEC-HS-1, SEC-HS-18, SEC-HS-19: RFC 5619 sections 3.4.1.1 and 3.4.1.2. */
static void check_network(
	struct problems *r, const config_setting_t *group, bool trusted, bool allowed, bool secrets)
{
	const char *what = secrets ? "CHAP and tunnel secrets" : "CHAP";

	if (!trusted && !allowed)
		problem_at(r, true, rule_at(group, "network"),
			"`network` is \"public\"%s, and %s must not cross a public network unprotected (RFC "
			"5619 section 3.4.1). There are three "
			"ways out: IPsec, which is not available in this version; network = \"trusted\" if "
			"no stranger can listen or send on the "
			"way; unprotected-chap = true to accept the risk",
			rule_is_set(group, "network") ? "" : " (the default)", what);
	else if (!trusted)
		problem_at(r, false, rule_at(group, "unprotected-chap"),
			"%s cross%s a public network unprotected, because unprotected-chap = true says so: "
			"who listens on the way can try "
			"passwords at leisure, and who sends on it can end softwires",
			what, secrets ? "" : "es");
}

/* HS-L2TP-30, HS-L2TP-31: LCP Echo is in addition to HELLO, never instead, and 10 s to min(HELLO interval, 60 s). */
static void check_keepalive(
	struct problems *r, const config_setting_t *group, uint32_t hello_ms, uint32_t echo_ms)
{
	uint32_t most = hello_ms < 60000 ? hello_ms : 60000;

	if (!hello_ms)
		problem_at(r, false, rule_at(group, "hello"),
			"`hello` is 0: a peer that died silently is not noticed, and a NAT on the way "
			"forgets the softwire");
	if (!echo_ms)
		return;
	if (!hello_ms)
		problem_at(r, true, rule_at(group, "echo"),
			"`echo` needs `hello`: LCP Echo comes in addition to HELLO, never instead (RFC 5571 "
			"section 5.1.2)");
	else if (hello_ms < 10000)
		problem_at(r, true, rule_at(group, "echo"),
			"`echo` must be 10 or more and not above `hello`, which is %g: leave one of them to "
			"its default",
			hello_ms / 1000.0);
	else if (echo_ms < 10000 || echo_ms > most)
		problem_at(r, true, rule_at(group, "echo"),
			"`echo` is %g: it must be 0 (none), or 10 to %g (RFC 5571 section 5.1.2)",
			echo_ms / 1000.0, most / 1000.0);
}

static bool is_empty_list(const config_setting_t *group, const char *key)
{
	const config_setting_t *s = config_setting_get_member(group, key);

	return s && config_setting_is_aggregate(s) && !config_setting_length(s);
}

static bool names_auth(const uint8_t *words, unsigned count, enum auth_word word)
{
	for (unsigned i = 0; i < count; i++)
		if (words[i] == word)
			return true;
	return false;
}

static void warn_of_pap(
	struct problems *r, const config_setting_t *group, const uint8_t *words, unsigned count)
{
	if (names_auth(words, count, AUTH_PAP))
		problem_at(r, false, rule_at(group, "auth"),
			"`auth` has \"pap\": passwords are sent as they are, to whoever answers and past "
			"whoever "
			"listens");
}

/* HS-PPP-14, SEC-HS-15: serving strangers takes an explicit word. */
static void check_auth(
	struct problems *r, const config_setting_t *group, const struct concentrator_config *con)
{
	bool tls = names_auth(con->auth_words, con->auth_word_count, AUTH_EAP_TLS);

	if (!con->auth_word_count && !is_empty_list(group, "auth"))
		return; /* its words were refused */
	if (!con->auth_word_count && !con->anonymous_pool[0])
		problem_at(r, true, rule_at(group, "auth"),
			"`auth` is empty, so nobody is asked who they are: `anonymous` must say which pool "
			"everybody gets addresses from");
	if (con->auth_word_count && !con->users_path[0])
		problem_at(r, true, group,
			"`concentrator` lacks `users`: the users file, see softwire-users(5)");
	if (tls && !rule_is_set(group, "eap"))
		problem_at(r, true, rule_at(group, "auth"),
			"`auth` has \"eap-tls\", which needs certificates: `eap` must name them");
	else if (!tls && rule_is_set(group, "eap"))
		problem_at(
			r, false, rule_at(group, "eap"), "`eap` has no effect without \"eap-tls\" in `auth`");
	warn_of_pap(r, group, con->auth_words, con->auth_word_count);
}

static void check_initiator_auth(
	struct problems *r, const config_setting_t *group, const struct initiator_config *i)
{
	bool tls = names_auth(i->auth_words, i->auth_word_count, AUTH_EAP_TLS);
	bool password = i->auth_word_count > (tls ? 1u : 0u);

	if (!i->user[0]) {
		if (i->password_path[0] || rule_is_set(group, "eap"))
			problem_at(r, true, group,
				"an initiator lacks `user`: it is needed with `password-file` and `eap`");
		return;
	}
	if (!i->auth_word_count && (!rule_is_set(group, "auth") || is_empty_list(group, "auth")))
		problem_at(r, true, rule_at(group, rule_is_set(group, "auth") ? "auth" : "user"),
			"`user` is set, but there is no way to prove it: it needs `password-file` or `eap`");
	if (password && !i->password_path[0])
		problem_at(r, true, rule_at(group, "auth"), "`auth` has methods that need `password-file`");
	if (tls && !i->eap_ca_path[0])
		problem_at(r, true, rule_at(group, "auth"),
			"`auth` has \"eap-tls\", which needs certificates: `eap` must name them");
	if (rule_is_set(group, "eap") && !rule_is_set(rule_group(group, "eap"), "server-name"))
		problem_at(r, false, rule_at(group, "eap"),
			"`eap` has no `server-name`: whoever has a certificate of this authority can pose as "
			"the "
			"concentrator");
	warn_of_pap(r, group, i->auth_words, i->auth_word_count);
}

static bool serves6(const struct concentrator_config *con)
{
	for (unsigned i = 0; i < con->pool_count; i++)
		if (!prefix_is_none(&con->pools[i].lease.link6) ||
			!prefix_is_none(&con->pools[i].lease.delegate_from))
			return true;
	return false;
}

static bool is_ours(const struct concentrator_config *con, const struct endpoint *e)
{
	for (unsigned n = 0; n < con->listen_count; n++)
		if (endpoint_equal(e, &con->listen[n]))
			return true;
	return false;
}

/* Our own addresses are left out: all concentrators may have the same list. */
static void check_redirect(struct problems *r, const config_setting_t *group, struct concentrator_config *con)
{
	char text[ENDPOINT_TEXT];
	unsigned others = 0;

	for (unsigned i = 0; i < con->redirect_count; i++) {
		const struct endpoint e = con->redirect[i];

		if (!is_ours(con, &e))
			con->redirect[others++] = e;
		if (e.port != L2TP_PORT)
			problem_at(r, false, rule_at(group, "redirect"),
				"`redirect` has %s: initiators that go by RFC 3193 understand an address "
				"without a port",
				endpoint_print(&e, text));
	}
	con->redirect_count = others;
}

static void check_concentrator(struct problems *r, const config_setting_t *group, struct config *c)
{
	struct concentrator_config *con = &c->concentrator;

	derive_concentrator(r, group, c);
	if (!rule_is_set(group, "listen"))
		problem_at(r, false, group,
			"`listen` is left out: all addresses of this machine are listened on");
	if (!rule_is_set(group, "local6") && serves6(con))
		problem_at(r, false, group,
			"`local6` is left out: no ICMPv6 errors are sent, so Path MTU Discovery fails "
			"through softwires");
	if (!con->ingress_filter)
		problem_at(r, false, rule_at(group, "ingress-filter"),
			"`ingress-filter` is false: users can send under addresses of others");
	if (!con->router_lifetime)
		problem_at(r, false, rule_at(group, "router-lifetime"),
			"`router-lifetime` is 0: initiators do not take us as their default router");
	check_network(r, group, con->trusted_network, con->allow_unprotected, con->require_tunnel_secret);
	check_keepalive(r, group, con->hello_ms, con->echo_ms);
	if (con->half_open_per_source > con->max_half_open && rule_is_set(group, "half-open-per-source"))
		problem_at(r, false, rule_at(group, "half-open-per-source"),
			"`half-open-per-source` is %u, above `half-open` (%u), so it limits nothing",
			con->half_open_per_source, con->max_half_open);
	if (con->waiting_per_source > con->max_waiting && rule_is_set(group, "waiting-per-source"))
		problem_at(r, false, rule_at(group, "waiting-per-source"),
			"`waiting-per-source` is %u, above `waiting` (%u), so it limits nothing",
			con->waiting_per_source, con->max_waiting);
	check_auth(r, group, con);
	check_redirect(r, group, con);
	check_pools(r, group, con);
}

static void check_prefix_wishes(
	struct problems *r, const config_setting_t *group, const struct initiator_config *i)
{
	if (i->prefix_length && i->prefix_length < 48) /* HS-PROV-9 */
		problem_at(r, true, rule_at(group, "prefix-length"),
			"`prefix-length` is %u: it must be 0 (any), or 48 to 64", i->prefix_length);
	if (i->lan_count && i->ipv6 && !i->want_prefix)
		problem_at(r, true, rule_at(group, "prefix"),
			"`prefix` is false, but `lan` needs a delegated prefix: leave one of them out");
	else if (i->want_prefix && !i->ipv6)
		problem_at(r, true, rule_at(group, "prefix"),
			"`prefix` is true, but `ipv6` is false: leave one of them out");
	else if (i->prefix_length && !i->want_prefix)
		problem_at(r, false, rule_at(group, "prefix-length"),
			"`prefix-length` has no effect without `lan` or prefix = true");
}

static void check_subnet_wishes(
	struct problems *r, const config_setting_t *group, const struct initiator_config *i)
{
	if (i->subnet_length && i->subnet_length < 8) /* HS-PROV-14 */
		problem_at(r, true, rule_at(group, "subnet-length"),
			"`subnet-length` is %u: it must be 0 (any), or 8 to 30", i->subnet_length);
	if (i->want_subnet && !i->ipv4)
		problem_at(r, true, rule_at(group, "subnet"),
			"`subnet` is true, but `ipv4` is not: leave one of them out");
	else if (i->subnet_length && !i->want_subnet)
		problem_at(r, false, rule_at(group, "subnet-length"),
			"`subnet-length` has no effect without `ipv4`, and `lan` or subnet = true");
	if (i->lan_bridge[0] && i->lan_count < 2)
		problem_at(r, false, rule_at(group, "lan-bridge"),
			"`lan-bridge` has no effect unless `lan` names several interfaces");
}

static void check_initiator(
	struct problems *r, const config_setting_t *group, const struct config *c, struct initiator_config *i)
{
	derive_initiator(r, group, c, i);
	check_network(r, group, i->trusted_network, i->allow_unprotected, i->tunnel_secret_path[0]);
	check_keepalive(r, group, i->hello_ms, i->echo_ms);
	check_prefix_wishes(r, group, i);
	check_subnet_wishes(r, group, i);
	check_initiator_auth(r, group, i);
	if (!i->ipv6 && !i->ipv4)
		problem_at(r, true, rule_at(group, "ipv6"),
			"`ipv6` is false, and so is `ipv4`: there is nothing to carry");
	if (i->mtu && i->mtu < 576)
		problem_at(r, true, rule_at(group, "mtu"),
			"`mtu` is %u: it must be 0 (what the path carries), or 576 to 9216", i->mtu);
	else if (i->mtu && i->mtu < 1280 && i->ipv6)
		problem_at(r, true, rule_at(group, "mtu"),
			"`mtu` is %u: it must be 0 (what the path carries), or 1280 to 9216, for IPv6 needs "
			"1280",
			i->mtu);
	if (i->backoff_first_ms > i->backoff_max_ms)
		problem_at(r, true,
			rule_at(group, rule_is_set(group, "backoff-first") ? "backoff-first" : "backoff-max"),
			"`backoff-first` is %g, above `backoff-max` (%g): it must not be",
			i->backoff_first_ms / 1000.0, i->backoff_max_ms / 1000.0);
	if (i->server_password_path[0] && !strcmp(i->server_password_path, i->password_path))
		problem_at(r, true, rule_at(group, "server-password-file"),
			"`server-password-file` is `password-file`: the two ends must have different "
			"passwords, or answers can be played back");
}

/* The name of one device may not be that of another. */
static void check_devices(struct problems *r, const config_setting_t *root, const struct config *c)
{
	for (unsigned i = 0; i < c->initiator_count && c->concentrator.present; i++) {
		char device[16];

		snprintf(device, sizeof(device), "si-%s", c->initiators[i].name);
		if (!strcmp(device, c->concentrator.device))
			problem_at(r, true, rule_at(rule_group(root, "concentrator"), "device"),
				"`device` is \"%s\", which is the initiator %s's: choose another", device,
				c->initiators[i].name);
	}
}

void config_rules(struct problems *r, const config_setting_t *root, struct config *c)
{
	const config_setting_t *initiators = rule_group(root, "initiator");

	if (!c->state_directory[0])
		instance_path(
			INSTANCE_STATE, c->instance, "", c->state_directory, sizeof(c->state_directory));
	if (!c->runtime_directory[0])
		instance_path(INSTANCE_RUNTIME, c->instance, "", c->runtime_directory,
			sizeof(c->runtime_directory));
	derive(r, root, "control-socket", c->control_socket, sizeof(c->control_socket), c->runtime_directory,
		"control", ".sock");
	if (rule_group(root, "concentrator"))
		check_concentrator(r, rule_group(root, "concentrator"), c);
	for (unsigned i = 0; i < c->initiator_count; i++)
		if (rule_group(initiators, c->initiators[i].name))
			check_initiator(
				r, rule_group(initiators, c->initiators[i].name), c, &c->initiators[i]);
	if (rule_group(root, "afbr") && c->afbr)
		check_afbr(r, rule_group(root, "afbr"), c, c->afbr);
	check_devices(r, root, c);
	if (!rule_is_set(root, "concentrator") && !rule_is_set(root, "initiator") &&
		!rule_is_set(root, "afbr"))
		problem_line(r, true, c->path, 0,
			"there is nothing to do: it must have one or more of `concentrator`, `initiator` and "
			"`afbr`");
	else if (initiators && !config_setting_length(initiators))
		problem_at(r, true, initiators,
			"`initiator` is empty: it must have a group for each softwire, initiator = { home = "
			"{ ... }; };");
}
