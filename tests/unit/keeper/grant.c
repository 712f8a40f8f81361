/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the engine gets when it asks, what it does not, and what is left afterwards: everything through a real engine process.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/ethernet.h>
#include <net/route.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip6.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "netlink/route.h"
#include "stage.h"

static const char lan6[] = "20010db8000100020000000000000001";
static const char hole6[] = "20010db8000100000000000000000000";

static int digit_of(const char *path)
{
	char c = '?';
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, &c, 1) != 1)
		c = '?';
	close(fd);
	return c - '0';
}

/* ---- what is allowed ---- */

static int ask_for_everything(struct stage *s, int fd)
{
	struct endpoint udp = to_endpoint("127.0.0.1:1701"), udp6 = to_endpoint("[::1]:1701");
	struct addr inner = to_addr("2001:db8:1::1"), lan = to_addr("2001:db8:1:2::1");
	struct prefix all = to_prefix("::/0"), delegated = to_prefix("2001:db8:1::/48");
	char text[32] = "";
	struct ifreq tun = {0};
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_open_tun, "si-test", 1404));
	note(s, ioctl(a.fd, TUNGETIFF, &tun) || strcmp(tun.ifr_name, "si-test") != 0 ||
			(tun.ifr_flags & (IFF_TUN | IFF_NO_PI | IFF_VNET_HDR)) != (IFF_TUN | IFF_NO_PI) ||
			!(fcntl(a.fd, F_GETFL) & O_NONBLOCK) || !(fcntl(a.fd, F_GETFD) & FD_CLOEXEC));
	note(s, ASK(&a, keeper_open_udp, &udp));
	note(s, !(fcntl(a.fd, F_GETFL) & O_NONBLOCK));
	note(s, ASK(&a, keeper_open_udp, &udp6));
	note(s, ASK(&a, keeper_open_file, s->file));
	note(s, read(a.fd, text, sizeof(text)) != 11 || strcmp(text, "open sesame") != 0);
	note(s, ASK(&a, keeper_open_directory, s->directory));
	note(s, openat(a.fd, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0);
	note(s, ASK(&a, keeper_open_control));
	note(s, listen(a.fd, 5));
	note(s, ASK(&a, keeper_open_icmp6, "lan0"));
	note(s, ASK(&a, keeper_address, true, "si-test", &inner, 64, FOREVER, FOREVER));
	note(s, ASK(&a, keeper_address, true, "lan0", &lan, 64, 7200, 3600));
	note(s, ASK(&a, keeper_route, true, &all, KEEPER_ROUTE_DEVICE, "si-test", &inner, 1024));
	note(s, ASK(&a, keeper_route, true, &delegated, KEEPER_ROUTE_UNREACHABLE, NULL, NULL, 2000));
	note(s, ASK(&a, keeper_link_mtu, "si-test", 1380));
	pause_for_test(s);
	actor_done(&a);
	return 0;
}

