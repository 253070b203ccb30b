/* E-mail addresses and links in a plain text. */

#include "redact_text.h"

/* Blanks that may stand around a dot or an at sign. */
#define BLANKS_MAX 3
/* Labels of a host that are looked at. */
#define LABELS_MAX 8

/* Top-level domains that are seen in texts and no word in them. */
static const char *const domains[] = { "com", "net", "org", "info", "biz",
	"edu", "gov", "io", "co", "eu", "uk", "ca", "au", "nz", "ie", "de",
	"ch", "li", "lu", "fr", "es", "pt", "nl", "dk", "se", "fi", "pl", "cz",
	"sk", "hu", "ro", "bg", "hr", "gr", "tr", "ru", "ua", "il", "ae", "sa",
	"za", "ng", "ke", "eg", "ma", "tn", "br", "mx", "ar", "cl", "pe", "ve",
	"jp", "cn", "hk", "tw", "kr", "sg", "th", "vn", "ph", "pk", "bd", "lk",
	"tv", "cc", "ws", "ly", "gl", "gg", "gd", "ai", "fm", "sh", "vc", "xyz",
	"app", "dev", "top", "online", "site", "shop", "store", "club", "live",
	"link", "page", "website", "space", "click", "mobi", "pro", "name",
	"chat", "email", "cloud", "blog", "berlin", "london", "nyc", NULL };

/* Those that are words as well. */
static const char *const wordy[] = { "am", "as", "at", "be", "by", "do", "id",
	"im", "in", "is", "it", "la", "me", "my", "no", "pm", "so", "to", "us",
	NULL };

/* What "point" may stand before, a common word of French. */
static const char *const after_point[] = { "com", "fr", "org", "net", "eu",
	"ch", "ca", NULL };

/* Hosts of .me that need no path to be known. */
static const char *const chats[] = { "t", "wa", "m", "fb", "signal", NULL };

/* Whose addresses are known without the end of the domain. */
static const char *const providers[] = { "gmail", "googlemail", "hotmail",
	"yahoo", "icloud", "gmx", "aol", "protonmail", NULL };

static const char *const dots[] = { "dot", "punkt", "point", NULL };
static const char *const ats[] = { "at", "arobase", "klammeraffe", NULL };
static const char *const joints[] = { "dot", "punkt", "point", "underscore",
	"dash", "minus", NULL };

/* How a dot is written. */
enum dot {
	DOT_NONE,
	DOT_PLAIN,  /* a.b */
	DOT_SPACED, /* a . b, a .b */
	DOT_ENDING, /* a. b: most likely the end of a sentence */
	DOT_WORD,   /* a dot b */
	DOT_POINT,  /* a point b */
	DOT_BOXED   /* a(dot)b, a [.] b */
};

static bool
is_label(char c)
{
	return redact_is_letter(c) || redact_is_digit(c) || c == '-' ||
	       c == '_';
}

static bool
is_local(char c)
{
	return is_label(c) || (c != '\0' && strchr(".%+", c) != NULL);
}

static size_t
label_end(const char *plain, size_t p)
{
	while (is_label(plain[p]))
		p++;
	return p;
}

static size_t
skip_blanks(const char *plain, size_t p)
{
	size_t len = strspn(plain + p, " ");

	return len <= BLANKS_MAX ? p + len : p;
}

static size_t
skip_blanks_back(const char *plain, size_t p)
{
	size_t len = 0;

	while (len < p && plain[p - len - 1] == ' ')
		len++;
	return len <= BLANKS_MAX ? p - len : p;
}

static bool
has_letter(const char *plain, size_t p, size_t end)
{
	while (p < end && !redact_is_letter(plain[p]))
		p++;
	return p < end;
}

/* Returns the end of what stands in brackets at p, if that is sign or one of
 * words; 0 if not. */
