/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration file: any text is either refused with at least one error, or gives a configuration that keeps its promises. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "control/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig loses the text that it has just read when a syntax error follows it. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so";
}

static void require(bool what)
{
	if (!what)
		abort();
}

struct told {
	unsigned errors, warnings;
};

static void tell(void *owner, bool fatal, const char *file, unsigned line, const char *text)
{
	struct told *told = owner;

	require(file && *text && line < 10000000);
	for (; *text; text++)
		require((unsigned char)*text >= ' ');
	if (fatal)
		told->errors++;
	else
		told->warnings++;
}

static bool terminated(const char *text, size_t size)
{
	return memchr(text, 0, size) != NULL;
}

static void check_concentrator(const struct concentrator_config *c, const struct told *told)
{
	bool has_default = false;

	require(c->trusted_network || (c->allow_unprotected && told->warnings));
	require(c->users_path[0] == '/' && c->lease_path[0] == '/');
	require(c->listen_count <= CONCENTRATOR_LISTEN_MAX && c->pool_count >= 1 &&
		c->pool_count <= CONCENTRATOR_POOLS_MAX);
	require(c->router_lifetime <= 9000 && c->max_softwires > 0 && c->max_half_open > 0 &&
		c->retransmit_tries > 0);
	require(!c->echo_ms || (c->echo_ms >= 10000 && c->echo_ms <= c->hello_ms && c->echo_ms <= 60000));
	require(terminated(c->device, sizeof(c->device)) && c->device[0] &&
		terminated(c->host_name, sizeof(c->host_name)));
	for (unsigned i = 0; i < c->listen_count; i++)
		require(c->listen[i].port && c->listen[i].addr.family);
	for (unsigned i = 0; i < c->pool_count; i++) {
		const struct concentrator_pool_config *p = &c->pools[i];
		const struct prefix *link6 = &p->lease.link6, *from = &p->lease.delegate_from;

		has_default |= !strcmp(p->lease.name, "default");
		require(!prefix_is_none(link6) || !prefix_is_none(from));
		require(prefix_is_none(link6) || (link6->addr.family == AF_INET6 && link6->len <= 64));
		require(prefix_is_none(from) || (p->lease.delegate_len >= 48 && p->lease.delegate_len <= 64 &&
							p->lease.delegate_len >= from->len));
		require(p->preferred <= p->valid && p->dns_count <= DHCP6_DNS_MAX);
		for (unsigned j = 0; j < i; j++)
			require(prefix_is_none(link6) || prefix_is_none(&c->pools[j].lease.link6) ||
				!prefix_overlaps(link6, &c->pools[j].lease.link6));
	}
	require(has_default);
}

static void check_initiator(const struct initiator_config *i, const struct told *told)
{
	require(i->name[0] && terminated(i->name, sizeof(i->name)));
	require(i->trusted_network || (i->allow_unprotected && told->warnings));
	require(i->server_count >= 1 && i->server_count <= INITIATOR_SERVERS && i->user[0]);
	require(i->password_path[0] == '/' && i->state_path[0] == '/');
	require(!i->prefix_length || (i->prefix_length >= 48 && i->prefix_length <= 64));
	require(!i->mtu || i->mtu >= 1280);
	require(i->backoff_first_ms <= i->backoff_max_ms);
	require(!i->lan_count || i->want_prefix);
	for (unsigned k = 0; k < i->lan_count; k++)
		require(i->lans[k][0] && !strchr(i->lans[k], '/'));
}

