/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An engine that was taken over writes what it likes into the channel. The keeper answers or ignores it, and goes on.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "keeper/message.h"
#include "lib/rng.h"
#include "stage.h"

enum { NO_ANSWER = 1 };

/* The keeper's next answer within half a second: its result, and *ret_id. */
static int next_answer(int fd, uint32_t *ret_id)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct message_answer a;
	int got = -1;

	if (poll(&p, 1, 500) <= 0 || message_receive(fd, &a, sizeof(a), &got) != (ssize_t)sizeof(a))
		return NO_ANSWER;
	if (got >= 0)
		close(got);
	*ret_id = a.id;
	return a.result;
}

/* A well-formed request that is always answered with 0. */
static int is_alive(int fd)
{
	struct message_request r = {.id = 0xffffffff, .type = MESSAGE_RELOAD};
	uint32_t id = 0;
	int result;

	if (message_send(fd, &r, MESSAGE_HEADER, -1))
		return NO_ANSWER;
	do
		result = next_answer(fd, &id);
	while (id != 0xffffffff && result != NO_ANSWER);
	return result;
}

/* ---- messages of a wrong form ---- */

static int send_malformed(struct stage *s, int fd)
{
	static uint8_t big[70000];
	struct message_request r = {.id = 7};
	uint32_t id = 0;

	/* too short to be answered */
	note(s, message_send(fd, "", 0, -1));
	note(s, message_send(fd, "x", 1, -1));
	note(s, message_send(fd, "1234567", 7, -1));
	note(s, next_answer(fd, &id) == NO_ANSWER ? 0 : -1);
	/* types that do not exist */
	r.type = 0;
	note(s, message_send(fd, &r, MESSAGE_HEADER, -1));
	note(s, next_answer(fd, &id) == -EINVAL && id == 7 ? 0 : -1);
	r.type = MESSAGE_TYPES;
	note(s, message_send(fd, &r, MESSAGE_HEADER, -1));
	note(s, next_answer(fd, &id) == -EINVAL && id == 7 ? 0 : -1);
	r.type = 0xffffffff;
	note(s, message_send(fd, &r, sizeof(r), -1));
	note(s, next_answer(fd, &id) == -EINVAL && id == 7 ? 0 : -1);
	/* sizes that do not fit */
	r.type = MESSAGE_OPEN_TUN;
	note(s, message_send(fd, &r, message_size(r.type) - 1, -1));
	note(s, next_answer(fd, &id) == -EINVAL ? 0 : -1);
	note(s, message_send(fd, &r, message_size(r.type) + 1, -1));
	note(s, next_answer(fd, &id) == -EINVAL ? 0 : -1);
	memcpy(big, &r, MESSAGE_HEADER);
	note(s, message_send(fd, big, sizeof(big), -1));
	note(s, next_answer(fd, &id) == -EINVAL ? 0 : -1);
	/* a descriptor that nobody asked for */
	r.type = MESSAGE_RELOAD;
	note(s, message_send(fd, &r, MESSAGE_HEADER, 0));
	note(s, next_answer(fd, &id));
	note(s, is_alive(fd));
	return 0;
}

static void malformed_messages_are_refused_and_harm_nobody(void **state)
{
	struct stage *s = stage_new(false);

	stage_start(s, send_malformed);
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->lives, 1);
	assert_int_equal(s->notes->count, 19);
	for (int i = 0; i < s->notes->count; i++)
		if (s->notes->results[i])
			fail_msg("step %d: %d", i, s->notes->results[i]);
	stage_free(s);
}

/* ---- random bytes ---- */

enum { ROUNDS = 5000 };

