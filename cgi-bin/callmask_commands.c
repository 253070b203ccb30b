/*
 * The commands of callmask: a table, from which help, completion and dispatch
 * are made. callmask(1) says more about each; tests/scenario/test_32_cli.py
 * holds it against this.
 */

#include "callmask.h"

const struct command cli_commands[] = {
	{ .help = "The installation" },
	{ "init", NULL, CLI_NEEDS_CONF, 0, cli_init,
	    "--service name --countries US,CA [--setting value …]",
	    "make keys, database, a service and its admin key" },
	{ "migrate", NULL, CLI_NEEDS_CONF, 0, cli_migrate, "",
	    "bring the database to this version" },
	{ "doctor", NULL, CLI_NEEDS_CONF, CLI_JSON, cli_doctor, "[--offline]",
	    "look for what would keep a call from being connected" },
	{ "completion", "bash", CLI_NEEDS_NOTHING, 0, cli_completion, "",
	    "print what makes bash complete these commands" },

	{ .help = "Services and their API keys" },
	{ "service", "show", CLI_NEEDS_SERVICE, CLI_JSON, cli_service_show, "",
	    "show the settings of the service" },
	{ "service", "set", CLI_NEEDS_SERVICE, 0, cli_service_set,
	    "setting=value …", "change settings of the service" },
	{ "key", "add", CLI_NEEDS_SERVICE, 0, cli_key_add,
	    "[--role app|admin] --name name",
	    "make an API key and show it, once" },
	{ "key", "list", CLI_NEEDS_SERVICE, CLI_JSON, cli_key_list, "",
	    "show the API keys" },
	{ "key", "revoke", CLI_NEEDS_SERVICE, 0, cli_key_revoke, "key_…",
	    "make an API key worthless" },

	{ .help = "Masked numbers" },
	{ "number", "add", CLI_NEEDS_SERVICE, 0, cli_number_add,
	    "+12025550199 …", "put masked numbers into the pool" },
	{ "number", "list", CLI_NEEDS_SERVICE, CLI_JSON, cli_number_list, "",
	    "show the masked numbers and their use" },
	{ "number", "set", CLI_NEEDS_SERVICE, 0, cli_number_set,
	    "active|reserved|draining|retired +1… …",
	    "reserve, drain, retire or reactivate masked numbers" },
	{ "number", "sync", CLI_NEEDS_SERVICE, CLI_JSON, cli_number_sync,
	    "[--apply [--take-over]]",
	    "compare the masked numbers with Twilio, and set them there" },
	{ "number", "search", CLI_NEEDS_SERVICE, CLI_JSON, cli_number_search,
	    "--country US [--area-code 202] [--contains 55*] [--mobile] "
	    "[--limit n]",
	    "look for numbers that Twilio sells" },
	{ "number", "buy", CLI_NEEDS_SERVICE, 0, cli_number_buy,
	    "[--yes] +1… …\n"
	    "[--yes] --country US [--area-code 202] [--contains 55*] "
	    "[--mobile] --count n",
	    "buy numbers, set them and put them into the pool" },
	{ "number", "release", CLI_NEEDS_SERVICE, 0, cli_number_release,
	    "[--yes] +1… …",
	    "give numbers that nobody has or holds back to Twilio" },
	{ "plan", NULL, CLI_NEEDS_SERVICE, CLI_JSON, cli_plan,
	    "[--days n]\n"
	    "--sessions-per-day n --busiest n [--trip seconds]",
	    "say how many masked numbers the service needs" },

	{ .help = "Sessions" },
	{ "session", "list", CLI_NEEDS_SERVICE, CLI_JSON, cli_session_list,
	    "[open|lingering|closed|expired]", "show the newest sessions" },
	{ "session", "show", CLI_NEEDS_SERVICE, CLI_JSON, cli_session_show,
	    "ses_…", "show a session and what passed through it" },
	{ "session", "close", CLI_NEEDS_SERVICE, CLI_JSON, cli_session_close,
	    "ses_…", "close a session" },
	{ "route", "explain", CLI_NEEDS_SERVICE, CLI_JSON, cli_route_explain,
	    "--from number --to +1… [--at time]",
	    "say what would happen to a call, without placing one" },
	{ "erase", "session", CLI_NEEDS_SERVICE, CLI_JSON, cli_erase_session,
	    "ses_…",
	    "forget a session, here and at Twilio; prints the receipt" },
	{ "erase", "person", CLI_NEEDS_SERVICE, CLI_JSON, cli_erase_person,
	    "+1…|-", "forget all sessions of a person, by the real number" },
	{ "erase", "show", CLI_NEEDS_SERVICE, CLI_JSON, cli_erase_show, "era_…",
	    "show what of an erasure is done" },

	{ .help = "Deliveries, to the app and to Twilio" },
	{ "webhook", "show", CLI_NEEDS_SERVICE, CLI_JSON, cli_webhook_show, "",
	    "show where events go and what signs them" },
	{ "webhook", "rotate", CLI_NEEDS_SERVICE, 0, cli_webhook_rotate,
	    "[--keep seconds]",
	    "make a new secret for events and show it, once" },
	{ "webhook", "test", CLI_NEEDS_SERVICE, 0, cli_webhook_test, "",
	    "send the app an event to try" },
	{ "outbox", "list", CLI_NEEDS_SERVICE, CLI_JSON, cli_outbox_list,
	    "[waiting|done|parked]",
	    "show what waits to be delivered and what is given up" },
	{ "outbox", "show", CLI_NEEDS_SERVICE, CLI_JSON, cli_outbox_show,
	    "dlv_…", "show the tries of a delivery" },
	{ "outbox", "retry", CLI_NEEDS_SERVICE, 0, cli_outbox_retry,
	    "dlv_…|all", "try anew what was given up" },

	{ .help = NULL },
};
