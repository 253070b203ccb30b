/* The API's JSON as it goes out. */

#include "test.h"

#include <stdio.h>
#include <string.h>

#include "view.h"

#define LENGTH(array) (sizeof array / sizeof array[0])

#define NOW ((int64_t)1800000000) /* 2027-01-15T08:00:00Z */

/* Ten of c. */
#define TEN(c) c c c c c c c c c c

static const struct session sample = {
	.id = "ses_00000000000000000000000001",
	.reference = "trip \"8731\"/ü",
	.created_at = NOW,
	.expires_at = NOW + 7200,
	.voice = "both",
	.text = "driver",
	.parties = {
		{ .id = "pty_00000000000000000000000002",
		    .role = "customer",
		    .number = "+12025550191",
		    .code = "000042" },
		{ .id = "pty_00000000000000000000000003",
		    .role = "driver",
		    .number = "+12025550192",
		    .code = "482117",
		    .disputed = true },
	},
};

#define SAMPLE_PARTIES                                                         \
	"\"parties\":[{\"id\":\"pty_00000000000000000000000002\","             \
	"\"role\":\"customer\",\"masked_number\":\"+12025550191\","            \
	"\"code\":\"000042\",\"dial\":\"+12025550191,,000042#\","              \
	"\"disputed\":false},"                                                 \
	"{\"id\":\"pty_00000000000000000000000003\",\"role\":\"driver\","      \
	"\"masked_number\":\"+12025550192\",\"code\":\"482117\","              \
	"\"dial\":\"+12025550192,,482117#\",\"disputed\":true}]"

#define SAMPLE_MODES "\"voice\":\"both\",\"text\":\"driver\","

#define SAMPLE_OPEN                                                            \
	"{\"id\":\"ses_00000000000000000000000001\","                          \
	"\"reference\":\"trip \\\"8731\\\"/ü\",\"status\":\"open\","          \
	"\"created_at\":\"2027-01-15T08:00:00Z\","                             \
	"\"expires_at\":\"2027-01-15T10:00:00Z\",\"closed_at\":"               \
	"null,\"linger_until\":null," SAMPLE_MODES SAMPLE_PARTIES

#define SAMPLE_CLOSED                                                          \
	"{\"id\":\"ses_00000000000000000000000001\",\"reference\":null,"       \
	"\"status\":\"closed\",\"created_at\":\"2027-01-15T08:00:00Z\","       \
	"\"expires_at\":\"2027-01-15T10:00:00Z\","                             \
	"\"closed_at\":\"2027-01-15T08:00:01Z\",\"linger_until\":"             \
	"null," SAMPLE_MODES SAMPLE_PARTIES

static void
check_session(const struct session *session, int64_t now, const char *expected)
{
	struct buf out;

	buf_init(&out, 0);
	buf_puts(&out, "> ");
	assert_int_equal(view_session(&out, session, now), RC_OK);
	assert_string_equal(buf_text(&out) + 2, expected);
	buf_free(&out);
}

static void
test_session_golden(void **state)
{
	struct session closed = sample;

	(void)state;
	check_session(&sample, NOW, SAMPLE_OPEN "}");
	check_session(&sample, NOW + 7199, SAMPLE_OPEN "}");
	closed.reference[0] = '\0';
	closed.closed_at = NOW + 1;
	check_session(&closed, NOW + 9999, SAMPLE_CLOSED "}");
}

#define RECORDING_JSON                                                         \
	"{\"id\":\"rec_1\",\"session_id\":\"ses_1\",\"call_id\":\"cal_1\","    \
	"\"status\":\"completed\",\"duration\":0,\"channels\":2,"              \
	"\"created_at\":\"2027-01-15T08:00:00Z\",\"deleted_at\":null}"

