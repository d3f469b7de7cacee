/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What C and svm_world.S share. */
#ifndef VMM_SVM_WORLD_H
#define VMM_SVM_WORLD_H

#include "native_world.h"

/* Physical addresses: the guest's VMCB, page for the host's VMSAVE, VM_HSAVE_PA. */
#define SVM_OWN_VMCB  0
#define SVM_OWN_HOST  1
#define SVM_OWN_HSAVE 2

#ifndef __ASSEMBLER__

/* Not 0: the guest has run, and why it stopped is in the VMCB; 0: there is a request. */
VMM__SYSV uint64_t vmm__svm_enter(struct vmm__native_world *world);
/* Make the CPU the guest's but for what the VMCB holds. 0: VM_HSAVE_PA is not the world's, and
 * nothing has been done. */
VMM__SYSV int vmm__svm_load(struct vmm__native_world *world);

#endif
#endif
