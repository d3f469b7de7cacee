#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# topology.sh OPTION...: what Debian's kernel, run by vmm-run with these options, says of the machine.
set -eu
ls guest-* | cpio -o -H newc >extra.cpio 2>/dev/null
cat guest.img extra.cpio >topology.img
./vmm-run -k vmlinuz -i topology.img -a 'console=ttyS0 quiet loglevel=3 run="sh /guest-topology.sh"' "$@"
