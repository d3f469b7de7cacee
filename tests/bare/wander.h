/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Guests whose vCPUs go from CPU to CPU all the time, under the credit scheduler. */
#ifndef TESTS_BARE_WANDER_H
#define TESTS_BARE_WANDER_H

/* From now on guests run on the machine's last two CPUs, which have nothing else to do. */
void wander_begin(void);
/* On the CPUs that call, again. Tells how often a vCPU went to another CPU. */
void wander_end(void);

#endif
