/*
 * copy.h - a copy of one source to many hosts: what all share, and where each
 * host stands.
 *
 *	LOOK    by SFTP: what is at the destination already
 *	SUM     by a command: digests of files that look the same
 *	BEFORE  the user's command, where something is to be changed
 *	SEND    by SFTP: what is missing or differs, into temporary folders
 *	ARCHIVE by a command: many small files at once, where none was there
 *	LARGE   by a command for each: large files, likewise
 *	XATTRS  by a command: --xattrs
 *	COMMIT  by a command: digests of what arrived, then rename
 *	FINISH  by SFTP: --delete; modes and times of directories
 *	AFTER   the user's command, where something was changed
 *	CLEAN   by SFTP: it failed, temporary files go
 *
 * Where no command can be run, SUM and COMMIT are done by SFTP, too: files are
 * read back. Where there is no SFTP, PROBE and PLACE do its part: see plain.h.
 *
 * Phases that have nothing to do are left out, and SEND goes on in LOOK's
 * session if SUM is not needed. Each is a job of the engine, on one session.
 * Until COMMIT nothing that was there has been touched.
 *
 * Beside each target, on the same file system, is a folder for its temporary
 * files, .fanout-CLIENT-PID-START: a later run sees whether its owner lives.
 * Of hosts that share the file system the first one makes it, and the others
 * wait for that one (fellow.c).
 *
 * The caller's thread only.
 */
#ifndef COPY_H
#define COPY_H

#include "archive.h"
#include "cli/ask.h"
#include "fanout.h"
#include "sftp.h"
#include "source.h"

struct copy_opts {
	const char *dest;	/* NULL: each host has its own */
	bool	 into;		/* dest is a directory to copy into */
	bool	 as_is;		/* dest is the very name, also of a directory */
	bool	 mkdir;		/* make dest */
	bool	 preserve;	/* modes and times */
	bool	 dry_run;
	bool	 check;		/* dry_run, with digests of all files */
	bool	 diff;		/* dry_run, with the files themselves */
	bool	 update;	/* leave files alone that are newer there */
	bool	 no_clobber;	/* leave all files alone that are there */
	int	 mode;		/* of files; -1: as they are */
	const char *owner;	/* "USER:GROUP"; NULL: as they are */
	const char *backup;	/* suffix; NULL: none is kept */
	const char *before, *after;	/* commands; NULL: none */
	bool	 delete;	/* what is in a directory there and not here */
	unsigned max_delete;	/* files of a host; 0: any number */
	char	*const *exclude;	/* these stay; NULL at the end; or NULL */
};

enum phase { PHASE_LOOK, PHASE_PROBE, PHASE_SUM, PHASE_BEFORE, PHASE_SEND, PHASE_PLACE,
    PHASE_ARCHIVE, PHASE_LARGE, PHASE_XATTRS, PHASE_COMMIT,
    PHASE_FINISH, PHASE_AFTER, PHASE_CLEAN,
    PHASE_OVER };

/* States within an SFTP session, in order; see their files. */
enum sftp_state { AT_START, AT_DEST, AT_MAKE_DEST, AT_LOOK, AT_LIST,
    AT_CHECK,
    AT_FETCH, AT_MAKE_DIRS, AT_MAKE_TEMPS, AT_TAKEN, AT_SEND, AT_SUMS, AT_VERIFY,
    AT_RENAME, AT_FIX, AT_DELETE, AT_DIRS, AT_GET, AT_CLEAN, AT_LEAVE, AT_NSTATES };

/* What is to be done with an entry on a host. */
#define E_MISSING 0x01u		/* nothing is there */
#define E_CHECK 0x02u		/* it looks the same: compare digests */
#define E_SEND 0x04u		/* to be sent, or made */
#define E_FIX 0x08u		/* only its mode or times */
#define E_MADE 0x10u		/* its temporary file, or directory, exists */
#define E_TEMP 0x20u		/* the directory has a temporary folder */
#define E_WAITS 0x40u		/* asked, not answered yet */
#define E_HAD 0x80u		/* the directory had one, and files came out */

struct kept {			/* of a file that is replaced */
	uint32_t uid, gid, mode;
	bool	 is;
};

