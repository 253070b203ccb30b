/* Help and completion, made from the table of commands. */

#include <stdio.h>
#include <string.h>

#include "callmask.h"

/* Writes the name of a command, one or two words, into out. */
static const char *
name_of(char out[CLI_NAME_SIZE], const struct command *command)
{
	snprintf(out, CLI_NAME_SIZE, "%s%s%s", command->noun,
	    command->verb != NULL ? " " : "",
	    command->verb != NULL ? command->verb : "");
	return out;
}

static void
print_summary(FILE *to, const struct command *command)
{
	char name[CLI_NAME_SIZE];

	fprintf(to, "  %-16s %s\n", name_of(name, command), command->help);
}

bool
cli_has_json(const struct command *command)
{
	return command->needs != CLI_NEEDS_NOTHING;
}

void
cli_help(FILE *to)
{
	const struct command *c;

	fputs("usage: callmask [-c file] [-s service] command …\n", to);
	for (c = cli_commands; c->help != NULL; c++) {
		if (c->noun == NULL)
			fprintf(to, "\n%s\n", c->help);
		else
			print_summary(to, c);
	}
	fprintf(to,
	    "\n  -c file     configuration, else %s\n"
	    "  -s service  which service, if there are several\n"
	    "\n`callmask COMMAND --help` says how a command is called, "
	    "callmask(1) more.\n",
	    CONF_PATH);
}

bool
cli_help_noun(FILE *to, const char *noun)
{
	const struct command *c;
	bool any = false;

	for (c = cli_commands; c->help != NULL; c++) {
		if (c->noun == NULL || strcmp(c->noun, noun) != 0)
			continue;
		if (!any)
			fprintf(to, "usage: callmask %s VERB …\n\n", noun);
		any = true;
		print_summary(to, c);
	}
	return any;
}

/* Prints how a command is called, a line for each way. */
static void
print_usage(FILE *to, const struct command *command)
{
	const char *way = command->usage, *prefix = "usage: ";
	char name[CLI_NAME_SIZE];
	size_t len;

	name_of(name, command);
	for (;;) {
		len = strcspn(way, "\n");
		fprintf(to, "%scallmask [-c file]%s %s%s%.*s%s\n", prefix,
		    command->needs >= CLI_NEEDS_SERVICE ? " [-s service]" : "",
		    name, len != 0 ? " " : "", (int)len, way,
		    cli_has_json(command) ? " [--json]" : "");
		if (way[len] == '\0')
			return;
		way += len + 1;
		prefix = "       ";
	}
}

void
cli_help_command(const struct command *command)
{
	print_usage(stdout, command);
	printf("\n%s; see callmask(1)\n", command->help);
}

int
cli_usage(const struct cli *cli)
{
	print_usage(stderr, cli->command);
	return 2;
}

/* A word of a usage, e.g. "[--role", without what is around it. */
struct word {
	const char *text;
	size_t len;
	bool last; /* of what stands in brackets: no value follows */
};

/* Takes the next word off *usage. Returns false if there is none. */
static bool
next_word(struct word *word, const char **usage)
{
	size_t len;

	*usage += strspn(*usage, " \n[");
	len = strcspn(*usage, " \n");
	*word = (struct word){ .text = *usage, .len = len };
	*usage += len;
	while (word->len != 0 && word->text[word->len - 1] == ']') {
		word->len--;
		word->last = true;
	}
	if (**usage == '\n')
		word->last = true;
	return len != 0;
}

static bool
is_option(const struct word *word)
{
	return word->len > 2 && strncmp(word->text, "--", 2) == 0;
}

/* Prints the words that may stand in place of one with bars, a|b. What has a
 * letter that nobody types stands for something else. */
static void
print_choices(const struct word *word)
{
	const char *end = word->text + word->len, *p, *bar;

	if (memchr(word->text, '|', word->len) == NULL)
		return;
	for (p = word->text; p < end; p = bar + 1) {
		bar = memchr(p, '|', (size_t)(end - p));
		if (bar == NULL)
			bar = end;
		if (memchr(p, '\xe2', (size_t)(bar - p)) == NULL)
			printf(" %.*s", (int)(bar - p), p);
	}
}

/* Prints the settings of a service, each with what is around its name. */
static void
print_settings(const char *before, const char *after)
{
	const struct service_setting *s;

	for (s = service_settings; s->name != NULL; s++)
		printf(" %s%s%s", before, s->name, after);
}

