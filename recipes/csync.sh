# csync.sh - what the recipes for CFEngine share: keys, the master's policy, its
# clients. Read by lib.sh.
# shellcheck shell=sh disable=SC2016,SC2034,SC2153  # across files

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

# serverd start|stop|restart: a shell command that works with systemd, and
# without any, and tells of what it changes. On members of a package it is the
# cluster that starts it at boot. One that is older than its keys or
# its policy is started anew: it would not know of them.
serverd() {
	old="find $PPKEYS/localhost.priv $INPUTS/access.cf $INPUTS/promises.cf -newer $PIDDIR/cf-serverd.pid"
	case $1 in
	start)
		script <<-SH
		if [ -f $HA_CONF ]; then :;
		elif [ -d /run/systemd/system ]; then $(at_boot cf-serverd)
		else
		[ ! -d /etc/cron.d ] || [ -f /etc/cron.d/csync-serverd ] ||
		{ echo "@reboot root cf-serverd" >/etc/cron.d/csync-serverd; echo starts at boot; };
		fi;
		if ! pidof cf-serverd >/dev/null || [ -n "\$($old)" ]; then $(serverd restart) fi
		SH
		;;
	restart)
		script <<-SH
		if [ -d /run/systemd/system ]; then systemctl restart cf-serverd;
		else $(end_process cf-serverd) cf-serverd --no-lock </dev/null >/dev/null 2>&1; fi;
		n=0; while ! pidof cf-serverd >/dev/null && [ \$n -lt 50 ]; do sleep 0.1; n=\$((n+1)); done;
		pidof cf-serverd >/dev/null && echo cf-serverd started;
		SH
		;;
	stop)
		script <<-SH
		if [ -d /run/systemd/system ]; then
		! systemctl is-active -q cf-serverd || echo cf-serverd stopped;
		systemctl disable -q --now cf-serverd;
		else
		[ ! -f /etc/cron.d/csync-serverd ] || rm -f /etc/cron.d/csync-serverd;
		pidof cf-serverd >/dev/null && echo cf-serverd stopped;
		$(end_process cf-serverd)
		fi
		SH
		;;
	esac
}

# at_boot UNIT: it starts then. CFEngine's own unit starts the others, whether they are
# enabled or not.
at_boot() {
	script <<-SH
	for u in $1 cfengine3; do
	systemctl is-enabled -q \$u 2>/dev/null || ! systemctl cat \$u >/dev/null 2>&1 ||
	{ systemctl enable -q \$u && echo \$u starts at boot; }; done;
	SH
}

# script: of what is on standard input, to be read as well as run.
script() {
	printf '\n'
	sed '/^[ 	]*$/d; s/^[ 	]*/    /'
}

oneline() {
	tr -d '\t' | tr '\n' ' '
}

end_process() {
	script <<-SH
	for p in \$(pidof $1); do kill \$p; done; n=0;
	while pidof $1 >/dev/null && [ \$n -lt 100 ]; do sleep 0.1; n=\$((n+1)); done;
	SH
}

# here COMMAND: such a command on this host; it is only shown if it will change
# something, which it tells.
here() {
	if $dry; then
		show sh -c "$1"
		return 0
	fi
	look sh -c "$1" >"$T/said" 2>&1 || {
		cat "$T/said" >&2
		die "failed: $1"
	}
	[ ! -s "$T/said" ] || show sh -c "$1"
	sed 's/^/  /' "$T/said"
	changes=$((changes + $(wc -l <"$T/said")))
}

# --- the master's policy ------------------------------------------------------------

# The settings that csync-master was given, as NAME VALUE lines; see csync.conf.
setting() {
	sed -n "s/^$1 //p" "$CONF" 2>/dev/null
}

# set_setting NAME VALUE
set_setting() {
	{
		grep -v "^$1 " "$CONF" 2>/dev/null
		echo "$1 $2"
	} | sort | put_file "$CONF" 644 "$1 $2"
}

# A shell command: what the policy in this folder is, in short. The list of
# clients is none.
SUM="find . -type f ! -name 'cf_promises_*' ! -name cfrun.hosts | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c 1-12"

# Of the members of a package only the one that runs it has the policy.
need_policy() {
	[ ! -f "$HA_CONF" ] || [ -e "$WORKDIR/state/am_policy_hub" ] ||
	    die "the package csync does not run on this member: do it where it does, which csync-ha show tells"
}

