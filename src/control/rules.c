/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one setting alone cannot tell: pools that collide, CHAP on a public network, files that are unsafe. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aaa/aaa.h"
#include "control/keys.h"

/* The place of KEY in GROUP, or of the group where it is left to its default. */
static const config_setting_t *at(const config_setting_t *group, const char *key)
{
	const config_setting_t *s = config_setting_get_member(group, key);

	return s ? s : group;
}

static bool is_set(const config_setting_t *group, const char *key)
{
	return config_setting_get_member(group, key) != NULL;
}

static const config_setting_t *group_of(const config_setting_t *s, const char *key)
{
	const config_setting_t *group = s ? config_setting_get_member(s, key) : NULL;

	return group && config_setting_is_group(group) ? group : NULL;
}

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

static void derive_concentrator(struct problems *r, const config_setting_t *group, struct config *c)
{
	struct concentrator_config *con = &c->concentrator;

	derive(r, group, "leases", con->lease_path, sizeof(con->lease_path), c->state_directory, "leases",
		".db");
	if (!con->host_name[0])
		machine_name(con->host_name, sizeof(con->host_name));
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
	if (!is_set(group, "prefix"))
		i->want_prefix = i->lan_count > 0;
}

/* ---- pools ---- */

static bool starts_with(const struct prefix *p, uint8_t byte, uint8_t bits)
{
	struct addr a = {.family = AF_INET6, .bytes = {byte}};
	struct prefix range = prefix_of(&a, bits);

	return prefix_overlaps(p, &range);
}

/* HS-PROV-4: globally routable, or ULA for networks without global connectivity. */
static void check_scope(
	struct problems *r, const config_setting_t *where, const char *key, const struct prefix *p)
{
	struct prefix link_local = {.addr = {.family = AF_INET6, .bytes = {0xfe, 0x80}}, .len = 10};

	if (starts_with(p, 0xff, 8) || starts_with(p, 0, 8) || prefix_overlaps(p, &link_local))
		problem_at(r, true, where,
			"`%s` holds multicast, link-local or reserved addresses: it must be global unicast "
			"(or ULA, fd00::/8)",
			key);
	else if (starts_with(p, 0xfc, 7))
		problem_at(r, false, where,
			"`%s` is a ULA prefix: who gets addresses from it cannot be reached from the "
			"Internet",
			key);
}

static void check_delegate(
	struct problems *r, const config_setting_t *group, const struct lease_pool_config *pool)
{
	unsigned len = pool->delegate_len;

	if (prefix_is_none(&pool->delegate_from))
		return;
	check_scope(r, at(group, "from"), "from", &pool->delegate_from);
	if (!len)
		return; /* told already */
	if (len < pool->delegate_from.len)
		problem_at(r, true, at(group, "length"),
			"`length` is %u, but `from` is only a /%u: it must be %u to 64", len,
			pool->delegate_from.len, pool->delegate_from.len < 48 ? 48 : pool->delegate_from.len);
	else if (len % 4) /* HS-PROV-11 */
		problem_at(r, false, at(group, "length"),
			"`length` is %u: a multiple of 4 keeps the delegation of reverse DNS simple", len);
}

/* RFC 5571 has DNS servers told over the family that is carried; this version carries IPv6. */
static void drop_dns4(
	struct problems *r, const config_setting_t *where, struct concentrator_pool_config *pool)
{
	unsigned n = 0;
	char text[ADDR_TEXT];

	for (unsigned i = 0; i < pool->dns_count; i++) {
		if (pool->dns[i].family == AF_INET6)
			pool->dns[n++] = pool->dns[i];
		else
			problem_at(r, false, where,
				"`dns`: %s is not told to anybody, because softwires carry only IPv6 in this "
				"version",
				addr_print(&pool->dns[i], text));
	}
	pool->dns_count = n;
}

static void check_pool(
	struct problems *r, const config_setting_t *group, struct concentrator_pool_config *pool)
{
	const struct prefix *link6 = &pool->lease.link6;