static void see_that_it_is_there(const struct stage *s)
{
	struct ifreq request = {.ifr_name = "si-test"};
	struct stat st;

	assert_int_equal(namespace_ioctl(SIOCGIFMTU, &request), 0);
	assert_int_equal(request.ifr_mtu, 1380);
	assert_int_equal(namespace_ioctl(SIOCGIFTXQLEN, &request), 0);
	assert_int_equal(request.ifr_qlen, 1000);
	assert_int_equal(namespace_ioctl(SIOCGIFFLAGS, &request), 0);
	assert_true(request.ifr_flags & IFF_UP);
	assert_int_equal(namespace_count("/proc/net/if_inet6", "si-test", ""),
		1); /* what was asked for, and no more */
	assert_int_equal(digit_of("/proc/sys/net/ipv6/conf/si-test/accept_ra"), 0);
	assert_true(namespace_address6(lan6, "lan0") >= 0);
	assert_int_equal(namespace_routes6("00000000000000000000000000000000", 0, "si-test", RTF_UP), 1);
	assert_int_equal(namespace_routes6(hole6, 48, "lo", RTF_REJECT), 1);
	assert_int_equal(stat(s->control, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(stat(s->runtime, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(stat(s->directory, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(st.st_uid, 65534);
}

static void gives_what_the_policy_allows_and_leaves_nothing(void **state)
{
	struct stage *s = stage_new(true);

	stage_start(s, ask_for_everything);
	assert_true(stage_wait(&s->notes->ready, 1));
	assert_int_equal(s->notes->count, 17);
	for (int i = 0; i < s->notes->count; i++)
		if (s->notes->results[i])
			fail_msg("step %d: %d", i, s->notes->results[i]);
	see_that_it_is_there(s);
	s->notes->go = 1;
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(if_nametoindex("si-test"), 0);
	assert_int_equal(namespace_address6(lan6, "lan0"), -1);
	assert_int_equal(namespace_routes6(hole6, 48, "lo", RTF_REJECT), 0);
	assert_int_equal(access(s->control, F_OK), -1);
	stage_free(s);
}

/* ---- what is not ---- */

static int ask_for_too_much(struct stage *s, int fd)
{
	struct endpoint udp = to_endpoint("127.0.0.1:53"), any = to_endpoint("0.0.0.0:1701");
	struct addr x = to_addr("2001:db8:1::1"), loop6 = to_addr("::1");
	struct prefix all = to_prefix("::/0"), multicast = to_prefix("ff00::/8");
	char inside[96];
	struct actor a;

	snprintf(inside, sizeof(inside), "%s/../secret", s->directory);
	actor_init(&a, fd);
	note(s, ASK(&a, keeper_open_file, "/etc/shadow"));
	note(s, ASK(&a, keeper_open_file, inside));
	note(s, ASK(&a, keeper_open_directory, "/etc"));
	note(s, ASK(&a, keeper_open_udp, &udp));
	note(s, ASK(&a, keeper_open_udp, &any));
	note(s, ASK(&a, keeper_open_tun, "tun7", 1400));
	note(s, ASK(&a, keeper_open_icmp6, "lo"));
	note(s, ASK(&a, keeper_open_icmp6, "si-test"));
	note(s, ASK(&a, keeper_address, true, "lo", &x, 64, FOREVER, FOREVER));
	note(s, ASK(&a, keeper_address, false, "lo", &x, 128, FOREVER, FOREVER));
	note(s, ASK(&a, keeper_route, true, &all, KEEPER_ROUTE_DEVICE, "lan0", NULL, 1));
	note(s, ASK(&a, keeper_route, false, &all, KEEPER_ROUTE_DEVICE, "lo", NULL, 1));
	note(s, ASK(&a, keeper_link_mtu, "lan0", 1280));
	note(s, ASK(&a, keeper_forwarding, AF_INET6));
	/* These make no sense, wherever they are caught. */
	note(s, ASK(&a, keeper_open_file, "secret"));
	note(s, ASK(&a, keeper_open_tun, "a-name-that-is-too-long", 1400));
	note(s, ASK(&a, keeper_open_tun, "../x", 1400));
	note(s, ASK(&a, keeper_route, true, &multicast, KEEPER_ROUTE_DEVICE, "si-test", NULL, 1));
	note(s, ASK(&a, keeper_address, true, "lan0", &loop6, 128, FOREVER, FOREVER));
	note(s, ASK(&a, keeper_forwarding, 99));
	/* In the policy, but not our device (yet). */
	note(s, ASK(&a, keeper_route, true, &all, KEEPER_ROUTE_DEVICE, "sc0", NULL, 1));
	note(s, ASK(&a, keeper_address, true, "sc0", &x, 64, FOREVER, FOREVER));
	note(s, ASK(&a, keeper_link_mtu, "sc0", 1280));
	note(s, ASK(&a, keeper_open_tun, "sc0", 1400));
	actor_done(&a);
	return 0;
}

static void refuses_what_the_policy_does_not_name(void **state)
{
	struct stage *s = stage_new(true);
	int foreign = namespace_device("sc0", IFF_TUN), i = 0;

	s->policy.may_forward = false;
	stage_start(s, ask_for_too_much);
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->count, 24);
	for (; i < 14; i++)
		if (s->notes->results[i] != -EPERM)
			fail_msg("step %d: %d", i, s->notes->results[i]);
	for (; i < 20; i++)
		if (s->notes->results[i] != -EINVAL)
			fail_msg("step %d: %d", i, s->notes->results[i]);
	for (; i < 23; i++)
		assert_int_equal(s->notes->results[i], -ENODEV);
	assert_int_equal(s->notes->results[i], -EBUSY);
	assert_int_equal(digit_of("/proc/sys/net/ipv6/conf/all/forwarding"), 0);
	assert_int_equal(s->notes->lives, 1);
	close(foreign);
	stage_free(s);
}

/* ---- IPv4 ---- */

static int ask_for_ipv4(struct stage *s, int fd)
{
	struct addr inner = to_addr("198.51.100.1"), lan = to_addr("192.168.7.1");
	struct prefix all = to_prefix("0.0.0.0/0"), host = to_prefix("192.0.2.7/32"),
		      pool = to_prefix("203.0.113.0/24");
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_open_tun, "si-test", 1404));
	note(s, ASK(&a, keeper_address, true, "si-test", &inner, 32, 7200, 3600));
	note(s, ASK(&a, keeper_address, true, "lan0", &lan, 24, FOREVER, FOREVER));
	note(s, ASK(&a, keeper_route, true, &all, KEEPER_ROUTE_DEVICE, "si-test", &inner, 1024));
	note(s, ASK(&a, keeper_route, true, &host, KEEPER_ROUTE_DEVICE, "si-test", NULL, 0));
	note(s, ASK(&a, keeper_route, true, &pool, KEEPER_ROUTE_UNREACHABLE, NULL, NULL, 2000));
	note(s, ASK(&a, keeper_address, true, "lan0", &lan, 24, 900, 900)); /* renewed */
	pause_for_test(s);
	actor_done(&a);
	return 0;
}

static void ipv4_is_served_like_ipv6_and_leaves_nothing(void **state)
{
	struct stage *s = stage_new(true);

	stage_start(s, ask_for_ipv4);
	assert_true(stage_wait(&s->notes->ready, 1));
	assert_int_equal(s->notes->count, 7);
	for (int i = 0; i < s->notes->count; i++)
		if (s->notes->results[i])
			fail_msg("step %d: %d", i, s->notes->results[i]);
	assert_int_equal(shown("ip -4 -o addr show dev si-test", "198.51.100.1/32", "valid_lft 7200sec"), 1);
	assert_int_equal(shown("ip -4 -o addr", "192.168.7.1/24 brd 192.168.7.255", "valid_lft 900sec"), 1);
	assert_int_equal(shown("ip -4 route", "default dev si-test", "src 198.51.100.1 metric 1024"), 1);
	assert_int_equal(shown("ip -4 route", "192.0.2.7 dev si-test", ""), 1);
	assert_int_equal(shown("ip -4 route", "unreachable 203.0.113.0/24", "metric 2000"), 1);
	assert_int_equal(digit_of("/proc/sys/net/ipv4/conf/si-test/send_redirects"), 0);
	s->notes->go = 1;
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(shown("ip -4 -o addr", "192.168.7.1", ""), 0);
	assert_int_equal(shown("ip -4 route", "", ""), 0);
	stage_free(s);
}

static int ask_for_hostile_ipv4(struct stage *s, int fd)
{
	static const struct {
		const char *address;
		uint8_t len;
	} addresses[] = {{"8.8.8.8", 7}, {"192.168.7.0", 24}, {"192.168.7.255", 24}, {"255.255.255.255", 32},
		{"224.0.0.1", 32}, {"127.0.0.2", 8}, {"0.0.0.0", 32}, {"192.168.7.1", 33}};
	static const char *const holes[] = {
		"0.0.0.0/0", "0.0.0.0/8", "128.0.0.0/1", "169.254.0.0/16", "240.0.0.0/8", "192.0.2.1/32"};
	struct prefix everybody = to_prefix("255.255.255.255/32"), all = to_prefix("0.0.0.0/0");
	struct actor a;

	actor_init(&a, fd);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct addr x = to_addr(addresses[i].address);

		note(s, ASK(&a, keeper_address, true, "lan0", &x, addresses[i].len, FOREVER, FOREVER));
	}
	for (size_t i = 0; i < sizeof(holes) / sizeof(holes[0]); i++) {
		struct prefix x = to_prefix(holes[i]);

		note(s, ASK(&a, keeper_route, true, &x, KEEPER_ROUTE_UNREACHABLE, NULL, NULL, 1));
	}
	note(s, ASK(&a, keeper_open_tun, "si-test", 1404));
	note(s, ASK(&a, keeper_route, true, &everybody, KEEPER_ROUTE_DEVICE, "si-test", NULL, 1));
	note(s, ASK(&a, keeper_route, true, &all, KEEPER_ROUTE_DEVICE, "lan0", NULL, 1));
	actor_done(&a);
	return 0;
}

static void ipv4_that_would_cut_off_the_host_is_refused(void **state)
{
	static const int expected[] = {-EPERM, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL, -EINVAL,
		-EPERM, -EPERM, -EPERM, -EPERM, -EPERM, -EPERM, 0, -EINVAL, -EPERM};
	struct stage *s = stage_new(true);

	stage_start(s, ask_for_hostile_ipv4);
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->count, sizeof(expected) / sizeof(expected[0]));
	for (int i = 0; i < s->notes->count; i++)
		if (s->notes->results[i] != expected[i])
			fail_msg("step %d: %d", i, s->notes->results[i]);
	assert_int_equal(shown("ip -4 route", "", ""), 0);
	stage_free(s);
}

/* ---- the administrator's addresses ---- */

static int change_the_administrators(struct stage *s, int fd)
{
	struct addr theirs = to_addr("2001:db8:1:2::1"), theirs4 = to_addr("192.168.7.1");
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_address, true, "lan0", &theirs, 64, 60, 0));
	note(s, ASK(&a, keeper_address, true, "lan0", &theirs4, 24, 60, 0));
	note(s, ASK(&a, keeper_address, false, "lan0", &theirs, 64, 0, 0));
	note(s, ASK(&a, keeper_address, false, "lan0", &theirs4, 24, 0, 0));
	actor_done(&a);
	return 0;
}

