-- What the worker sweeps up, a few rows at a time.

-- name: tidy_services
-- The next service and what it keeps for how long.
SELECT id, expiring_s, keep_texts_days, keep_recordings_days, keep_days
FROM service WHERE id > $1 ORDER BY id LIMIT 1;

-- name: tidy_expired
SELECT id, service_id, expires_at FROM session
WHERE closed_at IS NULL AND expires_at <= $1 ORDER BY expires_at LIMIT $2;

-- name: tidy_next_expiry
SELECT expires_at FROM session
WHERE closed_at IS NULL AND expires_at > 0 ORDER BY expires_at LIMIT 1;

-- name: tidy_expiring
-- Which end until $2 and were not told of yet.
SELECT id FROM session
WHERE service_id = $1 AND closed_at IS NULL AND expiring_told_at IS NULL
    AND expires_at <= $2
ORDER BY expires_at LIMIT $3;

-- name: tidy_next_notice
SELECT expires_at FROM session
WHERE service_id = $1 AND closed_at IS NULL AND expiring_told_at IS NULL
ORDER BY expires_at LIMIT 1;

-- name: tidy_tell_expiring
UPDATE session SET expiring_told_at = $2 WHERE id = $1;

-- name: tidy_ended
-- A session that ended before $2.
SELECT id, closed_at FROM session
WHERE service_id = $1 AND closed_at IS NOT NULL AND kept_until IS NULL
    AND closed_at < $2
ORDER BY closed_at LIMIT 1;

-- name: tidy_kept
-- A session to be looked at again, and what its service keeps.
SELECT v.id, v.expiring_s, v.keep_texts_days, v.keep_recordings_days,
    v.keep_days, s.id, s.closed_at, s.erasure_id
FROM session s
JOIN service v ON v.id = s.service_id
WHERE s.kept_until IS NOT NULL AND s.kept_until <= $1
ORDER BY s.kept_until LIMIT 1;

-- name: tidy_next_look
SELECT kept_until FROM session
WHERE kept_until IS NOT NULL ORDER BY kept_until LIMIT 1;

-- name: tidy_needed
-- Until when its legs are held, and when the newest recording of a session
-- was made that Twilio still has.
SELECT coalesce((SELECT max(held_until) FROM leg WHERE party_id IN
        (SELECT id FROM party WHERE session_id = $1)), 0),
    coalesce((SELECT max(created_at) FROM recording
        WHERE session_id = $1 AND deleted_at IS NULL), 0);

-- name: tidy_keep
-- Puts a session off, or no longer ($2 NULL).
UPDATE session SET kept_until = $2 WHERE id = $1;

-- name: tidy_session_intents
DELETE FROM intent WHERE party_id IN
    (SELECT id FROM party WHERE session_id = $1)
RETURNING party_id;

-- name: tidy_session_messages
DELETE FROM message WHERE id IN
    (SELECT id FROM message WHERE session_id = $1 LIMIT $2)
RETURNING id;

-- name: tidy_session_recordings
DELETE FROM recording WHERE id IN
    (SELECT id FROM recording WHERE session_id = $1 LIMIT $2)
RETURNING id;

-- name: tidy_session_calls
DELETE FROM call WHERE id IN
    (SELECT id FROM call WHERE session_id = $1 LIMIT $2)
RETURNING id;

-- name: tidy_session_legs
DELETE FROM leg WHERE held_until <= $2 AND party_id IN
    (SELECT id FROM party WHERE session_id = $1)
RETURNING number;

-- name: tidy_session_parties
DELETE FROM party WHERE session_id = $1 RETURNING id;

-- name: tidy_session
DELETE FROM session WHERE id = $1 RETURNING id;

-- name: tidy_calls
-- Calls of no session from before $2; a recording may still name them.
DELETE FROM call WHERE id IN
    (SELECT c.id FROM call c WHERE c.service_id = $1 AND c.session_id IS NULL
        AND c.created_at < $2
        AND NOT EXISTS (SELECT 1 FROM recording r WHERE r.call_id = c.id)
    ORDER BY c.created_at LIMIT $3)
RETURNING id;

-- name: tidy_calls_foreign
-- The same for those on none of our numbers.
DELETE FROM call WHERE id IN
    (SELECT c.id FROM call c WHERE c.service_id IS NULL
        AND c.session_id IS NULL AND c.created_at < $1
        AND NOT EXISTS (SELECT 1 FROM recording r WHERE r.call_id = c.id)
    ORDER BY c.created_at LIMIT $2)
RETURNING id;

-- name: tidy_messages
-- Texts of no session from before $2.
DELETE FROM message WHERE id IN
    (SELECT id FROM message WHERE service_id = $1 AND session_id IS NULL
        AND created_at < $2
    ORDER BY created_at LIMIT $3)
RETURNING id;

-- name: tidy_messages_foreign
DELETE FROM message WHERE id IN
    (SELECT id FROM message WHERE service_id IS NULL AND session_id IS NULL
        AND created_at < $1
    ORDER BY created_at LIMIT $2)
RETURNING id;

-- name: tidy_recordings_due
-- Recordings from before $2 that Twilio still has.
SELECT id, sid FROM recording
WHERE service_id = $1 AND status <> 'deleting' AND status <> 'deleted'
    AND created_at < $2
ORDER BY created_at LIMIT $3;

-- name: tidy_recordings_due_stray
-- The same for those of calls we do not know, and a service to account for it.
SELECT id, sid, (SELECT min(id) FROM service)
FROM recording
WHERE service_id IS NULL AND status <> 'deleting' AND status <> 'deleted'
    AND created_at < $1
ORDER BY created_at LIMIT $2;

-- name: tidy_recording_deleting
UPDATE recording SET status = 'deleting' WHERE id = $1;

-- name: tidy_recordings
-- Recordings of no session that are gone since before $1.
DELETE FROM recording WHERE id IN
    (SELECT id FROM recording WHERE session_id IS NULL
        AND deleted_at IS NOT NULL AND deleted_at < $1
    ORDER BY deleted_at LIMIT $2)
RETURNING id;

-- name: tidy_events
-- The oldest: numbers run with time.
SELECT seq, created_at FROM event WHERE service_id = $1 ORDER BY seq LIMIT $2;

-- name: tidy_events_until
DELETE FROM event WHERE service_id = $1 AND seq <= $2;

-- name: tidy_outbox
-- What ended before $3, done or parked, with its attempts.
DELETE FROM outbox WHERE id IN
    (SELECT id FROM outbox WHERE service_id = $1 AND state = $2
        AND ended_at < $3
    ORDER BY ended_at LIMIT $4)
RETURNING id;

-- name: tidy_code_tries
DELETE FROM code_try WHERE id IN
    (SELECT id FROM code_try WHERE tried_at <= $1 ORDER BY tried_at LIMIT $2)
RETURNING id;

-- name: tidy_intents
DELETE FROM intent WHERE party_id IN
    (SELECT party_id FROM intent WHERE expires_at <= $1
    ORDER BY expires_at LIMIT $2)
RETURNING party_id;

-- name: tidy_usage
DELETE FROM usage WHERE service_id = $1 AND day < $2 RETURNING day;
