/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests of keeper/ledger, and of what reads it: entries that another version, or a madman, may have written. Nothing of the host is touched. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "keeper/bridge.h"
#include "keeper/forwarding.h"
#include "keeper/hook.h"
#include "keeper/ledger.h"

static struct ledger new_ledger(void)
{
	struct ledger l;

	assert_int_equal(ledger_open(&l, -1), 0);
	return l;
}

static struct ledger_entry write_text(struct ledger *l, enum ledger_kind kind, const char *text)
{
	struct ledger_entry e = {0};
	uint8_t bytes[200];
	struct writer w = writer_of(bytes, sizeof(bytes));

	ledger_put_text(&w, text);
	assert_int_equal(ledger_write(l, &e, kind, &w), 0);
	return e;
}

static void entries_come_in_the_order_in_which_they_were_made(void **state)
{
	struct ledger l = new_ledger();
	struct ledger_entry a = write_text(&l, LEDGER_HELD, "first"),
			    b = write_text(&l, LEDGER_DNS, "second"),
			    c = write_text(&l, LEDGER_HELD, "third");
	struct ledger_item *items;
	size_t count;
	char text[16];
	uint8_t bytes[16];
	struct writer w = writer_of(bytes, sizeof(bytes));
	int fd = dup(l.fd);

	ledger_put_text(&w, "new");
	assert_int_equal(ledger_write(&l, &a, LEDGER_HELD, &w), 0); /* changed, and as old as before */
	ledger_drop(&l, &b);
	assert_true(c.id > a.id);
	ledger_close(&l);

	assert_int_equal(ledger_open(&l, fd), 0);
	items = ledger_items(&l, &count);
	assert_int_equal(count, 2);
	ledger_take_text(&items[0].fields, text, sizeof(text));
	assert_string_equal(text, "new");
	ledger_take_text(&items[1].fields, text, sizeof(text));
	assert_string_equal(text, "third");
	free(items);
	assert_true(write_text(&l, LEDGER_HELD, "fourth").id > c.id); /* names are not used twice */
	ledger_close(&l);
}

static void fields_come_back(void **state)
{
	struct addr v6 = {AF_INET6, {0x20, 1, [15] = 9}}, v4 = addr4(192, 0, 2, 1), none = {0}, got;
	uint8_t bytes[64];
	struct writer w = writer_of(bytes, sizeof(bytes));
	struct reader r;
	char text[4];

	ledger_put_addr(&w, &v6);
	ledger_put_addr(&w, &v4);
	ledger_put_addr(&w, &none);
	ledger_put_text(&w, "abc");
	ledger_put_text(&w, "");
	r = reader_of(bytes, writer_len(&w));
	got = ledger_take_addr(&r);
	assert_true(addr_equal(&got, &v6));
	got = ledger_take_addr(&r);
	assert_true(addr_equal(&got, &v4));
	got = ledger_take_addr(&r);
	assert_true(addr_is_none(&got));
	ledger_take_text(&r, text, sizeof(text));
	assert_string_equal(text, "abc");
	ledger_take_text(&r, text, sizeof(text));
	assert_string_equal(text, "");
	assert_true(reader_ok(&r) && !reader_left(&r));
}

static void an_entry_of_another_version_is_left_out(void **state)
{
	struct ledger l = new_ledger();
	uint32_t at = 0;
	size_t count = 9;

	assert_int_equal(store_put(l.store, &at, 1, "\2\1", 2), 0);
	free(ledger_items(&l, &count));
	assert_int_equal(count, 0);
	at = 0;
	assert_int_equal(store_put(l.store, &at, 2, "\1", 1), 0);
	free(ledger_items(&l, &count));
	assert_int_equal(count, 0);
	ledger_close(&l);
}

static void nothing_is_written_where_there_is_no_ledger(void **state)
{
	struct ledger closed = {.fd = -1};
	struct ledger_entry e = {0};
	struct writer w = writer_of(NULL, 0);
	size_t count = 9;

	assert_int_equal(ledger_write(NULL, &e, LEDGER_HELD, &w), 0);
	assert_int_equal(ledger_write(&closed, &e, LEDGER_HELD, &w), 0);
	ledger_drop(&closed, &e);
	assert_null(ledger_items(&closed, &count));
	assert_int_equal(count, 0);
}

