/*
 * f_keys.c - any bytes as a key file: as they are, and (after a first byte of
 * 0) as what stands within the armour of OpenSSH's own format.
 */
#include "base/base64.h"
#include "policy/keys.h"
#include "fuzz.h"

static void
check_key(const struct key *k)
{
	unsigned char *sig;
	size_t len;

	must(k->blob != NULL && k->blob_len > 4 && k->type[0] != '\0');
	must(k->path != NULL && k->comment != NULL);
	must((k->secret != NULL) == (k->state == KEY_READY));
	if (key_sign(k, k->type, "data", 4, &sig, &len) == 0)
		must(k->state == KEY_READY && len > 0);
	else
		must(sig == NULL);
	free(sig);
}

static void
as_file(const void *data, size_t size)
{
	struct fanout_error e = { 0 };
	struct key *k;
	char path[64];
	int fd = fuzz_file(data, size, path, sizeof(path));

	if (key_load(&k, path, &e) == 0)
		check_key(k);
	else
		must(k == NULL && e.text[0] != '\0');
	key_free(k);
	close(fd);
}

static void
in_armour(const uint8_t *data, size_t size)
{
	static const char begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
	static const char end[] = "\n-----END OPENSSH PRIVATE KEY-----\n";
	size_t len = sizeof(begin) - 1 + sizeof(end) + FO_B64_SIZE(size);
	char *text = malloc(len);

	must(text != NULL);
	memcpy(text, begin, sizeof(begin));
	must(fo_b64_encode(data, size, text + sizeof(begin) - 1,
	    len - sizeof(begin) + 1) != -1);
	(void)strlcat(text, end, len);
	as_file(text, strlen(text));
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0 && data[0] == 0)
		in_armour(data + 1, size - 1);
	else
		as_file(data, size);
	return 0;
}
