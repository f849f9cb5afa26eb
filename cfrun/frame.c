#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"

/* The number of a header, which NULs or blanks follow; -1: it is none. */
static int
header_length(const char *h)
{
	int n = 0, i = 2;

	if ((h[0] != 't' && h[0] != 'm') || h[1] != ' ')
		return -1;
	while (i < FRAME_HEADER && h[i] == ' ')
		i++;
	if (i == FRAME_HEADER || !isdigit((unsigned char)h[i]))
		return -1;
	for (; i < FRAME_HEADER && isdigit((unsigned char)h[i]); i++)
		n = n * 10 + (h[i] - '0');
	for (; i < FRAME_HEADER; i++)
		if (h[i] != '\0' && h[i] != ' ')
			return -1;
	return n;
}

int
frame_parse(const char *buf, size_t len, struct frame *f)
{
	int n;

	if (len < FRAME_HEADER)
		return 0;
	if ((n = header_length(buf)) < 1 || n > FRAME_MAX)
		return -1;
	if (len - FRAME_HEADER < (size_t)n)
		return 0;
	f->data = buf + FRAME_HEADER;
	f->len = (size_t)n;
	return FRAME_HEADER + n;
}

size_t
frame_build(char *buf, size_t size, const char *data, size_t len)
{
	char header[FRAME_HEADER + 1] = { 0 };

	if (len < 1 || len > FRAME_SEND_MAX || size < FRAME_HEADER + len)
		return 0;
	(void)snprintf(header, sizeof(header), "t %d", (int)len);
	memcpy(buf, header, FRAME_HEADER);
	memcpy(buf + FRAME_HEADER, data, len);
	return FRAME_HEADER + len;
}

int
frame_line(const char *buf, size_t len, struct frame *f)
{
	const char *end = memchr(buf, '\n', len < FRAME_LINE_MAX ? len :
	    FRAME_LINE_MAX);

	if (end == NULL)
		return len >= FRAME_LINE_MAX ? -1 : 0;
	f->data = buf;
	f->len = (size_t)(end - buf);
	return (int)f->len + 1;
}

static bool
starts(const struct frame *f, const char *with)
{
	size_t len = strlen(with);

	return f->len >= len && memcmp(f->data, with, len) == 0;
}

int
frame_greeting(const struct frame *f, char *release, size_t size)
{
	size_t i = 5, n = 0;
	int version = 0;

	release[0] = '\0';
	if (!starts(f, "CFE_v") || i == f->len ||
	    !isdigit((unsigned char)f->data[i]))
		return -1;
	for (; i < f->len && isdigit((unsigned char)f->data[i]) &&
	    version < 1000000; i++)
		version = version * 10 + (f->data[i] - '0');
	/* "cf-serverd 3.21.0": the last word that is a number with dots. */
	for (; i < f->len; i++) {
		if (f->data[i] != ' ' || i + 1 == f->len ||
		    !isdigit((unsigned char)f->data[i + 1]))
			continue;
		for (n = 0; i + 1 + n < f->len && n + 1 < size &&
		    (isalnum((unsigned char)f->data[i + 1 + n]) ||
		    f->data[i + 1 + n] == '.'); n++)
			release[n] = f->data[i + 1 + n];
		release[n] = '\0';
	}
	return version;
}

/* What is behind a prefix, without the newlines and NULs at its end. */
static bool
behind(const struct frame *f, const char *prefix, struct reply_text *t)
{
	size_t skip = strlen(prefix);

	if (!starts(f, prefix))
		return false;
	t->text = f->data + skip;
	t->len = f->len - skip;
	while (t->len > 0 && (t->text[t->len - 1] == '\n' ||
	    t->text[t->len - 1] == '\0'))
		t->len--;
	return true;
}

static bool
exit_code(const struct frame *f, struct reply_text *t)
{
	size_t i;

	if (!behind(f, "(exit code: ", t) || t->len < 2 || t->len > 5 ||
	    t->text[t->len - 1] != ')')
		return false;
	t->status = 0;
	for (i = 0; i + 1 < t->len; i++) {
		if (!isdigit((unsigned char)t->text[i]))
			return false;
		t->status = t->status * 10 + (t->text[i] - '0');
	}
	return t->status <= 255;
}

enum reply
frame_reply(const struct frame *f, bool begun, struct reply_text *t)
{
	*t = (struct reply_text){ f->data, f->len, -1 };
	if (behind(f, "> ", t)) {
		/* It is as it was, but for the end of line. */
		if (t->len + 2 < f->len && f->data[f->len - 1] == '\n')
			t->len = f->len - 3;
		return REPLY_OUTPUT;
	}
	if (behind(f, FRAME_TERMINATOR, t) && t->len == 0)
		return REPLY_END;
	if (exit_code(f, t))
		return REPLY_EXIT;
	if (begun) {
		(void)behind(f, "", t);
		return REPLY_OTHER;
	}
	if (behind(f, "cf-serverd executing cfruncommand: ", t))
		return REPLY_BEGUN;
	if (behind(f, "OK: ", t))
		return REPLY_VERSION;
	if (behind(f, "BAD: ", t))
		return REPLY_REFUSED;
	if (behind(f, "EXEC denied due to failed class match", t))
		return REPLY_NO_MATCH;
	if (behind(f, "EXEC denied", t))
		return REPLY_DENIED;
	if (behind(f, "Unable to run", t))
		return REPLY_BROKEN;
	(void)behind(f, "", t);
	return REPLY_OTHER;
}
