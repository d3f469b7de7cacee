# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Tables and resource templates read a second time, from the specifications and not from the library: ACPI 6.5, and where
another one is named, that."""
import struct


def le(data, at, width):
    return int.from_bytes(data[at:at + width], 'little')


def gas(data, at):
    """5.2.3.2: (space, bits, offset, access, address)."""
    return struct.unpack_from('<BBBBQ', data, at)


def resources(data):
    """6.4: a list of tuples, without the end tag; ValueError for what is malformed."""
    found, at = [], 0
    while True:
        tag = data[at]
        if tag == 0x79:
            if at + 2 != len(data):
                raise ValueError('something follows the end tag')
            return found
        length = 3 + le(data, at + 1, 2) if tag & 0x80 else 1 + (tag & 7)
        item = data[at:at + length]
        if len(item) != length:
            raise ValueError('a descriptor is cut')
        found.append(descriptor(tag, item))
        at += length


def descriptor(tag, item):
    if tag == 0x47:  # 6.4.2.5
        decode, low, high, align, length = struct.unpack_from('<BHHBB', item, 1)
        return ('io', low, high, length)
    if tag == 0x86:  # 6.4.3.4
        return ('memory', le(item, 4, 4), le(item, 8, 4), item[3] & 1)
    if tag == 0x89:  # 6.4.3.6
        count = item[4]
        flags = item[3]
        gsis = tuple(le(item, 5 + 4 * i, 4) for i in range(count))
        return ('interrupt', 'edge' if flags & 2 else 'level', 'low' if flags & 4 else 'high', gsis)
    if tag in (0x88, 0x87, 0x8a):  # 6.4.3.5
        width = {0x88: 2, 0x87: 4, 0x8a: 8}[tag]
        kind = {0: 'memory', 1: 'io', 2: 'bus'}[item[3]]
        values = [le(item, 6 + width * i, width) for i in range(5)]
        return ('range', kind, 'consumer' if item[4] & 1 else 'producer', values[1], values[2], values[3], values[4])
    if tag == 0x82:  # 6.4.3.7
        return ('register', *gas(item, 3))
    raise ValueError(f'a descriptor of tag {tag:#x}')


def entries(table, first, type_width=1, length_at=1, length_width=1):
    at = first
    while at < len(table):
        length = le(table, at + length_at, length_width)
        if length < length_at + length_width or at + length > len(table):
            raise ValueError(f'an entry of {length} bytes at {at:#x}')
        yield le(table, at, type_width), table[at:at + length], at
        at += length


def madt(table):
    """5.2.12: {'cpus': {uid: (identifier, flags)}, 'order': [uid], other entries by name}."""
    found = {'cpus': {}, 'order': [], 'ioapics': [], 'gicd': [], 'gicr': [], 'its': [], 'address': le(table, 36, 4)}
    for kind, e, _ in entries(table, 44):
        uid = None
        if kind == 0:
            uid, value = e[2], (e[3], le(e, 4, 4))
        elif kind == 9:
            uid, value = le(e, 12, 4), (le(e, 4, 4), le(e, 8, 4))
        elif kind == 11:
            uid, value = le(e, 8, 4), (le(e, 68, 8), le(e, 12, 4))
        elif kind == 1:
            found['ioapics'].append((le(e, 4, 4), le(e, 8, 4)))
        elif kind == 12:
            found['gicd'].append((le(e, 8, 8), e[20]))
        elif kind == 14:
            found['gicr'].append((le(e, 4, 8), le(e, 12, 4)))
        elif kind == 15:
            found['its'].append(le(e, 8, 8))
        if uid is not None:
            if uid in found['cpus']:
                raise ValueError(f'processor {uid} twice')
            found['cpus'][uid] = value
            found['order'].append(uid)
    return found


def srat(table):
    """5.2.16: nodes of identifiers or processors, and [(node, base, length, flags)] of memory."""
    cpus, memory = {}, []
    for kind, e, _ in entries(table, 48):
        if kind == 0:
            cpus[e[3]] = e[2] | le(e, 9, 3) << 8
        elif kind == 2:
            cpus[le(e, 8, 4)] = le(e, 4, 4)
        elif kind == 3:
            cpus[le(e, 6, 4)] = le(e, 2, 4)
        elif kind == 1:
            memory.append((le(e, 2, 4), le(e, 8, 8), le(e, 16, 8), le(e, 28, 4)))
    return cpus, memory


def slit(table):
    """5.2.17."""
    n = le(table, 36, 8)
    if len(table) != 44 + n * n:
        raise ValueError('length')
    return [list(table[44 + n * i:44 + n * i + n]) for i in range(n)]


def pptt(table):
    """5.2.30: {offset: node}, a node being a dictionary."""
    nodes = {}
    for kind, e, at in entries(table, 36):
        if kind == 0:
            count = le(e, 16, 4)
            nodes[at] = {'kind': 'cpu', 'flags': le(e, 4, 4), 'parent': le(e, 8, 4), 'uid': le(e, 12, 4),
                         'caches': [le(e, 20 + 4 * i, 4) for i in range(count)]}
        else:
            nodes[at] = {'kind': 'cache', 'next': le(e, 8, 4), 'bytes': le(e, 12, 4), 'sets': le(e, 16, 4), 'ways': e[20],
                         'attributes': e[21], 'line': le(e, 22, 2), 'id': le(e, 24, 4)}
    return nodes


def fadt(table):
    """5.2.9."""
    return {'flags': le(table, 112, 4), 'reset': gas(table, 116), 'reset value': table[128], 'arm': le(table, 129, 2), 'iapc': le(table, 109, 2),
            'control': gas(table, 244), 'status': gas(table, 256), 'facs': le(table, 36, 4) or le(table, 132, 8), 'dsdt': le(table, 140, 8)}


def mcfg(table):
    """PCI Firmware 3.3, 4.1.2: [(base, segment, first bus, last bus)]."""
    return [struct.unpack_from('<QHBB', table, at) for at in range(44, len(table), 16)]


def hmat(table):
    """5.2.28: (proximity structures, {data type: matrix})."""
    proximity, localities = [], {}
    for kind, e, _ in entries(table, 40, 2, 4, 4):
        if kind == 0:
            proximity.append((le(e, 8, 2), le(e, 12, 4), le(e, 16, 4)))
        elif kind == 1:
            rows, columns, unit = le(e, 12, 4), le(e, 16, 4), le(e, 24, 8)
            at = 32 + 4 * (rows + columns)
            localities[e[9]] = [[le(e, at + 2 * (r * columns + c), 2) * unit for c in range(columns)] for r in range(rows)]
    return proximity, localities


def smbios(blob):
    """DSP0134 3.6.0: [(type, formatted part, strings)]."""
    found, at = [], 32
    while True:
        kind, length = blob[at], blob[at + 1]
        formatted = blob[at:at + length]
        end = blob.index(b'\0\0', at + length)
        strings = [text.decode('ascii') for text in blob[at + length:end].split(b'\0') if text]
        found.append((kind, formatted, strings))
        at = end + 2
        if kind == 127:
            return found
