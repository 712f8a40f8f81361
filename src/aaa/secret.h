/* secret: reading files that hold secrets. */
#ifndef AAA_SECRET_H
#define AAA_SECRET_H

#include <stddef.h>

/* The whole of a regular file of at most MAX bytes that nobody but its owner (root or us) can read or write, from its start, with a NUL
 * behind it: free() after explicit_bzero(). 0, -EPERM, -EINVAL, -errno with WHY. */
int secret_file_read(int fd, size_t max, char **ret, size_t *ret_len, char why[128]);

#endif