struct extras;			/* see extra.c */
struct old_text;		/* see tell.c */
struct upload;			/* a file on its way, see send.c */
struct reread;			/* a file on its way back, see reread.c */

/* --sudo, see become.h. */
struct become {
	const char	*user;		/* NULL: nobody */
	bool		 unnamed;	/* the option named none */
	unsigned	 password_fd;	/* plus 1; 0: none */
	struct cli_ask	*ask;
	char		 mark[32];	/* of this run */
	char		*password;	/* cli_secret_new; NULL: not known yet */
	bool		 asked, refused;	/* on the terminal; there is none */
};

/* What some of the hosts, or all, are to have, and what is made of it once. */
struct load {
	struct load	*next, *next_busy;
	bool		 busy;		/* there is work on it for copy_idle() */
	struct source	 source;
	uint32_t	*by_name;	/* its entries, see extra.c; or NULL */
	struct archive	 archive;
	uint32_t	 to_sum;	/* a large file on its way; NO_PARENT */
};

struct host {
	struct copy	*copy;
	struct load	*load;
	size_t		 index;		/* in the set */
	const char	*name;
	enum phase	 phase;
	enum sftp_state	 state;
	fanout_job	 job;		/* of the phase; 0: none */
	size_t		 job_host;	/* its index in that job's set */

	/* the place */
	const char	*dest;		/* not its own */
	char		*base;		/* directory of the roots, "" the login's */
	char		*as_name;	/* name of the only root; NULL: its own */
	unsigned	 base_flags;	/* E_TEMP of base */
	unsigned char	*todo;		/* E_ flags, one an entry */
	struct kept	*kept;		/* one an entry; NULL: none replaced yet */
	bool		 by_sftp;	/* it runs no commands */
	bool		 plain;		/* it has no SFTP, see plain.h */
	unsigned	 probing;	/* PROBE: which */
	int		 placing;	/* PLACE: enum place */
	bool		 makes_dest;	/* plain: dest is to be made */

	bool		 decided;	/* what it needs is known */
	uint64_t	 to_send;	/* bytes, then */

	/* an SFTP session */
	struct sftp	*sftp;
	enum sftp_state	 begin;		/* state after AT_START */
	bool		 leaving;	/* the input is to end */
	bool		 left;		/* it has ended */
	uint32_t	 cursor;	/* next entry in this state */
	unsigned	 part;		/* AT_MAKE_DEST: bytes of dest made */
	struct upload	*uploads;
	unsigned	 open_uploads;
	uint64_t	 in_flight;	/* bytes not acknowledged */
	struct reread	*rereads;
	unsigned	 open_rereads;
	unsigned	 pass;		/* AT_RENAME, AT_CLEAN: which round */

	struct get	*get;		/* GET, see get.c */
	struct extras	*extras;	/* to be removed; NULL: none */

	/* hosts with the same file system, see fellow.c */
	bool		 holds;		/* it has temporary folders, or asks */
	bool		 has_temps;
	bool		 taken;		/* one is another's */
	uint32_t	 taken_dir;	/* which */
	bool		 waits;		/* for that other one */
	bool		 own_temps;	/* of a name of its own */
	unsigned	 vanished;	/* so often it was not there after all */
	uint32_t	 wanted;	/* to be sent when it began to wait */

	/* --sudo, of the job under way */
	bool		 waits_become;	/* the command has not begun */
	bool		 gave, asks;	/* the password; it waits for that */
	char		 heard[256];	/* standard error, meanwhile */
	size_t		 heard_len;
	size_t		 hidden;	/* of this event's bytes: not its own */

	bool		 wants_before;	/* BEFORE is next */
	bool		 ran_before;	/* it is over */
	bool		 owes_after;	/* AFTER is due, changed or not */
	bool		 by_archive;	/* what is small */
	bool		 has_xattrs;	/* they are set */
	bool		 no_archive;	/* there is no tar */

	/* a large file */
	uint32_t	 large;	/* the entry */
	bool		 large_open;	/* the source is */
	bool		 no_bulk;	/* the system's ssh did not get there */
	bool		 bulk_failed;	/* just now: once more */

