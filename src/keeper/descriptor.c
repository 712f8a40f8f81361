/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening things for the engine process: sockets, TUN and TAP devices, files, the control socket.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/if_tun.h>
#include <linux/openat2.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "keeper/descriptor.h"

enum { SOCKET_BUFFER = 8 << 20, TUN_QUEUE = 1000, TAP_QUEUE = 4096, CONTROL_BACKLOG = 64, TCP_BACKLOG = 256, ICMP6_HOPS = 255 };

/* Closes FD and gives the error that was, or -errno. */
static int give_up(int fd, int error)
{
	close(fd);
	return error;
}

static int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) ? -errno : 0;
}

/* ---- UDP ---- */

int descriptor_udp(const struct endpoint *local)
{
	struct sockaddr_storage sa;
	socklen_t len = endpoint_to_sockaddr(local, &sa);
	int fd = socket(local->addr.family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (local->addr.family == AF_INET6)
		r = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (r)
		return give_up(fd, r);
	/* The engine itself could not go beyond net.core.rmem_max, and the stock size overflows at 280 packets. */
	(void)set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BUFFER);
	(void)set_int(fd, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BUFFER);
	if (bind(fd, (const struct sockaddr *)&sa, len))
		return give_up(fd, -errno);
	return fd;
}

bool descriptor_is_udp(int fd)
{
	int domain, type;
	socklen_t size = sizeof(domain);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size))
		return false;
	size = sizeof(type);
	return (domain == AF_INET || domain == AF_INET6) && !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) &&
	       type == SOCK_DGRAM;
}

/* ---- TCP ---- */

int descriptor_tcp(const struct endpoint *local)
{
	struct sockaddr_storage sa;
	socklen_t len = endpoint_to_sockaddr(local, &sa);
	bool v6 = local->addr.family == AF_INET6;
	int fd = socket(local->addr.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (fd < 0)
		return -errno;
	r = set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (!r && v6)
		r = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	/* An address that is still being checked for duplicates, or whose interface comes later, must not hold up the start. */
	if (!r)
		r = v6 ? set_int(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1) : set_int(fd, IPPROTO_IP, IP_FREEBIND, 1);
	if (!r && (bind(fd, (const struct sockaddr *)&sa, len) || listen(fd, TCP_BACKLOG)))
		r = -errno;
	return r ? give_up(fd, r) : fd;
}

/* ---- TUN ---- */

int sysctl_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	return give_up(fd, n < 0 ? -errno : 0);
}

int sysctl_read(const char *path)
{
	char text[16];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text));
	if (n < 0)
		return give_up(fd, -errno);
	close(fd);
	return n == 2 && text[0] >= '0' && text[0] <= '9' ? text[0] - '0' : -ERANGE;
}

/* SETTING of a device of ours. */
static void set_device(const char *family, const char *name, const char *setting, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, name, setting);
	(void)sysctl_write(path, text);
}

/*
 * The daemon does all autoconfiguration on its devices. Without accept_ra the kernel sends no Router Solicitations of its own
 * either. Hosts that disable IPv6 by default mean their other interfaces.
 */
static void quiet_device(const char *name)
{
	set_device("ipv6", name, "accept_ra", "0");
	set_device("ipv6", name, "disable_ipv6", "0");
	/* What comes from one softwire and goes to another is no detour. (Without conf/all/ saying so, too, this does not count.) */
	set_device("ipv4", name, "send_redirects", "0");
	/* ICMP errors come out of the device from our own address, which the kernel would take for a forgery. */
	set_device("ipv4", name, "accept_local", "1");
}

/* The device is down. */
static int set_up(struct netlink *n, const char *name, uint32_t mtu, uint32_t queue)
{
	int r = netlink_link_no_autoconf(n, name);

	if (r && r != -EAFNOSUPPORT && r != -EOPNOTSUPP) /* a kernel without IPv6 has nothing to switch off */
		return r;
	quiet_device(name);
	r = netlink_link_queue(n, name, queue);
	if (!r)
		r = netlink_link_mtu(n, name, mtu);
	if (!r)
		r = netlink_link_up(n, name, true);
	return r;
}

