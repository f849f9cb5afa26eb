/*
 * trace.h - which part of a selection named a host, or took it out.
 *
 * Expressions that are given a trace note each operand with the hosts it
 * stood for; asking about one host goes through the notes in order.
 */
#ifndef FO_TRACE_H
#define FO_TRACE_H

#include <stdbool.h>
#include <stdio.h>

#include "fanout.h"

struct fo_trace;

struct fo_trace *fo_trace_new(void);	/* NULL: no memory */
void	fo_trace_free(struct fo_trace *);	/* NULL is fine */

/* What follows is of another argument: "-w", "-x", "WCOLL". exclude: what it
 * names is left out. where is copied. 0 or ENOMEM */
int	fo_trace_begin(struct fo_trace *, const char *where, bool exclude);

/* An operand and what it stood for. place: "file:line" or NULL. Takes the
 * set over, also on failure. 0 or ENOMEM */
int	fo_trace_note(struct fo_trace *, const char *place, char op,
	    const char *operand, size_t len, struct fanout_hosts *);

/* One line for each note that changed something for the host. */
void	fo_trace_print(const struct fo_trace *, const char *host, FILE *);

#endif