static void
test_recordings_golden(void **state)
{
	const struct recording recordings[2] = {
		{ "rec_1", "RE1", "cal_1", "ses_1", "svc_1",
		    RECORDING_COMPLETED, 0, 2, NOW, 0 },
		{ "rec_2", "RE2", "", "", "", RECORDING_DELETED, -1, -1, NOW,
		    NOW + 1 },
	};
	struct mask_history history = { .session = sample,
		.recordings_len = 1 };
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(view_recording(&out, &recordings[0]), RC_OK);
	assert_string_equal(buf_text(&out), RECORDING_JSON);
	buf_reset(&out);
	assert_int_equal(view_recording(&out, &recordings[1]), RC_OK);
	assert_string_equal(buf_text(&out),
	    "{\"id\":\"rec_2\",\"session_id\":null,\"call_id\":null,"
	    "\"status\":\"deleted\",\"duration\":null,\"channels\":null,"
	    "\"created_at\":\"2027-01-15T08:00:00Z\","
	    "\"deleted_at\":\"2027-01-15T08:00:01Z\"}");
	buf_reset(&out);
	history.recordings[0] = recordings[0];
	assert_int_equal(view_session_history(&out, &history, NOW), RC_OK);
	assert_string_equal(buf_text(&out),
	    SAMPLE_OPEN ",\"calls\":[],\"messages\":[],"
			"\"recordings\":[" RECORDING_JSON "]}");
	buf_free(&out);
}

/* An erased party has no code to type. */
static void
test_session_golden_erased(void **state)
{
	struct session session = sample;
	struct buf out;

	(void)state;
	session.parties[0].code[0] = '\0';
	buf_init(&out, 0);
	assert_int_equal(view_session(&out, &session, NOW), RC_OK);
	assert_non_null(strstr(buf_text(&out), "\"code\":null,\"dial\":\"+"));
	assert_null(strstr(buf_text(&out), ",,#"));
	buf_free(&out);
}

static void
test_erasure_golden(void **state)
{
	const struct erasure erasure = { "era_1", "session", "ses_1", NOW };
	const struct erasure_item items[] = { { "Calls/CA1", 0 },
		{ "ses_1", NOW + 1 } };
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(view_erasure(&out, &erasure, items, 2), RC_OK);
	assert_string_equal(buf_text(&out),
	    "{\"id\":\"era_1\",\"subject\":\"session\","
	    "\"subject_id\":\"ses_1\","
	    "\"requested_at\":\"2027-01-15T08:00:00Z\",\"waiting\":1,"
	    "\"items\":[{\"thing\":\"Calls/CA1\",\"erased_at\":null},"
	    "{\"thing\":\"ses_1\",\"erased_at\":\"2027-01-15T08:00:01Z\"}]}");
	buf_free(&out);
}

static void
test_session_golden_lingering(void **state)
{
	struct session session = sample;
	struct buf out;

	(void)state;
	session.reference[0] = '\0';
	session.closed_at = NOW + 1;
	session.linger_until = NOW + 60;
	check_session(&session, NOW + 59,
	    "{\"id\":\"ses_00000000000000000000000001\",\"reference\":null,"
	    "\"status\":\"lingering\","
	    "\"created_at\":\"2027-01-15T08:00:00Z\","
	    "\"expires_at\":\"2027-01-15T10:00:00Z\","
	    "\"closed_at\":\"2027-01-15T08:00:01Z\","
	    "\"linger_until\":\"2027-01-15T08:01:00Z\"," SAMPLE_MODES
		SAMPLE_PARTIES "}");
	buf_init(&out, 0);
	assert_int_equal(view_session(&out, &session, NOW + 60), RC_OK);
	assert_non_null(strstr(buf_text(&out), "\"status\":\"closed\""));
	buf_free(&out);
}

/* Explained without the real number. */
static void
test_route_golden(void **state)
{
	const struct mask_route connected = {
		.decision = { POLICY_CONNECT, POLICY_CONNECTED_BY_CODE },
		.service_id = "svc_0",
		.session_id = "ses_1",
		.party_id = "pty_2",
		.peer_id = "pty_3",
		.to = "+12025550147",
		.caller_id = "+12025550191",
		.limit_s = 1800,
	};
	const struct mask_route refused = {
		.decision = { POLICY_REFUSE, POLICY_NUMBER_UNKNOWN },
	};
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(view_route(&out, &connected), RC_OK);
	assert_string_equal(buf_text(&out),
	    "{\"action\":\"connect\",\"reason\":\"connected_by_code\","
	    "\"sentence\":null,\"session\":\"ses_1\",\"caller\":\"pty_2\","
	    "\"callee\":\"pty_3\",\"shown\":\"+12025550191\","
	    "\"limit\":1800}");
	buf_reset(&out);
	assert_int_equal(view_route(&out, &refused), RC_OK);
	assert_string_equal(buf_text(&out),
	    "{\"action\":\"refuse\",\"reason\":\"number_unknown\","
	    "\"sentence\":\"This number is not in service. Goodbye.\","
	    "\"session\":null,\"caller\":null,\"callee\":null,"
	    "\"shown\":null,\"limit\":0}");
	buf_reset(&out);
	assert_int_equal(view_intent(&out, NOW), RC_OK);
	assert_string_equal(
	    buf_text(&out), "{\"expires_at\":\"2027-01-15T08:00:00Z\"}");
	buf_free(&out);
}

