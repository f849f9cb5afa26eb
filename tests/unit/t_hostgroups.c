/*
 * The sources of groups: ClusterShell's upcalls, genders, dsh, clusters.
 */
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fanout.h"
#include "test.h"

#define TMPDIR_NAME "t_hostgroups"
#include "tmpdir.h"

static struct fanout_groups *groups;

static void
put(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "w");

	if (f == NULL || fputs(text, f) == EOF || fclose(f) != 0)
		exit(1);
}

/* How many bytes a file has; -1: it is not there. */
static long
size_of(const char *name)
{
	struct stat st;

	return stat(in_dir(name), &st) == -1 ? -1 : (long)st.st_size;
}

static void
open_groups(int ms)
{
	struct fanout_error err;

	fanout_groups_free(groups);
	fanout_groups_new(&groups);
	fanout_groups_deadline(groups, ms);
	if (!ok(fanout_groups_system(groups, &err) == 0, "the sources"))
		printf("# %s\n", err.text);
}

/* want "!text": the error has text. */
static void
check(const char *expr, const char *want)
{
	struct fanout_hosts *s;
	struct fanout_error err = { 0 };
	char *fold;

	fanout_hosts_new(&s);
	fanout_hosts_use_groups(s, groups);
	if (fanout_hosts_add(s, expr, &err) != 0) {
		if (!ok(*want == '!' && strstr(err.text, want + 1) != NULL,
		    "%s", expr))
			printf("# %s\n", err.text);
	} else {
		fanout_hosts_fold(s, &fold);
		is_str(fold, want, "%s", expr);
		free(fold);
	}
	fanout_hosts_free(s);
}

/* -g: queries may stand there. */
static void
check_g(const char *group, const char *want)
{
	struct fanout_selection *sel;
	struct fanout_hosts *s;
	struct fanout_error err = { 0 };
	char *fold;

	fanout_selection_new(&sel);
	fanout_selection_use_groups(sel, groups);
	if (fanout_selection_add(sel, FANOUT_SELECT_GROUP, group, &err) != 0 ||
	    fanout_selection_finish(&s, sel, &err) != 0) {
		if (!ok(*want == '!' && strstr(err.text, want + 1) != NULL,
		    "-g %s", group))
			printf("# %s\n", err.text);
	} else {
		fanout_hosts_fold(s, &fold);
		is_str(fold, want, "-g %s", group);
		free(fold);
		fanout_hosts_free(s);
	}
	fanout_selection_free(sel);
}

static const char conf[] =
    "# as ClusterShell's own\n[Main]\ndefault: local\n"
    "confdir: $CFGDIR/groups.conf.d\n\n[local]\n"
    "map: sed -n 's/^$GROUP:\\(.*\\)/\\1/p' $CFGDIR/local.cfg\n"
    "all: sed -n 's/^all:\\(.*\\)/\\1/p' ${CFGDIR}/local.cfg\n"
    "list: sed -n 's/^\\([0-9A-Za-z_-]*\\):.*/\\1/p' $CFGDIR/local.cfg\n\n"
    "[first,second]\nmap = echo $SOURCE-$GROUP\nlist: echo a b[1-2]\n\n"
    "[bad]\nmap: echo oops >&2; exit 3\nlist: kill -TERM $$$$\n"
    "[slow]\nmap: sleep 60\n[left]\nmap: sleep 60 & echo left1\n"
    "[long]\nmap: echo one\n  echo two\n"
    "[evil]\nmap: echo h\nlist: echo 'x$(touch evil)y' '&touch'\n"
    "[none]\nmap: :\n";

