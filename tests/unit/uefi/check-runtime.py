#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""The runtime code runs anywhere: linked for another address it is the same, byte for byte.

    check-runtime.py CODE COMMAND...        COMMAND links it; the output's name is added
"""
import subprocess
import sys
import tempfile

BASES = ['0x40000000', '0x7fff0000']


def main(code, *command):
    with open(code, 'rb') as stream:
        wanted = stream.read()
    if len(wanted) < 256:
        print(f'{code}: {len(wanted)} bytes are no runtime services')
        return 1
    with tempfile.TemporaryDirectory() as folder:
        for base in BASES:
            other = f'{folder}/code'
            subprocess.run([*command, f'-Wl,--defsym=link_base={base}', '-o', other], check=True)
            with open(other, 'rb') as stream:
                if stream.read() != wanted:
                    print(f'{code}: not the same when linked for {base}')
                    return 1
    return 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
