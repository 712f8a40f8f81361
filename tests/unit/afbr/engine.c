/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See engine.h. */
#include "engine.h"

#include "afbr/softwires.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the keeper ---- */

void keeper_open_file(struct keeper_client *c, const char *path, keeper_answer *answer, void *owner)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	answer(owner, fd < 0 ? -errno : 0, fd);
}

static struct endpoint closed_at;

void keeper_close_tcp(
	struct keeper_client *c, const struct endpoint *local, keeper_answer *answer, void *owner)
{
	closed_at = *local;
}

void keeper_open_tcp(
	struct keeper_client *c, const struct endpoint *local, keeper_answer *answer, void *owner)
{
	struct sockaddr_storage sa;
	socklen_t len = endpoint_to_sockaddr(local, &sa);
	int fd = socket(local->addr.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (!bind(fd, (struct sockaddr *)&sa, len) && !listen(fd, 16)) {
		answer(owner, 0, fd);
		return;
	}
	on = -errno;
	close(fd);
	answer(owner, on, -1);
}

void keeper_open_directory(struct keeper_client *c, const char *path, keeper_answer *answer, void *owner)
{
	int fd;

	(void)mkdir(path, 0750);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	answer(owner, fd < 0 ? -errno : 0, fd);
}

void keeper_forget(struct keeper_client *c, const void *owner)
{
}

/* ---- the softwires ---- */

void endpoint_peer(struct afbr *a, const struct addr *address, bool up)
{
	struct stage *s = container_of(a, struct stage, role);

	s->peers_told++;
	s->peer_told = *address;
	s->peer_up = up;
}

/* ---- the engine ---- */

void *bgp_owner(const struct bgp *b)
{
	return b->owner;
}

const struct bgp_config *bgp_config(const struct bgp *b)
{
	return &b->config;
}

const char *bgp_state_name(enum bgp_state s)
{
	return s == BGP_ESTABLISHED ? "established" : "idle";
}

struct bgp_neighbor *bgp_neighbor_next(const struct bgp *b, const struct bgp_neighbor *after)
{
	for (size_t i = after ? (size_t)(after - b->neighbors) + 1 : 0; i < ENGINE_NEIGHBORS; i++)
		if (b->neighbors[i].used)
			return (struct bgp_neighbor *)&b->neighbors[i];
	return NULL;
}

struct bgp_neighbor *bgp_neighbor_find(const struct bgp *b, const char *name)
{
	for (struct bgp_neighbor *n = bgp_neighbor_next(b, NULL); n; n = bgp_neighbor_next(b, n))
		if (!strcmp(n->config.name, name))
			return n;
	return NULL;
}

struct bgp_neighbor *bgp_neighbor_by_address(const struct bgp *b, const struct addr *a, unsigned interface)
{
	for (struct bgp_neighbor *n = bgp_neighbor_next(b, NULL); n; n = bgp_neighbor_next(b, n))
		if (addr_equal(&n->config.address, a) &&
			(!n->config.interface_index || n->config.interface_index == interface))
			return n;
	return NULL;
}

int bgp_neighbor_add(struct bgp *b, const struct bgp_neighbor_config *config, struct bgp_neighbor **ret)
{
	if (bgp_neighbor_find(b, config->name) || bgp_neighbor_by_address(b, &config->address, 0))
		return -EEXIST;
	for (size_t i = 0; i < ENGINE_NEIGHBORS; i++) {
		struct bgp_neighbor *n = &b->neighbors[i];

		if (n->used)
			continue;
		*n = (struct bgp_neighbor){.bgp = b, .used = true, .config = *config};
		*ret = n;
		return 0;
	}
	return -ENOSPC;
}

void bgp_neighbor_start(struct bgp_neighbor *n)
{
	n->started = true;
}

void bgp_neighbor_remove(struct bgp_neighbor *n)
{
	n->used = false;
}

int bgp_neighbor_change(struct bgp_neighbor *n, const struct bgp_neighbor_config *config)
{
	bool reset = n->config.as != config->as;

	n->config = *config;
	return reset;
}

uint16_t bgp_neighbor_source(const struct bgp_neighbor *n)
{
	return (uint16_t)(n - n->bgp->neighbors + 1);
}

const char *bgp_neighbor_name(const struct bgp_neighbor *n)
{
	return n->config.name;
}

void bgp_neighbor_view(const struct bgp_neighbor *n, struct bgp_neighbor_view *ret)
{
	*ret = (struct bgp_neighbor_view){.config = &n->config, .state = n->state, .flushing = n->flushing};
}

static struct bgp_connection *new_connection(struct bgp_neighbor *n, bool incoming)
{
	struct bgp_connection *c = &n->bgp->connections[n->bgp->connection_count++];

