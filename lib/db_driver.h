#ifndef DB_DRIVER_H
#define DB_DRIVER_H

/*
 * What an engine provides to db.c, and nobody else sees. Each driver exports
 * one struct db_driver and keeps all else to itself; its state begins with
 * struct db.
 */

#include "db.h"

struct db {
	const struct db_driver *driver;
	bool undo; /* the transaction is to be rolled back */
};

/* The functions mean what the db_ functions of the same name say. */
struct db_driver {
	enum rc (*open)(struct db **db, const char *path, bool create);
	void (*close)(struct db *db);
	enum rc (*check)(struct db *db);
	const char *(*engine)(const struct db *db);

	/* Begins; a write waits at most wait_ms for its turn: RC_BUSY. */
	enum rc (*begin)(struct db *db, bool write, int wait_ms);
	enum rc (*commit)(struct db *db); /* ends it, also if it fails */
	void (*rollback)(struct db *db);  /* ends it */

	enum rc (*fold)(struct db *db, int wait_ms);
	enum rc (*copy)(const char *from, const char *to, db_progress progress,
	    void *cookie);

	/* Runs SQL of several statements, for migrations. */
	enum rc (*script)(struct db *db, const char *text);
	/* Stores whether a table of this name exists. */
	enum rc (*has_table)(struct db *db, const char *name, bool *has);

	enum rc (*first)(
	    struct db *db, enum sql sql, const struct db_arg *args);
	enum rc (*next)(struct db *db, enum sql sql);
	void (*done)(struct db *db, enum sql sql);
	int64_t (*column_int)(struct db *db, enum sql sql, int column);
	const char *(*column_text)(struct db *db, enum sql sql, int column);
	const void *(*column_blob)(
	    struct db *db, enum sql sql, int column, size_t *len);
};

extern const struct db_driver db_sqlite;

#endif
