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

struct metrics {
	_Atomic uint64_t *slots; /* of the file, or of own */
	_Atomic uint64_t own[METRICS__MAX];
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

/* Maps the file; NULL, with errno set, if it cannot. */
static void *
map(const char *path)
{
	const size_t size = METRICS__MAX * sizeof(uint64_t);
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
		munmap((void *)metrics->slots, METRICS__MAX * sizeof(uint64_t));
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

const char *
metrics_name(enum metrics_counter counter)
{
	return names[counter];
}
