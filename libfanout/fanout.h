/*
 * fanout.h - run one thing on many hosts at once, and learn honestly what
 * became of each.
 *
 * Life of a run:
 *
 *	fanout_hosts_*   name the hosts            (no threads, no network)
 *	fanout_new       start an engine           (threads start when needed)
 *	fanout_submit    give it a job             (returns at once)
 *	fanout_next      pull events, one by one   (on your thread)
 *	fanout_free      cancel what is left and go
 *
 * Threads: a struct fanout and a struct fanout_hosts belong to one thread at a
 * time. fanout_cancel() and fanout_wake() may be called from any thread,
 * fanout_wake() from a signal handler too. The library's own threads run with
 * every signal blocked and never call your code. Do not fork without exec
 * while an engine exists.
 *
 * Ownership: out-parameters come first and are yours to free with the matching
 * _free call; what a function returns or an event points to stays the
 * library's. On failure out-parameters are NULL.
 *
 * Errors: functions return 0 or one of enum fanout_err (negative). Where a
 * struct fanout_error pointer is taken it may be NULL; it is written only on
 * failure. There is no global "last error".
 *
 * Units: times are milliseconds, sizes are bytes.
 */
#ifndef FANOUT_H
#define FANOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

#define FANOUT_VERSION "0.1.0"

/* The version of the library in use and of what it stands on, one line. */
const char *fanout_version(void);

/* ---- errors of calls --------------------------------------------------- */

enum fanout_err {
	FANOUT_OK = 0,
	FANOUT_ENOMEM = -1,	/* memory ran out; nothing was changed */
	FANOUT_EINVAL = -2,	/* an argument makes no sense */
	FANOUT_EPARSE = -3,	/* text does not parse: see offset, line */
	FANOUT_ESYS = -4,	/* the system said no: see sys_errno */
	FANOUT_ECONFIG = -5,	/* a configuration file or key is unusable */
	FANOUT_EIDLE = -6,	/* fanout_next: no job is left */
	FANOUT_ELIMIT = -7	/* a built-in limit, named in the text */
};

struct fanout_error {
	int	 code;		/* enum fanout_err */
	int	 sys_errno;	/* 0: none */
	size_t	 offset;	/* EPARSE: byte in the text given */
	unsigned line;		/* EPARSE of a file: line, from 1; else 0 */
	char	 text[256];	/* one line, no newline, safe to print */
};

const char *fanout_strerror(int err);	/* static text, never NULL */

/* ---- outcome of a host ------------------------------------------------- */

/* X(symbol, name in text, JSON and reports) */
#define FANOUT_CLASSES(X)				\
	X(OK, "ok")					\
	X(EXIT, "exit")					\
	X(SIGNAL, "signal")				\
	X(RESOLVE, "resolve")				\
	X(REFUSED, "refused")				\
	X(UNREACHABLE, "unreachable")			\
	X(CONNECT_TIMEOUT, "connect-timeout")		\
	X(LOGIN_TIMEOUT, "login-timeout")		\
	X(HOSTKEY_UNKNOWN, "hostkey-unknown")		\
	X(HOSTKEY_CHANGED, "hostkey-changed")		\
	X(ALGORITHM, "algorithm")			\
	X(AUTH, "auth")					\
	X(COMMAND_TIMEOUT, "command-timeout")		\
	X(IDLE_TIMEOUT, "idle-timeout")			\
	X(LOST, "lost")					\
	X(LOCAL, "local")				\
	X(REMOTE, "remote")				\
	X(CANCELED, "canceled")				\
	X(SKIPPED, "skipped")

/* Values never change; new classes come at the end. */
enum fanout_class {
#define FANOUT_X(sym, name) FANOUT_C_##sym,
	FANOUT_CLASSES(FANOUT_X)
#undef FANOUT_X
	FANOUT_NCLASSES
};

const char *fanout_class_name(enum fanout_class);

/* X(symbol, name): the stages a host goes through, in order. */
#define FANOUT_STAGES(X)		\
	X(QUEUE, "queue")		\
	X(RESOLVE, "resolve")		\
	X(CONNECT, "connect")		\
	X(KEX, "key-exchange")		\
	X(HOSTKEY, "host-key")		\
	X(AUTH, "authentication")	\
	X(OPEN, "open")			\
	X(RUN, "run")			\
	X(CLOSE, "close")

