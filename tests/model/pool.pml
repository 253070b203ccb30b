/*
 * Numbers, legs and late callers: whoever dials a masked number reaches the
 * one they were told it reaches, or nobody. Spin visits every state there is;
 * tests/model/run says how.
 *
 * What is modelled, and what it stands for
 *
 *   people      Customers and drivers, any customer with any driver: several
 *               sessions of one customer, drivers shared, the same two again;
 *               without end, for old sessions make room for new ones.
 *   leg[]       The table `leg` by its primary key, (number, person).
 *   session[]   The tables `session` and `party`, of what connects by now.
 *   program     A worker, or the CLI. Two run at once and open (mask_open),
 *               replace a party (mask_change, replace_party) and close
 *               (mask_close, at once or to linger). To extend a session
 *               changes nothing here; but see FAULT_EARLY_NOW.
 *   clock       Time: sessions expire, lingering ends, holds pass.
 *   caller      mask_route with policy_decide, and the phone that then rings.
 *   told        What a person remembers: this number reaches that one. They
 *               dial on it as often as they like, long after, replaced or not.
 *
 * What is abstracted away
 *
 *   Times are phases. A session is open, lingering or over; a leg is live
 *   (live_until ahead), held (held_until ahead) or free (neither, or no row).
 *   The clock moves them on at any moment, also amid a deed or while a phone
 *   rings. Taken for granted: people forget a number by the time its hold has
 *   passed, and no phone rings for as long as a hold lasts. A pair given away
 *   early (reuse_after_s) is a pair with a shorter hold.
 *
 *   Numbers are chosen (number_take) as any that may be had, not as the first
 *   in an order: sticky or not, by age, place or name, one for both or one
 *   each, the model covers them all.
 *
 *   People are told at the instant of the commit. Later, they could only dial
 *   less.
 *
 *   Left out is what can but refuse a call that would connect (voice modes,
 *   limits, disputes, attestation, retired numbers); the other ways to make
 *   out a caller (codes, intents); texts, and calls that the app places.
 *
 * Programs queue for the write lock of db_transact. KEY_ONLY takes the lock
 * away, as on several machines: then the primary key has to do, with the WHERE
 * of leg_claim. Faults to be planted, which a caller must run into:
 * FAULT_CHECK_THEN_INSERT, FAULT_NO_HOLD, FAULT_NO_LOCK, FAULT_EARLY_NOW.
 */

#ifndef CUSTOMERS
#define CUSTOMERS 2
#endif
#ifndef DRIVERS
#define DRIVERS 2
#endif
#ifndef NUMBERS
#define NUMBERS 2
#endif
#ifndef SESSIONS
#define SESSIONS 2		/* that connect at the same time */
#endif

/* People count from 1, customers before drivers, and so do sessions; numbers
 * and the positions of the two parties count from 0. */
#define NONE	0
#define PEOPLE	(CUSTOMERS + DRIVERS)
#define DRIVER	(CUSTOMERS + 1)
#define POSITION(p)	((p) < DRIVER -> 0 : 1)
/* For printf: C1, C2, … D1, D2, … */
#define NAME(p)	((p) < DRIVER -> 67 : 68), ((p) < DRIVER -> (p) : (p) - CUSTOMERS)

/* Phases of a session; NONE when it is over, or was never there. */
#define OPEN		1
#define LINGERING	2

typedef session_row {
	byte phase;
	byte person[2];		/* customer, driver */
	byte number[2];		/* that each of them dials and sees */
};
session_row session[SESSIONS + 1];

typedef leg_row {
	byte session;		/* in which it is live; NONE: held or free */
	byte peer;		/* NONE: free */
	byte told;		/* a memory, not a column: a bit for each person
				 * whom this number was said to reach */
};
leg_row leg[NUMBERS * PEOPLE];
#define LEG(n, p)	leg[(n) * PEOPLE + (p) - 1]
#define BIT(p)		(1 << ((p) - 1))

/* Whether p may have n in a session with q: the WHERE of leg_claim, and what
 * number_sticky, number_any, number_wanted and their like go by. */
