/*
 * callmask doctor: what would keep a call from being connected. What needs no
 * network is looked at first and printed at once; then Twilio and our own
 * public URL are asked, as an operator would by hand.
 */

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "callmask.h"
#include "metrics.h"
#include "outbox.h"
#include "timestamp.h"
#include "wake.h"

/* How long something may wait in the outbox before it is late. */
#define LATE_MS 60000

/* How far our clock and Twilio's may be apart. */
#define CLOCK_S 30

#define SOCKETS "/run/callmask"

/* Findings of doctor: how many failed. */
struct checkup {
	int failed;
	bool json;
};

static void __attribute__((format(printf, 3, 4)))
found(struct checkup *checkup, const char *kind, const char *format, ...)
{
	char words[700];
	va_list ap;

	if (strcmp(kind, "FAIL") == 0)
		checkup->failed++;
	va_start(ap, format);
	vsnprintf(words, sizeof words, format, ap);
	va_end(ap);
	if (checkup->json)
		cli_json(CLI_FIELDS(
		    CLI_TEXT("result", kind), CLI_TEXT("finding", words)));
	else
		printf("%-5s%s\n", kind, words);
}

static void
check_secrets(struct cli *cli, struct checkup *checkup)
{
	char error[CONF_ERROR_SIZE];
	const struct secrets *s = &cli->secrets;

	if (conf_load_secrets(&cli->secrets, cli->conf.secrets, error) !=
	    RC_OK) {
		found(checkup, "FAIL", "%s", error);
		return;
	}
	found(checkup, "ok", "%s: readable by us, not by others",
	    cli->conf.secrets);
	if (s->keys.sealing_len == 0)
		found(checkup, "FAIL", "no sealing keys: run callmask init");
	if (s->account_sid[0] == '\0')
		found(checkup, "warn", "twilio_account_sid is not set");
	if (s->tokens_len == 0)
		found(checkup, "FAIL",
		    "twilio_auth_tokens is not set: every webhook is refused");
	else
		found(checkup, "ok", "%zu Twilio auth token%s", s->tokens_len,
		    s->tokens_len == 1 ? "" : "s");
}

static void
count_numbers(void *cookie, const struct number *number)
{
	int *active = cookie;

	if (strcmp(number->state, "active") == 0)
		++*active;
}

static void
check_database(struct cli *cli, struct checkup *checkup)
{
	struct service *service = &cli->service;
	int active = 0;

	if (db_open(&cli->db, cli->conf.database, DB_USE) != RC_OK) {
		found(checkup, "FAIL", "%s cannot be used (see above)",
		    cli->conf.database);
		return;
	}
	found(checkup, "ok", "%s: schema version %d", cli->conf.database,
	    SQL_VERSION);
	found(checkup, "ok", "%s", db_engine(cli->db));
	if (db_can_write(cli->db, DB_WAIT_MS))
		found(checkup, "ok", "the database can be written");
	else
		found(checkup, "FAIL", "the database cannot be written");
	if (service_find_name(cli->db, service, cli->service_name) != RC_OK) {
		found(checkup, cli->service_name != NULL ? "FAIL" : "skip",
		    "numbers: there is not exactly one service%s; say -s NAME",
		    cli->service_name != NULL ? " of this name" : "");
		return;
	}
	number_list(
	    cli->db, service->id, app_now_ms() / 1000, count_numbers, &active);
	found(checkup, active > 0 ? "ok" : "FAIL",
	    "service %s: %d active masked number%s", service->name, active,
	    active == 1 ? "" : "s");
}

/* Finds fault with a file of root's, if the folder of the database is somebody
 * else's: as whom the programs run. Returns whether it did. */
static bool
is_of_root(struct checkup *checkup, const char *path, const struct stat *folder)
{
	struct stat file;

	if (folder->st_uid == 0 || stat(path, &file) != 0 || file.st_uid != 0)
		return false;
	found(checkup, "FAIL", "%s belongs to root: chown %u %s", path,
	    (unsigned)folder->st_uid, path);
	return true;
}

