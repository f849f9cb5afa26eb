/*
 * ccp - copy files to many hosts at once.
 */
#include <err.h>
#include <stdlib.h>

#include "ccp.h"
#include "cli/drive.h"
#include "cli/summary.h"

int
main(int argc, char **argv)
{
	struct ccp c;
	struct fanout_error e;
	int status = 0;

	setprogname("ccp");
	cli_prepare();
	if (ccp_options(&c, argc, argv, &e) != 0) {
		warnx("%s%s", e.text, e.code == FANOUT_EINVAL ?
		    " (see ccp --help)" : "");
		if (c.target.caret != NULL)
			fputs(c.target.caret, stderr);
		status = CLI_EXIT_USAGE;
	} else if (c.help)
		ccp_usage(stdout);
	else if (c.version)
		printf("ccp %s\n", fanout_version());
	else
		status = ccp_run(&c);
	ccp_clear(&c);
	if (status == 0 && (c.help || c.version) && fflush(stdout) == EOF)
		err(CLI_EXIT_USAGE, "standard output");
	return status;
}