static void addresses_of_others_on_a_lan_keep_their_lifetimes(void **state)
{
	struct stage *s = stage_new(true);

	administer("ip addr add 2001:db8:1:2::1/64 dev lan0 && ip addr add 192.168.7.1/24 dev lan0");
	stage_start(s, change_the_administrators);
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->results[0], -EEXIST);
	assert_int_equal(s->notes->results[1], -EEXIST);
	assert_int_equal(s->notes->results[2], -EPERM);
	assert_int_equal(s->notes->results[3], -EPERM);
	assert_int_equal(
		shown("ip -6 -o addr", "2001:db8:1:2::1/64", "valid_lft forever preferred_lft forever"), 1);
	assert_int_equal(
		shown("ip -4 -o addr", "192.168.7.1/24", "valid_lft forever preferred_lft forever"), 1);
	stage_free(s);
}

/* Where the kernel cannot tell whose an address is, that which we have not added is the administrator's. */
static void where_the_kernel_cannot_tell_the_keeper_remembers(void **state)
{
	struct stage *s = stage_new(true);

	administer("ip addr flush dev lo && sysctl -qw net.ipv6.conf.lan0.disable_ipv6=1");
	administer("ip addr add 192.168.7.1/24 dev lan0");
	stage_start(s, change_the_administrators);
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->results[1], -EEXIST);
	assert_int_equal(s->notes->results[3], -EPERM);
	assert_int_equal(
		shown("ip -4 -o addr", "192.168.7.1/24", "valid_lft forever preferred_lft forever"), 1);
	stage_free(s);
}

