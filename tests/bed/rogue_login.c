/*
 * rogue_login.c - a server that lets everybody in and then breaks the rules.
 *
 *	rogue_login HOSTKEY ADDRESS:PORT [VERSION]
 *
 * The name of the user says how (see the table of manners); the command does
 * not matter. VERSION is the software it says it is. Prints "ADDRESS:PORT" and a newline when ready, each connection
 * in a process of its own, and ends by itself after two minutes.
 *
 * libssh keeps to the protocol, so it is made to send what it would not: it
 * is asked for an IGNORE message of the right length, whose payload is put in
 * place of when the bytes pass EVP_DigestSignUpdate(3) to be authenticated,
 * just before they are enciphered. That needs a cipher and a MAC of their own,
 * which is what is offered.
 */
#if __has_include(<libssh/server.h>)
#include <sys/socket.h>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>

#define LIFE_S 120
#define FLOOD (100u * 1024 * 1024)

/* RFC 4250 4.1.2 */
enum { DISCONNECT = 1, IGNORE = 2, OPEN_CONFIRMATION = 91, OPEN_FAILURE = 92, WINDOW_ADJUST = 93, DATA = 94, CH_EOF = 96,
    CH_CLOSE = 97, REQUEST = 98 };

#define CHANNELS_MAX 64

struct guest {
	ssh_session	 ssh;
	ssh_channel	 channel;	/* that runs its command */
	const struct manner *manner;
	uint32_t	 opens;
	ssh_channel	 channels[CHANNELS_MAX];	/* the client counts them so */
	unsigned	 nchannels, shut;	/* opened; the last one shut */
	unsigned	 runs;		/* the number of channel */
	bool		 in, asked;	/* logged in; wants its command run */
	struct ssh_server_callbacks_struct server;
	struct ssh_channel_callbacks_struct on_channel;
};

/* ---- messages of our own ---- */

struct msg {
	unsigned char	 p[8192];
	size_t		 len;
};

static uint32_t recipient;		/* the client's channel */
static const struct msg *instead;	/* of the IGNORE that comes next */

__attribute__((__visibility__("default"))) int
EVP_DigestSignUpdate(void *ctx, const void *data, size_t len);

int
EVP_DigestSignUpdate(void *ctx, const void *data, size_t len)
{
	static int (*real)(void *, const void *, size_t);
	unsigned char *packet = (unsigned char *)(uintptr_t)data;

	if (real == NULL)
		*(void **)&real = dlsym(RTLD_NEXT, "EVP_DigestSignUpdate");
	/* uint32 packet_length, byte padding_length, byte of the kind */
	if (instead != NULL && len > 5 + instead->len && packet[5] == IGNORE) {
		memcpy(packet + 5, instead->p, instead->len);
		instead = NULL;
	}
	return real(ctx, data, len);
}

static void
put_u32(struct msg *m, uint32_t n)
{
	n = htonl(n);
	memcpy(m->p + m->len, &n, 4);
	m->len += 4;
}

static void
put_str(struct msg *m, const char *s)
{
	put_u32(m, (uint32_t)strlen(s));
	memcpy(m->p + m->len, s, strlen(s));
	m->len += strlen(s);
}

/* For the channel that runs its command, unless another was chosen. */
static void
begin(struct msg *m, unsigned char kind)
{
	m->p[0] = kind;
	m->len = 1;
	put_u32(m, recipient);
}

static void
say(struct guest *g, const struct msg *m)
{
	static char filler[sizeof(m->p)];

	memset(filler, 'x', m->len - 5);	/* what IGNORE has besides */
	filler[m->len - 5] = '\0';
	instead = m;
	if (ssh_send_ignore(g->ssh, filler) != SSH_OK ||
	    ssh_blocking_flush(g->ssh, 10000) != SSH_OK || instead != NULL)
		errx(1, "cannot say it: %s", ssh_get_error(g->ssh));
}

static void
simple(struct guest *g, unsigned char kind)
{
	struct msg m;

	begin(&m, kind);
	say(g, &m);
}

static void
data(struct guest *g, const char *text)
{
	struct msg m;

	begin(&m, DATA);
	put_str(&m, text);
	say(g, &m);
}