static void
test_clustershell(void)
{
	time_t t0;

	mkdir(in_dir("groups.conf.d"), 0700);
	put("groups.conf", conf);
	put("local.cfg", "adm: example0\noss: example4 example5\n"
	    "io: example[4-6]\nnest: @io!@adm,@oss\nall: example[4-6,32-159]\n");
	put("groups.conf.d/more.conf", "[more]\nmap: pwd | sed 's,.*/,,'\n");
	put("groups.conf.d/not.example", "[not]\nmap: echo no\n");
	open_groups(2000);
	check("@adm", "example0");
	check("@oss", "example[4-5]");
	check("@nest", "example[4-6]");
	check("@*", "example[4-6,32-159]");
	check("example?", "example[4-6]");
	check("@@", "adm,oss,io,nest,all");
	check("@second:x", "second-x");
	check("@first:*", "first-a,first-b[1-2]");
	check("@first:b[1-2]", "first-b[1-2]");
	check("@more:x", "groups.conf.d");
	check("@not:x", "!no group source 'not'");
	check("@long:x", "one,two");
	check("@none:x", "!no group 'x' in the group source 'none'");
	check("@none:*", "!no 'list'");
	check("@bad:x", "!group source 'bad': echo oops >&2; exit 3 ended "
	    "with status 3: oops");
	check("@@bad", "!ended by signal TERM");
	check("@left:x", "left1");
	t0 = time(NULL);
	check("@slow:x", "!sleep 60 did not answer within 2 s");
	ok(time(NULL) - t0 < 10, "and was not waited for");
	/* @* asks for the groups of the list, whose names are no commands */
	check("@evil:*", "!group source 'evil': '$' cannot stand");
	is_int(size_of("evil"), -1, "nothing was run");
	put("groups.conf", "[Main]\ndefault: c\n[c]\n"
	    "map: printf x >>$CFGDIR/once; echo n[1-3]\n");
	open_groups(2000);
	check("@a,@a,@a!@b,@a", "n[1-3]");
	is_int(size_of("once"), 2, "each question is asked once");
	put("groups.conf", "[Main]\ndefault: nope\n");
	fanout_groups_free(groups);
	fanout_groups_new(&groups);
	ok(fanout_groups_system(groups, NULL) == FANOUT_ECONFIG,
	    "a default that is not there");
	unlink(in_dir("groups.conf"));
}

/* ClusterShell's own example of a YAML file, and what may be wrong. */
static const char yaml[] =
    "# comment\nroles:\n    adm: 'example0'\n"
    "    io: '@racks:rack2,example2'\n    compute: '@racks:rack[3-4]'\n"
    "    gpu: '@racks:rack4'\n    all: '@io,@compute'\nracks:\n"
    "    rack1: 'example[0,2]'\n    rack2: 'example[4-5]'\n"
    "    rack3: 'example[32-159]'\n    rack4: 'example[156-159]'\n"
    "    old: '@rack[1,3]'\n    new: '@rack[2,4]'\n    rack5:\n"
    "        - 'example[200-205]'  # some comment\n        - 'example245'\n"
    "        - 'example300,example[401-406]'\n    empty: ''\n    nil:\n"
    "cpu:\n    hsw: '@roles:compute!@ivy'\n    ivy: 'example[32-63]'\n";

static const struct {
	const char *text, *why;
} bad_yaml[] = {
	{ "a:\n  b: 'c\n", ":3: found unexpected end" },
	{ "- a\n", ":1: expected group sources" },
	{ "a: b\n", ":1: expected groups" },
	{ "a:\n  b:\n    c: d\n", "expected hosts or a list" },
	{ "a:\n  b:\n    - [x]\n", "expected hosts" },
	{ "a:\n  ? [x]\n  : y\n", "expected the name of a group" },
	{ "a:\n  b: &x c\n  d: *x\n", "expected hosts or a list" },
};

