/*
 * eap: what is inside EAP, for either end: Identity, Notification, Nak, MD5-Challenge, TLS.
 *
 * Packets in, packets out; the lower layer (ppp/link.h) repeats what is lost and drops duplicates. Nothing here
 * has a socket or a timer. (Certificates are judged by the wall clock, and TLS takes its random numbers from libcrypto.)
 *   server: Identity -> method (the first of the configured ones; a Nak of the peer chooses another one of them)
 *           -> success or failure
 *   peer:   answers Identity and what it has credentials for; Naks the rest with what it would rather do. Who
 *           gives it both a secret and certificates lets the server choose the weaker one.
 *
 * EAP-TLS (RFC 5216; RFC 9190 with TLS 1.3; never less than TLS 1.2) runs OpenSSL over memory BIOs, in fragments
 * of EAP_FRAGMENT bytes. Its keys are not used: PPP has no use for them.
 * The peer checks the server's certificate against its CA and, where one is configured, its name; it never goes
 * on without a CA. The server takes only certificates of its CA. One of a certificate's names (each
 * subjectAltName of type email or DNS; without any the Common Name) must be the Identity that was claimed. A
 * peer that does not want its name to be read by others claims an anonymous one ("", "anonymous", "anonymous@..."
 * or "@...", RFC 9190 section 2.1.8): then it is the first of the names. It is asked of admits() before the end of
 * the handshake, so that the refusal can be a TLS alert: what follows the server's success indication (the
 * protected 0x00 of RFC 9190 section 2.5, or TLS 1.2's Finished) is Success.
 * A peer ends well only by the method's own success, not by a Success packet alone (RFC 3748 section 4.2; RFC 5216
 * section 2.1.3).
 * Known limits: no resumption (each authentication is a whole handshake), no OCSP (revocation by CRLs next to the CA,
 * by short-lived certificates, and by whom admits() knows), and we claim the name that we are told to: who
 * wants RFC 9190's privacy configures an anonymous one.
 *
 * Parts: packet.c (the format), server.c, peer.c, md5.c, tls.c (contexts), exchange.c (TLS messages in fragments).
 * Limits: 64 round trips, 64 KiB of TLS messages per direction. RFC 3748, RFC 5216, RFC 9190.
 */
#ifndef EAP_EAP_H
#define EAP_EAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/rng.h"

enum { EAP_PACKET_MAX = 1400, EAP_FRAGMENT = 1024, EAP_NAME_MAX = 255, EAP_WHY = 160 };
enum { EAP_REQUEST = 1, EAP_RESPONSE, EAP_SUCCESS, EAP_FAILURE };
enum { EAP_IDENTITY = 1, EAP_NOTIFICATION = 2, EAP_NAK = 3, EAP_MD5 = 4, EAP_TLS = 13 };

/* One certificate configuration, shared by many exchanges. */
struct eap_tls;
/*
 * Texts are PEM. CERTIFICATE (with its chain) and KEY: ours; the peer may have none (NULL or "", then a server that
 * asks for one refuses it). CA: whom we believe; required. It may hold CRLs, too: then each certificate of a
 * chain must be on the right side of one.
 * NAME (peer only): the server's certificate must have it as subjectAltName DNS (wildcards as RFC 6125), or, when it
 * is an address, as subjectAltName IP; "" : any certificate of the CA. NULL and *why when it cannot be
 * used. The key text is the caller's to wipe.
 */
struct eap_tls *eap_tls_new(bool server, const char *certificate, const char *key, const char *ca,
	const char *name, char why[EAP_WHY]);
void eap_tls_free(struct eap_tls *t);

struct eap_reply {
	size_t len; /* 0: nothing to send */
	uint8_t packet[EAP_PACKET_MAX];
};

enum eap_verdict {
	EAP_CONTINUE,	 /* send the reply, if there is one; none: the packet was ignored, and *why says why. With a reply
			  * *why is "", or the text of a Notification */
	EAP_WANT_SECRET, /* server: the user's secret is needed for MD5: eap_server_secret() */
	EAP_OK,		 /* the other end has proven what was asked; server: eap_server_name() is who */
	EAP_REFUSED,	 /* it is over; *why */
};

struct eap_server_config {
	uint8_t methods[4];  /* EAP_MD5, EAP_TLS in order of preference; 0 behind the last */
	struct eap_tls *tls; /* NULL: no TLS */
	struct rng *rng;
	const char *name; /* ours, in MD5 challenges */
	/* TLS: may the owner of a good certificate connect? NULL: all. */
	bool (*admits)(void *owner, const char *name);
	void *owner;
};

struct eap_server; /* one exchange */
struct eap_server *eap_server_new(const struct eap_server_config *c); /* NULL: no memory. C stays the caller's, and valid */
/* PACKET NULL: begin (an Identity request). The id of Success and Failure, which the lower layer sends, is the last
 * response's. */
enum eap_verdict eap_server_input(struct eap_server *s, const uint8_t *packet, size_t len, struct eap_reply *ret,
	char why[EAP_WHY]);
/* LEN 0: no such user; the same work is done, and it fails as with a wrong secret. */
enum eap_verdict eap_server_secret(struct eap_server *s, const void *secret, size_t len, struct eap_reply *ret,
	char why[EAP_WHY]);
/* The claimed identity, without control characters; proven after EAP_OK, and then with TLS the certificate's. ""
 * before it is known. */
const char *eap_server_name(const struct eap_server *s);
uint8_t eap_server_method(const struct eap_server *s); /* 0: none yet */
void eap_server_free(struct eap_server *s);	       /* wipes; NULL is fine */

struct eap_peer_config {
	const char *identity;
	const void *secret; /* for MD5; wiped copies only */
	size_t secret_len;  /* 0: MD5 is not offered */
	struct eap_tls *tls; /* NULL: no TLS */
};

struct eap_peer; /* one conversation: who is authenticated anew makes another one */
struct eap_peer *eap_peer_new(const struct eap_peer_config *c); /* C and what it points to stay valid */
/* A request, Success or Failure. EAP_OK only after Success that the method has earned. A request that was answered
 * before is ignored: the lower layer repeats the response. */
enum eap_verdict eap_peer_input(struct eap_peer *p, const uint8_t *packet, size_t len, struct eap_reply *ret,
	char why[EAP_WHY]);
void eap_peer_free(struct eap_peer *p); /* NULL is fine */

const char *eap_method_name(uint8_t type); /* "MD5-Challenge", "TLS" ...; "unknown" */

#endif
