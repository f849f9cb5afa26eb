/*
 * modes.h - what csshsetup does instead of, or after, making hosts trust a key.
 */
#ifndef MODES_H
#define MODES_H

#include "setup.h"

/* mesh.c: all members trust each other. */
int	setup_mesh(struct setup *);

#endif
