//! `#[model]`.

use crate::{api::camel, check};
use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Data, DataEnum, DataStruct, DeriveInput, Field, Fields, Ident, Result, Token, Type};

pub(crate) fn expand(args: TokenStream, mut item: DeriveInput) -> Result<TokenStream> {
    let options = Options::parse(args)?;
    check::no_generics(&item.generics)?;
    check::name(&item.ident, "type")?;
    let all_fields: Vec<&mut Field> = match &mut item.data {
        Data::Struct(data) => data.fields.iter_mut().collect(),
        Data::Enum(data) => data.variants.iter_mut().flat_map(|v| &mut v.fields).collect(),
        Data::Union(_) => vec![],
    };
    // Absent is the default in Kotlin and Swift, as it is in Python and TypeScript.
    for field in all_fields.into_iter().filter(|f| check::is(&f.ty, "Option")) {
        field.attrs.push(syn::parse_quote!(#[cfg_attr(feature = "mobile", uniffi(default = None))]));
    }
    if let Data::Struct(data) = &mut item.data
        && !options.secret
    {
        data.fields.iter_mut().for_each(read_moment);
    }
    match &item.data {
        Data::Struct(data) => record(&item, data, &options),
        Data::Enum(data) if data.variants.iter().all(|v| matches!(v.fields, Fields::Unit)) => string_enum(&item, data),
        Data::Enum(data) => tagged_enum(&item, data, &options),
        Data::Union(_) => check::error(&item, "unions do not cross a language border"),
    }
}

/// Has a moment read by our own reader, which is faster than that of chrono.
fn read_moment(field: &mut Field) {
    let is_moment = |ty: &Type| check::is(ty, "DateTime");
    if is_moment(&field.ty) {
        field.attrs.push(syn::parse_quote!(#[serde(deserialize_with = "crate::moment::deserialize")]));
    } else if check::is(&field.ty, "Option") && check::argument(&field.ty).is_some_and(|inner| is_moment(&inner)) {
        field.attrs.push(syn::parse_quote!(#[serde(default, deserialize_with = "crate::moment::deserialize_option")]));
    }
}

/// What stands in the brackets of `#[model(…)]`.
#[derive(Default)]
struct Options {
    secret: bool,
    default: bool,
}

impl Options {
    fn parse(args: TokenStream) -> Result<Self> {
        let mut options = Self::default();
        let names = Punctuated::<Ident, Token![,]>::parse_terminated.parse2(args)?;
        for name in names {
            match name.to_string().as_str() {
                "secret" => options.secret = true,
                "default" => options.default = true,
                _ => return check::error(&name, "the options are `secret` and `default`"),
            }
        }
        Ok(options)
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
        check::goes_out(&field.ty)?;
        list.push((ident, field.ty.clone()));
    }
    list.sort_by_key(|(_, ty)| check::is(ty, "Option"));
    Ok(list)
}

/// `a, b = None`: a Python signature.
pub(crate) fn signature<'a>(fields: impl IntoIterator<Item = &'a (Ident, Type)>) -> Vec<TokenStream> {
    fields.into_iter().map(|(name, ty)| if check::is(ty, "Option") { quote!(#name = None) } else { quote!(#name) }).collect()
}

fn record(item: &DeriveInput, data: &DataStruct, options: &Options) -> Result<TokenStream> {
    let name = &item.ident;
    let fields = fields(&data.fields)?;
    let (names, types): (Vec<_>, Vec<_>) = fields.iter().cloned().unzip();
    let sig = signature(&fields);
    let star = if fields.is_empty() { quote!() } else { quote!(*,) };
    let text = name.to_string();
    let (derives, eq, repr) = if options.secret {
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
    // Kotlin and Swift print every field of a record unless Rust says otherwise.
    let (print, display) = if options.secret {
        (
            quote!(#[cfg_attr(feature = "mobile", ::uniffi::export(Display))]),
            quote! {
                #[cfg(feature = "mobile")]
                impl ::std::fmt::Display for #name {
                    fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                        f.write_str(concat!(#text, "(…)"))
                    }
                }
            },
        )
    } else {
        (quote!(), quote!())
    };
    let read = read(&fields, &text);
    let from_js = from_js(name, &quote!(Ok(Self { #read })));
    let to_js = to_js(name, &fields);
    let default = options.default.then(|| quote!(#[derive(Default)]));
    Ok(quote! {
        #derives
        #default
        #[cfg_attr(feature = "python", ::pyo3::pyclass(get_all, frozen, #eq from_py_object, module = "atom_py"))]
        #[cfg_attr(feature = "node", ::napi_derive::napi(object, object_from_js = false, object_to_js = false))]
        #[cfg_attr(feature = "mobile", derive(::uniffi::Record))]
        #print
        #item

        #display

        #from_js

        #to_js

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

/// `a: …, b: …`: the fields of a JavaScript object.
fn read(fields: &[(Ident, Type)], of: &str) -> TokenStream {
    let names = fields.iter().map(|(name, _)| name);
    let texts = fields.iter().map(|(name, _)| camel(&name.to_string()));
    quote!(#(#names: crate::bridge::node::field(&object, #of, #texts)?),*)
}

/// Reads an `object` of JavaScript. Napi would do it too, but it refuses `null` where a field may be absent.
fn from_js(name: &Ident, body: &TokenStream) -> TokenStream {
    quote! {
        #[cfg(feature = "node")]
        #[allow(unsafe_code)] // the conversion traits of napi are declared unsafe
        impl ::napi::bindgen_prelude::FromNapiValue for #name {
            unsafe fn from_napi_value(env: ::napi::sys::napi_env, value: ::napi::sys::napi_value) -> ::napi::Result<Self> {
                // SAFETY: the caller vouches for `env` and `value`.
                let object = unsafe { ::napi::bindgen_prelude::Object::from_napi_value(env, value) }?;
                #body
            }
        }
    }
}

/// Makes an `object` of JavaScript.
fn to_js(name: &Ident, fields: &[(Ident, Type)]) -> TokenStream {
    let node = quote!(crate::bridge::node);
    let (mut members, mut values) = (Vec::new(), Vec::new());
    for (field, ty) in fields {
        let text = camel(&field.to_string());
        let (member, value) = if check::is(ty, "Option") {
            (quote!(Optional(#text)), quote!(#node::optional(env, #field)?))
        } else if check::is(ty, "RawRecord") && text == "raw" {
            (quote!(Raw), quote!(#node::raw(env, &#field)?))
        } else {
            (quote!(Always(#text)), quote!(::napi::bindgen_prelude::ToNapiValue::to_napi_value(env, #field)?))
        };
        members.push(quote!(#node::Member::#member));
        values.push(value);
    }
    let (names, count) = (fields.iter().map(|(field, _)| field), fields.len());
    quote! {
        #[cfg(feature = "node")]
        #[allow(unsafe_code, unused_unsafe)] // the conversion traits of napi are declared unsafe
        impl ::napi::bindgen_prelude::ToNapiValue for #name {
            unsafe fn to_napi_value(env: ::napi::sys::napi_env, value: Self) -> ::napi::Result<::napi::sys::napi_value> {
                ::std::thread_local!(static MAKER: #node::Maker = const { #node::Maker::new(&[#(#members),*]) });
                let Self { #(#names),* } = value;
                // SAFETY: the caller vouches for `env`.
                let values: [::napi::sys::napi_value; #count] = unsafe { [#(#values),*] };
                MAKER.with(|maker| maker.make(env, &values))
            }
        }
    }
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

fn tagged_enum(item: &DeriveInput, data: &DataEnum, options: &Options) -> Result<TokenStream> {
    let name = &item.ident;
    // What prints a variant prints its fields, and those of records with secrets print nothing.
    let (derives, eq) = if options.secret {
        (quote!(#[derive(Clone)]), quote!())
    } else {
        (
            quote! {
                #[derive(Clone, Debug, PartialEq, ::serde::Serialize, ::serde::Deserialize)]
                #[serde(tag = "type", rename_all = "snake_case")]
            },
            quote!(eq,),
        )
    };
    // The same enum twice: `pyclass` does not look inside a `cfg_attr`, so its attribute on a variant cannot be conditional.
    let mut for_python = item.clone();
    if let Data::Enum(python) = &mut for_python.data {
        for (variant, original) in python.variants.iter_mut().zip(&data.variants) {
            let sig = signature(&fields(&original.fields)?);
            variant.attrs.push(syn::parse_quote!(#[pyo3(constructor = (#(#sig),*))]));
        }
    }
    let mut arms = Vec::new();
    for variant in &data.variants {
        let (ident, read) = (&variant.ident, read(&fields(&variant.fields)?, &name.to_string()));
        let text = snake(&ident.to_string());
        arms.push(quote!(#text => Ok(Self::#ident { #read }),));
    }
    let from_js = from_js(
        name,
        &quote! {
            let variant: String = crate::bridge::node::field(&object, stringify!(#name), "type")?;
            match variant.as_str() {
                #(#arms)*
                _ => Err(::napi::Error::from_reason(format!("`{variant}` is not a variant of {}", stringify!(#name)))),
            }
        },
    );
    let common = quote! {
        #derives
        #[cfg_attr(feature = "node", ::napi_derive::napi(discriminant = "type", discriminant_case = "snake_case", object_from_js = false))]
        #[cfg_attr(feature = "mobile", derive(::uniffi::Enum))]
    };
    Ok(quote! {
        #[cfg(feature = "python")]
        #common
        #[::pyo3::pyclass(frozen, #eq from_py_object, module = "atom_py")]
        #for_python

        #[cfg(not(feature = "python"))]
        #common
        #item

        #from_js

        #[cfg(feature = "python")]
        #[::pyo3::pymethods]
        impl #name {
            fn __repr__(this: &::pyo3::Bound<'_, Self>) -> ::pyo3::PyResult<String> {
                crate::bridge::python::repr_variant(this.as_any())
            }
        }
    })
}
