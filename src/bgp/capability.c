/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Capabilities, one row each (RFC 5492 section 4). */
#include "bgp/capability.h"

enum {
	RESTARTED = 0x8000,    /* RFC 4724 section 3 */
	NOTIFICATION = 0x4000, /* RFC 8538 section 2 */
	RESTART_TIME = 0x0fff,
	PRESERVED = 0x80,
};

/* RFC 8950 section 4 is about no others */
static const bgp_families with_other_next_hops = BGP_FAMILY_BIT(BGP_IPV4) | BGP_FAMILY_BIT(BGP_IPV4_LABELED);

static void head(struct writer *w, enum bgp_capability code, size_t len)
{
	writer_u8(w, (uint8_t)code);
	writer_u8(w, (uint8_t)len);
}

static size_t count(bgp_families families)
{
	return (size_t)__builtin_popcount(families);
}

/* ---- RFC 4760 section 8 ---- */

static void read_multiprotocol(struct reader *value, struct bgp_open *open)
{
	uint16_t afi = reader_u16(value);
	enum bgp_family f;

	reader_u8(value); /* reserved */
	if (bgp_family_of(afi, reader_u8(value), &f) == 0)
		open->capabilities.families |= BGP_FAMILY_BIT(f);
}

void bgp_capability_write_family(struct writer *w, enum bgp_family family)
{
	head(w, BGP_CAP_MULTIPROTOCOL, 4);
	writer_u16(w, bgp_family_afi(family));
	writer_u8(w, 0);
	writer_u8(w, bgp_family_safi(family));
}

static void write_multiprotocol(struct writer *w, const struct bgp_open *open)
{
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		if (open->capabilities.families & BGP_FAMILY_BIT(f))
			bgp_capability_write_family(w, (enum bgp_family)f);
}

/* ---- RFC 2918, RFC 7313, RFC 8654: they are there or not ---- */

static void read_refresh(struct reader *value, struct bgp_open *open)
{
	open->capabilities.refresh = true;
}

static void write_refresh(struct writer *w, const struct bgp_open *open)
{
	if (open->capabilities.refresh)
		head(w, BGP_CAP_REFRESH, 0);
}

static void read_enhanced_refresh(struct reader *value, struct bgp_open *open)
{
	open->capabilities.enhanced_refresh = true;
}

static void write_enhanced_refresh(struct writer *w, const struct bgp_open *open)
{
	if (open->capabilities.enhanced_refresh)
		head(w, BGP_CAP_ENHANCED_REFRESH, 0);
}

static void read_extended_message(struct reader *value, struct bgp_open *open)
{
	open->capabilities.extended_message = true;
}

static void write_extended_message(struct writer *w, const struct bgp_open *open)
{
	if (open->capabilities.extended_message)
		head(w, BGP_CAP_EXTENDED_MESSAGE, 0);
}

/* ---- RFC 8950 section 4 ---- */

static void read_extended_next_hop(struct reader *value, struct bgp_open *open)
{
	while (reader_left(value)) {
		uint16_t afi = reader_u16(value), safi = reader_u16(value), next_hop = reader_u16(value);
		enum bgp_family f;

		if (next_hop == BGP_AFI_IPV6 && safi <= UINT8_MAX &&
			bgp_family_of(afi, (uint8_t)safi, &f) == 0)
			open->capabilities.extended_next_hop |= BGP_FAMILY_BIT(f) & with_other_next_hops;
	}
}

static void write_extended_next_hop(struct writer *w, const struct bgp_open *open)
{
	bgp_families families = open->capabilities.extended_next_hop & with_other_next_hops;

	if (!families)
		return;
	head(w, BGP_CAP_EXTENDED_NEXT_HOP, 6 * count(families));
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		if (families & BGP_FAMILY_BIT(f)) {
			writer_u16(w, bgp_family_afi((enum bgp_family)f));
			writer_u16(w, bgp_family_safi((enum bgp_family)f));
			writer_u16(w, BGP_AFI_IPV6);
		}
}

/* ---- RFC 4724 section 3, RFC 8538 section 2 ---- */

