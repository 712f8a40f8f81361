/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of the `afbr` group that have a form of their own: read from the file, and written as they would stand there. */
#include <ctype.h>
#include <linux/if_ether.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/mesh.h"
#include "netlink/fib.h"
#include "netlink/route.h"

/* ---- addresses ---- */

static bool parse_address(const char *text, void *ret)
{
	struct addr a;

	if (addr_parse(text, &a) || addr_is_unspecified(&a) || addr_is_multicast(&a) ||
		(a.family == AF_INET && a.bytes[0] >= 224))
		return false;
	memcpy(ret, &a, sizeof(a));
	return true;
}

static void print_address(const void *value, char buf[CONFIG_VALUE])
{
	struct addr a;

	memcpy(&a, value, sizeof(a));
	addr_print(&a, buf);
}

const struct config_syntax mesh_address = {"an address", parse_address, print_address};

static bool parse_identifier(const char *text, void *ret)
{
	struct addr a;
	uint32_t id;

	if (addr_parse(text, &a) || a.family != AF_INET || addr_is_unspecified(&a))
		return false;
	id = (uint32_t)a.bytes[0] << 24 | (uint32_t)a.bytes[1] << 16 | (uint32_t)a.bytes[2] << 8 | a.bytes[3];
	memcpy(ret, &id, sizeof(id));
	return true;
}

static void print_identifier(const void *value, char buf[CONFIG_VALUE])
{
	uint32_t id;

	memcpy(&id, value, sizeof(id));
	snprintf(buf, CONFIG_VALUE, "%u.%u.%u.%u", id >> 24, id >> 16 & 255, id >> 8 & 255, id & 255);
}

const struct config_syntax mesh_identifier = {
	"a number written like an IPv4 address", parse_identifier, print_identifier};

static bool parse_prefix(const char *text, void *ret)
{
	struct prefix p;

	if (prefix_parse(text, &p))
		return false;
	memcpy(ret, &p, sizeof(p));
	return true;
}

static void print_prefix(const void *value, char buf[CONFIG_VALUE])
{
	struct prefix p;

	memcpy(&p, value, sizeof(p));
	prefix_print(&p, buf);
}

const struct config_syntax mesh_prefix = {
	"a prefix like 198.51.100.0/24, without bits set behind its length", parse_prefix, print_prefix};

/* ---- what policies match and set ---- */

static bool parse_policy_prefix(const char *text, void *ret)
{
	struct policy_prefix p;

	if (policy_prefix_parse(text, &p))
		return false;
	memcpy(ret, &p, sizeof(p));
	return true;
}

static void print_policy_prefix(const void *value, char buf[CONFIG_VALUE])
{
	struct policy_prefix p;

	memcpy(&p, value, sizeof(p));
	policy_prefix_print(&p, buf);
}

const struct config_syntax mesh_policy_prefix = {
	"a prefix like 198.51.100.0/22, with + for all inside it or {23,24} for lengths, without bits set "
	"behind its length",
	parse_policy_prefix, print_policy_prefix};

static bool parse_as_pattern(const char *text, void *ret)
{
	struct policy_as a;

	if (policy_as_parse(text, &a))
		return false;
	memcpy(ret, &a, sizeof(a));
	return true;
}

static void print_as_pattern(const void *value, char buf[CONFIG_VALUE])
{
	struct policy_as a;

	memcpy(&a, value, sizeof(a));
	policy_as_print(&a, buf);
}

const struct config_syntax mesh_as_pattern = {
	"an AS number in quotes, with ^ before it for the neighbor's, with $ behind it for the origin's; or "
	"^$ for an empty path",
	parse_as_pattern, print_as_pattern};

static bool parse_community(const char *text, void *ret)
{
	uint32_t community;

	if (bgp_community_parse(text, &community))
		return false;
	memcpy(ret, &community, sizeof(community));
	return true;
}

static void print_community(const void *value, char buf[CONFIG_VALUE])
{
	uint32_t community;

	memcpy(&community, value, sizeof(community));
	bgp_community_print(community, buf);
}

const struct config_syntax mesh_community = {
	"a community like 65000:1, no-export, no-advertise or no-export-subconfed", parse_community,
	print_community};

static bool parse_extended_community(const char *text, void *ret)
{
	uint64_t community;

	if (bgp_extended_community_parse(text, &community))
		return false;
	memcpy(ret, &community, sizeof(community));
	return true;
}

static void print_extended_community(const void *value, char buf[CONFIG_VALUE])
{
	uint64_t community;

	memcpy(&community, value, sizeof(community));
	bgp_extended_community_print(community, buf);
}

const struct config_syntax mesh_extended_community = {
	"an extended community like color:100, encapsulation:gre, rt:65000:1, soo:65000:1 or "
	"0x030b000000000064",
	parse_extended_community, print_extended_community};

