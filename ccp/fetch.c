#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch.h"

/* What a request was, beside the slot: a piece of the ring, or these. */
#define TAG_OPEN FETCH_AHEAD
#define TAG_CLOSE (FETCH_AHEAD + 1)

static uint32_t
tag_of(const struct fetch *f, unsigned what)
{
	return (uint32_t)(what * FETCH_SLOTS + f->slot);
}

void
fetch_open(struct fetch *f, const char *path)
{
	f->unanswered++;
	sftp_open(f->sftp, path, SFTP_READ, NULL, f->answer,
	    tag_of(f, TAG_OPEN));
}

void
fetch_free(struct fetch *f)
{
	unsigned i;

	for (i = 0; i < FETCH_AHEAD; i++) {
		free(f->ring[i].bytes);
		f->ring[i].bytes = NULL;
	}
}

static void
fail(struct fetch *f, const struct sftp_answer *a, const char *what)
{
	f->ended = true;
	if (f->error != NULL)
		return;
	f->error = what;
	if (a == NULL || a->kind != SFTP_STATUS)
		return;
	(void)snprintf(f->words, sizeof(f->words), "%s",
	    a->code == SFTP_FAILURE && *a->text != '\0' ? a->text :
	    sftp_strerror(a->code));
	f->error = f->words;
}

static void
ask(struct fetch *f, unsigned i)
{
	struct fetch_piece *p = &f->ring[i];

	f->unanswered++;
	sftp_read(f->sftp, &f->handle, p->off + p->got, p->len - p->got,
	    f->answer, tag_of(f, i));
}

void
fetch_more(struct fetch *f)
{
	struct fetch_piece *p;
	unsigned i;

	while (f->open && !f->ended && f->asked < f->size &&
	    sftp_under_way(f->sftp) < SFTP_DEPTH) {
		i = (unsigned)(f->asked / SFTP_DATA_MAX % FETCH_AHEAD);
		p = &f->ring[i];
		if (p->len > 0)
			return;		/* as far ahead as we go */
		if (p->bytes == NULL &&
		    (p->bytes = malloc(SFTP_DATA_MAX)) == NULL) {
			fail(f, NULL, "out of memory");
			return;
		}
		p->off = f->asked;
		p->len = f->size - f->asked < SFTP_DATA_MAX ?
		    (uint32_t)(f->size - f->asked) : SFTP_DATA_MAX;
		p->got = 0;
		p->whole = false;
		f->asked += p->len;
		ask(f, i);
	}
}

/* Pieces from the first on that are whole. */
static void
hand_on(struct fetch *f)
{
	struct fetch_piece *p;

	while ((p = &f->ring[f->first])->len > 0 && p->whole) {
		if (!f->ended && p->got > 0 &&
		    !f->take(f->arg, p->bytes, p->got))
			f->ended = true;
		f->given += p->got;
		if (p->got < p->len)
			f->ended = true;	/* the file ends here */
		p->len = 0;
		f->first = (f->first + 1) % FETCH_AHEAD;
	}
}

static void
on_piece(struct fetch *f, unsigned i, const struct sftp_answer *a)
{
	struct fetch_piece *p = &f->ring[i];

	if (a->kind == SFTP_DATA && a->len > 0 && a->len <= p->len - p->got) {
		memcpy(p->bytes + p->got, a->data, a->len);
		p->got += (uint32_t)a->len;
		p->whole = p->got == p->len;
		if (!p->whole) {
			ask(f, i);
			return;
		}
	} else if (a->kind == SFTP_STATUS && a->code == SFTP_EOF)
		p->whole = true;
	else {
		fail(f, a, "an answer that does not fit");
		return;
	}
	hand_on(f);
}

static void
on_open(struct fetch *f, const struct sftp_answer *a)
{
	if (a->kind != SFTP_HANDLE) {
		fail(f, a, "an answer that does not fit");
		return;
	}
	f->handle = *a->handle;
	f->open = true;
}

/* Nothing more to ask or to wait for: the handle goes, then the end is told. */
static void
end_if_over(struct fetch *f)
{
	if (f->unanswered > 0 || (f->open && !f->ended && f->given < f->size))
		return;
	if (f->open) {
		f->open = false;
		f->ended = true;
		f->unanswered++;
		sftp_close(f->sftp, &f->handle, f->answer,
		    tag_of(f, TAG_CLOSE));
		return;
	}
	f->done(f->arg, f);
}

void
fetch_answer(struct fetch *f, uint32_t tag, const struct sftp_answer *a)
{
	unsigned what = tag / FETCH_SLOTS;

	f->unanswered--;
	if (what == TAG_OPEN)
		on_open(f, a);
	else if (what < FETCH_AHEAD)
		on_piece(f, what, a);
	fetch_more(f);
	end_if_over(f);
}
