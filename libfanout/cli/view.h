/*
 * view.h - how a run is shown or kept: each view gets all of its events.
 */
#ifndef CLI_VIEW_H
#define CLI_VIEW_H

#include "look.h"
#include "roster.h"
#include "sink.h"

struct cli_view {
	/* The roster knows of the event already. */
	void	(*event)(struct cli_view *, const struct fanout_event *);

	/* A host is over with the check of its batch; NULL: not wanted. */
	void	(*check)(struct cli_view *, const struct fanout_event *);

	/* Whenever no event is at hand, ms since the run began; NULL: not
	 * wanted. */
	void	(*tick)(struct cli_view *, const struct cli_roster *, int64_t);

	/* No more events; hosts that were given up are over now. All views
	 * have their rest before one has its end. Each may be NULL. */
	void	(*rest)(struct cli_view *, const struct cli_roster *);
	void	(*end)(struct cli_view *, const struct cli_roster *, int status);
	void	(*free)(struct cli_view *);
	struct cli_sink *out, *err;	/* not the view's */
	bool	 broken;	/* not all it should show or keep is there */
};

/*
 * Lines as they come, the causes of failures, and at the end the summary
 * (text.c); all as JSON (json.c); at the end, or host after host, by who said
 * the same (gather.c); a file for each host (outdir.c). NULL: no memory, or
 * what outdir.c has said. Look, roster and sinks outlive them.
 */
struct cli_view *cli_text_view(const struct cli_look *, size_t hosts,
	    struct cli_sink *out, struct cli_sink *err);
struct cli_view *cli_json_view(size_t hosts, struct cli_sink *out,
	    struct cli_sink *err);
struct cli_view *cli_gather_view(const struct cli_look *,
	    const struct cli_roster *, struct cli_sink *out,
	    struct cli_sink *err);
struct cli_view *cli_outdir_view(const struct cli_look *,
	    const struct cli_roster *, struct cli_sink *err);

/* For a report: without remarks and progress, with sums of what was said, and
 * the output itself only if it is wanted. */
struct cli_view *cli_json_record(size_t hosts, bool outputs,
	    struct cli_sink *);
void	cli_json_string(struct cli_sink *, const char *);

/* All that a look asks for. */
#define CLI_VIEWS_MAX 4
struct cli_views {
	struct cli_view *view[CLI_VIEWS_MAX];
	size_t	 count;
};

/* 0, or -1: what is wrong has been said. */
int	cli_views_open(struct cli_views *, const struct cli_look *,
	    const struct cli_roster *, struct cli_sink *out,
	    struct cli_sink *err);
void	cli_views_event(struct cli_views *, const struct fanout_event *);
void	cli_views_check(struct cli_views *, const struct fanout_event *);
void	cli_views_tick(struct cli_views *, const struct cli_roster *, int64_t);
void	cli_views_end(struct cli_views *, const struct cli_roster *,
	    int status);
bool	cli_views_broken(const struct cli_views *);
void	cli_views_free(struct cli_views *);

#endif
