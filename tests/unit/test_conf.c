/* Configuration: every key, and everything that must not pass as one. */

#include "test.h"

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"

#define LENGTH(array) (sizeof array / sizeof array[0])

/* Five lines that are all a main file needs; errors of more are on line 6. */
#define MAIN                                                                   \
	"# callmask\n"                                                         \
	"public_url = https://mask.example.com\n"                              \
	"database = /var/lib/callmask/callmask.db\n"                           \
	"secrets = /etc/callmask/secrets\n"                                    \
	"metrics = /run/callmask/metrics\n"
/* 32 bytes, all 0, all 1, as base64. */
#define ZEROS "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define ONES "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
#define SID "AC0123456789abcdef0123456789abcdef"
#define TOKEN "0123456789abcdef0123456789abcdef"
#define KEY "SK0123456789abcdef0123456789abcdef"
#define TEXT_64 TOKEN TOKEN

static char dir[] = "/tmp/callmask-conf-XXXXXX";
static char path[64];
static char error[CONF_ERROR_SIZE];

static int
make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/file.conf", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void
write_bytes(const char *text, size_t len)
{
	FILE *file;

	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0640), 0);
}

/* Loads text as a main file, which must pass. */
static struct conf
conf_of(const char *text)
{
	struct conf conf;

	write_bytes(text, strlen(text));
	if (conf_load(&conf, path, error) != RC_OK)
		fail_msg("%s", error);
	return conf;
}

static struct secrets
secrets_of(const char *text)
{
	struct secrets secrets;

	write_bytes(text, strlen(text));
	if (conf_load_secrets(&secrets, path, error) != RC_OK)
		fail_msg("%s", error);
	return secrets;
}

/* The last load was refused for the line (0: for none), naming word. */
static void
check_error(enum rc rc, int line, const char *word)
{
	char where[96];

	if (line != 0)
		snprintf(where, sizeof where, "%s:%d: ", path, line);
	else
		snprintf(where, sizeof where, "%s: ", path);
	if (rc != RC_INVALID || strncmp(error, where, strlen(where)) != 0 ||
	    strstr(error + strlen(where), word) == NULL)
		fail_msg("expected \"%s … %s\", not %s, \"%s\"", where, word,
		    rc_name(rc), error);
	assert_true(strlen(error) < CONF_ERROR_SIZE - 1);
}

/* Text is refused for one of its lines, and conf is what it was. */
static void
check_conf(const char *text, int line, const char *word)
{
	struct conf conf, before;
	enum rc rc;

	memset(&conf, '#', sizeof conf);
	memset(&before, '#', sizeof before);
	write_bytes(text, strlen(text));
	error[0] = '\0';
	rc = conf_load(&conf, path, error);
	check_error(rc, line, word);
	assert_memory_equal(&conf, &before, sizeof conf);
}

static void
check_secrets(const char *text, int line, const char *word)
{
	struct secrets secrets, before;
	enum rc rc;

	memset(&secrets, '#', sizeof secrets);
	memset(&before, '#', sizeof before);
	write_bytes(text, strlen(text));
	error[0] = '\0';
	rc = conf_load_secrets(&secrets, path, error);
	check_error(rc, line, word);
	assert_memory_equal(&secrets, &before, sizeof secrets);
}

/* A main file that is fine but for one value, of a key that comes last. */
static void
check_value(const char *key, const char *value)
{
	static const char *const others[] = {
		"public_url = https://mask.example.com", "database = /a",
		"secrets = /b", "metrics = /c"
	};
	char text[1024] = "";
	size_t i;

	for (i = 0; i < LENGTH(others); i++)
		if (strncmp(others[i], key, strlen(key)) != 0)
			strcat(strcat(text, others[i]), "\n");
		else
			strcat(text, "# another\n");
	snprintf(text + strlen(text), sizeof text - strlen(text), "%s = %s\n",
	    key, value);
	check_conf(text, 5, key);
}

