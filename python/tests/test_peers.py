"""What other libraries give: their arrays, tables and files, as their users have them."""

import numpy as np
import pytest

import atomscope as ats
from atomscope._inputs import rows_of

CALLS = {
    "chrom": ["chr1", "chr2", None, "chrX"],
    "pos": [100, None, 300, 400],
    "svtype": ["DEL", "INS", "DUP", None],
    "svlen": [-50, 60, None, 70],
    "truvari_class": ["TP", "FP", "fn", "TP"],
}


@pytest.fixture(scope="module")
def x(cohort):
    return cohort.x[:200]


@pytest.fixture(scope="module")
def encode(cohort):
    def of(given):
        found = cohort.sae.encode(given)
        return found.top_indices, found.top_acts

    return of


def same(found, expected):
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def plain(calls):
    with pytest.warns(UserWarning):
        return ats.Calls(calls).table.to_dicts()


# Arrays


def test_jax_arrays_are_read_in_place(encode, x):
    jax = pytest.importorskip("jax")
    array = jax.numpy.asarray(x)
    assert rows_of(array).address == array.unsafe_buffer_pointer()
    same(encode(array), encode(x))
    for dtype in ("bfloat16", "float16"):
        narrow = array.astype(dtype)
        assert rows_of(narrow).address == narrow.unsafe_buffer_pointer()
        same(encode(narrow), encode(np.asarray(narrow.astype("float32"))))
    same(encode(array[3:50:2]), encode(x[3:50:2]))
    with pytest.raises(ats.InputError, match="x: found numbers of type int32"):
        encode(array.astype("int32"))


def test_torch_views_are_read_as_they_are(encode, x):
    torch = pytest.importorskip("torch")
    tensor = torch.from_numpy(x.copy())
    same(encode(tensor[10:90:3]), encode(x[10:90:3]))
    same(encode(tensor.clone().requires_grad_() * 2), encode(x * 2))
    same(encode(torch.nn.Parameter(tensor)), encode(x))
    same(encode(tensor.bfloat16()[::2]), encode(tensor.bfloat16().float()[::2]))
    wide = torch.cat([tensor, tensor], dim=1)
    half = wide[:, 32:]
    assert rows_of(half).note is None
    same(encode(half), encode(x))
    same(encode(tensor[:1].expand(5, -1)), encode(np.repeat(x[:1], 5, axis=0)))
    with pytest.warns(UserWarning, match="bytes were copied"):
        same(encode(tensor.T.contiguous().T), encode(x))


    class Tagged(torch.Tensor):
        """As libraries make tensors of their own."""

    same(encode(tensor.clone().requires_grad_().as_subclass(Tagged)), encode(x))
    with torch.inference_mode():
        same(encode(tensor * 1), encode(x))
    for bad, message in [
        (torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8), "x: found"),
        (tensor.to("meta"), "x: found"),
        (tensor.to(torch.complex64), "x: found numbers of type complex"),
        (tensor.to(torch.float8_e4m3fn), "x: found"),
    ]:
        with pytest.raises(ats.InputError, match=message):
            encode(bad)


def test_arrays_of_numpy_with_negative_strides_are_read(encode, x):
    same(encode(x[::-1]), encode(x[::-1].copy()))
    with pytest.warns(UserWarning, match="bytes were copied"):
        same(encode(x[:, ::-1]), encode(x[:, ::-1].copy()))


