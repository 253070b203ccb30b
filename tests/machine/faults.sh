#!/bin/bash
#
# Plants faults in copies of the code, each of which lets somebody reach the
# wrong person or lets the service fail, and expects machine.py to find every
# one of them. The first three are those of the model in tests/model.
#
#   check-then-insert  a number is looked for in one transaction and claimed in
#                      the next, and the claim takes whatever it finds
#   no-hold            a number is given away as soon as a session has ended
#   no-lock            sessions are opened by an allocator that looks for
#                      numbers without the lock and claims without asking
#   no-flock           nobody takes the lock, transactions begin deferred: then
#                      SQLite itself keeps pairs apart, but turns requests away
#   replaced-by-clock  a replaced party is one whose leg has ended by the clock,
#                      so that a clock set back connects it again
#
#   faults.sh [FAULT …]      all of them, or these
#
# Settings: SEQUENCES (1000), JOBS (4), SEED (random), KEEP (a folder for the
# copies, else they are removed).

set -eu
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
machine=$PWD/tests/machine/machine.py
copies=${KEEP:-$(mktemp -d /tmp/callmask-faults.XXXXXXXX)}
[ -n "${KEEP-}" ] || trap 'rm -rf "$copies"' EXIT
[ $# -gt 0 ] ||
    set -- check-then-insert no-hold no-lock no-flock replaced-by-clock

# edit FILE SCRIPT: sed, which must change something.
edit() {
	sed -i.before -E "$2" "$1"
	if cmp -s "$1" "$1.before"; then
		echo "faults.sh: $1 is not as it was; nothing matches: $2" >&2
		exit 2
	fi
	rm "$1.before"
}

# The claim takes what it finds; the parameters stay in use.
claim_blindly() {
	edit sql/leg.sql '/^-- name: leg_claim/,/^RETURNING/ {
		/^WHERE leg\./,/^RETURNING/ {
			/^RETURNING/!d
			s/^/WHERE $8 + $9 IS NOT NULL\n/ } }'
}

plant_check_then_insert() {
	claim_blindly
	edit lib/mask.c 's/^#include "leg.h"/&\n#include "db_driver.h"/'
	edit lib/mask.c '/^mask_open\(/,/^}/ s/^\trc = number_take\(.*\);/&\
	if (rc == RC_OK) {\
		mask->db->driver->commit(mask->db);\
		rc = mask->db->driver->begin(mask->db, true, DB_WAIT_MS);\
	}/'
}

plant_no_hold() {
	edit lib/mask.c 's/ \+ service(->|\.)hold_s//'
}

plant_no_lock() {
	claim_blindly
	edit lib/mask.c 's/^#include "leg.h"/&\n#include "db_driver.h"/'
	edit lib/mask.c '/^mask_open\(/,/^}/ s/^\trc = number_take\(.*\);/\
	mask->db->driver->commit(mask->db);\
&\
	if (rc == RC_OK || rc == RC_POOL) {\
		enum rc turn;\
		turn = mask->db->driver->begin(mask->db, true, DB_WAIT_MS);\
		rc = turn != RC_OK ? turn : rc;\
	}/'
}

plant_no_flock() {
	edit lib/db_sqlite.c '/^sqlite_begin\(/,/^}/ {
		/take_lock\(/,/return rc;/d
		s/BEGIN IMMEDIATE/BEGIN/ }'
}

plant_replaced_by_clock() {
	edit lib/leg.c 's/ && !leg->replaced//'
}

# Which difference it must be.
expected() {
	case $1 in
	no-flock) echo '503' ;;
	*) echo 'I1' ;;
	esac
}

build() {
	local copy=$copies/$1
	mkdir -p "$copy"
	cp -Rp Makefile lib cgi-bin sql "$copy"
	cd "$copy"
	"plant_${1//-/_}"
	make -s -j2 WERROR= CFLAGS=-O0 all >make.log 2>&1 || {
		tail make.log >&2
		exit 2
	}
}

builders=()
for fault; do
	build "$fault" &
	builders+=($!)
done
for builder in "${builders[@]}"; do
	wait "$builder"
done

missed=0
for fault; do
	echo "--- $fault"
	"$machine" --bin "$copies/$fault/build/bin" --fault "$fault" \
	    --expect "$(expected "$fault")" --sequences "${SEQUENCES:-1000}" \
	    --jobs "${JOBS:-4}" --shorten 5 ${SEED:+--seed "$SEED"} ||
	    missed=$((missed + 1))
done
echo "$# faults planted, $missed missed"
[ "$missed" = 0 ]
