-- name: intent_put
-- Announces a party; the newest announcement counts.
INSERT INTO intent (party_id, number, expires_at) VALUES ($1, $2, $3)
ON CONFLICT (party_id) DO UPDATE SET number = excluded.number,
    expires_at = excluded.expires_at;

-- name: intent_take
-- Takes the announcement waiting at number $1, if exactly one waits there.
DELETE FROM intent WHERE number = $1 AND expires_at > $2
    AND (SELECT count(*) FROM intent i
        WHERE i.number = $1 AND i.expires_at > $2) = 1
RETURNING party_id;

-- name: intent_purge
DELETE FROM intent WHERE expires_at <= $1;
