# ha_cluster.sh - the resources of the package csync, made by pcs or by crmsh.
# shellcheck shell=sh disable=SC2154  # across files
#
# csync-serverd-clone	cf-serverd on all members
# csync (group)		csync-lvm, csync-fs, csync-ip, csync-master: on one, that
#			has a cf-serverd that runs
#
# A group and its constraints are one change, so that nothing starts half way.

# Storage and address, so that there is a place for the policy.
make_storage() {
	if have csync-ip; then
		! uses csync-lvm || param csync-lvm vgname "$pkg_vg"
		! uses csync-fs || {
			param csync-fs device "$pkg_volume"
			param csync-fs directory "$pkg_mount"
			param csync-fs fstype "$pkg_fstype"
			param csync-fs options "$pkg_options"
		}
		param csync-ip ip "$pkg_address"
		! stopped || cluster_enable
		return 0
	fi
	prefix=${pkg_network#*/}
	mode=system_id
	! uses csync-lvm || ! clustered "$pkg_vg" || mode=lvmlockd
	"storage_by_$manager"
}

# uses PART: it is one of this package's.
uses() {
	parts | grep -qx "$1"
}

p() {
	do_ pcs -f "$T/csync.xml" "$@"
}

storage_by_pcs() {
	do_ pcs cluster cib "$T/csync.xml"
	! uses csync-lvm || p resource create csync-lvm ocf:heartbeat:LVM-activate vgname="$pkg_vg" \
	    vg_access_mode="$mode" op start timeout=90s op stop timeout=90s op monitor interval=30s timeout=90s --group csync
	! uses csync-fs || p resource create csync-fs ocf:heartbeat:Filesystem device="$pkg_volume" directory="$pkg_mount" \
	    fstype="$pkg_fstype" options="$pkg_options" \
	    op start timeout=60s op stop timeout=60s op monitor interval=20s timeout=40s --group csync
	p resource create csync-ip ocf:heartbeat:IPaddr2 ip="$pkg_address" cidr_netmask="$prefix" \
	    op monitor interval=10s timeout=20s --group csync
	p resource meta csync resource-stickiness=100 migration-threshold=3 failure-timeout=120s
	p constraint location csync prefers "$(crm_node -n)"=50
	do_ pcs cluster cib-push "$T/csync.xml"
}

storage_by_crm() {
	{
		! uses csync-lvm || cat <<-CRM
		primitive csync-lvm ocf:heartbeat:LVM-activate \\
		    params vgname=$pkg_vg vg_access_mode=$mode \\
		    op start timeout=90s interval=0 op stop timeout=90s interval=0 op monitor interval=30s timeout=90s
		CRM
		! uses csync-fs || cat <<-CRM
		primitive csync-fs ocf:heartbeat:Filesystem \\
		    params device="$pkg_volume" directory="$pkg_mount" fstype=$pkg_fstype options="$pkg_options" \\
		    op start timeout=60s interval=0 op stop timeout=60s interval=0 op monitor interval=20s timeout=40s
		CRM
		cat <<-CRM
		primitive csync-ip ocf:heartbeat:IPaddr2 \\
		    params ip=$pkg_address cidr_netmask=$prefix op monitor interval=10s timeout=20s
		$(group_of_crm csync-master)
		location csync-first csync 50: $(crm_node -n)
		CRM
	} >"$T/csync.crm"
	load_crm
}

# group_of_crm [PART]: the whole group, but for that.
group_of_crm() {
	echo "group csync $(parts | grep -vx "${1-}" | paste -sd' ' -)" \
	    "meta resource-stickiness=100 migration-threshold=3 failure-timeout=120s"
}

load_crm() {
	sed 's/^/  /' "$T/csync.crm"
	do_ crm configure load update "$T/csync.crm"
}

# cf-serverd everywhere, the master where the file system is, and alerts.
make_services() {
	if have csync-master && have csync-serverd && have csync-alert; then
		param csync-master directory "$SHARED"
		return 0
	fi
	"services_by_$manager"
}

services_by_pcs() {
	do_ pcs cluster cib "$T/csync.xml"
	have csync-serverd || p resource create csync-serverd ocf:fanout:cf-serverd \
	    op start timeout=30s op stop timeout=30s op monitor interval=10s timeout=20s \
	    op monitor interval=60s timeout=20s OCF_CHECK_LEVEL=10 clone interleave=true
	have csync-master || {
		p resource create csync-master ocf:fanout:csync directory="$SHARED" \
		    op start timeout=30s op stop timeout=30s op monitor interval=10s timeout=20s --group csync
		p constraint colocation add csync with csync-serverd-clone INFINITY id=csync-with-serverd
		p constraint order start csync-serverd-clone 'then' start csync kind=Optional id=csync-after-serverd
	}
	have csync-alert || p alert create path="$ALERT" id=csync-alert
	do_ pcs cluster cib-push "$T/csync.xml"
}

services_by_crm() {
	cat >"$T/csync.crm" <<-CRM
	primitive csync-serverd ocf:fanout:cf-serverd \\
	    op start timeout=30s interval=0 op stop timeout=30s interval=0 op monitor interval=10s timeout=20s \\
	    op monitor interval=60s timeout=20s OCF_CHECK_LEVEL=10
	clone csync-serverd-clone csync-serverd meta interleave=true
	primitive csync-master ocf:fanout:csync params directory="$SHARED" \\
	    op start timeout=30s interval=0 op stop timeout=30s interval=0 op monitor interval=10s timeout=20s
	$(group_of_crm)
	colocation csync-with-serverd inf: csync csync-serverd-clone
	order csync-after-serverd Optional: csync-serverd-clone:start csync:start
	alert csync-alert "$ALERT"
	CRM
	load_crm
}

cluster_enable() {
	case $manager in
	pcs) do_ pcs resource enable csync ;;
	crm) do_ crm resource start csync ;;
	esac
}

cluster_disable() {
	case $manager in
	pcs) do_ pcs resource disable csync ;;
	crm) do_ crm resource stop csync ;;
	esac
}

# Stopped first, then taken out with all that speaks of them.
cluster_remove() {
	! have csync || stopped || cluster_disable
	$dry || ! have csync || settled
	case $manager in
	pcs)
		! have csync-alert || do_ pcs alert remove csync-alert
		! have csync || do_ pcs resource delete csync
		# cf-serverd goes on without the cluster.
		! have csync-serverd || {
			do_ pcs resource unmanage csync-serverd
			do_ pcs resource delete csync-serverd --force
		}
		;;
	crm)
		for id in csync-alert csync-with-serverd csync-after-serverd csync-first; do
			! have $id || do_ crm configure delete $id
		done
		# shellcheck disable=SC2046
		! have csync || do_ crm configure delete --force csync $(parts)
		# What runs, crmsh 5 stops only where systemd is.
		! have csync-serverd || {
			do_ crm resource stop csync-serverd-clone
			$dry || settled
			do_ crm configure delete csync-serverd-clone csync-serverd
		}
		;;
	esac
}
