/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Tunnel Encapsulation attribute: what was decoded, and is written again, decodes to the same, in the form of RFC 5512, too. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/tunnel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void promises(const struct bgp_tunnels *all)
{
	char text[256];

	check(all->count <= BGP_TUNNELS && (!all->ignored || all->why));
	for (unsigned i = 0; i < all->count; i++) {
		const struct bgp_tunnel *t = &all->tunnel[i];

		check(bgp_tunnel_type_name(t->type) != NULL);
		check(strlen(bgp_tunnel_print(t, text, sizeof(text))) < sizeof(text));
		check(t->type != BGP_TUNNEL_L2TPV3 ||
			(t->session && (t->cookie_len == 0 || t->cookie_len == 4 || t->cookie_len == 8)));
		check(t->color_count <= BGP_TUNNEL_COLORS && t->label_count <= BGP_TUNNEL_LABELS &&
			t->key_count <= BGP_TUNNEL_KEYS);
		check(t->has_endpoint || !t->endpoint.family);
		check(t->embedded_label <= 2);
	}
}

static size_t write_again(const struct bgp_tunnels *all, bool legacy, uint8_t *buf, size_t size)
{
	struct writer w = writer_of(buf, size);

	bgp_tunnels_write(&w, all->tunnel, all->count, legacy);
	check(writer_ok(&w));
	return writer_len(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct bgp_tunnels first, second;
	static uint8_t a[4096], b[4096];
	const char *why = NULL;
	size_t len;

	if (bgp_tunnels_read(reader_of(data, size), &first, &why)) {
		check(why != NULL);
		return 0;
	}
	promises(&first);
	for (int legacy = 0; first.count && legacy < 2; legacy++) {
		len = write_again(&first, legacy, a, sizeof(a));
		check(bgp_tunnels_read(reader_of(a, len), &second, &why) == 0);
		check(second.count == first.count && !second.ignored);
		check(write_again(&second, legacy, b, sizeof(b)) == len && memcmp(a, b, len) == 0);
	}
	return 0;
}
