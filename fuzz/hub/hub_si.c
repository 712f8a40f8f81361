/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An initiator's engine and what the path and a concentrator can do to it. */
#include "harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	harness_run(L2TP_LAC, data, size);
	return 0;
}
