/*
 * ansible.h - an Ansible inventory while it is read: between ansible.c, which
 * makes groups of it, and its two formats, ansible_read.c.
 */
#ifndef FO_ANSIBLE_H
#define FO_ANSIBLE_H

#include <stdbool.h>
#include <stddef.h>

#include "fanout.h"

struct inventory_host {		/* of which something is told */
	char	*name;
	char	*addr, *user, *port;	/* NULL: not told */
};

struct inventory_member {
	char	*group;
	char	*name;		/* a host, or pattern of hosts, or a group; NULL:
				 * the group is there, that is all */
	bool	 child;		/* a group */
};

struct inventory {
	struct inventory_host *hosts;
	size_t	 nhosts;
	struct inventory_member *members;
	size_t	 nmembers;
};

void	ansible_init(struct inventory *);
void	ansible_clear(struct inventory *);

/* 0, or -1 without memory. Variables other than those of the way to a host
 * are passed over. */
int	ansible_member(struct inventory *, const char *group, const char *name,
	    bool child);
int	ansible_variable(struct inventory *, const char *host, const char *key,
	    const char *value);

int	ansible_read_ini(struct inventory *, const char *path,
	    struct fanout_error *);
int	ansible_read_yaml(struct inventory *, const char *path,
	    struct fanout_error *);

#endif
