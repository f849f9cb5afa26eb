# ha.sh - what csync-ha consists of: its questions, the members, the resources of
# the cluster by pcs or crmsh, and how members that come and go are followed.
# shellcheck shell=sh disable=SC2034,SC2153,SC2154  # across files

AGENTS=/usr/lib/ocf/resource.d/fanout
ALERT=$LIBEXEC/csync-alert
SPOOL=/run/csync-ha
ROOTSSH=$HOME/.ssh

# --- the cluster ------------------------------------------------------------------

need_cluster() {
	for program in crm_node crm_resource cibadmin corosync-cmapctl; do
		command -v $program >/dev/null || die "there is no $program: install pacemaker and corosync, and make the cluster first"
	done
	crm_node -n >/dev/null 2>&1 || die "the cluster does not run here: crm_node -n"
	for manager in ${with:-pcs crm}; do
		! command -v "$manager" >/dev/null || return 0
	done
	die "neither pcs nor crm is installed${with:+ ($with)}"
}

# NAME STATE lines of the nodes that are configured: crm_node also remembers some
# that were removed.
nodes() {
	crm_node -l | awk '$3 == "member" { print $2 }' >"$T/up"
	cibadmin -Q --scope nodes 2>/dev/null | sed -n 's/.*<node .*uname="\([^"]*\)".*/\1/p' |
	    awk -v up="$T/up" 'BEGIN { while ((getline name <up) > 0) on[name] }
	    { print $1, $1 in on ? "online" : "lost" }'
}

names_of() {
	while read -r node; do
		full_name "$node" || die "$node has no address: put it into DNS or /etc/hosts of all members"
	done
}

node_names() {
	nodes | cut -d' ' -f1 | names_of
}

live_names() {
	nodes | sed -n 's/ online$//p' | names_of
}

# The cluster's name for a host.
node_of() {
	nodes | cut -d' ' -f1 | while read -r node; do
		[ "$(full_name "$node")" != "$1" ] || echo "$node"
	done
}

all_online() {
	down=$(nodes | sed -n 's/ lost$//p' | paste -sd, -)
	[ -z "$down" ] || die "all members have to be up, and these are not: $down"
	have_quorum=$(crm_node -q)
	[ "$have_quorum" = 1 ] || die "this part of the cluster has no quorum"
}

need_fencing() {
	enabled=$(crm_attribute -q -G -t crm_config -n stonith-enabled -d true 2>/dev/null)
	case $enabled in
	[Ff]* | [Nn]* | 0 | off)
		echo "$me: warning: the cluster has no fencing (stonith-enabled is $enabled): a member that hangs" \
		    "and comes back may write to the file system that another has mounted, and destroy it" >&2
		return 0
		;;
	esac
	cibadmin -Q --xpath "//primitive[@class='stonith']" >/dev/null 2>&1 || {
		hint="make a fencing resource first; only for a try: crm_attribute -n stonith-enabled -v false"
		die "fencing is enabled, and no device for it is configured: no resource would start"
	}
}

have() {
	cibadmin -Q --xpath "//*[@id='$1']" >/dev/null 2>&1
}

# param RESOURCE NAME VALUE: that is its value.
param() {
	[ "$(crm_resource -r "$1" -g "$2" 2>/dev/null)" = "$3" ] ||
	    do_ crm_resource -r "$1" -p "$2" -v "$3"
}

active_node() {
	crm_resource -r csync-ip -W -Q 2>/dev/null | head -n 1
}

runs_here() {
	settled
	[ "$(active_node)" = "$(crm_node -n)" ] && mountpoint -q "$pkg_mount"
}

# need_here: or why not.
need_here() {
	! runs_here || return 0
	where=$(active_node)
	[ -z "$where" ] || [ "$where" = "$(crm_node -n)" ] || die "the package runs on $where: do this there"
	failures >&2
	hint="when it is mended: crm_resource --cleanup, and this once more; csync-ha undo takes away what was made"
	die "the package does not come up"
}

failures() {
	crm_mon -1 2>/dev/null | sed -n '/^Failed/,$p'
}

settled() {
	crm_resource --wait --timeout=90s >/dev/null 2>&1 8>&-
}

parts() {
	case $pkg_vg in
	shared) ;;
	none) echo csync-fs ;;
	*) printf '%s\n' csync-lvm csync-fs ;;
	esac
	printf '%s\n' csync-ip csync-master
}

whole() {
	settled
	for part in $(parts); do
		[ -n "$(crm_resource -r "$part" -W -Q 2>/dev/null)" ] || return 1
	done
}

