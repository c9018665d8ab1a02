//! Arrays of other libraries by DLPack, without a copy.
//!
//! <https://dmlc.github.io/dlpack/latest/python_spec.html>

use std::ffi::{CStr, c_void};
use std::ptr::NonNull;

use pyo3::exceptions::{PyBufferError, PyException, PyMemoryError, PyTypeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyCapsule};

use crate::at_exit::Inside;
use crate::dtype::Dtype;
use crate::errors::bad;

const PLAIN: &CStr = c"dltensor";
const PLAIN_USED: &CStr = c"used_dltensor";
const VERSIONED: &CStr = c"dltensor_versioned";
const VERSIONED_USED: &CStr = c"used_dltensor_versioned";
/// The memory of the host, of CUDA's host memory, and of CUDA's managed memory.
const HOSTS: [i32; 3] = [1, 3, 13];
/// The memory of a CUDA device.
const CUDA: i32 = 2;
/// The most dimensions that are looked at.
const MOST_DIMENSIONS: i32 = 64;

#[repr(C)]
struct DlTensor {
    data: *mut c_void,
    device_type: i32,
    device_id: i32,
    ndim: i32,
    code: u8,
    bits: u8,
    lanes: u16,
    shape: *mut i64,
    strides: *mut i64,
    byte_offset: u64,
}

#[repr(C)]
struct Managed {
    tensor: DlTensor,
    context: *mut c_void,
    deleter: Option<unsafe extern "C" fn(*mut Managed)>,
}

#[repr(C)]
struct ManagedVersioned {
    major: u32,
    minor: u32,
    context: *mut c_void,
    deleter: Option<unsafe extern "C" fn(*mut ManagedVersioned)>,
    flags: u64,
    tensor: DlTensor,
}

/// The tensor that was taken out of a capsule, and has to be given back.
enum Owned {
    Plain(NonNull<Managed>),
    Versioned(NonNull<ManagedVersioned>),
}

/// An array that another library owns, and keeps until this is dropped. It is only read.
pub(crate) struct Array {
    owned: Owned,
    address: usize,
    /// The number of the CUDA device that has it; `None` for the host.
    pub(crate) cuda: Option<u32>,
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
    /// Elements from one index to the next, for each dimension.
    pub(crate) strides: Vec<isize>,
}

// SAFETY: The owner's memory is only read here, at addresses that do not change, and is given back
// under the GIL, which `drop` takes. Nothing in an `Array` belongs to one thread.
unsafe impl Send for Array {}
// SAFETY: As above; no method changes anything.
unsafe impl Sync for Array {}

impl Array {
    /// Takes an array that has `__dlpack__`. `argument` is its name in messages.
    ///
    /// # Errors
    /// Refusals of the array's library; memory that is neither the host's nor a CUDA device's.
    pub(crate) fn take(object: &Bound<'_, PyAny>, argument: &str) -> PyResult<Self> {
        let taken = Self::exported(object).map_err(|error| refusal(object.py(), argument, error));
        let (array, device) = taken?;
        if HOSTS.contains(&device) || device == CUDA {
            return Ok(array);
        }
        let found = format!("an array in the memory of DLPack's device type {device}");
        let expected = "one in the memory of the host or of a CUDA device; copy it with .cpu()";
        Err(bad(argument, &found, expected))
    }

    fn exported(object: &Bound<'_, PyAny>) -> PyResult<(Self, i32)> {
        let place = object.call_method0("__dlpack_device__")?;
        let device = place.get_item(0)?.extract()?;
        Self::of_capsule(&export(object, device)?)
    }

    fn of_capsule(capsule: &Bound<'_, PyAny>) -> PyResult<(Self, i32)> {
        let capsule = capsule.cast::<PyCapsule>()?;
        let raw = capsule.as_ptr();
        for (name, used) in [(VERSIONED, VERSIONED_USED), (PLAIN, PLAIN_USED)] {
            // SAFETY: `raw` is a capsule that `capsule` keeps, and the GIL is held.
            if unsafe { ffi::PyCapsule_IsValid(raw, name.as_ptr()) } == 0 {
                continue;
            }
            // SAFETY: The capsule is valid under that name, so it has a pointer.
            let pointer = unsafe { ffi::PyCapsule_GetPointer(raw, name.as_ptr()) };
            let owned = if name == VERSIONED {
                NonNull::new(pointer.cast()).map(Owned::Versioned)
            } else {
                NonNull::new(pointer.cast()).map(Owned::Plain)
            };
            let owned = owned.ok_or_else(|| PyBufferError::new_err("an empty DLPack capsule"))?;
            // The capsule's own destructor leaves a used one alone: from here on it is ours.
            // SAFETY: The capsule is valid; the name is static.
            if unsafe { ffi::PyCapsule_SetName(raw, used.as_ptr()) } != 0 {
                return Err(PyErr::fetch(capsule.py()));
            }
            return Self::of_owned(owned);
        }
        Err(PyTypeError::new_err(
            "__dlpack__ gave no capsule of a tensor, or one that was used already",
        ))
    }

