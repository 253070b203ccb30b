/* What commands print for other programs: a JSON object a line. */

#include <err.h>
#include <inttypes.h>
#include <stdio.h>

#include "callmask.h"
#include "timestamp.h"
#include "utf8.h"

/* Appends a string, null for ""; what is not UTF-8 becomes question marks. */
static void
add_text(struct buf *out, const char *text)
{
	size_t len;

	if (text == NULL || text[0] == '\0') {
		buf_puts(out, "null");
		return;
	}
	buf_puts(out, "\"");
	for (; *text != '\0'; text += len) {
		unsigned char c = (unsigned char)*text;

		if ((len = utf8_next(text)) == 0) {
			buf_puts(out, "?");
			len = 1;
		} else if (c < 0x20) {
			buf_printf(out, "\\u%04x", c);
		} else {
			if (c == '"' || c == '\\')
				buf_puts(out, "\\");
			buf_add(out, text, len);
		}
	}
	buf_puts(out, "\"");
}

static void
add_value(struct buf *out, const struct cli_field *field)
{
	char time[TIMESTAMP_SIZE];

	switch (field->kind) {
	case CLI_FIELD_TEXT:
		add_text(out, field->text);
		break;
	case CLI_FIELD_TIME:
		add_text(out, field->number != 0
				  ? timestamp_format(time, field->number)
				  : NULL);
		break;
	case CLI_FIELD_BOOL:
		buf_puts(out, field->number != 0 ? "true" : "false");
		break;
	case CLI_FIELD_JSON:
		buf_puts(out, field->text);
		break;
	case CLI_FIELD_LIST:
		buf_printf(out, "[%s]", field->text);
		break;
	default:
		buf_printf(out, "%" PRId64, field->number);
	}
}

void
cli_json_add(struct buf *out, const struct cli_field *fields)
{
	const struct cli_field *f;

	buf_puts(out, out->len != 0 ? ", {" : "{");
	for (f = fields; f->name != NULL; f++) {
		buf_printf(out, "%s\"%s\": ", f == fields ? "" : ", ", f->name);
		add_value(out, f);
	}
	buf_puts(out, "}");
}

void
cli_json(const struct cli_field *fields)
{
	struct buf line;

	buf_init(&line, CLI_JSON_MAX);
	cli_json_add(&line, fields);
	if (!buf_ok(&line))
		errx(1, "no room for so much JSON");
	puts(buf_text(&line));
	crypto_wipe(line.data, line.size); /* it may have been a secret */
	buf_free(&line);
}
