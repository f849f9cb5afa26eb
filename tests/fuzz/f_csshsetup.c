/*
 * f_csshsetup.c - any bytes as a line with a key, as what the script on a host
 * says, as a file with fingerprints.
 */
#include "../../csshsetup/answer.h"
#include "../../csshsetup/csshsetup.h"
#include "../../csshsetup/edit.h"
#include "../../csshsetup/fingerprints.h"
#include "../../csshsetup/keyline.h"
#include "../../csshsetup/knownline.h"
#include "../../csshsetup/script.h"
#include "fuzz.h"

static void
as_line(const char *p, size_t size)
{
	char print[KEYLINE_PRINT_SIZE];
	struct keyline k;

	if (!keyline_parse(&k, p, size))
		return;
	must(k.options >= p && k.options + k.options_len <= p + size);
	must(k.type >= p && k.type + k.type_len < k.blob);
	must(k.blob + k.blob_len <= k.comment);
	must(k.comment + k.comment_len <= p + size);
	keyline_fingerprint(&k, print);
	must(strlen(print) == KEYLINE_PRINT_SIZE - 1);
	(void)keyline_weak(&k);
	(void)keyline_expired(&k, 1795608000);
}

static void
as_output(const char *p)
{
	char why[100];

	must(script_read(p, why, sizeof(why)) <= SAID_NO);
	must(strlen(why) < sizeof(why) && strpbrk(why, "\033\n\r") == NULL);
}

/* Every second line goes, and one comes. */
static void
as_edit(const struct record *r)
{
	const char *line, *end = r->body + r->size;
	struct knownline k;
	struct edit e;
	size_t len, n = 0;

	edit_begin(&e, r);
	while (edit_next(&e, &line, &len)) {
		must(line >= r->body && line + len <= end);
		if (knownline_parse(&k, line, len)) {
			must(k.blob + k.blob_len <= line + len);
			(void)knownline_only(&k, "a b");
		}
		if (++n % 2 == 0)
			edit_drop(&e);
	}
	must(e.lines == n && e.dropped == n / 2);
	must(edit_size(&e) <= r->size + 1);
	edit_clear(&e);
}

static void
as_answer(const char *p, size_t size)
{
	struct answer a;
	struct record r;
	char text[60];

	answer_begin(&a, p, size);
	while (answer_next(&a, &r)) {
		must(r.rest >= p && r.rest + r.len <= p + size);
		record_text(&r, text, sizeof(text));
		must(strpbrk(text, "\033\r") == NULL);
		if (r.body != NULL) {
			must(r.body >= p && r.body + r.size <= p + size);
			as_edit(&r);
		}
	}
}

static void
as_file(const uint8_t *data, size_t size)
{
	struct fingerprints *f;
	struct fanout_error e;
	char path[64];
	int fd = fuzz_file(data, size, path, sizeof(path));

	if (fingerprints_load(&f, path, &e) == 0) {
		must(fingerprints_check(f, "a1", "SHA256:x") != PRINT_RIGHT);
		fingerprints_free(f);
	} else
		must(e.text[0] != '\0');
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	must((text = malloc(size + 1)) != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	as_line(text, size);
	as_output(text);
	as_answer(text, size);
	as_file(data, size);
	free(text);
	return 0;
}
