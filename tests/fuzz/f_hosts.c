/*
 * f_hosts.c - any bytes as an expression, as arguments of -w and -g, as a host
 * file and as files of groups: flat ones, genders, groups.conf. What parses must fold to what stands for the same
 * hosts.
 *
 * With -DFANOUT_LIBFUZZER the fuzzer's own main calls it; without, its main
 * runs the files given.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fanout.h"
#include "hosts/ini.h"
#include "hosts/sources.h"

#define HOSTS_MAX 5000

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(int good, const char *what)
{
	if (!good) {
		fprintf(stderr, "f_hosts: %s\n", what);
		abort();
	}
}

static struct fanout_hosts *
new_set(struct fanout_groups *g)
{
	struct fanout_hosts *s;

	must(fanout_hosts_new(&s) == 0, "no memory");
	fanout_hosts_limit(s, HOSTS_MAX);
	fanout_hosts_use_groups(s, g);
	return s;
}

/* What the set folds to is the set. */
static void
check_fold(const struct fanout_hosts *s)
{
	struct fanout_hosts *again = new_set(NULL);
	char *fold;

	must(fanout_hosts_fold(s, &fold) == 0, "no fold");
	if (fanout_hosts_count(s) > 0)
		must(fanout_hosts_add(again, fold, NULL) == 0,
		    "the fold does not parse");
	must(fanout_hosts_count(again) == fanout_hosts_count(s),
	    "the fold has another count");
	must(fanout_hosts_xor(again, s) == 0 &&
	    fanout_hosts_count(again) == 0, "the fold has other hosts");
	free(fold);
	fanout_hosts_free(again);
}

static void
as_expression(const char *text, struct fanout_groups *g)
{
	struct fanout_hosts *s = new_set(g);
	struct fanout_error err;
	char *caret;
	size_t i;

	fanout_hosts_add(s, "n[1-20],u@n3:22", NULL);
	if (fanout_hosts_add(s, text, &err) == 0) {
		check_fold(s);
		for (i = 0; i < fanout_hosts_count(s); i++)
			must(fanout_hosts_find(s, fanout_hosts_at(s, i)) == i,
			    "a host is not where it is");
		must(fanout_hosts_remove(s, text, NULL) == 0,
		    "cannot remove what was added");
		check_fold(s);
	} else {
		must(err.offset <= strlen(text), "the error is outside");
		must(err.text[0] != '\0', "the error says nothing");
		must(fanout_hosts_count(s) == 21, "the set has changed");
		caret = fanout_error_caret(&err, text);
		free(caret);
	}
	fanout_hosts_free(s);
}

/* Not with files or regexes: what those do is not ours. */
static void
as_option(const char *text, struct fanout_groups *g)
{
	struct fanout_selection *sel;
	struct fanout_hosts *s;

	if (strpbrk(text, "^/") != NULL)
		return;
	must(fanout_selection_new(&sel) == 0, "no memory");
	fanout_selection_limit(sel, HOSTS_MAX);
	fanout_selection_use_groups(sel, g);
	if (fanout_selection_add(sel, FANOUT_SELECT_HOSTS, text, NULL) == 0 &&
	    fanout_selection_add(sel, FANOUT_SELECT_GROUP, text, NULL) == 0 &&
	    fanout_selection_finish(&s, sel, NULL) == 0)
		fanout_hosts_free(s);
	fanout_selection_free(sel);
}

/* Genders, queried by its own bytes; groups.conf is read, not run. */
static void
as_configs(const char *text, const char *path)
{
	struct fanout_selection *sel = NULL;
	struct fanout_groups *g = NULL;
	struct fanout_hosts *s;
	struct fo_ini ini = { 0 };

	fo_ini_read(&ini, path, NULL);
	fo_ini_free(&ini);
	must(fanout_groups_new(&g) == 0 && fanout_selection_new(&sel) == 0,
	    "no memory");
	setenv("PDSH_GENDERS_FILE", path, 1);
	fanout_selection_limit(sel, HOSTS_MAX);
	fanout_selection_use_groups(sel, g);
	if (fo_source_genders(g, NULL) == 0 &&
	    fanout_selection_add(sel, FANOUT_SELECT_ALL, "", NULL) == 0 &&
	    fanout_selection_add(sel, FANOUT_SELECT_GROUP, text, NULL) == 0 &&
	    fanout_selection_finish(&s, sel, NULL) == 0) {
		check_fold(s);
		fanout_hosts_free(s);
	}
	fanout_selection_free(sel);
	fanout_groups_free(g);
}

