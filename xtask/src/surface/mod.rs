//! What atom-core offers to other languages, read from its sources: the items under `#[model]`, `#[handle]`, `#[api]`
//! and `#[id]`.

mod modules;
mod types;

pub(crate) use modules::{Module, Tree, is_test};
pub(crate) use types::Type;

use crate::{Result, shell};
use quote::ToTokens;
use syn::{Attribute, Expr, Fields, FnArg, ImplItem, Lit, Meta, Pat, ReturnType, Visibility};

/// Everything that crosses a border, sorted by name.
pub(crate) struct Surface {
    pub(crate) items: Vec<Item>,
}

pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) docs: Vec<String>,
    pub(crate) kind: Kind,
    /// The module to import it from: `atom_core::testing`.
    pub(crate) path: String,
    /// The cargo features without which it does not exist.
    pub(crate) features: Vec<String>,
}

pub(crate) enum Kind {
    Id,
    /// A secret one cannot be printed or compared.
    Record {
        fields: Vec<Field>,
        secret: bool,
    },
    StringEnum(Vec<Variant>),
    TaggedEnum(Vec<Variant>),
    Handle(Vec<Method>),
}

pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) docs: Vec<String>,
    pub(crate) ty: Type,
}

pub(crate) struct Variant {
    pub(crate) name: String,
    pub(crate) docs: Vec<String>,
    pub(crate) fields: Vec<Field>,
}

pub(crate) struct Method {
    pub(crate) name: String,
    pub(crate) docs: Vec<String>,
    pub(crate) shape: Shape,
    pub(crate) args: Vec<Field>,
    pub(crate) output: Type,
}

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    Async,
    Constructor,
    Property,
}

impl Method {
    /// What the stream gives whose `next` this is.
    pub(crate) fn item(&self) -> Option<&Type> {
        match &self.output {
            Type::Optional(item) if self.name == "next" => Some(item),
            _ => None,
        }
    }

    /// Whether it ends what the handle stands for.
    pub(crate) fn is_end(&self) -> bool {
        matches!(self.name.as_str(), "stop" | "shut_down")
            && self.shape == Shape::Async
            && self.args.is_empty()
            && self.output == Type::Unit
    }
}

impl Surface {
    pub(crate) fn read() -> Result<Self> {
        let tree = Tree::read(&shell::root().join("atom-core/src/lib.rs"))?;
        let mut items = Vec::new();
        for module in &tree.modules {
            for item in &module.items {
                items.extend(declared(&tree, module, item).map_err(|e| format!("{}: {e}", module.file.display()))?);
            }
        }
        for module in &tree.modules {
            for item in &module.items {
                add_methods(&mut items, item).map_err(|e| format!("{}: {e}", module.file.display()))?;
            }
        }
        items.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(pair) = items.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(format!("`{}` is declared twice: other languages have one namespace", pair[0].name).into());
        }
        let surface = Self { items };
        surface.check_names()?;
        Ok(surface)
    }

    /// The values that become classes of the Python module.
    pub(crate) fn classes(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| !matches!(item.kind, Kind::Id))
    }

    /// Every type that is named must be known, or it would be missing in the other languages.
    fn check_names(&self) -> Result<()> {
        for item in &self.items {
            let mut named = Vec::new();
            match &item.kind {
                Kind::Id => {}
                Kind::Record { fields, .. } => fields.iter().for_each(|f| f.ty.names(&mut named)),
                Kind::StringEnum(variants) | Kind::TaggedEnum(variants) => {
                    variants.iter().flat_map(|v| &v.fields).for_each(|f| f.ty.names(&mut named));
                }
                Kind::Handle(methods) => {
                    for method in methods {
                        method.args.iter().for_each(|f| f.ty.names(&mut named));
                        method.output.names(&mut named);
                    }
                }
            }
            if let Some(unknown) = named.iter().find(|n| !self.items.iter().any(|i| i.name == **n)) {
                return Err(format!("`{}` uses `{unknown}`, which is no #[model], #[handle] or #[id]", item.name).into());
            }
        }
        Ok(())
    }
}

