/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Routes of the kernel become ours: those of the tables and protocols that the configuration names, as far as its policy lets them pass.
 *
 * All of them are known here, a prefix with its routes (there may be several, of different metrics, tables and protocols); the one with the lowest metric
 * speaks for the prefix, and its metric is the MED. They are told to the engine as they come and go. A new reading (netlink/fib.h) marks what it finds; what
 * it did not find goes afterwards, a few at a time, so that nothing is withdrawn that is still there.
 *
 * Never imported: routes of our own BGP; what is no destination for others (link-local, multicast, loopback); and default routes where no policy says
 * otherwise: the one of this host is rarely meant for the whole mesh.
 */
#include <errno.h>
#include <jansson.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "afbr/parts.h"
#include "lib/hash.h"
#include "lib/pool.h"
#include "netlink/fib.h"

enum { SWEEP_SLICE = 512 };

/* In the hash by its prefix: the first of them, and behind it the others. */
struct known {
	struct known *same;
	struct known *newer, *older; /* in the order in which they were seen last */
	struct netlink_fib_route route;
	uint32_t hash;
	uint32_t seen;     /* in which reading */
	uint16_t revision; /* of the configuration by which it was judged */
	bool gone;         /* while a reading may still tell of it */
	bool told;         /* to the engine; of the first */
};

struct importer {
	struct afbr *afbr;
	struct netlink_reader *reader;
	struct hash prefixes;
	struct pool pool;
	struct known *oldest, *newest;
	uint32_t reading;  /* the number of the last one that began */
	uint32_t complete; /* what was seen before this one goes */
	bool under_way;
	uint16_t revision;
	uint32_t count, told;
	const struct policy *policy;
	bool starved;
	struct wheel_timer timer;
};

/* ---- the order in which they were seen ---- */

static void unlink_known(struct importer *m, struct known *k)
{
	if (k->older)
		k->older->newer = k->newer;
	else
		m->oldest = k->newer;
	if (k->newer)
		k->newer->older = k->older;
	else
		m->newest = k->older;
}

static void link_newest(struct importer *m, struct known *k)
{
	k->newer = NULL;
	k->older = m->newest;
	if (k->older)
		k->older->newer = k;
	else
		m->oldest = k;
	m->newest = k;
	k->seen = m->reading;
}

/* Those that are gone are the first to be dropped. */
static void link_oldest(struct importer *m, struct known *k)
{
	k->older = NULL;
	k->newer = m->oldest;
	if (k->newer)
		k->newer->older = k;
	else
		m->newest = k;
	m->oldest = k;
	k->seen = 0;
}

/* ---- which there are ---- */

static uint32_t hash_of(const struct prefix *p)
{
	return hash_bytes(p, sizeof(*p), 0);
}

static bool has_prefix(const void *item, const void *key)
{
	return prefix_equal(&((const struct known *)item)->route.dst, key);
}

static struct known *first_of(const struct importer *m, const struct prefix *p)
{
	return hash_find(&m->prefixes, hash_of(p), has_prefix, p);
}

static bool is_same(const struct netlink_fib_route *a, const struct netlink_fib_route *b)
{
	return a->table == b->table && a->metric == b->metric && a->identity == b->identity;
}

static struct known *find(struct known *first, const struct netlink_fib_route *r)
{
	while (first && !is_same(&first->route, r))
		first = first->same;
	return first;
}

/* NULL: no memory: another reading may have more luck. */
static struct known *add(struct importer *m, struct known *first, const struct netlink_fib_route *r)
{
	struct known *k = pool_alloc(&m->pool);

	if (!k) {
		m->starved = true;
		return NULL;
	}
	k->route = *r;
	k->hash = first ? first->hash : hash_of(&r->dst);
	if (first) {
		k->same = first->same;
		first->same = k;
	} else if (hash_insert(&m->prefixes, k->hash, k)) {
		pool_free(&m->pool, k);
		m->starved = true;
		return NULL;
	}
	m->count++;
	link_newest(m, k);
	return k;
}

