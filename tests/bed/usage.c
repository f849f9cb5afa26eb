/*
 * usage.c - what a command costs, with everything it forks.
 *
 *	usage FILE COMMAND...		processor and wall time
 *	usage -m FILE COMMAND...	memory: it is sampled, which costs time
 *
 * Appends one line to FILE: milliseconds of wall time, of processor time
 * (user and system, of it and all its children), KiB of memory at the peak,
 * and how many processes there were then. Memory is the proportional set size
 * of all processes alive (what they share counts once), for a command of one
 * process its highest resident size.
 */
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAXPROCS 32768
#define SAMPLE_MS 30

struct proc {
	pid_t	 pid, parent;
	bool	 ours;
};

static struct proc procs[MAXPROCS];
static long peak_kib;
static int peak_procs;

static long
value_of(pid_t pid, const char *file, const char *key)
{
	char path[64], line[256];
	long value = 0;
	FILE *fp;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	if ((fp = fopen(path, "re")) == NULL)
		return 0;
	while (fgets(line, sizeof(line), fp) != NULL)
		if (strncmp(line, key, strlen(key)) == 0) {
			value = strtol(line + strlen(key), NULL, 10);
			break;
		}
	fclose(fp);
	return value;
}

static pid_t
parent_of(pid_t pid)
{
	char path[64], line[512], *p;
	pid_t parent = 0;
	FILE *fp;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((fp = fopen(path, "re")) == NULL)
		return 0;
	/* The name, in brackets, may hold anything. */
	if (fgets(line, sizeof(line), fp) != NULL &&
	    (p = strrchr(line, ')')) != NULL && strlen(p) > 4)
		parent = (pid_t)strtol(p + 4, NULL, 10);
	fclose(fp);
	return parent;
}

static size_t
list_processes(void)
{
	struct dirent *d;
	size_t n = 0;
	DIR *dir = opendir("/proc");

	if (dir == NULL)
		err(1, "/proc");
	while ((d = readdir(dir)) != NULL && n < MAXPROCS)
		if (isdigit((unsigned char)d->d_name[0])) {
			procs[n].pid = (pid_t)strtol(d->d_name, NULL, 10);
			procs[n].parent = parent_of(procs[n].pid);
			procs[n++].ours = false;
		}
	closedir(dir);
	return n;
}

/* Marks root and all below it; the list need not be in order. */
static void
mark_family(size_t n, pid_t root)
{
	bool more = true;
	size_t i, k;

	for (i = 0; i < n; i++)
		procs[i].ours = procs[i].pid == root;
	while (more) {
		more = false;
		for (i = 0; i < n; i++)
			for (k = 0; !procs[i].ours && k < n; k++)
				if (procs[k].ours &&
				    procs[k].pid == procs[i].parent)
					procs[i].ours = more = true;
	}
}

static void
sample(pid_t root)
{
	size_t n = list_processes(), i;
	long kib = 0;
	int count = 0;

	mark_family(n, root);
	for (i = 0; i < n; i++)
		if (procs[i].ours) {
			kib += value_of(procs[i].pid, "smaps_rollup", "Pss:");
			count++;
		}
	if (kib > peak_kib) {
		peak_kib = kib;
		peak_procs = count;
	}
}

static double
milliseconds(const struct timeval *t)
{
	return (double)t->tv_sec * 1e3 + (double)t->tv_usec / 1e3;
}

int
main(int argc, char **argv)
{
	bool memory = argc > 1 && strcmp(argv[1], "-m") == 0;
	struct timespec begin, end;
	struct rusage ru;
	int status;
	pid_t pid;
	FILE *fp;

	argv += memory ? 2 : 1;
	if (argc < (memory ? 4 : 3))
		errx(2, "usage: usage [-m] FILE COMMAND...");
	clock_gettime(CLOCK_MONOTONIC, &begin);
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0) {
		execvp(argv[1], argv + 1);
		err(127, "%s", argv[1]);
	}
	while (memory && wait4(pid, &status, WNOHANG, &ru) == 0) {
		sample(pid);
		poll(NULL, 0, SAMPLE_MS);
	}
	if (!memory && wait4(pid, &status, 0, &ru) == -1)
		err(1, "wait4");
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (peak_procs <= 1) {
		peak_procs = 1;
		peak_kib = ru.ru_maxrss;
	}
	if ((fp = fopen(argv[0], "ae")) == NULL)
		err(1, "%s", argv[0]);
	fprintf(fp, "%.0f %.1f %ld %d\n",
	    (double)(end.tv_sec - begin.tv_sec) * 1e3 +
	    (double)(end.tv_nsec - begin.tv_nsec) / 1e6,
	    milliseconds(&ru.ru_utime) + milliseconds(&ru.ru_stime), peak_kib,
	    peak_procs);
	fclose(fp);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
