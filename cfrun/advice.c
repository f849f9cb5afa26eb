#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "advice.h"

bool
advice_tells_exit(const char *release)
{
	char *end;
	unsigned long major = strtoul(release, &end, 10), minor;

	if (*release == '\0' || *end != '.')
		return true;
	minor = strtoul(end + 1, NULL, 10);
	return major > 3 || (major == 3 && minor >= 18);
}

static bool
has(const struct reply_text *t, const char *what)
{
	return memmem(t->text, t->len, what, strlen(what)) != NULL;
}

bool
advice_may_rest(const struct reply_text *command)
{
	return has(command, "cf-agent") && !has(command, "--no-lock") &&
	    !has(command, " -K") && !has(command, " -n");
}

/* What denies what, by the beginning of the words behind "EXEC denied". */
static const struct {
	const char *begins;
	const char *advice;
} denials[] = {
	{ " role activation", "its policy does not let our user set such "
	    "classes (roles: authorize, for options \"cfrun_opt_.*\")" },
	{ " bundle activation", "its policy does not let us run such bundles "
	    "(access: resource_type => \"bundle\")" },
	{ ": invalid arguments", "it takes only classes and bundles" },
	{ ": too long", "that is more than it takes" }
};

static const char *
advice_for(const struct reply_text *t)
{
	size_t i, len;

	for (i = 0; i < sizeof(denials) / sizeof(denials[0]); i++) {
		len = strlen(denials[i].begins);
		if (t->len >= len && memcmp(t->text, denials[i].begins,
		    len) == 0)
			return denials[i].advice;
	}
	return "its policy does not allow it";
}

void
advice_refusal(enum reply why, const struct reply_text *t, const char *exec,
    char *out, size_t size)
{
	switch (why) {
	case REPLY_REFUSED:
		if (strncmp(exec, "VERSION", 7) == 0)
			(void)strlcpy(out, "it denies the request", size);
		else
			(void)strlcpy(out, "refused: no cfruncommand, or we "
			    "are not admitted to it (access), or our user is "
			    "not in allowusers; cf-serverd -v says which",
			    size);
		break;
	case REPLY_DENIED:
		/* "EXEC -D classes -b bundles": it does not say which. */
		(void)snprintf(out, size, "denied%.*s: %s",
		    (int)strcspn(exec + 4, "\n") < 60 ?
		    (int)strcspn(exec + 4, "\n") : 60, exec + 4,
		    advice_for(t));
		break;
	case REPLY_BROKEN:
		(void)snprintf(out, size, "it could not start the agent:%.*s",
		    (int)(t->len < 150 ? t->len : 150), t->text);
		break;
	default:
		(void)strlcpy(out, "refused", size);
	}
}