/* Its place in the hash goes to the next one of its prefix, and with it what was told. */
static void drop(struct importer *m, struct known *k)
{
	struct known *first = first_of(m, &k->route.dst), *before = first;

	unlink_known(m, k);
	m->count--;
	if (first == k) {
		(void)hash_remove(&m->prefixes, k->hash, k);
		if (k->same) {
			k->same->told = k->told;
			(void)hash_insert(
				&m->prefixes, k->hash, k->same); /* there is room: one has just gone */
		}
	} else {
		while (before->same != k)
			before = before->same;
		before->same = k->same;
	}
	pool_free(&m->pool, k);
}

/* ---- what the engine is told ---- */

static enum bgp_family family_of(const struct prefix *p)
{
	return p->addr.family == AF_INET ? BGP_IPV4 : BGP_IPV6;
}

/* Who speaks for the prefix; NULL: nobody is left. */
static const struct known *speaker(const struct known *first)
{
	const struct known *best = NULL;

	for (; first; first = first->same)
		if (!first->gone && (!best || first->route.metric < best->route.metric ||
					    (first->route.metric == best->route.metric &&
						    first->route.table < best->route.table)))
			best = first;
	return best;
}

static void write_set(const struct netlink_fib_route *r, struct writer *w)
{
	uint8_t origin = BGP_ORIGIN_INCOMPLETE, med[sizeof(uint32_t)];
	struct writer number = writer_of(med, sizeof(med));

	bgp_attribute_put(w, BGP_FLAG_TRANSITIVE, BGP_ORIGIN, &origin, sizeof(origin));
	bgp_attribute_put(w, BGP_FLAG_TRANSITIVE, BGP_AS_PATH, NULL, 0);
	writer_u32(&number, r->metric);
	if (r->metric)
		bgp_attribute_put(w, BGP_FLAG_OPTIONAL, BGP_MED, med, sizeof(med));
}

/* What the policy makes of it, in W. False: it does not pass. */
static bool pass(const struct importer *m, const struct netlink_fib_route *r, struct writer *w)
{
	uint8_t bytes[64];
	struct writer base = writer_of(bytes, sizeof(bytes));
	const struct bgp_next_hop_value ourselves = {0};
	struct policy_result result;
	struct bgp_facts facts;
	struct reader set;

	write_set(r, &base);
	set = reader_of(bytes, writer_len(&base));
	if (!m->policy) {
		writer_bytes(w, bytes, writer_len(&base));
		return !*m->afbr->config->import.policy && r->dst.len;
	}
	bgp_facts_of(set, &facts);
	policy_judge(m->policy,
		&(struct policy_subject){.family = family_of(&r->dst),
			.prefix = &r->dst,
			.set = set,
			.facts = &facts,
			.next_hop = &ourselves,
			.source = "kernel"},
		&result);
	return result.verdict == POLICY_ACCEPT && !policy_apply(m->policy, &result, set, w);
}

static void tell(struct importer *m, struct known *first)
{
	static const struct bgp_next_hop_value ourselves;
	const struct known *best = speaker(first);
	const struct bgp_nlri nlri = {.prefix = first->route.dst};
	enum bgp_family family = family_of(&nlri.prefix);
	uint8_t bytes[4096];
	struct writer w = writer_of(bytes, sizeof(bytes));

	if (best && pass(m, &best->route, &w)) {
		if (bgp_originate(m->afbr->bgp, family, &nlri, reader_of(bytes, writer_len(&w)), &ourselves,
			    BGP_KERNEL, loop_clock())) {
			m->starved = true;
			return;
		}
		m->told += !first->told;
		first->told = true;
	} else if (first->told) {
		bgp_unoriginate(m->afbr->bgp, family, &nlri.prefix, BGP_KERNEL);
		m->told--;
		first->told = false;
	}
}