enum fanout_stage {
#define FANOUT_X(sym, name) FANOUT_S_##sym,
	FANOUT_STAGES(FANOUT_X)
#undef FANOUT_X
	FANOUT_NSTAGES
};

const char *fanout_stage_name(enum fanout_stage);

/*
 * What became of a command that was given up (deadline, cancel), as a look at
 * the host told. The text of the result says it, too.
 */
enum fanout_fate {
	FANOUT_F_NONE = 0,	/* not given up, or it had not begun */
	FANOUT_F_KILLED,	/* its processes are gone */
	FANOUT_F_RUNNING,	/* they would not go */
	FANOUT_F_UNKNOWN	/* that could not be seen */
};

struct fanout_result {
	enum fanout_class cls;
	enum fanout_stage stage;	/* where it ended */
	int	 status;		/* exit status; -1: none came */
	char	 signal[16];		/* "TERM"; "": none */
	int	 sys_errno, lib_err;	/* raw causes; 0: none */
	char	 text[256];		/* one line saying why; "" when ok */
	uint64_t in_bytes, out_bytes, err_bytes;
	uint32_t queue_ms, login_ms, run_ms;
	enum fanout_fate fate;
	int64_t	 pid;			/* fate RUNNING: one of them; 0: none
					 * is known */
};

/* ---- host sets: ordered, without duplicates ---------------------------- */

/*
 * A host is written [user@]name[:port]; an IPv6 address with a port as
 * [addr]:port. fanout.7 has the expression language. Nothing here starts a
 * thread or touches the network. Hosts keep the order in which they came.
 */
struct fanout_hosts;
struct fanout_groups;

int	fanout_hosts_new(struct fanout_hosts **);
void	fanout_hosts_free(struct fanout_hosts *);	/* NULL is fine */

/* At most so many hosts; 0: the default, FANOUT_HOSTS_MAX. Before the first
 * host is added. More is FANOUT_ELIMIT. */
#define FANOUT_HOSTS_MAX 1000000
void	fanout_hosts_limit(struct fanout_hosts *, size_t);

/* Where @groups and wildcards are looked up. Not copied: it must outlive the
 * set. Without it an @group is an error. */
void	fanout_hosts_use_groups(struct fanout_hosts *, struct fanout_groups *);

/*
 * Add, take out what an expression names. On failure the set is as it was,
 * and fanout_error.offset is the byte of the expression that is wrong.
 *
 * Taking out (also "!" and "&" within an expression) a host written without
 * a user or port means that name whatever the user or port; written with
 * them, exactly that one.
 */
int	fanout_hosts_add(struct fanout_hosts *, const char *expr,
	    struct fanout_error *);
int	fanout_hosts_remove(struct fanout_hosts *, const char *expr,
	    struct fanout_error *);

/* A file of expressions, one a line; '#' comments, "#include FILE". */
int	fanout_hosts_load(struct fanout_hosts *, const char *path,
	    struct fanout_error *);		/* "-": standard input */

size_t	fanout_hosts_count(const struct fanout_hosts *);
const char *fanout_hosts_at(const struct fanout_hosts *, size_t);
#define FANOUT_NOHOST ((size_t)-1)
size_t	fanout_hosts_find(const struct fanout_hosts *, const char *host);

/* The shortest expression that stands for the set; "" for an empty one. */
int	fanout_hosts_fold(const struct fanout_hosts *, char **);  /* free(3) */

/* The first set becomes the result. 0 or FANOUT_ENOMEM, FANOUT_ELIMIT: then
 * it is as it was. */
int	fanout_hosts_union(struct fanout_hosts *, const struct fanout_hosts *);
int	fanout_hosts_subtract(struct fanout_hosts *,
	    const struct fanout_hosts *);
int	fanout_hosts_intersect(struct fanout_hosts *,
	    const struct fanout_hosts *);
int	fanout_hosts_xor(struct fanout_hosts *, const struct fanout_hosts *);

/*
 * Parts of a set as a new set, in its order. slice: indices from 0, as
 * "0-9/2,20"; those beyond the end are not there. share: the i-th of so many
 * even parts. pick: n at random; the same seed picks the same, NULL is a
 * fresh one.
 */
