#ifndef VOICE_H
#define VOICE_H

/* What the programs that answer calls share: from a decision to TwiML, to the
 * record, to the counters. */

#include "mask.h"
#include "rc.h"
#include "serve.h"

/* How long a caller waits for the record of their call, in milliseconds. */
#define VOICE_RECORD_WAIT_MS 1000

/* Reads who dialled what from the form; code is "". RC_INVALID. */
enum rc voice_read(struct exchange *x, struct mask_dialled *dialled);

/*
 * Stores which masked number and which person are on the leg that the form
 * tells of. A leg that we had Twilio make comes from the masked number.
 */
void voice_leg(
    const struct exchange *x, const char **number, const char **person);

/* Returns the tag of a service's language for <Say>; English if it has none. */
const char *voice_tag(const char *language);

/*
 * Appends the TwiML for a decision, to out or to the answer. again: the caller
 * has typed a code that means nobody. Returns RC_MEMORY, as all below.
 */
enum rc voice_twiml(struct buf *out, const struct app *app,
    const struct mask_route *route, bool again);
enum rc voice_write(
    struct exchange *x, const struct mask_route *route, bool again);

/* Makes a decision about a call that the app has placed say something to who
 * is rung first. */
void voice_place(struct mask_route *route);

/* Appends what the callee hears before being connected, where the service has
 * something announced or the call screened. */
enum rc voice_screen(
    struct buf *out, const struct app *app, const struct service *service);

/* The same for who is rung first, by a service that screens. path is where the
 * key goes. */
enum rc voice_screen_first(struct buf *out, const struct app *app,
    const struct service *service, const char *path);

/* Answers a key that does not accept a call, on a leg that shows the masked
 * number `number`: 9 says that this is not the phone of the person it is for,
 * and cuts it off for good (mask_dispute). */
enum rc voice_decline(struct exchange *x, const char *number);

/* Appends what a caller hears after the other phone's leg ended so: why they
 * reached nobody, else they are just hung up on. */
enum rc voice_ended(
    struct buf *out, enum call_status status, const char *language);

/* Counts what was decided about a call. */
void voice_count(const struct app *app, struct policy_decision decision);

/*
 * Writes a call down and counts it. Fails open: a record that cannot be
 * written keeps nobody from talking; it is logged and counted.
 */
void voice_record(struct exchange *x, const struct mask_dialled *dialled,
    const struct mask_route *route);

#endif