fn has(attrs: &[Attribute], name: &str) -> bool {
    attrs.iter().any(|a| a.path().segments.last().is_some_and(|s| s.ident == name))
}

/// The item that a declaration gives, without the methods of a handle.
fn declared(tree: &Tree, module: &Module, item: &syn::Item) -> Result<Option<Item>> {
    let (attrs, ident, kind) = match item {
        syn::Item::Struct(s) if has(&s.attrs, "id") => (&s.attrs, &s.ident, Kind::Id),
        syn::Item::Struct(s) if has(&s.attrs, "handle") => (&s.attrs, &s.ident, Kind::Handle(vec![])),
        syn::Item::Struct(s) if has(&s.attrs, "model") => {
            let secret = s.attrs.iter().any(|a| matches!(&a.meta, Meta::List(list) if list.tokens.to_string().split(", ").any(|option| option.trim() == "secret")));
            (&s.attrs, &s.ident, Kind::Record { fields: fields(&s.fields, None)?, secret })
        }
        syn::Item::Enum(e) if has(&e.attrs, "model") => {
            let list = e.variants.iter().map(variant).collect::<Result<Vec<_>>>()?;
            let plain = list.iter().all(|v| v.fields.is_empty());
            (&e.attrs, &e.ident, if plain { Kind::StringEnum(list) } else { Kind::TaggedEnum(list) })
        }
        _ => return Ok(None),
    };
    let name = ident.to_string();
    let Some(path) = tree.public_path(module, &name) else {
        return Err(format!("`{name}` cannot be reached from outside the crate: add a `pub use`").into());
    };
    let mut features = module.features.clone();
    features.extend(modules::features(attrs));
    features.sort();
    features.dedup();
    Ok(Some(Item { name, docs: docs(attrs), kind, path, features }))
}

fn variant(v: &syn::Variant) -> Result<Variant> {
    let name = v.ident.to_string();
    // serde, napi, pyo3 and UniFFI would each make another `snake_case` of it.
    let doubled = name.as_bytes().windows(2).any(|w| w[0].is_ascii_uppercase() && w[1].is_ascii_uppercase());
    if doubled || name.contains(|c: char| c.is_ascii_digit()) {
        return Err(format!("variant `{name}`: write acronyms as words and numbers in letters").into());
    }
    Ok(Variant { name, docs: docs(&v.attrs), fields: fields(&v.fields, None)? })
}

fn field(ident: &syn::Ident, attrs: &[Attribute], ty: &syn::Type, this: Option<&str>) -> Result<Field> {
    let name = ident.to_string();
    // napi makes `x2_y` of `x2y`, the others do not.
    if name.as_bytes().windows(2).any(|w| w[0].is_ascii_digit() && w[1].is_ascii_alphabetic()) {
        return Err(format!("`{name}`: put no letter right after a digit").into());
    }
    Ok(Field { name, docs: docs(attrs), ty: Type::parse(ty, this)? })
}

/// Required fields first, as the constructors want them.
fn fields(fields: &Fields, this: Option<&str>) -> Result<Vec<Field>> {
    let mut list = Vec::new();
    for f in fields {
        let Some(ident) = &f.ident else { return Err("fields need names in other languages".into()) };
        list.push(field(ident, &f.attrs, &f.ty, this)?);
    }
    list.sort_by_key(|f| f.ty.is_optional());
    Ok(list)
}

fn add_methods(items: &mut [Item], item: &syn::Item) -> Result<()> {
    let syn::Item::Impl(block) = item else { return Ok(()) };
    if !has(&block.attrs, "api") {
        return Ok(());
    }
    let this = block.self_ty.to_token_stream().to_string();
    let handle = items.iter_mut().find(|i| i.name == this);
    let Some(Item { kind: Kind::Handle(methods), .. }) = handle else {
        return Err(format!("#[api] on `{this}`, which is no #[handle]").into());
    };
    for entry in &block.items {
        let ImplItem::Fn(f) = entry else { continue };
        if matches!(f.vis, Visibility::Public(_)) {
            methods.push(method(f, &this)?);
        }
    }
    Ok(())
}

