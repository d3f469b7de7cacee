// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Model-specific registers: one at a time, the list of those that hold state, and filters. */
#include "kvm.h"
#include "x86_reset.h"

struct one_msr {
	struct kvm_msrs head;
	struct kvm_msr_entry entry;
};

int vmm__kvm_get_msr(struct vmm__kvm_vcpu *v, uint32_t index, uint64_t *value)
{
	struct one_msr m = {.head.nmsrs = 1, .entry.index = index};

	if (ioctl(v->fd, KVM_GET_MSRS, &m) != 1)
		return -VMM_ENOENT;
	*value = m.entry.data;
	return 0;
}

int vmm__kvm_set_msr(struct vmm__kvm_vcpu *v, uint32_t index, uint64_t value)
{
	struct one_msr m = {.head.nmsrs = 1, .entry = {.index = index, .data = value}};

	return ioctl(v->fd, KVM_SET_MSRS, &m) == 1 ? 0 : -VMM_ENOENT;
}

/* Hyper-V's counts, which KVM makes from its clock and from the time that a vCPU has run: what is
 * written to them is dropped. */
#define HV_MSR_VP_RUNTIME     UINT32_C(0x40000010)
#define HV_MSR_TIME_REF_COUNT UINT32_C(0x40000020)

/* Registers that other state classes hold. */
static bool elsewhere(uint32_t index)
{
	return index == X86_MSR_TSC || index == X86_MSR_TSC_ADJUST || index == X86_MSR_APIC_BASE ||
	       index == HV_MSR_VP_RUNTIME || index == HV_MSR_TIME_REF_COUNT;
}

/* KVM lists what its host has (api.rst 4.3); a vCPU's model may have less. */
int vmm__kvm_find_msrs(struct vmm__kvm_vcpu *v, struct vmm_error *error)
{
	struct vmm__kvm_vm *vm = v->vm;
	struct kvm_msr_list probe = {0}, *list;
	size_t size;
	uint64_t value;
	int r = 0;

	if (vm->msrs)
		return 0;
	if (ioctl(vm->kvm_fd, KVM_GET_MSR_INDEX_LIST, &probe) != 0 && errno != E2BIG)
		return vmm__kvm_fail(error, "KVM_GET_MSR_INDEX_LIST");
	size = sizeof(*list) + probe.nmsrs * sizeof(list->indices[0]);
	list = vmm__kvm_alloc(vm, size);
	vm->msrs = vmm__kvm_alloc(vm, (probe.nmsrs + 1) * sizeof(*vm->msrs));
	vm->msr_room = probe.nmsrs + 1;
	vm->msr_count = 0;
	if (!list || !vm->msrs) {
		r = vmm__fail(error, -VMM_ENOMEM, "vmm_vm_seal", 0, "no memory for %u MSRs",
			      probe.nmsrs);
	} else {
		list->nmsrs = probe.nmsrs;
		if (ioctl(vm->kvm_fd, KVM_GET_MSR_INDEX_LIST, list) != 0)
			r = vmm__kvm_fail(error, "KVM_GET_MSR_INDEX_LIST");
	}
	for (uint32_t i = 0; r == 0 && i < list->nmsrs && i < probe.nmsrs; i++) {
		/* Some can be read but not written: MSR_KVM_ASYNC_PF_INT without a local APIC. */
		if (!elsewhere(list->indices[i]) &&
		    vmm__kvm_get_msr(v, list->indices[i], &value) == 0 &&
		    vmm__kvm_set_msr(v, list->indices[i], value) == 0)
			vm->msrs[vm->msr_count++] = list->indices[i];
	}
	vmm__kvm_free(vm, list, size);
	if (r != 0) {
		vmm__kvm_free(vm, vm->msrs, vm->msr_room * sizeof(*vm->msrs));
		vm->msrs = NULL;
	}
	return r;
}

int vmm__kvm_msr_list(void *opaque, uint32_t *list, uint32_t *count, struct vmm_error *error)
{
	struct vmm__kvm_vm *vm = opaque;
	uint32_t room = list ? *count : 0;

	if (!vm->msrs)
		return vmm__fail(error, -VMM_ESTATE, "vmm_vm_x86_msr_list", 0,
				 "the list is known when the VM is sealed");
	*count = vm->msr_count;
	if (!list)
		return 0;
	if (room < vm->msr_count)
		return vmm__fail(error, -VMM_ESIZE, "vmm_vm_x86_msr_list", 0,
				 "%u MSRs, room for %u", vm->msr_count, room);
	memcpy(list, vm->msrs, vm->msr_count * sizeof(*list));
	return 0;
}

uint32_t vmm__kvm_filter_action(const struct vmm__kvm_vm *vm, uint32_t msr, uint32_t access)
{
	for (uint32_t i = vm->filter_count; i-- > 0;) { /* the later wins */
		const struct vmm_x86_filter *f = &vm->filters[i];

		if ((f->access & access) && msr >= f->first && msr - f->first < f->count)
			return f->action;
	}
	return VMM_FILTER_ALLOW;
}

