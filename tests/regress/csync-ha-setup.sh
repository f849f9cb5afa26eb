#!/bin/sh
# What the package csync is asked for, on three real nodes: each wrong answer is
# named, nothing is done then; LVM; a file system that all members have mounted;
# undone in between.
# limit: 360
. "$(dirname "$0")/csync-ha.inc"
ha_up 3 1

# What is wrong is said, and nothing is done.
on 4 csync-ha
want_status 1
want_err 'cluster does not run here'
bad() {
	sed "s|^$1=.*|$1=$2|" "$VBED/share/answers" >"$VBED/share/bad"
	on 1 csync-ha --answers "$VBED/share/bad"
	want_status 1
	want_err "$1: .*$3"
}
bad volume_group /dev/vgnone 'no LVM here|vgs does not know'
bad logical_volume shared 'full path'
bad logical_volume /dev/null 'no disk'
bad mount_point csync 'no full path'
bad mount_point /etc/mtab 'symbolic link'
bad mount_options '-o ro' 'written to'
bad fs_type xfs 'is ext4'
bad fs_type gfs2 'shared'
bad address 10.88.0.1 'address of this member'
bad address 10.88.0.4 'somebody has that address'
bad address 192.0.2.7 'cross-subnet'
bad address csync 'no address'
bad subnet 10.99.0.0/16 'is in 10.88.0.0/16'
bad name csync 'domain'
bad name node2.bed.example 'is 10.88.0.2'
# LVM: a real volume group; that it is activated takes a kernel with device-mapper,
# so what the cluster says is tried only where that is missing.
lvm() {
	von node1 env LVM_SUPPRESS_FD_WARNINGS=1 "$@" >"$out" 2>"$err"
}
if command -v vgcreate >/dev/null && [ ! -e /sys/class/misc/device-mapper ]; then
	sed 's|^volume_group=.*|volume_group=/dev/vgcsync|; s|^logical_volume=.*|logical_volume=/dev/vgcsync/lvol1|' \
	    "$VBED/share/answers" >"$VBED/share/lvm"
	lvm sh -c 'wipefs -qa /dev/shared && mkdir -p /run/lvm && vgcreate vgcsync /dev/shared' || fail "no volume group"
	bad volume_group vgcsync 'no member owns vgcsync'
	for i in 1 2 3; do
		[ $i = 3 ] || von node$i sed -i 's|.*system_id_source = .*|system_id_source = "uname"|' /etc/lvm/lvm.conf
	done
	lvm sh -c 'vgchange -y --systemid node1 vgcsync && vgcfgbackup -f /tmp/vg vgcsync' || fail "no system id"
	# lvcreate wants the kernel's help even for a volume that is not active.
	cat >"$VBED/share/lvol1" <<-'LV'
	logical_volumes { lvol1 { id = "AbCdEf-AbCd-AbCd-AbCd-AbCd-AbCd-AbCdEf"
	status = ["READ", "WRITE", "VISIBLE"] flags = [] segment_count = 1
	segment1 { start_extent = 0 extent_count = 8 type = "striped" stripe_count = 1 stripes = ["pv0", 0] } } }
	LV
	lvm sh -c 'sed "/^\t}/r $VBED/share/lvol1" /tmp/vg >/tmp/vg2 && vgcfgrestore -f /tmp/vg2 vgcsync && lvs vgcsync/lvol1' ||
	    fail "no logical volume"
	run von node1 env LVM_SUPPRESS_FD_WARNINGS=1 sh -c \
	    'csync-ha --answers "$VBED/share/lvm" --accept-new --password-fd 3 3<"$VBED/share/password"'
	want_status 1
	want_err 'node3.bed.example: lvm.conf has no system_id_source'
	von node3 sed -i 's|.*system_id_source = .*|system_id_source = "uname"|' /etc/lvm/lvm.conf
	run von node1 env LVM_SUPPRESS_FD_WARNINGS=1 csync-ha --with crm --dry-run --answers "$VBED/share/lvm"
	want_status 0
	grep -q 'group csync csync-lvm csync-fs csync-ip' "$out" || fail "crm gets no csync-lvm"
	run von node1 env LVM_SUPPRESS_FD_WARNINGS=1 csync-ha --with pcs --answers "$VBED/share/lvm"
	want_status 1
	want_err 'csync-lvm start on node[123] returned'
	want_err 'does not come up'
	run von node1 csync-ha --with pcs undo
	want_status 0
	von node1 sh -c 'wipefs -qa /dev/shared; mkfs.ext4 -q /dev/shared; rm -rf .ssh/id_* .ssh/known_hosts .ssh/authorized_keys'
fi
on 1 csync-ha --answers "$VBED/share/answers" --dry-run --accept-new
want_status 0
grep -q '^+ .*resource create csync-ip' "$out" || fail "--dry-run shows no resources"
von node1 test ! -e $W/csync-ha.conf || fail "--dry-run did something"

# A file system that all have mounted anyway, as GFS2 or NFS.
printf '%s\n' volume_group=shared "mount_point=$VBED/share" address=10.88.0.100 \
    subnet=10.88.0.0/16 name=csync.bed.example >"$VBED/share/answers"
on 2 csync-ha --with pcs --answers "$VBED/share/answers" --password-fd 3 --accept-new
want_status 0
is_active node2 || fail "it runs on $(active)"
run von node2 cfrun --ping
want_status 0
wait_for 10 fetches node3 || fail "no policy: $(cat "$T/agent")"
want_equal "$(von node1 readlink $W/masterfiles)" "$VBED/share/csync/masterfiles"
on 1 csync-ha --with pcs undo
want_status 0
von node3 sh -c "test ! -L $W/masterfiles && pidof cf-serverd >/dev/null" || fail "node3 is still a part of it"
