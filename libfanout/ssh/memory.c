#include <sys/mman.h>

#include <arpa/inet.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "sess.h"

#define MSG_OPEN_CONFIRMATION 91
#define MSG_CHANNEL_REQUEST 98
#define NAME "exit-status"

/* Of a message on a channel: byte type, uint32 recipient channel. */
static uint32_t
channel_of(const unsigned char *msg)
{
	uint32_t number;

	memcpy(&number, msg + 1, sizeof(number));
	return ntohl(number);
}

/* byte type, and four times uint32 */
static int
is_confirmation(const unsigned char *msg)
{
	return malloc_usable_size((void *)(uintptr_t)msg) >= 17 &&
	    msg[0] == MSG_OPEN_CONFIRMATION;
}

/* byte type, uint32 channel, string name, boolean, uint32 status */
static int
is_exit_status(const unsigned char *msg)
{
	static const unsigned char head[] = { 0, 0, 0, sizeof(NAME) - 1 };

	return malloc_usable_size((void *)(uintptr_t)msg) >=
	    5 + sizeof(head) + sizeof(NAME) - 1 + 5 &&
	    msg[0] == MSG_CHANNEL_REQUEST &&
	    memcmp(msg + 5, head, sizeof(head)) == 0 &&
	    memcmp(msg + 5 + sizeof(head), NAME, sizeof(NAME) - 1) == 0;
}

/*
 * libssh2 keeps whatever packets nobody asks for. The most that an honest
 * server can make it hold is a window full of packets of one byte.
 */
#define MEMORY_MAX (32 * 1024 * 1024)

/* What it carries may each have a window full on its way. */
static size_t
memory_max(const struct sess *s)
{
	return MEMORY_MAX + s->windows;
}

void *
memory_alloc(size_t size, void **abstract)
{
	struct sess *s = *abstract;
	void *p;

	if (s->starve) {
		s->starve = false;
		return NULL;
	}
	if (s->memory > memory_max(s) || (p = malloc(size)) == NULL)
		return NULL;
	s->memory += malloc_usable_size(p);
	return p;
}

/* Some of what is freed came from elsewhere: signatures. */
static void
forget(struct sess *s, void *p)
{
	size_t n = malloc_usable_size(p);

	s->memory -= n < s->memory ? n : s->memory;
}

void *
memory_realloc(void *p, size_t size, void **abstract)
{
	struct sess *s = *abstract;
	size_t old = malloc_usable_size(p);
	void *q;

	if (s->memory > memory_max(s) || (q = realloc(p, size)) == NULL)
		return NULL;
	s->memory -= old < s->memory ? old : s->memory;
	s->memory += malloc_usable_size(q);
	return q;
}

static void
watch(struct sess *s, const unsigned char *msg)
{
	if (is_confirmation(msg))
		s->confirmed = channel_of(msg);
	else if (s->channel != NULL && is_exit_status(msg) &&
	    channel_of(msg) == s->number)
		s->saw_status = true;
}

void
memory_free(void *p, void **abstract)
{
	struct sess *s = *abstract;

	if (p == NULL)
		return;
	watch(s, p);
	if (s->state == SESS_AUTH)
		auth_saw(s, p, malloc_usable_size(p));
	if (s->carry != NULL)
		carry_saw(s, p, malloc_usable_size(p));
	if (s->wipe)
		explicit_bzero(p, malloc_usable_size(p));
	forget(s, p);
	free(p);
}

static int
is_zero(const char *p, size_t len)
{
	return p[0] == 0 && memcmp(p, p + 1, len - 1) == 0;
}

void
memory_trim(void *block)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = (uintptr_t)block, to;
	uintptr_t page, zeros;

	to = (from + malloc_usable_size(block)) & ~(size - 1);
	page = (from + size - 1) & ~(size - 1);
	while (page < to) {
		for (zeros = page; zeros < to; zeros += size)
			if (!is_zero((char *)zeros, size))
				break;
		/* Only a saving: it does not matter if it fails. */
		if (zeros > page)
			(void)madvise((void *)page, zeros - page,
			    MADV_DONTNEED);
		page = zeros + size;
	}
}