/* Of several only the last one counts. */
static void read_graceful(struct reader *value, struct bgp_open *open)
{
	struct bgp_capabilities *c = &open->capabilities;
	uint16_t flags = reader_u16(value);

	c->graceful = true;
	c->restarted = flags & RESTARTED;
	c->notification = flags & NOTIFICATION;
	c->restart_time = flags & RESTART_TIME;
	c->graceful_families = c->preserved = 0;
	while (reader_left(value)) {
		uint16_t afi = reader_u16(value);
		uint8_t safi = reader_u8(value), family_flags = reader_u8(value);
		enum bgp_family f;

		if (bgp_family_of(afi, safi, &f))
			continue;
		c->graceful_families |= BGP_FAMILY_BIT(f);
		if (family_flags & PRESERVED)
			c->preserved |= BGP_FAMILY_BIT(f);
	}
}

static void write_graceful(struct writer *w, const struct bgp_open *open)
{
	const struct bgp_capabilities *c = &open->capabilities;

	if (!c->graceful)
		return;
	head(w, BGP_CAP_GRACEFUL_RESTART, 2 + 4 * count(c->graceful_families));
	writer_u16(w, (uint16_t)((c->restarted ? RESTARTED : 0) | (c->notification ? NOTIFICATION : 0) |
				 (c->restart_time < RESTART_TIME ? c->restart_time : RESTART_TIME)));
	for (unsigned f = 0; f < BGP_FAMILIES; f++)
		if (c->graceful_families & BGP_FAMILY_BIT(f)) {
			writer_u16(w, bgp_family_afi((enum bgp_family)f));
			writer_u8(w, bgp_family_safi((enum bgp_family)f));
			writer_u8(w, c->preserved & BGP_FAMILY_BIT(f) ? PRESERVED : 0);
		}
}

/* ---- RFC 6793 section 4.1 ---- */

static void read_as4(struct reader *value, struct bgp_open *open)
{
	open->capabilities.as4 = true;
	open->as = reader_u32(value);
}

static void write_as4(struct writer *w, const struct bgp_open *open)
{
	if (!open->capabilities.as4)
		return;
	head(w, BGP_CAP_AS4, 4);
	writer_u32(w, open->as);
}

/* A value has BASE octets, and as often as it likes UNIT more (0: never). In the order in which they are written. */
static const struct row {
	uint8_t code, base, unit;
	void (*read)(struct reader *value, struct bgp_open *open);
	void (*write)(struct writer *w, const struct bgp_open *open); /* NULL: we do not offer it */
} rows[] = {
	{BGP_CAP_MULTIPROTOCOL, 4, 0, read_multiprotocol, write_multiprotocol},
	{BGP_CAP_REFRESH, 0, 0, read_refresh, write_refresh},
	{BGP_CAP_EXTENDED_NEXT_HOP, 0, 6, read_extended_next_hop, write_extended_next_hop},
	{BGP_CAP_EXTENDED_MESSAGE, 0, 0, read_extended_message, write_extended_message},
	{BGP_CAP_GRACEFUL_RESTART, 2, 4, read_graceful, write_graceful},
	{BGP_CAP_AS4, 4, 0, read_as4, write_as4},
	{BGP_CAP_ENHANCED_REFRESH, 0, 0, read_enhanced_refresh, write_enhanced_refresh},
	{BGP_CAP_REFRESH_OLD, 0, 0, read_refresh, NULL},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static const struct row *find(uint8_t code, size_t len)
{
	for (unsigned i = 0; i < ROWS; i++)
		if (rows[i].code == code)
			return len == rows[i].base || (rows[i].unit && len > rows[i].base &&
							      (len - rows[i].base) % rows[i].unit == 0)
				       ? &rows[i]
				       : NULL;
	return NULL;
}

int bgp_capabilities_read(
	struct reader list, struct bgp_open *open, bool *families_said, struct bgp_error *error)
{
	while (reader_left(&list)) {
		uint8_t code = reader_u8(&list), len = reader_u8(&list);
		struct reader value = reader_sub(&list, len);
		const struct row *row = find(code, len);

		if (!reader_ok(&list))
			return bgp_error_set(error, BGP_ERROR_OPEN, 0, NULL, 0,
				"capability %u of %u octets does not fit into its parameter", code, len);
		if (!row) {
			open->capabilities.unknown++;
			continue;
		}
		row->read(&value, open);
		if (code == BGP_CAP_MULTIPROTOCOL)
			*families_said = true;
	}
	return 0;
}

void bgp_capabilities_write(struct writer *w, const struct bgp_open *open)
{
	for (unsigned i = 0; i < ROWS; i++)
		if (rows[i].write)
			rows[i].write(w, open);
}
