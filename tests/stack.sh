#!/bin/bash
#
# The development stack: nginx with TLS, every program, the sandbox that plays
# Twilio, a database with one service, its keys and two masked numbers. All of it
# lives in one folder, needs no root, and touches nothing outside.
#
#   stack.sh up         start it in the background
#   stack.sh down       stop it (harmless if it is not running); the data stays
#   stack.sh run        start it, stay until Ctrl-C, stop it
#   stack.sh restart P  replace the workers of program P, losing no request
#
# Settings, from the environment:
#
#   PORT           8443           where nginx listens, on 127.0.0.1 and ::1
#   RUN_DIR        build/run      the folder
#   BIN_DIR        build/bin      the programs
#   WORKERS        2              processes for each program
#   NUMBERS        +12025550199 +12025550198   masked numbers of the service
#   COUNTRIES      US             countries the service may call
#   SANDBOX_SPEED  1              how much faster than life the sandbox plays
#   API_RATE       (as in nginx/callmask.conf)  requests a second for /v1
#   SANDBOX        cgi-bin/sandbox
#   SANDBOX_PORT   (that of the last time, or some free one)  where it listens
#
# In RUN_DIR afterwards:
#
#   env            what a client needs, as KEY=VALUE for the shell: CALLMASK_URL,
#                  CALLMASK_API_KEY, CALLMASK_ADMIN_KEY, CALLMASK_CA, CALLMASK,
#                  TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN, SANDBOX_URL,
#                  MASKED_NUMBERS
#   callmask.conf  written anew by every start; secrets.conf and callmask.db are
#                  kept, and so are the keys: a second start goes on where the
#                  first stopped. Remove the folder to begin afresh.
#   log/           one file for each part
#   pid/           one file for each part: the process that leads its group

set -eu
umask 077

# Set early: without a trap, bash ignores an INT while a command runs that does
# not die of it.
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

self=$0
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
PATH=$PATH:/usr/sbin:/sbin

PORT=${PORT:-8443}
RUN_DIR=${RUN_DIR:-$root/build/run}
BIN_DIR=${BIN_DIR:-$root/build/bin}
WORKERS=${WORKERS:-2}
NUMBERS=${NUMBERS:-+12025550199 +12025550198}
COUNTRIES=${COUNTRIES:-US}
SANDBOX_SPEED=${SANDBOX_SPEED:-1}
API_RATE=${API_RATE:-}
SANDBOX=${SANDBOX:-$root/cgi-bin/sandbox}
SANDBOX_PORT=${SANDBOX_PORT:-}

# The programs, and for each a request that it refuses with 401 or 405: so we see
# that it runs. (nginx without it would say 503, or 200 and an apology.)
programs='
	voice-inbound    GET   /twilio/voice
	voice-code       GET   /twilio/voice/code
	voice-screen     GET   /twilio/voice/screen
	voice-placed     GET   /twilio/voice/placed/none
	voice-ended      GET   /twilio/voice/ended
	status-callback  GET   /twilio/status
	session-create   POST  /v1/sessions
	session-get      GET   /v1/sessions
	session-update   PATCH /v1/sessions/none
	session-intent   POST  /v1/sessions/none/intents
	session-call     POST  /v1/sessions/none/calls
	session-close    POST  /v1/sessions/none/close
	message-inbound  GET   /twilio/message
	message-status   GET   /twilio/message/status/none
	session-message  POST  /v1/sessions/none/messages
	routes           GET   /v1/routes
	events           GET   /v1/events
	recording-callback GET /twilio/recording
	recording        GET   /v1/recordings/none
	metrics          POST  /metrics
	admin            GET   /admin/sign-in
'
names=$(awk '{ print $1 }' <<<"$programs")
parts="nginx sandbox outboxd $names"
process_names=$(printf '%.15s ' outboxd $names) # as the kernel cuts them

die() {
	echo "stack.sh: $*" >&2
	exit 1
}

# --- Processes. Every part is started in RUN_DIR as leader of its own group, and
# on record in pid/ before it is. A process is taken for ours only if it still
# works in that folder, so a number left over from last week hits no stranger.

ours() {
	[ "/proc/$1/cwd" -ef "$RUN_DIR" ]
}

# Sets pid to the recorded process of a part, if that lives.
leader() {
	read -r pid <"pid/$1" && ours "$pid"
} 2>/dev/null

