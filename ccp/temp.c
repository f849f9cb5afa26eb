/*
 * temp.c - names of the temporary folders on the hosts: which machine, and
 * which run on it, so that a later run sees whether their owner lives.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ccp.h"

static uint32_t
hash(uint32_t h, const char *bytes, size_t len)
{
	for (; len > 0; bytes++, len--)
		h = (h ^ (unsigned char)*bytes) * 16777619u;	/* FNV-1a */
	return h;
}

static ssize_t
read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	if (fd != -1) {
		n = read(fd, buf, size - 1);
		close(fd);
	}
	buf[n > 0 ? n : 0] = '\0';
	return n;
}

/* Where our process numbers mean something: a machine, since its start, and a
 * name space of them. */
static uint32_t
machine(void)
{
	static const char *const files[] = { "/etc/machine-id",
	    "/proc/sys/kernel/random/boot_id" };
	char buf[256];
	uint32_t h = 2166136261u;
	ssize_t n;
	size_t i;

	for (i = 0; i < 2; i++)
		if ((n = read_file(files[i], buf, sizeof(buf))) > 0)
			h = hash(h, buf, (size_t)n);
	if ((n = readlink("/proc/self/ns/pid", buf, sizeof(buf))) > 0)
		h = hash(h, buf, (size_t)n);
	return h;
}

/* When a process began, in the kernel's ticks; 0: there is none such, or it is
 * no ccp. */
static unsigned long long
begin_of(const char *pid)
{
	unsigned long long begun;
	char path[64], buf[1024], *p;
	int field;

	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	if (read_file(path, buf, sizeof(buf)) <= 0 ||
	    (p = strchr(buf, '(')) == NULL || strncmp(p, "(ccp)", 5) != 0)
		return 0;
	/* proc(5): the 22nd; the second is the name in parentheses, so p is
	 * before the third. */
	for (field = 3, p += 5; field < 22 && p != NULL; field++)
		p = strchr(p + 1, ' ');
	return p != NULL && sscanf(p, "%llu", &begun) == 1 ? begun : 0;
}

static void
name(char *out, size_t size, const char *mine, const char *pid)
{
	snprintf(out, size, "%s%.20s-%llx", mine, pid, begin_of(pid));
}

/* The folders of all ccp of this machine, ours among them. */
static char *
find_alive(const char *mine)
{
	char *list = strdup(" "), *longer, one[64];
	struct dirent *d;
	DIR *proc;

	if ((proc = opendir("/proc")) == NULL)
		return list;
	while (list != NULL && (d = readdir(proc)) != NULL) {
		if (d->d_name[strspn(d->d_name, "0123456789")] != '\0' ||
		    begin_of(d->d_name) == 0)
			continue;
		name(one, sizeof(one), mine, d->d_name);
		if (asprintf(&longer, "%s%s ", list, one) == -1)
			longer = NULL;
		free(list);
		list = longer;
	}
	closedir(proc);
	return list;
}

int
temp_names(struct copy *c)
{
	char pid[24];

	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	snprintf(c->mine, sizeof(c->mine), SOURCE_RESERVED "%08x-",
	    machine());
	name(c->temp, sizeof(c->temp), c->mine, pid);
	c->alive = find_alive(c->mine);
	return c->alive != NULL ? 0 : -1;
}
