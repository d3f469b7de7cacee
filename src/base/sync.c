// SPDX-License-Identifier: BSD-2-Clause-Patent
#include "sync.h"

/* Between two looks at a reader that is still busy. */
#define READER_POLL_NS 50000

void vmm__lock(const struct vmm_host *host, struct vmm__mutex *mutex)
{
	uint32_t seen = 0;

	if (atomic_compare_exchange_strong(&mutex->word, &seen, 1))
		return;
	while (atomic_exchange(&mutex->word, 2) != 0)
		vmm__wait(host, &mutex->word, 2, VMM_FOREVER);
}

void vmm__unlock(const struct vmm_host *host, struct vmm__mutex *mutex)
{
	if (atomic_exchange(&mutex->word, 0) == 2)
		vmm__wake(host, &mutex->word);
}

/* Readers do not wake anybody, to be short: their sections are, too. */
static void drain(const struct vmm_host *host, struct vmm__readers *readers, uint32_t which)
{
	for (uint32_t i = 0; i < readers->slot_count; i++) {
		_Atomic uint32_t *count = &readers->slots[i].count[which];
		uint32_t busy;

		while ((busy = atomic_load(count)) != 0)
			vmm__wait(host, count, busy, READER_POLL_NS);
	}
}

void vmm__readers_wait(const struct vmm_host *host, struct vmm__readers *readers)
{
	vmm__lock(host, &readers->lock);
	uint32_t current = atomic_load(&readers->epoch) & 1;
	drain(host, readers, current ^ 1);
	atomic_fetch_add(&readers->epoch, 1);
	drain(host, readers, current);
	vmm__unlock(host, &readers->lock);
}