static int delete_the_administrators(struct stage *s, int fd)
{
	struct addr theirs = to_addr("2001:db8:1:2::1"), ours = to_addr("2001:db8:1:3::1");
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_address, false, "lan0", &theirs, 64, 0, 0));
	note(s, ASK(&a, keeper_address, true, "lan0", &ours, 64, 7200, 3600));
	note(s, ASK(&a, keeper_address, false, "lan0", &ours, 64, 0, 0));
	actor_done(&a);
	return 0;
}

static void addresses_of_others_on_a_lan_are_not_deleted(void **state)
{
	struct stage *s = stage_new(true);
	struct addr theirs = to_addr("2001:db8:1:2::1");
	struct netlink *n = netlink_open();

	assert_non_null(n);
	assert_int_equal(netlink_address(n, true, "lan0", &theirs, 64, FOREVER, FOREVER), 0);
	stage_start(s, delete_the_administrators);
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->results[0], -EPERM);
	assert_int_equal(s->notes->results[1], 0);
	assert_int_equal(s->notes->results[2], 0);
	assert_true(namespace_address6(lan6, "lan0") >= 0);
	netlink_close(n);
	stage_free(s);
}

/* ---- files that are not what they seem ---- */

static int open_traps(struct stage *s, int fd)
{
	struct actor a;

	actor_init(&a, fd);
	for (size_t i = 0; i < s->policy.file_count; i++)
		note(s, ASK(&a, keeper_open_file, s->files[i]));
	actor_done(&a);
	return 0;
}

