#!/bin/sh
# What several manuals say is written once, here: sh man/common/update.sh
#
# A page has it between .\" common: NAME and .\" end; this puts NAME.mdoc there.
# .\" common: NAME f is for a tool where that option has no letter f. A section
# that a page does not have is named as one of cexec(1).
# With --check nothing is changed: exit 1 if a page differs from what it would be.
set -eu
cd "$(dirname "$0")/.."
new=$(mktemp "${TMPDIR:-/tmp}/fanout-man.XXXXXX")
trap 'rm -f "$new"' EXIT
rc=0
for page in *.[1-8]; do
	awk '
	NR == FNR {
		if (/^\.S[sh] /)
			own[substr($0, 5)] = 1
		next
	}
	/^\.\\" common: / {
		print
		file = "common/" $3 ".mdoc"
		while ((got = (getline line < file)) > 0) {
			if ($4 != "")
				sub("^\\.It Fl " $4 " , ", ".It ", line)
			name = line
			sub(/^\.Sx /, "", name)
			end = sub(/ \.$/, "", name) ? " ." : ""
			if (line ~ /^\.Sx / && !(name in own))
				line = ".Dq " name "\n" "in" "\n" ".Xr cexec 1" end
			print line
		}
		if (got < 0) {
			print FILENAME ": no " file >"/dev/stderr"
			exit 1
		}
		close(file)
		within = 1
	}
	/^\.\\" end$/ { within = 0 }
	!within' "$page" "$page" >"$new"
	cmp -s "$new" "$page" && continue
	if [ "${1-}" = --check ]; then
		echo "man/$page: a common part differs: sh man/common/update.sh"
		rc=1
	else
		cat "$new" >"$page"
	fi
done
exit $rc
