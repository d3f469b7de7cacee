#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# Runs in the guest: asks hotplug.sh for commands ("host: ..."), and waits until they are seen here.
cd /sys/devices/system

# wait_for SECONDS TEXT COMMAND...: until the command succeeds.
wait_for() {
	tries=$(($1 * 10)); text=$2; shift 2
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || { echo "seen: no $text"; return; }
		sleep 0.1
	done
	echo "seen: $text"
}
gone() { [ ! -e "$1" ]; }
is_memory() { [ "$(ls -d memory/memory* | wc -l)" = "$1" ]; }
is_hot() { [ "$(cat /sys/class/thermal/thermal_zone0/temp)" = "$1" ]; }

echo "seen: at first cpus $(cat cpu/present), memory $(ls -d memory/memory* | wc -l) blocks"
echo "host: cpu plug 2"
wait_for 20 "cpu 2" test -e cpu/cpu2/online
echo 1 >cpu/cpu2/online
echo "seen: online $(cat cpu/online), node $(ls -d cpu/cpu2/node* | sed 's/.*node//')"
echo "host: cpu unplug 2"
wait_for 20 "cpu 2 gone" gone cpu/cpu2/online
echo "seen: online $(cat cpu/online)"
echo "host: cpu plug 2"
wait_for 20 "cpu 2 again" test -e cpu/cpu2/online
echo 1 >cpu/cpu2/online
echo "seen: online $(cat cpu/online)"
echo "host: cpu unplug 0"

before=$(ls -d memory/memory* | wc -l)
echo "host: memory plug 256M 1"
wait_for 20 "two more blocks of memory" is_memory $((before + 2))
for block in memory/memory*; do
	[ "$(cat $block/state)" = online ] || echo online_movable >$block/state
done
echo "seen: memory of node 1 $(ls -d node/node1/memory* | wc -l) blocks, $(cat memory/memory*/state | sort | uniq -c | tr -s ' ')"
echo "host: memory unplug 0"
wait_for 20 "memory gone" is_memory $before

echo "host: pci plug 3"
wait_for 20 "pci function" test -e /sys/bus/pci/devices/0000:00:03.0/vendor
echo "seen: pci $(cat /sys/bus/pci/devices/0000:00:03.0/vendor)"
echo "host: pci unplug 3"
wait_for 20 "pci function gone" gone /sys/bus/pci/devices/0000:00:03.0

echo "host: temperature 70"
wait_for 20 "70 degrees" is_hot 70000
sh /guest-topology.sh | grep complaint
echo "host: error"
wait_for 20 "memory error" sh -c "dmesg | grep -q 'Hardware error from APEI'"
dmesg | grep '{[0-9]*}' | sed 's/^/seen: /'

echo "host: wake"
echo standby >/sys/power/state && echo "seen: awake"
insmod /button.ko
insmod /evdev.ko
button=$(grep -l 'Power Button' /sys/class/input/event*/device/name | sed 's/.*\(event[0-9]*\).*/\1/' | head -n 1)
# Opened before: an event that nobody listens to is lost.
exec 3</dev/input/$button
echo "host: button power"
dd bs=24 count=1 <&3 2>/dev/null | od -A n -t x2 | sed 's/^/seen: button /'
