#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plain.h"
#include "submit.h"

/*
 * What there is at each path that is read: "d", "o" (else), "-" (nothing), or
 * "f" and "l" with mode, links, user, group and size as ls(1) has them, and
 * behind the last "l" a line with what the link points to.
 */
static const char probe[] =
    "exec /bin/sh -c 'echo " SCRIPT_HELLO "; set -f; "
    "S() { set -- $(ls -ldn -- \"$1\"); echo $1 $2 $3 $4 $5; }; "
    "while IFS= read -r p; do "
	"if [ -L \"$p\" ]; then echo \"l $(S \"$p\")\"; "
	    "t=$(readlink \"$p\" | tr \"\\\\n\" \"?\"); "
	    "printf \"%s\\\\n\" \"${t%?}\"; "
	"elif [ -d \"$p\" ]; then echo \"d $(S \"$p\")\"; "
	"elif [ -f \"$p\" ]; then echo \"f $(S \"$p\")\"; "
	"elif [ -e \"$p\" ]; then echo o; else echo -; fi; "
    "done; echo end'";

/*
 * A line is what to do, a mode, a time, and a path; for a link the next line is
 * where it points. The first thing that fails is the last one.
 */
static const char place[] =
    "exec /bin/sh -c 'echo " SCRIPT_HELLO "; "
    "while IFS= read -r l; do "
	"o=${l%% *}; l=${l#* }; m=${l%% *}; l=${l#* }; s=${l%% *}; p=${l#* }; "
	"case $o in "
	"P) mkdir -p \"$p\";; "
	"D) [ -d \"$p\" ] || mkdir -m $m \"$p\";; "
	"T) mkdir -m $m \"$p\";; "
	"S) IFS= read -r t; ln -s -- \"$t\" \"$p\" && { [ $s = - ] || "
	    "TZ=UTC0 touch -h -t $s \"$p\" 2>/dev/null || true; };; "
	"H) IFS= read -r t; ln -- \"$t\" \"$p\";; "
	"M) chmod $m \"$p\" && { [ $s = - ] || TZ=UTC0 touch -t $s \"$p\"; };; "
	"R) rm -rf \"$p\";; "
	"esac || exit 1; "
    "done; echo end'";

/* ---- what they read ---- */

struct lines {
	FILE	*fp;
	char	*text;
	size_t	 size;
};

static bool
open_lines(struct host *h, struct lines *l)
{
	*l = (struct lines){ .fp = NULL };
	if ((l->fp = open_memstream(&l->text, &l->size)) != NULL)
		return true;
	host_nomem(h);
	return false;
}

/* A path that is no option, and its newline; takes it. */
static void
put_path(struct host *h, struct lines *l, char *path)
{
	if (path == NULL)
		host_nomem(h);
	else if (strchr(path, '\n') != NULL)
		host_fail(h, FANOUT_C_REMOTE, "%s: it has no SFTP server, and "
		    "without one no newline can be in a name", path);
	else
		fprintf(l->fp, "%s%s\n", *path == '/' ? "" : "./", path);
	free(path);
}

static void
put(struct host *h, struct lines *l, char what, unsigned mode,
    const char *stamp, char *path)
{
	fprintf(l->fp, "%c %03o %s ", what, mode, stamp);
	put_path(h, l, path);
}

/* To the command of a phase, which is begun. */
static void
begin(struct host *h, enum phase phase, const char *script, struct lines *l)
{
	if (fclose(l->fp) != 0)
		host_nomem(h);
	if (h->failed) {
		free(l->text);
		h->phase = phase;
		h->job = 0;
		return;
	}
	free(h->input);
	h->input = l->text;
	h->input_len = l->size;
	h->input_off = 0;
	submit_script(h, phase, strdup(script));
}

/* ---- PROBE ---- */

