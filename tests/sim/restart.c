/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The concentrator dies, and another process takes its place.
 *
 * Killed without having saved anything: the lease store is all that is left, and users find out by themselves. With records: for a while nothing is
 * heard or sent; then every softwire goes on from its last record, or its peer is told at once that it does not.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hub/save.h"
#include "inside.h"

static struct server_side *side_of(struct softwire *s)
{
	return container_of(container_of(s, struct softwire_sc, softwire), struct server_side, engine);
}

bool restart_open_leases(struct world *w)
{
	struct lease_pool_config pool = {.name = "default", .delegate_len = 60, .delegate4_len = 28};
	struct addr first = addr4(10, 64, 0, 0);
	char why[256] = "", path[96];

	snprintf(path, sizeof(path), "%s/leases.db", w->directory);
	w->leases = lease_store_open(NULL, w->config->on_disk ? path : ":memory:", NULL, why);
	if (!w->leases)
		return false;
	if (!w->config->no_ipv6 && (prefix_parse("2001:db8:100::/40", &pool.link6) ||
					   prefix_parse("2001:db8:8000::/36", &pool.delegate_from)))
		return false;
	if (w->config->ipv4) {
		pool.ipv4 = prefix_of(&first, w->config->ipv4_len ? w->config->ipv4_len : 16);
		if (prefix_parse("10.128.0.0/12", &pool.delegate4_from))
			return false;
	}
	return lease_store_set_pools(w->leases, &pool, 1, why) == 0;
}

static void open_leases_again(struct world *w)
{
	if (!w->config->on_disk)
		return;
	lease_store_close(w->leases);
	w->leases = NULL;
	if (!restart_open_leases(w))
		world_broken(w, 0, "the lease store could not be opened again");
}

/* ---- killed ---- */

/* Users whose traffic is not answered any more look whether the concentrator is there. */
static void kill_all(struct world *w, msec now)
{
	for (uint32_t i = 0; i < w->user_count; i++)
		while (w->of_user[i]) {
			w->cut_off += w->of_user[i]->engine.softwire.up_at != 0;
			world_forget(&w->of_user[i]->engine.softwire);
		}
	open_leases_again(w);
	for (uint32_t i = 0; i < w->user_count; i++)
		if (w->users[i].running && w->users[i].bound)
			softwire_probe(&w->users[i].engine.softwire, now);
}

/* ---- crashed, with records ---- */

void restart_save(struct softwire *s)
{
	struct server_side *side = side_of(s);
	struct writer w = writer_of(side->record, sizeof(side->record));

	if (!side->world->config->resume)
		return;
	if (softwire_sc_save(&side->engine, &w) == -ENOBUFS)
		world_broken(side->world, side->user, "a record does not fit");
	side->record_len = writer_len(&w);
}

static void crash(struct world *w)
{
	w->dead = true;
	for (uint32_t i = 0; i < w->user_count; i++)
		for (struct server_side *side = w->of_user[i]; side; side = side->next) {
			lease_cancel(w->leases, side);
			softwire_done(&side->engine.softwire);
		}
}

/* The store must know the same lease as the record. */
static void leased_again(void *owner, int result, const struct lease *lease, const char *why)
{
	struct server_side *side = owner;
	const struct softwire_lease *had = side->engine.lease;

	if (result)
		world_broken(side->world, side->user, why);
	else if (!prefix_equal(&had->link6, &lease->link6) || !addr_equal(&had->address4, &lease->address4) ||
		 (had->prefix_count && !prefix_equal(&had->delegated[0], &lease->delegated[0])))
		world_broken(side->world, side->user, "another lease than before the crash");
}

static void take_up(struct server_side *side)
{
	struct world *w = side->world;
	struct reader r = reader_of(side->record, side->record_len);
	char why[SOFTWIRE_RESUME_WHY];

	memset(&side->engine, 0, sizeof(side->engine));
	side->engine.softwire.tracing = w->tracing;
	if (softwire_sc_resume(&side->engine, &w->sc_config, &r, w->now, why)) {
		world_broken(w, side->user, why);
		return;
	}
	w->resumed++;
	if (w->config->on_disk)
		world_acquire(side, leased_again);
}

static void say_farewell(const struct server_side *side, const struct softwire_peek *peek)
{
	uint8_t buf[L2TP_PACKET_MAX];

	side->world->told++;
	for (unsigned n = 0; n <= peek->at.unacknowledged; n++) {
		struct writer w = writer_of(buf, sizeof(buf));

		l2tp_farewell(&w, &peek->at, n, L2TP_STOP_SHUTDOWN, 0, "restarted");
		world_send(side->world, TO_USER, side->user, side->port, buf, writer_len(&w));
	}
}

static void come_back(struct world *w)
{
	w->dead = false;
	open_leases_again(w);
	for (uint32_t i = 0; i < w->user_count; i++)
		for (struct server_side *side = w->of_user[i], *next; side; side = next) {
			struct reader r = reader_of(side->record, side->record_len);
			struct softwire_peek peek = {0};

			next = side->next;
			if (!softwire_peek(r, &peek) && peek.resumable) {
				take_up(side);
				continue;
			}
			if (peek.len)
				say_farewell(side, &peek);
			world_forget(&side->engine.softwire);
		}
}

/* ---- when ---- */

static void restart_fire(struct wheel_timer *t, msec now)
{
	struct world *w = container_of(t, struct world, restart);

	if (w->config->resume && !w->dead) {
		crash(w);
		wheel_arm(&w->wheel, &w->restart, now + w->config->down_ms);
		return;
	}
	if (w->config->resume)
		come_back(w);
	else
		kill_all(w, now);
	if (--w->restarts_left)
		wheel_arm(&w->wheel, &w->restart, now + w->config->restart_ms);
}

void restart_init(struct world *w)
{
	w->restart.fire = restart_fire;
	w->restarts_left = w->config->restarts ? w->config->restarts : 1;
	if (w->config->restart_ms)
		wheel_arm(&w->wheel, &w->restart, w->now + w->config->restart_ms);
}
