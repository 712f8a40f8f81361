/* control/import: the lines behind a "lease import": as many as were announced, then all of them at once, or a refusal that says what is wrong. */
#ifndef CONTROL_IMPORT_H
#define CONTROL_IMPORT_H

#include "concentrator/concentrator.h"

struct control_import;
/* LEASES lines will come. NULL: no memory, or there are no leases here yet. */
struct control_import *control_import_new(struct concentrator *c, size_t leases, const char *rule);
void control_import_free(struct control_import *i); /* NULL is fine */
bool control_import_is_complete(const struct control_import *i);
void control_import_line(struct control_import *i, const char *line, size_t len);
/* All have come: DONE gets the answer, at once or later. Frees I. */
void control_import_run(struct control_import *i, concentrator_answered *done, void *owner);

#endif
