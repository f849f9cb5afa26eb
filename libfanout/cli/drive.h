/*
 * drive.h - one job from its submission to its summary.
 *
 * The loop that all tools share: pull events, show them, keep the roster,
 * attend to the user's signals also while a slow reader makes us wait.
 */
#ifndef CLI_DRIVE_H
#define CLI_DRIVE_H

#include "ask.h"
#include "plan.h"
#include "report.h"

/*
 * What a tool of its own adds to a run. event is shown each event before all
 * others, and may change it: what it lets it point to lives until the next
 * one. False: it is not shown. end comes before the summary. Both may write to
 * the sinks. status may think otherwise of the exit status. Each may be NULL.
 *
 * ask is shown questions of hosts first; true: it has answered that one.
 *
 * idle is called while no event is there, for work that must not keep events
 * waiting for long: some of it; true: there is more. due: it is called again
 * in so many ms even if no event comes; -1: then only.
 *
 * remark is called at each turn, and before more hosts are begun: true: this
 * event (a LOG) is one of the run, and it is called again.
 *
 * moved: bytes moved so far, and of how many (0: that is not known yet); false:
 * there is nothing to tell.
 *
 * A tool for which a host takes more than one job submits them itself: the
 * first ones in begin (0 or an error), others when events come. begin has some
 * of the hosts, map their indices among all; NULL: it has all. Then event makes
 * of the events of its jobs those of the run: a START and a DONE for each host,
 * with its index among all; one that it gives the kind 0 is none of the run.
 */
struct cli_extra {
	int	(*begin)(void *ctx, struct fanout *,
		    const struct fanout_hosts *, const size_t *map,
		    const struct fanout_cmd *, struct fanout_error *);
	bool	(*event)(void *ctx, struct fanout_event *, struct cli_sink *out);
	bool	(*ask)(void *ctx, struct fanout *,
		    const struct fanout_event *);
	void	(*end)(void *ctx, const struct cli_roster *,
		    struct cli_sink *out, struct cli_sink *err);
	int	(*status)(void *ctx, const struct cli_roster *, int usual);
	bool	(*idle)(void *ctx);
	int	(*due)(void *ctx);
	bool	(*remark)(void *ctx, struct fanout *, struct fanout_event *);
	bool	(*moved)(void *ctx, uint64_t *bytes, uint64_t *of);
	void	*ctx;
};

struct cli_run {
	const struct fanout_opts *opts;
	struct fanout **engine;	/* and its sessions: for one run after the
				 * other, the caller's to free. NULL: the run
				 * has its own */
	const struct fanout_hosts *hosts;	/* at least one */
	const struct fanout_cmd *cmd;
	struct cli_ask *ask;	/* NULL: nothing is asked */
	struct cli_plan *plan;	/* made; NULL: all at once, to the end */
	struct cli_look look;
	/* One a host: what is known of it beforehand, instead of that it was
	 * skipped (cmd->skip); NULL: nothing. NULL: nothing of any. */
	const struct fanout_result *const *ahead;
	bool	 largest_status;	/* as pdsh -S */
	bool	 part;		/* of something larger: nothing is shown but the
				 * progress, and what extra writes */
	const struct cli_extra *extra;	/* NULL: nothing */
	const struct cli_record *record;	/* NULL: it is not saved */
};

/*
 * Returns the exit status; what went wrong has been said on stderr. Where
 * nobody reads our output any more it does not return: the run is canceled
 * and the process ends by SIGPIPE.
 */
int	cli_drive(const struct cli_run *);

/* Before anything is opened: descriptors 0 to 2 exist, so that nothing else
 * is mistaken for them, and as many more may be opened as the system lets us. */
void	cli_prepare(void);

#endif