    fn of_owned(owned: Owned) -> PyResult<(Self, i32)> {
        // Made first, so that it is given back whatever is wrong with it.
        let mut array = Self {
            owned,
            address: 0,
            cuda: None,
            dtype: Dtype::default(),
            shape: Vec::new(),
            strides: Vec::new(),
        };
        let tensor = match &array.owned {
            // SAFETY: The pointer is of a capsule of this kind, which its library made, and nobody has
            // given it back yet.
            Owned::Plain(managed) => unsafe { &managed.as_ref().tensor },
            Owned::Versioned(managed) => {
                // SAFETY: As above.
                let managed = unsafe { managed.as_ref() };
                if managed.major != 1 {
                    let text = format!("DLPack {}: expected version 1", managed.major);
                    return Err(PyBufferError::new_err(text));
                }
                &managed.tensor
            }
        };
        if !(0..=MOST_DIMENSIONS).contains(&tensor.ndim) {
            let text = format!("an array of {} dimensions", tensor.ndim);
            return Err(PyBufferError::new_err(text));
        }
        let count = tensor.ndim as usize;
        let numbers = |pointer: *mut i64| {
            if pointer.is_null() || count == 0 {
                return None;
            }
            // SAFETY: Shape and strides, where they are there, have `ndim` numbers.
            Some(unsafe { std::slice::from_raw_parts(pointer, count) })
        };
        let shape = numbers(tensor.shape).unwrap_or_default();
        if shape.len() != count || shape.iter().any(|&size| size < 0) {
            return Err(PyBufferError::new_err("an array without a shape"));
        }
        let strides = numbers(tensor.strides);
        let strides = strides.map(|all| all.iter().map(|&stride| stride as isize).collect());
        let (device, id) = (tensor.device_type, tensor.device_id);
        let found = (
            (tensor.data as usize).wrapping_add(tensor.byte_offset as usize),
            Dtype {
                code: tensor.code,
                bits: tensor.bits,
                lanes: tensor.lanes,
            },
            shape.iter().map(|&size| size as usize).collect::<Vec<_>>(),
        );
        array.strides = strides.unwrap_or_else(|| dense(&found.2));
        (array.address, array.dtype, array.shape) = found;
        array.cuda = (device == CUDA).then_some(id.unsigned_abs());
        Ok((array, device))
    }

    /// The number of elements.
    pub(crate) fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// Says whether the array is row-major without gaps.
    pub(crate) fn is_dense(&self) -> bool {
        let expected = dense(&self.shape);
        let mut each = self.shape.iter().zip(self.strides.iter().zip(&expected));
        self.count() == 0 || each.all(|(&size, (stride, expected))| size == 1 || stride == expected)
    }

    /// Says whether every element is at a multiple of its size.
    pub(crate) fn is_aligned(&self) -> bool {
        self.address.is_multiple_of(self.dtype.bytes().max(1))
    }

    /// The address of the first element.
    pub(crate) fn address(&self) -> u64 {
        self.address as u64
    }

