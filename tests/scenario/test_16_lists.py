"""What a backend sees of its sessions, page by page, and who sees nothing."""

import time

import pytest


def test_a_list_goes_page_by_page_newest_first(stack):
    key = stack.new_service("pages", numbers=["+12025550131"])
    made = [stack.create(*stack.persons(2), key=key).json for _ in range(7)]
    seen, query = [], "?limit=3"
    while query:
        page = stack.api("GET", f"/v1/sessions{query}", key=key).json
        assert page.keys() == {"sessions", "next"}
        assert len(page["sessions"]) <= 3
        seen += page["sessions"]
        query = page["next"] and f"?limit=3&cursor={page['next']}"
    assert seen == made[::-1]


def test_a_list_by_status_and_reference(stack):
    key = stack.new_service("filters", numbers=["+12025550132"])
    short = stack.create(*stack.persons(2), key=key, ttl=1).json
    done = stack.close(stack.create(*stack.persons(2), key=key,
                                    reference="r").json, key=key)
    live = stack.create(*stack.persons(2), key=key, reference="r").json
    time.sleep(1.1)

    def ids(query):
        page = stack.api("GET", f"/v1/sessions?{query}", key=key).json
        return [session["id"] for session in page["sessions"]]

    assert ids("status=open") == [live["id"]]
    assert ids("status=closed") == [done["id"]]
    assert ids("status=expired") == [short["id"]]
    assert ids("reference=r") == [live["id"], done["id"]]
    assert ids("reference=r&status=closed") == [done["id"]]
    assert ids("reference=none") == []
    assert ids("limit=200") == [live["id"], done["id"], short["id"]]


@pytest.mark.parametrize("query, field", (
    ("limit=0", "limit"), ("limit=201", "limit"), ("limit=-1", "limit"),
    ("limit=x", "limit"), ("limit=1e3", "limit"), ("limit=9999999999", "limit"),
    ("status=gone", "status"), ("cursor=ses_x", "cursor"),
    ("reference=" + "x" * 129, "reference"), ("status=%ff", "query"),
    ("status=%zz", "query"), ("a%00b=1", "query")))
def test_a_bad_query_names_its_field(stack, query, field):
    assert stack.api("GET", f"/v1/sessions?{query}").problem == (
        422, "invalid_field", field)


# Who may see it.

def test_the_key_of_another_service_sees_nothing(stack):
    key = stack.new_service("stranger", numbers=["+12025550133"])
    session = stack.open(*stack.persons(2), reference="mine")
    path = f"/v1/sessions/{session['id']}"
    before = stack.tables()
    assert stack.api("GET", path, key=key).problem == (404, "not_found", None)
    assert stack.api("POST", path + "/close", key=key).problem == (
        404, "not_found", None)
    for query in ("", "?reference=mine", f"?cursor={session['id']}~"):
        page = stack.api("GET", f"/v1/sessions{query}", key=key)
        assert page.status == 422 or page.json["sessions"] == []
    assert stack.tables() == before


def test_the_admin_key_works_and_a_revoked_one_does_not(stack):
    assert stack.api("GET", "/v1/sessions",
                     key=stack.env["CALLMASK_ADMIN_KEY"]).status == 200
    key = stack.cli("key", "add", "--name", "gone").stdout.strip()
    assert stack.api("GET", "/v1/sessions", key=key).status == 200
    stack.cli("key", "revoke", "key_" + key.split("_")[1])
    assert stack.api("GET", "/v1/sessions", key=key).problem == (
        401, "unauthorized", None)


def test_a_wrong_key_learns_and_changes_nothing(stack):
    good = stack.env["CALLMASK_API_KEY"]
    other = stack.env["CALLMASK_ADMIN_KEY"]
    session = stack.open(*stack.persons(2))
    before = stack.tables()
    for wrong in ("", "x", good[:-1], good + "0", good.upper(), good[3:],
                  good[:30] + other[30:], "cm_" + "0" * 26 + "_" + "0" * 64,
                  good.replace("_", "-")):
        header = {"Authorization": f"Bearer {wrong}"}
        for method, path in (("GET", "/v1/sessions"),
                             ("GET", f"/v1/sessions/{session['id']}"),
                             ("POST", f"/v1/sessions/{session['id']}/close"),
                             ("POST", "/v1/sessions")):
            answer = stack.api(method, path, key="", headers=header)
            assert answer.problem == (401, "unauthorized", None)
            assert answer.headers["WWW-Authenticate"] == "Bearer"
    for header in ({}, {"Authorization": good},
                   {"Authorization": f"Basic {good}"},
                   {"Authorization": f"Bearer  {good}"},
                   {"X-Authorization": f"Bearer {good}"}):
        assert stack.api("GET", "/v1/sessions", key="",
                         headers=header).status == 401
    assert stack.tables() == before


@pytest.mark.parametrize("path", ("/v1/sessions/ses_", "/v1/sessions/x",
                                  "/v1/sessions/ses_" + "0" * 26,
                                  "/v1/sessions/" + "a" * 200))
def test_what_is_not_there(stack, path):
    assert stack.api("GET", path).problem == (404, "not_found", None)
    assert stack.api("POST", path + "/close").problem == (
        404, "not_found", None)


def test_head_is_get_without_the_body(stack):
    session = stack.open(*stack.persons(2))
    for path in ("/v1/sessions", f"/v1/sessions/{session['id']}"):
        head = stack.api("HEAD", path)
        get = stack.api("GET", path)
        assert (head.status, head.body) == (200, b"")
        assert head.headers["Content-Length"] == str(len(get.body))
        assert head.type == get.type