/* Nothing has run, and yet it has expired. */
static void
test_session_shows_expiry_to_the_second(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(view_session(&out, &sample, NOW + 7200), RC_OK);
	assert_non_null(strstr(buf_text(&out), "\"status\":\"expired\""));
	assert_non_null(
	    strstr(buf_text(&out), "\"closed_at\":\"2027-01-15T10:00:00Z\""));
	buf_free(&out);
}

static void
test_session_golden_with_calls(void **state)
{
	static const struct call_summary calls[] = {
		{ "cal_00000000000000000000000005",
		    "ses_00000000000000000000000001", "driver", "connected",
		    "completed", NOW + 60, NOW + 61, NOW + 65, NOW + 125, 60,
		    true },
		{ "cal_00000000000000000000000004", "", "", "", "ringing",
		    NOW + 1, 0, 0, 0, 0, false },
	};

	static struct mask_history history = { .calls_len = 2 };
	struct buf out;

	(void)state;
	history.session = sample;
	memcpy(history.calls, calls, sizeof calls);
	buf_init(&out, 0);
	assert_int_equal(view_session_history(&out, &history, NOW), RC_OK);
	assert_string_equal(buf_text(&out), SAMPLE_OPEN
	    ",\"calls\":[{\"id\":\"cal_00000000000000000000000005\","
	    "\"from\":\"driver\",\"placed\":true,\"reason\":\"connected\","
	    "\"status\":\"completed\",\"started_at\":\"2027-01-15T08:01:00Z\","
	    "\"ringing_at\":\"2027-01-15T08:01:01Z\","
	    "\"answered_at\":\"2027-01-15T08:01:05Z\","
	    "\"ended_at\":\"2027-01-15T08:02:05Z\",\"duration\":60},"
	    "{\"id\":\"cal_00000000000000000000000004\",\"from\":null,"
	    "\"placed\":false,\"reason\":null,\"status\":\"ringing\","
	    "\"started_at\":\"2027-01-15T08:00:01Z\",\"ringing_at\":null,"
	    "\"answered_at\":null,\"ended_at\":null,\"duration\":0}],"
	    "\"messages\":[],\"recordings\":[]}");
	buf_free(&out);
}

static void
test_call_golden(void **state)
{
	struct call_summary call = { .id = "cal_00000000000000000000000005",
		.session_id = "ses_00000000000000000000000001",
		.from = "driver",
		.reason = "connected",
		.status = "queued",
		.started_at = NOW,
		.placed = true };
	struct buf out;

	(void)state;
	buf_init(&out, 0);
	assert_int_equal(view_call(&out, &call), RC_OK);
	assert_string_equal(buf_text(&out),
	    "{\"id\":\"cal_00000000000000000000000005\","
	    "\"from\":\"driver\",\"placed\":true,\"reason\":\"connected\","
	    "\"status\":\"queued\",\"started_at\":\"2027-01-15T08:00:00Z\","
	    "\"ringing_at\":null,\"answered_at\":null,\"ended_at\":null,"
	    "\"duration\":0,"
	    "\"session_id\":\"ses_00000000000000000000000001\"}");
	buf_free(&out);
}

static void
check_sessions(const struct session *sessions, int len, const char *next,
    const char *expected)
{
	struct buf out;

	buf_init(&out, 0);
	assert_int_equal(
	    view_sessions(&out, sessions, len, NOW + 2, next), RC_OK);
	assert_string_equal(buf_text(&out), expected);
	buf_free(&out);
}

static void
test_sessions_golden(void **state)
{
	struct session both[2] = { sample, sample };

	(void)state;
	both[1].reference[0] = '\0';
	both[1].closed_at = NOW + 1;
	check_sessions(both, 0, "", "{\"sessions\":[],\"next\":null}");
	check_sessions(both, 2, sample.id,
	    "{\"sessions\":[" SAMPLE_OPEN "}," SAMPLE_CLOSED
	    "}],\"next\":\"ses_00000000000000000000000001\"}");
}

static void
check_problem(const struct view_problem *problem, const char *expected)
{
	struct buf out;

	buf_init(&out, 0);
	assert_int_equal(view_problem(&out, problem), RC_OK);
	assert_string_equal(buf_text(&out), expected);
	buf_free(&out);
}

