/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What vmm-run prints about a machine: its plan before it runs, its exits afterwards. */
#ifndef VMM_RUN_REPORT_H
#define VMM_RUN_REPORT_H

#include "files.h"
#include "libvmm/machine.h"

/* --dry-run: no engine is needed for it. False after saying what is wrong. */
bool report_plan(const struct options *options, const struct files *files);

/* --dump-tables */
bool report_dump_tables(const struct options *options);

/* --stats, with @eol at each line's end: a raw terminal needs "\r\n". */
void report_stats(struct vmm_machine *machine, const char *eol);

#endif
