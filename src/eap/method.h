/*
 * method: what the folder's files share and nobody else sees: packets, MD5-Challenge, and one exchange of TLS messages.
 */
#ifndef EAP_METHOD_H
#define EAP_METHOD_H

#include <openssl/ssl.h>

#include "eap/eap.h"
#include "lib/reader.h"
#include "lib/writer.h"

enum { EAP_TRIPS_MAX = 64, EAP_TLS_MAX = 64 << 10, EAP_MD5_LEN = 16 };

/* ---- packet.c ---- */

struct eap_packet {
	uint8_t code, id;
	uint8_t type; /* of requests and responses */
	struct reader data; /* behind the type */
};

/* NULL, or why the packet is to be ignored (RFC 3748 section 4). Padding behind Length is dropped. */
const char *eap_packet_read(const uint8_t *packet, size_t len, struct eap_packet *ret);
/* Begins a packet in RET; write the data, then eap_reply_finish(). */
struct writer eap_reply_begin(struct eap_reply *ret, uint8_t code, uint8_t id, uint8_t type);
void eap_reply_finish(struct eap_reply *ret, struct writer *w);
/* TEXT, as far as it fits, with '?' for what is not printable ASCII. */
void eap_printable(struct reader text, char *ret, size_t size);
__attribute__((format(printf, 2, 3))) void eap_say(char why[EAP_WHY], const char *format, ...);

/* ---- md5.c: RFC 3748 section 5.4 ---- */

bool eap_md5(uint8_t id, const void *secret, size_t secret_len, const uint8_t *challenge, size_t challenge_len,
	uint8_t ret[EAP_MD5_LEN]);
/* The value of a challenge or a response, and the name behind it in DATA. NULL: malformed. */
const uint8_t *eap_md5_value(struct reader *data, size_t *ret_len);
void eap_md5_write(struct writer *w, const uint8_t value[EAP_MD5_LEN], const char *name);

/* ---- tls.c ---- */

struct eap_tls {
	SSL_CTX *ctx;
	bool server;
	char name[256]; /* the server's, as the peer wants it; "" : any */
};

/* ---- exchange.c: RFC 5216 sections 2.1.3, 2.1.5, 3 ---- */

enum eap_exchange_state {
	EXCHANGE_RUNNING,
	EXCHANGE_DONE,   /* the other end has proven its identity, and knows that we know */
	EXCHANGE_FAILED, /* why says why; an alert may wait to be sent */
};

enum eap_exchange_step {
	STEP_SEND,  /* a fragment came, or is due: eap_exchange_write() */
	STEP_EMPTY, /* the packet had nothing in it, and nothing is due */
	STEP_RAN,   /* a whole message came; ask for the state, and whether something is due */
	STEP_BAD,   /* the packet cannot be understood (why) */
};

struct eap_exchange {
	SSL *ssl;
	const struct eap_tls *tls;
	enum eap_exchange_state state;
	bool gathering;       /* a message has begun */
	uint32_t message_len; /* of that, as was claimed; 0: it was not */
	uint32_t message_got;
	size_t received; /* in all */
	bool fragmenting;      /* the first fragment of ours has been sent */
	/* Server: who is claimed, and who may; name is the certificate's. */
	const char *claimed;
	bool (*admits)(void *owner, const char *name);
	void *owner;
	char name[EAP_NAME_MAX + 1];
	char why[EAP_WHY];
};

/* NULL: no memory. The last three are the server's. */
struct eap_exchange *eap_exchange_new(const struct eap_tls *t, const char *claimed,
	bool (*admits)(void *owner, const char *name), void *owner);
void eap_exchange_free(struct eap_exchange *x); /* NULL is fine */
/* The peer, after the server's Start. */
void eap_exchange_start(struct eap_exchange *x);
/* DATA: what is behind the type. */
enum eap_exchange_step eap_exchange_input(struct eap_exchange *x, struct reader data);
bool eap_exchange_due(const struct eap_exchange *x);
/* Flags and the next fragment, or an acknowledgement where nothing is due. */
void eap_exchange_write(struct eap_exchange *x, struct writer *w);

#endif
