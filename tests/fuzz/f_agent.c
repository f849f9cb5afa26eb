/*
 * f_agent.c - any bytes as what an agent sends: as a list of keys, and through
 * a socket as the answer to a request for a signature.
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <poll.h>

#include "policy/agent_int.h"
#include "fuzz.h"

static void
as_list(const uint8_t *data, size_t size)
{
	struct agent_io io = { .fd = -1, .in_len = size };
	struct fanout_error e = { 0 };
	struct agent_id *ids = NULL;
	size_t n = 0, i;

	must((io.in = malloc(size + 1)) != NULL);
	memcpy(io.in, data, size);
	if (agent_read_ids(&io, &ids, &n, "sock", &e) != 0)
		must(ids == NULL && n == 0 && e.text[0] != '\0');
	for (i = 0; i < n; i++)
		must(ids[i].blob_len > 4 && ids[i].type[0] != '\0' &&
		    strpbrk(ids[i].comment, "\n\033") == NULL);
	agent_ids_free(ids, n);
	free(io.in);
}

static int
listener(struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sun->sun_family = AF_UNIX;
	(void)snprintf(sun->sun_path, sizeof(sun->sun_path),
	    "/tmp/f_agent.%ld", (long)getpid());
	(void)unlink(sun->sun_path);
	must(fd != -1 && bind(fd, (struct sockaddr *)sun, sizeof(*sun)) == 0 &&
	    listen(fd, 5) == 0);
	return fd;
}

static void
check_call(struct agent_call *c)
{
	const unsigned char *sig;
	const char *algorithm;
	size_t len;
	int rc = 0, steps;

	for (steps = 0; rc == 0 && steps < 100; steps++)
		rc = agent_call_step(c);
	must(rc != 0);		/* all bytes are there, and the end too */
	must(agent_call_step(c) == rc);
	if (rc == -1) {
		must(agent_call_text(c)[0] != '\0');
		return;
	}
	sig = agent_call_signature(c, &len, &algorithm);
	must(sig != NULL && len > 0 && strlen(algorithm) <= 64);
	must(sig[0] + sig[len - 1] >= 0);	/* within the answer */
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sockaddr_un sun;
	static int lfd = -1;
	struct agent_call *c;
	int fd;

	as_list(data, size);
	if (size > 65536)
		return 0;
	if (lfd == -1)
		lfd = listener(&sun);
	must(agent_sign_start(&c, sun.sun_path, "b", 1, "d", 1, 0, NULL) == 0);
	must(agent_call_step(c) == 0);
	must((fd = accept(lfd, NULL, NULL)) != -1);
	must(send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT) ==
	    (ssize_t)size);
	must(shutdown(fd, SHUT_WR) == 0);
	check_call(c);
	agent_call_free(c);
	close(fd);
	return 0;
}
