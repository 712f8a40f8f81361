/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From one initiator to the next: the softwire goes on as if nothing had happened, neither for the server nor for the LAN; and one that cannot go on is
 * taken back at once. A crash is played by keeping a copy of the state, leaving in order, and putting the copy back.
 */
#include "fixture.h"

#include <stdlib.h>
#include <sys/mman.h>

enum { STATE_BYTES = 1 << 20 };

static void copy(int to, int from)
{
	uint8_t *bytes = malloc(STATE_BYTES);
	ssize_t n = pread(from, bytes, STATE_BYTES, 0);

	assert_true(n > 0);
	assert_int_equal(pwrite(to, bytes, (size_t)n, 0), n);
	free(bytes);
}

static void crash(struct fixture *f)
{
	int before = memfd_create("before", MFD_CLOEXEC);

	copy(before, f->state);
	fixture_leave(f);
	copy(f->state, before);
	close(before);
}

static struct store *open_state(int fd)
{
	struct store_found found;
	struct store *s = NULL;

	assert_int_equal(store_open(fd, STATE_BYTES, &s, &found), 0);
	store_settle(s);
	return s;
}

/* In a copy: a store has one writer. */
static unsigned records(const struct fixture *f)
{
	int fd = memfd_create("copy", MFD_CLOEXEC);
	struct store *s;
	unsigned n;

	copy(fd, f->state);
	s = open_state(fd);
	n = store_use(s).records;
	store_close(s);
	close(fd);
	return n;
}

static void spoil(const struct fixture *f, size_t (*how)(uint8_t *bytes, size_t len))
{
	struct store *s = open_state(f->state);
	uint8_t bytes[STORE_RECORD_MAX];
	struct store_record r;
	uint32_t cursor = 0;
	size_t len;

	assert_true(store_next(s, &cursor, &r));
	memcpy(bytes, r.data, r.len);
	len = how(bytes, r.len);
	assert_int_equal(store_put(s, &r.at, r.id, bytes, len), 0);
	store_close(s);
}

static struct fixture *with_hooks(void)
{
	static const char *const names[INITIATOR_HOOKS] = {"up", "down", "change", "renew"};
	struct fixture *f = fixture_new();

	for (int n = 0; n < INITIATOR_HOOKS; n++)
		snprintf(f->config.hooks[n], sizeof(f->config.hooks[n]), "/hooks/%s", names[n]);
	return f;
}

/* proves: PS-2 partial */
static void nobody_notices_another_process(void **state)
{
	for (int crashes = 0; crashes < 2; crashes++) {
		struct fixture *f = with_hooks();
		struct addr address;
		uint16_t port;

		fixture_up(f);
		fixture_pass(f, 10000);
		assert_int_equal(f->hook_count, 1);
		address = f->i->address;
		port = f->i->current->local.port;
		f->i->current->row->v6.tx_packets = 9;
		fixture_pass(f, 2000);
		f->withdrawals = 0;
		if (crashes)
			crash(f);
		else
			fixture_leave(f);
		/* The kernel keeps what it has. */
		assert_true(f->default_metric);
		assert_non_null(fixture_address(f, "lan0", "2001:db8:8000:700::1"));
		fixture_start(f);

		assert_int_equal(f->i->state, INITIATOR_UP);
		assert_int_equal(f->i->current->id, 1);
		assert_int_equal(f->i->current->local.port, port);
		assert_true(addr_equal(&f->i->address, &address));
		assert_int_equal(f->i->current->row->v6.tx_packets, 9);
		assert_true(f->i->current->row->up6 && f->i->current->row->any_source);
		assert_ptr_equal(tun_plane_table(f->i->plane)->any, f->i->current->row);
		assert_true(f->default_metric && fixture_unreachable(f, "2001:db8:8000:700::/56"));
		fixture_pass(f, 200000); /* HELLOs, and Router Advertisements on the LAN */
		assert_int_equal(f->servers[0].requests, 1);
		assert_int_equal(f->servers[0].downs, 0);
		assert_int_equal(f->withdrawals, 0);
		assert_int_equal(f->hook_count, 1); /* no second `up` */
		assert_int_equal(f->i->adopted, 1);
		assert_int_equal(records(f), 1);

		/* And it ends as any other. */
		fixture_stop(f);
		assert_int_equal(f->servers[0].downs, 1);
		assert_int_equal(f->hook_count, 2);
		assert_int_equal(records(f), 0);
		assert_false(f->default_metric);
		assert_false(fixture_unreachable(f, "2001:db8:8000:700::/56"));
		fixture_free(f);
	}
}

