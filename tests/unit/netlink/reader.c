/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole tables are read without holding up the loop, and then heard of; against the kernel itself.
 */
#include <errno.h>
#include <linux/rtnetlink.h>

#include "netlink/fib.h"
#include "place.h"

enum { MAIN = 254, TOLD = 4096 };

struct told {
	enum netlink_news news;
	struct netlink_fib_route route;
};

struct watcher {
	struct loop loop;
	struct netlink_reader *reader;
	int begun, ended;
	unsigned count;
	struct told told[TOLD];
	bool free_at_end;
	bool slow;
	unsigned came; /* since a reading began */
};

static void begun(void *owner)
{
	struct watcher *w = owner;

	w->begun++;
	w->came = 0;
}

static void route(void *owner, enum netlink_news news, const struct netlink_fib_route *r)
{
	struct watcher *w = owner;

	w->came += news == NETLINK_CAME;
	if (w->slow)
		usleep(20);
	if (w->count < TOLD)
		w->told[w->count] = (struct told){news, *r};
	w->count++;
}

static void ended(void *owner)
{
	struct watcher *w = owner;

	w->ended++;
	if (w->free_at_end) {
		netlink_reader_free(w->reader);
		w->reader = NULL;
	}
}

static const struct netlink_reader_ops ops = {begun, route, ended};

static struct watcher *watch(const uint8_t *protocols, unsigned count, bool watch)
{
	static const uint32_t tables[] = {MAIN, 1000};
	struct watcher *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	assert_int_equal(loop_init(&w->loop), 0);
	w->reader = netlink_reader_new(&w->loop, tables, 2, protocols, count, watch, &ops, w);
	assert_non_null(w->reader);
	return w;
}

static void end(struct watcher *w)
{
	netlink_reader_free(w->reader);
	loop_done(&w->loop);
	free(w);
}

static void on_time(uv_timer_t *t)
{
	*(bool *)t->data = true;
}

/* Runs the loop until that many were told and readings have ended. */
static bool run(struct watcher *w, unsigned count, int ends)
{
	uv_timer_t timer;
	bool over = false;

	timer.data = &over;
	uv_update_time(&w->loop.uv);
	uv_timer_init(&w->loop.uv, &timer);
	uv_timer_start(&timer, on_time, 5000, 0);
	while (!over && (w->count < count || w->ended < ends))
		uv_run(&w->loop.uv, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&w->loop.uv, UV_RUN_NOWAIT);
	return !over;
}

/* Nothing more is told within MS. */
static void assert_silence(struct watcher *w, unsigned ms)
{
	unsigned count = w->count;
	uv_timer_t timer;
	bool over = false;

	timer.data = &over;
	uv_update_time(&w->loop.uv);
	uv_timer_init(&w->loop.uv, &timer);
	uv_timer_start(&timer, on_time, ms, 0);
	while (!over)
		uv_run(&w->loop.uv, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&w->loop.uv, UV_RUN_NOWAIT);
	assert_int_equal(w->count, count);
}

static const struct told *find(const struct watcher *w, const char *dst, enum netlink_news news)
{
	struct prefix p = prefix(dst);

	for (unsigned i = 0; i < w->count; i++)
		if (w->told[i].news == news && prefix_equal(&w->told[i].route.dst, &p))
			return &w->told[i];
	return NULL;
}

static struct place enter_with_addresses(void)
{
	struct place p = enter("lan0", IFF_TAP);

	administer("ip addr add 192.0.2.1/24 dev lan0 && ip addr add 2001:db8::1/64 dev lan0 nodad");
	return p;
}

static const uint8_t statics[] = {RTPROT_STATIC, RTPROT_BIRD};

