/*
 * Numbers, legs and late callers: whoever dials a masked number reaches the one
 * they were told it reaches, or nobody. Spin visits every state there is;
 * tests/model/run says for how many people and numbers.
 *
 * What is modelled, and which code that is
 *
 *   leg[]      The table leg by its primary key (number, person). A row whose
 *              hold has passed is as good as none.
 *   session[]  The tables session and party: what still connects, open or
 *              lingering. When a session is over its row is used again, so
 *              that people meet without end; its legs go on being held.
 *   program    A worker or the CLI; two of them. Waits for its turn
 *              (db_transact, take_lock), looks (what a deed reads), acts (what
 *              it writes, with the commit): mask_open, mask_close, mask_change,
 *              replace_party.
 *   MAY_HAVE   The WHERE of leg_claim. Whatever number_take finds, by sticky,
 *              shared or apart, by name or from what is held long enough, is
 *              part of what this allows. The model takes any of it, so that
 *              nothing hangs on the order in which the pool is searched.
 *   clock      Time, in ticks: live_until, held_until, expires_at and
 *              linger_until are counted from now.
 *   callers    mask_route: leg_route, policy_decide. Without the lock, also
 *              between looking and acting; they see what was committed.
 *   memory[]   No table, but people: whom each was told that a number reaches.
 *              They may dial it for as long as the hold lasts after the session
 *              or after they were replaced; where numbers are given away early,
 *              as long as reuse_after_s.
 *
 * What is asserted
 *
 *   No (number, person) is in two sessions; a pair is given to nobody else
 *   before its hold has passed: claim.
 *   A call connects the counterpart in a session that is live for the caller
 *   at that number at that time, or nobody; who remembers a number from before
 *   reaches nobody else by it: callers.
 *   Who looked with the lock is not refused when acting: open, replace.
 *   Whoever asks for the lock gets it: turn.
 *
 * What is left out, and why
 *
 *   A deed is of the moment of its commit. In the code it is of the beginning
 *   of its turn (write_once); in between nobody else writes. Likewise a call is
 *   of the moment it is routed, not of that when the request came in.
 *
 *   Ringing takes time. But who is rung is who was meant when it was decided,
 *   and who saw the number on a phone dials it as one who was told. No phone
 *   rings for as long as a hold lasts: that is taken for granted.
 *
 *   All that can but refuse a call which would be connected: who may call,
 *   limits, disputes, attestation, the states of numbers, and the mark of a
 *   replaced party, which counts when a clock is set back.
 *
 *   Codes and intents, which are other ways to find the caller's leg; a hold
 *   that the operator changes; several services, for they share no number.
 *
 * KEY_ONLY takes the lock away, as on several machines: then the primary key
 * has to do, with the WHERE of leg_claim. Its one program does not look at all,
 * and so stands for any number of programs that saw any past.
 *
 * CHECK_THEN_INSERT, NO_HOLD and NO_LOCK plant the faults of the same names in
 * tests/machine/faults.sh. In each somebody must reach the wrong person.
 */

#ifndef PEOPLE
#define PEOPLE		3
#endif
#ifndef NUMBERS
#define NUMBERS		2
#endif
#ifndef SESSIONS
#define SESSIONS	2	/* most that connect at the same time */
#endif
#ifndef TTL
#define TTL		1	/* ttl_max_s: sessions live or linger 1 … TTL */
#endif
#ifndef HOLD
#define HOLD		1	/* hold_s */
#endif
#ifndef REUSE
#define REUSE		0	/* reuse_after_s; 0: never */
#endif

#ifdef KEY_ONLY
#define PROGRAMS	1
#else
#define PROGRAMS	2
#endif

/* People and sessions count from 1; numbers, and the positions of the two
 * parties, from 0. */
#define NONE		0
#define NAME(p)		(64 + (p))	/* for printf: A, B, C, … */

typedef leg_row {
	byte session;		/* NONE: it is over */
	byte peer;		/* NONE: no row */
	byte live, held;	/* ticks until live_until, held_until */
};
leg_row leg[NUMBERS * PEOPLE];
#define LEG(n, p)	leg[(n) * PEOPLE + (p) - 1]

typedef session_row {
	byte left;		/* ticks that it connects; 0: no row */
	bool lingers;		/* was closed */
	byte person[2];		/* the parties, */
	byte number[2];		/* and what each of them dials and sees */
};
session_row session[SESSIONS + 1];
#define NUMBER(s, at)	session[s].number[at]
#define PERSON(s, at)	session[s].person[at]
#define LEG_OF(s, at)	LEG(NUMBER(s, at), PERSON(s, at))
#define IS_OPEN(s)	(session[s].left != 0 && !session[s].lingers)
#define LIVE(s, at)	(session[s].left == 0 -> 0 : LEG_OF(s, at).live)
#define HAS(s, n, p)	(session[s].left != 0 && \
	 (PERSON(s, 0) == (p) && NUMBER(s, 0) == (n) || \
	  PERSON(s, 1) == (p) && NUMBER(s, 1) == (n)))

