/*
 * report: what both roles tell the control socket, as JSON: counters, a softwire's row, trace events.
 *
 * Field names are those of doc/control.md. All functions return new references; a value that is not known is null.
 * Names of counters are the names of the struct members, listed once here.
 */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include <jansson.h>

#include "dataplane/tun.h"
#include "hub/softwire.h"

json_t *report_addr(const struct addr *a);	   /* null for "none" */
json_t *report_prefix(const struct prefix *p);	   /* null for "none" */
json_t *report_endpoint(const struct endpoint *e); /* null for "none" */
json_t *report_addrs(const struct addr *a, unsigned count);
json_t *report_text(const char *text); /* null for NULL and ""; anything that is not UTF-8 is escaped */

/* The groups dataplane, l2tp, ppp, nd, dhcp6, dhcp4 and softwire are added to OBJECT. */
void report_counters(json_t *object, const struct softwire_counters *c, const struct dp_counters *dp);
/* rx6_packets ... drop_other; zeros for a NULL row. */
void report_row(json_t *object, const struct dp_row *row);
/* peer_tunnel, ns, window ... of an L2TP tunnel; HEARD is when the data plane heard the peer last. */
void report_tunnel(json_t *object, const struct softwire *s, msec heard, msec now);
/* state, mtu, up_seconds, setup_ms. */
void report_state(json_t *object, const struct softwire *s, msec now);
/* One trace event of softwire ID. */
json_t *report_trace(const struct softwire *s, uint32_t id, const char *name, const char *user, enum softwire_trace what,
	const void *data, size_t len, msec now);

#endif
