/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The KVM engine's objects. Linux's own description is Documentation/virt/kvm/api.rst; the sections
 * named in this folder are those of Linux 6.1, the oldest kernel it runs on.
 */
#ifndef VMM_KVM_H
#define VMM_KVM_H

#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>

#include "bits.h"
#include "engine.h"
#include "format.h"
#include "sync.h"

#define KVM_PINS     24 /* of the IOAPIC */
#define KVM_PIC_PINS 16

/* Most entries of a CPUID table. */
#define VMM__KVM_CPUID_MAX 256

/* A message that an eventfd sends: a route of KVM's own number above the pins. */
struct vmm__kvm_event {
	struct kvm_irqfd irqfd;
	uint32_t is_msi;
};

struct vmm__kvm_vm {
	const struct vmm__services *services;
	int kvm_fd; /* /dev/kvm */
	int fd;
	uint32_t irqchip;
	uint32_t flags;
	uint32_t max_vcpus;
	size_t run_size;       /* of a vCPU's mapping */
	size_t xsave_size;     /* of KVM_GET_XSAVE2 */
	bool has_triple_fault; /* among the events */

	/* What is in each slot: KVM cannot be asked. */
	struct kvm_userspace_memory_region *slots;
	uint32_t slot_room;

	/* Pins first, then the messages of attached events. */
	struct kvm_irq_routing *routes;
	uint32_t route_room;
	uint32_t pin_routes; /* how many of them are pins */

	struct kvm_irqchip reset_chip[3]; /* by KVM_IRQCHIP_, as they were made */

	/* MSRs with state of their own, found when the first vCPU is sealed. */
	uint32_t *msrs;
	uint32_t msr_count;
	uint32_t msr_room;

	struct vmm_x86_filter *filters;
	uint32_t filter_count;

	struct vmm__kvm_vcpu *vcpus; /* chained by next */

	uint64_t tsc_zero; /* the host's TSC when the VM was made or reset */

	/* Since guest time was stopped. */
	bool stopped; /* guest time, at the next two */
	uint64_t stopped_clock;
	uint64_t stopped_tsc; /* of the host */
};

/* What is owed for a vCPU's last exit, where that is not just to store an answer. */
#define KVM__OWED_PARTIAL (1u << 0) /* KVM has handed over more elements than one */
#define KVM__OWED_ANSWER  (1u << 1) /* and this one is the guest's to read */
#define KVM__OWED_SPECIAL (1u << 2) /* an MSR or a hypercall */
#define KVM__OWED_KEPT    (1u << 3) /* an exit that came while completing is to be given */

/* No place for an answer, but the sign that vmm__kvm_vcpu.owed has to be looked at. */
#define KVM__SLOW ((uint8_t *)1)

struct vmm__kvm_vcpu {
	_Atomic uint64_t gate; /* the thread in KVM_RUN, and who is about to signal it */

	/* The run path's; belong to who runs the vCPU. */
	struct kvm_run *run;
	int fd;
	uint32_t owed; /* with KVM__SLOW */
	uint8_t *
		answer; /* where eight bytes of answer go; NULL: none is waited for; or KVM__SLOW */
	uint8_t *always; /* answer, when nothing is: KVM__SLOW where exits carry pc, or NULL */

	_Atomic uint32_t kicked; /* a kick has come since the last interrupted run */
	_Atomic uint32_t nmis;   /* to be handed to KVM */

	/* With OWED_PARTIAL, of the element that is given. */
	uint8_t *place;
	uint32_t width;
	uint32_t element; /* offset among those that KVM has handed over */
	uint32_t left;    /* bytes behind it */

	struct vmm_exit kept;
	struct vmm__kvm_vm *vm;
	struct vmm__kvm_vcpu *next;
	uint32_t index;
	uint32_t apic_id;
	uint32_t has_xsave; /* by its CPUID */
	uint32_t host_khz;  /* its TSC's rate before anybody scaled it */

	struct vmm_x86_cpuid *cpuid;
	uint32_t cpuid_count;
	struct kvm_msrs *reset_msrs; /* values at power-on, of vm->msrs */
	size_t reset_msrs_size;
	struct kvm_lapic_state reset_lapic;
	struct kvm_xsave *xsave; /* vm->xsave_size bytes, for one call at a time */
};

/* Fail with errno as it stands. Everything KVM gives is one of these. */
int vmm__kvm_fail(struct vmm_error *error, const char *call);

/* kvm_run.c */
int vmm__kvm_run(void *vcpu, struct vmm_exit *exit, struct vmm_error *error);
int vmm__kvm_complete(void *vcpu, struct vmm_exit *exit, struct vmm_error *error);
void vmm__kvm_kick(void *vcpu);
/* Finish and forget whatever the last exit left to do. */
void vmm__kvm_discard(struct vmm__kvm_vcpu *v);
/* Hand NMIs that were sent from other threads to KVM. */
void vmm__kvm_flush_nmis(struct vmm__kvm_vcpu *v);
void vmm__kvm_take_timer(struct vmm__kvm_vcpu *v);

/* kvm_memory.c, kvm_irq.c, kvm_msr.c */
int vmm__kvm_mem_set(void *vm, uint32_t number, const struct vmm__slot *slot, uint32_t quiet,
		     struct vmm_error *error);
int vmm__kvm_mem_dirty(void *vm, uint32_t number, uint64_t *bitmap, size_t words,
		       struct vmm_error *error);
