/* A service: one app's settings. */

#include "service.h"

#include <string.h>

static void
read_row(struct db *db, enum sql sql, struct service *service)
{
	*service = (struct service){
		.ttl_default_s = db_column_int(db, sql, 3),
		.ttl_max_s = db_column_int(db, sql, 4),
		.hold_s = db_column_int(db, sql, 5),
		.call_limit_s = db_column_int(db, sql, 6),
	};
	db_column_copy(db, sql, 0, service->id, sizeof service->id);
	db_column_copy(db, sql, 1, service->name, sizeof service->name);
	db_column_copy(
	    db, sql, 2, service->countries, sizeof service->countries);
	db_done(db, sql);
}

enum rc
service_insert(struct db *db, struct service *service, int64_t now_ms)
{
	enum rc rc;

	id_make(service->id, "svc", now_ms);
	rc = db_first(db, SQL_SERVICE_INSERT,
	    DB_ARGS(DB_TEXT(service->id), DB_TEXT(service->name),
		DB_TEXT(service->countries), DB_INT(service->ttl_default_s),
		DB_INT(service->ttl_max_s), DB_INT(service->hold_s),
		DB_INT(service->call_limit_s),
		DB_TEXT(service->webhook_url[0] != '\0' ? service->webhook_url
							: NULL),
		DB_INT(now_ms / 1000)));
	db_done(db, SQL_SERVICE_INSERT);
	return rc == RC_NONE ? RC_EXISTS : rc;
}

enum rc
service_find(struct db *db, struct service *service, const char *id)
{
	enum rc rc;

	rc = db_first(db, SQL_SERVICE_FIND, DB_ARGS(DB_TEXT(id)));
	if (rc == RC_OK)
		read_row(db, SQL_SERVICE_FIND, service);
	return rc == RC_NONE ? RC_NOT_FOUND : rc;
}

enum rc
service_find_name(struct db *db, struct service *service, const char *name)
{
	enum sql sql = name != NULL ? SQL_SERVICE_FIND_NAME : SQL_SERVICE_ONLY;
	enum rc rc;

	rc = db_first(db, sql, name != NULL ? DB_ARGS(DB_TEXT(name)) : NULL);
	if (rc == RC_OK)
		read_row(db, sql, service);
	return rc == RC_NONE ? RC_NOT_FOUND : rc;
}

enum rc
service_allows(const struct service *service, const char *country)
{
	const char *p = service->countries;
	size_t len = strlen(country);

	for (; len != 0 && *p != '\0'; p += strspn(p, " ")) {
		if (strcspn(p, " ") == len && memcmp(p, country, len) == 0)
			return RC_OK;
		p += strcspn(p, " ");
	}
	return RC_COUNTRY;
}
