#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "become.h"
#include "cli/expand.h"
#include "submit.h"

int
job_note(struct copy *c, fanout_job job, struct copy_job it)
{
	size_t at, size = c->jobs_size;
	struct copy_job *jobs;

	if (c->first_job == 0)
		c->first_job = job;
	at = (size_t)(job - c->first_job);
	if (at >= size) {
		while (at >= size)
			size = size == 0 ? 64 : size * 2;
		jobs = recallocarray(c->jobs, c->jobs_size, size,
		    sizeof(*jobs));
		if (jobs == NULL)
			return -1;
		c->jobs = jobs;
		c->jobs_size = size;
	}
	c->jobs[at] = it;
	return 0;
}

/* A job for one host, on the session that is open. */
static void
submit(struct host *h, const struct fanout_cmd *cmd)
{
	struct fanout_hosts *one = NULL;
	struct copy *c = h->copy;
	struct fanout_error e;
	char at[24];

	snprintf(at, sizeof(at), "%zu", h->index);
	h->job = 0;
	h->job_host = 0;
	if (fanout_hosts_slice(&one, c->hosts, at, &e) != 0 ||
	    fanout_submit(c->engine, one, cmd, &h->job, &e) != 0)
		host_fail(h, FANOUT_C_LOCAL, "%s", e.text);
	else if (job_note(c, h->job, (struct copy_job){ .host = h->index })
	    == -1) {
		host_nomem(h);
		fanout_cancel(c->engine, h->job);
	}
	fanout_hosts_free(one);
}

/* The command as the user who is to run it; takes it. */
static void
submit_as(struct host *h, struct fanout_cmd *cmd, char *command)
{
	become_begin(h);
	/* A password may come before the input. */
	cmd->own_input |= h->waits_become;
	if ((cmd->command = command) == NULL)
		host_nomem(h);
	else
		submit(h, cmd);
	free(command);
}

void
submit_sftp(struct host *h, enum phase phase, enum sftp_state begin)
{
	struct fanout_cmd cmd = FANOUT_CMD_INIT;

	h->phase = phase;
	h->begin = begin;
	h->state = AT_START;
	h->leaving = h->left = false;
	if ((h->sftp = sftp_new(h)) == NULL) {
		host_nomem(h);
		return;
	}
	cmd.subsystem = h->copy->become.user == NULL;
	cmd.own_input = true;
	cmd.keep = phase != PHASE_CLEAN &&
	    (phase != PHASE_FINISH || h->copy->opts.after != NULL);
	submit_as(h, &cmd, become_sftp(h->copy));
	if (h->job != 0)
		host_flush(h);
}

void
job_feed(struct host *h)
{
	struct copy *c = h->copy;
	ssize_t n;

	if (h->waits_become)
		return;
	while (h->input_off < h->input_len) {
		n = fanout_write(c->engine, h->job, 0, h->input + h->input_off,
		    h->input_len - h->input_off);
		if (n < 0)
			return;
		if (n == 0)
			return;
		h->input_off += (size_t)n;
	}
	if (!h->left) {
		h->left = true;
		(void)fanout_write_end(c->engine, h->job, 0);
	}
}

static void
begin_script(struct host *h, enum phase phase)
{
	h->phase = phase;
	h->left = false;
	h->answer_len = 0;
	*h->words = '\0';
	h->words_end = false;
}

void
submit_large(struct host *h)
{
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	char *script;

	begin_script(h, PHASE_LARGE);
	if (large_begin(h) == -1)
		return;
	if ((script = script_large(h)) == NULL) {
		host_nomem(h);
		large_close(h);
		return;
	}
	cmd.stdin_fd = source_fd(&h->load->source, h->large);
	cmd.keep = true;
	cmd.bulk = !h->no_bulk &&
	    h->load->source.entries[h->large].size >= LARGE_MIN;
	submit_as(h, &cmd, become_command(h->copy, script));
	free(script);
	if (h->job == 0)
		large_close(h);
	else {
		h->load->to_sum = h->large;
		copy_work_on(h->copy, h->load);
	}
}

void
submit_archive(struct host *h)
{
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	char *script;

	begin_script(h, PHASE_ARCHIVE);
	if ((script = script_archive(h)) == NULL) {
		host_nomem(h);
		return;
	}
	cmd.stdin_fd = h->load->archive.file.fd;
	cmd.keep = true;
	cmd.bulk = h->load->source.bytes >= LARGE_MIN && !h->no_bulk;
	submit_as(h, &cmd, become_command(h->copy, script));
	free(script);
}

void
submit_script(struct host *h, enum phase phase, char *script)
{
	struct fanout_cmd cmd = FANOUT_CMD_INIT;

	begin_script(h, phase);
	if (script == NULL) {
		host_nomem(h);
		return;
	}
	cmd.own_input = true;
	cmd.keep = phase != PHASE_COMMIT || h->copy->opts.preserve ||
	    h->copy->opts.after != NULL;
	submit_as(h, &cmd, become_command(h->copy, script));
	free(script);
	if (h->job != 0)
		job_feed(h);
}

void
submit_users(struct host *h, enum phase phase, const char *command)
{
	struct fanout_cmd cmd = FANOUT_CMD_INIT;
	struct cli_expand *x = h->copy->expand;
	struct fanout_error e;
	char *text = NULL;

	begin_script(h, phase);
	h->wants_before = false;
	h->ran_before = true;
	if (cli_expand_needed(x, command) &&
	    cli_expand(x, h->index, command, true, &text, &e) != 0) {
		host_fail(h, FANOUT_C_LOCAL, "%s", e.text);
		return;
	}
	cmd.keep = phase == PHASE_BEFORE;
	submit_as(h, &cmd, become_command(h->copy, text != NULL ? text :
	    command));
	free(text);
}
