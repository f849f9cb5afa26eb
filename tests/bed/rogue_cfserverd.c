/*
 * rogue_cfserverd.c - a cf-serverd that does as it is told, not as it should.
 *
 *	rogue_cfserverd KEY ADDRESS:PORT MODE
 *
 * Serves TLS with the RSA key of a file, as CFEngine writes it (localhost.priv)
 * and prints its address. What MODE makes of a session:
 *
 *	good      as the real one: two lines of output, exit status 0
 *	trickle   the same, each byte a TLS record of its own
 *	tls12     as an old one does: TLS 1.2, RSA key exchange only
 *	twice     two terminators, output behind the first
 *	old       speaks protocol 1
 *	new       speaks protocol 9, and wants an answer it knows
 *	garbage   frames that are none
 *	huge      a frame that says it has 999999 bytes
 *	flood     a greeting that never ends
 *	mute      nothing behind the welcome
 *	half      hangs up in mid-output
 *	quiet     the terminator, and nothing else
 *	lies      an exit status and end before it has begun
 *	nocode    as a server before 3.18, which tells no status
 *	stall     handshake, then silence
 */
#include <sys/prctl.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <err.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define END "---cfXen/gine/cfXen/gine---"

static const char *mode;

static bool
is(const char *what)
{
	return strcmp(mode, what) == 0;
}

static void
say(SSL *ssl, const char *data, size_t len)
{
	size_t i;

	if (!is("trickle")) {
		(void)SSL_write(ssl, data, (int)len);
		return;
	}
	for (i = 0; i < len; i++)
		(void)SSL_write(ssl, data + i, 1);
}

static void
frame(SSL *ssl, const char *payload, size_t len)
{
	char buf[8 + 4096] = { 0 };

	(void)snprintf(buf, 8, "t %hu", (unsigned short)len);
	memcpy(buf + 8, payload, len);
	say(ssl, buf, 8 + len);
}

static void
text(SSL *ssl, const char *payload)
{
	frame(ssl, payload, strlen(payload));
}

static void
end(SSL *ssl)
{
	frame(ssl, END, sizeof(END));
}

static void
answer(SSL *ssl)
{
	static const char junk[] = "GET / HTTP/1.0\r\n\r\n";
	int i;

	if (is("garbage")) {
		say(ssl, junk, sizeof(junk) - 1);
		return;
	}
	if (is("huge")) {
		say(ssl, "t 999999aaaaaaaaaaaaaaa", 23);
		return;
	}
	if (is("lies"))
		text(ssl, "(exit code: 0)\n");
	if (is("quiet") || is("lies")) {
		end(ssl);
		return;
	}
	text(ssl, "cf-serverd executing cfruncommand: /bin/true --no-lock\n");
	text(ssl, "> one\n");
	if (is("half"))
		return;
	text(ssl, "> two\n");
	if (!is("nocode"))
		text(ssl, "(exit code: 0)\n");
	end(ssl);
	for (i = 0; is("twice") && i < 100; i++) {
		text(ssl, "> after the end\n");
		end(ssl);
	}
}

static void
serve(SSL *ssl)
{
	const char *greeting;
	char buf[8192];
	int n, i;

	if (is("stall"))
		pause();
	if (is("flood"))
		for (i = 0; i < 100000 && SSL_write(ssl, "xxxxxxxxxxxxxxxx", 16) > 0; i++)
			;
	greeting = is("old") ? "CFE_v1 cf-serverd 3.5.0\n" : is("new") ?
	    "CFE_v9 cf-serverd 9.0.0\n" : is("nocode") ?
	    "CFE_v3 cf-serverd 3.15.2\n" : "CFE_v3 cf-serverd 3.21.0\n";
	say(ssl, greeting, strlen(greeting));
	n = SSL_read(ssl, buf, sizeof(buf) - 1);
	if (n <= 0)
		return;
	buf[n] = '\0';
	if (strncmp(buf, "CFE_v3 ", 7) != 0)
		return;		/* it does not know a higher one */
	say(ssl, "OK WELCOME USERNAME=root\n", 25);
	if (is("mute"))
		pause();
	/* As the real one: a header in one read, what follows in another. */
	for (i = 0; i < 8; i++) {
		char header[9] = { 0 };
		long len;

		if (SSL_read(ssl, header, 8) != 8)
			return;
		len = strtol(header + 2, NULL, 10);
		if (len < 1 || len > 4096 || SSL_read(ssl, buf, (int)len) != len)
			return;
		if (len == 27 && memcmp(buf, END, 27) == 0)
			break;
	}
	answer(ssl);
	SSL_shutdown(ssl);
}

static int
any(int good, X509_STORE_CTX *ctx)
{
	(void)good;
	(void)ctx;
	return 1;
}

static SSL_CTX *
context(const char *path)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	FILE *f = fopen(path, "r");
	EVP_PKEY *key = f == NULL ? NULL : PEM_read_PrivateKey(f, NULL, NULL, NULL);
	X509 *x = X509_new();

	if (key == NULL)
		err(2, "%s", path);
	X509_gmtime_adj(X509_getm_notBefore(x), 0);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_sign(x, key, EVP_sha256());
	SSL_CTX_use_certificate(ctx, x);
	SSL_CTX_use_PrivateKey(ctx, key);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER |
	    SSL_VERIFY_FAIL_IF_NO_PEER_CERT, any);
	if (is("tls12")) {
		SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
		SSL_CTX_set_cipher_list(ctx, "AES256-GCM-SHA384:AES256-SHA");
	}
	fclose(f);
	return ctx;
}

int
main(int argc, char **argv)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	char *port;
	SSL_CTX *ctx;
	SSL *ssl;
	int lfd, fd, on = 1;

	if (argc != 4 || (port = strchr(argv[2], ':')) == NULL)
		errx(2, "usage: rogue_cfserverd KEY ADDRESS:PORT MODE");
	*port++ = '\0';
	mode = argv[3];
	signal(SIGPIPE, SIG_IGN);
	signal(SIGCHLD, SIG_IGN);
	ctx = context(argv[1]);
	inet_pton(AF_INET, argv[2], &sin.sin_addr);
	sin.sin_port = htons((in_port_t)strtol(port, NULL, 10));
	lfd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(lfd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(lfd, (struct sockaddr *)&sin, len) == -1 || listen(lfd, 64) == -1 ||
	    getsockname(lfd, (struct sockaddr *)&sin, &len) == -1)
		err(2, "listen");
	printf("%s:%d\n", argv[2], ntohs(sin.sin_port));
	fflush(stdout);
	/* Bounded: a forgotten one ends by itself. */
	alarm(120);
	while ((fd = accept(lfd, NULL, NULL)) != -1) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			alarm(60);
			close(lfd);
			ssl = SSL_new(ctx);
			SSL_set_fd(ssl, fd);
			if (SSL_accept(ssl) == 1)
				serve(ssl);
			_exit(0);
		}
		close(fd);
	}
	return 0;
}
