/*
 * Which country a number belongs to: the one with the longest prefix of it in
 * the table. Longest, because some countries share a calling code with a
 * larger one and hold a few ranges inside it. What has no row belongs to no
 * country, so that a new or a special code is refused, not guessed.
 *
 * Sources: the ITU's "List of Recommendation ITU-T E.164 assigned country
 * codes"; the area codes of NANPA and CNA, also those assigned by November
 * 2026 but not yet open (565 in Georgia); for shared codes the national plans.
 * Checked against libphonenumber's metadata of September 2026, which lacks
 * the newest area codes. A new one is a number more in a table below.
 */

#include "phone.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH(array) (sizeof array / sizeof array[0])

/* Digits of the longest prefix; every E.164 number has at least as many. */
#define PREFIX_LEN 7

/* The numbers that begin with digits are of country. */
struct prefix {
	char digits[PREFIX_LEN + 1]; /* without plus */
	char country[3];             /* ISO 3166-1 alpha-2 */
};

/* Sorted by digits as strings. */
static const struct prefix prefixes[] = {
	/* Zone 1, what is neither the United States nor Canada. */
	{ "1242", "BS" }, { "1246", "BB" }, { "1264", "AI" }, { "1268", "AG" },
	{ "1284", "VG" }, { "1340", "VI" }, { "1345", "KY" }, { "1441", "BM" },
	{ "1473", "GD" }, { "1649", "TC" }, { "1658", "JM" }, { "1664", "MS" },
	{ "1670", "MP" }, { "1671", "GU" }, { "1684", "AS" }, { "1721", "SX" },
	{ "1758", "LC" }, { "1767", "DM" }, { "1784", "VC" }, { "1787", "PR" },
	{ "1809", "DO" }, { "1829", "DO" }, { "1849", "DO" }, { "1868", "TT" },
	{ "1869", "KN" }, { "1876", "JM" }, { "1939", "PR" },
	/* Zone 2: Africa, and Aruba, the Faroes, Greenland. */
	{ "20", "EG" }, { "211", "SS" }, { "212", "MA" }, { "213", "DZ" },
	{ "216", "TN" }, { "218", "LY" }, { "220", "GM" }, { "221", "SN" },
	{ "222", "MR" }, { "223", "ML" }, { "224", "GN" }, { "225", "CI" },
	{ "226", "BF" }, { "227", "NE" }, { "228", "TG" }, { "229", "BJ" },
	{ "230", "MU" }, { "231", "LR" }, { "232", "SL" }, { "233", "GH" },
	{ "234", "NG" }, { "235", "TD" }, { "236", "CF" }, { "237", "CM" },
	{ "238", "CV" }, { "239", "ST" }, { "240", "GQ" }, { "241", "GA" },
	{ "242", "CG" }, { "243", "CD" }, { "244", "AO" }, { "245", "GW" },
	{ "246", "IO" }, { "247", "SH" }, { "248", "SC" }, { "249", "SD" },
	{ "250", "RW" }, { "251", "ET" }, { "252", "SO" }, { "253", "DJ" },
	{ "254", "KE" }, { "255", "TZ" }, { "256", "UG" }, { "257", "BI" },
	{ "258", "MZ" }, { "260", "ZM" }, { "261", "MG" }, { "262", "RE" },
	{ "2622689", "YT" }, { "262269", "YT" }, { "262639", "YT" },
	{ "2629398", "YT" }, { "263", "ZW" }, { "264", "NA" }, { "265", "MW" },
	{ "266", "LS" }, { "267", "BW" }, { "268", "SZ" }, { "269", "KM" },
	{ "27", "ZA" }, { "290", "SH" }, { "291", "ER" }, { "297", "AW" },
	{ "298", "FO" }, { "299", "GL" },
	/* Zone 3: Europe. XK is no ISO code, but what all use for Kosovo. */
	{ "30", "GR" }, { "31", "NL" }, { "32", "BE" }, { "33", "FR" },
	{ "34", "ES" }, { "350", "GI" }, { "351", "PT" }, { "352", "LU" },
	{ "353", "IE" }, { "354", "IS" }, { "355", "AL" }, { "356", "MT" },
	{ "357", "CY" }, { "358", "FI" }, { "35818", "AX" }, { "359", "BG" },
	{ "36", "HU" }, { "370", "LT" }, { "371", "LV" }, { "372", "EE" },
	{ "373", "MD" }, { "374", "AM" }, { "375", "BY" }, { "376", "AD" },
	{ "377", "MC" }, { "378", "SM" }, { "379", "VA" }, { "380", "UA" },
	{ "381", "RS" }, { "382", "ME" }, { "383", "XK" }, { "385", "HR" },
	{ "386", "SI" }, { "387", "BA" }, { "389", "MK" }, { "39", "IT" },
	{ "390549", "SM" }, { "3906698", "VA" },
	/* Zone 4: Europe. 44 holds three islands, 47 Svalbard. */
	{ "40", "RO" }, { "41", "CH" }, { "420", "CZ" }, { "421", "SK" },
	{ "423", "LI" }, { "43", "AT" }, { "44", "GB" }, { "441481", "GG" },
	{ "441534", "JE" }, { "441624", "IM" }, { "4474576", "IM" },
	{ "447509", "JE" }, { "447524", "IM" }, { "447624", "IM" },
	{ "4477003", "JE" }, { "4477007", "JE" }, { "4477008", "JE" },
	{ "447781", "GG" }, { "447797", "JE" }, { "447829", "JE" },
	{ "447839", "GG" }, { "4479111", "GG" }, { "4479117", "GG" },
	{ "447924", "IM" }, { "447937", "JE" }, { "45", "DK" }, { "46", "SE" },
	{ "47", "NO" }, { "4779", "SJ" }, { "48", "PL" }, { "49", "DE" },
	/* Zone 5: Latin America. */
	{ "500", "FK" }, { "501", "BZ" }, { "502", "GT" }, { "503", "SV" },
	{ "504", "HN" }, { "505", "NI" }, { "506", "CR" }, { "507", "PA" },
	{ "508", "PM" }, { "509", "HT" }, { "51", "PE" }, { "52", "MX" },
	{ "53", "CU" }, { "54", "AR" }, { "55", "BR" }, { "56", "CL" },
	{ "57", "CO" }, { "58", "VE" }, { "590", "GP" }, { "591", "BO" },
	{ "592", "GY" }, { "593", "EC" }, { "594", "GF" }, { "595", "PY" },
	{ "596", "MQ" }, { "597", "SR" }, { "598", "UY" }, { "5993", "BQ" },
	{ "5994", "BQ" }, { "5997", "BQ" }, { "5999", "CW" },
	/* Zone 6: South-east Asia and the Pacific. */
	{ "60", "MY" }, { "61", "AU" }, { "6189162", "CC" },
	{ "6189164", "CX" }, { "62", "ID" }, { "63", "PH" }, { "64", "NZ" },
	{ "65", "SG" }, { "66", "TH" }, { "670", "TL" }, { "6721", "AQ" },
	{ "6723", "NF" }, { "673", "BN" }, { "674", "NR" }, { "675", "PG" },
	{ "676", "TO" }, { "677", "SB" }, { "678", "VU" }, { "679", "FJ" },
	{ "680", "PW" }, { "681", "WF" }, { "682", "CK" }, { "683", "NU" },
	{ "685", "WS" }, { "686", "KI" }, { "687", "NC" }, { "688", "TV" },
	{ "689", "PF" }, { "690", "TK" }, { "691", "FM" }, { "692", "MH" },
	/* Zone 7: Russia and Kazakhstan. */
	{ "7", "RU" }, { "76", "KZ" }, { "77", "KZ" },
	/* Zone 8: East Asia, and Bangladesh. */
	{ "81", "JP" }, { "82", "KR" }, { "84", "VN" }, { "850", "KP" },
	{ "852", "HK" }, { "853", "MO" }, { "855", "KH" }, { "856", "LA" },
	{ "86", "CN" }, { "880", "BD" }, { "886", "TW" },
	/* Zone 9: West, Central and South Asia. */
	{ "90", "TR" }, { "91", "IN" }, { "92", "PK" }, { "93", "AF" },
	{ "94", "LK" }, { "95", "MM" }, { "960", "MV" }, { "961", "LB" },
	{ "962", "JO" }, { "963", "SY" }, { "964", "IQ" }, { "965", "KW" },
	{ "966", "SA" }, { "967", "YE" }, { "968", "OM" }, { "970", "PS" },
	{ "971", "AE" }, { "972", "IL" }, { "973", "BH" }, { "974", "QA" },
	{ "975", "BT" }, { "976", "MN" }, { "977", "NP" }, { "98", "IR" },
	{ "992", "TJ" }, { "993", "TM" }, { "994", "AZ" }, { "995", "GE" },
	{ "996", "KG" }, { "998", "UZ" }
};

