#include <openssl/err.h>

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "advice.h"
#include "session_int.h"

enum go
session_fail(struct session *s, enum fanout_class cls, const char *text)
{
	fanout_io_fail(s->io, cls, 0, 0, "%s", text);
	return END;
}

/* The server went away without a word: what that means depends on when. */
static enum go
gone(struct session *s)
{
	switch (s->state) {
	case HANDSHAKE:
	case CONFIRM:
	case GREETING:
		return session_fail(s, FANOUT_C_REFUSED, ADVICE_CLOSED);
	case WELCOME:
		fanout_io_fail(s->io, FANOUT_C_AUTH, 0, 0, ADVICE_NO_TRUST,
		    s->shared->own_digest);
		return END;
	default:
		return session_fail(s, FANOUT_C_LOST, s->begun ? ADVICE_LOST :
		    ADVICE_NO_ANSWER);
	}
}

static enum go
tls_error(struct session *s, unsigned long code)
{
	const char *why = ERR_reason_error_string(code);

	if (why == NULL)
		why = "unknown error";
	switch (ERR_GET_REASON(code)) {
	case SSL_R_UNEXPECTED_EOF_WHILE_READING:
		return gone(s);
	case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
	case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
	case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
	case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
		fanout_io_fail(s->io, FANOUT_C_AUTH, 0, (int)code,
		    "it does not accept our certificate: %s", why);
		return END;
	case SSL_R_WRONG_VERSION_NUMBER:
		fanout_io_fail(s->io, FANOUT_C_ALGORITHM, 0, (int)code,
		    "what answers there does not speak TLS: no cf-serverd?");
		return END;
	}
	fanout_io_fail(s->io, s->state == HANDSHAKE ? FANOUT_C_ALGORITHM :
	    FANOUT_C_LOST, 0, (int)code, "TLS: %s", why);
	return END;
}

/* A call that was not done: waits, or the end of this session. */
static enum go
tls_again(struct session *s, int rc, int error)
{
	unsigned long code;

	switch (SSL_get_error(s->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		s->events = POLLIN;
		return WAIT;
	case SSL_ERROR_WANT_WRITE:
		s->events = POLLOUT;
		return WAIT;
	case SSL_ERROR_ZERO_RETURN:
		return gone(s);
	case SSL_ERROR_SYSCALL:
		if (error == 0 || error == ECONNRESET || error == EPIPE)
			return gone(s);
		fanout_io_fail(s->io, FANOUT_C_LOST, error, 0,
		    "connection lost: %s", strerror(error));
		return END;
	}
	code = ERR_peek_error();
	return tls_error(s, code);
}

enum go
session_handshake(struct session *s)
{
	int rc;

	ERR_clear_error();
	errno = 0;
	if ((rc = SSL_connect(s->ssl)) != 1)
		return tls_again(s, rc, errno);
	fanout_io_log(s->io, 2, "%s, %s", SSL_get_version(s->ssl),
	    SSL_get_cipher(s->ssl));
	s->state = GREETING;
	return session_check_key(s);
}

/* More bytes behind those that are there. */
enum go
session_fill(struct session *s)
{
	size_t n;
	int rc;

	if (s->in_at > 0) {
		memmove(s->in, s->in + s->in_at, s->in_len - s->in_at);
		s->in_len -= s->in_at;
		s->in_at = 0;
	}
	ERR_clear_error();
	errno = 0;
	rc = SSL_read_ex(s->ssl, s->in + s->in_len,
	    sizeof(s->in) - s->in_len, &n);
	if (rc != 1)
		return tls_again(s, rc, errno);
	s->in_len += n;
	return GO;
}

/* What is to be said, record by record. GO: all of it has been. */
enum go
session_flush(struct session *s)
{
	size_t n;
	int rc;

	while (s->record < s->nrecords) {
		ERR_clear_error();
		errno = 0;
		rc = SSL_write_ex(s->ssl, s->out + s->out_at,
		    s->records[s->record], &n);
		if (rc != 1)
			return tls_again(s, rc, errno);
		s->out_at += n;
		s->record++;
	}
	s->nrecords = s->record = 0;
	s->out_at = 0;
	return GO;
}