#define MAY_HAVE(n, p, q) \
	(LEG(n, p).session == NONE && \
	 (LEG(n, p).peer == NONE || LEG(n, p).peer == (q)))

/* The call that rings: two people, and the masked number each of them sees. */
byte ring_from, ring_to, ring_dialled, ring_shown;
#define RINGS(n, p) \
	(ring_from == (p) && ring_dialled == (n) || \
	 ring_to == (p) && ring_shown == (n))

/* Who takes the write lock before looking for numbers, and whose claims have
 * the primary key and their WHERE to stop them. */
bool locked;
#if defined(KEY_ONLY)
#define LOCKS(me)	false
#define MINDS(me)	true
#elif defined(FAULT_CHECK_THEN_INSERT)
/* Numbers are found in one transaction and claimed in another, unchecked. */
#define LOCKS(me)	false
#define MINDS(me)	false
#elif defined(FAULT_NO_LOCK)
/* One of the programs knows neither lock nor key. */
#define LOCKS(me)	((me) == 1)
#define MINDS(me)	((me) == 1)
#else
#define LOCKS(me)	true
#define MINDS(me)	true
#endif

#define MAY_CLAIM(n, p, q)	(!MINDS(me) || MAY_HAVE(n, p, q))

/* Asserted of the right design only: a planted fault is for callers to find. */
#if defined(FAULT_CHECK_THEN_INSERT) || defined(FAULT_NO_HOLD) || \
    defined(FAULT_NO_LOCK) || defined(FAULT_EARLY_NOW)
#define sound(condition)	skip
#else
#define sound(condition)	assert(condition)
#endif

/* Any of least … most. */
inline pick(x, least, most)
{
	x = least;
	do
	:: x < most -> x++
	:: break
	od
}

/* A row for a new session; NONE if as many connect as can. */
inline find_row(s)
{
	s = SESSIONS;
	do
	:: s != NONE && session[s].phase != NONE -> s--
	:: else -> break
	od
}

/* leg_claim, its WHERE seen to. From now on, p is told that n reaches q. */
inline claim(s, n, p, q)
{
	/* What somebody may still dial goes to no other two. */
	sound(LEG(n, p).session == NONE);
	sound((LEG(n, p).told & ~BIT(q)) == 0);
	LEG(n, p).session = s;
	LEG(n, p).peer = q;
	LEG(n, p).told = LEG(n, p).told | BIT(q)
}

/* A live leg is held from now on: leg_end_party, leg_move, or time alone. */
inline hold(s, n, p)
{
	/* A session has its legs as long as it connects. */
	sound(LEG(n, p).session == s);
	if
	:: LEG(n, p).session == s ->
		LEG(n, p).session = NONE;
#ifdef FAULT_NO_HOLD
		/* Free at once, though not forgotten. */
		LEG(n, p).peer = NONE
#endif
	:: else
	fi
}

/* A session is over: session_close with end_legs, or time alone. */
inline end(s)
{
	d_step {
		hold(s, session[s].number[0], session[s].person[0]);
		hold(s, session[s].number[1], session[s].person[1]);
		session[s].phase = NONE;
		session[s].person[0] = NONE;
		session[s].person[1] = NONE;
		session[s].number[0] = 0;
		session[s].number[1] = 0
	}
}

/* The deeds of two halves. */
#define OPENING		1
#define REPLACING	2
#define EXTENDING	3	/* FAULT_EARLY_NOW */

/* The first half is done; from its beginning on, those who lock have locked. */
inline begin(what)
{
	deed = what;
	locked = locked || LOCKS(me)
}

/* A deed is done, or given up. */
inline finish()
{
	d_step {
		locked = locked && !(deed != NONE && LOCKS(me));
		deed = NONE;
		s = NONE;
		at = 0;
		p[0] = NONE;
		p[1] = NONE;
		n[0] = 0;
		n[1] = 0;
		old = NONE
	}
}

/*
 * A program. Between the halves of a deed, choosing numbers and claiming them,
 * time goes on, phones ring and, without the lock, the other program acts.
 */