static void
status(struct guest *g, uint32_t n)
{
	struct msg m;

	begin(&m, REQUEST);
	put_str(&m, "exit-status");
	m.p[m.len++] = 0;
	put_u32(&m, n);
	say(g, &m);
}

static void
farewell(struct guest *g)
{
	simple(g, CH_EOF);
	simple(g, CH_CLOSE);
}

/* ---- manners ---- */

static void
status_first(struct guest *g)
{
	status(g, 0);
	data(g, "one\n");
	usleep(200000);
	data(g, "two\n");
	farewell(g);
}

static void
data_after_eof(struct guest *g)
{
	data(g, "one\n");
	simple(g, CH_EOF);
	data(g, "two\n");
	status(g, 0);
	simple(g, CH_CLOSE);
}

static void
eof_only(struct guest *g)
{
	data(g, "one\n");
	simple(g, CH_EOF);
}

static void
eof_status(struct guest *g)
{
	eof_only(g);
	status(g, 3);
}

static void
no_status(struct guest *g)
{
	data(g, "one\n");
	farewell(g);
}

static void
bad_signal(struct guest *g)
{
	char name[4097];
	struct msg m;
	size_t i;

	for (i = 0; i < sizeof(name) - 1; i++)
		name[i] = "\033[2J\302\233\r\n\007\b\233"[i % 11];
	name[i] = '\0';
	begin(&m, REQUEST);
	put_str(&m, "exit-signal");
	m.p[m.len++] = 0;
	put_str(&m, name);
	m.p[m.len++] = 0;		/* core dumped */
	put_str(&m, "\033]0;title\007");
	put_str(&m, "");
	say(g, &m);
	farewell(g);
}

static void
flood(struct guest *g)
{
	static char buf[32768];
	size_t n;

	memset(buf, 'e', sizeof(buf));
	for (n = 99; n < sizeof(buf); n += 100)
		buf[n] = '\n';
	for (n = 0; n < FLOOD; n += sizeof(buf))
		if (ssh_channel_write_stderr(g->channel, buf, sizeof(buf)) !=
		    (int)sizeof(buf))
			return;
	status(g, 0);
	farewell(g);
}

static void
window(struct guest *g)
{
	struct msg m;
	int i;

	for (i = 0; i < 3; i++) {
		begin(&m, WINDOW_ADJUST);
		put_u32(&m, UINT32_MAX);
		say(g, &m);
	}
	data(g, "one\n");
	status(g, 0);
	farewell(g);
}

static void
big_status(struct guest *g)
{
	status(g, UINT32_MAX);
	farewell(g);
}

static void
disconnect(struct guest *g)
{
	struct msg m;

	data(g, "one\n");
	m.p[0] = DISCONNECT;
	m.len = 1;
	put_u32(&m, 11);
	put_str(&m, "\033[2J\302\233K\033]0;owned\007\r\nall is well\n");
	put_str(&m, "");
	say(g, &m);
}

/* Fine, but for the next channel, which it shuts when nothing is asked of it. */
static void
shuts_next(struct guest *g)
{
	data(g, "one\n");
	status(g, 0);
	farewell(g);
}

/* Or while a command still runs. */
static void
shuts_early(struct guest *g)
{
	g->shut = g->runs + 2;
	recipient = g->runs + 1;
	farewell(g);
	recipient = g->runs;
	shuts_next(g);
}

/* And the command goes on, until another one ends it. */
static void
shuts_and_runs(struct guest *g)
{
	if (g->runs > 0) {
		data(g, "gone\n");
		status(g, 0);
		farewell(g);
		return;
	}
	g->shut = g->runs + 2;
	recipient = g->runs + 1;
	farewell(g);
	recipient = g->runs;
	data(g, "one\n");
}

/* The next channel is told how this one ended. */
static void
wrong_status(struct guest *g)
{
	recipient = g->runs + 1;
	status(g, 0);
	recipient = g->runs;
	no_status(g);
}

