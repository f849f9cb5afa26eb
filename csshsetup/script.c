/*
 * script.c - what is run on hosts, see script.h.
 *
 * It goes through the login shell of the account, whatever that is: all of it
 * stands between single quotes for /bin/sh, without single quotes, exclamation
 * marks or newlines within.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/visible.h"
#include "script.h"

/*
 * H is the home, F a file and D its directory. IN says whether that is below
 * the home: then both are the account's alone. own: does it belong to us? X0 to
 * X9 are new files; they are renamed, so that whoever reads F sees the old or
 * the new one, whole. M is a lock, if it is a directory. Z clears up.
 */
static const char begin[] =
    "echo; umask 077; set -f; LC_ALL=C; export LC_ALL; M=; "
    "T=$(printf \"\\t\"); I=$(id -u); U=$(id -un); H=${HOME%/}; "
    "say() { echo \"" SCRIPT_SAYS "$*\"; }; "
    "no() { case $(stat -f -c %T \"$H\" 2>/dev/null) in "
	"nfs*) say no \"$* (the home is on NFS)\";; *) say no \"$*\";; esac; "
	"exit 0; }; "
    "Z() { for x in \"${X0-}\" \"${X1-}\" \"${X2-}\" \"${X9-}\"; do "
	    "[ -z \"$x\" ] || rm -f \"$x\"; done; "
	"[ -z \"$M\" ] || rmdir \"$M\"; }; "
    "trap Z EXIT; trap \"exit 1\" HUP INT TERM; "
    "own() { set -- $(ls -ldn \"$1\" 2>/dev/null); [ \"$3\" = \"$I\" ]; }; "
    "is() { command -v \"$1\" >/dev/null 2>&1; }; ";

/*
 * Which files authorized keys are in: L are the words, path N makes F of the
 * N-th of them. What the server says, else its configuration, else the usual
 * ones. Dropbear, which knows no such option, is told by whom we come from.
 */
static const char which[] =
    "L=; read -r s 2>/dev/null </proc/$PPID/comm || s=; case $s in dropbear*) "
	"L=.ssh/authorized_keys;; esac; "
    "for s in sshd /usr/sbin/sshd /usr/local/sbin/sshd; do "
	"[ -n \"$L\" ] || L=$($s -T -C \"user=$U,host=localhost,addr=127.0.0.1\" "
	    "2>/dev/null | sed -n \"s/^authorizedkeysfile //p\"); done; "
    "[ -n \"$L\" ] || L=$(sed -n -e \"/^[ $T]*[Mm][Aa][Tt][Cc][Hh]/q\" "
	"-e \"s/^[ $T]*[Aa][Uu][Tt][Hh][Oo][Rr][Ii][Zz][Ee][Dd][Kk][Ee][Yy][Ss]"
	"[Ff][Ii][Ll][Ee][ $T=]*//p\" /etc/ssh/sshd_config 2>/dev/null | "
	"sed -n 1p); "
    "[ -n \"$L\" ] || L=\".ssh/authorized_keys .ssh/authorized_keys2\"; "
    "case $L in [Nn][Oo][Nn][Ee]) no its sshd takes no keys from files: "
	"AuthorizedKeysFile none;; esac; "
    "if [ \"$I\" = 0 ] && [ -d /etc/dropbear ] && [ -e /etc/openwrt_release ]; "
	"then L=/etc/dropbear/authorized_keys; fi; "
    "path() { if [ $# -gt $1 ]; then shift $1; else set --; fi; "
	"F=${1-}; while :; do case $F in "
	"*%h*) F=${F%%%h*}$H${F#*%h};; "
	"*%u*) F=${F%%%u*}$U${F#*%u};; "
	"*%U*) F=${F%%%U*}$I${F#*%U};; *) break;; esac; done; "
    "case $F in \"\"|/*) ;; *) F=$H/$F;; esac; }; ";

/* Are the directory and the file, if they are there, what they seem? */
static const char check[] =
    "chk() { D=${F%/*}; case $D in "
	"\"$H\"/*|/etc/dropbear) IN=1;; *) IN=;; esac; "
    "if [ -n \"$IN\" ] && [ -d \"$H/\" ]; then :; elif [ -n \"$IN\" ]; then "
	"no \"the home directory $H is not there\"; fi; "
    "if [ -L \"$D\" ]; then no \"$D is a symbolic link\"; fi; "
    "if [ -L \"$F\" ]; then no \"$F is a symbolic link\"; fi; "
    "if [ -d \"$D\" ]; then own \"$D\" || "
	    "no \"$D belongs to somebody else\"; "
    "elif [ -e \"$D\" ]; then no \"$D is no directory\"; "
    "elif [ -z \"$IN\" ]; then no \"the directory $D is not there\"; "
    "elif [ $DRY = 0 ]; then e=$(mkdir -p \"$D\" 2>&1) || no \"$e\"; fi; "
    "if [ -f \"$F\" ]; then own \"$F\" || "
	    "no \"$F belongs to somebody else\"; "
    "elif [ -e \"$F\" ]; then no \"$F is no file\"; fi; }; ";

