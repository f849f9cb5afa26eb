#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "process.h"

#define CHUNK (64 * 1024)
#define FILE_LOOK_MS 200	/* how far has the child read it? */
#define CHUNKS_A_STEP 8		/* then the others' turn */
#define LOG_LINE 1024		/* longer ones are cut */
#define LOOK_MS 20		/* at how a group ends */

void
process_init(struct process *p, struct fanout_io *io)
{
	static const struct child none = CHILD_INIT;

	memset(p, 0, sizeof(*p));
	p->io = io;
	p->child = none;
	p->log_fd[0] = p->log_fd[1] = p->file = -1;
}

char **
process_environment(char *var)
{
	char **env;
	size_t i, n = 0;

	while (environ[n] != NULL)
		n++;
	if ((env = calloc(n + 2, sizeof(*env))) == NULL)
		return NULL;
	env[0] = var;
	for (i = 0; i < n; i++)
		env[i + 1] = environ[i];
	return env;
}

int
process_log(struct process *p, char path[static PROCESS_LOG_PATH],
    void (*on_log)(void *, const char *), void *arg)
{
	int rc;

	if ((p->log = malloc(LOG_LINE)) == NULL)
		return ENOMEM;
	if ((rc = child_pipe(p->log_fd, 0)) != 0)
		return rc;
	p->on_log = on_log;
	p->arg = arg;
	(void)snprintf(path, PROCESS_LOG_PATH, "/proc/%ld/fd/%d",
	    (long)getpid(), p->log_fd[1]);
	return 0;
}

/* The file once more, with an offset of its own. -1: by the pipe, then. */
static int
reopen(int fd)
{
	char path[32];
	off_t at = lseek(fd, 0, SEEK_CUR);
	int again, flags = fcntl(fd, F_GETFL);

	if (flags == -1 || (flags & O_ACCMODE) == O_WRONLY)
		return -1;	/* which the pipe then says */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (at == -1 || (again = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return -1;
	if (lseek(again, at, SEEK_SET) == at)
		return again;
	close(again);
	return -1;
}

int
process_start(struct process *p, char *const argv[], char *const envp[],
    const struct fanout_task *task)
{
	int input = task->has_input ? CHILD_PIPE : CHILD_NO_INPUT;
	int rc = ENOMEM;

	if (task->has_input && task->input_fd != -1 &&
	    (p->file = reopen(task->input_fd)) != -1) {
		p->file_off = lseek(p->file, 0, SEEK_CUR);
		input = p->file;
		fanout_io_timer(p->io, FILE_LOOK_MS);
	}
	if (input != CHILD_PIPE || (p->input = malloc(CHUNK)) != NULL)
		rc = child_start(&p->child, argv, envp, input);
	if (rc != 0) {
		process_end(p);
		return rc;
	}
	fanout_io_watch(p->io, WATCH_OUT, p->child.out, POLLIN);
	fanout_io_watch(p->io, WATCH_ERR, p->child.err, POLLIN);
	fanout_io_watch(p->io, WATCH_LOG, p->log_fd[0], POLLIN);
	fanout_io_watch(p->io, WATCH_END, p->child.pidfd, POLLIN);
	return 0;
}

static void
drop(struct process *p, unsigned slot, int *fd)
{
	fanout_io_watch(p->io, slot, -1, 0);
	child_close(fd);
}

/* Half of the input or of the output would look like all of it. */
static void
fail(struct process *p, int error, const char *what)
{
	fanout_io_fail(p->io, FANOUT_C_LOCAL, error, 0, "%s: %s", what,
	    strerror(error));
	child_signal(&p->child, SIGKILL);
}

/* Bytes moved; 0: nothing to do now. */
static size_t
pump_in(struct process *p)
{
	ssize_t n;

	if (p->child.in == -1)
		return 0;
	if (p->in_off == p->in_len) {
		n = fanout_io_input(p->io, p->input, CHUNK);
		if (n == -1) {
			fanout_io_watch(p->io, WATCH_IN, p->child.in, 0);
			return 0;
		}
		if (n == -2)
			fail(p, errno, "cannot read the input");
		if (n <= 0) {
			drop(p, WATCH_IN, &p->child.in);
			return 0;
		}
		p->in_off = 0;
		p->in_len = (size_t)n;
	}
	n = write(p->child.in, p->input + p->in_off, p->in_len - p->in_off);
	if (n > 0) {
		p->in_off += (size_t)n;
		return (size_t)n;
	}
	if (n == -1 && errno == EAGAIN)
		fanout_io_watch(p->io, WATCH_IN, p->child.in, POLLOUT);
	else
		drop(p, WATCH_IN, &p->child.in);	/* it reads no more */
	return 0;
}

static size_t
pump_out(struct process *p, unsigned slot, int *fd, enum fanout_kind kind)
{
	char buf[CHUNK];
	size_t room;
	ssize_t n;

	if (*fd == -1)
		return 0;
	room = fanout_io_room(p->io);
	fanout_io_watch(p->io, slot, *fd, room > 0 ? POLLIN : 0);
	if (room == 0)
		return 0;
	n = read(*fd, buf, room < sizeof(buf) ? room : sizeof(buf));
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0) {
		drop(p, slot, fd);
		return 0;
	}
	if (fanout_io_emit(p->io, kind, buf, (size_t)n) == -1) {
		fail(p, ENOMEM, "output");
		drop(p, slot, fd);
	}
	return (size_t)n;
}

static void
log_bytes(struct process *p, const char *buf, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (buf[i] != '\n') {
			if (p->log_len < LOG_LINE - 1)
				p->log[p->log_len++] = buf[i];
			continue;
		}
		while (p->log_len > 0 && p->log[p->log_len - 1] == '\r')
			p->log_len--;
		p->log[p->log_len] = '\0';
		p->log_len = 0;
		p->on_log(p->arg, p->log);
	}
}

