/*
 * A terminal that is redrawn in place, on its other screen, and is as it was
 * when that ends: by a key, or by a signal, which is read like input.
 */

#include <sys/ioctl.h>
#include <sys/signalfd.h>

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "callmask.h"
#include "utf8.h"

#define ESC "\033["
#define ENTER ESC "?1049h" ESC "?25l" /* the other screen, no cursor */
#define LEAVE ESC "?25h" ESC "?1049l"
#define HOME ESC "H"
#define CLEAR_LINE ESC "K"
#define CLEAR_BELOW ESC "J"

/* Where the size is not told. */
#define ROWS 24
#define COLUMNS 80

/* Writes all of a text. Returns false if the terminal is gone. */
static bool
put(const char *text, size_t len)
{
	ssize_t wrote;

	for (; len != 0; text += wrote, len -= (size_t)wrote) {
		wrote = write(STDOUT_FILENO, text, len);
		if (wrote < 0 && errno == EINTR)
			wrote = 0;
		if (wrote < 0)
			return false;
	}
	return true;
}

int
cli_screen_open(struct cli_screen *screen)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT,
		SIGWINCH };
	struct termios raw;
	sigset_t set;
	size_t i;

	if (tcgetattr(STDIN_FILENO, &screen->before) != 0) {
		warn("terminal");
		return 1;
	}
	sigemptyset(&set);
	for (i = 0; i < sizeof ends / sizeof ends[0]; i++)
		sigaddset(&set, ends[i]);
	sigprocmask(SIG_BLOCK, &set, &screen->mask);
	if ((screen->signals = signalfd(-1, &set, SFD_CLOEXEC)) < 0) {
		warn("signals");
		return 1;
	}
	/* Keys come one by one and are not shown; nobody stops us while the
	 * other screen is up. */
	raw = screen->before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	raw.c_cc[VSUSP] = _POSIX_VDISABLE;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	put(ENTER, sizeof ENTER - 1);
	return 0;
}

void
cli_screen_close(struct cli_screen *screen)
{
	put(LEAVE, sizeof LEAVE - 1);
	tcsetattr(STDIN_FILENO, TCSANOW, &screen->before);
	close(screen->signals);
	sigprocmask(SIG_SETMASK, &screen->mask, NULL);
}

/* Appends as much of a line as fits. What was there is cleared before: behind
 * the last column some terminals would clear that. */
static void
add_line(struct buf *out, const char *line, size_t len, int columns)
{
	size_t at = 0, step;

	for (; columns > 0 && at < len; columns--, at += step)
		if ((step = utf8_next(line + at)) == 0)
			step = 1;
	buf_puts(out, CLEAR_LINE);
	buf_add(out, line, at);
}

bool
cli_screen_draw(const char *text)
{
	struct winsize size;
	struct buf out;
	size_t len;
	bool drawn;
	int row;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 ||
	    size.ws_col == 0)
		size = (struct winsize){ .ws_row = ROWS, .ws_col = COLUMNS };
	buf_init(&out, 0);
	buf_puts(&out, HOME);
	for (row = 0; row < size.ws_row && *text != '\0'; row++) {
		len = strcspn(text, "\n");
		buf_puts(&out, row != 0 ? "\r\n" : "");
		add_line(&out, text, len, size.ws_col);
		text += len + (text[len] != '\0');
	}
	if (row < size.ws_row)
		buf_puts(&out, "\r\n" CLEAR_BELOW);
	drawn = put(buf_text(&out), out.len);
	buf_free(&out);
	return drawn;
}

bool
cli_screen_wait(const struct cli_screen *screen, int64_t ms)
{
	struct pollfd ready[] = { { .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = screen->signals, .events = POLLIN } };
	struct signalfd_siginfo signal;
	char key;

	if (poll(ready, 2, (int)ms) <= 0)
		return true;
	if ((ready[1].revents & POLLIN) != 0)
		return read(screen->signals, &signal, sizeof signal) ==
			   (ssize_t)sizeof signal &&
		       signal.ssi_signo == SIGWINCH;
	/* Any other key has it drawn at once. */
	return read(STDIN_FILENO, &key, 1) == 1 && key != 'q' && key != 'Q' &&
	       key != '\x04';
}
