/*
 * wire.h - the data types of SSH messages (RFC 4251 section 5): reading them
 * from bytes of unknown origin, and writing them into a growing buffer.
 *
 * Both sides are sticky: after the first failure every further call does
 * nothing, so that a caller may check once, at the end.
 */
#ifndef FO_WIRE_H
#define FO_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- reading ----------------------------------------------------------- */

struct fo_rd {
	const unsigned char *p;	/* what is left; not owned */
	size_t	 len;
	bool	 bad;		/* something was missing or too long */
};

void	fo_rd_init(struct fo_rd *, const void *, size_t);
uint8_t	fo_rd_u8(struct fo_rd *);	/* 0 when bad */
uint32_t fo_rd_u32(struct fo_rd *);	/* 0 when bad */

/* A length and so many bytes. The result points into the input; NULL with
 * *len 0 when bad. */
const unsigned char *fo_rd_str(struct fo_rd *, size_t *len);

/* So many bytes without a length; NULL when there are fewer. */
const unsigned char *fo_rd_raw(struct fo_rd *, size_t len);

/* A multiple precision integer that is not negative: its bytes without
 * leading zeros. NULL when bad, and *len is 0. */
const unsigned char *fo_rd_mpint(struct fo_rd *, size_t *len);

/* Is the string that comes next exactly s? It is taken in any case. */
bool	fo_rd_is(struct fo_rd *, const char *s);

/* ---- writing ----------------------------------------------------------- */

#define FO_WR_MAX (1024 * 1024)	/* no message of ours comes near it */

struct fo_wr {
	unsigned char *p;	/* malloc(3)ed; see fo_wr_free, fo_wr_take */
	size_t	 len, cap;
	bool	 bad;		/* out of memory, or over FO_WR_MAX */
};

void	fo_wr_init(struct fo_wr *);
void	fo_wr_free(struct fo_wr *);	/* wipes: it may hold key material */
unsigned char *fo_wr_take(struct fo_wr *, size_t *len);	/* NULL: was bad */

void	fo_wr_u8(struct fo_wr *, uint8_t);
void	fo_wr_u32(struct fo_wr *, uint32_t);
void	fo_wr_raw(struct fo_wr *, const void *, size_t);
void	fo_wr_str(struct fo_wr *, const void *, size_t);
void	fo_wr_cstr(struct fo_wr *, const char *);
/* Unsigned big-endian bytes as an mpint, leading zeros dropped. */
void	fo_wr_mpint(struct fo_wr *, const void *, size_t);

#endif
