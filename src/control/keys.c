/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of settings. The order is the order of the manual page. */
#include "control/keys.h"

#include <stddef.h>

#define COUNT CONFIG_COUNT
#define INTO  CONFIG_INTO
#define LIST  CONFIG_LIST

static const char *const networks[] = {"public", "trusted", NULL};
static const char *const levels[] = {"error", "warn", "info", "debug", NULL}; /* as enum log_level */
static const char *const dns_ways[] = {"auto", "none", NULL};

static const char *const address_ways[] = {"ipcp", "dhcp", NULL};
static const char *const auth_words[] = {
	"chap", "ms-chap-v2", "eap-tls", "eap-md5", "pap", NULL}; /* enum auth_word */

static const struct config_key delegate_keys[] = {
	{"from", TYPE_PREFIX6, INTO(concentrator_pool_config, lease.delegate_from), .required = true,
		.help = "the prefix that delegated prefixes are taken from"},
	{"length", TYPE_UINT, INTO(concentrator_pool_config, lease.delegate_len), .min = 48, .max = 64,
		.required = true,
		.help = "length of each delegated prefix; a multiple of 4 keeps reverse DNS simple"},
};
static const struct config_section delegate_section = {
	"`delegate`", delegate_keys, COUNT(delegate_keys), EFFECT_NEW};

static const struct config_key delegate4_keys[] = {
	{"from", TYPE_PREFIX4, INTO(concentrator_pool_config, lease.delegate4_from), .required = true,
		.help = "the prefix that subnets are taken from"},
	{"length", TYPE_UINT, INTO(concentrator_pool_config, lease.delegate4_len), .min = 8, .max = 30,
		.required = true, .help = "prefix length of each subnet"},
};
static const struct config_section delegate4_section = {
	"`delegate4`", delegate4_keys, COUNT(delegate4_keys), EFFECT_NEW};

static const struct config_key pool_keys[] = {
	{"link6", TYPE_PREFIX6, INTO(concentrator_pool_config, lease.link6),
		.help = "each softwire gets one /64 of it, announced by Router Advertisements"},
	{"delegate", TYPE_GROUP, .section = &delegate_section,
		.help = "prefixes for the networks behind initiators, by DHCPv6"},
	{"dns", TYPE_ADDR, LIST(concentrator_pool_config, dns, dns_count),
		.help = "DNS servers that are told to initiators"},
	{"preferred-lifetime", TYPE_UINT, INTO(concentrator_pool_config, preferred), .min = 60,
		.max = UINT32_MAX, .preset = "86400", .help = "preferred lifetime of prefixes, in seconds"},
	{"valid-lifetime", TYPE_UINT, INTO(concentrator_pool_config, valid), .min = 60, .max = UINT32_MAX,
		.preset = "172800",
		.help = "valid lifetime of prefixes, and lease time of DHCP for IPv4, in seconds"},
	{"ipv4", TYPE_PREFIX4, INTO(concentrator_pool_config, lease.ipv4),
		.help = "each softwire gets one address of it; without it, users of this pool get no IPv4"},
	{"delegate4", TYPE_GROUP, .section = &delegate4_section,
		.help = "IPv4 subnets for the networks behind initiators, by DHCP (RFC 6656)"},
	{"temporary", TYPE_BOOL, INTO(concentrator_pool_config, lease.temporary), .preset = "false",
		.help = "addresses are drawn anew for each softwire instead of staying their user's"},
	{"nameservers", TYPE_HOST, LIST(concentrator_pool_config, nameservers, nameserver_count),
		.effect = EFFECT_LIVE,
		.help = "name servers of the reverse zones of this pool's users, for `softwire show "
			"reverse-zone`"},
};
static const struct config_section pool_section = {"a pool", pool_keys, COUNT(pool_keys), EFFECT_NEW};

static const struct config_key eap_keys[] = {
	{"certificate", TYPE_PATH, INTO(concentrator_config, eap_certificate_path), .required = true,
		.help = "our certificate and its chain, PEM"},
	{"key", TYPE_PATH, INTO(concentrator_config, eap_key_path), .required = true,
		.help = "its private key, PEM, readable by root only"},
	{"ca", TYPE_PATH, INTO(concentrator_config, eap_ca_path), .required = true,
		.help = "certificates of the authorities that users' certificates come from, PEM"},
};
static const struct config_section eap_section = {
	"`eap` of `concentrator`", eap_keys, COUNT(eap_keys), EFFECT_NEW};

