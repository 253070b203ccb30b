/* A growable run of bytes with a bound. */

#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){ .max = max };
}

enum rc
buf_reserve(struct buf *buf, size_t extra)
{
	size_t max = buf->max != 0 ? buf->max : BUF_MAX, size;
	char *data;

	if (buf->failed)
		return RC_MEMORY;
	if (extra > max || buf->len > max - extra) {
		buf->failed = true;
		return RC_MEMORY;
	}
	if (buf->len + extra < buf->size)
		return RC_OK;
	size = buf->size != 0 ? buf->size : 256;
	while (size <= buf->len + extra)
		size *= 2;
	if ((data = realloc(buf->data, size)) == NULL) {
		buf->failed = true;
		return RC_MEMORY;
	}
	buf->data = data;
	buf->size = size;
	buf->data[buf->len] = '\0';
	return RC_OK;
}

void
buf_add(struct buf *buf, const void *data, size_t len)
{
	if (buf_reserve(buf, len) != RC_OK)
		return;
	if (len != 0)
		memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void
buf_puts(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void
buf_printf(struct buf *buf, const char *format, ...)
{
	va_list ap;
	int len;

	va_start(ap, format);
	len = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (len < 0) {
		buf->failed = true;
		return;
	}
	if (buf_reserve(buf, (size_t)len) != RC_OK)
		return;
	va_start(ap, format);
	vsnprintf(buf->data + buf->len, (size_t)len + 1, format, ap);
	va_end(ap);
	buf->len += (size_t)len;
}

void
buf_reset(struct buf *buf)
{
	buf->len = 0;
	buf->failed = false;
	if (buf->data != NULL)
		buf->data[0] = '\0';
}

bool
buf_ok(const struct buf *buf)
{
	return !buf->failed;
}

const char *
buf_text(const struct buf *buf)
{
	return buf->data != NULL ? buf->data : "";
}

void
buf_free(struct buf *buf)
{
	if (buf == NULL)
		return;
	free(buf->data);
	buf_init(buf, buf->max);
}
