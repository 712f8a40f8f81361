/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why sessions end: struct bgp_error, and what the codes of NOTIFICATION are called. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bgp/message.h"

int bgp_error_set(struct bgp_error *e, uint8_t code, uint8_t subcode, const void *data, size_t len,
	const char *reason, ...)
{
	va_list args;

	if (!e)
		return -EPROTO;
	*e = (struct bgp_error){.code = code, .subcode = subcode};
	e->data_len = (uint16_t)(len < BGP_ERROR_DATA ? len : BGP_ERROR_DATA);
	if (e->data_len)
		memcpy(e->data, data, e->data_len);
	va_start(args, reason);
	vsnprintf(e->reason, sizeof(e->reason), reason, args);
	va_end(args);
	return -EPROTO;
}

/* By subcode; what is deprecated has no name. */
static const char *const header_names[] = {
	[BGP_HEADER_SYNC] = "Connection Not Synchronized",
	[BGP_HEADER_LENGTH] = "Bad Message Length",
	[BGP_HEADER_TYPE] = "Bad Message Type",
};
static const char *const open_names[] = {
	[BGP_OPEN_VERSION] = "Unsupported Version Number",
	[BGP_OPEN_AS] = "Bad Peer AS",
	[BGP_OPEN_ID] = "Bad BGP Identifier",
	[BGP_OPEN_PARAMETER] = "Unsupported Optional Parameter",
	[BGP_OPEN_HOLD_TIME] = "Unacceptable Hold Time",
	[BGP_OPEN_CAPABILITY] = "Unsupported Capability",
	[11] = "Role Mismatch", /* RFC 9234 */
};
static const char *const update_names[] = {
	[BGP_UPDATE_ATTRIBUTES] = "Malformed Attribute List",
	[BGP_UPDATE_WELL_KNOWN_UNKNOWN] = "Unrecognized Well-known Attribute",
	[BGP_UPDATE_MISSING] = "Missing Well-known Attribute",
	[BGP_UPDATE_FLAGS] = "Attribute Flags Error",
	[BGP_UPDATE_LENGTH] = "Attribute Length Error",
	[BGP_UPDATE_ORIGIN] = "Invalid ORIGIN Attribute",
	[BGP_UPDATE_NEXT_HOP] = "Invalid NEXT_HOP Attribute",
	[BGP_UPDATE_OPTIONAL] = "Optional Attribute Error",
	[BGP_UPDATE_NETWORK] = "Invalid Network Field",
	[BGP_UPDATE_AS_PATH] = "Malformed AS_PATH",
};
static const char *const fsm_names[] = {
	[BGP_FSM_OPEN_SENT] = "Unexpected Message in OpenSent",
	[BGP_FSM_OPEN_CONFIRM] = "Unexpected Message in OpenConfirm",
	[BGP_FSM_ESTABLISHED] = "Unexpected Message in Established",
};
static const char *const cease_names[] = {
	[BGP_CEASE_MAX_PREFIX] = "Maximum Number of Prefixes Reached",
	[BGP_CEASE_SHUTDOWN] = "Administrative Shutdown",
	[BGP_CEASE_UNCONFIGURED] = "Peer De-configured",
	[BGP_CEASE_RESET] = "Administrative Reset",
	[BGP_CEASE_REJECTED] = "Connection Rejected",
	[BGP_CEASE_CHANGED] = "Other Configuration Change",
	[BGP_CEASE_COLLISION] = "Connection Collision Resolution",
	[BGP_CEASE_RESOURCES] = "Out of Resources",
	[BGP_CEASE_HARD_RESET] = "Hard Reset",
	[10] = "BFD Down", /* RFC 9384 */
};
static const char *const refresh_names[] = {
	[BGP_REFRESH_LENGTH] = "Invalid Message Length",
};

#define SUBCODES(names) (names), sizeof(names) / sizeof((names)[0])
static const struct {
	const char *name;
	const char *const *subcodes;
	size_t count;
} codes[] = {
	[BGP_ERROR_HEADER] = {"Message Header Error", SUBCODES(header_names)},
	[BGP_ERROR_OPEN] = {"OPEN Message Error", SUBCODES(open_names)},
	[BGP_ERROR_UPDATE] = {"UPDATE Message Error", SUBCODES(update_names)},
	[BGP_ERROR_HOLD_TIMER] = {"Hold Timer Expired", NULL, 0},
	[BGP_ERROR_FSM] = {"Finite State Machine Error", SUBCODES(fsm_names)},
	[BGP_ERROR_CEASE] = {"Cease", SUBCODES(cease_names)},
	[BGP_ERROR_REFRESH] = {"ROUTE-REFRESH Message Error", SUBCODES(refresh_names)},
	[8] = {"Send Hold Timer Expired", NULL, 0}, /* RFC 9687 */
};

const char *bgp_error_name(uint8_t code, uint8_t subcode, char buf[64])
{
	if (code >= sizeof(codes) / sizeof(codes[0]) || !codes[code].name)
		snprintf(buf, 64, "code %u/%u", code, subcode);
	else if (!subcode)
		snprintf(buf, 64, "%s", codes[code].name);
	else if (subcode < codes[code].count && codes[code].subcodes[subcode])
		snprintf(buf, 64, "%s/%s", codes[code].name, codes[code].subcodes[subcode]);
	else
		snprintf(buf, 64, "%s/subcode %u", codes[code].name, subcode);
	return buf;
}