/* For how many ticks p will think that n reaches x. */
byte memory[NUMBERS * PEOPLE * PEOPLE];
#define MEMORY(n, p, x)	memory[((n) * PEOPLE + (p) - 1) * PEOPLE + (x) - 1]
#define FRESH		(REUSE != 0 -> REUSE : HOLD)

/* Those who have asked for the write lock, in the order of arrival; the first
 * one has it. */
chan queue = [PROGRAMS] of { byte };

/* Who has the lock from looking to acting. */
#if defined(KEY_ONLY) || defined(CHECK_THEN_INSERT)
#define LOCKS(me)	false
#elif defined(NO_LOCK)
#define LOCKS(me)	((me) != 1)
#else
#define LOCKS(me)	true
#endif

/* Who claims without asking whether the number is another's by now. */
#if defined(CHECK_THEN_INSERT)
#define BLIND(me)	true
#elif defined(NO_LOCK)
#define BLIND(me)	((me) == 1)
#else
#define BLIND(me)	false
#endif

#ifdef KEY_ONLY
#define LOOKS		false
#else
#define LOOKS		true
#endif

#ifdef NO_HOLD
#define HELD		0
#else
#define HELD		HOLD
#endif

/* Asserted of the right design only: a planted fault is for callers to find. */
#if defined(CHECK_THEN_INSERT) || defined(NO_HOLD) || defined(NO_LOCK)
#define sound(condition)	skip
#else
#define sound(condition)	assert(condition)
#endif

/* Whether p may have n in a session with q. (Ended REUSE ago is the same as
 * HOLD - REUSE left of the hold.) */
#define MAY_HAVE(n, p, q)	(LEG(n, p).live == 0 && \
	 (LEG(n, p).held == 0 || LEG(n, p).peer == (q) || \
	  REUSE != 0 && LEG(n, p).held <= HOLD - REUSE))
#define BOTH_MAY_HAVE() \
	(MAY_HAVE(n[0], p[0], p[1]) && MAY_HAVE(n[1], p[1], p[0]))

/* Any of least … most. */
inline pick(x, least, most)
{
	x = least;
	do
	:: x < most -> x++
	:: break
	od
}

/* What a party knows while its session connects. */
inline remember(s_, at_)
{
	MEMORY(NUMBER(s_, at_), PERSON(s_, at_), PERSON(s_, 1 - at_)) = FRESH
}

/* leg_claim, but for its WHERE; p_ is told that n_ reaches q_. */
inline claim(s_, n_, p_, q_)
{
	/* No (number, person) is in two sessions. */
	i = 1;
	do
	:: i <= SESSIONS -> sound(i == s_ || !HAS(i, n_, p_)); i++
	:: else -> break
	od;
	/* Nor is a pair given away that somebody may still dial for another. */
	i = 1;
	do
	:: i <= PEOPLE -> sound(i == q_ || MEMORY(n_, p_, i) == 0); i++
	:: else -> break
	od;
	i = 0;
	LEG(n_, p_).session = s_;
	LEG(n_, p_).peer = q_;
	LEG(n_, p_).live = session[s_].left;
	LEG(n_, p_).held = session[s_].left + HELD;
	MEMORY(n_, p_, q_) = FRESH
}

/* leg_end_party, and leg_move for one leg: live for so long, then held. */
inline move(s_, at_, ticks)
{
	sound(LEG_OF(s_, at_).session == s_ && LEG_OF(s_, at_).live != 0);
	if
	:: LEG_OF(s_, at_).session == s_ ->
		LEG_OF(s_, at_).live = ticks;
		LEG_OF(s_, at_).held = ticks + HELD
	:: else		/* another has taken it: only with a fault planted */
	fi
}

/* Nothing is left of a session but what its legs hold. */
inline forget(s_)
{
	i = 0;
	do
	:: i < NUMBERS * PEOPLE ->
		if
		:: leg[i].session == s_ ->
			/* Its parties' legs end with it, others' before. */
			sound(leg[i].live == 0);
			leg[i].session = NONE
		:: else
		fi;
		i++
	:: else -> break
	od;
	i = 0;
	session[s_].left = 0;
	session[s_].lingers = false;
	PERSON(s_, 0) = NONE;
	PERSON(s_, 1) = NONE;
	NUMBER(s_, 0) = 0;
	NUMBER(s_, 1) = 0
}

/* What a deed is about to do. */
#define NOTHING		0
#define OPENING		1
#define REPLACING	2
#define MOVING		3
#define LINGERING	4
#define CLOSING		5

