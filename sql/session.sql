-- name: session_insert
-- One that is opened for so short a time needs no notice of its end.
INSERT INTO session (id, service_id, reference, created_at, expires_at, voice,
    text, expiring_told_at)
SELECT $1, id, $3, $4, $5, $6, $7,
    CASE WHEN $5 - expiring_s > $4 THEN NULL ELSE $4 END
FROM service WHERE id = $2;

-- name: session_find
SELECT id, reference, created_at, expires_at, closed_at, close_reason,
    linger_until, voice, text
FROM session WHERE service_id = $1 AND id = $2;

-- name: session_find_reference
-- The one session of this reference that has not been closed, though it may
-- have expired.
SELECT id, expires_at FROM session
WHERE service_id = $1 AND reference = $2 AND closed_at IS NULL;

-- name: session_close
-- Closes what is not closed: once, for good.
UPDATE session SET closed_at = $3, close_reason = $4
WHERE service_id = $1 AND id = $2 AND closed_at IS NULL
RETURNING id;

-- name: session_update
-- Moves the end of an open session and says who may call and text. A new end
-- is told of when its notice lies ahead.
UPDATE session SET expires_at = $3, voice = $4, text = $5,
    expiring_told_at = CASE WHEN $3 = expires_at THEN expiring_told_at
        WHEN $3 - (SELECT expiring_s FROM service WHERE id = $1) > $6 THEN NULL
        ELSE $6 END
WHERE service_id = $1 AND id = $2 AND closed_at IS NULL
RETURNING id;

-- name: session_linger
-- Lets a closed session go on, or not, and says who may call.
UPDATE session SET linger_until = $3, voice = $4
WHERE service_id = $1 AND id = $2;

-- Lists of sessions: the newest first, those below $2. Whoever asks stops where a
-- page is full.

-- name: session_list
SELECT id, reference, created_at, expires_at, closed_at, close_reason,
    linger_until, voice, text
FROM session
WHERE service_id = $1 AND id < $2
ORDER BY id DESC LIMIT $3;

-- name: session_list_state
-- Those closed as $3 says and, if $4 is 1, those not closed.
SELECT id, reference, created_at, expires_at, closed_at, close_reason,
    linger_until, voice, text
FROM session
WHERE service_id = $1 AND close_reason = $3 AND id < $2
UNION ALL
SELECT id, reference, created_at, expires_at, closed_at, close_reason,
    linger_until, voice, text
FROM session
WHERE service_id = $1 AND close_reason IS NULL AND $4 = 1 AND id < $2
ORDER BY id DESC LIMIT $5;

-- name: session_list_reference
-- Those of one reference, $3.
SELECT id, reference, created_at, expires_at, closed_at, close_reason,
    linger_until, voice, text
FROM session
WHERE service_id = $1 AND reference = $3 AND id < $2
ORDER BY id DESC LIMIT $4;

-- name: session_list_person
-- What somebody is or was in; twice, if they came back.
SELECT s.id, s.reference, s.created_at, s.expires_at, s.closed_at,
    s.close_reason, s.linger_until, s.voice, s.text
FROM party p JOIN session s ON s.id = p.session_id
WHERE p.person = $3 AND p.session_id < $2 AND s.service_id = $1
ORDER BY p.session_id DESC LIMIT $4;

-- name: session_list_number
-- What a masked number is or was for; once for each party.
SELECT s.id, s.reference, s.created_at, s.expires_at, s.closed_at,
    s.close_reason, s.linger_until, s.voice, s.text
FROM party p JOIN session s ON s.id = p.session_id
WHERE p.number = $3 AND p.session_id < $2 AND s.service_id = $1
ORDER BY p.session_id DESC LIMIT $4;

-- name: session_count_open
-- How many are open; no more than 100,000 are counted.
SELECT count(*) FROM (SELECT 1 FROM session
    WHERE service_id = $1 AND close_reason IS NULL AND expires_at > $2
    LIMIT 100000) AS few;

-- name: party_insert
INSERT INTO party (id, session_id, position, role, person, phone_sealed,
    number, code)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: party_phone
SELECT phone_sealed FROM party WHERE id = $1;

-- name: party_list
-- Those of now.
SELECT id, role, number, code, disputed_at, person FROM party
WHERE session_id = $1 AND replaced_at IS NULL ORDER BY position;

-- name: party_replace
UPDATE party SET replaced_at = $2 WHERE id = $1 AND replaced_at IS NULL;

-- name: party_dispute
-- Marks that somebody at this phone says to be another: once.
UPDATE party SET disputed_at = $2 WHERE id = $1 AND disputed_at IS NULL
RETURNING id;

-- name: party_code_used
-- Whether a code means somebody on a number already.
SELECT 1 FROM party p JOIN session s ON s.id = p.session_id
WHERE p.number = $1 AND p.code = $2 AND p.replaced_at IS NULL
    AND (s.closed_at IS NULL AND s.expires_at > $3 OR s.linger_until > $3)
LIMIT 1;

-- name: party_spans
-- Who was in a session and for how long, by the country of the masked number,
-- person, and time: what a plan is made of.
SELECT n.country, p.person, s.created_at, coalesce(s.closed_at, s.expires_at)
FROM session s
JOIN party p ON p.session_id = s.id
JOIN number n ON n.number = p.number
WHERE s.service_id = $1 AND s.created_at > $2 AND s.erasure_id IS NULL
ORDER BY n.country, p.person, s.created_at;