static void
test_yaml(void)
{
	struct fanout_error err;
	size_t i;

	put("groups.conf", "[Main]\ndefault: roles\n"
	    "autodir: $CFGDIR/groups.d $CFGDIR/groups.d\n");
	mkdir(in_dir("groups.d"), 0700);
	put("groups.d/c.yaml", yaml);
	put("groups.d/d.yaml.example", "- no\n");
	put("groups.d/e.yaml", "# nothing\n");
	open_groups(2000);
	check("@adm", "example0");
	check("@io", "example[2,4-5]");
	check("@*", "example[2,4-5,32-159]");
	check("@racks:old", "example[0,2,32-159]");
	check("@racks:rack5", "example[200-205,245,300,401-406]");
	check("@racks:empty,@racks:nil", "");
	check("@cpu:hsw", "example[64-159]");
	check("@@cpu", "hsw,ivy");
	for (i = 0; i < sizeof(bad_yaml) / sizeof(bad_yaml[0]); i++) {
		put("groups.d/e.yaml", bad_yaml[i].text);
		fanout_groups_free(groups);
		fanout_groups_new(&groups);
		ok(fanout_groups_system(groups, &err) == FANOUT_EPARSE,
		    "bad YAML %zu", i);
		if (!ok(strstr(err.text, bad_yaml[i].why) != NULL, "why"))
			printf("# %s\n", err.text);
	}
	unlink(in_dir("groups.d/e.yaml"));
	unlink(in_dir("groups.conf"));
}

static const char genders[] =
    "# nodes attributes\nslc[0-3]\tall,ntp=%n-srv\nslc0 mgmt,rack=1\n"
    "slc[1-2],slc5 compute,rack=1   # comment\nslc3 compute,rack=2,spare\n";

static const char *const queries[] = {
	"compute", "rack=1", "ntp=slc2-srv", "compute&&rack=1", "~mgmt",
	"all--compute", "(compute||mgmt)&&~rack=2", "compute--rack=1||mgmt",
	"~(compute&&rack=1)", "~~mgmt", "rack", "mgmt&&compute",
};

static void
test_genders(void)
{
	char cmd[512], line[256];
	struct fanout_hosts *s;
	char *fold;
	size_t i;
	FILE *f;

	put("genders", genders);
	setenv("PDSH_GENDERS_FILE", in_dir("genders"), 1);
	open_groups(2000);
	check("@compute", "slc[1-3,5]");
	check("@rack=1", "slc[0-2,5]");
	check("@*", "slc[0-3,5]");
	check_g("compute&&rack=1", "slc[1-2,5]");
	check_g("genders:(compute||mgmt)&&~rack=2,spare", "slc[0-3,5]");
	check_g("nope", "!no group 'nope'");
	check_g("nope&&mgmt", "");
	check_g("(compute", "!expected ')'");
	check_g("compute&&", "!expected an attribute");
	if (access("/usr/bin/nodeattr", X_OK) == -1) {
		skip((int)(sizeof(queries) / sizeof(queries[0])),
		    "no nodeattr to compare with");
		return;
	}
	for (i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		snprintf(cmd, sizeof(cmd), "nodeattr -f %s -q '%s'",
		    in_dir("genders"), queries[i]);
		line[0] = '\0';
		if ((f = popen(cmd, "r")) != NULL) {
			if (fgets(line, sizeof(line), f) != NULL)
				line[strcspn(line, "\n")] = '\0';
			pclose(f);
		}
		fanout_hosts_new(&s);
		if (line[0] != '\0')
			fanout_hosts_add(s, line, NULL);
		fanout_hosts_fold(s, &fold);
		check_g(queries[i], fold);
		free(fold);
		fanout_hosts_free(s);
	}
	put("genders", "a b c\n");
	fanout_groups_free(groups);
	fanout_groups_new(&groups);
	ok(fanout_groups_system(groups, NULL) == FANOUT_EPARSE,
	    "a bad genders file");
	unsetenv("PDSH_GENDERS_FILE");
}

static void
test_dsh(void)
{
	mkdir(in_dir(".dsh"), 0700);
	mkdir(in_dir(".dsh/group"), 0700);
	put(".dsh/group/web", "web1 # one\nroot@web2\n#include more\n");
	put(".dsh/group/more", "web[3-4]\n");
	put(".dsh/machines.list", "m1\nm2\n");
	open_groups(2000);
	check("@web", "web[1,3-4],root@web2");
	check("@dsh:more", "web[3-4]");
	check("@*", "m[1-2]");
	check("@nope", "!no group 'nope'");
	check("@dsh:../group/web", "!no group");
	check("@@dsh&web", "web");
	unlink(in_dir(".dsh/machines.list"));
	open_groups(2000);
	check("@*!web1", "web[3-4],root@web2");
	unlink(in_dir(".dsh/group/web"));
	unlink(in_dir(".dsh/group/more"));
	rmdir(in_dir(".dsh/group"));
}

