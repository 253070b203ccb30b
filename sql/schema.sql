-- name: schema_version
-- The version the database is at.
SELECT max(version) FROM schema_version;

-- name: schema_applied
-- Notes that a migration has run.
INSERT INTO schema_version (version, applied_at) VALUES ($1, $2);
