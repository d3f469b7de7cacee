#!/bin/busybox sh
# SPDX-License-Identifier: BSD-2-Clause-Patent
# typed.sh DIALOGUE COMMAND...: runs the command, and types at its input what the file says: lines "< PATTERN", which wait
# for it behind what had been printed when the line before was typed, "> TEXT", which types it and a carriage return, and
# ">TEXT", which types the text alone. Ends with the command's status.
dialogue=$1
shift
rm -f keys seen status
mkfifo keys
: >seen
{ "$@" <keys 2>&1; echo $? >status; } | tee seen &
exec 3>keys
at=1
while IFS= read -r line; do
	case $line in
	'< '*) until tail -c +$at seen | grep -q "${line#< }"; do
		[ ! -e status ] || { echo "typed.sh: it has ended before '$line'"; exit 1; }
		sleep 0.1
	done ;;
	'> '*) at=$(($(wc -c <seen) + 1)) && printf '%s\r' "${line#> }" >&3 ;;
	'>'*) at=$(($(wc -c <seen) + 1)) && printf '%s' "${line#>}" >&3 ;;
	esac
done <"$dialogue"
wait
exit "$(cat status)"