static void
is_default(const char *want)
{
	struct fanout_selection *sel;
	struct fanout_hosts *s;
	struct fanout_error err;
	char *fold;

	fanout_selection_new(&sel);
	fanout_selection_use_groups(sel, groups);
	if (fanout_selection_finish(&s, sel, &err) != 0) {
		if (!ok(*want == '!' && strstr(err.text, want + 1) != NULL,
		    "the default"))
			printf("# %s\n", err.text);
	} else {
		fanout_hosts_fold(s, &fold);
		is_str(fold, want, "the default");
		free(fold);
		fanout_hosts_free(s);
	}
	fanout_selection_free(sel);
}

static void
test_cluster(void)
{
	char bin[512];

	mkdir(in_dir(".config"), 0700);
	mkdir(in_dir(".config/fanout"), 0700);
	put(".config/fanout/groups", "members: file1\n");
	put("corosync.conf", "totem {\n\tversion: 2\n\tcluster_name: x\n}\n"
	    "nodelist {\n\tnode {\n\t\tring0_addr: 10.0.0.1\n\t\tname: ha1\n"
	    "\t\tnodeid: 1\n\t}\n\tnode {\n\t\tring0_addr: ha2 # two\n\t}\n}\n");
	setenv("COROSYNC_MAIN_CONFIG_FILE", in_dir("corosync.conf"), 1);
	/* No cluster runs here: what crm_node prints is written down. */
	put("crm_node", "#!/bin/sh\nexit 1\n");
	put("corosync-cmapctl", "#!/bin/sh\nexit 1\n");
	chmod(in_dir("crm_node"), 0700);
	chmod(in_dir("corosync-cmapctl"), 0700);
	snprintf(bin, sizeof(bin), "%s:%s", dir, getenv("PATH"));
	setenv("PATH", bin, 1);
	open_groups(2000);
	is_default("ha[1-2]");
	check("@members", "file1");
	put("crm_node", "#!/bin/sh\n[ \"$1\" = -l ] || exit 1\n"
	    "echo '1 ha1 member'\necho '2 ha2 lost'\n"
	    "echo '3 ha3 member'\n");
	open_groups(2000);
	is_default("ha[1,3]");
	check("@cluster:lost", "ha2");
	check("@cluster:*", "ha[1-3]");
	put("crm_node", "#!/bin/sh\nexit 1\n");
	/* As a corosync of two nodes printed it, one of them running. */
	put("corosync-cmapctl", "#!/bin/sh\ncat <<EOF\n"
	    "nodelist.local_node_pos (u32) = 0\n"
	    "nodelist.node.0.name (str) = n1\n"
	    "nodelist.node.0.nodeid (u32) = 1\n"
	    "nodelist.node.0.ring0_addr (str) = 127.0.0.1\n"
	    "nodelist.node.1.nodeid (u32) = 2\n"
	    "nodelist.node.1.ring0_addr (str) = 127.0.0.2\n"
	    "runtime.members.1.ip (str) = r(0) ip(127.0.0.1) \n"
	    "runtime.members.1.join_count (u32) = 1\n"
	    "runtime.members.1.status (str) = joined\n"
	    "runtime.members.2.status (str) = left\nEOF\n");
	open_groups(2000);
	is_default("n1");
	check("@cluster:lost", "127.0.0.2");
	check("@cluster:*", "n1,127.0.0.2");
	put("corosync-cmapctl", "#!/bin/sh\nexit 1\n");
	unlink(in_dir("corosync.conf"));
	open_groups(2000);
	is_default("file1");
	unlink(in_dir(".config/fanout/groups"));
	open_groups(2000);
	is_default("!no hosts are given");
}

