/*
 * job.h - what engine.c needs of job.c. The caller's thread only.
 */
#ifndef FO_JOB_H
#define FO_JOB_H

struct engine;
struct job;
struct stream;
struct task;

/* A task's own standard input; NULL: it has none. */
struct stream *job_stream(const struct task *);

void	job_free(struct job *);		/* NULL is fine */

/* The caller is through with a task's DONE; the last one ends the job. */
void	job_delivered(struct engine *, struct task *);

#endif
