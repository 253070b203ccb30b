/* Phone numbers in a plain text: runs of digits, however they are written. */

#include "redact_text.h"

/* Fewer digits in a run are no phone number. */
#define DIGITS_MIN 7
/* Most characters, joining words included, between two digits of a run. */
#define GAP_MAX 10

/* Words that are digits, longest first where one begins another. "und" joins
 * others in German compounds; those below 0 repeat what follows. */
static const struct word {
	const char *word;
	int digits;
} words[] = {
	{ "quadruple", -3 },
	{ "doppelt", -1 },
	{ "doppel", -1 },
	{ "double", -1 },
	{ "triple", -2 },
	{ "treble", -2 },
	{ "seventeen", 2 },
	{ "thirteen", 2 },
	{ "fourteen", 2 },
	{ "eighteen", 2 },
	{ "nineteen", 2 },
	{ "fifteen", 2 },
	{ "sixteen", 2 },
	{ "quatorze", 2 },
	{ "dreissig", 1 },
	{ "cinquante", 1 },
	{ "soixante", 1 },
	{ "septante", 1 },
	{ "quarante", 1 },
	{ "huitante", 1 },
	{ "octante", 1 },
	{ "nonante", 1 },
	{ "hundred", 2 },
	{ "hundert", 2 },
	{ "zwanzig", 1 },
	{ "dreisig", 1 },
	{ "vierzig", 1 },
	{ "fuenfzig", 1 },
	{ "funfzig", 1 },
	{ "sechzig", 1 },
	{ "siebzig", 1 },
	{ "achtzig", 1 },
	{ "neunzig", 1 },
	{ "seventy", 1 },
	{ "quinze", 2 },
	{ "treize", 2 },
	{ "trente", 1 },
	{ "vingts", 1 },
	{ "eleven", 2 },
	{ "twelve", 2 },
	{ "zwoelf", 2 },
	{ "twenty", 1 },
	{ "thirty", 1 },
	{ "fourty", 1 },
	{ "eighty", 1 },
	{ "ninety", 1 },
	{ "nought", 1 },
	{ "naught", 1 },
	{ "quatre", 1 },
	{ "sieben", 1 },
	{ "vingt", 1 },
	{ "seize", 2 },
	{ "douze", 2 },
	{ "zwolf", 2 },
	{ "forty", 1 },
	{ "fifty", 1 },
	{ "sixty", 1 },
	{ "three", 1 },
	{ "seven", 1 },
	{ "eight", 1 },
	{ "sechs", 1 },
	{ "fuenf", 1 },
	{ "trois", 1 },
	{ "onze", 2 },
	{ "zehn", 2 },
	{ "cent", 2 },
	{ "zero", 1 },
	{ "four", 1 },
	{ "five", 1 },
	{ "nine", 1 },
	{ "null", 1 },
	{ "eins", 1 },
	{ "zwei", 1 },
	{ "drei", 1 },
	{ "vier", 1 },
	{ "funf", 1 },
	{ "sech", 1 },
	{ "sieb", 1 },
	{ "acht", 1 },
	{ "neun", 1 },
	{ "deux", 1 },
	{ "cinq", 1 },
	{ "sept", 1 },
	{ "huit", 1 },
	{ "neuf", 1 },
	{ "nil", 1 },
	{ "one", 1 },
	{ "two", 1 },
	{ "six", 1 },
	{ "ten", 2 },
	{ "ein", 1 },
	{ "zwo", 1 },
	{ "elf", 2 },
	{ "dix", 2 },
	{ "und", 0 },
	{ "un", 1 },
	{ "oh", 1 },
	{ "o", 1 },
};

/* Words that may stand between digits. */
static const char *const joints[] = { "dash", "hyphen", "minus", "space", "dot",
	"point", "plus", "slash", "punkt", "strich", "bindestrich", "leer",
	"tiret", NULL };

static const char *const currencies[] = { "eur", "euro", "euros", "usd", "gbp",
	"chf", "cad", "dollar", "dollars", "franken", "francs", NULL };

/* A run of digits. */
struct run {
	size_t start, end;
	int digits;
};

/* A digit, or a word of some, in a run. */
struct unit {
	size_t end;
	int digits;
	bool closes; /* a run may end with it */
};