/* No Slurm runs here: its programs say what sinfo(1) and squeue(1) have. */
static void
test_slurm(void)
{
	put("sinfo", "#!/bin/sh\ncase \"$*\" in\n"
	    "'-h -o %N -p debug') echo 'node[1-3]';;\n"
	    "'-h -o %N -p '*) ;;\n'-h -o %R') printf 'debug\\nbatch\\n';;\n"
	    "'-h -o %N') echo 'node[1-4],gpu1';;\n*) exit 9;;\nesac\n");
	put("squeue", "#!/bin/sh\ncase \"$*\" in\n"
	    "'-h -o %N -j 7') echo 'node[2,4]';;\n'-h -o %N -j 9')\n"
	    "echo 'slurm_load_jobs error: Invalid job id specified' >&2; "
	    "exit 1;;\n'-h -o %N -j 8') echo 'Unable to contact' >&2; "
	    "exit 1;;\n'-h -o %i -t R') echo 7;;\n*) exit 9;;\nesac\n");
	chmod(in_dir("sinfo"), 0700);
	chmod(in_dir("squeue"), 0700);
	open_groups(2000);
	check("@slurm:debug", "node[1-3]");
	check("@slurm:*", "node[1-4],gpu1");
	check("@@slurm", "debug,batch");
	check("@slurm:none", "!no group 'none'");
	check("@slurmjob:7", "node[2,4]");
	check("@slurmjob:9", "!no group '9'");
	check("@slurmjob:8", "!Unable to contact");
	check("@slurmjob:x", "!no group 'x'");
	check("@slurm:-x", "!no group '-x'");
	unlink(in_dir("sinfo"));
	unlink(in_dir("squeue"));
}

static void
test_ansible(void)
{
	put("inventory", "# comment\n"
	    "alone ansible_host=10.9.9.9 ansible_port=2222\n[web]\n"
	    "web[01:05:2].x   # inline\n"
	    "web1 ansible_host=10.0.0.1 ansible_user='adm' other=\"a b\"\n"
	    "[db]\ndb-[a:c].x\nweb1\n[db:vars]\nansible_user=x\n"
	    "[both:children]\nweb\ndb\n[none]\n");
	put("more.yml", "all:\n  hosts:\n    mail.x:\n  children:\n"
	    "    web:\n      hosts:\n        foo.x: {ansible_port: 99}\n"
	    "        bar[1:3].x:\n      vars: {a: [1, 2]}\n    east:\n"
	    "      children:\n        web:\n    empty:\n");
	setenv("ANSIBLE_INVENTORY", in_dir("inventory"), 1);
	open_groups(2000);
	check("@ansible:web", "web[01,03,05].x,adm@10.0.0.1");
	check("@ansible:db", "db-a.x,db-b.x,db-c.x,adm@10.0.0.1");
	check("@ansible:both", "web[01,03,05].x,adm@10.0.0.1,db-a.x,db-b.x,"
	    "db-c.x");
	check("@ansible:ungrouped", "10.9.9.9:2222");
	check("@ansible:none", "");
	check("@ansible:other", "!no group 'other'");
	setenv("ANSIBLE_INVENTORY", in_dir("more.yml"), 1);
	open_groups(2000);
	check("@ansible:east", "foo.x:99,bar[1-3].x");
	check("@ansible:*", "mail.x,foo.x:99,bar[1-3].x");
	check("@@ansible", "all,web,east,empty");
	put("more.yml", "all:\n  hosts: [a, b]\n");
	open_groups(2000);
	check("@ansible:all", "!expected names");
	put("inventory", "[web:wrong]\n");
	setenv("ANSIBLE_INVENTORY", in_dir("inventory"), 1);
	open_groups(2000);
	check("@ansible:web", "!a section is");
	setenv("ANSIBLE_INVENTORY", in_dir("not-there"), 1);
	open_groups(2000);
	check("@ansible:web", "!not-there");
	unsetenv("ANSIBLE_INVENTORY");
}

