//! Calls of Arrow's tables.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type, DecimalType,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, RecordBatch};
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
            let value = values_of(array).ok_or_else(|| {
                let name = self.columns().get(column).cloned().unwrap_or_default();
                let found = format!("values of type {}", array.data_type());
                no_value("calls", &name, 0, &found)
            })?;
            (0..array.len()).try_for_each(|row| value.take(row, take))?;
        }
        Ok(())
    }
}

/// The text of a row.
type TextOf<'a> = Box<dyn Fn(usize) -> &'a str + 'a>;
/// The number of a row, or whether it holds.
type NumberOf<'a> = Box<dyn Fn(usize) -> CallValue<'static> + 'a>;

/// The values of an array, row by row.
struct ValuesOf<'a> {
    array: &'a dyn Array,
    kind: Kind<'a>,
}

enum Kind<'a> {
    Missing,
    Text(TextOf<'a>),
    Number(NumberOf<'a>),
    /// The place of each row's value among the values.
    Dictionary(Vec<usize>, Box<ValuesOf<'a>>),
}

impl ValuesOf<'_> {
    fn take(
        &self,
        row: usize,
        take: &mut dyn FnMut(CallValue<'_>) -> atomscope::Result<()>,
    ) -> atomscope::Result<()> {
        if self.array.is_null(row) {
            return take(CallValue::Missing);
        }
        match &self.kind {
            Kind::Missing => take(CallValue::Missing),
            Kind::Text(text) => take(CallValue::Text(text(row))),
            Kind::Number(number) => take(number(row)),
            Kind::Dictionary(places, values) => match places.get(row) {
                Some(&place) => values.take(place, take),
                None => take(CallValue::Missing),
            },
        }
    }
}

/// The values of an array; `None` where they are no single values.
fn values_of(array: &dyn Array) -> Option<ValuesOf<'_>> {
    use DataType as T;
    let kind = match array.data_type() {
        T::Null => Kind::Missing,
        T::Boolean => {
            let values = array.as_boolean();
            Kind::Number(Box::new(|row| CallValue::Bool(values.value(row))))
        }
        T::Int8 => whole::<Int8Type>(array),
        T::Int16 => whole::<Int16Type>(array),
        T::Int32 => whole::<Int32Type>(array),
        T::Int64 => whole::<Int64Type>(array),
        T::UInt8 => whole::<UInt8Type>(array),
        T::UInt16 => whole::<UInt16Type>(array),
        T::UInt32 => whole::<UInt32Type>(array),
        T::UInt64 => number::<UInt64Type>(array, |value| {
            i64::try_from(value).map_or(CallValue::Float(value as f64), CallValue::Int)
        }),
        T::Float16 => number::<Float16Type>(array, |value| single(value.to_f32())),
        T::Float32 => number::<Float32Type>(array, single),
        T::Float64 => number::<Float64Type>(array, |value| float(value, CallValue::Missing)),
        T::Decimal32(..) => decimal::<Decimal32Type>(array),
        T::Decimal64(..) => decimal::<Decimal64Type>(array),
        T::Decimal128(..) => decimal::<Decimal128Type>(array),
        T::Decimal256(..) => decimal::<Decimal256Type>(array),
        T::Utf8 => {
            let values = array.as_string::<i32>();
            Kind::Text(Box::new(|row| values.value(row)))
        }
        T::LargeUtf8 => {
            let values = array.as_string::<i64>();
            Kind::Text(Box::new(|row| values.value(row)))
        }
        T::Utf8View => {
            let values = array.as_string_view();
            Kind::Text(Box::new(|row| values.value(row)))
        }
        T::Dictionary(..) => {
            let array = array.as_any_dictionary();
            let values = values_of(array.values())?;
            match values.array.len() {
                0 => Kind::Missing,
                _ => Kind::Dictionary(array.normalized_keys(), Box::new(values)),
            }
        }
        _ => return None,
    };
    Some(ValuesOf { array, kind })
}

fn number<T: ArrowPrimitiveType>(
    array: &dyn Array,
    make: impl Fn(T::Native) -> CallValue<'static> + 'static,
) -> Kind<'_> {
    let values = array.as_primitive::<T>();
    Kind::Number(Box::new(move |row| make(values.value(row))))
}

fn whole<T: ArrowPrimitiveType<Native: Into<i64>>>(array: &dyn Array) -> Kind<'_> {
    number::<T>(array, |value| CallValue::Int(value.into()))
}

/// A number of binary32; NaN is a missing one.
fn single(value: f32) -> CallValue<'static> {
    if value.is_nan() {
        return CallValue::Missing;
    }
    CallValue::Single(value)
}

/// Decimal numbers: those without a fraction as whole ones.
fn decimal<T: DecimalType + ArrowPrimitiveType>(array: &dyn Array) -> Kind<'_> {
    let values = array.as_primitive::<T>();
    Kind::Number(Box::new(|row| {
        let text = values.value_as_string(row);
        text.parse()
            .map(CallValue::Int)
            .or_else(|_| text.parse().map(CallValue::Float))
            .unwrap_or(CallValue::Missing)
    }))
}
