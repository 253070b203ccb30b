-- name: event_insert
INSERT INTO event (service_id, seq, id, type, session_id, subject_id, detail,
    created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);
