-- name: sign_in_insert
INSERT INTO sign_in (token_hash, key_id, seen_at, ends_at)
VALUES ($1, $2, $3, $4);

-- name: sign_in_find
-- Who has a token that is worth something at $2 and was used since $3.
SELECT s.key_id, k.service_id, k.name, k.role, s.seen_at, s.ends_at
FROM sign_in s JOIN api_key k ON k.id = s.key_id
WHERE s.token_hash = $1 AND s.ends_at > $2 AND s.seen_at > $3
    AND k.revoked_at IS NULL;

-- name: sign_in_seen
UPDATE sign_in SET seen_at = $2 WHERE token_hash = $1;

-- name: sign_in_end
DELETE FROM sign_in WHERE token_hash = $1 RETURNING key_id;

-- name: sign_in_purge
-- Forgets up to $2 that ended before $1.
DELETE FROM sign_in WHERE token_hash IN
    (SELECT token_hash FROM sign_in WHERE ends_at < $1
    ORDER BY ends_at LIMIT $2)
RETURNING key_id;
