/*
 * csshsetup - set up ssh trust with many hosts at once.
 */
#include <err.h>
#include <stdlib.h>

#include "cli/drive.h"
#include "cli/summary.h"
#include "csshsetup.h"

int
main(int argc, char **argv)
{
	struct csshsetup c;
	struct fanout_error e;
	int status = 0;

	setprogname("csshsetup");
	cli_prepare();
	if (setup_options(&c, argc, argv, &e) != 0) {
		warnx("%s%s", e.text, e.code == FANOUT_EINVAL ?
		    " (see csshsetup --help)" : "");
		if (c.target.caret != NULL)
			fputs(c.target.caret, stderr);
		status = CLI_EXIT_USAGE;
	} else if (c.help)
		setup_usage(stdout);
	else if (c.version)
		printf("csshsetup %s\n", fanout_version());
	else
		status = setup_run(&c);
	setup_clear(&c);
	if (status == 0 && (c.help || c.version) && fflush(stdout) == EOF)
		err(CLI_EXIT_USAGE, "standard output");
	return status;
}