# This host is the master: $master, $master_key and $address are its name, key
# and address. They are made up where a dry run comes before csync-master.
need_master() {
	if $dry && [ ! -f "$CONF" ]; then
		master=$(hostname -f 2>/dev/null || hostname) master_key=DIGEST address=ADDRESS
		return 0
	fi
	[ -f "$CONF" ] || die "this host is no master yet: csync-master makes it one"
	need_policy
	master=$(setting POLICYHOST_NAME)
	address=$(cat "$WORKDIR/policy_server.dat")
	master_key=$(digest "$PPKEYS/localhost.pub") || die "no key pair in $PPKEYS: csync-master makes one"
}

# list "a,b c": "a", "b", "c" as CFEngine has lists.
list() {
	echo "$1" | tr ', ' '\n' | sed '/^$/d; s/^\*\././; s/.*/"&"/' | paste -sd, - | sed 's/,/, /g'
}

schedule_classes() {
	classes=$(setting SCHEDULE)
	echo "${classes:-Min00_05}"
}

# As the settings say.
policy_tokens() {
	tokens "$master" "$(setting DOMAINS)" "$(setting NETWORKS)" "$(setting ADDRESSES)" "$master_key"
}

# tokens NAME DOMAINS NETWORKS ADDRESSES KEY
tokens() {
	bind=''
	case $4 in
	# Names that are only in /etc/hosts are found for addresses of this kind.
	*[0-9].[0-9]*) bind='  bindtointerface  => "0.0.0.0";' ;;
	esac
	mail=$(setting MAILTO)
	mail=${mail:+"  mailto       => \"$mail\";"}
	cat >"$T/tokens" <<-TOKENS
	POLICYHOST_NAME $1
	POLICYHOST_ADDRESSES $(list "$4")
	POLICYHOST_KEYS $(list "$5")
	CFSERVD_DOMAIN_LIST $(list "$2")
	CFSERVD_NETWORKS $(list "$3")
	DEFAULT_CLIENT_DNS_DOMAIN ${1#*.}
	BIND $bind
	SCHEDULE $(list "$(schedule_classes)")
	MAILTO $mail
	WRAPPER $WRAPPER
	SERVED_POLICY $(readlink "$MASTERDIR" || echo '$(sys.masterdir)')
	SERVED_FILES $(readlink "$MASTERFILES" || echo '$(csync.master_files)')
	MASTERDIR $MASTERDIR
	MASTERFILES $MASTERFILES
	TOKENS
}

# The policy set in $MASTERDIR, from the templates. What is the site's own is
# written once.
write_policy() {
	step "the policy in $MASTERDIR; yours is site.cf"
	for file in csync_update.cf update.cf failsafe.cf promises.cf access.cf schedule.cf; do
		render $file | put_file "$MASTERDIR/$file" 600 "$TEMPLATES/$file"
	done
	for file in site.cf cfrun.hosts; do
		[ -f "$MASTERDIR/$file" ] ||
		    render $file | put_file "$MASTERDIR/$file" 600 "$TEMPLATES/$file"
	done
	wrapper=$SHARE/cfrun-agent
	[ -f "$wrapper" ] || wrapper=$LIBEXEC/cfrun-agent
	[ -f "$wrapper" ] || wrapper=$(dirname "$0")/../cfrun/cfrun-agent
	sed "s|@LIBEXECDIR@|${LIBEXEC%/fanout}|" "$wrapper" | put_file "$MASTERDIR/cfrun-agent" 600 "$wrapper"
	check_policy
}

check_policy() {
	$dry || look cf-promises -f "$MASTERDIR/promises.cf" >"$T/promises" 2>&1 || {
		cat "$T/promises" >&2
		hint="mend it (backups are in $BACKUPS) and run this again; clients keep what they have"
		die "the policy does not stand cf-promises; nothing was handed out"
	}
}

# The master's own agent puts the policy into $INPUTS, from where its
# cf-serverd and cfrun read it.
take_policy() {
	step "the master takes its policy, and serves it"
	if $dry || ! same_policy; then
		do_ cf-agent --no-lock -f "$MASTERDIR/update.cf"
	fi
	$dry || same_policy || die "the policy of $MASTERDIR did not reach $INPUTS"
	here "$(serverd start)"
}

same_policy() {
	(cd "$MASTERDIR" && find . -type f ! -name 'cf_promises_*') >"$T/files"
	while read -r file; do
		cmp -s "$MASTERDIR/$file" "$INPUTS/$file" || return 1
	done <"$T/files"
	[ -x "$WRAPPER" ]
}