/* A device of KIND (IFF_TUN, IFF_TAP), down. */
static int make_device(const char *name, int kind)
{
	/* EXCL: a device that somebody else made, or another daemon has, is not ours to take. */
	struct ifreq request = {.ifr_flags = (short)(kind | IFF_NO_PI | IFF_TUN_EXCL)};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	memcpy(request.ifr_name, name, strlen(name));
	return ioctl(fd, TUNSETIFF, &request) ? give_up(fd, -errno) : fd;
}

int descriptor_tun(struct netlink *n, const char *name, uint32_t mtu)
{
	int fd = make_device(name, IFF_TUN), r;

	if (fd < 0)
		return fd;
	r = set_up(n, name, mtu, TUN_QUEUE);
	return r ? give_up(fd, r) : fd;
}

/* ---- TAP ---- */

/*
 * What comes out of a softwire may have a source to which the way back leads elsewhere: paths through a mesh need not be symmetric. The kernel takes the
 * greater of conf/all/ and conf/DEVICE/ (0 no check, 1 strict, 2 loose), so that loose is the best there is where conf/all/ wants one. (Some
 * distributions make that 2 by themselves when a device comes.) On a device without any IPv4 address loose would be strict: fib_validate_source().
 * The address is of the host's own, which nobody else can have, and is no source for what leaves.
 */
static void loosen_filter(const char *name, struct log *log)
{
	int all = sysctl_read("/proc/sys/net/ipv4/conf/all/rp_filter");

	set_device("ipv4", name, "rp_filter", all > 0 ? "2" : "0");
	if (all > 0)
		log_message(log, LEVEL_WARN, "rp-filter",
			"net.ipv4.conf.all.rp_filter is %d: IPv4 packets that come out of softwires (%s) are dropped by the kernel "
			"when there is no route back to their source; 0 would let them in",
			all, name);
}

int descriptor_tap(struct netlink *n, const char *name, uint32_t mtu, struct log *log)
{
	static const uint8_t lladdr[] = {2, 0, 0, 0, 0, 0};
	const struct addr some_address = addr4(127, 171, 0, 1);
	int fd = make_device(name, IFF_TAP), r;

	if (fd < 0)
		return fd;
	set_device("ipv6", name, "accept_dad", "0");
	loosen_filter(name, log);
	r = netlink_link_lladdr(n, name, lladdr);
	if (!r)
		r = netlink_address(n, true, name, &some_address, 32, UINT32_MAX, UINT32_MAX);
	if (!r)
		r = set_up(n, name, mtu, TAP_QUEUE);
	return r ? give_up(fd, r) : fd;
}

/* ---- raw sockets of the mesh ---- */

static int bind_raw(int fd, const struct addr *local)
{
	struct endpoint e = {.addr = *local};
	struct sockaddr_storage sa;
	socklen_t len = endpoint_to_sockaddr(&e, &sa);
	/* The interface that has our address may come later. */
	int r = local->family == AF_INET6 ? set_int(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1)
					  : set_int(fd, IPPROTO_IP, IP_FREEBIND, 1);

	if (!r && bind(fd, (const struct sockaddr *)&sa, len))
		r = -errno;
	return r;
}

int descriptor_raw(const struct addr *local, uint8_t protocol)
{
	int fd = socket(local->family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
	int r = fd < 0 ? -errno : 0;

	if (r)
		return r;
	(void)set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BUFFER);
	(void)set_int(fd, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BUFFER);
	if (protocol != IPPROTO_RAW)
		r = bind_raw(fd, local);
	return r ? give_up(fd, r) : fd;
}

/* ---- ICMPv6 on a LAN ---- */

static int set_up_icmp6(int fd, const char *interface, int index)
{
	struct icmp6_filter filter;
	struct ipv6_mreq all_routers = {
		.ipv6mr_multiaddr = {.s6_addr = {0xff, 0x02, [15] = 2}}, .ipv6mr_interface = (unsigned)index};
	static const struct {
		int option, value;
	} settings[] = {
		{IPV6_MULTICAST_HOPS, ICMP6_HOPS}, /* RFC 4861 section 6.1.2: anything less is discarded */
		{IPV6_UNICAST_HOPS, ICMP6_HOPS},
		{IPV6_MULTICAST_LOOP, 0},
		{IPV6_RECVPKTINFO, 1},
		{IPV6_RECVHOPLIMIT, 1},
	};
	int r = 0;

	ICMP6_FILTER_SETBLOCKALL(&filter);
	ICMP6_FILTER_SETPASS(ND_ROUTER_SOLICIT, &filter);
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface)) ||
		setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)))
		return -errno;
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]) && !r; i++)
		r = set_int(fd, IPPROTO_IPV6, settings[i].option, settings[i].value);
	if (!r)
		r = set_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, index);
	if (!r && setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &all_routers, sizeof(all_routers)))
		r = -errno;
	return r;
}