static void
test_main_file_of_required_keys(void **state)
{
	struct conf conf = conf_of(MAIN);

	(void)state;
	assert_string_equal(conf.public_url, "https://mask.example.com");
	assert_string_equal(conf.database, "/var/lib/callmask/callmask.db");
	assert_string_equal(conf.secrets, "/etc/callmask/secrets");
	assert_string_equal(conf.metrics, "/run/callmask/metrics");
	assert_string_equal(conf.url_overrides, "");
	assert_int_equal(conf.log_level, LOG_INFO);
	assert_string_equal(conf.twilio_api_url, "https://api.twilio.com");
	assert_string_equal(conf.ca_file, "");
	assert_false(conf.private_webhooks);
}

static void
test_main_file_of_all_keys(void **state)
{
	struct conf conf = conf_of("\n  # indented\n  log_level=warn\n"
				   "\turl_overrides =rc=2&rt=4500\r\n"
				   "metrics= /m#1\n"
				   "secrets\t=\t/s p \n"
				   "public_url = http://127.0.0.1:8080\n"
				   "twilio_api_url = http://[::1]:8081\n"
				   "ca_file = /ca.pem\n"
				   "private_webhooks = yes\n"
				   "database = /d=e"); /* no line end */

	(void)state;
	assert_string_equal(conf.public_url, "http://127.0.0.1:8080");
	assert_string_equal(conf.database, "/d=e");
	assert_string_equal(conf.secrets, "/s p");
	assert_string_equal(conf.metrics, "/m#1");
	assert_string_equal(conf.url_overrides, "rc=2&rt=4500");
	assert_int_equal(conf.log_level, LOG_WARN);
	assert_string_equal(conf.twilio_api_url, "http://[::1]:8081");
	assert_string_equal(conf.ca_file, "/ca.pem");
	assert_true(conf.private_webhooks);
}

static void
test_log_levels(void **state)
{
	(void)state;
	assert_int_equal(
	    conf_of(MAIN "log_level = debug\n").log_level, LOG_DEBUG);
	assert_int_equal(
	    conf_of(MAIN "log_level = info\n").log_level, LOG_INFO);
	assert_int_equal(
	    conf_of(MAIN "log_level = warn\n").log_level, LOG_WARN);
	assert_int_equal(
	    conf_of(MAIN "log_level = error\n").log_level, LOG_ERROR);
	check_value("log_level", "Info");
	check_value("log_level", "warning");
	check_value("log_level", "1");
}

static void
test_public_url_is_scheme_and_host(void **state)
{
	static const char *const urls[] = { "mask.example.com", "https://",
		"https:/mask.example.com", "ftp://mask.example.com",
		"HTTPS://mask.example.com", "https://mask.example.com/",
		"https://mask.example.com/path", "https://mask.example.com?a",
		"https://mask.example.com#a", "https://user@mask.example.com",
		"https://mask example.com", "//mask.example.com" };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(urls); i++)
		check_value("public_url", urls[i]);
}

/* Regions and compatible providers: a host, perhaps a path. */
static void
test_twilio_api_url(void **state)
{
	static const char *const good[] = { "https://api.dublin.ie1.twilio.com",
		"https://example.com/api/laml", "http://127.0.0.1:8081" };
	static const char *const bad[] = { "api.twilio.com", "https://",
		"https:///2010-04-01", "https://api.twilio.com/",
		"https://example.com/api/", "https://example.com//api",
		"https://example.com/api?a", "https://example.com/api#a",
		"https://user@example.com", "https://example.com/@example.org",
		"ftp://example.com/api", "https://a b", "https://a/b c" };
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(good); i++) {
		snprintf(
		    text, sizeof text, MAIN "twilio_api_url = %s\n", good[i]);
		assert_string_equal(conf_of(text).twilio_api_url, good[i]);
	}
	for (i = 0; i < LENGTH(bad); i++)
		check_value("twilio_api_url", bad[i]);
}

static void
test_what_development_needs(void **state)
{
	(void)state;
	assert_false(conf_of(MAIN "private_webhooks = no\n").private_webhooks);
	check_value("private_webhooks", "true");
	check_value("ca_file", "ca.pem");
}

static void
test_paths_are_absolute(void **state)
{
	(void)state;
	check_value("database", "callmask.db");
	check_value("database", "./callmask.db");
	check_value("secrets", "secrets");
	check_value("metrics", "~/metrics");
}