int	fanout_hosts_copy(struct fanout_hosts **, const struct fanout_hosts *);
int	fanout_hosts_slice(struct fanout_hosts **, const struct fanout_hosts *,
	    const char *ranges, struct fanout_error *);
int	fanout_hosts_share(struct fanout_hosts **, const struct fanout_hosts *,
	    size_t parts, size_t i);
int	fanout_hosts_pick(struct fanout_hosts **, const struct fanout_hosts *,
	    size_t n, const uint64_t *seed);

/* The parts of one host, pointing into it. */
struct fanout_hostspec {
	const char *user;	/* NULL: none */
	size_t	 user_len;
	const char *name;	/* without brackets */
	size_t	 name_len;
	unsigned port;		/* 0: none */
};
int	fanout_host_split(const char *host, struct fanout_hostspec *);

/* ---- groups of hosts --------------------------------------------------- */

/*
 * Sources of @groups, each with a name. What they answered is kept until the
 * object is freed. Looking up a group may run a program and wait for it.
 */
int	fanout_groups_new(struct fanout_groups **);
void	fanout_groups_free(struct fanout_groups *);	/* NULL is fine */

/* How long a program that is asked may take; before sources are added. The
 * default is 30,000 ms; 0: for ever. Then it is killed, and that is an error. */
void	fanout_groups_deadline(struct fanout_groups *, int ms);

/* Add the sources of this system: fanout(7) lists them. */
int	fanout_groups_system(struct fanout_groups *, struct fanout_error *);

/* Add a file of lines "group: expression" as a source of that name. */
int	fanout_groups_file(struct fanout_groups *, const char *source,
	    const char *path, struct fanout_error *);

/*
 * @group without a source is the group of the first source that has it, and
 * @* all hosts of the first source that knows any: make this one the first.
 */
int	fanout_groups_prefer(struct fanout_groups *, const char *source,
	    struct fanout_error *);

/*
 * The set said by groups: "@web,@db,n[1-3]". Taken are groups of one source
 * (NULL: of the first) that lie wholly in the set, the largest first, none
 * that overlaps one taken before. free(3) the text.
 */
int	fanout_hosts_regroup(const struct fanout_hosts *,
	    struct fanout_groups *, const char *source, char **,
	    struct fanout_error *);

/* ---- selecting hosts by options ---------------------------------------- */

/*
 * What -w, -x, -g and so on of a command line select, given in any order.
 * Whatever is left out is left out at the end, after all that was named. If
 * nothing was named: the file CFANOUT_HOSTS of the environment, else the
 * file WCOLL, else the group members, else an error that says so.
 */
struct fanout_selection;

enum fanout_select {
	FANOUT_SELECT_HOSTS = 'w',	/* expression, or one of pdsh's
					 * ^file - -expr /re/ -^file -/re/ */
	FANOUT_SELECT_NOT_HOSTS = 'x',	/* the same, left out */
	FANOUT_SELECT_GROUP = 'g',	/* group,group without the @ */
	FANOUT_SELECT_NOT_GROUP = 'X',
	FANOUT_SELECT_ALL = 'a',	/* @*; the text is ignored */
	FANOUT_SELECT_FILE = 'F'	/* a host file; "-": standard input */
};

int	fanout_selection_new(struct fanout_selection **);
void	fanout_selection_free(struct fanout_selection *);	/* NULL: fine */

/* Not copied. Without it the system's sources are read when first needed. */
void	fanout_selection_use_groups(struct fanout_selection *,
	    struct fanout_groups *);

/* As fanout_hosts_limit(), for what is taken and for what is left out. */
void	fanout_selection_limit(struct fanout_selection *, size_t);

/* On failure the error's offset is in text; the selection is spoilt. */
int	fanout_selection_add(struct fanout_selection *, enum fanout_select,
	    const char *text, struct fanout_error *);

/* In the end take so many at random; seed NULL: others each time. */
void	fanout_selection_pick(struct fanout_selection *, size_t n,
	    const uint64_t *seed);

/* Once. The set may be empty, if all that was named was left out too. */
int	fanout_selection_finish(struct fanout_hosts **,
	    struct fanout_selection *, struct fanout_error *);

/* Has anything that was added named hosts to take? And is this name left out,
 * whatever names it? */
bool	fanout_selection_named(const struct fanout_selection *);
bool	fanout_selection_leaves_out(const struct fanout_selection *,
	    const char *host);

