#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sftp.h"
#include "sftp_wire.h"

#define PACKET_MAX (256 * 1024)	/* as OpenSSH's own client */
#define SLOTS SFTP_DEPTH	/* a power of two */

struct request {
	uint32_t id;
	uint32_t tag;
	sftp_fn	 fn;		/* NULL: the slot is free */
};

struct sftp {
	void		*ctx;
	struct request	 requests[SLOTS];
	uint32_t	 next_id;
	unsigned	 under_way;
	unsigned	 extensions;
	bool		 up;
	const char	*error;

	struct wire_out	 out;
	unsigned char	*in;		/* a packet that is not whole yet */
	size_t		 in_len, in_size;
};

struct sftp *
sftp_new(void *ctx)
{
	struct sftp *s;

	if ((s = calloc(1, sizeof(*s))) == NULL)
		return NULL;
	s->ctx = ctx;
	wire_begin(&s->out, FXP_INIT);
	wire_u32(&s->out, 3);
	wire_end(&s->out);
	return s;
}

void
sftp_free(struct sftp *s)
{
	if (s == NULL)
		return;
	wire_free(&s->out);
	free(s->in);
	free(s);
}

const char *
sftp_error(const struct sftp *s)
{
	return s->error != NULL ? s->error : "";
}

bool
sftp_is_up(const struct sftp *s)
{
	return s->up;
}

unsigned
sftp_extensions(const struct sftp *s)
{
	return s->extensions;
}

unsigned
sftp_under_way(const struct sftp *s)
{
	return s->under_way;
}

const void *
sftp_pending(const struct sftp *s, size_t *len)
{
	return wire_pending(&s->out, len);
}

void
sftp_sent(struct sftp *s, size_t n)
{
	wire_sent(&s->out, n);
}

static int
broken(struct sftp *s, const char *why)
{
	if (s->error == NULL)
		s->error = why;
	return -1;
}

/* ---- what comes in ---- */

static int
on_version(struct sftp *s, struct wire_in *in)
{
	static const struct { const char *name; unsigned bit; } known[] = {
		{ "posix-rename@openssh.com", SFTP_X_POSIX_RENAME },
		{ "fsync@openssh.com", SFTP_X_FSYNC },
		{ "hardlink@openssh.com", SFTP_X_HARDLINK },
		{ "lsetstat@openssh.com", SFTP_X_LSETSTAT }
	};
	const char *name, *value;
	size_t len, value_len, i;
	uint32_t version;

	if (s->up || wire_get_u32(in, &version) == -1 || version < 3)
		return broken(s, "the server speaks no SFTP that we know");
	while (in->left > 0) {
		if (wire_get_string(in, &name, &len) == -1 ||
		    wire_get_string(in, &value, &value_len) == -1)
			return broken(s, "a malformed greeting");
		for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (len == strlen(known[i].name) &&
			    memcmp(name, known[i].name, len) == 0)
				s->extensions |= known[i].bit | SFTP_X_OPENSSH;
	}
	s->up = true;
	return 0;
}

static int
get_status(struct wire_in *in, struct sftp_answer *a, char *text, size_t size)
{
	const char *words = "";
	uint32_t code;
	size_t len = 0, i;

	if (wire_get_u32(in, &code) == -1)
		return -1;
	a->kind = SFTP_STATUS;
	a->code = code <= SFTP_OP_UNSUPPORTED ? (enum sftp_code)code :
	    SFTP_FAILURE;
	/* Version 3 has a text; some servers do not know that. */
	(void)wire_get_string(in, &words, &len);
	if (len >= size)
		len = size - 1;
	for (i = 0; i < len; i++)
		text[i] = words[i] >= ' ' && words[i] < 127 ? words[i] : '?';
	text[len] = '\0';
	a->text = text;
	return 0;
}

