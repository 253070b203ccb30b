#!/bin/sh
# Checks the floors: a file includes only headers of its own floor or below,
# and each foreign library is seen by one file (jansson by three: our JSON and
# Twilio's). The table is the architecture.

set -eu
cd "$(dirname "$0")/.."

awk '
BEGIN {
	floors = "rc buf log utf8 timestamp crypto id form conf sql version wake address;" \
	    "db db_driver db_sqlite req twiml http;" \
	    "phone phone_country policy say service apikey signin audit number leg code intent tally event " \
	    "call session idempotency twilio_sign outbox hook " \
	    "twilio_rest twilio_number message recording redact redact_text " \
	    "redact_number redact_address erasure;" \
	    "mask mask_call mask_place mask_text mask_tidy mask_recording mask_number " \
	    "mask_erase reseal plan export top view view_json view_read view_route view_key " \
	    "view_service view_audit view_number view_delivery metrics deliver " \
	    "metrics_text metrics_gauges overview view_overview view_search " \
	    "deliver_event deliver_call deliver_message deliver_erase deliver_number;" \
	    "app serve voice;"
	n = split(floors, rows, ";")
	for (i = 1; i < n; i++) {
		m = split(rows[i], names, " ")
		for (j = 1; j <= m; j++)
			floor[names[j]] = i
	}
	programs = n
	split("fcgiapp=req libxml/xmlwriter=twiml libxml/parser=twiml sqlite3=db_sqlite " \
	    "jansson=view_json|twilio_rest|twilio_number sodium=crypto openssl/evp=crypto " \
	    "openssl/params=crypto openssl/core_names=crypto ini=conf curl/curl=http", \
	    pairs, " ")
	for (i in pairs) {
		split(pairs[i], pair, "=")
		door[pair[1]] = pair[2]
	}
}
FNR == 1 {
	name = FILENAME
	sub(/.*\//, "", name)
	sub(/\.[ch]$/, "", name)
	here = FILENAME ~ /^cgi-bin/ ? programs : floor[name]
	if (here == "")
		complain("is on no floor; add it to tests/layers.sh")
}
/^#include "/ {
	other = $2
	gsub(/"|\.h$|\.h"$/, "", other)
	sub(/\.h$/, "", other)
	if (FILENAME ~ /^cgi-bin/ && (other ~ /^(callmask|admin|outboxd)$/))
		next
	if (other == "view_json" && name !~ /^view/)
		complain("must leave view_json.h to the views")
	if (floor[other] == "" || floor[other] > here)
		complain("must not include " other ".h")
}
/^#include </ {
	other = $2
	gsub(/[<>]/, "", other)
	sub(/\.h$/, "", other)
	if (other in door && index("|" door[other] "|", "|" name "|") == 0)
		complain("must leave " other ".h to " door[other] ".c")
}
function complain(what) {
	printf "%s:%d: %s\n", FILENAME, FNR, what
	bad = 1
}
END { exit bad }
' lib/*.[ch] cgi-bin/*.[ch]
