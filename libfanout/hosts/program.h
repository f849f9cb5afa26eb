/*
 * program.h - is a program installed?
 */
#ifndef FO_PROGRAM_H
#define FO_PROGRAM_H

#include <stdbool.h>

bool	fo_in_path(const char *program);

#endif
