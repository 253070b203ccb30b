/* callmask top: how an installation is doing, again and again. */

#include <sys/stat.h>

#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "callmask.h"
#include "timestamp.h"
#include "top.h"
#include "wake.h"

#define INTERVAL_S 2
#define INTERVAL_MAX_S 3600
/* How long a look waits for the turn to write. */
#define WRITE_WAIT_MS 500
/* Reasons that are shown: those met most often. */
#define REASONS 4

static const char *const receivers[OUTBOX_CHANNEL__MAX] = {
	[OUTBOX_APP] = "app",
	[OUTBOX_TWILIO] = "twilio",
};

/* What is counted since the counters' file was made. */
struct counts {
	uint64_t all[METRICS__MAX];
	uint64_t refused[POLICY__MAX]; /* calls, by reason */
};

/* A look at everything. */
struct look {
	const struct cli *cli;
	int64_t now_ms;
	enum rc rc; /* of the database; top is empty if it is not RC_OK */
	struct top top;
	struct counts counts;
	bool worker, writable;
	int64_t database_bytes, log_bytes;
};

/* How it is shown. */
struct watch {
	struct cli *cli;
	int64_t interval_s;
	struct metrics *metrics;
	struct counts first; /* when we began */
	struct look look;
};

static void
read_counts(const struct metrics *metrics, struct counts *counts)
{
	int i;

	for (i = 0; i < METRICS__MAX; i++)
		counts->all[i] =
		    metrics_value(metrics, (enum metrics_counter)i);
	for (i = 0; i < POLICY__MAX; i++)
		counts->refused[i] = metrics_refusals(
		    metrics, METRICS_CALL, (enum policy_reason)i);
}

/* Returns the bytes of the database, or of a file beside it; 0 if there is
 * none. */
static int64_t
bytes_of(const struct cli *cli, const char *kind)
{
	char path[sizeof cli->conf.database + 8];
	struct stat st;

	snprintf(path, sizeof path, "%s%s", cli->conf.database, kind);
	return stat(path, &st) == 0 ? st.st_size : 0;
}

static void
look(struct watch *watch)
{
	struct cli *cli = watch->cli;
	struct look *l = &watch->look;
	char path[300];

	*l = (struct look){ .cli = cli, .now_ms = app_now_ms() };
	l->rc = db_check(cli->db);
	if (l->rc == RC_OK)
		l->rc = top_read(cli->db, cli->service.id, l->now_ms, &l->top);
	l->writable = cli_can_write(cli, WRITE_WAIT_MS);
	read_counts(watch->metrics, &l->counts);
	wake_path(path, sizeof path, cli->conf.database);
	l->worker = wake_heard(path);
	l->database_bytes = bytes_of(cli, "");
	l->log_bytes = bytes_of(cli, "-wal");
}

/* Returns how many calls are not over. */
static int64_t
running(const struct top *top)
{
	int64_t sum = 0;
	int i;

	for (i = 0; i < CALL__MAX; i++)
		sum += top->calls[i];
	return sum;
}

/* As text. */

static void
write_calls(struct buf *out, const struct top *top)
{
	const char *before = ": ";
	int i;

	buf_printf(out, "Calls now  %" PRId64 " running", running(top));
	for (i = 0; i < CALL__MAX; i++) {
		if (top->calls[i] == 0)
			continue;
		buf_printf(out, "%s%" PRId64 " %s", before, top->calls[i],
		    call_status_name((enum call_status)i));
		before = ", ";
	}
	buf_puts(out, "\n");
}

/* Writes a counter, and how much it has risen since we began. */
static void
write_count(struct buf *out, const char *before, const struct watch *watch,
    enum metrics_counter counter, const char *name)
{
	uint64_t now = watch->look.counts.all[counter];
	uint64_t rise = now - watch->first.all[counter];

	buf_printf(out, "%s%" PRIu64, before, now);
	if (rise != 0)
		buf_printf(out, " (+%" PRIu64 ")", rise);
	buf_printf(out, " %s", name);
}

/* Writes the reasons met most often. */
static void
write_reasons(struct buf *out, const struct counts *counts)
{
	bool told[POLICY__MAX] = { false };
	const char *before = "Because    ";
	int i, most, n;

	for (n = 0; n < REASONS; n++) {
		for (most = -1, i = 0; i < POLICY__MAX; i++)
			if (!told[i] && counts->refused[i] != 0 &&
			    (most < 0 ||
				counts->refused[i] > counts->refused[most]))
				most = i;
		if (most < 0)
			break;
		told[most] = true;
		buf_printf(out, "%s%s %" PRIu64, before,
		    policy_reason_name((enum policy_reason)most),
		    counts->refused[most]);
		before = ", ";
	}
	buf_puts(out, n != 0 ? "\n" : "");
}

