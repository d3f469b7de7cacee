/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/**
 * libvmm/types.h - Version, linkage and the closed list of errors.
 *
 * Every function that can fail returns int: 0, or one of the codes below negated. Each code says
 * whose fault it was and what to do about it. The text of a code comes from vmm_strerror(); what
 * exactly went wrong, and the host's own error, from vmm_ctx_error(), vmm_vm_error() and
 * vmm_vcpu_error() (see error.h).
 */
#ifndef LIBVMM_TYPES_H
#define LIBVMM_TYPES_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define VMM_BEGIN_DECLS extern "C" {
#define VMM_END_DECLS   }
#else
#define VMM_BEGIN_DECLS
#define VMM_END_DECLS
#endif

/* A binding's parser may define VMM_API as empty. */
#ifndef VMM_API
#if defined(__GNUC__) && !defined(_WIN32)
#define VMM_API __attribute__((visibility("default")))
#else
#define VMM_API
#endif
#endif

VMM_BEGIN_DECLS

/* Version of these headers; vmm_version() gives that of the library that was linked. */
#define VMM_VERSION_MAJOR 0
#define VMM_VERSION_MINOR 1
#define VMM_VERSION_PATCH 0

/**
 * vmm_version() - Version of the library at run time.
 *
 * Context: Any.
 * Return: (major << 16) | (minor << 8) | patch.
 */
VMM_API uint32_t vmm_version(void);

/*
 * X(name, number, text). Numbers are ABI: they are never changed or used again.
 */
#define VMM_ERRORS(X)                                                                         \
	/* The caller's fault: mend the call. */                                              \
	X(EINVAL, 1, "invalid argument: mend the call")                                       \
	X(EALIGN, 2, "address or length not aligned: round it to the page or element size")   \
	X(ERANGE, 3, "address, length or number out of range: see the object's limits")       \
	X(EEXIST, 4, "range or name already in use: remove the other first")                  \
	X(ENOENT, 5, "no such range, region, register or name")                               \
	X(ESTATE, 6, "not allowed in this state: see the call's documentation for the order") \
	X(EBUSY, 7, "in use by another thread: wait, or kick it")                             \
	X(ESIZE, 8, "buffer too small: ask for the size first")                               \
	/* The host's or engine's limit: do without, or give it more. */                      \
	X(ENOTSUP, 16, "this engine or host cannot do it: ask its capabilities first")        \
	X(ENODEV, 17, "no usable engine or device: see the detail for what is missing")       \
	X(EPERM, 18, "not permitted by the host: see the detail for what to grant")           \
	X(ENOMEM, 19, "out of memory")                                                        \
	X(ELIMIT, 20, "a limit of the host or engine is reached: see the detail")             \
	X(EIO, 21, "the host failed a request: see the detail for its own error")             \
	X(ETIMEOUT, 22, "did not finish in its bound: see the detail")                        \
	/* The image's or guest's fault: refuse it. */                                        \
	X(EFORMAT, 32, "malformed image, table or profile: see the detail for where")         \
	X(EFAULT, 33, "no accessible guest memory at that address")                           \
	/* Flow: not a fault. */                                                              \
	X(EPENDING, 48, "the instruction has one more element: complete that one too")        \
	X(EINTR, 49, "interrupted by a kick: call again")                                     \
	/* libvmm's fault: report it. */                                                      \
	X(EBUG, 64, "internal invariant broken: a defect of libvmm, report it with the detail")

/* VMM_EINVAL = 1, and so on: an enum only to give each name its number; no ABI field has this type.
 */
enum {
#define VMM_ERRORS_ENUM_(name, number, text) VMM_##name = number,
	VMM_ERRORS(VMM_ERRORS_ENUM_)
#undef VMM_ERRORS_ENUM_
};

/**
 * vmm_strerror() - Text of an error code.
 * @code: 0, or a code with either sign.
 *
 * Context: Any; needs no object.
 * Return: A static string, "unknown error" for numbers that are not in the list. Never NULL.
 */
VMM_API const char *vmm_strerror(int code);

/**
 * vmm_errname() - Name of an error code, "VMM_EINVAL" for instance.
 * @code: 0, or a code with either sign.
 *
 * Context: Any; needs no object.
 * Return: A static string, "VMM_OK" for 0, "VMM_E?" for numbers that are not in the list.
 */
VMM_API const char *vmm_errname(int code);

VMM_END_DECLS

#endif
