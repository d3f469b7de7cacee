// SPDX-License-Identifier: BSD-2-Clause-Patent
/* Time, from the TSC. Its rate is told by CPUID, or measured against the PC's 8254 timer. */
#include "bare_host.h"

/* 8254: channel 2, whose gate and output are in port 0x61. */
#define PIT_HZ      1193182
#define PIT_COUNT2  0x42
#define PIT_CONTROL 0x43
#define PORT_B      0x61

uint64_t vmm__bare_tsc_hz;
static uint64_t tsc_start;

/* CPUID 0x15 (SDM vol. 2A): the TSC counts EBX for each EAX of a crystal of ECX Hz. */
static uint64_t rate_told(void)
{
	const struct bare_cpuid r =
		bare_cpuid(0, 0).eax >= 0x15 ? bare_cpuid(0x15, 0) : (struct bare_cpuid){0};

	return r.eax != 0 && r.ebx != 0 ? (uint64_t)r.ecx * r.ebx / r.eax : 0;
}

/* A count of the timer and the TSC at the same moment: the closest of some tries. */
static void sample(uint32_t *count, uint64_t *tsc)
{
	uint64_t best = UINT64_MAX;

	for (uint32_t i = 0; i < 8; i++) {
		const uint64_t before = bare_rdtsc();

		bare_out8(PIT_CONTROL, 0x80); /* latch channel 2 */
		const uint64_t after = bare_rdtsc();
		const uint32_t low = bare_in8(PIT_COUNT2), high = bare_in8(PIT_COUNT2);

		if (after - before < best) {
			best = after - before;
			*count = low | high << 8;
			*tsc = before + (after - before) / 2;
		}
	}
}

static uint64_t rate_measured(void)
{
	uint32_t first, last = 0;
	uint64_t from, to;

	bare_out8(PORT_B, (uint8_t)((bare_in8(PORT_B) & ~2) | 1)); /* gate on, speaker off */
	bare_out8(PIT_CONTROL, 0xb0);                              /* channel 2, mode 0, binary */
	bare_out8(PIT_COUNT2, 0xff);
	bare_out8(PIT_COUNT2, 0xff);
	sample(&first, &from);
	/* Some 30 ms; a timer that stands still is given up. */
	for (uint32_t i = 0; i < 1000000; i++) {
		sample(&last, &to);
		if (last < 30000)
			break;
	}
	if (last >= first || last >= 30000)
		return 0;
	return (to - from) * PIT_HZ / (first - last);
}

bool vmm__bare_time_init(void)
{
	vmm__bare_tsc_hz = rate_told();
	if (vmm__bare_tsc_hz == 0)
		vmm__bare_tsc_hz = rate_measured();
	tsc_start = bare_rdtsc();
	return vmm__bare_tsc_hz >= 1000000;
}

/* Whole seconds apart from the rest, so that nothing overflows. */
uint64_t vmm__bare_time_ns(void)
{
	const uint64_t t = bare_rdtsc() - tsc_start;

	return t / vmm__bare_tsc_hz * 1000000000 +
	       t % vmm__bare_tsc_hz * 1000000000 / vmm__bare_tsc_hz;
}

uint64_t vmm__bare_tsc_of(uint64_t ns)
{
	return tsc_start + ns / 1000000000 * vmm__bare_tsc_hz +
	       ns % 1000000000 * vmm__bare_tsc_hz / 1000000000;
}
