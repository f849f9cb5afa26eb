/*
 * auth_secret.c - login by what a person knows: password, and
 * keyboard-interactive, where the server asks what it likes (RFC 4256).
 *
 * An answer is asked for when a host wants it, sent once, and forgotten; a
 * second try needs a second answer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fiber.h"
#include "sess.h"

int
auth_answer(struct sess *s, const char **text)
{
	int rc = fanout_io_answer(s->io, text);

	s->auth.waiting = rc == 0;
	if (rc == 1 && s->state == SESS_AUTH)
		s->wipe = true;
	return rc;
}

void
auth_forget(struct sess *s)
{
	if (s->auth.asking)
		fanout_io_forget(s->io);
	s->auth.asking = s->auth.waiting = false;
}

/* No answer to this method's question: on to the next one. */
static enum sess_res
give_up(struct sess *s, const char *why)
{
	s->auth.why = why;
	s->auth.over |= AUTH_BIT(s->auth.method);
	s->auth.method = AUTH_NONE;
	auth_forget(s);
	return RES_NEXT;
}

static enum sess_res
wrong(struct sess *s, const char *what)
{
	struct auth *a = &s->auth;

	if (!a->partial) {
		fanout_io_log(s->io, 1, "%s refused", what);
		a->wrong++;
		if (++a->tries[a->method] >=
		    (unsigned)s->plan->conf.password_prompts)
			a->over |= AUTH_BIT(a->method);
	}
	return auth_refused(s);
}

/* ---- password ---------------------------------------------------------- */

/* It wants a new password: not here, and not for many hosts at once. */
static void
on_expired(LIBSSH2_SESSION *ssh, char **newpw, int *len, void **abstract)
{
	struct sess *s = *abstract;

	(void)ssh;
	*newpw = NULL;
	*len = 0;
	s->auth.expired = true;
}

static int
ask_password(struct sess *s)
{
	const struct hostconf *c = &s->plan->conf;
	char prompt[256];
	struct fanout_ask ask = {
		.kind = FANOUT_ASK_PASSWORD, .attempt = s->auth.wrong + 1,
		.prompt = prompt, .user = c->user
	};

	(void)snprintf(prompt, sizeof(prompt), "%s@%s's password: ", c->user,
	    c->host);
	if (fanout_io_ask(s->io, &ask) == -1)
		return -1;
	s->auth.asking = true;
	return 0;
}

enum sess_res
auth_password(struct sess *s)
{
	const char *user = s->plan->conf.user, *text;
	int rc;

	if (!s->auth.asking && ask_password(s) == -1)
		return give_up(s, "could not be asked for");
	if ((rc = auth_answer(s, &text)) == 0)
		return RES_WAIT;
	if (rc == -1)
		return give_up(s, text);
	rc = libssh2_userauth_password_ex(s->ssh, user, (unsigned)strlen(user),
	    text, (unsigned)strlen(text), on_expired);
	if (rc == LIBSSH2_ERROR_EAGAIN)
		return sess_again(s);
	auth_forget(s);
	if (rc == 0)
		return auth_accepted(s, "password");
	if (s->auth.expired)
		return sess_fail(s, FANOUT_C_AUTH, "the password of user %s "
		    "has expired, and must be changed there first (ssh %s@%s)",
		    user, user, s->plan->conf.host);
	if (rc == LIBSSH2_ERROR_AUTHENTICATION_FAILED && !s->hung_up)
		return wrong(s, "password");
	return auth_error(s, rc);
}

/* ---- keyboard-interactive ---------------------------------------------- */

/* Within the fiber: each prompt stops it until there is an answer. Without
 * one no response is sent, which libssh2 cannot be told: its memory ends. */
static void
on_prompts(const char *name, int name_len, const char *instruction,
    int instruction_len, int n, const LIBSSH2_USERAUTH_KBDINT_PROMPT *prompts,
    LIBSSH2_USERAUTH_KBDINT_RESPONSE *responses, void **abstract)
{
	struct sess *s = *abstract;
	struct auth *a = &s->auth;
	int i;

	(void)name;
	(void)name_len;
	a->instruction = instruction;
	a->instruction_len = instruction_len > 0 ? (size_t)instruction_len : 0;
	for (i = 0; i < n && !a->abandon; i++) {
		a->prompt = (const char *)prompts[i].text;
		a->prompt_len = prompts[i].length;
		a->echo = prompts[i].echo;
		a->asked = true;
		fiber_stop(a->fiber);
		if (a->abandon ||
		    (responses[i].text = strdup(a->answer)) == NULL)
			break;
		responses[i].length = (unsigned)strlen(a->answer);
	}
	if (i < n)
		s->starve = true;
	else if (n > 0)
		a->sent = true;
}

