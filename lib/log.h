#ifndef LOG_H
#define LOG_H

/*
 * The log: one JSON object a line on standard error, where systemd or a
 * terminal picks it up. A line names the program and a short event word, and
 * says the rest in one formatted detail.
 *
 * Whatever the detail holds, a line stays one line of valid JSON, and nothing
 * in it that looks like an E.164 number survives: a plus and seven digits or
 * more become plus, first digit, ellipsis, last two. That is a net below the
 * rule that only phone_redact may print a number, not a licence to print one.
 */

enum log_level {
	LOG_DEBUG,
	LOG_INFO,
	LOG_WARN,
	LOG_ERROR
};

/* Names the program; name is kept, not copied. Lines below level are dropped.
 */
void log_open(const char *name, enum log_level level);

/* From now on writes lines for people: program, event, detail. */
void log_plain(void);

/* Ties the lines that follow to a request; id is copied, "" or NULL: none. */
void log_request(const char *id);

/*
 * Writes a line of the level: event is a word to search for, format and what
 * follows the detail as by printf(3). Over-long details are cut.
 */
void log_line(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

#endif
