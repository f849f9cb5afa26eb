/*
 * signals.h - what the user wants of a run that is under way.
 *
 * One per process: signal handlers have no other place for their state.
 */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include "fanout.h"

enum cli_wish {
	CLI_GO_ON,
	CLI_WHO_RUNS,	/* ^C once */
	CLI_STOP	/* ^C twice within a second, SIGTERM, SIGHUP */
};

/*
 * From now on SIGINT, SIGTERM and SIGHUP are noted and wake the engine, and
 * SIGPIPE is ignored. A signal that was ignored at start stays so (nohup).
 * 0, or -1 and errno.
 */
int	cli_signals_start(struct fanout *);

/* As it was before; to be called before the engine is freed. */
void	cli_signals_stop(void);

/* Readable while there is something to take; -1 before start. */
int	cli_signals_fd(void);

/* What came since the last call; a wish to stop is never taken back. A ^C
 * after that ends the process on the spot. */
enum cli_wish cli_signals_take(void);

/* The signal that stopped the run; 0: none did. */
int	cli_signals_stopped_by(void);

/* A new run: what stopped the last one is over. */
void	cli_signals_forget(void);

/* End as the signal would have ended us. */
void	cli_signals_die(int signo) __attribute__((__noreturn__));

#endif
