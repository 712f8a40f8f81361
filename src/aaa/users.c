/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of users and peers. */
#include "aaa/users.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct users *users_new(uint64_t seed)
{
	struct users *u = calloc(1, sizeof(*u));

	if (u)
		u->seed = seed;
	return u;
}

const char *user_name(const struct user_row *row)
{
	return (const char *)(row->prefix + row->delegate_count + row->subnet_count);
}

const char *user_pool(const struct user_row *row)
{
	return user_name(row) + row->name_len;
}

const char *user_secret(const struct user_row *row)
{
	return user_pool(row) + row->pool_len;
}

const char *user_server_secret(const struct user_row *row)
{
	return user_secret(row) + row->secret_len;
}

void user_row_free(struct user_row *row)
{
	explicit_bzero((char *)user_secret(row), row->secret_len + (size_t)row->server_len);
	free(row);
}

void peer_row_free(struct peer_row *p)
{
	explicit_bzero(p->tail, p->host_len + (size_t)p->secret_len);
	free(p);
}

void users_free(struct users *u)
{
	struct peer_row *p;

	if (!u)
		return;
	for (size_t i = 0; i < u->count; i++)
		user_row_free(u->rows[i]);
	while ((p = u->peers)) {
		u->peers = p->next;
		peer_row_free(p);
	}
	free(u->rows);
	hash_free(&u->by_name);
	lpm_free(&u->by_prefix);
	free(u);
}

struct name_key {
	const void *name;
	size_t len;
};

static bool name_matches(const void *item, const void *key)
{
	const struct user_row *row = item;
	const struct name_key *k = key;

	return row->name_len == k->len && !memcmp(user_name(row), k->name, k->len);
}

const struct user_row *users_find(const struct users *u, const void *name, size_t len)
{
	struct name_key key = {name, len};

	if (!len)
		return NULL;
	return hash_find(&u->by_name, hash_bytes(name, len, u->seed), name_matches, &key);
}

int users_add(struct users *u, struct user_row *row, const struct user_row **ret_other)
{
	const struct user_row *other = users_find(u, user_name(row), row->name_len);

	if (other) {
		*ret_other = other;
		return -EEXIST;
	}
	if (u->count == u->size) {
		size_t size = u->size ? u->size * 2 : 64;
		struct user_row **rows = reallocarray(u->rows, size, sizeof(struct user_row *));

		if (!rows)
			return -ENOMEM;
		u->rows = rows;
		u->size = size;
	}
	if (hash_insert(&u->by_name, hash_bytes(user_name(row), row->name_len, u->seed), row))
		return -ENOMEM;
	u->rows[u->count++] = row;
	return 0;
}

uint64_t user_upper_half(const struct addr *a)
{
	uint64_t half = 0;

	for (unsigned i = 0; i < 8; i++)
		half = half << 8 | a->bytes[i];
	return half;
}

static struct prefix prefix_from(uint8_t family, uint64_t upper, uint8_t len)
{
	struct prefix p = {.addr.family = family, .len = len};

	for (unsigned i = 0; i < 8; i++)
		p.addr.bytes[i] = (uint8_t)(upper >> (56 - 8 * i));
	return p;
}

void user_present(const struct user_row *row, struct aaa_user *ret)
{
	const uint8_t *len = row->prefix_len + row->delegate_count;
	const uint64_t *subnet = row->prefix + row->delegate_count;
	const char *text = user_server_secret(row) + row->server_len;

	memset(ret, 0, sizeof(*ret));
	memcpy(ret->name, user_name(row), row->name_len);
	memcpy(ret->pool, user_pool(row), row->pool_len);
	ret->delegate_count = row->delegate_count;
	for (unsigned i = 0; i < row->delegate_count; i++)
		ret->delegate[i] = prefix_from(AF_INET6, row->prefix[i], row->prefix_len[i]);
	if (row->has_link)
		ret->link = prefix_from(AF_INET6, row->link, 64);
	ret->iid = row->iid;
	ret->softwires = row->softwires;
	ret->at_limit = row->at_limit;
	ret->no_ipv6 = row->no_ipv6;
	if (row->address4[0])
		ret->address4 = addr4_of(row->address4);
	ret->subnet_count = row->subnet_count;
	for (unsigned i = 0; i < row->subnet_count; i++)
		ret->subnets[i] = prefix_from(AF_INET, subnet[i], len[i]);
	ret->nameserver_count = row->nameserver_count;
	for (unsigned i = 0; i < row->nameserver_count; i++, text += strlen(text) + 1)
		snprintf(ret->nameservers[i], sizeof(ret->nameservers[i]), "%s", text);
}

