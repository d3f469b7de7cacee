#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""check-acpiexec.py DUMPER: acpiexec loads the DSDT of the set "run" that DUMPER writes, and evaluating its objects
gives what they were built to give. Exit status 77 where there is no acpiexec."""
import os
import re
import subprocess
import sys
import tempfile

import acpica

ACPIEXEC = acpica.tool('acpiexec')


def register(space, bits, offset, access, address):
    """A resource template of one generic register, ACPI 6.5, 6.4.3.7."""
    return bytes([0x82, 12, 0, space, bits, offset, access]) + address.to_bytes(8, 'little') + bytes([0x79, 0])


# What to evaluate; the integers and buffers of the result, in their order.
EXPECTED = {
    '\\FACT 5': [120],
    '\\FACT 20': [2432902008176640000],
    '\\SUMW 100': [5050],
    '\\OPTS 3': [(((3 << 8 | 0x5a) ^ 0xff) % 1000) + 4],
    '\\BUFF': [bytes([0x99, 0, 0x44, 0x33, 0x22, 0x11, 0, 0])],
    '\\_SB.PCI0._PRT': [n for pin in range(4) for n in (0x3ffff, pin, 0, 16 + pin)],
    '\\_SB.CPU0._PSS': [n for mhz in (3000, 2000, 1000) for n in (mhz, 10000, 10, 10, mhz // 100, mhz // 100)],
    '\\_SB.CPU0._CST': [2, register(0x7f, 1, 2, 0, 0), 1, 1, 1000,
                        register(1, 8, 0, 1, 0x814), 2, 100, 500],
    '\\_SB.CPU0._PCT': [register(0x7f, 64, 0, 0, 0x199)] * 2,
    '\\_SB.CPU0._CPC': [23, 3, 255, 0, 0, 0, 0, register(0x7f, 64, 0, 0, 0x199)] + [0] * 14 + [2400],
    '\\_SB.VGEN.ADDR': [0x23456000, 0x1],
}


def values(text):
    """The integers and buffers that the debugger prints for one evaluation."""
    found = []
    for line in text.splitlines():
        if number := re.search(r'\[Integer\] = ([0-9A-F]{16})', line):
            found.append(int(number.group(1), 16))
        elif re.search(r'\[Buffer\]', line):
            found.append(b'')
        if data := re.search(r'(?:\[Buffer\] .*=|^) *[0-9A-F]{4,}: ((?:[0-9A-F]{2} )+)', line):
            found[-1] += bytes.fromhex(data.group(1))
    return found


def evaluate(folder, command):
    done = subprocess.run([ACPIEXEC, '-b', f'execute {command}', 'run-2-DSDT.dat'], cwd=folder, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=30, stdin=subprocess.DEVNULL)
    wrong = [line for line in done.stdout.splitlines() if re.search(r'\b(ACPI Error|ACPI BIOS|ACPI Warning|AE_\w+)', line)]
    return done.stdout, values(done.stdout), wrong


def main():
    if ACPIEXEC is None:
        print('acpiexec (package acpica-tools) is not here')
        return 77
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], folder], check=True)
        for command, expected in EXPECTED.items():
            text, found, wrong = evaluate(folder, command)
            if found != expected or wrong:
                print(f'{command}: {found} instead of {expected}', *wrong, text, sep='\n')
                failed += 1
    print(f'{len(EXPECTED) - failed} of {len(EXPECTED)} as expected')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
