/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine that the initiator runs on: clock, names, ways out, LAN interfaces, and the keeper. See fixture.h. */
#include "fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct fixture *fixture_current; /* for wrapped functions, which have no owner */

/* Only tests/unit/fault has these: shall this system call fail, and may what follows fail? */
__attribute__((weak)) bool inject_system(const char *what);
__attribute__((weak)) bool inject_on(bool on);

static bool fails(const char *what)
{
	return inject_system && inject_system(what);
}

/* ---- the clock ---- */

msec fixture_skipped, fixture_slept;

msec __real_loop_now(const struct loop *l);
unsigned __wrap_if_nametoindex(const char *device);
unsigned __wrap_if_nametoindex(const char *device)
{
	return fixture_current && strcmp(device, fixture_current->absent) == 0 ? 0 : 7;
}

msec __wrap_loop_now(const struct loop *l);
msec __wrap_loop_now(const struct loop *l)
{
	return __real_loop_now(l) + fixture_skipped;
}

msec __real_loop_boottime(void);
msec __wrap_loop_boottime(void);
msec __wrap_loop_boottime(void)
{
	return __real_loop_boottime() + fixture_slept;
}

/* ---- the way to the server ---- */

int __real_netlink_path_mtu_by(struct netlink *n, const struct addr *dst, unsigned ifindex, uint32_t *ret_mtu,
	struct addr *ret_source, unsigned *ret_ifindex);
int __wrap_netlink_path_mtu_by(struct netlink *n, const struct addr *dst, unsigned ifindex, uint32_t *ret_mtu,
	struct addr *ret_source, unsigned *ret_ifindex);
int __wrap_netlink_path_mtu(struct netlink *n, const struct addr *dst, uint32_t *ret_mtu,
	struct addr *ret_source, unsigned *ret_ifindex);

int __wrap_netlink_path_mtu_by(struct netlink *n, const struct addr *dst, unsigned ifindex, uint32_t *ret_mtu,
	struct addr *ret_source, unsigned *ret_ifindex)
{
	bool none = fixture_current->no_route || (ifindex && fixture_current->no_native_route);
	int result =
		none ? -ENETUNREACH : __real_netlink_path_mtu_by(n, dst, 0, ret_mtu, ret_source, ret_ifindex);

	if (!result && ret_source && fixture_current->source)
		assert_int_equal(addr_parse(fixture_current->source, ret_source), 0);
	if (!result && ret_mtu && fixture_current->path_mtu)
		*ret_mtu = fixture_current->path_mtu;
	return result;
}

int __wrap_netlink_path_mtu(struct netlink *n, const struct addr *dst, uint32_t *ret_mtu,
	struct addr *ret_source, unsigned *ret_ifindex)
{
	return __wrap_netlink_path_mtu_by(n, dst, 0, ret_mtu, ret_source, ret_ifindex);
}

char *__real_if_indextoname(unsigned index, char *name);
char *__wrap_if_indextoname(unsigned index, char *name);

char *__wrap_if_indextoname(unsigned index, char *name)
{
	if (!fixture_current || !*fixture_current->way_out)
		return __real_if_indextoname(index, name);
	memcpy(name, fixture_current->way_out, sizeof(fixture_current->way_out));
	return name;
}

int __real_setsockopt(int fd, int level, int option, const void *value, socklen_t len);
int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t len);

int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	uint32_t index;

	if (fails("setsockopt")) {
		errno = ENOMEM;
		return -1;
	}
	if (fixture_current && ((level == IPPROTO_IP && option == IP_UNICAST_IF) ||
				       (level == IPPROTO_IPV6 && option == IPV6_UNICAST_IF))) {
		assert_int_equal(len, sizeof(index));
		memcpy(&index, value, sizeof(index));
		fixture_current->pinned[level == IPPROTO_IPV6] = ntohl(index);
	}
	return __real_setsockopt(fd, level, option, value, len);
}