static void
check_owner(struct cli *cli, struct checkup *checkup)
{
	static const char *const kinds[] = { "", "-lock", "-wal", "-shm",
		"-wake" };
	const char *database = cli->conf.database;
	char path[sizeof cli->conf.database + 8];
	struct stat folder;
	size_t i;
	int wrong = 0;

	snprintf(path, sizeof path, "%.*s",
	    (int)(strrchr(database, '/') + 1 - database), database);
	if (stat(path, &folder) != 0)
		return;
	for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		snprintf(path, sizeof path, "%s%s", database, kinds[i]);
		wrong += is_of_root(checkup, path, &folder);
	}
	wrong += is_of_root(checkup, cli->conf.metrics, &folder);
	if (wrong == 0)
		found(checkup, "ok", "the programs own their files");
}

/* SQLite's locks and shared memory do not hold between machines, and on network
 * disks often not on one (sqlite.org/wal.html). */
static void
check_disk(struct cli *cli, struct checkup *checkup)
{
	static const struct {
		unsigned type; /* statfs(2) */
		const char *name;
	} network[] = {
		{ 0x6969, "NFS" },
		{ 0xff534d42, "CIFS" },
		{ 0xfe534d42, "SMB" },
		{ 0x517b, "SMB" },
		{ 0x00c36400, "Ceph" },
		{ 0x01021997, "9P" },
		{ 0x5346414f, "AFS" },
		{ 0x73757245, "Coda" },
	};
	struct statfs disk;
	size_t i;

	if (statfs(cli->conf.database, &disk) != 0)
		return;
	for (i = 0; i < sizeof network / sizeof network[0]; i++) {
		if ((unsigned)disk.f_type != network[i].type)
			continue;
		found(checkup, "FAIL",
		    "%s is on a network disk (%s): SQLite needs a local one",
		    cli->conf.database, network[i].name);
		return;
	}
	found(checkup, "ok", "the database is on a local disk");
}

/* Returns whether somebody listens at the socket of a program. */
static bool
listens(const char *folder, const char *program)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	bool yes;
	int fd;

	if ((size_t)snprintf(name.sun_path, sizeof name.sun_path, "%s/%s.sock",
		folder, program) >= sizeof name.sun_path ||
	    (fd = socket(
		 AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) < 0)
		return false;
	/* Whoever may not connect, or has to wait, has found somebody. */
	yes = connect(fd, (struct sockaddr *)&name, sizeof name) == 0 ||
	      errno == EACCES || errno == EAGAIN;
	close(fd);
	return yes;
}

/* Looks whether nginx finds the programs. */
static void
check_sockets(struct checkup *checkup, const char *folder)
{
	const char *program;
	int i, here = 0, missing = 0;

	if (access(folder, F_OK) != 0) {
		found(checkup, "skip", "there is no %s: say --sockets", folder);
		return;
	}
	for (i = 1; (program = metrics_program_name(i)) != NULL; i++)
		here += listens(folder, program);
	if (here == 0) {
		found(checkup, "warn",
		    "no program listens in %s: systemctl enable --now "
		    "callmask.target",
		    folder);
		return;
	}
	for (i = 1; (program = metrics_program_name(i)) != NULL; i++) {
		if (listens(folder, program))
			continue;
		missing++;
		found(checkup, "FAIL",
		    "%s does not listen in %s: systemctl status callmask@%s",
		    program, folder, program);
	}
	if (missing == 0)
		found(checkup, "ok", "%d programs listen in %s", here, folder);
}

