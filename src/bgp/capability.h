/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bgp/capability: the Capabilities parameter of OPEN (RFC 5492). For message.c and session.c. */
#ifndef BGP_CAPABILITY_H
#define BGP_CAPABILITY_H

#include "bgp/message.h"

enum { BGP_CAPABILITIES = 253 }; /* octets that the parameter can take in RFC 4271's form */

/*
 * Adds what the LIST of one parameter says to open->capabilities, and to open->as. *families_said becomes true where a family is named, known or not.
 * 0 or -EPROTO: one reaches behind the list's end.
 */
int bgp_capabilities_read(
	struct reader list, struct bgp_open *open, bool *families_said, struct bgp_error *error);
/* All of open->capabilities as a list; at most BGP_CAPABILITIES octets. */
void bgp_capabilities_write(struct writer *w, const struct bgp_open *open);
/* One Multiprotocol capability: what OPEN Message Error/Unsupported Capability wants as data (RFC 5492 section 5). */
void bgp_capability_write_family(struct writer *w, enum bgp_family family);

#endif
