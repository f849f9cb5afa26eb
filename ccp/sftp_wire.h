/*
 * sftp_wire.h - the bytes of SFTP: what packets are made of, out and in.
 */
#ifndef SFTP_WIRE_H
#define SFTP_WIRE_H

#include <sys/types.h>

#include "sftp.h"

/* draft-02, 3 */
enum {
	FXP_INIT = 1, FXP_VERSION = 2, FXP_OPEN = 3, FXP_CLOSE = 4,
	FXP_READ = 5, FXP_WRITE = 6, FXP_LSTAT = 7, FXP_FSTAT = 8,
	FXP_SETSTAT = 9, FXP_FSETSTAT = 10, FXP_OPENDIR = 11,
	FXP_READDIR = 12, FXP_REMOVE = 13, FXP_MKDIR = 14, FXP_RMDIR = 15,
	FXP_REALPATH = 16, FXP_STAT = 17, FXP_RENAME = 18, FXP_READLINK = 19,
	FXP_SYMLINK = 20, FXP_STATUS = 101, FXP_HANDLE = 102, FXP_DATA = 103,
	FXP_NAME = 104, FXP_ATTRS = 105, FXP_EXTENDED = 200,
	FXP_EXTENDED_REPLY = 201
};

/* Packets to be sent, one after the other. Memory that runs out is noted, and
 * what was begun is not sent. */
struct wire_out {
	unsigned char	*bytes;
	size_t		 off, len, size;	/* off: sent so far */
	size_t		 packet;		/* where the open one begins */
	bool		 failed;
};

void	wire_begin(struct wire_out *, int type);
void	wire_u32(struct wire_out *, uint32_t);
void	wire_u64(struct wire_out *, uint64_t);
void	wire_string(struct wire_out *, const void *, size_t);
void	*wire_room(struct wire_out *, uint32_t len);	/* a string's bytes */
void	wire_attrs(struct wire_out *, const struct sftp_attrs *);
void	wire_end(struct wire_out *);
const void *wire_pending(const struct wire_out *, size_t *len);
void	wire_sent(struct wire_out *, size_t);
void	wire_free(struct wire_out *);

/* What came; each takes from the front. 0, or -1: it is not there whole. */
struct wire_in {
	const unsigned char *p;
	size_t		 left;
};

uint32_t wire_peek_u32(const unsigned char *);
int	wire_get_u32(struct wire_in *, uint32_t *);
int	wire_get_u64(struct wire_in *, uint64_t *);
int	wire_get_string(struct wire_in *, const char **, size_t *);
int	wire_get_attrs(struct wire_in *, struct sftp_attrs *);

#endif
