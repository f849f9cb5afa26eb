#include <string.h>

#include "fanout.h"
#include "name.h"

bool
fo_name_char(unsigned char c)
{
	if ((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
		return true;
	return c != '\0' && strchr("-_.:%+=~@\\", c) != NULL;
}

bool
fo_name_has_parts(const char *s, size_t len)
{
	return memchr(s, '@', len) != NULL || memchr(s, ':', len) != NULL;
}

/* 1 to 65535, digits only; 0: it is not. */
static unsigned
port_of(const char *s, size_t len)
{
	unsigned port = 0;

	if (len == 0 || len > 5)
		return 0;
	for (; len > 0; s++, len--) {
		if (*s < '0' || *s > '9')
			return 0;
		port = port * 10 + (unsigned)(*s - '0');
	}
	return port > 65535 ? 0 : port;
}

/* What follows the user: name, name:port, v6, [v6] or [v6]:port. */
static const char *
split_address(const char *s, size_t len, struct fanout_hostspec *hs)
{
	const char *colon, *close;

	hs->name = s;
	hs->name_len = len;
	if (len > 0 && *s == '[') {
		if ((close = memchr(s, ']', len)) == NULL)
			return "the bracket of the address is not closed";
		hs->name = s + 1;
		hs->name_len = (size_t)(close - s) - 1;
		if (memchr(hs->name, ':', hs->name_len) == NULL)
			return "only an IPv6 address stands in brackets";
		if ((len -= (size_t)(close - s) + 1) == 0)
			return NULL;
		colon = close + 1;
		if (*colon != ':')
			return "only :port may follow a bracketed address";
	} else {
		if ((colon = memchr(s, ':', len)) == NULL)
			return NULL;
		len -= (size_t)(colon - s);
		if (memchr(colon + 1, ':', len - 1) != NULL)
			return NULL;	/* an IPv6 address */
		hs->name_len = (size_t)(colon - s);
	}
	if ((hs->port = port_of(colon + 1, len - 1)) == 0)
		return "the port is not a number from 1 to 65535";
	return NULL;
}

static const char *
check_name(const char *s, size_t len)
{
	size_t i, colons = 0;

	if (len == 0)
		return "the name is empty";
	if (*s == '-')
		return "a name cannot begin with '-'";
	if (*s == '.')
		return "a name cannot begin with '.'";
	for (i = 0; i < len; i++) {
		if (s[i] == '@' || s[i] == '\\' || !fo_name_char((unsigned char)s[i]))
			return "a character cannot stand in a host name";
		colons += s[i] == ':';
	}
	return colons == 1 ? "a lone ':' in the name" : NULL;
}

/* As fanout_host_split(); NULL or what is wrong. */
static const char *
split(const char *s, size_t len, struct fanout_hostspec *hs)
{
	const char *at = memrchr(s, '@', len), *why;
	size_t i;

	memset(hs, 0, sizeof(*hs));
	if (at != NULL) {
		hs->user = s;
		hs->user_len = (size_t)(at - s);
		if (hs->user_len == 0)
			return "the user before '@' is empty";
		if (*s == '-')
			return "a user cannot begin with '-'";
		for (i = 0; i < hs->user_len; i++)
			if (!fo_name_char((unsigned char)s[i]))
				return "a character cannot stand in a user";
		s += hs->user_len + 1;
		len -= hs->user_len + 1;
	}
	if ((why = split_address(s, len, hs)) != NULL)
		return why;
	return check_name(hs->name, hs->name_len);
}

int
fanout_host_split(const char *host, struct fanout_hostspec *hs)
{
	if (split(host, strlen(host), hs) == NULL)
		return 0;
	memset(hs, 0, sizeof(*hs));
	return FANOUT_EPARSE;
}

const char *
fo_name_check(char *s, size_t *len)
{
	struct fanout_hostspec hs;
	const char *why;
	char *p;

	if ((why = split(s, *len, &hs)) != NULL)
		return why;
	if (hs.port != 0 || s[*len - 1] != ']')
		return NULL;
	p = s + (hs.name - s) - 1;
	memmove(p, hs.name, hs.name_len);
	*len = (size_t)(p - s) + hs.name_len;
	return NULL;
}
