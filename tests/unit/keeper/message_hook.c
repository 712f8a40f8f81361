/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The form of requests with lists of texts: hooks, whose words become a command line and an environment, and bridges. */
#include "good.h"

static void hook_with_relative_path(struct message_request *r)
{
	memmove(r->body.hook.path, r->body.hook.path + 1, MESSAGE_HOOK_PATH - 1);
}

static void hook_with_endless_path(struct message_request *r)
{
	memset(r->body.hook.path, '/', MESSAGE_HOOK_PATH);
}

static void hook_with_hidden_tail(struct message_request *r)
{
	r->body.hook.path[MESSAGE_HOOK_PATH - 1] = 'x';
}

static void hook_without_event(struct message_request *r)
{
	memset(r->body.hook.event, 0, MESSAGE_HOOK_EVENT);
}

static void hook_for_an_option(struct message_request *r)
{
	r->body.hook.event[0] = '-';
}

static void hook_for_capitals(struct message_request *r)
{
	r->body.hook.event[0] = 'S';
}

static void hook_for_two_words(struct message_request *r)
{
	r->body.hook.event[8] = ' ';
}

static void hook_for_an_endless_event(struct message_request *r)
{
	memset(r->body.hook.event, 'x', MESSAGE_HOOK_EVENT);
}

static void hook_with_hidden_event(struct message_request *r)
{
	r->body.hook.event[MESSAGE_HOOK_EVENT - 1] = 'x';
}

static void hook_without_key(struct message_request *r)
{
	memset(r->body.hook.key, 0, MESSAGE_HOOK_KEY);
}

static void hook_with_endless_key(struct message_request *r)
{
	memset(r->body.hook.key, 'k', MESSAGE_HOOK_KEY);
}

static void hook_with_hidden_key(struct message_request *r)
{
	r->body.hook.key[100] = 'k';
}

static void too_many_variables(struct message_request *r)
{
	r->body.hook.count = KEEPER_HOOK_VARIABLES + 1;
}

static void billions_of_variables(struct message_request *r)
{
	r->body.hook.count = 0xffffffff;
}

static void variables_that_are_missing(struct message_request *r)
{
	r->body.hook.count = 3;
}

static void variables_that_are_not_counted(struct message_request *r)
{
	r->body.hook.count = 1;
}

static void variables_without_an_end(struct message_request *r)
{
	memset(r->body.hook.variables + 38, 'x', KEEPER_HOOK_BYTES - 38);
}

static void variables_behind_the_last_byte(struct message_request *r)
{
	r->body.hook.count = 1;
	memset(r->body.hook.variables, 'X', KEEPER_HOOK_BYTES);
	memcpy(r->body.hook.variables, "SOFTWIRE_", 9);
	r->body.hook.variables[40] = '=';
}

static void variables_with_hidden_tail(struct message_request *r)
{
	r->body.hook.variables[KEEPER_HOOK_BYTES - 1] = 'x';
}

static void variable(struct message_request *r, const char *text)
{
	r->body.hook.count = 1;
	memset(r->body.hook.variables, 0, KEEPER_HOOK_BYTES);
	memcpy(r->body.hook.variables, text, strlen(text));
}

static void variable_that_is_path(struct message_request *r)
{
	variable(r, "PATH=/tmp");
}

static void variable_in_small_letters(struct message_request *r)
{
	variable(r, "SOFTWIRE_user=alice");
}

static void variable_without_a_name(struct message_request *r)
{
	variable(r, "SOFTWIRE_=alice");
}

static void variable_without_a_value(struct message_request *r)
{
	variable(r, "SOFTWIRE_USER");
}

static void variable_that_is_empty(struct message_request *r)
{
	variable(r, "");
}

static void variable_that_is_a_function(struct message_request *r)
{
	variable(r, "SOFTWIRE_USER()=() { :; }");
}

static void variable_with_newline(struct message_request *r)
{
	variable(r, "SOFTWIRE_USER=alice\nPATH=/tmp");
}

