/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decoder of DHCPv6. What it accepts is within its bounds, can be written, and reads the same again. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dhcp6/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* What is never written, or points into the input. */
static void normalize(struct dhcp6_message *m)
{
	m->client.data = m->server.data = NULL;
	for (unsigned i = 0; i < m->ia_count; i++)
		for (unsigned k = 0; k < m->ias[i].prefix_count; k++)
			m->ias[i].prefixes[k].status = DHCP6_NO_STATUS;
}

static void promises(const struct dhcp6_message *m, const uint8_t *data, size_t size)
{
	check(m->type >= DHCP6_SOLICIT && m->type <= DHCP6_INFORMATION_REQUEST && m->xid <= 0xffffff);
	check(m->client.len <= DHCP6_DUID_MAX && m->server.len <= DHCP6_DUID_MAX);
	check(!m->client.len || (m->client.data > data && m->client.data + m->client.len <= data + size));
	check(m->ia_count <= DHCP6_IA_MAX && m->dns_count <= DHCP6_DNS_MAX);
	check(memchr(m->status_text, 0, sizeof(m->status_text)));
	for (unsigned i = 0; i < m->ia_count; i++) {
		check(m->type != DHCP6_INFORMATION_REQUEST && m->ias[i].prefix_count <= DHCP6_PREFIX_MAX);
		for (unsigned k = 0; k < m->ias[i].prefix_count; k++)
			check(m->ias[i].prefixes[k].prefix.len <= 128);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t buf[DHCP6_MESSAGE_MAX];
	static struct dhcp6_message m, n;
	struct writer w = writer_of(buf, sizeof(buf));
	const char *why = NULL;
	char line[300];

	dhcp6_packet_print(data, size, line, sizeof(line));
	check(strlen(line) < sizeof(line));
	if (dhcp6_message_read(data, size, &m, &why)) {
		check(why);
		return 0;
	}
	promises(&m, data, size);
	dhcp6_message_write(&w, &m);
	check(writer_ok(&w)); /* so much fits into a message of ours */
	check(dhcp6_message_read(buf, writer_len(&w), &n, &why) == 0);
	check(m.client.len == n.client.len && m.server.len == n.server.len);
	normalize(&m);
	normalize(&n);
	check(memcmp(&m, &n, sizeof(m)) == 0);
	return 0;
}
