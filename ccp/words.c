#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/error.h"
#include "cli/visible.h"
#include "words.h"

/* ---- to a line ------------------------------------------------------------- */

static bool
plain(const char *word)
{
	static const char good[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+@%:,=/-";

	return *word != '\0' && word[strspn(word, good)] == '\0';
}

/* Fit for single quotes, which change nothing? */
static bool
fit(const char *word)
{
	const unsigned char *p = (const unsigned char *)word;
	size_t n, len = strlen(word);

	for (; len > 0; p += n, len -= n)
		if ((n = cli_utf8(p, len)) == 0 || *p < ' ' || *p == 0x7f ||
		    *p == '\'')
			return false;
	return true;
}

static void
put_word(FILE *fp, const char *word)
{
	const unsigned char *p = (const unsigned char *)word;
	size_t n, len = strlen(word);

	if (plain(word)) {
		fputs(word, fp);
		return;
	}
	if (fit(word)) {
		fprintf(fp, "'%s'", word);
		return;
	}
	fputs("$'", fp);
	for (; len > 0; p += n, len -= n) {
		n = cli_utf8(p, len);
		if (n == 0 || *p < ' ' || *p == 0x7f || *p == '\'' ||
		    *p == '\\') {
			n = 1;
			fprintf(fp, "\\%03o", *p);
		} else
			fwrite(p, 1, n, fp);
	}
	putc('\'', fp);
}

char *
words_quote(char *const *words)
{
	char *line = NULL;
	size_t i, size;
	FILE *fp;

	if ((fp = open_memstream(&line, &size)) == NULL)
		return NULL;
	for (i = 0; words[i] != NULL; i++) {
		if (i > 0)
			putc(' ', fp);
		put_word(fp, words[i]);
	}
	if (fclose(fp) == 0)
		return line;
	free(line);
	return NULL;
}

/* ---- from a line ----------------------------------------------------------- */

static int
octal(const char *p)
{
	int i, n = 0;

	for (i = 0; i < 3; i++) {
		if (p[i] < '0' || p[i] > '7')
			return -1;
		n = n * 8 + p[i] - '0';
	}
	return n > 0 && n < 256 ? n : -1;
}

/* One word: returns what is behind it, NULL if it is none of ours; *out goes
 * on behind its end. */
static const char *
take_word(const char *p, char **out)
{
	const char *begin = p;
	bool dollar = *p == '$';
	int c;

	if (*p != '$' && *p != '\'') {
		while (*p != ' ' && *p != '\0' && *p != '\'' && *p != '\\')
			*(*out)++ = *p++;
		return p > begin && (*p == ' ' || *p == '\0') ? p : NULL;
	}
	p += dollar;
	if (*p++ != '\'')
		return NULL;
	while (*p != '\'') {
		if (*p == '\0')
			return NULL;
		if (dollar && *p == '\\') {
			if ((c = octal(p + 1)) == -1)
				return NULL;
			*(*out)++ = (char)c;
			p += 4;
		} else
			*(*out)++ = *p++;
	}
	p++;
	return *p == ' ' || *p == '\0' ? p : NULL;
}

int
words_parse(char ***words, const char *line, struct fanout_error *e)
{
	size_t n = 0, most = strlen(line) / 2 + 2;
	char **list, *text;

	/* The list, then the words: none is longer than it was. */
	if ((list = calloc(1, most * sizeof(*list) + strlen(line) + 1)) == NULL)
		return cli_nomem(e);
	text = (char *)(list + most);
	while (*line != '\0') {
		list[n++] = text;
		if ((line = take_word(line, &text)) == NULL) {
			free(list);
			return cli_error(e, FANOUT_EINVAL, "the report does "
			    "not tell which files were copied");
		}
		*text++ = '\0';
		line += *line == ' ';
	}
	*words = list;
	return 0;
}

/* ---- from any folder ------------------------------------------------------- */

char *
words_absolute(const char *path)
{
	char *cwd, *whole;

	if (*path == '/')
		return strdup(path);
	if ((cwd = getcwd(NULL, 0)) == NULL)
		return NULL;
	while (path[0] == '.' && path[1] == '/')
		path += 2 + strspn(path + 2, "/");
	if (asprintf(&whole, "%s/%s", strcmp(cwd, "/") == 0 ? "" : cwd,
	    path) == -1)
		whole = NULL;
	free(cwd);
	return whole;
}

char *
words_command(char *const *words, bool gather)
{
	char **list, *line = NULL;
	size_t i, n = 0;

	while (words[n] != NULL)
		n++;
	if ((list = calloc(n + 1, sizeof(*list))) == NULL)
		return NULL;
	for (i = 0; i < n; i++) {
		list[i] = (i == n - 1 && n > 1) == gather ?
		    words_absolute(words[i]) : strdup(words[i]);
		if (list[i] == NULL)
			break;
	}
	if (i == n)
		line = words_quote(list);
	for (i = 0; i < n; i++)
		free(list[i]);
	free(list);
	return line;
}