static bool
suits(struct host *h)
{
	const struct copy_opts *o = &h->copy->opts;
	const char *what = o->delete ? "--delete" : o->diff ? "--diff" :
	    o->update ? "--update" : h->copy->get != NULL ? "--get" : NULL;

	if (what == NULL)
		return true;
	host_fail(h, FANOUT_C_REMOTE, "it has no SFTP server, and %s takes "
	    "one", what);
	return false;
}

bool
plain_takes_over(struct host *h, const struct fanout_result *r)
{
	struct lines l;

	/* A host that is skipped never began. */
	if (h->phase != PHASE_LOOK || h->plain || h->failed ||
	    h->sftp == NULL || sftp_is_up(h->sftp) || r->out_bytes > 0 ||
	    (r->cls != FANOUT_C_EXIT && r->cls != FANOUT_C_OK &&
	    r->cls != FANOUT_C_REMOTE))
		return false;
	host_end_session(h);
	h->plain = h->own_temps = true;
	h->probing = 0;
	if (!suits(h) || !open_lines(h, &l))
		return true;
	/* What it is, and what it is if it is a link. */
	put_path(h, &l, strdup(h->dest));
	fprintf(l.fp, "%s%s/\n", *h->dest == '/' ? "" : "./", h->dest);
	begin(h, PHASE_PROBE, probe, &l);
	return true;
}

static void
probe_entries(struct host *h)
{
	struct lines l;
	uint32_t i;

	if (!open_lines(h, &l))
		return;
	for (i = 0; i < h->load->source.count; i++)
		put_path(h, &l, place_target(h, i));
	begin(h, PHASE_PROBE, probe, &l);
}

/* "-rwxr-sr-t" as bits. */
static uint32_t
mode_bits(const char *s)
{
	static const char letters[] = "rwxrwxrwx";
	uint32_t mode = 0;
	int i;

	if (strlen(s) < 10)
		return 0;
	for (i = 0; i < 9; i++)
		if (s[1 + i] == letters[i] ||
		    (i % 3 == 2 && (s[1 + i] == 's' || s[1 + i] == 't')))
			mode |= 0400u >> i;
	mode |= strchr("sS", s[3]) != NULL ? 04000 : 0;
	mode |= strchr("sS", s[6]) != NULL ? 02000 : 0;
	mode |= strchr("tT", s[9]) != NULL ? 01000 : 0;
	return mode;
}

/* A line of the probe as an answer of SFTP. False: it is none. */
static bool
as_answer(const char *line, time_t mtime, struct sftp_answer *a)
{
	unsigned long long size = 0;
	unsigned uid = 0, gid = 0;
	char bits[16] = "";

	*a = (struct sftp_answer){ .kind = SFTP_ATTRS };
	a->attrs.has = SFTP_HAS_MODE;
	switch (*line) {
	case '-':
		a->kind = SFTP_STATUS;
		a->code = SFTP_NO_SUCH_FILE;
		return true;
	case 'd':
		a->attrs.mode = S_IFDIR;
		break;
	case 'l':
		a->attrs.mode = S_IFLNK;
		break;
	case 'f':
		a->attrs.mode = S_IFREG;
		break;
	case 'o':
		a->attrs.mode = S_IFIFO;
		return true;
	default:
		return false;
	}
	if (sscanf(line + 1, " %15s %*s %u %u %llu", bits, &uid, &gid,
	    &size) < 3)
		return false;
	a->attrs.mode |= mode_bits(bits);
	a->attrs.has |= SFTP_HAS_OWNER;
	a->attrs.uid = uid;
	a->attrs.gid = gid;
	a->attrs.size = size;
	/* It is not told; set it is with the modes. */
	a->attrs.mtime = (uint32_t)mtime;
	return true;
}

void
plain_misses(struct host *h)
{
	h->by_sftp = false;
	host_fail(h, FANOUT_C_REMOTE, "it has no SFTP server, and its commands "
	    "do not do it either%s%s", *h->words != '\0' ? ": " : "",
	    h->words);
}