/* Prints the case of a command: what may be said after it. */
static void
print_words(const struct command *command)
{
	const char *usage = command->usage;
	char name[CLI_NAME_SIZE];
	struct word word;
	bool value = false; /* the word at hand is an option's */

	printf("\t\"%s\") words=\"", name_of(name, command));
	while (next_word(&word, &usage)) {
		if (strncmp(word.text, "--setting", word.len) == 0)
			print_settings("--", "");
		else if (strncmp(word.text, "setting=value", word.len) == 0)
			print_settings("", "=");
		else if (is_option(&word))
			printf(" %.*s", (int)word.len, word.text);
		else if (!value)
			print_choices(&word);
		value = is_option(&word) && !word.last;
	}
	printf("%s --help\" ;;\n", cli_has_json(command) ? " --json" : "");
}

/* Prints the cases of those options of a command that take a value. */
static void
print_values(const struct command *command)
{
	const char *usage = command->usage;
	char name[CLI_NAME_SIZE];
	struct word word, option = { .text = NULL };

	name_of(name, command);
	while (next_word(&word, &usage)) {
		if (option.text != NULL && !is_option(&word)) {
			printf("\t\"%s %.*s\") words=\"", name, (int)option.len,
			    option.text);
			print_choices(&word);
			printf("\" ;;\n");
		}
		option = is_option(&word) && !word.last
			     ? word
			     : (struct word){ .text = NULL };
	}
}

/* Prints the cases of nouns: their verbs. */
static void
print_verbs(void)
{
	const struct command *c, *before = NULL;

	for (c = cli_commands; c->help != NULL; c++) {
		if (c->noun == NULL || c->verb == NULL)
			continue;
		if (before == NULL || strcmp(before->noun, c->noun) != 0)
			printf("%s\t\"%s\") words=\"",
			    before != NULL ? "\" ;;\n" : "", c->noun);
		printf(" %s", c->verb);
		before = c;
	}
	printf("\" ;;\n");
}

static void
print_nouns(void)
{
	const struct command *c, *before = NULL;

	printf("\t\"\") words=\"");
	for (c = cli_commands; c->help != NULL; c++) {
		if (c->noun == NULL ||
		    (before != NULL && strcmp(before->noun, c->noun) == 0))
			continue;
		printf(" %s", c->noun);
		before = c;
	}
	printf(" -c -s --help --version\" ;;\n");
}

int
cli_completion(struct cli *cli, int argc, char **argv)
{
	const struct command *c;

	(void)argv;
	if (argc != 1)
		return cli_usage(cli);
	puts("# bash completion of callmask; made by `callmask completion "
	     "bash`.\n\n"
	     "_callmask() {\n"
	     "\tlocal i name= after=0 words= last=\n"
	     "\tlocal here=${COMP_WORDS[COMP_CWORD]}\n"
	     "\tCOMPREPLY=()\n"
	     "\t# The command: one word or two, behind -c and -s.\n"
	     "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	     "\t\tlast=${COMP_WORDS[i]}\n"
	     "\t\tcase $name$last in\n"
	     "\t\t-c | -s) ((i + 1 < COMP_CWORD)) || return; "
	     "((i++)); last= ;;\n"
	     "\t\t*) ((after++ < 2)) && [[ $last != -* ]] &&\n"
	     "\t\t\tname=${name:+$name }$last ;;\n"
	     "\t\tesac\n"
	     "\tdone\n"
	     "\t# A word too many belongs to a command of one.\n"
	     "\tcase $name in");
	for (c = cli_commands; c->help != NULL; c++)
		if (c->noun != NULL && c->verb == NULL)
			printf("\t\"%s \"*) name=%s ;;\n", c->noun, c->noun);
	puts("\tesac\n"
	     "\tcase $name in");
	print_nouns();
	print_verbs();
	for (c = cli_commands; c->help != NULL; c++)
		if (c->noun != NULL)
			print_words(c);
	puts("\tesac\n"
	     "\tcase \"$name $last\" in");
	for (c = cli_commands; c->help != NULL; c++)
		if (c->noun != NULL)
			print_values(c);
	puts("\tesac\n"
	     "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$here\")\n"
	     "\t[[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace\n"
	     "}\n\n"
	     "complete -o default -F _callmask callmask");
	return 0;
}
