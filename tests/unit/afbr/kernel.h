/*
 * A role in a network namespace of the test's own, with the kernel itself, the engine's tables, and stand-ins for the rest of the engine and for the keeper
 * (which does at once what it is asked, and answers in a later turn of the loop). Routes are learnt from the neighbour "peer", source 1.
 */
#ifndef TESTS_AFBR_KERNEL_H
#define TESTS_AFBR_KERNEL_H

#include "../netlink/look.h"
#include "../netlink/namespace.h"
#include "afbr/parts.h"

enum { ORIGINATED = 65536, LOGGED = 65536, FORWARDS_IPV4 = 1, FORWARDS_IPV6 = 2 };

struct originated {
	struct prefix prefix;
	enum bgp_family family;
	uint8_t set[256];
	size_t len;
	bool there;
	unsigned times, withdrawn;
};

struct bgp {
	struct afbr *role;
	struct bgp_config config;
	struct bgp_sets sets;
	struct rib ribs[BGP_FAMILIES];
	struct decision_ops decision;
	unsigned answers;
	bool internal; /* the neighbour is */
	bool deferring; /* our own restart: nothing is told yet */
	unsigned tunnels; /* of which it was told */
	struct originated originated[64];
	unsigned originated_count;
};

struct stage {
	struct loop loop;
	struct log log;
	int log_fd;
	struct bgp bgp;
	struct afbr role;
	struct afbr_config *config;
	struct netlink *netlink;
	int lan, lan1;
	unsigned requests, in_flight, most_in_flight, routes; /* of the keeper */
	int fails;                                            /* the keeper answers with that */
	int fails_once;                                       /* once */
	unsigned forwards; /* which the keeper was asked for */
	uint64_t neighbours; /* of the softwires' device, the first 63 */
	uint64_t raws;     /* protocols of the sockets that it was asked for; 255 as 63 */
	unsigned borders;  /* it filters so many sets on interfaces */
	int store;         /* its memory for the softwires */
	struct rng rng;
	bool softwires;
	int device; /* the keeper's copy */
	bool found, left, stopped;
	int found_result;
	/* what the softwires heard: endpoint_way_changed(), with what nexthop_core() says then, and what the engine had heard; transmitter_next_hop() */
	unsigned ways_told, answers_then, transmitters_come, transmitters_gone;
	struct addr way_told, transmitter;
	struct nexthop_core core_told;
};

/* lan0 with 192.0.2.1/24 and 2001:db8::1/64, and lan1 with 198.18.0.1/24 and 2001:db8:1::1/64: both up. Skips without root. */
struct stage *stage_new(void);
void stage_free(struct stage *s);
/* The keys of the configuration that the tests need. */
void stage_export(struct stage *s);
void stage_import(struct stage *s, uint8_t protocol);
/* softwire_start(), with the real data plane on a device softwire0 of the kernel: IPv4 or IPv6 by ADDRESS, our own in the core; what has a next hop there goes through softwires. Before: */
void stage_core(struct stage *s, const char *address);
/* nexthop_start(), export_start(), export_begin(). If there was something left, the engine is deferring until stage_restarted(). */
void stage_begin(struct stage *s);
void stage_restarted(struct stage *s);
/* Turns of the loop until COMMAND's output has N lines with A and B; else the test fails. */
void stage_shows(struct stage *s, const char *command, const char *a, const char *b, int n);
/* Until DONE(arg), or 5 s: false. */
bool stage_run(struct stage *s, bool (*done)(void *arg), void *arg);
/* What is on its way arrives, and MS pass. */
void stage_wait(struct stage *s, unsigned ms);

struct bgp_next_hop_value to_next_hop(const char *global, const char *link_local);
struct prefix to_prefix(const char *text);
struct addr to_addr(const char *text);
/* The neighbour tells a route; INTERFACE may be NULL. */
void learn(struct stage *s, const char *prefix, const char *global, const char *link_local,
	const char *interface);
void learn_prefix(struct stage *s, const struct prefix *prefix, const struct bgp_next_hop_value *next_hop,
	unsigned interface);
void unlearn(struct stage *s, const char *prefix);
/* The same with a label, in the labeled tables; packets are taken in TUNNEL (enum bgp_tunnel_type) as MPLS. */
void learn_labeled(
	struct stage *s, const char *prefix, const char *next_hop, uint32_t label, uint16_t tunnel);
void unlearn_labeled(struct stage *s, const char *prefix);
/* Its route of the Encapsulation SAFI: the egress at ADDRESS takes TUNNEL. */
void learn_tunnel(struct stage *s, const char *address, const struct bgp_tunnel *tunnel);
const struct rib_path *path_to(struct stage *s, const char *prefix);
/* What afbr_look_at_network() does, without the engine. */
void afbr_look(struct stage *s);
/* The next hop of PREFIX's path. */
const struct bgp_next_hop *next_hop_of(struct stage *s, const char *prefix);
/* export_state() of PREFIX. */
const char *state_of(struct stage *s, const char *prefix);
const struct originated *originated(const struct stage *s, const char *prefix);
const char *stage_log(struct stage *s, char text[LOGGED]);

#endif
