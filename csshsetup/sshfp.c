/*
 * sshfp.c - fingerprints of host keys in DNS (RFC 4255, 6594, 7479).
 *
 * Only an answer that says it was validated counts (the AD bit), and that bit
 * only where resolv.conf has "options trust-ad": else glibc takes it away, as
 * anybody on the way could have set it.
 */
#include <sys/types.h>

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "expected.h"

#define T_SSHFP_RR 44
#define SHA256_KIND 2
#define SHA256_BYTES 32
#define SILENT_MAX 3

static int
algorithm(const char *key_type)
{
	static const struct {
		const char *type;
		int	 number;
	} t[] = {
		{ "ssh-rsa", 1 }, { "ssh-dss", 2 },
		{ "ecdsa-sha2-nistp256", 3 }, { "ecdsa-sha2-nistp384", 3 },
		{ "ecdsa-sha2-nistp521", 3 }, { "ssh-ed25519", 4 }
	};
	size_t i;

	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (strcmp(key_type, t[i].type) == 0)
			return t[i].number;
	return -1;
}

/* "SHA256:" and 43 letters. */
static bool
decode(const char *print, unsigned char out[SHA256_BYTES + 1])
{
	char text[45];

	if (strncmp(print, "SHA256:", 7) != 0 || strlen(print + 7) != 43)
		return false;
	(void)snprintf(text, sizeof(text), "%s=", print + 7);
	return EVP_DecodeBlock(out, (const unsigned char *)text, 44) ==
	    SHA256_BYTES + 1;
}

static enum fingerprint_verdict
check_answer(ns_msg *msg, int kind, const unsigned char *want)
{
	enum fingerprint_verdict v = PRINT_UNKNOWN;
	const unsigned char *p;
	int i;
	ns_rr rr;

	for (i = 0; i < ns_msg_count(*msg, ns_s_an); i++) {
		if (ns_parserr(msg, ns_s_an, i, &rr) != 0)
			break;
		p = ns_rr_rdata(rr);
		if ((int)ns_rr_type(rr) != T_SSHFP_RR ||
		    ns_rr_rdlen(rr) != 2 + SHA256_BYTES || p[0] != kind ||
		    p[1] != SHA256_KIND)
			continue;
		if (memcmp(p + 2, want, SHA256_BYTES) == 0)
			return PRINT_RIGHT;
		v = PRINT_WRONG;
	}
	return v;
}

enum fingerprint_verdict
sshfp_check(const char *name, const char *key_type, const char *print)
{
	unsigned char answer[8192], want[SHA256_BYTES + 1];
	struct __res_state state;
	enum fingerprint_verdict v = PRINT_UNKNOWN;
	int n, kind = algorithm(key_type);
	static unsigned silent;
	ns_msg msg;

	/* Where DNS is down, not every host waits for that to show. */
	memset(&state, 0, sizeof(state));
	if (silent >= SILENT_MAX || kind == -1 || !decode(print, want) ||
	    res_ninit(&state) != 0)
		return v;
	state.retrans = 2;
	state.retry = 2;
	state.options |= RES_USE_EDNS0 | RES_USE_DNSSEC;
	n = res_nsearch(&state, name, ns_c_in, T_SSHFP_RR, answer,
	    sizeof(answer));
	if (n > 0 && n <= (int)sizeof(answer) &&
	    ns_initparse(answer, n, &msg) == 0 &&
	    ns_msg_getflag(msg, ns_f_ad) != 0)
		v = check_answer(&msg, kind, want);
	silent = n == -1 && state.res_h_errno == TRY_AGAIN ? silent + 1 : 0;
	res_nclose(&state);
	return v;
}
