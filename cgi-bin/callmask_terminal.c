/* What commands show and ask at a terminal, and nowhere else. */

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "callmask.h"

#define BAR_SIZE 30

int
cli_confirm(const char *question, bool yes)
{
	char answer[8] = "";

	if (yes)
		return 0;
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		warnx("not at a terminal, so nobody can be asked: say --yes");
		return 2;
	}
	fprintf(stderr, "%s [y/N] ", question);
	if (fgets(answer, sizeof answer, stdin) != NULL &&
	    (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0))
		return 0;
	warnx("nothing was done");
	return 1;
}

void
cli_progress(const char *what, size_t done, size_t total)
{
	static const char bar[BAR_SIZE + 1] = "##############################";
	int full;

	if (!isatty(STDERR_FILENO))
		return;
	if (total == 0) {
		fprintf(stderr, "\r\033[K");
		return;
	}
	full = (int)(BAR_SIZE * done / total);
	fprintf(stderr, "\r%s [%.*s%*s] %zu of %zu", what, full, bar,
	    BAR_SIZE - full, "", done, total);
}
