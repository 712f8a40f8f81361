#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# dnsmasq_lan.sh HOOK: the hook that runs dnsmasq for the LAN, with a program in dnsmasq's place that only stays there.
set -eu
dir=$(mktemp -d)
trap 'cat "$dir"/dnsmasq-*.pid 2> /dev/null | xargs -r kill 2> /dev/null; rm -rf "$dir"' EXIT
mkdir "$dir/bin"
cat > "$dir/bin/dnsmasq" <<-'END'
	#!/bin/sh
	file=${1#--conf-file=}
	pidfile=$(sed -n 's/^pid-file=//p' "$file")
	exec 3> "$pidfile"
	for fd in 0 1 2; do eval "exec $fd<> /dev/null"; done
	(while :; do sleep 1; done) &
	echo $! >&3
END
chmod 755 "$dir/bin/dnsmasq"
sed "s,^run=.*,run=$dir," "$1" > "$dir/hook"
PATH=$dir/bin:$PATH
conf=$dir/dnsmasq-home.conf

fail() {
	echo "failed: $*" >&2
	cat "$conf" >&2 || :
	exit 1
}

hook() { # EVENT LAN4 LAN6 DNS
	SOFTWIRE_NAME=home SOFTWIRE_LAN4=$2 SOFTWIRE_LAN6=$3 SOFTWIRE_DNS=$4 sh "$dir/hook" "$1"
}

expect() {
	grep -qxF -- "$1" "$conf" || fail "no line: $1"
}

pid() {
	cat "$dir/dnsmasq-home.pid" 2> /dev/null || :
}

lan4=eth1=198.51.100.65/29
lan6=eth1=2001:db8:8000:700::1/64

echo "what the softwire brought is served"
hook up $lan4 $lan6 "2001:db8::53 198.51.100.53 198.51.100.54"
expect 'interface=eth1'
expect 'dhcp-range=198.51.100.66,198.51.100.70,255.255.255.248,20m'
expect 'dhcp-option=option:dns-server,198.51.100.53,198.51.100.54'
expect 'dhcp-range=2001:db8:8000:700::,static,64'
expect 'dhcp-option=option6:dns-server,[2001:db8::53]'
kill -0 "$(pid)" || fail "it does not run"

echo "what has not changed is left alone"
before=$(pid)
hook renew $lan4 $lan6 "2001:db8::53 198.51.100.53 198.51.100.54"
[ "$before" = "$(pid)" ] || fail "it was started again"
hook down $lan4 $lan6 "2001:db8::53 198.51.100.53 198.51.100.54"
[ "$before" = "$(pid)" ] || fail "it was stopped while the LAN has its addresses"

echo "other servers, or another subnet, start it again"
hook change $lan4 $lan6 "198.51.100.54"
[ "$before" != "$(pid)" ] || fail "it was not started again"
! kill -0 "$before" 2> /dev/null || fail "the old one still runs"
expect 'dhcp-option=option:dns-server,198.51.100.54'
! grep -q static "$conf" || fail "DHCPv6 without a server to tell"
hook change "eth1=198.51.100.65/30 eth2=198.51.100.69/30" "" "198.51.100.54"
expect 'interface=eth2'
expect 'dhcp-range=198.51.100.66,198.51.100.66,255.255.255.252,20m'
expect 'dhcp-range=198.51.100.70,198.51.100.70,255.255.255.252,20m'
hook change "eth1=10.0.0.1/8" "" ""
expect 'dhcp-range=10.0.0.2,10.0.3.233,255.0.0.0,20m'

echo "nothing to serve stops it"
before=$(pid)
hook change "" "" "198.51.100.54"
! kill -0 "$before" 2> /dev/null || fail "it still runs"
[ -z "$(pid)" ] || fail "its pid file is still there"
hook down "" "" ""

echo "a number that is somebody else's by now is not killed"
sleep 60 &
echo $! > "$dir/dnsmasq-home.pid"
hook down "" "" ""
kill $! 2> /dev/null || fail "it was killed"

echo "no dnsmasq, no name"
mkdir "$dir/none"
for tool in sh cat rm mkdir cmp mv sleep; do ln -s "$(command -v $tool)" "$dir/none/$tool"; done
! PATH=$dir/none SOFTWIRE_NAME=home SOFTWIRE_LAN4=$lan4 sh "$dir/hook" up 2> "$dir/said" || fail "it was missing and nothing was wrong"
grep -q 'dnsmasq is not installed' "$dir/said" || fail "it did not say what was missing"
! sh "$dir/hook" up 2> /dev/null || fail "without a name"
! SOFTWIRE_NAME=../x SOFTWIRE_LAN4=$lan4 sh "$dir/hook" up 2> /dev/null || fail "with a strange name"