static int
get_handle(struct wire_in *in, struct sftp_answer *a, struct sftp_handle *h)
{
	const char *p;
	size_t len;

	if (wire_get_string(in, &p, &len) == -1 || len > SFTP_HANDLE_MAX)
		return -1;
	memcpy(h->bytes, p, len);
	h->len = (uint32_t)len;
	a->kind = SFTP_HANDLE;
	a->handle = h;
	return 0;
}

static int
get_data(struct wire_in *in, struct sftp_answer *a)
{
	const char *p;

	a->kind = SFTP_DATA;
	if (wire_get_string(in, &p, &a->len) == -1)
		return -1;
	a->data = p;
	return 0;
}

static int
get_names(struct wire_in *in, struct sftp_answer *a)
{
	a->kind = SFTP_NAMES;
	if (wire_get_u32(in, &a->count) == -1)
		return -1;
	a->data = in->p;
	a->len = in->left;
	return 0;
}

static int
get_answer(int type, struct wire_in *in, struct sftp_answer *a, char *text,
    size_t size, struct sftp_handle *h)
{
	switch (type) {
	case FXP_STATUS:
		return get_status(in, a, text, size);
	case FXP_HANDLE:
		return get_handle(in, a, h);
	case FXP_DATA:
		return get_data(in, a);
	case FXP_NAME:
		return get_names(in, a);
	case FXP_ATTRS:
		a->kind = SFTP_ATTRS;
		return wire_get_attrs(in, &a->attrs);
	default:
		return -1;
	}
}

static int
on_packet(struct sftp *s, const unsigned char *p, size_t len)
{
	struct wire_in in = { p + 1, len - 1 };
	struct sftp_answer a = { .kind = SFTP_STATUS };
	struct sftp_handle h;
	struct request *r, was;
	char text[128];
	uint32_t id;

	if (p[0] == FXP_VERSION)
		return on_version(s, &in);
	if (!s->up || wire_get_u32(&in, &id) == -1)
		return broken(s, "an answer before its time");
	r = &s->requests[id % SLOTS];
	if (r->fn == NULL || r->id != id)
		return broken(s, "an answer to a request never made");
	if (get_answer(p[0], &in, &a, text, sizeof(text), &h) == -1)
		return broken(s, "a malformed answer");
	was = *r;
	r->fn = NULL;
	s->under_way--;
	was.fn(s->ctx, was.tag, &a);
	return s->out.failed ? broken(s, "out of memory") : 0;
}

/* The packets of p that are whole; how many bytes they were, or -1. */
static ssize_t
packets(struct sftp *s, const unsigned char *p, size_t len)
{
	size_t off = 0, size;

	while (len - off >= 4) {
		size = wire_peek_u32(p + off);
		if (size < 1 || size > PACKET_MAX)
			return broken(s, "what it says is not SFTP (does the "
			    "shell's start-up print something?)");
		if (len - off - 4 < size)
			break;
		if (on_packet(s, p + off + 4, size) == -1)
			return -1;
		off += 4 + size;
	}
	return (ssize_t)off;
}

static int
keep(struct sftp *s, const unsigned char *p, size_t len)
{
	unsigned char *in;
	size_t size = s->in_size;

	if (s->in_len + len > size) {
		while (s->in_len + len > size)
			size = size == 0 ? 4096 : size * 2;
		if ((in = realloc(s->in, size)) == NULL)
			return broken(s, "out of memory");
		s->in = in;
		s->in_size = size;
	}
	memcpy(s->in + s->in_len, p, len);
	s->in_len += len;
	return 0;
}

int
sftp_input(struct sftp *s, const void *data, size_t len)
{
	const unsigned char *p = data;
	ssize_t n;

	if (s->error != NULL)
		return -1;
	if (s->in_len > 0) {
		if (keep(s, p, len) == -1 ||
		    (n = packets(s, s->in, s->in_len)) == -1)
			return -1;
		s->in_len -= (size_t)n;
		memmove(s->in, s->in + n, s->in_len);
		return 0;
	}
	if ((n = packets(s, p, len)) == -1)
		return -1;
	return (size_t)n == len ? 0 : keep(s, p + n, len - (size_t)n);
}

