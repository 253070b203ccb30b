/* Wakes the worker, by a named pipe. */

#include "wake.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

void
wake_path(char *out, size_t size, const char *database)
{
	snprintf(out, size, "%s-wake", database);
}

enum rc
wake_open(int *fd, const char *path)
{
	struct stat st;

	if (mkfifo(path, 0660) != 0 && errno != EEXIST) {
		log_error("wake_failed", "%s: %s", path, strerror(errno));
		*fd = -1;
		return RC_SYSTEM;
	}
	/* For writing as well, lest it reads as ended when no writer is left.
	 */
	*fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (*fd >= 0 && fstat(*fd, &st) == 0 && S_ISFIFO(st.st_mode))
		return RC_OK;
	log_error("wake_failed", "%s: %s", path,
	    *fd < 0 ? strerror(errno) : "is not a named pipe");
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return RC_SYSTEM;
}

enum rc
wake_ready(int *fd, const char *path)
{
	struct stat held, named;

	if (*fd >= 0 && fstat(*fd, &held) == 0 && stat(path, &named) == 0 &&
	    held.st_ino == named.st_ino && held.st_dev == named.st_dev)
		return RC_OK;
	if (*fd >= 0)
		close(*fd);
	return wake_open(fd, path);
}

void
wake_drain(int fd)
{
	char bytes[256];

	while (read(fd, bytes, sizeof bytes) == sizeof bytes)
		;
}

void
wake_send(const char *path)
{
	int fd;

	/* Fails at once if nobody has it open for reading. */
	if ((fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0)
		return;
	/* A full pipe wakes as well as one byte more. */
	if (write(fd, "", 1) < 0 && errno != EAGAIN)
		log_warn("wake_failed", "%s: %s", path, strerror(errno));
	close(fd);
}

bool
wake_heard(const char *path)
{
	int fd;

	if ((fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)) < 0)
		return false;
	close(fd);
	return true;
}
