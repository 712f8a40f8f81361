/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why there is no softwire, in words that a person can act on. */
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "command/connect.h"

static bool is(const char *a, const char *b)
{
	return a && !strcmp(a, b);
}

void failure_of(char *error, const char *cause, struct failure *ret)
{
	char *colon = strstr(error, ": ");

	ret->cause = cause;
	ret->step = "";
	ret->text = error;
	if (!strncmp(error, "no route", strlen("no route"))) {
		ret->step = "route";
	} else if (colon) {
		*colon = '\0';
		ret->step = error;
		ret->text = colon + 2;
	}
}

/* ---- before the first packet ---- */

static bool says_unknown(const struct failure *f)
{
	return strstr(f->text, uv_strerror(UV_EAI_NONAME)) || strstr(f->text, uv_strerror(UV_EAI_NODATA));
}

static void print_resolve(const struct failure *f, char *buf, size_t size)
{
	const char *reason = strrchr(f->text, ':');

	if (says_unknown(f))
		snprintf(buf, size, "%s does not exist, or has no address: is the name right?",
			f->target->host);
	else
		snprintf(buf, size,
			"%s cannot be looked up (%s): is this host's network up, and its DNS right?",
			f->target->host, reason ? reason + 2 : f->text);
}

/* ---- the tunnel ---- */

static void print_silence(const struct failure *f, char *buf, size_t size)
{
	const char *where = f->address ? f->address : f->target->host;

	if (strstr(f->text, "nobody listens"))
		snprintf(buf, size,
			"nobody answers at %s: the host is there, and says that no concentrator listens "
			"there",
			where);
	else if (is(f->step, "tunnel"))
		snprintf(buf, size, "nobody answers at %s: a firewall on the way, or no concentrator there",
			where);
	else
		snprintf(buf, size, "the server %s fell silent at the step \"%s\": %s", where, f->step,
			f->text);
}

static void print_tunnel_auth(const struct failure *f, char *buf, size_t size)
{
	snprintf(buf, size,
		"the server wants a tunnel secret (%s): that takes a configuration file with "
		"tunnel-secret-file, see "
		"softwired.conf(5)",
		f->text);
}

/* ---- the user ---- */

/* We gave no name, and the server ends it for that, in PPP's way or in its own words. */
static bool lacks_name(const struct failure *f)
{
	return !*f->target->user &&
	       (is(f->cause, "user-auth") || (is(f->cause, "peer") && strstr(f->text, "authenticat")));
}

static void print_lacks_name(const struct failure *f, char *buf, size_t size)
{
	char server[300];

	snprintf(buf, size, "this server wants to know who you are: softwire connect USER@%s",
		f->target->port == L2TP_PORT ? f->target->host : target_server(f->target, server));
}

static void print_user_auth(const struct failure *f, char *buf, size_t size)
{
	static const char mark[] = "peer says: ";
	const char *said = strstr(f->text, mark);

	said = said ? said + strlen(mark) : f->text;
	if (strstr(said, "wrong user name or password"))
		snprintf(buf, size, "wrong user name or password");
	else
		snprintf(buf, size,
			"the server does not let %s in (it says: %s): is the password right, and the account "
			"good?",
			f->target->user, said);
}

/* LCP: mostly it is about the method of authentication. */
static void print_no_method(const struct failure *f, char *buf, size_t size)
{
	snprintf(buf, size,
		"the server ended it before anybody had signed in: %s (here CHAP and MS-CHAPv2 are known; "
		"other ways to sign in take a "
		"configuration file, see softwired.conf(5))",
		f->text);
}

static void print_no_address(const struct failure *f, char *buf, size_t size)
{
	snprintf(buf, size, "signed in, but the server has no address to give (%s): ask its operator",
		f->text);
}

void failure_print(const struct failure *f, char *buf, size_t size)
{
	if (is(f->step, "resolve"))
		print_resolve(f, buf, size);
	else if (is(f->step, "route"))
		snprintf(buf, size, "this host has no route to %s: is its network up?", f->target->host);
	else if (is(f->cause, "no-answer"))
		print_silence(f, buf, size);
	else if (is(f->cause, "tunnel-auth"))
		print_tunnel_auth(f, buf, size);
	else if (lacks_name(f))
		print_lacks_name(f, buf, size);
	else if (is(f->cause, "user-auth"))
		print_user_auth(f, buf, size);
	else if (is(f->cause, "no-address"))
		print_no_address(f, buf, size);
	else if (is(f->cause, "dead-peer"))
		snprintf(buf, size, "the server does not answer any more (%s)", f->text);
	else if (is(f->cause, "replaced"))
		snprintf(buf, size, "another softwire of this user has taken the place of this one (%s)",
			f->text);
	else if (is(f->cause, "shutdown"))
		snprintf(buf, size, "the server shuts down (%s)", f->text);
	else if (is(f->cause, "peer") && is(f->step, "lcp"))
		print_no_method(f, buf, size);
	else if (is(f->cause, "peer"))
		snprintf(buf, size, "the server ended it: %s", f->text);
	else
		snprintf(buf, size, "%s%s%s", f->step, *f->step ? ": " : "", f->text);
}

bool failure_is_final(const struct failure *f, bool was_up)
{
	if (lacks_name(f) || is(f->cause, "user-auth") || is(f->cause, "tunnel-auth"))
		return true;
	return !was_up && (is(f->cause, "no-address") || (is(f->step, "resolve") && says_unknown(f)));
}
