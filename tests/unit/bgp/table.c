/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "lib/container.h"
#include "table.h"

const struct decision_source *table_source(const struct decision_ops *ops, uint16_t source)
{
	static struct decision_source sources[TABLE_SOURCES];

	sources[source] = (struct decision_source){.ours = !source,
		.id = source,
		.address = addr4(192, 0, (uint8_t)(source >> 8), (uint8_t)source)};
	return &sources[source];
}

static const struct decision_ops ops = {table_source};

static void note_changed(struct rib *r)
{
	container_of(r, struct table, rib)->changed++;
}

void table_open(struct table *t, enum bgp_family family)
{
	memset(t, 0, sizeof(*t));
	bgp_sets_init(&t->sets, 5, NULL);
	rib_init(&t->rib, family, &t->sets, &ops, 99, note_changed);
	for (unsigned i = 0; i < TABLE_SETS; i++) {
		uint8_t bytes[] = {0x40, BGP_LOCAL_PREFERENCE, 0, 4, 0, 0, 0, (uint8_t)i};
		struct bgp_facts facts = {.local_pref = 100 + i / 2, .has_local_pref = true};
		struct bgp_next_hop_value hop = {.global = addr4(198, 51, 100, (uint8_t)(i % 4))};

		t->set[i] = bgp_set_get(&t->sets, reader_of(bytes, sizeof(bytes)), &facts, &hop, 0);
		assert_non_null(t->set[i]);
		t->set[i]->next_hop->answered = t->set[i]->next_hop->reached = true;
	}
}

void table_close(struct table *t)
{
	rib_done(&t->rib);
	assert_int_equal(arena_bytes(&t->rib.nets) + arena_bytes(&t->rib.paths), 0);
	for (unsigned i = 0; i < TABLE_SETS; i++) {
		assert_int_equal(t->set[i]->refs, 1);
		bgp_set_unref(&t->sets, t->set[i]);
	}
	assert_int_equal(t->sets.lookup.live, 0);
	assert_int_equal(t->sets.bytes, 0);
	bgp_sets_done(&t->sets);
}

/* Neighbouring numbers differ in length, too. */
struct prefix table_prefix(const struct table *t, uint32_t i)
{
	uint8_t bytes[16] = {
		0x20, 0x01, (uint8_t)(i >> 25), (uint8_t)(i >> 17), (uint8_t)(i >> 9), (uint8_t)(i >> 1)};
	struct addr a;

	if (bgp_family_af(t->rib.family) == AF_INET6) {
		a = addr6_of(bytes);
		return prefix_of(&a, 64 - i % 2);
	}
	a = addr4((uint8_t)(i >> 17), (uint8_t)(i >> 9), (uint8_t)(i >> 1), 0);
	return prefix_of(&a, 24 + i % 2);
}

int table_tell(struct table *t, uint32_t i, uint16_t source, unsigned set, enum bgp_bar bar)
{
	struct bgp_nlri nlri = {.prefix = table_prefix(t, i)};

	return rib_update(&t->rib, &nlri, source, bgp_set_ref(t->set[set]), bar, 1000, NULL);
}

int table_withdraw(struct table *t, uint32_t i, uint16_t source)
{
	struct prefix p = table_prefix(t, i);

	return rib_withdraw(&t->rib, &p, source, NULL);
}

rib_id table_net(const struct table *t, uint32_t i)
{
	struct prefix p = table_prefix(t, i);

	for (rib_id net = arena_next(&t->rib.nets, 0); net; net = arena_next(&t->rib.nets, net)) {
		struct prefix q = rib_prefix(&t->rib, net);

		if (prefix_equal(&p, &q))
			return net;
	}
	return 0;
}
