/*
 * thread.h - starting a thread the way every thread of the library runs:
 * with all signals blocked, so that handlers run on the caller's threads
 * only, and with a small stack.
 */
#ifndef FO_THREAD_H
#define FO_THREAD_H

#include <pthread.h>

int	thread_start(pthread_t *, void *(*)(void *), void *);  /* 0 or errno */

#endif
