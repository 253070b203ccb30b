/* What is taken out of a text, and what stays. */

#include "test.h"

#include <stdlib.h>
#include <string.h>

#include "redact.h"
#include "utf8.h"

#define LENGTH(array) (sizeof array / sizeof array[0])

/* A text, and what is left of it; NULL: all of it. */
struct sample {
	const char *text, *left;
};

static void
check(const struct sample *samples, size_t len)
{
	const char *left;
	struct buf out;
	size_t i;
	int failed = 0;

	for (i = 0; i < len; i++) {
		buf_init(&out, 0);
		assert_int_equal(redact(&out, samples[i].text), RC_OK);
		left =
		    samples[i].left != NULL ? samples[i].left : samples[i].text;
		if (strcmp(buf_text(&out), left) != 0) {
			print_error("“%s” became “%s”, not “%s”\n",
			    samples[i].text, buf_text(&out), left);
			failed++;
		}
		buf_free(&out);
	}
	assert_int_equal(failed, 0);
}

static void
test_numbers_go(void **state)
{
	static const struct sample samples[] = {
		{ "+12025550147", "***" },
		{ "Call me: +1 202 555 0147!", "Call me: ***!" },
		{ "call 2025550147 now", "call *** now" },
		{ "555-0147", "***" },
		{ "(202) 555-0147", "***" },
		{ "+1 (202) 555.0147", "***" },
		{ "my no. is 202.555.0147.", "my no. is ***." },
		{ "202/555/0147", "***" },
		{ "2 0 2 5 5 5 0 1 4 7", "***" },
		{ "2-0-2-5-5-5-0-1-4-7", "***" },
		{ "2.0.2.5.5.5.0.1.4.7", "***" },
		{ "2,0,2,5,5,5,0,1,4,7", "***" },
		{ "[202] {555} *0147*", "[***"
					"*" },
		{ "20 25 55 01 47", "***" },
		{ "06.12.34.56.78", "***" },
		{ "202\n555\n0147", "***" },
		{ "202_555_0147", "***" },
		{ "~202~555~0147~", "~***~" },
		{ "00 1 202 555 0147", "***" },
		{ "tel:+12025550147", "tel:***" },
		{ "a 2025550147 b 2025550123 c", "a *** b *** c" },
		{ "abc2025550147def", "abc***def" },
		{ "(call 2025550147)", "(call ***)" },
		/* Spelled out, in three languages, and mixed. */
		{ "two zero two five five five zero one four seven", "***" },
		{ "Two-oh-two, five-five-five, oh-one-four-seven", "***" },
		{ "it is 2 zero 2 five 5 five 0 one 4 seven ok",
		    "it is *** ok" },
		{ "5 five 5 0147", "***" },
		{ "double five five, zero one four seven", "***" },
		{ "2 0 2 triple 5 0 1 4 7", "***" },
		{ "two o two five five five o one four seven", "***" },
		{ "fivefivefive zero onefourseven", "***" },
		{ "202 five hundred fifty-five 0147", "***" },
		{ "202 dash 555 dash 0147", "***" },
		{ "202 dot 555 dot 0147", "***" },
		{ "null drei null eins zwei drei vier", "***" },
		{ "zwei null zwei fünf fünf fünf null eins vier sieben",
		    "***" },
		{ "zwanzig fünfundzwanzig 55 vierzehn 70", "***" },
		{ "doppelfünf fünf null eins vier sieben", "***" },
		{ "zéro six douze trente-quatre cinquante-six 78", "***" },
		{ "deux zéro deux cinq cinq cinq zéro un quatre sept", "***" },
		/* Other digits. */
		{ "２０２５５５０１４７", "***" },
		{ "2０2 5５5 0１4７", "***" },
		{ "٢٠٢٥٥٥٠١٤٧", "***" },
		{ "۲۰۲۵۵۵۰۱۴۷", "***" },
		{ "२०२५५५०१४७", "***" },
		{ "๒๐๒๕๕๕๐๑๔๗", "***" },
		{ "²⁰²⁵⁵⁵⁰¹⁴⁷", "***" },
		{ "₂₀₂₅₅₅₀₁₄₇", "***" },
		{ "②⓪②⑤⑤⑤⓪①④⑦", "***" },
		{ "❷❺❺❺❶❹❼", "***" },
		{ "𝟐𝟎𝟐𝟓𝟓𝟓𝟎𝟏𝟒𝟕", "***" },
		{ "𝟮𝟬𝟮𝟱𝟱𝟱𝟬𝟭𝟰𝟳", "***" },
		{ "2️⃣0️⃣2️⃣5️⃣5️⃣5️⃣0️⃣1️⃣4️"
		  "⃣"
		  "7"
		  "️"
		  "⃣",
		    "***" },
		{ "二〇二五五五〇一四七", "***" },
		{ "𝓯𝓲𝓿𝓮 ｆｉｖｅ five 0 1 4 7", "***" },
		/* Letters in place of digits. */
		{ "2O2 555 O147", "***" },
		{ "202 555 0l47", "***" },
		/* Signs and invisible characters between. */
		{ "202\u2013555\u20140147", "***" },
		{ "202\u00a0555\u20090147", "***" },
		{ "202\u200b555\u200d0147", "***" },
		{ "2\u03010\u03012\u03015550147", "***" },
		{ "202·555·0147", "***" },
		{ "202•555•0147", "***" },
		{ "📞202☎555📱0147", "📞***" },
		{ "202…555…0147", "***" },
		/* Dates and times do not shield a number. */
		{ "22.11.2026 2025550147", "22.11.2026 ***" },
		{ "at 14:30 2025550147", "at ***" },
		{ "2025550147 22.11.2026", "*** 22.11.2026" },
		{ "555 01:23", "***" },
		{ "20:25 55:01 47", "***" },
		{ "20.25.55.01.47", "***" },
		{ "$2025550147", "$***" },
		{ "2025550147 EUR", "*** EUR" },
		{ "$12,025,550,147", "$***" },
		{ "12,025,550", "***" },
		{ "030, 12345 Berlin", "*** Berlin" },
		{ "202, 555, 0147", "***" },
	};

	(void)state;
	check(samples, LENGTH(samples));
}

