/*
 * script.c - what installs a key on a host.
 *
 * It goes through the login shell of the account, whatever that is: all of it
 * stands between single quotes for /bin/sh, without single quotes, exclamation
 * marks or newlines within. The key comes by the standard input.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/visible.h"
#include "csshsetup.h"

/*
 * N is the line to add, K the type and blob by which it is known, H the home,
 * F the file and D its directory. IN says whether that is below the home: then
 * both are the account's alone. O: does it belong to us? X is the new file; it
 * is renamed, so that whoever reads F sees the old or the new one, whole.
 *
 * The lock is flock(1) on the directory, which no crash leaves behind; where
 * that is not to be had (no flock, NFS) a directory beside the file.
 */
static const char script[] =
    "exec /bin/sh -c 'umask 077; set -f; LC_ALL=C; export LC_ALL; DRY=%d; "
    "X=; M=; T=$(printf \"\\t\"); I=$(id -u); U=$(id -un); H=${HOME%%/}; "
    "say() { echo \"" SCRIPT_SAYS "$*\"; exit 0; }; "
    "Z() { [ -z \"$X\" ] || rm -f \"$X\"; [ -z \"$M\" ] || rmdir \"$M\"; }; "
    "trap Z EXIT; trap \"exit 1\" HUP INT TERM; "
    "own() { set -- $(ls -ldn \"$1\" 2>/dev/null); [ \"$3\" = \"$I\" ]; }; "
    "IFS= read -r N; IFS= read -r K; "
    "[ -n \"$K\" ] || say no the key did not arrive; "

    /* Which file: what the server says, else the usual one. */
    "F=; for s in sshd /usr/sbin/sshd /usr/local/sbin/sshd; do "
	"[ -n \"$F\" ] || F=$($s -T -C \"user=$U,host=localhost,addr=127.0.0.1\" "
	    "2>/dev/null | sed -n \"s/^authorizedkeysfile //p\"); done; "
    "[ -n \"$F\" ] || F=$(sed -n -e \"/^[ $T]*[Mm][Aa][Tt][Cc][Hh]/q\" "
	"-e \"s/^[ $T]*[Aa][Uu][Tt][Hh][Oo][Rr][Ii][Zz][Ee][Dd][Kk][Ee][Yy][Ss]"
	"[Ff][Ii][Ll][Ee][ $T=]*//p\" /etc/ssh/sshd_config 2>/dev/null | "
	"sed -n 1p); "
    "F=${F%%%%[ $T]*}; [ -n \"$F\" ] || F=.ssh/authorized_keys; "
    "case $F in [Nn][Oo][Nn][Ee]) say no its sshd takes no keys from files: "
	"AuthorizedKeysFile none;; esac; "
    "while :; do case $F in "
	"*%%h*) F=${F%%%%%%h*}$H${F#*%%h};; "
	"*%%u*) F=${F%%%%%%u*}$U${F#*%%u};; "
	"*%%U*) F=${F%%%%%%U*}$I${F#*%%U};; *) break;; esac; done; "
    "case $F in /*) ;; *) F=$H/$F;; esac; "
    "if [ \"$I\" = 0 ] && [ -d /etc/dropbear ] && [ -e /etc/openwrt_release ]; "
	"then F=/etc/dropbear/authorized_keys; fi; "
    "D=${F%%/*}; case $D in "
	"\"$H\"/*|/etc/dropbear) IN=1;; *) IN=;; esac; "

    /* The directory and the file, if they are there, are what they seem. */
    "if [ -n \"$IN\" ] && [ -d \"$H/\" ]; then :; elif [ -n \"$IN\" ]; then "
	"say no \"the home directory $H is not there\"; fi; "
    "if [ -L \"$D\" ]; then say no \"$D is a symbolic link\"; fi; "
    "if [ -L \"$F\" ]; then say no \"$F is a symbolic link\"; fi; "
    "if [ -d \"$D\" ]; then own \"$D\" || "
	    "say no \"$D belongs to somebody else\"; "
    "elif [ -e \"$D\" ]; then say no \"$D is no directory\"; "
    "elif [ -z \"$IN\" ]; then say no \"the directory $D is not there\"; "
    "elif [ $DRY = 0 ]; then e=$(mkdir -p \"$D\" 2>&1) || say no \"$e\"; fi; "
    "if [ -f \"$F\" ]; then own \"$F\" || "
	    "say no \"$F belongs to somebody else\"; "
    "elif [ -e \"$F\" ]; then say no \"$F is no file\"; fi; "

    /* The lock. */
    "if [ $DRY = 0 ]; then n=0; r=2; if command -v flock >/dev/null 2>&1; then "
	"exec 9<\"$D\"; while flock -n 9 2>/dev/null; r=$?; [ $r = 1 ]; do "
	    "n=$((n + 1)); [ $n -lt 300 ] || "
		"say no \"another run holds the lock on $D\"; "
	    "sleep 0.1 2>/dev/null || sleep 1; done; fi; "
	"if [ $r != 0 ]; then L=$F.lock; n=0; "
	    "until e=$(mkdir \"$L\" 2>&1); do n=$((n + 1)); "
		"[ -d \"$L\" ] || say no \"$e\"; "
		"[ $n -lt 300 ] || say no \"another run holds the lock $L; "
		    "if none is under way: rmdir $L\"; "
		"sleep 0.1 2>/dev/null || sleep 1; done; M=$L; fi; fi; "

    /* Is the key there? */
    "G() { while read -r l || [ -n \"$l\" ]; do case $l in \"#\"*) continue;; "
	"esac; case \" $l \" in *[\" $T\"]\"$K\"[\" $T\"]*) return 0;; esac; "
	"done; return 1; }; "
    "modes() { if [ -n \"$IN\" ] && [ $DRY = 0 ]; then "
	"case $(ls -ld \"$D\") in drwx------*) ;; *) chmod 700 \"$D\";; esac; "
	"case $(ls -ld \"$F\") in -rw-------*) ;; *) chmod 600 \"$F\";; esac; "
	"fi; if command -v restorecon >/dev/null 2>&1 && [ $DRY = 0 ]; then "
	"restorecon \"$D\" \"$F\" 2>/dev/null; fi; }; "
    "if [ -f \"$F\" ] && G <\"$F\"; then modes; say there; fi; "
    "[ $DRY = 0 ] || say \"done $F\"; "

    /* All of the old one, and the line. */
    "X=$F.new.$$; [ -n \"$IN\" ] || umask 022; "
    "e=$( (set -C; : >\"$X\") 2>&1) || { X=; say no \"$e\"; }; "
    "e=$({ if [ -f \"$F\" ]; then cat \"$F\" && { "
	"[ -z \"$(tail -c 1 \"$F\")\" ] || echo; }; fi && "
	"printf \"%%s\\n\" \"$N\"; } 2>&1 >>\"$X\") || say no \"$F: $e\"; "
    "G <\"$X\" || say no \"$F: the new file is not whole\"; "
    "e=$(sync 2>&1; mv -f \"$X\" \"$F\" 2>&1) || say no \"$e\"; X=; modes; "
    "say \"done $F\"'";

