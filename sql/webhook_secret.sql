-- name: webhook_secret_insert
INSERT INTO webhook_secret (id, service_id, secret_sealed, created_at)
VALUES ($1, $2, $3, $4);

-- name: webhook_secret_list
-- What signs at $2, newest first.
SELECT id, secret_sealed, created_at, retires_at FROM webhook_secret
WHERE service_id = $1 AND (retires_at IS NULL OR retires_at > $2)
ORDER BY id DESC LIMIT $3;

-- name: webhook_secret_retire
-- All but the newest stop to sign at $2, those that stop sooner stay so.
UPDATE webhook_secret SET retires_at = $2
WHERE service_id = $1 AND (retires_at IS NULL OR retires_at > $2)
    AND id <> (SELECT max(id) FROM webhook_secret WHERE service_id = $1);