/* ---- names ---- */

int __real_uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *req, uv_getaddrinfo_cb cb, const char *node,
	const char *service, const struct addrinfo *hints);
int __wrap_uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *req, uv_getaddrinfo_cb cb, const char *node,
	const char *service, const struct addrinfo *hints);
void __real_uv_freeaddrinfo(struct addrinfo *list);
void __wrap_uv_freeaddrinfo(struct addrinfo *list);

static struct addrinfo name_list[2];
static struct sockaddr_storage name_addresses[2];

int __wrap_uv_getaddrinfo(uv_loop_t *loop, uv_getaddrinfo_t *req, uv_getaddrinfo_cb cb, const char *node,
	const char *service, const struct addrinfo *hints)
{
	if (fails("uv_getaddrinfo"))
		return UV_ENOMEM;
	if (strcmp(node, "both.example") != 0)
		return __real_uv_getaddrinfo(loop, req, cb, node, service, hints);
	fixture_current->asked = req;
	fixture_current->answer = cb;
	return 0;
}

void __wrap_uv_freeaddrinfo(struct addrinfo *list)
{
	if (list && list != name_list)
		__real_uv_freeaddrinfo(list);
}

void fixture_answer_name(struct fixture *f)
{
	uv_getaddrinfo_t *req = f->asked;

	for (int n = 0; n < 2; n++) {
		struct endpoint at = {.addr = {.family = AF_INET, .bytes = {127, 0, 0, 1}}};

		if (f->names[2 * n] == '6')
			at.addr = (struct addr){.family = AF_INET6, .bytes[15] = 1};
		name_list[n] = (struct addrinfo){.ai_family = at.addr.family,
			.ai_addr = (struct sockaddr *)&name_addresses[n],
			.ai_addrlen = endpoint_to_sockaddr(&at, &name_addresses[n]),
			.ai_next = n == 0 ? &name_list[1] : NULL};
	}
	f->asked = NULL;
	if (f->resolver_error)
		f->answer(req, f->resolver_error, NULL);
	else
		f->answer(req, 0, name_list);
}

/* ---- the LAN ---- */

ssize_t __wrap_sendto(
	int fd, const void *buf, size_t len, int flags, const struct sockaddr *to, socklen_t to_len);

static int lan_of(int fd)
{
	for (unsigned n = 0; fixture_current && n < fixture_current->lan_count; n++)
		if (fixture_current->lan_near[n] == fd)
			return (int)n;
	return -1;
}

static bool takes_back(const struct nd_advert *a)
{
	bool back = !a->router_lifetime || (a->dns_count && !a->dns_lifetime);

	for (unsigned n = 0; n < a->prefix_count; n++)
		back |= !a->prefixes[n].preferred;
	return back;
}

/* An ICMPv6 message to the LAN: the kernel would put the header in front. */
ssize_t __wrap_sendto(
	int fd, const void *buf, size_t len, int flags, const struct sockaddr *to, socklen_t to_len)
{
	struct ip6 h = {.src = nd_link_local(0xabc),
		.dst = nd_all_nodes(),
		.next_header = PROTO_ICMP6,
		.hop_limit = 255};
	uint8_t packet[2048];
	struct writer w = writer_of(packet, sizeof(packet));
	const char *why = "";
	size_t at;
	int lan;

	if (fails("sendto")) {
		errno = ENOBUFS;
		return -1;
	}
	lan = lan_of(fd);
	if (lan < 0)
		return __real_sendto(fd, buf, len, flags, to, to_len);
	at = ip6_begin(&w, &h);
	writer_bytes(&w, buf, len);
	ip6_finish(&w, at);
	assert_true(writer_ok(&w));
	if (nd_packet_read(packet, writer_len(&w), &fixture_current->advert, &why))
		fail_msg("the LAN got a bad packet: %s", why);
	assert_int_equal(fixture_current->advert.type, ND_RA);
	snprintf(fixture_current->advert_device, sizeof(fixture_current->advert_device), "%s",
		fixture_current->lan_names[lan]);
	fixture_current->adverts++;
	fixture_current->withdrawals += takes_back(&fixture_current->advert.advert);
	return (ssize_t)len;
}

