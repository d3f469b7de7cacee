// SPDX-License-Identifier: BSD-2-Clause-Patent
/* What no test wants to know of a processor, in the place of src/cpu/native/native_cpu.S and
 * native_fpu.S: the rest of it is the test's. */
#include <string.h>

#include "native_world.h"

void vmm__native_load_fpu(struct vmm__native_world *world)
{
	(void)world;
}

void vmm__native_unload_fpu(struct vmm__native_world *world)
{
	(void)world;
}

uint64_t vmm__native_xgetbv(void)
{
	return 1;
}

void vmm__native_get_dr(uint64_t dr[4])
{
	memset(dr, 0, 4 * sizeof(*dr));
}

void vmm__native_set_dr(const uint64_t dr[4])
{
	(void)dr;
}

void vmm__native_send_ipi(uint64_t icr)
{
	(void)icr;
}

void vmm__native_machine_check(void)
{
}