	if (!is_set(group, "link6") && !is_set(group, "delegate"))
		problem_at(r, true, group,
			"the pool `%s` has nothing to give: it must have `link6`, `delegate` or both",
			pool->lease.name);
	if (!prefix_is_none(link6)) {
		if (link6->len > 64)
			problem_at(r, true, at(group, "link6"),
				"`link6` is a /%u: it must be a /64 or shorter, for each softwire gets a /64",
				link6->len);
		check_scope(r, at(group, "link6"), "link6", link6);
	}
	if (group_of(group, "delegate"))
		check_delegate(r, group_of(group, "delegate"), &pool->lease);
	if (pool->preferred > pool->valid)
		problem_at(r, true, at(group, "preferred-lifetime"),
			"`preferred-lifetime` is %u, which is longer than `valid-lifetime` (%u): it must not "
			"be",
			pool->preferred, pool->valid);
	drop_dns4(r, at(group, "dns"), pool);
}

struct range {
	const struct prefix *prefix;
	const config_setting_t *where;
	const char *pool, *key;
};

static void check_overlaps(struct problems *r, const struct range *ranges, unsigned count,
	const config_setting_t *group, const struct addr *local6)
{
	for (unsigned i = 0; i < count; i++) {
		for (unsigned j = 0; j < i; j++)
			if (prefix_overlaps(ranges[i].prefix, ranges[j].prefix))
				problem_at(r, true, ranges[i].where,
					"`%s` of the pool `%s` overlaps `%s` of the pool `%s`: pools must "
					"not share addresses",
					ranges[i].key, ranges[i].pool, ranges[j].key, ranges[j].pool);
		if (local6->family && prefix_contains_addr(ranges[i].prefix, local6))
			problem_at(r, true, at(group, "local6"),
				"`local6` lies in `%s` of the pool `%s`: it must be an address that no user "
				"gets",
				ranges[i].key, ranges[i].pool);
	}
}

static void check_pools(struct problems *r, const config_setting_t *group, struct concentrator_config *con)
{
	const config_setting_t *pools = group_of(group, "pools");
	struct range ranges[2 * CONCENTRATOR_POOLS_MAX];
	unsigned n = 0;

	for (unsigned i = 0; i < con->pool_count; i++) {
		struct concentrator_pool_config *pool = &con->pools[i];
		const config_setting_t *g = group_of(pools, pool->lease.name);

		if (!g)
			continue; /* its name was refused */
		check_pool(r, g, pool);
		if (!prefix_is_none(&pool->lease.link6))
			ranges[n++] =
				(struct range){&pool->lease.link6, at(g, "link6"), pool->lease.name, "link6"};
		if (!prefix_is_none(&pool->lease.delegate_from))
			ranges[n++] = (struct range){&pool->lease.delegate_from,
				at(group_of(g, "delegate"), "from"), pool->lease.name, "from"};
	}
	check_overlaps(r, ranges, n, group, &con->local6);
	if (pools && !group_of(pools, "default"))
		problem_at(r, true, pools,
			"there is no pool `default`: users without a pool of their own get their addresses "
			"from it");
}

/* ---- networks and timers ---- */

/* SEC-HS-1, SEC-HS-18, SEC-HS-19: RFC 5619 sections 3.4.1.1 and 3.4.1.2. */
static void check_network(
	struct problems *r, const config_setting_t *group, bool trusted, bool allowed, bool secrets)
{
	const char *what = secrets ? "CHAP and tunnel secrets" : "CHAP";

