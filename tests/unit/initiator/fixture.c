/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See fixture.h. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct fixture *current; /* for wrapped functions, which have no owner */

/* ---- the clock ---- */

static msec skipped; /* what fixture_pass() added */

msec __real_loop_now(const struct loop *l);
unsigned __wrap_if_nametoindex(const char *device);
unsigned __wrap_if_nametoindex(const char *device)
{
	return 7;
}

msec __wrap_loop_now(const struct loop *l);
msec __wrap_loop_now(const struct loop *l)
{
	return __real_loop_now(l) + skipped;
}

/* ---- the LAN ---- */

ssize_t __real_sendto(
	int fd, const void *buf, size_t len, int flags, const struct sockaddr *to, socklen_t to_len);
ssize_t __wrap_sendto(
	int fd, const void *buf, size_t len, int flags, const struct sockaddr *to, socklen_t to_len);

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

	if (!current || fd != current->lan)
		return __real_sendto(fd, buf, len, flags, to, to_len);
	at = ip6_begin(&w, &h);
	writer_bytes(&w, buf, len);
	ip6_finish(&w, at);
	assert_true(writer_ok(&w));
	if (nd_packet_read(packet, writer_len(&w), &current->advert, &why))
		fail_msg("the LAN got a bad packet: %s", why);
	assert_int_equal(current->advert.type, ND_RA);
	current->adverts++;
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

void keeper_open_icmp6(struct keeper_client *c, const char *interface, keeper_answer *answer, void *owner)
{
	struct fixture *f = fixture_of(c);
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	f->lan = pair[0];
	if (f->lan_far >= 0)
		close(f->lan_far);
	f->lan_far = pair[1];
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
		install(f->unreachable, add, "", &dst->addr, dst->len, 0, 0);
		done(answer, owner, 0, -1);
		return;
	}
	assert_int_equal(dst->len, 0);
	assert_int_equal(dst->addr.family, AF_INET6); /* the family that the softwire brings: HS-SCEN-9 */
	if (add && metric < f->config.metric + f->taken_metrics) {
		done(answer, owner, -EEXIST, -1);
		return;
	}
	f->default_metric = add ? metric : 0;
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
	done(answer, owner, 0, -1);
}