static void variable_beyond_ascii(struct message_request *r)
{
	variable(r, "SOFTWIRE_USER=al\xc3\xad"
		    "ce");
}

static void variable_with_delete(struct message_request *r)
{
	variable(r, "SOFTWIRE_USER=alic\x7f");
}

static void variable_with_a_long_name(struct message_request *r)
{
	char text[80] = "SOFTWIRE_";

	memset(text + 9, 'X', 55);
	text[64] = '=';
	variable(r, text);
}

static void variable_with_a_long_value(struct message_request *r)
{
	char text[300] = "SOFTWIRE_USER=";

	memset(text + 14, 'x', 256);
	variable(r, text);
}

static void variable_twice(struct message_request *r)
{
	memcpy(r->body.hook.variables + 20, "SOFTWIRE_USER=bobby", 19);
}

static void bridge_without_a_name(struct message_request *r)
{
	memset(r->body.bridge.bridge, 0, IFNAMSIZ);
}

static void bridge_with_hidden_tail(struct message_request *r)
{
	r->body.bridge.bridge[IFNAMSIZ - 1] = 'x';
}

static void bridge_of_too_many(struct message_request *r)
{
	r->body.bridge.count = KEEPER_BRIDGE_PORTS + 1;
}

static void bridge_of_billions(struct message_request *r)
{
	r->body.bridge.count = 0xffffffff;
}

static void ports_that_are_missing(struct message_request *r)
{
	r->body.bridge.count = 3;
}

static void ports_that_are_not_counted(struct message_request *r)
{
	r->body.bridge.count = 1;
}

static void ports_let_go_and_named(struct message_request *r)
{
	r->body.bridge.count = 0;
}

static void port_with_endless_name(struct message_request *r)
{
	memset(r->body.bridge.ports[1], 'x', IFNAMSIZ);
}

static void port_with_slash(struct message_request *r)
{
	r->body.bridge.ports[1][0] = '/';
}

static void port_that_is_all(struct message_request *r)
{
	memcpy(r->body.bridge.ports[1], "all\0", 5);
}

static void port_twice(struct message_request *r)
{
	r->body.bridge.ports[1][3] = '1';
}

static void port_that_is_the_bridge(struct message_request *r)
{
	memcpy(r->body.bridge.ports[0], r->body.bridge.bridge, IFNAMSIZ);
}

static void port_behind_the_last(struct message_request *r)
{
	r->body.bridge.ports[KEEPER_BRIDGE_PORTS - 1][IFNAMSIZ - 1] = 1;
}