/* Where KVM's own ranges end: api.rst 4.97. Their bitmaps are all zeros: nothing in them allowed.
 */
#define RANGE_MSRS  (KVM_MSR_FILTER_MAX_BITMAP_SIZE * 8u)
#define X2APIC_BASE UINT64_C(0x800)
#define X2APIC_END  UINT64_C(0x900)

/* First number above @from at which some run begins or ends. */
static uint64_t next_boundary(const struct vmm__kvm_vm *vm, uint64_t from)
{
	uint64_t next = UINT64_C(1) << 32;

	for (uint32_t i = 0; i < vm->filter_count; i++) {
		uint64_t first = vm->filters[i].first, end = first + vm->filters[i].count;

		if (first > from && first < next)
			next = first;
		if (end > from && end < next)
			next = end;
	}
	return next;
}

/* Ranges of one direction, each as long as what is not allowed goes on. */
static int build_ranges(const struct vmm__kvm_vm *vm, uint32_t access, uint32_t kvm_flag,
			struct kvm_msr_filter *filter, uint32_t *used)
{
	uint64_t at = 0;

	while (at < UINT64_C(1) << 32) {
		uint64_t end = next_boundary(vm, at);

		if (vmm__kvm_filter_action(vm, (uint32_t)at, access) == VMM_FILTER_ALLOW) {
			at = end;
			continue;
		}
		while (end < UINT64_C(1) << 32 &&
		       vmm__kvm_filter_action(vm, (uint32_t)end, access) != VMM_FILTER_ALLOW)
			end = next_boundary(vm, end);
		if (at < X2APIC_END && end > X2APIC_BASE)
			return -VMM_ENOTSUP;
		for (; at < end; (*used)++) {
			uint64_t n = end - at < RANGE_MSRS ? end - at : RANGE_MSRS;

			if (*used == KVM_MSR_FILTER_MAX_RANGES)
				return -VMM_ELIMIT;
			filter->ranges[*used].flags = kvm_flag;
			filter->ranges[*used].base = (uint32_t)at;
			filter->ranges[*used].nmsrs = (uint32_t)n;
			at += n;
		}
	}
	return 0;
}

static int take_filters(struct vmm__kvm_vm *vm, const struct vmm_x86_filter *msrs, uint32_t count,
			struct vmm_error *error)
{
	vmm__kvm_free(vm, vm->filters, vm->filter_count * sizeof(*msrs));
	vm->filters = NULL;
	vm->filter_count = 0;
	if (count == 0)
		return 0;
	vm->filters = vmm__kvm_alloc(vm, count * sizeof(*msrs));
	if (!vm->filters)
		return vmm__fail(error, -VMM_ENOMEM, "vmm_vm_seal", 0, "no memory for filters");
	memcpy(vm->filters, msrs, count * sizeof(*msrs));
	vm->filter_count = count;
	return 0;
}

int vmm__kvm_filter(struct vmm__kvm_vm *vm, const struct vmm_x86_filter *msrs, uint32_t count,
		    struct vmm_error *error)
{
	struct kvm_msr_filter filter = {.flags = KVM_MSR_FILTER_DEFAULT_ALLOW};
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X86_USER_SPACE_MSR,
		.args = {KVM_MSR_EXIT_REASON_FILTER},
	};
	uint32_t used = 0;
	uint8_t *zeros;
	int r = take_filters(vm, msrs, count, error);

	if (r != 0)
		return r;
	r = build_ranges(vm, VMM_FILTER_READ, KVM_MSR_FILTER_READ, &filter, &used);
	if (r == 0)
		r = build_ranges(vm, VMM_FILTER_WRITE, KVM_MSR_FILTER_WRITE, &filter, &used);
	if (r == -VMM_ENOTSUP)
		return vmm__fail(error, r, "vmm_vm_x86_filter_msrs", 0,
				 "KVM does not filter the x2APIC's MSRs 0x800 to 0x8ff");
	if (r != 0)
		return vmm__fail(error, -VMM_ENOTSUP, "vmm_vm_x86_filter_msrs", 0,
				 "more than KVM's %u ranges of %u MSRs are filtered",
				 KVM_MSR_FILTER_MAX_RANGES, RANGE_MSRS);
	zeros = vmm__kvm_alloc(vm, KVM_MSR_FILTER_MAX_BITMAP_SIZE);
	if (!zeros)
		return vmm__fail(error, -VMM_ENOMEM, "vmm_vm_seal", 0, "no memory for filters");
	for (uint32_t i = 0; i < used; i++)
		filter.ranges[i].bitmap = zeros;
	if (used != 0 && ioctl(vm->fd, KVM_ENABLE_CAP, &cap) != 0)
		r = vmm__kvm_fail(error, "KVM_CAP_X86_USER_SPACE_MSR");
	if (r == 0 && ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &filter) != 0)
		r = vmm__kvm_fail(error, "KVM_X86_SET_MSR_FILTER");
	vmm__kvm_free(vm, zeros, KVM_MSR_FILTER_MAX_BITMAP_SIZE);
	return r;
}
