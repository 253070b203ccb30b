-- name: number_insert
INSERT INTO number (number, service_id, country, state, last_used_at,
    created_at)
VALUES ($1, $2, $3, 'active', 0, $4)
ON CONFLICT (number) DO NOTHING
RETURNING number;

-- name: number_find
-- A masked number of any service, with what a call to it needs.
SELECT n.service_id, n.state, s.call_limit_s
FROM number n JOIN service s ON s.id = n.service_id
WHERE n.number = $1;

-- name: number_list
SELECT n.number, n.country, n.state, n.last_used_at,
    (SELECT count(*) FROM leg l
        WHERE l.number = n.number AND l.live_until > $2),
    (SELECT count(*) FROM leg l
        WHERE l.number = n.number AND l.live_until <= $2
        AND l.held_until > $2)
FROM number n WHERE n.service_id = $1 ORDER BY n.number;

-- name: number_party
-- How many parties of open sessions have this real number ($1, its hash):
-- such a number must not become a masked one.
SELECT count(*) FROM leg WHERE person = $1 AND live_until > $2;

-- name: number_sticky
-- The number that $2 and $3 used together last and still hold, both, for
-- nobody but each other.
SELECT n.number FROM leg a
JOIN leg b ON b.number = a.number AND b.person = $3 AND b.peer = $2
JOIN number n ON n.number = a.number
WHERE a.person = $2 AND a.peer = $3
    AND a.live_until <= $4 AND b.live_until <= $4
    AND n.service_id = $1 AND n.state = 'active'
    AND ($5 = '' OR n.country = $5)
ORDER BY a.held_until DESC LIMIT 1;

-- name: number_pick
-- The number longest unused that neither $2 nor $3 has a leg on.
SELECT n.number FROM number n
WHERE n.service_id = $1 AND n.state = 'active'
    AND NOT EXISTS (SELECT 1 FROM leg l WHERE l.number = n.number
        AND l.person = $2 AND l.held_until > $4)
    AND NOT EXISTS (SELECT 1 FROM leg l WHERE l.number = n.number
        AND l.person = $3 AND l.held_until > $4)
ORDER BY n.last_used_at, n.number LIMIT 1;

-- name: number_pick_country
-- The same among the numbers of one country, $5.
SELECT n.number FROM number n
WHERE n.service_id = $1 AND n.state = 'active' AND n.country = $5
    AND NOT EXISTS (SELECT 1 FROM leg l WHERE l.number = n.number
        AND l.person = $2 AND l.held_until > $4)
    AND NOT EXISTS (SELECT 1 FROM leg l WHERE l.number = n.number
        AND l.person = $3 AND l.held_until > $4)
ORDER BY n.last_used_at, n.number LIMIT 1;

-- name: number_touch
UPDATE number SET last_used_at = $2 WHERE number = $1;
