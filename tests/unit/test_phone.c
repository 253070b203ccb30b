/*
 * Phone numbers: form, redaction, country, withheld callers.
 *
 * Complete numbers are from ranges set aside for fiction: 555-0100 to 0199 in
 * +1, Ofcom's 07700 900000 to 900999, ACMA's 0491 570 000 to 999, Arcep's
 * 01 99 00 00 00 to 99 99, the Bundesnetzagentur's 030 23125 000 to 999, PTS's
 * 031-390 06 00 to 99. All others are a prefix and zeros up to 15 digits,
 * longer than any number there.
 */

#include "test.h"

#include <stdio.h>
#include <string.h>

#include "phone.h"

#define LENGTH(array) (sizeof array / sizeof array[0])

/*
 * The table once more, by country instead of by prefix: a row that is missing,
 * wrong or out of order in one shows against the other.
 */
static const struct {
	const char *country;
	const char *prefixes; /* with calling code, blank-separated */
} countries[] = {
	/* Sorted. */
	{ "AD", "376" }, { "AE", "971" }, { "AF", "93" }, { "AG", "1268" },
	{ "AI", "1264" }, { "AL", "355" }, { "AM", "374" }, { "AO", "244" },
	{ "AQ", "6721" }, { "AR", "54" }, { "AS", "1684" }, { "AT", "43" },
	{ "AU", "61" }, { "AW", "297" }, { "AX", "35818" }, { "AZ", "994" },
	{ "BA", "387" }, { "BB", "1246" }, { "BD", "880" }, { "BE", "32" },
	{ "BF", "226" }, { "BG", "359" }, { "BH", "973" }, { "BI", "257" },
	{ "BJ", "229" }, { "BM", "1441" }, { "BN", "673" }, { "BO", "591" },
	{ "BQ", "5993 5994 5997" }, { "BR", "55" }, { "BS", "1242" },
	{ "BT", "975" }, { "BW", "267" }, { "BY", "375" }, { "BZ", "501" },
	{ "CC", "6189162" }, { "CD", "243" }, { "CF", "236" }, { "CG", "242" },
	{ "CH", "41" }, { "CI", "225" }, { "CK", "682" }, { "CL", "56" },
	{ "CM", "237" }, { "CN", "86" }, { "CO", "57" }, { "CR", "506" },
	{ "CU", "53" }, { "CV", "238" }, { "CW", "5999" }, { "CX", "6189164" },
	{ "CY", "357" }, { "CZ", "420" }, { "DE", "49" }, { "DJ", "253" },
	{ "DK", "45" }, { "DM", "1767" }, { "DO", "1809 1829 1849" },
	{ "DZ", "213" }, { "EC", "593" }, { "EE", "372" }, { "EG", "20" },
	{ "ER", "291" }, { "ES", "34" }, { "ET", "251" }, { "FI", "358" },
	{ "FJ", "679" }, { "FK", "500" }, { "FM", "691" }, { "FO", "298" },
	{ "FR", "33" }, { "GA", "241" }, { "GB", "44" }, { "GD", "1473" },
	{ "GE", "995" }, { "GF", "594" },
	{ "GG", "441481 447781 447839 4479111 4479117" }, { "GH", "233" },
	{ "GI", "350" }, { "GL", "299" }, { "GM", "220" }, { "GN", "224" },
	{ "GP", "590" }, { "GQ", "240" }, { "GR", "30" }, { "GT", "502" },
	{ "GU", "1671" }, { "GW", "245" }, { "GY", "592" }, { "HK", "852" },
	{ "HN", "504" }, { "HR", "385" }, { "HT", "509" }, { "HU", "36" },
	{ "ID", "62" }, { "IE", "353" }, { "IL", "972" },
	{ "IM", "441624 4474576 447524 447624 447924" }, { "IN", "91" },
	{ "IO", "246" }, { "IQ", "964" }, { "IR", "98" }, { "IS", "354" },
	{ "IT", "39" },
	{ "JE", "441534 447509 4477003 4477007 4477008 447797 447829 447937" },
	{ "JM", "1658 1876" }, { "JO", "962" }, { "JP", "81" }, { "KE", "254" },
	{ "KG", "996" }, { "KH", "855" }, { "KI", "686" }, { "KM", "269" },
	{ "KN", "1869" }, { "KP", "850" }, { "KR", "82" }, { "KW", "965" },
	{ "KY", "1345" }, { "KZ", "76 77" }, { "LA", "856" }, { "LB", "961" },
	{ "LC", "1758" }, { "LI", "423" }, { "LK", "94" }, { "LR", "231" },
	{ "LS", "266" }, { "LT", "370" }, { "LU", "352" }, { "LV", "371" },
	{ "LY", "218" }, { "MA", "212" }, { "MC", "377" }, { "MD", "373" },
	{ "ME", "382" }, { "MG", "261" }, { "MH", "692" }, { "MK", "389" },
	{ "ML", "223" }, { "MM", "95" }, { "MN", "976" }, { "MO", "853" },
	{ "MP", "1670" }, { "MQ", "596" }, { "MR", "222" }, { "MS", "1664" },
	{ "MT", "356" }, { "MU", "230" }, { "MV", "960" }, { "MW", "265" },
	{ "MX", "52" }, { "MY", "60" }, { "MZ", "258" }, { "NA", "264" },
	{ "NC", "687" }, { "NE", "227" }, { "NF", "6723" }, { "NG", "234" },
	{ "NI", "505" }, { "NL", "31" }, { "NO", "47" }, { "NP", "977" },
	{ "NR", "674" }, { "NU", "683" }, { "NZ", "64" }, { "OM", "968" },
	{ "PA", "507" }, { "PE", "51" }, { "PF", "689" }, { "PG", "675" },
	{ "PH", "63" }, { "PK", "92" }, { "PL", "48" }, { "PM", "508" },
	{ "PR", "1787 1939" }, { "PS", "970" }, { "PT", "351" },
	{ "PW", "680" }, { "PY", "595" }, { "QA", "974" }, { "RE", "262" },
	{ "RO", "40" }, { "RS", "381" }, { "RU", "7" }, { "RW", "250" },
	{ "SA", "966" }, { "SB", "677" }, { "SC", "248" }, { "SD", "249" },
	{ "SE", "46" }, { "SG", "65" }, { "SH", "247 290" }, { "SI", "386" },
	{ "SJ", "4779" }, { "SK", "421" }, { "SL", "232" },
	{ "SM", "378 390549" }, { "SN", "221" }, { "SO", "252" },
	{ "SR", "597" }, { "SS", "211" }, { "ST", "239" }, { "SV", "503" },
	{ "SX", "1721" }, { "SY", "963" }, { "SZ", "268" }, { "TC", "1649" },
	{ "TD", "235" }, { "TG", "228" }, { "TH", "66" }, { "TJ", "992" },
	{ "TK", "690" }, { "TL", "670" }, { "TM", "993" }, { "TN", "216" },
	{ "TO", "676" }, { "TR", "90" }, { "TT", "1868" }, { "TV", "688" },
	{ "TW", "886" }, { "TZ", "255" }, { "UA", "380" }, { "UG", "256" },
	{ "UY", "598" }, { "UZ", "998" }, { "VA", "379 3906698" },
	{ "VC", "1784" }, { "VE", "58" }, { "VG", "1284" }, { "VI", "1340" },
	{ "VN", "84" }, { "VU", "678" }, { "WF", "681" }, { "WS", "685" },
	{ "XK", "383" }, { "YE", "967" },
	{ "YT", "262269 262639 2622689 2629398" }, { "ZA", "27" },
	{ "ZM", "260" }, { "ZW", "263" }
};

