#!/bin/bash
#
# A ride from its booking to its end, by curl:
#
#	export CALLMASK_URL=https://mask.example.net CALLMASK_API_KEY=…
#	ride.sh CUSTOMER DRIVER
#
# The two are phone numbers like +12025550147. CALLMASK_CA names the file of an
# authority of your own, as make run has one.

set -eu
customer=$1 driver=$2

# One request: api PATH CURL-OPTIONS… A problem document goes to standard error.
api() {
	local path=$1 answer
	shift
	answer=$(curl -q -sS --fail-with-body ${CALLMASK_CA:+--cacert "$CALLMASK_CA"} \
	    -H "Authorization: Bearer $CALLMASK_API_KEY" \
	    "$@" "$CALLMASK_URL$path") || {
		echo "$answer" >&2
		return 1
	}
	echo "$answer"
}

# A change. The key makes it safe to ask again when an answer was lost, or says to
# wait: curl does so, and nothing is done twice.
change() {
	local path=$1 document=$2
	shift 2
	api "$path" --json "$document" -H "Idempotency-Key: $(new_key)" \
	    --retry 4 --retry-connrefused "$@"
}

new_key() {
	od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}

# The first value of a field in what comes in; a program would use jq.
field() {
	grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | cut -d '"' -f 4
}

session=$(change /v1/sessions "{\"ttl\": 7200, \"parties\": [
    {\"role\": \"customer\", \"phone\": \"$customer\"},
    {\"role\": \"driver\", \"phone\": \"$driver\"}]}")
id=$(field id <<<"$session")
echo "session $id: both dial $(field masked_number <<<"$session")"

text=$(change "/v1/sessions/$id/messages" \
    '{"to": "driver", "text": "Your customer waits at the main entrance."}')
echo "text $(field id <<<"$text"): $(field status <<<"$text")"

# The driver's phone rings first, then the customer's.
call=$(change "/v1/sessions/$id/calls" '{"from": "driver"}')
echo "call $(field id <<<"$call"): $(field status <<<"$call")"

session=$(change "/v1/sessions/$id/close" '{"end_calls": true}')
echo "session $id: $(field status <<<"$session")"

# What happened in this service. Ask on with after= set to "next".
api "/v1/events?after=0&limit=500" | grep -o "\"type\":\"[^\"]*\"" | sort | uniq -c
