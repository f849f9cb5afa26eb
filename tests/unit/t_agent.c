/* The agent client, against a real ssh-agent and against hostile ones. */
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "policy/agent.h"
#include "policy/keys.h"
#include "policy/keys_int.h"
#include "test.h"

#define TMPDIR_NAME "t_agent"
#include "tmpdir.h"

/* Step until it is over; how often it had to wait. -1: it never ended. */
static int
finish(struct agent_call *c, int *rc)
{
	struct pollfd p;
	int waits = 0;

	while ((*rc = agent_call_step(c)) == 0) {
		if (++waits > 500)
			return -1;
		p.fd = agent_call_fd(c);
		p.events = agent_call_events(c);
		(void)poll(&p, 1, p.fd == -1 ? AGENT_RETRY_MS : 1000);
	}
	return waits;
}

/* ---- a real one -------------------------------------------------------- */

static pid_t
start_agent(const char *sock)
{
	pid_t pid = fork();
	int i, fd;

	if (pid == -1)
		err(1, "fork");
	if (pid == 0) {
		if ((fd = open("/dev/null", O_WRONLY)) != -1)
			(void)dup2(fd, 1);
		execlp("ssh-agent", "ssh-agent", "-D", "-a", sock, (char *)NULL);
		_exit(127);
	}
	for (i = 0; i < 100 && access(sock, F_OK) == -1; i++)
		(void)poll(NULL, 0, 50);
	return pid;
}

static void
stop(pid_t pid)
{
	int status;

	(void)kill(pid, SIGTERM);
	(void)waitpid(pid, &status, 0);
}

static void
check_signature(const char *sock, const char *name, unsigned flags,
    const char *want)
{
	const unsigned char *sig;
	const char *algorithm;
	struct agent_call *c;
	struct fanout_error e;
	struct key *k;
	unsigned char *mine = NULL;
	size_t len, minelen;
	int rc;

	if (key_load(&k, in_dir(name), &e) != 0)
		errx(1, "%s", e.text);
	if (!ok(agent_sign_start(&c, sock, k->blob, k->blob_len, "data", 4,
	    flags, &e) == 0, "%s: begun %s", name, e.text))
		return;
	ok(finish(c, &rc) >= 0 && rc == 1, "%s: done %s", name,
	    agent_call_text(c));
	sig = agent_call_signature(c, &len, &algorithm);
	is_str(algorithm, want, "%s: algorithm", name);
	/* ed25519 and this form of RSA sign the same way every time. */
	if (strncmp(want, "ecdsa", 5) != 0)
		ok(key_sign(k, want, "data", 4, &mine, &minelen) == 0 &&
		    minelen == len && memcmp(mine, sig, len) == 0,
		    "%s: the same signature as by the file", name);
	else
		ok(len > 60 && len < 80, "%s: two numbers", name);
	is_int(agent_call_step(c), 1, "%s: stays done", name);
	free(mine);
	agent_call_free(c);
	key_free(k);
}

static void
test_list(const char *sock)
{
	struct fanout_error e;
	struct agent_id *ids;
	struct key *k;
	size_t n;

	is_int(agent_list(sock, 2000, &ids, &n, &e), 0, "an empty agent");
	is_int(n, 0, "no keys");
	ok(ids == NULL, "no list");
	if (shell("SSH_AUTH_SOCK=%s ssh-add -q %s %s %s 2>/dev/null", sock,
	    in_dir("ed"), in_dir("ec"), in_dir("rsa")) != 0)
		errx(1, "ssh-add");
	is_int(agent_list(sock, 2000, &ids, &n, &e), 0, "three keys");
	if (!is_int(n, 3, "three"))
		return;
	is_str(ids[0].type, "ssh-ed25519", "type");
	is_str(ids[2].type, "ssh-rsa", "type");
	ok(strchr(ids[0].comment, '\033') == NULL &&
	    strstr(ids[0].comment, "31mkey") != NULL,
	    "a comment is safe to print: %s", ids[0].comment);
	if (key_load(&k, in_dir("ed"), &e) != 0)
		errx(1, "%s", e.text);
	ok(k->blob_len == ids[0].blob_len &&
	    memcmp(k->blob, ids[0].blob, k->blob_len) == 0, "the same key");
	key_free(k);
	agent_ids_free(ids, n);
}

static void
test_refusal(const char *sock)
{
	struct agent_call *c;
	struct fanout_error e;
	struct key *k;
	int rc;

	if (key_load(&k, in_dir("other"), &e) != 0)
		errx(1, "%s", e.text);
	is_int(agent_sign_start(&c, sock, k->blob, k->blob_len, "x", 1, 0, &e),
	    0, "a key it does not hold");
	(void)finish(c, &rc);
	is_int(rc, -1, "is refused");
	ok(strstr(agent_call_text(c), "refused to sign") != NULL, "%s",
	    agent_call_text(c));
	is_int(agent_call_step(c), -1, "and stays so");
	agent_call_free(c);
	key_free(k);
}

