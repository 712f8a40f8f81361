/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A concentrator's engine and what the path and an initiator can do to it. */
#include "harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	harness_run(L2TP_LNS, data, size);
	return 0;
}
