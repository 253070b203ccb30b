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
 * Makes sure that *fd (-1: none yet) is the pipe at path, making and opening it
 * if need be: somebody may have taken it away. *fd becomes readable when there
 * is something to do. RC_SYSTEM, logged, and *fd is -1. End with wake_close.
 */
enum rc wake_ready(int *fd, const char *path);

/* Closes *fd if it is open, and makes it -1. */
void wake_close(int *fd);

/* Takes all bytes that wait in fd. */
void wake_drain(int fd);

/* Wakes whoever sleeps on the pipe at path, if somebody does. Never waits. */
void wake_send(const char *path);

/* Returns whether somebody sleeps on the pipe at path. */
bool wake_heard(const char *path);

#endif
