#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "asks.h"
#include "base/clock.h"
#include "base/visible.h"
#include "thread.h"

#define VIS_MAX 4	/* what a byte can grow to */
#define TRIES 3		/* for a wrong answer, as ssh */

int
asks_init(struct asks *a, unsigned can, int ms, struct queue *queue,
    void (*news)(void *, int), void *arg)
{
	int rc;

	memset(a, 0, sizeof(*a));
	TAILQ_INIT(&a->list);
	a->can = can;
	a->ms = ms;
	a->queue = queue;
	a->news = news;
	a->arg = arg;
	if ((rc = pthread_mutex_init(&a->mu, NULL)) != 0) {
		errno = rc;
		return -1;
	}
	pthread_cond_init(&a->work, NULL);
	return 0;
}

static void
ask_free(struct asks *a, struct ask *q)
{
	if (q == NULL)
		return;
	TAILQ_REMOVE(&a->list, q, link);
	fo_secret_clear(&q->answer);
	free(q->key);
	free(q->text);
	free(q);
}

void
asks_stop(struct asks *a)
{
	pthread_mutex_lock(&a->mu);
	a->stop = true;
	pthread_cond_signal(&a->work);
	pthread_mutex_unlock(&a->mu);
	if (a->running)
		pthread_join(a->checker, NULL);
	a->running = false;
}

void
asks_destroy(struct asks *a)
{
	struct ask *q;

	while ((q = TAILQ_FIRST(&a->list)) != NULL)
		ask_free(a, q);
	pthread_cond_destroy(&a->work);
	pthread_mutex_destroy(&a->mu);
}

/* ---- the event --------------------------------------------------------- */

#define TEXTS 6

static const char **
text_of(struct fanout_ask *ask, size_t i)
{
	const char **all[TEXTS] = {
		&ask->prompt, &ask->instruction, &ask->user, &ask->path,
		&ask->key_type, &ask->fingerprint
	};

	return all[i];
}

static size_t
room_for(const char *s)
{
	return s == NULL ? 1 : strlen(s) * VIS_MAX + 1;
}

/* The question with all its texts in one piece, which the event carries. */
static struct event *
ask_event(const struct fanout_ask *from)
{
	struct fanout_ask ask = *from, *to;
	size_t i, len = sizeof(ask);
	struct event *e;
	const char *s;
	char *p;

	for (i = 0; i < TEXTS; i++)
		len += room_for(*text_of(&ask, i));
	if ((p = calloc(1, len)) == NULL)
		return NULL;
	e = event_new(FANOUT_EV_ASK, p, len);
	free(p);
	if (e == NULL)
		return NULL;
	to = (struct fanout_ask *)(e + 1);
	*to = ask;
	p = (char *)(to + 1);
	for (i = 0; i < TEXTS; i++) {
		s = *text_of(&ask, i);
		if (s == NULL)
			s = "";
		*text_of(to, i) = p;
		p += fo_vis_line(p, room_for(s), s, strlen(s)) + 1;
	}
	e->ev.ask = to;
	e->ev.data = "";
	e->ev.len = 0;
	e->ev.name = "";
	return e;
}

static struct ask *
ask_new(struct asks *a, const struct fanout_ask *ask, struct event **event)
{
	struct ask *q;

	if (!(a->can & FANOUT_CAN_ANSWER(ask->kind)) ||
	    (q = calloc(1, sizeof(*q))) == NULL)
		return NULL;
	if ((*event = ask_event(ask)) == NULL) {
		free(q);
		return NULL;
	}
	q->state = ASK_OPEN;
	q->due = fo_deadline(fo_now(), a->ms);
	return q;
}

/* Under mu: out it goes, with a number of its own. */
static void
tell(struct asks *a, struct ask *q, struct event *e)
{
	struct fanout_ask *ask = (struct fanout_ask *)(e + 1);

	q->id = ask->id = ++a->last;
	queue_put(a->queue, e);
}

struct ask *
asks_put(struct asks *a, const struct fanout_ask *ask,
    const struct fanout_event *of, int worker)
{
	struct event *e;
	struct ask *q;

	if ((q = ask_new(a, ask, &e)) == NULL)
		return NULL;
	q->worker = worker;
	e->ev.job = of->job;
	e->ev.host = of->host;
	e->ev.name = of->name;
	pthread_mutex_lock(&a->mu);
	TAILQ_INSERT_TAIL(&a->list, q, link);
	tell(a, q, e);
	pthread_mutex_unlock(&a->mu);
	return q;
}

/* ---- with a key -------------------------------------------------------- */

static struct ask *
find_key(struct asks *a, const char *key)
{
	struct ask *q;

	TAILQ_FOREACH(q, &a->list, link)
		if (q->key != NULL && strcmp(q->key, key) == 0)
			return q;
	return NULL;
}

