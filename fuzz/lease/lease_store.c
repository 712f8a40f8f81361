/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole store under a sequence of operations, three bytes each: what and how, and two for the details. Always: every call
 * is answered once, nobody's prefixes overlap anybody's, what was granted is what is shown and found, counts are right, and
 * nothing stays in a temporary pool that nobody holds.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lease/lease.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { USERS = 16, OPS_MAX = 200 };

static const char *const prefixes[] = {"2001:db8:1::/56", "2001:db8:1:100::/56", "2001:db8:1::/48",
	"2001:db8:1:101::/64", "2001:db8:2::/64", "2001:db8:2:1::/64", "2001:db8:3::/48",
	"2001:db8:1:300::/60", "2001:db8:2::/63", "2001:db8:4::/47", "192.0.2.0/24", "2001:db8:5::/65",
	"::/30", "0:0:c000:200::/64"};
static const char *const prefixes4[] = {"192.0.2.0/28", "192.0.2.0/27", "192.0.2.8/30", "192.0.2.9/32",
	"192.0.2.0/32", "192.0.2.32/29", "198.51.100.0/31", "198.51.100.4/32", "10.0.0.0/8", "10.0.0.0/16",
	"127.0.0.0/24", "224.0.0.1/32", "192.0.2.12/30", "2001:db8:6::/48", "0.0.0.0/0"};

struct answered {
	unsigned count;
	int result;
	struct lease lease;
};

static void on_answer(void *owner, int result, const struct lease *lease, const char *why)
{
	struct answered *a = owner;

	if (!why || (result && (lease || !why[0])))
		abort();
	a->count++;
	a->result = result;
	if (lease)
		a->lease = *lease;
}

static struct prefix choose(uint8_t n)
{
	struct prefix p;

	if (prefix_parse(prefixes[n % (sizeof(prefixes) / sizeof(prefixes[0]))], &p))
		abort();
	return p;
}

static struct prefix choose4(uint8_t n)
{
	struct prefix p;

	if (prefix_parse(prefixes4[n % (sizeof(prefixes4) / sizeof(prefixes4[0]))], &p))
		abort();
	return p;
}

static void user_name(char name[16], uint8_t n)
{
	snprintf(name, 16, "u%u", n % USERS);
}

struct world {
	struct lease_store *s;
	bool temporary[2]; /* "default" and "other", as last configured */
};

static void configure(struct world *w, uint8_t how, uint8_t a, uint8_t b)
{
	struct lease_pool_config c[2] = {{.name = "default"}, {.name = "other"}};
	unsigned count = how & 16 ? 1 : 2;
	char why[256];

	if (a & 1)
		c[0].link6 = choose(a >> 1);
	if (b & 1)
		c[0].delegate_from = choose(b >> 1);
	c[0].delegate_len = 52 + (a ^ b) % 14;
	c[1].delegate_from = choose(b >> 4);
	c[1].delegate_len = 60;
	if (how & 1)
		c[0].ipv4 = choose4(b);
	if (how & 2)
		c[0].delegate4_from = choose4(a);
	c[0].delegate4_len = 24 + (a ^ b) % 9;
	c[0].temporary = how & 4;
	c[1].temporary = how & 8;
	why[0] = '\0';
	if (lease_store_set_pools(w->s, c, count, why)) {
		if (!why[0])
			abort();
		return;
	}
	for (unsigned i = 0; i < count; i++)
		w->temporary[i] = c[i].temporary;
}

static void check_granted(struct lease_store *s, const struct lease_request *r, const struct lease *got)
{
	const struct lease *l = lease_find(s, r->user, r->slot);

	if (!l || !l->active || !prefix_equal(&l->link6, &got->link6) ||
		l->prefix_count != got->prefix_count || !addr_equal(&l->address4, &got->address4) ||
		l->subnet_count != got->subnet_count)
		abort();
	for (unsigned i = 0; i < r->fixed_count; i++)
		if (!prefix_equal(&l->delegated[i], &r->fixed[i]))
			abort();
	for (unsigned i = 0; i < r->fixed_subnet_count; i++)
		if (!prefix_equal(&l->subnets[i], &r->fixed_subnets[i]))
			abort();
	if (r->fixed4.family && !addr_equal(&l->address4, &r->fixed4))
		abort();
}

