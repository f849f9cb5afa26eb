/*
 * f_csshsetup.c - any bytes as a line with a key, as what the script on a host
 * says, as a file with fingerprints.
 */
#include "../../csshsetup/csshsetup.h"
#include "../../csshsetup/fingerprints.h"
#include "../../csshsetup/keyline.h"
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
	as_file(data, size);
	free(text);
	return 0;
}