gone() {
	settled
	for part in $(parts); do
		[ -z "$(crm_resource -r "$part" -W -Q 2>/dev/null)" ] || return 1
	done
}

stopped() {
	[ "$(crm_resource -r csync -m -g target-role 2>/dev/null)" = Stopped ]
}

# --- questions ------------------------------------------------------------------------

# question KEY PROMPT DEFAULT: the answer in $answer, from the file if it has one.
question() {
	printf '%s' "$2 [$3]: "
	if grep -q "^$1=" "$answers" 2>/dev/null; then
		answer=$(sed -n "s/^$1=//p" "$answers" | tail -n 1)
		echo "$answer (recorded)"
		recorded=true
	else
		recorded=false
		IFS= read -r answer || { echo; die "no answer for $1"; }
	fi
	answer=$(printf '%s' "$answer" | tr -d '\000-\037' | sed 's/^ *//; s/ *$//')
	answer=${answer:-$3}
}

# until_right KEY PROMPT DEFAULT: until check_KEY has nothing against it. What it
# says to that is in $why.
until_right() {
	while :; do
		question "$@"
		if why=$("check_$1" "$answer"); then
			echo "$1=$answer" >>"$T/answers"
			return 0
		fi
		! $recorded || die "$answers: $1: $why"
		[ -t 0 ] || die "$1: $why"
		echo "  $why"
	done
}

ask_all() {
	keep=$answers
	[ -n "$answers" ] || known_answers
	vg=none
	! command -v vgs >/dev/null || vg=/dev/vgcsync
	cat <<-TEXT
	The package csync needs storage that all members reach, with a file system on
	it, an address that is free, and best a name for it. "none" as volume group is
	for a disk that is not under LVM, "shared" for a file system that all members
	have mounted already, such as GFS2 or NFS.
	TEXT
	until_right volume_group "Enter the Volume group" "$vg"
	pkg_vg=${answer#/dev/}
	ask_storage
	until_right address "Enter the IP address" ""
	pkg_address=$answer
	until_right subnet "Enter the Subnet" "$(network_of "$pkg_address")"
	pkg_network=$(network_of "$pkg_address")
	name=$(getent hosts "$pkg_address" | awk '$2 ~ /\./ { print $2; exit }')
	fqdn=$(hostname -f 2>/dev/null || hostname)
	until_right name "Enter the name of that address" "${name:-csync.${fqdn#*.}}"
	pkg_name=$answer
	use_package
	[ -z "$keep" ] || put_file "$keep" 600 "the answers" <"$T/answers"
}

ask_storage() {
	volume=''
	case $pkg_vg in
	none) ;;
	shared)
		until_right mount_point "Enter the Filesystem (Mount Point)" /csync
		pkg_mount=$answer
		pkg_volume=shared pkg_options=-
		pkg_fstype=$(findmnt -n -o FSTYPE "$pkg_mount")
		return 0
		;;
	*) volume=/dev/$pkg_vg/lvol1 ;;
	esac
	until_right logical_volume "Enter the Logical Volume" "$volume"
	pkg_volume=$answer
	until_right mount_point "Enter the Filesystem (Mount Point)" /csync
	pkg_mount=$answer
	until_right mount_options "Enter the Mount Options" "-o rw"
	pkg_options=$(echo "${answer#-o}" | tr -d ' ')
	pkg_fstype=$(blkid -o value -s TYPE "$pkg_volume" 2>/dev/null)
	until_right fs_type "Enter the Filesystem Type" "${pkg_fstype:-ext4}"
	pkg_fstype=$answer
}

# What was answered before is not asked again.
known_answers() {
	[ -f "$HA_CONF" ] || return 0
	answers=$T/known
	sed 's/^VG /volume_group=/; s/^VOLUME /logical_volume=/; s/^MOUNT /mount_point=/
	    s/^OPTIONS /mount_options=/; s/^FSTYPE /fs_type=/; s/^ADDRESS /address=/
	    s/^NETWORK /subnet=/; s/^NAME /name=/' "$HA_CONF" >"$answers"
}

use_package() {
	SHARED=$pkg_mount/csync
	master=$pkg_name
}

check_volume_group() {
	name=${1#/dev/}
	case $name in
	none | shared) return 0 ;;
	'' | *[!A-Za-z0-9+_.-]*) echo "no volume group: $1"; return 1 ;;
	esac
	command -v vgs >/dev/null || { echo "there is no LVM here (lvm2); \"none\" is for a plain disk"; return 1; }
	vgs "$name" >/dev/null 2>&1 || { echo "vgs does not know $name"; return 1; }
	[ -n "$(vgs --noheadings -o systemid "$name" 2>/dev/null | tr -d ' ')" ] || clustered "$name" || {
		echo "no member owns $name, any could activate it: vgchange --systemid \$(uname -n) $name, with system_id_source in lvm.conf"
		return 1
	}
}

