/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a PPP frame: what is read lies inside, and the printed line is one printable line that
 * fits. */
#include <stdlib.h>
#include <string.h>

#include "ppp/packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void check_read(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(data, size);
	uint16_t protocol = ppp_frame_read(&r);
	struct ppp_packet p;

	check(reader_ok(&r) == (protocol != 0));
	if (!reader_ok(&r))
		return;
	check(r.pos > data && r.pos <= data + size && r.end == data + size);
	ppp_packet_read(&r, &p);
	if (!reader_ok(&r))
		return;
	check(p.data.pos >= data + 5 && p.data.end <= data + size && p.data.end == r.pos);
}

static void check_print(const uint8_t *data, size_t size, size_t room)
{
	char *text = malloc(room);

	check(text != NULL);
	ppp_frame_print(data, size, text, room);
	check(memchr(text, 0, room) != NULL);
	for (const char *c = text; *c; c++)
		check(*c >= ' ' && *c <= '~');
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_read(data, size);
	check_print(data, size, 1);
	check_print(data, size, 40);
	check_print(data, size, 1024);
	return 0;
}
