//! `#[handle]` and `#[api]`.

use crate::{check, model::signature};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Attribute, FnArg, Ident, ImplItem, ImplItemFn, ItemImpl, ItemStruct, Pat, Result, ReturnType, Type, Visibility};

pub(crate) fn expand_handle(item: ItemStruct) -> Result<TokenStream> {
    check::no_generics(&item.generics)?;
    check::name(&item.ident, "type")?;
    Ok(quote! {
        #[derive(Clone)]
        #[cfg_attr(feature = "python", ::pyo3::pyclass(frozen, module = "atom_py"))]
        #[cfg_attr(feature = "node", ::napi_derive::napi)]
        #[cfg_attr(feature = "mobile", derive(::uniffi::Object))]
        #item
    })
}

/// One public method, taken apart and checked.
struct Method<'a> {
    name: &'a Ident,
    docs: Vec<&'a Attribute>,
    args: Vec<(Ident, Type)>,
    /// `T` of `Result<T>` for an async method, the plain type for a property.
    output: Type,
    shape: Shape,
    /// `T`, for the `next` of a stream of `T`.
    item: Option<Type>,
}

#[derive(PartialEq)]
enum Shape {
    Async,
    Constructor,
    Property,
}

impl<'a> Method<'a> {
    fn parse(f: &'a ImplItemFn) -> Result<Self> {
        let name = &f.sig.ident;
        check::name(name, "method")?;
        check::no_generics(&f.sig.generics)?;
        let mut args = Vec::new();
        for arg in &f.sig.inputs {
            let FnArg::Typed(arg) = arg else { continue };
            let Pat::Ident(pat) = &*arg.pat else { return check::error(&arg.pat, "a plain argument name is needed") };
            check::name(&pat.ident, "argument")?;
            check::ty(&arg.ty)?;
            args.push((pat.ident.clone(), (*arg.ty).clone()));
        }
        if args.windows(2).any(|w| check::is(&w[0].1, "Option") && !check::is(&w[1].1, "Option")) {
            return check::error(&f.sig.inputs, "optional arguments come last: Python needs it");
        }
        let declared = match &f.sig.output {
            ReturnType::Type(_, ty) => (**ty).clone(),
            ReturnType::Default => syn::parse_quote!(()),
        };
        let has_self = f.sig.receiver().is_some();
        let shape = match (f.sig.asyncness.is_some(), has_self) {
            (true, true) => Shape::Async,
            (true, false) => Shape::Constructor,
            (false, true) if args.is_empty() => Shape::Property,
            (false, true) => return check::error(&f.sig, "a method with arguments must be async: a property has none"),
            (false, false) => {
                return check::error(&f.sig, "a static method must be an async constructor: `async fn open(…) -> Result<Self>`");
            }
        };
        let output = if shape == Shape::Property {
            declared
        } else {
            if !check::is(&declared, "Result") {
                return check::error(&f.sig, "an async method returns Result<T>");
            }
            let Some(ok) = check::argument(&declared) else { return check::error(&f.sig, "an async method returns Result<T>") };
            ok
        };
        check::ty(&output)?;
        if shape == Shape::Constructor && !check::is(&output, "Self") {
            return check::error(&f.sig, "a static method must be an async constructor: `async fn open(…) -> Result<Self>`");
        }
        check::goes_out(&output)?;
        let item = if name == "next" { Some(item(f, &shape, &args, &output)?) } else { None };
        let docs = f.attrs.iter().filter(|a| a.path().is_ident("doc") || a.path().is_ident("cfg")).collect();
        Ok(Self { name, docs, args, output, shape, item })
    }

    /// Whether it ends what the handle stands for.
    fn is_end(&self) -> bool {
        let returns_nothing = matches!(&self.output, Type::Tuple(tuple) if tuple.elems.is_empty());
        (self.name == "stop" || self.name == "shut_down") && self.shape == Shape::Async && self.args.is_empty() && returns_nothing
    }

