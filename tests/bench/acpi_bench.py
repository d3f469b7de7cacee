#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Prints what making ACPI and SMBIOS tables and vUEFI costs, by callgrind: instructions, bytes, instructions a byte; one line a figure.

    acpi_bench.py PROGRAM

Fails when the default machine is above its limit, or the cost of a byte grows with the machine by more than a fifth."""
import glob
import os
import re
import subprocess
import sys
import tempfile

MOST = 400000
GROWTH = 1.2


def figures(program):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(['valgrind', '-q', '--tool=callgrind', '--dump-line=no', f'--callgrind-out-file={folder}/out', program], check=True)
        for name in sorted(glob.glob(f'{folder}/out.*'), key=lambda n: int(n.rsplit('.', 1)[1])):
            with open(name, encoding='utf-8') as stream:
                text = stream.read()
            trigger = re.search(r'^desc: Trigger: Client Request: tables/(.*)/(\d+)$', text, re.M)
            if trigger:
                yield trigger[1], int(re.search(r'^(?:summary|totals): (\d+)', text, re.M)[1]), int(trigger[2])


def main():
    made = list(figures(os.path.abspath(sys.argv[1])))
    for what, instructions, size in made:
        print(f'{what:30} {instructions:9} instructions {size:8} bytes {instructions / size:7.1f} a byte')
    missed = []
    if made[0][1] >= MOST:
        missed.append(f'the default machine takes {MOST} instructions or more')
    costs = [instructions / size for _, instructions, size in made[2:5]]
    if max(costs) > GROWTH * min(costs):
        missed.append(f'a byte costs from {min(costs):.1f} to {max(costs):.1f} instructions')
    print(*missed, sep='\n')
    return 1 if missed else 0


if __name__ == '__main__':
    sys.exit(main())
