/*
 * frame.h - the pieces of cf-serverd's protocol, as bytes.
 *
 * Before the greeting is over both sides speak lines; then transactions: a
 * header of 8 bytes, "t 27" with NULs behind it, and 1 to 4096 bytes. Nothing
 * here reads, writes or allocates.
 */
#ifndef FRAME_H
#define FRAME_H

#include <stdbool.h>
#include <stddef.h>

#define FRAME_HEADER	8
#define FRAME_MAX	4096		/* payload, as received */
#define FRAME_SEND_MAX	4088		/* payload, as sent */
#define FRAME_LINE_MAX	1024
#define FRAME_TERMINATOR "---cfXen/gine/cfXen/gine---"

struct frame {
	const char *data;
	size_t	 len;
};

/* How many bytes of buf the frame takes, 0: it is not whole yet, -1: this is
 * none. */
int	frame_parse(const char *buf, size_t len, struct frame *);

/* Header and payload into buf; how many bytes, 0: it does not fit. */
size_t	frame_build(char *buf, size_t size, const char *data, size_t len);

/* As frame_parse() for a line, whose newline is not part of it. */
int	frame_line(const char *buf, size_t len, struct frame *);

/* "CFE_v3 cf-serverd 3.21.0": the protocol's number, -1: it is no such line.
 * release is that of the server, "" unknown, safe to print. */
int	frame_greeting(const struct frame *, char *release, size_t size);

/* ---- what a server says in answer to EXEC and VERSION ------------------ */

enum reply {
	REPLY_BEGUN,	/* the agent was started; text: its command */
	REPLY_OUTPUT,	/* a line of output; text: without "> " */
	REPLY_EXIT,	/* status */
	REPLY_END,	/* the terminator */
	REPLY_REFUSED,	/* BAD: without a word why */
	REPLY_DENIED,	/* a class, bundle or option; text: what it said */
	REPLY_NO_MATCH,	/* the host has none of the classes asked for */
	REPLY_BROKEN,	/* it could not start the agent; text */
	REPLY_VERSION,	/* text: its release */
	REPLY_OTHER	/* text */
};

struct reply_text {
	const char *text;	/* in the frame */
	size_t	 len;
	int	 status;
};

/* begun: the agent was started, so only output and the end can come. */
enum reply frame_reply(const struct frame *, bool begun, struct reply_text *);

#endif
