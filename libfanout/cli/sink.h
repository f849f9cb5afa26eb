/*
 * sink.h - writing to a descriptor without becoming deaf.
 *
 * A reader may be slow or asleep. While a sink waits for it, the engine's
 * quotas hold the hosts back, and the user's signals are still attended to.
 */
#ifndef CLI_SINK_H
#define CLI_SINK_H

#include <stdbool.h>
#include <stddef.h>

struct cli_progress;
struct cli_sink;

/* What to do about signals while a write has to wait. */
struct cli_patience {
	/* Attends to what came; returns how many ms the sink may still wait
	 * before it gives up, -1 for ever. May write to other sinks. */
	int	(*attend)(void *ctx, struct cli_sink *);
	void	*ctx;
};

struct cli_sink {
	int	 fd;
	bool	 file;		/* never makes us wait long: no need to poll */
	bool	 tty;
	bool	 color;		/* the caller's to set */
	bool	 mid_line;	/* what was written last was no newline */
	int	 error;		/* errno of what went wrong; all else is dropped */
	size_t	 len;
	char	*buf;
	struct cli_patience patience;
	struct cli_progress *progress;	/* hidden before a write; may be NULL */
};

/* 0, or -1 without memory. The descriptor stays the caller's. */
int	cli_sink_open(struct cli_sink *, int fd, struct cli_patience);
void	cli_sink_close(struct cli_sink *);	/* flushes */

/* Buffered, in order; errors show in .error. */
void	cli_sink_put(struct cli_sink *, const void *, size_t);
void	cli_sink_flush(struct cli_sink *);

/* What a host said: on a terminal made visible (visible.h). */
void	cli_sink_put_remote(struct cli_sink *, const char *, size_t);

/* Between colours, where the sink has them. */
#define CLI_PAINT_LABEL "\033[94m"
#define CLI_PAINT_ERROR "\033[91m"
#define CLI_PAINT_HEAD "\033[1m"
#define CLI_PAINT_HUNK "\033[96m"
#define CLI_PAINT_MORE "\033[92m"
#define CLI_PAINT_LESS "\033[91m"
void	cli_sink_paint(struct cli_sink *, const char *paint, const char *,
	    size_t);

/* A line of the tool itself, under its name; it is safe to print. */
void	cli_sink_say(struct cli_sink *, const char *line);

#endif
