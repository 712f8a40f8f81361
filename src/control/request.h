/*
 * request: from a request line of the control socket to its answer. No sockets and no memory between requests: the server
 * and the fuzz target call it.
 */
#ifndef CONTROL_REQUEST_H
#define CONTROL_REQUEST_H

#include <jansson.h>

#include "control/server.h"

enum { REQUEST_LINE = 65536 };

enum request_then {
	REQUEST_ANSWER, /* send the answer; the next line may come */
	REQUEST_CLOSE,  /* send it, and close: what came was no request */
	REQUEST_TRACE, /* subscribe to trace_initiator, or to the user trace_name at the concentrator; then answer */
	REQUEST_RELOAD, /* ask for a reload; its end is the answer */
	REQUEST_UPGRADE, /* the same for an upgrade */
	REQUEST_CHECK,	/* ask the concentrator to check its leases; what it finds is the answer */
	REQUEST_DUMP,	/* ask the mesh for a file of its tables; where it is is the answer */
	REQUEST_IMPORT, /* import_leases lines follow; what becomes of them is the answer */
};

struct answer {
	enum request_then then;
	json_t *object; /* without LIST, which is to be sent as its last member, piece by piece: it may be long */
	const char *name; /* of LIST */
	json_t *list;     /* NULL: none */
	char trace_name[256];
	struct initiator *trace_initiator;
	size_t import_leases;
	char import_rule[16];
};

/* MAY_CHANGE: the peer is root or ourselves. Fills in ANSWER, whose references are the caller's. */
void request_handle(const struct control_targets *targets, bool may_change, const char *line, size_t len,
	struct answer *answer);
/* {"ok":false,"error":"..."} */
json_t *request_refusal(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What whoever has asked for a reload or an upgrade hears; the arguments stay the caller's. ERRORS NULL: there was no memory. */
json_t *request_reloaded(json_t *errors, json_t *warnings, json_t *say);
json_t *request_upgraded(int result, const char *version, json_t *say);

#endif
