#ifndef TEST_H
#define TEST_H

/* What every unit test includes first: cmocka and what it demands. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
