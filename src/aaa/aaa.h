/*
 * aaa: users and tunnel peers: who may connect, with which secret, and what they get.
 *
 * Always asynchronous for the caller, because RADIUS will stand behind the same calls; today's source is the users file
 * (libconfig). Answers never come before the call has returned (they are delivered in the next loop iteration);
 * with LOOP NULL (tests), or when there is no memory to delay them, they come at once.
 *
 * users = { alice = { secret = "..."; server-secret = "..."; delegate = [ "2001:db8:8000:100::/56" ]; link = "2001:db8:100:7::/64";
 *                     ipv4 = "198.51.100.7"; delegate4 = [ "198.51.100.64/29" ]; pool = "default"; softwires = 1; iid = "::1";
 *                     at-limit = "replace"; ipv6 = true; nameservers = [ "ns1.alice.example" ]; }; };
 * A user without a secret can only authenticate by certificate (EAP-TLS). Names that begin with "anonymous/" are ours.
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

enum { AAA_PREFIXES = 4, AAA_SUBNETS = 2, AAA_NAMESERVERS = 4, AAA_HOST_MAX = 253, AAA_NAME_MAX = 255, AAA_SECRET_MAX = 255 };

struct aaa;

/* Errors of a users file, one call per error: LINE is 0 when it is about the whole file. */
typedef void aaa_error(void *owner, const char *file, unsigned line, const char *text);

/* A CHAP response, or a password, to be checked. All pointers are borrowed during the call. */
struct aaa_claim {
	uint16_t protocol; /* PPP_CHAP, PPP_PAP (then response is the password, and there is no challenge) */
	uint8_t id, algorithm; /* CHAP_MD5, CHAP_MSCHAPV2 */
	const uint8_t *name;
	size_t name_len;
	const uint8_t *challenge;
	size_t challenge_len;
	const uint8_t *response;
	size_t response_len;
};

enum aaa_at_limit { AAA_AT_LIMIT_DEFAULT, AAA_AT_LIMIT_REPLACE, AAA_AT_LIMIT_REFUSE };

/* What an authenticated user is entitled to. */
struct aaa_user {
	char name[AAA_NAME_MAX + 1];
	char pool[64]; /* "" : the default pool */
	unsigned delegate_count;
	struct prefix delegate[AAA_PREFIXES]; /* fixed prefixes */
	struct prefix link;                   /* fixed link /64, or none */
	uint64_t iid;                         /* assigned interface identifier, or 0 */
	uint16_t softwires;                   /* how many at a time; 1 by default */
	enum aaa_at_limit at_limit;           /* one more: as the role says, or by this user's own rule */
	bool no_ipv6;                         /* ipv6 = false */
	struct addr address4;                 /* fixed IPv4 address, or none */
	unsigned subnet_count;
	struct prefix subnets[AAA_SUBNETS];   /* fixed IPv4 subnets */
	unsigned nameserver_count;
	char nameservers[AAA_NAMESERVERS][AAA_HOST_MAX + 1]; /* for the reverse zones of its prefixes (HS-PROV-12) */
};

/*
 * OK: USER is valid during the call. Not OK: WHY is for the log ("unknown user", "wrong password"). MESSAGE is for the peer, and tells less; for
 * MS-CHAPv2 it is what RFC 2759 sections 5 and 6 want.
 */
typedef void aaa_verified(void *owner, bool ok, const struct aaa_user *user, const char *why, const char *message);
/* LEN 0: there is none. The bytes are valid during the call. */
typedef void aaa_secret(void *owner, const void *secret, size_t len);

struct aaa *aaa_new(struct loop *loop);
/* Wipes secrets. Not from inside an answer; before loop_done(), which closes what is left of it. */
void aaa_free(struct aaa *a);
/* Reads a users file from the start of FD (owned by the caller; PATH is for messages) and replaces what was there if it has no errors.
 * Also checks the mode: a secret file that group or others can read or write, or that belongs to neither root nor us, is unsafe
 * (-EPERM, told through ERROR). 0 or -EINVAL: all errors have been told, in the order of their lines. */
int aaa_load_users(struct aaa *a, int fd, const char *path, aaa_error *error, void *owner);
/* How the users and peers of NEW differ from those of OLD. */
struct aaa_difference {
	size_t added, changed, gone;
	bool peers;
};
struct aaa_difference aaa_compare(const struct aaa *old, const struct aaa *new);
/* A has the users and peers of FROM, which has none then. */
void aaa_take_users(struct aaa *a, struct aaa *from);
size_t aaa_user_count(const struct aaa *a);
/* Walks the users in the order of the file: start with *cursor = 0. The result is valid until the next of these two calls. */
const struct aaa_user *aaa_next_user(const struct aaa *a, uint32_t *cursor);
const struct aaa_user *aaa_find_user(const struct aaa *a, const char *name); /* NULL: there is none */
/* One of those that we give to whoever has none; no user can have it. */
bool aaa_is_anonymous(const char *name);

void aaa_verify(struct aaa *a, const struct aaa_claim *claim, aaa_verified *answer, void *owner);

/* EAP: the methods are played here (eap/), or by a RADIUS server. */
struct aaa_eap_config {
	uint8_t methods[4];  /* EAP_MD5, EAP_TLS, best first; 0 behind the last */
	struct eap_tls *tls; /* the server's; owned by the caller, valid while exchanges live */
	const char *name;    /* ours, in MD5 challenges */
};
/* Before the first exchange, and when none is there. C is copied; 0 or -ENOMEM. NULL: EAP is off. */
int aaa_set_eap(struct aaa *a, const struct aaa_eap_config *c);
struct aaa_eap; /* one exchange; gone before its aaa */
/*
 * PACKET: the next request for the peer, or the outstanding one once more when what came was not a response to it
 * (WHY says so). NULL: the exchange is over: OK and USER, or not OK and WHY for the log. All valid during the call.
 * An exchange in which the answer is not OK cannot be continued.
 */
typedef void aaa_eap_answer(void *owner, const uint8_t *packet, size_t len, bool ok, const struct aaa_user *user, const char *why);
struct aaa_eap *aaa_eap_new(struct aaa *a); /* NULL: no memory, or EAP is off */
/* PACKET NULL: begin. One answer per call, as for aaa_verify(). */
void aaa_eap_input(struct aaa_eap *e, const uint8_t *packet, size_t len, aaa_eap_answer *answer, void *owner);
/* The claimed identity, "" before it is known: for the log. Once OK who it is: by certificate that may be another name
 * than was claimed (eap/eap.h). */
const char *aaa_eap_name(const struct aaa_eap *e);
uint8_t aaa_eap_method(const struct aaa_eap *e); /* EAP_TLS, EAP_MD5; 0: none was agreed on yet */
void aaa_eap_free(struct aaa_eap *e); /* its answer is not wanted any more; also from inside it; NULL is fine */
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
