#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Writes the runtime code as arrays in C: embed.py OUTPUT ARCH=FILE... (an ARCH without FILE is one that was not built)."""
import sys


def main(output, *pairs):
    lines = ['#include "uefi_code.h"']
    for pair in pairs:
        arch, _, path = pair.partition('=')
        data = b''
        if path:
            with open(path, 'rb') as stream:
                data = stream.read()
        lines.append(f'const uint8_t vmm__uefi_code_{arch}[] = {{{",".join(map(str, data or bytes(1)))}}};')
        lines.append(f'const uint32_t vmm__uefi_code_{arch}_len = {len(data)};')
    with open(output, 'w') as stream:
        stream.write('\n'.join(lines) + '\n')


if __name__ == '__main__':
    main(*sys.argv[1:])