/*
 * The lock is flock(1) on the directory, which no crash leaves behind; where
 * that is not to be had (no flock, NFS) a directory beside the file.
 */
static const char lock[] =
    "try() { n=0; r=2; if is flock; then "
	"while flock -n $1 2>/dev/null; r=$?; [ $r = 1 ]; do "
	    "n=$((n + 1)); [ $n -lt 300 ] || "
		"no \"another run holds the lock on $2\"; "
	    "[ $((n % 50)) != 0 ] || say wait; "
	    "sleep 0.1 2>/dev/null || sleep 1; done; fi; [ $r = 0 ]; }; "
    "lock() { exec 9<\"$D\"; "
	"if try 9 \"$D\"; then :; else J=$F.lock; n=0; "
	    "until e=$(mkdir \"$J\" 2>&1); do n=$((n + 1)); "
		"[ -d \"$J\" ] || no \"$e\"; "
		"[ $n -lt 300 ] || no \"another run holds the lock $J; "
		    "if none is under way: rmdir $J\"; "
		"sleep 0.1 2>/dev/null || sleep 1; done; M=$J; fi; "
    /* What a run left that was killed. */
    "set +f; rm -f \"$F\".csshsetup.*; set -f; }; ";

/* Of the file with authorized keys, which is F, and its directory. */
static const char modes[] =
    "modes() { if [ -n \"$IN\" ] && [ $DRY = 0 ]; then "
	"case $(ls -ld \"$D\") in drwx------*) ;; *) chmod 700 \"$D\";; esac; "
	"case $(ls -ld \"$F\") in -rw-------*) ;; *) chmod 600 \"$F\";; esac; "
	"fi; context; }; "
    "context() { if is restorecon && [ $DRY = 0 ]; then "
	"restorecon \"$D\" \"$F\" 2>/dev/null; fi; }; ";

/* ---- one key ------------------------------------------------------------- */

/* N is the line to add, K the type and blob by which it is known. */
static const char install[] =
    "IFS= read -r N; IFS= read -r K; [ -n \"$K\" ] || no the key did not arrive; "
    "path 1 $L; chk; [ $DRY = 1 ] || lock; "
    "G() { while read -r l || [ -n \"$l\" ]; do case $l in \"#\"*) continue;; "
	"esac; case \" $l \" in *[\" $T\"]\"$K\"[\" $T\"]*) return 0;; esac; "
	"done; return 1; }; "
    "if [ -f \"$F\" ] && G <\"$F\"; then modes; say there; exit 0; fi; "
    "if [ $DRY = 1 ]; then n=0; [ -f \"$F\" ] && n=$(($(wc -l <\"$F\"))); "
	"say \"done $n $F\"; exit 0; fi; "

    /* All of the old one, and the line. */
    "X=$F.csshsetup.$$; X0=$X; [ -n \"$IN\" ] || umask 022; "
    "e=$( (set -C; : >\"$X\") 2>&1) || { X0=; no \"$e\"; }; "
    "e=$({ if [ -f \"$F\" ]; then cat \"$F\" && { "
	"[ -z \"$(tail -c 1 \"$F\")\" ] || echo; }; fi && "
	"printf \"%s\\n\" \"$N\"; } 2>&1 >>\"$X\") || no \"$F: $e\"; "
    "G <\"$X\" || no \"$F: the new file is not whole\"; "
    "e=$(sync \"$X\" 2>&1; mv -f \"$X\" \"$F\" 2>&1) || no \"$e\"; X0=; modes; "
    "say \"done 0 $F\"";

char *
script_install(bool dry_run)
{
	char *text;

	return asprintf(&text, "exec /bin/sh -c 'DRY=%d; %s%s%s%s%s%s'",
	    (int)dry_run, begin, which, check, lock, modes, install) == -1 ?
	    NULL : text;
}

/* ---- the account --------------------------------------------------------- */

