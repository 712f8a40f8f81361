/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records as input: what is wrong with one is said, and nothing comes of it; what a newer program has added is passed over, and what an older
 * one wrote is taken up. Linked with malloc and calloc wrapped; its argument is a folder of records that the first version wrote.
 */
#include "pair.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>

#include "hub/engine.h"

/* ---- memory that runs out ---- */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);

static long fail_in = -1; /* allocations until the one that fails; negative: none */

static bool fails(void)
{
	return fail_in >= 0 && fail_in-- == 0;
}

void *__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

/* ---- records to spoil ---- */

struct record {
	uint8_t bytes[2 * SOFTWIRE_RECORD_MAX];
	size_t len;
	bool initiator;
};

/* Both families, subnets, a prefix; with a HELLO under way at each end. */
static struct pair *pair_with_all(void)
{
	struct pair *p = pair_new();

	pair_ipv4(p);
	pair_subnet(p, "203.0.113.0/28");
	p->lease.dhcp4 = true;
	pair_open(p);
	pair_run(p, 20000);
	assert_true(p->si.state.has_binding && p->si.state.has_binding4);
	p->sc.dead = p->si.dead = true;
	softwire_probe(p->sc.softwire, p->now);
	softwire_probe(p->si.softwire, p->now);
	return p;
}

static void take(const struct side *side, struct record *ret)
{
	ret->initiator = side == &side->pair->si;
	ret->len = side->record_len;
	memcpy(ret->bytes, side->record, side->record_len);
}

/* Where the contents of this section begin. */
static size_t section_at(const struct record *r, uint8_t tag)
{
	size_t at = SOFTWIRE_RECORD_HEAD;

	while (at < r->len && r->bytes[at] != tag)
		at += 3u + (r->bytes[at + 1] << 8 | r->bytes[at + 2]);
	assert_true(at < r->len);
	return at + 3;
}

static void set16(struct record *r, size_t at, size_t value)
{
	r->bytes[at] = (uint8_t)(value >> 8);
	r->bytes[at + 1] = (uint8_t)value;
}

static int resume_into(struct pair *p, struct softwire_sc *sc, struct softwire_si *si,
	const struct record *record, char why[SOFTWIRE_RESUME_WHY])
{
	struct reader r = reader_of(record->bytes, record->len);

	memset(sc, 0, sizeof(*sc));
	memset(si, 0, sizeof(*si));
	snprintf(why, SOFTWIRE_RESUME_WHY, "nothing");
	return record->initiator ? softwire_si_resume(si, &p->si.config, &r, NULL, NULL, p->now, why)
				 : softwire_sc_resume(sc, &p->sc.config, &r, p->now, why);
}

static void check_refused(struct pair *p, const struct record *record, const char *name, const char *expected)
{
	struct softwire_sc sc;
	struct softwire_si si;
	char why[SOFTWIRE_RESUME_WHY];
	size_t armed = p->wheel.armed;
	int err = resume_into(p, &sc, &si, record, why);

	if (err != -EBADMSG || strcmp(why, expected) != 0)
		fail_msg("%s: %d, %s", name, err, why);
	assert_int_equal(p->wheel.armed, armed);
	assert_null(sc.lease);
	assert_null(sc.softwire.tunnel.outgoing);
	assert_null(si.softwire.tunnel.outgoing);
}

static void check_accepted(struct pair *p, const struct record *record, const char *name)
{
	struct softwire_sc sc;
	struct softwire_si si;
	char why[SOFTWIRE_RESUME_WHY];

	if (resume_into(p, &sc, &si, record, why))
		fail_msg("%s: %s", name, why);
	softwire_done(record->initiator ? &si.softwire : &sc.softwire);
}

/* ---- bad values ---- */

enum { SC, SI };

#define NEVER 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
#define FAR   0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
#define NIL   0, 0, 0, 0, 0, 0, 0, 0

