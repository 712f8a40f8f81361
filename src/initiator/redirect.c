/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "Try another": a StopCCN (or CDN) with result 2, error 7 and an address in its text (RFC 2661 section 4.4.2, RFC 3193 section 4).
 *
 * It counts when it comes from the server of a control connection of ours, to the tunnel id and with the sequence numbers of that connection: in
 * answer to the SCCRQ, or later. The answer to an SCCRQ cannot prove anything, not even where a tunnel secret is shared (RFC 2661 has
 * no Challenge Response in a StopCCN), and it is where a server that is full needs it most, so it is followed all the same. Somebody who is not on the
 * path has to guess source port and tunnel id, which is what it takes to forge an answer of the DNS; somebody who is needs no redirection.
 * What it can do is no more than that either: the one that is named has to prove all that the configuration demands (tunnel secret, the
 * server's password or certificate) before it sees anything of ours, and if it does not, the configured servers come next. A name is never followed.
 *
 * At most three in a row, none twice. The chain is forgotten with the race; or, when it came to a softwire, once that has been up for
 * half a minute.
 */
#include "initiator/role.h"

#include <stdio.h>
#include <string.h>

enum { CHAIN_MS = 30000 };

/* ---- what it says ---- */

static bool may_be_a_server(const struct endpoint *at, const struct endpoint *by)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	const struct addr *a = &at->addr;

	if (!at->port || addr_is_unspecified(a) || addr_is_multicast(a) || addr_is_link_local(a))
		return false;
	if (a->family == AF_INET && (a->bytes[0] == 0 || a->bytes[0] >= 224))
		return false;
	if (a->family == AF_INET6 && !memcmp(a->bytes, mapped, sizeof(mapped)))
		return false;
	return !addr_is_loopback(a) ||
	       addr_is_loopback(&by->addr); /* only this machine speaks of itself so */
}

bool initiator_redirect_parse(const char *text, const struct endpoint *by, struct endpoint *ret)
{
	char word[ENDPOINT_TEXT + 2];
	struct endpoint at;
	size_t len;

	text += strspn(text, " ");
	len = strcspn(text, " ,;");
	if (!len || len >= sizeof(word))
		return false;
	memcpy(word, text, len);
	word[len] = '\0';
	/* The end of a sentence, or "192.0.2.2: draining"; "2001:db8::" ends so by itself. */
	if (word[len - 1] == '.' || (word[len - 1] == ':' && (len < 2 || word[len - 2] != ':')))
		word[len - 1] = '\0';
	if (endpoint_parse(word, L2TP_PORT, &at) || !may_be_a_server(&at, by))
		return false;
	*ret = at;
	return true;
}

/* ---- following it ---- */

static void refuse(const struct attempt *a, const struct softwire_why *why, const char *reason)
{
	struct log_line l;

	if (attempt_log(a, &l, LEVEL_WARN, "redirect-refused")) {
		log_text(&l, "text", why->said);
		log_text(&l, "reason", reason);
		log_end(&l);
	}
}

/* Why TO is not followed; NULL: it is. */
static const char *objection(const struct attempt *a, const struct endpoint *to)
{
	const struct initiator *i = a->role;
	const struct race *r = &i->race;

	if (!i->config.redirect)
		return "`redirect` is false";
	if (a->purpose == RACE_HOME && i->current)
		return "the softwire that is up serves";
	if (r->hops >= REDIRECT_HOPS)
		return "there were too many in a row";
	for (unsigned n = 0; n < r->visited_count; n++)
		if (endpoint_equal(&r->visited[n], to))
			return "it leads in a circle";
	return endpoint_equal(to, &a->server) ? "it leads in a circle" : NULL;
}

/* Somebody else was told the same: it is on its way. */
static bool is_on_its_way(const struct initiator *i, const struct endpoint *to)
{
	for (const struct attempt *a = i->racing; a; a = a->next)
		if (endpoint_equal(&a->server, to))
			return true;
	return false;
}

static void remember(struct initiator *i, const struct attempt *a, const struct softwire_why *why)
{
	struct race *r = &i->race;

	r->hops++;
	r->visited[r->visited_count++ % (REDIRECT_HOPS + 1)] = a->server;
	r->redirect = (struct redirect){.by = a->server};
	snprintf(r->redirect.text, sizeof(r->redirect.text), "%.*s", REDIRECT_TEXT - 1, why->said);
}

bool initiator_redirect_follow(struct attempt *a, enum attempt_stage stage, const struct softwire_why *why)
{
	struct initiator *i = a->role;
	const struct softwire *s = &a->engine.softwire;
	struct candidate c = {.redirected = true};
	char text[ENDPOINT_TEXT];
	const char *no;
	struct log_line l;
	int known;

	if (why->result != L2TP_STOP_ERROR || why->error != L2TP_ERROR_TRY_ANOTHER || i->stopping)
		return false;
	if (stage == ATTEMPT_LEADS && s->up_at && s->now - s->up_at >= CHAIN_MS)
		i->race.hops = i->race.visited_count = 0;
	if (!initiator_redirect_parse(why->said, &a->server, &c.at)) {
		refuse(a, why, "it names no address of another server");
		return false;
	}
	if (is_on_its_way(i, &c.at))
		return false;
	no = objection(a, &c.at);
	if (no) {
		refuse(a, why, no);
		return false;
	}
	known = initiator_server_find(i, &c.at);
	c.server = known >= 0 ? (uint8_t)known : a->server_index;
	c.below = (uint8_t)(i->servers[c.server].rank + (known >= 0 ? 0 : 1));
	remember(i, a, why);
	if (attempt_log(a, &l, LEVEL_INFO, "redirected")) {
		log_text(&l, "to", endpoint_print(&c.at, text));
		log_text(&l, "text", why->said);
		log_end(&l);
	}
	initiator_server_failed(i, a->server_index);
	initiator_race_redirect(i, &c, stage == ATTEMPT_FOLLOWS ? a->purpose : RACE_CONNECT);
	return true;
}
