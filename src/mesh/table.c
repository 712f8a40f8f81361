/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Life of a table: table.h. */
#include "mesh/table.h"

#include <errno.h>
#include <stdlib.h>

int mesh_table_init(struct mesh_table *t, uint64_t seed)
{
	*t = (struct mesh_table){.seed = seed, .next_number = 1};
	t->pages = calloc(MESH_PATH_PAGES, sizeof(struct mesh_path_page *));
	if (!t->pages)
		return -ENOMEM;
	pool_init(&t->endpoints, sizeof(struct mesh_endpoint));
	pool_init(&t->paths, sizeof(struct mesh_path));
	pool_init(&t->transmitter_rows, sizeof(struct mesh_transmitter));
	return 0;
}

static void transmitters_free(struct mesh_table *t)
{
	struct mesh_transmitter *row;
	uint32_t cursor = 0;

	while ((row = mesh_transmitter_next(t, &cursor)))
		pool_free(&t->transmitter_rows, row);
	hash_free(&t->transmitters);
	if (t->transmitter_prefixes)
		lpm_free(t->transmitter_prefixes);
	free(t->transmitter_prefixes);
}

void mesh_table_done(struct mesh_table *t)
{
	struct mesh_path *p;

	while ((p = mesh_path_next(t, 0))) {
		p->refs = 1;
		mesh_path_unref(t, p);
	}
	while (t->first_endpoint) {
		t->first_endpoint->refs = 1;
		mesh_endpoint_unref(t, t->first_endpoint);
	}
	transmitters_free(t);
	free(t->pages);
	(void)pool_done(&t->transmitter_rows);
	(void)pool_done(&t->paths);
	(void)pool_done(&t->endpoints);
	*t = (struct mesh_table){0};
}
