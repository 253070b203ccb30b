-- name: code_try_insert
-- The same digits in the same call are one try.
INSERT INTO code_try (id, number, call_sid, digits, tried_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (call_sid, digits) DO NOTHING;

-- name: code_try_count_number
-- Codes typed in vain at a number since $2.
SELECT count(*) FROM code_try WHERE number = $1 AND tried_at > $2;

-- name: code_try_count_call
-- Codes typed in vain in a call.
SELECT count(*) FROM code_try WHERE call_sid = $1;

-- name: code_try_purge
DELETE FROM code_try WHERE tried_at <= $1;