/* What nobody asked for, on the channels before and behind it. */
static void
strays(struct guest *g)
{
	struct msg m;
	uint32_t i;

	for (i = 0; i < 3; i++) {
		recipient = g->runs + i - 1;
		if (i == 1)
			continue;
		data(g, "stray\n");
		status(g, 7);
		begin(&m, WINDOW_ADJUST);
		put_u32(&m, 1);
		say(g, &m);
		begin(&m, OPEN_FAILURE);
		put_u32(&m, 4);
		put_str(&m, "no room");
		put_str(&m, "");
		say(g, &m);
		begin(&m, OPEN_CONFIRMATION);
		put_u32(&m, 0);
		put_u32(&m, 0);
		put_u32(&m, 0);
		say(g, &m);
	}
	recipient = g->runs;
	shuts_next(g);
}

static const struct manner {
	const char	*user;
	void		(*act)(struct guest *);	/* NULL: says no */
	bool		 opens;
	unsigned	 stays_s;	/* afterwards, with the line open */
} manners[] = {
	{ "status-first",	status_first,	true,	5 },
	{ "data-after-eof",	data_after_eof,	true,	5 },
	{ "eof-only",		eof_only,	true,	60 },
	{ "eof-status",		eof_status,	true,	60 },
	{ "no-status",		no_status,	true,	5 },
	{ "bad-signal",		bad_signal,	true,	5 },
	{ "no-channel",		NULL,		false,	5 },
	{ "no-exec",		NULL,		true,	5 },
	{ "flood",		flood,		true,	5 },
	{ "window",		window,		true,	5 },
	{ "big-status",		big_status,	true,	5 },
	{ "disconnect",		disconnect,	true,	0 },
	{ "shuts-next",		shuts_next,	true,	30 },
	{ "shuts-early",	shuts_early,	true,	30 },
	{ "shuts-and-runs",	shuts_and_runs,	true,	30 },
	{ "wrong-status",	wrong_status,	true,	30 },
	{ "strays",		strays,		true,	30 },
	{ "shortage",		NULL,		false,	60 }
};

/* Some have something to do with the next channel. */
static bool
ready(const struct guest *g)
{
	void (*act)(struct guest *) = g->manner->act;

	if (act == shuts_and_runs && g->runs > 0)
		return true;
	return g->nchannels > g->runs + 1 || (act != shuts_early &&
	    act != shuts_and_runs && act != wrong_status && act != strays);
}

/* ---- a server as it should be ---- */

static void
shut(struct guest *g)
{
	if (g->manner->act != shuts_next || g->nchannels != 2 ||
	    g->shut == g->nchannels)
		return;
	g->shut = g->nchannels;
	recipient = g->nchannels - 1;
	farewell(g);
	warnx("shut");
}

static int
on_key(ssh_session ssh, const char *user, struct ssh_key_struct *key,
    char state, void *arg)
{
	struct guest *g = arg;
	size_t i;

	(void)ssh;
	(void)key;
	for (i = 0; i < sizeof(manners) / sizeof(manners[0]); i++)
		if (strcmp(manners[i].user, user) == 0)
			g->manner = &manners[i];
	if (g->manner == NULL)
		return SSH_AUTH_DENIED;
	g->in = state == SSH_PUBLICKEY_STATE_VALID;
	return SSH_AUTH_SUCCESS;
}

/* As a jump host it never has room for one more (RFC 4254 5.1). */
static int
on_message(ssh_session ssh, ssh_message message, void *arg)
{
	struct guest *g = arg;
	struct msg m;

	(void)ssh;
	if (g->manner == NULL || strcmp(g->manner->user, "shortage") != 0 ||
	    ssh_message_type(message) != SSH_REQUEST_CHANNEL_OPEN ||
	    ssh_message_subtype(message) != SSH_CHANNEL_DIRECT_TCPIP)
		return 1;
	m.p[0] = OPEN_FAILURE;
	m.len = 1;
	put_u32(&m, g->opens++);	/* clients count them so */
	put_u32(&m, 4);			/* SSH_OPEN_RESOURCE_SHORTAGE */
	put_str(&m, "no room");
	put_str(&m, "");
	say(g, &m);
	return 0;
}

static int
on_exec(ssh_session ssh, ssh_channel channel, const char *command, void *arg)
{
	struct guest *g = arg;

	(void)ssh;
	(void)command;
	g->channel = channel;
	for (g->runs = 0; g->channels[g->runs] != channel; g->runs++)
		;
	g->asked = g->manner->act != NULL && g->runs + 1 != g->shut;
	return !g->asked;
}