static void
write_counts(struct buf *out, const struct watch *watch)
{
	write_count(out, "Counted    ", watch, METRICS_CALLS_CONNECTED,
	    "calls connected");
	write_count(out, ", ", watch, METRICS_CALLS_REFUSED, "not");
	buf_puts(out, "\n");
	write_reasons(out, &watch->look.counts);
	write_count(
	    out, "Faults     ", watch, METRICS_CALLS_APOLOGISED, "apologised");
	write_count(out, ", ", watch, METRICS_CALLS_UNRECORDED, "unrecorded");
	write_count(
	    out, ", ", watch, METRICS_REQUESTS_FAILED, "requests failed");
	write_count(out, ", ", watch, METRICS_POOL_EXHAUSTED, "out of numbers");
	buf_puts(out, "\n");
}

static void
write_health(struct buf *out, const struct look *l)
{
	buf_printf(
	    out, "Worker     %s\n", l->worker ? "running" : "NOT RUNNING");
	buf_printf(out, "Database   %s, %.1f MB, log %.1f MB\n",
	    l->writable ? "can be written" : "CANNOT BE WRITTEN",
	    (double)l->database_bytes / 1e6, (double)l->log_bytes / 1e6);
}

static void
write_services(struct buf *out, const struct top *top)
{
	const struct top_service *s;
	int i;

	buf_puts(out,
	    "\nSERVICE           ACTIVE  RESERVED  DRAINING   RETIRED "
	    "   FREE  TALK TODAY\n");
	for (s = top->services; s < top->services + top->services_len; s++) {
		buf_printf(out, "%-14s", s->name);
		for (i = 0; i < TOP_STATES; i++)
			buf_printf(out, "%10" PRId64, s->numbers[i]);
		buf_printf(out, "  %4.0f %%  %6" PRId64 " min\n",
		    100 * s->free_ratio, s->talk_s / 60);
	}
	if (top->more)
		buf_puts(out, "and others; say -s NAME\n");
}

static void
write_deliveries(struct buf *out, const struct top *top)
{
	const struct top_receiver *r;
	const struct top_service *s;
	int i;

	buf_puts(out, "\nDELIVERIES TO            WAITING      LATE    PARKED  "
		      "OLDEST DUE\n");
	for (s = top->services; s < top->services + top->services_len; s++)
		for (i = 0; i < OUTBOX_CHANNEL__MAX; i++) {
			r = &s->receivers[i];
			buf_printf(out,
			    "%-14s %-7s%10" PRId64 "%10" PRId64 "%10" PRId64
			    "  %8.1f s\n",
			    s->name, receivers[i], r->waiting, r->late,
			    r->parked, (double)r->lag_ms / 1000);
		}
}

static void
write_text(struct buf *out, const struct watch *watch, bool live)
{
	const struct look *l = &watch->look;
	char at[TIMESTAMP_SIZE];

	buf_printf(
	    out, "callmask   %s", timestamp_format(at, l->now_ms / 1000));
	if (live)
		buf_printf(
		    out, "  every %" PRId64 " s, q ends", watch->interval_s);
	buf_puts(out, "\n\n");
	if (l->rc == RC_OK) {
		buf_printf(
		    out, "Sessions   %" PRId64 " open\n", l->top.sessions);
		write_calls(out, &l->top);
	} else {
		buf_printf(
		    out, "the database cannot be read: %s\n", rc_name(l->rc));
	}
	write_counts(out, watch);
	write_health(out, l);
	if (l->rc == RC_OK) {
		write_services(out, &l->top);
		write_deliveries(out, &l->top);
	}
}

/* As JSON. */

/* Adds an object of numbers by their names, of those above 0 if few. */
static void
add_numbers(struct buf *out, int len, const char *(*name)(int i),
    int64_t (*value)(const struct look *l, int i), const struct look *l,
    bool few)
{
	struct cli_field fields[METRICS__MAX + POLICY__MAX + CALL__MAX];
	int i, n = 0;

	for (i = 0; i < len; i++)
		if (!few || value(l, i) != 0)
			fields[n++] =
			    (struct cli_field)CLI_INT(name(i), value(l, i));
	fields[n] = (struct cli_field){ .name = NULL };
	buf_init(out, 0);
	cli_json_add(out, fields);
}

static const char *
call_name(int i)
{
	return call_status_name((enum call_status)i);
}

static int64_t
call_value(const struct look *l, int i)
{
	return l->top.calls[i];
}

static const char *
counter_name(int i)
{
	return metrics_name((enum metrics_counter)i);
}

static int64_t
counter_value(const struct look *l, int i)
{
	return (int64_t)l->counts.all[i];
}

static const char *
reason_name(int i)
{
	return policy_reason_name((enum policy_reason)i);
}

static int64_t
reason_value(const struct look *l, int i)
{
	return (int64_t)l->counts.refused[i];
}