static void
test_addresses_go(void **state)
{
	static const struct sample samples[] = {
		{ "anna@example.com", "***" },
		{ "Write to Anna.B+x@mail.example.co.uk.", "Write to ***." },
		{ "<anna@example.com>", "<***>" },
		{ "mailto:anna@example.com", "mailto:***" },
		{ "anna@gmail", "***" },
		{ "anna@müller.de", "***" },
		{ "anna＠gmail．com", "***" },
		{ "anna@mein-laden.at", "***" },
		{ "anna @ gmail.com", "***" },
		{ "anna@ gmail . com", "***" },
		{ "anna at gmail dot com", "***" },
		{ "anna AT gmail DOT com", "***" },
		{ "mail anna at gmail.com please", "mail *** please" },
		{ "anna dot b at gmail dot com", "***" },
		{ "anna underscore b at gmail dot co dot uk", "***" },
		{ "anna(at)gmail(dot)com", "***" },
		{ "anna [at] gmail [dot] com", "***" },
		{ "anna {at} gmail {.} com", "***" },
		{ "anna(@)example.org", "***" },
		{ "anna at gmail", "***" },
		{ "anna at example dot com", "***" },
		{ "anna ät gmx punkt de", "***" },
		{ "anna arobase gmail point com", "***" },
		{ "𝗮𝗻𝗻𝗮@𝗴𝗺𝗮𝗶𝗹.𝗰𝗼𝗺", "***" },
		{ "an\u200bna@gm\u200bail.com", "***" },
		{ "a@b.c", "***" },
	};

	(void)state;
	check(samples, LENGTH(samples));
}

