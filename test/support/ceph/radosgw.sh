#!/usr/bin/env bash
# A real S3 server on loopback: Ceph's RADOS Gateway over one monitor and one storage daemon that keeps all in memory.
#
#   apt-get install -y --no-install-recommends radosgw ceph-mon ceph-osd
#   radosgw.sh DIR PORT ACCESS_KEY SECRET_KEY
#
# Says "ready http://127.0.0.1:PORT" when it takes requests, and stays in the foreground; SIGTERM or SIGINT stops it and
# removes DIR, which must not exist. Ports PORT to PORT+60 are used.
set -euo pipefail

dir=${1:?a directory that does not exist} port=${2:?a port} access_key=${3:?an access key} secret_key=${4:?a secret key}
monitor_port=$((port + 1))

[[ ! -e $dir ]] || { echo "$dir exists" >&2; exit 1; }
mkdir -p "$dir"/{mon,osd,rgw,run}
dir=$(cd "$dir" && pwd)
fsid=$(< /proc/sys/kernel/random/uuid)

cat > "$dir/ceph.conf" <<CONF
[global]
fsid = $fsid
mon initial members = a
mon host = [v2:127.0.0.1:$monitor_port,v1:127.0.0.1:$((port + 2))]

# Nobody but this machine reaches it.
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
ms bind ipv4 = true
ms bind port min = $((port + 10))
ms bind port max = $((port + 60))

# One copy of everything, on one daemon.
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pgp num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
osd max pg per osd hard ratio = 100
osd objectstore = memstore
memstore device bytes = 4294967296
osd class load list = *
osd class default list = *

# Agreement with oneself need not wait.
mon tick interval = 1
paxos propose interval = 0.05
paxos min wait = 0.01

mon data = $dir/mon
osd data = $dir/osd
rgw data = $dir/rgw
run dir = $dir/run
crash dir = $dir/run
admin socket = $dir/run/\$name.asok
pid file = $dir/run/\$name.pid
log file = $dir/run/\$name.log
log to stderr = false

rgw frontends = beast endpoint=127.0.0.1:$port
rgw thread pool size = 32
rgw run sync thread = false
CONF
export CEPH_CONF="$dir/ceph.conf"

children=()
stop() {
  trap - EXIT
  kill "${children[@]}" 2> /dev/null || true
  for _ in {1..20}; do
    kill -0 "${children[@]}" 2> /dev/null || break
    sleep 0.1
  done
  kill -9 "${children[@]}" 2> /dev/null || true
  rm -rf "$dir"
}
trap stop EXIT
trap 'exit 0' INT TERM

# Asks until it is so, a minute at most.
await() {
  for _ in {1..300}; do
    if "$@" > /dev/null 2>&1; then return; fi
    sleep 0.2
  done
  echo "gave up waiting for: $*" >&2
  exit 1
}
osd_is_up() { timeout 10 ceph osd stat | grep -q '1 up'; }
gateway_answers() { (exec 3<> "/dev/tcp/127.0.0.1/$port"); }

monmaptool --create --clobber --fsid "$fsid" --addv a "[v2:127.0.0.1:$monitor_port,v1:127.0.0.1:$((port + 2))]" "$dir/monmap" > /dev/null
ceph-mon --mkfs -i a --monmap "$dir/monmap"
ceph-mon -f -i a > /dev/null 2>&1 &
children+=($!)

osd=$(< /proc/sys/kernel/random/uuid)
timeout 60 ceph osd new "$osd" 0 > /dev/null
ceph-osd -i 0 --mkfs --osd-uuid "$osd" 2> /dev/null
ceph-osd -f -i 0 > /dev/null 2>&1 &
children+=($!)
await osd_is_up

timeout 120 radosgw-admin user create --uid=test --display-name=test --access-key="$access_key" --secret-key="$secret_key" > /dev/null 2>&1
radosgw -f -n client.admin > /dev/null 2>&1 &
children+=($!)
await gateway_answers
echo "ready http://127.0.0.1:$port"
wait
