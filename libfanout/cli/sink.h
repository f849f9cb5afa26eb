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
	int	 error;		/* errno of what went wrong; all else is dropped */
	size_t	 len;
	char	*buf;
	struct cli_patience patience;
};

/* 0, or -1 without memory. The descriptor stays the caller's. */
int	cli_sink_open(struct cli_sink *, int fd, struct cli_patience);
void	cli_sink_close(struct cli_sink *);	/* flushes */

/* Buffered, in order; errors show in .error. */
void	cli_sink_put(struct cli_sink *, const void *, size_t);
void	cli_sink_flush(struct cli_sink *);

#endif