char *
script_install(bool dry_run)
{
	char *text;

	return asprintf(&text, script, (int)dry_run) == -1 ? NULL : text;
}

/* The first line, safe to print. */
static void
copy_line(char *dst, const char *src, size_t size)
{
	char shown[512 * CLI_VISIBLE_MAX + 1];
	size_t n = strcspn(src, "\r\n");

	shown[cli_visible(shown, src, n < 512 ? n : 512)] = '\0';
	strlcpy(dst, shown, size);
}

enum script_said
script_read(const char *output, char *why, size_t size)
{
	static const char mark[] = SCRIPT_SAYS;
	const char *at = output;
	size_t n;

	while ((at = strstr(at, mark)) != NULL && at != output &&
	    at[-1] != '\n')
		at++;
	if (at == NULL) {
		copy_line(why, output, size);
		return SAID_NOTHING;
	}
	at += strlen(mark);
	n = strcspn(at, " \n");
	copy_line(why, at[n] == ' ' ? at + n + 1 : "", size);
	if (n == 5 && strncmp(at, "there", n) == 0)
		return SAID_THERE;
	if (n == 4 && strncmp(at, "done", n) == 0)
		return SAID_DONE;
	return n == 2 && strncmp(at, "no", n) == 0 ? SAID_NO : SAID_NOTHING;
}
