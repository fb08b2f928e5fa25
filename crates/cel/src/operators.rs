//! What the operators do.

use std::{cmp::Ordering, sync::Arc};

use jiff::{SignedDuration, Timestamp};

use crate::{
    failure::{Failure, Meter},
    map::Key,
    node::Operator,
    value::{Value, compare_numbers},
};

type Result<T> = std::result::Result<T, Failure>;

/// A binary operator on two values.
pub(crate) fn binary(operator: Operator, left: &Value, right: &Value, meter: &Meter) -> Result<Value> {
    let ordered = |fits: fn(Ordering) -> bool| match order(left, right, meter)? {
        Order::Is(ordering) => Ok(Value::Bool(fits(ordering))),
        Order::NotANumber => Ok(Value::Bool(false)),
        Order::Unrelated => Err(no_overload(operator, left, right)),
    };
    match operator {
        Operator::Equal => equal(left, right, meter).map(Value::Bool),
        Operator::Unequal => equal(left, right, meter).map(|equal| Value::Bool(!equal)),
        Operator::Less => ordered(Ordering::is_lt),
        Operator::LessOrEqual => ordered(Ordering::is_le),
        Operator::Greater => ordered(Ordering::is_gt),
        Operator::GreaterOrEqual => ordered(Ordering::is_ge),
        Operator::In => contains(left, right, meter).map(Value::Bool),
        Operator::Add => add(left, right, meter),
        Operator::Subtract => subtract(left, right),
        Operator::Multiply | Operator::Divide | Operator::Modulo => scale(operator, left, right),
    }
}

fn no_overload(operator: Operator, left: &Value, right: &Value) -> Failure {
    let (sign, left, right) = (operator.sign(), left.type_name(), right.type_name());
    Failure::of_type(format!("`{sign}` does not take {left} and {right}"))
}

fn overflow(operator: Operator) -> Failure {
    Failure::other(format!("the result of `{}` is out of range", operator.sign()))
}

