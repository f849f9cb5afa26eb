/*
 * script.h - what is run on hosts. Each script stands between single quotes for
 * /bin/sh, so that it comes through whatever login shell there is.
 *
 * What it has to say are lines that begin with SCRIPT_SAYS, a word and a blank.
 * "no WHY" refuses; "wait" means nothing; "ready" means that it has said all and
 * reads its input.
 */
#ifndef SCRIPT_H
#define SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#define SCRIPT_SAYS "csshsetup: "

/* All of these: for free(3), or NULL: no memory. */

/* Adds one key; its standard input is the line and the word. */
char	*script_install(bool dry_run);

/*
 * Shows what the account has, and changes its files:
 *
 *	user NAME
 *	mine TYPE BLOB COMMENT	the key pair that it logs in by to others
 *	make PATH		it would be made
 *	host TYPE BLOB		a key of the host
 *	file N SIZE PATH	SIZE bytes and a newline follow; "-": it is not
 *				there. 0 is the first of authorized keys, others
 *				may follow; 9 are the known hosts
 *
 * Its input, once it is ready, are lines "edit N HOW COUNT SIZE", each with
 * COUNT lines behind it that come at the end; HOW is what sed(1) does to those
 * that are there, or "-"; SIZE is that of the new file. "commit" makes all of
 * these take effect, and it says "done". Without that nothing is changed.
 */
struct script_wish {
	bool	 dry_run;	/* no lock, nothing is made */
	bool	 make_key;	/* if there is none */
	bool	 key, host_keys, known;	/* to be shown */
};
char	*script_account(const struct script_wish *);

/* Shows the known hosts of the account and of all, as files 9 and 8. */
char	*script_known(void);

/* Logs in to others: input "INDEX USER PORT NAME", then "go"; says "cell INDEX
 * STATUS TEXT" of each, then "done". */
char	*script_matrix(void);

/* Why sshd may refuse keys: "why TEXT" for all it finds, and files as above. */
char	*script_why(void);

/* What the script for one key said, in the first line of its own; why is the
 * rest of it, or where there is no such line the first of all. */
enum script_said { SAID_NOTHING, SAID_DONE, SAID_THERE, SAID_NO };
enum script_said script_read(const char *output, char *why, size_t);

#endif
