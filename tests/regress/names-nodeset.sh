#!/bin/sh
# The same expressions to ClusterShell's NodeSet and to us: the same hosts,
# and the same verdict, but for the differences that fanout(7) lists.
# CASES says how many expressions (6000), SEED which.
set -u
# shellcheck disable=SC1091
. "$(dirname "$0")/names.inc"
PY=
for p in /usr/bin/python3 python3; do
	$p -c 'import ClusterShell.NodeSet' 2>/dev/null && PY=$p && break
done
[ -n "$PY" ] || {
	echo "skipped: needs python3-clustershell"
	exit 77
}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
build_hostexpr || exit 1
cat >"$tmp/test.py" <<'EOF'
import random, re, subprocess, sys
from ClusterShell.NodeSet import NodeSet
from ClusterShell.NodeUtils import GroupResolver, GroupSource

tool, tmp, cases, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
rnd = random.Random(seed)
GROUPS = {
    'web': 'web[1-12]', 'db': 'db[01-04]-[a]'.replace('[a]', 'a'),
    'mix': '@web!web[3-5],x[1-3]y[1-2]', 'rack1': 'n[1-9]', 'rack2': 'n[10-19]',
    'both': '@rack[1-2]', 'none': '', 'odd': 'n[1-20/3]^n[1-5]',
}
GROUPS['all'] = '@web,@db,@both'
with open(tmp + '/groups', 'w') as f:
    for k, v in GROUPS.items():
        f.write('%s: %s\n' % (k, v))
src = GroupSource('local', GROUPS, allgroups=GROUPS['all'])
resolver = GroupResolver(src)

def number():
    n = str(rnd.choice([rnd.randrange(12), rnd.randrange(120), rnd.randrange(1200)]))
    return n.zfill(rnd.choice([0, 0, 0, 2, 3, 4]))

def rng():
    k = rnd.random()
    if k < .35:
        return number()
    w = rnd.choice([0, 0, 0, 2, 3])
    a = rnd.randrange(120)
    b = a + rnd.randrange(40)
    s = '%s-%s' % (str(a).zfill(w), str(b).zfill(w))
    if rnd.random() < .25:
        s += '/%d' % rnd.randrange(1, 6)
    return s

def bracket():
    sep = rnd.choice([',', ',', ', ', ' ,'])
    return '[' + sep.join(rng() for _ in range(rnd.choice([1, 1, 2, 3]))) + ']'

def pattern():
    s = rnd.choice(['n', 'node', 'web', 'x', 'a-b', 'n0', 'n1', '', 'dc1r'])
    k = rnd.choice([0, 1, 1, 1, 2, 2, 3])
    for i in range(k):
        s += bracket()
        if i + 1 < k and rnd.random() < .9:
            s += rnd.choice(['-', 'y', '-n', '.x'])
        else:
            s += rnd.choice(['', '', '-', 'y', '.x.com', '0', '-eth0'])
    return s if s else 'h'

def operand():
    k = rnd.random()
    if k < .1:
        return '@' + rnd.choice(['web', 'db', 'mix', 'rack1', 'rack[1-2]', 'both',
            'odd', 'none', '*', 'local:web', 'local:*', 'rack[1,2]'])
    if k < .15:
        return rnd.choice(['web*', '*1', 'n?', 'web?', '*', 'n[1-3]*', 'db*a', 'zz*'])
    if k < .2:
        return rnd.choice(['123', '7', 'host', 'a.b.c', 'h-1', 'n1', 'n01', '12[1-3]'])
    return pattern()

def expr():
    s = operand()
    for _ in range(rnd.choice([0, 0, 1, 1, 2, 3])):
        s += rnd.choice([',', ',', '!', '&', '^', ' , ', ' !', '& ']) + operand()
    return s

def mutate(s):
    for _ in range(rnd.choice([1, 1, 2])):
        i = rnd.randrange(len(s) + 1)
        c = rnd.choice('[]-,/!&^ 0129ab@*?.;')
        k = rnd.random()
        s = s[:i] + (c + s[i:] if k < .4 else c + s[i+1:] if k < .7 else s[i+1:])
    return s