/// CEL's `==`, counted. Values of different types are unequal, except for numbers.
pub(crate) fn equal(left: &Value, right: &Value, meter: &Meter) -> Result<bool> {
    match (left, right) {
        (Value::List(a), Value::List(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (a, b) in a.iter().zip(b.iter()) {
                meter.spend(1)?;
                if !equal(a, b, meter)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Map(a), Value::Map(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (key, a) in a.iter() {
                meter.spend(1)?;
                match b.get(key) {
                    Some(b) if equal(a, b, meter)? => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        (Value::Optional(Some(a)), Value::Optional(Some(b))) => equal(a, b, meter),
        (Value::String(a), Value::String(b)) => {
            meter.spend_bytes(a.len().min(b.len()))?;
            Ok(a == b)
        }
        (Value::Bytes(a), Value::Bytes(b)) => {
            meter.spend_bytes(a.len().min(b.len()))?;
            Ok(a == b)
        }
        _ => Ok(left == right),
    }
}

enum Order {
    Is(Ordering),
    NotANumber,
    Unrelated,
}

fn order(left: &Value, right: &Value, meter: &Meter) -> Result<Order> {
    Ok(match (left, right) {
        (Value::String(a), Value::String(b)) => {
            meter.spend_bytes(a.len().min(b.len()))?;
            Order::Is(a.cmp(b))
        }
        (Value::Bytes(a), Value::Bytes(b)) => {
            meter.spend_bytes(a.len().min(b.len()))?;
            Order::Is(a.cmp(b))
        }
        (Value::Bool(a), Value::Bool(b)) => Order::Is(a.cmp(b)),
        (Value::Timestamp(a), Value::Timestamp(b)) => Order::Is(a.cmp(b)),
        (Value::Duration(a), Value::Duration(b)) => Order::Is(a.cmp(b)),
        (Value::Int(_) | Value::Uint(_) | Value::Double(_), Value::Int(_) | Value::Uint(_) | Value::Double(_)) => {
            compare_numbers(left, right).map_or(Order::NotANumber, Order::Is)
        }
        _ => Order::Unrelated,
    })
}

fn contains(item: &Value, container: &Value, meter: &Meter) -> Result<bool> {
    match container {
        Value::List(items) => {
            for other in items.iter() {
                meter.spend(1)?;
                if equal(item, other, meter)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Value::Map(map) => match Key::of(item) {
            Some(key) => Ok(map.get(&key).is_some()),
            None if matches!(item, Value::Double(_)) => Ok(false),
            None => Err(no_overload(Operator::In, item, container)),
        },
        _ => Err(no_overload(Operator::In, item, container)),
    }
}

fn add(left: &Value, right: &Value, meter: &Meter) -> Result<Value> {
    let operator = Operator::Add;
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => a.checked_add(*b).map(Value::Int).ok_or_else(|| overflow(operator)),
        (Value::Uint(a), Value::Uint(b)) => a.checked_add(*b).map(Value::Uint).ok_or_else(|| overflow(operator)),
        (Value::Double(a), Value::Double(b)) => Ok(Value::Double(a + b)),
        (Value::String(a), Value::String(b)) => {
            meter.spend_bytes(a.len() + b.len())?;
            Ok(Value::from([&**a, &**b].concat()))
        }
        (Value::Bytes(a), Value::Bytes(b)) => {
            meter.spend_bytes(a.len() + b.len())?;
            Ok(Value::Bytes(Arc::from([&**a, &**b].concat())))
        }
        (Value::List(a), Value::List(b)) => {
            meter.spend(a.len() + b.len())?;
            Ok(Value::list(a.iter().chain(b.iter()).cloned()))
        }
        (Value::Timestamp(at), Value::Duration(length)) | (Value::Duration(length), Value::Timestamp(at)) => {
            moved(*at, Some(*length), operator)
        }
        (Value::Duration(a), Value::Duration(b)) => duration(a.checked_add(*b), operator),
        _ => Err(no_overload(operator, left, right)),
    }
}

fn subtract(left: &Value, right: &Value) -> Result<Value> {
    let operator = Operator::Subtract;
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => a.checked_sub(*b).map(Value::Int).ok_or_else(|| overflow(operator)),
        (Value::Uint(a), Value::Uint(b)) => a.checked_sub(*b).map(Value::Uint).ok_or_else(|| overflow(operator)),
        (Value::Double(a), Value::Double(b)) => Ok(Value::Double(a - b)),
        (Value::Timestamp(at), Value::Duration(length)) => moved(*at, length.checked_neg(), operator),
        (Value::Timestamp(a), Value::Timestamp(b)) => duration(Some(a.duration_since(*b)), operator),
        (Value::Duration(a), Value::Duration(b)) => duration(a.checked_sub(*b), operator),
        _ => Err(no_overload(operator, left, right)),
    }
}

fn scale(operator: Operator, left: &Value, right: &Value) -> Result<Value> {
    let by_zero = || Failure::other("a division by zero");
    match (operator, left, right) {
        (Operator::Divide | Operator::Modulo, Value::Int(_), Value::Int(0)) => Err(by_zero()),
        (Operator::Divide | Operator::Modulo, Value::Uint(_), Value::Uint(0)) => Err(by_zero()),
        (_, Value::Int(a), Value::Int(b)) => match operator {
            Operator::Multiply => a.checked_mul(*b),
            Operator::Divide => a.checked_div(*b),
            _ => a.checked_rem(*b),
        }
        .map(Value::Int)
        .ok_or_else(|| overflow(operator)),
        (_, Value::Uint(a), Value::Uint(b)) => match operator {
            Operator::Multiply => a.checked_mul(*b),
            Operator::Divide => a.checked_div(*b),
            _ => a.checked_rem(*b),
        }
        .map(Value::Uint)
        .ok_or_else(|| overflow(operator)),
        (Operator::Multiply, Value::Double(a), Value::Double(b)) => Ok(Value::Double(a * b)),
        (Operator::Divide, Value::Double(a), Value::Double(b)) => Ok(Value::Double(a / b)),
        _ => Err(no_overload(operator, left, right)),
    }
}

/// The unary minus.
pub(crate) fn negate(value: &Value) -> Result<Value> {
    match value {
        Value::Int(number) => number.checked_neg().map(Value::Int).ok_or_else(|| overflow(Operator::Subtract)),
        Value::Double(number) => Ok(Value::Double(-number)),
        _ => Err(Failure::of_type(format!("`-` does not take {}", value.type_name()))),
    }
}

fn moved(at: Timestamp, by: Option<SignedDuration>, operator: Operator) -> Result<Value> {
    by.and_then(|by| at.checked_add(by).ok()).and_then(timestamp).ok_or_else(|| overflow(operator))
}

/// The instant as a value, if CEL has it: of the years 1 to 9999.
pub(crate) fn timestamp(at: Timestamp) -> Option<Value> {
    /// 0001-01-01T00:00:00Z.
    const FIRST_SECOND: i64 = -62_135_596_800;
    (at.as_second() >= FIRST_SECOND).then_some(Value::Timestamp(at))
}

/// The length of time as a value, if CEL has it: its nanoseconds must fit into 64 bits.
pub(crate) fn duration(length: Option<SignedDuration>, operator: Operator) -> Result<Value> {
    length
        .filter(|length| i64::try_from(length.as_nanos()).is_ok())
        .map(Value::Duration)
        .ok_or_else(|| overflow(operator))
}
