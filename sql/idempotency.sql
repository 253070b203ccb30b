-- name: idempotency_find
SELECT fingerprint, status, body FROM idempotency
WHERE service_id = $1 AND key = $2;

-- name: idempotency_insert
INSERT INTO idempotency (service_id, key, fingerprint, status, body,
    kept_until)
VALUES ($1, $2, $3, $4, $5, $6);

-- name: idempotency_purge
-- Forgets up to $2 answers that need not be kept at $1.
DELETE FROM idempotency WHERE (service_id, key) IN
    (SELECT service_id, key FROM idempotency WHERE kept_until < $1
    ORDER BY kept_until LIMIT $2)
RETURNING key;
