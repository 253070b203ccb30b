-- name: message_insert
-- Returns no row if the MessageSid is known already.
INSERT INTO message (id, sid, service_id, session_id, from_party, to_party,
    number, reason, status, media, body_sealed, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (sid) DO NOTHING
RETURNING id;

-- name: message_find
SELECT m.id, m.sid, m.sent_sid, m.service_id, m.session_id, m.from_party,
    m.to_party, f.role, t.role, m.number, m.reason, m.status, m.error, m.media,
    m.created_at, m.sent_at, m.ended_at
FROM message m
LEFT JOIN party f ON f.id = m.from_party
LEFT JOIN party t ON t.id = m.to_party
WHERE m.id = $1;

-- name: message_find_sid
-- The one that came in by this MessageSid.
SELECT m.id, m.sid, m.sent_sid, m.service_id, m.session_id, m.from_party,
    m.to_party, f.role, t.role, m.number, m.reason, m.status, m.error, m.media,
    m.created_at, m.sent_at, m.ended_at
FROM message m
LEFT JOIN party f ON f.id = m.from_party
LEFT JOIN party t ON t.id = m.to_party
WHERE m.sid = $1;

-- name: message_list
-- The messages of a session, newest first.
SELECT m.id, m.sid, m.sent_sid, m.service_id, m.session_id, m.from_party,
    m.to_party, f.role, t.role, m.number, m.reason, m.status, m.error, m.media,
    m.created_at, m.sent_at, m.ended_at
FROM message m
LEFT JOIN party f ON f.id = m.from_party
LEFT JOIN party t ON t.id = m.to_party
WHERE m.session_id = $1
ORDER BY m.id DESC LIMIT $2;

-- name: message_update
UPDATE message SET sent_sid = $2, status = $3, error = $4, sent_at = $5,
    ended_at = $6
WHERE id = $1;

-- name: message_body
SELECT body_sealed FROM message WHERE id = $1;

-- name: message_wipe
UPDATE message SET body_sealed = NULL WHERE id = $1;

-- name: message_forget
-- Texts that are kept no longer, but for those not sent yet.
UPDATE message SET body_sealed = NULL
WHERE id IN (SELECT id FROM message
    WHERE service_id = $1 AND created_at < $2 AND body_sealed IS NOT NULL
        AND status <> 'waiting'
    LIMIT $3)
RETURNING id;

-- name: message_sent
-- Which message went out by this MessageSid.
SELECT id FROM message WHERE sent_sid = $1;

-- name: message_count_relayed
-- Texts of somebody that were relayed since $2, but for $3.
SELECT count(*) FROM message
WHERE from_party = $1 AND created_at > $2 AND status <> 'refused'
    AND sid <> $3;

-- name: message_count_refused
-- Texts of somebody that were refused for one reason since $2, before $4.
SELECT count(*) FROM message
WHERE from_party = $1 AND created_at > $2 AND status = 'refused'
    AND reason = $3 AND id < $4;
