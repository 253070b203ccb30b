/*
 * callmask top: what GET /v1/overview tells, at a terminal, again and again; of
 * each service in turn.
 */

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
#include "overview.h"
#include "timestamp.h"
#include "view.h"
#include "wake.h"

#define INTERVAL_S 2
#define INTERVAL_MAX_S 3600
/* Services that are told of. */
#define SERVICES_MAX 32
/* Room for what is told of them. */
#define TEXT_MAX ((size_t)4 * 1024 * 1024)
/* Reasons that are shown: those met most often. */
#define REASONS 4

/* What went wrong by a fault of ours, as it is shown. */
static const struct {
	enum metrics_counter counter;
	const char *name;
} faults[] = {
	{ METRICS_CALLS_APOLOGISED, "apologised" },
	{ METRICS_CALLS_UNRECORDED, "unrecorded" },
	{ METRICS_REQUESTS_FAILED, "requests failed" },
};
#define FAULTS ((int)(sizeof faults / sizeof faults[0]))

/* What is watched, and how it is shown. */
struct watch {
	const char *service_name; /* the one to tell of; NULL: all */
	bool json, live;
	int64_t interval_s;
	struct app app;
	uint64_t first[FAULTS]; /* when we began */
	/* A look. */
	struct overview overview; /* of one service after the other */
	struct buf out;           /* what there is to show */
	bool more;                /* services that are not told of */
};

/* Returns the bytes of the database, or of a file beside it; 0 if there is
 * none. */
static int64_t
bytes_of(const struct watch *watch, const char *kind)
{
	char path[sizeof watch->app.conf.database + 8];
	struct stat st;

	snprintf(path, sizeof path, "%s%s", watch->app.conf.database, kind);
	return stat(path, &st) == 0 ? st.st_size : 0;
}

/* Writes how often each fault was counted, and how much that has risen since we
 * began. */
static void
write_faults(struct watch *watch)
{
	const char *before = "Faults     ";
	uint64_t now;
	int i;

	for (i = 0; i < FAULTS; i++) {
		now = metrics_value(watch->app.metrics, faults[i].counter);
		buf_printf(&watch->out, "%s%" PRIu64, before, now);
		if (now != watch->first[i])
			buf_printf(&watch->out, " (+%" PRIu64 ")",
			    now - watch->first[i]);
		buf_printf(&watch->out, " %s", faults[i].name);
		before = ", ";
	}
	buf_puts(&watch->out, "\n");
}

static void
write_head(struct watch *watch, const struct app_health *health)
{
	struct buf *out = &watch->out;
	char at[TIMESTAMP_SIZE];

	buf_printf(
	    out, "callmask   %s", timestamp_format(at, app_now_ms() / 1000));
	if (watch->live)
		buf_printf(
		    out, "  every %" PRId64 " s, q ends", watch->interval_s);
	buf_printf(out, "\n\nWorker     %s\n",
	    health->worker ? "running" : "NOT RUNNING");
	buf_printf(out, "Database   %s, %.1f MB, log %.1f MB\n",
	    health->database ? "can be written" : "CANNOT BE USED",
	    (double)bytes_of(watch, "") / 1e6,
	    (double)bytes_of(watch, "-wal") / 1e6);
	if (health->trouble != NULL)
		buf_printf(out, "Trouble    %s\n", health->trouble);
	write_faults(watch);
}

/* Writes the details of what was counted that were met most often. */
static void
write_reasons(struct buf *out, const struct overview *o, enum tally_what what,
    const char *before)
{
	bool told[OVERVIEW_REASONS_MAX] = { false };
	int i, most, n;

	for (n = 0; n < REASONS; n++) {
		for (most = -1, i = 0; i < o->reasons_len; i++)
			if (!told[i] && o->reasons[i].what == what &&
			    (most < 0 ||
				o->reasons[i].count > o->reasons[most].count))
				most = i;
		if (most < 0)
			break;
		told[most] = true;
		buf_printf(out, "%s%s %" PRId64, before,
		    o->reasons[most].detail, o->reasons[most].count);
		before = ", ";
	}
	buf_puts(out, n != 0 ? "\n" : "");
}

