/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Ports by which load.c tells partition_linux.c where it is; 32 bits wide. */
#ifndef TESTS_BARE_PARTITION_MARKS_H
#define TESTS_BARE_PARTITION_MARKS_H

#define PORT_MARK  0x5c0
#define PORT_COUNT 0x5c4

#define MARK_SETTLE 1 /* it has started */
#define MARK_BEGIN  2 /* of a window: the last one counts */
#define MARK_END    3 /* the same */

#endif
