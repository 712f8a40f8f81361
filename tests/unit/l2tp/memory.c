/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every allocation of a tunnel's life fails once: the tunnel may end, but in good order. Linked with malloc and calloc wrapped. */
#include "pipe.h"

#include <errno.h>
#include <stdlib.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);

static long fail_in; /* allocations until the one that fails; negative: none */
static bool counting;

static bool fails(void)
{
	return counting && fail_in-- == 0;
}

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

static struct pipe p;

/* Returns false when the first allocation of the initiator failed: there is no tunnel. */
static bool open_pipe(void)
{
	int err = l2tp_tunnel_open(&p.si.t, &p.si.config, 0x1111, 0x3333, 7, p.now);

	assert_true(!err || err == -ENOMEM);
	p.si.live = !err;
	return !err;
}

static void a_failed_allocation_ends_it_in_good_order(void **state)
{
	long survived = 0;

	for (long n = 0; n < 40; n++) {
		pipe_init(&p);
		p.si.secret = p.sc.secret = "sesame";
		p.si.config.hello_ms = 20000;
		fail_in = n;
		counting = true;
		if (open_pipe()) {
			pipe_run(&p, p.now + 50000);
			if (p.si.live)
				l2tp_tunnel_close(&p.si.t, L2TP_STOP_CLEAR, 0, "bye", p.now);
			pipe_run(&p, p.now + 300000);
			assert_int_equal(p.si.closed, 1);
			assert_int_equal(p.si.released, 1);
			assert_true(p.sc.closed <= 1 && p.sc.closed == p.sc.released);
			survived += p.si.why.cause == L2TP_CAUSE_LOCAL;
		}
		counting = false;
		pipe_done(&p);
	}
	assert_true(fail_in > 0); /* the last round had fewer allocations than that */
	assert_true(survived > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_failed_allocation_ends_it_in_good_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
