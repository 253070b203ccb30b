# callmask: one Makefile for everything. The commands people use:
#
#	make demo	play the story of a masked call on this machine
#	make run	the same set-up, to play with, until Ctrl-C
#	make check	all tests
#	make model	every state of the model of allocation
#	make bench	how fast, beside what is possible
#	make bench-pool	the same of choosing numbers, and how many a day takes
#
# Override below on the command line or in Makefile.local.

# Where make run serves and keeps its state.
PORT	?= 8443
RUN_DIR	?= $(CURDIR)/build/run

CC	?= cc
CFLAGS	?= -O2 -g
# Set to nothing to let warnings pass, e.g. with another compiler.
WERROR	?= -Werror

-include Makefile.local

# Where objects and programs go; sanitized builds have their own.
B	?= build

PROGRAMS := voice-inbound voice-code voice-screen voice-placed voice-ended \
	status-callback message-inbound message-status session-create \
	session-get session-update session-intent session-call session-message \
	session-close routes events recording-callback recording metrics admin
CLI_OBJS := callmask callmask_commands callmask_help callmask_json \
	callmask_terminal callmask_screen callmask_setup callmask_doctor \
	callmask_top callmask_backup callmask_rekey callmask_service \
	callmask_numbers callmask_list callmask_buy callmask_release \
	callmask_pool callmask_sync callmask_twilio callmask_advice \
	callmask_session callmask_export callmask_erase callmask_audit callmask_webhook
OUTBOXD_OBJS := outboxd outboxd_pace outboxd_carry
ADMIN_OBJS := admin admin_signin admin_numbers admin_deliveries admin_keys \
	admin_service admin_preview admin_audit admin_overview admin_search
PKGS	:= libxml-2.0 jansson sqlite3 libsodium libcrypto inih libcurl

WARN	:= -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wformat=2 -Wconversion -Wno-sign-conversion \
	$(WERROR)
HARDEN	:= -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE \
	-fno-strict-aliasing -fno-strict-overflow
ALL_CFLAGS = -std=c17 -D_GNU_SOURCE $(WARN) $(HARDEN) $(CFLAGS) \
	-iquote lib -iquote $(B) $(shell pkg-config --cflags $(PKGS))
LIBS	= $(shell pkg-config --libs $(PKGS)) -lfcgi
LDFLAGS	?= -pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed

LIB_OBJS := $(patsubst lib/%.c,$(B)/lib/%.o,$(sort $(wildcard lib/*.c))) \
	$(B)/lib/sql.o
BINS	:= $(addprefix $(B)/bin/,$(PROGRAMS) outboxd callmask)
TESTS	:= $(patsubst tests/unit/%.c,%,$(sort $(wildcard tests/unit/test_*.c)))
SQL	:= $(sort $(wildcard sql/*.sql)) $(sort $(wildcard sql/migrations/*.sql))

# Debian packages that building and running need, and those for tests.
DEPS	:= gcc libc6-dev pkg-config libfcgi-dev libxml2-dev libssl-dev \
	libsodium-dev libjansson-dev libsqlite3-dev libinih-dev \
	libcurl4-openssl-dev \
	nginx-light spawn-fcgi multiwatch openssl curl python3
TEST_DEPS := faketime clang clang-format valgrind libcmocka-dev libxml2-utils \
	python3-pytest python3-pytest-xdist python3-jsonschema python3-twilio nodejs npm \
	sqlite3 mandoc libclang-rt-14-dev systemd spin \
	chromium chromium-driver python3-selenium
BENCH_DEPS := wrk
DEB_DEPS := debhelper lintian dpkg-dev

.PHONY: all pictures unit-tests sanitized demo run check check-unit check-asan check-valgrind \
	check-install check-long model bench bench-pool bench-worker lint format deps test-deps \
	bench-deps deb-deps install deb clean
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BINS)

$(B)/sql.h $(B)/sql.c &: $(SQL) sql/embed.awk
	@mkdir -p $(B)
	@awk -v out=h -f sql/embed.awk $(SQL) >$(B)/sql.h
	@awk -v out=c -f sql/embed.awk $(SQL) >$(B)/sql.c

# A migration is one long string.
$(B)/lib/sql.o: $(B)/sql.c $(B)/sql.h
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(ALL_CFLAGS) -Wno-overlength-strings -c -o $@ $<

$(B)/lib/%.o: lib/%.c $(B)/sql.h
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/cgi-bin/%.o: cgi-bin/%.c $(B)/sql.h
	@mkdir -p $(@D)
	@echo "  CC      $<"
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/libmask.a: $(LIB_OBJS)
	@rm -f $@
	@$(AR) rcs $@ $^

$(B)/bin/callmask: $(CLI_OBJS:%=$(B)/cgi-bin/%.o) $(B)/libmask.a
	@mkdir -p $(@D)
	@echo "  LD      $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/bin/admin: $(ADMIN_OBJS:%=$(B)/cgi-bin/%.o) $(B)/libmask.a
	@mkdir -p $(@D)
	@echo "  LD      $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/bin/outboxd: $(OUTBOXD_OBJS:%=$(B)/cgi-bin/%.o) $(B)/libmask.a
	@mkdir -p $(@D)
	@echo "  LD      $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/bin/%: $(B)/cgi-bin/%.o $(B)/libmask.a
	@mkdir -p $(@D)
	@echo "  LD      $@"
	@$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

# --- Tests

TEST_BINS := $(addprefix $(B)/tests/,$(TESTS))

$(B)/tests/%: tests/unit/%.c $(B)/libmask.a
	@mkdir -p $(@D)
	@echo "  TEST    $@"
	@$(CC) $(ALL_CFLAGS) -iquote tests/unit -MMD -MP -MF $@.d -o $@ $< \
		$(LDFLAGS) $(B)/libmask.a $(LIBS) -lcmocka

unit-tests: $(TEST_BINS)

# The pictures of the README.
pictures: test-deps all
	@tests/install pngquant
	@/usr/bin/python3 tests/browser/pictures.py

# Adds up to one line: N passed, N failed, N skipped.
check-unit: test-deps
	@$(MAKE) -s unit-tests
	@tests/run unit

check: test-deps build/promtool
	@$(MAKE) -s all unit-tests
	@tests/run all

# Prometheus' checker of metrics. Taken out of Debian's package, for to install
# that would start a server.
build/promtool: | test-deps
	@mkdir -p build/prometheus
	@cd build/prometheus && \
	    { apt-get download -qq prometheus 2>/dev/null || \
	    { apt-get -qq update && apt-get download -qq prometheus; }; } && \
	    dpkg -x prometheus_*.deb .
	@mv build/prometheus/usr/bin/promtool $@
	@rm -rf build/prometheus

# Random sequences against the model by the hundred thousand, and faults planted
# in copies of the code that these must find. Takes hours.
check-long: test-deps
	@$(MAKE) -s all
	@BIN_DIR=$(CURDIR)/build/bin tests/machine/machine.py --sequences 100000
	@tests/machine/faults.sh
	@BIN_DIR=$(CURDIR)/build/bin tests/machine/race.py --seconds 20
	@BIN_DIR=$(CURDIR)/build/bin tests/worker/worker.py

# Allocation, hold and late callers, in every state there is; make check does
# the same for smaller sizes.
model: test-deps
	@tests/model/run full

# The unit tests once more, watched by the sanitizers and by valgrind.
sanitized:
	@$(MAKE) --no-print-directory B=build/asan \
		CFLAGS="-O0 -g -fsanitize=address,undefined \
		-fno-sanitize-recover=all -U_FORTIFY_SOURCE" \
		all unit-tests

check-asan: test-deps sanitized
	@B=build/asan tests/run unit

check-valgrind: test-deps
	@$(MAKE) -s unit-tests
	@VALGRIND=1 tests/run unit

# The package on a bare Debian: installed by the README, replaced under load,
# removed. Takes root, the network and minutes.
check-install:
	@tests/install debootstrap
	@tests/upgrade/trial.py

lint: test-deps
	@tests/run lint

format: test-deps
	clang-format -i lib/*.[ch] cgi-bin/*.[ch] tests/unit/*.[ch] \
		tests/bench/*.[ch]

# --- To play with

# Packages first: a make of its own, so that -j cannot compile before them.
run: deps
	@$(MAKE) -s all
	@PORT=$(PORT) RUN_DIR=$(RUN_DIR) tests/stack.sh run

demo: deps
	@$(MAKE) -s all
	@tests/demo

# How soon and how fast events reach the app.
bench-worker: test-deps
	@$(MAKE) -s all
	@BIN_DIR=$(CURDIR)/build/bin tests/worker/worker.py idle latency speed \
		backlog

bench: deps bench-deps
	@$(MAKE) -s all
	@tests/bench/run

# The first takes 2 GB on the disk of the sources, whose fsync is part of what is
# measured; the second stays in memory. Some ten minutes in all.
bench-pool: deps
	@$(MAKE) -s $(B)/bench/pool $(B)/bench/day
	@$(B)/bench/pool $(B)/bench
	@$(B)/bench/day /dev/shm

$(B)/bench/pool: tests/bench/fill.c tests/bench/fill.h
$(B)/bench/%: tests/bench/%.c tests/bench/bench.c tests/bench/bench.h $(B)/libmask.a
	@mkdir -p $(@D)
	@echo "  BENCH   $@"
	@$(CC) $(ALL_CFLAGS) -iquote tests/bench -o $@ $(filter %.c,$^) \
		$(LDFLAGS) $(B)/libmask.a $(LIBS) -lm

# --- Installing. Units are set up with the folders they are installed to. Nothing
# is started: see the README. What was below /etc/nginx is kept with a ~ behind its
# name, callmask.conf as it is.

PREFIX	?= /usr/local
DESTDIR	?=
SYSCONFDIR ?= /etc
LIBEXEC	= $(PREFIX)/lib/callmask
UNITDIR	?= $(PREFIX)/lib/systemd/system
UNITS	= $(DESTDIR)$(UNITDIR)
COMPLETIONS = $(PREFIX)/share/bash-completion/completions
# What nginx serves from a folder: all but the sandbox's.
PAGES	= $(filter-out sandbox,$(patsubst nginx/%/,%,$(wildcard nginx/*/)))

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(LIBEXEC) $(UNITS) \
	    $(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)$(PREFIX)/lib/tmpfiles.d \
	    $(DESTDIR)$(SYSCONFDIR)/callmask $(DESTDIR)$(SYSCONFDIR)/nginx/conf.d \
	    $(DESTDIR)$(SYSCONFDIR)/nginx/snippets $(DESTDIR)$(PREFIX)/share/man/man1 \
	    $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(COMPLETIONS) \
	    $(DESTDIR)$(PREFIX)/share/man/man7 $(DESTDIR)$(PREFIX)/share/callmask
	install -m 755 $(addprefix $(B)/bin/,$(PROGRAMS) outboxd) $(DESTDIR)$(LIBEXEC)
	install -m 755 $(B)/bin/callmask $(DESTDIR)$(PREFIX)/bin
	for unit in cgi-bin/systemd/*.socket cgi-bin/systemd/*.service \
	    cgi-bin/systemd/*.target; do \
		sed -e 's|@LIBEXEC@|$(LIBEXEC)|' \
		    -e 's|@CONF@|$(SYSCONFDIR)/callmask/callmask.conf|' \
		    -e 's|@SOCKETS@|$(PROGRAMS:%=callmask@%.socket)|' \
		    -e 's|@SERVICES@|$(PROGRAMS:%=callmask@%.service)|' \
		    "$$unit" >"$(UNITS)/$${unit##*/}"; \
	done
	install -d "$(UNITS)/callmask@events.service.d"
	install -m 644 "cgi-bin/systemd/callmask@events.service.d/workers.conf" \
	    "$(UNITS)/callmask@events.service.d"
	install -m 644 cgi-bin/systemd/callmask.sysusers \
	    $(DESTDIR)$(PREFIX)/lib/sysusers.d/callmask.conf
	sed 's|@SYSCONFDIR@|$(SYSCONFDIR)|' cgi-bin/systemd/callmask.tmpfiles \
	    >$(DESTDIR)$(PREFIX)/lib/tmpfiles.d/callmask.conf
	$(B)/bin/callmask completion bash >$(DESTDIR)$(COMPLETIONS)/callmask
	install -m 644 cgi-bin/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 cgi-bin/*.5 $(DESTDIR)$(PREFIX)/share/man/man5
	install -m 644 cgi-bin/*.7 $(DESTDIR)$(PREFIX)/share/man/man7
	install -m 644 cgi-bin/monitoring/* $(DESTDIR)$(PREFIX)/share/callmask
	[ -e $(DESTDIR)$(SYSCONFDIR)/callmask/callmask.conf ] || \
	    install -m 644 cgi-bin/callmask.conf $(DESTDIR)$(SYSCONFDIR)/callmask
	install -b -m 644 nginx/callmask.conf $(DESTDIR)$(SYSCONFDIR)/nginx/conf.d
	install -b -m 644 nginx/callmask-locations.conf nginx/callmask-fastcgi.conf \
	    $(DESTDIR)$(SYSCONFDIR)/nginx/snippets
	sed -i 's|/usr/share/callmask|$(PREFIX)/share/callmask|' \
	    $(DESTDIR)$(SYSCONFDIR)/nginx/snippets/callmask-locations.conf
	cd nginx && find $(PAGES) -type f -exec install -D -m 644 {} \
	    $(abspath $(DESTDIR)/)$(PREFIX)/share/callmask/{} \;

# A Debian package, in build/.
deb: deb-deps
	@rm -rf build/deb && mkdir -p build/deb/callmask
	@git ls-files -z --cached --others --exclude-standard | \
	    xargs -0 cp --parents -t build/deb/callmask
	@cd build/deb/callmask && dpkg-buildpackage -us -uc -b
	@cp build/deb/*.deb build/
	@lintian --fail-on error build/deb/*.changes

# --- Packages: installs what dpkg does not know yet, by sudo unless root.

deps: ; @tests/install $(DEPS)
test-deps: deps ; @tests/install $(TEST_DEPS)
bench-deps: ; @tests/install $(BENCH_DEPS)
deb-deps: deps ; @tests/install $(DEB_DEPS)

clean:
	rm -rf build

-include $(wildcard $(B)/lib/*.d $(B)/cgi-bin/*.d $(B)/tests/*.d)