/* ---- the keeper ---- */

static struct fixture *fixture_of(struct keeper_client *c)
{
	return (struct fixture *)(void *)c;
}

static void done(keeper_answer *answer, void *owner, int result, int fd)
{
	if (answer)
		answer(owner, result, fd);
}

void keeper_open_tun(
	struct keeper_client *c, const char *name, uint16_t mtu, keeper_answer *answer, void *owner)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	if (fixture_of(c)->device >= 0)
		close(fixture_of(c)->device);
	fixture_of(c)->device = pair[1];
	done(answer, owner, 0, pair[0]);
}

void keeper_open_state(struct keeper_client *c, const char *device, keeper_answer *answer, void *owner)
{
	struct fixture *f = fixture_of(c);

	assert_string_equal(device, "si-home");
	if (f->state < 0)
		f->state = memfd_create("state", MFD_CLOEXEC);
	done(answer, owner, 0, dup(f->state));
}

void keeper_hold_udp(struct keeper_client *c, const char *device, int fd, keeper_answer *answer, void *owner)
{
	struct fixture *f = fixture_of(c);

	if (f->held >= 0)
		close(f->held);
	f->held = fd < 0 ? -1 : dup(fd);
	done(answer, owner, 0, -1);
}

void keeper_held_udp(struct keeper_client *c, const char *device, keeper_answer *answer, void *owner)
{
	struct fixture *f = fixture_of(c);

	done(answer, owner, f->held < 0 ? -ENOENT : 0, f->held < 0 ? -1 : dup(f->held));
}

void keeper_open_icmp6(struct keeper_client *c, const char *interface, keeper_answer *answer, void *owner)
{
	struct fixture *f = fixture_of(c);
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	for (unsigned n = 0; n < f->lan_count; n++) /* that number may have been somebody else's */
		if (f->lan_near[n] == pair[0])
			f->lan_near[n] = -1;
	assert_true(f->lan_count < LANS);
	f->lan_near[f->lan_count] = pair[0];
	f->lan_far[f->lan_count] = pair[1];
	snprintf(f->lan_names[f->lan_count++], sizeof(f->lan_names[0]), "%s", interface);
	done(answer, owner, 0, pair[0]);
}

static void open_path(const char *path, int flags, keeper_answer *answer, void *owner)
{
	int fd = open(path, flags | O_CLOEXEC);

	done(answer, owner, fd < 0 ? -errno : 0, fd);
}

void keeper_open_file(struct keeper_client *c, const char *path, keeper_answer *answer, void *owner)
{
	open_path(path, O_RDONLY, answer, owner);
}

void keeper_open_directory(struct keeper_client *c, const char *path, keeper_answer *answer, void *owner)
{
	open_path(path, O_RDONLY | O_DIRECTORY, answer, owner);
}

static struct installed *find(struct installed *list, const char *device, const struct addr *a, uint8_t len)
{
	for (int n = 0; n < ADDRESSES; n++)
		if (list[n].there && list[n].len == len && addr_equal(&list[n].addr, a) &&
			strcmp(list[n].device, device) == 0)
			return &list[n];
	return NULL;
}

static void install(struct installed *list, bool add, const char *device, const struct addr *a, uint8_t len,
	uint32_t valid, uint32_t preferred)
{
	struct installed *there = find(list, device, a, len);

	if (!add) {
		if (there)
			there->there = false;
		return;
	}
	for (int n = 0; !there && n < ADDRESSES; n++)
		if (!list[n].there)
			there = &list[n];
	assert_non_null(there);
	*there = (struct installed){
		.there = true, .addr = *a, .len = len, .valid = valid, .preferred = preferred};
	snprintf(there->device, sizeof(there->device), "%s", device);
}