/* Tells of its prefix without it, and forgets it. */
static void remove_known(struct importer *m, struct known *k)
{
	if (!k->gone) {
		k->gone = true;
		tell(m, first_of(m, &k->route.dst));
	}
	drop(m, k);
}

/* ---- news ---- */

static bool is_wanted(const struct importer *m, const struct netlink_fib_route *r)
{
	const struct addr *a = &r->dst.addr;
	const struct afbr_import *c = &m->afbr->config->import;

	if (r->protocol == NETLINK_BGP || addr_is_link_local(a) || addr_is_multicast(a) ||
		addr_is_loopback(a))
		return false;
	if (r->type != RTN_UNICAST && r->type != RTN_BLACKHOLE && r->type != RTN_UNREACHABLE &&
		r->type != RTN_PROHIBIT)
		return false;
	for (unsigned i = 0; i < c->protocol_count; i++)
		if (c->protocols[i] == r->protocol)
			return true;
	return false;
}

static void came(struct importer *m, const struct netlink_fib_route *r)
{
	struct known *first = first_of(m, &r->dst), *k = find(first, r);
	bool news = !k || k->gone || k->revision != m->revision;

	if (k) {
		k->route = *r;
		unlink_known(m, k);
		link_newest(m, k);
	} else {
		k = add(m, first, r);
	}
	if (!k)
		return;
	k->gone = false;
	k->revision = m->revision;
	if (news)
		tell(m, first ? first : k);
}

/* A reading that is under way may have been told of it before it went: it is remembered as gone until then. */
static void went(struct importer *m, const struct netlink_fib_route *r)
{
	struct known *first = first_of(m, &r->dst), *k = find(first, r);

	if (k && k->route.hops > r->hops && !k->gone) {
		k->route.hops -= r->hops;
		return;
	}
	if (!k && m->under_way)
		k = add(m, first, r);
	if (!k)
		return;
	if (!m->under_way) {
		remove_known(m, k);
		return;
	}
	k->gone = true;
	unlink_known(m, k);
	link_oldest(m, k);
	tell(m, first ? first : k);
}

/* R has taken the place of another one of its destination, table and metric. Of which one, the kernel does not say. */
static void replaced(struct importer *m, const struct netlink_fib_route *r)
{
	const struct known *k = find(first_of(m, &r->dst), r);
	bool itself = k && !k->gone;
	struct netlink_fib_route other = {0};
	unsigned others = 0;

	if (itself && !is_wanted(m, r)) {
		other = k->route;
		went(m, &other);
	}
	for (k = first_of(m, &r->dst); k; k = k->same)
		if (k->route.table == r->table && k->route.metric == r->metric &&
			k->route.identity != r->identity && !k->gone) {
			other = k->route;
			others++;
		}
	/* The new one first, or the prefix would be withdrawn in between. */
	if (is_wanted(m, r))
		came(m, r);
	if (others > 1)
		netlink_reader_again(m->reader);
	/* An IPv6 route of several gateways takes its own place. */
	if (others == 1 && (r->dst.addr.family == AF_INET || !itself))
		went(m, &other);
}

static void begun(void *owner)
{
	struct importer *m = owner;

	m->reading++;
	m->under_way = true;
}

static void route(void *owner, enum netlink_news news, const struct netlink_fib_route *r)
{
	struct importer *m = owner;
	const struct known *k;

	switch (news) {
	case NETLINK_READ:
		k = find(first_of(m, &r->dst), r);
		if (k && k->gone) /* since: it went while it was read */
			return;
		if (is_wanted(m, r))
			came(m, r);
		break;
	case NETLINK_CAME:
		if (is_wanted(m, r))
			came(m, r);
		break;
	case NETLINK_REPLACED:
		replaced(m, r);
		break;
	case NETLINK_WENT:
		went(m, r);
		break;
	}
}

static void ended(void *owner)
{
	struct importer *m = owner;

	m->under_way = false;
	m->complete = m->reading;
	wheel_arm(&m->afbr->loop->wheel, &m->timer, loop_now(m->afbr->loop));
	if (m->starved && m->reader)
		netlink_reader_again(m->reader);
	m->starved = false;
}

