#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# topology.sh OPTION...: what Debian's kernel, run by vmm-run with these options, says of the machine.
set -eu
{ ls guest-*; echo lscpu; } | cpio -o -H newc >extra.cpio 2>/dev/null
# What lscpu is linked with, each after the folders it is in.
(cd / && for library in $(find lib lib64 -name 'libsmartcols.so.*' -o -name libc.so.6 -o -name 'ld-linux-x86-64.so.*'); do
	folder=$(dirname "$library")
	printf '%s\n%s\n%s\n' "${folder%%/*}" "$folder" "$library"
done | cpio -o -H newc 2>/dev/null) >libraries.cpio
cat guest.img extra.cpio libraries.cpio >topology.img
./vmm-run -k vmlinuz -i topology.img -a 'console=ttyS0 quiet loglevel=3 run="sh /guest-topology.sh"' "$@"