proctype program(byte me)
{
	byte deed;
	byte s;			/* the session */
	byte at;		/* position of the party to be replaced */
	byte p[2], n[2];	/* the parties to be, and their numbers */
	byte old;		/* whom the new party replaces */

	do
	/* mask_open: number_take. */
	:: atomic { deed == NONE && !(LOCKS(me) && locked) ->
		pick(p[0], 1, CUSTOMERS);
		pick(p[1], DRIVER, PEOPLE);
		pick(n[0], 0, NUMBERS - 1);
		pick(n[1], 0, NUMBERS - 1);
		find_row(s);
		if
		:: s != NONE && MAY_HAVE(n[0], p[0], p[1]) &&
		    MAY_HAVE(n[1], p[1], p[0]) ->
			s = NONE;
			begin(OPENING)
		:: else ->		/* RC_POOL */
			finish()
		fi
	   }
	/* session_insert, and claim_leg for both. */
	:: atomic { deed == OPENING ->
		find_row(s);
		if
		:: s != NONE && MAY_CLAIM(n[0], p[0], p[1]) &&
		    MAY_CLAIM(n[1], p[1], p[0]) ->
			session[s].phase = OPEN;
			session[s].person[0] = p[0];
			session[s].person[1] = p[1];
			session[s].number[0] = n[0];
			session[s].number[1] = n[1];
			claim(s, n[0], p[0], p[1]);
			claim(s, n[1], p[1], p[0]);
			printf("program %d opens session %d: %c%d has N%d, %c%d has N%d\n",
			    me, s, NAME(p[0]), n[0], NAME(p[1]), n[1])
		:: else ->		/* RC_RETRY: not after locking */
			sound(!LOCKS(me))
		fi;
		finish()
	   }

	/* mask_change, up to where replace_party has chosen a number. */
	:: atomic { deed == NONE && !(LOCKS(me) && locked) ->
		pick(s, 1, SESSIONS);
		pick(at, 0, 1);
		if
		:: session[s].phase == OPEN ->
			p[1 - at] = session[s].person[1 - at];
			n[1 - at] = session[s].number[1 - at];
			pick(n[at], 0, NUMBERS - 1);
			if
			:: at == 0 -> pick(p[0], 1, CUSTOMERS)
			:: else -> pick(p[1], DRIVER, PEOPLE)
			fi;
			if
			:: p[at] != session[s].person[at] &&
			    MAY_HAVE(n[at], p[at], p[1 - at]) ->
				begin(REPLACING)
			:: else ->	/* RC_POOL, or nothing to do */
				finish()
			fi
		:: else ->		/* RC_ENDED */
			finish()
		fi
	   }
	/* leg_end_party, session_replace, claim_leg, leg_set_peer. If the session
	 * has expired since, nothing is left of the deed: that is as if it had
	 * been done just before. */
	:: atomic { deed == REPLACING ->
		old = session[s].person[at];
		if
		:: session[s].phase == OPEN && p[at] != old &&
		    session[s].person[1 - at] == p[1 - at] &&
		    session[s].number[1 - at] == n[1 - at] &&
		    MAY_CLAIM(n[at], p[at], p[1 - at]) ->
			hold(s, session[s].number[at], old);
			session[s].person[at] = p[at];
			session[s].number[at] = n[at];
			claim(s, n[at], p[at], p[1 - at]);
			if
			:: LEG(n[1 - at], p[1 - at]).session == s ->
				LEG(n[1 - at], p[1 - at]).peer = p[at]
			:: else
			fi;
			LEG(n[1 - at], p[1 - at]).told =
			    LEG(n[1 - at], p[1 - at]).told & ~BIT(old) |
			    BIT(p[at]);
			printf("program %d replaces %c%d in session %d: %c%d has N%d\n",
			    me, NAME(old), s, NAME(p[at]), n[at])
		:: else			/* RC_ENDED, RC_RETRY */
		fi;
		finish()
	   }

	/* mask_close: for good, or to linger. */
	:: atomic { deed == NONE && !(LOCKS(me) && locked) ->
		pick(s, 1, SESSIONS);
		if
		:: session[s].phase == OPEN || session[s].phase == LINGERING ->
			printf("program %d closes session %d\n", me, s);
			end(s)
		:: session[s].phase == OPEN ->
			printf("program %d closes session %d to linger\n", me, s);
			session[s].phase = LINGERING
		:: else
		fi;
		finish()
	   }

#ifdef FAULT_EARLY_NOW
	/* mask_change with a ttl, its time being taken before the lock … */
	:: atomic { deed == NONE ->
		pick(s, 1, SESSIONS);
		if
		:: session[s].phase == OPEN ->
			p[0] = session[s].person[0];
			p[1] = session[s].person[1];
			n[1] = session[s].number[1];
			deed = EXTENDING;
			printf("program %d looks at its clock, to extend session %d\n",
			    me, s)
		:: else -> finish()
		fi
	   }
	/* … so that leg_move takes a leg for live that ended meanwhile. */
	:: atomic { deed == EXTENDING && !locked ->
		if
		:: session[s].phase == OPEN &&
		    session[s].person[0] == p[0] &&
		    session[s].person[1] != p[1] &&
		    LEG(n[1], p[1]).session == NONE &&
		    LEG(n[1], p[1]).peer == p[0] ->
			LEG(n[1], p[1]).session = s;
			printf("program %d extends session %d, also for %c%d on N%d\n",
			    me, s, NAME(p[1]), n[1])
		:: else
		fi;
		deed = NONE;
		finish()
	   }
#endif
	od
}

