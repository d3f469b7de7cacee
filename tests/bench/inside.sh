#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# The part of scripts/bench that runs in the first-level Linux, whose clock counts instructions.
set -u
mount -t debugfs debugfs /sys/kernel/debug
line='in user space'
words='quiet console=ttyS0 shell'
for part; do
	case $part in
	exits)
		./bench-exits
		;;
	boot)
		./bench-boot vmm-run "$line" ./vmm-run --kernel vmlinuz --initrd guest.img --memory 512M --cmdline "$words"
		;;
	peers)
		# Without an RTC the kernel polls one that is not there, 40,000 times.
		./bench-boot "QEMU microvm" "$line" ./qemu-system-x86_64 -L roms -M microvm,accel=kvm,rtc=on -cpu host -m 512 \
			-nodefaults -no-user-config -display none -serial stdio -kernel vmlinuz -initrd guest.img -append "$words"
		;;
	esac
done
