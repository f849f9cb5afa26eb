/*
 * fuzz.h - what the fuzz targets for the formats of ssh share.
 *
 * With -DFANOUT_LIBFUZZER the fuzzer's own main calls the target; without,
 * the main here runs the files given.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <sys/mman.h>
#include <sys/stat.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define must(good) do {							\
	if (!(good)) {							\
		fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #good); \
		abort();						\
	}								\
} while (0)

/* The input as a file in memory; close the descriptor. */
static int __attribute__((__unused__))
fuzz_file(const uint8_t *data, size_t size, char *path, size_t pathsize)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	must(fd != -1 && write(fd, data, size) == (ssize_t)size);
	must(fchmod(fd, 0600) == 0);
	(void)snprintf(path, pathsize, "/proc/self/fd/%d", fd);
	return fd;
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
		must((f = fopen(argv[i], "r")) != NULL);
		n = fread(buf, 1, sizeof(buf), f);
		fclose(f);
		LLVMFuzzerTestOneInput(buf, n);
	}
	printf("%d inputs\n", argc - 1);
	return 0;
}
#endif
#endif
