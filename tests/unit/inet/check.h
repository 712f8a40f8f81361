/* check: cmocka with the headers it needs before it, and a checksum that is independent of the code under test. */
#ifndef UNIT_INET_CHECK_H
#define UNIT_INET_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* RFC 1071 word by word, as slow and plain as it is written there; SUM is what was added before. */
static inline uint32_t plain_sum(const uint8_t *p, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return sum;
}

/* What an upper-layer packet with its pseudo-header (addresses at ADDRESSES) sums up to: 0xffff when its checksum is right. */
static inline uint32_t plain_upper_sum(
	const uint8_t *addresses, size_t addresses_len, uint8_t protocol, const uint8_t *p, size_t len)
{
	const uint8_t rest[] = {0, 0, (uint8_t)(len >> 8), (uint8_t)len, 0, 0, 0, protocol};

	return plain_sum(p, len, plain_sum(rest, sizeof(rest), plain_sum(addresses, addresses_len, 0)));
}

#endif