static const struct config_key anonymous_keys[] = {
	{"pool", TYPE_TEXT, INTO(concentrator_config, anonymous_pool), .required = true,
		.help = "the pool that addresses of softwires without a user come from"},
	{"limit", TYPE_UINT, INTO(concentrator_config, anonymous_max), .min = 1, .max = 1000000,
		.preset = "1000", .help = "softwires without a user at a time"},
};
static const struct config_section anonymous_section = {
	"`anonymous`", anonymous_keys, COUNT(anonymous_keys), EFFECT_NEW};

static const struct config_key hook_keys[] = {
	{"up", TYPE_PATH, INTO(concentrator_config, hooks[HOOK_UP]), .help = "run when a softwire is up"},
	{"down", TYPE_PATH, INTO(concentrator_config, hooks[HOOK_DOWN]),
		.help = "run when one that was up has ended"},
	{"change", TYPE_PATH, INTO(concentrator_config, hooks[HOOK_CHANGE]),
		.help = "run when its addresses, prefixes or families have changed"},
	{"renew", TYPE_PATH, INTO(concentrator_config, hooks[HOOK_RENEW]),
		.help = "run when its initiator has renewed what it has, by DHCP or DHCPv6"},
};
static const struct config_section hook_section = {
	"`hooks` of `concentrator`", hook_keys, COUNT(hook_keys), EFFECT_LIVE};

