# lib.sh - what the recipes share: where things are, how steps are shown, run
# and recorded, how replaced files are kept, and how a step that fails on some
# hosts leaves the others going on.
#
# A recipe sets its options by getopts-like loops of its own, which hand what
# they do not know to common_option, then calls begin. Steps are
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
# family	workdir			cron	how CFEngine is installed
paths() {
	cat <<-'TABLE'
	debian	/var/lib/cfengine3	/etc/cron.d	apt-get install -y cfengine3
	redhat	/var/cfengine		/etc/cron.d	dnf install -y cfengine-community
	suse	/var/cfengine		/etc/cron.d	zypper -n install cfengine-community
	alpine	/var/cfengine		/etc/crontabs	apk add cfengine
	arch	/var/cfengine		/etc/cron.d	pacman -S --noconfirm cfengine
	other	/var/cfengine		/etc/cron.d	install CFEngine 3
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

row=$(paths | grep "^$(family)	")
WORKDIR=$(echo "$row" | awk '{ print $2 }')
INSTALL=$(echo "$row" | sed 's/.*cron[^	]*	//')
INPUTS=$WORKDIR/inputs
MASTERDIR=$WORKDIR/masterfiles
MASTERFILES=$WORKDIR/master_files
PPKEYS=$WORKDIR/ppkeys
BACKUPS=$WORKDIR/backups
REGISTRY=$WORKDIR/cfrun.keys
HOSTS=$MASTERDIR/cfrun.hosts
CONF=$WORKDIR/csync.conf
LOG=/var/log/csync.log
LOCK=/run/csync.lock

# --- beginning and end ----------------------------------------------------------

dry=false verbose=false changes=0 status=0 hint=''
SSHOPTS='' password=''

# What all recipes know. Returns how many words it took, 0 for none of its own.
common_option() {
	case $1 in
	--dry-run) dry=true ;;
	-v | --verbose) verbose=true ;;
	-h | --help) usage; exit 0 ;;
	-F | --ssh-config | -o | --option | --known-hosts | --identity | -J | --jump | -t | --connect-timeout)
		[ $# -gt 1 ] || misuse "$1 needs a value"
		SSHOPTS="$SSHOPTS $1 $(quote "$2")"
		return 2
		;;
	--accept-new) SSHOPTS="$SSHOPTS $1" ;;
	--password-fd)
		[ $# -gt 1 ] || misuse "$1 needs a value"
		password="--password-fd $2"
		return 2
		;;
	*) return 0 ;;
	esac
	return 1
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
		flock -n 8 || die "another recipe is at work: $(cat "$LOCK")"
		$dry || echo "$me, process $$" >"$LOCK"
	fi
	note "$me $*"
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
		echo "$me: mend what is named, then run it again for these; the others are done" >&2
		status=1
	fi
	if $dry; then
		echo "$me: nothing was done (--dry-run)"
	elif [ $changes -eq 0 ] && [ $status -eq 0 ]; then
		echo "$me: all is as it should be, nothing was changed"
	fi
	note "$me ends with $status, $changes changes"
	exit $status
}

die() {
	echo "$me: $*" >&2
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
	eval "show $tool $SSHOPTS $hosts_words $args"
	! $dry || return 0
	rm -rf "$T/state/fanout"
	rc=0
	eval "XDG_STATE_HOME=\$T/state $tool $SSHOPTS $hosts_words $args" \
	    8>&- >"$T/said" 2>"$T/remarks" || rc=$?
	# What -v tells besides, for ccp.
	grep -vE ': (logged in as .*|.* is left out: .*)$' "$T/remarks" >&2 || :
	sed 's/^/  /' "$T/said"
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

# --- CFEngine ---------------------------------------------------------------------

# digest FILE: of a public key.
digest() {
	cf-key -p "$1" 2>/dev/null | grep -E '^(MD5|SHA)=[0-9a-f]+$'
}

# A shell command that makes a key pair where there is none that is whole, and
# says so.
make_key() {
	echo "cd $PPKEYS && { [ -s localhost.priv ] && cf-key -p localhost.pub >/dev/null 2>&1; } ||" \
	    "{ rm -f $PPKEYS/localhost.priv $PPKEYS/localhost.pub; cf-key >/dev/null && echo made a key; }"
}

# serverd ACTION: a shell command that works with systemd, and without any.
# Both tell of what they change only.
serverd() {
	case $1 in
	start)
		cat <<-'SH' | tr -d '\t' | tr '\n' ' '
		if [ -d /run/systemd/system ]; then
		systemctl is-enabled -q cf-serverd || { systemctl enable -q cf-serverd; echo starts at boot; };
		systemctl is-active -q cf-serverd || { systemctl start cf-serverd; systemctl is-active -q cf-serverd && echo started; };
		else
		[ ! -d /etc/cron.d ] || [ -f /etc/cron.d/csync-serverd ] ||
		{ echo "@reboot root cf-serverd" >/etc/cron.d/csync-serverd; echo starts at boot; };
		pidof cf-serverd >/dev/null || { cf-serverd </dev/null >/dev/null 2>&1 && echo started; };
		fi
		SH
		;;
	restart)
		cat <<-'SH' | tr -d '\t' | tr '\n' ' '
		if [ -d /run/systemd/system ]; then systemctl restart cf-serverd;
		else for p in $(pidof cf-serverd); do kill $p; done; n=0;
		while pidof cf-serverd >/dev/null && [ $n -lt 100 ]; do sleep 0.1; n=$((n+1)); done;
		cf-serverd </dev/null >/dev/null 2>&1; fi; echo restarted
		SH
		;;
	reload)
		cat <<-'SH' | tr -d '\t' | tr '\n' ' '
		if [ -d /run/systemd/system ]; then systemctl kill -s HUP cf-serverd;
		else for p in $(pidof cf-serverd); do kill -HUP $p; done; fi
		SH
		;;
	esac
}

