/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Paths: table.h. By number they stand in pages, which come with the first path on them and go with the last. Numbers are given out in turn, so one comes back
 * only when all others have been there: a packet, or a route of the kernel, that still bears an old one finds nobody rather than somebody else.
 */
#include <errno.h>
#include <stdlib.h>

#include "mesh/table.h"

/* The first free number of the page from NUMBER on; 0, which is nobody's: none. */
static uint32_t page_free_number(const struct mesh_table *t, uint32_t number)
{
	const struct mesh_path_page *page = t->pages[number / MESH_PATH_PAGE];

	if (!page)
		return number;
	if (page->used == MESH_PATH_PAGE)
		return 0;
	for (uint32_t i = number % MESH_PATH_PAGE; i < MESH_PATH_PAGE; i++)
		if (!page->paths[i])
			return number - number % MESH_PATH_PAGE + i;
	return 0;
}

/* From the next one on, once around (and once more over what stands before it on its page); 0: none. */
static uint32_t free_number(const struct mesh_table *t)
{
	uint32_t number = t->next_number;

	for (uint32_t i = 0; i <= MESH_PATH_PAGES; i++) {
		uint32_t found = page_free_number(t, number);

		if (found)
			return found;
		number = (number / MESH_PATH_PAGE + 1) % MESH_PATH_PAGES * MESH_PATH_PAGE;
		if (!number)
			number = 1;
	}
	return 0;
}

static int place(struct mesh_table *t, struct mesh_path *p)
{
	struct mesh_path_page **page = &t->pages[p->number / MESH_PATH_PAGE];

	if (!*page)
		*page = calloc(1, sizeof(**page));
	if (!*page)
		return -ENOMEM;
	(*page)->paths[p->number % MESH_PATH_PAGE] = p;
	(*page)->used++;
	return 0;
}

static void displace(struct mesh_table *t, const struct mesh_path *p)
{
	struct mesh_path_page **page = &t->pages[p->number / MESH_PATH_PAGE];

	(*page)->paths[p->number % MESH_PATH_PAGE] = NULL;
	if (--(*page)->used)
		return;
	free(*page);
	*page = NULL;
}

/* The numbers of an earlier process count as used, so NUMBER's turn is over with it. */
static void turn_over(struct mesh_table *t, uint32_t number, bool chosen)
{
	if (chosen || number >= t->next_number)
		t->next_number = number == MESH_PATH_MAX ? 1 : number + 1;
}

int mesh_path_new(struct mesh_table *t, uint32_t number, const struct mesh_slot slots[MESH_SLOTS],
	struct mesh_path **ret)
{
	bool chosen = !number;
	struct mesh_path *p;

	if (number > MESH_PATH_MAX)
		return -EINVAL;
	if (number && mesh_path_find(t, number))
		return -EEXIST;
	if (chosen)
		number = free_number(t);
	if (!number)
		return -ENOSPC;
	p = pool_alloc(&t->paths);
	if (!p)
		return -ENOMEM;
	p->number = number;
	p->refs = 1;
	if (place(t, p) < 0) {
		pool_free(&t->paths, p);
		return -ENOMEM;
	}
	for (unsigned i = 0; i < MESH_SLOTS; i++) {
		p->slots[i] = slots[i];
		mesh_endpoint_ref(slots[i].primary.endpoint);
		mesh_endpoint_ref(slots[i].backup.endpoint);
	}
	turn_over(t, number, chosen);
	*ret = p;
	return 0;
}

struct mesh_path *mesh_path_ref(struct mesh_path *p)
{
	if (p)
		p->refs++;
	return p;
}

void mesh_path_unref(struct mesh_table *t, struct mesh_path *p)
{
	if (!p || --p->refs)
		return;
	displace(t, p);
	for (unsigned i = 0; i < MESH_SLOTS; i++) {
		mesh_endpoint_unref(t, p->slots[i].primary.endpoint);
		mesh_endpoint_unref(t, p->slots[i].backup.endpoint);
	}
	pool_free(&t->paths, p);
}

struct mesh_path *mesh_path_find(const struct mesh_table *t, uint32_t number)
{
	const struct mesh_path_page *page =
		number <= MESH_PATH_MAX ? t->pages[number / MESH_PATH_PAGE] : NULL;

	return page ? page->paths[number % MESH_PATH_PAGE] : NULL;
}

struct mesh_path *mesh_path_next(const struct mesh_table *t, uint32_t after)
{
	uint32_t i = after < MESH_PATH_MAX ? after + 1 : MESH_PATH_MAX + 1;

	while (i <= MESH_PATH_MAX) {
		const struct mesh_path_page *page = t->pages[i / MESH_PATH_PAGE];

		if (!page)
			i = (i / MESH_PATH_PAGE + 1) * MESH_PATH_PAGE;
		else if (page->paths[i % MESH_PATH_PAGE])
			return page->paths[i % MESH_PATH_PAGE];
		else
			i++;
	}
	return NULL;
}

static bool leg_is_usable(const struct mesh_leg *leg)
{
	return leg->endpoint && leg->endpoint->usable;
}

const struct mesh_leg *mesh_path_leg(
	const struct mesh_table *t, const struct mesh_path *p, uint8_t dscp, bool *ret_backup)
{
	const struct mesh_slot *slot = &p->slots[t->slot_of[dscp % MESH_DSCPS] % MESH_SLOTS];
	const struct mesh_leg *leg = leg_is_usable(&slot->primary) ? &slot->primary : &slot->backup;

	if (!leg_is_usable(leg))
		return NULL;
	*ret_backup = leg == &slot->backup;
	return leg;
}

struct addr mesh_path_gateway(uint32_t number)
{
	struct addr a = {.family = AF_INET6, .bytes = {0xfe, 0x80}};

	a.bytes[13] = (uint8_t)(number >> 16);
	a.bytes[14] = (uint8_t)(number >> 8);
	a.bytes[15] = (uint8_t)number;
	return a;
}

uint32_t mesh_gateway_path(const struct addr *gateway)
{
	uint32_t number =
		(uint32_t)gateway->bytes[13] << 16 | (uint32_t)gateway->bytes[14] << 8 | gateway->bytes[15];
	struct addr expected = mesh_path_gateway(number);

	return addr_equal(gateway, &expected) ? number : 0;
}

void mesh_path_lladdr(uint32_t number, uint8_t ret[6])
{
	ret[0] = 2; /* locally administered, unicast */
	ret[1] = 0;
	ret[2] = 0;
	ret[3] = (uint8_t)(number >> 16);
	ret[4] = (uint8_t)(number >> 8);
	ret[5] = (uint8_t)number;
}

uint32_t mesh_lladdr_path(const uint8_t lladdr[6])
{
	if (lladdr[0] != 2 || lladdr[1] || lladdr[2])
		return 0;
	return (uint32_t)lladdr[3] << 16 | (uint32_t)lladdr[4] << 8 | lladdr[5];
}