/* ---- what makes no sense ---- */

struct bad {
	const char *what;
	size_t len;
	const char *bytes;
};

#define BAD(what, bytes)                                                                                     \
	{                                                                                                    \
		what, sizeof(bytes) - 1, bytes                                                               \
	}

static struct ledger_item item_of(const struct bad *b)
{
	return (struct ledger_item){.fields = reader_of(b->bytes, b->len)};
}

static void only_switches_of_forwarding_are_put_back(void **state)
{
	static const struct bad bad[] = {
		BAD("nothing", ""),
		BAD("no path", "\0\1"),
		BAD("another file", "\0\1\0\013/etc/shadow"),
		BAD("another sysctl", "\0\1\0\031/proc/sys/kernel/modprobe"),
		BAD("the folder's name as a beginning", "\0\1\0\030/proc/sys/net/ipv4/confx"),
		BAD("a way out", "\0\1\0\056/proc/sys/net/ipv4/conf/../../../kernel/panic"),
		BAD("two digits", "\0\12\0\046/proc/sys/net/ipv4/conf/all/forwarding"),
		BAD("two digits before", "\12\0\0\046/proc/sys/net/ipv4/conf/all/forwarding"),
		BAD("a zero in the path", "\0\1\0\046/proc/sys/net/ipv4/conf/all/for\0arding"),
		BAD("a path that is cut", "\0\1\0\046/proc/sys/net/ipv4/conf/all"),
		BAD("a length without an end", "\0\1\377\377/proc/sys/net/ipv4/conf/all/forwarding"),
	};
	static const struct bad good = BAD("good", "\0\1\0\046/proc/sys/net/ipv4/conf/all/forwarding");
	struct forwarding f = {0};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct ledger_item item = item_of(&bad[i]);

		if (forwarding_inherit(&f, &item))
			fail_msg("%s was taken", bad[i].what);
	}
	assert_null(f.changes);
	struct ledger_item item = item_of(&good);
	assert_true(forwarding_inherit(&f, &item));
	assert_non_null(f.changes);
	free(f.changes); /* not restored: this is the host's own */
}

static void only_bridges_that_make_sense_are_unmade(void **state)
{
	static const struct bad bad[] = {
		BAD("nothing", ""),
		BAD("no name", "\0\0\0\0\0\1\1\0"),
		BAD("a name that is too long", "\0\20br-0123456789abc\0\0\0\1\1\0"),
		BAD("too many ports", "\0\3br0\0\0\0\1\1\11"),
		BAD("fewer ports than counted", "\0\3br0\0\0\0\1\1\2\0\4eth1"),
		BAD("a port without a name", "\0\3br0\0\0\0\1\1\1\0\0"),
		BAD("no index", "\0\3br0\0\0"),
		BAD("a zero in a port", "\0\3br0\0\0\0\1\1\1\0\4e\0h1"),
		BAD("no count", "\0\3br0\0\0\0\1\1"),
		BAD("a cut port", "\0\3br0\0\0\0\1\1\1\0\4et"),
	};
	struct bridges b = {0};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct ledger_item item = item_of(&bad[i]);

		if (bridges_inherit(&b, &item))
			fail_msg("%s was taken", bad[i].what);
	}
	assert_null(b.first);
}

