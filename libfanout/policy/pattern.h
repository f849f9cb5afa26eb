/*
 * pattern.h - the patterns of ssh_config(5) and known_hosts: "*", "?", lists
 * with commas, "!" for negation.
 */
#ifndef FO_PATTERN_H
#define FO_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

bool	pattern_match(const char *s, const char *pattern);

/*
 * 1: some pattern of the list matches; -1: a negated one does (that decides);
 * 0: none. lower: the list's upper case letters count as lower case, s is
 * taken as it is. len bytes of list are used.
 */
int	pattern_list_n(const char *s, const char *list, size_t len, bool lower);
int	pattern_list(const char *s, const char *list, bool lower);

/* Lower case by ASCII, in place, whatever the locale. */
void	ascii_lower(char *s);

#endif
