/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files with secrets, and what a CHAP response is compared with. */
#include "aaa/secret.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "aaa/aaa.h"

static int check_stat(const struct stat *st, size_t max, char why[128])
{
	unsigned mode = st->st_mode & 07777;

	if (!S_ISREG(st->st_mode)) {
		snprintf(why, 128, "is not a regular file");
		return -EINVAL;
	}
	if (mode & 0066) {
		snprintf(why, 128, "mode %04o: others can %s secrets; chmod 600 FILE", mode,
			mode & 0044 ? "read" : "change");
		return -EPERM;
	}
	if (st->st_uid != 0 && st->st_uid != geteuid()) {
		snprintf(why, 128, "belongs to user id %u, who can read and change secrets; chown root FILE",
			(unsigned)st->st_uid);
		return -EPERM;
	}
	if (st->st_size < 0 || (uint64_t)st->st_size > max) {
		snprintf(why, 128, "has more than %zu bytes", max);
		return -EINVAL;
	}
	return 0;
}

/* By position, so that a descriptor that was read before does as well. */
static ssize_t read_all(int fd, char *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, data + done, len - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

int secret_file_read(int fd, size_t max, char **ret, size_t *ret_len, char why[128])
{
	struct stat st;
	char *data;
	ssize_t n;
	int rc;

	if (fstat(fd, &st)) {
		rc = -errno;
		snprintf(why, 128, "cannot be read: %s", strerror(-rc));
		return rc;
	}
	rc = check_stat(&st, max, why);
	if (rc)
		return rc;
	data = malloc((size_t)st.st_size + 1);
	if (!data) {
		snprintf(why, 128, "out of memory");
		return -ENOMEM;
	}
	n = read_all(fd, data, (size_t)st.st_size);
	if (n < 0) {
		snprintf(why, 128, "cannot be read: %s", strerror((int)-n));
		explicit_bzero(data, (size_t)st.st_size);
		free(data);
		return (int)n;
	}
	data[n] = '\0';
	*ret = data;
	*ret_len = (size_t)n;
	return 0;
}

int aaa_read_secret(int fd, char secret[AAA_SECRET_MAX + 1], size_t *ret_len, char why[128])
{
	char *data = NULL;
	size_t len, size = 0;
	const char *problem = NULL;
	int rc = secret_file_read(fd, 4096, &data, &size, why);

	if (rc || !data)
		return rc;
	len = size;
	if (len && data[len - 1] == '\n')
		len--;
	if (len && data[len - 1] == '\r')
		len--;
	if (!len)
		problem = "is empty: the secret must be its only line";
	else if (memchr(data, 0, len))
		problem = "has a NUL byte: the secret must be one line of text";
	else if (memchr(data, '\n', len))
		problem = "has more than one line: the secret must be its only line";
	else if (len > AAA_SECRET_MAX)
		problem = "has a secret of more than 255 bytes";
	if (problem) {
		snprintf(why, 128, "%s", problem);
	} else {
		memcpy(secret, data, len);
		secret[len] = '\0';
		*ret_len = len;
	}
	explicit_bzero(data, size);
	free(data);
	return problem ? -EINVAL : 0;
}

bool aaa_chap_md5_ok(uint8_t id, const void *secret, size_t secret_len, const uint8_t *challenge,
	size_t challenge_len, const uint8_t *response, size_t response_len)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned digest_len = 0;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_md5(), NULL) && EVP_DigestUpdate(ctx, &id, 1) &&
		  EVP_DigestUpdate(ctx, secret, secret_len) &&
		  EVP_DigestUpdate(ctx, challenge, challenge_len) &&
		  EVP_DigestFinal_ex(ctx, digest, &digest_len);

	ok = ok && response_len == digest_len && !CRYPTO_memcmp(digest, response, digest_len);
	EVP_MD_CTX_free(ctx);
	explicit_bzero(digest, sizeof(digest));
	return ok;
}