void keeper_route(struct keeper_client *c, bool add, const struct prefix *dst, enum keeper_route_kind kind,
	const char *device, const struct addr *source, uint32_t metric, keeper_answer *answer, void *owner)
{
	struct fixture *f = fixture_of(c);

	if (kind == KEEPER_ROUTE_UNREACHABLE) {
		/* Behind the route of a LAN that has all of it, whose metric is 0 for IPv4. */
		assert_true(dst->addr.family == AF_INET6 || metric > 0);
		install(f->unreachable, add, "", &dst->addr, dst->len, 0, 0);
		done(answer, owner, 0, -1);
		return;
	}
	assert_int_equal(dst->len, 0);
	/* The families that the softwire brings: HS-SCEN-9 */
	assert_true(dst->addr.family == AF_INET6 ? f->config.ipv6 : f->config.ipv4);
	if (add && metric < f->config.metric + f->taken_metrics) {
		done(answer, owner, -EEXIST, -1);
		return;
	}
	*(dst->addr.family == AF_INET6 ? &f->default_metric : &f->default4_metric) = add ? metric : 0;
	done(answer, owner, 0, -1);
}

void keeper_address(struct keeper_client *c, bool add, const char *device, const struct addr *a,
	uint8_t prefix_len, uint32_t valid, uint32_t preferred, keeper_answer *answer, void *owner)
{
	if (add)
		assert_true(valid > 0 && preferred <= valid); /* or the kernel says no */
	install(fixture_of(c)->addresses, add, device, a, prefix_len, valid, preferred);
	done(answer, owner, 0, -1);
}

void keeper_link_mtu(
	struct keeper_client *c, const char *device, uint32_t mtu, keeper_answer *answer, void *owner)
{
	fixture_of(c)->mtu = mtu;
	done(answer, owner, 0, -1);
}

void keeper_forwarding(struct keeper_client *c, uint8_t family, keeper_answer *answer, void *owner)
{
	*(family == AF_INET6 ? &fixture_of(c)->forwarding6 : &fixture_of(c)->forwarding4) = true;
	done(answer, owner, 0, -1);
}

void keeper_dns(struct keeper_client *c, const char *device, const struct addr *servers, unsigned count,
	keeper_answer *answer, void *owner)
{
	assert_true(count <= KEEPER_DNS_MAX);
	fixture_of(c)->dns_count = count;
	for (unsigned n = 0; n < count; n++)
		fixture_of(c)->dns[n] = servers[n];
	done(answer, owner, 0, -1);
}

void keeper_bridge(struct keeper_client *c, const char *bridge, const char *const *ports, unsigned count,
	keeper_answer *answer, void *owner)
{
	struct fixture *f = fixture_of(c);
	int result = f->fail_bridge;

	f->bridge_requests++;
	if (!result) {
		snprintf(f->bridge, sizeof(f->bridge), "%s", count ? bridge : "");
		f->ports[0] = '\0';
		for (unsigned n = 0; n < count; n++)
			snprintf(f->ports + strlen(f->ports), sizeof(f->ports) - strlen(f->ports), "%s%s",
				n ? " " : "", ports[n]);
	}
	done(answer, owner, result, -1);
}

void keeper_hook(struct keeper_client *c, const char *path, const char *event, const char *key,
	const char *const *variables, unsigned count, keeper_answer *answer, void *owner)
{
	struct fixture *f = fixture_of(c);
	struct hook_run *run = &f->hooks[f->hook_count++];
	size_t at = 0;

	assert_true(f->hook_count <= HOOKS);
	snprintf(run->path, sizeof(run->path), "%s", path);
	snprintf(run->event, sizeof(run->event), "%s", event);
	snprintf(run->key, sizeof(run->key), "%s", key);
	for (run->e.count = 0; run->e.count < count; run->e.count++) {
		run->e.variables[run->e.count] = run->e.text + at;
		at += (size_t)snprintf(
			      run->e.text + at, sizeof(run->e.text) - at, "%s", variables[run->e.count]) +
		      1;
	}
	done(answer, owner, 0, -1);
}