# --- the master's policy ------------------------------------------------------------

# The settings that csync-master was given, as NAME VALUE lines; see csync.conf.
setting() {
	sed -n "s/^$1 //p" "$CONF" 2>/dev/null
}

need_master() {
	[ -f "$CONF" ] || die "this host is no master yet: csync-master makes it one"
	master=$(setting POLICYHOST_NAME)
	master_key=$(digest "$PPKEYS/localhost.pub") || die "no key pair in $PPKEYS: csync-master makes one"
}

# list "a,b c": "a", "b", "c" as CFEngine has lists.
list() {
	echo "$1" | tr ', ' '\n' | sed '/^$/d; s/^\*\././; s/.*/"&"/' | paste -sd, - | sed 's/,/, /g'
}

# tokens NAME DOMAINS NETWORKS ADDRESSES KEY
tokens() {
	bind=''
	case $4 in
	# Names that are only in /etc/hosts are found for addresses of this kind.
	*[0-9].[0-9]*) bind='  bindtointerface  => "0.0.0.0";' ;;
	esac
	cat >"$T/tokens" <<-TOKENS
	POLICYHOST_NAME $1
	POLICYHOST_ADDRESSES $(list "$4")
	POLICYHOST_KEY $5
	CFSERVD_DOMAIN_LIST $(list "$2")
	CFSERVD_NETWORKS $(list "$3")
	DEFAULT_CLIENT_DNS_DOMAIN ${1#*.}
	BIND $bind
	WRAPPER $WRAPPER
	MASTERDIR $MASTERDIR
	MASTERFILES $MASTERFILES
	TOKENS
}

# The policy set in $MASTERDIR, from the templates. What is the site's own is
# written once.
write_policy() {
	step "the policy in $MASTERDIR; yours is site.cf"
	for file in csync_update.cf update.cf failsafe.cf promises.cf access.cf; do
		render $file | put_file "$MASTERDIR/$file" 600 "$TEMPLATES/$file"
	done
	for file in site.cf schedule.cf cfrun.hosts; do
		[ -f "$MASTERDIR/$file" ] ||
		    render $file | put_file "$MASTERDIR/$file" 600 "$TEMPLATES/$file"
	done
	wrapper=$SHARE/cfrun-agent
	[ -f "$wrapper" ] || wrapper=$LIBEXEC/cfrun-agent
	[ -f "$wrapper" ] || wrapper=$(dirname "$0")/../cfrun/cfrun-agent
	sed "s|@LIBEXECDIR@|${LIBEXEC%/fanout}|" "$wrapper" | put_file "$MASTERDIR/cfrun-agent" 600 "$wrapper"
	$dry || look cf-promises -f "$MASTERDIR/promises.cf" >"$T/promises" 2>&1 || {
		cat "$T/promises" >&2
		hint="mend $MASTERDIR/site.cf (backups are in $BACKUPS) and run it again"
		die "the policy does not stand cf-promises; nothing was handed out"
	}
}

# The master's own agent puts the policy into $INPUTS, from where its
# cf-serverd and cfrun read it.
take_policy() {
	step "the master takes its policy"
	before=$(sums)
	if $dry || ! same_policy; then
		do_ cf-agent --no-lock -f "$MASTERDIR/update.cf"
	fi
	$dry || same_policy || die "the policy of $MASTERDIR did not reach $INPUTS"
	if $dry || [ "$before" != "$(sums)" ]; then
		do_ sh -c "$(serverd reload)"
	fi
}

sums() {
	(cd "$INPUTS" 2>/dev/null && cat access.cf promises.cf cfrun.hosts csync_update.cf 2>/dev/null) | cksum
}

