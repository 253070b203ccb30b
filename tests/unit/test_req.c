/*
 * Requests and answers as a web server brings them: by CGI in environment and
 * standard input, by FastCGI over a socket; each in a process of its own.
 */

#include "test.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "req.h"

#define LENGTH(array) (sizeof array / sizeof array[0])
#define HEAD(status, length)                                                   \
	"Status: " status "\r\n"                                               \
	"Cache-Control: no-store\r\n"                                          \
	"X-Content-Type-Options: nosniff\r\n"                                  \
	"Content-Length: " length "\r\n"

/* What the other process saw of the last request; in shared memory. */
struct seen {
	enum rc next, path_rc, size, body, after;
	char path[REQ_PATH_SIZE];
	char text[65536]; /* the body */
	size_t len;
	char agent[64]; /* HTTP_USER_AGENT */
	bool repeated;  /* it was there more than once */
	int served;     /* requests so far */
};

static struct seen *seen;
static struct answer reply;     /* what it answers */
static char output[256 * 1024]; /* what came back, as a string */
static size_t output_len;
static off_t consumed; /* bytes of input that were read */

static int
set_up(void **state)
{
	(void)state;
	seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	answer_init(&reply);
	return seen != MAP_FAILED ? 0 : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	answer_free(&reply);
	return munmap(seen, sizeof *seen);
}

