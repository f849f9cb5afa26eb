#include <err.h>

#include "view.h"

static int
add(struct cli_views *v, struct cli_view *view)
{
	if (view == NULL)
		return -1;
	v->view[v->count++] = view;
	return 0;
}

int
cli_views_open(struct cli_views *v, const struct cli_look *look,
    const struct cli_roster *r, struct cli_sink *out, struct cli_sink *err)
{
	*v = (struct cli_views){ .count = 0 };
	/* Its failures are no lack of memory; it has said them. */
	if ((look->outdir != NULL || look->errdir != NULL) &&
	    add(v, cli_outdir_view(look, r, err)) == -1)
		return -1;
	if (look->json ? add(v, cli_json_view(r->count, out, err)) == -1 :
	    ((cli_look_collects(look) &&
	    add(v, cli_gather_view(look, r, out, err)) == -1) ||
	    add(v, cli_text_view(look, r->count, out, err)) == -1)) {
		warnx("out of memory");
		return -1;
	}
	return 0;
}

void
cli_views_event(struct cli_views *v, const struct fanout_event *ev)
{
	size_t i;

	for (i = 0; i < v->count; i++)
		v->view[i]->event(v->view[i], ev);
}

void
cli_views_check(struct cli_views *v, const struct fanout_event *ev)
{
	size_t i;

	for (i = 0; i < v->count; i++)
		if (v->view[i]->check != NULL)
			v->view[i]->check(v->view[i], ev);
}

void
cli_views_tick(struct cli_views *v, const struct cli_roster *r, int64_t ms)
{
	size_t i;

	for (i = 0; i < v->count; i++)
		if (v->view[i]->tick != NULL)
			v->view[i]->tick(v->view[i], r, ms);
}

void
cli_views_end(struct cli_views *v, const struct cli_roster *r, int status)
{
	size_t i;

	for (i = 0; i < v->count; i++)
		if (v->view[i]->rest != NULL)
			v->view[i]->rest(v->view[i], r);
	for (i = 0; i < v->count; i++)
		if (v->view[i]->end != NULL)
			v->view[i]->end(v->view[i], r, status);
}

bool
cli_views_broken(const struct cli_views *v)
{
	size_t i;

	for (i = 0; i < v->count; i++)
		if (v->view[i]->broken)
			return true;
	return false;
}

void
cli_views_free(struct cli_views *v)
{
	while (v->count > 0) {
		v->count--;
		v->view[v->count]->free(v->view[v->count]);
	}
}
