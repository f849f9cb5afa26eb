#!/bin/sh
# The same arguments of -w to pdsh and to us: the same hosts, and the same
# verdict, but for the differences that fanout(7) lists.
# CASES says how many (1500), SEED which.
set -u
# shellcheck disable=SC1091
. "$(dirname "$0")/names.inc"
for need in pdsh python3; do
	command -v $need >/dev/null || {
		echo "skipped: needs $need"
		exit 77
	}
done
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
unset WCOLL CFANOUT_HOSTS
build_hostexpr || exit 1
cat >"$tmp/test.py" <<'EOF'
import os, random, re, subprocess, sys

tool, tmp, cases, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
rnd = random.Random(seed)
os.makedirs(tmp + '/d')
def put(name, text):
    with open(tmp + '/' + name, 'w') as f:
        f.write(text)
put('one', '# hosts\nn[1-3]\n  x1   # blank and comment\n\n#include two\nlast\n')
put('two', 'in[01-03]\n#include d/three\n #include nothing\n')
put('d/three', 'deep1,deep2\n')
put('down', 'n2\nn1[0-2]\n')
put('groups', 'none:\n')

def rng():
    w = rnd.choice([0, 0, 0, 2, 3])
    a = rnd.randrange(120)
    if rnd.random() < .4:
        return str(a).zfill(w)
    return '%s-%s' % (str(a).zfill(w), str(a + rnd.randrange(8)).zfill(w))

def bracket():
    return '[' + ','.join(rng() for _ in range(rnd.choice([1, 1, 2, 3]))) + ']'

def hosts():
    k = rnd.random()
    if k < .2:
        return rnd.choice(['n1', 'n2', 'x1', 'a.b.c', 'h-1', 'n01', '12', 'last'])
    s = rnd.choice(['n', 'n', 'node', 'x', 'in', 'web-'])
    s += bracket()
    if rnd.random() < .3:
        s += rnd.choice(['-', 'y', '-eth']) + bracket()
    return s + rnd.choice(['', '', '', '-ib0', '.x.com'])

def regex():
    return '/' + rnd.choice(['1$', '^n', '2', '^[nx]', '.[1-3]$', 'n(1|2)', 'a+', '(',
        'x|y', 'zzz']) + rnd.choice(['/', '/', '/', ''])

def item():
    k = rnd.random()
    if k < .55:
        return hosts()
    if k < .63:
        return '^' + tmp + '/' + rnd.choice(['one', 'two', 'down', 'one', 'nonexistent'])
    if k < .71:
        return rnd.choice(['u@', 'root@']) + hosts()
    if k < .83:
        return '-' + hosts()
    if k < .88:
        return '-^' + tmp + '/' + rnd.choice(['down', 'one'])
    if k < .95:
        return regex()
    return '-' + regex()

def mutate(s):
    i = rnd.randrange(len(s) + 1)
    c = rnd.choice('[]-,/01a')
    k = rnd.random()
    return s[:i] + (c + s[i:] if k < .4 else c + s[i+1:] if k < .7 else s[i+1:])