/* Many hosts at once, in one thread. */
static void
test_many(const char *sock)
{
	enum { N = 200 };
	struct agent_call *c[N];
	struct pollfd p[N];
	struct fanout_error e;
	struct key *k;
	struct timespec a, b;
	int i, rc, left = N, good = 0, rounds = 0;

	if (key_load(&k, in_dir("ed"), &e) != 0)
		errx(1, "%s", e.text);
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < N; i++)
		if (agent_sign_start(&c[i], sock, k->blob, k->blob_len,
		    "data", 4, 0, &e) != 0)
			errx(1, "%d: %s", i, e.text);
	while (left > 0 && rounds++ < 5000) {
		for (i = 0; i < N; i++) {
			p[i].fd = -1;
			if (c[i] == NULL)
				continue;
			if ((rc = agent_call_step(c[i])) == 0) {
				p[i].fd = agent_call_fd(c[i]);
				p[i].events = agent_call_events(c[i]);
				continue;
			}
			good += rc == 1;
			left--;
			agent_call_free(c[i]);
			c[i] = NULL;
		}
		(void)poll(p, N, AGENT_RETRY_MS);
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	is_int(good, N, "%d signatures at once", N);
	printf("# %d through the agent: %.1f ms\n", N,
	    (double)(b.tv_sec - a.tv_sec) * 1e3 +
	    (double)(b.tv_nsec - a.tv_nsec) / 1e6);
	key_free(k);
}

/* ---- false ones -------------------------------------------------------- */

static int
listen_at(const char *sock, int backlog)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)strlcpy(sun.sun_path, sock, sizeof(sun.sun_path));
	(void)unlink(sock);
	if (fd == -1 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    listen(fd, backlog) == -1)
		err(1, "%s", sock);
	return fd;
}

/* A process that answers whatever it is asked with these bytes, one by one,
 * and then closes, or (hold) keeps the connection open. */
static pid_t
answer_with(int lfd, const void *bytes, size_t len, bool hold)
{
	const char *p = bytes;
	char buf[4096];
	pid_t pid = fork();
	int fd;

	if (pid != 0)
		return pid;
	for (;;) {
		if ((fd = accept(lfd, NULL, NULL)) == -1)
			_exit(1);
		if (len > 0 && read(fd, buf, sizeof(buf)) <= 0)
			_exit(1);
		for (size_t i = 0; i < len; i++)
			if (send(fd, p + i, 1, MSG_NOSIGNAL) != 1)
				break;
		if (!hold)
			close(fd);
	}
}

static void
test_hostile(void)
{
#define BYTES(s) s, sizeof(s) - 1
	static const struct {
		const char *what, *bytes;
		size_t	 len;
	} t[] = {
		{ "nothing", BYTES("") },
		{ "half a length", BYTES("\0\0") },
		{ "no length", BYTES("\0\0\0\0") },
		{ "a huge length", BYTES("\377\377\377\377\14") },
		{ "just over the limit", BYTES("\0\4\0\1\14") },
		{ "less than promised", BYTES("\0\0\0\11\14\0\0") },
		{ "a failure", BYTES("\0\0\0\1\5") },
		{ "another type", BYTES("\0\0\0\1\377") },
		{ "a list without a count", BYTES("\0\0\0\1\14") },
		{ "four billion keys", BYTES("\0\0\0\5\14\377\377\377\377") },
		{ "a key beyond the end",
		    BYTES("\0\0\0\11\14\0\0\0\1\0\0\1\0") },
		{ "a key without a type",
		    BYTES("\0\0\0\21\14\0\0\0\1\0\0\0\4\0\0\0\0\0\0\0\0") },
		{ "an empty signature", BYTES("\0\0\0\5\16\0\0\0\0") },
		{ "a signature beyond the end",
		    BYTES("\0\0\0\15\16\0\0\0\10\0\0\0\1a\377\377\377") },
		{ "an endless signature",
		    BYTES("\0\0\0\16\16\0\0\0\11\0\0\0\1a\377\377\377\377") },
		{ "bytes behind it", BYTES("\0\0\0\20\16\0\0\0\13\0\0\0\1a\0\0"
		    "\0\1bc") },
	};
	struct agent_call *c;
	struct agent_id *ids;
	struct fanout_error e;
	const char *sock = in_dir("false");
	size_t i, n;
	pid_t pid;
	int fd, rc;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		fd = listen_at(sock, 5);
		pid = answer_with(fd, t[i].bytes, t[i].len, false);
		close(fd);
		ok(agent_list(sock, 2000, &ids, &n, &e) != 0 && ids == NULL,
		    "%s: %s", t[i].what, e.text);
		is_int(agent_sign_start(&c, sock, "blob", 4, "data", 4, 0, &e),
		    0, "%s: begun", t[i].what);
		(void)finish(c, &rc);
		ok(rc == -1, "%s: %s", t[i].what, agent_call_text(c));
		agent_call_free(c);
		stop(pid);
	}
}

