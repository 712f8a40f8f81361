/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See fixture.h. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/mman.h>
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

void keeper_close_udp(
	struct keeper_client *c, const struct endpoint *bound, keeper_answer *answer, void *owner)
{
	fixture_of(c)->closed = *bound;
	fixture_of(c)->sockets_closed++;
	done(answer, owner, 0, -1);
}

void keeper_open_tun(
	struct keeper_client *c, const char *name, uint16_t mtu, keeper_answer *answer, void *owner)
{
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
	fixture_of(c)->device = pair[1];
	done(answer, owner, 0, pair[0]);
}

void keeper_open_state(struct keeper_client *c, const char *device, keeper_answer *answer, void *owner)
{
	struct fixture *f = fixture_of(c);

	if (f->state < 0)
		f->state = memfd_create("state", MFD_CLOEXEC);
	assert_true(f->state >= 0);
	done(answer, owner, 0, dup(f->state));
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
	struct fixture *f = fixture_of(c);
	struct prefix *place = NULL;

	if (add)
		f->routes_added++;
	else
		f->routes_removed++;
	for (unsigned i = 0; i < FIXTURE_ROUTES; i++) {
		if (prefix_equal(&f->routes[i], dst))
			f->routes[i] = (struct prefix){0};
		if (prefix_is_none(&f->routes[i]))
			place = &f->routes[i];
	}
	assert_non_null(place);
	if (add)
		*place = *dst;
	done(answer, owner, 0, -1);
}

void keeper_address(struct keeper_client *c, bool add, const char *device, const struct addr *a,
	uint8_t prefix_len, uint32_t valid, uint32_t preferred, keeper_answer *answer, void *owner)
{
	struct fixture *f = fixture_of(c);

	assert_true(add && f->address_count < 4);
	assert_int_equal(prefix_len, addr_bits(a->family)); /* ours alone */
	f->addresses[f->address_count++] = *a;
	done(answer, owner, 0, -1);
}

/* Refuses what the keeper would refuse. */
void keeper_hook(struct keeper_client *c, const char *path, const char *event, const char *key,
	const char *const *variables, unsigned count, keeper_answer *answer, void *owner)
{
	struct fixture *f = fixture_of(c);
	struct hook_run *h = &f->hooks[f->hook_count++];
	size_t n = 0;

	assert_true(f->hook_count <= FIXTURE_HOOKS);
	assert_true(count <= KEEPER_HOOK_VARIABLES);
	snprintf(h->event, sizeof(h->event), "%s", event);
	snprintf(h->path, sizeof(h->path), "%s", path);
	snprintf(h->key, sizeof(h->key), "%s", key);
	for (unsigned i = 0; i < count; i++)
		n += (size_t)snprintf(h->variables + n, sizeof(h->variables) - n, "%s\n", variables[i]);
	assert_true(n < sizeof(h->variables));
	done(answer, owner, f->hook_result, -1);
}

void keeper_forget(struct keeper_client *c, const void *owner)
{
	fixture_of(c)->forgotten = true;
}

void keeper_forwarding(struct keeper_client *c, uint8_t family, keeper_answer *answer, void *owner)
{
	if (family == AF_INET)
		fixture_of(c)->forwards4 = true;
	else
		fixture_of(c)->forwards6 = true;
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
	socklen_t ss_len = endpoint_to_sockaddr(p->server.port ? &p->server : &p->fixture->server, &ss);

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
	struct peer *p = peer_of(s);
	const char *secret = p->server_password ? p->server_password : "";

	p->proven = aaa_chap_md5_ok(claim->id, secret, strlen(secret), claim->challenge, claim->challenge_len,
		claim->response, claim->response_len);
	softwire_verified(s, p->proven, p->proven ? "welcome" : "you are somebody else", s->now);
}

static void si_secret(struct softwire *s, const char *peer)
{
	struct peer *p = peer_of(s);

	softwire_ppp_secret(s, p->password, strlen(p->password), s->now);
}

