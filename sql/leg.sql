-- name: leg_claim
-- Claims ($1 number, $2 person). Returns no row if another session has the
-- claim, live or held. What the same two people hold from before is theirs to
-- take again: nobody but the one they wanted could be reached by it.
INSERT INTO leg (number, person, peer, session_id, party_id, live_until,
    held_until)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (number, person) DO UPDATE SET peer = excluded.peer,
    session_id = excluded.session_id, party_id = excluded.party_id,
    live_until = excluded.live_until, held_until = excluded.held_until
WHERE leg.live_until <= $8
    AND (leg.held_until <= $8 OR leg.peer = excluded.peer)
RETURNING number;

-- name: leg_end
-- Ends the legs of a session: held from $2 on, until $3. Never lengthens the
-- life of one.
UPDATE leg SET live_until = $2, held_until = $3
WHERE session_id = $1 AND live_until > $2;

-- name: leg_route
-- Whom a call from $2 to $1 may reach, with all that the decision needs.
SELECT l.session_id, l.party_id, l.live_until, l.held_until,
    s.expires_at, s.closed_at, s.close_reason,
    peer.id, peer.phone_sealed, peer.number
FROM leg l
JOIN session s ON s.id = l.session_id
JOIN party peer ON peer.session_id = l.session_id AND peer.id <> l.party_id
WHERE l.number = $1 AND l.person = $2;
