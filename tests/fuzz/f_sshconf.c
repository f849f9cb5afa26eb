/*
 * f_sshconf.c - any bytes as an ssh_config, and its first line as an option.
 * Nothing is run: the shell is true(1), and what would read other files is
 * left out.
 */
#include "policy/sshconf.h"
#include "fuzz.h"

static bool
reads_files(const char *text)
{
	char *plain = strdup(text), *p, *q;
	bool found;

	must(plain != NULL);
	for (p = q = plain; *p != '\0'; p++)
		if (*p != '"')	/* keywords may be quoted in part */
			*q++ = *p;
	*q = '\0';
	found = strcasestr(plain, "include") != NULL ||
	    strcasestr(plain, "exec") != NULL;
	free(plain);
	return found;
}

static void
resolve(struct sshconf *c, const char *host)
{
	struct fanout_result why = { 0 };
	struct hostconf hc;
	unsigned port;

	if (sshconf_resolve(c, host, &hc, &why) == 0) {
		must(hc.host != NULL && hc.hostname != NULL);
		must(hc.user != NULL && hc.port > 0 && hc.port < 65536);
		must(hc.attempts > 0);
		must(hostconf_key_name(&hc, &port) != NULL);
	} else {
		must(why.cls == FANOUT_C_LOCAL && why.text[0] != '\0');
		must(hc.host == NULL);
	}
	hostconf_clear(&hc);
}

static void
try(const char *path, const char *option)
{
	const char *options[] = { option, NULL };
	struct fanout_error e = { 0 };
	struct sshconf *c;

	if (sshconf_load(&c, path, options, &e) != 0) {
		must(c == NULL && e.code < 0 && e.text[0] != '\0');
		return;
	}
	resolve(c, "a");
	resolve(c, "root@web1.example.org:2200");
	resolve(c, "a");
	sshconf_free(c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64], *text = malloc(size + 1);
	int fd;

	must(text != NULL);
	(void)setenv("SHELL", "/bin/true", 1);
	memcpy(text, data, size);
	text[size] = '\0';
	if (strlen(text) == size && !reads_files(text)) {
		fd = fuzz_file(data, size, path, sizeof(path));
		try(path, NULL);
		text[strcspn(text, "\n")] = '\0';
		try("none", text);
		close(fd);
	}
	free(text);
	return 0;
}
