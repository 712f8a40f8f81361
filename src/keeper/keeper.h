/*
 * keeper: the small privileged process, and how the engine process talks to it.
 *
 * softwired starts as the keeper (root), checks the configuration, opens a socket pair and forks the engine process, which drops
 * to an unprivileged user and reads everything hostile. The keeper parses nothing from the network. It does, on request:
 *   open UDP sockets, listening TCP sockets, TUN and TAP devices, ICMPv6 sockets on LAN interfaces, raw sockets of the mesh's encapsulations, files, the control
 *   socket; change addresses, routes, neighbours and links; forbid what clients may not send;
 *   tell the host's resolver about DNS servers; run the operator's hooks; bridge LAN interfaces.
 * It holds the descriptors that it has opened, so that an engine that crashed or was replaced gets the same ones again.
 * What may be asked for is limited by struct keeper_policy, made from the configuration before the fork (a compromised
 * engine cannot open /etc/shadow or change routes on another interface).
 * When the engine process dies without being told to, the keeper starts it again (after 0.2 s, doubling to 10 s); when the keeper dies, the
 * engine process ends.
 *
 * What outlives whom:
 *   the engine process  the keeper holds descriptors, and for each role memory (keeper_open_state()) in which the role writes down what the next
 *                       engine process needs to go on with its softwires.
 *   the keeper          over an upgrade it becomes the other program by exec(), with the same process number, and hands over its descriptors and its
 *                       ledger: what it holds and has to undo. Where a service manager keeps descriptors ($NOTIFY_SOCKET, sd_notify(3)) it has copies
 *                       of both, and gives them to the keeper that it starts when this one was killed.
 *   the machine         nothing of this: it is memory.
 *
 * Messages are typed structs over SOCK_SEQPACKET (message.h), one request one answer, descriptors by SCM_RIGHTS. Requests are
 * asynchronous for the engine process: an answer calls back.
 *
 * Parts: keeper.c (the process: fork, supervise, signals), identity.c (who the engine is, and becoming that), message.c (what a request must
 * look like), policy.c (what may be asked), grant.c (doing it, and what is undone), held.c (what is held), told.c (what the log says of it), descriptor.c (opening
 * things), ledger.c (what is held and to be undone, in memory that outlives us), inherit.c (from one keeper to the next), handover.c (descriptors over
 * exec() and from the service manager), notify.c (what that is told), upgrade.c (may another program take our place?),
 * forwarding.c (the router switch), table.c (routes of BGP), border.c (filters on client links), hush.c (no errors of the kernel's
 * own about softwires), resolver.c (DNS servers for the host), bridge.c (bridges of LANs), hook.c (the operator's programs), trust.c (which files
 * may be run), child.c (running them), client.c (the engine's side).
 *
 * Who cleans up: descriptors and devices go when the last process that has them ends; unreachable routes, routes of BGP, border filters, what the kernel is not to say, addresses on LANs,
 * forwarding, bridges, DNS servers and the control socket's file are undone when the keeper ends, in order or by its engine's wish. While only the engine is
 * replaced they stay, because the new one asks for them again.
 * Known limit: a keeper that is killed (SIGKILL) undoes nothing. The next one does where a service manager has kept the ledger; else unreachable
 * routes, routes of BGP, border filters, LAN addresses and what resolvconf was told stay until the same ones are asked for again, which works as if they had not been there. A
 * bridge stays, too, and is then nobody's: it is used again, but never removed. Hooks that waited are lost.
 */
#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H

#include "lib/addr.h"
#include "lib/log.h"
#include "lib/loop.h"

/* ---- the keeper process ---- */

enum {
	KEEPER_DNS_MAX = 4,
	KEEPER_RESOLVER_PATHS = 2,
	KEEPER_HOOK_VARIABLES = 48,
	KEEPER_HOOK_BYTES = 3072,
	KEEPER_BRIDGE_PORTS = 8,
	KEEPER_BGP_ROUTES = 100,
	KEEPER_NEIGHBOURS = 256,
	KEEPER_BORDERS = 32
};

