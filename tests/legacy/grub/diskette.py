#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""A diskette that Debian's GRUB boots from: its boot sector, its core in the reserved sectors of a FAT,
and files: modules, a configuration, a kernel, and a file of 32-bit words that count up from 0.

    diskette.py OUTPUT CONFIGURATION KERNEL
"""
import os
import struct
import subprocess
import sys
import tempfile

GRUB = '/usr/lib/grub/i386-pc'
SECTOR = 512
SECTORS = 2880
WORDS = 50000

# Modules of the commands in the configuration, and of what is typed in the tests.
MODULES = 'normal serial terminal ls date hexdump cmosdump lsmmap sleep multiboot boot reboot halt'.split()


def with_needed(modules):
    """The modules and all that they depend on."""
    with open(f'{GRUB}/moddep.lst') as stream:
        needs = {name: words.split() for name, _, words in (line.partition(':') for line in stream)}
    found = []
    while modules:
        found += modules
        modules = sorted({need for module in modules for need in needs[module]}.difference(found))
    return found


def run(*command):
    subprocess.run(command, check=True)


def make(output, configuration, kernel, folder):
    core = f'{folder}/core.img'
    run('grub-mkimage', '--format=i386-pc', '--prefix=(fd0)/grub', f'--output={core}', 'biosdisk', 'fat')
    with open(core, 'rb') as stream:
        core = stream.read()
    with open(output, 'wb') as stream:
        stream.truncate(SECTORS * SECTOR)
    run('mformat', '-i', output, '-f', '1440', '-N', '0', '-R', str(1 + -(-len(core) // SECTOR)), '-B', f'{GRUB}/boot.img', '::')
    with open(output, 'r+b') as stream:
        stream.seek(SECTOR)
        stream.write(core)
    words = f'{folder}/words.bin'
    with open(words, 'wb') as stream:
        stream.write(struct.pack(f'<{WORDS}I', *range(WORDS)))
    run('mmd', '-i', output, '::/grub', '::/grub/i386-pc')
    run('mcopy', '-i', output, configuration, '::/grub/grub.cfg')
    run('mcopy', '-i', output, kernel, '::/kernel.elf')
    run('mcopy', '-i', output, words, '::/')
    files = [f'{name}.mod' for name in with_needed(MODULES)] + ['moddep.lst', 'command.lst', 'terminal.lst']
    run('mcopy', '-i', output, *(f'{GRUB}/{name}' for name in files), '::/grub/i386-pc')


def main():
    output, configuration, kernel = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        try:
            make(output, configuration, kernel, folder)
        except (OSError, subprocess.CalledProcessError):
            if os.path.exists(output):
                os.unlink(output)
            raise


if __name__ == '__main__':
    main()
