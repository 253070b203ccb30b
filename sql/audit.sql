-- name: audit_last
-- The newest row of a service.
SELECT seq, at, hash FROM audit WHERE service_id = $1 ORDER BY seq DESC LIMIT 1;

-- name: audit_insert
INSERT INTO audit (service_id, seq, at, key_id, name, action, subject, detail,
    request_id, hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: audit_looked
-- Whether somebody looked at something since $5.
SELECT 1 FROM audit
WHERE service_id = $1 AND key_id = $2 AND subject = $3 AND action = $4
    AND at > $5 AND detail = $6 LIMIT 1;

-- name: audit_list
-- The $3 newest rows of a service below $2.
SELECT seq, at, key_id, name, action, subject, detail, request_id, hash
FROM audit WHERE service_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3;

-- name: audit_walk
-- The $3 oldest above $2.
SELECT seq, at, key_id, name, action, subject, detail, request_id, hash
FROM audit WHERE service_id = $1 AND seq > $2 ORDER BY seq LIMIT $3;

-- name: audit_purge
-- Forgets up to $2 rows from before $1, but never the newest.
DELETE FROM audit WHERE (service_id, seq) IN
    (SELECT a.service_id, a.seq FROM audit a WHERE a.at < $1
        AND a.seq < (SELECT max(b.seq) FROM audit b
            WHERE b.service_id = a.service_id)
    ORDER BY a.at, a.seq LIMIT $2)
RETURNING seq;