	assert_true(n->bgp->connection_count <= ENGINE_CONNECTIONS);
	*c = (struct bgp_connection){.neighbor = n,
		.incoming = incoming,
		.got = malloc(ENGINE_KEPT),
		.inputs_before = n->bgp->inputs};
	assert_non_null(c->got);
	return c;
}

struct bgp_connection *stage_connection(struct bgp_neighbor *n)
{
	return new_connection(n, false);
}

struct bgp_connection *bgp_accept(struct bgp_neighbor *n, msec now)
{
	return n->refuses ? NULL : new_connection(n, true);
}

struct bgp_neighbor *bgp_connection_neighbor(const struct bgp_connection *c)
{
	assert_false(c->closed);
	return c->neighbor;
}

void *bgp_connection_owner(const struct bgp_connection *c)
{
	return c->owner;
}

void bgp_connection_set_owner(struct bgp_connection *c, void *owner)
{
	c->owner = owner;
}

void bgp_connection_set_link_local(struct bgp_connection *c, const struct addr *link_local)
{
	c->link_local = *link_local;
}

void bgp_connected(struct bgp_connection *c, const struct endpoint *local, const struct endpoint *remote,
	unsigned interface, msec now)
{
	assert_false(c->closed || c->up);
	c->up = true;
	c->local = *local;
	c->remote = *remote;
	c->interface = interface;
}

static void close_it(struct bgp_connection *c, const char *words)
{
	c->closed = true;
	connection_close(c->neighbor->bgp, c, (const uint8_t *)words, words ? strlen(words) : 0);
}

void bgp_disconnected(struct bgp_connection *c, const char *why, msec now)
{
	assert_false(c->closed || c->neighbor->bgp->inside);
	snprintf(c->why, sizeof(c->why), "%s", why);
	close_it(c, NULL);
}

static void take_time(unsigned us)
{
	uint64_t end = uv_hrtime() + (uint64_t)us * 1000;

	while (us && uv_hrtime() < end)
		continue;
}

size_t bgp_input(struct bgp_connection *c, const uint8_t *data, size_t len, msec now)
{
	struct bgp *b = c->neighbor->bgp;
	size_t whole = len / MESSAGE * MESSAGE;

	assert_false(c->closed || !c->up);
	c->last_input = ++b->inputs;
	if (!c->first_input)
		c->first_input = b->inputs;
	take_time(c->input_us);
	for (size_t at = 0; at < whole; at += MESSAGE)
		if (data[at] == 'x' && c->last_words) {
			close_it(c, c->last_words);
			return len;
		}
	if (c->got_len + whole <= ENGINE_KEPT)
		memcpy(c->got + c->got_len, data, whole);
	c->got_len += whole;
	return whole;
}

size_t bgp_output(struct bgp_connection *c, uint8_t *buf, size_t size, msec now)
{
	size_t len = c->to_send < size ? c->to_send : size;

	assert_true(size >= BGP_OUTPUT && !c->closed && c->up);
	for (size_t i = 0; i < len; i++)
		buf[i] = stage_byte(c->sent + i);
	c->to_send -= len;
	c->sent += len;
	c->outputs += len > 0;
	if (len)
		take_time(c->output_us);
	return len;
}

/* Turns of the stage never sleep. */
void afbr_work(struct bgp *b)
{
}

/* ---- the stage ---- */

struct stage *stage_new(void)
{
	struct stage *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	assert_int_equal(loop_init(&s->loop), 0);
	s->log_fd = memfd_create("log", MFD_CLOEXEC);
	log_init(&s->log, s->log_fd, LEVEL_INFO);
	s->config = afbr_config_new();
	s->bgp.owner = &s->role;
	s->bgp.config.as = 65000;
	s->role = (struct afbr){.loop = &s->loop,
		.log = &s->log,
		.bgp = &s->bgp,
		.config = s->config,
		.input = malloc(AFBR_INPUT),
		.output = malloc(AFBR_OUTPUT),
		.flush.run = connection_flush};
	loop_flush_add(&s->loop, &s->role.flush);
	return s;
}

void stage_free(struct stage *s)
{
	if (s->role.changing)
		afbr_discard(s->role.changing);
	listen_free(&s->role);
	connection_free_all(&s->role);
	loop_flush_remove(&s->loop, &s->role.flush);
	loop_done(&s->loop);
	for (unsigned i = 0; i < s->bgp.connection_count; i++)
		free(s->bgp.connections[i].got);
	afbr_config_unref(s->role.config);
	free(s->role.input);
	free(s->role.output);
	close(s->log_fd);
	free(s);
}

struct bgp_neighbor *stage_neighbor(struct stage *s, const char *name, const char *address, uint32_t as)
{
	struct bgp_neighbor_config c = {.as = as};
	struct bgp_neighbor *n = NULL;

