-- name: api_key_insert
INSERT INTO api_key (id, service_id, name, role, secret_hash, created_at)
VALUES ($1, $2, $3, $4, $5, $6);

-- name: api_key_find
-- A key that has not been revoked.
SELECT service_id, role, secret_hash, name FROM api_key
WHERE id = $1 AND revoked_at IS NULL;

-- name: api_key_list
SELECT id, name, role, created_at, revoked_at FROM api_key
WHERE service_id = $1 ORDER BY id;

-- name: api_key_show
SELECT id, name, role, created_at, revoked_at FROM api_key
WHERE service_id = $1 AND id = $2;

-- name: api_key_revoke
UPDATE api_key SET revoked_at = $3
WHERE service_id = $1 AND id = $2 AND revoked_at IS NULL
RETURNING id;
