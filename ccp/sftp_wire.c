#include <stdlib.h>
#include <string.h>

#include "sftp_wire.h"

#define HAS_EXTENDED 0x80000000u
#define SHRINK (512 * 1024)	/* an empty buffer that large goes */

static unsigned char *
grow(struct wire_out *w, size_t n)
{
	unsigned char *bytes, *p;
	size_t size = w->size;

	if (w->failed)
		return NULL;
	if (w->len + n > size && w->off > size / 2) {
		memmove(w->bytes, w->bytes + w->off, w->len - w->off);
		w->len -= w->off;
		w->packet -= w->off;
		w->off = 0;
	}
	if (w->len + n > size) {
		while (w->len + n > size)
			size = size == 0 ? 1024 : size * 2;
		if ((bytes = realloc(w->bytes, size)) == NULL) {
			w->failed = true;
			w->len = w->packet;
			return NULL;
		}
		w->bytes = bytes;
		w->size = size;
	}
	p = w->bytes + w->len;
	w->len += n;
	return p;
}

static void
put_u32(unsigned char *p, uint32_t v)
{
	p[0] = (unsigned char)(v >> 24);
	p[1] = (unsigned char)(v >> 16);
	p[2] = (unsigned char)(v >> 8);
	p[3] = (unsigned char)v;
}

void
wire_begin(struct wire_out *w, int type)
{
	unsigned char *p;

	w->packet = w->len;
	if ((p = grow(w, 5)) != NULL)
		p[4] = (unsigned char)type;
}

void
wire_u32(struct wire_out *w, uint32_t v)
{
	unsigned char *p = grow(w, 4);

	if (p != NULL)
		put_u32(p, v);
}

void
wire_u64(struct wire_out *w, uint64_t v)
{
	wire_u32(w, (uint32_t)(v >> 32));
	wire_u32(w, (uint32_t)v);
}

void *
wire_room(struct wire_out *w, uint32_t len)
{
	wire_u32(w, len);
	return grow(w, len);
}

void
wire_string(struct wire_out *w, const void *data, size_t len)
{
	void *p = wire_room(w, (uint32_t)len);

	if (p != NULL)
		memcpy(p, data, len);
}

void
wire_attrs(struct wire_out *w, const struct sftp_attrs *a)
{
	wire_u32(w, a->has);
	if (a->has & SFTP_HAS_SIZE)
		wire_u64(w, a->size);
	if (a->has & SFTP_HAS_OWNER) {
		wire_u32(w, a->uid);
		wire_u32(w, a->gid);
	}
	if (a->has & SFTP_HAS_MODE)
		wire_u32(w, a->mode);
	if (a->has & SFTP_HAS_TIMES) {
		wire_u32(w, a->atime);
		wire_u32(w, a->mtime);
	}
}

void
wire_end(struct wire_out *w)
{
	if (!w->failed)
		put_u32(w->bytes + w->packet,
		    (uint32_t)(w->len - w->packet - 4));
}

const void *
wire_pending(const struct wire_out *w, size_t *len)
{
	*len = w->len - w->off;
	return w->bytes + w->off;
}

void
wire_sent(struct wire_out *w, size_t n)
{
	w->off += n;
	if (w->off < w->len)
		return;
	w->off = w->len = 0;
	if (w->size > SHRINK) {
		free(w->bytes);
		w->bytes = NULL;
		w->size = 0;
	}
}

void
wire_free(struct wire_out *w)
{
	free(w->bytes);
	memset(w, 0, sizeof(*w));
}

/* ---- in ---- */

uint32_t
wire_peek_u32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

int
wire_get_u32(struct wire_in *in, uint32_t *v)
{
	if (in->left < 4)
		return -1;
	*v = wire_peek_u32(in->p);
	in->p += 4;
	in->left -= 4;
	return 0;
}

int
wire_get_u64(struct wire_in *in, uint64_t *v)
{
	uint32_t high, low;

	if (wire_get_u32(in, &high) == -1 || wire_get_u32(in, &low) == -1)
		return -1;
	*v = (uint64_t)high << 32 | low;
	return 0;
}

int
wire_get_string(struct wire_in *in, const char **s, size_t *len)
{
	uint32_t n;

	if (wire_get_u32(in, &n) == -1 || n > in->left)
		return -1;
	*s = (const char *)in->p;
	*len = n;
	in->p += n;
	in->left -= n;
	return 0;
}

static int
skip_extended(struct wire_in *in)
{
	const char *s;
	uint32_t n;
	size_t len;

	if (wire_get_u32(in, &n) == -1)
		return -1;
	/* Each takes eight bytes at least: a lie about n ends soon. */
	for (; n > 0; n--)
		if (wire_get_string(in, &s, &len) == -1 ||
		    wire_get_string(in, &s, &len) == -1)
			return -1;
	return 0;
}

int
wire_get_attrs(struct wire_in *in, struct sftp_attrs *a)
{
	memset(a, 0, sizeof(*a));
	if (wire_get_u32(in, &a->has) == -1 ||
	    ((a->has & SFTP_HAS_SIZE) && wire_get_u64(in, &a->size) == -1) ||
	    ((a->has & SFTP_HAS_OWNER) &&
	    (wire_get_u32(in, &a->uid) == -1 ||
	    wire_get_u32(in, &a->gid) == -1)) ||
	    ((a->has & SFTP_HAS_MODE) && wire_get_u32(in, &a->mode) == -1) ||
	    ((a->has & SFTP_HAS_TIMES) &&
	    (wire_get_u32(in, &a->atime) == -1 ||
	    wire_get_u32(in, &a->mtime) == -1)))
		return -1;
	return a->has & HAS_EXTENDED ? skip_extended(in) : 0;
}
