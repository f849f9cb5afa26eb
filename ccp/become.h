/*
 * become.h - --sudo: everything on the hosts is done as another user.
 *
 * sudo(8) asks with a mark of ours, on standard error, and what it runs says
 * another one before it begins. Until that has come nothing is sent but a
 * password, if it was asked for; where it is wrong it is not sent again.
 */
#ifndef BECOME_H
#define BECOME_H

#include "copy.h"

/* Reads the password's descriptor. 0 or an error. */
int	become_open(struct copy *, struct fanout_error *);
void	become_close(struct copy *);

/* A command, and the SFTP server, as that user; as they are without --sudo.
 * free(3). NULL: no memory. */
char	*become_command(const struct copy *, const char *command);
char	*become_sftp(const struct copy *);

/* A job of it begins: h->waits_become. */
void	become_begin(struct host *);

/*
 * Bytes of standard error, meanwhile: how many of them are not the command's.
 * When it has begun, h->waits_become is false.
 */
size_t	become_hears(struct host *, const char *, size_t);

/* It ended before it began: the host has failed. */
void	become_ended(struct host *);

#endif
