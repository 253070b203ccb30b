#ifndef INTENT_H
#define INTENT_H

/*
 * Call intents: the app says that one of its people is about to call, so that
 * the next withheld caller on that masked number is taken for that person.
 * Anybody who hides the number and dials it in those seconds is let through
 * instead: so it is off unless a service asks for it, works once, for half a
 * minute, and only if no other intent waits at the same number.
 */

#include <stdint.h>

#include "db.h"
#include "id.h"
#include "rc.h"

#define INTENT_LIFE_S 30 /* how long it waits */

/* Announces the party called party_id at its masked number. */
enum rc intent_put(
    struct db *db, const char *party_id, const char *number, int64_t now);

/*
 * Takes the intent waiting at number and stores whose it is. Returns RC_NONE
 * if there is none, or more than one.
 */
enum rc intent_take(
    struct db *db, char party_id[ID_SIZE], const char *number, int64_t now);

#endif
