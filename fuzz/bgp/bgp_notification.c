/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The decoders of the header, NOTIFICATION and ROUTE-REFRESH. The input is a stream, as from a peer's socket; reasons are printable, whatever the peer
 * says in them.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bgp/message.h"
#include "lib/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void check_printable(const char *text)
{
	size_t len = strlen(text), n;
	uint32_t point = 0;

	check(len && len < BGP_ERROR_TEXT);
	for (size_t i = 0; i < len; i += n) {
		n = text_utf8((const uint8_t *)text + i, len - i, &point);
		check(n && point >= ' ' && (point < 0x7f || point >= 0xa0));
	}
}

static void notification(struct reader body)
{
	struct bgp_error e, again;
	uint8_t buf[BGP_MESSAGE_MAX];
	struct writer w = writer_of(buf, sizeof(buf));

	bgp_notification_read(body, &e);
	check_printable(e.reason);
	bgp_notification_write(&w, &e);
	check(writer_ok(&w));
	bgp_notification_read(reader_of(buf + BGP_HEADER, writer_len(&w) - BGP_HEADER), &again);
	check(e.code == again.code && e.subcode == again.subcode && e.data_len == again.data_len);
	check(memcmp(e.data, again.data, e.data_len) == 0);
}

static void refresh(struct reader body)
{
	enum bgp_refresh_kind kind, kind_again;
	enum bgp_family family, again;
	struct bgp_error e = {0};
	uint8_t buf[64];
	struct writer w = writer_of(buf, sizeof(buf));
	int err = bgp_refresh_read(body, &family, &kind, &e);

	if (err) {
		check(err == -EAFNOSUPPORT || (e.code == BGP_ERROR_REFRESH && e.data_len >= BGP_HEADER));
		return;
	}
	bgp_refresh_write(&w, family, kind);
	check(bgp_refresh_read(reader_of(buf + BGP_HEADER, writer_len(&w) - BGP_HEADER), &again, &kind_again,
		      &e) == 0);
	check(family == again && kind == kind_again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bgp_header h;
	struct bgp_error e = {0};
	int n;

	while ((n = bgp_header_read(data, size, BGP_EXTENDED_MAX, &h, &e)) > 0 && h.length <= size) {
		struct reader body = reader_of(data + BGP_HEADER, h.length - (size_t)BGP_HEADER);

		if (h.type == BGP_NOTIFICATION)
			notification(body);
		else if (h.type == BGP_REFRESH)
			refresh(body);
		data += h.length;
		size -= h.length;
	}
	if (n < 0)
		check(e.code == BGP_ERROR_HEADER && e.reason[0]);
	return 0;
}
