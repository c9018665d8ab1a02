"""Calls in: one meaning, whatever library they come from."""

import datetime

import numpy as np
import pytest

import atomscope as ats

DICTS = [
    {"chrom": "chr1", "pos": 100, "svtype": "DEL", "svlen": -50, "truvari_class": "TP", "dataset": "a", "id": "v1"},
    {"chrom": "chr2", "pos": 200, "svtype": "INS", "svlen": 60, "truvari_class": "FP", "dataset": "b", "id": "v2"},
    {"chrom": "chrX", "pos": 300, "svtype": "<dup>", "svlen": 70, "truvari_class": "fn", "dataset": "a", "id": "v3"},
]
COLUMNS = {key: [call[key] for call in DICTS] for key in DICTS[0]}


def rows(calls):
    return calls.table.to_dicts()


def forms():
    pandas, polars, pyarrow = (pytest.importorskip(name) for name in ("pandas", "polars", "pyarrow"))
    frame = pandas.DataFrame(COLUMNS)
    return {
        "dict of lists": COLUMNS,
        "dict of arrays": {key: np.array(values) for key, values in COLUMNS.items()},
        "pandas": frame,
        "pandas, objects": frame.astype(object),
        "pandas, categories": frame.assign(svtype=frame.svtype.astype("category")),
        "pandas, nullable": frame.convert_dtypes(),
        "polars": polars.DataFrame(COLUMNS),
        "polars, categories": polars.DataFrame(COLUMNS).with_columns(polars.col("svtype").cast(polars.Categorical)),
        "pyarrow": pyarrow.table(COLUMNS),
        "pyarrow, chunks": pyarrow.concat_tables([pyarrow.table(COLUMNS).slice(0, 1), pyarrow.table(COLUMNS).slice(1)]),
        "pyarrow, small types": pyarrow.table(COLUMNS).set_column(1, "pos", pyarrow.array([100, 200, 300], pyarrow.uint16())),
        "upper case": {key.upper(): values for key, values in COLUMNS.items()},
    }


def test_calls_are_the_same_from_every_library():
    expected = rows(ats.Calls(DICTS))
    assert [call["svtype"] for call in expected] == ["DEL", "INS", "DUP"]
    assert [call["label"] for call in expected] == ["TP", "FP", "FP"]
    for name, form in forms().items():
        assert rows(ats.Calls(form)) == expected, name


def test_missing_values_of_every_kind_are_missing():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    whole = {"truvari_class": ["TP", "FP"]}
    found = {
        "pandas None": pandas.DataFrame({**whole, "svtype": ["DEL", None], "pos": [1.0, None]}),
        "pandas NaN": pandas.DataFrame({**whole, "svtype": ["DEL", np.nan], "pos": [1.0, np.nan]}),
        "pandas NA": pandas.DataFrame(
            {**whole, "svtype": pandas.array(["DEL", pandas.NA]), "pos": pandas.array([1, pandas.NA])}
        ),
        "pandas NaT": pandas.DataFrame({**whole, "svtype": pandas.Series(["DEL", pandas.NaT], dtype=object), "pos": [1, None]}),
        "polars null": polars.DataFrame({**whole, "svtype": ["DEL", None], "pos": [1, None]}),
        "polars NaN": polars.DataFrame({**whole, "svtype": ["DEL", None], "pos": [1.0, float("nan")]}),
        "lists": {**whole, "svtype": ["DEL", None], "pos": [1, float("nan")]},
    }
    for name, table in found.items():
        with pytest.warns(UserWarning, match="1 of 2 calls have no"):
            read = rows(ats.Calls(table))
        assert [call["svtype"] for call in read] == ["DEL", None], name
        assert [call["pos"] for call in read] == [1, 0], name


