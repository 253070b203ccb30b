-- What /metrics asks. Each costs as much as is counted, up to a bound, however
-- much else is there.

-- name: metrics_services
SELECT id, name FROM service WHERE id > $1 ORDER BY id LIMIT 1;

-- name: metrics_open
-- Open sessions; no more than 100,000 are counted.
SELECT count(*) FROM (SELECT 1 FROM session
    WHERE closed_at IS NULL AND expires_at > $1 LIMIT 100000) AS few;

-- name: metrics_numbers
SELECT state, country, count(*) FROM number WHERE service_id = $1
GROUP BY state, country;

-- name: metrics_pairs
-- Who met last, of those who are not erased.
SELECT a.person, b.person FROM session s
JOIN party a ON a.session_id = s.id AND a.position = 0 AND a.replaced_at IS NULL
JOIN party b ON b.session_id = s.id AND b.position = 1 AND b.replaced_at IS NULL
WHERE s.service_id = $1 AND s.erasure_id IS NULL
ORDER BY s.id DESC LIMIT 16;

-- name: metrics_waiting
-- Deliveries to a receiver, up to 10,000.
SELECT count(*) FROM (SELECT 1 FROM outbox
    WHERE service_id = $1 AND channel = $2 AND state = 'waiting' LIMIT 10000)
    AS few;

-- name: metrics_parked
-- Deliveries given up, up to 10,000.
SELECT count(*) FROM (SELECT 1 FROM outbox
    WHERE service_id = $1 AND state = 'parked' AND ended_at IS NOT NULL
    LIMIT 10000) AS few;
