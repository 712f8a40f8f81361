/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the mesh asks for, through a real engine process; and what the kernel then does with packets:
 *
 *   client -- lan0 (TAP of the test) -- this host -- softwire0
 *                                          `-- core0 (another TAP of the test)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>

#include "keeper/descriptor.h"
#include "stage.h"

#define DEVICE "softwire0"

enum { MTU = 9000, QUEUE = 4096, PATIENCE = 2000, NOW = 0, PATH = 7 };

/* ---- packets ---- */

static const uint8_t our_lladdr[] = {2, 0, 0, 0, 0, 0}, lan_lladdr[] = {2, 0xaa, 0, 0, 0, 1},
		     core_lladdr[] = {2, 0xcc, 0, 0, 0, 1};

struct frame {
	uint8_t bytes[2048];
	size_t len;
};

static uint16_t checksum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* 8 octets of PROTOCOL from SRC to DST, to the device with the address TO. */
static struct frame frame_of(const uint8_t to[6], const char *src, const char *dst, uint8_t protocol)
{
	struct addr from = to_addr(src), at = to_addr(dst);
	struct frame f = {.len = ETH_HLEN};
	struct ether_header *e = (struct ether_header *)f.bytes;

	memcpy(e->ether_dhost, to, 6);
	memcpy(e->ether_shost, "\2\0\0\0\0\1", 6);
	if (from.family == AF_INET) {
		struct iphdr ip = {
			.version = 4, .ihl = 5, .ttl = 64, .protocol = protocol, .tot_len = htons(28)};

		memcpy(&ip.saddr, from.bytes, 4);
		memcpy(&ip.daddr, at.bytes, 4);
		ip.check = checksum(&ip, sizeof(ip));
		e->ether_type = htons(ETHERTYPE_IP);
		memcpy(f.bytes + f.len, &ip, sizeof(ip));
		f.len += sizeof(ip) + 8;
	} else {
		struct ip6_hdr ip = {.ip6_plen = htons(8), .ip6_nxt = protocol, .ip6_hlim = 64};

		ip.ip6_vfc = 0x60;
		memcpy(&ip.ip6_src, from.bytes, 16);
		memcpy(&ip.ip6_dst, at.bytes, 16);
		e->ether_type = htons(ETHERTYPE_IPV6);
		memcpy(f.bytes + f.len, &ip, sizeof(ip));
		f.len += sizeof(ip) + 8;
	}
	return f;
}

static void put(int fd, const struct frame *f)
{
	assert_int_equal(write(fd, f->bytes, f->len), (int)f->len);
}

/* The protocol of a packet; 0: neither IPv4 nor IPv6, or one that hosts say by themselves (multicast). */
static uint8_t protocol_of(const struct frame *f, struct addr *ret_dst)
{
	const struct ether_header *e = (const struct ether_header *)f->bytes;
	const uint8_t *ip = f->bytes + ETH_HLEN;

	if (e->ether_type == htons(ETHERTYPE_IP) && f->len >= ETH_HLEN + sizeof(struct iphdr)) {
		*ret_dst = addr4(ip[16], ip[17], ip[18], ip[19]);
		return ip[9];
	}
	if (e->ether_type != htons(ETHERTYPE_IPV6) || f->len < ETH_HLEN + sizeof(struct ip6_hdr) ||
		ip[24] == 0xff)
		return 0;
	*ret_dst = addr6_of(ip + 24);
	return ip[6];
}

/* Waits for a packet of PROTOCOL to DST; false: none has come in MS. */
static bool take(int fd, uint8_t protocol, const char *dst, int ms, struct frame *ret)
{
	int64_t end = milliseconds() + ms;
	struct pollfd p = {.fd = fd, .events = POLLIN};

	for (int64_t left = ms; left >= 0 && poll(&p, 1, (int)left) > 0; left = end - milliseconds()) {
		ssize_t n = read(fd, ret->bytes, sizeof(ret->bytes));
		struct addr to, wanted = to_addr(dst);

		ret->len = n < 0 ? 0 : (size_t)n;
		if (protocol_of(ret, &to) == protocol && addr_equal(&to, &wanted))
			return true;
	}
	return false;
}

/* Is F, which goes IN, forwarded to DST by OUT? MARKER comes behind it, and is in any case. */
static bool passes(int in, const struct frame *f, int out, const char *dst, const struct frame *marker,
	const char *marker_dst)
{
	struct addr to, wanted = to_addr(dst), end = to_addr(marker_dst);
	struct pollfd p = {.fd = out, .events = POLLIN};
	bool passed = false;

	put(in, f);
	put(in, marker);
	while (poll(&p, 1, PATIENCE) > 0) {
		struct frame got;
		ssize_t n = read(out, got.bytes, sizeof(got.bytes));

		got.len = n < 0 ? 0 : (size_t)n;
		if (protocol_of(&got, &to) != IPPROTO_UDP)
			continue;
		if (addr_equal(&to, &end))
			return passed;
		passed |= addr_equal(&to, &wanted);
	}
	fail_msg("no packet to %s", marker_dst);
	return false;
}

/* ---- the place ---- */

struct place {
	struct netlink *netlink;
	int softwire, lan, core;
};

static void write_setting(const char *path, const char *text)
{
	char command[160];

	snprintf(command, sizeof(command), "echo %s > /proc/sys/net/%s", text, path);
	administer(command);
}

static int tap(const char *name, const char *lladdr)
{
	int fd = namespace_device(name, IFF_TAP);
	char command[160];

	assert_true(fd >= 0);
	snprintf(command, sizeof(command), "ip link set %s address %s up", name, lladdr);
	administer(command);
	return fd;
}

/* A router between lan0 and core0, with neighbours on both that need not be asked. */
/* An IPv6 address is there when the kernel has come round to it, a moment after `ip addr add`. */
static void await_address(const char *address)
{
	char command[192];

	snprintf(command, sizeof(command),
		"timeout 20 sh -c \"until ip -6 route get %s | grep -q '^local'; do :; done\"", address);
	administer(command);
}

static void make_router(struct place *p)
{
	assert_true(namespace_up("lo"));
	write_setting("ipv4/ip_forward", "1");
	write_setting("ipv6/conf/all/forwarding", "1");
	write_setting("ipv4/conf/default/rp_filter", "1"); /* as strict as a distribution can be */
	p->lan = tap("lan0", "02:aa:00:00:00:01");
	p->core = tap("core0", "02:cc:00:00:00:01");
	administer("ip addr add 203.0.113.1/24 dev lan0 && ip addr add 2001:db8:a::1/64 dev lan0 nodad"
		   " && ip addr add 192.0.2.1/24 dev core0 && ip addr add 2001:db8:c::1/64 dev core0 nodad"
		   " && for n in '203.0.113.5 dev lan0' '2001:db8:a::5 dev lan0' '192.0.2.2 dev core0'"
		   " '2001:db8:c::2 dev core0' '203.0.113.6 dev lan0'; do ip neigh add $n lladdr "
		   "02:00:00:00:00:01 || exit 1; done");
	await_address("2001:db8:a::1");
	await_address("2001:db8:c::1");
}

static void close_place(struct place *p)
{
	close(p->lan);
	close(p->core);
	if (p->netlink) {
		close(p->softwire);
		netlink_close(p->netlink);
	}
}

/* With a device that leads to path 7, as the administrator sees it, and no keeper. */
static struct place place_with_softwire(const char *all_rp_filter, struct log *log)
{
	struct netlink_neighbour path = {to_addr("fe80::7"), {2, 0, 0, 0, 0, PATH}};
	struct place p = {.netlink = netlink_open()};

	assert_non_null(p.netlink);
	write_setting("ipv4/conf/all/rp_filter", all_rp_filter);
	make_router(&p);
	p.softwire = descriptor_tap(p.netlink, DEVICE, MTU, log);
	assert_true(p.softwire >= 0);
	assert_int_equal(netlink_neighbours(p.netlink, true, DEVICE, &path, 1), 0);
	administer("ip route add 198.51.100.0/24 via inet6 fe80::7 dev " DEVICE
		   " && ip -6 route add 2001:db8:1::/48 via fe80::7 dev " DEVICE);
	return p;
}

/* ---- packets through the device ---- */

static void routes_lead_to_the_path_of_their_gateway(void **state)
{
	struct frame f4 = frame_of(lan_lladdr, "203.0.113.5", "198.51.100.9", IPPROTO_UDP),
		     f6 = frame_of(lan_lladdr, "2001:db8:a::5", "2001:db8:1::9", IPPROTO_UDP), got;
	static const uint8_t path[] = {2, 0, 0, 0, 0, PATH};
	struct place p;

	NAMESPACE_OR_SKIP();
	p = place_with_softwire("0", NULL);
	assert_int_equal(shown("ip route get 198.51.100.9", "src 127", ""),
		0);                                      /* nor does what the host itself sends */
	for (int carrier = 1; carrier >= 0; carrier--) { /* and again after it was away */
		put(p.lan, &f4);
		assert_true(take(p.softwire, IPPROTO_UDP, "198.51.100.9", PATIENCE, &got));
		assert_memory_equal(got.bytes, path, 6);
		assert_int_equal(got.bytes[ETH_HLEN + 8], 63);
		put(p.lan, &f6);
		assert_true(take(p.softwire, IPPROTO_UDP, "2001:db8:1::9", PATIENCE, &got));
		assert_memory_equal(got.bytes, path, 6);
		for (int on = 0; on <= 1; on++)
			assert_int_equal(ioctl(p.softwire, TUNSETCARRIER, &on), 0);
	}
	close_place(&p);
}

/* The way back of what comes out of a softwire may be another one. */
static void what_comes_out_may_have_another_way_back(void **state)
{
	static const struct {
		const char *all, *src; /* routed to core0, or not at all */
		bool passes;
	} cases[] = {{"0", "192.0.2.77", true}, {"0", "10.9.9.9", true}, {"1", "192.0.2.77", true},
		{"2", "192.0.2.77", true}, {"1", "10.9.9.9", false}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct frame f = frame_of(our_lladdr, cases[i].src, "203.0.113.5", IPPROTO_UDP),
			     marker = frame_of(our_lladdr, "198.51.100.9", "203.0.113.6", IPPROTO_UDP);
		int fd = memfd_create("log", MFD_CLOEXEC);
		char text[512] = "";
		struct log log;
		struct place p;

		NAMESPACE_OR_SKIP();
		log_init(&log, fd, LEVEL_WARN);
		p = place_with_softwire(cases[i].all, &log);
		assert_int_equal(passes(p.softwire, &f, p.lan, "203.0.113.5", &marker, "203.0.113.6"),
			cases[i].passes);
		assert_true(pread(fd, text, sizeof(text) - 1, 0) >= 0);
		/* Said where it can do harm, whether it has done some yet or not. */
		assert_int_equal(strstr(text, "net.ipv4.conf.all.rp_filter") != NULL, *cases[i].all != '0');
		close(fd);
		close_place(&p);
	}
}

/* A redirect would have been sent before what it is about. */
/* From one softwire to another, though the host sends redirects elsewhere; and from ourselves (ICMP errors of the data plane). */
static void no_detour_and_no_forgery(void **state)
{
	struct frame f = frame_of(our_lladdr, "192.0.2.77", "198.51.100.9", IPPROTO_UDP),
		     own = frame_of(our_lladdr, "192.0.2.1", "203.0.113.5", IPPROTO_UDP),
		     f6 = frame_of(our_lladdr, "2001:db8:1::7", "2001:db8:1::9", IPPROTO_UDP), got;
	struct place p;

	NAMESPACE_OR_SKIP();
	p = place_with_softwire("0", NULL);
	write_setting("ipv4/conf/all/send_redirects", "1");
	put(p.softwire, &f);
	assert_true(take(p.softwire, IPPROTO_UDP, "198.51.100.9", PATIENCE, &got));
	assert_false(take(p.core, IPPROTO_ICMP, "192.0.2.77", NOW, &got));
	put(p.softwire, &f6);
	assert_true(take(p.softwire, IPPROTO_UDP, "2001:db8:1::9", PATIENCE, &got));
	assert_false(take(p.softwire, IPPROTO_ICMPV6, "2001:db8:1::7", NOW, &got));
	put(p.softwire, &own);
	assert_true(take(p.lan, IPPROTO_UDP, "203.0.113.5", PATIENCE, &got));
	close_place(&p);
}

/* ---- raw sockets ---- */

static bool heard(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char bytes[256];

	return poll(&p, 1, PATIENCE) > 0 && read(fd, bytes, sizeof(bytes)) > 0;
}

/* The address comes when the sockets are there already. */
static void raw_sockets_hear_what_is_for_their_address(void **state)
{
	static const uint8_t protocols[] = {4, 41, 47, 115, 137};
	struct place p = {0};
	int fds[2][5], sender;
	char bytes[256];

	NAMESPACE_OR_SKIP();
	make_router(&p);
	for (int six = 0; six < 2; six++)
		for (int i = 0; i < 5; i++) {
			struct addr local = to_addr(six ? "2001:db8:c::99" : "192.0.2.99");

			fds[six][i] = descriptor_raw(&local, protocols[i]);
			assert_true(fds[six][i] >= 0);
		}
	administer("ip addr add 192.0.2.99/32 dev lo && ip addr add 2001:db8:c::99/128 dev lo");
	await_address("2001:db8:c::99");
	for (int six = 0; six < 2; six++)
		for (int i = 0; i < 5; i++) {
			struct frame mine = frame_of(core_lladdr, six ? "2001:db8:c::2" : "192.0.2.2",
				six ? "2001:db8:c::99" : "192.0.2.99", protocols[i]);
			struct frame other = frame_of(core_lladdr, six ? "2001:db8:c::2" : "192.0.2.2",
				six ? "2001:db8:c::1" : "192.0.2.1", protocols[i]);

			put(p.core, &other);
			put(p.core, &mine);
			assert_true(heard(fds[six][i]));
			assert_int_equal(read(fds[six][i], bytes, sizeof(bytes)), -1); /* that one only */
			assert_int_equal(errno, EAGAIN);
			close(fds[six][i]);
		}
	for (int six = 0; six < 2; six++) {
		struct addr local = to_addr(six ? "2001:db8:c::99" : "192.0.2.99");
		struct frame f = frame_of(core_lladdr, six ? "2001:db8:c::99" : "192.0.2.99",
				     six ? "2001:db8:c::2" : "192.0.2.2", 47),
			     got;
		struct endpoint to = {.addr = to_addr(six ? "2001:db8:c::2" : "192.0.2.2")};
		struct sockaddr_storage sa;
		socklen_t len = endpoint_to_sockaddr(&to, &sa);

		sender = descriptor_raw(&local, IPPROTO_RAW);
		assert_true(sender >= 0);
		assert_int_equal(
			sendto(sender, f.bytes + ETH_HLEN, f.len - ETH_HLEN, 0, (struct sockaddr *)&sa, len),
			(int)(f.len - ETH_HLEN));
		assert_true(take(p.core, 47, six ? "2001:db8:c::2" : "192.0.2.2", PATIENCE, &got));
		assert_int_equal(got.len, f.len);
		close(sender);
	}
	close_place(&p);
}

/* ---- through an engine process ---- */

static const char *const taps[] = {DEVICE}, *const clients[] = {"lan0", "lan1"};
static const char core4[] = "192.0.2.0/24", core6[] = "2001:db8:c::/48";

static struct stage *stage_of_mesh(struct addr raws[2], struct prefix sets[2])
{
	struct stage *s = stage_new(false);

	raws[0] = to_addr("192.0.2.1");
	raws[1] = to_addr("2001:db8:c::1");
	sets[0] = to_prefix(core4);
	sets[1] = to_prefix(core6);
	s->policy.taps = taps;
	s->policy.tap_count = 1;
	s->policy.raws = raws;
	s->policy.raw_count = 2;
	s->policy.borders = clients;
	s->policy.border_count = 2;
	s->policy.border_sets = sets;
	s->policy.border_set_count = 2;
	return s;
}

static int flags_are_right(int fd)
{
	return (fcntl(fd, F_GETFL) & O_NONBLOCK) && (fcntl(fd, F_GETFD) & FD_CLOEXEC) ? 0 : -1;
}

static int buffers_are_large(int fd)
{
	int in = 0, out = 0;
	socklen_t len = sizeof(in);

	(void)getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &in, &len);
	(void)getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &out, &len);
	return in >= 8 << 20 && out >= 8 << 20 ? 0 : -1;
}

static int ask_for_everything(struct stage *s, int fd)
{
	uint32_t numbers[KEEPER_NEIGHBOURS];
	struct addr local = to_addr("2001:db8:c::1"), local4 = to_addr("192.0.2.1");
	struct prefix sets[] = {to_prefix(core4), to_prefix(core6)};
	struct keeper_bgp_route route = {
		.dst = to_prefix("198.51.100.0/24"), .gateway = to_addr("fe80::100"), .add = 1};
	int before = 4 * (s->notes->lives - 1);
	struct ifreq tun = {0};
	struct actor a;

	for (unsigned i = 0; i < KEEPER_NEIGHBOURS; i++)
		numbers[i] = i + 1;
	numbers[0] = 0xffffff;
	actor_init(&a, fd);
	note(s, ASK(&a, keeper_open_tap, DEVICE, MTU));
	note(s, ioctl(a.fd, TUNGETIFF, &tun) || strcmp(tun.ifr_name, DEVICE) != 0 ||
			(tun.ifr_flags & (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)) != (IFF_TAP | IFF_NO_PI));
	note(s, flags_are_right(a.fd));
	note(s, ASK(&a, keeper_neighbours, true, DEVICE, numbers, KEEPER_NEIGHBOURS));
	note(s, ASK(&a, keeper_neighbours, true, DEVICE, numbers, 2)); /* they are there */
	note(s, ASK(&a, keeper_neighbours, false, DEVICE, numbers + 2, 3));
	note(s, ASK(&a, keeper_neighbours, false, DEVICE, numbers + 2, 3)); /* they are not */
	note(s, ASK(&a, keeper_open_state, DEVICE));
	note(s, ASK(&a, keeper_forwarding, AF_INET));
	note(s, ASK(&a, keeper_forwarding, AF_INET6));
	note(s, ASK(&a, keeper_open_raw, &local, 47));
	note(s, flags_are_right(a.fd) | buffers_are_large(a.fd));
	note(s, ASK(&a, keeper_open_raw, &local4, 255));
	note(s, flags_are_right(a.fd) | buffers_are_large(a.fd));
	note(s, ASK(&a, keeper_borders, clients, 2, sets, 2));
	note(s, ASK(&a, keeper_link_mtu, DEVICE, MTU - 100));
	note(s, keeper_bgp_route_check(&route) == NULL); /* without an interface it is none */
	route.ifindex = if_nametoindex(DEVICE);
	note(s, keeper_bgp_route_check(&route) != NULL);
	reach(s, before + 1);
	note(s, ASK(&a, keeper_borders, clients, 1, sets, 1));
	reach(s, before + 2);
	note(s, ASK(&a, keeper_borders, NULL, 0, NULL, 0));
	reach(s, before + 3);
	note(s, ASK(&a, keeper_borders, clients, 2, sets, 2));
	reach(s, before + 4);
	actor_done(&a);
	return before ? 0 : 1; /* the first one dies */
}

static int permanent(const char *a, const char *b)
{
	return shown("ip -6 neigh show dev " DEVICE " nud permanent", a, b);
}

static int rules(const char *a, const char *b)
{
	return shown("ip -4 rule show", a, b) + shown("ip -6 rule show", a, b);
}

static void see_device(void)
{
	assert_int_equal(shown("ip -d link show dev " DEVICE, "mtu 8900", "UP"), 1);
	assert_int_equal(shown("ip -d link show dev " DEVICE, "qlen 4096", ""), 1);
	assert_int_equal(shown("ip -d link show dev " DEVICE, "link/ether 02:00:00:00:00:00", ""), 1);
	assert_int_equal(shown("ip -d link show dev " DEVICE, "addrgenmode none", ""), 1);
	assert_int_equal(shown("ip addr show dev " DEVICE, "inet ", ""), 1);
	assert_int_equal(shown("ip addr show dev " DEVICE, "inet 127.171.0.1/32 scope host", ""), 1);
	assert_int_equal(shown("ip addr show dev " DEVICE, "inet6", ""), 0);
	assert_int_equal(shown("cat /proc/sys/net/ipv6/conf/" DEVICE "/accept_ra", "0", ""), 1);
	assert_int_equal(shown("cat /proc/sys/net/ipv6/conf/" DEVICE "/disable_ipv6", "0", ""), 1);
	assert_int_equal(shown("cat /proc/sys/net/ipv4/conf/" DEVICE "/send_redirects", "0", ""), 1);
	assert_int_equal(permanent("lladdr 02:00:00", "PERMANENT"), KEEPER_NEIGHBOURS - 3);
	assert_int_equal(permanent("fe80::ff:ffff lladdr 02:00:00:ff:ff:ff", ""), 1);
	assert_int_equal(permanent("fe80::100 lladdr 02:00:00:00:01:00", ""), 1);
	assert_int_equal(permanent("fe80::3 ", ""), 0);
}

static void see_notes(const struct stage *s, int count)
{
	assert_int_equal(s->notes->count, count);
	for (int i = 0; i < count; i++)
		if (s->notes->results[i])
			fail_msg("step %d: %d", i, s->notes->results[i]);
}

/* Through the life and death of engines, until the keeper ends. */
static void gives_what_softwires_need_and_leaves_nothing(void **state)
{
	struct prefix sets[2];
	struct addr raws[2];
	struct stage *s = stage_of_mesh(raws, sets);

	administer("ip rule add pref 171 from 192.0.2.0/24 iif lan0 prohibit proto static");
	stage_start(s, ask_for_everything);
	let_reach(s, 1);
	see_notes(s, 18);
	see_device();
	administer("ip route add 198.51.100.0/24 via inet6 fe80::7 dev " DEVICE
		   " && ip -6 route add 2001:db8:1::/48 via fe80::7 dev " DEVICE);
	assert_int_equal(rules("proto 171", ""), 9); /* two links, two sets, from and to; and what the kernel is not to say */
	assert_int_equal(rules("171:", "iif lan1"), 4);
	let_reach(s, 2);
	assert_int_equal(rules("proto 171", ""), 3);
	let_reach(s, 3);
	assert_int_equal(rules("proto 171", ""), 1);
	let_reach(s, 4);
	assert_int_equal(rules("proto 171", ""), 9);

	let_reach(s, 5); /* it ended, as if it had crashed; the next one finds all as it was */
	assert_int_equal(s->notes->lives, 2);
	see_notes(s, 39);
	see_device();
	assert_int_equal(shown("ip -4 route show dev " DEVICE, "via inet6 fe80::7", ""), 1);
	assert_int_equal(rules("proto 171", ""), 9);
	s->notes->go = 8;
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(if_nametoindex(DEVICE), 0);
	assert_int_equal(rules("proto 171", ""), 0);
	assert_int_equal(rules("171:", "proto static"), 1); /* somebody else's */
	stage_free(s);
}

static int ask_for_too_much(struct stage *s, int fd)
{
	static const char *const not_clients[] = {"lan0", "eth0"};
	struct addr other = to_addr("192.0.2.2"), local = to_addr("192.0.2.1"), any = to_addr("0.0.0.0");
	struct prefix core = to_prefix(core4), all = to_prefix("0.0.0.0/0"),
		      wider = to_prefix("192.0.0.0/16");
	uint32_t numbers[KEEPER_NEIGHBOURS + 1] = {1, 0x1000000};
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_open_tap, "si-test", MTU)); /* a TUN */
	note(s, ASK(&a, keeper_open_tun, DEVICE, 1400));
	note(s, ASK(&a, keeper_open_tap, "tap7", MTU));
	note(s, ASK(&a, keeper_neighbours, true, "lan0", numbers, 1));
	note(s, ASK(&a, keeper_open_raw, &other, 47));
	note(s, ASK(&a, keeper_borders, not_clients, 2, &core, 1));
	note(s, ASK(&a, keeper_borders, clients, 1, &wider, 1));
	note(s, ASK(&a, keeper_open_state, "tap7"));

	note(s, ASK(&a, keeper_neighbours, true, DEVICE, numbers, 2));
	note(s, ASK(&a, keeper_neighbours, true, DEVICE, numbers, 0));
	note(s, ASK(&a, keeper_neighbours, true, DEVICE, numbers, KEEPER_NEIGHBOURS + 1));
	note(s, ASK(&a, keeper_open_raw, &local, 6));
	note(s, ASK(&a, keeper_open_raw, &any, 47));
	note(s, ASK(&a, keeper_borders, clients, 1, &all, 1));
	note(s, ASK(&a, keeper_borders, clients, KEEPER_BORDERS + 1, &core, 1));
	note(s, ASK(&a, keeper_borders, clients, 1, &core, KEEPER_BORDERS + 1));

	note(s, ASK(&a, keeper_neighbours, true, DEVICE, numbers, 1)); /* not open */
	note(s, ASK(&a, keeper_neighbours, false, DEVICE, numbers, 1));
	note(s, ASK(&a, keeper_open_tap, DEVICE, MTU)); /* somebody else's */
	actor_done(&a);
	return 0;
}

static void refuses_what_the_policy_does_not_name(void **state)
{
	struct prefix sets[2];
	struct addr raws[2];
	struct stage *s = stage_of_mesh(raws, sets);
	int foreign = namespace_device(DEVICE, IFF_TAP), i = 0;

	stage_start(s, ask_for_too_much);
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->count, 19);
	for (; i < 8; i++)
		if (s->notes->results[i] != -EPERM)
			fail_msg("step %d: %d", i, s->notes->results[i]);
	for (; i < 16; i++)
		if (s->notes->results[i] != -EINVAL)
			fail_msg("step %d: %d", i, s->notes->results[i]);
	assert_int_equal(s->notes->results[i++], -ENODEV);
	assert_int_equal(s->notes->results[i++], 0);
	assert_int_equal(s->notes->results[i++], -EBUSY);
	assert_int_equal(rules("proto 171", ""), 0);
	close(foreign);
	stage_free(s);
}

/* ---- border filters ---- */

static int ask_for_borders(struct stage *s, int fd)
{
	struct prefix sets[] = {to_prefix(core4), to_prefix(core6)};
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_borders, clients, 1, sets, 2));
	pause_for_test(s);
	actor_done(&a);
	return 0;
}

/* "Prohibited": RFC 1812 section 5.2.7.1, RFC 4443 section 3.1. */
static bool hears_that_it_is_prohibited(int fd, const char *src)
{
	bool six = strchr(src, ':');
	struct frame f;

	if (!take(fd, six ? IPPROTO_ICMPV6 : IPPROTO_ICMP, src, PATIENCE, &f))
		return false;
	return six ? f.bytes[ETH_HLEN + 40] == ICMP6_DST_UNREACH &&
			       f.bytes[ETH_HLEN + 41] == ICMP6_DST_UNREACH_ADMIN
		   : f.bytes[ETH_HLEN + 20] == ICMP_DEST_UNREACH &&
			       f.bytes[ETH_HLEN + 21] == ICMP_PKT_FILTERED;
}

static const struct {
	const char *src, *dst;
	bool dropped; /* while it is filtered */
} border_cases[] = {
	{"203.0.113.5", "192.0.2.2", true},
	{"2001:db8:a::5", "2001:db8:c::2", true},
	{"192.0.2.77", "10.7.7.7", true},
	{"2001:db8:c::77", "2001:db8:f::7", true},
	{"203.0.113.5", "10.7.7.7", false},
	{"2001:db8:a::5", "2001:db8:f::7", false},
};

static void send_all(const struct place *p, bool filtered)
{
	for (size_t i = 0; i < sizeof(border_cases) / sizeof(*border_cases); i++) {
		struct frame f = frame_of(lan_lladdr, border_cases[i].src, border_cases[i].dst, IPPROTO_UDP),
			     marker = frame_of(lan_lladdr, "203.0.113.5", "10.7.7.99", IPPROTO_UDP);
		bool dropped = filtered && border_cases[i].dropped;

		if (passes(p->lan, &f, p->core, border_cases[i].dst, &marker, "10.7.7.99") == dropped)
			fail_msg("%s to %s", border_cases[i].src, border_cases[i].dst);
	}
}

/*
 * What clients send to addresses of the core, or as if from there, is not forwarded, and they hear of it; all else is, and so is all again when the keeper has ended.
 */
/* proves: SEC-MESH-5 partial, SEC-MESH-6 partial */
static void clients_reach_no_address_of_the_core_and_have_none(void **state)
{
	struct prefix sets[2];
	struct addr raws[2];
	struct stage *s = stage_of_mesh(raws, sets);
	struct place p = {0};
	struct frame f;

	write_setting("ipv4/conf/all/rp_filter", "0");
	make_router(&p);
	write_setting("ipv4/conf/lan0/rp_filter",
		"0"); /* it would see the forged ones of IPv4, and of no other family */
	administer("ip route add 10.7.7.0/24 via 192.0.2.2 && ip -6 route add 2001:db8:f::/48 via "
		   "2001:db8:c::2");
	send_all(&p, false);
	stage_start(s, ask_for_borders);
	let_reach(s, 1);
	assert_int_equal(s->notes->results[0], 0);
	send_all(&p, true);
	f = frame_of(lan_lladdr, "203.0.113.5", "192.0.2.3", IPPROTO_UDP);
	put(p.lan, &f);
	assert_true(hears_that_it_is_prohibited(p.lan, "203.0.113.5"));
	f = frame_of(lan_lladdr, "2001:db8:a::5", "2001:db8:c::3", IPPROTO_UDP);
	put(p.lan, &f);
	assert_true(hears_that_it_is_prohibited(p.lan, "2001:db8:a::5"));
	s->notes->go = 1;
	assert_int_equal(stage_end(s), 0);
	send_all(&p, false);
	close_place(&p);
	stage_free(s);
}

/* ---- what the kernel says of softwires ---- */

static int ask_for_raw(struct stage *s, int fd)
{
	struct addr local6 = to_addr("2001:db8:c::1"), local4 = to_addr("192.0.2.1");
	struct actor a;

	actor_init(&a, fd);
	note(s, ASK(&a, keeper_open_raw, &local6, 47));
	note(s, ASK(&a, keeper_open_raw, &local4, 47));
	note(s, ASK(&a, keeper_open_raw, &local4, 4)); /* one rule is enough */
	pause_for_test(s);
	actor_done(&a);
	return 0;
}

/* To a UDP port where nobody listens. */
static struct frame datagram_to_nobody(bool six)
{
	struct frame f = frame_of(
		core_lladdr, six ? "2001:db8:c::2" : "192.0.2.2", six ? "2001:db8:c::1" : "192.0.2.1", IPPROTO_UDP);
	uint8_t udp[] = {0x12, 0x34, 0, 9, 0, 8, 0, 0}, pseudo[32 + 8 + sizeof(udp)] = {[35] = 8, [39] = IPPROTO_UDP};
	uint16_t sum;

	memcpy(pseudo, f.bytes + ETH_HLEN + 8, 32);
	memcpy(pseudo + 40, udp, sizeof(udp));
	sum = checksum(pseudo, sizeof(pseudo));
	if (six)
		memcpy(udp + 6, &sum, sizeof(sum));
	memcpy(f.bytes + f.len - sizeof(udp), udp, sizeof(udp));
	return f;
}

/*
 * The code of "unreachable" that the sender of F hears; -1: it hears nothing. What is sent behind it is forwarded when that has been decided; what is
 * EXPECTED is waited for all the same, as two processors may share the work.
 */
static int unreachable(const struct place *p, const struct frame *f, bool six, bool expected)
{
	struct frame marker = frame_of(core_lladdr, "192.0.2.2", "203.0.113.5", IPPROTO_UDP), got;

	put(p->core, f);
	put(p->core, &marker);
	assert_true(take(p->lan, IPPROTO_UDP, "203.0.113.5", PATIENCE, &got));
	if (!take(p->core, six ? IPPROTO_ICMPV6 : IPPROTO_ICMP, six ? "2001:db8:c::2" : "192.0.2.2",
		    expected ? PATIENCE : NOW, &got))
		return -1;
	return got.bytes[ETH_HLEN + (six ? 41 : 21)];
}

static void see_unreachable(const struct place *p, bool hushed)
{
	struct frame f4 = datagram_to_nobody(false), f6 = datagram_to_nobody(true),
		     other = frame_of(core_lladdr, "192.0.2.2", "192.0.2.1", 99);

	assert_int_equal(unreachable(p, &f4, false, !hushed), hushed ? -1 : ICMP_PORT_UNREACH);
	assert_int_equal(unreachable(p, &f6, true, !hushed), hushed ? -1 : ICMP6_DST_UNREACH_NOPORT);
	assert_int_equal(unreachable(p, &other, false, true), ICMP_PROT_UNREACH); /* all else is said */
}

/* A tunnel driver that has no tunnel for a packet says the same of it as UDP does where nobody listens. */
static void kernel_says_nothing_of_softwires(void **state)
{
	struct prefix sets[2];
	struct addr raws[2];
	struct stage *s = stage_of_mesh(raws, sets);
	struct place p = {0};

	make_router(&p);
	write_setting("ipv4/icmp_ratelimit", "0");
	write_setting("ipv6/icmp/ratelimit", "0");
	see_unreachable(&p, false);
	stage_start(s, ask_for_raw);
	let_reach(s, 1);
	see_notes(s, 3);
	assert_int_equal(rules("proto 171", "iif lo"), 2);
	see_unreachable(&p, true);
	s->notes->go = 1;
	assert_int_equal(stage_end(s), 0);
	see_unreachable(&p, false);
	close_place(&p);
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_lead_to_the_path_of_their_gateway),
		cmocka_unit_test(what_comes_out_may_have_another_way_back),
		cmocka_unit_test(no_detour_and_no_forgery),
		cmocka_unit_test(raw_sockets_hear_what_is_for_their_address),
		cmocka_unit_test(gives_what_softwires_need_and_leaves_nothing),
		cmocka_unit_test(refuses_what_the_policy_does_not_name),
		cmocka_unit_test(clients_reach_no_address_of_the_core_and_have_none),
		cmocka_unit_test(kernel_says_nothing_of_softwires),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
