/* Counters as text, in the format of Prometheus. */

#include "metrics.h"

#include <inttypes.h>
#include <stdio.h>

/* What each counter says. */
static const char *const helps[METRICS__MAX] = {
	[METRICS_CALLS_CONNECTED] = "Calls that were connected.",
	[METRICS_CALLS_REFUSED] =
	    "Calls not connected: refused, asked for a code, put through.",
	[METRICS_CALLS_APOLOGISED] =
	    "Calls not connected for a failure of ours.",
	[METRICS_CALLS_UNRECORDED] = "Calls connected but not written down.",
	[METRICS_WEBHOOKS_FORGED] = "Requests without a right signature.",
	[METRICS_WEBHOOKS_UNKNOWN] = "Callbacks about calls we do not know.",
	[METRICS_KEYS_REFUSED] = "Requests without a right API key.",
	[METRICS_REQUESTS_FAILED] =
	    "Requests not answered for a failure of ours.",
	[METRICS_POOL_LOW] = "Sessions opened that left the pool low.",
	[METRICS_POOL_EXHAUSTED] = "Sessions refused for want of a number.",
	[METRICS_DELIVERIES_DONE] = "Deliveries that arrived.",
	[METRICS_DELIVERIES_FAILED] = "Tries of deliveries that did not.",
	[METRICS_DELIVERIES_PARKED] = "Deliveries given up.",
};

void
metrics_family(
    struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void
metrics_label(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "%s=\"", name);
	for (; *value != '\0'; value++) {
		if (*value == '\n')
			buf_puts(out, "\\n");
		else if (*value == '"' || *value == '\\')
			buf_printf(out, "\\%c", *value);
		else
			buf_add(out, value, 1);
	}
	buf_puts(out, "\"");
}

static void
write_counters(struct buf *out, const struct metrics *metrics)
{
	char name[64];
	int i;

	for (i = 0; i < METRICS__MAX; i++) {
		enum metrics_counter counter = (enum metrics_counter)i;

		snprintf(name, sizeof name, "callmask_%s_total",
		    metrics_name(counter));
		metrics_family(out, name, "counter",
		    helps[i] != NULL ? helps[i] : metrics_name(counter));
		buf_printf(out, "%s %" PRIu64 "\n", name,
		    metrics_value(metrics, counter));
	}
}

/* All of them from the start, also those that have not happened: what appears
 * with the first refusal has no rise. */
static void
write_refusals(struct buf *out, const struct metrics *metrics)
{
	static const char *const kinds[METRICS_REFUSED__MAX] = { "call",
		"text" };
	int kind, i;

	metrics_family(out, "callmask_refusals_total", "counter",
	    "Calls and texts of people that were refused, by reason.");
	for (kind = 0; kind < METRICS_REFUSED__MAX; kind++)
		for (i = POLICY_RELAYED + 1; i < POLICY__MAX; i++)
			buf_printf(out,
			    "callmask_refusals_total{kind=\"%s\",reason=\"%s\"}"
			    " %" PRIu64 "\n",
			    kinds[kind],
			    policy_reason_name((enum policy_reason)i),
			    metrics_refusals(metrics,
				(enum metrics_refused)kind,
				(enum policy_reason)i));
}

#define TOOK "callmask_request_duration_seconds"

/* The count is made of the buckets, so that they agree. */
static void
write_times(
    struct buf *out, const char *program, const struct metrics_times *times)
{
	uint64_t count = 0;
	int i;

	for (i = 0; i < METRICS_BUCKETS - 1; i++) {
		count += times->counts[i];
		buf_printf(out,
		    TOOK "_bucket{program=\"%s\",le=\"%g\"} %" PRIu64 "\n",
		    program, metrics_bounds_ms[i] / 1000.0, count);
	}
	count += times->counts[i];
	buf_printf(out,
	    TOOK "_bucket{program=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", program,
	    count);
	buf_printf(out, TOOK "_sum{program=\"%s\"} %" PRIu64 ".%06" PRIu64 "\n",
	    program, times->sum_us / 1000000, times->sum_us % 1000000);
	buf_printf(
	    out, TOOK "_count{program=\"%s\"} %" PRIu64 "\n", program, count);
}

void
metrics_text(struct buf *out, const struct metrics *metrics)
{
	struct metrics_times times;
	const char *program;
	int i;

	write_counters(out, metrics);
	write_refusals(out, metrics);
	metrics_family(out, TOOK, "histogram",
	    "How long answers took to make, by program.");
	for (i = 0; (program = metrics_program_name(i)) != NULL; i++) {
		metrics_times(metrics, i, &times);
		write_times(out, program, &times);
	}
}