    fn parts(&self) -> (Vec<&Ident>, Vec<TokenStream>) {
        (self.args.iter().map(|(n, _)| n).collect(), self.args.iter().map(|(n, t)| quote!(#n: #t)).collect())
    }

    fn python(&self, this: &Type) -> TokenStream {
        let Self { name, docs, output, .. } = self;
        let (names, params) = self.parts();
        let sig = signature(&self.args);
        let (text, blocking) = (name.to_string(), format!("{name}_blocking"));
        let (f, b) = (format_ident!("__py_{name}"), format_ident!("__py_{name}_blocking"));
        let (me, attr, call, ok) = match self.shape {
            Shape::Property => return quote! { #(#docs)* #[getter(#name)] fn #f(&self) -> #output { self.#name() } },
            Shape::Async => (quote!(&self,), quote!(), quote!(this.#name), quote!(#output)),
            Shape::Constructor => (quote!(), quote!(#[staticmethod]), quote!(<#this>::#name), quote!(#this)),
        };
        let this = if self.shape == Shape::Async { quote!(let this = self.clone();) } else { quote!() };
        let iteration = self.item.as_ref().map(iteration);
        let context = self.is_end().then(|| context(name));
        quote! {
            #iteration
            #context
            #(#docs)*
            #attr
            #[pyo3(name = #text, signature = (#(#sig),*))]
            fn #f<'py>(#me py: ::pyo3::Python<'py>, #(#params),*) -> ::pyo3::PyResult<::pyo3::Bound<'py, ::pyo3::PyAny>> {
                #this
                crate::bridge::python::awaitable(py, async move { #call(#(#names),*).await })
            }
            #(#docs)*
            #attr
            #[pyo3(name = #blocking, signature = (#(#sig),*))]
            fn #b(#me py: ::pyo3::Python<'_>, #(#params),*) -> ::pyo3::PyResult<#ok> {
                #this
                crate::bridge::python::blocking(py, async move { #call(#(#names),*).await })
            }
        }
    }

    fn node(&self, this: &Type) -> TokenStream {
        let Self { name, docs, output, .. } = self;
        let (names, params) = self.parts();
        let js = camel(&name.to_string());
        let f = format_ident!("__js_{name}");
        let (me, call, ok) = match self.shape {
            Shape::Property => {
                return quote! { #(#docs)* #[napi(getter, js_name = #js)] pub fn #f(&self) -> #output { self.#name() } };
            }
            Shape::Async => (quote!(&self,), quote!(this.#name), quote!(#output)),
            Shape::Constructor => (quote!(), quote!(<#this>::#name), quote!(#this)),
        };
        let this = if self.shape == Shape::Async { quote!(let this = self.clone();) } else { quote!() };
        quote! {
            #(#docs)*
            #[napi(js_name = #js)]
            pub fn #f<'env>(#me env: &'env ::napi::Env, #(#params),*) -> ::napi::Result<::napi::bindgen_prelude::PromiseRaw<'env, #ok>> {
                #this
                crate::bridge::node::promise(env, async move { #call(#(#names),*).await })
            }
        }
    }

    fn mobile(&self) -> TokenStream {
        let Self { name, docs, output, .. } = self;
        let (names, params) = self.parts();
        let (text, f) = (name.to_string(), format_ident!("__ffi_{name}"));
        let optional = self.args.iter().filter(|(_, ty)| check::is(ty, "Option")).map(|(n, _)| n);
        let defaults = quote!(default(#(#optional = None),*));
        match self.shape {
            Shape::Property => quote! { #(#docs)* #[uniffi::method(name = #text)] pub fn #f(&self) -> #output { self.#name() } },
            Shape::Async => quote! {
                #(#docs)*
                #[uniffi::method(name = #text, #defaults)]
                pub async fn #f(&self, #(#params),*) -> ::std::result::Result<#output, crate::bridge::mobile::AtomError> {
                    let this = self.clone();
                    Ok(crate::bridge::mobile::task(async move { this.#name(#(#names),*).await }).await?)
                }
            },
            Shape::Constructor => quote! {
                #(#docs)*
                #[uniffi::constructor(name = #text, #defaults)]
                pub async fn #f(#(#params),*) -> ::std::result::Result<Self, crate::bridge::mobile::AtomError> {
                    Ok(crate::bridge::mobile::task(Self::#name(#(#names),*)).await?)
                }
            },
        }
    }
}

/// What a stream gives, from its `next`.
fn item(f: &ImplItemFn, shape: &Shape, args: &[(Ident, Type)], output: &Type) -> Result<Type> {
    let item = if check::is(output, "Option") { check::argument(output) } else { None };
    match item {
        Some(item) if *shape == Shape::Async && args.is_empty() => Ok(item),
        _ => check::error(&f.sig, "a handle with a `next` is a stream: `pub async fn next(&self) -> Result<Option<T>>`"),
    }
}

/// `async for` and `for`.
fn iteration(item: &Type) -> TokenStream {
    quote! {
        fn __aiter__(this: ::pyo3::PyRef<'_, Self>) -> ::pyo3::PyRef<'_, Self> {
            this
        }
        fn __anext__<'py>(&self, py: ::pyo3::Python<'py>) -> ::pyo3::PyResult<::pyo3::Bound<'py, ::pyo3::PyAny>> {
            let this = self.clone();
            crate::bridge::python::awaitable_next(py, async move { this.next().await })
        }
        fn __iter__(this: ::pyo3::PyRef<'_, Self>) -> ::pyo3::PyRef<'_, Self> {
            this
        }
        fn __next__(&self, py: ::pyo3::Python<'_>) -> ::pyo3::PyResult<::std::option::Option<#item>> {
            let this = self.clone();
            crate::bridge::python::blocking(py, async move { this.next().await })
        }
    }
}

/// `async with` and `with`.
fn context(end: &Ident) -> TokenStream {
    quote! {
        fn __aenter__<'py>(&self, py: ::pyo3::Python<'py>) -> ::pyo3::PyResult<::pyo3::Bound<'py, ::pyo3::PyAny>> {
            let this = self.clone();
            crate::bridge::python::awaitable(py, async move { Ok(this) })
        }
        fn __aexit__<'py>(
            &self,
            py: ::pyo3::Python<'py>,
            kind: ::pyo3::Bound<'py, ::pyo3::PyAny>,
            error: ::pyo3::Bound<'py, ::pyo3::PyAny>,
            traceback: ::pyo3::Bound<'py, ::pyo3::PyAny>,
        ) -> ::pyo3::PyResult<::pyo3::Bound<'py, ::pyo3::PyAny>> {
            let _ = (kind, error, traceback);
            let this = self.clone();
            crate::bridge::python::awaitable(py, async move { this.#end().await })
        }
        fn __enter__(this: ::pyo3::PyRef<'_, Self>) -> ::pyo3::PyRef<'_, Self> {
            this
        }
        fn __exit__(
            &self,
            py: ::pyo3::Python<'_>,
            kind: ::pyo3::Bound<'_, ::pyo3::PyAny>,
            error: ::pyo3::Bound<'_, ::pyo3::PyAny>,
            traceback: ::pyo3::Bound<'_, ::pyo3::PyAny>,
        ) -> ::pyo3::PyResult<()> {
            let _ = (kind, error, traceback);
            let this = self.clone();
            crate::bridge::python::blocking(py, async move { this.#end().await })
        }
    }
}

pub(crate) fn expand(item: ItemImpl) -> Result<TokenStream> {
    check::no_generics(&item.generics)?;
    let this = &*item.self_ty;
    let (mut python, mut node, mut mobile) = (Vec::new(), Vec::new(), Vec::new());
    let mut any_async = false;
    for entry in &item.items {
        let ImplItem::Fn(f) = entry else { continue };
        if !matches!(f.vis, Visibility::Public(_)) {
            continue;
        }
        let method = Method::parse(f)?;
        any_async |= method.shape != Shape::Property;
        python.push(method.python(this));
        node.push(method.node(this));
        mobile.push(method.mobile());
    }
    // UniFFI refuses a runtime where nothing is async.
    let runtime = if any_async { quote!(async_runtime = "tokio") } else { quote!() };
    Ok(quote! {
        #item

        #[cfg(feature = "python")]
        #[::pyo3::pymethods]
        #[allow(missing_docs, clippy::too_many_arguments)]
        impl #this { #(#python)* }

        #[cfg(feature = "node")]
        const _: () = {
            use ::napi_derive::napi;
            #[napi]
            #[allow(missing_docs, clippy::too_many_arguments)]
            impl #this { #(#node)* }
        };

        #[cfg(feature = "mobile")]
        #[::uniffi::export(#runtime)]
        #[allow(missing_docs, clippy::too_many_arguments)]
        impl #this { #(#mobile)* }
    })
}

pub(crate) fn camel(snake: &str) -> String {
    let mut out = String::with_capacity(snake.len());
    let mut upper = false;
    for c in snake.chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                out.push(c.to_ascii_uppercase());
                upper = false;
            }
            c => out.push(c),
        }
    }
    out
}