/* A routing table of the kernel, and the metric with which routes of BGP are put into it. */
struct keeper_table {
	uint32_t table, metric;
};

/* Routes of which families may be put there. */
struct keeper_export {
	struct keeper_table table;
	bool ipv4, ipv6;
};

/* What may manage the host's resolv.conf. NULLs are nothing; the first executable file of a list is taken. */
struct keeper_resolvers {
	const char *resolved; /* a file that is there when systemd-resolved is in use */
	const char *resolvectl[KEEPER_RESOLVER_PATHS];
	const char *resolvconf[KEEPER_RESOLVER_PATHS];
	uint32_t patience_ms; /* a program that runs longer is killed */
};

/* What SIGHUP to the keeper means. */
enum keeper_hangup { KEEPER_HANGUP_RELOADS, KEEPER_HANGUP_ENDS, KEEPER_HANGUP_IGNORED };

struct keeper_policy {
	const char *const *files;
	size_t file_count; /* absolute paths that may be opened for reading */
	const char *const *directories;
	size_t directory_count; /* e.g. /var/lib/softwired: made if missing, owned by the engine's user */
	const char *const *tuns;
	size_t tun_count; /* names of TUN devices: sc0, si-home */
	const char *const *taps;
	size_t tap_count; /* names of TAP devices: softwire0 */
	const struct addr *raws;
	size_t raw_count; /* our addresses in the core: where raw sockets of the mesh's encapsulations may be bound */
	const char *const *borders;
	size_t border_count; /* client interfaces on which addresses of the core may be filtered */
	const struct prefix *border_sets;
	size_t border_set_count; /* these addresses */
	const char *const *lans;
	size_t lan_count; /* interfaces whose addresses may be changed */
	const struct endpoint *udp;
	size_t udp_count;           /* local ends; family with address zero and port 0 for initiators */
	const struct endpoint *tcp;
	size_t tcp_count;           /* where the engine may listen for connections */
	const struct keeper_export *exports;
	size_t export_count; /* into which tables the engine may put routes of BGP, with what metric */
	const char *control_socket; /* path */
	const char *control_group;  /* NULL: root only */
	const char *user; /* the engine's user; NULL: "softwire", and "nobody" if that does not exist */
	const char *runtime_directory; /* /run/softwired; made if missing, 0755 */
	bool may_forward;              /* keeper_forwarding() is allowed: we are a router */
	const char *const *hooks;
	size_t hook_count; /* absolute paths of programs that keeper_hook() may run */
	const char *const *bridges;
	size_t bridge_count;                      /* names of bridges that may be made of `lans` */
	const struct keeper_resolvers *resolvers; /* NULL: this system's; the first policy's count */
	const char *const *command; /* what starts us: the program's absolute path and its arguments, NULL behind the last; NULL: no upgrades */
	/*
	 * Called in the keeper with keeper_run()'s ARG after SIGHUP and keeper_reload(), to read the configuration again; NULL (both
	 * the function and its result): the policy stays. The result is used until the next one that is not NULL. Engines forked later see
	 * what it changed. What the engine that runs was allowed stays allowed as long as it runs, for it goes on with what it cannot change
	 * without a restart; the next one gets the newest policy and no more.
	 */
	const struct keeper_policy *(*reload)(void *arg);
	/* The engine could not do with what reload() has read: the configuration before is in force again. NULL: there is none before. */
	const struct keeper_policy *(*reload_back)(void *arg);
	enum keeper_hangup hangup; /* a program in the foreground ends with its terminal */
};

/* An engine that returns this has nothing to gain from another try: the keeper ends with it, too (EX_CONFIG of sysexits.h), unless an engine has been
 * ready before, of a daemon: then it is tried again all the same. */