static void ipv4_goes_on_too(void **state)
{
	struct fixture *f = with_hooks();

	fixture_ipv4(f, "198.51.100.64/29");
	fixture_up(f);
	fixture_pass(f, 10000);
	crash(f);
	fixture_start(f);
	fixture_pass(f, 130000);
	assert_int_equal(f->servers[0].requests, 1);
	assert_true(f->i->current->row->up4 && f->i->current->row->up6);
	assert_non_null(fixture_address(f, "si-home", "198.51.100.7"));
	assert_non_null(fixture_address(f, "lan0", "198.51.100.65"));
	assert_true(f->default4_metric);
	assert_int_equal(f->hook_count, 1);
	fixture_free(f);
}

/* What an earlier softwire had brought is still on the LAN, and still on its way out. */
static void a_deprecated_prefix_stays_deprecated(void **state)
{
	struct fixture *f = fixture_new();
	bool old = false;

	fixture_up(f);
	assert_int_equal(prefix_parse("2001:db8:8000:900::/56", &f->servers[0].lease.delegated[0]), 0);
	fixture_again(f);
	crash(f);
	fixture_start(f);
	for (int n = 0; n < HELD_PREFIXES; n++) {
		char text[PREFIX_TEXT];

		if (strcmp(prefix_print(&f->i->held[n].prefix, text), "2001:db8:8000:700::/56") == 0) {
			old = true;
			assert_false(f->i->held[n].current);
			assert_true(f->i->held[n].valid_until > loop_now(&f->loop));
		}
	}
	assert_true(old);
	assert_true(fixture_unreachable(f, "2001:db8:8000:900::/56"));
	fixture_free(f);
}

static void who_is_not_up_begins_anew(void **state)
{
	struct fixture *f = fixture_new();

	f->servers[0].mute = true;
	fixture_start(f);
	fixture_pass_until(f, f->servers[0].requests, 5000);
	assert_int_equal(records(f), 0);
	fixture_leave(f);
	f->servers[0].mute = false;
	fixture_start(f);
	fixture_pass_until(f, f->i->state == INITIATOR_UP, 10000);
	assert_int_equal(f->i->adopted + f->i->not_adopted, 0);
	fixture_free(f);
}

/* ---- what cannot go on ---- */

static uint8_t *engine_of(uint8_t *bytes, size_t len)
{
	uint8_t *engine = memmem(bytes, len, "SW5S", 4);

	assert_non_null(engine);
	return engine;
}

static uint8_t *sections_of(uint8_t *bytes, size_t len)
{
	uint8_t *engine = engine_of(bytes, len);

	return engine + (engine[6] << 8 | engine[7]);
}

static size_t engine_of_another_version(uint8_t *bytes, size_t len)
{
	engine_of(bytes, len)[4] = 0x7f;
	return len;
}

static size_t damaged_engine(uint8_t *bytes, size_t len)
{
	engine_of(bytes, len)[23] ^= 0x40;
	return len;
}

static size_t no_sections(uint8_t *bytes, size_t len)
{
	return (size_t)(sections_of(bytes, len) - bytes);
}

static size_t cut_section(uint8_t *bytes, size_t len)
{
	return len - 3;
}

static size_t unknown_flags(uint8_t *bytes, size_t len)
{
	sections_of(bytes, len)[3] = 0x80;
	return len;
}

static size_t server_that_is_not_configured(uint8_t *bytes, size_t len)
{
	sections_of(bytes, len)[8] = 7;
	return len;
}

static size_t server_beyond_all(uint8_t *bytes, size_t len)
{
	sections_of(bytes, len)[8] = 200;
	return len;
}

static size_t bad_family(uint8_t *bytes, size_t len)
{
	sections_of(bytes, len)[21] = 9; /* of our own address */
	return len;
}

