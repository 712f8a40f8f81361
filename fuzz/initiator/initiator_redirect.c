/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text of a "try another". An address that is followed is one that a server can have, and reads the same again. */
#include <stdlib.h>
#include <string.h>

#include "initiator/role.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct endpoint by = {.addr = {.family = AF_INET, .bytes = {192, 0, 2, 1}}, .port = L2TP_PORT};
	char text[L2TP_MESSAGE_MAX], again[ENDPOINT_TEXT];
	struct l2tp_text said = {data, size};
	struct endpoint at = {0}, second = {0};

	l2tp_text_print(&said, text, sizeof(text)); /* as the engine does before anybody looks at it */
	if (!initiator_redirect_parse(text, &by, &at)) {
		check(!at.port && addr_is_none(&at.addr));
		return 0;
	}
	check(at.port && !addr_is_unspecified(&at.addr) && !addr_is_multicast(&at.addr));
	check(!addr_is_loopback(&at.addr) && !addr_is_link_local(&at.addr));
	check(initiator_redirect_parse(endpoint_print(&at, again), &by, &second));
	check(endpoint_equal(&at, &second));
	return 0;
}