enum { KEEPER_GIVE_UP = 78 };
/* One that returns this has left everything as it is, in order: for the next one, after keeper_upgrade() in the next program's keeper. */
enum { KEEPER_LEAVE = 79 };

/*
 * Runs the keeper in this process and ENGINE(arg, fd) in a child, until the engine ends with 0 or KEEPER_GIVE_UP or the keeper gets
 * SIGTERM/SIGINT (which it passes on as SIGTERM; a second one, or 5 s, kills). SIGHUP is passed on, for the engine to ask for keeper_reload(), unless
 * `hangup` says otherwise.
 * Devices and descriptors go with the keeper. The engine has stdin, stdout, stderr, the log's descriptor and FD, and no other.
 * As another user than root nothing can be dropped (nor most things done): the engine then runs as the same user, with a warning.
 * Returns the exit status.
 */
int keeper_run(
	const struct keeper_policy *policy, struct log *log, int (*engine)(void *arg, int fd), void *arg);

/* ---- the engine process's side ---- */

struct keeper_client;

/* RESULT is 0 or -errno; FD is the descriptor or -1 (the callee owns it). OWNER is what the request was made with. */
typedef void keeper_answer(void *owner, int result, int fd);

/* FD is the socket from keeper_run(), owned by the client from now on. LOST is called once when the keeper is gone. NULL: no memory. */
struct keeper_client *keeper_client_new(struct loop *loop, int fd, void (*lost)(void *owner), void *owner);
/* Requests that wait for an answer are forgotten without one. */
void keeper_client_free(struct keeper_client *c);
/* OWNER is about to go: its requests are still carried out, but not answered any more. */
void keeper_forget(struct keeper_client *c, const void *owner);

/*
 * Every request is answered once, maybe from inside the call: -EPERM when the policy forbids it, -EINVAL when it makes no sense, -EPIPE when
 * the keeper is gone, and whatever the kernel said. ANSWER may be NULL.
 */

/*
 * A bound, non-blocking UDP socket (IPv6: only IPv6) with buffers of 8 MiB each way, which only the keeper can give: whoever sets
 * SO_RCVBUF or SO_SNDBUF afterwards makes them smaller. For a given port it is the same socket again each time; with port 0
 * every request makes another one (after a restart the earlier ones come first) until keeper_close_udp() lets one go.
 */
void keeper_open_udp(
	struct keeper_client *c, const struct endpoint *local, keeper_answer *answer, void *owner);
/* The keeper closes its copy. BOUND is what getsockname() says of the socket. */
void keeper_close_udp(
	struct keeper_client *c, const struct endpoint *bound, keeper_answer *answer, void *owner);
/*
 * A listening, non-blocking TCP socket (IPv6: only IPv6; SO_REUSEADDR), the same again each time: connections that come while one engine process follows
 * another wait in its queue. Where there is no such address (yet) it is bound all the same: who listens there cannot be reached before there is.
 */
void keeper_open_tcp(
	struct keeper_client *c, const struct endpoint *local, keeper_answer *answer, void *owner);
/* The keeper closes its copy; nobody is listened to any more when the engine has closed its own. */
void keeper_close_tcp(
	struct keeper_client *c, const struct endpoint *local, keeper_answer *answer, void *owner);
/* IFF_TUN | IFF_NO_PI, non-blocking, without autoconfiguration; made, up. -EBUSY when somebody else has a device of that name. */
void keeper_open_tun(
	struct keeper_client *c, const char *name, uint16_t mtu, keeper_answer *answer, void *owner);
/*
 * IFF_TAP | IFF_NO_PI, non-blocking, without autoconfiguration and duplicate address detection, IPv6 on; made, up. Held, closed and named as TUNs are (a name is
 * of one kind for good). LLADDR of the device is 02:00:00:00:00:00: no path of the mesh has that. Packets that come out of it are not checked for a way back to
 * their source (rp_filter 0); where the administrator wants that for all interfaces, as little as possible is (2), which is logged. The device has the address
 * 127.171.0.1, without which the kernel would be strict all the same.
 */
