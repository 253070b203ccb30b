#ifndef BUF_H
#define BUF_H

/*
 * A growable run of bytes with a bound, the only heap object that is passed
 * around. Once an append fails (no memory, or the bound is met) the buffer
 * stays as it was and remembers it: append freely, then ask buf_ok once.
 * The bytes are always followed by a NUL that does not count.
 */

#include <stdbool.h>
#include <stddef.h>

#include "rc.h"

struct buf {
	char *data;  /* the bytes, NUL-terminated; NULL while empty */
	size_t len;  /* bytes in use, without the NUL */
	size_t size; /* bytes allocated */
	size_t max;  /* most bytes it may hold; 0: BUF_MAX */
	bool failed; /* an append did not fit */
};

/* Bound of a buffer that names none, in bytes. */
#define BUF_MAX (1024 * 1024)

/* An empty buffer, bounded to max bytes (0: BUF_MAX). Nothing to free yet. */
void buf_init(struct buf *buf, size_t max);

/*
 * Makes room for extra more bytes, which can then be appended without moving
 * those before them. Returns RC_MEMORY if they do not fit.
 */
enum rc buf_reserve(struct buf *buf, size_t extra);

/* Appends len bytes of data; data may be NULL if len is 0. */
void buf_add(struct buf *buf, const void *data, size_t len);

/* Appends the string text. */
void buf_puts(struct buf *buf, const char *text);

/* Appends text formatted as by printf(3). */
void buf_printf(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Empties buf but keeps its memory and its bound. */
void buf_reset(struct buf *buf);

/* Returns whether every append since init or reset fitted. */
bool buf_ok(const struct buf *buf);

/* Returns the bytes as a string, "" if empty; borrowed until the next call. */
const char *buf_text(const struct buf *buf);

/* Releases the memory; buf is then empty and usable. NULL is fine. */
void buf_free(struct buf *buf);

#endif
