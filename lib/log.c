/* The log: JSON lines on standard error. */

#include "log.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "utf8.h"

/* Digits after a plus from which on a run is taken for a phone number. */
#define PHONE_DIGITS 7

static const char *program = "callmask";
static enum log_level least = LOG_INFO;
static char request[40];
static bool plain;

static const char *const levels[] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARN] = "warn",
	[LOG_ERROR] = "error",
};

void
log_open(const char *name, enum log_level level)
{
	program = name;
	least = level;
}

void
log_plain(void)
{
	plain = true;
}

void
log_request(const char *id)
{
	size_t len = 0;

	/* It may come from outside: only what needs no escaping stays. */
	for (; id != NULL && *id != '\0' && len < sizeof request - 1; id++)
		if (isalnum((unsigned char)*id) || *id == '-')
			request[len++] = *id;
	request[len] = '\0';
}

/* Hides the middle of everything in text that looks like an E.164 number. */
static void
redact(char *text)
{
	char *from, *to = text;
	size_t digits;

	for (from = text; *from != '\0';) {
		digits = from[0] == '+' ? strspn(from + 1, "0123456789") : 0;
		if (digits < PHONE_DIGITS) {
			*to++ = *from++;
			continue;
		}
		*to++ = '+';
		*to++ = from[1];
		memcpy(to, "…", 3);
		to += 3;
		*to++ = from[digits - 1];
		*to++ = from[digits];
		from += digits + 1;
	}
	*to = '\0';
}

/* Writes text, which is UTF-8, to out as the inside of a JSON string; leaves
 * out whole characters that do not fit. */
static void
escape(char *out, size_t size, const char *text)
{
	size_t len = 0, more;

	for (; (more = utf8_next(text)) != 0 && len + 7 < size; text += more) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			out[len++] = '\\';
		if (c < 0x20 || c == 0x7f) {
			len += (size_t)snprintf(
			    out + len, size - len, "\\u%04x", c);
		} else {
			memcpy(out + len, text, more);
			len += more;
		}
	}
	out[len] = '\0';
}

/* Replaces bytes that are not part of UTF-8 by question marks. */
static void
clean(char *text)
{
	size_t len;

	while (*text != '\0') {
		if ((len = utf8_next(text)) == 0) {
			*text = '?';
			len = 1;
		}
		text += len;
	}
}

void
log_line(enum log_level level, const char *event, const char *format, ...)
{
	char detail[512], safe[1024], line[1536], stamp[32] = "";
	struct timespec now;
	struct tm tm;
	va_list ap;
	int len;

	if (level < least)
		return;
	va_start(ap, format);
	vsnprintf(detail, sizeof detail, format, ap);
	va_end(ap);
	redact(detail);
	clean(detail);
	if (plain) {
		fprintf(stderr, "%s: %s: %s\n", program, event, detail);
		return;
	}
	escape(safe, sizeof safe, detail);
	clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &tm) != NULL)
		strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &tm);
	len = snprintf(line, sizeof line,
	    "{\"time\":\"%s.%03ldZ\",\"level\":\"%s\",\"program\":\"%s\","
	    "\"pid\":%ld,\"event\":\"%s\"%s%s%s,\"detail\":\"%s\"}\n",
	    stamp, now.tv_nsec / 1000000, levels[level], program,
	    (long)getpid(), event, request[0] != '\0' ? ",\"request\":\"" : "",
	    request, request[0] != '\0' ? "\"" : "", safe);
	if (len >= (int)sizeof line)
		len = (int)sizeof line - 1;
	/* One write, so that lines of many processes do not mix. */
	if (len > 0 && write(STDERR_FILENO, line, (size_t)len) < 0)
		return;
}
