"""Arrays in: where they lie, of every type, with every stride."""

import gc
import sys

import numpy as np
import pytest

import atomscope as ats
import oracle
from atomscope import _core
from atomscope._inputs import rows_of

DIM, ATOMS, K = 37, 53, 5


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(5)
    state = {
        "encoder.weight": rng.normal(size=(ATOMS, DIM)).astype(np.float32),
        "encoder.bias": rng.normal(size=ATOMS).astype(np.float32),
        "decoder.weight": np.zeros((DIM, ATOMS), dtype=np.float32),
    }
    mean, std = rng.normal(size=DIM).astype(np.float32), rng.uniform(0.5, 2, DIM).astype(np.float32)
    return state, mean, std, ats.SAE.from_state_dict(state, k=K, mean=mean, std=std)


@pytest.fixture(scope="module")
def x():
    return np.random.default_rng(6).normal(size=(211, DIM))


def expected(model, x):
    state, mean, std, _ = model
    whitened = oracle.whiten(x, mean, std)
    return oracle.top_k(oracle.scores(whitened, state["encoder.weight"], state["encoder.bias"]), K)


def check(model, x, given=None):
    atoms, acts = expected(model, x)
    found = model[3].encode(x if given is None else given)
    np.testing.assert_array_equal(found.top_indices, atoms)
    np.testing.assert_array_equal(found.top_acts, acts)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_encode_matches_the_definition_in_every_type(model, x, dtype):
    check(model, x.astype(dtype))


def test_encode_takes_bfloat16_of_ml_dtypes(model, x):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    narrow = x.astype(ml_dtypes.bfloat16)
    check(model, narrow.astype(np.float32), narrow)


def test_encode_honours_strides_of_rows(model, x):
    wide = np.ascontiguousarray(np.concatenate([x, x], axis=1).astype(np.float32))
    for view in (wide[::2, :DIM], wide[:, :DIM], wide[::-1, DIM:], wide[50:90, DIM:]):
        assert rows_of(view).note is None
        check(model, view.copy(), view)
    single = np.broadcast_to(wide[:1, :DIM], (3, DIM))
    check(model, single.copy(), single)


def test_columns_with_gaps_are_copied_and_told(model, x):
    turned = np.asfortranarray(x.astype(np.float32))
    with pytest.warns(UserWarning, match="columns do not follow one another"):
        check(model, turned.copy(order="C"), turned)
    with pytest.warns(UserWarning, match="bytes were copied"):
        wide = np.repeat(x.astype(np.float32), 2, axis=1)
        check(model, wide[:, ::2].copy(), wide[:, ::2])


def test_rows_lie_where_the_array_does(x):
    array = x.astype(np.float32)
    assert rows_of(array).address == array.ctypes.data
    assert rows_of(array[3:]).address == array[3:].ctypes.data


def test_read_only_and_unaligned_arrays_are_read(model, x):
    array = x.astype(np.float32)
    array.flags.writeable = False
    assert rows_of(array).address == array.ctypes.data
    check(model, array)
    raw = np.zeros(array.nbytes + 1, dtype=np.uint8)
    raw[1:] = array.view(np.uint8).ravel()
    odd = raw[1:].view(np.float32).reshape(array.shape)
    check(model, array, odd)


def test_arrays_are_given_back(x):
    array = x.astype(np.float32)
    before = sys.getrefcount(array)
    rows = rows_of(array)
    assert sys.getrefcount(array) > before
    del rows
    gc.collect()
    assert sys.getrefcount(array) == before


def test_array_that_goes_meanwhile_is_kept(model, x):
    atoms, _ = expected(model, x.astype(np.float32))
    rows = rows_of(x.astype(np.float32))
    gc.collect()
    from atomscope._options import options

    found = ats.Activations(_core.encode(rows, model[3]._core, options(), None))
    np.testing.assert_array_equal(found.top_indices, atoms)


class Sliced:
    """An array of a file: shape, dtype, slicing, and nothing else."""

    def __init__(self, array, dtype=None):
        self.array, self.shape, self.dtype = array, array.shape, dtype or array.dtype
        self.most = 0

    def __getitem__(self, rows):
        block = self.array[rows]
        self.most = max(self.most, len(block))
        return block


def test_sliced_objects_are_read_block_by_block(model, x):
    long = np.tile(x, (80, 1)).astype(np.float32)
    sliced = Sliced(long)
    found = model[3].encode(sliced)
    np.testing.assert_array_equal(found.top_indices[:211], expected(model, x.astype(np.float32))[0])
    assert 0 < sliced.most < len(long)


def test_hdf5_and_zarr_are_read(model, x, tmp_path):
    h5py = pytest.importorskip("h5py")
    narrow = x.astype(np.float16)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        check(model, narrow, file.create_dataset("x", data=narrow))
    zarr = pytest.importorskip("zarr")
    stored = zarr.create_array(str(tmp_path / "x.zarr"), data=narrow, chunks=(20, DIM))
    check(model, narrow, stored)


