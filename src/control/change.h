/*
 * control/change: what is different in a new configuration, key by key, and what of it a running daemon can take over.
 *
 * The tables of keys.c tell both: no key can be forgotten, and each says when it takes effect.
 */
#ifndef CONTROL_CHANGE_H
#define CONTROL_CHANGE_H

#include "control/config.h"

/* One difference: "concentrator: max-softwires 60000 -> 100". Borrowed during the call. */
typedef void config_change_told(void *owner, const char *sentence);

/*
 * Tells each difference between OLD and NEW, and takes back from NEW what needs a restart, so that NEW is what can be applied. False: there is
 * no difference.
 */
bool config_change(const struct config *old, struct config *new, config_change_told *told, void *owner);

#endif
