#!/bin/sh
# Lint: sh tests/lint/all.sh [CHECK]...
#
# Each check is one case; what it finds is printed as file:line: why. Ends with
# "N passed, N failed, N skipped"; a check whose tool is missing is skipped.
# B is the build folder whose library and tools are looked at (build).
# shellcheck disable=SC2016,SC2015  # the dollars are for awk, make and sed
set -u
cd "$(dirname "$0")/../.." || exit 2
B=${B:-build}
export LC_ALL=C.UTF-8
found=$(mktemp -d "${TMPDIR:-/tmp}/fanout-lint.XXXXXX") || exit 2
trap 'rm -rf "$found"' EXIT
passed=0 failed=0 skipped=0

missing() {
	command -v "$1" >/dev/null && return 1
	echo "skipped: $1 is not installed" >"$found/skip"
}

c_files() {
	find libfanout cexec ccp csshsetup cfrun tests -name '*.[ch]' 2>/dev/null | sort
}

scripts() {
	find tests recipes man .ci -type f 2>/dev/null | while read -r file; do
		if head -n 1 "$file" | grep -Eqa '^#!.*(sh|bash)$' ||
		    [ "${file%.sh}" != "$file" ]; then
			echo "$file"
		fi
	done
}

# What each folder may include of ours; the same folder and fanout.h always.
# Arrows run downward only, and each library has one door.
lint_layers() {
	c_files | grep -v '^tests/' | xargs awk '
	function layer(file) {
		if (match(file, /^libfanout\/[a-z]+\//))
			return substr(file, 11, RLENGTH - 11)
		if (file ~ /^libfanout\//)
			return "top"
		return "tool"
	}
	BEGIN {
		may["base"] = "base"
		may["hosts"] = "hosts base"
		may["policy"] = "policy hosts base"
		may["ssh"] = "ssh policy base transport"
		may["proc"] = "proc base transport"
		may["engine"] = "engine base transport"
		may["cli"] = "cli transport"
		may["tool"] = "tool cli transport"
	}
	function bad(why) { print FILENAME ":" FNR ": " why }
	/^[ \t]*#[ \t]*include[ \t]*</ {
		split($0, part, /[<>]/)
		if (part[2] == "pthread.h" && layer(FILENAME) != "engine")
			bad("only engine includes pthread.h")
		if (part[2] ~ /^libssh2/ && layer(FILENAME) != "ssh")
			bad("only ssh includes " part[2])
		if (part[2] ~ /^openssl\// && (layer(FILENAME) == "cli" ||
		    layer(FILENAME) == "engine"))
			bad(layer(FILENAME) " does not include " part[2])
		if (part[2] ~ /^fanout/)
			bad("our own headers are written in quotes")
	}
	/^[ \t]*#[ \t]*include[ \t]*"/ {
		from = layer(FILENAME)
		split($0, part, /"/)
		name = part[2]
		if (from == "top" || name == "fanout.h")
			next
		if (name ~ /\.\./)
			bad("no way up: " name)
		if (name == "fanout_transport.h")
			to = "transport"
		else if (match(name, /^[a-z]+\//))
			to = substr(name, 1, RLENGTH - 1)
		else
			to = from
		if (index(" " may[from] " ", " " to " ") == 0)
			bad(from " does not include " name)
	}' >"$found/out"
	[ ! -s "$found/out" ]
}

lint_sizes() {
	missing ctags && return 1
	for file in $(c_files); do
		lines=$(wc -l <"$file")
		[ "$lines" -le 800 ] || echo "$file:800: file of $lines lines, 800 at most"
	done >"$found/out"
	c_files | xargs ctags --c-kinds=f --fields=+ne -o - 2>/dev/null | awk -F '\t' '
	!/^!/ {
		from = to = 0
		for (i = 4; i <= NF; i++) {
			if ($i ~ /^line:/) from = substr($i, 6)
			if ($i ~ /^end:/) to = substr($i, 5)
		}
		if (to - from > 100)
			print $2 ":" from ": " $1 " has " to - from " lines, 100 at most"
	}' >>"$found/out"
	[ ! -s "$found/out" ]
}

lint_banned() {
	c_files | xargs grep -nwE \
	    '(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atoll|alloca|strncpy|strncat|tmpnam|mktemp)[ ]?\(' |
	    grep -vE '^[^:]*:[0-9]*:[ 	]*(/?\*|//)' >"$found/out"
	c_files | grep -v '^tests/' | xargs grep -nwE '(system|popen)[ ]?\(' \
	    >>"$found/out"
	[ ! -s "$found/out" ]
}

# No blanks at ends of lines, a newline at the end, no very long lines in C.
lint_text() {
	{ c_files; scripts; find . -maxdepth 1 -type f -name '[A-Zh-z]*'; } 2>/dev/null |
	    sed 's|^\./||' | while read -r file; do
		grep -nE '[ 	]+$' "$file" | sed "s|^\([0-9]*\):.*|$file:\1: blanks at the end|"
		[ -z "$(tail -c 1 "$file")" ] || echo "$file: no newline at the end"
	done >"$found/out"
	c_files | grep -v '^tests/' | xargs awk '{
		line = $0
		while (match(line, /\t/))
			line = substr(line, 1, RSTART - 1) \
			    sprintf("%*s", 8 - (RSTART - 1) % 8, "") substr(line, RSTART + 1)
		if (length(line) > 90)
			print FILENAME ":" FNR ": " length(line) " columns"
	}' >>"$found/out"
	[ ! -s "$found/out" ]
}

# The public headers stand alone, in C and in C++.
lint_headers() {
	for header in libfanout/fanout.h libfanout/fanout_transport.h; do
		flags="-Wall -Wextra -Wpedantic -Werror -fsyntax-only -Ilibfanout"
		for std in c99 c17; do
			# shellcheck disable=SC2086
			${CC:-cc} -x c -std=$std $flags $header || return 1
		done
		for cxx in g++ clang++; do
			command -v $cxx >/dev/null || continue
			# shellcheck disable=SC2086
			$cxx -x c++ -std=c++11 $flags -Wno-pragma-once-outside-header $header || return 1
		done
	done >"$found/out" 2>&1
}

# What the shared library exports is what the headers declare, no more, no less.
lint_symbols() {
	missing ctags && return 1
	ctags --c-kinds=p -o - libfanout/fanout.h libfanout/fanout_transport.h |
	    awk '!/^!/ { print $1 }' | sort -u >"$found/declared"
	nm -D --defined-only "$B/libfanout.so" | awk '$2 != "A" { print $3 }' |
	    sed 's/@.*//' | sort -u >"$found/exported"
	diff "$found/declared" "$found/exported" |
	    sed -n 's/^< \(.*\)/declared, not exported: \1/p
		s/^> \(.*\)/exported, not declared: \1/p' >"$found/out"
	[ ! -s "$found/out" ]
}

lint_shellcheck() {
	missing shellcheck && return 1
	# What lib.sh sets is not seen from a script.
	scripts | grep -v '^tests/regress/' |
	    xargs shellcheck -e SC1090,SC1091,SC2154 -f gcc >"$found/out" &&
	    # There commands are quoted for the remote shell on purpose.
	    scripts | grep '^tests/regress/' | xargs shellcheck \
	    -e SC1090,SC1091,SC2154,SC2016,SC2034,SC2086,SC2012 -f gcc >"$found/out"
}

lint_mandoc() {
	sh man/common/update.sh --check >"$found/out" || return 1
	# A page that names a section of its own has it.
	for page in man/*.[1-8]; do
		sed -n 's/^\.Sx //p' "$page" | sed 's/ [.,;:) ]*$//' |
		    while read -r name; do
			grep -qE "^\.S[sh] $name\$" "$page" ||
			    echo "$page: there is no section $name"
		done
	done >"$found/out"
	[ ! -s "$found/out" ] || return 1
	missing mandoc && return 1
	[ -z "$(find man -name '*.[1-8]')" ] ||
	    mandoc -Tlint -W warning man/*.[1-8] >"$found/out"
}

# A tool's option table (which prints its usage) and its manual agree.
lint_options() {
	for tool in cexec ccp csshsetup cfrun; do
		[ -f "man/$tool.1" ] && [ -x "$B/bin/$tool" ] || continue
		"$B/bin/$tool" --help | sed -n 's/^ *\(-[^ ].*\)/\1/p' |
		    sed 's/  .*//' | sort >"$found/usage"
		sed -n 's/^\.It \(Fl .*\)$/\1/p' "man/$tool.1" |
		    sed -e 's/Fl Fl /--/g' -e 's/Fl \(.\)/-\1/g' -e 's/Ar //g' \
		    -e 's/ ,/,/g' -e 's/ Ns = Ns /=/g' \
		    -e 's/ Ns Op = Ns \(.*\)$/[=\1]/' | sort >"$found/manual"
		# Of two options with one name the second is never seen.
		sed -n 's/.*\(--[a-z0-9-]*\).*/\1/p' "$found/usage" | sort | uniq -d |
		    sed "s|^|man/$tool.1: twice: |"
		diff "$found/usage" "$found/manual" |
		    sed -n "s|^< \(.*\)|man/$tool.1: not as in the usage: \1|p
			s|^> \(.*\)|man/$tool.1: only in the manual: \1|p"
	done >"$found/out"
	[ ! -s "$found/out" ]
}

# A recipe's usage and its manual agree, but for how hosts are reached, which one
# manual has for all. Each step of the guide has a recipe and a test.
lint_recipes() {
	reach='--?(F|ssh-config|o|option|known-hosts|identity|J|jump|t|connect-timeout|accept-new)'
	for recipe in recipes/*; do
		[ -f "$recipe" ] && [ "${recipe%.sh}" = "$recipe" ] || continue
		name=${recipe#recipes/}
		manual=$(find man -name "$name.[178]")
		[ -n "$manual" ] || { echo "$recipe: no manual"; continue; }
		PATH=$(cd "$B" && pwd)/bin:$PATH sh "$recipe" --help | sed -n 's/^  *\(-.*\)/\1/p' |
		    sed '/;/!s/  .*//' | grep -oE -e '(^|[ ,;])--?[A-Za-z][a-z-]*' | tr -d ' ,;' |
		    grep -vxE -e "$reach" | sort -u >"$found/usage"
		sed -n 's/Fl Fl /--/g; s/Fl \(.\)/-\1/g; s/^\.It \(.*-.*\)/\1/p' "$manual" |
		    grep -oE -e '(^| )--?[A-Za-z][a-z-]*' | tr -d ' ' |
		    grep -vxE -e "$reach" | sort -u >"$found/manual"
		diff "$found/usage" "$found/manual" |
		    sed -n "s|^< \(.*\)|$manual: only in the usage: \1|p
			s|^> \(.*\)|$manual: only in the manual: \1|p"
	done >"$found/out"
	awk -F ' *[|] *' 'NF > 4 && $3 != "recipe" && $3 != "---" { print FNR, $3, $4 }' tests/guide.md >"$found/steps"
	[ "$(wc -l <"$found/steps")" -gt 70 ] || echo "tests/guide.md: steps are missing" >>"$found/out"
	while read -r line recipe test; do
		# The package of the cluster is a recipe of its own.
		[ "$recipe" != csync-ha ] || [ -f recipes/csync-ha ] || continue
		[ -f "recipes/$recipe" ] || echo "tests/guide.md:$line: no recipe $recipe"
		[ "$test" = csync-ha ] && [ ! -f recipes/csync-ha ] ||
		    ls "tests/regress/$test"*.sh >/dev/null 2>&1 || echo "tests/guide.md:$line: no test $test"
	done <"$found/steps" >>"$found/out"
	[ ! -s "$found/out" ]
}

lint_codespell() {
	missing codespell && return 1
	git ls-files | grep -vE '^(LICENSE|tests/fuzz/corpus/)' |
	    xargs codespell -I tests/lint/words >"$found/out"
}

# Both compilers, no warning. -fsyntax-only: the whole build is done elsewhere.
lint_compilers() {
	flags=$(make -s B="$B" WERROR=1 --eval='lint-flags: ; @echo $(ALL_CFLAGS)' lint-flags)
	for cc in gcc clang; do
		command -v $cc >/dev/null || {
			echo "skipped: $cc is not installed" >"$found/skip"
			return 1
		}
		# shellcheck disable=SC2086
		c_files | grep '\.c$' | xargs -n 1 -P 2 $cc $flags -fsyntax-only ||
		    return 1
	done >"$found/out" 2>&1
}

make -s B="$B" all >"$found/make" 2>&1 || {
	cat "$found/make"
	echo "lint: the build fails"
}
[ $# -gt 0 ] || set -- layers sizes banned text headers symbols shellcheck \
    mandoc options recipes codespell compilers
for check; do
	rm -f "$found/skip"
	: >"$found/out"
	if "lint_$check"; then
		passed=$((passed + 1))
		echo "ok $check"
	elif [ -f "$found/skip" ]; then
		skipped=$((skipped + 1))
		echo "skip $check: $(cat "$found/skip")"
	else
		failed=$((failed + 1))
		echo "not ok $check"
		sed 's/^/  /' "$found/out"
	fi
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
