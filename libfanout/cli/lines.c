#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "store.h"

struct cli_lines {
	struct cli_store store;		/* the beginnings of lines */
	bool	 one_by_one;
	cli_piece piece;
	void	*ctx;
	struct cli_reader reader;
};

struct cli_lines *
cli_lines_new(size_t slots, size_t budget, bool one_by_one, cli_piece piece,
    void *ctx)
{
	struct cli_lines *l;

	if ((l = malloc(sizeof(*l))) == NULL)
		return NULL;
	if (cli_store_init(&l->store, slots, budget) == -1) {
		free(l);
		return NULL;
	}
	l->one_by_one = one_by_one;
	l->piece = piece;
	l->ctx = ctx;
	return l;
}

void
cli_lines_free(struct cli_lines *l)
{
	if (l == NULL)
		return;
	cli_store_clear(&l->store);
	free(l);
}

static bool
waits(const struct cli_lines *l, size_t slot)
{
	return cli_store_len(&l->store, slot) > 0;
}

/* Hands out what waits. Unreadable bytes of our own file are lost: errno. */
static int
hand_out(struct cli_lines *l, size_t slot, bool *starts)
{
	const char *data;
	size_t len;
	int rc;

	cli_reader_open(&l->reader, &l->store, slot);
	while ((rc = cli_reader_next(&l->reader, &data, &len)) == 1) {
		l->piece(l->ctx, slot, *starts, data, len);
		*starts = false;
	}
	cli_store_drop(&l->store, slot);
	return rc;
}

/* The lines of a chunk that ends with a newline. */
static int
whole_lines(struct cli_lines *l, size_t slot, const char *data, size_t len)
{
	const char *end;
	bool starts = true;
	size_t n;
	int rc = 0;

	if (waits(l, slot)) {
		end = memchr(data, '\n', len);
		n = (size_t)(end - data) + 1;
		/* In one piece if it fits: no character is cut in two. */
		if (cli_store_add(&l->store, slot, data, n) == 0) {
			rc = hand_out(l, slot, &starts);
		} else {
			rc = hand_out(l, slot, &starts);
			l->piece(l->ctx, slot, starts, data, n);
		}
		data += n;
		len -= n;
	}
	while (len > 0) {
		n = len;
		if (l->one_by_one) {
			end = memchr(data, '\n', len);
			n = (size_t)(end - data) + 1;
		}
		l->piece(l->ctx, slot, true, data, n);
		data += n;
		len -= n;
	}
	return rc;
}

int
cli_lines_add(struct cli_lines *l, size_t slot, const char *data, size_t len)
{
	const char *last = memrchr(data, '\n', len);
	size_t n = last == NULL ? 0 : (size_t)(last - data) + 1;
	bool starts = true;
	int error, rc = 0;

	if (n > 0)
		rc = whole_lines(l, slot, data, n);
	if (n == len ||
	    cli_store_add(&l->store, slot, data + n, len - n) == 0)
		return rc;
	error = errno;
	hand_out(l, slot, &starts);
	l->piece(l->ctx, slot, starts, data + n, len - n);
	errno = error;
	return -1;
}

bool
cli_lines_end(struct cli_lines *l, size_t slot)
{
	bool starts = true;

	if (!waits(l, slot))
		return false;
	hand_out(l, slot, &starts);
	return true;
}
