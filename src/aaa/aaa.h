/*
 * aaa: users and tunnel peers: who may connect, with which secret, and what they get.
 *
 * Always asynchronous for the caller, because RADIUS will stand behind the same calls; today's source is the users file
 * (libconfig). Answers never come before the call has returned (they are delivered in the next loop iteration);
 * with LOOP NULL (tests), or when there is no memory to delay them, they come at once.
 *
 * users = { alice = { secret = "..."; server-secret = "..."; delegate = [ "2001:db8:8000:100::/56" ]; link = "2001:db8:100:7::/64";
 *                     pool = "default"; softwires = 1; iid = "::1"; }; };
 * peers = ( { address = "203.0.113.0/24"; tunnel-secret = "..."; } );
 * A user name with characters that libconfig does not allow in a name: { name = "alice@example.net"; ... } in a list:
 * users = ( { name = "alice@example.net"; secret = "..."; }, ... ). A peer may have a host-name too: the entry is then
 * only for tunnels with that Host Name AVP. Nothing is included from other files.
 */
#ifndef AAA_AAA_H
#define AAA_AAA_H

#include "lib/addr.h"
#include "lib/log.h"
#include "lib/loop.h"

enum { AAA_PREFIXES = 4, AAA_NAME_MAX = 255, AAA_SECRET_MAX = 255 };

struct aaa;

/* Errors of a users file, one call per error: LINE is 0 when it is about the whole file. */
typedef void aaa_error(void *owner, const char *file, unsigned line, const char *text);

/* A CHAP response to be checked. All pointers are borrowed during the call. */
struct aaa_chap {
	const uint8_t *name;
	size_t name_len;
	uint8_t id, algorithm; /* 5: MD5 */
	const uint8_t *challenge;
	size_t challenge_len;
	const uint8_t *response;
	size_t response_len;
};

/* What an authenticated user is entitled to. */
struct aaa_user {
	char name[AAA_NAME_MAX + 1];
	char pool[64]; /* "" : the default pool */
	unsigned delegate_count;
	struct prefix delegate[AAA_PREFIXES]; /* fixed prefixes */
	struct prefix link;                   /* fixed link /64, or none */
	uint64_t iid;                         /* assigned interface identifier, or 0 */
	uint16_t softwires;                   /* how many at a time; 1 by default */
};

/* OK: USER is valid during the call. Not OK: WHY is for the log ("unknown user", "wrong password"); the peer is told less. */
typedef void aaa_verified(void *owner, bool ok, const struct aaa_user *user, const char *why);
/* LEN 0: there is none. The bytes are valid during the call. */
typedef void aaa_secret(void *owner, const void *secret, size_t len);

struct aaa *aaa_new(struct loop *loop);
/* Wipes secrets. Not from inside an answer; before loop_done(), which closes what is left of it. */
void aaa_free(struct aaa *a);
/* Reads a users file from the start of FD (owned by the caller; PATH is for messages) and replaces what was there if it has no errors.
 * Also checks the mode: a secret file that group or others can read or write, or that belongs to neither root nor us, is unsafe
 * (-EPERM, told through ERROR). 0 or -EINVAL: all errors have been told, in the order of their lines. */
int aaa_load_users(struct aaa *a, int fd, const char *path, aaa_error *error, void *owner);
size_t aaa_user_count(const struct aaa *a);
/* Walks the users in the order of the file: start with *cursor = 0. The result is valid until the next of these two calls. */
const struct aaa_user *aaa_next_user(const struct aaa *a, uint32_t *cursor);
const struct aaa_user *aaa_find_user(const struct aaa *a, const char *name); /* NULL: there is none */

void aaa_verify_chap(struct aaa *a, const struct aaa_chap *chap, aaa_verified *answer, void *owner);
/* The secret with which we prove our own identity to this user (mutual CHAP): its server-secret. */
void aaa_server_secret(struct aaa *a, const char *user, aaa_secret *answer, void *owner);
/* The tunnel secret shared with a peer: of the entries of `peers` whose prefix covers PEER, and whose host name, where one is given, is
 * HOST_NAME (may be NULL), the one with the longest prefix; of two with the same prefix the one with the host name. */
void aaa_tunnel_secret(
	struct aaa *a, const struct addr *peer, const char *host_name, aaa_secret *answer, void *owner);
/* Answers to OWNER that are still to come are not wanted any more. */
void aaa_cancel(struct aaa *a, void *owner);

/* Reads a secret from a file of one line (password-file): same mode check; 0 or -errno with *why. Wipe it after use. */
int aaa_read_secret(int fd, char secret[AAA_SECRET_MAX + 1], size_t *ret_len, char why[128]);
/* MD5(id, secret, challenge) in constant time against RESPONSE: RFC 1994 section 4.1. */
bool aaa_chap_md5_ok(uint8_t id, const void *secret, size_t secret_len, const uint8_t *challenge,
	size_t challenge_len, const uint8_t *response, size_t response_len);

#endif
