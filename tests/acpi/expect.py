# SPDX-License-Identifier: BSD-2-Clause-Patent
"""What a machine's namespace and tables are to say, worked out from its profile and docs/profile.md, not by the library."""
import struct

MIB, GIB = 1 << 20, 1 << 30
ONES = 0xffffffff

# Registers, docs/profile.md: offsets from the base, and bits.
CPU_SLOTS, MEMORY_SLOTS, PCI_SLOTS = 0x40, 0x80, 0xc0
EJECT = 8
PCI_UUID = '5B 4D DB 33 F7 1F 1C 40 96 57 74 41 C0 3D D7 66'
ROOT_UUID = '6E B0 11 08 27 4A F9 44 8D 60 3C BB C2 2E 7B 48'


def bits_for(n):
    return (n - 1).bit_length()


def up(value, unit):
    return (value + unit - 1) // unit * unit


class Machine:
    """The plan of a machine."""

    def __init__(self, p):
        self.p = p
        self.arm = p('machine', 'arch') == 'arm64'
        self.shape = [p('cpu', name) for name in ('sockets', 'dies', 'clusters', 'cores', 'threads')]
        self.cpus = 1
        for n in self.shape:
            self.cpus *= n
        self.boot = p('cpu', 'boot')
        self.present = p('cpu', 'present') or self.cpus
        self.nodes = p('memory', 'nodes')
        self.registers = 0x09080000 if self.arm else 0x600
        self.hotplug_memory = p('memory', 'hotplug')
        self.pci = bool(p('pci', 'enable'))
        self.slots = p('pci', 'slots') if self.pci else 0

    def hardware_id(self, cpu):
        """The APIC identifier: a field for each level, wide enough for it (SDM 3A, 9.9.1); MPIDR: 16 CPUs in a cluster."""
        if self.arm:
            return cpu // 16 << 8 | cpu % 16
        value, shift = 0, 0
        for n in reversed(self.shape):
            value |= cpu % n << shift
            shift += bits_for(n)
            cpu //= n
        return value

    def high_window(self):
        """Where the window above 4 GiB begins: behind RAM and what can be plugged, at a multiple of its size if that is a power of two."""
        return self.p('pci', 'window')

    def madt_entry(self, cpu):
        """5.2.12.2, 5.2.12.12, 5.2.12.14; enabled, since _MAT is asked of a CPU that is there."""
        ident = self.hardware_id(cpu)
        if ident >= 255:
            return struct.pack('<BBHIII', 9, 16, 0, ident, 1, cpu)
        return struct.pack('<BBBBI', 0, 8, cpu, ident, 1)

    def events(self):
        p = self.p
        told = {'PWRB': p('power', 'button'), 'SLPB': p('power', 'sleep-button'), 'TZ00': p('thermal', 'enable'), 'ERRD': p('ras', 'enable'),
                'VGEN': p('vmgenid', 'enable')}
        scanned = p('cpu', 'hotplug') or self.hotplug_memory or self.slots
        return {name for name, on in told.items() if on}, bool(scanned)


def io(port, length):
    return ('io', port, port, length)


def pci_crs(m, found):
    """The host bridge's resources; the base of the high window is checked for what it must be, since its place is free."""
    buses = m.p('pci', 'buses')
    wanted = [('range', 'bus', 'producer', 0, buses - 1, 0, buses)]
    if m.arm:
        wanted += [('range', 'io', 'producer', 0, 0xffff, 0x3eff0000, 0x10000), ('range', 'memory', 'producer', 0x10000000, 0x3efeffff, 0, 0x2eff0000)]
    else:
        wanted += [io(0xcf8, 8), ('range', 'io', 'producer', 0x1000, 0xffff, 0, 0xf000),
                   ('range', 'memory', 'producer', 0xc0000000, 0xdfffffff, 0, 0x20000000)]
    window = m.p('pci', 'window')
    if window:
        base = found[-1][3] if found and found[-1][0] == 'range' else 0
        floor = 0x8000000000 if m.arm else max(4 * GIB, GIB + m.p('memory', 'size') + m.hotplug_memory)
        if base < floor or base % min(window & -window, GIB):
            return [f'a high window at {base:#x}']
        wanted.append(('range', 'memory', 'producer', base, base + window - 1, 0, window))
    return wanted


