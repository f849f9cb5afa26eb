# fan.sh - what cuptime, cps, ckill and cwall share: options are those of cexec,
# which knows itself which of them have a value. Read after lib.sh.
# shellcheck shell=sh disable=SC2034,SC2154  # across files

select='' opts=''
: "${TMPDIR:=/tmp}"

# split WORD...: options that name hosts go to $select, others to $opts, as
# quoted words; what follows them is left in $rest. own_option is asked first,
# and returns how many words it took.
split() {
	valued=" $(cexec --help | sed -n 's/^ *\(-[^ ].*\)/\1/p' | sed 's/  .*//' |
	    awk -F '[ ,]+' '$NF !~ /^-/ { for (i = 1; i < NF; i++) print $i }' | tr '\n' ' ')"
	while [ $# -gt 0 ]; do
		case $1 in
		--) shift; break ;;
		-h | --help) usage; exit 0 ;;
		--dry-run) dry=true; shift; continue ;;
		-?*) ;;
		*) break ;;
		esac
		took=0
		own_option "$@" || took=$?
		if [ $took -eq 0 ]; then
			took=1
			case $valued in
			*" $1 "*) value "$@"; took=2 ;;
			esac
			take "$@"
		fi
		shift $took
	done
	rest=$(quote "$@")
}

# in_order WORD...: host after host, unless that cannot be.
in_order() {
	case " $* " in
	*' --json '*) ;;
	*) echo -L ;;
	esac
}

take() {
	if [ "$took" -eq 2 ]; then
		set -- "$1" "$2"
	else
		set -- "$1"
	fi
	case $1 in
	-[wxgX]* | -a | --hosts* | --exclude-* | --group | --group=* | --all | --hostfile* | --pick* | --seed* | --slice*)
		select="$select $(quote "$@")" ;;
	*) opts="$opts $(quote "$@")" ;;
	esac
}

# cexec_all COMMAND: on all hosts; the exit status is cexec's.
cexec_all() {
	command=$(quote "$1")
	if $dry; then
		echo "+ cexec$select$opts $command"
		exit 0
	fi
	eval "cexec$select$opts \"\$1\""
}

fan_usage() {
	cat <<-USAGE
	  --dry-run             only show the command
	  -h, --help
	All other options are those of cexec(1): -w HOSTS, -g GROUP, -t SEC, -b, ...
	USAGE
}