static void files_are_regular_and_not_the_engines_links(void **state)
{
	struct stage *s = stage_new(false);
	char fifo[96], link_outside[96], link_inside[96];

	snprintf(fifo, sizeof(fifo), "%s/fifo", s->folder);
	snprintf(link_outside, sizeof(link_outside), "%s/link", s->folder);
	snprintf(link_inside, sizeof(link_inside), "%s/link", s->directory);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(symlink(s->file, link_outside), 0);
	assert_int_equal(mkdir(s->directory, 0750), 0);
	assert_int_equal(symlink(s->file, link_inside), 0);
	s->files[1] = fifo;
	s->files[2] = link_outside;
	s->files[3] = link_inside;
	s->policy.file_count = 4;
	stage_start(s, open_traps);
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->results[0], 0);
	assert_int_equal(s->notes->results[1], -EINVAL);
	assert_int_equal(s->notes->results[2], 0);
	assert_int_equal(s->notes->results[3], -ELOOP);
	stage_free(s);
}

static int open_directory(struct stage *s, int fd)
{
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_open_directory, s->directory));
	actor_done(&a);
	return 0;
}

static int directory_result(struct stage *s)
{
	int r;

	stage_start(s, open_directory);
	assert_int_equal(stage_end(s), 0);
	r = s->notes->results[0];
	s->notes->count = 0;
	return r;
}

static void directories_of_others_stay_theirs(void **state)
{
	struct stage *s = stage_new(false);
	char file[80];
	struct stat st;
	int fd;

	snprintf(file, sizeof(file), "%s/x", s->directory);
	assert_int_equal(mkdir(s->directory, 0755), 0);
	fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(directory_result(s), -EACCES); /* root's, and in use */
	assert_int_equal(stat(s->directory, &st), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(chown(s->directory, 1, 1), 0);
	assert_int_equal(directory_result(s), -EACCES); /* somebody's */
	assert_int_equal(chmod(s->directory, 01777), 0);
	assert_int_equal(directory_result(s), 0); /* everybody's */
	assert_int_equal(stat(s->directory, &st), 0);
	assert_int_equal(st.st_uid, 1);
	assert_int_equal(chown(s->directory, 0, 0), 0);
	assert_int_equal(chmod(s->directory, 0755), 0);
	assert_int_equal(directory_result(s), 0); /* root's and empty: made for us */
	assert_int_equal(stat(s->directory, &st), 0);
	assert_int_equal(st.st_uid, 65534);
	assert_int_equal(directory_result(s), 0); /* ours */
	stage_free(s);
}

/* ---- the control socket ---- */

static int open_control(struct stage *s, int fd)
{
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_open_control));
	actor_done(&a);
	return 0;
}

static int control_result(struct stage *s)
{
	int r;

	stage_start(s, open_control);
	assert_int_equal(stage_end(s), 0);
	r = s->notes->results[0];
	s->notes->count = 0;
	return r;
}

