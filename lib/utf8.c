/* Well-formed UTF-8. */

#include "utf8.h"

#include <stdint.h>

size_t
utf8_next(const char *text)
{
	/* Least code point that needs 2, 3, 4 bytes. */
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)text;
	size_t len, i;
	uint32_t c;

	if (p[0] < 0x80)
		return p[0] != '\0';
	if ((p[0] & 0xe0) == 0xc0) {
		len = 2;
		c = p[0] & 0x1f;
	} else if ((p[0] & 0xf0) == 0xe0) {
		len = 3;
		c = p[0] & 0x0f;
	} else if ((p[0] & 0xf8) == 0xf0) {
		len = 4;
		c = p[0] & 0x07;
	} else {
		return 0;
	}
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return len;
}

bool
utf8_valid(const char *text)
{
	size_t len;

	while (*text != '\0') {
		if ((len = utf8_next(text)) == 0)
			return false;
		text += len;
	}
	return true;
}