# How a difference that fanout(7) lists shows: what we said, and the expression.
KNOWN = [
    ('empty expression', r'expected a host name or @group', r'^\s*$'),
    ('blank in a name', r'expected an operator', r'[^,!&^]\s+[^,!&^]'),
    ('character in a name', r'cannot stand|begin with', r''),
    ('negative number', r'expected|backwards|padded', r'[\[,]\s*-|-\s*\d*\s*-'),
    ('nothing beside digits', r'expected a number', r'\d\[[^\]]*,\s*,|,\s*,[^\]]*\]\d|\d\[\s*[\],]|[\[,]\s*\]\d|\[\s*,[^\]]*\]\d'),
    ('step of one number', r"expected ',' or '\]'", r'[\[,]\s*\d+\s*/'),
    ('bounds beside digits', r'beside digits', r'\d\[|\]\d'),
    ('unknown group', r'there is no group', r'@'),
    ('group reference', r'expected @group', r'@'),
    ('user, port, IPv6', r'65535|: the user|name is empty|only :port|lone|make a host', r'[:@]'),
    ('limits', r'limit|digits in a range', r'\d'),
]

def theirs(e):
    try:
        # iterating gives the names; str() of each keeps padding
        return sorted(set(NodeSet(e, resolver=resolver))), None
    except Exception as x:          # their own errors, and slips such as IndexError
        return None, '%s: %s' % (type(x).__name__, x)

def digits_merge(e):
    """n1[8,9,10]: they make a range of neighbours before they put digits
    beside it."""
    return re.search(r'\d\[[^\]]*,', e) is not None

exprs = []
while len(exprs) < cases:
    e = expr()
    if len(exprs) % 2:
        e = mutate(e)
    if '\n' in e or re.search(r'\d{7}', re.sub(r'[\[\]]', '', e)) or '#' in e:
        continue                    # nothing that takes either of us for ever
    exprs.append(e)
out = subprocess.run([tool, tmp + '/groups'], input='\n'.join(exprs) + '\n',
    stdout=subprocess.PIPE, universal_newlines=True, check=True).stdout.split('\n')
same = refused = failed = 0
listed = {}
for e, line in zip(exprs, out):
    want, why = theirs(e)
    ours = None if line.startswith('error: ') else line.split()
    if ours is None and want is None:
        refused += 1
    elif ours is None:
        for name, text, shape in KNOWN:
            if re.search(text, line) and re.search(shape, e):
                listed[name] = listed.get(name, 0) + 1
                break
        else:
            failed += 1
            print('%r: we refuse (%s), they take %s' % (e, line, ' '.join(want)[:200]))
    elif want is None and re.search(r'\[[^\]]*\s[^\]]*\]\d', e):
        listed['blank in a bracket before digits'] = listed.get('blank in a bracket before digits', 0) + 1
    elif want is None and 'padding' in why and digits_merge(e):
        listed['neighbours beside digits'] = listed.get('neighbours beside digits', 0) + 1
    elif want is None:
        failed += 1
        print('%r: we take %s, they refuse (%s)' % (e, line[:200], why))
    elif sorted(ours) == want:
        same += 1
    elif re.search(r'[^,!&^\s]@[^,!&^]*[*?]', e):
        listed['mask behind user@'] = listed.get('mask behind user@', 0) + 1
    elif digits_merge(e):
        listed['neighbours beside digits'] = listed.get('neighbours beside digits', 0) + 1
    else:
        failed += 1
        print('%r:\n  we   %s\n  they %s' % (e, ' '.join(sorted(ours))[:300], ' '.join(want)[:300]))
print('%d expressions (seed %d): %d the same hosts, %d refused by both, %d listed differences, %d failed'
    % (len(exprs), seed, same, refused, sum(listed.values()), failed))
for k in sorted(listed):
    print('  listed: %s: %d' % (k, listed[k]))
sys.exit(1 if failed or same < cases // 4 or refused < cases // 20 else 0)
EOF
"$PY" "$tmp/test.py" "$HOSTEXPR" "$tmp" "${CASES:-6000}" "${SEED:-1}"
