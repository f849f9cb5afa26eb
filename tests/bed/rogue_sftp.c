/*
 * rogue_sftp - an SFTP server that lies: what it says depends on the path.
 * For sshd as ForceCommand; only what ccp --get asks for. OUTSIDE is the
 * argument: a folder that nothing may be written to.
 *
 *	/good		a file "good"
 *	/endless	a file of 2^50 bytes
 *	/growing	says 4 bytes, gives more than it is asked for
 *	/short		says 1000 bytes, has 10
 *	/escape, /slash, /empty, /nul	directories with such names in them
 *	/swap		a directory: link -> OUTSIDE, then the same name as a
 *			directory with a file in it
 *	/deep		directories without end
 *	/many		a directory that never ends
 *	/garbage	an answer that is none
 *	/silent		no answer
 *	/foreign	an answer to another request
 */
#include <arpa/inet.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIR_MODE 0040755u
#define FILE_MODE 0100644u
#define LINK_MODE 0120777u

static unsigned char out[300000];
static size_t len;
static const char *outside = "/nowhere";

static void
u32(uint32_t v)
{
	v = htonl(v);
	memcpy(out + len, &v, 4);
	len += 4;
}

static void
str(const void *s, size_t n)
{
	u32((uint32_t)n);
	memcpy(out + len, s, n);
	len += n;
}

static void
begin(int type, uint32_t id)
{
	len = 4;
	out[len++] = (unsigned char)type;
	u32(id);
}

static void
end(void)
{
	uint32_t n = htonl((uint32_t)(len - 4));
	size_t off = 0;
	ssize_t w;

	memcpy(out, &n, 4);
	for (; off < len; off += (size_t)w)
		if ((w = write(1, out + off, len - off)) <= 0)
			exit(0);
}

static void
status(uint32_t id, uint32_t code)
{
	begin(101, id);
	u32(code);
	str("no", 2);
	str("", 0);
	end();
}

static void
attrs(uint32_t mode, uint64_t size)
{
	u32(1 | 4);
	u32((uint32_t)(size >> 32));
	u32((uint32_t)size);
	u32(mode);
}

static void
stat_answer(uint32_t id, const char *path)
{
	static int swaps;
	uint32_t mode = DIR_MODE;
	uint64_t size = 4;

	if (strcmp(path, "/silent") == 0)
		return;
	if (strcmp(path, "/garbage") == 0) {
		if (write(1, "\0\0\0\5garbage", 11) == -1)
			exit(1);
		return;
	}
	if (strcmp(path, "/foreign") == 0)
		id += 1000;
	if (strcmp(path, "/swap/x") == 0)
		mode = swaps++ == 0 ? LINK_MODE : DIR_MODE;
	else if (strcmp(path, "/good") == 0 || strcmp(path, "/growing") == 0 ||
	    strcmp(path, "/swap/x/f") == 0)
		mode = FILE_MODE;
	else if (strcmp(path, "/endless") == 0) {
		mode = FILE_MODE;
		size = (uint64_t)1 << 50;
	} else if (strcmp(path, "/short") == 0) {
		mode = FILE_MODE;
		size = 1000;
	}
	begin(105, id);
	attrs(mode, size);
	end();
}

static void
names(uint32_t id, const char *dir)
{
	static int reads;
	const char *name = "d", *twice = NULL;
	uint32_t count;
	size_t n;

	if (strcmp(dir, "/many") != 0 && strncmp(dir, "/deep", 5) != 0 &&
	    reads++ % 2 == 1) {
		status(id, 1);
		return;
	}
	if (strncmp(dir, "/deep", 5) == 0 && reads++ % 2 == 1) {
		status(id, 1);
		return;
	}
	if (strcmp(dir, "/escape") == 0)
		name = "../../../evil";
	else if (strcmp(dir, "/slash") == 0)
		name = "a/b";
	else if (strcmp(dir, "/empty") == 0)
		name = "";
	else if (strcmp(dir, "/swap") == 0)
		name = twice = "x";
	else if (strcmp(dir, "/swap/x") == 0)
		name = "f";
	n = strcmp(dir, "/nul") == 0 ? 3 : strlen(name);
	begin(104, id);
	count = strcmp(dir, "/many") == 0 ? 5000 : twice != NULL ? 2 : 1;
	u32(count);
	for (; count > 0; count--) {
		str(n == 3 && *name == 'd' ? "a\0b" : name, n);
		str("", 0);
		attrs(DIR_MODE, 0);
	}
	end();
}

static void
data(uint32_t id, const char *path, uint64_t off, uint32_t want)
{
	static char zeros[32768];

	if (want > sizeof(zeros))
		want = sizeof(zeros);
	if (strcmp(path, "/short") == 0) {
		if (off >= 10) {
			status(id, 1);
			return;
		}
		want = 10 - (uint32_t)off;
	}
	if (strcmp(path, "/growing") == 0)
		want = sizeof(zeros);
	begin(103, id);
	if (strcmp(path, "/good") == 0 || strcmp(path, "/swap/x/f") == 0)
		str("good", 4);
	else
		str(zeros, want);
	end();
}

static uint32_t
get32(const unsigned char *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return ntohl(v);
}

/* A handle is the path. */
static void
answer(const unsigned char *p, size_t n)
{
	uint32_t id = n >= 5 ? get32(p + 1) : 0, l = n >= 9 ? get32(p + 5) : 0;
	char path[4096];

	if (p[0] == 1) {
		len = 4;
		out[len++] = 2;
		u32(3);
		end();
		return;
	}
	if (l >= sizeof(path) || l + 9 > n)
		exit(1);
	memcpy(path, p + 9, l);
	path[l] = '\0';
	switch (p[0]) {
	case 3:
	case 11:
		begin(102, id);
		str(path, l);
		end();
		break;
	case 4:
		status(id, 0);
		break;
	case 5:
		data(id, path, (uint64_t)get32(p + 9 + l) << 32 |
		    get32(p + 13 + l), get32(p + 17 + l));
		break;
	case 7:
	case 17:
		stat_answer(id, path);
		break;
	case 12:
		names(id, path);
		break;
	case 19:
		begin(104, id);
		u32(1);
		str(outside, strlen(outside));
		str("", 0);
		attrs(LINK_MODE, 0);
		end();
		break;
	default:
		status(id, 8);
	}
}

static void
read_all(unsigned char *p, size_t n)
{
	ssize_t r;

	for (; n > 0; p += r, n -= (size_t)r)
		if ((r = read(0, p, n)) <= 0)
			exit(0);
}

int
main(int argc, char **argv)
{
	static unsigned char packet[300000];
	uint32_t n;

	if (argc > 1)
		outside = argv[1];
	for (;;) {
		read_all(packet, 4);
		n = get32(packet);
		if (n == 0 || n > sizeof(packet))
			return 1;
		read_all(packet, n);
		answer(packet, n);
	}
}