/* Area codes of +1, by state. The states' names match no digits. */
static const char us_areas[] =
    "AL 205 251 256 334 483 659 938 AK 907 AZ 480 520 602 623 928 AR "
    "327 479 501 870 CA 209 213 279 310 323 341 350 357 369 408 415 424 "
    "442 510 530 559 562 619 626 628 650 657 661 669 707 714 738 747 "
    "760 805 818 820 831 837 840 858 909 916 925 949 951 CO 303 719 720 "
    "748 970 983 CT 203 475 860 959 DE 302 DC 202 771 FL 239 305 321 "
    "324 352 386 407 448 561 645 656 689 727 728 754 772 786 813 850 "
    "863 904 941 954 GA 229 404 470 478 565 678 706 762 770 912 943 HI "
    "808 ID 208 986 IL 217 224 309 312 331 447 464 618 630 708 730 773 "
    "779 815 847 861 872 IN 219 260 317 463 574 765 812 930 IA 319 515 "
    "563 641 712 KS 316 620 785 913 KY 270 364 502 606 859 LA 225 318 "
    "337 457 504 985 ME 207 MD 227 240 301 410 443 667 MA 339 351 413 "
    "508 617 774 781 857 978 MI 231 248 269 313 517 586 616 679 734 810 "
    "906 947 989 MN 218 320 507 612 651 763 924 952 MS 228 471 601 662 "
    "769 MO 235 314 417 557 573 636 660 816 975 MT 406 NE 308 402 531 "
    "NV 702 725 775 NH 603 NJ 201 551 609 640 732 848 856 862 908 973 "
    "NM 505 575 NY 212 315 329 332 347 363 465 516 518 585 607 624 631 "
    "646 680 716 718 838 845 914 917 929 934 NC 252 336 472 704 743 828 "
    "910 919 980 984 ND 701 OH 216 220 234 283 326 330 380 419 436 440 "
    "513 567 614 740 937 OK 405 539 572 580 918 OR 458 503 541 971 PA "
    "215 223 267 272 412 445 484 570 582 610 717 724 814 835 878 RI 401 "
    "SC 803 821 839 843 854 864 SD 605 TN 423 615 629 729 731 865 901 "
    "931 TX 210 214 254 281 325 346 361 409 430 432 469 512 621 682 713 "
    "726 737 806 817 830 832 903 915 936 940 945 956 972 979 UT 385 435 "
    "801 VT 802 VA 276 434 540 571 686 703 757 804 826 948 WA 206 253 "
    "360 425 509 564 WV 304 681 WI 262 274 353 414 534 608 715 920 WY "
    "307 ";