def test_sliced_arrays_of_other_byte_order_and_kind_are_read(encode, x, tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.h5", "w") as file:
        data = file.create_dataset("x", data=x.astype(">f4"), chunks=(7, 5), compression="gzip")
        same(encode(data), encode(x))
        with pytest.raises(ats.InputError, match="numbers of type int64"):
            encode(file.create_dataset("n", data=np.zeros((3, 32), dtype=np.int64)))

    class Lazy:
        """As dask's and xarray's arrays: slices that become an array when they are asked to."""

        shape, dtype = x.shape, x.dtype

        def __init__(self, rows=slice(None)):
            self.rows = rows

        def __getitem__(self, rows):
            return Lazy(rows)

        def __array__(self, dtype=None, copy=None):
            return x[self.rows]

    same(encode(Lazy()), encode(x))


def test_zarr_arrays_are_read(encode, x, tmp_path):
    zarr = pytest.importorskip("zarr")
    for number, dtype in enumerate(["float32", "float16", ">f8"]):
        array = zarr.create_array(str(tmp_path / f"{number}"), data=x.astype(dtype), chunks=(13, 32), shards=(26, 32))
        same(encode(array), encode(x.astype(dtype).astype(np.dtype(dtype).newbyteorder("="))))
    with pytest.raises(ats.InputError, match="x: found"):
        encode(zarr.open_group(str(tmp_path / "group"), mode="w"))


# AnnData


def test_anndata_in_a_file_is_read(cohort, x, encode, quick, tmp_path):
    anndata = pytest.importorskip("anndata")
    sparse = pytest.importorskip("scipy.sparse")
    obs = cohort.calls.to_pandas().iloc[:200]
    obs.index = [f"call{row}" for row in range(len(obs))]
    made = anndata.AnnData(X=sparse.csr_array(x), obs=obs, obsm={"X_embedding": x, "other": x * 2})
    made.layers["raw"] = x
    made.write_h5ad(tmp_path / "x.h5ad")
    backed = anndata.read_h5ad(tmp_path / "x.h5ad", backed="r")
    for given in (made, backed, made[20:], backed[20:]):
        rows = x[20:] if len(given.obs) == 180 else x
        same(encode(given), encode(rows))
        found = ats.analyze(given, cohort.sae, **quick)
        expected = ats.analyze(rows, cohort.sae, obs.iloc[-len(rows) :], **quick)
        assert found.atoms.to_dicts() == expected.atoms.to_dicts()
    same(encode(made.layers["raw"]), encode(x))
    same((ats.encode(made, cohort.sae, key="other").top_indices,), (encode(x * 2)[0],))
    for matrix in (made.X, backed.X):
        with pytest.raises(ats.InputError, match="x: .*sparse"):
            encode(matrix)
    with pytest.raises(ats.InputError, match="expected the key 'none'"):
        cohort.sae.encode(made, key="none")


# Calls


def test_columns_of_pandas_of_every_kind_are_read():
    pandas = pytest.importorskip("pandas")
    expected = plain(CALLS)
    frame = pandas.DataFrame(CALLS)
    forms = {
        "as it is": frame,
        "nullable": frame.convert_dtypes(),
        "categories": frame.astype({"svtype": "category", "chrom": "category", "truvari_class": "category"}),
        "ordered": frame.assign(svtype=pandas.Categorical(CALLS["svtype"], ["INS", "DEL", "DUP", "BND"], ordered=True)),
        "strings": frame.astype({"svtype": "string", "chrom": "string"}),
        "small integers": frame.astype({"pos": "Int32", "svlen": "Int16"}),
        "an index of two levels": frame.set_index([pandas.Index(list("aabb")), pandas.Index([1, 2, 1, 2])]),
        "an index that repeats": frame.set_index(pandas.Index([0, 0, 0, 0])),
        "other columns": frame.assign(when=pandas.Timestamp("2026-01-01"), took=pandas.Timedelta("1s"), made=object()),
    }
    if pytest.importorskip("pyarrow"):
        forms["of Arrow"] = frame.convert_dtypes(dtype_backend="pyarrow")
        forms["of Arrow's dictionaries"] = forms["of Arrow"].astype({"svtype": "category"})
    for name, form in forms.items():
        assert plain(form) == expected, name


def test_whole_numbers_that_pandas_made_floats_are_whole():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"chrom": [1, None, 22], "dataset": [1.5, None, 2], "truvari_class": ["TP", "FP", "FP"]})
    assert [(call["chrom"], call["dataset"]) for call in plain(frame)] == [("1", "1.5"), (None, None), ("22", "2.0")]


def test_classes_that_are_no_texts_are_taken(cohort):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"pos": [1, 2, 3], "good": [True, False, True], "level": [1, 0, 1]})
    for column, value in [("good", True), ("level", 1), ("level", [1]), ("good", np.bool_(True)), ("level", np.int64(1))]:
        read = ats.Calls(frame, class_column=column, true_class=value)
        assert [call["label"] for call in read.table] == ["TP", "FP", "TP"], (column, value)


def test_a_table_of_column_levels_has_no_names():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(CALLS)
    frame.columns = pandas.MultiIndex.from_product([["calls"], frame.columns])
    with pytest.raises(ats.InputError, match="calls: found columns of several levels"):
        ats.Calls(frame)
    with pytest.raises(ats.InputError, match="calls: found pandas.*Series, expected a DataFrame"):
        ats.Calls(pandas.Series(CALLS["pos"]))