# serving HOST [once]: its cf-serverd answers; without "once" it is waited for.
serving() {
	tries=100
	[ -z "${2-}" ] || tries=1
	while ! cfrun --any-host --ping -S --no-report "$1" >/dev/null 2>"$T/ping"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.2
	done
}

# admit FILE: a public key is trusted, under its digest, which is then in $key.
admit() {
	key=$(digest "$1") || die "$1 is no public key"
	cmp -s "$1" "$PPKEYS/root-$key.pub" ||
	    put_file "$PPKEYS/root-$key.pub" 600 "the public key" <"$1"
}

# learn HOST FILE: the public key of a host becomes a key of this master, under
# its digest, and the host's in the registry.
learn() {
	admit "$2"
	old=$(registered "$1")
	# In this order, so that none is left that nobody has, whenever it ends.
	[ -z "$old" ] || [ "$old" = "$key" ] || forget "$old" "$1"
	[ "$old" = "$key" ] || register "$1" "$key"
}

# register HOST [DIGEST]: its line, and no other; none without DIGEST.
register() {
	show "$([ -n "${2-}" ] && echo "$REGISTRY: $1 $2" || echo "$REGISTRY: without $1")"
	! $dry || return 0
	changes=$((changes + 1))
	: >>"$REGISTRY"
	(
		# Against cfrun, which adds to it.
		flock 7
		awk -v h="$1" '$1 != h' "$REGISTRY" >"$T/registry"
		[ -z "${2-}" ] || echo "$1 $2" >>"$T/registry"
		install -m 644 "$T/registry" "$REGISTRY.new$$" && mv -f "$REGISTRY.new$$" "$REGISTRY"
	) 7<>"$REGISTRY" || die "$REGISTRY could not be written"
}

# forget DIGEST HOST: refused from now on, unless another host has that key.
forget() {
	awk -v d="$1" -v h="$2" '$2 == d && $1 != h { n++ } END { exit n == 0 }' "$REGISTRY" 2>/dev/null && return 0
	[ ! -f "$PPKEYS/root-$1.pub" ] || do_ rm -f "$PPKEYS/root-$1.pub"
}

# --- clients ------------------------------------------------------------------------

# named_hosts [--gone]: those of the command line into $T/hosts, fully qualified, as
# cfrun.hosts has them; hosts that are gone may have no address any more.
# shellcheck disable=SC2120
named_hosts() {
	eval "cexec $words --list" >"$T/named" || exit 2
	while read -r host; do
		case $host in
		*@* | *:*) misuse "only names are possible, users and ports go into ssh_config: $host" ;;
		esac
		full_name "$host" || { [ -n "${1-}" ] && listed "$host"; } ||
		    die "$host has no address: put it into DNS or /etc/hosts"
	done <"$T/named" >"$T/hosts"
	! grep -qxF "$master" "$T/hosts" || die "$master is the master itself"
}

# As cfrun.hosts has it.
listed() {
	known_clients | grep -xF -e "$1" -e "$1.${master#*.}"
}

full_name() {
	getent hosts "$1" | awk -v name="$1" -v domain="${master#*.}" '
	NR == 1 {
		full = name ~ /[A-Za-z].*\./ ? name : ""
		for (i = 2; i <= NF && full == ""; i++)
			if ($i ~ /\./)
				full = $i
		print full != "" ? full : $2 "." domain
	}
	END { exit NR == 0 }'
}

# clients: those of the command line, else all of cfrun.hosts.
clients() {
	if [ -n "$words" ]; then
		# shellcheck disable=SC2119
		named_hosts
		known_clients >"$T/clients"
		grep -vxFf "$T/clients" "$T/hosts" >"$T/strangers" || return 0
		die "no client of this master: $(paste -sd, "$T/strangers")"
	fi
	known_clients >"$T/hosts"
}

known_clients() {
	cfrun -f "$HOSTS" --list 2>/dev/null
}

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
	policy_tokens
	render access.cf | put_file "$MASTERDIR/access.cf" 600 "$TEMPLATES/access.cf"
}