def legacy(p):
    """Devices of a PC: ports and interrupts of ISA."""
    def irq(gsi):
        return ('interrupt', 'edge', 'high', (gsi,))
    e = {}
    if p('legacy', 'pic'):
        e['PIC0._CRS'] = [io(0x20, 2), io(0xa0, 2), io(0x4d0, 2)]
    if p('legacy', 'pit'):
        e['TMR0._CRS'] = [io(0x40, 4), irq(0)]
        e['SPKR._CRS'] = [io(0x61, 1)]
    if p('legacy', 'rtc'):
        e['RTC0._CRS'] = [io(0x70, 2), irq(8)]
    if p('legacy', 'i8042'):
        e['KBD0._CRS'] = [io(0x60, 1), io(0x64, 1), irq(1)]
        e['MOU0._CRS'] = [irq(12)]
    return e


def device_expectations(m):
    """{path: expected value}; a function of what was found stands for a value that is not known beforehand."""
    p, e = m.p, {}
    arm = m.arm
    if arm:
        if p('serial', 'enable'):
            e['COM0._CRS'] = [('memory', 0x09000000, 0x1000, 1), ('interrupt', 'level', 'high', (33,))]
        if p('fw-cfg', 'enable'):
            e['FWCF._CRS'] = [('memory', 0x09020000, 0x18, 1)]
        if m.pci:
            size = p('pci', 'buses') << 20
            e['MRES._CRS'] = [('range', 'memory', 'consumer', 0x4010000000, 0x4010000000 + size - 1, 0, size)]
    else:
        for i in range(4):
            if p('serial', 'enable', i):
                e[f'COM{i}._CRS'] = [io(p('serial', 'port', i), 8), ('interrupt', 'edge', 'high', (p('serial', 'irq', i),))]
        if p('fw-cfg', 'enable'):
            e['FWCF._CRS'] = [io(0x510, 12)]
        e.update(legacy(p))
        e['MRES._CRS'] = lambda found: reserved(m, found)
    if p('tpm', 'enable'):
        e['TPM0._CRS'] = [('memory', 0x0c000000 if arm else 0xfed40000, 0x5000, 1)]
    told, scanned = m.events()
    if told or scanned:
        e['GED._CRS'] = [('interrupt', 'level', 'high', (41 if arm else 9,))]
    if m.pci:
        e['PCI0._CRS'] = lambda found: pci_crs(m, found)
        gsi = 35 if arm else 16
        e['PCI0._PRT'] = [[device << 16 | 0xffff, pin, 0, gsi + (device + pin) % 4] for device in range(1, 32) for pin in range(4)]
    return {'\\_SB.' + path: value for path, value in e.items()}


def reserved(m, found):
    """PNP0C02: the ECAM, and ports that are nobody else's; those of registers may be told in one piece or several."""
    ecam = [('memory', 0xe0000000, m.p('pci', 'buses') << 20, 1)] if m.pci else []
    debug = [io(m.p('debug-exit', 'port'), 4)] if m.p('debug-exit', 'enable') else []
    registers = [r for r in found if r[0] == 'io' and 0x600 <= r[1] and r[1] + r[3] <= 0x700]
    wanted = ecam + registers + debug
    return found if sorted(found) == sorted(wanted) else wanted


def sleep_states(m):
    p = m.p
    if m.arm:
        return {}
    states = {1: p('power', 'standby'), 3: p('power', 'suspend'), 4: p('power', 'hibernate')}
    wanted = {n: n for n, on in states.items() if on}
    if wanted:
        wanted[0] = 0
    if p('power', 'off'):
        wanted[5] = 5
    return {f'\\_S{n}': [value, 0, 0, 0] for n, value in wanted.items()}


def register(m, offset, bits=32):
    return [('register', 0 if m.arm else 1, bits, 0, 3 if bits == 32 else 1, m.registers + offset)]


