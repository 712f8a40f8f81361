/* What the two targets of eap share: certificates, a server and a peer that know them, and packets. */
#ifndef FUZZ_EAP_HARNESS_H
#define FUZZ_EAP_HARNESS_H

#include "eap/eap.h"
#include "lib/reader.h"

/* Both ends as they should be, from FLAGS: which methods each has, whether the peer has a certificate, which TLS version. */
struct ends {
	struct rng rng;
	struct eap_server_config server;
	struct eap_peer_config peer;
};

void check(bool ok);
void ends_init(struct ends *e, uint8_t flags);
/* The secret of "alice", whose certificate the peer has. */
extern const char the_secret[];

/* A packet from the input, of at most LEN bytes: whole, or only its type and data (CODE and ID are then as given).
 * Returns its length. PACKET has room for 259. */
size_t packet_raw(struct reader *in, size_t len, uint8_t *packet);
size_t packet_framed(struct reader *in, size_t len, uint8_t code, uint8_t id, uint8_t *packet);
/* What every reply of either end is: as long as it says, with the right code. */
void check_reply(const struct eap_reply *r, uint8_t code);

#endif
