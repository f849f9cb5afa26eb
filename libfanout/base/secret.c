#include <sys/mman.h>

#include <string.h>

#include "secret.h"

#define SIZE (FO_SECRET_MAX + 1)

int
fo_secret_set(struct fo_secret *s, const char *text)
{
	size_t len = strlen(text);
	void *p;

	fo_secret_clear(s);
	if (len > FO_SECRET_MAX)
		return -1;
	p = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return -1;
	/* Either may be forbidden here; the text is needed all the same. */
	(void)mlock(p, SIZE);
	(void)madvise(p, SIZE, MADV_DONTDUMP);
	memcpy(p, text, len + 1);
	s->text = p;
	return 0;
}

void
fo_secret_clear(struct fo_secret *s)
{
	if (s->text == NULL)
		return;
	explicit_bzero(s->text, SIZE);
	(void)munmap(s->text, SIZE);
	s->text = NULL;
}