static size_t held_without_a_prefix(uint8_t *bytes, size_t len)
{
	uint8_t *own = sections_of(bytes, len), *held = own + 3 + (own[1] << 8 | own[2]);

	assert_int_equal(held[0], 2);
	held[3] = 5; /* the family of the first prefix */
	return len;
}

static size_t no_counters(uint8_t *bytes, size_t len)
{
	uint8_t *own = sections_of(bytes, len), *held = own + 3 + (own[1] << 8 | own[2]);

	return (size_t)(held + 3 + (held[1] << 8 | held[2]) - bytes);
}

static void see_it_come_back(struct fixture *f)
{
	fixture_pass_until(f,
		f->i->state == INITIATOR_UP && f->i->current && f->i->current->engine.state.has_binding,
		10000);
	assert_int_equal(f->i->adopted, 0);
	assert_int_equal(f->i->not_adopted, 1);
	assert_int_equal(f->i->current->id, 2);
	assert_true(fixture_logged(f, "event=not-adopted"));
	fixture_pass(f, 3000);
	assert_int_equal(records(f), 1);
}

static void a_record_that_is_not_good_is_answered_with_a_farewell(void **state)
{
	static size_t (*const cases[])(uint8_t * bytes, size_t len) = {engine_of_another_version,
		damaged_engine, no_sections, cut_section, unknown_flags, server_that_is_not_configured,
		server_beyond_all, bad_family, held_without_a_prefix, no_counters};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct fixture *f = fixture_new();

		fixture_up(f);
		crash(f);
		spoil(f, cases[n]);
		fixture_start(f);
		fixture_until(f, f->servers[0].downs == 1); /* told, before anything else */
		if (!strstr(f->servers[0].why.text, "started again without this softwire"))
			fail_msg("case %zu: %s", n, f->servers[0].why.text);
		see_it_come_back(f);
		fixture_free(f);
	}
}

static size_t another_version(uint8_t *bytes, size_t len)
{
	bytes[0] = 9;
	return len;
}

static size_t no_server(uint8_t *bytes, size_t len)
{
	bytes[1] = 0;
	return len;
}

static size_t nothing(uint8_t *bytes, size_t len)
{
	return 0;
}

static void a_record_without_a_server_is_thrown_away(void **state)
{
	static size_t (*const cases[])(uint8_t * bytes, size_t len) = {another_version, no_server, nothing};

	for (size_t n = 0; n < sizeof(cases) / sizeof(*cases); n++) {
		struct fixture *f = fixture_new();

		fixture_up(f);
		crash(f);
		spoil(f, cases[n]);
		server_restart(&f->servers[0]);
		fixture_start(f);
		see_it_come_back(f);
		fixture_free(f);
	}
}

/* The server would not believe another port. */
static void without_its_socket_it_begins_anew(void **state)
{
	for (int other = 0; other < 2; other++) {
		struct fixture *f = fixture_new();

		fixture_up(f);
		crash(f);
		close(f->held);
		f->held = other ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
		server_restart(&f->servers[0]);
		fixture_start(f);
		see_it_come_back(f);
		assert_true(fixture_logged(f, "its socket is gone"));
		fixture_free(f);
	}
}

static void two_deaths_at_it_are_enough(void **state)
{
	struct fixture *f = fixture_new();

	fixture_up(f);
	crash(f);
	for (int n = 0; n < 2; n++) {
		struct store *s = open_state(f->state);

		store_work(s, 1);
		store_close(s);
	}
	fixture_start(f);
	fixture_until(f, f->servers[0].downs == 1);
	assert_true(fixture_logged(f, "the process has died twice while it worked on this softwire"));
	see_it_come_back(f);
	fixture_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_notices_another_process),
		cmocka_unit_test(ipv4_goes_on_too),
		cmocka_unit_test(a_deprecated_prefix_stays_deprecated),
		cmocka_unit_test(who_is_not_up_begins_anew),
		cmocka_unit_test(a_record_that_is_not_good_is_answered_with_a_farewell),
		cmocka_unit_test(a_record_without_a_server_is_thrown_away),
		cmocka_unit_test(without_its_socket_it_begins_anew),
		cmocka_unit_test(two_deaths_at_it_are_enough),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