/* Reads letters from p to end that are number words and nothing else. */
static bool
read_words(const char *plain, size_t p, size_t end, struct unit *unit)
{
	const size_t count = sizeof words / sizeof words[0];
	size_t i, len;

	*unit = (struct unit){ .end = end };
	while (p < end) {
		for (i = 0; i < count; i++) {
			len = strlen(words[i].word);
			if (len <= end - p &&
			    memcmp(words[i].word, plain + p, len) == 0)
				break;
		}
		if (i == count)
			return false;
		unit->closes = words[i].digits > 0;
		unit->digits +=
		    unit->closes ? words[i].digits : -words[i].digits;
		p += len;
	}
	return unit->digits > 0;
}

/* Whether the letters from p to end are o, l or i in place of 0 and 1: few,
 * and right beside a digit. */
static bool
is_disguised(const char *plain, size_t p, size_t end)
{
	return end - p <= 3 && strspn(plain + p, "oli") >= end - p &&
	       ((p > 0 && redact_is_digit(plain[p - 1])) ||
		   redact_is_digit(plain[end]));
}

static bool
read_unit(const char *plain, size_t p, struct unit *unit)
{
	size_t end;

	if (redact_is_digit(plain[p])) {
		*unit = (struct unit){ p + 1, 1, true };
		return true;
	}
	if ((end = redact_word_end(plain, p)) == p)
		return false;
	if (is_disguised(plain, p, end)) {
		*unit = (struct unit){ end, (int)(end - p), true };
		return true;
	}
	return read_words(plain, p, end, unit);
}

/* Returns the end of what may stand between two digits, p if nothing does, 0
 * if it is too much. */
static size_t
skip_gap(const char *plain, size_t p)
{
	size_t start = p, end;

	for (;;) {
		p += strspn(plain + p, " .-_/()[]{}*~|,:;+'\"!\\^`=<>&#");
		end = redact_word_end(plain, p);
		if (end == p || p == start ||
		    !redact_is_one_of(plain, p, end, joints))
			break;
		p = end;
	}
	return p - start <= GAP_MAX ? p : 0;
}

/* Reads up to max digits at *p into *value; returns how many. */
static size_t
read_group(const char *plain, size_t *p, size_t max, int *value)
{
	size_t start = *p;

	for (*value = 0; *p - start < max && redact_is_digit(plain[*p]); (*p)++)
		*value = *value * 10 + plain[*p] - '0';
	return *p - start;
}

/* Whether the figures from p to end stand by themselves: digits joined to them
 * by one of signs would make them part of something else. */
static bool
stands_alone(const char *plain, size_t p, size_t end, const char *signs)
{
	if (p > 0 && redact_is_digit(plain[p - 1]))
		return false;
	if (p > 1 && strchr(signs, plain[p - 1]) != NULL &&
	    redact_is_digit(plain[p - 2]))
		return false;
	if (redact_is_digit(plain[end]))
		return false;
	return plain[end] == '\0' || strchr(signs, plain[end]) == NULL ||
	       !redact_is_digit(plain[end + 1]);
}

/* Whether three groups of so many digits are a date with its year: day and
 * month in either order, the year last or first. */
static bool
is_date(const size_t wide[3], const int value[3])
{
	int at = wide[0] == 4 ? 0 : 2, other = 2 - at;
	int year = value[at], day = value[1], month = value[other];

	if (wide[at] != 4 || wide[1] > 2 || wide[other] > 2)
		return false;
	if (month > 12) {
		day = value[other];
		month = value[1];
	}
	return year >= 1900 && year <= 2099 && month >= 1 && month <= 12 &&
	       day >= 1 && day <= 31;
}

/* Returns the end of the date that begins at p; 0 if none does. */
static size_t
date_end(const char *plain, size_t p)
{
	char sign[2] = "";
	size_t start = p, wide[3], i;
	int value[3];

	for (i = 0; i < 3; i++) {
		if (i == 1)
			sign[0] = plain[p];
		if (i > 0 && (sign[0] == '\0' || plain[p] != sign[0] ||
				 strchr("./-", plain[p++]) == NULL))
			return 0;
		if ((wide[i] = read_group(plain, &p, 4, &value[i])) == 0)
			return 0;
	}
	return stands_alone(plain, start, p, sign) && is_date(wide, value) ? p
									   : 0;
}

/* Returns the end of the time of day that begins at p; 0 if none does. */
static size_t
time_end(const char *plain, size_t p)
{
	size_t start = p;
	int hour, minute;

	if (read_group(plain, &p, 2, &hour) == 0 || hour > 24 ||
	    (plain[p] != ':' && plain[p] != '.'))
		return 0;
	p++;
	if (read_group(plain, &p, 2, &minute) != 2 || minute > 59)
		return 0;
	return stands_alone(plain, start, p, ":.") ? p : 0;
}