/* ---- requests ---- */

static void
begin(struct sftp *s, int type, sftp_fn fn, uint32_t tag)
{
	struct request *r;

	/* Answers in another order may leave the next slot taken. */
	while (s->requests[s->next_id % SLOTS].fn != NULL)
		s->next_id++;
	r = &s->requests[s->next_id % SLOTS];
	r->id = s->next_id++;
	r->tag = tag;
	r->fn = fn;
	s->under_way++;
	wire_begin(&s->out, type);
	wire_u32(&s->out, r->id);
}

static void
of_path(struct sftp *s, int type, const char *path, sftp_fn fn, uint32_t tag)
{
	begin(s, type, fn, tag);
	wire_string(&s->out, path, strlen(path));
}

static void
of_handle(struct sftp *s, int type, const struct sftp_handle *h, sftp_fn fn,
    uint32_t tag)
{
	begin(s, type, fn, tag);
	wire_string(&s->out, h->bytes, h->len);
}

static void
extended(struct sftp *s, const char *name, sftp_fn fn, uint32_t tag)
{
	of_path(s, FXP_EXTENDED, name, fn, tag);
}

void
sftp_stat(struct sftp *s, const char *path, bool follow, sftp_fn fn,
    uint32_t tag)
{
	of_path(s, follow ? FXP_STAT : FXP_LSTAT, path, fn, tag);
	wire_end(&s->out);
}

void
sftp_open(struct sftp *s, const char *path, uint32_t flags,
    const struct sftp_attrs *attrs, sftp_fn fn, uint32_t tag)
{
	static const struct sftp_attrs none = { .has = 0 };

	of_path(s, FXP_OPEN, path, fn, tag);
	wire_u32(&s->out, flags);
	wire_attrs(&s->out, attrs != NULL ? attrs : &none);
	wire_end(&s->out);
}

void
sftp_close(struct sftp *s, const struct sftp_handle *h, sftp_fn fn,
    uint32_t tag)
{
	of_handle(s, FXP_CLOSE, h, fn, tag);
	wire_end(&s->out);
}

void
sftp_read(struct sftp *s, const struct sftp_handle *h, uint64_t off,
    uint32_t len, sftp_fn fn, uint32_t tag)
{
	of_handle(s, FXP_READ, h, fn, tag);
	wire_u64(&s->out, off);
	wire_u32(&s->out, len);
	wire_end(&s->out);
}

void *
sftp_write(struct sftp *s, const struct sftp_handle *h, uint64_t off,
    uint32_t len, sftp_fn fn, uint32_t tag)
{
	void *room;

	of_handle(s, FXP_WRITE, h, fn, tag);
	wire_u64(&s->out, off);
	room = wire_room(&s->out, len);
	wire_end(&s->out);
	return room;
}

void
sftp_fsetstat(struct sftp *s, const struct sftp_handle *h,
    const struct sftp_attrs *attrs, sftp_fn fn, uint32_t tag)
{
	of_handle(s, FXP_FSETSTAT, h, fn, tag);
	wire_attrs(&s->out, attrs);
	wire_end(&s->out);
}

void
sftp_setstat(struct sftp *s, const char *path, const struct sftp_attrs *attrs,
    sftp_fn fn, uint32_t tag)
{
	of_path(s, FXP_SETSTAT, path, fn, tag);
	wire_attrs(&s->out, attrs);
	wire_end(&s->out);
}

void
sftp_lsetstat(struct sftp *s, const char *path,
    const struct sftp_attrs *attrs, sftp_fn fn, uint32_t tag)
{
	extended(s, "lsetstat@openssh.com", fn, tag);
	wire_string(&s->out, path, strlen(path));
	wire_attrs(&s->out, attrs);
	wire_end(&s->out);
}

void
sftp_fsync(struct sftp *s, const struct sftp_handle *h, sftp_fn fn,
    uint32_t tag)
{
	extended(s, "fsync@openssh.com", fn, tag);
	wire_string(&s->out, h->bytes, h->len);
	wire_end(&s->out);
}

