/* One request and its answer: the only file that sees libfcgi. */

#include "req.h"

#include <sys/epoll.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <fcgiapp.h>

#define PAUSE_MS 100

struct req {
	FCGX_Request fcgi; /* in use unless cgi */
	bool cgi;          /* plain CGI */
	bool served;       /* the CGI request has been handed out */
	bool stopping;     /* a signal came in the middle of a request */
	int door;          /* epoll of the socket that requests come to; -1 */
	sigset_t waiting;  /* signals held back while we wait: not our end */
};

/* Has a signal that ends us come in only while we wait. libfcgi's handler takes
 * it; but while libfcgi looks whether a new connection has anything to say,
 * that drops the connection, and makes it turn round for ever. */
static void
hold_signals(struct req *req)
{
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM); /* systemd's */
	sigaddset(&stop, SIGUSR1); /* multiwatch's */
	sigprocmask(SIG_BLOCK, &stop, &req->waiting);
	sigdelset(&req->waiting, SIGTERM);
	sigdelset(&req->waiting, SIGUSR1);
}

/* Prepares to wait at the socket, where only one of those who wait is woken; in
 * accept(2), where no signal would be heard, nobody waits. Returns 0, or -1
 * with errno. */
static int
watch_door(struct req *req)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE };
	int flags = fcntl(STDIN_FILENO, F_GETFL);

	if (flags < 0 || fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    (req->door = epoll_create1(EPOLL_CLOEXEC)) < 0)
		return -1;
	return epoll_ctl(req->door, EPOLL_CTL_ADD, STDIN_FILENO, &event);
}

enum rc
req_open(struct req **out)
{
	struct req *req;

	if ((req = calloc(1, sizeof *req)) == NULL)
		return RC_MEMORY;
	req->door = -1;
	req->cgi = true; /* nothing of libfcgi's to be freed */
	hold_signals(req);
	if (FCGX_Init() != 0)
		goto fail;
	if ((req->cgi = FCGX_IsCGI()))
		sigprocmask(SIG_SETMASK, &req->waiting, NULL);
	else if (FCGX_InitRequest(
		     &req->fcgi, STDIN_FILENO, FCGI_FAIL_ACCEPT_ON_INTR) != 0 ||
		 watch_door(req) != 0)
		goto fail;
	*out = req;
	return RC_OK;
fail:
	req_close(req);
	return RC_SYSTEM;
}

void
req_close(struct req *req)
{
	if (req == NULL)
		return;
	if (!req->cgi)
		FCGX_Free(&req->fcgi, 1);
	if (req->door >= 0)
		close(req->door);
	free(req);
}

enum rc
req_next(struct req *req)
{
	struct epoll_event event;
	int result;

	if (req->stopping)
		return RC_NONE;
	if (!req->cgi) {
		/* Somebody else may have been faster at the door. */
		do {
			if (epoll_pwait(
				req->door, &event, 1, -1, &req->waiting) < 0)
				return RC_NONE;
			result = FCGX_Accept_r(&req->fcgi);
		} while (result == -EAGAIN);
		return result == 0 ? RC_OK : RC_NONE;
	}
	if (req->served)
		return RC_NONE;
	req->served = true;
	return RC_OK;
}

/* Returns how often a CGI variable is there, the last value in *value. */
static int
find_param(const struct req *req, const char *name, const char **value)
{
	char *const *env = req->cgi ? environ : req->fcgi.envp;
	size_t len = strlen(name);
	int count = 0;

	for (; *env != NULL; env++) {
		if (strncmp(*env, name, len) != 0 || (*env)[len] != '=')
			continue;
		*value = *env + len + 1;
		count++;
	}
	return count;
}

const char *
req_param(const struct req *req, const char *name)
{
	const char *value;

	return find_param(req, name, &value) == 1 ? value : "";
}

bool
req_param_repeated(const struct req *req, const char *name)
{
	const char *value;

	return find_param(req, name, &value) > 1;
}

enum rc
req_path(const struct req *req, char out[REQ_PATH_SIZE])
{
	const char *uri = req_param(req, "REQUEST_URI");
	size_t len = strcspn(uri, "?");

	if (len >= REQ_PATH_SIZE)
		return RC_PATH;
	memcpy(out, uri, len);
	out[len] = '\0';
	return RC_OK;
}

/* Stores the announced length of the body in *len. */
static enum rc
body_length(const struct req *req, size_t *len)
{
	const char *text = req_param(req, "CONTENT_LENGTH");
	unsigned long value;
	char *end;

	if (text[0] == '\0') {
		*len = 0;
		return RC_OK;
	}
	if (strspn(text, "0123456789") != strlen(text))
		return RC_INCOMPLETE;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno != 0)
		return RC_TOO_LARGE;
	*len = value;
	return RC_OK;
}

