/*
 * modes.h - what csshsetup does after making hosts trust a key, or instead.
 * All return 0 or an exit status that ends all, as setup_part().
 */
#ifndef MODES_H
#define MODES_H

#include "member.h"

/* mesh.c: all members trust each other. */
int	setup_mesh(struct setup *);

/* The index of --hub; FANOUT_NOHOST: there is none. */
int	mesh_hub(const struct setup *, size_t *hub);
bool	mesh_concerns(size_t hub, size_t of, size_t other);

/*
 * matrix.c: those that trust us log in to each other, or to and from the hub,
 * and it is told who cannot, and why. Hosts that cannot reach all are over.
 */
int	setup_matrix(struct setup *, const struct member *, size_t hub);

/* verify.c: who can log in where; nothing is changed. */
int	setup_verify(struct setup *);

/* Those that our keys let in are TRUSTED, others over; marked is whose sshd
 * refused. Nothing is asked but passphrases. */
int	setup_log_in(struct setup *);

/* revoke.c: keys are taken out, and proven to be refused. */
int	setup_revoke(struct setup *);

/* rotate.c: our key is replaced. */
int	setup_rotate(struct setup *);

/* audit.c: which keys may log in where. */
int	setup_audit(struct setup *);

#endif
