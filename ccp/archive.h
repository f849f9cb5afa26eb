/*
 * archive.h - many small files go as one stream: a tar archive, made once in a
 * file without a name, for all hosts that have nothing of them yet. It is
 * unpacked into the temporary folders; all else is as for other files.
 */
#ifndef ARCHIVE_H
#define ARCHIVE_H

#include "cli/spill.h"
#include "fanout.h"

struct host;
struct load;

enum archive_state { ARCHIVE_NONE, ARCHIVE_MAKING, ARCHIVE_READY,
    ARCHIVE_FAILED };

struct archive {
	enum archive_state state;
	struct cli_spill file;
	char		*as_name;	/* the root's name in it; NULL: its own */
	uint32_t	 cursor;
	const struct host *maker;	/* whose paths it has */
	unsigned char	*buf;		/* not written yet */
	size_t		 len;
	char		 why[200];	/* FAILED */
	bool		 no_room;	/* then files go one by one */
};

/* Is it the way for this host? If so it is begun, once. */
bool	archive_serves(struct host *);

/* Some of it, a few milliseconds. True: there is more to be made. */
bool	archive_make_some(struct load *);
void	archive_free(struct load *);

/* Is this entry in it? */
bool	archive_has(const struct load *, uint32_t entry);

/* The command that unpacks it. NULL: no memory. */
char	*script_archive(struct host *);
void	script_archived(struct host *);

#endif
