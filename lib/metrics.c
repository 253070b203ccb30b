/* Counters shared by all processes. */

#include "metrics.h"

#include <sys/mman.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

/* The places in the file: where the refusals begin and how many each kind has,
 * the same of the programs' times. Counters have what is before. */
#define REFUSALS 128
#define REFUSALS_EACH 64
#define TIMES 256
#define TIMES_EACH 16

struct metrics {
	_Atomic uint64_t *slots; /* of the file, or of own */
	_Atomic uint64_t own[METRICS_SLOTS];
};

/* Used where there is no memory for another. */
static struct metrics spare = { .slots = spare.own };

static const char *const names[METRICS__MAX] = {
	[METRICS_CALLS_CONNECTED] = "calls_connected",
	[METRICS_CALLS_REFUSED] = "calls_refused",
	[METRICS_CALLS_APOLOGISED] = "calls_apologised",
	[METRICS_CALLS_UNRECORDED] = "calls_unrecorded",
	[METRICS_WEBHOOKS_FORGED] = "webhooks_forged",
	[METRICS_WEBHOOKS_UNKNOWN] = "webhooks_unknown",
	[METRICS_KEYS_REFUSED] = "keys_refused",
	[METRICS_REQUESTS_FAILED] = "requests_failed",
	[METRICS_POOL_LOW] = "pool_low",
	[METRICS_POOL_EXHAUSTED] = "pool_exhausted",
	[METRICS_DELIVERIES_DONE] = "deliveries_done",
	[METRICS_DELIVERIES_FAILED] = "deliveries_failed",
	[METRICS_DELIVERIES_PARKED] = "deliveries_parked",
};

/* Whose times are kept. Places are for good: append, never reorder. */
static const char *const programs[] = { "other", "voice-inbound", "voice-code",
	"voice-screen", "voice-placed", "voice-ended", "status-callback",
	"message-inbound", "message-status", "session-create", "session-get",
	"session-update", "session-intent", "session-call", "session-message",
	"session-close", "routes", "events", "metrics", "recording-callback",
	"recording", "admin" };

#define PROGRAMS ((int)(sizeof programs / sizeof programs[0]))

const int metrics_bounds_ms[METRICS_BUCKETS - 1] = { 1, 2, 5, 10, 20, 50, 100,
	200, 500, 1000, 2000, 5000 };

_Static_assert(METRICS__MAX <= REFUSALS, "counters have no room");
_Static_assert(POLICY__MAX <= REFUSALS_EACH, "reasons have no room");
_Static_assert(
    REFUSALS + METRICS_REFUSED__MAX * REFUSALS_EACH <= TIMES, "nor kinds");
_Static_assert(METRICS_BUCKETS + 1 <= TIMES_EACH, "nor buckets");
_Static_assert(
    TIMES + sizeof programs / sizeof programs[0] * TIMES_EACH <= METRICS_SLOTS,
    "nor programs");

/* Maps the file; NULL, with errno set, if it cannot. */
static void *
map(const char *path)
{
	const size_t size = METRICS_SLOTS * sizeof(uint64_t);
	void *slots = MAP_FAILED;
	int fd;

	if ((fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0660)) < 0)
		return NULL;
	/* Really allocated: a hole on a full disk would kill us when written.
	 * Grows a file of an older version, never shrinks one. */
	if ((errno = posix_fallocate(fd, 0, (off_t)size)) == 0)
		slots =
		    mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return slots != MAP_FAILED ? slots : NULL;
}

struct metrics *
metrics_open(const char *path)
{
	struct metrics *metrics;

	if ((metrics = calloc(1, sizeof *metrics)) == NULL)
		return &spare;
	if ((metrics->slots = map(path)) == NULL) {
		log_warn("metrics_private", "%s: %s; counting for myself", path,
		    strerror(errno));
		metrics->slots = metrics->own;
	}
	return metrics;
}

void
metrics_close(struct metrics *metrics)
{
	if (metrics == NULL || metrics == &spare)
		return;
	if (metrics->slots != metrics->own)
		munmap(
		    (void *)metrics->slots, METRICS_SLOTS * sizeof(uint64_t));
	free(metrics);
}

void
metrics_count(struct metrics *metrics, enum metrics_counter counter)
{
	if (metrics != NULL)
		atomic_fetch_add(&metrics->slots[counter], 1);
}

uint64_t
metrics_value(const struct metrics *metrics, enum metrics_counter counter)
{
	return atomic_load(&metrics->slots[counter]);
}

/* The place of a refusal. */
static size_t
refusal(enum metrics_refused what, enum policy_reason reason)
{
	return REFUSALS + (size_t)what * REFUSALS_EACH + (size_t)reason;
}

void
metrics_refuse(struct metrics *metrics, enum metrics_refused what,
    enum policy_reason reason)
{
	if (metrics != NULL)
		atomic_fetch_add(&metrics->slots[refusal(what, reason)], 1);
}

uint64_t
metrics_refusals(const struct metrics *metrics, enum metrics_refused what,
    enum policy_reason reason)
{
	return atomic_load(&metrics->slots[refusal(what, reason)]);
}

int
metrics_program(const char *name)
{
	int i;

	for (i = 1; i < PROGRAMS; i++)
		if (strcmp(programs[i], name) == 0)
			return i;
	return 0;
}

const char *
metrics_program_name(int program)
{
	return program < PROGRAMS ? programs[program] : NULL;
}

void
metrics_observe(struct metrics *metrics, int program, int64_t took_us)
{
	_Atomic uint64_t *slots;
	int i = 0;

	if (metrics == NULL)
		return;
	slots = metrics->slots + TIMES + program * TIMES_EACH;
	while (i < METRICS_BUCKETS - 1 &&
	       took_us > metrics_bounds_ms[i] * INT64_C(1000))
		i++;
	atomic_fetch_add(&slots[i], 1);
	atomic_fetch_add(&slots[METRICS_BUCKETS], (uint64_t)took_us);
}

void
metrics_times(
    const struct metrics *metrics, int program, struct metrics_times *times)
{
	const _Atomic uint64_t *slots =
	    metrics->slots + TIMES + program * TIMES_EACH;
	int i;

	for (i = 0; i < METRICS_BUCKETS; i++)
		times->counts[i] = atomic_load(&slots[i]);
	times->sum_us = atomic_load(&slots[METRICS_BUCKETS]);
}

const char *
metrics_name(enum metrics_counter counter)
{
	return names[counter];
}
