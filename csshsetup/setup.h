/*
 * setup.h - what the parts of csshsetup share: the hosts of a run, and runs of
 * the engine over some of them.
 *
 * Each has an engine of its own, so that nothing that one learned or kept
 * (passwords, sessions) can make another look well.
 */
#ifndef SETUP_H
#define SETUP_H

#include "cli/drive.h"
#include "cli/summary.h"
#include "csshsetup.h"
#include "expected.h"
#include "secrets.h"

enum state { NEW, TRUSTED, INSTALLED, OVER };

struct host {
	enum state state;
	struct fanout_result result;	/* OVER */
	char	*said;			/* by a script; or NULL */
	size_t	 len, size;
	bool	 was_there;		/* the key, in the file */
	bool	 changed;		/* what it may do there */
	bool	 by_password;		/* a password let us in */
	bool	 own_password;		/* typed for this one only */
	bool	 seen;			/* its host key, and it is not wrong */
	bool	 marked;		/* for the next run: setup_is_marked */
};

struct setup {
	struct csshsetup *c;
	const struct fanout_hosts *hosts;
	size_t		 count;		/* of these */
	struct fanout_opts opts;	/* of all runs */
	struct setup_key key;
	char		*identity;	/* the ssh option that names it */
	char		*also;		/* and another one; NULL: none */
	struct secrets	 secrets;
	struct expected	 expected;	/* keys of hosts */
	struct host	*host;
	const char	**dead;		/* why skipped; may be NULL */
	bool		 interrupted;	/* what is left is only told */
	bool		 typed;		/* the password for all; there is one */
	bool		 each;		/* they are asked for one by one */
	bool		 use_password;	/* that was typed, unasked */
	bool		 bad;		/* the answer is no: exit status 1 */

	/* of the run under way */
	size_t		*map;		/* its hosts among all */
	const char	**skip;
	const struct fanout_result **ahead;
};

typedef bool (*setup_want)(const struct setup *, size_t host);

/*
 * part.c: runs the engine over those hosts that are wanted, of those that are not dead.
 * Shows nothing but what the events of "like" write; they have the index in
 * this run, s->map makes it one among all. own: ssh options, before those of
 * the user. 0; or the exit status of what ends all.
 */
int	setup_part(struct setup *, setup_want, const struct cli_run *like,
	    const char *const *own, struct fanout_opts);

/* What became of all hosts, told and saved. The exit status. */
int	setup_last(struct setup *);

bool	setup_is_new(const struct setup *, size_t host);
bool	setup_is_marked(const struct setup *, size_t host);
bool	setup_is_trusted(const struct setup *, size_t host);

/* Those for which want() says so, folded; free(3). NULL: none, or no memory. */
char	*setup_names(const struct setup *, bool (*want)(const struct setup *,
	    size_t host, const void *ctx), const void *ctx);
extern const char *const setup_keys_only[];	/* two options, and NULL */

/* Takes what it said; -1: that is more than max, or there is no memory. */
int	setup_keep(struct host *, const void *, size_t len, size_t max);
void	setup_forget(struct host *);		/* what it said */
void	setup_give_up(struct host *, const struct fanout_result *);
bool	setup_answered(const struct fanout_result *);

/* ssh options that let in by keys, the one of --key among them. */
#define SETUP_BY_KEYS 5
void	setup_by_keys(const struct setup *, const char *own[SETUP_BY_KEYS]);

/* It could be logged in to, and that is not enough. */
void	setup_refuse(struct host *, const struct fanout_result *,
	    const char *fmt, ...) __attribute__((__format__(printf, 3, 4)));

/* A line about a host; as JSON an event of this kind. */
void	setup_tell(const struct setup *, struct cli_sink *, const char *event,
	    const char *name, const char *what);

/* The sinks of no run: on standard output. Written when it is closed. */
int	setup_open_sink(const struct setup *, struct cli_sink *);

/* ---- what is done with them (modes.h has the rest) ----------------------- */

/* install.c: hosts that can be become TRUSTED. */
int	setup_install(struct setup *);

/* limit.c: those that have the key, with other options than it is to have. */
int	setup_limit(struct setup *);

/* Is it that very key that is to be there, and not any that is let in? */
bool	setup_exact(const struct setup *);

/* proof.c: those that are INSTALLED become TRUSTED, or are asked why not. */
int	setup_prove(struct setup *);

#endif