static const struct config_key concentrator_keys[] = {
	{"listen", TYPE_ENDPOINT, LIST(concentrator_config, listen, listen_count),
		.derived = "all addresses, with a warning", .effect = EFFECT_LIVE, .empty_restarts = true,
		.help = "addresses that initiators connect to; the port is 1701 unless it is given"},
	{"network", TYPE_WORD, INTO(concentrator_config, trusted_network), .words = networks,
		.preset = "public", .effect = EFFECT_LIVE,
		.help = "whether strangers can listen or send on the network between the concentrator and "
			"its initiators"},
	{"unprotected-chap", TYPE_BOOL, INTO(concentrator_config, allow_unprotected), .preset = "false",
		.effect = EFFECT_LIVE,
		.help = "accept that CHAP and tunnel secrets cross a public network without IPsec; warned "
			"about at every start"},
	{"users", TYPE_PATH, INTO(concentrator_config, users_path),
		.derived = "none; only a service that asks nobody can go without", .effect = EFFECT_LIVE,
		.help = "the users file, see softwire-users(5)"},
	{"pools", TYPE_NAMED, LIST(concentrator_config, pools, pool_count), .section = &pool_section,
		.required = true, .name_offset = offsetof(struct concentrator_pool_config, lease.name),
		.name_size = sizeof(((struct concentrator_pool_config *)0)->lease.name),
		.help = "where addresses come from, by name; users without a pool of their own get theirs "
			"from `default`"},
	{"local6", TYPE_ADDR6, INTO(concentrator_config, local6), .effect = EFFECT_RESTART,
		.help = "our IPv6 address on softwires, and the source of ICMPv6 errors"},
	{"local4", TYPE_ADDR4, INTO(concentrator_config, local4), .effect = EFFECT_RESTART,
		.help = "our IPv4 address on softwires, and the source of ICMP errors"},
	{"host-name", TYPE_TEXT, INTO(concentrator_config, host_name), .derived = "the machine's host name",
		.help = "what we call ourselves to initiators, in L2TP and CHAP"},
	{"leases", TYPE_PATH, INTO(concentrator_config, lease_path),
		.derived = "leases.db in `state-directory`", .effect = EFFECT_RESTART,
		.help = "the lease database"},
	{"device", TYPE_NAME, INTO(concentrator_config, device), .preset = "sc0", .effect = EFFECT_RESTART,
		.help = "name of the TUN device of all softwires"},
	{"require-tunnel-secret", TYPE_BOOL, INTO(concentrator_config, require_tunnel_secret),
		.preset = "false", .help = "refuse initiators that share no tunnel secret with us"},
	{"ingress-filter", TYPE_BOOL, INTO(concentrator_config, ingress_filter), .preset = "true",
		.effect = EFFECT_LIVE,
		.help = "drop packets whose inner source was not given to their softwire"},
	{"mss-clamp", TYPE_BOOL, INTO(concentrator_config, mss_clamp), .preset = "true",
		.effect = EFFECT_LIVE, .help = "lower the MSS of TCP connections to what fits"},
	{"auth", TYPE_WORD, LIST(concentrator_config, auth_words, auth_word_count), .words = auth_words,
		.derived = "chap",
		.help = "how users prove who they are, best first; an empty list: nobody is asked"},
	{"eap", TYPE_GROUP, .section = &eap_section, .help = "certificates for `eap-tls`"},
	{"anonymous", TYPE_GROUP, .section = &anonymous_section,
		.help = "serve those, too, who refuse to authenticate; without it, they are refused"},
	{"address4", TYPE_WORD, INTO(concentrator_config, dhcp4), .words = address_ways, .preset = "ipcp",
		.help = "how initiators get their IPv4 addresses"},
	{"hooks", TYPE_GROUP, .section = &hook_section,
		.help = "programs to be run as root when something happens to a softwire, see "
			"softwired-hooks(7)"},
	{"replace-softwires", TYPE_BOOL, INTO(concentrator_config, replace_softwires), .preset = "true",
		.help = "a user at the limit: the new softwire replaces the oldest (true) or is refused "
			"(false)"},
	{"rapid-commit", TYPE_BOOL, INTO(concentrator_config, rapid_commit), .preset = "true",
		.effect = EFFECT_LIVE, .help = "answer DHCPv6 Solicits that ask for it with a Reply at once"},
	{"managed", TYPE_BOOL, INTO(concentrator_config, managed), .preset = "false",
		.help = "give addresses by DHCPv6 instead of SLAAC (the M flag)"},
	{"dad-transmits", TYPE_UINT, INTO(concentrator_config, dad_transmits), .min = 0, .max = 10,
		.preset = "1", .help = "probes of Duplicate Address Detection; 0: none"},
	{"router-lifetime", TYPE_UINT, INTO(concentrator_config, router_lifetime), .min = 0, .max = 9000,
		.preset = "9000", .effect = EFFECT_LIVE,
		.help = "Router Lifetime in Router Advertisements, in seconds; 0: no default router"},
	{"hello", TYPE_SECONDS, INTO(concentrator_config, hello_ms), .min = 0, .max = 3600000, .preset = "60",
		.effect = EFFECT_LIVE,
		.help = "silence before a HELLO is sent; 0: never, so a dead initiator is not noticed"},
	{"echo", TYPE_SECONDS, INTO(concentrator_config, echo_ms), .min = 0, .max = 60000, .preset = "0",
		.effect = EFFECT_NEW,
		.help = "interval of LCP Echo-Requests beside HELLO, at least 10 and not above `hello`; 0: "
			"none"},
	{"retransmit", TYPE_SECONDS, INTO(concentrator_config, retransmit_ms), .min = 100, .max = 8000,
		.preset = "1", .effect = EFFECT_LIVE,
		.help = "first retransmission of control messages; it doubles up to 8 seconds"},
	{"retransmit-tries", TYPE_UINT, INTO(concentrator_config, retransmit_tries), .min = 1, .max = 20,
		.preset = "5", .effect = EFFECT_LIVE,
		.help = "retransmissions without an answer after which the peer is dead"},
	{"framing-async", TYPE_BOOL, INTO(concentrator_config, framing_async), .preset = "true",
		.help = "offer asynchronous framing too, for old peers"},
	{"max-softwires", TYPE_UINT, INTO(concentrator_config, max_softwires), .min = 1,
		.max = 60000 * CONCENTRATOR_LISTEN_MAX, .derived = "60000 for each address of `listen`",
		.help = "softwires at a time"},
	{"setup-window", TYPE_UINT, INTO(concentrator_config, setup_window), .min = 1, .max = 1000000,
		.preset = "2000", .help = "softwires that are being set up at a time; further requests wait"},
	{"half-open", TYPE_UINT, INTO(concentrator_config, max_half_open), .min = 1, .max = 1000000,
		.preset = "10000",
		.help = "softwires that are not up yet, in all, also those whose initiators do not answer"},
	{"half-open-per-source", TYPE_UINT, INTO(concentrator_config, half_open_per_source), .min = 1,
		.max = 1000000, .preset = "1000", .help = "the same from one source; generous to carrier NATs"},
	{"waiting", TYPE_UINT, INTO(concentrator_config, max_waiting), .min = 8, .max = 10000000,
		.preset = "50000", .help = "room for requests that wait, in places of 256 bytes; most take one"},
	{"waiting-per-source", TYPE_UINT, INTO(concentrator_config, waiting_per_source), .min = 8,
		.max = 10000000, .preset = "5000", .help = "the same for one source"},
	{"request-rate", TYPE_UINT, INTO(concentrator_config, request_rate), .min = 1, .max = 1000000,
		.preset = "1000",
		.help = "new requests per second from one source, after a first `waiting-per-source`"},
	{"source-prefix4", TYPE_UINT, INTO(concentrator_config, source_prefix4), .min = 8, .max = 32,
		.preset = "32", .help = "IPv4 addresses with so many bits in common are one source"},
	{"source-prefix6", TYPE_UINT, INTO(concentrator_config, source_prefix6), .min = 16, .max = 64,
		.preset = "56", .help = "IPv6 addresses with so many bits in common are one source"},
	{"redirect", TYPE_ENDPOINT, LIST(concentrator_config, redirect, redirect_count),
		.derived = "none: they are refused", .effect = EFFECT_LIVE,
		.help = "other concentrators, where initiators are sent while there is no room here, or "
			"during "
			"`softwire drain`"},
	{"radius", TYPE_ABSENT, .help = "RADIUS is not available in this version: use `users`"},
	{"ipsec", TYPE_ABSENT, .help = "IPsec is not available in this version"},
};
static const struct config_section concentrator_section = {
	"`concentrator`", concentrator_keys, COUNT(concentrator_keys), EFFECT_NEW};