static ssh_channel
on_open(ssh_session ssh, void *arg)
{
	struct guest *g = arg;
	ssh_channel channel;

	if (!g->in || !g->manner->opens || g->nchannels == CHANNELS_MAX)
		return NULL;
	channel = g->channels[g->nchannels++] = ssh_channel_new(ssh);
	g->on_channel.userdata = g;
	g->on_channel.channel_exec_request_function = on_exec;
	ssh_callbacks_init(&g->on_channel);
	ssh_set_channel_callbacks(channel, &g->on_channel);
	return channel;
}

static void
serve(int fd, const char *hostkey, const char *version)
{
	struct guest g = { .ssh = ssh_new() };
	ssh_bind bind = ssh_bind_new();
	ssh_event event = ssh_event_new();

	alarm(LIFE_S);
	ssh_bind_options_set(bind, SSH_BIND_OPTIONS_HOSTKEY, hostkey);
	ssh_bind_options_set(bind, SSH_BIND_OPTIONS_CIPHERS_S_C, "aes128-ctr");
	ssh_bind_options_set(bind, SSH_BIND_OPTIONS_HMAC_S_C, "hmac-sha2-256");
	/* Both ways: libssh2 1.11 fails if only one of them is GCM. */
	ssh_bind_options_set(bind, SSH_BIND_OPTIONS_CIPHERS_C_S, "aes128-ctr");
	ssh_bind_options_set(bind, SSH_BIND_OPTIONS_HMAC_C_S, "hmac-sha2-256");
	if (version != NULL)
		ssh_bind_options_set(bind, SSH_BIND_OPTIONS_BANNER, version);
	g.server.userdata = &g;
	g.server.auth_pubkey_function = on_key;
	g.server.channel_open_request_session_function = on_open;
	ssh_callbacks_init(&g.server);
	if (ssh_bind_accept_fd(bind, g.ssh, fd) != SSH_OK)
		errx(1, "accept: %s", ssh_get_error(bind));
	ssh_set_server_callbacks(g.ssh, &g.server);
	ssh_set_message_callback(g.ssh, on_message, &g);
	ssh_set_auth_methods(g.ssh, SSH_AUTH_METHOD_PUBLICKEY);
	if (ssh_handle_key_exchange(g.ssh) != SSH_OK)
		errx(1, "key exchange: %s", ssh_get_error(g.ssh));
	ssh_event_add_session(event, g.ssh);
	while (ssh_event_dopoll(event, 1000) != SSH_ERROR) {
		if (g.manner != NULL)
			shut(&g);
		if (!g.asked || g.manner->act == NULL || !ready(&g))
			continue;
		g.asked = false;
		recipient = g.runs;
		g.manner->act(&g);
		if (g.manner->stays_s == 0)
			break;
		alarm(g.manner->stays_s);
	}
}

static int
listen_at(char *where)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	char *colon;
	int fd;

	if ((colon = strrchr(where, ':')) == NULL)
		errx(2, "bad address");
	*colon = '\0';
	sin.sin_port = htons((in_port_t)atoi(colon + 1));
	if (inet_pton(AF_INET, where, &sin.sin_addr) != 1)
		errx(2, "bad address");
	if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1 ||
	    bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 ||
	    listen(fd, 64) == -1 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) == -1)
		err(1, "%s", where);
	printf("%s:%u\n", where, ntohs(sin.sin_port));
	fflush(stdout);
	return fd;
}

int
main(int argc, char **argv)
{
	int fd, c, on = 1;

	if (argc != 3 && argc != 4)
		errx(2, "usage: rogue_login HOSTKEY ADDRESS:PORT [VERSION]");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	alarm(LIFE_S);
	fd = listen_at(argv[2]);
	for (;;) {
		if ((c = accept(fd, NULL, NULL)) == -1)
			err(1, "accept");
		if (fork() == 0) {
			close(fd);
			/* What was said is on its way. */
			(void)setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &on,
			    sizeof(on));
			serve(c, argv[1], argv[3]);
			_exit(0);
		}
		close(c);
	}
}

#else

#include <stdio.h>

int
main(void)
{
	fprintf(stderr, "rogue_login: built without libssh\n");
	return 77;
}

#endif