/*
 * Why a host is selected, or is not: trace before the first option is added,
 * and after finish explain gives a line for each part that named it or took
 * it out, in order: "named by -w web[1-3]", "left out by -x /etc/down:4:
 * web2". "": nothing named it. free(3) it.
 */
int	fanout_selection_trace(struct fanout_selection *);
int	fanout_selection_explain(const struct fanout_selection *,
	    const char *host, char **);

/*
 * Two lines that show the place of an error in the text it is about: the
 * text, and a ^ below. free(3) it; NULL: it has no place there.
 */
char	*fanout_error_caret(const struct fanout_error *, const char *text);

/* ---- cfrun.hosts -------------------------------------------------------- */

/*
 * The file of CFEngine 2's cfrun: hosts with a port and options of their own,
 * and settings. cfrun(1) has its grammar. Hosts keep their order; a host that
 * comes twice is the first one. Everything here lives until it is freed.
 */
struct fanout_cfhosts;

struct fanout_cfhost {
	const char *name;	/* with the domain, where one applies */
	const char *written;	/* as it stands in the file, without port */
	unsigned port;		/* cf-serverd's; 0: none is given */
	const char *options;	/* what follows, "" for nothing */
	const char *file;
	unsigned line;
};

struct fanout_cfcontrol {	/* "", 0: not set */
	const char *access;	/* "root,ops,1001" */
	const char *outputdir;
	const char *outputlevel;	/* normal, inform, error */
	const char *bindtointerface;
	unsigned maxchild;
	bool	 hostnamekeys;
};

/* Where the file is: path if it is not NULL, else cfrun.hosts in CFINPUTS of
 * the environment, /etc/fanout or the inputs folder of CFEngine 3 or 2. 0;
 * FANOUT_EIDLE: there is none. */
int	fanout_cfhosts_load(struct fanout_cfhosts **, const char *path,
	    struct fanout_error *);
void	fanout_cfhosts_free(struct fanout_cfhosts *);	/* NULL is fine */
size_t	fanout_cfhosts_count(const struct fanout_cfhosts *);
const struct fanout_cfhost *fanout_cfhosts_at(const struct fanout_cfhosts *,
	    size_t);
const struct fanout_cfcontrol *fanout_cfhosts_control(
	    const struct fanout_cfhosts *);

/* ---- hosts marked dead ------------------------------------------------- */

/*
 * Hosts that are known to be down are skipped, and said to be: marks are
 * lines of a file, with a reason and perhaps an end. A mark on a name holds
 * for every user and port.
 */
struct fanout_marks;

#define FANOUT_MARKS_SYSTEM "/etc/fanout/dead"

/* Where the caller's own marks go: the system's file for root, else
 * $XDG_CONFIG_HOME/fanout/dead. */
int	fanout_marks_path(char *buf, size_t size);

/* path NULL: the system's and the caller's own. A missing file is empty. */
int	fanout_marks_load(struct fanout_marks **, const char *path,
	    struct fanout_error *);
void	fanout_marks_free(struct fanout_marks *);	/* NULL is fine */

/* Why a host is to be skipped; NULL: it is not. Lives with the marks. */
const char *fanout_marks_why(const struct fanout_marks *, const char *host);

/* Those that hold now; a return of fn other than 0 stops and is returned.
 * until: seconds since 1970, 0 for ever. */
int	fanout_marks_each(const struct fanout_marks *,
	    int (*fn)(const struct fanout_hosts *, const char *why,
	    int64_t until, void *), void *);

/* Change a file, whole and under a lock. reason may be NULL. */
int	fanout_marks_add(const char *path, const struct fanout_hosts *,
	    const char *reason, int64_t until, struct fanout_error *);
int	fanout_marks_remove(const char *path, const struct fanout_hosts *,
	    struct fanout_error *);

/* ---- engine ------------------------------------------------------------ */

struct fanout_transport;	/* fanout_transport.h */

struct fanout_opts {
	size_t	 size;		/* set by fanout_opts_init: how the ABI grows */
	const char *transport;	/* "auto" (default), "ssh2", "openssh",
				 * "local" */
	const struct fanout_transport *custom;	/* instead of transport */
	void	*custom_config;	/* handed to its open() */

	unsigned window;	/* hosts in flight at once; 0: default */
	unsigned workers;	/* threads at most; 0: one a core */
	unsigned connects_per_sec;	/* 0: no limit */
	bool	 keep_sessions;	/* leave a host's session open for the next job */