static const char ca_areas[] =
    "204 226 236 249 250 257 263 273 289 306 343 354 365 367 368 382 "
    "403 416 418 428 431 437 438 450 468 474 506 514 519 548 579 581 "
    "584 587 604 613 639 647 672 683 705 709 742 753 778 780 782 807 "
    "819 825 867 873 879 902 905 942 ";

/* Fills out with plus, prefix and zeros up to 15 digits, and returns it. */
static const char *
pad(const char *prefix, char out[PHONE_SIZE])
{
	strcpy(out, "+000000000000000");
	memcpy(out + 1, prefix, strlen(prefix));
	return out;
}

/* Returns the length of the longest word of list that digits begin with. */
static size_t
longest(const char *list, const char *digits)
{
	size_t best, len;

	best = 0;
	for (; *list != '\0'; list += len + strspn(list + len, " ")) {
		len = strcspn(list, " ");
		if (len > best && strncmp(list, digits, len) == 0)
			best = len;
	}
	return best;
}

/* Returns the country that the lists above name for digits. */
static const char *
expect(const char *digits)
{
	const char *country;
	size_t best, i, len;

	if (digits[0] == '1' && longest(us_areas, digits + 1) > 0)
		return "US";
	if (digits[0] == '1' && longest(ca_areas, digits + 1) > 0)
		return "CA";
	country = "";
	best = 0;
	for (i = 0; i < LENGTH(countries); i++) {
		len = longest(countries[i].prefixes, digits);
		if (len > best) {
			best = len;
			country = countries[i].country;
		}
	}
	return country;
}

static void
check_country(const char *phone, const char *country)
{
	if (strcmp(phone_country(phone), country) != 0)
		fail_msg(
		    "%s is not of \"%s\"", phone == NULL ? "" : phone, country);
}

static void
check_prefix(const char *prefix, const char *country)
{
	char phone[PHONE_SIZE];

	check_country(pad(prefix, phone), country);
}

static void
check_caller(const char *from, enum phone_caller caller)
{
	if (phone_caller(from) != caller)
		fail_msg("\"%s\" is not %d", from == NULL ? "" : from, caller);
}

static void
check_redacted(const char *phone, const char *redacted)
{
	char out[PHONE_REDACTED_SIZE];

	assert_ptr_equal(phone_redact(phone, out), out);
	assert_string_equal(out, redacted);
}

