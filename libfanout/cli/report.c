#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "report.h"

#define KEEP_RUNS 100

/* Without FANOUT_KEEP and --keep. A report this young is left alone: it may
 * not be locked yet. */
#define YOUNG_S 60

#define ID_MAX 64

struct report_view {
	struct cli_view	 view;
	struct cli_view	*json;
	struct cli_sink	 file;
	struct cli_sink	*say;		/* where warnings go */
	char		 path[PATH_MAX];
};

/* ---- where they are ----------------------------------------------------- */

static const char *
home(void)
{
	const char *dir = getenv("HOME");
	const struct passwd *pw;

	if (dir != NULL && *dir == '/')
		return dir;
	pw = getpwuid(getuid());
	return pw != NULL ? pw->pw_dir : "/";
}

/* All folders on the way, for the user alone. */
static int
make_dirs(char *path)
{
	char *p;

	for (p = path + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		if (mkdir(path, 0700) == -1 && errno != EEXIST) {
			*p = '/';
			return -1;
		}
		*p = '/';
	}
	return mkdir(path, 0700) == -1 && errno != EEXIST ? -1 : 0;
}

int
cli_report_dir(char *path, size_t size, bool make)
{
	const char *state = getenv("XDG_STATE_HOME");
	bool there = true;
	int n;

	if (state != NULL && *state == '/')
		n = snprintf(path, size, "%s/fanout/runs", state);
	else {
		n = snprintf(path, size, "%s/.local/state/fanout/runs", home());
		there = access(home(), X_OK) == 0;
	}
	if ((size_t)n >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (!make)
		return 0;
	/* The home of a system account is not there on purpose. */
	if (!there) {
		errno = ENOENT;
		return -1;
	}
	return make_dirs(path);
}

bool
cli_report_name(const char *file, const char *tool)
{
	size_t id, n = strlen(file);
	const char *dot;

	id = strspn(file, "0123456789TZ-abcdefghijklmnopqrstuvwxyz");
	dot = file + id;
	if (id < 17 || *dot != '.' || n < 6 ||
	    strcmp(file + n - 6, ".jsonl") != 0)
		return false;
	if (tool == NULL)
		return true;
	n = strlen(tool);
	return strncmp(dot + 1, tool, n) == 0 &&
	    strcmp(dot + 1 + n, ".jsonl") == 0;
}

/* ---- words -------------------------------------------------------------- */

int
cli_words_add(struct cli_words *w, const char *text, size_t len)
{
	char **list, *word;

	if ((word = strndup(text, len)) == NULL)
		return -1;
	list = reallocarray(w->word, w->count + 1, sizeof(*list));
	if (list == NULL) {
		free(word);
		return -1;
	}
	w->word = list;
	w->word[w->count++] = word;
	return 0;
}

void
cli_words_clear(struct cli_words *w)
{
	while (w->count > 0)
		free(w->word[--w->count]);
	free(w->word);
	w->word = NULL;
}

int
cli_words_note(struct cli_words *w, const struct cli_option *o,
    const char *value)
{
	char *text;
	int n, rc;

	n = o->name != NULL ? asprintf(&text, "--%s%s%s", o->name,
	    value != NULL ? "=" : "", value != NULL ? value : "") :
	    asprintf(&text, "-%c%s", o->letter, value != NULL ? value : "");
	if (n == -1)
		return -1;
	rc = cli_words_add(w, text, (size_t)n);
	free(text);
	return rc;
}

/* ---- keeping so many ---------------------------------------------------- */

static int
ours(const struct dirent *d)
{
	return cli_report_name(d->d_name, getprogname());
}

/* Whoever writes it holds a lock; who cannot lock it leaves it alone. Two who
 * remove the same do no harm. */
static void
remove_report(int dir, const char *name)
{
	struct stat st;
	int fd;

	fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd == -1)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    time(NULL) - st.st_mtime >= YOUNG_S &&
	    flock(fd, LOCK_EX | LOCK_NB) == 0)
		unlinkat(dir, name, 0);
	close(fd);
}

static bool
too_old(const char *name, unsigned days)
{
	struct tm tm = { .tm_isdst = 0 };

	if (days == 0 || strptime(name, "%Y%m%dT%H%M%SZ", &tm) == NULL)
		return false;
	return time(NULL) - timegm(&tm) > (time_t)days * 86400;
}

