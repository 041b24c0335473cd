//! `#[id]`.

use crate::check;
use proc_macro2::TokenStream;
use quote::quote;
use syn::{Fields, ItemStruct, Result};

pub(crate) fn expand(item: ItemStruct) -> Result<TokenStream> {
    check::no_generics(&item.generics)?;
    check::name(&item.ident, "type")?;
    if !matches!(item.fields, Fields::Unit) {
        return check::error(&item.fields, "write `#[id] pub struct UserId;`: the id brings its own field");
    }
    let (attrs, vis, name) = (&item.attrs, &item.vis, &item.ident);
    Ok(quote! {
        #(#attrs)*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #vis struct #name(pub(crate) ::uuid::Uuid);
        crate::id::impl_id!(#name);
    })
}