static const struct config_key initiator_eap_keys[] = {
	{"ca", TYPE_PATH, INTO(initiator_config, eap_ca_path), .required = true,
		.help = "certificates of the authorities that the concentrator's certificate may come from, "
			"PEM"},
	{"certificate", TYPE_PATH, INTO(initiator_config, eap_certificate_path), .required = true,
		.help = "our certificate and its chain, PEM"},
	{"key", TYPE_PATH, INTO(initiator_config, eap_key_path), .required = true,
		.help = "its private key, PEM, readable by root only"},
	{"server-name", TYPE_HOST, INTO(initiator_config, eap_server_name),
		.derived = "any that the authority has signed",
		.help = "the name that the concentrator's certificate must have"},
};
static const struct config_section initiator_eap_section = {
	"`eap` of an initiator", initiator_eap_keys, COUNT(initiator_eap_keys), EFFECT_RESTART};

static const struct config_key initiator_hook_keys[] = {
	{"up", TYPE_PATH, INTO(initiator_config, hooks[INITIATOR_HOOK_UP]),
		.help = "run when the softwire is up"},
	{"down", TYPE_PATH, INTO(initiator_config, hooks[INITIATOR_HOOK_DOWN]),
		.help = "run when it has ended"},
	{"change", TYPE_PATH, INTO(initiator_config, hooks[INITIATOR_HOOK_CHANGE]),
		.help = "run when our addresses, prefixes, subnets or DNS servers have changed"},
	{"renew", TYPE_PATH, INTO(initiator_config, hooks[INITIATOR_HOOK_RENEW]),
		.help = "run when they were renewed and are still the same"},
};
static const struct config_section initiator_hook_section = {
	"`hooks` of an initiator", initiator_hook_keys, COUNT(initiator_hook_keys), EFFECT_LIVE};

