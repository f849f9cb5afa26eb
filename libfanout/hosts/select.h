/*
 * select.h - the inside of a selection: select.c has it as a whole, option.c
 * reads the arguments of its options.
 */
#ifndef FO_SELECT_H
#define FO_SELECT_H

#include <sys/queue.h>
#include <regex.h>
#include <stdbool.h>

#include "fanout.h"
#include "trace.h"

#define FO_REGEX_MAX	255

struct fo_filter {
	STAILQ_ENTRY(fo_filter) link;
	regex_t	 re;
	bool	 keep;		/* what matches; else the rest */
	char	 text[FO_REGEX_MAX + 1];
};

struct fanout_selection {
	struct fanout_hosts *take, *drop;
	STAILQ_HEAD(, fo_filter) filters;
	struct fanout_groups *groups;	/* given, or own */
	struct fanout_groups *own;
	struct fo_trace *trace;	/* NULL: nobody will ask */
	bool	 named;		/* some option named hosts to take */
	bool	 input_read;
	bool	 pick;
	size_t	 pick_n;
	uint64_t seed;
};

/* Have groups: the system's, if none were given. */
int	fo_select_groups(struct fanout_selection *, struct fanout_error *);

/*
 * One argument of -w (or -x: exclude), of -g (-X), of --hostfile: into take
 * or drop, filters into filters. On failure some of it may be there.
 */
int	fo_select_hosts(struct fanout_selection *, const char *, bool exclude,
	    struct fanout_error *);
int	fo_select_group(struct fanout_selection *, const char *, bool exclude,
	    struct fanout_error *);
int	fo_select_file(struct fanout_selection *, const char *,
	    struct fanout_error *);

#endif