    /// The bytes of an array of the host that is row-major without gaps; `None` of any other.
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        if !self.is_dense() {
            return None;
        }
        self.run(0, self.count())
    }

    /// The bytes of `count` consecutive elements of the host, of which the first is `offset` elements
    /// after the array's first. The caller sees to it that these are the array's.
    fn run(&self, offset: isize, count: usize) -> Option<&[u8]> {
        let size = self.dtype.bytes();
        let length = count.checked_mul(size)?;
        if length == 0 {
            return Some(&[]);
        }
        if self.cuda.is_some() || self.address == 0 || length > isize::MAX as usize {
            return None;
        }
        let start = self
            .address
            .wrapping_add_signed(offset.wrapping_mul(size as isize));
        // SAFETY: Callers ask for elements within shape and strides, which the array's library vouches
        // for; it keeps them until `drop`. Another thread of Python may write to them meanwhile: then
        // numbers are old or new ones, and any bytes are numbers.
        Some(unsafe { std::slice::from_raw_parts(start as *const u8, length) })
    }

    /// The bytes of one row of a matrix whose columns follow one another; `None` if they do not, or
    /// there is no such row.
    pub(crate) fn row(&self, row: usize) -> Option<&[u8]> {
        let (&[rows, columns], &[down, across]) = (&*self.shape, &*self.strides) else {
            return None;
        };
        if row >= rows || (across != 1 && columns > 1) {
            return None;
        }
        self.run(down.wrapping_mul(row as isize), columns)
    }

    /// A copy of all elements, row-major without gaps; `None` of an array that is not the host's.
    pub(crate) fn copied(&self) -> Option<Vec<u8>> {
        if let Some(bytes) = self.bytes() {
            return Some(bytes.to_vec());
        }
        let size = self.dtype.bytes();
        let mut out = Vec::with_capacity(self.count().checked_mul(size)?);
        let mut index = vec![0_usize; self.shape.len()];
        for _ in 0..self.count() {
            let places = index.iter().zip(&self.strides);
            let offset = places
                .map(|(&at, &stride)| stride.wrapping_mul(at as isize))
                .sum();
            out.extend_from_slice(self.run(offset, 1)?);
            for (at, &most) in index.iter_mut().zip(&self.shape).rev() {
                *at += 1;
                if *at < most {
                    break;
                }
                *at = 0;
            }
        }
        Some(out)
    }
}

impl Drop for Array {
    fn drop(&mut self) {
        // Where the interpreter is gone or about to go, so is the array's library: the array stays where it is.
        let Some(_inside) = Inside::enter() else {
            return;
        };
        Python::try_attach(|_| match self.owned {
            Owned::Plain(managed) => {
                // SAFETY: It was taken from its capsule, and is given back this once.
                if let Some(deleter) = unsafe { managed.as_ref() }.deleter {
                    // SAFETY: The deleter is for exactly this pointer, and the GIL is held.
                    unsafe { deleter(managed.as_ptr()) }
                }
            }
            Owned::Versioned(managed) => {
                // SAFETY: As above.
                if let Some(deleter) = unsafe { managed.as_ref() }.deleter {
                    // SAFETY: As above.
                    unsafe { deleter(managed.as_ptr()) }
                }
            }
        });
    }
}

/// The exception of an array that its library does not export: of input, unless it is of the process.
fn refusal(py: Python<'_>, argument: &str, error: PyErr) -> PyErr {
    if error.is_instance_of::<PyMemoryError>(py) || !error.is_instance_of::<PyException>(py) {
        return error;
    }
    let found = format!("an array that its library does not export ({error})");
    bad(argument, &found, "one that DLPack can hand on")
}

/// Asks for the capsule: of version 1 where the library knows that, which read-only arrays need.
fn export<'py>(object: &Bound<'py, PyAny>, device: i32) -> PyResult<Bound<'py, PyAny>> {
    let py = object.py();
    let version = ("max_version", (1_i32, 0_i32).into_pyobject(py)?.into_any());
    // The legacy default stream waits for what makes the array; the caller waits for that stream.
    let stream = ("stream", 1_i32.into_pyobject(py)?.into_any());
    let arguments = if device == CUDA {
        vec![version, stream.clone()]
    } else {
        vec![version]
    };
    let asked = object.call_method("__dlpack__", (), Some(&arguments.into_py_dict(py)?));
    match asked {
        Err(error) if error.is_instance_of::<PyTypeError>(py) => {
            let arguments = if device == CUDA {
                vec![stream]
            } else {
                Vec::new()
            };
            object.call_method("__dlpack__", (), Some(&arguments.into_py_dict(py)?))
        }
        asked => asked,
    }
}

/// The strides of a row-major array without gaps.
fn dense(shape: &[usize]) -> Vec<isize> {
    let mut strides = vec![1; shape.len()];
    let mut step = 1_isize;
    for (stride, &size) in strides.iter_mut().zip(shape).rev() {
        *stride = step;
        step = step.wrapping_mul(size as isize);
    }
    strides
}
