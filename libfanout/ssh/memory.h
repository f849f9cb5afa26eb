/*
 * memory.h - the allocator we give libssh2, and what it lets us see.
 *
 * libssh2 up to 1.11 reports exit status 0 alike when the command said 0 and
 * when no status ever came, and a host of the second kind must not count as
 * good. Each message it receives is freed through this allocator when it has
 * been dealt with: a CHANNEL_REQUEST "exit-status" (RFC 4254 6.10) for the
 * task's channel among them is noted in the session, and the number of each
 * channel that was opened (the last that is freed before the open returns).
 */
#ifndef FO_SSH_MEMORY_H
#define FO_SSH_MEMORY_H

#include <stddef.h>

/* abstract is the address of a pointer to the session's struct sess. */
void	*memory_alloc(size_t, void **abstract);
void	*memory_realloc(void *, size_t, void **abstract);
void	 memory_free(void *, void **abstract);

/*
 * A libssh2 session is 54 KB, nearly all of it buffers that it fills with
 * zeros when it is made and hardly ever uses to the end. Give the pages of a
 * malloc(3)ed block that are all zeros back to the kernel, which has zeros
 * again when one is touched.
 */
void	 memory_trim(void *);

#endif