static void acquire(struct lease_store *s, uint8_t how, uint8_t a, uint8_t b)
{
	struct lease_request r = {
		.want_link = b & 1, .want_delegated = b & 2, .want_ipv4 = how & 1, .want_subnet = how & 2};
	struct answered got = {0};

	user_name(r.user, a);
	r.slot = a >> 7;
	if (b & 4)
		strcpy(r.pool, "other");
	if (b & 8)
		r.fixed[r.fixed_count++] = choose(b >> 4);
	if (b & 0x80)
		r.fixed[r.fixed_count++] = choose(b >> 3);
	if (a & 0x40)
		r.fixed_link = choose(b >> 4);
	if (how & 4)
		r.fixed4 = choose4(b).addr;
	if (how & 8)
		r.fixed_subnets[r.fixed_subnet_count++] = choose4(a);
	if (how & 16)
		r.fixed_subnets[r.fixed_subnet_count++] = choose4(b);
	lease_acquire(s, &r, on_answer, &got);
	if (got.count != 1)
		abort();
	if (!got.result)
		check_granted(s, &r, &got.lease);
}

static void other_request(struct lease_store *s, uint8_t what, uint8_t a, uint8_t b)
{
	uint8_t duid[32] = {0, 1, b};
	struct answered got = {0};
	char name[16];

	user_name(name, a);
	if (what == 0)
		lease_bind(s, name, a >> 7, duid, b % 33, b, on_answer, &got);
	else
		lease_forget(s, name, a >> 7, on_answer, &got);
	if (got.count != 1)
		abort();
}

static void reserve(struct lease_store *s, uint8_t how, uint8_t a, uint8_t b)
{
	struct prefix p = how & 1 ? choose4(b) : choose(b);
	char name[16] = "";

	if (!(how & 2))
		user_name(name, a);
	lease_store_reserve(s, &p, name);
}

enum { SPANS = 1 + LEASE_PREFIXES + 1 + LEASE_SUBNETS };

static unsigned spans_of(const struct lease *l, struct prefix ret[SPANS])
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->prefix_count; i++)
		ret[n++] = l->delegated[i];
	for (unsigned i = 0; i < l->subnet_count; i++)
		ret[n++] = l->subnets[i];
	if (!prefix_is_none(&l->link6))
		ret[n++] = l->link6;
	if (!addr_is_none(&l->address4))
		ret[n++] = prefix_of(&l->address4, 32);
	return n;
}

static void check(struct world *w)
{
	struct prefix all[2 * USERS * SPANS];
	unsigned count = 0, leases = 0, active = 0;
	uint32_t cursor = 0;
	size_t store_active;
	const struct lease *l;

	while ((l = lease_next(w->s, &cursor))) {
		count += spans_of(l, all + count);
		leases++;
		active += l->active;
		if (!l->active && w->temporary[strcmp(l->pool, "default") != 0])
			abort();
	}
	for (unsigned i = 0; i < count; i++) {
		if (!lease_find_by_addr(w->s, &all[i].addr))
			abort();
		for (unsigned j = 0; j < i; j++)
			if (prefix_overlaps(&all[i], &all[j]))
				abort();
	}
	if (lease_count(w->s, &store_active) != leases || store_active != active)
		abort();
}

static void step(struct world *w, uint8_t what, uint8_t a, uint8_t b)
{
	uint8_t how = what >> 3;
	char name[16];

	user_name(name, a);
	switch (what % 8) {
	case 0:
	case 1:
	case 2:
		acquire(w->s, how, a, b);
		break;
	case 3:
		lease_idle(w->s, name, a >> 7);
		break;
	case 4:
		other_request(w->s, 0, a, b);
		break;
	case 5:
		other_request(w->s, 1, a, b);
		break;
	case 6:
		configure(w, how, a, b);
		break;
	default:
		if (a & 0x80)
			lease_store_clear_reserved(w->s);
		else
			reserve(w->s, how, a, b);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[256];
	struct world w = {.s = lease_store_open(NULL, ":memory:", NULL, why)};

	if (!w.s)
		abort();
	configure(&w, 0, 1 | 4 << 1, 1 | 2 << 1);
	for (size_t i = 0; i + 3 <= size && i < 3 * OPS_MAX; i += 3) {
		step(&w, data[i], data[i + 1], data[i + 2]);
		check(&w);
	}
	lease_store_close(w.s);
	return 0;
}
