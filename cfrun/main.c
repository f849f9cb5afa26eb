/*
 * cfrun - the CFEngine agent on many hosts at once, now.
 */
#include <err.h>
#include <stdlib.h>

#include "cfrun.h"
#include "cli/drive.h"
#include "cli/summary.h"

int
main(int argc, char **argv)
{
	struct cfrun c;
	struct fanout_error e;
	bool shown;
	int status = 0;

	setprogname("cfrun");
	cli_prepare();
	if (cfrun_options(&c, argc, argv, &e) != 0) {
		warnx("%s%s", e.text, e.code == FANOUT_EINVAL ?
		    " (see cfrun --help)" : "");
		if (c.target.caret != NULL)
			fputs(c.target.caret, stderr);
		status = CLI_EXIT_USAGE;
	} else if (c.help)
		cfrun_usage(stdout);
	else if (c.version)
		printf("cfrun %s\n", fanout_version());
	else
		status = cfrun_run(&c);
	shown = c.help || c.version;
	cfrun_clear(&c);
	if (status == 0 && shown && fflush(stdout) == EOF)
		err(CLI_EXIT_USAGE, "standard output");
	return status;
}
