//! `#[model]`.

use crate::check;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DataEnum, DataStruct, DeriveInput, Fields, Ident, Result, Type};

pub(crate) fn expand(args: TokenStream, item: DeriveInput) -> Result<TokenStream> {
    let secret = match args.to_string().as_str() {
        "" => false,
        "secret" => true,
        _ => return check::error(&args, "the only option is `secret`"),
    };
    check::no_generics(&item.generics)?;
    check::name(&item.ident, "type")?;
    match &item.data {
        Data::Struct(data) => record(&item, data, secret),
        Data::Enum(data) if data.variants.iter().all(|v| matches!(v.fields, Fields::Unit)) => string_enum(&item, data),
        Data::Enum(data) => tagged_enum(&item, data),
        Data::Union(_) => check::error(&item, "unions do not cross a language border"),
    }
}

/// Field names and types, checked; required fields first, as Python wants its arguments.
fn fields(fields: &Fields) -> Result<Vec<(Ident, Type)>> {
    let Fields::Named(named) = fields else { return check::error(fields, "fields need names in other languages") };
    let mut list = Vec::new();
    for field in &named.named {
        let Some(ident) = field.ident.clone() else { continue };
        check::name(&ident, "field")?;
        check::ty(&field.ty)?;
        list.push((ident, field.ty.clone()));
    }
    list.sort_by_key(|(_, ty)| check::is(ty, "Option"));
    Ok(list)
}

/// `a, b = None`: a Python signature.
pub(crate) fn signature<'a>(fields: impl IntoIterator<Item = &'a (Ident, Type)>) -> Vec<TokenStream> {
    fields.into_iter().map(|(name, ty)| if check::is(ty, "Option") { quote!(#name = None) } else { quote!(#name) }).collect()
}

fn record(item: &DeriveInput, data: &DataStruct, secret: bool) -> Result<TokenStream> {
    let name = &item.ident;
    let fields = fields(&data.fields)?;
    let (names, types): (Vec<_>, Vec<_>) = fields.iter().cloned().unzip();
    let sig = signature(&fields);
    let star = if fields.is_empty() { quote!() } else { quote!(*,) };
    let text = name.to_string();
    let (derives, eq, repr) = if secret {
        (
            quote!(#[derive(Clone)]),
            quote!(),
            quote!({
                let _ = this;
                Ok(concat!(#text, "(…)").to_owned())
            }),
        )
    } else {
        (
            quote!(#[derive(Clone, Debug, PartialEq, ::serde::Serialize, ::serde::Deserialize)]),
            quote!(eq,),
            quote!(crate::bridge::python::repr(this.as_any(), #text, &[#(stringify!(#names)),*] as &[&str])),
        )
    };
    Ok(quote! {
        #derives
        #[cfg_attr(feature = "python", ::pyo3::pyclass(get_all, frozen, #eq from_py_object, module = "atom_py"))]
        #[cfg_attr(feature = "node", ::napi_derive::napi(object))]
        #[cfg_attr(feature = "mobile", derive(::uniffi::Record))]
        #item

        #[cfg(feature = "python")]
        #[::pyo3::pymethods]
        impl #name {
            #[new]
            #[pyo3(signature = (#star #(#sig),*))]
            #[allow(clippy::too_many_arguments)]
            fn __py_new(#(#names: #types),*) -> Self {
                Self { #(#names),* }
            }
            fn __repr__(this: &::pyo3::Bound<'_, Self>) -> ::pyo3::PyResult<String> {
                #repr
            }
        }
    })
}

fn string_enum(item: &DeriveInput, data: &DataEnum) -> Result<TokenStream> {
    let name = &item.ident;
    let variants: Vec<_> = data.variants.iter().map(|v| &v.ident).collect();
    let texts: Vec<_> = variants.iter().map(|v| snake(&v.to_string())).collect();
    Ok(quote! {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[cfg_attr(feature = "python", ::pyo3::pyclass(frozen, eq, hash, from_py_object, rename_all = "SCREAMING_SNAKE_CASE", module = "atom_py"))]
        #[cfg_attr(feature = "node", ::napi_derive::napi(string_enum = "snake_case"))]
        #[cfg_attr(feature = "mobile", derive(::uniffi::Enum))]
        #item

        impl #name {
            /// The stable name that is stored and sent: `snake_case`.
            pub fn as_str(&self) -> &'static str {
                match self { #(Self::#variants => #texts,)* }
            }
        }

        impl ::std::str::FromStr for #name {
            type Err = crate::Error;
            fn from_str(text: &str) -> ::std::result::Result<Self, crate::Error> {
                match text {
                    #(#texts => Ok(Self::#variants),)*
                    _ => Err(crate::Error::invalid("unknown_variant", concat!("not a ", stringify!(#name), ": use one of ", #("`", #texts, "` "),*))),
                }
            }
        }

        #[cfg(feature = "python")]
        #[::pyo3::pymethods]
        impl #name {
            #[getter(value)]
            fn __py_value(&self) -> &'static str {
                self.as_str()
            }
            fn __str__(&self) -> &'static str {
                self.as_str()
            }
        }
    })
}

fn snake(camel: &str) -> String {
    let mut out = String::with_capacity(camel.len() + 4);
    for (i, c) in camel.chars().enumerate() {
        if c.is_ascii_uppercase() && i > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

fn tagged_enum(item: &DeriveInput, data: &DataEnum) -> Result<TokenStream> {
    let name = &item.ident;
    // The same enum twice: `pyclass` does not look inside a `cfg_attr`, so its attribute on a variant cannot be conditional.
    let mut for_python = item.clone();
    if let Data::Enum(python) = &mut for_python.data {
        for (variant, original) in python.variants.iter_mut().zip(&data.variants) {
            let sig = signature(&fields(&original.fields)?);
            variant.attrs.push(syn::parse_quote!(#[pyo3(constructor = (#(#sig),*))]));
        }
    }
    let common = quote! {
        #[derive(Clone, Debug, PartialEq, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(tag = "type", rename_all = "snake_case")]
        #[cfg_attr(feature = "node", ::napi_derive::napi(discriminant = "type", discriminant_case = "snake_case"))]
        #[cfg_attr(feature = "mobile", derive(::uniffi::Enum))]
    };
    Ok(quote! {
        #[cfg(feature = "python")]
        #common
        #[::pyo3::pyclass(frozen, eq, from_py_object, module = "atom_py")]
        #for_python

        #[cfg(not(feature = "python"))]
        #common
        #item

        #[cfg(feature = "python")]
        #[::pyo3::pymethods]
        impl #name {
            fn __repr__(this: &::pyo3::Bound<'_, Self>) -> ::pyo3::PyResult<String> {
                crate::bridge::python::repr_variant(this.as_any())
            }
        }
    })
}
