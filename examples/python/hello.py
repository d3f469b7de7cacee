#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause-Patent
"""examples/hello in Python, through cffi: no compiler, no generated code.

    hello.py LIBRARY INCLUDE_DIRECTORY [kvm|sim]

The declarations come from the public headers themselves; they are plain enough to do without a
preprocessor. With sim, a script plays what the guest would do.
"""
import re
import sys

import cffi

HEADERS = ('types', 'error', 'host', 'ctx', 'exit', 'vm', 'vcpu', 'bus', 'debug', 'irq', 'mem', 'sim', 'state', 'x86', 'linux')
GUEST = (b'\xbe\x0d\x10'  # mov  $text, %si
         b'\xac'          # 1: lodsb
         b'\x84\xc0'      # test %al, %al
         b'\x74\x04'      # jz   2f
         b'\xe6\xe9'      # out  %al, $0xe9
         b'\xeb\xf7'      # jmp  1b
         b'\xf4'          # 2: hlt
         b'hello from the guest\n\0')


class Constants:
    pass


def declarations(include):
    """The headers' text for cffi's parser, and their constants."""
    text = ''
    for name in HEADERS:
        with open(f'{include}/libvmm/{name}.h') as stream:
            text += stream.read()
    text = re.sub(r'/\*.*?\*/|//[^\n]*', ' ', text, flags=re.S).replace('\\\n', ' ')
    constants = Constants()
    for name, value in re.findall(r'^#define (VMM_\w+)[ \t]+(.+)$', text, re.M):
        value = re.sub(r'\bU?INT(?:32|64)_C\((\w+)\)', r'\1', value).replace('UINT64_MAX', str(2**64 - 1))
        try:
            setattr(constants, name, eval(value, {}, vars(constants)))
        except (NameError, SyntaxError):
            pass  # not a constant
    for name, number in re.findall(r'\bX\((E\w+), (\d+),', text):
        setattr(constants, 'VMM_' + name, int(number))
    text = re.sub(r'^[ \t]*#.*$|\bVMM_API\b|\bVMM_(BEGIN|END)_DECLS\b|extern "C" {', '', text, flags=re.M)
    text = re.sub(r'\benum {.*?};', '', text, flags=re.S)
    for name, value in vars(constants).items():
        text = re.sub(rf'\[{name}\]', f'[{value}]', text)
    return text, constants


class Machine:
    """One vCPU with 64 KiB of RAM."""

    def __init__(self, ffi, library, constants, engine, script):
        self.ffi, self.library, self.constants = ffi, library, constants
        self.ctx = self.new('vmm_linux_ctx_create', 'struct vmm_ctx *', ffi.NULL)
        name = ffi.new('char[]', engine.encode())
        config = self.sized('vmm_vm_config', engine=name, max_vcpus=1, engine_config=script)
        self.vm = self.new('vmm_vm_create', 'struct vmm_vm *', self.ctx, config, last=True)
        self.vcpu = self.new('vmm_vcpu_create', 'struct vmm_vcpu *', self.vm, self.sized('vmm_vcpu_config'), last=True)
        self.ram = self.new('vmm_mem_create', 'struct vmm_mem *', self.ctx, 0x10000, last=True)
        self.call('vmm_vm_map', self.vm, 0, self.ram, 0, 0x10000, constants.VMM_PROT_RWX)

    def call(self, name, *arguments):
        code = getattr(self.library, name)(*arguments)
        if code < 0:
            raise OSError(f'{name}: {self.ffi.string(self.library.vmm_strerror(code)).decode()}')

    def new(self, name, kind, *arguments, last=False):
        """Calls what makes an object and gives it through a pointer, the first argument or the last."""
        result = self.ffi.new(f'{kind}*')
        self.call(name, *((*arguments, result) if last else (result, *arguments)))
        return result[0]

    def sized(self, kind, **fields):
        """A structure that begins with its size."""
        return self.ffi.new(f'struct {kind} *', {'size': self.ffi.sizeof(f'struct {kind}'), **fields})

    def enter(self, address):
        """Begin in real mode at an address below 64 KiB; at reset CS is elsewhere."""
        c = self.constants
        system = self.ffi.new('struct vmm_x86_sys *')
        registers = self.ffi.new('struct vmm_x86_regs *', {'rip': address, 'rflags': 2})
        self.call('vmm_vcpu_get_state', self.vcpu, c.VMM_STATE_X86_SYS, 0, system, self.ffi.sizeof(system[0]))
        system.cs.base = system.cs.selector = 0
        self.call('vmm_vcpu_set_state', self.vcpu, c.VMM_STATE_X86_SYS, 0, system, self.ffi.sizeof(system[0]))
        self.call('vmm_vcpu_set_state', self.vcpu, c.VMM_STATE_X86_REGS, 0, registers, self.ffi.sizeof(registers[0]))

    def run(self):
        """Exits, until one that is no port access."""
        exit = self.ffi.new('struct vmm_exit *')
        while True:
            self.call('vmm_vcpu_run', self.vcpu, exit)
            yield exit
            if exit.reason != self.constants.VMM_EXIT_PORT:
                return

    def close(self):
        self.call('vmm_vm_destroy', self.vm)
        self.library.vmm_mem_unref(self.ram)
        self.call('vmm_ctx_destroy', self.ctx)


def script(ffi, c, text):
    """The guest's exits as a script of the sim engine; the step array must outlive the machine."""
    steps = ffi.new('struct vmm_sim_step[]', [
        {'op': c.VMM_SIM_EXIT,
         'exit': {'reason': c.VMM_EXIT_PORT, 'flags': c.VMM_EXIT_F_WRITE, 'addr': 0xe9, 'width': 1, 'data': byte}}
        for byte in text])
    return steps, ffi.new('struct vmm_sim_script *', {'size': ffi.sizeof('struct vmm_sim_script'), 'count': len(text), 'steps': steps})


def main(path, include, engine='kvm'):
    ffi = cffi.FFI()
    text, constants = declarations(include)
    ffi.cdef(text)
    library = ffi.dlopen(path)
    steps, play = script(ffi, constants, GUEST[13:-1]) if engine == 'sim' else (None, ffi.NULL)
    machine = Machine(ffi, library, constants, engine, play)
    machine.call('vmm_vm_write', machine.vm, 0x1000, GUEST, len(GUEST))
    machine.call('vmm_vm_seal', machine.vm)
    machine.enter(0x1000)
    for exit in machine.run():
        if exit.reason == constants.VMM_EXIT_PORT and exit.addr == 0xe9:
            print(chr(exit.data), end='')
    reason = exit.reason
    machine.close()
    return 0 if reason == constants.VMM_EXIT_HLT else 1


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
