#include <string.h>

#include <openssl/evp.h>

#include "base/base64.h"
#include "base/wire.h"
#include "knownhosts.h"

int
blob_type(const void *blob, size_t len, char *buf, size_t size)
{
	const unsigned char *type;
	struct fo_rd r;
	size_t n, i;

	buf[0] = '\0';
	fo_rd_init(&r, blob, len);
	type = fo_rd_str(&r, &n);
	if (type == NULL || n == 0 || n >= size)
		return -1;
	for (i = 0; i < n; i++)
		if (type[i] <= ' ' || type[i] >= 127 || type[i] == ',')
			return -1;
	memcpy(buf, type, n);
	buf[n] = '\0';
	return 0;
}

int
fingerprint_sha256(const void *blob, size_t len, char *buf, size_t size)
{
	unsigned char md[32];
	unsigned int mdlen;
	ssize_t n;

	buf[0] = '\0';
	if (size < sizeof("SHA256:") + FO_B64_SIZE(sizeof(md)) ||
	    EVP_Digest(blob, len, md, &mdlen, EVP_sha256(), NULL) != 1)
		return -1;
	memcpy(buf, "SHA256:", 7);
	n = fo_b64_encode(md, sizeof(md), buf + 7, size - 7);
	while (n > 0 && buf[7 + n - 1] == '=')
		buf[7 + --n] = '\0';
	return 0;
}
