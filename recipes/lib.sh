# lib.sh - what the recipes share: where things are, how steps are shown, run
# and recorded, how replaced files are kept, and how a step that fails on some
# hosts leaves the others going on.
#
# A recipe has a function own_option for options of its own and calls
#
#	options "$@"		which leaves hosts in $words
#	begin			takes the lock and makes $T, a folder for the run
#
# then come its steps, and finish. Steps are
#
#	step TEXT		what comes now, in a line
#	do_ COMMAND...		show a command and run it; --dry-run only shows it
#	each TEXT COMMAND	by cexec on all hosts of $T/hosts; those that fail
#				are named, and are not among the hosts any more
#	put FILE... DEST	by ccp, likewise
#	put_file FILE		standard input becomes FILE here, if it differs
#
# so that what is printed are the very commands, to be run by hand as well.
# shellcheck shell=sh disable=SC2034  # the recipes use them

set -u
umask 022
LC_ALL=C.UTF-8
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

me=${0##*/}
# In the installed copy these are paths; in the source tree, what is beside.
SHARE=@DATADIR@/fanout
LIBEXEC=@LIBEXECDIR@/fanout
case $SHARE in
@*) SHARE=$(cd "$(dirname "$0")" && pwd) LIBEXEC=/usr/local/libexec/fanout ;;
esac
TEMPLATES=$SHARE/templates
WRAPPER=$LIBEXEC/cfrun-agent

# --- where things are -------------------------------------------------------
#
# family	workdir			pid files		how CFEngine is installed
paths() {
	cat <<-'TABLE'
	debian	/var/lib/cfengine3	/run/cfengine3		apt-get install -y cfengine3
	redhat	/var/cfengine		/var/cfengine		dnf install -y cfengine-community
	suse	/var/cfengine		/var/cfengine		zypper -n install cfengine-community
	alpine	/var/cfengine		/var/cfengine		apk add cfengine
	arch	/var/cfengine		/var/cfengine		pacman -S --noconfirm cfengine
	other	/var/cfengine		/var/cfengine		install CFEngine 3
	TABLE
}

family() {
	id=$(sed -n 's/^ID=//p; s/^ID_LIKE=//p' /etc/os-release 2>/dev/null | tr -d '"' | tr '\n' ' ')
	case " $id " in
	*" debian "* | *" ubuntu "*) echo debian ;;
	*" rhel "* | *" fedora "* | *" centos "*) echo redhat ;;
	*suse*) echo suse ;;
	*" alpine "*) echo alpine ;;
	*" arch "*) echo arch ;;
	*) echo other ;;
	esac
}

read -r _ WORKDIR PIDDIR INSTALL <<ROW
$(paths | grep "^$(family)	")
ROW
INPUTS=$WORKDIR/inputs
MASTERDIR=$WORKDIR/masterfiles
MASTERFILES=$WORKDIR/master_files
PPKEYS=$WORKDIR/ppkeys
BACKUPS=$WORKDIR/backups
REGISTRY=$WORKDIR/cfrun.keys
HOSTS=$MASTERDIR/cfrun.hosts
CONF=$WORKDIR/csync.conf
HA_CONF=$WORKDIR/csync-ha.conf
PLAN=$WORKDIR/csync.keys
LOG=/var/log/csync.log
LOCK=/run/csync.lock

# --- beginning and end ----------------------------------------------------------

dry=false verbose=false changes=0 status=0 hint=''
SSHOPTS='' CFRUNOPTS='' password=''

# options WORD...: those of all recipes; for others own_option is asked, which
# returns how many words it took, 0 if it does not know it.
options() {
	said="$*" words=''
	while [ $# -gt 0 ]; do
		took=1
		case $1 in
		--dry-run) dry=true ;;
		-v | --verbose) verbose=true ;;
		-h | --help) usage; exit 0 ;;
		-F | --ssh-config | -o | --option | --known-hosts | --identity | -J | --jump | -t | --connect-timeout)
			value "$@"
			SSHOPTS="$SSHOPTS $1 $(quote "$2")"
			case $1 in
			-t | --connect-timeout) CFRUNOPTS="-t $(quote "$2")" ;;
			esac
			took=2
			;;
		--accept-new) SSHOPTS="$SSHOPTS $1" ;;
		--password-fd)
			value "$@"
			password="--password-fd $2"
			took=2
			;;
		*)
			took=0
			own_option "$@" || took=$?
			case $took,$1 in
			0,-*) misuse "unknown option: $1" ;;
			0,*)
				words="$words -w $(quote "$1")"
				took=1
				;;
			esac
			;;
		esac
		shift $took
	done
}

