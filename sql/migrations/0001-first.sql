-- The first schema. One text for SQLite and PostgreSQL: TEXT, BIGINT, BYTEA,
-- times as epoch seconds bound by the caller, ids made by the program.
-- Migrations run forward only, each in one transaction, by `callmask migrate`.

-- Which migrations have run; the programs refuse any version but their own.
CREATE TABLE schema_version (
	version BIGINT PRIMARY KEY,    -- number of the migration file
	applied_at BIGINT NOT NULL     -- epoch seconds
);

-- One app: its settings, number pool, keys and sessions.
CREATE TABLE service (
	id TEXT PRIMARY KEY,           -- 'svc_' and 26 characters
	name TEXT NOT NULL UNIQUE,     -- what operators call it
	countries TEXT NOT NULL,       -- ISO 3166 codes parties may have, by blanks
	ttl_default_s BIGINT NOT NULL, -- life of a session that names none
	ttl_max_s BIGINT NOT NULL,     -- longest life of a session
	hold_s BIGINT NOT NULL,        -- how long a leg stays held after its session
	call_limit_s BIGINT NOT NULL,  -- longest call
	sticky BIGINT NOT NULL,        -- 1: a pair gets the number it had last
	reuse_after_s BIGINT NOT NULL, -- held pairs may be given away after this,
	                               -- if nothing is free; 0: never early
	support_number TEXT,           -- E.164, late callers are put through to it;
	                               -- NULL: they hear a sentence
	ask_code BIGINT NOT NULL,      -- 1: unknown callers are asked for a code
	attestation BIGINT NOT NULL,   -- 1: a caller ID that the carrier marks as
	                               -- failed counts as unknown
	intents BIGINT NOT NULL,       -- 1: the app may announce a withheld caller
	screening BIGINT NOT NULL,     -- 1: the callee presses a key to accept
	session_calls BIGINT NOT NULL, -- most calls in a session; 0: any number
	person_calls BIGINT NOT NULL,  -- most calls of a person in a minute; 0: any
	daily_minutes BIGINT NOT NULL, -- most minutes of talk in a day (UTC); 0: any
	language TEXT NOT NULL,        -- of what people hear: en, de, fr
	announce_caller TEXT,          -- said to the caller first; NULL: nothing
	announce_callee TEXT,          -- said to the callee first; NULL: nothing
	webhook_url TEXT,              -- where events go; NULL: nowhere
	expiring_s BIGINT NOT NULL,    -- session.expiring so long before the end;
	                               -- 0: never
	redact BIGINT NOT NULL,        -- 1: phone numbers, e-mail addresses and
	                               -- links are taken out of texts
	record BIGINT NOT NULL,        -- 1: calls are recorded
	keep_texts_days BIGINT NOT NULL, -- how long texts are kept; 0: until sent
	keep_recordings_days BIGINT NOT NULL, -- how long recordings are kept
	keep_days BIGINT NOT NULL,     -- how long ended sessions are kept, with
	                               -- their calls and events; 0: for ever
	event_seq BIGINT NOT NULL,     -- number of the newest event
	low_told_at BIGINT NOT NULL,   -- epoch seconds of the last pool.low event
	created_at BIGINT NOT NULL,    -- epoch seconds
	CHECK (ttl_default_s > 0 AND ttl_default_s <= ttl_max_s),
	CHECK (hold_s >= 0 AND call_limit_s > 0 AND reuse_after_s >= 0),
	-- Nobody is recorded who was not told.
	CHECK (record = 0 OR
	    (announce_caller IS NOT NULL AND announce_callee IS NOT NULL))
);

-- What events are signed with (standardwebhooks.com). While a new one comes into
-- use the one before signs as well.
CREATE TABLE webhook_secret (
	id TEXT PRIMARY KEY,           -- 'whs_' and 26 characters
	service_id TEXT NOT NULL REFERENCES service (id), -- whose events
	secret_sealed BYTEA NOT NULL,  -- 'whsec_' and base64, sealed with this id
	created_at BIGINT NOT NULL,    -- epoch seconds
	retires_at BIGINT              -- epoch seconds; signs before; NULL: for good
);

CREATE INDEX webhook_secret_service ON webhook_secret (service_id, id);

