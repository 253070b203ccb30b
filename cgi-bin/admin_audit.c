/* GET /v1/audit: what operators did and looked at, newest first. */

#include "admin.h"

#include <stdlib.h>

#include "audit.h"
#include "view.h"

#define PAGE_DEFAULT 50 /* rows of a page that names no limit */
#define PAGE_MAX 100

enum rc
admin_read_audit(struct exchange *x)
{
	static const char *const known[] = { "limit", "cursor", NULL };
	int64_t *limit = &x->in.feed.limit, *below = &x->in.feed.after;
	enum rc rc;

	if ((rc = serve_check_query(x, known)) != RC_OK)
		return rc;
	if (form_count(&x->form, "limit", limit) != RC_OK || *limit == 0 ||
	    *limit > PAGE_MAX)
		return rc_fault(&x->fault, RC_INVALID, "limit",
		    "must be from 1 to %d", PAGE_MAX);
	if (*limit < 0)
		*limit = PAGE_DEFAULT;
	if (form_count(&x->form, "cursor", below) != RC_OK || *below == 0)
		return rc_fault(&x->fault, RC_INVALID, "cursor",
		    "must be the next of an earlier page");
	if (*below < 0)
		*below = INT64_MAX;
	return RC_OK;
}

enum rc
admin_audit(struct exchange *x)
{
	int limit = (int)x->in.feed.limit, len;
	struct audit_record *rows;
	int64_t next = 0;
	enum rc rc;

	/* One more tells whether there are more. */
	rows = calloc((size_t)limit + 1, sizeof rows[0]);
	if (rows == NULL)
		return RC_MEMORY;
	rc = audit_list(x->app->db, x->key.service_id, x->in.feed.after, rows,
	    limit + 1, &len);
	if (rc == RC_OK && len > limit) {
		len = limit;
		next = rows[len - 1].seq;
	}
	x->answer.type = VIEW_JSON;
	if (rc == RC_OK)
		rc = view_audit(&x->answer.body, rows, len, next);
	free(rows);
	return rc;
}