static void
test_url_overrides_hold_nothing_else(void **state)
{
	static const char *const values[] = { "rc=2;rt=1", "rc=\"2\"", "a/b",
		"rc=2 rt=1", "RC=2", "rc=2#", "<a>",
		/* 100 bytes: one too many */
		TEXT_64 "0123456789abcdef0123456789abcdef0123" };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(values); i++)
		check_value("url_overrides", values[i]);
	assert_int_equal(strlen(conf_of(MAIN "url_overrides = " TEXT_64
					     "0123456789abcdef0123456789abcdef"
					     "012\n")
				    .url_overrides),
	    99);
}

static void
test_unknown_keys_are_refused(void **state)
{
	(void)state;
	check_conf(MAIN "databse = /x\n", 6, "databse: unknown");
	check_conf(MAIN "Database = /x\n", 6, "Database: unknown");
	check_conf(MAIN "\n# x\nloglevel = debug\n", 8, "loglevel");
	check_conf(MAIN " = /x\n", 6, "");
	/* Keys of the other file. */
	check_conf(MAIN "lookup_key = " ZEROS "\n", 6, "lookup_key: unknown");
	check_secrets("database = /x\n", 1, "database: unknown");
}

static void
test_keys_given_twice_are_refused(void **state)
{
	(void)state;
	check_conf(MAIN "database = /x\n", 6, "database: given twice");
	check_conf(MAIN "database = /var/lib/callmask/callmask.db\n", 6,
	    "database: given twice");
	check_conf(MAIN "log_level = info\nlog_level = info\n", 7,
	    "log_level: given twice");
	/* An indented line is a line. */
	check_conf(MAIN "  /more\n", 6, "not a `key = value`");
	check_secrets("lookup_key = " ZEROS "\nlookup_key = " ONES "\n", 2,
	    "lookup_key: given twice");
	check_secrets("twilio_account_sid = " SID "\ntwilio_account_sid = " SID
		      "\n",
	    2, "twilio_account_sid: given twice");
}

static void
test_empty_values_are_refused(void **state)
{
	(void)state;
	check_conf(MAIN "log_level =\n", 6, "log_level: no value");
	check_conf(MAIN "log_level =   \n", 6, "log_level: no value");
	check_conf(MAIN "url_overrides = \n", 6, "url_overrides: no value");
	check_secrets("twilio_auth_tokens =\n", 1, "twilio_auth_tokens");
	check_secrets("lookup_key = ; gone\n", 1, "lookup_key: no value");
}

static void
test_sections_are_refused(void **state)
{
	(void)state;
	check_conf("[callmask]\n" MAIN, 3, "[callmask]");
	check_conf(MAIN "[log]\nlog_level = debug\n", 7, "[log]");
}

static void
test_lines_that_are_no_pair_are_refused(void **state)
{
	(void)state;
	check_conf(MAIN "log_level\n", 6, "");
	check_conf("database /x\n" MAIN, 1, "");
	check_conf(MAIN "[log\n", 6, "");
}

/* 198 bytes are read; one more, as key, value or comment, is refused. */
static void
test_long_lines_are_refused(void **state)
{
	char text[1024], fill[256];

	(void)state;
	memset(fill, 'x', sizeof fill);
	snprintf(text, sizeof text, MAIN "# %.196s\nlog_level = warn\n", fill);
	assert_int_equal(conf_of(text).log_level, LOG_WARN);
	snprintf(text, sizeof text, MAIN "url_overrides = %.183s\n", fill);
	check_conf(text, 6, "198 bytes");
	snprintf(text, sizeof text, MAIN "%.199s = 1\n", fill);
	check_conf(text, 6, "198 bytes");
	snprintf(text, sizeof text, MAIN "# %.197s", fill);
	check_conf(text, 6, "198 bytes");
	write_bytes(MAIN "log_level\0 = debug\n", strlen(MAIN) + 19);
	check_error(
	    conf_load(&(struct conf){ .log_level = LOG_INFO }, path, error), 6,
	    "");
}

