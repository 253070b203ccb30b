/* The audit log, as it is listed. */

#include "view.h"

#include <inttypes.h>
#include <stdio.h>

#include "view_json.h"

static json_t *
record_json(const struct audit_record *row)
{
	return json_pack("{s:I, s:o, s:o, s:s, s:s, s:o, s:o, s:o}", "seq",
	    (json_int_t)row->seq, "at", view_moment(row->at), "key_id",
	    view_text(row->key_id), "name", row->name, "action", row->action,
	    "subject", view_text(row->subject), "detail",
	    view_text(row->detail), "request_id", view_text(row->request_id));
}

enum rc
view_audit(
    struct buf *out, const struct audit_record *rows, int len, int64_t next)
{
	json_t *list = json_array();
	char cursor[24] = "";
	int i;

	for (i = 0; i < len; i++)
		json_array_append_new(list, record_json(&rows[i]));
	if (next != 0)
		snprintf(cursor, sizeof cursor, "%" PRId64, next);
	return view_dump(out,
	    json_pack("{s:o, s:o}", "audit", list, "next", view_text(cursor)),
	    0);
}
