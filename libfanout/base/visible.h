/*
 * visible.h - make bytes of unknown origin safe for a terminal.
 */
#ifndef FO_VISIBLE_H
#define FO_VISIBLE_H

#include <stddef.h>

/*
 * Copy len bytes as one line: control characters and invalid UTF-8 become
 * visible (\t, \033, \M-..), newlines become spaces at the end and \n inside.
 * Always ends dst with a NUL; what does not fit is cut. Returns its length.
 */
size_t	fo_vis_line(char *dst, size_t size, const char *src, size_t len);

/*
 * Length of the valid UTF-8 sequence at s (1 to 4), 0 if there is none.
 * Overlong forms, surrogates and values over U+10FFFF are not valid
 * (RFC 3629).
 */
size_t	fo_utf8_len(const char *s, size_t len);

#endif
