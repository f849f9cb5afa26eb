/*
 * submit.h - the phases of a host as jobs of the engine.
 */
#ifndef SUBMIT_H
#define SUBMIT_H

#include "copy.h"

/* Whose job it is. 0, or -1: no memory. */
int	job_note(struct copy *, fanout_job, struct copy_job);

/*
 * Each is a job on the session that is open. What fails is noted with
 * host_fail; then h->job may be 0.
 */
void	submit_sftp(struct host *, enum phase, enum sftp_state begin);
void	submit_script(struct host *, enum phase, char *script);	/* takes it */
void	submit_large(struct host *);
void	submit_archive(struct host *);
void	submit_users(struct host *, enum phase, const char *command);

/* More of h->input to the command, and its end. */
void	job_feed(struct host *);

/* host.c: what the SFTP session has to send. */
void	host_flush(struct host *);

#endif
