# SPDX-License-Identifier: BSD-2-Clause-Patent
"""Where the tools of ACPICA are: those that scripts/fetch-iasl got, else those of the system."""
import os
import shutil

FETCHED = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', '..', '.cache', 'acpica', 'bin')


def tool(name):
    """Its path, None if it is not here."""
    return shutil.which(name, path=FETCHED) or shutil.which(name)
