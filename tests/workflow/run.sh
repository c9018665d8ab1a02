#!/usr/bin/env bash
# The workflow from shards to report: on this machine, on a Slurm cluster of one node that the test
# starts on loopback, and there again with one tally killed and the job of another cancelled midway.
# Each report must have the bytes of `atomscope analyze` over all shards in one process, but for
# run.json.
#
# Needs root, as Slurm reads /etc/slurm/slurm.conf alone in its jobs. It installs what it lacks:
# Debian's slurm-wlm and munge, Snakemake and its plugin into target/workflow-venv. Where that
# cannot be had the test says SKIPPED; with ATOMSCOPE_REQUIRE_WORKFLOW=1 that is a failure.
#
#   ATOMSCOPE_BIN    the program [target/release/atomscope, built if it is not there]
#   ATOMSCOPE_SLOW   arguments of the tallies that are struck, which must take some seconds each, so
#                    that there is a midway [the slowest way of a program with full optimisation]
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
venv=$target/workflow-venv
pins=(snakemake==9.27.1 snakemake-executor-plugin-slurm==2.8.0)
conf=/etc/slurm/slurm.conf
mark="# Written by atomscope's tests/workflow/run.sh; it may be overwritten or deleted."
work=

step() { printf '== %s\n' "$*"; }

fail() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

skip() {
    printf 'SKIPPED: the workflow was not tested because %s\n' "$*"
    [ "${ATOMSCOPE_REQUIRE_WORKFLOW:-}" = 1 ] && exit 1
    exit 0
}

# Ends the daemon whose pid file is given, and waits until it has ended: one that lives on would
# hold its port, and write into a folder that is gone.
stop() {
    local pid
    [ -s "$1" ] && pid=$(<"$1") && [ -d "/proc/$pid" ] || return 0
    kill "$pid" 2>/dev/null || return 0
    for _ in $(seq 100); do
        [ -d "/proc/$pid" ] || return 0
        sleep 0.1
    done
    kill -9 "$pid" 2>/dev/null || true
}

# Ends whatever of a run still works in its folder $1: the daemons by their pid files (unless a pid
# is another program's by now), then jobs and a Snakemake that outlived them.
sweep() {
    local daemon pid
    for daemon in slurmd slurmctld munged; do
        pid=$(cat "$1/$daemon.pid" 2>/dev/null || echo none)
        [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$daemon" ] && stop "$1/$daemon.pid"
    done
    for pid in /proc/[0-9]*; do
        case $(readlink "$pid/cwd" 2>/dev/null) in
        "$1" | "$1/"* | "$1 (deleted)") kill -9 "${pid#/proc/}" 2>/dev/null || true ;;
        esac
    done
    rm -rf "$1"
}