static const struct bad {
	uint8_t end, section;
	uint16_t at; /* in the section's contents; SECTION 0: in the record */
	uint8_t len, bytes[20];
	const char *why;
} bad[] = {
	{SC, 0, 0, 1, {'x'}, "not the record of a softwire"},
	{SC, 0, 6, 2, {0, 21}, "not the record of a softwire"},
	{SC, 0, 6, 2, {0xff, 0xff}, "not the record of a softwire"},
	{SC, 0, 4, 2, {0, 2}, "the record has format 2, and this program knows 1"},
	{SC, 0, 8, 1, {3}, "the record is of the other end"},
	{SC, 0, 8, 1, {0}, "the softwire was being set up or ended"},
	{SC, 0, 9, 2, {0, 0}, "not the record of a softwire"},
	{SC, 0, 11, 2, {0, 0}, "not the record of a softwire"},
	{SC, 0, 13, 2, {0, 0}, "l2tp: tunnel or session id of zero"},
	{SC, 0, 15, 2, {0, 0}, "l2tp: tunnel or session id of zero"},
	{SC, 0, 21, 1, {0}, "l2tp: another number of messages under way"},
	{SC, 0, 21, 1, {2}, "l2tp: another number of messages under way"},
	{SC, 0, 21, 1, {255}, "l2tp: another number of messages under way"},

	{SC, SECTION_HUB, 0, 1, {8}, "hub: unknown flag"},
	{SC, SECTION_HUB, 1, 1, {0}, "hub: impossible families"},
	{SC, SECTION_HUB, 1, 1, {7}, "hub: impossible families"},
	{SC, SECTION_HUB, 1, 1, {1}, "hub: impossible families"},
	{SC, SECTION_HUB, 2, 1, {1}, "hub: impossible families"},
	{SC, SECTION_HUB, 2, 1, {3}, "hub: impossible families"},
	{SC, SECTION_HUB, 3, 2, {0, 67}, "hub: value out of range"},
	{SC, SECTION_HUB, 3, 2, {4, 0xff}, "hub: IPv6 on an MTU below 1280"},
	{SC, SECTION_HUB, 5, 8, {FAR}, "hub: time that has not come yet"},
	{SC, SECTION_HUB, 5, 8, {NEVER}, "hub: time that has not come yet"},
	{SC, SECTION_HUB, 13, 8, {FAR}, "hub: time that has not come yet"},
	{SC, SECTION_HUB, 13, 8, {NIL}, "hub: up before it began"},
	{SC, SECTION_HUB, 13, 8, {0, 0, 0, 0, 0, 0, 0, 1}, "hub: up before it began"},

	{SC, SECTION_L2TP, 0, 1, {4}, "l2tp: unknown flag"},
	{SC, SECTION_L2TP, 1, 2, {0, 0}, "l2tp: impossible window"},
	{SC, SECTION_L2TP, 3, 2, {0, 0}, "l2tp: impossible window"},
	{SC, SECTION_L2TP, 3, 2, {1, 0}, "l2tp: impossible window"},
	{SC, SECTION_L2TP, 5, 2, {0, 0}, "l2tp: impossible window"},
	{SC, SECTION_L2TP, 7, 2, {1, 0}, "l2tp: impossible window"},
	{SC, SECTION_L2TP, 9, 2, {0, 0}, "l2tp: another number of messages under way"},
	{SC, SECTION_L2TP, 9, 2, {0, 2}, "l2tp: another number of messages under way"},
	{SC, SECTION_L2TP, 12, 1, {9}, "l2tp: value out of range"},
	{SC, SECTION_L2TP, 13, 1, {10}, "l2tp: waiting message that cannot be waiting"},
	{SC, SECTION_L2TP, 14, 2, {0, 11}, "l2tp: waiting message that is no control packet for this peer"},
	{SC, SECTION_L2TP, 14, 2, {0xff, 0xff}, "l2tp: truncated"},
	{SC, SECTION_L2TP, 16, 2, {0, 2}, "l2tp: waiting message that is no control packet for this peer"},
	{SC, SECTION_L2TP, 20, 2, {0, 1}, "l2tp: waiting message that is no control packet for this peer"},
	{SC, SECTION_L2TP, 34, 2, {0, 1}, "l2tp: waiting message that cannot be waiting"},

	{SC, SECTION_PPP, 0, 1, {0x0a}, "ppp: unknown state of a control protocol"},
	{SC, SECTION_PPP, 0, 1, {0x40}, "ppp: unknown flag"},
	{SC, SECTION_PPP, 0, 1, {3}, "ppp: LCP is not open"},
	{SC, SECTION_PPP, 1, 1, {4}, "ppp: unknown flag"},
	{SC, SECTION_PPP, 7, 1, {0x20}, "ppp: options rejected that a control protocol does not have"},
	{SC, SECTION_PPP, 6, 1, {3}, "ppp: another family is open than is up"},
	{SC, SECTION_PPP, 12, 1, {3}, "lease: IPv4 is up without IPCP or an address of ours"},
	{SC, SECTION_PPP, 18, 1, {32}, "ppp: unknown flag"},
	{SC, SECTION_PPP, 19, 1, {0x40}, "ppp: unknown flag"},
	{SC, SECTION_PPP, 19, 1, {0x34}, "ppp: an NCP is awaited that does not negotiate"},
	{SC, SECTION_PPP, 19, 1, {0x10}, "ppp: an NCP is open that must not be"},
	{SC, SECTION_PPP, 20, 1, {0x00}, "ppp: unknown way to authenticate"},
	{SC, SECTION_PPP, 20, 1, {0x51}, "ppp: unknown way to authenticate"},
	{SC, SECTION_PPP, 20, 1, {0x05}, "ppp: unknown way to authenticate"},
	{SC, SECTION_PPP, 23, 1, {11}, "ppp: value out of range"},
	{SC, SECTION_PPP, 25, 2, {0, 67}, "ppp: value out of range"},
	{SC, SECTION_PPP, 27, 2, {0, 0}, "ppp: value out of range"},
	{SC, SECTION_PPP, 29, 4, {0}, "ppp: Magic-Number of zero"},
	{SC, SECTION_PPP, 37, 8, {NIL}, "ppp: impossible interface identifier"},

	{SC, SECTION_NODE, 0, 1, {5}, "nd: no such address family"},
	{SC, SECTION_NODE, 0, 2, {4, 10}, "nd: not an IPv6 unicast address"},
	{SC, SECTION_NODE, 1, 1, {0xff}, "nd: not an IPv6 unicast address"},
	{SC, SECTION_NODE, 17, 1, {4}, "nd: unknown flag"},
	{SC, SECTION_NODE, 17, 1, {1}, "nd: truncated"},

	{SC, SECTION_ROUTER, 0, 1, {2}, "router: unknown flag"},
	{SC, SECTION_ROUTER, 10, 8, {FAR}, "router: time that has not come yet"},

	{SC, SECTION_DHCP6, 0, 1, {4}, "dhcp6: unknown flag"},
	{SC, SECTION_DHCP4, 0, 1, {4}, "dhcp4: unknown flag"},

	{SC, SECTION_LEASE, 0, 1, {8}, "lease: unknown flag"},
	{SC, SECTION_LEASE, 0, 1, {2}, "lease: IPv6 is up, but not leased"},
	{SC, SECTION_LEASE, 9, 4, {0xff, 0xff, 0xff, 0xff}, "lease: preferred lifetime beyond the valid one"},
	{SC, SECTION_LEASE, 17, 1, {7}, "lease: no such address family"},
	{SC, SECTION_LEASE, 18, 1, {129}, "lease: value out of range"},
	{SC, SECTION_LEASE, 18, 1, {63}, "lease: prefix with host bits"},
	{SC, SECTION_LEASE, 27, 1, {9}, "lease: no such address family"},
	{SC, SECTION_LEASE, 32, 1, {5}, "lease: value out of range"},
	{SC, SECTION_LEASE, 33, 1, {0}, "lease: DNS server without an address"},

	{SC, SECTION_ACTIVITY, 0, 8, {FAR}, "activity: time that has not come yet"},
	{SC, SECTION_ACTIVITY, 8, 8, {NEVER}, "activity: time that has not come yet"},

	{SI, 0, 8, 1, {2}, "the record is of the other end"},
	{SI, SECTION_STATE, 0, 1, {16}, "state: unknown flag"},
	{SI, SECTION_STATE, 0, 1, {15}, "state: another family is open than is up"},
	{SI, SECTION_STATE, 17, 8, {FAR}, "state: time too far ahead"},
	{SI, SECTION_STATE, 26, 1, {32}, "state: unknown flag"},
	{SI, SECTION_STATE, 27, 5, {4, 192, 0, 2, 1}, "state: address of another family"},
	{SI, SECTION_STATE, 62, 1, {0xff}, "state: not an address of ours"},
	{SI, SECTION_STATE, 86, 8, {FAR}, "state: time that has not come yet"},
	{SI, SECTION_STATE, 94, 4, {0, 0, 4, 0xff}, "state: value out of range"},
	{SI, SECTION_STATE, 94, 4, {0, 1, 0, 0}, "state: value out of range"},
	{SI, SECTION_STATE, 98, 1, {5}, "state: value out of range"},

	{SI, SECTION_HOST, 0, 2, {4, 10}, "host: router without a link-local address"},
	{SI, SECTION_HOST, 1, 2, {0x20, 0x01}, "host: router without a link-local address"},
	{SI, SECTION_HOST, 17, 8, {FAR}, "host: time too far ahead"},
	{SI, SECTION_HOST, 25, 8, {FAR}, "host: time too far ahead"},
	{SI, SECTION_HOST, 25, 8, {NEVER}, "host: neither a router nor a solicitation"},
	{SI, SECTION_HOST, 33, 4, {0xff}, "host: value out of range"},

	{SI, SECTION_DHCP6, 0, 1, {0}, "dhcp6: value out of range"},
	{SI, SECTION_DHCP6, 0, 1, {8}, "dhcp6: value out of range"},
	{SI, SECTION_DHCP6, 0, 1, {1}, "dhcp6: a lease in a state that has none"},
	{SI, SECTION_DHCP6, 0, 1, {4}, "dhcp6: exchange that never goes on"},
	{SI, SECTION_DHCP6, 1, 1, {4}, "dhcp6: unknown flag"},
	{SI, SECTION_DHCP6, 6, 1, {131}, "dhcp6: value out of range"},
	{SI, SECTION_DHCP6, 25, 1, {2}, "dhcp6: unknown flag"},
	{SI, SECTION_DHCP6, 26, 1, {5}, "dhcp6: value out of range"},
	{SI, SECTION_DHCP6, 27, 1, {4}, "dhcp6: value out of range"},
	{SI, SECTION_DHCP6, 36, 4, {0xff, 0xff, 0xff, 0xff},
		"dhcp6: preferred lifetime beyond the valid one"},
	{SI, SECTION_DHCP6, 44, 1, {5}, "dhcp6: value out of range"},
	{SI, SECTION_DHCP6, 45, 1, {4}, "dhcp6: DNS server of another family"},

	{SI, SECTION_DHCP4, 0, 1, {6}, "dhcp4: address of another family"},
	{SI, SECTION_DHCP4, 1, 1, {8}, "dhcp4: value out of range"},
	{SI, SECTION_DHCP4, 1, 1, {2}, "dhcp4: a lease in a state that has none"},
	{SI, SECTION_DHCP4, 1, 1, {4}, "dhcp4: exchange that never goes on"},
	{SI, SECTION_DHCP4, 2, 1, {4}, "dhcp4: unknown flag"},
	{SI, SECTION_DHCP4, 3, 1, {13}, "dhcp4: value out of range"},
	{SI, SECTION_DHCP4, 10, 1, {3}, "dhcp4: no such address family"},
	{SI, SECTION_DHCP4, 10, 1, {0}, "dhcp4: no such address family"},
	{SI, SECTION_DHCP4, 17, 1, {5}, "dhcp4: value out of range"},
	{SI, SECTION_DHCP4, 18, 1, {0}, "dhcp4: DNS server of another family"},
	{SI, SECTION_DHCP4, 23, 8, {FAR}, "dhcp4: time that has not come yet"},
	{SI, SECTION_DHCP4, 39, 8, {0}, "dhcp4: exchange that never goes on"},
	{SI, SECTION_DHCP4, 47, 8, {FAR}, "dhcp4: time too far ahead"},
	{SI, SECTION_DHCP4, 47, 8, {NEVER}, "dhcp4: T1, T2 and the end of the lease are not in this order"},
	{SI, SECTION_DHCP4, 63, 8, {NEVER}, "dhcp4: lease that never ends is renewed"},
};

