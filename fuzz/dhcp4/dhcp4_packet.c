/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decoder of DHCPv4. What it accepts is within its bounds, can be written, and is written the same again after it was read. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dhcp4/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void promises(const struct dhcp4_message *m)
{
	bool answer = m->type == DHCP4_OFFER || m->type == DHCP4_ACK || m->type == DHCP4_NAK;

	check(m->type >= DHCP4_DISCOVER && m->type < DHCP4_TYPES && m->reply == answer);
	check(m->hlen <= DHCP4_CHADDR && m->client_id_len <= DHCP4_CLIENT_ID_MAX && m->client_id_len != 1);
	check(m->mask_len <= 32 && m->dns_count <= DHCP4_DNS_MAX && m->subnet_count <= DHCP4_SUBNET_MAX);
	check(!m->mtu || m->mtu >= 68);
	check(m->request_len <= 30 && memchr(m->text, 0, sizeof(m->text)));
	check(m->subnet_information == (m->subnet_count > 0));
	for (unsigned i = 0; i < m->dns_count; i++)
		check(!addr_is_none(&m->dns[i]) && !addr_is_multicast(&m->dns[i]) &&
			!addr_is_loopback(&m->dns[i]));
	for (unsigned i = 0; i < m->subnet_count; i++) {
		const struct prefix *p = &m->subnets[i].prefix;
		struct prefix whole = prefix_of(&p->addr, p->len);

		check(p->len >= 1 && p->len <= 30 && prefix_equal(p, &whole));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t first[DHCP4_MESSAGE_MAX], second[DHCP4_MESSAGE_MAX];
	struct writer w = writer_of(first, sizeof(first)), w2 = writer_of(second, sizeof(second));
	struct dhcp4_message m = {.xid = 4711}, n;
	const char *why = NULL;
	char line[300];

	dhcp4_packet_print(data, size, line, sizeof(line));
	check(strlen(line) < sizeof(line));
	if (dhcp4_message_read(data, size, &m, &why)) {
		check(why && m.xid == 4711);
		return 0;
	}
	promises(&m);
	dhcp4_message_write(&w, &m);
	check(writer_ok(&w)); /* so much fits into a message of ours */
	check(writer_len(&w) >= 300);
	check(dhcp4_message_read(first, writer_len(&w), &n, &why) == 0);
	dhcp4_message_write(&w2, &n);
	check(writer_len(&w) == writer_len(&w2) && memcmp(first, second, writer_len(&w)) == 0);
	return 0;
}
