/*
 * fellow.c - hosts that have the same file system: states MAKE_TEMPS, TAKEN.
 *
 * Temporary folders have the name of the run. A host that finds one there has
 * a fellow, which is at work in that directory: it waits until a host that has
 * such folders is done with them, and then looks again at all there is; most
 * often that is as it should be by now. No host waits while it has a folder
 * itself. Nobody having one, what is there still was left by a host that was
 * lost, and the one that waited takes a name of its own; so it does when those
 * at work have not been heard of for long.
 */
#include <stdlib.h>

#include "cli/roster.h"
#include "copy.h"

#define PATIENCE_MS 120000
#define VANISHED_MAX 3

bool
fellow_has_temp(const struct host *h, uint32_t dir)
{
	return ((dir == NO_PARENT ? h->base_flags : h->todo[dir]) & E_TEMP) !=
	    0;
}

static void
set_temp(struct host *h, uint32_t dir, bool is)
{
	if (dir == NO_PARENT)
		h->base_flags = is ? h->base_flags | E_TEMP :
		    h->base_flags & ~E_TEMP;
	else
		h->todo[dir] = (unsigned char)(is ? h->todo[dir] | E_TEMP :
		    h->todo[dir] & ~E_TEMP);
}

void
fellow_set_temp(struct host *h, uint32_t dir)
{
	set_temp(h, dir, true);
}

/* ---- who has folders, who waits ---- */

static void
wake(struct copy *c)
{
	size_t i;

	for (i = 0; c->waiting > 0 && i < fanout_hosts_count(c->hosts); i++)
		if (c->at[i].waits) {
			c->at[i].waits = false;
			c->waiting--;
			host_pump(&c->at[i]);
		}
}

static void
hold(struct host *h)
{
	if (h->holds)
		return;
	h->holds = true;
	h->copy->holders++;
	h->copy->moved = cli_now();
}

static void
release(struct host *h)
{
	bool had = h->has_temps;

	h->has_temps = false;
	if (!h->holds)
		return;
	h->holds = false;
	h->copy->holders--;
	/* Many that only asked in vain need not wake all others each. */
	if (had || h->copy->holders == 0)
		wake(h->copy);
}

void
fellow_release(struct host *h)
{
	uint32_t i;

	h->base_flags &= ~E_TEMP;
	for (i = 0; h->todo != NULL && i < h->load->source.count; i++)
		if (h->todo[i] & E_TEMP)
			h->todo[i] = (unsigned char)((h->todo[i] & ~E_TEMP) |
			    E_HAD);
	release(h);
}

void
fellow_over(struct host *h)
{
	if (h->waits) {
		h->waits = false;
		h->copy->waiting--;
	}
	release(h);
}

/* While much goes to a host by a command, nothing is heard of it. */
static bool
is_busy(const struct host *h)
{
	return h->holds && (h->phase == PHASE_LARGE ||
	    h->phase == PHASE_ARCHIVE);
}

void
fellow_attend(struct copy *c)
{
	size_t i;

	if (cli_now() - c->moved < PATIENCE_MS)
		return;
	for (i = 0; i < fanout_hosts_count(c->hosts); i++)
		if (is_busy(&c->at[i]))
			return;
	for (i = 0; i < fanout_hosts_count(c->hosts); i++)
		if (c->at[i].waits)
			c->at[i].own_temps = true;
	wake(c);
}

/* ---- MAKE_TEMPS ---- */

static void
fail_temp(struct host *h, const char *path, const struct sftp_answer *a)
{
	if (a->kind == SFTP_STATUS && a->code == SFTP_NO_SUCH_FILE)
		host_fail(h, FANOUT_C_REMOTE, "%s: no such directory, or none "
		    "in which files can be made (--mkdir makes one)", path);
	else
		host_refused(h, "making a temporary folder in", path, a);
}