static void si_eap(struct softwire *s, bool authenticator, const uint8_t *packet, size_t len)
{
	struct peer *p = peer_of(s);
	struct eap_reply reply = {0};
	char why[EAP_WHY] = "";
	enum eap_verdict verdict;

	assert_false(authenticator);
	if (len > 4 && packet[0] == EAP_REQUEST && packet[4] == EAP_IDENTITY) { /* a new conversation */
		eap_peer_free(p->eap);
		p->eap = eap_peer_new(&p->eap_config);
	}
	if (!p->eap)
		return;
	verdict = eap_peer_input(p->eap, packet, len, &reply, why);
	if (reply.len)
		softwire_eap(s, false, reply.packet, reply.len, s->now);
	if (verdict == EAP_OK || verdict == EAP_REFUSED)
		softwire_eap_result(s, verdict == EAP_OK, why, s->now);
}

static void si_up(struct softwire *s, uint8_t family)
{
	peer_of(s)->ups++;
	*(family == AF_INET6 ? &peer_of(s)->up6 : &peer_of(s)->up4) = true;
}

static void si_family_down(struct softwire *s, uint8_t family, const char *why)
{
	*(family == AF_INET6 ? &peer_of(s)->up6 : &peer_of(s)->up4) = false;
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
	.eap = si_eap,
	.up = si_up,
	.family_down = si_family_down,
	.configured = si_configured,
	.down = si_down,
	.released = si_released,
	.note = si_note,
};

static struct peer *peer_add(struct fixture *f, const char *user)
{
	struct peer *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	p->fixture = f;
	p->next = f->peers;
	f->peers = p;
	p->password = "wonderland";
	softwire_config_init(&p->config, L2TP_LAC, &si_ops, &f->wheel, &f->rng, &p->counters);
	p->config.ppp.name = user;
	p->config.ppp.ipv6 = true;
	p->config.ppp.ipv4 = false;
	p->config.ppp.give = 1 << PPP_METHOD_CHAP_MD5;
	p->eap_config.identity = user;
	p->config.dhcp6_client.want_prefix = true;
	p->config.dhcp6_client.duid_len = 18;
	memset(p->config.dhcp6_client.duid, 0x11, 18);
	return p;
}

struct peer *peer_new(struct fixture *f, uint8_t host, const char *user)
{
	struct peer *p = peer_add(f, user);
	struct endpoint at = {.addr = {.family = AF_INET, .bytes = {127, 0, 0, host}}};
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&at, &ss);

	p->socket = p;
	p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&ss, len), 0);
	return p;
}

struct peer *peer_beside(struct peer *p, const char *user)
{
	struct peer *q = peer_add(p->fixture, user);

	q->socket = p->socket;
	q->fd = dup(p->fd);
	return q;
}

