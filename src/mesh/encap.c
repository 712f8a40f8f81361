/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Encapsulations as bytes: encap.h. */
#include "mesh/encap.h"

const char *mesh_kind_name(enum mesh_kind k)
{
	static const char *const names[MESH_KINDS] = {"ipip", "gre", "l2tpv3"};

	return names[k];
}
