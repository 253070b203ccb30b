/* Addresses that somebody else chose: which of them may be asked. */

#include "test.h"

#include "address.h"

#include <stdio.h>
#include <string.h>

#define LENGTH(array) (sizeof array / sizeof array[0])

static void
test_public_addresses(void **state)
{
	static const char *const texts[] = { "1.1.1.1", "8.8.8.8",
		"9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
		"126.255.255.255", "128.0.0.0", "169.253.255.255",
		"169.255.0.0", "172.15.255.255", "172.32.0.0",
		"191.255.255.255", "192.0.1.0", "192.0.3.0", "192.167.255.255",
		"192.169.0.0", "198.17.255.255", "198.20.0.0", "198.51.99.0",
		"203.0.112.255", "203.0.114.0", "223.255.255.255",
		"2606:4700:4700::1111", "2a00::1", "2001:4860:4860::8888",
		"2001:200::1", "2003::1" };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(texts); i++)
		if (!address_public(texts[i]))
			fail_msg("%s is public", texts[i]);
}

static void
test_addresses_that_are_not_public(void **state)
{
	static const char *const texts[] = { "0.0.0.0", "0.255.255.255",
		"10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255",
		"127.0.0.1", "127.255.255.255", "169.254.0.0",
		"169.254.169.254", "172.16.0.0", "172.31.255.255", "192.0.0.8",
		"192.0.2.1", "192.88.99.1", "192.168.0.0", "192.168.255.255",
		"198.18.0.0", "198.19.255.255", "198.51.100.7", "203.0.113.9",
		"224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1",
		"::ffff:127.0.0.1", "::ffff:8.8.8.8", "::8.8.8.8",
		"64:ff9b::8.8.8.8", "100::1", "fc00::1", "fdff::1", "fe80::1",
		"fec0::1", "ff02::1", "2001::1", "2001:1ff::1", "2001:db8::1",
		"2002:808:808::1", "3fff::1", "4000::1",
		/* no address at all */
		"", "localhost", "127.1", "0x7f000001", "1.1.1.1.", " 1.1.1.1",
		"[2a00::1]" };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(texts); i++)
		if (address_public(texts[i]))
			fail_msg("%s is not public", texts[i]);
}

/* Checks a URL: whether it passes on an installation in earnest, and on one
 * that allows private addresses. */
static void
check(const char *url, bool strict, bool lax)
{
	struct fault fault = { .field = "" };

	if ((address_check_url(url, false, "url", &fault) == RC_OK) != strict)
		fail_msg("%s: %s", url, strict ? fault.detail : "passed");
	if (!strict) {
		assert_string_equal(fault.field, "url");
		assert_memory_equal(fault.detail, "must ", 5);
	}
	if ((address_check_url(url, true, "url", NULL) == RC_OK) != lax)
		fail_msg("%s: %s", url, lax ? "refused" : "passed");
}

static void
test_urls_that_may_be_asked(void **state)
{
	static const char *const urls[] = { "https://a.example",
		"https://a.example/",
		"https://A.Example-1.co/hooks/1?a=b&c=%20",
		"https://a.example:8443/x", "https://a.example?x",
		"https://1.a.example/", "https://8.8.8.8/",
		"https://[2a00::1]/", "https://[2a00::1]:65535/?@:[]",
		"https://xn--bcher-kva.example/",
		"https://a.example/user@host" };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(urls); i++)
		check(urls[i], true, true);
}

static void
test_urls_only_for_development(void **state)
{
	static const char *const urls[] = { "http://a.example/",
		"https://localhost/", "https://app", "https://127.0.0.1:1/",
		"http://[::1]:9000/hook", "https://192.168.1.1/",
		"https://169.254.169.254/latest/meta-data",
		"https://[::ffff:127.0.0.1]/", "https://0.0.0.0/" };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(urls); i++)
		check(urls[i], false, true);
}

static void
test_urls_that_are_none(void **state)
{
	static const char *const urls[] = { "", "https://", "https:///x",
		"HTTPS://a.example/", "ftp://a.example/", "//a.example/",
		"a.example", "https:/a.example", " https://a.example",
		"https://user@a.example/", "https://user:secret@a.example/",
		"https://a.example/#part", "https://a.example#", "https://a b/",
		"https://a.example/a b", "https://a.example/\n",
		"https://a.example/\303\274", "https://\303\274.example/",
		"https://a.example\\@b.example/", "https://a.example:/",
		"https://a.example:0/", "https://a.example:65536/",
		"https://a.example:+80/", "https://a.example:80x/",
		"https://a..example/", "https://.a.example/",
		"https://a.example./", "https://a_b.example/",
		"https://[2a00::1/", "https://[a.example]/", "https://2a00::1/",
		"https://[8.8.8.8]/", "https://[fe80::1%25lo]/",
		/* numbers that resolvers read as addresses */
		"https://127.1/", "https://2130706433/", "https://0x7f000001/",
		"https://0177.0.0.1/", "https://1.2.3.0x7f/",
		"https://8.8.8.8.8/", "https://a.1/" };
	char url[400] = "https://";
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(urls); i++)
		check(urls[i], false, false);
	memset(url + 8, 'a', 254);
	check(url, false, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_public_addresses),
		cmocka_unit_test(test_addresses_that_are_not_public),
		cmocka_unit_test(test_urls_that_may_be_asked),
		cmocka_unit_test(test_urls_only_for_development),
		cmocka_unit_test(test_urls_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
