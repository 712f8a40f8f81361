/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages as our engine writes them, for others to read: a line each, what it is and its bytes in hexadecimal. See test_bgp_messages.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/update.h"

enum {
	EVERY = (1 << BGP_FAMILIES) - 1,
	WELL_KNOWN = BGP_FLAG_TRANSITIVE,
	OPTIONAL = BGP_FLAG_OPTIONAL,
	OPTIONAL_TRANSITIVE = BGP_FLAG_OPTIONAL | BGP_FLAG_TRANSITIVE,
};

static uint8_t message[BGP_EXTENDED_MAX], set_bytes[BGP_SET_MAX];

static void print(const char *what, const struct writer *w)
{
	if (!writer_ok(w) || !writer_len(w))
		exit(1);
	printf("%s ", what);
	for (size_t i = 0; i < writer_len(w); i++)
		printf("%02x", w->start[i]);
	printf("\n");
}

/* Every attribute that we write, but the Tunnel Encapsulation's Color, which tshark 4.0 misreads. */
static struct reader set_of(bool internal)
{
	static const uint8_t origin[] = {2}, number[] = {0, 0, 1, 0},
			     cluster[] = {192, 0, 2, 9, 192, 0, 2, 8};
	static const uint8_t path[] = {
		2, 2, 0xfa, 0x56, 0xea, 0, 0, 0, 0xfd, 0xe9, 1, 2, 0, 0, 0xfd, 0xea, 0xfa, 0x56, 0xea, 1};
	static const uint8_t aggregator[] = {0xfa, 0x56, 0xea, 0, 192, 0, 2, 9},
			     communities[] = {0xfd, 0xe8, 0, 1, 0xff, 0xff, 0xff, 1};
	static const uint8_t extended[] = {3, 0x0b, 0, 0, 0, 0, 0, 100, 3, 0x0c, 0, 0, 0, 0, 0, 2};
	static const uint8_t tunnel[] = {
		0, 2, 0, 18, 1, 4, 0, 0, 0, 7, 6, 10, 0, 0, 0, 0, 0, 1, 192, 0, 2, 1};
	static const uint8_t large[] = {0, 0, 0xfd, 0xe8, 0, 0, 0, 1, 0, 0, 0, 2}, unknown[300];
	struct writer w = writer_of(set_bytes, sizeof(set_bytes));

	bgp_attribute_put(&w, WELL_KNOWN, BGP_ORIGIN, origin, sizeof(origin));
	bgp_attribute_put(&w, WELL_KNOWN, BGP_AS_PATH, path, sizeof(path));
	bgp_attribute_put(&w, OPTIONAL, BGP_MED, number, sizeof(number));
	if (internal)
		bgp_attribute_put(&w, WELL_KNOWN, BGP_LOCAL_PREFERENCE, number, sizeof(number));
	bgp_attribute_put(&w, WELL_KNOWN, BGP_ATOMIC_AGGREGATE, NULL, 0);
	bgp_attribute_put(&w, OPTIONAL_TRANSITIVE, BGP_AGGREGATOR, aggregator, sizeof(aggregator));
	bgp_attribute_put(&w, OPTIONAL_TRANSITIVE, BGP_COMMUNITIES, communities, sizeof(communities));
	if (internal) {
		bgp_attribute_put(&w, OPTIONAL, BGP_ORIGINATOR_ID, number, sizeof(number));
		bgp_attribute_put(&w, OPTIONAL, BGP_CLUSTER_LIST, cluster, sizeof(cluster));
	}
	bgp_attribute_put(&w, OPTIONAL_TRANSITIVE, BGP_EXTENDED_COMMUNITIES, extended, sizeof(extended));
	bgp_attribute_put(&w, OPTIONAL_TRANSITIVE, BGP_TUNNEL_ENCAP, tunnel, sizeof(tunnel));
	bgp_attribute_put(&w, OPTIONAL_TRANSITIVE, BGP_LARGE_COMMUNITIES, large, sizeof(large));
	bgp_attribute_put(&w, OPTIONAL_TRANSITIVE | BGP_FLAG_PARTIAL, 99, unknown, sizeof(unknown));
	return reader_of(set_bytes, writer_len(&w));
}

static struct bgp_nlri nlri(const char *text, uint32_t label)
{
	struct bgp_nlri n = {.label = label};

	if (prefix_parse(text, &n.prefix))
		exit(1);
	return n;
}

