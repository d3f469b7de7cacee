/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A PC's pair of 8259A interrupt controllers, the second one on input 2 of the first, with the
 * edge/level registers (ELCR) that came with EISA. For engines that bring none of their own; it
 * stands on its own as well.
 *
 *   inputs    vmm__pic_line(), 0 to 15; 2 is the second chip's
 *   output    intr(level) is called with the PIC locked, when it changes; must not call back
 *   INTA      vmm__pic_acknowledge() gives the vector, whatever the output: 7 or 15 of the chip
 *             that has nothing any more (data sheet, "Interrupt Sequence")
 *   ports     0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1
 *
 * All functions but init may be called from anywhere. Sources: Intel 8259A (231468-003, December
 * 1988), whose sections are named at their rules, and Intel 82371AB (290562-001), 4.2.5.9, for the
 * ELCR. What a guest can see is as in KVM's pair where the data sheet leaves a choice: a request by
 * an edge stays although the line falls before INTA.
 */
#ifndef VMM_DEV_PIC_H
#define VMM_DEV_PIC_H

#include <stdbool.h>
#include <stdint.h>

#include "libvmm/host.h"
#include "libvmm/x86.h"
#include "sync.h"

#define VMM__PIC_PINS    16
#define VMM__PIC_CASCADE 2

struct vmm__pic {
	const struct vmm_host *host;
	void (*intr)(void *opaque, uint32_t level);
	void *opaque;
	struct vmm__mutex lock; /* of all below */
	uint32_t level;         /* of the output, as last told */
	struct vmm_x86_pic_chip chip[2];
};

/* In the caller's zeroed storage; resets it. */
void vmm__pic_init(struct vmm__pic *pic, const struct vmm_host *host,
		   void (*intr)(void *opaque, uint32_t level), void *opaque);
void vmm__pic_reset(struct vmm__pic *pic);
void vmm__pic_line(struct vmm__pic *pic, uint32_t pin, uint32_t level);
uint8_t vmm__pic_acknowledge(struct vmm__pic *pic);
/* One byte of a port named above; others read 0xff and are not written. */
uint8_t vmm__pic_read(struct vmm__pic *pic, uint32_t port);
void vmm__pic_write(struct vmm__pic *pic, uint32_t port, uint8_t value);
void vmm__pic_get(struct vmm__pic *pic, struct vmm_x86_pic *state);
/* What cannot be is made what can. */
void vmm__pic_set(struct vmm__pic *pic, const struct vmm_x86_pic *state);

#endif
