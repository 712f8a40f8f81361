/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor tells what others change, once, and keeps quiet about ourselves.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "namespace.h"
#include "netlink/route.h"

struct watcher {
	struct loop loop;
	struct netlink *netlink;
	struct netlink_monitor *monitor;
	int told;
	const char *last;
};

static void changed(void *owner, const char *what)
{
	struct watcher *w = owner;

	w->told++;
	w->last = what;
}

static struct watcher *begin(void)
{
	struct watcher *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	assert_int_equal(loop_init(&w->loop), 0);
	assert_true(namespace_up("lo"));
	w->netlink = netlink_open();
	assert_non_null(w->netlink);
	w->monitor = netlink_monitor_new(&w->loop, changed, w);
	assert_non_null(w->monitor);
	return w;
}

static void end(struct watcher *w)
{
	netlink_monitor_free(w->monitor);
	loop_done(&w->loop);
	netlink_close(w->netlink);
	free(w);
}

static void on_time(uv_timer_t *t)
{
	*(bool *)t->data = true;
}

/* Runs the loop until something has been told, or for MS. */
static int told_within(struct watcher *w, unsigned ms)
{
	uv_timer_t timer;
	bool over = false;
	int told;

	w->told = 0;
	timer.data = &over;
	uv_update_time(&w->loop.uv);
	uv_timer_init(&w->loop.uv, &timer);
	uv_timer_start(&timer, on_time, ms, 0);
	while (!over && !w->told)
		uv_run(&w->loop.uv, UV_RUN_ONCE);
	/* what the flush of the next iteration has to say */
	uv_run(&w->loop.uv, UV_RUN_NOWAIT);
	told = w->told;
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(&w->loop.uv, UV_RUN_NOWAIT);
	return told;
}

static void drain(struct watcher *w)
{
	while (told_within(w, 30))
		continue;
}

static void set_address4(const char *device, const char *text)
{
	struct ifreq request = {0};
	struct endpoint e = {0};
	struct sockaddr_storage sa;

	strncpy(request.ifr_name, device, IFNAMSIZ - 1);
	assert_int_equal(addr_parse(text, &e.addr), 0);
	endpoint_to_sockaddr(&e, &sa);
	memcpy(&request.ifr_addr, &sa, sizeof(request.ifr_addr));
	assert_int_equal(namespace_ioctl(SIOCSIFADDR, &request), 0);
}

static void tells_of_links_and_addresses_once(void **state)
{
	struct watcher *w;
	int lan;

	NAMESPACE_OR_SKIP();
	w = begin();
	lan = namespace_device("lan0", IFF_TAP); /* and stays down: DAD would have more to say */
	assert_int_equal(netlink_link_mtu(w->netlink, "lan0", 1400), 0);
	assert_int_equal(told_within(w, 1000), 1); /* a burst of messages by now */
	assert_string_equal(w->last, "link");
	drain(w);
	/* As ifconfig would: without our protocol. */
	set_address4("lan0", "192.0.2.77");
	set_address4("lan0", "192.0.2.78");
	assert_int_equal(told_within(w, 1000), 1);
	assert_string_equal(w->last, "address");
	close(lan);
	end(w);
}

static void is_quiet_about_what_we_set(void **state)
{
	struct watcher *w;
	struct prefix dst;
	struct addr a;
	int lan;

	NAMESPACE_OR_SKIP();
	w = begin();
	lan = namespace_device("lan0", IFF_TAP);
	/* down: no DAD, so that nothing but our own change is announced */
	drain(w);
	assert_int_equal(addr_parse("2001:db8::1", &a), 0);
	assert_int_equal(netlink_address(w->netlink, true, "lan0", &a, 64, 100, 100), 0);
	assert_int_equal(prefix_parse("2001:db8:1::/48", &dst), 0);
	assert_int_equal(netlink_route(w->netlink, true, &dst, true, NULL, NULL, 5), 0);
	assert_int_equal(netlink_route(w->netlink, false, &dst, true, NULL, NULL, 5), 0);
	assert_int_equal(told_within(w, 200), 0);
	close(lan);
	end(w);
}

static void ignores_our_devices_now_and_later(void **state)
{
	struct watcher *w;
	int before, later;

	NAMESPACE_OR_SKIP();
	w = begin();
	before = namespace_device("si-a", IFF_TUN);
	drain(w);
	assert_int_equal(netlink_monitor_ignore(w->monitor, "si-a"), 0);
	assert_int_equal(netlink_monitor_ignore(w->monitor, "si-b"), 0);
	assert_int_equal(netlink_monitor_ignore(w->monitor, "si-b"), 0);
	assert_int_equal(netlink_monitor_ignore(w->monitor, "a-name-that-is-too-long"), -EINVAL);
	later = namespace_device("si-b", IFF_TUN);
	assert_true(namespace_up("si-a"));
	assert_true(namespace_up("si-b"));
	close(before);
	assert_int_equal(told_within(w, 200), 0);
	close(later);
	later = namespace_device("other", IFF_TUN);
	assert_int_equal(told_within(w, 1000), 1);
	close(later);
	end(w);
}

static void survives_more_changes_than_fit(void **state)
{
	struct watcher *w;
	int lan;

	NAMESPACE_OR_SKIP();
	w = begin();
	lan = namespace_device("lan0", IFF_TAP);
	for (int i = 0; i < 3000; i++)
		assert_int_equal(netlink_link_mtu(w->netlink, "lan0", 1400 + (unsigned)i % 2), 0);
	assert_true(told_within(w, 1000) >= 1);
	drain(w);
	assert_int_equal(netlink_link_mtu(w->netlink, "lan0", 1300), 0);
	assert_int_equal(told_within(w, 1000), 1);
	assert_string_equal(w->last, "link");
	close(lan);
	end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_of_links_and_addresses_once),
		cmocka_unit_test(is_quiet_about_what_we_set),
		cmocka_unit_test(ignores_our_devices_now_and_later),
		cmocka_unit_test(survives_more_changes_than_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