/* Whether a run is times of day, and next to nothing else. */
static bool
is_times(const char *plain, const struct run *run)
{
	int others = run->digits;
	size_t p = run->start, end;

	while (p < run->end) {
		if ((end = time_end(plain, p)) == 0) {
			p++;
			continue;
		}
		for (; p < end; p++)
			others -= redact_is_digit(plain[p]);
	}
	return others <= 2;
}

/* Whether a currency stands before p, or, if ahead, at p; a blank may part
 * them. */
static bool
is_priced(const char *plain, size_t p, bool ahead)
{
	size_t start;

	if (ahead) {
		p += plain[p] == ' ';
		return plain[p] == '$' ||
		       redact_is_one_of(
			   plain, p, redact_word_end(plain, p), currencies);
	}
	p -= p > 0 && plain[p - 1] == ' ';
	for (start = p; start > 0 && redact_is_letter(plain[start - 1]);)
		start--;
	return (p > 0 && plain[p - 1] == '$') ||
	       redact_is_one_of(plain, start, p, currencies);
}

/* Whether a run is an amount of money: grouped by thousands, with a
 * currency. */
static bool
is_amount(const char *plain, const struct run *run)
{
	size_t p = run->start;
	int ignored, groups = 0;
	char sign;

	if (!is_priced(plain, run->start, false) &&
	    !is_priced(plain, run->end, true))
		return false;
	if (read_group(plain, &p, 3, &ignored) == 0)
		return false;
	sign = plain[p];
	if (sign == '\0' || strchr(",.' ", sign) == NULL)
		return false;
	while (plain[p] == sign && p < run->end) {
		p++;
		if (read_group(plain, &p, 3, &ignored) != 3)
			return false;
		groups++;
	}
	if (p < run->end && (plain[p] == ',' || plain[p] == '.')) {
		p++;
		read_group(plain, &p, 2, &ignored);
	}
	return p == run->end && groups <= 2;
}

/* Whether a run is a house number before a postcode of five digits and a
 * place: "12, 10115 Berlin". */
static bool
is_address(const char *plain, const struct run *run)
{
	size_t p = run->start, gap;
	int ignored;

	if (plain[p] == '0' || read_group(plain, &p, 3, &ignored) == 0)
		return false;
	gap = strspn(plain + p, ", ");
	p += gap;
	return gap > 0 && read_group(plain, &p, 5, &ignored) == 5 &&
	       p == run->end && plain[p] == ' ' &&
	       redact_is_letter(plain[p + 1]);
}

/* Reads the run that begins at p; a date ends it. Its end is 0 if none
 * begins. Returns where to go on. */
static size_t
read_run(const char *plain, size_t p, struct run *run)
{
	struct unit unit;
	int digits = 0;
	size_t next;

	*run = (struct run){ .start = p };
	while (date_end(plain, p) == 0 && read_unit(plain, p, &unit)) {
		digits += unit.digits;
		p = unit.end;
		if (unit.closes) {
			run->end = p;
			run->digits = digits;
		}
		if ((next = skip_gap(plain, p)) == 0)
			break;
		p = next;
	}
	return p;
}

/* Takes the signs that belong to a number into its run: +, and ( if it has
 * the other. */
static void
widen(const char *plain, struct run *run)
{
	bool closed =
	    memchr(plain + run->start, ')', run->end - run->start) != NULL;
	size_t p = run->start;

	for (; p > 0; p--) {
		if (plain[p - 1] == '+' || (plain[p - 1] == '(' && closed))
			run->start = p - 1;
		else if (plain[p - 1] != ' ')
			break;
	}
}

void
redact_numbers(const struct redact_text *text)
{
	const char *plain = text->plain;
	size_t p = 0, next;
	struct run run;

	while (p < text->len) {
		if ((next = date_end(plain, p)) != 0) {
			p = next;
			continue;
		}
		next = read_run(plain, p, &run);
		if (run.digits >= DIGITS_MIN && !is_times(plain, &run) &&
		    !is_amount(plain, &run) && !is_address(plain, &run)) {
			widen(plain, &run);
			redact_hide(text, run.start, run.end);
		}
		if (next == p)
			next = redact_word_end(plain, p);
		p = next > p ? next : p + 1;
	}
}