static size_t
boxed_end(const char *plain, size_t p, char sign, const char *const *words)
{
	size_t end;

	if (plain[p] == '\0' || strchr("([{<", plain[p]) == NULL)
		return 0;
	p = skip_blanks(plain, p + 1);
	end = plain[p] == sign ? p + 1 : redact_word_end(plain, p);
	if (plain[p] != sign && !redact_is_one_of(plain, p, end, words))
		return 0;
	end = skip_blanks(plain, end);
	return plain[end] != '\0' && strchr(")]}>", plain[end]) != NULL
		   ? end + 1
		   : 0;
}

/* Reads the dot behind the label that ends at p, up to the next label. */
static enum dot
read_dot(const char *plain, size_t p, size_t *end)
{
	size_t start = skip_blanks(plain, p);
	enum dot dot = DOT_NONE;

	if (plain[p] == '.' && is_label(plain[p + 1])) {
		*end = p + 1;
		return DOT_PLAIN;
	}
	if ((*end = boxed_end(plain, start, '.', dots)) != 0) {
		dot = DOT_BOXED;
	} else if (plain[start] == '.') {
		*end = start + 1;
		dot = start > p ? DOT_SPACED : DOT_ENDING;
	} else if (start > p) {
		*end = redact_word_end(plain, start);
		if (redact_is_one_of(plain, start, *end, dots))
			dot = plain[start + 1] == 'o' && *end - start == 5
				  ? DOT_POINT
				  : DOT_WORD;
		if (dot != DOT_NONE && plain[*end] != ' ')
			dot = DOT_NONE;
	}
	*end = skip_blanks(plain, *end);
	return is_label(plain[*end]) ? dot : DOT_NONE;
}

/* Returns the end of a path that begins at p: everything up to a blank, but
 * for the signs that end a sentence; and what follows a spelled slash. */
static size_t
path_end(const char *plain, size_t p)
{
	static const char *const slashes[] = { "slash", NULL };
	size_t start = p, word, end;

	if (plain[p] == ':' && redact_is_digit(plain[p + 1]))
		for (p++; redact_is_digit(plain[p]); p++)
			;
	if (plain[p] != '\0' && strchr("/?#", plain[p]) != NULL)
		p += strcspn(plain + p, " ");
	while (p > start && strchr(".,;:!?)]}>'\"", plain[p - 1]) != NULL)
		p--;
	for (;;) {
		word = skip_blanks(plain, p);
		end = redact_word_end(plain, word);
		if (word == p || !redact_is_one_of(plain, word, end, slashes))
			return p;
		word = skip_blanks(plain, end);
		if ((end = label_end(plain, word)) == word)
			return p;
		p = end;
	}
}

/* Whether the label from p to end, after such a dot, ends a host whose first
 * label is from first to first_end. */
static bool
is_domain(const char *plain, size_t p, size_t end, enum dot dot, size_t first,
    size_t first_end)
{
	static const char *const ending[] = { "com", "org", NULL };
	static const char *const www[] = { "www", NULL };
	size_t i;

	if (redact_is_one_of(plain, first, first_end, www) && dot == DOT_PLAIN)
		return true;
	if (dot == DOT_ENDING)
		return redact_is_one_of(plain, p, end, ending);
	if (dot == DOT_POINT)
		return redact_is_one_of(plain, p, end, after_point);
	if (redact_is_one_of(plain, p, end, domains))
		return true;
	if (!redact_is_one_of(plain, p, end, wordy))
		return false;
	if (dot == DOT_BOXED || path_end(plain, end) > end)
		return true;
	for (i = first; i < first_end && has_letter(plain, first, first_end);
	     i++)
		if (!redact_is_letter(plain[i]))
			return true;
	return plain[p] == 'm' && plain[p + 1] == 'e' &&
	       redact_is_one_of(plain, first, first_end, chats);
}

/* Returns the end of the host that begins at p, without its path; 0 if none
 * does. sure: what stands before says that it is one. */
