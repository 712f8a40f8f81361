/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor tells what others change, once, and keeps quiet about ourselves.
 */
#include <errno.h>
#include <sys/wait.h>

#include "place.h"

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
	uv_stop(&w->loop.uv); /* told_within() need not wait for more */
}

static struct watcher *begin(void)
{
	struct watcher *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	assert_int_equal(loop_init(&w->loop), 0);
	if (geteuid() == 0)
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
	assert_int_equal(told_within(w, 200), 0); /* and that was all */
	/* As ifconfig would: without our protocol. */
	set_address4("lan0", "192.0.2.77");
	set_address4("lan0", "192.0.2.78");
	assert_int_equal(told_within(w, 1000), 1);
	assert_string_equal(w->last, "address");
	assert_int_equal(told_within(w, 200), 0);
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
	assert_int_equal(told_within(w, 200), 0);
	close(lan);
	end(w);
}

/* None come and go with the links. */
static void no_addresses(void)
{
	administer("sysctl -qw net.ipv6.conf.default.disable_ipv6=1");
}

/* What tcpdump does, to a link that had been there and to one that came later; and what others do that does not matter. */
static void listening_to_a_link_is_no_change(void **state)
{
	struct watcher *w;
	int lan, later;

	NAMESPACE_OR_SKIP();
	no_addresses();
	lan = namespace_device("lan0", IFF_TAP);
	administer("ip link set lan0 up");
	w = begin();
	drain(w);
	administer("ip link set lan0 promisc on");
	administer("ip link set lan0 promisc off");
	administer("ip link set lan0 allmulticast on");
	administer("ip link set lan0 txqueuelen 77");
	assert_int_equal(told_within(w, 200), 0);
	later = namespace_device("lan1", IFF_TAP);
	assert_int_equal(told_within(w, 1000), 1);
	drain(w);
	administer("ip link set lan1 promisc on");
	assert_int_equal(told_within(w, 200), 0);
	close(later);
	close(lan);
	end(w);
}

static void what_matters_of_a_link_is_told(void **state)
{
	static const char *const changes[] = {
		"ip link set lan0 mtu 1400",
		"ip link set lan0 address 02:00:00:00:00:99",
		"ip link set lan0 master br0",
		"ip link set lan0 nomaster",
		"ip link set v1 down", /* v0 loses its carrier */
		"ip link set v1 up",   /* and has it again */
		"ip link set v0 down",
		"ip link set v0 up",
		"ip link set lan0 name eth0",
		"ip link del v0",
		"ip link add v0 type veth peer v1",
	};
	struct watcher *w;
	int lan;

	NAMESPACE_OR_SKIP();
	no_addresses();
	lan = namespace_device("lan0", IFF_TAP); /* and stays down */
	administer(
		"sysctl -qw net.ipv6.conf.default.disable_ipv6=1"); /* no addresses come and go with the links */
	administer("ip link add br0 address 02:00:00:00:00:01 mtu 1400 type bridge && ip link add v0 type "
		   "veth peer v1 && ip link set v0 up && "
		   "ip link set v1 up");
	w = begin();
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		drain(w);
		administer(changes[i]);
		if (!told_within(w, 1000) || strcmp(w->last, "link") != 0)
			fail_msg("not told: %s", changes[i]);
	}
	close(lan);
	end(w);
}

static void routes_are_told_when_they_come_and_when_they_go(void **state)
{
	static const char *const changes[] = {
		"ip route add default dev lan0 metric 7",
		"ip route del default dev lan0 metric 7",
		"ip route add 192.0.2.1/32 dev lan0",
		"ip route replace unreachable 192.0.2.1/32",
		"ip -6 route add default dev lan0 metric 7",
		"ip -6 route del default dev lan0 metric 7",
		"ip -6 route add 2001:db8::1/128 dev lan0",
		"ip -6 route change 2001:db8::1/128 dev lan0 mtu 1300",
		"ip -6 route add default dev lan0 proto ra metric 8",
		"ip -6 route del default proto ra",
	};
	struct watcher *w;
	int lan;

	NAMESPACE_OR_SKIP();
	lan = namespace_device("lan0", IFF_TAP);
	administer("sysctl -qw net.ipv6.conf.lan0.accept_dad=0 && ip link set lan0 up");
	w = begin();
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		drain(w);
		administer(changes[i]);
		if (!told_within(w, 1000) || strcmp(w->last, "route") != 0)
			fail_msg("not told: %s", changes[i]);
	}
	close(lan);
	end(w);
}

/* As the engine does, who is nobody: the way to the server is lost and found again. 0, or what failed. */
static int lose_and_find(struct addr there, int to_root)
{
	struct watcher *w;
	char step = 1;

	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		return 1;
	w = begin();
	if (netlink_path_mtu(w->netlink, &there, NULL, NULL, NULL))
		return 2;
	drain(w);
	if (write(to_root, &step, 1) != 1 || !told_within(w, 2000) || strcmp(w->last, "route") != 0)
		return 3;
	if (netlink_path_mtu(w->netlink, &there, NULL, NULL, NULL) != -ENETUNREACH)
		return 4;
	drain(w);
	if (write(to_root, &step, 1) != 1 || !told_within(w, 2000) || strcmp(w->last, "route") != 0)
		return 5;
	if (netlink_path_mtu(w->netlink, &there, NULL, NULL, NULL))
		return 6;
	end(w);
	return 0;
}

static void a_lost_way_is_noticed_without_privilege(void **state)
{
	static const struct {
		const char *there, *lose, *find;
	} cases[] = {
		{"192.0.2.1", "ip route del default", "ip route add default via 10.0.0.2"},
		{"2001:db8::1", "ip -6 route del default", "ip -6 route add default via fe80::2 dev lan0"},
	};
	int lan, pair[2], status;
	char step;

	NAMESPACE_OR_SKIP();
	lan = namespace_device("lan0", IFF_TAP);
	assert_true(namespace_up("lo"));
	administer("sysctl -qw net.ipv6.conf.lan0.accept_dad=0 && ip link set lan0 up && ip addr add "
		   "10.0.0.1/24 dev lan0");
	for (size_t i = 0; i < 2; i++) {
		pid_t pid;

		administer(cases[i].find);
		assert_int_equal(pipe(pair), 0);
		pid = fork();
		if (!pid)
			_exit(lose_and_find(address(cases[i].there), pair[1]));
		assert_int_equal(read(pair[0], &step, 1), 1);
		administer(cases[i].lose);
		assert_int_equal(read(pair[0], &step, 1), 1);
		administer(cases[i].find);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		close(pair[0]);
		close(pair[1]);
	}
	close(lan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_of_links_and_addresses_once),
		cmocka_unit_test(is_quiet_about_what_we_set),
		cmocka_unit_test(ignores_our_devices_now_and_later),
		cmocka_unit_test(survives_more_changes_than_fit),
		cmocka_unit_test(listening_to_a_link_is_no_change),
		cmocka_unit_test(what_matters_of_a_link_is_told),
		cmocka_unit_test(routes_are_told_when_they_come_and_when_they_go),
		cmocka_unit_test(a_lost_way_is_noticed_without_privilege),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
