#ifndef VIEW_JSON_H
#define VIEW_JSON_H

/*
 * What the views share: reading a document strictly, with errors that name the
 * field, and writing one. Only files named view*.c include this; it shows
 * jansson.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "buf.h"
#include "event.h"
#include "rc.h"
#include "session.h"

/*
 * Parses body, an object, into *out, to be released with json_decref. Refuses
 * repeated keys, bad UTF-8 and NUL: RC_SYNTAX.
 */
enum rc view_parse(
    json_t **out, const char *body, size_t len, struct fault *fault);

/* Refuses keys of object that are not in the NULL-terminated list: RC_INVALID.
 * prefix is where the object stands, like parties[0]; "": at the top. */
enum rc view_refuse_unknown(json_t *object, const char *prefix,
    const char *const *known, struct fault *fault);

/*
 * Copies the text field key of object to out of size bytes. An optional one
 * that is not there or null leaves "". RC_INVALID.
 */
enum rc view_read_text(json_t *object, const char *prefix, const char *key,
    char *out, size_t size, bool required, struct fault *fault);

/* Reads a number of seconds, 0 if it is not there. RC_INVALID. */
enum rc view_read_seconds(
    json_t *object, const char *key, int64_t *seconds, struct fault *fault);

/* Reads true or false; false if it is not there. RC_INVALID. */
enum rc view_read_flag(
    json_t *object, const char *key, bool *flag, struct fault *fault);

/* Returns a string, null for "". */
json_t *view_text(const char *value);

/* Returns a time as RFC 3339, null for 0. */
json_t *view_moment(int64_t at);

/* Returns a count, null for -1. */
json_t *view_count(int64_t value);

/* Return a session as it stands at now, and an event. */
json_t *view_session_json(const struct session *session, int64_t now);
json_t *view_event_json(const struct event_record *event);

/* Appends json as compact text and releases it; NULL, out of memory, gives
 * RC_MEMORY. flags are jansson's. */
enum rc view_dump(struct buf *out, json_t *json, size_t flags);

#endif
