#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Writes files as a table in C, struct image NAME[]: embed.py OUTPUT NAME FILE..."""
import os
import sys


def main(output, table, *paths):
    parts = ['#include "guest.h"\n']
    entries = []
    for number, path in enumerate(paths):
        name = os.path.splitext(os.path.basename(path))[0]
        with open(path, 'rb') as stream:
            data = ','.join(map(str, stream.read()))
        parts.append(f'static const unsigned char data{number}[] = {{{data}}};\n')
        entries.append(f'{{"{name}", data{number}, sizeof(data{number})}},\n')
    parts.append(f'const struct image {table}[] = {{\n{"".join(entries)}}};\n')
    parts.append(f'const size_t {table[:-1]}_count = sizeof({table}) / sizeof({table}[0]);\n')
    with open(output, 'w') as stream:
        stream.writelines(parts)


if __name__ == '__main__':
    main(*sys.argv[1:])