	if (!trusted && !allowed)
		problem_at(r, true, at(group, "network"),
			"`network` is \"public\"%s, and %s must not cross a public network unprotected (RFC "
			"5619 section 3.4.1). There are three "
			"ways out: IPsec, which is not available in this version; network = \"trusted\" if "
			"no stranger can listen or send on the "
			"way; unprotected-chap = true to accept the risk",
			is_set(group, "network") ? "" : " (the default)", what);
	else if (!trusted)
		problem_at(r, false, at(group, "unprotected-chap"),
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
		problem_at(r, false, at(group, "hello"),
			"`hello` is 0: a peer that died silently is not noticed, and a NAT on the way "
			"forgets the softwire");
	if (!echo_ms)
		return;
	if (!hello_ms)
		problem_at(r, true, at(group, "echo"),
			"`echo` needs `hello`: LCP Echo comes in addition to HELLO, never instead (RFC 5571 "
			"section 5.1.2)");
	else if (hello_ms < 10000)
		problem_at(r, true, at(group, "echo"),
			"`echo` must be 10 or more and not above `hello`, which is %g: leave one of them to "
			"its default",
			hello_ms / 1000.0);
	else if (echo_ms < 10000 || echo_ms > most)
		problem_at(r, true, at(group, "echo"),
			"`echo` is %g: it must be 0 (none), or 10 to %g (RFC 5571 section 5.1.2)",
			echo_ms / 1000.0, most / 1000.0);
}

static void check_concentrator(struct problems *r, const config_setting_t *group, struct config *c)
{
	struct concentrator_config *con = &c->concentrator;

	derive_concentrator(r, group, c);
	if (!is_set(group, "listen"))
		problem_at(r, false, group,
			"`listen` is left out: all addresses of this machine are listened on");
	if (!is_set(group, "local6"))
		problem_at(r, false, group,
			"`local6` is left out: no ICMPv6 errors are sent, so Path MTU Discovery fails "
			"through softwires");
	if (!con->ingress_filter)
		problem_at(r, false, at(group, "ingress-filter"),
			"`ingress-filter` is false: users can send under addresses of others");
	if (!con->router_lifetime)
		problem_at(r, false, at(group, "router-lifetime"),
			"`router-lifetime` is 0: initiators do not take us as their default router");
	check_network(r, group, con->trusted_network, con->allow_unprotected,
		con->require_tunnel_secret || con->send_challenge);
	check_keepalive(r, group, con->hello_ms, con->echo_ms);
	if (con->half_open_per_source > con->max_half_open && is_set(group, "half-open-per-source"))
		problem_at(r, false, at(group, "half-open-per-source"),
			"`half-open-per-source` is %u, above `half-open` (%u), so it limits nothing",
			con->half_open_per_source, con->max_half_open);
	check_pools(r, group, con);
}

static void check_prefix_wishes(
	struct problems *r, const config_setting_t *group, const struct initiator_config *i)
{
	if (i->prefix_length && i->prefix_length < 48) /* HS-PROV-9 */
		problem_at(r, true, at(group, "prefix-length"),
			"`prefix-length` is %u: it must be 0 (any), or 48 to 64", i->prefix_length);
	if (i->lan_count && !i->want_prefix)
		problem_at(r, true, at(group, "prefix"),
			"`prefix` is false, but `lan` needs a delegated prefix: leave one of them out");
	else if (i->prefix_length && !i->want_prefix)
		problem_at(r, false, at(group, "prefix-length"),
			"`prefix-length` has no effect without `lan` or prefix = true");
}

static void check_initiator(
	struct problems *r, const config_setting_t *group, const struct config *c, struct initiator_config *i)
{
	derive_initiator(r, group, c, i);
	check_network(r, group, i->trusted_network, i->allow_unprotected, i->tunnel_secret_path[0]);
	check_keepalive(r, group, i->hello_ms, i->echo_ms);
	check_prefix_wishes(r, group, i);
	if (!i->ipv6)
		problem_at(r, true, at(group, "ipv6"),
			"`ipv6` is false: there is nothing else to carry in this version");
	if (i->mtu && i->mtu < 1280)
		problem_at(r, true, at(group, "mtu"),
			"`mtu` is %u: it must be 0 (what the path carries), or 1280 to 9216, for IPv6 needs "
			"1280",
			i->mtu);
	if (i->backoff_first_ms > i->backoff_max_ms)
		problem_at(r, true,
			at(group, is_set(group, "backoff-first") ? "backoff-first" : "backoff-max"),
			"`backoff-first` is %g, above `backoff-max` (%g): it must not be",
			i->backoff_first_ms / 1000.0, i->backoff_max_ms / 1000.0);
	if (i->server_password_path[0] && !strcmp(i->server_password_path, i->password_path))
		problem_at(r, true, at(group, "server-password-file"),
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
			problem_at(r, true, at(group_of(root, "concentrator"), "device"),
				"`device` is \"%s\", which is the initiator %s's: choose another", device,
				c->initiators[i].name);
	}
}

void config_rules(struct problems *r, const config_setting_t *root, struct config *c)
{
	const config_setting_t *initiators = group_of(root, "initiator");

	derive(r, root, "control-socket", c->control_socket, sizeof(c->control_socket), c->runtime_directory,
		"control", ".sock");
	if (group_of(root, "concentrator"))
		check_concentrator(r, group_of(root, "concentrator"), c);
	for (unsigned i = 0; i < c->initiator_count; i++)
		if (group_of(initiators, c->initiators[i].name))
			check_initiator(r, group_of(initiators, c->initiators[i].name), c, &c->initiators[i]);
	check_devices(r, root, c);
	if (!is_set(root, "concentrator") && !is_set(root, "initiator"))
		problem_line(r, true, c->path, 0,
			"there is nothing to do: it must have `concentrator`, `initiator` or both");
	else if (initiators && !config_setting_length(initiators))
		problem_at(r, true, initiators,
			"`initiator` is empty: it must have a group for each softwire, initiator = { home = "
			"{ ... }; };");
}

/* ---- the files that are named ---- */

static int open_named(struct problems *r, const config_setting_t *group, const char *key, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode))
		return fd;
	problem_at(r, true, at(group, key), "`%s` names %s, which cannot be read: %s", key, quoted(path).text,
		fd < 0 ? strerror(errno) : "it is not a regular file");
	if (fd >= 0)
		close(fd);
	return -1;
}