/* The time: sessions expire or have lingered; holds pass. */
proctype clock()
{
	byte i;

	do
	:: atomic {
		pick(i, 1, SESSIONS);
		if
		:: session[i].phase != NONE ->
			printf("session %d has had its time\n", i);
			end(i)
		:: else
		fi;
		i = 0
	   }
#ifndef FAULT_NO_HOLD
	:: atomic {
		pick(i, 0, NUMBERS * PEOPLE - 1);
		if
		:: leg[i].session == NONE && leg[i].peer != NONE &&
		    !RINGS(i / PEOPLE, i % PEOPLE + 1) ->
			printf("the hold of %c%d on N%d has passed\n",
			    NAME(i % PEOPLE + 1), i / PEOPLE);
			leg[i].peer = NONE;
			leg[i].told = 0
		:: else
		fi;
		i = 0
	   }
#endif
	od
}

/* Anybody who remembers anything. */
proctype caller()
{
	byte p, n;		/* dials, and what */
	byte x;			/* to reach whom */
	byte s;

	do
	/* mask_route, leg_route, policy_decide. */
	:: atomic { ring_from == NONE ->
		pick(p, 1, PEOPLE);
		pick(n, 0, NUMBERS - 1);
		pick(x, 1, PEOPLE);
		s = LEG(n, p).session;
		if
		:: (LEG(n, p).told & BIT(x)) != 0 && s != NONE ->
			ring_from = p;
			ring_dialled = n;
			ring_to = session[s].person[1 - POSITION(p)];
			ring_shown = session[s].number[1 - POSITION(p)];
			printf("%c%d dials N%d for %c%d and reaches %c%d, who sees N%d\n",
			    NAME(p), n, NAME(x), NAME(ring_to), ring_shown);
			/* Right person or nobody. */
			assert(ring_to == x);
			/* Nobody by a session they are no longer in. */
			assert(session[s].person[POSITION(p)] == p);
			/* The number shown is the way back, for the callee. */
			sound(LEG(ring_shown, ring_to).session == s);
			sound(LEG(ring_shown, ring_to).told == BIT(p))
		:: else
		fi;
		p = 0;
		n = 0;
		x = 0;
		s = 0
	   }
	/* Answered or not, at once or when the session has long been over. Who
	 * then dials what they saw reaches who is told for it, as anybody. */
	:: atomic { ring_from != NONE ->
		sound(LEG(ring_dialled, ring_from).peer != NONE);
		sound(LEG(ring_shown, ring_to).peer != NONE);
		ring_from = NONE;
		ring_to = NONE;
		ring_dialled = 0;
		ring_shown = 0
	   }
	od
}

init {
	atomic {
		run program(1);
		run program(2);
		run clock();
		run caller()
	}
}
