#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""check-virt.py TABLES: the arm64 machine's tables against those that QEMU makes for its "virt", field by field.

Both describe 4 CPUs, a GICv3 with ITS, a PL011, and PCI Express at the same addresses. QEMU's tables are taken out of its fw_cfg
device over the qtest protocol: nothing runs in the guest. Fields that may differ stand below with the reason; any other difference
is a failure. Exit status 77 where there is no qemu-system-aarch64 or acpiexec."""
import importlib.util
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import decode

HERE = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location('check_machines', os.path.join(HERE, 'check-machines.py'))
machines = importlib.util.module_from_spec(spec)
spec.loader.exec_module(machines)

QEMU = shutil.which('qemu-system-aarch64')
OURS = ['machine.arch=arm64', 'cpu.cores=4', 'memory.size=512M', 'pci.buses=256', 'pci.window=512G', 'acpi.spcr=yes', 'acpi.dbg2=yes', 'fw-cfg.enable=yes']

# fw_cfg of "virt": docs/specs/fw_cfg.rst of QEMU.
FW_CFG_DMA, DIRECTORY = 0x09020010, 0x19
READ, SELECT = 2, 8

# Fields that do not have to agree, by table; why.
FREE = {
    'APIC': {'Trbe Gsi': 'ACPI 6.5, which QEMU does not write'},
    'FACP': {'DSDT': 'an address', 'XDsdt': 'an address', 'Profile': 'a server, and not told', 'Minor Revision': '6.5 and 6.3',
             'Flags': 'no fixed buttons, no screen: compared below', 'Hypervisor': 'a name'},
    'GTDT': {'Platform Timer Offset': 'of no timers'},
    'SPCR': {'Baud': 'free', 'Flow': 'free', 'Terminal': 'free', 'Precise Baud': 'revision 4', 'Path': 'revision 4'},
    'DBG2': {'Path Length': 'full paths and short ones'},
}
TABLES = ['APIC', 'FACP', 'GTDT', 'MCFG', 'SPCR', 'DBG2', 'IORT', 'PPTT']
RESOURCES = ['COM0', 'FWCF', 'PCI0']


class Qtest:
    """A machine that stands still; its memory is read and written from outside."""

    def __init__(self):
        self.process = subprocess.Popen(
            [QEMU, '-M', 'virt,gic-version=3,its=on,acpi=on', '-accel', 'tcg', '-S', '-cpu', 'cortex-a57', '-smp', '4', '-m', '512',
             '-nodefaults', '-display', 'none', '-serial', 'null', '-qtest', 'stdio', '-qtest-log', '/dev/null'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def command(self, text):
        self.process.stdin.write(text + '\n')
        self.process.stdin.flush()
        for line in self.process.stdout:
            if line.startswith('OK'):
                return line.split()[1:]
            if line.startswith(('FAIL', 'ERR')):
                break
        raise SystemExit(f'QEMU does not answer {text}')

    def item(self, selector, length):
        """Bytes of an item, moved by fw_cfg's DMA."""
        request = struct.pack('>IIQ', selector << 16 | SELECT | READ, length, 0x40100000)
        self.command(f'write 0x40001000 {len(request):#x} 0x{request.hex()}')
        self.command(f'writeq {FW_CFG_DMA:#x} {struct.unpack("<Q", struct.pack(">Q", 0x40001000))[0]:#x}')
        return bytes.fromhex(self.command(f'read 0x40100000 {length:#x}')[0][2:])

    def file(self, wanted):
        count = struct.unpack('>I', self.item(DIRECTORY, 4))[0]
        entries = self.item(DIRECTORY, 4 + 64 * count)[4:]
        for at in range(0, 64 * count, 64):
            size, selector = struct.unpack_from('>IH', entries, at)
            if entries[at + 8:at + 64].split(b'\0')[0].decode() == wanted:
                return self.item(selector, size)
        raise SystemExit(f'QEMU has no {wanted}')

    def close(self):
        self.process.kill()
        self.process.wait()


def dump_qemu(folder):
    """One file for each table; pointers and checksums are still zero, since firmware would fill them in."""
    qtest = Qtest()
    try:
        blob = qtest.file('etc/acpi/tables')
    finally:
        qtest.close()
    at = 0
    while at + 36 <= len(blob):
        name, length = blob[at:at + 4], decode.le(blob, at + 4, 4)
        if not re.fullmatch(rb'[A-Z0-9]{4}', name):
            at += 1
            continue
        table = bytearray(blob[at:at + length])
        table[9] = 0
        table[9] = -sum(table) & 0xff
        ending = 'aml' if name in (b'DSDT', b'SSDT') else 'dat'
        with open(os.path.join(folder, f'{name.decode()}.{ending}'), 'wb') as stream:
            stream.write(table)
        at += length


def fields(tool, path, free):
    """What vmm-tables reads in a table, without places and what is free."""
    done = subprocess.run([tool, 'tree', path], stdout=subprocess.PIPE, text=True, check=True)
    found = []
    for line in done.stdout.splitlines()[2:]:
        line = re.sub(r'^\s*\[0x[0-9A-F]+\] ', '', line.strip())
        for name in free:
            line = re.sub(rf'(^|, ){name}:? [^,]*', '', line)
        if line:
            found.append(line)
    return found


def compare_tables(tool, theirs, ours):
    wrong = []
    for name in TABLES:
        free = FREE.get(name, {})
        a, b = (fields(tool, os.path.join(folder, f'{name}.dat'), free) for folder in (theirs, ours))
        wrong += [f'{name}: QEMU has "{x}", libvmm "{y}"' for x, y in zip(a, b) if x != y]
        if len(a) != len(b):
            wrong.append(f'{name}: {len(a)} and {len(b)} fields')
    return wrong


def compare_flags(theirs, ours):
    """What the FADT promises of the platform: hardware-reduced, PSCI and how it is called."""
    a, b = (decode.fadt(machines.read(folder, 'FACP')) for folder in (theirs, ours))
    wrong = [] if a['arm'] == b['arm'] else [f'FACP: Arm flags {a["arm"]:#x} and {b["arm"]:#x}']
    return wrong + ([] if a['flags'] & ~b['flags'] == 0 else [f'FACP: flags {a["flags"]:#x} and {b["flags"]:#x}'])


def template(folder, device):
    """A device's resources in an order that both have."""
    answers, wrong = machines.run_acpiexec(folder, [f'execute \\_SB.{device}._CRS'], 0)
    value = machines.as_resources(machines.take_value(machines.Lines(answers[0])))
    return (sorted(value) if isinstance(value, list) else value), wrong


def compare_resources(theirs, ours):
    wrong = []
    for device in RESOURCES:
        (a, broken), (b, ours_broken) = template(theirs, device), template(ours, device)
        wrong += broken + ours_broken
        if a != b:
            wrong.append(f'{device}: QEMU has {a}, libvmm {b}')
    return wrong


def main():
    if QEMU is None or machines.ACPIEXEC is None:
        print('qemu-system-aarch64 and acpiexec are not here')
        return 77
    tool = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as theirs, tempfile.TemporaryDirectory() as ours:
        dump_qemu(theirs)
        subprocess.run([tool, 'build', '-o', ours] + [word for key in OURS for word in ('-s', key)], check=True)
        wrong = compare_tables(tool, theirs, ours) + compare_flags(theirs, ours) + compare_resources(theirs, ours)
    print(*wrong, sep='\n')
    print(f'{len(TABLES)} tables and {len(RESOURCES)} devices compared, {sum(map(len, FREE.values()))} kinds of fields left out')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
