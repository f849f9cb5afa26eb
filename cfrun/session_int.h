/*
 * session_int.h - a session, between its files: session.c has the dialogue,
 * session_tls.c the connection, session_key.c the server's key.
 */
#ifndef SESSION_INT_H
#define SESSION_INT_H

#include "frame.h"
#include "session.h"

enum state { HANDSHAKE, CONFIRM, GREETING, WELCOME, REPLY, OVER };

/* What a state says: go on with the (next) state, or tell the engine. */
enum go { GO, WAIT, FULL, END };

struct session {
	const struct shared *shared;
	struct fanout_io *io;
	const struct site *site;
	int		 fd;
	SSL		*ssl;
	enum state	 state;
	struct trust_answer answer;	/* CONFIRM: what is asked about */
	short		 events;	/* what TLS waits for */
	bool		 used, canceled, closing;

	const char	*exec;		/* of the task: what to say */
	size_t		 exec_len;
	const char	*classes;
	size_t		 classes_len;
	bool		 ping;

	char		 release[32];	/* the server's */
	bool		 begun;		/* the agent was started */
	bool		 may_rest;	/* in its locks, as cfruncommand is */
	bool		 spoke;
	enum reply	 refusal;	/* REPLY_END: none */
	char		 refusal_text[200];

	char		 out[3 * (FRAME_HEADER + FRAME_SEND_MAX)];
	size_t		 records[3];	/* each is to be one TLS record */
	unsigned	 nrecords, record;
	size_t		 out_at;

	char		 in[2 * (FRAME_HEADER + FRAME_MAX)];
	size_t		 in_at, in_len;
	size_t		 emitted;	/* of the frame at in_at */
};

/* The task fails; END. */
enum go	session_fail(struct session *, enum fanout_class, const char *text);

/* session_tls.c: the handshake, after which the server's key is judged; more
 * bytes behind those that are there; what is to be said, record by record
 * (GO: all of it has been). */
enum go	session_handshake(struct session *);
enum go	session_fill(struct session *);
enum go	session_flush(struct session *);

/* session_key.c: is it the server's key? CONFIRM: what does the user say? */
enum go	session_check_key(struct session *);
enum go	session_confirm(struct session *);

#endif
