/*
 * f_sftp.c - any bytes as what an SFTP server says, while requests of all kinds
 * are under way: nothing is believed, nothing is kept without bound.
 */
#include "../../ccp/fetch.h"
#include "../../ccp/sftp.h"
#include "fuzz.h"

static struct fetch *fetching;

static bool
take(void *arg, const void *data, size_t len)
{
	uint64_t *total = arg;

	must(data != NULL && len > 0);
	*total += len;
	return true;
}

static void
done(void *arg, struct fetch *f)
{
	(void)arg;
	must(f->given <= f->size);
}

static void
on_fetch(void *ctx, uint32_t tag, const struct sftp_answer *a)
{
	(void)ctx;
	fetch_answer(fetching, tag, a);
}

static void
on_answer(void *ctx, uint32_t tag, const struct sftp_answer *a)
{
	struct sftp_attrs at;
	const char *name;
	size_t off = 0, len;

	(void)ctx;
	must(tag < 16);
	if (a->kind == SFTP_NAMES)
		while (sftp_name(a, &off, &name, &len, &at) == 1)
			must(len < 300000);
	if (a->kind == SFTP_STATUS)
		must(strpbrk(a->text, "\n\033") == NULL);
	if (a->kind == SFTP_HANDLE)
		must(a->handle->len <= SFTP_HANDLE_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t total = 0;
	struct sftp *s = sftp_new(NULL);
	struct fetch f = { .sftp = s, .size = 100000, .take = take,
	    .done = done, .arg = &total, .answer = on_fetch };
	size_t piece = size > 0 ? data[0] + 1u : 1, off;
	uint32_t i;

	must(s != NULL);
	fetching = &f;
	fetch_open(&f, "f");
	for (i = 0; i < 4; i++) {
		sftp_stat(s, "a", i % 2, on_answer, i);
		sftp_opendir(s, "a", on_answer, i + 4);
		sftp_readlink(s, "a", on_answer, i + 8);
	}
	for (off = 0; off < size; off += piece)
		if (sftp_input(s, data + off, size - off < piece ? size - off :
		    piece) == -1) {
			must(*sftp_error(s) != '\0');
			break;
		}
	must(total <= f.size);
	fetch_free(&f);
	sftp_free(s);
	return 0;
}
