//! Calls of Arrow's tables.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayAccessor, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use atomscope::read::{CallTable, CallValue};

use crate::call_tables::{float, no_value};

/// A table of Arrow.
pub(crate) struct Batches {
    pub(crate) batches: Vec<RecordBatch>,
    pub(crate) schema: SchemaRef,
}

impl CallTable for Batches {
    fn name(&self) -> String {
        "calls".to_owned()
    }

    fn columns(&self) -> Vec<String> {
        let fields = self.schema.fields().iter();
        fields.map(|field| field.name().clone()).collect()
    }

    fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    fn values(
        &self,
        column: usize,
        take: &mut dyn FnMut(CallValue<'_>) -> atomscope::Result<()>,
    ) -> atomscope::Result<()> {
        for batch in &self.batches {
            let array = batch.column(column);
            let value = reader(array).ok_or_else(|| {
                let name = self.columns().get(column).cloned().unwrap_or_default();
                let found = format!("values of type {}", array.data_type());
                no_value("calls", &name, 0, &found)
            })?;
            (0..array.len()).try_for_each(|row| take(value(row)))?;
        }
        Ok(())
    }
}

/// Gives the value of a row.
type Reader<'a> = Box<dyn Fn(usize) -> CallValue<'a> + 'a>;

/// The reader of an array; `None` where its values are no single ones.
fn reader(array: &dyn Array) -> Option<Reader<'_>> {
    use DataType as T;
    Some(match array.data_type() {
        T::Null => Box::new(|_| CallValue::Missing),
        T::Boolean => values(array.as_boolean(), CallValue::Bool),
        T::Int8 => whole::<Int8Type>(array),
        T::Int16 => whole::<Int16Type>(array),
        T::Int32 => whole::<Int32Type>(array),
        T::Int64 => whole::<Int64Type>(array),
        T::UInt8 => whole::<UInt8Type>(array),
        T::UInt16 => whole::<UInt16Type>(array),
        T::UInt32 => whole::<UInt32Type>(array),
        T::UInt64 => values(array.as_primitive::<UInt64Type>(), |value| {
            i64::try_from(value).map_or(CallValue::Float(value as f64), CallValue::Int)
        }),
        T::Float16 => values(array.as_primitive::<Float16Type>(), |value| {
            single(value.to_f32())
        }),
        T::Float32 => values(array.as_primitive::<Float32Type>(), single),
        T::Float64 => values(array.as_primitive::<Float64Type>(), |value| {
            float(value, CallValue::Missing)
        }),
        T::Decimal32(..) => decimal::<Decimal32Type>(array),
        T::Decimal64(..) => decimal::<Decimal64Type>(array),
        T::Decimal128(..) => decimal::<Decimal128Type>(array),
        T::Decimal256(..) => decimal::<Decimal256Type>(array),
        T::Utf8 => values(array.as_string::<i32>(), CallValue::Text),
        T::LargeUtf8 => values(array.as_string::<i64>(), CallValue::Text),
        T::Utf8View => values(array.as_string_view(), CallValue::Text),
        T::Dictionary(..) => {
            let of_values = reader(array.as_any_dictionary().values())?;
            dictionary(array, of_values)
        }
        _ => return None,
    })
}

fn values<'a, A: ArrayAccessor + 'a>(
    array: A,
    make: impl Fn(A::Item) -> CallValue<'a> + 'a,
) -> Reader<'a> {
    Box::new(move |row| {
        if array.is_null(row) {
            return CallValue::Missing;
        }
        make(array.value(row))
    })
}

fn whole<T: ArrowPrimitiveType<Native: Into<i64>>>(array: &dyn Array) -> Reader<'_> {
    values(array.as_primitive::<T>(), |value| {
        CallValue::Int(value.into())
    })
}

/// A number of binary32; NaN is a missing one.
fn single<'a>(value: f32) -> CallValue<'a> {
    if value.is_nan() {
        return CallValue::Missing;
    }
    CallValue::Single(value)
}

/// Decimal numbers: those without a fraction as whole ones.
fn decimal<T: DecimalType + ArrowPrimitiveType>(array: &dyn Array) -> Reader<'_> {
    let array = array.as_primitive::<T>();
    Box::new(|row| {
        if array.is_null(row) {
            return CallValue::Missing;
        }
        let text = array.value_as_string(row);
        text.parse()
            .map(CallValue::Int)
            .or_else(|_| text.parse().map(CallValue::Float))
            .unwrap_or(CallValue::Missing)
    })
}

/// Each row's value by its place among the values.
fn dictionary<'a>(array: &'a dyn Array, of_values: Reader<'a>) -> Reader<'a> {
    let dictionary = array.as_any_dictionary();
    // Places among no values are none.
    let places = if dictionary.values().is_empty() {
        Vec::new()
    } else {
        dictionary.normalized_keys()
    };
    Box::new(move |row| match places.get(row) {
        Some(&place) if array.is_valid(row) => of_values(place),
        _ => CallValue::Missing,
    })
}