static void sweep(struct wheel_timer *t, msec now)
{
	struct importer *m = container_of(t, struct importer, timer);

	if (m->under_way)
		return; /* what it has not found is dropped behind it */
	for (unsigned i = 0; i < SWEEP_SLICE && m->oldest && m->oldest->seen < m->complete; i++)
		remove_known(m, m->oldest);
	if (m->oldest && m->oldest->seen < m->complete)
		wheel_arm(&m->afbr->loop->wheel, t, now);
}

/* ---- life ---- */

static int begin(struct importer *m)
{
	static const struct netlink_reader_ops ops = {begun, route, ended};
	const struct afbr_import *c = &m->afbr->config->import;

	m->policy = afbr_config_policy(m->afbr->config, c->policy);
	m->revision++;
	if (!c->present)
		return 0;
	m->reader = netlink_reader_new(
		m->afbr->loop, c->tables, c->table_count, c->protocols, c->protocol_count, true, &ops, m);
	return m->reader ? 0 : -errno;
}

int import_start(struct afbr *a)
{
	struct importer *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->afbr = a;
	m->timer.fire = sweep;
	pool_init(&m->pool, sizeof(struct known));
	a->importer = m;
	r = begin(m);
	if (r)
		log_message(a->log, LEVEL_ERROR, "start-failed",
			"afbr: the kernel's routes cannot be watched: %s", strerror(-r));
	return r;
}

static bool is_equal(const struct afbr_import *a, const struct afbr_import *b)
{
	return a->present == b->present && a->table_count == b->table_count &&
	       !memcmp(a->tables, b->tables, a->table_count * sizeof(a->tables[0])) &&
	       a->protocol_count == b->protocol_count &&
	       !memcmp(a->protocols, b->protocols, a->protocol_count * sizeof(a->protocols[0])) &&
	       !strcmp(a->policy, b->policy);
}

void import_change(struct afbr *a, const struct afbr_config *old)
{
	struct importer *m = a->importer;
	const struct policy *policy = afbr_config_policy(a->config, a->config->import.policy);

	if (!m)
		return;
	if (is_equal(&a->config->import, &old->import) &&
		policy_equal(policy, afbr_config_policy(old, old->import.policy))) {
		m->policy = policy;
		return;
	}
	netlink_reader_free(m->reader);
	m->reader = NULL;
	m->under_way = false;
	if (begin(m))
		log_message(a->log, LEVEL_ERROR, "bgp", "the kernel's routes cannot be watched any more: %s",
			strerror(errno));
	if (!m->reader) { /* as if a reading had found nothing */
		begun(m);
		ended(m);
	}
}

void import_again(struct afbr *a, const struct prefix *prefix)
{
	struct known *first = a->importer ? first_of(a->importer, prefix) : NULL;

	if (first)
		tell(a->importer, first);
}

void import_stop(struct afbr *a)
{
	struct importer *m = a->importer;

	if (!m)
		return;
	netlink_reader_free(m->reader);
	m->reader = NULL;
	wheel_disarm(&a->loop->wheel, &m->timer);
}

void import_free(struct afbr *a)
{
	struct importer *m = a->importer;

	if (!m)
		return;
	import_stop(a);
	for (struct known *k = m->oldest; k;) {
		struct known *newer = k->newer;

		pool_free(&m->pool, k);
		k = newer;
	}
	(void)pool_done(&m->pool);
	hash_free(&m->prefixes);
	free(m);
	a->importer = NULL;
}

void import_show(const struct afbr *a, struct json_t *object)
{
	const struct importer *m = a->importer;
	json_t *group;

	if (!m || !m->reader)
		return;
	group = json_object();
	json_object_set_new(group, "found", json_integer(m->count));
	json_object_set_new(group, "told", json_integer(m->told));
	json_object_set_new(object, "import", group);
}