static void what_is_wrong_with_a_record_is_said(void **state)
{
	struct pair *p = pair_with_all();
	struct record good[2], spoilt;

	take(&p->sc, &good[SC]);
	take(&p->si, &good[SI]);
	check_accepted(p, &good[SC], "SC");
	check_accepted(p, &good[SI], "SI");
	for (size_t n = 0; n < sizeof(bad) / sizeof(*bad); n++) {
		const struct bad *b = &bad[n];
		char name[64];

		spoilt = good[b->end];
		memcpy(spoilt.bytes + (b->section ? section_at(&spoilt, b->section) : 0) + b->at, b->bytes,
			b->len);
		snprintf(name, sizeof(name), "%s section %u at %u", b->end ? "SI" : "SC", b->section, b->at);
		check_refused(p, &spoilt, name, b->why);
	}
	pair_free(p);
}

/* ---- missing and additional parts ---- */

static void remove_section(struct record *r, uint8_t tag)
{
	size_t at = section_at(r, tag) - 3, len = 3u + (r->bytes[at + 1] << 8 | r->bytes[at + 2]);

	memmove(r->bytes + at, r->bytes + at + len, r->len - at - len);
	r->len -= len;
	set16(r, 6, r->len);
}

static void insert(struct record *r, size_t at, const void *bytes, size_t len)
{
	memmove(r->bytes + at + len, r->bytes + at, r->len - at);
	memcpy(r->bytes + at, bytes, len);
	r->len += len;
	set16(r, 6, r->len);
}

