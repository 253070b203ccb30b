-- What `callmask top` asks every two seconds, with some of metrics.sql. Each costs
-- as much as is counted, up to a bound, however much else is there.

-- name: top_calls
-- The states of the calls since $1 that connected people and are not over.
SELECT coalesce(r.status, c.status) FROM call c
LEFT JOIN call r ON r.parent_sid = c.sid
WHERE c.parent_sid IS NULL AND c.status NOT IN
        ('completed', 'busy', 'failed', 'no-answer', 'canceled')
    AND c.created_at > $1 AND c.reason LIKE 'connected%'
    AND ($2 = '' OR c.service_id = $2)
LIMIT 10000;

-- name: top_sessions
-- Open sessions of a service; no more than 100,000 of all are looked at.
SELECT count(*) FROM (SELECT service_id FROM session
    WHERE closed_at IS NULL AND expires_at > $1 LIMIT 100000) AS few
WHERE service_id = $2;

-- name: top_late
-- Deliveries to a receiver that should have gone by $3, up to 10,000.
SELECT count(*) FROM (SELECT 1 FROM outbox
    WHERE service_id = $1 AND channel = $2 AND state = 'waiting'
        AND due_at_ms <= $3 LIMIT 10000) AS few;

-- name: top_parked
-- Deliveries to a receiver among the first 10,000 given up.
SELECT count(*) FROM (SELECT channel FROM outbox
    WHERE service_id = $1 AND state = 'parked' AND ended_at IS NOT NULL
    LIMIT 10000) AS few
WHERE channel = $2;
