-- name: tally_add
-- Counts one of $4 in the minute $2 and in the hour $3.
INSERT INTO tally (service_id, step_s, at, what, count)
VALUES ($1, 60, $2, $4, 1), ($1, 3600, $3, $4, 1)
ON CONFLICT (service_id, step_s, at, what) DO UPDATE
    SET count = tally.count + excluded.count;

-- name: tally_list
SELECT at, what, count FROM tally
WHERE service_id = $1 AND step_s = $2 AND at >= $3 ORDER BY at, what;

-- name: tally_sum
SELECT coalesce(sum(count), 0) FROM tally
WHERE service_id = $1 AND step_s = 3600 AND what = $2 AND at >= $3 AND at < $4;

-- name: tally_first
SELECT at FROM tally
WHERE service_id = $1 AND step_s = 3600 ORDER BY at LIMIT 1;

-- name: tally_purge
-- Forgets up to $4 rows of steps that began before $3.
DELETE FROM tally WHERE (service_id, step_s, at, what) IN
    (SELECT service_id, step_s, at, what FROM tally
    WHERE service_id = $1 AND step_s = $2 AND at < $3 ORDER BY at LIMIT $4)
RETURNING at;