	/* a command */
	char		*input;		/* what it is to read; NULL: none */
	size_t		 input_off, input_len;
	char		*answer;	/* what it said */
	size_t		 answer_len;
	char		 words[200];	/* of its standard error, first line */
	bool		 words_end;	/* it has come whole */

	/* what became of it */
	bool		 failed;
	struct fanout_result result;
	uint32_t	 changed;	/* entries that differed */
	char		*told;		/* how each stood, see tell.h; NULL */
	char		*gone;		/* what was to be removed; or NULL */
	bool		 differs;	/* any of them */
	uint32_t	*sums;		/* check: the digests' first bytes */
	const struct old_text **old;	/* diff: files as they are there */
	uint64_t	 sent;		/* bytes */
};

/* The hosts of a job: one, or some by their indices, or all. */
struct copy_job {
	size_t	 host;
	size_t	*map;
	bool	 all;
};

struct cli_expand;

struct copy {
	struct fanout	*engine;
	struct cli_expand *expand;	/* what differs from host to host */
	const struct fanout_hosts *hosts;
	struct load	*loads, *busy;
	struct get_all	*get;		/* not to the hosts, but from them; NULL */
	struct copy_opts opts;
	struct become	 become;
	char		 temp[64];	/* name of temporary folders */
	char		 mine[32];	/* what those of this machine begin with */
	char		*alive;		/* those of runs that live, blanks around */
	struct host	*at;		/* one a host */
	struct copy_job	*jobs;		/* from the first one's number on */
	fanout_job	 first_job;	/* 0: none yet */
	size_t		 jobs_size;
	bool		 telling;	/* what changes is to be told */
	bool		 tell_same;	/* also where nothing does */
	struct old_text	*old_texts;
	uint64_t	 sent;		/* bytes, all hosts */
	uint64_t	 to_send;	/* by all hosts that know by now */
	size_t		 undecided;	/* hosts that do not yet */
	uint64_t	 may_fly;	/* bytes a host may have in flight */
	bool		 sync_each;	/* fsync each file, not the file system */
	size_t		 holders, waiting;	/* hosts, see fellow.c */
	int64_t		 moved;		/* when a holder was heard of, ms */

	/* A host is over: its result stands. */
	void		(*over)(void *, struct host *);
	void		*arg;
};

/* ---- copy.c: all of them ---- */

/* One more, still empty. NULL: no memory. */
struct load *copy_load(struct copy *);

/* There is work on it: an archive to be made, a sum to be computed. */
void	copy_work_on(struct copy *, struct load *);

/* Once, when hosts and opts are there, and all loads; then each host is to be
 * given its load and, unless all have the same, its dest. 0, or -1: no memory. */
int	copy_init(struct copy *);

/* These hosts begin; map: their indices, NULL: they are all. skip: see struct
 * fanout_cmd. 0 or an error. */
int	copy_start(struct copy *, const struct fanout_hosts *,
	    const size_t *map, const char *const *skip, struct fanout_error *);
void	copy_free(struct copy *);

/* While no event is there: some of the work that is to be done here. True:
 * there is more. */
bool	copy_idle(struct copy *);
/* In how many ms it is to be called again whatever comes; -1: no matter. */
int	copy_due(const struct copy *);

/* How many bytes are over there, of how many (0: nobody knows yet); false:
 * none. */
bool	copy_moved(const struct copy *, uint64_t *bytes, uint64_t *of);

/* ---- host.c: one host's way through the phases ---- */

/* The host that it is about; NULL: none. */
struct host *copy_event(struct copy *, const struct fanout_event *);
void	host_end_session(struct host *);	/* of SFTP; also if there is none */

/* Is it the user's own command that speaks? */
bool	host_is_users(const struct host *);

/* The first failure counts. */
void	host_fail(struct host *, enum fanout_class, const char *fmt, ...)
	    __attribute__((__format__(printf, 3, 4)));
/* The same for an answer of the SFTP server about a path. */
void	host_refused(struct host *, const char *doing, const char *path,
	    const struct sftp_answer *);
void	host_nomem(struct host *);

/* ---- for the states of an SFTP session ---- */

enum go { GO_ON, GO_WAIT };	/* to the next state; when answers came */

