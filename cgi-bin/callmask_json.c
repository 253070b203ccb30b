/* What commands print for other programs: a JSON object a line. */

#include <stdio.h>

#include "callmask.h"
#include "timestamp.h"
#include "utf8.h"

/* Prints a string; what is not UTF-8 becomes question marks. */
static void
print_text(const char *text)
{
	size_t len;

	putchar('"');
	for (; *text != '\0'; text += len) {
		unsigned char c = (unsigned char)*text;

		if ((len = utf8_next(text)) == 0) {
			putchar('?');
			len = 1;
		} else if (c < 0x20) {
			printf("\\u%04x", c);
		} else {
			if (c == '"' || c == '\\')
				putchar('\\');
			printf("%.*s", (int)len, text);
		}
	}
	putchar('"');
}

void
cli_json(const struct cli_field *fields)
{
	const struct cli_field *f;
	char time[TIMESTAMP_SIZE];

	for (f = fields; f->name != NULL; f++) {
		printf("%s\"%s\": ", f == fields ? "{" : ", ", f->name);
		switch (f->kind) {
		case CLI_FIELD_TEXT:
			if (f->text != NULL && f->text[0] != '\0')
				print_text(f->text);
			else
				printf("null");
			break;
		case CLI_FIELD_TIME:
			if (f->number != 0)
				print_text(timestamp_format(time, f->number));
			else
				printf("null");
			break;
		case CLI_FIELD_BOOL:
			printf(f->number != 0 ? "true" : "false");
			break;
		default:
			printf("%lld", (long long)f->number);
		}
	}
	puts("}");
}
