#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# usage: vmm-run.sh PROGRAM
set -eu
program=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# Runs the program; its status must be $1, its output must hold the extended expression $2.
expect() {
	status=$1 text=$2
	shift 2
	got=0
	"$program" "$@" >out 2>&1 </dev/null || got=$?
	[ "$got" = "$status" ] && grep -Eq -- "$text" out && return
	echo "vmm-run $*: status $got, not $status, or no '$text' in:"
	cat out
	exit 1
}

expect 0 '^usage: vmm-run' --help
expect 0 '^vmm-run [0-9]+\.[0-9]+\.[0-9]+$' --version
expect 2 'unrecognized option' --foo
expect 2 "memory.size=5X: .*number of bytes" -m 5X --dry-run
expect 2 'cpu.cores=0' -c 0 --dry-run
expect 2 'thread: wanted' -c cores=2,thread=2 --dry-run
expect 2 'mode 16, 32 or 64' --flat 8:0 kernel
expect 2 'one kernel is enough' one two
expect 2 'missing: No such file' --profile missing
expect 4 'no kernel'
expect 4 'missing: No such file' --dry-run missing
expect 6 'no-such-engine' --engine no-such-engine --probe

printf 'neither this nor that' >text
: >empty
expect 4 'neither a bzImage, nor an ELF' --dry-run text
expect 4 'the file is empty' --dry-run empty
expect 4 'initrd: No such file|missing: No such file' --dry-run -i missing text
printf 'hello' | gzip >text.gz
expect 4 'neither a bzImage, nor an ELF' --dry-run text.gz
head -c 20 text.gz >cut.gz
expect 4 'cut short' --dry-run cut.gz

expect 0 'entered at 0x8004' --dry-run --flat 16:0x8000:0x8004 text
expect 4 'is not within' --dry-run --flat 32:0x8000:0x9000 text
expect 0 '0x000100000000 0x00017fffffff  RAM' --dry-run -m 5G
expect 0 'serial 1' --dry-run -s 'serial 1.enable=yes'
expect 0 '0x00001ffc0000 0x00001ffdffff  vUEFI runtime' --dry-run --firmware vuefi
expect 4 'boot.firmware is none, vuefi or bios' --dry-run --firmware coreboot

printf '[memory]\nsize = 5G\n[cpu]\ncoers = 2\n' >bad.vm
expect 2 'bad.vm:4:1: .*coers' -p bad.vm --dry-run
printf '[memory]\nsize = 5G\n[boot]\nkernel = text\n' >good.vm
expect 4 'neither a bzImage' -p good.vm --dry-run
expect 0 '0x000000100000 0x00003fffffff  RAM' -m 1G -p good.vm --dry-run --flat 32:0x100000

mkdir tables
expect 0 '' --dump-tables tables --dry-run
[ "$(ls tables)" = "$(printf 'APIC.dat\nDSDT.dat\nFACP.dat\nMCFG.dat\nRSDP.dat\nXSDT.dat')" ] || { ls tables; exit 1; }
expect 4 'nowhere/' --dump-tables nowhere --dry-run
