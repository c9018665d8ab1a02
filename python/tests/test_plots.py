"""Plots: what is drawn is what the tables say."""

from __future__ import annotations

import numpy as np
import pytest

import atomscope as ats

matplotlib = pytest.importorskip("matplotlib", reason="plots need matplotlib")
matplotlib.use("Agg")
pytest.importorskip("scipy", reason="plots need scipy")


def points(ax: object) -> np.ndarray:
    """Every point of every scatter, in the order of x."""
    drawn = np.concatenate([np.asarray(c.get_offsets()) for c in ax.collections])  # type: ignore[attr-defined]
    return drawn[np.lexsort(drawn.T[::-1])]


def test_volcano_has_every_tested_atom(results: ats.Results) -> None:
    ax = ats.pl.volcano(results, scope="all", label=3)
    table = results.atoms.to_pandas()
    table = table[table["tested"]].dropna(subset=["log_or", "neg_log10_p"])
    expected = table[["log_or", "neg_log10_p"]].to_numpy()
    found = points(ax)
    assert np.array_equal(found, expected[np.lexsort(expected.T[::-1])])
    assert len(ax.texts) <= 3
    assert {text.get_text() for text in ax.texts} <= {str(atom) for atom in table["atom"]}


def test_volcano_within_strata_draws_cmh(results: ats.Results) -> None:
    found = points(ats.pl.volcano(results))
    table = results.atoms.to_pandas()
    table = table[table["tested"]].dropna(subset=["cmh_or", "cmh_neg_log10_p"])
    with np.errstate(divide="ignore"):
        expected = np.clip(np.log(table["cmh_or"].to_numpy()), -12, 12)
    assert np.allclose(found[:, 0], np.sort(expected), rtol=0, atol=0)


def test_volcano_of_unknown_scope_is_refused(results: ats.Results) -> None:
    with pytest.raises(ats.InputError, match="scope: found 'both'"):
        ats.pl.volcano(results, scope="both")


def test_effects_are_both_odds_ratios(results: ats.Results) -> None:
    found = points(ats.pl.effects(results))
    table = results.atoms.to_pandas()
    assert len(found) == (table["tested"] & table["cmh_or"].notna() & table["log_or"].notna()).sum()
    assert np.isin(found[:, 0], np.clip(table["log_or"].to_numpy(), -12, 12)).all()


def test_sizes_have_medians(results: ats.Results) -> None:
    ax = ats.pl.sizes(results)
    assert ax.get_xscale() == "log"
    assert np.isin(points(ax)[:, 0], results.sizes["median_size"]).all()


def test_types_of_chosen_atoms_are_rows(results: ats.Results) -> None:
    ax = ats.pl.types(results, [5, 3])
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["5", "3"]
    table = results.types.to_pandas()
    row = table[(table["atom"] == 5) & (table["svtype"] == ax.get_xticklabels()[0].get_text())]
    assert ax.images[0].get_array()[0, 0] == row["log_or"].item()


def test_types_of_atom_that_is_not_there_are_refused(results: ats.Results) -> None:
    with pytest.raises(ats.InputError, match="atoms: found 128, expected numbers from 0 to 127"):
        ats.pl.types(results, [128])


def test_coactivation_is_symmetric(results: ats.Results) -> None:
    ax = ats.pl.coactivation(results, n=12)
    drawn = np.ma.filled(ax.images[0].get_array(), np.nan)
    assert drawn.shape == (12, 12)
    assert np.array_equal(drawn, drawn.T, equal_nan=True)
    names = [int(tick.get_text()) for tick in ax.get_yticklabels()]
    pairs = results.pairs.to_pandas()
    one = pairs[pairs["atom_a"].isin(names) & pairs["atom_b"].isin(names)].iloc[0]
    assert drawn[names.index(one["atom_a"]), names.index(one["atom_b"])] == one["phi"]


def test_atom_counts_calls_of_each_type(results: ats.Results) -> None:
    strongest = int(results.top(1)["atom"][0])
    ax = ats.pl.atom(results, strongest)
    names = [tick.get_text() for tick in ax.get_yticklabels()]
    calls = results.investigate(strongest).to_pandas()
    for name, text in zip(names[2:], ax.texts[2:], strict=True):
        of_type = calls[calls["svtype"] == name]["label"]
        assert text.get_text() == f"{(of_type == 'TP').sum()} TP, {(of_type == 'FP').sum()} FP"


def test_plots_draw_on_given_axes(results: ats.Results) -> None:
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert ats.pl.volcano(results, ax=ax) is ax