/* What SFTP 3 says of what is there already, it says of much else, too. */
static bool
may_be_taken(const struct host *h, const struct sftp_answer *a)
{
	return a->kind == SFTP_STATUS && a->code != SFTP_NO_SUCH_FILE &&
	    a->code != SFTP_PERMISSION_DENIED &&
	    h->vanished < VANISHED_MAX && !h->own_temps &&
	    fanout_hosts_count(h->copy->hosts) > 1;
}

static void
on_temp(void *ctx, uint32_t dir, const struct sftp_answer *a)
{
	struct host *h = ctx;
	char *path;

	if (a->kind == SFTP_STATUS && a->code == SFTP_OK) {
		h->has_temps = true;
		return;
	}
	set_temp(h, dir, false);
	if (may_be_taken(h, a)) {
		h->taken = true;
		h->taken_dir = dir;
		return;
	}
	path = place_dir(h, dir);
	fail_temp(h, path != NULL ? path : "?", a);
	free(path);
}

/* The directory that needs a folder for the entry under the cursor. */
static bool
needs_temp(const struct host *h, uint32_t *dir)
{
	const struct entry *en = &h->load->source.entries[h->cursor];

	*dir = en->parent;
	return en->kind != ENTRY_DIR && (h->todo[h->cursor] & E_SEND) &&
	    !fellow_has_temp(h, *dir);
}

/* The first one alone: whoever has that has most often all. */
enum go
at_make_temps(struct host *h)
{
	const struct source *src = &h->load->source;
	uint32_t dir;
	char *path;

	for (; h->cursor < src->count && host_may_ask(h) && !h->taken &&
	    (h->has_temps || host_settled(h)); h->cursor++) {
		if (!needs_temp(h, &dir))
			continue;
		if ((path = place_temp_dir(h, dir)) == NULL) {
			host_nomem(h);
			return GO_ON;
		}
		hold(h);
		set_temp(h, dir, true);
		sftp_mkdir(h->sftp, path, 0700, on_temp, dir);
		free(path);
	}
	if ((h->cursor < src->count && !h->taken) || !host_settled(h))
		return GO_WAIT;
	return host_goto(h, h->taken ? AT_TAKEN : AT_SEND);
}

/* ---- TAKEN ---- */

static enum go
look_again(struct host *h)
{
	const struct source *src = &h->load->source;
	uint32_t i;

	h->wanted = host_to_send(h);
	for (i = 0; i < src->count; i++)
		h->todo[i] = src->entries[i].kind == ENTRY_DIR ?
		    h->todo[i] & E_MADE : 0;
	h->base_flags = 0;
	free(h->kept);
	h->kept = NULL;
	h->taken = false;
	/* In whatever session it is: all that follows a look follows. */
	h->phase = PHASE_LOOK;
	return host_goto(h, AT_LOOK);
}

static void
wait_for_fellow(struct host *h)
{
	h->pass = 2;
	if (h->copy->holders == 0 || h->own_temps) {
		h->own_temps = true;
		(void)look_again(h);
		return;
	}
	h->waits = true;
	h->copy->waiting++;
}

static void
on_taken(void *ctx, uint32_t tag, const struct sftp_answer *a)
{
	struct host *h = ctx;

	(void)tag;
	if (h->failed)
		return;
	if (a->kind == SFTP_ATTRS)
		wait_for_fellow(h);
	else {
		h->vanished += h->pass == 1;
		(void)look_again(h);
	}
}

enum go
at_taken(struct host *h)
{
	char *path;

	if (h->pass == 0) {
		if (!temps_removed(h))
			return GO_WAIT;
		fellow_release(h);
		h->pass = 1;
	}
	if (h->waits || !host_settled(h))
		return GO_WAIT;
	if ((path = place_temp_dir(h, h->taken_dir)) == NULL) {
		host_nomem(h);
		return GO_ON;
	}
	sftp_stat(h->sftp, path, false, on_taken, 0);
	free(path);
	return GO_WAIT;
}
