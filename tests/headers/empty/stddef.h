/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* For cffi, which knows the types of stddef.h and cannot read a system's. */