/* May another request be made now? */
bool	host_may_ask(const struct host *);
/* The answers to all that was asked are there. */
bool	host_settled(const struct host *);
enum go	host_goto(struct host *, enum sftp_state);
void	host_pump(struct host *);	/* go on, if it is in a session */

/* A piece of its standard error: the first line is kept, safe to print. */
void	host_words(struct host *, const char *, size_t);
/* Entries that are to be sent. */
uint32_t host_to_send(const struct host *);

/* LOOK, with what is to be removed, is done: what is next? */
enum go	host_listed(struct host *);

enum go	host_checked(struct host *);	/* CHECK is done */

/* look.c */
enum go	at_dest(struct host *);
enum go	at_make_dest(struct host *);
enum go	at_look(struct host *);
void	look_join_links(struct host *);
void	look_dest(void *host, uint32_t, const struct sftp_answer *);
void	look_entry(void *host, uint32_t entry, const struct sftp_answer *);
/* send.c */
enum go	at_make_dirs(struct host *);
enum go	at_send(struct host *);
enum go	at_sums(struct host *);
void	uploads_free(struct host *);
void	uploads_give_up(struct host *);	/* what is open is to be closed */
/* fellow.c */
enum go	at_make_temps(struct host *);
enum go	at_taken(struct host *);
bool	fellow_has_temp(const struct host *, uint32_t dir);	/* NO_PARENT */
void	fellow_set_temp(struct host *, uint32_t dir);	/* one of its own name */
void	fellow_release(struct host *);	/* its temporary folders are gone */
void	fellow_over(struct host *);
void	fellow_attend(struct copy *);	/* has somebody waited too long? */
/* reread.c */
enum go	at_check(struct host *);
enum go	at_fetch(struct host *);
enum go	at_verify(struct host *);
void	rereads_free(struct host *);
void	rereads_give_up(struct host *);	/* nothing more is to be asked */
/* get.c */
enum go	at_get(struct host *);
/* finish.c */
enum go	at_rename(struct host *);
enum go	at_fix(struct host *);
enum go	at_dirs(struct host *);
enum go	at_clean(struct host *);
bool	temps_removed(struct host *);	/* false: not yet; cursor: 0 at first */

/* ---- large.c ---- */

#define LARGE_MIN (8 * 1024 * 1024)	/* bytes: files go one by one */
bool	large_is(const struct host *, uint32_t entry);
bool	large_next(struct host *);	/* is there one more? h->large */
int	large_begin(struct host *);	/* 0, or -1: it has failed */
void	large_close(struct host *);

/* ---- script.c, large.c: the phases that are commands ---- */

/* Their first line: it shows that commands can be run. */
#define SCRIPT_HELLO "fanout-1"

/* The command line and h->input. NULL: no memory. */
char	*script_sum(struct host *);
char	*script_commit(struct host *);
char	*script_large(struct host *);
/* What it said, once it is over. */
void	script_summed(struct host *);
void	script_committed(struct host *);
void	script_large_over(struct host *);

/* Takes the first line of an answer; false: h->by_sftp, from now on. */
bool	script_answered(struct host *, char **rest);
/* --check tells the digests of what differs. */
void	script_keep_sum(struct host *, uint32_t entry,
	    const unsigned char *sum);
/* --check cannot tell of such a file. */
void	script_fail_unread(struct host *, uint32_t entry);
/* A path as octal numbers, in which no shell sees anything; free(3). */
char	*script_octal(const char *);
/* A line of sha256sum(1) and its kin. */
bool	script_digest(char *line, unsigned char *sum, char **name);

/* ---- place.c: paths on a host; free(3) them, NULL: no memory ---- */

char	*place_target(const struct host *, uint32_t entry);
char	*place_temp(const struct host *, uint32_t entry);	/* on its way */
char	*place_dir(const struct host *, uint32_t parent);	/* or NO_PARENT */
char	*place_temp_dir(const struct host *, uint32_t parent);
#define TEMP_NAME_SIZE 96
const char *place_temp_name(const struct host *, char [TEMP_NAME_SIZE]);
char	*place_sums(const struct host *, uint32_t parent);
#define SUMS_NAME SOURCE_RESERVED "sums"

#endif