static void only_a_stale_control_socket_is_replaced(void **state)
{
	struct stage *s = stage_new(false);
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(mkdir(s->runtime, 0755), 0);
	memcpy(sa.sun_path, s->control, strlen(s->control));
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(control_result(s), -EADDRINUSE);
	assert_int_equal(access(s->control, F_OK), 0);
	close(fd);
	assert_int_equal(control_result(s), 0);
	assert_int_equal(access(s->control, F_OK), -1);
	fd = open(s->control, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(control_result(s), -EEXIST);
	assert_int_equal(access(s->control, F_OK), 0);
	s->policy.control_socket = NULL;
	assert_int_equal(control_result(s), -EPERM);
	stage_free(s);
}

/* ---- UDP ports ---- */

static int port_of(int fd, struct endpoint *ret)
{
	struct sockaddr_storage sa = {0};
	socklen_t len = sizeof(sa);

	getsockname(fd, (struct sockaddr *)&sa, &len);
	endpoint_from_sockaddr((struct sockaddr *)&sa, ret);
	return ret->port;
}

static int open_ports(struct stage *s, int fd)
{
	struct endpoint any = to_endpoint("0.0.0.0:0"), any6 = to_endpoint("[::]:0"),
			fixed = to_endpoint("127.0.0.1:1701"), bound;
	int on = 0, value = 0;
	socklen_t len = sizeof(on);
	struct actor a;

	actor_init(&a, fd);
	ASK(&a, keeper_open_udp, &any);
	s->notes->values[value++] = port_of(a.fd, &bound);
	ASK(&a, keeper_open_udp, &any);
	s->notes->values[value++] = port_of(a.fd, &bound);
	note(s, ASK(&a, keeper_close_udp, &bound));
	note(s, ASK(&a, keeper_close_udp, &bound));
	close(a.fd);
	ASK(&a, keeper_open_udp, &any);
	s->notes->values[value++] = port_of(a.fd, &bound);
	ASK(&a, keeper_open_udp, &fixed);
	s->notes->values[value++] = port_of(a.fd, &bound);
	note(s, ASK(&a, keeper_open_udp, &fixed));
	ASK(&a, keeper_open_udp, &any6);
	getsockopt(a.fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, &len);
	s->notes->values[value++] = on;
	actor_done(&a);
	return 0;
}

static void port_zero_is_a_port_of_ones_own(void **state)
{
	struct stage *s = stage_new(false);
	volatile int *v = s->notes->values;

	stage_start(s, open_ports);
	assert_int_equal(stage_end(s), 0);
	assert_true(v[0] > 0 && v[1] > 0 && v[2] > 0);
	assert_int_not_equal(v[0], v[1]);
	assert_int_not_equal(v[0], v[2]);
	assert_int_equal(v[3], 1701);
	assert_int_equal(v[4], 1);
	assert_int_equal(s->notes->results[0], 0);
	assert_int_equal(s->notes->results[1], -ENOENT);
	assert_int_equal(s->notes->results[2], 0);
	stage_free(s);
}

/* ---- listening ---- */

enum { LISTENERS = 2 };

/* The first life is cut short with a connection in its queue; the second one takes it. */
static int listen_twice(struct stage *s, int fd)
{
	struct endpoint at = to_endpoint("[::1]:179"), nowhere = to_endpoint("192.0.2.1:179"),
			other = to_endpoint("[::1]:180"), unheard = to_endpoint("[::1]:0");
	volatile int *values = s->notes->values + LISTENERS * (s->notes->lives - 1);
	int v6only = 0, listener;
	socklen_t len = sizeof(v6only);
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_open_tcp, &nowhere));
	note(s, ASK(&a, keeper_open_tcp, &other));
	note(s, ASK(&a, keeper_open_tcp, &unheard));
	note(s, ASK(&a, keeper_open_tcp, &at));
	note(s, getsockopt(a.fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, &len) || !v6only ||
			!(fcntl(a.fd, F_GETFL) & O_NONBLOCK) || !(fcntl(a.fd, F_GETFD) & FD_CLOEXEC));
	listener = a.fd;
	values[0] = accept(listener, NULL, NULL) >= 0;
	s->notes->ready = s->notes->lives;
	if (s->notes->lives == 1)
		sleep_for_ever();
	note(s, ASK(&a, keeper_close_tcp, &at));
	note(s, ASK(&a, keeper_close_tcp, &at));
	close(listener);
	reach(s, 3);
	actor_done(&a);
	return 0;
}