def power_objects(m):
    """Of each processor: _CST, _PCT, _PSS, _PPC, _PSD, _CPC (ACPI 6.5, 8.4)."""
    p, e = m.p, {}
    mhz = p('cpu', 'mhz') or 2000
    count = p('cpu', 'cstates')
    if count:
        states = [[[('register', 0x7f, 0 if count == 1 else 1, 0 if count == 1 else 2, 0, 0 if count == 1 else i << 4)], i + 1, latency, watts]
                  for i, (latency, watts) in enumerate([(1, 1000), (50, 250), (200, 62)][:count])]
        e['_CST'] = [count] + states
    count = p('cpu', 'pstates')
    if count:
        e['_PCT'] = [register(m, 12), register(m, 12)]
        e['_PSS'] = [[mhz * (count - i) // count, 1000 * (count - i), 1, 1, i, i] for i in range(count)]
        e['_PPC'] = 0
        e['_PSD'] = [[5, 0, 0, 0xfc, m.cpus]]
    if p('cpu', 'cppc'):
        none = 0
        e['_CPC'] = [23, 3, 100, 100, 10, 10, none, register(m, 12), none, none, none, none, ONES // 1000000, register(m, 16), register(m, 16),
                     register(m, 20), none, none, none, none, 100, mhz * 10 // 100, mhz]
    return e


def objects(m):
    """{path: value} of all that needs no arguments and says the same whatever registers read."""
    p = m.p
    e = {**device_expectations(m), **sleep_states(m)}
    for cpu in range(m.cpus):
        path = f'\\_SB.C{cpu:03X}'
        e[path + '._UID'] = cpu
        e.update({f'{path}.{name}': value for name, value in power_objects(m).items()})
        if p('cpu', 'hotplug'):
            e[path + '._MAT'] = m.madt_entry(cpu)
    if p('thermal', 'enable'):
        e['\\_SB.TZ00._CRT'] = 2732 + 10 * p('thermal', 'critical')
        e['\\_SB.TZ00._TZP'] = 0
    if m.slots:
        for slot in range(1, m.slots + 1):
            path = f'\\_SB.PCI0.S{slot:02X}'
            e[path + '._ADR'] = slot << 16
            e[path + '._SUN'] = slot
    return e


def slot_sets(m):
    """(letter, scope, {slot: device}, slots that can be ejected, have _STA) of each kind of hot plug."""
    p = m.p
    sets = []
    if p('cpu', 'hotplug'):
        sets.append(('C', '\\_SB', {i: f'\\_SB.C{i:03X}' for i in range(m.cpus)}, lambda slot: slot != m.boot, True))
    if m.hotplug_memory:
        sets.append(('M', '\\_SB', {i: f'\\_SB.M{i:03X}' for i in range(p('memory', 'slots'))}, lambda slot: True, True))
    if m.slots:
        sets.append(('P', '\\_SB.PCI0', {i: f'\\_SB.PCI0.S{i + 1:02X}' for i in range(m.slots)}, lambda slot: True, False))
    return sets


def memory_crs(fill):
    """A slot's range when each byte of its registers reads as @fill: base and length of 64 bits."""
    value = int.from_bytes(bytes([fill]) * 8, 'little')
    return [('range', 'memory', 'producer', value, (2 * value - 1) & (1 << 64) - 1, 0, value)]


def calls(m, fill):
    """[(command, value)] in order; @fill is what each byte of a register reads as before it is written. None: it returns nothing."""
    p, made = m.p, []
    word = int.from_bytes(bytes([fill]) * 4, 'little')
    for letter, scope, devices, ejectable, has_status in slot_sets(m):
        for slot, device in devices.items():
            if has_status:
                made.append((f'{device}._STA', 15 if fill & 1 else 0))
            if letter == 'M':
                made.append((f'{device}._CRS', memory_crs(fill)))
                made.append((f'{device}._PXM', word))
    for letter, scope, devices, ejectable, has_status in slot_sets(m):
        for slot, device in devices.items():
            if ejectable(slot):
                made += [(f'{device}._EJ0 1', None), (f'{scope}.{letter}SEL', slot), (f'{scope}.{letter}STS', EJECT)]
            if has_status:
                made += [(f'{device}._OST 3 0x84 (00)', None), (f'{scope}.{letter}SEL', slot), (f'{scope}.{letter}OEV', 3),
                         (f'{scope}.{letter}OSS', 0x84)]
    if p('thermal', 'enable'):
        made.append(('\\_SB.TZ00._TMP', word))
    if p('power', 'devices') and not m.arm:
        for port in [i for i in range(4) if p('serial', 'enable', i)]:
            device = f'\\_SB.COM{port}'
            for state in (3, 0):
                made += [(f'{device}._PS{state}', None), (f'{device}._PSC', state)]
    if m.pci:
        # Asked for: all five of PCI Firmware 3.3, 4.5.1. Slots of ACPI keep native hot plug.
        granted = 0x1c if m.slots else 0x1f
        status = 0x10 if m.slots else 0
        made.append((f'\\_SB.PCI0._OSC ({PCI_UUID}) 1 3 (00 00 00 00 1F 00 00 00 1F 00 00 00)', struct.pack('<III', status, 0x1f, granted)))
        made.append((f'\\_SB.PCI0._OSC ({ROOT_UUID}) 1 3 (00 00 00 00 1F 00 00 00 1F 00 00 00)', struct.pack('<III', 4, 0x1f, 0x1f)))
    if p('cpu', 'cppc') or p('ras', 'enable'):
        made.append((f'\\_SB._OSC ({ROOT_UUID}) 1 2 (00 00 00 00 7F 00 00 00)', struct.pack('<II', 0, 0x7f)))
        made.append((f'\\_SB._OSC ({ROOT_UUID}) 2 2 (00 00 00 00 7F 00 00 00)', struct.pack('<II', 8, 0x7f)))
    return made