void keeper_open_tap(
	struct keeper_client *c, const char *name, uint16_t mtu, keeper_answer *answer, void *owner);
/*
 * Permanent neighbours of a TAP of ours: fe80::N has the link-layer address 02:00:00 and the 24 bits of N, for the COUNT (1 to KEEPER_NEIGHBOURS) numbers at
 * NUMBERS (1 to 0xffffff). Adding what is there, and deleting what is not, succeeds. They go with the device.
 */
void keeper_neighbours(struct keeper_client *c, bool add, const char *device, const uint32_t *numbers, unsigned count,
	keeper_answer *answer, void *owner);
/*
 * A raw socket, non-blocking, with large buffers (as keeper_open_udp()): PROTOCOL (4, 41, 47, 115 or 137) and LOCAL of the policy's `raws`: receives, bound to LOCAL,
 * also where there is no such address yet. PROTOCOL 255: sends whole packets of LOCAL's family (IPPROTO_RAW, header included); not bound. A new one each time:
 * packets that come while there is none are lost, and the kernel tells their senders. Where there is one, the kernel says no "port unreachable" from LOCAL any more,
 * which else a tunnel driver of its own (ipip, sit, ip6_tunnel, ip_gre), if it is loaded, says of every packet that it has no tunnel for: hush.h.
 */
void keeper_open_raw(struct keeper_client *c, const struct addr *local, uint8_t protocol, keeper_answer *answer, void *owner);
/*
 * Border filters (SEC-MESH-5, SEC-MESH-6): what comes in by one of INTERFACES (client links, of the policy's `borders`) with a source or destination in one of
 * SETS (of the policy's `border_sets`) is not forwarded: rules of the kernel's routing policy, which prohibit. (Packets to addresses of our own are no matter of
 * these rules: they come behind the local table; the data plane looks at the interface itself.) Replaces those before, without a gap for what stays; a COUNT of 0:
 * none, which may always be asked for. Undone when the keeper ends. At most KEEPER_BORDERS interfaces and sets each; a set of all addresses is none. An interface
 * need not be there (yet). Senders hear that it is prohibited (ICMP). `ip rule` shows ours as "171: from ... iif ... prohibit proto 171": rules of the
 * administrator's with a lower number come first.
 */
void keeper_borders(struct keeper_client *c, const char *const *interfaces, unsigned interface_count, const struct prefix *sets,
	unsigned set_count, keeper_answer *answer, void *owner);
/* The keeper lets go of a device, which vanishes when our own descriptor is closed, and of what it keeps for it. */
void keeper_close_tun(struct keeper_client *c, const char *name, keeper_answer *answer, void *owner);
/*
 * Raw, for RS/RA on a LAN: bound to the interface, member of ff02::2, lets only Router Solicitations in, sends with hop limit 255 and no
 * loop; tells IPV6_PKTINFO and IPV6_HOPLIMIT; non-blocking. A new one each time.
 */
void keeper_open_icmp6(struct keeper_client *c, const char *interface, keeper_answer *answer, void *owner);
/* For reading. Regular files only; symbolic links are followed, but not into or inside the engine's own directories. */
void keeper_open_file(struct keeper_client *c, const char *path, keeper_answer *answer, void *owner);
/*
 * An O_DIRECTORY descriptor; the directory is made if missing (0750) and belongs to the engine's user. One that exists and the engine
 * could not write to is given to it only when it is root's and empty; else -EACCES.
 */
void keeper_open_directory(struct keeper_client *c, const char *path, keeper_answer *answer, void *owner);
/*
 * Memory that the keeper holds for DEVICE, one of our TUNs (open or not), and never looks at: the same again for the next engine process, over
 * upgrades, and over the keeper's own death where a service manager keeps its descriptors. It is empty at first and cannot shrink: state/store.h.
 */
