//! Values that the attributes cannot describe: bytes, JSON, strings with a type, and how records print.

use crate::{Bytes, Json, RawRecord};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyTypeError, PyUnicodeEncodeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

/// `Name(a=1, b='x')`, from the attributes of a record.
pub(crate) fn repr(object: &Bound<'_, PyAny>, name: &str, fields: &[impl AsRef<str>]) -> PyResult<String> {
    let mut parts = Vec::with_capacity(fields.len());
    for field in fields.iter().map(AsRef::as_ref) {
        parts.push(format!("{field}={}", object.getattr(field)?.repr()?));
    }
    Ok(format!("{name}({})", parts.join(", ")))
}

/// `Shape.Circle(radius=1.5)`: pyo3 makes a class of each variant and lists its fields for `match`.
pub(crate) fn repr_variant(object: &Bound<'_, PyAny>) -> PyResult<String> {
    let class = object.get_type();
    let fields = class.getattr("__match_args__")?.extract::<Vec<String>>()?;
    repr(object, class.qualname()?.to_str()?, &fields)
}

impl<'py> IntoPyObject<'py> for Bytes {
    type Target = PyBytes;
    type Output = Bound<'py, PyBytes>;
    type Error = std::convert::Infallible;
    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Self::Error> {
        Ok(PyBytes::new(py, &self.0))
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Bytes {
    type Error = PyErr;
    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(object.cast::<PyBytes>()?.as_bytes().to_vec()))
    }
}

impl<'py> IntoPyObject<'py> for Json {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;
    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        json_to_python(py, &self.0)
    }
}

/// Read anew at each look, by Python's own reader, which knows whole numbers of any size.
impl<'py> IntoPyObject<'py> for RawRecord {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = PyErr;
    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        py.import("json")?.call_method1("loads", (self.text(),))
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for RawRecord {
    type Error = PyErr;
    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        json_from_python(&object, 0).map(|value| Self::new(&value))
    }
}

impl<'a, 'py> FromPyObject<'a, 'py> for Json {
    type Error = PyErr;
    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        json_from_python(&object, 0).map(Self)
    }
}

fn json_to_python<'py>(py: Python<'py>, value: &serde_json::Value) -> PyResult<Bound<'py, PyAny>> {
    use serde_json::Value;
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(b) => b.into_bound_py_any(py)?,
        Value::Number(n) => match (n.as_i64(), n.as_u64()) {
            (Some(i), _) => i.into_bound_py_any(py)?,
            (_, Some(u)) => u.into_bound_py_any(py)?,
            _ => n.as_f64().into_bound_py_any(py)?,
        },
        Value::String(s) => s.into_bound_py_any(py)?,
        Value::Array(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(json_to_python(py, item)?)?;
            }
            list.into_any()
        }
        Value::Object(entries) => {
            let dict = PyDict::new(py);
            for (key, item) in entries {
                dict.set_item(key, json_to_python(py, item)?)?;
            }
            dict.into_any()
        }
    })
}

/// serde_json refuses deeper texts when reading; the same bound keeps a self-containing list from exhausting the stack.
const MAX_DEPTH: usize = 127;

fn json_from_python(object: &Bound<'_, PyAny>, depth: usize) -> PyResult<serde_json::Value> {
    use serde_json::Value;
    if object.is_none() {
        Ok(Value::Null)
    } else if object.is_instance_of::<PyBool>() {
        Ok(Value::Bool(object.extract()?))
    } else if object.is_instance_of::<PyInt>() {
        let number = object.extract::<i64>().map(Value::from).or_else(|_| object.extract::<u64>().map(Value::from));
        number.map_err(|_| PyValueError::new_err("a JSON integer has at most 64 bits here: pass a larger one as text"))
    } else if object.is_instance_of::<PyFloat>() {
        let number = serde_json::Number::from_f64(object.extract()?);
        number.map(Value::Number).ok_or_else(|| PyValueError::new_err("JSON has no NaN or infinity"))
    } else if object.is_instance_of::<PyString>() {
        Ok(Value::String(object.extract()?))
    } else if depth == MAX_DEPTH {
        Err(PyValueError::new_err(format!("JSON values nest at most {MAX_DEPTH} levels deep")))
    } else if let Ok(dict) = object.cast::<PyDict>() {
        let entry = |(key, item): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
            let key = key.extract::<String>().map_err(|_| PyTypeError::new_err("the keys of a JSON object are text"))?;
            Ok((key, json_from_python(&item, depth + 1)?))
        };
        Ok(Value::Object(dict.iter().map(entry).collect::<PyResult<_>>()?))
    } else if object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>() {
        Ok(Value::Array(object.try_iter()?.map(|item| json_from_python(&item?, depth + 1)).collect::<PyResult<_>>()?))
    } else {
        Err(PyTypeError::new_err(format!("a {} is not a JSON value", object.get_type().name()?)))
    }
}

/// The text of a `str`. Python's own error for half a surrogate pair prints all of the text, which may be a secret.
pub(crate) fn text(object: &Bound<'_, PyAny>) -> PyResult<String> {
    object.extract().map_err(|error: PyErr| {
        let malformed = error.is_instance_of::<PyUnicodeEncodeError>(object.py());
        if malformed { PyValueError::new_err("the text is not valid Unicode: it holds half a surrogate pair") } else { error }
    })
}

/// Makes a Rust type a `str` in Python.
macro_rules! string_like {
    ($name:ident, $parse:expr, $print:expr) => {
        impl<'py> ::pyo3::IntoPyObject<'py> for $name {
            type Target = ::pyo3::types::PyString;
            type Output = ::pyo3::Bound<'py, ::pyo3::types::PyString>;
            type Error = ::std::convert::Infallible;
            fn into_pyobject(self, py: ::pyo3::Python<'py>) -> ::std::result::Result<Self::Output, Self::Error> {
                let print: fn($name) -> String = $print;
                Ok(::pyo3::types::PyString::new(py, &print(self)))
            }
        }

        impl<'a, 'py> ::pyo3::FromPyObject<'a, 'py> for $name {
            type Error = ::pyo3::PyErr;
            fn extract(object: ::pyo3::Borrowed<'a, 'py, ::pyo3::PyAny>) -> ::pyo3::PyResult<Self> {
                let parse: fn(String) -> ::std::result::Result<$name, $crate::Error> = $parse;
                Ok(parse($crate::bridge::python::text(&object)?)?)
            }
        }
    };
}
pub(crate) use string_like;