/* Not the keys behind it, whose line is not counted right any more. */
static void
test_long_comment_is_the_first_error(void **state)
{
	char text[1024], fill[256];

	(void)state;
	memset(fill, 'x', sizeof fill);
	snprintf(text, sizeof text, "# %.240s\n" MAIN, fill);
	check_conf(text, 1, "198 bytes");
}

static void
test_first_error_is_reported(void **state)
{
	char text[512];

	(void)state;
	check_conf("database = x\nlog_level = y\n", 1, "database: must");
	assert_null(strstr(error, "log_level"));
	check_conf("log_level = y\ndatabase = x\n", 1, "log_level: must");
	check_conf("log_level\ndatabase = x\n", 1, "");
	check_conf("database = x\nlog_level\n", 1, "database: must");
	check_conf("unknown = 1\nunknown = 2\n", 1, "unknown key");
	snprintf(text, sizeof text, "database = x\n# %0240d\n", 0);
	check_conf(text, 1, "database: must");
}

static void
test_missing_keys_are_named(void **state)
{
	(void)state;
	check_conf("", 0, "public_url is missing");
	check_conf("public_url = http://a\n", 0, "database is missing");
	check_conf("public_url = http://a\ndatabase = /a\nmetrics = /a\n", 0,
	    "secrets is missing");
	check_conf("public_url = http://a\ndatabase = /a\nsecrets = /a\n", 0,
	    "metrics is missing");
}

static void
test_secrets_of_all_keys(void **state)
{
	struct secrets secrets = secrets_of("twilio_account_sid = " SID "\n"
					    "twilio_auth_tokens = " TOKEN "\n"
					    "twilio_api_key = " KEY "\n"
					    "twilio_api_secret = secret\n"
					    "sealing_keys = 2:" ONES "\n"
					    "lookup_key = " ONES "\n");
	uint8_t ones[CRYPTO_KEY_SIZE];

	(void)state;
	memset(ones, 1, sizeof ones);
	assert_string_equal(secrets.account_sid, SID);
	assert_int_equal(secrets.tokens_len, 1);
	assert_string_equal(secrets.tokens[0], TOKEN);
	assert_string_equal(secrets.api_key, KEY);
	assert_string_equal(secrets.api_secret, "secret");
	assert_int_equal(secrets.keys.sealing_len, 1);
	assert_int_equal(secrets.keys.sealing[0].id, 2);
	assert_memory_equal(secrets.keys.sealing[0].key, ones, CRYPTO_KEY_SIZE);
	assert_memory_equal(secrets.keys.lookup, ones, CRYPTO_KEY_SIZE);
}

static void
test_secrets_may_be_empty(void **state)
{
	struct secrets secrets = secrets_of("# not yet\n");

	(void)state;
	assert_string_equal(secrets.account_sid, "");
	assert_string_equal(secrets.api_key, "");
	assert_string_equal(secrets.api_secret, "");
	assert_int_equal(secrets.tokens_len, 0);
	assert_int_equal(secrets.keys.sealing_len, 0);
}

/* In a line, in a further line: in this order. */
static void
test_lists_may_repeat(void **state)
{
	struct secrets secrets =
	    secrets_of("twilio_auth_tokens = t1  t2\t" TEXT_64 "\n"
		       "sealing_keys = 255:" ONES "  1:" ZEROS "\t3:" ONES "\n"
		       "# between\n"
		       "twilio_auth_tokens = t4\n"
		       "sealing_keys = 2:" ZEROS "\n");

	(void)state;
	assert_int_equal(secrets.tokens_len, 4);
	assert_string_equal(secrets.tokens[0], "t1");
	assert_string_equal(secrets.tokens[1], "t2");
	assert_string_equal(secrets.tokens[2], TEXT_64);
	assert_string_equal(secrets.tokens[3], "t4");
	assert_int_equal(secrets.keys.sealing_len, 4);
	assert_int_equal(secrets.keys.sealing[0].id, 255);
	assert_int_equal(secrets.keys.sealing[1].id, 1);
	assert_int_equal(secrets.keys.sealing[2].id, 3);
	assert_int_equal(secrets.keys.sealing[3].id, 2);
	assert_int_equal(secrets.keys.sealing[2].key[31], 1);
	assert_int_equal(secrets.keys.sealing[3].key[31], 0);
}

