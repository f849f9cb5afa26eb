/*
 * groups.h - where @groups come from.
 *
 * A group source answers three questions, each with text it allocates: the
 * expression a group stands for, the names of its groups, and all its hosts.
 * Sources are kept by name; the first one added is the default unless
 * another is chosen. Answers are kept: a source is asked once a question.
 */
#ifndef FO_GROUPS_H
#define FO_GROUPS_H

#include "expr.h"
#include "fanout.h"

struct fo_source_ops {
	/*
	 * *text: malloc(3)ed, freed by the caller; words in it are separated
	 * by blanks, newlines or operators. NULL: there is no such group.
	 * A failure (not: "no such group") is an error that names what
	 * failed. all may be NULL: then it is the union of the groups.
	 */
	int	(*map)(void *self, const char *group, char **text,
		    struct fanout_error *);
	int	(*list)(void *self, char **text, struct fanout_error *);
	int	(*all)(void *self, char **text, struct fanout_error *);
	void	(*free)(void *self);

	/* The names of the groups a host is in; NULL, or *text NULL: it cannot
	 * say. Only a shorter way than to ask for all groups. */
	int	(*reverse)(void *self, const char *host, char **text,
		    struct fanout_error *);
};

/* Takes self over, whatever it returns. The name is copied. A source of
 * that name must not be there yet. */
int	fo_groups_add_source(struct fanout_groups *, const char *name,
	    const struct fo_source_ops *, void *self, struct fanout_error *);
bool	fo_groups_has_source(const struct fanout_groups *, const char *name,
	    size_t len);

/* How many sources there are; and make one the to-th, from 0. */
size_t	fo_groups_count(const struct fanout_groups *);
int	fo_groups_move(struct fanout_groups *, const char *name, size_t to,
	    struct fanout_error *);

/*
 * Put what a reference stands for into the set: "@group", "@source:group",
 * "@*", "@source:*", "@@", "@@source". Errors point at ex->base + at.
 */
int	fo_groups_eval(const struct fo_expr *ex, size_t at, const char *ref,
	    struct fanout_hosts *);

/* Put all known hosts that match a mask of * and ? into the set. A user@ or
 * :port of the mask is put on every one of them. */
int	fo_groups_match(const struct fo_expr *ex, size_t at, const char *mask,
	    struct fanout_hosts *);

/* Does this source, or any if it is NULL, know this group? Of a source that
 * is not there or says "nobody" the answer is no. */
int	fo_groups_known(struct fanout_groups *, const char *source,
	    const char *group, bool *, struct fanout_error *);

/*
 * The names of all groups that a host of the set may be in, of ex->source or
 * the first one: by asking for each host, if the source can say so and they
 * are few, else all that it has.
 */
int	fo_groups_of(const struct fo_expr *ex, const struct fanout_hosts *,
	    struct fanout_hosts *names);

/* How long a source may take to answer, in ms. */
int	fo_groups_ms(const struct fanout_groups *);

#endif
