#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# hotplug.sh SCRIPT OPTION...: runs Debian's kernel by vmm-run with these options and SCRIPT in the guest. What the
# guest prints after "host: " goes to vmm-run's control pipe.
set -eu
script=$1
shift
ls guest-* *.ko 2>/dev/null | cpio -o -H newc >extra.cpio 2>/dev/null
cat guest.img extra.cpio >hotplug.img
rm -f control output
mkfifo control output
./vmm-run --control control -k vmlinuz -i hotplug.img "$@" -a "console=ttyS0 quiet loglevel=3 run=\"sh /$script\"" \
	>output 2>errors &
while IFS= read -r line; do
	echo "$line"
	case $line in
	"host: "*) echo "${line#host: }" | tr -d '\r' >control ;;
	esac
done <output
status=0
wait $! || status=$?
sed 's/^/vmm-run said: /' errors
rm -f control output
echo "ended with status $status"
