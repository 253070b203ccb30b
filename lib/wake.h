#ifndef WAKE_H
#define WAKE_H

/*
 * Wakes the worker: a named pipe beside the database, into which whoever has
 * written something that must go out puts a byte. The worker sleeps on the
 * other end. A byte that nobody reads is no loss: what is due stands in the
 * database, and the worker looks there when it starts.
 *
 * A pipe rather than a datagram socket, because several workers can read one
 * pipe, and a socket's path is cut at 107 bytes.
 */

#include <stdbool.h>
#include <stddef.h>

#include "rc.h"

/* Writes the path of the pipe that belongs to a database into out. */
void wake_path(char *out, size_t size, const char *database);

/*
 * Opens the pipe at path for sleeping on, making it if need be; *fd becomes
 * readable when there is something to do. RC_SYSTEM, logged, with *fd -1.
 * close(2) it.
 */
enum rc wake_open(int *fd, const char *path);

/* Makes sure that *fd (-1: none) is still the pipe at path, and opens that
 * anew if not: somebody may have taken it away. As wake_open. */
enum rc wake_ready(int *fd, const char *path);

/* Takes all bytes that wait in fd. */
void wake_drain(int fd);

/* Wakes whoever sleeps on the pipe at path, if somebody does. Never waits. */
void wake_send(const char *path);

/* Returns whether somebody sleeps on the pipe at path. */
bool wake_heard(const char *path);

#endif