void keeper_open_state(struct keeper_client *c, const char *device, keeper_answer *answer, void *owner);
/* The keeper holds a copy of FD, a UDP socket of the engine's own, for DEVICE, instead of the one before; FD -1: none any more. */
void keeper_hold_udp(struct keeper_client *c, const char *device, int fd, keeper_answer *answer, void *owner);
/* Gives it back; -ENOENT: there is none. */
void keeper_held_udp(struct keeper_client *c, const char *device, keeper_answer *answer, void *owner);
void keeper_open_control(struct keeper_client *c, keeper_answer *answer,
	void *owner); /* a listening, non-blocking SOCK_STREAM socket */

enum keeper_route_kind { KEEPER_ROUTE_DEVICE, KEEPER_ROUTE_UNREACHABLE };
/*
 * Both families. Lifetimes in seconds, 0xffffffff forever. Adding what is there replaces it; deleting what is not there succeeds. Semantics as in
 * netlink/route.h: DEVICE is one of our TUNs (already open), for addresses also a LAN; -EEXIST when another's route has the place, or the
 * LAN has the address from somebody else; -EPERM for deleting an address from a LAN that was not added to it.
 * Unreachable may become what can be delegated: /48 to /64 of IPv6, /8 to /30 of IPv4. Prefixes of addresses on LANs have at least 64 and 8 bits.
 */
void keeper_route(struct keeper_client *c, bool add, const struct prefix *dst, enum keeper_route_kind kind,
	const char *device, const struct addr *source, uint32_t metric, keeper_answer *answer, void *owner);
void keeper_address(struct keeper_client *c, bool add, const char *device, const struct addr *address,
	uint8_t prefix_len, uint32_t valid, uint32_t preferred, keeper_answer *answer, void *owner);

/*
 * Routes of BGP: `PREFIX via GATEWAY dev IFINDEX proto 172 metric METRIC table TABLE` (netlink/fib.h), many at a time. A table and a metric of the policy, never
 * the local table. They stay while engine processes come and go, and are removed when the keeper ends in order, or another configuration does not name their
 * table and metric any more.
 */
struct keeper_bgp_route {
	uint32_t ifindex;    /* 0 for deleting */
	struct prefix dst;   /* at most once in a request */
	struct addr gateway; /* none for deleting; IPv6 also for IPv4 destinations */
	uint8_t add;         /* or replace; else delete */
	uint8_t on_link;     /* RTNH_F_ONLINK */
};
/* NULL, or why R can never be asked for: one such route spoils the request. */
const char *keeper_bgp_route_check(const struct keeper_bgp_route *r);
/* RESULT: 0; or the first error there was: of the routes whose bits are set in FAILED, or, where no bit is set, of all. */
typedef void keeper_bgp_answer(void *owner, int result, const uint64_t failed[2]);
/* COUNT: 1 to KEEPER_BGP_ROUTES. -EEXIST: somebody else's route has the place. */
void keeper_bgp_routes(struct keeper_client *c, uint32_t table, uint32_t metric,
	const struct keeper_bgp_route *routes, unsigned count, keeper_bgp_answer *answer, void *owner);
/* Removes some of all that are there, whoever has put them there. 0: none is left; -EAGAIN: ask again. */
void keeper_bgp_flush(
	struct keeper_client *c, uint32_t table, uint32_t metric, keeper_answer *answer, void *owner);
void keeper_link_mtu(
	struct keeper_client *c, const char *device, uint32_t mtu, keeper_answer *answer, void *owner);
/*
 * Makes this host a router for FAMILY, until the keeper ends. Before IPv6 forwarding goes on, interfaces that take RAs (accept_ra 1) are
 * told to go on doing so (2), or the host would lose its own default route. With IPv4 forwarding the kernel itself stops accepting redirects
 * (net.ipv4.conf.all.accept_redirects), which comes back as it was; it goes on sending them (send_redirects), as routers do: to users behind
 * one TUN, too, unless net.ipv4.conf.all.send_redirects is 0.
 */