static void
test_lists_are_bounded(void **state)
{
	char text[1024] = "";
	int i;

	(void)state;
	check_secrets("twilio_auth_tokens = 1 2 3 4 5\n", 1, "more than 4");
	check_secrets("twilio_auth_tokens = 1 2 3 4\ntwilio_auth_tokens = 5\n",
	    2, "more than 4");
	check_secrets("twilio_auth_tokens = " TEXT_64 "x\n", 1, "too long");
	for (i = 1; i <= CRYPTO_KEYS_MAX; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text),
		    "sealing_keys = %d:" ZEROS "\n", i);
	assert_int_equal(secrets_of(text).keys.sealing_len, CRYPTO_KEYS_MAX);
	strcat(text, "sealing_keys = 9:" ZEROS "\n");
	check_secrets(text, 9, "more than 8");
}

static void
test_sealing_keys_are_number_and_base64(void **state)
{
	static const char *const values[] = { ZEROS, ":" ZEROS, "0:" ZEROS,
		"256:" ZEROS, "-1:" ZEROS, "99999999999999999999:" ZEROS,
		"a:" ZEROS, "1a:" ZEROS, "1=" ZEROS, "1 :" ZEROS, "1: " ZEROS,
		"1:", "1:AAAA", "1:A" ZEROS, "1:" ZEROS "A", "1::" ZEROS,
		"1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA!",
		"1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=",
		"1:" ZEROS " 2", "1:" ZEROS " 1:" ONES };
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(values); i++) {
		snprintf(text, sizeof text, "\nsealing_keys = %s\n", values[i]);
		check_secrets(text, 2, "sealing_keys: ");
		assert_null(strstr(error, "AAAA")); /* no key in an error */
	}
}

static void
test_other_secrets_have_their_form(void **state)
{
	(void)state;
	check_secrets("twilio_account_sid = AC\n", 1, "twilio_account_sid: ");
	check_secrets("twilio_account_sid = " SID "0\n", 1, "");
	check_secrets("twilio_account_sid = SK" TOKEN "\n", 1, "");
	check_secrets("twilio_account_sid = AC0123456789ABCDEF0123456789ABCDEF"
		      "\n",
	    1, "twilio_account_sid: ");
	check_secrets("lookup_key = AAAA\n", 1, "lookup_key: ");
	check_secrets("lookup_key = " ZEROS "A\n", 1, "lookup_key: ");
	check_secrets("lookup_key = 1:" ZEROS "\n", 1, "lookup_key: ");
}

/* Half of the two would leave the REST API to the token unnoticed. */
static void
test_api_key_and_secret_go_together(void **state)
{
	(void)state;
	check_secrets(
	    "twilio_api_key = " KEY "\n", 0, "twilio_api_secret is missing");
	check_secrets(
	    "twilio_api_secret = secret\n", 0, "twilio_api_key is missing");
	assert_null(strstr(error, "= secret"));
	check_secrets("twilio_api_key = " SID "\ntwilio_api_secret = s\n", 1,
	    "twilio_api_key: ");
	check_secrets("twilio_api_key = " KEY "0\n", 1, "twilio_api_key: ");
	check_secrets("twilio_api_key = " KEY "\ntwilio_api_secret = " TEXT_64
		      "x\n",
	    2, "twilio_api_secret: ");
	check_secrets("twilio_api_key = " KEY "\ntwilio_api_key = " KEY "\n", 2,
	    "given twice");
}

static void
test_secrets_others_can_read_are_refused(void **state)
{
	static const mode_t wrong[] = { 0644, 0604, 0642, 0602, 0641, 0666 };
	static const mode_t right[] = { 0600, 0400, 0640, 0660 };
	struct secrets secrets = { .tokens_len = 77 };
	size_t i;

	(void)state;
	write_bytes("twilio_auth_tokens = t\n", 23);
	for (i = 0; i < LENGTH(wrong); i++) {
		assert_int_equal(chmod(path, wrong[i]), 0);
		check_error(
		    conf_load_secrets(&secrets, path, error), 0, "chmod");
		assert_int_equal(secrets.tokens_len, 77);
	}
	for (i = 0; i < LENGTH(right); i++) {
		assert_int_equal(chmod(path, right[i]), 0);
		assert_int_equal(
		    conf_load_secrets(&secrets, path, error), RC_OK);
	}
	/* The main file is for everyone. */
	write_bytes(MAIN, strlen(MAIN));
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(
	    conf_load(&(struct conf){ .log_level = LOG_INFO }, path, error),
	    RC_OK);
}

