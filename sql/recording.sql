-- name: recording_insert
-- Returns no row if the RecordingSid is known already.
INSERT INTO recording (id, sid, call_id, session_id, service_id, status,
    duration_s, channels, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (sid) DO NOTHING
RETURNING id;

-- name: recording_find_sid
SELECT id, sid, call_id, session_id, service_id, status, duration_s, channels,
    created_at, deleted_at
FROM recording WHERE sid = $1;

-- name: recording_find
SELECT id, sid, call_id, session_id, service_id, status, duration_s, channels,
    created_at, deleted_at
FROM recording WHERE service_id = $1 AND id = $2;

-- name: recording_update
UPDATE recording SET call_id = $2, session_id = $3, service_id = $4,
    status = $5, duration_s = $6, channels = $7
WHERE id = $1;

-- name: recording_deleted
-- Twilio has deleted it: once.
UPDATE recording SET status = 'deleted', deleted_at = $2
WHERE sid = $1 AND deleted_at IS NULL
RETURNING id, session_id, service_id;

-- name: recording_list
-- Those of a session, newest first.
SELECT id, sid, call_id, session_id, service_id, status, duration_s, channels,
    created_at, deleted_at
FROM recording WHERE session_id = $1 ORDER BY id DESC LIMIT $2;
