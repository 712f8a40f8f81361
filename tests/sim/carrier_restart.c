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
#include "carrier.h"

static void open_leases_again(struct carrier *c)
{
	if (!c->config.path)
		return;
	lease_store_close(c->leases);
	c->leases = NULL;
	if (!carrier_open_leases(c))
		stage_broken(c->stage, 0, "the lease store could not be opened again");
}

/* ---- killed ---- */

void carrier_kill(struct carrier *c)
{
	for (uint32_t i = 0; i < c->config.users; i++)
		while (c->of_user[i]) {
			c->cut_off += c->of_user[i]->engine.softwire.up_at != 0;
			carrier_forget(&c->of_user[i]->engine.softwire);
		}
	open_leases_again(c);
}

/* ---- crashed, with records ---- */

void carrier_save(struct softwire *s)
{
	struct side *side = side_of(s);
	struct writer w = writer_of(side->record, sizeof(side->record));

	if (!side->carrier->config.record)
		return;
	if (softwire_sc_save(&side->engine, &w) == -ENOBUFS)
		stage_broken(side->carrier->stage, side->user, "a record does not fit");
	side->record_len = writer_len(&w);
}

void carrier_crash(struct carrier *c)
{
	c->dead = true;
	for (uint32_t i = 0; i < c->config.users; i++)
		for (struct side *side = c->of_user[i]; side; side = side->next) {
			lease_cancel(c->leases, side);
			softwire_done(&side->engine.softwire);
		}
}

/* The store must know the same lease as the record. */
static void leased_again(void *owner, int result, const struct lease *lease, const char *why)
{
	struct side *side = owner;
	const struct softwire_lease *had = side->engine.lease;

	if (result)
		stage_broken(side->carrier->stage, side->user, why);
	else if (!prefix_equal(&had->link6, &lease->link6) || !addr_equal(&had->address4, &lease->address4) ||
		 (had->prefix_count && !prefix_equal(&had->delegated[0], &lease->delegated[0])))
		stage_broken(side->carrier->stage, side->user, "another lease than before the crash");
}

static void take_up(struct side *side)
{
	struct carrier *c = side->carrier;
	struct reader r = reader_of(side->record, side->record_len);
	char why[SOFTWIRE_RESUME_WHY];

	memset(&side->engine, 0, sizeof(side->engine));
	side->engine.softwire.tracing = c->stage->tracing;
	if (softwire_sc_resume(&side->engine, &c->softwire, &r, c->stage->now, why)) {
		stage_broken(c->stage, side->user, why);
		return;
	}
	c->resumed++;
	if (c->config.path)
		carrier_acquire(side, leased_again);
}

static void say_farewell(const struct side *side, const struct softwire_peek *peek)
{
	uint8_t buf[L2TP_PACKET_MAX];

	side->carrier->told++;
	for (unsigned n = 0; n <= peek->at.unacknowledged; n++) {
		struct writer w = writer_of(buf, sizeof(buf));

		l2tp_farewell(&w, &peek->at, n, L2TP_STOP_SHUTDOWN, 0, "restarted");
		stage_send(side->carrier->stage, TO_USER, side->user, side->port, buf, writer_len(&w));
	}
}

void carrier_come_back(struct carrier *c)
{
	c->dead = false;
	open_leases_again(c);
	for (uint32_t i = 0; i < c->config.users; i++)
		for (struct side *side = c->of_user[i], *next; side; side = next) {
			struct reader r = reader_of(side->record, side->record_len);
			struct softwire_peek peek = {0};

			next = side->next;
			if (!softwire_peek(r, &peek) && peek.resumable) {
				take_up(side);
				continue;
			}
			if (peek.len)
				say_farewell(side, &peek);
			carrier_forget(&side->engine.softwire);
		}
}
