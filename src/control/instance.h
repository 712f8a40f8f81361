/*
 * control/instance: several daemons on one machine, told apart by a name: each has its own configuration file, runtime directory (with the
 * control socket) and state directory. Without a name: the machine's only one, or its first.
 */
#ifndef CONTROL_INSTANCE_H
#define CONTROL_INSTANCE_H

#include <stdbool.h>
#include <stddef.h>

enum { INSTANCE_NAME = 33 };
#define INSTANCE_WORDS "a name of letters, digits, - and _, 32 at most, not with - in front"

#define INSTANCE_RUNTIME "/run/softwired"
#define INSTANCE_SOCKET "/control.sock" /* behind the runtime directory */
#define INSTANCE_STATE "/var/lib/softwired"

/* Letters, digits, '-' and '_', no '-' in front; 1 to 32 of them. It becomes part of paths. */
bool instance_is_name(const char *name);
/* BASE, or BASE-NAME where NAME is not "", and TAIL behind it. False: it does not fit. */
bool instance_path(const char *base, const char *name, const char *tail, char *path, size_t size);
/* /etc/softwire/softwired.conf, or /etc/softwire/NAME.conf. */
void instance_config(const char *name, char path[64]);

#endif
