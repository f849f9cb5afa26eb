/*
 * slurm.c - the nodes of a Slurm cluster, where its programs are: "slurm" has
 * the partitions as groups, "slurmjob" the running jobs by their number.
 * (sinfo(1), squeue(1); node lists are in our own language of ranges)
 */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "groups.h"
#include "program.h"
#include "sources.h"
#include "upcall.h"

struct slurm {
	const struct questions *q;
	int	 ms;
};

/* Each ends with NULL; the name of a group is put where "%" stands. */
struct questions {
	const char *map[8], *list[8], *all[8];
};

static const struct questions partitions = {
	.map = { "sinfo", "-h", "-o", "%N", "-p", "%", NULL },
	.list = { "sinfo", "-h", "-o", "%R", NULL },
	.all = { "sinfo", "-h", "-o", "%N", NULL }
};

static const struct questions jobs = {
	.map = { "squeue", "-h", "-o", "%N", "-j", "%", NULL },
	.list = { "squeue", "-h", "-o", "%i", "-t", "R", NULL },
	.all = { "squeue", "-h", "-o", "%N", "-t", "R", NULL }
};

static int
ask(const struct slurm *s, const char *const *question, const char *group,
    char **out, struct fanout_error *err)
{
	char *argv[8];
	size_t i;

	for (i = 0; question[i] != NULL; i++)
		argv[i] = (char *)(uintptr_t)(strcmp(question[i], "%") == 0 ?
		    group : question[i]);
	argv[i] = NULL;
	return fo_upcall(argv, NULL, s->ms, out, err);
}

static bool
is_empty(const char *s)
{
	return s[strspn(s, " \t\r\n")] == '\0';
}

static int
slurm_map(void *self, const char *group, char **out, struct fanout_error *err)
{
	const struct slurm *s = self;
	struct fanout_error why = { 0 };
	int rc;

	*out = NULL;
	/* Not an option, nor several at once. */
	if (*group == '-' || strpbrk(group, ", \t\n") != NULL)
		return 0;
	if (s->q == &jobs && group[strspn(group, "0123456789_")] != '\0')
		return 0;
	if ((rc = ask(s, s->q->map, group, out, &why)) != 0) {
		/* squeue takes a job that it does not know for a failure. */
		if (strstr(why.text, "Invalid job id") != NULL)
			return 0;
		if (err != NULL)
			*err = why;
		return rc;
	}
	if (is_empty(*out)) {
		free(*out);
		*out = NULL;
	}
	return 0;
}

static int
slurm_list(void *self, char **out, struct fanout_error *err)
{
	const struct slurm *s = self;

	return ask(s, s->q->list, NULL, out, err);
}

static int
slurm_all(void *self, char **out, struct fanout_error *err)
{
	const struct slurm *s = self;

	return ask(s, s->q->all, NULL, out, err);
}

static const struct fo_source_ops slurm_ops = {
	.map = slurm_map, .list = slurm_list, .all = slurm_all, .free = free
};

static int
add(struct fanout_groups *g, const char *name, const struct questions *q,
    struct fanout_error *err)
{
	struct slurm *s;

	if (!fo_in_path(q->map[0]))
		return 0;
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return fo_error(err, FANOUT_ENOMEM, "out of memory");
	s->q = q;
	s->ms = fo_groups_ms(g);
	return fo_groups_add_source(g, name, &slurm_ops, s, err);
}

int
fo_source_slurm(struct fanout_groups *g, struct fanout_error *err)
{
	int rc;

	/* A groups.conf may have its own, by these names. */
	if (!fo_groups_has_source(g, "slurm", 5) &&
	    (rc = add(g, "slurm", &partitions, err)) != 0)
		return rc;
	return fo_groups_has_source(g, "slurmjob", 8) ? 0 :
	    add(g, "slurmjob", &jobs, err);
}