def test_columns_of_polars_of_every_kind_are_read():
    pl = pytest.importorskip("polars")
    expected = plain(CALLS)
    frame = pl.DataFrame(CALLS)
    forms = {
        "as it is": frame,
        "categories": frame.with_columns(pl.col("svtype", "chrom").cast(pl.Categorical)),
        "an enumeration": frame.with_columns(pl.col("svtype").cast(pl.Enum(["INS", "DEL", "DUP"]))),
        "small integers": frame.with_columns(pl.col("pos").cast(pl.UInt16), pl.col("svlen").cast(pl.Int8)),
        "decimals": frame.with_columns(pl.col("pos").cast(pl.Decimal(10, 0)), pl.col("svlen").cast(pl.Decimal(10, 2))),
        "numbers of binary32": frame.with_columns(pl.col("pos").cast(pl.Float32)),
        "other columns": frame.with_columns(pl.date(2026, 1, 1).alias("when"), pl.struct("pos").alias("inner")),
        "parts": pl.concat([frame[:1], frame[1:]], rechunk=False),
    }
    for name, form in forms.items():
        assert plain(form) == expected, name
    with pytest.raises(ats.InputError, match="expected"):
        ats.Calls(frame["pos"])
    with pytest.raises(ats.InputError, match=r"\.collect\(\)"):
        ats.Calls(frame.lazy())


def test_columns_of_pyarrow_of_every_kind_are_read():
    pa = pytest.importorskip("pyarrow")
    expected = plain(CALLS)
    table = pa.table(CALLS)

    def cast(**types):
        made = table
        for name, kind in types.items():
            at = made.schema.get_field_index(name)
            made = made.set_column(at, name, made.column(name).cast(kind))
        return made

    dictionary = pa.dictionary(pa.int8(), pa.string())
    forms = {
        "as it is": table,
        "a batch": table.to_batches()[0],
        "a reader": table.to_reader(),
        "large texts": cast(svtype=pa.large_string(), chrom=pa.large_string()),
        "views of texts": cast(svtype=pa.string_view(), chrom=pa.string_view()),
        "dictionaries": cast(svtype=dictionary, truvari_class=pa.dictionary(pa.uint32(), pa.large_string())),
        "decimals": cast(pos=pa.decimal128(22, 3), svlen=pa.decimal256(40, 0)),
        "small numbers": cast(pos=pa.int16(), svlen=pa.float16()),
        "parts": pa.concat_tables([table.slice(0, 3), table.slice(3)]),
        "parts of dictionaries": pa.concat_tables([cast(svtype=dictionary).slice(0, 2), cast(svtype=dictionary).slice(2)]),
    }
    nulls = pa.DictionaryArray.from_arrays(pa.array([1, 0, 2, 3], pa.int8()), pa.array(["INS", "DEL", "DUP", None]))
    forms["a dictionary with a null"] = table.set_column(2, "svtype", nulls)
    for name, form in forms.items():
        assert plain(form) == expected, name
    empty = pa.DictionaryArray.from_arrays(pa.array([None] * 4, pa.int8()), pa.array([], pa.string()))
    assert [call["svtype"] for call in plain(table.set_column(2, "svtype", empty))] == [None] * 4
    assert plain(table.set_column(2, "svtype", pa.nulls(4))) == plain({**CALLS, "svtype": [None] * 4})
    for bad in (pa.array(CALLS["pos"]), pa.chunked_array([CALLS["pos"]])):
        with pytest.raises(ats.InputError, match="calls: found"):
            ats.Calls(bad)


def test_a_reader_that_fails_is_told():
    pa = pytest.importorskip("pyarrow")

    def batches():
        yield pa.record_batch({"pos": [1]})
        raise OSError("the disk is gone")

    reader = pa.RecordBatchReader.from_batches(pa.schema([("pos", pa.int64())]), batches())
    with pytest.raises((ats.InputError, OSError), match="the disk is gone"):
        ats.Calls(reader)


def test_tables_are_given_to_every_asker(results):
    pa = pytest.importorskip("pyarrow")
    table = results.atoms
    narrow = pa.schema([(name, pa.float32()) for name in table.columns[:1]])
    assert pa.RecordBatchReader.from_stream(table).read_all().num_rows == len(table)
    assert pa.schema(table).names == table.columns
    assert pa.table(table).schema.field("log_or").metadata[b"about"].decode() == table.describe("log_or")
    assert pa.table(table).select(["atom"]).cast(narrow).num_rows == len(table)
    capsule = table.__arrow_c_stream__()
    del capsule
    stream = table.__arrow_c_stream__(pa.schema(table).__arrow_c_schema__())
    assert "arrow_array_stream" in repr(stream)
