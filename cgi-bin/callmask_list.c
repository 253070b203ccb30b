/*
 * A file of masked numbers: one a line, or a table with commas between the
 * columns, like the one that Twilio's console exports. No line is ever
 * repeated in a complaint: it may hold anything.
 */

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "callmask.h"

#define LINE_SIZE 4096     /* bytes of a line, with newline and NUL */
#define NUMBERS_MAX 100000 /* that a file may hold */
#define TOLD_MAX 10        /* lines that are complained about one by one */
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* A file that is being read. */
struct list {
	const char *name;
	int line;   /* from 1 */
	int column; /* of the numbers, from 0; -1: not known yet */
	int wrong;  /* lines without a number */
	struct buf *numbers;
};

/* Takes the quotes off a field and stores where it ends. Returns false if it is
 * wrongly quoted. */
static bool
unquote(char *field, char **end)
{
	char *from, *to = field;

	for (from = field + 1; *from != '\0'; from++) {
		if (*from == '"' && *++from != '"')
			break;
		*to++ = *from;
	}
	*end = from;
	*to = '\0';
	return from[-1] == '"' && (*from == ',' || *from == '\0');
}

/* Takes the next field off *rest, without the quotes around it; NULL if there
 * is none. What is wrongly quoted becomes "". */
static char *
next_field(char **rest)
{
	char *field = *rest, *end;

	if (field == NULL)
		return NULL;
	if (*field != '"')
		end = field + strcspn(field, ",");
	else if (!unquote(field, &end))
		*field = '\0';
	*rest = *end == ',' ? end + 1 : NULL;
	*end = '\0';
	return field;
}

/* Whether a heading is that of the numbers. */
static bool
is_heading(const char *field)
{
	return strcasecmp(field, "number") == 0 ||
	       strcasecmp(field, "PhoneNumber") == 0 ||
	       strcasecmp(field, "phone_number") == 0 ||
	       strcasecmp(field, "Phone Number") == 0;
}

/* Finds the column of the numbers by the first line that is not empty. Returns
 * whether that is a heading. */
static bool
find_column(struct list *list, const char *line)
{
	char copy[LINE_SIZE], *rest = copy, *field;
	int column;

	snprintf(copy, sizeof copy, "%s", line);
	for (column = 0; (field = next_field(&rest)) != NULL; column++) {
		if (!is_heading(field))
			continue;
		list->column = column;
		return true;
	}
	list->column = 0;
	return false;
}

static void
complain(struct list *list, const char *what)
{
	if (list->wrong++ < TOLD_MAX)
		warnx("%s:%d: %s", list->name, list->line, what);
}

/* Takes the number of a line, without its newline. */
static void
take_line(struct list *list, char *line)
{
	char number[PHONE_SIZE] = "", *rest = line, *field;
	int i;

	if (line[0] == '\0')
		return;
	if (list->column < 0 && find_column(list, line))
		return;
	for (i = 0; (field = next_field(&rest)) != NULL && i < list->column;
	     i++)
		;
	if (field == NULL || !phone_valid(field)) {
		complain(list, "there is no E.164 number, like +12025550199");
		return;
	}
	strcpy(number, field);
	buf_add(list->numbers, number, sizeof number);
}

int
cli_list_read(const char *path, struct buf *numbers)
{
	bool standard = strcmp(path, "-") == 0;
	struct list list = { .name = standard ? "standard input" : path,
		.column = -1,
		.numbers = numbers };
	FILE *file = standard ? stdin : fopen(path, "re");
	char text[LINE_SIZE], *line;
	size_t len;

	buf_init(numbers, (size_t)NUMBERS_MAX * PHONE_SIZE);
	if (file == NULL) {
		warn("%s", path);
		return 1;
	}
	errno = 0;
	while (buf_ok(numbers) && fgets(text, sizeof text, file) != NULL) {
		list.line++;
		len = strlen(text);
		if (len == 0 || (text[len - 1] != '\n' && !feof(file))) {
			complain(&list, "is no line of text");
			break;
		}
		line = text;
		if (strncmp(line, BYTE_ORDER_MARK, 3) == 0)
			line += 3;
		line[strcspn(line, "\r\n")] = '\0';
		take_line(&list, line);
	}
	if (ferror(file)) {
		warn("%s", list.name);
		list.wrong++;
	} else if (list.wrong > TOLD_MAX) {
		warnx("%s: %d lines more", list.name, list.wrong - TOLD_MAX);
	} else if (!buf_ok(numbers)) {
		warnx("%s: more than %d numbers", list.name, NUMBERS_MAX);
		list.wrong++;
	} else if (list.wrong == 0 && numbers->len == 0) {
		warnx("%s: there are no numbers in it", list.name);
		list.wrong++;
	}
	if (!standard)
		fclose(file);
	return list.wrong == 0 ? 0 : 1;
}
