/* Addresses that somebody else chose. */

#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

bool
address_public_ipv4(uint32_t address)
{
	/* The IANA registry of special-purpose addresses. */
	static const struct {
		uint32_t net;
		int bits;
	} special[] = {
		{ 0x00000000, 8 },  /* this network */
		{ 0x0a000000, 8 },  /* private */
		{ 0x64400000, 10 }, /* shared by carriers */
		{ 0x7f000000, 8 },  /* loopback */
		{ 0xa9fe0000, 16 }, /* link-local, cloud metadata */
		{ 0xac100000, 12 }, /* private */
		{ 0xc0000000, 24 }, /* protocol assignments */
		{ 0xc0000200, 24 }, /* documentation */
		{ 0xc0586300, 24 }, /* 6to4 relays */
		{ 0xc0a80000, 16 }, /* private */
		{ 0xc6120000, 15 }, /* benchmarks */
		{ 0xc6336400, 24 }, /* documentation */
		{ 0xcb007100, 24 }, /* documentation */
		{ 0xe0000000, 3 },  /* multicast, reserved, broadcast */
	};
	size_t i;

	for (i = 0; i < sizeof special / sizeof special[0]; i++)
		if ((address ^ special[i].net) >> (32 - special[i].bits) == 0)
			return false;
	return true;
}

/* Only global unicast, 2000::/3, and of that nothing that stands for an IPv4
 * address or for documentation. */
bool
address_public_ipv6(const uint8_t a[16])
{
	if ((a[0] & 0xe0) != 0x20)
		return false;
	if (a[0] == 0x20 && a[1] == 0x01 && (a[2] & 0xfe) == 0)
		return false; /* 2001::/23, protocol assignments, Teredo */
	if (a[0] == 0x20 && a[1] == 0x01 && a[2] == 0x0d && a[3] == 0xb8)
		return false; /* 2001:db8::/32, documentation */
	if (a[0] == 0x3f && a[1] == 0xff && (a[2] & 0xf0) == 0)
		return false;                   /* 3fff::/20, documentation */
	return !(a[0] == 0x20 && a[1] == 0x02); /* 2002::/16, 6to4 */
}

bool
address_public(const char *text)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (inet_pton(AF_INET, text, &v4) == 1)
		return address_public_ipv4(ntohl(v4.s_addr));
	return inet_pton(AF_INET6, text, &v6) == 1 &&
	       address_public_ipv6(v6.s6_addr);
}

/* Whether host is a name by its form: labels of letters, digits and hyphens.
 * One that ends in a number is none, for resolvers read that as an address in
 * many ways (127.1, 0x7f000001). */
static bool
name_valid(const char *host)
{
	const char *label = host, *last = host;

	for (; *label != '\0'; label += strspn(label, ".")) {
		last = label;
		label += strspn(label, LETTERS DIGITS "-");
		if (label == last || (*label != '\0' && *label != '.') ||
		    (label[0] == '.' && (label[1] == '.' || label[1] == '\0')))
			return false;
	}
	return last[0] != '\0' && strchr(DIGITS, last[0]) == NULL;
}

/* Says what is wrong with a host, "" if nothing is. An IPv6 address stands in
 * brackets, which are gone by now: bracketed tells. */
static const char *
host_fault(const char *host, bool bracketed, bool allow_private)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (bracketed ? inet_pton(AF_INET6, host, &v6) == 1
		      : inet_pton(AF_INET, host, &v4) == 1)
		return allow_private || address_public(host)
			   ? ""
			   : "must not be of this machine or a private network";
	if (bracketed || !name_valid(host))
		return "must have a host name or an address behind https://";
	return allow_private || strchr(host, '.') != NULL
		   ? ""
		   : "must have a full host name, with a dot in it";
}

/* Whether rest is what may follow a host: a port, a path and a query. */
static bool
rest_valid(const char *rest)
{
	const char *port;
	char *end;
	long number;

	if (*rest == ':') {
		port = ++rest;
		number = strtol(port, &end, 10);
		rest += strspn(rest, DIGITS);
		if (rest == port || end != rest || number < 1 || number > 65535)
			return false;
	}
	if (*rest != '\0' && *rest != '/' && *rest != '?')
		return false;
	for (; *rest != '\0'; rest++)
		if (*rest <= ' ' || *rest >= 0x7f ||
		    strchr("#\\\"<>^`{|}", *rest) != NULL)
			return false;
	return true;
}

enum rc
address_check_url(
    const char *url, bool allow_private, const char *field, struct fault *fault)
{
	const char *p = url, *wrong;
	char host[254];
	bool bracketed;
	size_t len;

	if (strncmp(p, "https://", 8) == 0)
		p += 8;
	else if (allow_private && strncmp(p, "http://", 7) == 0)
		p += 7;
	else
		return rc_fault(fault, RC_INVALID, field, "must be https://…");
	bracketed = *p == '[';
	p += bracketed;
	len = strcspn(p, bracketed ? "]" : ":/?#");
	if (len >= sizeof host || (bracketed && p[len] != ']'))
		return rc_fault(fault, RC_INVALID, field,
		    "must have a host behind https://");
	memcpy(host, p, len);
	host[len] = '\0';
	wrong = host_fault(host, bracketed, allow_private);
	if (wrong[0] != '\0')
		return rc_fault(fault, RC_INVALID, field, "%s", wrong);
	if (!rest_valid(p + len + bracketed))
		return rc_fault(fault, RC_INVALID, field,
		    "must have nothing behind the host but a port, a path and "
		    "a query");
	return RC_OK;
}