# What clients have from the master: its key, where it is, the policy; and their
# cf-serverd serves that.
sync_clients() {
	step "the master's key, and where the master is"
	put "the master's key cannot be copied" 600 "$PPKEYS/localhost.pub" "$PPKEYS/root-$master_key.pub"
	put "policy_server.dat cannot be copied" 644 "$WORKDIR/policy_server.dat" "$WORKDIR/policy_server.dat"
	step "the policy: what fetches it, and then by itself"
	put "update.cf cannot be copied" 600 "$MASTERDIR/update.cf" "$MASTERDIR/csync_update.cf" \
	    "$MASTERDIR/failsafe.cf" "$INPUTS/"
	each "cf-agent fetches no policy" "$(fetch_policy)"
	step "cf-serverd runs, now and from boot on"
	each "cf-serverd does not start" "$(serverd start)"
}

# A shell command by which a client fetches its policy. cf-agent ends with 0
# whatever happens, so what it says, and what is there, decide.
fetch_policy() {
	script <<-SH
	out=\$(cf-agent --no-lock -f $INPUTS/update.cf 2>&1);
	echo "\$out" | grep -v '^ *\$' | sed 's/^R: //';
	! echo "\$out" | grep -q error: && cf-promises >&2 && [ -x $WRAPPER ]
	SH
}

# test_cfrun ARGUMENT...: cfrun on all hosts of $T/hosts; who fails is named. A
# cf-serverd that was just started may not listen yet.
test_cfrun() {
	args=$(quote "$@")
	rc=0
	rm -rf "$T/state/fanout"
	eval "XDG_STATE_HOME=\$T/state cfrun --no-progress --retries ${retries:-3} $CFRUNOPTS $hosts_words $args" 8>&- >"$T/said" || rc=$?
	sed 's/^/  /' "$T/said"
	[ $rc -ne 0 ] || return 0
	report=$(find "$T/state/fanout/runs" -name '*.cfrun.jsonl' | sort | tail -n 1)
	[ -n "$report" ] || die "cfrun ended with $rc"
	sed -n '/"class":"ok"/d; s/^{"event":"done","host":"\([^"]*\)".*"class":"\([^"]*\)".*/\1 cfrun: \2/p' \
	    "$report" >>"$T/failed"
}

# --- members of a cluster -------------------------------------------------------------
#
# The setting MEMBERS names hosts that may become the master, as they do when the
# master is a package of a cluster: they have its key pair, not one of their own,
# and know whom it trusts.

members() {
	{ setting MEMBERS | tr ' ' '\n'; cat "$T/joining" 2>/dev/null; } | sed '/^$/d' | sort -u
}

is_member() {
	members | grep -qxF "$1"
}

# Of $T/hosts only these are left, without this host.
other_members() {
	members | grep -xFf - "$T/hosts" | grep -vxF "$(full_name "$(hostname)")" >"$T/left" || :
	mv "$T/left" "$T/hosts"
}

# member_addresses: those of ADDRESSES, from which cfrun comes, with those of all
# members and without those of $T/leaving.
member_addresses() {
	{
		setting ADDRESSES | tr ',' '\n'
		members | addresses_of
	} | awk '!seen[$0]++' >"$T/addresses"
	: >>"$T/leaving"
	addresses_of <"$T/leaving" | grep -vxFf - "$T/addresses" | paste -sd,
}

addresses_of() {
	while read -r host; do
		getent ahosts "$host" | awk '{ print $1 }'
	done | sort -u
}

# share: what the master knows, on the members of $T/hosts.
share() {
	[ -s "$T/hosts" ] || return 0
	each "no folders" "mkdir -p $PPKEYS $INPUTS && chmod 700 $PPKEYS $INPUTS"
	put "the keys of the master cannot be copied" 600 --exclude 'csync-*' -r -T "$PPKEYS" "$PPKEYS"
	put "the settings cannot be copied" 644 "$CONF" "$REGISTRY" "$WORKDIR/"
	each "keys that are refused stay" "$(script <<-SH
	cd $PPKEYS && own=\$(cf-key -p localhost.pub) && for f in root-*.pub; do
	d=\${f#root-}; d=\${d%.pub};
	[ "\$d" = "\$own" ] || grep -q " \$d\\\$" $REGISTRY || { rm -f "\$f" && echo "without \$f"; }; done;
	SH
	)"
}