void keeper_dns(struct keeper_client *c, const char *device, const struct addr *servers, unsigned count,
	keeper_answer *answer, void *owner)
{
	fixture_of(c)->dns_count = count;
	done(answer, owner, 0, -1);
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

/* ---- servers ---- */

static struct server *server_of(struct softwire *s)
{
	return container_of(container_of(s, struct softwire_sc, softwire), struct server, engine);
}

static void sc_send(struct softwire *s, const uint8_t *payload, size_t len)
{
	struct server *server = server_of(s);
	struct sockaddr_storage ss;
	socklen_t n = endpoint_to_sockaddr(&server->peer, &ss);

	__real_sendto(server->fd, payload, len, 0, (struct sockaddr *)&ss, n);
}

static void sc_tunnel_secret(struct softwire *s, const char *host)
{
	softwire_tunnel_secret(s, NULL, 0, s->now);
}

static void sc_authenticate(struct softwire *s, const struct ppp_claim *claim)
{
	bool ok = aaa_chap_md5_ok(claim->id, "wonderland", 10, claim->challenge, claim->challenge_len,
		claim->response, claim->response_len);

	softwire_verified(s, ok, ok ? "welcome" : "wrong user name or password", s->now);
}

static void sc_secret(struct softwire *s, const char *peer)
{
	softwire_ppp_secret(s, NULL, 0, s->now);
}

static void sc_want_lease(struct softwire *s)
{
	struct server *server = server_of(s);

	softwire_sc_lease(&server->engine, &server->lease, NULL, s->now);
}

static void sc_bind(struct softwire *s, const struct dhcp6_duid *duid, uint32_t iaid)
{
	softwire_sc_bound(&server_of(s)->engine, true, NULL, s->now);
}

static void sc_delegated(struct softwire *s, uint8_t family, bool in_use)
{
}

static void sc_up(struct softwire *s, uint8_t family)
{
	server_of(s)->ups++;
}

static void sc_family_down(struct softwire *s, uint8_t family, const char *why)
{
}

static void sc_down(struct softwire *s, const struct softwire_why *why)
{
	struct server *server = server_of(s);

	server->downs++;
	server->why = *why;
}

static void sc_released(struct softwire *s)
{
	struct server *server = server_of(s);

	softwire_done(s);
	server->softwire = NULL;
}

static void sc_note(struct softwire *s, const char *text)
{
}

static const struct softwire_ops sc_ops = {
	.send = sc_send,
	.want_tunnel_secret = sc_tunnel_secret,
	.authenticate = sc_authenticate,
	.want_ppp_secret = sc_secret,
	.want_lease = sc_want_lease,
	.bind_duid = sc_bind,
	.delegated = sc_delegated,
	.up = sc_up,
	.family_down = sc_family_down,
	.down = sc_down,
	.released = sc_released,
	.note = sc_note,
};

void server_restart(struct server *s)
{
	if (s->softwire)
		softwire_done(s->softwire);
	s->softwire = NULL;
}

static void server_input(struct server *s, const struct endpoint *from, const uint8_t *data, size_t len)
{
	msec now = loop_now(&s->fixture->loop);
	bool request = len > 20 && data[0] == 0xc8 && !data[4] && !data[5] && data[19] == L2TP_SCCRQ;

	s->requests += request;
	if (s->mute)
		return;
	if (s->softwire && endpoint_equal(from, &s->peer)) {
		softwire_input(s->softwire, data, len, now);
	} else if (request) {
		server_restart(s);
		s->peer = *from;
		memset(&s->engine, 0, sizeof(s->engine));
		if (softwire_sc_accept(&s->engine, &s->config, 0x5c01, 0x5c02, data, len, 1460, now) == 0)
			s->softwire = &s->engine.softwire;
	}
}

static void server_read(struct server *s)
{
	struct sockaddr_storage ss;
	struct endpoint from;
	uint8_t buf[2048];
	ssize_t n;

	for (;;) {
		socklen_t len = sizeof(ss);

		n = recvfrom(s->fd, buf, sizeof(buf), 0, (struct sockaddr *)&ss, &len);
		if (n < 0)
			return;
		assert_int_equal(endpoint_from_sockaddr((struct sockaddr *)&ss, &from), 0);
		server_input(s, &from, buf, (size_t)n);
	}
}

static void server_init(struct fixture *f, struct server *s)
{
	struct endpoint at = {.addr = {.family = AF_INET, .bytes = {127, 0, 0, 1}}};
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&at, &ss);

	s->fixture = f;
	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&ss, len), 0);
	len = sizeof(ss);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&ss, &len), 0);
	assert_int_equal(endpoint_from_sockaddr((struct sockaddr *)&ss, &s->at), 0);
	softwire_config_init(&s->config, L2TP_LNS, &sc_ops, &f->wheel, &f->rng, &s->counters);
	s->config.ppp.name = "sc.example";
	s->config.dhcp6_server.duid_len = 18;
	memset(s->config.dhcp6_server.duid, 0xcc, 18);
	s->lease =
		(struct softwire_lease){.prefix_count = 1, .preferred = 3600, .valid = 10800, .dns_count = 1};
	assert_int_equal(prefix_parse("2001:db8:100:7::/64", &s->lease.link6), 0);
	assert_int_equal(prefix_parse("2001:db8:8000:700::/56", &s->lease.delegated[0]), 0);
	assert_int_equal(addr_parse("2001:db8::53", &s->lease.dns[0]), 0);
}

/* ---- life ---- */

static void keep_line(struct log *log, const char *line, size_t len)
{
	struct fixture *f = log->tap_owner;

	if (getenv("FIXTURE_LOG"))
		fprintf(stderr, "%.*s\n", (int)len, line);
	if (f->line_len + len + 2 > sizeof(f->lines))
		f->line_len = 0;
	memcpy(f->lines + f->line_len, line, len);
	f->line_len += len;
	f->lines[f->line_len++] = '\n';
	f->lines[f->line_len] = '\0';
}

bool fixture_logged(const struct fixture *f, const char *text)
{
	return strstr(f->lines, text) != NULL;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fchmod(fileno(file), 0600), 0);
	fputs(text, file);
	fclose(file);
}

void fixture_state_file(struct fixture *f, const char *text)
{
	write_file(f->config.state_path, text);
}

