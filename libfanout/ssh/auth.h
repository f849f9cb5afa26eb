/*
 * auth.h - the login of a session: which method comes next, and what came of
 * each.
 */
#ifndef FO_AUTH_H
#define FO_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sess;
struct fiber;

enum auth_method {
	AUTH_NONE,		/* nothing is being tried */
	AUTH_LIST,		/* asking the server what it takes */
	AUTH_KEY,
	AUTH_PROMPTS,		/* keyboard-interactive */
	AUTH_PASSWORD,
	AUTH_METHODS
};
#define AUTH_BIT(m) (1U << (m))

struct auth {
	enum auth_method method;	/* being tried */
	unsigned listed;	/* bits: the server would go on with these */
	bool	 have_list;
	bool	 partial;	/* the last one was accepted, but not enough */
	char	 server[64];	/* its list as it came, for the user */
	unsigned over;		/* bits: these have been tried in vain */
	uint64_t used;		/* bits: keys that were accepted */
	unsigned wrong;		/* answers that were not right */
	unsigned tries[AUTH_METHODS];
	bool	 asking;	/* a question was put */
	bool	 waiting;	/* and is not answered yet */
	const char *why;	/* why there was no answer */
	char	 done[64];	/* what was accepted so far */

	/* keyboard-interactive */
	struct fiber *fiber;
	int	 rc;		/* of its call */
	bool	 asked;		/* the fiber wants an answer */
	bool	 abandon;	/* it gets none */
	const char *prompt, *instruction;
	size_t	 prompt_len, instruction_len;
	bool	 echo;
	bool	 sent;		/* an answer has been given */
	const char *answer;
	bool	 expired;	/* it wants a new password */
};

/* Of a freed message (memory.c): was it the server's "no"? */
void	auth_saw(struct sess *, const unsigned char *msg, size_t max);

/* Of the question that was put: 1 *text is the answer, 0 wait, -1 there is
 * none, and *text says why. Forget it after its use. */
int	auth_answer(struct sess *, const char **text);
void	auth_forget(struct sess *);

/* Before the session is freed: nothing of libssh2 is in mid-call any more. */
void	auth_end(struct sess *);

#endif