# clustered VG: its locks are lvmlockd's.
clustered() {
	vgs --noheadings -o vg_lock_type "$1" 2>/dev/null | grep -qE 'dlm|sanlock'
}

check_logical_volume() {
	case $1 in
	/dev/*[!A-Za-z0-9+_./-]*) echo "no path of a device: $1"; return 1 ;;
	/dev/?*) ;;
	*) echo "it must be the full path of the volume, as /dev/vgcsync/lvol1: $1"; return 1 ;;
	esac
	if [ "$pkg_vg" != none ]; then
		lvs "$1" >/dev/null 2>&1 || { echo "lvs does not know $1"; return 1; }
		return 0
	fi
	[ -b "$1" ] || { echo "no disk: $1"; return 1; }
}

check_mount_point() {
	case $1 in
	/ | *//* | */ | *[!A-Za-z0-9+_./-]*) echo "no good place for a mount: $1"; return 1 ;;
	/*) ;;
	*) echo "no full path: $1"; return 1 ;;
	esac
	[ "$(readlink -m "$1")" = "$1" ] || { echo "there is a symbolic link in it, and cf-serverd wants the real path: $(readlink -m "$1")"; return 1; }
	if [ "$pkg_vg" = shared ]; then
		mountpoint -q "$1" || { echo "nothing is mounted there"; return 1; }
		return 0
	fi
	on=$(findmnt -n -o SOURCE "$1" 2>/dev/null)
	[ -z "$on" ] || [ "$on" = "$pkg_volume" ] || [ "$(readlink -f "$on")" = "$(readlink -f "$pkg_volume")" ] ||
	    { echo "$on is mounted on it"; return 1; }
}

check_mount_options() {
	case ${1#-o} in
	*[!A-Za-z0-9_,=./:\ -]*) echo "no mount options: $1"; return 1 ;;
	*ro,* | *,ro | ro | ' ro') echo "it has to be written to: $1"; return 1 ;;
	esac
}

check_fs_type() {
	case $1 in
	gfs2 | ocfs2 | nfs | nfs4 | glusterfs | ceph)
		echo "$1 is mounted on all members at once, by other means; the volume group is \"shared\" then"
		return 1
		;;
	'' | *[!a-z0-9.]*) echo "no type of file system: $1"; return 1 ;;
	esac
	[ "$pkg_vg" = none ] || return 0
	found=$(blkid -o value -s TYPE "$pkg_volume" 2>/dev/null)
	[ -n "$found" ] || mountpoint -q "$pkg_mount" ||
	    { echo "there is no file system on $pkg_volume: mkfs -t $1 $pkg_volume makes one, and destroys what is on it"; return 1; }
	[ "$found" = "$1" ] || [ -z "$found" ] || { echo "on $pkg_volume is $found"; return 1; }
}

check_address() {
	case $1 in
	'' | *[!0-9a-fA-F.:]*) echo "no address: ${1:-nothing}"; return 1 ;;
	esac
	[ "$(getent ahosts "$1" | awk 'NR == 1 { print $1 }')" = "$1" ] || { echo "no address: $1"; return 1; }
	[ -z "$(owner_of csync-ip)" ] || return 0
	ip -o addr show | grep -qF " $1/" && { echo "it is an address of this member; the package needs one of its own"; return 1; }
	! command -v ping >/dev/null || ! ping -c 1 -W 1 "$1" >/dev/null 2>&1 || { echo "somebody has that address already"; return 1; }
	[ -n "$(network_of "$1")" ] || { cross_subnet "this member"; return 1; }
}

owner_of() {
	crm_resource -r "$1" -g ip 2>/dev/null
}

check_subnet() {
	network=$(network_of "$pkg_address")
	case $1 in
	"$network" | "${network%/*}") ;;
	*) echo "$pkg_address is in $network, not in $1"; return 1 ;;
	esac
}

check_name() {
	case $1 in
	*[!A-Za-z0-9.-]* | .* | *. | *..*) echo "no name: $1"; return 1 ;;
	*.*) ;;
	*) echo "it needs a domain, or clients in others do not find it: $1"; return 1 ;;
	esac
	other=$(getent ahosts "$1" | awk 'NR == 1 { print $1 }')
	[ -z "$other" ] || [ "$other" = "$pkg_address" ] || { echo "$1 is $other, not $pkg_address"; return 1; }
}

# The network an address is in, of those this host has an interface in.
network_of() {
	ip -o route show to match "$1" scope link 2>/dev/null | awk '$1 != "default" { print $1; exit }'
	case $1 in
	*:*) ip -6 -o route show to match "$1" 2>/dev/null | awk '$1 != "default" && !/ via / { print $1; exit }' ;;
	esac
}

# cross_subnet WHO: the guide's rule.
cross_subnet() {
	echo "$1 has no interface in the subnet of that address, so it cannot move there. The master of a" \
	    "cross-subnet cluster has to be outside of it, best the host of its quorum device: csync-master" \
	    "there, then csync-client-add with these members${known_master:+; their master now is $known_master}"
}

# --- members ------------------------------------------------------------------------------

# All let in all, as root, by all their names: keys and host keys of those who
# are there go to everybody.
trust_members() {
	hosts_option
	eval "show csshsetup $SSHOPTS --no-passphrase $password $hosts_words"
	$dry || eval "csshsetup $SSHOPTS --no-progress --no-passphrase $password $hosts_words" 8>&- || :
	each "no login ('csshsetup HOST' here lets us in)" true
	each "no ssh key" "[ -s $ROOTSSH/id_ed25519.pub ] || { ssh-keygen -q -t ed25519 -N '' -f $ROOTSSH/id_ed25519 && echo made an ssh key; }"
	many "its ssh key cannot be fetched" ccp --no-progress --mkdir --get "$ROOTSSH/id_ed25519.pub" "$T/ssh"
	$dry && return 0
	cat "$T"/ssh/*"$ROOTSSH/id_ed25519.pub" >"$T/csync-trust.keys"
	# Under the cluster's name for it, too.
	while read -r host; do
		ssh-keygen -F "$host" 2>/dev/null | grep -v '^#' >"$T/known_host"
		for name in "$host" $(node_of "$host"); do
			awk -v name="$name" '{ $1 = name; print }' "$T/known_host"
		done
	done <"$T/hosts" | awk '!seen[$0]++' >"$T/csync-trust.hosts"
	before=$changes
	put "ssh keys cannot be copied" 600 "$T/csync-trust.keys" "$T/csync-trust.hosts" "$ROOTSSH/" >/dev/null
	changes=$before
	each "ssh keys cannot be added" "$(oneline <<-SH
	cd $ROOTSSH && umask 077 && for pair in keys:authorized_keys hosts:known_hosts; do
	to=\${pair#*:}; from=csync-trust.\${pair%:*}; [ -f "\$to" ] || : >"\$to";
	[ -z "\$(tail -c 1 "\$to")" ] || echo >>"\$to";
	while read -r line; do grep -qxF -e "\$line" "\$to" || { echo "\$line" >>"\$to" && echo "\$to: one more"; }; done <"\$from";
	rm -f "\$from"; done
	SH
	)"
}

# What a member needs to be able to take over.
prepare() {
	step "on the members: CFEngine and this toolkit, files of the package"
	each "CFEngine is not installed ($INSTALL)" "command -v cf-serverd >/dev/null && [ -d $WORKDIR ]"
	each "this toolkit is not installed" "PATH=\$PATH:/usr/local/sbin:/usr/local/bin; command -v cexec >/dev/null && command -v csync-ha >/dev/null"
	each "no resource agents" "[ -f /usr/lib/ocf/resource.d/heartbeat/IPaddr2 ] && mkdir -p $AGENTS ${ALERT%/*} $pkg_mount $WORKDIR/state"
	cp "$TEMPLATES/ocf-cf-serverd" "$T/cf-serverd"
	cp "$TEMPLATES/ocf-csync" "$T/csync"
	cp "$TEMPLATES/csync-alert" "$T/csync-alert"
	put "agents of the package cannot be copied" 755 "$T/cf-serverd" "$T/csync" "$AGENTS/"
	put "the alert cannot be copied" 755 "$T/csync-alert" "$ALERT"
	each "$pkg_name is not to be found" "[ -n \"\$(getent hosts $pkg_name)\" ] || { echo '$pkg_address $pkg_name ${pkg_name%%.*}' >>/etc/hosts && echo /etc/hosts: $pkg_name; }"
	each "the folders of the master cannot be on $pkg_mount" "$(links)"
	each "cf-serverd still starts at boot" "$(not_by_boot)"
}

# What is the master's is where the file system is; below its mount point are
# empty folders, as CFEngine puts links that lead nowhere out of its way.
links() {
	oneline <<-SH
	mkdir -p -m 700 $SHARED && mkdir -p -m 700 $SHARED/masterfiles $SHARED/master_files &&
	cd $WORKDIR && for d in masterfiles master_files state/am_policy_hub; do to=$SHARED/\${d#state/};
	[ "\$(readlink \$d)" != \$to ] || continue;
	[ -L \$d ] || [ ! -e \$d ] || mv -T \$d \$d.\$([ -e \$d.before-csync ] && date +%s || echo before-csync) || exit 1;
	ln -sfn \$to \$d && echo "\$d is on the package's file system"; done;
	SH
}

not_by_boot() {
	oneline <<-SH
	if [ -d /run/systemd/system ]; then
	for u in cfengine3 cf-serverd; do ! systemctl is-enabled -q \$u 2>/dev/null || { systemctl disable -q \$u && echo \$u does not start at boot; }; done;
	elif [ -f /etc/cron.d/csync-serverd ]; then rm -f /etc/cron.d/csync-serverd && echo cf-serverd does not start at boot; fi
	SH
}

unprepare() {
	oneline <<-SH
	cd $WORKDIR && for d in masterfiles master_files state/am_policy_hub; do
	[ ! -L \$d ] || { rm -f \$d && echo without \$d; };
	[ ! -e \$d.before-csync ] || [ -e \$d ] || mv \$d.before-csync \$d; done;
	[ ! -f $HA_CONF ] || { rm -f $HA_CONF && echo without $HA_CONF; };
	rm -rf $AGENTS $ALERT;
	SH
	echo "if [ -s $INPUTS/promises.cf ]; then $(serverd start); fi"
}

# Same subnet, same disk; that is the guide's rule for where a master may be.
check_members() {
	$dry && return 0
	quiet=true
	known_master=$(cat "$WORKDIR/policy_server.dat" 2>/dev/null)
	[ "$known_master" != "$pkg_address" ] || known_master=''
	case $pkg_vg in
	none) disk="[ -b $pkg_volume ] || echo no disk" ;;
	shared) disk="mountpoint -q $pkg_mount || echo no disk" ;;
	*) disk="[ -n \"\$(lvm systemid 2>/dev/null | sed 's/.*: *//')\" ] || echo no system id" ;;
	esac
	ask "no answer" "$disk; echo net \$(ip -o route show to match $pkg_address scope link | cut -d' ' -f1)"
	: >"$T/lost"
	while read -r host; do
		if grep -q "^$host: no disk" "$T/said"; then
			echo "$host it does not share the storage: $pkg_volume, $pkg_mount" >>"$T/lost"
		elif grep -q "^$host: no system id" "$T/said"; then
			echo "$host lvm.conf has no system_id_source, so it cannot take over $pkg_vg" >>"$T/lost"
		elif ! grep "^$host: net" "$T/said" | grep -qwF "$pkg_network"; then
			echo "$host $(cross_subnet "it")" >>"$T/lost"
		fi
	done <"$T/hosts"
	lose
	quiet=false
}