static void check_rule(const struct policy_rule *r)
{
	require(r->then == POLICY_NEXT || r->then == POLICY_ACCEPT || r->then == POLICY_REJECT);
	require(r->prefix_count <= POLICY_PREFIXES && (!r->prefix_count || r->prefixes));
	for (unsigned i = 0; i < r->prefix_count; i++)
		require(r->prefixes[i].prefix.len <= r->prefixes[i].min &&
			r->prefixes[i].min <= r->prefixes[i].max &&
			r->prefixes[i].max <= addr_bits(r->prefixes[i].prefix.addr.family));
	require(r->add_count <= POLICY_VALUES && r->remove_count <= POLICY_VALUES &&
		r->add_extended_count <= POLICY_VALUES && r->add_large_count <= POLICY_VALUES);
	for (unsigned i = 0; i < r->source_count; i++)
		require(terminated(r->sources[i], POLICY_NAME));
}

/* A copy is equal, and fit for the engine. */
static void check_policy(const struct policy *p)
{
	struct policy *copy = policy_copy(p);

	require(copy && policy_equal(p, copy) && terminated(p->name, sizeof(p->name)));
	require(p->rule_count <= POLICY_RULES);
	for (unsigned n = 0; n < p->rule_count; n++)
		check_rule(&p->rules[n]);
	policy_free(copy);
}

static void check_neighbor(const struct afbr_config *a, const struct bgp_neighbor_config *n)
{
	bool external = n->as != (n->local_as ? n->local_as : a->as);

	require(n->name[0] && terminated(n->name, sizeof(n->name)) && n->address.family && n->families);
	require(n->as && n->as != BGP_AS_TRANS && n->port);
	require(!n->hold_time || (n->hold_time >= 3000 && n->hold_time % 1000 == 0));
	require(!(n->client && external) && !(n->ttl_security && n->multihop));
	require(!n->has_import || n->import_policy == afbr_config_policy(a, n->import));
	require(!n->has_import == !n->import_policy && !n->has_export == !n->export_policy);
	require(!n->default_local == (external && !(n->has_import && n->has_export)));
	for (const struct bgp_neighbor_config *o = a->neighbors; o < n; o++)
		require(strcmp(o->name, n->name) != 0 &&
			(!addr_equal(&o->address, &n->address) || strcmp(o->interface, n->interface) != 0));
}

static void check_afbr(const struct afbr_config *a)
{
	require(a->refs == 1 && a->as && a->id && a->cluster_id && a->directory[0] == '/');
	require(a->neighbor_count <= BGP_NEIGHBORS && a->policy_count <= AFBR_POLICIES);
	require(!a->tunnel_count || a->core.family);
	require(a->classes.color_count + a->classes.community_count == a->class_count);
	require(!a->import.present || (a->import.table_count && a->import.protocol_count));
	require(!a->export.present || (a->export.table && a->export.metric && a->export.families));
	require(a->mrt.rotate && a->mrt.keep);
	for (unsigned i = 0; i < a->tunnel_count; i++)
		require(a->tunnels[i].type != BGP_TUNNEL_L2TPV3 || a->tunnels[i].session);
	for (unsigned i = 0; i < a->policy_count; i++)
		check_policy(&a->policies[i]);
	for (unsigned i = 0; i < a->neighbor_count; i++)
		check_neighbor(a, &a->neighbors[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *c = calloc(1, sizeof(*c));
	int fd = memfd_create("fuzz", MFD_CLOEXEC), result;
	struct told told = {0};

	require(c && fd >= 0);
	if (write(fd, data, size) != (ssize_t)size)
		abort();
	/* Relative includes look into a folder that does not exist. */
	result = config_file_read("/nonexistent/fuzz.conf", fd, false, tell, &told, c);
	require((result == 0) == (told.errors == 0));
	if (!result) {
		require(c->concentrator.present || c->initiator_count || c->afbr);
		require(c->initiator_count <= CONFIG_INITIATORS && c->control_socket[0] == '/');
		if (c->concentrator.present)
			check_concentrator(&c->concentrator, &told);
		for (unsigned i = 0; i < c->initiator_count; i++)
			check_initiator(&c->initiators[i], &told);
		if (c->afbr)
			check_afbr(c->afbr);
	}
	close(fd);
	config_free(c);
	return 0;
}
