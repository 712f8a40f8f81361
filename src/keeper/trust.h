/* keeper/trust: may a file be run as root? */
#ifndef KEEPER_TRUST_H
#define KEEPER_TRUST_H

/*
 * NULL when PATH (absolute) is an executable regular file that nobody but root could have put there or can change: it, every directory and every
 * symbolic link on the way to it belong to root and are not writable for group or others (directories may be, with the sticky bit). Else a
 * static text, and *ret_error is -EACCES when it is a matter of trust, another -errno when not. (A keeper that is not root itself trusts its
 * own user as well.)
 */
const char *trust_program(const char *path, int *ret_error);

#endif
