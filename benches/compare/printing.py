"""The notebook's printed report, from rows and numbers that either program computes in its own way."""

from collections import Counter

import numpy as np


def rule(text, width, mark="="):
    print(text)
    print(mark * width)


def landscape(total, biased, strong, significant, support):
    """`biased` and `strong` are numbers of atoms, to true and to false calls."""
    rule(" SAE Feature Bias Landscape", 40)
    print(f"Total features analyzed: {total}")
    for side, sign, number in zip(("TP", "FP"), "><", biased):
        print(f"{side}-biased (OR {sign} 1): {number} ({number / total * 100:.1f}%)")
    for side, limit, number in zip(("TP", "FP"), ("> 2", "< 0.5"), strong):
        print(f"Strong {side}-bias (OR {limit}): {number}")
    print(f"Statistically significant: {significant}")
    print("\nSupport statistics:")
    print(f"  Mean: {support['mean']:.1f}")
    print(f"  Median: {support['50%']:.1f}")
    print(f"  Range: {support['min']:.0f} - {support['max']:.0f}")


def bias_table(title, rows):
    print(f"\n{title}")
    print("-" * 80)
    rule(f"{'Atom':<6} {'TP_on':<6} {'FP_on':<6} {'Odds_Ratio':<12} {'Support':<8} "
         f"{'P-value':<10} {'FDR_Sig'}", 80, "-")
    for row in rows:
        mark = "✓" if row["significant"] else "✗"
        print(f"{int(row['atom']):<6} {int(row['TP_on']):<6} {int(row['FP_on']):<6} "
              f"{row['odds']:<12.3f} {int(row['support']):<8} {row['p']:<10.2e} {mark}")


def shares(counts, total):
    for name, count in counts:
        print(f"  {name}: {count} ({count / total * 100:.1f}%)")


def types(sv_types):
    rule(" SV Type Bias Analysis", 40)
    print("Overall SV type distribution:")
    shares(Counter(sv_types).most_common(), len(sv_types))


def type_head(least):
    print(f"\n INS vs DEL Feature Bias (minimum {least} activations):")
    print("-" * 70)
    rule(f"{'Atom':<6} {'INS_count':<10} {'DEL_count':<10} {'INS_rate':<10} {'Bias_score':<12}",
         70, "-")


def type_rows(rows):
    for row in rows:
        print(f"{int(row['atom']):<6} {int(row['ins_count']):<10} {int(row['del_count']):<10} "
              f"{row['ins_rate']:<10.3f} {row['bias_score']:<12.3f}")


def type_table(most_ins, most_del, strong_ins, strong_del):
    type_rows(most_ins)
    print("  ...")
    type_rows(most_del)
    print(f"\nStrong INS-biased features (bias > 0.3): {strong_ins}")
    print(f"Strong DEL-biased features (bias < -0.3): {strong_del}")


def investigation_head(stats):
    rule(f" Feature {stats['atom']} Detailed Analysis", 50)
    print(f"Activations: TP={stats['TP_on']}, FP={stats['FP_on']}, Total={stats['support']}")
    print(f"Odds Ratio: {stats['odds']:.3f}")
    print(f"P-value: {stats['p']:.2e}")
    print(f"FDR Significant: {'Yes' if stats['significant'] else 'No'}")


def investigation(stats, firing, calls, labels):
    """What the calls at the indices `firing` are."""
    investigation_head(stats)
    chosen = [calls[index] for index in firing]
    print("\nSV Types:")
    shares(Counter(call.get("svtype", "UNK") for call in chosen).most_common(), len(chosen))
    sizes = [size for size in (call.get("svlen", 0) for call in chosen) if size > 0]
    if sizes:
        print("\nSize Statistics:")
        print(f"  Mean: {np.mean(sizes):.0f} bp")
        print(f"  Median: {np.median(sizes):.0f} bp")
        print(f"  Range: {min(sizes):.0f} - {max(sizes):.0f} bp")
    print("\nTop Chromosomes:")
    shares(Counter(call.get("chrom", "unknown") for call in chosen).most_common(5), len(chosen))
    print("\nDatasets:")
    shares(Counter(call.get("dataset", "unknown") for call in chosen).items(), len(chosen))
    examples(firing, calls, labels)


def examples(firing, calls, labels):
    print("\nExample Variants (first 5):")
    rule(f"{'Index':<8} {'Chrom':<8} {'Pos':<12} {'Type':<6} {'Size':<10} {'Class'}", 55, "-")
    for index in firing[:5]:
        call = calls[index]
        print(f"{index:<8} {call.get('chrom', 'unk'):<8} {call.get('pos', 0):<12} "
              f"{call.get('svtype', 'UNK'):<6} {call.get('svlen', 0):<10} "
              f"{'TP' if labels[index].item() else 'FP'}")


def coactivation(pairs, least):
    """`pairs`: (atom, atom) to the number of calls on which both fire, at least `least`."""
    rule(" Feature Co-activation Analysis", 40)
    if not pairs:
        print("No significant co-activations found")
        return
    print(f"Feature pairs with ≥{least} co-activations:")
    for (one, other), count in sorted(pairs.items(), key=lambda pair: pair[1], reverse=True)[:10]:
        print(f"  Features {one} & {other}: {count} co-activations")


def summary(total, strong, significant, extremes, high_support, specialized):
    """`extremes` are the largest and smallest odds; `specialized` is None where types were not
    compared."""
    rule(" SAE Interpretability Summary", 50)
    print(f"Features analyzed: {total}")
    print(f"Strong TP-biased features (OR > 2): {strong[0]}")
    print(f"Strong FP-biased features (OR < 0.5): {strong[1]}")
    print(f"Statistically significant features: {significant}")
    print("\n Key Findings:")
    for side, number, odds in zip(("TP", "FP"), strong, extremes):
        if number > 0:
            print(f"• Strongest {side} bias: OR = {odds:.2f}")
    print(f"• High-support features (>75th percentile): {high_support}")
    if specialized is not None:
        print(f"• INS-specialized features: {specialized[0]}")
        print(f"• DEL-specialized features: {specialized[1]}")
