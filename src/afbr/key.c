/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TCP-MD5 (RFC 2385): the kernel signs and looks at signatures; we give it the keys. A key is in our memory only between its file and the kernel.
 *
 * What is signed wrongly never reaches us: the kernel drops it without a word to anybody. All that can be known of it are the kernel's counters, of the whole
 * host, and that nothing comes from a neighbour whose segments are to be signed.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aaa/aaa.h"
#include "afbr/parts.h"

_Static_assert((int)AFBR_KEY == (int)TCP_MD5SIG_MAXKEYLEN, "the kernel's keys");

void key_wipe(struct afbr_key *k)
{
	explicit_bzero(k, sizeof(*k));
}

int key_read(int fd, struct afbr_key *ret, char why[128])
{
	char secret[AAA_SECRET_MAX + 1];
	size_t len = 0;
	int r = aaa_read_secret(fd, secret, &len, why);

	close(fd);
	if (!r && len > AFBR_KEY) {
		snprintf(why, 128, "has a password of %zu bytes; TCP-MD5 takes %d at most", len, AFBR_KEY);
		r = -EINVAL;
	}
	if (!r) {
		*ret = (struct afbr_key){.len = (uint8_t)len};
		memcpy(ret->text, secret, len);
	}
	explicit_bzero(secret, sizeof(secret));
	return r;
}

static void explain(int error, char why[128])
{
	if (error == ENOPROTOOPT || error == EOPNOTSUPP)
		snprintf(why, 128, "this kernel has no TCP-MD5 (CONFIG_TCP_MD5SIG)");
	else if (error == ENOMEM || error == ENOBUFS)
		snprintf(why, 128, "no room for another TCP-MD5 key: net.core.optmem_max is too small");
	else
		snprintf(why, 128, "TCP-MD5: %s", strerror(error));
}

int key_set(int fd, const struct addr *peer, const struct afbr_key *key, char why[128])
{
	const struct endpoint e = {.addr = *peer};
	struct tcp_md5sig sig = {.tcpm_keylen = key->len};
	int r = 0;

	(void)endpoint_to_sockaddr(&e, &sig.tcpm_addr);
	memcpy(sig.tcpm_key, key->text, key->len);
	if (setsockopt(fd, IPPROTO_TCP, TCP_MD5SIG, &sig, sizeof(sig)))
		r = -errno;
	explicit_bzero(&sig, sizeof(sig));
	/* Taking away what is not there. */
	if (!key->len && (r == -ENOENT || r == -ENOPROTOOPT))
		r = 0;
	if (r)
		explain(-r, why);
	return r;
}

uint64_t key_wrong(void)
{
	static const char *const names[] = {"TCPMD5NotFound", "TCPMD5Unexpected", "TCPMD5Failure"};
	char line[2][8192], *rest[2] = {NULL, NULL};
	FILE *f = fopen("/proc/net/netstat", "re");
	uint64_t sum = 0;

	if (!f)
		return 0;
	/* Two lines for each group: names, values. */
	while (fgets(line[0], sizeof(line[0]), f) && fgets(line[1], sizeof(line[1]), f)) {
		const char *name = strtok_r(line[0], " \n", &rest[0]),
			   *value = strtok_r(line[1], " \n", &rest[1]);

		for (; name && value;
			name = strtok_r(NULL, " \n", &rest[0]), value = strtok_r(NULL, " \n", &rest[1]))
			for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
				if (!strcmp(name, names[i]))
					sum += strtoull(value, NULL, 10);
	}
	(void)fclose(f);
	return sum;
}