static void reads_the_tables_and_protocols_that_it_is_told(void **state)
{
	struct watcher *w;
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter_with_addresses();
	administer("ip route add 198.51.100.0/24 via 192.0.2.9 proto static metric 5 &&"
		   "ip route add 198.51.101.0/24 via 192.0.2.9 proto boot &&"
		   "ip route add blackhole 198.51.102.0/24 proto bird table 1000 &&"
		   "ip route add 198.51.103.0/24 via 192.0.2.9 proto static table 1001 &&"
		   "ip -6 route add 2001:db8:1::/48 via fe80::1 dev lan0 proto bird &&"
		   "ip route add 198.51.104.0/24 via 192.0.2.9 proto 172 &&"
		   "ip route add 198.51.105.0/24 tos 0x10 via 192.0.2.9 proto static");
	administer("ip -6 route add 2001:db8:2::/48 from 2001:db8::/64 via fe80::1 dev lan0 proto bird "
		   "2>/dev/null || true"); /* not every kernel has them */
	w = watch(statics, 2, true);
	assert_true(run(w, 0, 1));
	assert_int_equal(w->count, 3);
	assert_non_null(find(w, "198.51.100.0/24", NETLINK_READ));
	assert_int_equal(find(w, "198.51.100.0/24", NETLINK_READ)->route.metric, 5);
	assert_int_equal(find(w, "198.51.100.0/24", NETLINK_READ)->route.protocol, RTPROT_STATIC);
	assert_int_equal(find(w, "198.51.102.0/24", NETLINK_READ)->route.type, RTN_BLACKHOLE);
	assert_int_equal(find(w, "198.51.102.0/24", NETLINK_READ)->route.table, 1000);
	assert_int_equal(find(w, "2001:db8:1::/48", NETLINK_READ)->route.metric, 1024);
	assert_int_equal(w->begun, 1);
	end(w);
	leave(&p);
}

static void hears_what_comes_and_goes(void **state)
{
	const struct told *came, *went;
	struct watcher *w;
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter_with_addresses();
	w = watch(statics, 2, true);
	assert_true(run(w, 0, 1));
	administer("ip route add 198.51.100.0/24 via 192.0.2.9 proto static &&"
		   "ip route del 198.51.100.0/24 proto static &&"
		   "ip -6 route add 2001:db8:1::/48 via fe80::1 dev lan0 proto bird &&"
		   "ip -6 route del 2001:db8:1::/48 &&"
		   "ip route add 198.51.101.0/24 via 192.0.2.9 proto boot");
	assert_true(run(w, 4, 1));
	came = find(w, "198.51.100.0/24", NETLINK_CAME);
	went = find(w, "198.51.100.0/24", NETLINK_WENT);
	assert_true(came && went && came->route.identity == went->route.identity);
	came = find(w, "2001:db8:1::/48", NETLINK_CAME);
	went = find(w, "2001:db8:1::/48", NETLINK_WENT);
	assert_true(came && went && came->route.identity == went->route.identity);
	assert_silence(w, 30);
	/* One of any protocol may take the place of what we know. */
	administer("ip route replace 198.51.101.0/24 via 192.0.2.8 proto dhcp");
	assert_true(run(w, 5, 1));
	assert_int_equal(find(w, "198.51.101.0/24", NETLINK_REPLACED)->route.protocol, RTPROT_DHCP);
	end(w);
	leave(&p);
}

/* The same route is the same, read or heard of; others of its destination and metric are others. */
static void tells_neighbours_apart(void **state)
{
	const struct told *a, *b;
	struct watcher *w;
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter_with_addresses();
	administer("ip route add 198.51.100.0/24 via 192.0.2.9 proto static &&"
		   "ip -6 route add 2001:db8:1::/48 via fe80::1 dev lan0 proto static &&"
		   "ip -6 route append 2001:db8:1::/48 via fe80::2 dev lan0 proto static");
	w = watch(statics, 2, true);
	assert_true(run(w, 2, 1));
	assert_int_equal(find(w, "2001:db8:1::/48", NETLINK_READ)->route.hops, 2);
	administer("ip route append 198.51.100.0/24 via 192.0.2.8 proto static");
	assert_true(run(w, 3, 1));
	a = find(w, "198.51.100.0/24", NETLINK_READ);
	b = find(w, "198.51.100.0/24", NETLINK_CAME);
	assert_true(a && b && a->route.identity != b->route.identity);
	administer("ip route del 198.51.100.0/24 via 192.0.2.9 && ip -6 route del 2001:db8:1::/48 via "
		   "fe80::1 dev lan0");
	assert_true(run(w, 5, 1));
	b = find(w, "198.51.100.0/24", NETLINK_WENT);
	assert_true(a && b && a->route.identity == b->route.identity);
	a = find(w, "2001:db8:1::/48", NETLINK_READ);
	b = find(w, "2001:db8:1::/48", NETLINK_WENT);
	assert_true(a && b && a->route.identity == b->route.identity && b->route.hops == 1);
	end(w);
	leave(&p);
}

