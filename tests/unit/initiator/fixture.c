/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See fixture.h. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- servers ---- */

static struct server *server_of(struct softwire *s)
{
	return container_of(container_of(s, struct softwire_sc, softwire), struct server, engine);
}

void server_send(struct server *s, const void *payload, size_t len)
{
	struct sockaddr_storage ss;
	socklen_t n = endpoint_to_sockaddr(&s->peer, &ss);

	__real_sendto(s->fd, payload, len, 0, (struct sockaddr *)&ss, n);
}

static void sc_send(struct softwire *s, const uint8_t *payload, size_t len)
{
	server_send(server_of(s), payload, len);
}

static void sc_tunnel_secret(struct softwire *s, const char *host)
{
	softwire_tunnel_secret(s, NULL, 0, s->now);
}

static void verified(void *owner, bool ok, const struct aaa_user *user, const char *why, const char *message)
{
	struct server *server = owner;

	softwire_verified(server->softwire, ok, message, server->softwire->now);
}

static void sc_authenticate(struct softwire *s, const struct ppp_claim *claim)
{
	struct aaa_claim c = {.protocol = claim->protocol,
		.id = claim->id,
		.algorithm = claim->algorithm,
		.name = claim->name,
		.name_len = claim->name_len,
		.challenge = claim->challenge,
		.challenge_len = claim->challenge_len,
		.response = claim->response,
		.response_len = claim->response_len};

	aaa_verify(server_of(s)->fixture->aaa, &c, verified, server_of(s));
}

static void eap_answer(
	void *owner, const uint8_t *packet, size_t len, bool ok, const struct aaa_user *user, const char *why)
{
	struct server *server = owner;

	if (packet)
		softwire_eap(server->softwire, true, packet, len, server->softwire->now);
	else
		softwire_verified(server->softwire, ok, "", server->softwire->now);
}

static void sc_eap(struct softwire *s, bool authenticator, const uint8_t *packet, size_t len)
{
	struct server *server = server_of(s);

	if (!packet) {
		aaa_eap_free(server->eap);
		server->eap = aaa_eap_new(server->fixture->aaa);
	}
	aaa_eap_input(server->eap, packet, len, eap_answer, server);
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
	.eap = sc_eap,
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

static void refuse(struct server *s, const struct endpoint *from, const uint8_t *data, size_t len)
{
	struct reader r = reader_of(data, len);
	uint8_t scratch[L2TP_PACKET_MAX], packet[L2TP_PACKET_MAX];
	struct writer w = writer_of(packet, sizeof(packet));
	struct l2tp_header h;
	struct l2tp_message m;
	struct l2tp_fault fault;

	l2tp_header_read(&r, &h);
	assert_int_equal(l2tp_message_read(r, NULL, scratch, &m, &fault), 0);
	l2tp_refusal(&w, m.assigned_tunnel, L2TP_STOP_ERROR, L2TP_ERROR_TRY_ANOTHER, s->refusal);
	s->peer = *from;
	server_send(s, packet, writer_len(&w));
}

static void server_input(struct server *s, const struct endpoint *from, const uint8_t *data, size_t len)
{
	msec now = loop_now(&s->fixture->loop);
	bool request = len > 20 && data[0] == 0xc8 && !data[4] && !data[5] && data[19] == L2TP_SCCRQ;

	s->requests += request;
	if (len > 10 && !(data[0] & 0x80)) {
		s->saw_pap |= data[8] == PPP_PAP >> 8 && data[9] == (PPP_PAP & 0xff);
		s->packets++;
		s->packet_len = len - 6 < sizeof(s->packet) ? len - 6 : sizeof(s->packet);
		memcpy(s->packet, data + 6, s->packet_len);
	}
	s->stops += len > 20 && data[0] == 0xc8 && data[19] == L2TP_STOPCCN;
	if (s->mute)
		return;
	if (s->deaf_to_requests && request)
		return;
	if (s->refusal && request) {
		refuse(s, from, data, len);
		return;
	}
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
	socklen_t len;

	if (s == &f->servers[2])
		at = (struct endpoint){.addr = {.family = AF_INET6, .bytes[15] = 1}, .port = f->servers[0].at.port};
	len = endpoint_to_sockaddr(&at, &ss);
	s->fixture = f;
	s->fd = socket(at.addr.family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&ss, len), 0);
	len = sizeof(ss);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&ss, &len), 0);
	assert_int_equal(endpoint_from_sockaddr((struct sockaddr *)&ss, &s->at), 0);
	softwire_config_init(&s->config, L2TP_LNS, &sc_ops, &f->wheel, &f->rng, &s->counters);
	s->config.ppp.name = "sc.example";
	s->config.ppp.ipv4 = true;
	assert_int_equal(addr_parse("198.51.100.1", &s->config.local4), 0);
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

static void tell_user_error(void *owner, const char *file, unsigned line, const char *text)
{
	fail_msg("%s:%u: %s", file, line, text);
}

static void make_users(struct fixture *f)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/users.conf", f->dir);
	write_file(path, "users = { alice = { secret = \"wonderland\"; }; };\n");
	f->aaa = aaa_new(NULL); /* answers at once */
	assert_non_null(f->aaa);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(aaa_load_users(f->aaa, fd, path, tell_user_error, NULL), 0);
	close(fd);
}