/* The next line; for a link what it points to. */
static bool
next(struct host *h, char **rest, time_t mtime, struct sftp_answer *a,
    char **target)
{
	char *line = *rest != NULL ? strsep(rest, "\n") : NULL;

	*target = NULL;
	if (line == NULL || !as_answer(line, mtime, a)) {
		plain_misses(h);
		return false;
	}
	if (*line == 'l')
		*target = *rest != NULL ? strsep(rest, "\n") : NULL;
	return true;
}

static void
probed_dest(struct host *h, char *rest)
{
	struct sftp_answer it, behind;
	char *target;

	if (!next(h, &rest, 0, &it, &target) ||
	    !next(h, &rest, 0, &behind, &target))
		return;
	if (behind.kind == SFTP_ATTRS && S_ISDIR(behind.attrs.mode))
		it = behind;
	h->state = AT_LOOK;
	look_dest(h, 0, &it);
	h->makes_dest = h->state == AT_MAKE_DEST;
}

static void
probed_entries(struct host *h, char *rest)
{
	const struct source *src = &h->load->source;
	const struct entry *en;
	struct sftp_answer a;
	char *target;
	uint32_t i;

	for (i = 0; i < src->count && !h->failed; i++) {
		en = &src->entries[i];
		if (!next(h, &rest, en->mtime.tv_sec, &a, &target))
			return;
		if (en->kind == ENTRY_LINK && target != NULL) {
			if (!h->copy->opts.no_clobber &&
			    strcmp(target, en->link) != 0)
				h->todo[i] |= E_SEND;
		} else
			look_entry(h, i, &a);
	}
	look_join_links(h);
}

bool
plain_probes_on(struct host *h)
{
	if (h->probing++ > 0)
		return false;
	probe_entries(h);
	return true;
}

/* ---- PLACE ---- */

static bool
makes_file(const struct host *h, uint32_t i)
{
	return h->load->source.entries[i].kind != ENTRY_DIR &&
	    (h->todo[i] & E_SEND);
}

/* As touch(1) takes it, in UTC; "-": as it comes. */
static const char *
stamp(const struct host *h, const struct entry *en, char *buf, size_t size)
{
	struct tm tm;

	if (!h->copy->opts.preserve ||
	    gmtime_r(&en->mtime.tv_sec, &tm) == NULL ||
	    strftime(buf, size, "%Y%m%d%H%M.%S", &tm) == 0)
		return "-";
	return buf;
}

static void
put_first(struct host *h, struct lines *l)
{
	const struct source *src = &h->load->source;
	const struct entry *en;
	char time[32];
	uint32_t i;

	if (h->makes_dest)
		put(h, l, 'P', 0, "-", place_dir(h, NO_PARENT));
	for (i = 0; i < src->count; i++)
		if (src->entries[i].kind == ENTRY_DIR &&
		    (h->todo[i] & E_MISSING))
			put(h, l, 'D', (src->entries[i].mode & 0777) | 0700,
			    "-", place_target(h, i));
	for (i = 0; i < src->count; i++) {
		en = &src->entries[i];
		if (!makes_file(h, i))
			continue;
		if (!fellow_has_temp(h, en->parent)) {
			fellow_set_temp(h, en->parent);
			put(h, l, 'T', 0700, "-", place_temp_dir(h,
			    en->parent));
		}
		if (en->kind == ENTRY_LINK) {
			put(h, l, 'S', 0, stamp(h, en, time, sizeof(time)),
			    place_temp(h, i));
			fprintf(l->fp, "%s\n", en->link);
		}
	}
}

static void
put_links(struct host *h, struct lines *l)
{
	const struct source *src = &h->load->source;
	uint32_t i;

	for (i = 0; i < src->count; i++)
		if (src->entries[i].kind == ENTRY_HARD && makes_file(h, i)) {
			put(h, l, 'H', 0, "-", place_temp(h, i));
			put_path(h, l, place_temp(h, src->entries[i].first));
		}
}

