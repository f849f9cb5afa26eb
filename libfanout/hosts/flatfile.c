#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "table.h"

/* One line "group: expression"; blanks around both are cut. */
static int
read_line(struct fo_table *t, char *line, const char **why)
{
	char *colon, *text, *end;
	size_t len;

	line[strcspn(line, "#\r\n")] = '\0';
	line += strspn(line, " \t");
	if (*line == '\0')
		return 0;
	*why = "expected \"group: hosts\"";
	if ((colon = strchr(line, ':')) == NULL || colon == line)
		return FANOUT_EPARSE;
	for (end = colon; end > line && (end[-1] == ' ' || end[-1] == '\t');)
		end--;
	len = (size_t)(end - line);
	*why = "a group's name has no blanks, commas or brackets";
	if (len == 0 || strcspn(line, " \t,[]@") < len)
		return FANOUT_EPARSE;
	text = colon + 1 + strspn(colon + 1, " \t");
	for (end = strchr(text, '\0'); end > text &&
	    (end[-1] == ' ' || end[-1] == '\t');)
		end--;
	*why = "out of memory";
	return fo_table_add(t, line, len, text, (size_t)(end - text));
}

int
fo_flatfile_read(struct fo_table *t, const char *path, struct fanout_error *err)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	const char *why = "";
	size_t size = 0;
	unsigned lineno = 0;
	int rc = 0;

	if (f == NULL)
		return fo_error_sys(err, "cannot open %s", path);
	while (rc == 0 && getline(&line, &size, f) != -1) {
		lineno++;
		if ((rc = read_line(t, line, &why)) != 0)
			rc = fo_error_at(err, rc, 0, lineno, "%s:%u: %s",
			    path, lineno, why);
	}
	if (rc == 0 && ferror(f))
		rc = fo_error_sys(err, "cannot read %s", path);
	free(line);
	(void)fclose(f);
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
