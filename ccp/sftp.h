/*
 * sftp.h - the SFTP protocol, version 3 (draft-ietf-secsh-filexfer-02), with
 * OpenSSH's extensions (its file PROTOCOL): one session on one host.
 *
 * No I/O: requests become bytes to be sent (sftp_pending), bytes received
 * become answers (sftp_input), each handed to the function that was given
 * with its request. Answers may come in any order. What the server says is
 * believed in nothing: lengths are checked, texts are bounded.
 *
 * Owner: whoever made it; one thread. Paths are bytes without NUL.
 */
#ifndef SFTP_H
#define SFTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* draft-02, 7: the codes of SSH_FXP_STATUS. */
enum sftp_code {
	SFTP_OK, SFTP_EOF, SFTP_NO_SUCH_FILE, SFTP_PERMISSION_DENIED,
	SFTP_FAILURE, SFTP_BAD_MESSAGE, SFTP_NO_CONNECTION,
	SFTP_CONNECTION_LOST, SFTP_OP_UNSUPPORTED
};

#define SFTP_HANDLE_MAX 256
#define SFTP_PATH_MAX 4096
#define SFTP_DEPTH 256		/* requests under way at most */
#define SFTP_DATA_MAX 32768	/* of one read or write that any server takes */

/* Which of the attributes are there (draft-02, 5). */
#define SFTP_HAS_SIZE 0x1u
#define SFTP_HAS_OWNER 0x2u
#define SFTP_HAS_MODE 0x4u
#define SFTP_HAS_TIMES 0x8u

struct sftp_attrs {
	uint32_t has;
	uint64_t size;
	uint32_t uid, gid;
	uint32_t mode;		/* with the type, as st_mode of POSIX */
	uint32_t atime, mtime;
};

struct sftp_handle {
	unsigned char bytes[SFTP_HANDLE_MAX];
	uint32_t len;
};

enum sftp_kind { SFTP_STATUS, SFTP_HANDLE, SFTP_DATA, SFTP_NAMES, SFTP_ATTRS };

/* What its function gets; all it points to ends with the call. */
struct sftp_answer {
	enum sftp_kind	 kind;
	enum sftp_code	 code;		/* STATUS */
	const char	*text;		/* STATUS: the server's own words, safe
					 * to print; "" if there are none */
	const struct sftp_handle *handle;
	const void	*data;		/* DATA, NAMES */
	size_t		 len;
	uint32_t	 count;		/* NAMES */
	struct sftp_attrs attrs;
};

typedef void (*sftp_fn)(void *ctx, uint32_t tag, const struct sftp_answer *);

/* Extensions of the server, as a set. */
#define SFTP_X_POSIX_RENAME 0x1u
#define SFTP_X_FSYNC 0x2u
#define SFTP_X_HARDLINK 0x4u
#define SFTP_X_LSETSTAT 0x8u
#define SFTP_X_OPENSSH 0x10u	/* it has any of OpenSSH's */

struct sftp;

/* ctx goes to every function. NULL: no memory. */
struct sftp *sftp_new(void *ctx);
void	sftp_free(struct sftp *);

/* 0, or -1: what came is not SFTP, or memory ran out; sftp_error says which.
 * Functions are called from here. */
int	sftp_input(struct sftp *, const void *, size_t);
const char *sftp_error(const struct sftp *);

/* Bytes to send; sftp_sent: so many are gone. */
const void *sftp_pending(const struct sftp *, size_t *len);
void	sftp_sent(struct sftp *, size_t);

bool	sftp_is_up(const struct sftp *);	/* the server has answered INIT */
unsigned sftp_extensions(const struct sftp *);
unsigned sftp_under_way(const struct sftp *);	/* requests without answer */

/*
 * Requests. tag goes to fn with the answer. No more than SFTP_DEPTH may be
 * under way (sftp_under_way). If memory runs out sftp_input fails next.
 */
void	sftp_stat(struct sftp *, const char *path, bool follow, sftp_fn,
	    uint32_t tag);
#define SFTP_READ 0x1u
#define SFTP_WRITE 0x2u
#define SFTP_CREATE 0x8u
#define SFTP_TRUNCATE 0x10u
#define SFTP_EXCLUSIVE 0x20u
void	sftp_open(struct sftp *, const char *path, uint32_t flags,
	    const struct sftp_attrs *, sftp_fn, uint32_t tag);
void	sftp_close(struct sftp *, const struct sftp_handle *, sftp_fn,
	    uint32_t tag);
void	sftp_read(struct sftp *, const struct sftp_handle *, uint64_t off,
	    uint32_t len, sftp_fn, uint32_t tag);
/* Room for len bytes to be filled in by the caller, before any other call;
 * NULL: no memory. */
void	*sftp_write(struct sftp *, const struct sftp_handle *, uint64_t off,
	    uint32_t len, sftp_fn, uint32_t tag);
void	sftp_fsetstat(struct sftp *, const struct sftp_handle *,
	    const struct sftp_attrs *, sftp_fn, uint32_t tag);
void	sftp_setstat(struct sftp *, const char *path,
	    const struct sftp_attrs *, sftp_fn, uint32_t tag);
/* Of a link itself; only with X_LSETSTAT. */
void	sftp_lsetstat(struct sftp *, const char *path,
	    const struct sftp_attrs *, sftp_fn, uint32_t tag);
void	sftp_fsync(struct sftp *, const struct sftp_handle *, sftp_fn,
	    uint32_t tag);
void	sftp_mkdir(struct sftp *, const char *path, uint32_t mode, sftp_fn,
	    uint32_t tag);
void	sftp_rmdir(struct sftp *, const char *path, sftp_fn, uint32_t tag);
void	sftp_remove(struct sftp *, const char *path, sftp_fn, uint32_t tag);
/* Over what is there, in one step (X_POSIX_RENAME); without the extension it
 * is the old one, which refuses when to exists. */
void	sftp_rename(struct sftp *, const char *from, const char *to, sftp_fn,
	    uint32_t tag);
void	sftp_symlink(struct sftp *, const char *path, const char *target,
	    sftp_fn, uint32_t tag);
void	sftp_hardlink(struct sftp *, const char *old, const char *path,
	    sftp_fn, uint32_t tag);
void	sftp_readlink(struct sftp *, const char *path, sftp_fn, uint32_t tag);
void	sftp_opendir(struct sftp *, const char *path, sftp_fn, uint32_t tag);
void	sftp_readdir(struct sftp *, const struct sftp_handle *, sftp_fn,
	    uint32_t tag);

/*
 * The next of the names of an answer: 1, 0: there are no more, -1: it is
 * malformed. Begin with *off 0. The name is bytes, not ended by NUL.
 */
int	sftp_name(const struct sftp_answer *, size_t *off, const char **name,
	    size_t *len, struct sftp_attrs *);

/* "permission denied" and so on. */
const char *sftp_strerror(enum sftp_code);

#endif