/* Modes and times of directories, the last first, and of files that were right
 * but for these. */
static void
put_last(struct host *h, struct lines *l)
{
	const struct copy_opts *o = &h->copy->opts;
	const struct source *src = &h->load->source;
	const struct entry *en;
	char time[32];
	uint32_t i;

	for (i = (uint32_t)src->count; i-- > 0;) {
		en = &src->entries[i];
		if (en->kind == ENTRY_DIR ? !o->preserve :
		    en->kind != ENTRY_FILE ||
		    (h->todo[i] & (E_FIX | E_SEND)) != E_FIX)
			continue;
		put(h, l, 'M', en->kind == ENTRY_FILE && o->mode != -1 ?
		    (unsigned)o->mode : en->mode,
		    stamp(h, en, time, sizeof(time)), place_target(h, i));
		h->changed += en->kind == ENTRY_FILE;
	}
}

static void
put_clean(struct host *h, struct lines *l)
{
	const struct source *src = &h->load->source;
	uint32_t i;

	for (i = 0; i <= src->count; i++)
		if (fellow_has_temp(h, i == 0 ? NO_PARENT : i - 1))
			put(h, l, 'R', 0, "-", place_temp_dir(h, i == 0 ?
			    NO_PARENT : i - 1));
}

bool
plain_needs(const struct host *h, enum place what)
{
	const struct source *src = &h->load->source;
	uint32_t i;

	if (what == PLACE_FIRST)
		return true;
	for (i = 0; i < src->count; i++) {
		if (what == PLACE_LINKS && makes_file(h, i) &&
		    src->entries[i].kind == ENTRY_HARD &&
		    !(h->todo[i] & E_MADE))
			return true;
		if (what == PLACE_LAST && ((h->todo[i] & (E_FIX | E_SEND)) ==
		    E_FIX || (h->copy->opts.preserve &&
		    src->entries[i].kind == ENTRY_DIR)))
			return true;
		if (what == PLACE_CLEAN && fellow_has_temp(h, i))
			return true;
	}
	return what == PLACE_CLEAN && fellow_has_temp(h, NO_PARENT);
}

void
plain_place(struct host *h, enum place what)
{
	static void (*const makers[])(struct host *, struct lines *) = {
		put_first, put_links, put_last, put_clean
	};
	struct lines l;
	bool failed = h->failed;

	h->placing = what;
	if (!open_lines(h, &l))
		return;
	h->failed = false;
	makers[what](h, &l);
	begin(h, PHASE_PLACE, place, &l);
	h->failed |= failed;
}

static void
placed(struct host *h)
{
	const struct source *src = &h->load->source;
	uint32_t i;

	for (i = 0; i < src->count; i++) {
		if (h->placing == PLACE_FIRST &&
		    src->entries[i].kind == ENTRY_DIR)
			h->changed += (h->todo[i] & E_MISSING) != 0;
		if (h->placing == PLACE_LINKS &&
		    src->entries[i].kind == ENTRY_HARD && makes_file(h, i))
			h->todo[i] |= E_MADE;
	}
	if (h->placing == PLACE_FIRST && h->makes_dest)
		h->changed++;
}

void
plain_over(struct host *h)
{
	char *rest = h->answer, *at, *last = NULL;

	if (rest == NULL || !script_answered(h, &rest) || rest == NULL) {
		plain_misses(h);
		return;
	}
	if (h->phase == PHASE_PROBE) {
		if (h->probing == 0)
			probed_dest(h, rest);
		else
			probed_entries(h, rest);
		return;
	}
	for (at = rest; *at != '\0'; at++)
		if (strncmp(at, "end\n", 4) == 0)
			last = at;
	if (last == NULL)
		host_fail(h, FANOUT_C_REMOTE, "%s", *h->words != '\0' ?
		    h->words : "a command ended before its time");
	else
		placed(h);
}
