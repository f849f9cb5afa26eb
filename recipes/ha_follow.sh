# ha_follow.sh - the package csync follows the cluster: members that come and go.
# shellcheck shell=sh disable=SC2034,SC2153,SC2154  # across files

# What the resource csync-master calls where it runs: events that alerts left, and
# what the node list says. One at a time, and quick if there is nothing to do.
follow() {
	[ -d "$SPOOL" ] && [ -f "$HA_CONF" ] || return 0
	exec 9>/run/csync-ha.lock
	flock -n 9 || return 0
	T=$(mktemp -d) || return 1
	trap 'rm -rf "$T"' EXIT
	need_package
	master=$pkg_name
	rounds=0
	while [ $rounds -lt 20 ] && [ -d "$SPOOL" ]; do
		rounds=$((rounds + 1))
		: >"$T/share"
		: >"$T/again"
		events
		changes_of_members || return 0
		[ -s "$T/share" ] || [ -s "$T/added" ] || [ -s "$T/deleted" ] || return 0
		act 9>&-
	done
}

# The words of alerts: who came back is told anew, who failed is tried again.
events() {
	for event in "$SPOOL"/event.*; do
		[ -f "$event" ] || continue
		read -r what who <"$event" || what=start
		rm -f "$event"
		case $what in
		member) echo "$who" >>"$T/again"; echo "$who" >>"$T/share" ;;
		start) echo all >>"$T/share" ;;
		esac
	done
}

# Into $T/added and $T/deleted: the node list against the members the master has.
# A node that is only down is on the list. Where a name cannot be looked up nobody
# is taken for deleted.
changes_of_members() {
	nodes >"$T/nodes"
	corosync-cmapctl 2>/dev/null | sed -n 's/^nodelist\.node\.[0-9]*\.name (str) = //p' >"$T/configured"
	[ -s "$T/nodes" ] && [ "$(crm_node -q)" = 1 ] || return 1
	{ cut -d' ' -f1 "$T/nodes"; cat "$T/configured"; } | sort -u >"$T/names"
	sure=true
	while read -r node; do
		full=$(full_name "$node") || { sure=false; full=$node; }
		echo "$node $full"
	done <"$T/names" >"$T/listed"
	members >"$T/members"
	sed -n 's/ online$//p' "$T/nodes" | while read -r node; do
		full=$(sed -n "s/^$node //p" "$T/listed")
		grep -qxF "$full" "$T/members" || tried "$node" || echo "$node"
	done >"$T/added"
	: >"$T/deleted"
	! $sure || while read -r full; do
		grep -q " $full\$" "$T/listed" || grep -qxF -e "$full" -e "${full%%.*}" "$T/names" ||
		    tried "$full" || echo "$full"
	done <"$T/members" >"$T/deleted"
}

# tried NAME: it failed not long ago, and nobody has said a word of it since.
tried() {
	! grep -qxF "$1" "$T/again" && [ -n "$(find "$SPOOL/failed.$1" -mmin -5 2>/dev/null)" ]
}

act() {
	for pair in ADDED:added DELETED:deleted; do
		while read -r node; do
			rm -f "$SPOOL/failed.$node"
			rc=0
			csync_dispatcher "MEMBER_${pair%:*}:" "$node" </dev/null >>"$LOG" 2>&1 || rc=$?
			[ $rc -eq 0 ] || : >"$SPOOL/failed.$node"
		done <"$T/${pair#*:}"
	done
	grep -vxFf "$T/added" "$T/share" >"$T/told" || return 0
	"$0" share </dev/null >>"$LOG" 2>"$T/why" ||
	    logger -t csync-ha -p daemon.warning -- "members were not told what has changed: $(tail -n 1 "$T/why")"
}
