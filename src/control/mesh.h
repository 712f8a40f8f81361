/* SPDX-License-Identifier: GPL-2.0-or-later */
/* control/mesh: the `afbr` group: what mesh_keys.c, mesh_core_keys.c, mesh_syntax.c, mesh_policies.c, mesh_softwires.c and mesh_rules.c share. Not for other folders. */
#ifndef CONTROL_MESH_H
#define CONTROL_MESH_H

#include "control/rules.h"

/* mesh_syntax.c: each with the type of the field that it goes into. */
extern const struct config_syntax mesh_address;       /* struct addr; link-local and loopback ones, too */
extern const struct config_syntax mesh_identifier;    /* uint32_t */
extern const struct config_syntax mesh_prefix;        /* struct prefix */
extern const struct config_syntax mesh_policy_prefix; /* struct policy_prefix */
extern const struct config_syntax mesh_as_pattern;    /* struct policy_as */
extern const struct config_syntax mesh_community;     /* uint32_t */
extern const struct config_syntax mesh_extended_community; /* uint64_t */
extern const struct config_syntax mesh_large_community;    /* uint32_t[3] */
extern const struct config_syntax mesh_class;              /* struct afbr_class */
extern const struct config_syntax mesh_tunnel_type;        /* uint16_t */
extern const struct config_syntax mesh_payload;            /* uint16_t, an EtherType */
extern const struct config_syntax mesh_cookie;             /* struct mesh_cookie */
extern const struct config_syntax mesh_protocol;           /* uint8_t, rtm_protocol */
extern const struct config_syntax mesh_dscp;               /* uint8_t */
extern const struct config_syntax mesh_outer_dscp;         /* struct mesh_outer_dscp */

/* As it lies in struct bgp_tunnel. */
struct mesh_cookie {
	uint8_t len, bytes[BGP_COOKIE];
};
_Static_assert(
	offsetof(struct bgp_tunnel, cookie) == offsetof(struct bgp_tunnel, cookie_len) + 1, "adjacent");

/* As it lies in struct afbr_rule. */
struct mesh_outer_dscp {
	bool set; /* false: the inner one's */
	uint8_t dscp;
};
_Static_assert(offsetof(struct afbr_rule, outer_dscp) == offsetof(struct afbr_rule, set_dscp) + 1, "adjacent");

/* mesh_keys.c */
extern const struct config_section mesh_mrt_section, mesh_export_section;
/* mesh_core_keys.c: groups of `afbr` about softwires. */
extern const struct config_section mesh_core_section, mesh_client_section, mesh_tunnel_section,
	mesh_encapsulate_section;
extern const char *const mesh_accepts[]; /* as enum afbr_accept */
extern const char *const mesh_whens[];   /* as bits of enum afbr_tunnel */
/* `families` of unicast: all that `families` of kernel.export may have. */
enum { MESH_UNICAST = 1 << BGP_IPV4 | 1 << BGP_IPV6 };

/* mesh_policies.c: GROUP is `policies` of `bgp`, NEIGHBORS `neighbors`; either may be NULL. */
void check_policies(struct problems *r, const config_setting_t *group, const struct afbr_config *a);
/* Is there one of NAME, which KEY of GROUP names? */
void check_policy_name(struct problems *r, const config_setting_t *group, const char *key, const char *name,
	const struct afbr_config *a);

/* mesh_softwires.c: the same for core, client, accept, tunnels, encapsulate. */
void check_softwires(struct problems *r, const config_setting_t *group, struct afbr_config *a);

/* mesh_rules.c: defaults that depend on others, and what is wrong. GROUP is `afbr`. */
void check_afbr(
	struct problems *r, const config_setting_t *group, const struct config *c, struct afbr_config *a);

#endif
