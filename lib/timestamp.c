/* Points in time as text. */

#include "timestamp.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

const char *
timestamp_format(char out[TIMESTAMP_SIZE], int64_t at)
{
	time_t seconds = (time_t)at;
	struct tm tm;

	out[0] = '\0';
	if (gmtime_r(&seconds, &tm) == NULL ||
	    strftime(out, TIMESTAMP_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		out[0] = '\0';
	return out;
}

enum rc
timestamp_parse(int64_t *at, const char *text)
{
	struct tm tm = { 0 };
	char again[32];
	const char *end;
	time_t read;

	/* The programs never call setlocale, so names are English. */
	end = strptime(text, "%a, %d %b %Y %H:%M:%S", &tm);
	if (end == NULL ||
	    (strcmp(end, " +0000") != 0 && strcmp(end, " GMT") != 0))
		return RC_SYNTAX;
	/* strptime is lenient: what it read must read the same. */
	read = timegm(&tm);
	if (tm.tm_year < 0 || gmtime_r(&read, &tm) == NULL ||
	    strftime(again, sizeof again, "%a, %d %b %Y %H:%M:%S", &tm) !=
		(size_t)(end - text) ||
	    memcmp(again, text, (size_t)(end - text)) != 0)
		return RC_SYNTAX;
	*at = (int64_t)read;
	return RC_OK;
}

enum rc
timestamp_parse_rfc3339(int64_t *at, const char *text)
{
	struct tm tm = { 0 };
	char again[TIMESTAMP_SIZE];
	const char *end;
	int64_t read;

	end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (end == NULL || *end != '\0' || tm.tm_year < 0)
		return RC_SYNTAX;
	/* strptime is lenient: what it read must read the same. */
	read = (int64_t)timegm(&tm);
	if (strcmp(timestamp_format(again, read), text) != 0)
		return RC_SYNTAX;
	*at = read;
	return RC_OK;
}