static void configure(struct fixture *f)
{
	struct initiator_config *c = &f->config;

	*c = (struct initiator_config){
		.name = "home",
		.server_count = 1,
		.user = "alice",
		.ipv6 = true,
		.want_prefix = true,
		.lan_count = 1,
		.lans = {"lan0"},
		.default_route = true,
		.metric = 1024,
		.dns = "auto",
		.mss_clamp = true,
		.hello_ms = 60000,
		.retransmit_ms = 1000,
		.retransmit_tries = 5,
		.backoff_first_ms = 1000,
		.backoff_max_ms = 60000,
		.framing_async = true,
		.dad_transmits = 1,
		.trusted_network = true,
		.rapid_commit = true,
		.host_name = "alice@home.example",
	};
	for (int n = 0; n < SERVERS; n++) {
		server_init(f, &f->servers[n]);
		snprintf(c->servers[n], sizeof(c->servers[n]), "127.0.0.1:%u", f->servers[n].at.port);
	}
	snprintf(c->password_path, sizeof(c->password_path), "%s/password", f->dir);
	snprintf(c->state_path, sizeof(c->state_path), "%s/state.json", f->dir);
	write_file(c->password_path, "wonderland\n");
}

struct fixture *fixture_new(void)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	skipped = 0;
	current = f;
	f->device = f->lan = f->lan_far = -1;
	snprintf(f->dir, sizeof(f->dir), "%s", "/tmp/softwire-test-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(loop_init(&f->loop), 0);
	log_init(&f->log, -1, LEVEL_DEBUG);
	f->log.tap = keep_line;
	f->log.tap_owner = f;
	rng_init_seed(&f->rng, 5571);
	wheel_init(&f->wheel, loop_now(&f->loop));
	configure(f);
	return f;
}

static void on_started(void *owner, int result)
{
	struct fixture *f = owner;

	f->started = true;
	f->result = result;
}

void fixture_start(struct fixture *f)
{
	f->started = f->stopped = false;
	f->i = initiator_new(&f->loop, &f->log, (struct keeper_client *)(void *)f, &f->rng, &f->config);
	assert_non_null(f->i);
	initiator_start(f->i, on_started, f);
	fixture_until(f, f->started);
}

void fixture_up(struct fixture *f)
{
	fixture_start(f);
	assert_int_equal(f->result, 0);
	fixture_until(f, f->i->current && f->i->current->engine.state.has_binding &&
				 f->i->current->engine.state.has_address);
}

static void on_stopped(void *owner)
{
	((struct fixture *)owner)->stopped = true;
}

void fixture_stop(struct fixture *f)
{
	initiator_stop(f->i, on_stopped, f);
	for (int n = 0; n < 1000 && !f->stopped; n++)
		fixture_pass(f, 20);
	assert_true(f->stopped);
	initiator_free(f->i);
	f->i = NULL;
}

void fixture_free(struct fixture *f)
{
	static const char *const names[] = {"password", "state.json", "state.json.new"};

	if (f->i)
		fixture_stop(f);
	for (int n = 0; n < SERVERS; n++) {
		server_restart(&f->servers[n]);
		close(f->servers[n].fd);
	}
	if (f->device >= 0)
		close(f->device);
	if (f->lan_far >= 0)
		close(f->lan_far);
	loop_done(&f->loop);
	assert_int_equal(f->wheel.armed, 0);
	for (size_t n = 0; n < sizeof(names) / sizeof(*names); n++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", f->dir, names[n]);
		unlink(path);
	}
	rmdir(f->dir);
	current = NULL;
	free(f);
}

void fixture_round(struct fixture *f)
{
	uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	wheel_advance(&f->loop.wheel, loop_now(&f->loop));
	wheel_advance(&f->wheel, loop_now(&f->loop));
	for (int n = 0; n < SERVERS; n++)
		server_read(&f->servers[n]);
}

void fixture_pass(struct fixture *f, msec ms)
{
	while (ms) {
		msec part = ms < 250 ? ms : 250;

		skipped += part;
		ms -= part;
		for (int n = 0; n < 4; n++)
			fixture_round(f);
		while (f->i && f->i->resolver_busy) { /* names cost no time */
			usleep(20);
			fixture_round(f);
		}
	}
}
