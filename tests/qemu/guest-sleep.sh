#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# Runs in the guest: sleeps in S3, to be woken by hotplug.sh.
echo "seen: sleeps $(cat /sys/power/state), $(cat /sys/power/mem_sleep)"
echo deep >/sys/power/mem_sleep
echo "host: wake"
echo mem >/sys/power/state && echo "seen: awake"
sleep 1
echo "seen: online $(cat /sys/devices/system/cpu/online)"