static void
test_valid_accepts_e164(void **state)
{
	(void)state;
	assert_true(phone_valid("+12025550147"));
	assert_true(phone_valid("+447700900123"));
	assert_true(phone_valid("+61491570006"));
	assert_true(phone_valid("+33199000000"));
	assert_true(phone_valid("+493023125000"));
	assert_true(phone_valid("+46313900600"));
	assert_true(phone_valid("+9000000"));         /* 7 digits */
	assert_true(phone_valid("+900000000000000")); /* 15 digits */
}

static void
test_valid_refuses_lengths(void **state)
{
	(void)state;
	assert_false(phone_valid(""));
	assert_false(phone_valid("+"));
	assert_false(phone_valid("+1"));
	assert_false(phone_valid("+900000"));           /* 6 digits */
	assert_false(phone_valid("+9000000000000000")); /* 16 digits */
	assert_false(phone_valid("+90000000000000000000000000000000000000"));
}

static void
test_valid_refuses_forms(void **state)
{
	static const char *const forms[] = { "12025550147", "0012025550147",
		"+02025550147", "++12025550147", "+1202555014+",
		"+1 2025550147", "+1-202-555-0147", "+1(202)5550147",
		"+1.202.555.0147", " +12025550147", "+12025550147 ",
		"+12025550147\n", "+12025550147\r\n", "\t+12025550147",
		"+1202555o147", "+1202555014x", "+12025550147;ext=1",
		"+12025550147,,1#", "tel:+12025550147",
		"sip:+12025550147@example.com", "client:+12025550147",
		"%2B12025550147", "-12025550147", "+-12025550147",
		"+1\331\242025550147", "\357\274\21312025550147",
		"+1\3772025550147", "anonymous" };
	size_t i;

	(void)state;
	assert_false(phone_valid(NULL));
	for (i = 0; i < LENGTH(forms); i++)
		if (phone_valid(forms[i]))
			fail_msg("\"%s\" passed", forms[i]);
}

static void
test_redact_keeps_code_and_two_digits(void **state)
{
	(void)state;
	check_redacted("+12025550147", "+1…47");
	check_redacted("+447700900123", "+44…23");
	check_redacted("+493023125012", "+49…12");
	check_redacted("+33199000089", "+33…89");
	check_redacted("+70000000056", "+7…56");
	check_redacted("+200000000012", "+20…12");
	check_redacted("+211000000012", "+211…12");
	check_redacted("+353000000012", "+353…12");
	check_redacted("+390000000012", "+39…12");
	check_redacted("+420000000012", "+420…12");
	check_redacted("+590000000012", "+590…12");
	check_redacted("+670000000012", "+670…12");
	check_redacted("+800000000012", "+800…12");
	check_redacted("+881000000012", "+881…12");
	check_redacted("+971000000012", "+971…12");
	check_redacted("+980000000012", "+98…12");
	/* Nobody's code, but its length is known. */
	check_redacted("+210000000012", "+210…12");
	check_redacted("+999000000012", "+999…12");
	/* The longest and the shortest. */
	check_redacted("+999000000000012", "+999…12");
	check_redacted("+9990012", "+999…12");
}

static void
test_redact_refuses_the_rest(void **state)
{
	(void)state;
	check_redacted(NULL, "(none)");
	check_redacted("", "(none)");
	check_redacted(" ", "(not a number)");
	check_redacted("+", "(not a number)");
	check_redacted("12025550147", "(not a number)");
	check_redacted("+1 202 555 0147", "(not a number)");
	check_redacted("+12025550147 ", "(not a number)");
	check_redacted("+120255", "(not a number)");
	check_redacted("+1202555014712345", "(not a number)");
	check_redacted("anonymous", "(not a number)");
	check_redacted("client:alice", "(not a number)");
	check_redacted("sip:+12025550147@example.com", "(not a number)");
}

