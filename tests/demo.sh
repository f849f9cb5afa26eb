#!/bin/sh
# Try it: builds, starts a small cluster of real sshd on 127.0.0.0/8, shows the
# tools at work on it, and leaves nothing behind.
#
#	sh tests/demo.sh		as root on a bare Debian it also installs
#					what is missing (tests/deps.sh)
set -eu
cd "$(dirname "$0")/.."
sh tests/deps.sh </dev/null || exit 2
make -s -j"$(nproc)"
B=${B:-build}

BED=
CFBED=
T=$(mktemp -d "${TMPDIR:-/tmp}/fanout-demo.XXXXXX")
finish() {
	[ -z "$BED" ] || tests/bed/loopback down
	[ -z "$CFBED" ] || tests/bed/cfserverd down
	rm -rf "$T"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP
# Reports of these runs go away with the rest.
export XDG_STATE_HOME="$T/state"
env=$(tests/bed/loopback up 32)
eval "$env"

# A cluster with names: node01 to node32 are addresses of this machine.
{
	awk '{ printf "Host node%02d\n    HostName %s\n", NR, $1 }' "$BED/hosts"
	cat "$BED/ssh_config"
} >"$T/ssh_config"
PATH=$PWD/$B/bin:$PATH

# show COMMENT COMMAND: as typed; its status where it is not 0
show() {
	printf '\n# %s\n$ %s\n' "$1" "$2"
	rc=0
	bash -c "$(printf %s "$2" | sed -e "s|cexec |cexec -F '$T/ssh_config' |g" -e "s|ccp |ccp -F '$T/ssh_config' |g")" </dev/null || rc=$?
	[ $rc -eq 0 ] || echo "(exit status $rc)"
}

echo "A cluster of 32 sshd on loopback, by the names node01 to node32."
show 'One command on four of them, live and labelled.' \
    "cexec -w 'node[01-04]' 'echo I am \$(echo \$SSH_CONNECTION | cut -d\" \" -f3)'"
show 'Names are expressions: ranges, unions, differences.' \
    "cexec -w 'node[01-32]!node[05-30]' --list"
show 'All of them, and who does not comply.' \
    "cexec -w 'node[01-32]' 'case \$SSH_CONNECTION in *.1[0-2]\ *) exit 3;; esac'"
show 'Who says something else than the others, and what.' \
    "cexec -w 'node[01-32]' --diff 'case \$SSH_CONNECTION in *.7\ *) echo old;; *) echo new;; esac; echo same'"
show 'Each failure has a class of its own, and the others do not notice.' \
    "cexec -w 'node[01-02],127.0.0.1:1,nowhere.invalid' 'echo fine'"
show 'Standard input goes to all.' \
    "echo 'a file for all' | cexec -w 'node[01-03]' 'cat >\$HOME/file.\$\$; wc -c <\$HOME/file.\$\$'"
show 'A deadline for the command.' \
    "cexec -u 1 -w 'node[01-03]' 'echo begun; sleep 9'"
show 'A change, first on two hosts: it goes wrong, and no others are touched.' \
    "cexec -w 'node[01-32]' --canary 2 --batch 25% 'test -e \$HOME/mended'"
show 'Mended, and on with those that were left out.' \
    "touch \$BED/home/mended; cexec --retry skipped; cexec --show"
show 'For programs: JSON, and an exit status to trust.' \
    "cexec --json -w node01 'echo hello; exit 7'"
show 'Thirty-two logins from one process, and what they cost.' \
    "time -p cexec -w 'node[01-32]' true"

# All these hosts share the files of this machine: one of them will do.
echo 'listen 80' >"$T/web.conf"
mkdir "$T/etc"
show 'A file for a host: verified, then renamed into its place.' \
    "ccp -v -w node01 $T/web.conf $T/etc/"
show 'What is right already is left alone.' \
    "ccp -v -w node01 $T/web.conf $T/etc/"
echo 'listen 8080' >"$T/etc/web.conf"
show 'Who differs, and how?' "ccp --diff -w 'node[01-03]' $T/web.conf $T/etc/"
show 'The other way: a file of each.' \
    "ccp --get --mkdir -w 'node[01-03]' $T/etc/web.conf $T/gathered; ls -R $T/gathered | grep node"

# The CFEngine agent on four clients, where CFEngine can be had.
if env=$(tests/bed/cfserverd up 4); then
	eval "$env"
	cfrun_bed() {
		CFENGINE_TEST_OVERRIDE_WORKDIR=$CFBED/hub cfrun -f "$CFBED/cfrun.hosts" "$@"
	}
	try() {
		printf '\n# %s\n$ cfrun %s\n' "$1" "$2"
		rc=0
		eval "cfrun_bed $2" </dev/null || rc=$?
		[ $rc -eq 0 ] || echo "(exit status $rc)"
	}
	try 'The CFEngine agent on all clients of cfrun.hosts, now.' '-- --inform'
	try 'Who is there, and are the keys right on both sides?' '--ping'
	tests/bed/cfserverd crash 3
	rm "$CFBED/2/mark"
	try 'One has lost a file, one is down.' '-S'
fi
printf '\nMore: man man/cexec.1, man/ccp.1, man/cfrun.1, and README.md.\n'