static void
as_files(const uint8_t *data, size_t size, const char *path)
{
	struct fanout_hosts *s = new_set(NULL);
	struct fanout_groups *g;
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	must(fd != -1 && write(fd, data, size) == (ssize_t)size, "no file");
	close(fd);
	if (memmem(data, size, "#include", 8) == NULL &&
	    fanout_hosts_load(s, path, NULL) == 0)
		check_fold(s);
	must(fanout_groups_new(&g) == 0, "no memory");
	if (fanout_groups_file(g, "f", path, NULL) == 0) {
		fanout_hosts_use_groups(s, g);
		if (fanout_hosts_add(s, "@*", NULL) == 0)
			check_fold(s);
		/* Names of groups need not be such as a host may have. */
		fanout_hosts_add(s, "@@", NULL);
	}
	fanout_hosts_free(s);
	fanout_groups_free(g);
}

/* An inventory of Ansible, as INI or, with a '%' in front, as YAML. */
static void
as_inventory(const uint8_t *data, size_t size, const char *path)
{
	bool yaml = size > 0 && data[0] == '%';
	struct fanout_hosts *s = new_set(NULL);
	struct fanout_groups *g;
	char yml[64];
	int fd;

	(void)snprintf(yml, sizeof(yml), "%s%s", path, yaml ? ".yml" : "");
	fd = open(yml, O_RDWR | O_CREAT | O_TRUNC, 0600);
	must(fd != -1 && write(fd, data + yaml, size - yaml) ==
	    (ssize_t)(size - yaml), "no file");
	close(fd);
	setenv("ANSIBLE_INVENTORY", yml, 1);
	must(fanout_groups_new(&g) == 0, "no memory");
	if (fo_source_ansible(g, NULL) == 0) {
		fanout_hosts_use_groups(s, g);
		if (fanout_hosts_add(s, "@*", NULL) == 0)
			check_fold(s);
		fanout_hosts_add(s, "@web", NULL);
	}
	fanout_hosts_free(s);
	fanout_groups_free(g);
	if (yaml)
		(void)unlink(yml);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[] = "/tmp/f_hosts.XXXXXX";
	static struct fanout_groups *groups;
	char *text;
	int fd;

	if (groups == NULL) {
		must((fd = mkstemp(path)) != -1 && write(fd,
		    "web: n[1-9]\nall: @web,x\nloop: @loop\n", 36) == 36 &&
		    close(fd) == 0 && fanout_groups_new(&groups) == 0 &&
		    fanout_groups_file(groups, "g", path, NULL) == 0,
		    "cannot start");
		must((fd = open("/dev/null", O_RDONLY)) != -1 &&
		    dup2(fd, STDIN_FILENO) != -1, "cannot start");
	}
	must((text = malloc(size + 1)) != NULL, "no memory");
	memcpy(text, data, size);
	text[size] = '\0';
	as_expression(text, groups);
	as_option(text, groups);
	as_files(data, size, path);
	as_inventory(data, size, path);
	as_configs(text, path);
	free(text);
	return 0;
}

#ifndef FANOUT_LIBFUZZER
int
main(int argc, char **argv)
{
	static uint8_t buf[1 << 20];
	size_t n;
	FILE *f;
	int i;

	for (i = 1; i < argc; i++) {
		must((f = fopen(argv[i], "r")) != NULL, argv[i]);
		n = fread(buf, 1, sizeof(buf), f);
		fclose(f);
		LLVMFuzzerTestOneInput(buf, n);
	}
	printf("%d inputs\n", argc - 1);
	return 0;
}
#endif
