-- Sealing anew, table by table: how much there is, what comes behind $1, and
-- the change of one row unless it was changed meanwhile.

-- name: reseal_party_count
SELECT count(*) FROM party;

-- name: reseal_party_list
SELECT id, phone_sealed FROM party WHERE id > $1 ORDER BY id LIMIT $2;

-- name: reseal_party
UPDATE party SET phone_sealed = $3 WHERE id = $1 AND phone_sealed = $2
RETURNING id;

-- name: reseal_webhook_secret_count
SELECT count(*) FROM webhook_secret;

-- name: reseal_webhook_secret_list
SELECT id, secret_sealed FROM webhook_secret WHERE id > $1
ORDER BY id LIMIT $2;

-- name: reseal_webhook_secret
UPDATE webhook_secret SET secret_sealed = $3
WHERE id = $1 AND secret_sealed = $2
RETURNING id;

-- name: reseal_message_count
SELECT count(*) FROM message WHERE body_sealed IS NOT NULL;

-- name: reseal_message_list
SELECT id, body_sealed FROM message
WHERE id > $1 AND body_sealed IS NOT NULL ORDER BY id LIMIT $2;

-- name: reseal_message
UPDATE message SET body_sealed = $3 WHERE id = $1 AND body_sealed = $2
RETURNING id;