/* Our writing end only keeps the pipe until the child has opened its own. */
static size_t
pump_log(struct process *p)
{
	char buf[4096];
	ssize_t n;

	if (p->log_fd[0] == -1)
		return 0;
	n = read(p->log_fd[0], buf, sizeof(buf));
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return 0;
	child_close(&p->log_fd[1]);
	if (n <= 0) {
		drop(p, WATCH_LOG, &p->log_fd[0]);
		return 0;
	}
	log_bytes(p, buf, (size_t)n);
	return (size_t)n;
}

/* The child reads its input itself: what it has read counts as sent. */
static void
watch_file(struct process *p)
{
	off_t at;

	if (p->file == -1 || (at = lseek(p->file, 0, SEEK_CUR)) == -1)
		return;
	if (at > p->file_off)
		fanout_io_moved(p->io, (uint64_t)(at - p->file_off));
	p->file_off = at;
	fanout_io_timer(p->io, FILE_LOOK_MS);
}

void
process_end(struct process *p)
{
	static const struct child none = CHILD_INIT;
	int status;
	unsigned i;

	for (i = WATCH_IN; i <= WATCH_LOG; i++)
		fanout_io_watch(p->io, i, -1, 0);
	child_free(&p->child);
	child_close(&p->log_fd[0]);
	child_close(&p->log_fd[1]);
	child_close(&p->file);
	status = p->child.status;
	p->child = none;
	p->child.status = status;
	free(p->input);
	free(p->log);
	p->input = p->log = NULL;
	p->in_off = p->in_len = p->log_len = 0;
	p->canceled = p->killed = false;
}

/* Its end may come without our hearing of it. */
static bool
is_gone(struct process *p)
{
	if (child_gone(&p->child))
		return true;
	if (!p->killed && fo_until(fo_now(), p->kill_at) == 0) {
		p->killed = true;
		child_signal(&p->child, SIGKILL);
	}
	fanout_io_timer(p->io, LOOK_MS);
	return false;
}

/* As with ssh: over when it ended and nobody holds its output any more. */
static bool
is_over(struct process *p)
{
	if (p->canceled)
		return is_gone(p);
	if (!child_ended(&p->child))
		return false;
	fanout_io_watch(p->io, WATCH_END, -1, 0);
	child_close(&p->log_fd[1]);	/* it may never have opened its own */
	return p->child.out == -1 && p->child.err == -1 &&
	    p->log_fd[0] == -1;
}

enum fanout_verdict
process_step(struct process *p)
{
	size_t moved = 1;
	int i;

	for (i = 0; i < CHUNKS_A_STEP && moved > 0; i++)
		moved = pump_log(p) + pump_in(p) +
		    pump_out(p, WATCH_OUT, &p->child.out, FANOUT_EV_OUT) +
		    pump_out(p, WATCH_ERR, &p->child.err, FANOUT_EV_ERR);
	if (!p->canceled)
		watch_file(p);
	if (is_over(p)) {
		process_end(p);
		return FANOUT_DONE;
	}
	return moved > 0 ? FANOUT_MORE : FANOUT_WAIT;
}

void
process_cancel(struct process *p, int grace)
{
	p->canceled = true;
	p->kill_at = fo_now() + grace;
	child_signal(&p->child, SIGTERM);
	fanout_io_watch(p->io, WATCH_END, -1, 0);
	fanout_io_timer(p->io, 0);
}
