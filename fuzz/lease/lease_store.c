/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The whole store under a sequence of operations, three bytes each. Always: every call is answered once, nobody's prefixes
 * overlap anybody's, what was granted is what is shown and found, and counts are right.
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
	"2001:db8:1:300::/60", "2001:db8:2::/63", "2001:db8:4::/47", "192.0.2.0/24", "2001:db8:5::/65"};

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

static void user_name(char name[16], uint8_t n)
{
	snprintf(name, 16, "u%u", n % USERS);
}

static void configure(struct lease_store *s, uint8_t a, uint8_t b)
{
	struct lease_pool_config c[2] = {{.name = "default"}, {.name = "other"}};
	char why[256];

	if (a & 1)
		c[0].link6 = choose(a >> 1);
	if (b & 1)
		c[0].delegate_from = choose(b >> 1);
	c[0].delegate_len = 52 + (a ^ b) % 14;
	c[1].delegate_from = choose(b >> 4);
	c[1].delegate_len = 60;
	why[0] = '\0';
	if (lease_store_set_pools(s, c, 2, why) && !why[0])
		abort();
}

static void acquire(struct lease_store *s, uint8_t a, uint8_t b)
{
	struct lease_request r = {.want_link = b & 1, .want_delegated = b & 2};
	struct answered got = {0};
	const struct lease *l;

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
	lease_acquire(s, &r, on_answer, &got);
	if (got.count != 1)
		abort();
	if (got.result)
		return;
	l = lease_find(s, r.user, r.slot);
	if (!l || !l->active || !prefix_equal(&l->link6, &got.lease.link6) ||
		l->prefix_count != got.lease.prefix_count)
		abort();
	for (unsigned i = 0; i < r.fixed_count; i++)
		if (!prefix_equal(&l->delegated[i], &r.fixed[i]))
			abort();
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

static void reserve(struct lease_store *s, uint8_t a, uint8_t b)
{
	struct prefix p = choose(b);
	char name[16];

	user_name(name, a);
	lease_store_reserve(s, &p, name);
}

static unsigned spans_of(const struct lease *l, struct prefix ret[LEASE_PREFIXES + 1])
{
	unsigned n = l->prefix_count;

	memcpy(ret, l->delegated, sizeof(l->delegated));
	if (!prefix_is_none(&l->link6))
		ret[n++] = l->link6;
	return n;
}

static void check(struct lease_store *s)
{
	struct prefix all[2 * USERS * (LEASE_PREFIXES + 1)];
	unsigned count = 0, leases = 0, active = 0;
	uint32_t cursor = 0;
	size_t store_active;
	const struct lease *l;

	while ((l = lease_next(s, &cursor))) {
		count += spans_of(l, all + count);
		leases++;
		active += l->active;
	}
	for (unsigned i = 0; i < count; i++) {
		if (!lease_find_by_addr(s, &all[i].addr))
			abort();
		for (unsigned j = 0; j < i; j++)
			if (prefix_overlaps(&all[i], &all[j]))
				abort();
	}
	if (lease_count(s, &store_active) != leases || store_active != active)
		abort();
}

static void step(struct lease_store *s, uint8_t what, uint8_t a, uint8_t b)
{
	char name[16];

	user_name(name, a);
	switch (what % 8) {
	case 0:
	case 1:
	case 2:
		acquire(s, a, b);
		break;
	case 3:
		lease_idle(s, name, a >> 7);
		break;
	case 4:
		other_request(s, 0, a, b);
		break;
	case 5:
		other_request(s, 1, a, b);
		break;
	case 6:
		configure(s, a, b);
		break;
	default:
		if (a & 0x80)
			lease_store_clear_reserved(s);
		else
			reserve(s, a, b);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char why[256];
	struct lease_store *s = lease_store_open(NULL, ":memory:", NULL, why);

	if (!s)
		abort();
	configure(s, 1 | 4 << 1, 1 | 2 << 1);
	for (size_t i = 0; i + 3 <= size && i < 3 * OPS_MAX; i += 3) {
		step(s, data[i], data[i + 1], data[i + 2]);
		check(s);
	}
	lease_store_close(s);
	return 0;
}
