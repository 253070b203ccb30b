/*
 * POST /v1/service/preview: what people would hear and read under the settings
 * there are, or those that the body proposes. The situations are made up; what
 * is done in them is decided, and said, by what answers calls.
 */

#include "admin.h"

#include <string.h>

#include "say.h"
#include "twiml.h"
#include "view.h"
#include "voice.h"

#define PREVIEWS_MAX 32
/* Numbers that nobody has. */
#define MASKED "+12025550199"
#define OTHER "+12025550147"

/* Somebody who is known dials in an open session. */
#define KNOWN                                                                  \
	.number_in_use = true, .leg = POLICY_LEG_LIVE,                         \
	.session = POLICY_SESSION_OPEN, .may_call = true

/* Calls as they come in. */
static const struct {
	const char *situation, *title;
	struct policy_facts facts;
} calls[] = {
	{ "connected", "The call is connected", { KNOWN } },
	{ "session_ended", "The session is over",
	    { .number_in_use = true,
		.leg = POLICY_LEG_HELD,
		.session = POLICY_SESSION_CLOSED } },
	{ "caller_unknown", "The caller's phone is in no session",
	    { .number_in_use = true } },
	{ "caller_withheld", "The caller hides the number",
	    { .number_in_use = true, .caller = PHONE_CALLER_WITHHELD } },
	{ "attestation_failed", "The carrier doubts the caller's number",
	    { KNOWN, .attestation_failed = true } },
	{ "voice_off", "The session lets this party not call",
	    { .number_in_use = true,
		.leg = POLICY_LEG_LIVE,
		.session = POLICY_SESSION_OPEN } },
	{ "limit_reached", "A limit of calls is reached",
	    { KNOWN, .limit = POLICY_LIMIT_PERSON } },
	{ "country_not_allowed", "The other phone is in another country",
	    { KNOWN, .limit = POLICY_LIMIT_COUNTRY } },
	{ "party_disputed", "A phone was said to be somebody else's",
	    { KNOWN, .disputed = true } },
	{ "number_unknown", "The number is not in use", { 0 } },
};

/* How the leg to the other phone may end. */
static const struct {
	const char *situation, *title;
	enum call_status status;
} endings[] = {
	{ "busy", "The other phone is busy", CALL_BUSY },
	{ "no_answer", "Nobody answers", CALL_NO_ANSWER },
	{ "failed", "The other phone cannot be reached", CALL_FAILED },
};

/* Texts. */
static const struct {
	const char *situation, *title;
	enum policy_reason reason;
} texts[] = {
	{ "text_relayed", "A text is passed on", POLICY_RELAYED },
	{ "text_session_ended", "A text when the session is over",
	    POLICY_SESSION_IS_CLOSED },
	{ "text_caller_unknown", "A text from a phone in no session",
	    POLICY_CALLER_UNKNOWN },
	{ "text_off", "A text where the session lets this party not text",
	    POLICY_TEXT_OFF },
	{ "text_limit_reached", "Too many texts in a minute",
	    POLICY_PERSON_LIMIT },
	{ "text_country_not_allowed", "A text to a phone in another country",
	    POLICY_COUNTRY_LIMIT },
	{ "text_party_disputed", "A text to a phone said to be somebody else's",
	    POLICY_PARTY_DISPUTED },
};

/* The previews in the making. */
struct stage {
	const struct exchange *x;
	const struct service *service;
	struct buf twiml[PREVIEWS_MAX];
	struct view_preview previews[PREVIEWS_MAX];
	int len;
	enum rc rc; /* the first failure */
};

/* Begins a preview; what is returned takes its TwiML. */
static struct buf *
begin(struct stage *s, const char *situation, const char *title)
{
	struct buf *out = &s->twiml[s->len];

	buf_init(out, 0);
	s->previews[s->len++] = (struct view_preview){ situation, title, "" };
	return out;
}

/* Ends it. */
static void
end(struct stage *s, enum rc rc)
{
	s->previews[s->len - 1].twiml = buf_text(&s->twiml[s->len - 1]);
	if (s->rc == RC_OK)
		s->rc = rc;
}

static void
show_calls(struct stage *s)
{
	const struct app *app = s->x->app;
	struct mask_route route;
	struct buf *out;
	size_t i;

	for (i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		mask_imagine(
		    s->service, &calls[i].facts, MASKED, OTHER, &route);
		out = begin(s, calls[i].situation, calls[i].title);
		end(s, voice_twiml(out, app, &route, false));
		if (i == 0) {
			voice_place(&route);
			out = begin(s, "placed",
			    "Who is rung first by the app has answered");
			end(s, voice_twiml(out, app, &route, false));
		}
		if (route.decision.action == POLICY_ASK &&
		    route.decision.reason == POLICY_CALLER_UNKNOWN) {
			route.decision.action = POLICY_REFUSE;
			out = begin(s, "code_wrong",
			    "The code is wrong for the last time");
			end(s, voice_twiml(out, app, &route, true));
		}
	}
}

/* What the other party hears. */
static void
show_callee(struct stage *s)
{
	const struct service *service = s->service;
	struct mask_route route;

	mask_imagine(service, &calls[0].facts, MASKED, OTHER, &route);
	if (!route.screen)
		return;
	end(s, voice_screen(begin(s, "callee", "The other phone has answered"),
		   s->x->app, service));
	if (service->screening != 0)
		end(s, twiml_say(begin(s, "callee_refused",
				     "The other one says not to know of it"),
			   say(SAY_THANKS, service->language),
			   voice_tag(service->language)));
}

static void
show_rest(struct stage *s)
{
	const char *language = s->service->language;
	struct buf *out;
	size_t i;

	for (i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		out = begin(s, endings[i].situation, endings[i].title);
		end(s, voice_ended(out, endings[i].status, language));
	}
	for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		out = begin(s, texts[i].situation, texts[i].title);
		end(s, twiml_message(out, say_text(texts[i].reason, language)));
	}
	out = begin(s, "out_of_order", "callmask itself is out of order");
	buf_puts(out, twiml_sorry);
	end(s, RC_OK);
}

enum rc
admin_preview(struct exchange *x)
{
	struct service service;
	struct stage stage = { .x = x, .service = &service };
	enum rc rc;
	int i;

	if ((rc = admin_read_settings(x, &service, false)) != RC_OK)
		return rc;
	show_calls(&stage);
	show_callee(&stage);
	show_rest(&stage);
	x->answer.type = VIEW_JSON;
	rc = stage.rc;
	if (rc == RC_OK)
		rc = view_previews(&x->answer.body, stage.previews, stage.len);
	for (i = 0; i < stage.len; i++)
		buf_free(&stage.twiml[i]);
	return rc;
}