	int	 resolve_ms, connect_ms, login_ms;	/* 0: no deadline */
	int	 idle_ms, command_ms, close_ms;
	size_t	 host_buffer;	/* undelivered output a host may have */
	int	 log_level;	/* FANOUT_EV_LOG up to this; 0: warnings */

	/* As ssh -F and -o: the first value given for a keyword wins. */
	const char *ssh_config;		/* NULL: ~/.ssh/config, /etc/ssh/ssh_config */
	const char *const *ssh_options;	/* "Keyword=value", NULL at the end */

	/* A command that is given up gets SIGTERM, and so long after that
	 * SIGKILL; -1: it is left alone. Never one that is a subsystem. */
	int	 grace_ms;
	/* So often a host that could not be reached is tried again, after a
	 * pause that grows; never once a login was refused. One that hangs up
	 * before it says a word (it has too much to do) is, twice, anyway. */
	unsigned retries;

	/* FANOUT_CAN_ANSWER(kind) of the questions (FANOUT_EV_ASK) that the
	 * caller answers. Others are not asked: what needs an answer fails. */
	unsigned can_answer;
	int	 ask_ms;	/* to answer a question; 0: no deadline */

	unsigned connect_gap_ms;	/* at least so long between two new
					 * connections; 0: no matter */

	/* Bytes a second, of input and output; 0: any number. */
	uint64_t total_rate;	/* of all hosts together */
	uint64_t host_rate;	/* of each */
};

#define FANOUT_WINDOW_DEFAULT 256

void	fanout_opts_init(struct fanout_opts *, size_t size);
#define FANOUT_OPTS_INIT(o) fanout_opts_init((o), sizeof(*(o)))

struct fanout;

int	fanout_new(struct fanout **, const struct fanout_opts *,
	    struct fanout_error *);		/* copies what it needs */
void	fanout_free(struct fanout *);		/* cancels, joins, frees */

/* ---- jobs -------------------------------------------------------------- */

typedef uint64_t fanout_job;			/* 0 is never a job */

struct fanout_cmd {
	size_t	 size;		/* sizeof(struct fanout_cmd) */
	const char *command;	/* NULL: log in only, run nothing */
	int	 stdin_fd;	/* read once, sent to all; -1: none.
				 * Yours to close, once the job is done. */
	const char *const *skip;	/* one a host of the set: why it is
				 * skipped; NULL: it is not. NULL: none is */
	const char *const *commands;	/* one a host of the set, instead of
				 * command; NULL: command for all */
	bool	 own_input;	/* each host has a standard input of its own,
				 * see fanout_write() */
	bool	 subsystem;	/* commands are names of subsystems: "sftp" */
	bool	 tty;		/* with a terminal: no echo, 80x24, and all
				 * output is standard output */
	bool	 keep;		/* leave the sessions open for a next job, as
				 * keep_sessions does for all jobs */
	bool	 bulk;		/* much goes in: throughput is worth another
				 * login ("auto": by the system's ssh) */
};
#define FANOUT_CMD_INIT \
	{ sizeof(struct fanout_cmd), NULL, -1, NULL, NULL, false, false, false, \
	false, false }

/* All hosts are accepted or none. The set may be freed afterwards. */
int	fanout_submit(struct fanout *, const struct fanout_hosts *,
	    const struct fanout_cmd *, fanout_job *, struct fanout_error *);
void	fanout_cancel(struct fanout *, fanout_job);	/* 0: all */

/* The host does not begin what it has not begun: that is skipped, in every job
 * there is. What runs goes on. */
void	fanout_leave_out(struct fanout *, const char *host);

/*
 * The standard input of one host of a job with own_input, as write(2) on a
 * pipe that does not block: how many bytes were taken, which may be none. After
 * a short write FANOUT_EV_ROOM tells when there is room again. What is written
 * before the host's turn has come waits in memory. FANOUT_EIDLE: the host is
 * done, or has no input of its own; FANOUT_ENOMEM.
 */
ssize_t	fanout_write(struct fanout *, fanout_job, size_t host, const void *,
	    size_t);

/* That was all: what follows is the input of stdin_fd, if there is one, and
 * then the end of the input. */
int	fanout_write_end(struct fanout *, fanout_job, size_t host);