static int connect_to(const char *text)
{
	struct endpoint e = to_endpoint(text);
	struct sockaddr_storage sa;
	socklen_t len = endpoint_to_sockaddr(&e, &sa);
	int fd = socket(e.addr.family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	if (!connect(fd, (struct sockaddr *)&sa, len))
		return fd;
	close(fd);
	return -1;
}

static void who_connects_while_engines_change_is_served_by_the_next_one(void **state)
{
	struct stage *s = stage_new(false);
	const volatile int *r = s->notes->results;
	int fd;

	assert_int_equal(connect_to("[::1]:179"), -1);
	stage_start(s, listen_twice);
	assert_true(stage_wait(&s->notes->ready, 1));
	assert_int_equal(s->notes->values[0], 0);
	fd = connect_to("[::1]:179");
	assert_true(fd >= 0);
	kill(s->notes->engine, SIGKILL);
	assert_true(stage_wait(&s->notes->ready, 3));
	assert_int_equal(s->notes->values[LISTENERS], 1);
	assert_int_equal(connect_to("[::1]:179"), -1); /* it was closed */
	s->notes->go = 3;
	assert_int_equal(stage_end(s), 0);
	for (int life = 0; life < 2; life++) {
		assert_int_equal(r[5 * life], 0); /* an address that comes later */
		assert_int_equal(r[5 * life + 1], -EPERM);
		assert_int_equal(r[5 * life + 2], -EINVAL);
		assert_int_equal(r[5 * life + 3], 0);
		assert_int_equal(r[5 * life + 4], 0);
	}
	assert_int_equal(r[10], 0);
	assert_int_equal(r[11], -ENOENT);
	close(fd);
	stage_free(s);
}

/* ---- ICMPv6 on a LAN ---- */

static int hear_solicitation(struct stage *s, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[256];
	} control;
	uint8_t data[256];
	struct iovec iov = {data, sizeof(data)};
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	struct actor a;
	int heard = 0;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_open_icmp6, "lan0"));
	pause_for_test(s);
	while (recvmsg(a.fd, &m, 0) > 0) {
		heard++;
		s->notes->values[1] = data[0];
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
			if (c->cmsg_type == IPV6_HOPLIMIT)
				memcpy((void *)&s->notes->values[2], CMSG_DATA(c), sizeof(int));
			if (c->cmsg_type == IPV6_PKTINFO)
				s->notes->values[3] =
					(int)((struct in6_pktinfo *)(void *)CMSG_DATA(c))->ipi6_ifindex;
		}
	}
	s->notes->values[0] = heard;
	actor_done(&a);
	return 0;
}

static uint16_t checksum(const uint8_t *ip, size_t len)
{
	uint32_t sum = (uint32_t)len + IPPROTO_ICMPV6;

	for (size_t i = 0; i < 32; i += 2)
		sum += (uint32_t)ip[8 + i] << 8 | ip[9 + i];
	for (size_t i = 0; i < len; i += 2)
		sum += (uint32_t)ip[40 + i] << 8 | ip[41 + i];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* From fe80::9 to ff02::2, as a neighbour on the LAN. */
static void say(int tap, uint8_t type)
{
	uint8_t f[14 + 40 + 8] = {0x33, 0x33, 0, 0, 0, 2, 2, 0, 0, 0, 0, 9, 0x86, 0xdd, 0x60, [14 + 5] = 8,
		IPPROTO_ICMPV6, 255, 0xfe, 0x80, [14 + 23] = 9, 0xff, 2, [14 + 39] = 2};
	uint16_t sum;

	f[54] = type;
	sum = checksum(f + 14, 8);
	f[56] = (uint8_t)(sum >> 8);
	f[57] = (uint8_t)sum;
	assert_int_equal(write(tap, f, sizeof(f)), (int)sizeof(f));
}

static void lan_socket_hears_router_solicitations_only(void **state)
{
	struct stage *s = stage_new(true);

	stage_start(s, hear_solicitation);
	assert_true(stage_wait(&s->notes->ready, 1));
	assert_int_equal(s->notes->results[0], 0);
	say(s->lan, ND_ROUTER_ADVERT);
	say(s->lan, ND_ROUTER_SOLICIT);
	say(s->lan, ICMP6_ECHO_REQUEST);
	s->notes->go = 1;
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->values[0], 1);
	assert_int_equal(s->notes->values[1], ND_ROUTER_SOLICIT);
	assert_int_equal(s->notes->values[2], 255);
	assert_int_equal(s->notes->values[3], if_nametoindex("lan0"));
	stage_free(s);
}

