/*
 * hub/trace: a trace event of a softwire in words, for `softwire trace` and debug logs.
 *
 * Secrets, challenges and responses are left out by the printers of the protocol folders.
 */
#ifndef HUB_TRACE_H
#define HUB_TRACE_H

#include "hub/softwire.h"

enum { SOFTWIRE_TRACE_TEXT = 512 };

struct softwire_trace_words {
	const char *dir;   /* "rx", "tx", "note" */
	const char *layer; /* "l2tp", "ppp", "ip6", "ip4", "softwire" */
	char text[SOFTWIRE_TRACE_TEXT];
};

/* DATA and LEN are what softwire_ops.trace() was called with. */
void softwire_trace_describe(enum softwire_trace what, const void *data, size_t len, struct softwire_trace_words *ret);

#endif
