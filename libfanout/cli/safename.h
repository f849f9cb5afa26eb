/*
 * safename.h - names of hosts as names of files.
 */
#ifndef CLI_SAFENAME_H
#define CLI_SAFENAME_H

#include <stddef.h>

/*
 * Whatever a host is called, its file is in the folder: '%' and two digits for
 * what is not plain, also for a '.' in front. 0, or -1 and ENAMETOOLONG.
 */
int	cli_safe_name(char *dst, size_t size, const char *name);

#endif
