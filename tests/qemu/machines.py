# SPDX-License-Identifier: BSD-2-Clause-Patent
"""The machines made of software that tests run on, as data (docs/testing.md tells what each can show).

emulator   which of the runner's two emulators
cpus       of the outer machine
memory     of the outer machine, MiB
arguments  further ones of the emulator (QEMU), or lines of its configuration (Bochs)
modules    of the first-level Linux, in the order of loading
kernel     further words on its command line
boot       seconds it may take until the first command is run

Those without a first-level Linux start an image that owns the machine (src/host/bare), once for each case:
boot       how it is started: pvh or grub
cpu        QEMU's model of the CPU, if it is not max
"""

# The outer CPUs have no caches or speculation to defend, and a tickless single clock.
QUIET = 'quiet panic=-1 mitigations=off nokaslr no_timer_check tsc=reliable nowatchdog'

MACHINES = {
    # KVM on AMD: QEMU's TCG has SVM with nested paging. Two threads a vCPU do not pay on two cores, so
    # two outer CPUs; vCPUs beyond that share them, as on any host.
    'kvm-amd': {
        'emulator': 'qemu',
        'cpus': 2,
        'memory': 3072,
        'arguments': ['-machine', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max'],
        'modules': ['irqbypass', 'kvm', 'kvm-amd', 'msr', 'cpuid'],
        'kernel': QUIET,
        'boot': 60,
    },
    # The same, with a clock that advances by one nanosecond an instruction: for benchmarks.
    # x2APIC off: reading its MSRs under -icount ends QEMU.
    'kvm-amd-icount': {
        'emulator': 'qemu',
        'cpus': 1,
        'memory': 3072,
        'arguments': ['-machine', 'q35', '-accel', 'tcg,thread=single', '-cpu', 'max,-x2apic',
                      '-icount', 'shift=0,sleep=off', '-seed', '1',
                      '-rtc', 'base=2020-01-01T00:00:00,clock=vm'],
        'modules': ['irqbypass', 'kvm', 'kvm-amd', 'msr', 'cpuid'],
        'kernel': QUIET,
        'boot': 120,
    },
    # No system at all: an image of src/host/bare is started by PVH, and has SVM with nested paging.
    'bare': {
        'emulator': 'qemu',
        'memory': 512,
        'arguments': ['-machine', 'q35', '-accel', 'tcg,thread=multi'],
        'boot': 'pvh',
    },
    # The same, with a clock that advances by one nanosecond an instruction: for benchmarks.
    'bare-icount': {
        'emulator': 'qemu',
        'memory': 1024,
        'arguments': ['-machine', 'q35', '-accel', 'tcg,thread=single', '-icount', 'shift=0,sleep=off', '-seed', '1'],
        'cpu': 'max,-x2apic',
        'boot': 'pvh',
    },
    # The same with a slower processor: 16 nanoseconds an instruction.
    'bare-slow': {
        'emulator': 'qemu',
        'memory': 512,
        'arguments': ['-machine', 'q35', '-accel', 'tcg,thread=single', '-icount', 'shift=4,sleep=off', '-seed', '1'],
        'cpu': 'max,-x2apic',
        'boot': 'pvh',
    },
    # The same by GRUB, from a CD.
    'bare-grub': {
        'emulator': 'qemu',
        'memory': 512,
        'arguments': ['-machine', 'pc', '-accel', 'tcg,thread=multi'],
        'boot': 'grub',
    },
    # And in Bochs, which has another SVM.
    'bare-bochs': {
        'emulator': 'bochs',
        'memory': 512,
        'arguments': ['cpu: model=ryzen, count={cpus}, ips=80000000, reset_on_triple_fault=0'],
        'boot': 'grub',
    },
    # And Bochs with VMX: extended page tables, VPIDs, unrestricted guests.
    'bare-vmx': {
        'emulator': 'bochs',
        'memory': 512,
        'arguments': ['cpu: model=corei7_skylake_x, count={cpus}, ips=80000000, reset_on_triple_fault=0'],
        'boot': 'grub',
    },
    # KVM on Intel: Bochs has VMX with EPT. Slow: about 80 million instructions a second.
    'kvm-intel': {
        'emulator': 'bochs',
        'cpus': 1,
        'memory': 1024,
        'arguments': ['cpu: model=corei7_skylake_x, count={cpus}, ips=80000000, reset_on_triple_fault=0'],
        'modules': ['irqbypass', 'kvm', 'kvm-intel', 'msr', 'cpuid'],
        'kernel': QUIET,
        'boot': 300,
    },
}
