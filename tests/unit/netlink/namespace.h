/*
 * A fresh network namespace for each test, devices in it, and the kernel's own view of it (/proc/net), so that what our
 * code says about itself is not what proves it.
 */
#ifndef TESTS_NAMESPACE_H
#define TESTS_NAMESPACE_H

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* NULL, or why there can be none. */
static inline const char *namespace_enter(void)
{
	if (geteuid() != 0)
		return "not root";
	if (access("/dev/net/tun", R_OK | W_OK))
		return "no /dev/net/tun";
	if (unshare(CLONE_NEWNET))
		return "no new network namespace";
	return NULL;
}

#define NAMESPACE_OR_SKIP()                                                                                  \
	do {                                                                                                 \
		const char *why_ = namespace_enter();                                                        \
                                                                                                             \
		if (why_) {                                                                                  \
			print_message("skipped: %s\n", why_);                                                \
			skip();                                                                              \
		}                                                                                            \
	} while (0)

/* A TUN or, as a stand-in for a LAN with Ethernet and carrier, a TAP (KIND IFF_TUN or IFF_TAP). -1 on failure. */
static inline int namespace_device(const char *name, int kind)
{
	struct ifreq request = {.ifr_flags = (short)(kind | IFF_NO_PI)};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -1;
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, TUNSETIFF, &request)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* An interface ioctl; for instance SIOCGIFFLAGS. */
static inline int namespace_ioctl(unsigned long what, struct ifreq *request)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int r = ioctl(fd, what, request);

	close(fd);
	return r;
}

static inline bool namespace_up(const char *name)
{
	struct ifreq request = {.ifr_flags = IFF_UP};

	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	return namespace_ioctl(SIOCSIFFLAGS, &request) == 0;
}

/* How many lines of FILE have all of these; "" matches all. */
static inline int namespace_count(const char *file, const char *a, const char *b)
{
	char line[512];
	int count = 0;
	FILE *f = fopen(file, "re");

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f))
		if (strstr(line, a) && strstr(line, b))
			count++;
	fclose(f);
	return count;
}

/* The flags (IFA_F_*) of an address (32 hex digits) on DEVICE; -1: it is not there. */
static inline int namespace_address6(const char *hex, const char *device)
{
	char address[33], name[32];
	unsigned index, len, scope, flags;
	int found = -1;
	FILE *f = fopen("/proc/net/if_inet6", "re");

	while (f && fscanf(f, "%32s %x %x %x %x %31s", address, &index, &len, &scope, &flags, name) == 6)
		if (!strcmp(address, hex) && !strcmp(name, device))
			found = (int)flags;
	if (f)
		fclose(f);
	return found;
}

/* How many routes to DST (32 hex digits) with LEN lead over DEVICE, with all of FLAGS (RTF_*). */
static inline int namespace_routes6(const char *dst, unsigned len, const char *device, unsigned flags)
{
	char d[33], s[33], via[33], name[32];
	unsigned dlen, slen, metric, ref, use, f6;
	int count = 0;
	FILE *f = fopen("/proc/net/ipv6_route", "re");

	while (f && fscanf(f, "%32s %x %32s %x %32s %x %x %x %x %31s", d, &dlen, s, &slen, via, &metric, &ref,
			    &use, &f6, name) == 10)
		if (!strcmp(d, dst) && dlen == len && !strcmp(name, device) && (f6 & flags) == flags &&
			metric != 0xffffffff)
			count++;
	if (f)
		fclose(f);
	return count;
}

#endif
