-- name: outbox_put
INSERT INTO outbox (id, service_id, channel, kind, subject_id, lane, place,
    state, attempts, lease, doubt, due_at_ms, created_at_ms)
VALUES ($1, $2, $3, $4, $5, $6, (SELECT coalesce(max(place), 0) + 1 FROM outbox
    WHERE lane = $6 AND state = 'waiting'), 'waiting', 0, 0, 0, $7, $8);

-- name: outbox_put_event
-- Lets an event out, if its service wants to be told.
INSERT INTO outbox (id, service_id, channel, kind, subject_id, state, attempts,
    lease, doubt, due_at_ms, created_at_ms)
SELECT $1, id, 'app', 'event', $3, 'waiting', 0, 0, 0, $4, $4 FROM service
WHERE id = $2 AND webhook_url IS NOT NULL;

-- name: outbox_next
-- When something is due next, of those that are first in their lane.
SELECT o.due_at_ms FROM outbox o
WHERE o.service_id = $1 AND o.channel = $2 AND o.state = 'waiting'
    AND (o.lane IS NULL OR NOT EXISTS (SELECT 1 FROM outbox p
        WHERE p.lane = o.lane AND p.state = 'waiting'
            AND (p.place < o.place OR (p.place = o.place AND p.id < o.id))))
ORDER BY o.due_at_ms LIMIT 1;

-- name: outbox_numbers_end
-- When the last of the numbers to be looked up, of those not tried yet, is due,
-- if that is before $2.
SELECT due_at_ms FROM outbox
WHERE service_id = $1 AND channel = 'twilio' AND state = 'waiting'
    AND kind IN ('number_check', 'number_set') AND attempts = 0
    AND due_at_ms < $2
ORDER BY due_at_ms DESC LIMIT 1;

-- name: outbox_list_due
-- What a worker may take: due, and first in its lane.
SELECT o.id, o.kind, o.subject_id, o.attempts, o.lease, o.doubt,
    o.created_at_ms
FROM outbox o
WHERE o.service_id = $1 AND o.channel = $2 AND o.state = 'waiting'
    AND o.due_at_ms <= $3
    AND (o.lane IS NULL OR NOT EXISTS (SELECT 1 FROM outbox p
        WHERE p.lane = o.lane AND p.state = 'waiting'
            AND (p.place < o.place OR (p.place = o.place AND p.id < o.id))))
ORDER BY o.due_at_ms, o.id LIMIT $4;

-- name: outbox_lease
-- Takes it, unless another worker was quicker. From here on it may arrive: a
-- worker that dies now leaves doubt.
UPDATE outbox SET attempts = attempts + 1, lease = lease + 1, due_at_ms = $3,
    doubt = 1
WHERE id = $1 AND lease = $2 AND state = 'waiting'
RETURNING id;

-- name: outbox_finish
-- Writes the outcome, if the lease $2 is still the newest.
UPDATE outbox SET state = $3, due_at_ms = $4, doubt = $5, ended_at = $6
WHERE id = $1 AND lease = $2 AND state = 'waiting';

-- name: outbox_mine
-- Changes nothing, but keeps others from it until the transaction ends.
UPDATE outbox SET due_at_ms = due_at_ms
WHERE id = $1 AND lease = $2 AND state = 'waiting'
RETURNING id;

-- name: outbox_services
-- For whom something waits.
SELECT s.id FROM service s
WHERE s.id > $1 AND EXISTS (SELECT 1 FROM outbox o
    WHERE o.service_id = s.id AND o.state = 'waiting')
ORDER BY s.id LIMIT $2;

-- name: outbox_mend
-- No wait is that long: the clock was ahead when it was written.
UPDATE outbox SET due_at_ms = $1 WHERE state = 'waiting' AND due_at_ms > $2;

-- name: outbox_release
UPDATE outbox SET attempts = attempts - 1, due_at_ms = $3, doubt = $4
WHERE id = $1 AND lease = $2 AND state = 'waiting';

-- name: outbox_cancel
-- What is not on lease need not be sent any more. (A lease leaves doubt.)
UPDATE outbox SET state = 'done', ended_at = $3
WHERE subject_id = $2 AND kind = $1 AND state = 'waiting' AND doubt = 0
RETURNING id;

-- name: outbox_waits
SELECT 1 FROM outbox
WHERE subject_id = $2 AND kind = $1 AND state = 'waiting' LIMIT 1;

-- name: outbox_retry
UPDATE outbox SET state = 'waiting', attempts = 0, due_at_ms = $3,
    ended_at = NULL
WHERE service_id = $1 AND state = 'parked' AND id = $2
RETURNING id;

-- name: outbox_retry_all
-- Some of them: nobody else can write meanwhile.
UPDATE outbox SET state = 'waiting', attempts = 0, due_at_ms = $2,
    ended_at = NULL
WHERE id IN (SELECT id FROM outbox WHERE service_id = $1 AND state = 'parked'
    ORDER BY id LIMIT $3)
RETURNING id;

-- name: outbox_list
-- Those before $2 in the states that are named in $3, newest first. The three
-- parts come sorted from the index and are merged.
SELECT id FROM outbox WHERE service_id = $1 AND id < $2
    AND state = 'waiting' AND $3 LIKE '%waiting%'
UNION ALL SELECT id FROM outbox WHERE service_id = $1 AND id < $2
    AND state = 'parked' AND $3 LIKE '%parked%'
UNION ALL SELECT id FROM outbox WHERE service_id = $1 AND id < $2
    AND state = 'done' AND $3 LIKE '%done%'
ORDER BY id DESC LIMIT $4;

-- name: outbox_find
-- With its last try.
SELECT o.id, o.kind, o.subject_id, o.state, o.attempts, o.due_at_ms,
    o.created_at_ms, a.status, a.error, o.channel, o.ended_at
FROM outbox o
LEFT JOIN attempt a ON a.delivery_id = o.id AND a.number =
    (SELECT max(number) FROM attempt WHERE delivery_id = o.id)
WHERE o.service_id = $1 AND o.id = $2;

-- name: attempt_list
SELECT number, started_at_ms, took_ms, status, error FROM attempt
WHERE delivery_id = $1
ORDER BY number;

-- name: outbox_backlog
-- How much waits, since when what should be gone by $1 waits, how much was
-- given up.
SELECT (SELECT count(*) FROM outbox WHERE state = 'waiting'),
    (SELECT coalesce(min(created_at_ms), 0) FROM outbox
        WHERE state = 'waiting' AND due_at_ms <= $1),
    (SELECT count(*) FROM outbox
        WHERE state <> 'waiting' AND state = 'parked');

-- name: attempt_insert
-- Numbers go on where they were, also when a parked one is tried anew.
INSERT INTO attempt (delivery_id, number, started_at_ms, took_ms, status, error)
SELECT $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5 FROM attempt
WHERE delivery_id = $1;
