/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules of the routing policy that forbid.
 *
 * Ours are known by protocol, preference and form. What is there is read first: what is wanted and missing is added, then what is there and not wanted is deleted.
 *
 * Hushing. The kernel looks for the way of an ICMP error that it makes as for any other packet of its own, and gives up where that is prohibited. Type and code
 * are what the policy sees as its destination port (struct flowi_uli). With `iif lo` only packets that this host makes are looked at so closely; without, all
 * that it forwards would be.
 */
#include <errno.h>
#include <linux/fib_rules.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>
#include <string.h>

#include "netlink/fib.h"
#include "netlink/request.h"

enum { RULES_AT_ONCE = 64, RULE_BYTES = 16 + 12 + 20 + 20 + 8 + 8 + 8 + 8, TRIES = 5 };

_Static_assert(RULES_AT_ONCE *RULE_BYTES <= NETLINK_BUFFER, "they are built where requests are");
_Static_assert(sizeof(((struct netlink_rule *)0)->interface) == IFNAMSIZ, "a name of an interface");

#define LOOPBACK "lo"

static uint8_t icmp_of(uint8_t family)
{
	return family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
}

/* Type and code of the error, as a port. */
static uint16_t port_unreachable(uint8_t family)
{
	return family == AF_INET6 ? ICMP6_DST_UNREACH << 8 | ICMP6_DST_UNREACH_NOPORT
				  : ICMP_DEST_UNREACH << 8 | ICMP_PORT_UNREACH;
}

/* ---- what is there ---- */

struct rules {
	struct netlink_rule *list;
	unsigned count, room;
	bool hush; /* of which form */
};

/* What one message says. */
struct facts {
	uint8_t family, protocol;
	uint32_t preference;
	struct addr src, dst;
	char interface[IFNAMSIZ];
	uint8_t ip_protocol;               /* 0: any */
	struct fib_rule_port_range dports; /* 0 to 0: any */
	bool more;                         /* conditions that ours have not */
};

static struct addr to_addr(const struct nlattr *a, uint8_t family)
{
	struct addr r = {0};

	if (mnl_attr_get_payload_len(a) == addr_size(family)) {
		r.family = family;
		memcpy(r.bytes, mnl_attr_get_payload(a), addr_size(family));
	}
	return r;
}

