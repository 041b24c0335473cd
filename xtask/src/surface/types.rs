//! The types that may cross a border.

use crate::Result;
use quote::ToTokens;
use syn::{GenericArgument, PathArguments};

#[derive(Clone, PartialEq)]
pub(crate) enum Type {
    Unit,
    Bool,
    /// With so many bits.
    Integer(u8),
    Float,
    Text,
    Secret,
    Moment,
    Json,
    Bytes,
    /// A function of the host that runs jobs.
    Handler,
    /// An object of the host that keeps a key.
    HostKey,
    /// A function of the host that carries out an operation.
    HostHook,
    /// An object of the host that sends mail.
    HostMailSender,
    Optional(Box<Type>),
    List(Box<Type>),
    Map(Box<Type>),
    /// A model, a handle or an id, by its name.
    Named(String),
}

impl Type {
    /// `this` is what `Self` means; `Result<T>` is read as `T`.
    pub(crate) fn parse(ty: &syn::Type, this: Option<&str>) -> Result<Self> {
        let unknown = || format!("`{}` does not cross a language border", ty.to_token_stream());
        let path = match ty {
            syn::Type::Tuple(tuple) if tuple.elems.is_empty() => return Ok(Self::Unit),
            syn::Type::Path(path) => &path.path,
            _ => return Err(unknown().into()),
        };
        let last = path.segments.last().ok_or_else(unknown)?;
        let mut args = Vec::new();
        if let PathArguments::AngleBracketed(list) = &last.arguments {
            for arg in &list.args {
                let GenericArgument::Type(ty) = arg else { return Err(unknown().into()) };
                args.push(ty);
            }
        }
        let inner = |index: usize| -> Result<Box<Self>> {
            let ty = args.get(index).ok_or_else(unknown)?;
            Ok(Box::new(Self::parse(ty, this)?))
        };
        Ok(match last.ident.to_string().as_str() {
            "Result" => *inner(0)?,
            "Option" => Self::Optional(inner(0)?),
            "Vec" => Self::List(inner(0)?),
            "HashMap" | "BTreeMap" if *inner(0)? == Self::Text => Self::Map(inner(1)?),
            "DateTime" => Self::Moment,
            "bool" => Self::Bool,
            "i32" => Self::Integer(32),
            "i64" => Self::Integer(64),
            "f64" => Self::Float,
            "String" => Self::Text,
            "Secret" => Self::Secret,
            "Json" | "RawRecord" => Self::Json,
            "Bytes" => Self::Bytes,
            "Handler" => Self::Handler,
            "HostKey" => Self::HostKey,
            "HostHook" => Self::HostHook,
            "HostMailSender" => Self::HostMailSender,
            "Self" => Self::Named(this.ok_or_else(unknown)?.to_owned()),
            name if args.is_empty() => Self::Named(name.to_owned()),
            _ => return Err(unknown().into()),
        })
    }

    pub(crate) fn is_optional(&self) -> bool {
        matches!(self, Self::Optional(_))
    }

    /// Adds the names of the models, handles and ids inside.
    pub(crate) fn names<'a>(&'a self, into: &mut Vec<&'a str>) {
        match self {
            Self::Named(name) => into.push(name),
            Self::Optional(inner) | Self::List(inner) | Self::Map(inner) => inner.names(into),
            _ => {}
        }
    }
}
