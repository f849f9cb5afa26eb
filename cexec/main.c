/*
 * cexec - run a command on many hosts at once.
 */
#include <err.h>
#include <stdlib.h>

#include "cexec.h"
#include "cli/drive.h"
#include "cli/summary.h"

int
main(int argc, char **argv)
{
	struct cexec c;
	struct fanout_error e;
	int status = 0;

	setprogname("cexec");
	cli_prepare();
	if (cexec_options(&c, argc, argv, &e) != 0) {
		warnx("%s%s", e.text, e.code == FANOUT_EINVAL ?
		    " (see cexec --help)" : "");
		if (c.target.caret != NULL)
			fputs(c.target.caret, stderr);
		status = CLI_EXIT_USAGE;
	} else if (c.help)
		cexec_usage(stdout);
	else if (c.version)
		printf("cexec %s\n", fanout_version());
	else
		status = cexec_run(&c);
	cexec_clear(&c);
	if (status == 0 && (c.help || c.version) && fflush(stdout) == EOF)
		err(CLI_EXIT_USAGE, "standard output");
	return status;
}