/* So, but the input ends there, whatever stdin_fd has. */
int	fanout_write_stop(struct fanout *, fanout_job, size_t host);

/* How many bytes of its standard input a host has taken so far; 0 once it is
 * done. */
uint64_t fanout_taken(struct fanout *, fanout_job, size_t host);
void	fanout_wake(struct fanout *);

/* ---- events ------------------------------------------------------------ */

enum fanout_kind {
	FANOUT_EV_START = 1,	/* the host left the queue */
	FANOUT_EV_OUT,		/* bytes of its standard output */
	FANOUT_EV_ERR,		/* bytes of its standard error */
	FANOUT_EV_LOG,		/* one line of text */
	FANOUT_EV_DONE,		/* exactly one per job and host, the last */
	FANOUT_EV_ROOM,		/* fanout_write() has room again */
	FANOUT_EV_ASK		/* a question: see fanout_answer() */
};

#define FANOUT_CAN_ANSWER(kind) (1U << (kind))

enum fanout_ask_kind {
	FANOUT_ASK_PASSPHRASE = 1,	/* of a key file, for all hosts */
	FANOUT_ASK_PASSWORD,		/* of a user on a host */
	FANOUT_ASK_PROMPT,		/* whatever the server wants to know */
	FANOUT_ASK_HOSTKEY		/* is this the host's key? "yes": it is */
};

struct fanout_ask {
	uint64_t id;
	enum fanout_ask_kind kind;
	unsigned attempt;	/* 1; more: what was answered was wrong */
	bool	 echo;		/* the answer may be seen */

	/* One line each and safe to print; "" where it says nothing. */
	const char *prompt;	/* "Password: " */
	const char *instruction;	/* PROMPT: the server's, to the user */
	const char *user;	/* PASSWORD, PROMPT */
	const char *path;	/* PASSPHRASE: the key; HOSTKEY: where the
				 * answer "yes" will be recorded */
	const char *key_type;		/* HOSTKEY */
	const char *fingerprint;	/* HOSTKEY: "SHA256:..." */
};

struct fanout_event {
	enum fanout_kind kind;
	fanout_job job;		/* LOG: 0 when of no job */
	size_t	 host;		/* index in the job's set */
	const char *name;	/* as it stood in the set; "" when of no host */
	const void *data;	/* OUT, ERR, LOG */
	size_t	 len;
	int	 level;		/* LOG */
	const struct fanout_result *result;	/* DONE */
	const struct fanout_ask *ask;	/* ASK */
};

int	fanout_fd(const struct fanout *);	/* readable: next has something */

/*
 * 1: an event, valid until the next call. 0: timed out or woken.
 * FANOUT_EIDLE: no job is left. timeout_ms < 0 waits for ever.
 */
int	fanout_next(struct fanout *, struct fanout_event *, int timeout_ms);

/* next() until no job is left; a non-zero return of fn stops and is returned. */
typedef int (*fanout_fn)(const struct fanout_event *, void *);
int	fanout_run(struct fanout *, fanout_fn, void *);

/*
 * Answer a question, now or later; text NULL refuses to. The text is copied,
 * kept where it cannot leak, and wiped after its use. Until then only the host
 * that asks waits, its stage's deadline resting, for at most ask_ms; questions
 * about key files are of no host (job 0) and are put once for all hosts, up to
 * three times while the answer is wrong. FANOUT_EINVAL: nobody waits for this
 * any more. FANOUT_ELIMIT: longer than FANOUT_ANSWER_MAX.
 */
#define FANOUT_ANSWER_MAX 1023
int	fanout_answer(struct fanout *, uint64_t ask, const char *text);

/*
 * How a host would be reached, and why, in lines: which lines of ssh_config
 * gave what, the address, the keys that would be tried, which known_hosts
 * lines apply. Nothing is connected to. Not while a job runs; free(3) it.
 */
int	fanout_explain(struct fanout *, const char *host, char **text,
	    struct fanout_error *);

struct fanout_stats {
	size_t	 in_flight;	/* hosts being worked on */
	size_t	 pending;	/* hosts waiting for admission */
	size_t	 sessions;	/* open, working or kept */
	size_t	 logging_in;	/* of those in flight: not yet logged in */
};
void	fanout_stats(struct fanout *, struct fanout_stats *);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
