/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The life of a configuration. */
#include "afbr/config.h"

#include <stdlib.h>
#include <string.h>

struct afbr_config *afbr_config_new(void)
{
	struct afbr_config *c = calloc(1, sizeof(*c));

	if (c)
		c->refs = 1;
	return c;
}

struct afbr_config *afbr_config_ref(const struct afbr_config *c)
{
	struct afbr_config *mine = (struct afbr_config *)c;

	if (mine)
		mine->refs++;
	return mine;
}

void afbr_config_unref(struct afbr_config *c)
{
	if (!c || --c->refs)
		return;
	for (unsigned i = 0; i < c->policy_count; i++)
		policy_done(&c->policies[i]);
	free(c->policies);
	free(c->neighbors);
	free(c->networks);
	free(c);
}

const struct policy *afbr_config_policy(const struct afbr_config *c, const char *name)
{
	for (unsigned i = 0; i < c->policy_count; i++)
		if (!strcmp(c->policies[i].name, name))
			return &c->policies[i];
	return NULL;
}
