#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# usage: vmm-tables.sh PROGRAM
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
	echo "vmm-tables $*: status $got, not $status, or no '$text' in:"
	cat out
	exit 1
}

expect 0 '^usage: vmm-tables' --help
expect 0 '^vmm-tables [0-9]+\.[0-9]+\.[0-9]+$' --version
expect 2 'unrecognized option' --foo
expect 2 'command: wanted: build' -s cpu.cores=2
expect 2 'show: wanted: build' show
expect 2 'cpu.cores=0' tree -s cpu.cores=0
expect 2 'missing: No such file' tree -p missing
printf '[memory]\nsize = 5G\n[cpu]\ncoers = 2\n' >bad.vm
expect 2 'bad.vm:4:1: .*coers' tree -p bad.vm
expect 4 'missing: No such file' tree missing
echo no table >text
expect 4 'text: this is not an ACPI or SMBIOS table' tree text
expect 4 "both want port" tree -s 'serial 1.enable=yes' -s 'serial 1.port=0x3f8'

"$program" build -o tables -s cpu.cores=300
[ -s tables/DSDT.aml ] && [ -s tables/APIC.dat ] || { ls tables; exit 1; }
expect 2 'takes a profile, and no tables' build tables
expect 2 'either tables or a profile' tree -s cpu.cores=1 tables
expect 4 'nowhere/' build -o nowhere/deep

expect 0 'Device C12B$' tree tables
expect 0 'Local x2APIC: Apic Id 299, Flags 0x1, Uid 299' tree tables/APIC.dat
expect 0 'Name _HID = EisaId \("PNP0A08"\)' tree
expect 0 '^APIC @ 0x0000' dump tables/APIC.dat
expect 0 '0000: 41 50 49 43' dump tables/APIC.dat
expect 0 '_HID = EisaId \(\\"PNP0501\\"\)' dot
"$program" dot >picture
grep -c -- '->' picture >/dev/null

expect 0 'nothing wrong' check
expect 0 'nothing wrong' check tables

# Change byte $2 of file $1 to the octal $3.
change() {
	printf "\\$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}
cp tables/APIC.dat changed
change changed 60 377
expect 1 'changed: wrong checksum' check changed
head -c 100 tables/APIC.dat >cut
expect 1 'cut: its length says' check cut
expect 0 'malformed|Local APIC' tree cut
cp tables/DSDT.aml changed
change changed 40 002
expect 1 'changed: not AML at 0x2' check changed
expect 0 'not AML at' tree changed

# Tables that are good by themselves, and do not go together.
"$program" build -o two -s cpu.cores=2 -s 'serial 1.enable=yes'
expect 0 'nothing wrong' check two
expect 1 'APIC: processor 299 is no device of the namespace' check two/DSDT.aml tables/APIC.dat
expect 1 'processor 299 is not in the MADT' check tables/DSDT.aml two/APIC.dat

# Each change leaves AML whole, and one thing wrong besides the checksum.
altered() {
	LC_ALL=C sed "$1" two/DSDT.aml >altered
	expect 1 "$2" check altered
}
altered 's/COM1/COM0/' '^\\_SB.COM0: defined more than once'
altered 's/PWRB\x08_HID/PWRX\x08_HID/' 'altered: at 0x.*: nothing is called .*PWRB'
altered 's/\xf8\x02\xf8\x02/\xf8\x03\xf8\x03/' '^\\_SB.COM1: ports 0x3F8-0x3FF overlap those of \\_SB.COM0'
altered 's/_UID\x01/_UID\x00/' 'the same as \\_SB.*: _HID .*_UID 0'

expect 0 'type 4: Processor' tree
expect 0 'type 17: Memory device' tree two/SMBIOS.dat