same_policy() {
	(cd "$MASTERDIR" && find . -type f ! -name 'cf_promises_*') >"$T/files"
	while read -r file; do
		cmp -s "$MASTERDIR/$file" "$INPUTS/$file" || return 1
	done <"$T/files"
	[ -x "$WRAPPER" ]
}

# running: cf-serverd answers with our key.
serving() {
	tries=100
	while ! cfrun --any-host --ping -S --no-report "$1" >/dev/null 2>"$T/ping"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.2
	done
}

# learn HOST FILE: the public key of a host becomes a key of this master, under
# its digest, and the host's in the registry.
learn() {
	key=$(digest "$2") || die "$2 is no public key"
	if ! cmp -s "$2" "$PPKEYS/root-$key.pub"; then
		put_file "$PPKEYS/root-$key.pub" 600 "its localhost.pub" <"$2"
	fi
	old=$(awk -v h="$1" '$1 == h { d = $2 } END { print d }' "$REGISTRY" 2>/dev/null)
	[ "$old" = "$key" ] || register "$1" "$key"
	[ -z "$old" ] || [ "$old" = "$key" ] || forget "$old"
}

# register HOST [DIGEST]: its line, and no other; none without DIGEST.
register() {
	show "$([ -n "${2-}" ] && echo "$REGISTRY: $1 $2" || echo "$REGISTRY: without $1")"
	changes=$((changes + 1))
	: >>"$REGISTRY"
	(
		flock 7
		awk -v h="$1" '$1 != h' "$REGISTRY" >"$T/registry"
		[ -z "${2-}" ] || echo "$1 $2" >>"$T/registry"
		# In place, as others may wait for the lock of this very file.
		cat "$T/registry" >"$REGISTRY"
	) 7<>"$REGISTRY" || die "$REGISTRY could not be written"
}

# forget DIGEST: refused from now on, unless another host has that key.
forget() {
	grep -q " $1\$" "$REGISTRY" 2>/dev/null && return 0
	[ ! -f "$PPKEYS/root-$1.pub" ] || do_ rm -f "$PPKEYS/root-$1.pub"
}

# --- clients ------------------------------------------------------------------------

# The hosts of $T/hosts that are not in cfrun.hosts are added to it.
add_hosts() {
	awk '{ print $1 }' "$HOSTS" 2>/dev/null | grep -vxFf - "$T/hosts" >"$T/new_hosts" || :
	[ -s "$T/new_hosts" ] || return 0
	cat "$HOSTS" "$T/new_hosts" >"$T/cfrun.hosts"
	put_file "$HOSTS" 600 "$HOSTS with $(paste -sd, - <"$T/new_hosts")" <"$T/cfrun.hosts"
}

# Domains of new hosts may fetch policy, too, where their addresses may not.
widen() {
	domains=$(setting DOMAINS)
	while read -r host; do
		covered=false
		for domain in $(echo "$domains" | tr ',' ' '); do
			case $host in
			*"${domain#\*}") covered=true ;;
			esac
		done
		$covered || domains="$domains,*.${host#*.}"
	done <"$T/hosts"
	if [ "$domains" != "$(setting DOMAINS)" ]; then
		sed "s|^DOMAINS .*|DOMAINS $domains|" "$CONF" | put_file "$CONF" 644 "DOMAINS $domains"
	fi
	tokens "$master" "$domains" "$(setting NETWORKS)" "$(setting ADDRESSES)" "$master_key"
	render access.cf | put_file "$MASTERDIR/access.cf" 600 "$TEMPLATES/access.cf"
}

# A shell command by which a client fetches its policy. cf-agent ends with 0
# whatever happens, so what it says, and what is there, decide.
fetch_policy() {
	cat <<-SH | tr -d '\t' | tr '\n' ' '
	out=\$(cf-agent --no-lock -f $INPUTS/update.cf 2>&1);
	echo "\$out" | grep -v '^ *\$' | sed 's/^R: //';
	! echo "\$out" | grep -q error: && cf-promises >&2 && [ -x $WRAPPER ]
	SH
}

# cfrun on all hosts of $T/hosts; who fails is named.
test_cfrun() {
	rc=0
	rm -rf "$T/state/fanout"
	eval "XDG_STATE_HOME=\$T/state cfrun --no-progress --retries 3 $hosts_words -- --inform" 8>&- >"$T/said" || rc=$?
	sed 's/^/  /' "$T/said"
	[ $rc -ne 0 ] || return 0
	report=$(find "$T/state/fanout/runs" -name '*.cfrun.jsonl' | sort | tail -n 1)
	[ -n "$report" ] || die "cfrun ended with $rc"
	sed -n '/"class":"ok"/d; s/^{"event":"done","host":"\([^"]*\)".*"class":"\([^"]*\)".*/\1 cfrun: \2/p' \
	    "$report" >>"$T/failed"
}