static void
check_counters(struct cli *cli, struct checkup *checkup)
{
	static const enum metrics_counter troubles[] = {
		METRICS_CALLS_APOLOGISED,
		METRICS_CALLS_UNRECORDED,
		METRICS_WEBHOOKS_FORGED,
		METRICS_REQUESTS_FAILED,
		METRICS_POOL_EXHAUSTED,
		METRICS_DELIVERIES_PARKED,
	};
	struct metrics *metrics = metrics_open(cli->conf.metrics);
	uint64_t value;
	size_t i;

	for (i = 0; i < sizeof troubles / sizeof troubles[0]; i++) {
		value = metrics_value(metrics, troubles[i]);
		found(checkup, value == 0 ? "ok" : "warn", "%s: %llu",
		    metrics_name(troubles[i]), (unsigned long long)value);
	}
	metrics_close(metrics);
}

/* Looks whether what must leave does. */
static void
check_outbox(struct cli *cli, struct checkup *checkup)
{
	struct outbox_backlog backlog;
	char path[300], since[TIMESTAMP_SIZE];
	int64_t now_ms = app_now_ms();
	bool awake;

	if (cli->db == NULL ||
	    outbox_backlog(cli->db, &backlog, now_ms - LATE_MS) != RC_OK)
		return;
	wake_path(path, sizeof path, cli->conf.database);
	awake = wake_heard(path);
	found(checkup,
	    awake                  ? "ok"
	    : backlog.waiting != 0 ? "FAIL"
				   : "warn",
	    "outboxd is %srunning; %lld deliver%s waiting", awake ? "" : "not ",
	    (long long)backlog.waiting,
	    backlog.waiting == 1 ? "y is" : "ies are");
	if (backlog.oldest_ms != 0)
		found(checkup, "warn",
		    "deliveries are late; the oldest waits since %s",
		    timestamp_format(since, backlog.oldest_ms / 1000));
	if (backlog.parked != 0)
		found(checkup, "warn",
		    "%lld deliver%s given up: callmask outbox list",
		    (long long)backlog.parked,
		    backlog.parked == 1 ? "y was" : "ies were");
}

/* Compares the pool with what the account has. */
static void
check_numbers(struct cli_twilio *twilio, struct checkup *checkup)
{
	const struct cli *cli = twilio->cli;
	struct twilio_number wanted;
	struct cli_pool pool;
	size_t i, wrong = 0;

	if (cli_pool_read(twilio, &pool) != 0) {
		/* No network is no finding about the account. */
		found(checkup, twilio->status == 0 ? "warn" : "FAIL",
		    "numbers at Twilio: %s", pool.why);
		goto out;
	}
	twilio_number_wanted(&wanted, &cli->conf);
	for (i = 0; i < pool.len; i++)
		wrong += !cli_member_right(&pool.members[i], &wanted);
	if (wrong == 0)
		found(checkup, "ok", "%zu number%s right at Twilio", pool.len,
		    pool.len == 1 ? " is" : "s are");
	else
		found(checkup, "FAIL",
		    "%zu of %zu numbers not right at Twilio: "
		    "callmask number sync",
		    wrong, pool.len);
	if (pool.strangers.len != 0)
		found(checkup, "ok", "%zu numbers of the account in no pool",
		    pool.strangers.len / PHONE_SIZE);
out:
	cli_pool_free(&pool);
}

/* Asks how the account is. Not every API key may see that. */
static void
check_account(struct cli_twilio *twilio, struct checkup *checkup)
{
	const struct cli *cli = twilio->cli;
	struct twilio_rest rest;
	char path[80], why[300];

	snprintf(path, sizeof path, "/2010-04-01/Accounts/%s.json",
	    cli->secrets.account_sid);
	twilio_rest_begin(&rest, &cli->conf, &cli->secrets, "GET", path);
	if (cli_twilio_ask(twilio, &rest) == TWILIO_YES) {
		found(checkup,
		    strcmp(twilio->reply.status, "active") == 0 ? "ok" : "FAIL",
		    "the Twilio account is %s",
		    twilio->reply.status[0] != '\0' ? twilio->reply.status
						    : "in no known state");
		return;
	}
	cli_twilio_why(twilio, why, sizeof why);
	if (cli->secrets.api_key[0] != '\0')
		found(checkup, "skip",
		    "the state of the account is not for our API key to see");
	else
		found(checkup, twilio->status == 0 ? "warn" : "FAIL",
		    "account: %s", why);
}

