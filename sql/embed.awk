# Turns statement files and migrations into C: `awk -v out=h` writes the enum,
# `-v out=c` the tables. A statement begins with a line `-- name: word`; the
# comment lines above its text stay in the file. Fails on a statement without
# a name, a name without a statement, and a name given twice.

function fail(why) {
	printf "%s:%d: %s\n", FILENAME, FNR, why > "/dev/stderr"
	failed = 1
	exit 1
}

function quote(line) {
	gsub(/\\/, "\\\\", line)
	gsub(/"/, "\\\"", line)
	return "\t    \"" line "\\n\"\n"
}

FNR == 1 {
	name = ""
	migration = FILENAME ~ /migrations\//
	if (migration) {
		base = FILENAME
		sub(/.*\//, "", base)
		if (substr(base, 1, 4) + 0 != ++versions)
			fail("migrations must be numbered 0001, 0002, …")
	}
}

migration {
	migrations[versions] = migrations[versions] quote($0)
	next
}

/^-- name: / {
	if (name != "" && text[name] == "")
		fail("no statement for " name)
	name = $3
	if (name !~ /^[a-z_]+$/ || name in text)
		fail("bad or repeated name " name)
	text[name] = ""
	order[++count] = name
	next
}

/^[ \t]*(--|$)/ { next }

{
	if (name == "")
		fail("statement without a name")
	text[name] = text[name] quote($0)
}

END {
	if (failed)
		exit 1
	if (out == "h") {
		print "/* Made by sql/embed.awk. */\n#ifndef SQL_H\n#define SQL_H\n"
		print "#include <stddef.h>\n"
		print "/* Every statement there is, by name. */\nenum sql {"
		for (i = 1; i <= count; i++)
			printf "\tSQL_%s,\n", toupper(order[i])
		print "\tSQL__MAX\n};\n"
		print "/* Names for logs, and texts, by enum sql. */"
		print "extern const char *const sql_names[SQL__MAX];"
		print "extern const char *const sql_texts[SQL__MAX];\n"
		print "/* Migrations: [0] leads to version 1. */"
		printf "#define SQL_VERSION %d\n", versions
		print "extern const char *const sql_migrations[SQL_VERSION];\n\n#endif"
	} else {
		print "/* Made by sql/embed.awk. */\n#include \"sql.h\"\n"
		print "const char *const sql_names[SQL__MAX] = {"
		for (i = 1; i <= count; i++)
			printf "\t[SQL_%s] = \"%s\",\n", toupper(order[i]), order[i]
		print "};\n\nconst char *const sql_texts[SQL__MAX] = {"
		for (i = 1; i <= count; i++)
			printf "\t[SQL_%s] =\n%s\t    ,\n", toupper(order[i]), text[order[i]]
		print "};\n\nconst char *const sql_migrations[SQL_VERSION] = {"
		for (i = 1; i <= versions; i++)
			printf "\t[%d] =\n%s\t    ,\n", i - 1, migrations[i]
		print "};"
	}
}
