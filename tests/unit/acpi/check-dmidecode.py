#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""check-dmidecode.py DUMPER: dmidecode reads the SMBIOS sample that DUMPER writes without a complaint, and finds in
it what was put there. Exit status 77 where there is no dmidecode."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

COMPLAINTS = r'BAD INDEX|OUT OF SPEC|Wrong DMI|Invalid entry|Checksum|broken|TRUNCATED|exceeds|Unknown Type'
EXPECTED = {
    'BIOS Information': ['Vendor: libvmm', 'Version: 7.8', 'UEFI is supported', 'System is a virtual machine', 'BIOS Revision: 1.0'],
    'System Information': ['Product Name: Virtual Machine', 'UUID: 00112233-4455-6677-8899-aabbccddeeff', 'Family: Family'],
    'Base Board Information': ['Location In Chassis: Here', 'Type: Motherboard'],
    'Chassis Information': ['SKU Number: SKU-3', 'Thermal State: Safe'],
    'Processor Information': ['Family: ARMv8', 'Core Count: 300', 'Thread Count: 600', 'L1 Cache Handle: Not Provided', 'Max Speed: 3000 MHz'],
    'Cache Information': ['Installed Size: 512 kB', 'Configuration: Enabled, Not Socketed, Level 2', 'Associativity: 8-way Set-associative'],
    'System Slot Information': ['Designation: Slot 4', 'Bus Address: 0000:01:04.0'],
    'OEM Strings': ['String 2: second string'],
    'Physical Memory Array': ['Maximum Capacity: 4 TB', 'Number Of Devices: 2'],
    'Memory Device': ['Size: 1 GB', 'Locator: DIMM 0', 'Rank: 2', 'Speed: 3200 MT/s', 'Volatile Size: 1 GB'],
    'Memory Array Mapped Address': ['Range Size: 1 GB', 'Partition Width: 1'],
    'System Boot Information': ['Status: No errors detected'],
}


def sections(text):
    """{title: its first section's lines}"""
    found = {}
    for section in text.split('\n\n'):
        lines = [line.strip() for line in section.splitlines()]
        if len(lines) > 1 and lines[0].startswith('Handle'):
            found.setdefault(lines[1], lines[2:])
    return found


def main():
    tool = shutil.which('dmidecode') or shutil.which('dmidecode', path='/usr/sbin')
    if not tool:
        print('dmidecode is not here')
        return 77
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], folder], check=True)
        done = subprocess.run([tool, '--from-dump', os.path.join(folder, 'smbios.bin')], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=30)
    found = sections(done.stdout)
    wrong = [line for line in done.stdout.splitlines() if re.search(COMPLAINTS, line)]
    wrong += [f'{title}: no "{line}"' for title, lines in EXPECTED.items() for line in lines if line not in found.get(title, [])]
    print('\n'.join(wrong) if wrong else f'{len(found)} kinds of structures')
    if wrong:
        print(done.stdout)
    return 1 if wrong or done.returncode != 0 else 0


if __name__ == '__main__':
    sys.exit(main())
