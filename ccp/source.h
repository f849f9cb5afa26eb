/*
 * source.h - what is to be copied: local files and trees, walked once and
 * shared by all hosts.
 *
 * Entries stand in the order in which they are to be made: a directory, then
 * the files in it, then its directories. A file's bytes are read by each host
 * at its own pace; its SHA-256 is computed once, when it is first asked for.
 * Whether a file has changed since the walk is seen from its size, times and
 * inode.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "fanout.h"

#define SHA256_LEN 32

enum entry_kind { ENTRY_FILE, ENTRY_DIR, ENTRY_LINK, ENTRY_HARD };

#define NO_PARENT ((uint32_t)-1)

struct entry {
	char		*name;		/* last part of where it goes */
	char		*path;		/* roots: the local path as given */
	char		*link;		/* LINK: what it points to */
	char		*xattrs;	/* FILE, DIR: see xattr.h; NULL: none */
	uint32_t	 parent;	/* index of its directory; NO_PARENT: a root */
	uint32_t	 first;		/* HARD: index of the file it is */
	enum entry_kind	 kind;
	mode_t		 mode;		/* the permission bits */
	uid_t		 uid;
	gid_t		 gid;
	off_t		 size;		/* FILE */
	struct timespec	 mtime, ctime;
	dev_t		 dev;
	ino_t		 ino;
	bool		 changed;	/* seen to have changed since the walk */
	bool		 linked;	/* others are HARD links to it */
	bool		 summed;
	unsigned char	 sum[SHA256_LEN];
	struct evp_md_ctx_st *digest;	/* of the first part; NULL: none */
	off_t		 digested;	/* how long that part is */
	int		 fd;		/* while somebody reads it */
	unsigned	 readers;
};

struct source {
	struct entry	*entries;
	size_t		 count, size;	/* used, allocated */
	size_t		 roots;		/* entries without parent */
	uint64_t	 bytes;		/* of all files */
	bool		 has_xattrs;	/* any of them */
};

struct source_opts {
	bool	 recursive;		/* else a directory is an error */
	bool	 follow;		/* symbolic links become what they name */
	bool	 xattrs;		/* read them, too */
	char	*const *exclude;	/* glob patterns, NULL at the end; or NULL */
};

/* Names that begin so are the toolkit's own on the hosts. */
#define SOURCE_RESERVED ".fanout-"

/* Is a file of that name, and path, left out? patterns: as above. */
bool	source_excludes(char *const *patterns, const char *name,
	    const char *path);

/* Walk paths (NULL at the end). 0 or an error that names the file. */
int	source_walk(struct source *, char *const *paths,
	    const struct source_opts *, struct fanout_error *);
void	source_free(struct source *);

/* The local path of an entry; free(3) it. NULL: no memory. */
char	*source_path(const struct source *, uint32_t);

/* Where it goes below the destination, "a/b"; free(3) it. With whole false
 * without the root's own name ("": the root itself). */
char	*source_rel(const struct source *, uint32_t, bool whole);

/*
 * Reading a file: 0, or -1 with errno; ESTALE: it has changed since the walk.
 * Any number of readers share a descriptor; each calls close. A part that is
 * not there any more is ESTALE, too.
 */
int	source_open(struct source *, uint32_t);
int	source_read(struct source *, uint32_t, off_t, void *, size_t);
int	source_close(struct source *, uint32_t);

/* The descriptor of one that is open for reading. */
int	source_fd(const struct source *, uint32_t);

/* The SHA-256 of a file. What has been read from its beginning on is not read
 * again for it. 0, or -1 with errno as above. */
int	source_sum(struct source *, uint32_t);

/* Some more of it, of a file that is open: 1, 0: it is all read, -1 as above. */
int	source_sum_some(struct source *, uint32_t, size_t);

#endif