static void configure(struct fixture *f)
{
	struct initiator_config *c = &f->config;

	*c = (struct initiator_config){
		.name = "home",
		.server_count = 1,
		.come_home_ms = 600000,
		.redirect = true,
		.user = "alice",
		.auth = 1 << PPP_METHOD_CHAP_MD5,
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
		endpoint_print(&f->servers[n].at, c->servers[n]);
	}
	snprintf(c->password_path, sizeof(c->password_path), "%s/password", f->dir);
	snprintf(c->state_path, sizeof(c->state_path), "%s/state.json", f->dir);
	write_file(c->password_path, "wonderland\n");
}

struct fixture *fixture_new(void)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *base = getenv("TMPDIR");

	assert_non_null(f);
	fixture_skipped = fixture_slept = 0;
	fixture_current = f;
	f->device = f->state = f->held = -1;
	snprintf(f->dir, sizeof(f->dir), "%.40s/softwire-test-XXXXXX", base ? base : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	assert_int_equal(loop_init(&f->loop), 0);
	log_init(&f->log, -1, LEVEL_DEBUG);
	f->log.tap = keep_line;
	f->log.tap_owner = f;
	rng_init_seed(&f->rng, 5571);
	wheel_init(&f->wheel, loop_now(&f->loop));
	configure(f);
	make_users(f);
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

void fixture_ipv4(struct fixture *f, const char *subnet)
{
	struct softwire_lease *lease = &f->servers[0].lease;

	f->config.ipv4 = true;
	f->config.want_subnet = f->config.lan_count > 0;
	assert_int_equal(addr_parse("198.51.100.7", &lease->address4), 0);
	assert_int_equal(addr_parse("198.51.100.53", &lease->dns[lease->dns_count++]), 0);
	if (subnet)
		assert_int_equal(prefix_parse(subnet, &lease->delegated4[lease->prefix4_count++]), 0);
}

/* The lease as it is now, with a new softwire. */
void fixture_again(struct fixture *f)
{
	unsigned ups = f->servers[0].ups;

	server_restart(&f->servers[0]);
	initiator_clear(f->i);
	for (int n = 0; n < 200 && f->servers[0].ups == ups; n++)
		fixture_pass(f, 100);
	fixture_pass(f, 5000);
}

static bool is_complete(const struct fixture *f)
{
	const struct softwire_si_state *s = f->i->current ? &f->i->current->engine.state : NULL;

	if (!s || (f->config.ipv6 && (!s->has_address || !s->has_binding)))
		return false;
	return !f->config.ipv4 ||
	       (!addr_is_none(&s->address4) && (!f->config.want_subnet || s->has_binding4));
}

void fixture_up(struct fixture *f)
{
	fixture_start(f);
	assert_int_equal(f->result, 0);
	fixture_until(f, is_complete(f));
}

static void on_stopped(void *owner)
{
	((struct fixture *)owner)->stopped = true;
}

void fixture_stop(struct fixture *f)
{
	f->silent_resolver = false;
	initiator_stop(f->i, on_stopped, f);
	for (int n = 0; n < 1000 && !f->stopped; n++)
		fixture_pass(f, 20);
	assert_true(f->stopped);
	initiator_free(f->i);
	f->i = NULL;
}

void fixture_leave(struct fixture *f)
{
	assert_true(initiator_may_leave(f->i));
	initiator_leave(f->i);
	for (int n = 0; n < 10; n++) /* the loop lets go of the LANs' handles */
		fixture_round(f);
	initiator_free(f->i);
	f->i = NULL;
	for (int n = 0; n < 10; n++) /* and of the plane's */
		fixture_round(f);
}

void fixture_free(struct fixture *f)
{
	static const char *const names[] = {
		"password", "state.json", "state.json.new", "users.conf", "certificate", "key", "ca"};

	if (f->i)
		fixture_stop(f);
	for (int n = 0; n < SERVERS; n++) {
		server_restart(&f->servers[n]);
		aaa_eap_free(f->servers[n].eap);
		close(f->servers[n].fd);
	}
	aaa_free(f->aaa);
	if (f->device >= 0)
		close(f->device);
	if (f->state >= 0)
		close(f->state);
	if (f->held >= 0)
		close(f->held);
	for (unsigned n = 0; n < f->lan_count; n++)
		close(f->lan_far[n]);
	loop_done(&f->loop);
	assert_int_equal(f->wheel.armed, 0);
	for (size_t n = 0; n < sizeof(names) / sizeof(*names); n++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", f->dir, names[n]);
		unlink(path);
	}
	rmdir(f->dir);
	fixture_current = NULL;
	free(f);
}

void fixture_round(struct fixture *f)
{
	if (f->asked && !f->silent_resolver)
		fixture_answer_name(f);
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

		fixture_skipped += part;
		ms -= part;
		for (int n = 0; n < 4; n++)
			fixture_round(f);
		while (f->i && !f->silent_resolver && initiator_server_resolving(f->i)) { /* names cost no time */
			usleep(20);
			fixture_round(f);
		}
	}
}