-- What opens the API: 256 random bits, of which only a hash is kept.
CREATE TABLE api_key (
	id TEXT PRIMARY KEY,           -- 'key_' and 26 characters; part of the key
	service_id TEXT NOT NULL REFERENCES service (id), -- whose sessions it opens
	name TEXT NOT NULL,            -- who holds it
	role TEXT NOT NULL CHECK
	    (role IN ('app', 'admin', 'operator', 'viewer')), -- what it may do
	secret_hash BYTEA NOT NULL,    -- SHA-256 of the secret part
	created_at BIGINT NOT NULL,    -- epoch seconds
	revoked_at BIGINT              -- epoch seconds; NULL: valid
);

-- Who is signed in to the admin panel. A browser has a token, of which only a
-- hash is kept.
CREATE TABLE sign_in (
	token_hash BYTEA PRIMARY KEY,  -- SHA-256 of the token
	key_id TEXT NOT NULL REFERENCES api_key (id), -- by which key
	seen_at BIGINT NOT NULL,       -- epoch seconds of a request, to a minute
	ends_at BIGINT NOT NULL        -- epoch seconds; worth nothing from then on
);

CREATE INDEX sign_in_age ON sign_in (ends_at);

-- What operators did and looked at, append-only. Each row is sealed by a keyed
-- hash over itself and the hash before, so that none can be changed or taken
-- out unseen. Words and ids only: never a real number.
CREATE TABLE audit (
	service_id TEXT NOT NULL REFERENCES service (id), -- whose
	seq BIGINT NOT NULL,           -- 1, 2, 3 … per service
	at BIGINT NOT NULL,            -- epoch seconds
	key_id TEXT NOT NULL,          -- by which key; '': on the command line
	name TEXT NOT NULL,            -- who: the key's name, or the system's user
	action TEXT NOT NULL,          -- 'POST /v1/sessions/{id}/close', 'sign in'
	subject TEXT NOT NULL,         -- what it was done to, an id; '': nothing
	detail TEXT NOT NULL,          -- more of it in words; '': nothing
	request_id TEXT NOT NULL,      -- as in the logs; '': none
	hash BYTEA NOT NULL,           -- over this row and the hash before
	PRIMARY KEY (service_id, seq)
);

-- Whether somebody looked at something lately, and what may be forgotten.
CREATE INDEX audit_look ON audit (service_id, key_id, subject, action, at);
CREATE INDEX audit_age ON audit (at, seq);

-- The pool: Twilio numbers that people see and dial. Not personal data.
CREATE TABLE number (
	number TEXT PRIMARY KEY,       -- E.164
	service_id TEXT NOT NULL REFERENCES service (id), -- whose pool it is in
	country TEXT NOT NULL,         -- ISO 3166 code
	state TEXT NOT NULL CHECK
	    (state IN ('active', 'reserved', 'draining', 'retired')), -- its use
	last_used_at BIGINT NOT NULL,  -- epoch seconds a session last took it; 0: never
	place BIGINT NOT NULL UNIQUE,  -- a random place among all numbers, in whose
	                               -- order free ones are looked for
	created_at BIGINT NOT NULL,    -- epoch seconds
	twilio_state TEXT NOT NULL DEFAULT 'unknown' CHECK (twilio_state IN
	    ('unknown', 'right', 'wrong', 'missing', 'failed')), -- how it is set
	                               -- up at Twilio, as found last
	twilio_detail TEXT NOT NULL DEFAULT '', -- in words; '': nothing to say
	twilio_checked_at BIGINT,      -- epoch seconds; NULL: never
	twilio_sid TEXT,               -- Twilio's name of it: 'PN' and 32 digits;
	                               -- NULL: not known
	twilio_differs BIGINT NOT NULL DEFAULT 0 -- settings the worker is about to
	                               -- change, a bit each; 0: it looks first
);

-- Longest unused first.
CREATE INDEX number_pool
    ON number (service_id, state, last_used_at, number, place);
CREATE INDEX number_pool_country
    ON number (service_id, state, country, last_used_at, number, place);
-- By place.
CREATE INDEX number_place ON number (service_id, state, place);
CREATE INDEX number_place_country
    ON number (service_id, state, country, place);
-- By country.
CREATE INDEX number_list ON number (service_id, country, number);
CREATE INDEX number_list_state ON number (service_id, state, country, number);