static void
run_prompts(void *arg)
{
	struct sess *s = arg;
	const char *user = s->plan->conf.user;

	while ((s->auth.rc = libssh2_userauth_keyboard_interactive_ex(s->ssh,
	    user, (unsigned)strlen(user), on_prompts)) ==
	    LIBSSH2_ERROR_EAGAIN)
		fiber_stop(s->auth.fiber);
}

static int
ask_prompt(struct sess *s)
{
	const struct auth *a = &s->auth;
	const struct hostconf *c = &s->plan->conf;
	char prompt[256], instruction[512];
	struct fanout_ask ask = {
		.kind = FANOUT_ASK_PROMPT, .attempt = a->wrong + 1,
		.prompt = prompt, .instruction = instruction, .user = c->user,
		.echo = a->echo
	};

	(void)snprintf(prompt, sizeof(prompt), "(%s@%s) %.*s", c->user,
	    c->host, (int)a->prompt_len, a->prompt);
	(void)snprintf(instruction, sizeof(instruction), "%.*s",
	    (int)a->instruction_len,
	    a->instruction != NULL ? a->instruction : "");
	if (fanout_io_ask(s->io, &ask) == -1)
		return -1;
	s->auth.asking = true;
	return 0;
}

/* The fiber, as far as it comes: 1 it is over, 0 it waits for the socket, -1
 * for an answer. */
static int
go_on(struct sess *s)
{
	struct auth *a = &s->auth;

	if (fiber_run(a->fiber)) {
		fiber_free(a->fiber);
		a->fiber = NULL;
		return 1;
	}
	return a->asked ? -1 : 0;
}

/* An answer for the fiber, which then has to be run. false: wait. */
static bool
answer_prompt(struct sess *s)
{
	struct auth *a = &s->auth;
	const char *text = "could not be asked for";
	int rc = -1;

	if (a->asking || ask_prompt(s) == 0)
		rc = auth_answer(s, &text);
	if (rc == 0)
		return false;
	a->abandon = rc == -1;
	if (a->abandon)
		a->why = text;
	else
		a->answer = text;
	a->asked = false;
	return true;
}

static enum sess_res
prompts_over(struct sess *s)
{
	struct auth *a = &s->auth;

	if (a->abandon) {
		fiber_free(a->fiber);
		a->fiber = NULL;
		return give_up(s, a->why);
	}
	if (a->rc == 0)
		return auth_accepted(s, "keyboard-interactive");
	if (a->rc != LIBSSH2_ERROR_AUTHENTICATION_FAILED || s->hung_up)
		return auth_error(s, a->rc);
	if (a->sent)
		return wrong(s, "keyboard-interactive");
	if (!a->partial)	/* it had no question at all */
		a->over |= AUTH_BIT(AUTH_PROMPTS);
	return auth_refused(s);
}

enum sess_res
auth_prompts(struct sess *s)
{
	struct auth *a = &s->auth;
	int rc;

	if (a->fiber == NULL) {
		a->sent = a->abandon = a->asked = false;
		if ((a->fiber = fiber_new(run_prompts, s)) == NULL)
			return sess_fail(s, FANOUT_C_LOCAL, "out of memory");
	}
	do {
		if (a->asked && !answer_prompt(s))
			return RES_WAIT;
		rc = go_on(s);
		auth_forget(s);
	} while (rc == -1);
	return rc == 0 && !a->abandon ? sess_again(s) : prompts_over(s);
}

void
auth_end(struct sess *s)
{
	struct auth *a = &s->auth;

	/* In the middle of its callback libssh2 has things to let go of. */
	if (a->fiber != NULL && a->asked) {
		a->abandon = true;
		a->asked = false;
		(void)go_on(s);
	}
	fiber_free(a->fiber);
	a->fiber = NULL;
	auth_forget(s);
}