# share_all: with all members, when something has changed. Who is lost on the
# way is named, and $T/hosts stays as it is otherwise.
share_all() {
	[ -n "$(members)" ] || return 0
	cp "$T/hosts" "$T/kept"
	members >"$T/members"
	cut -d' ' -f1 "$T/failed" | grep -vxFf - "$T/members" >"$T/hosts" || :
	other_members
	step "the other members of the cluster know it, too"
	keep_shared
	share
	each "cf-agent fetches no policy" "$(fetch_policy)"
	each "cf-serverd does not start" "$(serverd start)"
	cut -d' ' -f1 "$T/failed" | grep -vxFf - "$T/kept" >"$T/hosts" || :
}

# keep_shared: and whoever becomes the master without having been told finds it
# where the policy is.
keep_shared() {
	shared=$(readlink "$MASTERDIR") || return 0
	shared=${shared%/*}/member
	$dry || [ ! -d "$shared" ] || {
		mkdir -p "$shared/ppkeys" && chmod 700 "$shared/ppkeys" &&
		    cp -p "$CONF" "$REGISTRY" "$shared/" && cp -p "$PPKEYS"/localhost.priv "$PPKEYS"/*.pub "$shared/ppkeys/" &&
		    for file in "$shared"/ppkeys/*.pub; do
			[ -e "$PPKEYS/${file##*/}" ] || rm -f "$file"
		    done
	} || die "$shared cannot be written"
}

# unlearn HOST: no key is its key any more.
unlearn() {
	old=$(registered "$1")
	[ -n "$old" ] || return 0
	forget "$old" "$1"
	register "$1"
	# CFEngine's own notes on whom it saw; they decide nothing.
	$dry || cf-key -x -r "$old" >/dev/null 2>&1 || :
}

registered() {
	awk -v h="$1" '$1 == h { d = $2 } END { print d }' "$REGISTRY" 2>/dev/null
}

# How clients run their agents by themselves, as csync-schedule was told.
runs() {
	setting RUNS | grep . || echo none
}

# schedule show: one that tells which way it is.
#
# schedule cron TIME|execd|none: a shell command that has the agent run in this
# way and in no other, and tells of what it changes. A TIME of "hourly" is at a
# minute of the host's own, so that not all come to the master at once.
schedule() {
	cron=/etc/cron.d/csync
	case $1 in
	cron)
		script <<-SH
		at="$2"; [ "\$at" != hourly ] ||
		at="\$((\$(hostname | cksum | cut -d' ' -f1) % 60)) * * * *";
		line="\$at root $(command -v cf-execd) -O";
		[ "\$(cat $cron 2>/dev/null)" = "\$line" ] || { echo "\$line" >$cron.new && mv $cron.new $cron && echo "$cron: \$line"; };
		SH
		execd_stop
		;;
	execd)
		script <<-SH
		[ ! -f $cron ] || { rm -f $cron && echo "$cron removed"; };
		if [ -d /run/systemd/system ]; then
		[ "\$(systemctl is-enabled cf-execd 2>/dev/null)" != masked ] || systemctl unmask -q cf-execd;
		$(at_boot cf-execd)
		systemctl is-active -q cf-execd || { systemctl start cf-execd && echo cf-execd started; };
		else
		[ ! -d /etc/cron.d ] || [ -f /etc/cron.d/csync-execd ] ||
		{ echo "@reboot root cf-execd" >/etc/cron.d/csync-execd; echo cf-execd starts at boot; };
		pidof cf-execd >/dev/null || { cf-execd --no-lock </dev/null >/dev/null 2>&1 && echo cf-execd started; };
		fi;
		SH
		;;
	show)
		script <<-SH
		way=; [ ! -f $cron ] || way="cron \$(cut -d' ' -f1-5 $cron)";
		! pidof cf-execd >/dev/null || way="\$way execd";
		echo "\${way:-by cfrun only}"
		SH
		;;
	none)
		script <<-SH
		[ ! -f $cron ] || { rm -f $cron && echo "$cron removed"; };
		SH
		execd_stop
		;;
	esac
}

# One that is only disabled would be started by the unit cfengine3.
execd_stop() {
	script <<-SH
	if [ -d /run/systemd/system ]; then
	! systemctl is-active -q cf-execd || { systemctl stop cf-execd; echo cf-execd stopped; };
	[ "\$(systemctl is-enabled cf-execd 2>/dev/null)" = masked ] ||
	{ systemctl disable -q cf-execd 2>/dev/null; systemctl mask -q cf-execd && echo cf-execd does not start at boot; };
	else
	rm -f /etc/cron.d/csync-execd;
	! pidof cf-execd >/dev/null || { $(end_process cf-execd) echo cf-execd stopped; };
	fi;
	SH
}