/* The first of the usual keys that opens without a passphrase. */
static const char show_key[] =
    "S=$H/.ssh; k=; p=; for n in id_ed25519 id_ecdsa id_rsa; do "
	"[ -z \"$k\" ] && [ -f \"$S/$n\" ] || continue; "
	"p=$(ssh-keygen -y -P \"\" -f \"$S/$n\" 2>/dev/null </dev/null) && k=$n; "
	"done; "
    "if [ -z \"$k\" ] && [ $MAKE = 1 ]; then "
	"is ssh-keygen || no there is no ssh-keygen, which makes keys; "
	"[ -e \"$S/id_ed25519\" ] && no \"its key $S/id_ed25519 has a passphrase: "
	    "nobody could log in to others by it unattended\"; "
	"if [ $DRY = 1 ]; then say make \"$S/id_ed25519\"; else "
	"F=$S/id_ed25519; chk; "
	"e=$(ssh-keygen -q -t ed25519 -N \"\" -f \"$S/id_ed25519\" "
	    "</dev/null 2>&1) || no \"$e\"; "
	"k=id_ed25519; p=$(ssh-keygen -y -P \"\" -f \"$S/$k\" </dev/null); fi; fi; "
    "if [ -n \"$k\" ]; then c=; [ -f \"$S/$k.pub\" ] && "
	"read -r a b c <\"$S/$k.pub\"; set -- $p; "
	"say mine \"${1-} ${2-} $c\"; fi; ";

/* The public halves of what the server has; where they cannot be read, what it
 * shows to whom connects. */
static const char show_host_keys[] =
    "K=; for s in sshd /usr/sbin/sshd /usr/local/sbin/sshd; do "
	"[ -n \"$K\" ] || K=$($s -T 2>/dev/null | sed -n \"s/^hostkey //p\"); done; "
    "[ -n \"$K\" ] || K=$(sed -n \"s/^[ $T]*[Hh][Oo][Ss][Tt][Kk][Ee][Yy]"
	"[ $T=]*//p\" /etc/ssh/sshd_config 2>/dev/null); "
    "[ -n \"$K\" ] || K=\"/etc/ssh/ssh_host_ed25519_key "
	"/etc/ssh/ssh_host_ecdsa_key /etc/ssh/ssh_host_rsa_key\"; "
    "read -r s 2>/dev/null </proc/$PPID/comm || s=; "
    "case $s in dropbear*) K=;; esac; n=0; "
    "for k in $K; do [ -r \"$k.pub\" ] && read -r a b c <\"$k.pub\" && "
	"say host \"$a $b\" && n=1; done; "
    "if [ $n = 0 ] && is ssh-keyscan; then set -- ${SSH_CONNECTION-}; "
	"ssh-keyscan -T 5 -p ${4-22} ${3-127.0.0.1} 2>/dev/null </dev/null | "
	"while read -r a b c; do say host \"$b $c\"; done; fi; ";

/* File N: its size, and its bytes. Both of one file that is open: where there is
 * no lock another run may put a new one in its place at any moment. */
static const char show_file[] =
    "show() { if [ -f \"$F\" ]; then e=$(cat \"$F\" 2>&1 >/dev/null) || no \"$e\"; "
	"{ z=$(wc -c 2>/dev/null </proc/self/fd/7) || z=$(wc -c <\"$F\"); "
	"say \"file $1 $((z)) $F\"; cat <&7; } 7<\"$F\" || no \"$F is gone\"; "
    "else say \"file $1 - $F\"; fi; echo; eval \"F$1=\\$F\"; }; "
    "shows() { n=0; while n=$((n + 1)); path $n $L; "
	"[ -n \"$F\" ] && [ $n -lt 4 ]; do "
	"if [ $n = 1 ] || [ -f \"$F\" ]; then show $((n - 1)); fi; done; }; ";

/*
 * edit N HOW COUNT: X is the new file, with the mode of the old one. Whether it
 * is whole is told by its size.
 */