static void
keep_answer(void *cookie, const struct http_answer *answer)
{
	struct cli_twilio *twilio = cookie;

	twilio->status = answer->status;
	snprintf(twilio->error, sizeof twilio->error, "%s", answer->error);
}

/* Calls the API as Twilio and the app do, without a key: only we say 401. */
static void
check_public_url(struct cli_twilio *twilio, struct checkup *checkup)
{
	const char *base = twilio->cli->conf.public_url;
	char url[300];

	snprintf(url, sizeof url, "%s/v1/sessions", base);
	if (http_ask(twilio->http,
		&(struct http_request){ .method = "GET", .url = url },
		keep_answer, twilio) != RC_OK)
		return;
	if (twilio->status == 401)
		found(checkup, "ok", "%s answers", base);
	else if (twilio->status == 0)
		found(checkup, "warn", "%s cannot be reached from here: %s",
		    base, twilio->error);
	else
		found(checkup, "FAIL",
		    "%s answers with %d where we say 401: does its server in "
		    "nginx include snippets/callmask-locations*.conf, and do "
		    "the programs run?",
		    base, twilio->status);
}

/* Sessions end, and signatures of events are taken, by the clock. */
static void
check_clock(const struct cli_twilio *twilio, struct checkup *checkup)
{
	int64_t ahead = app_now_ms() / 1000 - twilio->date_s;

	if (twilio->date_s == 0)
		return;
	if (ahead > CLOCK_S || ahead < -CLOCK_S)
		found(checkup, "FAIL",
		    "our clock is %lld seconds %s Twilio's: timedatectl",
		    (long long)(ahead > 0 ? ahead : -ahead),
		    ahead > 0 ? "ahead of" : "behind");
	else
		found(checkup, "ok", "our clock and Twilio's agree");
}

/* Asks those outside. */
static void
check_outside(struct cli *cli, struct checkup *checkup)
{
	struct cli_twilio twilio;

	fflush(stdout);
	if (cli_twilio_open(&twilio, cli) == 0) {
		if (cli->service.id[0] != '\0')
			check_numbers(&twilio, checkup);
		if (twilio.status != 0 || cli->service.id[0] == '\0')
			check_account(&twilio, checkup);
		check_clock(&twilio, checkup);
		check_public_url(&twilio, checkup);
	} else {
		found(checkup, "skip", "Twilio is not asked");
	}
	cli_twilio_close(&twilio);
}

int
cli_doctor(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "offline", no_argument, NULL, 'o' },
		{ "sockets", required_argument, NULL, 's' },
		{ NULL, 0, NULL, 0 },
	};
	struct checkup checkup = { .json = cli->json };
	const char *sockets = SOCKETS;
	bool offline = false;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'o')
			offline = true;
		else if (c == 's')
			sockets = optarg;
		else
			return cli_usage(cli);
	}
	if (optind != argc)
		return cli_usage(cli);
	found(&checkup, "ok", "%s: every line understood", cli->conf_path);
	if (strncmp(cli->conf.public_url, "https://", 8) == 0)
		found(&checkup, "ok", "public_url %s", cli->conf.public_url);
	else
		found(&checkup, "warn",
		    "public_url %s: without TLS numbers travel in the open",
		    cli->conf.public_url);
	check_secrets(cli, &checkup);
	check_owner(cli, &checkup);
	check_disk(cli, &checkup);
	check_database(cli, &checkup);
	check_sockets(&checkup, sockets);
	check_counters(cli, &checkup);
	check_outbox(cli, &checkup);
	if (offline)
		found(&checkup, "skip",
		    "Twilio and public_url are not asked: --offline");
	else
		check_outside(cli, &checkup);
	return checkup.failed == 0 ? 0 : 1;
}
