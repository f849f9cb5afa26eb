#include <sys/mman.h>

#include <stdint.h>
#include <stdlib.h>
#include <ucontext.h>
#include <unistd.h>

#include "fiber.h"

/* The sanitizers want to be told when the stack changes. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#if __has_feature(thread_sanitizer)
#define __SANITIZE_THREAD__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#define STACK_SIZE (512 * 1024)
#else
#define STACK_SIZE (128 * 1024)	/* touched: some pages of it */
#endif
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

struct fiber {
	ucontext_t	 here, there;
	char		*stack;
	size_t		 guard;
	void		(*fn)(void *);
	void		*arg;
	bool		 over;
	void		*fake[2];	/* for the sanitizers */
	const void	*back;
	size_t		 backlen;
	void		*tsan[2];
};

#ifdef __SANITIZE_ADDRESS__
#define LEAVE(f, i, p, n) __sanitizer_start_switch_fiber(&(f)->fake[i], p, n)
#define ARRIVE(f, i) __sanitizer_finish_switch_fiber((f)->fake[i], \
	    (i) == 1 ? &(f)->back : NULL, (i) == 1 ? &(f)->backlen : NULL)
#else
#define LEAVE(f, i, p, n) ((void)0)
#define ARRIVE(f, i) ((void)0)
#endif

/* makecontext(3) passes int only. */
static void
begin(unsigned high, unsigned low)
{
	struct fiber *f = (struct fiber *)((uintptr_t)high << 16 << 16 | low);

	ARRIVE(f, 1);
	f->fn(f->arg);
	f->over = true;
	fiber_stop(f);
}

static int
prepare(struct fiber *f)
{
	uintptr_t self = (uintptr_t)f;

	if (getcontext(&f->there) == -1)
		return -1;
	f->there.uc_stack.ss_sp = f->stack + f->guard;
	f->there.uc_stack.ss_size = STACK_SIZE;
	f->there.uc_link = NULL;
	makecontext(&f->there, (void (*)(void))begin, 2,
	    (unsigned)(self >> 16 >> 16), (unsigned)self);
	return 0;
}

struct fiber *
fiber_new(void (*fn)(void *), void *arg)
{
	struct fiber *f;
	void *p;

	if ((f = calloc(1, sizeof(*f))) == NULL)
		return NULL;
	f->fn = fn;
	f->arg = arg;
	f->guard = (size_t)sysconf(_SC_PAGESIZE);
	p = mmap(NULL, f->guard + STACK_SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
	if (p == MAP_FAILED) {
		free(f);
		return NULL;
	}
	f->stack = p;
	(void)mprotect(p, f->guard, PROT_NONE);
	/* What was typed passes through here, too. */
	(void)madvise(f->stack + f->guard, STACK_SIZE, MADV_DONTDUMP);
	if (prepare(f) == -1) {
		(void)munmap(f->stack, f->guard + STACK_SIZE);
		free(f);
		return NULL;
	}
#ifdef __SANITIZE_THREAD__
	f->tsan[1] = __tsan_create_fiber(0);
#endif
	return f;
}

void
fiber_free(struct fiber *f)
{
	if (f == NULL)
		return;
#ifdef __SANITIZE_THREAD__
	__tsan_destroy_fiber(f->tsan[1]);
#endif
	(void)munmap(f->stack, f->guard + STACK_SIZE);
	free(f);
}

bool
fiber_run(struct fiber *f)
{
#ifdef __SANITIZE_THREAD__
	f->tsan[0] = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(f->tsan[1], 0);
#endif
	LEAVE(f, 0, f->stack + f->guard, STACK_SIZE);
	(void)swapcontext(&f->here, &f->there);
	ARRIVE(f, 0);
	return f->over;
}

void
fiber_stop(struct fiber *f)
{
#ifdef __SANITIZE_THREAD__
	__tsan_switch_to_fiber(f->tsan[0], 0);
#endif
	LEAVE(f, 1, f->back, f->backlen);
	(void)swapcontext(&f->there, &f->here);
	ARRIVE(f, 1);
}