static void
test_links_go(void **state)
{
	static const struct sample samples[] = {
		{ "https://example.com/a?b=c#d", "***" },
		{ "see http://example.com.", "see ***." },
		{ "(https://example.com/x)", "(***)" },
		{ "HTTPS://EXAMPLE.COM", "***" },
		{ "ftp://x/y z", "*** z" },
		{ "tg://resolve?domain=anna", "***" },
		{ "www.example.com", "***" },
		{ "www.example.museum", "***" },
		{ "example.com", "***" },
		{ "go to example.com, then", "go to ***, then" },
		{ "mein-laden.de/anna", "***" },
		{ "foo.co.uk:8080/x", "***" },
		{ "wa.me/12025550147", "***" },
		{ "wa.me", "***" },
		{ "t.me/anna", "***" },
		{ "T.ME", "***" },
		{ "bit.ly/3abc", "***" },
		{ "youtu.be/abc", "***" },
		{ "linktr.ee.example.net", "***" },
		{ "example dot com", "***" },
		{ "example(dot)com", "***" },
		{ "example [.] com", "***" },
		{ "example .com", "***" },
		{ "example . com", "***" },
		{ "example. com", "***" },
		{ "example dot com slash anna", "***" },
		{ "t dot me slash anna", "***" },
		{ "exemple point fr", "***" },
		{ "ｅｘａｍｐｌｅ．ｃｏｍ", "***" },
		{ "example。com", "***" },
		{ "ⓔⓧⓐⓜⓟⓛⓔ.ⓒⓞⓜ", "***" },
		{ "müller.de", "***" },
		{ "пример.com", "***" },
		{ "shop-24.at", "***" },
		{ "goto example.it/menu", "goto ***" },
	};

	(void)state;
	check(samples, LENGTH(samples));
}

static void
test_the_rest_stays(void **state)
{
	static const struct sample samples[] = {
		{ "", NULL },
		{ " ", NULL },
		{ "I am here", NULL },
		{ "Grüße, ça va? 👍🏽 نعم 是的", NULL },
		/* Times and dates. */
		{ "I'll be there at 14:30", NULL },
		{ "between 14:30 and 15:45 or 16:15", NULL },
		{ "14:30, 15:30, 16:30", NULL },
		{ "Mon 10:00-12:00, 14:00-16:30", NULL },
		{ "zwischen 8.30 - 9.15, 10.00 - 11.30 Uhr", NULL },
		{ "22.11.2026", NULL },
		{ "on 2026-11-22, 14:30", NULL },
		{ "11/22/2026 5 pm", NULL },
		{ "22.11. 14:30-15:30", NULL },
		{ "2026-11-22T14:30:00Z", NULL },
		{ "1.12.2026-3.12.2026", NULL },
		{ "20h30 ou 21h15", NULL },
		/* Money. */
		{ "$20", NULL },
		{ "it is 12.50 or 13.80", NULL },
		{ "$1,250,000", NULL },
		{ "1.250.000 EUR", NULL },
		{ "€ 1.250.000,50", NULL },
		{ "1 250 000 €", NULL },
		{ "$20 $30 $40 $50", NULL },
		{ "20% 30% 40% 50%", NULL },
		/* Houses, rooms, codes. */
		{ "1600 Pennsylvania Ave, Washington, DC 20500", NULL },
		{ "Hauptstr. 12, 10115 Berlin", NULL },
		{ "Hauptstr. 112\n10115 Berlin", NULL },
		{ "Flat 4, 22 High St, SW1A 1AA", NULL },
		{ "12 rue de la Paix, 75002 Paris", NULL },
		{ "code 482113", NULL },
		{ "the code is 4-8-2-1-1-3", NULL },
		{ "gate 12, 3rd floor, room 1204", NULL },
		{ "rooms 101, 102", NULL },
		{ "text STOP to 72345", NULL },
		{ "call 911 or 112", NULL },
		{ "plate AB 123 CD", NULL },
		{ "iPhone 14 Pro, 256 GB", NULL },
		{ "1.2.3.4", NULL },
		{ "three or four minutes", NULL },
		{ "one two three, testing", NULL },
		{ "six of one, half a dozen of the other", NULL },
		{ "Ein Moment, ich bin in fünf Minuten da", NULL },
		{ "un deux trois", NULL },
		{ "often someone alone at noon", NULL },
		/* What only looks like an address. */
		{ "see you @ 5", NULL },
		{ "I am @ the station", NULL },
		{ "I am @home", NULL },
		{ "meet me at the gate. It is red.", NULL },
		{ "I'm here.it is raining", NULL },
		{ "ok.in 5 min", NULL },
		{ "yes.no.maybe", NULL },
		{ "Wait. Me too", NULL },
		{ "Thanks. Net price?", NULL },
		{ "e.g. this, i.e. that, 5 p.m.", NULL },
		{ "U.S. and St.James", NULL },
		{ "file.pdf", NULL },
		{ "...", NULL },
		{ "at dot", NULL },
		{ "le point de rencontre", NULL },
		{ "the red dot on the map", NULL },
		{ "and/or", NULL },
		{ "km/h", NULL },
		{ "a://", NULL },
		/* Stop words are words. */
		{ "cancel", NULL },
		{ "STOP", NULL },
	};

	(void)state;
	check(samples, LENGTH(samples));
}