static int take_attribute(const struct nlattr *a, void *arg)
{
	struct facts *f = arg;

	switch (mnl_attr_get_type(a)) {
	case FRA_SRC:
		f->src = to_addr(a, f->family);
		break;
	case FRA_DST:
		f->dst = to_addr(a, f->family);
		break;
	case FRA_IIFNAME:
		if (mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0 && strlen(mnl_attr_get_str(a)) < IFNAMSIZ)
			memcpy(f->interface, mnl_attr_get_str(a), strlen(mnl_attr_get_str(a)));
		break;
	case FRA_PRIORITY:
		f->preference = mnl_attr_validate(a, MNL_TYPE_U32) < 0 ? 0 : mnl_attr_get_u32(a);
		break;
	case FRA_PROTOCOL:
		f->protocol = mnl_attr_validate(a, MNL_TYPE_U8) < 0 ? 0 : mnl_attr_get_u8(a);
		break;
	case FRA_IP_PROTO:
		f->ip_protocol = mnl_attr_validate(a, MNL_TYPE_U8) < 0 ? 0 : mnl_attr_get_u8(a);
		break;
	case FRA_DPORT_RANGE:
		if (mnl_attr_get_payload_len(a) == sizeof(f->dports))
			memcpy(&f->dports, mnl_attr_get_payload(a), sizeof(f->dports));
		break;
	case FRA_OIFNAME:
	case FRA_FWMARK:
	case FRA_SPORT_RANGE:
	case FRA_UID_RANGE:
		f->more = true;
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

static int append(struct rules *all, const struct netlink_rule *rule)
{
	if (all->count == all->room) {
		unsigned room = all->room ? 2 * all->room : RULES_AT_ONCE;
		struct netlink_rule *more = realloc(all->list, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		all->list = more;
		all->room = room;
	}
	all->list[all->count++] = *rule;
	return 0;
}

static bool is_ours(const struct fib_rule_hdr *m, const struct facts *f)
{
	return m->action == FR_ACT_PROHIBIT && f->protocol == NETLINK_PROTOCOL &&
	       f->preference == NETLINK_RULE_PREFERENCE && !(m->flags & FIB_RULE_INVERT) && !m->tos &&
	       !f->more && *f->interface && addr_is_none(&f->src) != addr_is_none(&f->dst);
}

static bool is_border(const struct facts *f)
{
	return !f->ip_protocol && !f->dports.start && !f->dports.end;
}

static bool is_hush(const struct fib_rule_hdr *m, const struct facts *f)
{
	return !strcmp(f->interface, LOOPBACK) && m->src_len == addr_bits(f->family) &&
	       f->ip_protocol == icmp_of(f->family) && f->dports.start == port_unreachable(f->family) &&
	       f->dports.end == f->dports.start;
}

static int take_rule(const struct nlmsghdr *h, void *arg)
{
	const struct fib_rule_hdr *m = mnl_nlmsg_get_payload(h);
	struct rules *all = arg;
	struct netlink_rule rule = {.hush = all->hush};
	struct facts f = {0};

	if (h->nlmsg_type != RTM_NEWRULE || mnl_nlmsg_get_payload_len(h) < sizeof(*m))
		return -EBADMSG;
	f.family = m->family;
	if (mnl_attr_parse(h, sizeof(*m), take_attribute, &f) < 0)
		return -EBADMSG;
	if (!is_ours(m, &f) || !(all->hush ? is_hush(m, &f) : is_border(&f)))
		return 0;
	memcpy(rule.interface, f.interface, sizeof(rule.interface));
	rule.from = !addr_is_none(&f.src);
	rule.prefix.addr = rule.from ? f.src : f.dst;
	rule.prefix.len = rule.from ? m->src_len : m->dst_len;
	return append(all, &rule);
}

/* A kernel without such rules has none of ours. */
static int read_family(struct netlink *n, uint8_t family, struct rules *all)
{
	unsigned before = all->count;
	int r = -EAGAIN;

	for (int i = 0; i < TRIES && r == -EAGAIN; i++) {
		struct fib_rule_hdr *m;
		void *header;
		struct nlmsghdr *h = request_begin(n, RTM_GETRULE, NLM_F_DUMP, sizeof(*m), &header);

		m = header;
		m->family = family;
		all->count = before;
		r = request_run(n, h, take_rule, all);
	}
	return r == -EAFNOSUPPORT || r == -EOPNOTSUPP ? 0 : r;
}

/* ---- changing it ---- */

static size_t put(void *at, uint32_t sequence, bool add, const struct netlink_rule *rule)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(at);
	struct fib_rule_hdr *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	h->nlmsg_type = add ? RTM_NEWRULE : RTM_DELRULE;
	h->nlmsg_flags = NLM_F_REQUEST | (add ? NLM_F_CREATE | NLM_F_EXCL : 0);
	h->nlmsg_seq = sequence;
	m->family = rule->prefix.addr.family;
	m->action = FR_ACT_PROHIBIT;
	if (rule->from)
		m->src_len = rule->prefix.len;
	else
		m->dst_len = rule->prefix.len;
	mnl_attr_put_strz(h, FRA_IIFNAME, rule->interface);
	request_put_addr(h, rule->from ? FRA_SRC : FRA_DST, &rule->prefix.addr);
	if (rule->hush) {
		const uint16_t error = port_unreachable(m->family);
		const struct fib_rule_port_range ports = {.start = error, .end = error};

		mnl_attr_put_u8(h, FRA_IP_PROTO, icmp_of(m->family));
		mnl_attr_put(h, FRA_DPORT_RANGE, sizeof(ports), &ports);
	}
	mnl_attr_put_u32(h, FRA_PRIORITY, NETLINK_RULE_PREFERENCE);
	mnl_attr_put_u8(h, FRA_PROTOCOL, NETLINK_PROTOCOL);
	return h->nlmsg_len;
}

static int change_some(struct netlink *n, bool add, const struct netlink_rule *list, unsigned count)
{
	int errors[RULES_AT_ONCE] = {0}, r, first = 0;
	size_t len = 0;

	for (unsigned i = 0; i < count; i++)
		len += put(n->buffer + len, n->sequence + 1 + i, add, &list[i]);
	r = request_run_many(n, n->buffer, len, count, errors);
	for (unsigned i = 0; i < count && !r && !first; i++)
		if (add || errors[i] != -ENOENT)
			first = errors[i];
	return r ? r : first;
}

static int change(struct netlink *n, bool add, const struct rules *rules)
{
	int r = 0;

	for (unsigned done = 0; done < rules->count && !r; done += RULES_AT_ONCE) {
		unsigned some = rules->count - done < RULES_AT_ONCE ? rules->count - done : RULES_AT_ONCE;

		r = change_some(n, add, rules->list + done, some);
	}
	return r;
}

static bool has(const struct netlink_rule *list, unsigned count, const struct netlink_rule *rule)
{
	for (unsigned i = 0; i < count; i++)
		if (list[i].from == rule->from && prefix_equal(&list[i].prefix, &rule->prefix) &&
			!strncmp(list[i].interface, rule->interface, IFNAMSIZ))
			return true;
	return false;
}

/* Those of LIST that OTHERS lack, each once. */
static int find_missing(
	const struct netlink_rule *list, unsigned count, const struct rules *others, struct rules *ret)
{
	int r = 0;

	for (unsigned i = 0; i < count && !r; i++)
		if (!has(others->list, others->count, &list[i]) && !has(ret->list, ret->count, &list[i]))
			r = append(ret, &list[i]);
	return r;
}

/* From the rules of that form that are there to those that are wanted. */
static int arrange(struct netlink *n, bool hush, const struct netlink_rule *rules, unsigned count)
{
	const struct rules wanted = {.list = (struct netlink_rule *)rules, .count = count};
	struct rules there = {.hush = hush}, come = {0}, go = {0};
	int r;

	r = read_family(n, AF_INET, &there);
	if (!r)
		r = read_family(n, AF_INET6, &there);
	if (!r)
		r = find_missing(rules, count, &there, &come);
	if (!r)
		r = find_missing(there.list, there.count, &wanted, &go);
	if (!r)
		r = change(n, true, &come);
	if (!r)
		r = change(n, false, &go);
	free(there.list);
	free(come.list);
	free(go.list);
	return r;
}

int netlink_rules(struct netlink *n, const struct netlink_rule *rules, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (!*rules[i].interface || addr_is_none(&rules[i].prefix.addr) || !rules[i].prefix.len ||
			rules[i].hush)
			return -EINVAL;
	return arrange(n, false, rules, count);
}

int netlink_hush(struct netlink *n, const struct addr *locals, unsigned count)
{
	struct netlink_rule rules[NETLINK_HUSHED] = {0};

	if (count > NETLINK_HUSHED)
		return -EINVAL;
	for (unsigned i = 0; i < count; i++) {
		if (addr_is_none(&locals[i]))
			return -EINVAL;
		rules[i] = (struct netlink_rule){.interface = LOOPBACK,
			.from = true,
			.prefix = {.addr = locals[i], .len = addr_bits(locals[i].family)},
			.hush = true};
	}
	return arrange(n, true, rules, count);
}
