#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

/*
 * For tests of requests: a server on 127.0.0.1 that gives every request the
 * same answer and keeps what it was asked. A thread for each connection.
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVER_CONNECTIONS 64

struct server {
	const char *reply; /* bytes of an answer; set before it is asked */
	size_t reply_len;  /* 0: reply is a string */
	enum {
		SERVER_KEEP,  /* keeps the connection after an answer */
		SERVER_CLOSE, /* closes it */
		SERVER_HANG   /* says nothing more until it is stopped */
	} then;
	int answers;  /* closes at once after so many; 0: any number */
	char url[64]; /* http://127.0.0.1:PORT */
	int port;

	/* Under lock. */
	pthread_mutex_t lock;
	int connections, requests;
	char request[8192]; /* the last one, head and body */
	int fds[SERVER_CONNECTIONS];
	pthread_t threads[SERVER_CONNECTIONS];

	int fd;
	pthread_t thread;
};

/* What a connection's thread works with. */
struct server_connection {
	struct server *server;
	int fd;
};

/* Reads a request into text; false when the client is gone. */
static inline bool
server_read(int fd, char *text, size_t size)
{
	size_t len = 0, body = 0;
	char *end, *field;
	ssize_t n;

	for (;;) {
		if ((n = read(fd, text + len, size - 1 - len)) <= 0)
			return false;
		len += (size_t)n;
		text[len] = '\0';
		/* Somebody wants to speak TLS; hears plain words. */
		if (text[0] == 0x16)
			return true;
		if ((end = strstr(text, "\r\n\r\n")) == NULL)
			continue;
		if ((field = strcasestr(text, "\r\nContent-Length:")) != NULL &&
		    field < end)
			body = strtoul(field + 17, NULL, 10);
		if (len >= (size_t)(end + 4 - text) + body)
			return true;
	}
}

static inline void *
server_talk(void *cookie)
{
	struct server_connection *c = cookie;
	struct server *s = c->server;
	char text[sizeof s->request];
	int fd = c->fd, count;

	free(c);
	while (server_read(fd, text, sizeof text)) {
		pthread_mutex_lock(&s->lock);
		count = ++s->requests;
		memcpy(s->request, text, sizeof text);
		pthread_mutex_unlock(&s->lock);
		if (s->answers != 0 && count > s->answers)
			break;
		if (s->reply != NULL &&
		    send(fd, s->reply,
			s->reply_len != 0 ? s->reply_len : strlen(s->reply),
			MSG_NOSIGNAL) < 0)
			break;
		if (s->then == SERVER_CLOSE)
			break;
	}
	shutdown(fd, SHUT_RDWR);
	return NULL;
}

static inline void *
server_listen(void *cookie)
{
	struct server *s = cookie;
	struct server_connection *c;
	int fd;

	while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
		c = malloc(sizeof *c);
		*c = (struct server_connection){ s, fd };
		pthread_mutex_lock(&s->lock);
		s->fds[s->connections] = fd;
		pthread_create(
		    &s->threads[s->connections++], NULL, server_talk, c);
		pthread_mutex_unlock(&s->lock);
	}
	return NULL;
}

/* Starts a server with an answer. */
static inline void
server_start(struct server *s, const char *reply)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof in;

	*s = (struct server){ .reply = reply };
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	pthread_mutex_init(&s->lock, NULL);
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&in, sizeof in), 0);
	assert_int_equal(listen(s->fd, SERVER_CONNECTIONS), 0);
	getsockname(s->fd, (struct sockaddr *)&in, &len);
	s->port = ntohs(in.sin_port);
	snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d", s->port);
	assert_int_equal(pthread_create(&s->thread, NULL, server_listen, s), 0);
}

static inline void
server_stop(struct server *s)
{
	int i;

	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	for (i = 0; i < s->connections; i++) {
		shutdown(s->fds[i], SHUT_RDWR);
		pthread_join(s->threads[i], NULL);
		close(s->fds[i]);
	}
	close(s->fd);
	pthread_mutex_destroy(&s->lock);
}

/* How often it was asked. */
static inline int
server_requests(struct server *s)
{
	int count;

	pthread_mutex_lock(&s->lock);
	count = s->requests;
	pthread_mutex_unlock(&s->lock);
	return count;
}

/* How many connections were made to it. */
static inline int
server_connections(struct server *s)
{
	int count;

	pthread_mutex_lock(&s->lock);
	count = s->connections;
	pthread_mutex_unlock(&s->lock);
	return count;
}

#endif
