/* control/rules: what the files with rules about several settings share. Not for other folders. */
#ifndef CONTROL_RULES_H
#define CONTROL_RULES_H

#include "control/keys.h"

static inline bool rule_is_set(const config_setting_t *group, const char *key)
{
	return config_setting_get_member(group, key) != NULL;
}

/* The place of KEY in GROUP, or of the group where it is left to its default. */
static inline const config_setting_t *rule_at(const config_setting_t *group, const char *key)
{
	const config_setting_t *s = config_setting_get_member(group, key);

	return s ? s : group;
}

/* The group KEY of S, or NULL. */
static inline const config_setting_t *rule_group(const config_setting_t *s, const char *key)
{
	const config_setting_t *group = s ? config_setting_get_member(s, key) : NULL;

	return group && config_setting_is_group(group) ? group : NULL;
}

void check_pools(struct problems *r, const config_setting_t *group, struct concentrator_config *con);

#endif
