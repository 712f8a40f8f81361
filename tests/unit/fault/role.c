/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See role.h. */
#include "role.h"

static struct loop *armed;

void role_arm(struct loop *l)
{
	armed = l;
}

bool role_is_armed(void)
{
	return armed != NULL;
}

void role_keep_answer(void *owner, int result, int fd)
{
	*(struct role_answer *)owner = (struct role_answer){result, fd};
}

int __real_uv_run(uv_loop_t *loop, uv_run_mode mode);
int __wrap_uv_run(uv_loop_t *loop, uv_run_mode mode);

int __wrap_uv_run(uv_loop_t *loop, uv_run_mode mode)
{
	bool before = inject_on(armed != NULL);
	int result = __real_uv_run(loop, mode);

	inject_on(before);
	return result;
}

void __real_wheel_advance(struct wheel *w, msec now);
void __wrap_wheel_advance(struct wheel *w, msec now);

/* The test's peers have a wheel of their own. */
void __wrap_wheel_advance(struct wheel *w, msec now)
{
	bool before = inject_on(armed && w == &armed->wheel);

	__real_wheel_advance(w, now);
	inject_on(before);
}
