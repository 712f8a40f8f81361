/* scarce: memory that is refused once, at the N-th request from now on. For programs that are linked with scarce_args. */
#ifndef UNIT_LIB_SCARCE_H
#define UNIT_LIB_SCARCE_H

#include <stdbool.h>

void scarce_at(unsigned n); /* 0: none is refused */
/* Was it? From now on none is. */
bool scarce_happened(void);

#endif
