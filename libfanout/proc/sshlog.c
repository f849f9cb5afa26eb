#include <string.h>

#include "sshlog.h"

static const struct {
	const char	*part;		/* of the line */
	enum fanout_stage stage;
} stages[] = {
	{ "debug1: Connecting to ", FANOUT_S_CONNECT },
	{ "debug1: Executing proxy command", FANOUT_S_CONNECT },
	{ "debug1: Connection established", FANOUT_S_KEX },
	{ "debug1: Local version string", FANOUT_S_KEX },
	{ "debug1: Server host key:", FANOUT_S_HOSTKEY },
	{ "debug1: SSH2_MSG_NEWKEYS received", FANOUT_S_AUTH },
	{ "Authenticated to ", FANOUT_S_OPEN },
	{ "debug1: Sending command:", FANOUT_S_RUN }
};

/* The first that matches a line counts, and of all lines the first found,
 * except that a changed key explains the failed verification after it. */
static const struct {
	const char	*part;
	enum fanout_class cls;
} causes[] = {
	{ "REMOTE HOST IDENTIFICATION HAS CHANGED", FANOUT_C_HOSTKEY_CHANGED },
	{ "REVOKED HOST KEY DETECTED", FANOUT_C_HOSTKEY_CHANGED },
	{ "Could not resolve hostname", FANOUT_C_RESOLVE },
	{ "Connection refused", FANOUT_C_REFUSED },
	{ "No route to host", FANOUT_C_UNREACHABLE },
	{ "Network is unreachable", FANOUT_C_UNREACHABLE },
	{ "Connection timed out", FANOUT_C_CONNECT_TIMEOUT },
	{ "Operation timed out", FANOUT_C_CONNECT_TIMEOUT },
	{ "Unable to negotiate with", FANOUT_C_ALGORITHM },
	{ "no matching ", FANOUT_C_ALGORITHM },
	{ "Host key verification failed", FANOUT_C_HOSTKEY_UNKNOWN },
	{ "Permission denied (", FANOUT_C_AUTH },
	{ "Too many authentication failures", FANOUT_C_AUTH },
	{ "Bad configuration option", FANOUT_C_LOCAL },
	{ "terminating, ", FANOUT_C_LOCAL },
	{ "Bad owner or permissions on", FANOUT_C_LOCAL }
};

void
sshlog_init(struct sshlog *l)
{
	memset(l, 0, sizeof(*l));
	l->stage = FANOUT_S_CONNECT;
}

static void
find_cause(struct sshlog *l, const char *line)
{
	size_t i;

	for (i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (strstr(line, causes[i].part) != NULL) {
			l->cls = causes[i].cls;
			(void)strlcpy(l->text, line, sizeof(l->text));
			return;
		}
}

static void
find_stage(struct sshlog *l, const char *line)
{
	size_t i;

	for (i = 0; i < sizeof(stages) / sizeof(stages[0]); i++)
		if (strncmp(line, stages[i].part, strlen(stages[i].part)) ==
		    0 && stages[i].stage > l->stage)
			l->stage = stages[i].stage;
}

/*
 * Causes are looked for until the command is asked for: what ssh says later
 * is about a connection that worked. Debug lines name addresses that were
 * refused one after the other, too: only the summary at the end counts.
 */
void
sshlog_line(struct sshlog *l, const char *line)
{
	bool debug = strncmp(line, "debug", 5) == 0;

	find_stage(l, line);
	if (strstr(line, "rtype exit-status") != NULL)
		l->status = true;
	else if (strstr(line, "rtype exit-signal") != NULL)
		l->signaled = true;
	if (debug || line[0] == '\0')
		return;
	(void)strlcpy(l->last, line, sizeof(l->last));
	if (l->stage < FANOUT_S_OPEN && l->cls == FANOUT_C_OK)
		find_cause(l, line);
}
