#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# Debian's kernel under vUEFI. usage: uefi.sh "OPTIONS OF VMM-RUN" "WORDS FOR THE KERNEL" "COMMAND IN THE GUEST"
# In the command V is the folder of variables and T a name there whose owner Linux lets anybody delete; it has no double quotes
# and not the word reboot by itself, which are for the kernel and for init.
exec ./vmm-run --firmware vuefi $1 -k vmlinuz -i guest.img -m 512M \
	-a "console=ttyS0 V=/sys/firmware/efi/efivars T=Test-cfc8fc79-be2e-4ddc-97f0-9f98bfe298a0 $2 run=\"cd \$V; $3\""
