/* Who is served when: receivers, and how much each can take. */

#include "outboxd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Deliveries under way to one receiver. */
#define ROOM_EACH 16
/* Services looked up at a time. */
#define SERVICES_MAX 64
/* Pause between tries of a receiver that fails each, milliseconds. */
#define PROBE_MS 1000
/* Longest we leave a receiver alone because it asks for it: seconds. */
#define RESPITE_MAX_S 300

int64_t
clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Finds a receiver, or makes one. NULL: no memory. */
static struct receiver *
find_receiver(
    struct worker *w, const char *service_id, enum outbox_channel channel)
{
	struct receiver **at, *r;

	for (at = &w->receivers; (r = *at) != NULL; at = &r->next)
		if (r->channel == channel &&
		    strcmp(r->service_id, service_id) == 0)
			return r;
	if ((r = calloc(1, sizeof *r)) == NULL)
		return NULL;
	snprintf(r->service_id, sizeof r->service_id, "%s", service_id);
	r->channel = channel;
	r->room = 1;
	*at = r;
	return r;
}

void
pace_rotate(struct worker *w)
{
	struct receiver *first = w->receivers, **at;

	if (first == NULL || first->next == NULL)
		return;
	w->receivers = first->next;
	for (at = &w->receivers; *at != NULL; at = &(*at)->next)
		;
	*at = first;
	first->next = NULL;
}

void
pace_learn(struct receiver *r, const struct http_answer *answer)
{
	int64_t respite_s =
	    answer->retry_s < RESPITE_MAX_S ? answer->retry_s : RESPITE_MAX_S;
	int64_t resume_ms = clock_ms();

	if (answer->status >= 200 && answer->status < 500 &&
	    answer->status != 429) {
		r->resume_ms = 0;
		if (r->room < ROOM_EACH)
			r->room++;
		return;
	}
	if (respite_s > 0)
		resume_ms += respite_s * 1000;
	else if (r->room == 1)
		resume_ms += PROBE_MS;
	if (r->room > 1)
		r->room /= 2;
	if (resume_ms > r->resume_ms)
		r->resume_ms = resume_ms;
}

enum rc
pace_find_waiting(struct worker *w)
{
	char services[SERVICES_MAX][ID_SIZE], after[ID_SIZE] = "";
	struct receiver *r;
	int len, channel, i;
	enum rc rc;

	for (r = w->receivers; r != NULL; r = r->next)
		r->waiting = false;
	do {
		rc = outbox_services(
		    w->app.db, after, SERVICES_MAX, services, &len);
		for (i = 0; i < len * OUTBOX_CHANNEL__MAX && rc == RC_OK; i++) {
			channel = i % OUTBOX_CHANNEL__MAX;
			r = find_receiver(w, services[i / OUTBOX_CHANNEL__MAX],
			    (enum outbox_channel)channel);
			if (r == NULL)
				return RC_MEMORY;
			r->waiting = true;
		}
		if (len > 0)
			strcpy(after, services[len - 1]);
	} while (rc == RC_OK && len == SERVICES_MAX);
	return rc;
}

enum rc
pace_find_due(struct worker *w, int *wait_ms)
{
	int64_t now_ms = app_now_ms(), steady_ms = clock_ms(), due_ms, in_ms;
	struct receiver *r;
	enum rc rc;

	*wait_ms = SLEEP_MS;
	for (r = w->receivers; r != NULL; r = r->next) {
		r->due = false;
		if (!r->waiting || r->sending >= r->room ||
		    w->under_way >= ROOM_ALL)
			continue;
		rc = outbox_due(
		    w->app.db, r->service_id, r->channel, now_ms, &due_ms);
		if (rc != RC_OK && rc != RC_NONE)
			return rc;
		in_ms = rc == RC_OK ? 0 : due_ms - now_ms;
		if (in_ms < r->resume_ms - steady_ms)
			in_ms = r->resume_ms - steady_ms;
		r->due = in_ms <= 0;
		if (in_ms < *wait_ms)
			*wait_ms = in_ms > 0 ? (int)in_ms : 0;
	}
	return RC_OK;
}