/* Host names are DNS names more often than not, so case does not matter (RFC 2661 section 4.4.3 leaves it open). */
static bool host_is(const struct peer_row *p, const char *host, size_t len)
{
	return p->host_len == len && !strncasecmp(p->tail, host, len);
}

int users_add_peer(struct users *u, struct peer_row *p, const struct peer_row **ret_other)
{
	struct peer_row *first = lpm_exact(&u->by_prefix, &p->prefix);
	int rc;

	for (struct peer_row *same = first; same; same = same->next_same) {
		if (host_is(same, p->tail, p->host_len)) {
			*ret_other = same;
			return -EEXIST;
		}
	}
	if (first) {
		p->next_same = first->next_same;
		first->next_same = p;
	} else {
		rc = lpm_insert(&u->by_prefix, &p->prefix, p);
		if (rc)
			return rc;
	}
	p->next = u->peers;
	u->peers = p;
	return 0;
}

static const struct peer_row *best_of_prefix(const struct peer_row *p, const char *host, size_t len)
{
	const struct peer_row *any = NULL;

	for (; p; p = p->next_same) {
		if (!p->host_len)
			any = p;
		else if (host_is(p, host, len))
			return p;
	}
	return any;
}

const struct peer_row *users_find_peer(const struct users *u, const struct addr *peer, const char *host_name)
{
	const char *host = host_name ? host_name : "";
	size_t len = strlen(host);
	struct prefix p;
	const struct peer_row *row = lpm_lookup(&u->by_prefix, peer, &p);
	const struct peer_row *best = best_of_prefix(row, host, len);

	/* All its entries are for other hosts: a shorter prefix may have one. */
	for (unsigned bits = row ? p.len : 0; row && !best && bits-- > 0;) {
		struct prefix shorter = prefix_of(peer, bits);

		best = best_of_prefix(lpm_exact(&u->by_prefix, &shorter), host, len);
	}
	return best;
}

/* ---- two files ---- */

/* Of all strings together. */
static size_t texts_len(const struct user_row *row)
{
	const char *names = user_server_secret(row) + row->server_len, *at = names;

	for (unsigned i = 0; i < row->nameserver_count; i++)
		at += strlen(at) + 1;
	return (size_t)(at - user_name(row));
}

bool user_row_equal(const struct user_row *a, const struct user_row *b)
{
	return a->iid == b->iid && a->link == b->link && a->has_link == b->has_link &&
	       !memcmp(a->address4, b->address4, sizeof(a->address4)) && a->softwires == b->softwires &&
	       a->name_len == b->name_len && a->pool_len == b->pool_len && a->secret_len == b->secret_len &&
	       a->server_len == b->server_len && a->delegate_count == b->delegate_count &&
	       a->subnet_count == b->subnet_count && a->nameserver_count == b->nameserver_count &&
	       a->at_limit == b->at_limit && a->no_ipv6 == b->no_ipv6 &&
	       !memcmp(a->prefix_len, b->prefix_len, sizeof(a->prefix_len)) &&
	       !memcmp(a->prefix, b->prefix, (a->delegate_count + a->subnet_count) * sizeof(a->prefix[0])) &&
	       texts_len(a) == texts_len(b) && !memcmp(user_name(a), user_name(b), texts_len(a));
}

static bool has_peer(const struct users *u, const struct peer_row *p)
{
	for (const struct peer_row *o = u->peers; o; o = o->next)
		if (prefix_equal(&o->prefix, &p->prefix) && o->host_len == p->host_len &&
			o->secret_len == p->secret_len &&
			!memcmp(o->tail, p->tail, o->host_len + (size_t)o->secret_len))
			return true;
	return false;
}

bool users_equal_peers(const struct users *a, const struct users *b)
{
	for (const struct peer_row *p = a->peers; p; p = p->next)
		if (!has_peer(b, p))
			return false;
	for (const struct peer_row *p = b->peers; p; p = p->next)
		if (!has_peer(a, p))
			return false;
	return true;
}
