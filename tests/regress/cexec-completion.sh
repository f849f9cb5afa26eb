#!/bin/sh
# What the shells complete by has all options, of each tool, and the shells
# take it.
. "$(dirname "$0")/../lib.sh"
[ -x "$CEXEC" ] || skip "$CEXEC is not built"

for tool in ccp cfrun csshsetup cexec; do
	"$B/bin/$tool" --help | sed -n 's/^ *\(-[^ ].*\)/\1/p' | sed 's/  .*//; s/,//; s/\[=.*//' |
	    tr ' ' '\n' | grep '^-' | sort -u >"$T/options"
	[ "$(wc -l <"$T/options")" -gt 60 ] || fail "no options"
	for shell in bash zsh fish; do
		run "$B/bin/$tool" --completion $shell
		want_status 0
		want_quiet
		cp "$out" "$T/$shell"
		while read -r option; do
			case $shell-$option in
			fish---*) want="-l ${option#--} " ;;
			fish-*) want="-s ${option#-} " ;;
			zsh-*) want="'\\*${option}[+=[]" ;;
			*) want="[' ]$option " ;;
			esac
			grep -q -e "$want" "$T/$shell" || fail "$shell: no $option"
		done <"$T/options"
	done
done
run "$CEXEC" --completion csh
want_status 2

command -v bash >/dev/null && {
	# offers WORD...: what bash offers for the last one.
	offers() {
		bash -c '. "$1"; shift; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)); _cexec; printf "%s\n" "${COMPREPLY[@]}"' \
		    bash "$T/bash" cexec "$@" | tr '\n' ' '
	}
	want_equal "$(offers --colo)" '--color ' "bash completes"
	want_equal "$(offers --color a)" 'auto always ' "bash completes a value"
	want_equal "$(offers --hostfile "$T/opt")" "$T/options " "bash completes a file"
	want_equal "$(offers -w x)" ' ' "bash completes no hosts"
}
command -v zsh >/dev/null && { zsh -n "$T/zsh" || fail "not what zsh takes"; }
command -v fish >/dev/null && {
	want_equal "$(HOME=$T fish -c "source $T/fish; complete -C 'cexec --colo'" | cut -f1 | grep -x -e --color)" --color "fish completes"
	want_equal "$(HOME=$T fish -c "source $T/fish; complete -C 'cexec --color '" | cut -f1 | sort | tr '\n' ' ')" \
	    'always auto never ' "fish completes a value"
}
exit 0