save_conf() {
	printf '%s\n' "VG $pkg_vg" "VOLUME $pkg_volume" "MOUNT $pkg_mount" "OPTIONS $pkg_options" \
	    "FSTYPE $pkg_fstype" "ADDRESS $pkg_address" "NETWORK $pkg_network" "NAME $pkg_name" |
	    put_file "$HA_CONF" 644 "the package"
}

put_conf() {
	put "the package cannot be told of" 644 "$HA_CONF" "$HA_CONF"
}

need_package() {
	[ -f "$HA_CONF" ] || die "there is no package csync: csync-ha setup makes it"
	for pair in vg:VG volume:VOLUME mount:MOUNT options:OPTIONS fstype:FSTYPE \
	    address:ADDRESS network:NETWORK name:NAME; do
		eval "pkg_${pair%:*}=\$(sed -n 's/^${pair#*:} //p' \"\$HA_CONF\")"
	done
	need_cluster
	use_package
}

# knows NODE: of show.
knows() {
	full=$(full_name "$1")
	if ! members | grep -qxF "$full"; then
		echo "not configured"
	elif [ "$(registered "$full")" = "$(digest "$PPKEYS/localhost.pub")" ]; then
		echo "has the key"
	else
		echo "has another key"
	fi
}

serverd_on() {
	crm_resource -r csync-serverd -W -Q 2>/dev/null | grep -qx "$1" && echo runs || echo "does not run"
}

setting_members() {
	[ -n "$(setting MEMBERS)" ] || echo "  no members are configured: csync-ha setup"
}

. "$SHARE/ha_cluster.sh"
. "$SHARE/ha_follow.sh"