static bool lose_ipcp(struct pair *p, struct side *from, uint8_t *packet, size_t *len)
{
	return !pair_is_data(packet, *len, PPP_IPCP);
}

static void every_section_is_wanted_once(void **state)
{
	static const struct {
		uint8_t tag;
		const char *name;
	} sections[] = {{SECTION_HUB, "hub"}, {SECTION_L2TP, "l2tp"}, {SECTION_PPP, "ppp"},
		{SECTION_NODE, "nd"}, {SECTION_ROUTER, "router"}, {SECTION_HOST, "host"},
		{SECTION_DHCP6, "dhcp6"}, {SECTION_DHCP4, "dhcp4"}, {SECTION_LEASE, "lease"},
		{SECTION_STATE, "state"}, {SECTION_ACTIVITY, "activity"}};
	struct pair *p = pair_with_all();

	for (int end = SC; end <= SI; end++) {
		for (size_t n = 0; n < sizeof(sections) / sizeof(*sections); n++) {
			uint8_t tag = sections[n].tag;
			struct record r;
			char why[64];
			size_t at;

			if (end == SC ? tag == SECTION_HOST || tag == SECTION_STATE
				      : tag == SECTION_ROUTER || tag == SECTION_LEASE)
				continue;
			take(end == SC ? &p->sc : &p->si, &r);
			remove_section(&r, tag);
			snprintf(why, sizeof(why), "%s: missing", sections[n].name);
			check_refused(p, &r, sections[n].name, why);
			take(end == SC ? &p->sc : &p->si, &r);
			at = section_at(&r, tag) - 3;
			insert(&r, r.len, r.bytes + at, 3u + (r.bytes[at + 1] << 8 | r.bytes[at + 2]));
			snprintf(why, sizeof(why), "%s: there twice", sections[n].name);
			check_refused(p, &r, sections[n].name, why);
		}
	}
	pair_free(p);
}