/* Under mu. Nobody waits in vain where it cannot be put once more. */
static void
put_again(struct asks *a, struct ask *q, unsigned attempt)
{
	struct fanout_ask *ask = (struct fanout_ask *)(q->text + 1);
	struct event *e;

	ask->attempt = attempt;
	if ((e = ask_event(ask)) == NULL) {
		q->state = ASK_REFUSED;
		q->why = "out of memory";
		return;
	}
	q->state = ASK_OPEN;
	q->due = fo_deadline(fo_now(), a->ms);
	tell(a, q, e);
}

struct ask *
asks_join(struct asks *a, const struct fanout_ask *ask, const char *key,
    fanout_check_fn check, void *arg)
{
	struct event *e;
	struct ask *q;

	pthread_mutex_lock(&a->mu);
	if ((q = find_key(a, key)) == NULL &&
	    (q = ask_new(a, ask, &e)) != NULL) {
		q->worker = -1;
		q->check = check;
		q->arg = arg;
		q->text = e;
		TAILQ_INSERT_TAIL(&a->list, q, link);
		if ((q->key = strdup(key)) == NULL) {
			ask_free(a, q);
			q = NULL;
		} else
			put_again(a, q, ask->attempt);
	}
	pthread_mutex_unlock(&a->mu);
	return q;
}

static struct ask *
next_check(struct asks *a)
{
	struct ask *q;

	TAILQ_FOREACH(q, &a->list, link)
		if (q->state == ASK_CHECKING)
			return q;
	return NULL;
}

/* Under mu. */
static void
checked(struct asks *a, struct ask *q, int rc)
{
	unsigned attempt = q->text->ev.ask->attempt;

	fo_secret_clear(&q->answer);
	if (rc == 0) {
		q->state = ASK_GOOD;
	} else if (rc == 1 && attempt < TRIES) {
		put_again(a, q, attempt + 1);
	} else {
		q->state = ASK_REFUSED;
		q->why = rc == 1 ? "wrong three times" : "it cannot be used";
	}
}

static void *
checker_main(void *arg)
{
	struct asks *a = arg;
	struct ask *q;
	int rc;

	pthread_mutex_lock(&a->mu);
	while (!a->stop) {
		if ((q = next_check(a)) == NULL) {
			pthread_cond_wait(&a->work, &a->mu);
			continue;
		}
		/* It is not freed meanwhile: one with a key never is. */
		pthread_mutex_unlock(&a->mu);
		rc = q->check(q->arg, q->answer.text);
		pthread_mutex_lock(&a->mu);
		checked(a, q, rc);
		a->news(a->arg, -1);
	}
	pthread_mutex_unlock(&a->mu);
	return NULL;
}

/* ---- for who waits ----------------------------------------------------- */

enum ask_state
asks_look(struct asks *a, const struct ask *q, const char **text,
    int64_t *due)
{
	enum ask_state state;

	pthread_mutex_lock(&a->mu);
	state = q->state;
	*text = state == ASK_REFUSED ? q->why : q->answer.text;
	*due = state == ASK_OPEN ? q->due : FO_NEVER;
	pthread_mutex_unlock(&a->mu);
	return state;
}

void
asks_expire(struct asks *a, struct ask *q, int64_t now)
{
	pthread_mutex_lock(&a->mu);
	if (q->state == ASK_OPEN && q->due <= now) {
		q->state = ASK_REFUSED;
		q->why = "nobody answered in time";
		if (q->key != NULL)
			a->news(a->arg, -1);
	}
	pthread_mutex_unlock(&a->mu);
}

void
asks_leave(struct asks *a, struct ask *q)
{
	pthread_mutex_lock(&a->mu);
	if (q->key == NULL)
		ask_free(a, q);
	pthread_mutex_unlock(&a->mu);
}

/* ---- the caller's thread ----------------------------------------------- */

/* Under mu. */
static int
to_check(struct asks *a, struct ask *q)
{
	if (!a->running) {
		if (thread_start(&a->checker, checker_main, a) != 0)
			return FANOUT_ENOMEM;
		a->running = true;
	}
	q->state = ASK_CHECKING;
	pthread_cond_signal(&a->work);
	return 0;
}

/* Under mu. */
static int
take_answer(struct asks *a, struct ask *q, const char *text)
{
	if (text == NULL) {
		q->state = ASK_REFUSED;
		q->why = "not answered";
	} else if (fo_secret_set(&q->answer, text) == -1)
		return FANOUT_ENOMEM;
	else if (q->key != NULL)
		return to_check(a, q);
	else
		q->state = ASK_GOOD;
	return 0;
}

int
asks_answer(struct asks *a, uint64_t id, const char *text)
{
	int rc = FANOUT_EINVAL, worker = -1;
	struct ask *q;

	if (text != NULL && strlen(text) > FANOUT_ANSWER_MAX)
		return FANOUT_ELIMIT;
	pthread_mutex_lock(&a->mu);
	TAILQ_FOREACH(q, &a->list, link)
		if (q->id == id && q->state == ASK_OPEN) {
			rc = take_answer(a, q, text);
			worker = q->worker;
			break;
		}
	pthread_mutex_unlock(&a->mu);
	if (rc == 0)
		a->news(a->arg, worker);
	return rc;
}