/* ---- many requests at once ---- */

enum { BURST = 1000 }; /* of 4 KiB each: more than the channel holds */

struct tally {
	struct actor *actor;
	int answers, good;
};

static void count_answer(void *owner, int result, int fd)
{
	struct tally *t = owner;

	t->answers++;
	if (result == 0 && fd >= 0)
		t->good++;
	if (fd >= 0)
		close(fd);
	if (t->answers == BURST)
		loop_stop(&t->actor->loop);
}

static int open_descriptors(void)
{
	int count = 0;

	for (int i = 0; i < 1024; i++)
		count += fcntl(i, F_GETFD) >= 0;
	return count;
}

static int ask_in_a_burst(struct stage *s, int fd)
{
	struct actor a;
	struct tally waited = {&a, 0, 0}, forgotten = {&a, 0, 0};
	int before;

	(void)loop_init(&a.loop); /* libuv keeps a pipe from its first loop on */
	loop_done(&a.loop);
	before = open_descriptors();
	actor_init(&a, fd);
	for (int i = 0; i < BURST; i++) {
		keeper_open_file(a.client, s->file, count_answer, &waited);
		keeper_open_file(a.client, s->file, count_answer, &forgotten);
		keeper_open_file(a.client, s->file, NULL, NULL);
	}
	keeper_forget(a.client, &forgotten);
	while (waited.answers < BURST && !a.lost)
		(void)loop_run(&a.loop);
	note(s, ASK(&a, keeper_open_file, s->file)); /* behind all others */
	if (a.fd >= 0)
		close(a.fd);
	s->notes->values[0] = waited.good;
	s->notes->values[1] = forgotten.answers;
	keeper_open_file(a.client, s->file, count_answer, &forgotten);
	keeper_client_free(a.client); /* with a request that waits */
	loop_done(&a.loop);
	s->notes->values[1] += forgotten.answers;
	s->notes->values[2] = open_descriptors() - before;
	return 0;
}

static void a_burst_of_requests_is_answered_in_full(void **state)
{
	struct stage *s = stage_new(false);

	stage_start(s, ask_in_a_burst);
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->results[0], 0);
	assert_int_equal(s->notes->values[0], BURST);
	assert_int_equal(s->notes->values[1], 0);
	assert_true(s->notes->values[2] < 20);    /* the loop's own */
	assert_int_equal(s->notes->values[3], 0); /* no descriptor is lost */
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_what_the_policy_allows_and_leaves_nothing),
		cmocka_unit_test(refuses_what_the_policy_does_not_name),
		cmocka_unit_test(ipv4_is_served_like_ipv6_and_leaves_nothing),
		cmocka_unit_test(ipv4_that_would_cut_off_the_host_is_refused),
		cmocka_unit_test(addresses_of_others_on_a_lan_keep_their_lifetimes),
		cmocka_unit_test(where_the_kernel_cannot_tell_the_keeper_remembers),
		cmocka_unit_test(addresses_of_others_on_a_lan_are_not_deleted),
		cmocka_unit_test(files_are_regular_and_not_the_engines_links),
		cmocka_unit_test(directories_of_others_stay_theirs),
		cmocka_unit_test(only_a_stale_control_socket_is_replaced),
		cmocka_unit_test(who_connects_while_engines_change_is_served_by_the_next_one),
		cmocka_unit_test(port_zero_is_a_port_of_ones_own),
		cmocka_unit_test(lan_socket_hears_router_solicitations_only),
		cmocka_unit_test(a_burst_of_requests_is_answered_in_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
