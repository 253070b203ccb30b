-- name: session_insert
INSERT INTO session (id, service_id, reference, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5);

-- name: session_find
SELECT id, reference, created_at, expires_at, closed_at, close_reason
FROM session WHERE service_id = $1 AND id = $2;

-- name: session_find_reference
-- The one session of this reference that has not been closed, though it may
-- have expired.
SELECT id, expires_at FROM session
WHERE service_id = $1 AND reference = $2 AND closed_at IS NULL;

-- name: session_close
-- Closes what is not closed: once, for good.
UPDATE session SET closed_at = $3, close_reason = $4
WHERE service_id = $1 AND id = $2 AND closed_at IS NULL
RETURNING id;

-- name: session_list
-- Newest first, older than $2 if that is given; by status and reference if
-- those are given.
SELECT id, reference, created_at, expires_at, closed_at, close_reason
FROM session
WHERE service_id = $1 AND ($2 = '' OR id < $2)
    AND ($3 = ''
        OR $3 = 'open' AND closed_at IS NULL AND expires_at > $4
        OR $3 = 'closed' AND closed_at IS NOT NULL AND close_reason = 'closed'
        OR $3 = 'expired' AND (close_reason = 'expired'
            OR closed_at IS NULL AND expires_at <= $4))
ORDER BY id DESC LIMIT $5;

-- name: session_list_reference
-- The same for one reference, $3.
SELECT id, reference, created_at, expires_at, closed_at, close_reason
FROM session
WHERE service_id = $1 AND reference = $3 AND ($2 = '' OR id < $2)
    AND ($4 = ''
        OR $4 = 'open' AND closed_at IS NULL AND expires_at > $5
        OR $4 = 'closed' AND closed_at IS NOT NULL AND close_reason = 'closed'
        OR $4 = 'expired' AND (close_reason = 'expired'
            OR closed_at IS NULL AND expires_at <= $5))
ORDER BY id DESC LIMIT $6;

-- name: party_insert
INSERT INTO party (id, session_id, position, role, person, phone_sealed,
    number, code)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: party_list
SELECT id, role, number, code FROM party
WHERE session_id = $1 ORDER BY position;
