/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What survives a restart: the DUID, and the prefixes, IPv4 address and subnets that we had, to be asked for again. */
#include "initiator/role.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { DUID_UUID_LEN = 18, SUBNET_LONGEST = 30, CLIENT_ID_DUID = 255 };

/* Somebody may have edited the file. */
static bool may_be_delegated(const struct prefix *p)
{
	return p->addr.family == AF_INET6 && p->len && p->len <= 64 && !addr_is_link_local(&p->addr) &&
	       !addr_is_multicast(&p->addr);
}

static bool may_be_ours(const struct addr *a)
{
	return a->family == AF_INET && a->bytes[0] && !addr_is_loopback(a) && !addr_is_link_local(a) &&
	       a->bytes[0] < 224;
}

static void load_prefix(struct initiator *i, const char *text)
{
	struct prefix p;

	if (prefix_parse(text, &p) == 0 && may_be_delegated(&p) && initiator_network_load(i, &p))
		i->hint.prefixes[i->hint.prefix_count++] =
			(struct dhcp6_prefix){.prefix = p, .status = DHCP6_NO_STATUS};
}

static void load_subnet(struct initiator *i, const char *text)
{
	struct prefix p;

	if (prefix_parse(text, &p) == 0 && may_be_ours(&p.addr) && p.len && p.len <= SUBNET_LONGEST &&
		initiator_network4_load(i, &p))
		i->hint4.subnets[i->hint4.subnet_count++] =
			(struct dhcp4_subnet){.prefix = p, .hierarchical = true};
}

static void load_list(
	struct initiator *i, const json_t *array, void (*load)(struct initiator *i, const char *text))
{
	const json_t *item;
	size_t n;

	json_array_foreach(array, n, item) if (json_is_string(item)) load(i, json_string_value(item));
}

static void load_address4(struct initiator *i, const json_t *text)
{
	struct addr a;

	if (!json_is_string(text) || addr_parse(json_string_value(text), &a) || !may_be_ours(&a))
		return;
	i->hint4.has_address = true;
	i->hint4.address = a;
}

static bool load_duid(struct initiator *i, const char *hex)
{
	struct dhcp6_client_config *d = &i->softwire.dhcp6_client;
	size_t len = strlen(hex) / 2;

	if (len < 4 || len > sizeof(d->duid) || strlen(hex) % 2)
		return false;
	for (size_t n = 0; n < len; n++) {
		unsigned byte;

		if (sscanf(hex + 2 * n, "%2x", &byte) != 1)
			return false;
		d->duid[n] = (uint8_t)byte;
	}
	d->duid_len = len;
	return true;
}

/* RFC 4361 section 6.1: DHCPv4 knows us by the same DUID. */
static void derive_client_id(struct initiator *i)
{
	const struct dhcp6_client_config *d = &i->softwire.dhcp6_client;
	struct dhcp4_client_config *c = &i->softwire.dhcp4_client;
	struct writer w = writer_of(c->client_id, sizeof(c->client_id));

	writer_u8(&w, CLIENT_ID_DUID);
	writer_u32(&w, d->iaid);
	writer_bytes(&w, d->duid, d->duid_len);
	c->client_id_len = writer_ok(&w) ? writer_len(&w) : 0;
}

void initiator_state_load(struct initiator *i)
{
	struct dhcp6_client_config *d = &i->softwire.dhcp6_client;
	const char *duid = NULL;
	json_t *state = *i->config.state_path ? json_load_file(i->config.state_path, 0, NULL) : NULL;

	if (state && json_unpack(state, "{s:s}", "duid", &duid) == 0 && load_duid(i, duid)) {
		if (i->config.ipv6)
			load_list(i, json_object_get(state, "prefixes"), load_prefix);
		if (i->config.ipv4) {
			load_address4(i, json_object_get(state, "address4"));
			load_list(i, json_object_get(state, "subnets"), load_subnet);
			initiator_network4_loaded(i);
		}
	} else { /* DUID-UUID, RFC 6355 */
		memcpy(d->duid, (uint8_t[2]){0, 4}, 2);
		rng_bytes(i->rng, d->duid + 2, DUID_UUID_LEN - 2);
		d->duid_len = DUID_UUID_LEN;
		initiator_state_save(i);
	}
	json_decref(state);
	derive_client_id(i);
}

static json_t *prefix_text(const struct prefix *p)
{
	char buf[PREFIX_TEXT];

	return json_string(prefix_print(p, buf));
}

void initiator_state_save(struct initiator *i)
{
	const struct dhcp6_client_config *d = &i->softwire.dhcp6_client;
	char hex[2 * DHCP6_DUID_MAX + 1] = "", path[sizeof(i->config.state_path) + 8], buf[ADDR_TEXT];
	json_t *prefixes, *subnets, *state;

	if (!*i->config.state_path)
		return;
	prefixes = json_array();
	subnets = json_array();
	for (size_t n = 0; n < d->duid_len; n++)
		snprintf(hex + 2 * n, 3, "%02x", d->duid[n]);
	for (unsigned n = 0; n < i->hint.prefix_count; n++)
		json_array_append_new(prefixes, prefix_text(&i->hint.prefixes[n].prefix));
	for (unsigned n = 0; n < i->hint4.subnet_count; n++)
		json_array_append_new(subnets, prefix_text(&i->hint4.subnets[n].prefix));
	state = json_pack("{s:s, s:o, s:o}", "duid", hex, "prefixes", prefixes, "subnets", subnets);
	if (state && i->hint4.has_address)
		json_object_set_new(state, "address4", json_string(addr_print(&i->hint4.address, buf)));
	snprintf(path, sizeof(path), "%s.new", i->config.state_path);
	if (!state || json_dump_file(state, path, JSON_INDENT(1)) || rename(path, i->config.state_path))
		log_message(i->log, LEVEL_WARN, "state", "%s cannot be written: %s", i->config.state_path,
			strerror(errno));
	json_decref(state);
}