static const struct config_key initiator_keys[] = {
	{"server", TYPE_SERVER, LIST(initiator_config, servers, server_count), .min = 1, .required = true,
		.beside_offset = offsetof(struct initiator_config, server_beside),
		.help = "concentrators in order of preference: NAME, ADDRESS, NAME:PORT or [ADDRESS]:PORT"},
	{"come-home", TYPE_BOOL, INTO(initiator_config, come_home), .preset = "true", .effect = EFFECT_LIVE,
		.help = "go back to a better concentrator of `server` when it answers again"},
	{"come-home-interval", TYPE_SECONDS, INTO(initiator_config, come_home_ms), .min = 1000,
		.max = 86400000, .preset = "600", .effect = EFFECT_LIVE,
		.help = "how often the better ones are tried meanwhile, on average"},
	{"redirect", TYPE_BOOL, INTO(initiator_config, redirect), .preset = "true", .effect = EFFECT_LIVE,
		.help = "follow a concentrator that names another one instead of itself"},
	{"user", TYPE_TEXT, INTO(initiator_config, user),
		.derived = "none: we do not authenticate, for anonymous services",
		.help = "the name that we authenticate with"},
	{"password-file", TYPE_PATH, INTO(initiator_config, password_path),
		.derived = "none; `user` needs it, unless `eap` is there",
		.help = "a file of one line, readable by root only: our password"},
	{"auth", TYPE_WORD, LIST(initiator_config, auth_words, auth_word_count), .words = auth_words,
		.derived = "chap and ms-chap-v2 with `password-file`, eap-tls with `eap`",
		.help = "how we are willing to prove who we are"},
	{"eap", TYPE_GROUP, .section = &initiator_eap_section, .help = "certificates for `eap-tls`"},
	{"server-password-file", TYPE_PATH, INTO(initiator_config, server_password_path),
		.derived = "not demanded",
		.help = "the password with which the concentrator must prove its own identity"},
	{"tunnel-secret-file", TYPE_PATH, INTO(initiator_config, tunnel_secret_path), .derived = "none",
		.help = "the tunnel secret shared with the concentrator"},
	{"network", TYPE_WORD, INTO(initiator_config, trusted_network), .words = networks, .preset = "public",
		.effect = EFFECT_LIVE,
		.help = "whether strangers can listen or send on the network between us and the "
			"concentrator"},
	{"unprotected-chap", TYPE_BOOL, INTO(initiator_config, allow_unprotected), .preset = "false",
		.effect = EFFECT_LIVE,
		.help = "accept that CHAP and the tunnel secret cross a public network without IPsec; warned "
			"about at every start"},
	{"insist-auth", TYPE_BOOL, INTO(initiator_config, insist_auth), .preset = "false",
		.help = "refuse a concentrator that does not ask for our password"},
	{"ipv6", TYPE_BOOL, INTO(initiator_config, ipv6), .preset = "true", .help = "carry IPv6"},
	{"ipv4", TYPE_BOOL, INTO(initiator_config, ipv4), .preset = "false", .help = "carry IPv4"},
	{"prefix", TYPE_BOOL, INTO(initiator_config, want_prefix),
		.derived = "true when `lan` names an interface", .help = "ask for a delegated prefix"},
	{"prefix-length", TYPE_UINT, INTO(initiator_config, prefix_length), .min = 0, .max = 64,
		.preset = "0", .help = "length of prefix to ask for, 48 to 64; 0: any"},
	{"subnet", TYPE_BOOL, INTO(initiator_config, want_subnet),
		.derived = "true when `lan` names an interface and `ipv4` is true",
		.help = "ask for an IPv4 subnet"},
	{"subnet-length", TYPE_UINT, INTO(initiator_config, subnet_length), .min = 0, .max = 30,
		.preset = "0", .help = "prefix length of the smallest subnet that will do, 8 to 30; 0: any"},
	{"lan", TYPE_NAME, LIST(initiator_config, lans, lan_count),
		.help = "interfaces that get a /64 of the delegated prefix each, with Router Advertisements, "
			"and their part of the IPv4 subnet"},
	{"lan-bridge", TYPE_NAME, INTO(initiator_config, lan_bridge), .derived = "none",
		.help = "the bridge that `lan` interfaces become ports of when the prefix has too few /64s "
			"for them"},
	{"default-route", TYPE_BOOL, INTO(initiator_config, default_route), .preset = "true",
		.help = "send what has no better route through the softwire"},
	{"metric", TYPE_UINT, INTO(initiator_config, metric), .min = 1, .max = UINT32_MAX, .preset = "1024",
		.help = "metric of that route"},
	{"dns", TYPE_TEXT, INTO(initiator_config, dns), .words = dns_ways, .preset = "auto",
		.effect = EFFECT_LIVE,
		.help = "hand DNS servers to resolvconf or systemd-resolved, whichever is there, or to "
			"nobody"},
	{"mss-clamp", TYPE_BOOL, INTO(initiator_config, mss_clamp), .preset = "true",
		.help = "lower the MSS of TCP connections to what fits"},
	{"mtu", TYPE_UINT, INTO(initiator_config, mtu), .min = 0, .max = 9216, .preset = "0",
		.help = "MTU of the softwire, at least 1280 where it carries IPv6, else 576; 0: what the "
			"path to the "
			"concentrator carries"},
	{"rapid-commit", TYPE_BOOL, INTO(initiator_config, rapid_commit), .preset = "true",
		.help = "ask for the short DHCPv6 exchange"},
	{"dad-transmits", TYPE_UINT, INTO(initiator_config, dad_transmits), .min = 0, .max = 10,
		.preset = "1", .help = "probes of Duplicate Address Detection; 0: none"},
	{"hello", TYPE_SECONDS, INTO(initiator_config, hello_ms), .min = 0, .max = 3600000, .preset = "60",
		.effect = EFFECT_LIVE,
		.help = "silence before a HELLO is sent; 0: never, so a dead concentrator is not noticed and "
			"NATs forget us"},
	{"echo", TYPE_SECONDS, INTO(initiator_config, echo_ms), .min = 0, .max = 60000, .preset = "0",
		.effect = EFFECT_NEW,
		.help = "interval of LCP Echo-Requests beside HELLO, at least 10 and not above `hello`; 0: "
			"none"},
	{"retransmit", TYPE_SECONDS, INTO(initiator_config, retransmit_ms), .min = 100, .max = 8000,
		.preset = "1", .effect = EFFECT_LIVE,
		.help = "first retransmission of control messages; it doubles up to 8 seconds"},
	{"retransmit-tries", TYPE_UINT, INTO(initiator_config, retransmit_tries), .min = 1, .max = 20,
		.preset = "5", .effect = EFFECT_LIVE,
		.help = "retransmissions without an answer after which the concentrator is dead"},
	{"backoff-first", TYPE_SECONDS, INTO(initiator_config, backoff_first_ms), .min = 100, .max = 3600000,
		.preset = "1", .effect = EFFECT_LIVE,
		.help = "wait before the second attempt to connect; it doubles"},
	{"backoff-max", TYPE_SECONDS, INTO(initiator_config, backoff_max_ms), .min = 100, .max = 86400000,
		.preset = "60", .effect = EFFECT_LIVE, .help = "the longest wait between attempts"},
	{"framing-async", TYPE_BOOL, INTO(initiator_config, framing_async), .preset = "true",
		.help = "offer asynchronous framing too, for old peers"},
	{"host-name", TYPE_TEXT, INTO(initiator_config, host_name),
		.derived = "USER@HOST, from `user` and the machine's host name",
		.help = "what we call ourselves in L2TP"},
	{"state-file", TYPE_PATH, INTO(initiator_config, state_path),
		.derived = "initiator-NAME.json in `state-directory`",
		.help = "where the DUID and the last prefixes are kept"},
	{"hooks", TYPE_GROUP, .section = &initiator_hook_section,
		.help = "programs to be run as root when something happens to the softwire, see "
			"softwired-hooks(7)"},
	{"ipsec", TYPE_ABSENT, .help = "IPsec is not available in this version"},
};
static const struct config_section initiator_section = {
	"an initiator", initiator_keys, COUNT(initiator_keys), EFFECT_RESTART};