static bool parse_large_community(const char *text, void *ret)
{
	uint32_t community[3];

	if (bgp_large_community_parse(text, community))
		return false;
	memcpy(ret, community, sizeof(community));
	return true;
}

static void print_large_community(const void *value, char buf[CONFIG_VALUE])
{
	uint32_t community[3];

	memcpy(community, value, sizeof(community));
	bgp_large_community_print(community, buf);
}

const struct config_syntax mesh_large_community = {
	"a large community like 65000:1:2", parse_large_community, print_large_community};

/* ---- tunnels and classes ---- */

/* MESH-SIG-9: as a community, or as an extended community. */
static bool parse_class(const char *text, void *ret)
{
	struct afbr_class class;
	uint64_t extended;
	uint16_t flags;

	memset(&class, 0, sizeof(class));
	if (!bgp_community_parse(text, &class.value)) {
		memcpy(ret, &class, sizeof(class));
		return true;
	}
	if (bgp_extended_community_parse(text, &extended) ||
		!bgp_is_color_community(extended, &flags, &class.value) || flags)
		return false;
	class.is_color = true;
	memcpy(ret, &class, sizeof(class));
	return true;
}

static void print_class(const void *value, char buf[CONFIG_VALUE])
{
	struct afbr_class class;

	memcpy(&class, value, sizeof(class));
	if (class.is_color)
		bgp_extended_community_print(bgp_color_community(0, class.value), buf);
	else
		bgp_community_print(class.value, buf);
}

const struct config_syntax mesh_class = {
	"a color like color:100, or a community like 65000:100", parse_class, print_class};

struct number_name {
	const char *name;
	uint16_t number;
};

static bool number_of_name(const struct number_name *names, const char *text, uint16_t *ret)
{
	for (; names->name; names++)
		if (!strcmp(names->name, text)) {
			*ret = names->number;
			return true;
		}
	return false;
}

static const char *name_of_number(const struct number_name *names, uint16_t number)
{
	while (names->name && names->number != number)
		names++;
	return names->name;
}

static const struct number_name tunnel_types[] = {
	{"ipip", BGP_TUNNEL_IPIP},
	{"gre", BGP_TUNNEL_GRE},
	{"mpls-in-gre", BGP_TUNNEL_MPLS_GRE},
	{"l2tpv3", BGP_TUNNEL_L2TPV3},
	{NULL, 0},
};

static bool parse_tunnel_type(const char *text, void *ret)
{
	uint16_t type;

	if (!number_of_name(tunnel_types, text, &type))
		return false;
	memcpy(ret, &type, sizeof(type));
	return true;
}

static void print_tunnel_type(const void *value, char buf[CONFIG_VALUE])
{
	uint16_t type;

	memcpy(&type, value, sizeof(type));
	snprintf(buf, CONFIG_VALUE, "%s", name_of_number(tunnel_types, type));
}

const struct config_syntax mesh_tunnel_type = {
	"\"ipip\", \"gre\", \"mpls-in-gre\" or \"l2tpv3\"", parse_tunnel_type, print_tunnel_type};

static const struct number_name payloads[] = {
	{"ipv4", ETH_P_IP},
	{"ipv6", ETH_P_IPV6},
	{"mpls", ETH_P_MPLS_UC},
	{NULL, 0},
};

static bool parse_payload(const char *text, void *ret)
{
	uint16_t type;

	if (!number_of_name(payloads, text, &type))
		return false;
	memcpy(ret, &type, sizeof(type));
	return true;
}

static void print_payload(const void *value, char buf[CONFIG_VALUE])
{
	uint16_t type;

	memcpy(&type, value, sizeof(type));
	snprintf(buf, CONFIG_VALUE, "%s", type ? name_of_number(payloads, type) : "none");
}

const struct config_syntax mesh_payload = {"\"ipv4\", \"ipv6\" or \"mpls\"", parse_payload, print_payload};