const char *fixture_hook(const struct fixture *f, const char *event, const char *name)
{
	const struct hook_run *run = f->hook_count ? &f->hooks[f->hook_count - 1] : NULL;
	size_t len = strlen(name);

	if (!run || strcmp(run->event, event) != 0)
		fail_msg("the last hook was not %s, but %s", event, run ? run->event : "none");
	for (unsigned n = 0; run && n < run->e.count; n++)
		if (strncmp(run->e.variables[n], name, len) == 0 && run->e.variables[n][len] == '=')
			return run->e.variables[n] + len + 1;
	return NULL;
}

/* The LAN interfaces are up and have what was installed. */
int __wrap_getifaddrs(struct ifaddrs **ret);
void __wrap_freeifaddrs(struct ifaddrs *list);

struct interface {
	struct ifaddrs ifa; /* first */
	struct sockaddr_storage address;
	char name[16];
};

static void add_interface(struct ifaddrs **list, const char *name, const struct addr *a)
{
	struct interface *n = calloc(1, sizeof(*n));
	struct endpoint e = {.addr = *a};

	assert_non_null(n);
	snprintf(n->name, sizeof(n->name), "%s", name);
	endpoint_to_sockaddr(&e, &n->address);
	n->ifa = (struct ifaddrs){.ifa_next = *list,
		.ifa_name = n->name,
		.ifa_flags = IFF_UP,
		.ifa_addr = addr_is_none(a) ? NULL : (struct sockaddr *)&n->address};
	*list = &n->ifa;
}

int __wrap_getifaddrs(struct ifaddrs **ret)
{
	struct addr own[2] = {{.family = AF_INET, .bytes = {127, 0, 0, 1}}, {.family = AF_INET6, .bytes[15] = 1}};
	const struct addr none = {0};
	bool failing;

	if (fails("getifaddrs")) {
		errno = ENOMEM;
		return -1;
	}
	failing = inject_on && inject_on(false); /* what follows is ours */
	*ret = NULL;
	for (unsigned n = 0; n < 2 && !fixture_current->moved; n++)
		add_interface(ret, "lo", &own[n]);
	if (fixture_current->source && addr_parse(fixture_current->source, &own[0]) == 0)
		add_interface(ret, "lo", &own[0]);
	for (unsigned n = 0; n < fixture_current->config.lan_count; n++)
		add_interface(ret, fixture_current->config.lans[n], &none);
	for (unsigned n = 0; n < ADDRESSES; n++)
		if (fixture_current->addresses[n].there)
			add_interface(ret, fixture_current->addresses[n].device,
				&fixture_current->addresses[n].addr);
	if (failing)
		inject_on(true);
	return 0;
}

void __wrap_freeifaddrs(struct ifaddrs *list)
{
	while (list) {
		struct ifaddrs *next = list->ifa_next;

		free(container_of(list, struct interface, ifa));
		list = next;
	}
}

const struct installed *fixture_address(const struct fixture *f, const char *device, const char *address)
{
	struct addr a;

	assert_int_equal(addr_parse(address, &a), 0);
	for (int n = 0; n < ADDRESSES; n++)
		if (f->addresses[n].there && addr_equal(&f->addresses[n].addr, &a) &&
			strcmp(f->addresses[n].device, device) == 0)
			return &f->addresses[n];
	return NULL;
}

bool fixture_unreachable(const struct fixture *f, const char *prefix)
{
	struct prefix p;

	assert_int_equal(prefix_parse(prefix, &p), 0);
	for (int n = 0; n < ADDRESSES; n++)
		if (f->unreachable[n].there && f->unreachable[n].len == p.len &&
			addr_equal(&f->unreachable[n].addr, &p.addr))
			return true;
	return false;
}
