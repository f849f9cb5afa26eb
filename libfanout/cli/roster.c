#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "roster.h"

/* The names RFC 4254 6.10 has for signals, and those that Linux adds. */
static const struct {
	const char *name;
	int	 number;
} signals[] = {
	{ "ABRT", SIGABRT }, { "ALRM", SIGALRM }, { "BUS", SIGBUS },
	{ "CHLD", SIGCHLD }, { "CONT", SIGCONT }, { "FPE", SIGFPE },
	{ "HUP", SIGHUP }, { "ILL", SIGILL }, { "INT", SIGINT },
	{ "IO", SIGIO }, { "KILL", SIGKILL }, { "PIPE", SIGPIPE },
	{ "PROF", SIGPROF }, { "PWR", SIGPWR }, { "QUIT", SIGQUIT },
	{ "SEGV", SIGSEGV }, { "STOP", SIGSTOP }, { "SYS", SIGSYS },
	{ "TERM", SIGTERM }, { "TRAP", SIGTRAP }, { "TSTP", SIGTSTP },
	{ "TTIN", SIGTTIN }, { "TTOU", SIGTTOU }, { "URG", SIGURG },
	{ "USR1", SIGUSR1 }, { "USR2", SIGUSR2 }, { "VTALRM", SIGVTALRM },
	{ "WINCH", SIGWINCH }, { "XCPU", SIGXCPU }, { "XFSZ", SIGXFSZ }
};
#define NSIGNALS (sizeof(signals) / sizeof(signals[0]))

static short
signal_number(const char *name)
{
	size_t i;

	for (i = 0; i < NSIGNALS; i++)
		if (strcmp(signals[i].name, name) == 0)
			return (short)signals[i].number;
	return 0;
}

static const char *
signal_name(short number)
{
	size_t i;

	for (i = 0; i < NSIGNALS; i++)
		if (signals[i].number == number)
			return signals[i].name;
	return "unknown";
}

int64_t
cli_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int
cli_roster_init(struct cli_roster *r, const struct fanout_hosts *hosts)
{
	*r = (struct cli_roster){ .hosts = hosts,
	    .count = fanout_hosts_count(hosts) };
	r->places = calloc(r->count, sizeof(*r->places));
	return r->places == NULL ? -1 : 0;
}

void
cli_roster_clear(struct cli_roster *r)
{
	free(r->places);
	r->places = NULL;
	r->count = 0;
}

static void
over(struct cli_roster *r, struct cli_place *p, enum fanout_class cls)
{
	if (p->state == CLI_RUNS)
		r->running--;
	p->state = CLI_OVER;
	p->cls = (unsigned char)cls;
	r->over++;
	if (cls == FANOUT_C_SKIPPED)
		r->skipped++;
	else if (cls != FANOUT_C_OK)
		r->failed++;
}

void
cli_roster_event(struct cli_roster *r, const struct fanout_event *ev)
{
	struct cli_place *p;

	if (ev->kind != FANOUT_EV_START && ev->kind != FANOUT_EV_DONE)
		return;
	p = &r->places[ev->host];
	if (ev->kind == FANOUT_EV_START) {
		p->state = CLI_RUNS;
		p->since = cli_now();
		r->running++;
		return;
	}
	over(r, p, ev->result->cls);
	p->stage = (unsigned char)ev->result->stage;
	if (ev->result->cls == FANOUT_C_CANCELED &&
	    p->stage == FANOUT_S_QUEUE)
		p->code = CLI_NOT_BEGUN;
	if (ev->result->cls == FANOUT_C_EXIT)
		p->code = (short)ev->result->status;
	else if (ev->result->cls == FANOUT_C_SIGNAL)
		p->code = signal_number(ev->result->signal);
}

void
cli_roster_give_up(struct cli_roster *r)
{
	size_t i;

	for (i = 0; i < r->count; i++)
		if (r->places[i].state != CLI_OVER) {
			r->places[i].code = r->places[i].state == CLI_WAITS ?
			    CLI_NOT_BEGUN : 0;
			r->places[i].given_up = true;
			over(r, &r->places[i], FANOUT_C_CANCELED);
		}
}

char *
cli_roster_fold(const struct cli_roster *r,
    bool (*want)(const struct cli_place *, const void *), const void *arg)
{
	struct fanout_hosts *set;
	char *text = NULL;
	size_t i;

	if (fanout_hosts_new(&set) != 0)
		return NULL;
	for (i = 0; i < r->count; i++)
		if (want(&r->places[i], arg) && fanout_hosts_add(set,
		    fanout_hosts_at(r->hosts, i), NULL) != 0)
			break;
	if (i < r->count || fanout_hosts_fold(set, &text) != 0)
		text = NULL;
	fanout_hosts_free(set);
	return text;
}

void
cli_cause(const struct cli_place *p, char *out, size_t size)
{
	const char *name = fanout_class_name(p->cls);

	if (p->cls == FANOUT_C_EXIT)
		snprintf(out, size, "%s %d", name, p->code);
	else if (p->cls == FANOUT_C_SIGNAL)
		snprintf(out, size, "%s %s", name, signal_name(p->code));
	else if (p->cls == FANOUT_C_CANCELED && p->code == CLI_NOT_BEGUN)
		snprintf(out, size, "%s before it began", name);
	else
		snprintf(out, size, "%s", name);
}

int
cli_cause_key(const struct cli_place *p)
{
	return p->cls << 16 | (p->code & 0xffff);
}

bool
cli_unreached(const struct cli_place *p)
{
	switch (p->cls) {
	case FANOUT_C_RESOLVE:
	case FANOUT_C_REFUSED:
	case FANOUT_C_UNREACHABLE:
	case FANOUT_C_CONNECT_TIMEOUT:
	case FANOUT_C_LOGIN_TIMEOUT:
	case FANOUT_C_HOSTKEY_UNKNOWN:
	case FANOUT_C_HOSTKEY_CHANGED:
	case FANOUT_C_ALGORITHM:
	case FANOUT_C_AUTH:
		return true;
	case FANOUT_C_LOST:
	case FANOUT_C_LOCAL:
		/* A connection lost while logging in is no login. */
		return p->stage < FANOUT_S_OPEN;
	default:
		return false;
	}
}
