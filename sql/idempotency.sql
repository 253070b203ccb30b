-- name: idempotency_find
SELECT fingerprint, status, body FROM idempotency
WHERE service_id = $1 AND key = $2;

-- name: idempotency_insert
INSERT INTO idempotency (service_id, key, fingerprint, status, body,
    created_at)
VALUES ($1, $2, $3, $4, $5, $6);

-- name: idempotency_purge
-- Forgets a few answers from before $1; each new one pays for some old ones.
DELETE FROM idempotency WHERE (service_id, key) IN
    (SELECT service_id, key FROM idempotency WHERE created_at < $1
    ORDER BY created_at LIMIT 16);