/* Every section may have grown, and there are sections that this program has never heard of. */
static void what_a_newer_program_has_added_is_passed_over(void **state)
{
	static const uint8_t unknown[] = {200, 0, 3, 'n', 'e', 'w'};
	struct pair *p = pair_with_all();

	for (int end = SC; end <= SI; end++) {
		struct record r;

		take(end == SC ? &p->sc : &p->si, &r);
		insert(&r, SOFTWIRE_RECORD_HEAD, unknown, sizeof(unknown));
		insert(&r, r.len, unknown, sizeof(unknown));
		for (size_t at = SOFTWIRE_RECORD_HEAD; at < r.len;) {
			size_t len = (size_t)(r.bytes[at + 1] << 8 | r.bytes[at + 2]);

			insert(&r, at + 3 + len, "more", 4);
			set16(&r, at + 1, len + 4);
			at += 3 + len + 4;
		}
		check_accepted(p, &r, end == SC ? "SC" : "SI");
	}
	pair_free(p);
}

static void a_record_that_was_cut_is_refused_wherever(void **state)
{
	struct pair *p = pair_with_all();

	for (int end = SC; end <= SI; end++) {
		struct record whole, r;

		take(end == SC ? &p->sc : &p->si, &whole);
		for (size_t len = 0; len < whole.len; len++) {
			struct softwire_sc sc;
			struct softwire_si si;
			char why[SOFTWIRE_RESUME_WHY];

			r = whole;
			r.len = len;
			check_refused(p, &r, "cut", "not the record of a softwire");
			set16(&r, 6, len);
			assert_int_equal(resume_into(p, &sc, &si, &r, why), -EBADMSG);
		}
	}
	pair_free(p);
}

