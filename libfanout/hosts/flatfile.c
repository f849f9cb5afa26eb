#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "lines.h"
#include "table.h"

/* One line "group: expression". */
static int
add_line(struct fo_table *t, struct fo_lines *l, char *s,
    struct fanout_error *err)
{
	char *colon = strchr(s, ':'), *text;
	size_t len;

	if (colon == NULL || colon == s)
		return fo_lines_error(l, FANOUT_EPARSE,
		    "expected \"group: hosts\"", err);
	for (len = (size_t)(colon - s); len > 0 &&
	    (s[len - 1] == ' ' || s[len - 1] == '\t');)
		len--;
	if (len == 0 || strcspn(s, " \t,[]@") < len)
		return fo_lines_error(l, FANOUT_EPARSE,
		    "the name of a group has no blanks, commas, brackets or @",
		    err);
	text = colon + 1 + strspn(colon + 1, " \t");
	if (fo_table_add(t, s, len, text, strlen(text)) != 0)
		return fo_error(err, FANOUT_ENOMEM, "out of memory");
	return 0;
}

int
fo_flatfile_read(struct fo_table *t, const char *path, struct fanout_error *err)
{
	struct fo_lines l;
	char *s;
	int rc;

	if ((rc = fo_lines_open(&l, path, err)) != 0)
		return rc;
	while ((rc = fo_lines_next(&l, err)) == 1) {
		s = fo_lines_trim(&l);
		if (*s != '\0' && (rc = add_line(t, &l, s, err)) != 0)
			break;
	}
	fo_lines_close(&l);
	return rc;
}

int
fanout_groups_file(struct fanout_groups *g, const char *source,
    const char *path, struct fanout_error *err)
{
	struct fo_table *t = fo_table_new();
	int rc;

	if (t == NULL)
		return fo_error(err, FANOUT_ENOMEM, "out of memory");
	if ((rc = fo_flatfile_read(t, path, err)) != 0) {
		fo_table_free(t);
		return rc;
	}
	return fo_groups_add_source(g, source, &fo_table_ops, t, err);
}
