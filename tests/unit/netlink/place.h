/* A network namespace with one device in it. */
#ifndef TESTS_NETLINK_PLACE_H
#define TESTS_NETLINK_PLACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "look.h"
#include "namespace.h"
#include "netlink/route.h"

static inline struct addr address(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static inline struct prefix prefix(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

struct place {
	struct netlink *netlink;
	int device; /* TUN si-test or TAP lan0, up */
};

static inline struct place enter(const char *name, int kind)
{
	struct place p;

	assert_true(namespace_up("lo"));
	p.netlink = netlink_open();
	assert_non_null(p.netlink);
	p.device = namespace_device(name, kind);
	assert_true(p.device >= 0);
	if (kind == IFF_TUN)
		assert_int_equal(netlink_link_no_autoconf(p.netlink, name), 0);
	assert_int_equal(netlink_link_up(p.netlink, name, true), 0);
	return p;
}

static inline void leave(struct place *p)
{
	close(p->device);
	netlink_close(p->netlink);
}

#endif
