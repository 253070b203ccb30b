-- What is stored about somebody, $2: the hash of their number; or, where that is
-- no bytes, about all who were in a session.

-- name: export_sessions
-- The sessions that somebody is or was in, but for those erased.
SELECT DISTINCT p.session_id FROM party p
JOIN session s ON s.id = p.session_id
WHERE p.person = $2 AND s.service_id = $1 ORDER BY p.session_id;

-- name: export_parties
-- Who was in a session, and from when: from its beginning, or from when whoever
-- was there before was replaced.
SELECT p.id, p.role, p.number, p.code, coalesce((SELECT max(q.replaced_at)
        FROM party q WHERE q.session_id = p.session_id
            AND q.position = p.position AND q.id < p.id), s.created_at),
    p.replaced_at, p.disputed_at
FROM party p
JOIN session s ON s.id = p.session_id
WHERE p.session_id = $1 AND (p.person = $2 OR length($2) = 0)
ORDER BY p.position, CASE WHEN p.replaced_at IS NULL THEN 1 ELSE 0 END, p.id;

-- name: export_calls
-- The calls of a session that they made, or that rang them; as call_list. Who was
-- rung is not always noted: then it was whoever had the other's place when the
-- call came, which ids tell by their times.
SELECT c.id, p.role, c.reason, coalesce(r.status, c.status), c.created_at,
    r.ringing_at, r.answered_at, coalesce(r.ended_at, c.ended_at),
    r.duration_s, c.placed, c.session_id
FROM call c
LEFT JOIN call r ON r.parent_sid = c.sid
LEFT JOIN party p ON p.id = c.party_id
LEFT JOIN party q ON q.id = r.party_id
WHERE c.session_id = $1 AND c.parent_sid IS NULL
    AND (p.person = $2 OR q.person = $2 OR length($2) = 0
        OR r.party_id IS NULL AND c.reason LIKE 'connected%'
        AND EXISTS (SELECT 1 FROM party t
            WHERE t.session_id = $1 AND t.person = $2
                AND t.position = 1 - p.position
                AND substr(t.id, 5) < substr(c.id, 5)
                AND NOT EXISTS (SELECT 1 FROM party n
                    WHERE n.session_id = $1 AND n.position = t.position
                        AND n.id > t.id
                        AND substr(n.id, 5) < substr(c.id, 5))))
ORDER BY c.id;

-- name: export_messages
-- The texts that they wrote or got; as message_list, and whether they wrote it.
SELECT m.id, m.sid, m.sent_sid, m.service_id, m.session_id, m.from_party,
    m.to_party, f.role, t.role, m.number, m.reason, m.status, m.error, m.media,
    m.created_at, m.sent_at, m.ended_at,
    CASE WHEN f.person = $2 THEN 1 ELSE 0 END
FROM message m
LEFT JOIN party f ON f.id = m.from_party
LEFT JOIN party t ON t.id = m.to_party
WHERE m.session_id = $1
    AND (f.person = $2 OR t.person = $2 OR length($2) = 0)
ORDER BY m.id;

-- name: export_recordings
-- The recordings of a call, $1; as recording_list.
SELECT id, sid, call_id, session_id, service_id, status, duration_s, channels,
    created_at, deleted_at
FROM recording WHERE call_id = $1 ORDER BY id;

-- name: export_legs
-- The numbers that connect somebody or are held for them, also by sessions that
-- are erased, and then by which receipt.
SELECT l.number, l.session_id, l.live_until, l.held_until, s.erasure_id
FROM leg l
JOIN session s ON s.id = l.session_id
WHERE l.person = $2 AND s.service_id = $1
ORDER BY l.session_id, l.number;
