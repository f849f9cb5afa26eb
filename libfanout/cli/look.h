/*
 * look.h - the options that say how output is shown, for all tools.
 */
#ifndef CLI_LOOK_H
#define CLI_LOOK_H

#include "options.h"

enum cli_header { CLI_HEADER_CLUSH, CLI_HEADER_PLAIN, CLI_HEADER_DSHBAK };

struct cli_look {
	bool	 json, no_labels, no_progress;
	bool	 gather, merge, ordered, live;	/* -b -B -L --live */
	bool	 similar, diff, outliers;
	const char *golden;		/* host; NULL: the largest group */
	const char *style;		/* of headers; NULL: clush */
	const char *color;		/* WHEN; NULL: auto */
	const char *outdir, *errdir;	/* NULL: none */
	int	 verbose;		/* the caller's to set */
	bool	 silent;		/* also: no lines as they come */

	/* made by cli_look_check */
	enum cli_header header;
	size_t	 golden_host;		/* index; FANOUT_NOHOST: none */
};

extern const struct cli_option cli_look_options[];

/* Do the options fit together, and the hosts? 0 or an error. */
int	cli_look_check(struct cli_look *, const struct fanout_hosts *,
	    struct fanout_error *);

/* Is output kept until a host is over (gather.c)? Are lines of stdout, of
 * stderr shown as they come (text.c)? */
bool	cli_look_collects(const struct cli_look *);
bool	cli_look_live_out(const struct cli_look *);
bool	cli_look_live_err(const struct cli_look *);

/* Are there colours on a terminal, or elsewhere (no-color.org, CLICOLOR)? */
bool	cli_look_color(const struct cli_look *, bool tty);

#endif
