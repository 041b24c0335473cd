//! The module tree of a crate: which file holds what, and by which public path an item is reached.

use crate::Result;
use std::path::{Path, PathBuf};
use syn::{Attribute, Item, Meta, UseTree, Visibility};

pub(crate) struct Tree {
    pub(crate) modules: Vec<Module>,
}

#[derive(Default)]
pub(crate) struct Module {
    /// Names from the crate root: `["testing", "probe"]`.
    pub(crate) path: Vec<String>,
    pub(crate) file: PathBuf,
    pub(crate) items: Vec<Item>,
    /// The cargo features without which the module does not exist.
    pub(crate) features: Vec<String>,
    public: bool,
    exports: Vec<Export>,
}

/// One `pub use`; the name is `*` for all of a module.
struct Export {
    from: Vec<String>,
    name: String,
    alias: String,
}

impl Tree {
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let mut tree = Self { modules: Vec::new() };
        let module = Module { file: root.to_owned(), public: true, ..Module::default() };
        tree.add(module, root.parent().unwrap_or(root), parse(root)?.items)?;
        Ok(tree)
    }

    /// `folder` is where the files of the modules declared here live.
    fn add(&mut self, mut module: Module, folder: &Path, items: Vec<Item>) -> Result<()> {
        let mut children = Vec::new();
        for item in items {
            match item {
                Item::Mod(child) if !is_test(&child.attrs) => children.push(child),
                Item::Mod(_) => {}
                Item::Use(import) => {
                    if matches!(import.vis, Visibility::Public(_)) {
                        flatten(&import.tree, &mut vec![], &mut module.exports);
                    }
                    module.items.push(Item::Use(import));
                }
                other => module.items.push(other),
            }
        }
        for export in &mut module.exports {
            export.from = absolute(&module.path, &export.from);
        }
        let at = self.modules.len();
        self.modules.push(module);
        for child in children {
            let (parent, name) = (&self.modules[at], child.ident.to_string());
            let mut module = Module {
                path: [&parent.path[..], std::slice::from_ref(&name)].concat(),
                file: parent.file.clone(),
                features: [&parent.features[..], &features(&child.attrs)].concat(),
                public: matches!(child.vis, Visibility::Public(_)),
                ..Module::default()
            };
            let nested = folder.join(&name);
            let items = if let Some((_, items)) = child.content {
                items
            } else {
                let flat = folder.join(format!("{name}.rs"));
                module.file = if flat.exists() { flat } else { nested.join("mod.rs") };
                parse(&module.file)?.items
            };
            self.add(module, &nested, items)?;
        }
        Ok(())
    }

    fn module(&self, path: &[String]) -> Option<&Module> {
        self.modules.iter().find(|m| m.path == path)
    }

    /// Where the item behind `crate::…` really lives: a name that the crate root re-exports is followed once.
    pub(crate) fn resolve(&self, path: &[String]) -> Vec<String> {
        let exports = self.module(&[]).map(|root| root.exports.as_slice()).unwrap_or_default();
        match (path, exports.iter().find(|e| path.first() == Some(&e.alias))) {
            ([_, rest @ ..], Some(export)) => [&export.from[..], std::slice::from_ref(&export.name), rest].concat(),
            _ => path.to_vec(),
        }
    }

    /// The shortest path from outside to the item `name` of `module`, without the name.
    pub(crate) fn public_path(&self, module: &Module, name: &str) -> Option<String> {
        let mut open: Vec<&Module> = self.modules.iter().filter(|m| self.is_public(m)).collect();
        open.sort_by_key(|m| m.path.len());
        let found = open.into_iter().find(|m| self.offers(m, module, name, 0))?;
        Some([&["atom_core".to_owned()], found.path.as_slice()].concat().join("::"))
    }

    fn is_public(&self, module: &Module) -> bool {
        (0..=module.path.len()).all(|n| self.module(&module.path[..n]).is_some_and(|m| m.public))
    }

    /// Whether `name` of `home` can be named as an item of `module`, under its own name.
    fn offers(&self, module: &Module, home: &Module, name: &str, depth: usize) -> bool {
        // Globs may run in a circle.
        if depth > 8 {
            return false;
        }
        std::ptr::eq(module, home)
            || module.exports.iter().any(|e| {
                let wanted = e.name == "*" || (e.name == name && e.alias == name);
                wanted && self.module(&e.from).is_some_and(|from| self.offers(from, home, name, depth + 1))
            })
    }
}

fn parse(file: &Path) -> Result<syn::File> {
    let text = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
    Ok(syn::parse_file(&text).map_err(|e| format!("{}: {e}", file.display()))?)
}

/// The paths that a `use` brings in, one by one.
fn flatten(tree: &UseTree, prefix: &mut Vec<String>, into: &mut Vec<Export>) {
    match tree {
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            flatten(&path.tree, prefix, into);
            prefix.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, prefix, into)),
        UseTree::Name(name) => {
            into.push(Export { from: prefix.clone(), name: name.ident.to_string(), alias: name.ident.to_string() });
        }
        UseTree::Rename(name) => {
            into.push(Export { from: prefix.clone(), name: name.ident.to_string(), alias: name.rename.to_string() });
        }
        UseTree::Glob(_) => into.push(Export { from: prefix.clone(), name: "*".into(), alias: "*".into() }),
    }
}

fn absolute(module: &[String], path: &[String]) -> Vec<String> {
    let mut base = module.to_vec();
    let mut rest = path;
    while let Some((first, tail)) = rest.split_first() {
        match first.as_str() {
            "crate" => base.clear(),
            "super" => {
                base.pop();
            }
            "self" => {}
            _ => break,
        }
        rest = tail;
    }
    base.extend_from_slice(rest);
    base
}

pub(crate) fn is_test(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|a| a.path().is_ident("cfg") && matches!(&a.meta, Meta::List(list) if list.tokens.to_string() == "test"))
}

/// The features of `#[cfg(feature = "…")]` attributes.
pub(crate) fn features(attrs: &[Attribute]) -> Vec<String> {
    let mut found = Vec::new();
    for attr in attrs.iter().filter(|a| a.path().is_ident("cfg")) {
        let named = attr.parse_args::<syn::MetaNameValue>();
        if let Ok(syn::MetaNameValue { path, value: syn::Expr::Lit(lit), .. }) = named
            && path.is_ident("feature")
            && let syn::Lit::Str(name) = lit.lit
        {
            found.push(name.value());
        }
    }
    found
}
