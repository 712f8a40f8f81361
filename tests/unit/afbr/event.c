/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the log says of a neighbour, and how often. */
#include "afbr/softwires.h"
#include "engine.h"

static unsigned lines_with(const char *log, const char *words)
{
	unsigned count = 0;

	for (const char *at = log; (at = strstr(at, words)); at++)
		count++;
	return count;
}

/* proves: SEC-CTRL-4 partial */
static void a_flood_of_wrong_updates_is_limited_and_does_not_hide_the_sessions_end(void **state)
{
	struct stage *s = stage_new();
	struct bgp_neighbor *n = stage_neighbor(s, "ce1", "127.0.0.1", 65001),
			    *other = stage_neighbor(s, "ce2", "127.0.0.2", 65002);
	const struct bgp_error error = {.code = BGP_ERROR_UPDATE, .reason = "the attribute is too short"};
	char log[LOGGED];

	for (unsigned i = 0; i < 1000; i++)
		event_tell(&s->bgp, &(struct bgp_event){.kind = BGP_EVENT_UPDATE,
					    .neighbor = n,
					    .outcome = BGP_WITHDRAW,
					    .error = &error});
	event_tell(&s->bgp, &(struct bgp_event){.kind = BGP_EVENT_STATE,
				    .neighbor = n,
				    .from = BGP_ESTABLISHED,
				    .to = BGP_IDLE,
				    .error = &error});
	event_tell(&s->bgp, &(struct bgp_event){.kind = BGP_EVENT_UPDATE,
				    .neighbor = other,
				    .outcome = BGP_WITHDRAW,
				    .error = &error});
	stage_log(s, log);
	assert_in_range(lines_with(log, "event=bgp-update neighbor=ce1"), 10, 100);
	assert_int_equal(lines_with(log, "event=bgp-down neighbor=ce1"), 1);
	assert_int_equal(lines_with(log, "event=bgp-update neighbor=ce2"), 1);
	assert_non_null(strstr(log, "reason=\"the attribute is too short\""));
	stage_free(s);
}

static void tell_state(struct stage *s, struct bgp_neighbor *n, enum bgp_state from, enum bgp_state to)
{
	n->state = to;
	event_tell(
		&s->bgp, &(struct bgp_event){.kind = BGP_EVENT_STATE, .neighbor = n, .from = from, .to = to});
}

/* Not while its routes are kept, for it may go on forwarding: RFC 4724. */
static void softwires_hear_of_sessions_whose_routes_go(void **state)
{
	static struct softwires softwires;
	struct stage *s = stage_new();
	struct bgp_neighbor *n = stage_neighbor(s, "afbr2", "127.0.0.1", 65000);
	struct addr there = n->config.address;

	tell_state(s, n, BGP_OPEN_CONFIRM, BGP_ESTABLISHED);
	assert_int_equal(s->peers_told, 0); /* there are no softwires */
	s->role.softwires = &softwires;
	tell_state(s, n, BGP_OPEN_CONFIRM, BGP_ESTABLISHED);
	assert_true(s->peers_told == 1 && s->peer_up && addr_equal(&s->peer_told, &there));
	tell_state(s, n, BGP_ESTABLISHED, BGP_ACTIVE); /* they are kept */
	assert_int_equal(s->peers_told, 1);
	event_tell(&s->bgp, &(struct bgp_event){.kind = BGP_EVENT_STALE, .neighbor = n});
	assert_int_equal(s->peers_told, 1);
	event_tell(&s->bgp, &(struct bgp_event){.kind = BGP_EVENT_STALE, .neighbor = n, .final = true});
	assert_true(s->peers_told == 2 && !s->peer_up);
	tell_state(s, n, BGP_OPEN_CONFIRM, BGP_ESTABLISHED);
	n->flushing = true;
	tell_state(s, n, BGP_ESTABLISHED, BGP_IDLE);
	assert_true(s->peers_told == 4 && !s->peer_up && addr_equal(&s->peer_told, &there));
	s->role.softwires = NULL;
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flood_of_wrong_updates_is_limited_and_does_not_hide_the_sessions_end),
		cmocka_unit_test(softwires_hear_of_sessions_whose_routes_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