/* Whatever comes, what is left is well-formed and not longer, and holds neither
 * of two things it must not. */
static void
test_any_text(void **state)
{
	static const char *const bits[] = { "5", "55", "0147", "five", "double",
		" ", ".", "@", "at", "dot", "com", "me", "www", "://", "/", "(",
		")", "ü", "５", "\u200b", "+", "$", ":30", "2026", "-", "slash",
		"anna", ",", "👍", "x" };
	struct buf once;
	char text[256];
	size_t len;
	int i, k;

	(void)state;
	srand(1);
	for (i = 0; i < 20000; i++) {
		text[0] = '\0';
		for (k = rand() % 20; k >= 0; k--)
			strcat(text, bits[(size_t)rand() % LENGTH(bits)]);
		buf_init(&once, 0);
		assert_int_equal(redact(&once, text), RC_OK);
		assert_true(utf8_valid(buf_text(&once)));
		len = strlen(text);
		if (once.len > len)
			fail_msg("“%s” became “%s”", text, buf_text(&once));
		if (strstr(buf_text(&once), "5550147") != NULL ||
		    strstr(buf_text(&once), "@anna.com") != NULL)
			fail_msg("“%s” became “%s”", text, buf_text(&once));
		buf_free(&once);
	}
}

/* The longest texts, of what is dearest to look at. */
static void
test_long_texts(void **state)
{
	static const char *const bits[] = { "a.", "a@", "at ", "dot ", "x dot ",
		"1 ", "12 x", "five", "slash ", "a.me/", "(", "me.", "+ ",
		"1.1.", "://", "o" };
	struct buf text, out;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(bits); i++) {
		buf_init(&text, 0);
		buf_init(&out, 0);
		while (text.len < 6400)
			buf_puts(&text, bits[i]);
		assert_int_equal(redact(&out, buf_text(&text)), RC_OK);
		assert_true(out.len <= text.len);
		buf_free(&text);
		buf_free(&out);
	}
}

static void
test_full_buffer(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, 4);
	assert_int_equal(redact(&out, "abcdefgh"), RC_MEMORY);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_go),
		cmocka_unit_test(test_addresses_go),
		cmocka_unit_test(test_links_go),
		cmocka_unit_test(test_the_rest_stays),
		cmocka_unit_test(test_any_text),
		cmocka_unit_test(test_long_texts),
		cmocka_unit_test(test_full_buffer),
	};

	return cmocka_run_group_tests_name("redact", tests, NULL, NULL);
}