def test_nan_for_text_is_missing_in_dicts_too():
    nan = float("nan")
    dicts = [{**DICTS[0], "svtype": nan, "dataset": np.float32("nan")}, DICTS[1], DICTS[2]]
    with pytest.warns(UserWarning, match="1 of 3 calls have no"):
        read = rows(ats.Calls(dicts))
    assert [call["svtype"] for call in read] == [None, "INS", "DUP"]
    assert read[0]["dataset"] is None
    pandas = pytest.importorskip("pandas")
    with pytest.warns(UserWarning):
        assert rows(ats.Calls(pandas.DataFrame(dicts))) == read


def test_dates_for_positions_are_refused():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    dates = {**COLUMNS, "pos": [datetime.datetime(2026, 1, day) for day in (1, 2, 3)]}
    for table in (pandas.DataFrame(dates), polars.DataFrame(dates)):
        with pytest.raises(ats.InputError, match="column pos: found values of type"):
            ats.Calls(table)
    unread = pandas.DataFrame({**COLUMNS, "seen": dates["pos"]})
    assert rows(ats.Calls(unread)) == rows(ats.Calls(DICTS))


def test_numbers_for_text_are_text():
    table = {"chrom": [1, 22], "truvari_class": ["TP", "FP"]}
    for form in (table, {key: np.array(values) for key, values in table.items()}):
        with pytest.warns(UserWarning):
            read = ats.Calls({**form, "pos": [1, None]})
        assert [call["chrom"] for call in rows(read)] == ["1", "22"]


def test_rule_of_classes_is_applied():
    read = ats.Calls({"state": ["yes", "no", "TP"], "pos": [1, 2, 3]}, class_column="state", true_class="yes")
    assert [call["label"] for call in rows(read)] == ["TP", "FP", "FP"]
    assert repr(read) == "Calls(3: 1 true, 2 false)"


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"x": [1, 2]}, "calls: the columns: found the columns x, expected at least one of chrom"),
        ({"pos": ["here", "there"]}, 'calls: row 0, column pos: found "here", expected a number'),
        ({"svtype": [["DEL"], ["INS"]]}, "calls: row 0, column svtype: found a value of type list"),
        ({"pos": [1, 2], "svtype": ["DEL"]}, "found 1 values of 'svtype' and 2 of 'pos'"),
        ({"pos": [1], "POS": [2], "position": [3]}, None),
        ({"CHROM": ["a"], "chr": ["b"]}, "expected each column once"),
        ([{"pos": 1}, 3], "calls: found a list with int, expected a dict for each call"),
        (7, "calls: found int, expected a table"),
        ("calls.csv", "give a path to analyze"),
    ],
)
def test_calls_refuse_what_is_none(bad, message):
    if message is None:
        with pytest.warns(UserWarning, match="passed over"):
            assert rows(ats.Calls({**bad, "truvari_class": ["TP"]}))[0]["pos"] == 1
        return
    with pytest.raises(ats.InputError, match=message):
        ats.Calls(bad)


def test_calls_refuse_columns_of_no_single_values():
    pyarrow = pytest.importorskip("pyarrow")
    with pytest.raises(ats.InputError, match="column svtype: found values of type List"):
        ats.Calls(pyarrow.table({"svtype": [["DEL"]]}))
    with pytest.raises(ats.InputError, match="column chrom: found a value of type date"):
        ats.Calls({"chrom": [datetime.date(2026, 1, 1)]})


def test_a_missing_class_column_is_asked_for():
    with pytest.raises(ats.InputError, match="the column of classes, state"):
        ats.Calls({"pos": [1]}, class_column="state")
    with pytest.warns(UserWarning, match="no column truvari_class"):
        assert not ats.Calls({"pos": [1]})._core.has_classes


def test_analyze_refuses_calls_of_another_length(cohort):
    with pytest.raises(ats.InputError, match="calls: found 3 calls, expected 2000, one for each row of x"):
        ats.analyze(cohort.x, cohort.sae, COLUMNS)
    with pytest.raises(ats.InputError, match="calls: found None beside an array"):
        ats.analyze(cohort.x, cohort.sae)
    with pytest.raises(ats.InputError, match="class_column, true_class: found beside Calls"):
        ats.analyze(cohort.x, cohort.sae, cohort.calls, true_class="yes")