static const char edit[] =
    "edit() { eval \"F=\\$F$1\"; chk; X=$F.csshsetup.$$; eval \"X$1=\\$X\"; "
	"e=$( (set -C; : >\"$X\") 2>&1) || { eval \"X$1=\"; no \"$e\"; }; "
	"if [ -f \"$F\" ]; then e=$(cp -p \"$F\" \"$X\" 2>&1) || no \"$e\"; "
	"elif [ -z \"$IN\" ]; then chmod 644 \"$X\"; fi; "
	"if [ -f \"$F\" ] && [ \"$2\" != - ]; then "
	    "e=$(sed \"$2\" \"$F\" 2>&1 >\"$X\") || no \"$e\"; fi; "
	"[ -z \"$(tail -c 1 \"$X\")\" ] || echo >>\"$X\"; n=$3; "
	"while [ $n -gt 0 ]; do IFS= read -r l || exit 1; n=$((n - 1)); "
	    "printf \"%s\\n\" \"$l\"; done 2>/dev/null >>\"$X\"; "
	"[ $(($(wc -c <\"$X\"))) = $4 ] || "
	    "no \"$F: the new file cannot be written whole: "
	    "$(echo 2>&1 >>\"$X\") ($(df -P \"$D\" 2>/dev/null | "
	    "sed -n \"s/.* \\([0-9]*%\\) .*/\\1 of the disk is used/p\"))\"; "
	"}; "
    "put() { eval \"F=\\$F$1 X=\\$X$1\"; D=${F%/*}; "
	"e=$(sync \"$X\" 2>&1; mv -f \"$X\" \"$F\" 2>&1) || no \"$e\"; eval \"X$1=\"; "
	"case $D in \"$H\"/*|/etc/dropbear) IN=1;; *) IN=;; esac; "
	"if [ $1 = 9 ]; then context; else modes; fi; }; ";

static const char account[] =
    "say user \"$U\"; path 1 $L; chk; [ $DRY = 1 ] || lock; A=$F; W=$L; "
    "[ $KEY = 0 ] || key; [ $HOSTS = 0 ] || hosts; L=$W; "
    "shows; if [ $KNOWN = 1 ]; then F=$H/.ssh/known_hosts; chk; "
	"if [ -f \"$F\" ] && [ $DRY = 0 ]; then exec 8<\"$F\"; try 8 \"$F\"; fi; "
	"show 9; fi; "
    "say ready; P=; while IFS= read -r l; do set -- $l; case ${1-} in "
	"edit) edit \"$2\" \"$3\" \"$4\" \"$5\"; P=\"$P $2\";; "
	"commit) for p in $P; do put $p; done; say done; exit 0;; "
    "esac; done";

char *
script_account(const struct script_wish *w)
{
	char *text;

	return asprintf(&text, "exec /bin/sh -c 'DRY=%d; KEY=%d; MAKE=%d; "
	    "HOSTS=%d; KNOWN=%d; %s%s%s%s%skey() { %s}; hosts() { %s}; "
	    "%s%s%s'", (int)w->dry_run, (int)w->key, (int)w->make_key,
	    (int)w->host_keys, (int)w->known, begin, which, check, lock, modes,
	    show_key, show_host_keys, show_file, edit, account) == -1 ? NULL :
	    text;
}

char *
script_known(void)
{
	static const char known[] =
	    "F=$H/.ssh/known_hosts; show 9; F=/etc/ssh/ssh_known_hosts; show 8; "
	    "say ready; cat >/dev/null; say done";
	char *text;

	return asprintf(&text, "exec /bin/sh -c '%s%s%s'", begin, show_file,
	    known) == -1 ? NULL : text;
}

/* ---- who reaches whom ---------------------------------------------------- */

/* Four at a time. A server that has too much to do is tried again. */
static const char matrix[] =
    "is ssh || no there is no ssh; case $(ssh -V 2>&1) in OpenSSH*) ;; "
	"*) no its ssh is not that of OpenSSH;; esac; "
    "one() { e=$(ssh -n -T -a -x -o BatchMode=yes -o StrictHostKeyChecking=yes "
	"-o ConnectTimeout=10 -o PasswordAuthentication=no "
	"-o KbdInteractiveAuthentication=no -o ControlMaster=no "
	"-o ControlPath=none -o LogLevel=ERROR -o UpdateHostKeys=no "
	"-l \"$2\" -p \"$3\" -- \"$4\" exit 0 2>&1 >/dev/null); r=$?; }; "
    "cell() { for i in 1 2 3; do one \"$@\"; case $r$e in "
	    "255*kex_exchange_identification*|255*\"banner exchange\"*) "
		"sleep 1;; *) break;; esac; done; "
	"[ $r = 255 ] || e=; "
	"say \"cell $1 $r $(printf %s \"$e\" | tr -c \"[:print:]\" \" \" | "
	    "cut -c 1-600)\"; }; "
    "say ready; n=0; go=; while IFS= read -r l; do set -- $l; "
	"[ \"$1\" = go ] && { go=1; break; }; cell \"$@\" </dev/null & "
	"n=$((n + 1)); [ $((n % 4)) = 0 ] && wait; done; wait; "
    "[ -z \"$go\" ] || say done";

char *
script_matrix(void)
{
	char *text;

	return asprintf(&text, "exec /bin/sh -c '%s%s'", begin, matrix) == -1 ?
	    NULL : text;
}

