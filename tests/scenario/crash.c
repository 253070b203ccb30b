/*
 * Loaded into the programs under test by LD_PRELOAD: kills the process at a
 * chosen point of a request, or lets the disk be full.
 *
 * CRASH_DIR names a folder. A file POINT.N in it (N from 0 to 9) is one death
 * at POINT; whoever comes by first takes the file away and dies. Points:
 *
 *   begin          before a write transaction begins
 *   before-commit  all is written, nothing is committed
 *   after-commit   committed, and nobody knows
 *   before-answer  before the answer leaves
 *
 * While there is a file "enospc", SQLite finds no room on the disk; while there
 * is a file "no-pipe", a worker waits before it makes the pipe that wakes it,
 * and "at-pipe" is there.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static void
die_at(const char *point)
{
	const char *dir = getenv("CRASH_DIR");
	char path[4096];
	int i;

	for (i = 0; dir != NULL && i < 10; i++) {
		snprintf(path, sizeof path, "%s/%s.%d", dir, point, i);
		if (unlink(path) == 0)
			kill(getpid(), SIGKILL);
	}
}

int
sqlite3_exec(void *db, const char *text, void *each, void *cookie, void *error)
{
	static int (*real)(void *, const char *, void *, void *, void *);
	int result;

	if (real == NULL)
		real = (int (*)(void *, const char *, void *, void *,
		    void *))dlsym(RTLD_NEXT, "sqlite3_exec");
	if (strcmp(text, "BEGIN IMMEDIATE") == 0)
		die_at("begin");
	if (strcmp(text, "COMMIT") == 0)
		die_at("before-commit");
	result = real(db, text, each, cookie, error);
	if (strcmp(text, "COMMIT") == 0)
		die_at("after-commit");
	return result;
}

void
FCGX_Finish_r(void *request)
{
	static void (*real)(void *);

	if (real == NULL)
		real = (void (*)(void *))dlsym(RTLD_NEXT, "FCGX_Finish_r");
	die_at("before-answer");
	real(request);
}

/* Of all that the programs write, only SQLite's files are written so. */
ssize_t
pwrite64(int fd, const void *data, size_t len, off64_t at)
{
	static ssize_t (*real)(int, const void *, size_t, off64_t);
	const char *dir = getenv("CRASH_DIR");
	char path[4096];

	if (real == NULL)
		real = (ssize_t(*)(int, const void *, size_t, off64_t))dlsym(
		    RTLD_NEXT, "pwrite64");
	snprintf(path, sizeof path, "%s/enospc", dir != NULL ? dir : "");
	if (dir != NULL && access(path, F_OK) == 0) {
		errno = ENOSPC;
		return -1;
	}
	return real(fd, data, len, at);
}

int
mkfifo(const char *pipe, mode_t mode)
{
	static int (*real)(const char *, mode_t);
	const char *dir = getenv("CRASH_DIR");
	char hold[4096], here[4096];

	if (real == NULL)
		real = (int (*)(const char *, mode_t))dlsym(
		    RTLD_NEXT, "mkfifo");
	snprintf(hold, sizeof hold, "%s/no-pipe", dir != NULL ? dir : "");
	snprintf(here, sizeof here, "%s/at-pipe", dir != NULL ? dir : "");
	while (dir != NULL && access(hold, F_OK) == 0) {
		fclose(fopen(here, "w"));
		usleep(1000);
	}
	return real(pipe, mode);
}
