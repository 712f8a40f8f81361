/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhcp4/print: messages in one line, for people. */

#include "dhcp4/packet.h"
#include "lib/text.h"

static void print_addr(struct text *t, const char *name, const struct addr *a)
{
	char buf[ADDR_TEXT];

	if (!addr_is_none(a))
		text_add(t, " %s %s", name, addr_print(a, buf));
}

static void print_time(struct text *t, const char *name, uint32_t seconds)
{
	if (seconds == DHCP4_INFINITE)
		text_add(t, " %s infinite", name);
	else if (seconds)
		text_add(t, " %s %u", name, seconds);
}

static void print_client(struct text *t, const struct dhcp4_message *m)
{
	if (m->client_id_len)
		text_add(t, " client ");
	for (size_t i = 0; i < m->client_id_len; i++)
		text_add(t, "%02x", m->client_id[i]);
}

static void print_subnets(struct text *t, const struct dhcp4_message *m)
{
	char buf[PREFIX_TEXT];

	if (m->subnet_request) {
		text_add(t, " subnet-request%s%s", m->request_hierarchical ? " h" : "",
			m->request_information ? " i" : "");
		if (m->request_len)
			text_add(t, " /%u", m->request_len);
	}
	if (m->subnet_information)
		text_add(t, " subnet-information%s%s", m->information_c ? " c" : "",
			m->information_s ? " s" : "");
	for (unsigned i = 0; i < m->subnet_count; i++)
		text_add(t, " %s%s%s", prefix_print(&m->subnets[i].prefix, buf),
			m->subnets[i].hierarchical ? " h" : "", m->subnets[i].deprecated ? " d" : "");
}

static void print_message(struct text *t, const struct dhcp4_message *m)
{
	text_add(t, "%s xid %08x", dhcp4_type_name(m->type), m->xid);
	if (m->secs)
		text_add(t, " secs %u", m->secs);
	if (m->broadcast)
		text_add(t, " broadcast");
	if (m->relayed)
		text_add(t, " relayed");
	print_addr(t, "ciaddr", &m->ciaddr);
	print_addr(t, "yiaddr", &m->yiaddr);
	print_client(t, m);
	print_addr(t, "server", &m->server);
	print_addr(t, "requested", &m->requested);
	print_time(t, "lease", m->lease);
	print_time(t, "T1", m->t1);
	print_time(t, "T2", m->t2);
	if (m->mask_len)
		text_add(t, " mask /%u", m->mask_len);
	print_addr(t, "router", &m->router);
	for (unsigned i = 0; i < m->dns_count; i++)
		print_addr(t, "dns", &m->dns[i]);
	if (m->mtu)
		text_add(t, " mtu %u", m->mtu);
	if (m->max_size)
		text_add(t, " max-size %u", m->max_size);
	if (m->rapid_commit)
		text_add(t, " rapid-commit");
	print_subnets(t, m);
	if (m->text[0])
		text_add(t, " \"%s\"", m->text);
}

void dhcp4_packet_print(const void *data, size_t len, char *buf, size_t size)
{
	struct text t = {.buf = buf, .size = size};
	struct dhcp4_message m;
	const char *why = NULL;

	if (size)
		buf[0] = '\0';
	if (dhcp4_message_read(data, len, &m, &why))
		text_add(&t, "DHCP %zu bytes malformed: %s", len, why);
	else
		print_message(&t, &m);
}