	snprintf(c.name, sizeof(c.name), "%s", name);
	assert_int_equal(addr_parse(address, &c.address), 0);
	assert_int_equal(bgp_neighbor_add(&s->bgp, &c, &n), 0);
	return n;
}

void stage_turns(struct stage *s, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		uv_run(&s->loop.uv, UV_RUN_NOWAIT);
}

bool stage_run(struct stage *s, bool (*done)(void *arg), void *arg)
{
	for (unsigned i = 0; i < 5000; i++) {
		stage_turns(s, 1);
		if (done(arg))
			return true;
		usleep(1000);
	}
	return false;
}

const char *stage_log(struct stage *s, char text[LOGGED])
{
	ssize_t n = pread(s->log_fd, text, LOGGED - 1, 0);

	text[n < 0 ? 0 : n] = '\0';
	return text;
}

void stage_listen(struct stage *s, const char *address, struct endpoint *ret)
{
	struct endpoint e = {0};
	struct sockaddr_storage sa;
	socklen_t len;
	int fd;

	assert_int_equal(addr_parse(address, &e.addr), 0);
	len = endpoint_to_sockaddr(&e, &sa);
	fd = socket(e.addr.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(listen(fd, 16), 0);
	len = sizeof(sa);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sa, &len), 0);
	assert_int_equal(endpoint_from_sockaddr((struct sockaddr *)&sa, ret), 0);
	assert_int_equal(listen_add(&s->role, fd, ret), 0);
}

int stage_dial(const struct endpoint *to, const char *from, int ttl)
{
	struct endpoint e = {0};
	struct sockaddr_storage sa;
	socklen_t len;
	int fd = socket(to->addr.family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(addr_parse(from, &e.addr), 0);
	len = endpoint_to_sockaddr(&e, &sa);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
	if (ttl && to->addr.family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
	else if (ttl)
		setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &ttl, sizeof(ttl));
	len = endpoint_to_sockaddr(to, &sa);
	if (!connect(fd, (struct sockaddr *)&sa, len))
		return fd;
	close(fd);
	return -1;
}