/* mask_open up to number_take: two people and a number for each. */
inline look_to_open()
{
	pick(p[0], 1, PEOPLE - 1);
	pick(p[1], p[0] + 1, PEOPLE);
	pick(n[0], 0, NUMBERS - 1);
	pick(n[1], 0, NUMBERS - 1);
	if
	:: !LOOKS || BOTH_MAY_HAVE() -> deed = OPENING
	:: else				/* RC_POOL */
	fi
}

/* mask_change up to the number of who takes another's place. */
inline look_to_replace()
{
	pick(s, 1, SESSIONS);
	if
	:: IS_OPEN(s) ->
		pick(at, 0, 1);
		p[1 - at] = PERSON(s, 1 - at);
		n[1 - at] = NUMBER(s, 1 - at);
		pick(p[at], 1, PEOPLE);
		pick(n[at], 0, NUMBERS - 1);
		if
		:: p[at] != p[1 - at] && p[at] != PERSON(s, at) &&
		    (!LOOKS || MAY_HAVE(n[at], p[at], p[1 - at])) ->
			deed = REPLACING
		:: else			/* RC_SAME_PARTY, RC_POOL */
		fi
	:: else				/* RC_ENDED */
	fi
}

/* mask_change and mask_close, of which only the end of a session matters. */
inline look_to_end()
{
	pick(s, 1, SESSIONS);
	if
	:: IS_OPEN(s) -> deed = MOVING
	:: IS_OPEN(s) -> deed = LINGERING
	:: session[s].left != 0 -> deed = CLOSING
	:: else				/* RC_ENDED */
	fi
}

/* Nothing of a deed is left over: that would be a state of its own. */
inline clear()
{
	deed = NOTHING;
	s = NONE;
	at = 0;
	p[0] = NONE;
	p[1] = NONE;
	n[0] = 0;
	n[1] = 0;
	left = 0
}

/* session_insert, and claim_leg for both. */
inline open()
{
	s = SESSIONS;
	do
	:: s != NONE && session[s].left != 0 -> s--
	:: else -> break
	od;
	if
	:: s != NONE && (BLIND(me) || BOTH_MAY_HAVE()) ->
		if
		:: LEG(n[0], p[0]).held != 0 ->
			printf("again:\n")	/* number_sticky, _wanted */
		:: LEG(n[0], p[0]).held == 0 && n[0] == n[1] ->
			printf("shared:\n")	/* number_oldest, _any, … */
		:: else ->
			printf("apart:\n")	/* find_apart */
		fi;
		session[s].left = left;
		PERSON(s, 0) = p[0];
		PERSON(s, 1) = p[1];
		NUMBER(s, 0) = n[0];
		NUMBER(s, 1) = n[1];
		claim(s, n[0], p[0], p[1]);
		claim(s, n[1], p[1], p[0]);
		printf("program %d opens session %d: %c has N%d, %c has N%d\n",
		    me, s, NAME(p[0]), n[0], NAME(p[1]), n[1])
	:: s != NONE && !(BLIND(me) || BOTH_MAY_HAVE()) ->
		sound(!LOCKS(me))	/* RC_RETRY */
	:: else				/* no more than SESSIONS */
	fi
}

/* leg_end_party, session_replace, claim_leg, leg_set_peer. The other one knows
 * of it: the number they have is from now on for the new one. */
inline replace()
{
	if
	:: IS_OPEN(s) && p[at] != PERSON(s, at) &&
	    p[1 - at] == PERSON(s, 1 - at) &&
	    n[1 - at] == NUMBER(s, 1 - at) &&
	    (BLIND(me) || MAY_HAVE(n[at], p[at], p[1 - at])) ->
		printf("program %d replaces %c in session %d: %c has N%d\n", me,
		    NAME(PERSON(s, at)), s, NAME(p[at]), n[at]);
		move(s, at, 0);
		MEMORY(n[1 - at], p[1 - at], PERSON(s, at)) = 0;
		MEMORY(n[1 - at], p[1 - at], p[at]) = FRESH;
		PERSON(s, at) = p[at];
		NUMBER(s, at) = n[at];
		claim(s, n[at], p[at], p[1 - at]);
		if
		:: LEG(n[1 - at], p[1 - at]).session == s ->
			LEG(n[1 - at], p[1 - at]).peer = p[at]
		:: else		/* as in move */
		fi
	:: else ->			/* RC_RETRY, or over meanwhile */
		sound(!LOCKS(me) || !IS_OPEN(s))
	fi
}

/* leg_move: the session and its legs get another end. */
inline move_all()
{
	session[s].left = left;
	move(s, 0, left);
	move(s, 1, left)
}

