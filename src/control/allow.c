/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a configuration to what the engine process may ask of the keeper: nothing but what the configuration names. */
#include "control/allow.h"

#include <stdio.h>
#include <string.h>

static void allow_file(struct keeper_policy *p, struct allow_lists *lists, const char *path)
{
	if (*path)
		lists->files[p->file_count++] = path;
}

static void allow_hooks(
	struct keeper_policy *p, struct allow_lists *lists, const char (*paths)[4096], unsigned count)
{
	for (unsigned n = 0; n < count; n++)
		if (*paths[n])
			lists->hooks[p->hook_count++] = paths[n];
}

/* The directory of a file that the engine writes: what is before the last slash, as the roles ask for it. NAME is where it lives. */
static void allow_directory_of(
	struct keeper_policy *p, struct allow_lists *lists, const char *path, char name[4096])
{
	const char *slash = strrchr(path, '/');

	if (!slash || slash == path)
		return;
	snprintf(name, 4096, "%.*s", (int)(slash - path), path);
	for (size_t n = 0; n < p->directory_count; n++)
		if (!strcmp(lists->directories[n], name))
			return;
	lists->directories[p->directory_count++] = name;
}

static void allow_concentrator(
	struct keeper_policy *p, struct allow_lists *lists, const struct concentrator_config *c)
{
	allow_directory_of(p, lists, c->lease_path, lists->directory_names[0]);
	allow_file(p, lists, c->users_path);
	allow_file(p, lists, c->eap_certificate_path);
	allow_file(p, lists, c->eap_key_path);
	allow_file(p, lists, c->eap_ca_path);
	allow_hooks(p, lists, c->hooks, HOOK_EVENTS);
	lists->tuns[p->tun_count++] = c->device;
	for (unsigned n = 0; n < c->listen_count; n++)
		lists->udp[p->udp_count++] = c->listen[n];
	if (!c->listen_count) {
		lists->udp[p->udp_count++] = (struct endpoint){{.family = AF_INET}, L2TP_PORT};
		lists->udp[p->udp_count++] = (struct endpoint){{.family = AF_INET6}, L2TP_PORT};
	}
	p->may_forward = true;
}

static void allow_initiator(
	struct keeper_policy *p, struct allow_lists *lists, const struct initiator_config *i, unsigned index)
{
	allow_file(p, lists, i->password_path);
	allow_file(p, lists, i->server_password_path);
	allow_file(p, lists, i->tunnel_secret_path);
	allow_file(p, lists, i->eap_certificate_path);
	allow_file(p, lists, i->eap_key_path);
	allow_file(p, lists, i->eap_ca_path);
	allow_hooks(p, lists, i->hooks, INITIATOR_HOOKS);
	allow_directory_of(p, lists, i->state_path, lists->directory_names[1 + index]);
	snprintf(lists->tun_names[index], sizeof(lists->tun_names[index]), "si-%s", i->name);
	lists->tuns[p->tun_count++] = lists->tun_names[index];
	for (unsigned n = 0; n < i->lan_count; n++)
		lists->lans[p->lan_count++] = i->lans[n];
	if (*i->lan_bridge)
		lists->bridges[p->bridge_count++] = i->lan_bridge;
	p->may_forward |= i->lan_count > 0;
}

/* Softwires end at our address in the core; what clients send must not look as if it came from there, or go there. */
static void allow_core(struct keeper_policy *p, struct allow_lists *lists, const struct afbr_config *a)
{
	lists->taps[p->tap_count++] = AFBR_DEVICE;
	p->raws = &a->core;
	p->raw_count = 1;
	p->may_forward = true;
	if (!a->filter)
		return;
	for (unsigned n = 0; n < a->client_interface_count; n++)
		lists->borders[p->border_count++] = a->client_interfaces[n];
	for (unsigned n = 0; n < a->endpoint_count; n++)
		lists->border_sets[p->border_set_count++] = a->endpoints[n];
	lists->border_sets[p->border_set_count++] = prefix_of(&a->core, addr_bits(a->core.family));
}

static void allow_afbr(struct keeper_policy *p, struct allow_lists *lists, const struct afbr_config *a)
{
	for (unsigned n = 0; n < a->neighbor_count; n++)
		allow_file(p, lists, a->neighbors[n].password_file);
	lists->directories[p->directory_count++] = a->directory;
	lists->export = (struct keeper_export){.table = {a->export.table, a->export.metric},
		.ipv4 = a->export.families & BGP_FAMILY_BIT(BGP_IPV4),
		.ipv6 = a->export.families & BGP_FAMILY_BIT(BGP_IPV6)};
	p->export_count = a->export.present ? 1 : 0;
	p->may_forward |= a->export.present;
	if (!addr_is_none(&a->core))
		allow_core(p, lists, a);
	for (unsigned n = 0; a->port && n < a->listen_count; n++)
		lists->tcp[p->tcp_count++] = (struct endpoint){a->listen[n], a->port};
	if (a->port && !a->listen_count) {
		lists->tcp[p->tcp_count++] = (struct endpoint){{.family = AF_INET}, a->port};
		lists->tcp[p->tcp_count++] = (struct endpoint){{.family = AF_INET6}, a->port};
	}
}

void allow_policy(const struct config *config, struct allow_lists *lists, struct keeper_policy *ret)
{
	*lists = (struct allow_lists){0};
	*ret = (struct keeper_policy){
		.control_socket = *config->control_socket ? config->control_socket : NULL,
		.control_group = *config->control_group ? config->control_group : NULL,
		.user = *config->user ? config->user : NULL,
		.runtime_directory = *config->runtime_directory ? config->runtime_directory : NULL,
	};
	allow_file(ret, lists, config->path);
	if (*config->state_directory)
		lists->directories[ret->directory_count++] = config->state_directory;
	if (config->concentrator.present)
		allow_concentrator(ret, lists, &config->concentrator);
	for (unsigned n = 0; n < config->initiator_count; n++)
		allow_initiator(ret, lists, &config->initiators[n], n);
	if (config->afbr)
		allow_afbr(ret, lists, config->afbr);
	ret->files = lists->files;
	ret->directories = lists->directories;
	ret->tuns = lists->tuns;
	ret->taps = lists->taps;
	ret->borders = lists->borders;
	ret->border_sets = lists->border_sets;
	ret->lans = lists->lans;
	ret->bridges = lists->bridges;
	ret->hooks = lists->hooks;
	ret->udp = lists->udp;
	ret->tcp = lists->tcp;
	ret->exports = &lists->export;
}