static void
write_traffic(struct buf *out, const struct overview *o)
{
	buf_printf(out,
	    "Calls      %" PRId64 " now; today %" PRId64 " answered, %" PRId64
	    " missed, %" PRId64 " refused, %" PRId64 " failed\n",
	    o->calls_now, o->today[TALLY_CALLS_ANSWERED],
	    o->today[TALLY_CALLS_MISSED], o->today[TALLY_CALLS_REFUSED],
	    o->today[TALLY_CALLS_FAILED]);
	write_reasons(out, o, TALLY_CALLS_MISSED, "  missed   ");
	write_reasons(out, o, TALLY_CALLS_REFUSED, "  refused  ");
	buf_printf(out,
	    "Texts      today %" PRId64 " relayed, %" PRId64 " refused\n",
	    o->today[TALLY_TEXTS_RELAYED], o->today[TALLY_TEXTS_REFUSED]);
	write_reasons(out, o, TALLY_TEXTS_REFUSED, "  refused  ");
}

static void
write_numbers(struct buf *out, const struct overview_country *c)
{
	const char *before = " ";
	int i;

	buf_puts(out, c->country);
	for (i = 0; i < OVERVIEW_STATE__MAX; i++) {
		if (c->counts[i] == 0)
			continue;
		buf_printf(out, "%s%" PRId64 " %s", before, c->counts[i],
		    overview_state_name((enum overview_state)i));
		before = ", ";
	}
}

static void
write_pool(struct buf *out, const struct overview *o)
{
	int i;

	buf_puts(out, "Numbers    ");
	for (i = 0; i < o->countries_len; i++) {
		buf_puts(out, i != 0 ? "; " : "");
		write_numbers(out, &o->countries[i]);
	}
	buf_puts(out, o->countries_len != 0 ? "\n" : "none\n");
	if (!o->met)
		buf_puts(out, "Pool       nobody has met yet");
	else
		buf_printf(out, "Pool       %d %% free", (int)(100 * o->free));
	if (o->days_left >= 0)
		buf_printf(out, ", %d day%s left", o->days_left,
		    o->days_left == 1 ? "" : "s");
	buf_puts(out, "\n");
}

static void
write_deliveries(struct buf *out, const struct overview *o)
{
	const char *before = "Deliveries ";
	int i;

	for (i = 0; i < OUTBOX_CHANNEL__MAX; i++) {
		buf_printf(out, "%s%" PRId64 " to %s", before, o->waiting[i],
		    overview_channel_name((enum outbox_channel)i));
		if (o->late_ms[i] >= 1000)
			buf_printf(
			    out, " (%" PRId64 " s late)", o->late_ms[i] / 1000);
		before = ", ";
	}
	buf_printf(out, ", %" PRId64 " given up\n", o->parked);
}

static void
write_service(struct buf *out, const char *name, const struct overview *o)
{
	buf_printf(out, "\nService    %s\n", name);
	buf_printf(out, "Sessions   %" PRId64 "%s open\n", o->sessions_open,
	    o->sessions_open >= OVERVIEW_SESSIONS_MAX ? " or more" : "");
	write_traffic(out, o);
	write_pool(out, o);
	write_deliveries(out, o);
}

/* Writes how a service stands, as text or as what the API tells. */
static enum rc
add_service(struct watch *watch, const struct app_health *health,
    const char *id, const char *name)
{
	const struct view_health said = { .database = health->database,
		.worker = health->worker,
		.trouble = health->trouble,
		.metrics = watch->app.metrics };
	enum rc rc;

	rc = overview_read(watch->app.db, id, app_now_ms(), &watch->overview);
	if (rc != RC_OK)
		return rc;
	if (watch->json) {
		rc = view_overview(&watch->out, name, &watch->overview, &said);
		buf_puts(&watch->out, "\n");
	} else {
		write_service(&watch->out, name, &watch->overview);
	}
	return rc;
}