/* Of whatever number: only its code and its end, three and two digits. */
static void
test_redact_never_shows_more(void **state)
{
	char out[PHONE_REDACTED_SIZE], phone[PHONE_SIZE];
	size_t code, len;
	int start;

	(void)state;
	for (start = 100; start < 1000; start++) {
		for (len = 7; len <= 15; len++) {
			snprintf(phone, sizeof phone, "+%d444444444444", start);
			strcpy(phone + 1 + len - 2, "77");
			phone_redact(phone, out);
			code = strspn(out + 1, "0123456789");
			assert_in_range(code, 1, 3);
			assert_memory_equal(out, phone, 1 + code);
			assert_string_equal(out + 1 + code, "…77");
		}
	}
}

/* The ellipsis above is whatever the compiler made of it; here it is bytes. */
static void
test_redact_is_utf8(void **state)
{
	(void)state;
	check_redacted("+12025550147", "+1\342\200\24647");
}

static void
test_country_of_fictional_numbers(void **state)
{
	(void)state;
	check_country("+12025550147", "US");
	check_country("+12125550199", "US");
	check_country("+19075550100", "US");
	check_country("+18085550100", "US");
	check_country("+14165550123", "CA");
	check_country("+18675550123", "CA");
	check_country("+18765550123", "JM");
	check_country("+17875550123", "PR");
	check_country("+16715550123", "GU");
	check_country("+447700900123", "GB");
	check_country("+61491570006", "AU");
	check_country("+33199000000", "FR");
	check_country("+493023125000", "DE");
	check_country("+46313900600", "SE");
}

/* Ranges inside the calling code of a larger neighbour, and beside them. */
static void
test_country_of_shared_codes(void **state)
{
	static const struct {
		const char *prefix;
		const char *country;
	} rows[] = { { "70", "RU" }, { "7495", "RU" }, { "7940", "RU" },
		{ "7600", "KZ" }, { "7727", "KZ" }, { "39", "IT" },
		{ "390669", "IT" }, { "3906698", "VA" }, { "390549", "SM" },
		{ "441", "GB" }, { "441480", "GB" }, { "441481", "GG" },
		{ "441534", "JE" }, { "441624", "IM" }, { "447797", "JE" },
		{ "447829", "JE" }, { "447937", "JE" }, { "447781", "GG" },
		{ "447839", "GG" }, { "4479111", "GG" }, { "4479112", "GB" },
		{ "447624", "IM" }, { "447924", "IM" }, { "4477009", "GB" },
		{ "47", "NO" }, { "4778", "NO" }, { "4779", "SJ" },
		{ "61", "AU" }, { "6189160", "AU" }, { "6189162", "CC" },
		{ "6189164", "CX" }, { "212", "MA" }, { "262262", "RE" },
		{ "262269", "YT" }, { "262639", "YT" }, { "262692", "RE" },
		{ "35817", "FI" }, { "35818", "AX" }, { "590", "GP" },
		{ "5997", "BQ" }, { "5999", "CW" }, { "6721", "AQ" },
		{ "6723", "NF" }, { "246", "IO" }, { "247", "SH" },
		{ "290", "SH" }, { "383", "XK" }, { "970", "PS" },
		{ "1721", "SX" }, { "1829", "DO" } };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++)
		check_prefix(rows[i].prefix, rows[i].country);
}

static void
test_country_refuses_services(void **state)
{
	static const char *const services[] = { "800", "808", "870", "878",
		"881", "8816", "882", "883", "888", "979", "991", "999", "1800",
		"1833", "1844", "1855", "1866", "1877", "1888", "1822", "1900",
		"1500", "1521", "1533", "1544", "1566", "1577", "1588", "1600",
		"1622", "1700", "1710" };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(services); i++)
		check_prefix(services[i], "");
	check_country("+18005550199", "");
}

static void
test_country_refuses_unassigned(void **state)
{
	static const char *const unassigned[] = { "210", "219", "259", "280",
		"292", "384", "388", "422", "5990", "5995", "671", "6720",
		"6722", "684", "693", "801", "830", "851", "857", "89", "978",
		"990", "997", "10", "11", "1200", "1211", "1290", "1411",
		"1911", "1999" };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(unassigned); i++)
		check_prefix(unassigned[i], "");
}

static void
test_country_refuses_what_is_no_number(void **state)
{
	(void)state;
	check_country(NULL, "");
	check_country("", "");
	check_country("+", "");
	check_country("+1", "");
	check_country("+44", "");
	check_country("12025550147", "");
	check_country("+120255", "");
	check_country("+1202555014712345", "");
	check_country("+1 202 555 0147", "");
	check_country("+12025550147x", "");
	check_country("anonymous", "");
	check_country("client:alice", "");
}