fn method(f: &syn::ImplItemFn, this: &str) -> Result<Method> {
    let mut args = Vec::new();
    for arg in &f.sig.inputs {
        let FnArg::Typed(arg) = arg else { continue };
        let Pat::Ident(pat) = &*arg.pat else { return Err("an argument needs a plain name".into()) };
        args.push(field(&pat.ident, &[], &arg.ty, Some(this))?);
    }
    let output = match &f.sig.output {
        ReturnType::Type(_, ty) => Type::parse(ty, Some(this))?,
        ReturnType::Default => Type::Unit,
    };
    let shape = match (f.sig.asyncness.is_some(), f.sig.receiver().is_some()) {
        (false, _) => Shape::Property,
        (true, true) => Shape::Async,
        (true, false) => Shape::Constructor,
    };
    Ok(Method { name: f.sig.ident.to_string(), docs: docs(&f.attrs), shape, args, output })
}

/// The doc comment, a line each, without examples in Rust and with links to Rust items reduced to their text.
fn docs(attrs: &[Attribute]) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut in_example = false;
    for attr in attrs.iter().filter(|a| a.path().is_ident("doc")) {
        let Meta::NameValue(pair) = &attr.meta else { continue };
        let Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. }) = &pair.value else { continue };
        for line in text.value().split('\n') {
            let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
            let is_fence = line.starts_with("```");
            in_example ^= is_fence;
            let doubled = line.is_empty() && lines.last().is_none_or(String::is_empty);
            if !is_fence && !in_example && !doubled {
                lines.push(unlink(line));
            }
        }
    }
    if lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// `[text](path::to::item)` and `` [`text`] `` without their brackets; links to the web stay.
fn unlink(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(open) = rest.find('[') {
        let Some(close) = rest[open..].find(']').map(|i| open + i) else { break };
        let (text, after) = (&rest[open + 1..close], &rest[close + 1..]);
        let target = after.strip_prefix('(').and_then(|a| a.split_once(')'));
        out.push_str(&rest[..open]);
        match target {
            Some((path, tail)) if !path.contains("://") => {
                out.push_str(text);
                rest = tail;
            }
            None if text.starts_with('`') => {
                out.push_str(text);
                rest = after;
            }
            _ => {
                out.push_str(&rest[open..=close]);
                rest = after;
            }
        }
    }
    out + rest
}

/// `VeryHeavy` as `very_heavy`.
pub(crate) fn snake(camel: &str) -> String {
    let mut out = String::new();
    for (i, c) in camel.chars().enumerate() {
        if c.is_ascii_uppercase() && i > 0 {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// `echo_many` as `echoMany`.
pub(crate) fn camel(snake: &str) -> String {
    let mut words = snake.split('_');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(word.len().min(1));
        out.push_str(&first.to_ascii_uppercase());
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_rust_items_become_plain_text_and_links_to_the_web_stay() {
        assert_eq!(unlink("see [`kind`](Error::kind) and [`Atom`]"), "see `kind` and `Atom`");
        assert_eq!(unlink("the [RFC](https://example.com/rfc) [1]"), "the [RFC](https://example.com/rfc) [1]");
    }

    #[test]
    fn docs_keep_their_paragraphs_and_lose_their_rust_examples() {
        let item: syn::ItemStruct = syn::parse_quote! {
            /// First.
            ///
            /// ```
            /// let rust = 1;
            /// ```
            ///
            /// Second.
            struct S;
        };
        assert_eq!(docs(&item.attrs), ["First.", "", "Second."]);
    }

    #[test]
    fn names_change_their_case_like_the_macros_do() {
        assert_eq!(camel("echo_many"), "echoMany");
        assert_eq!(snake("VeryHeavy"), "very_heavy");
    }
}