static enum rc
add_services(struct watch *watch, const struct app_health *health)
{
	char id[ID_SIZE] = "", name[64];
	enum rc rc;
	int n = 0;

	if (watch->app.db == NULL)
		return RC_UNAVAILABLE;
	while ((rc = metrics_next_service(watch->app.db, id, name)) == RC_OK) {
		if (watch->service_name != NULL &&
		    strcmp(name, watch->service_name) != 0)
			continue;
		if ((watch->more = n++ == SERVICES_MAX))
			return RC_OK;
		if ((rc = add_service(watch, health, id, name)) != RC_OK)
			return rc;
	}
	return rc == RC_NONE ? RC_OK : rc;
}

/* Looks at everything and writes it to watch->out. */
static enum rc
look(struct watch *watch)
{
	struct app_health health;
	enum rc rc;

	app_health(&watch->app, &health);
	watch->more = false;
	buf_reset(&watch->out);
	if (!watch->json)
		write_head(watch, &health);
	rc = add_services(watch, &health);
	if (watch->json)
		return rc;
	if (rc != RC_OK)
		buf_printf(&watch->out, "\nthe database cannot be read: %s\n",
		    rc_name(rc));
	else if (watch->more)
		buf_puts(&watch->out, "\nand others; say -s NAME\n");
	return rc;
}

/* Prints an object of each service for each interval, until nobody reads
 * them. */
static int
print_objects(struct watch *watch, bool once)
{
	enum rc rc;

	for (;;) {
		rc = look(watch);
		fputs(buf_text(&watch->out), stdout);
		if (fflush(stdout) != 0)
			err(1, "standard output");
		if (rc != RC_OK)
			warnx("the database cannot be read: %s", rc_name(rc));
		else if (watch->more)
			warnx("there are more than %d services; say -s NAME",
			    SERVICES_MAX);
		if (once)
			return rc == RC_OK ? 0 : 1;
		nanosleep(&(struct timespec){ watch->interval_s, 0 }, NULL);
	}
}

static int
print_once(struct watch *watch)
{
	enum rc rc = look(watch);

	fputs(buf_text(&watch->out), stdout);
	return rc == RC_OK ? 0 : 1;
}

static int
run(struct watch *watch)
{
	struct cli_screen screen;
	bool going;

	if (cli_screen_open(&screen) != 0)
		return 1;
	watch->live = true;
	do {
		look(watch);
		going = cli_screen_draw(buf_text(&watch->out)) &&
			cli_screen_wait(&screen, watch->interval_s * 1000);
	} while (going);
	cli_screen_close(&screen);
	return 0;
}

/* Takes what the tool has opened: from now on it may go and come back, as for
 * any program of the installation. */
static void
open_watch(struct watch *watch, struct cli *cli)
{
	struct app *app = &watch->app;
	int i;

	*app = (struct app){ .conf = cli->conf,
		.metrics = metrics_open(cli->conf.metrics),
		.secrets = cli->secrets,
		.db = cli->db };
	cli->db = NULL;
	wake_path(app->wake, sizeof app->wake, app->conf.database);
	for (i = 0; i < FAULTS; i++)
		watch->first[i] =
		    metrics_value(app->metrics, faults[i].counter);
	buf_init(&watch->out, TEXT_MAX);
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
	struct watch watch = { .service_name = cli->service_name,
		.json = cli->json,
		.interval_s = INTERVAL_S };
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
	open_watch(&watch, cli);
	if (cli->json)
		status = print_objects(&watch, once);
	else if (once || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		status = print_once(&watch);
	else
		status = run(&watch);
	app_close(&watch.app);
	buf_free(&watch.out);
	return status;
}
