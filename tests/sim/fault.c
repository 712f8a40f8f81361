/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What goes wrong in week.h. A disk is full for SQLite alone, by the functions that it lets a test replace. */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "week.h"

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, YEAR_S = 365 * 86400 };

/* ---- the machine ---- */

static time_t clock_now = 1700000000;
static const char *full; /* the database whose disk is full */

/* Takes the place of the C library's in this program. */
time_t time(time_t *ret)
{
	if (ret)
		*ret = clock_now;
	return clock_now;
}

static bool is_full(int fd)
{
	char link[64], name[256];
	ssize_t n;

	if (!full)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, name, sizeof(name) - 1);
	return n > 0 && strncmp(name, full, strlen(full)) == 0;
}

static ssize_t disk_pwrite(int fd, const void *data, size_t len, off_t at)
{
	if (!is_full(fd))
		return pwrite(fd, data, len, at);
	errno = ENOSPC;
	return -1;
}

/* No power is cut here: what that does to a database is tested elsewhere. */
static int disk_fsync(int fd)
{
	return 0;
}

static void replace(const char *name, sqlite3_syscall_ptr function)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

	vfs->xSetSystemCall(vfs, name, function);
}

static void machine_init(void)
{
	clock_now = 1700000000;
	full = NULL;
	replace("pwrite", (sqlite3_syscall_ptr)disk_pwrite);
	replace("pwrite64", (sqlite3_syscall_ptr)disk_pwrite);
	replace("fsync", (sqlite3_syscall_ptr)disk_fsync);
}

/* ---- one concentrator ---- */

msec week_some(struct week *w, msec mean)
{
	uint32_t n = 1 + rng_below(&w->stage.rng, 1000);

	return 1 + mean * n / 1000 + (n > 950 ? 3 * mean : 0);
}

static void arm(struct site *site, struct wheel_timer *t, msec delay)
{
	wheel_arm(&site->week->stage.wheel, t, site->week->stage.now + delay);
}

static void look_well(struct site *site)
{
	bool well = !site->faulty && !site->cut;

	if (!well)
		site->well_since = MSEC_NEVER;
	else if (site->well_since == MSEC_NEVER)
		site->well_since = site->week->stage.now;
}

static void jump_clock(struct week *w)
{
	time_t by = (time_t)rng_below(&w->stage.rng, YEAR_S);

	clock_now += rng_below(&w->stage.rng, 2) ? by : -by;
}

/* How long it lasts. */
static msec start(struct site *site)
{
	struct week *w = site->week;

	switch (site->fault) {
	case FAULT_CRASH:
		carrier_crash(&site->carrier);
		return 100 + rng_below(&w->stage.rng, 2 * SECOND);
	case FAULT_DEATH:
		carrier_kill(&site->carrier);
		site->carrier.dead = true;
		return week_some(w, 5 * MINUTE);
	case FAULT_RESTART:
		carrier_shut_down(&site->carrier);
		return 2 * SECOND;
	case FAULT_DISK:
		full = site->path;
		site->carrier.config.may_refuse = true;
		return week_some(w, 30 * MINUTE);
	default:
		jump_clock(w);
		return 1;
	}
}

static void finish(struct site *site)
{
	if (!site->faulty)
		return;
	site->faulty = false;
	if (site->fault == FAULT_CRASH)
		carrier_come_back(&site->carrier);
	else if (site->fault == FAULT_RESTART)
		carrier_kill(&site->carrier);
	else if (site->fault == FAULT_DISK)
		full = NULL;
	site->carrier.dead = false;
	look_well(site);
}

static enum fault choose(struct site *site)
{
	const struct site *other = &site->week->sites[site == site->week->sites];
	enum fault f = (enum fault)rng_below(&site->week->stage.rng, FAULT_PARTITION);

	if (f == FAULT_DISK && other->faulty && other->fault == FAULT_DISK) /* one full disk is enough */
		return FAULT_CRASH;
	return f;
}

static void fault_fire(struct wheel_timer *t, msec now)
{
	struct site *site = container_of(t, struct site, fault_timer);
	struct week *w = site->week;

	if (site->faulty) {
		finish(site);
		/* The store tries to write again with the next request; until then it may refuse. */
		arm(site, t, week_some(w, 3 * (msec)HOUR));
		return;
	}
	if (now >= w->quiet_at)
		return;
	site->carrier.config.may_refuse = false;
	site->fault = choose(site);
	site->faulty = true;
	w->faults[site->fault]++;
	look_well(site);
	arm(site, t, start(site));
}

bool fault_cuts(const struct site *site, uint32_t home)
{
	return site->cut && hash_bytes(&home, sizeof(home), site->cut_salt) % 100 < site->cut;
}

/* Everybody sleeps; what is due is due at once. */
static void sleep_all(struct week *w)
{
	msec by = rng_below(&w->stage.rng, HOUR);

	if (w->stage.now + by < w->quiet_at)
		w->stage.now += by;
	for (unsigned i = 0; i < CARRIERS; i++)
		if (w->sites[i].well_since != MSEC_NEVER)
			w->sites[i].well_since = w->stage.now;
}

static void partition_fire(struct wheel_timer *t, msec now)
{
	struct site *site = container_of(t, struct site, partition_timer);
	struct week *w = site->week;

	if (site->cut || now >= w->quiet_at) {
		site->cut = 0;
		arm(site, t, week_some(w, 6 * (msec)HOUR));
	} else if (rng_below(&w->stage.rng, 8) == 0) {
		w->faults[FAULT_SLEEP]++;
		sleep_all(w);
		arm(site, t, week_some(w, 6 * (msec)HOUR));
	} else {
		w->faults[FAULT_PARTITION]++;
		site->cut = 1 + rng_below(&w->stage.rng, 100);
		site->cut_salt = rng_u64(&w->stage.rng);
		arm(site, t, week_some(w, 30 * MINUTE));
	}
	look_well(site);
}

void fault_begin(struct site *site)
{
	if (site == site->week->sites)
		machine_init();
	site->fault_timer.fire = fault_fire;
	site->partition_timer.fire = partition_fire;
	arm(site, &site->fault_timer, week_some(site->week, 3 * (msec)HOUR));
	arm(site, &site->partition_timer, week_some(site->week, 6 * (msec)HOUR));
}

void fault_end_all(struct week *w)
{
	for (unsigned i = 0; i < CARRIERS; i++) {
		w->sites[i].cut = 0;
		finish(&w->sites[i]);
		wheel_disarm(&w->stage.wheel, &w->sites[i].fault_timer);
		wheel_disarm(&w->stage.wheel, &w->sites[i].partition_timer);
		look_well(&w->sites[i]);
	}
}

const char *week_fault_name(enum fault fault)
{
	static const char *const names[FAULTS] = {"crashes", "deaths", "restarts", "full-disks", "clock-jumps", "partitions", "sleeps"};

	return names[fault];
}
