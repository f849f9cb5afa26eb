/*
 * member.h - what hosts that are to trust each other tell of themselves, and
 * under which names they are known.
 */
#ifndef MEMBER_H
#define MEMBER_H

#include "dialog.h"
#include "script.h"
#include "setup.h"

#define MEMBER_KEYS 8

struct member {
	bool	 told;		/* all of this is known */
	char	*user;		/* that others log in as */
	unsigned port;
	char	*address;	/* that others connect to */
	char	*names;		/* separated by blanks, as known_hosts has
				 * them: with [] and port, if it is not 22 */
	char	*line;		/* its key, as authorized_keys has it; NULL:
				 * it has none */
	char	*word;		/* type and blob of it; NULL: it has none (yet,
				 * if there is a line) */
	bool	 makes;		/* it would make one */
	char	*keys[MEMBER_KEYS];	/* of the host: type and blob */
	size_t	 nkeys;
	char	 print[MEMBER_KEYS][64];	/* those that we know it by; what
					 * it says has to be among them */
	size_t	 nprints;
};

/* One for each host; free with members_free. NULL: why has been said. */
struct member *members_new(struct setup *);
void	members_free(struct setup *, struct member *);

/* Asks those that trust us; keys are made where there are none, unless it is a
 * dry run: then those that would trust us are asked, too. As dialog_run(). */
int	members_ask(struct setup *, struct member *, bool make_keys);

/* A dialog with those that trust us, with a script of these wishes; in a dry
 * run then with those that would. */
int	members_talk(const struct dialog *, const struct script_wish *);

#endif
