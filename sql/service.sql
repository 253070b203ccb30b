-- name: service_insert
INSERT INTO service (id, name, countries, ttl_default_s, ttl_max_s, hold_s,
    call_limit_s, sticky, reuse_after_s, support_number, ask_code,
    attestation, intents, screening, session_calls, person_calls,
    daily_minutes, webhook_url, language, announce_caller, announce_callee,
    expiring_s, redact, record, keep_texts_days, keep_recordings_days,
    keep_days, event_seq, low_told_at, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
    $17, $18, $20, $21, $22, $23, $24, $25, $26, $27, $28, 0, 0, $19)
ON CONFLICT (name) DO NOTHING
RETURNING id;

-- name: service_update
UPDATE service SET countries = $2, ttl_default_s = $3, ttl_max_s = $4,
    hold_s = $5, call_limit_s = $6, sticky = $7, reuse_after_s = $8,
    support_number = $9, ask_code = $10, attestation = $11, intents = $12,
    screening = $13, session_calls = $14, person_calls = $15,
    daily_minutes = $16, webhook_url = $17, language = $18,
    announce_caller = $19, announce_callee = $20, expiring_s = $21,
    redact = $22, record = $23, keep_texts_days = $24,
    keep_recordings_days = $25, keep_days = $26
WHERE id = $1;

-- name: service_find
SELECT id, name, countries, ttl_default_s, ttl_max_s, hold_s, call_limit_s,
    sticky, reuse_after_s, support_number, ask_code, attestation, intents,
    screening, session_calls, person_calls, daily_minutes, webhook_url,
    language, announce_caller, announce_callee, expiring_s, redact, record,
    keep_texts_days, keep_recordings_days, keep_days
FROM service WHERE id = $1;

-- name: service_find_name
SELECT id, name, countries, ttl_default_s, ttl_max_s, hold_s, call_limit_s,
    sticky, reuse_after_s, support_number, ask_code, attestation, intents,
    screening, session_calls, person_calls, daily_minutes, webhook_url,
    language, announce_caller, announce_callee, expiring_s, redact, record,
    keep_texts_days, keep_recordings_days, keep_days
FROM service WHERE name = $1;

-- name: service_only
-- The service if there is just one: what the CLI means when told no name.
SELECT id, name, countries, ttl_default_s, ttl_max_s, hold_s, call_limit_s,
    sticky, reuse_after_s, support_number, ask_code, attestation, intents,
    screening, session_calls, person_calls, daily_minutes, webhook_url,
    language, announce_caller, announce_callee, expiring_s, redact, record,
    keep_texts_days, keep_recordings_days, keep_days
FROM service WHERE (SELECT count(*) FROM service) = 1;

-- name: service_next_event
-- Takes the next event number; the row lock keeps the numbers without gaps.
UPDATE service SET event_seq = event_seq + 1 WHERE id = $1
RETURNING event_seq;

-- name: service_tell_low
-- Marks that the app is told of a scarce pool, unless it was after $3.
UPDATE service SET low_told_at = $2 WHERE id = $1 AND low_told_at <= $3
RETURNING id;
