#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# Runs in the guest: what its kernel found of legacy devices, and whether they work.
count() { awk -v name="$1" '/XT-PIC/ && $NF == name { n = $2 } END { print n + 0 }' /proc/interrupts; }

cat /proc/interrupts
before=$(count timer)
sleep 1
[ $(($(count timer) - before)) -ge 20 ] && echo "seen: timer ticks"
grep -q 'XT-PIC.* cascade$' /proc/interrupts && echo "seen: cascade"
dmesg | grep -i 'serio: i8042\|rtc0\|keyboard' | sed 's/^/seen: /'
# A clock that goes as fast as the kernel's own.
before=$(date -d "$(cat /sys/class/rtc/rtc0/time)" +%s)
sleep 3
after=$(date -d "$(cat /sys/class/rtc/rtc0/time)" +%s)
[ $((after - before)) -ge 2 ] && [ $((after - before)) -le 4 ] && echo "seen: rtc goes"