def theirs(w):
    p = subprocess.run(['pdsh', '-R', 'exec', '-Q', '-w', w], stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    last = p.stdout.strip().split('\n')[-1]
    if len(last) > 990:             # -Q cuts the list at 1 KiB
        return 'cut'
    if 'Fatal error' in p.stdout:
        return None
    if 'no remote hosts specified' in p.stdout:
        return []
    if p.returncode != 0 or 'pdsh@' in last:
        return None
    return sorted(set(last.split(',')))

# Where we refuse what pdsh takes: our words, and the shape of the argument.
KNOWN = [
    ('nothing between commas', r'expected a host name|file name|regex', r'(^|,)-?\^?(,|$)'),
    ('unpadded end of a padded range', r'equally long', r'-'),
    ('bounds beside digits', r'beside digits', r'\d\[|\]\d'),
    ('brackets that do not match', r"not closed|without its", r'[\[\]]'),
    ('brackets side by side', r'between two brackets', r'\]\d*\['),
    ('character in a name', r'cannot stand|begin with|65535|empty', r''),
    ('text behind a regex', r"expected ',' behind the /regex/", r'/'),
    ('items of a bracket', r"expected", r'\['),
    ('operators', r'behind what', r'[!&^]'),
    ('groups', r'no group', r'@'),
    ('brackets in a regex', r'error: \d+: /', r'/[^/]*\['),
    ('backwards in a second bracket', r'backwards', r'\].*\['),
    ('backwards in what is left out', r'backwards', r'(^|,)-'),
    ('/ within an item', r'cannot open|cannot read', r'\^'),
]
# Where we take what pdsh refuses.
MORE = [
    ('steps', r'\[[^\]]*/\d'),
    ('regex of a filter left open', r'/'),
    ('more than two brackets', r'\[.*\[.*\['),
    ('no such file left out', r'-\^'),
    ('comma or bracket in a regex', r'/[^/]*[,\[\]]'),
]
args = []
while len(args) < cases:
    w = ','.join(item() for _ in range(rnd.choice([1, 1, 2, 3, 4])))
    if len(args) % 3 == 2:
        w = mutate(w)
    # An argument that names nothing takes the default, which here is none;
    # "-" alone waits for input; "," within a regex or a bracket's text splits.
    if re.search(r'(^|,)-(,|$)', w) or re.search(r'\d{5}', w):
        continue
    args.append(w)
env = dict(os.environ, FANOUT_GROUPS=tmp + '/groups')
out = subprocess.run([tool, '-w'], input='\n'.join(args) + '\n', env=env,
    stdout=subprocess.PIPE, universal_newlines=True, check=True).stdout.split('\n')
same = refused = failed = 0
listed = {}
def known(k):
    listed[k] = listed.get(k, 0) + 1
for w, line in zip(args, out):
    want = theirs(w)
    if want == 'cut':
        continue
    ours = None if line.startswith('error: ') else sorted({h.split('@')[-1] for h in line.split()})
    if ours is None and 'no hosts are given' in line:
        ours = []                   # only filters: pdsh says the same
    show = w.replace(tmp, 'DIR')
    if ours is None and want is None:
        refused += 1
    elif ours == want:
        same += 1
    elif ours is None:
        for name, text, shape in KNOWN:
            if re.search(text, line) and re.search(shape, w):
                known(name)
                break
        else:
            failed += 1
            print('%r: we refuse (%s), pdsh takes %s' % (show, line, ','.join(want)[:200]))
    elif want is None:
        for name, shape in MORE:
            if re.search(shape, w):
                known(name)
                break
        else:
            failed += 1
            print('%r: we take %s, pdsh refuses' % (show, line[:200]))
    elif re.search(r'(^|,)-?/', w) and re.search(r'\][^,\[]*\[', w):
        # Its filters see names whose second bracket is not yet expanded.
        known('filtered before the second bracket')
    elif re.search(r'(^|,)-?/[^/]*[,\[\]]', w):
        known('comma or bracket in a regex')
    elif re.search(r'(\[[^\]]*\][^,\[]*){3}', w):
        known('more than two brackets')
    elif re.search(r'[^,-][!&^]', w):
        known('operators')
    elif want is not None and set(ours) < set(want) and re.search(r'(^|,)-', w):
        # It keeps duplicates and takes out only the first of each.
        known('left out once of twice')
    else:
        failed += 1
        print('%r:\n  we   %s\n  pdsh %s' % (show, ' '.join(ours)[:300], ' '.join(want)[:300]))
print('%d arguments (seed %d): %d the same hosts, %d refused by both, %d listed differences, %d failed'
    % (len(args), seed, same, refused, sum(listed.values()), failed))
for k in sorted(listed):
    print('  listed: %s: %d' % (k, listed[k]))
sys.exit(1 if failed or same < cases // 2 or refused < cases // 50 else 0)
EOF
python3 "$tmp/test.py" "$HOSTEXPR" "$tmp" "${CASES:-1500}" "${SEED:-1}"
