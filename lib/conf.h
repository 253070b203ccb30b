#ifndef CONF_H
#define CONF_H

/*
 * Configuration: two files of `key = value` lines, `#` for comments. The main
 * file may be read by anyone, the secrets file only by its owner and group.
 * An unknown key, a key given twice, a value out of bounds is refused with
 * file and line: a typing error must not become a default.
 *
 * callmask.conf(5) documents every key; conf.c has the table of them.
 */

#include <stdbool.h>
#include <stddef.h>

#include "crypto.h"
#include "log.h"
#include "rc.h"

#define CONF_PATH "/etc/callmask/callmask.conf" /* where it is looked for */
#define CONF_TOKENS_MAX 4                       /* Twilio auth tokens at once */
#define CONF_ERROR_SIZE 512                     /* bytes of an error's words */

/* The main file. */
struct conf {
	char public_url[200];     /* scheme and host Twilio calls us by */
	char database[256];       /* path of the SQLite database */
	char secrets[256];        /* path of the secrets file */
	char metrics[256];        /* path of the shared counters */
	char url_overrides[100];  /* fragment for URLs given to Twilio, or "" */
	enum log_level log_level; /* least level that is logged */
	char twilio_api_url[200]; /* where Twilio's REST API is */
	char ca_file[256];        /* certificates trusted by what we ask; ""
				     the system's */
	bool private_webhooks;    /* development: events may go to addresses
				     that are not public, and by http */
};

/* The secrets file. */
struct secrets {
	char account_sid[35];             /* Twilio account, AC… */
	char tokens[CONF_TOKENS_MAX][65]; /* auth tokens, any may sign */
	size_t tokens_len;                /* tokens in use */
	char api_key[35];                 /* opens the REST API, SK…; "": the
					     account and its first token do */
	char api_secret[65];              /* of api_key */
	struct crypto_keys keys;          /* for real phone numbers */
};

/*
 * Reads the main file at path into *conf. Returns RC_UNAVAILABLE if it cannot
 * be read, RC_INVALID if a line is refused; error then says which and why.
 */
enum rc conf_load(
    struct conf *conf, const char *path, char error[CONF_ERROR_SIZE]);

/*
 * Reads the secrets file at path into *secrets, which the caller wipes. Same
 * results; RC_INVALID as well if other users could read the file, or if of API
 * key and secret only one is there.
 */
enum rc conf_load_secrets(
    struct secrets *secrets, const char *path, char error[CONF_ERROR_SIZE]);

/*
 * Writes the URL that Twilio shall call for path into out of size bytes:
 * public URL, path, configured overrides.
 */
void conf_url(
    const struct conf *conf, const char *path, char *out, size_t size);

#endif
