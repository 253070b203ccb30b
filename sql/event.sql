-- name: event_insert
INSERT INTO event (service_id, seq, id, type, session_id, subject_id, detail,
    created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: event_find
SELECT e.id, e.seq, e.type, v.name, e.session_id, s.reference, e.subject_id,
    e.detail, e.created_at
FROM event e
JOIN service v ON v.id = e.service_id
LEFT JOIN session s ON s.id = e.session_id
WHERE e.id = $1;

-- name: event_list
SELECT e.id, e.seq, e.type, v.name, e.session_id, s.reference, e.subject_id,
    e.detail, e.created_at
FROM event e
JOIN service v ON v.id = e.service_id
LEFT JOIN session s ON s.id = e.session_id
WHERE e.service_id = $1 AND e.seq > $2
ORDER BY e.seq LIMIT $3;

-- name: event_list_session
-- Those of a session, with what became of them on their way to the app.
SELECT e.id, e.seq, e.type, v.name, e.session_id, s.reference, e.subject_id,
    e.detail, e.created_at, o.id, o.state, o.attempts
FROM event e
JOIN service v ON v.id = e.service_id
LEFT JOIN session s ON s.id = e.session_id
LEFT JOIN outbox o ON o.subject_id = e.id AND o.kind = 'event'
WHERE e.session_id = $2 AND e.service_id = $1 AND e.seq > $3
ORDER BY e.seq LIMIT $4;