enum rc
req_size(const struct req *req, size_t max)
{
	size_t len;
	enum rc rc;

	if ((rc = body_length(req, &len)) != RC_OK)
		return rc;
	return len > max ? RC_TOO_LARGE : RC_OK;
}

enum rc
req_body(struct req *req, struct buf *body, size_t max)
{
	size_t len, got;
	enum rc rc;
	int n;

	if ((rc = req_size(req, max)) != RC_OK ||
	    (rc = body_length(req, &len)) != RC_OK)
		return rc;
	body->max = len + 1;
	if ((rc = buf_reserve(body, len + 1)) != RC_OK)
		return rc;
	for (got = 0; got < len; got += (size_t)n) {
		n = req->cgi ? (int)fread(body->data + got, 1, len - got, stdin)
			     : FCGX_GetStr(body->data + got, (int)(len - got),
				   req->fcgi.in);
		if (n <= 0)
			return RC_INCOMPLETE;
	}
	body->len = len;
	body->data[len] = '\0';
	return RC_OK;
}

/* Sleeps for a while. Returns false if the client left or a signal came. */
static bool
pause_once(struct req *req)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	struct pollfd client = { .fd = req->cgi ? -1 : req->fcgi.ipcFd,
		.events = POLLRDHUP };
	int result = ppoll(&client, 1, &pause, &req->waiting);

	req->stopping = result < 0;
	return result == 0;
}

enum rc
req_wait(struct req *req, int64_t wait_ms, enum rc (*look)(void *cookie),
    void *cookie)
{
	int64_t left_ms;
	enum rc rc;

	for (left_ms = wait_ms; (rc = look(cookie)) == RC_NONE && left_ms > 0;
	     left_ms -= PAUSE_MS)
		if (!pause_once(req))
			break;
	return rc;
}

static void
send_bytes(struct req *req, const char *data, size_t len)
{
	if (req->cgi)
		fwrite(data, 1, len, stdout);
	else
		FCGX_PutStr(data, (int)len, req->fcgi.out);
}

void
req_answer(struct req *req, const struct answer *answer)
{
	char head[256];
	int len;

	len = snprintf(head, sizeof head,
	    "Status: %d %s\r\n"
	    "Cache-Control: no-store\r\n"
	    "X-Content-Type-Options: nosniff\r\n",
	    answer->status, answer_reason(answer->status));
	send_bytes(req, head, (size_t)len);
	/* No content has no length (RFC 9110, section 8.6). */
	if (answer->status != 204) {
		len = snprintf(head, sizeof head, "Content-Length: %zu\r\n",
		    answer->body.len);
		send_bytes(req, head, (size_t)len);
	}
	if (answer->body.len != 0) {
		len = snprintf(
		    head, sizeof head, "Content-Type: %s\r\n", answer->type);
		send_bytes(req, head, (size_t)len);
	}
	send_bytes(req, buf_text(&answer->headers), answer->headers.len);
	send_bytes(req, "\r\n", 2);
	if (strcmp(req_param(req, "REQUEST_METHOD"), "HEAD") != 0)
		send_bytes(req, buf_text(&answer->body), answer->body.len);
	if (req->cgi)
		fflush(stdout);
	else
		FCGX_Finish_r(&req->fcgi);
}

const char *
answer_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{ 200, "OK" },
		{ 201, "Created" },
		{ 204, "No Content" },
		{ 202, "Accepted" },
		{ 400, "Bad Request" },
		{ 401, "Unauthorized" },
		{ 403, "Forbidden" },
		{ 404, "Not Found" },
		{ 405, "Method Not Allowed" },
		{ 409, "Conflict" },
		{ 413, "Content Too Large" },
		{ 415, "Unsupported Media Type" },
		{ 422, "Unprocessable Content" },
		{ 429, "Too Many Requests" },
		{ 503, "Service Unavailable" },
	};
	size_t i;

	for (i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Internal Server Error";
}

void
answer_init(struct answer *answer)
{
	*answer = (struct answer){ .status = 200 };
}

void
answer_header(struct answer *answer, const char *name, const char *value)
{
	buf_printf(&answer->headers, "%s: %s\r\n", name, value);
}

void
answer_reset(struct answer *answer)
{
	answer->status = 200;
	answer->type = NULL;
	buf_reset(&answer->body);
	buf_reset(&answer->headers);
}

void
answer_free(struct answer *answer)
{
	if (answer == NULL)
		return;
	buf_free(&answer->body);
	buf_free(&answer->headers);
}
