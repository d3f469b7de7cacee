#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""check-iasl.py DUMPER: the tables that DUMPER writes, disassembled by iasl and compiled again, come back as
they were, from byte 36 (the header holds the compiler's own name). Exit status 77 where there is no iasl."""
import functools
import glob
import os
import re
import subprocess
import sys
import tempfile

import acpica

HEADER = 36
KNOWS_6_5 = 20220331
IASL = acpica.tool('iasl')


# What iasl must have read in tables that the library itself does not read: lines of the disassembly, in this order.
EXPECTED = {
    'numa-3-HMAT': ['Memory Proximity Domain : 00000001', 'Data Type : 00', 'Initiator Proximity Domains # : 00000002',
                    'Target Proximity Domains # : 00000002', 'Entry Base Unit : 00000000000003E8', 'Entry : 000A', 'Entry : 0019',
                    'Memory Side Cache Size : 0000000000100000'],
    'small-1-HPET': ['Hardware Block ID : 8086A201', 'Address : 00000000FED00000', 'Minimum Clock Ticks : 0064'],
    'small-3-BGRT': ['Version : 0001', 'Image Address : 000000007FE00000', 'Image OffsetX : 00000064', 'Image OffsetY : 000000C8'],
    'small-4-TPM2': ['Platform Class : 0000', 'Control Address : 00000000FED40040', 'Start Method : 07 [Command Response Buffer]',
                     'Minimum Log Length : 00010000', 'Log Address : 000000007FD00000'],
    'small-5-DBG2': ['Info Count : 00000002', 'Port Type : 8000', 'Port Subtype : 0000', 'Address : 00000000000003F8',
                     'Address Size : 00000008', 'Namepath : "\\_SB.COM1"', 'Port Subtype : 0003', 'Namepath : "."'],
    'ras-1-HEST': ['Error Source Count : 00000001', 'Subtable Type : 000A [Generic Hardware Error Source V2]', 'Source Id : 0001',
                   'Related Source Id : FFFF', 'Enabled : 01', 'Records To Preallocate : 00000001', 'Max Sections Per Record : 00000001',
                   'Max Raw Data Length : 00000400', 'Address : 000000007FFF0000', 'Notify Type : 07 [GPIO]', 'Notify Length : 1C',
                   'Error Status Block Length : 00000400', 'Address : 000000007FFF0000', 'Read Ack Preserve : FFFFFFFFFFFFFFFE',
                   'Read Ack Write : 0000000000000001'],
    'ras-2-BERT': ['Boot Error Region Length : 00000400', 'Boot Error Region Address : 000000007FFE0000'],
    'ras-3-EINJ': ['Injection Header Length : 0000000C', 'Injection Entry Count : 00000003', 'Action : 00 [Begin Operation]',
                   'Instruction : 03 [Write Register Value]', 'Value : 0000000000000001', 'Mask : FFFFFFFFFFFFFFFF'],
    'ras-4-ERST': ['Serialization Header Length : 00000030', 'Instruction Entry Count : 00000003'],
    'new-viot-1-VIOT': ['Node count : 0004', 'Type : 03 [VirtIO-PCI IOMMU]', 'PCI BDF number : 0010', 'Type : 04 [VirtIO-MMIO IOMMU]',
                        'Base address : 00000000D0000000', 'Type : 01 [PCI Range]', 'Endpoint start : 00000018', 'PCI BDF start : 0018',
                        'PCI BDF end : FFFF', 'Output node : 0030', 'Type : 02 [MMIO Endpoint]', 'Endpoint : 00010000',
                        'Base address : 00000000D0001000', 'Output node : 0040'],
    'new-nfit-1-NFIT': ['Region Type GUID : 66F0D379-B4F3-4074-AC43-0D3318B78CDB', 'Address Range Base : 0000001000000000',
                        'Address Range Length : 0000000040000000', 'Memory Map Attribute : 0000000000008008', 'Device Handle : 00000001',
                        'Physical Id : 1100', 'Control Region Index : 0001', 'Region Size : 0000000040000000', 'Interleave Ways : 0001',
                        'Vendor Id : 8086', 'Code : 0301'],
}


def missing(stem, text):
    """The first expected line that does not follow those before it; nothing if all are there."""
    lines = iter(re.sub(r'^\[.*?\]\s*|\s*/\*.*', '', line).strip() for line in text.splitlines())
    for expected in EXPECTED.get(stem, []):
        if not any(re.sub(r'\s+', ' ', line) == expected for line in lines):
            return [f'{stem}: iasl did not read "{expected}" at its place']
    return []


def run(args, cwd):
    done = subprocess.run(args, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    return done.returncode, done.stdout


@functools.cache
def version():
    found = re.search(r'version (\d{8})', run([IASL, '-v'], '.')[1])
    return int(found.group(1)) if found else 0


def complaints(text):
    """The lines of iasl's output that say that something is wrong."""
    return [line for line in text.splitlines()
            if re.search(r'incorrect|should be|unknown|invalid|mismatch|\*\*\*\*|\bwarning\b|\berror\s+\d', line, re.I)]


def check(path):
    """Names what is wrong with one table; nothing if it came back whole."""
    folder, name = os.path.split(path)
    stem = os.path.splitext(name)[0]
    code, out = run([IASL, '-d', name], folder)
    source = os.path.join(folder, stem + '.dsl')
    if code != 0 or not os.path.exists(source):
        return [f'{name}: iasl -d failed:', out]
    with open(source, encoding='latin1') as stream:
        text = stream.read()
    wrong = complaints(text) + complaints(out) + missing(stem, text)
    if wrong:
        return [f'{name}: disassembled with complaints:'] + wrong
    code, out = run([IASL, '-oa', '-vw', '3150', '-p', stem + '-again', stem + '.dsl'], folder)
    again = os.path.join(folder, stem + '-again.aml')
    if code != 0 or not os.path.exists(again):
        return [f'{name}: iasl does not compile it again:', out]
    with open(path, 'rb') as ours, open(again, 'rb') as theirs:
        a, b = ours.read()[HEADER:], theirs.read()[HEADER:]
    if a != b:
        at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
        return [f'{name}: differs at {HEADER + at} of {len(a)}/{len(b)}: ours {a[at:at + 12].hex()}, iasl {b[at:at + 12].hex()}']
    return []


def main():
    if IASL is None:
        print('iasl (package acpica-tools) is not here')
        return 77
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], folder], check=True)
        tables = sorted(glob.glob(os.path.join(folder, '*.dat')))
        if version() < KNOWS_6_5:
            tables = [table for table in tables if not os.path.basename(table).startswith('new-')]
        wrong = [line for table in tables for line in check(table)]
    print('\n'.join(wrong))
    print(f'{len(tables)} tables')
    return 1 if wrong or not tables else 0


if __name__ == '__main__':
    sys.exit(main())
