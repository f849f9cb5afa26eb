/*
 * sshlog.h - what the log of ssh -v says about a connection (OpenSSH 8.4 to
 * 10): the stage it is in, and the class of what went wrong.
 */
#ifndef FO_SSHLOG_H
#define FO_SSHLOG_H

#include <stdbool.h>

#include "fanout.h"

struct sshlog {
	enum fanout_stage stage;	/* reached so far */
	enum fanout_class cls;		/* of the error found; OK: none */
	char		 text[192];	/* the line that said so */
	char		 last[192];	/* the last line that is no debug line */
	bool		 status;	/* the command's exit status came */
	bool		 signaled;	/* it was killed by a signal */
};

void	sshlog_init(struct sshlog *);
void	sshlog_line(struct sshlog *, const char *line);

#endif
