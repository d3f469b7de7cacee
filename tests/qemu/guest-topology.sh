#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# Runs in the guest: what Linux has made of its CPUs, caches and nodes, one line each, and what it complains of.
cd /sys/devices/system
for cpu in cpu/cpu[0-9]*; do
	topology=$cpu/topology
	line="${cpu#cpu/}: package $(cat $topology/physical_package_id) core $(cat $topology/core_id)"
	line="$line threads $(cat $topology/thread_siblings_list) beside $(cat $topology/core_siblings_list)"
	for node in $cpu/node*; do
		[ ! -e "$node" ] || line="$line ${node##*/}"
	done
	for cache in $cpu/cache/index*; do
		[ ! -e "$cache" ] || line="$line, L$(cat $cache/level) $(cat $cache/type) $(cat $cache/size) of $(cat $cache/shared_cpu_list)"
	done
	echo "$line"
done
for node in node/node[0-9]*; do
	[ ! -e "$node" ] || echo "${node##*/}: cpus $(cat $node/cpulist), distances $(cat $node/distance)," \
		"$(sed -n 's/.*MemTotal: *\([0-9]*\) kB/\1/p' $node/meminfo) kB"
done
[ ! -x /lscpu ] || /lscpu | grep -E '^ *(CPU\(s\)|Thread|Core|Socket|NUMA|L[123])' | tr -s ' ' | sed 's/^ */lscpu: /'
if [ -e /sys/class/dmi/id/product_name ]; then
	echo "dmi: $(cat /sys/class/dmi/id/sys_vendor), $(cat /sys/class/dmi/id/product_name)"
fi
for zone in /sys/class/thermal/thermal_zone*; do
	[ ! -e "$zone" ] || echo "thermal zone: $(cat $zone/type) $(cat $zone/temp)"
done
# Of a machine made of software the kernel says a few things that no table can help.
dmesg -r | grep -E '^<[0-4]>' | grep -v -E "$(cat /guest-known)" | sed 's/^/complaint: /'
dmesg | grep -i -E 'acpi.*(error|warning|invalid|fail)|firmware (bug|warn|info)|\[firmware|(bios|dmi|efi|srat|slit|numa).*(bug|error|fail|invalid|incorrect|broken)' |
	sed 's/^/complaint: /'
echo "topology: end"
