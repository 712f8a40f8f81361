/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See stage.h. */
#include "stage.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hub/trace.h"

void stage_init(struct stage *s, uint64_t seed)
{
	s->tracing = getenv("SIM_TRACE") != NULL;
	s->now = 1000;
	wheel_init(&s->wheel, s->now);
	rng_init_seed(&s->rng, seed);
}

void stage_broken(struct stage *s, uint32_t user, const char *what)
{
	if (!*s->failure)
		snprintf(s->failure, sizeof(s->failure), "t=%llu user=%u: %s", (unsigned long long)s->now, user, what);
}

void stage_send(struct stage *s, uint8_t direction, uint32_t user, uint32_t port, const uint8_t *data, size_t len)
{
	network_send(&s->network, &s->rng, s->now, direction, user, port, data, len);
}

void stage_step(struct stage *s, void (*input)(void *owner, const struct packet *p), void *owner)
{
	struct network *n = &s->network;
	msec next = wheel_next(&s->wheel);

	if (n->count && n->heap[0]->at < next)
		next = n->heap[0]->at;
	if (next == MSEC_NEVER)
		return;
	if (next > s->now)
		s->now = next;
	wheel_advance(&s->wheel, s->now);
	while (n->count && n->heap[0]->at <= s->now) {
		struct packet *p = network_take(n);

		input(owner, p);
		free(p);
	}
}

void stage_done(struct stage *s)
{
	while (s->network.count)
		free(network_take(&s->network));
	free(s->network.heap);
}

size_t stage_secret(uint32_t account, char buf[32])
{
	return (size_t)snprintf(buf, 32, "secret-of-%u", account);
}

size_t stage_name(uint32_t account, char buf[32])
{
	return (size_t)snprintf(buf, 32, "user%u", account);
}

void stage_no_tunnel_secret(struct softwire *s, const char *host)
{
	softwire_tunnel_secret(s, NULL, 0, s->now);
}

void stage_trace(struct softwire *s, enum softwire_trace what, const void *data, size_t len)
{
	struct softwire_trace_words words;

	softwire_trace_describe(what, data, len, &words);
	printf("%10llu %s %-4s %-8s %s\n", (unsigned long long)s->now, softwire_is_initiator(s) ? "SI" : "SC",
		words.dir, words.layer, words.text);
}

void stage_note(struct softwire *s, const char *text)
{
}

void stage_family_down(struct softwire *s, uint8_t family, const char *why)
{
}

void stage_remove(const char *directory)
{
	DIR *d = *directory ? opendir(directory) : NULL;
	const struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(d), entry->d_name, 0);
	if (d && closedir(d) == 0)
		rmdir(directory);
}
