# callmask: one Makefile for everything. The commands people use:
#
#	make demo	play the story of a masked call on this machine
#	make run	the same set-up, to play with, until Ctrl-C
#	make check	all tests
#	make model	every state of the model of allocation
#	make bench	how fast, beside what is possible
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

PROGRAMS := voice-inbound voice-code voice-screen voice-ended status-callback \
	session-create session-get session-update session-intent session-close \
	routes
CLI_OBJS := callmask callmask_setup callmask_service callmask_advice
PKGS	:= libxml-2.0 jansson sqlite3 libsodium libcrypto inih

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
BINS	:= $(addprefix $(B)/bin/,$(PROGRAMS) callmask)
TESTS	:= $(patsubst tests/unit/%.c,%,$(sort $(wildcard tests/unit/test_*.c)))
SQL	:= $(sort $(wildcard sql/*.sql)) $(sort $(wildcard sql/migrations/*.sql))

# Debian packages that building and running need, and those for tests.
DEPS	:= gcc libc6-dev pkg-config libfcgi-dev libxml2-dev libssl-dev \
	libsodium-dev libjansson-dev libsqlite3-dev libinih-dev \
	nginx-light spawn-fcgi multiwatch openssl curl python3
TEST_DEPS := faketime clang clang-format valgrind libcmocka-dev libxml2-utils \
	python3-pytest python3-twilio nodejs npm sqlite3 mandoc libclang-rt-14-dev \
	spin
BENCH_DEPS := wrk

.PHONY: all unit-tests sanitized demo run check check-unit check-asan check-valgrind \
	check-long model bench lint format deps test-deps bench-deps clean
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

# Adds up to one line: N passed, N failed, N skipped.
check-unit: test-deps
	@$(MAKE) -s unit-tests
	@tests/run unit

check: test-deps
	@$(MAKE) -s all unit-tests
	@tests/run all

# Random sequences against the model by the hundred thousand, and faults planted
# in copies of the code that these must find. Takes hours.
check-long: test-deps
	@$(MAKE) -s all
	@BIN_DIR=$(CURDIR)/build/bin tests/machine/machine.py --sequences 100000
	@tests/machine/faults.sh
	@BIN_DIR=$(CURDIR)/build/bin tests/machine/race.py --seconds 20

# Allocation, hold and late callers, in every state there is; make check does
# the same for smaller sizes.
model: test-deps
	@tests/model/run full

# The unit tests once more, watched by the sanitizers and by valgrind.
sanitized:
	@$(MAKE) --no-print-directory B=build/asan \
		CFLAGS="-O1 -g -fsanitize=address,undefined \
		-fno-sanitize-recover=all -U_FORTIFY_SOURCE" \
		all unit-tests

check-asan: test-deps sanitized
	@B=build/asan tests/run unit

check-valgrind: test-deps
	@$(MAKE) -s unit-tests
	@VALGRIND=1 tests/run unit

lint: test-deps
	@tests/run lint

format: test-deps
	clang-format -i lib/*.[ch] cgi-bin/*.[ch] tests/unit/*.[ch]

# --- To play with

# Packages first: a make of its own, so that -j cannot compile before them.
run: deps
	@$(MAKE) -s all
	@PORT=$(PORT) RUN_DIR=$(RUN_DIR) tests/stack.sh run

demo: deps
	@$(MAKE) -s all
	@tests/demo

bench: deps bench-deps
	@$(MAKE) -s all
	@tests/bench/run

# --- Packages: installs what dpkg does not know yet, by sudo unless root.

deps: ; @tests/install $(DEPS)
test-deps: deps ; @tests/install $(TEST_DEPS)
bench-deps: ; @tests/install $(BENCH_DEPS)

clean:
	rm -rf build

-include $(wildcard $(B)/lib/*.d $(B)/cgi-bin/*.d $(B)/tests/*.d)