/*
 * Area codes of +1, sorted. Not here, and so of no country: toll-free 8XX,
 * premium 900, personal 5XX, 600 and its kin, 700, 710.
 */
static const int us_areas[] = {
	/* 200s */
	201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216,
	217, 218, 219, 220, 223, 224, 225, 227, 228, 229, 231, 234, 235, 239,
	240, 248, 251, 252, 253, 254, 256, 260, 262, 267, 269, 270, 272, 274,
	276, 279, 281, 283,
	/* 300s */
	301, 302, 303, 304, 305, 307, 308, 309, 310, 312, 313, 314, 315, 316,
	317, 318, 319, 320, 321, 323, 324, 325, 326, 327, 329, 330, 331, 332,
	334, 336, 337, 339, 341, 346, 347, 350, 351, 352, 353, 357, 360, 361,
	363, 364, 369, 380, 385, 386,
	/* 400s */
	401, 402, 404, 405, 406, 407, 408, 409, 410, 412, 413, 414, 415, 417,
	419, 423, 424, 425, 430, 432, 434, 435, 436, 440, 442, 443, 445, 447,
	448, 457, 458, 463, 464, 465, 469, 470, 471, 472, 475, 478, 479, 480,
	483, 484,
	/* 500s */
	501, 502, 503, 504, 505, 507, 508, 509, 510, 512, 513, 515, 516, 517,
	518, 520, 530, 531, 534, 539, 540, 541, 551, 557, 559, 561, 562, 563,
	564, 565, 567, 570, 571, 572, 573, 574, 575, 580, 582, 585, 586,
	/* 600s */
	601, 602, 603, 605, 606, 607, 608, 609, 610, 612, 614, 615, 616, 617,
	618, 619, 620, 621, 623, 624, 626, 628, 629, 630, 631, 636, 640, 641,
	645, 646, 650, 651, 656, 657, 659, 660, 661, 662, 667, 669, 678, 679,
	680, 681, 682, 686, 689,
	/* 700s */
	701, 702, 703, 704, 706, 707, 708, 712, 713, 714, 715, 716, 717, 718,
	719, 720, 724, 725, 726, 727, 728, 729, 730, 731, 732, 734, 737, 738,
	740, 743, 747, 748, 754, 757, 760, 762, 763, 765, 769, 770, 771, 772,
	773, 774, 775, 779, 781, 785, 786,
	/* 800s */
	801, 802, 803, 804, 805, 806, 808, 810, 812, 813, 814, 815, 816, 817,
	818, 820, 821, 826, 828, 830, 831, 832, 835, 837, 838, 839, 840, 843,
	845, 847, 848, 850, 854, 856, 857, 858, 859, 860, 861, 862, 863, 864,
	865, 870, 872, 878,
	/* 900s */
	901, 903, 904, 906, 907, 908, 909, 910, 912, 913, 914, 915, 916, 917,
	918, 919, 920, 924, 925, 928, 929, 930, 931, 934, 936, 937, 938, 940,
	941, 943, 945, 947, 948, 949, 951, 952, 954, 956, 959, 970, 971, 972,
	973, 975, 978, 979, 980, 983, 984, 985, 986, 989
};