/* place cannot be read: both say so, with its name, and change nothing. */
static void
check_unreadable(const char *place)
{
	struct conf conf = { .log_level = LOG_ERROR };
	struct secrets secrets = { .tokens_len = 77 };

	error[0] = '\0';
	assert_int_equal(conf_load(&conf, place, error), RC_UNAVAILABLE);
	assert_memory_equal(error, place, strlen(place));
	assert_int_equal(conf.log_level, LOG_ERROR);
	error[0] = '\0';
	assert_int_equal(
	    conf_load_secrets(&secrets, place, error), RC_UNAVAILABLE);
	assert_memory_equal(error, place, strlen(place));
	assert_int_equal(secrets.tokens_len, 77);
}

static void
test_missing_file_is_unavailable(void **state)
{
	char place[96];

	(void)state;
	snprintf(place, sizeof place, "%s/nowhere", dir);
	check_unreadable(place);
	assert_non_null(strstr(error, "No such file"));
}

/* The overrides go behind a #, which is there for them alone. */
static void
test_url_of_a_path(void **state)
{
	struct conf conf = { .public_url = "https://mask.example:8443" };
	char url[64];

	(void)state;
	conf_url(&conf, "/twilio/status", url, sizeof url);
	assert_string_equal(url, "https://mask.example:8443/twilio/status");
	strcpy(conf.url_overrides, "rc=2&rp=5xx");
	conf_url(&conf, "/x", url, sizeof url);
	assert_string_equal(url, "https://mask.example:8443/x#rc=2&rp=5xx");
}

/* It opens, but reading fails: not the same as an empty file. */
static void
test_file_that_cannot_be_read_is_unavailable(void **state)
{
	(void)state;
	check_unreadable(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_main_file_of_required_keys),
		cmocka_unit_test(test_main_file_of_all_keys),
		cmocka_unit_test(test_log_levels),
		cmocka_unit_test(test_public_url_is_scheme_and_host),
		cmocka_unit_test(test_twilio_api_url),
		cmocka_unit_test(test_what_development_needs),
		cmocka_unit_test(test_paths_are_absolute),
		cmocka_unit_test(test_url_overrides_hold_nothing_else),
		cmocka_unit_test(test_unknown_keys_are_refused),
		cmocka_unit_test(test_keys_given_twice_are_refused),
		cmocka_unit_test(test_empty_values_are_refused),
		cmocka_unit_test(test_sections_are_refused),
		cmocka_unit_test(test_lines_that_are_no_pair_are_refused),
		cmocka_unit_test(test_long_lines_are_refused),
		cmocka_unit_test(test_long_comment_is_the_first_error),
		cmocka_unit_test(test_first_error_is_reported),
		cmocka_unit_test(test_missing_keys_are_named),
		cmocka_unit_test(test_secrets_of_all_keys),
		cmocka_unit_test(test_secrets_may_be_empty),
		cmocka_unit_test(test_lists_may_repeat),
		cmocka_unit_test(test_lists_are_bounded),
		cmocka_unit_test(test_sealing_keys_are_number_and_base64),
		cmocka_unit_test(test_other_secrets_have_their_form),
		cmocka_unit_test(test_api_key_and_secret_go_together),
		cmocka_unit_test(test_secrets_others_can_read_are_refused),
		cmocka_unit_test(test_url_of_a_path),
		cmocka_unit_test(test_missing_file_is_unavailable),
		cmocka_unit_test(test_file_that_cannot_be_read_is_unavailable),
	};

	return cmocka_run_group_tests_name("conf", tests, make_dir, remove_dir);
}