-- One pairing of two people. It is open while closed_at is NULL and
-- expires_at lies ahead; nothing has to run for it to expire.
CREATE TABLE session (
	id TEXT PRIMARY KEY,           -- 'ses_' and 26 characters, sorts by age
	service_id TEXT NOT NULL REFERENCES service (id), -- whose it is
	reference TEXT,                -- the app's own name for it, e.g. a trip
	created_at BIGINT NOT NULL,    -- epoch seconds
	expires_at BIGINT NOT NULL,    -- epoch seconds; connects nobody from then on
	closed_at BIGINT,              -- epoch seconds; NULL: not closed
	close_reason TEXT CHECK (close_reason IN ('closed', 'expired')), -- by whom
	linger_until BIGINT,           -- epoch seconds until which a closed session
	                               -- goes on connecting; NULL: it does not
	voice TEXT NOT NULL,           -- who may call: 'both', 'none', or a role
	text TEXT NOT NULL,            -- who may text, the same
	expiring_told_at BIGINT,       -- epoch seconds session.expiring was written
	kept_until BIGINT,             -- epoch seconds the worker looks at it again:
	                               -- it was to be deleted, but something still
	                               -- needs it; NULL: not so
	erasure_id TEXT,               -- the receipt, if it was erased; NULL: not
	CHECK ((closed_at IS NULL) = (close_reason IS NULL))
);

-- A reference names one open session.
CREATE UNIQUE INDEX session_reference
    ON session (service_id, reference) WHERE closed_at IS NULL;
CREATE INDEX session_list ON session (service_id, id);
-- The same of those that are not closed, or closed in one way.
CREATE INDEX session_state ON session (service_id, close_reason, id, expires_at);
-- Which expire next: what the worker looks for.
CREATE INDEX session_expiry ON session (expires_at) WHERE closed_at IS NULL;
CREATE INDEX session_expiring ON session (service_id, expires_at)
    WHERE closed_at IS NULL AND expiring_told_at IS NULL;
-- Which are past their time of keeping.
CREATE INDEX session_ended ON session (service_id, closed_at)
    WHERE closed_at IS NOT NULL AND kept_until IS NULL;
CREATE INDEX session_kept ON session (kept_until) WHERE kept_until IS NOT NULL;
CREATE INDEX session_by_reference ON session (service_id, reference, id);

-- The two people of a session.
CREATE TABLE party (
	id TEXT PRIMARY KEY,           -- 'pty_' and 26 characters
	session_id TEXT NOT NULL REFERENCES session (id), -- which session
	position BIGINT NOT NULL CHECK (position IN (0, 1)), -- order in the request
	role TEXT NOT NULL,            -- the app's word: customer, driver
	person BYTEA NOT NULL,         -- keyed hash of the real number; empty: erased
	phone_sealed BYTEA NOT NULL,   -- the real number, sealed with this row's id;
	                               -- empty: erased
	number TEXT NOT NULL REFERENCES number (number), -- masked: dialled and seen
	code TEXT NOT NULL,            -- digits that identify an unknown phone; '':
	                               -- erased
	replaced_at BIGINT,            -- epoch seconds another took its place
	disputed_at BIGINT             -- epoch seconds somebody at that phone said
	                               -- they are not this person
);

-- Two at a time, and whom a code means.
CREATE UNIQUE INDEX party_position
    ON party (session_id, position) WHERE replaced_at IS NULL;
CREATE INDEX party_code ON party (number, code);
-- Who is or was in a session; legs refer to both columns.
CREATE UNIQUE INDEX party_session ON party (session_id, id);
-- What somebody was in, to find it and to erase it, and what a masked number was
-- for.
CREATE INDEX party_person ON party (person, session_id);
CREATE INDEX party_number ON party (number, session_id);

-- The claim of one person on one masked number, live until its session ends,
-- then held so that nobody else's session can stand behind a number this
-- person may still dial. THE PRIMARY KEY IS WHAT MAKES A WRONG CONNECTION
-- IMPOSSIBLE: whoever dials, (masked number, person) names one session at most.
CREATE TABLE leg (
	number TEXT NOT NULL REFERENCES number (number), -- masked number
	person BYTEA NOT NULL,         -- keyed hash of the real number
	peer BYTEA NOT NULL,           -- the same of the other party
	session_id TEXT NOT NULL,      -- the one session
	party_id TEXT NOT NULL,        -- this person in it
	live_until BIGINT NOT NULL,    -- epoch seconds; connects before
	held_until BIGINT NOT NULL,    -- epoch seconds; not given away before
	place BIGINT NOT NULL,         -- the number's, so that what a person has can
	                               -- be laid beside the pool
	PRIMARY KEY (number, person),
	FOREIGN KEY (party_id, session_id) REFERENCES party (id, session_id),
	CHECK (held_until >= live_until)
);