/* Asked for each host, where the source can say which groups it is in. */
static void
test_reverse(void)
{
	struct fanout_hosts *set;
	struct fanout_error e = { 0 };
	char *text;

	put("groups.conf", "[Main]\ndefault: r\n[r]\n"
	    "map: case $GROUP in a) echo n[1-2];; b) echo n3;; esac\n"
	    "reverse: case $NODE in n1|n2) echo a;; n3) echo b;; esac\n");
	open_groups(2000);
	fanout_hosts_new(&set);
	fanout_hosts_add(set, "n[1-4]", NULL);
	is_int(fanout_hosts_regroup(set, groups, "r", &text, &e), 0,
	    "regrouped without a list %s", e.text);
	is_str(text, "@r:a,@r:b,n4", "by the groups that each is in");
	free(text);
	fanout_hosts_free(set);
	unlink(in_dir("groups.conf"));
}

static void
test_cfrun(void)
{
	char text[512];

	snprintf(text, sizeof(text), "# clients\ndomain = x.org\n"
	    "access = root,admin\nmaxchild = 10\n  \n"
	    "a  -v  # verbose\nb.y.net:22000 -DNis\ninclude = %s\n"
	    "domain.z\na\n", in_dir("more.hosts"));
	put("cfrun.hosts", text);
	put("more.hosts", "c\n");
	setenv("CFINPUTS", dir, 1);
	open_groups(2000);
	check("@cfrun:hosts", "a.x.org,b.y.net,c.x.org,domain.z");
	check("@cfrun:*&a*", "a.x.org");
	put("more.hosts", "include = cfrun.hosts\n");
	snprintf(text, sizeof(text), "include = %s\n", in_dir("cfrun.hosts"));
	put("cfrun.hosts", text);
	fanout_groups_free(groups);
	fanout_groups_new(&groups);
	is_int(fanout_groups_system(groups, NULL), FANOUT_ELIMIT,
	    "a file that includes itself");
	unsetenv("CFINPUTS");
}

static void
test_regroup(void)
{
	static const char *const t[][3] = {
		/* the set, the source, what it is called */
		{ "w[1-9]", NULL, "@web" },
		{ "w[1-3],x", NULL, "@old,x" },
		{ "w[1-9],d[1-2],x1", NULL, "@both,x1" },
		{ "w[2-9]", NULL, "w[2-9]" },
		{ "w[1-9],x1", "fanout", "@fanout:web,x1" },
		{ "d[1-2],w[1-3]", NULL, "@old,@db" },
		{ "w[1-9]", "nope", "!no group source 'nope'" },
	};
	struct fanout_hosts *s;
	struct fanout_error err;
	char *text;
	size_t i;

	put("flat", "web: w[1-9]\nold: w[1-3]\ndb: d[1-2]\nnone:\n"
	    "both: @web,@db\nstray: w1,q\n");
	fanout_groups_free(groups);
	fanout_groups_new(&groups);
	fanout_groups_file(groups, "fanout", in_dir("flat"), NULL);
	for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		fanout_hosts_new(&s);
		fanout_hosts_add(s, t[i][0], NULL);
		if (fanout_hosts_regroup(s, groups, t[i][1], &text, &err) == 0)
			is_str(text, t[i][2], "regroup %s", t[i][0]);
		else
			ok(*t[i][2] == '!' && strstr(err.text, t[i][2] + 1) !=
			    NULL, "regroup %s: %s", t[i][0], err.text);
		free(text);
		fanout_hosts_free(s);
	}
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	/* Nothing of this system's own. */
	unsetenv("CFANOUT_HOSTS");
	unsetenv("WCOLL");
	unsetenv("FANOUT_GROUPS");
	unsetenv("DSHGROUP_PATH");
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("PDSH_GENDERS_FILE");
	setenv("HOME", dir, 1);
	setenv("CLUSTERSHELL_CFGDIR", dir, 1);
	if (access("/etc/fanout/groups", F_OK) == 0 ||
	    access("/etc/genders", F_OK) == 0 ||
	    access("/etc/dsh", F_OK) == 0) {
		skip(1, "this system has groups of its own");
		return test_end();
	}
	test_clustershell();
	test_yaml();
	test_genders();
	test_dsh();
	test_cluster();
	test_slurm();
	test_ansible();
	test_reverse();
	test_cfrun();
	test_regroup();
	fanout_groups_free(groups);
	if (fork() == 0)
		execlp("rm", "rm", "-rf", dir, (char *)NULL);
	return test_end();
}
