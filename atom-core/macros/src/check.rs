//! What may not cross the border, refused with the reason.

use quote::ToTokens;
use syn::{Error, Generics, Ident, Result, Type};

/// Words that are reserved as a name in Python, TypeScript, Kotlin or Swift, or that one of the generators cannot escape.
const RESERVED: &[&str] = &[
    "and",
    "as",
    "assert",
    "async",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "def",
    "default",
    "del",
    "delete",
    "do",
    "elif",
    "else",
    "enum",
    "eval",
    "except",
    "export",
    "extends",
    "extension",
    "false",
    "finally",
    "for",
    "from",
    "fun",
    "func",
    "function",
    "global",
    "guard",
    "if",
    "implements",
    "import",
    "in",
    "init",
    "instanceof",
    "interface",
    "internal",
    "is",
    "lambda",
    "let",
    "message",
    "new",
    "nil",
    "none",
    "nonlocal",
    "not",
    "null",
    "object",
    "operator",
    "or",
    "package",
    "pass",
    "private",
    "protected",
    "protocol",
    "public",
    "raise",
    "repeat",
    "rethrows",
    "return",
    "static",
    "struct",
    "subscript",
    "super",
    "switch",
    "this",
    "throw",
    "throws",
    "true",
    "try",
    "typealias",
    "typeof",
    "val",
    "var",
    "void",
    "when",
    "where",
    "while",
    "with",
    "yield",
];

/// Names that every object has in Kotlin, Swift or JavaScript.
const TAKEN_METHODS: &[&str] = &["close", "constructor", "destroy", "equals", "hash_code", "hash_value", "to_string"];

/// Types that the generated Kotlin imports from its coroutines.
const TAKEN_TYPES: &[&str] = &["Job"];

/// Refuses a name that some language cannot use.
pub(crate) fn name(ident: &Ident, what: &str) -> Result<()> {
    let text = ident.to_string();
    let bare = text.trim_start_matches("r#");
    if text.starts_with("r#") || RESERVED.contains(&bare.to_ascii_lowercase().as_str()) {
        return Err(Error::new(
            ident.span(),
            format!("`{bare}` is a reserved word in Python, TypeScript, Kotlin or Swift: choose another {what} name"),
        ));
    }
    if what == "method" && TAKEN_METHODS.contains(&bare) {
        return Err(Error::new(
            ident.span(),
            format!("every object has a `{bare}` of its own in Kotlin, Swift or JavaScript: choose another method name"),
        ));
    }
    if what == "type" && TAKEN_TYPES.contains(&bare) {
        return Err(Error::new(
            ident.span(),
            format!("Kotlin's coroutines have a `{bare}` of their own: choose another type name"),
        ));
    }
    if bare.starts_with('_') {
        return Err(Error::new(
            ident.span(),
            format!("a {what} name that starts with an underscore is private in Python: choose another"),
        ));
    }
    Ok(())
}

/// Refuses generic parameters, which have no counterpart beyond the border.
pub(crate) fn no_generics(generics: &Generics) -> Result<()> {
    if generics.params.is_empty() && generics.where_clause.is_none() {
        return Ok(());
    }
    Err(Error::new_spanned(generics, "generics do not cross a language border: write one concrete type per use"))
}

/// Refuses types that some language cannot hold.
pub(crate) fn ty(ty: &Type) -> Result<()> {
    let refuse = |why: &str| Err(Error::new_spanned(ty, why));
    match ty {
        Type::Tuple(tuple) if tuple.elems.is_empty() => Ok(()),
        Type::Tuple(_) => refuse("tuples have no field names in other languages: declare a #[model]"),
        Type::Reference(_) => refuse("references do not cross a language border: take an owned value"),
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else { return Ok(()) };
            match last.ident.to_string().as_str() {
                "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => {
                    refuse("unsigned integers become a type of their own in Kotlin and lose range in JavaScript: use i32 or i64")
                }
                "i8" | "i16" | "i128" | "isize" => refuse("use i32 or i64, the integers that every language has"),
                "f32" => refuse("use f64, the only float of Python and JavaScript"),
                "str" | "Box" | "Rc" | "Arc" | "Cow" => refuse("use the plain owned type"),
                "Option" => {
                    let inner = argument(ty);
                    if inner.as_ref().is_some_and(|t| is(t, "Option")) {
                        return refuse("None and Some(None) look the same in other languages: add a `clear` list or an enum");
                    }
                    inner.map_or(Ok(()), |t| self::ty(&t))
                }
                _ => arguments(ty).iter().try_for_each(self::ty),
            }
        }
        _ => refuse("this type does not cross a language border"),
    }
}

/// Refuses what a host only gives and never gets.
pub(crate) fn goes_out(ty: &Type) -> Result<()> {
    if is(ty, "Handler") {
        return Err(Error::new_spanned(ty, "a handler is a function of the host: take it as an argument of a method"));
    }
    if is(ty, "HostKey") {
        return Err(Error::new_spanned(ty, "a key provider is an object of the host: take it as an argument of a method"));
    }
    if is(ty, "HostHook") {
        return Err(Error::new_spanned(ty, "a hook is a function of the host: take it as an argument of a method"));
    }
    if is(ty, "HostMailSender") {
        return Err(Error::new_spanned(ty, "a mail sender is an object of the host: take it as an argument of a method"));
    }
    arguments(ty).iter().try_for_each(goes_out)
}

/// True if the last segment of the type's path is `name`.
pub(crate) fn is(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(p) if p.path.segments.last().is_some_and(|s| s.ident == name))
}

/// The first type argument: `T` of `Option<T>`.
pub(crate) fn argument(ty: &Type) -> Option<Type> {
    arguments(ty).into_iter().next()
}

fn arguments(ty: &Type) -> Vec<Type> {
    let Type::Path(path) = ty else { return vec![] };
    let Some(syn::PathArguments::AngleBracketed(list)) = path.path.segments.last().map(|s| &s.arguments) else { return vec![] };
    list.args.iter().filter_map(|a| if let syn::GenericArgument::Type(t) = a { Some(t.clone()) } else { None }).collect()
}

/// An error that points at any piece of syntax.
pub(crate) fn error<T>(at: &impl ToTokens, why: &str) -> Result<T> {
    Err(Error::new_spanned(at, why))
}