static void
prune(const char *path, const struct cli_report_opts *o)
{
	unsigned runs = o->keep_runs;
	struct dirent **list;
	int n, i, dir;

	if (runs == 0 && o->keep_days == 0)
		runs = KEEP_RUNS;
	if ((dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == -1)
		return;
	if ((n = scandirat(dir, ".", &list, ours, alphasort)) == -1) {
		close(dir);
		return;
	}
	for (i = 0; i < n; i++) {
		if ((runs > 0 && (unsigned)(n - i) > runs) ||
		    too_old(list[i]->d_name, o->keep_days))
			remove_report(dir, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	close(dir);
}

/* ---- writing one -------------------------------------------------------- */

static void
put(struct cli_sink *s, const char *text)
{
	cli_sink_put(s, text, strlen(text));
}

static void
put_field(struct cli_sink *s, const char *key, const char *value)
{
	put(s, ",\"");
	put(s, key);
	put(s, "\":");
	cli_json_string(s, value);
}

static void
put_words(struct cli_sink *s, const struct cli_words *w)
{
	size_t i;

	put(s, ",\"options\":[");
	for (i = 0; w != NULL && i < w->count; i++) {
		if (i > 0)
			put(s, ",");
		cli_json_string(s, w->word[i]);
	}
	put(s, "]");
}

static void
put_hosts(struct cli_sink *s, const struct fanout_hosts *hosts)
{
	size_t i, n = fanout_hosts_count(hosts);

	put(s, ",\"hosts\":[");
	for (i = 0; i < n; i++) {
		if (i > 0)
			put(s, ",");
		cli_json_string(s, fanout_hosts_at(hosts, i));
	}
	put(s, "]}\n");
}

static void
put_begin(struct cli_sink *s, const struct cli_record *rec, const char *id,
    const struct fanout_hosts *hosts)
{
	char text[PATH_MAX];
	const struct passwd *pw = getpwuid(geteuid());
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	snprintf(text, sizeof(text), "{\"event\":\"run\",\"report\":1,"
	    "\"id\":\"%s\",\"time\":%lld.%03ld,\"pid\":%lld", id,
	    (long long)ts.tv_sec, ts.tv_nsec / 1000000, (long long)getpid());
	put(s, text);
	put_field(s, "tool", getprogname());
	put_field(s, "version", FANOUT_VERSION);
	put_field(s, "user", pw != NULL ? pw->pw_name : "?");
	if (gethostname(text, sizeof(text)) == 0)
		put_field(s, "from", text);
	if (getcwd(text, sizeof(text)) != NULL)
		put_field(s, "directory", text);
	if (rec->retry_of != NULL)
		put_field(s, "retry_of", rec->retry_of);
	put_words(s, rec->words);
	put_field(s, "command", rec->command != NULL ? rec->command : "");
	put_hosts(s, hosts);
}

/* A file of its own, whoever else starts in the same moment. */
static int
create(struct report_view *r, const char *dir, char *id)
{
	struct timespec ts;
	struct tm tm;
	char stamp[32];
	int fd, try;

	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	for (try = 0; try < 26; try++) {
		snprintf(id, ID_MAX, "%s-%03ld%.*s", stamp,
		    ts.tv_nsec / 1000000, try > 0,
		    &"abcdefghijklmnopqrstuvwxyz"[try]);
		if ((size_t)snprintf(r->path, sizeof(r->path), "%s/%s.%s.jsonl",
		    dir, id, getprogname()) >= sizeof(r->path)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		fd = open(r->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND |
		    O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd != -1 || errno != EEXIST)
			return fd;
	}
	return -1;
}

static void
warn_once(struct report_view *r)
{
	char line[PATH_MAX + 200];

	if (r->file.error == 0 || r->view.broken)
		return;
	/* Only of the report; the run is as good as without it. */
	r->view.broken = true;
	snprintf(line, sizeof(line), "the report of this run is not whole: "
	    "%s: %s", r->path, strerror(r->file.error));
	cli_sink_say(r->say, line);
}

static void
on_event(struct cli_view *v, const struct fanout_event *ev)
{
	struct report_view *r = (struct report_view *)v;

	r->json->event(r->json, ev);
}

static void
on_check(struct cli_view *v, const struct fanout_event *ev)
{
	struct report_view *r = (struct report_view *)v;

	r->json->check(r->json, ev);
}

static void
on_tick(struct cli_view *v, const struct cli_roster *roster, int64_t ms)
{
	struct report_view *r = (struct report_view *)v;

	(void)roster;
	(void)ms;
	cli_sink_flush(&r->file);
	warn_once(r);
}

static void
on_end(struct cli_view *v, const struct cli_roster *roster, int status)
{
	struct report_view *r = (struct report_view *)v;

	r->json->end(r->json, roster, status);
	warn_once(r);
}

static void
free_view(struct cli_view *v)
{
	struct report_view *r = (struct report_view *)v;

	if (r->json != NULL)
		r->json->free(r->json);
	cli_sink_close(&r->file);
	if (r->file.fd != -1)
		close(r->file.fd);
	free(r);
}

static int
for_ever(void *ctx, struct cli_sink *s)
{
	(void)ctx;
	(void)s;
	return -1;
}

static int
open_report(struct report_view *r, const struct cli_record *rec,
    const struct cli_roster *roster)
{
	const struct cli_patience patience = { for_ever, NULL };
	char dir[PATH_MAX], id[ID_MAX];
	int fd;

	if (cli_report_dir(dir, sizeof(dir), true) == -1 ||
	    (fd = create(r, dir, id)) == -1) {
		if (r->path[0] == '\0')
			strlcpy(r->path, dir, sizeof(r->path));
		return -1;
	}
	if (cli_sink_open(&r->file, fd, patience) == -1) {
		r->file.fd = fd;
		return -1;
	}
	flock(fd, LOCK_EX | LOCK_NB);
	r->json = cli_json_record(roster->count, rec->opts->output, &r->file);
	if (r->json == NULL)
		return -1;
	put_begin(&r->file, rec, id, roster->hosts);
	cli_sink_flush(&r->file);
	if ((errno = r->file.error) != 0)
		return -1;
	prune(dir, rec->opts);
	return 0;
}

struct cli_view *
cli_report_view(const struct cli_record *rec, const struct cli_roster *roster,
    struct cli_sink *err)
{
	struct report_view *r;
	char line[PATH_MAX + 200];

	if ((r = calloc(1, sizeof(*r))) == NULL)
		return NULL;
	r->view = (struct cli_view){ .event = on_event, .check = on_check,
	    .tick = on_tick, .end = on_end, .free = free_view };
	r->file.fd = -1;
	r->say = err;
	if (open_report(r, rec, roster) == 0)
		return &r->view;
	snprintf(line, sizeof(line), "this run is not saved: %s: %s", r->path,
	    strerror(errno));
	cli_sink_say(err, line);
	if (r->file.fd != -1)
		unlink(r->path);
	free_view(&r->view);
	return NULL;
}
