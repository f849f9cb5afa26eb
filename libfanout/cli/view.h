/*
 * view.h - how a run is shown: text (text.h) or JSON (json.h).
 */
#ifndef CLI_VIEW_H
#define CLI_VIEW_H

#include "roster.h"
#include "sink.h"

struct cli_view {
	void	(*event)(struct cli_view *, const struct fanout_event *);
	void	(*end)(struct cli_view *, const struct cli_roster *, int status);
	void	(*free)(struct cli_view *);
	struct cli_sink *out, *err;	/* not the view's */
};

struct cli_look {
	bool	 json;
	bool	 no_labels;
	int	 verbose;
};

/* NULL: no memory. The sinks outlive it. */
struct cli_view *cli_text_view(const struct cli_look *, size_t hosts,
	    struct cli_sink *out, struct cli_sink *err);
struct cli_view *cli_json_view(size_t hosts, struct cli_sink *out,
	    struct cli_sink *err);

#endif