# value OPTION [VALUE...]: it must be there.
value() {
	[ $# -gt 1 ] || misuse "$1 needs a value"
}

common_usage() {
	cat <<-USAGE
	  -F, --ssh-config FILE; -o, --option KEYWORD=VALUE; --known-hosts FILE;
	  --identity FILE; -J, --jump HOST; -t, --connect-timeout SEC; --accept-new
	                        as of cexec(1)
	  --dry-run             only show the commands
	  -v, --verbose         show also what only looks
	  -h, --help
	USAGE
}

misuse() {
	echo "$me: $*" >&2
	echo "$me --help tells of its options" >&2
	exit 2
}

# begin: we are alone, and are root; what is left of us goes at the end.
begin() {
	[ "$(id -u)" -eq 0 ] || die "this takes root"
	T=$(mktemp -d "${TMPDIR:-/tmp}/csync.XXXXXX") || exit 1
	trap 'rm -rf "$T"' EXIT
	trap 'interrupted' INT TERM HUP
	: >"$T/hosts"
	: >"$T/failed"
	# Which hosts failed is read from the reports that the tools save.
	mkdir "$T/state"
	if [ "${CSYNC_LOCKED-}" != "$PPID" ]; then
		exec 8>>"$LOCK"
		flock -n 8 || {
			echo "$me: waits for another that is at work: $(cat "$LOCK")" >&2
			flock -w "${patience:-20}" 8 || die "another recipe is at work: $(cat "$LOCK")"
		}
		$dry || echo "$me, process $$" >"$LOCK"
		# What one that was killed had not yet put into its place.
		$dry || [ "$LOCK" != /run/csync.lock ] ||
		    rm -f "$MASTERDIR"/*.new[0-9]* "$PPKEYS"/*.new[0-9]* "$WORKDIR"/*.new[0-9]*
	fi
	note "$me $said"
}

interrupted() {
	echo "$me: ended. What is done stays; run it again, it goes on from there" >&2
	exit 130
}

# finish: the last word, and the exit status.
finish() {
	if [ -s "$T/failed" ]; then
		echo "$me: failed on $(wc -l <"$T/failed" | tr -d ' '): $(cut -d' ' -f1 "$T/failed" | paste -sd, -)" >&2
		while read -r host why; do
			echo "$me: $host: $why" >&2
		done <"$T/failed"
		echo "$me: ${hint:-mend what is named, then run it again for these; the others are done}" >&2
		status=1
	fi
	if $dry; then
		echo "$me: nothing was done (--dry-run)"
	elif [ $changes -eq 0 ] && [ $status -eq 0 ]; then
		echo "$me: all is as it should be, nothing was changed"
	fi
	leave
}

leave() {
	note "$me ends with $status, $changes changes"
	exit "$status"
}

die() {
	echo "$me: $*" >&2
	! ${syslog:-false} || $dry || logger -t "$me" -p daemon.err -- "$*" 2>/dev/null || :
	[ -z "$hint" ] || echo "$me: $hint" >&2
	note "error: $*"
	exit 1
}

# --- showing and running ----------------------------------------------------------

note() {
	$dry || echo "$(date '+%Y-%m-%d %H:%M:%S') [$$] $*" >>"$LOG"
}

step() {
	echo "# $*"
	note "# $*"
}

# quote WORD...: as the shell reads them.
quote() {
	sep=''
	for word; do
		case $word in
		'' | *[!A-Za-z0-9_./:=,@%+-]*)
			word="'$(printf '%s' "$word" | sed "s/'/'\\\\''/g")'" ;;
		esac
		printf '%s%s' "$sep" "$word"
		sep=' '
	done
}

show() {
	line=$(quote "$@")
	echo "+ $line"
	note "+ $line"
}

# do_ COMMAND...: a change on this host. Its failure ends the recipe.
do_() {
	show "$@"
	! $dry || return 0
	changes=$((changes + 1))
	"$@" 8>&- || die "failed with status $?: $(quote "$@")"
}

# look COMMAND...: changes nothing, so it is run in any case.
look() {
	! $verbose || show "$@"
	"$@" 8>&-
}

# --- files here -----------------------------------------------------------------

# back_up FILE: kept below $BACKUPS. What lies there on top is the last run's;
# that of earlier ones is in v_TIMESTAMP.
back_up() {
	if [ ! -e "$T/saved" ]; then
		old=$(find "$BACKUPS" -mindepth 1 -maxdepth 1 ! -name 'v_*' 2>/dev/null)
		if [ -n "$old" ]; then
			version=$BACKUPS/v_$(date -r "$BACKUPS" +%Y%m%d%H%M%S)
			mkdir -p "$version"
			find "$BACKUPS" -mindepth 1 -maxdepth 1 ! -name 'v_*' -exec mv -f {} "$version" \;
		fi
		: >"$T/saved"
	fi
	mkdir -p "$BACKUPS$(dirname "$1")"
	cp -p "$1" "$BACKUPS$1" || die "no backup of $1 could be made"
	echo "  the old one is kept as $BACKUPS$1"
}

# put_file FILE [MODE]: standard input becomes FILE, whole or not at all.
put_file() {
	cat >"$T/new"
	if [ -f "$1" ] && cmp -s "$T/new" "$1"; then
		return 0
	fi
	show install -m "${2:-600}" "${3:-NEW}" "$1"
	! $dry || return 0
	[ ! -f "$1" ] || back_up "$1"
	changes=$((changes + 1))
	if ! install -m "${2:-600}" "$T/new" "$1.new$$" || ! mv -f "$1.new$$" "$1"; then
		die "$1 could not be written"
	fi
}

make_dir() {
	[ -d "$1" ] || do_ install -d -m "$2" "$1"
}

# render TEMPLATE: with its tokens replaced, as $T/tokens has them: NAME VALUE.
render() {
	sed 's/[\\&|]/\\&/g; s/^\([A-Z_]*\) \(.*\)/s|<%\1%>|\2|g/; s/^\([A-Z_]*\) *$/s|<%\1%>||g/' \
	    "$T/tokens" >"$T/sed"
	sed -f "$T/sed" "$TEMPLATES/$1"
}

# --- many hosts -------------------------------------------------------------------

# The hosts as an option, in one word to be read, where that is short enough.
hosts_option() {
	fold=$(cexec --hostfile "$T/hosts" --fold) || die "no list of hosts: $T/hosts"
	if [ ${#fold} -lt 4000 ]; then
		set -- -w "$fold"
	else
		set -- --hostfile "$T/hosts"
	fi
	hosts_words=$(quote "$@")
}

# many TEXT TOOL ARGUMENT...: a tool on all hosts that are left.
many() {
	text=$1 tool=$2
	shift 2
	[ -s "$T/hosts" ] || return 0
	hosts_option
	args=$(quote "$@")
	! ${quiet:-false} || $verbose || show=:
	eval "${show:-show} $tool $SSHOPTS $hosts_words $args"
	! $dry || return 0
	rm -rf "$T/state/fanout"
	rc=0
	eval "XDG_STATE_HOME=\$T/state $tool $SSHOPTS $hosts_words $args" \
	    8>&- >"$T/said" 2>"$T/remarks" || rc=$?
	# What -v tells besides, for ccp.
	grep -vE ': (logged in as .*|.* is left out: .*)$' "$T/remarks" >&2 || :
	${quiet:-false} || sed 's/^/  /' "$T/said"
	cat "$T/said" >>"$LOG"
	case $rc in
	0) return 0 ;;
	1 | 3 | 4) ;;
	*) die "$tool ended with $rc" ;;
	esac
	# shellcheck disable=SC2012
	report=$(find "$T/state/fanout/runs" -name "*.$tool.jsonl" | sort | tail -n 1)
	sed -n '/"class":"ok"/d; s/^{"event":"done","host":"\([^"]*\)".*"class":"\([^"]*\)".*/\1 '"$text"': \2/p' \
	    "$report" >"$T/lost"
	[ -s "$T/lost" ] || die "$tool ended with $rc, and named no host"
	lose
}

# ask TEXT COMMAND: as each, of what changes nothing.
ask() {
	many "$1" cexec --no-progress "$2"
}

# The hosts of $T/lost, HOST WHY, are not among the hosts any more.
lose() {
	[ -s "$T/lost" ] || return 0
	cat "$T/lost" >>"$T/failed"
	cut -d' ' -f1 "$T/lost" | grep -vxFf - "$T/hosts" >"$T/left" || :
	mv "$T/left" "$T/hosts"
}

# each TEXT COMMAND: a host that has been changed says so, in a line.
each() {
	many "$1" cexec --no-progress "$2"
	$dry || changes=$((changes + $(wc -l <"$T/said")))
}

# put TEXT MODE FILE... DEST: only what differs is sent, and told of.
put() {
	text=$1 mode=$2
	shift 2
	many "$text" ccp --no-progress -v --mkdir --mode "$mode" "$@"
	$dry || changes=$((changes + $(grep -cE '^ +(new|changed|mode|replace)' "$T/said" || :)))
}

. "$SHARE/csync.sh"