inline act()
{
	if
	:: deed == OPENING -> open()
	:: deed == REPLACING -> replace()
	:: deed == MOVING && IS_OPEN(s) ->
		printf("program %d moves the end of session %d\n", me, s);
		move_all()
	:: deed == LINGERING && IS_OPEN(s) ->
		printf("program %d closes session %d, to linger\n", me, s);
		session[s].lingers = true;
		move_all()
	:: deed == CLOSING && session[s].left != 0 ->
		printf("program %d closes session %d\n", me, s);
		left = 0;
		move_all();
		forget(s)
	:: else				/* RC_POOL, or over meanwhile */
	fi
}

proctype program(byte me)
{
	byte deed;
	byte s;			/* the session */
	byte at;		/* position of the party to be replaced */
	byte p[2], n[2];	/* the parties to be, and their numbers */
	byte left;		/* ticks that the session is to connect */
	byte i;

	do
	:: atomic {
		if
		:: LOCKS(me) -> queue!me
		:: else
		fi
	   }
	   atomic {
		!LOCKS(me) || queue?[eval(me)];
		if
		:: look_to_open()
		:: look_to_replace()
		:: look_to_end()
		fi;
		if
		:: deed == NOTHING -> d_step { clear() }
		:: else
		fi
#ifndef KEY_ONLY
	   }
	   /* Time passes here, people call, and who needs no lock acts. */
	   atomic {
#endif
		pick(left, 1, TTL);
		skip;			/* od cannot lead into a d_step */
		d_step {
			act();
			clear();
			if
			:: LOCKS(me) -> queue?eval(me)
			:: else
			fi
		}
	   }
	od
}

/* Time passes: for those who remember, for legs and for sessions. */
proctype clock()
{
	byte i, s;

	do
	:: d_step {
		do
		:: i < NUMBERS * PEOPLE * PEOPLE ->
			memory[i] = (memory[i] != 0 -> memory[i] - 1 : 0);
			i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < NUMBERS * PEOPLE ->
			leg[i].live = (leg[i].live != 0 -> leg[i].live - 1 : 0);
			leg[i].held = (leg[i].held != 0 -> leg[i].held - 1 : 0);
			if
			:: leg[i].held == 0 ->
				leg[i].session = NONE;
				leg[i].peer = NONE
			:: else
			fi;
			i++
		:: else -> break
		od;
		i = 0;
		s = 1;
		do
		:: s <= SESSIONS ->
			if
			:: session[s].left != 0 ->
				/* As long as it connects nobody forgets. */
				remember(s, 0);
				remember(s, 1);
				session[s].left = session[s].left - 1;
				if
				:: session[s].left == 0 -> forget(s)
				:: else
				fi
			:: else
			fi;
			s++
		:: else -> break
		od;
		s = 0;
		printf("a tick\n")
	   }
	od
}

/* The person of leg i dials its number: leg_route, policy_decide. */
inline dial()
{
	n = i / PEOPLE;
	p = i % PEOPLE + 1;
	s = leg[i].session;
	if
	:: leg[i].live != 0 && s != NONE ->
		at = (PERSON(s, 0) == p -> 1 : 0);
		to = PERSON(s, at);
		assert(HAS(s, n, p));
		x = 1;
		do
		:: x <= PEOPLE ->
			if
			:: x != to && MEMORY(n, p, x) != 0 ->
				printf("%c dials N%d for %c and reaches %c\n",
				    NAME(p), n, NAME(x), NAME(to));
				assert(false)		/* never */
			:: else
			fi;
			x++
		:: else -> break
		od;
		/* Whoever is rung sees the number that leads back. */
		sound(LEG_OF(s, at).session == s && LEG_OF(s, at).peer == p)
	:: else
	fi
}

/* Everybody dials every number, at any moment. */
proctype callers()
{
	byte i;
	byte n, p;		/* number dialled, who dials */
	byte s, at, to;		/* the session behind it; the callee in it */
	byte x;			/* whom the caller may have meant */

	do
	:: d_step {
		do
		:: i < NUMBERS * PEOPLE -> dial(); i++
		:: else -> break
		od;
		/* Nobody is turned away whose session connects. */
		s = 1;
		do
		:: s <= SESSIONS ->
			sound(session[s].left == LIVE(s, 0));
			sound(session[s].left == LIVE(s, 1));
			s++
		:: else -> break
		od;
		i = 0;
		n = 0;
		p = NONE;
		s = NONE;
		at = 0;
		to = NONE;
		x = NONE
	   }
	od
}

/* Whoever asks for the lock gets it. */
ltl turn { [] (queue??[1] -> <> !queue??[1]) }

init {
	atomic {
		run program(1);
#ifndef KEY_ONLY
		run program(2);
#endif
		run clock();
		run callers()
	}
}
