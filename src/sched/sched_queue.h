/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A queue of a CPU: vCPUs by a key, the smallest first. A binary heap that knows where each of its
 * members is, with room for all vCPUs of the scheduler. Keys are compared by their difference, so
 * that they may pass through 2^64.
 */
#ifndef VMM_SCHED_QUEUE_H
#define VMM_SCHED_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

struct vmm_sched_vcpu;

struct vmm__sched_node {
	uint64_t key;
	struct vmm_sched_vcpu *vcpu;
};

struct vmm__sched_queue {
	uint32_t count;
	struct vmm__sched_node
		*node; /* node[0] is the smallest; children of i are at 2i + 1, 2i + 2 */
};

static inline bool vmm__sched_before(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b) < 0;
}

void vmm__sched_push(struct vmm__sched_queue *queue, struct vmm_sched_vcpu *vcpu, uint64_t key);
/* One in, and the first out, which is what is returned; there is one. */
struct vmm_sched_vcpu *vmm__sched_swap(struct vmm__sched_queue *queue, struct vmm_sched_vcpu *vcpu,
				       uint64_t key);
/* Any member. */
void vmm__sched_remove(struct vmm__sched_queue *queue, struct vmm_sched_vcpu *vcpu);

#endif