/* What sshd would not like. Only root can ask it, and read its log. */
static const char reasons[] =
    "c=; for s in sshd /usr/sbin/sshd /usr/local/sbin/sshd; do "
	"[ -n \"$c\" ] || c=$($s -T -C \"user=$U,host=localhost,addr=127.0.0.1\" "
	    "2>/dev/null); done; "
    "[ -n \"$c\" ] || c=$(sed -n -e \"/^[ $T]*[Mm][Aa][Tt][Cc][Hh]/q\" -e p "
	"/etc/ssh/sshd_config 2>/dev/null | tr \"[:upper:]\" \"[:lower:]\"); "
    "get() { printf \"%s\\n\" \"$c\" | sed -n \"s/^$1[ =]*//p\" | sed -n 1p; }; "
    "[ \"$(get pubkeyauthentication)\" != no ] || say why PubkeyAuthentication no; "
    "if [ \"$I\" = 0 ]; then p=$(get permitrootlogin); case $p in "
	"no|forced-commands-only) say why PermitRootLogin \"$p\";; esac; fi; "
    "for p in allowusers denyusers allowgroups denygroups; do "
	"v=$(get $p); [ -z \"$v\" ] || say why \"$p $v\"; done; "
    "if [ \"$(get strictmodes)\" != no ]; then path 1 $L; p=$F; "
	"while [ -n \"$p\" ]; do case $(ls -ldL \"$p\" 2>/dev/null) in "
	    "?????w*|????????w*) "
		"say why \"$p: others may write to it: "
		"mode $(ls -ldL \"$p\" | cut -c 1-10)\";; esac; "
	"[ \"$p\" = \"$H\" ] && break; p=${p%/*}; done; fi; "
    "p=$(ls -ldnL \"$H\" 2>/dev/null); set -- $p; case ${3-$I} in 0|$I) ;; "
	"*) say why \"$H belongs to somebody else\";; esac; "
    "case $(stat -f -c %T \"$H\" 2>/dev/null) in nfs*) say why the home is on "
	"NFS, where sshd may not read it before the login;; esac; "
    "e=$({ journalctl -q -n 300 --no-pager -o cat -t sshd -t sshd-session; "
	"for f in /var/log/auth.log /var/log/secure /var/log/sshd.log; do "
	"[ -r $f ] && tail -n 300 $f; done; } 2>/dev/null | grep -E "
	"\"refus|REFUSED|not allowed|bad ownership|expired|not permitted|"
	"Invalid key length\" | "
	"tail -n 1 | tr -c \"[:print:]\" \" \" | cut -c 1-200); "
    "[ -z \"$e\" ] || say why \"its log says: $e\"; shows; say ready; "
    "cat >/dev/null; say done";

char *
script_why(void)
{
	char *text;

	return asprintf(&text, "exec /bin/sh -c 'DRY=1; %s%s%s%s'", begin,
	    which, show_file, reasons) == -1 ? NULL : text;
}

/* ---- what they say ------------------------------------------------------- */

/* The first line, safe to print. */
static void
copy_line(char *dst, const char *src, size_t size)
{
	char shown[512 * CLI_VISIBLE_MAX + 1];
	size_t n = strcspn(src, "\r\n");

	shown[cli_visible(shown, src, n < 512 ? n : 512)] = '\0';
	strlcpy(dst, shown, size);
}

/* The first mark at the begin of a line; NULL: there is none. */
static const char *
find_mark(const char *output)
{
	const char *at = output;

	while ((at = strstr(at, SCRIPT_SAYS)) != NULL && at != output &&
	    at[-1] != '\n')
		at++;
	return at != NULL ? at + strlen(SCRIPT_SAYS) : NULL;
}

enum script_said
script_read(const char *output, char *why, size_t size)
{
	static const char *const words[] = { [SAID_DONE] = "done",
	    [SAID_THERE] = "there", [SAID_NO] = "no" };
	const char *at = find_mark(output), *first = at;
	int said;
	size_t n;

	if (at == NULL)
		copy_line(why, output + strspn(output, " \t\r\n"), size);
	/* What a login prints may look like ours. */
	for (; at != NULL; at = find_mark(at)) {
		n = strcspn(at, " \n");
		if (at == first || n > 0)
			copy_line(why, at[n] == ' ' ? at + n + 1 : "", size);
		for (said = SAID_DONE; said <= SAID_NO; said++)
			if (n == strlen(words[said]) &&
			    memcmp(at, words[said], n) == 0)
				return (enum script_said)said;
	}
	return SAID_NOTHING;
}
