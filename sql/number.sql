-- name: number_insert
INSERT INTO number (number, service_id, country, state, last_used_at,
    created_at, place)
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

-- name: number_page
-- The numbers behind $3 in country $2, by country.
SELECT number, country FROM number
WHERE service_id = $1 AND (country, number) > ($2, $3)
ORDER BY country, number LIMIT $4;

-- name: number_page_state
-- The same of those in a state, $5.
SELECT number, country FROM number
WHERE service_id = $1 AND state = $5 AND (country, number) > ($2, $3)
ORDER BY country, number LIMIT $4;

-- name: number_read
-- With the legs on it that are live and held, up to $4 of each. Held are those
-- that ended last, so that the others need not be looked at.
SELECT n.country, n.state, n.last_used_at, n.created_at,
    (SELECT count(*) FROM (SELECT 1 FROM leg
        WHERE number = $2 AND live_until > $3 LIMIT $4) few),
    (SELECT count(*) FROM (SELECT held_until FROM leg
        WHERE number = $2 AND live_until <= $3
        ORDER BY live_until DESC LIMIT $4) few WHERE few.held_until > $3),
    CASE WHEN EXISTS (SELECT 1 FROM outbox o WHERE o.subject_id = $2
        AND o.kind IN ('number_check', 'number_set') AND o.state = 'waiting')
        THEN 'checking' ELSE n.twilio_state END,
    n.twilio_detail, n.twilio_checked_at, n.twilio_sid, n.twilio_differs
FROM number n WHERE n.service_id = $1 AND n.number = $2;

-- name: number_note_twilio
UPDATE number SET twilio_state = $3, twilio_detail = $4,
    twilio_checked_at = $5, twilio_sid = $6, twilio_differs = $7
WHERE service_id = $1 AND number = $2;

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
ORDER BY a.live_until DESC LIMIT 1;

-- A number is free for a person who has no leg on it, live or held. Looking
-- through the pool for one that is free for $2 and $3 costs as much as the
-- busiest of them has legs, so it is done in two steps, each of which comes
-- once more for the numbers of one country.

-- name: number_oldest
-- The numbers longest unused, and of each whether it is taken. Whoever asks
-- stops at the first that is not.
SELECT n.number, CASE WHEN
    EXISTS (SELECT 1 FROM leg l WHERE l.person = $2 AND l.place = n.place
        AND l.held_until > $4)
    OR EXISTS (SELECT 1 FROM leg l WHERE l.person = $3 AND l.place = n.place
        AND l.held_until > $4) THEN 1 ELSE 0 END
FROM number n
WHERE n.service_id = $1 AND n.state = 'active'
ORDER BY n.last_used_at, n.number LIMIT 64;

-- name: number_oldest_country
-- The same within a country, $5.
SELECT n.number, CASE WHEN
    EXISTS (SELECT 1 FROM leg l WHERE l.person = $2 AND l.place = n.place
        AND l.held_until > $4)
    OR EXISTS (SELECT 1 FROM leg l WHERE l.person = $3 AND l.place = n.place
        AND l.held_until > $4) THEN 1 ELSE 0 END
FROM number n
WHERE n.service_id = $1 AND n.state = 'active' AND n.country = $5
ORDER BY n.last_used_at, n.number LIMIT 64;

-- name: number_gap
-- The first free one between two places, $5 and $6. Pool and legs come sorted
-- from their indexes and are merged: where one in a hundred is free that takes
-- some hundred steps, and the whole pool is read only if nothing is.
SELECT number FROM number WHERE place =
    (SELECT place FROM number
        WHERE service_id = $1 AND state = 'active' AND place BETWEEN $5 AND $6
    EXCEPT SELECT place FROM leg
        WHERE person = $2 AND place BETWEEN $5 AND $6 AND held_until > $4
    EXCEPT SELECT place FROM leg
        WHERE person = $3 AND place BETWEEN $5 AND $6 AND held_until > $4
    ORDER BY place LIMIT 1);

-- name: number_gap_country
-- The same within a country, $7.
SELECT number FROM number WHERE place =
    (SELECT place FROM number
        WHERE service_id = $1 AND state = 'active' AND country = $7
        AND place BETWEEN $5 AND $6
    EXCEPT SELECT place FROM leg
        WHERE person = $2 AND place BETWEEN $5 AND $6 AND held_until > $4
    EXCEPT SELECT place FROM leg
        WHERE person = $3 AND place BETWEEN $5 AND $6 AND held_until > $4
    ORDER BY place LIMIT 1);

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

-- name: number_count_country
SELECT count(*) FROM number
WHERE service_id = $1 AND state = 'active' AND country = $2;

-- name: number_room
-- Of the 64 numbers longest unused: how many there are, and how many are free
-- for both $2 and $3. Tells whether the pool is about to run dry for them.
SELECT count(*), coalesce(sum(CASE WHEN
    EXISTS (SELECT 1 FROM leg l WHERE l.person = $2 AND l.place = n.place
        AND l.held_until > $4)
    OR EXISTS (SELECT 1 FROM leg l WHERE l.person = $3 AND l.place = n.place
        AND l.held_until > $4) THEN 0 ELSE 1 END), 0)
FROM (SELECT place FROM number
    WHERE service_id = $1 AND state = 'active'
    ORDER BY last_used_at, number LIMIT 64) n;

-- name: number_set_state
UPDATE number SET state = $3 WHERE service_id = $1 AND number = $2
RETURNING number;

-- name: number_retire
-- Takes a number out of use, unless somebody has a leg on it, live or held.
UPDATE number SET state = 'retired' WHERE service_id = $1 AND number = $2
    AND NOT EXISTS (SELECT 1 FROM leg l WHERE l.number = $2
        AND l.held_until > $3)
RETURNING number;

-- name: number_touch
UPDATE number SET last_used_at = $2 WHERE number = $1;