static void
test_problem_golden(void **state)
{
	(void)state;
	check_problem(
	    &(struct view_problem){ 422, "invalid", "Invalid \"field\"",
		"must be a string", "parties[0].role", "8f3b" },
	    "{\"type\":\"about:blank\",\"title\":\"Invalid \\\"field\\\"\","
	    "\"status\":422,\"code\":\"invalid\","
	    "\"detail\":\"must be a string\",\"field\":\"parties[0].role\","
	    "\"request_id\":\"8f3b\"}");
	check_problem(&(struct view_problem){ 503, "busy", "Busy", "", "", "" },
	    "{\"type\":\"about:blank\",\"title\":\"Busy\",\"status\":503,"
	    "\"code\":\"busy\"}");
}

static void
test_events_golden(void **state)
{
	static const struct event_record events[] = {
		{ .id = "evt_1",
		    .seq = 7,
		    .type = "pool.low",
		    .service = "rides",
		    .created_at = NOW },
		{ .id = "evt_2",
		    .seq = 8,
		    .type = "call.ended",
		    .service = "rides",
		    .session_id = "ses_1",
		    .reference = "trip \"1\"",
		    .subject_id = "cal_1",
		    .detail = "busy",
		    .created_at = NOW },
	};
	static const char expected[] =
	    "{\"events\":[{\"id\":\"evt_1\",\"type\":\"pool.low\","
	    "\"timestamp\":\"2027-01-15T08:00:00Z\",\"data\":{\"seq\":7,"
	    "\"service\":\"rides\",\"session_id\":null,"
	    "\"reference\":null,\"detail\":null}},"
	    "{\"id\":\"evt_2\",\"type\":\"call.ended\","
	    "\"timestamp\":\"2027-01-15T08:00:00Z\",\"data\":{\"seq\":8,"
	    "\"service\":\"rides\",\"session_id\":\"ses_1\","
	    "\"reference\":\"trip \\\"1\\\"\",\"call_id\":\"cal_1\","
	    "\"detail\":\"busy\"}}],\"next\":8}";
	struct buf out, one;

	(void)state;
	buf_init(&out, 0);
	buf_init(&one, 0);
	assert_int_equal(view_events(&out, events, 2, 8), RC_OK);
	assert_string_equal(buf_text(&out), expected);
	/* One by itself is the same. */
	assert_int_equal(view_event(&one, &events[1]), RC_OK);
	assert_non_null(strstr(expected, buf_text(&one)));
	buf_reset(&out);
	assert_int_equal(view_events(&out, NULL, 0, 9), RC_OK);
	assert_string_equal(buf_text(&out), "{\"events\":[],\"next\":9}");
	buf_free(&out);
	buf_free(&one);
}

/* A full buffer is told, and nothing of the answer stands in it. */
static void
test_output_that_does_not_fit_fails(void **state)
{
	const struct view_problem problem = { 503, "busy", "Busy", "", "", "" };
	struct buf out;

	(void)state;
	buf_init(&out, 20);
	assert_int_equal(view_session(&out, &sample, NOW), RC_MEMORY);
	assert_false(buf_ok(&out));
	assert_string_equal(buf_text(&out), "");
	buf_reset(&out);
	assert_int_equal(view_sessions(&out, &sample, 1, NOW, ""), RC_MEMORY);
	buf_reset(&out);
	assert_int_equal(view_problem(&out, &problem), RC_MEMORY);
	buf_reset(&out);
	assert_int_equal(
	    view_canonical(&out, "{\"a\":\"" TEN("b") TEN("c") "\"}", 28),
	    RC_MEMORY);
	assert_string_equal(buf_text(&out), "");
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_session_golden),
		cmocka_unit_test(test_recordings_golden),
		cmocka_unit_test(test_session_golden_erased),
		cmocka_unit_test(test_erasure_golden),
		cmocka_unit_test(test_session_golden_lingering),
		cmocka_unit_test(test_route_golden),
		cmocka_unit_test(test_session_shows_expiry_to_the_second),
		cmocka_unit_test(test_session_golden_with_calls),
		cmocka_unit_test(test_call_golden),
		cmocka_unit_test(test_sessions_golden),
		cmocka_unit_test(test_events_golden),
		cmocka_unit_test(test_problem_golden),
		cmocka_unit_test(test_output_that_does_not_fit_fails),
	};

	return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
