// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "sched_object.h"

static void put(struct vmm__sched_queue *queue, uint32_t at, struct vmm__sched_node node)
{
	queue->node[at] = node;
	node.vcpu->at = at;
}

/* @node belongs at @at or above. */
static void rise(struct vmm__sched_queue *queue, uint32_t at, struct vmm__sched_node node)
{
	while (at != 0) {
		uint32_t parent = (at - 1) / 2;

		if (!vmm__sched_before(node.key, queue->node[parent].key))
			break;
		put(queue, at, queue->node[parent]);
		at = parent;
	}
	put(queue, at, node);
}

/* @node belongs at @at or below. */
static void sink(struct vmm__sched_queue *queue, uint32_t at, struct vmm__sched_node node)
{
	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= queue->count)
			break;
		if (child + 1 < queue->count &&
		    vmm__sched_before(queue->node[child + 1].key, queue->node[child].key))
			child++;
		if (!vmm__sched_before(queue->node[child].key, node.key))
			break;
		put(queue, at, queue->node[child]);
		at = child;
	}
	put(queue, at, node);
}

void vmm__sched_push(struct vmm__sched_queue *queue, struct vmm_sched_vcpu *vcpu, uint64_t key)
{
	rise(queue, queue->count++, (struct vmm__sched_node){key, vcpu});
}

struct vmm_sched_vcpu *vmm__sched_swap(struct vmm__sched_queue *queue, struct vmm_sched_vcpu *vcpu,
				       uint64_t key)
{
	struct vmm_sched_vcpu *first = queue->node[0].vcpu;

	sink(queue, 0, (struct vmm__sched_node){key, vcpu});
	return first;
}

void vmm__sched_remove(struct vmm__sched_queue *queue, struct vmm_sched_vcpu *vcpu)
{
	struct vmm__sched_node last = queue->node[--queue->count];
	uint32_t at = vcpu->at;

	if (last.vcpu == vcpu)
		return;
	if (vmm__sched_before(last.key, queue->node[at].key))
		rise(queue, at, last);
	else
		sink(queue, at, last);
}