static bool parse_cookie(const char *text, void *ret)
{
	size_t digits = strlen(text);
	struct mesh_cookie c = {.len = (uint8_t)(digits / 2)};
	char pair[3] = "";

	if ((digits != 8 && digits != 16) || strspn(text, "0123456789abcdefABCDEF") != digits)
		return false;
	for (size_t i = 0; i < digits / 2; i++) {
		memcpy(pair, text + 2 * i, 2);
		c.bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	memcpy(ret, &c, sizeof(c));
	return true;
}

static void print_cookie(const void *value, char buf[CONFIG_VALUE])
{
	const struct mesh_cookie *c = value;

	for (unsigned i = 0; i < c->len; i++)
		snprintf(buf + 2 * (size_t)i, CONFIG_VALUE - 2 * (size_t)i, "%02x", c->bytes[i]);
}

const struct config_syntax mesh_cookie = {"8 or 16 hexadecimal digits", parse_cookie, print_cookie};

/* ---- traffic ---- */

/* RFC 2474, 2597, 3246, 5865, 8622; RFC 4594 says what they are good for. */
static const struct number_name code_points[] = {
	{"default", 0},
	{"le", 1},
	{"cs0", 0},
	{"cs1", 8},
	{"af11", 10},
	{"af12", 12},
	{"af13", 14},
	{"cs2", 16},
	{"af21", 18},
	{"af22", 20},
	{"af23", 22},
	{"cs3", 24},
	{"af31", 26},
	{"af32", 28},
	{"af33", 30},
	{"cs4", 32},
	{"af41", 34},
	{"af42", 36},
	{"af43", 38},
	{"cs5", 40},
	{"voice-admit", 44},
	{"ef", 46},
	{"cs6", 48},
	{"cs7", 56},
	{NULL, 0},
};

static bool parse_dscp(const char *text, void *ret)
{
	size_t digits = strspn(text, "0123456789");
	uint16_t number = 0;

	if (digits && digits <= 2 && !text[digits])
		number = (uint16_t)atoi(text);
	else if (!number_of_name(code_points, text, &number))
		return false;
	if (number > 63)
		return false;
	*(uint8_t *)ret = (uint8_t)number;
	return true;
}

static void print_dscp(const void *value, char buf[CONFIG_VALUE])
{
	uint8_t dscp = *(const uint8_t *)value;
	const char *name = name_of_number(code_points, dscp);

	if (name)
		snprintf(buf, CONFIG_VALUE, "%s", name);
	else
		snprintf(buf, CONFIG_VALUE, "%u", dscp);
}

#define DSCP "a name like \"ef\", \"af41\", \"cs6\", \"le\" or \"default\", or a number, 0 to 63"
const struct config_syntax mesh_dscp = {DSCP, parse_dscp, print_dscp, .numbers = true};

static bool parse_outer_dscp(const char *text, void *ret)
{
	struct mesh_outer_dscp o = {.set = strcmp(text, "copy") != 0};

	if (o.set && !parse_dscp(text, &o.dscp))
		return false;
	memcpy(ret, &o, sizeof(o));
	return true;
}

static void print_outer_dscp(const void *value, char buf[CONFIG_VALUE])
{
	const struct mesh_outer_dscp *o = value;

	if (o->set)
		print_dscp(&o->dscp, buf);
	else
		snprintf(buf, CONFIG_VALUE, "copy");
}

const struct config_syntax mesh_outer_dscp = {
	"\"copy\", " DSCP, parse_outer_dscp, print_outer_dscp, .numbers = true};

/* ---- who put a route into the kernel ---- */

/* As iproute2's rt_protos has them; zstatic is FRR's. */
static const struct number_name protocols[] = {
	{"kernel", RTPROT_KERNEL},
	{"boot", RTPROT_BOOT},
	{"static", RTPROT_STATIC},
	{"ra", RTPROT_RA},
	{"zebra", RTPROT_ZEBRA},
	{"bird", RTPROT_BIRD},
	{"dhcp", RTPROT_DHCP},
	{"babel", RTPROT_BABEL},
	{"bgp", RTPROT_BGP},
	{"isis", RTPROT_ISIS},
	{"ospf", RTPROT_OSPF},
	{"rip", RTPROT_RIP},
	{"eigrp", RTPROT_EIGRP},
	{"zstatic", 196},
	{NULL, 0},
};

static bool parse_protocol(const char *text, void *ret)
{
	uint16_t number = 0;
	uint8_t protocol;
	size_t digits = strspn(text, "0123456789");

	if (digits && digits <= 3 && !text[digits])
		number = (uint16_t)atoi(text);
	else if (!number_of_name(protocols, text, &number))
		return false;
	if (number < RTPROT_KERNEL || number > UINT8_MAX || number == NETLINK_PROTOCOL ||
		number == NETLINK_BGP)
		return false; /* our own routes do not come back */
	protocol = (uint8_t)number;
	memcpy(ret, &protocol, sizeof(protocol));
	return true;
}

static void print_protocol(const void *value, char buf[CONFIG_VALUE])
{
	uint8_t protocol = *(const uint8_t *)value;
	const char *name = name_of_number(protocols, protocol);

	if (name)
		snprintf(buf, CONFIG_VALUE, "%s", name);
	else
		snprintf(buf, CONFIG_VALUE, "%u", protocol);
}

const struct config_syntax mesh_protocol = {
	"\"kernel\", \"boot\", \"static\", \"ra\", \"zebra\", \"bird\", \"dhcp\", \"babel\", \"bgp\", "
	"\"isis\", "
	"\"ospf\", \"rip\", \"eigrp\", \"zstatic\", or another one's number in quotes",
	parse_protocol, print_protocol};
