/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that runs out at every place where a link asks for some: the link ends or goes on, and nothing
 * leaks or crashes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pair.h"

void *__wrap_calloc(size_t n, size_t size);
void *__real_calloc(size_t n, size_t size);

static int left = -1; /* allocations that succeed; -1: all */

void *__wrap_calloc(size_t n, size_t size)
{
	if (left == 0)
		return NULL;
	if (left > 0)
		left--;
	return __real_calloc(n, size);
}

static struct pair p;

static void open_tells_that_there_is_no_memory(void **state)
{
	pair_init(&p, 1);
	left = 0;
	assert_int_equal(ppp_link_open(&p.sc.link, &p.sc.config, 1460, p.now), -ENOMEM);
	left = -1;
	assert_int_equal(p.sc.sent_count, 0);
	ppp_link_done(&p.sc.link);
	pair_done(&p);
}

static void negotiation_again_without_memory_ends_the_link(void **state)
{
	pair_init(&p, 1);
	pair_open(&p);
	pair_run(&p, 500);
	left = 0;
	ppp_automaton_restart(&p.si.link.lcp, "test", p.now);
	pair_run(&p, 20000);
	left = -1;
	assert_int_equal(p.sc.downs, 1);
	assert_int_equal(p.si.downs, 1);
	assert_string_equal(p.sc.why.text, "out of memory");
	pair_done(&p);
}

static void closing_needs_no_memory(void **state)
{
	pair_init(&p, 1);
	pair_open(&p);
	pair_run(&p, 500);
	left = 0;
	ppp_link_close_ncp(&p.sc.link, PPP_IPV6CP, "a reason", p.now);
	assert_string_equal(p.sc.ncp_why, "IPV6CP closed");
	ppp_link_close(&p.sc.link, "a reason", p.now);
	pair_run(&p, 20000);
	left = -1;
	assert_int_equal(p.sc.downs, 1);
	assert_int_equal(p.si.downs, 1);
	pair_done(&p);
}

static void every_allocation_may_fail(void **state)
{
	for (int i = 0; i < 40; i++) {
		enum ppp_method method = 1 + i % 4;

		pair_init(&p, 1);
		pair_ipv4(&p, false);
		p.sc.config.demand[0] = p.si.config.demand[0] = method;
		p.sc.config.give = p.si.config.give = (uint8_t)(1 << method);
		p.sc.config.give_auth = p.sc.config.prove_last = true;
		p.sc.own_secret = p.si.accept_secret = "other";
		p.si.accept_name = "concentrator";
		p.si.config.demand_auth = true;
		p.si.iid = p.sc.iid; /* Naks, which remember what they suggest */
		left = 2 + i / 4;
		pair_open(&p);
		pair_run(&p, 500);
		ppp_automaton_restart(&p.si.link.lcp, "test", p.now);
		pair_run(&p, 500);
		ppp_link_close_ncp(&p.si.link, PPP_IPCP, "test", p.now);
		ppp_link_close(&p.sc.link, "test", p.now);
		pair_run(&p, 60000);
		left = -1;
		assert_int_equal(p.sc.downs, 1);
		assert_int_equal(p.si.downs, 1);
		pair_done(&p);
	}
}

/* EAP keeps the packets that it may have to repeat: without memory for them the link ends, or the packet is as good as lost. */
static void eap_without_memory_ends_the_link_or_waits(void **state)
{
	for (int n = 0; n < 4; n++) {
		pair_init(&p, 1);
		p.sc.config.demand[0] = PPP_METHOD_EAP;
		p.si.config.give = 1 << PPP_METHOD_EAP;
		pair_open(&p);
		pair_run(&p, 15); /* LCP is about to open */
		left = n;
		pair_run(&p, 200);
		left = -1;
		pair_run(&p, 60000);
		if (p.sc.downs + p.si.downs)
			assert_true(strstr(p.sc.why.text, "EAP: there is no") ||
				    strstr(p.si.why.text, "EAP: there is no") ||
				    strstr(p.sc.why.text, "out of memory") ||
				    strstr(p.si.why.text, "out of memory"));
		else
			assert_true(ppp_link_ncp_open(&p.sc.link, PPP_IPV6CP));
		assert_int_equal(p.sc.downs, p.si.downs);
		pair_done(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_tells_that_there_is_no_memory),
		cmocka_unit_test(negotiation_again_without_memory_ends_the_link),
		cmocka_unit_test(closing_needs_no_memory),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(eap_without_memory_ends_the_link_or_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
