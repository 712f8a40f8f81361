/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Endpoints: table.h. */
#include "inet/packet.h"
#include "mesh/table.h"

struct mesh_endpoint *mesh_endpoint_new(struct mesh_table *t, const struct addr *address,
	const struct addr *outer, const struct mesh_template *template)
{
	struct mesh_endpoint *e = pool_alloc(&t->endpoints);

	if (!e)
		return NULL;
	*e = (struct mesh_endpoint){.refs = 1,
		.address = *address,
		.outer = *outer,
		.template = *template,
		.mtu = IP6_MIN_MTU,
		.next = t->first_endpoint};
	if (e->next)
		e->next->link = &e->next;
	e->link = &t->first_endpoint;
	t->first_endpoint = e;
	return e;
}

struct mesh_endpoint *mesh_endpoint_ref(struct mesh_endpoint *e)
{
	if (e)
		e->refs++;
	return e;
}

void mesh_endpoint_unref(struct mesh_table *t, struct mesh_endpoint *e)
{
	if (!e || --e->refs)
		return;
	*e->link = e->next;
	if (e->next)
		e->next->link = e->link;
	pool_free(&t->endpoints, e);
}