static void
test_slow(void)
{
	static const char reply[] = "\0\0\0\26\16\0\0\0\21\0\0\0\4algo\0\0\0\5"
	    "hello";
	const char *sock = in_dir("slow"), *algorithm;
	const unsigned char *sig;
	struct agent_call *c;
	struct agent_id *ids;
	struct fanout_error e;
	size_t n, len;
	int64_t start;
	int fd, rc;
	pid_t pid;

	fd = listen_at(sock, 5);
	pid = answer_with(fd, reply, sizeof(reply) - 1, true);
	close(fd);
	(void)agent_sign_start(&c, sock, "blob", 4, "data", 4, 0, &e);
	ok(c != NULL && finish(c, &rc) >= 0 && rc == 1, "byte by byte: %s",
	    agent_call_text(c));
	sig = agent_call_signature(c, &len, &algorithm);
	ok(len == 5 && memcmp(sig, "hello", 5) == 0, "the signature");
	is_str(algorithm, "algo", "the algorithm");
	agent_call_free(c);
	stop(pid);

	fd = listen_at(sock, 5);
	pid = answer_with(fd, "", 0, true);
	close(fd);
	start = fo_now();
	ok(agent_list(sock, 300, &ids, &n, &e) != 0, "an agent that is mute: "
	    "%s", e.text);
	is_int(e.sys_errno, ETIMEDOUT, "timed out");
	ok(fo_now() - start < 3000, "in time");
	(void)agent_sign_start(&c, sock, "blob", 4, "data", 4, 0, &e);
	is_int(agent_call_step(c), 0, "to sign it is waited for");
	agent_call_free(c);
	stop(pid);
}

/* The queue of connections is full: connect(2) says EAGAIN. */
static void
test_busy(void)
{
	static const char reply[] = "\0\0\0\26\16\0\0\0\21\0\0\0\4algo\0\0\0\5"
	    "hello";
	const char *sock = in_dir("busy");
	struct agent_call *c[8] = { NULL };
	struct agent_id *ids;
	struct fanout_error e;
	int fd = listen_at(sock, 0), i, rc, waiting = 0, good = 0;
	size_t n;
	pid_t pid;

	for (i = 0; i < 8; i++) {
		is_int(agent_sign_start(&c[i], sock, "blob", 4, "data", 4, 0,
		    &e), 0, "a busy agent is no error %s", i == 0 ? "" : e.text);
		waiting += c[i] != NULL && agent_call_fd(c[i]) == -1;
	}
	ok(waiting > 0, "%d of 8 could not connect yet", waiting);
	ok(agent_list(sock, 200, &ids, &n, &e) != 0, "listing: %s", e.text);
	pid = answer_with(fd, reply, sizeof(reply) - 1, false);
	close(fd);
	for (i = 0; i < 8; i++) {
		ok(finish(c[i], &rc) >= 0, "call %d ends", i);
		good += rc == 1;
		agent_call_free(c[i]);
	}
	is_int(good, 8, "all were served in the end");
	stop(pid);
}

static void
test_none(void)
{
	char name[300];
	struct agent_call *c;
	struct agent_id *ids;
	struct fanout_error e;
	size_t n;

	ok(agent_list(in_dir("nothing"), 500, &ids, &n, &e) != 0 &&
	    e.sys_errno == ENOENT, "no agent: %s", e.text);
	ok(agent_sign_start(&c, in_dir("nothing"), "b", 1, "d", 1, 0, &e) != 0
	    && c == NULL, "no agent: %s", e.text);
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	ok(agent_list(name, 500, &ids, &n, &e) != 0 &&
	    e.sys_errno == ENAMETOOLONG, "too long a path");
	agent_call_free(NULL);
}

int
main(void)
{
	const char *sock;
	pid_t pid;

	if (mkdtemp(dir) == NULL)
		err(1, "%s", dir);
	test_none();
	test_hostile();
	test_slow();
	test_busy();
	if (system("command -v ssh-agent ssh-add ssh-keygen >/dev/null") == 0) {
		if (shell("cd %s && ssh-keygen -q -t ed25519 -N '' -f ed "
		    "-C \"$(printf 'my \\033[31mkey')\" && "
		    "ssh-keygen -q -t ecdsa -N '' -f ec && "
		    "ssh-keygen -q -t rsa -b 2048 -N '' -f rsa && "
		    "ssh-keygen -q -t ed25519 -N '' -f other", dir) != 0)
			errx(1, "ssh-keygen");
		sock = strdup(in_dir("agent"));
		pid = start_agent(sock);
		test_list(sock);
		check_signature(sock, "ed", 0, "ssh-ed25519");
		check_signature(sock, "ec", 0, "ecdsa-sha2-nistp256");
		check_signature(sock, "rsa", AGENT_RSA_SHA2_256,
		    "rsa-sha2-256");
		check_signature(sock, "rsa", AGENT_RSA_SHA2_512,
		    "rsa-sha2-512");
		test_refusal(sock);
		test_many(sock);
		stop(pid);
		free((char *)(uintptr_t)sock);
	} else
		skip(1, "ssh-agent is not installed");
	ok(shell("rm -rf %s", dir) == 0, "cleaned up");
	return test_end();
}
