/*
 * index.h - texts of many members, found by what they are.
 */
#ifndef INDEX_H
#define INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct entry {
	const char *text;	/* not ours */
	size_t	 len;
	size_t	 member;
	size_t	 part;		/* of the member: which of its keys */
	uint64_t seen;		/* the caller's */
};

struct index {
	struct entry *list;
	size_t	 count, room;
};

/* 0, or -1 without memory. */
int	index_add(struct index *, const char *text, size_t len, size_t member,
	    size_t part);
void	index_sort(struct index *);	/* once, when all are in */
void	index_clear(struct index *);

/* The first one of that text; those that are equal follow. NULL: none. */
struct entry *index_find(const struct index *, const char *, size_t);
struct entry *index_again(const struct index *, const struct entry *);

#endif