int descriptor_icmp6(const char *interface)
{
	unsigned index = if_nametoindex(interface);
	int fd, r;

	if (!index)
		return -ENODEV;
	fd = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
	if (fd < 0)
		return -errno;
	r = set_up_icmp6(fd, interface, (int)index);
	return r ? give_up(fd, r) : fd;
}

/* ---- files and directories ---- */

int descriptor_file(const char *path, bool strict)
{
	/* O_NONBLOCK: a FIFO in the file's place must not hold up the keeper; regular files do not mind. */
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		.resolve = strict ? RESOLVE_NO_SYMLINKS : 0};
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		return give_up(fd, -errno);
	if (!S_ISREG(st.st_mode))
		return give_up(fd, -EINVAL);
	return fd;
}

static bool is_empty(int fd)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *e;
	bool empty = true;

	if (!d) {
		if (copy >= 0)
			close(copy);
		return false;
	}
	while ((e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			empty = false;
	closedir(d);
	return empty;
}

/*
 * A directory named in the configuration may be /tmp or /etc by mistake: what exists changes its owner only when it
 * cannot be anybody's.
 */
static int hand_over(int fd, bool made, const struct identity *owner)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!made && (!owner->drop || st.st_uid == owner->uid || (st.st_mode & S_IWOTH)))
		return 0;
	if (!made && (st.st_uid != 0 || !is_empty(fd)))
		return -EACCES;
	if (fchmod(fd, 0750))
		return -errno;
	return owner->drop && fchown(fd, owner->uid, owner->gid) ? -errno : 0;
}

int descriptor_directory(const char *path, const struct identity *owner)
{
	bool made = mkdir(path, 0700) == 0;
	int fd, r;

	if (!made && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	r = hand_over(fd, made, owner);
	return r ? give_up(fd, r) : fd;
}

/* ---- memory ---- */

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

int descriptor_memory(const char *name)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);

	if (fd < 0 && errno == EINVAL) /* a kernel before 6.3 */
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	/* SEAL_SEAL: nobody may seal it against growing, which would be the end of the next one. */
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_SEAL))
		return give_up(fd, -errno);
	return fd;
}

/* ---- the control socket ---- */

/* 0 when the place is free now. */
static int clear_stale(const struct sockaddr_un *sa)
{
	struct stat st;
	int fd, r;

	if (lstat(sa->sun_path, &st))
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	r = connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) ? errno : 0;
	close(fd);
	if (r != ECONNREFUSED) /* also EAGAIN: somebody listens, and is busy */
		return -EADDRINUSE;
	return unlink(sa->sun_path) ? -errno : 0;
}

static void set_group(const char *path, const char *group, struct log *log)
{
	const struct group *g = group ? getgrnam(group) : NULL;

	if (g && lchown(path, (uid_t)-1, g->gr_gid) == 0)
		return;
	if (group)
		log_message(log, LEVEL_WARN, "keeper", "%s: %s group %s: only root may use it", path,
			g ? "cannot be given to" : "there is no", group);
}

int descriptor_control(const char *path, const char *group, struct log *log)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	mode_t mask;
	int fd, r;

	if (strlen(path) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	memcpy(sa.sun_path, path, strlen(path));
	r = clear_stale(&sa);
	if (r)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	mask = umask(0117); /* 0660 from the first moment */
	r = bind(fd, (const struct sockaddr *)&sa, sizeof(sa)) ? -errno : 0;
	umask(mask);
	if (r)
		return give_up(fd, r);
	set_group(path, group, log);
	if (listen(fd, CONTROL_BACKLOG)) {
		r = -errno;
		unlink(path);
		return give_up(fd, r);
	}
	return fd;
}
