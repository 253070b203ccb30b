-- name: call_insert
-- Returns no row if the CallSid is known already.
INSERT INTO call (id, sid, parent_sid, service_id, session_id, party_id,
    number, reason, status, sequence, created_at, placed)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (sid) DO NOTHING
RETURNING id;

-- name: call_find
SELECT id, parent_sid, service_id, session_id, party_id, number, reason,
    status, sequence, created_at, ringing_at, answered_at, ended_at,
    duration_s, told_at, sid, placed
FROM call WHERE sid = $1;

-- name: call_find_id
-- The same by its own id.
SELECT id, parent_sid, service_id, session_id, party_id, number, reason,
    status, sequence, created_at, ringing_at, answered_at, ended_at,
    duration_s, told_at, sid, placed
FROM call WHERE id = $1;

-- name: call_learn
-- Notes the CallSid of a placed call.
UPDATE call SET sid = $2 WHERE id = $1 AND sid IS NULL
RETURNING id;

-- name: call_update
UPDATE call SET status = $2, sequence = $3, ringing_at = $4,
    answered_at = $5, ended_at = $6, duration_s = $7
WHERE id = $1;

-- name: call_tell
-- Marks that the end of the call has been told to the app: once.
UPDATE call SET told_at = $2 WHERE id = $1 AND told_at IS NULL
RETURNING id;

-- name: call_show
-- A call of a service: the leg that was dialled or placed, with the progress
-- of the leg that rang the other party.
SELECT c.id, p.role, c.reason, coalesce(r.status, c.status), c.created_at,
    r.ringing_at, r.answered_at, coalesce(r.ended_at, c.ended_at),
    r.duration_s, c.placed, c.session_id
FROM call c
LEFT JOIN call r ON r.parent_sid = c.sid
LEFT JOIN party p ON p.id = c.party_id
WHERE c.id = $1 AND c.service_id = $2 AND c.session_id IS NOT NULL
    AND c.parent_sid IS NULL;

-- name: call_list_running
-- Calls of a session that connected its parties and are not over, from the
-- one after $2 on.
SELECT id FROM call
WHERE session_id = $1 AND id > $2 AND parent_sid IS NULL
    AND reason LIKE 'connected%' AND status NOT IN
        ('completed', 'busy', 'failed', 'no-answer', 'canceled')
ORDER BY id LIMIT $3;

-- name: call_count_running
-- Calls of a service that connected two people, began after $2 and are not
-- over; no more than 10,000 are counted.
SELECT count(*) FROM (SELECT 1 FROM call
    WHERE service_id = $1 AND created_at > $2 AND parent_sid IS NULL
        AND status NOT IN
            ('completed', 'busy', 'failed', 'no-answer', 'canceled')
        AND reason LIKE 'connected%'
    LIMIT 10000) AS few;

-- name: call_list
-- The calls of a session, the same way.
SELECT c.id, p.role, c.reason, coalesce(r.status, c.status), c.created_at,
    r.ringing_at, r.answered_at, coalesce(r.ended_at, c.ended_at),
    r.duration_s, c.placed, c.session_id
FROM call c
LEFT JOIN call r ON r.parent_sid = c.sid
LEFT JOIN party p ON p.id = c.party_id
WHERE c.session_id = $1 AND c.parent_sid IS NULL
ORDER BY c.id DESC LIMIT $2;

-- name: call_child
-- Whether a leg has dialled another.
SELECT 1 FROM call WHERE parent_sid = $1 LIMIT 1;

-- name: call_connect
-- Notes that a call was connected after all, to whom and why; or not.
UPDATE call SET session_id = $2, party_id = $3, reason = $4, status = $5
WHERE id = $1;

-- name: call_count_session
-- Calls of a session that were connected, but for $2: a CallSid, or the id of
-- a call that has none.
SELECT count(*) FROM call
WHERE session_id = $1 AND parent_sid IS NULL AND reason LIKE 'connected%'
    AND coalesce(sid, id) <> $2;

-- name: call_count_person
-- Calls that somebody made since $2, but for $3.
SELECT count(*) FROM call
WHERE party_id = $1 AND created_at > $2 AND parent_sid IS NULL
    AND coalesce(sid, id) <> $3;

-- name: usage_add
-- Counts $3 seconds of talk.
INSERT INTO usage (service_id, day, seconds) VALUES ($1, $2, $3)
ON CONFLICT (service_id, day) DO UPDATE
    SET seconds = usage.seconds + excluded.seconds;

-- name: usage_find
SELECT seconds FROM usage WHERE service_id = $1 AND day = $2;
