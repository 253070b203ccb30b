#ifndef ADDRESS_H
#define ADDRESS_H

/*
 * Addresses that somebody else chose, like an app's webhook: which of them may
 * be asked at all (CWE-918). What stands behind a name is only known when it is
 * resolved, and may change; so http asks here again for each connection.
 */

#include <stdbool.h>
#include <stdint.h>

#include "rc.h"

/* Returns whether an IPv4 address, in host order, is one of the public
 * internet: not this machine, a private network, a cloud's metadata, … */
bool address_public_ipv4(uint32_t address);

/* The same for an IPv6 address. */
bool address_public_ipv6(const uint8_t address[16]);

/* The same for one in text; what is no address is not public. */
bool address_public(const char *text);

/*
 * Checks a URL: https, a host, perhaps a port, a path and a query, and nothing
 * else. The host must be a name with a dot in it or a public address, unless
 * allow_private, which also allows http. RC_INVALID, fault->detail says why.
 */
enum rc address_check_url(const char *url, bool allow_private,
    const char *field, struct fault *fault);

#endif