static void every_flipped_bit_is_survived(void **state)
{
	struct pair *p = pair_with_all();

	for (int end = SC; end <= SI; end++) {
		struct record whole, r;

		take(end == SC ? &p->sc : &p->si, &whole);
		for (size_t bit = 0; bit < 8 * whole.len; bit++) {
			struct softwire_sc sc;
			struct softwire_si si;
			char why[SOFTWIRE_RESUME_WHY];

			r = whole;
			r.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (!resume_into(p, &sc, &si, &r, why))
				softwire_done(end == SC ? &sc.softwire : &si.softwire);
		}
	}
	pair_free(p);
}

/* What the configuration does not offer any more cannot go on. */
static void a_family_that_is_not_offered_any_more_is_refused(void **state)
{
	struct pair *p = pair_with_all();
	struct record r;

	take(&p->sc, &r);
	p->sc.config.ppp.ipv4 = false;
	check_refused(p, &r, "SC", "hub: a family that the configuration does not offer");
	p->sc.config.ppp.ipv4 = true;
	p->sc.config.local4 = (struct addr){0};
	check_refused(p, &r, "SC", "lease: IPv4 is up without IPCP or an address of ours");
	pair_free(p);
}

/* HELLO, negotiation, lease: each allocation fails once. */
static void without_memory_nothing_is_held(void **state)
{
	struct pair *p = pair_new();
	struct softwire_sc sc;
	struct softwire_si si;
	char why[SOFTWIRE_RESUME_WHY];
	unsigned failed = 0;
	struct record r;
	int err;

	pair_ipv4(p);
	p->hook = lose_ipcp;
	pair_open(p);
	pair_run(p, 6000);
	assert_true(p->sc.softwire->up6 && !p->sc.softwire->up4);
	p->si.dead = true;
	softwire_probe(p->sc.softwire, p->now);
	take(&p->sc, &r);
	do {
		fail_in = failed;
		err = resume_into(p, &sc, &si, &r, why);
		if (!err)
			break;
		assert_int_equal(err, -ENOMEM);
		assert_non_null(strstr(why, ": out of memory"));
		assert_null(sc.lease);
		assert_null(sc.softwire.tunnel.outgoing);
		assert_null(sc.softwire.ppp.auth);
	} while (++failed < 10);
	fail_in = -1;
	assert_int_equal(failed, 3);
	softwire_done(&sc.softwire);
	pair_free(p);
}

static const char *folder;

/* Whoever changes a section and breaks this one locks out the softwires of the version before. */
static void what_the_first_version_wrote_is_taken_up(void **state)
{
	struct pair *p = pair_with_all();
	struct dirent *entry;
	unsigned taken = 0;
	DIR *dir = opendir(folder);

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		struct softwire_peek peek;
		struct record r;
		char path[512];
		FILE *f;

		if (strncmp(entry->d_name, "v1-", 3) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		f = fopen(path, "rb");
		assert_non_null(f);
		r.len = fread(r.bytes, 1, sizeof(r.bytes), f);
		fclose(f);
		assert_int_equal(softwire_peek(reader_of(r.bytes, r.len), &peek), 0);
		r.initiator = peek.initiator;
		if (!peek.resumable)
			continue;
		check_accepted(p, &r, entry->d_name);
		taken++;
	}
	closedir(dir);
	assert_true(taken >= 12);
	pair_free(p);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_wrong_with_a_record_is_said),
		cmocka_unit_test(every_section_is_wanted_once),
		cmocka_unit_test(what_a_newer_program_has_added_is_passed_over),
		cmocka_unit_test(a_record_that_was_cut_is_refused_wherever),
		cmocka_unit_test(every_flipped_bit_is_survived),
		cmocka_unit_test(a_family_that_is_not_offered_any_more_is_refused),
		cmocka_unit_test(without_memory_nothing_is_held),
		cmocka_unit_test(what_the_first_version_wrote_is_taken_up),
	};

	if (argc < 2)
		return 2;
	folder = argv[1];
	return cmocka_run_group_tests_name("hub record", tests, NULL, NULL);
}
