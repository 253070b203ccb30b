-- name: leg_claim
-- Claims ($1 number, $2 person). Returns no row if another session has the
-- claim, live or held. What the same two people hold from before is theirs to
-- take again: nobody but the one they wanted could be reached by it. What is
-- held since $9 or longer may be given away early: 0 where that is not allowed.
INSERT INTO leg (number, person, peer, session_id, party_id, live_until,
    held_until, place)
VALUES ($1, $2, $3, $4, $5, $6, $7,
    (SELECT place FROM number WHERE number = $1))
ON CONFLICT (number, person) DO UPDATE SET peer = excluded.peer,
    session_id = excluded.session_id, party_id = excluded.party_id,
    live_until = excluded.live_until, held_until = excluded.held_until
WHERE leg.live_until <= $8
    AND (leg.held_until <= $8 OR leg.peer = excluded.peer
        OR leg.live_until <= $9)
RETURNING number;

-- name: leg_move
-- Gives the legs of a session another end, but for those replaced.
UPDATE leg SET live_until = $2, held_until = $3
WHERE live_until > $4 AND party_id IN
    (SELECT id FROM party WHERE session_id = $1 AND replaced_at IS NULL);

-- name: leg_end_party
-- Ends the leg of one party: held from $2 on, until $3.
UPDATE leg SET live_until = $2, held_until = $3
WHERE party_id = $1 AND live_until > $2;

-- name: leg_peer
-- Notes who is now on the other side.
UPDATE leg SET peer = $2 WHERE party_id = $1;

-- name: leg_route
-- Whom a call from $2 to $1 may reach, with all that the decision needs.
SELECT l.session_id, l.party_id, l.live_until, l.held_until,
    s.expires_at, s.closed_at, s.close_reason, s.linger_until, s.voice,
    me.role, me.disputed_at, peer.id, peer.phone_sealed, peer.number,
    peer.disputed_at, l.number, me.replaced_at, s.text
FROM leg l
JOIN session s ON s.id = l.session_id
JOIN party me ON me.id = l.party_id
JOIN party peer ON peer.session_id = l.session_id
    AND peer.position = 1 - me.position AND peer.replaced_at IS NULL
WHERE l.number = $1 AND l.person = $2;

-- name: leg_route_code
-- The same for whoever typed the code $2 at number $1.
SELECT l.session_id, l.party_id, l.live_until, l.held_until,
    s.expires_at, s.closed_at, s.close_reason, s.linger_until, s.voice,
    me.role, me.disputed_at, peer.id, peer.phone_sealed, peer.number,
    peer.disputed_at, l.number, me.replaced_at, s.text
FROM leg l
JOIN session s ON s.id = l.session_id
JOIN party me ON me.id = l.party_id
JOIN party peer ON peer.session_id = l.session_id
    AND peer.position = 1 - me.position AND peer.replaced_at IS NULL
WHERE me.number = $1 AND me.code = $2
    AND me.replaced_at IS NULL AND l.live_until > $3;

-- name: leg_route_party
-- The same for the party called $1.
SELECT l.session_id, l.party_id, l.live_until, l.held_until,
    s.expires_at, s.closed_at, s.close_reason, s.linger_until, s.voice,
    me.role, me.disputed_at, peer.id, peer.phone_sealed, peer.number,
    peer.disputed_at, l.number, me.replaced_at, s.text
FROM leg l
JOIN session s ON s.id = l.session_id
JOIN party me ON me.id = l.party_id
JOIN party peer ON peer.session_id = l.session_id
    AND peer.position = 1 - me.position AND peer.replaced_at IS NULL
WHERE l.party_id = $1;