# The processes of these groups that are ours, whether their leaders live or not.
# The programs keep even their own user from looking at them, so they are known
# by their names.
members() {
	local stat line name IFS='|'
	for stat in /proc/[0-9]*/stat; do
		{ read -r line <"$stat"; } 2>/dev/null || continue
		[[ ${line##*) } =~ ^.\ [0-9]+\ ($*)\  ]] || continue
		name=${line#*(}
		name=${name%)*}
		if [[ " $process_names " == *" $name "* ]] ||
		    ours "${stat//[!0-9]/}"; then
			echo "${stat//[!0-9]/}"
		fi
	done
}

# Starts a part, its output in its log.
start() {
	local name=$1
	shift
	(
		echo "$BASHPID" >"pid/$name"
		exec setsid "$@" </dev/null >>"log/$name.log" 2>&1
	) &
	until [ -s "pid/$name" ]; do
		sleep 0.002
	done
}

# Stops everything: TERM to the leaders, who tell their workers; after half a
# second to all that is left; KILL after 3 s.
stop_all() {
	local file pid left tries groups=()
	for file in pid/*; do
		if [ "$file" != pid/stack ] && read -r pid <"$file"; then
			groups+=("$pid")
		fi
	done
	for ((tries = 0; tries < 60; tries++)); do
		left=$(members "${groups[@]}")
		[ -n "$left" ] || break
		for pid in $left; do
			if [[ $tries = *0 ]] &&
			    [[ $tries != 0 || " ${groups[*]} " = *" $pid "* ]]; then
				kill -TERM "$pid" 2>/dev/null || :
			fi
		done
		sleep 0.05
	done
	for pid in $(members "${groups[@]}"); do
		kill -KILL "$pid" 2>/dev/null || :
	done
	case $(readlink sock) in
	/tmp/callmask.*) rm -rf "$(readlink sock)" ;;
	esac
	rm -rf sock pid/*
}

# --- Ports.

taken() {
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null ||
	    (exec 3<>"/dev/tcp/::1/$1") 2>/dev/null
}

has_ipv6() {
	grep -q '^00000000000000000000000000000001 ' /proc/net/if_inet6
} 2>/dev/null

# The wanted port, else that of the last time, if it is free; else one below those
# that the kernel gives to clients.
choose_sandbox_port() {
	sandbox_port=${SANDBOX_PORT:-$(from_env SANDBOX_URL)}
	sandbox_port=${sandbox_port##*:}
	while [ -z "$sandbox_port" ] || taken "$sandbox_port"; do
		sandbox_port=$((20000 + RANDOM % 10000))
	done
}

# --- The contents of RUN_DIR.

# A value of the old env file, or nothing.
from_env() {
	[ ! -e env ] || (
		# shellcheck disable=SC1091
		. ./env
		echo "${!1-}"
	)
}

# The sockets' folder. A socket's path has room for 107 bytes.
make_socket_dir() {
	sockets=$RUN_DIR/sock
	if [ ${#sockets} -le 70 ]; then
		mkdir sock
	else
		sockets=$(mktemp -d /tmp/callmask.XXXXXXXX)
		ln -s "$sockets" sock
	fi
}

# An authority for this folder alone and its only certificate. The authority's
# key is gone as soon as it has signed.
make_certificate() {
	if [ -e server.pem ] && openssl x509 -noout -checkend 86400 \
	    -in server.pem >/dev/null; then
		return
	fi
	cat >openssl.cnf <<-'END'
		[req]
		distinguished_name = dn
		prompt = no
		[dn]
		CN = localhost
		[ca]
		basicConstraints = critical, CA:TRUE, pathlen:0
		keyUsage = critical, keyCertSign, cRLSign
		subjectKeyIdentifier = hash
		[server]
		basicConstraints = critical, CA:FALSE
		keyUsage = critical, digitalSignature
		extendedKeyUsage = serverAuth
		subjectKeyIdentifier = hash
		authorityKeyIdentifier = keyid
		subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
	END
	{
		openssl req -config openssl.cnf -x509 -extensions ca -days 398 \
		    -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		    -subj "/CN=callmask development $(openssl rand -hex 4)" \
		    -keyout ca.key -out ca.pem
		openssl req -config openssl.cnf -new \
		    -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		    -keyout server.key -out server.csr
		openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key \
		    -set_serial "0x$(openssl rand -hex 8)" -days 397 \
		    -extfile openssl.cnf -extensions server -out server.pem
	} >log/openssl.log 2>&1 || die "openssl failed, see $RUN_DIR/log/openssl.log"
	rm -f ca.key server.csr openssl.cnf
}

# The nginx files, with the folders of production replaced.
make_nginx_conf() {
	local user='' ipv6=''
	[ "$(id -u)" != 0 ] || user='user root;'
	! has_ipv6 || ipv6="listen [::1]:$PORT ssl;"
	mkdir -p nginx/conf.d nginx/snippets nginx/tmp
	sed -e "s|/run/callmask/|$sockets/|g" \
	    -e "${API_RATE:+s|rate=[0-9]*r/s|rate=${API_RATE}r/s|}" \
	    "$root/nginx/callmask.conf" >nginx/conf.d/callmask.conf
	sed -e "s|/var/log/nginx/|$RUN_DIR/log/|g" \
	    -e "s|/usr/share/callmask|$root/nginx|" \
	    "$root/nginx/callmask-locations.conf" \
	    >nginx/snippets/callmask-locations.conf
	cp "$root/nginx/callmask-fastcgi.conf" nginx/snippets/
	sed -e "s|@USER_LINE@|$user|" -e "s|@LISTEN_IPV6@|$ipv6|" \
	    -e "s|@RUN_DIR@|$RUN_DIR|g" -e "s|@PORT@|$PORT|g" \
	    -e "s|@SANDBOX_PORT@|$sandbox_port|g" -e "s|@ROOT@|$root|g" \
	    "$root/nginx/dev.conf.in" >nginx/nginx.conf
}

# callmask's own files, and the service: made once, kept afterwards.
make_service() {
	local number old_numbers new_numbers=''
	callmask="$BIN_DIR/callmask -c $RUN_DIR/callmask.conf"
	cat >callmask.conf <<-END
		# Written by stack.sh, and again by its next start.
		public_url = https://localhost:$PORT
		database = $RUN_DIR/callmask.db
		secrets = $RUN_DIR/secrets.conf
		metrics = $RUN_DIR/metrics
		twilio_api_url = http://127.0.0.1:$sandbox_port
		ca_file = $RUN_DIR/ca.pem
		private_webhooks = yes
	END
	api_key=$(from_env CALLMASK_API_KEY)
	admin_key=$(from_env CALLMASK_ADMIN_KEY)
	old_numbers=$(from_env MASKED_NUMBERS)
	if [ ! -e callmask.db ]; then
		echo "twilio_account_sid = AC$(openssl rand -hex 16)" >secrets.conf
		echo "twilio_auth_tokens = $(openssl rand -hex 16)" >>secrets.conf
		rm -f env
		old_numbers=
		admin_key=$($callmask init --service demo \
		    --countries "$COUNTRIES") || die "callmask init failed"
		api_key=$($callmask -s demo key add --role app \
		    --name backend) || die "callmask key add failed"
	elif [ -z "$api_key" ] || [ ! -e secrets.conf ]; then
		die "$RUN_DIR has a database but no keys to it; remove the folder"
	fi
	for number in $NUMBERS; do
		[[ " $old_numbers " == *" $number "* ]] || new_numbers+=" $number"
	done
	# shellcheck disable=SC2086
	[ -z "$new_numbers" ] ||
	    $callmask -s demo number add $new_numbers >/dev/null ||
	    die "callmask number add failed"
	account_sid=$(sed -n 's/^twilio_account_sid *= *//p' secrets.conf)
	auth_token=$(sed -n 's/^twilio_auth_tokens *= *\([0-9a-f]*\).*/\1/p' \
	    secrets.conf)
	numbers=${old_numbers:+$old_numbers}$new_numbers
	numbers=${numbers# }
	cat >env.new <<-END
		CALLMASK_URL=https://localhost:$PORT
		CALLMASK_API_KEY='$api_key'
		CALLMASK_ADMIN_KEY='$admin_key'
		CALLMASK_CA=$RUN_DIR/ca.pem
		CALLMASK='$callmask'
		TWILIO_ACCOUNT_SID=$account_sid
		TWILIO_AUTH_TOKEN=$auth_token
		SANDBOX_URL=http://127.0.0.1:$sandbox_port
		MASKED_NUMBERS='$numbers'
	END
	mv env.new env
}

# --- Up.

# The statuses of the answers to some requests, over one connection where that is
# possible: statuses METHOD URL…
statuses() {
	local requests=()
	while [ $# -gt 0 ]; do
		requests+=(--next -s -o /dev/null -w '%{http_code}\n' --max-time 2
			--noproxy '*' --cacert ca.pem -X "$1" "$2")
		shift 2
	done
	curl -q "${requests[@]:1}" || :
}

# Which of these parts do not answer: silent PART…
silent() {
	local name method path status asked=() requests=()
	while read -r name method path; do
		[[ " $* " = *" $name "* ]] || continue
		asked+=("$name")
		requests+=("$method" "$path")
	done <<-END
		nginx    GET  https://localhost:$PORT/
		sandbox  GET  http://127.0.0.1:$sandbox_port/sandbox/health
		$(awk -v "at=https://localhost:$PORT" \
		    'NF { print $1, $2, at $3 }' <<<"$programs")
	END
	[[ " $* " != *" outboxd "* ]] || [ -p callmask.db-wake ] || echo outboxd
	[ ${#asked[@]} -gt 0 ] || return 0
	set -- "${asked[@]}"
	for status in $(statuses "${requests[@]}"); do
		case $1/$status in
		nginx/404 | sandbox/200) ;;
		nginx/* | sandbox/*) echo "$1" ;;
		*/401 | */405) ;;
		*) echo "$1" ;;
		esac
		shift
	done
	[ $# -eq 0 ] || printf '%s\n' "$@"
}

# Says what is wrong with a part, shows the end of its log, and gives up.
complain() {
	echo "stack.sh: $1 $2; the end of $RUN_DIR/log/$1.log:" >&2
	tail -n 15 "log/$1.log" >&2 || :
	exit 1
}

# Waits until all the parts answer.
await() {
	local mute=$parts deadline=$((SECONDS + 20))
	# shellcheck disable=SC2086
	while mute=$(silent $mute) && [ -n "$mute" ]; do
		check $parts
		[ "$SECONDS" -lt "$deadline" ] ||
		    complain "${mute%%$'\n'*}" "does not answer"
		sleep 0.02
	done
	# shellcheck disable=SC2086
	check $parts
}

# Complains if one of the parts has died for good.
check() {
	local part
	for part in "$@"; do
		leader "$part" || complain "$part" "has died"
	done
}

# Makes what is missing and starts all parts. Runs in a process group of its own.
work() {
	local part number workers options=()
	rm -f log/*
	choose_sandbox_port
	make_socket_dir
	make_certificate
	make_nginx_conf
	make_service

	# multiwatch starts a worker again at once, whatever it died of; only one
	# that cannot even live for 20 ms, a hundred times, is given up. It ends
	# them by SIGUSR1.
	for part in $names; do
		workers=$WORKERS
		# As many as nginx lets wait for events, and one.
		[ "$part" != events ] || workers=8
		start "$part" spawn-fcgi -s "$sockets/$part.sock" -b 1024 -M 0660 \
		    -n -- "$(command -v multiwatch)" -f "$workers" -r 100 -t 20 \
		    -- "$BIN_DIR/$part" -c "$RUN_DIR/callmask.conf"
	done
	start outboxd "$(command -v multiwatch)" -f 1 -r 100 -t 20 -- \
	    "$BIN_DIR/outboxd" -c "$RUN_DIR/callmask.conf"
	for number in $numbers; do
		options+=(--number "$number")
	done
	TWILIO_ACCOUNT_SID=$account_sid TWILIO_AUTH_TOKEN=$auth_token \
	    CALLMASK_URL=https://localhost:$PORT CALLMASK_API_KEY=$api_key \
	    start sandbox "$SANDBOX" --listen "127.0.0.1:$sandbox_port" \
	    --webhook-url "https://localhost:$PORT" --ca "$RUN_DIR/ca.pem" \
	    --speed "$SANDBOX_SPEED" "${options[@]}"
	start nginx nginx -p "$RUN_DIR" -c "$RUN_DIR/nginx/nginx.conf" \
	    -e "$RUN_DIR/log/nginx.log" -g 'daemon off;'
	await
}

# All the work is done by a child in a group of its own, because this shell must
# be free for signals: when one comes, the child's group is killed, so that
# nothing more is started, and then whatever is on record is stopped.
up() {
	local tool part file
	for tool in nginx spawn-fcgi multiwatch openssl curl; do
		command -v $tool >/dev/null ||
		    die "$tool is missing: apt-get install nginx-light spawn-fcgi multiwatch openssl curl"
	done
	for part in callmask outboxd $names; do
		[ -x "$BIN_DIR/$part" ] || die "no $BIN_DIR/$part; run make first"
	done
	[ -x "$SANDBOX" ] || die "no $SANDBOX"
	for file in pid/*; do
		! leader "${file#pid/}" ||
		    die "a stack is running in $RUN_DIR; stop it with: RUN_DIR=$RUN_DIR $self down"
	done
	! taken "$PORT" || die "port $PORT is taken; choose another with PORT="

	stop_all # what a stack that was killed has left
	fresh=
	[ -e callmask.db ] || fresh=1
	worker=
	trap clean_up EXIT
	echo $$ >pid/stack
	set -m
	(
		set +m
		work
	) &
	worker=$!
	set +m
	wait "$worker"
	worker=
}

clean_up() {
	local result=$?
	trap '' HUP INT TERM
	trap - EXIT
	set +e
	if [ -n "$worker" ]; then
		{
			kill -KILL -- "-$worker"
			wait "$worker" # or bash tells us that it was killed
		} 2>/dev/null
		while [ -n "$(members "$worker")" ]; do
			sleep 0.01
		done
	fi
	stop_all
	# A service half made is of no use to the next start.
	if [ -n "$fresh" ] && [ ! -e env ]; then
		rm -f callmask.db* secrets.conf
	fi
	exit $result
}

run() {
	up
	trap 'exit 0' HUP INT TERM
	# shellcheck disable=SC1091
	. ./env
	cat <<-END

		callmask is running. Ctrl-C stops it.

		  API and webhooks  $CALLMASK_URL
		  its description   $CALLMASK_URL/v1/openapi.html
		  two phones        $CALLMASK_URL/sandbox/   <- open this in a browser
		  admin panel       $CALLMASK_URL/admin/     <- and this, with the key
		                    $CALLMASK_ADMIN_KEY
		  masked numbers    $MASKED_NUMBERS
		  keys and URLs     $RUN_DIR/env
		  logs              $RUN_DIR/log/

		In another terminal:

		  . $RUN_DIR/env
		  curl --cacert \$CALLMASK_CA -H "Authorization: Bearer \$CALLMASK_API_KEY" \\
		      --json '{"ttl":3600,"parties":[{"role":"customer","phone":"+12025550147"},
		                                     {"role":"driver","phone":"+12025550123"}]}' \\
		      \$CALLMASK_URL/v1/sessions

	END
	while :; do
		# shellcheck disable=SC2086
		check $parts
		sleep 0.3
	done
}

# --- The rest.

down() {
	local tries
	# An up or run in another terminal cleans up by itself.
	if leader stack; then
		kill -TERM "$pid" 2>/dev/null || :
		for ((tries = 0; tries < 200; tries++)); do
			ours "$pid" || break
			sleep 0.05
		done
		! ours "$pid" || kill -KILL "$pid" 2>/dev/null || :
	fi
	stop_all
}

# The supervisor stays, and with it the socket and whoever waits in its queue.
restart() {
	local supervisor old=
	leader "$1" || die "$1 is not running in $RUN_DIR"
	supervisor=$pid
	for pid in $(members "$supervisor"); do
		[ "$pid" = "$supervisor" ] || old+=" $pid"
	done
	[ -n "$old" ] || die "$1 has no workers to replace"
	# shellcheck disable=SC2086
	kill -TERM $old
	for pid in $old; do
		while kill -0 "$pid" 2>/dev/null; do
			sleep 0.01
		done
	done
}

command=${1-}
case $command:$# in
up:1 | run:1) mkdir -p "$RUN_DIR" ;;
down:1) [ -d "$RUN_DIR" ] || exit 0 ;;
restart:2) ;;
*)
	sed -n '3,/^$/s/^# \{0,1\}//p' "$0" >&2
	exit 2
	;;
esac
BIN_DIR=$(realpath -m "$BIN_DIR")
RUN_DIR=$(cd "$RUN_DIR" && pwd -P)
case $RUN_DIR$BIN_DIR in
*[!A-Za-z0-9._/+@~-]*) die "no blanks or quotes in RUN_DIR and BIN_DIR, please" ;;
esac
cd "$RUN_DIR"
mkdir -p log pid
shopt -s nullglob
case $command in
up)
	up
	rm -f pid/stack
	trap - EXIT
	echo "callmask is up: https://localhost:$PORT, see $RUN_DIR/env"
	;;
run) run ;;
down) down ;;
restart) restart "$2" ;;
esac