/* A fork that does not outlive us, whatever fails. */
static pid_t
start(void)
{
	pid_t pid;

	fflush(NULL);
	if ((pid = fork()) == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	assert_true(pid >= 0);
	return pid;
}

/* Takes in the request at hand, of at most max bytes, and answers. */
static void
serve_one(struct req *req, size_t max)
{
	struct buf body;

	buf_init(&body, 0);
	memset(seen->path, '#', sizeof seen->path - 1);
	seen->path_rc = req_path(req, seen->path);
	seen->size = req_size(req, max);
	seen->body = req_body(req, &body, max);
	seen->len = seen->body == RC_OK ? body.len : 0;
	memcpy(seen->text, buf_text(&body), seen->len);
	snprintf(seen->agent, sizeof seen->agent, "%s",
	    req_param(req, "HTTP_USER_AGENT"));
	seen->repeated = req_param_repeated(req, "HTTP_USER_AGENT");
	buf_free(&body);
	seen->served++;
	req_answer(req, &reply);
}

static int
serve_as_cgi(size_t max)
{
	struct req *req;

	if (req_open(&req) != RC_OK)
		return 1;
	if ((seen->next = req_next(req)) == RC_OK)
		serve_one(req, max);
	seen->after = req_next(req);
	req_close(req);
	req_close(NULL);
	return 0;
}

/* Reads all that comes from fd into output. */
static void
read_output(int fd)
{
	ssize_t n;

	output_len = 0;
	while ((n = read(fd, output + output_len,
		    sizeof output - 1 - output_len)) > 0)
		output_len += (size_t)n;
	output[output_len] = '\0';
	close(fd);
}

/* One CGI request, with the variables and the open file in. */
static void
request(char **variables, int in, size_t max)
{
	int out[2], status;
	pid_t pid;

	memset(seen, 0, sizeof *seen);
	assert_int_equal(pipe(out), 0);
	if ((pid = start()) == 0) {
		environ = variables;
		dup2(in, STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		close(out[0]);
		close(out[1]);
		_exit(serve_as_cgi(max));
	}
	close(out[1]);
	read_output(out[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(seen->next, RC_OK);
	assert_int_equal(seen->after, RC_NONE);
}

/* One CGI request whose body is a file, whatever length is announced. */
static void
request_body(const char *length, const char *input, size_t len, size_t max)
{
	char variable[64], method[] = "REQUEST_METHOD=POST";
	char *variables[] = { method, variable, NULL };
	FILE *file;

	snprintf(variable, sizeof variable, "CONTENT_LENGTH=%s", length);
	file = tmpfile();
	assert_non_null(file);
	assert_int_equal(fwrite(input, 1, len, file), len);
	rewind(file);
	request(variables, fileno(file), max);
	consumed = lseek(fileno(file), 0, SEEK_CUR);
	fclose(file);
}

/* A request without a body, of one variable and a method. */
static void
request_variable(const char *variable, const char *method)
{
	char first[512], second[64];
	char *variables[] = { first, second, NULL };
	FILE *nothing = tmpfile();

	snprintf(first, sizeof first, "%s", variable);
	snprintf(second, sizeof second, "REQUEST_METHOD=%s", method);
	assert_non_null(nothing);
	request(variables, fileno(nothing), 0);
	fclose(nothing);
}

static void
check_body(const char *text, size_t len)
{
	assert_int_equal(seen->size, RC_OK);
	assert_int_equal(seen->body, RC_OK);
	assert_int_equal(seen->len, len);
	assert_memory_equal(seen->text, text, len);
}

/* --- Bodies */

static void
test_no_body(void **state)
{
	(void)state;
	request_variable("REMOTE_ADDR=127.0.0.1", "GET");
	check_body("", 0);
	request_body("", "left over", 9, 100);
	check_body("", 0);
	assert_int_equal(consumed, 0);
	request_body("0", "left over", 9, 0);
	check_body("", 0);
	assert_int_equal(consumed, 0);
}

static void
test_body_of_announced_length(void **state)
{
	static char large[65536];

	(void)state;
	request_body("5", "a=b&c", 5, 5);
	check_body("a=b&c", 5);
	request_body("5", "a\0b\0\xff", 5, 100);
	check_body("a\0b\0\xff", 5);
	request_body("0010", "0123456789abc", 13, 100);
	check_body("0123456789", 10);
	memset(large, 'x', sizeof large);
	request_body("65536", large, sizeof large, sizeof large);
	check_body(large, sizeof large);
}

/* Piece by piece over a pipe. */
static void
test_body_that_comes_slowly(void **state)
{
	char length[] = "CONTENT_LENGTH=10";
	char *variables[] = { length, NULL };
	int in[2], i, status;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(in), 0);
	if ((pid = start()) == 0) {
		for (i = 0; i < 10; i++) {
			if (write(in[1], &"0123456789"[i], 1) != 1)
				_exit(1);
			usleep(5000);
		}
		_exit(0);
	}
	close(in[1]);
	request(variables, in[0], 100);
	close(in[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	check_body("0123456789", 10);
}

static void
test_short_body_is_incomplete(void **state)
{
	(void)state;
	request_body("6", "a=b&c", 5, 100);
	assert_int_equal(seen->size, RC_OK);
	assert_int_equal(seen->body, RC_INCOMPLETE);
	request_body("1", "", 0, 100);
	assert_int_equal(seen->body, RC_INCOMPLETE);
	request_body("65536", "x", 1, 65536);
	assert_int_equal(seen->body, RC_INCOMPLETE);
}

static void
test_large_body_is_refused_unread(void **state)
{
	static const char *const lengths[] = { "6", "10", "4294967296",
		"4294967297", "9223372036854775807", "18446744073709551615",
		"18446744073709551616", "18446744073709551621",
		"99999999999999999999999999" };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(lengths); i++) {
		request_body(lengths[i], "0123456789", 10, 5);
		if (seen->size != RC_TOO_LARGE || seen->body != RC_TOO_LARGE)
			fail_msg("%s is %s", lengths[i], rc_name(seen->body));
		assert_int_equal(consumed, 0);
	}
	request_body("1", "0", 1, 0);
	assert_int_equal(seen->body, RC_TOO_LARGE);
}

static void
test_length_that_is_no_number(void **state)
{
	static const char *const lengths[] = { "-1", "-5", "+5", " 5", "5 ",
		"0x5", "5x", "x", "5.0", "5e0", "5,5", "\xd9\xa5", "five",
		"-18446744073709551611" };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(lengths); i++) {
		request_body(lengths[i], "a=b&c", 5, 100);
		if (seen->size != RC_INCOMPLETE || seen->body != RC_INCOMPLETE)
			fail_msg("%s is %s", lengths[i], rc_name(seen->body));
		assert_int_equal(consumed, 0);
	}
}

/* --- Variables */

static void
check_path(const char *uri, enum rc rc, const char *path)
{
	char variable[512];

	snprintf(variable, sizeof variable, "REQUEST_URI=%s", uri);
	request_variable(variable, "GET");
	assert_int_equal(seen->path_rc, rc);
	if (path != NULL)
		assert_string_equal(seen->path, path);
	else
		assert_int_equal(seen->path[0], '#'); /* untouched */
}

static void
test_path_is_as_it_was_sent(void **state)
{
	(void)state;
	check_path("/v1/sessions", RC_OK, "/v1/sessions");
	check_path("/v1/sessions?limit=1?2", RC_OK, "/v1/sessions");
	check_path("/?", RC_OK, "/");
	check_path("?a=b", RC_OK, "");
	check_path("/a%2Fb/../c%3Fd#e", RC_OK, "/a%2Fb/../c%3Fd#e");
	request_variable("REQUEST_URX=/", "GET");
	assert_int_equal(seen->path_rc, RC_OK);
	assert_string_equal(seen->path, "");
}

static void
test_long_path_is_refused(void **state)
{
	char uri[400];

	(void)state;
	memset(uri, 'x', sizeof uri);
	uri[255] = '\0';
	check_path(uri, RC_OK, uri);
	uri[255] = 'x';
	uri[256] = '\0';
	check_path(uri, RC_PATH, NULL);
	/* The query does not count. */
	strcpy(uri + 250, "?0123456789");
	request_variable("REQUEST_URI=/", "GET");
	check_path(uri, RC_OK, strndupa(uri, 250));
}

static void
test_variables(void **state)
{
	(void)state;
	request_variable("HTTP_USER_AGENT=a=b c", "GET");
	assert_string_equal(seen->agent, "a=b c");
	assert_false(seen->repeated);
	request_variable("HTTP_USER_AGENT=", "GET");
	assert_string_equal(seen->agent, "");
	request_variable("HTTP_USER_AGENTS=x", "GET");
	assert_string_equal(seen->agent, "");
	request_variable("HTTP_USER_AGEN=x", "GET");
	assert_string_equal(seen->agent, "");
	assert_false(seen->repeated);
}

/* A question with two answers, even if they are the same. */
static void
test_variables_set_twice_are_none(void **state)
{
	char a[] = "HTTP_USER_AGENT=a", b[] = "HTTP_USER_AGENT=b";
	char *variables[][3] = { { a, b, NULL }, { a, a, NULL } };
	FILE *nothing = tmpfile();
	size_t i;

	(void)state;
	assert_non_null(nothing);
	for (i = 0; i < LENGTH(variables); i++) {
		request(variables[i], fileno(nothing), 0);
		assert_string_equal(seen->agent, "");
		assert_true(seen->repeated);
	}
	fclose(nothing);
}

/* --- Answers */

static void
test_answer_with_body_and_headers(void **state)
{
	(void)state;
	answer_reset(&reply);
	reply.status = 201;
	reply.type = "application/json";
	buf_add(&reply.body, "{}\0\n", 4);
	answer_header(&reply, "Location", "/v1/sessions/ses_x");
	answer_header(&reply, "X-Request-Id", "abc");
	request_variable("A=b", "POST");
	assert_int_equal(output_len, strlen(output) + 2);
	assert_string_equal(output,
	    HEAD("201 Created", "4") "Content-Type: application/json\r\n"
				     "Location: /v1/sessions/ses_x\r\n"
				     "X-Request-Id: abc\r\n\r\n{}");
	assert_memory_equal(output + output_len - 4, "{}\0\n", 4);
}

static void
test_answer_without_body(void **state)
{
	(void)state;
	answer_reset(&reply);
	reply.type = "text/plain"; /* of nothing */
	request_variable("A=b", "GET");
	assert_string_equal(output, HEAD("200 OK", "0") "\r\n");
}

/* The headers are those that a GET would have got. */
static void
test_answer_to_head_has_no_body(void **state)
{
	char wanted[512];

	(void)state;
	answer_reset(&reply);
	reply.status = 404;
	reply.type = "text/plain";
	buf_puts(&reply.body, "not here\n");
	answer_header(&reply, "X-Request-Id", "abc");
	request_variable("A=b", "GET");
	snprintf(wanted, sizeof wanted, "%.500s", output);
	assert_non_null(strstr(wanted, "\r\n\r\nnot here\n"));
	*strstr(wanted, "not here") = '\0';
	request_variable("A=b", "HEAD");
	assert_string_equal(output, wanted);
	assert_non_null(strstr(output, HEAD("404 Not Found", "9")));
	/* Methods are words of their own case. */
	request_variable("A=b", "head");
	assert_non_null(strstr(output, "not here"));
}

static void
test_large_answer_comes_whole(void **state)
{
	size_t i, len = 200000;

	(void)state;
	answer_reset(&reply);
	reply.type = "text/plain";
	for (i = 0; i < len; i++)
		buf_add(&reply.body, &"0123456789"[i % 10], 1);
	request_variable("A=b", "GET");
	assert_non_null(strstr(output, "Content-Length: 200000\r\n"));
	assert_memory_equal(
	    output + output_len - len, buf_text(&reply.body), len);
	assert_memory_equal(output + output_len - len - 4, "\r\n\r\n", 4);
}

static void
test_every_status_has_its_reason(void **state)
{
	static const struct {
		int status;
		const char *reason;
	} rows[] = { { 200, "OK" }, { 201, "Created" }, { 204, "No Content" },
		{ 400, "Bad Request" }, { 401, "Unauthorized" },
		{ 403, "Forbidden" }, { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 409, "Conflict" },
		{ 413, "Content Too Large" }, { 415, "Unsupported Media Type" },
		{ 422, "Unprocessable Content" },
		{ 500, "Internal Server Error" },
		{ 503, "Service Unavailable" } };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++)
		assert_string_equal(
		    answer_reason(rows[i].status), rows[i].reason);
}

static void
test_answer_is_reset_and_freed(void **state)
{
	struct answer answer;

	(void)state;
	memset(&answer, 0xff, sizeof answer);
	answer_init(&answer);
	assert_int_equal(answer.status, 200);
	assert_int_equal(answer.body.len + answer.headers.len, 0);
	answer.status = 503;
	answer.type = "text/plain";
	buf_puts(&answer.body, "x");
	answer_header(&answer, "A", "b");
	assert_string_equal(buf_text(&answer.headers), "A: b\r\n");
	answer_reset(&answer);
	assert_int_equal(answer.status, 200);
	assert_null(answer.type);
	assert_string_equal(buf_text(&answer.body), "");
	assert_string_equal(buf_text(&answer.headers), "");
	answer_free(&answer);
	answer_free(NULL);
}

/* Nobody reads what it says. */
static void
test_client_that_left_is_no_error(void **state)
{
	char *variables[] = { NULL };
	int out[2], status;
	pid_t pid;

	(void)state;
	answer_reset(&reply);
	reply.type = "text/plain";
	buf_puts(&reply.body, "hello");
	memset(seen, 0, sizeof *seen);
	assert_int_equal(pipe(out), 0);
	close(out[0]);
	if ((pid = start()) == 0) {
		environ = variables;
		dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		_exit(serve_as_cgi(0));
	}
	close(out[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(seen->served, 1);
}

/* --- FastCGI */

static char place[32];
static int go[2]; /* a pipe: the client's leave to wait for another */

/* Serves on the socket that is descriptor 0 until told to stop. */
static int
serve_as_fastcgi(void)
{
	struct req *req;
	char byte;

	if (req_open(&req) != RC_OK)
		return 1;
	while ((seen->next = req_next(req)) == RC_OK) {
		serve_one(req, 100);
		if (read(go[0], &byte, 1) != 1)
			return 3;
	}
	req_close(req);
	return seen->next == RC_NONE ? 0 : 2;
}

static struct sockaddr_un
address(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };

	snprintf(name.sun_path, sizeof name.sun_path, "%s/socket", place);
	return name;
}

static pid_t
start_fastcgi(void)
{
	struct sockaddr_un name = address();
	pid_t pid;
	int fd;

	memset(seen, 0, sizeof *seen);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
	assert_int_equal(listen(fd, 5), 0);
	if ((pid = start()) == 0) {
		dup2(fd, STDIN_FILENO);
		close(fd);
		_exit(serve_as_fastcgi());
	}
	close(fd);
	return pid;
}

/* Writes a FastCGI record of request 1. */
static void
put_record(int fd, int type, const void *data, size_t len)
{
	unsigned char head[8] = { 1, (unsigned char)type, 0, 1,
		(unsigned char)(len >> 8), (unsigned char)len, 0, 0 };

	assert_int_equal(write(fd, head, 8), 8);
	assert_int_equal(write(fd, data, len), len);
}

static size_t
put_pair(char *out, const char *name, const char *value)
{
	out[0] = (char)strlen(name);
	out[1] = (char)strlen(value);
	strcpy(stpcpy(out + 2, name), value);
	return 2 + strlen(name) + strlen(value);
}

static int
connect_to_it(void)
{
	struct sockaddr_un name = address();
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&name, sizeof name), 0);
	return fd;
}

/* Sends a request that announces length and has body. */
static void
put_request(int fd, const char *length, const char *body)
{
	char pairs[256];
	size_t len;

	put_record(fd, 1, "\0\1\0\0\0\0\0\0", 8);
	len = put_pair(pairs, "REQUEST_METHOD", "POST");
	len += put_pair(pairs + len, "CONTENT_LENGTH", length);
	len += put_pair(pairs + len, "REQUEST_URI", "/x?y");
	len += put_pair(pairs + len, "HTTP_USER_AGENT", body);
	put_record(fd, 4, pairs, len);
	put_record(fd, 4, "", 0);
	put_record(fd, 5, body, strlen(body));
	if (body[0] != '\0')
		put_record(fd, 5, "", 0);
}

/* The same on a connection of its own; returns that. */
static int
send_request(const char *length, const char *body)
{
	int fd = connect_to_it();

	put_request(fd, length, body);
	return fd;
}

/* Sends a request and reads the whole answer, which must not depend on there
 * being another request. */
static void
ask(const char *length, const char *body)
{
	alarm(20);
	read_output(send_request(length, body));
	alarm(0);
	assert_int_equal(write(go[1], "", 1), 1);
}

static void
test_fastcgi_serves_one_after_another(void **state)
{
	static const char wanted[] =
	    HEAD("200 OK", "5") "Content-Type: text/plain\r\n\r\nhe\0lo";
	int status, i;
	pid_t pid;

	(void)state;
	answer_reset(&reply);
	reply.type = "text/plain";
	buf_add(&reply.body, "he\0lo", 5);
	pid = start_fastcgi();
	for (i = 1; i <= 3; i++) {
		ask("5", i == 2 ? "a=b&d" : "a=b&c");
		check_body(i == 2 ? "a=b&d" : "a=b&c", 5);
		assert_string_equal(seen->agent, i == 2 ? "a=b&d" : "a=b&c");
		assert_string_equal(seen->path, "/x");
		/* A record of type 6 holds the answer. */
		assert_memory_equal(output, "\1\6", 2);
		assert_memory_equal(output + 8, wanted, sizeof wanted - 1);
	}
	/* Those that go wrong do not end it either. */
	ask("6", "a=b&c");
	assert_int_equal(seen->body, RC_INCOMPLETE);
	ask("101", "a=b&c");
	assert_int_equal(seen->body, RC_TOO_LARGE);
	close(send_request("5", "left!"));
	assert_int_equal(write(go[1], "", 1), 1);
	ask("5", "there");
	check_body("there", 5);
	assert_int_equal(seen->served, 7);
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(seen->next, RC_NONE);
}

/* systemd and people say SIGTERM, multiwatch SIGUSR1. */
static void
test_fastcgi_ends_by_either_signal(void **state)
{
	static const int signals[] = { SIGTERM, SIGUSR1 };
	int status;
	size_t i;
	pid_t pid;

	(void)state;
	for (i = 0; i < sizeof signals / sizeof signals[0]; i++) {
		pid = start_fastcgi();
		ask("5", "there");
		kill(pid, signals[i]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_int_equal(seen->next, RC_NONE);
		unlink(address().sun_path);
	}
}

/* A connection that was taken is served, whatever comes before it speaks. */
static void
test_fastcgi_ends_after_the_request_in_hand(void **state)
{
	int status, fd;
	pid_t pid;

	(void)state;
	pid = start_fastcgi();
	ask("5", "there");
	fd = connect_to_it();
	usleep(200000);
	kill(pid, SIGUSR1);
	usleep(200000);
	put_request(fd, "5", "again");
	assert_int_equal(write(go[1], "", 1), 1);
	alarm(20);
	read_output(fd);
	check_body("again", 5);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	alarm(0);
	assert_int_equal(status, 0);
	assert_int_equal(seen->served, 2);
}

static int
make_place(void **state)
{
	(void)state;
	strcpy(place, "/tmp/callmask-req-XXXXXX");
	return mkdtemp(place) != NULL && pipe(go) == 0 ? 0 : -1;
}

static int
remove_place(void **state)
{
	(void)state;
	unlink(address().sun_path);
	close(go[0]);
	close(go[1]);
	return rmdir(place);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_body),
		cmocka_unit_test(test_body_of_announced_length),
		cmocka_unit_test(test_body_that_comes_slowly),
		cmocka_unit_test(test_short_body_is_incomplete),
		cmocka_unit_test(test_large_body_is_refused_unread),
		cmocka_unit_test(test_length_that_is_no_number),
		cmocka_unit_test(test_path_is_as_it_was_sent),
		cmocka_unit_test(test_long_path_is_refused),
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_variables_set_twice_are_none),
		cmocka_unit_test(test_answer_with_body_and_headers),
		cmocka_unit_test(test_answer_without_body),
		cmocka_unit_test(test_answer_to_head_has_no_body),
		cmocka_unit_test(test_large_answer_comes_whole),
		cmocka_unit_test(test_every_status_has_its_reason),
		cmocka_unit_test(test_answer_is_reset_and_freed),
		cmocka_unit_test(test_client_that_left_is_no_error),
		cmocka_unit_test_setup_teardown(
		    test_fastcgi_serves_one_after_another, make_place,
		    remove_place),
		cmocka_unit_test_setup_teardown(
		    test_fastcgi_ends_by_either_signal, make_place,
		    remove_place),
		cmocka_unit_test_setup_teardown(
		    test_fastcgi_ends_after_the_request_in_hand, make_place,
		    remove_place),
	};

	return cmocka_run_group_tests_name("req", tests, set_up, tear_down);
}
