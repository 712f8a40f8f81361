/*
 * users: what a users file says, checked and packed: about 50 bytes, 8 for each prefix, and the strings for each user.
 *
 * A table is made whole and then never changed; a reload makes another one. Secrets live in it and nowhere else, and are wiped
 * when it is freed. (libconfig's own copies are wiped as far as it shows them.)
 */
#ifndef AAA_USERS_H
#define AAA_USERS_H

#include "aaa/aaa.h"
#include "lib/hash.h"
#include "lib/lpm.h"

struct user_row {
	uint64_t iid, link;
	uint32_t line;
	uint8_t address4[4]; /* 0.0.0.0: none */
	uint16_t softwires;
	uint8_t name_len, pool_len, secret_len, server_len; /* of the strings in the tail, in this order */
	uint8_t delegate_count : 4, subnet_count : 4;
	uint8_t nameserver_count : 4, at_limit : 2;
	bool has_link : 1, no_ipv6 : 1;
	uint8_t prefix_len[AAA_PREFIXES + AAA_SUBNETS];
	/* The first 64 bits of delegated prefixes, then of IPv4 subnets; then the strings, and name servers with NULs. */
	uint64_t prefix[];
};

struct peer_row {
	struct peer_row *next;      /* of all */
	struct peer_row *next_same; /* with the same prefix */
	struct prefix prefix;
	unsigned line;
	uint8_t host_len, secret_len;
	char tail[]; /* host name, secret */
};

struct users {
	uint64_t seed;
	struct hash by_name;
	struct user_row **rows; /* in the order of the file */
	size_t count, size;
	struct peer_row *peers;
	struct lpm by_prefix; /* to the first peer_row with that prefix */
};

/* NULL: no memory. */
struct users *users_new(uint64_t seed);
void users_free(struct users *u);
const struct user_row *users_find(const struct users *u, const void *name, size_t len);
/* The first 64 bits of an IPv6 address, or an IPv4 address and zeros. */
uint64_t user_upper_half(const struct addr *a);
void user_present(const struct user_row *row, struct aaa_user *ret);
const char *user_name(const struct user_row *row);
const char *user_pool(const struct user_row *row);
const char *user_secret(const struct user_row *row);
const char *user_server_secret(const struct user_row *row);
/* The entry for PEER: the longest prefix that has one for HOST_NAME, or one for any host. */
const struct peer_row *users_find_peer(const struct users *u, const struct addr *peer, const char *host_name);
/* -EEXIST when there is one with that prefix and host name already (*ret_other), -ENOMEM; otherwise it is the table's. */
int users_add_peer(struct users *u, struct peer_row *p, const struct peer_row **ret_other);
/* -EEXIST, -ENOMEM as above. */
int users_add(struct users *u, struct user_row *row, const struct user_row **ret_other);
void user_row_free(struct user_row *row); /* wipes */
void peer_row_free(struct peer_row *p);

/* Do they say the same, wherever in their files they stand? */
bool user_row_equal(const struct user_row *a, const struct user_row *b);
bool users_equal_peers(const struct users *a, const struct users *b);

/* Reads TEXT (LEN bytes, and one more behind them that is NUL; it is wiped) into U. Tells all errors, in the order of lines; 0 or -EINVAL. */
int users_read(struct users *u, char *text, size_t len, const char *path, aaa_error *error, void *owner);

#endif
