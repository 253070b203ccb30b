/*
 * callmask backup, restore: the database as one file, and back.
 *
 * Both write beside their target and rename, which must not find anything
 * there: a copy that is broken off is not taken for one.
 */

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "callmask.h"
#include "wake.h"

#define PATH_SIZE 1024

static void
show(void *cookie, size_t done, size_t total)
{
	cli_progress(cookie, done, total);
}

int
cli_sync_directory(const char *path)
{
	char directory[PATH_SIZE];
	char *slash;
	int fd, status;

	snprintf(directory, sizeof directory, "%s", path);
	if ((slash = strrchr(directory, '/')) == NULL)
		strcpy(directory, ".");
	else
		slash[slash == directory ? 1 : 0] = '\0';
	if ((fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return -1;
	status = fsync(fd);
	close(fd);
	return status;
}

/* Copies a database to a place where nothing is. Returns 0, or 1 after saying
 * why not. */
static int
copy(char *what, const char *from, const char *to)
{
	char part[PATH_SIZE];
	enum rc rc;

	if ((size_t)snprintf(part, sizeof part, "%s.part", to) >= sizeof part)
		errx(2, "%s: too long a name", to);
	if (access(to, F_OK) == 0)
		errx(1, "%s is there already; nothing was written", to);
	unlink(part); /* of one that was broken off */
	rc = db_copy(from, part, show, what);
	cli_progress("", 0, 0);
	if (rc == RC_INVALID)
		errx(1, "%s: is no sound database of callmask", from);
	if (rc != RC_OK)
		return cli_fail(rc, NULL, from);
	if (renameat2(AT_FDCWD, part, AT_FDCWD, to, RENAME_NOREPLACE) != 0) {
		warn("%s", to);
		unlink(part);
		return 1;
	}
	if (cli_sync_directory(to) != 0) {
		warn("%s", to);
		return 1;
	}
	return 0;
}

int
cli_backup(struct cli *cli, int argc, char **argv)
{
	if (argc != 2 || argv[1][0] == '-')
		return cli_usage(cli);
	if (copy("copying", cli->conf.database, argv[1]) != 0)
		return 1;
	if (cli->json)
		cli_json(CLI_FIELDS(CLI_TEXT("file", argv[1]),
		    CLI_TEXT("database", cli->conf.database),
		    CLI_TEXT("secrets", cli->conf.secrets)));
	else
		fprintf(stderr,
		    "%s is whole and checked; it is worth nothing without the "
		    "keys in %s\n",
		    argv[1], cli->conf.secrets);
	return 0;
}

/* Returns 0 if nothing is where the database goes and no worker runs, or 1
 * after saying what is to be done. */
static int
check_place(const char *database)
{
	/* A log that is left over would be played into what is restored. */
	static const char *const kinds[] = { "", "-wal", "-shm", "-journal" };
	char path[PATH_SIZE];
	size_t i;

	wake_path(path, sizeof path, database);
	if (wake_heard(path)) {
		warnx("outboxd is running: systemctl stop callmask.target, "
		      "then run this again");
		return 1;
	}
	for (i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		snprintf(path, sizeof path, "%s%s", database, kinds[i]);
		if (access(path, F_OK) != 0)
			continue;
		warnx("%s is there: stop all programs (systemctl stop "
		      "callmask.target), move it away with %s-wal and "
		      "%s-shm, then run this again",
		    path, database, database);
		return 1;
	}
	return 0;
}

int
cli_restore(struct cli *cli, int argc, char **argv)
{
	const char *database = cli->conf.database;
	int64_t version;
	enum rc rc;

	if (argc != 2 || argv[1][0] == '-')
		return cli_usage(cli);
	if (access(argv[1], R_OK) != 0)
		err(1, "%s, for the owner of the database", argv[1]);
	if (check_place(database) != 0 ||
	    copy("restoring", argv[1], database) != 0)
		return 1;
	/* Gives it the log that programs want. */
	if ((rc = db_open(&cli->db, database, DB_CREATE)) != RC_OK ||
	    (rc = db_version(cli->db, &version)) != RC_OK)
		return cli_fail(rc, NULL, database);
	if (version != SQL_VERSION)
		warnx("it is of version %lld, this program of %d: %s",
		    (long long)version, SQL_VERSION,
		    version < SQL_VERSION ? "run callmask migrate"
					  : "install a newer callmask");
	if (cli->json)
		cli_json(CLI_FIELDS(CLI_TEXT("file", argv[1]),
		    CLI_TEXT("database", database), CLI_INT("version", version),
		    CLI_INT("version_wanted", SQL_VERSION)));
	else
		fprintf(stderr,
		    "%s is restored: callmask doctor, then systemctl start "
		    "callmask.target\n",
		    database);
	return 0;
}
