#include <stdlib.h>
#include <string.h>

#include "wire.h"

void
fo_rd_init(struct fo_rd *r, const void *p, size_t len)
{
	r->p = p;
	r->len = len;
	r->bad = false;
}

const unsigned char *
fo_rd_raw(struct fo_rd *r, size_t len)
{
	const unsigned char *p = r->p;

	if (r->bad || len > r->len) {
		r->bad = true;
		return NULL;
	}
	r->p += len;
	r->len -= len;
	return p;
}

uint8_t
fo_rd_u8(struct fo_rd *r)
{
	const unsigned char *p = fo_rd_raw(r, 1);

	return p == NULL ? 0 : *p;
}

uint32_t
fo_rd_u32(struct fo_rd *r)
{
	const unsigned char *p = fo_rd_raw(r, 4);

	if (p == NULL)
		return 0;
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

const unsigned char *
fo_rd_str(struct fo_rd *r, size_t *len)
{
	const unsigned char *p;

	*len = fo_rd_u32(r);
	if ((p = fo_rd_raw(r, *len)) == NULL)
		*len = 0;
	return p;
}

const unsigned char *
fo_rd_mpint(struct fo_rd *r, size_t *len)
{
	const unsigned char *p;

	if ((p = fo_rd_str(r, len)) == NULL)
		return NULL;
	if (*len > 0 && (p[0] & 0x80) != 0) {
		r->bad = true;
		*len = 0;
		return NULL;
	}
	while (*len > 0 && *p == 0) {
		p++;
		(*len)--;
	}
	return p;
}

bool
fo_rd_is(struct fo_rd *r, const char *s)
{
	const unsigned char *p;
	size_t len;

	p = fo_rd_str(r, &len);
	return p != NULL && len == strlen(s) && memcmp(p, s, len) == 0;
}

void
fo_wr_init(struct fo_wr *w)
{
	memset(w, 0, sizeof(*w));
}

void
fo_wr_free(struct fo_wr *w)
{
	if (w->p != NULL)
		freezero(w->p, w->cap);
	fo_wr_init(w);
}

unsigned char *
fo_wr_take(struct fo_wr *w, size_t *len)
{
	unsigned char *p;

	if (w->bad) {
		fo_wr_free(w);
		*len = 0;
		return NULL;
	}
	p = w->p;
	*len = w->len;
	fo_wr_init(w);
	return p;
}

/* Room for len more bytes. realloc would leave a copy behind unwiped. */
static bool
grow(struct fo_wr *w, size_t len)
{
	unsigned char *p;
	size_t cap;

	if (w->bad || len > FO_WR_MAX - w->len) {
		w->bad = true;
		return false;
	}
	if (len <= w->cap - w->len && w->p != NULL)
		return true;
	for (cap = w->cap < 128 ? 128 : w->cap; cap - w->len < len; cap *= 2)
		continue;
	if ((p = recallocarray(w->p, w->cap, cap, 1)) == NULL) {
		w->bad = true;
		return false;
	}
	w->p = p;
	w->cap = cap;
	return true;
}

void
fo_wr_raw(struct fo_wr *w, const void *p, size_t len)
{
	if (!grow(w, len) || len == 0)
		return;
	memcpy(w->p + w->len, p, len);
	w->len += len;
}

void
fo_wr_u8(struct fo_wr *w, uint8_t v)
{
	fo_wr_raw(w, &v, 1);
}

void
fo_wr_u32(struct fo_wr *w, uint32_t v)
{
	unsigned char b[4] = { v >> 24, v >> 16 & 0xff, v >> 8 & 0xff,
	    v & 0xff };

	fo_wr_raw(w, b, sizeof(b));
}

void
fo_wr_str(struct fo_wr *w, const void *p, size_t len)
{
	if (!grow(w, 4) || len > FO_WR_MAX) {
		w->bad = true;
		return;
	}
	fo_wr_u32(w, (uint32_t)len);
	fo_wr_raw(w, p, len);
}

void
fo_wr_cstr(struct fo_wr *w, const char *s)
{
	fo_wr_str(w, s, strlen(s));
}

void
fo_wr_mpint(struct fo_wr *w, const void *v, size_t len)
{
	const unsigned char *p = v;
	bool pad;

	while (len > 0 && *p == 0) {
		p++;
		len--;
	}
	pad = len > 0 && (*p & 0x80) != 0;
	if (len > FO_WR_MAX - 1) {
		w->bad = true;
		return;
	}
	fo_wr_u32(w, (uint32_t)(len + pad));
	if (pad)
		fo_wr_u8(w, 0);
	fo_wr_raw(w, p, len);
}