static void only_hooks_that_make_sense_are_run(void **state)
{
	static const struct bad bad[] = {
		BAD("nothing", ""),
		BAD("no path", "\0\0\0\2up\0\1k\0"),
		BAD("a relative path", "\0\1h\0\2up\0\1k\0"),
		BAD("no key", "\0\2/h\0\2up\0\0\0"),
		BAD("an event that is none", "\0\2/h\0\2U \0\1k\0"),
		BAD("fewer variables than counted", "\0\2/h\0\2up\0\1k\1"),
		BAD("more variables than fit", "\0\2/h\0\2up\0\1k\377"),
		BAD("a variable that is not ours", "\0\2/h\0\2up\0\1k\1\0\6PATH=/"),
		BAD("a variable twice", "\0\2/h\0\2up\0\1k\2\0\14SOFTWIRE_A=b\0\14SOFTWIRE_A=c"),
		BAD("a cut variable", "\0\2/h\0\2up\0\1k\1\0\14SOFTWIRE_"),
	};
	struct hooks h;

	hooks_init(&h, NULL);
	h.paused = true;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (hooks_inherit(&h, item_of(&bad[i]).fields, 0))
			fail_msg("%s was taken", bad[i].what);
	assert_int_equal(h.waiting, 0);
	assert_true(hooks_inherit(&h, reader_of("\0\2/h\0\2up\0\1k\1\0\14SOFTWIRE_A=b", 27), 0));
	assert_int_equal(h.waiting, 1);
	hooks_done(&h);
}

/* Those that wait are written down, and run by the next one as they were. */
static void hooks_that_wait_are_handed_over(void **state)
{
	struct message_hook m = {.path = "/h", .event = "up", .key = "alice/0", .count = 2};
	struct ledger l = new_ledger();
	struct ledger_item *items;
	struct handover none = {0};
	struct hooks h, next;
	size_t count;

	memcpy(m.variables, "SOFTWIRE_A=1\0SOFTWIRE_B=two", 28);
	hooks_init(&h, NULL);
	h.paused = true;
	assert_int_equal(hooks_add(&h, 1, &m, 0), 0);
	strcpy(m.event, "down");
	assert_int_equal(hooks_add(&h, 2, &m, 0), 0);
	hooks_hand_over(&h, &l, &none);
	hooks_done(&h);

	items = ledger_items(&l, &count);
	assert_int_equal(count, 2);
	hooks_init(&next, NULL);
	next.paused = true;
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(items[i].kind, LEDGER_HOOK);
		assert_true(hooks_inherit(&next, items[i].fields, 0));
	}
	free(items);
	assert_int_equal(next.waiting, 2);
	/* The same again: what it would hand over is what it has got. */
	hooks_hand_over(&next, &l, &none);
	assert_int_equal(none.count, 0);
	items = ledger_items(&l, &count);
	assert_int_equal(count, 4);
	for (size_t i = 0; i < 2; i++) {
		size_t len = reader_left(&items[i].fields);

		assert_int_equal(reader_left(&items[i + 2].fields), len);
		assert_memory_equal(
			reader_bytes(&items[i].fields, len), reader_bytes(&items[i + 2].fields, len), len);
	}
	free(items);
	hooks_done(&next);
	ledger_close(&l);
}

/* A number that is nobody's here, as all are after a keeper's death, is not waited for, and above all not killed. */
static void only_hooks_that_are_our_children_are_waited_for(void **state)
{
	static const struct bad bad[] = {
		BAD("no number", "\0\2/h\0\2up\0\1k"),
		BAD("zero", "\0\2/h\0\2up\0\1k\0\0\0\0"),
		BAD("a negative number", "\0\2/h\0\2up\0\1k\377\377\377\377"),
		BAD("init", "\0\2/h\0\2up\0\1k\0\0\0\1"),
		BAD("no path", "\0\0\0\2up\0\1k\0\0\0\1"),
	};
	struct handover none = {0};
	struct hooks h;

	hooks_init(&h, NULL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (hooks_inherit_run(&h, item_of(&bad[i]).fields, &none, 0))
			fail_msg("%s was taken", bad[i].what);
	assert_false(hooks_busy(&h));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_come_in_the_order_in_which_they_were_made),
		cmocka_unit_test(fields_come_back),
		cmocka_unit_test(an_entry_of_another_version_is_left_out),
		cmocka_unit_test(nothing_is_written_where_there_is_no_ledger),
		cmocka_unit_test(only_switches_of_forwarding_are_put_back),
		cmocka_unit_test(only_bridges_that_make_sense_are_unmade),
		cmocka_unit_test(only_hooks_that_make_sense_are_run),
		cmocka_unit_test(hooks_that_wait_are_handed_over),
		cmocka_unit_test(only_hooks_that_are_our_children_are_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