CREATE INDEX leg_party ON leg (party_id);
-- How many live on a number, and hold it.
CREATE INDEX leg_number ON leg (number, live_until, held_until);
-- Which numbers a person has, by place.
CREATE INDEX leg_place ON leg (person, place, held_until);
-- What two people had last.
CREATE INDEX leg_pair ON leg (person, peer, live_until);
-- The one held longest.
CREATE INDEX leg_held ON leg (person, live_until);

-- A withheld caller the app announced: the next one on that number is let
-- through as this party, once.
CREATE TABLE intent (
	party_id TEXT PRIMARY KEY REFERENCES party (id), -- who will call
	number TEXT NOT NULL,          -- masked number they will dial
	expires_at BIGINT NOT NULL     -- epoch seconds; worth nothing from then on
);

CREATE INDEX intent_number ON intent (number, expires_at);
CREATE INDEX intent_age ON intent (expires_at);

-- Codes typed in vain, to slow down whoever guesses.
CREATE TABLE code_try (
	id TEXT PRIMARY KEY,           -- 'try_' and 26 characters
	number TEXT NOT NULL,          -- masked number it was typed at
	call_sid TEXT NOT NULL,        -- Twilio's CallSid
	digits TEXT NOT NULL,          -- what was typed: the same again is one try
	tried_at BIGINT NOT NULL       -- epoch seconds
);

CREATE INDEX code_try_number ON code_try (number, tried_at);
CREATE UNIQUE INDEX code_try_call ON code_try (call_sid, digits);
CREATE INDEX code_try_age ON code_try (tried_at);

-- One row for each Twilio call leg: the one a person dialled, or that the app
-- had placed to a person, and the one that rang the other.
CREATE TABLE call (
	id TEXT PRIMARY KEY,           -- 'cal_' and 26 characters
	sid TEXT UNIQUE,               -- Twilio's CallSid; NULL: to be placed, and
	                               -- Twilio has not told it yet
	placed BIGINT NOT NULL,        -- 1: the app asked for it; party_id is then
	                               -- who is rung first
	parent_sid TEXT,               -- CallSid of the leg that dialled this one
	service_id TEXT REFERENCES service (id), -- NULL: not one of our numbers
	session_id TEXT REFERENCES session (id), -- NULL: belongs to none we know
	party_id TEXT REFERENCES party (id), -- who is on this leg, if known
	number TEXT,                   -- masked number it came in on or shows
	reason TEXT,                   -- why it was connected or refused
	status TEXT NOT NULL,          -- Twilio's CallStatus
	sequence BIGINT NOT NULL,      -- SequenceNumber of status; -1: none yet
	created_at BIGINT NOT NULL,    -- epoch seconds we first heard of it
	ringing_at BIGINT,             -- epoch seconds by Twilio's clock
	answered_at BIGINT,            -- epoch seconds by Twilio's clock
	ended_at BIGINT,               -- epoch seconds by Twilio's clock
	duration_s BIGINT,             -- seconds, from Twilio
	told_at BIGINT                 -- epoch seconds call.ended was written
);

CREATE INDEX call_session ON call (session_id, id);
CREATE INDEX call_parent ON call (parent_sid);
-- How often somebody called lately.
CREATE INDEX call_party ON call (party_id, created_at);
-- Which are under way.
CREATE INDEX call_running ON call (service_id, created_at)
    WHERE parent_sid IS NULL AND status NOT IN
        ('completed', 'busy', 'failed', 'no-answer', 'canceled');
-- Those of no session, by age.
CREATE INDEX call_stray ON call (service_id, created_at)
    WHERE session_id IS NULL;

-- Texts: what a party sent to a masked number, or the app to a party.
CREATE TABLE message (
	id TEXT PRIMARY KEY,           -- 'msg_' and 26 characters
	sid TEXT UNIQUE,               -- Twilio's MessageSid of what came in; NULL:
	                               -- it is from the app
	sent_sid TEXT UNIQUE,          -- MessageSid of what went out; NULL: not yet
	service_id TEXT REFERENCES service (id), -- NULL: not one of our numbers
	session_id TEXT REFERENCES session (id), -- NULL: belongs to none we know
	from_party TEXT REFERENCES party (id), -- who wrote it; NULL: app, not known
	to_party TEXT REFERENCES party (id), -- who gets it; NULL: refused
	number TEXT,                   -- masked number it came to; NULL: from the app
	reason TEXT NOT NULL,          -- why it was relayed or refused; 'from_app'
	status TEXT NOT NULL,          -- 'refused', 'waiting', or Twilio's status of
	                               -- what went out
	error BIGINT,                  -- Twilio's ErrorCode; NULL: none
	media BIGINT NOT NULL,         -- number of pictures and the like
	body_sealed BYTEA,             -- text and media URLs, sealed with this id;
	                               -- NULL: sent and no longer kept
	created_at BIGINT NOT NULL,    -- epoch seconds we got it
	sent_at BIGINT,                -- epoch seconds Twilio took it
	ended_at BIGINT                -- epoch seconds of its final state
);

