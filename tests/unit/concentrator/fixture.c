/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See fixture.h. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the clock ---- */

static msec skipped; /* what fixture_pass() added */

msec __real_loop_now(const struct loop *l);
msec __wrap_loop_now(const struct loop *l);
msec __wrap_loop_now(const struct loop *l)
{
	return __real_loop_now(l) + skipped;
}

/* ---- the keeper ---- */

/* The client that the role was given is the fixture itself. */
static struct fixture *fixture_of(struct keeper_client *c)
{
	return (struct fixture *)(void *)c;
}

static void done(keeper_answer *answer, void *owner, int result, int fd)
{
	if (answer)
		answer(owner, result, fd);
}

void keeper_open_udp(
	struct keeper_client *c, const struct endpoint *local, keeper_answer *answer, void *owner)
{
	struct fixture *f = fixture_of(c);
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(local, &ss);
	int fd = socket(local->addr.family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (f->fail_udp) {
		close(fd);
		done(answer, owner, f->fail_udp, -1);
		return;
	}
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, len), 0);
	len = sizeof(ss);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	assert_int_equal(endpoint_from_sockaddr((struct sockaddr *)&ss, &f->server), 0);
	done(answer, owner, 0, fd);
}

void keeper_open_tun(
	struct keeper_client *c, const char *name, uint16_t mtu, keeper_answer *answer, void *owner)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	fixture_of(c)->device = pair[1];
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

void keeper_route(struct keeper_client *c, bool add, const struct prefix *dst, enum keeper_route_kind kind,
	const char *device, const struct addr *source, uint32_t metric, keeper_answer *answer, void *owner)
{
	if (add)
		fixture_of(c)->routes_added++;
	else
		fixture_of(c)->routes_removed++;
	done(answer, owner, 0, -1);
}

void keeper_address(struct keeper_client *c, bool add, const char *device, const struct addr *a,
	uint8_t prefix_len, uint32_t valid, uint32_t preferred, keeper_answer *answer, void *owner)
{
	done(answer, owner, 0, -1);
}

void keeper_forwarding(struct keeper_client *c, uint8_t family, keeper_answer *answer, void *owner)
{
	done(answer, owner, 0, -1);
}

/* ---- peers ---- */

static struct peer *peer_of(struct softwire *s)
{
	return container_of(container_of(s, struct softwire_si, softwire), struct peer, engine);
}

void peer_send(struct peer *p, const void *payload, size_t len)
{
	struct sockaddr_storage ss;
	socklen_t ss_len = endpoint_to_sockaddr(&p->fixture->server, &ss);

	assert_int_equal(sendto(p->fd, payload, len, 0, (struct sockaddr *)&ss, ss_len), (ssize_t)len);
}

static void si_send(struct softwire *s, const uint8_t *payload, size_t len)
{
	struct peer *p = peer_of(s);

	if (!p->first_len) {
		memcpy(p->first, payload, len);
		p->first_len = len;
	}
	peer_send(p, payload, len);
}

static void si_tunnel_secret(struct softwire *s, const char *host)
{
	softwire_tunnel_secret(s, NULL, 0, s->now);
}

static void si_authenticate(struct softwire *s, const struct ppp_claim *claim)
{
	softwire_verified(s, true, "welcome", s->now);
}

static void si_secret(struct softwire *s, const char *peer)
{
	struct peer *p = peer_of(s);

	softwire_ppp_secret(s, p->password, strlen(p->password), s->now);
}

static void si_up(struct softwire *s, uint8_t family)
{
	peer_of(s)->ups++;
}

static void si_family_down(struct softwire *s, uint8_t family, const char *why)
{
}

static void si_configured(struct softwire *s)
{
}

static void si_down(struct softwire *s, const struct softwire_why *why)
{
	struct peer *p = peer_of(s);

	p->downs++;
	p->why = *why;
}

static void si_released(struct softwire *s)
{
	struct peer *p = peer_of(s);

	softwire_done(s);
	p->softwire = NULL;
}

