/*
 * sources.h - the group sources of a system. Each call adds those it finds
 * and none (returning 0) where there is nothing of its kind; a file that is
 * there but wrong is an error that names it.
 */
#ifndef FO_SOURCES_H
#define FO_SOURCES_H

#include "fanout.h"

/* clustershell.c: the sources of groups.conf, its default the first. */
int	fo_source_clustershell(struct fanout_groups *, struct fanout_error *);

/* genders.c: "genders", of PDSH_GENDERS_FILE or /etc/genders. */
int	fo_source_genders(struct fanout_groups *, struct fanout_error *);

/* dsh.c: "dsh", a file a group, of ~/.dsh/group and /etc/dsh/group. */
int	fo_source_dsh(struct fanout_groups *, struct fanout_error *);

/* cluster.c: "cluster", the members of a Pacemaker or Corosync cluster. */
int	fo_source_cluster(struct fanout_groups *, struct fanout_error *);

/* slurm.c: "slurm" (partitions) and "slurmjob", where its programs are. */
int	fo_source_slurm(struct fanout_groups *, struct fanout_error *);

/* ansible.c: "ansible", the groups of an inventory. */
int	fo_source_ansible(struct fanout_groups *, struct fanout_error *);

/* cfrunhosts.c: "cfrun", of cfrun.hosts. */
int	fo_source_cfrun(struct fanout_groups *, struct fanout_error *);

/* netgroup.c: "netgroup", of the name service. */
int	fo_source_netgroup(struct fanout_groups *, struct fanout_error *);

#endif
