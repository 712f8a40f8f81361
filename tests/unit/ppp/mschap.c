/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MS-CHAPv2 against the values of RFC 2759 section 9.2 and of another implementation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "ppp/mschap.h"

static const uint8_t auth_challenge[] = {
	0x5b, 0x5d, 0x7c, 0x7d, 0x7b, 0x3f, 0x2f, 0x3e, 0x3c, 0x2c, 0x60, 0x21, 0x32, 0x26, 0x26, 0x28};
static const uint8_t peer_challenge[] = {
	0x21, 0x40, 0x23, 0x24, 0x25, 0x5e, 0x26, 0x2a, 0x28, 0x29, 0x5f, 0x2b, 0x3a, 0x33, 0x7c, 0x7e};

static const char x256[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			   "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			   "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
			   "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

static const struct golden {
	const char *name, *user, *password;
	size_t password_len;
	uint8_t response[MSCHAP_NT_RESPONSE];
	const char *success;
} golden[] = {
	/* clang-format off */
	{"RFC 2759 section 9.2", "User", "clientPass", 10,
		{0x82, 0x30, 0x9e, 0xcd, 0x8d, 0x70, 0x8b, 0x5e, 0xa0, 0x8f, 0xaa, 0x39, 0x81, 0xcd, 0x83, 0x54, 0x42, 0x33, 0x11, 0x4a, 0x3d, 0x85, 0xd6, 0xdf},
		"S=407A5589115FD0D6209F510FE9C04566932CDA56"},
	{"a domain is no part of the name", "BIGCO\\User", "clientPass", 10,
		{0x82, 0x30, 0x9e, 0xcd, 0x8d, 0x70, 0x8b, 0x5e, 0xa0, 0x8f, 0xaa, 0x39, 0x81, 0xcd, 0x83, 0x54, 0x42, 0x33, 0x11, 0x4a, 0x3d, 0x85, 0xd6, 0xdf},
		"S=407A5589115FD0D6209F510FE9C04566932CDA56"},
	{"two, three and four bytes of UTF-8", "alice", "p\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xc3\x9f", 12,
		{0xad, 0xea, 0x55, 0x05, 0x23, 0x39, 0x0a, 0x86, 0x6f, 0x4d, 0x60, 0x7d, 0x4b, 0x95, 0x24, 0x9b, 0x9a, 0xa9, 0x89, 0x7b, 0xae, 0xf6, 0x0e, 0x92},
		"S=4C09D5216B25BA305F1A12D18F2CD63705D52C08"},
	{"the first and last code points of each length", "alice", "\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf4\x8f\xbf\xbf\xc2\x80\xdf\xbf\xe0\xa0\x80\xf0\x90\x80\x80", 24,
		{0x39, 0x2f, 0xf3, 0xa3, 0x66, 0x96, 0x59, 0x9e, 0xd3, 0xb5, 0x3d, 0x44, 0x59, 0xa3, 0x79, 0x38, 0xb2, 0x0b, 0xe1, 0x88, 0xc2, 0x51, 0x8f, 0x70},
		"S=FACA3337F9FD76B5255BE81A47AF1CF4083BDE99"},
	{"no name, no password", "", "", 0,
		{0x41, 0xa6, 0x56, 0x98, 0x87, 0x23, 0xe1, 0x40, 0xd3, 0xd7, 0x16, 0x31, 0xa0, 0xe1, 0x07, 0x99, 0xb9, 0x38, 0xdd, 0xe8, 0xf7, 0x2a, 0xde, 0x77},
		"S=E6FE7D2175D847B774189E5A5E33887D7CAB259D"},
	{"Latin-1", "alice", "p\xe4", 2,
		{0x33, 0xdd, 0xa4, 0x3f, 0x37, 0x03, 0xc0, 0x21, 0x68, 0xe2, 0xc6, 0xb4, 0x7c, 0x89, 0x7a, 0x64, 0x5d, 0x17, 0xfb, 0xed, 0x3f, 0x30, 0xf9, 0x2e},
		"S=43690671983476EDE168D945C8A796C3AD940EF0"},
	{"overlong", "alice", "\xc0\x80", 2,
		{0x3c, 0x2b, 0x9e, 0xc0, 0x03, 0x41, 0xcd, 0xb4, 0x9f, 0x7a, 0xc7, 0xf9, 0xd3, 0xf0, 0xaa, 0x09, 0x70, 0xc8, 0xac, 0xe1, 0x85, 0xe2, 0x79, 0x19},
		"S=626718160006B7B0A1B98A1005AE0B26F24C1E88"},
	{"a surrogate", "alice", "\xed\xa0\x80", 3,
		{0xe5, 0xcc, 0x11, 0x67, 0xfd, 0x3d, 0x13, 0x1d, 0x03, 0xaf, 0x7c, 0x20, 0x45, 0x26, 0xd6, 0x6d, 0x88, 0x01, 0x1d, 0x69, 0xa1, 0xd8, 0x20, 0xf9},
		"S=8162AAC159C48FC3B4D1F7C3F331A68A1E393D00"},
	{"cut off", "alice", "a\xe2\x82", 3,
		{0x9e, 0xc5, 0xfb, 0x18, 0xea, 0xac, 0x87, 0x17, 0xe2, 0xb6, 0x76, 0xa6, 0x2e, 0x9f, 0xa7, 0x3c, 0xcf, 0x9a, 0x66, 0xf7, 0x81, 0x38, 0x1e, 0x80},
		"S=BC40E570155213EA44B7776755DE1CC3A0AB24B1"},
	{"beyond U+10FFFF", "alice", "\xf4\x90\x80\x80", 4,
		{0x37, 0xc4, 0xab, 0x45, 0x32, 0xf0, 0xef, 0xc9, 0xeb, 0x07, 0xae, 0x63, 0xc9, 0xc0, 0xf7, 0x4d, 0xc8, 0xc5, 0x8f, 0x5c, 0x00, 0x14, 0xa3, 0x29},
		"S=7BAB8DABACD3345FE16BA7F090D457DF5747E788"},
	{"a continuation alone", "alice", "\x80", 1,
		{0x84, 0xe9, 0xcd, 0x2b, 0x01, 0xd5, 0xcd, 0x10, 0x55, 0x13, 0xd7, 0x7f, 0xae, 0x3a, 0xda, 0x8c, 0x91, 0x40, 0xaf, 0x17, 0x27, 0xd6, 0x99, 0x68},
		"S=CB45E427B225BE581FD45475C22D86B9483F7A95"},
	{"five bytes", "alice", "\xf8\x88\x80\x80\x80", 5,
		{0xe2, 0x37, 0x5c, 0x20, 0xbe, 0x35, 0x7b, 0x24, 0xb8, 0x9f, 0x6b, 0xc3, 0x14, 0x6d, 0xba, 0x5f, 0xc5, 0xaa, 0xec, 0x60, 0xde, 0xe9, 0xed, 0x92},
		"S=2990E080C7EAF9D6C11B6804D93A5A517D4E9FB2"},
	{"as long as possible", "alice", x256, 256,
		{0xb8, 0x9e, 0xc0, 0x35, 0xe7, 0x8c, 0x51, 0x04, 0xed, 0x14, 0x08, 0xe9, 0xd3, 0x93, 0xc6, 0x0c, 0x9d, 0x0f, 0x63, 0x63, 0x1f, 0xbf, 0x2c, 0x4b},
		"S=229D64762C507DEB47EBC9DD734DD4E673E42164"},
	/* clang-format on */
};

/* In a child of its own, because what was found is kept: the first test, before anything was loaded here. */
static void says_that_there_is_no_legacy_provider(void **state)
{
	uint8_t response[MSCHAP_NT_RESPONSE] = {0x77};
	char success[MSCHAP_SUCCESS + 1] = "untouched";
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		setenv("OPENSSL_MODULES", "/nonexistent", 1);
		if (mschap_available())
			_exit(77); /* it is built in */
		_exit(mschap_v2_response(auth_challenge, peer_challenge, "User", 4, "p", 1, response) ||
			mschap_v2_success(
				auth_challenge, peer_challenge, "User", 4, "p", 1, response, success) ||
			response[0] != 0x77 || strcmp(success, "untouched") != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(mschap_available());
}

/* proves: HS-PPP-11 partial */
static void computes_what_the_rfc_computes(void **state)
{
	for (size_t i = 0; i < sizeof(golden) / sizeof(golden[0]); i++) {
		const struct golden *g = &golden[i];
		uint8_t response[MSCHAP_NT_RESPONSE];
		char success[MSCHAP_SUCCESS + 1];

		print_message("%s\n", g->name);
		assert_true(mschap_v2_response(auth_challenge, peer_challenge, g->user, strlen(g->user),
			g->password, g->password_len, response));
		assert_memory_equal(response, g->response, sizeof(response));
		assert_true(mschap_v2_success(auth_challenge, peer_challenge, g->user, strlen(g->user),
			g->password, g->password_len, response, success));
		assert_string_equal(success, g->success);
	}
}

static void refuses_a_password_of_more_than_256_units(void **state)
{
	char password[MSCHAP_PASSWORD_MAX + 3];
	uint8_t response[MSCHAP_NT_RESPONSE] = {0x77};
	char success[MSCHAP_SUCCESS + 1] = "untouched";

	memset(password, 'x', sizeof(password));
	assert_false(mschap_v2_response(
		auth_challenge, peer_challenge, "User", 4, password, MSCHAP_PASSWORD_MAX + 1, response));
	/* 255, and one that takes two */
	memcpy(password + MSCHAP_PASSWORD_MAX - 1, (const uint8_t[]){0xf0, 0x9f, 0x98, 0x80}, 4);
	assert_false(mschap_v2_response(
		auth_challenge, peer_challenge, "User", 4, password, sizeof(password), response));
	assert_false(mschap_v2_success(
		auth_challenge, peer_challenge, "User", 4, password, sizeof(password), response, success));
	assert_int_equal(response[0], 0x77);
	assert_string_equal(success, "untouched");
}

static void each_input_counts(void **state)
{
	const struct golden *g = &golden[0];
	uint8_t other[MSCHAP_CHALLENGE], response[MSCHAP_NT_RESPONSE];

	memcpy(other, auth_challenge, sizeof(other));
	other[15] ^= 1;
	assert_true(mschap_v2_response(other, peer_challenge, "User", 4, "clientPass", 10, response));
	assert_memory_not_equal(response, g->response, sizeof(response));
	memcpy(other, peer_challenge, sizeof(other));
	other[0] ^= 0x80;
	assert_true(mschap_v2_response(auth_challenge, other, "User", 4, "clientPass", 10, response));
	assert_memory_not_equal(response, g->response, sizeof(response));
	assert_true(
		mschap_v2_response(auth_challenge, peer_challenge, "user", 4, "clientPass", 10, response));
	assert_memory_not_equal(response, g->response, sizeof(response));
	assert_true(
		mschap_v2_response(auth_challenge, peer_challenge, "User", 4, "clientpass", 10, response));
	assert_memory_not_equal(response, g->response, sizeof(response));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_that_there_is_no_legacy_provider),
		cmocka_unit_test(computes_what_the_rfc_computes),
		cmocka_unit_test(refuses_a_password_of_more_than_256_units),
		cmocka_unit_test(each_input_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
