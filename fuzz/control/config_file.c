/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration file: any text is either refused with at least one error, or gives a configuration that keeps its promises. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "control/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libconfig loses the text that it has just read when a syntax error follows it. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so";
}

static void require(bool what)
{
	if (!what)
		abort();
}

struct told {
	unsigned errors, warnings;
};

static void tell(void *owner, bool fatal, const char *file, unsigned line, const char *text)
{
	struct told *told = owner;

	require(file && *text && line < 10000000);
	for (; *text; text++)
		require((unsigned char)*text >= ' ');
	if (fatal)
		told->errors++;
	else
		told->warnings++;
}

static bool terminated(const char *text, size_t size)
{
	return memchr(text, 0, size) != NULL;
}

static void check_concentrator(const struct concentrator_config *c, const struct told *told)
{
	bool has_default = false;

	require(c->trusted_network || (c->allow_unprotected && told->warnings));
	require(c->users_path[0] == '/' && c->lease_path[0] == '/');
	require(c->listen_count <= CONCENTRATOR_LISTEN_MAX && c->pool_count >= 1 &&
		c->pool_count <= CONCENTRATOR_POOLS_MAX);
	require(c->router_lifetime <= 9000 && c->max_softwires > 0 && c->max_half_open > 0 &&
		c->retransmit_tries > 0);
	require(!c->echo_ms || (c->echo_ms >= 10000 && c->echo_ms <= c->hello_ms && c->echo_ms <= 60000));
	require(terminated(c->device, sizeof(c->device)) && c->device[0] &&
		terminated(c->host_name, sizeof(c->host_name)));
	for (unsigned i = 0; i < c->listen_count; i++)
		require(c->listen[i].port && c->listen[i].addr.family);
	for (unsigned i = 0; i < c->pool_count; i++) {
		const struct concentrator_pool_config *p = &c->pools[i];
		const struct prefix *link6 = &p->lease.link6, *from = &p->lease.delegate_from;

		has_default |= !strcmp(p->lease.name, "default");
		require(!prefix_is_none(link6) || !prefix_is_none(from));
		require(prefix_is_none(link6) || (link6->addr.family == AF_INET6 && link6->len <= 64));
		require(prefix_is_none(from) || (p->lease.delegate_len >= 48 && p->lease.delegate_len <= 64 &&
							p->lease.delegate_len >= from->len));
		require(p->preferred <= p->valid && p->dns_count <= DHCP6_DNS_MAX);
		for (unsigned j = 0; j < i; j++)
			require(prefix_is_none(link6) || prefix_is_none(&c->pools[j].lease.link6) ||
				!prefix_overlaps(link6, &c->pools[j].lease.link6));
	}
	require(has_default);
}

static void check_initiator(const struct initiator_config *i, const struct told *told)
{
	require(i->name[0] && terminated(i->name, sizeof(i->name)));
	require(i->trusted_network || (i->allow_unprotected && told->warnings));
	require(i->server_count >= 1 && i->server_count <= INITIATOR_SERVERS && i->user[0]);
	require(i->password_path[0] == '/' && i->state_path[0] == '/');
	require(!i->prefix_length || (i->prefix_length >= 48 && i->prefix_length <= 64));
	require(!i->mtu || i->mtu >= 1280);
	require(i->backoff_first_ms <= i->backoff_max_ms);
	require(!i->lan_count || i->want_prefix);
	for (unsigned k = 0; k < i->lan_count; k++)
		require(i->lans[k][0] && !strchr(i->lans[k], '/'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *c = calloc(1, sizeof(*c));
	int fd = memfd_create("fuzz", MFD_CLOEXEC), result;
	struct told told = {0};

	require(c && fd >= 0);
	if (write(fd, data, size) != (ssize_t)size)
		abort();
	/* Relative includes look into a folder that does not exist. */
	result = config_file_read("/nonexistent/fuzz.conf", fd, false, tell, &told, c);
	require((result == 0) == (told.errors == 0));
	if (!result) {
		require(c->concentrator.present || c->initiator_count);
		require(c->initiator_count <= CONFIG_INITIATORS && c->control_socket[0] == '/');
		if (c->concentrator.present)
			check_concentrator(&c->concentrator, &told);
		for (unsigned i = 0; i < c->initiator_count; i++)
			check_initiator(&c->initiators[i], &told);
	}
	close(fd);
	config_free(c);
	return 0;
}
