/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TCP-MD5 with the kernel of a namespace of our own: who has the key gets through, who has another one or none does not. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "../netlink/namespace.h"
#include "afbr/parts.h"

/* ---- files ---- */

static int file_of(const char *text, size_t len, mode_t mode)
{
	char path[] = "/tmp/afbr-key-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), (ssize_t)len);
	assert_int_equal(fchmod(fd, mode), 0);
	unlink(path);
	return fd;
}

static void a_password_is_the_only_line_of_a_file_of_ours(void **state)
{
	static const char longest[] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	static const struct {
		const char *text;
		mode_t mode;
		int len; /* or -errno */
		const char *why;
	} cases[] = {{"secret\n", 0600, 6, ""}, {"secret", 0400, 6, ""}, {"with blanks \r\n", 0600, 12, ""},
		{longest, 0600, 80, ""},
		{"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0\n", 0600,
			-EINVAL, "81 bytes"},
		{"", 0600, -EINVAL, "empty"}, {"\n", 0600, -EINVAL, "empty"},
		{"one\ntwo\n", 0600, -EINVAL, "more than one line"},
		{"secret", 0644, -EPERM, "others can read"}, {"secret", 0604, -EPERM, "others can read"},
		{"secret", 0640, -EPERM, "others can read"}, {"secret", 0620, -EPERM, "others can change"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct afbr_key k = {.len = 99};
		char why[128] = "";
		int r = key_read(file_of(cases[i].text, strlen(cases[i].text), cases[i].mode), &k, why);

		assert_int_equal(r ? r : k.len, cases[i].len);
		assert_non_null(strstr(why, cases[i].why));
		if (r)
			assert_int_equal(k.len, 99);
		else
			assert_memory_equal(k.text, cases[i].text, k.len);
		key_wipe(&k);
		assert_int_equal(k.len, 0);
		assert_int_equal(k.text[0], 0);
	}
}

/* ---- the kernel ---- */

static struct afbr_key key_of(const char *text)
{
	struct afbr_key k = {.len = (uint8_t)strlen(text)};

	memcpy(k.text, text, k.len);
	return k;
}

static int try_to_connect(const struct endpoint *to, const char *from, const char *password)
{
	struct bgp_neighbor_config n = {.address = to->addr, .port = to->port, .as = 65000};
	struct afbr_key key = key_of(password);
	struct pollfd p = {.events = POLLOUT};
	int fd = -1, error = 1;
	socklen_t len = sizeof(error);
	char why[128];

	assert_int_equal(addr_parse(from, &n.local_address), 0);
	assert_int_equal(socket_connect(&n, socket_plan_of(&n, 65000), &key, &fd, why), 0);
	p.fd = fd;
	if (poll(&p, 1, 50) == 1)
		(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	close(fd);
	return error;
}

static int listener(const char *address, struct endpoint *ret)
{
	struct endpoint e = {.port = 179};
	struct sockaddr_storage sa;
	socklen_t len;
	int fd;

	assert_int_equal(addr_parse(address, &e.addr), 0);
	len = endpoint_to_sockaddr(&e, &sa);
	fd = socket(e.addr.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
	assert_int_equal(listen(fd, 16), 0);
	*ret = e;
	return fd;
}

static void only_who_has_the_key_of_its_address_gets_through(
	const char *address, const char *from, const char *another)
{
	struct endpoint at;
	struct addr peer;
	struct afbr_key k = key_of("right"), none = {0};
	char why[128];
	uint64_t wrong;
	int fd = listener(address, &at);

	assert_int_equal(addr_parse(from, &peer), 0);
	assert_int_equal(key_set(fd, &peer, &none, why), 0); /* there is none to be taken away */
	assert_int_equal(key_set(fd, &peer, &k, why), 0);
	wrong = key_wrong();
	assert_int_equal(try_to_connect(&at, from, "right"), 0);
	assert_int_equal(key_wrong(), wrong);
	assert_int_not_equal(try_to_connect(&at, from, "wrong"), 0);
	assert_true(key_wrong() > wrong);
	wrong = key_wrong();
	assert_int_not_equal(try_to_connect(&at, from, ""), 0);
	assert_true(key_wrong() > wrong);
	if (another) {
		assert_int_not_equal(try_to_connect(&at, another, "right"), 0); /* it is another one's */
		assert_int_equal(try_to_connect(&at, another, ""), 0);
	}
	/* Without a password again: the operator may leave it off. */
	assert_int_equal(key_set(fd, &peer, &none, why), 0);
	assert_int_equal(try_to_connect(&at, from, ""), 0);
	close(fd);
}

/* proves: SEC-CTRL-1 partial, SEC-CTRL-2 partial, SEC-CTRL-3 partial, SEC-CTRL-4 partial */
static void each_peer_has_a_key_of_its_own(void **state)
{
	NAMESPACE_OR_SKIP();
	assert_true(namespace_up("lo"));
	only_who_has_the_key_of_its_address_gets_through("127.0.0.1", "127.0.0.2", "127.0.0.3");
	only_who_has_the_key_of_its_address_gets_through("::1", "::1", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_password_is_the_only_line_of_a_file_of_ours),
		cmocka_unit_test(each_peer_has_a_key_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
