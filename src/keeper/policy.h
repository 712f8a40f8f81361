/* keeper/policy: what the engine process may ask for. Pure. */
#ifndef KEEPER_POLICY_H
#define KEEPER_POLICY_H

#include "keeper/keeper.h"
#include "keeper/message.h"

/* NULL: allowed. Else a static text: what is not allowed. R has been decoded. */
const char *policy_check(const struct keeper_policy *p, const struct message_request *r);
bool policy_has_tun(const struct keeper_policy *p, const char *name);
bool policy_has_tap(const struct keeper_policy *p, const char *name);
/* Of either kind. */
bool policy_has_device(const struct keeper_policy *p, const char *name);
/* A LAN, or a bridge of LANs. */
bool policy_has_lan(const struct keeper_policy *p, const char *name);
/* May PORT be bridged? A bridge may not. */
bool policy_has_port(const struct keeper_policy *p, const char *port);
bool policy_has_bridge(const struct keeper_policy *p, const char *name);
bool policy_has_udp(const struct keeper_policy *p, const struct endpoint *e);
bool policy_has_table(const struct keeper_policy *p, const struct keeper_table *t);
bool policy_has_tcp(const struct keeper_policy *p, const struct endpoint *e);
/* Is PATH one of the engine's directories, or below one? Its contents are then the engine's word. */
bool policy_in_directory(const struct keeper_policy *p, const char *path);

/*
 * A copy of what may be asked under A or under B (NULL: under A alone), to be freed with policy_joined_free(); NULL: no memory. What there is one of
 * (the control socket and its group) is B's. It has neither user nor runtime directory, resolvers or reload().
 */
struct keeper_policy *policy_join(const struct keeper_policy *a, const struct keeper_policy *b);
void policy_joined_free(struct keeper_policy *p);

#endif