void
sftp_mkdir(struct sftp *s, const char *path, uint32_t mode, sftp_fn fn,
    uint32_t tag)
{
	const struct sftp_attrs attrs = { .has = SFTP_HAS_MODE, .mode = mode };

	of_path(s, FXP_MKDIR, path, fn, tag);
	wire_attrs(&s->out, &attrs);
	wire_end(&s->out);
}

void
sftp_rmdir(struct sftp *s, const char *path, sftp_fn fn, uint32_t tag)
{
	of_path(s, FXP_RMDIR, path, fn, tag);
	wire_end(&s->out);
}

void
sftp_remove(struct sftp *s, const char *path, sftp_fn fn, uint32_t tag)
{
	of_path(s, FXP_REMOVE, path, fn, tag);
	wire_end(&s->out);
}

void
sftp_rename(struct sftp *s, const char *from, const char *to, sftp_fn fn,
    uint32_t tag)
{
	if (s->extensions & SFTP_X_POSIX_RENAME) {
		extended(s, "posix-rename@openssh.com", fn, tag);
		wire_string(&s->out, from, strlen(from));
	} else
		of_path(s, FXP_RENAME, from, fn, tag);
	wire_string(&s->out, to, strlen(to));
	wire_end(&s->out);
}

/* OpenSSH has them the other way round than the draft, and says so. */
void
sftp_symlink(struct sftp *s, const char *path, const char *target, sftp_fn fn,
    uint32_t tag)
{
	bool swapped = s->extensions & SFTP_X_OPENSSH;

	of_path(s, FXP_SYMLINK, swapped ? target : path, fn, tag);
	wire_string(&s->out, swapped ? path : target,
	    strlen(swapped ? path : target));
	wire_end(&s->out);
}

void
sftp_hardlink(struct sftp *s, const char *old, const char *path, sftp_fn fn,
    uint32_t tag)
{
	extended(s, "hardlink@openssh.com", fn, tag);
	wire_string(&s->out, old, strlen(old));
	wire_string(&s->out, path, strlen(path));
	wire_end(&s->out);
}

void
sftp_readlink(struct sftp *s, const char *path, sftp_fn fn, uint32_t tag)
{
	of_path(s, FXP_READLINK, path, fn, tag);
	wire_end(&s->out);
}

void
sftp_opendir(struct sftp *s, const char *path, sftp_fn fn, uint32_t tag)
{
	of_path(s, FXP_OPENDIR, path, fn, tag);
	wire_end(&s->out);
}

void
sftp_readdir(struct sftp *s, const struct sftp_handle *h, sftp_fn fn,
    uint32_t tag)
{
	of_handle(s, FXP_READDIR, h, fn, tag);
	wire_end(&s->out);
}

int
sftp_name(const struct sftp_answer *a, size_t *off, const char **name,
    size_t *len, struct sftp_attrs *attrs)
{
	struct wire_in in = { (const unsigned char *)a->data + *off,
	    a->len - *off };
	const char *line;
	size_t line_len;

	if (in.left == 0)
		return 0;
	if (wire_get_string(&in, name, len) == -1 ||
	    wire_get_string(&in, &line, &line_len) == -1 ||
	    wire_get_attrs(&in, attrs) == -1)
		return -1;
	*off = a->len - in.left;
	return 1;
}

const char *
sftp_strerror(enum sftp_code code)
{
	static const char *const texts[] = {
		[SFTP_OK] = "no error",
		[SFTP_EOF] = "end of file",
		[SFTP_NO_SUCH_FILE] = "no such file or directory",
		[SFTP_PERMISSION_DENIED] = "permission denied",
		[SFTP_FAILURE] = "failure",
		[SFTP_BAD_MESSAGE] = "bad message",
		[SFTP_NO_CONNECTION] = "no connection",
		[SFTP_CONNECTION_LOST] = "connection lost",
		[SFTP_OP_UNSUPPORTED] = "operation not supported"
	};

	return texts[code];
}
