-- name: service_insert
INSERT INTO service (id, name, countries, ttl_default_s, ttl_max_s, hold_s,
    call_limit_s, webhook_url, event_seq, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, $9)
ON CONFLICT (name) DO NOTHING
RETURNING id;

-- name: service_find
SELECT id, name, countries, ttl_default_s, ttl_max_s, hold_s, call_limit_s
FROM service WHERE id = $1;

-- name: service_find_name
SELECT id, name, countries, ttl_default_s, ttl_max_s, hold_s, call_limit_s
FROM service WHERE name = $1;

-- name: service_only
-- The service if there is just one: what the CLI means when told no name.
SELECT id, name, countries, ttl_default_s, ttl_max_s, hold_s, call_limit_s
FROM service WHERE (SELECT count(*) FROM service) = 1;

-- name: service_next_event
-- Takes the next event number; the row lock keeps the numbers without gaps.
UPDATE service SET event_seq = event_seq + 1 WHERE id = $1
RETURNING event_seq;