# shellcheck disable=SC2317  # the trap calls it
finish() {
    local status=$?
    trap - EXIT INT TERM
    if [ -n "$work" ]; then
        if [ -s "$work/slurmctld.pid" ]; then
            timeout -k 5 20 scancel --user=root >/dev/null 2>&1 || true
            for _ in $(seq 25); do
                [ -n "$(timeout 5 squeue --noheader --states=running,completing 2>/dev/null)" ] || break
                sleep 0.2
            done
        fi
        if [ "$status" -ne 0 ]; then
            for log in "$work"/*.log "$work"/*/logs/tally/*.log; do
                [ -s "$log" ] || continue
                printf -- '-- %s\n' "${log#"$work/"}"
                tail -n 20 "$log" | cut -c 1-200
            done >&2
        fi
        cd /
        sweep "$work"
        if [ -e "$conf" ] && grep -qxF "$mark" "$conf"; then rm -f "$conf"; fi
    fi
    exit "$status"
}

# ---- what is needed -------------------------------------------------------------------------------

[ "$(uname -s)" = Linux ] || skip "Slurm is tested on Linux alone"
[ "$(id -u)" = 0 ] || skip "it needs root"
if [ -e "$conf" ] && ! grep -qxF "$mark" "$conf"; then
    skip "there is a $conf that is not this test's, which stays as it is"
fi

install() {
    command -v apt-get >/dev/null || return 1
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -qq -y "$@"; } >/dev/null 2>&1
}

if ! command -v slurmctld slurmd sbatch munged >/dev/null; then
    step "installing Slurm"
    install slurm-wlm munge || skip "slurm-wlm and munge could not be installed"
fi

if ! "$venv/bin/python" -c '
import sys
from importlib.metadata import version
for pin in sys.argv[1:]:
    name, wanted = pin.split("==")
    assert version(name) == wanted
' "${pins[@]}" 2>/dev/null; then
    step "installing Snakemake"
    rm -rf "$venv"
    python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
        skip "there is no Python of 3.11 or later"
    python3 -m venv "$venv" 2>/dev/null || { install python3-venv && python3 -m venv "$venv"; } ||
        skip "no virtual environment could be made"
    "$venv/bin/pip" install -q --disable-pip-version-check "${pins[@]}" ||
        skip "${pins[*]} could not be installed"
fi

atomscope=${ATOMSCOPE_BIN:-$target/release/atomscope}
if [ ! -x "$atomscope" ]; then
    [ -z "${ATOMSCOPE_BIN:-}" ] || fail "ATOMSCOPE_BIN: no such program: $atomscope"
    step "building atomscope"
    cargo build --locked --release --manifest-path "$root/Cargo.toml"
fi
atomscope=$(realpath "$atomscope")

# Two of this test at once would take each other's slurm.conf away.
exec 9</etc/slurm
flock -n 9 || skip "another of this test is running"

# A run that was ended with SIGKILL has left its daemons and its folder: under the lock, whatever is
# there is left over.
for left in /tmp/atomscope-workflow.*; do
    if [ -d "$left" ]; then sweep "$left"; fi
done
work=$(mktemp -d /tmp/atomscope-workflow.XXXXXX)
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
cd "$work"

# What the one who runs the test has set must not reach it, and it must leave nothing in their home.
unset SLURM_CONF SNAKEMAKE_PROFILE SNAKEMAKE_SLURM_PARTITIONS
for name in $(compgen -e | grep -E '^(SLURM|SBATCH|SRUN|SQUEUE)_' || true); do unset "$name"; done
export XDG_CACHE_HOME=$work/cache ATOMSCOPE_CACHE=$work/cache PYTHONDONTWRITEBYTECODE=1

snakemake() {
    timeout -k 10 "$1" "$venv/bin/snakemake" --snakefile "$root/workflow/Snakefile" "${@:2}" 9<&-
}

# ---- without running anything ---------------------------------------------------------------------

step "plan"
"$venv/bin/python" "$root/tests/workflow/test_plan.py" 2>plan.log || fail "plan"
mkdir empty
touch empty/sae.pt
for n in $(seq 33); do touch "empty/shard-$n.pt"; done
shard_config=(model=empty/sae.pt "atomscope=$atomscope")

merges() {
    snakemake 240 --dry-run --cores 1 --config "${shard_config[@]}" "$@" >dry.log 2>&1 ||
        fail "dry run with $*"
    # The table of jobs stands at the top and at the end.
    awk '$1 ~ /^merge(_root)?$/ && !seen[$1]++ { n += $2 } END { print n + 0 }' dry.log
}
for expected in "1 empty/shard-33.pt" "1 empty/shard-3[23].pt" "1 empty/shard-?.pt" \
    "2 empty/shard-*.pt"; do
    found=$(merges embeddings="${expected#* }")
    [ "$found" = "${expected%% *}" ] || fail "${expected#* }: $found merge jobs, not ${expected%% *}"
done

# Tally jobs alone ask for a GPU, and only where one is sure to be used.
for expected in "device=auto|" "device=cuda tally_gpu=2|gpu=2" \
    "device=cuda:all tally_gres=gpu:a100:1|gres=gpu:a100:1"; do
    # shellcheck disable=SC2086  # two options
    merges embeddings='empty/shard-1.pt' ${expected%|*} >/dev/null
    found=$(grep -oE '\b(gpu|gres)=[^,]*' dry.log || true)
    [ "$found" = "${expected#*|}" ] || fail "${expected%|*}: the jobs ask for '$found'"
done

if snakemake 240 --dry-run --quiet all --cores 1 \
    --config "${shard_config[@]}" embeddings='none/*.pt' >/dev/null 2>nothing.log; then
    fail "a glob that matches nothing was taken"
fi
line="atomscope workflow: embeddings: nothing matches 'none/*.pt' in $work"
grep -v '^Config file ' nothing.log | diff - <(echo "$line") || fail "a glob that matches nothing"

# Two of Snakemake's lints are not followed: there is no environment for one static program, and
# what changes no byte of a result is kept from provenance on purpose.
snakemake 240 --lint --config "${shard_config[@]}" embeddings='empty/shard-*.pt' >lint.log 2>&1 || true
if grep '^ *\* ' lint.log | grep -v -e 'Specify a conda environment or container' \
    -e 'Shell command directly uses variable CONFIG'; then
    fail "lint"
fi
grep -q '^Lints for rule report' lint.log || fail "lint did not run"

# ---- the cohort, and its report from one process --------------------------------------------------

rm ./*.log

step "one process"
shards=8
"$atomscope" simulate --quiet --out sim --pieces $shards --seed 7 \
    --rows 40000 --input-dim 512 --features 4096 --k 32
[ "$(find sim -name 'embeddings-*.pt' | wc -l)" = $shards ] || fail "simulate did not write $shards files"
"$atomscope" analyze --quiet --embeddings 'sim/embeddings-*.pt' --model sim --out expected >/dev/null
for file in report.txt sae_feature_bias_analysis.csv top_biased_features.json coactivation.csv run.json; do
    [ -s "expected/$file" ] || fail "analyze wrote no $file"
done

cohort=(
    "embeddings=sim/embeddings-*.pt" model=sim "atomscope=$atomscope" "report_args=--model sim"
    tally_threads=1 checkpoint_rows=500 tally_mem_mb=500 merge_mem_mb=200 report_mem_mb=500
)

same_report() {
    diff -r --exclude=run.json expected "$1/report" || fail "$1: the report differs"
    [ -s "$1/report/run.json" ] || fail "$1: no run.json"
}

# ---- on this machine ------------------------------------------------------------------------------

step "local"
snakemake 480 --profile "$root/workflow/profiles/local" --config "${cohort[@]}" out=local merge_width=2 \
    >local.log 2>&1 || fail "the local run"
same_report local
rm local.log

# Another device, other threads, other checkpoints: nothing to do, as nothing differs.
snakemake 240 --dry-run --profile "$root/workflow/profiles/local" --config "${cohort[@]}" out=local merge_width=2 \
    device=cpu tally_threads=2 checkpoint_rows=0 >again.log 2>&1 || fail "the second dry run"
grep -q 'Nothing to be done' again.log || fail "a finished workflow has jobs left"

# A sheet that cuts one file in three is that file.
printf 'embeddings\tname\trows\n' >sheet.tsv
for rows in first:0..1000 second:1000..4000 third:4000..5000; do
    printf 'sim/embeddings-1.pt\t%s\t%s\n' "${rows%:*}" "${rows#*:}" >>sheet.tsv
done
"$atomscope" analyze --quiet --embeddings sim/embeddings-1.pt --model sim --out one >/dev/null
snakemake 480 --profile "$root/workflow/profiles/local" --config samples=sheet.tsv model=sim \
    "atomscope=$atomscope" "report_args=--model sim" out=sheet >sheet.log 2>&1 || fail "the run of a sheet"
diff -r --exclude=run.json one sheet/report || fail "sheet: the report differs"
rm sheet.log again.log

# ---- on Slurm -------------------------------------------------------------------------------------

step "starting Slurm"
read -r controller_port node_port < <("$venv/bin/python" -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(s.getsockname()[1] for s in sockets))')
# Jobs of a second or two wait more than they compute.
cpus=$(nproc)
[ "$cpus" -ge 4 ] || cpus=4
mkdir state spool
chmod 755 "$work"
head -c 128 /dev/urandom >munge.key
chmod 600 munge.key
cat >"$conf" <<CONF
$mark
ClusterName=atomscope
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=$controller_port
SlurmdPort=$node_port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
# No control groups and no accounting: a sandbox has neither.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
# Ended jobs stay in squeue, which is asked for their states.
MinJobAge=3600
ReturnToService=2
SchedulerParameters=batch_sched_delay=0,sched_interval=1
SlurmdParameters=config_overrides
NodeName=localhost NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=$(awk '/MemTotal/ { print int($2 / 1024 * 0.9) }' /proc/meminfo) State=UNKNOWN
PartitionName=test Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
munged --force --socket="$work/munge.socket" --key-file="$work/munge.key" \
    --pid-file="$work/munged.pid" --log-file="$work/munged.log" --seed-file="$work/munged.seed" \
    9<&- 2>munged.err || fail "munged: $(<munged.err)"
slurmctld -c 9<&- || fail "slurmctld did not start"
slurmd -c -N localhost 9<&- || fail "slurmd did not start"
for _ in $(seq 150); do
    state=$(timeout 5 sinfo --noheader --format=%T 2>/dev/null || true)
    [ "$state" = idle ] && break
    sleep 0.2
done
[ "$state" = idle ] || fail "the node is ${state:-not to be seen}, not idle"

slurm=(
    --profile "$root/workflow/profiles/slurm" --latency-wait 10
    --slurm-status-command squeue --slurm-no-account --slurm-init-seconds-before-status-checks 1
)

step "Slurm"
snakemake 300 "${slurm[@]}" --config "${cohort[@]}" out=slurm merge_width=4 >slurm.log 2>&1 || fail "the run on Slurm"
same_report slurm
rm slurm.log

step "Slurm, one tally killed, another's job cancelled"
"$venv/bin/python" "$root/tests/workflow/strike.py" \
    kill "$work/struck/tally/embeddings-3.tally" cancel "$work/struck/tally/embeddings-6.tally" \
    >strike.log 2>&1 9<&- &
strike=$!
snakemake 300 "${slurm[@]}" --config "${cohort[@]}" out="$work/struck" \
    tally_args="${ATOMSCOPE_SLOW:---simd portable --screen single}" \
    >struck.log 2>&1 ||
    fail "the run with failures"
wait "$strike" || fail "no job was struck"
same_report struck
for shard in embeddings-3 embeddings-6; do
    grep -q 'done by an earlier run, and not done again' "struck/logs/tally/$shard.log" ||
        fail "$shard did not go on from its checkpoint"
done
# Each struck shard has one job that failed and one that did it; every other has one.
squeue --noheader --states=all --format='%k %T' | grep '^rule_tally' >states.log || true
for expected in "embeddings-3 FAILED" "embeddings-3 COMPLETED" "embeddings-6 CANCELLED" "embeddings-6 COMPLETED"; do
    grep -q "^rule_tally_wildcards_$expected\$" states.log || fail "no job was: $expected"
done
[ "$(wc -l <states.log)" = $((2 * shards + 2)) ] || fail "$(wc -l <states.log) tally jobs on Slurm, not $((2 * shards + 2))"

echo "the workflow is right: on this machine, on Slurm, and with jobs that fail ($SECONDS s)"