static const struct config_key file_keys[] = {
	{"log", TYPE_WORD, INTO(config, log_level), .words = levels, .preset = "info", .effect = EFFECT_LIVE,
		.help = "how much goes to standard error or the journal"},
	{"user", TYPE_TEXT, INTO(config, user), .derived = "softwire, or nobody where that does not exist",
		.help = "whom the process that talks to the network runs as"},
	{"state-directory", TYPE_PATH, INTO(config, state_directory),
		.derived = INSTANCE_STATE ", or with --instance " INSTANCE_STATE "-NAME",
		.help = "what must survive a reboot"},
	{"runtime-directory", TYPE_PATH, INTO(config, runtime_directory),
		.derived = INSTANCE_RUNTIME ", or with --instance " INSTANCE_RUNTIME "-NAME",
		.help = "what need not"},
	{"control-socket", TYPE_PATH, INTO(config, control_socket),
		.derived = "control.sock in `runtime-directory`",
		.help = "where softwire(1) finds the daemon"},
	{"control-group", TYPE_TEXT, INTO(config, control_group), .preset = "softwire",
		.help = "who may look: members of this group"},
	{"concentrator", TYPE_GROUP, .section = &concentrator_section,
		.count_offset = offsetof(struct config, concentrator.present), .count_max = 1,
		.offset = offsetof(struct config, concentrator), .size = sizeof(struct concentrator_config),
		.help = "this machine terminates softwires"},
	{"initiator", TYPE_NAMED, LIST(config, initiators, initiator_count), .section = &initiator_section,
		.name_offset = offsetof(struct initiator_config, name),
		.name_size = sizeof(((struct initiator_config *)0)->name), .effect = EFFECT_LIVE,
		.help = "softwires that this machine keeps up, by name; si-NAME is the device"},
	{"afbr", TYPE_GROUP, .section = &config_afbr_section, .offset = offsetof(struct config, afbr),
		.size = sizeof(struct afbr_config), .heap = true, .life = &config_afbr_life,
		.help = "this machine is a border router of a mesh, or its route reflector"},
};
const struct config_section config_file_section = {"the file", file_keys, COUNT(file_keys), EFFECT_RESTART};
