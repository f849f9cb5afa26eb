/*
 * knownhosts_line.h - one line of a known_hosts file.
 */
#ifndef FO_KNOWNHOSTS_LINE_H
#define FO_KNOWNHOSTS_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The older names of OpenSSL: only these hash states are plain structs that
 * can be kept by the thousand and copied without allocating. */
#define OPENSSL_API_COMPAT 0x10100000L
#include <openssl/sha.h>

enum kh_mark {
	KH_PLAIN,
	KH_CA,
	KH_REVOKE
};

/* Everything points into the line. */
struct kh_line {
	enum kh_mark mark;
	const char *names;
	size_t	 names_len;
	const char *type;
	size_t	 type_len;
	const char *key;	/* base64 */
	size_t	 key_len;
};

/*
 * 1: filled; 0: blank or a comment; -1: malformed, *why says how (static
 * text). The line needs no NUL and has no newline.
 */
int	kh_line_parse(struct kh_line *, const char *line, size_t len,
	    const char **why);

/* A key type that OpenSSH has: others are ignored as it ignores them. */
bool	kh_type_known(const char *type, size_t len);

/* The key's bytes into dst, which has room for key_len bytes and may be the
 * key's text itself. Their number, or -1: malformed. */
ssize_t	kh_line_decode(const struct kh_line *, unsigned char *dst);

/* "|1|salt|hash": HMAC-SHA1 (RFC 2104) of the name, the salt as its key. Kept
 * are the states after the key, so that a name costs two blocks of SHA-1. */
struct kh_hash {
	SHA_LONG inner[5], outer[5];
	unsigned char want[SHA_DIGEST_LENGTH];
};
#define KH_SALT_LEN SHA_DIGEST_LENGTH

/* A name to compare with many of them. */
struct kh_query {
	const char *name;	/* not owned */
	size_t	 len;
	bool	 is_short;	/* it fits into one block, made ready: */
	unsigned char block[SHA_CBLOCK];
};

bool	kh_is_hashed(const struct kh_line *);
int	kh_hash_parse(struct kh_hash *, const char *names, size_t len);
void	kh_hash_key(struct kh_hash *, const unsigned char salt[KH_SALT_LEN]);
void	kh_query_init(struct kh_query *, const char *name);
void	kh_hash_name(const struct kh_hash *, const struct kh_query *,
	    unsigned char md[SHA_DIGEST_LENGTH]);

/* Does the line name this host (as made by kh_name)? Malformed: false. */
bool	kh_line_names(const struct kh_line *, const char *name);

/*
 * The form in which a host is recorded: lower case, and "[name]:port" for
 * ports other than 0 and 22. -1: too long, or empty.
 */
#define KH_NAME_MAX 1100
int	kh_name(char buf[static KH_NAME_MAX], const char *name, unsigned port);

#endif