static void users_error(void *owner, const char *file, unsigned line, const char *text)
{
	problem_line(owner, true, file, line, "%s", text);
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
		problem_at(r, true, at(group, "users"), "not enough memory");
	else if (aaa_load_users(a, fd, con->users_path, users_error, r) && r->errors == before)
		problem_at(r, true, at(group, "users"), "`users` names %s, which is not a good users file",
			quoted(con->users_path).text);
	else if (r->errors == before && !aaa_user_count(a))
		problem_line(r, false, con->users_path, 0, "it has no users: nobody can connect");
	if (a)
		aaa_free(a);
	close(fd);
}

static void check_secret(struct problems *r, const config_setting_t *group, const char *key, const char *path)
{
	int fd = path[0] ? open_named(r, group, key, path) : -1;
	char secret[AAA_SECRET_MAX + 1], why[128] = "";
	size_t len = 0;

	if (fd < 0)
		return;
	if (aaa_read_secret(fd, secret, &len, why))
		problem_at(r, true, at(group, key), "`%s` names %s: %s", key, quoted(path).text, why);
	explicit_bzero(secret, sizeof(secret));
	close(fd);
}

void config_files(struct problems *r, const config_setting_t *root, const struct config *c)
{
	const config_setting_t *initiators = group_of(root, "initiator");

	if (c->concentrator.present)
		check_users(r, group_of(root, "concentrator"), &c->concentrator);
	for (unsigned i = 0; i < c->initiator_count; i++) {
		const struct initiator_config *in = &c->initiators[i];
		const config_setting_t *group = group_of(initiators, in->name);

		if (!group)
			continue;
		check_secret(r, group, "password-file", in->password_path);
		check_secret(r, group, "server-password-file", in->server_password_path);
		check_secret(r, group, "tunnel-secret-file", in->tunnel_secret_path);
	}
}
