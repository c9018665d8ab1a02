#!/usr/bin/env bash
# Snakemake 9.27.1: the path that an input function returns is searched for wildcards again, and there
# is no way to say that a brace is a brace.
#
# A function is given the wildcards, and what it returns should be a file's name. Yet `a{x}.txt`, a
# file that is there, ends the run with a WildcardError: "'x'" is no wildcard of the output. Doubled
# braces, which mean one brace in the same rule's shell command, do not help: `a{{x}}.txt` ends in
# the same error. Braces with nothing between them, or one alone, are left as they are.
#
# Seen: plain=works lone=works empty=works braces=WildcardError doubled=WildcardError
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet snakemake==9.27.1
cat >Snakefile <<'SNAKE'
PATHS = {
    "plain": "ax.txt",
    "lone": "a{.txt",
    "empty": "a{}.txt",
    "braces": "a{x}.txt",
    "doubled": "a{{x}}.txt",
}

rule copy:
    input:
        lambda wildcards: PATHS[wildcards.name],
    output:
        "{name}.out",
    shell:
        "cp {input:q} {output:q}"
SNAKE
for name in 'ax' 'a{' 'a{}' 'a{x}' 'a{{x}}'; do echo "$name" >"$name.txt"; done
seen=
for name in plain lone empty braces doubled; do
    if venv/bin/snakemake --cores 1 "$name.out" >"$name.log" 2>&1; then
        outcome=works
    else
        outcome=$(grep -o -m 1 'WildcardError' "$name.log" || echo fails)
    fi
    seen="$seen$name=$outcome "
done
echo "$seen"
[ "$seen" = "plain=works lone=works empty=works braces=WildcardError doubled=WildcardError " ]