static const struct way {
	const char *name;
	enum bgp_family family;
	const char *global, *link_local, *prefixes[2];
	uint32_t label;
} ways[] = {
	{"ipv4", BGP_IPV4, "192.0.2.1", NULL, {"198.51.100.0/24", "203.0.113.128/25"}, 0},
	{"ipv4-over-ipv6", BGP_IPV4, "2001:db8::1", NULL, {"198.51.100.0/24", "203.0.113.128/25"}, 0},
	{"ipv4-over-ipv6-local", BGP_IPV4, "2001:db8::1", "fe80::1", {"198.51.100.0/24", "203.0.113.128/25"},
		0},
	{"ipv6", BGP_IPV6, "2001:db8::1", NULL, {"2001:db8:1::/48", "2001:db8:2::/47"}, 0},
	{"ipv6-local", BGP_IPV6, "2001:db8::1", "fe80::1", {"2001:db8:1::/48", "2001:db8:2::/47"}, 0},
	{"ipv4-labeled", BGP_IPV4_LABELED, "192.0.2.1", NULL, {"198.51.100.0/24", "203.0.113.128/25"}, 1000},
	{"6pe", BGP_IPV6_LABELED, "192.0.2.1", NULL, {"2001:db8:1::/48", "2001:db8:2::/47"}, 1001},
	{"ipv4-encap", BGP_IPV4_ENCAP, "192.0.2.1", NULL, {"192.0.2.1/32", "192.0.2.2/32"}, 0},
	{"ipv6-encap", BGP_IPV6_ENCAP, "2001:db8::1", NULL, {"2001:db8::1/128", "2001:db8::2/128"}, 0},
};

/* Announced in W, withdrawn in W2. */
static void write_way(const struct way *y, const struct bgp_form *form)
{
	struct bgp_nlri n[] = {nlri(y->prefixes[0], y->label), nlri(y->prefixes[1], y->label)};
	struct bgp_next_hop_value hop = {{0}};
	struct bgp_update_writer u;
	struct writer w = writer_of(message, sizeof(message));
	char what[64];

	if (addr_parse(y->global, &hop.global) ||
		(y->link_local && addr_parse(y->link_local, &hop.link_local)))
		exit(1);
	snprintf(what, sizeof(what), "announce/%s/%s/as%u", y->name, form->external ? "external" : "internal",
		form->as4 ? 4 : 2);
	if (bgp_update_begin(&u, &w, form, y->family, set_of(!form->external), &hop))
		exit(1);
	for (unsigned i = 0; i < 2; i++)
		if (!bgp_update_add(&u, &n[i]))
			exit(1);
	bgp_update_end(&u);
	print(what, &w);

	snprintf(what, sizeof(what), "withdraw/%s", y->name);
	w = writer_of(message, sizeof(message));
	if (bgp_update_begin_withdraw(&u, &w, form, y->family) || !bgp_update_add(&u, &n[0]) ||
		!bgp_update_add(&u, &n[1]))
		exit(1);
	bgp_update_end(&u);
	print(what, &w);
}

static void write_others(void)
{
	struct bgp_open open = {.as = 4200000000u,
		.hold_time = 90,
		.id = 0xc0000201,
		.capabilities = {.families = EVERY,
			.extended_next_hop = BGP_FAMILY_BIT(BGP_IPV4) | BGP_FAMILY_BIT(BGP_IPV4_LABELED),
			.as4 = true,
			.refresh = true,
			.enhanced_refresh = true,
			.extended_message = true,
			.graceful = true,
			.restarted = true,
			.notification = true,
			.restart_time = 120,
			.graceful_families = EVERY,
			.preserved = EVERY}};
	struct bgp_error e;
	struct writer w = writer_of(message, sizeof(message));

	bgp_open_write(&w, &open);
	print("open", &w);
	w = writer_of(message, sizeof(message));
	bgp_keepalive_write(&w);
	print("keepalive", &w);
	w = writer_of(message, sizeof(message));
	bgp_refresh_write(&w, BGP_IPV6_LABELED, BGP_REFRESH_REQUEST);
	print("refresh", &w);
	bgp_cease(&e, BGP_CEASE_SHUTDOWN, "maintenance until noon");
	w = writer_of(message, sizeof(message));
	bgp_notification_write(&w, &e);
	print("cease", &w);
	for (unsigned f = 0; f < BGP_FAMILIES; f++) {
		w = writer_of(message, sizeof(message));
		bgp_end_of_rib_write(&w, (enum bgp_family)f);
		print("end-of-rib", &w);
	}
}

int main(void)
{
	write_others();
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		for (unsigned k = 0; k < 4; k++) {
			struct bgp_form form = {.as4 = k & 1,
				.external = k & 2,
				.families = EVERY,
				.extended_next_hop =
					ways[i].family == BGP_IPV4 && strchr(ways[i].global, ':') ? EVERY : 0,
				.max_message = BGP_MESSAGE_MAX};

			write_way(&ways[i], &form);
		}
	return 0;
}
