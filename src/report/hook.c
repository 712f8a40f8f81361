/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The environment of hooks; see hook.h. */
#include "report/hook.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/writer.h"

_Static_assert((int)HOOK_VARIABLES <= (int)KEEPER_HOOK_VARIABLES, "the keeper takes them all");

struct environment {
	struct hook_environment *out;
	struct writer w; /* over its text */
};

/* One variable that is being written: NAME=VALUE and a NUL. */
struct variable {
	struct environment *e;
	size_t value; /* where it begins */
};

static struct variable variable_begin(struct environment *e, const char *name)
{
	struct variable v = {.e = e};

	e->out->variables[e->out->count++] = (const char *)e->w.pos;
	writer_bytes(&e->w, name, strlen(name));
	writer_u8(&e->w, '=');
	v.value = writer_len(&e->w);
	return v;
}

static void variable_end(struct variable *v)
{
	writer_u8(&v->e->w, 0);
}

/* False, and nothing is written, when the whole of TEXT does not fit. */
static bool variable_add(struct variable *v, const char *text, size_t len)
{
	if (writer_len(&v->e->w) - v->value + len > HOOK_VALUE)
		return false;
	writer_bytes(&v->e->w, text, len);
	return true;
}

/* As much of TEXT as fits; NULL is nothing. */
static void variable_text(struct variable *v, const char *text)
{
	for (const char *p = text ? text : ""; *p; p++) {
		unsigned char c = (unsigned char)*p;
		char escaped[5];

		snprintf(escaped, sizeof(escaped), "\\x%02x", c);
		if (!(c >= 0x20 && c < 0x7f ? variable_add(v, p, 1) : variable_add(v, escaped, 4)))
			return;
	}
}

/* One more member of a list, or nothing. */
static void variable_member(struct variable *v, const char *text)
{
	char spaced[HOOK_VALUE + 2];
	int len = snprintf(spaced, sizeof(spaced), "%s%s", writer_len(&v->e->w) == v->value ? "" : " ", text);

	if (len > 0 && (size_t)len < sizeof(spaced))
		variable_add(v, spaced, (size_t)len);
}

static void set_text(struct environment *e, const char *name, const char *text)
{
	struct variable v = variable_begin(e, name);

	variable_text(&v, text);
	variable_end(&v);
}

static void set_uint(struct environment *e, const char *name, uint32_t value)
{
	char text[16] = "";

	if (value)
		snprintf(text, sizeof(text), "%u", value);
	set_text(e, name, text);
}

static void set_endpoint(struct environment *e, const char *name, const struct endpoint *value)
{
	char text[ENDPOINT_TEXT];

	set_text(e, name, addr_is_none(&value->addr) ? "" : endpoint_print(value, text));
}

static void set_addr(struct environment *e, const char *name, const struct addr *value)
{
	char text[ADDR_TEXT];

	set_text(e, name, addr_is_none(value) ? "" : addr_print(value, text));
}

static void set_prefixes(struct environment *e, const char *name, const struct hook_prefixes *value)
{
	struct variable v = variable_begin(e, name);
	char text[PREFIX_TEXT];

	for (unsigned i = 0; i < value->count; i++)
		if (!prefix_is_none(&value->list[i]))
			variable_member(&v, prefix_print(&value->list[i], text));
	variable_end(&v);
}

static void set_dns(struct environment *e, const struct hook_facts *f)
{
	struct variable v = variable_begin(e, "SOFTWIRE_DNS");
	char text[ADDR_TEXT];

	for (unsigned i = 0; i < f->dns_count; i++)
		if (!addr_is_none(&f->dns[i]))
			variable_member(&v, addr_print(&f->dns[i], text));
	variable_end(&v);
}

static void set_lans(struct environment *e, const struct hook_facts *f)
{
	struct variable v = variable_begin(e, "SOFTWIRE_LAN");

	for (unsigned i = 0; i < f->lan_count; i++)
		variable_member(&v, f->lans[i]);
	variable_end(&v);
}

/* INTERFACE=ADDRESS/LENGTH ... */
static void set_lan_addresses(
	struct environment *e, const char *name, const struct hook_lan *list, unsigned count)
{
	struct variable v = variable_begin(e, name);
	char text[HOOK_VALUE], address[ADDR_TEXT];

	for (unsigned i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "%s=%s/%u", list[i].device,
			addr_print(&list[i].address, address), list[i].len);
		variable_member(&v, text);
	}
	variable_end(&v);
}

static void set_families(struct environment *e, const struct hook_facts *f)
{
	struct variable v = variable_begin(e, "SOFTWIRE_FAMILIES");

	if (f->up6)
		variable_member(&v, "ipv6");
	if (f->up4)
		variable_member(&v, "ipv4");
	variable_end(&v);
}

int hook_environment_build(struct hook_environment *out, const struct hook_facts *f)
{
	struct environment environment = {.out = out, .w = writer_of(out->text, sizeof(out->text))};
	struct environment *e = &environment;
	const struct hook_prefixes link6 = {.count = 1, .list = {f->link6}};

	out->count = 0;
	set_text(e, "SOFTWIRE_EVENT", f->event);
	set_text(e, "SOFTWIRE_ROLE", f->role);
	set_text(e, "SOFTWIRE_NAME", f->name);
	set_text(e, "SOFTWIRE_USER", f->user);
	set_uint(e, "SOFTWIRE_ID", f->id);
	set_text(e, "SOFTWIRE_DEVICE", f->device);
	set_endpoint(e, "SOFTWIRE_PEER", &f->peer);
	set_endpoint(e, "SOFTWIRE_LOCAL", &f->local);
	set_families(e, f);
	set_uint(e, "SOFTWIRE_MTU", f->mtu);
	set_prefixes(e, "SOFTWIRE_LINK6", &link6);
	set_addr(e, "SOFTWIRE_ADDRESS6", &f->address6);
	set_prefixes(e, "SOFTWIRE_DELEGATED6", &f->delegated6);
	set_addr(e, "SOFTWIRE_ADDRESS4", &f->address4);
	set_addr(e, "SOFTWIRE_PEER4", &f->peer4);
	set_prefixes(e, "SOFTWIRE_DELEGATED4", &f->delegated4);
	set_dns(e, f);
	set_lans(e, f);
	set_lan_addresses(e, "SOFTWIRE_LAN6", f->lan6, f->lan6_count);
	set_lan_addresses(e, "SOFTWIRE_LAN4", f->lan4, f->lan4_count);
	set_text(e, "SOFTWIRE_REASON", f->reason);
	set_prefixes(e, "SOFTWIRE_OLD_DELEGATED6", &f->old_delegated6);
	set_prefixes(e, "SOFTWIRE_OLD_DELEGATED4", &f->old_delegated4);
	return writer_ok(&e->w) ? 0 : -ENOSPC;
}
