/*
 * control/config: reading the configuration file (libconfig) into the roles' structs.
 *
 * Every setting is a row of a table: path, type, bounds, default, where it goes, one line of help (softwired.conf(5) and the error texts
 * follow from it). Errors are collected, all of them in one run: "file:line: what is wrong, and what would be right". Unknown
 * keys get the nearest known key as a suggestion. Nothing starts half-configured.
 */
#ifndef CONTROL_CONFIG_H
#define CONTROL_CONFIG_H

#include "afbr/config.h"
#include "concentrator/concentrator.h"
#include "control/instance.h"
#include "initiator/initiator.h"

enum { CONFIG_INITIATORS = 16 };

struct config {
	char path[4096];
	char instance[INSTANCE_NAME]; /* the caller's word before the file is read; "": the only one */
	char user[64];                /* the engine process's; "" : softwire, else nobody */
	char control_socket[108];     /* /run/softwired/control.sock; "" (not from a file): none */
	char control_group[64];       /* softwire */
	char runtime_directory[4096], state_directory[4096];
	enum log_level log_level;
	struct concentrator_config concentrator;
	unsigned initiator_count;
	struct initiator_config initiators[CONFIG_INITIATORS];
	struct afbr_config *afbr; /* or NULL; a reference, and not changed any more */
};

/* *TO is overwritten, and is to be given to config_done() or config_free(). A zeroed one has nothing. */
void config_copy(struct config *to, const struct config *from);
/* Lets go what C refers to. */
void config_done(struct config *c);
/* An allocated one, with that; or NULL. */
void config_free(struct config *c);

typedef void config_error(void *owner, bool fatal, const char *file, unsigned line, const char *text);

/* Reads PATH (FD >= 0: from this descriptor, PATH for messages and includes). CHECK_FILES: also look at modes and contents of the files
 * that it names (users, passwords), as root at start and for `softwire check`. (The name config_read() is libconfig's.) 0, or -EINVAL
 * after one or more fatal errors; warnings (fatal false) do not fail. *ret is large: allocate it. Of what it was before, ret->instance
 * counts: the defaults of directories depend on it. To be given to config_done(). */
int config_file_read(
	const char *path, int fd, bool check_files, config_error *error, void *owner, struct config *ret);

#endif
