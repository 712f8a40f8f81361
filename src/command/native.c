/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which default routes this host has, from the kernel's own lists. */
#include <stdio.h>
#include <string.h>

#include "command/connect.h"

enum { FLAG_UP = 0x0001, FLAG_REJECT = 0x0200 };

/* The better one stays. */
static void add(struct native_route *r, const char *device, unsigned flags, uint32_t metric)
{
	if (!(flags & FLAG_UP) || (flags & FLAG_REJECT) || !strcmp(device, "lo"))
		return;
	if (r->present && r->metric <= metric)
		return;
	r->present = true;
	r->metric = metric;
	snprintf(r->device, sizeof(r->device), "%s", device);
}

/* Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT */
static void read4(FILE *list, struct native_route *ret)
{
	char line[256], device[16];
	unsigned destination, flags, metric, mask;

	while (fgets(line, sizeof(line), list))
		if (sscanf(line, "%15s %8x %*x %x %*d %*d %u %8x", device, &destination, &flags, &metric,
			    &mask) == 5 &&
			!destination && !mask)
			add(ret, device, flags, metric);
}

/* Destination, length, source, its length, next hop, metric, references, use, flags, device; numbers in hexadecimal. */
static void read6(FILE *list, struct native_route *ret)
{
	char line[256], destination[33], device[16];
	unsigned length, from, metric, flags;

	while (fgets(line, sizeof(line), list))
		if (sscanf(line, "%32s %x %*32s %x %*32s %x %*x %*x %x %15s", destination, &length, &from,
			    &metric, &flags, device) == 6 &&
			!length && !from)
			add(ret, device, flags, metric);
}

void native_read(FILE *route4, FILE *route6, struct native *ret)
{
	*ret = (struct native){0};
	if (route4)
		read4(route4, &ret->ipv4);
	if (route6)
		read6(route6, &ret->ipv6);
}

void native_find(struct native *ret)
{
	FILE *route4 = fopen("/proc/net/route", "re"), *route6 = fopen("/proc/net/ipv6_route", "re");

	native_read(route4, route6, ret);
	if (route4)
		fclose(route4);
	if (route6)
		fclose(route6);
}