void peer_wants(struct peer *p, bool ipv6, bool ipv4, bool subnet)
{
	p->config.ppp.ipv6 = ipv6;
	p->config.ppp.ipv4 = ipv4;
	p->config.dhcp4_client.want_subnet = subnet;
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

/* Of those that share P's socket the one whose tunnel it is; else P. */
static struct peer *peer_meant(struct peer *p, const uint8_t *packet, size_t len)
{
	struct reader r = reader_of(packet, len);
	struct l2tp_header h;

	l2tp_header_read(&r, &h);
	for (struct peer *q = p->fixture->peers; q && reader_ok(&r); q = q->next)
		if (q->socket == p->socket && q->softwire && q->softwire->tunnel.local_tunnel == h.tunnel_id)
			return q;
	return p;
}

static void peer_read(struct peer *p)
{
	uint8_t buf[2048];
	struct peer *meant;
	size_t len;

	while (p->softwire && !p->mute && (len = peer_get(p, buf, sizeof(buf)))) {
		meant = peer_meant(p, buf, len);
		if (meant->softwire)
			softwire_input(meant->softwire, buf, len, loop_now(&p->fixture->loop));
	}
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

struct prefix fixture_prefix(const char *text)
{
	struct prefix p = {0};

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

struct addr fixture_addr(const char *text)
{
	struct addr a = {0};

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

bool fixture_routed(const struct fixture *f, const char *prefix)
{
	struct prefix p = fixture_prefix(prefix);

	for (unsigned i = 0; i < FIXTURE_ROUTES; i++)
		if (prefix_equal(&f->routes[i], &p))
			return true;
	return false;
}

const char *fixture_hook(struct fixture *f, unsigned n, const char *event, const char *variable)
{
	static char value[512];
	char key[64];
	const char *at;

	if (n >= f->hook_count)
		fail_msg("hook %u was not run, only %u were", n, f->hook_count);
	assert_string_equal(f->hooks[n].event, event);
	snprintf(key, sizeof(key), "%s=", variable);
	at = f->hooks[n].variables;
	while (strncmp(at, key, strlen(key)) != 0) {
		at = strchr(at, '\n');
		if (!at || !*++at)
			fail_msg("hook %u has no %s", n, variable);
	}
	at += strlen(key);
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(at, "\n"), at);
	return value;
}

void fixture_ipv4(struct fixture *f)
{
	struct lease_pool_config *pool = &f->config.pools[0].lease;

	f->config.local4 = fixture_addr("192.0.2.1");
	pool->ipv4 = fixture_prefix("198.51.100.0/24");
	pool->delegate4_from = fixture_prefix("203.0.113.0/24");
	pool->delegate4_len = 29;
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
		.auth = {PPP_METHOD_CHAP_MD5},
		.anonymous_max = 1000,
		.dad_transmits = 1,
		.hello_ms = 60000,
		.retransmit_ms = 1000,
		.retransmit_tries = 5,
		.framing_async = true,
		.max_softwires = 60000,
		.max_half_open = 10000,
		.half_open_per_source = 1000,
		.setup_window = 2000,
		.max_waiting = 50000,
		.waiting_per_source = 5000,
		.request_rate = 1000,
		.source_prefix4 = 32,
		.source_prefix6 = 56,
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
	const char *base = getenv("TMPDIR");

	skipped = 0;
	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "%.40s/softwire-test-XXXXXX", base ? base : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	f->device = f->state = -1;
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

static void on_problem(void *owner, const char *text)
{
	struct fixture *f = owner;

	log_message(&f->log, LEVEL_ERROR, "reload-problem", "%s", text);
}

static void on_prepared(void *owner, struct concentrator_change *change)
{
	((struct fixture *)owner)->change = change;
}

int fixture_reload(struct fixture *f, const struct concentrator_config *config)
{
	json_t *say = json_array(), *sentence;
	int result = -EINVAL;
	size_t i;

	f->change = NULL;
	f->said[0] = '\0';
	concentrator_prepare(f->c, config, on_problem, on_prepared, f);
	if (f->change && f->hold_change)
		result = 0;
	else if (f->change)
		result = concentrator_apply(f->change, say);
	json_array_foreach(say, i, sentence)
	{
		size_t n = strlen(f->said);

		snprintf(f->said + n, sizeof(f->said) - n, "%s\n", json_string_value(sentence));
	}
	json_decref(say);
	return result;
}

static void on_stopped(void *owner)
{
	((struct fixture *)owner)->stopped = true;
}

void fixture_stop(struct fixture *f)
{
	concentrator_stop(f->c, on_stopped, f);
	wheel_advance(&f->loop.wheel, loop_now(&f->loop)); /* without softwires it closes now; what has come is read by its last flush */
	for (int n = 0; n < 1000 && !f->stopped; n++)
		fixture_pass(f, 20);
	assert_true(f->stopped);
	concentrator_free(f->c);
	f->c = NULL;
}

void fixture_leave(struct fixture *f)
{
	assert_true(concentrator_may_leave(f->c));
	concentrator_leave(f->c);
	concentrator_free(f->c);
	f->c = NULL;
	f->started = false;
	for (int n = 0; n < 10; n++) /* the loop lets go of the handles */
		fixture_round(f);
	close(f->device);
	f->device = -1;
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
		eap_peer_free(p->eap);
		close(p->fd);
		free(p);
	}
	if (f->device >= 0)
		close(f->device);
	if (f->state >= 0)
		close(f->state);
	loop_done(&f->loop);
	assert_int_equal(f->wheel.armed, 0);
	for (int n = 0; n < 7; n++) {
		static const char *const names[] = {"users.conf", "leases.db", "leases.db-wal",
			"leases.db-shm", "cert.pem", "key.pem", "ca.pem"};
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
