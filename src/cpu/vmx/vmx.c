// SPDX-License-Identifier: BSD-2-Clause-Patent
/* The engine: whether it can be used, and what is VMX in a VM. */
#include "libvmm/vmx.h"
#include "vmx_engine.h"

static int check_processor(struct vmm_error *error)
{
	uint32_t r[4];
	uint64_t control;

	vmm__native_cpuid(1, 0, r);
	if (!(r[2] & VMX_CPUID_1_ECX))
		return vmm__fail(error, -VMM_ENODEV, "CPUID", 0,
				 "the processor has no VMX, or it is not shown to this machine");
	control = vmm__native_rdmsr(VMX_MSR_FEATURE_CONTROL);
	if ((control & VMX_FEATURE_LOCK) && !(control & VMX_FEATURE_VMXON))
		return vmm__fail(error, -VMM_EPERM, "IA32_FEATURE_CONTROL", 0,
				 "firmware has switched VMX off (IA32_FEATURE_CONTROL)");
	return vmm__vmx_check_caps(error);
}

static int probe(const struct vmm_host *host, struct vmm_error *error)
{
	int r = vmm__native_check_services(host, "vmm_engine_vmx", error);

	if (r == 0)
		r = check_processor(error);
	return r == 0 ? vmm__native_check_host(error) : r;
}

/* Four levels of tables take 48 bits. */
static uint32_t gpa_bits(void)
{
	return vmm__native_gpa_bits(48);
}

static int cap(const struct vmm_host *host, uint32_t cap_, uint64_t *value, struct vmm_error *error)
{
	(void)error;
	*value = vmm__native_cap(host, gpa_bits(), cap_);
	return 0;
}

static void vm_init(struct vmm__native_vm *vm, struct vmm__pt_config *paging)
{
	uint64_t ept = vmm__native_rdmsr(VMX_MSR_EPT_VPID);

	vm->features = (uint32_t)SVM_CPUID_EDX_NRIPS; /* vmm__vmx_handle() fills nrip */
	vm->gpa_bits = gpa_bits();
	paging->format = &vmm__pt_ept;
	paging->ia_bits = 48;
	paging->leaf_shift = ept & VMX_EPT_1G ? 30 : 21;
	paging->flags = VMM__PT_AD | (ept & VMX_EPT_EXEC_ONLY ? 0 : VMM__PT_NO_EXEC_ONLY);
}

static int vm_create(const struct vmm__services *services, const struct vmm_vm_config *config,
		     void **out, struct vmm_error *error)
{
	static const struct vmm__native_ops ops = {
		.vm_bytes = sizeof(struct vmm__native_vm),
		.vcpu_bytes = sizeof(struct vmm__vmx_vcpu),
		.msrpm_bytes = 4096,
		.pages = 3,
		.vm_init = vm_init,
		.vcpu_fini = vmm__vmx_vcpu_fini,
		.vcpu_reset = vmm__vmx_vcpu_reset,
		.regs = vmm__vmx_regs,
		.pass_msr = vmm__vmx_pass_msr,
		.want_window = vmm__vmx_want_window,
		.watch_nmi = vmm__vmx_watch_nmi,
		.trap_dr = vmm__vmx_trap_dr,
		.trap_bp = vmm__vmx_trap_bp,
		.is_here = vmm__vmx_is_here,
		.set_timer = vmm__vmx_set_timer,
		.trap_pause = vmm__vmx_trap_pause,
		.dedicate = vmm__vmx_dedicate,
		.stay = vmm__vmx_stay,
	};

	return vmm__native_vm_create(&ops, services, config, out, error);
}

/* --- calls that look at registers: where they cannot be had, that is their result --- */

static struct vmm__vmx_vcpu *listen(void *vcpu)
{
	struct vmm__vmx_vcpu *x = vcpu;

	vmm__error_init(&x->lost);
	return x;
}

static int hear(const struct vmm__vmx_vcpu *x, int r, struct vmm_error *error)
{
	if (x->lost.code == 0)
		return r;
	*error = x->lost;
	return error->code;
}

static int get_state(void *vcpu, uint32_t cls, uint32_t index, void *buf, size_t size,
		     struct vmm_error *error)
{
	const struct vmm__vmx_vcpu *x = listen(vcpu);

	return hear(x, vmm__native_get_state(vcpu, cls, index, buf, size, error), error);
}

static int set_state(void *vcpu, uint32_t cls, uint32_t index, const void *buf, size_t size,
		     struct vmm_error *error)
{
	struct vmm__vmx_vcpu *x = listen(vcpu);
	const struct vmm_x86_sys *sys = buf;
	int r = hear(x, vmm__native_set_state(vcpu, cls, index, buf, size, error), error);

	if (r == 0 && cls == VMM_STATE_X86_SYS && (sys->flags & VMM_X86_SYS_PDPTRS)) {
		memcpy(x->native.pdptes, sys->pdptr, sizeof(sys->pdptr));
		x->native.pdptes_held = true;
	}
	return r;
}

static int debug(void *vcpu, const struct vmm_debug_config *config, struct vmm_error *error)
{
	int r = vmm__vmx_bring(vcpu, error); /* before anything has changed */

	return r != 0 ? r : vmm__native_debug(vcpu, config, error);
}

static int translate(void *vcpu, uint64_t gva, uint32_t prot, uint64_t *gpa,
		     struct vmm_error *error)
{
	const struct vmm__vmx_vcpu *x = listen(vcpu);

	return hear(x, vmm__native_translate(vcpu, gva, prot, gpa, error), error);
}

const struct vmm_engine *vmm_engine_vmx(void)
{
	static const struct vmm_engine engine = {
		.name = "vmx",
		NATIVE_ENGINE,
		.probe = probe,
		.cap = cap,
		.vm_create = vm_create,
		.run = vmm__vmx_run,
		.get_state = get_state,
		.set_state = set_state,
		.debug = debug,
		.translate = translate,
	};

	return &engine;
}