static void si_note(struct softwire *s, const char *text)
{
}

static const struct softwire_ops si_ops = {
	.send = si_send,
	.want_tunnel_secret = si_tunnel_secret,
	.authenticate = si_authenticate,
	.want_ppp_secret = si_secret,
	.up = si_up,
	.family_down = si_family_down,
	.configured = si_configured,
	.down = si_down,
	.released = si_released,
	.note = si_note,
};

struct peer *peer_new(struct fixture *f, uint8_t host, const char *user)
{
	struct peer *p = calloc(1, sizeof(*p));
	struct endpoint at = {.addr = {.family = AF_INET, .bytes = {127, 0, 0, host}}};
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&at, &ss);

	p->fixture = f;
	p->next = f->peers;
	f->peers = p;
	p->password = "wonderland";
	p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&ss, len), 0);
	softwire_config_init(&p->config, L2TP_LAC, &si_ops, &f->wheel, &f->rng, &p->counters);
	p->config.ppp.name = user;
	p->config.dhcp6_client.want_prefix = true;
	p->config.dhcp6_client.duid_len = 18;
	memset(p->config.dhcp6_client.duid, 0x11, 18);
	return p;
}

void peer_open(struct peer *p)
{
	struct fixture *f = p->fixture;

	assert_int_equal(
		softwire_si_open(&p->engine, &p->config, (uint16_t)(1 + rng_below(&f->rng, 65535)),
			(uint16_t)(1 + rng_below(&f->rng, 65535)), 1, 1460, NULL, NULL, loop_now(&f->loop)),
		0);
	p->softwire = &p->engine.softwire;
}

size_t peer_get(struct peer *p, uint8_t *buf, size_t size)
{
	ssize_t n = recv(p->fd, buf, size, 0);

	return n > 0 ? (size_t)n : 0;
}

static void peer_read(struct peer *p)
{
	uint8_t buf[2048];
	size_t len;

	while (p->softwire && !p->mute && (len = peer_get(p, buf, sizeof(buf))))
		softwire_input(p->softwire, buf, len, loop_now(&p->fixture->loop));
}

struct peer *peer_up(struct fixture *f, uint8_t host, const char *user)
{
	struct peer *p = peer_new(f, host, user);

	peer_open(p);
	fixture_until(f, p->downs || p->engine.state.has_binding);
	assert_int_equal(p->downs, 0);
	assert_int_equal(p->ups, 1);
	fixture_until(f, p->engine.state.has_address);
	return p;
}