static size_t
host_end(const char *plain, size_t p, bool sure)
{
	size_t first_end = label_end(plain, p), end = 0, at, next;
	enum dot dot;
	int labels;

	at = first_end;
	if (at == p)
		return 0;
	if (sure && has_letter(plain, p, at))
		end = at;
	for (labels = 1; labels < LABELS_MAX; labels++) {
		if ((dot = read_dot(plain, at, &next)) == DOT_NONE)
			break;
		at = label_end(plain, next);
		if ((sure && dot == DOT_PLAIN) ||
		    is_domain(plain, next, at, dot, p, first_end))
			end = at;
		else if (dot == DOT_SPACED || dot == DOT_ENDING)
			break;
	}
	return end;
}

/* Hides the link that begins at p, if one does; returns where to go on. */
static size_t
hide_link(const struct redact_text *text, size_t p)
{
	const char *plain = text->plain;
	size_t start = p, end;

	end = redact_word_end(plain, p);
	if (end > p && strncmp(plain + end, "://", 3) == 0 &&
	    is_label(plain[end + 3])) {
		p = end + 3;
		p += strcspn(plain + p, " ");
		while (strchr(".,;:!?)]}>'\"", plain[p - 1]) != NULL)
			p--;
		redact_hide(text, start, p);
		return p;
	}
	if ((end = host_end(plain, p, false)) == 0)
		return label_end(plain, p);
	end = path_end(plain, end);
	redact_hide(text, start, end);
	return end;
}

/* Returns where the local part begins that ends at p, p if there is none.
 * loose: parts of it may be joined by words. */
static size_t
local_start(const char *plain, size_t p, bool loose)
{
	size_t start = p, word, end;

	for (;;) {
		while (start > 0 && is_local(plain[start - 1]))
			start--;
		if (!loose || start == p)
			return start;
		/* Before it: a label, a word that joins, blanks. */
		end = skip_blanks_back(plain, start);
		for (word = end; word > 0 && redact_is_letter(plain[word - 1]);)
			word--;
		if (end == start || !redact_is_one_of(plain, word, end, joints))
			return start;
		end = skip_blanks_back(plain, word);
		if (end == word || end == 0 || !is_local(plain[end - 1]))
			return start;
		start = end;
	}
}

/* Reads the at sign that begins at p, up to *end. *spelled: not as the bare
 * sign. */
static bool
read_at(const char *plain, size_t p, size_t *end, bool *spelled)
{
	*spelled = plain[p] != '@';
	*end = p + 1;
	if (!*spelled || (*end = boxed_end(plain, p, '@', ats)) != 0)
		return true;
	*end = redact_word_end(plain, p);
	return p > 0 && plain[p - 1] == ' ' && plain[*end] == ' ' &&
	       redact_is_one_of(plain, p, *end, ats);
}

/* Hides the address whose at sign begins at p, if one does. */
static void
hide_address(const struct redact_text *text, size_t p)
{
	const char *plain = text->plain;
	size_t local_end, start, domain, label, end;
	bool spelled, sure;

	if (!read_at(plain, p, &domain, &spelled))
		return;
	local_end = skip_blanks_back(plain, p);
	/* Close on both sides, or in brackets, it can be nothing else. */
	sure = spelled ? !redact_is_letter(plain[p])
		       : local_end == p && plain[domain] != ' ';
	domain = skip_blanks(plain, domain);
	start = local_start(plain, local_end, spelled);
	if (start == local_end)
		return;
	label = label_end(plain, domain);
	end = host_end(plain, domain, sure);
	if (end == 0 && redact_is_one_of(plain, domain, label, providers))
		end = label;
	if (end != 0)
		redact_hide(text, start, end);
}

void
redact_addresses(const struct redact_text *text)
{
	const char *plain = text->plain;
	size_t p;

	for (p = 0; p < text->len;)
		if (is_label(plain[p]))
			p = hide_link(text, p);
		else
			p++;
	for (p = 0; p < text->len; p++)
		if (p == 0 || !redact_is_letter(plain[p]) ||
		    !redact_is_letter(plain[p - 1]))
			hide_address(text, p);
}