int vmm__kvm_irqchip_create(struct vmm__kvm_vm *vm, struct vmm_error *error);
int vmm__kvm_irqchip_reset(struct vmm__kvm_vm *vm, struct vmm_error *error);
void vmm__kvm_free_routes(struct vmm__kvm_vm *vm);
int vmm__kvm_irq_line(void *vm, uint32_t gsi, uint32_t level);
int vmm__kvm_msi(void *vm, uint64_t addr, uint32_t data, uint32_t device_id);
int vmm__kvm_event_attach(void *vm, const struct vmm_irq_event_config *config, void **event,
			  struct vmm_error *error);
void vmm__kvm_event_detach(void *vm, void *event);
int vmm__kvm_doorbell_add(void *vm, const struct vmm_doorbell_config *config,
			  struct vmm_error *error);
void vmm__kvm_doorbell_remove(void *vm, const struct vmm_doorbell_config *config);
int vmm__kvm_filter(struct vmm__kvm_vm *vm, const struct vmm_x86_filter *msrs, uint32_t count,
		    struct vmm_error *error);
/* VMM_FILTER_ of an MSR, VMM_FILTER_ALLOW in no run. */
uint32_t vmm__kvm_filter_action(const struct vmm__kvm_vm *vm, uint32_t msr, uint32_t access);
int vmm__kvm_msr_list(void *vm, uint32_t *list, uint32_t *count, struct vmm_error *error);
int vmm__kvm_find_msrs(struct vmm__kvm_vcpu *v, struct vmm_error *error);
/* One MSR; 0 or -VMM_ENOENT. */
int vmm__kvm_get_msr(struct vmm__kvm_vcpu *v, uint32_t index, uint64_t *value);
int vmm__kvm_set_msr(struct vmm__kvm_vcpu *v, uint32_t index, uint64_t value);

/* kvm_cpuid.c */
int vmm__kvm_cpu_model(const struct vmm_host *host, const char *model,
		       struct vmm_x86_cpuid *entries, uint32_t *count, struct vmm_error *error);
int vmm__kvm_seal_cpuid(struct vmm__kvm_vcpu *v, const struct vmm_x86_cpuid *cpuid, uint32_t count,
			struct vmm_error *error);
/* Place of an XSAVE component above 1 in the standard format; false where there is none. */
bool vmm__kvm_xsave_component(const struct vmm__kvm_vcpu *v, uint32_t component, uint32_t *offset,
			      uint32_t *size);
/* EAX of leaf 1. */
uint32_t vmm__kvm_signature(const struct vmm__kvm_vcpu *v);
int vmm__kvm_get_cpuid(void *vcpu, struct vmm_x86_cpuid *entries, uint32_t *count);
/* XCR0 bits that guests can have. */
uint64_t vmm__kvm_xcr0(const struct vmm_host *host, int kvm_fd);
uint32_t vmm__kvm_gpa_bits(const struct vmm_host *host, int kvm_fd);
uint32_t vmm__kvm_default_tsc_khz(int kvm_fd);

/* kvm_vcpu.c */
int vmm__kvm_vcpu_create(void *vm, const struct vmm_vcpu_config *config, void **vcpu,
			 struct vmm_error *error);
void vmm__kvm_vcpu_destroy(void *vcpu);
int vmm__kvm_vcpu_seal(void *vcpu, const struct vmm_x86_cpuid *cpuid, uint32_t count,
		       struct vmm_error *error);
int vmm__kvm_vcpu_reset(void *vcpu, struct vmm_error *error);
int vmm__kvm_inject(void *vcpu, uint32_t kind, uint32_t vector, uint32_t flags, uint32_t error_code,
		    struct vmm_error *error);
int vmm__kvm_request_window(void *vcpu, uint32_t on, struct vmm_error *error);
int vmm__kvm_debug(void *vcpu, const struct vmm_debug_config *config, struct vmm_error *error);
int vmm__kvm_translate(void *vcpu, uint64_t gva, uint32_t prot, uint64_t *gpa,
		       struct vmm_error *error);

/* kvm_state.c */
int vmm__kvm_state_size(void *vcpu, uint32_t cls, uint32_t index, size_t *size);
int vmm__kvm_get_state(void *vcpu, uint32_t cls, uint32_t index, void *buf, size_t size,
		       struct vmm_error *error);
int vmm__kvm_set_state(void *vcpu, uint32_t cls, uint32_t index, const void *buf, size_t size,
		       struct vmm_error *error);
int vmm__kvm_vm_get_state(void *vm, uint32_t cls, uint32_t index, void *buf, size_t size,
			  struct vmm_error *error);
int vmm__kvm_vm_set_state(void *vm, uint32_t cls, uint32_t index, const void *buf, size_t size,
			  struct vmm_error *error);
int vmm__kvm_clock_stop(void *vm, uint32_t stop, struct vmm_error *error);
/* All of XSAVE as at power-on. */
int vmm__kvm_reset_tsc(struct vmm__kvm_vcpu *v, struct vmm_error *error);
int vmm__kvm_reset_xsave(struct vmm__kvm_vcpu *v, struct vmm_error *error);

static inline void *vmm__kvm_alloc(const struct vmm__kvm_vm *vm, size_t size)
{
	const struct vmm_host *host = vm->services->host;
	return host->alloc(host->opaque, size, 16);
}

static inline void vmm__kvm_free(const struct vmm__kvm_vm *vm, void *ptr, size_t size)
{
	const struct vmm_host *host = vm->services->host;
	if (ptr)
		host->free(host->opaque, ptr, size);
}

#endif