uint16_t peer_reply_type(struct peer *p)
{
	uint8_t buf[2048], scratch[L2TP_PACKET_MAX];
	size_t len = peer_get(p, buf, sizeof(buf));
	struct reader r = reader_of(buf, len);
	struct l2tp_message m;
	struct l2tp_fault fault;
	struct l2tp_header h;

	if (!len)
		return 0;
	l2tp_header_read(&r, &h);
	assert_true(reader_ok(&r));
	assert_int_equal(l2tp_message_read(r, NULL, scratch, &m, &fault), 0);
	return (uint16_t)m.type;
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

void fixture_users(struct fixture *f, const char *text)
{
	FILE *file = fopen(f->config.users_path, "w");

	assert_non_null(file);
	assert_int_equal(fchmod(fileno(file), 0600), 0);
	fputs(text, file);
	fclose(file);
}

static void configure(struct fixture *f)
{
	struct concentrator_config *c = &f->config;

	*c = (struct concentrator_config){
		.present = true,
		.listen_count = 1,
		.trusted_network = true,
		.host_name = "sc.example",
		.pool_count = 1,
		.device = "sc0",
		.ingress_filter = true,
		.mss_clamp = true,
		.replace_softwires = true,
		.rapid_commit = true,
		.dad_transmits = 1,
		.hello_ms = 60000,
		.retransmit_ms = 1000,
		.retransmit_tries = 5,
		.framing_async = true,
		.max_softwires = 60000,
		.max_half_open = 10000,
		.half_open_per_source = 1000,
		.router_lifetime = 9000,
	};
	c->listen[0] = (struct endpoint){.addr = {.family = AF_INET, .bytes = {127, 0, 0, 1}}};
	snprintf(c->users_path, sizeof(c->users_path), "%s/users.conf", f->dir);
	snprintf(c->lease_path, sizeof(c->lease_path), "%s/leases.db", f->dir);
	c->pools[0] = (struct concentrator_pool_config){.preferred = 3600, .valid = 7200};
	snprintf(c->pools[0].lease.name, sizeof(c->pools[0].lease.name), "default");
	c->pools[0].lease.delegate_len = 56;
	assert_int_equal(prefix_parse("2001:db8:100::/48", &c->pools[0].lease.link6), 0);
	assert_int_equal(prefix_parse("2001:db8:8000::/40", &c->pools[0].lease.delegate_from), 0);
}

struct fixture *fixture_new(void)
{
	struct fixture *f = calloc(1, sizeof(*f));

	skipped = 0;
	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "%s", "/tmp/softwire-test-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->device = -1;
	assert_int_equal(loop_init(&f->loop), 0);
	log_init(&f->log, -1, LEVEL_DEBUG);
	f->log.tap = keep_line;
	f->log.tap_owner = f;
	rng_init_seed(&f->rng, 5571);
	wheel_init(&f->wheel, loop_now(&f->loop));
	configure(f);
	fixture_users(f, "users = {\n"
			 "  alice = { secret = \"wonderland\"; };\n"
			 "  bob = { secret = \"wonderland\"; softwires = 2; };\n"
			 "  carol = { secret = \"wonderland\"; delegate = [ \"2001:db8:ffff:100::/56\" ]; "
			 "iid = \"::c\"; };\n"
			 "};\n");
	return f;
}

static void on_started(void *owner, int result)
{
	struct fixture *f = owner;

	f->started = true;
	f->result = result;
}

void fixture_begin(struct fixture *f)
{
	f->c = concentrator_new(&f->loop, &f->log, (struct keeper_client *)(void *)f, &f->rng, &f->config);
	assert_non_null(f->c);
	concentrator_start(f->c, on_started, f);
}

void fixture_start(struct fixture *f)
{
	fixture_begin(f);
	fixture_until(f, f->started);
}

static void on_stopped(void *owner)
{
	((struct fixture *)owner)->stopped = true;
}

void fixture_stop(struct fixture *f)
{
	concentrator_stop(f->c, on_stopped, f);
	for (int n = 0; n < 1000 && !f->stopped; n++)
		fixture_pass(f, 20);
	assert_true(f->stopped);
	concentrator_free(f->c);
	f->c = NULL;
}

void fixture_free(struct fixture *f)
{
	struct peer *p;

	if (f->c)
		fixture_stop(f);
	while ((p = f->peers)) {
		f->peers = p->next;
		if (p->softwire)
			softwire_done(p->softwire);
		close(p->fd);
		free(p);
	}
	if (f->device >= 0)
		close(f->device);
	loop_done(&f->loop);
	assert_int_equal(f->wheel.armed, 0);
	for (int n = 0; n < 4; n++) {
		static const char *const names[] = {
			"users.conf", "leases.db", "leases.db-wal", "leases.db-shm"};
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", f->dir, names[n]);
		unlink(path);
	}
	rmdir(f->dir);
	free(f);
}

void fixture_round(struct fixture *f)
{
	uv_run(&f->loop.uv, UV_RUN_NOWAIT);
	wheel_advance(&f->loop.wheel, loop_now(&f->loop));
	wheel_advance(&f->wheel, loop_now(&f->loop));
	for (struct peer *p = f->peers; p; p = p->next)
		peer_read(p);
	usleep(100);
}

void fixture_pass(struct fixture *f, msec ms)
{
	while (ms) {
		msec part = ms < 250 ? ms : 250;

		skipped += part;
		ms -= part;
		for (int n = 0; n < 4; n++)
			fixture_round(f);
	}
}