static void refuses_hooks_and_bridges_that_make_no_sense(void **state)
{
	static const struct spoilt cases[] = {
		SPOILT(MESSAGE_HOOK, hook_with_relative_path),
		SPOILT(MESSAGE_HOOK, hook_with_endless_path),
		SPOILT(MESSAGE_HOOK, hook_with_hidden_tail),
		SPOILT(MESSAGE_HOOK, hook_without_event),
		SPOILT(MESSAGE_HOOK, hook_for_an_option),
		SPOILT(MESSAGE_HOOK, hook_for_capitals),
		SPOILT(MESSAGE_HOOK, hook_for_two_words),
		SPOILT(MESSAGE_HOOK, hook_for_an_endless_event),
		SPOILT(MESSAGE_HOOK, hook_with_hidden_event),
		SPOILT(MESSAGE_HOOK, hook_without_key),
		SPOILT(MESSAGE_HOOK, hook_with_endless_key),
		SPOILT(MESSAGE_HOOK, hook_with_hidden_key),
		SPOILT(MESSAGE_HOOK, too_many_variables),
		SPOILT(MESSAGE_HOOK, billions_of_variables),
		SPOILT(MESSAGE_HOOK, variables_that_are_missing),
		SPOILT(MESSAGE_HOOK, variables_that_are_not_counted),
		SPOILT(MESSAGE_HOOK, variables_without_an_end),
		SPOILT(MESSAGE_HOOK, variables_behind_the_last_byte),
		SPOILT(MESSAGE_HOOK, variables_with_hidden_tail),
		SPOILT(MESSAGE_HOOK, variable_that_is_path),
		SPOILT(MESSAGE_HOOK, variable_in_small_letters),
		SPOILT(MESSAGE_HOOK, variable_without_a_name),
		SPOILT(MESSAGE_HOOK, variable_without_a_value),
		SPOILT(MESSAGE_HOOK, variable_that_is_empty),
		SPOILT(MESSAGE_HOOK, variable_that_is_a_function),
		SPOILT(MESSAGE_HOOK, variable_with_newline),
		SPOILT(MESSAGE_HOOK, variable_beyond_ascii),
		SPOILT(MESSAGE_HOOK, variable_with_delete),
		SPOILT(MESSAGE_HOOK, variable_with_a_long_name),
		SPOILT(MESSAGE_HOOK, variable_with_a_long_value),
		SPOILT(MESSAGE_HOOK, variable_twice),
		SPOILT(MESSAGE_BRIDGE, bridge_without_a_name),
		SPOILT(MESSAGE_BRIDGE, bridge_with_hidden_tail),
		SPOILT(MESSAGE_BRIDGE, bridge_of_too_many),
		SPOILT(MESSAGE_BRIDGE, bridge_of_billions),
		SPOILT(MESSAGE_BRIDGE, ports_that_are_missing),
		SPOILT(MESSAGE_BRIDGE, ports_that_are_not_counted),
		SPOILT(MESSAGE_BRIDGE, ports_let_go_and_named),
		SPOILT(MESSAGE_BRIDGE, port_with_endless_name),
		SPOILT(MESSAGE_BRIDGE, port_with_slash),
		SPOILT(MESSAGE_BRIDGE, port_that_is_all),
		SPOILT(MESSAGE_BRIDGE, port_twice),
		SPOILT(MESSAGE_BRIDGE, port_that_is_the_bridge),
		SPOILT(MESSAGE_BRIDGE, port_behind_the_last),
	};

	refuse_all(cases, sizeof(cases) / sizeof(cases[0]));
}

static void takes_hooks_up_to_their_limits(void **state)
{
	struct message_request r = good(MESSAGE_HOOK), ret;
	char text[320] = "SOFTWIRE_", *to = r.body.hook.variables;

	memset(text + 9, 'X', 54); /* a name of 63 and a value of 255 bytes */
	text[63] = '=';
	memset(text + 64, '~', 255);
	variable(&r, text);
	assert_null(message_decode(&r, message_size(r.type), &ret));
	memset(r.body.hook.path + 1, 'x', MESSAGE_HOOK_PATH - 2);
	memset(r.body.hook.event, 'x', MESSAGE_HOOK_EVENT - 1);
	memset(r.body.hook.key, 0xff, MESSAGE_HOOK_KEY - 1);
	assert_null(message_decode(&r, message_size(r.type), &ret));
	/* As many variables as there may be; the last of them ends with the last byte. */
	memset(to, 0, KEEPER_HOOK_BYTES);
	for (r.body.hook.count = 0; r.body.hook.count < KEEPER_HOOK_VARIABLES; r.body.hook.count++)
		to += snprintf(to, 65, "SOFTWIRE_%02u=%051u", r.body.hook.count, 0) + 1;
	assert_ptr_equal(to, r.body.hook.variables + KEEPER_HOOK_BYTES);
	assert_null(message_decode(&r, message_size(r.type), &ret));
	memset(r.body.hook.variables, 0, KEEPER_HOOK_BYTES);
	r.body.hook.count = 0;
	assert_null(message_decode(&r, message_size(r.type), &ret));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_hooks_and_bridges_that_make_no_sense),
		cmocka_unit_test(takes_hooks_up_to_their_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
