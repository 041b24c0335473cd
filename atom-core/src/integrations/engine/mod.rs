//! Carries out one operation of a provider, as its manifest says.
//!
//! [`call`] is an operation with its inputs; [`request`] and [`body`] write it down, [`send`] sends it within the [`budget`] of its
//! connection, [`pages`] finds the next page, and [`records`] with [`typed`] makes the vendor's records ours. [`dynamic`] and [`download`] are for whoever
//! names an operation at run time, and for what is too large to be held in memory. [`rehearsal`] reads answers that fuzzers make up.

mod body;
mod budget;
mod call;
mod download;
mod dynamic;
mod pages;
mod records;
mod redirect;
#[cfg(feature = "testing")]
mod rehearsal;
mod request;
mod send;
mod text;
mod typed;
mod upload;

pub(crate) use budget::Budgets;
pub use download::ByteStream;
pub(crate) use download::open as download;
pub use dynamic::RecordStream;
pub(crate) use dynamic::{call as call_untyped, records as stream_records};
#[cfg(feature = "testing")]
pub(crate) use rehearsal::rehearse;
pub(crate) use upload::{Upload, is_long};

use crate::connect::Connection;
use crate::{Error, Result};
use call::Call;
use futures_util::{StreamExt, TryStreamExt, stream};
use records::Items;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use text::Vendor;

/// How many records are fetched at once where a list holds ids only.
const FETCHES: usize = 4;
/// How many pages of a text are put together.
const MOST_PAGES: usize = 100;

/// One page of unified records.
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next_cursor: Option<String>,
}

/// Lists records, at most `max` on a page.
pub(crate) async fn list<T: DeserializeOwned>(
    connection: &Connection,
    operation: &str,
    max: i64,
    input: &impl Serialize,
) -> Result<Page<T>> {
    let call = Call::new(connection, operation, input).await?;
    if call.page_size().is_some_and(|size| !(1..=max).contains(&size)) {
        return Err(Error::invalid("malformed_page_size", format!("page_size is between 1 and {max}")));
    }
    let (call, items, next_cursor) = page(call).await?;
    Ok(Page { items: call.typed(&items)?, next_cursor })
}

/// Reads or changes one record.
pub(crate) async fn one<T: DeserializeOwned>(connection: &Connection, operation: &str, input: &impl Serialize) -> Result<T> {
    let (call, vendor) = single(Call::new(connection, operation, input).await?).await?;
    call.typed_one(&vendor)
}

/// Does something that has no answer.
pub(crate) async fn done(connection: &Connection, operation: &str, input: &impl Serialize) -> Result<()> {
    Call::new(connection, operation, input).await?.answer().await.map(drop)
}

/// Reads bytes, as many as fit in memory.
pub(crate) async fn bytes(connection: &Connection, operation: &str, input: &impl Serialize) -> Result<Vec<u8>> {
    Ok(Call::new(connection, operation, input).await?.answer().await?.body)
}

/// Reads a text: the whole answer, or what stands under `text` in its record, or in all records of its pages, line by line.
pub(crate) async fn text(connection: &Connection, operation: &str, input: &impl Serialize) -> Result<String> {
    let call = Call::new(connection, operation, input).await?;
    if call.is_text() {
        return Ok(String::from_utf8_lossy(&call.answer().await?.body).into_owned());
    }
    if !call.is_list() {
        let (call, vendor) = single(call).await?;
        return Ok(call.text_of(&vendor)?.unwrap_or_default());
    }
    let (mut call, mut lines) = (call, Vec::new());
    for _ in 0..MOST_PAGES {
        let (reader, items, next) = page(call).await?;
        for item in &items {
            lines.extend(reader.text_of(item)?);
        }
        let Some(next) = next else { break };
        call = Call::new(connection, operation, &continued(input, &next)?).await?;
    }
    Ok(lines.join("\n"))
}

/// The same input for the next page.
fn continued(input: &impl Serialize, cursor: &str) -> Result<Value> {
    let mut input = call::object(input)?;
    input.insert("cursor".into(), cursor.into());
    Ok(Value::Object(input))
}

/// The vendor's records on a page, and whoever reads them: the call itself, or the one that fetches what a list only names.
async fn page<'a>(call: Call<'a>) -> Result<(Call<'a>, Vec<Vendor>, Option<String>)> {
    let Items { items, next_cursor } = call.take_items(call.answer().await?)?;
    let Some(reader) = call.fetching() else { return Ok((call, items, next_cursor)) };
    // Collected first: the compiler cannot prove a stream of borrowing closures to be Send.
    let ids = items.iter().map(|item| call.id_of(item)).collect::<Result<Vec<_>>>()?;
    let fetches: Vec<_> = ids.into_iter().map(|id| fetched(&reader, id)).collect();
    let items = stream::iter(fetches).buffered(FETCHES).try_collect().await?;
    Ok((reader, items, next_cursor))
}

/// The one record of an answer, and whoever reads it.
async fn single<'a>(call: Call<'a>) -> Result<(Call<'a>, Vendor)> {
    let vendor = call.take_item(&call.answer().await?)?;
    if let Some(then) = call.then() {
        then.with_id(call.id_of(&vendor)?).answer().await?;
    }
    let Some(reader) = call.fetching() else { return Ok((call, vendor)) };
    let vendor = fetched(&reader, call.id_of(&vendor)?).await?;
    Ok((reader, vendor))
}

async fn fetched(reader: &Call<'_>, id: Option<Value>) -> Result<Vendor> {
    let call = reader.with_id(id);
    call.take_item(&call.answer().await?)
}
