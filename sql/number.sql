-- name: number_insert
INSERT INTO number (number, service_id, country, state, last_used_at,
    created_at, shuffle)
VALUES ($1, $2, $3, 'active', 0, $4, $5)
ON CONFLICT (number) DO NOTHING
RETURNING number;

-- name: number_find
-- A masked number of any service.
SELECT service_id, state FROM number WHERE number = $1;

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
-- The numbers that $2 and $3 had in their last session, if both still hold
-- them for each other.
SELECT a.number, b.number FROM leg a
JOIN leg b ON b.session_id = a.session_id AND b.person = $3 AND b.peer = $2
JOIN number n ON n.number = a.number
JOIN number m ON m.number = b.number
WHERE a.person = $2 AND a.peer = $3
    AND a.live_until <= $4 AND b.live_until <= $4
    AND n.service_id = $1 AND n.state = 'active' AND m.state = 'active'
    AND ($5 = '' OR n.country = $5 AND m.country = $5)
ORDER BY a.held_until DESC LIMIT 1;

-- A number is free for a person who has no leg on it, live or held. Walking
-- the pool for one that is free for $2 and $3 costs as much as the busiest of
-- them has legs, so it is done in steps: the 64 numbers longest unused, then 64
-- from a random place, a few times, and the whole pool only when hardly any is
-- free. Each statement comes once more for the numbers of one country.

-- name: number_oldest
-- Among the numbers longest unused.
SELECT n.number FROM
    (SELECT number, last_used_at FROM number
    WHERE service_id = $1 AND state = 'active'
    ORDER BY last_used_at, number LIMIT 64) n
WHERE NOT EXISTS (SELECT 1 FROM leg l WHERE l.number = n.number
        AND l.person = $2 AND l.held_until > $4)
    AND NOT EXISTS (SELECT 1 FROM leg l WHERE l.number = n.number
        AND l.person = $3 AND l.held_until > $4)
ORDER BY n.last_used_at, n.number LIMIT 1;

-- name: number_oldest_country
-- The same within a country, $5.
SELECT n.number FROM
    (SELECT number, last_used_at FROM number
    WHERE service_id = $1 AND state = 'active' AND country = $5
    ORDER BY last_used_at, number LIMIT 64) n
WHERE NOT EXISTS (SELECT 1 FROM leg l WHERE l.number = n.number
        AND l.person = $2 AND l.held_until > $4)
    AND NOT EXISTS (SELECT 1 FROM leg l WHERE l.number = n.number
        AND l.person = $3 AND l.held_until > $4)
ORDER BY n.last_used_at, n.number LIMIT 1;

-- name: number_random
-- Among the numbers from a random place on, $5.
SELECT n.number FROM
    (SELECT number, shuffle FROM number
    WHERE service_id = $1 AND state = 'active' AND shuffle >= $5
    ORDER BY shuffle LIMIT 64) n
WHERE NOT EXISTS (SELECT 1 FROM leg l WHERE l.number = n.number
        AND l.person = $2 AND l.held_until > $4)
    AND NOT EXISTS (SELECT 1 FROM leg l WHERE l.number = n.number
        AND l.person = $3 AND l.held_until > $4)
ORDER BY n.shuffle, n.number LIMIT 1;

-- name: number_random_country
-- The same within a country, $6.
SELECT n.number FROM
    (SELECT number, shuffle FROM number
    WHERE service_id = $1 AND state = 'active' AND country = $6 AND shuffle >= $5
    ORDER BY shuffle LIMIT 64) n
WHERE NOT EXISTS (SELECT 1 FROM leg l WHERE l.number = n.number
        AND l.person = $2 AND l.held_until > $4)
    AND NOT EXISTS (SELECT 1 FROM leg l WHERE l.number = n.number
        AND l.person = $3 AND l.held_until > $4)
ORDER BY n.shuffle, n.number LIMIT 1;

-- name: number_any
-- Among all of the pool, longest unused first.
SELECT n.number FROM number n
WHERE n.service_id = $1 AND n.state = 'active'
    AND NOT EXISTS (SELECT 1 FROM leg l WHERE l.number = n.number
        AND l.person = $2 AND l.held_until > $4)
    AND NOT EXISTS (SELECT 1 FROM leg l WHERE l.number = n.number
        AND l.person = $3 AND l.held_until > $4)
ORDER BY n.last_used_at, n.number LIMIT 1;

-- name: number_any_country
-- The same within a country, $5.
SELECT n.number FROM number n
WHERE n.service_id = $1 AND n.state = 'active' AND n.country = $5
    AND NOT EXISTS (SELECT 1 FROM leg l WHERE l.number = n.number
        AND l.person = $2 AND l.held_until > $4)
    AND NOT EXISTS (SELECT 1 FROM leg l WHERE l.number = n.number
        AND l.person = $3 AND l.held_until > $4)
ORDER BY n.last_used_at, n.number LIMIT 1;

-- name: number_longest_held
-- The number on which $2's session ended longest ago, no later than $3: to be
-- given away before its hold is over.
SELECT l.number FROM leg l JOIN number n ON n.number = l.number
WHERE l.person = $2 AND l.live_until <= $3
    AND n.service_id = $1 AND n.state = 'active'
    AND ($4 = '' OR n.country = $4)
ORDER BY l.live_until LIMIT 1;

-- name: number_wanted
-- A number asked for by name, $4, if it is there for that and $2 may have it
-- in a session with $3.
SELECT n.number FROM number n
WHERE n.service_id = $1 AND n.number = $4
    AND n.state IN ('active', 'reserved')
    AND NOT EXISTS (SELECT 1 FROM leg l WHERE l.number = n.number
        AND l.person = $2 AND l.held_until > $5
        AND (l.peer <> $3 OR l.live_until > $5));

-- name: number_count_active
SELECT count(*) FROM number WHERE service_id = $1 AND state = 'active';

-- name: number_count_country
SELECT count(*) FROM number
WHERE service_id = $1 AND state = 'active' AND country = $2;

-- name: number_count_legs
-- How many numbers of a service a person has a leg on.
SELECT count(*) FROM leg l JOIN number n ON n.number = l.number
WHERE l.person = $2 AND l.held_until > $3
    AND n.service_id = $1 AND n.state = 'active';

-- name: number_room
-- Of the 64 numbers longest unused: how many there are, and how many are free
-- for both $2 and $3. Tells whether the pool is about to run dry for them.
SELECT count(*), coalesce(sum(CASE WHEN
    NOT EXISTS (SELECT 1 FROM leg l WHERE l.number = n.number
        AND l.person = $2 AND l.held_until > $4)
    AND NOT EXISTS (SELECT 1 FROM leg l WHERE l.number = n.number
        AND l.person = $3 AND l.held_until > $4) THEN 1 ELSE 0 END), 0)
FROM (SELECT number FROM number
    WHERE service_id = $1 AND state = 'active'
    ORDER BY last_used_at, number LIMIT 64) n;

-- name: number_set_state
UPDATE number SET state = $3 WHERE service_id = $1 AND number = $2
RETURNING number;

-- name: number_touch
UPDATE number SET last_used_at = $2 WHERE number = $1;
