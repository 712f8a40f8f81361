/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mount.h>

#include "netlink/fib.h"

static void add(struct core *c, const char *local, const char *net)
{
	struct addr a = address(local);
	struct prefix p = prefix(net);

	assert_int_equal(netlink_address(c->netlink, true, "core0", &a, (uint8_t)addr_bits(a.family),
				 UINT32_MAX, UINT32_MAX),
		0);
	assert_int_equal(netlink_route(c->netlink, true, &p, false, "core0", NULL, 100), 0);
}

void core_await_address(struct core *c, const char *local)
{
	struct addr a = address(local);
	struct netlink_way way = {0};

	for (unsigned i = 0; netlink_way(c->netlink, &a, 0, &way) < 0 || !way.local; i++) {
		assert_true(i < 5000);
		poll(NULL, 0, 1);
	}
}

bool core_merges(struct core *c)
{
	/* /sys of this namespace, for us alone. */
	c->merges = !unshare(CLONE_NEWNS) && !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
		    !mount("sysfs", "/sys", "sysfs", 0, NULL);
	return c->merges;
}

/* For as long as it takes to send some more. */
static void hold_packets(void)
{
	int fd = open("/sys/class/net/core0/gro_flush_timeout", O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "2000000", 7), 7);
	close(fd);
}

void core_make(struct core *c, const char *local6, const char *local4)
{
	assert_true(namespace_up("lo"));
	c->netlink = netlink_open();
	assert_non_null(c->netlink);
	c->wire = namespace_device("core0", IFF_TUN | (c->merges ? IFF_NAPI : 0));
	assert_true(c->wire >= 0);
	if (c->merges)
		hold_packets();
	assert_int_equal(netlink_link_no_autoconf(c->netlink, "core0"), 0);
	assert_int_equal(netlink_link_up(c->netlink, "core0", true), 0);
	c->ifindex = if_nametoindex("core0");
	add(c, local6, "2001:db8:c::/64");
	add(c, local4, "192.0.2.0/24");
	core_await_address(c, local6);
}

void core_done(struct core *c)
{
	netlink_close(c->netlink);
	close(c->wire);
}

int core_socket(const char *local, uint8_t protocol)
{
	struct endpoint at = {.addr = address(local)};
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&at, &ss);
	int fd = socket(at.addr.family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);

	assert_true(fd >= 0);
	if (protocol != IPPROTO_RAW)
		assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

static bool is_chatter(const uint8_t *packet)
{
	return packet[0] >> 4 == 6 ? packet[24] == 0xff : packet[16] >= 224;
}

size_t core_wire(struct core *c, uint8_t family, uint8_t *buf, size_t size)
{
	for (;;) {
		ssize_t n = read(c->wire, buf, size);

		if (n < 0) {
			assert_int_equal(errno, EAGAIN);
			return 0;
		}
		if (inner_family(buf, (size_t)n) == family && !is_chatter(buf))
			return (size_t)n;
	}
}

size_t core_await(struct core *c, uint8_t family, uint8_t *buf, size_t size)
{
	struct pollfd p = {.fd = c->wire, .events = POLLIN};
	size_t n;

	while (!(n = core_wire(c, family, buf, size)))
		assert_int_equal(poll(&p, 1, 5000), 1);
	return n;
}

void core_inject(struct core *c, const void *packet, size_t len)
{
	assert_int_equal(write(c->wire, packet, len), (ssize_t)len);
}