CREATE INDEX message_session ON message (session_id, id);
-- How much somebody wrote lately.
CREATE INDEX message_party ON message (from_party, created_at);
CREATE INDEX message_to ON message (to_party);
-- Those of no session, by age.
CREATE INDEX message_stray ON message (service_id, created_at)
    WHERE session_id IS NULL;
-- Whose text is due to be forgotten.
CREATE INDEX message_kept ON message (service_id, created_at)
    WHERE body_sealed IS NOT NULL;

-- Recordings of calls; the sound itself is Twilio's.
CREATE TABLE recording (
	id TEXT PRIMARY KEY,           -- 'rec_' and 26 characters
	sid TEXT NOT NULL UNIQUE,      -- Twilio's RecordingSid
	call_id TEXT REFERENCES call (id), -- which call; NULL: not one we know
	session_id TEXT REFERENCES session (id), -- which session
	service_id TEXT REFERENCES service (id), -- whose it is
	status TEXT NOT NULL CHECK (status IN ('in-progress', 'completed',
	    'absent', 'failed', 'deleting', 'deleted')), -- Twilio's, or that
	                               -- Twilio is to delete it, or has
	duration_s BIGINT,             -- seconds; NULL: not known
	channels BIGINT,               -- 2: one for each party; NULL: not known
	created_at BIGINT NOT NULL,    -- epoch seconds we heard of it
	deleted_at BIGINT,             -- epoch seconds Twilio confirmed that it is
	                               -- gone
	CHECK ((status = 'deleted') = (deleted_at IS NOT NULL))
);

CREATE INDEX recording_session ON recording (session_id, id);
CREATE INDEX recording_call ON recording (call_id);
-- Which are past their time of keeping.
CREATE INDEX recording_kept ON recording (service_id, created_at)
    WHERE status <> 'deleting' AND status <> 'deleted';
CREATE INDEX recording_stray ON recording (session_id, deleted_at)
    WHERE session_id IS NULL;

-- Receipts: what was erased for whom, and when. Names of Twilio's records, no
-- personal data; kept for good.
CREATE TABLE erasure (
	id TEXT PRIMARY KEY,           -- 'era_' and 26 characters
	service_id TEXT NOT NULL REFERENCES service (id), -- whose
	subject TEXT NOT NULL CHECK (subject IN ('session', 'person')), -- of what
	subject_id TEXT,               -- the session's id; NULL for a person
	requested_at BIGINT NOT NULL   -- epoch seconds
);

-- The things of an erasure: ours, gone at once, and Twilio's.
CREATE TABLE erasure_item (
	erasure_id TEXT NOT NULL REFERENCES erasure (id), -- of which receipt
	thing TEXT NOT NULL,           -- a session's id: all that we had of it;
	                               -- 'Calls/CA…', 'Messages/SM…' and
	                               -- 'Recordings/RE…': Twilio's records
	erased_at BIGINT,              -- epoch seconds; NULL: Twilio still has it
	PRIMARY KEY (erasure_id, thing)
);

CREATE INDEX erasure_item_thing ON erasure_item (thing) WHERE erased_at IS NULL;

-- Seconds of talk of a service on a day, counted when a call ends.
CREATE TABLE usage (
	service_id TEXT NOT NULL REFERENCES service (id), -- whose it is
	day BIGINT NOT NULL,           -- days since the epoch, UTC
	seconds BIGINT NOT NULL,       -- of conversation
	PRIMARY KEY (service_id, day)
);

-- What happened, append-only, numbered per service without gaps.
-- Words only: never a real number.
CREATE TABLE event (
	service_id TEXT NOT NULL REFERENCES service (id), -- whose it is
	seq BIGINT NOT NULL,           -- 1, 2, 3 … per service
	id TEXT NOT NULL UNIQUE,       -- 'evt_' and 26 characters
	type TEXT NOT NULL,            -- session.opened, call.ended, …
	session_id TEXT,               -- which session, if any
	subject_id TEXT,               -- which call, message, recording or
	                               -- delivery, if any
	detail TEXT,                   -- reason or status, one word
	created_at BIGINT NOT NULL,    -- epoch seconds
	PRIMARY KEY (service_id, seq)
);