static void
add_service(struct buf *out, const struct top_service *s)
{
	const struct top_receiver *r;
	struct buf deliveries;
	char ratio[16];
	int i;

	buf_init(&deliveries, 0);
	for (i = 0; i < OUTBOX_CHANNEL__MAX; i++) {
		r = &s->receivers[i];
		cli_json_add(&deliveries,
		    CLI_FIELDS(CLI_TEXT("receiver", receivers[i]),
			CLI_INT("waiting", r->waiting),
			CLI_INT("late", r->late), CLI_INT("parked", r->parked),
			CLI_INT("oldest_due_ms", r->lag_ms)));
	}
	snprintf(ratio, sizeof ratio, "%.3f", s->free_ratio);
	cli_json_add(out, CLI_FIELDS(CLI_TEXT("service", s->name),
			      CLI_INT(top_states[0], s->numbers[0]),
			      CLI_INT(top_states[1], s->numbers[1]),
			      CLI_INT(top_states[2], s->numbers[2]),
			      CLI_INT(top_states[3], s->numbers[3]),
			      CLI_VALUE("free_ratio", ratio),
			      CLI_INT("talk_today_s", s->talk_s),
			      CLI_LIST("deliveries", &deliveries)));
	buf_free(&deliveries);
}

static void
print_json(const struct look *l)
{
	struct buf calls, counters, reasons, services;
	int i;

	add_numbers(&calls, CALL_COMPLETED, call_name, call_value, l, false);
	add_numbers(
	    &counters, METRICS__MAX, counter_name, counter_value, l, false);
	add_numbers(&reasons, POLICY__MAX, reason_name, reason_value, l, true);
	buf_init(&services, 0);
	for (i = 0; i < l->top.services_len; i++)
		add_service(&services, &l->top.services[i]);
	cli_json(CLI_FIELDS(CLI_TIME("at", l->now_ms / 1000),
	    CLI_INT("sessions_open", l->top.sessions),
	    CLI_INT("calls_running", running(&l->top)),
	    CLI_VALUE("calls", buf_text(&calls)),
	    CLI_VALUE("counted", buf_text(&counters)),
	    CLI_VALUE("calls_refused_by_reason", buf_text(&reasons)),
	    CLI_BOOL("worker_running", l->worker),
	    CLI_BOOL("database_readable", l->rc == RC_OK),
	    CLI_BOOL("database_writable", l->writable),
	    CLI_INT("database_bytes", l->database_bytes),
	    CLI_INT("log_bytes", l->log_bytes),
	    CLI_LIST("services", &services)));
	buf_free(&calls);
	buf_free(&counters);
	buf_free(&reasons);
	buf_free(&services);
}

/* Prints an object for each interval, until nobody reads them. */
static int
print_objects(struct watch *watch, bool once)
{
	for (;;) {
		look(watch);
		print_json(&watch->look);
		if (fflush(stdout) != 0)
			err(1, "standard output");
		if (once)
			return watch->look.rc == RC_OK ? 0 : 1;
		nanosleep(&(struct timespec){ watch->interval_s, 0 }, NULL);
	}
}

static int
print_once(struct watch *watch)
{
	struct buf text;

	look(watch);
	buf_init(&text, 0);
	write_text(&text, watch, false);
	fputs(buf_text(&text), stdout);
	buf_free(&text);
	return watch->look.rc == RC_OK ? 0 : 1;
}

static int
run(struct watch *watch)
{
	struct cli_screen screen;
	struct buf text;
	bool going;

	if (cli_screen_open(&screen) != 0)
		return 1;
	buf_init(&text, 0);
	do {
		look(watch);
		buf_reset(&text);
		write_text(&text, watch, true);
		going = cli_screen_draw(buf_text(&text)) &&
			cli_screen_wait(&screen, watch->interval_s * 1000);
	} while (going);
	cli_screen_close(&screen);
	buf_free(&text);
	return 0;
}

/* Reads a number of seconds; exits if it is none. */
static int64_t
read_interval(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end == text || *end != '\0' || value < 1 || value > INTERVAL_MAX_S)
		errx(2, "--interval: must be from 1 to %d seconds",
		    INTERVAL_MAX_S);
	return value;
}

int
cli_top(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "interval", required_argument, NULL, 'i' },
		{ "once", no_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	struct watch watch = { .cli = cli, .interval_s = INTERVAL_S };
	bool once = false;
	int c, status;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'i')
			watch.interval_s = read_interval(optarg);
		else if (c == 'o')
			once = true;
		else
			return cli_usage(cli);
	}
	if (optind != argc)
		return cli_usage(cli);
	if (cli->service_name != NULL &&
	    service_find_name(cli->db, &cli->service, cli->service_name) !=
		RC_OK)
		errx(1, "there is no service %s", cli->service_name);
	watch.metrics = metrics_open(cli->conf.metrics);
	read_counts(watch.metrics, &watch.first);
	if (cli->json)
		status = print_objects(&watch, once);
	else if (once || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		status = print_once(&watch);
	else
		status = run(&watch);
	metrics_close(watch.metrics);
	return status;
}
