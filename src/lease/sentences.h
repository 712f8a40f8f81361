/* sentences: what there is to say about many leases: a list that stops growing when nobody would read on. */
#ifndef LEASE_SENTENCES_H
#define LEASE_SENTENCES_H

#include <stddef.h>

enum { SENTENCES_MAX = 1000 };

struct sentences {
	char **text;
	size_t count, untold;
};

void sentences_add(struct sentences *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Says how many were left out, if any. */
void sentences_finish(struct sentences *s);
void sentences_free(struct sentences *s);

#endif