void keeper_forwarding(struct keeper_client *c, uint8_t family, keeper_answer *answer, void *owner);
/*
 * Tells the host's resolver (systemd-resolved where it runs, else resolvconf) that these DNS servers, and no longer those told before, are
 * to be asked through DEVICE, one of our TUNs (already open); COUNT 0 withdraws them. Unicast addresses, not loopback; at most
 * KEEPER_DNS_MAX. -ENOENT when there is no such resolver. 0 means that it will be told soon, and of several requests only the last;
 * what its programs make of it is logged. Withdrawn when the keeper ends or gives the device up.
 */
void keeper_dns(struct keeper_client *c, const char *device, const struct addr *servers, unsigned count,
	keeper_answer *answer, void *owner);
/*
 * Runs a hook: the program PATH (511 bytes at most) with the argument EVENT (a word of small letters, digits and '-', 31 bytes at most) and an
 * environment of nothing but PATH and the given VARIABLES ("SOFTWIRE_USER=alice"; names are SOFTWIRE_ and capitals, digits, underscores, 63 bytes
 * at most, each once; values printable ASCII, 255 bytes at most), as root, in /, in a session of its own, without our descriptors. Hooks of
 * one KEY ("home", "alice/0"; any text of 1 to 287 bytes) run one after the other in the order of the requests; of different keys up to 4 at a
 * time. One that runs longer than 30 s is killed with its children; what one leaves running in the background when it ends is left alone. What
 * it writes to stdout and stderr goes to the log, a line each (limited). The answer comes when it has ended: 0 when it ended with 0; -EACCES
 * when the file, or a directory or link on the way to it, belongs to or can be changed by others than root; -EIO with a logged reason else.
 * -ENOBUFS at once when 10,000 wait. Other requests do not wait for hooks. Hooks of an engine that has died are still run. When the keeper ends in
 * order it runs what waits first, for at most 5 s; then what still runs is killed.
 */
void keeper_hook(struct keeper_client *c, const char *path, const char *event, const char *key,
	const char *const *variables, unsigned count, keeper_answer *answer, void *owner);
/*
 * Makes BRIDGE (if missing; up, without spanning tree or delay) and its ports the interfaces PORTS, which are LANs of the policy, and no others
 * that were asked for before (HS-PROV-10). BRIDGE itself then counts as a LAN: for addresses and ICMPv6 sockets. Ports that can be had are had;
 * the answer is the first failure: -ENODEV for a port that is not there (now: ask again when it has come), -EBUSY for one that belongs to another bridge
 * already and is left there. -EEXIST when there is another kind of device of that name. A bridge that the administrator has made is taken as it is
 * (up or down, with ports of its own). COUNT 0 lets the ports go and removes the bridge, as far as they are the keeper's work; so does the
 * keeper's end.
 */
void keeper_bridge(struct keeper_client *c, const char *bridge, const char *const *ports, unsigned count,
	keeper_answer *answer, void *owner);
/* Has the keeper call the policy's reload(). 0 when the new policy is in force; -EINVAL when there is none, and the old one stays. */
void keeper_reload(struct keeper_client *c, keeper_answer *answer, void *owner);
/* What keeper_reload() has read last turns out to be of no use here: the next engine gets what was before. */
void keeper_reload_back(struct keeper_client *c);
/* All that the configuration names is there: the service manager is told (READY=1). */
void keeper_ready(struct keeper_client *c);
/*
 * May the program that the policy's command names now take our place? It is run for its version and a look at the configuration. 0: yes, if the
 * engine returns KEEPER_LEAVE; -EINVAL: no; -EOPNOTSUPP: that cannot be done here. With the first two FD is a file: what the program said, the
 * version in the first line.
 */
void keeper_upgrade(struct keeper_client *c, keeper_answer *answer, void *owner);
/* In any of our processes: does somebody keep our descriptors when the keeper is killed? The engine then leaves without a word to the peers. */
bool keeper_is_kept(void);

#endif
