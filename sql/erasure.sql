-- name: erasure_insert
INSERT INTO erasure (id, service_id, subject, subject_id, requested_at)
VALUES ($1, $2, $3, $4, $5);

-- name: erasure_find
SELECT id, subject, subject_id, requested_at FROM erasure
WHERE service_id = $1 AND id = $2;

-- name: erasure_item_put
-- Notes a thing of an erasure: once.
INSERT INTO erasure_item (erasure_id, thing, erased_at) VALUES ($1, $2, $3)
ON CONFLICT (erasure_id, thing) DO NOTHING
RETURNING thing;

-- name: erasure_item_list
SELECT thing, erased_at FROM erasure_item
WHERE erasure_id = $1 AND thing > $2 ORDER BY thing LIMIT $3;

-- name: erasure_item_done
-- It is gone at Twilio, on whatever receipts it waits.
UPDATE erasure_item SET erased_at = $2 WHERE thing = $1 AND erased_at IS NULL;

-- name: erasure_missing
-- Up to $3 of Twilio's records of a session that its receipt does not name yet.
SELECT t.thing FROM (
    SELECT 'Calls/' || c.sid AS thing FROM call c
    WHERE c.session_id = $1 AND c.sid IS NOT NULL
    UNION ALL SELECT 'Messages/' || m.sid FROM message m
    WHERE m.session_id = $1 AND m.sid IS NOT NULL
    UNION ALL SELECT 'Messages/' || m.sent_sid FROM message m
    WHERE m.session_id = $1 AND m.sent_sid IS NOT NULL
    UNION ALL SELECT 'Recordings/' || r.sid FROM recording r
    WHERE r.session_id = $1 AND r.deleted_at IS NULL) t
WHERE NOT EXISTS (SELECT 1 FROM erasure_item i
    WHERE i.erasure_id = $2 AND i.thing = t.thing)
LIMIT $3;

-- name: erasure_session
-- The session itself: its receipt, and when the worker looks at it again.
UPDATE session SET reference = NULL, erasure_id = $2, kept_until = $3
WHERE id = $1;

-- name: erasure_session_find
-- The receipt of a session.
SELECT erasure_id FROM session WHERE service_id = $1 AND id = $2;

-- name: erasure_person_next
-- A session that somebody is or was in and that is not erased yet.
SELECT p.session_id FROM party p
JOIN session s ON s.id = p.session_id
WHERE p.person = $2 AND s.service_id = $1 ORDER BY p.session_id LIMIT 1;

-- name: erasure_parties
-- $2 is no bytes.
UPDATE party SET person = $2, phone_sealed = $2, code = ''
WHERE session_id = $1;

-- name: erasure_intents
DELETE FROM intent WHERE party_id IN
    (SELECT id FROM party WHERE session_id = $1);

-- name: erasure_texts
UPDATE message SET body_sealed = NULL
WHERE session_id = $1 AND body_sealed IS NOT NULL;

-- name: erasure_messages
-- What waits to be sent need not be any more.
UPDATE message SET status = 'failed', ended_at = $2
WHERE session_id = $1 AND status = 'waiting';

-- name: erasure_recordings
UPDATE recording SET status = 'deleting'
WHERE session_id = $1 AND deleted_at IS NULL;