/* Every start of three digits, and every area code. */
static void
test_country_of_all_codes(void **state)
{
	char digits[8];
	int code;

	(void)state;
	for (code = 100; code < 1000; code++) {
		snprintf(digits, sizeof digits, "%d0", code);
		check_prefix(digits, expect(digits));
		snprintf(digits, sizeof digits, "1%d", code);
		check_prefix(digits, expect(digits));
	}
}

/* Every row, and all that differs from one in the last digit or after it. */
static void
test_country_around_all_rows(void **state)
{
	const char *word;
	char phone[PHONE_SIZE];
	size_t i, len;
	char digit;

	(void)state;
	for (i = 0; i < LENGTH(countries); i++) {
		word = countries[i].prefixes;
		for (; *word != '\0'; word += len + strspn(word + len, " ")) {
			len = strcspn(word, " ");
			pad("", phone);
			memcpy(phone + 1, word, len);
			check_country(phone, countries[i].country);
			for (digit = '0'; digit <= '9'; digit++) {
				phone[1 + len] = digit;
				check_country(phone, expect(phone + 1));
			}
			phone[1 + len] = '0';
			for (digit = '1'; digit <= '9'; digit++) {
				phone[len] = digit;
				check_country(phone, expect(phone + 1));
			}
		}
	}
}

/* The shortest number is as long as the longest prefix. */
static void
test_country_of_short_numbers(void **state)
{
	(void)state;
	check_country("+3906698", "VA");
	check_country("+3906690", "IT");
	check_country("+6830000", "NU");
	check_country("+7000000", "RU");
	check_country("+1000000", "");
}

static void
test_country_valid_knows_all(void **state)
{
	size_t i;

	(void)state;
	assert_true(phone_country_valid("US"));
	assert_true(phone_country_valid("CA"));
	for (i = 0; i < LENGTH(countries); i++)
		if (!phone_country_valid(countries[i].country))
			fail_msg("%s is unknown", countries[i].country);
}

/* Every pair of letters that the lists do not have is refused. */
static void
test_country_valid_refuses_other_pairs(void **state)
{
	char code[3] = "";
	size_t i, known;

	(void)state;
	known = 0;
	for (code[0] = 'A'; code[0] <= 'Z'; code[0]++)
		for (code[1] = 'A'; code[1] <= 'Z'; code[1]++)
			known += phone_country_valid(code) ? 1 : 0;
	assert_int_equal(known, LENGTH(countries) + 2);
	/* And the list has none twice. */
	for (i = 1; i < LENGTH(countries); i++)
		assert_true(
		    strcmp(countries[i - 1].country, countries[i].country) < 0);
}

static void
test_country_valid_refuses_misspellings(void **state)
{
	static const char *const codes[] = { "", " ", "U", "us", "Us", "uS",
		"US ", " US", "USA", "GBR", "DE ", "840", "UK", "EN", "EU",
		"XX", "ZZ", "AN", "SU", "AC", "TA", "U5", "+1", "1", "US,CA",
		"*" };
	size_t i;

	(void)state;
	assert_false(phone_country_valid(NULL));
	for (i = 0; i < LENGTH(codes); i++)
		if (phone_country_valid(codes[i]))
			fail_msg("\"%s\" passed", codes[i]);
}

static void
test_caller_withheld_by_word(void **state)
{
	static const char *const words[] = { "anonymous", "restricted",
		"private", "unknown", "unavailable", "blocked", "withheld",
		"Anonymous", "Restricted", "Private", "Unknown", "Unavailable",
		"Blocked", "Withheld", "ANONYMOUS", "RESTRICTED", "PRIVATE",
		"UNKNOWN", "UNAVAILABLE", "BLOCKED", "WITHHELD", "aNoNyMoUs" };
	size_t i;

	(void)state;
	check_caller(NULL, PHONE_CALLER_WITHHELD);
	check_caller("", PHONE_CALLER_WITHHELD);
	for (i = 0; i < LENGTH(words); i++)
		check_caller(words[i], PHONE_CALLER_WITHHELD);
}

