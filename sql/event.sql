-- name: event_insert
INSERT INTO event (service_id, seq, id, type, session_id, call_id, detail,
    created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: outbox_put
-- Lets an event out, if its service wants to be told.
INSERT INTO outbox (id, service_id, kind, event_id, attempts, due_at,
    created_at)
SELECT $1, id, 'event', $3, 0, $4, $4 FROM service
WHERE id = $2 AND webhook_url IS NOT NULL;