static const int ca_areas[] = {
	/* 200s */
	204, 226, 236, 249, 250, 257, 263, 273, 289,
	/* 300s */
	306, 343, 354, 365, 367, 368, 382,
	/* 400s */
	403, 416, 418, 428, 431, 437, 438, 450, 468, 474,
	/* 500s */
	506, 514, 519, 548, 579, 581, 584, 587,
	/* 600s */
	604, 613, 639, 647, 672, 683,
	/* 700s */
	705, 709, 742, 753, 778, 780, 782,
	/* 800s */
	807, 819, 825, 867, 873, 879,
	/* 900s */
	902, 905, 942
};

static int
compare_digits(const void *key, const void *row)
{
	const struct prefix *prefix = row;

	return strcmp(key, prefix->digits);
}

static int
compare_areas(const void *key, const void *row)
{
	return *(const int *)key - *(const int *)row;
}

/* Returns the longest prefix that digits, at least PREFIX_LEN, begin with. */
static const struct prefix *
find_prefix(const char *digits)
{
	const struct prefix *row;
	char key[PREFIX_LEN + 1];
	size_t len;

	memcpy(key, digits, PREFIX_LEN);
	for (len = PREFIX_LEN; len > 0; len--) {
		key[len] = '\0';
		row = bsearch(key, prefixes, LENGTH(prefixes), sizeof *row,
		    compare_digits);
		if (row != NULL)
			return row;
	}
	return NULL;
}

/* Returns the country of the area code that digits begin with, or "". */
static const char *
find_area(const char *digits)
{
	int area;

	area =
	    (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + digits[2] - '0';
	if (bsearch(&area, us_areas, LENGTH(us_areas), sizeof area,
		compare_areas) != NULL)
		return "US";
	if (bsearch(&area, ca_areas, LENGTH(ca_areas), sizeof area,
		compare_areas) != NULL)
		return "CA";
	return "";
}

const char *
phone_country(const char *phone)
{
	const struct prefix *prefix;

	if (!phone_valid(phone))
		return "";
	prefix = find_prefix(phone + 1);
	if (prefix != NULL)
		return prefix->country;
	if (phone[1] == '1')
		return find_area(phone + 2);
	return "";
}

bool
phone_country_valid(const char *code)
{
	size_t i;

	if (code == NULL)
		return false;
	if (strcmp(code, "US") == 0 || strcmp(code, "CA") == 0)
		return true;
	for (i = 0; i < LENGTH(prefixes); i++)
		if (strcmp(code, prefixes[i].country) == 0)
			return true;
	return false;
}