/* The trap: each of them is a number by its form. */
static void
test_caller_withheld_by_keypad(void **state)
{
	static const char *const digits[] = { "+266696687", "+7378742833",
		"+7378742883", "+2562533", "+8656696", "+86282452253" };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(digits); i++) {
		assert_true(phone_valid(digits[i]));
		check_caller(digits[i], PHONE_CALLER_WITHHELD);
		check_caller(digits[i] + 1, PHONE_CALLER_WITHHELD);
	}
}

static void
test_caller_near_withheld_is_not(void **state)
{
	(void)state;
	check_caller("+2666966870", PHONE_CALLER_NUMBER);
	check_caller("+26669668", PHONE_CALLER_NUMBER);
	check_caller("+266696688", PHONE_CALLER_NUMBER);
	check_caller("+25625330", PHONE_CALLER_NUMBER);
	check_caller("+1266696687", PHONE_CALLER_NUMBER);
	check_caller("+256253", PHONE_CALLER_OTHER);
	check_caller("2666966870", PHONE_CALLER_OTHER);
	check_caller("++266696687", PHONE_CALLER_OTHER);
	check_caller("+266696687 ", PHONE_CALLER_OTHER);
	check_caller("+anonymous", PHONE_CALLER_OTHER);
	check_caller("anonymous ", PHONE_CALLER_OTHER);
	check_caller(" anonymous", PHONE_CALLER_OTHER);
	check_caller("anonymou", PHONE_CALLER_OTHER);
	check_caller("anonymously", PHONE_CALLER_OTHER);
	check_caller("anonymous@anonymous.invalid", PHONE_CALLER_OTHER);
	check_caller("+", PHONE_CALLER_OTHER);
	check_caller(" ", PHONE_CALLER_OTHER);
}

static void
test_caller_number(void **state)
{
	(void)state;
	check_caller("+12025550147", PHONE_CALLER_NUMBER);
	check_caller("+447700900123", PHONE_CALLER_NUMBER);
	check_caller("+493023125000", PHONE_CALLER_NUMBER);
	check_caller("+9000000", PHONE_CALLER_NUMBER);
	check_caller("+900000000000000", PHONE_CALLER_NUMBER);
}

static void
test_caller_other(void **state)
{
	static const char *const others[] = { "client:alice",
		"client:anonymous", "sip:alice@example.com",
		"sip:+12025550147@example.com", "sim:HS0",
		"whatsapp:+12025550147", "12025550147", "2025550147",
		" 12025550147", "+12025550147\n", "+900000",
		"+9000000000000000", "+0202555014", "+1 2025550147", "alice",
		"0", "911", "null", "(none)", "\xff\xfe" };
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(others); i++)
		check_caller(others[i], PHONE_CALLER_OTHER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid_accepts_e164),
		cmocka_unit_test(test_valid_refuses_lengths),
		cmocka_unit_test(test_valid_refuses_forms),
		cmocka_unit_test(test_redact_keeps_code_and_two_digits),
		cmocka_unit_test(test_redact_refuses_the_rest),
		cmocka_unit_test(test_redact_never_shows_more),
		cmocka_unit_test(test_redact_is_utf8),
		cmocka_unit_test(test_country_of_fictional_numbers),
		cmocka_unit_test(test_country_of_shared_codes),
		cmocka_unit_test(test_country_refuses_services),
		cmocka_unit_test(test_country_refuses_unassigned),
		cmocka_unit_test(test_country_refuses_what_is_no_number),
		cmocka_unit_test(test_country_of_all_codes),
		cmocka_unit_test(test_country_around_all_rows),
		cmocka_unit_test(test_country_of_short_numbers),
		cmocka_unit_test(test_country_valid_knows_all),
		cmocka_unit_test(test_country_valid_refuses_other_pairs),
		cmocka_unit_test(test_country_valid_refuses_misspellings),
		cmocka_unit_test(test_caller_withheld_by_word),
		cmocka_unit_test(test_caller_withheld_by_keypad),
		cmocka_unit_test(test_caller_near_withheld_is_not),
		cmocka_unit_test(test_caller_number),
		cmocka_unit_test(test_caller_other),
	};

	return cmocka_run_group_tests_name("phone", tests, NULL, NULL);
}