/* The kernel says nothing of IPv4 routes that go with their device. */
static void reads_again_when_a_link_goes_down(void **state)
{
	struct watcher *w;
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter_with_addresses();
	administer("ip route add 198.51.100.0/24 via 192.0.2.9 proto static");
	w = watch(statics, 2, true);
	assert_true(run(w, 1, 1));
	w->count = 0;
	administer("ip link set lan0 down");
	assert_true(run(w, 0, 2));
	assert_null(find(w, "198.51.100.0/24", NETLINK_READ));
	assert_int_equal(w->begun, 2);
	end(w);
	leave(&p);
}

/* In another process, so that the reader's loop can be held up meanwhile. */
static void add_many(unsigned count)
{
	FILE *f = popen("ip -batch - >/dev/null", "we"); /* NOLINT(cert-env33-c) */

	assert_non_null(f);
	for (unsigned i = 0; i < count; i++)
		fprintf(f, "route add 10.%u.%u.0/24 via 192.0.2.9 proto static\n", i >> 8, i & 255);
	assert_int_equal(pclose(f), 0);
}

static void an_overrun_leads_to_another_reading(void **state)
{
	struct watcher *w;
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter_with_addresses();
	w = watch(statics, 2, true);
	assert_true(run(w, 0, 1));
	add_many(20000); /* more than fits the socket's buffer */
	assert_true(run(w, 20000, 2));
	end(w);
	leave(&p);
}

/* What the kernel told before it could not any more, and took back then: whoever believes it keeps it for ever. */
static void what_was_told_before_an_overrun_is_no_part_of_the_next_reading(void **state)
{
	struct watcher *w;
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter_with_addresses();
	w = watch(statics, 2, true);
	w->slow = true; /* it takes longer than the time until another reading */
	assert_true(run(w, 0, 1));
	add_many(20000);
	administer("ip route flush proto static");
	assert_true(run(w, 0, 2));
	assert_true(w->count > 1000);
	assert_int_equal(w->came, 0);
	end(w);
	leave(&p);
}

static void our_own_routes_are_read_once_by_who_asks(void **state)
{
	static const uint8_t ours[] = {NETLINK_BGP};
	struct watcher *w;
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter_with_addresses();
	administer("ip route add 198.51.100.0/24 via 192.0.2.9 proto 172 metric 20");
	w = watch(ours, 1, false);
	w->free_at_end = true;
	assert_true(run(w, 1, 1));
	assert_null(w->reader);
	end(w);
	w = watch(ours, 1, true);
	assert_true(run(w, 1, 1)); /* what is there ... */
	administer("ip route del 198.51.100.0/24 proto 172");
	assert_silence(w, 30); /* ... but not what comes and goes */
	end(w);
	leave(&p);
}

static void a_paused_reader_is_silent(void **state)
{
	struct watcher *w;
	struct place p;

	NAMESPACE_OR_SKIP();
	p = enter_with_addresses();
	add_many(600);
	w = watch(statics, 2, false);
	netlink_reader_pause(w->reader, true);
	assert_silence(w, 30);
	assert_int_equal(w->count, 0);
	netlink_reader_pause(w->reader, false);
	assert_true(run(w, 600, 1));
	end(w);
	leave(&p);
}

static void refuses_empty_lists(void **state)
{
	static const uint32_t tables[] = {MAIN};
	struct loop loop;

	assert_int_equal(loop_init(&loop), 0);
	assert_null(netlink_reader_new(&loop, tables, 0, statics, 1, true, &ops, NULL));
	assert_int_equal(errno, EINVAL);
	assert_null(netlink_reader_new(&loop, tables, 1, statics, 0, true, &ops, NULL));
	loop_done(&loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_tables_and_protocols_that_it_is_told),
		cmocka_unit_test(hears_what_comes_and_goes),
		cmocka_unit_test(tells_neighbours_apart),
		cmocka_unit_test(reads_again_when_a_link_goes_down),
		cmocka_unit_test(an_overrun_leads_to_another_reading),
		cmocka_unit_test(what_was_told_before_an_overrun_is_no_part_of_the_next_reading),
		cmocka_unit_test(our_own_routes_are_read_once_by_who_asks),
		cmocka_unit_test(a_paused_reader_is_silent),
		cmocka_unit_test(refuses_empty_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