static int send_noise(struct stage *s, int fd)
{
	union {
		struct message_request request;
		uint8_t bytes[MESSAGE_MAX + 64];
	} m;
	struct rng rng;
	uint32_t id;
	int answers = 0, refused = 0;

	rng_init_seed(&rng, 20);
	for (int i = 0; i < ROUNDS; i++) {
		size_t len = rng_below(&rng, sizeof(m.bytes));

		rng_bytes(&rng, &m, sizeof(m));
		if (i & 1) { /* a type that exists, with its size */
			m.request.type = 1 + rng_below(&rng, MESSAGE_TYPES - 1);
			len = message_size(m.request.type);
		}
		if (m.request.type == MESSAGE_RELOAD || m.request.type == MESSAGE_RELOAD_BACK ||
			m.request.type == MESSAGE_OPEN_CONTROL ||
			m.request.type == MESSAGE_READY ||
			len < MESSAGE_HEADER)
			continue; /* allowed, whatever the bytes; or not to be answered */
		if (message_send(fd, &m, len, -1))
			return 1;
		answers++;
		if (next_answer(fd, &id) < 0) /* some make sense by chance, but ask for what is not there */
			refused++;
	}
	s->notes->values[0] = answers;
	s->notes->values[1] = refused;
	note(s, is_alive(fd));
	return 0;
}

static void random_bytes_are_refused(void **state)
{
	struct stage *s = stage_new(true);

	s->policy.may_forward = false;
	stage_start(s, send_noise);
	assert_int_equal(stage_end(s), 0);
	assert_int_equal(s->notes->lives, 1);
	assert_int_equal(s->notes->results[0], 0);
	assert_true(s->notes->values[0] > ROUNDS / 2);
	assert_int_equal(s->notes->values[0], s->notes->values[1]);
	assert_int_equal(if_nametoindex("si-test"), 0);
	stage_free(s);
}

/* ---- asking without listening ---- */

static int never_listen(struct stage *s, int fd)
{
	struct message_request r = {.type = MESSAGE_RELOAD};
	int sent = 0, answers = 0;
	struct message_answer a;

	for (int quiet = 0; quiet < 200; quiet++) {
		while (message_send(fd, &r, MESSAGE_HEADER, -1) == 0) {
			sent++;
			quiet = 0;
		}
		usleep(1000);
	}
	s->notes->ready = 1;
	(void)stage_wait(&s->notes->go, 1);
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		if (poll(&p, 1, 200) <= 0)
			break;
		while (message_receive(fd, &a, sizeof(a), NULL) > 0)
			answers++;
	}
	s->notes->values[0] = sent;
	s->notes->values[1] = answers;
	return 0;
}

static void an_engine_that_does_not_listen_blocks_only_itself(void **state)
{
	struct stage *s = stage_new(false);

	stage_start(s, never_listen);
	assert_true(stage_wait(&s->notes->ready, 1));
	s->notes->go = 1;
	assert_int_equal(stage_end(s), 0);
	assert_true(s->notes->values[0] > 10);
	assert_int_equal(s->notes->values[0], s->notes->values[1]); /* late, but each once */
	stage_free(s);
}

static int sit_on_answers(struct stage *s, int fd)
{
	struct message_request r = {.type = MESSAGE_RELOAD};

	for (int quiet = 0; quiet < 100; quiet++) {
		while (message_send(fd, &r, MESSAGE_HEADER, -1) == 0)
			quiet = 0;
		usleep(1000);
	}
	s->notes->ready = 1;
	return sleep_for_ever(); /* SIGTERM ends it */
}

static void a_full_channel_does_not_keep_the_keeper_from_ending(void **state)
{
	struct stage *s = stage_new(false);

	stage_start(s, sit_on_answers);
	assert_true(stage_wait(&s->notes->ready, 1));
	kill(s->keeper, SIGTERM);
	assert_int_equal(stage_end(s), 1); /* the engine died of its signal */
	stage_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_messages_are_refused_and_harm_nobody),
		cmocka_unit_test(random_bytes_are_refused),
		cmocka_unit_test(an_engine_that_does_not_listen_blocks_only_itself),
		cmocka_unit_test(a_full_channel_does_not_keep_the_keeper_from_ending),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
