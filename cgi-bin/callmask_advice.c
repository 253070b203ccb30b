/* callmask route explain, plan: what would be, without doing it. */

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "callmask.h"
#include "plan.h"
#include "timestamp.h"
#include "view.h"

#define DAY_S 86400

int
cli_route_explain(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "from", required_argument, NULL, 'f' },
		{ "to", required_argument, NULL, 't' },
		{ "at", required_argument, NULL, 'a' },
		{ NULL, 0, NULL, 0 },
	};
	struct mask_dialled dialled = {
		.sid = "", .attestation = "", .code = ""
	};
	struct mask mask = cli_mask(cli);
	struct mask_route route;
	struct buf json;
	int64_t at;
	enum rc rc;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'f':
			dialled.from = optarg;
			break;
		case 't':
			dialled.to = optarg;
			break;
		case 'a':
			if (timestamp_parse_rfc3339(&at, optarg) != RC_OK)
				errx(2, "--at: not like 2026-11-22T16:00:00Z");
			mask.now_ms = at * 1000;
			break;
		default:
			return cli_usage(cli);
		}
	}
	if (dialled.from == NULL || dialled.to == NULL || optind != argc)
		return cli_usage(cli);
	if ((rc = mask_route(&mask, &dialled, &route)) != RC_OK)
		return cli_fail(rc, NULL, "route");
	buf_init(&json, 0);
	if (view_route(&json, &route) == RC_OK)
		puts(buf_text(&json));
	buf_free(&json);
	crypto_wipe(&route, sizeof route);
	return 0;
}

/* How needs are printed. */
struct needs {
	bool json;
	int shown;
};

static void
print_need(void *cookie, const struct plan_need *need)
{
	struct needs *needs = cookie;

	needs->shown++;
	if (needs->json) {
		cli_json(CLI_FIELDS(CLI_TEXT("country", need->country),
		    CLI_INT("needed", need->needed),
		    CLI_INT("have", need->have),
		    CLI_INT("people", need->people),
		    CLI_INT("sessions", need->sessions / 2)));
		return;
	}
	printf("%s: %lld number%s needed, %lld there%s  (%lld people in %lld "
	       "sessions)\n",
	    need->country, (long long)need->needed,
	    need->needed == 1 ? "" : "s", (long long)need->have,
	    need->have < need->needed ? ": ADD SOME" : "",
	    (long long)need->people, (long long)need->sessions / 2);
}

static void
print_estimate(
    bool json, int64_t sessions, int64_t busiest, int64_t trip, int64_t hold)
{
	int64_t needed = plan_estimate(sessions, busiest, trip, hold);

	if (json)
		cli_json(CLI_FIELDS(CLI_INT("needed", needed),
		    CLI_INT("sessions_per_day", sessions),
		    CLI_INT("busiest", busiest), CLI_INT("trip_s", trip),
		    CLI_INT("hold_s", hold)));
	else
		printf("%lld numbers needed for %lld sessions a day, %lld of "
		       "them of one person, %lld s each, held for %lld s\n",
		    (long long)needed, (long long)sessions, (long long)busiest,
		    (long long)trip, (long long)hold);
}

/* Reads a positive number; exits if it is none. */
static int64_t
read_positive(const char *name, const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (*end != '\0' || value < 1 || value > 1000000000)
		errx(2, "--%s: not a positive number", name);
	return value;
}

int
cli_plan(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{ "sessions-per-day", required_argument, NULL, 's' },
		{ "busiest", required_argument, NULL, 'b' },
		{ "trip", required_argument, NULL, 't' },
		{ "days", required_argument, NULL, 'd' },
		{ NULL, 0, NULL, 0 },
	};
	int64_t sessions = 0, busiest = 0, days = 30;
	int64_t trip = cli->service.ttl_default_s;
	int64_t hold = cli->service.hold_s;
	struct needs needs = { .json = cli->json };
	enum rc rc;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's':
			sessions = read_positive("sessions-per-day", optarg);
			break;
		case 'b':
			busiest = read_positive("busiest", optarg);
			break;
		case 't':
			trip = read_positive("trip", optarg);
			break;
		case 'd':
			days = read_positive("days", optarg);
			break;
		default:
			return cli_usage(cli);
		}
	}
	if (optind != argc || (sessions == 0) != (busiest == 0))
		return cli_usage(cli);
	if (busiest != 0) {
		print_estimate(cli->json, sessions, busiest, trip, hold);
		return 0;
	}
	rc = plan_history(cli->db, cli->service.id, hold,
	    app_now_ms() / 1000 - days * DAY_S, print_need, &needs);
	if (rc != RC_OK)
		return cli_fail(rc, NULL, "plan");
	if (needs.shown == 0 && !cli->json)
		printf("no sessions in the last %lld days to plan by; say "
		       "--sessions-per-day and --busiest\n",
		    (long long)days);
	return 0;
}