CREATE INDEX event_session ON event (session_id, seq);

-- How many calls, texts and sessions a service had in each minute and hour,
-- counted when the event of it is written.
CREATE TABLE tally (
	service_id TEXT NOT NULL REFERENCES service (id), -- whose
	step_s BIGINT NOT NULL CHECK (step_s IN (60, 3600)), -- a minute, an hour
	at BIGINT NOT NULL,            -- epoch seconds: when it began
	what TEXT NOT NULL,            -- 'calls_answered', 'calls_missed busy', …
	count BIGINT NOT NULL,
	PRIMARY KEY (service_id, step_s, at, what)
);

-- What must leave the system, written with the change that causes it and
-- carried by outboxd.
CREATE TABLE outbox (
	id TEXT PRIMARY KEY,           -- 'dlv_' and 26 characters
	service_id TEXT NOT NULL REFERENCES service (id), -- whose it is
	channel TEXT NOT NULL CHECK (channel IN ('app', 'twilio')), -- to whom
	kind TEXT NOT NULL CHECK (kind IN ('event', 'call', 'hang_up',
	    'message', 'erase', 'number_check', 'number_set')), -- what
	subject_id TEXT NOT NULL,      -- id of the event, call or message; to erase:
	                               -- Twilio's name of it, like 'Calls/CA…'; a
	                               -- masked number
	lane TEXT,                     -- one after another with others of this lane,
	                               -- oldest first; NULL: on its own
	place BIGINT NOT NULL DEFAULT 0, -- in its lane: lowest first
	state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'parked')),
	                               -- parked: tried in vain, until an operator
	                               -- says otherwise
	attempts BIGINT NOT NULL,      -- how often it was tried
	lease BIGINT NOT NULL,         -- number of the newest lease on it: what the
	                               -- holder of an older one says does not count
	doubt BIGINT NOT NULL,         -- 1: it may have arrived without our knowing;
	                               -- look before sending it again
	due_at_ms BIGINT NOT NULL,     -- epoch milliseconds of the next try; while
	                               -- it is tried: when the lease on it ends
	created_at_ms BIGINT NOT NULL, -- epoch milliseconds
	ended_at BIGINT,               -- epoch seconds it was done or parked
	CHECK ((state = 'waiting') = (ended_at IS NULL))
);

-- What is due next, to each receiver.
CREATE INDEX outbox_due ON outbox (service_id, channel, due_at_ms, id)
    WHERE state = 'waiting';
CREATE INDEX outbox_lane ON outbox (lane, place, id)
    WHERE state = 'waiting' AND lane IS NOT NULL;
CREATE INDEX outbox_subject ON outbox (subject_id);
CREATE INDEX outbox_list ON outbox (service_id, state, id);
-- What failed, and what may be forgotten.
CREATE INDEX outbox_ended ON outbox (service_id, state, ended_at)
    WHERE ended_at IS NOT NULL;

-- Each try of a delivery.
CREATE TABLE attempt (
	delivery_id TEXT NOT NULL REFERENCES outbox (id)
	    ON DELETE CASCADE,         -- of which
	number BIGINT NOT NULL,        -- 1, 2, 3 …
	started_at_ms BIGINT NOT NULL, -- epoch milliseconds
	took_ms BIGINT,                -- NULL: no answer known, the worker died
	status BIGINT,                 -- of the answer; NULL: none came
	error TEXT,                    -- what went wrong, in words; NULL: nothing
	PRIMARY KEY (delivery_id, number)
);

-- Answers given under an Idempotency-Key, to be given again.
CREATE TABLE idempotency (
	service_id TEXT NOT NULL REFERENCES service (id), -- who asked
	key TEXT NOT NULL,             -- the Idempotency-Key header
	fingerprint BYTEA NOT NULL,    -- keyed hash of what was asked
	status BIGINT NOT NULL,        -- HTTP status of the answer
	body TEXT NOT NULL,            -- its body
	kept_until BIGINT NOT NULL,    -- epoch seconds it may be forgotten
	PRIMARY KEY (service_id, key)
);

CREATE INDEX idempotency_age ON idempotency (kept_until);
