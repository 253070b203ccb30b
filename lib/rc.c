/* Results and their names. */

#include "rc.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

static const char *const names[RC__MAX] = {
	[RC_OK] = "ok",
	[RC_NONE] = "none",
	[RC_METHOD] = "method",
	[RC_PATH] = "path",
	[RC_TYPE] = "type",
	[RC_TOO_LARGE] = "too_large",
	[RC_INCOMPLETE] = "incomplete",
	[RC_UNSIGNED] = "unsigned",
	[RC_UNAUTHORIZED] = "unauthorized",
	[RC_FORBIDDEN] = "forbidden",
	[RC_SYNTAX] = "syntax",
	[RC_INVALID] = "invalid",
	[RC_NOT_FOUND] = "not_found",
	[RC_SAME_PARTY] = "same_party",
	[RC_OWN_NUMBER] = "own_number",
	[RC_COUNTRY] = "country",
	[RC_REFERENCE] = "reference",
	[RC_POOL] = "pool",
	[RC_KEY_REUSED] = "key_reused",
	[RC_EXISTS] = "exists",
	[RC_LIMIT] = "limit",
	[RC_ENDED] = "ended",
	[RC_OFF] = "off",
	[RC_REFUSED] = "refused",
	[RC_BUSY] = "busy",
	[RC_RETRY] = "retry",
	[RC_UNAVAILABLE] = "unavailable",
	[RC_VERSION] = "version",
	[RC_CORRUPT] = "corrupt",
	[RC_MEMORY] = "memory",
	[RC_SYSTEM] = "system",
};

const char *
rc_name(enum rc rc)
{
	if ((unsigned)rc >= RC__MAX)
		return "?";
	return names[rc];
}

bool
rc_final(enum rc rc)
{
	return rc < RC_BUSY;
}

enum rc
rc_fault(
    struct fault *fault, enum rc rc, const char *field, const char *format, ...)
{
	va_list ap;

	if (fault == NULL)
		return rc;
	fault->code[0] = '\0';
	snprintf(fault->field, sizeof fault->field, "%s", field);
	va_start(ap, format);
	vsnprintf(fault->detail, sizeof fault->detail, format, ap);
	va_end(ap);
	return rc;
}
