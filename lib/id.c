/* Names of rows. */

#include "id.h"

#include <string.h>

#include "crypto.h"

#define PREFIX_LEN 3
#define BODY_LEN 26

static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

void
id_make(char out[ID_SIZE], const char *prefix, int64_t now_ms)
{
	uint8_t random[16];
	int i;

	/* 10 characters hold 50 bits of time, 16 the 80 random bits. */
	crypto_random(random, sizeof random);
	memcpy(out, prefix, PREFIX_LEN);
	out[PREFIX_LEN] = '_';
	out += PREFIX_LEN + 1;
	for (i = 9; i >= 0; i--) {
		out[i] = alphabet[now_ms & 31];
		now_ms >>= 5;
	}
	for (i = 10; i < BODY_LEN; i++)
		out[i] = alphabet[random[i - 10] & 31];
	out[BODY_LEN] = '\0';
}

bool
id_valid(const char *text, const char *prefix)
{
	return strncmp(text, prefix, PREFIX_LEN) == 0 &&
	       text[PREFIX_LEN] == '_' &&
	       strlen(text) == PREFIX_LEN + 1 + BODY_LEN &&
	       strspn(text + PREFIX_LEN + 1, alphabet) == BODY_LEN;
}
