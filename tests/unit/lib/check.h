/* check: what the unit tests of this folder share: cmocka with the headers it needs before it. */
#ifndef UNIT_LIB_CHECK_H
#define UNIT_LIB_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
