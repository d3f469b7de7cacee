#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""vmm-tables-hostile.py PROGRAM [ROUNDS]: whatever is in the files, vmm-tables ends, soon, and not by a signal. Tables of two
machines are cut and changed, the same way in every run, and shown, drawn and checked all together."""
import os
import random
import subprocess
import sys
import tempfile

MACHINES = [['cpu.cores=4', 'memory.nodes=2', 'cpu.hotplug=yes', 'pci.slots=2', 'ras.enable=yes', 'tpm.enable=yes', 'acpi.spcr=yes', 'acpi.dbg2=yes'],
            ['machine.arch=arm64', 'cpu.cores=3']]
VALUES = [b'\0', b'\xff', b'\x7f', b'\x80', b'\xff\xff\xff\xff', b'\0\0\0\0', b'\xff\xff\xff\x7f', b'\x5c\x2f\xff', b'\x5b\x82', b'\x10\x0f']


def change(rng, data):
    data = bytearray(data)
    for _ in range(rng.randrange(1, 8)):
        at = rng.randrange(len(data)) if rng.random() < 0.7 else rng.randrange(min(len(data), 64))
        value = rng.choice(VALUES)
        data[at:at + len(value)] = value
    if rng.random() < 0.3:
        del data[rng.randrange(36, len(data) + 1):]
    elif rng.random() < 0.8 and len(data) >= 36:  # what a wrong length or checksum would keep from being read
        data[4:8] = len(data).to_bytes(4, 'little')
        data[9] = 0
        data[9] = -sum(data) & 0xff
    return bytes(data)


def main():
    tool, rounds = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 12
    rng = random.Random(20261121)
    with tempfile.TemporaryDirectory() as folder:
        originals = []
        for number, keys in enumerate(MACHINES):
            made = os.path.join(folder, str(number))
            subprocess.run([tool, 'build', '-o', made] + [word for key in keys for word in ('-s', key)], check=True)
            for name in sorted(os.listdir(made)):
                with open(os.path.join(made, name), 'rb') as stream:
                    originals.append((f'{number}-{name}', stream.read()))
        for number in range(rounds):
            spoilt = os.path.join(folder, 'spoilt')
            os.makedirs(spoilt, exist_ok=True)
            for name, data in originals:
                changed = change(rng, data) if rng.random() < 0.7 else data
                kept = 8 if data[:4] in (b'RSD ', b'_SM3') else 4
                changed = data[:kept] + changed[kept:]  # a name that is known
                with open(os.path.join(spoilt, name), 'wb') as stream:
                    stream.write(changed)
            for command in ('tree', 'dot', 'check'):
                done = subprocess.run([tool, command, spoilt], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60)
                if done.returncode not in (0, 1):
                    print(f'round {number}, {command}: status {done.returncode}', done.stderr.decode(errors='replace'))
                    return 1
    print(f'{rounds} rounds of {len(originals)} tables')
    return 0


if __name__ == '__main__':
    sys.exit(main())