def test_errors_of_a_sliced_object_are_told(model):
    class Broken(Sliced):
        def __getitem__(self, rows):
            raise OSError("the disk is gone")

    with pytest.raises(ats.InputError, match=r"x: rows \d to \d+: found OSError: the disk is gone") as caught:
        model[3].encode(Broken(np.zeros((10, DIM), dtype=np.float32)))
    assert isinstance(caught.value.__cause__, OSError)
    lies = Sliced(np.zeros((10, DIM), dtype=np.float32), np.dtype("float64"))
    with pytest.raises(ats.InputError, match="^x: found a block of float32"):
        model[3].encode(lies)
    short = Sliced(np.zeros((5, DIM), dtype=np.float32))
    short.shape = (10, DIM)
    with pytest.raises(ats.InputError, match="^x: found a block of shape"):
        model[3].encode(short)


@pytest.mark.parametrize("raised", [KeyboardInterrupt, SystemExit])
def test_what_ends_all_in_a_sliced_object_ends_all(model, raised):
    class Ends(Sliced):
        def __getitem__(self, rows):
            raise raised(4)

    with pytest.raises(raised, match="4"):
        model[3].encode(Ends(np.zeros((10, DIM), dtype=np.float32)))


def test_an_input_error_of_a_block_is_passed_as_it_is(model):
    class Masked(Sliced):
        def __getitem__(self, rows):
            return np.ma.masked_array(self.array[rows])

    with pytest.raises(ats.InputError, match="^x: found a masked array, expected one without a mask") as caught:
        model[3].encode(Masked(np.zeros((10, DIM), dtype=np.float32)))
    assert caught.value.__cause__ is None


def test_torch_tensors_are_read_in_place(model, x):
    torch = pytest.importorskip("torch")
    tensor = torch.from_numpy(x.astype(np.float32))
    assert rows_of(tensor).address == tensor.data_ptr()
    check(model, x.astype(np.float32), tensor)
    narrow = tensor.bfloat16()
    check(model, narrow.float().numpy(), narrow)
    check(model, x.astype(np.float32), tensor.clone().requires_grad_())
    check(model, x.astype(np.float32)[::3], tensor[::3])
    with pytest.raises(ats.InputError, match="x: found a sparse tensor"):
        model[3].encode(tensor.to_sparse())


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros((3, DIM), dtype=np.int64), "x: found numbers of type int64, expected float16"),
        (np.zeros((3, DIM), dtype=complex), "x: found numbers of type complex128"),
        (np.zeros((3, DIM), dtype=">f4"), "another byte order"),
        (np.zeros(DIM, dtype=np.float32), r"x: found an array of shape \[37\]"),
        (np.zeros((2, 3, DIM), dtype=np.float32), "one row of the tokens of each call"),
        (np.zeros((3, DIM + 1), dtype=np.float32), "rows of 38 numbers, expected 37"),
        (np.zeros((0, DIM), dtype=np.float32), "0 rows, expected at least one call"),
        ([[0.0] * DIM], "x: found list, expected an array"),
        ([], "x: found an empty list"),
        (None, "x: found NoneType"),
        (3.5, "x: found float"),
        ("no such file.npy", "No such file"),
    ],
)
def test_encode_refuses_what_is_no_embeddings(model, bad, message):
    with pytest.raises(ats.InputError, match=message):
        model[3].encode(bad)


def test_encode_names_rows_with_nan(model, x):
    array = x.astype(np.float32)
    array[7, 3] = np.nan
    array[9, 0] = np.inf
    with pytest.raises(ats.InputError, match=r'x: rows 7, 9: found NaN .* nonfinite="skip"'):
        model[3].encode(array)
    found = model[3].encode(array, nonfinite="skip")
    np.testing.assert_array_equal(found.dropped, [7, 9])
    assert len(found) == len(array) - 2
    sparse = found.to_scipy()
    assert sparse.shape == (len(array), ATOMS)
    assert sparse[[7], :].nnz == 0 and sparse[[8], :].nnz == K


def test_tables_and_sparse_matrices_are_refused_with_advice(model, x):
    pandas, sparse = pytest.importorskip("pandas"), pytest.importorskip("scipy.sparse")
    with pytest.raises(ats.InputError, match="to_numpy"):
        model[3].encode(pandas.DataFrame(x))
    with pytest.raises(ats.InputError, match="sparse matrix"):
        model[3].encode(sparse.csr_array(x))
    with pytest.raises(ats.InputError, match="masked array"):
        model[3].encode(np.ma.masked_array(x, mask=x > 0))


def test_options_are_refused_by_their_names(model, x):
    for given, message in [
        ({"device": "gpu"}, "device: found \"gpu\", expected auto, cpu, cuda"),
        ({"threads": 0}, "threads: found 0"),
        ({"threads": -1}, "threads: found -1"),
        ({"threads": 2.5}, "threads: found float, expected a whole number"),
        ({"nonfinite": "ignore"}, 'nonfinite: found "ignore", expected "error" or "skip"'),
        ({"progress": 3}, "progress: found 3"),
    ]:
        with pytest.raises(ats.InputError, match=message):
            model[3].encode(x, **given)


def test_cuda_without_a_device_is_a_device_error(model, x):
    if "cuda:0" in ats.doctor():
        pytest.skip("there is a CUDA device")
    with pytest.raises(ats.DeviceError, match='device cuda: .* use device="cpu"'):
        model[3].encode(x, device="cuda")
